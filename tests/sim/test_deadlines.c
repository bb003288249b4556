/* SPDX-License-Identifier: MIT
 * Messages with deadlines, from host to host: each is delivered whole, or its sender has given it
 * up and the reader hears of that; between the two not a byte is missing. Spec 05, "Deadlines". */
#include "stt/session/engine.h"
#include "stt/stats.h"
#include "tests/support/aged.h"
#include "tests/support/flows.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"

#include <stdlib.h>

enum { ONE_WAY_MS = 25, RTT_MS = 2 * ONE_WAY_MS, MESSAGES_MAX = 4000, MESSAGE_MAX = 40000 };

/* What was written, and what became of it. */
struct message {
    uint32_t len;
    stt_ns written_at, read_at; /* read_at 0: not delivered */
};

static struct world w;
static struct stt_endpoint *client, *server;
static stt_handle out, in; /* the stream, at the client and at the server; 0: not yet */
static struct message messages[MESSAGES_MAX];
static uint32_t n_written, next_read;
static uint64_t bytes_written, bytes_read, bytes_skipped;
static uint32_t n_delivered, n_cut, n_ended;
static bool reads, peeks, knows_all;
static uint8_t partial[MESSAGE_MAX];
static size_t partial_len;

static void setup_with(const struct world_options *options)
{
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    w = world_pair_new(options);
    world_connect(&w, STT_MODE_K);
    client = world_endpoint(&w, w.client);
    server = world_endpoint(&w, w.server);
    o.messages = true;
    o.no_delay = true;
    in = 0;
    n_written = next_read = n_delivered = n_cut = n_ended = 0;
    bytes_written = bytes_read = bytes_skipped = 0;
    reads = knows_all = true;
    peeks = false;
    partial_len = 0;
    world_require(&w, stt_stream_open(client, stt_sim_now(w.sim), w.client->session, &o, &out) ==
                          STT_OK);
}
#define setup(...) setup_with(&(struct world_options){.one_way_ms = ONE_WAY_MS, __VA_ARGS__})

static uint64_t whole_len(uint32_t len)
{
    uint8_t head[STT_MESSAGES_HEADER_BYTES_MAX];
    return stt_messages_header(head, len) + len;
}

/* -- the writer ----------------------------------------------------------------------------------
 */

/* Byte i of message n. The first four are its number. */
static uint8_t byte_of(uint32_t n, size_t i)
{
    return (uint8_t)(i < 4 ? n >> (8 * i) : (n + 1) * 131 + i * 7);
}

static bool write_one(uint32_t len, stt_ns deadline_ns)
{
    static uint8_t data[MESSAGE_MAX];
    for (size_t i = 0; i < len; i++)
        data[i] = byte_of(n_written, i);
    int error = stt_stream_write_message(client, stt_sim_now(w.sim), out, data, len, deadline_ns);
    world_require(&w, error == STT_OK || error == STT_E_AGAIN);
    if (error)
        return false;
    messages[n_written++] = (struct message){.len = len, .written_at = stt_sim_now(w.sim)};
    bytes_written += whole_len(len);
    stt_sim_touch(w.sim, w.client->node);
    return true;
}

/* -- the reader ----------------------------------------------------------------------------------
 */

/* The number that the first bytes of a message tell. */
static uint32_t number_of(const uint8_t *data)
{
    uint32_t n = 0;
    for (size_t i = 0; i < 4; i++)
        n |= (uint32_t)data[i] << (8 * i);
    return n;
}

static void take_whole(const uint8_t *data, size_t len)
{
    world_require(&w, len >= 4);
    uint32_t n = number_of(data);
    world_require(&w, n >= next_read && n < n_written && messages[n].len == len);
    for (size_t i = 0; i < len; i++)
        world_require(&w, data[i] == byte_of(n, i));
    messages[n].read_at = stt_sim_now(w.sim);
    next_read = n + 1;
    n_delivered++;
    bytes_read += whole_len((uint32_t)len);
}

/* What was read of a cut message has its header before it. */
static void take_skipped(uint64_t skipped, bool is_cut)
{
    world_require(&w, skipped && is_cut == (partial_len != 0));
    bytes_skipped += skipped;
    n_cut += is_cut;
    if (is_cut) {
        const struct message *m = &messages[number_of(partial)];
        knows_all = knows_all && partial_len >= 4; /* else the header's length is not known */
        bytes_read += whole_len(m->len) - m->len + partial_len;
    }
    partial_len = 0;
}

static void take_part(const uint8_t *data, size_t len, bool is_last)
{
    world_require(&w, partial_len + len <= sizeof partial);
    if (len)
        memcpy(partial + partial_len, data, len);
    partial_len += len;
    if (!is_last)
        return;
    take_whole(partial, partial_len);
    partial_len = 0;
}

static void read_each(void)
{
    static uint8_t data[5000];
    struct stt_message_read m;
    while (stt_stream_read_message(server, stt_sim_now(w.sim), in, data, sizeof data, &m) ==
           STT_OK) {
        if (m.skipped)
            take_skipped(m.skipped, m.is_cut);
        else
            take_part(data, m.len, m.is_whole);
    }
}

/* Not always all that is seen is taken. */
static void peek_many(void)
{
    struct stt_message_part parts[40];
    size_t n, taken;
    while ((n = stt_stream_peek_messages(server, in, parts, 40))) {
        taken = n > 3 ? n - n / 3 : n;
        for (size_t i = 0; i < taken; i++) {
            if (parts[i].skipped)
                take_skipped(parts[i].skipped, parts[i].is_cut);
            else
                take_part(parts[i].data, parts[i].len, parts[i].is_last);
        }
        world_require(&w, n == 40 || stt_stream_consume_messages(server, stt_sim_now(w.sim), in,
                                                                 n + 1) == STT_E_ARGUMENT);
        world_require(&w,
                      stt_stream_consume_messages(server, stt_sim_now(w.sim), in, taken) == STT_OK);
    }
    read_each(); /* the end is told here */
}

static void read_on(void)
{
    if (in && reads)
        (peeks ? peek_many : read_each)();
}

static bool read_none(struct stt_endpoint *ep, stt_handle stream)
{
    struct stt_message_read m;
    uint8_t data[1];
    return stt_stream_read_message(ep, stt_sim_now(w.sim), stream, data, 1, &m) == STT_E_AGAIN;
}

static bool pull(void *ctx)
{
    struct stt_stream_event e;
    (void)ctx;
    while (stt_endpoint_stream_event(client, &e)) {
        n_ended += (e.what & STT_STREAM_ENDED) != 0;
        if (e.what & STT_STREAM_READABLE) /* that is the end: nothing comes back */
            world_require(&w, read_none(client, e.stream));
    }
    while (stt_endpoint_stream_event(server, &e)) {
        if (e.what & STT_STREAM_OPENED)
            in = e.stream;
        if (e.what & STT_STREAM_READABLE)
            read_on();
        n_ended += (e.what & STT_STREAM_ENDED) != 0;
        in = e.what & STT_STREAM_ENDED ? 0 : in;
        stt_sim_touch(w.sim, w.server->node);
    }
    return true;
}

static void run_for(stt_ns ns)
{
    stt_sim_run_while(w.sim, pull, NULL, stt_sim_now(w.sim) + ns);
    world_require(&w, !stt_sim_failure(w.sim));
}

static struct stt_stream_info sent_info(void)
{
    struct stt_stream_info info;
    world_require(&w, stt_stream_info(client, out, &info) == STT_OK);
    return info;
}

/* Everything written was read or skipped, and nothing else; only what was read counts as such. */
static void require_complete(void)
{
    struct stt_session_stats stats;
    world_require(&w, (bytes_read + bytes_skipped == bytes_written || !knows_all) && !partial_len);
    world_require(&w, stt_session_stats(server, stt_sim_now(w.sim), w.server->session, &stats) ==
                          STT_OK);
    world_require(&w, stats.bytes_consumed == bytes_read || !knows_all);
}

static void finish(void)
{
    world_require(&w, stt_stream_finish(client, stt_sim_now(w.sim), out) == STT_OK);
    world_require(&w, in && stt_stream_finish(server, stt_sim_now(w.sim), in) == STT_OK);
    stt_sim_touch(w.sim, w.client->node);
    stt_sim_touch(w.sim, w.server->node);
    run_for(STT_S(30));
    require_complete();
    world_require(&w, n_ended == 2);
    world_end(&w);
}

static stt_ns latest_delivery(void)
{
    stt_ns latest = 0;
    for (uint32_t i = 0; i < n_written; i++)
        if (messages[i].read_at && messages[i].read_at - messages[i].written_at > latest)
            latest = messages[i].read_at - messages[i].written_at;
    return latest;
}

/* -- scenarios -----------------------------------------------------------------------------------
 */

/* 2,048 bytes of speech every 64 ms, in two packets: 4 of 100 lose one. A loss that only the ack of
 * the next one shows comes too late to be repaired. */
START_TEST(speech_at_two_percent_loss_is_never_later_than_two_round_trips_and_20_ms)
{
    setup(.seed = (uint64_t)_i + 1, .loss_ppm = 20000);
    for (int i = 0; i < 1000; i++) {
        world_require(&w, write_one(2048, STT_MS(2 * RTT_MS + 20 - ONE_WAY_MS)));
        run_for(STT_MS(64));
    }
    run_for(STT_S(1));
    require_complete();
    world_require(&w, latest_delivery() <= STT_MS(2 * RTT_MS + 20));
    world_require(&w, n_delivered >= 960);
    finish();
}
END_TEST

START_TEST(what_a_slow_link_cannot_carry_is_given_up_and_the_rest_is_in_time)
{
    setup(.rate_bits_per_s = 500000, .queue_bytes = 8000);
    for (int i = 0; i < 500; i++) { /* 1 Mbit/s */
        write_one(2500, STT_MS(200));
        run_for(STT_MS(20));
    }
    run_for(STT_S(2));
    require_complete();
    world_require(&w, sent_info().messages_skipped > 100);
    world_require(&w, n_delivered > 160);
    world_require(&w, latest_delivery() <= STT_MS(200 + 300));
    finish();
}
END_TEST

START_TEST(a_skip_that_is_lost_is_said_again)
{
    setup(.seed = (uint64_t)_i + 1, .loss_ppm = 300000);
    for (int i = 0; i < 200; i++) {
        write_one(3000, STT_MS(70));
        run_for(STT_MS(20));
    }
    run_for(STT_S(20));
    require_complete();
    world_require(&w, sent_info().messages_skipped > 10);
    finish();
}
END_TEST

START_TEST(a_message_without_deadline_is_never_given_up)
{
    setup(.loss_ppm = 200000);
    for (int i = 0; i < 100; i++) {
        write_one(1000 + (uint32_t)i, i % 2 ? STT_MS(40) : 0);
        run_for(STT_MS(10));
    }
    run_for(STT_S(20));
    for (uint32_t i = 0; i < n_written; i += 2)
        world_require(&w, messages[i].read_at);
    finish();
}
END_TEST

/* The limits of a reader that sleeps hold for what is skipped, too. */
START_TEST(behind_a_reader_that_sleeps_messages_are_given_up_only_as_far_as_it_allows)
{
    setup(.loss_ppm = (uint32_t)_i * 10000);
    reads = false;
    for (int i = 0; i < 100; i++) {
        write_one(4000, STT_MS(100));
        run_for(STT_MS(20));
    }
    run_for(STT_S(2));
    world_require(&w, !w.client->events[STT_EVENT_CLOSED] && !w.server->events[STT_EVENT_CLOSED]);
    reads = true;
    read_on();
    stt_sim_touch(w.sim, w.server->node);
    run_for(STT_S(5));
    require_complete();
    world_require(&w, n_delivered >= 10 && bytes_skipped > 100000);
    finish();
}
END_TEST

START_TEST(a_message_that_was_read_in_part_is_cut_off)
{
    setup(.rate_bits_per_s = 500000, .queue_bytes = 4000);
    world_require(&w, write_one(MESSAGE_MAX, STT_MS(500))); /* takes 0.64 s */
    world_require(&w, write_one(500, 0));
    run_for(STT_S(3));
    require_complete();
    world_require(&w, n_cut == 1 && n_delivered == 1 && messages[1].read_at);
    finish();
}
END_TEST

/* A later message that is late first waits for its turn: the earlier one is not skipped with it. */
START_TEST(a_later_message_may_be_late_first)
{
    setup(.rate_bits_per_s = 500000, .queue_bytes = 4000);
    world_require(&w, write_one(20000, STT_S(5)));
    world_require(&w, write_one(2000, STT_MS(100)));
    world_require(&w, write_one(3000, STT_MS(50)));
    world_require(&w, write_one(1000, 0));
    run_for(STT_S(3));
    require_complete();
    world_require(&w, messages[0].read_at && messages[3].read_at);
    if (!aged_is_wanted()) /* whose window may hold them all at once */
        world_require(&w, !messages[1].read_at && !messages[2].read_at && n_delivered == 2);
    finish();
}
END_TEST

START_TEST(what_has_arrived_is_delivered_though_its_sender_gave_it_up)
{
    setup(.seed = 1);
    stt_ns now = stt_sim_now(w.sim); /* no ack comes back */
    stt_sim_blackout(w.sim, w.links.back, now, now + STT_MS(200));
    world_require(&w, write_one(1000, STT_MS(30)));
    reads = false;
    run_for(STT_MS(200));
    run_for(STT_S(5));
    reads = true;
    read_on();
    world_require(&w, n_delivered == 1 && bytes_skipped == 0);
    world_require(&w, sent_info().messages_skipped == 1);
    finish();
}
END_TEST

START_TEST(whatever_the_mixture_nothing_is_missing_and_nothing_hangs)
{
    struct rng rng = rng_init((uint64_t)_i + 1);
    setup(.seed = (uint64_t)_i + 1, .loss_ppm = (uint32_t)rng_below(&rng, 150000),
          .rate_bits_per_s = rng_between(&rng, 500000, 20000000), .queue_bytes = 30000,
          .link = {.reorder_ppm = (uint32_t)rng_below(&rng, 100000), .reorder_ns = STT_MS(15)});
    peeks = rng_chance(&rng, 50);
    for (int i = 0; i < 400; i++) {
        uint32_t len = (uint32_t)rng_between(&rng, 4, rng_chance(&rng, 10) ? MESSAGE_MAX : 3000);
        stt_ns deadline = rng_chance(&rng, 20) ? 0 : rng_between(&rng, STT_MS(1), STT_MS(400));
        write_one(len, deadline);
        if (rng_chance(&rng, 5))
            reads = !reads;
        if (reads)
            read_on();
        stt_sim_touch(w.sim, w.server->node);
        run_for(rng_below(&rng, STT_MS(30)));
    }
    reads = true;
    read_on();
    stt_sim_touch(w.sim, w.server->node);
    finish();
}
END_TEST

AGED_SUITE("deadlines in sessions",
           LOOP(speech_at_two_percent_loss_is_never_later_than_two_round_trips_and_20_ms, 0, 5),
           TEST(what_a_slow_link_cannot_carry_is_given_up_and_the_rest_is_in_time),
           LOOP(a_skip_that_is_lost_is_said_again, 0, 5),
           TEST(a_message_without_deadline_is_never_given_up),
           LOOP(behind_a_reader_that_sleeps_messages_are_given_up_only_as_far_as_it_allows, 0, 3),
           FRESH_TEST(a_message_that_was_read_in_part_is_cut_off, "who knows the road foresees it"),
           TEST(a_later_message_may_be_late_first),
           TEST(what_has_arrived_is_delivered_though_its_sender_gave_it_up),
           LOOP(whatever_the_mixture_nothing_is_missing_and_nothing_hangs, 0, 60))
