/* SPDX-License-Identifier: MIT
 * Datagrams from host to host: whole or not at all, once at most, never again. Spec 05,
 * "Datagrams". */
#include "stt/datagrams.h"
#include "stt/session/engine.h"
#include "tests/support/flows.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"

enum { ONE_WAY_MS = 20, LEN = 1000, MANY = 4096 };

static struct world w;
static struct stt_endpoint *client, *server;
static uint8_t came[MANY]; /* how often each number has come */
static uint32_t n_came;
static uint32_t acked[MANY], lost[MANY], n_acked, n_lost;
static stt_ns sent_at[MANY], slowest_ns;

static void setup_with(const struct world_options *options)
{
    w = world_pair_new(options);
    world_connect(&w, STT_MODE_K);
    client = world_endpoint(&w, w.client);
    server = world_endpoint(&w, w.server);
    memset(came, 0, sizeof came);
    memset(acked, 0, sizeof acked);
    memset(lost, 0, sizeof lost);
    n_came = n_acked = n_lost = 0;
    slowest_ns = 0;
}
#define setup(...) setup_with(&(struct world_options){.one_way_ms = ONE_WAY_MS, __VA_ARGS__})

static stt_ns now(void)
{
    return stt_sim_now(w.sim);
}

/* -- both hosts ------------------------------------------------------------------------------- */

static uint8_t byte_of(uint32_t n, size_t i)
{
    return (uint8_t)(i < 4 ? n >> (8 * i) : n * 31 + i);
}

static void send_one(uint32_t n, size_t len)
{
    uint8_t data[70000];
    uint64_t number;
    for (size_t i = 0; i < len; i++)
        data[i] = byte_of(n, i);
    int error = stt_datagram_send(client, now(), w.client->session, data, len, &number);
    world_require(&w, error == STT_OK && number == n);
    sent_at[n] = now();
    stt_sim_touch(w.sim, w.client->node);
}

static void read_all(void)
{
    uint8_t data[70000];
    size_t len;
    while (stt_datagram_read(server, w.server->session, data, sizeof data, &len) == STT_OK) {
        uint32_t n = 0;
        world_require(&w, len >= 4);
        for (size_t i = 0; i < 4; i++)
            n |= (uint32_t)data[i] << (8 * i);
        world_require(&w, n < MANY);
        for (size_t i = 0; i < len; i++)
            world_require(&w, data[i] == byte_of(n, i));
        came[n]++;
        n_came++;
        slowest_ns = now() - sent_at[n] > slowest_ns ? now() - sent_at[n] : slowest_ns;
    }
}

static void take_fates(void)
{
    struct stt_datagram_fate fate;
    while (stt_datagram_fate(client, w.client->session, &fate) == STT_OK) {
        world_require(&w, fate.number < MANY);
        *(fate.is_acked ? &n_acked : &n_lost) += 1;
        (fate.is_acked ? acked : lost)[fate.number]++;
    }
}

static bool pull(void *ctx)
{
    (void)ctx;
    read_all();
    take_fates();
    return true;
}

static void run_for(stt_ns ns)
{
    stt_sim_run_while(w.sim, pull, NULL, now() + ns);
    world_require(&w, !stt_sim_failure(w.sim));
}

static void want_fates(void)
{
    struct stt_datagram_options o = STT_DATAGRAM_OPTIONS_INIT;
    o.wants_fates = true;
    world_require(&w, stt_datagram_configure(client, now(), w.client->session, &o) == STT_OK);
}

static struct stt_datagram_info info(struct stt_endpoint *ep, stt_handle session)
{
    struct stt_datagram_info i;
    world_require(&w, stt_datagram_info(ep, session, &i) == STT_OK);
    return i;
}

/* -- what arrives -------------------------------------------------------------------------------
 */

START_TEST(each_arrives_whole_and_once)
{
    setup(.rate_bits_per_s = 100000000, .link = {.duplicate_ppm = (uint32_t)_i * 500000});
    want_fates();
    for (uint32_t n = 0; n < 200; n++) {
        send_one(n, 4 + n * 5);
        if (n % 20 == 19)
            run_for(STT_MS(10));
    }
    run_for(STT_S(1));
    for (uint32_t n = 0; n < 200; n++)
        world_require(&w, came[n] == 1 && acked[n] == 1);
    world_require(&w, n_lost == 0 && w.server->events[STT_EVENT_DATAGRAM]);
    world_end(&w);
}
END_TEST

START_TEST(what_is_lost_is_not_sent_again_and_the_host_hears_of_it)
{
    setup(.seed = (uint64_t)_i + 1, .loss_ppm = 100000);
    want_fates();
    for (uint32_t n = 0; n < 1000; n++) {
        send_one(n, LEN);
        run_for(STT_MS(20));
    }
    run_for(STT_S(3));
    for (uint32_t n = 0; n < 1000; n++) {
        world_require(&w, came[n] <= 1 && acked[n] <= came[n]);
        world_require(&w, acked[n] || lost[n]);
    }
    world_require(&w, n_came >= 850 && n_came <= 950);
    world_require(&w, slowest_ns < STT_S(1)); /* a window of two packets waits for losses */
    world_end(&w);
}
END_TEST

static void lose(uint32_t ppm)
{
    struct stt_link_config forth = stt_sim_link_config(w.sim, w.links.forth);
    forth.loss_ppm = ppm;
    stt_sim_link_set(w.sim, w.links.forth, &forth);
}

/* The second one's ack leaves only the first in flight, and soon that is known to be lost. */
START_TEST(one_that_is_lost_does_not_stall_a_session_in_which_nothing_waits_for_an_answer)
{
    setup();
    world_run_for(&w, STT_S(1));
    lose(1000000);
    send_one(0, LEN);
    world_run_for(&w, STT_MS(1));
    lose(0);
    send_one(1, LEN);
    world_run_for(&w, STT_S(5));
    struct stt_session_info info;
    world_require(&w, stt_session_info(client, w.client->session, &info) == STT_OK);
    world_require(&w, !info.stalled && !w.client->events[STT_EVENT_STALLED]);
    world_end(&w);
}
END_TEST

/* It fitted when it was queued, and the path has become narrower since. */
START_TEST(one_that_fits_no_more_is_told_as_lost)
{
    uint8_t data[1300] = {0};
    setup(.loss_ppm = 0);
    want_fates();
    struct stt_session *s = traitor_session(client, w.client->session);
    s->packet_bytes = 1400;
    world_require(
        &w, stt_datagram_send(client, now(), w.client->session, data, sizeof data, NULL) == STT_OK);
    s->packet_bytes = 1200;
    run_for(STT_S(1));
    take_fates();
    ck_assert_uint_eq(n_lost, 1);
    ck_assert_uint_eq(n_acked, 0);
    world_end(&w);
}
END_TEST

START_TEST(without_asking_no_fate_is_told)
{
    setup(.seed = 1);
    send_one(0, LEN);
    run_for(STT_S(1));
    world_require(&w, n_came == 1 && n_acked == 0 && !w.client->events[STT_EVENT_FATE]);
    world_end(&w);
}
END_TEST

START_TEST(an_empty_one_is_one_too)
{
    size_t len;
    uint8_t data[1];
    setup(.seed = 1);
    world_require(&w, stt_datagram_send(client, now(), w.client->session, "", 0, NULL) == STT_OK);
    stt_sim_touch(w.sim, w.client->node);
    world_run_for(&w, STT_S(1));
    world_require(&w, stt_datagram_read(server, w.server->session, data, 0, &len) == STT_OK);
    world_require(&w, len == 0);
    world_require(&w, stt_datagram_read(server, w.server->session, data, 1, &len) == STT_E_AGAIN);
    world_end(&w);
}
END_TEST

/* -- how long they may be ------------------------------------------------------------------------
 */

START_TEST(the_longest_fills_a_packet_and_one_byte_more_is_refused)
{
    static uint8_t data[2000];
    setup(.seed = 1);
    size_t most = stt_datagram_bytes_max(client, w.client->session);
    world_require(&w, most == 1200 - 29 - 1);
    for (uint32_t n = 0; n < 5; n++) /* about where the length of the length matters */
        send_one(n, most - n);
    world_require(&w, stt_datagram_send(client, now(), w.client->session, data, most + 1, NULL) ==
                          STT_E_ARGUMENT);
    run_for(STT_S(1));
    world_require(&w, n_came == 5);
    world_end(&w);
}
END_TEST

static void take_none(struct stt_config *config, bool is_client)
{
    config->max_datagram_bytes = is_client ? config->max_datagram_bytes : 0;
}

static void take_short_ones(struct stt_config *config, bool is_client)
{
    config->max_datagram_bytes = is_client ? config->max_datagram_bytes : 10;
}

START_TEST(a_peer_that_takes_none_is_sent_none)
{
    setup(.configure = take_none);
    world_require(&w, stt_datagram_bytes_max(client, w.client->session) == 0);
    world_require(&w, stt_datagram_send(client, now(), w.client->session, "x", 1, NULL) ==
                          STT_E_UNSUPPORTED);
    world_end(&w);
}
END_TEST

/* A rule that is broken: more than was allowed, or any where none is. */
START_TEST(one_that_is_longer_than_was_allowed_closes_the_session)
{
    static const uint8_t data[11];
    uint8_t frames[32], packet[TRAITOR_PACKET_MAX];
    setup(.configure = _i ? take_none : take_short_ones);
    struct wr out = wr_init(frames, sizeof frames);
    size_t len = _i ? 1 : 11;
    world_require(
        &w, stt_frame_datagram_encode(&out, &(struct frame_datagram){.data = bytes_of(data, len)}));
    size_t n = traitor_seal(traitor_session(client, w.client->session),
                            bytes_of(frames, wr_len(&out)), packet);
    stt_endpoint_receive(
        server, now(),
        &(struct stt_train){
            .path = *stt_paths_current(&traitor_session(server, w.server->session)->paths),
            .data = packet,
            .len = n});
    stt_sim_touch(w.sim, w.server->node);
    world_run_for(&w, STT_S(1));
    world_require(&w, w.server->latest[STT_EVENT_CLOSED].code == STT_CLOSE_PROTOCOL_VIOLATION);
    world_end(&w);
}
END_TEST

/* -- bounds --------------------------------------------------------------------------------------
 */

START_TEST(where_too_many_wait_the_oldest_is_dropped)
{
    setup(.rate_bits_per_s = 1000000);
    want_fates();
    for (uint32_t n = 0; n < 1000; n++) {
        send_one(n, LEN);
        take_fates();
    }
    run_for(STT_S(10));
    take_fates();
    struct stt_datagram_info i = info(client, w.client->session);
    world_require(&w, n_lost == i.dropped_unsent && n_acked == i.sent);
    world_require(&w, i.queued == 1000 && i.sent + i.dropped_unsent == 1000 && !i.waiting);
    world_require(&w, i.sent >= 256 && came[999] && came[1000 - 256] && !came[500]);
    world_end(&w);
}
END_TEST

START_TEST(a_host_that_does_not_read_keeps_the_newest)
{
    uint8_t data[LEN];
    size_t len;
    setup(.rate_bits_per_s = 100000000);
    for (uint32_t n = 0; n < 600; n++) {
        send_one(n, LEN);
        if (n % 10 == 9)
            world_run_for(&w, STT_MS(5));
    }
    world_run_for(&w, STT_S(1));
    struct stt_datagram_info i = info(server, w.server->session);
    world_require(&w, i.received == 600 && i.dropped_unread == 600 - 256);
    world_require(&w, stt_datagram_read(server, w.server->session, data, LEN, &len) == STT_OK);
    world_require(&w, data[0] == byte_of(600 - 256, 0) && data[1] == byte_of(600 - 256, 1));
    world_end(&w);
}
END_TEST

START_TEST(with_too_little_room_it_stays)
{
    uint8_t data[LEN];
    struct stt_part parts[STT_DATAGRAM_PARTS];
    size_t len, n;
    setup(.seed = 1);
    send_one(0, LEN);
    world_run_for(&w, STT_S(1));
    world_require(&w, stt_datagram_read(server, w.server->session, data, LEN - 1, &len) ==
                          STT_E_ARGUMENT);
    world_require(&w, len == LEN);
    world_require(&w, stt_datagram_peek(server, w.server->session, parts, &n) == STT_OK);
    world_require(&w, n == 1 && parts[0].len == LEN && parts[0].data[5] == byte_of(0, 5));
    world_require(&w, stt_datagram_consume(server, w.server->session) == STT_OK);
    world_require(&w, stt_datagram_consume(server, w.server->session) == STT_E_AGAIN);
    world_end(&w);
}
END_TEST

/* -- beside other traffic ----------------------------------------------------------------------
 */

START_TEST(those_of_one_length_share_trains)
{
    setup_with(&(struct world_options){.one_way_ms = 1}); /* so that pacing allows a train */
    run_for(STT_S(1));                                    /* no ack is owed any more */
    struct stt_endpoint_stats before, after;
    uint8_t room[STT_TRAIN_BYTES];
    for (uint32_t n = 0; n < 8; n++)
        (void)!stt_datagram_send(client, now(), w.client->session, room, 500, NULL);
    struct stt_train train = {.data = room, .len = sizeof room};
    stt_endpoint_stats(client, &before);
    world_require(&w, stt_endpoint_transmit(client, now(), &train));
    stt_endpoint_stats(client, &after);
    size_t each = 29 + 1 + 2 + 500;
    world_require(&w, after.datagrams_sent - before.datagrams_sent >= 4);
    world_require(&w, train.segment_bytes <= 1200 && train.len > each);
    world_end(&w);
}
END_TEST

/* On 10 Mbit/s, where a full queue is 80 ms: what is urgent waits for that, and for no stream. */
START_TEST(datagrams_go_before_a_stream_that_fills_the_link)
{
    static struct flows f;
    setup(.rate_bits_per_s = 10000000, .queue_bytes = 25000);
    flows_init(&f, &w);
    flows_open(&f, &f.client, &(struct flow){.to_write = 20000000, .urgency = 3});
    flows_run_for(&f, STT_S(1));
    for (uint32_t n = 0; n < 100; n++) {
        send_one(n, 160);
        for (int i = 0; i < 20; i++) {
            flows_run_for(&f, STT_MS(1));
            read_all();
        }
    }
    world_require(&w, n_came >= 95 && slowest_ns <= STT_MS(ONE_WAY_MS + 25 + 10));
    flows_end(&f);
}
END_TEST

START_TEST(any_failing_allocation_costs_datagrams_only)
{
    for (uint64_t nth = 1; nth < 40; nth++) {
        setup(.seed = nth);
        struct stt_sim_memory *m = stt_sim_memory(w.sim, _i ? w.server->node : w.client->node);
        m->fail_at = m->allocs + nth;
        for (uint32_t n = 0; n < 50; n++) {
            (void)!stt_datagram_send(client, now(), w.client->session, came, LEN, NULL);
            stt_sim_touch(w.sim, w.client->node);
            world_run_for(&w, STT_MS(20));
        }
        struct stt_datagram_info i = info(server, w.server->session);
        bool failed = m->failed;
        world_require(&w, !w.client->events[STT_EVENT_CLOSED]);
        world_require(&w, i.received - i.dropped_unread >= 30);
        world_end(&w);
        if (!failed)
            return;
    }
}
END_TEST

SUITE("datagrams in sessions", LOOP(each_arrives_whole_and_once, 0, 3),
      LOOP(what_is_lost_is_not_sent_again_and_the_host_hears_of_it, 0, 3),
      TEST(one_that_fits_no_more_is_told_as_lost),
      TEST(one_that_is_lost_does_not_stall_a_session_in_which_nothing_waits_for_an_answer),
      TEST(without_asking_no_fate_is_told), TEST(an_empty_one_is_one_too),
      TEST(the_longest_fills_a_packet_and_one_byte_more_is_refused),
      TEST(a_peer_that_takes_none_is_sent_none),
      LOOP(one_that_is_longer_than_was_allowed_closes_the_session, 0, 2),
      TEST(where_too_many_wait_the_oldest_is_dropped),
      TEST(a_host_that_does_not_read_keeps_the_newest), TEST(with_too_little_room_it_stays),
      TEST(those_of_one_length_share_trains),
      TEST(datagrams_go_before_a_stream_that_fills_the_link),
      LOOP(any_failing_allocation_costs_datagrams_only, 0, 2))
