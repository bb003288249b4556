/* SPDX-License-Identifier: MIT */
#include "stt/session/counts.h"

#include "stt/wire/limits.h"
#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

#include <string.h>

enum { KEYS_MAX = 8 };

struct fixture {
    struct test_env te;
    struct stt_counts c;
};

static void setup(struct fixture *f)
{
    test_env_init(&f->te, 1);
    stt_counts_init(&f->c, &f->te.env, 1, KEYS_MAX);
}

static void teardown(struct fixture *f)
{
    stt_counts_fini(&f->c);
    test_env_check_no_leak(&f->te);
}

static const uint8_t v4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
static const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3};

/* The prefixes of an address that differs from `ip` in this byte. */
static struct stt_prefixes prefixes_with(const uint8_t ip[16], int byte, uint8_t value)
{
    uint8_t changed[16];
    struct stt_prefixes p;
    memcpy(changed, ip, sizeof changed);
    changed[byte] = value;
    stt_prefixes_of(&p, changed, STT_HALF_OPEN_PER_64);
    return p;
}

static struct stt_prefixes prefixes(const uint8_t ip[16])
{
    return prefixes_with(ip, 0, ip[0]);
}

static bool same(const struct stt_count_key *a, const struct stt_count_key *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static struct stt_count_key some_key(uint8_t n)
{
    return (struct stt_count_key){{n}};
}

START_TEST(an_ipv4_address_counts_for_itself)
{
    struct stt_prefixes a = prefixes(v4), b = prefixes_with(v4, 15, 2);
    ck_assert_uint_eq(a.n, 1);
    ck_assert_uint_eq(a.cap[0], STT_HALF_OPEN_PER_32);
    ck_assert(!same(&a.key[0], &b.key[0]));
}
END_TEST

START_TEST(an_ipv6_address_counts_for_its_64_and_its_48)
{
    struct stt_prefixes a = prefixes(v6), host = prefixes_with(v6, 15, 9);
    struct stt_prefixes net = prefixes_with(v6, 7, 9), site = prefixes_with(v6, 5, 9);
    ck_assert_uint_eq(a.n, 2);
    ck_assert_uint_eq(a.cap[0], STT_HALF_OPEN_PER_64);
    ck_assert_uint_eq(a.cap[1], STT_HALF_OPEN_PER_48);
    ck_assert(same(&a.key[0], &host.key[0]) && same(&a.key[1], &host.key[1]));
    ck_assert(!same(&a.key[0], &net.key[0]) && same(&a.key[1], &net.key[1]));
    ck_assert(!same(&a.key[0], &site.key[0]) && !same(&a.key[1], &site.key[1]));
}
END_TEST

START_TEST(prefixes_of_different_lengths_share_no_key)
{
    static const uint8_t zeros[16], v4_zeros[16] = {[10] = 0xff, [11] = 0xff};
    struct stt_prefixes a = prefixes(zeros), b = prefixes(v4_zeros);
    ck_assert(!same(&a.key[0], &a.key[1]));
    ck_assert(!same(&a.key[0], &b.key[0]) && !same(&a.key[1], &b.key[0]));
}
END_TEST

START_TEST(the_cap_of_a_site_does_not_overflow)
{
    struct stt_prefixes p;
    stt_prefixes_of(&p, v6, UINT32_MAX / 2);
    ck_assert_uint_eq(p.cap[1], UINT32_MAX);
}
END_TEST

START_TEST(a_peer_is_counted_in_each_prefix_by_itself_case_11)
{
    static const uint8_t key[32] = {1}, other[32] = {2};
    struct stt_prefixes here = prefixes(v4), there = prefixes_with(v4, 15, 2);
    struct stt_count_key a = stt_count_key_of_peer(key, &here.key[0]);
    struct stt_count_key b = stt_count_key_of_peer(key, &there.key[0]);
    struct stt_count_key c = stt_count_key_of_peer(other, &here.key[0]);
    struct stt_count_key again = stt_count_key_of_peer(key, &here.key[0]);
    ck_assert(same(&a, &again));
    ck_assert(!same(&a, &b) && !same(&a, &c) && !same(&b, &c));
}
END_TEST

START_TEST(a_peer_shares_no_key_with_its_prefix)
{
    static const uint8_t zeros[32];
    struct stt_prefixes p = prefixes(v6);
    struct stt_count_key peer = stt_count_key_of_peer(zeros, &p.key[0]);
    ck_assert(!same(&peer, &p.key[0]));
}
END_TEST

START_TEST(counting_ends_at_the_cap_and_starves_nobody_else_case_11)
{
    struct fixture f;
    setup(&f);
    struct stt_count_key a = some_key(1), b = some_key(2);
    for (uint32_t n = 0; n < 4; n++) {
        ck_assert_uint_eq(stt_counts_of(&f.c, &a), n);
        ck_assert_int_eq(stt_counts_add(&f.c, &a, 4), STT_OK);
    }
    ck_assert_int_eq(stt_counts_add(&f.c, &a, 4), STT_E_LIMIT);
    ck_assert_uint_eq(stt_counts_of(&f.c, &a), 4);
    ck_assert_int_eq(stt_counts_add(&f.c, &b, 4), STT_OK);
    teardown(&f);
}
END_TEST

START_TEST(a_cap_of_nothing_admits_nothing)
{
    struct fixture f;
    setup(&f);
    struct stt_count_key a = some_key(1);
    ck_assert_int_eq(stt_counts_add(&f.c, &a, 0), STT_E_LIMIT);
    teardown(&f);
}
END_TEST

START_TEST(what_is_dropped_may_be_added_again)
{
    struct fixture f;
    setup(&f);
    struct stt_count_key a = some_key(1);
    ck_assert_int_eq(stt_counts_add(&f.c, &a, 2), STT_OK);
    ck_assert_int_eq(stt_counts_add(&f.c, &a, 2), STT_OK);
    stt_counts_drop(&f.c, &a);
    ck_assert_uint_eq(stt_counts_of(&f.c, &a), 1);
    ck_assert_int_eq(stt_counts_add(&f.c, &a, 2), STT_OK);
    teardown(&f);
}
END_TEST

START_TEST(what_was_all_dropped_takes_no_place)
{
    struct fixture f;
    setup(&f);
    for (unsigned n = 0; n < 10 * KEYS_MAX; n++) {
        struct stt_count_key key = some_key((uint8_t)n);
        ck_assert_int_eq(stt_counts_add(&f.c, &key, 1), STT_OK);
        stt_counts_drop(&f.c, &key);
        ck_assert_uint_eq(stt_counts_of(&f.c, &key), 0);
    }
    ck_assert_uint_eq(f.c.map.n, 0);
    teardown(&f);
}
END_TEST

START_TEST(no_more_keys_are_counted_than_there_may_be)
{
    struct fixture f;
    setup(&f);
    for (uint8_t n = 0; n < KEYS_MAX; n++) {
        struct stt_count_key key = some_key(n);
        ck_assert_int_eq(stt_counts_add(&f.c, &key, 9), STT_OK);
    }
    struct stt_count_key first = some_key(0), more = some_key(KEYS_MAX);
    ck_assert_int_eq(stt_counts_add(&f.c, &more, 9), STT_E_LIMIT);
    ck_assert_int_eq(stt_counts_add(&f.c, &first, 9), STT_OK);
    teardown(&f);
}
END_TEST

START_TEST(without_memory_nothing_is_counted_case_37)
{
    struct fixture f;
    setup(&f);
    struct stt_count_key a = some_key(1);
    f.te.fail_from = 1;
    ck_assert_int_eq(stt_counts_add(&f.c, &a, 4), STT_E_MEMORY);
    ck_assert_uint_eq(stt_counts_of(&f.c, &a), 0);
    teardown(&f);
}
END_TEST

static void drop_one(void *fixture)
{
    struct stt_count_key key = some_key(1);
    stt_counts_drop(&((struct fixture *)fixture)->c, &key);
}

START_TEST(dropping_what_was_never_added_is_a_bug)
{
    struct fixture f;
    setup(&f);
    ck_assert(dies(drop_one, &f));
    teardown(&f);
}
END_TEST

SUITE("counts", TEST(an_ipv4_address_counts_for_itself),
      TEST(an_ipv6_address_counts_for_its_64_and_its_48),
      TEST(prefixes_of_different_lengths_share_no_key), TEST(the_cap_of_a_site_does_not_overflow),
      TEST(a_peer_is_counted_in_each_prefix_by_itself_case_11),
      TEST(a_peer_shares_no_key_with_its_prefix),
      TEST(counting_ends_at_the_cap_and_starves_nobody_else_case_11),
      TEST(a_cap_of_nothing_admits_nothing), TEST(what_is_dropped_may_be_added_again),
      TEST(what_was_all_dropped_takes_no_place), TEST(no_more_keys_are_counted_than_there_may_be),
      TEST(without_memory_nothing_is_counted_case_37), TEST(dropping_what_was_never_added_is_a_bug))
