/* SPDX-License-Identifier: MIT
 * What a session says besides data, and in which order: whom a limit stops, and what its host
 * hears. The server is the sender, and the client a peer that says and hears what the test wants.
 * Spec 05, "Flow control", "What a stream is", "Packing". */
#include "stt/session/engine.h"
#include "tests/support/duo.h"
#include "tests/support/frames.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"

enum { LIMIT = 2000, MUCH = 1 << 20 };

static struct duo duo;

/* The limits that may stop a sender. */
static const struct {
    uint64_t blocked, raised;
} kinds[] = {{STT_FRAME_DATA_BLOCKED, STT_FRAME_MAX_DATA},
             {STT_FRAME_STREAM_DATA_BLOCKED, STT_FRAME_MAX_STREAM_DATA},
             {STT_FRAME_STREAMS_BLOCKED, STT_FRAME_MAX_STREAMS}};
enum { KINDS = sizeof kinds / sizeof kinds[0], NO_LIMIT_AT_FIRST = KINDS };

static struct stt_session *sender(void)
{
    return traitor_session(duo.server.ep, duo.server.session);
}

static int open_stream(stt_handle *stream)
{
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    o.no_delay = true;
    return stt_stream_open(duo.server.ep, duo.now, duo.server.session, &o, stream);
}

/* As a peer may have said in its handshake. */
static void setup(int kind)
{
    duo_init(&duo, 1);
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    duo_run_for(&duo, STT_S(1));
    if (kind == 0)
        sender()->params.max_data = LIMIT;
    if (kind == 1)
        sender()->params.max_stream_data = LIMIT;
    if (kind == 2)
        sender()->params.max_streams = 1;
    if (kind == NO_LIMIT_AT_FIRST)
        sender()->params.max_data = 0;
}

/* What stops the sender, if anything does. */
static void act(stt_handle *stream)
{
    static const uint8_t data[2 * LIMIT];
    stt_handle another;
    size_t written;
    if (!*stream)
        ck_assert_int_eq(open_stream(stream), STT_OK);
    (void)open_stream(&another);
    ck_assert_int_eq(stt_stream_write(duo.server.ep, duo.now, *stream, data, sizeof data, &written),
                     STT_OK);
}

static unsigned count_in(struct bytes frames, uint64_t type)
{
    struct rd r = rd_init(frames);
    unsigned n = 0;
    for (struct any_frame f; rd_left(&r) && any_frame_decode(&r, &f);)
        n += f.type == type;
    return n;
}

/* How many frames of this type the sender says now; nobody else hears them. */
static unsigned said(uint64_t type)
{
    static uint8_t room[DUO_ROOM];
    struct stt_session *hears = traitor_session(duo.client.ep, duo.client.session);
    struct stt_train t;
    unsigned n = 0;
    while (duo_transmit(&duo, &duo.server, room, &t))
        for (size_t at = 0; at < t.len; at += t.segment_bytes) {
            size_t len = t.len - at < t.segment_bytes ? t.len - at : t.segment_bytes;
            n += count_in(traitor_open(hears, room + at, len), type);
        }
    return n;
}

/* All that is on its way is lost. */
static void lose(void)
{
    stt_loss_forget(&sender()->loss, duo.now, 0, UINT64_MAX);
    stt_settling_drain(duo.server.ep, duo.now, sender());
}

static void raise(int kind, uint64_t limit)
{
    struct any_frame f = {.type = kinds[kind].raised};
    if (kind == 1)
        f.u.stream_limit = (struct frame_stream_limit){f.type, 1, limit};
    else
        f.u.limit = (struct frame_limit){f.type, limit};
    traitor_say_frame(&duo, &f);
}

START_TEST(who_is_stopped_by_a_limit_says_so_once)
{
    stt_handle stream = 0;
    int kind = _i % KINDS;
    setup(_i);
    act(&stream);
    ck_assert_uint_eq(said(kinds[kind].blocked), 1);
    act(&stream);
    ck_assert_uint_eq(said(kinds[kind].blocked), 0);
    raise(kind, 2 * LIMIT);
    act(&stream);
    ck_assert_uint_eq(said(kinds[kind].blocked), kind == 2 ? 0 : 1);
    duo_end(&duo);
}
END_TEST

START_TEST(it_is_said_again_as_long_as_it_is_so)
{
    stt_handle stream = 0;
    setup(_i);
    act(&stream);
    ck_assert_uint_eq(said(kinds[_i].blocked), 1);
    lose();
    ck_assert_uint_eq(said(kinds[_i].blocked), 1);
    lose();
    raise(_i, MUCH);
    ck_assert_uint_eq(said(kinds[_i].blocked), 0);
    duo_end(&duo);
}
END_TEST

/* -- the host ------------------------------------------------------------------------------------
 */

START_TEST(a_host_that_was_refused_a_stream_hears_once_when_there_may_be_more)
{
    stt_handle stream;
    setup(2);
    raise(2, 2);
    duo_pull(&duo.server);
    ck_assert_uint_eq(duo.server.events[STT_EVENT_STREAMS], 0); /* nobody asked */
    ck_assert_int_eq(open_stream(&stream), STT_OK);
    ck_assert_int_eq(open_stream(&stream), STT_OK);
    ck_assert_int_eq(open_stream(&stream), STT_E_LIMIT);
    ck_assert_int_eq(open_stream(&stream), STT_E_LIMIT);
    raise(2, 2);
    raise(2, 1);
    duo_pull(&duo.server);
    ck_assert_uint_eq(duo.server.events[STT_EVENT_STREAMS], 0); /* it has not risen */
    for (uint64_t limit = 3; limit < 6; limit++) {
        raise(2, limit);
        duo_pull(&duo.server);
        ck_assert_uint_eq(duo.server.events[STT_EVENT_STREAMS], limit - 2);
        ck_assert_uint_eq(duo.server.latest[STT_EVENT_STREAMS].session, duo.server.session);
        ck_assert_int_eq(open_stream(&stream), STT_OK);
        raise(2, limit);
        ck_assert_int_eq(open_stream(&stream), STT_E_LIMIT);
    }
    raise(2, 6);
    ck_assert_int_eq(open_stream(&stream), STT_OK);
    ck_assert_int_eq(open_stream(&stream), STT_E_LIMIT);
    duo_pull(&duo.server);
    ck_assert_uint_eq(duo.server.events[STT_EVENT_STREAMS], 3); /* there are none any more */
    raise(2, 7);
    duo_pull(&duo.server);
    ck_assert_uint_eq(duo.server.events[STT_EVENT_STREAMS], 4);
    duo_end(&duo);
}
END_TEST

/* -- order ---------------------------------------------------------------------------------------
 */

START_TEST(what_is_owed_is_said_in_its_order)
{
    static const uint64_t order[] = {STT_FRAME_ACK,         STT_FRAME_PING,
                                     STT_FRAME_NEW_ID,      STT_FRAME_MAX_DATA,
                                     STT_FRAME_MAX_STREAMS, STT_FRAME_MAX_STREAM_DATA,
                                     STT_FRAME_RESET,       STT_FRAME_STOP};
    static uint8_t room[DUO_ROOM];
    static const uint8_t ping[] = {STT_FRAME_PING};
    enum { N = sizeof order / sizeof order[0] };
    stt_handle stream;
    struct stt_train train;
    struct any_frame f;
    setup(2);
    ck_assert_int_eq(open_stream(&stream), STT_OK);
    (void)said(0);
    struct stt_session *s = sender();
    traitor_say(&duo, BYTES(ping));
    s->owed |= STT_OWES_ACK | STT_OWES_PING | STT_OWES_NEW_ID << 1 | STT_OWES_MAX_DATA |
               STT_OWES_MAX_STREAMS;
    ck_assert_int_eq(stt_stream_stop(duo.server.ep, duo.now, stream, 1), STT_OK);
    ck_assert_int_eq(stt_stream_reset(duo.server.ep, duo.now, stream, 1), STT_OK);
    stt_stream_owe(duo.server.ep, stt_stream_find(duo.server.ep, stream), STT_STREAM_OWES_LIMIT);
    ck_assert(duo_transmit(&duo, &duo.server, room, &train));
    struct rd r =
        rd_init(traitor_open(traitor_session(duo.client.ep, duo.client.session), room, train.len));
    for (int i = 0; i < N; i++) {
        ck_assert(any_frame_decode(&r, &f));
        ck_assert_uint_eq(f.type, order[i]);
    }
    duo_end(&duo);
}
END_TEST

SUITE("owed", TEST(what_is_owed_is_said_in_its_order),
      LOOP(who_is_stopped_by_a_limit_says_so_once, 0, NO_LIMIT_AT_FIRST + 1),
      LOOP(it_is_said_again_as_long_as_it_is_so, 0, KINDS),
      TEST(a_host_that_was_refused_a_stream_hears_once_when_there_may_be_more))
