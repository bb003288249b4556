/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_numbers compares long histories with a model; here are the single cases. */
#include "stt/stream/numbers.h"

#include "tests/support/env.h"
#include "tests/support/suite.h"

static struct test_env te;

static struct stt_numbers numbers_of(uint64_t span)
{
    struct stt_numbers n = {.base = 0};
    test_env_init(&te, 1);
    ck_assert_int_eq(stt_numbers_reserve(&n, &te.env, span), STT_OK);
    return n;
}

static void done(struct stt_numbers *n)
{
    stt_numbers_free(n, &te.env);
    test_env_check_no_leak(&te);
}

START_TEST(at_first_none_was_used_and_no_memory_is_held)
{
    struct stt_numbers n = {.base = 0};
    ck_assert(!stt_numbers_was_used(&n, 0));
    ck_assert(!stt_numbers_was_used(&n, UINT64_MAX));
    test_env_init(&te, 1);
    ck_assert_int_eq(stt_numbers_reserve(&n, &te.env, 0), STT_OK);
    ck_assert_uint_eq(te.allocs, 0);
    done(&n);
}
END_TEST

START_TEST(a_number_used_in_order_moves_the_base)
{
    struct stt_numbers n = numbers_of(64);
    for (uint64_t i = 0; i < 1000; i++) {
        ck_assert(!stt_numbers_was_used(&n, i));
        stt_numbers_use(&n, i);
        ck_assert(stt_numbers_was_used(&n, i));
        ck_assert_uint_eq(n.base, i + 1);
    }
    ck_assert_uint_eq(te.allocs, 1);
    done(&n);
}
END_TEST

START_TEST(a_number_that_is_left_out_holds_the_base_until_it_is_used)
{
    struct stt_numbers n = numbers_of(256);
    for (uint64_t i = 1; i < 256; i++)
        stt_numbers_use(&n, i);
    ck_assert_uint_eq(n.base, 0);
    ck_assert(!stt_numbers_was_used(&n, 0));
    ck_assert(stt_numbers_was_used(&n, 255));
    stt_numbers_use(&n, 0);
    ck_assert_uint_eq(n.base, 256);
    for (uint64_t i = 256; i < 512; i++)
        ck_assert(!stt_numbers_was_used(&n, i));
    done(&n);
}
END_TEST

START_TEST(using_a_number_again_changes_nothing)
{
    struct stt_numbers n = numbers_of(64);
    stt_numbers_use(&n, 0);
    stt_numbers_use(&n, 0);
    stt_numbers_use(&n, 5);
    stt_numbers_use(&n, 5);
    ck_assert_uint_eq(n.base, 1);
    ck_assert(stt_numbers_was_used(&n, 5));
    ck_assert(!stt_numbers_was_used(&n, 4));
    done(&n);
}
END_TEST

START_TEST(growing_keeps_what_was_used_wherever_the_ring_has_turned_to)
{
    struct stt_numbers n = numbers_of(64);
    uint64_t base = (uint64_t)_i;
    for (uint64_t i = 0; i < base; i++)
        stt_numbers_use(&n, i);
    for (uint64_t i = base + 1; i < base + 64; i += 3)
        stt_numbers_use(&n, i);
    ck_assert_int_eq(stt_numbers_reserve(&n, &te.env, 1000), STT_OK);
    for (uint64_t i = base; i < base + 1000; i++)
        if (stt_numbers_was_used(&n, i) != (i < base + 64 && (i - base) % 3 == 1))
            ck_abort_msg("number %llu", (unsigned long long)i);
    stt_numbers_use(&n, base + 999);
    ck_assert(stt_numbers_was_used(&n, base + 999));
    done(&n);
}
END_TEST

START_TEST(without_memory_nothing_changes)
{
    struct stt_numbers n = numbers_of(64);
    stt_numbers_use(&n, 7);
    te.fail_at = 2;
    ck_assert_int_eq(stt_numbers_reserve(&n, &te.env, 65), STT_E_MEMORY);
    ck_assert_int_eq(stt_numbers_reserve(&n, &te.env, UINT64_MAX), STT_E_MEMORY);
    ck_assert(stt_numbers_was_used(&n, 7));
    ck_assert_uint_eq(n.size, 64);
    ck_assert_int_eq(stt_numbers_reserve(&n, &te.env, 65), STT_OK);
    ck_assert(stt_numbers_was_used(&n, 7));
    done(&n);
}
END_TEST

START_TEST(the_highest_numbers_are_numbers_as_others)
{
    struct stt_numbers n = {.base = (UINT64_C(1) << 60) - 100};
    test_env_init(&te, 1);
    ck_assert_int_eq(stt_numbers_reserve(&n, &te.env, 100), STT_OK);
    for (uint64_t i = 100; i-- > 0;)
        stt_numbers_use(&n, (UINT64_C(1) << 60) - 100 + i);
    ck_assert_uint_eq(n.base, UINT64_C(1) << 60);
    ck_assert(!stt_numbers_was_used(&n, UINT64_C(1) << 60));
    done(&n);
}
END_TEST

SUITE("numbers", TEST(at_first_none_was_used_and_no_memory_is_held),
      TEST(a_number_used_in_order_moves_the_base),
      TEST(a_number_that_is_left_out_holds_the_base_until_it_is_used),
      TEST(using_a_number_again_changes_nothing),
      LOOP(growing_keeps_what_was_used_wherever_the_ring_has_turned_to, 0, 130),
      TEST(without_memory_nothing_changes), TEST(the_highest_numbers_are_numbers_as_others))
