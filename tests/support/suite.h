/* SPDX-License-Identifier: MIT
 * suite: the main() of a test program. One program per source file of the product:
 *
 *     SUITE("ranges", TEST(ranges_merge_neighbours), LOOP(ranges_agree_with_model, 0, 50))
 */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include <check.h>
#include <stddef.h>

struct suite_test {
    const TTest *test;
    int from, to;
};

#define TEST(name)                                                                                 \
    {                                                                                              \
        name, 0, 1                                                                                 \
    }
#define LOOP(name, from, to)                                                                       \
    {                                                                                              \
        name, from, to                                                                             \
    }
#define SUITE(title, ...)                                                                          \
    int main(void)                                                                                 \
    {                                                                                              \
        const struct suite_test tests[] = {__VA_ARGS__};                                           \
        return suite_run(title, tests, sizeof tests / sizeof tests[0]);                            \
    }

/* Exit status of the program; prints Check's closing line with the counts. */
int suite_run(const char *title, const struct suite_test *tests, size_t n);

#endif
