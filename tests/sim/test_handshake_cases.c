/* SPDX-License-Identifier: MIT
 * What may befall a handshake between two honest sides: losses, copies of old messages, both at
 * once, the wrong secret, a death. What others forge is in test_handshake_forgeries.c. */
#include <string.h>

#include "stt/streams.h"
#include "tests/support/suite.h"
#include "tests/support/tap.h"
#include "tests/support/ways.h"

enum { LOST_MAX = 8, FOR_EVER = 1000000 };

static struct stt_endpoint_stats stats_of(struct world *w, const struct world_side *side)
{
    struct stt_endpoint_stats stats;
    stt_endpoint_stats(world_endpoint(w, side), &stats);
    return stats;
}

static void forget_events(struct world *w)
{
    memset(w->client->events, 0, sizeof w->client->events);
    memset(w->server->events, 0, sizeof w->server->events);
}

static bool client_ended(const struct world *w)
{
    return w->client->events[STT_EVENT_CLOSED];
}

/* -- 1: losses -----------------------------------------------------------------------------------
 */

static const struct lost {
    bool comes_back;
    enum stt_packet_kind kind;
} losts[] = {
    {false, STT_PACKET_MESSAGE_1},   {true, STT_PACKET_MESSAGE_2},  {false, STT_PACKET_MESSAGE_3},
    {true, STT_PACKET_COOKIE_REPLY}, {false, STT_PACKET_PROTECTED}, {true, STT_PACKET_PROTECTED},
};
enum { LOSTS = sizeof losts / sizeof losts[0] };

static void lose_and_connect(const struct way *way, const struct lost *lost, uint64_t n)
{
    struct world w = world_pair(.one_way_ms = 20);
    struct tap tap = {.seen = {0}};
    tap.lose[lost->kind] = n;
    tap_on(&tap, w.sim, lost->comes_back ? w.links.back : w.links.forth);
    way_begin(&w, way);
    world_require(&w, world_run_until(&w, both_connected, STT_MS(550) * n + STT_MS(200)));
    world_run_for(&w, STT_S(12));
    ways_require_one_session(&w);
    world_end(&w);
}

START_TEST(each_message_may_be_lost_the_first_1_to_8_times_case_01)
{
    uint64_t n = (uint64_t)_i % LOST_MAX + 1;
    for (int way = 0; way < WAYS; way++)
        lose_and_connect(&ways[way], &losts[_i / LOST_MAX], n);
}
END_TEST

/* -- 3: replays ----------------------------------------------------------------------------------
 */

struct replay {
    struct world w;
    struct tap forth, back;
};

static void connect_under_taps(struct replay *r, const struct way *way)
{
    *r = (struct replay){.w = world_pair(.one_way_ms = 20)};
    tap_on(&r->forth, r->w.sim, r->w.links.forth);
    tap_on(&r->back, r->w.sim, r->w.links.back);
    way_begin(&r->w, way);
    world_require(&r->w, world_run_until(&r->w, both_connected, STT_S(1)));
}

/* Everything that the client sent then, in its order. */
static void replay_handshake(struct replay *r, const struct tap_copy *messages)
{
    static const enum stt_packet_kind order[] = {STT_PACKET_MESSAGE_1, STT_PACKET_MESSAGE_3,
                                                 STT_PACKET_PROTECTED};
    for (size_t i = 0; i < 3; i++) {
        if (messages[order[i]].len)
            tap_inject(&messages[order[i]], r->w.sim);
        world_run_for(&r->w, STT_MS(100));
    }
}

START_TEST(a_message_1_that_is_replayed_after_a_second_or_an_hour_is_met_with_silence_case_03)
{
    struct replay r;
    connect_under_taps(&r, &ways[_i]);
    for (int hour = 0; hour < 2; hour++) {
        world_run_for(&r.w, hour ? STT_S(3600) : STT_S(1));
        struct stt_endpoint_stats before = stats_of(&r.w, r.w.server), after;
        uint64_t answers = r.back.seen[STT_PACKET_MESSAGE_2];
        tap_inject(&r.forth.kept[STT_PACKET_MESSAGE_1], r.w.sim);
        world_run_for(&r.w, STT_MS(100));
        after = stats_of(&r.w, r.w.server);
        world_require(&r.w, r.back.seen[STT_PACKET_MESSAGE_2] == answers);
        world_require(&r.w, after.handshakes_answered == before.handshakes_answered);
        world_require(&r.w, after.half_open == 0 && after.sessions == before.sessions);
        ways_require_one_session(&r.w);
    }
    world_end(&r.w);
}
END_TEST

START_TEST(a_handshake_that_is_replayed_after_a_restart_brings_no_session_case_03)
{
    struct replay r;
    struct tap_copy old[TAP_KINDS];
    connect_under_taps(&r, &ways[_i]);
    memcpy(old, r.forth.kept, sizeof old);
    stt_sim_kill(r.w.sim, r.w.server->node);
    world_run_for(&r.w, STT_S(60));
    ck_assert_int_eq(stt_sim_restart(r.w.sim, r.w.server->node), STT_OK);
    forget_events(&r.w);
    way_begin(&r.w, &ways[_i]);
    world_require(&r.w, world_run_until(&r.w, both_connected, STT_S(1)));
    replay_handshake(&r, old);
    world_require(&r.w, stats_of(&r.w, r.w.server).handshakes_confirmed == 1);
    world_run_for(&r.w, STT_S(60));
    world_require(&r.w, stats_of(&r.w, r.w.server).half_open == 0);
    world_require(&r.w, r.w.server->events[STT_EVENT_PATH] == 0);
    ways_require_one_session(&r.w);
    world_end(&r.w);
}
END_TEST

/* -- 4: reflections ------------------------------------------------------------------------------
 */

static void accept_everything(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->accept = STT_ACCEPT(STT_MODE_K) | STT_ACCEPT(STT_MODE_S) | STT_ACCEPT(STT_MODE_W);
}

static void reflect_for(const struct way *way, stt_ns after_ns)
{
    struct world w = world_pair(.one_way_ms = 20, .configure = accept_everything);
    world_call(&w, w.client, STT_MODE_W); /* somebody might ask for a code here, too */
    stt_sim_reflect(w.sim, w.links.forth, after_ns);
    way_begin(&w, way);
    world_require(&w, world_run_until(&w, both_connected, STT_S(2)));
    world_run_for(&w, STT_S(5));
    struct stt_endpoint_stats stats = stats_of(&w, w.client);
    world_require(&w, stats.handshakes_answered == 0);
    world_require(
        &w, (way->mode == STT_MODE_K ? stats.dropped_bad_mac1 : stats.dropped_own_packet) > 0);
    ways_require_one_session(&w);
    world_end(&w);
}

START_TEST(a_message_that_comes_back_to_its_sender_is_refused_case_04)
{
    reflect_for(&ways[_i], 0);
    reflect_for(&ways[_i], STT_S(1));
}
END_TEST

/* -- 6: both at once -----------------------------------------------------------------------------
 */

struct meeting {
    struct world w;
    struct stt_connect forth, back;
};

static struct meeting meeting(uint64_t seed, enum stt_mode mode)
{
    struct meeting m = {
        .w = world_pair(.seed = seed, .one_way_ms = 20, .configure = accept_everything)};
    static char code[2][STT_CODE_TEXT_MAX];
    m.forth = world_call(&m.w, m.w.server, mode);
    memcpy(code[0], m.w.code, sizeof code[0]);
    m.back = world_call(&m.w, m.w.client, mode);
    memcpy(code[1], m.w.code, sizeof code[1]);
    m.forth.code = mode == STT_MODE_W ? code[0] : NULL;
    m.back.code = mode == STT_MODE_W ? code[1] : NULL;
    return m;
}

static uint64_t live(struct world *w, const struct world_side *side)
{
    return stats_of(w, side).sessions;
}

static void meet(struct meeting *m, stt_ns later_ns)
{
    world_begin(&m->w, m->w.client, &m->forth);
    world_run_for(&m->w, later_ns);
    world_begin(&m->w, m->w.server, &m->back);
    world_run_for(&m->w, STT_S(15));
}

static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};

START_TEST(two_who_connect_at_once_have_two_sessions_unless_both_want_one_case_06)
{
    struct meeting m = meeting(1, modes[_i]);
    m.forth.exclusive = true;
    meet(&m, 0);
    world_require(&m.w, live(&m.w, m.w.client) == 2 && live(&m.w, m.w.server) == 2);
    world_require(&m.w, m.w.client->events[STT_EVENT_CLOSED] == 0);
    world_end(&m.w);
}
END_TEST

/* The one that was begun by the smaller id. */
static void require_right_one(struct world *w)
{
    bool client_stays =
        memcmp(w->client->identity.peer_id.bytes, w->server->identity.peer_id.bytes, 32) < 0;
    struct world_side *winner = client_stays ? w->client : w->server;
    struct world_side *loser = client_stays ? w->server : w->client;
    struct stt_session_info info;
    const struct stt_event *end = &loser->latest[STT_EVENT_CLOSED];
    world_require(w, live(w, winner) == 1 && live(w, loser) == 1);
    if (end->type) {
        world_require(w, end->reason == STT_REASON_REPLACED);
        world_require(w, stt_session_info(world_endpoint(w, loser), end->other, &info) == STT_OK);
        world_require(w, !info.initiator && info.exclusive);
    }
    world_require(w, winner->events[STT_EVENT_CONNECTED] == 1);
}

START_TEST(two_who_connect_at_once_and_want_one_session_have_one_case_06)
{
    for (uint64_t seed = 1; seed <= 8; seed++)
        for (stt_ns later = 0; later < STT_MS(40); later += STT_MS(13)) {
            struct meeting m = meeting(seed, modes[_i]);
            m.forth.exclusive = m.back.exclusive = true;
            meet(&m, later);
            require_right_one(&m.w);
            world_end(&m.w);
        }
}
END_TEST

static bool one_is_connected(const struct world *w)
{
    return w->client->events[STT_EVENT_CONNECTED] || w->server->events[STT_EVENT_CONNECTED];
}

/* Whoever would stay hears of no stream. */
static bool hears_nothing(void *ctx)
{
    struct stt_stream_event e;
    return !stt_endpoint_stream_event(ctx, &e);
}

static void write_at_once(struct world *w, struct world_side *side)
{
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    struct stt_endpoint *ep = world_endpoint(w, side);
    stt_handle stream;
    size_t written;
    o.no_delay = true;
    world_require(w, stt_stream_open(ep, stt_sim_now(w->sim), side->session, &o, &stream) == 0);
    world_require(w, stt_stream_write(ep, stt_sim_now(w->sim), stream, "x", 1, &written) == 0);
    stt_sim_touch(w->sim, side->node);
}

/* What the side with the larger id writes at once would be lost with its session: it is held
 * back. */
START_TEST(the_larger_id_holds_its_data_while_the_other_connect_is_under_way_case_06)
{
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct meeting m = meeting(seed, STT_MODE_K);
        bool client_stays =
            memcmp(m.w.client->identity.peer_id.bytes, m.w.server->identity.peer_id.bytes, 32) < 0;
        struct world_side *loser = client_stays ? m.w.server : m.w.client;
        struct world_side *winner = client_stays ? m.w.client : m.w.server;
        m.forth.exclusive = m.back.exclusive = true;
        world_begin(&m.w, loser, loser == m.w.client ? &m.forth : &m.back);
        world_run_for(&m.w, STT_MS(2));
        world_begin(&m.w, winner, winner == m.w.client ? &m.forth : &m.back);
        world_require(&m.w, world_run_until(&m.w, one_is_connected, STT_S(1)));
        world_require(&m.w, loser->events[STT_EVENT_CONNECTED]);
        write_at_once(&m.w, loser);
        stt_ns end = stt_sim_now(m.w.sim) + STT_S(5);
        stt_sim_run_while(m.w.sim, hears_nothing, world_endpoint(&m.w, winner), end);
        world_require(&m.w, stt_sim_now(m.w.sim) == end);
        require_right_one(&m.w);
        world_end(&m.w);
    }
}
END_TEST

START_TEST(two_who_connect_one_after_the_other_have_two_sessions_case_06)
{
    struct meeting m = meeting(1, STT_MODE_K);
    m.forth.exclusive = m.back.exclusive = true;
    meet(&m, STT_S(5));
    world_require(&m.w, live(&m.w, m.w.client) == 2 && live(&m.w, m.w.server) == 2);
    world_end(&m.w);
}
END_TEST

START_TEST(an_old_message_1_that_is_replayed_cancels_no_connect_case_06)
{
    struct meeting m = meeting((uint64_t)_i + 1, STT_MODE_K);
    struct tap tap = {.seen = {0}};
    tap_on(&tap, m.w.sim, m.w.links.forth);
    m.forth.exclusive = m.back.exclusive = true;
    world_begin(&m.w, m.w.client, &m.forth);
    world_run_for(&m.w, STT_S(1));
    stt_session_close(world_endpoint(&m.w, m.w.client), stt_sim_now(m.w.sim), m.w.client->session,
                      0, NULL);
    world_run_for(&m.w, STT_S(5));
    stt_sim_kill(m.w.sim, m.w.server->node); /* it knows no old message any more */
    ck_assert_int_eq(stt_sim_restart(m.w.sim, m.w.server->node), STT_OK);
    forget_events(&m.w);
    world_begin(&m.w, m.w.server, &m.back);
    tap_inject(&tap.kept[STT_PACKET_MESSAGE_1], m.w.sim);
    world_run_for(&m.w, STT_MS(10));
    world_require(&m.w, stats_of(&m.w, m.w.server).half_open == 1);
    world_run_for(&m.w, STT_S(15));
    world_require(&m.w, m.w.server->events[STT_EVENT_CONNECTED] == 1);
    world_require(&m.w, m.w.client->events[STT_EVENT_ACCEPTED] == 1);
    world_require(&m.w, live(&m.w, m.w.client) == 1 && live(&m.w, m.w.server) == 1);
    world_end(&m.w);
}
END_TEST

/* -- 7, 8: those who do not know -----------------------------------------------------------------
 */

static void require_seed(struct stt_config *config, bool is_client)
{
    config->require_seed = !is_client;
}

static void list_nobody(struct stt_config *config, bool is_client)
{
    config->allow_only_listed = !is_client;
}

static void another_network(struct stt_config *config, bool is_client)
{
    config->network_bytes = is_client;
    config->network[0] = 7;
}

static void wrong_seed(struct stt_connect *call)
{
    memset(call->seed, 0x77, sizeof call->seed);
    call->has_seed = true;
}

static void wrong_peer(struct stt_connect *call)
{
    struct stt_identity other;
    static const uint8_t secret[32] = {0x77};
    stt_identity_init(&other, secret);
    call->peer = other.peer_id;
    call->has_peer = true;
}

static const struct mistake {
    enum stt_mode mode;
    void (*make)(struct stt_connect *call);
    void (*configure)(struct stt_config *config, bool is_client);
} mistakes[] = {
    {STT_MODE_S, wrong_seed, NULL},      {STT_MODE_K, wrong_seed, NULL},
    {STT_MODE_K, NULL, require_seed},    {STT_MODE_K, wrong_seed, require_seed},
    {STT_MODE_K, NULL, list_nobody},     {STT_MODE_K, NULL, another_network},
    {STT_MODE_S, NULL, another_network}, {STT_MODE_K, wrong_peer, NULL},
};
enum { MISTAKES = sizeof mistakes / sizeof mistakes[0] };

START_TEST(a_stranger_meets_silence_and_its_user_hears_so_within_10_s_case_07)
{
    const struct mistake *mistake = &mistakes[_i];
    struct world w = world_pair(.one_way_ms = 20, .configure = mistake->configure);
    struct stt_connect call = world_call(&w, w.server, mistake->mode);
    if (mistake->make)
        mistake->make(&call);
    world_begin(&w, w.client, &call);
    world_require(&w, world_run_until(&w, client_ended, STT_S(11)));
    world_require(&w, stt_sim_now(w.sim) == STT_S(10));
    world_require(&w, w.client->last.reason == STT_REASON_NO_ANSWER);
    world_run_for(&w, STT_S(30));
    struct stt_endpoint_stats stats = stats_of(&w, w.server);
    world_require(&w, stats.datagrams_received > 10 && stats.datagrams_sent == 0);
    world_require(&w, stats.sessions == 0 && stats.half_open == 0);
    world_require(&w, stt_sim_link_stats(w.sim, w.links.back).datagrams_in == 0);
    world_end(&w);
}
END_TEST

START_TEST(whoever_has_another_key_than_the_pinned_one_gets_no_message_3_case_08)
{
    struct world w = world_pair(.one_way_ms = 20);
    struct tap tap = {.seen = {0}};
    struct stt_connect call = world_call(&w, w.server, STT_MODE_S);
    wrong_peer(&call);
    tap_on(&tap, w.sim, w.links.forth);
    world_begin(&w, w.client, &call);
    world_run_for(&w, STT_S(15));
    world_require(&w, w.client->last.reason == STT_REASON_PEER_KEY);
    world_require(&w, w.client->latest_at[STT_EVENT_CLOSED] == STT_MS(40));
    world_require(&w, w.client->events[STT_EVENT_CONNECTED] == 0);
    world_require(&w, !tap.seen[STT_PACKET_MESSAGE_3] && !tap.seen[STT_PACKET_PROTECTED]);
    world_require(&w, w.server->events[STT_EVENT_ACCEPTED] == 0);
    world_require(&w, stats_of(&w, w.server).half_open == 0);
    world_end(&w);
}
END_TEST

START_TEST(whoever_knows_the_code_with_another_key_than_the_pinned_one_is_told_to_go_case_08)
{
    struct world w = world_pair(.one_way_ms = 20);
    struct stt_connect call = world_call(&w, w.server, STT_MODE_W);
    wrong_peer(&call);
    world_begin(&w, w.client, &call);
    world_run_for(&w, STT_S(15));
    world_require(&w, w.client->last.reason == STT_REASON_PEER_KEY);
    world_require(&w, w.client->events[STT_EVENT_CONNECTED] == 0);
    world_require(&w, w.server->events[STT_EVENT_ACCEPTED] == 0);
    world_require(&w, stats_of(&w, w.server).sessions == 0);
    world_end(&w);
}
END_TEST

/* -- 12: a death ---------------------------------------------------------------------------------
 */

struct killing {
    const struct tap *back;
};

static bool has_not_answered(void *ctx)
{
    const struct killing *k = ctx;
    return !k->back->seen[STT_PACKET_MESSAGE_2];
}

static void answer_and_die(const struct way *way, bool comes_back)
{
    struct world w = world_pair(.one_way_ms = 20);
    struct tap back = {.seen = {0}};
    struct killing k = {&back};
    tap_on(&back, w.sim, w.links.back);
    way_begin(&w, way);
    world_require(&w, stt_sim_run_while(w.sim, has_not_answered, &k, STT_S(1)));
    stt_sim_kill(w.sim, w.server->node);
    if (comes_back)
        ck_assert_int_eq(stt_sim_restart(w.sim, w.server->node), STT_OK);
    world_require(&w, world_run_until(&w, client_ended, STT_S(15)));
    world_require(&w, w.client->last.reason == STT_REASON_NO_ANSWER);
    world_require(&w, w.server->events[STT_EVENT_ACCEPTED] == 0);
    world_end(&w);
}

START_TEST(a_responder_that_dies_after_message_2_is_an_error_within_15_s_case_12)
{
    answer_and_die(&ways[_i], false);
    answer_and_die(&ways[_i], true);
}
END_TEST

SUITE("handshake_cases",
      LOOP(each_message_may_be_lost_the_first_1_to_8_times_case_01, 0, LOSTS *LOST_MAX),
      LOOP(a_message_1_that_is_replayed_after_a_second_or_an_hour_is_met_with_silence_case_03, 0,
           WAYS),
      LOOP(a_handshake_that_is_replayed_after_a_restart_brings_no_session_case_03, 0, WAYS),
      LOOP(a_message_that_comes_back_to_its_sender_is_refused_case_04, 0, WAYS),
      LOOP(two_who_connect_at_once_have_two_sessions_unless_both_want_one_case_06, 0, 3),
      LOOP(two_who_connect_at_once_and_want_one_session_have_one_case_06, 0, 3),
      TEST(the_larger_id_holds_its_data_while_the_other_connect_is_under_way_case_06),
      TEST(two_who_connect_one_after_the_other_have_two_sessions_case_06),
      LOOP(an_old_message_1_that_is_replayed_cancels_no_connect_case_06, 0, 8),
      LOOP(a_stranger_meets_silence_and_its_user_hears_so_within_10_s_case_07, 0, MISTAKES),
      TEST(whoever_has_another_key_than_the_pinned_one_gets_no_message_3_case_08),
      TEST(whoever_knows_the_code_with_another_key_than_the_pinned_one_is_told_to_go_case_08),
      LOOP(a_responder_that_dies_after_message_2_is_an_error_within_15_s_case_12, 0, WAYS))
