/* SPDX-License-Identifier: MIT
 * report: owns what a run found until it is printed. The JSON object is the model; beside it stand
 * the words and units with which people read the same numbers.
 *
 * Invariant: every figure is in the object, once, and every row has every column. It does not know
 * who measures. */
#include "tools/common/say.h"
#include "tools/sttbench/report/report_parts.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_ROOM = 1000, NAME_ROOM = 64, INDENT = 2, DIGITS = 10 };

void *report_need(void *memory)
{
    if (!memory) {
        say_error("there is not enough memory; measure less at once");
        exit(EXIT_LOCAL_IO);
    }
    return memory;
}

void *report_zeros(size_t len)
{
    return report_need(calloc(1, len));
}

void *report_more(void *array, size_t n, size_t size)
{
    bool is_full = (n & (n - 1)) == 0;
    return is_full ? report_need(realloc(array, (n ? 2 * n : 1) * size)) : array;
}

/* It may come from the network or a command line, and goes to a terminal, into JSON and into XML;
 * in each it is the same text. */
char *report_copy(const char *text)
{
    size_t room = strlen(text) + 1;
    return (char *)(uintptr_t)say_clean(text, report_need(malloc(room)), room);
}

static char *sentence(const char *format, va_list args)
{
    char text[SENTENCE_ROOM];
    vsnprintf(text, sizeof text, format, args);
    return report_copy(text);
}

struct report *report_new(const char *verb, const char *title)
{
    struct report *r = report_zeros(sizeof *r);
    r->object = report_need(json_object());
    r->title = report_copy(title);
    r->last_table = &r->tables;
    r->last_chart = &r->charts;
    json_object_set_new(r->object, "test", json_string(verb));
    return r;
}

/* -- single figures ---------------------------------------------------------------------------- */

/* "ratios.stt_of_tcp" is a key of the object "ratios". Whoever sets a key twice has forgotten a
 * figure. */
static void set(struct report *r, const char *key, json_t *value)
{
    const char *dot = strchr(key, '.');
    json_t *object = r->object;
    if (dot) {
        char name[NAME_ROOM];
        int len = snprintf(name, sizeof name, "%.*s", (int)(dot - key), key);
        assert(len < NAME_ROOM);
        object = json_object_get(r->object, name);
        if (!object) {
            object = report_need(json_object());
            json_object_set_new(r->object, name, object);
        }
        key = dot + 1;
    }
    assert(json_is_object(object) && !json_object_get(object, key));
    json_object_set_new(object, key, report_need(value));
}

static json_t *text_of(const char *text)
{
    return text ? report_need(json_string(text)) : json_null();
}

static json_t *number(enum report_unit unit, double value)
{
    if (!isfinite(value))
        return json_null();
    if ((unit == REPORT_COUNT || unit == REPORT_BYTES) && fabs(value) < 0x1p62)
        return report_need(json_integer((json_int_t)llround(value)));
    return report_need(json_real(value));
}

static void add_line(struct report *r, const char *words, const char *value)
{
    r->lines = report_more(r->lines, r->n_lines, sizeof *r->lines);
    r->lines[r->n_lines++] = (struct report_line){report_copy(words), report_copy(value)};
}

void report_text(struct report *r, const char *key, const char *words, const char *text)
{
    char *clean = text ? report_copy(text) : NULL;
    set(r, key, text_of(clean));
    add_line(r, words, clean ? clean : "-");
    free(clean);
}

void report_number(struct report *r, const char *key, const char *words, enum report_unit unit,
                   double value)
{
    char text[REPORT_VALUE_ROOM];
    set(r, key, number(unit, value));
    add_line(r, words, report_value(text, unit, value));
}

void report_note(struct report *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    r->notes = report_more(r->notes, r->n_notes, sizeof *r->notes);
    r->notes[r->n_notes++] = sentence(format, args);
    va_end(args);
}

void report_limited(struct report *r, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    free(r->limited);
    r->limited = sentence(format, args);
    va_end(args);
}

void report_fail(struct report *r, enum exits exit, const char *format, ...)
{
    assert(exit != EXIT_DONE);
    if (r->error)
        return;
    va_list args;
    va_start(args, format);
    r->exit = exit;
    r->error = sentence(format, args);
    va_end(args);
}

/* -- tables ------------------------------------------------------------------------------------ */

struct report_table *report_table(struct report *r, const char *key, const char *words,
                                  const struct report_column *columns, size_t n)
{
    struct report_table *t = report_zeros(sizeof *t);
    *t = (struct report_table){
        .words = report_copy(words), .columns = columns, .n = n, .rows = json_array()};
    if (key)
        set(r, key, json_incref(t->rows));
    *r->last_table = t;
    r->last_table = &t->next;
    return t;
}

void report_row(struct report_table *t)
{
    t->row = report_need(json_object());
    for (size_t i = 0; i < t->n; i++)
        json_object_set_new(t->row, t->columns[i].key, json_null());
    json_array_append_new(t->rows, t->row);
    t->at = 0;
}

static const struct report_column *next_column(struct report_table *t)
{
    assert(t->row && t->at < t->n);
    return &t->columns[t->at++];
}

void report_cell(struct report_table *t, double value)
{
    const struct report_column *c = next_column(t);
    json_object_set_new(t->row, c->key, number(c->unit, value));
}

void report_cell_text(struct report_table *t, const char *text)
{
    char *clean = text ? report_copy(text) : NULL;
    json_object_set_new(t->row, next_column(t)->key, text_of(clean));
    free(clean);
}

/* -- charts ------------------------------------------------------------------------------------ */

struct report_chart *report_chart(struct report *r, const char *words, enum report_shape shape,
                                  const struct report_axis *x, const struct report_axis *y)
{
    struct report_chart *c = report_zeros(sizeof *c);
    *c = (struct report_chart){.words = report_copy(words), .shape = shape, .x = *x, .y = *y};
    c->x.words = report_copy(x->words ? x->words : "");
    c->y.words = report_copy(y->words ? y->words : "");
    *r->last_chart = c;
    r->last_chart = &c->next;
    return c;
}

void report_series(struct report_chart *c, const char *words)
{
    struct plot_series *s = report_zeros(sizeof *s);
    s->words = report_copy(words);
    *(c->last ? &c->last->next : &c->series) = s;
    c->last = s;
}

void report_mark(struct report_chart *c, const char *words)
{
    report_series(c, words);
    c->last->is_mark = true;
}

void report_point(struct report_chart *c, double x, double y)
{
    struct plot_series *s = c->last;
    assert(s);
    s->points = report_more(s->points, s->n, sizeof *s->points);
    s->points[s->n++] = (struct plot_point){x, y};
}

void report_bar(struct report_chart *c, const char *label, double y)
{
    assert(c->last && c->shape == REPORT_BARS);
    size_t place = c->last->n;
    if (place == c->n_labels) {
        c->labels = report_more(c->labels, c->n_labels, sizeof *c->labels);
        c->labels[c->n_labels++] = report_copy(label);
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

/* -- the end ----------------------------------------------------------------------------------- */

static void release(struct report *r)
{
    for (struct report_table *t = r->tables, *next; t; t = next) {
        next = t->next;
        json_decref(t->rows);
        free(t->words);
        free(t);
    }
    for (struct report_chart *c = r->charts, *next; c; c = next) {
        next = c->next;
        free_chart(c);
    }
    for (size_t i = 0; i < r->n_lines; i++) {
        free(r->lines[i].words);
        free(r->lines[i].value);
    }
    for (size_t i = 0; i < r->n_notes; i++)
        free(r->notes[i]);
    free(r->lines);
    free(r->notes);
    free(r->limited);
    free(r->error);
    free(r->title);
    json_decref(r->object);
    free(r);
}

/* What is said in sentences comes last. */
static void complete(struct report *r)
{
    if (r->n_notes) {
        json_t *notes = json_array();
        set(r, "notes", notes);
        for (size_t i = 0; i < r->n_notes; i++)
            json_array_append_new(notes, text_of(r->notes[i]));
    }
    if (r->limited)
        set(r, "limited_by", text_of(r->limited));
    if (r->error)
        set(r, "error", text_of(r->error));
}

static bool print(const struct report *r, const struct plot_page *page, bool json)
{
    bool is_dumped = true;
    if (json) {
        is_dumped =
            json_dumpf(r->object, stdout, JSON_INDENT(INDENT) | JSON_REAL_PRECISION(DIGITS)) == 0;
        putchar('\n');
    } else
        report_print(stdout, page);
    return fflush(stdout) == 0 && !ferror(stdout) && is_dumped;
}

bool plot_knows(const char *path)
{
    const char *end = strrchr(path, '.');
    return end && (strcmp(end, ".svg") == 0 || strcmp(end, ".html") == 0);
}

/* An old picture stays until the new one is whole in memory. */
static bool write_picture(const struct plot_page *page, const char *path)
{
    char *picture = NULL;
    size_t len = 0;
    FILE *memory = report_need(open_memstream(&picture, &len));
    (strcmp(strrchr(path, '.'), ".svg") == 0 ? plot_svg : plot_html)(memory, page);
    bool is_whole = !ferror(memory);
    is_whole = fclose(memory) == 0 && is_whole;
    FILE *out = is_whole ? fopen(path, "we") : NULL;
    bool is_written = out && fwrite(picture, 1, len, out) == len;
    is_written = out && fclose(out) == 0 && is_written;
    free(picture);
    return is_written;
}

/* False: it was said why. */
static bool draw(const struct plot_page *page, const char *path)
{
    if (!plot_knows(path)) {
        say_error("%s: a picture is called .svg or .html", path);
        return false;
    }
    if (write_picture(page, path))
        return true;
    say_error("%s cannot be written: %s; choose another --plot", path, strerror(errno));
    return false;
}

static struct plot_page page_of(const struct report *r)
{
    return (struct plot_page){
        .title = r->title,
        .error = r->error,
        .sentence = r->limited,
        .charts = r->charts,
        .lines = r->lines,
        .n_lines = r->n_lines,
        .grids = report_grids(r->tables),
        .notes = (const char *const *)r->notes,
        .n_notes = r->n_notes,
    };
}

static void forget(struct report *r, struct plot_page *page)
{
    report_grids_free((struct report_grid *)(uintptr_t)page->grids);
    release(r);
}

bool report_draw(struct report *r, const char *plot)
{
    struct plot_page page = page_of(r);
    bool is_drawn = draw(&page, plot);
    forget(r, &page);
    return is_drawn;
}

enum exits report_end(struct report *r, const struct report_options *options)
{
    enum exits exit = r->exit;
    complete(r);
    struct plot_page page = page_of(r);
    bool is_printed = print(r, &page, options->json);
    int why = errno;
    if (r->error)
        say_error("%s", r->error);
    if (!is_printed)
        say_error("standard output takes no more: %s; the figures are lost", strerror(why));
    bool is_drawn = !options->plot || draw(&page, options->plot);
    forget(r, &page);
    return exit || (is_printed && is_drawn) ? exit : EXIT_LOCAL_IO;
}
