/* SPDX-License-Identifier: MIT
 * suite: the main() of a test program. One program per source file of the product:
 *
 *     SUITE("ranges", TEST(ranges_merge_neighbours), LOOP(ranges_agree_with_model, 0, 50))
 */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include <check.h>
#include <stddef.h>
#include <stdio.h>

struct suite_test {
    const TTest *test;
    int from, to;
    const char *fresh; /* why it is not run over an aged session; NULL: it is */
};

#define TEST(name)                                                                                 \
    {                                                                                              \
        name, 0, 1, NULL                                                                           \
    }
#define LOOP(name, from, to)                                                                       \
    {                                                                                              \
        name, from, to, NULL                                                                       \
    }
#define FRESH_TEST(name, why)                                                                      \
    {                                                                                              \
        name, 0, 1, why                                                                            \
    }
#define FRESH_LOOP(name, from, to, why)                                                            \
    {                                                                                              \
        name, from, to, why                                                                        \
    }
#define SUITE(title, ...)                                                                          \
    int main(void)                                                                                 \
    {                                                                                              \
        const struct suite_test tests[] = {__VA_ARGS__};                                           \
        return suite_run(title, tests, sizeof tests / sizeof tests[0]);                            \
    }

/* As SUITE, where the machine has what it needs; else the program ends with status 77, and why. */
#define SUITE_WHERE(can_run, why, title, ...)                                                      \
    int main(void)                                                                                 \
    {                                                                                              \
        const struct suite_test tests[] = {__VA_ARGS__};                                           \
        if (can_run)                                                                               \
            return suite_run(title, tests, sizeof tests / sizeof tests[0]);                        \
        puts("skipped: " why);                                                                     \
        return 77;                                                                                 \
    }

/* Run a second time over sessions that are aged (tests/support/aged.h), all but those tests that
 * say why they need a fresh one. */
#define AGED_SUITE(title, ...) SUITE(title, __VA_ARGS__)

/* Exit status of the program; prints Check's closing line with the counts. */
int suite_run(const char *title, const struct suite_test *tests, size_t n);

#endif
