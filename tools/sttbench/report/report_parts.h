/* SPDX-License-Identifier: MIT
 * report_parts: how the parts of report share what a run found. */
#ifndef TOOLS_STTBENCH_REPORT_REPORT_PARTS_H
#define TOOLS_STTBENCH_REPORT_REPORT_PARTS_H

#include "tools/sttbench/plot/plot.h"

#include <jansson.h>

struct report_table {
    char *words;
    const struct report_column *columns;
    size_t n, at; /* the cell that is next */
    json_t *rows, *row;
    struct report_table *next;
};

struct report {
    json_t *object;
    char *title;
    struct report_line *lines;
    size_t n_lines;
    struct report_table *tables, **last_table;
    struct report_chart *charts, **last_chart;
    char **notes;
    size_t n_notes;
    char *limited, *error;
    enum exits exit;
};

/* Memory that there has to be. */
void *report_need(void *memory);
void *report_zeros(size_t len);
/* Room for one more; doubles at powers of two. */
void *report_more(void *array, size_t n, size_t size);
/* One line without control characters. */
char *report_copy(const char *text);

/* The tables as people read them. */
struct report_grid *report_grids(const struct report_table *tables);
void report_grids_free(struct report_grid *grids);

/* All of it but the charts, as text of fixed width. */
void report_print(FILE *out, const struct plot_page *page);

#endif
