/* SPDX-License-Identifier: MIT
 * plot_text: owns how text gets into XML, and a guess at how wide it will be there. */
#include "stt/base/utf8.h"
#include "tools/sttbench/plot/plot_parts.h"

#include <string.h>

#define EM 0.58 /* of the font's size, a character as wide as most are */

static size_t character_len(const char *text)
{
    for (size_t len = 1; len <= 4 && text[len - 1]; len++)
        if (stt_utf8_is_valid((struct bytes){(const uint8_t *)text, len}))
            return len;
    return 0;
}

/* U+FFFE and U+FFFF are characters of UTF-8, and none of XML. */
static bool is_of_xml(const char *text, size_t len)
{
    return len && (unsigned char)*text >= ' ' && *text != 0x7f &&
           !(len == 3 && memcmp(text, "\xef\xbf", 2) == 0 && (unsigned char)text[2] >= 0xbe);
}

static const char *escape_of(char c)
{
    return c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : NULL;
}

static void write_characters(FILE *out, const char *text, size_t max)
{
    for (size_t n = 0; *text && n < max; n++) {
        size_t len = character_len(text);
        const char *escape = escape_of(*text);
        if (!is_of_xml(text, len))
            fputc('?', out);
        else if (escape)
            fputs(escape, out);
        else
            fwrite(text, 1, len, out);
        text += len ? len : 1;
    }
}

void plot_text(FILE *out, const char *text)
{
    write_characters(out, text, SIZE_MAX);
}

static size_t length(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += (*text & 0xc0) != 0x80;
    return n;
}

double plot_text_width(const char *text)
{
    return (double)length(text) * EM * PLOT_FONT;
}

void plot_words(FILE *out, const struct plot_words *w)
{
    bool is_cut = w->room > 0 && plot_text_width(w->text) > w->room;
    double n = w->room / (EM * PLOT_FONT) - 1;
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\"", w->x, w->y);
    if (w->anchor)
        fprintf(out, " text-anchor=\"%s\"", w->anchor);
    if (w->class)
        fprintf(out, " class=\"%s\"", w->class);
    fputc('>', out);
    write_characters(out, w->text, is_cut ? (n > 1 ? (size_t)n : 1) : SIZE_MAX);
    fputs(is_cut ? "\u2026</text>\n" : "</text>\n", out);
}
