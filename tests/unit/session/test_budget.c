/* SPDX-License-Identifier: MIT */
#include "stt/session/budget.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

enum { PER_MINUTE = 120 };

static const struct stt_budget_rule ten_a_second = {STT_MS(100), STT_S(1)};

START_TEST(a_zeroed_budget_is_whole)
{
    struct stt_budget b = {0};
    for (int i = 0; i < 10; i++)
        ck_assert(stt_budget_take(&b, &ten_a_second, 0, 1));
    ck_assert(!stt_budget_take(&b, &ten_a_second, 0, 1));
}
END_TEST

START_TEST(what_was_taken_grows_back_by_time)
{
    struct stt_budget b = {0};
    ck_assert(stt_budget_take(&b, &ten_a_second, STT_S(5), 10));
    ck_assert(!stt_budget_take(&b, &ten_a_second, STT_S(5) + STT_MS(100) - 1, 1));
    ck_assert(stt_budget_take(&b, &ten_a_second, STT_S(5) + STT_MS(100), 1));
    ck_assert(!stt_budget_has(&b, &ten_a_second, STT_S(5) + STT_MS(100), 1));
}
END_TEST

START_TEST(time_saves_up_no_more_than_the_burst)
{
    struct stt_budget b = {0};
    ck_assert(stt_budget_take(&b, &ten_a_second, 0, 1));
    ck_assert(!stt_budget_has(&b, &ten_a_second, STT_S(3600), 11));
    ck_assert(stt_budget_has(&b, &ten_a_second, STT_S(3600), 10));
}
END_TEST

START_TEST(a_refusal_takes_nothing)
{
    struct stt_budget b = {0};
    ck_assert(stt_budget_take(&b, &ten_a_second, 0, 8));
    ck_assert(!stt_budget_take(&b, &ten_a_second, 0, 3));
    ck_assert(stt_budget_take(&b, &ten_a_second, 0, 2));
}
END_TEST

START_TEST(a_charge_goes_below_nothing_and_is_paid_back_first)
{
    struct stt_budget b = {0};
    stt_budget_charge(&b, &ten_a_second, 0, 30);
    ck_assert(!stt_budget_has(&b, &ten_a_second, STT_S(2), 1));
    ck_assert(stt_budget_has(&b, &ten_a_second, STT_MS(2100), 1));
    ck_assert_uint_eq(stt_budget_debt(&b, STT_S(1)), STT_S(2));
}
END_TEST

START_TEST(an_absurd_number_of_units_is_refused)
{
    struct stt_budget b = {0};
    ck_assert(!stt_budget_has(&b, &ten_a_second, 0, UINT64_MAX));
    ck_assert(!stt_budget_has(&b, &ten_a_second, 0, UINT64_MAX / STT_MS(100) + 1));
}
END_TEST

START_TEST(a_rate_of_nothing_admits_nothing)
{
    struct stt_budget b = {0};
    struct stt_budget_rule rule = stt_budget_rate(0, 100);
    ck_assert(!stt_budget_take(&b, &rule, STT_S(1000), 1));
}
END_TEST

START_TEST(a_rate_gives_so_many_in_a_second_and_a_burst)
{
    struct stt_budget_rule rule = stt_budget_rate(20000, 5000);
    ck_assert_uint_eq(rule.unit_ns, STT_US(50));
    ck_assert_uint_eq(rule.burst_ns, STT_MS(250));
}
END_TEST

START_TEST(a_rate_faster_than_the_clock_is_one_unit_a_nanosecond)
{
    ck_assert_uint_eq(stt_budget_rate(UINT64_MAX, 7).unit_ns, 1);
    ck_assert_uint_eq(stt_budget_rate(UINT64_MAX, 7).burst_ns, 7);
}
END_TEST

/* At most so many in any minute, at random moments and as early as that allows. */
START_TEST(who_keeps_to_the_limit_in_every_minute_is_never_refused)
{
    struct rng rng = rng_init((uint64_t)_i);
    struct stt_budget_rule rule = stt_budget_rate(PER_MINUTE / 60, PER_MINUTE);
    struct stt_budget b = {0};
    stt_ns at[PER_MINUTE] = {0}, now = STT_S(60);
    for (unsigned n = 0; n < 20 * PER_MINUTE; n++) {
        if (rng_chance(&rng, 30))
            now += rng_below(&rng, STT_S(5));
        stt_ns *oldest = &at[n % PER_MINUTE];
        now = now < *oldest + STT_S(60) ? *oldest + STT_S(60) : now;
        *oldest = now;
        ck_assert(stt_budget_take(&b, &rule, now, 1));
    }
}
END_TEST

START_TEST(who_takes_all_he_can_gets_the_rate_and_one_burst)
{
    struct stt_budget_rule rule = stt_budget_rate(PER_MINUTE / 60, PER_MINUTE);
    struct stt_budget b = {0};
    unsigned taken = 0;
    for (stt_ns now = 0; now < STT_S(600); now += STT_MS(10))
        while (stt_budget_take(&b, &rule, now, 1))
            taken++;
    ck_assert_uint_eq(taken, PER_MINUTE + 10 * PER_MINUTE - 1); /* the last grows back at 600 s */
}
END_TEST

/* As a bucket that fills: what it holds, in the time that it took to grow. */
START_TEST(budgets_agree_with_a_bucket_that_fills)
{
    struct rng rng = rng_init((uint64_t)_i);
    struct stt_budget_rule rule = {rng_between(&rng, 1, 1000), rng_between(&rng, 1, 20000)};
    struct stt_budget b = {0};
    stt_ns now = 0;
    int64_t held = (int64_t)rule.burst_ns;
    for (int i = 0; i < 2000; i++) {
        stt_ns pause = rng_below(&rng, 500);
        uint64_t units = rng_below(&rng, 8);
        int64_t price = (int64_t)(units * rule.unit_ns);
        now += pause;
        held += (int64_t)pause;
        held = held > (int64_t)rule.burst_ns ? (int64_t)rule.burst_ns : held;
        if (rng_chance(&rng, 5)) {
            stt_budget_charge(&b, &rule, now, units);
            held -= price;
            continue;
        }
        ck_assert_int_eq(stt_budget_take(&b, &rule, now, units), held >= 0 && price <= held);
        held -= held >= 0 && price <= held ? price : 0;
    }
}
END_TEST

SUITE("budget", TEST(a_zeroed_budget_is_whole), TEST(what_was_taken_grows_back_by_time),
      TEST(time_saves_up_no_more_than_the_burst), TEST(a_refusal_takes_nothing),
      TEST(a_charge_goes_below_nothing_and_is_paid_back_first),
      TEST(an_absurd_number_of_units_is_refused), TEST(a_rate_of_nothing_admits_nothing),
      TEST(a_rate_gives_so_many_in_a_second_and_a_burst),
      TEST(a_rate_faster_than_the_clock_is_one_unit_a_nanosecond),
      LOOP(who_keeps_to_the_limit_in_every_minute_is_never_refused, 0, 20),
      TEST(who_takes_all_he_can_gets_the_rate_and_one_burst),
      LOOP(budgets_agree_with_a_bucket_that_fills, 0, 50))
