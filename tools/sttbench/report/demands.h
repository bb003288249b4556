/* SPDX-License-Identifier: MIT
 * demands: what a verb's figures shall be, as a table beside what they are. */
#ifndef TOOLS_STTBENCH_REPORT_DEMANDS_H
#define TOOLS_STTBENCH_REPORT_DEMANDS_H

#include "tools/sttbench/report/report.h"

struct demands {
    struct report *report;
    struct report_table *table;
    unsigned n, missed;
};

void demands_begin(struct demands *d, struct report *r);
/* The key names the figure, its unit last. NAN was not measured: no row. */
void demands_at_most(struct demands *d, const char *key, double measured, double limit);
void demands_at_least(struct demands *d, const char *key, double measured, double limit);
/* is_strict: what was missed fails the report. */
void demands_end(struct demands *d, bool is_strict);

#endif
