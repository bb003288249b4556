/* SPDX-License-Identifier: MIT
 * plot_axis: owns the choice of ticks: 1, 2 or 5 of a power of ten, powers of two for bytes, so few
 * that their texts have room.
 *
 * Invariant: from < to, and ticks are in order and between them. It does not know pixels. */
#include "tools/sttbench/plot/plot_axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define VALUE_MAX 1e200 /* beyond it differences and quotients overflow */
#define VALUE_MIN 1e-200

enum { DECIMALS_MAX = 9 };

bool plot_range_has_place(double value, bool is_log)
{
    return fabs(value) <= VALUE_MAX && (!is_log || value >= VALUE_MIN);
}

void plot_range_add(struct plot_range *range, double value, bool is_log)
{
    if (!plot_range_has_place(value, is_log))
        return;
    range->least = range->is_empty ? value : fmin(range->least, value);
    range->most = range->is_empty ? value : fmax(range->most, value);
    range->is_empty = false;
}

/* The least of 1, 2 and 5 of a power of ten, or power of two, that is not below. */
static double nice_above(double value, bool is_binary)
{
    if (is_binary)
        return exp2(ceil(log2(value) - 1e-9));
    double power = pow(10, floor(log10(value) + 1e-9)), share = value / power;
    return power * (share <= 1 + 1e-9 ? 1 : share <= 2 + 1e-9 ? 2 : share <= 5 + 1e-9 ? 5 : 10);
}

static double nice_below(double value, bool is_binary)
{
    if (is_binary)
        return exp2(floor(log2(value) + 1e-9));
    double power = pow(10, floor(log10(value) + 1e-9)), share = value / power;
    return power * (share >= 5 - 1e-9 ? 5 : share >= 2 - 1e-9 ? 2 : 1);
}

/* -- texts ------------------------------------------------------------------------------------- */

static int decimals_of(double step)
{
    int n = 0;
    while (n < DECIMALS_MAX && fabs(step - round(step)) > 1e-6 * step) {
        step *= 10;
        n++;
    }
    return n;
}

/* "1.00 ms" is "1 ms". */
static void trim(char *text)
{
    char *point = strchr(text, '.'), *end = point ? point : text;
    if (!point)
        return;
    end += strspn(end, ".0123456789");
    char *cut = end;
    while (cut[-1] == '0')
        cut--;
    if (cut[-1] == '.')
        cut--;
    memmove(cut, end, strlen(end) + 1);
}

static void add_tick(struct plot_axis *a, double at)
{
    if (a->n < PLOT_TICKS_MAX)
        a->ticks[a->n++].at = at;
}

/* All in one unit, which then need not be written at each. */
static void write_linear(struct plot_axis *a, enum report_unit unit, double step)
{
    double divisor;
    a->unit = report_scale(unit, fmax(fabs(a->from), fabs(a->to)), &divisor);
    int decimals = decimals_of(step / divisor);
    for (size_t i = 0; i < a->n; i++) {
        double value = a->ticks[i].at / divisor;
        if (fabs(value) >= 1e4 && fabs(value) < 1e15 && !decimals)
            report_value(a->ticks[i].text, REPORT_COUNT, value);
        else
            snprintf(a->ticks[i].text, REPORT_VALUE_ROOM, fabs(value) < 1e15 ? "%.*f" : "%.*g",
                     fabs(value) < 1e15 ? decimals : 3, value);
    }
}

static void write_log(struct plot_axis *a, enum report_unit unit)
{
    a->unit = "";
    for (size_t i = 0; i < a->n; i++) {
        bool is_part = unit == REPORT_COUNT && a->ticks[i].at < 1;
        report_value(a->ticks[i].text, is_part ? REPORT_PLAIN : unit, a->ticks[i].at);
        trim(a->ticks[i].text);
    }
}

/* -- ticks ------------------------------------------------------------------------------------- */

/* Values that are as good as equal get some room around them. */
static void open_up(double *least, double *most)
{
    double size = fmax(fabs(*least), fabs(*most));
    if (*most - *least > 1e-9 * size)
        return;
    *least = *least > 0 ? *least * 0.5 : *least * 1.5 - (size == 0);
    *most = *most > 0 ? *most * 1.5 : *most * 0.5 + (size == 0);
}

static void init_linear(struct plot_axis *a, enum report_unit unit, enum plot_ends ends,
                        size_t ticks)
{
    bool is_far = a->from > 0.6 * a->to && a->to - a->from > 0.05 * a->to;
    if (ends == PLOT_ENDS_ZERO || (ends == PLOT_ENDS_NICE && a->from > 0 && !is_far))
        a->from = fmin(a->from, 0);
    if (ends == PLOT_ENDS_ZERO)
        a->to = fmax(a->to, 0);
    if (ends != PLOT_ENDS_TIGHT && a->from == a->to)
        a->to = a->from + 1;
    open_up(&a->from, &a->to);
    double step = nice_above((a->to - a->from) / (double)ticks, unit == REPORT_BYTES);
    if (unit == REPORT_COUNT || unit == REPORT_BYTES)
        step = fmax(step, 1);
    double first =
        ends == PLOT_ENDS_TIGHT ? ceil(a->from / step - 1e-9) : floor(a->from / step + 1e-9);
    double last = ends == PLOT_ENDS_TIGHT ? floor(a->to / step + 1e-9) : ceil(a->to / step - 1e-9);
    for (double i = first; i <= last && a->n < PLOT_TICKS_MAX; i++)
        add_tick(a, i * step + 0.0);
    if (ends != PLOT_ENDS_TIGHT) {
        a->from = first * step;
        a->to = last * step;
    }
    write_linear(a, unit, step);
}

/* Powers of ten, and 2 and 5 of them where there is room; of two, some, for bytes. */
static void init_log(struct plot_axis *a, enum report_unit unit, enum plot_ends ends, size_t ticks)
{
    bool is_binary = unit == REPORT_BYTES;
    double base = is_binary ? 2 : 10;
    if (a->from == a->to || ends != PLOT_ENDS_TIGHT) {
        a->from = nice_below(a->from, is_binary);
        a->to = nice_above(a->to, is_binary);
    }
    if (a->from == a->to)
        a->to *= base;
    double powers = log(a->to / a->from) / log(base);
    double every = fmax(ceil(powers / (double)ticks), 1);
    bool has_minor = !is_binary && powers * 3 <= (double)ticks + 1;
    double first = floor(log(a->from) / log(base) + 1e-9);
    for (double i = first; pow(base, i) <= a->to * (1 + 1e-9) && a->n < PLOT_TICKS_MAX; i += every)
        for (int minor = 1; minor <= (has_minor ? 5 : 1); minor = minor * 2 + (minor == 2)) {
            double at = pow(base, i) * minor;
            if (at >= a->from * (1 - 1e-9) && at <= a->to * (1 + 1e-9))
                add_tick(a, at);
        }
    write_log(a, unit);
}

void plot_axis_init(struct plot_axis *a, const struct report_axis *like,
                    const struct plot_range *range, enum plot_ends ends, size_t ticks)
{
    *a = (struct plot_axis){.from = range->least, .to = range->most, .is_log = like->is_log};
    if (range->is_empty) {
        a->from = like->is_log;
        a->to = like->is_log ? 10 : 1;
    }
    (like->is_log ? init_log : init_linear)(a, like->unit, ends, ticks ? ticks : 1);
}

double plot_axis_place(const struct plot_axis *a, double value)
{
    double place = a->is_log ? log(value / a->from) / log(a->to / a->from)
                             : (value - a->from) / (a->to - a->from);
    return fmin(fmax(place, 0), 1);
}
