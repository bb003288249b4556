/* SPDX-License-Identifier: MIT
 * plot_lines: owns a chart of lines over an axis: the lines, their names where they end, and the
 * values at each place of the x axis, which are seen under the pointer.
 *
 * Invariant: what has no place (NAN, or 0 where the axis is logarithmic) leaves a gap. A picture
 * does not grow with the number of points beyond what its pixels can show. */
#include "tools/sttbench/plot/plot_parts.h"
#include "tools/sttbench/report/report_parts.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { HEIGHT_WIDE = 270, HEIGHT_NARROW = 210, CAPTION = 26, FOOT = 44, GAP = 8 };
enum { ENDS_MAX = 7, END_LINE = 18, END_REACH = 14, END_ROOM = 200, DOTS_MAX = 40, BAND = 5 };

static double widest_tick(const struct plot_axis *a)
{
    double widest = 0;
    for (size_t i = 0; i < a->n; i++)
        widest = fmax(widest, plot_text_width(a->ticks[i].text));
    return widest;
}

/* Its share of the way along the x axis; 0 where there is none. */
static double end_of(const struct plot_frame *f, const struct plot_series *s)
{
    for (size_t i = s->n; i > 0; i--) {
        struct plot_point p = s->points[i - 1];
        if (plot_range_has_place(p.x, f->x.is_log) && plot_range_has_place(p.y, f->y.is_log))
            return plot_axis_place(&f->x, p.x);
    }
    return 0;
}

/* Names stand where lines end if that is at the right edge, there are few, and room for them. */
static double room_for_ends(struct plot_frame *f)
{
    double widest = 0, first = 1;
    size_t n = 0;
    for (const struct plot_series *s = f->chart->series; s; s = s->next, n++) {
        widest = fmax(widest, plot_text_width(s->words));
        first = fmin(first, end_of(f, s));
    }
    f->has_ends = !f->is_narrow && n > 1 && n <= ENDS_MAX && widest <= END_ROOM && first > 0.95;
    f->has_legend = f->has_legend && !f->has_ends;
    return f->has_ends ? widest + END_REACH + GAP : 24;
}

void plot_lines_layout(struct plot_frame *f)
{
    f->left = widest_tick(&f->y) + GAP;
    f->right = f->width - room_for_ends(f);
    f->top = CAPTION;
    f->bottom = f->top + (f->is_narrow ? HEIGHT_NARROW : HEIGHT_WIDE);
    f->height = f->bottom + FOOT;
}

/* -- axes -------------------------------------------------------------------------------------- */

static double x_of(const struct plot_frame *f, double x)
{
    return f->left + plot_axis_place(&f->x, x) * (f->right - f->left);
}

static double y_of(const struct plot_frame *f, double y)
{
    return f->bottom - plot_axis_place(&f->y, y) * (f->bottom - f->top);
}

static void write_caption(char *out, size_t room, const struct report_axis *axis, const char *unit)
{
    snprintf(out, room, "%s%s%s", axis->words, *unit && *axis->words ? ", " : "", unit);
}

static void draw_axes(const struct plot_frame *f)
{
    char text[300];
    for (size_t i = 0; i < f->y.n; i++) {
        double y = y_of(f, f->y.ticks[i].at);
        fprintf(f->out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                f->left, y, f->right, y);
        plot_words(f->out, &(struct plot_words){.x = f->left - GAP,
                                                .y = y + 4.5,
                                                .anchor = "end",
                                                .class = "soft",
                                                .text = f->y.ticks[i].text});
    }
    fprintf(f->out, "<line class=\"base\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
            f->left, f->bottom, f->right, f->bottom);
    for (size_t i = 0; i < f->x.n; i++) {
        double x = x_of(f, f->x.ticks[i].at);
        fprintf(f->out, "<path class=\"base\" d=\"M%.1f,%.1fv5\"/>\n", x, f->bottom);
        plot_words(f->out, &(struct plot_words){.x = x,
                                                .y = f->bottom + 19,
                                                .anchor = "middle",
                                                .class = "soft",
                                                .text = f->x.ticks[i].text});
    }
    write_caption(text, sizeof text, &f->chart->y, f->y.unit);
    plot_words(f->out,
               &(struct plot_words){
                   .x = 0, .y = f->top - 12, .room = f->width, .class = "soft", .text = text});
    write_caption(text, sizeof text, &f->chart->x, f->x.unit);
    plot_words(f->out, &(struct plot_words){.x = f->right,
                                            .y = f->bottom + 38,
                                            .room = f->right,
                                            .anchor = "end",
                                            .class = "soft",
                                            .text = text});
}

/* -- lines ------------------------------------------------------------------------------------- */

/* In pixels; NAN where it has no place. */
static struct plot_point pixel_of(const struct plot_frame *f, struct plot_point p)
{
    if (!plot_range_has_place(p.x, f->x.is_log) || !plot_range_has_place(p.y, f->y.is_log))
        return (struct plot_point){NAN, NAN};
    return (struct plot_point){x_of(f, p.x), y_of(f, p.y)};
}

/* What is left of a column of pixels: where the line enters, its extremes, where it leaves. */
struct column {
    double x;
    size_t n, kept[4]; /* indexes of points: first, highest, lowest, last */
};

static size_t flush(const struct column *c, const struct plot_point *from, struct plot_point *to)
{
    size_t n = 0, before = SIZE_MAX;
    bool is_falling = c->kept[1] < c->kept[2];
    const size_t order[] = {c->kept[0], c->kept[is_falling ? 1 : 2], c->kept[is_falling ? 2 : 1],
                            c->kept[3]};
    for (size_t i = 0; c->n && i < 4; i++) {
        if (order[i] != before)
            to[n++] = from[order[i]];
        before = order[i];
    }
    return n;
}

/* In place: what comes out is never more than what went in. */
static size_t thin_out(struct plot_point *p, size_t n)
{
    struct column c = {0};
    size_t out = 0;
    struct plot_point *copy = report_zeros((n + 1) * sizeof *copy);
    memcpy(copy, p, n * sizeof *p);
    for (size_t i = 0; i < n; i++) {
        bool is_gap = isnan(copy[i].x), is_new = c.n && round(copy[i].x) != c.x;
        if (is_gap || is_new || !c.n) {
            out += flush(&c, copy, p + out);
            c = (struct column){.x = round(copy[i].x), .kept = {i, i, i, i}};
        }
        if (is_gap) {
            p[out++] = copy[i];
            continue;
        }
        c.n++;
        c.kept[1] = copy[i].y < copy[c.kept[1]].y ? i : c.kept[1];
        c.kept[2] = copy[i].y > copy[c.kept[2]].y ? i : c.kept[2];
        c.kept[3] = i;
    }
    out += flush(&c, copy, p + out);
    free(copy);
    return out;
}

static struct plot_point *pixels_of(const struct plot_frame *f, const struct plot_series *s,
                                    size_t *n)
{
    struct plot_point *p = report_zeros((s->n + 1) * sizeof *p);
    for (size_t i = 0; i < s->n; i++)
        p[i] = pixel_of(f, s->points[i]);
    *n = (double)s->n > 2 * f->width ? thin_out(p, s->n) : s->n;
    return p;
}

static void draw_path(const struct plot_frame *f, const struct plot_point *p, size_t n)
{
    bool is_drawing = false;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(p[i].x))
            fprintf(f->out, "%s%.1f,%.1f", is_drawing ? "L" : "M", p[i].x, p[i].y);
        is_drawing = !isnan(p[i].x);
    }
}

/* Alone, and from zero on, a line is the edge of something. */
static void draw_area(const struct plot_frame *f, const struct plot_point *p, size_t n)
{
    fputs("<path class=\"area f0\" d=\"", f->out);
    for (size_t i = 0, from; i < n; i++) {
        for (from = i; i < n && !isnan(p[i].x); i++)
            fprintf(f->out, "%s%.1f,%.1f", i > from ? "L" : "M", p[i].x, p[i].y);
        if (i > from)
            fprintf(f->out, "L%.1f,%.1fL%.1f,%.1fZ", p[i - 1].x, f->bottom, p[from].x, f->bottom);
    }
    fputs("\"/>\n", f->out);
}

static bool is_alone(const struct plot_point *p, size_t n, size_t i)
{
    return (i == 0 || isnan(p[i - 1].x)) && (i + 1 == n || isnan(p[i + 1].x));
}

/* Where there are few, each is seen; and always one that no line leads to. */
static void draw_dots(const struct plot_frame *f, const struct plot_series *s, size_t index,
                      const struct plot_point *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (isnan(p[i].x) || (n > DOTS_MAX && !is_alone(p, n, i)))
            continue;
        fputs("<circle class=\"dot ", f->out);
        plot_class(f->out, 'f', s, index);
        fprintf(f->out, "\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n", p[i].x, p[i].y);
    }
}

static void draw_series(const struct plot_frame *f, const struct plot_series *s, size_t index)
{
    size_t n;
    struct plot_point *p = pixels_of(f, s, &n);
    if (f->chart->series == s && !s->next && !s->is_mark && f->y.from == 0 && !f->y.is_log)
        draw_area(f, p, n);
    fputs("<path class=\"line ", f->out);
    plot_class(f->out, 'l', s, index);
    fputs("\" d=\"", f->out);
    draw_path(f, p, n);
    fputs("\"/>\n", f->out);
    if (!s->is_mark)
        draw_dots(f, s, index, p, n);
    free(p);
}

/* -- names where lines end --------------------------------------------------------------------- */

struct end {
    const struct plot_series *series;
    size_t index;
    struct plot_point at; /* of the line */
    double y;             /* of the name */
};

static int by_height(const void *a, const void *b)
{
    const struct end *x = a, *y = b;
    return (x->at.y > y->at.y) - (x->at.y < y->at.y);
}

static size_t find_ends(const struct plot_frame *f, struct end ends[ENDS_MAX])
{
    size_t n = 0, index = 0;
    for (const struct plot_series *s = f->chart->series; s; index += !s->is_mark, s = s->next) {
        struct end e = {.series = s, .index = index, .at = {NAN, NAN}};
        for (size_t i = s->n; i > 0 && isnan(e.at.x); i--)
            e.at = pixel_of(f, s->points[i - 1]);
        e.y = e.at.y;
        if (!isnan(e.at.x))
            ends[n++] = e;
    }
    return n;
}

/* Each at its line, and none on another: down from the top, then up from the bottom. */
static void spread(const struct plot_frame *f, struct end *ends, size_t n)
{
    qsort(ends, n, sizeof *ends, by_height);
    for (size_t i = 1; i < n; i++)
        ends[i].y = fmax(ends[i].y, ends[i - 1].y + END_LINE);
    double lowest = f->bottom;
    for (size_t i = n; i-- > 0; lowest = ends[i].y - END_LINE)
        ends[i].y = fmin(ends[i].y, lowest);
}

static void draw_ends(const struct plot_frame *f)
{
    struct end ends[ENDS_MAX];
    size_t n = find_ends(f, ends);
    spread(f, ends, n);
    for (size_t i = 0; i < n; i++) {
        const struct end *e = &ends[i];
        fputs("<path class=\"end ", f->out);
        plot_class(f->out, 'l', e->series, e->index);
        fprintf(f->out, "\" d=\"M%.1f,%.1fL%.1f,%.1f\"/>", fmin(e->at.x + 2, f->right), e->at.y,
                f->right + END_REACH - 3, e->y);
        plot_words(f->out, &(struct plot_words){.x = f->right + END_REACH,
                                                .y = e->y + 4.5,
                                                .text = e->series->words});
    }
}

/* -- values under the pointer ------------------------------------------------------------------ */

struct bands {
    size_t n, n_series;
    double *x; /* of each band, NAN: nothing is there */
    double *y; /* of each series in it */
};

static struct bands collect(const struct plot_frame *f)
{
    struct bands b = {.n = (size_t)((f->right - f->left) / BAND) + 1};
    for (const struct plot_series *s = f->chart->series; s; s = s->next)
        b.n_series++;
    b.x = report_zeros(b.n * sizeof *b.x);
    b.y = report_zeros(b.n * b.n_series * sizeof *b.y);
    for (size_t i = 0; i < b.n; i++)
        b.x[i] = NAN;
    for (size_t i = 0; i < b.n * b.n_series; i++)
        b.y[i] = NAN;
    size_t index = 0;
    for (const struct plot_series *s = f->chart->series; s; s = s->next, index++)
        for (size_t i = 0; i < s->n; i++) {
            if (isnan(pixel_of(f, s->points[i]).x))
                continue;
            size_t at = (size_t)round(plot_axis_place(&f->x, s->points[i].x) * (double)(b.n - 1));
            b.x[at] = isnan(b.x[at]) ? s->points[i].x : b.x[at];
            b.y[at * b.n_series + index] = s->points[i].y;
        }
    return b;
}

static void draw_band(const struct plot_frame *f, const struct bands *b, size_t at,
                      const struct plot_band *where)
{
    char text[REPORT_VALUE_ROOM];
    const double *y = &b->y[at * b->n_series];
    double x = x_of(f, b->x[at]);
    size_t index = 0, color = 0;
    plot_band_begin(f->out, where);
    fprintf(f->out, "<path class=\"cross see\" d=\"M%.1f,%.1fV%.1f\"/>", x, f->top, f->bottom);
    for (const struct plot_series *s = f->chart->series; s; color += !s->is_mark, s = s->next) {
        if (!isnan(y[index])) {
            fputs("<circle class=\"dot see ", f->out);
            plot_class(f->out, 'f', s, color);
            fprintf(f->out, "\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", x, y_of(f, y[index]));
        }
        index++;
    }
    fputs("<title>", f->out);
    plot_text(f->out, f->chart->x.words);
    fputs(*f->chart->x.words ? " " : "", f->out);
    plot_text(f->out, report_value(text, f->chart->x.unit, b->x[at]));
    index = 0;
    for (const struct plot_series *s = f->chart->series; s; s = s->next, index++)
        if (!isnan(y[index]))
            plot_band_value(f, s, y[index]);
    plot_band_end(f->out);
}

/* Each as far as half the way to the next. */
static void draw_bands(const struct plot_frame *f)
{
    struct bands b = collect(f);
    size_t at = 0, next;
    double from = f->left;
    while (at < b.n && isnan(b.x[at]))
        at++;
    for (; at < b.n; at = next) {
        for (next = at + 1; next < b.n && isnan(b.x[next]); next++)
            ;
        double until = next < b.n ? (x_of(f, b.x[at]) + x_of(f, b.x[next])) / 2 : f->right;
        draw_band(f, &b, at,
                  &(struct plot_band){from, f->top, fmax(until - from, 0), f->bottom - f->top});
        from = fmax(until, from);
    }
    free(b.x);
    free(b.y);
}

void plot_lines(const struct plot_frame *f)
{
    size_t index = 0;
    draw_axes(f);
    for (const struct plot_series *s = f->chart->series; s; index += !s->is_mark, s = s->next)
        draw_series(f, s, index);
    if (f->has_ends)
        draw_ends(f);
    draw_bands(f);
}
