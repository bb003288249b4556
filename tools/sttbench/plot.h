/* SPDX-License-Identifier: MIT
 * plot: pictures of a report's charts: SVG, or one HTML page that needs nothing else. */
#ifndef TOOLS_STTBENCH_PLOT_H
#define TOOLS_STTBENCH_PLOT_H

#include "tools/sttbench/report.h"

#include <stdio.h>

struct plot_point {
    double x, y;
};
struct plot_series {
    char *words;
    struct plot_point *points;
    size_t n, room;
    struct plot_series *next;
};
struct report_chart {
    char *words;
    enum report_shape shape;
    struct report_axis x, y; /* with words of their own */
    struct plot_series *series, *last;
    char **labels; /* BARS: of the places */
    size_t n_labels, labels_room;
    struct report_chart *next;
};

/* What stands around the charts: the same lines that people read in a terminal. */
struct plot_page {
    const char *title, *table, *sentence; /* table: text of fixed width */
    const struct report_chart *charts;
};

/* All charts, one below the other. */
void plot_svg(FILE *out, const struct plot_page *page);
/* Light and dark, values under the pointer, the table below the charts. */
void plot_html(FILE *out, const struct plot_page *page);

#endif
