/* SPDX-License-Identifier: MIT */
#include "stt/stream/spans.h"

#include "tests/support/env.h"
#include "tests/support/suite.h"

#include <stdio.h>

struct fixture {
    struct test_env te;
    struct stt_chunk_pool pool;
    struct stt_spans s;
    char text[200];
};

static void setup(struct fixture *f)
{
    test_env_init(&f->te, 1);
    stt_chunk_pool_init(&f->pool, &f->te.env, 4 << 20);
    f->s = (struct stt_spans){0};
}

static void teardown(struct fixture *f)
{
    stt_spans_clear(&f->s, &f->pool);
    ck_assert(stt_spans_is_empty(&f->s));
    ck_assert_uint_eq(f->pool.small.in_use + f->pool.large.in_use, 0);
    stt_chunk_pool_fini(&f->pool);
    test_env_check_no_leak(&f->te);
}

static int add(struct fixture *f, uint64_t from, uint64_t to)
{
    return stt_spans_add(&f->s, &f->pool, from, to);
}

/* "1-3 7-8", found by walking the gaps. */
static const char *text(struct fixture *f)
{
    size_t n = 0;
    uint32_t count = 0;
    f->text[0] = 0;
    for (uint64_t from = 0, to; from < 10000; from = to) {
        struct stt_range gap = stt_spans_gap(&f->s, from, 10000);
        if (from < gap.from) {
            n += (size_t)snprintf(f->text + n, sizeof f->text - n, "%s%d-%d", n ? " " : "",
                                  (int)from, (int)gap.from);
            ck_assert(count++ || stt_spans_first(&f->s).from == from);
        }
        to = gap.to;
    }
    ck_assert_uint_eq(stt_spans_count(&f->s), count);
    ck_assert(stt_spans_is_empty(&f->s) == (count == 0));
    return f->text;
}

START_TEST(one_range_takes_no_memory)
{
    struct fixture f;
    setup(&f);
    ck_assert_str_eq(text(&f), "");
    ck_assert_int_eq(add(&f, 5, 5), STT_OK);
    ck_assert_str_eq(text(&f), "");
    ck_assert_int_eq(add(&f, 5, 9), STT_OK);
    ck_assert_int_eq(add(&f, 9, 12), STT_OK);
    ck_assert_int_eq(add(&f, 1, 6), STT_OK);
    ck_assert_str_eq(text(&f), "1-12");
    stt_spans_drop_below(&f.s, &f.pool, 1);
    ck_assert_str_eq(text(&f), "1-12");
    stt_spans_drop_below(&f.s, &f.pool, 4);
    ck_assert_str_eq(text(&f), "4-12");
    stt_spans_drop_below(&f.s, &f.pool, 12);
    ck_assert_str_eq(text(&f), "");
    ck_assert_uint_eq(f.te.allocs, 0);
    ck_assert_uint_eq(sizeof f.s, 16);
    teardown(&f);
}
END_TEST

START_TEST(more_take_a_block_which_goes_back_when_one_is_left)
{
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(add(&f, 10, 20), STT_OK);
    ck_assert_int_eq(add(&f, 30, 40), STT_OK);
    ck_assert_int_eq(add(&f, 0, 5), STT_OK);
    ck_assert_str_eq(text(&f), "0-5 10-20 30-40");
    ck_assert_uint_eq(f.pool.small.in_use, 1);
    ck_assert_int_eq(add(&f, 5, 30), STT_OK);
    ck_assert_str_eq(text(&f), "0-40");
    ck_assert_uint_eq(f.pool.small.in_use, 0);
    ck_assert_int_eq(add(&f, 50, 60), STT_OK);
    stt_spans_drop_below(&f.s, &f.pool, 55);
    ck_assert_str_eq(text(&f), "55-60");
    ck_assert_uint_eq(f.pool.small.in_use, 0);
    teardown(&f);
}
END_TEST

START_TEST(a_set_is_bounded)
{
    struct fixture f;
    setup(&f);
    for (uint64_t i = 0; i < STT_SPANS_MAX; i++)
        ck_assert_int_eq(add(&f, 10 * i, 10 * i + 2), STT_OK);
    ck_assert_uint_eq(f.pool.small.in_use, 0);
    ck_assert_uint_eq(f.pool.large.in_use, 1);
    ck_assert_int_eq(add(&f, 5, 6), STT_E_LIMIT);
    ck_assert_int_eq(add(&f, 9000, 9001), STT_E_LIMIT);
    ck_assert_uint_eq(stt_spans_count(&f.s), STT_SPANS_MAX);
    ck_assert_int_eq(add(&f, 2, 10), STT_OK); /* it needs no more room */
    ck_assert_int_eq(add(&f, 9000, 9001), STT_OK);
    teardown(&f);
}
END_TEST

START_TEST(a_set_that_cannot_grow_may_be_widened)
{
    struct fixture f;
    setup(&f);
    f.te.fail_from = 1;
    ck_assert_int_eq(add(&f, 10, 20), STT_OK);
    ck_assert_int_eq(add(&f, 30, 40), STT_E_MEMORY);
    ck_assert_str_eq(text(&f), "10-20");
    stt_spans_widen(&f.s, 30, 40);
    ck_assert_str_eq(text(&f), "10-40");
    ck_assert_int_eq(add(&f, 2, 4), STT_E_MEMORY);
    stt_spans_widen(&f.s, 2, 4);
    ck_assert_str_eq(text(&f), "2-40");

    f.te.fail_from = 0;
    ck_assert_int_eq(add(&f, 50, 60), STT_OK);
    ck_assert_int_eq(add(&f, 90, 95), STT_OK);
    stt_spans_widen(&f.s, 70, 72); /* in the middle, where a full table would have it */
    ck_assert_str_eq(text(&f), "2-40 50-60 70-95");
    teardown(&f);
}
END_TEST

START_TEST(without_memory_to_grow_a_table_stays_as_it_is_case_37)
{
    struct fixture f;
    setup(&f);
    for (uint64_t i = 0; i < 10; i++)
        ck_assert_int_eq(add(&f, 10 * i, 10 * i + 2), STT_OK);
    f.te.fail_from = f.te.allocs + 1;
    ck_assert_int_eq(add(&f, 200, 300), STT_E_MEMORY);
    ck_assert_uint_eq(stt_spans_count(&f.s), 10);
    f.te.fail_from = 0;
    ck_assert_int_eq(add(&f, 200, 300), STT_OK);
    ck_assert_str_eq(text(&f), "0-2 10-12 20-22 30-32 40-42 50-52 60-62 70-72 80-82 90-92 200-300");
    teardown(&f);
}
END_TEST

START_TEST(a_gap_is_cut_to_what_was_asked_for)
{
    static const struct {
        uint64_t from, to, gap_from, gap_to;
    } cases[] = {
        {0, 5, 0, 5},     {0, 15, 0, 10},   {10, 15, 15, 15}, {10, 25, 20, 25},
        {20, 25, 20, 25}, {20, 35, 20, 30}, {15, 60, 20, 30}, {35, 60, 40, 60},
        {60, 70, 60, 70}, {12, 12, 12, 12}, {5, 5, 5, 5},
    };
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(add(&f, 10, 20), STT_OK);
    ck_assert_int_eq(add(&f, 30, 40), STT_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct stt_range gap = stt_spans_gap(&f.s, cases[i].from, cases[i].to);
        ck_assert_uint_eq(gap.from, cases[i].gap_from);
        ck_assert_uint_eq(gap.to, cases[i].gap_to);
    }
    teardown(&f);
}
END_TEST

SUITE("spans", TEST(one_range_takes_no_memory),
      TEST(more_take_a_block_which_goes_back_when_one_is_left), TEST(a_set_is_bounded),
      TEST(a_set_that_cannot_grow_may_be_widened),
      TEST(without_memory_to_grow_a_table_stays_as_it_is_case_37),
      TEST(a_gap_is_cut_to_what_was_asked_for))
