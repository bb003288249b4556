/* SPDX-License-Identifier: MIT */
#include "stt/recovery/pacer.h"

#include "stt/recovery/congestion.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

enum { PACKET = 1452 };

static const uint64_t RATE = 12500000; /* 100 Mbit/s: 12,500 bytes in 1 ms, 8 packets */

static size_t send(struct stt_pacer *p, stt_ns now, uint64_t rate)
{
    size_t bytes = stt_pacer_allowance(p, now, rate, PACKET);
    if (bytes)
        stt_pacer_on_sent(p, bytes);
    return bytes;
}

START_TEST(a_train_is_a_millisecond_in_whole_packets)
{
    ck_assert_uint_eq(stt_pacer_train_bytes(RATE, PACKET), 8 * PACKET);
    ck_assert_uint_eq(stt_pacer_train_bytes(0, PACKET), PACKET);
    ck_assert_uint_eq(stt_pacer_train_bytes(PACKET * 1000 - 1, PACKET), PACKET);
    ck_assert_uint_eq(stt_pacer_train_bytes(UINT64_C(1) << 40, PACKET), 45 * PACKET);
    ck_assert_uint_eq(stt_pacer_train_bytes(STT_UNLIMITED, PACKET), 45 * PACKET);
    ck_assert_uint_eq(stt_pacer_train_bytes(STT_UNLIMITED, 65507), 65507);
}
END_TEST

START_TEST(the_first_train_goes_at_once_and_the_next_one_waits)
{
    struct stt_pacer p = STT_PACER_INIT;
    ck_assert_uint_eq(send(&p, 0, RATE), 8 * PACKET);
    ck_assert_uint_eq(send(&p, 0, RATE), 0);
    stt_ns next = stt_pacer_next(&p, RATE);
    ck_assert_uint_eq(send(&p, next - 1, RATE), 0);
    ck_assert_uint_gt(send(&p, next, RATE), 0);
}
END_TEST

START_TEST(a_slow_sender_has_two_packets_at_first)
{
    struct stt_pacer p = STT_PACER_INIT;
    ck_assert_uint_eq(send(&p, STT_S(1), 1000), 2 * PACKET);
    ck_assert_uint_eq(send(&p, STT_S(1), 1000), 0);
    ck_assert_uint_eq(stt_pacer_next(&p, 1000), STT_S(1) + 1);
}
END_TEST

/* However often it is asked, and whenever it is woken up. */
START_TEST(what_is_sent_follows_the_rate)
{
    static const uint64_t rates[] = {3000, 125000, 12500000, 1250000000, 12500000000};
    struct rng rng = rng_init((uint64_t)_i + 1);
    struct stt_pacer p = STT_PACER_INIT;
    uint64_t rate = rates[_i % 5], sent = 0;
    stt_ns now = STT_S(1), end = now + STT_S(10);
    bool waits = _i < 5;
    for (int i = 0; now < end && i < 500000; i++) {
        sent += send(&p, now, rate);
        now = waits ? stt_pacer_next(&p, rate) : now + rng_below(&rng, STT_US(100)) + 1;
    }
    double most = (double)rate * (double)(now - STT_S(1)) / 1e9;
    ck_assert_double_le((double)sent, most + 2 * 65507.0);
    if (waits || rate < UINT64_C(500000000))
        ck_assert_double_ge((double)sent, most * 0.99 - 65507.0);
}
END_TEST

START_TEST(after_idle_time_the_credit_is_one_train)
{
    struct stt_pacer p = STT_PACER_INIT;
    send(&p, STT_S(1), RATE);
    send(&p, STT_S(1), RATE); /* is held ... */
    send(&p, STT_S(1) + STT_MS(1), RATE);
    ck_assert_uint_eq(send(&p, STT_S(9), RATE), 8 * PACKET);
    ck_assert_uint_eq(send(&p, STT_S(9), RATE), 0);
}
END_TEST

START_TEST(a_late_wake_up_sends_two_trains_at_most)
{
    struct stt_pacer p = STT_PACER_INIT;
    size_t sent = 0, bytes;
    send(&p, STT_S(1), RATE);
    ck_assert_uint_eq(send(&p, STT_S(1), RATE), 0); /* one waits */
    while ((bytes = send(&p, STT_S(1) + STT_MS(30), RATE)))
        sent += bytes;
    ck_assert_uint_eq(sent, 2 * 8 * PACKET);
}
END_TEST

START_TEST(a_train_takes_the_credit_below_zero_by_less_than_a_packet)
{
    struct stt_pacer p = STT_PACER_INIT;
    stt_ns now = STT_S(1);
    for (int i = 0; i < 1000; i++) {
        now = stt_pacer_next(&p, RATE) > now ? stt_pacer_next(&p, RATE) : now;
        ck_assert_uint_gt(send(&p, now, RATE), 0);
        ck_assert_int_gt(p.credit, -(int64_t)PACKET * 1000000000);
    }
}
END_TEST

START_TEST(an_unlimited_rate_is_never_held)
{
    struct stt_pacer p = STT_PACER_INIT;
    for (int i = 0; i < 100000; i++)
        ck_assert_uint_eq(send(&p, STT_S(1), STT_UNLIMITED), 45 * PACKET);
    ck_assert_uint_eq(stt_pacer_next(&p, STT_UNLIMITED), STT_S(1) + 1);
}
END_TEST

START_TEST(absurd_rates_and_times_overflow_nothing_case_40)
{
    static const uint64_t rates[] = {0, 1, 1000, UINT64_C(1) << 40, STT_UNLIMITED - 1};
    static const stt_ns times[] = {1, STT_US(1), STT_S(3600), STT_S(86400) * 365 * 100};
    struct stt_pacer p = STT_PACER_INIT;
    stt_ns now = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t rate = rates[i % 5];
        now += times[i % 4] % (UINT64_MAX / 2000);
        send(&p, now, rate);
        ck_assert_uint_ge(stt_pacer_next(&p, rate), now);
        ck_assert_int_le(p.credit, INT64_C(4) * 65507 * 1000000000);
    }
}
END_TEST

SUITE("pacer", TEST(a_train_is_a_millisecond_in_whole_packets),
      TEST(the_first_train_goes_at_once_and_the_next_one_waits),
      TEST(a_slow_sender_has_two_packets_at_first), LOOP(what_is_sent_follows_the_rate, 0, 10),
      TEST(after_idle_time_the_credit_is_one_train), TEST(a_late_wake_up_sends_two_trains_at_most),
      TEST(a_train_takes_the_credit_below_zero_by_less_than_a_packet),
      TEST(an_unlimited_rate_is_never_held), TEST(absurd_rates_and_times_overflow_nothing_case_40))
