/* SPDX-License-Identifier: MIT */
#include "stt/session/held.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <string.h>

static stt_ns ns_of(const struct stt_held *h, stt_ns now, enum stt_held_by by)
{
    stt_ns ns[STT_HELD_COUNT];
    stt_held_read(h, now, ns);
    return ns[by];
}

static stt_ns sum_of(const struct stt_held *h, stt_ns now)
{
    stt_ns sum = 0;
    for (int by = 0; by < STT_HELD_COUNT; by++)
        sum += ns_of(h, now, (enum stt_held_by)by);
    return sum;
}

START_TEST(at_first_the_application_holds)
{
    struct stt_held h;
    stt_held_init(&h, STT_S(7));
    ck_assert_uint_eq(sum_of(&h, STT_S(7)), 0);
    ck_assert_uint_eq(ns_of(&h, STT_S(9), STT_HELD_APPLICATION), STT_S(2));
    ck_assert_uint_eq(sum_of(&h, STT_S(9)), STT_S(2));
}
END_TEST

START_TEST(time_counts_for_whoever_held_during_it)
{
    struct stt_held h;
    stt_held_init(&h, STT_S(1));
    stt_held_switch(&h, STT_S(2), STT_HELD_WINDOW);
    stt_held_switch(&h, STT_S(5), STT_HELD_CARRIER);
    stt_held_switch(&h, STT_S(6), STT_HELD_WINDOW);
    ck_assert_uint_eq(ns_of(&h, STT_S(8), STT_HELD_APPLICATION), STT_S(1));
    ck_assert_uint_eq(ns_of(&h, STT_S(8), STT_HELD_WINDOW), STT_S(5));
    ck_assert_uint_eq(ns_of(&h, STT_S(8), STT_HELD_CARRIER), STT_S(1));
    ck_assert_uint_eq(ns_of(&h, STT_S(8), STT_HELD_MACHINE), 0);
}
END_TEST

START_TEST(what_lets_go_by_itself_leaves_the_rest_to_the_machine)
{
    struct stt_held h;
    stt_held_init(&h, 0);
    stt_held_switch_until(&h, 10, STT_HELD_PACER, 30);
    ck_assert_uint_eq(ns_of(&h, 30, STT_HELD_PACER), 20);
    ck_assert_uint_eq(ns_of(&h, 30, STT_HELD_MACHINE), 0);
    ck_assert_uint_eq(ns_of(&h, 37, STT_HELD_PACER), 20);
    ck_assert_uint_eq(ns_of(&h, 37, STT_HELD_MACHINE), 7);
    stt_held_switch_until(&h, 40, STT_HELD_PACER, 50);
    stt_held_switch(&h, 45, STT_HELD_WINDOW); /* before its time */
    ck_assert_uint_eq(ns_of(&h, 60, STT_HELD_PACER), 25);
    ck_assert_uint_eq(ns_of(&h, 60, STT_HELD_MACHINE), 10);
    ck_assert_uint_eq(ns_of(&h, 60, STT_HELD_WINDOW), 15);
}
END_TEST

START_TEST(the_same_holder_may_let_go_at_another_time)
{
    struct stt_held h;
    stt_held_init(&h, 0);
    stt_held_switch_until(&h, 0, STT_HELD_PACER, 100);
    stt_held_switch_until(&h, 10, STT_HELD_PACER, 20);
    ck_assert_uint_eq(ns_of(&h, 50, STT_HELD_PACER), 20);
    stt_held_switch_until(&h, 50, STT_HELD_PACER, 60); /* late: 30 were the machine's */
    stt_held_switch_until(&h, 55, STT_HELD_PACER, STT_NEVER);
    ck_assert_uint_eq(ns_of(&h, 90, STT_HELD_MACHINE), 30);
    ck_assert_uint_eq(ns_of(&h, 90, STT_HELD_PACER), 60);
}
END_TEST

START_TEST(reading_changes_nothing)
{
    struct stt_held h, before;
    stt_held_init(&h, 5);
    stt_held_switch_until(&h, 10, STT_HELD_PACER, 20);
    before = h;
    (void)sum_of(&h, 1000);
    ck_assert_uint_eq(ns_of(&h, 15, STT_HELD_PACER), 5);
    ck_assert_mem_eq(&h, &before, sizeof h);
}
END_TEST

START_TEST(time_that_goes_back_stands_still)
{
    struct stt_held h;
    stt_held_init(&h, 100);
    stt_held_switch(&h, 200, STT_HELD_WINDOW);
    stt_held_switch(&h, 150, STT_HELD_CARRIER);
    ck_assert_uint_eq(sum_of(&h, 150), 100);
    ck_assert_uint_eq(sum_of(&h, 300), 200);
    ck_assert_uint_eq(ns_of(&h, 300, STT_HELD_CARRIER), 100);
    ck_assert_uint_eq(ns_of(&h, 300, STT_HELD_WINDOW), 0);
}
END_TEST

/* Against a model that looks at every nanosecond. */
START_TEST(any_switches_agree_with_the_model_and_add_up_to_the_age)
{
    struct rng rng = rng_init((uint64_t)_i + 1);
    stt_ns model[STT_HELD_COUNT] = {0}, now = 0, until = STT_NEVER;
    enum stt_held_by by = STT_HELD_APPLICATION;
    struct stt_held h;
    stt_held_init(&h, 0);
    for (int step = 0; step < 200; step++) {
        for (stt_ns end = now + rng_below(&rng, 20); now < end; now++)
            model[now < until ? by : STT_HELD_MACHINE]++;
        by = (enum stt_held_by)rng_below(&rng, STT_HELD_COUNT);
        until = rng_below(&rng, 2) ? now + 1 + rng_below(&rng, 20) : STT_NEVER;
        stt_held_switch_until(&h, now, by, until);
        ck_assert_uint_eq(sum_of(&h, now), now);
        for (int i = 0; i < STT_HELD_COUNT; i++)
            ck_assert_uint_eq(ns_of(&h, now, (enum stt_held_by)i), model[i]);
    }
}
END_TEST

START_TEST(who_waits_for_data_and_who_for_leave_is_told_apart)
{
    struct stt_held h;
    stt_held_init(&h, 0);
    for (int by = 0; by < STT_HELD_COUNT; by++) {
        stt_held_switch(&h, 0, (enum stt_held_by)by);
        ck_assert_int_eq(stt_held_for_data(&h), by <= STT_HELD_SESSION_FLOW);
        ck_assert_int_eq(stt_held_for_leave(&h), by >= STT_HELD_PATH && by <= STT_HELD_CARRIER);
    }
}
END_TEST

START_TEST(each_has_words_of_its_own)
{
    for (int a = 0; a < STT_HELD_COUNT; a++) {
        const char *text = stt_held_text((enum stt_held_by)a);
        ck_assert_uint_gt(strlen(text), 3);
        for (int b = 0; b < a; b++)
            ck_assert_str_ne(text, stt_held_text((enum stt_held_by)b));
    }
    ck_assert_str_eq(stt_held_text(STT_HELD_WINDOW), "the congestion window");
    ck_assert_str_eq(stt_held_text(STT_HELD_COUNT), "?");
}
END_TEST

SUITE("held", TEST(at_first_the_application_holds), TEST(time_counts_for_whoever_held_during_it),
      TEST(what_lets_go_by_itself_leaves_the_rest_to_the_machine),
      TEST(the_same_holder_may_let_go_at_another_time), TEST(reading_changes_nothing),
      TEST(time_that_goes_back_stands_still),
      LOOP(any_switches_agree_with_the_model_and_add_up_to_the_age, 0, 50),
      TEST(who_waits_for_data_and_who_for_leave_is_told_apart), TEST(each_has_words_of_its_own))
