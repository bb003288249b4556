/* SPDX-License-Identifier: MIT */
#include "tests/support/suite.h"

#include "tests/support/aged.h"

/* A test of the aged kind that never had an aged session has shown nothing. */
static void require_aged(void)
{
    ck_assert_msg(aged_sessions() > 0, "no session was aged: if this must be, say why with FRESH_");
}

int suite_run(const char *title, const struct suite_test *tests, size_t n)
{
    Suite *suite = suite_create(title);
    for (size_t i = 0; i < n; i++) {
        if (aged_is_wanted() && tests[i].fresh)
            continue;
        TCase *tc = tcase_create(tests[i].test->name);
        tcase_set_timeout(tc, 60);
        if (aged_is_wanted())
            tcase_add_checked_fixture(tc, NULL, require_aged);
        tcase_add_loop_test(tc, tests[i].test, tests[i].from, tests[i].to);
        suite_add_tcase(suite, tc);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
