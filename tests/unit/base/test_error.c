/* SPDX-License-Identifier: MIT */
#include "stt/error.h"

#include "tests/support/suite.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

static const struct {
    const char *name;
    int value;
} errors[] = {
#define X(name, value, text) {#name, value},
    STT_ERRORS(X)
#undef X
};

enum { COUNT = sizeof errors / sizeof errors[0] };

START_TEST(codes_are_zero_and_then_one_below_the_other)
{
    for (int i = 0; i < COUNT; i++)
        ck_assert_msg(errors[i].value == -i, "%s is %d", errors[i].name, errors[i].value);
}
END_TEST

START_TEST(every_code_has_a_sentence_of_its_own)
{
    for (int i = 0; i < COUNT; i++)
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(stt_error_text(-i), stt_error_text(-j));
}
END_TEST

START_TEST(sentences_fit_into_a_line_that_names_what_failed)
{
    for (int i = 0; i < COUNT; i++) {
        const char *text = stt_error_text(-i);
        size_t len = strlen(text);
        ck_assert_uint_ge(len, 5);
        ck_assert_uint_le(len, 80);
        ck_assert_msg(islower((unsigned char)text[0]), "%s", text);
        ck_assert_msg(text[len - 1] != '.', "%s", text);
    }
}
END_TEST

START_TEST(numbers_that_are_no_code_have_a_text_as_well)
{
    const int others[] = {1, -COUNT, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        ck_assert_str_eq(stt_error_text(others[i]), "unknown error");
}
END_TEST

SUITE("error", TEST(codes_are_zero_and_then_one_below_the_other),
      TEST(every_code_has_a_sentence_of_its_own),
      TEST(sentences_fit_into_a_line_that_names_what_failed),
      TEST(numbers_that_are_no_code_have_a_text_as_well))
