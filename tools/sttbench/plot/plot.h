/* SPDX-License-Identifier: MIT
 * plot: pictures of a report's charts: SVG, or one HTML page that needs nothing else. */
#ifndef TOOLS_STTBENCH_PLOT_PLOT_H
#define TOOLS_STTBENCH_PLOT_PLOT_H

#include "tools/sttbench/report/report.h"

#include <stdio.h>

struct plot_point {
    double x, y;
};
struct plot_series {
    char *words;
    bool is_mark;
    struct plot_point *points;
    size_t n;
    struct plot_series *next;
};
struct report_chart {
    char *words;
    enum report_shape shape;
    struct report_axis x, y; /* with words of their own */
    struct plot_series *series, *last;
    char **labels; /* BARS: of the places */
    size_t n_labels;
    struct report_chart *next;
};

/* What people read of a report: texts, with their units. */
struct report_line {
    char *words, *value;
};
struct report_grid {
    const char *words;
    size_t columns, rows; /* row 0 has the names of the columns */
    bool *are_texts;      /* columns */
    int *widths;          /* of the columns, in characters */
    char **cells;         /* rows x columns */
    struct report_grid *next;
};

/* Texts may be NULL, and lists empty. */
struct plot_page {
    const char *title, *error, *sentence;
    const struct report_chart *charts;
    const struct report_line *lines;
    size_t n_lines;
    const struct report_grid *grids;
    const char *const *notes;
    size_t n_notes;
};

/* By the end of the name: ".svg" or ".html". */
bool plot_knows(const char *path);

/* What stands above the charts, and the charts, one below the other. */
void plot_svg(FILE *out, const struct plot_page *page);
/* Light and dark, values under the pointer, the figures below the charts. */
void plot_html(FILE *out, const struct plot_page *page);

#endif
