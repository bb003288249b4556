/* SPDX-License-Identifier: MIT
 * A simulated TCP, held against what the kernel's did on the same paths (spec/decisions/0033). */
#include "tools/sttbench/link/tcp.h"

#include "tests/support/suite.h"

#include <math.h>

enum { FLOWS_MAX = 2, HEADERS = 28, SEEDS = 12 };

struct path {
    uint32_t mbit, rtt_ms;
    double queue_bdps;
    uint32_t loss_ppm;
};

struct world {
    struct stt_sim *sim;
    stt_sim_link forth, back;
    struct tcp_flow *flows[FLOWS_MAX];
    uint32_t n;
};

static struct world world_begin(const struct path *p, uint64_t seed)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    double bdp = p->mbit * 1e6 / 8 * p->rtt_ms * 1e-3;
    const struct stt_link_config link = {.rate_bits_per_s = p->mbit * UINT64_C(1000000),
                                         .delay_ns = STT_MS(p->rtt_ms) / 2,
                                         .queue_bytes = (uint32_t)(bdp * p->queue_bdps),
                                         .header_bytes = HEADERS,
                                         .mtu_bytes = TCP_DATAGRAM_BYTES + HEADERS,
                                         .loss_ppm = p->loss_ppm};
    config.seed = seed;
    struct world w = {.sim = stt_sim_new(&config)};
    w.forth = stt_sim_link_add(w.sim, &link);
    w.back = stt_sim_link_add(w.sim, &link);
    return w;
}

static void world_add(struct world *w, struct tcp_setup setup)
{
    setup.from = stt_sim_ipv4(1 + 2 * w->n, 1000);
    setup.to = stt_sim_ipv4(2 + 2 * w->n, 1000);
    const struct stt_path forth = {.local = setup.from, .remote = setup.to};
    const struct stt_path back = {.local = setup.to, .remote = setup.from};
    stt_sim_route(w->sim, &forth, &w->forth, 1);
    stt_sim_route(w->sim, &back, &w->back, 1);
    w->flows[w->n] = tcp_begin(w->sim, &setup);
    ck_assert_ptr_nonnull(w->flows[w->n++]);
}

static struct world world_of_one(const struct path *p, uint64_t seed)
{
    struct world w = world_begin(p, seed);
    world_add(&w, (struct tcp_setup){.at = 0});
    return w;
}

static void world_end(struct world *w)
{
    ck_assert_ptr_null(stt_sim_failure(w->sim));
    stt_sim_free(w->sim);
    while (w->n)
        tcp_end(w->flows[--w->n]);
}

static double mbit(uint64_t bytes, double s)
{
    return (double)bytes * 8e-6 / s;
}

/* From 10 to 30 s after the handshake, as the kernel's figures. */
static double first_10_s, to_30_s;
static void measure(const struct path *p, uint64_t seed)
{
    struct world w = world_of_one(p, seed);
    stt_sim_run_until(w.sim, STT_MS(10000 + p->rtt_ms));
    uint64_t read = tcp_read_bytes(w.flows[0]);
    stt_sim_run_until(w.sim, STT_MS(30000 + p->rtt_ms));
    first_10_s = mbit(read, 10);
    to_30_s = mbit(tcp_read_bytes(w.flows[0]) - read, 20);
    world_end(&w);
}

static void assert_near(double measured, double kernel, double tolerance)
{
    ck_assert_msg(fabs(measured / kernel - 1) <= tolerance, "%.3f Mbit/s, the kernel %.3f",
                  measured, kernel);
}

/* -- as the kernel ----------------------------------------------------------------------------- */

static const struct {
    struct path path;
    double first_10_s, to_30_s; /* the kernel's, Mbit/s */
} full[] = {
    {{10, 50, 1, 0}, 9.56, 9.65},
    {{10, 100, 1, 0}, 9.38, 9.65},
    {{100, 50, 1, 0}, 94.1, 96.5},
    {{100, 50, 0.25, 0}, 91.7, 95.4},
};

START_TEST(without_loss_it_is_as_full_as_the_kernels)
{
    measure(&full[_i].path, 1);
    assert_near(first_10_s, full[_i].first_10_s, 0.015);
    assert_near(to_30_s, full[_i].to_30_s, 0.01);
}
END_TEST

/* Standard errors of our means are 3 to 7 %, of the kernel's 1 to 6 %. */
static const struct {
    struct path path;
    double first_10_s, to_30_s, tolerance;
} lossy[] = {
    {{10, 50, 1, 10000}, 2.71, 2.32, 0.2},
    {{10, 50, 1, 50000}, 0.96, 0.78, 0.2},
    {{100, 50, 1, 10000}, 3.17, 2.39, 0.25},
    {{100, 100, 1, 50000}, 0.60, 0.45, 0.2},
};

START_TEST(under_loss_it_is_as_slow_as_the_kernels)
{
    double first = 0, later = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        measure(&lossy[_i].path, seed);
        first += first_10_s / SEEDS;
        later += to_30_s / SEEDS;
    }
    assert_near(first, lossy[_i].first_10_s, lossy[_i].tolerance);
    assert_near(later, lossy[_i].to_30_s, 0.12);
}
END_TEST

START_TEST(slow_start_ends_before_the_queue_is_full)
{
    const struct path p = {10, 50, 1, 0};
    struct world w = world_of_one(&p, 1);
    stt_sim_run_until(w.sim, STT_MS(250));
    uint64_t window = tcp_window_bytes(w.flows[0]) / TCP_SEGMENT_BYTES;
    ck_assert_uint_ge(window, 60); /* the kernel's: 63 and 64 after 0.19 s, 66 after 0.24 s */
    ck_assert_uint_le(window, 68);
    stt_sim_run_until(w.sim, STT_MS(700));
    ck_assert_uint_eq(tcp_reductions(w.flows[0]), 0);
    world_end(&w);
}
END_TEST

START_TEST(the_sawtooth_is_the_kernels)
{
    const struct path p = {10, 50, 1, 0};
    struct world w = world_of_one(&p, 1);
    double queue_ms = 0;
    stt_sim_run_until(w.sim, STT_S(10));
    uint32_t before = tcp_reductions(w.flows[0]);
    for (uint32_t ms = 10000; ms < 30000; ms += 10) {
        stt_sim_run_until(w.sim, STT_MS(ms));
        queue_ms += (double)stt_sim_link_stats(w.sim, w.forth).queue_bytes * 8e-4 / 2000;
    }
    ck_assert_uint_ge(tcp_reductions(w.flows[0]) - before, 7); /* the kernel's: every 2.8 s */
    ck_assert_uint_le(tcp_reductions(w.flows[0]) - before, 8);
    ck_assert_double_ge(queue_ms, 35); /* 39 */
    ck_assert_double_le(queue_ms, 42);
    ck_assert_uint_le(tcp_rtt_ns(w.flows[0]), STT_MS(105));
    ck_assert_uint_eq(tcp_timeouts(w.flows[0]), 0);
    world_end(&w);
}
END_TEST

START_TEST(two_are_fair_in_the_end)
{
    const struct path p = {10, 50, 1, 0};
    struct world w = world_begin(&p, 1);
    world_add(&w, (struct tcp_setup){.at = 0});
    world_add(&w, (struct tcp_setup){.at = STT_S(3)});
    stt_sim_run_until(w.sim, STT_S(20));
    uint64_t a = tcp_read_bytes(w.flows[0]), b = tcp_read_bytes(w.flows[1]);
    stt_sim_run_until(w.sim, STT_S(80));
    double first = mbit(tcp_read_bytes(w.flows[0]) - a, 60);
    double second = mbit(tcp_read_bytes(w.flows[1]) - b, 60);
    ck_assert_double_ge(first + second, 9.5);
    ck_assert_double_ge(second / (first + second), 0.4);
    ck_assert_double_le(second / (first + second), 0.6);
    world_end(&w);
}
END_TEST

/* -- a whole stream ---------------------------------------------------------------------------- */

static const uint64_t sizes[] = {1, TCP_SEGMENT_BYTES, TCP_SEGMENT_BYTES + 1, 50000, 3000000};

static void assert_all_arrives(struct world *w, uint64_t bytes)
{
    stt_sim_run_until(w->sim, STT_S(300));
    ck_assert_uint_eq(tcp_read_bytes(w->flows[0]), bytes);
    ck_assert_uint_ne(tcp_ended_at(w->flows[0]), STT_NEVER);
    ck_assert_uint_ge(tcp_sent_bytes(w->flows[0]), bytes);
}

START_TEST(every_byte_arrives_once_and_it_ends)
{
    const struct path p = {10, 50, 1, 30000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct world w = world_begin(&p, 1 + (uint64_t)_i);
        world_add(&w, (struct tcp_setup){.bytes = sizes[i]});
        assert_all_arrives(&w, sizes[i]);
        world_end(&w);
    }
}
END_TEST

START_TEST(a_stream_survives_a_bad_path)
{
    const struct path p = {10, 50, 1, 100000};
    struct world w = world_begin(&p, 1 + (uint64_t)_i);
    struct stt_link_config link = stt_sim_link_config(w.sim, w.forth);
    link.duplicate_ppm = 50000;
    link.reorder_ppm = 250000;
    link.reorder_ns = STT_MS(10);
    stt_sim_link_set(w.sim, w.forth, &link);
    stt_sim_link_set(w.sim, w.back, &link);
    stt_sim_blackout(w.sim, w.back, STT_S(2), STT_S(5));
    world_add(&w, (struct tcp_setup){.bytes = 1000000});
    assert_all_arrives(&w, 1000000);
    ck_assert_uint_gt(tcp_timeouts(w.flows[0]), 0); /* the blackout */
    world_end(&w);
}
END_TEST

START_TEST(a_short_stream_takes_the_round_trips_of_the_doubling)
{
    const struct path p = {100, 50, 1, 0};
    struct world w = world_begin(&p, 1);
    world_add(&w, (struct tcp_setup){.at = STT_S(1), .bytes = 50000});
    assert_all_arrives(&w, 50000);
    ck_assert_uint_ge(tcp_connected_at(w.flows[0]), STT_S(1) + STT_MS(50));
    ck_assert_uint_le(tcp_connected_at(w.flows[0]), STT_S(1) + STT_MS(51));
    /* 36 packets: ten, twenty, and the rest */
    ck_assert_uint_ge(tcp_ended_at(w.flows[0]), STT_S(1) + STT_MS(200));
    ck_assert_uint_le(tcp_ended_at(w.flows[0]), STT_S(1) + STT_MS(215));
    ck_assert_uint_eq(tcp_retransmitted_bytes(w.flows[0]), 0);
    world_end(&w);
}
END_TEST

START_TEST(nothing_new_is_written_after_the_end)
{
    const struct path p = {10, 50, 1, 0};
    struct world w = world_begin(&p, 1);
    world_add(&w, (struct tcp_setup){.until = STT_S(2)});
    stt_sim_run_until(w.sim, STT_S(10));
    ck_assert_uint_ge(tcp_ended_at(w.flows[0]), STT_S(2));
    ck_assert_uint_le(tcp_ended_at(w.flows[0]), STT_S(2) + STT_MS(150));
    ck_assert_uint_eq(tcp_read_bytes(w.flows[0]) + tcp_retransmitted_bytes(w.flows[0]),
                      tcp_sent_bytes(w.flows[0]));
    world_end(&w);
}
END_TEST

/* -- what reorders, what is dark --------------------------------------------------------------- */

/* Goodput in 20 s from `from` on. */
static double reordered(const struct path *p, uint64_t seed, stt_ns from)
{
    struct world w = world_begin(p, seed);
    struct stt_link_config link = stt_sim_link_config(w.sim, w.forth);
    link.reorder_ppm = 250000;
    link.reorder_ns = STT_US(7250);
    stt_sim_link_set(w.sim, w.forth, &link);
    stt_sim_link_set(w.sim, w.back, &link);
    world_add(&w, (struct tcp_setup){.at = 0});
    stt_sim_run_until(w.sim, from);
    uint64_t read = tcp_read_bytes(w.flows[0]);
    stt_sim_run_until(w.sim, from + STT_S(20));
    double goodput = mbit(tcp_read_bytes(w.flows[0]) - read, 20);
    world_end(&w);
    return goodput;
}

START_TEST(reordering_alone_costs_nothing)
{
    const struct path p = {100, 50, 10, 0}; /* a queue that does not overflow */
    ck_assert_double_ge(reordered(&p, 1, STT_S(1)), 90);
}
END_TEST

START_TEST(reordering_and_losses_cost_what_they_cost_the_kernel)
{
    const struct path p = {100, 50, 1, 0};
    double mean = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        mean += reordered(&p, seed, STT_S(10)) / SEEDS;
    ck_assert_double_ge(mean, 40); /* the kernel's: 50, 54 and 55; without PAWS it would be 96 */
    ck_assert_double_le(mean, 66);
}
END_TEST

START_TEST(in_the_dark_it_asks_less_and_less_often)
{
    const struct path p = {10, 50, 1, 0};
    struct world w = world_of_one(&p, 1);
    stt_sim_blackout(w.sim, w.forth, STT_S(2), STT_S(60));
    stt_sim_run_until(w.sim, STT_S(60));
    ck_assert_uint_ge(tcp_timeouts(w.flows[0]), 6); /* 0.3, 0.6, 1.2 ... */
    ck_assert_uint_le(tcp_timeouts(w.flows[0]), 9);
    uint64_t read = tcp_read_bytes(w.flows[0]);
    stt_sim_run_until(w.sim, STT_S(120));
    ck_assert_uint_gt(tcp_read_bytes(w.flows[0]), read + 10000000);
    world_end(&w);
}
END_TEST

START_TEST(the_same_seed_is_the_same_and_another_is_not)
{
    const struct path p = {10, 50, 1, 10000};
    uint64_t hashes[3];
    for (uint64_t i = 0; i < 3; i++) {
        struct world w = world_of_one(&p, 1 + i / 2);
        stt_sim_run_until(w.sim, STT_S(5));
        hashes[i] = stt_sim_hash(w.sim);
        world_end(&w);
    }
    ck_assert_uint_eq(hashes[0], hashes[1]);
    ck_assert_uint_ne(hashes[0], hashes[2]);
}
END_TEST

SUITE("tcp", LOOP(without_loss_it_is_as_full_as_the_kernels, 0, 4),
      LOOP(under_loss_it_is_as_slow_as_the_kernels, 0, 4),
      TEST(slow_start_ends_before_the_queue_is_full), TEST(the_sawtooth_is_the_kernels),
      TEST(two_are_fair_in_the_end), LOOP(every_byte_arrives_once_and_it_ends, 0, 10),
      LOOP(a_stream_survives_a_bad_path, 0, 10),
      TEST(a_short_stream_takes_the_round_trips_of_the_doubling),
      TEST(nothing_new_is_written_after_the_end), TEST(reordering_alone_costs_nothing),
      TEST(reordering_and_losses_cost_what_they_cost_the_kernel),
      TEST(in_the_dark_it_asks_less_and_less_often),
      TEST(the_same_seed_is_the_same_and_another_is_not))
