/* SPDX-License-Identifier: MIT */
#include "stt/stream/allowance.h"

#include "stt/wire/limits.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

enum { OPEN_MAX = 256, PER_S = STT_STREAMS_PER_S_DEFAULT };

static struct stt_allowance a;

static void end(uint64_t n, bool was_reset)
{
    while (n--)
        stt_allowance_on_ended(&a, was_reset);
}

START_TEST(the_limit_rises_with_each_that_has_ended)
{
    stt_allowance_init(&a, OPEN_MAX);
    ck_assert_uint_eq(a.told, OPEN_MAX);
    ck_assert_uint_eq(stt_allowance_limit(&a, 0), OPEN_MAX);
    end(1, false);
    ck_assert_uint_eq(stt_allowance_limit(&a, 1), OPEN_MAX + 1);
    ck_assert_uint_eq(stt_allowance_tell(&a, 1), OPEN_MAX + 1);
    ck_assert_uint_eq(a.told, OPEN_MAX + 1);
}
END_TEST

START_TEST(the_peer_is_told_when_a_quarter_is_free)
{
    stt_allowance_init(&a, OPEN_MAX);
    ck_assert(!stt_allowance_is_due(&a, 0));
    end(OPEN_MAX / 4 - 1, false);
    ck_assert(!stt_allowance_is_due(&a, OPEN_MAX));
    end(1, false);
    ck_assert(stt_allowance_is_due(&a, OPEN_MAX));
    stt_allowance_tell(&a, OPEN_MAX);
    ck_assert(!stt_allowance_is_due(&a, OPEN_MAX));
    stt_allowance_init(&a, 1);
    ck_assert(!stt_allowance_is_due(&a, 0));
    end(1, false);
    ck_assert(stt_allowance_is_due(&a, 1));
}
END_TEST

START_TEST(who_asks_is_told_at_once_or_as_soon_as_there_is_anything_to_tell)
{
    stt_allowance_init(&a, OPEN_MAX);
    ck_assert(!stt_allowance_on_blocked(&a, OPEN_MAX, 0));
    ck_assert(!stt_allowance_is_due(&a, 0));
    end(1, false);
    ck_assert(stt_allowance_is_due(&a, OPEN_MAX));
    stt_allowance_tell(&a, OPEN_MAX);
    end(1, false);
    ck_assert(!stt_allowance_is_due(&a, OPEN_MAX));               /* that question is answered */
    ck_assert(!stt_allowance_on_blocked(&a, OPEN_MAX, OPEN_MAX)); /* as is one of before */
    ck_assert(!stt_allowance_is_due(&a, OPEN_MAX));
    ck_assert(stt_allowance_on_blocked(&a, OPEN_MAX + 1, OPEN_MAX));
    ck_assert_uint_eq(stt_allowance_tell(&a, OPEN_MAX), OPEN_MAX + 2);
}
END_TEST

/* The peer must not make us remember more by leaving a number out. */
START_TEST(the_limit_stays_near_a_number_that_was_left_out)
{
    stt_allowance_init(&a, OPEN_MAX);
    end(10 * OPEN_MAX, false);
    ck_assert_uint_eq(stt_allowance_limit(&a, 5), 5 + 2 * OPEN_MAX);
    ck_assert_uint_eq(stt_allowance_tell(&a, 5), 5 + 2 * OPEN_MAX);
    ck_assert(!stt_allowance_is_due(&a, 5));
    ck_assert(stt_allowance_is_due(&a, 5 + OPEN_MAX)); /* it came after all */
    ck_assert_uint_eq(stt_allowance_limit(&a, 11 * OPEN_MAX), 11 * OPEN_MAX);
    ck_assert_uint_eq(stt_allowance_tell(&a, 0), 5 + 2 * OPEN_MAX); /* and never falls */
}
END_TEST

START_TEST(what_is_reset_too_often_in_a_second_counts_in_the_next_case_29)
{
    stt_allowance_init(&a, OPEN_MAX);
    stt_allowance_on_time(&a, STT_S(5));
    end(PER_S, true);
    ck_assert_uint_eq(stt_allowance_deadline(&a), STT_NEVER);
    end(100, true);
    ck_assert_uint_eq(a.ended, PER_S);
    ck_assert_uint_eq(stt_allowance_deadline(&a), STT_S(6));
    end(7, false); /* ends that are none of these count all the same */
    ck_assert_uint_eq(a.ended, PER_S + 7);
    stt_allowance_on_time(&a, STT_S(6) - 1);
    ck_assert_uint_eq(a.ended, PER_S + 7);
    stt_allowance_on_time(&a, STT_S(6));
    ck_assert_uint_eq(a.ended, PER_S + 107);
    ck_assert_uint_eq(stt_allowance_deadline(&a), STT_NEVER);
    end(PER_S - 100, true); /* those of before are among this second's */
    ck_assert_uint_eq(stt_allowance_deadline(&a), STT_NEVER);
    end(1, true);
    ck_assert_uint_eq(stt_allowance_deadline(&a), STT_S(7));
    stt_allowance_on_time(&a, STT_S(60)); /* late does no harm, nor does twice */
    stt_allowance_on_time(&a, STT_S(60));
    ck_assert_uint_eq(a.ended, 2 * PER_S + 8);
    ck_assert_uint_eq(a.held, 0);
}
END_TEST

START_TEST(a_second_gives_no_more_back_than_may_count_in_one_case_29)
{
    stt_allowance_init(&a, 1000000);
    stt_allowance_on_time(&a, STT_S(1));
    end(3 * PER_S + 500, true);
    for (uint64_t s = 2; s <= 4; s++) {
        ck_assert_uint_eq(stt_allowance_deadline(&a), STT_S(s));
        stt_allowance_on_time(&a, STT_S(s));
        ck_assert_uint_eq(a.ended, s < 4 ? s * PER_S : 3 * PER_S + 500);
    }
    ck_assert_uint_eq(stt_allowance_deadline(&a), STT_NEVER);
}
END_TEST

/* Any mixture: at most so many in any of its seconds, and in the end nothing is missing. */
START_TEST(nothing_that_was_held_back_is_lost_case_29)
{
    struct rng rng = rng_init((uint64_t)_i + 1);
    uint64_t ended = 0, quiet = 0, seconds = 0;
    stt_ns now = STT_S(1);
    stt_allowance_init(&a, OPEN_MAX);
    for (int i = 0; i < 1000; i++) {
        uint64_t n = rng_below(&rng, 200), before = a.second_ends_at;
        bool was_reset = rng_chance(&rng, 80);
        now += rng_below(&rng, STT_MS(100));
        stt_allowance_on_time(&a, now);
        seconds += a.second_ends_at != before;
        end(n, was_reset);
        ended += n;
        quiet += was_reset ? 0 : n;
        ck_assert_uint_eq(a.ended + a.held, ended);
        ck_assert_uint_le(a.ended - quiet, seconds * PER_S);
    }
    while (stt_allowance_deadline(&a) != STT_NEVER)
        stt_allowance_on_time(&a, stt_allowance_deadline(&a));
    ck_assert_uint_eq(a.ended, ended);
}
END_TEST

SUITE("allowance", TEST(the_limit_rises_with_each_that_has_ended),
      TEST(the_peer_is_told_when_a_quarter_is_free),
      TEST(who_asks_is_told_at_once_or_as_soon_as_there_is_anything_to_tell),
      TEST(the_limit_stays_near_a_number_that_was_left_out),
      TEST(what_is_reset_too_often_in_a_second_counts_in_the_next_case_29),
      TEST(a_second_gives_no_more_back_than_may_count_in_one_case_29),
      LOOP(nothing_that_was_held_back_is_lost_case_29, 0, 10))
