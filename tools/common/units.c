/* SPDX-License-Identifier: MIT
 * units: numbers with units, in and out. Reading is exact: digits, perhaps a fraction, one unit;
 * nothing is rounded up to infinity. Knows nothing of what the numbers mean. */
#include "tools/common/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit durations[] = {
    {"", 1000000000},
    {"ns", 1},
    {"us", 1000},
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", UINT64_C(60) * 1000000000},
    {"h", UINT64_C(3600) * 1000000000},
    {NULL, 0},
};
static const struct unit sizes[] = {
    {"", 1},           {"K", 1u << 10},   {"M", 1u << 20},
    {"G", 1u << 30},   {"k", 1u << 10},   {"KiB", 1u << 10},
    {"MiB", 1u << 20}, {"GiB", 1u << 30}, {"T", UINT64_C(1) << 40},
    {NULL, 0},
};
static const struct unit rates[] = {
    {"", 1}, {"K", 1000}, {"k", 1000}, {"M", 1000000}, {"G", 1000000000}, {NULL, 0},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool add_digit(uint64_t *value, char c)
{
    return !__builtin_mul_overflow(*value, (uint64_t)10, value) &&
           !__builtin_add_overflow(*value, (uint64_t)(c - '0'), value);
}

/* At most nine digits behind the point: no unit is finer. */
static bool parse(uint64_t *out, const char *text, const struct unit *units)
{
    uint64_t whole = 0, fraction = 0, scale = 1, value;
    if (!is_digit(*text))
        return false;
    for (; is_digit(*text); text++)
        if (!add_digit(&whole, *text))
            return false;
    if (*text == '.') {
        if (!is_digit(*++text))
            return false;
        for (; is_digit(*text); text++, scale *= 10)
            if (scale == 1000000000 || !add_digit(&fraction, *text))
                return false;
    }
    while (units->name && strcmp(units->name, text) != 0)
        units++;
    if (!units->name || __builtin_mul_overflow(whole, units->factor, &value))
        return false;
    unsigned __int128 rest = (unsigned __int128)fraction * units->factor / scale;
    return !__builtin_add_overflow(value, (uint64_t)rest, out);
}

bool units_parse_duration(stt_ns *out, const char *text)
{
    return parse(out, text, durations);
}

bool units_parse_size(uint64_t *out, const char *text)
{
    return parse(out, text, sizes);
}

bool units_parse_rate(uint64_t *out, const char *text)
{
    return parse(out, text, rates);
}

bool units_parse_number(uint32_t *out, const char *text, uint32_t min, uint32_t max)
{
    uint64_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++)
        if (!is_digit(*text) || !add_digit(&value, *text))
            return false;
    if (value < min || value > max)
        return false;
    *out = (uint32_t)value;
    return true;
}

bool units_parse_dscp(uint8_t *out, const char *text)
{
    static const struct {
        const char *name;
        uint8_t value;
    } names[] = {
        {"default", 0}, {"le", 1},    {"cs1", 8},   {"af11", 10}, {"af12", 12}, {"af13", 14},
        {"cs2", 16},    {"af21", 18}, {"af22", 20}, {"af23", 22}, {"cs3", 24},  {"af31", 26},
        {"af32", 28},   {"af33", 30}, {"cs4", 32},  {"af41", 34}, {"af42", 36}, {"af43", 38},
        {"cs5", 40},    {"va", 44},   {"ef", 46},   {"cs6", 48},  {"cs7", 56},  {"cs0", 0},
    };
    uint32_t number;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i].name, text) == 0) {
            *out = names[i].value;
            return true;
        }
    if (!units_parse_number(&number, text, 0, 63))
        return false;
    *out = (uint8_t)number;
    return true;
}

/* -- out: three digits that count -------------------------------------------------------------- */

static const char *show(char out[UNITS_ROOM], double value, double step, const char *const *names)
{
    while (value >= step * 0.9995 && names[1]) {
        value /= step;
        names++;
    }
    int digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    snprintf(out, UNITS_ROOM, "%.*f %s", digits, value, *names);
    return out;
}

const char *units_size(char out[UNITS_ROOM], uint64_t bytes)
{
    static const char *const names[] = {"KiB", "MiB", "GiB", "TiB", "PiB", NULL};
    if (bytes < 1024) {
        snprintf(out, UNITS_ROOM, "%" PRIu64 " B", bytes);
        return out;
    }
    return show(out, (double)bytes / 1024, 1024, names);
}

const char *units_rate(char out[UNITS_ROOM], uint64_t bits_per_s)
{
    static const char *const names[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", NULL};
    return show(out, (double)bits_per_s, 1000, names);
}

const char *units_time(char out[UNITS_ROOM], stt_ns time)
{
    static const char *const names[] = {"us", "ms", "s", NULL};
    return show(out, (double)time / 1e3, 1000, names);
}

const char *units_clock(char out[UNITS_ROOM], stt_ns time)
{
    uint64_t s = time / STT_S(1);
    if (s < 3600)
        snprintf(out, UNITS_ROOM, "%" PRIu64 ":%02" PRIu64, s / 60, s % 60);
    else
        snprintf(out, UNITS_ROOM, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600, s / 60 % 60,
                 s % 60);
    return out;
}
