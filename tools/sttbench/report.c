/* SPDX-License-Identifier: MIT
 * report: owns what a run found until it is printed. The JSON object is the model; beside it stand
 * the words and units with which people read the same numbers.
 *
 * Invariant: every figure is in the object. It does not know who measures. */
#include "tools/common/say.h"
#include "tools/sttbench/plot.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_ROOM = 600, INDENT = 2 };

struct line {
    char *words, value[REPORT_VALUE_ROOM];
    char *text; /* in place of the value */
};

struct report_table {
    char *words;
    const struct report_column *columns;
    size_t n, at; /* the cell that is next */
    json_t *rows;
    struct report_table *next;
};

struct report {
    json_t *object;
    char *title;
    struct line *lines;
    size_t n_lines;
    struct report_table *tables, **last_table;
    struct report_chart *charts, **last_chart;
    json_t *notes;
    char *limited;
    enum exits exit;
};

static void *need(void *memory)
{
    if (!memory) {
        say_error("there is not enough memory; measure less at once");
        exit(EXIT_LOCAL_IO);
    }
    return memory;
}

static char *copy(const char *text)
{
    return need(strdup(text));
}

static void *zeros(size_t len)
{
    return need(calloc(1, len));
}

/* Room for one more; doubles at powers of two. */
static void *more(void *array, size_t n, size_t size)
{
    bool is_full = (n & (n - 1)) == 0;
    return is_full ? need(realloc(array, (n ? 2 * n : 1) * size)) : array;
}

static char *sentence(const char *format, va_list args)
{
    char text[SENTENCE_ROOM];
    vsnprintf(text, sizeof text, format, args);
    return copy(text);
}

struct report *report_new(const char *verb, const char *title)
{
    struct report *r = zeros(sizeof *r);
    r->object = need(json_object());
    r->notes = need(json_array());
    r->title = copy(title);
    r->last_table = &r->tables;
    r->last_chart = &r->charts;
    json_object_set_new(r->object, "test", json_string(verb));
    return r;
}

/* -- single figures ------------------------------------------------------------------------------
 */

/* "ratios.stt_of_tcp" is a key of the object "ratios". */
static void set(struct report *r, const char *key, json_t *value)
{
    const char *dot = strchr(key, '.');
    json_t *object = r->object;
    if (dot) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)(dot - key), key);
        object = json_object_get(r->object, name);
        if (!object) {
            object = need(json_object());
            json_object_set_new(r->object, name, object);
        }
        key = dot + 1;
    }
    json_object_set_new(object, key, value);
}

static json_t *number(enum report_unit unit, double value)
{
    if (!isfinite(value))
        return json_null();
    if ((unit == REPORT_COUNT || unit == REPORT_BYTES) && fabs(value) < 0x1p62)
        return json_integer((json_int_t)llround(value));
    return json_real(value);
}

static struct line *line(struct report *r, const char *words)
{
    r->lines = more(r->lines, r->n_lines, sizeof *r->lines);
    struct line *l = &r->lines[r->n_lines++];
    *l = (struct line){.words = copy(words)};
    return l;
}

void report_text(struct report *r, const char *key, const char *words, const char *text)
{
    set(r, key, json_string(text));
    line(r, words)->text = copy(text);
}

void report_number(struct report *r, const char *key, const char *words, enum report_unit unit,
                   double value)
{
    set(r, key, number(unit, value));
    report_value(line(r, words)->value, unit, value);
}

void report_note(struct report *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = sentence(format, args);
    va_end(args);
    json_array_append_new(r->notes, json_string(text));
    free(text);
}

void report_limited(struct report *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    free(r->limited);
    r->limited = sentence(format, args);
    va_end(args);
    set(r, "limited_by", json_string(r->limited));
}

void report_fail(struct report *r, enum exits exit, const char *format, ...)
{
    if (r->exit)
        return;
    va_list args;
    va_start(args, format);
    char *text = sentence(format, args);
    va_end(args);
    r->exit = exit;
    set(r, "error", json_string(text));
    free(text);
}

/* -- tables ---------------------------------------------------------------------------------------
 */

struct report_table *report_table(struct report *r, const char *key, const char *words,
                                  const struct report_column *columns, size_t n)
{
    struct report_table *t = zeros(sizeof *t);
    *t = (struct report_table){
        .words = copy(words), .columns = columns, .n = n, .rows = need(json_array())};
    set(r, key, t->rows);
    *r->last_table = t;
    r->last_table = &t->next;
    return t;
}

void report_row(struct report_table *t)
{
    json_array_append_new(t->rows, need(json_object()));
    t->at = 0;
}

static void cell(struct report_table *t, json_t *value)
{
    json_t *row = json_array_get(t->rows, json_array_size(t->rows) - 1);
    json_object_set_new(row, t->columns[t->at++].key, value);
}

void report_cell(struct report_table *t, double value)
{
    cell(t, number(t->columns[t->at].unit, value));
}

void report_cell_text(struct report_table *t, const char *text)
{
    cell(t, json_string(text));
}

static const char *cell_text(const struct report_table *t, const json_t *row, size_t column,
                             char out[REPORT_VALUE_ROOM])
{
    const json_t *value = json_object_get(row, t->columns[column].key);
    if (json_is_string(value))
        return json_string_value(value);
    return report_value(out, t->columns[column].unit,
                        json_is_number(value) ? json_number_value(value) : NAN);
}

/* Characters, where text is UTF-8. */
static int width_of(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

static int width_of_column(const struct report_table *t, size_t column)
{
    char value[REPORT_VALUE_ROOM];
    int widest = width_of(t->columns[column].words);
    for (size_t i = 0; i < json_array_size(t->rows); i++) {
        int width = width_of(cell_text(t, json_array_get(t->rows, i), column, value));
        widest = width > widest ? width : widest;
    }
    return widest;
}

/* Texts to the left, numbers to the right. */
static void print_cell(FILE *out, const struct report_table *t, size_t column, const char *text)
{
    int pad = width_of_column(t, column) - width_of(text);
    bool is_text = t->columns[column].unit == REPORT_TEXT;
    bool is_last = column + 1 == t->n;
    fprintf(out, "%*s%s%*s", is_text ? 0 : pad, "", text, is_text && !is_last ? pad : 0, "");
    fputs(is_last ? "\n" : "   ", out);
}

static void print_table(FILE *out, const struct report_table *t)
{
    char value[REPORT_VALUE_ROOM];
    fprintf(out, "\n%s\n\n", t->words);
    for (size_t c = 0; c < t->n; c++)
        print_cell(out, t, c, t->columns[c].words);
    for (size_t i = 0; i < json_array_size(t->rows); i++)
        for (size_t c = 0; c < t->n; c++)
            print_cell(out, t, c, cell_text(t, json_array_get(t->rows, i), c, value));
}

/* -- charts
 * ---------------------------------------------------------------------------------------- */

struct report_chart *report_chart(struct report *r, const char *words, enum report_shape shape,
                                  const struct report_axis *x, const struct report_axis *y)
{
    struct report_chart *c = zeros(sizeof *c);
    *c = (struct report_chart){.words = copy(words), .shape = shape, .x = *x, .y = *y};
    c->x.words = copy(x->words);
    c->y.words = copy(y->words);
    *r->last_chart = c;
    r->last_chart = &c->next;
    return c;
}

void report_series(struct report_chart *c, const char *words)
{
    struct plot_series *s = zeros(sizeof *s);
    s->words = copy(words);
    *(c->last ? &c->last->next : &c->series) = s;
    c->last = s;
}

void report_point(struct report_chart *c, double x, double y)
{
    struct plot_series *s = c->last;
    s->points = more(s->points, s->n, sizeof *s->points);
    s->points[s->n++] = (struct plot_point){x, y};
}

void report_bar(struct report_chart *c, const char *label, double y)
{
    size_t place = c->last->n;
    if (place == c->n_labels) {
        c->labels = more(c->labels, c->n_labels, sizeof *c->labels);
        c->labels[c->n_labels++] = copy(label);
    }
    report_point(c, (double)place, y);
}

static void free_chart(struct report_chart *c)
{
    for (struct plot_series *s = c->series, *next; s; s = next) {
        next = s->next;
        free(s->words);
        free(s->points);
        free(s);
    }
    for (size_t i = 0; i < c->n_labels; i++)
        free(c->labels[i]);
    free(c->labels);
    free(c->words);
    free((void *)(uintptr_t)c->x.words);
    free((void *)(uintptr_t)c->y.words);
    free(c);
}

/* -- the end
 * --------------------------------------------------------------------------------------- */

static void print_people(FILE *out, const struct report *r)
{
    int widest = 0;
    fprintf(out, "%s\n", r->title);
    if (r->n_lines)
        fputc('\n', out);
    for (size_t i = 0; i < r->n_lines; i++) {
        int width = width_of(r->lines[i].words);
        widest = width > widest ? width : widest;
    }
    for (size_t i = 0; i < r->n_lines; i++) {
        const struct line *l = &r->lines[i];
        fprintf(out, "%s%*s   %s\n", l->words, widest - width_of(l->words), "",
                l->text ? l->text : l->value);
    }
    for (const struct report_table *t = r->tables; t; t = t->next)
        print_table(out, t);
    if (json_array_size(r->notes))
        fputc('\n', out);
    for (size_t i = 0; i < json_array_size(r->notes); i++)
        fprintf(out, "%s\n", json_string_value(json_array_get(r->notes, i)));
    if (r->limited)
        fprintf(out, "\n%s\n", r->limited);
}

static bool draw(const struct report *r, const char *path)
{
    char *table = NULL;
    size_t len;
    FILE *text = need(open_memstream(&table, &len)), *out = fopen(path, "w");
    print_people(text, r);
    fclose(text);
    if (out) {
        size_t n = strlen(path);
        const struct plot_page page = {r->title, table, r->limited ? r->limited : "", r->charts};
        (n > 4 && strcmp(path + n - 4, ".svg") == 0 ? plot_svg : plot_html)(out, &page);
    }
    free(table);
    bool is_written = out && !ferror(out);
    return out && fclose(out) == 0 && is_written;
}

static void release(struct report *r)
{
    for (struct report_table *t = r->tables, *next; t; t = next) {
        next = t->next;
        free(t->words);
        free(t);
    }
    for (struct report_chart *c = r->charts, *next; c; c = next) {
        next = c->next;
        free_chart(c);
    }
    for (size_t i = 0; i < r->n_lines; i++) {
        free(r->lines[i].words);
        free(r->lines[i].text);
    }
    free(r->lines);
    free(r->limited);
    free(r->title);
    json_decref(r->notes);
    json_decref(r->object);
    free(r);
}

enum exits report_end(struct report *r, const struct report_options *options)
{
    const char *error = json_string_value(json_object_get(r->object, "error"));
    if (json_array_size(r->notes))
        json_object_set(r->object, "notes", r->notes);
    if (options->json) {
        json_dumpf(r->object, stdout, JSON_INDENT(INDENT) | JSON_REAL_PRECISION(8));
        putchar('\n');
    } else
        print_people(stdout, r);
    if (error)
        say_error("%s", error);
    enum exits exit = r->exit;
    if (fflush(stdout) || ferror(stdout)) {
        say_error("standard output takes no more; nothing else is lost");
        exit = exit ? exit : EXIT_LOCAL_IO;
    }
    if (options->plot && !draw(r, options->plot)) {
        say_error("%s cannot be written; choose another --plot", options->plot);
        exit = exit ? exit : EXIT_LOCAL_IO;
    }
    release(r);
    return exit;
}
