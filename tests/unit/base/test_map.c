/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_map compares long histories with a model; here are the single cases. */
#include "stt/base/map.h"

#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

#include <string.h>

static const uint32_t key_sizes[] = {1, 4, 8, 18, 32, 64};
enum { SIZES = sizeof key_sizes / sizeof key_sizes[0] };

struct fixture {
    struct test_env te;
    struct stt_map m;
    uint8_t key[STT_MAP_KEY_BYTES_MAX];
};

static void setup(struct fixture *f, uint32_t key_bytes, uint32_t max)
{
    test_env_init(&f->te, 1);
    memset(f->key, 0, sizeof f->key);
    stt_map_init(&f->m, &f->te.env, key_bytes, 0x1234567890abcdef, max);
}

static void teardown(struct fixture *f)
{
    stt_map_fini(&f->m);
    test_env_check_no_leak(&f->te);
}

/* Key number i: it differs from the others in its last bytes only. */
static const void *key(struct fixture *f, uint32_t i)
{
    size_t n = f->m.key_bytes < sizeof i ? f->m.key_bytes : sizeof i;
    memcpy(f->key + f->m.key_bytes - n, &i, n);
    return f->key;
}

static void put_n(struct fixture *f, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        ck_assert_int_eq(stt_map_put(&f->m, key(f, i), i + 1), STT_OK);
}

START_TEST(an_empty_map_holds_neither_entries_nor_memory)
{
    struct fixture f;
    setup(&f, 8, 10);
    ck_assert_uint_eq(stt_map_find(&f.m, key(&f, 1)), 0);
    ck_assert_uint_eq(stt_map_remove(&f.m, key(&f, 1)), 0);
    uint32_t cursor = 0;
    struct stt_map_entry e;
    ck_assert(!stt_map_next(&f.m, &cursor, &e));
    ck_assert_uint_eq(f.te.allocs, 0);
    teardown(&f);
}
END_TEST

START_TEST(what_was_put_is_found)
{
    struct fixture f;
    setup(&f, key_sizes[_i], 200);
    put_n(&f, 200);
    ck_assert_uint_eq(f.m.n, 200);
    for (uint32_t i = 0; i < 256; i++)
        ck_assert_uint_eq(stt_map_find(&f.m, key(&f, i)), i < 200 ? i + 1 : 0);
    teardown(&f);
}
END_TEST

START_TEST(what_was_removed_is_gone_and_the_others_stay)
{
    struct fixture f;
    setup(&f, key_sizes[_i], 200);
    put_n(&f, 200);
    for (uint32_t i = 0; i < 200; i += 2) {
        ck_assert_uint_eq(stt_map_remove(&f.m, key(&f, i)), i + 1);
        ck_assert_uint_eq(stt_map_remove(&f.m, key(&f, i)), 0);
    }
    ck_assert_uint_eq(f.m.n, 100);
    for (uint32_t i = 0; i < 200; i++)
        ck_assert_uint_eq(stt_map_find(&f.m, key(&f, i)), i % 2 ? i + 1 : 0);
    teardown(&f);
}
END_TEST

/* Removes in the order of insertion, against it, and at random: each leaves a clean array. */
START_TEST(removing_everything_leaves_no_trace)
{
    struct fixture f;
    setup(&f, 8, 1000);
    put_n(&f, 700);
    struct rng rng = rng_init(3);
    uint32_t order[700];
    for (uint32_t i = 0; i < 700; i++) {
        uint32_t j = (uint32_t)rng_below(&rng, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (uint32_t i = 0; i < 700; i++) {
        uint32_t k = _i == 0 ? i : _i == 1 ? 699 - i : order[i];
        ck_assert_uint_eq(stt_map_remove(&f.m, key(&f, k)), k + 1);
    }
    ck_assert_uint_eq(f.m.n, 0);
    for (size_t i = 0; i < ((size_t)f.m.mask + 1) * f.m.slot_bytes; i++)
        ck_assert_uint_eq(f.m.slots[i], 0);
    teardown(&f);
}
END_TEST

START_TEST(putting_again_replaces)
{
    struct fixture f;
    setup(&f, 8, 1);
    ck_assert_int_eq(stt_map_put(&f.m, key(&f, 1), 10), STT_OK);
    f.te.fail_from = 1;
    ck_assert_int_eq(stt_map_put(&f.m, key(&f, 1), 20), STT_OK); /* full, and without memory */
    ck_assert_uint_eq(stt_map_find(&f.m, key(&f, 1)), 20);
    ck_assert_uint_eq(f.m.n, 1);
    teardown(&f);
}
END_TEST

START_TEST(zero_is_not_a_value)
{
    struct fixture f;
    setup(&f, 8, 10);
    ck_assert_int_eq(stt_map_put(&f.m, key(&f, 1), 0), STT_E_ARGUMENT);
    ck_assert_int_eq(stt_map_put(&f.m, key(&f, 1), 7), STT_OK);
    ck_assert_int_eq(stt_map_put(&f.m, key(&f, 1), 0), STT_E_ARGUMENT);
    ck_assert_uint_eq(stt_map_find(&f.m, key(&f, 1)), 7);
    teardown(&f);
}
END_TEST

START_TEST(pointers_are_values)
{
    struct fixture f;
    setup(&f, 8, 10);
    ck_assert_int_eq(stt_map_put(&f.m, key(&f, 1), (uintptr_t)&f), STT_OK);
    ck_assert_ptr_eq(stt_map_find_pointer(&f.m, key(&f, 1)), &f);
    ck_assert_ptr_null(stt_map_find_pointer(&f.m, key(&f, 2)));
    teardown(&f);
}
END_TEST

START_TEST(a_map_stops_at_its_limit)
{
    struct fixture f;
    setup(&f, 8, 20);
    put_n(&f, 20);
    ck_assert_int_eq(stt_map_put(&f.m, key(&f, 20), 1), STT_E_LIMIT);
    ck_assert_int_eq(stt_map_reserve(&f.m, 21), STT_E_LIMIT);
    ck_assert_uint_eq(f.m.n, 20);
    ck_assert_uint_eq(stt_map_remove(&f.m, key(&f, 3)), 4);
    ck_assert_int_eq(stt_map_put(&f.m, key(&f, 20), 1), STT_OK);
    teardown(&f);
}
END_TEST

START_TEST(reserving_spares_later_allocations)
{
    struct fixture f;
    setup(&f, 8, 1000);
    ck_assert_int_eq(stt_map_reserve(&f.m, 1000), STT_OK);
    ck_assert_uint_eq(f.te.allocs, 1);
    f.te.fail_from = 1;
    put_n(&f, 1000);
    ck_assert_int_eq(stt_map_reserve(&f.m, 1), STT_OK); /* there already */
    ck_assert_uint_eq(f.te.allocs, 1);
    teardown(&f);
}
END_TEST

START_TEST(churn_takes_no_memory)
{
    struct fixture f;
    setup(&f, 8, 100);
    put_n(&f, 90);
    uint64_t allocs = f.te.allocs;
    for (uint32_t i = 90; i < 100000; i++) {
        ck_assert_uint_eq(stt_map_remove(&f.m, key(&f, i - 90)), i - 90 + 1);
        ck_assert_int_eq(stt_map_put(&f.m, key(&f, i), i + 1), STT_OK);
    }
    ck_assert_uint_eq(f.te.allocs, allocs);
    teardown(&f);
}
END_TEST

START_TEST(without_memory_a_map_stays_as_it_is)
{
    for (uint64_t n = 1;; n++) {
        struct fixture f;
        setup(&f, 18, 100);
        f.te.fail_at = n;
        for (uint32_t i = 0; i < 100; i++) {
            int error = stt_map_put(&f.m, key(&f, i), i + 1);
            if (error) {
                ck_assert_int_eq(error, STT_E_MEMORY);
                ck_assert_uint_eq(f.m.n, i);
                ck_assert_uint_eq(stt_map_find(&f.m, key(&f, i)), 0);
                ck_assert_int_eq(stt_map_put(&f.m, key(&f, i), i + 1), STT_OK);
            }
        }
        for (uint32_t i = 0; i < 100; i++)
            ck_assert_uint_eq(stt_map_find(&f.m, key(&f, i)), i + 1);
        teardown(&f);
        if (f.te.failed == 0)
            break;
        ck_assert_uint_lt(n, 20);
    }
}
END_TEST

START_TEST(the_walk_meets_every_entry_once)
{
    struct fixture f;
    setup(&f, key_sizes[_i], 200);
    put_n(&f, 200);
    bool seen[200] = {false};
    uint32_t cursor = 0, n = 0;
    for (struct stt_map_entry e; stt_map_next(&f.m, &cursor, &e); n++) {
        ck_assert_uint_le(e.value, 200);
        ck_assert(!seen[e.value - 1]);
        seen[e.value - 1] = true;
        ck_assert_mem_eq(e.key, key(&f, (uint32_t)e.value - 1), f.m.key_bytes);
    }
    ck_assert_uint_eq(n, 200);
    teardown(&f);
}
END_TEST

START_TEST(another_seed_is_another_order)
{
    struct fixture f, g;
    setup(&f, 8, 100);
    setup(&g, 8, 100);
    g.m.seed++;
    put_n(&f, 100);
    put_n(&g, 100);
    uint32_t i = 0, j = 0, same = 0;
    for (struct stt_map_entry a, b; stt_map_next(&f.m, &i, &a) && stt_map_next(&g.m, &j, &b);)
        same += a.value == b.value;
    ck_assert_uint_lt(same, 20);
    teardown(&f);
    teardown(&g);
}
END_TEST

/* How far entries lie from home when the keys are as regular as counters and addresses are. */
START_TEST(lookups_stay_short)
{
    struct fixture f;
    setup(&f, key_sizes[_i], 98304); /* 3/4 of 131072: the fullest it gets */
    if (f.m.key_bytes < 4)
        return;
    put_n(&f, 98304);
    ck_assert_uint_eq(f.m.mask, 131071);
    uint64_t run = 0, longest = 0;
    for (uint32_t slot = 0; slot <= f.m.mask; slot++) {
        uint64_t value;
        memcpy(&value, f.m.slots + (size_t)slot * f.m.slot_bytes, sizeof value);
        run = value ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    ck_assert_uint_lt(longest, 400); /* linear probing at 3/4: about 200 is expected */
    teardown(&f);
}
END_TEST

static void init_with_a_long_key(void *arg)
{
    struct fixture *f = arg;
    stt_map_init(&f->m, &f->te.env, STT_MAP_KEY_BYTES_MAX + 1, 0, 1);
}

static void init_without_a_key(void *arg)
{
    struct fixture *f = arg;
    stt_map_init(&f->m, &f->te.env, 0, 0, 1);
}

START_TEST(misuse_is_caught)
{
    struct fixture f;
    setup(&f, 8, 1);
    ck_assert(dies(init_with_a_long_key, &f));
    ck_assert(dies(init_without_a_key, &f));
}
END_TEST

SUITE("map", TEST(an_empty_map_holds_neither_entries_nor_memory),
      LOOP(what_was_put_is_found, 0, SIZES),
      LOOP(what_was_removed_is_gone_and_the_others_stay, 0, SIZES),
      LOOP(removing_everything_leaves_no_trace, 0, 3), TEST(putting_again_replaces),
      TEST(zero_is_not_a_value), TEST(pointers_are_values), TEST(a_map_stops_at_its_limit),
      TEST(reserving_spares_later_allocations), TEST(churn_takes_no_memory),
      TEST(without_memory_a_map_stays_as_it_is), LOOP(the_walk_meets_every_entry_once, 0, SIZES),
      TEST(another_seed_is_another_order), LOOP(lookups_stay_short, 0, SIZES),
      TEST(misuse_is_caught))
