/* SPDX-License-Identifier: MIT
 * verb: owns sttbench engine: which loads, how often each is measured, and what is said of them.
 *
 * First comes the null suite, which has no cipher, and each cipher. Then what must not make a
 * packet dearer, a group of loads each; those of a group run by turns, so that a noisy machine
 * treats them alike. A figure is the median of several short runs; allocations are counted between
 * two marks in steady state. */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/engine/engine.h"
#include "tools/sttbench/report/report.h"
#include "tools/sttbench/shared/figures.h"

#include <gnu/libc-version.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum {
    RUNS_MAX = 11,
    LOADS_MAX = 3, /* of a group */
    DEMAND_NS = 120,
    NOISE_PERCENT = 15,
    COUNTED_WARM_UP_BYTES = 1 << 20,
};

static struct wish {
    struct report_options report;
    const char *suite;
    uint32_t packets;
    bool quick, full, demand;
} wish;

#define AT(field) .offset = offsetof(struct wish, field)

/* clang-format off */
static const struct option options[] = {
    {"suite", 0, BENCH_CHOICE(suite, BENCH_SUITES " null", "NAME"), .help = "this cipher suite alone, or null for none"},
    {"quick", 'q', BENCH_FLAG(quick), .help = "a second or two: short runs, small numbers"},
    {"full", 0, BENCH_FLAG(full), .help = "100,000 idle sessions and 64 GiB: minutes, and more than a gigabyte"},
    {"packets", 0, BENCH_NUMBER(packets, 1, 1u << 30), .help = "no measurement: send N packets, always with the same instructions"},
    {"demand", 0, BENCH_DEMAND},
    {"json", 'J', BENCH_JSON},
    {"plot", 0, BENCH_PLOT},
};

enum column { NAME, SUITE, STREAMS, SESSIONS, IN_FLIGHT, MOVED, SEND, SEND_LEAST, RECEIVE, RECEIVE_LEAST, GROWTH, ALLOCATIONS, DEMAND, COLUMNS };
static const struct report_column columns[COLUMNS] = {
    [NAME] = {"name", "load", REPORT_TEXT},
    [SUITE] = {"suite", "suite", REPORT_TEXT},
    [STREAMS] = {"streams", "streams", REPORT_COUNT},
    [SESSIONS] = {"sessions", "sessions", REPORT_COUNT},
    [IN_FLIGHT] = {"packets_in_flight", "in flight", REPORT_COUNT},
    [MOVED] = {"bytes_moved", "moved", REPORT_BYTES},
    [SEND] = {"ns_per_packet_send", "send", REPORT_NS},
    [SEND_LEAST] = {"ns_per_packet_send_least", NULL, REPORT_NS},
    [RECEIVE] = {"ns_per_packet_receive", "receive", REPORT_NS},
    [RECEIVE_LEAST] = {"ns_per_packet_receive_least", NULL, REPORT_NS},
    [GROWTH] = {"growth_ratio", "growth", REPORT_RATIO},
    [ALLOCATIONS] = {"allocations", "allocs", REPORT_COUNT},
    [DEMAND] = {"demand", "120 ns", REPORT_TEXT},
};
/* clang-format on */

/* A load that is measured, and what it has shown. */
struct row {
    struct engine *engine;
    double send_ns[RUNS_MAX], receive_ns[RUNS_MAX];
    double send, receive; /* medians */
    uint64_t allocations, moved;
};

struct group {
    const char *name, *axis; /* what is on the x-axis of its picture */
    size_t x;                /* where that is in the load */
    bool is_wide;            /* it is 64 bits */
    struct engine_load loads[LOADS_MAX];
};

struct run {
    struct report *report;
    struct report_table *table;
    int runs;
    uint64_t run_bytes, allocations;
    uint32_t missed, noisy;
};

/* -- one group ------------------------------------------------------------------------------- */

static void run_once(struct row *row, int i, uint64_t bytes)
{
    struct engine *x = row->engine;
    uint64_t before = x->packets;
    x->a.ns = x->b.ns = 0;
    x->is_timed = true;
    engine_run(x, bytes);
    x->is_timed = false;
    row->send_ns[i] = x->a.ns / (double)(x->packets - before);
    row->receive_ns[i] = x->b.ns / (double)(x->packets - before);
}

static bool is_demanded(const struct engine *x)
{
    return x->suite == stt_sim_null_suite() && !x->load->is_small;
}

static const char *verdict(struct run *run, const struct row *row)
{
    if (!is_demanded(row->engine))
        return "-";
    bool is_met = row->send <= DEMAND_NS && row->receive <= DEMAND_NS && !row->allocations;
    run->missed += !is_met;
    return is_met ? "met" : "missed";
}

static void print_row(struct run *run, const struct row *row, const struct row *first)
{
    const struct engine *x = row->engine;
    const struct engine_load *l = x->load;
    struct report_table *t = run->table;
    report_row(t);
    report_cell_text(t, l->name);
    report_cell_text(t, x->suite->name);
    report_cell(t, l->streams);
    report_cell(t, l->idle_sessions);
    report_cell(t, (double)x->most_in_flight);
    report_cell(t, (double)row->moved);
    report_cell(t, row->send);
    report_cell(t, row->send_ns[0]);
    report_cell(t, row->receive);
    report_cell(t, row->receive_ns[0]);
    report_cell(t, first ? (row->send + row->receive) / (first->send + first->receive) : NAN);
    report_cell(t, (double)row->allocations);
    report_cell_text(t, verdict(run, row));
}

static void begin(struct row *row, const struct engine_load *load,
                  const struct stt_aead_suite *suite, const struct run *run)
{
    *row = (struct row){.engine = engine_new(load, suite)};
    engine_warm_up(row->engine, run->run_bytes);
    row->allocations = engine_allocations(row->engine);
    row->moved = row->engine->moved;
}

static void finish(struct run *run, struct row *row)
{
    row->allocations = engine_allocations(row->engine) - row->allocations;
    run->allocations += row->allocations;
    row->send = figures_median(row->send_ns, (size_t)run->runs);
    row->receive = figures_median(row->receive_ns, (size_t)run->runs);
    run->noisy += (row->send + row->receive) * 100 >
                  (row->send_ns[0] + row->receive_ns[0]) * (100 + NOISE_PERCENT);
}

static void measure(struct run *run, struct row *rows, const struct engine_load *loads, size_t n,
                    const struct stt_aead_suite *suite)
{
    for (size_t i = 0; i < n; i++)
        begin(&rows[i], &loads[i], suite, run);
    for (int r = 0; r < run->runs; r++)
        for (size_t i = 0; i < n; i++)
            run_once(&rows[i], r, run->run_bytes);
    for (size_t i = 0; i < n; i++) {
        finish(run, &rows[i]);
        print_row(run, &rows[i], n > 1 ? &rows[0] : NULL);
    }
}

static void end(struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        engine_free(rows[i].engine);
}

/* -- suites ---------------------------------------------------------------------------------- */

static const struct stt_aead_suite *suite_at(uint8_t id, uint32_t cpu)
{
    return id ? stt_aead_by_id(id, cpu) : stt_sim_null_suite();
}

static void measure_suites(struct run *run)
{
    const struct report_axis suites = {"cipher suite", REPORT_COUNT, false};
    const struct report_axis ns = {"per packet", REPORT_NS, false};
    struct report_chart *chart =
        report_chart(run->report, "By cipher suite", REPORT_BARS, &suites, &ns);
    const struct engine_load load = {.name = "suite", .streams = 1};
    struct row rows[STT_AEAD_IDS + 1];
    uint32_t cpu = stt_cpu_detect();
    size_t n = 0;
    for (uint8_t id = 0; id <= STT_AEAD_IDS; id++) {
        const struct stt_aead_suite *suite = suite_at(id, cpu);
        if (suite && (!wish.suite || strcmp(suite->name, wish.suite) == 0))
            measure(run, &rows[n++], &load, 1, suite);
    }
    report_series(chart, "send");
    for (size_t i = 0; i < n; i++)
        report_bar(chart, rows[i].engine->suite->name, rows[i].send);
    report_series(chart, "receive");
    for (size_t i = 0; i < n; i++)
        report_bar(chart, rows[i].engine->suite->name, rows[i].receive);
    report_number(run->report, "ns_per_packet_send", "send, per packet", REPORT_NS, rows[0].send);
    report_number(run->report, "ns_per_packet_receive", "receive, per packet", REPORT_NS,
                  rows[0].receive);
    end(rows, n);
}

/* -- growth ---------------------------------------------------------------------------------- */

static double place_of(const struct group *g, size_t i)
{
    const uint8_t *at = (const uint8_t *)&g->loads[i] + g->x;
    return g->is_wide ? (double)*(const uint64_t *)(const void *)at
                      : (double)*(const uint32_t *)(const void *)at;
}

static void draw(struct run *run, const struct group *g, const struct row *rows)
{
    const struct report_axis x = {g->axis, g->is_wide ? REPORT_BYTES : REPORT_COUNT, true};
    const struct report_axis ns = {"per packet", REPORT_NS, false};
    struct report_chart *c = report_chart(run->report, g->name, REPORT_LINES, &x, &ns);
    report_series(c, "send");
    for (size_t i = 0; i < LOADS_MAX; i++)
        report_point(c, place_of(g, i), rows[i].send);
    report_series(c, "receive");
    for (size_t i = 0; i < LOADS_MAX; i++)
        report_point(c, place_of(g, i), rows[i].receive);
}

#define X_OF(field) .x = offsetof(struct engine_load, field)

static void measure_growth(struct run *run, const struct stt_aead_suite *suite)
{
    bool q = wish.quick, f = wish.full;
    uint32_t some = q ? 10 : 100, many = q ? 100 : 10000;
    uint64_t mib = UINT64_C(1) << 20;
    const struct group groups[] = {
        {"idle streams", "streams that are open, one of which sends", X_OF(streams),
         .loads = {{.streams = 1}, {.streams = some}, {.streams = many}}},
        {"sending streams", "streams that send in turn", X_OF(streams),
         .loads = {{.streams = 1, .all_send = true},
                   {.streams = some, .all_send = true},
                   {.streams = many, .all_send = true}}},
        {"small writes", "streams that are open, one of which sends 64 bytes at a time",
         X_OF(streams),
         .loads = {{.streams = 1, .is_small = true},
                   {.streams = some, .is_small = true},
                   {.streams = many, .is_small = true}}},
        {"in flight", "packets in flight, in trains of ten", X_OF(in_flight),
         .loads = {{.streams = 1, .in_flight = 10},
                   {.streams = 1, .in_flight = q ? 100 : 1000},
                   {.streams = 1, .in_flight = q ? 1000 : 100000}}},
        {"idle sessions", "idle sessions beside the one that sends", X_OF(idle_sessions),
         .loads = {{.streams = 1, .idle_sessions = 1},
                   {.streams = 1, .idle_sessions = q ? 10 : 1000},
                   {.streams = 1,
                    .idle_sessions = f   ? 100000
                                     : q ? 100
                                         : 10000}}},
        {"bytes moved", "bytes that the session has moved before", X_OF(moved_bytes),
         .is_wide = true,
         .loads = {{.streams = 1, .moved_bytes = 32 * mib},
                   {.streams = 1, .moved_bytes = q ? 64 * mib : 1024 * mib},
                   {.streams = 1,
                    .moved_bytes = (f   ? 65536
                                    : q ? 128
                                        : 8192) *
                                   mib}}},
    };
    for (size_t g = 0; g < sizeof groups / sizeof groups[0]; g++) {
        struct engine_load loads[LOADS_MAX];
        struct row rows[LOADS_MAX];
        for (size_t i = 0; i < LOADS_MAX; i++) {
            loads[i] = groups[g].loads[i];
            loads[i].name = groups[g].name;
        }
        measure(run, rows, loads, LOADS_MAX, suite);
        draw(run, &groups[g], rows);
        end(rows, LOADS_MAX);
    }
}

static enum exits measure_all(const struct stt_aead_suite *suite)
{
    struct run run = {
        .report = report_new("engine", "The bare engine, from memory to memory"),
        .runs = wish.quick ? 3 : RUNS_MAX,
        .run_bytes = wish.quick ? 4 << 20 : 32 << 20,
    };
    run.table = report_table(run.report, "results", "Each load", columns, COLUMNS);
    report_number(run.report, "packet_bytes", "bytes of a packet", REPORT_COUNT,
                  ENGINE_PACKET_BYTES);
    report_number(run.report, "runs", "runs of each", REPORT_COUNT, run.runs);
    report_text(run.report, "suite", "suite of the next two figures",
                wish.suite ? wish.suite : "null");
    measure_suites(&run);
    measure_growth(&run, suite);
    report_number(run.report, "allocations", "allocations, of all", REPORT_COUNT,
                  (double)run.allocations);
    report_number(run.report, "demand_ns_per_packet", "demanded of each without a cipher, at most",
                  REPORT_NS, DEMAND_NS);
    report_number(run.report, "missed", "loads that miss it", REPORT_COUNT, run.missed);
    if (run.noisy)
        report_note(run.report,
                    "In %u loads the median is more than %d %% above the least: something else "
                    "was running; measure again.",
                    run.noisy, NOISE_PERCENT);
    if (wish.demand && run.missed)
        report_fail(run.report, EXIT_PARTIAL, "%u of the demands are missed; the table says which",
                    run.missed);
    return report_end(run.report, &wish.report);
}

/* -- a fixed amount of work ------------------------------------------------------------------ */

/* What a number of instructions depends on, besides this program. */
static void name_surroundings(struct report *r)
{
    struct utsname system;
    char text[64];
#ifdef __clang__
    snprintf(text, sizeof text, "clang %d.%d.%d", __clang_major__, __clang_minor__,
             __clang_patchlevel__);
#else
    snprintf(text, sizeof text, "gcc %d.%d.%d", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
    report_text(r, "compiler", "compiler", text);
    snprintf(text, sizeof text, "glibc %s", gnu_get_libc_version());
    report_text(r, "libc", "C library", text);
    report_text(r, "machine", "machine", uname(&system) ? "-" : system.machine);
}

static enum exits work(const struct stt_aead_suite *suite)
{
    const struct engine_load load = {.name = "counted", .streams = 1};
    struct engine *x = engine_new(&load, suite);
    engine_warm_up(x, COUNTED_WARM_UP_BYTES);
    uint64_t before = x->packets, allocations = engine_allocations(x);
    while (x->packets - before < wish.packets)
        engine_run(x, 1);
    struct report *r = report_new("engine", "The bare engine: a fixed amount of work");
    report_text(r, "suite", "suite", suite->name);
    report_number(r, "packets", "packets sent", REPORT_COUNT, (double)(x->packets - before));
    report_number(r, "allocations", "allocations", REPORT_COUNT,
                  (double)(engine_allocations(x) - allocations));
    name_surroundings(r);
    engine_free(x);
    return report_end(r, &wish.report);
}

enum exits bench_engine(int argc, char **argv)
{
    static struct option_set set = {
        .program = "sttbench engine",
        .usage = "[OPTION]...",
        .about = "The bare engine, memory to memory: nanoseconds per packet, each way.",
        .options = options,
        .n = sizeof options / sizeof options[0],
        .into = &wish,
    };
    enum exits exit;
    if (!bench_options(&set, argc, argv, &exit))
        return exit;
    if (wish.quick && wish.full)
        return bench_usage("--quick and --full are two wishes; take one of them");
    const struct stt_aead_suite *suite = !wish.suite || strcmp(wish.suite, "null") == 0
                                             ? stt_sim_null_suite()
                                             : stt_aead_by_name(wish.suite, stt_cpu_detect());
    if (!suite)
        return bench_usage("this processor has no %s; choose another --suite", wish.suite);
    return wish.packets ? work(suite) : measure_all(suite);
}
