/* SPDX-License-Identifier: MIT */
#include "tests/support/suite.h"

int suite_run(const char *title, const struct suite_test *tests, size_t n)
{
    Suite *suite = suite_create(title);
    for (size_t i = 0; i < n; i++) {
        TCase *tc = tcase_create(tests[i].test->name);
        tcase_set_timeout(tc, 60);
        tcase_add_loop_test(tc, tests[i].test, tests[i].from, tests[i].to);
        suite_add_tcase(suite, tc);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
