/* SPDX-License-Identifier: MIT */
#include "tools/common/units.h"

#include "tests/support/suite.h"

#include <string.h>

static bool duration_is(const char *text, stt_ns ns)
{
    stt_ns out = 0;
    return units_parse_duration(&out, text) && out == ns;
}

static bool size_is(const char *text, uint64_t bytes)
{
    uint64_t out = 0;
    return units_parse_size(&out, text) && out == bytes;
}

static bool rate_is(const char *text, uint64_t bits)
{
    uint64_t out = 0;
    return units_parse_rate(&out, text) && out == bits;
}

START_TEST(durations_have_units_and_fractions)
{
    ck_assert(duration_is("10", STT_S(10)));
    ck_assert(duration_is("500ms", STT_MS(500)));
    ck_assert(duration_is("1.5s", STT_MS(1500)));
    ck_assert(duration_is("2m", STT_S(120)));
    ck_assert(duration_is("0.25h", STT_S(900)));
    ck_assert(duration_is("0", 0));
    ck_assert(duration_is("7us", 7000));
}
END_TEST

START_TEST(sizes_count_by_1024_and_rates_by_1000)
{
    ck_assert(size_is("64K", 65536));
    ck_assert(size_is("1G", 1u << 30));
    ck_assert(size_is("1.5M", 1572864));
    ck_assert(rate_is("64K", 64000));
    ck_assert(rate_is("2.5G", 2500000000));
}
END_TEST

static const char *const nonsense[] = {
    "",
    " ",
    "-1",
    "+1",
    "1 s",
    "s",
    ".5",
    "1.",
    "1.s",
    "1e3",
    "0x1",
    "1ss",
    "1.2.3",
    "1,5",
    "99999999999999999999",
    "18446744073709551615G",
    "NaN",
    "1.0000000001s",
};

START_TEST(nonsense_is_refused)
{
    const char *text = nonsense[_i];
    uint64_t out = 77;
    uint32_t number;
    ck_assert_msg(!units_parse_duration(&out, text), "%s", text);
    ck_assert_msg(!units_parse_size(&out, text), "%s", text);
    ck_assert_msg(!units_parse_rate(&out, text), "%s", text);
    ck_assert_msg(!units_parse_number(&number, text, 0, UINT32_MAX), "%s", text);
    ck_assert_uint_eq(out, 77);
}
END_TEST

START_TEST(numbers_stay_between_their_ends)
{
    uint32_t n = 0;
    ck_assert(units_parse_number(&n, "64", 1, 64) && n == 64);
    ck_assert(!units_parse_number(&n, "65", 1, 64));
    ck_assert(!units_parse_number(&n, "0", 1, 64));
    ck_assert(!units_parse_number(&n, "4294967296", 0, UINT32_MAX));
    ck_assert_uint_eq(n, 64);
}
END_TEST

START_TEST(three_digits_are_shown)
{
    char out[UNITS_ROOM];
    ck_assert_str_eq(units_size(out, 0), "0 B");
    ck_assert_str_eq(units_size(out, 1023), "1023 B");
    ck_assert_str_eq(units_size(out, 1024), "1.00 KiB");
    ck_assert_str_eq(units_size(out, (uint64_t)1 << 30), "1.00 GiB");
    ck_assert_str_eq(units_size(out, UINT64_MAX), "16384 PiB");
    ck_assert_str_eq(units_rate(out, 999), "999 bit/s");
    ck_assert_str_eq(units_rate(out, 31100000000), "31.1 Gbit/s");
    ck_assert_str_eq(units_rate(out, 999999), "1.00 Mbit/s");
    ck_assert_str_eq(units_time(out, 420000), "420 us");
    ck_assert_str_eq(units_time(out, STT_S(2)), "2.00 s");
    ck_assert_str_eq(units_clock(out, STT_S(125)), "2:05");
    ck_assert_str_eq(units_clock(out, STT_S(3600)), "1:00:00");
}
END_TEST

START_TEST(classes_of_packets_have_names)
{
    uint8_t dscp = 77;
    ck_assert(units_parse_dscp(&dscp, "ef") && dscp == 46);
    ck_assert(units_parse_dscp(&dscp, "le") && dscp == 1);
    ck_assert(units_parse_dscp(&dscp, "af43") && dscp == 38);
    ck_assert(units_parse_dscp(&dscp, "63") && dscp == 63);
    ck_assert(!units_parse_dscp(&dscp, "64"));
    ck_assert(!units_parse_dscp(&dscp, "loud"));
    ck_assert(!units_parse_dscp(&dscp, ""));
    ck_assert_uint_eq(dscp, 63);
}
END_TEST

SUITE("units", TEST(durations_have_units_and_fractions),
      TEST(sizes_count_by_1024_and_rates_by_1000),
      LOOP(nonsense_is_refused, 0, sizeof nonsense / sizeof nonsense[0]),
      TEST(numbers_stay_between_their_ends), TEST(three_digits_are_shown),
      TEST(classes_of_packets_have_names))
