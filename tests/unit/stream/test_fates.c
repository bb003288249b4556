/* SPDX-License-Identifier: MIT */
#include "stt/stream/fates.h"

#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

#include <string.h>

enum { SMALL = STT_BLOCK_SMALL_BYTES / sizeof(uint64_t) };

struct fixture {
    struct test_env te;
    struct stt_chunk_pool pool;
    struct stt_fates f;
    uint64_t next;
};

static void setup(struct fixture *f)
{
    f->next = 0;
    test_env_init(&f->te, 1);
    stt_chunk_pool_init(&f->pool, &f->te.env, 1 << 20);
    stt_fates_init(&f->f, &f->pool);
}

static void check_idle(const struct fixture *f)
{
    ck_assert_uint_eq(f->f.n, 0);
    ck_assert_uint_eq(f->pool.small.in_use + f->pool.large.in_use, 0);
}

static void teardown(struct fixture *f)
{
    stt_fates_fini(&f->f);
    check_idle(f);
    stt_chunk_pool_fini(&f->pool);
    test_env_check_no_leak(&f->te);
}

/* Numbers leave gaps, as those of datagrams that were dropped do. */
static struct stt_fate fate(uint64_t i)
{
    return (struct stt_fate){.number = i * 3 + (i % 7 == 0), .is_acked = i % 5 < 3};
}

static void add(struct fixture *f, uint64_t n)
{
    while (n--)
        stt_fates_add(&f->f, fate(f->next++));
}

static void take(struct fixture *f, uint64_t from, uint64_t to)
{
    struct stt_fate got;
    for (; from < to; from++) {
        ck_assert(stt_fates_take(&f->f, &got));
        ck_assert_uint_eq(got.number, fate(from).number);
        ck_assert(got.is_acked == fate(from).is_acked);
    }
}

START_TEST(without_fates_no_memory_is_held)
{
    struct fixture f;
    struct stt_fate got;
    setup(&f);
    ck_assert(!stt_fates_take(&f.f, &got));
    ck_assert_uint_eq(f.te.allocs, 0);
    ck_assert_uint_le(sizeof f.f, 32);
    add(&f, SMALL + 1);
    take(&f, 0, SMALL + 1);
    ck_assert(!stt_fates_take(&f.f, &got));
    check_idle(&f);
    add(&f, 1);
    take(&f, SMALL + 1, SMALL + 2);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(fates_are_told_in_the_order_they_came)
{
    struct fixture f;
    setup(&f);
    for (uint64_t round = 0; round < 200; round++) {
        uint64_t told = f.next - f.f.n, n = round * 7 % 40;
        add(&f, n);
        n = round * 5 % 41;
        take(&f, told, told + (n < f.f.n ? n : f.f.n));
    }
    take(&f, f.next - f.f.n, f.next);
    ck_assert_uint_eq(f.f.dropped, 0);
    teardown(&f);
}
END_TEST

START_TEST(a_host_that_listens_needs_a_small_block)
{
    struct fixture f;
    setup(&f);
    for (uint64_t i = 0; i < 100; i += SMALL) {
        add(&f, SMALL);
        take(&f, i, i + SMALL);
    }
    ck_assert_uint_eq(f.pool.large.peak, 0);
    ck_assert_uint_eq(f.pool.small.peak, 1);
    teardown(&f);
}
END_TEST

START_TEST(one_too_many_drops_the_oldest)
{
    struct fixture f;
    setup(&f);
    add(&f, 10);
    take(&f, 0, 10);
    add(&f, STT_FATES_MAX);
    ck_assert_uint_eq(f.f.dropped, 0);
    add(&f, 700);
    ck_assert_uint_eq(f.f.n, STT_FATES_MAX);
    ck_assert_uint_eq(f.f.dropped, 700);
    take(&f, 710, 710 + STT_FATES_MAX);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(the_ring_grows_wherever_it_begins)
{
    struct fixture f;
    setup(&f);
    add(&f, SMALL);
    take(&f, 0, (uint64_t)_i);
    add(&f, (uint64_t)_i + 1);
    ck_assert_uint_eq(f.pool.large.in_use, 1);
    ck_assert_uint_eq(f.pool.small.in_use, 0);
    take(&f, (uint64_t)_i, f.next);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(a_ring_keeps_to_its_block)
{
    struct fixture f;
    setup(&f);
    add(&f, 1);
    uint8_t *behind = stt_chunk_pool_take(&f.pool, STT_BLOCK_SMALL_BYTES);
    ck_assert_ptr_nonnull(behind);
    memset(behind, 0x5a, STT_BLOCK_SMALL_BYTES);
    add(&f, SMALL - 1);
    for (uint64_t i = 0; i < 30 * SMALL; i++) {
        take(&f, i, i + 1);
        add(&f, 1);
    }
    for (size_t i = 0; i < STT_BLOCK_SMALL_BYTES; i++)
        ck_assert_uint_eq(behind[i], 0x5a);
    ck_assert_uint_eq(f.pool.large.peak, 0);
    stt_chunk_pool_give_back(&f.pool, behind, STT_BLOCK_SMALL_BYTES);
    teardown(&f);
}
END_TEST

START_TEST(what_was_given_back_is_not_told)
{
    struct fixture f;
    setup(&f);
    add(&f, 5);
    stt_fates_fini(&f.f);
    check_idle(&f);
    add(&f, 2);
    take(&f, 5, 7);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(numbers_keep_63_bits)
{
    const uint64_t top = UINT64_MAX / 2;
    struct stt_fate got;
    struct fixture f;
    setup(&f);
    stt_fates_add(&f.f, (struct stt_fate){top, true});
    stt_fates_add(&f.f, (struct stt_fate){top - 1, false});
    ck_assert(stt_fates_take(&f.f, &got) && got.number == top && got.is_acked);
    ck_assert(stt_fates_take(&f.f, &got) && got.number == top - 1 && !got.is_acked);
    teardown(&f);
}
END_TEST

/* There is never a block; there is no large one. */
START_TEST(without_memory_the_latest_that_fit_are_kept_case_37)
{
    struct fixture f;
    setup(&f);
    f.te.fail_from = 1;
    add(&f, 3);
    ck_assert_uint_eq(f.f.dropped, 3);
    check_idle(&f);
    f.te.fail_from = 0;
    add(&f, SMALL);
    f.te.fail_from = f.te.allocs + 1;
    add(&f, 100);
    ck_assert_uint_eq(f.f.n, SMALL);
    ck_assert_uint_eq(f.f.dropped, 103);
    take(&f, 103, 103 + SMALL);
    check_idle(&f);
    teardown(&f);
}
END_TEST

static void add_beyond(void *fixture)
{
    stt_fates_add(&((struct fixture *)fixture)->f, (struct stt_fate){UINT64_MAX / 2 + 1, true});
}

START_TEST(a_number_that_does_not_fit_is_a_bug)
{
    struct fixture f;
    setup(&f);
    ck_assert(dies(add_beyond, &f));
    teardown(&f);
}
END_TEST

SUITE("fates", TEST(without_fates_no_memory_is_held), TEST(fates_are_told_in_the_order_they_came),
      TEST(a_host_that_listens_needs_a_small_block), TEST(one_too_many_drops_the_oldest),
      LOOP(the_ring_grows_wherever_it_begins, 0, SMALL), TEST(a_ring_keeps_to_its_block),
      TEST(what_was_given_back_is_not_told), TEST(numbers_keep_63_bits),
      TEST(without_memory_the_latest_that_fit_are_kept_case_37),
      TEST(a_number_that_does_not_fit_is_a_bug))
