/* SPDX-License-Identifier: MIT
 * Sessions whose paths change while they move data: by themselves (NAT), because a host wants it,
 * to another family, to another carrier and back. Spec 04, "Paths", "Carriers"; 06, "Path change".
 */
#include "stt/session/engine.h"
#include "tests/support/flows.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"

enum { MIB = 1 << 20, RATE = 10000000, ONE_WAY_MS = 20, QUEUE = 50000 };

static struct world w;
static struct flows f;
static struct stt_address outside, elsewhere;
static stt_sim_nat nat;
static stt_sim_link way[2]; /* to and from elsewhere */

static void setup_with(const struct world_options *options)
{
    w = world_pair_new(options);
    outside = stt_sim_ipv4(500, 1);
}
#define setup(...)                                                                                 \
    setup_with(&(struct world_options){                                                            \
        .one_way_ms = ONE_WAY_MS, .rate_bits_per_s = RATE, .queue_bytes = QUEUE, __VA_ARGS__})

static stt_ns now(void)
{
    return stt_sim_now(w.sim);
}

static struct stt_session_info info_of(const struct world_side *side)
{
    struct stt_session_info info;
    world_require(&w, stt_session_info(world_endpoint(&w, side), side->session, &info) == STT_OK);
    return info;
}

static void require_one_handshake(void)
{
    world_require(&w, w.client->events[STT_EVENT_CONNECTED] == 1);
    world_require(&w, w.server->events[STT_EVENT_ACCEPTED] == 1);
    world_require(&w, !w.client->events[STT_EVENT_CLOSED] && !w.server->events[STT_EVENT_CLOSED]);
}

/* -- what the network does ---------------------------------------------------------------------
 */

static void put_behind_nat(struct stt_nat_config config)
{
    struct stt_address client = stt_sim_address(w.sim, w.client->node);
    struct stt_address server = stt_sim_address(w.sim, w.server->node);
    memcpy(config.outside_ip, outside.ip, sizeof outside.ip);
    nat = stt_sim_nat_add(w.sim, &config);
    stt_sim_nat_inside(w.sim, nat, &client);
    struct stt_path forth = {.local = outside, .remote = server};
    struct stt_path back = {.local = server, .remote = outside};
    stt_sim_route(w.sim, &forth, &w.links.forth, 1);
    stt_sim_route(w.sim, &back, &w.links.back, 1);
}

static uint64_t read_in(stt_ns ns, struct flow *flow)
{
    uint64_t before = flows_peer(&f, flow) ? flows_peer(&f, flow)->read : 0;
    flows_run_for(&f, ns);
    return flows_peer(&f, flow)->read - before;
}

static void set_rate(uint64_t bits_per_s)
{
    struct stt_link_config link = stt_sim_link_config(w.sim, w.links.forth);
    link.rate_bits_per_s = bits_per_s;
    link.queue_bytes = (uint32_t)(bits_per_s / 8 * 2 * ONE_WAY_MS / 1000); /* a round trip */
    stt_sim_link_set(w.sim, w.links.forth, &link);
    stt_sim_link_set(w.sim, w.links.back, &link);
}

struct nat_case {
    uint64_t rate;
    uint64_t seed;
    bool to_client;
};

/* Bytes that one stream carries in 20 s, from the one behind the NAT or to it. */
static uint64_t carry_behind_nat(const struct nat_case *c, stt_ns rebind_every_ns)
{
    setup(.seed = c->seed);
    set_rate(c->rate);
    put_behind_nat((struct stt_nat_config){.rebind_every_ns = rebind_every_ns});
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    f.server.reply_bytes = c->to_client ? UINT64_MAX : 0;
    struct flow *flow =
        flows_open(&f, &f.client, &(struct flow){.to_write = c->to_client ? 1 : UINT64_MAX});
    flows_run_for(&f, STT_S(2));
    uint64_t bytes = read_in(STT_S(20), c->to_client ? flows_peer(&f, flow) : flow);
    world_require(&w, w.server->events[STT_EVENT_PATH] >= (rebind_every_ns ? 18 : 0));
    require_one_handshake();
    flows_end(&f);
    return bytes;
}

/* Only the port changes: what was learnt about the way holds. What goes to the client meets a
 * mapping that is gone, until something of the client's has shown the new one. */
START_TEST(a_nat_that_rebinds_every_second_costs_less_than_a_fifth_of_the_goodput)
{
    const struct nat_case c = {
        .rate = _i / 2 % 2 ? 3000000 : RATE, .seed = (uint64_t)_i / 4 + 1, .to_client = _i % 2};
    uint64_t whole = carry_behind_nat(&c, 0), bytes = carry_behind_nat(&c, STT_S(1));
    ck_assert_uint_ge(whole, c.rate / 8 * 20 * 9 / 10);
    ck_assert_msg(bytes * 10 >= whole * 8, "%llu of %llu bytes", (unsigned long long)bytes,
                  (unsigned long long)whole);
}
END_TEST

/* It hears a message each 60 ms, acknowledges it, and has nothing to say: after one that stays out
 * it asks, and is found again. */
START_TEST(a_listener_behind_a_nat_that_rebinds_is_found_again_within_half_a_second)
{
    setup(.seed = (uint64_t)_i + 1);
    put_behind_nat((struct stt_nat_config){0});
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    struct flow *flow =
        flows_open(&f, &f.server, &(struct flow){.to_write = 1, .stays_open = true});
    for (unsigned n = 0; n < 1000; n++) {
        flow->to_write += 300;
        flows_write(&f, flow);
        flows_run_for(&f, STT_MS(60));
        if (n % 100 == 90)
            stt_sim_nat_rebind(w.sim, nat);
        world_require(&w, n < 10 || now() - flows_peer(&f, flow)->read_at <= STT_MS(500));
    }
    world_require(&w, w.server->events[STT_EVENT_PATH] == 10);
    require_one_handshake();
    flows_end(&f);
}
END_TEST

/* Data flows to the one behind the NAT, whose acks show where it is. */
START_TEST(data_to_a_host_behind_a_nat_that_rebinds_arrives_whole)
{
    setup(.seed = (uint64_t)_i + 1, .loss_ppm = 10000);
    put_behind_nat((struct stt_nat_config){.rebind_every_ns = STT_S(3)});
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    f.server.reply_bytes = 4 * MIB;
    struct flow *flow = flows_open(&f, &f.client, &(struct flow){.to_write = 1});
    flows_require(&f, flows_are_over, STT_S(60));
    world_require(&w, flow->read == 4 * MIB);
    require_one_handshake();
    flows_end(&f);
}
END_TEST

START_TEST(a_mapping_of_30_s_survives_idle_times_case_45)
{
    setup(.seed = 1);
    put_behind_nat((struct stt_nat_config){.idle_ns = STT_S(30)});
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    flows_run_for(&f, STT_S(600));
    /* It is the server that speaks first after so long. */
    flows_open(&f, &f.server, &(struct flow){.to_write = 1000});
    flows_require(&f, flows_are_over, STT_S(1));
    world_require(&w, !w.server->events[STT_EVENT_PATH]);
    require_one_handshake();
    flows_end(&f);
}
END_TEST

START_TEST(one_direction_that_dies_is_reported_case_44)
{
    setup(.seed = 1);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    flows_open(&f, &f.client, &(struct flow){.to_write = UINT64_MAX});
    flows_run_for(&f, STT_S(2));
    stt_ns dead = now();
    stt_sim_blackout(w.sim, _i ? w.links.back : w.links.forth, dead, STT_NEVER);
    flows_run_for(&f, STT_S(80)); /* whoever still hears something lives longer */
    world_require(&w, w.client->events[STT_EVENT_STALLED] == 1);
    world_require(&w, w.client->latest_at[STT_EVENT_STALLED] < dead + STT_S(2));
    for (const struct world_side *side = w.client; side <= w.server; side++) {
        world_require(&w, side->events[STT_EVENT_CLOSED] == 1);
        world_require(&w, side->latest[STT_EVENT_CLOSED].reason == STT_REASON_IDLE);
    }
    /* Who no longer gets data asks, and is not answered either. */
    world_require(&w, _i || (w.server->events[STT_EVENT_STALLED] == 1 &&
                             w.server->latest_at[STT_EVENT_STALLED] < dead + STT_S(2)));
    flows_end(&f);
}
END_TEST

/* -- what a host wants -------------------------------------------------------------------------
 */

/* A second way from the client to the server, from another address of the client's. */
static struct stt_path add_way(const struct stt_address *from, const struct stt_address *to,
                               const struct stt_link_config *config, uint32_t carrier)
{
    struct stt_path forth = {.local = *from, .remote = *to, .carrier = carrier};
    struct stt_path back = {.local = *to, .remote = *from, .carrier = carrier};
    way[0] = stt_sim_link_add(w.sim, config);
    way[1] = stt_sim_link_add(w.sim, config);
    stt_sim_route(w.sim, &forth, &way[0], 1);
    stt_sim_route(w.sim, &back, &way[1], 1);
    return forth;
}

static struct stt_path add_elsewhere(bool ipv6, const struct stt_link_config *config)
{
    struct stt_address server = stt_sim_address(w.sim, w.server->node);
    elsewhere = ipv6 ? stt_sim_ipv6(700, WORLD_PORT) : stt_sim_ipv4(700, WORLD_PORT);
    stt_sim_address_add(w.sim, w.client->node, &elsewhere);
    if (ipv6) {
        server = stt_sim_ipv6(800, WORLD_PORT);
        stt_sim_address_add(w.sim, w.server->node, &server);
    }
    return add_way(&elsewhere, &server, config, 0);
}

static void move_client(const struct stt_path *to)
{
    world_require(
        &w, stt_session_move(world_endpoint(&w, w.client), now(), w.client->session, to) == STT_OK);
    stt_sim_touch(w.sim, w.client->node);
}

static const struct stt_link_config second_way = {
    .rate_bits_per_s = RATE, .delay_ns = STT_MS(40), .queue_bytes = 100000, .header_bytes = 28};

static bool is_there(const struct world_side *side, const struct stt_path *path, bool turned)
{
    const struct stt_path at = info_of(side).path;
    return stt_address_equal(&at.remote, turned ? &path->local : &path->remote) &&
           at.carrier == path->carrier;
}

START_TEST(a_host_moves_its_session_to_another_address_or_family_case_42)
{
    setup(.seed = 1);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    f.server.reply_bytes = 4 * MIB;
    struct flow *flow = flows_open(&f, &f.client, &(struct flow){.to_write = 4 * MIB});
    flows_run_for(&f, STT_S(1));
    struct stt_path to = add_elsewhere(_i, &second_way);
    move_client(&to);
    flows_run_for(&f, STT_S(1));
    world_require(&w, w.client->events[STT_EVENT_PATH] == 1);
    world_require(&w, w.server->events[STT_EVENT_PATH] == 1);
    world_require(&w, is_there(w.client, &to, false) && is_there(w.server, &to, true));
    flows_require(&f, flows_are_over, STT_S(30));
    world_require(&w, flow->read == 4 * MIB && flows_peer(&f, flow)->read == 4 * MIB);
    require_one_handshake();
    flows_end(&f);
}
END_TEST

static const struct stt_link_config long_way = {
    .rate_bits_per_s = RATE, .delay_ns = STT_MS(300), .queue_bytes = 800000, .header_bytes = 28};

/* From a LAN to where one answer takes many PTO of the LAN: both sides wait for it. */
START_TEST(a_host_moves_to_a_way_that_is_far_longer_than_any_pto_of_the_old_one)
{
    setup_with(
        &(struct world_options){.one_way_ms = 1, .rate_bits_per_s = RATE, .queue_bytes = QUEUE});
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    f.server.reply_bytes = 4 * MIB;
    struct flow *flow = flows_open(&f, &f.client, &(struct flow){.to_write = 4 * MIB});
    flows_run_for(&f, STT_S(1));
    struct stt_path to = add_elsewhere(_i, &long_way);
    move_client(&to);
    flows_run_for(&f, STT_S(4));
    world_require(&w, w.client->events[STT_EVENT_PATH] == 1);
    world_require(&w, w.server->events[STT_EVENT_PATH] == 1);
    world_require(&w, is_there(w.client, &to, false) && is_there(w.server, &to, true));
    flows_require(&f, flows_are_over, STT_S(60));
    world_require(&w, flow->read == 4 * MIB && flows_peer(&f, flow)->read == 4 * MIB);
    world_require(&w, w.client->events[STT_EVENT_PATH] == 1);
    flows_end(&f);
}
END_TEST

START_TEST(back_and_forth_nothing_is_lost_and_no_id_is_used_twice)
{
    setup(.seed = (uint64_t)_i + 1, .loss_ppm = (uint32_t)_i * 5000);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    f.server.reply_bytes = 8 * MIB;
    struct flow *flow = flows_open(&f, &f.client, &(struct flow){.to_write = 8 * MIB});
    struct stt_path home = {.local = stt_sim_address(w.sim, w.client->node),
                            .remote = stt_sim_address(w.sim, w.server->node)};
    struct stt_path to = add_elsewhere(false, &second_way);
    struct stt_id used[32];
    struct stt_session *s = traitor_session(world_endpoint(&w, w.client), w.client->session);
    flows_run_for(&f, STT_MS(300)); /* the peer issues spare ids */
    for (size_t i = 0; i < 8; i++) {
        used[i] = *stt_session_ids_current(&s->ids);
        for (size_t j = 0; j < i; j++)
            world_require(&w, memcmp(&used[i], &used[j], sizeof used[i]) != 0);
        move_client(i % 2 ? &home : &to);
        flows_run_for(&f, STT_MS(900));
        world_require(&w, w.client->events[STT_EVENT_PATH] == i + 1);
        world_require(&w, is_there(w.server, i % 2 ? &home : &to, true));
    }
    flows_require(&f, flows_are_over, STT_S(60));
    world_require(&w, flow->read == 8 * MIB && flows_peer(&f, flow)->read == 8 * MIB);
    require_one_handshake();
    flows_end(&f);
}
END_TEST

START_TEST(a_move_to_where_nobody_answers_leaves_everything_as_it_is)
{
    setup(.seed = 1);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    struct flow *flow = flows_open(&f, &f.client, &(struct flow){.to_write = 8 * MIB});
    flows_run_for(&f, STT_S(1));
    struct stt_path nowhere = {.local = stt_sim_address(w.sim, w.client->node),
                               .remote = stt_sim_ipv4(999, 9)};
    move_client(&nowhere);
    uint64_t bytes = read_in(STT_S(4), flow);
    world_require(&w, bytes > RATE / 4); /* half of what four seconds carry */
    world_require(&w, w.client->events[STT_EVENT_STAYED] == 1);
    world_require(&w, !w.client->events[STT_EVENT_PATH]);
    flows_require(&f, flows_are_over, STT_S(30));
    require_one_handshake();
    flows_end(&f);
}
END_TEST

/* Neither reaches the other any more; the hosts hear of it. */
START_TEST(when_both_ends_move_at_once_the_session_dies_case_43)
{
    setup(.seed = 1);
    world_connect(&w, STT_MODE_K);
    world_run_for(&w, STT_S(1));
    struct stt_address old[2] = {stt_sim_address(w.sim, w.client->node),
                                 stt_sim_address(w.sim, w.server->node)};
    struct stt_address new[2] = {stt_sim_ipv4(70, WORLD_PORT), stt_sim_ipv4(80, WORLD_PORT)};
    stt_sim_address_move(w.sim, w.client->node, &old[0], &new[0]);
    stt_sim_address_move(w.sim, w.server->node, &old[1], &new[1]);
    world_require(&w, world_run_until(&w, both_closed, STT_S(46)));
    world_require(&w, w.client->latest[STT_EVENT_CLOSED].reason == STT_REASON_IDLE);
    world_require(&w, w.server->latest[STT_EVENT_CLOSED].reason == STT_REASON_IDLE);
    world_end(&w);
}
END_TEST

/* Each goes to an address of its own, while the old ones still serve: the session stays, and all
 * that was on its way arrives. */
START_TEST(when_both_hosts_move_it_at_once_the_session_lives_case_43)
{
    setup(.seed = (uint64_t)_i + 1);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    f.server.reply_bytes = 4 * MIB;
    struct flow *flow = flows_open(&f, &f.client, &(struct flow){.to_write = 4 * MIB});
    flows_run_for(&f, STT_S(1));
    struct stt_address client = stt_sim_address(w.sim, w.client->node);
    struct stt_address newer = stt_sim_ipv4(800, WORLD_PORT);
    struct stt_path to = add_elsewhere(false, &second_way);
    stt_sim_address_add(w.sim, w.server->node, &newer);
    add_way(&elsewhere, &newer, &second_way, 0);
    add_way(&client, &newer, &second_way, 0);
    struct stt_path back = {.local = newer, .remote = client};
    move_client(&to);
    flows_run_for(&f, STT_MS((unsigned)_i * 15));
    world_require(&w, stt_session_move(world_endpoint(&w, w.server), now(), w.server->session,
                                       &back) == STT_OK);
    stt_sim_touch(w.sim, w.server->node);
    flows_require(&f, flows_are_over, STT_S(20));
    world_require(&w, flow->read == 4 * MIB && flows_peer(&f, flow)->read == 4 * MIB);
    /* Each is where it wanted to be, or has followed the other; and none goes on looking. */
    world_require(&w, w.client->events[STT_EVENT_PATH] <= 3);
    world_require(&w, w.server->events[STT_EVENT_PATH] <= 3);
    require_one_handshake();
    flows_end(&f);
}
END_TEST

/* -- carriers ------------------------------------------------------------------------------------
 */

enum { STREAM_CARRIER = 1 };

static const struct stt_link_config byte_stream = {.rate_bits_per_s = RATE,
                                                   .delay_ns = STT_MS(30),
                                                   .queue_bytes = 60000,
                                                   .spill_bytes = 70000,
                                                   .header_bytes = 44,
                                                   .reliable = true};

static struct stt_path add_carrier(void)
{
    struct stt_carrier reliable = {.reliable = true, .writable = true, .max_datagram_bytes = 16384};
    struct stt_address client = stt_sim_address(w.sim, w.client->node);
    struct stt_address server = stt_sim_address(w.sim, w.server->node);
    struct stt_path path = add_way(&client, &server, &byte_stream, STREAM_CARRIER);
    stt_sim_carrier(w.sim, w.client->node, STREAM_CARRIER, way[0], &reliable);
    stt_sim_carrier(w.sim, w.server->node, STREAM_CARRIER, way[1], &reliable);
    return path;
}

START_TEST(between_datagrams_and_a_byte_stream_no_byte_is_lost_or_repeated)
{
    setup(.seed = (uint64_t)_i + 1, .loss_ppm = 10000);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    f.server.reply_bytes = 6 * MIB;
    struct flow *flow = flows_open(&f, &f.client, &(struct flow){.to_write = 6 * MIB});
    struct stt_path home = {.local = stt_sim_address(w.sim, w.client->node),
                            .remote = stt_sim_address(w.sim, w.server->node)};
    struct stt_path stream = add_carrier();
    for (size_t i = 0; i < 4; i++) {
        flows_run_for(&f, STT_MS(700));
        move_client(i % 2 ? &home : &stream);
        flows_run_for(&f, STT_S(1));
        world_require(&w, w.client->events[STT_EVENT_PATH] == i + 1);
        world_require(&w, is_there(w.server, i % 2 ? &home : &stream, true));
    }
    flows_require(&f, flows_are_over, STT_S(60));
    world_require(&w, flow->read == 6 * MIB && flows_peer(&f, flow)->read == 6 * MIB);
    require_one_handshake();
    flows_end(&f);
}
END_TEST

/* UDP dies altogether: the host moves to the byte stream, and what was out is said again. */
START_TEST(where_datagrams_are_blocked_the_session_goes_on_over_a_byte_stream)
{
    setup(.seed = 1);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    f.server.reply_bytes = 4 * MIB;
    struct flow *flow = flows_open(&f, &f.client, &(struct flow){.to_write = 4 * MIB});
    flows_run_for(&f, STT_S(1));
    struct stt_path stream = add_carrier();
    stt_sim_blackout(w.sim, w.links.forth, now(), STT_NEVER);
    stt_sim_blackout(w.sim, w.links.back, now(), STT_NEVER);
    move_client(&stream);
    flows_require(&f, flows_are_over, STT_S(30));
    world_require(&w, flow->read == 4 * MIB && flows_peer(&f, flow)->read == 4 * MIB);
    flows_end(&f);
}
END_TEST

/* What TCP already does is not done twice: nothing is sent again, and no window holds it. */
START_TEST(on_a_byte_stream_nothing_is_repaired_and_nothing_piles_up)
{
    setup(.seed = 1);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    struct stt_path stream = add_carrier();
    flows_run_for(&f, STT_S(1));
    move_client(&stream);
    flows_run_for(&f, STT_S(1));
    struct flow *flow = flows_open(&f, &f.client, &(struct flow){.to_write = UINT64_MAX});
    flows_run_for(&f, STT_S(2));
    uint64_t bytes = read_in(STT_S(10), flow);
    struct stt_stream_info info;
    stt_sim_blackout(w.sim, way[0], now(), now() + STT_S(2)); /* it waits, and is no loss */
    flows_run_for(&f, STT_S(5));
    world_require(&w, stt_stream_info(f.client.ep, flow->handle, &info) == STT_OK);
    world_require(&w, info.bytes_retransmitted == 0);
    ck_assert_msg(bytes >= (uint64_t)RATE / 8 * 10 * 9 / 10, "%llu bytes",
                  (unsigned long long)bytes);
    struct stt_session *s = traitor_session(f.client.ep, w.client->session);
    world_require(&w, stt_loss_path(&s->loss)->in_flight_bytes < 1000000);
    flows_end(&f);
}
END_TEST

/* The carrier has done its part; nobody but the sender can say it again. */
START_TEST(on_a_byte_stream_what_the_peer_had_no_memory_for_goes_again)
{
    setup(.seed = 1);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    struct stt_path stream = add_carrier();
    flows_run_for(&f, STT_S(1));
    move_client(&stream);
    flows_run_for(&f, STT_S(1));
    struct stt_sim_memory *memory = stt_sim_memory(w.sim, w.server->node);
    memory->fail_from = memory->allocs;
    for (int i = 0; i < 3; i++)
        flows_open(&f, &f.client, &(struct flow){.to_write = 1});
    flows_run_for(&f, STT_S(1));
    world_require(&w, memory->failed && !f.server.n);
    memory->fail_from = 0;
    flows_open(&f, &f.client, &(struct flow){.to_write = 1});
    flows_require(&f, flows_are_over, STT_S(1));
    flows_end(&f);
}
END_TEST

AGED_SUITE("moves",
           LOOP(a_nat_that_rebinds_every_second_costs_less_than_a_fifth_of_the_goodput, 0, 12),
           LOOP(a_listener_behind_a_nat_that_rebinds_is_found_again_within_half_a_second, 0, 5),
           LOOP(data_to_a_host_behind_a_nat_that_rebinds_arrives_whole, 0, 3),
           TEST(a_mapping_of_30_s_survives_idle_times_case_45),
           LOOP(one_direction_that_dies_is_reported_case_44, 0, 2),
           LOOP(a_host_moves_its_session_to_another_address_or_family_case_42, 0, 2),
           LOOP(a_host_moves_to_a_way_that_is_far_longer_than_any_pto_of_the_old_one, 0, 2),
           LOOP(back_and_forth_nothing_is_lost_and_no_id_is_used_twice, 0, 4),
           TEST(a_move_to_where_nobody_answers_leaves_everything_as_it_is),
           TEST(when_both_ends_move_at_once_the_session_dies_case_43),
           LOOP(when_both_hosts_move_it_at_once_the_session_lives_case_43, 0, 6),
           LOOP(between_datagrams_and_a_byte_stream_no_byte_is_lost_or_repeated, 0, 4),
           TEST(where_datagrams_are_blocked_the_session_goes_on_over_a_byte_stream),
           TEST(on_a_byte_stream_nothing_is_repaired_and_nothing_piles_up),
           TEST(on_a_byte_stream_what_the_peer_had_no_memory_for_goes_again))
