/* SPDX-License-Identifier: MIT
 * table: owns how the comparison is told. It must not know how it was measured. */
#include "tools/sttbench/compare/compare.h"

#include "stt/stats.h"

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
    {"how", "by", REPORT_TEXT},
};
static const struct report_column demand_columns[] = {
    {"key", "what", REPORT_TEXT},
    {"path", "path", REPORT_TEXT},
    {"demanded", "demanded", REPORT_RATIO},
    {"measured", "measured", REPORT_RATIO},
    {"verdict", "", REPORT_TEXT},
};
/* clang-format on */

enum { COLUMNS_N = sizeof columns / sizeof columns[0] };
enum { DEMAND_COLUMNS_N = sizeof demand_columns / sizeof demand_columns[0] };

#define FIELD(name) offsetof(struct rows_sample, name)

static void tell_rows(const struct compare *c, struct report *r)
{
    struct report_table *t = report_table(r, "results", "Medians of all runs", columns, COLUMNS_N);
    for (size_t i = 0; i < c->rows.n; i++) {
        const struct rows_row *row = &c->rows.at[i];
        struct rows_spread goodput = rows_spread(row, FIELD(bits_per_s));
        report_row(t);
        report_cell_text(t, row->name);
        report_cell_text(t, row->suite);
        report_cell_text(t, rows_path_names[row->path]);
        report_cell(t, goodput.median);
        report_cell(t, goodput.min);
        report_cell(t, goodput.max);
        report_cell(t, rows_spread(row, FIELD(sender_s_per_gb)).median);
        report_cell(t, rows_spread(row, FIELD(receiver_s_per_gb)).median);
        report_cell(t, rows_spread(row, FIELD(sender_busy)).median * 100);
        report_cell(t, rows_spread(row, FIELD(receiver_busy)).median * 100);
        report_cell(t, (double)c->more[i].lost);
        report_cell_text(t, c->more[i].how);
    }
}

static void tell_ratios(const struct compare *c, struct report *r)
{
    for (enum rows_path path = 0; path < ROWS_PATHS; path++)
        for (size_t i = 0; i < rows_comparisons_n; i++) {
            const struct rows_comparison *k = &rows_comparisons[i];
            double ratio = rows_compare(&c->rows, k, path);
            char key[96], words[128];
            if (isnan(ratio))
                continue;
            snprintf(key, sizeof key, "ratios.%s%s%s", path ? rows_path_names[path] : "",
                     path ? "_" : "", k->key);
            snprintf(words, sizeof words, "%s%s%s", k->words, path ? ", " : "",
                     path ? rows_path_words[path] : "");
            report_number(r, key, words, REPORT_RATIO, ratio);
        }
}

enum exits table_report(struct compare *c, struct report *r)
{
    (void)demand_columns;
    tell_ratios(c, r);
    tell_rows(c, r);
    return report_end(r, &c->options.report);
}
