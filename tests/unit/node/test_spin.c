/* SPDX-License-Identifier: MIT */
#include "stt/node/spin.h"

#include "tests/support/suite.h"

static void wait_n(struct stt_spin *s, int n, stt_ns waited)
{
    while (n--)
        stt_spin_on_waited(s, waited);
}

START_TEST(nobody_spins_who_was_not_lucky)
{
    struct stt_spin s = {.least_ns = 0};
    ck_assert_uint_eq(stt_spin_for(&s), 0);
    wait_n(&s, STT_SPIN_AFTER - 1, STT_SPIN_NS / 2);
    ck_assert_uint_eq(stt_spin_for(&s), 0);
    wait_n(&s, 1, STT_SPIN_NS / 2);
    ck_assert_uint_eq(stt_spin_for(&s), STT_SPIN_NS);
}
END_TEST

START_TEST(one_look_in_vain_ends_it)
{
    struct stt_spin s = {.least_ns = 0};
    wait_n(&s, 100, 0);
    wait_n(&s, 1, STT_SPIN_NS);
    ck_assert_uint_eq(stt_spin_for(&s), 0);
    wait_n(&s, STT_SPIN_AFTER - 1, 0);
    ck_assert_uint_eq(stt_spin_for(&s), 0);
}
END_TEST

START_TEST(the_host_gets_what_it_asked_for_in_any_case)
{
    struct stt_spin s = {.least_ns = STT_US(5)};
    ck_assert_uint_eq(stt_spin_for(&s), STT_US(5));
    wait_n(&s, STT_SPIN_AFTER, 0);
    ck_assert_uint_eq(stt_spin_for(&s), STT_SPIN_NS);
    s.least_ns = STT_MS(1);
    ck_assert_uint_eq(stt_spin_for(&s), STT_MS(1));
    wait_n(&s, 1, STT_S(1));
    ck_assert_uint_eq(stt_spin_for(&s), STT_MS(1));
}
END_TEST

SUITE("spin", TEST(nobody_spins_who_was_not_lucky), TEST(one_look_in_vain_ends_it),
      TEST(the_host_gets_what_it_asked_for_in_any_case))
