/* SPDX-License-Identifier: MIT
 * plot_chart: owns what all charts have: their size, the legend, the axis of values, and the groups
 * that show values under the pointer. */
#include "tools/sttbench/plot/plot_parts.h"

#include <math.h>

enum { SWATCH = 16, SWATCH_GAP = 6, ITEM_GAP = 20, EMPTY = 24 };

void plot_class(FILE *out, char kind, const struct plot_series *s, size_t i)
{
    if (s->is_mark) {
        fprintf(out, "%cm", kind);
        return;
    }
    fprintf(out, "%c%zu", kind, i % PLOT_COLORS);
    if (kind == 'l' && i >= PLOT_COLORS)
        fprintf(out, " d%zu", (i / PLOT_COLORS - 1) % 2 + 1);
}

/* -- the pointer ------------------------------------------------------------------------------- */

void plot_band_begin(FILE *out, const struct plot_band *b)
{
    fprintf(out,
            "<g class=\"band\"><rect class=\"catch\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
            "height=\"%.1f\"/>",
            b->x, b->y, b->width, b->height);
}

void plot_band_end(FILE *out)
{
    fputs("</title></g>\n", out);
}

void plot_band_value(const struct plot_frame *f, const struct plot_series *s, double value)
{
    char text[REPORT_VALUE_ROOM];
    fputc('\n', f->out);
    plot_text(f->out, s->words);
    fputs(": ", f->out);
    plot_text(f->out, report_value(text, f->chart->y.unit, value));
}

/* -- the legend -------------------------------------------------------------------------------- */

static void draw_swatch(const struct plot_frame *f, const struct plot_series *s, size_t i, double x,
                        double y)
{
    if (f->chart->shape == REPORT_LINES) {
        fputs("<path class=\"line ", f->out);
        plot_class(f->out, 'l', s, i);
        fprintf(f->out, "\" d=\"M%.1f,%.1fh%d\"/>", x, y, SWATCH);
    } else if (s->is_mark)
        fprintf(f->out, "<path class=\"lm tick\" d=\"M%.1f,%.1fv12\"/>", x + 6, y - 6);
    else {
        fputs("<rect class=\"", f->out);
        plot_class(f->out, 'f', s, i);
        fprintf(f->out, "\" x=\"%.1f\" y=\"%.1f\" width=\"12\" height=\"12\" rx=\"2\"/>", x + 2,
                y - 6);
    }
}

/* From left to right, in as many lines as it takes; answers the height. */
static double legend(const struct plot_frame *f, bool is_drawn)
{
    double x = 0, y = 0;
    size_t i = 0;
    for (const struct plot_series *s = f->chart->series; s; i += !s->is_mark, s = s->next) {
        double width = SWATCH + SWATCH_GAP + plot_text_width(s->words) + ITEM_GAP;
        if (x > 0 && x + width - ITEM_GAP > f->width) {
            x = 0;
            y += PLOT_LINE;
        }
        if (is_drawn) {
            draw_swatch(f, s, i, x, y + 9);
            plot_words(f->out, &(struct plot_words){.x = x + SWATCH + SWATCH_GAP,
                                                    .y = y + 14,
                                                    .room = f->width - SWATCH - SWATCH_GAP,
                                                    .text = s->words});
        }
        x += width;
    }
    return y + PLOT_LINE + 6;
}

/* -- layout ------------------------------------------------------------------------------------ */

static void add_ranges(const struct report_chart *c, struct plot_range *x, struct plot_range *y)
{
    for (const struct plot_series *s = c->series; s; s = s->next)
        for (size_t i = 0; i < s->n; i++) {
            bool has_place = plot_range_has_place(s->points[i].x, c->x.is_log) &&
                             plot_range_has_place(s->points[i].y, c->y.is_log);
            plot_range_add(x, has_place ? s->points[i].x : NAN, c->x.is_log);
            plot_range_add(y, has_place ? s->points[i].y : NAN, c->y.is_log);
        }
}

static size_t n_series(const struct report_chart *c)
{
    size_t n = 0;
    for (const struct plot_series *s = c->series; s; s = s->next)
        n++;
    return n;
}

/* Axes first: how wide their texts are decides where the data are. */
static struct plot_frame frame_of(FILE *out, const struct report_chart *chart, double width)
{
    struct plot_range x = PLOT_RANGE_INIT, y = PLOT_RANGE_INIT;
    bool is_lines = chart->shape == REPORT_LINES;
    struct plot_frame f = {.out = out, .chart = chart, .width = width};
    f.is_narrow = width < (PLOT_WIDE + PLOT_NARROW) / 2.0;
    f.has_legend = n_series(chart) > 1;
    add_ranges(chart, &x, &y);
    plot_axis_init(&f.x, &chart->x, &x, PLOT_ENDS_TIGHT, f.is_narrow ? 4 : 8);
    plot_axis_init(&f.y, &chart->y, &y, is_lines ? PLOT_ENDS_NICE : PLOT_ENDS_ZERO,
                   is_lines || f.is_narrow ? 5 : 8);
    (is_lines ? plot_lines_layout : plot_bars_layout)(&f);
    f.is_empty = y.is_empty && (is_lines || !chart->n_labels);
    if (f.is_empty)
        return f;
    double legend_height = f.has_legend ? legend(&f, false) : 0;
    f.top += legend_height;
    f.bottom += legend_height;
    f.height += legend_height;
    return f;
}

double plot_chart_height(const struct report_chart *chart, double width)
{
    struct plot_frame f = frame_of(NULL, chart, width);
    return f.is_empty ? EMPTY : f.height;
}

void plot_chart(FILE *out, const struct report_chart *chart, double width)
{
    struct plot_frame f = frame_of(out, chart, width);
    if (f.is_empty) {
        plot_words(out, &(struct plot_words){
                            .y = 14, .class = "soft", .text = "There is nothing to show."});
        return;
    }
    if (f.has_legend)
        legend(&f, true);
    (chart->shape == REPORT_LINES ? plot_lines : plot_bars)(&f);
}
