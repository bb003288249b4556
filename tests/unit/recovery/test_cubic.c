/* SPDX-License-Identifier: MIT
 * The curve is compared with RFC 9438's formula in floating point, computed here on its own. */
#include "stt/recovery/cubic.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

enum { PACKET = 1452, TRAIN = 10 };

struct fixture {
    struct stt_rtt rtt;
    struct stt_congestion c;
    stt_ns now;
    uint64_t next; /* packet number */
    stt_ns round_trip;
};

static void set_rtt(struct fixture *f, stt_ns rtt)
{
    f->round_trip = rtt;
    f->rtt = (struct stt_rtt)STT_RTT_INIT;
    stt_rtt_sample(&f->rtt, f->now, rtt, 0);
}

static void setup(struct fixture *f, stt_ns rtt)
{
    *f = (struct fixture){.now = STT_S(1)};
    set_rtt(f, rtt);
    stt_congestion_init(&f->c, &stt_cubic, &f->rtt, PACKET, f->now);
}

static uint64_t window(const struct fixture *f)
{
    return f->c.window_bytes;
}

static double packets(const struct fixture *f)
{
    return (double)f->c.window_bytes / PACKET;
}

static void lose(struct fixture *f, uint64_t number)
{
    f->c.controller->on_lost(&f->c, f->now, PACKET, number, f->now);
}

/* An ACK of some packets of a flight that fills so much of the window. */
static void ack(struct fixture *f, uint64_t number, uint64_t bytes, uint64_t in_flight)
{
    struct stt_ack_sample s = {.now = f->now,
                               .acked_bytes = bytes,
                               .in_flight_bytes = in_flight,
                               .rtt_ns = f->round_trip,
                               .newest_number = number};
    f->c.controller->on_ack(&f->c, &s);
}

/* A window is sent, and comes back as ACKs of ten packets each over the next round trip. */
static void round_trip(struct fixture *f)
{
    uint64_t n = window(f) / PACKET, first = f->next, in_flight = window(f);
    f->next += n;
    f->c.controller->on_sent(&f->c, f->now, n * PACKET, in_flight, f->next - 1);
    stt_ns start = f->now;
    for (uint64_t i = 0; i < n; i += TRAIN) {
        uint64_t end = i + TRAIN < n ? i + TRAIN : n;
        f->now = start + f->round_trip * end / n;
        ack(f, first + end - 1, (end - i) * PACKET, window(f));
    }
}

/* To a window of at least so many packets by slow start, and one loss there. */
static void grow_and_lose(struct fixture *f, double wanted)
{
    while (packets(f) < wanted)
        round_trip(f);
    lose(f, f->next - 1);
}

static double cube(double x)
{
    return x * x * x;
}

static double cube_root(double x)
{
    double low = 0, high = x > 1 ? x : 1;
    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        *(cube(middle) < x ? &low : &high) = middle;
    }
    return low;
}

/* -- slow start -----------------------------------------------------------------------------------
 */

START_TEST(the_first_window_is_ten_packets)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    ck_assert_uint_eq(window(&f), 10 * PACKET);
    ck_assert_uint_eq(f.c.rate_bytes_per_s, 2 * 10 * PACKET * 10);
}
END_TEST

START_TEST(before_the_first_round_trip_the_first_window_is_not_paced)
{
    struct fixture f = {.rtt = STT_RTT_INIT};
    stt_congestion_init(&f.c, &stt_cubic, &f.rtt, PACKET, 0);
    ck_assert_uint_eq(f.c.rate_bytes_per_s, STT_UNLIMITED);
}
END_TEST

START_TEST(slow_start_doubles_in_a_round_trip)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    for (int i = 1; i < 8; i++) {
        round_trip(&f);
        ck_assert_uint_eq(window(&f), (UINT64_C(10) << i) * PACKET);
        ck_assert_uint_eq(f.c.rate_bytes_per_s, 20 * window(&f));
    }
}
END_TEST

START_TEST(longer_round_trips_end_slow_start_before_a_loss)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    for (int i = 0; i < 4; i++)
        round_trip(&f);
    f.round_trip = STT_MS(113); /* an eighth, and a little */
    uint64_t before = window(&f);
    round_trip(&f);
    ck_assert_uint_lt(window(&f), before * 3 / 2); /* it hears of it at the second ACK */
    for (int i = 0; i < 4; i++) { /* a quarter in each of the conservative rounds */
        before = window(&f);
        round_trip(&f);
        ck_assert_uint_le(window(&f), before + before / 4);
        ck_assert_uint_ge(window(&f), before + before / 4 - 2 * PACKET);
    }
    round_trip(&f);
    before = window(&f);
    ck_assert_uint_eq(f.c.rate_bytes_per_s, (before + before / 4) * 10);
    round_trip(&f);
    ck_assert_uint_lt(window(&f), before + before / 16);
}
END_TEST

START_TEST(it_says_what_it_is_about)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    ck_assert_uint_eq(f.c.phase, STT_PHASE_SLOW_START);
    for (int i = 0; i < 4; i++)
        round_trip(&f);
    ck_assert_uint_eq(f.c.phase, STT_PHASE_SLOW_START);
    f.round_trip = STT_MS(113);
    round_trip(&f);
    ck_assert_uint_eq(f.c.phase, STT_PHASE_CONSERVATIVE_SLOW_START);
    for (int i = 0; i < 6; i++)
        round_trip(&f);
    ck_assert_uint_eq(f.c.phase, STT_PHASE_AVOIDANCE);
    f.c.controller->on_persistent(&f.c, f.now);
    ck_assert_uint_eq(f.c.phase, STT_PHASE_SLOW_START);
    lose(&f, f.next - 1);
    ck_assert_uint_eq(f.c.phase, STT_PHASE_AVOIDANCE);
}
END_TEST

/* An eighth of the round trip, but 4 to 16 ms. */
START_TEST(the_delay_that_ends_slow_start_has_bounds)
{
    static const struct {
        stt_ns before, after;
        bool ends;
    } cases[] = {
        {STT_MS(8), STT_MS(12), true},      {STT_MS(8), STT_US(11999), false},
        {STT_MS(64), STT_MS(72), true},     {STT_MS(64), STT_US(71999), false},
        {STT_MS(1000), STT_MS(1016), true}, {STT_MS(1000), STT_US(1015999), false},
    };
    struct fixture f;
    setup(&f, cases[_i].before);
    for (int i = 0; i < 3; i++)
        round_trip(&f);
    uint64_t before = window(&f);
    f.round_trip = cases[_i].after;
    round_trip(&f);
    round_trip(&f);
    ck_assert(cases[_i].ends == (window(&f) < 4 * before));
}
END_TEST

START_TEST(a_delay_that_was_chance_lets_slow_start_go_on)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    for (int i = 0; i < 3; i++)
        round_trip(&f);
    f.round_trip = STT_MS(120);
    round_trip(&f);
    f.round_trip = STT_MS(100);
    round_trip(&f);
    uint64_t before = window(&f);
    round_trip(&f);
    ck_assert_uint_eq(window(&f), 2 * before);
}
END_TEST

START_TEST(a_loss_ends_slow_start)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    grow_and_lose(&f, 100);
    ck_assert_uint_eq(window(&f), 160 * PACKET * 7 / 10);
    ck_assert_uint_eq(f.c.rate_bytes_per_s, (window(&f) + window(&f) / 4) * 10);
}
END_TEST

/* -- avoidance ------------------------------------------------------------------------------------
 */

/* At time t after the reduction the window lies between the curve there and a round trip on. */
START_TEST(the_window_follows_the_formula)
{
    static const stt_ns rtts[] = {STT_MS(20), STT_MS(100), STT_MS(300)};
    struct fixture f;
    setup(&f, rtts[_i]);
    grow_and_lose(&f, 2000);
    double plateau = packets(&f) / 0.7, k = cube_root(plateau * 0.3 / 0.4);
    double rtt = (double)rtts[_i] / 1e9, reached = 0;
    stt_ns epoch = f.now;
    while (f.now < epoch + STT_S(25)) {
        round_trip(&f);
        double t = (double)(f.now - epoch) / 1e9;
        double low = 0.4 * cube(t - k) + plateau, high = 0.4 * cube(t + rtt - k) + plateau;
        ck_assert_double_ge(packets(&f), low * 0.995);
        ck_assert_double_le(packets(&f), high * 1.005);
        reached = packets(&f);
    }
    ck_assert_double_ge(reached, plateau * 1.1); /* it has seen both halves */
}
END_TEST

/* Where Reno would be faster: 9/17 of a packet in a round trip, then a whole one. */
START_TEST(on_short_paths_the_window_follows_reno)
{
    struct fixture f;
    setup(&f, STT_MS(2));
    grow_and_lose(&f, 100);
    double start = packets(&f), prior = start / 0.7;
    double reno = start;
    for (int i = 0; i < 300; i++) {
        reno += reno < prior ? 9.0 / 17 : 1;
        round_trip(&f);
        ck_assert_double_ge(packets(&f), reno * 0.96);
        ck_assert_double_le(packets(&f), reno * 1.04);
    }
}
END_TEST

START_TEST(who_has_less_than_before_leaves_room)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    grow_and_lose(&f, 1000);
    round_trip(&f);
    round_trip(&f);
    double before = packets(&f);
    lose(&f, f.next - 1); /* well below the plateau */
    round_trip(&f);
    stt_ns epoch = f.now;
    double plateau = before * 0.85, k = cube_root((plateau - before * 0.7) / 0.4);
    while (f.now < epoch + (stt_ns)(k * 1e9))
        round_trip(&f);
    ck_assert_double_ge(packets(&f), plateau * 0.99);
    ck_assert_double_le(packets(&f), plateau * 1.01);
}
END_TEST

START_TEST(losses_of_one_flight_reduce_once)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    grow_and_lose(&f, 100);
    uint64_t reduced = window(&f);
    for (uint64_t n = 0; n < 10; n++)
        lose(&f, f.next - 10 + n);
    ck_assert_uint_eq(window(&f), reduced);
    round_trip(&f);
    lose(&f, f.next - 1);
    ck_assert_uint_lt(window(&f), reduced);
}
END_TEST

START_TEST(acks_of_before_a_reduction_do_not_grow_the_window)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    grow_and_lose(&f, 100);
    uint64_t reduced = window(&f);
    for (uint64_t n = f.next - 50; n < f.next; n++)
        ack(&f, n, PACKET, window(&f));
    ck_assert_uint_eq(window(&f), reduced);
}
END_TEST

START_TEST(marks_on_everything_reduce_once_in_a_round_trip_case_34)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    while (packets(&f) < 300)
        round_trip(&f);
    for (int i = 0; i < 3; i++) {
        uint64_t before = window(&f);
        f.c.controller->on_sent(&f.c, f.now, PACKET, PACKET, f.next++);
        for (int j = 0; j < 100; j++) {
            struct stt_ack_sample s = {.now = f.now, .newest_number = f.next - 1};
            f.c.controller->on_ce(&f.c, &s);
        }
        ck_assert_uint_eq(window(&f), before * 7 / 10);
    }
    f.c.controller->on_undo(&f.c, f.now);
    ck_assert_uint_lt(window(&f), 300 * PACKET);
}
END_TEST

START_TEST(a_window_that_is_not_used_does_not_grow)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    for (int i = 0; i < 100; i++) { /* a chat: one packet in a round trip */
        f.c.controller->on_sent(&f.c, f.now, PACKET, PACKET, f.next);
        f.now += STT_MS(100);
        ack(&f, f.next++, PACKET, PACKET);
    }
    ck_assert_uint_eq(window(&f), 10 * PACKET);
    struct stt_ack_sample s = {.now = f.now,
                               .acked_bytes = PACKET,
                               .in_flight_bytes = 6 * PACKET,
                               .newest_number = f.next,
                               .is_app_limited = true};
    f.c.controller->on_ack(&f.c, &s);
    ck_assert_uint_eq(window(&f), 10 * PACKET);
    s.is_app_limited = false; /* paced: half of it is enough */
    f.c.controller->on_ack(&f.c, &s);
    ck_assert_uint_eq(window(&f), 11 * PACKET);
}
END_TEST

START_TEST(the_curve_waits_while_the_window_is_not_used)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    grow_and_lose(&f, 1000);
    round_trip(&f);
    round_trip(&f);
    uint64_t before = window(&f);
    for (int i = 0; i < 600; i++) { /* a minute */
        f.now += STT_MS(100);
        f.c.controller->on_sent(&f.c, f.now, PACKET, PACKET, f.next);
        ack(&f, f.next++, PACKET, PACKET);
    }
    ck_assert_uint_eq(window(&f), before);
    round_trip(&f);
    ck_assert_uint_lt(window(&f), before + before / 16);
}
END_TEST

START_TEST(a_reduction_that_was_wrong_is_taken_back)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    while (packets(&f) < 100)
        round_trip(&f);
    uint64_t before = window(&f);
    lose(&f, f.next - 1);
    f.c.controller->on_undo(&f.c, f.now);
    ck_assert_uint_eq(window(&f), before);
    round_trip(&f);
    ck_assert_uint_eq(window(&f), 2 * before); /* slow start goes on */
    lose(&f, f.next - 1);
    uint64_t reduced = window(&f);
    f.c.controller->on_undo(&f.c, f.now);
    f.c.controller->on_undo(&f.c, f.now); /* there is no second one */
    ck_assert_uint_eq(window(&f), 2 * before);
    ck_assert_uint_lt(reduced, 2 * before);
}
END_TEST

START_TEST(persistent_congestion_leaves_two_packets_and_slow_start_to_the_threshold)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    grow_and_lose(&f, 100);
    double threshold = packets(&f);
    f.c.controller->on_persistent(&f.c, f.now);
    f.c.controller->on_undo(&f.c, f.now);
    ck_assert_uint_eq(window(&f), 2 * PACKET);
    double expected = 2;
    while (packets(&f) < threshold) {
        expected = expected * 2 < threshold ? expected * 2 : threshold;
        round_trip(&f);
        ck_assert_double_ge(packets(&f), expected * 0.99);
        ck_assert_double_le(packets(&f), expected * 1.01);
    }
    round_trip(&f);
    ck_assert_double_le(packets(&f), threshold * 1.1);
}
END_TEST

START_TEST(the_window_never_falls_below_two_packets)
{
    struct fixture f;
    setup(&f, STT_MS(100));
    for (int i = 0; i < 50; i++) {
        f.c.controller->on_sent(&f.c, f.now, PACKET, PACKET, f.next++);
        lose(&f, f.next - 1);
    }
    ck_assert_uint_eq(window(&f), 2 * PACKET);
    f.c.packet_bytes = 9000; /* larger packets were found to pass */
    round_trip(&f);
    ck_assert_uint_ge(window(&f), 2 * 9000);
}
END_TEST

START_TEST(round_trips_of_0_and_of_30_s_overflow_nothing_case_40)
{
    static const stt_ns rtts[] = {0, 1, STT_US(1), STT_S(30), STT_S(60)};
    struct fixture f;
    struct rng rng = rng_init((uint64_t)_i);
    setup(&f, rtts[_i]);
    f.c.packet_bytes = 65507;
    for (int i = 0; i < 20000; i++) {
        f.next += 1000;
        f.c.controller->on_sent(&f.c, f.now, 65507000, 65507000, f.next - 1);
        f.now += rtts[_i] / 4 + rng_below(&rng, STT_S(1));
        ack(&f, f.next - 1, rng_u64(&rng) >> 31, window(&f));
        if (i % 1000 == 999)
            lose(&f, f.next - 1);
        ck_assert_uint_ge(window(&f), 2 * 65507);
        ck_assert_uint_le(window(&f), STT_CURVE_WINDOW_MAX);
        ck_assert_uint_gt(f.c.rate_bytes_per_s, 0);
    }
}
END_TEST

SUITE("cubic", TEST(the_first_window_is_ten_packets),
      TEST(before_the_first_round_trip_the_first_window_is_not_paced),
      TEST(slow_start_doubles_in_a_round_trip),
      TEST(longer_round_trips_end_slow_start_before_a_loss), TEST(it_says_what_it_is_about),
      LOOP(the_delay_that_ends_slow_start_has_bounds, 0, 6),
      TEST(a_delay_that_was_chance_lets_slow_start_go_on), TEST(a_loss_ends_slow_start),
      LOOP(the_window_follows_the_formula, 0, 3), TEST(on_short_paths_the_window_follows_reno),
      TEST(who_has_less_than_before_leaves_room), TEST(losses_of_one_flight_reduce_once),
      TEST(acks_of_before_a_reduction_do_not_grow_the_window),
      TEST(marks_on_everything_reduce_once_in_a_round_trip_case_34),
      TEST(a_window_that_is_not_used_does_not_grow),
      TEST(the_curve_waits_while_the_window_is_not_used),
      TEST(a_reduction_that_was_wrong_is_taken_back),
      TEST(persistent_congestion_leaves_two_packets_and_slow_start_to_the_threshold),
      TEST(the_window_never_falls_below_two_packets),
      LOOP(round_trips_of_0_and_of_30_s_overflow_nothing_case_40, 0, 5))
