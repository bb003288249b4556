/* SPDX-License-Identifier: MIT
 * report_value: owns how a number is written for people, by its unit: three digits that count, and
 * the prefix that leaves them before the point. */
#include "tools/sttbench/report.h"

#include <math.h>
#include <stdio.h>

static const struct scale {
    double base; /* what one of the unit is, of the scale's first name */
    double step; /* between two names */
    const char *names[5];
} scales[] = {
    [REPORT_BITS_PER_S] = {1, 1000, {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"}},
    [REPORT_BYTES] = {1, 1024, {"B", "KiB", "MiB", "GiB", "TiB"}},
    [REPORT_NS] = {1, 1000, {"ns", "us", "ms", "s", "s"}},
    [REPORT_US] = {1e3, 1000, {"ns", "us", "ms", "s", "s"}},
    [REPORT_MS] = {1e6, 1000, {"ns", "us", "ms", "s", "s"}},
    [REPORT_S] = {1e9, 1000, {"ns", "us", "ms", "s", "s"}},
};

static int decimals(double value)
{
    double v = fabs(value);
    return v >= 99.95 || v == 0 ? 0 : v >= 9.995 ? 1 : 2;
}

static void write_scaled(char out[REPORT_VALUE_ROOM], const struct scale *s, double value)
{
    double v = value * s->base;
    int name = 0;
    while (name < 3 && fabs(v) >= s->step * 0.9995) {
        v /= s->step;
        name++;
    }
    snprintf(out, REPORT_VALUE_ROOM, "%.*f %s", decimals(v), v, s->names[name]);
}

/* 1,234,567 */
static void write_count(char out[REPORT_VALUE_ROOM], double value)
{
    char digits[REPORT_VALUE_ROOM];
    int n = snprintf(digits, sizeof digits, "%.0f", value), at = 0;
    for (int i = 0; i < n && at < REPORT_VALUE_ROOM - 2; i++) {
        if (i && digits[i - 1] != '-' && (n - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = 0;
}

const char *report_value(char out[REPORT_VALUE_ROOM], enum report_unit unit, double value)
{
    if (!isfinite(value))
        snprintf(out, REPORT_VALUE_ROOM, "-");
    else if (unit == REPORT_COUNT)
        write_count(out, value);
    else if (unit == REPORT_RATIO)
        snprintf(out, REPORT_VALUE_ROOM, "%.2f", value);
    else if (unit == REPORT_PERCENT)
        snprintf(out, REPORT_VALUE_ROOM, "%.*f %%", decimals(value), value);
    else if (unit == REPORT_S_PER_GB)
        snprintf(out, REPORT_VALUE_ROOM, "%.3f s/GB", value);
    else if (unit == REPORT_PLAIN || unit == REPORT_TEXT)
        snprintf(out, REPORT_VALUE_ROOM, "%.*f", decimals(value), value);
    else
        write_scaled(out, &scales[unit], value);
    return out;
}
