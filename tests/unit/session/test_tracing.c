/* SPDX-License-Identifier: MIT
 * The recorder of an endpoint: what it keeps, how it is read, and that strangers cannot fill it. */
#include "stt/session/engine.h"

#include "tests/support/duo.h"
#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>

static struct duo duo;
static struct stt_trace_event heard[4096];
static size_t n_heard;

static void hear(void *ctx, const struct stt_trace_event *event)
{
    (void)ctx;
    if (n_heard < sizeof heard / sizeof heard[0])
        heard[n_heard++] = *event;
}

static void start(void)
{
    n_heard = 0;
    duo_init(&duo, 1);
    duo.server.te.env.trace = hear;
    duo_start(&duo);
}

static struct stt_tracing *server(void)
{
    return &duo.server.ep->tracing;
}

/* Datagrams of strangers, of two kinds. */
static void send_short(size_t n)
{
    static const uint8_t datagram[20];
    for (size_t i = 0; i < n; i++) {
        duo.now += STT_MS(1);
        duo_deliver_bytes(&duo, &duo.server, NULL, datagram, sizeof datagram);
    }
}

static void send_astray(void)
{
    static const uint8_t datagram[100];
    duo_deliver_bytes(&duo, &duo.server, NULL, datagram, sizeof datagram);
}

static struct stt_trace_event latest(void)
{
    return *stt_flight_recorder_at(&server()->recorder, server()->recorder.recorded - 1);
}

static void check_drop(const struct stt_trace_event *e, enum stt_drop reason, uint64_t packets,
                       uint64_t bytes)
{
    ck_assert_uint_eq(e->type, STT_TRACE_PACKETS_DROPPED);
    ck_assert_uint_eq(e->code, reason);
    ck_assert_uint_eq(e->field[0], packets);
    ck_assert_uint_eq(e->field[1], bytes);
}

/* -- drops ------------------------------------------------------------------------------------ */

START_TEST(drops_of_one_reason_are_gathered)
{
    start();
    stt_ns began = duo.now + STT_MS(1);
    send_short(1000);
    ck_assert_uint_eq(server()->recorder.recorded, 1);
    struct stt_trace_event e = latest();
    check_drop(&e, STT_DROP_short_datagram, 1000, 20000);
    ck_assert_uint_eq(e.at, began);
    ck_assert_uint_eq(e.field[2], duo.now);
    ck_assert_uint_eq(duo.server.ep->stats.dropped_short_datagram, 1000);
    duo_end(&duo);
}
END_TEST

START_TEST(the_hook_hears_each_drop)
{
    start();
    send_short(100);
    ck_assert_uint_eq(n_heard, 100);
    for (size_t i = 0; i < n_heard; i++) {
        check_drop(&heard[i], STT_DROP_short_datagram, 1, 20);
        ck_assert(heard[i].at == heard[i].field[2] && (!i || heard[i].at > heard[i - 1].at));
    }
    duo_end(&duo);
}
END_TEST

START_TEST(reasons_are_kept_apart)
{
    start();
    for (int i = 0; i < 50; i++) {
        send_short(1);
        send_astray();
    }
    ck_assert_uint_eq(server()->recorder.recorded, 2);
    check_drop(stt_flight_recorder_at(&server()->recorder, 0), STT_DROP_short_datagram, 50, 1000);
    check_drop(stt_flight_recorder_at(&server()->recorder, 1), STT_DROP_unknown_session, 50, 5000);
    duo_end(&duo);
}
END_TEST

START_TEST(what_was_pulled_does_not_change)
{
    struct stt_trace_event e;
    uint64_t cursor = 0;
    start();
    send_short(5);
    ck_assert(stt_endpoint_recorded(duo.server.ep, &cursor, &e));
    check_drop(&e, STT_DROP_short_datagram, 5, 100);
    ck_assert(!stt_endpoint_recorded(duo.server.ep, &cursor, &e));
    send_short(7);
    ck_assert(stt_endpoint_recorded(duo.server.ep, &cursor, &e));
    check_drop(&e, STT_DROP_short_datagram, 7, 140);
    ck_assert_uint_eq(cursor, 2);
    duo_end(&duo);
}
END_TEST

static void tell(size_t n)
{
    for (size_t i = 0; i < n; i++)
        stt_trace(&duo.server.ep->env, &server()->recorder, &(struct stt_trace_event){.at = 1});
}

/* Among the last 64, and not among more. */
START_TEST(old_events_are_not_joined)
{
    start();
    send_short(1);
    tell(STT_GATHER_EVENTS - 1);
    send_short(1);
    ck_assert_uint_eq(server()->recorder.recorded, STT_GATHER_EVENTS);
    tell(1);
    send_short(1);
    ck_assert_uint_eq(server()->recorder.recorded, STT_GATHER_EVENTS + 2);
    struct stt_trace_event e = latest();
    check_drop(&e, STT_DROP_short_datagram, 1, 20);
    duo_end(&duo);
}
END_TEST

START_TEST(drops_in_a_session_are_its_own)
{
    uint8_t room[DUO_ROOM];
    struct stt_train train;
    start();
    duo_connect(&duo, STT_MODE_K);
    uint64_t before = server()->recorder.recorded;
    ck_assert_int_eq(stt_session_ping(duo.client.ep, duo.now, duo.client.session), STT_OK);
    ck_assert(duo_transmit(&duo, &duo.client, room, &train));
    train.data[train.len - 1] ^= 1;
    duo_deliver(&duo, &duo.server, NULL, &train);
    duo_deliver(&duo, &duo.server, NULL, &train);
    ck_assert_uint_eq(server()->recorder.recorded, before + 1);
    struct stt_trace_event e = latest();
    check_drop(&e, STT_DROP_bad_tag, 2, 2 * train.len);
    ck_assert_uint_eq(e.subject, duo.server.session);
    send_astray();
    ck_assert_uint_eq(latest().subject, 0);
    duo_end(&duo);
}
END_TEST

/* A flood of every kind that strangers have, and the session's events are still there. */
START_TEST(strangers_cannot_push_a_session_out_of_the_recorder)
{
    struct stt_trace_event e;
    uint64_t cursor = 0, kept = 0;
    start();
    duo_connect(&duo, STT_MODE_K);
    duo_run_for(&duo, STT_S(1));
    uint64_t before = server()->recorder.recorded;
    ck_assert_uint_lt(before, STT_RECORDER_EVENTS - 8);
    for (int i = 0; i < 20000; i++) {
        send_short(1);
        send_astray();
    }
    while (stt_endpoint_recorded(duo.server.ep, &cursor, &e))
        kept += e.subject == duo.server.session;
    ck_assert_uint_eq(cursor, before + 2);
    ck_assert_uint_ge(kept, 5);
    duo_end(&duo);
}
END_TEST

/* -- reading ---------------------------------------------------------------------------------- */

START_TEST(a_cursor_steps_over_what_was_overwritten)
{
    struct stt_trace_event e;
    uint64_t cursor = 0;
    start();
    tell(STT_RECORDER_EVENTS + 10);
    ck_assert(stt_endpoint_recorded(duo.server.ep, &cursor, &e));
    ck_assert_uint_eq(cursor, 11);
    cursor = STT_RECORDER_EVENTS + 10;
    ck_assert(!stt_endpoint_recorded(duo.server.ep, &cursor, &e));
    cursor = UINT64_MAX;
    ck_assert(!stt_endpoint_recorded(duo.server.ep, &cursor, &e));
    ck_assert_uint_eq(cursor, UINT64_MAX);
    duo_end(&duo);
}
END_TEST

START_TEST(several_readers_do_not_disturb_each_other)
{
    struct stt_trace_event e;
    uint64_t first = 0, second = 0;
    start();
    tell(10);
    for (int i = 0; i < 10; i++)
        ck_assert(stt_endpoint_recorded(duo.server.ep, &first, &e));
    tell(5);
    for (int i = 0; i < 15; i++)
        ck_assert(stt_endpoint_recorded(duo.server.ep, &second, &e));
    ck_assert(!stt_endpoint_recorded(duo.server.ep, &second, &e));
    ck_assert_uint_eq(first, 10);
    duo_end(&duo);
}
END_TEST

START_TEST(without_a_hook_the_recorder_hears_everything)
{
    duo_init(&duo, 1);
    duo.server.te.env.trace = NULL;
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_S);
    send_short(3);
    ck_assert_uint_gt(server()->recorder.recorded, 8);
    struct stt_trace_event e = latest();
    check_drop(&e, STT_DROP_short_datagram, 3, 60);
    ck_assert_uint_eq(duo.server.te.traced, 0);
    duo_end(&duo);
}
END_TEST

/* -- numbers ---------------------------------------------------------------------------------- */

START_TEST(the_spec_says_how_much_is_remembered)
{
    char expected[80], *spec = spec_prose("09-traces.md");
    snprintf(expected, sizeof expected, "remembers its last %d events", STT_RECORDER_EVENTS);
    ck_assert_msg(strstr(spec, expected), "%s", expected);
    snprintf(expected, sizeof expected, "among the last %d and nobody", STT_GATHER_EVENTS);
    ck_assert_msg(strstr(spec, expected), "%s", expected);
    snprintf(expected, sizeof expected, "a code and up to %d numbers", STT_TRACE_FIELDS);
    ck_assert_msg(strstr(spec, expected), "%s", expected);
    free(spec);
}
END_TEST

/* Every counter has a drop of its name, and no other moves. */
START_TEST(every_reason_has_its_counter)
{
    start();
    for (int i = 0; i < STT_DROP_COUNT; i++)
        for (int n = 0; n <= i; n++)
            stt_endpoint_drop(duo.server.ep, NULL, (enum stt_drop)i, 10);
    const struct stt_endpoint_stats *stats = &duo.server.ep->stats;
    uint64_t expected = 1;
#define X(name) ck_assert_uint_eq(stats->dropped_##name, expected++);
    STT_DROPS(X)
#undef X
    duo_end(&duo);
}
END_TEST

SUITE("tracing", TEST(drops_of_one_reason_are_gathered), TEST(the_hook_hears_each_drop),
      TEST(reasons_are_kept_apart), TEST(what_was_pulled_does_not_change),
      TEST(old_events_are_not_joined), TEST(drops_in_a_session_are_its_own),
      TEST(strangers_cannot_push_a_session_out_of_the_recorder),
      TEST(a_cursor_steps_over_what_was_overwritten),
      TEST(several_readers_do_not_disturb_each_other),
      TEST(without_a_hook_the_recorder_hears_everything),
      TEST(the_spec_says_how_much_is_remembered), TEST(every_reason_has_its_counter))
