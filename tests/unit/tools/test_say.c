/* SPDX-License-Identifier: MIT */
#include "tools/common/say.h"

#include "tests/support/suite.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What `speak` says on standard error. */
static const char *heard(void (*speak)(void))
{
    static char text[8192];
    int ends[2], saved = dup(STDERR_FILENO);
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    close(ends[1]);
    speak();
    ck_assert_int_eq(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    close(saved);
    ssize_t n = read(ends[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    close(ends[0]);
    return text;
}

START_TEST(what_others_say_does_not_reach_the_terminal_as_it_is)
{
    char out[64];
    ck_assert_str_eq(say_clean("plain \xc3\xa4 \xe2\x82\xac", out, sizeof out),
                     "plain \xc3\xa4 \xe2\x82\xac");
    ck_assert_str_eq(say_clean("a\033[31mb\nc\x7f", out, sizeof out), "a?[31mb?c?");
    ck_assert_str_eq(say_clean("\xff\xc3", out, sizeof out), "??");
    ck_assert_str_eq(say_clean("\xc2\x9b"
                               "31m",
                               out, sizeof out),
                     "?31m");                                            /* CSI in one character */
    ck_assert_str_eq(say_clean("\xed\xa0\x80", out, sizeof out), "???"); /* a surrogate */
    ck_assert_str_eq(say_clean("\xc0\xaf", out, sizeof out), "??");      /* overlong */
    ck_assert_str_eq(say_clean("abc\xe2\x82\xac", out, 6), "abc");       /* no half of one */
}
END_TEST

static void speak_error(void)
{
    say_begin("tool", 0, false);
    say_error("it is %d", 7);
    say_note(0, "shown");
    say_note(1, "not shown");
    say_progress("no terminal");
}

START_TEST(sentences_have_levels_and_errors_a_name)
{
    ck_assert_str_eq(heard(speak_error), "tool: it is 7\nshown\n");
}
END_TEST

static void speak_json(void)
{
    struct say_object o;
    say_begin("tool", 0, true);
    say_error("\"quoted\"\n\xff");
    say_line("not shown");
    say_object_begin(&o, "it");
    say_object_number(&o, "most", UINT64_MAX);
    say_object_bool(&o, "fine", true);
    say_object_text(&o, "name", "a\tb\\");
    say_object_text(&o, "of_others",
                    "\xc2\x9b"
                    "2J\x7f\xc2\xa0");
    say_object_end(&o);
}

START_TEST(each_line_is_one_object)
{
    char *text = strdup(heard(speak_json)), *line = strtok(text, "\n");
    json_t *error = json_loads(line, 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(error, "event")), "error");
    ck_assert_str_eq(json_string_value(json_object_get(error, "text")), "\"quoted\"\n\xef\xbf\xbd");
    line = strtok(NULL, "\n");
    ck_assert_ptr_nonnull(strstr(line, "\"most\":18446744073709551615"));
    json_t *it = json_loads("{}", 0, NULL);
    json_decref(it);
    it = json_loads(line, JSON_DECODE_INT_AS_REAL, NULL);
    ck_assert_ptr_nonnull(it);
    ck_assert_str_eq(json_string_value(json_object_get(it, "name")), "a\tb\\");
    ck_assert_ptr_nonnull(strstr(line, "\"\\u009b2J\\u007f\xc2\xa0\"")); /* no terminal obeys it */
    ck_assert(json_is_true(json_object_get(it, "fine")));
    ck_assert_ptr_null(strtok(NULL, "\n"));
    json_decref(error);
    json_decref(it);
    free(text);
}
END_TEST

static void speak_too_much(void)
{
    static char much[SAY_OBJECT_ROOM];
    struct say_object o;
    memset(much, '\\', sizeof much - 1);
    say_begin("tool", 0, true);
    say_object_begin(&o, "it");
    say_object_text(&o, "much", much);
    say_object_number(&o, "after", 1);
    say_object_end(&o);
}

START_TEST(what_does_not_fit_is_left_out_as_a_whole)
{
    ck_assert_str_eq(heard(speak_too_much), "{\"event\":\"it\",\"after\":1}\n");
}
END_TEST

SUITE("say", TEST(what_others_say_does_not_reach_the_terminal_as_it_is),
      TEST(sentences_have_levels_and_errors_a_name), TEST(each_line_is_one_object),
      TEST(what_does_not_fit_is_left_out_as_a_whole))
