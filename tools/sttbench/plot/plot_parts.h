/* SPDX-License-Identifier: MIT
 * plot_parts: how the parts of plot share a chart that is being drawn. Lengths are the pixels of an
 * SVG's user units; x goes to the right, y down. */
#ifndef TOOLS_STTBENCH_PLOT_PLOT_PARTS_H
#define TOOLS_STTBENCH_PLOT_PLOT_PARTS_H

#include "tools/sttbench/plot/plot.h"
#include "tools/sttbench/plot/plot_axis.h"

enum { PLOT_WIDE = 880, PLOT_NARROW = 400, PLOT_COLORS = 7, PLOT_FONT = 13, PLOT_LINE = 20 };

/* -- plot_text.c ------------------------------------------------------------------------------- */

/* As XML: escaped, and without what XML cannot hold. */
void plot_text(FILE *out, const char *text);
/* About so wide in the common font, which is not known here. */
double plot_text_width(const char *text);
/* One <text>: anchor "start", "middle" or "end"; class may be NULL. Cut off, with an ellipsis,
 * where it is wider than room. */
struct plot_words {
    double x, y, room;
    const char *anchor, *class;
    const char *text;
};
void plot_words(FILE *out, const struct plot_words *words);

/* -- plot_style.c ------------------------------------------------------------------------------ */

/* The rules of CSS for what is in a chart; light, and dark where people prefer that. */
void plot_style(FILE *out);

/* -- plot_chart.c ------------------------------------------------------------------------------ */

struct plot_frame {
    FILE *out;
    const struct report_chart *chart;
    double width, height;
    double left, right, top, bottom; /* edges of where the data are */
    bool is_narrow, is_empty;
    bool has_legend, has_ends; /* series are named there, or where their lines end */
    struct plot_axis x, y;
};

double plot_chart_height(const struct report_chart *chart, double width);
/* What is within an <svg> of that size. */
void plot_chart(FILE *out, const struct report_chart *chart, double width);

/* Marks and series are drawn by classes: "l0 d1" for lines, "f0" for areas; i counts series that
 * are no marks. */
void plot_class(FILE *out, char kind, const struct plot_series *s, size_t i);

/* What is seen under the pointer: the group is open until plot_band_end(). */
struct plot_band {
    double x, y, width, height;
};
void plot_band_begin(FILE *out, const struct plot_band *band);
void plot_band_end(FILE *out);
/* In its <title>: "words: value" in a line of its own. */
void plot_band_value(const struct plot_frame *f, const struct plot_series *s, double value);

/* -- plot_lines.c, plot_bars.c ----------------------------------------------------------------- */

void plot_lines_layout(struct plot_frame *f);
void plot_lines(const struct plot_frame *f);

void plot_bars_layout(struct plot_frame *f);
void plot_bars(const struct plot_frame *f);

#endif
