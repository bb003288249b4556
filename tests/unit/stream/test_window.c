/* SPDX-License-Identifier: MIT */
#include "stt/stream/window.h"

#include "stt/wire/varint.h"
#include "tests/support/suite.h"

#define KIB UINT64_C(1024)
#define RTT STT_MS(20)

static struct stt_window window_of(uint64_t bytes)
{
    struct stt_window w;
    stt_window_init(&w, 0, bytes);
    return w;
}

/* A reader that keeps up with a sender which always fills the window: one window in each round
 * trip, told of in one piece. Answers the round trips until the window has stopped growing. */
static unsigned run_held_back(struct stt_window *w, uint64_t bytes_per_rtt, uint64_t max_window)
{
    unsigned grown_at = 0;
    for (unsigned trip = 1; trip < 100; trip++) {
        uint64_t before = w->window, bytes = w->limit - w->consumed;
        bytes = bytes < bytes_per_rtt ? bytes : bytes_per_rtt;
        if (stt_window_on_consumed(w, trip * RTT, bytes, RTT, max_window))
            stt_window_announce(w);
        if (w->window != before)
            grown_at = trip;
    }
    return grown_at;
}

START_TEST(the_limit_is_raised_when_a_quarter_is_free)
{
    struct stt_window w = window_of(64 * KIB);
    ck_assert(!stt_window_on_consumed(&w, STT_S(1), 16 * KIB - 1, RTT, 64 * KIB));
    ck_assert(stt_window_on_consumed(&w, STT_S(1), 1, RTT, 64 * KIB));
    ck_assert_uint_eq(stt_window_announce(&w), 80 * KIB);
    ck_assert(!stt_window_on_consumed(&w, STT_S(1), 16 * KIB - 1, RTT, 64 * KIB));
    ck_assert_uint_eq(w.limit, 80 * KIB);
}
END_TEST

START_TEST(a_blocked_peer_is_told_of_a_single_byte)
{
    struct stt_window w = window_of(64 * KIB);
    ck_assert(!stt_window_has_more(&w));
    ck_assert(!stt_window_on_consumed(&w, STT_S(1), 1, RTT, 64 * KIB));
    ck_assert(stt_window_has_more(&w));
    ck_assert_uint_eq(stt_window_announce(&w), 64 * KIB + 1);
    ck_assert(!stt_window_has_more(&w));
}
END_TEST

START_TEST(half_of_it_in_less_than_two_round_trips_doubles_it)
{
    struct stt_window w = window_of(64 * KIB);
    stt_window_on_consumed(&w, 2 * RTT - 1, 32 * KIB - 1, RTT, 8192 * KIB);
    ck_assert_uint_eq(w.window, 64 * KIB);
    ck_assert(stt_window_on_consumed(&w, 2 * RTT - 1, 1, RTT, 8192 * KIB));
    ck_assert_uint_eq(w.window, 128 * KIB);
    ck_assert_uint_eq(stt_window_announce(&w), 160 * KIB);
}
END_TEST

START_TEST(half_of_it_in_two_round_trips_leaves_it)
{
    struct stt_window w = window_of(64 * KIB);
    stt_window_on_consumed(&w, 2 * RTT, 32 * KIB, RTT, 8192 * KIB);
    ck_assert_uint_eq(w.window, 64 * KIB);
}
END_TEST

START_TEST(each_half_is_measured_from_the_one_before)
{
    struct stt_window w = window_of(64 * KIB);
    stt_window_on_consumed(&w, STT_S(9), 32 * KIB, RTT, 8192 * KIB); /* after a long silence */
    ck_assert_uint_eq(w.window, 64 * KIB);
    stt_window_on_consumed(&w, STT_S(9) + 2 * RTT - 1, 32 * KIB, RTT, 8192 * KIB);
    ck_assert_uint_eq(w.window, 128 * KIB);
}
END_TEST

START_TEST(a_sender_that_it_holds_back_has_all_of_it_after_a_few_round_trips)
{
    struct stt_window w = window_of(64 * KIB);
    unsigned trips = run_held_back(&w, UINT64_MAX, 8192 * KIB);
    ck_assert_uint_eq(w.window, 8192 * KIB);
    ck_assert_uint_eq(trips, 7); /* 64 KiB * 2^7 = 8 MiB */
}
END_TEST

START_TEST(it_stops_growing_at_four_times_of_what_the_path_carries)
{
    struct stt_window w = window_of(64 * KIB);
    run_held_back(&w, 256 * KIB, 8192 * KIB);
    ck_assert_uint_eq(w.window, 1024 * KIB);
}
END_TEST

START_TEST(a_slow_reader_never_makes_it_grow)
{
    struct stt_window w = window_of(64 * KIB);
    for (unsigned trip = 1; trip < 1000; trip++) {
        if (stt_window_on_consumed(&w, trip * RTT, 16 * KIB, RTT, 8192 * KIB))
            stt_window_announce(&w);
        ck_assert_uint_eq(w.window, 64 * KIB);
        ck_assert_uint_ge(w.limit - w.consumed, 48 * KIB);
    }
}
END_TEST

START_TEST(it_never_exceeds_the_maximum_and_never_shrinks_to_it)
{
    struct stt_window w = window_of(64 * KIB);
    stt_window_on_consumed(&w, 1, 32 * KIB, RTT, 100 * KIB);
    ck_assert_uint_eq(w.window, 100 * KIB);
    stt_window_announce(&w);
    stt_window_on_consumed(&w, 2, 64 * KIB, RTT, 10 * KIB); /* the pool has become small */
    ck_assert_uint_eq(w.window, 100 * KIB);
    ck_assert_uint_eq(stt_window_announce(&w), 196 * KIB);
}
END_TEST

START_TEST(the_window_of_the_session_follows_the_largest_of_its_streams)
{
    struct stt_window session = window_of(256 * KIB);
    ck_assert(!stt_window_on_stream_grown(&session, 128 * KIB, 16384 * KIB));
    ck_assert_uint_eq(session.window, 256 * KIB);
    ck_assert(stt_window_on_stream_grown(&session, 256 * KIB, 16384 * KIB));
    ck_assert_uint_eq(session.window, 384 * KIB);
    ck_assert_uint_eq(stt_window_announce(&session), 384 * KIB);
    stt_window_on_stream_grown(&session, 64 * KIB, 16384 * KIB);
    ck_assert_uint_eq(session.window, 384 * KIB);
    stt_window_on_stream_grown(&session, 16384 * KIB, 16384 * KIB);
    ck_assert_uint_eq(session.window, 16384 * KIB);
}
END_TEST

START_TEST(limits_end_where_offsets_end)
{
    struct stt_window w = window_of(64 * KIB);
    ck_assert(stt_window_on_consumed(&w, 1, STT_VARINT_MAX - 10, RTT, UINT64_MAX));
    ck_assert_uint_eq(stt_window_announce(&w), STT_VARINT_MAX);
    ck_assert(!stt_window_on_consumed(&w, 1, 10, RTT, UINT64_MAX));
    ck_assert(!stt_window_has_more(&w));
    ck_assert_uint_eq(w.limit, STT_VARINT_MAX);
}
END_TEST

START_TEST(a_window_of_nothing_has_nothing_to_tell)
{
    struct stt_window w = window_of(0);
    ck_assert(!stt_window_on_consumed(&w, 1, 0, RTT, 0));
    ck_assert(!stt_window_has_more(&w));
}
END_TEST

SUITE("window", TEST(the_limit_is_raised_when_a_quarter_is_free),
      TEST(a_blocked_peer_is_told_of_a_single_byte),
      TEST(half_of_it_in_less_than_two_round_trips_doubles_it),
      TEST(half_of_it_in_two_round_trips_leaves_it),
      TEST(each_half_is_measured_from_the_one_before),
      TEST(a_sender_that_it_holds_back_has_all_of_it_after_a_few_round_trips),
      TEST(it_stops_growing_at_four_times_of_what_the_path_carries),
      TEST(a_slow_reader_never_makes_it_grow),
      TEST(it_never_exceeds_the_maximum_and_never_shrinks_to_it),
      TEST(the_window_of_the_session_follows_the_largest_of_its_streams),
      TEST(limits_end_where_offsets_end), TEST(a_window_of_nothing_has_nothing_to_tell))
