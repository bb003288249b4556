/* SPDX-License-Identifier: MIT
 * demands: owns the table "demands" of a report, and counts what was missed. */
#include "tools/sttbench/report/demands.h"

#include <math.h>

static const struct report_column columns[] = {
    {"name", "demanded", REPORT_TEXT},   {"bound", "", REPORT_TEXT},
    {"demanded", "limit", REPORT_PLAIN}, {"measured", "measured", REPORT_PLAIN},
    {"verdict", "", REPORT_TEXT},
};

void demands_begin(struct demands *d, struct report *r)
{
    *d = (struct demands){.report = r};
    d->table = report_table(r, "demands", "What this project demands of itself", columns,
                            sizeof columns / sizeof columns[0]);
}

static void judge(struct demands *d, const char *key, const char *bound, double measured,
                  double limit, bool is_met)
{
    if (isnan(measured))
        return;
    report_row(d->table);
    report_cell_text(d->table, key);
    report_cell_text(d->table, bound);
    report_cell(d->table, limit);
    report_cell(d->table, measured);
    report_cell_text(d->table, is_met ? "met" : "missed");
    d->n++;
    d->missed += !is_met;
}

void demands_at_most(struct demands *d, const char *key, double measured, double limit)
{
    judge(d, key, "at most", measured, limit, measured <= limit);
}

void demands_at_least(struct demands *d, const char *key, double measured, double limit)
{
    judge(d, key, "at least", measured, limit, measured >= limit);
}

void demands_end(struct demands *d, bool is_strict)
{
    if (is_strict && d->missed)
        report_fail(d->report, EXIT_PARTIAL, "%u of %u demands are missed; the table says which",
                    d->missed, d->n);
}
