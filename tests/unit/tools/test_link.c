/* SPDX-License-Identifier: MIT
 * What sttbench link is asked for, and what it makes of many runs. */
#include "tools/sttbench/link/link.h"
#include "tools/sttbench/shared/share.h"

#include "tests/support/suite.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *text;
    uint32_t ppm;
} shares[] = {{"1%", 10000},  {"5%", 50000},     {"0.1%", 1000},
              {"0", 0},       {"0%", 0},         {"100%", 1000000},
              {"0.0001%", 1}, {"12.5%", 125000}, {"100.0000%", 1000000}};
enum { SHARES = sizeof shares / sizeof shares[0] };

START_TEST(a_share_is_in_percent)
{
    uint32_t ppm = 77;
    ck_assert(share_parse(&ppm, shares[_i].text));
    ck_assert_uint_eq(ppm, shares[_i].ppm);
}
END_TEST

static const char *const no_shares[] = {"",
                                        "1",
                                        "1 %",
                                        "%",
                                        "-1%",
                                        "+1%",
                                        "1%%",
                                        "1%x",
                                        " 1%",
                                        ".5%",
                                        "1.%",
                                        "1e1%",
                                        "101%",
                                        "100.0001%",
                                        "0x1%",
                                        "1,5%",
                                        "0.00001%",
                                        "nan%",
                                        "0.01",
                                        "999999999999999999999%",
                                        "18446744073709551617%",
                                        "1.1234567%"};
enum { NO_SHARES = sizeof no_shares / sizeof no_shares[0] };

START_TEST(what_is_no_share_is_refused)
{
    uint32_t ppm = 77;
    double factor = 77;
    ck_assert_msg(!share_parse(&ppm, no_shares[_i]), "%s", no_shares[_i]);
    ck_assert_uint_eq(ppm, 77);
    if (strchr(no_shares[_i], '%'))
        ck_assert(!share_parse_factor(&factor, no_shares[_i], 100));
    ck_assert_double_eq(factor, 77);
}
END_TEST

START_TEST(a_factor_is_a_number_above_0)
{
    double factor = 77;
    ck_assert(share_parse_factor(&factor, "0.5", 100));
    ck_assert_double_eq(factor, 0.5);
    ck_assert(share_parse_factor(&factor, "100", 100));
    ck_assert_double_eq(factor, 100);
    ck_assert(!share_parse_factor(&factor, "100.1", 100));
    ck_assert(!share_parse_factor(&factor, "0", 100));
    ck_assert(!share_parse_factor(&factor, "0.0", 100));
    ck_assert(!share_parse_factor(&factor, "1x", 100));
    ck_assert(!share_parse_factor(&factor, "", 100));
}
END_TEST

START_TEST(paths_have_names)
{
    char name[LINK_NAME_ROOM];
    struct link_path path = {.rate_bits_per_s = 100000000, .rtt_ns = STT_MS(50)};
    ck_assert_str_eq(link_path_name(&path, name), "100 Mbit/s, 50 ms, no loss");
    path.loss_ppm = 10000;
    ck_assert_str_eq(link_path_name(&path, name), "100 Mbit/s, 50 ms, 1 % loss");
    path = (struct link_path){.rate_bits_per_s = 2500000000, .rtt_ns = 1250000, .loss_ppm = 1};
    ck_assert_str_eq(link_path_name(&path, name), "2.5 Gbit/s, 1.25 ms, 0.0001 % loss");
    ck_assert_uint_eq(link_bdp_bytes(&path), 390625);
}
END_TEST

/* -- seeds ---------------------------------------------------------------------------------------
 */

static struct link_result result_of(double goodput_mbit, double queue_ms)
{
    struct link_result r = {.exit = EXIT_DONE};
    for (size_t i = 0; i < LINK_FIGURES_N; i++)
        r.figures[i] = NAN;
    r.figures[LINK_goodput] = goodput_mbit * 1e6;
    r.figures[LINK_queue_mean] = queue_ms;
    r.figures[LINK_retransmitted] = 1;
    r.held_percent[STT_HELD_WINDOW] = goodput_mbit;
    return r;
}

START_TEST(of_many_seeds_there_is_a_median_and_a_worst)
{
    struct link_result results[] = {result_of(5, 20), result_of(1, 10), result_of(9, 40),
                                    result_of(100, 0)};
    struct link_summary s;
    results[3].exit = EXIT_NETWORK;
    link_summarize(&s, results, 4);
    ck_assert_uint_eq(s.n, 3);
    ck_assert_ptr_eq(s.failed, &results[3]);
    ck_assert_double_eq(s.median[LINK_goodput], 5e6);
    ck_assert_double_eq(s.worst[LINK_goodput], 1e6);
    ck_assert_double_eq(s.median[LINK_queue_mean], 20);
    ck_assert_double_eq(s.worst[LINK_queue_mean], 40);
    ck_assert(isnan(s.median[LINK_completion]) && isnan(s.worst[LINK_completion]));
    ck_assert_double_eq_tol(s.held_percent[STT_HELD_WINDOW], 5, 1e-9);
    results[0].exit = results[1].exit = results[2].exit = EXIT_NETWORK;
    link_summarize(&s, results, 4);
    ck_assert_uint_eq(s.n, 0);
    ck_assert(isnan(s.median[LINK_goodput]));
}
END_TEST

START_TEST(each_part_of_a_demand_can_be_missed)
{
    struct link_cell cell = {.demands = {{LINK_DEMAND_rate, 10e6},
                                         {LINK_DEMAND_worst, 6e6},
                                         {LINK_DEMAND_queue, 25},
                                         {LINK_DEMAND_waste, 3}}};
    struct link_summary s;
    char text[LINK_NAME_ROOM];
    struct link_result results[] = {result_of(10, 25), result_of(10, 25), result_of(6, 25)};
    link_summarize(&s, results, 3);
    ck_assert_str_eq(link_misses_names(link_misses(&cell, &s), text), "");
    results[2].figures[LINK_goodput] = 5.9e6;
    link_summarize(&s, results, 3);
    ck_assert_str_eq(link_misses_names(link_misses(&cell, &s), text), "worst");
    s.median[LINK_goodput] = 9.9e6;
    s.median[LINK_queue_mean] = 26;
    s.median[LINK_retransmitted] = 3.1;
    ck_assert_str_eq(link_misses_names(link_misses(&cell, &s), text), "rate, worst, queue, waste");
    s.median[LINK_goodput] = NAN; /* what was not measured is not met */
    ck_assert(link_misses(&cell, &s) & 1u << LINK_DEMAND_rate);
    cell.demands[0].kind = LINK_DEMAND_none;
    ck_assert_uint_eq(link_misses(&cell, &s), 0);
}
END_TEST

/* -- runs ----------------------------------------------------------------------------------------
 */

static struct link_run small_run(uint64_t seed)
{
    return (struct link_run){.path = {.rate_bits_per_s = 5000000,
                                      .rtt_ns = STT_MS(20),
                                      .loss_ppm = 20000,
                                      .queue_bdps = 1},
                             .flows = link_alone,
                             .n_flows = 1,
                             .congestion = "bbr",
                             .payload = 1200,
                             .time_ns = STT_S(2),
                             .seed = seed};
}

static void require_same(const struct link_result *a, const struct link_result *b)
{
    ck_assert_int_eq(a->exit, EXIT_DONE);
    ck_assert_int_eq(b->exit, EXIT_DONE);
    ck_assert_uint_eq(a->hash, b->hash);
    for (size_t i = 0; i < LINK_FIGURES_N; i++)
        ck_assert(i == LINK_cpu || a->figures[i] == b->figures[i] ||
                  (isnan(a->figures[i]) && isnan(b->figures[i])));
}

START_TEST(a_run_is_the_same_each_time_whoever_looks_and_whoever_does_it)
{
    struct link_run runs[4];
    struct link_result results[4], once, again;
    static struct link_trace trace = {.time_s = 2};
    for (uint64_t i = 0; i < 4; i++)
        runs[i] = small_run(1 + i / 2);
    link_measure(&runs[0], &once, NULL);
    link_measure(&runs[0], &again, &trace);
    require_same(&once, &again);
    ck_assert(link_measure_all(runs, results, 4));
    require_same(&results[0], &once);
    require_same(&results[1], &once);
    require_same(&results[2], &results[3]);
    ck_assert_uint_ne(results[2].hash, once.hash);
}
END_TEST

START_TEST(a_trace_goes_from_the_beginning_to_the_end)
{
    struct link_run run = small_run(1);
    struct link_result result;
    static struct link_trace trace = {.time_s = 2};
    link_measure(&run, &result, &trace);
    ck_assert_uint_eq(trace.n, LINK_SAMPLES + 1);
    ck_assert_double_eq(trace.at_s[0], 0);
    ck_assert_double_eq_tol(trace.at_s[LINK_SAMPLES], 2, 0.001);
    const struct link_flow_sample *f = trace.flows[0];
    double read = f[LINK_SAMPLES].read_bytes;
    ck_assert_double_eq_tol(read * 8 / 2, result.figures[LINK_goodput], 1);
    for (size_t i = 1; i < trace.n; i++) {
        ck_assert(trace.at_s[i] > trace.at_s[i - 1]);
        ck_assert(f[i].read_bytes >= f[i - 1].read_bytes);
        ck_assert(trace.queue_ms[i] >= 0 && trace.queue_ms[i] <= 21);
    }
}
END_TEST

START_TEST(figures_agree_with_each_other)
{
    struct link_run run = small_run(3);
    struct link_result r;
    double held = 0;
    link_measure(&run, &r, NULL);
    const double *f = r.figures;
    ck_assert_int_eq(r.exit, EXIT_DONE);
    ck_assert(f[LINK_goodput] > 0 && f[LINK_goodput] < 5e6);
    /* the bottleneck carries the payload once, and headers */
    ck_assert(f[LINK_utilisation] <= 100 &&
              f[LINK_utilisation] > f[LINK_goodput] / 5e6 * 100 * 0.95);
    ck_assert(f[LINK_lost] > 0.5 && f[LINK_lost] < 5);
    ck_assert(f[LINK_retransmitted] > 0.3 && f[LINK_retransmitted] < 20);
    ck_assert(f[LINK_queue_mean] >= 0 && f[LINK_queue_mean] <= f[LINK_queue_p99] + 1);
    ck_assert_double_le(f[LINK_queue_p99], 21);
    ck_assert_double_ge(f[LINK_handshake], 20);
    ck_assert(isnan(f[LINK_completion]));
    for (size_t i = 0; i < STT_HELD_COUNT; i++)
        held += r.held_percent[i];
    ck_assert_double_eq_tol(held, 100, 0.1);
}
END_TEST

START_TEST(so_many_bytes_take_as_long_as_the_path_needs)
{
    static const struct link_flow million = {.bytes = 1000000};
    struct link_run run = small_run(1);
    struct link_result r;
    run.path.loss_ppm = 0;
    run.flows = &million;
    run.time_ns = STT_S(100);
    link_measure(&run, &r, NULL);
    ck_assert_int_eq(r.exit, EXIT_DONE);
    ck_assert_double_ge(r.figures[LINK_completion], 8e6 / 5e6 * 1e3);
    ck_assert_double_le(r.figures[LINK_completion], 8e6 / 5e6 * 1e3 * 1.5);
    ck_assert_double_eq_tol(r.figures[LINK_goodput], 8e6 / r.time_s, 1);
    run.time_ns = STT_S(1); /* too little */
    link_measure(&run, &r, NULL);
    ck_assert_int_eq(r.exit, EXIT_TIMEOUT);
    ck_assert_msg(strstr(r.why, "after 1 s only"), "%s", r.why);
}
END_TEST

START_TEST(who_is_never_heard_of_is_an_error_and_no_figure)
{
    struct link_run run = small_run(1);
    struct link_result r;
    run.path.loss_ppm = 1000000;
    link_measure(&run, &r, NULL);
    ck_assert_int_eq(r.exit, EXIT_NO_ANSWER);
    ck_assert(isnan(r.figures[LINK_goodput]));
}
END_TEST

SUITE("link", LOOP(a_share_is_in_percent, 0, SHARES),
      LOOP(what_is_no_share_is_refused, 0, NO_SHARES), TEST(a_factor_is_a_number_above_0),
      TEST(paths_have_names), TEST(of_many_seeds_there_is_a_median_and_a_worst),
      TEST(each_part_of_a_demand_can_be_missed),
      TEST(a_run_is_the_same_each_time_whoever_looks_and_whoever_does_it),
      TEST(a_trace_goes_from_the_beginning_to_the_end), TEST(figures_agree_with_each_other),
      TEST(so_many_bytes_take_as_long_as_the_path_needs),
      TEST(who_is_never_heard_of_is_an_error_and_no_figure))
