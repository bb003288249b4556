/* SPDX-License-Identifier: MIT
 * What the presets and their parts bring. Spec 05, "Presets" and "Urgency". */
#include "tests/support/flows.h"
#include "tests/support/suite.h"

enum { MIB = 1 << 20 };

static struct world w;
static struct flows f;
static const char *preset;
static bool adaptive;

static void use_preset(struct stt_config *config, bool is_client)
{
    (void)is_client;
    ck_assert_int_eq(stt_config_preset(config, preset), STT_OK);
    config->adaptive = config->adaptive || adaptive;
    config->packet_bytes = 1452;
}

static void setup_with(const char *name, const struct world_options *options)
{
    struct world_options o = *options;
    preset = name;
    o.configure = use_preset;
    w = world_pair_new(&o);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
}

/* Mbit/s of one stream from the tenth second to the fifteenth. */
static double rate_of(const char *name, const struct world_options *options)
{
    setup_with(name, options);
    struct flow *c = flows_open(&f, &f.client, &(struct flow){.to_write = UINT64_MAX});
    flows_run_for(&f, STT_S(10));
    uint64_t before = flows_peer(&f, c)->read;
    flows_run_for(&f, STT_S(5));
    double rate = (double)(flows_peer(&f, c)->read - before) * 8 / 5e6;
    flows_end(&f);
    return rate;
}

/* 1 Gbit/s at 200 ms is 25 MB in flight. */
START_TEST(high_throughput_fills_a_path_that_is_too_long_for_the_windows_of_balanced)
{
    const struct world_options path = {
        .rate_bits_per_s = 1000000000, .one_way_ms = 100, .queue_bytes = 25000000};
    double high = rate_of("high-throughput", &path), balanced = rate_of("balanced", &path);
    ck_assert_msg(high > 900 && balanced < 400, "%.0f and %.0f Mbit/s", high, balanced);
}
END_TEST

/* How long small writes are on their way, beside a stream of the same urgency. */
struct delays {
    stt_ns mean, worst;
};

static struct delays delays_of(const char *name)
{
    enum { WRITES = 50 };
    struct delays d = {0, 0};
    setup_with(name, &(struct world_options){
                         .rate_bits_per_s = 10000000, .one_way_ms = 10, .queue_bytes = 25000});
    flows_open(&f, &f.client, &(struct flow){.to_write = UINT64_MAX, .urgency = 3});
    struct flow *c =
        flows_open(&f, &f.client, &(struct flow){.to_write = 1, .urgency = 3, .stays_open = true});
    flows_run_for(&f, STT_S(2));
    for (int i = 0; i < WRITES; i++) {
        stt_ns at = stt_sim_now(w.sim);
        c->to_write += 100;
        flows_write(&f, c);
        while (flows_peer(&f, c)->read < c->to_write)
            flows_run_for(&f, STT_US(200));
        stt_ns took = stt_sim_now(w.sim) - at;
        d.mean += took / WRITES;
        d.worst = took > d.worst ? took : d.worst;
        flows_run_for(&f, STT_MS(30));
    }
    flows_end(&f);
    return d;
}

START_TEST(low_latency_lets_a_small_write_wait_less)
{
    struct delays low = delays_of("low-latency"), balanced = delays_of("balanced");
    ck_assert_msg(low.mean + STT_MS(2) < balanced.mean, "%.1f and %.1f ms", (double)low.mean * 1e-6,
                  (double)balanced.mean * 1e-6);
    ck_assert_msg(low.worst < STT_MS(10 + 25 + 8), "%.1f ms", (double)low.worst * 1e-6);
}
END_TEST

static uint64_t read_behind(bool is_adaptive)
{
    adaptive = is_adaptive;
    setup_with("balanced", &(struct world_options){.rate_bits_per_s = 10000000,
                                                   .one_way_ms = 10,
                                                   .queue_bytes = 25000});
    flows_open(&f, &f.client, &(struct flow){.to_write = UINT64_MAX, .urgency = 1});
    struct flow *late = flows_open(&f, &f.client, &(struct flow){.to_write = MIB, .urgency = 6});
    flows_run_for(&f, STT_S(10));
    const struct flow *peer = flows_peer(&f, late);
    uint64_t read = peer ? peer->read : 0;
    flows_end(&f);
    adaptive = false;
    return read;
}

/* Raised five times, once in 100 ms, it sends a grain of 16 KiB: twice in a second. */
START_TEST(a_starved_stream_gets_on_where_levels_are_adaptive_and_only_there)
{
    uint64_t strict = read_behind(false), raised = read_behind(true);
    ck_assert_msg(strict <= 16384 && raised >= 10 * 16384 && raised <= 40 * 16384,
                  "%llu and %llu bytes", (unsigned long long)strict, (unsigned long long)raised);
}
END_TEST

SUITE("presets", TEST(high_throughput_fills_a_path_that_is_too_long_for_the_windows_of_balanced),
      TEST(low_latency_lets_a_small_write_wait_less),
      TEST(a_starved_stream_gets_on_where_levels_are_adaptive_and_only_there))
