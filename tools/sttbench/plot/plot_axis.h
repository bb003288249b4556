/* SPDX-License-Identifier: MIT
 * plot_axis: from what to what an axis goes, where it has ticks, and what is written beside them.
 */
#ifndef TOOLS_STTBENCH_PLOT_PLOT_AXIS_H
#define TOOLS_STTBENCH_PLOT_PLOT_AXIS_H

#include "tools/sttbench/report/report.h"

/* Of the values that an axis has to show. */
struct plot_range {
    double least, most;
    bool is_empty;
};
#define PLOT_RANGE_INIT                                                                            \
    {                                                                                              \
        .is_empty = true                                                                           \
    }
/* Whether an axis can show it at all: not NAN, not endless, and above 0 where it is logarithmic. */
bool plot_range_has_place(double value, bool is_log);
void plot_range_add(struct plot_range *range, double value, bool is_log);

enum plot_ends {
    PLOT_ENDS_TIGHT, /* the values fill it */
    PLOT_ENDS_NICE,  /* from tick to tick, and from 0 unless what there is to see is far from it */
    PLOT_ENDS_ZERO,  /* from tick to tick, and 0 is one of them */
};

enum { PLOT_TICKS_MAX = 24 };
struct plot_tick {
    double at;
    char text[REPORT_VALUE_ROOM];
};
struct plot_axis {
    double from, to;
    bool is_log;
    size_t n;
    struct plot_tick ticks[PLOT_TICKS_MAX];
    const char *unit; /* of all texts; "" where each has its own */
};

/* With about so many ticks. An empty range is one from 0 to 1. */
void plot_axis_init(struct plot_axis *a, const struct report_axis *like,
                    const struct plot_range *range, enum plot_ends ends, size_t ticks);

/* 0 at its beginning, 1 at its end; for values that have a place. */
double plot_axis_place(const struct plot_axis *a, double value);

#endif
