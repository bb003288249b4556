/* SPDX-License-Identifier: MIT
 * latency: owns the options and the report of the verb; who measures is in echo.c, raw.c, link.c.
 */
#include "tools/sttbench/latency/latency.h"

#include "tools/common/say.h"
#include "tools/sttbench/report/demands.h"
#include "tools/sttbench/shared/pair.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct flags {
    struct report_options report;
    const char *suite, *io, *only;
    stt_ns time_ns, spin_ns, link_rtt_ns;
    uint64_t link_rate;
    bool demand;
};

#define LATENCY_NAMES                                                                              \
    "raw_blocking stt_blocking raw_spinning stt_spinning stt_blocking_bulk "                       \
    "stt_blocking_bulk_urgent stt_spinning_bulk stt_spinning_bulk_urgent"
#define AT(field) .offset = offsetof(struct flags, field)

/* clang-format off */
static const struct option options[] = {
    {"time", 't', BENCH_TIME(time_ns), .help = "measure for so long, all cases together (5s)"},
    {"only", 0, BENCH_CHOICE(only, LATENCY_NAMES, "CASE"), .help = "this case alone, and no simulation"},
    {"spin", 0, BENCH_DURATION(spin_ns), .help = "who spins looks for so long before it sleeps (1s)"},
    {"rate", 0, BENCH_RATE(link_rate), .help = "of the simulated path (100M)"},
    {"rtt", 0, BENCH_DURATION(link_rtt_ns), .help = "of the simulated path (50ms)"},
    {"suite", 0, BENCH_SUITE},
    {"io", 0, BENCH_IO},
    {"demand", 0, BENCH_DEMAND},
    {"json", 'J', BENCH_JSON},
    {"plot", 0, BENCH_PLOT},
};
/* clang-format on */

struct figures {
    size_t n;
    double p50, p90, p99, p99_9, max, packets, bulk;
    double p50_of_round[LATENCY_ROUNDS];
};

/* -- from samples to figures ------------------------------------------------------------------- */

static size_t gather(const struct latency_slice *slice, double *out)
{
    for (uint32_t i = 0; i < slice->n; i++)
        out[i] = (double)slice->us[i];
    return slice->n;
}

static void figure(struct latency_run *run, int which, struct figures *f, double *room)
{
    double bytes = 0, seconds = 0, packets = 0, trips = 0;
    *f = (struct figures){.n = 0};
    for (int round = 0; round < LATENCY_ROUNDS; round++) {
        const struct latency_slice *slice = &run->slices[round][which];
        size_t n = gather(slice, room + f->n);
        f->p50_of_round[round] = figures_percentile(room + f->n, n, 50);
        f->n += n;
        bytes += slice->bulk_bytes;
        seconds += slice->bulk_s;
        packets += (double)slice->packets;
        trips += (double)slice->trips;
    }
    f->p50 = figures_percentile(room, f->n, 50);
    f->p90 = figures_percentile(room, f->n, 90);
    f->p99 = figures_percentile(room, f->n, 99);
    f->p99_9 = figures_percentile(room, f->n, 99.9);
    f->max = figures_percentile(room, f->n, 100);
    f->packets = trips > 0 && !(bytes > 0) ? packets / trips : NAN;
    f->bulk = seconds > 0 ? bytes * 8 / seconds : NAN;
}

/* The weather is the same within a round: the median of the rounds' ratios. */
static double ratio(const struct figures *of, const struct figures *to)
{
    double ratios[LATENCY_ROUNDS];
    size_t n = 0;
    for (int i = 0; i < LATENCY_ROUNDS; i++)
        if (isfinite(of->p50_of_round[i] / to->p50_of_round[i]))
            ratios[n++] = of->p50_of_round[i] / to->p50_of_round[i];
    return figures_median(ratios, n);
}

/* -- the report -------------------------------------------------------------------------------- */

static void tell_results(struct report *r, const struct figures *all)
{
    static const struct report_column columns[] = {
        {"name", "case", REPORT_TEXT},
        {"count", "round trips", REPORT_COUNT},
        {"p50_us", "p50", REPORT_US},
        {"p90_us", "p90", REPORT_US},
        {"p99_us", "p99", REPORT_US},
        {"p99_9_us", "p99.9", REPORT_US},
        {"max_us", "max", REPORT_US},
        {"packets_per_round_trip", "packets", REPORT_PLAIN},
        {"bulk_bits_per_second", "bulk", REPORT_BITS_PER_S},
    };
    struct report_table *t = report_table(r, "results", "Over loopback, on two processors", columns,
                                          sizeof columns / sizeof columns[0]);
    for (int i = 0; i < LATENCY_N; i++) {
        const struct figures *f = &all[i];
        const double cells[] = {(double)f->n, f->p50, f->p90,     f->p99,
                                f->p99_9,     f->max, f->packets, f->bulk};
        report_row(t);
        report_cell_text(t, latency_cases[i].name);
        for (size_t c = 0; c < sizeof cells / sizeof cells[0]; c++)
            report_cell(t, cells[c]);
    }
}

static void draw(struct report *r, const struct figures *all)
{
    static const struct report_axis x = {"case", REPORT_TEXT, false},
                                    y = {"round trip", REPORT_US, false};
    for (int is_tail = 0; is_tail < 2; is_tail++) {
        const char *words = is_tail ? "99 of 100 round trips of 64 bytes are faster than"
                                    : "Round trips of 64 bytes, medians";
        struct report_chart *c = report_chart(r, words, REPORT_BARS, &x, &y);
        report_series(c, is_tail ? "99 %" : "median");
        for (int i = 0; i < LATENCY_N; i++)
            if (all[i].n)
                report_bar(c, latency_cases[i].name, is_tail ? all[i].p99 : all[i].p50);
    }
}

/* -- the slow link ----------------------------------------------------------------------------- */

struct link_rows {
    double equal_ms, urgent_ms; /* p99 with the controller that nodes have of themselves */
};

static bool tell_link(struct report *r, const struct flags *flags, struct link_rows *out)
{
    static const struct report_column columns[] = {
        {"congestion", "control", REPORT_TEXT},
        {"echo", "echo's stream is", REPORT_TEXT},
        {"count", "round trips", REPORT_COUNT},
        {"p50_ms", "p50", REPORT_MS},
        {"p99_ms", "p99", REPORT_MS},
        {"max_ms", "max", REPORT_MS},
        {"bulk_bits_per_second", "bulk", REPORT_BITS_PER_S},
    };
    static const char *const congestions[] = {"tide", "cubic", "bbr"};
    struct report_table *t =
        report_table(r, "link", "Beside a bulk stream on a slow link, simulated", columns,
                     sizeof columns / sizeof columns[0]);
    for (int i = 0; i < 6; i++) {
        struct latency_link link = {.rate_bits_per_s = flags->link_rate,
                                    .rtt_ns = flags->link_rtt_ns,
                                    .time_ns = STT_S(20),
                                    .congestion = congestions[i / 2],
                                    .is_urgent = i % 2};
        struct latency_link_figures f;
        if (!latency_link(&link, &f))
            return false;
        report_row(t);
        report_cell_text(t, link.congestion);
        report_cell_text(t, link.is_urgent ? "more urgent" : "as urgent");
        report_cell(t, (double)f.n);
        report_cell(t, f.p50_ms);
        report_cell(t, f.p99_ms);
        report_cell(t, f.max_ms);
        report_cell(t, f.bulk_bits_per_s);
        if (i < 2)
            *(i ? &out->urgent_ms : &out->equal_ms) = f.p99_ms;
    }
    return true;
}

/* -- the verb ---------------------------------------------------------------------------------- */

static void conclude(struct report *r, const struct flags *flags, const struct figures *all,
                     const struct link_rows *link)
{
    double rtt_ms = (double)flags->link_rtt_ns * 1e-6;
    double blocking = ratio(&all[LATENCY_STT_BLOCKING], &all[LATENCY_RAW_BLOCKING]);
    double spinning = ratio(&all[LATENCY_STT_SPINNING], &all[LATENCY_RAW_SPINNING]);
    double above_us = all[LATENCY_STT_SPINNING].p50 - all[LATENCY_RAW_SPINNING].p50;
    double waking_us = all[LATENCY_RAW_BLOCKING].p50 - all[LATENCY_RAW_SPINNING].p50;
    struct demands d;
    report_number(r, "ratios.stt_blocking_of_raw", "blocking, of raw UDP", REPORT_RATIO, blocking);
    report_number(r, "ratios.stt_spinning_of_raw", "spinning, of raw UDP", REPORT_RATIO, spinning);
    demands_begin(&d, r);
    demands_at_most(&d, "ratios.stt_blocking_of_raw", blocking, 1.2);
    demands_at_most(&d, "ratios.stt_spinning_of_raw", spinning, 1.5);
    demands_at_most(&d, "link.p99_ms, as urgent", link->equal_ms, rtt_ms + 25);
    demands_at_most(&d, "link.p99_ms, more urgent", link->urgent_ms, 2 * rtt_ms);
    demands_end(&d, flags->demand);
    if (isnan(waking_us + above_us))
        report_limited(r, "%s",
                       flags->only ? "One case alone: nothing to say what limits it; leave out "
                                     "--only."
                                   : "It was too short to say what limits it; take a longer -t.");
    else
        report_limited(
            r,
            "Limited by waking up where both sides sleep, %.1f us of a round trip: let the "
            "node spin (stt_node_config.spin_ns). Where both spin, by the processors: "
            "STT adds %.1f us to what a connected UDP socket takes.",
            waking_us, above_us);
}

static enum exits measure(const struct flags *flags, struct latency_run *run)
{
    static struct figures all[LATENCY_N];
    struct link_rows link = {NAN, NAN};
    char why[OPTION_WHY_ROOM], title[128];
    const struct pair_end ends[2] = {{latency_ask, pair_cpu(0), -1},
                                     {latency_answer, pair_cpu(1), -1}};
    if (!pair_run(ends, run, flags->time_ns * 4 + STT_S(20), why)) {
        struct report *failed = report_new("latency", "Round trips");
        report_fail(failed, EXIT_NETWORK, "nothing was measured: %s", why);
        return report_end(failed, &flags->report);
    }
    double *room = calloc((size_t)LATENCY_ROUNDS * LATENCY_SAMPLES, sizeof *room);
    if (!room) {
        say_error("there is not enough memory");
        return EXIT_LOCAL_IO;
    }
    for (int i = 0; i < LATENCY_N; i++)
        figure(run, i, &all[i], room);
    free(room);
    snprintf(title, sizeof title, "Round trips of %d bytes (%s, %s)", LATENCY_BYTES, run->suite_is,
             run->io_is);
    struct report *r = report_new("latency", title);
    report_text(r, "suite", "suite", run->suite_is);
    report_text(r, "io", "driver", run->io_is);
    tell_results(r, all);
    draw(r, all);
    if (!flags->only && !tell_link(r, flags, &link))
        report_fail(r, EXIT_NETWORK, "the simulated link was not measured");
    conclude(r, flags, all, &link);
    return report_end(r, &flags->report);
}

enum exits bench_latency(int argc, char **argv)
{
    static struct flags flags = {.time_ns = STT_S(5),
                                 .spin_ns = STT_S(1),
                                 .link_rate = 100000000,
                                 .link_rtt_ns = STT_MS(50)};
    struct option_set set = {
        .program = "sttbench latency",
        .usage = "[OPTION]...",
        .about = "Round trips of 64 bytes over an established session and over plain UDP, in\n"
                 "turns, between two processes on two processors; idle and beside a bulk stream.",
        .options = options,
        .n = sizeof options / sizeof options[0],
        .into = &flags,
    };
    enum exits exit;
    if (!bench_options(&set, argc, argv, &exit))
        return exit;
    struct latency_run *run = pair_memory(sizeof *run);
    if (!run) {
        say_error("there is not enough memory");
        return EXIT_LOCAL_IO;
    }
    run->suite = flags.suite;
    run->io = flags.io;
    run->spin_ns = flags.spin_ns;
    for (int i = 0; i < LATENCY_N; i++)
        run->is_wanted[i] = !flags.only || strcmp(flags.only, latency_cases[i].name) == 0;
    run->slice_ns = flags.time_ns / (flags.only ? LATENCY_ROUNDS : LATENCY_ROUNDS * LATENCY_N);
    exit = measure(&flags, run);
    pair_forget(run, sizeof *run);
    return exit;
}
