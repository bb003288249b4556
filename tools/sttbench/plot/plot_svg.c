/* SPDX-License-Identifier: MIT
 * plot_svg: owns the picture that stands alone: title, what limited the run, and the charts. */
#include "tools/sttbench/plot/plot_parts.h"

#include <string.h>

enum { MARGIN = 32, TITLE_FONT = 21, HEAD = 52, LINE_MAX = 400 };
#define EM 0.56

/* As many words as there is room for, into line; answers where the next line begins, or NULL. */
static const char *take_line(const char *text, double max, char line[LINE_MAX])
{
    size_t len = 0;
    text += strspn(text, " ");
    while (text[len]) {
        size_t more = len + strspn(text + len, " ");
        more += strcspn(text + more, " ");
        if (len && (more >= LINE_MAX - 1 || (double)more > max))
            break;
        len = more < LINE_MAX - 1 ? more : LINE_MAX - 1;
        if (len < more)
            break;
    }
    memcpy(line, text, len);
    line[len] = 0;
    return text[len] ? text + len : NULL;
}

/* Answers how far down it went. */
static double paragraph(FILE *out, const char *text, int font, double y)
{
    char line[LINE_MAX];
    double top = y;
    while (text && *text) {
        text = take_line(text, PLOT_WIDE / (EM * font), line);
        if (out)
            plot_words(out, &(struct plot_words){.y = y + font,
                                                 .class = font == TITLE_FONT ? "title" : NULL,
                                                 .text = line});
        y += font * 1.5;
    }
    return y - top;
}

static double head(FILE *out, const struct plot_page *page)
{
    double y = paragraph(out, page->title, TITLE_FONT, 0);
    y += paragraph(out, page->error, PLOT_FONT, y);
    return y + paragraph(out, page->sentence, PLOT_FONT, y);
}

static double chart(FILE *out, const struct report_chart *c, double y)
{
    double height = plot_chart_height(c, PLOT_WIDE);
    if (out) {
        fprintf(out, "<text class=\"name\" y=\"%.1f\">", y + HEAD - 10);
        plot_text(out, c->words);
        fprintf(out, "</text>\n<g transform=\"translate(0 %.1f)\">\n", y + HEAD);
        plot_chart(out, c, PLOT_WIDE);
        fputs("</g>\n", out);
    }
    return HEAD + height;
}

static double all(FILE *out, const struct plot_page *page)
{
    double y = head(out, page);
    for (const struct report_chart *c = page->charts; c; c = c->next)
        y += chart(out, c, y);
    return y;
}

void plot_svg(FILE *out, const struct plot_page *page)
{
    double width = PLOT_WIDE + 2 * MARGIN, height = all(NULL, page) + 2 * MARGIN;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
            "viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n<title>",
            width, height, width, height);
    plot_text(out, page->title);
    fputs("</title>\n<style>\n", out);
    plot_style(out);
    fputs(".c .title{font-size:21px;font-weight:650}.c .name{font-size:16px;font-weight:600}\n"
          "</style>\n",
          out);
    fprintf(out, "<rect class=\"page\" width=\"%.0f\" height=\"%.0f\"/>\n", width, height);
    fprintf(out, "<g class=\"c\" transform=\"translate(%d %d)\">\n", MARGIN, MARGIN);
    all(out, page);
    fputs("</g>\n</svg>\n", out);
}
