/* SPDX-License-Identifier: MIT */
#include "stt/recovery/rtt.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

enum { SAMPLES = 400 };

static struct stt_rtt with_sample(stt_ns now, stt_ns sample)
{
    struct stt_rtt r = STT_RTT_INIT;
    stt_rtt_sample(&r, now, sample, 0);
    return r;
}

START_TEST(before_a_sample_a_guess_holds)
{
    struct stt_rtt r = STT_RTT_INIT;
    ck_assert_uint_eq(r.smoothed, STT_MS(333));
    ck_assert_uint_eq(r.variance, STT_MS(333) / 2);
    ck_assert(!r.has_sample);
    ck_assert_uint_eq(stt_rtt_pto(&r, STT_MS(25)), STT_MS(333 + 666 + 25));
}
END_TEST

START_TEST(the_first_sample_replaces_the_guess)
{
    struct stt_rtt r = with_sample(STT_S(1), STT_MS(80));
    ck_assert(r.has_sample);
    ck_assert_uint_eq(r.latest, STT_MS(80));
    ck_assert_uint_eq(r.smoothed, STT_MS(80));
    ck_assert_uint_eq(r.variance, STT_MS(40));
    ck_assert_uint_eq(r.min, STT_MS(80));
}
END_TEST

START_TEST(later_samples_are_smoothed)
{
    struct stt_rtt r = with_sample(STT_S(1), STT_MS(80));
    stt_rtt_sample(&r, STT_S(1), STT_MS(160), 0);
    ck_assert_uint_eq(r.latest, STT_MS(160));
    ck_assert_uint_eq(r.variance, STT_MS(30 + 20)); /* 3/4 of 40 and 1/4 of |80 - 160| */
    ck_assert_uint_eq(r.smoothed, STT_MS(70 + 20)); /* 7/8 of 80 and 1/8 of 160 */
}
END_TEST

START_TEST(the_delay_of_the_peer_is_taken_off)
{
    struct stt_rtt r = with_sample(STT_S(1), STT_MS(80));
    stt_rtt_sample(&r, STT_S(1), STT_MS(100), STT_MS(20));
    ck_assert_uint_eq(r.latest, STT_MS(100));
    ck_assert_uint_eq(r.smoothed, STT_MS(80));
}
END_TEST

START_TEST(a_delay_that_would_go_below_the_least_is_not_believed)
{
    struct stt_rtt r = with_sample(STT_S(1), STT_MS(80));
    stt_rtt_sample(&r, STT_S(1), STT_MS(160), STT_MS(80) + 1);
    ck_assert_uint_eq(r.smoothed, STT_MS(90));
}
END_TEST

START_TEST(an_absurd_delay_changes_nothing_case_23)
{
    struct stt_rtt r = with_sample(STT_S(1), STT_MS(80));
    stt_rtt_sample(&r, STT_S(1), STT_MS(80), UINT64_MAX - STT_MS(40));
    ck_assert_uint_eq(r.smoothed, STT_MS(80));
}
END_TEST

START_TEST(the_delay_of_the_first_sample_is_not_believed)
{
    struct stt_rtt r = STT_RTT_INIT;
    stt_rtt_sample(&r, STT_S(1), STT_MS(80), STT_MS(30));
    ck_assert_uint_eq(r.smoothed, STT_MS(80));
}
END_TEST

START_TEST(the_least_falls_at_once_and_rises_within_10_s)
{
    struct stt_rtt r = with_sample(STT_S(1), STT_MS(80));
    stt_rtt_sample(&r, STT_S(1), STT_MS(20), 0);
    ck_assert_uint_eq(r.min, STT_MS(20));
    stt_rtt_sample(&r, STT_S(5), STT_MS(50), 0);
    ck_assert_uint_eq(r.min, STT_MS(20));
    stt_rtt_sample(&r, STT_S(11), STT_MS(50), 0);
    ck_assert_uint_eq(r.min, STT_MS(50));
}
END_TEST

/* The least of the last 10 s is at or above it, and it is at or above the least of the last 5 s. */
START_TEST(the_least_is_between_5_and_10_s_old)
{
    struct rng rng = rng_init((uint64_t)_i);
    struct stt_rtt r = STT_RTT_INIT;
    stt_ns at[SAMPLES], sample[SAMPLES], now = STT_S(1000);
    for (int n = 0; n < SAMPLES; n++) {
        now += rng_below(&rng, rng_chance(&rng, 5) ? STT_S(20) : STT_MS(500));
        at[n] = now;
        sample[n] = rng_between(&rng, STT_US(1), STT_S(1));
        stt_rtt_sample(&r, now, sample[n], 0);
        stt_ns of_5 = STT_NEVER, of_10 = STT_NEVER;
        for (int i = 0; i <= n; i++) {
            of_5 = at[i] + STT_S(5) > now ? stt_rtt_least(of_5, sample[i]) : of_5;
            of_10 = at[i] + STT_S(10) > now ? stt_rtt_least(of_10, sample[i]) : of_10;
        }
        ck_assert(of_10 <= r.min && r.min <= of_5);
    }
}
END_TEST

START_TEST(a_round_trip_of_nothing_is_legal_case_40)
{
    struct stt_rtt r = with_sample(STT_S(1), 0);
    for (int i = 0; i < 100; i++)
        stt_rtt_sample(&r, STT_S(1), 0, 0);
    ck_assert_uint_eq(r.latest, STT_US(1));
    ck_assert_uint_eq(r.smoothed, STT_US(1));
    ck_assert_uint_eq(stt_rtt_pto(&r, 0), STT_US(1) + STT_MS(1)); /* the granularity */
}
END_TEST

START_TEST(a_round_trip_of_30_s_is_legal_case_40)
{
    struct stt_rtt r = with_sample(STT_S(1), STT_S(30));
    for (int i = 0; i < 100; i++)
        stt_rtt_sample(&r, STT_S(100), STT_S(30), 0);
    ck_assert_uint_eq(r.smoothed, STT_S(30));
    ck_assert_uint_lt(r.variance, STT_US(1));
    ck_assert_uint_eq(stt_rtt_pto(&r, STT_MS(25)), STT_S(30) + STT_MS(1) + STT_MS(25));
}
END_TEST

START_TEST(nothing_overflows_case_40)
{
    struct stt_rtt r = with_sample(STT_S(1), UINT64_MAX);
    for (int i = 0; i < 100; i++)
        stt_rtt_sample(&r, STT_S(1), i % 2 ? UINT64_MAX : 0, UINT64_MAX);
    ck_assert_uint_le(r.smoothed, STT_RTT_MAX_NS);
    ck_assert_uint_le(stt_rtt_pto(&r, STT_S(1)), 6 * STT_RTT_MAX_NS);
}
END_TEST

START_TEST(backing_off_doubles_up_to_3_s)
{
    ck_assert_uint_eq(stt_rtt_backed_off(STT_MS(100), 0), STT_MS(100));
    ck_assert_uint_eq(stt_rtt_backed_off(STT_MS(100), 1), STT_MS(200));
    ck_assert_uint_eq(stt_rtt_backed_off(STT_MS(10), 6), STT_MS(640));
    ck_assert_uint_eq(stt_rtt_backed_off(STT_MS(10), 1000), STT_MS(640));
    ck_assert_uint_eq(stt_rtt_backed_off(STT_MS(100), 6), STT_S(3));
    ck_assert_uint_eq(stt_rtt_backed_off(STT_S(4), 2), STT_S(4)); /* never before an answer */
}
END_TEST

SUITE("rtt", TEST(before_a_sample_a_guess_holds), TEST(the_first_sample_replaces_the_guess),
      TEST(later_samples_are_smoothed), TEST(the_delay_of_the_peer_is_taken_off),
      TEST(a_delay_that_would_go_below_the_least_is_not_believed),
      TEST(an_absurd_delay_changes_nothing_case_23),
      TEST(the_delay_of_the_first_sample_is_not_believed),
      TEST(the_least_falls_at_once_and_rises_within_10_s),
      LOOP(the_least_is_between_5_and_10_s_old, 0, 50),
      TEST(a_round_trip_of_nothing_is_legal_case_40), TEST(a_round_trip_of_30_s_is_legal_case_40),
      TEST(nothing_overflows_case_40), TEST(backing_off_doubles_up_to_3_s))
