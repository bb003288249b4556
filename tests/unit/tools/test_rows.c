/* SPDX-License-Identifier: MIT
 * What rows of figures become: medians, ratios, and which of them a demand is about. */
#include "tests/support/suite.h"
#include "tools/sttbench/compare/rows.h"

#include <math.h>
#include <string.h>

#define RATE offsetof(struct rows_sample, bits_per_s)

static struct rows_row list[8];
static struct rows rows = {.at = list};

static void clear(void)
{
    memset(list, 0, sizeof list);
    rows.n = 0;
}

/* Rates of rounds, 0 at the end. */
static struct rows_row *add(const char *name, const char *suite, enum rows_path path,
                            const double *rates)
{
    struct rows_row *row = &list[rows.n++];
    *row = (struct rows_row){.name = name, .suite = suite, .path = path};
    for (; rates[row->n] > 0; row->n++)
        row->samples[row->n].bits_per_s = rates[row->n];
    return row;
}
#define ADD(name, suite, path, ...) add(name, suite, path, (const double[]){__VA_ARGS__, 0})

START_TEST(a_spread_is_the_median_between_the_least_and_the_most)
{
    clear();
    struct rows_spread s = rows_spread(ADD("stt", "x", ROWS_LOOPBACK, 5, 1, 3), RATE);
    ck_assert_double_eq(s.median, 3);
    ck_assert_double_eq(s.min, 1);
    ck_assert_double_eq(s.max, 5);
    ck_assert_double_eq(rows_spread(ADD("stt", "y", ROWS_LOOPBACK, 1, 2), RATE).median, 1.5);
}
END_TEST

START_TEST(what_was_not_measured_is_no_number)
{
    clear();
    struct rows_row *none = ADD("stt", "x", ROWS_LOOPBACK, 0);
    struct rows_row *some = ADD("limit", "x", ROWS_LOOPBACK, 1, 2);
    struct rows_row *fewer = ADD("udp", "x", ROWS_LOOPBACK, 1);
    ck_assert_double_nan(rows_spread(none, RATE).median);
    ck_assert_double_nan(rows_ratio(some, none));
    ck_assert_double_nan(rows_ratio(some, NULL));
    ck_assert_double_nan(rows_ratio(some, fewer));
    ck_assert_ptr_null(rows_find(&rows, "stt", "x", ROWS_LOOPBACK));
}
END_TEST

/* The second round was slow for both: the ratio of medians would be 3 / 5. */
START_TEST(a_ratio_is_the_median_of_those_of_rounds)
{
    clear();
    struct rows_row *a = ADD("stt", "x", ROWS_LOOPBACK, 9, 1, 3);
    struct rows_row *b = ADD("limit", "x", ROWS_LOOPBACK, 10, 2, 5);
    ck_assert_double_eq_tol(rows_ratio(a, b), 0.6, 1e-12);
    b->samples[2].bits_per_s = 4;
    ck_assert_double_eq_tol(rows_ratio(a, b), 0.75, 1e-12);
}
END_TEST

START_TEST(of_several_suites_the_fastest_is_found_on_its_own_path)
{
    clear();
    ADD("stt", "aegis-128l", ROWS_LOOPBACK, 4, 4);
    ADD("stt", "aegis-128x2", ROWS_LOOPBACK, 3, 6);
    ADD("stt", "aes-256-gcm", ROWS_LOOPBACK, 9, 9);
    ADD("stt", "aegis-128l", ROWS_VETH_ON, 20, 20);
    ck_assert_str_eq(rows_find(&rows, "stt", "aegis", ROWS_LOOPBACK)->suite, "aegis-128x2");
    ck_assert_str_eq(rows_find(&rows, "stt", "", ROWS_LOOPBACK)->suite, "aes-256-gcm");
    ck_assert_str_eq(rows_find(&rows, "stt", "aegis-128l", ROWS_LOOPBACK)->suite, "aegis-128l");
    ck_assert_ptr_null(rows_find(&rows, "stt", "", ROWS_VETH_OFF));
    ck_assert_ptr_null(rows_find(&rows, "limit", "", ROWS_LOOPBACK));
}
END_TEST

static const struct rows_comparison *comparison(const char *key)
{
    for (size_t i = 0; i < rows_comparisons_n; i++)
        if (strcmp(rows_comparisons[i].key, key) == 0)
            return &rows_comparisons[i];
    ck_abort_msg("no comparison %s", key);
}

START_TEST(the_limit_of_a_suite_is_that_of_the_same_suite)
{
    clear();
    ADD("stt", "aegis-128l", ROWS_LOOPBACK, 4);
    ADD("stt", "aegis-128x2", ROWS_LOOPBACK, 5);
    ADD("limit", "aegis-128l", ROWS_LOOPBACK, 100);
    ADD("limit", "aegis-128x2", ROWS_LOOPBACK, 10);
    ADD("tcp", "", ROWS_LOOPBACK, 2);
    ck_assert_double_eq(rows_compare(&rows, comparison("stt_aegis_of_limit"), ROWS_LOOPBACK), 0.5);
    ck_assert_double_eq(rows_compare(&rows, comparison("stt_aegis_128l_of_limit"), ROWS_LOOPBACK),
                        0.04);
    ck_assert_double_eq(rows_compare(&rows, comparison("stt_of_tcp"), ROWS_LOOPBACK), 2.5);
    ck_assert_double_nan(rows_compare(&rows, comparison("stt_of_tls"), ROWS_LOOPBACK));
    ck_assert_double_nan(rows_compare(&rows, comparison("stt_of_tcp"), ROWS_VETH_ON));
}
END_TEST

START_TEST(what_is_demanded_is_demanded)
{
    static const struct {
        const char *key;
        double of[ROWS_PATHS];
    } wanted[] = {
        {"stt_aegis_of_limit", {0.8, 0.8, 0}},
        {"stt_aes_256_gcm_of_limit", {0.85, 0.85, 0}},
        {"stt_chacha20_poly1305_of_limit", {0.85, 0.85, 0}},
        {"stt_of_udp", {0, 0, 0.85}},
        {"stt_of_tcp", {0, 1, 0}},
        {"stt_of_tls", {2.2, 2.2, 1}},
    };
    size_t found = 0;
    for (size_t i = 0; i < rows_comparisons_n; i++)
        for (int path = 0; path < ROWS_PATHS; path++)
            found += rows_comparisons[i].demand[path] != 0;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        for (int path = 0; path < ROWS_PATHS; path++) {
            ck_assert_double_eq(comparison(wanted[i].key)->demand[path], wanted[i].of[path]);
            found -= wanted[i].of[path] != 0;
        }
    ck_assert_uint_eq(found, 0);
}
END_TEST

SUITE("rows", TEST(a_spread_is_the_median_between_the_least_and_the_most),
      TEST(what_was_not_measured_is_no_number), TEST(a_ratio_is_the_median_of_those_of_rounds),
      TEST(of_several_suites_the_fastest_is_found_on_its_own_path),
      TEST(the_limit_of_a_suite_is_that_of_the_same_suite), TEST(what_is_demanded_is_demanded))
