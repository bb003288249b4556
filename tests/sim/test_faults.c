/* SPDX-License-Identifier: MIT
 * A machine that fails: no memory, no entropy, a clock that jumps, a suspend, round trips of
 * nothing and of half a minute, ten thousand sessions that all want something at once. */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/session/engine.h"
#include "tests/support/duo.h"
#include "tests/support/stopwatch.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"
#include "tests/support/world.h"

static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};
enum { MODES = 3 };

static struct duo duo;

/* -- a whole life, of which any part may fail -------------------------------------------------- */

/* What fails, and at which side. */
struct fault {
    const char *name;
    void (*arm)(struct test_env *te, uint64_t n);
    bool (*has_struck)(const struct test_env *te, uint64_t n);
};

static void arm_allocation(struct test_env *te, uint64_t n)
{
    te->fail_at = n;
}

static void arm_allocations(struct test_env *te, uint64_t n)
{
    te->fail_from = n;
}

static bool has_failed(const struct test_env *te, uint64_t n)
{
    (void)n;
    return te->failed > 0;
}

static void arm_entropy(struct test_env *te, uint64_t n)
{
    te->entropy_fail_at = n;
}

static void arm_repetition(struct test_env *te, uint64_t n)
{
    te->entropy_repeat_at = n;
}

static bool has_drawn(const struct test_env *te, uint64_t n)
{
    return te->draws >= n;
}

static const struct fault faults[] = {
    {"one allocation", arm_allocation, has_failed},
    {"all allocations from one on", arm_allocations, has_failed},
    {"one draw of entropy", arm_entropy, has_drawn},
    {"one draw repeats the one before", arm_repetition, has_drawn},
};
enum { FAULTS = sizeof faults / sizeof faults[0], LIVES = FAULTS * MODES * 2 };

/* The client goes to another port, and says something there. */
static void move(void)
{
    duo.client.address.port++;
    (void)stt_session_ping(duo.client.ep, duo.now, duo.client.session);
    duo_run_for(&duo, STT_S(1));
}

/* A train, so that memory is taken for the window. */
static void send_train(void)
{
    struct stt_session *s = traitor_session(duo.client.ep, duo.client.session);
    static const uint8_t ping[] = {STT_FRAME_PING};
    uint8_t packets[2 * 30];
    if (!s || !s->protect || s->state != STT_SESSION_OPEN)
        return;
    struct stt_train train = {.data = packets, .segment_bytes = 30};
    for (int i = 0; i < 2; i++)
        train.len += traitor_seal(s, BYTES(ping), packets + train.len);
    duo_deliver(&duo, &duo.server, NULL, &train);
    duo_run_for(&duo, STT_S(1));
}

static void live(enum stt_mode mode)
{
    int error = duo_begin(&duo, mode);
    ck_assert(error == STT_OK || error == STT_E_MEMORY || error == STT_E_IO);
    duo_run_for(&duo, STT_S(3));
    if (error)
        return;
    send_train();
    (void)stt_session_update_keys(duo.client.ep, duo.now, duo.client.session);
    duo_run_for(&duo, STT_S(1));
    move();
    duo_run_for(&duo, STT_S(25)); /* some keep-alives */
    error =
        stt_session_close(duo.client.ep, duo.now, duo.client.session, 1, "the words of the end");
    ck_assert(error == STT_OK || error == STT_E_STALE);
}

/* Whoever was told of a session hears of its end, once, and nothing is left of it. */
static void require_end(const struct duo_side *side, uint64_t sessions)
{
    struct stt_endpoint_stats stats = duo_stats(side);
    ck_assert_uint_eq(side->events[STT_EVENT_CLOSED], sessions);
    ck_assert_uint_eq(stats.sessions + stats.pending + stats.half_open, 0);
    ck_assert_uint_eq(side->ep->by_id.n + side->ep->answered.n + side->ep->counts.map.n, 0);
    ck_assert_uint_eq(side->ep->exclusive_in.n + side->ep->exclusive_out.n, 0);
    ck_assert(stt_endpoint_deadline(side->ep) == STT_NEVER || /* a code */
              stt_endpoint_deadline(side->ep) > duo.now + STT_S(300));
}

/* One life, with a fault at the n-th occasion; false when there was none. */
static bool live_with(const struct fault *fault, enum stt_mode mode, bool at_server, uint64_t n)
{
    duo_init(&duo, 1);
    duo.latency_ns = STT_US(100);
    struct duo_side *side = at_server ? &duo.server : &duo.client;
    duo_start(&duo); /* that fails in test_endpoint */
    side->te.allocs = side->te.draws = 0;
    fault->arm(&side->te, n);
    live(mode);
    bool has_begun = duo.client.session != 0;
    duo_run_for(&duo, STT_S(100));
    require_end(&duo.client, has_begun);
    require_end(&duo.server, duo.server.events[STT_EVENT_ACCEPTED]);
    bool struck = fault->has_struck(&side->te, n);
    duo_end(&duo);
    return struck;
}

START_TEST(a_life_in_which_any_one_thing_fails_ends_well_cases_37_and_61)
{
    const struct fault *fault = &faults[_i / (MODES * 2)];
    enum stt_mode mode = modes[_i / 2 % MODES];
    uint64_t n = 1;
    while (live_with(fault, mode, _i % 2, n))
        n++;
    ck_assert_uint_gt(n, 3);
}
END_TEST

START_TEST(a_single_failure_after_the_handshake_costs_no_session_case_37)
{
    for (uint64_t n = 1; n < 40; n++) {
        duo_init(&duo, 1);
        duo.latency_ns = STT_US(100);
        duo_start(&duo);
        duo_connect(&duo, modes[_i / 2]);
        struct duo_side *side = _i % 2 ? &duo.server : &duo.client;
        side->te.fail_at = side->te.allocs + n;
        send_train();
        ck_assert_int_eq(stt_session_update_keys(duo.client.ep, duo.now, duo.client.session),
                         STT_OK);
        duo_run_for(&duo, STT_S(1));
        move();
        duo_run_for(&duo, STT_S(60));
        ck_assert_str_eq(duo_info(&duo.client).state, "open");
        ck_assert_str_eq(duo_info(&duo.server).state, "open");
        duo_end(&duo);
    }
}
END_TEST

START_TEST(an_endpoint_at_its_memory_limit_keeps_the_sessions_it_has)
{
    duo_init(&duo, 1);
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    stt_handle first = duo.server.session;
    duo_run_for(&duo, STT_S(25)); /* until memory for traffic has gone back */
    duo.server.te.limit_bytes = duo.server.te.bytes_in_use + 512;
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(duo_begin(&duo, STT_MODE_K), STT_OK);
    duo_run_for(&duo, STT_S(60));
    ck_assert_uint_eq(duo.server.events[STT_EVENT_ACCEPTED], 1);
    ck_assert_uint_eq(duo.client.events[STT_EVENT_CLOSED], 20);
    duo.server.session = first;
    ck_assert_str_eq(duo_info(&duo.server).state, "open");
    ck_assert_uint_gt(duo_stats(&duo.server).dropped_no_memory, 0);
    duo.server.te.limit_bytes = 0;
    duo_connect(&duo, STT_MODE_K); /* and others are welcome again */
    duo_end(&duo);
}
END_TEST

/* Nothing else would wake the session: no answer is due, and the host has said all. */
START_TEST(what_lack_of_memory_held_back_goes_when_there_is_some_again)
{
    duo_init(&duo, 1);
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    duo_run_for(&duo, STT_S(25)); /* until memory for traffic has gone back */
    stt_ns quiet = duo_info(&duo.client).last_received_at;
    duo.client.te.fail_from = duo.client.te.allocs;
    ck_assert_int_eq(stt_session_ping(duo.client.ep, duo.now, duo.client.session), STT_OK);
    duo_run_for(&duo, STT_S(3));
    ck_assert_uint_gt(duo.client.te.failed, 0);
    ck_assert_uint_eq(duo_info(&duo.client).last_received_at, quiet);
    duo.client.te.fail_from = 0;
    duo_run_for(&duo, STT_MS(100));
    ck_assert_uint_gt(duo_info(&duo.client).last_received_at, quiet);
    duo_end(&duo);
}
END_TEST

START_TEST(without_entropy_a_session_lives_and_no_other_begins_case_61)
{
    duo_init(&duo, 1);
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    duo.client.te.entropy_fails = duo.server.te.entropy_fails = _i == 0;
    duo.client.te.entropy_repeats = duo.server.te.entropy_repeats = _i == 1;
    duo_run_for(&duo, STT_S(120));
    ck_assert_str_eq(duo_info(&duo.client).state, "open");
    stt_handle first = duo.client.session;
    (void)!duo_begin(&duo, STT_MODE_K); /* the first draw that repeats still gives an answer */
    int error = duo_begin(&duo, STT_MODE_K);
    ck_assert(error == STT_E_IO || error == STT_E_MEMORY);
    duo.client.session = first;
    move(); /* a trial cannot be challenged, and holds nothing up */
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(stt_session_ping(duo.client.ep, duo.now, first), STT_OK);
        duo_run_for(&duo, STT_MS(100));
    }
    duo.client.session = first;
    ck_assert_uint_le(duo.now - duo_info(&duo.client).last_received_at, STT_MS(200));
    duo_end(&duo);
}
END_TEST

/* -- clocks ------------------------------------------------------------------------------------ */

/* All that a host can see of a life that begins at this instant, as times since then. */
static uint64_t story_from(stt_ns start)
{
    uint64_t story = 0;
    duo_init(&duo, 1);
    duo.now = start;
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    for (int i = 0; i < 40; i++) {
        stt_ns a = stt_endpoint_deadline(duo.client.ep), b = stt_endpoint_deadline(duo.server.ep);
        story = story * 31 + (a - start) * 7 + (b - start) + duo.client.bytes * 3;
        duo_run_for(&duo, (a < b ? a : b) - duo.now);
    }
    duo_end(&duo);
    return story;
}

/* Ticks of 50 ms are those of the clock, so it is shifted by whole ones. */
START_TEST(nothing_depends_on_what_time_it_is_case_38)
{
    static const stt_ns starts[] = {0, STT_MS(50), STT_S(3600), STT_S(315360000),
                                    STT_S(UINT64_C(9000000000))};
    ck_assert_uint_eq(story_from(starts[_i]), story_from(STT_S(315360000 * 2)));
}
END_TEST

START_TEST(an_hour_of_sleep_is_noticed_at_once_and_a_new_session_connects_case_39)
{
    struct world w = world_pair(.one_way_ms = 5);
    world_connect(&w, STT_MODE_K);
    world_run_for(&w, STT_S(5));
    stt_sim_suspend(w.sim, w.client->node);
    world_run_for(&w, STT_S(3600));
    world_require(&w, !w.client->events[STT_EVENT_CLOSED]);
    world_require(&w, w.server->events[STT_EVENT_CLOSED] == 1);
    world_require(&w, w.server->last.reason == STT_REASON_IDLE);
    stt_sim_resume(w.sim, w.client->node);
    world_run_for(&w, STT_MS(1));
    world_require(&w, w.client->events[STT_EVENT_CLOSED] == 1);
    world_require(&w, w.client->last.reason == STT_REASON_IDLE);
    world_connect(&w, STT_MODE_K);
    world_end(&w);
}
END_TEST

static void be_patient(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->idle_timeout_ns = STT_S(3600);
    config->handshake_ns = STT_S(60);
}

static struct stt_session_info info_of(struct world *w, const struct world_side *side)
{
    struct stt_session_info info;
    world_require(w, stt_session_info(world_endpoint(w, side), side->session, &info) == STT_OK);
    return info;
}

START_TEST(round_trips_of_nothing_overflow_nothing_case_40)
{
    struct world w = world_pair(.one_way_ms = 0);
    world_connect(&w, modes[_i]);
    for (int i = 0; i < 1000; i++) {
        stt_ns now = stt_sim_now(w.sim);
        const struct world_side *side = i % 2 ? w.client : w.server;
        world_require(&w, stt_session_ping(world_endpoint(&w, side), now, side->session) == STT_OK);
        world_run_for(&w, STT_MS(1));
    }
    world_require(&w, info_of(&w, w.client).rtt_ns <= STT_MS(1));
    world_run_for(&w, STT_S(300));
    world_require(&w, !w.client->events[STT_EVENT_CLOSED] && !w.server->events[STT_EVENT_CLOSED]);
    world_require(&w, !w.client->events[STT_EVENT_STALLED]);
    world_end(&w);
}
END_TEST

START_TEST(round_trips_of_half_a_minute_overflow_nothing_case_40)
{
    struct world w = world_pair(.one_way_ms = 5, .configure = be_patient);
    world_connect(&w, modes[_i]);
    world_run_for(&w, STT_S(1));
    struct stt_link_config slow = stt_sim_link_config(w.sim, w.links.forth);
    slow.delay_ns = STT_S(15);
    stt_sim_link_set(w.sim, w.links.forth, &slow);
    stt_sim_link_set(w.sim, w.links.back, &slow);
    world_run_for(&w, STT_S(1800));
    struct stt_session_info client = info_of(&w, w.client);
    world_require(&w, client.rtt_ns >= STT_S(25) && client.rtt_ns <= STT_S(60));
    world_require(&w, client.packets_sent < 3000 && client.packets_received > 100);
    world_require(&w, stt_session_close(world_endpoint(&w, w.client), stt_sim_now(w.sim),
                                        w.client->session, 1, NULL) == STT_OK);
    world_run_for(&w, STT_S(400));
    world_require(&w, both_closed(&w));
    world_end(&w);
}
END_TEST

START_TEST(nobody_connects_over_half_a_minute_and_is_told_so_case_40)
{
    struct world w = world_pair(.one_way_ms = 15000);
    world_connect_begin(&w, modes[_i]);
    world_run_for(&w, STT_S(11));
    world_require(&w, w.client->events[STT_EVENT_CLOSED] == 1);
    world_require(&w, w.client->last.reason == STT_REASON_NO_ANSWER);
    world_run_for(&w, STT_S(100));
    struct stt_endpoint_stats stats;
    stt_endpoint_stats(world_endpoint(&w, w.server), &stats);
    world_require(&w, stats.sessions == 0 && stats.half_open == 0);
    world_end(&w);
}
END_TEST

/* -- many -------------------------------------------------------------------------------------- */

enum { MANY = 10000 };

static size_t before[2]; /* bytes in use, without sessions: client, server */

static stt_ns next_deadline(void)
{
    stt_ns a = stt_endpoint_deadline(duo.client.ep), b = stt_endpoint_deadline(duo.server.ep);
    return a < b ? a : b;
}

static void connect_many(unsigned n, uint8_t suite_id)
{
    duo_init(&duo, 1);
    for (int i = 0; i < 2; i++) {
        struct stt_config *c = i ? &duo.server.config : &duo.client.config;
        c->n_suites = 1;
        c->suites[0] = stt_aead_by_id(suite_id, stt_cpu_detect());
        c->handshake_work_percent = 100;
    }
    duo_start(&duo);
    before[0] = duo.client.te.bytes_in_use;
    before[1] = duo.server.te.bytes_in_use;
    for (unsigned i = 0; i < n; i++) {
        duo_connect(&duo, STT_MODE_K);
        duo.now += STT_MS(1);
    }
}

/* Everything is counted that is there with them and was not before. */
START_TEST(ten_thousand_idle_sessions_take_what_they_may_and_live_case_35)
{
    static const struct {
        uint8_t suite;
        unsigned n;
        size_t most;
    } rows[] = {{STT_AEAD_CHACHA20_POLY1305, MANY, 4096},
                {STT_AEAD_AEGIS_128X2, MANY / 10, 4096},
                {STT_AEAD_AES_256_GCM, MANY / 10, 6144}};
    unsigned n = rows[_i].n;
    if (!stt_aead_by_id(rows[_i].suite, stt_cpu_detect()))
        return;
    connect_many(n, rows[_i].suite);
    duo_run_for(&duo, STT_S(60));
    for (int i = 0; i < 2; i++) {
        const struct duo_side *side = i ? &duo.server : &duo.client;
        ck_assert_uint_eq(duo_stats(side).sessions, n);
        ck_assert_uint_eq(side->events[STT_EVENT_CLOSED], 0);
        ck_assert_uint_le((side->te.bytes_in_use - before[i]) / n, rows[_i].most);
    }
    ck_assert_uint_ge(duo.client.trains, n * UINT64_C(9)); /* 4 at first, and 5 keep-alives */
    duo_end(&duo);
}
END_TEST

START_TEST(a_session_that_has_been_busy_gives_its_memory_back_when_it_is_quiet)
{
    duo_init(&duo, 1);
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    duo_run_for(&duo, STT_S(40));
    size_t client = duo.client.te.bytes_in_use, server = duo.server.te.bytes_in_use;
    for (int i = 0; i < 50; i++) { /* both ways at once, and late */
        ck_assert_int_eq(stt_session_ping(duo.client.ep, duo.now, duo.client.session), STT_OK);
        ck_assert_int_eq(stt_session_ping(duo.server.ep, duo.now, duo.server.session), STT_OK);
        duo_swallow(&duo, &duo.server);
        send_train();
    }
    ck_assert_uint_gt(duo.server.te.bytes_in_use, server);
    duo_run_for(&duo, STT_S(40));
    ck_assert_str_eq(duo_info(&duo.server).state, "open");
    const size_t ring = 256; /* of a keep-alive that is out */
    ck_assert_uint_le(duo.client.te.bytes_in_use, client + ring);
    ck_assert_uint_le(duo.server.te.bytes_in_use, server + ring);
    duo_end(&duo);
}
END_TEST

/* All timers of all sessions are due in one instant. Whoever calls expire gets it over with in
 * about the time of so many packets; and what comes meanwhile is taken right after. */
START_TEST(ten_thousand_timers_at_once_starve_nobody_case_41)
{
    connect_many(MANY, STT_AEAD_CHACHA20_POLY1305);
    duo_run_for(&duo, STT_S(1));
    stt_handle last = duo.server.session;
    duo.now += STT_S(18); /* everybody's keep-alive at once, and nobody's end */
    double began = cpu_seconds();
    stt_endpoint_expire(duo.client.ep, duo.now);
    stt_endpoint_expire(duo.server.ep, duo.now);
    ck_assert(cpu_seconds() - began < 1); /* 10 ms, on a machine of today */
    static const uint8_t ping[] = {STT_FRAME_PING};
    uint8_t packet[TRAITOR_PACKET_MAX];
    struct stt_session *s = traitor_session(duo.client.ep, duo.client.session);
    duo_deliver_bytes(&duo, &duo.server, NULL, packet, traitor_seal(s, BYTES(ping), packet));
    duo.server.session = last;
    ck_assert_uint_eq(duo_info(&duo.server).last_received_at, duo.now);
    duo_exchange(&duo);
    ck_assert_uint_eq(duo_stats(&duo.client).sessions, MANY);
    ck_assert_uint_eq(duo_stats(&duo.server).sessions, MANY);
    duo_end(&duo);
}
END_TEST

/* Machines are woken by what is due, and by nothing else: each time there is something to say. */
START_TEST(many_quiet_sessions_wake_their_machines_at_ticks_alone)
{
    enum { N = 300, TICKS_A_SECOND = STT_S(1) / STT_TICK_NS };
    unsigned wakes = 0;
    connect_many(N, STT_AEAD_CHACHA20_POLY1305);
    duo_run_for(&duo, STT_S(20)); /* and now only keep-alives are left */
    uint64_t trains = duo.client.trains;
    for (stt_ns end = duo.now + STT_S(60), next; (next = next_deadline()) <= end; wakes++) {
        uint64_t said = duo.client.trains;
        ck_assert_uint_gt(next, duo.now);
        ck_assert_uint_eq(next % STT_TICK_NS, 0);
        duo_run_for(&duo, next - duo.now);
        ck_assert_uint_gt(duo.client.trains, said);
    }
    ck_assert_uint_ge(duo.client.trains - trains, N * UINT64_C(5));
    ck_assert_uint_le(wakes, 60 * TICKS_A_SECOND);
    duo_end(&duo);
}
END_TEST

AGED_SUITE("faults",
           FRESH_LOOP(a_life_in_which_any_one_thing_fails_ends_well_cases_37_and_61, 0, LIVES,
                      "it begins with the endpoint"),
           LOOP(a_single_failure_after_the_handshake_costs_no_session_case_37, 0, 2 * MODES),
           TEST(an_endpoint_at_its_memory_limit_keeps_the_sessions_it_has),
           TEST(what_lack_of_memory_held_back_goes_when_there_is_some_again),
           LOOP(without_entropy_a_session_lives_and_no_other_begins_case_61, 0, 2),
           LOOP(nothing_depends_on_what_time_it_is_case_38, 0, 5),
           TEST(an_hour_of_sleep_is_noticed_at_once_and_a_new_session_connects_case_39),
           LOOP(round_trips_of_nothing_overflow_nothing_case_40, 0, MODES),
           LOOP(round_trips_of_half_a_minute_overflow_nothing_case_40, 0, MODES),
           FRESH_LOOP(nobody_connects_over_half_a_minute_and_is_told_so_case_40, 0, MODES,
                      "no session"),
           FRESH_LOOP(ten_thousand_idle_sessions_take_what_they_may_and_live_case_35, 0, 3,
                      "ten thousand sessions"),
           TEST(a_session_that_has_been_busy_gives_its_memory_back_when_it_is_quiet),
           FRESH_TEST(ten_thousand_timers_at_once_starve_nobody_case_41, "ten thousand sessions"),
           FRESH_TEST(many_quiet_sessions_wake_their_machines_at_ticks_alone, "many sessions"))
