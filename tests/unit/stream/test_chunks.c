/* SPDX-License-Identifier: MIT */
#include "stt/stream/chunks.h"

#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

#include <string.h>

#define AT(number) ((uint64_t)(number)*STT_CHUNK_BYTES)
#define FAR        ((UINT64_C(1) << 62) - AT(4))

struct fixture {
    struct test_env te;
    struct stt_chunk_pool pool;
    struct stt_chunks c;
};

static void setup(struct fixture *f, size_t max_bytes)
{
    test_env_init(&f->te, 1);
    stt_chunk_pool_init(&f->pool, &f->te.env, max_bytes);
    stt_chunks_init(&f->c, &f->pool);
}

static void teardown(struct fixture *f)
{
    stt_chunks_fini(&f->c);
    ck_assert_uint_eq(f->pool.chunks.in_use, 0);
    ck_assert_uint_eq(f->pool.small.in_use, 0);
    ck_assert_uint_eq(f->pool.large.in_use, 0);
    stt_chunk_pool_fini(&f->pool);
    test_env_check_no_leak(&f->te);
}

static uint8_t *make_for(struct fixture *f, uint64_t offset, enum stt_chunk_use use)
{
    size_t len;
    return stt_chunks_make(&f->c, offset, use, &len);
}

/* Takes the chunk and signs it. */
static void make(struct fixture *f, uint64_t number)
{
    uint8_t *p = make_for(f, AT(number), STT_CHUNK_FOR_NEXT);
    ck_assert_ptr_nonnull(p);
    memset(p, (int)(number % 251), STT_CHUNK_BYTES);
}

static bool is_held(const struct fixture *f, uint64_t number)
{
    size_t len;
    const uint8_t *p = stt_chunks_at(&f->c, AT(number), &len);
    ck_assert_uint_eq(len, STT_CHUNK_BYTES);
    ck_assert(!p || (p[0] == number % 251 && p[STT_CHUNK_BYTES - 1] == number % 251));
    return p;
}

START_TEST(an_unused_row_holds_no_memory)
{
    struct fixture f;
    setup(&f, 1 << 20);
    ck_assert(!is_held(&f, 0));
    ck_assert(!is_held(&f, UINT32_MAX));
    stt_chunks_drop(&f.c, 0);
    stt_chunks_drop(&f.c, AT(7));
    stt_chunks_release(&f.c, 100, 100);
    stt_chunk_pool_shrink(&f.pool);
    ck_assert_uint_eq(f.te.allocs, 0);
    ck_assert_uint_le(sizeof f.c, 32);
    teardown(&f);
}
END_TEST

START_TEST(an_offset_leads_to_its_place_and_the_length_to_the_end_of_its_chunk)
{
    struct fixture f;
    size_t len;
    setup(&f, 1 << 20);
    uint8_t *p = stt_chunks_make(&f.c, 100, STT_CHUNK_FOR_NEXT, &len);
    ck_assert_uint_eq(len, STT_CHUNK_BYTES - 100);
    ck_assert_ptr_eq(stt_chunks_make(&f.c, 0, STT_CHUNK_FOR_NEXT, &len), p - 100);
    ck_assert_uint_eq(len, STT_CHUNK_BYTES);
    ck_assert_ptr_eq(stt_chunks_at(&f.c, STT_CHUNK_BYTES - 1, &len), p + STT_CHUNK_BYTES - 101);
    ck_assert_uint_eq(len, 1);
    ck_assert_ptr_null(stt_chunks_at(&f.c, STT_CHUNK_BYTES + 10, &len));
    ck_assert_uint_eq(len, STT_CHUNK_BYTES - 10); /* also of what is not there */
    ck_assert_uint_eq(f.pool.chunks.in_use, 1);
    teardown(&f);
}
END_TEST

START_TEST(a_row_grows_and_keeps_its_chunks)
{
    struct fixture f;
    const uint64_t numbers[] = {0, 3, 15, 16, 511, 512, 2000};
    setup(&f, 1 << 20);
    for (size_t i = 0; i < 7; i++) {
        make(&f, numbers[i]);
        for (size_t j = 0; j <= i; j++)
            ck_assert(is_held(&f, numbers[j]));
        ck_assert(!is_held(&f, 1) && !is_held(&f, numbers[i] + 1));
    }
    ck_assert_uint_eq(f.c.held, 7);
    teardown(&f);
}
END_TEST

START_TEST(a_window_slides_over_a_row_of_the_same_length)
{
    struct fixture f;
    setup(&f, 1 << 20);
    for (uint64_t n = 0; n < 100; n++) {
        make(&f, n);
        stt_chunks_release(&f.c, n < 9 ? 0 : AT(n - 9), AT(n + 1));
        for (uint64_t i = 0; i < 100; i++)
            ck_assert(is_held(&f, i) == (i <= n && i + 9 >= n));
    }
    ck_assert_uint_eq(f.pool.chunks.peak, 11);
    ck_assert_uint_eq(f.pool.small.peak, 1);
    ck_assert_uint_eq(f.pool.large.peak, 0);
    teardown(&f);
}
END_TEST

START_TEST(what_lies_below_goes_back_and_the_last_chunk_when_nothing_is_wanted)
{
    struct fixture f;
    setup(&f, 1 << 20);
    for (uint64_t n = 0; n < 3; n++)
        make(&f, n);
    stt_chunks_release(&f.c, AT(1) - 1, AT(3));
    ck_assert_uint_eq(f.c.held, 3);
    stt_chunks_release(&f.c, AT(2) + 10, AT(3));
    ck_assert_uint_eq(f.c.held, 1);
    ck_assert(!is_held(&f, 1) && is_held(&f, 2));
    stt_chunks_release(&f.c, AT(2) + 11, AT(2) + 11);
    ck_assert_uint_eq(f.pool.chunks.in_use, 0);
    ck_assert_uint_eq(f.pool.small.in_use, 0);
    make(&f, 2); /* and on it goes */
    teardown(&f);
}
END_TEST

START_TEST(a_release_far_ahead_frees_the_row_and_moves_on)
{
    struct fixture f;
    setup(&f, 1 << 20);
    make(&f, 0);
    make(&f, 7);
    stt_chunks_release(&f.c, FAR + 5, UINT64_MAX);
    ck_assert_uint_eq(f.c.held, 0);
    for (uint64_t n = FAR / STT_CHUNK_BYTES; n < FAR / STT_CHUNK_BYTES + 4; n++) {
        make(&f, n);
        ck_assert(is_held(&f, n));
    }
    ck_assert(!is_held(&f, 0));
    teardown(&f);
}
END_TEST

START_TEST(one_chunk_can_be_dropped)
{
    struct fixture f;
    setup(&f, 1 << 20);
    for (uint64_t n = 0; n < 3; n++)
        make(&f, n);
    stt_chunks_drop(&f.c, AT(1) + 77);
    stt_chunks_drop(&f.c, AT(1));
    ck_assert(is_held(&f, 0) && !is_held(&f, 1) && is_held(&f, 2));
    ck_assert_uint_eq(f.pool.chunks.in_use, 2);
    stt_chunks_drop(&f.c, AT(0));
    stt_chunks_drop(&f.c, AT(2));
    ck_assert_uint_eq(f.pool.small.in_use, 0); /* the row went with the last one */
    teardown(&f);
}
END_TEST

START_TEST(filling_and_draining_needs_no_allocation_after_the_first_time)
{
    struct fixture f;
    uint64_t allocs = 0;
    setup(&f, 4 << 20);
    for (uint64_t round = 0; round < 50; round++) {
        for (uint64_t n = 0; n < 40; n++)
            make(&f, round * 40 + n);
        stt_chunks_release(&f.c, AT(round * 40 + 40), AT(round * 40 + 40));
        ck_assert_uint_eq(f.c.held, 0);
        if (round == 0)
            allocs = f.te.allocs;
    }
    ck_assert_uint_eq(f.te.allocs, allocs);
    stt_chunk_pool_shrink(&f.pool);
    ck_assert_uint_eq(f.te.live, 3); /* the directories */
    teardown(&f);
}
END_TEST

START_TEST(the_last_of_a_pool_is_for_what_arrives_in_order)
{
    struct fixture f;
    uint64_t n = 0, max;
    setup(&f, 1 << 20);
    max = f.pool.chunks.shape.max;
    ck_assert_uint_eq(stt_chunk_pool_room(&f.pool), AT(max));
    while (make_for(&f, AT(n), STT_CHUNK_FOR_SENDING))
        n++;
    ck_assert_uint_eq(n, max - max / 8 * 2);
    while (make_for(&f, AT(n), STT_CHUNK_FOR_ISLAND))
        n++;
    ck_assert_uint_eq(n, max - max / 8);
    while (make_for(&f, AT(n), STT_CHUNK_FOR_NEXT))
        n++;
    ck_assert_uint_eq(n, max);
    ck_assert_uint_eq(stt_chunk_pool_room(&f.pool), 0);
    ck_assert_ptr_nonnull(make_for(&f, AT(0) + 9, STT_CHUNK_FOR_SENDING)); /* it is there */
    teardown(&f);
}
END_TEST

START_TEST(a_pool_keeps_its_bound)
{
    struct fixture f;
    uint64_t n = 0;
    void *blocks[2000];
    size_t taken[] = {0, 0};
    setup(&f, 4 << 20);
    while (make_for(&f, AT(n), STT_CHUNK_FOR_NEXT))
        n++;
    for (size_t i = 0; i < 2; i++) {
        size_t len = i ? STT_BLOCK_SMALL_BYTES : STT_BLOCK_LARGE_BYTES;
        while ((blocks[taken[1]] = stt_chunk_pool_take(&f.pool, len)))
            taken[1]++;
        taken[i] = taken[1];
    }
    ck_assert_uint_ge(n, 200);
    ck_assert_uint_ge(taken[0], n / 4 - 1);
    ck_assert_uint_ge(taken[1] - taken[0], 3 * n - 1);
    ck_assert_uint_le(f.te.bytes_in_use, (4 << 20) + (16 << 14) + (40 << 10) + (12 << 10));
    for (size_t i = 0; i < taken[1]; i++)
        stt_chunk_pool_give_back(&f.pool, blocks[i],
                                 i < taken[0] ? STT_BLOCK_LARGE_BYTES : STT_BLOCK_SMALL_BYTES);
    teardown(&f);
}
END_TEST

START_TEST(blocks_of_all_sizes_can_be_had)
{
    const size_t sizes[] = {1, STT_BLOCK_SMALL_BYTES, STT_BLOCK_SMALL_BYTES + 1,
                            STT_BLOCK_LARGE_BYTES, STT_BLOCK_LARGE_BYTES + 1};
    struct fixture f;
    setup(&f, 1 << 20);
    for (size_t i = 0; i < 5; i++) {
        void *block = stt_chunk_pool_take(&f.pool, sizes[i]);
        ck_assert_ptr_nonnull(block);
        memset(block, 1, sizes[i]);
        stt_chunk_pool_give_back(&f.pool, block, sizes[i]);
    }
    ck_assert_uint_eq(f.te.live, 4); /* two directories with a step each */
    teardown(&f);
}
END_TEST

START_TEST(a_pool_may_be_of_any_size)
{
    const size_t sizes[] = {0, 1, 20000, 100000, SIZE_MAX};
    for (size_t i = 0; i < 5; i++) {
        struct fixture f;
        setup(&f, sizes[i]);
        ck_assert((make_for(&f, 0, STT_CHUNK_FOR_NEXT) != NULL) == (sizes[i] >= 20000));
        teardown(&f);
    }
}
END_TEST

START_TEST(a_span_that_no_window_has_is_refused)
{
    struct fixture f;
    setup(&f, 1 << 20);
    make(&f, 0);
    ck_assert_ptr_null(make_for(&f, FAR, STT_CHUNK_FOR_NEXT));
    ck_assert_ptr_null(make_for(&f, AT(1 << 20), STT_CHUNK_FOR_NEXT));
    ck_assert(is_held(&f, 0));
    ck_assert_uint_eq(f.c.held, 1);
    teardown(&f);
}
END_TEST

START_TEST(without_memory_nothing_changes_case_37)
{
    const uint64_t numbers[] = {0, 2, 20, 600};
    for (uint64_t n = 1;; n++) {
        struct fixture f;
        setup(&f, 1 << 20);
        f.te.fail_at = n;
        for (size_t i = 0; i < 4; i++) {
            uint32_t held = f.c.held;
            if (!make_for(&f, AT(numbers[i]), STT_CHUNK_FOR_NEXT)) {
                ck_assert_uint_eq(f.c.held, held);
                ck_assert(held || !f.pool.small.in_use);
            }
            make(&f, numbers[i]); /* only one allocation fails */
            for (size_t j = 0; j <= i; j++)
                ck_assert(is_held(&f, numbers[j]));
        }
        uint64_t failed = f.te.failed;
        teardown(&f);
        if (!failed)
            break;
        ck_assert_uint_lt(n, 20);
    }
}
END_TEST

START_TEST(a_far_chunk_that_cannot_be_had_leaves_no_row_behind)
{
    struct fixture f;
    setup(&f, 1 << 20);
    void *block = stt_chunk_pool_take(&f.pool, STT_BLOCK_SMALL_BYTES); /* rows can be had */
    f.te.fail_from = f.te.allocs + 1;
    ck_assert_ptr_null(make_for(&f, AT(5), STT_CHUNK_FOR_NEXT));
    ck_assert_uint_eq(f.pool.small.in_use, 1);
    stt_chunk_pool_give_back(&f.pool, block, STT_BLOCK_SMALL_BYTES);
    teardown(&f);
}
END_TEST

static void make_below(void *fixture)
{
    make_for(fixture, AT(4), STT_CHUNK_FOR_NEXT);
}

static void release_backwards(void *fixture)
{
    stt_chunks_release(&((struct fixture *)fixture)->c, AT(4), UINT64_MAX);
}

START_TEST(misuse_is_a_bug)
{
    static void (*const misuses[])(void *) = {make_below, release_backwards};
    struct fixture f;
    setup(&f, 1 << 20);
    stt_chunks_release(&f.c, AT(5), UINT64_MAX);
    ck_assert(dies(misuses[_i], &f));
    teardown(&f);
}
END_TEST

SUITE("chunks", TEST(an_unused_row_holds_no_memory),
      TEST(an_offset_leads_to_its_place_and_the_length_to_the_end_of_its_chunk),
      TEST(a_row_grows_and_keeps_its_chunks), TEST(a_window_slides_over_a_row_of_the_same_length),
      TEST(what_lies_below_goes_back_and_the_last_chunk_when_nothing_is_wanted),
      TEST(a_release_far_ahead_frees_the_row_and_moves_on), TEST(one_chunk_can_be_dropped),
      TEST(filling_and_draining_needs_no_allocation_after_the_first_time),
      TEST(the_last_of_a_pool_is_for_what_arrives_in_order), TEST(a_pool_keeps_its_bound),
      TEST(blocks_of_all_sizes_can_be_had), TEST(a_pool_may_be_of_any_size),
      TEST(a_span_that_no_window_has_is_refused), TEST(without_memory_nothing_changes_case_37),
      TEST(a_far_chunk_that_cannot_be_had_leaves_no_row_behind), LOOP(misuse_is_a_bug, 0, 2))
