/* SPDX-License-Identifier: MIT
 * Several flows over one bottleneck. */
#include "tools/sttbench/link/link.h"

#include "tests/support/suite.h"

#include <math.h>
#include <string.h>

static struct link_result r;

static struct link_run run_of(const struct link_flow *flows, size_t n)
{
    return (struct link_run){
        .path = {.rate_bits_per_s = 10000000, .rtt_ns = STT_MS(20), .queue_bdps = 1},
        .flows = flows,
        .n_flows = n,
        .congestion = "cubic",
        .payload = 1452,
        .time_ns = STT_S(6),
        .seed = 1};
}

static void measure(const struct link_run *run)
{
    link_measure(run, &r, NULL);
    ck_assert_msg(r.exit == EXIT_DONE, "%s", r.why);
}

static double goodput(size_t i)
{
    return r.flows[i].goodput_bits_per_s;
}

START_TEST(flows_share_what_there_is)
{
    static const struct link_flow flows[] = {
        {0}, {0}, {.control = "bbr"}, {.control = LINK_TCP}, {.control = "cubic"}};
    struct link_run run = run_of(flows, 5);
    double all = 0, shares = 0;
    measure(&run);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_double_gt(goodput(i), 0);
        all += goodput(i);
        shares += r.flows[i].share_percent;
    }
    ck_assert_msg(all > 8e6 && all < 10e6, "%g", all);
    ck_assert_double_eq_tol(shares, 100, 1e-6);
    ck_assert_double_eq_tol(r.figures[LINK_goodput], goodput(0) + goodput(1), 1);
    ck_assert_double_eq_tol(r.figures[LINK_share],
                            r.flows[0].share_percent + r.flows[1].share_percent, 1e-6);
    double a = goodput(0), b = goodput(1);
    ck_assert_double_eq_tol(r.figures[LINK_jain], (a + b) * (a + b) / (2 * (a * a + b * b)), 1e-9);
    ck_assert_double_eq_tol(r.figures[LINK_least], fmin(a, b) / ((a + b) / 2) * 100, 1e-6);
    ck_assert_double_le(r.figures[LINK_queue_mean], r.figures[LINK_queue_max]);
    ck_assert_double_le(r.figures[LINK_utilisation], 100);
}
END_TEST

START_TEST(it_is_the_same_again_for_each_seed_and_only_for_it)
{
    static const struct link_flow flows[] = {{0}, {.control = LINK_TCP}, {.from_ns = STT_S(1)}};
    struct link_run run = run_of(flows, 3);
    measure(&run);
    struct link_result first = r;
    measure(&run);
    ck_assert_uint_eq(r.hash, first.hash);
    for (size_t i = 0; i < 3; i++)
        ck_assert_double_eq(goodput(i), first.flows[i].goodput_bits_per_s);
    run.seed = 2;
    measure(&run);
    ck_assert_uint_ne(r.hash, first.hash);
    ck_assert_double_ne(goodput(0), first.flows[0].goodput_bits_per_s); /* though nothing is lost */
}
END_TEST

START_TEST(what_is_before_the_measured_time_is_not_counted)
{
    static const struct link_flow flows[] = {{0}, {.control = "bbr", .until_ns = STT_S(2)}};
    struct link_run run = run_of(flows, 2);
    run.from_ns = STT_S(4);
    measure(&run);
    ck_assert_double_eq(goodput(1), 0);
    ck_assert_double_gt(goodput(0), 9e6);
    ck_assert_double_eq(r.figures[LINK_share], 100);
}
END_TEST

START_TEST(whoever_comes_late_has_nothing_before)
{
    static const struct link_flow flows[] = {
        {0}, {.control = "cubic", .from_ns = STT_S(3)}, {.control = LINK_TCP, .from_ns = STT_S(3)}};
    static struct link_trace t = {.time_s = 6};
    struct link_run run = run_of(flows, 3);
    link_measure(&run, &r, &t);
    ck_assert_uint_eq(t.n, LINK_SAMPLES + 1);
    for (size_t i = 0; i < t.n; i++)
        for (size_t f = 1; f < 3; f++) {
            ck_assert(t.at_s[i] >= 3 || t.flows[f][i].read_bytes == 0);
            ck_assert(t.at_s[i] < 4 || t.flows[f][i].read_bytes > 0);
            ck_assert(t.at_s[i] >= 3 || isnan(t.flows[f][i].window_bytes));
        }
    ck_assert_double_gt(t.flows[1][LINK_SAMPLES].window_bytes, 1000);
    ck_assert_double_gt(t.flows[2][LINK_SAMPLES].window_bytes, 1000);
}
END_TEST

START_TEST(each_flow_has_its_own_round_trip)
{
    static const struct link_flow flows[] = {{.bytes = 1000},
                                             {.bytes = 1000, .rtt_ns = STT_MS(10)},
                                             {.bytes = 1000, .rtt_ns = STT_MS(200)}};
    struct link_run run = run_of(flows, 3);
    measure(&run);
    ck_assert_double_eq_tol(r.flows[0].completion_ms, 10, 4);
    ck_assert_double_eq_tol(r.flows[1].completion_ms, 5, 4);
    ck_assert_double_eq_tol(r.flows[2].completion_ms, 100, 4);
    ck_assert_double_eq(r.figures[LINK_completion], r.flows[0].completion_ms); /* the median */
    ck_assert_double_lt(r.time_s, 1);                                          /* all is there */
}
END_TEST

START_TEST(short_flows_beside_a_long_one_are_told_from_it)
{
    static const struct link_flow flows[] = {
        {0},
        {.bytes = 50000, .from_ns = STT_S(1)},
        {.bytes = 50000, .from_ns = STT_S(2)},
        {.control = LINK_TCP, .bytes = 50000, .from_ns = STT_S(2)},
        {.bytes = 50000, .from_ns = STT_MS(5999)}};
    struct link_run run = run_of(flows, 5);
    measure(&run); /* what the last one does not finish is no failure */
    ck_assert_double_eq(r.figures[LINK_goodput], goodput(0));
    ck_assert(isnan(r.figures[LINK_jain]));
    for (size_t i = 1; i < 4; i++)
        ck_assert_msg(r.flows[i].completion_ms > 40 && r.flows[i].completion_ms < 4000, "%zu: %g",
                      i, r.flows[i].completion_ms);
    ck_assert_double_eq_tol(r.time_s, 6, 1e-6);
}
END_TEST

START_TEST(a_slow_application_is_no_faster)
{
    static const struct link_flow flow = {.rate_bits_per_s = 2000000};
    struct link_run run = run_of(&flow, 1);
    measure(&run);
    ck_assert_double_eq_tol(r.figures[LINK_goodput], 2e6, 5e4);
    ck_assert_double_gt(r.held_percent[STT_HELD_APPLICATION], 50);
    run.path.rate_bits_per_s = 1000000; /* it does not write what is not taken */
    measure(&run);
    ck_assert_double_lt(r.figures[LINK_goodput], 1e6);
}
END_TEST

START_TEST(a_step_is_seen_in_the_goodput)
{
    static const struct link_step step[] = {{.at_ns = STT_S(2), .rate_bits_per_s = 2000000}};
    struct link_run run = run_of(link_alone, 1);
    run.steps = step;
    run.n_steps = 1;
    run.from_ns = STT_S(3);
    measure(&run);
    ck_assert_double_lt(r.figures[LINK_goodput], 2e6 * 1.2); /* what was queued comes, too */
    ck_assert_double_gt(r.figures[LINK_reached], 0);
    ck_assert_double_le(r.figures[LINK_settled_queue], 5.1); /* all that the queue holds */
}
END_TEST

START_TEST(sessions_come_about_whatever_is_lost)
{
    static const struct link_flow flows[] = {{0}, {0}, {.from_ns = STT_S(2)}};
    struct link_run run = run_of(flows, 3);
    run.path.loss_ppm = 300000;
    for (run.seed = 1; run.seed <= 10; run.seed++)
        measure(&run);
}
END_TEST

SUITE("link flows", TEST(flows_share_what_there_is),
      TEST(it_is_the_same_again_for_each_seed_and_only_for_it),
      TEST(what_is_before_the_measured_time_is_not_counted),
      TEST(whoever_comes_late_has_nothing_before), TEST(each_flow_has_its_own_round_trip),
      TEST(short_flows_beside_a_long_one_are_told_from_it), TEST(a_slow_application_is_no_faster),
      TEST(a_step_is_seen_in_the_goodput), TEST(sessions_come_about_whatever_is_lost))
