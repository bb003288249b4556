/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_ranges compares long histories with a model; here are the single cases. */
#include "stt/base/ranges.h"

#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

enum { CAPACITY = 4 };

struct fixture {
    struct stt_range memory[CAPACITY + 1]; /* one more, to see that it stays as it is */
    struct stt_ranges r;
    char text[200];
};

static void setup(struct fixture *f)
{
    memset(f, 0x5a, sizeof *f);
    stt_ranges_init(&f->r, f->memory, CAPACITY);
}

/* "1-3 7-8", and the array behind the capacity is untouched. */
static const char *text(struct fixture *f)
{
    ck_assert_uint_eq(f->memory[CAPACITY].from, 0x5a5a5a5a5a5a5a5a);
    size_t n = 0;
    f->text[0] = 0;
    for (uint32_t i = 0; i < f->r.n; i++)
        n += (size_t)snprintf(f->text + n, sizeof f->text - n, "%s%llu-%llu", i ? " " : "",
                              (unsigned long long)f->r.at[i].from,
                              (unsigned long long)f->r.at[i].to);
    return f->text;
}

static void setup_three(struct fixture *f)
{
    setup(f);
    for (uint64_t from = 10; from <= 50; from += 20)
        ck_assert_int_eq(stt_ranges_add(&f->r, from, from + 10), STT_OK);
    ck_assert_str_eq(text(f), "10-20 30-40 50-60");
}

START_TEST(an_empty_set_holds_nothing)
{
    struct fixture f;
    setup(&f);
    ck_assert(stt_ranges_is_empty(&f.r));
    ck_assert_uint_eq(stt_ranges_end(&f.r), 0);
    ck_assert(!stt_ranges_contains(&f.r, 0));
    struct stt_range gap = stt_ranges_first_gap(&f.r, 5);
    ck_assert(gap.from == 5 && gap.to == UINT64_MAX);
    stt_ranges_drop_first(&f.r);
    stt_ranges_drop_below(&f.r, 100);
    ck_assert_int_eq(stt_ranges_remove(&f.r, 0, UINT64_MAX), STT_OK);
    ck_assert_str_eq(text(&f), "");
}
END_TEST

/* To 10-20 30-40 50-60. */
static const struct {
    uint64_t from, to;
    const char *after;
} additions[] = {
    {0, 5, "0-5 10-20 30-40 50-60"},     /* before all */
    {22, 28, "10-20 22-28 30-40 50-60"}, /* in a gap, touching nothing */
    {70, 80, "10-20 30-40 50-60 70-80"}, /* at the end */
    {5, 10, "5-20 30-40 50-60"},         /* touches from below */
    {20, 25, "10-25 30-40 50-60"},       /* touches from above */
    {40, 45, "10-20 30-45 50-60"},       /* touches the last but one */
    {20, 30, "10-40 50-60"},             /* closes a gap exactly */
    {60, 70, "10-20 30-40 50-70"},       /* extends the last */
    {55, 70, "10-20 30-40 50-70"},       /* the same, overlapping */
    {12, 18, "10-20 30-40 50-60"},       /* known */
    {10, 20, "10-20 30-40 50-60"},       /* exactly known */
    {15, 35, "10-40 50-60"},             /* from the middle to the middle */
    {0, 100, "0-100"},                   /* covers all */
    {15, 55, "10-60"},                   /* joins three */
    {25, 100, "10-20 25-100"},           /* covers the rest */
    {7, 7, "10-20 30-40 50-60"},         /* nothing */
    {60, UINT64_MAX, "10-20 30-40 50-18446744073709551615"},
};

START_TEST(adding_keeps_ranges_sorted_and_merges_neighbours)
{
    struct fixture f;
    setup_three(&f);
    ck_assert_int_eq(stt_ranges_add(&f.r, additions[_i].from, additions[_i].to), STT_OK);
    ck_assert_str_eq(text(&f), additions[_i].after);
}
END_TEST

/* From 10-20 30-40 50-60. */
static const struct {
    uint64_t from, to;
    const char *after;
} removals[] = {
    {0, 10, "10-20 30-40 50-60"},        /* ends where the first begins */
    {20, 30, "10-20 30-40 50-60"},       /* exactly a gap */
    {60, 90, "10-20 30-40 50-60"},       /* begins where the last ends */
    {10, 20, "30-40 50-60"},             /* exactly one */
    {0, 15, "15-20 30-40 50-60"},        /* a head */
    {15, 25, "10-15 30-40 50-60"},       /* a tail */
    {12, 15, "10-12 15-20 30-40 50-60"}, /* splits */
    {15, 55, "10-15 55-60"},             /* over a whole one */
    {20, 51, "10-20 51-60"},
    {0, 100, ""},
    {30, UINT64_MAX, "10-20"},
    {33, 33, "10-20 30-40 50-60"},
};

START_TEST(removing_trims_and_splits)
{
    struct fixture f;
    setup_three(&f);
    ck_assert_int_eq(stt_ranges_remove(&f.r, removals[_i].from, removals[_i].to), STT_OK);
    ck_assert_str_eq(text(&f), removals[_i].after);
}
END_TEST

START_TEST(a_range_turned_around_is_a_wrong_argument)
{
    struct fixture f;
    setup_three(&f);
    ck_assert_int_eq(stt_ranges_add(&f.r, 3, 2), STT_E_ARGUMENT);
    ck_assert_int_eq(stt_ranges_remove(&f.r, 13, 12), STT_E_ARGUMENT);
    ck_assert_str_eq(text(&f), "10-20 30-40 50-60");
}
END_TEST

START_TEST(a_full_set_refuses_one_more_range_and_stays_as_it_is)
{
    struct fixture f;
    setup_three(&f);
    ck_assert_int_eq(stt_ranges_add(&f.r, 70, 80), STT_OK);
    ck_assert_int_eq(stt_ranges_add(&f.r, 90, 91), STT_E_LIMIT);
    ck_assert_int_eq(stt_ranges_add(&f.r, 0, 1), STT_E_LIMIT);
    ck_assert_int_eq(stt_ranges_add(&f.r, 25, 26), STT_E_LIMIT);
    ck_assert_int_eq(stt_ranges_remove(&f.r, 35, 36), STT_E_LIMIT); /* would split */
    ck_assert_str_eq(text(&f), "10-20 30-40 50-60 70-80");
}
END_TEST

START_TEST(a_full_set_takes_what_needs_no_range_more)
{
    struct fixture f;
    setup_three(&f);
    ck_assert_int_eq(stt_ranges_add(&f.r, 70, 80), STT_OK);
    ck_assert_int_eq(stt_ranges_add(&f.r, 80, 81), STT_OK);
    ck_assert_int_eq(stt_ranges_add(&f.r, 45, 50), STT_OK);
    ck_assert_int_eq(stt_ranges_remove(&f.r, 15, 35), STT_OK); /* cuts two, splits none */
    ck_assert_str_eq(text(&f), "10-15 35-40 45-60 70-81");
    ck_assert_int_eq(stt_ranges_remove(&f.r, 12, 14), STT_E_LIMIT);
}
END_TEST

START_TEST(dropping_the_first_makes_room)
{
    struct fixture f;
    setup_three(&f);
    stt_ranges_drop_first(&f.r);
    ck_assert_str_eq(text(&f), "30-40 50-60");
    ck_assert_uint_eq(stt_ranges_end(&f.r), 60);
}
END_TEST

START_TEST(dropping_below_cuts_and_never_fails)
{
    struct fixture f;
    setup_three(&f);
    ck_assert_int_eq(stt_ranges_add(&f.r, 70, 80), STT_OK); /* full */
    stt_ranges_drop_below(&f.r, 0);
    ck_assert_str_eq(text(&f), "10-20 30-40 50-60 70-80");
    stt_ranges_drop_below(&f.r, 35);
    ck_assert_str_eq(text(&f), "35-40 50-60 70-80");
    stt_ranges_drop_below(&f.r, UINT64_MAX);
    ck_assert_str_eq(text(&f), "");
}
END_TEST

START_TEST(membership_is_half_open)
{
    struct fixture f;
    setup_three(&f);
    for (uint64_t v = 0; v < 70; v++) {
        bool inside = (v >= 10 && v < 20) || (v >= 30 && v < 40) || (v >= 50 && v < 60);
        ck_assert_msg(stt_ranges_contains(&f.r, v) == inside, "%llu", (unsigned long long)v);
    }
    ck_assert(!stt_ranges_contains(&f.r, UINT64_MAX));
}
END_TEST

START_TEST(the_first_gap_is_found_from_anywhere)
{
    static const struct {
        uint64_t start, from, to;
    } gaps[] = {{0, 0, 10},
                {9, 9, 10},
                {10, 20, 30},
                {19, 20, 30},
                {20, 20, 30},
                {25, 25, 30},
                {30, 40, 50},
                {55, 60, UINT64_MAX},
                {60, 60, UINT64_MAX},
                {99, 99, UINT64_MAX},
                {UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    struct fixture f;
    setup_three(&f);
    for (size_t i = 0; i < sizeof gaps / sizeof gaps[0]; i++) {
        struct stt_range gap = stt_ranges_first_gap(&f.r, gaps[i].start);
        ck_assert_uint_eq(gap.from, gaps[i].from);
        ck_assert_uint_eq(gap.to, gaps[i].to);
    }
}
END_TEST

START_TEST(the_highest_numbers_are_numbers_as_others)
{
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(stt_ranges_add(&f.r, UINT64_MAX - 2, UINT64_MAX), STT_OK);
    ck_assert_int_eq(stt_ranges_add(&f.r, 0, 1), STT_OK);
    ck_assert(stt_ranges_contains(&f.r, UINT64_MAX - 1));
    ck_assert(!stt_ranges_contains(&f.r, UINT64_MAX));
    ck_assert_uint_eq(stt_ranges_end(&f.r), UINT64_MAX);
    struct stt_range gap = stt_ranges_first_gap(&f.r, UINT64_MAX - 1);
    ck_assert(gap.from == UINT64_MAX && gap.to == UINT64_MAX);
}
END_TEST

START_TEST(without_capacity_everything_is_too_much)
{
    struct stt_ranges r;
    stt_ranges_init(&r, NULL, 0);
    ck_assert_int_eq(stt_ranges_add(&r, 1, 2), STT_E_LIMIT);
    ck_assert_int_eq(stt_ranges_add(&r, 1, 1), STT_OK);
    ck_assert(!stt_ranges_contains(&r, 1));
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

SUITE("ranges", TEST(an_empty_set_holds_nothing),
      LOOP(adding_keeps_ranges_sorted_and_merges_neighbours, 0, COUNT(additions)),
      LOOP(removing_trims_and_splits, 0, COUNT(removals)),
      TEST(a_range_turned_around_is_a_wrong_argument),
      TEST(a_full_set_refuses_one_more_range_and_stays_as_it_is),
      TEST(a_full_set_takes_what_needs_no_range_more), TEST(dropping_the_first_makes_room),
      TEST(dropping_below_cuts_and_never_fails), TEST(membership_is_half_open),
      TEST(the_first_gap_is_found_from_anywhere), TEST(the_highest_numbers_are_numbers_as_others),
      TEST(without_capacity_everything_is_too_much))
