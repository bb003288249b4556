/* SPDX-License-Identifier: MIT
 * What pictures are made of: well-formed, within their edges, and with what was measured in them.
 */
#include "tools/sttbench/plot/plot.h"

#include "stt/base/utf8.h"
#include "tests/support/suite.h"
#include "tools/sttbench/plot/plot_parts.h"
#include "tools/sttbench/report/report_parts.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- what is drawn -------------------------------------------------------------------------------
 */

static struct report *r;

static void begin(void)
{
    r = report_new("latency", "A title");
}

static struct report_chart *chart(enum report_shape shape, bool x_is_log, bool y_is_log)
{
    return report_chart(
        r, "A chart", shape,
        &(struct report_axis){.words = "time", .unit = REPORT_S, .is_log = x_is_log},
        &(struct report_axis){.words = "rate", .unit = REPORT_BITS_PER_S, .is_log = y_is_log});
}

static char *drawn(void (*plot)(FILE *, const struct plot_page *))
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    struct plot_page page = {.title = r->title,
                             .charts = r->charts,
                             .sentence = r->limited,
                             .error = r->error,
                             .lines = r->lines,
                             .n_lines = r->n_lines,
                             .grids = report_grids(r->tables),
                             .notes = (const char *const *)r->notes,
                             .n_notes = r->n_notes};
    plot(out, &page);
    report_grids_free((struct report_grid *)(uintptr_t)page.grids);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

/* Frees it; nothing is printed. */
static void end(void)
{
    FILE *nowhere = freopen("/dev/null", "w", stdout);
    ck_assert_ptr_nonnull(nowhere);
    report_end(r, &(struct report_options){.json = false});
}

/* -- whether it is XML ---------------------------------------------------------------------------
 */

struct reading {
    const char *at;
    char open[64][16];
    size_t depth;
};

static void require_reference(const char *at)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
    bool is_known = false;
    for (size_t i = 0; i < 4; i++)
        is_known |= strncmp(at, known[i], strlen(known[i])) == 0;
    ck_assert_msg(is_known, "a bare ampersand: %.30s", at);
}

static void read_attributes(struct reading *x)
{
    while (*x->at == ' ' || *x->at == '\n') {
        x->at += strspn(x->at, " \n");
        size_t name =
            strspn(x->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789");
        ck_assert_msg(name && strncmp(x->at + name, "=\"", 2) == 0, "%.30s", x->at);
        for (x->at += name + 2; *x->at != '"'; x->at++) {
            ck_assert(*x->at && *x->at != '<');
            if (*x->at == '&')
                require_reference(x->at);
        }
        x->at++;
    }
}

static void read_tag(struct reading *x)
{
    bool is_end = x->at[1] == '/';
    x->at += is_end ? 2 : 1;
    size_t len = strspn(x->at, "abcdefghijklmnopqrstuvwxyz0123456789");
    char name[16] = "";
    ck_assert_msg(len && len < sizeof name, "%.30s", x->at);
    memcpy(name, x->at, len);
    x->at += len;
    if (is_end) {
        ck_assert_msg(x->depth && strcmp(x->open[x->depth - 1], name) == 0, "</%s> ends <%s>", name,
                      x->depth ? x->open[x->depth - 1] : "");
        x->depth--;
    } else
        read_attributes(x);
    bool is_whole = *x->at == '/' || strcmp(name, "meta") == 0;
    x->at += *x->at == '/';
    ck_assert_msg(*x->at++ == '>', "in <%s>: %.30s", name, x->at - 1);
    if (is_end || is_whole)
        return;
    ck_assert_uint_lt(x->depth, 64);
    strcpy(x->open[x->depth++], name);
    if (strcmp(name, "script") == 0 || strcmp(name, "style") == 0)
        x->at = strstr(x->at, "</");
}

static void require_well_formed(const char *text)
{
    struct reading x = {.at = text};
    ck_assert(stt_utf8_is_valid((struct bytes){(const uint8_t *)text, strlen(text)}));
    if (strncmp(text, "<!DOCTYPE html>", 15) == 0)
        x.at += 15;
    while (*x.at) {
        ck_assert_msg((unsigned char)*x.at >= ' ' || *x.at == '\n', "a control character");
        if (*x.at == '&')
            require_reference(x.at);
        if (*x.at == '<')
            read_tag(&x);
        else
            x.at++;
    }
    ck_assert_uint_eq(x.depth, 0);
}

/* Everything that is drawn is a number, and in the picture. */
static void require_in_picture(const char *text)
{
    static const char *const attributes[] = {" x=\"",     " y=\"",      " cx=\"", " cy=\"",
                                             " width=\"", " height=\"", " d=\"M"};
    const char *box = strstr(text, "viewBox=\"0 0 ");
    double width = 0, height = 0;
    ck_assert_int_eq(sscanf(box, "viewBox=\"0 0 %lf %lf", &width, &height), 2);
    ck_assert(width > 100 && height > 20 && height < 1e6);
    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++)
        for (const char *at = text; (at = strstr(at, attributes[i])) != NULL;) {
            at += strlen(attributes[i]);
            for (char *rest; *at != '"'; at = rest + strspn(rest, "ML, hvHVZ")) {
                double number = strtod(at, &rest);
                ck_assert_msg(rest > at && isfinite(number) && number >= -1 &&
                                  number <= fmax(width, height) + 70,
                              "%s%.20s", attributes[i], at);
            }
        }
}

static void require_sound(void)
{
    char *svg = drawn(plot_svg), *html = drawn(plot_html);
    require_well_formed(svg);
    require_well_formed(html);
    require_in_picture(svg);
    free(svg);
    free(html);
}

static size_t count(const char *text, const char *what)
{
    size_t n = 0;
    for (; (text = strstr(text, what)) != NULL; text += strlen(what))
        n++;
    return n;
}

/* -- charts of all kinds -------------------------------------------------------------------------
 */

static void no_charts(void)
{
    report_number(r, "x", "a figure", REPORT_PLAIN, 1);
}

static void no_series(void)
{
    chart(REPORT_LINES, false, false);
    chart(REPORT_BARS, false, false);
}

static void no_points(void)
{
    report_series(chart(REPORT_LINES, false, true), "empty");
    report_series(chart(REPORT_BARS, false, true), "empty");
}

static void points(enum report_shape shape, bool x_is_log, bool y_is_log, size_t n,
                   const double *xy)
{
    struct report_chart *c = chart(shape, x_is_log, y_is_log);
    report_series(c, "series");
    for (size_t i = 0; i < n; i++)
        if (shape == REPORT_LINES)
            report_point(c, xy[2 * i], xy[2 * i + 1]);
        else
            report_bar(c, "a place", xy[2 * i + 1]);
}

static void all_shapes(size_t n, const double *xy)
{
    for (int i = 0; i < 4; i++) {
        points(REPORT_LINES, i & 1, i & 2, n, xy);
        points(REPORT_BARS, false, i & 2, n, xy);
    }
}

static void nothing_but_gaps(void)
{
    all_shapes(3, (const double[]){0, NAN, 1, INFINITY, NAN, 5});
}

static void one_point(void)
{
    all_shapes(1, (const double[]){3, 5});
    all_shapes(1, (const double[]){0, 0});
}

static void equal_values(void)
{
    all_shapes(4, (const double[]){2, 7, 2, 7, 2, 7, 2, 7});
    all_shapes(3, (const double[]){1, 0, 2, 0, 3, 0});
}

static void negative_values(void)
{
    all_shapes(4, (const double[]){-2, -7, -1, 3, 2, -7, 5, 0});
}

static void extremes(void)
{
    all_shapes(4, (const double[]){1e308, -1e308, 1e-308, 1e308, -1e300, 5e-324, 1e199, 1e199});
    all_shapes(3, (const double[]){1e15, 1e15, 1e15 + 1, 1e15 + 1, 1e15 + 2, 1e15 + 3});
}

static void gaps_between(void)
{
    all_shapes(5, (const double[]){1, 1, 2, NAN, 3, 3, 4, NAN, 5, 5});
}

static void many_series(void)
{
    for (enum report_shape shape = REPORT_LINES; shape <= REPORT_BARS; shape++) {
        struct report_chart *c = chart(shape, false, false);
        for (int s = 0; s < 20; s++) {
            (s % 6 == 5 ? report_mark : report_series)(c, "a series with rather a long name");
            for (int i = 0; i <= s; i++) /* not all have all places */
                shape == REPORT_LINES ? report_point(c, i, s * i) : report_bar(c, "place", s * i);
        }
    }
}

static void nasty_texts(void)
{
    static char nasty[] = "<b>&amp;\"'\x01\xff\xed\xa0\x80\xef\xbf\xbe\n\xf0\x9f\x98\x80]]>";
    report_text(r, "a", nasty, nasty);
    report_note(r, "%s", nasty);
    report_limited(r, "%s", nasty);
    report_fail(r, EXIT_NETWORK, "%s", nasty);
    struct report_chart *c = chart(REPORT_BARS, false, false);
    report_series(c, nasty);
    report_mark(c, nasty);
    report_bar(c, nasty, 1);
    for (struct plot_series *s = c->series; s; s = s->next) { /* past report's own care */
        free(s->words);
        s->words = strdup(nasty);
    }
    free(c->labels[0]);
    c->labels[0] = strdup(nasty);
    free(c->words);
    c->words = strdup(nasty);
}

static void long_texts(void)
{
    static char text[5000];
    memset(text, 'w', sizeof text - 1);
    report_text(r, "a", text, text);
    report_limited(r, "%s %s", text, text);
    struct report_chart *c = chart(REPORT_BARS, false, false);
    report_series(c, text);
    report_bar(c, text, 1);
    c = chart(REPORT_LINES, false, false);
    report_series(c, text);
    report_point(c, 1, 1);
    report_series(c, text);
    report_point(c, 1, 1);
}

static void (*const pictures[])(void) = {
    no_charts,       no_series, no_points,    nothing_but_gaps, one_point,   equal_values,
    negative_values, extremes,  gaps_between, many_series,      nasty_texts, long_texts};
enum { PICTURES = sizeof pictures / sizeof pictures[0] };

START_TEST(every_picture_is_well_formed_and_within_its_edges)
{
    begin();
    pictures[_i]();
    require_sound();
    end();
}
END_TEST

/* -- what is in them -----------------------------------------------------------------------------
 */

START_TEST(texts_are_escaped_and_not_lost)
{
    begin();
    report_limited(r, "%s", "a < b & \"c\" > d");
    char *svg = drawn(plot_svg);
    ck_assert_ptr_nonnull(strstr(svg, "a &lt; b &amp; &quot;c&quot; &gt; d"));
    free(svg);
    end();
}
END_TEST

/* The line's path: its class, and what it is made of. */
static char *line_of(const char *svg)
{
    const char *at = strstr(svg, "class=\"line l0\" d=\"");
    ck_assert_ptr_nonnull(at);
    at += strlen("class=\"line l0\" d=\"");
    return strndup(at, strcspn(at, "\""));
}

START_TEST(a_gap_stays_a_gap)
{
    begin();
    points(REPORT_LINES, false, false, 6, (const double[]){1, 1, 2, 2, 3, NAN, 4, 4, 5, NAN, 6, 6});
    char *svg = drawn(plot_svg), *line = line_of(svg);
    ck_assert_uint_eq(count(line, "M"), 3);
    ck_assert_uint_eq(count(line, "L"), 1);
    ck_assert_uint_eq(count(svg, "<circle class=\"dot f0\""), 4);
    free(line);
    free(svg);
    end();
}
END_TEST

/* As many points as one likes: the picture has so many as can be seen, and every extreme. */
START_TEST(many_points_are_thinned_out_and_peaks_stay)
{
    enum { MANY = 300000 };
    begin();
    struct report_chart *c = chart(REPORT_LINES, false, false);
    report_series(c, "series");
    for (int i = 0; i < MANY; i++)
        report_point(c, i, i == 123457 ? 100e6 : i == 234567 ? NAN : 20e6 + i % 7 * 1e6);
    char *svg = drawn(plot_svg), *line = line_of(svg);
    ck_assert_uint_lt(strlen(svg), 400000);
    ck_assert_uint_lt(count(line, "L"), 4 * PLOT_WIDE);
    ck_assert_uint_eq(count(line, "M"), 2);
    double top = 1e9;
    for (const char *at = line; (at = strchr(at, ',')) != NULL; at++)
        top = fmin(top, strtod(at + 1, NULL));
    double grid = 1e9; /* the line of the uppermost tick, which is that value */
    for (const char *at = svg; (at = strstr(at, "class=\"grid\"")) != NULL; at++)
        grid = fmin(grid, strtod(strstr(at, "y1=\"") + 4, NULL));
    ck_assert_double_eq_tol(top, grid, 0.11);
    free(line);
    free(svg);
    end();
}
END_TEST

START_TEST(bars_are_as_long_as_their_values)
{
    begin();
    points(REPORT_BARS, false, false, 3, (const double[]){0, 10e6, 1, 40e6, 2, NAN});
    char *svg = drawn(plot_svg);
    double width[2];
    const char *at = svg;
    for (int i = 0; i < 2; i++) {
        at = strstr(at, "<rect class=\"f0\"");
        ck_assert_ptr_nonnull(at);
        width[i] = strtod(strstr(at, "width=\"") + 7, NULL);
        at++;
    }
    ck_assert_ptr_null(strstr(at, "<rect class=\"f0\"")); /* there is none for what is not there */
    ck_assert_double_eq_tol(width[1], 4 * width[0], 0.5);
    ck_assert_ptr_nonnull(strstr(svg, ">10.0 Mbit/s</text>"));
    ck_assert_ptr_nonnull(strstr(svg, ">-</text>"));
    free(svg);
    end();
}
END_TEST

START_TEST(values_are_seen_under_the_pointer)
{
    begin();
    struct report_chart *c = chart(REPORT_LINES, false, false);
    report_series(c, "one");
    report_point(c, 1, 5e6);
    report_point(c, 2, 6e6);
    report_series(c, "two");
    report_point(c, 2, 7e6);
    char *svg = drawn(plot_svg), *html = drawn(plot_html);
    ck_assert_ptr_nonnull(strstr(svg, "<title>time 1.00 s\none: 5.00 Mbit/s</title>"));
    ck_assert_ptr_nonnull(
        strstr(svg, "<title>time 2.00 s\none: 6.00 Mbit/s\ntwo: 7.00 Mbit/s</title>"));
    ck_assert_uint_eq(count(html, "<title>time 1.00 s\n"), 2); /* wide and narrow */
    free(svg);
    free(html);
    end();
}
END_TEST

/* No network, no fonts, no scripts of others; and the sentence before the charts, those before the
 * figures. */
START_TEST(a_page_needs_nothing_else_and_says_first_what_matters)
{
    static const struct report_column columns[] = {{"a", "column", REPORT_MS}};
    static const char *const forbidden[] = {"http:", "https:", "src=",    "href=", "@import",
                                            "url(",  "//",     "<iframe", "<img",  "fetch("};
    begin();
    many_series();
    report_number(r, "x", "a figure", REPORT_MS, 7);
    report_limited(r, "The sentence.");
    struct report_table *t = report_table(r, "t", "The table", columns, 1);
    report_row(t);
    report_cell(t, 1.5);
    char *html = drawn(plot_html);
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        ck_assert_msg(!strstr(html, forbidden[i]), "%s", forbidden[i]);
    const char *sentence = strstr(html, "The sentence."), *figure = strstr(html, "<figure>"),
               *number = strstr(html, ">7.00 ms<"), *table = strstr(html, "<td>1.50 ms</td>");
    ck_assert(sentence && figure && number && table);
    ck_assert(sentence < figure && figure < number && number < table);
    ck_assert_ptr_nonnull(strstr(html, "prefers-color-scheme:dark"));
    ck_assert_ptr_nonnull(strstr(html, "@media print"));
    free(html);
    end();
}
END_TEST

START_TEST(only_names_of_pictures_are_known)
{
    ck_assert(plot_knows("x.svg"));
    ck_assert(plot_knows("a.b/x.html"));
    ck_assert(!plot_knows("x.png"));
    ck_assert(!plot_knows("svg"));
    ck_assert(!plot_knows("x.svg.gz"));
    ck_assert(!plot_knows(""));
}
END_TEST

SUITE("plot", LOOP(every_picture_is_well_formed_and_within_its_edges, 0, PICTURES),
      TEST(texts_are_escaped_and_not_lost), TEST(a_gap_stays_a_gap),
      TEST(many_points_are_thinned_out_and_peaks_stay), TEST(bars_are_as_long_as_their_values),
      TEST(values_are_seen_under_the_pointer),
      TEST(a_page_needs_nothing_else_and_says_first_what_matters),
      TEST(only_names_of_pictures_are_known))
