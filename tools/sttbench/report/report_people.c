/* SPDX-License-Identifier: MIT
 * report_people: owns how a report looks in a terminal: columns of text, as wide as what is in
 * them. */
#include "tools/sttbench/report/report_parts.h"

#include <math.h>
#include <stdlib.h>

/* Characters, where text is UTF-8. */
static int width_of(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

/* -- tables as grids of texts ------------------------------------------------------------------ */

static char *cell_of(const struct report_column *column, const json_t *value)
{
    char text[REPORT_VALUE_ROOM];
    if (json_is_string(value))
        return report_copy(json_string_value(value));
    return report_copy(
        report_value(text, column->unit, json_is_number(value) ? json_number_value(value) : NAN));
}

static struct report_grid *grid_of(const struct report_table *t)
{
    struct report_grid *g = report_zeros(sizeof *g);
    size_t rows = json_array_size(t->rows) + 1, n = t->n;
    *g = (struct report_grid){.words = t->words, .columns = n, .rows = rows};
    g->are_texts = report_zeros(n * sizeof *g->are_texts);
    g->widths = report_zeros(n * sizeof *g->widths);
    g->cells = report_zeros(rows * n * sizeof *g->cells);
    for (size_t row = 0; row < rows; row++)
        for (size_t c = 0; c < n; c++) {
            const struct report_column *column = &t->columns[c];
            char *text = row ? cell_of(column, json_object_get(json_array_get(t->rows, row - 1),
                                                               column->key))
                             : report_copy(column->words);
            int width = width_of(text);
            g->cells[row * n + c] = text;
            g->widths[c] = width > g->widths[c] ? width : g->widths[c];
            g->are_texts[c] = column->unit == REPORT_TEXT;
        }
    return g;
}

struct report_grid *report_grids(const struct report_table *tables)
{
    struct report_grid *first = NULL, **last = &first;
    for (; tables; tables = tables->next) {
        *last = grid_of(tables);
        last = &(*last)->next;
    }
    return first;
}

void report_grids_free(struct report_grid *grids)
{
    for (struct report_grid *next; grids; grids = next) {
        next = grids->next;
        for (size_t i = 0; i < grids->rows * grids->columns; i++)
            free(grids->cells[i]);
        free(grids->cells);
        free(grids->widths);
        free(grids->are_texts);
        free(grids);
    }
}

/* -- printing ---------------------------------------------------------------------------------- */

/* Texts to the left, numbers to the right. */
static void print_cell(FILE *out, const struct report_grid *g, size_t column, const char *text)
{
    int pad = g->widths[column] - width_of(text);
    bool is_text = g->are_texts[column], is_last = column + 1 == g->columns;
    fprintf(out, "%*s%s%*s%s", is_text ? 0 : pad, "", text, is_text && !is_last ? pad : 0, "",
            is_last ? "\n" : "   ");
}

static void print_grid(FILE *out, const struct report_grid *g)
{
    fprintf(out, "\n%s\n\n", g->words);
    for (size_t row = 0; row < g->rows; row++)
        for (size_t column = 0; column < g->columns; column++)
            print_cell(out, g, column, g->cells[row * g->columns + column]);
}

void report_print(FILE *out, const struct plot_page *page)
{
    int widest = 0;
    for (size_t i = 0; i < page->n_lines; i++) {
        int width = width_of(page->lines[i].words);
        widest = width > widest ? width : widest;
    }
    fprintf(out, "%s\n%s", page->title, page->n_lines ? "\n" : "");
    for (size_t i = 0; i < page->n_lines; i++) {
        const struct report_line *l = &page->lines[i];
        fprintf(out, "%s%*s   %s\n", l->words, widest - width_of(l->words), "", l->value);
    }
    for (const struct report_grid *g = page->grids; g; g = g->next)
        print_grid(out, g);
    for (size_t i = 0; i < page->n_notes; i++)
        fprintf(out, "%s%s\n", i ? "" : "\n", page->notes[i]);
    if (page->sentence)
        fprintf(out, "\n%s\n", page->sentence);
}
