/* SPDX-License-Identifier: MIT */
#include "tools/sttbench/report/report.h"

#include "tests/support/suite.h"

#include <math.h>
#include <string.h>

static const struct {
    enum report_unit unit;
    double value;
    const char *text;
} values[] = {
    {REPORT_COUNT, 0, "0"},
    {REPORT_COUNT, 999, "999"},
    {REPORT_COUNT, 1234567, "1,234,567"},
    {REPORT_COUNT, -1000, "-1,000"},
    {REPORT_COUNT, -100, "-100"},
    {REPORT_COUNT, -0.2, "0"},
    {REPORT_COUNT, 999999999999999, "999,999,999,999,999"},
    {REPORT_COUNT, 1e300, "1e+300"},
    {REPORT_PLAIN, 0.93, "0.93"},
    {REPORT_PLAIN, 0.00123, "0.0012"},
    {REPORT_PLAIN, 12.34, "12.3"},
    {REPORT_PLAIN, 1e-30, "0.000000"},
    {REPORT_RATIO, 1.005e9, "1005000000.00"},
    {REPORT_RATIO, 0.934, "0.93"},
    {REPORT_PERCENT, 12.34, "12.3 %"},
    {REPORT_PERCENT, 99.96, "100 %"},
    {REPORT_PERCENT, 0.05, "0.050 %"},
    {REPORT_PERCENT, 0, "0 %"},
    {REPORT_BITS_PER_S, 0, "0 bit/s"},
    {REPORT_BITS_PER_S, 31.2e9, "31.2 Gbit/s"},
    {REPORT_BITS_PER_S, 999.4e6, "999 Mbit/s"},
    {REPORT_BITS_PER_S, 999.6e6, "1.00 Gbit/s"},
    {REPORT_BITS_PER_S, 1.5e12, "1.50 Tbit/s"},
    {REPORT_BITS_PER_S, 1.5e15, "1500 Tbit/s"},
    {REPORT_BYTES, 1, "1 B"},
    {REPORT_BYTES, 1452, "1.42 KiB"},
    {REPORT_BYTES, 1.5 * 1024 * 1024 * 1024, "1.50 GiB"},
    {REPORT_BYTES, 3.0 * 1024 * 1024 * 1024 * 1024, "3.00 TiB"},
    {REPORT_NS, 118, "118 ns"},
    {REPORT_NS, 0.5, "0.50 ns"},
    {REPORT_US, 1200, "1.20 ms"},
    {REPORT_MS, 0, "0 ms"},
    {REPORT_MS, -1500, "-1.50 s"},
    {REPORT_S, 7200, "7200 s"},
    {REPORT_S, 1e-7, "100 ns"},
    {REPORT_S_PER_GB, 0.1416, "0.142 s/GB"},
    {REPORT_MS, NAN, "-"},
    {REPORT_COUNT, INFINITY, "-"},
    {REPORT_BITS_PER_S, -INFINITY, "-"},
};
enum { VALUES = sizeof values / sizeof values[0] };

START_TEST(numbers_have_three_digits_and_a_unit)
{
    char out[REPORT_VALUE_ROOM];
    ck_assert_str_eq(report_value(out, values[_i].unit, values[_i].value), values[_i].text);
}
END_TEST

START_TEST(the_largest_and_the_least_have_room)
{
    static const double extremes[] = {1.7e308, -1.7e308, 9.99e14, -9.99e14, 1e15,
                                      -1e15,   5e-324,   -5e-324, 1e290,    -1e290};
    char out[REPORT_VALUE_ROOM + 1];
    for (enum report_unit unit = REPORT_TEXT; unit <= REPORT_S_PER_GB; unit++)
        for (size_t i = 0; i < sizeof extremes / sizeof extremes[0]; i++) {
            memset(out, 'x', sizeof out);
            report_value(out, unit, extremes[i]);
            ck_assert_uint_lt(strlen(out), REPORT_VALUE_ROOM - 1);
            ck_assert_int_eq(out[REPORT_VALUE_ROOM], 'x');
        }
}
END_TEST

START_TEST(an_axis_has_one_unit_for_all)
{
    double divisor;
    ck_assert_str_eq(report_scale(REPORT_BITS_PER_S, 94e6, &divisor), "Mbit/s");
    ck_assert_double_eq(divisor, 1e6);
    ck_assert_str_eq(report_scale(REPORT_MS, 20000, &divisor), "s");
    ck_assert_double_eq_tol(divisor, 1e3, 1e-9);
    ck_assert_str_eq(report_scale(REPORT_S, 0.02, &divisor), "ms");
    ck_assert_double_eq_tol(divisor, 1e-3, 1e-12);
    ck_assert_str_eq(report_scale(REPORT_BYTES, 3 << 20, &divisor), "MiB");
    ck_assert_double_eq(divisor, 1 << 20);
    ck_assert_str_eq(report_scale(REPORT_PERCENT, 50, &divisor), "%");
    ck_assert_double_eq(divisor, 1);
    ck_assert_str_eq(report_scale(REPORT_COUNT, 5e6, &divisor), "");
    ck_assert_str_eq(report_scale(REPORT_NS, NAN, &divisor), "ns");
    ck_assert_double_eq(divisor, 1);
}
END_TEST

SUITE("report_value", LOOP(numbers_have_three_digits_and_a_unit, 0, VALUES),
      TEST(the_largest_and_the_least_have_room), TEST(an_axis_has_one_unit_for_all))
