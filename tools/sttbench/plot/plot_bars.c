/* SPDX-License-Identifier: MIT
 * plot_bars: owns a chart of bars. They lie, so that names of any length can be read, one place
 * below the other; each has its value at its end. On a narrow page names stand above their bars.
 *
 * Invariant: a bar begins at zero, or at the axis' beginning where that is logarithmic. */
#include "tools/sttbench/plot/plot_parts.h"

#include <math.h>

enum {
    BAR_ALONE = 20,
    BAR_MANY = 13,
    BAR_GAP = 2,
    PLACE_GAP = 14,
    CAPTION = 8,
    FOOT = 44,
    GAP = 10
};
enum { LABEL_LINE = 20, LABELS_SHARE = 3 };

static size_t n_bars(const struct report_chart *c)
{
    size_t n = 0;
    for (const struct plot_series *s = c->series; s; s = s->next)
        n += !s->is_mark;
    return n ? n : 1;
}

static double bar_height(const struct report_chart *c)
{
    return n_bars(c) > 1 ? BAR_MANY : BAR_ALONE;
}

/* The bars of a place, without its name. */
static double bars_height(const struct report_chart *c)
{
    double n = (double)n_bars(c);
    return n * bar_height(c) + (n - 1) * BAR_GAP;
}

static double place_height(const struct plot_frame *f)
{
    return bars_height(f->chart) + PLACE_GAP + (f->is_narrow ? LABEL_LINE : 0);
}

static double widest_label(const struct report_chart *c)
{
    double widest = 0;
    for (size_t i = 0; i < c->n_labels; i++)
        widest = fmax(widest, plot_text_width(c->labels[i]));
    return widest;
}

static double widest_value(const struct report_chart *c)
{
    char text[REPORT_VALUE_ROOM];
    double widest = 0;
    for (const struct plot_series *s = c->series; s; s = s->next)
        for (size_t i = 0; i < s->n && !s->is_mark; i++)
            widest = fmax(widest, plot_text_width(report_value(text, c->y.unit, s->points[i].y)));
    return widest;
}

void plot_bars_layout(struct plot_frame *f)
{
    const struct report_chart *c = f->chart;
    f->left = f->is_narrow ? 1 : fmin(widest_label(c), f->width / LABELS_SHARE) + GAP;
    f->right = f->width - widest_value(c) - GAP;
    f->top = CAPTION;
    f->bottom = f->top + (double)c->n_labels * place_height(f);
    f->height = f->bottom + FOOT;
}

static double x_of(const struct plot_frame *f, double value)
{
    return f->left + plot_axis_place(&f->y, value) * (f->right - f->left);
}

static double zero_of(const struct plot_frame *f)
{
    return x_of(f, f->y.is_log ? f->y.from : 0);
}

static void draw_axis(const struct plot_frame *f)
{
    char text[300];
    double end = -INFINITY;
    for (size_t i = 0; i < f->y.n; i++) {
        double x = x_of(f, f->y.ticks[i].at);
        double half = plot_text_width(f->y.ticks[i].text) / 2;
        fprintf(f->out, "<path class=\"grid\" d=\"M%.1f,%.1fV%.1f\"/>\n", x, f->top, f->bottom);
        if (x - half < end + GAP)
            continue;
        end = x + half;
        plot_words(f->out, &(struct plot_words){.x = fmax(x, half),
                                                .y = f->bottom + 18,
                                                .anchor = "middle",
                                                .class = "soft",
                                                .text = f->y.ticks[i].text});
    }
    const char *words = f->chart->y.words;
    snprintf(text, sizeof text, "%s%s%s", words, *f->y.unit && *words ? ", " : "", f->y.unit);
    plot_words(f->out, &(struct plot_words){.x = f->is_narrow ? f->width : f->right,
                                            .y = f->bottom + 38,
                                            .room = f->width,
                                            .anchor = "end",
                                            .class = "soft",
                                            .text = text});
}

static void draw_bar(const struct plot_frame *f, const struct plot_series *s, size_t index,
                     double value, double y)
{
    if (!plot_range_has_place(value, f->y.is_log))
        return;
    double zero = zero_of(f), end = x_of(f, value);
    fputs("<rect class=\"", f->out);
    plot_class(f->out, 'f', s, index);
    fprintf(f->out, "\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\"/>\n",
            fmin(zero, end), y, fmax(fabs(end - zero), 1), bar_height(f->chart));
}

static double value_at(const struct plot_series *s, size_t place)
{
    return place < s->n ? s->points[place].y : NAN;
}

/* Behind the bar, and behind a mark that it would cover. */
static void draw_value(const struct plot_frame *f, size_t place, double value, double y)
{
    char text[REPORT_VALUE_ROOM];
    bool has_place = plot_range_has_place(value, f->y.is_log);
    double x = fmax(zero_of(f), has_place ? x_of(f, value) : 0) + 6;
    report_value(text, f->chart->y.unit, value);
    for (const struct plot_series *s = f->chart->series; s; s = s->next) {
        double mark = value_at(s, place);
        if (s->is_mark && plot_range_has_place(mark, f->y.is_log) && x_of(f, mark) > x - 6 &&
            x_of(f, mark) < x + plot_text_width(text))
            x = x_of(f, mark) + 6;
    }
    plot_words(f->out, &(struct plot_words){.x = x,
                                            .y = y + bar_height(f->chart) / 2 + 4.5,
                                            .class = has_place ? "halo" : "soft halo",
                                            .text = text});
}

static void draw_place(const struct plot_frame *f, size_t place)
{
    const struct report_chart *c = f->chart;
    double top = f->top + (double)place * place_height(f) + PLACE_GAP / 2.0;
    double y = top + (f->is_narrow ? LABEL_LINE : 0), bars = bars_height(c);
    double label_y = f->is_narrow ? top + 13 : y + bars / 2 + 4.5;
    plot_words(f->out, &(struct plot_words){.x = f->is_narrow ? 0 : f->left - GAP,
                                            .y = label_y,
                                            .room = f->is_narrow ? f->width : f->left - GAP + 8,
                                            .anchor = f->is_narrow ? "start" : "end",
                                            .class = f->is_narrow ? "halo" : NULL,
                                            .text = c->labels[place]});
    double step = bar_height(c) + BAR_GAP;
    size_t index = 0;
    for (const struct plot_series *s = c->series; s; index += !s->is_mark, s = s->next)
        if (!s->is_mark)
            draw_bar(f, s, index, value_at(s, place), y + (double)index * step);
    for (const struct plot_series *s = c->series; s; s = s->next)
        if (s->is_mark && plot_range_has_place(value_at(s, place), f->y.is_log))
            fprintf(f->out, "<path class=\"lm tick\" d=\"M%.1f,%.1fv%.1f\"/>\n",
                    x_of(f, value_at(s, place)), y - 3, bars + 6);
    index = 0;
    for (const struct plot_series *s = c->series; s; index += !s->is_mark, s = s->next)
        if (!s->is_mark)
            draw_value(f, place, value_at(s, place), y + (double)index * step);
}

static void draw_band(const struct plot_frame *f, size_t place)
{
    double y = f->top + (double)place * place_height(f);
    plot_band_begin(f->out, &(struct plot_band){0, y, f->width, place_height(f)});
    fprintf(f->out,
            "<rect class=\"over ink\" x=\"0\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
            "rx=\"4\"/><title>",
            y, f->width, place_height(f));
    plot_text(f->out, f->chart->labels[place]);
    for (const struct plot_series *s = f->chart->series; s; s = s->next)
        plot_band_value(f, s, value_at(s, place));
    plot_band_end(f->out);
}

void plot_bars(const struct plot_frame *f)
{
    draw_axis(f);
    fprintf(f->out, "<path class=\"base\" d=\"M%.1f,%.1fV%.1f\"/>\n", zero_of(f), f->top,
            f->bottom);
    for (size_t place = 0; place < f->chart->n_labels; place++)
        draw_place(f, place);
    for (size_t place = 0; place < f->chart->n_labels; place++)
        draw_band(f, place);
}
