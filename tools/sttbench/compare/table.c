/* SPDX-License-Identifier: MIT
 * table: owns how the comparison is told: rows, ratios, demands, a picture, and the sentence that
 * says what limited STT. It must not know how it was measured. */
#include "tools/sttbench/compare/compare.h"
#include "tools/sttbench/report/demands.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
static const struct report_column columns[] = {
    {"name", "system", REPORT_TEXT},
    {"suite", "cipher", REPORT_TEXT},
    {"path", "path", REPORT_TEXT},
    {"goodput_bits_per_second", "goodput", REPORT_BITS_PER_S},
    {"goodput_min_bits_per_second", NULL, REPORT_BITS_PER_S},
    {"goodput_max_bits_per_second", NULL, REPORT_BITS_PER_S},
    {"sender_cpu_s_per_gb", "sender CPU", REPORT_S_PER_GB},
    {"receiver_cpu_s_per_gb", "receiver CPU", REPORT_S_PER_GB},
    {"sender_busy_percent", NULL, REPORT_PERCENT},
    {"receiver_busy_percent", NULL, REPORT_PERCENT},
    {"packets_lost", "lost", REPORT_COUNT},
    {"runs", NULL, REPORT_COUNT},
    {"how", "by", REPORT_TEXT},
};
/* clang-format on */

enum { COLUMNS_N = sizeof columns / sizeof columns[0], KEY_ROOM = 96 };

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

/* -- demands ----------------------------------------------------------------------------------- */

/* "ratios.stt_of_tls", and behind a veth "ratios.veth_offloads_off_stt_of_tls" */
static const char *ratio_key(char out[KEY_ROOM], const char *key, enum rows_path path)
{
    snprintf(out, KEY_ROOM, "ratios.%s%s%s", path ? rows_path_names[path] : "", path ? "_" : "",
             key);
    return out;
}

static void tell_ratios(const struct rows *rows, struct report *r)
{
    for (enum rows_path path = 0; path < ROWS_PATHS; path++)
        for (size_t i = 0; i < rows_comparisons_n; i++) {
            const struct rows_comparison *k = &rows_comparisons[i];
            double ratio = rows_compare(rows, k, path);
            char key[KEY_ROOM], words[128];
            if (isnan(ratio))
                continue;
            snprintf(words, sizeof words, "%s, %s", k->words, rows_path_words[path]);
            report_number(r, ratio_key(key, k->key, path), words, REPORT_RATIO, ratio);
        }
}

static void tell_demands(const struct compare *c, struct report *r)
{
    struct demands d;
    char key[KEY_ROOM];
    demands_begin(&d, r);
    for (enum rows_path path = 0; path < ROWS_PATHS; path++)
        for (size_t i = 0; i < rows_comparisons_n; i++)
            if (rows_comparisons[i].demand[path] > 0)
                demands_at_least(&d, ratio_key(key, rows_comparisons[i].key, path),
                                 rows_compare(&c->rows, &rows_comparisons[i], path),
                                 rows_comparisons[i].demand[path]);
    const struct rows_row *best = rows_find(&c->rows, "stt", "aegis", ROWS_LOOPBACK);
    if (best) {
        demands_at_most(&d, "stt_aegis_sender_cpu_s_per_gb", median(best, FIELD(sender_s_per_gb)),
                        ROWS_S_PER_GB_MAX);
        demands_at_most(&d, "stt_aegis_receiver_cpu_s_per_gb",
                        median(best, FIELD(receiver_s_per_gb)), ROWS_S_PER_GB_MAX);
    }
    demands_end(&d, c->options.demand);
}

/* -- what limited it --------------------------------------------------------------------------- */

#define NOISY 1.5 /* the best run, of the worst */

/* What this verb's own options can do about it. */
static const char *const advice[DIAGNOSIS_N] = {
    [DIAGNOSIS_SENDER_CPU] = "take a faster processor, or larger packets (--mtu); sttbench cpu "
                             "shows where the cycles go",
    [DIAGNOSIS_RECEIVER_CPU] = "take a faster processor, or larger packets (--mtu); sttbench cpu "
                               "shows where the cycles go",
    [DIAGNOSIS_SEND_BUFFER] = "take a larger --ring",
    DIAGNOSIS_ADVICE_HERE,
};

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
    struct diagnosis d = c->more[row - c->rows.at].diagnosis;
    char sentence[DIAGNOSIS_ROOM];
    d.sender.cpu_percent = median(row, FIELD(sender_busy)) * 100;
    d.receiver.cpu_percent = median(row, FIELD(receiver_busy)) * 100;
    d.ring_full_ns = d.held_ns[STT_HELD_APPLICATION]; /* who sends is never without data */
    d.advice = advice;
    if (diagnosis_find(&d, sentence) == DIAGNOSIS_UNKNOWN)
        snprintf(sentence, sizeof sentence,
                 "Limited by neither processor (%.0f and %.0f %% busy): somebody else needs them, "
                 "so run it on a quiet machine.",
                 d.sender.cpu_percent, d.receiver.cpu_percent);
    report_limited(r, "%s%s%s over %s: %s", strcmp(row->name, "stt") == 0 ? "STT" : row->name,
                   *row->suite ? " with " : "", row->suite, rows_path_words[row->path], sentence);
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
