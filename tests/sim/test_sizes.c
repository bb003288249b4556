/* SPDX-License-Identifier: MIT
 * The packet size of a path, found and found again by sessions that move data. Spec 04, "Packet
 * size". */
#include "stt/session/engine.h"
#include "stt/stats.h"
#include "tests/support/flows.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"

enum { RATE = 50000000, ONE_WAY_MS = 20, RTT_MS = 2 * ONE_WAY_MS, HEADERS = 28 };

static struct world w;
static struct flows f;
static struct flow *flow;

static void search_far(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->packet_bytes_max = 8972;
}

static void search_ethernet(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->packet_bytes_max = 1472;
}

static void setup_with(const struct world_options *options)
{
    struct world_options o = *options;
    o.configure = o.configure ? o.configure : search_ethernet;
    w = world_pair_new(&o);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    flow = flows_open(&f, &f.client, &(struct flow){.to_write = UINT64_MAX});
}
#define setup(...)                                                                                 \
    setup_with(&(struct world_options){                                                            \
        .one_way_ms = ONE_WAY_MS, .rate_bits_per_s = RATE, .queue_bytes = 2500000, __VA_ARGS__})

static uint32_t bytes_now(void)
{
    return traitor_session(f.client.ep, w.client->session)->packet_bytes;
}

/* The largest that fits, or less by at most 16. */
static bool is_found(uint32_t mtu)
{
    uint32_t largest = mtu - HEADERS;
    return bytes_now() <= largest && bytes_now() + 16 > largest;
}

static void set_mtu(uint32_t mtu)
{
    struct stt_link_config config = stt_sim_link_config(w.sim, w.links.forth);
    config.mtu_bytes = mtu;
    stt_sim_link_set(w.sim, w.links.forth, &config);
}

static const uint32_t mtus[] = {1228, 1280, 1400, 1450, 1492, 1500, 2000, 4352, 8000, 9000};
enum { MTUS = sizeof mtus / sizeof mtus[0] };

START_TEST(the_size_is_found_within_16_bytes_in_ten_round_trips)
{
    uint32_t mtu = mtus[_i % MTUS];
    setup(.mtu = mtu, .loss_ppm = _i < MTUS ? 0 : 10000, .configure = search_far);
    flows_run_for(&f, STT_MS((_i < MTUS ? 10 : 40) * RTT_MS));
    ck_assert_msg(is_found(mtu), "%u on a path of %u", bytes_now(), mtu - HEADERS);
    struct stt_stream_info info;
    world_require(&w, stt_stream_info(f.client.ep, flow->handle, &info) == STT_OK);
    world_require(&w, _i >= MTUS || info.bytes_retransmitted == 0); /* probes hold nothing */
    flows_end(&f);
}
END_TEST

static const struct {
    uint32_t before, after;
} holes[] = {{1500, 1228}, {1500, 1258}, {1500, 1288}, {1500, 1318}, {1500, 1348}, {1500, 1378},
             {1500, 1408}, {1500, 1438}, {9000, 1228}, {9000, 1500}, {9000, 4352}, {9000, 8900}};
enum { HOLES = sizeof holes / sizeof holes[0] };

/* A router on the way drops what is large, and says nothing. */
START_TEST(when_only_large_packets_are_dropped_the_size_falls_and_is_found_again_case_53)
{
    setup(.mtu = holes[_i].before, .configure = search_far);
    flows_run_for(&f, STT_S(2));
    world_require(&w, is_found(holes[_i].before));
    set_mtu(holes[_i].after);
    uint64_t before = flows_peer(&f, flow)->read;
    flows_run_for(&f, STT_S(3));
    ck_assert_msg(is_found(holes[_i].after), "%u bytes", bytes_now());
    world_require(&w, flows_peer(&f, flow)->read > before);
    before = flows_peer(&f, flow)->read;
    flows_run_for(&f, STT_S(2));
    world_require(&w, flows_peer(&f, flow)->read - before > RATE / 8 * 2 / 3);
    flows_end(&f);
}
END_TEST

START_TEST(losses_by_congestion_are_no_black_hole)
{
    setup(.mtu = 1500, .loss_ppm = 50000);
    flows_run_for(&f, STT_S(4));
    world_require(&w, is_found(1500));
    for (int i = 0; i < 100; i++) {
        flows_run_for(&f, STT_MS(100));
        world_require(&w, is_found(1500));
    }
    flows_end(&f);
}
END_TEST

START_TEST(nothing_is_probed_where_no_data_flows)
{
    setup(.mtu = 1500);
    flow->to_write = flow->written;
    flows_run_for(&f, STT_S(2));
    uint64_t sent = stt_sim_link_stats(w.sim, w.links.forth).datagrams_in;
    flows_run_for(&f, STT_S(5));
    world_require(&w, stt_sim_link_stats(w.sim, w.links.forth).datagrams_in - sent <= 2);
    flows_end(&f);
}
END_TEST

/* -- what the sender's own machine refuses ------------------------------------------------------
 */

static struct stt_session_stats stats_now(void)
{
    struct stt_session_stats s;
    world_require(&w, stt_session_stats(f.client.ep, stt_sim_now(w.sim), w.client->session, &s) ==
                          STT_OK);
    return s;
}

START_TEST(what_the_host_cannot_send_is_never_in_use_case_57)
{
    uint32_t most = mtus[_i] - HEADERS;
    setup(.configure = search_far);
    stt_sim_refuse_above(w.sim, w.client->node, most);
    flows_run_for(&f, STT_MS(10 * RTT_MS));
    ck_assert_msg(is_found(mtus[_i]), "%u where %u can be sent", bytes_now(), most);
    world_require(&w, stt_sim_stats(w.sim).trains_refused > 0);
    ck_assert_uint_eq(stats_now().packets_lost, 0);
    ck_assert_uint_eq(stats_now().bytes_retransmitted, 0); /* probes hold nothing */
    flows_end(&f);
}
END_TEST

/* As where a tunnel has come up: what is refused goes again in smaller packets, and no controller
 * has heard of it. */
START_TEST(when_the_host_refuses_the_size_in_use_it_falls_at_once_case_57)
{
    enum { MOST = 1400 };
    setup(.mtu = 1500);
    flows_run_for(&f, STT_S(2));
    world_require(&w, is_found(1500));
    uint64_t window = stats_now().window_bytes, read = flows_peer(&f, flow)->read;
    stt_sim_refuse_above(w.sim, w.client->node, MOST);
    for (int i = 0; i < 100 && !stt_sim_stats(w.sim).trains_refused; i++)
        flows_run_for(&f, STT_MS(1));
    world_require(&w, stt_sim_stats(w.sim).trains_refused > 0);
    ck_assert_uint_eq(bytes_now(), 1200);
    ck_assert_uint_ge(stats_now().window_bytes, window);
    flows_run_for(&f, STT_MS(2 * RTT_MS));
    ck_assert_uint_gt(stats_now().bytes_retransmitted, 0);
    flows_run_for(&f, STT_S(1));
    ck_assert_msg(is_found(MOST + HEADERS), "%u where %u can be sent", bytes_now(), MOST);
    ck_assert_uint_eq(stats_now().packets_lost, 0);
    ck_assert_uint_gt(flows_peer(&f, flow)->read, read + RATE / 8 * 3 / 4);
    flows_end(&f);
}
END_TEST

START_TEST(what_every_path_carries_is_not_given_up_where_the_host_refuses_it)
{
    setup(.mtu = 1500);
    flows_run_for(&f, STT_S(2));
    uint64_t window = stats_now().window_bytes;
    stt_sim_refuse_above(w.sim, w.client->node, 1100);
    flows_run_for(&f, STT_S(5));
    ck_assert_uint_eq(bytes_now(), 1200);
    /* What fills the window, which grows meanwhile, and what is tried again by PTO. */
    ck_assert_uint_le(stt_sim_stats(w.sim).trains_refused, 2 * window / 1200 + 100);
    stt_sim_refuse_above(w.sim, w.client->node, 0);
    uint64_t read = flows_peer(&f, flow)->read;
    flows_run_for(&f, STT_S(4));
    ck_assert_uint_gt(flows_peer(&f, flow)->read, read);
    flows_end(&f);
}
END_TEST

/* Of trains of no session, of another path, of one that is gone, or of what every path carries. */
START_TEST(a_refusal_that_says_nothing_of_the_path_in_use_changes_nothing)
{
    setup(.mtu = 1500);
    flows_run_for(&f, STT_S(2));
    struct stt_train train = {
        .path = *stt_paths_current(&traitor_session(f.client.ep, w.client->session)->paths),
        .len = 3000,
        .segment_bytes = 1400,
        .session = w.client->session,
        .first = UINT64_MAX - 10};
    struct stt_train trains[] = {train, train, train, train};
    trains[0].session = 0;
    trains[1].session = w.client->session + (UINT64_C(1) << 32);
    trains[2].path.remote.port++;
    trains[3].segment_bytes = 1200;
    struct stt_session_stats before = stats_now();
    for (int i = 0; i < 4; i++) {
        stt_endpoint_refused(f.client.ep, stt_sim_now(w.sim), &trains[i]);
        ck_assert_uint_eq(stats_now().in_flight_bytes, before.in_flight_bytes);
        world_require(&w, is_found(1500));
    }
    stt_endpoint_refused(f.client.ep, stt_sim_now(w.sim), &train);
    ck_assert_uint_eq(bytes_now(), 1200);
    flows_end(&f);
}
END_TEST

AGED_SUITE("sizes",
           FRESH_LOOP(the_size_is_found_within_16_bytes_in_ten_round_trips, 0, MTUS,
                      "who knows the road paces, and takes twelve"),
           LOOP(the_size_is_found_within_16_bytes_in_ten_round_trips, MTUS, 2 * MTUS),
           LOOP(when_only_large_packets_are_dropped_the_size_falls_and_is_found_again_case_53, 0,
                HOLES),
           TEST(losses_by_congestion_are_no_black_hole),
           TEST(nothing_is_probed_where_no_data_flows),
           FRESH_LOOP(what_the_host_cannot_send_is_never_in_use_case_57, 1, MTUS - 1,
                      "what is lost is counted from its beginning"),
           FRESH_TEST(when_the_host_refuses_the_size_in_use_it_falls_at_once_case_57, "likewise"),
           TEST(what_every_path_carries_is_not_given_up_where_the_host_refuses_it),
           TEST(a_refusal_that_says_nothing_of_the_path_in_use_changes_nothing))
