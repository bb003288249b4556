/* SPDX-License-Identifier: MIT
 * REKEY in the life of a session: when it comes, and that nothing on the way keeps it from coming
 * or costs a byte. Two minutes after the client's session has opened it is due. */
#include "crypto/cpu.h"
#include "stt/session/engine.h"
#include "stt/stats.h"
#include "tests/support/flows.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

enum { MIB = 1 << 20, TRAFFIC = 2 * MIB, RATE = 10000000, ONE_WAY_MS = 20, MODES = 3, SUITES = 4 };

static const enum stt_mode modes[MODES] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};

static struct world w;
static struct flows f;
static stt_ns due; /* the first one */

#define setup(mode, ...)                                                                           \
    setup_with(mode, &(struct world_options){                                                      \
                         .one_way_ms = ONE_WAY_MS, .queue_bytes = 50000, __VA_ARGS__})
static void setup_with(enum stt_mode mode, const struct world_options *options)
{
    w = world_pair_new(options);
    world_connect(&w, mode);
    flows_init(&f, &w);
    due = w.client->connected_at + STT_S(120);
}

static void run_until(stt_ns at)
{
    flows_run_for(&f, at - stt_sim_now(w.sim));
}

static struct stt_session_info info_of(const struct world_side *side)
{
    struct stt_session_info info;
    world_require(&w, stt_session_info(world_endpoint(&w, side), side->session, &info) == STT_OK);
    return info;
}

static struct stt_session *session_of(const struct world_side *side)
{
    return stt_endpoint_find(world_endpoint(&w, side), side->session);
}

/* Both are in the same epoch, of which so many came from a REKEY, and nothing is left of it. */
static void require_rekeys(uint64_t n)
{
    struct stt_session_info client = info_of(w.client), server = info_of(w.server);
    ck_assert_msg(client.rekeys == n && server.rekeys == n, "%d and %d", (int)client.rekeys,
                  (int)server.rekeys);
    world_require(&w, client.epoch == server.epoch && client.epoch >= n);
    world_require(&w, !session_of(w.client)->rekey && !session_of(w.server)->rekey);
    world_require(&w, memcmp(session_of(w.client)->h, session_of(w.server)->h, 64) == 0);
    world_require(&w, !w.client->events[STT_EVENT_CLOSED] && !w.server->events[STT_EVENT_CLOSED]);
}

static struct flow *stream; /* the client's */

/* A MiB and more has gone each way when the first one is due, and as much comes behind it. */
static void begin_traffic(void)
{
    run_until(due - STT_S(1));
    f.server.reply_bytes = TRAFFIC;
    stream = flows_open(&f, &f.client, &(struct flow){.to_write = TRAFFIC});
}

static void require_traffic(stt_ns within)
{
    flows_require(&f, flows_are_over, within);
    world_require(&w, stream->read == TRAFFIC && flows_peer(&f, stream)->read == TRAFFIC);
    flows_run_for(&f, STT_S(3));
}

/* So much use that the next is due with time alone. */
static void use_enough(void)
{
    f.server.reply_bytes = 0;
    flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    flows_require(&f, flows_are_over, STT_S(20));
}

/* -- when --------------------------------------------------------------------------------------
 */

START_TEST(keys_are_renewed_in_the_middle_of_a_transfer_without_a_pause)
{
    setup(modes[_i], .rate_bits_per_s = RATE);
    begin_traffic();
    run_until(due - STT_MS(1));
    require_rekeys(0);
    uint64_t before = stream->read;
    run_until(due + STT_MS(200));
    require_rekeys(1);
    world_require(&w, stream->read - before > 120000); /* of 250,000 at this rate */
    require_traffic(STT_S(5));
    require_rekeys(1);
    flows_end(&f);
}
END_TEST

static uint8_t suite_id;

static void use_suite(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->n_suites = 1;
    config->suites[0] = stt_aead_by_id(suite_id, stt_cpu_detect());
}

START_TEST(keys_are_renewed_in_every_suite)
{
    suite_id = (uint8_t)_i;
    if (!stt_aead_by_id(suite_id, stt_cpu_detect()))
        return;
    setup(STT_MODE_K, .rate_bits_per_s = RATE, .configure = use_suite);
    begin_traffic();
    require_traffic(STT_S(7));
    require_rekeys(1);
    flows_end(&f);
}
END_TEST

static void never_ping(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->keep_alive_ns = STT_NEVER;
    config->idle_timeout_ns = STT_S(600);
}

START_TEST(what_was_used_long_before_counts_also_when_nothing_is_sent_any_more)
{
    setup(STT_MODE_K, .configure = never_ping);
    use_enough();
    run_until(due - STT_US(1));
    require_rekeys(0);
    run_until(due + STT_MS(100));
    require_rekeys(1);
    flows_end(&f);
}
END_TEST

START_TEST(an_idle_session_keeps_its_keys_until_it_has_been_used)
{
    setup(STT_MODE_K, .rate_bits_per_s = RATE);
    run_until(due + STT_S(36000)); /* 3,600 keep-alives and their acks */
    require_rekeys(0);
    ck_assert_uint_gt(info_of(w.client).packets_sent + info_of(w.client).packets_received, 7000);
    use_enough();
    flows_run_for(&f, STT_MS(100));
    require_rekeys(1);
    flows_run_for(&f, STT_S(36000));
    require_rekeys(1);
    flows_end(&f);
}
END_TEST

static void ping(const struct world_side *side)
{
    int error = stt_session_ping(world_endpoint(&w, side), stt_sim_now(w.sim), side->session);
    world_require(&w, error == STT_OK);
    stt_sim_touch(w.sim, side->node);
    flows_run_for(&f, STT_MS(50));
}

static void write_little(struct flow *flow)
{
    flow->to_write++;
    flows_write(&f, flow);
    flows_run_for(&f, STT_MS(50));
}

/* A byte in a packet of its own, a thousand times, by whichever side. */
START_TEST(a_thousand_packets_are_use_and_pings_are_none)
{
    setup(STT_MODE_K);
    struct flows_side *by = _i ? &f.server : &f.client;
    struct flow *flow = flows_open(&f, by, &(struct flow){.to_write = 1, .stays_open = true});
    for (int i = 0; i < 2000; i++)
        ping(i % 2 ? w.client : w.server);
    run_until(due + STT_S(1));
    require_rekeys(0);
    for (int i = 0; i < 970; i++)
        write_little(flow);
    require_rekeys(0);
    for (int i = 0; i < 40; i++)
        write_little(flow);
    require_rekeys(1);
    flows_end(&f);
}
END_TEST

START_TEST(what_only_the_server_sends_counts_too)
{
    setup(STT_MODE_K, .rate_bits_per_s = RATE);
    f.server.reply_bytes = 2 * MIB;
    flows_open(&f, &f.client, &(struct flow){.to_write = 1});
    flows_require(&f, flows_are_over, STT_S(5));
    run_until(due + STT_S(1));
    require_rekeys(1);
    flows_end(&f);
}
END_TEST

/* The clock begins anew when one is through, so they come a little later each time. */
START_TEST(a_session_that_is_always_used_gets_new_keys_every_two_minutes)
{
    const uint64_t most = 40 * MIB; /* of 200 kbit/s for 21 minutes */
    setup(STT_MODE_K, .rate_bits_per_s = 200000, .loss_ppm = (uint32_t)_i * 10000);
    f.server.reply_bytes = most;
    flows_open(&f, &f.client, &(struct flow){.to_write = most});
    for (uint64_t n = 1; n <= 10; n++) {
        run_until(w.client->connected_at + n * STT_S(120) - STT_MS(1));
        world_require(&w, info_of(w.client).rekeys == n - 1);
        world_require(&w, info_of(w.server).rekeys == n - 1);
    }
    run_until(w.client->connected_at + STT_S(1260));
    require_rekeys(10);
    flows_end(&f);
}
END_TEST

/* -- what gets lost ----------------------------------------------------------------------------
 */

static bool runs(void)
{
    return session_of(w.client)->rekey || session_of(w.server)->rekey ||
           info_of(w.client).rekeys != info_of(w.server).rekeys;
}

START_TEST(loss_copies_and_reordering_do_not_keep_it_from_coming)
{
    static const uint32_t losses[] = {20000, 100000, 300000};
    setup(modes[_i % MODES], .seed = 1 + (uint64_t)_i, .rate_bits_per_s = RATE,
          .link = {.reorder_ppm = 100000, .reorder_ns = STT_MS(30), .duplicate_ppm = 100000});
    struct stt_link_config link = stt_sim_link_config(w.sim, w.links.forth);
    link.loss_ppm = losses[_i / 10 % 3];
    stt_sim_link_set_at(w.sim, due - STT_S(1), w.links.forth, &link);
    stt_sim_link_set_at(w.sim, due - STT_S(1), w.links.back, &link);
    begin_traffic();
    require_traffic(STT_S(600));
    flows_run_for(&f, STT_S(20));
    for (int i = 0; i < 3 && runs(); i++) /* the next one, by now; its last word may be lost, too */
        flows_run_for(&f, STT_S(20));
    require_rekeys(info_of(w.client).rekeys);
    world_require(&w, info_of(w.client).rekeys >= 1);
    flows_end(&f);
}
END_TEST

/* Loses the n-th and the m-th that enter a link from an instant on. */
struct hole {
    stt_ns from;
    uint64_t seen, n, m;
};

static bool lose(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    struct hole *h = ctx;
    (void)d;
    if (now < h->from)
        return true;
    h->seen++;
    return h->seen != h->n && h->seen != h->m;
}

enum { DATAGRAMS = 90 };

/* Before stage 1 would be repeated anyway. */
START_TEST(any_datagram_of_a_transfer_around_it_may_be_lost)
{

    struct hole hole = {.n = (uint64_t)(_i % DATAGRAMS) + 1};
    setup(STT_MODE_K, .rate_bits_per_s = RATE);
    begin_traffic();
    hole.from = due - STT_MS(1);
    stt_sim_tap(w.sim, _i < DATAGRAMS ? w.links.forth : w.links.back, lose, &hole);
    run_until(due + STT_MS(900));
    require_rekeys(1);
    world_require(&w, hole.seen > DATAGRAMS);
    require_traffic(STT_S(7));
    flows_end(&f);
}
END_TEST

/* Nothing else is on its way: of the six datagrams or so any two, of one side or one of each. */
START_TEST(any_two_of_its_own_datagrams_may_be_lost)
{
    enum { FIRST = 6, PAIRS = FIRST * FIRST };
    uint64_t a = (uint64_t)(_i % FIRST) + 1, b = (uint64_t)(_i % PAIRS / FIRST) + 1;
    struct hole forth = {.n = a, .m = _i / PAIRS == 0 ? b : 0};
    struct hole back = {.n = _i / PAIRS == 0 ? 0 : b, .m = _i / PAIRS == 2 ? a : 0};
    if (_i / PAIRS == 2)
        forth.n = 0;
    setup(STT_MODE_S);
    use_enough();
    forth.from = back.from = due - STT_US(1);
    stt_sim_tap(w.sim, w.links.forth, lose, &forth);
    stt_sim_tap(w.sim, w.links.back, lose, &back);
    run_until(due + STT_MS(900));
    require_rekeys(1);
    use_enough();
    flows_end(&f);
}
END_TEST

START_TEST(darkness_while_it_runs_only_delays_it)
{
    static const stt_ns lasts[] = {STT_MS(1), STT_MS(30), STT_MS(100),
                                   STT_S(1),  STT_S(7),   STT_S(25)};
    enum { LASTS = sizeof lasts / sizeof lasts[0] };
    setup(STT_MODE_K);
    use_enough();
    run_until(due - STT_S(1));
    ping(w.client); /* so that nobody takes the other for dead */
    stt_ns from = due + STT_MS(5 * (_i / LASTS)), until = from + lasts[_i % LASTS];
    stt_sim_blackout(w.sim, w.links.forth, from, until);
    stt_sim_blackout(w.sim, w.links.back, from, until);
    run_until(until + STT_S(4));
    require_rekeys(1);
    use_enough();
    flows_end(&f);
}
END_TEST

/* -- beside other things -----------------------------------------------------------------------
 */

static void move_port(void *ctx, struct stt_sim *sim)
{
    uint16_t *port = ctx;
    struct stt_address from = stt_sim_ipv4(1, *port), to = stt_sim_ipv4(1, ++*port);
    stt_sim_address_move(sim, w.client->node, &from, &to);
}

START_TEST(the_clients_address_may_change_while_it_runs)
{
    uint16_t port = WORLD_PORT;
    setup(STT_MODE_K, .rate_bits_per_s = RATE, .loss_ppm = _i % 2 ? 10000 : 0);
    begin_traffic();
    stt_sim_at(w.sim, due - STT_MS(50) + (stt_ns)_i * STT_MS(5), move_port, &port);
    stt_sim_at(w.sim, due + STT_MS(300), move_port, &port);
    require_traffic(STT_S(20));
    require_rekeys(1);
    world_require(&w, info_of(w.server).path.remote.port == port);
    flows_end(&f);
}
END_TEST

static int update_keys(const struct world_side *side)
{
    return stt_session_update_keys(world_endpoint(&w, side), stt_sim_now(w.sim), side->session);
}

static void update_now(void *ctx, struct stt_sim *sim)
{
    const struct world_side *side = ctx;
    bool runs = session_of(side)->rekey != NULL;
    int error = update_keys(side);
    world_require(&w, error == (runs ? STT_E_AGAIN : STT_OK) || (!runs && error == STT_E_AGAIN));
    stt_sim_touch(sim, side->node);
}

/* Whoever asks, and whenever it is: both sides come out in the same epoch, and no byte is lost. */
START_TEST(a_key_update_of_the_hosts_at_the_same_time_goes_before_or_behind_it)
{
    setup(STT_MODE_K, .rate_bits_per_s = RATE);
    begin_traffic();
    stt_ns at = due - STT_MS(60) + (stt_ns)(_i / 3) * STT_MS(4);
    if (_i % 3 != 1)
        stt_sim_at(w.sim, at, update_now, w.client);
    if (_i % 3 != 0)
        stt_sim_at(w.sim, at, update_now, w.server);
    require_traffic(STT_S(7));
    require_rekeys(1);
    world_require(&w, info_of(w.client).epoch <= 3);
    flows_end(&f);
}
END_TEST

struct updates {
    const struct world_side *side;
    struct rng rng;
};

static void update_often(void *ctx, struct stt_sim *sim)
{
    struct updates *u = ctx;
    update_now((void *)(uintptr_t)u->side, sim);
    if (stt_sim_now(sim) < due + STT_S(20))
        stt_sim_at(sim, stt_sim_now(sim) + rng_between(&u->rng, STT_MS(1), STT_MS(120)),
                   update_often, u);
}

START_TEST(it_comes_between_any_number_of_key_updates)
{
    setup(modes[_i % MODES], .seed = 1 + (uint64_t)_i, .rate_bits_per_s = RATE,
          .loss_ppm = (uint32_t)(_i % 4) * 20000,
          .link = {.reorder_ppm = 20000, .reorder_ns = STT_MS(20), .duplicate_ppm = 20000});
    struct updates client = {w.client, rng_init(w.seed)}, server = {w.server, rng_init(~w.seed)};
    begin_traffic();
    stt_sim_at(w.sim, due - STT_MS(500), update_often, &client);
    stt_sim_at(w.sim, due - STT_MS(500), update_often, &server);
    require_traffic(STT_S(60));
    run_until(due + STT_S(30));
    require_rekeys(1);
    world_require(&w, info_of(w.client).epoch > 20);
    flows_end(&f);
}
END_TEST

START_TEST(while_it_runs_neither_host_updates_keys)
{
    setup(STT_MODE_K);
    use_enough();
    run_until(due + STT_MS(1)); /* stage 1 is out */
    world_require(&w, session_of(w.client)->rekey && !session_of(w.server)->rekey);
    world_require(&w, update_keys(w.client) == STT_E_AGAIN);
    run_until(due + STT_MS(ONE_WAY_MS + 1)); /* stage 2 */
    world_require(&w, session_of(w.client)->rekey && session_of(w.server)->rekey);
    world_require(&w, update_keys(w.client) == STT_E_AGAIN && update_keys(w.server) == STT_E_AGAIN);
    run_until(due + STT_S(1));
    require_rekeys(1);
    world_require(&w, update_keys(w.client) == STT_OK); /* it is its PING that was acknowledged */
    ping(w.client);
    ping(w.server);
    flows_run_for(&f, STT_MS(100));
    world_require(&w, update_keys(w.server) == STT_OK);
    flows_end(&f);
}
END_TEST

static void use_gcm(enum stt_mode mode)
{
    suite_id = STT_AEAD_AES_256_GCM;
    setup(mode, .configure = use_suite);
}

/* With room for 100 packets, or for these and what is kept; what goes first is lost, either way. */
START_TEST(a_key_that_is_nearly_worn_is_no_obstacle)
{
    struct hole forth = {.n = 1, .m = 2}, back = {.n = 1, .m = 2};
    if (!stt_aead_by_id(STT_AEAD_AES_256_GCM, stt_cpu_detect()))
        return;
    use_gcm(STT_MODE_K);
    use_enough();
    run_until(due - STT_US(1));
    forth.from = back.from = due - STT_US(1);
    stt_sim_tap(w.sim, w.links.forth, lose, &forth);
    stt_sim_tap(w.sim, w.links.back, lose, &back);
    struct stt_protect *p = session_of(_i % 2 ? w.server : w.client)->protect;
    p->sealed = p->keys.suite->max_packets - 100 - (_i < 2 ? 0 : STT_KEY_UPDATE_RESERVE);
    f.server.reply_bytes = 2 * MIB;
    flows_open(&f, &f.client, &(struct flow){.to_write = 2 * MIB});
    flows_require(&f, flows_are_over, STT_S(20));
    flows_run_for(&f, STT_S(3));
    require_rekeys(1);
    flows_end(&f);
}
END_TEST

START_TEST(it_waits_for_a_key_of_which_less_than_half_is_used)
{
    if (!stt_aead_by_id(STT_AEAD_AES_256_GCM, stt_cpu_detect()))
        return;
    use_gcm(STT_MODE_K);
    use_enough();
    run_until(due - STT_US(1));
    struct stt_protect *p = session_of(w.client)->protect;
    p->sealed = p->keys.suite->max_packets / 2 + 1;
    run_until(due + STT_S(30));
    world_require(&w, info_of(w.client).epoch == 0);
    p->sealed = p->keys.suite->max_packets - 100;
    run_until(due + STT_S(60));
    require_rekeys(1);
    world_require(&w, info_of(w.client).epoch == 2);
    flows_end(&f);
}
END_TEST

START_TEST(while_it_runs_data_leaves_the_last_packets_of_a_key_alone)
{
    static struct stt_rekey one;
    if (!stt_aead_by_id(STT_AEAD_AES_256_GCM, stt_cpu_detect()))
        return;
    use_gcm(STT_MODE_K);
    struct stt_session *s = session_of(w.client);
    const uint64_t most = s->suite->max_packets - STT_KEY_UPDATE_RESERVE;
    s->protect->sealed = most - 500;
    s->rekey = &one;
    flows_open(&f, &f.client, &(struct flow){.to_write = 2 * MIB});
    flows_run_for(&f, STT_S(2));
    ck_assert_uint_ge(s->protect->sealed, most);
    ck_assert_uint_le(s->protect->sealed, most + 20);
    struct stt_session_stats stats;
    ck_assert_int_eq(stt_session_stats(f.client.ep, stt_sim_now(w.sim), w.client->session, &stats),
                     STT_OK);
    ck_assert_uint_ge(stats.held_by_path_ns, STT_S(1));
    uint64_t received = info_of(w.client).packets_received;
    for (int i = 0; i < 20; i++)
        ping(w.client); /* it is not silent */
    ck_assert_uint_ge(info_of(w.client).packets_received, received + 10);
    s->rekey = NULL;
    ping(w.client);
    flows_require(&f, flows_are_over, STT_S(5));
    flows_end(&f);
}
END_TEST

/* -- a machine that fails ----------------------------------------------------------------------
 */

START_TEST(without_memory_it_waits_until_there_is_some)
{
    setup(modes[_i / 2]);
    use_enough();
    run_until(due - STT_US(1));
    const struct world_side *side = _i % 2 ? w.server : w.client;
    struct stt_sim_memory *memory = stt_sim_memory(w.sim, side->node);
    uint64_t sent = info_of(w.client).packets_sent;
    memory->fail_from = memory->allocs + 1;
    run_until(due + STT_S(10));
    world_require(&w, memory->failed > 0 && memory->failed < 1000);
    world_require(&w, info_of(w.client).packets_sent < sent + 15);
    world_require(&w, info_of(w.client).rekeys == 0 && info_of(w.server).rekeys == 0);
    memory->fail_from = 0;
    run_until(due + STT_S(12));
    require_rekeys(1);
    use_enough();
    flows_end(&f);
}
END_TEST

START_TEST(a_session_that_ends_while_it_runs_leaves_nothing)
{
    setup(modes[_i / 2 % MODES]);
    use_enough();
    run_until(due + STT_MS(_i < 2 * MODES ? 1 : ONE_WAY_MS + 1));
    const struct world_side *side = _i % 2 ? w.server : w.client;
    world_require(&w, session_of(w.client)->rekey);
    stt_session_close(world_endpoint(&w, side), stt_sim_now(w.sim), side->session, 1, NULL);
    stt_sim_touch(w.sim, side->node);
    world_run_for(&w, STT_S(5));
    world_require(&w, both_closed(&w));
    flows_end(&f);
}
END_TEST

START_TEST(a_fork_while_it_runs_ends_the_session_in_the_child)
{
    setup(modes[_i / 2 % MODES]);
    use_enough();
    run_until(due + STT_MS(_i < 2 * MODES ? 1 : ONE_WAY_MS + 1));
    const struct world_side *side = _i % 2 ? w.server : w.client;
    uint64_t sent = info_of(side).packets_sent;
    stt_sim_fork(w.sim, side->node);
    world_run_for(&w, STT_S(40));
    world_require(&w, side->latest[STT_EVENT_CLOSED].reason == STT_REASON_FORKED);
    struct stt_endpoint_stats stats;
    stt_endpoint_stats(world_endpoint(&w, side), &stats);
    world_require(&w, sent && stats.sessions == 0);
    flows_end(&f);
}
END_TEST

SUITE("rekey scenarios",
      LOOP(keys_are_renewed_in_the_middle_of_a_transfer_without_a_pause, 0, MODES),
      LOOP(keys_are_renewed_in_every_suite, 1, SUITES + 1),
      TEST(what_was_used_long_before_counts_also_when_nothing_is_sent_any_more),
      TEST(an_idle_session_keeps_its_keys_until_it_has_been_used),
      LOOP(a_thousand_packets_are_use_and_pings_are_none, 0, 2),
      TEST(what_only_the_server_sends_counts_too),
      LOOP(a_session_that_is_always_used_gets_new_keys_every_two_minutes, 0, 2),
      LOOP(loss_copies_and_reordering_do_not_keep_it_from_coming, 0, 30),
      LOOP(any_datagram_of_a_transfer_around_it_may_be_lost, 0, 2 * DATAGRAMS),
      LOOP(any_two_of_its_own_datagrams_may_be_lost, 0, 108),
      LOOP(darkness_while_it_runs_only_delays_it, 0, 72),
      LOOP(the_clients_address_may_change_while_it_runs, 0, 24),
      LOOP(a_key_update_of_the_hosts_at_the_same_time_goes_before_or_behind_it, 0, 90),
      LOOP(it_comes_between_any_number_of_key_updates, 0, 24),
      TEST(while_it_runs_neither_host_updates_keys),
      LOOP(a_key_that_is_nearly_worn_is_no_obstacle, 0, 4),
      TEST(it_waits_for_a_key_of_which_less_than_half_is_used),
      TEST(while_it_runs_data_leaves_the_last_packets_of_a_key_alone),
      LOOP(without_memory_it_waits_until_there_is_some, 0, 2 * MODES),
      LOOP(a_session_that_ends_while_it_runs_leaves_nothing, 0, 4 * MODES),
      LOOP(a_fork_while_it_runs_ends_the_session_in_the_child, 0, 4 * MODES))
