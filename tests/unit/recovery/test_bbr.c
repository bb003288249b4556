/* SPDX-License-Identifier: MIT
 * A path that answers with four ACKs in a round trip, as peers do, at whatever rate the test says.
 */
#include "stt/recovery/bbr.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

enum { PACKET = 1000, QUARTERS = 4, PACKETS = 10 };

static const stt_ns RTT = STT_MS(100);

struct fixture {
    struct stt_rtt rtt;
    struct stt_congestion c;
    stt_ns now;
    stt_ns round_trip; /* that samples show */
    uint64_t next;     /* packet number */
    uint64_t delivered;
    uint64_t in_flight; /* before each ACK; 0: all that the window allows */
    uint64_t lost;      /* with each ACK */
    bool is_underfed;
    /* As it was when what is acknowledged now was sent: a round trip ago. */
    uint64_t delivered_then[QUARTERS], next_then[QUARTERS];
    unsigned quarter;
};

static void set_rtt(struct fixture *f, stt_ns rtt)
{
    f->round_trip = rtt;
    f->rtt = (struct stt_rtt)STT_RTT_INIT;
    stt_rtt_sample(&f->rtt, f->now, rtt, 0);
}

static void setup(struct fixture *f)
{
    *f = (struct fixture){.now = STT_S(1)};
    set_rtt(f, RTT);
    stt_congestion_init(&f->c, &stt_bbr, &f->rtt, PACKET, f->now);
}

static uint64_t window(const struct fixture *f)
{
    return f->c.window_bytes;
}

static uint64_t pace(const struct fixture *f)
{
    return f->c.rate_bytes_per_s;
}

/* Whether it is so many times so much, to a hundredth. */
static bool is_about(uint64_t value, double gain, double of)
{
    return (double)value >= 0.99 * gain * of && (double)value <= 1.01 * gain * of;
}

static uint64_t bdp(uint64_t rate)
{
    return rate * RTT / STT_S(1);
}

/* With what comes in bursts: three trains of 1 ms, a packet at least. */
static bool is_window_of(const struct fixture *f, double gain, uint64_t rate)
{
    uint64_t train = pace(f) / 1000 < 65507 ? pace(f) / 1000 / PACKET * PACKET : 65000;
    train = train ? train : PACKET;
    return is_about(window(f), 1, gain * (double)bdp(rate) + 3 * (double)train);
}

static void send(struct fixture *f, uint64_t in_flight)
{
    f->next += PACKETS;
    f->c.controller->on_sent(&f->c, f->now, PACKETS * PACKET, in_flight, f->next - 1);
}

/* A quarter of a round trip, in which the path delivers at this rate, and its ACK. */
static void ack(struct fixture *f, uint64_t rate)
{
    uint64_t in_flight = f->in_flight ? f->in_flight : window(f);
    uint64_t bytes = rate * (RTT / QUARTERS) / STT_S(1);
    unsigned q = f->quarter++ % QUARTERS;
    uint64_t taken = bytes + f->lost;
    f->now += RTT / QUARTERS;
    f->delivered += bytes;
    struct stt_ack_sample s = {.now = f->now,
                               .acked_bytes = bytes,
                               .delivered_bytes = f->delivered,
                               .in_flight_bytes = in_flight,
                               .left_bytes = in_flight > taken ? in_flight - taken : 0,
                               .lost_bytes = f->lost,
                               .interval_bytes = bdp(rate),
                               .interval_ns = RTT,
                               .rtt_ns = f->round_trip,
                               .newest_number = f->next_then[q] ? f->next_then[q] - 1 : 0,
                               .newest_delivered_bytes = f->delivered_then[q],
                               .is_underfed = f->is_underfed};
    f->c.controller->on_ack(&f->c, &s);
    f->delivered_then[q] = f->delivered;
    send(f, s.left_bytes ? s.left_bytes : 1);
    f->next_then[q] = f->next;
}

static void round_trip(struct fixture *f, uint64_t rate)
{
    for (int i = 0; i < QUARTERS; i++)
        ack(f, rate);
}

static void round_trips(struct fixture *f, int n, uint64_t rate)
{
    for (int i = 0; i < n; i++)
        round_trip(f, rate);
}

static void lose(struct fixture *f, uint64_t bytes)
{
    f->c.controller->on_lost(&f->c, f->now, bytes, f->next - 1, f->now);
}

/* 100 packets in a round trip. */
#define RATE UINT64_C(1000000)

/* A path that was found to be full, with that much in flight. */
static void fill(struct fixture *f)
{
    setup(f);
    for (uint64_t rate = RATE / 16; rate < RATE; rate *= 2)
        round_trip(f, rate);
    while (pace(f) > RATE)
        round_trip(f, RATE);
    f->in_flight = bdp(RATE);
    while (pace(f) < RATE * 7 / 10)
        ack(f, RATE);
}

/* ... and to the first phase of the cycle in which neither more nor less is sent. */
static void cruise(struct fixture *f)
{
    fill(f);
    while (pace(f) != RATE)
        ack(f, RATE);
}

/* -- startup --------------------------------------------------------------------------------------
 */

START_TEST(the_first_window_is_ten_packets_and_goes_at_2_885_windows_in_a_round_trip)
{
    struct fixture f;
    setup(&f);
    ck_assert_uint_eq(window(&f), 10 * PACKET);
    ck_assert(is_about(pace(&f), 2.885, 10 * PACKET / 0.1));
}
END_TEST

/* ... although the first packets make a path look slow. */
START_TEST(until_so_much_has_arrived_the_first_window_grows)
{
    struct fixture f;
    setup(&f);
    for (uint64_t i = 1; i < 10; i++) {
        ack(&f, PACKET * 40);
        ck_assert_uint_eq(window(&f), (10 + i) * PACKET);
    }
    ack(&f, PACKET * 40);
    ck_assert_uint_eq(window(&f), 19 * PACKET); /* what a path of that rate holds, and more */
}
END_TEST

START_TEST(before_the_first_round_trip_the_first_window_is_not_paced)
{
    struct fixture f = {.rtt = STT_RTT_INIT, .now = STT_S(1), .round_trip = RTT};
    stt_congestion_init(&f.c, &stt_bbr, &f.rtt, PACKET, f.now);
    ck_assert_uint_eq(pace(&f), STT_UNLIMITED);
    stt_rtt_sample(&f.rtt, f.now, RTT, 0);
    ack(&f, 2 * PACKET * 10);
    ck_assert(is_about(pace(&f), 2.885, 12 * PACKET / 0.1) ||
              is_about(pace(&f), 2.885, 10 * PACKET / 0.1));
}
END_TEST

START_TEST(startup_goes_at_2_885_times_what_the_path_delivers)
{
    struct fixture f;
    setup(&f);
    for (uint64_t rate = 200000; rate <= 64 * RATE; rate *= 2) {
        uint64_t before = window(&f);
        round_trip(&f, rate);
        ck_assert(is_about(pace(&f), 2.885, (double)rate));
        ck_assert_uint_le(window(&f), before + bdp(rate)); /* what was acknowledged */
    }
    round_trips(&f, 2, 64 * RATE);
    uint64_t most = 2885 * bdp(64 * RATE) / 1000 + 3 * 65000;
    ck_assert_uint_ge(window(&f), most * 99 / 100);
    ck_assert_uint_le(window(&f), most + bdp(64 * RATE) / 4); /* the ACK that reached it */
}
END_TEST

START_TEST(in_startup_the_pace_never_falls)
{
    struct fixture f;
    setup(&f);
    uint64_t before = pace(&f);
    ack(&f, RATE / 100); /* the first packets, two by two */
    ck_assert_uint_eq(pace(&f), before);
    round_trip(&f, RATE);
    before = pace(&f);
    f.in_flight = bdp(RATE);
    round_trips(&f, 9, RATE / 2);
    ck_assert_uint_eq(pace(&f), before);
}
END_TEST

START_TEST(three_round_trips_without_growth_end_startup)
{
    struct fixture f;
    setup(&f);
    f.in_flight = 2 * bdp(RATE);
    round_trips(&f, 3, RATE); /* the first found it; judged is at the beginning of the next */
    ck_assert(is_about(pace(&f), 2.885, RATE));
    ack(&f, RATE);
    ck_assert(is_about(pace(&f), 1 / 2.885, RATE));
}
END_TEST

/* A quarter of what was sent: the path has filled, and its queue. */
START_TEST(a_round_trip_of_which_a_quarter_is_lost_ends_startup)
{
    struct fixture f;
    setup(&f);
    f.in_flight = 2 * bdp(RATE);
    ack(&f, RATE); /* a round begins */
    f.lost = bdp(RATE) / QUARTERS / 2;
    for (int i = 1; i < QUARTERS; i++)
        ack(&f, RATE);
    ck_assert(is_about(pace(&f), 2.885, RATE));
    ack(&f, RATE);
    ck_assert(is_about(pace(&f), 1 / 2.885, RATE));
}
END_TEST

/* Of many packets less than a quarter; a quarter, but of few. */
START_TEST(less_loss_than_that_ends_no_startup)
{
    static const uint64_t firsts[] = {RATE, RATE / 5}, lasts[] = {100 * RATE, RATE};
    struct fixture f;
    setup(&f);
    f.in_flight = 200 * bdp(RATE);
    for (uint64_t rate = firsts[_i]; rate < lasts[_i]; rate = rate * 13 / 10) {
        f.lost = _i ? 7 * PACKET / QUARTERS : bdp(rate) / QUARTERS / 4;
        round_trip(&f, rate);
        ck_assert(is_about(pace(&f), 2.885, (double)rate));
    }
}
END_TEST

/* What was lost before is told when it has begun. */
START_TEST(losses_end_no_startup_after_persistent_congestion)
{
    struct fixture f;
    setup(&f);
    f.c.controller->on_persistent(&f.c, f.now);
    f.in_flight = 200 * bdp(RATE);
    f.lost = bdp(RATE) / QUARTERS / 2;
    round_trips(&f, 2, RATE);
    f.lost = 0;
    round_trip(&f, 2 * RATE);
    ck_assert(is_about(pace(&f), 2.885, 2 * RATE));
}
END_TEST

START_TEST(growth_by_a_quarter_begins_the_count_anew)
{
    struct fixture f;
    setup(&f);
    f.in_flight = 200 * bdp(RATE);
    round_trips(&f, 3, RATE);
    for (uint64_t rate = RATE * 13 / 10; rate < 100 * RATE; rate = rate * 13 / 10) {
        round_trips(&f, 3, rate);
        ck_assert(is_about(pace(&f), 2.885, (double)rate));
    }
    round_trips(&f, 4, 100 * RATE); /* less than a quarter more */
    ck_assert_uint_lt(pace(&f), 100 * RATE);
}
END_TEST

START_TEST(a_path_with_little_in_flight_is_not_full)
{
    struct fixture f;
    setup(&f);
    f.in_flight = bdp(RATE) * 12 / 10;
    round_trips(&f, 20, RATE);
    ck_assert(is_about(pace(&f), 2.885, RATE));
    f.in_flight = bdp(RATE) * 13 / 10;
    round_trips(&f, 5, RATE);
    ck_assert_uint_lt(pace(&f), RATE);
}
END_TEST

/* Bursts of data look like a rate. */
START_TEST(want_of_data_is_not_a_full_path_but_twice_its_filling_in_flight_is)
{
    struct fixture f;
    setup(&f);
    f.is_underfed = true;
    f.in_flight = bdp(RATE) * 19 / 10;
    round_trips(&f, 20, RATE);
    ck_assert(is_about(pace(&f), 2.885, RATE));
    f.in_flight = bdp(RATE) * 21 / 10;
    round_trips(&f, 5, RATE);
    ck_assert_uint_lt(pace(&f), RATE);
}
END_TEST

/* -- the cycle ------------------------------------------------------------------------------------
 */

START_TEST(drain_ends_when_no_more_is_in_flight_than_the_path_holds)
{
    struct fixture f;
    setup(&f);
    f.in_flight = 2 * bdp(RATE);
    round_trips(&f, 4, RATE);
    f.in_flight = bdp(RATE) * 5 / 4 + PACKET; /* a quarter of them is acknowledged at once */
    round_trips(&f, 10, RATE);
    ck_assert(is_about(pace(&f), 1 / 2.885, RATE));
    ck_assert(is_window_of(&f, 2.885, RATE));
    f.in_flight = bdp(RATE) * 5 / 4;
    ack(&f, RATE);
    ck_assert_uint_ge(pace(&f), RATE);
    ck_assert(is_window_of(&f, 2, RATE));
}
END_TEST

/* Long enough for a round trip, with that much in flight. */
static void require_phase(struct fixture *f, double gain)
{
    uint64_t before = pace(f);
    ck_assert(is_about(before, gain, RATE));
    for (int i = 0; i < QUARTERS; i++) {
        ck_assert_uint_eq(pace(f), before);
        ck_assert(is_window_of(f, 2, RATE));
        ack(f, RATE);
    }
    f->in_flight = bdp(RATE) * 7 / 4; /* ends a probe, and nothing else */
    ack(f, RATE);
    f->in_flight = bdp(RATE) * 4 / 3;
}

START_TEST(the_cycle_is_1_25_then_0_75_then_six_times_1)
{
    struct fixture f;
    fill(&f);
    while (!is_about(pace(&f), 1.25, RATE))
        ack(&f, RATE);
    f.in_flight = bdp(RATE) * 4 / 3;
    for (int cycle = 0; cycle < 3; cycle++) {
        require_phase(&f, 1.25);
        require_phase(&f, 0.75);
        for (int i = 0; i < 6; i++)
            require_phase(&f, 1);
    }
}
END_TEST

START_TEST(the_cycle_begins_anywhere_but_where_it_drains)
{
    bool has_probed = false, has_not = false;
    for (stt_ns at = 0; at < 200; at++) {
        struct fixture f;
        setup(&f);
        f.now += at;
        f.in_flight = 2 * bdp(RATE);
        round_trips(&f, 4, RATE);
        f.in_flight = bdp(RATE);
        ack(&f, RATE);
        ck_assert(is_about(pace(&f), 1.25, RATE) || pace(&f) == RATE);
        has_probed = has_probed || pace(&f) > RATE;
        has_not = has_not || pace(&f) == RATE;
    }
    ck_assert(has_probed && has_not);
}
END_TEST

static void begin_probe(struct fixture *f)
{
    fill(f);
    while (!is_about(pace(f), 1.25, RATE))
        ack(f, RATE);
}

START_TEST(a_probe_goes_on_until_it_has_filled_the_path)
{
    struct fixture f;
    begin_probe(&f);
    f.in_flight = bdp(RATE) * 6 / 4 - PACKET;
    round_trips(&f, 5, RATE);
    ck_assert(is_about(pace(&f), 1.25, RATE));
    f.in_flight = bdp(RATE) * 6 / 4;
    ack(&f, RATE);
    ck_assert(is_about(pace(&f), 0.75, RATE));
}
END_TEST

START_TEST(a_loss_ends_a_probe_that_lasted_a_round_trip)
{
    struct fixture f;
    begin_probe(&f);
    f.lost = PACKET;
    round_trip(&f, RATE);
    ck_assert(is_about(pace(&f), 1.25, RATE));
    ack(&f, RATE);
    ck_assert(is_about(pace(&f), 0.75, RATE));
}
END_TEST

START_TEST(draining_ends_early_when_the_queue_is_empty)
{
    struct fixture f;
    begin_probe(&f);
    f.in_flight = bdp(RATE) * 3 / 2;
    while (!is_about(pace(&f), 0.75, RATE))
        ack(&f, RATE);
    ack(&f, RATE);
    ck_assert(is_about(pace(&f), 0.75, RATE));
    f.in_flight = bdp(RATE) * 5 / 4;
    ack(&f, RATE);
    ck_assert_uint_eq(pace(&f), RATE);
}
END_TEST

/* -- the rate -------------------------------------------------------------------------------------
 */

START_TEST(a_faster_path_is_believed_at_once_and_a_slower_one_after_ten_round_trips)
{
    struct fixture f;
    cruise(&f);
    ack(&f, 3 * RATE);
    int acks = 0;
    for (; pace(&f) >= 2 * RATE; acks++)
        ack(&f, RATE);
    ck_assert_int_gt(acks, 9 * QUARTERS); /* the first may have been anywhere in its round trip */
    ck_assert_int_le(acks, 10 * QUARTERS);
    ck_assert_uint_le(pace(&f), RATE * 5 / 4);
    ck_assert_uint_ge(pace(&f), RATE * 3 / 4);
}
END_TEST

START_TEST(want_of_data_raises_the_rate_and_never_lowers_it)
{
    struct fixture f;
    cruise(&f);
    f.is_underfed = true;
    round_trips(&f, 100, RATE / 10);
    ck_assert_uint_ge(pace(&f), RATE);
    round_trip(&f, 2 * RATE);
    round_trips(&f, 100, RATE / 10);
    ck_assert_uint_ge(pace(&f), 2 * RATE);
    ck_assert_uint_le(pace(&f), 2 * RATE * 5 / 4);
}
END_TEST

START_TEST(an_ack_without_a_rate_changes_nothing)
{
    struct fixture f;
    cruise(&f);
    uint64_t before = pace(&f), was = window(&f);
    struct stt_ack_sample s = {.now = f.now, .acked_bytes = PACKET, .delivered_bytes = f.delivered};
    s.newest_delivered_bytes = f.delivered;
    s.left_bytes = s.in_flight_bytes = bdp(RATE);
    f.c.controller->on_ack(&f.c, &s);
    ck_assert_uint_eq(pace(&f), before);
    ck_assert_uint_eq(window(&f), was);
}
END_TEST

/* -- the shortest round trip ----------------------------------------------------------------------
 */

/* The queue is not empty any more; until the path is asked for its round trip. */
static void begin_probe_rtt(struct fixture *f)
{
    cruise(f);
    f->round_trip = RTT * 11 / 10;
    stt_ns start = f->now;
    while (window(f) > 4 * PACKET)
        ack(f, RATE);
    ck_assert_uint_ge(f->now - start, STT_S(10));
    ck_assert_uint_le(f->now - start, STT_S(11));
}

START_TEST(after_ten_seconds_four_packets_stay_in_flight_for_200_ms)
{
    struct fixture f;
    begin_probe_rtt(&f);
    f.in_flight = 5 * PACKET + RATE / 40;
    round_trips(&f, 10, RATE);
    ck_assert_uint_eq(window(&f), 4 * PACKET); /* as long as there is more in flight */
    ck_assert_uint_eq(pace(&f), RATE);
    f.in_flight = 4 * PACKET;
    f.round_trip = RTT;
    ack(&f, 4 * PACKET * 10);
    stt_ns start = f.now;
    while (window(&f) == 4 * PACKET)
        ack(&f, 4 * PACKET * 10);
    ck_assert_uint_gt(f.now - start, STT_MS(200));
    ck_assert_uint_le(f.now - start, STT_MS(225)); /* the next ACK */
    ck_assert_uint_ge(pace(&f), RATE);             /* nothing was learned of the rate */
    ck_assert(is_window_of(&f, 2, RATE));
}
END_TEST

START_TEST(on_a_long_path_it_takes_a_round_trip)
{
    struct fixture f;
    begin_probe_rtt(&f);
    f.in_flight = 4 * PACKET;
    ack(&f, RATE / 25);
    stt_ns start = f.now;
    f.now += STT_S(1);
    for (int i = 0; i < QUARTERS - 1; i++) {
        ack(&f, RATE / 25);
        ck_assert_uint_eq(window(&f), 4 * PACKET);
    }
    ack(&f, RATE / 25);
    ck_assert_uint_gt(f.now - start, STT_S(1));
    ck_assert_uint_gt(window(&f), 4 * PACKET);
}
END_TEST

START_TEST(without_an_answer_it_is_not_asked_again_at_once)
{
    struct fixture f;
    cruise(&f);
    f.round_trip = 0;
    while (window(&f) > 4 * PACKET)
        ack(&f, RATE);
    f.in_flight = 4 * PACKET;
    while (window(&f) == 4 * PACKET)
        ack(&f, RATE / 25);
    f.in_flight = bdp(RATE);
    round_trips(&f, 90, RATE);
    ck_assert_uint_gt(window(&f), 4 * PACKET);
}
END_TEST

START_TEST(what_is_sent_meanwhile_and_a_round_trip_later_does_not_lower_the_rate)
{
    struct fixture f;
    begin_probe_rtt(&f);
    f.in_flight = bdp(RATE);
    round_trips(&f, 20, RATE / 25); /* all this takes long */
    f.in_flight = 4 * PACKET;
    while (window(&f) == 4 * PACKET)
        ack(&f, RATE / 25);
    round_trip(&f, RATE / 25);
    ck_assert_uint_ge(pace(&f), RATE * 3 / 4);
    f.in_flight = bdp(RATE);
    round_trips(&f, 20, RATE / 2); /* that does */
    ck_assert_uint_le(pace(&f), RATE / 2 * 5 / 4);
}
END_TEST

START_TEST(a_round_trip_that_is_nearly_as_short_spares_the_asking)
{
    struct fixture f;
    cruise(&f);
    f.round_trip = RTT * 17 / 16;
    for (stt_ns end = f.now + STT_S(60); f.now < end;) {
        ack(&f, RATE);
        ck_assert_uint_gt(window(&f), 4 * PACKET);
    }
    f.round_trip++;
    for (stt_ns end = f.now + STT_S(11); f.now < end && window(&f) > 4 * PACKET;)
        ack(&f, RATE);
    ck_assert_uint_eq(window(&f), 4 * PACKET);
}
END_TEST

START_TEST(the_shortest_round_trip_is_believed_at_once)
{
    struct fixture f;
    cruise(&f);
    f.round_trip = RTT / 2;
    round_trip(&f, RATE);
    ck_assert(is_window_of(&f, 1, RATE));
}
END_TEST

START_TEST(startup_goes_on_after_the_round_trip_was_asked_for)
{
    struct fixture f;
    setup(&f);
    f.in_flight = bdp(RATE);
    round_trip(&f, RATE);
    f.round_trip = 2 * RTT;
    while (window(&f) > 4 * PACKET)
        ack(&f, RATE);
    ck_assert(is_about(pace(&f), 2.885, RATE)); /* not full: it never falls */
    f.in_flight = 4 * PACKET;
    while (window(&f) == 4 * PACKET)
        ack(&f, RATE / 25);
    f.in_flight = 2 * bdp(RATE);
    round_trip(&f, RATE);
    round_trip(&f, 2 * RATE);
    ck_assert(is_about(pace(&f), 2.885, 2 * RATE));
}
END_TEST

/* -- idle -----------------------------------------------------------------------------------------
 */

START_TEST(after_idle_time_nothing_is_asked_and_the_pace_is_the_rate)
{
    struct fixture f;
    begin_probe(&f);
    f.is_underfed = true;
    ack(&f, RATE);
    ck_assert(is_about(pace(&f), 1.25, RATE));
    f.now += STT_S(60);
    send(&f, 0);
    ck_assert_uint_eq(pace(&f), RATE);
    f.round_trip = 2 * RTT;
    ack(&f, RATE / 10);
    ck_assert_uint_gt(window(&f), 4 * PACKET);
    ck_assert_uint_ge(pace(&f), RATE * 3 / 4);
    f.round_trip = 3 * RTT; /* and now it is not idle any more */
    for (stt_ns end = f.now + STT_S(11); f.now < end && window(&f) > 4 * PACKET;)
        ack(&f, RATE);
    ck_assert_uint_eq(window(&f), 4 * PACKET);
}
END_TEST

START_TEST(a_path_so_short_that_nothing_is_in_flight_between_trains_is_not_idle)
{
    struct fixture f;
    begin_probe(&f);
    send(&f, 0);
    ck_assert(is_about(pace(&f), 1.25, RATE));
}
END_TEST

START_TEST(idle_time_was_what_the_asking_waited_for)
{
    struct fixture f;
    begin_probe_rtt(&f);
    f.in_flight = 4 * PACKET;
    f.is_underfed = true;
    ack(&f, RATE / 25);
    f.now += STT_MS(150);
    send(&f, 0);
    ck_assert_uint_eq(window(&f), 4 * PACKET);
    f.now += STT_MS(51);
    send(&f, 0);
    ck_assert(is_window_of(&f, 2, RATE));
    ck_assert_uint_eq(pace(&f), RATE);
}
END_TEST

/* -- losses ---------------------------------------------------------------------------------------
 */

START_TEST(losses_do_not_change_the_pace)
{
    struct fixture f;
    cruise(&f);
    f.lost = 10 * PACKET;
    for (int i = 0; i < 50; i++) {
        lose(&f, f.lost);
        round_trip(&f, RATE);
        ck_assert_uint_ge(pace(&f), RATE * 3 / 4);
    }
}
END_TEST

START_TEST(for_a_round_trip_after_a_loss_only_what_arrives_is_replaced)
{
    struct fixture f;
    cruise(&f);
    uint64_t before = window(&f);
    f.in_flight = bdp(RATE);
    lose(&f, PACKET);
    ck_assert_uint_eq(window(&f), before - PACKET);
    for (int i = 0; i < QUARTERS; i++) {
        ack(&f, RATE);
        ck_assert_uint_eq(window(&f), f.in_flight);
    }
    ack(&f, RATE); /* of what was sent after the loss; there was no other */
    ck_assert(is_window_of(&f, 2, RATE));
}
END_TEST

START_TEST(while_losses_go_on_the_window_grows_again_after_one_round_trip)
{
    struct fixture f;
    cruise(&f);
    f.in_flight = bdp(RATE);
    f.lost = PACKET;
    uint64_t before = 0;
    for (int i = 0; i < 4 * QUARTERS; i++) {
        lose(&f, PACKET);
        ack(&f, RATE);
        if (i <= QUARTERS)
            before = window(&f);
    }
    ck_assert_uint_le(before, bdp(RATE) * 5 / 4);
    ck_assert_uint_ge(window(&f), bdp(RATE) * 2);
    f.lost = 0;
    for (int i = 0; i <= QUARTERS; i++)
        ack(&f, RATE);
    lose(&f, PACKET); /* a round trip without one has passed: from the beginning */
    ack(&f, RATE);
    ck_assert_uint_eq(window(&f), bdp(RATE));
}
END_TEST

START_TEST(a_loss_that_was_none_gives_the_window_back)
{
    struct fixture f;
    cruise(&f);
    f.in_flight = bdp(RATE);
    uint64_t before = window(&f);
    lose(&f, PACKET);
    ack(&f, RATE);
    ck_assert_uint_eq(window(&f), bdp(RATE));
    f.c.controller->on_undo(&f.c, f.now);
    ck_assert_uint_eq(window(&f), before);
    round_trips(&f, 12, RATE / 2);
    f.c.controller->on_undo(&f.c, f.now); /* there is no second one */
    ck_assert(is_window_of(&f, 2, RATE / 2));
}
END_TEST

START_TEST(a_mark_is_a_loss_with_nothing_to_repair_case_34)
{
    struct fixture f;
    cruise(&f);
    f.in_flight = bdp(RATE);
    for (int i = 0; i < 40; i++) {
        struct stt_ack_sample s = {.now = f.now, .newest_number = f.next - 1};
        f.c.controller->on_ce(&f.c, &s);
        ack(&f, RATE);
        ck_assert_uint_ge(window(&f), bdp(RATE));
        if (i < QUARTERS)
            ck_assert_uint_eq(window(&f), bdp(RATE));
    }
    ck_assert_uint_ge(pace(&f), RATE * 3 / 4);
}
END_TEST

START_TEST(losses_while_the_round_trip_is_asked_for_cost_no_window_afterwards)
{
    struct fixture f;
    begin_probe_rtt(&f);
    f.in_flight = 4 * PACKET;
    f.round_trip = RTT;
    for (int i = 0; window(&f) == 4 * PACKET; i++) {
        if (i < 3)
            lose(&f, PACKET);
        ack(&f, RATE / 25);
    }
    ck_assert(is_window_of(&f, 2, RATE));
}
END_TEST

START_TEST(persistent_congestion_begins_anew_with_four_packets)
{
    struct fixture f;
    cruise(&f);
    lose(&f, bdp(RATE));
    f.c.controller->on_persistent(&f.c, f.now);
    ck_assert_uint_eq(window(&f), 4 * PACKET);
    ck_assert(is_about(pace(&f), 2.885, 4 * PACKET / 0.1));
    f.c.controller->on_undo(&f.c, f.now);
    ck_assert_uint_eq(window(&f), 4 * PACKET);
    f.in_flight = 0;
    round_trip(&f, 40 * PACKET);
    ck_assert_uint_eq(window(&f), 8 * PACKET);
    round_trip(&f, 80 * PACKET);
    ck_assert_uint_eq(window(&f), 16 * PACKET); /* startup */
    ck_assert(is_about(pace(&f), 2.885, 80 * PACKET));
}
END_TEST

START_TEST(a_loss_after_persistent_congestion_is_one_like_others)
{
    struct fixture f;
    cruise(&f);
    f.c.controller->on_persistent(&f.c, f.now);
    lose(&f, PACKET);
    f.in_flight = 4 * PACKET;
    for (int i = 0; i < QUARTERS; i++) {
        ack(&f, 40 * PACKET);
        ck_assert_uint_eq(window(&f), 4 * PACKET);
    }
    ack(&f, 40 * PACKET);
    ck_assert_uint_eq(window(&f), 5 * PACKET);
}
END_TEST

START_TEST(it_says_what_it_is_about)
{
    struct fixture f;
    setup(&f);
    ck_assert_uint_eq(f.c.phase, STT_PHASE_STARTUP);
    f.in_flight = 2 * bdp(RATE);
    round_trips(&f, 3, RATE);
    ck_assert_uint_eq(f.c.phase, STT_PHASE_STARTUP);
    ack(&f, RATE);
    ck_assert_uint_eq(f.c.phase, STT_PHASE_DRAIN);
    f.in_flight = bdp(RATE);
    ack(&f, RATE);
    ck_assert_uint_eq(f.c.phase, STT_PHASE_PROBE_BW);
    begin_probe_rtt(&f);
    ck_assert_uint_eq(f.c.phase, STT_PHASE_PROBE_RTT);
    f.in_flight = 4 * PACKET;
    round_trips(&f, 4, RATE / 25);
    ck_assert_uint_eq(f.c.phase, STT_PHASE_PROBE_BW);
    f.c.controller->on_persistent(&f.c, f.now);
    ck_assert_uint_eq(f.c.phase, STT_PHASE_STARTUP);
}
END_TEST

/* -- bounds ---------------------------------------------------------------------------------------
 */

START_TEST(the_window_never_falls_below_four_packets)
{
    struct fixture f;
    cruise(&f);
    f.in_flight = PACKET;
    for (int i = 0; i < 100; i++) {
        lose(&f, 100 * PACKET);
        ack(&f, PACKET);
        ck_assert_uint_ge(window(&f), 4 * PACKET);
        ck_assert_uint_ge(pace(&f), PACKET);
    }
    f.c.packet_bytes = 9000; /* larger packets were found to pass */
    ack(&f, PACKET);
    ck_assert_uint_ge(window(&f), 4 * 9000);
}
END_TEST

START_TEST(round_trips_of_0_and_of_30_s_overflow_nothing_case_40)
{
    static const stt_ns rtts[] = {0, 1, STT_US(1), STT_S(30), STT_S(60)};
    struct fixture f;
    struct rng rng = rng_init((uint64_t)_i);
    setup(&f);
    set_rtt(&f, rtts[_i]);
    f.c.packet_bytes = 65507;
    for (int i = 0; i < 100000; i++) {
        uint64_t in_flight = rng_u64(&rng) >> rng_below(&rng, 64), bytes = rng_u64(&rng) >> 31;
        f.now += rtts[_i] / 4 + rng_below(&rng, STT_S(1));
        f.delivered += bytes;
        send(&f, rng_below(&rng, 4) ? in_flight : 0);
        struct stt_ack_sample s = {
            .now = f.now,
            .acked_bytes = bytes,
            .delivered_bytes = f.delivered,
            .in_flight_bytes = in_flight,
            .left_bytes = in_flight / 2,
            .lost_bytes = rng_below(&rng, 2),
            .interval_bytes = rng_u64(&rng) >> rng_below(&rng, 64),
            .interval_ns = rng_u64(&rng) >> rng_below(&rng, 64),
            .rtt_ns = rtts[_i] + rng_below(&rng, 3),
            .newest_number = f.next - 1 - rng_below(&rng, PACKETS),
            .newest_delivered_bytes = rng_below(&rng, 2) ? f.delivered : f.delivered - bytes,
            .is_underfed = rng_below(&rng, 2),
        };
        f.c.controller->on_ack(&f.c, &s);
        if (rng_below(&rng, 100) == 0)
            lose(&f, bytes);
        if (rng_below(&rng, 1000) == 0)
            f.c.controller->on_persistent(&f.c, f.now);
        ck_assert_uint_ge(window(&f), 4 * 65507);
        ck_assert_uint_le(window(&f), STT_BBR_WINDOW_MAX);
        ck_assert_uint_gt(pace(&f), 0);
        ck_assert_uint_le(pace(&f), 3 * STT_BBR_RATE_MAX);
    }
}
END_TEST

SUITE("bbr", TEST(the_first_window_is_ten_packets_and_goes_at_2_885_windows_in_a_round_trip),
      TEST(until_so_much_has_arrived_the_first_window_grows),
      TEST(before_the_first_round_trip_the_first_window_is_not_paced),
      TEST(startup_goes_at_2_885_times_what_the_path_delivers),
      TEST(in_startup_the_pace_never_falls), TEST(three_round_trips_without_growth_end_startup),
      TEST(a_round_trip_of_which_a_quarter_is_lost_ends_startup),
      LOOP(less_loss_than_that_ends_no_startup, 0, 2),
      TEST(losses_end_no_startup_after_persistent_congestion),
      TEST(growth_by_a_quarter_begins_the_count_anew),
      TEST(a_path_with_little_in_flight_is_not_full),
      TEST(want_of_data_is_not_a_full_path_but_twice_its_filling_in_flight_is),
      TEST(drain_ends_when_no_more_is_in_flight_than_the_path_holds),
      TEST(the_cycle_is_1_25_then_0_75_then_six_times_1),
      TEST(the_cycle_begins_anywhere_but_where_it_drains),
      TEST(a_probe_goes_on_until_it_has_filled_the_path),
      TEST(a_loss_ends_a_probe_that_lasted_a_round_trip),
      TEST(draining_ends_early_when_the_queue_is_empty),
      TEST(a_faster_path_is_believed_at_once_and_a_slower_one_after_ten_round_trips),
      TEST(want_of_data_raises_the_rate_and_never_lowers_it),
      TEST(an_ack_without_a_rate_changes_nothing),
      TEST(after_ten_seconds_four_packets_stay_in_flight_for_200_ms),
      TEST(on_a_long_path_it_takes_a_round_trip),
      TEST(without_an_answer_it_is_not_asked_again_at_once),
      TEST(what_is_sent_meanwhile_and_a_round_trip_later_does_not_lower_the_rate),
      TEST(a_round_trip_that_is_nearly_as_short_spares_the_asking),
      TEST(the_shortest_round_trip_is_believed_at_once),
      TEST(startup_goes_on_after_the_round_trip_was_asked_for),
      TEST(after_idle_time_nothing_is_asked_and_the_pace_is_the_rate),
      TEST(a_path_so_short_that_nothing_is_in_flight_between_trains_is_not_idle),
      TEST(idle_time_was_what_the_asking_waited_for), TEST(losses_do_not_change_the_pace),
      TEST(for_a_round_trip_after_a_loss_only_what_arrives_is_replaced),
      TEST(while_losses_go_on_the_window_grows_again_after_one_round_trip),
      TEST(a_loss_that_was_none_gives_the_window_back),
      TEST(a_mark_is_a_loss_with_nothing_to_repair_case_34),
      TEST(losses_while_the_round_trip_is_asked_for_cost_no_window_afterwards),
      TEST(persistent_congestion_begins_anew_with_four_packets),
      TEST(a_loss_after_persistent_congestion_is_one_like_others), TEST(it_says_what_it_is_about),
      TEST(the_window_never_falls_below_four_packets),
      LOOP(round_trips_of_0_and_of_30_s_overflow_nothing_case_40, 0, 5))
