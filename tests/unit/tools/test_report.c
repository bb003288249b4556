/* SPDX-License-Identifier: MIT */
#include "tools/sttbench/report/report.h"

#include "tests/support/dies.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"
#include "tools/common/say.h"

#include <jansson.h>
#include <math.h>

static char folder[64];

static const struct report_column columns[] = {
    {"name", "name", REPORT_TEXT},
    {"rtt_us", "round trip", REPORT_US},
    {"count", "how many", REPORT_COUNT},
};

static struct report *small_report(void)
{
    struct report *r = report_new("latency", "Round trips");
    report_text(r, "suite", "suite", "aegis");
    report_number(r, "p50_us", "median", REPORT_US, 4.25);
    report_number(r, "packets", "packets", REPORT_COUNT, 12345678);
    report_number(r, "none_us", "not measured", REPORT_US, NAN);
    report_number(r, "ratios.stt_of_tcp", "of TCP", REPORT_RATIO, 1.234);
    report_number(r, "ratios.stt_of_tls", "of TLS", REPORT_RATIO, INFINITY);
    struct report_table *t = report_table(r, "results", "By name", columns, 3);
    report_row(t);
    report_cell_text(t, "\xc3\xa4hnlich");
    report_cell(t, 61.5);
    report_cell(t, 1000);
    report_row(t);
    report_cell_text(t, "second, which is longer");
    report_cell(t, NAN);
    report_row(t);
    report_note(r, "One was left out: %d.", 7);
    report_limited(r, "An earlier thought.");
    report_limited(r, "Limited by %s: take 100 %%.", "nothing");
    return r;
}

/* What it prints, and how it ends. */
static const char *printed(struct report *r, const struct report_options *o, enum exits exit)
{
    int saved[] = {dup(STDOUT_FILENO), dup(STDERR_FILENO)};
    fflush(stdout);
    int out = open("out", O_RDWR | O_CREAT | O_TRUNC, 0600);
    int err = open("err", O_RDWR | O_CREAT | O_TRUNC, 0600);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    say_begin("bench", 0, false);
    enum exits got = report_end(r, o);
    fflush(stdout);
    clearerr(stdout);
    dup2(saved[0], STDOUT_FILENO);
    dup2(saved[1], STDERR_FILENO);
    close(saved[0]);
    close(saved[1]);
    close(out);
    close(err);
    ck_assert_int_eq(got, exit);
    return scratch_text("out");
}

static json_t *printed_json(struct report *r, enum exits exit)
{
    json_error_t error;
    json_t *object = json_loads(printed(r, &(struct report_options){.json = true}, exit),
                                JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(object != NULL, "%s", error.text);
    return object;
}

static void begin(void)
{
    scratch_enter(folder);
}

START_TEST(people_read_columns)
{
    begin();
    ck_assert_str_eq(printed(small_report(), &(struct report_options){.json = false}, EXIT_DONE),
                     "Round trips\n"
                     "\n"
                     "suite         aegis\n"
                     "median        4.25 us\n"
                     "packets       12,345,678\n"
                     "not measured  -\n"
                     "of TCP        1.23\n"
                     "of TLS        -\n"
                     "\n"
                     "By name\n"
                     "\n"
                     "name                     round trip  how many\n"
                     "\xc3\xa4hnlich                     61.5 us     1,000\n"
                     "second, which is longer           -         -\n"
                     "-                                 -         -\n"
                     "\n"
                     "One was left out: 7.\n"
                     "\n"
                     "Limited by nothing: take 100 %.\n");
    ck_assert_str_eq(scratch_text("err"), "");
    scratch_leave(folder);
}
END_TEST

START_TEST(json_has_the_same_figures)
{
    begin();
    json_t *o = printed_json(small_report(), EXIT_DONE), *rows = json_object_get(o, "results");
    ck_assert_str_eq(json_string_value(json_object_get(o, "test")), "latency");
    ck_assert_str_eq(json_string_value(json_object_get(o, "suite")), "aegis");
    ck_assert_double_eq(json_real_value(json_object_get(o, "p50_us")), 4.25);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "packets")), 12345678);
    ck_assert(json_is_null(json_object_get(o, "none_us")));
    json_t *ratios = json_object_get(o, "ratios");
    ck_assert_double_eq(json_real_value(json_object_get(ratios, "stt_of_tcp")), 1.234);
    ck_assert(json_is_null(json_object_get(ratios, "stt_of_tls")));
    ck_assert_uint_eq(json_array_size(rows), 3);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(rows, 0), "name")),
                     "\xc3\xa4hnlich");
    ck_assert_int_eq(json_integer_value(json_object_get(json_array_get(rows, 0), "count")), 1000);
    for (size_t i = 0; i < 3; i++) /* every row has every key */
        ck_assert_uint_eq(json_object_size(json_array_get(rows, i)), 3);
    ck_assert(json_is_null(json_object_get(json_array_get(rows, 1), "rtt_us")));
    ck_assert(json_is_null(json_object_get(json_array_get(rows, 2), "name")));
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(o, "notes"), 0)),
                     "One was left out: 7.");
    ck_assert_str_eq(json_string_value(json_object_get(o, "limited_by")),
                     "Limited by nothing: take 100 %.");
    ck_assert_ptr_null(json_object_get(o, "error"));
    json_decref(o);
    scratch_leave(folder);
}
END_TEST

static struct report *nasty_report(void)
{
    struct report *r = report_new("latency", "a\033[2Jb");
    report_text(r, "host", "host", "\"quoted\"\n\xff\\");
    report_text(r, "nobody", "nobody", NULL);
    report_limited(r, "it said: %s", "\033]0;x\a");
    return r;
}

START_TEST(texts_of_others_are_the_same_harmless_ones_everywhere)
{
    begin();
    const char *text = printed(nasty_report(), &(struct report_options){.json = false}, EXIT_DONE);
    ck_assert_str_eq(text, "a?[2Jb\n\nhost    \"quoted\"??\\\nnobody  -\n\nit said: ?]0;x?\n");
    json_t *o = printed_json(nasty_report(), EXIT_DONE);
    ck_assert_str_eq(json_string_value(json_object_get(o, "host")), "\"quoted\"??\\");
    ck_assert(json_is_null(json_object_get(o, "nobody")));
    ck_assert_str_eq(json_string_value(json_object_get(o, "limited_by")), "it said: ?]0;x?");
    json_decref(o);
    scratch_leave(folder);
}
END_TEST

/* A figure without words is for programs; what is nowhere is not shown to people. */
START_TEST(people_see_no_column_or_table_in_which_there_is_nothing)
{
    static const struct report_column some[] = {
        {"name", "name", REPORT_TEXT},
        {"least_us", NULL, REPORT_US},
        {"never_us", "never", REPORT_US},
        {"after", "after", REPORT_TEXT},
    };
    begin();
    for (int json = 0; json < 2; json++) {
        struct report *r = report_new("latency", "Round trips");
        struct report_table *t = report_table(r, "results", "By name", some, 4);
        (void)report_table(r, "none", "None", some, 4);
        struct report_table *hidden = report_table(r, "hidden", "For programs", &some[1], 1);
        struct report_table *shown = report_table(r, NULL, "For people", some, 1);
        report_row(hidden);
        report_cell(hidden, 5);
        report_row(shown);
        report_cell_text(shown, "third");
        report_row(t);
        report_cell_text(t, "first");
        report_cell(t, 3);
        report_cell(t, NAN);
        report_cell_text(t, "");
        report_row(t);
        report_cell_text(t, "second");
        report_cell(t, 4);
        report_cell(t, NAN);
        report_cell_text(t, "x");
        if (!json) {
            ck_assert_str_eq(printed(r, &(struct report_options){.json = false}, EXIT_DONE),
                             "Round trips\n\nBy name\n\nname    after\nfirst\nsecond  x\n"
                             "\nFor people\n\nname\nthird\n");
            continue;
        }
        json_t *o = printed_json(r, EXIT_DONE);
        json_t *row = json_array_get(json_object_get(o, "results"), 0);
        ck_assert_double_eq(json_number_value(json_object_get(row, "least_us")), 3);
        ck_assert(json_is_null(json_object_get(row, "never_us")));
        ck_assert_uint_eq(json_array_size(json_object_get(o, "none")), 0);
        ck_assert(json_is_array(json_object_get(o, "none")));
        ck_assert_uint_eq(json_array_size(json_object_get(o, "hidden")), 1);
        ck_assert_uint_eq(json_object_size(o), 4); /* and its name */
        json_decref(o);
    }
    scratch_leave(folder);
}
END_TEST

START_TEST(sentences_break_between_words)
{
    char word[151], text[400];
    begin();
    struct report *r = report_new("latency", "Round trips");
    memset(word, 'x', 150);
    word[150] = 0;
    snprintf(text, sizeof text, "%.60s %.39s %.1s %s %.3s", word, word, word, word, word);
    report_limited(r, "%s", text);
    char wanted[500];
    snprintf(wanted, sizeof wanted, "Round trips\n\n%.60s %.39s\n%.1s\n%s\n%.3s\n", word, word,
             word, word, word);
    ck_assert_str_eq(printed(r, &(struct report_options){.json = false}, EXIT_DONE), wanted);
    scratch_leave(folder);
}
END_TEST

START_TEST(a_picture_alone_prints_nothing)
{
    begin();
    ck_assert(report_draw(small_report(), "x.svg"));
    ck_assert_ptr_nonnull(strstr(scratch_text("x.svg"), "Round trips"));
    ck_assert(!report_draw(small_report(), "nowhere/x.svg"));
    ck_assert(!report_draw(small_report(), "x.png"));
    scratch_leave(folder);
}
END_TEST

START_TEST(the_first_failure_counts)
{
    begin();
    struct report *r = small_report();
    report_fail(r, EXIT_INTEGRITY, "wrong %s", "bytes");
    report_fail(r, EXIT_NETWORK, "and then this");
    json_t *o = printed_json(r, EXIT_INTEGRITY);
    ck_assert_str_eq(json_string_value(json_object_get(o, "error")), "wrong bytes");
    ck_assert_str_eq(scratch_text("err"), "bench: wrong bytes\n");
    json_decref(o);
    scratch_leave(folder);
}
END_TEST

/* -- what cannot be written ----------------------------------------------------------------------
 */

START_TEST(standard_output_that_takes_no_more_is_an_error)
{
    begin();
    int saved = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY);
    ck_assert_int_ge(full, 0);
    fflush(stdout);
    dup2(full, STDOUT_FILENO);
    enum exits exit = report_end(small_report(), &(struct report_options){.json = _i});
    clearerr(stdout);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(full);
    ck_assert_int_eq(exit, EXIT_LOCAL_IO);
    scratch_leave(folder);
}
END_TEST

static void require_no_picture(const char *path, const char *says)
{
    const char *text =
        printed(small_report(), &(struct report_options){.plot = path}, EXIT_LOCAL_IO);
    ck_assert_ptr_nonnull(strstr(text, "median        4.25 us"));
    ck_assert_msg(strstr(scratch_text("err"), says) != NULL, "%s", scratch_text("err"));
}

START_TEST(a_picture_that_cannot_be_written_costs_no_figures)
{
    begin();
    require_no_picture("nowhere/x.svg", "No such file");
    require_no_picture("/dev/full/x.html", "Not a directory");
    require_no_picture("x.png", ".svg or .html");
    ck_assert(!scratch_is_there("x.png"));
    SCRATCH_MUST(symlink("/dev/full", "full.svg") == 0);
    require_no_picture("full.svg", "No space left");
    scratch_leave(folder);
}
END_TEST

START_TEST(a_picture_is_written_beside_the_figures)
{
    begin();
    const char *name = _i ? "x.svg" : "x.html";
    printed(small_report(), &(struct report_options){.plot = name}, EXIT_DONE);
    char start[16] = "", command[128];
    const char *first = _i ? "<svg" : "<!DOCTYPE html>";
    FILE *f = fopen(name, "r");
    SCRATCH_MUST(f && fread(start, 1, strlen(first), f) == strlen(first) && fclose(f) == 0);
    ck_assert_str_eq(start, first);
    snprintf(command, sizeof command, "grep -qF 'Limited by nothing: take 100 %%.' %s", name);
    ck_assert_int_eq(system(command), 0);
    scratch_leave(folder);
}
END_TEST

/* -- mistakes of ours ----------------------------------------------------------------------------
 */

static void say_twice(void *r)
{
    report_number(r, "p50_us", "median", REPORT_US, 5);
}

static void nest_in_a_number(void *r)
{
    report_number(r, "p50_us.x", "median", REPORT_US, 5);
}

static void cell_without_row(void *r)
{
    report_cell(report_table(r, "more", "More", columns, 3), 5);
}

static void cell_too_many(void *r)
{
    struct report_table *t = report_table(r, "more", "More", columns, 1);
    report_row(t);
    report_cell_text(t, "1");
    report_cell_text(t, "2");
}

START_TEST(figures_are_never_lost_by_mistake)
{
    static void (*const mistakes[])(void *) = {say_twice, nest_in_a_number, cell_without_row,
                                               cell_too_many};
    begin();
    struct report *r = small_report();
    ck_assert(dies(mistakes[_i], r));
    printed(r, &(struct report_options){.json = false}, EXIT_DONE);
    scratch_leave(folder);
}
END_TEST

SUITE("report", TEST(people_read_columns), TEST(json_has_the_same_figures),
      TEST(people_see_no_column_or_table_in_which_there_is_nothing),
      TEST(sentences_break_between_words), TEST(a_picture_alone_prints_nothing),
      TEST(texts_of_others_are_the_same_harmless_ones_everywhere), TEST(the_first_failure_counts),
      LOOP(standard_output_that_takes_no_more_is_an_error, 0, 2),
      TEST(a_picture_that_cannot_be_written_costs_no_figures),
      LOOP(a_picture_is_written_beside_the_figures, 0, 2),
      LOOP(figures_are_never_lost_by_mistake, 0, 4))
