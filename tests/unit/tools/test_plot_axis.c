/* SPDX-License-Identifier: MIT */
#include "tools/sttbench/plot/plot_axis.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <math.h>
#include <string.h>

static struct plot_axis axis_of(enum report_unit unit, bool is_log, double least, double most,
                                enum plot_ends ends)
{
    struct plot_range range = PLOT_RANGE_INIT;
    struct plot_axis a;
    plot_range_add(&range, least, is_log);
    plot_range_add(&range, most, is_log);
    plot_axis_init(&a, &(struct report_axis){.words = "", .unit = unit, .is_log = is_log}, &range,
                   ends, 5);
    return a;
}

/* "0 20 40 Mbit/s" */
static const char *texts_of(const struct plot_axis *a)
{
    static char out[1024];
    *out = 0;
    for (size_t i = 0; i < a->n; i++) {
        strcat(out, a->ticks[i].text);
        strcat(out, i + 1 < a->n ? " | " : "");
    }
    strcat(out, *a->unit ? " " : "");
    return strcat(out, a->unit);
}

static const struct {
    enum report_unit unit;
    bool is_log;
    double least, most;
    enum plot_ends ends;
    const char *texts;
} axes[] = {
    {REPORT_BITS_PER_S, false, 2e6, 94e6, PLOT_ENDS_NICE, "0 | 20 | 40 | 60 | 80 | 100 Mbit/s"},
    {REPORT_MS, false, 50, 62, PLOT_ENDS_NICE, "50 | 55 | 60 | 65 ms"},
    {REPORT_MS, false, 62, 62, PLOT_ENDS_NICE, "0 | 20 | 40 | 60 | 80 ms"},
    {REPORT_MS, false, 61, 62, PLOT_ENDS_NICE, "0 | 20 | 40 | 60 | 80 ms"},
    {REPORT_S, false, 0.05, 20, PLOT_ENDS_TIGHT, "5 | 10 | 15 | 20 s"},
    {REPORT_S, false, 0, 0.3, PLOT_ENDS_TIGHT, "0 | 100 | 200 | 300 ms"},
    {REPORT_BYTES, false, 0, 1700000, PLOT_ENDS_NICE, "0.0 | 0.5 | 1.0 | 1.5 | 2.0 MiB"},
    {REPORT_COUNT, false, 0, 3, PLOT_ENDS_NICE, "0 | 1 | 2 | 3"},
    {REPORT_COUNT, false, 0, 100000, PLOT_ENDS_TIGHT,
     "0 | 20,000 | 40,000 | 60,000 | 80,000 | 100,000"},
    {REPORT_RATIO, false, 0.93, 0.93, PLOT_ENDS_ZERO, "0.0 | 0.2 | 0.4 | 0.6 | 0.8 | 1.0"},
    {REPORT_PERCENT, false, -3, 8, PLOT_ENDS_ZERO, "-5 | 0 | 5 | 10 %"},
    {REPORT_PERCENT, false, 0, 0, PLOT_ENDS_ZERO, "0.0 | 0.2 | 0.4 | 0.6 | 0.8 | 1.0 %"},
    {REPORT_US, true, 3, 900, PLOT_ENDS_NICE, "10 us | 100 us | 1 ms"},
    {REPORT_US, true, 3, 12, PLOT_ENDS_NICE, "2 us | 5 us | 10 us | 20 us"},
    {REPORT_BYTES, true, 1024, 1 << 20, PLOT_ENDS_NICE,
     "1 KiB | 4 KiB | 16 KiB | 64 KiB | 256 KiB | 1 MiB"},
    {REPORT_US, true, 7, 7, PLOT_ENDS_TIGHT, "5 us | 10 us"},
    {REPORT_US, true, 0, -1, PLOT_ENDS_TIGHT, "1 us | 2 us | 5 us | 10 us"}, /* empty */
    {REPORT_US, false, NAN, INFINITY, PLOT_ENDS_NICE, "0.0 | 0.2 | 0.4 | 0.6 | 0.8 | 1.0 us"},
};
enum { AXES = sizeof axes / sizeof axes[0] };

START_TEST(ticks_are_numbers_that_people_like)
{
    struct plot_axis a =
        axis_of(axes[_i].unit, axes[_i].is_log, axes[_i].least, axes[_i].most, axes[_i].ends);
    ck_assert_str_eq(texts_of(&a), axes[_i].texts);
}
END_TEST

START_TEST(what_has_no_place_is_left_out)
{
    ck_assert(plot_range_has_place(-5, false));
    ck_assert(plot_range_has_place(0, false));
    ck_assert(!plot_range_has_place(0, true));
    ck_assert(!plot_range_has_place(-5, true));
    ck_assert(!plot_range_has_place(NAN, false));
    ck_assert(!plot_range_has_place(-INFINITY, false));
    ck_assert(!plot_range_has_place(1.7e308, false));
}
END_TEST

static void require_sound(const struct plot_axis *a, double least, double most, bool is_covered)
{
    ck_assert_msg(a->from < a->to, "%g to %g", a->from, a->to);
    ck_assert_uint_le(a->n, PLOT_TICKS_MAX);
    double slack = a->is_log ? 0 : (a->to - a->from) * 1e-6;
    for (size_t i = 0; i < a->n; i++) {
        ck_assert_msg(a->ticks[i].at >= a->from * (1 - 1e-9 * (a->from > 0)) - slack &&
                          a->ticks[i].at <= a->to * (1 + 1e-9 * (a->to > 0)) + slack,
                      "%g is not in %g to %g", a->ticks[i].at, a->from, a->to);
        ck_assert(i == 0 || a->ticks[i].at > a->ticks[i - 1].at);
        ck_assert(strlen(a->ticks[i].text) > 0);
        ck_assert_msg(i == 0 || strcmp(a->ticks[i].text, a->ticks[i - 1].text) != 0,
                      "%s twice, from %.17g to %.17g", a->ticks[i].text, least, most);
    }
    ck_assert_double_ge(plot_axis_place(a, least), 0);
    ck_assert_double_le(plot_axis_place(a, most), 1);
    ck_assert_double_le(plot_axis_place(a, least), plot_axis_place(a, most));
    if (is_covered)
        ck_assert(a->n >= 2 && a->from <= least * (1 + 1e-9 * (least > 0 ? 1 : -1)) + slack &&
                  a->to >= most * (1 - 1e-9 * (most > 0 ? 1 : -1)) - slack);
}

START_TEST(any_range_has_an_axis)
{
    static const enum report_unit units[] = {REPORT_COUNT, REPORT_PLAIN, REPORT_BYTES, REPORT_MS,
                                             REPORT_BITS_PER_S};
    struct rng rng = rng_init((uint64_t)_i + 1);
    for (int i = 0; i < 300; i++) {
        bool is_log = i % 3 == 0;
        double size = pow(10, (double)rng_below(&rng, 15) - 3);
        double least = size * (double)rng_below(&rng, 1000) / 100;
        double most = least + size * (double)rng_below(&rng, 1000) / 1000;
        if (!is_log && i % 5 == 0) {
            double other = -least;
            least = -most;
            most = other;
        }
        if (is_log && least <= 0)
            continue;
        enum plot_ends ends = (enum plot_ends)(i % 7 % 3);
        struct plot_axis a = axis_of(units[i % 5], is_log, least, most, ends);
        require_sound(&a, least, most, ends != PLOT_ENDS_TIGHT);
    }
}
END_TEST

SUITE("plot_axis", LOOP(ticks_are_numbers_that_people_like, 0, AXES),
      TEST(what_has_no_place_is_left_out), LOOP(any_range_has_an_axis, 0, 20))
