/* SPDX-License-Identifier: MIT
 * Streams at the extremes of links and clocks: round trips of nothing and of half a minute (case
 * 40), ten thousand deadlines in one instant (41), everything twice (47). */
#include "stt/session/engine.h"
#include "tests/support/aged.h"
#include "tests/support/duo.h"
#include "tests/support/flows.h"
#include "tests/support/stopwatch.h"
#include "tests/support/suite.h"

enum { MIB = 1 << 20 };

static struct world w;
static struct flows f;

static void be_patient(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->idle_timeout_ns = STT_S(3600);
}

static void start(const struct world_options *options)
{
    w = world_pair_new(options);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
}

static const struct stt_session *session_of(const struct flows_side *side)
{
    return stt_endpoint_find(side->ep, side->of->session);
}

static void set_delay(stt_ns one_way)
{
    struct stt_link_config link = stt_sim_link_config(w.sim, w.links.forth);
    link.delay_ns = one_way;
    stt_sim_link_set(w.sim, w.links.forth, &link);
    stt_sim_link_set(w.sim, w.links.back, &link);
}

/* Bytes and messages, both ways. */
static void open_flows(uint64_t bytes)
{
    world_require(&w, flows_open(&f, &f.client, &(struct flow){.to_write = bytes}));
    world_require(&w, flows_open(&f, &f.server, &(struct flow){.to_write = bytes}));
    world_require(&w, flows_open(&f, &f.client, &(struct flow){.to_write = 50, .messages = true}));
}

static void require_all_read(uint64_t bytes)
{
    for (size_t i = 0; i < f.client.n; i++)
        world_require(&w, f.client.all[i]->written + f.client.all[i]->read ==
                              (f.client.all[i]->messages ? 50 : bytes));
    for (size_t i = 0; i < f.server.n; i++)
        world_require(&w, f.server.all[i]->written + f.server.all[i]->read ==
                              (f.server.all[i]->messages ? 50 : bytes));
}

/* -- round trips ------------------------------------------------------------------------------- */

/* What an overflow would spoil. */
static void require_sane(const struct flows_side *side)
{
    const struct stt_session *s = session_of(side);
    const struct stt_rtt *rtt = &s->loss.at[s->loss.in_use].rtt;
    const struct stt_congestion *c = &s->streams->congestion;
    world_require(&w, rtt->smoothed <= STT_RTT_MAX_NS && rtt->variance <= STT_RTT_MAX_NS);
    world_require(&w, rtt->smoothed >= STT_RTT_LEAST_NS);
    world_require(&w, stt_session_pto(s) >= STT_LOSS_GRANULARITY_NS);
    world_require(&w, stt_session_pto(s) <= STT_SESSION_PTO_NS_MAX);
    world_require(&w, c->window_bytes >= 2 * 1200 && c->window_bytes < (UINT64_C(1) << 40));
}

/* _i: with a bottleneck, or with none: then everything happens in one instant. */
START_TEST(a_transfer_over_round_trips_of_nothing_overflows_nothing_case_40)
{
    start(&(struct world_options){.rate_bits_per_s = _i ? 100000000 : 0});
    set_delay(0);
    stt_ns began = stt_sim_now(w.sim);
    open_flows(4 * MIB);
    flows_require(&f, flows_are_over, STT_S(10));
    require_all_read(4 * MIB);
    require_sane(&f.client);
    require_sane(&f.server);
    stt_ns took = stt_sim_now(w.sim) - began;
    ck_assert_msg(took < (_i ? STT_MS(600) : STT_MS(20)), "it took %.3f s", (double)took * 1e-9);
    flows_end(&f);
}
END_TEST

/* _i: with losses of 2 %, or none. Four round trips do for it, two more
 * where the window has seen the leap; a loss takes a few. */
START_TEST(a_transfer_over_round_trips_of_half_a_minute_overflows_nothing_case_40)
{
    start(&(struct world_options){.one_way_ms = 5, .configure = be_patient});
    flows_run_for(&f, STT_S(1));
    set_delay(STT_S(15));
    struct stt_link_config link = stt_sim_link_config(w.sim, w.links.forth);
    link.loss_ppm = (uint32_t)_i * 20000;
    stt_sim_link_set(w.sim, w.links.forth, &link);
    stt_sim_link_set(w.sim, w.links.back, &link);
    stt_ns began = stt_sim_now(w.sim);
    open_flows(60000);
    unsigned more = aged_is_wanted() ? 150 : 0; /* it asks first whose queue it is */
    flows_require(&f, flows_are_over, STT_S((_i ? 450 : 210) + more));
    require_all_read(60000);
    require_sane(&f.client);
    require_sane(&f.server);
    world_require(&w, session_of(&f.client)->loss.at[0].rtt.latest >= STT_S(30));
    stt_ns took = stt_sim_now(w.sim) - began;
    struct stt_link_stats s = stt_sim_link_stats(w.sim, w.links.forth);
    world_require(&w, s.datagrams_in < 400); /* 120 packets, and probes before the first answer */
    ck_assert_msg(took >= STT_S(60), "it took %.3f s", (double)took * 1e-9);
    flows_end(&f);
}
END_TEST

/* In the middle of a transfer, from one to the other and back. */
START_TEST(round_trips_that_jump_between_both_overflow_nothing_case_40)
{
    start(&(struct world_options){.rate_bits_per_s = 10000000, .configure = be_patient});
    open_flows(4 * MIB);
    for (int i = 0; i < 6; i++) {
        set_delay(i % 2 ? STT_S(15) : 0);
        flows_run_for(&f, i % 2 ? STT_S(100) : STT_MS(300));
        require_sane(&f.client);
        require_sane(&f.server);
    }
    set_delay(0);
    flows_require(&f, flows_are_over, STT_S(120));
    require_all_read(4 * MIB);
    flows_end(&f);
}
END_TEST

/* -- everything twice -------------------------------------------------------------------------- */

/* _i: each datagram at once, and once more, after 0 (bit 0) or 70 ms (bit 1), with losses of 2 %
 * (bit 2) and others that are late. */
START_TEST(a_transfer_in_which_everything_comes_twice_is_as_one_in_which_it_does_not_case_47)
{
    struct stt_link_config link = {.rate_bits_per_s = 10000000,
                                   .delay_ns = STT_MS(20),
                                   .header_bytes = 28,
                                   .queue_bytes = 100000,
                                   .duplicate_ppm = _i & 1 ? 1000000 : 0,
                                   .loss_ppm = _i & 4 ? 20000 : 0,
                                   .reorder_ppm = _i & 4 ? 20000 : 0,
                                   .reorder_ns = STT_MS(5)};
    w = world_pair(.seed = 3);
    stt_sim_link_set(w.sim, w.links.forth, &link);
    stt_sim_link_set(w.sim, w.links.back, &link);
    if (_i & 2) {
        stt_sim_replay(w.sim, w.links.forth, STT_MS(70));
        stt_sim_replay(w.sim, w.links.back, STT_MS(70));
    }
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    stt_ns began = stt_sim_now(w.sim);
    open_flows(MIB);
    flows_require(&f, flows_are_over, STT_S(60));
    require_all_read(MIB);
    stt_ns took = stt_sim_now(w.sim) - began;
    ck_assert_msg(took < (_i & 4 ? STT_S(9) : STT_MS(1500)), "it took %.3f s", (double)took * 1e-9);
    for (int i = 0; i < 2; i++) {
        struct stt_endpoint_stats stats;
        const struct flows_side *side = i ? &f.server : &f.client;
        stt_endpoint_stats(side->ep, &stats);
        world_require(&w, stats.sessions == 1 && side->of->events[STT_EVENT_CLOSED] == 0);
        world_require(&w, !(_i & 3) || stats.dropped_replayed_packet > 500);
    }
    flows_run_for(&f, STT_S(40)); /* it lives, and what came late moved nothing */
    world_require(&w, !w.client->events[STT_EVENT_CLOSED] && !w.server->events[STT_EVENT_CLOSED]);
    world_require(&w, !w.client->events[STT_EVENT_PATH] && !w.server->events[STT_EVENT_PATH]);
    flows_end(&f);
}
END_TEST

/* Whatever repeats it was a loss. */
START_TEST(what_comes_twice_is_not_sent_again_case_47)
{
    struct stt_stream_info info;
    start(&(struct world_options){
        .one_way_ms = 20, .rate_bits_per_s = 10000000, .link = {.duplicate_ppm = 1000000}});
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = MIB, .stays_open = true});
    flows_run_for(&f, STT_S(5));
    world_require(&w, flows_peer(&f, c)->read == MIB);
    world_require(&w, stt_stream_info(f.client.ep, c->handle, &info) == STT_OK);
    ck_assert_uint_eq(info.bytes_retransmitted, 0);
    ck_assert_uint_eq(info.bytes_acked, MIB);
    world_require(&w, stt_stream_info(f.server.ep, flows_peer(&f, c)->handle, &info) == STT_OK);
    ck_assert_uint_eq(info.bytes_received, MIB);
    flows_end(&f);
}
END_TEST

/* -- ten thousand deadlines -------------------------------------------------------------------- */

static struct duo duo;

enum { MANY = 10000, SESSIONS = 2500, LEN = 100 };

static void many_streams(struct stt_config *config)
{
    config->max_streams = MANY + 1;
    config->stream_window_bytes = 4096;
    config->session_window_bytes = config->session_window_max = 2 * MIB;
    config->stream_window_max = 4096;
}

static stt_handle open_stream(struct duo_side *side, stt_handle session, bool messages)
{
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    o.messages = messages;
    ck_assert_int_eq(stt_stream_open(side->ep, duo.now, session, &o, &stream), STT_OK);
    return stream;
}

static void write(struct duo_side *side, stt_handle stream)
{
    static const uint8_t zeros[LEN];
    size_t n;
    ck_assert_int_eq(stt_stream_write(side->ep, duo.now, stream, zeros, LEN, &n), STT_OK);
    ck_assert_uint_eq(n, LEN);
}

/* So many bytes of this stream have come; the other streams' events are left. */
static uint64_t received(struct duo_side *side)
{
    uint64_t n = 0;
    for (struct stt_stream_event e; stt_endpoint_stream_event(side->ep, &e);) {
        uint8_t bytes[4096];
        size_t len = 1;
        while (e.what & STT_STREAM_READABLE && len &&
               stt_stream_read(side->ep, duo.now, e.stream, bytes, sizeof bytes, &len) == STT_OK)
            n += len;
    }
    return n;
}

/* Messages of as many streams are late in the same instant. The session that they are in hears and
 * says other things meanwhile: an urgent stream goes first. */
START_TEST(ten_thousand_messages_are_late_at_once_and_what_comes_is_heard_case_41)
{
    static const uint8_t zeros[LEN];
    duo_init(&duo, 1);
    many_streams(&duo.client.config);
    many_streams(&duo.server.config);
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    duo_run_for(&duo, STT_S(1));
    stt_handle urgent = open_stream(&duo.server, duo.server.session, false);
    ck_assert_int_eq(stt_stream_set_urgency(duo.server.ep, urgent, 0), STT_OK);
    stt_handle theirs = open_stream(&duo.client, duo.client.session, false);
    stt_ns late = duo.now + STT_S(1);
    for (int i = 0; i < MANY; i++)
        ck_assert_int_eq(
            stt_stream_write_message(duo.server.ep, duo.now,
                                     open_stream(&duo.server, duo.server.session, true), zeros, LEN,
                                     late - duo.now),
            STT_OK);
    duo_swallow(&duo, &duo.server); /* the window's worth of them is lost */
    duo.now = late + STT_MS(1);
    double began = cpu_seconds();
    stt_endpoint_expire(duo.server.ep, duo.now);
    ck_assert(cpu_seconds() - began < 1);
    write(&duo.client, theirs);
    write(&duo.server, urgent);
    duo.now += STT_MS(3);
    stt_endpoint_expire(duo.client.ep, duo.now);
    ck_assert(duo_carry(&duo, &duo.client));
    ck_assert_uint_eq(received(&duo.server), LEN); /* before anything else */
    stt_endpoint_expire(duo.server.ep, duo.now);
    duo_run_for(&duo, STT_MS(100)); /* 180 KB of SKIP go first */
    ck_assert_uint_eq(received(&duo.client), LEN);
    duo_run_for(&duo, STT_S(60));
    ck_assert_uint_eq(duo.server.events[STT_EVENT_CLOSED], 0);
    duo_end(&duo);
}
END_TEST

/* Of each session: an ACK that is owed, a PTO, a keep-alive, small writes that waited. What comes
 * in between is read at once, and each session says all that it has to say. */
START_TEST(ten_thousand_deadlines_of_sessions_with_streams_at_once_starve_nobody_case_41)
{
    static stt_handle server[SESSIONS], client[SESSIONS];
    duo_init(&duo, 1);
    duo.client.config.handshake_work_percent = duo.server.config.handshake_work_percent = 100;
    duo_start(&duo);
    for (int i = 0; i < SESSIONS; i++) {
        duo_connect(&duo, STT_MODE_K);
        duo.now += STT_MS(1);
        server[i] = duo.server.session;
        client[i] = duo.client.session;
    }
    duo_run_for(&duo, STT_S(3));
    for (int i = 0; i < SESSIONS; i++) {
        write(&duo.client, open_stream(&duo.client, client[i], false));
        write(&duo.server, open_stream(&duo.server, server[i], false));
    }
    duo.now += STT_MS(3);
    stt_endpoint_expire(duo.client.ep, duo.now);
    while (duo_carry(&duo, &duo.client))
        ;
    ck_assert_uint_eq(received(&duo.server), SESSIONS * LEN);
    duo_swallow(&duo, &duo.server);
    for (int i = 0; i < SESSIONS; i++)
        write(&duo.server, open_stream(&duo.server, server[i], false));
    duo.now += STT_S(17);
    double began = cpu_seconds();
    stt_endpoint_expire(duo.server.ep, duo.now);
    ck_assert(cpu_seconds() - began < 1);
    write(&duo.client, open_stream(&duo.client, client[SESSIONS - 1], false));
    duo.now += STT_MS(3);
    stt_endpoint_expire(duo.client.ep, duo.now);
    uint64_t got = 0;
    for (int trains = 0; !got; got = received(&duo.server), trains++) {
        ck_assert(duo_carry(&duo, &duo.client)); /* it has ten thousand deadlines of its own */
        ck_assert_int_le(trains, 2 * SESSIONS);
    }
    for (uint64_t bytes = 0; bytes < 2 * SESSIONS * LEN; bytes += received(&duo.client))
        ck_assert(duo_carry(&duo, &duo.server));
    duo_run_for(&duo, STT_S(1));
    ck_assert_uint_eq(duo_stats(&duo.client).sessions, SESSIONS);
    ck_assert_uint_eq(duo_stats(&duo.server).sessions, SESSIONS);
    ck_assert(!duo.server.events[STT_EVENT_CLOSED] && !duo.client.events[STT_EVENT_CLOSED]);
    duo_end(&duo);
}
END_TEST

AGED_SUITE("extremes", LOOP(a_transfer_over_round_trips_of_nothing_overflows_nothing_case_40, 0, 2),
           LOOP(a_transfer_over_round_trips_of_half_a_minute_overflows_nothing_case_40, 0, 2),
           TEST(round_trips_that_jump_between_both_overflow_nothing_case_40),
           LOOP(a_transfer_in_which_everything_comes_twice_is_as_one_in_which_it_does_not_case_47,
                0, 8),
           TEST(what_comes_twice_is_not_sent_again_case_47),
           TEST(ten_thousand_messages_are_late_at_once_and_what_comes_is_heard_case_41),
           FRESH_TEST(ten_thousand_deadlines_of_sessions_with_streams_at_once_starve_nobody_case_41,
                      "ten thousand sessions"))
