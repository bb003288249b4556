/* SPDX-License-Identifier: MIT
 * The life of a session: confirmation, keep-alive, idling, stalling, closing. */
#include <string.h>

#include "tests/support/suite.h"
#include "tests/support/tap.h"
#include "tests/support/ways.h"

enum { PROTECTED = STT_PACKET_PROTECTED };

/* A world whose two links are listened to. */
struct heard {
    struct world w;
    struct tap forth, back;
};

static void listen(struct heard *h, struct world w)
{
    memset(h, 0, sizeof *h);
    h->w = w;
    tap_on(&h->forth, w.sim, w.links.forth);
    tap_on(&h->back, w.sim, w.links.back);
}

static void connect_and_listen(struct heard *h, const struct way *way, struct world w)
{
    listen(h, w);
    way_begin(&h->w, way);
    world_require(&h->w, world_run_until(&h->w, both_connected, STT_S(1)));
    world_run_for(&h->w, STT_S(2)); /* until everything has been said */
}

static struct stt_session_info info_of(struct world *w, const struct world_side *side)
{
    struct stt_session_info info;
    ck_assert_int_eq(stt_session_info(world_endpoint(w, side), side->session, &info), STT_OK);
    return info;
}

static uint64_t sessions_of(struct world *w, const struct world_side *side)
{
    struct stt_endpoint_stats stats;
    stt_endpoint_stats(world_endpoint(w, side), &stats);
    return stats.sessions;
}

static void ping(struct world *w, const struct world_side *side)
{
    int error = stt_session_ping(world_endpoint(w, side), stt_sim_now(w->sim), side->session);
    ck_assert_int_eq(error, STT_OK);
}

static void darken(struct world *w, stt_ns for_ns)
{
    stt_ns now = stt_sim_now(w->sim);
    stt_sim_blackout(w->sim, w->links.forth, now, now + for_ns);
    stt_sim_blackout(w->sim, w->links.back, now, now + for_ns);
}

/* -- confirmation in K ---------------------------------------------------------------------------
 */

static bool server_accepted(const struct world *w)
{
    return w->server->events[STT_EVENT_ACCEPTED];
}

START_TEST(an_initiator_of_mode_k_pings_until_it_is_acknowledged)
{
    struct heard h;
    listen(&h, world_pair(.one_way_ms = 20));
    h.forth.lose[PROTECTED] = 18; /* two with each PTO */
    way_begin(&h.w, &ways[WAY_K]);
    world_run_for(&h.w, STT_S(2));
    world_require(&h.w, h.w.client->events[STT_EVENT_CONNECTED] == 1 && !server_accepted(&h.w));
    world_require(&h.w, !info_of(&h.w, h.w.client).confirmed);
    world_require(&h.w, world_run_until(&h.w, server_accepted, STT_MS(9 * 550)));
    world_run_for(&h.w, STT_S(1));
    world_require(&h.w, info_of(&h.w, h.w.client).confirmed);
    uint64_t sent = h.forth.seen[PROTECTED];
    world_run_for(&h.w, STT_S(7));
    world_require(&h.w, h.forth.seen[PROTECTED] == sent);
    world_end(&h.w);
}
END_TEST

START_TEST(an_initiator_of_mode_k_that_is_never_acknowledged_gives_up_after_10_s)
{
    struct heard h;
    listen(&h, world_pair(.one_way_ms = 20));
    h.forth.lose[PROTECTED] = UINT64_MAX;
    way_begin(&h.w, &ways[WAY_K]);
    world_run_for(&h.w, STT_S(15));
    world_require(&h.w, h.w.client->events[STT_EVENT_CONNECTED] == 1);
    world_require(&h.w, h.w.client->last.reason == STT_REASON_NO_ANSWER);
    world_require(&h.w, h.w.client->latest_at[STT_EVENT_CLOSED] == STT_S(10));
    world_require(&h.w, h.w.server->events[STT_EVENT_ACCEPTED] == 0);
    world_require(&h.w, sessions_of(&h.w, h.w.server) == 0);
    world_end(&h.w);
}
END_TEST

/* -- keep-alive ----------------------------------------------------------------------------------
 */

struct counter {
    const struct tap *tap;
    uint64_t seen;
};

static bool has_seen_no_more(void *ctx)
{
    const struct counter *c = ctx;
    return c->tap->seen[PROTECTED] == c->seen;
}

/* How long after the last one the next comes. */
static stt_ns next_gap(struct heard *h, const struct tap *tap)
{
    struct counter c = {tap, tap->seen[PROTECTED]};
    stt_ns before = tap->at[PROTECTED];
    world_require(&h->w, stt_sim_run_while(h->w.sim, has_seen_no_more, &c,
                                           stt_sim_now(h->w.sim) + STT_S(40)));
    return tap->at[PROTECTED] - before;
}

/* At an interval, up to a tenth earlier, rounded up to ticks; the silence begins with the answer to
 * the last one. */
static bool is_about(stt_ns gap, stt_ns interval)
{
    return gap >= interval / 10 * 9 && gap <= interval + STT_MS(150);
}

START_TEST(in_silence_the_initiator_pings_every_10_s_and_the_responder_only_answers)
{
    struct heard h;
    connect_and_listen(&h, &ways[_i], world_pair(.one_way_ms = 20));
    world_run_for(&h.w, STT_S(10)); /* the first, since the last that was said */
    uint64_t answers = h.back.seen[PROTECTED];
    for (int i = 0; i < 10; i++) {
        world_require(&h.w, is_about(next_gap(&h, &h.forth), STT_S(10)));
        world_run_for(&h.w, STT_MS(100));
        world_require(&h.w, h.back.seen[PROTECTED] == ++answers);
    }
    ways_require_one_session(&h.w);
    world_end(&h.w);
}
END_TEST

/* Nobody will answer a PING after silence, so its ack has no company to wait for; another's waits
 * for a quarter of the round trip. */
START_TEST(a_ping_after_5_s_of_silence_is_acknowledged_at_once)
{
    struct heard h;
    bool is_quiet = _i % 2;
    connect_and_listen(&h, &ways[_i / 2], world_pair(.one_way_ms = 20));
    world_run_for(&h.w, is_quiet ? STT_S(5) : STT_S(2));
    uint64_t answers = h.back.seen[PROTECTED];
    ping(&h.w, h.w.client);
    world_run_for(&h.w, STT_MS(100));
    stt_ns took = h.back.at[PROTECTED] - h.forth.at[PROTECTED];
    world_require(&h.w, h.back.seen[PROTECTED] == answers + 1);
    world_require(&h.w, is_quiet ? took < STT_MS(21) : took > STT_MS(29) && took < STT_MS(35));
    world_end(&h.w);
}
END_TEST

static void client_keeps_silent(struct stt_config *config, bool is_client)
{
    if (is_client)
        config->keep_alive_ns = STT_NEVER;
}

START_TEST(the_responder_pings_after_15_s_when_the_initiator_does_not)
{
    struct heard h;
    connect_and_listen(&h, &ways[_i],
                       world_pair(.one_way_ms = 20, .configure = client_keeps_silent));
    world_run_for(&h.w, STT_S(20));
    for (int i = 0; i < 5; i++) {
        uint64_t answers = h.forth.seen[PROTECTED];
        world_require(&h.w, is_about(next_gap(&h, &h.back), STT_S(15)));
        world_run_for(&h.w, STT_MS(100));
        world_require(&h.w, h.forth.seen[PROTECTED] == answers + 1);
    }
    ways_require_one_session(&h.w);
    world_end(&h.w);
}
END_TEST

static void both_keep_silent(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->keep_alive_ns = STT_NEVER;
}

/* -- idling --------------------------------------------------------------------------------------
 */

static void client_is_impatient(struct stt_config *config, bool is_client)
{
    if (is_client)
        config->idle_timeout_ns = STT_S(12);
}

static void server_is_impatient(struct stt_config *config, bool is_client)
{
    client_is_impatient(config, !is_client);
}

static const struct idling {
    void (*configure)(struct stt_config *config, bool is_client);
    stt_ns timeout_ns;
} idlings[] = {
    {NULL, STT_S(30)},
    {both_keep_silent, STT_S(30)},
    {client_is_impatient, STT_S(12)},
    {server_is_impatient, STT_S(12)},
};
enum { IDLINGS = sizeof idlings / sizeof idlings[0] };

static void require_idle_death(struct world *w, const struct world_side *side, stt_ns last,
                               stt_ns timeout)
{
    stt_ns at = side->latest_at[STT_EVENT_CLOSED];
    world_require(w, side->events[STT_EVENT_CLOSED] == 1);
    world_require(w, side->last.reason == STT_REASON_IDLE);
    world_require(w, at >= last + timeout && at <= last + timeout + STT_TICK_NS);
    world_require(w, sessions_of(w, side) == 0);
}

START_TEST(a_session_that_hears_nothing_dies_after_the_smaller_idle_timeout)
{
    const struct idling *idling = &idlings[_i % IDLINGS];
    struct heard h;
    connect_and_listen(&h, &ways[_i / IDLINGS],
                       world_pair(.one_way_ms = 20, .configure = idling->configure));
    stt_ns client_heard = info_of(&h.w, h.w.client).last_received_at;
    stt_ns server_heard = info_of(&h.w, h.w.server).last_received_at;
    darken(&h.w, STT_S(100));
    world_run_for(&h.w, STT_S(40));
    require_idle_death(&h.w, h.w.client, client_heard, idling->timeout_ns);
    require_idle_death(&h.w, h.w.server, server_heard, idling->timeout_ns);
    world_end(&h.w);
}
END_TEST

START_TEST(a_session_with_keep_alive_lives_through_a_day_of_silence)
{
    struct heard h;
    connect_and_listen(&h, &ways[_i], world_pair(.one_way_ms = 20));
    world_run_for(&h.w, STT_S(86400));
    ways_require_one_session(&h.w);
    world_require(&h.w, h.forth.seen[PROTECTED] < 86400 / 9 + 100);
    world_end(&h.w);
}
END_TEST

/* -- stalling ------------------------------------------------------------------------------------
 */

START_TEST(a_session_that_is_not_answered_says_so_and_says_when_it_is_over)
{
    struct heard h;
    connect_and_listen(&h, &ways[_i], world_pair(.one_way_ms = 20));
    darken(&h.w, STT_S(5));
    ping(&h.w, h.w.client);
    world_run_for(&h.w, STT_S(4));
    world_require(&h.w, h.w.client->events[STT_EVENT_STALLED] == 1);
    world_require(&h.w, info_of(&h.w, h.w.client).stalled);
    world_require(&h.w, h.w.client->events[STT_EVENT_RESUMED] == 0);
    world_run_for(&h.w, STT_S(8));
    world_require(&h.w, h.w.client->events[STT_EVENT_STALLED] == 1);
    world_require(&h.w, h.w.client->events[STT_EVENT_RESUMED] == 1);
    world_require(&h.w, !info_of(&h.w, h.w.client).stalled);
    ways_require_one_session(&h.w);
    world_end(&h.w);
}
END_TEST

/* While it is in use: what is silent for ten seconds already may die of twenty-five more. */
START_TEST(a_session_in_use_survives_a_blackout_of_up_to_25_s_with_one_handshake)
{
    static const unsigned seconds[] = {2, 10, 25};
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct heard h;
        connect_and_listen(&h, &ways[_i % WAYS], world_pair(.seed = seed, .one_way_ms = 20));
        ping(&h.w, h.w.client);
        world_run_for(&h.w, STT_MS(100));
        darken(&h.w, STT_S(seconds[_i / WAYS]));
        world_run_for(&h.w, STT_S(60));
        ways_require_one_session(&h.w);
        world_end(&h.w);
    }
}
END_TEST

/* -- the end -------------------------------------------------------------------------------------
 */

static void close_from(struct world *w, const struct world_side *side, const char *text)
{
    ck_assert_int_eq(
        stt_session_close(world_endpoint(w, side), stt_sim_now(w->sim), side->session, 7, text),
        STT_OK);
}

static void require_closed(struct world *w, const struct world_side *side, enum stt_reason reason)
{
    const struct stt_event *end = &side->latest[STT_EVENT_CLOSED];
    struct stt_session_info info;
    world_require(w, side->events[STT_EVENT_CLOSED] == 1);
    world_require(w, end->reason == reason && end->code == 7);
    world_require(w,
                  stt_session_info(world_endpoint(w, side), side->session, &info) == STT_E_STALE);
    world_require(w, sessions_of(w, side) == 0);
}

START_TEST(a_close_is_told_to_the_peer_from_either_side)
{
    struct heard h;
    connect_and_listen(&h, &ways[_i / 2], world_pair(.one_way_ms = 20));
    struct world_side *closer = _i % 2 ? h.w.server : h.w.client;
    struct world_side *other = _i % 2 ? h.w.client : h.w.server;
    close_from(&h.w, closer, "that is all");
    world_require(&h.w, world_run_until(&h.w, both_closed, STT_MS(30)));
    world_run_for(&h.w, STT_S(5));
    require_closed(&h.w, closer, STT_REASON_LOCAL_CLOSE);
    require_closed(&h.w, other, STT_REASON_PEER_CLOSE);
    ck_assert_str_eq(other->latest[STT_EVENT_CLOSED].text, "that is all");
    world_end(&h.w);
}
END_TEST

START_TEST(both_may_close_at_once)
{
    struct heard h;
    connect_and_listen(&h, &ways[_i], world_pair(.one_way_ms = 20));
    close_from(&h.w, h.w.client, NULL);
    close_from(&h.w, h.w.server, NULL);
    world_run_for(&h.w, STT_S(5));
    require_closed(&h.w, h.w.client, STT_REASON_LOCAL_CLOSE);
    require_closed(&h.w, h.w.server, STT_REASON_LOCAL_CLOSE);
    world_end(&h.w);
}
END_TEST

static void ping_from_server(struct heard *h, int n)
{
    for (int i = 0; i < n; i++) {
        ping(&h->w, h->w.server);
        world_run_for(&h->w, STT_MS(2));
    }
}

START_TEST(a_close_that_is_lost_is_said_again_after_1_2_4_and_8_packets)
{
    struct heard h;
    connect_and_listen(&h, &ways[WAY_K], world_pair(.one_way_ms = 20));
    uint64_t sent = h.forth.seen[PROTECTED];
    h.forth.lose[PROTECTED] = 5;
    close_from(&h.w, h.w.client, NULL);
    ping_from_server(&h, 1 + 2 + 4 + 8);
    world_run_for(&h.w, STT_MS(30)); /* until the last of them has come */
    world_require(&h.w, h.forth.seen[PROTECTED] == sent + 5);
    world_require(&h.w, h.w.server->events[STT_EVENT_CLOSED] == 0);
    ping_from_server(&h, 16);
    world_run_for(&h.w, STT_S(5));
    require_closed(&h.w, h.w.server, STT_REASON_PEER_CLOSE);
    world_end(&h.w);
}
END_TEST

START_TEST(a_close_is_answered_once)
{
    struct heard h;
    connect_and_listen(&h, &ways[WAY_K], world_pair(.one_way_ms = 20));
    uint64_t answers = h.back.seen[PROTECTED];
    h.back.lose[PROTECTED] = UINT64_MAX; /* so that the closing side does not end early */
    close_from(&h.w, h.w.client, NULL);
    world_run_for(&h.w, STT_MS(25));
    for (int i = 0; i < 20; i++) {
        tap_inject(&h.forth.kept[PROTECTED], h.w.sim);
        world_run_for(&h.w, STT_MS(1));
    }
    world_run_for(&h.w, STT_S(5));
    world_require(&h.w, h.back.seen[PROTECTED] == answers + 1);
    require_closed(&h.w, h.w.server, STT_REASON_PEER_CLOSE);
    world_end(&h.w);
}
END_TEST

START_TEST(a_connect_that_is_closed_before_it_is_answered_says_nothing_more)
{
    struct heard h;
    listen(&h, world_pair(.one_way_ms = 20));
    stt_handle session = way_begin(&h.w, &ways[_i]);
    world_run_for(&h.w, STT_MS(10));
    ck_assert_int_eq(
        stt_session_close(world_endpoint(&h.w, h.w.client), stt_sim_now(h.w.sim), session, 7, NULL),
        STT_OK);
    world_run_for(&h.w, STT_S(15));
    world_require(&h.w, stt_sim_link_stats(h.w.sim, h.w.links.forth).datagrams_in == 1);
    require_closed(&h.w, h.w.client, STT_REASON_LOCAL_CLOSE);
    world_require(&h.w, h.w.server->events[STT_EVENT_ACCEPTED] == 0);
    world_require(&h.w, sessions_of(&h.w, h.w.server) == 0);
    world_end(&h.w);
}
END_TEST

SUITE("life", TEST(an_initiator_of_mode_k_pings_until_it_is_acknowledged),
      TEST(an_initiator_of_mode_k_that_is_never_acknowledged_gives_up_after_10_s),
      LOOP(in_silence_the_initiator_pings_every_10_s_and_the_responder_only_answers, 0, WAYS),
      LOOP(a_ping_after_5_s_of_silence_is_acknowledged_at_once, 0, WAYS * 2),
      LOOP(the_responder_pings_after_15_s_when_the_initiator_does_not, 0, WAYS),
      LOOP(a_session_that_hears_nothing_dies_after_the_smaller_idle_timeout, 0, WAYS *IDLINGS),
      LOOP(a_session_with_keep_alive_lives_through_a_day_of_silence, 0, WAYS),
      LOOP(a_session_that_is_not_answered_says_so_and_says_when_it_is_over, 0, WAYS),
      LOOP(a_session_in_use_survives_a_blackout_of_up_to_25_s_with_one_handshake, 0, WAYS * 3),
      LOOP(a_close_is_told_to_the_peer_from_either_side, 0, WAYS * 2),
      LOOP(both_may_close_at_once, 0, WAYS),
      TEST(a_close_that_is_lost_is_said_again_after_1_2_4_and_8_packets),
      TEST(a_close_is_answered_once),
      LOOP(a_connect_that_is_closed_before_it_is_answered_says_nothing_more, 0, WAYS))
