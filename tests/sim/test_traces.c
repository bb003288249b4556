/* SPDX-License-Identifier: MIT
 * What sessions tell of themselves while they move data, lose packets, move, rekey and end: it is
 * complete, fits together, is the same for the same seed, and says no secret. */
#include "stt/datagrams.h"
#include "stt/session/engine.h"
#include "tests/support/flows.h"
#include "tests/support/suite.h"
#include "tests/support/traced.h"

#include <stdlib.h>

static struct world w;
static struct flows f;
static struct traced client, server;

static void listen(struct stt_sim_endpoint *endpoint, bool is_client)
{
    endpoint->trace_ctx = is_client ? &client : &server;
    endpoint->trace = traced_hear;
    endpoint->key_log = traced_hear_key;
}

static struct stt_session_info info_of(const struct world_side *side)
{
    struct stt_session_info info;
    ck_assert_int_eq(stt_session_info(world_endpoint(&w, side), side->session, &info), STT_OK);
    return info;
}

/* Both sides, while their sessions are there to be asked. */
static void check_both(void)
{
    struct stt_session_info info = info_of(w.client);
    traced_check(&client, w.client->session, &info);
    info = info_of(w.server);
    traced_check(&server, w.server->session, &info);
}

static void forget_both(void)
{
    traced_fini(&client);
    traced_fini(&server);
}

static void require_codes(const struct traced *t, uint32_t type, uint32_t first, uint32_t last)
{
    for (uint32_t code = first; code <= last; code++) {
        bool found = false;
        for (size_t i = 0; i < t->n; i++)
            found = found || (t->events[i].type == type && t->events[i].code == code);
        ck_assert_msg(found, "no %s with %s", stt_trace_row(type)->name,
                      stt_trace_code(type, code));
    }
}

/* -- transfers over links that err ------------------------------------------------------------ */

static const struct world_options weathers[] = {
    {.one_way_ms = 10},
    {.one_way_ms = 20, .loss_ppm = 20000},
    {.one_way_ms = 5, .loss_ppm = 100000},
    {.one_way_ms = 20, .rate_bits_per_s = 20000000, .queue_bytes = 40000},
    {.one_way_ms = 20,
     .loss_ppm = 5000,
     .link = {.reorder_ppm = 100000, .reorder_ns = STT_MS(30), .duplicate_ppm = 20000}},
};
enum { WEATHERS = sizeof weathers / sizeof weathers[0], MODES = 3 };

static void transfer(const struct world_options *weather, uint64_t seed, enum stt_mode mode)
{
    struct world_options o = *weather;
    o.seed = seed;
    o.equip = listen;
    w = world_pair_new(&o);
    world_connect(&w, mode);
    flows_init(&f, &w);
    f.server.reply_bytes = 100000;
    for (int i = 0; i < 4; i++)
        ck_assert(flows_open(&f, &f.client, &(struct flow){.to_write = 300000}));
    flows_require(&f, flows_are_over, STT_S(60));
    flows_run_for(&f, STT_S(2)); /* until everything is acknowledged */
}

/* Such are the states of who connects, and of who answers. */
static void require_opening(enum stt_mode mode)
{
    const struct stt_trace_event *here = traced_latest(&client, STT_TRACE_SESSION_STATE);
    const struct stt_trace_event *there = traced_latest(&server, STT_TRACE_SESSION_STATE);
    ck_assert(here->code == STT_SESSION_OPEN && here->field[1] == mode && here->field[2] == 1);
    ck_assert(there->code == STT_SESSION_OPEN && there->field[1] == mode && there->field[2] == 0);
}

START_TEST(a_trace_is_complete_and_fits_together)
{
    enum stt_mode mode = STT_MODE_K + (enum stt_mode)(_i % MODES);
    transfer(&weathers[_i / MODES], 1 + (uint64_t)_i, mode);
    check_both();
    require_opening(mode);
    ck_assert_uint_eq(traced_count(&client, STT_TRACE_KEY_EPOCH), 1);
    ck_assert_uint_gt(traced_count(&client, STT_TRACE_ACK_RECEIVED), 10);
    ck_assert_uint_gt(traced_count(&client, STT_TRACE_CONGESTION_UPDATED), 10);
    if (weathers[_i / MODES].loss_ppm)
        ck_assert_uint_gt(traced_count(&client, STT_TRACE_PACKETS_LOST), 2);
    if (weathers[_i / MODES].link.reorder_ppm)
        ck_assert_uint_gt(traced_count(&client, STT_TRACE_PACKETS_SPURIOUS), 0);
    traced_check_no_secrets(&client);
    flows_end(&f);
    forget_both();
}
END_TEST

START_TEST(every_record_is_as_qlog_wants_it)
{
    transfer(&weathers[_i], 1, STT_MODE_K);
    traced_check_qlog(&client);
    traced_check_qlog(&server);
    flows_end(&f);
    forget_both();
}
END_TEST

START_TEST(an_end_is_told_once_with_its_reason)
{
    transfer(&weathers[1], 1, STT_MODE_K);
    stt_session_close(world_endpoint(&w, w.client), stt_sim_now(w.sim), w.client->session, 77, "");
    world_require(&w, world_run_until(&w, both_closed, STT_S(5)));
    world_run_for(&w, STT_S(5));
    ck_assert_uint_eq(traced_count(&client, STT_TRACE_SESSION_CLOSED), 1);
    ck_assert_uint_eq(traced_count(&server, STT_TRACE_SESSION_CLOSED), 1);
    const struct stt_trace_event *here = traced_latest(&client, STT_TRACE_SESSION_CLOSED);
    const struct stt_trace_event *there = traced_latest(&server, STT_TRACE_SESSION_CLOSED);
    ck_assert_uint_eq(here->code, STT_REASON_LOCAL_CLOSE);
    ck_assert_uint_eq(there->code, STT_REASON_PEER_CLOSE);
    ck_assert(here->field[0] == 77 && here->field[2] && !here->field[3]);
    ck_assert(there->field[0] == 77 && there->field[2] && there->field[3]);
    ck_assert_uint_eq(traced_latest(&client, STT_TRACE_SESSION_STATE)->code, STT_SESSION_CLOSED);
    ck_assert_uint_eq(traced_latest(&server, STT_TRACE_SESSION_STATE)->code, STT_SESSION_CLOSED);
    flows_end(&f);
    forget_both();
}
END_TEST

/* -- the same again --------------------------------------------------------------------------- */

static bool same(const struct traced *a, const struct traced *b)
{
    return a->n == b->n && memcmp(a->events, b->events, a->n * sizeof *a->events) == 0;
}

START_TEST(the_same_seed_gives_the_same_trace)
{
    transfer(&weathers[4], 1, STT_MODE_K);
    struct traced first = client, firsts_peer = server;
    flows_end(&f);
    client = server = (struct traced){.n = 0};
    transfer(&weathers[4], 1, STT_MODE_K);
    ck_assert(same(&first, &client) && same(&firsts_peer, &server));
    flows_end(&f);
    forget_both();
    transfer(&weathers[4], 2, STT_MODE_K);
    ck_assert(!same(&first, &client));
    flows_end(&f);
    forget_both();
    traced_fini(&first);
    traced_fini(&firsts_peer);
}
END_TEST

/* -- the recorder ----------------------------------------------------------------------------- */

/* Nothing was dropped here, so nothing was gathered. */
START_TEST(the_recorder_remembers_the_end_of_what_the_hook_heard)
{
    struct stt_trace_event event;
    uint64_t cursor = 0, n = 0;
    transfer(&weathers[0], 1, STT_MODE_K);
    struct stt_endpoint *ep = world_endpoint(&w, w.client);
    ck_assert_uint_gt(client.n, STT_RECORDER_EVENTS);
    for (; stt_endpoint_recorded(ep, &cursor, &event); n++)
        ck_assert_mem_eq(&event, &client.events[cursor - 1], sizeof event);
    ck_assert_uint_eq(n, STT_RECORDER_EVENTS);
    ck_assert_uint_eq(cursor, client.n);
    cursor = client.n - 3;
    ck_assert(stt_endpoint_recorded(ep, &cursor, &event));
    ck_assert_mem_eq(&event, &client.events[client.n - 3], sizeof event);
    flows_end(&f);
    forget_both();
}
END_TEST

/* -- keys ------------------------------------------------------------------------------------- */

static void ping(const struct world_side *side)
{
    ck_assert_int_eq(stt_session_ping(world_endpoint(&w, side), stt_sim_now(w.sim), side->session),
                     STT_OK);
}

/* Each side has to hear an ack of what it sent under the keys before. */
static void update_keys(int times)
{
    for (int i = 0; i < times; i++) {
        struct world_side *side = i % 3 ? w.client : w.server;
        ck_assert_int_eq(
            stt_session_update_keys(world_endpoint(&w, side), stt_sim_now(w.sim), side->session),
            STT_OK);
        world_run_for(&w, STT_S(1));
        ping(w.client);
        ping(w.server);
        world_run_for(&w, STT_S(1));
    }
}

static bool same_keys(const struct stt_key_log *a, const struct stt_key_log *b)
{
    return memcmp(a->initiator_id, b->initiator_id, 8) == 0 &&
           memcmp(a->responder_id, b->responder_id, 8) == 0 && a->epoch == b->epoch &&
           a->to_initiator == b->to_initiator && strcmp(a->suite, b->suite) == 0 &&
           memcmp(a->secret, b->secret, 32) == 0;
}

/* Each epoch in both directions, on both sides alike, and what is in use is among it. */
START_TEST(keys_are_logged_when_they_come_to_be)
{
    enum { UPDATES = 9 };
    w = world_pair(.one_way_ms = 10, .equip = listen);
    world_connect(&w, STT_MODE_K + (enum stt_mode)_i);
    world_run_for(&w, STT_S(1));
    update_keys(UPDATES);
    ck_assert_uint_eq(client.n_keys, 2 * (UPDATES + 1));
    ck_assert_uint_eq(server.n_keys, client.n_keys);
    for (size_t i = 0; i < client.n_keys; i++) {
        ck_assert(same_keys(&client.keys[i], &server.keys[i]));
        ck_assert_uint_eq(client.keys[i].epoch, i / 2);
        ck_assert(client.keys[i].to_initiator == (i % 2 == 1));
    }
    const struct stt_session *s =
        stt_endpoint_find(world_endpoint(&w, w.client), w.client->session);
    ck_assert_mem_eq(client.secrets[2 * UPDATES], s->protect->keys.current.secret[0], 32);
    ck_assert_mem_eq(client.secrets[2 * UPDATES + 1], s->protect->keys.current.secret[1], 32);
    check_both();
    traced_check_no_secrets(&client);
    traced_check_no_secrets(&server);
    ck_assert_uint_eq(traced_count(&client, STT_TRACE_KEYS_FORGOTTEN), UPDATES);
    require_codes(&client, STT_TRACE_KEY_EPOCH, STT_ORIGIN_HANDSHAKE, STT_ORIGIN_REMOTE);
    world_end(&w);
    forget_both();
}
END_TEST

/* A session that is used gets new keys by itself; both sides say what gave them. */
START_TEST(keys_of_a_rekeying_are_logged_too)
{
    w = world_pair(.one_way_ms = 10, .equip = listen);
    world_connect(&w, STT_MODE_K + (enum stt_mode)_i);
    flows_init(&f, &w);
    flows_open(&f, &f.client, &(struct flow){.to_write = 2 << 20});
    flows_run_for(&f, STT_S(140));
    check_both();
    require_codes(&client, STT_TRACE_KEY_EPOCH, STT_ORIGIN_REKEY, STT_ORIGIN_REKEY);
    require_codes(&server, STT_TRACE_KEY_EPOCH, STT_ORIGIN_REKEY, STT_ORIGIN_REKEY);
    ck_assert_uint_eq(client.n_keys, 4);
    ck_assert_uint_eq(server.n_keys, 4);
    for (size_t i = 0; i < client.n_keys; i++)
        ck_assert(same_keys(&client.keys[i], &server.keys[i]));
    traced_check_no_secrets(&client);
    traced_check_qlog(&server);
    flows_end(&f);
    forget_both();
}
END_TEST

/* Nor in what is remembered: any eight bytes of any secret. */
START_TEST(no_secret_is_in_the_recorder)
{
    w = world_pair(.one_way_ms = 10, .equip = listen);
    world_connect(&w, STT_MODE_W);
    update_keys(3);
    const struct stt_tracing *x = &world_endpoint(&w, w.client)->tracing;
    ck_assert_uint_ge(client.n_keys, 8);
    for (size_t i = 0; i < client.n_keys; i++)
        for (size_t at = 0; at + 8 <= 32; at++)
            ck_assert_ptr_null(memmem(x, sizeof *x, client.secrets[i] + at, 8));
    world_end(&w);
    forget_both();
}
END_TEST

static void only_events(struct stt_sim_endpoint *endpoint, bool is_client)
{
    listen(endpoint, is_client);
    endpoint->key_log = NULL;
}

START_TEST(who_does_not_ask_for_keys_hears_of_none)
{
    w = world_pair(.one_way_ms = 10, .equip = only_events);
    world_connect(&w, STT_MODE_K);
    world_run_for(&w, STT_S(1));
    update_keys(2);
    ck_assert_ptr_null(world_endpoint(&w, w.client)->env.key_log);
    ck_assert_uint_eq(client.n_keys + server.n_keys, 0);
    ck_assert_uint_eq(traced_count(&client, STT_TRACE_KEY_EPOCH), 3);
    world_end(&w);
    forget_both();
}
END_TEST

/* -- handshakes ------------------------------------------------------------------------------- */

/* Which states a side has entered, in order. */
static void require_states(const struct traced *t, const unsigned *states, size_t n)
{
    size_t found = 0;
    for (size_t i = 0; i < t->n; i++)
        if (t->events[i].type == STT_TRACE_SESSION_STATE) {
            ck_assert_msg(found < n && t->events[i].code == states[found], "state %u is %u",
                          (unsigned)found, t->events[i].code);
            found++;
        }
    ck_assert_uint_eq(found, n);
}

#define REQUIRE_STATES(t, ...)                                                                     \
    require_states(t, (const unsigned[]){__VA_ARGS__},                                             \
                   sizeof((const unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

START_TEST(a_wrong_guess_is_told_on_both_sides)
{
    w = world_pair(.one_way_ms = 10, .equip = listen);
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    char *last = w.code + strlen(w.code) - 1;
    *last = *last == 'a' ? 'b' : 'a';
    call.code = w.code;
    world_begin(&w, w.client, &call);
    world_run_for(&w, STT_S(12));
    REQUIRE_STATES(&client, STT_SESSION_COOKIE_WAIT, STT_SESSION_MESSAGE_1_SENT,
                   STT_SESSION_MESSAGE_3_SENT, STT_SESSION_CLOSED);
    REQUIRE_STATES(&server, STT_SESSION_HALF_OPEN, STT_SESSION_CLOSED);
    ck_assert_uint_eq(traced_latest(&client, STT_TRACE_SESSION_CLOSED)->code,
                      STT_REASON_CODE_WRONG);
    ck_assert_uint_eq(traced_latest(&server, STT_TRACE_SESSION_CLOSED)->code,
                      STT_REASON_CODE_WRONG);
    require_codes(&client, STT_TRACE_MESSAGE_SENT, STT_PACKET_MESSAGE_1, STT_PACKET_MESSAGE_1);
    require_codes(&client, STT_TRACE_MESSAGE_SENT, STT_PACKET_MESSAGE_3, STT_PACKET_MESSAGE_3);
    require_codes(&server, STT_TRACE_MESSAGE_SENT, STT_PACKET_MESSAGE_2, STT_PACKET_MESSAGE_2);
    traced_check_qlog(&client);
    world_end(&w);
    forget_both();
}
END_TEST

START_TEST(a_connect_that_nobody_answers_is_told)
{
    w = world_pair(.one_way_ms = 10, .equip = listen, .loss_ppm = 1000000);
    world_connect_begin(&w, STT_MODE_K);
    world_run_for(&w, STT_S(12));
    REQUIRE_STATES(&client, STT_SESSION_MESSAGE_1_SENT, STT_SESSION_CLOSED);
    ck_assert_uint_eq(traced_latest(&client, STT_TRACE_SESSION_CLOSED)->code, STT_REASON_NO_ANSWER);
    ck_assert_uint_ge(traced_count(&client, STT_TRACE_MESSAGE_SENT), 15);
    ck_assert_uint_eq(traced_latest(&client, STT_TRACE_MESSAGE_SENT)->field[0], 1200);
    world_end(&w);
    forget_both();
}
END_TEST

/* -- the rest of a life ----------------------------------------------------------------------- */

START_TEST(silence_is_told_and_its_end)
{
    w = world_pair(.one_way_ms = 10, .equip = listen);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    flows_run_for(&f, STT_S(1));
    stt_ns now = stt_sim_now(w.sim);
    stt_sim_blackout(w.sim, w.links.forth, now, now + STT_S(8));
    flows_open(&f, &f.client, &(struct flow){.to_write = 20000});
    flows_require(&f, flows_are_over, STT_S(20));
    flows_run_for(&f, STT_S(1));
    check_both();
    ck_assert_uint_eq(traced_count(&client, STT_TRACE_SESSION_STALLED), 2);
    ck_assert_uint_ge(traced_count(&client, STT_TRACE_PTO_EXPIRED), 4);
    require_codes(&client, STT_TRACE_PTO_EXPIRED, 1, 4);
    require_codes(&client, STT_TRACE_PACKETS_SENT, STT_PURPOSE_QUIET, STT_PURPOSE_PROBE);
    flows_end(&f);
    forget_both();
}
END_TEST

START_TEST(a_move_is_told_from_its_beginning)
{
    w = world_pair(.one_way_ms = 10, .equip = listen);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    flows_run_for(&f, STT_S(1));
    struct stt_address old = stt_sim_address(w.sim, w.client->node);
    struct stt_address new = stt_sim_ipv4(1, WORLD_PORT + 1);
    stt_sim_address_move(w.sim, w.client->node, &old, &new);
    flows_open(&f, &f.client, &(struct flow){.to_write = 300000});
    flows_require(&f, flows_are_over, STT_S(20));
    flows_run_for(&f, STT_S(1));
    check_both();
    require_codes(&server, STT_TRACE_PATH_TRIAL, 0, 1);
    ck_assert_uint_eq(traced_count(&server, STT_TRACE_PATH_TRIAL), 2);
    require_codes(&client, STT_TRACE_PATH_TRIAL, 0, 1); /* its local address is another one */
    flows_end(&f);
    forget_both();
}
END_TEST

static void search_ethernet(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->packet_bytes_max = 1472;
}

/* The path takes less than is searched for: some probes arrive, others are lost. */
START_TEST(the_search_for_the_packet_size_is_told)
{
    w = world_pair(.one_way_ms = 10, .rate_bits_per_s = 50000000, .queue_bytes = 500000,
                   .mtu = 1400, .equip = listen, .configure = search_ethernet);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    flows_open(&f, &f.client, &(struct flow){.to_write = 3 << 20});
    flows_require(&f, flows_are_over, STT_S(10));
    flows_run_for(&f, STT_S(1));
    check_both();
    require_codes(&client, STT_TRACE_PACKETS_SENT, STT_PURPOSE_SIZE_PROBE, STT_PURPOSE_SIZE_PROBE);
    require_codes(&client, STT_TRACE_PACKETS_LOST, STT_TRIGGER_SIZE_PROBE, STT_TRIGGER_SIZE_PROBE);
    ck_assert_uint_ge(traced_count(&client, STT_TRACE_PACKET_SIZE), 3);
    ck_assert_uint_ge(traced_latest(&client, STT_TRACE_PACKET_SIZE)->field[0], 1400 - 28 - 16);
    ck_assert_uint_le(traced_latest(&client, STT_TRACE_PACKET_SIZE)->field[0], 1400 - 28);
    traced_check_qlog(&client);
    flows_end(&f);
    forget_both();
}
END_TEST

static void small_windows(struct stt_config *config, bool is_client)
{
    config->max_streams = is_client ? 256 : 3;
    config->stream_window_bytes = config->stream_window_max = 20000;
    config->session_window_bytes = config->session_window_max = 50000;
}

/* The server reads nothing: first the streams are full, then the session is. */
START_TEST(what_holds_data_back_is_told)
{
    w = world_pair(.one_way_ms = 10, .equip = listen, .configure = small_windows);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    f.server.no_reading = true;
    for (int i = 0; i < 3; i++) {
        ck_assert(flows_open(&f, &f.client, &(struct flow){.to_write = 100000}));
        flows_run_for(&f, STT_S(1));
    }
    ck_assert(!flows_open(&f, &f.client, &(struct flow){.to_write = 1}));
    flows_run_for(&f, STT_S(1));
    check_both();
    require_codes(&client, STT_TRACE_FLOW_BLOCKED, STT_BLOCKED_BY_STREAM, STT_BLOCKED_BY_STREAMS);
    for (size_t i = 0; i < client.n; i++) {
        static const uint64_t limits[] = {20000, 50000, 3};
        const struct stt_trace_event *e = &client.events[i];
        if (e->type == STT_TRACE_FLOW_BLOCKED)
            ck_assert_uint_eq(e->field[1], limits[e->code]);
    }
    flows_end(&f);
    forget_both();
}
END_TEST

static void stream_pair(const struct flow *ours)
{
    bool stays_open = ours->stays_open;
    w = world_pair(.one_way_ms = 10, .equip = listen);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    f.server.reply_stays_open = stays_open;
    ck_assert(flows_open(&f, &f.client, ours));
    flows_run_for(&f, STT_S(1));
}

START_TEST(a_stream_is_told_from_its_opening_to_its_end)
{
    stream_pair(&(struct flow){.to_write = 1000});
    require_codes(&client, STT_TRACE_STREAM_STATE, STT_STREAM_STATE_WRITTEN,
                  STT_STREAM_STATE_FINISHED);
    require_codes(&client, STT_TRACE_STREAM_STATE, STT_STREAM_STATE_OPENED,
                  STT_STREAM_STATE_OPENED);
    require_codes(&server, STT_TRACE_STREAM_STATE, STT_STREAM_STATE_ACCEPTED,
                  STT_STREAM_STATE_FINISHED);
    for (int i = 0; i < 2; i++) {
        const struct traced *t = i ? &server : &client;
        require_codes(t, STT_TRACE_STREAM_STATE, STT_STREAM_STATE_READ, STT_STREAM_STATE_ENDED);
        ck_assert_uint_eq(traced_count(t, STT_TRACE_STREAM_STATE), 5);
        ck_assert_uint_eq(traced_latest(t, STT_TRACE_STREAM_STATE)->code, STT_STREAM_STATE_ENDED);
    }
    ck_assert_uint_eq(client.events[client.n - 1].subject, w.client->session);
    flows_end(&f);
    forget_both();
}
END_TEST

START_TEST(a_stream_that_is_cut_short_says_by_whom_and_why)
{
    stream_pair(&(struct flow){.to_write = 1000, .stays_open = true});
    stt_ns now = stt_sim_now(w.sim);
    const struct flow *ours = f.client.all[0], *theirs = f.server.all[0];
    ck_assert_int_eq(stt_stream_reset(f.client.ep, now, ours->handle, 7), STT_OK);
    ck_assert_int_eq(stt_stream_stop(f.client.ep, now, ours->handle, 8), STT_OK);
    stt_sim_touch(w.sim, w.client->node);
    flows_run_for(&f, STT_S(1));
    require_codes(&client, STT_TRACE_STREAM_STATE, STT_STREAM_STATE_RESET, STT_STREAM_STATE_RESET);
    require_codes(&client, STT_TRACE_STREAM_STATE, STT_STREAM_STATE_STOP, STT_STREAM_STATE_STOP);
    require_codes(&server, STT_TRACE_STREAM_STATE, STT_STREAM_STATE_WAS_RESET,
                  STT_STREAM_STATE_WAS_RESET);
    for (size_t i = 0; i < server.n; i++) {
        const struct stt_trace_event *e = &server.events[i];
        if (e->type != STT_TRACE_STREAM_STATE || e->code < STT_STREAM_STATE_RESET)
            continue;
        ck_assert_uint_eq(e->field[0], theirs->id);
        if (e->code == STT_STREAM_STATE_WAS_RESET)
            ck_assert(e->field[1] == 1000 && e->field[2] == 7);
    }
    flows_end(&f);
    forget_both();
}
END_TEST

START_TEST(datagrams_that_are_given_up_are_counted)
{
    uint8_t data[1000] = {0};
    uint64_t given_up = 0;
    struct stt_datagram_info info;
    w = world_pair(.one_way_ms = 10, .equip = listen);
    world_connect(&w, STT_MODE_K);
    world_run_for(&w, STT_S(1));
    struct stt_endpoint *ep = world_endpoint(&w, w.client);
    for (int i = 0; i < 300; i++)
        ck_assert_int_eq(
            stt_datagram_send(ep, stt_sim_now(w.sim), w.client->session, data, sizeof data, NULL),
            STT_OK);
    world_run_for(&w, STT_S(1));
    for (size_t i = 0; i < client.n; i++)
        if (client.events[i].type == STT_TRACE_DATAGRAMS_DROPPED) {
            ck_assert_uint_eq(client.events[i].code, STT_DATAGRAM_GAVE_WAY);
            ck_assert_uint_eq(client.events[i].field[1], 1000 * client.events[i].field[0]);
            given_up += client.events[i].field[0];
        }
    ck_assert_int_eq(stt_datagram_info(ep, w.client->session, &info), STT_OK);
    ck_assert_uint_gt(given_up, 0);
    ck_assert_uint_eq(given_up, info.dropped_unsent);
    world_end(&w);
    forget_both();
}
END_TEST

SUITE("traces", LOOP(a_trace_is_complete_and_fits_together, 0, WEATHERS *MODES),
      LOOP(every_record_is_as_qlog_wants_it, 0, WEATHERS),
      TEST(an_end_is_told_once_with_its_reason), TEST(the_same_seed_gives_the_same_trace),
      TEST(the_recorder_remembers_the_end_of_what_the_hook_heard),
      LOOP(keys_are_logged_when_they_come_to_be, 0, MODES),
      LOOP(keys_of_a_rekeying_are_logged_too, 0, MODES), TEST(no_secret_is_in_the_recorder),
      TEST(who_does_not_ask_for_keys_hears_of_none), TEST(a_wrong_guess_is_told_on_both_sides),
      TEST(a_connect_that_nobody_answers_is_told), TEST(silence_is_told_and_its_end),
      TEST(a_move_is_told_from_its_beginning), TEST(the_search_for_the_packet_size_is_told),
      TEST(what_holds_data_back_is_told), TEST(a_stream_is_told_from_its_opening_to_its_end),
      TEST(a_stream_that_is_cut_short_says_by_whom_and_why),
      TEST(datagrams_that_are_given_up_are_counted))
