/* SPDX-License-Identifier: MIT
 * Handshakes over networks that lose, copy, reorder, damage and cut: every way to a session, on
 * IPv4 and IPv6, and how long it takes. */
#include "tests/support/suite.h"
#include "tests/support/ways.h"

#include <stdio.h>
#include <stdlib.h>

enum { FAMILIES = 2, PERCENT_PPM = 10000 };

/* -- a network that does nothing wrong --------------------------------------------------------- */

START_TEST(every_way_leads_to_one_session_in_its_round_trips)
{
    /* K: 1, 2 and the first packet. S: 1, 2, 3 and the answer. W: 1, cookie, 1, 2, 3, and both
     * identities. */
    static const stt_ns client_ms[] = {0, 40, 80, 120}, server_ms[] = {0, 60, 60, 140};
    const struct way *way = &ways[_i % WAYS];
    struct world w = world_pair(.one_way_ms = 20, .ipv6 = _i >= WAYS, .mtu = 1280);
    way_begin(&w, way);
    world_require(&w, world_run_until(&w, both_connected, STT_MS(200)));
    world_require(&w, w.client->connected_at == STT_MS(client_ms[way->mode]));
    world_require(&w, w.server->connected_at == STT_MS(server_ms[way->mode]));
    world_run_for(&w, STT_S(60));
    ways_require_one_session(&w);
    world_end(&w);
}
END_TEST

static stt_ns first_rtt(enum stt_mode mode, uint32_t one_way_ms)
{
    struct stt_session_info info;
    struct world w = world_pair(.one_way_ms = one_way_ms);
    world_connect_begin(&w, mode);
    world_require(&w, world_run_until(&w, both_connected, STT_S(5)));
    w.client->connected_before = 0;
    world_require(&w, stt_session_info(world_endpoint(&w, w.client), w.client->session, &info) ==
                          STT_OK);
    world_end(&w);
    return info.rtt_ns;
}

/* W: also where a cookie went before it. In K both ends are connected before an ack has come. */
START_TEST(an_answer_to_the_only_copy_is_the_first_sample_of_the_round_trip)
{
    static const enum stt_mode modes[] = {STT_MODE_K, STT_MODE_S, STT_MODE_W};
    ck_assert_uint_eq(first_rtt(modes[_i], 20), STT_MS(40));
    ck_assert_uint_eq(first_rtt(modes[_i], 60), STT_MS(120));
    ck_assert_uint_eq(first_rtt(STT_MODE_K, 140), 0); /* it was repeated before */
}
END_TEST

/* -- networks that do -------------------------------------------------------------------------- */

/* One session on both sides in the end; or none, and the user was told in time. */
static bool connects(const struct way *way, const struct world_options *o)
{
    struct world w = world_pair_new(o);
    way_begin(&w, way);
    world_run_for(&w, STT_S(12));
    bool connected = !w.client->events[STT_EVENT_CLOSED];
    if (connected) {
        ways_require_one_session(&w);
        world_require(&w, w.client->connected_at < STT_S(10));
    } else {
        world_require(&w, w.client->last.reason == STT_REASON_NO_ANSWER);
        world_require(&w, w.client->latest_at[STT_EVENT_CLOSED] == STT_S(10));
        world_run_for(&w, STT_S(40));
        world_require(&w,
                      w.server->events[STT_EVENT_ACCEPTED] == w.server->events[STT_EVENT_CLOSED]);
    }
    world_end(&w);
    return connected;
}

static const struct loss {
    uint32_t percent;
    unsigned seeds, connect_at_least;
} losses[] = {{10, 8, 8}, {20, 8, 8}, {30, 20, 20}, {40, 20, 19}, {50, 40, 32}};
enum { LOSSES = sizeof losses / sizeof losses[0] };

START_TEST(every_way_leads_through_loss_both_ways)
{
    const struct way *way = &ways[_i % WAYS];
    bool ipv6 = _i / WAYS % FAMILIES;
    const struct loss *loss = &losses[_i / WAYS / FAMILIES];
    unsigned connected = 0;
    for (uint64_t seed = 1; seed <= loss->seeds; seed++)
        connected +=
            connects(way, &(struct world_options){.seed = seed,
                                                  .one_way_ms = 50,
                                                  .ipv6 = ipv6,
                                                  .mtu = 1280,
                                                  .loss_ppm = loss->percent * PERCENT_PPM});
    ck_assert_msg(connected >= loss->connect_at_least, "%s at %u %% loss: %u of %u", way->name,
                  loss->percent, connected, loss->seeds);
}
END_TEST

static const struct trouble {
    const char *name;
    struct stt_link_config link;
} troubles[] = {
    {"every datagram twice", {.duplicate_ppm = 1000000}},
    {"half of them 80 ms later", {.reorder_ppm = 500000, .reorder_ns = STT_MS(80)}},
    {"every fifth damaged", {.corrupt_ppm = 200000}},
    {"bursts of loss",
     {.burst_enter_ppm = 100000, .burst_leave_ppm = 250000, .burst_loss_ppm = 900000}},
    {"100 kbit/s and a short queue", {.rate_bits_per_s = 100000, .queue_bytes = 3000}},
    {"all of it",
     {.jitter_ns = STT_MS(10),
      .loss_ppm = 100000,
      .corrupt_ppm = 50000,
      .duplicate_ppm = 200000,
      .reorder_ppm = 200000,
      .reorder_ns = STT_MS(80)}},
};
enum { TROUBLES = sizeof troubles / sizeof troubles[0] };

START_TEST(every_way_leads_through_trouble)
{
    const struct way *way = &ways[_i % WAYS];
    bool ipv6 = _i / WAYS % FAMILIES;
    const struct trouble *trouble = &troubles[_i / WAYS / FAMILIES];
    for (uint64_t seed = 1; seed <= 8; seed++)
        ck_assert_msg(connects(way, &(struct world_options){.seed = seed,
                                                            .one_way_ms = 20,
                                                            .ipv6 = ipv6,
                                                            .mtu = 1280,
                                                            .link = trouble->link}),
                      "%s, %s, seed %llu", way->name, trouble->name, (unsigned long long)seed);
}
END_TEST

/* -- one seed, one story ------------------------------------------------------------------------
 */

static uint64_t hash_of(uint64_t seed)
{
    struct world w = world_pair(.seed = seed, .one_way_ms = 20, .ipv6 = seed & 1,
                                .link = troubles[TROUBLES - 1].link);
    way_begin(&w, &ways[seed % WAYS]);
    world_run_for(&w, STT_S(20));
    uint64_t hash = stt_sim_hash(w.sim);
    world_end(&w);
    return hash;
}

START_TEST(the_same_seed_tells_the_same_story_and_another_seed_another)
{
    uint64_t before = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        uint64_t hash = hash_of(seed);
        ck_assert_uint_eq(hash, hash_of(seed));
        ck_assert_uint_ne(hash, before);
        before = hash;
    }
}
END_TEST

/* -- how long it takes at 30 % loss each way, RTT 100 ms ----------------------------------------
 */

enum { FIGURE_SEEDS = 1000 };

/* Since the connect began; STT_NEVER: not within its ten seconds. */
struct figures {
    stt_ns client[FIGURE_SEEDS], both[FIGURE_SEEDS];
};

static int by_size(const void *a, const void *b)
{
    const stt_ns *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void measure(struct figures *f, const struct way *way, uint64_t seed)
{
    struct world w = world_pair(.seed = seed, .one_way_ms = 50, .loss_ppm = 30 * PERCENT_PPM);
    way_begin(&w, way);
    bool done = world_run_until(&w, both_connected, STT_S(10));
    stt_ns client = w.client->connected_at, server = w.server->connected_at;
    f->client[seed - 1] = client ? client : STT_NEVER;
    f->both[seed - 1] = !done ? STT_NEVER : client > server ? client : server;
    world_end(&w);
}

static stt_ns percentile(const stt_ns *sorted, unsigned percent)
{
    return sorted[FIGURE_SEEDS / 100 * percent - 1];
}

static void sort_and_print(const struct way *way, const char *who, stt_ns *took)
{
    unsigned n = 0;
    qsort(took, FIGURE_SEEDS, sizeof *took, by_size);
    while (n < FIGURE_SEEDS && took[n] != STT_NEVER)
        n++;
    printf("%s, %s: %u of %d, p50 %.3f s, p99 %.3f s\n", way->name, who, n, FIGURE_SEEDS,
           (double)percentile(took, 50) * 1e-9, (double)percentile(took, 99) * 1e-9);
}

static void figures_of(const struct way *way, struct figures *f)
{
    for (uint64_t seed = 1; seed <= FIGURE_SEEDS; seed++)
        measure(f, way, seed);
    sort_and_print(way, "initiator connected", f->client);
    sort_and_print(way, "both sides confirmed", f->both);
    fflush(stdout);
}

START_TEST(of_1000_handshakes_in_mode_k_all_succeed_in_time)
{
    static struct figures f;
    figures_of(&ways[WAY_K], &f);
    ck_assert_uint_ne(f.both[FIGURE_SEEDS - 1], STT_NEVER);
    ck_assert_uint_le(percentile(f.both, 50), STT_MS(600));
    ck_assert_uint_le(percentile(f.both, 99), STT_S(4));
    ck_assert_uint_le(percentile(f.client, 50), STT_MS(600));
    ck_assert_uint_le(percentile(f.client, 99), STT_S(4));
}
END_TEST

START_TEST(of_1000_handshakes_with_a_seed_or_a_code_all_but_few_succeed)
{
    static const struct way *const measured[] = {&ways[WAY_S], &ways[WAY_W]};
    static struct figures f;
    figures_of(measured[_i], &f);
    ck_assert_uint_ne(percentile(f.client, 99), STT_NEVER);
    ck_assert_uint_ne(percentile(f.both, 99), STT_NEVER);
}
END_TEST

SUITE("handshakes", LOOP(every_way_leads_to_one_session_in_its_round_trips, 0, WAYS *FAMILIES),
      LOOP(an_answer_to_the_only_copy_is_the_first_sample_of_the_round_trip, 0, 3),
      LOOP(every_way_leads_through_loss_both_ways, 0, WAYS *FAMILIES *LOSSES),
      LOOP(every_way_leads_through_trouble, 0, WAYS *FAMILIES *TROUBLES),
      TEST(the_same_seed_tells_the_same_story_and_another_seed_another),
      TEST(of_1000_handshakes_in_mode_k_all_succeed_in_time),
      LOOP(of_1000_handshakes_with_a_seed_or_a_code_all_but_few_succeed, 0, 2))
