/* SPDX-License-Identifier: MIT
 * What sessions and streams tell of themselves, against what was done to them: each of the eight
 * holders is provoked, and what both sides and the links have counted agrees. Times are virtual. */
#include "stt/stats.h"

#include "crypto/aead.h"
#include "tests/support/flows.h"
#include "tests/support/suite.h"

#include <stdio.h>

enum { MIB = 1 << 20, RATE = 10000000, ONE_WAY_MS = 20 };

static struct world w;
static struct flows f;

#define setup(...) setup_with((struct world_options){__VA_ARGS__})
static void setup_with(struct world_options options)
{
    if (!options.one_way_ms)
        options.one_way_ms = ONE_WAY_MS;
    w = world_pair_new(&options);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
}

/* -- the account --------------------------------------------------------------------------------
 */

static void take_held(stt_ns ns[STT_HELD_COUNT], const struct stt_session_stats *s)
{
#define ROW(X, upper, name, words) ns[STT_HELD_##upper] = s->held_by_##name##_ns;
    STT_HELD_BY(ROW, )
#undef ROW
}

/* At every look the eight times add up to the age, and that is the time since the host heard. */
static struct stt_session_stats stats_of(const struct flows_side *side)
{
    struct stt_session_stats s;
    stt_ns ns[STT_HELD_COUNT], sum = 0, now = stt_sim_now(w.sim);
    world_require(&w, stt_session_stats(side->ep, now, side->of->session, &s) == STT_OK);
    take_held(ns, &s);
    for (int i = 0; i < STT_HELD_COUNT; i++)
        sum += ns[i];
    ck_assert_uint_eq(s.age_ns, now - side->of->connected_at);
    ck_assert_uint_eq(sum, s.age_ns);
    return s;
}

/* What held during `ns` from now on, looked at in steps, so that no moment is out of balance. */
struct held_during {
    stt_ns ns[STT_HELD_COUNT], all;
};

static struct held_during run_and_see(const struct flows_side *side, stt_ns ns)
{
    struct held_during d = {.all = ns};
    stt_ns before[STT_HELD_COUNT];
    struct stt_session_stats s = stats_of(side);
    take_held(before, &s);
    for (int i = 0; i < 10; i++) {
        flows_run_for(&f, ns / 10);
        s = stats_of(side);
    }
    take_held(d.ns, &s);
    for (int i = 0; i < STT_HELD_COUNT; i++)
        d.ns[i] -= before[i];
    return d;
}

/* It held for at least so much of the time, and longer than any other. */
static void require_held(const struct held_during *d, enum stt_held_by by, unsigned percent)
{
    char all[400] = "";
    size_t n = 0;
    for (int i = 0; i < STT_HELD_COUNT; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "  %s %.3f ms",
                              stt_held_text((enum stt_held_by)i), (double)d->ns[i] * 1e-6);
    for (int i = 0; i < STT_HELD_COUNT; i++)
        ck_assert_msg(i == (int)by || d->ns[i] < d->ns[by], "not held by %s:%s", stt_held_text(by),
                      all);
    ck_assert_msg(d->ns[by] >= d->all / 100 * percent, "held by %s below %u %%:%s",
                  stt_held_text(by), percent, all);
}

START_TEST(a_host_that_writes_little_holds_its_session)
{
    setup(.rate_bits_per_s = RATE);
    struct flow *c =
        flows_open(&f, &f.client, &(struct flow){.to_write = 20000, .stays_open = true});
    for (int i = 0; i < 10; i++) {
        struct held_during d = run_and_see(&f.client, STT_S(1));
        require_held(&d, STT_HELD_APPLICATION, 90);
        c->to_write += 20000;
        flows_write(&f, c);
    }
    struct held_during d = run_and_see(&f.server, STT_S(1)); /* has nothing to say at all */
    require_held(&d, STT_HELD_APPLICATION, 100);
    flows_end(&f);
}
END_TEST

START_TEST(a_reader_that_does_not_read_holds_by_the_flow_control_of_the_stream)
{
    setup(.loss_ppm = (uint32_t)_i * 20000);
    f.server.no_reading = true;
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    struct stt_stream_info info;
    flows_run_for(&f, STT_S(1));
    struct held_during d = run_and_see(&f.client, STT_S(3));
    require_held(&d, STT_HELD_STREAM_FLOW, 100);
    world_require(&w, stt_stream_info(f.client.ep, c->handle, &info) == STT_OK);
    world_require(&w, info.is_blocked && info.bytes_sent == info.send_limit);
    flows_read(&f, flows_peer(&f, c));
    flows_require(&f, flows_are_over, STT_S(20));
    d = run_and_see(&f.client, STT_S(1));
    require_held(&d, STT_HELD_APPLICATION, 100);
    flows_end(&f);
}
END_TEST

START_TEST(many_streams_that_nobody_reads_hold_by_the_flow_control_of_the_session)
{
    setup(.loss_ppm = (uint32_t)_i * 20000);
    f.server.no_reading = true;
    for (int i = 0; i < 10; i++)
        flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    flows_run_for(&f, STT_S(1));
    struct held_during d = run_and_see(&f.client, STT_S(3));
    require_held(&d, STT_HELD_SESSION_FLOW, 100);
    f.server.no_reading = false;
    for (size_t i = 0; i < f.server.n; i++)
        flows_read(&f, f.server.all[i]);
    flows_require(&f, flows_are_over, STT_S(60));
    flows_end(&f);
}
END_TEST

/* A stream that is reset while a limit held it holds nothing any more. */
START_TEST(a_stream_that_is_given_up_leaves_the_session_to_its_application)
{
    setup(.seed = 1);
    f.server.no_reading = true;
    int n = _i ? 10 : 1;
    for (int i = 0; i < n; i++)
        flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    flows_run_for(&f, STT_S(1));
    for (int i = 0; i < n; i++)
        world_require(&w, stt_stream_reset(f.client.ep, stt_sim_now(w.sim), f.client.all[i]->handle,
                                           1) == STT_OK);
    stt_sim_touch(w.sim, w.client->node);
    struct held_during d = run_and_see(&f.client, STT_S(1));
    require_held(&d, STT_HELD_APPLICATION, 100);
    flows_end(&f);
}
END_TEST

static void move_port(void)
{
    struct stt_address from = stt_sim_address(w.sim, w.client->node), to = from;
    to.port++;
    stt_sim_address_move(w.sim, w.client->node, &from, &to);
}

/* The client is heard from its new place, and what is sent there does not arrive. */
START_TEST(a_path_on_trial_holds)
{
    setup(.rate_bits_per_s = RATE);
    f.server.reply_bytes = 16 * MIB;
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = 10, .stays_open = true});
    flows_run_for(&f, STT_S(1));
    uint64_t changes = stats_of(&f.server).path_changes;
    move_port();
    stt_ns now = stt_sim_now(w.sim);
    stt_sim_blackout(w.sim, w.links.back, now, now + STT_MS(700));
    c->to_write += 10;
    flows_write(&f, c);
    flows_run_for(&f, STT_MS(100));
    struct held_during d = run_and_see(&f.server, STT_MS(500));
    require_held(&d, STT_HELD_PATH, 90);
    flows_run_for(&f, STT_S(5));
    world_require(&w, stats_of(&f.server).path_changes == changes + 1);
    d = run_and_see(&f.server, STT_S(1));
    world_require(&w, !d.ns[STT_HELD_PATH]);
    flows_end(&f);
}
END_TEST

/* So few packets to a key that new ones must wait for an ACK. */
static void short_lived_keys(struct stt_config *config, bool is_client)
{
    static struct stt_aead_suite suite;
    (void)is_client;
    suite = *stt_sim_null_suite();
    suite.max_packets = 20;
    config->suites[0] = &suite;
    config->n_suites = 1;
    config->congestion = "none";
}

START_TEST(a_suite_that_must_have_a_new_key_first_holds)
{
    setup(.configure = short_lived_keys, .one_way_ms = 100);
    flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    flows_run_for(&f, STT_S(2));
    struct held_during d = run_and_see(&f.client, STT_S(2));
    require_held(&d, STT_HELD_PATH, 90);
    world_require(&w, stats_of(&f.client).epochs > 10);
    flows_end(&f);
}
END_TEST

/* Of the first ten packets two go at once, the others are spread over half a round trip; then there
 * is no more room in the window. */
START_TEST(on_a_long_path_the_pacer_holds_first_and_then_a_small_window)
{
    setup(.one_way_ms = 250);
    stt_ns rtt = STT_MS(500);
    flows_run_for(&f, STT_S(2)); /* until it is known how long the path is */
    flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    struct held_during d = run_and_see(&f.client, rtt / 3);
    require_held(&d, STT_HELD_PACER, 99);
    flows_run_for(&f, rtt / 6);
    d = run_and_see(&f.client, rtt / 2 - STT_MS(1));
    require_held(&d, STT_HELD_WINDOW, 99);
    flows_end(&f);
}
END_TEST

START_TEST(acks_that_do_not_come_leave_the_window_full)
{
    setup(.rate_bits_per_s = RATE, .queue_bytes = 50000);
    flows_open(&f, &f.client, &(struct flow){.to_write = 64 * MIB});
    flows_run_for(&f, STT_S(5));
    stt_ns now = stt_sim_now(w.sim);
    stt_sim_blackout(w.sim, w.links.back, now, now + STT_S(1));
    flows_run_for(&f, STT_MS(100));
    struct held_during d = run_and_see(&f.client, STT_MS(800));
    require_held(&d, STT_HELD_WINDOW, 95);
    world_require(&w, stats_of(&f.client).ptos >= 1);
    flows_end(&f);
}
END_TEST

static void set_carrier(const struct flows_side *side, bool writable)
{
    struct stt_carrier udp = {.writable = writable, .max_datagram_bytes = 65507};
    world_require(&w, stt_endpoint_carrier(side->ep, stt_sim_now(w.sim), 0, &udp) == STT_OK);
    stt_sim_touch(w.sim, side->of->node);
}

START_TEST(a_carrier_that_is_not_writable_holds)
{
    setup(.rate_bits_per_s = RATE);
    flows_open(&f, &f.client, &(struct flow){.to_write = 64 * MIB});
    flows_run_for(&f, STT_S(1));
    set_carrier(&f.client, false);
    flows_run_for(&f, STT_MS(500)); /* until what is out is acknowledged */
    struct held_during d = run_and_see(&f.client, STT_S(1));
    require_held(&d, STT_HELD_CARRIER, 100);
    set_carrier(&f.client, true);
    d = run_and_see(&f.client, STT_S(1));
    world_require(&w, !d.ns[STT_HELD_CARRIER]);
    flows_end(&f);
}
END_TEST

START_TEST(between_a_carrier_that_is_writable_again_and_a_call_the_machine_holds)
{
    struct stt_carrier udp = {.writable = true, .max_datagram_bytes = 65507};
    setup(.seed = 1);
    flows_run_for(&f, STT_S(1));
    set_carrier(&f.client, false);
    flows_open(&f, &f.client, &(struct flow){.to_write = 5000});
    struct held_during d = run_and_see(&f.client, STT_S(1));
    require_held(&d, STT_HELD_CARRIER, 100);
    world_require(&w, !stt_endpoint_carrier(f.client.ep, stt_sim_now(w.sim), 0, &udp));
    d = run_and_see(&f.client, STT_MS(100));
    require_held(&d, STT_HELD_MACHINE, 100);
    stt_sim_touch(w.sim, w.client->node);
    flows_require(&f, flows_are_over, STT_S(1));
    flows_end(&f);
}
END_TEST

static void write_unseen(const struct flow *c)
{
    static const uint8_t data[5000];
    size_t written;
    world_require(&w, stt_stream_write(f.client.ep, stt_sim_now(w.sim), c->handle, data,
                                       sizeof data, &written) == STT_OK);
}

START_TEST(an_endpoint_that_is_not_called_holds)
{
    setup(.seed = 1);
    struct flow *c =
        flows_open(&f, &f.client, &(struct flow){.to_write = 5000, .stays_open = true});
    f.server.no_reading = true; /* what follows was not agreed upon */
    flows_run_for(&f, STT_S(1));
    write_unseen(c);
    struct held_during d = run_and_see(&f.client, STT_MS(500));
    require_held(&d, STT_HELD_MACHINE, 100);
    stt_sim_touch(w.sim, w.client->node);
    d = run_and_see(&f.client, STT_MS(500));
    require_held(&d, STT_HELD_APPLICATION, 80);
    flows_end(&f);
}
END_TEST

/* The pacer would have let go, and nobody called. */
START_TEST(a_wake_up_that_is_late_is_the_machines_and_not_the_pacers)
{
    setup(.one_way_ms = 250);
    flows_run_for(&f, STT_S(2));
    flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    struct held_during d = run_and_see(&f.client, STT_MS(60));
    require_held(&d, STT_HELD_PACER, 99);
    stt_sim_suspend(w.sim, w.client->node);
    d = run_and_see(&f.client, STT_MS(400));
    require_held(&d, STT_HELD_MACHINE, 90);
    stt_ns machine = stats_of(&f.client).held_by_machine_ns;
    stt_sim_resume(w.sim, w.client->node);
    stt_sim_touch(w.sim, w.client->node);
    flows_run_for(&f, STT_MS(1));
    ck_assert_uint_eq(stats_of(&f.client).held_by_machine_ns, machine);
    flows_end(&f);
}
END_TEST

/* -- counters ------------------------------------------------------------------------------------
 */

static void mib_each_way(void)
{
    f.server.reply_bytes = MIB;
    flows_open(&f, &f.client, &(struct flow){.to_write = MIB});
    flows_require(&f, flows_are_over, STT_S(60));
    flows_run_for(&f, STT_MS(850)); /* what is on its way arrives, and no timer says more */
}

START_TEST(without_loss_both_sides_have_counted_the_same)
{
    setup(.rate_bits_per_s = RATE);
    mib_each_way();
    struct stt_session_stats c = stats_of(&f.client), s = stats_of(&f.server);
    ck_assert_uint_eq(c.bytes_sent, s.bytes_received);
    ck_assert_uint_eq(s.bytes_sent, c.bytes_received);
    ck_assert_uint_eq(c.packets_sent, s.packets_received);
    ck_assert_uint_eq(s.packets_sent, c.packets_received);
    ck_assert_uint_eq(c.bytes_delivered, MIB);
    ck_assert_uint_eq(s.bytes_delivered, MIB);
    ck_assert_uint_eq(c.bytes_consumed, MIB);
    ck_assert_uint_eq(s.bytes_consumed, MIB);
    ck_assert_uint_eq(c.bytes_retransmitted + s.bytes_retransmitted, 0);
    ck_assert_uint_eq(c.packets_lost + c.packets_spurious + c.ptos, 0);
    ck_assert_uint_eq(s.packets_lost + s.packets_spurious + s.ptos, 0);
    ck_assert_uint_eq(c.packets_dropped + s.packets_dropped, 0);
    ck_assert_uint_eq(c.in_flight_bytes + s.in_flight_bytes, 0);
    ck_assert_uint_eq(c.streams_open + s.streams_open, 0);
    ck_assert_uint_eq(c.ce_received + c.path_changes + c.epochs + c.rekeys, 0);
    flows_end(&f);
}
END_TEST

START_TEST(the_links_have_seen_what_was_sent)
{
    setup(.rate_bits_per_s = RATE, .loss_ppm = (uint32_t)_i * 20000);
    struct stt_link_stats before = stt_sim_link_stats(w.sim, w.links.forth);
    struct stt_session_stats begin = stats_of(&f.client);
    mib_each_way();
    struct stt_link_stats after = stt_sim_link_stats(w.sim, w.links.forth);
    struct stt_session_stats end = stats_of(&f.client);
    ck_assert_uint_eq(end.bytes_sent - begin.bytes_sent, after.bytes_in - before.bytes_in);
    ck_assert_uint_eq(end.packets_sent - begin.packets_sent,
                      after.datagrams_in - before.datagrams_in);
    flows_end(&f);
}
END_TEST

/* What the link lost was sent, did not come, and went again. */
START_TEST(losses_are_counted_once_and_what_they_held_went_again)
{
    struct stt_stream_info info;
    setup(.rate_bits_per_s = RATE);
    struct stt_link_config forth = stt_sim_link_config(w.sim, w.links.forth);
    forth.loss_ppm = 30000;
    stt_sim_link_set(w.sim, w.links.forth, &forth);
    struct flow *flow =
        flows_open(&f, &f.client, &(struct flow){.to_write = 2 * MIB, .stays_open = true});
    flows_run_for(&f, STT_S(60));
    struct stt_session_stats c = stats_of(&f.client), s = stats_of(&f.server);
    uint64_t lost = stt_sim_link_stats(w.sim, w.links.forth).dropped[STT_LINK_DROP_LOSS];
    ck_assert_uint_gt(lost, 20);
    ck_assert_uint_eq(c.packets_sent - s.packets_received, lost);
    ck_assert_uint_le(c.packets_lost, lost); /* what only acknowledges is nobody's loss */
    ck_assert_uint_ge(c.packets_lost, lost - lost / 10);
    ck_assert_uint_eq(c.packets_spurious, 0);
    ck_assert_uint_eq(c.bytes_delivered, 2 * MIB);
    ck_assert_uint_eq(s.bytes_consumed, 2 * MIB);
    ck_assert_uint_ge(c.bytes_retransmitted, (c.packets_lost - 2) * 1000);
    ck_assert_uint_le(c.bytes_retransmitted, (c.packets_lost + 2 * c.ptos) * c.packet_bytes);
    world_require(&w, stt_stream_info(f.client.ep, flow->handle, &info) == STT_OK);
    ck_assert_uint_eq(info.bytes_retransmitted, c.bytes_retransmitted);
    ck_assert_uint_ge(info.pieces_lost, c.packets_lost - 2);
    ck_assert_uint_le(info.pieces_lost, 2 * c.packets_lost); /* the end of a lost one, and more */
    flows_end(&f);
}
END_TEST

/* What comes late was taken for lost, and is known again. */
START_TEST(losses_that_are_none_are_counted_as_spurious)
{
    setup(.rate_bits_per_s = RATE, .link = {.reorder_ppm = 20000, .reorder_ns = STT_MS(10)});
    flows_open(&f, &f.client, &(struct flow){.to_write = 2 * MIB, .stays_open = true});
    flows_run_for(&f, STT_S(30));
    struct stt_session_stats c = stats_of(&f.client);
    ck_assert_uint_gt(c.packets_lost, 0);
    ck_assert_uint_eq(c.packets_spurious, c.packets_lost);
    ck_assert_uint_eq(c.bytes_delivered, 2 * MIB);
    ck_assert_uint_le(c.bytes_retransmitted, c.packets_lost * c.packet_bytes);
    flows_end(&f);
}
END_TEST

START_TEST(copies_and_damaged_packets_are_counted_where_they_are_dropped)
{
    setup(.rate_bits_per_s = RATE, .link = {.duplicate_ppm = 50000, .corrupt_ppm = 20000});
    struct stt_link_stats before = stt_sim_link_stats(w.sim, w.links.forth);
    uint64_t dropped_before = stats_of(&f.server).packets_dropped;
    mib_each_way();
    struct stt_link_stats after = stt_sim_link_stats(w.sim, w.links.forth);
    struct stt_session_stats s = stats_of(&f.server);
    uint64_t copies = after.duplicated - before.duplicated;
    uint64_t damaged = after.corrupted - before.corrupted;
    ck_assert_uint_gt(s.dropped_replayed_packet, 0);
    ck_assert_uint_le(s.dropped_replayed_packet, copies + dropped_before);
    ck_assert_uint_gt(s.dropped_bad_tag, 0); /* with a damaged id it belongs to no session */
    ck_assert_uint_le(s.dropped_bad_tag + s.dropped_no_key, 2 * damaged + dropped_before);
    ck_assert_uint_eq(s.packets_dropped,
                      s.dropped_replayed_packet + s.dropped_bad_tag + s.dropped_no_key);
    flows_end(&f);
}
END_TEST

static void without_control(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->congestion = "none";
}

/* Ten bytes in each packet, and every second packet is lost: more gaps than a stream may have. */
START_TEST(packets_for_which_there_is_no_room_are_counted)
{
    static const uint8_t data[10];
    size_t written;
    setup(.one_way_ms = 250, .configure = without_control);
    f.server.no_reading = true; /* what follows was not agreed upon */
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = 1, .stays_open = true});
    flows_run_for(&f, STT_S(2));
    struct stt_link_config forth = stt_sim_link_config(w.sim, w.links.forth), good = forth;
    forth.drop_every = 2;
    stt_sim_link_set(w.sim, w.links.forth, &forth);
    for (int i = 0; i < 700; i++) {
        stt_ns now = stt_sim_now(w.sim);
        world_require(&w, !stt_stream_write(f.client.ep, now, c->handle, data, 10, &written));
        world_require(&w, !stt_stream_flush(f.client.ep, now, c->handle));
        stt_sim_touch(w.sim, w.client->node);
        flows_run_for(&f, STT_US(10));
    }
    stt_sim_link_set(w.sim, w.links.forth, &good);
    flows_run_for(&f, STT_S(20));
    struct stt_session_stats s = stats_of(&f.server);
    ck_assert_uint_ge(s.dropped_no_room, 350 - 256 - 1);
    ck_assert_uint_eq(s.packets_dropped, s.dropped_no_room);
    ck_assert_uint_eq(stats_of(&f.client).bytes_delivered, 7001);
    flows_end(&f);
}
END_TEST

/* -- estimates -----------------------------------------------------------------------------------
 */

START_TEST(the_least_round_trip_is_that_of_the_path)
{
    setup(.one_way_ms = 5 + 45 * (uint32_t)_i);
    mib_each_way();
    stt_ns rtt = STT_MS(2 * (5 + 45 * (uint64_t)_i));
    for (int i = 0; i < 2; i++) {
        struct stt_session_stats s = stats_of(i ? &f.server : &f.client);
        ck_assert_uint_ge(s.rtt_min_ns, rtt);
        ck_assert_uint_le(s.rtt_min_ns, rtt + STT_MS(1));
        ck_assert_uint_ge(s.rtt_ns, rtt);
        ck_assert_uint_le(s.rtt_ns, rtt + STT_MS(30));
        ck_assert_uint_gt(s.window_bytes, 10 * s.packet_bytes);
        ck_assert_uint_gt(s.rate_bytes_per_s, 0);
    }
    flows_end(&f);
}
END_TEST

START_TEST(in_flight_is_what_is_out_and_at_most_the_window)
{
    setup(.rate_bits_per_s = RATE, .queue_bytes = 50000);
    flows_open(&f, &f.client, &(struct flow){.to_write = 64 * MIB});
    flows_run_for(&f, STT_S(5));
    struct stt_session_stats c = stats_of(&f.client), s = stats_of(&f.server);
    ck_assert_uint_ge(c.in_flight_bytes, RATE / 8 / 1000 * 2 * ONE_WAY_MS);
    ck_assert_uint_le(c.in_flight_bytes, c.window_bytes + c.packet_bytes);
    ck_assert_uint_eq(c.streams_open, 1);
    ck_assert_uint_eq(s.streams_open, 1);
    flows_end(&f);
}
END_TEST

/* 31 of 1,452 bytes and 28 of the packet are headers, and 8 those of the frame. */
START_TEST(throughput_is_what_the_link_carries_on_both_sides)
{
    struct stt_stream_info info;
    double full = RATE / 8.0 * (1452 - 31 - 8) / (1452 + 28);
    setup(.rate_bits_per_s = RATE, .link = {.header_bytes = 28}, .queue_bytes = 50000);
    struct flow *flow = flows_open(&f, &f.client, &(struct flow){.to_write = 64 * MIB});
    flows_run_for(&f, STT_MS(12700));
    struct stt_session_stats c = stats_of(&f.client), s = stats_of(&f.server);
    ck_assert_double_eq_tol((double)c.delivered_bytes_per_s, full, full * 0.04);
    ck_assert_double_eq_tol((double)s.consumed_bytes_per_s, full, full * 0.04);
    ck_assert_uint_eq(s.delivered_bytes_per_s + c.consumed_bytes_per_s, 0);
    ck_assert_double_eq_tol((double)c.delivered_mean_bytes_per_s,
                            (double)c.bytes_delivered * 1e9 / (double)c.age_ns, 1.0);
    ck_assert_double_eq_tol((double)s.consumed_mean_bytes_per_s,
                            (double)s.bytes_consumed * 1e9 / (double)s.age_ns, 1.0);
    ck_assert_double_eq_tol((double)c.delivered_mean_bytes_per_s, full, full * 0.1);
    world_require(&w, stt_stream_info(f.client.ep, flow->handle, &info) == STT_OK);
    ck_assert_uint_eq(info.opened_at, flow->opened_at);
    ck_assert_double_eq_tol((double)info.acked_mean_bytes_per_s, full, full * 0.1);
    ck_assert_uint_eq(info.consumed_mean_bytes_per_s, 0);
    world_require(&w, !info.is_blocked);
    flows_end(&f);
}
END_TEST

START_TEST(a_second_after_the_last_byte_the_throughput_is_nothing_and_the_mean_stays)
{
    setup(.rate_bits_per_s = RATE);
    mib_each_way();
    flows_run_for(&f, STT_S(2));
    struct stt_session_stats c = stats_of(&f.client);
    ck_assert_uint_eq(c.delivered_bytes_per_s + c.consumed_bytes_per_s, 0);
    ck_assert_uint_eq(c.delivered_mean_bytes_per_s,
                      (uint64_t)((unsigned __int128)MIB * STT_S(1) / c.age_ns));
    flows_end(&f);
}
END_TEST

/* -- the end ------------------------------------------------------------------------------------
 */

static struct stt_sim_host hosts[2];
static struct {
    unsigned n;
    stt_handle session;
    struct stt_session_stats stats;
    struct stt_session_info info;
} at_end[2];

static void look_at_end(unsigned i, struct stt_sim *sim, stt_sim_node node,
                        const struct stt_event *e)
{
    struct stt_endpoint *ep = stt_sim_endpoint(sim, node);
    if (e->type == STT_EVENT_CLOSED) {
        at_end[i].n++;
        at_end[i].session = e->session;
        ck_assert_int_eq(stt_session_stats(ep, stt_sim_now(sim), e->session, &at_end[i].stats),
                         STT_OK);
        ck_assert_int_eq(stt_session_info(ep, e->session, &at_end[i].info), STT_OK);
    }
    hosts[i].on_event(hosts[i].ctx, sim, node, e);
}

static void client_at_end(void *ctx, struct stt_sim *sim, stt_sim_node node,
                          const struct stt_event *e)
{
    (void)ctx;
    look_at_end(0, sim, node, e);
}

static void server_at_end(void *ctx, struct stt_sim *sim, stt_sim_node node,
                          const struct stt_event *e)
{
    (void)ctx;
    look_at_end(1, sim, node, e);
}

static void equip_for_end(struct stt_sim_endpoint *endpoint, bool is_client)
{
    hosts[!is_client] = endpoint->host;
    endpoint->host.on_event = is_client ? client_at_end : server_at_end;
}

static void require_end(const struct world_side *side, const struct stt_session_stats *before)
{
    unsigned i = side == w.server;
    const struct stt_session_stats *s = &at_end[i].stats;
    struct stt_session_stats none;
    stt_ns ns[STT_HELD_COUNT], sum = 0;
    ck_assert_uint_eq(at_end[i].n, 1);
    ck_assert_uint_eq(s->bytes_delivered, MIB);
    ck_assert_uint_eq(s->bytes_consumed, MIB);
    ck_assert_uint_ge(s->packets_received, before->packets_received);
    ck_assert_uint_ge(s->dropped_bad_tag, before->dropped_bad_tag);
    ck_assert_uint_ge(before->dropped_bad_tag, 1);
    ck_assert_uint_eq(at_end[i].info.opens_failed, s->dropped_bad_tag);
    ck_assert_uint_eq(s->epochs, 1);
    ck_assert_uint_eq(at_end[i].info.epoch, 1);
    take_held(ns, s);
    for (int by = 0; by < STT_HELD_COUNT; by++)
        sum += ns[by];
    ck_assert_uint_eq(sum, s->age_ns);
    ck_assert_uint_ge(s->age_ns, before->age_ns);
    ck_assert_int_eq(
        stt_session_stats(world_endpoint(&w, side), stt_sim_now(w.sim), at_end[i].session, &none),
        STT_E_STALE);
}

/* The client's end by its own word, the server's by the client's; both by silence. */
START_TEST(what_a_session_did_can_be_asked_when_its_end_is_told)
{
    memset(at_end, 0, sizeof at_end);
    setup(.equip = equip_for_end);
    stt_sim_forge(w.sim, w.links.forth);
    stt_sim_forge(w.sim, w.links.back);
    mib_each_way();
    world_require(&w, stt_session_update_keys(world_endpoint(&w, w.client), stt_sim_now(w.sim),
                                              w.client->session) == STT_OK);
    flows_run_for(&f, STT_S(1));
    struct stt_session_stats c = stats_of(&f.client), s = stats_of(&f.server);
    if (_i == 0) {
        world_require(&w, stt_session_close(world_endpoint(&w, w.client), stt_sim_now(w.sim),
                                            w.client->session, 0, "done") == STT_OK);
    } else {
        stt_sim_blackout(w.sim, w.links.forth, stt_sim_now(w.sim), STT_NEVER);
        stt_sim_blackout(w.sim, w.links.back, stt_sim_now(w.sim), STT_NEVER);
    }
    flows_run_for(&f, STT_S(40));
    require_end(w.client, &c);
    require_end(w.server, &s);
    ck_assert_int_eq(w.server->last.reason, _i ? STT_REASON_IDLE : STT_REASON_PEER_CLOSE);
    flows_end(&f);
}
END_TEST

AGED_SUITE("statistics", TEST(a_host_that_writes_little_holds_its_session),
           LOOP(a_reader_that_does_not_read_holds_by_the_flow_control_of_the_stream, 0, 2),
           LOOP(many_streams_that_nobody_reads_hold_by_the_flow_control_of_the_session, 0, 2),
           LOOP(a_stream_that_is_given_up_leaves_the_session_to_its_application, 0, 2),
           TEST(a_path_on_trial_holds),
           FRESH_TEST(a_suite_that_must_have_a_new_key_first_holds, "it never stays in one epoch"),
           TEST(on_a_long_path_the_pacer_holds_first_and_then_a_small_window),
           TEST(acks_that_do_not_come_leave_the_window_full),
           TEST(a_carrier_that_is_not_writable_holds),
           TEST(between_a_carrier_that_is_writable_again_and_a_call_the_machine_holds),
           TEST(an_endpoint_that_is_not_called_holds),
           TEST(a_wake_up_that_is_late_is_the_machines_and_not_the_pacers),
           FRESH_TEST(without_loss_both_sides_have_counted_the_same, "something is lost in moves"),
           LOOP(the_links_have_seen_what_was_sent, 0, 2),
           FRESH_TEST(losses_are_counted_once_and_what_they_held_went_again,
                      "something is lost in moves"),
           TEST(losses_that_are_none_are_counted_as_spurious),
           TEST(copies_and_damaged_packets_are_counted_where_they_are_dropped),
           TEST(packets_for_which_there_is_no_room_are_counted),
           LOOP(the_least_round_trip_is_that_of_the_path, 0, 3),
           TEST(in_flight_is_what_is_out_and_at_most_the_window),
           FRESH_TEST(throughput_is_what_the_link_carries_on_both_sides,
                      "means are those of all its life"),
           TEST(a_second_after_the_last_byte_the_throughput_is_nothing_and_the_mean_stays),
           FRESH_LOOP(what_a_session_did_can_be_asked_when_its_end_is_told, 0, 2,
                      "what it did is known from its beginning"))
