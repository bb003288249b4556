/* SPDX-License-Identifier: MIT
 * Streams here are places with bytes to send; a virtual link sends one packet in a microsecond. */
#include "stt/stream/scheduler.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <string.h>

enum { STREAMS = 64, GRAIN = 16384, PACKET = 1400 };
#define PACKET_NS STT_US(1)

struct stream {
    struct stt_schedule place;
    uint64_t has, sent;
    uint32_t write_bytes; /* not 0: writes as much again as soon as it has sent it all */
    stt_ns sent_at, longest_wait;
};

struct link {
    struct stt_scheduler s;
    struct stream streams[STREAMS];
    stt_ns now, patience; /* 0: not adaptive */
    stt_ns raise_at;
    struct stream *again; /* has just run out of data and writes while the next packet is sent */
};

static void setup(struct link *l)
{
    memset(l, 0, sizeof *l);
    stt_scheduler_init(&l->s, GRAIN);
}

static struct stream *write_to(struct link *l, unsigned i, uint8_t urgency, uint64_t bytes)
{
    struct stream *stream = &l->streams[i];
    stream->place.urgency = urgency;
    stream->has += bytes;
    stt_scheduler_add(&l->s, &stream->place, l->now);
    return stream;
}

static unsigned next_of(const struct link *l)
{
    struct stt_schedule *place = stt_scheduler_next(&l->s);
    if (!place)
        ck_abort_msg("it is nobody's turn");
    return (unsigned)(STT_LIST_ENTRY(place, struct stream, place) - l->streams);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void write_again(struct link *l)
{
    struct stream *stream = l->again;
    l->again = NULL;
    if (!stream)
        return;
    stream->has = stream->write_bytes;
    stt_scheduler_add(&l->s, &stream->place, l->now);
}

/* One piece of the stream whose turn it is, as the packetizer does it; answers its bytes. */
static uint64_t send_piece(struct link *l, uint64_t room)
{
    struct stream *stream = &l->streams[next_of(l)];
    uint64_t bytes = least(least(room, stream->has), stream->place.left);
    if (bytes == 0)
        ck_abort_msg("a turn without bytes to send");
    stream->has -= bytes;
    stream->sent += bytes;
    if (l->now - stream->sent_at > stream->longest_wait)
        stream->longest_wait = l->now - stream->sent_at;
    stream->sent_at = l->now;
    stt_scheduler_on_sent(&l->s, &stream->place, (uint32_t)bytes, l->now);
    if (stream->has)
        return bytes;
    stt_scheduler_remove(&l->s, &stream->place);
    write_again(l);
    if (stream->write_bytes)
        l->again = stream;
    return bytes;
}

static void send_packets(struct link *l, unsigned n)
{
    while (n-- > 0) {
        for (uint64_t room = PACKET; room && l->s.ready;)
            room -= send_piece(l, room);
        write_again(l);
        l->now += PACKET_NS;
        if (l->patience && l->now >= l->raise_at)
            l->raise_at = stt_scheduler_raise(&l->s, l->now, l->patience);
    }
}

START_TEST(without_streams_there_is_no_turn)
{
    struct link l;
    setup(&l);
    ck_assert_ptr_null(stt_scheduler_next(&l.s));
    ck_assert_uint_eq(stt_scheduler_raise(&l.s, 0, 1), STT_NEVER);
    stt_scheduler_remove(&l.s, &l.streams[0].place);
    ck_assert_ptr_null(stt_scheduler_next(&l.s));
}
END_TEST

START_TEST(streams_of_a_level_take_turns_by_a_grain)
{
    struct link l;
    setup(&l);
    for (unsigned i = 0; i < 3; i++)
        write_to(&l, i, 3, 10 * GRAIN);
    for (unsigned turn = 0; turn < 9; turn++) {
        ck_assert_uint_eq(next_of(&l), turn % 3);
        ck_assert_uint_eq(send_piece(&l, GRAIN / 2), GRAIN / 2);
        ck_assert_uint_eq(next_of(&l), turn % 3);
        send_piece(&l, GRAIN / 2);
    }
}
END_TEST

START_TEST(adding_again_keeps_the_place)
{
    struct link l;
    setup(&l);
    write_to(&l, 0, 3, GRAIN);
    write_to(&l, 1, 3, GRAIN);
    write_to(&l, 0, 3, GRAIN);
    ck_assert_uint_eq(next_of(&l), 0);
}
END_TEST

START_TEST(a_level_sends_only_when_none_before_it_has_data)
{
    struct link l;
    setup(&l);
    for (unsigned i = 0; i < 8; i++)
        write_to(&l, i, (uint8_t)(7 - i), 3 * GRAIN);
    for (unsigned i = 8; i-- > 0;)
        while (l.streams[i].has) {
            ck_assert_uint_eq(next_of(&l), i);
            send_piece(&l, PACKET);
        }
    ck_assert_ptr_null(stt_scheduler_next(&l.s));
    ck_assert_uint_eq(l.s.ready, 0);
}
END_TEST

START_TEST(a_more_urgent_stream_goes_first_from_the_next_piece_on)
{
    struct link l;
    setup(&l);
    write_to(&l, 0, 3, 2 * GRAIN);
    send_piece(&l, PACKET);
    write_to(&l, 1, 2, PACKET);
    ck_assert_uint_eq(next_of(&l), 1);
    send_piece(&l, PACKET);
    ck_assert_uint_eq(next_of(&l), 0); /* and goes on with its grain */
    ck_assert_uint_eq(l.streams[0].place.left, GRAIN - PACKET);
}
END_TEST

/* Whole rings, a packet, a bit more than a grain: what each writes at a time, and again only when
 * that was sent and another has had a piece. */
START_TEST(each_stream_gets_the_same_bytes_whatever_the_size_of_its_writes)
{
    static const uint32_t writes[] = {1 << 30, 1 << 30, PACKET,    2 * PACKET,
                                      5000,    GRAIN,   GRAIN + 1, 40000};
    enum { N = sizeof writes / sizeof writes[0] };
    struct link l;
    setup(&l);
    for (unsigned i = 0; i < N; i++)
        write_to(&l, i, 3, writes[i])->write_bytes = writes[i];
    send_packets(&l, 20 * N * GRAIN / PACKET);
    uint64_t low = UINT64_MAX, high = 0;
    for (unsigned i = 0; i < N; i++) {
        low = least(low, l.streams[i].sent);
        high = l.streams[i].sent > high ? l.streams[i].sent : high;
    }
    ck_assert_uint_ge(low, 19 * GRAIN);
    ck_assert_uint_le(high - low, 2 * GRAIN);
}
END_TEST

/* Whoever comes and goes as it likes: between two grains of a stream that is always ready, none
 * has more than one. */
START_TEST(nobody_gains_by_coming_and_going)
{
    struct link l;
    setup(&l);
    struct rng rng = rng_init((uint64_t)_i + 1);
    struct stream *steady = write_to(&l, 0, 3, UINT64_MAX / 2);
    uint64_t at_last_grain[STREAMS] = {0}, grains = 0;
    for (unsigned step = 0; step < 20000; step++) {
        struct stream *any = &l.streams[1 + rng_below(&rng, 7)];
        if (rng_chance(&rng, 30))
            stt_scheduler_remove(&l.s, &any->place);
        else
            write_to(&l, (unsigned)(any - l.streams), 3, rng_between(&rng, 1, 5000));
        send_piece(&l, rng_between(&rng, 1, PACKET));
        if (steady->sent / GRAIN == grains)
            continue;
        grains++;
        for (unsigned i = 1; i < 8; i++) {
            if (l.streams[i].sent - at_last_grain[i] > GRAIN)
                ck_abort_msg("stream %u gained in step %u", i, step);
            at_last_grain[i] = l.streams[i].sent;
        }
    }
    ck_assert_uint_gt(grains, 10);
}
END_TEST

START_TEST(a_stream_that_is_back_goes_on_with_its_grain_before_the_others)
{
    struct link l;
    setup(&l);
    write_to(&l, 0, 3, 100);
    write_to(&l, 1, 3, 10 * GRAIN);
    send_piece(&l, PACKET); /* the first has none left */
    send_piece(&l, PACKET);
    write_to(&l, 0, 3, 2 * GRAIN);
    ck_assert_uint_eq(next_of(&l), 0);
    ck_assert_uint_eq(send_piece(&l, GRAIN), GRAIN - 100);
    ck_assert_uint_eq(next_of(&l), 1);
    ck_assert_uint_eq(send_piece(&l, GRAIN), GRAIN - PACKET);
    ck_assert_uint_eq(next_of(&l), 0);
}
END_TEST

START_TEST(a_stream_that_has_ended_its_grain_is_back_at_the_end)
{
    struct link l;
    setup(&l);
    write_to(&l, 0, 3, GRAIN);
    write_to(&l, 1, 3, 10 * GRAIN);
    send_piece(&l, GRAIN);
    write_to(&l, 0, 3, GRAIN);
    ck_assert_uint_eq(next_of(&l), 1);
}
END_TEST

START_TEST(what_is_sent_beyond_a_grain_is_taken_from_the_next)
{
    struct link l;
    setup(&l);
    struct stt_schedule *place = &write_to(&l, 0, 3, 10 * GRAIN)->place;
    write_to(&l, 1, 3, 10 * GRAIN);
    stt_scheduler_on_sent(&l.s, place, GRAIN + 1000, 0);
    ck_assert_uint_eq(next_of(&l), 1);
    ck_assert_uint_eq(place->left, GRAIN - 1000);
    stt_scheduler_on_sent(&l.s, place, 100 * GRAIN, 0); /* more than a grain is forgiven */
    ck_assert_uint_gt(place->left, 0);
    ck_assert_uint_le(place->left, GRAIN);
}
END_TEST

START_TEST(an_empty_frame_takes_nothing_of_the_grain)
{
    struct link l;
    setup(&l);
    struct stt_schedule *place = &write_to(&l, 0, 3, 1)->place;
    stt_scheduler_on_sent(&l.s, place, 0, 0);
    ck_assert_uint_eq(place->left, GRAIN);
    stt_scheduler_remove(&l.s, place);
    write_to(&l, 1, 3, 1);
    stt_scheduler_add(&l.s, place, 0);
    ck_assert_uint_eq(next_of(&l), 1);
}
END_TEST

START_TEST(a_new_urgency_counts_at_once)
{
    struct link l;
    setup(&l);
    for (unsigned i = 0; i < 3; i++)
        write_to(&l, i, 3, GRAIN);
    stt_scheduler_set_urgency(&l.s, &l.streams[2].place, 1);
    ck_assert_uint_eq(next_of(&l), 2);
    stt_scheduler_set_urgency(&l.s, &l.streams[2].place, 3);
    ck_assert_uint_eq(next_of(&l), 0);
    stt_scheduler_set_urgency(&l.s, &l.streams[0].place, 7);
    ck_assert_uint_eq(next_of(&l), 1);
    stt_scheduler_set_urgency(&l.s, &l.streams[3].place, 0); /* in no ring */
    ck_assert_uint_eq(next_of(&l), 1);
    write_to(&l, 3, 0, GRAIN);
    ck_assert_uint_eq(next_of(&l), 3);
}
END_TEST

START_TEST(who_waits_is_raised_by_one_level_each_time)
{
    struct link l;
    setup(&l);
    struct stt_schedule *place = &write_to(&l, 0, 3, GRAIN)->place;
    write_to(&l, 1, 0, GRAIN);
    ck_assert_uint_eq(stt_scheduler_raise(&l.s, STT_MS(99), STT_MS(100)), STT_MS(100));
    ck_assert_uint_eq(place->raised, 0);
    for (unsigned n = 1; n <= 2; n++) {
        stt_ns next = STT_MS(100) * (n + 1);
        ck_assert_uint_eq(stt_scheduler_raise(&l.s, STT_MS(100) * n, STT_MS(100)), next);
        ck_assert_uint_eq(place->raised, n);
        ck_assert_uint_eq(stt_scheduler_raise(&l.s, next - 1, STT_MS(100)), next);
    }
    ck_assert_uint_eq(stt_scheduler_raise(&l.s, STT_MS(300), STT_MS(100)), STT_NEVER);
    ck_assert_uint_eq(place->raised, 3);
    ck_assert_uint_eq(next_of(&l), 1); /* at the end of its new level */
    send_piece(&l, GRAIN);
    ck_assert_uint_eq(next_of(&l), 0);
}
END_TEST

START_TEST(a_raised_stream_lines_up_even_with_a_grain_that_is_begun)
{
    struct link l;
    setup(&l);
    write_to(&l, 0, 1, GRAIN);
    send_piece(&l, PACKET);
    write_to(&l, 1, 0, GRAIN);
    stt_scheduler_raise(&l.s, STT_MS(100), STT_MS(100));
    ck_assert_uint_eq(l.streams[0].place.raised, 1);
    ck_assert_uint_eq(next_of(&l), 1);
}
END_TEST

START_TEST(a_raised_stream_falls_back_with_its_grain)
{
    struct link l;
    setup(&l);
    struct stt_schedule *place = &write_to(&l, 0, 1, 3 * GRAIN)->place;
    write_to(&l, 1, 0, UINT64_MAX / 2);
    stt_scheduler_raise(&l.s, STT_MS(100), STT_MS(100));
    send_piece(&l, GRAIN);
    ck_assert_uint_eq(next_of(&l), 0);
    send_piece(&l, GRAIN / 2);
    ck_assert_uint_eq(place->raised, 1);
    ck_assert_uint_eq(next_of(&l), 0);
    send_piece(&l, GRAIN / 2);
    ck_assert_uint_eq(place->raised, 0);
    for (unsigned n = 0; n < 10; n++) {
        ck_assert_uint_eq(next_of(&l), 1);
        send_piece(&l, GRAIN);
    }
}
END_TEST

START_TEST(a_raised_stream_that_leaves_comes_back_at_its_own_level)
{
    struct link l;
    setup(&l);
    struct stt_schedule *place = &write_to(&l, 0, 1, GRAIN)->place;
    write_to(&l, 1, 0, GRAIN);
    stt_scheduler_raise(&l.s, STT_MS(100), STT_MS(100));
    ck_assert_uint_eq(place->raised, 1);
    stt_scheduler_remove(&l.s, place);
    stt_scheduler_add(&l.s, place, STT_MS(101));
    ck_assert_uint_eq(place->raised, 0);
    ck_assert_uint_eq(stt_scheduler_raise(&l.s, STT_MS(101), STT_MS(100)), STT_MS(201));
}
END_TEST

START_TEST(without_adaptive_mode_a_level_starves_those_behind_it)
{
    struct link l;
    setup(&l);
    write_to(&l, 0, 0, UINT64_MAX / 2);
    struct stream *last = write_to(&l, 1, 7, GRAIN);
    send_packets(&l, 100000);
    ck_assert_uint_eq(last->sent, 0);
}
END_TEST

/* Each level is full for ever, and so is the last: it climbs seven times, and waits a round of all
 * who have climbed with it. */
START_TEST(with_adaptive_mode_nobody_waits_longer_than_seven_times_the_patience_and_a_round)
{
    struct link l;
    setup(&l);
    l.patience = STT_MS(2); /* the link is fast, the test is short */
    for (unsigned i = 0; i < STREAMS; i++)
        write_to(&l, i, (uint8_t)(i % 8), UINT64_MAX / 2);
    send_packets(&l, 100000);
    stt_ns round = STREAMS * (GRAIN / PACKET + 1) * PACKET_NS;
    for (unsigned i = 0; i < STREAMS; i++) {
        ck_assert_uint_gt(l.streams[i].sent, GRAIN);
        ck_assert_uint_le(l.streams[i].longest_wait, 7 * l.patience + round);
    }
    ck_assert_uint_gt(l.streams[0].sent, 2 * l.streams[7].sent); /* and urgency counts still */
}
END_TEST

START_TEST(who_sends_now_and_then_does_not_hide_who_waits_behind_it)
{
    struct link l;
    setup(&l);
    write_to(&l, 0, 1, 10 * GRAIN);
    write_to(&l, 1, 1, GRAIN);
    for (unsigned n = 1; n <= 10; n++) {
        l.now = STT_MS(10) * n;
        send_piece(&l, 1); /* what the levels before it left */
        ck_assert_uint_eq(stt_scheduler_raise(&l.s, l.now - 1, STT_MS(100)), STT_MS(100));
    }
    stt_scheduler_raise(&l.s, STT_MS(100), STT_MS(100));
    ck_assert_uint_eq(l.streams[0].place.raised, 0);
    ck_assert_uint_eq(l.streams[1].place.raised, 1);
}
END_TEST

START_TEST(many_who_starve_together_are_raised_in_several_calls)
{
    struct link l;
    setup(&l);
    for (unsigned i = 0; i < STREAMS; i++)
        write_to(&l, i, 3, GRAIN);
    unsigned calls = 1;
    while (stt_scheduler_raise(&l.s, STT_MS(100), STT_MS(100)) <= STT_MS(100))
        ck_assert_uint_lt(++calls, STREAMS);
    ck_assert_uint_gt(calls, 1);
    for (unsigned i = 0; i < STREAMS; i++)
        ck_assert_uint_eq(l.streams[i].place.raised, 1);
    ck_assert_uint_eq(next_of(&l), 0);
}
END_TEST

/* Rings, bits and the list of those who wait say the same. */
static bool is_sound(const struct link *l)
{
    unsigned linked = 0, waiting = 0, at_zero = 0;
    bool sound = true;
    for (unsigned level = 0; level < STT_URGENCY_LEVELS; level++) {
        sound = sound && stt_list_is_empty(&l->s.levels[level]) == !(l->s.ready >> level & 1);
        STT_LIST_FOREACH (at, &l->s.levels[level]) {
            struct stt_schedule *e = STT_LIST_ENTRY(at, struct stt_schedule, link);
            sound = sound && (unsigned)e->urgency - e->raised == level;
            sound = sound && e->left && e->left <= GRAIN;
            linked++;
            at_zero += level == 0;
        }
    }
    stt_ns last = 0;
    STT_LIST_FOREACH (at, &l->s.waiting) {
        struct stt_schedule *e = STT_LIST_ENTRY(at, struct stt_schedule, waiting);
        sound = sound && stt_list_is_linked(&e->link) && e->waits_since >= last;
        last = e->waits_since;
        waiting++;
    }
    unsigned ready = 0;
    for (unsigned i = 0; i < STREAMS; i++)
        ready += stt_list_is_linked(&l->streams[i].place.link);
    return sound && linked == ready && waiting + at_zero == ready;
}

START_TEST(rings_and_bits_agree_after_any_history)
{
    struct link l;
    setup(&l);
    struct rng rng = rng_init((uint64_t)_i + 1);
    for (unsigned step = 0; step < 3000; step++) {
        struct stt_schedule *e = &l.streams[rng_below(&rng, 12)].place;
        uint32_t bytes = (uint32_t)rng_below(&rng, 3 * GRAIN);
        l.now += rng_below(&rng, STT_MS(20));
        switch (rng_below(&rng, 5)) {
        case 0:
            stt_scheduler_add(&l.s, e, l.now);
            break;
        case 1:
            stt_scheduler_remove(&l.s, e);
            break;
        case 2:
            stt_scheduler_set_urgency(&l.s, e, (uint8_t)rng_below(&rng, 8));
            break;
        case 3:
            stt_scheduler_on_sent(&l.s, e, bytes, l.now);
            break;
        default:
            stt_scheduler_raise(&l.s, l.now, STT_MS(50));
        }
        if (!is_sound(&l))
            ck_abort_msg("step %u", step);
    }
}
END_TEST

SUITE("scheduler", TEST(without_streams_there_is_no_turn),
      TEST(streams_of_a_level_take_turns_by_a_grain), TEST(adding_again_keeps_the_place),
      TEST(a_level_sends_only_when_none_before_it_has_data),
      TEST(a_more_urgent_stream_goes_first_from_the_next_piece_on),
      TEST(each_stream_gets_the_same_bytes_whatever_the_size_of_its_writes),
      LOOP(nobody_gains_by_coming_and_going, 0, 10),
      TEST(a_stream_that_is_back_goes_on_with_its_grain_before_the_others),
      TEST(a_stream_that_has_ended_its_grain_is_back_at_the_end),
      TEST(what_is_sent_beyond_a_grain_is_taken_from_the_next),
      TEST(an_empty_frame_takes_nothing_of_the_grain), TEST(a_new_urgency_counts_at_once),
      TEST(who_waits_is_raised_by_one_level_each_time),
      TEST(a_raised_stream_lines_up_even_with_a_grain_that_is_begun),
      TEST(a_raised_stream_falls_back_with_its_grain),
      TEST(a_raised_stream_that_leaves_comes_back_at_its_own_level),
      TEST(without_adaptive_mode_a_level_starves_those_behind_it),
      TEST(with_adaptive_mode_nobody_waits_longer_than_seven_times_the_patience_and_a_round),
      TEST(who_sends_now_and_then_does_not_hide_who_waits_behind_it),
      TEST(many_who_starve_together_are_raised_in_several_calls),
      LOOP(rings_and_bits_agree_after_any_history, 0, 20))
