/* SPDX-License-Identifier: MIT
 * report_people: owns how a report looks in a terminal: columns of text, as wide as what is in
 * them. */
#include "tools/sttbench/report/report_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GAP = 2, WIDTH = 100, WORD_ROOM = 256 };

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

static bool is_empty(const struct report_column *column, const json_t *rows)
{
    size_t i;
    const json_t *row;
    json_array_foreach(rows, i, row)
    {
        const json_t *value = json_object_get(row, column->key);
        if (json_is_string(value) ? *json_string_value(value) != 0 : !json_is_null(value))
            return false;
    }
    return true;
}

/* Columns that people see, of t->n. */
static size_t choose(const struct report_table *t, const struct report_column **out)
{
    size_t n = 0;
    for (size_t c = 0; c < t->n; c++)
        if (t->columns[c].words && !is_empty(&t->columns[c], t->rows))
            out[n++] = &t->columns[c];
    return n;
}

static struct report_grid *grid_of(const struct report_table *t)
{
    const struct report_column **columns = report_zeros(t->n * sizeof *columns);
    struct report_grid *g = report_zeros(sizeof *g);
    size_t rows = json_array_size(t->rows) + 1, n = choose(t, columns);
    *g = (struct report_grid){.words = t->words, .columns = n, .rows = rows};
    g->are_texts = report_zeros(n * sizeof *g->are_texts);
    g->widths = report_zeros(n * sizeof *g->widths);
    g->cells = report_zeros(rows * n * sizeof *g->cells);
    for (size_t row = 0; row < rows; row++)
        for (size_t c = 0; c < n; c++) {
            const struct report_column *column = columns[c];
            char *text = row ? cell_of(column, json_object_get(json_array_get(t->rows, row - 1),
                                                               column->key))
                             : report_copy(column->words);
            int width = width_of(text);
            g->cells[row * n + c] = text;
            g->widths[c] = width > g->widths[c] ? width : g->widths[c];
            g->are_texts[c] = column->unit == REPORT_TEXT;
        }
    free(columns);
    return g;
}

/* Some are for programs alone. */
static bool has_words(const struct report_table *t)
{
    bool has_some = false;
    for (size_t c = 0; c < t->n; c++)
        has_some |= t->columns[c].words != NULL;
    return has_some;
}

struct report_grid *report_grids(const struct report_table *tables)
{
    struct report_grid *first = NULL, **last = &first;
    for (; tables; tables = tables->next) {
        if (!json_array_size(tables->rows) || !has_words(tables))
            continue;
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

/* Texts to the left, numbers to the right; no blanks at the end of a line. */
static void print_row(FILE *out, const struct report_grid *g, const char *const *cells)
{
    int blanks = 0;
    for (size_t column = 0; column < g->columns; column++) {
        int pad = g->widths[column] - width_of(cells[column]);
        bool is_text = g->are_texts[column], is_nothing = !*cells[column];
        blanks += is_text ? 0 : pad;
        if (!is_nothing)
            fprintf(out, "%*s%s", blanks, "", cells[column]);
        blanks = (is_nothing ? blanks : 0) + (is_text ? pad : 0) + GAP;
    }
    putc('\n', out);
}

static void print_grid(FILE *out, const struct report_grid *g)
{
    fprintf(out, "\n%s\n\n", g->words);
    for (size_t row = 0; row < g->rows; row++)
        print_row(out, g, (const char *const *)g->cells + row * g->columns);
}

/* Broken between words; a word that is longer is a line of its own. */
static void print_sentence(FILE *out, const char *text)
{
    for (int at = 0; *text; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");
        char word[WORD_ROOM];
        snprintf(word, sizeof word, "%.*s", (int)len, text);
        int width = width_of(word);
        bool is_new_line = at && at + 1 + width > WIDTH;
        fprintf(out, "%s%.*s", !at ? "" : is_new_line ? "\n" : " ", (int)len, text);
        at = is_new_line || !at ? width : at + 1 + width;
        text += len;
    }
    putc('\n', out);
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
        fprintf(out, "%s%*s%s\n", l->words, widest - width_of(l->words) + GAP, "", l->value);
    }
    for (const struct report_grid *g = page->grids; g; g = g->next)
        print_grid(out, g);
    for (size_t i = 0; i < page->n_notes; i++) {
        fputs(i ? "" : "\n", out);
        print_sentence(out, page->notes[i]);
    }
    if (page->sentence) {
        putc('\n', out);
        print_sentence(out, page->sentence);
    }
}
