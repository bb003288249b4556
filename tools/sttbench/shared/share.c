/* SPDX-License-Identifier: MIT
 * share: owns how a share and a factor are written. Nothing is rounded, guessed or skipped. */
#include "tools/sttbench/shared/share.h"

#include <string.h>

enum { MILLION = 1000000, DIGITS_MAX = 12 };

/* In millionths; where it ends, or NULL. Behind the point, at most six digits. */
static const char *parse(uint64_t *millionths, const char *text)
{
    uint64_t value = 0, scale = MILLION;
    size_t digits = strspn(text, "0123456789");
    if (!digits || digits > DIGITS_MAX)
        return NULL;
    for (; digits; digits--)
        value = value * 10 + (uint64_t)(*text++ - '0');
    value *= MILLION;
    if (*text == '.') {
        digits = strspn(++text, "0123456789");
        if (!digits || digits > 6)
            return NULL;
        for (; digits; digits--)
            value += (uint64_t)(*text++ - '0') * (scale /= 10);
    }
    *millionths = value;
    return text;
}

bool share_parse(uint32_t *ppm, const char *text)
{
    uint64_t percent;
    const char *end = parse(&percent, text);
    if (!end || (strcmp(end, "%") != 0 && (*end || percent)) || percent % 100 ||
        percent > (uint64_t)100 * MILLION)
        return false;
    *ppm = (uint32_t)(percent / 100);
    return true;
}

bool share_parse_factor(double *out, const char *text, double max)
{
    uint64_t value;
    const char *end = parse(&value, text);
    if (!end || *end || !value || (double)value * 1e-6 > max)
        return false;
    *out = (double)value * 1e-6;
    return true;
}
