/* SPDX-License-Identifier: MIT
 * A path with one queue in virtual time, which answers with four ACKs in a round trip, as peers do.
 * Beside us goes a rival whose window the test sets: what of it the path does not hold stands in
 * the queue, whatever we do. */
#include "stt/recovery/tide.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <string.h>

enum { PACKET = 1000, STEPS = 16, STEPS_PER_ACK = 4, RING = 1 << 16 };

#define MBIT      UINT64_C(125000)
#define RATE      (100 * MBIT)
#define BASE      STT_MS(20)
#define UNLIMITED UINT64_MAX

/* The queue that is kept alone at RATE. */
#define TARGET STT_MS(2)

struct packet {
    stt_ns sent_at, arrives_at; /* its ack */
    stt_ns first_at, delivered_at;
    uint64_t delivered;
    bool is_lost, is_marked, is_underfed;
};

struct fixture {
    struct stt_rtt rtt;
    struct stt_congestion c;
    struct rng rng;
    stt_ns now;

    /* The path. */
    uint64_t rate;
    stt_ns base, limit; /* limit: of the queue */
    unsigned lost_per_1000;
    bool marks;     /* instead of dropping */
    stt_ns free_at; /* when it has sent all */

    /* The rival: when each of its packets may go again. */
    stt_ns rival[RING];
    uint64_t rival_first, rival_next, rival_packets;

    /* The application. */
    uint64_t wants;            /* bytes in a second, or UNLIMITED */
    uint64_t has, wants_until; /* bytes since the beginning */

    /* What is in flight. */
    struct packet ring[RING];
    uint64_t acked, next; /* packet numbers */
    uint64_t in_flight, delivered;
    stt_ns first_at, delivered_at;
    stt_ns pace_at, answered_at;
    unsigned step;

    /* What was seen. */
    uint32_t phases; /* since the test cleared it */
    stt_ns queue;    /* at the last packet */
    uint64_t n_lost, n_sent, n_reduced;
};

static void init(struct fixture *f, uint64_t rate, stt_ns base)
{
    memset(f, 0, sizeof *f);
    f->now = STT_S(1);
    f->rtt = (struct stt_rtt)STT_RTT_INIT;
    f->rng = rng_init(1);
    f->rate = rate;
    f->base = base;
    f->limit = STT_S(10);
    f->wants = f->wants_until = UNLIMITED;
    f->pace_at = f->answered_at = f->now;
    stt_congestion_init(&f->c, &stt_tide, &f->rtt, PACKET, f->now);
}

static struct fixture *setup(void)
{
    static struct fixture f;
    init(&f, RATE, BASE);
    return &f;
}

static uint64_t window(const struct fixture *f)
{
    return f->c.window_bytes;
}

static uint64_t bdp(const struct fixture *f)
{
    return f->rate * f->base / STT_S(1);
}

/* -- the path -------------------------------------------------------------------------------------
 */

static struct packet *packet(struct fixture *f, uint64_t number)
{
    return &f->ring[number % RING];
}

static stt_ns queue_at(const struct fixture *f, stt_ns at)
{
    return f->free_at > at ? f->free_at - at : 0;
}

/* When the packet has passed; STT_NEVER: there was no room. */
static stt_ns pass(struct fixture *f, stt_ns at)
{
    stt_ns queue = queue_at(f, at);
    if (queue > f->limit)
        return STT_NEVER;
    return f->free_at = at + queue + PACKET * STT_S(1) / f->rate;
}

/* All that the rival sends until then. */
static void let_rival(struct fixture *f, stt_ns until)
{
    while (f->rival_next - f->rival_first < f->rival_packets)
        f->rival[f->rival_next++ % RING] = until;
    while (f->rival_first < f->rival_next && f->rival[f->rival_first % RING] <= until) {
        stt_ns at = f->rival[f->rival_first++ % RING], passed = pass(f, at);
        if (f->rival_next - f->rival_first < f->rival_packets)
            f->rival[f->rival_next++ % RING] =
                (passed == STT_NEVER ? f->free_at : passed) + f->base;
    }
}

static void send_packet(struct fixture *f, stt_ns at)
{
    struct packet *p = packet(f, f->next++);
    if (!f->in_flight)
        f->first_at = f->delivered_at = at;
    let_rival(f, at);
    f->queue = queue_at(f, at);
    stt_ns passed = pass(f, at);
    bool is_lost = passed == STT_NEVER || rng_below(&f->rng, 1000) < f->lost_per_1000;
    *p = (struct packet){.sent_at = at,
                         .arrives_at = (passed == STT_NEVER ? f->free_at : passed) + f->base,
                         .first_at = f->first_at,
                         .delivered_at = f->delivered_at,
                         .delivered = f->delivered,
                         .is_lost = is_lost && !f->marks,
                         .is_marked = is_lost && f->marks};
    f->in_flight += PACKET;
    f->n_sent++;
    f->n_lost += p->is_lost;
}

/* What the window allows, and when nothing has come for long, a probe. */
static bool may_send(const struct fixture *f)
{
    bool is_silent = f->now - f->answered_at > STT_MS(200) + 3 * f->rtt.smoothed;
    return (f->in_flight + PACKET <= window(f) || is_silent) && f->next - f->acked < RING &&
           f->has < f->wants_until;
}

/* Until now, each packet when the pace allows it. */
static void send(struct fixture *f)
{
    uint64_t before = f->next, pace = f->c.rate_bytes_per_s;
    for (; f->pace_at < f->now && may_send(f); f->has += PACKET) {
        f->answered_at = f->in_flight && f->in_flight < window(f) ? f->answered_at : f->now;
        send_packet(f, f->pace_at);
        f->pace_at += PACKET * STT_S(1) / pace;
    }
    f->pace_at = stt_at_least(f->pace_at, f->now); /* what was not used is gone */
    if (f->next == before)
        return;
    packet(f, f->next - 1)->is_underfed = f->has >= f->wants_until;
    f->c.controller->on_sent(&f->c, f->now, (f->next - before) * PACKET, f->in_flight, f->next - 1);
}

static void note_phase(struct fixture *f, uint64_t before)
{
    f->phases |= UINT32_C(1) << f->c.phase;
    f->n_reduced += window(f) < before * 3 / 4;
}

static void tell(struct fixture *f, struct stt_ack_sample *s, uint64_t newest_lost, bool is_marked)
{
    uint64_t before = window(f);
    if (s->lost_bytes)
        f->c.controller->on_lost(&f->c, f->now, s->lost_bytes, newest_lost,
                                 packet(f, newest_lost)->sent_at);
    if (is_marked)
        f->c.controller->on_ce(&f->c, s);
    f->c.controller->on_ack(&f->c, s);
    note_phase(f, before);
}

static void sample(struct fixture *f, struct stt_ack_sample *s, const struct packet *newest)
{
    stt_ns sent_in = newest->sent_at - newest->first_at;
    stt_ns acked_in = newest->arrives_at - newest->delivered_at;
    stt_rtt_sample(&f->rtt, f->now, newest->arrives_at - newest->sent_at, 0);
    s->rtt_ns = f->rtt.latest;
    f->delivered += s->acked_bytes;
    f->delivered_at = newest->arrives_at;
    f->first_at = newest->sent_at;
    s->delivered_bytes = f->delivered;
    s->interval_ns = stt_at_least(stt_at_least(sent_in, acked_in), f->rtt.min);
    s->interval_bytes = f->delivered - newest->delivered;
    s->newest_sent_at = newest->sent_at;
    s->newest_delivered_bytes = newest->delivered;
    s->is_app_limited = s->is_underfed = newest->is_underfed;
}

/* All whose acks have come; a packet below the newest of them that was lost is found so. */
static void ack(struct fixture *f)
{
    struct stt_ack_sample s = {.now = f->now, .in_flight_bytes = f->in_flight};
    uint64_t end = f->acked, newest_lost = 0;
    bool is_marked = false;
    for (uint64_t n = f->acked; n < f->next && packet(f, n)->arrives_at <= f->now; n++)
        end = packet(f, n)->is_lost ? end : n + 1;
    if (end == f->acked)
        return;
    for (; f->acked < end; f->acked++) {
        bool is_lost = packet(f, f->acked)->is_lost;
        *(is_lost ? &s.lost_bytes : &s.acked_bytes) += PACKET;
        newest_lost = is_lost ? f->acked : newest_lost;
        is_marked = is_marked || packet(f, f->acked)->is_marked;
    }
    f->in_flight -= s.acked_bytes + s.lost_bytes;
    f->answered_at = f->now;
    s.left_bytes = f->in_flight;
    s.newest_number = end - 1;
    sample(f, &s, packet(f, end - 1));
    tell(f, &s, newest_lost, is_marked);
}

static void step(struct fixture *f)
{
    stt_ns time = f->base / STEPS;
    f->now += time;
    if (++f->step % STEPS_PER_ACK == 0)
        ack(f);
    if (f->wants != UNLIMITED)
        f->wants_until += f->wants * time / STT_S(1);
    send(f);
    let_rival(f, f->now);
}

static void run(struct fixture *f, stt_ns time)
{
    for (stt_ns end = f->now + time; f->now < end;)
        step(f);
}

static void round_trips(struct fixture *f, unsigned n)
{
    run(f, n * f->base);
}

/* The application has so much in a second from now on. */
static void limit_application(struct fixture *f, uint64_t bytes_per_s)
{
    f->wants = bytes_per_s;
    f->wants_until = bytes_per_s == UNLIMITED ? UINT64_MAX : f->has;
}

/* Whether it comes to that within the time. */
static bool reaches(struct fixture *f, enum stt_phase phase, stt_ns time)
{
    for (stt_ns end = f->now + time; f->now < end && f->c.phase != phase;)
        step(f);
    return f->c.phase == phase;
}

static void forget_phases(struct fixture *f)
{
    f->phases = UINT32_C(1) << f->c.phase;
    f->n_reduced = 0;
}

static bool was_in(const struct fixture *f, enum stt_phase phase)
{
    return f->phases & UINT32_C(1) << phase;
}

/* What the queue is on the average. */
static stt_ns mean_queue(struct fixture *f, stt_ns time)
{
    stt_ns sum = 0, n = 0;
    for (stt_ns end = f->now + time; f->now < end; n++) {
        step(f);
        sum += queue_at(f, f->now);
    }
    return sum / n;
}

/* Of the path's rate, in hundredths. */
static uint64_t used_percent(struct fixture *f, stt_ns time)
{
    uint64_t before = f->delivered;
    run(f, time);
    return (f->delivered - before) * 100 / (f->rate * time / STT_S(1));
}

/* Alone for so long that everything has settled. */
static struct fixture *alone(void)
{
    struct fixture *f = setup();
    run(f, STT_S(3));
    ck_assert_uint_eq(f->c.phase, STT_PHASE_ALONE);
    forget_phases(f);
    return f;
}

enum { RIVAL = 300 }; /* packets, where the path holds 250 */

/* A rival comes, and is met until it has become quiet: then the window is our share. */
static struct fixture *competing(void)
{
    struct fixture *f = alone();
    f->limit = STT_MS(60);
    f->rival_packets = 2 * RIVAL;
    ck_assert(reaches(f, STT_PHASE_COMPETE, STT_S(6)));
    run(f, STT_S(2));
    ck_assert_uint_eq(f->c.phase, STT_PHASE_COMPETE);
    return f;
}

/* -- the beginning --------------------------------------------------------------------------------
 */

START_TEST(the_first_window_is_ten_packets_at_once)
{
    struct fixture *f = setup();
    ck_assert_uint_eq(window(f), 10 * PACKET);
    ck_assert_uint_eq(f->c.rate_bytes_per_s, STT_UNLIMITED);
    ck_assert_uint_eq(f->c.phase, STT_PHASE_STARTUP);
}
END_TEST

/* ACKs come four times in a round trip, and the pace is that of twice the window. */
START_TEST(startup_doubles_in_a_round_trip)
{
    struct fixture *f = setup();
    f->rate = 100 * RATE;
    uint64_t first = window(f), before = first;
    for (int i = 0; i < 10; i++) {
        round_trips(f, 1);
        ck_assert_uint_eq(f->c.phase, STT_PHASE_STARTUP);
        ck_assert_uint_le(window(f), before * 21 / 10);
        before = window(f);
    }
    ck_assert_uint_ge(window(f), first << 7);
}
END_TEST

START_TEST(a_queue_ends_startup_before_anything_is_lost)
{
    struct fixture *f = setup();
    ck_assert(reaches(f, STT_PHASE_SETTLE, STT_S(1)));
    ck_assert_uint_eq(f->n_lost, 0);
    ck_assert_uint_ge(window(f), bdp(f) / 2);
    ck_assert_uint_le(window(f), 2 * bdp(f));
    ck_assert_uint_le(f->in_flight, 4 * bdp(f));
}
END_TEST

START_TEST(a_flood_of_losses_ends_startup_where_there_is_no_queue)
{
    struct fixture *f = setup();
    f->limit = STT_US(200);
    ck_assert(reaches(f, STT_PHASE_SETTLE, STT_S(1)));
    ck_assert_uint_ge(f->n_lost, 8);
    ck_assert_uint_le(window(f), 2 * bdp(f));
}
END_TEST

/* One loss in twenty is none. */
START_TEST(some_losses_do_not_end_startup)
{
    struct fixture *f = setup();
    f->rate = 10 * RATE;
    f->lost_per_1000 = 50;
    round_trips(f, 8);
    ck_assert_uint_gt(f->n_lost, 10);
    ck_assert_uint_eq(f->c.phase, STT_PHASE_STARTUP);
    ck_assert_uint_ge(window(f), 320 * PACKET);
}
END_TEST

START_TEST(settling_finds_how_fast_the_path_is)
{
    struct fixture *f = setup();
    ck_assert(reaches(f, STT_PHASE_ALONE, STT_S(1)));
    round_trips(f, 4);
    ck_assert_uint_ge(f->in_flight, bdp(f) * 9 / 10);
    ck_assert_uint_le(f->in_flight, bdp(f) * 5 / 4);
    ck_assert_uint_le(f->now, STT_S(1) + 20 * BASE);
}
END_TEST

/* -- one ACK in a round trip, of whatever the test says: for what no path does
 * ---------------------
 */

struct answer {
    uint64_t bytes; /* acknowledged */
    stt_ns time;    /* since the last one */
    stt_ns rtt;     /* 0: none was measured */
    bool is_underfed;
};

static void answer(struct fixture *f, struct answer a)
{
    uint64_t before = f->delivered, number = f->next++;
    f->c.controller->on_sent(&f->c, f->now, a.bytes, a.bytes, number);
    f->now += a.time;
    f->delivered += a.bytes;
    if (a.rtt)
        stt_rtt_sample(&f->rtt, f->now, a.rtt, 0);
    struct stt_ack_sample s = {.now = f->now,
                               .acked_bytes = a.bytes,
                               .delivered_bytes = f->delivered,
                               .in_flight_bytes = stt_at_least(window(f), a.bytes),
                               .interval_bytes = f->rtt.has_sample ? a.bytes : 0,
                               .interval_ns = a.time,
                               .rtt_ns = a.rtt,
                               .newest_sent_at = f->now - a.time,
                               .newest_number = number,
                               .newest_delivered_bytes = before,
                               .is_app_limited = a.is_underfed,
                               .is_underfed = a.is_underfed};
    f->c.controller->on_ack(&f->c, &s);
    f->phases |= UINT32_C(1) << f->c.phase;
}

static void lose(struct fixture *f, uint64_t bytes)
{
    f->c.controller->on_lost(&f->c, f->now, bytes, f->next - 1, f->now);
}

static void mark(struct fixture *f, uint64_t number)
{
    struct stt_ack_sample s = {.now = f->now, .newest_number = number};
    f->c.controller->on_ce(&f->c, &s);
}

START_TEST(a_rate_that_stops_growing_ends_startup)
{
    struct fixture *f = setup();
    for (int i = 0; i < 3; i++)
        answer(f, (struct answer){bdp(f), BASE, BASE, false});
    ck_assert_uint_eq(f->c.phase, STT_PHASE_STARTUP);
    for (int i = 0; i < 2; i++)
        answer(f, (struct answer){bdp(f), BASE, BASE, false});
    ck_assert(was_in(f, STT_PHASE_SETTLE));
}
END_TEST

START_TEST(want_of_data_does_not_end_startup)
{
    struct fixture *f = setup();
    for (int i = 0; i < 100; i++)
        answer(f, (struct answer){PACKET, BASE, BASE, true});
    ck_assert_uint_eq(f->c.phase, STT_PHASE_STARTUP);
}
END_TEST

/* -- alone ----------------------------------------------------------------------------------------
 */

/* 2 ms at 100 Mbit/s; with the root of the rate; from 0.5 to 25 ms. */
START_TEST(the_queue_that_is_kept_is_shorter_the_faster_the_path_is)
{
    static const struct {
        uint64_t rate;
        stt_ns base, queue;
    } cases[] = {
        {RATE, BASE, TARGET},
        {4 * RATE, STT_MS(10), TARGET / 2},
        {10 * RATE, STT_MS(5), STT_US(632)},
        {25 * RATE, STT_MS(5), STT_US(500)},
        {RATE / 4, BASE, 2 * TARGET},
        {RATE / 16, BASE, 4 * TARGET},
        {RATE / 100, BASE, 10 * TARGET},
        {RATE / 180, 2 * BASE, STT_MS(25)},
    };
    struct fixture *f = setup();
    f->rate = cases[_i].rate;
    f->base = cases[_i].base;
    run(f, STT_S(4));
    stt_ns queue = mean_queue(f, STT_S(2));
    ck_assert_uint_ge(queue, cases[_i].queue * 2 / 3);
    ck_assert_uint_le(queue, cases[_i].queue * 3 / 2);
    ck_assert_uint_ge(used_percent(f, STT_S(2)), 95);
    ck_assert(!was_in(f, STT_PHASE_OPEN) && !was_in(f, STT_PHASE_COMPETE));
}
END_TEST

START_TEST(a_faster_path_is_filled_faster_and_faster)
{
    struct fixture *f = alone();
    f->rate *= 10;
    stt_ns start = f->now, doubled_at[3];
    for (uint64_t i = 0, pace = f->c.rate_bytes_per_s; i < 3; i++) {
        while (f->c.rate_bytes_per_s < pace << (i + 1) && f->now < start + STT_S(2))
            step(f);
        doubled_at[i] = f->now;
    }
    ck_assert_uint_ge(f->c.rate_bytes_per_s, 8 * RATE);
    ck_assert_uint_lt(doubled_at[1] - doubled_at[0], doubled_at[0] - start);
    ck_assert_uint_ge(used_percent(f, STT_S(1)), 90);
    ck_assert(!was_in(f, STT_PHASE_OPEN) && !was_in(f, STT_PHASE_COMPETE));
}
END_TEST

/* What stood in the path leaves, and nothing is added to it. */
START_TEST(a_slower_path_empties_at_once)
{
    struct fixture *f = setup();
    f->rate = (_i ? 10 : 4) * RATE;
    run(f, STT_S(3));
    f->rate = RATE;
    uint64_t before = f->in_flight;
    run(f, STT_MS(_i ? 800 : 400));
    ck_assert_uint_le(f->in_flight, before / 2);
    run(f, STT_S(1));
    ck_assert_uint_le(mean_queue(f, STT_S(1)), 2 * TARGET);
    ck_assert_uint_ge(used_percent(f, STT_S(1)), 95);
    ck_assert(!was_in(f, STT_PHASE_COMPETE));
}
END_TEST

START_TEST(after_five_seconds_without_its_sight_the_path_is_emptied)
{
    struct fixture *f = setup();
    run(f, STT_S(2));
    stt_ns times[4];
    for (int i = 0; i < 4; i++) {
        ck_assert(reaches(f, STT_PHASE_DRAIN, STT_S(6)));
        times[i] = f->now;
        stt_ns least = STT_NEVER;
        while (f->c.phase == STT_PHASE_DRAIN || f->now < times[i] + 2 * BASE) {
            step(f);
            least = stt_at_most(least, queue_at(f, f->now));
        }
        ck_assert_uint_lt(least, BASE / 64);
        ck_assert_uint_eq(f->c.phase, STT_PHASE_ALONE);
        ck_assert_uint_ge(window(f), bdp(f));
    }
    for (int i = 1; i < 4; i++) {
        ck_assert_uint_ge(times[i] - times[i - 1], STT_S(5));
        ck_assert_uint_le(times[i] - times[i - 1], STT_MS(5500));
    }
}
END_TEST

START_TEST(who_sees_the_path_empty_need_not_empty_it)
{
    struct fixture *f = alone();
    limit_application(f, RATE / 4);
    run(f, STT_S(1));
    forget_phases(f);
    run(f, STT_S(15));
    ck_assert_uint_eq(f->phases, UINT32_C(1) << STT_PHASE_ALONE);
}
END_TEST

/* Found by holding less; until then nothing is taken from others. */
START_TEST(a_longer_path_is_no_competition)
{
    struct fixture *f = alone();
    run(f, STT_S(5));
    forget_phases(f);
    f->base = STT_MS(200);
    run(f, STT_S(10));
    ck_assert(!was_in(f, STT_PHASE_OPEN));
    ck_assert(!was_in(f, STT_PHASE_COMPETE));
    ck_assert_uint_ge(used_percent(f, STT_S(4)), 90);
    f->base = BASE;
    run(f, STT_S(10)); /* and what that held leaves */
    ck_assert_uint_ge(used_percent(f, STT_S(1)), 95);
    ck_assert_uint_le(mean_queue(f, STT_S(1)), 2 * TARGET);
}
END_TEST

/* -- others ---------------------------------------------------------------------------------------
 */

START_TEST(a_queue_that_stays_is_met_by_opening_and_the_first_loss_ends_that)
{
    struct fixture *f = alone();
    f->limit = STT_MS(60);
    f->rival_packets = 2 * RIVAL;
    stt_ns start = f->now;
    ck_assert(reaches(f, STT_PHASE_OPEN, STT_S(4)));
    ck_assert_uint_ge(f->now - start, 4 * BASE);
    uint64_t lost = f->n_lost, opened = window(f), largest = 0;
    while (f->c.phase == STT_PHASE_OPEN && f->now < start + STT_S(4)) {
        largest = window(f);
        step(f);
    }
    ck_assert_uint_eq(f->c.phase, STT_PHASE_COMPETE);
    ck_assert_uint_gt(f->n_lost, lost);
    ck_assert_uint_ge(largest, 2 * opened);
    run(f, STT_S(1));
    ck_assert_uint_le(f->in_flight, largest * 8 / 10);
    ck_assert_uint_ge(used_percent(f, STT_S(1)), 30); /* of what both have */
}
END_TEST

START_TEST(competing_the_window_grows_as_cubics)
{
    struct fixture *f = competing();
    uint64_t before = f->in_flight;
    run(f, STT_S(1));
    if (f->c.phase == STT_PHASE_COMPETE)
        ck_assert_uint_gt(f->in_flight, before);
    ck_assert_uint_le(f->in_flight, before * 5 / 4);
}
END_TEST

START_TEST(a_loss_with_a_queue_takes_a_third_of_the_share)
{
    struct fixture *f = competing();
    f->limit = queue_at(f, f->now);
    uint64_t reduced = 0, before = window(f);
    for (stt_ns end = f->now + STT_MS(500); f->now < end && !reduced;) {
        before = window(f);
        step(f);
        reduced = window(f) < before * 9 / 10 ? window(f) : 0;
    }
    ck_assert_uint_gt(f->n_lost, 0);
    ck_assert_uint_ge(reduced, before * 6 / 10);
    ck_assert_uint_le(reduced, before * 8 / 10);
}
END_TEST

START_TEST(when_the_others_are_gone_we_are_alone)
{
    struct fixture *f = competing();
    f->rival_packets = 0;
    forget_phases(f);
    ck_assert(reaches(f, STT_PHASE_ALONE, STT_S(61)));
    run(f, STT_S(2));
    ck_assert_uint_eq(f->c.phase, STT_PHASE_ALONE);
    ck_assert_uint_le(mean_queue(f, STT_S(1)), 2 * TARGET);
    ck_assert_uint_ge(used_percent(f, STT_S(1)), 95);
    ck_assert(!was_in(f, STT_PHASE_OPEN));
}
END_TEST

START_TEST(when_the_others_stay_a_test_gives_the_share_back)
{
    struct fixture *f = competing();
    forget_phases(f);
    uint64_t share = window(f);
    for (stt_ns end = f->now + STT_S(10); f->now < end && f->c.phase == STT_PHASE_COMPETE;) {
        share = window(f);
        step(f);
    }
    ck_assert_uint_eq(f->c.phase, STT_PHASE_TEST);
    uint64_t tested = window(f);
    ck_assert_uint_lt(tested, share / 2);
    stt_ns start = f->now;
    ck_assert(reaches(f, STT_PHASE_COMPETE, STT_S(1)));
    ck_assert_uint_le(f->now - start, 10 * BASE);
    ck_assert_uint_ge(window(f), share * 9 / 10);
    ck_assert_uint_le(window(f), share * 11 / 10);
    ck_assert(!was_in(f, STT_PHASE_OPEN) && !was_in(f, STT_PHASE_ALONE));
}
END_TEST

START_TEST(tests_become_rarer_up_to_a_minute)
{
    struct fixture *f = competing();
    stt_ns last = 0, between = 0, longest = 0;
    for (int i = 0; i < 6; i++) {
        ck_assert(reaches(f, STT_PHASE_TEST, STT_S(70)));
        between = last ? f->now - last : 0;
        ck_assert(i < 2 || between >= longest * 9 / 10);
        longest = stt_at_least(longest, between);
        last = f->now;
        ck_assert(reaches(f, STT_PHASE_COMPETE, STT_S(1)));
    }
    ck_assert_uint_ge(longest, STT_S(15));
    ck_assert_uint_le(longest, STT_S(62));
}
END_TEST

/* Who has come back while we watch gets what the rival left us before, and no more. */
START_TEST(competition_that_comes_back_meets_the_share_that_was)
{
    struct fixture *f = competing();
    run(f, STT_S(1));
    uint64_t share = stt_at_least(window(f), f->in_flight);
    f->rival_packets = 0;
    uint64_t before = share;
    for (stt_ns end = f->now + STT_S(61); f->now < end && f->c.phase != STT_PHASE_ALONE;) {
        before = f->c.phase == STT_PHASE_COMPETE ? window(f) : before;
        step(f);
    }
    run(f, STT_S(1));
    ck_assert_uint_eq(f->c.phase, STT_PHASE_ALONE);
    f->rival_packets = RIVAL;
    forget_phases(f);
    ck_assert(reaches(f, STT_PHASE_COMPETE, STT_S(2)));
    ck_assert(!was_in(f, STT_PHASE_OPEN));
    ck_assert_uint_le(window(f), before * 4 / 3); /* with what acks in bursts hold back */
    ck_assert_uint_ge(window(f), before / 2);
}
END_TEST

/* -- losses ---------------------------------------------------------------------------------------
 */

START_TEST(losses_by_chance_that_were_seen_before_take_nothing)
{
    static const unsigned lost_per_1000[] = {1, 10, 50};
    struct fixture *f = setup();
    f->lost_per_1000 = lost_per_1000[_i];
    f->limit = STT_MS(40);
    run(f, STT_S(10));
    ck_assert_uint_ge(used_percent(f, STT_S(20)), 90 - lost_per_1000[_i] / 10);
}
END_TEST

START_TEST(many_more_than_those_do)
{
    static const unsigned lost_per_1000[] = {1, 10, 50};
    struct fixture *f = setup();
    f->lost_per_1000 = lost_per_1000[_i];
    f->limit = STT_MS(40);
    run(f, STT_S(10));
    uint64_t before = window(f);
    f->lost_per_1000 = 300;
    forget_phases(f);
    round_trips(f, 4);
    ck_assert(was_in(f, STT_PHASE_COMPETE));
    ck_assert_uint_le(window(f), before * 8 / 10);
}
END_TEST

/* The path's queue has never been seen. */
START_TEST(where_nothing_was_ever_lost_a_loss_counts)
{
    struct fixture *f = setup();
    for (int i = 0; i < 20; i++)
        answer(f, (struct answer){bdp(f), BASE, BASE, false});
    ck_assert_uint_eq(f->c.phase, STT_PHASE_ALONE);
    uint64_t before = window(f);
    lose(f, PACKET);
    ck_assert_uint_lt(window(f), before * 8 / 10);
    ck_assert_uint_eq(f->c.phase, STT_PHASE_COMPETE);
}
END_TEST

START_TEST(losses_of_one_flight_reduce_once)
{
    struct fixture *f = alone();
    lose(f, 50 * PACKET);
    uint64_t reduced = window(f);
    for (int i = 0; i < 10; i++)
        lose(f, 10 * PACKET);
    ck_assert_uint_eq(window(f), reduced);
}
END_TEST

START_TEST(persistent_congestion_begins_anew)
{
    struct fixture *f = alone();
    f->c.controller->on_persistent(&f->c, f->now);
    ck_assert_uint_eq(window(f), 2 * PACKET);
    ck_assert_uint_eq(f->c.phase, STT_PHASE_STARTUP);
    f->c.controller->on_undo(&f->c, f->now);
    ck_assert_uint_eq(window(f), 2 * PACKET);
    run(f, STT_S(2));
    ck_assert_uint_eq(f->c.phase, STT_PHASE_ALONE);
    ck_assert_uint_ge(used_percent(f, STT_S(1)), 95);
}
END_TEST

START_TEST(a_reduction_that_was_wrong_is_taken_back)
{
    struct fixture *f = _i ? competing() : alone();
    uint64_t before = window(f);
    uint8_t phase = f->c.phase;
    lose(f, 50 * PACKET);
    ck_assert_uint_lt(window(f), before * 9 / 10);
    f->c.controller->on_undo(&f->c, f->now);
    ck_assert_uint_eq(window(f), before);
    ck_assert_uint_eq(f->c.phase, phase);
    f->next++;
    f->c.controller->on_sent(&f->c, f->now, PACKET, before, f->next - 1);
    mark(f, f->next - 1);
    uint64_t marked = window(f);
    ck_assert_uint_lt(marked, before);
    f->c.controller->on_undo(&f->c, f->now); /* what a mark took is not */
    ck_assert_uint_eq(window(f), marked);
}
END_TEST

START_TEST(marks_reduce_once_in_a_round_trip_case_34)
{
    struct fixture *f = alone();
    for (int i = 0; i < 3; i++) {
        uint64_t before = window(f);
        f->c.controller->on_sent(&f->c, f->now, PACKET, PACKET, f->next++);
        mark(f, f->next - 1);
        uint64_t reduced = window(f);
        ck_assert_uint_lt(reduced, before);
        for (int j = 0; j < 100; j++)
            mark(f, f->next - 1);
        ck_assert_uint_eq(window(f), reduced);
    }
}
END_TEST

START_TEST(a_queue_that_marks_is_used_and_stays_short)
{
    struct fixture *f = setup();
    f->marks = true;
    f->limit = 4 * TARGET;
    run(f, STT_S(5));
    ck_assert_uint_ge(used_percent(f, STT_S(5)), 80);
    ck_assert_uint_le(mean_queue(f, STT_S(1)), 4 * TARGET);
    ck_assert_uint_eq(f->n_lost, 0);
}
END_TEST

/* -- little to send -------------------------------------------------------------------------------
 */

START_TEST(what_is_not_used_does_not_grow)
{
    struct fixture *f = _i ? alone() : setup();
    limit_application(f, 20 * PACKET);
    run(f, STT_S(1));
    uint64_t before = window(f);
    run(f, STT_S(30));
    ck_assert_uint_le(window(f), before + before / 8);
}
END_TEST

START_TEST(after_a_rest_it_goes_on_as_before)
{
    struct fixture *f = alone();
    limit_application(f, 0);
    run(f, STT_S(30));
    ck_assert_uint_eq(f->in_flight, 0);
    limit_application(f, UNLIMITED);
    forget_phases(f);
    run(f, STT_S(1));
    ck_assert_uint_ge(used_percent(f, STT_S(1)), 95);
    ck_assert_uint_le(mean_queue(f, STT_S(1)), 2 * TARGET);
    ck_assert(!was_in(f, STT_PHASE_OPEN) && !was_in(f, STT_PHASE_COMPETE));
}
END_TEST

START_TEST(bursts_of_an_application_look_like_nobodys_queue)
{
    struct fixture *f = alone();
    forget_phases(f);
    for (int i = 0; i < 100; i++) {
        limit_application(f, i % 2 ? 0 : UNLIMITED);
        run(f, STT_MS(50));
    }
    ck_assert(!was_in(f, STT_PHASE_OPEN) && !was_in(f, STT_PHASE_COMPETE));
}
END_TEST

/* -- bounds ---------------------------------------------------------------------------------------
 */

/* The window itself, and what acks in bursts hold back. */
#define MOST_BYTES (2 * STT_CURVE_WINDOW_MAX + STT_CURVE_WINDOW_MAX / 4 + 2 * 65507)

static void check_bounds(const struct fixture *f)
{
    ck_assert_uint_ge(f->c.window_bytes, 2 * (uint64_t)f->c.packet_bytes);
    ck_assert_uint_le(f->c.window_bytes, MOST_BYTES);
    ck_assert_uint_gt(f->c.rate_bytes_per_s, 0);
    ck_assert_uint_lt(f->c.phase, STT_PHASE_TEST + 1);
}

/* Anything between two powers of two, each as likely. */
static uint64_t any(struct rng *rng, unsigned least_bits, unsigned most_bits)
{
    uint64_t bits = rng_between(rng, least_bits, most_bits);
    return UINT64_C(1) << bits | rng_below(rng, UINT64_C(1) << bits);
}

static void walk(struct fixture *f)
{
    struct rng *rng = &f->rng;
    stt_ns rtt = stt_at_most(any(rng, 10, 36), STT_S(60));
    uint64_t rate = stt_at_most(any(rng, 4, 36), 400000 * MBIT);
    uint64_t bytes = (uint64_t)((double)rate * (double)rtt / 1e9);
    bytes = stt_at_most(bytes, window(f));
    for (unsigned n = (unsigned)any(rng, 0, 6); n; n--) {
        stt_ns jitter = rng_chance(rng, 50) ? rng_below(rng, rtt) : 0;
        bool has_rtt = !rng_chance(rng, 5);
        answer(f, (struct answer){stt_at_least(bytes, 1), rtt + jitter,
                                  has_rtt ? stt_at_most(rtt + jitter, STT_S(60)) : 0,
                                  rng_chance(rng, 20)});
        check_bounds(f);
    }
}

static void stumble(struct fixture *f)
{
    struct rng *rng = &f->rng;
    switch (rng_below(rng, 8)) {
    case 0:
    case 1:
    case 2:
        f->c.is_continued = rng_chance(rng, 20);
        lose(f, any(rng, 0, 33));
        break;
    case 3:
        mark(f, f->next - 1);
        break;
    case 4:
        f->c.controller->on_undo(&f->c, f->now);
        break;
    case 5:
        if (rng_chance(rng, 20))
            f->c.controller->on_persistent(&f->c, f->now);
        break;
    case 6:
        f->c.packet_bytes = (uint32_t)rng_between(rng, 1200, 65507);
        break;
    default:
        f->now += any(rng, 20, 44);
    }
}

START_TEST(whatever_happens_window_and_rate_have_bounds_case_40)
{
    struct fixture *f = setup();
    f->rng = rng_init((uint64_t)_i);
    for (int i = 0; i < 1000; i++) {
        walk(f);
        stumble(f);
    }
}
END_TEST

START_TEST(round_trips_of_1_us_and_of_60_s_overflow_nothing_case_40)
{
    static const stt_ns rtts[] = {STT_US(1), STT_US(10), STT_S(30), STT_S(60)};
    struct fixture *f = setup();
    f->c.packet_bytes = 65507;
    for (int i = 0; i < 2000; i++) {
        answer(f, (struct answer){window(f), rtts[_i], rtts[_i], false});
        if (i % 100 == 99)
            lose(f, window(f));
        check_bounds(f);
    }
}
END_TEST

START_TEST(the_same_path_gives_the_same_windows)
{
    uint64_t sums[2] = {0};
    for (int i = 0; i < 2; i++) {
        struct fixture *f = setup();
        f->lost_per_1000 = 5;
        f->limit = STT_MS(30);
        for (int j = 0; j < 3000; j++) {
            f->rival_packets = j / 1000 % 2 ? RIVAL : 0;
            step(f);
            sums[i] = sums[i] * 31 + window(f) + f->c.rate_bytes_per_s;
        }
    }
    ck_assert_uint_eq(sums[0], sums[1]);
}
END_TEST

/* -- what no peer and no path may bring about ----------------------------------------------------
 */

/* A few bytes after an outage, and ACKs that take seconds and ever more. */
START_TEST(a_rate_of_nearly_nothing_leaves_two_packets)
{
    struct fixture *f = setup();
    for (int i = 0; i < 10; i++)
        answer(f, (struct answer){130, STT_MS(1), STT_MS(1), true});
    f->c.controller->on_persistent(&f->c, f->now);
    for (stt_ns i = 0; i < 20; i++) {
        stt_ns rtt = STT_S(5) + i * STT_MS(100);
        answer(f, (struct answer){130, rtt, rtt, true});
        ck_assert_uint_ge(window(f), 2 * PACKET);
    }
}
END_TEST

START_TEST(a_mark_before_the_first_sample_leaves_two_packets)
{
    struct fixture *f = setup();
    answer(f, (struct answer){PACKET, BASE, 0, true});
    mark(f, f->next - 1);
    for (int i = 0; i < 10; i++) {
        answer(f, (struct answer){PACKET, BASE, BASE, true});
        ck_assert_uint_ge(window(f), 2 * PACKET);
    }
}
END_TEST

/* A peer whose ACKs name what elicits none as their largest; half of all is lost. */
START_TEST(without_samples_losses_end_startup)
{
    struct fixture *f = setup();
    answer(f, (struct answer){PACKET, BASE, BASE, false});
    for (int i = 0; i < 4; i++)
        answer(f, (struct answer){PACKET, BASE, 0, false});
    for (int i = 0; i < 40; i++) {
        f->c.controller->on_sent(&f->c, f->now, PACKET, PACKET, f->next++);
        lose(f, bdp(f));
        answer(f, (struct answer){bdp(f), BASE, 0, false});
    }
    ck_assert_uint_ne(f->c.phase, STT_PHASE_STARTUP);
    ck_assert_uint_le(window(f), 10 * bdp(f));
}
END_TEST

/* The rival leaves just when we open: what it had is ours, and no more is in the path than that. */
START_TEST(opening_ends_when_the_path_is_full_though_the_rate_has_grown)
{
    struct fixture *f = alone();
    f->rival_packets = 2 * RIVAL;
    ck_assert(reaches(f, STT_PHASE_OPEN, STT_S(4)));
    f->rival_packets = 0;
    run(f, STT_S(3));
    ck_assert_uint_ne(f->c.phase, STT_PHASE_OPEN);
    ck_assert_uint_le(f->in_flight, 6 * bdp(f));
}
END_TEST

/* The application rests while it is asked whose queue it is: that says nothing of the path. */
START_TEST(who_rests_does_not_take_a_rivals_queue_for_the_path)
{
    struct fixture *f = setup();
    f->limit = STT_MS(60);
    f->rival_packets = 2 * RIVAL;
    run(f, STT_S(2));
    ck_assert(reaches(f, STT_PHASE_TEST, STT_S(20)));
    limit_application(f, 0);
    run(f, STT_S(20));
    limit_application(f, 4 * PACKET * STT_S(1) / BASE);
    run(f, STT_S(1));
    limit_application(f, UNLIMITED);
    run(f, STT_S(5));
    ck_assert_uint_ge(used_percent(f, STT_S(2)), 10); /* the rival gives nothing back */
}
END_TEST

START_TEST(who_is_alone_does_not_open_when_the_path_becomes_slower)
{
    struct fixture *f = setup();
    f->rate = 4 * RATE;
    run(f, STT_S(3));
    f->rate = RATE;
    run(f, STT_S(20));
    ck_assert(!was_in(f, STT_PHASE_OPEN) && !was_in(f, STT_PHASE_COMPETE));
}
END_TEST

SUITE("tide", TEST(the_first_window_is_ten_packets_at_once), TEST(startup_doubles_in_a_round_trip),
      TEST(a_queue_ends_startup_before_anything_is_lost),
      TEST(a_flood_of_losses_ends_startup_where_there_is_no_queue),
      TEST(some_losses_do_not_end_startup), TEST(settling_finds_how_fast_the_path_is),
      TEST(a_rate_that_stops_growing_ends_startup), TEST(want_of_data_does_not_end_startup),
      LOOP(the_queue_that_is_kept_is_shorter_the_faster_the_path_is, 0, 8),
      TEST(a_faster_path_is_filled_faster_and_faster), LOOP(a_slower_path_empties_at_once, 0, 2),
      TEST(after_five_seconds_without_its_sight_the_path_is_emptied),
      TEST(who_sees_the_path_empty_need_not_empty_it), TEST(a_longer_path_is_no_competition),
      TEST(a_queue_that_stays_is_met_by_opening_and_the_first_loss_ends_that),
      TEST(competing_the_window_grows_as_cubics),
      TEST(a_loss_with_a_queue_takes_a_third_of_the_share),
      TEST(when_the_others_are_gone_we_are_alone),
      TEST(when_the_others_stay_a_test_gives_the_share_back),
      TEST(tests_become_rarer_up_to_a_minute),
      TEST(competition_that_comes_back_meets_the_share_that_was),
      LOOP(losses_by_chance_that_were_seen_before_take_nothing, 0, 3),
      LOOP(many_more_than_those_do, 0, 3), TEST(where_nothing_was_ever_lost_a_loss_counts),
      TEST(losses_of_one_flight_reduce_once), TEST(persistent_congestion_begins_anew),
      LOOP(a_reduction_that_was_wrong_is_taken_back, 0, 2),
      TEST(marks_reduce_once_in_a_round_trip_case_34),
      TEST(a_queue_that_marks_is_used_and_stays_short), LOOP(what_is_not_used_does_not_grow, 0, 2),
      TEST(after_a_rest_it_goes_on_as_before),
      TEST(bursts_of_an_application_look_like_nobodys_queue),
      LOOP(whatever_happens_window_and_rate_have_bounds_case_40, 0, 10),
      LOOP(round_trips_of_1_us_and_of_60_s_overflow_nothing_case_40, 0, 4),
      TEST(the_same_path_gives_the_same_windows), TEST(a_rate_of_nearly_nothing_leaves_two_packets),
      TEST(a_mark_before_the_first_sample_leaves_two_packets),
      TEST(without_samples_losses_end_startup),
      TEST(opening_ends_when_the_path_is_full_though_the_rate_has_grown),
      TEST(who_rests_does_not_take_a_rivals_queue_for_the_path),
      TEST(who_is_alone_does_not_open_when_the_path_becomes_slower))
