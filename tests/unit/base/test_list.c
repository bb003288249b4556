/* SPDX-License-Identifier: MIT */
#include "stt/base/list.h"

#include "tests/support/suite.h"

#include <string.h>

struct item {
    char name;
    struct stt_list link; /* not the first field, so that STT_LIST_ENTRY has something to do */
};

struct fixture {
    struct stt_list head;
    struct item a, b, c;
    char text[8];
};

static void setup(struct fixture *f)
{
    *f = (struct fixture){.a = {'a', {0}}, .b = {'b', {0}}, .c = {'c', {0}}};
    stt_list_init(&f->head);
}

/* The names from front to back; backwards it must be the same list. */
static const char *text(struct fixture *f)
{
    size_t n = 0;
    STT_LIST_FOREACH (link, &f->head) {
        ck_assert_uint_lt(n, sizeof f->text - 1);
        f->text[n++] = STT_LIST_ENTRY(link, struct item, link)->name;
    }
    f->text[n] = 0;
    for (struct stt_list *link = f->head.prev; link != &f->head; link = link->prev)
        ck_assert_int_eq(STT_LIST_ENTRY(link, struct item, link)->name, f->text[--n]);
    ck_assert_uint_eq(n, 0);
    return f->text;
}

static void setup_abc(struct fixture *f)
{
    setup(f);
    stt_list_push_back(&f->head, &f->a.link);
    stt_list_push_back(&f->head, &f->b.link);
    stt_list_push_back(&f->head, &f->c.link);
}

START_TEST(a_new_list_is_empty)
{
    struct fixture f;
    setup(&f);
    ck_assert(stt_list_is_empty(&f.head));
    ck_assert_str_eq(text(&f), "");
    ck_assert_ptr_null(stt_list_pop_front(&f.head));
}
END_TEST

START_TEST(pushing_keeps_the_order)
{
    struct fixture f;
    setup(&f);
    stt_list_push_back(&f.head, &f.b.link);
    stt_list_push_back(&f.head, &f.c.link);
    stt_list_push_front(&f.head, &f.a.link);
    ck_assert_str_eq(text(&f), "abc");
    ck_assert(!stt_list_is_empty(&f.head));
}
END_TEST

START_TEST(inserting_goes_right_before)
{
    struct fixture f;
    setup(&f);
    stt_list_push_back(&f.head, &f.a.link);
    stt_list_push_back(&f.head, &f.c.link);
    stt_list_insert_before(&f.c.link, &f.b.link);
    ck_assert_str_eq(text(&f), "abc");
}
END_TEST

START_TEST(links_know_whether_they_are_in_a_list)
{
    struct fixture f;
    setup(&f);
    ck_assert(!stt_list_is_linked(&f.a.link)); /* zeroed */
    stt_list_push_back(&f.head, &f.a.link);
    ck_assert(stt_list_is_linked(&f.a.link));
    stt_list_remove(&f.a.link);
    ck_assert(!stt_list_is_linked(&f.a.link));
    stt_list_init(&f.b.link);
    ck_assert(!stt_list_is_linked(&f.b.link));
}
END_TEST

START_TEST(any_link_can_be_removed_and_pushed_again)
{
    static const char *const without[] = {"bc", "ac", "ab"}, *const after[] = {"bca", "acb", "abc"};
    struct fixture f;
    setup_abc(&f);
    struct stt_list *links[] = {&f.a.link, &f.b.link, &f.c.link};
    stt_list_remove(links[_i]);
    ck_assert_str_eq(text(&f), without[_i]);
    stt_list_push_back(&f.head, links[_i]);
    ck_assert_str_eq(text(&f), after[_i]);
}
END_TEST

START_TEST(removing_twice_does_nothing)
{
    struct fixture f;
    setup_abc(&f);
    stt_list_remove(&f.b.link);
    stt_list_remove(&f.b.link);
    ck_assert_str_eq(text(&f), "ac");
    struct stt_list zeroed = {0};
    stt_list_remove(&zeroed);
    ck_assert_ptr_null(zeroed.next);
}
END_TEST

START_TEST(popping_empties_from_the_front)
{
    struct fixture f;
    setup_abc(&f);
    ck_assert_ptr_eq(stt_list_pop_front(&f.head), &f.a.link);
    ck_assert_ptr_eq(stt_list_pop_front(&f.head), &f.b.link);
    ck_assert_ptr_eq(stt_list_pop_front(&f.head), &f.c.link);
    ck_assert_ptr_null(stt_list_pop_front(&f.head));
    ck_assert(!stt_list_is_linked(&f.a.link));
}
END_TEST

START_TEST(the_walk_survives_removal_of_where_it_is)
{
    struct fixture f;
    setup_abc(&f);
    char seen[4] = {0};
    STT_LIST_FOREACH (link, &f.head) {
        struct item *item = STT_LIST_ENTRY(link, struct item, link);
        seen[strlen(seen)] = item->name;
        stt_list_remove(link);
        memset(item, 0x5a, sizeof *item); /* as if freed */
    }
    ck_assert_str_eq(seen, "abc");
    ck_assert(stt_list_is_empty(&f.head));
}
END_TEST

SUITE("list", TEST(a_new_list_is_empty), TEST(pushing_keeps_the_order),
      TEST(inserting_goes_right_before), TEST(links_know_whether_they_are_in_a_list),
      LOOP(any_link_can_be_removed_and_pushed_again, 0, 3), TEST(removing_twice_does_nothing),
      TEST(popping_empties_from_the_front), TEST(the_walk_survives_removal_of_where_it_is))
