/* SPDX-License-Identifier: MIT */
#include "stt/base/line.h"

#include "tests/support/dies.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static char out[64];

static const uint64_t numbers[] = {0,
                                   1,
                                   9,
                                   10,
                                   99,
                                   100,
                                   1000000007,
                                   (UINT64_C(1) << 53) - 1,
                                   UINT64_C(9999999999999999999),
                                   UINT64_C(10000000000000000000),
                                   UINT64_MAX};
enum { NUMBERS = sizeof numbers / sizeof numbers[0] };

START_TEST(numbers_read_as_printf_writes_them)
{
    char expected[64];
    struct stt_line l = stt_line_init(out, sizeof out);
    snprintf(expected, sizeof expected, "%" PRIu64, numbers[_i]);
    stt_line_number(&l, numbers[_i]);
    ck_assert_str_eq(out, expected);
    ck_assert_uint_eq(stt_line_len(&l), strlen(expected));
}
END_TEST

START_TEST(decimals_have_all_their_places)
{
    char expected[64];
    for (unsigned places = 1; places <= 9; places++) {
        uint64_t unit = 1;
        for (unsigned i = 0; i < places; i++)
            unit *= 10;
        struct stt_line l = stt_line_init(out, sizeof out);
        snprintf(expected, sizeof expected, "%" PRIu64 ".%0*" PRIu64, numbers[_i] / unit,
                 (int)places, numbers[_i] % unit);
        stt_line_decimal(&l, numbers[_i], places);
        ck_assert_str_eq(out, expected);
    }
}
END_TEST

START_TEST(parts_follow_each_other)
{
    struct stt_line l = stt_line_init(out, sizeof out);
    stt_line_text(&l, "a ");
    stt_line_number(&l, 12);
    stt_line_text(&l, "");
    stt_line_bytes(&l, BYTES_NONE);
    stt_line_hex(&l, BYTES(((const uint8_t[]){0x00, 0x9f, 0xa0})));
    stt_line_decimal(&l, 1500, 3);
    ck_assert_str_eq(out, "a 12009fa01.500");
    ck_assert(!l.is_cut);
}
END_TEST

/* Into _i bytes: "abc", "12", "de", each whole or not at all, and nothing after a gap. */
START_TEST(what_does_not_fit_is_left_out_and_all_that_follows)
{
    static const char *const expected[] = {
        [1] = "",    [2] = "",      [3] = "",      [4] = "abc",
        [5] = "abc", [6] = "abc12", [7] = "abc12", [8] = "abc12de"};
    char *exact = malloc((size_t)_i);
    struct stt_line l = stt_line_init(exact, (size_t)_i);
    stt_line_text(&l, "abc");
    stt_line_number(&l, 12);
    stt_line_text(&l, "de");
    ck_assert_str_eq(exact, expected[_i]);
    ck_assert(l.is_cut == (_i < 8));
    stt_line_text(&l, "");
    ck_assert_uint_eq(stt_line_len(&l), strlen(expected[_i]));
    free(exact);
}
END_TEST

static void init_with_nothing(void *arg)
{
    stt_line_init(arg, 0);
}

static void ten_places(void *arg)
{
    stt_line_decimal(arg, 1, 10);
}

START_TEST(misuse_is_caught)
{
    struct stt_line l = stt_line_init(out, sizeof out);
    ck_assert(dies(init_with_nothing, out));
    ck_assert(dies(ten_places, &l));
}
END_TEST

SUITE("line", LOOP(numbers_read_as_printf_writes_them, 0, NUMBERS),
      LOOP(decimals_have_all_their_places, 0, NUMBERS), TEST(parts_follow_each_other),
      LOOP(what_does_not_fit_is_left_out_and_all_that_follows, 1, 9), TEST(misuse_is_caught))
