/* SPDX-License-Identifier: MIT
 * Congestion marks from end to end. Spec 06, "ECN". */
#include "stt/session/engine.h"
#include "tests/support/flows.h"
#include "tests/support/suite.h"
#include "tests/support/traitor.h"

enum { RATE = 20000000, ONE_WAY_MS = 20, QUEUE = 100000 };

static struct world w;
static struct flows f;

static struct stt_session *session(const struct world_side *side)
{
    return traitor_session(world_endpoint(&w, side), side->session);
}

static void setup_with(const struct world_options *options)
{
    w = world_pair_new(options);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
}
#define setup(...)                                                                                 \
    setup_with(&(struct world_options){                                                            \
        .one_way_ms = ONE_WAY_MS, .rate_bits_per_s = RATE, .queue_bytes = QUEUE, __VA_ARGS__})

/* Bytes that one stream carries from the 3rd second to the 13th. */
static uint64_t carry(void)
{
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = UINT64_MAX});
    flows_run_for(&f, STT_S(3));
    uint64_t before = flows_peer(&f, c)->read;
    flows_run_for(&f, STT_S(10));
    return flows_peer(&f, c)->read - before;
}

/* How much it carries depends on the packet that meets a mark, by several percent. */
enum { MARKS_FROM = 25000, MARKS_TO = 40000, MARKS_STEP = 2500, MARKS = 7 };
static uint64_t carried_with_marks;

static void check_queue_that_marks(uint32_t mark_bytes)
{
    setup(.link = {.ecn_mark_bytes = mark_bytes});
    carried_with_marks += carry();
    struct stt_link_stats link = stt_sim_link_stats(w.sim, w.links.forth);
    world_require(&w, session(w.client)->streams->ecn.state == STT_ECN_CAPABLE);
    world_require(&w, session(w.client)->streams->ecn.told.ce > 0);
    world_require(&w, link.dropped[STT_LINK_DROP_QUEUE] <= 80); /* of slow start */
    stt_ns rtt = stt_loss_path(&session(w.client)->loss)->rtt.smoothed;
    world_require(&w, rtt < STT_MS(2 * ONE_WAY_MS + 20));
    flows_end(&f);
}

START_TEST(a_queue_that_marks_stays_short_and_loses_nothing)
{
    for (uint32_t mark = MARKS_FROM; mark <= MARKS_TO; mark += MARKS_STEP)
        check_queue_that_marks(mark);
    uint64_t mean = carried_with_marks / MARKS;
    ck_assert_msg(mean >= (uint64_t)RATE / 8 * 10 * 86 / 100, "%llu bytes",
                  (unsigned long long)mean);
}
END_TEST

/* From now on every packet is marked on its way. */
static void mark_everything(void)
{
    struct stt_link_config link = stt_sim_link_config(w.sim, w.links.forth);
    link.ecn_mark_bytes = 1;
    stt_sim_link_set(w.sim, w.links.forth, &link);
}

enum { MARKED_SEEDS = 4 };
static const char *congestion_name;

static void take_congestion(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->congestion = congestion_name;
}

/* Each reduction leaves 0.7, and they are a round trip apart. */
static unsigned count_reductions(const struct stt_congestion *congestion)
{
    unsigned reductions = 0;
    uint64_t window = congestion->window_bytes;
    for (stt_ns at = stt_sim_now(w.sim), reduced_at = 0; stt_sim_now(w.sim) < at + STT_S(1);) {
        flows_run_for(&f, STT_MS(1));
        uint64_t now = congestion->window_bytes;
        if (now < window) {
            world_require(&w, now * 10 >= window * 7 - 10 || now == 2 * 1200);
            world_require(&w, stt_sim_now(w.sim) - reduced_at >= STT_MS(2 * ONE_WAY_MS));
            reduced_at = stt_sim_now(w.sim);
            reductions++;
        }
        window = now;
    }
    return reductions;
}

/* The same of a window that has room for bursts of acks, too, which changes by itself. */
static unsigned count_falls(const struct stt_congestion *congestion)
{
    unsigned falls = 0;
    uint64_t window = congestion->window_bytes;
    for (int trip = 0; trip < 1000 / (2 * ONE_WAY_MS); trip++) {
        flows_run_for(&f, STT_MS(2 * ONE_WAY_MS - 1));
        uint64_t now = congestion->window_bytes;
        world_require(&w, now * 10 >= window * 7 - 10);
        falls += now < window;
        window = now;
    }
    return falls;
}

/* A mark is a loss to the window, but one in a round trip, and nothing is sent twice. */
START_TEST(marks_on_everything_are_one_reduction_in_a_round_trip_case_34)
{
    bool is_cubic = _i < MARKED_SEEDS;
    congestion_name = is_cubic ? "cubic" : "tide";
    setup(.seed = (uint64_t)_i % MARKED_SEEDS + 1, .configure = take_congestion);
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = UINT64_MAX});
    flows_run_for(&f, STT_S(4));
    const struct stt_congestion *congestion = &session(w.client)->streams->congestion;
    struct stt_stream_info before, info;
    world_require(&w, stt_stream_info(f.client.ep, c->handle, &before) == STT_OK);
    mark_everything();
    world_require(&w, congestion->window_bytes > 50 * 1200); /* there is much to reduce */
    unsigned reductions = is_cubic ? count_reductions(congestion) : count_falls(congestion);
    world_require(&w, reductions >= 8 && reductions <= 1000 / (2 * ONE_WAY_MS));
    flows_run_for(&f, STT_S(5));
    uint64_t read = flows_peer(&f, c)->read;
    flows_run_for(&f, STT_S(10));
    /* Two packets in a round trip are the least. */
    read = flows_peer(&f, c)->read - read;
    world_require(&w, read > 10 * 1000 / (2 * ONE_WAY_MS) * 2 * 1100 * 8 / 10);
    world_require(&w, stt_stream_info(f.client.ep, c->handle, &info) == STT_OK);
    world_require(&w, info.bytes_retransmitted == before.bytes_retransmitted);
    world_require(&w, congestion->window_bytes >= 2 * 1200);
    flows_end(&f);
}
END_TEST

START_TEST(where_marks_are_wiped_off_none_are_set_any_more_and_data_flows)
{
    setup(.link = {.ecn_bleached = true});
    uint64_t bytes = carry();
    world_require(&w, session(w.client)->streams->ecn.state == STT_ECN_FAILED);
    world_require(&w, bytes >= (uint64_t)RATE / 8 * 10 * 85 / 100);
    flows_end(&f);
}
END_TEST

static bool drop_marked(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    uint64_t *dropped = ctx;
    (void)now;
    *dropped += d->ecn != 0;
    return d->ecn == 0;
}

START_TEST(where_marked_packets_are_dropped_it_goes_on_unmarked)
{
    uint64_t dropped = 0;
    setup(.seed = 1);
    stt_sim_tap(w.sim, w.links.forth, drop_marked, &dropped);
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = 1000000});
    flows_run_for(&f, STT_S(20));
    world_require(&w, flows_peer(&f, c) && flows_peer(&f, c)->read == 1000000);
    world_require(&w, dropped >= STT_ECN_LOST_MAX && dropped < 40);
    flows_end(&f);
}
END_TEST

/* Who has something to send has a packet size to find: its probes may be faster than data. */
START_TEST(marks_are_counted_before_there_is_a_stream)
{
    setup(.seed = 1);
    struct stt_endpoint *ep = world_endpoint(&w, w.client);
    world_require(&w, !session(w.client)->streams && !session(w.server)->streams);
    world_require(&w, !stt_streams_make(ep, stt_sim_now(w.sim), session(w.client)));
    world_require(&w, !stt_session_ping(ep, stt_sim_now(w.sim), w.client->session));
    flows_run_for(&f, STT_S(1));
    world_require(&w, session(w.client)->streams->ecn.state == STT_ECN_CAPABLE);
    world_require(&w, session(w.client)->streams->ecn.told.ect0 == 1);
    flows_end(&f);
}
END_TEST

/* Somebody copies packets to where nobody is. What was known of the path is known after that. */
START_TEST(a_path_that_comes_back_is_not_tested_anew)
{
    const struct stt_address elsewhere = stt_sim_ipv4(99, WORLD_PORT);
    setup(.link = {.ecn_bleached = true});
    (void)carry();
    struct stt_link_config link = stt_sim_link_config(w.sim, w.links.forth);
    link.ecn_bleached = false;
    stt_sim_link_set(w.sim, w.links.forth, &link);
    stt_sim_spoof(w.sim, w.links.back, &elsewhere);
    uint64_t tried = 0, moved = session(w.client)->paths.moved;
    for (int i = 0; i < 5000; i++) {
        flows_run_for(&f, STT_MS(1));
        bool is_on_trial = session(w.client)->paths.on_trial >= 0;
        tried += is_on_trial;
        world_require(&w, is_on_trial || session(w.client)->streams->ecn.state == STT_ECN_FAILED);
    }
    world_require(&w, tried > 0 && session(w.client)->paths.moved == moved);
    flows_end(&f);
}
END_TEST

AGED_SUITE("marks", TEST(a_path_that_comes_back_is_not_tested_anew),
           TEST(a_queue_that_marks_stays_short_and_loses_nothing),
           LOOP(marks_on_everything_are_one_reduction_in_a_round_trip_case_34, 0, 2 * MARKED_SEEDS),
           TEST(where_marks_are_wiped_off_none_are_set_any_more_and_data_flows),
           FRESH_TEST(marks_are_counted_before_there_is_a_stream,
                      "an aged session has had streams"),
           FRESH_TEST(where_marked_packets_are_dropped_it_goes_on_unmarked,
                      "a path that carries marks is not tested again"))
