/* SPDX-License-Identifier: MIT */
#include "stt/stream/skips.h"

#include "tests/support/suite.h"

static struct stt_range range(uint64_t from, uint64_t to)
{
    return (struct stt_range){from, to};
}

START_TEST(what_is_given_up_is_said_once_and_forgotten_when_that_is_acknowledged)
{
    struct stt_skips s = {.n = 0};
    ck_assert_ptr_null(stt_skips_owed(&s));
    stt_skips_add(&s, range(10, 20));
    ck_assert_uint_eq(stt_skips_owed(&s)->range.to, 20);
    stt_skips_on_said(&s, 10);
    ck_assert_ptr_null(stt_skips_owed(&s));
    ck_assert_uint_eq(s.n, 1);
    stt_skips_on_acked(&s, 10);
    ck_assert_uint_eq(s.n, 0);
    stt_skips_on_acked(&s, 10); /* late, and again */
    stt_skips_on_lost(&s, 10);
    ck_assert_ptr_null(stt_skips_owed(&s));
}
END_TEST

START_TEST(a_lost_one_is_said_again)
{
    struct stt_skips s = {.n = 0};
    stt_skips_add(&s, range(10, 20));
    stt_skips_on_said(&s, 10);
    stt_skips_on_lost(&s, 10);
    ck_assert_uint_eq(stt_skips_owed(&s)->range.from, 10);
}
END_TEST

START_TEST(neighbours_share_one_until_it_is_said)
{
    struct stt_skips s = {.n = 0};
    for (uint64_t i = 0; i < 100; i++)
        stt_skips_add(&s, range(10 * i, 10 * i + 10));
    ck_assert_uint_eq(s.n, 1);
    ck_assert_uint_eq(stt_skips_owed(&s)->range.to, 1000);
    stt_skips_on_said(&s, 0);
    stt_skips_add(&s, range(1000, 1010));
    ck_assert_uint_eq(s.n, 2);
    stt_skips_on_lost(&s, 0); /* a packet names it: it does not grow any more */
    stt_skips_on_said(&s, 1000);
    stt_skips_add(&s, range(1010, 1020));
    ck_assert_uint_eq(s.n, 3);
    ck_assert_uint_eq(stt_skips_owed(&s)->range.to, 1000);
}
END_TEST

START_TEST(acknowledging_one_leaves_the_others)
{
    struct stt_skips s = {.n = 0};
    for (uint64_t i = 0; i < STT_SKIPS_MAX; i++)
        stt_skips_add(&s, range(20 * i, 20 * i + 10));
    ck_assert_uint_eq(stt_skips_room(&s), 0);
    stt_skips_on_acked(&s, 40);
    ck_assert_uint_eq(stt_skips_room(&s), 1);
    for (uint64_t i = 0; i < STT_SKIPS_MAX; i++) {
        const struct stt_skip *skip = stt_skips_owed(&s);
        if (i == 2)
            continue;
        ck_assert_uint_eq(skip->range.from, 20 * i);
        stt_skips_on_said(&s, 20 * i);
    }
    ck_assert_ptr_null(stt_skips_owed(&s));
}
END_TEST

SUITE("skips", TEST(what_is_given_up_is_said_once_and_forgotten_when_that_is_acknowledged),
      TEST(a_lost_one_is_said_again), TEST(neighbours_share_one_until_it_is_said),
      TEST(acknowledging_one_leaves_the_others))
