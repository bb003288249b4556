/* SPDX-License-Identifier: MIT
 * report_value: owns how a number is written for people, by its unit: three digits that count, and
 * the prefix that leaves them before the point. */
#include "tools/sttbench/report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define VALUE_LONG 1e15 /* from here on all digits would be too many */

static const struct scale {
    double base; /* what one of the unit is, of the scale's first name */
    double step; /* between two names */
    const char *names[6];
} scales[] = {
    [REPORT_BITS_PER_S] = {1, 1000, {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"}},
    [REPORT_BYTES] = {1, 1024, {"B", "KiB", "MiB", "GiB", "TiB"}},
    [REPORT_NS] = {1, 1000, {"ns", "us", "ms", "s"}},
    [REPORT_US] = {1e3, 1000, {"ns", "us", "ms", "s"}},
    [REPORT_MS] = {1e6, 1000, {"ns", "us", "ms", "s"}},
    [REPORT_S] = {1e9, 1000, {"ns", "us", "ms", "s"}},
};

static const char *const suffixes[] = {
    [REPORT_PERCENT] = "%",
    [REPORT_S_PER_GB] = "s/GB",
};
enum { SUFFIXES_N = sizeof suffixes / sizeof suffixes[0] };

static const struct scale *scale_of(enum report_unit unit)
{
    bool has_one = (size_t)unit < sizeof scales / sizeof scales[0] && scales[unit].base > 0;
    return has_one ? &scales[unit] : NULL;
}

static const char *suffix_of(enum report_unit unit)
{
    return (size_t)unit < SUFFIXES_N && suffixes[unit] ? suffixes[unit] : "";
}

/* Three digits that count; of what is very small, two, and no more than six behind the point. */
static int decimals(double value)
{
    double v = fabs(value);
    int n = v >= 99.95 || v == 0 ? 0 : v >= 9.995 ? 1 : 2;
    for (double least = 0.0995; v > 0 && v < least && n < 6; least /= 10)
        n++;
    return n;
}

/* Of names that stand one above the other, the one that leaves one to three digits. */
static const char *name_of(const struct scale *s, double *value)
{
    int name = 0;
    while (s->names[name + 1] && fabs(*value) >= s->step * 0.9995) {
        *value /= s->step;
        name++;
    }
    return s->names[name];
}

const char *report_scale(enum report_unit unit, double like, double *divisor)
{
    const struct scale *s = scale_of(unit);
    *divisor = 1;
    if (!s || !isfinite(like))
        return s ? s->names[0] : suffix_of(unit);
    double value = like * s->base;
    const char *name = name_of(s, &value);
    for (const char *const *n = s->names; *n != name; n++)
        *divisor *= s->step;
    *divisor /= s->base;
    return name;
}

/* 1,234,567 */
static void write_count(char out[REPORT_VALUE_ROOM], double value)
{
    char digits[REPORT_VALUE_ROOM];
    int n = snprintf(digits, sizeof digits, "%.0f", value), at = 0;
    for (int i = 0; i < n; i++) {
        if (i && digits[i - 1] != '-' && (n - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = 0;
}

static void write_number(char out[REPORT_VALUE_ROOM], int digits, double value, const char *suffix)
{
    const char *blank = *suffix ? " " : "";
    if (fabs(value) < VALUE_LONG)
        snprintf(out, REPORT_VALUE_ROOM, "%.*f%s%s", digits, value, blank, suffix);
    else
        snprintf(out, REPORT_VALUE_ROOM, "%.3g%s%s", value, blank, suffix);
}

const char *report_value(char out[REPORT_VALUE_ROOM], enum report_unit unit, double value)
{
    const struct scale *s = scale_of(unit);
    if (!isfinite(value))
        return strcpy(out, "-");
    if (unit == REPORT_COUNT && fabs(value) < VALUE_LONG)
        write_count(out, round(value) + 0.0);
    else if (unit == REPORT_RATIO)
        write_number(out, 2, value, "");
    else if (unit == REPORT_S_PER_GB)
        write_number(out, 3, value, suffix_of(unit));
    else if (s) {
        double scaled = (value == 0 ? 1 : value) * s->base; /* 0 is of the key's own unit */
        const char *name = name_of(s, &scaled);
        scaled = value == 0 ? 0 : scaled;
        bool is_whole = unit == REPORT_BYTES && name == s->names[0] && value == round(value);
        write_number(out, is_whole ? 0 : decimals(scaled), scaled, name);
    } else
        write_number(out, decimals(value), value, suffix_of(unit));
    return out;
}
