/* SPDX-License-Identifier: MIT
 * The hooks as the core calls them, and the test environment that everybody's tests stand on. */
#include "stt/base/env.h"

#include "stt/base/bytes.h"
#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

START_TEST(memory_comes_zeroed)
{
    struct test_env te;
    test_env_init(&te, 1);
    uint8_t *p = stt_env_alloc(&te.env, 100), *q = stt_env_secret_alloc(&te.env, 32);
    ck_assert(bytes_all_zero(bytes_of(p, 100)));
    ck_assert(bytes_all_zero(bytes_of(q, 32)));
    stt_env_release(&te.env, p, 100);
    stt_env_secret_release(&te.env, q, 32);
    test_env_check_no_leak(&te);
}
END_TEST

START_TEST(secrets_are_wiped_before_they_are_given_back)
{
    struct test_env te;
    test_env_init(&te, 1);
    uint8_t *p = stt_env_secret_alloc(&te.env, 32);
    memset(p, 0x77, 32);
    stt_env_secret_release(&te.env, p, 32); /* the test environment would stop the program */
    test_env_check_no_leak(&te);
}
END_TEST

START_TEST(releasing_nothing_does_nothing)
{
    struct test_env te;
    test_env_init(&te, 1);
    stt_env_release(&te.env, NULL, 0);
    stt_env_secret_release(&te.env, NULL, 10);
    test_env_check_no_leak(&te);
}
END_TEST

START_TEST(no_memory_is_null)
{
    struct test_env te;
    test_env_init(&te, 1);
    te.fail_from = 1;
    ck_assert_ptr_null(stt_env_alloc(&te.env, 1));
    ck_assert_ptr_null(stt_env_secret_alloc(&te.env, 1));
    ck_assert_uint_eq(te.failed, 2);
}
END_TEST

START_TEST(wiping_leaves_zeros)
{
    uint8_t secret[33];
    memset(secret, 0xee, sizeof secret);
    stt_env_wipe(secret, 32);
    ck_assert(bytes_all_zero(bytes_of(secret, 32)));
    ck_assert_uint_eq(secret[32], 0xee);
}
END_TEST

/* _i bytes: below, at and above the 16 that are compared. */
START_TEST(entropy_fills_every_length)
{
    struct test_env te;
    test_env_init(&te, 1);
    uint8_t last[16] = {0}, out[64], again[64];
    size_t len = (size_t)_i;
    memset(out, 0x5a, sizeof out);
    ck_assert(stt_env_entropy(&te.env, last, out, len));
    for (size_t i = len; i < sizeof out; i++)
        ck_assert_uint_eq(out[i], 0x5a);
    ck_assert(stt_env_entropy(&te.env, last, again, len));
    if (len >= 8)
        ck_assert_mem_ne(out, again, len);
}
END_TEST

START_TEST(entropy_that_fails_is_told)
{
    struct test_env te;
    test_env_init(&te, 1);
    te.entropy_fails = true;
    uint8_t last[16] = {0}, out[32];
    ck_assert(!stt_env_entropy(&te.env, last, out, 8));
    ck_assert(!stt_env_entropy(&te.env, last, out, 32));
}
END_TEST

START_TEST(entropy_that_repeats_itself_is_refused)
{
    const size_t lengths[] = {4, 16, 32};
    struct test_env te;
    test_env_init(&te, 1);
    te.entropy_repeats = true;
    uint8_t last[16] = {0}, out[32];
    ck_assert(stt_env_entropy(&te.env, last, out, lengths[_i]));
    memset(out, 0x5a, sizeof out);
    ck_assert(!stt_env_entropy(&te.env, last, out, lengths[_i]));
    te.entropy_repeats = false; /* the next one is still what came before; then it goes on */
    ck_assert(!stt_env_entropy(&te.env, last, out, lengths[_i]));
    ck_assert(stt_env_entropy(&te.env, last, out, lengths[_i]));
}
END_TEST

static bool zeros(void *ctx, uint8_t *out, size_t len)
{
    (void)ctx;
    memset(out, 0, len);
    return true;
}

START_TEST(a_source_of_zeros_is_refused_at_once)
{
    struct stt_env env = {.entropy = zeros};
    uint8_t last[16] = {0}, out[32];
    ck_assert(!stt_env_entropy(&env, last, out, sizeof out));
}
END_TEST

START_TEST(the_same_seed_gives_the_same_entropy)
{
    struct test_env a, b, c;
    test_env_init(&a, 7);
    test_env_init(&b, 7);
    test_env_init(&c, 8);
    uint8_t last[16] = {0}, x[40], y[40], z[40];
    ck_assert(stt_env_entropy(&a.env, last, x, sizeof x));
    memset(last, 0, sizeof last);
    ck_assert(stt_env_entropy(&b.env, last, y, sizeof y));
    ck_assert(stt_env_entropy(&c.env, last, z, sizeof z));
    ck_assert_mem_eq(x, y, sizeof x);
    ck_assert_mem_ne(x, z, sizeof x);
}
END_TEST

START_TEST(test_memory_is_counted)
{
    struct test_env te;
    test_env_init(&te, 1);
    void *a = stt_env_alloc(&te.env, 10), *b = stt_env_secret_alloc(&te.env, 20);
    ck_assert_uint_eq(te.allocs, 2);
    ck_assert_uint_eq(te.live, 2);
    ck_assert_uint_eq(te.bytes_in_use, 30);
    stt_env_release(&te.env, a, 10);
    ck_assert_uint_eq(te.bytes_in_use, 20);
    stt_env_secret_release(&te.env, b, 20);
    ck_assert_uint_eq(te.bytes_peak, 30);
    test_env_check_no_leak(&te);
}
END_TEST

START_TEST(the_nth_allocation_fails_and_only_that)
{
    struct test_env te;
    test_env_init(&te, 1);
    te.fail_at = 2;
    void *a = stt_env_alloc(&te.env, 1), *b = stt_env_alloc(&te.env, 1),
         *c = stt_env_alloc(&te.env, 1);
    ck_assert(a && !b && c);
    ck_assert_uint_eq(te.failed, 1);
    stt_env_release(&te.env, a, 1);
    stt_env_release(&te.env, c, 1);
}
END_TEST

START_TEST(a_limit_in_bytes_makes_allocations_fail)
{
    struct test_env te;
    test_env_init(&te, 1);
    te.limit_bytes = 100;
    void *a = stt_env_alloc(&te.env, 60);
    ck_assert_ptr_null(stt_env_alloc(&te.env, 41));
    void *b = stt_env_alloc(&te.env, 40);
    ck_assert(a && b);
    stt_env_release(&te.env, a, 60);
    stt_env_release(&te.env, b, 40);
}
END_TEST

static void leak(void *arg)
{
    struct test_env *te = arg;
    if (stt_env_alloc(&te->env, 1))
        test_env_check_no_leak(te);
}

static void release_with_a_wrong_size(void *arg)
{
    struct test_env *te = arg;
    stt_env_release(&te->env, stt_env_alloc(&te->env, 8), 9);
}

static void release_a_secret_as_ordinary_memory(void *arg)
{
    struct test_env *te = arg;
    stt_env_release(&te->env, stt_env_secret_alloc(&te->env, 8), 8);
}

static void release_a_secret_that_is_not_wiped(void *arg)
{
    struct test_env *te = arg;
    uint8_t *p = stt_env_secret_alloc(&te->env, 8);
    p[7] = 1;
    te->env.secret_release(te, p, 8);
}

START_TEST(the_test_environment_stops_misuse)
{
    struct test_env te;
    test_env_init(&te, 1);
    ck_assert(dies(leak, &te));
    ck_assert(dies(release_with_a_wrong_size, &te));
    ck_assert(dies(release_a_secret_as_ordinary_memory, &te));
    ck_assert(dies(release_a_secret_that_is_not_wiped, &te));
}
END_TEST

SUITE("env", TEST(memory_comes_zeroed), TEST(secrets_are_wiped_before_they_are_given_back),
      TEST(releasing_nothing_does_nothing), TEST(no_memory_is_null), TEST(wiping_leaves_zeros),
      LOOP(entropy_fills_every_length, 1, 40), TEST(entropy_that_fails_is_told),
      LOOP(entropy_that_repeats_itself_is_refused, 0, 3),
      TEST(a_source_of_zeros_is_refused_at_once), TEST(the_same_seed_gives_the_same_entropy),
      TEST(test_memory_is_counted), TEST(the_nth_allocation_fails_and_only_that),
      TEST(a_limit_in_bytes_makes_allocations_fail), TEST(the_test_environment_stops_misuse))
