/* SPDX-License-Identifier: MIT */
#include "stt/session/seen.h"

#include "stt/base/bytes.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

struct fixture {
    struct test_env te;
    struct stt_seen s;
};

static void setup(struct fixture *f)
{
    test_env_init(&f->te, 1);
    stt_seen_init(&f->s, &f->te.env, 1);
}

static void teardown(struct fixture *f)
{
    stt_seen_fini(&f->s);
    test_env_check_no_leak(&f->te);
}

struct ephemeral {
    uint8_t bytes[32];
};

static struct ephemeral key(uint32_t n)
{
    struct ephemeral e = {{0}};
    be32_store(e.bytes + STT_SEEN_BYTES - 4, n);
    return e;
}

static int add(struct fixture *f, uint32_t n)
{
    return stt_seen_add(&f->s, key(n).bytes);
}

static bool has(const struct fixture *f, uint32_t n)
{
    return stt_seen_has(&f->s, key(n).bytes);
}

static void fill(struct fixture *f)
{
    for (uint32_t n = 0; n < STT_SEEN_MAX; n++)
        ck_assert_int_eq(add(f, n), STT_OK);
}

START_TEST(a_key_is_new_until_it_is_added)
{
    struct fixture f;
    setup(&f);
    ck_assert(!has(&f, 1));
    ck_assert_int_eq(add(&f, 1), STT_OK);
    ck_assert(has(&f, 1) && !has(&f, 2));
    teardown(&f);
}
END_TEST

START_TEST(the_first_sixteen_bytes_count)
{
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(add(&f, 1), STT_OK);
    struct ephemeral tail = key(1), head = key(1);
    tail.bytes[STT_SEEN_BYTES] ^= 1;
    head.bytes[STT_SEEN_BYTES - 1] ^= 1;
    ck_assert(stt_seen_has(&f.s, tail.bytes));
    ck_assert(!stt_seen_has(&f.s, head.bytes));
    teardown(&f);
}
END_TEST

START_TEST(the_oldest_is_forgotten_for_the_newest)
{
    struct fixture f;
    setup(&f);
    fill(&f);
    for (uint32_t n = 0; n < 2 * STT_SEEN_MAX; n++) { /* around the ring, and again */
        ck_assert(has(&f, n) && !has(&f, n + STT_SEEN_MAX));
        ck_assert_int_eq(add(&f, n + STT_SEEN_MAX), STT_OK);
        ck_assert(!has(&f, n) && has(&f, n + 1) && has(&f, n + STT_SEEN_MAX));
    }
    ck_assert_uint_eq(f.s.map.n, STT_SEEN_MAX);
    teardown(&f);
}
END_TEST

START_TEST(a_key_that_comes_again_does_not_push_others_out)
{
    struct fixture f;
    setup(&f);
    fill(&f);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(add(&f, STT_SEEN_MAX / 2), STT_OK);
    ck_assert(has(&f, 0));
    teardown(&f);
}
END_TEST

START_TEST(who_only_connects_takes_no_memory)
{
    struct fixture f;
    setup(&f);
    ck_assert(!has(&f, 1));
    ck_assert_uint_eq(f.te.allocs, 0);
    teardown(&f);
}
END_TEST

START_TEST(a_full_one_takes_no_more_memory)
{
    struct fixture f;
    setup(&f);
    fill(&f);
    uint64_t allocs = f.te.allocs;
    ck_assert_uint_le(f.te.bytes_in_use, 530 * 1024);
    for (uint32_t n = 0; n < 2 * STT_SEEN_MAX; n++)
        ck_assert_int_eq(add(&f, n + STT_SEEN_MAX), STT_OK);
    ck_assert_uint_eq(f.te.allocs, allocs);
    teardown(&f);
}
END_TEST

START_TEST(without_memory_nothing_is_remembered_and_nothing_forgotten_case_37)
{
    struct fixture f;
    setup(&f);
    for (uint32_t n = 0; n < STT_SEEN_MAX; n++) {
        f.te.fail_at = f.te.allocs + 1; /* the next one, if there is one */
        if (add(&f, n) == STT_OK)
            continue;
        ck_assert(!has(&f, n) && (n == 0 || has(&f, 0)));
        f.te.fail_at = f.te.allocs + 2; /* where two are wanted, the other one */
        if (add(&f, n) != STT_OK)
            ck_assert_int_eq(add(&f, n), STT_OK);
        ck_assert(has(&f, n));
    }
    ck_assert_uint_ge(f.te.failed, 10);
    ck_assert_uint_eq(f.s.n, STT_SEEN_MAX);
    teardown(&f);
}
END_TEST

SUITE("seen", TEST(a_key_is_new_until_it_is_added), TEST(the_first_sixteen_bytes_count),
      TEST(the_oldest_is_forgotten_for_the_newest),
      TEST(a_key_that_comes_again_does_not_push_others_out),
      TEST(who_only_connects_takes_no_memory), TEST(a_full_one_takes_no_more_memory),
      TEST(without_memory_nothing_is_remembered_and_nothing_forgotten_case_37))
