/* SPDX-License-Identifier: MIT */
#include "stt/recovery/congestion.h"

#include "stt/config.h"
#include "tests/support/suite.h"

#include <string.h>

enum { CONTROLLERS = 4 };

START_TEST(controllers_are_found_by_name)
{
    ck_assert_ptr_eq(stt_controller_by_name("tide"), &stt_tide);
    ck_assert_ptr_eq(stt_controller_by_name("cubic"), &stt_cubic);
    ck_assert_ptr_eq(stt_controller_by_name("bbr"), &stt_bbr);
    ck_assert_ptr_eq(stt_controller_by_name("none"), &stt_no_congestion);
    ck_assert_ptr_null(stt_controller_by_name("cubi"));
    ck_assert_ptr_null(stt_controller_by_name(""));
}
END_TEST

START_TEST(all_are_counted_with_the_default_first_and_none_last)
{
    const struct stt_config config = STT_CONFIG_INIT;
    const struct stt_controller *c, *last = NULL;
    size_t n = 0;
    for (; (c = stt_controller_at(n)) != NULL; n++) {
        ck_assert_ptr_eq(stt_controller_by_name(c->name), c);
        last = c;
    }
    ck_assert_uint_eq(n, CONTROLLERS);
    ck_assert_str_eq(stt_controller_at(0)->name, config.congestion);
    ck_assert_ptr_eq(last, &stt_no_congestion);
    ck_assert_ptr_null(stt_controller_at(n + 1));
    ck_assert_ptr_null(stt_controller_at(SIZE_MAX));
}
END_TEST

START_TEST(who_configures_one_that_is_not_is_told_all)
{
    struct stt_config config = STT_CONFIG_INIT;
    const struct stt_controller *c = stt_controller_at((size_t)_i);
    char why[STT_CONFIG_WHY_ROOM];
    config.identity.secret[0] = 1;
    config.application[0] = 'a';
    config.congestion = "reno";
    ck_assert_int_eq(stt_config_check(&config, why, sizeof why), STT_E_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(why, c->name));
    config.congestion = c->name;
    ck_assert_int_eq(stt_config_check(&config, why, sizeof why), STT_OK);
}
END_TEST

START_TEST(none_limits_nothing_whatever_happens)
{
    struct stt_rtt rtt = STT_RTT_INIT;
    struct stt_congestion c;
    struct stt_ack_sample sample = {.now = 1, .acked_bytes = 1000};
    stt_congestion_init(&c, &stt_no_congestion, &rtt, 1452, 0);
    c.controller->on_sent(&c, 0, 1000, 1000, 0);
    c.controller->on_ack(&c, &sample);
    c.controller->on_lost(&c, 1, 1000, 0, 0);
    c.controller->on_ce(&c, &sample);
    c.controller->on_persistent(&c, 1);
    c.controller->on_undo(&c, 1);
    ck_assert_uint_eq(c.window_bytes, STT_UNLIMITED);
    ck_assert_uint_eq(c.rate_bytes_per_s, STT_UNLIMITED);
    ck_assert_uint_eq(c.phase, STT_PHASE_NONE);
}
END_TEST

START_TEST(every_controller_fills_its_table)
{
    const struct stt_controller *c = stt_controller_at((size_t)_i);
    ck_assert(c->name && c->init && c->on_sent && c->on_ack && c->on_lost && c->on_ce &&
              c->on_persistent && c->on_undo);
}
END_TEST

SUITE("congestion", TEST(controllers_are_found_by_name),
      TEST(all_are_counted_with_the_default_first_and_none_last),
      LOOP(who_configures_one_that_is_not_is_told_all, 0, CONTROLLERS),
      TEST(none_limits_nothing_whatever_happens),
      LOOP(every_controller_fills_its_table, 0, CONTROLLERS))
