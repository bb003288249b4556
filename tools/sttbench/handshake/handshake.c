/* SPDX-License-Identifier: MIT
 * handshake: owns the options and the report of the verb. */
#include "tools/sttbench/handshake/handshake.h"

#include "tools/common/say.h"
#include "tools/sttbench/report/demands.h"
#include "tools/sttbench/shared/pair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct flags {
    struct report_options report;
    uint32_t n;
    bool demand;
};

#define AT(field) .offset = offsetof(struct flags, field)

/* clang-format off */
static const struct option options[] = {
    {"count", 'n', BENCH_NUMBER(n, 10, HANDSHAKE_MAX), .help = "handshakes of each kind (1000)"},
    {"demand", 0, BENCH_DEMAND},
    {"json", 'J', BENCH_JSON},
    {"plot", 0, BENCH_PLOT},
};
/* clang-format on */

/* -- each side alone --------------------------------------------------------------------------- */

static double mean(const double *values, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += values[i];
    return sum / (double)n;
}

static void tell_side(struct report_table *t, struct handshake_alone *a, const char *kind, int side,
                      double *of_dh)
{
    double each = mean(a->us[side], a->n);
    *of_dh = a->floor_us / each;
    report_row(t);
    report_cell_text(t, kind);
    report_cell_text(t, side ? "responder" : "initiator");
    report_cell(t, 1e6 / each);
    report_cell(t, figures_percentile(a->us[side], a->n, 50));
    report_cell(t, figures_percentile(a->us[side], a->n, 99));
    report_cell(t, 1e6 / a->floor_us);
    report_cell(t, *of_dh);
}

/* The worse of both sides in mode K between those who know each other; NAN: it failed. */
static double tell_alone(struct report *r, uint32_t n)
{
    static const struct report_column columns[] = {
        {"mode", "mode", REPORT_TEXT},
        {"side", "side", REPORT_TEXT},
        {"handshakes_per_second", "a second", REPORT_COUNT},
        {"p50_us", "p50", REPORT_US},
        {"p99_us", "p99", REPORT_US},
        {"dh_only_per_second", "DH alone", REPORT_COUNT},
        {"handshake_of_dh", "of DH", REPORT_RATIO},
    };
    static const struct {
        const char *name;
        enum stt_mode mode;
        bool are_strangers;
    } kinds[] = {{"K", STT_MODE_K, false},
                 {"K, strangers", STT_MODE_K, true},
                 {"S", STT_MODE_S, false},
                 {"W", STT_MODE_W, false}};
    static struct handshake_alone a;
    double of_dh[2], worst = NAN;
    struct report_table *t =
        report_table(r, "alone", "Each side alone, on one core, from memory to memory", columns,
                     sizeof columns / sizeof columns[0]);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        a.mode = kinds[i].mode;
        a.are_strangers = kinds[i].are_strangers;
        a.n = n;
        if (!handshake_alone(&a))
            return NAN;
        for (int side = 0; side < 2; side++)
            tell_side(t, &a, kinds[i].name, side, &of_dh[side]);
        if (i == 0)
            worst = of_dh[0] < of_dh[1] ? of_dh[0] : of_dh[1];
    }
    return worst;
}

/* -- between two processes --------------------------------------------------------------------- */

static void tell_row(struct report_table *t, const struct handshake_kind *kind,
                     struct handshake_row *row)
{
    double n = row->n;
    report_row(t);
    report_cell_text(t, kind->name);
    report_cell(t, kind->at_once);
    report_cell(t, n / row->seconds);
    report_cell(t, figures_percentile(row->us, row->n, 50));
    report_cell(t, figures_percentile(row->us, row->n, 99));
    report_cell(t, row->cpu_s[0] * 1e6 / n);
    report_cell(t, row->cpu_s[1] * 1e6 / n);
}

static bool tell_between(struct report *r, struct handshake_between *b)
{
    static const struct report_column columns[] = {
        {"mode", "mode", REPORT_TEXT},
        {"at_once", "at once", REPORT_COUNT},
        {"handshakes_per_second", "a second", REPORT_COUNT},
        {"p50_us", "p50", REPORT_US},
        {"p99_us", "p99", REPORT_US},
        {"initiator_cpu_us", "CPU, initiator", REPORT_US},
        {"responder_cpu_us", "CPU, responder", REPORT_US},
    };
    const struct pair_end ends[2] = {{handshake_ask, pair_cpu(0), -1},
                                     {handshake_answer, pair_cpu(1), -1}};
    char why[OPTION_WHY_ROOM];
    if (!pair_run(ends, b, STT_S(120), why)) {
        report_fail(r, EXIT_NETWORK, "handshakes between two processes were not measured: %s", why);
        return false;
    }
    struct report_table *t = report_table(r, "sockets", "Between two processes, over loopback",
                                          columns, sizeof columns / sizeof columns[0]);
    for (int i = 0; i < HANDSHAKE_ROWS_N; i++)
        tell_row(t, &handshake_kinds[i], &b->rows[i]);
    return true;
}

static void draw(struct report *r, struct handshake_between *b)
{
    static const struct report_axis x = {"mode", REPORT_TEXT, false},
                                    y = {"median", REPORT_US, false};
    struct report_chart *c =
        report_chart(r, "A handshake, one after the other, over loopback", REPORT_BARS, &x, &y);
    report_series(c, "from the call to the session");
    for (int i = 0; i < HANDSHAKE_ROWS_N; i++)
        if (handshake_kinds[i].at_once == 1)
            report_bar(c, handshake_kinds[i].name,
                       figures_percentile(b->rows[i].us, b->rows[i].n, 50));
}

/* -- the verb ---------------------------------------------------------------------------------- */

static enum exits measure(const struct flags *flags, struct handshake_between *b)
{
    struct report *r = report_new("handshake", "Full handshakes");
    struct demands d;
    b->n = flags->n;
    if (getrandom(b->seed, sizeof b->seed, 0) != sizeof b->seed)
        report_fail(r, EXIT_LOCAL_IO, "the system gives no random bytes");
    double of_dh = tell_alone(r, flags->n);
    if (isnan(of_dh))
        report_fail(r, EXIT_LOCAL_IO, "handshakes in memory were not measured");
    if (tell_between(r, b))
        draw(r, b);
    report_number(r, "ratios.handshake_of_dh", "mode K, of what DH alone allows", REPORT_RATIO,
                  of_dh);
    demands_begin(&d, r);
    demands_at_least(&d, "ratios.handshake_of_dh", of_dh, 0.8);
    demands_end(&d, flags->demand);
    report_limited(r,
                   "Limited by the processor: X25519 takes %.0f %% of a side's time in mode K; "
                   "more handshakes a second need more workers (stt_node_spawn()).",
                   of_dh * 100);
    return report_end(r, &flags->report);
}

enum exits bench_handshake(int argc, char **argv)
{
    static struct flags flags = {.n = 1000};
    struct option_set set = {
        .program = "sttbench handshake",
        .usage = "[OPTION]...",
        .about = "Full handshakes in each mode: how many a second each side can do on one core,\n"
                 "beside what Diffie-Hellman alone allows; and how long one takes over loopback.",
        .options = options,
        .n = sizeof options / sizeof options[0],
        .into = &flags,
    };
    enum exits exit;
    if (!bench_options(&set, argc, argv, &exit))
        return exit;
    struct handshake_between *b = pair_memory(sizeof *b);
    if (!b) {
        say_error("there is not enough memory");
        return EXIT_LOCAL_IO;
    }
    exit = measure(&flags, b);
    pair_forget(b, sizeof *b);
    return exit;
}
