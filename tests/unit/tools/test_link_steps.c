/* SPDX-License-Identifier: MIT
 * What is found in a run whose path changes. */
#include "tools/sttbench/link/steps.h"

#include "tests/support/suite.h"

#include <math.h>

static const struct link_step twice[] = {{.at_ns = STT_S(2), .rate_bits_per_s = 80000000},
                                         {.at_ns = STT_S(6), .rtt_ns = STT_MS(100)}};
static const struct link_run run = {
    .path = {.rate_bits_per_s = 8000000, .rtt_ns = STT_MS(20), .queue_bdps = 1},
    .steps = twice,
    .n_steps = 2,
    .time_ns = STT_S(10),
};
static struct steps s;

/* Megabytes a second at a time; what a path carries is 1, from 2 s on 10. */
static void live(double (*rate)(double at_s), double (*queue)(double at_s))
{
    double read = 0;
    steps_init(&s, &run);
    for (int ms = 0; ms <= 10000; ms++) {
        read += rate(ms * 1e-3) * 1e3;
        steps_look(&s, STT_MS(ms), read, queue(ms * 1e-3));
    }
}

static double no_queue(double at_s)
{
    (void)at_s;
    return 0;
}

static double full(double at_s)
{
    return at_s < 2 ? 1 : 10;
}

static double late(double at_s)
{
    return at_s < 3.5 ? 1 : 9;
}

static double never(double at_s)
{
    return at_s < 2 ? 1 : 8;
}

/* Full for a while, but not three times in a row. */
static double briefly(double at_s)
{
    return at_s < 2 || (at_s > 2.25 && at_s < 3) ? 1 : 10;
}

START_TEST(full_again_is_when_three_whiles_in_a_row_are)
{
    live(full, no_queue); /* a while: of the longer round trip, four of them */
    ck_assert_double_eq_tol(steps_reached_ms(&s), 400, 20);
    live(late, no_queue);
    ck_assert_double_eq_tol(steps_reached_ms(&s), 1600, 30);
    live(briefly, no_queue);
    ck_assert_double_eq_tol(steps_reached_ms(&s), 1100, 30);
    live(never, no_queue); /* not before the next step, and not before the end */
    ck_assert_double_eq_tol(steps_reached_ms(&s), 4000, 20);
}
END_TEST

/* 20 ms of round trip: 3 of them; then 100 ms: one and a half. */
static double a_queue(double at_s)
{
    return at_s > 2 && at_s < 3.9 ? 500 : at_s > 5 && at_s < 5.5 ? 60 : at_s > 9 ? 150 : 0;
}

START_TEST(a_queue_has_two_seconds_to_go_away)
{
    live(full, a_queue);
    ck_assert_double_eq_tol(steps_settled_queue_bdps(&s), 3, 1e-6);
}
END_TEST

START_TEST(where_nothing_changes_there_is_nothing_to_find)
{
    struct link_run same = run;
    same.n_steps = 0;
    steps_init(&s, &same);
    steps_look(&s, 0, 0, 0);
    ck_assert(isnan(steps_reached_ms(&s)) && isnan(steps_settled_queue_bdps(&s)));
    same.n_steps = 1;
    same.time_ns = STT_S(1); /* over before */
    steps_init(&s, &same);
    for (int ms = 0; ms <= 1000; ms++)
        steps_look(&s, STT_MS(ms), ms, 0);
    ck_assert(isnan(steps_reached_ms(&s)) && isnan(steps_settled_queue_bdps(&s)));
}
END_TEST

SUITE("link steps", TEST(full_again_is_when_three_whiles_in_a_row_are),
      TEST(a_queue_has_two_seconds_to_go_away),
      TEST(where_nothing_changes_there_is_nothing_to_find))
