/* SPDX-License-Identifier: MIT */
#include "stt/recovery/acks.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

enum { DELAY_MS = 25 };

static const stt_ns delay_ns = STT_MS(DELAY_MS);

struct fixture {
    struct stt_acks a;
    stt_ns now;
    char text[800];
};

static void setup(struct fixture *f)
{
    f->now = STT_S(100);
    stt_acks_init(&f->a);
}

static void take(struct fixture *f, uint64_t number)
{
    stt_acks_on_run(&f->a, f->now, &(struct stt_acks_run){number, number + 1, 1, number + 1},
                    delay_ns);
}

/* One that elicits nothing. */
static void take_quiet(struct fixture *f, uint64_t number)
{
    stt_acks_on_run(&f->a, f->now, &(struct stt_acks_run){.from = number, .to = number + 1},
                    delay_ns);
}

/* Sends an ACK in our packet `number`, and answers what it says: "7-9 3-3 +12us", or "". */
static const char *send(struct fixture *f, size_t room, uint64_t number, bool elicits)
{
    uint8_t memory[1200];
    struct wr w = wr_init(memory, room);
    f->text[0] = 0;
    uint64_t end = stt_acks_encode(&f->a, f->now, NULL, &w);
    if (end == 0)
        return f->text;
    struct rd r = rd_init(wr_done(&w));
    struct frame_ack frame;
    ck_assert(stt_frame_ack_decode(&r, stt_frame_type_decode(&r), &frame));
    ck_assert_uint_eq(frame.largest + 1, end);
    struct frame_ack_walk walk = stt_frame_ack_walk(&frame);
    size_t n = 0;
    for (struct stt_range range; stt_frame_ack_next(&walk, &range);)
        n += (size_t)snprintf(f->text + n, sizeof f->text - n, "%llu-%llu ",
                              (unsigned long long)range.from, (unsigned long long)range.to - 1);
    snprintf(f->text + n, sizeof f->text - n, "+%lluus", (unsigned long long)frame.delay_us);
    stt_acks_on_sent(&f->a, number, elicits);
    return f->text;
}

static const char *say(struct fixture *f, uint64_t number)
{
    return send(f, 1200, number, true);
}

/* -- when
 * ------------------------------------------------------------------------------------------- */

START_TEST(at_first_nothing_is_owed_and_nothing_said)
{
    struct fixture f;
    setup(&f);
    ck_assert_uint_eq(f.a.due_at, STT_NEVER);
    ck_assert_str_eq(say(&f, 0), "");
}
END_TEST

START_TEST(one_packet_may_wait_for_its_ack)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    ck_assert_uint_eq(f.a.due_at, f.now + delay_ns);
    ck_assert(!stt_acks_is_due(&f.a, f.now + delay_ns - 1));
    ck_assert(stt_acks_is_due(&f.a, f.now + delay_ns));
}
END_TEST

START_TEST(the_second_packet_is_acked_at_once)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    take(&f, 1);
    ck_assert(stt_acks_is_due(&f.a, f.now));
}
END_TEST

START_TEST(a_fast_sender_draws_fewer_acks)
{
    struct fixture f;
    setup(&f);
    f.a.every = 10;
    for (uint64_t n = 0; n < 9; n++)
        take(&f, n);
    ck_assert(!stt_acks_is_due(&f.a, f.now));
    take(&f, 9);
    ck_assert(stt_acks_is_due(&f.a, f.now));
}
END_TEST

START_TEST(a_packet_that_elicits_nothing_is_owed_nothing)
{
    struct fixture f;
    setup(&f);
    for (uint64_t n = 0; n < 10; n++)
        take_quiet(&f, n);
    ck_assert_uint_eq(f.a.due_at, STT_NEVER);
    ck_assert_str_eq(say(&f, 0), "0-9 +0us");
}
END_TEST

START_TEST(a_later_packet_does_not_postpone_an_ack)
{
    struct fixture f;
    setup(&f);
    f.a.every = 10;
    take(&f, 0);
    stt_ns due = f.a.due_at;
    f.now += delay_ns / 2;
    take(&f, 1);
    ck_assert_uint_eq(f.a.due_at, due);
}
END_TEST

START_TEST(a_packet_behind_a_gap_is_acked_at_once)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    say(&f, 0);
    take(&f, 2);
    ck_assert(stt_acks_is_due(&f.a, f.now));
}
END_TEST

START_TEST(a_packet_that_was_overtaken_is_acked_at_once)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    take(&f, 2);
    say(&f, 0);
    take(&f, 1);
    ck_assert(stt_acks_is_due(&f.a, f.now));
}
END_TEST

START_TEST(a_gap_that_was_reported_draws_no_more_acks)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    take(&f, 4);
    say(&f, 0);
    take(&f, 5);
    ck_assert_uint_eq(f.a.due_at, f.now + delay_ns);
    take(&f, 1); /* fills a part of it */
    say(&f, 1);
    take(&f, 6);
    ck_assert_uint_eq(f.a.due_at, f.now + delay_ns);
}
END_TEST

START_TEST(a_gap_behind_quiet_packets_is_a_gap)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    say(&f, 0);
    take_quiet(&f, 2);
    take(&f, 3);
    ck_assert(stt_acks_is_due(&f.a, f.now));
}
END_TEST

START_TEST(quiet_packets_between_are_no_gap)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    say(&f, 0);
    take_quiet(&f, 1);
    take(&f, 2);
    ck_assert(!stt_acks_is_due(&f.a, f.now));
}
END_TEST

START_TEST(with_an_ack_sent_nothing_is_owed)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    take(&f, 1);
    say(&f, 0);
    ck_assert_uint_eq(f.a.due_at, STT_NEVER);
    take(&f, 2);
    ck_assert_uint_eq(f.a.due_at, f.now + delay_ns);
}
END_TEST

/* -- what
 * ------------------------------------------------------------------------------------------- */

START_TEST(an_ack_says_what_came_from_the_newest_down)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    take(&f, 1);
    take(&f, 7);
    take(&f, 5);
    ck_assert_str_eq(say(&f, 0), "7-7 5-5 0-1 +0us");
}
END_TEST

START_TEST(the_delay_is_since_the_largest_came)
{
    struct fixture f;
    setup(&f);
    take(&f, 5);
    f.now += STT_US(40);
    take(&f, 3);
    f.now += STT_US(2) + 999;
    ck_assert_str_eq(say(&f, 0), "5-5 3-3 +42us");
}
END_TEST

START_TEST(an_ack_that_does_not_fit_leaves_everything_owed)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    ck_assert_str_eq(send(&f, 4, 0, true), "");
    ck_assert_uint_eq(f.a.due_at, f.now + delay_ns);
    ck_assert_str_eq(say(&f, 0), "0-0 +0us");
}
END_TEST

START_TEST(where_room_is_short_the_newest_ranges_are_said)
{
    struct fixture f;
    setup(&f);
    for (uint64_t n = 0; n < 10; n += 2)
        take(&f, n);
    ck_assert_str_eq(send(&f, 9, 0, true), "8-8 6-6 4-4 +0us");
}
END_TEST

START_TEST(numbers_near_the_top_are_taken)
{
    struct fixture f;
    uint64_t top = (UINT64_C(1) << 62) - 1;
    setup(&f);
    take(&f, top - 1);
    take(&f, top);
    ck_assert_str_eq(say(&f, 0), "4611686018427387902-4611686018427387903 +0us");
}
END_TEST

/* -- what is forgotten
 * -------------------------------------------------------------------------------- */

START_TEST(ranges_are_bounded_and_the_lowest_are_forgotten_case_22)
{
    struct fixture f;
    uint64_t n;
    setup(&f);
    for (n = 0; n < 100000; n += 2) {
        take(&f, n);
        ck_assert_uint_le(f.a.received.n, STT_ACKS_RANGES);
    }
    ck_assert(stt_ranges_contains(&f.a.received, n - 2 * STT_ACKS_RANGES));
    ck_assert(!stt_ranges_contains(&f.a.received, n - 2 * STT_ACKS_RANGES - 2));
}
END_TEST

START_TEST(ranges_that_were_lent_are_used_and_the_newest_stay_when_they_go)
{
    struct fixture f;
    static struct stt_range more[STT_ACK_RANGES_MAX];
    uint64_t n;
    setup(&f);
    for (n = 0; n < 20; n += 2)
        take(&f, n);
    stt_acks_lend(&f.a, more);
    ck_assert_uint_eq(f.a.received.n, 10);
    for (; n < 2 * STT_ACK_RANGES_MAX; n += 2)
        take(&f, n);
    ck_assert_uint_eq(f.a.received.n, STT_ACK_RANGES_MAX);
    ck_assert(stt_ranges_contains(&f.a.received, 0));
    stt_acks_take_back(&f.a);
    ck_assert_uint_eq(f.a.received.n, STT_ACKS_RANGES);
    ck_assert(stt_ranges_contains(&f.a.received, n - 2));
    ck_assert(stt_ranges_contains(&f.a.received, n - 2 * STT_ACKS_RANGES));
    ck_assert(!stt_ranges_contains(&f.a.received, n - 2 * STT_ACKS_RANGES - 2));
}
END_TEST

START_TEST(an_ack_waits_a_quarter_of_a_round_trip_within_bounds)
{
    struct stt_rtt rtt = STT_RTT_INIT;
    ck_assert_uint_eq(stt_acks_wait(&rtt), STT_ACK_WAIT_NS);
    stt_rtt_sample(&rtt, 0, STT_MS(40), 0);
    ck_assert_uint_eq(stt_acks_wait(&rtt), STT_MS(10));
    rtt.smoothed = STT_MS(500);
    ck_assert_uint_eq(stt_acks_wait(&rtt), STT_ACK_WAIT_NS);
    rtt.smoothed = STT_US(50);
    ck_assert_uint_eq(stt_acks_wait(&rtt), STT_MS(1));
}
END_TEST

/* 1,000 packets come in each round trip. */
static uint32_t every_at(stt_ns smoothed_rtt)
{
    struct fixture f;
    setup(&f);
    stt_acks_on_rate(&f.a, STT_S(1), 1, smoothed_rtt);
    stt_acks_on_rate(&f.a, STT_S(1) + smoothed_rtt, 1000, smoothed_rtt);
    return f.a.every;
}

START_TEST(an_ack_is_drawn_four_times_in_a_round_trip_and_on_the_shortest_paths_twice)
{
    ck_assert_uint_eq(every_at(STT_MS(50)), 250);
    ck_assert_uint_eq(every_at(4 * STT_ACK_APART_NS), 250);
    ck_assert_uint_eq(every_at(3 * STT_ACK_APART_NS), 333);
    ck_assert_uint_eq(every_at(2 * STT_ACK_APART_NS), 500);
    ck_assert_uint_eq(every_at(STT_ACK_APART_NS / 2), 500);
}
END_TEST

START_TEST(of_a_slow_sender_every_second_packet_draws_an_ack)
{
    struct fixture f;
    setup(&f);
    for (stt_ns now = STT_S(1); now < STT_S(2); now += STT_MS(20))
        stt_acks_on_rate(&f.a, now, 1, STT_MS(20));
    ck_assert_uint_eq(f.a.every, 2);
}
END_TEST

START_TEST(a_late_number_takes_the_place_of_no_later_one)
{
    struct fixture f;
    setup(&f);
    for (uint64_t n = 0; n < STT_ACKS_RANGES; n++)
        take(&f, 100 + 2 * n);
    take(&f, 5);
    ck_assert(!stt_ranges_contains(&f.a.received, 5));
    ck_assert(stt_ranges_contains(&f.a.received, 100));
    take(&f, 99); /* needs no range more */
    ck_assert(stt_ranges_contains(&f.a.received, 99));
}
END_TEST

START_TEST(what_the_peer_knows_that_we_know_is_not_said_again)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    take(&f, 2);
    take(&f, 4);
    say(&f, 70);
    take(&f, 6);
    stt_acks_on_acked(&f.a, 69);
    ck_assert_str_eq(say(&f, 71), "6-6 4-4 2-2 0-0 +0us");
    stt_acks_on_acked(&f.a, 70);
    ck_assert_str_eq(say(&f, 72), "6-6 +0us");
}
END_TEST

START_TEST(the_highest_range_stays)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    take(&f, 2);
    say(&f, 70);
    stt_acks_on_acked(&f.a, 70);
    ck_assert_str_eq(say(&f, 71), "2-2 +0us");
}
END_TEST

START_TEST(what_came_after_an_ack_is_said_also_where_it_lies_below_its_largest)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    take(&f, 10);
    say(&f, 70);
    take(&f, 5);
    stt_acks_on_acked(&f.a, 70);
    ck_assert_str_eq(say(&f, 71), "10-10 5-5 +0us");
}
END_TEST

START_TEST(an_ack_that_named_only_the_newest_ranges_lets_nothing_be_forgotten)
{
    struct fixture f;
    setup(&f);
    for (uint64_t n = 0; n < 10; n += 2)
        take(&f, n);
    send(&f, 9, 70, true);
    stt_acks_on_acked(&f.a, 70);
    ck_assert_str_eq(say(&f, 71), "8-8 6-6 4-4 2-2 0-0 +0us");
}
END_TEST

START_TEST(after_a_lost_ack_another_one_tells)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    take(&f, 2);
    say(&f, 70);
    say(&f, 71);
    stt_acks_on_acked(&f.a, 71); /* one is followed at a time, and it was not this one */
    ck_assert_uint_eq(f.a.received.n, 2);
    stt_acks_on_lost(&f.a, 70);
    say(&f, 72);
    stt_acks_on_acked(&f.a, 72);
    ck_assert_uint_eq(f.a.received.n, 1);
}
END_TEST

START_TEST(an_ack_alone_is_never_heard_of_again)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    take(&f, 2);
    send(&f, 1200, 70, false);
    say(&f, 71);
    stt_acks_on_acked(&f.a, 71);
    ck_assert_uint_eq(f.a.received.n, 1);
}
END_TEST

START_TEST(after_sixteen_acks_alone_a_ping_goes_with_one)
{
    struct fixture f;
    setup(&f);
    take(&f, 0);
    for (uint64_t n = 0; n < STT_ACKS_ALONE_MAX; n++) {
        ck_assert(!stt_acks_wants_ping(&f.a));
        send(&f, 1200, n, false);
    }
    ck_assert(stt_acks_wants_ping(&f.a));
    say(&f, STT_ACKS_ALONE_MAX);
    ck_assert(!stt_acks_wants_ping(&f.a));
}
END_TEST

/* -- at length
 * ---------------------------------------------------------------------------------------- */

/* Whatever order they come in, every packet is named by an ACK, and nothing else is, as long as no
 * more ranges are open than are kept. */
START_TEST(everything_that_came_is_acked_and_nothing_else)
{
    enum { WORLD = 2000, AHEAD = 12 };
    static bool came[WORLD], named[WORLD];
    struct fixture f;
    struct rng rng = rng_init((uint64_t)_i);
    setup(&f);
    memset(came, 0, sizeof came);
    memset(named, 0, sizeof named);
    for (uint64_t base = 0, packet = 0; base + AHEAD < WORLD;) {
        uint64_t number = base + rng_below(&rng, AHEAD);
        if (!came[number]) {
            came[number] = true;
            take(&f, number);
        }
        while (base < WORLD && came[base])
            base++;
        if (!stt_acks_is_due(&f.a, f.now))
            continue;
        say(&f, packet);
        for (uint32_t i = 0; i < f.a.received.n; i++)
            for (uint64_t n = f.a.received.at[i].from; n < f.a.received.at[i].to; n++)
                named[n] = true;
        if (rng_chance(&rng, 50))
            stt_acks_on_acked(&f.a, packet);
        else
            stt_acks_on_lost(&f.a, packet);
        packet++;
    }
    say(&f, WORLD);
    for (uint32_t i = 0; i < f.a.received.n; i++)
        for (uint64_t n = f.a.received.at[i].from; n < f.a.received.at[i].to; n++)
            named[n] = true;
    for (int n = 0; n < WORLD; n++)
        ck_assert_int_eq(came[n], named[n]);
}
END_TEST

/* Numbers in a row, told at once, are what they are one by one, in any order of runs. */
START_TEST(a_run_is_what_its_packets_are_one_by_one)
{
    struct rng rng = rng_init(1000 + (uint64_t)_i);
    struct fixture one, all;
    struct stt_range memory[2][STT_ACK_RANGES_MAX]; /* where room is short, single late ones go */
    setup(&one);
    setup(&all);
    stt_acks_lend(&one.a, memory[0]);
    stt_acks_lend(&all.a, memory[1]);
    one.a.every = all.a.every = (uint32_t)rng_between(&rng, 2, 40);
    bool came[60] = {false}; /* runs of 8 numbers */
    for (int round = 0; round < 80; round++) {
        uint64_t which = rng_below(&rng, 60), from = which * 8, to = from + rng_between(&rng, 1, 8);
        struct stt_acks_run run = {.from = from, .to = to};
        one.now = all.now += STT_US(rng_below(&rng, 3000));
        for (uint64_t n = came[which] ? to : from; n < to; n++) {
            bool elicits = rng_chance(&rng, 60);
            run.eliciting += elicits;
            run.eliciting_end = elicits ? n + 1 : run.eliciting_end;
            elicits ? take(&one, n) : take_quiet(&one, n);
        }
        if (!came[which])
            stt_acks_on_run(&all.a, all.now, &run, delay_ns);
        came[which] = true;
        ck_assert(one.a.due_at == all.a.due_at && one.a.unacked == all.a.unacked);
        ck_assert(one.a.eliciting_end == all.a.eliciting_end);
        ck_assert(one.a.largest_at == all.a.largest_at && one.a.told_below == all.a.told_below);
        if (rng_chance(&rng, 20))
            ck_assert_str_eq(send(&one, 1200, (uint64_t)round, true),
                             send(&all, 1200, (uint64_t)round, true));
    }
}
END_TEST

SUITE("acks", TEST(at_first_nothing_is_owed_and_nothing_said),
      TEST(one_packet_may_wait_for_its_ack), TEST(the_second_packet_is_acked_at_once),
      TEST(a_fast_sender_draws_fewer_acks), TEST(a_packet_that_elicits_nothing_is_owed_nothing),
      TEST(a_later_packet_does_not_postpone_an_ack), TEST(a_packet_behind_a_gap_is_acked_at_once),
      TEST(a_packet_that_was_overtaken_is_acked_at_once),
      TEST(a_gap_that_was_reported_draws_no_more_acks), TEST(a_gap_behind_quiet_packets_is_a_gap),
      TEST(quiet_packets_between_are_no_gap), TEST(with_an_ack_sent_nothing_is_owed),
      TEST(an_ack_says_what_came_from_the_newest_down), TEST(the_delay_is_since_the_largest_came),
      TEST(an_ack_that_does_not_fit_leaves_everything_owed),
      TEST(where_room_is_short_the_newest_ranges_are_said), TEST(numbers_near_the_top_are_taken),
      TEST(ranges_are_bounded_and_the_lowest_are_forgotten_case_22),
      TEST(ranges_that_were_lent_are_used_and_the_newest_stay_when_they_go),
      TEST(an_ack_waits_a_quarter_of_a_round_trip_within_bounds),
      TEST(an_ack_is_drawn_four_times_in_a_round_trip_and_on_the_shortest_paths_twice),
      TEST(of_a_slow_sender_every_second_packet_draws_an_ack),
      TEST(a_late_number_takes_the_place_of_no_later_one),
      TEST(what_the_peer_knows_that_we_know_is_not_said_again), TEST(the_highest_range_stays),
      TEST(what_came_after_an_ack_is_said_also_where_it_lies_below_its_largest),
      TEST(an_ack_that_named_only_the_newest_ranges_lets_nothing_be_forgotten),
      TEST(after_a_lost_ack_another_one_tells), TEST(an_ack_alone_is_never_heard_of_again),
      TEST(after_sixteen_acks_alone_a_ping_goes_with_one),
      LOOP(everything_that_came_is_acked_and_nothing_else, 0, 50),
      LOOP(a_run_is_what_its_packets_are_one_by_one, 0, 50))
