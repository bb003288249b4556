/* SPDX-License-Identifier: MIT
 * table: owns how the comparison is told: rows, ratios, demands, a picture, and the sentence that
 * says what limited STT. It must not know how it was measured. */
#include "stt/stats.h"
#include "tools/sttbench/compare/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
static const struct report_column columns[] = {
    {"name", "system", REPORT_TEXT},
    {"suite", "cipher", REPORT_TEXT},
    {"path", "path", REPORT_TEXT},
    {"goodput_bits_per_second", "goodput", REPORT_BITS_PER_S},
    {"goodput_min_bits_per_second", "least", REPORT_BITS_PER_S},
    {"goodput_max_bits_per_second", "most", REPORT_BITS_PER_S},
    {"sender_cpu_s_per_gb", "CPU, sender", REPORT_S_PER_GB},
    {"receiver_cpu_s_per_gb", "receiver", REPORT_S_PER_GB},
    {"sender_busy_percent", "busy, sender", REPORT_PERCENT},
    {"receiver_busy_percent", "receiver", REPORT_PERCENT},
    {"packets_lost", "lost", REPORT_COUNT},
    {"runs", "runs", REPORT_COUNT},
    {"how", "by", REPORT_TEXT},
};
static const struct report_column demand_columns[] = {
    {"key", "demand", REPORT_TEXT},
    {"path", "path", REPORT_TEXT},
    {"sense", "", REPORT_TEXT},
    {"demanded", "demanded", REPORT_RATIO},
    {"measured", "measured", REPORT_RATIO},
    {"verdict", "", REPORT_TEXT},
};
/* clang-format on */

enum { COLUMNS_N = sizeof columns / sizeof columns[0] };
enum { DEMAND_COLUMNS_N = sizeof demand_columns / sizeof demand_columns[0] };

#define FIELD(name) offsetof(struct rows_sample, name)

static double median(const struct rows_row *row, size_t field)
{
    return rows_spread(row, field).median;
}

static void tell_row(struct report_table *t, const struct rows_row *row,
                     const struct compare_row *more)
{
    struct rows_spread goodput = rows_spread(row, FIELD(bits_per_s));
    report_row(t);
    report_cell_text(t, row->name);
    report_cell_text(t, *row->suite ? row->suite : "none");
    report_cell_text(t, rows_path_names[row->path]);
    report_cell(t, goodput.median);
    report_cell(t, goodput.min);
    report_cell(t, goodput.max);
    report_cell(t, median(row, FIELD(sender_s_per_gb)));
    report_cell(t, median(row, FIELD(receiver_s_per_gb)));
    report_cell(t, median(row, FIELD(sender_busy)) * 100);
    report_cell(t, median(row, FIELD(receiver_busy)) * 100);
    report_cell(t, (double)more->lost);
    report_cell(t, (double)row->n);
    report_cell_text(t, more->how);
}

static void tell_ratios(const struct rows *rows, struct report *r)
{
    for (enum rows_path path = 0; path < ROWS_PATHS; path++)
        for (size_t i = 0; i < rows_comparisons_n; i++) {
            const struct rows_comparison *k = &rows_comparisons[i];
            double ratio = rows_compare(rows, k, path);
            char key[96], words[128];
            if (isnan(ratio))
                continue;
            snprintf(key, sizeof key, "ratios.%s%s%s", path ? rows_path_names[path] : "",
                     path ? "_" : "", k->key);
            snprintf(words, sizeof words, "%s, %s", k->words, rows_path_words[path]);
            report_number(r, key, words, REPORT_RATIO, ratio);
        }
}

/* -- demands ----------------------------------------------------------------------------------- */

struct verdict {
    struct report *r;
    struct report_table *t;
    unsigned n, missed;
};

static void judge(struct verdict *v, const char *key, enum rows_path path, double demanded,
                  double measured, bool is_least)
{
    if (demanded == 0 || isnan(measured))
        return;
    bool is_met = is_least ? measured >= demanded : measured <= demanded;
    if (!v->n++)
        v->t = report_table(v->r, "demands", "What this project demands of itself", demand_columns,
                            DEMAND_COLUMNS_N);
    v->missed += !is_met;
    report_row(v->t);
    report_cell_text(v->t, key);
    report_cell_text(v->t, rows_path_names[path]);
    report_cell_text(v->t, is_least ? "at least" : "at most");
    report_cell(v->t, demanded);
    report_cell(v->t, measured);
    report_cell_text(v->t, is_met ? "met" : "missed");
}

static void tell_demands(const struct compare *c, struct report *r)
{
    struct verdict v = {.r = r};
    for (enum rows_path path = 0; path < ROWS_PATHS; path++)
        for (size_t i = 0; i < rows_comparisons_n; i++)
            judge(&v, rows_comparisons[i].key, path, rows_comparisons[i].demand[path],
                  rows_compare(&c->rows, &rows_comparisons[i], path), true);
    const struct rows_row *best = rows_find(&c->rows, "stt", "aegis", ROWS_LOOPBACK);
    if (best) {
        judge(&v, "stt_aegis_sender_cpu_s_per_gb", ROWS_LOOPBACK, ROWS_S_PER_GB_MAX,
              median(best, FIELD(sender_s_per_gb)), false);
        judge(&v, "stt_aegis_receiver_cpu_s_per_gb", ROWS_LOOPBACK, ROWS_S_PER_GB_MAX,
              median(best, FIELD(receiver_s_per_gb)), false);
    }
    if (v.missed && c->options.demand)
        report_fail(r, EXIT_PARTIAL, "%u of %u demands are missed; the table of demands says which",
                    v.missed, v.n);
}

/* -- what limited it --------------------------------------------------------------------------- */

#define BUSY  0.9
#define NOISY 1.5 /* the best run, of the worst */

static const char *const advice[STT_HELD_COUNT] = {
    [STT_HELD_APPLICATION] = "give it more to send at once, by a larger --ring",
    [STT_HELD_STREAM_FLOW] = "take --preset high-throughput, whose windows are larger",
    [STT_HELD_SESSION_FLOW] = "take --preset high-throughput, whose windows are larger",
    [STT_HELD_PATH] = "run it longer: a key update is over in a moment",
    [STT_HELD_WINDOW] = "allow larger socket buffers (sysctl net.core.rmem_max): packets are lost",
    [STT_HELD_PACER] = "run it longer: the controller has not found the path's rate",
    [STT_HELD_CARRIER] = "run it again: the carrier took no more",
    [STT_HELD_MACHINE] = "somebody else needs the processors, so run it on a quiet machine",
};

static void tell_what_held_it(struct report *r, const struct rows_row *row,
                              const struct compare_row *more)
{
    enum stt_held_by most = 0;
    double all = 0;
    for (enum stt_held_by by = 0; by < STT_HELD_COUNT; by++) {
        all += (double)more->held_by_ns[by];
        most = more->held_by_ns[by] > more->held_by_ns[most] ? by : most;
    }
    report_limited(r,
                   "STT with %s was limited by %s, for %.0f %% of the time, with both processors "
                   "partly idle (%.0f %% and %.0f %% busy): %s.",
                   row->suite, stt_held_text(most),
                   all > 0 ? (double)more->held_by_ns[most] / all * 100 : 0,
                   median(row, FIELD(sender_busy)) * 100, median(row, FIELD(receiver_busy)) * 100,
                   advice[most]);
}

/* Of the fastest row of STT; without one, the fastest of all. */
static const struct rows_row *find_main_row(const struct rows *rows)
{
    const struct rows_row *found = NULL;
    for (size_t i = 0; i < rows->n && !found; i++)
        found = rows_find(rows, "stt", "", rows->at[i].path);
    for (size_t i = 0; i < rows->n && !found; i++)
        found = rows_find(rows, rows->at[i].name, "", rows->at[i].path);
    return found;
}

static void tell_limit(const struct compare *c, struct report *r)
{
    const struct rows_row *row = find_main_row(&c->rows);
    if (!row)
        return;
    const struct compare_row *more = &c->more[row - c->rows.at];
    double sender = median(row, FIELD(sender_busy)), receiver = median(row, FIELD(receiver_busy));
    bool is_stt = strcmp(row->name, "stt") == 0;
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", is_stt ? "STT" : row->name, *row->suite ? " with " : "",
             row->suite);
    if (fmin(sender, receiver) >= BUSY)
        report_limited(
            r,
            "%s over %s was limited by the processors of both ends, which were %.0f %% "
            "and %.0f %% busy with it%s: take faster ones or larger datagrams (--mtu)%s.",
            name, rows_path_words[row->path], sender * 100, receiver * 100,
            more->setup.spin_ns || more->setup.way == RUN_SPINNING ? " (who spins is always busy)"
                                                                   : "",
            is_stt ? "; sttbench cpu shows where the cycles go" : "");
    else if (fmax(sender, receiver) >= BUSY)
        report_limited(r,
                       "%s over %s was limited by the %s's processor, which was %.0f %% busy with "
                       "it, the other one %.0f %%: take a faster processor or larger datagrams "
                       "(--mtu)%s.",
                       name, rows_path_words[row->path], sender >= receiver ? "sender" : "receiver",
                       fmax(sender, receiver) * 100, fmin(sender, receiver) * 100,
                       is_stt ? "; sttbench cpu shows where its cycles go" : "");
    else if (is_stt)
        tell_what_held_it(r, row, more);
    else
        report_limited(r,
                       "%s was limited by neither processor (%.0f %% and %.0f %% busy): somebody "
                       "else needs them, so run it on a quiet machine.",
                       name, sender * 100, receiver * 100);
}

/* A median that others had a hand in may meet a demand, or miss one, by chance. */
static void tell_noise(const struct rows *rows, struct report *r)
{
    for (const struct rows_row *row = rows->at; row != rows->at + rows->n; row++) {
        struct rows_spread goodput = rows_spread(row, FIELD(bits_per_s));
        if (row->n && goodput.max > NOISY * goodput.min)
            report_note(r,
                        "Runs of %s%s%s over %s differ by a factor of %.1f: its ratios say little; "
                        "run it again on a quiet machine.",
                        row->name, *row->suite ? " " : "", row->suite, rows_path_words[row->path],
                        goodput.max / goodput.min);
    }
}

/* -- a picture --------------------------------------------------------------------------------- */

static void draw(const struct rows *rows, struct report *r)
{
    const struct report_axis x = {"system", REPORT_TEXT, false},
                             y = {"goodput", REPORT_BITS_PER_S, false},
                             cost = {"processor", REPORT_S_PER_GB, false};
    struct report_chart *c = report_chart(r, "Goodput, medians", REPORT_BARS, &x, &y);
    for (size_t i = 0; i < rows->n; i++) {
        char label[64];
        const struct rows_row *row = &rows->at[i];
        snprintf(label, sizeof label, "%s%s%s", row->name, *row->suite ? " " : "", row->suite);
        if (i == 0 || row->path != rows->at[i - 1].path)
            report_series(c, rows_path_words[row->path]);
        report_bar(c, label, median(row, FIELD(bits_per_s)));
    }
    c = report_chart(r, "Processor time for a gigabyte, over loopback", REPORT_BARS, &x, &cost);
    for (int side = 0; side < 2; side++) {
        report_series(c, side ? "receiver" : "sender");
        for (size_t i = 0; i < rows->n && rows->at[i].path == rows->at[0].path; i++) {
            char label[64];
            const struct rows_row *row = &rows->at[i];
            snprintf(label, sizeof label, "%s%s%s", row->name, *row->suite ? " " : "", row->suite);
            report_bar(c, label,
                       median(row, side ? FIELD(receiver_s_per_gb) : FIELD(sender_s_per_gb)));
        }
    }
}

void table_report(const struct compare *c, struct report *r)
{
    tell_ratios(&c->rows, r);
    struct report_table *t = report_table(r, "results", "Medians of all runs", columns, COLUMNS_N);
    for (size_t i = 0; i < c->rows.n; i++)
        tell_row(t, &c->rows.at[i], &c->more[i]);
    tell_demands(c, r);
    tell_limit(c, r);
    tell_noise(&c->rows, r);
    if (c->rows.n)
        draw(&c->rows, r);
}
