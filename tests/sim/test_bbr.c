/* SPDX-License-Identifier: MIT
 * How fast one stream is with BBR on a path with a bottleneck, a queue and random loss both ways;
 * how several share it; and what becomes of it where the path changes, polices, reorders, or has
 * little room for ACKs. STT_PRINT=1 prints what was measured, STT_SEEDS=9 measures so many.
 *
 * `tcp` is what TCP BBR of a Linux kernel reached on such paths, its beginning included. A floor is
 * the same in the first 20 s, less the hundredth that headers of a packet take here and not there,
 * or less where decision 0024 says why. */
#include "tests/support/flows.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/protect.h"

enum { PACKET = 1452, HEADERS = 28, SEEDS_MAX = 32, WINDOW_LEAST = 1 << 20, FLOWS_MAX = 4 };

/* A bottleneck as people speak of it; the queue in round trips. */
struct way {
    double mbit_per_s;
    uint32_t rtt_ms, loss_ppm;
    double queue;
};

struct measured {
    double goodput; /* Mbit/s of the stream */
    double repeated, lost, dropped, queue_ms;
};

static struct world w;
static struct flows f;
static uint64_t window_bytes;

static uint32_t bdp_bytes(const struct way *way)
{
    return (uint32_t)(way->mbit_per_s * 1e3 * way->rtt_ms / 8);
}

static struct stt_link_config link_of(const struct way *way)
{
    return (struct stt_link_config){.rate_bits_per_s = (uint64_t)(way->mbit_per_s * 1e6),
                                    .delay_ns = STT_MS(way->rtt_ms) / 2,
                                    .queue_bytes = (uint32_t)(bdp_bytes(way) * way->queue),
                                    .header_bytes = HEADERS,
                                    .loss_ppm = way->loss_ppm};
}

/* No window but the congestion window is in the way for long. */
static void configure(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->congestion = "bbr";
    config->packet_bytes = PACKET;
    config->stream_window_max = window_bytes;
    config->session_window_max = 2 * window_bytes;
    config->send_ring_bytes = window_bytes;
}

/* 31 bytes of a packet are its own, and 7 those of the frame. */
static double ceiling(double mbit_per_s)
{
    return mbit_per_s * (PACKET - STT_PROTECT_OVERHEAD_BYTES - 7) / (PACKET + HEADERS);
}

static double mbit_per_s(uint64_t bytes, double seconds)
{
    return (double)bytes * 8e-6 / seconds;
}

static void begin(const struct way *way, const struct stt_link_config *forth,
                  const struct stt_link_config *back, uint64_t seed)
{
    window_bytes = WINDOW_LEAST;
    while (window_bytes < 8 * (uint64_t)bdp_bytes(way))
        window_bytes *= 2;
    w = world_pair(.seed = seed, .configure = configure);
    stt_sim_link_set(w.sim, w.links.forth, forth);
    stt_sim_link_set(w.sim, w.links.back, back);
    flows_init(&f, &w);
}

/* Another session, and a stream in it; f.server.all has them in this order. */
static struct flow *join(uint64_t to_write)
{
    world_connect(&w, STT_MODE_K);
    struct flow *flow =
        flows_open(&f, &f.client, &(struct flow){.to_write = to_write, .stays_open = true});
    ck_assert_ptr_nonnull(flow);
    return flow;
}

/* Of the n-th stream, in so many seconds from now. */
static double read_in(size_t n, double seconds)
{
    uint64_t before = n < f.server.n ? f.server.all[n]->read : 0;
    flows_run_for(&f, (stt_ns)(seconds * 1e9));
    world_require(&w, n < f.server.n && f.client.ended == 0);
    return mbit_per_s(f.server.all[n]->read - before, seconds);
}

static struct stt_link_stats stats(void)
{
    return stt_sim_link_stats(w.sim, w.links.forth);
}

static double drops(const struct stt_link_stats *s)
{
    return (double)(s->dropped[STT_LINK_DROP_QUEUE] + s->dropped[STT_LINK_DROP_POLICED]);
}

/* One stream from the client for so long, over these links. */
static struct measured measure(const struct way *way, const struct stt_link_config *forth,
                               const struct stt_link_config *back, uint64_t seed, uint32_t seconds)
{
    struct stt_stream_info info;
    begin(way, forth, back, seed);
    const struct flow *flow = join(UINT64_MAX);
    double goodput = read_in(0, seconds);
    struct stt_link_stats s = stats();
    world_require(&w, stt_stream_info(f.client.ep, flow->handle, &info) == STT_OK);
    double read = (double)f.server.all[0]->read;
    flows_end(&f);
    return (struct measured){
        .goodput = goodput,
        .repeated = (double)info.bytes_retransmitted / read,
        .lost = (double)s.dropped[STT_LINK_DROP_LOSS] / (double)s.datagrams_in,
        .dropped = drops(&s) / (double)s.datagrams_in,
        .queue_ms = (double)s.queue_ns_mean * 1e-6,
    };
}

static void print(const char *what, const struct measured *m)
{
    if (getenv("STT_PRINT"))
        printf("%-36s %7.2f Mbit/s; %5.2f %% again, %5.2f %% lost, %5.2f %% dropped; "
               "queue %6.2f ms\n",
               what, m->goodput, m->repeated * 100, m->lost * 100, m->dropped * 100, m->queue_ms);
}

/* -- bandwidth, delay, loss -------------------------------------------------------------------- */

static const struct cell {
    struct way way;
    double tcp, floor; /* Mbit/s */
    uint32_t seconds, seeds;
} cells[] = {
    {{10, 50, 0, 1}, 9.5, 9.35, 20, 3},     {{10, 50, 10000, 1}, 9.5, 9.28, 20, 3},
    {{10, 50, 50000, 1}, 9.0, 8.65, 20, 5}, {{10, 100, 0, 1}, 9.4, 9.25, 20, 3},
    {{10, 100, 10000, 1}, 9.2, 9.1, 20, 3}, {{10, 100, 50000, 1}, 8.9, 8.35, 20, 5},
    {{100, 50, 0, 1}, 93, 92.5, 20, 1},     {{100, 50, 10000, 1}, 90, 90.5, 20, 3},
    {{100, 50, 50000, 1}, 83, 82.5, 20, 3}, {{100, 100, 0, 1}, 89, 89, 20, 1},
    {{100, 100, 10000, 1}, 85, 86, 20, 3},  {{100, 100, 50000, 1}, 81, 76.5, 20, 5},
    {{1000, 10, 0, 1}, 851, 930, 5, 1},     {{1000, 10, 1000, 1}, 697, 915, 5, 1},
};
enum { CELLS = sizeof cells / sizeof cells[0] };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, uint32_t n)
{
    qsort(values, n, sizeof *values, compare);
    return values[n / 2];
}

static uint32_t seeds_of(const struct cell *c)
{
    const char *wanted = getenv("STT_SEEDS");
    uint32_t n = wanted ? (uint32_t)strtoul(wanted, NULL, 10) : c->seeds;
    return n < SEEDS_MAX ? n : SEEDS_MAX;
}

/* What went again beyond what was lost by chance. */
static void require_no_waste(double *waste, uint32_t n)
{
    double middle = median(waste, n), worst = waste[n - 1];
    ck_assert_msg(middle <= 0.02 && worst <= 0.03, "%.4f went again, %.4f at worst", middle, worst);
}

static void require_speed(const struct cell *c, double *goodput, uint32_t n)
{
    double middle = median(goodput, n), worst = goodput[0];
    ck_assert_msg(middle >= c->floor && worst >= 0.6 * c->tcp, "%.2f Mbit/s, %.2f at worst", middle,
                  worst);
}

START_TEST(a_stream_is_as_fast_as_tcp_bbr)
{
    const struct cell *c = &cells[_i];
    struct stt_link_config link = link_of(&c->way);
    double goodput[SEEDS_MAX], waste[SEEDS_MAX];
    uint32_t n = seeds_of(c);
    char what[80];
    for (uint32_t i = 0; i < n; i++) {
        struct measured m = measure(&c->way, &link, &link, i + 1, c->seconds);
        snprintf(what, sizeof what, "%4.0f Mbit/s %3u ms %.1f %% (%.1f)", c->way.mbit_per_s,
                 c->way.rtt_ms, c->way.loss_ppm * 1e-4, c->tcp);
        print(what, &m);
        ck_assert_msg(m.queue_ms <= 25, "%.1f ms in the queue", m.queue_ms);
        goodput[i] = m.goodput;
        waste[i] = m.repeated - m.lost;
    }
    require_no_waste(waste, n);
    require_speed(c, goodput, n);
}
END_TEST

/* -- queues ------------------------------------------------------------------------------------ */

static const struct way ways[] = {{10, 50, 0, 1}, {100, 50, 0, 1}};
enum { WAYS = sizeof ways / sizeof ways[0] };

START_TEST(a_deep_queue_stays_nearly_empty)
{
    struct way way = ways[_i];
    way.queue = 10;
    struct stt_link_config link = link_of(&way);
    struct measured m = measure(&way, &link, &link, 1, 20);
    print("a queue of ten round trips", &m);
    ck_assert_msg(m.queue_ms <= way.rtt_ms / 2, "%.1f ms in the queue", m.queue_ms);
    ck_assert_msg(m.goodput >= 0.95 * ceiling(way.mbit_per_s), "%.2f Mbit/s", m.goodput);
    ck_assert_double_le(m.repeated, 0.001);
}
END_TEST

START_TEST(a_tenth_of_a_round_trip_is_queue_enough)
{
    struct way way = ways[_i];
    way.queue = 0.1;
    struct stt_link_config link = link_of(&way);
    struct measured m = measure(&way, &link, &link, 1, 20);
    print("a queue of a tenth of one", &m);
    ck_assert_msg(m.goodput >= 0.93 * ceiling(way.mbit_per_s), "%.2f Mbit/s", m.goodput);
    ck_assert_msg(m.dropped <= 0.07, "%.4f was dropped", m.dropped);
}
END_TEST

/* Jain's: 1 when all have the same, 1/n when one has all. */
static double fairness(const double *shares, size_t n)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        sum += shares[i];
        squares += shares[i] * shares[i];
    }
    return sum * sum / (double)n / squares;
}

static const struct crowd {
    struct way way;
    size_t n;
    double fairness;
} crowds[] = {{{10, 50, 0, 1}, 2, 0.95}, {{10, 50, 0, 4}, 2, 0.95}, {{10, 50, 0, 1}, 4, 0.9}};
enum { CROWDS = sizeof crowds / sizeof crowds[0] };

START_TEST(those_who_come_later_get_their_share)
{
    const struct crowd *c = &crowds[_i];
    struct stt_link_config link = link_of(&c->way);
    uint64_t before[FLOWS_MAX];
    double shares[FLOWS_MAX], sum = 0;
    begin(&c->way, &link, &link, 1);
    for (size_t i = 0; i < c->n; i++) {
        join(UINT64_MAX);
        flows_run_for(&f, STT_S(5));
    }
    for (size_t i = 0; i < c->n; i++)
        before[i] = f.server.all[i]->read;
    flows_run_for(&f, STT_S(40));
    for (size_t i = 0; i < c->n; i++) {
        shares[i] = mbit_per_s(f.server.all[i]->read - before[i], 40);
        sum += shares[i];
    }
    struct stt_link_stats s = stats();
    if (getenv("STT_PRINT"))
        printf("%zu streams, queue %.0f: %.2f and %.2f Mbit/s of %.2f; fairness %.3f; "
               "queue %.1f ms, %.2f %% dropped\n",
               c->n, c->way.queue, shares[0], shares[1], sum, fairness(shares, c->n),
               (double)s.queue_ns_mean * 1e-6, drops(&s) / (double)s.datagrams_in * 100);
    ck_assert_double_ge(fairness(shares, c->n), c->fairness);
    ck_assert_double_ge(sum, 0.95 * ceiling(c->way.mbit_per_s));
    ck_assert_double_le((double)s.queue_ns_mean * 1e-6, 1.2 * c->way.rtt_ms);
    flows_end(&f);
}
END_TEST

/* -- worse paths ------------------------------------------------------------------------------- */

START_TEST(a_quarter_of_the_packets_may_come_10_ms_later_case_46)
{
    const struct way *way = &ways[_i];
    struct stt_link_config link = link_of(way);
    link.reorder_ppm = 250000;
    link.reorder_ns = STT_MS(10);
    struct measured m = measure(way, &link, &link, 1, 20);
    print("reordered", &m);
    ck_assert_msg(m.repeated - m.dropped <= 0.05, "%.4f went again, %.4f was lost", m.repeated,
                  m.dropped);
    ck_assert_msg(m.goodput >= 0.9 * way->mbit_per_s, "%.2f Mbit/s", m.goodput);
}
END_TEST

START_TEST(acks_may_have_a_hundredth_of_the_room_of_data_case_48)
{
    const struct way *way = &ways[0];
    struct stt_link_config forth = link_of(way), back = forth;
    back.rate_bits_per_s = 100000;
    back.queue_bytes = 10000;
    struct measured m = measure(way, &forth, &back, 1, 30);
    print("100 kbit/s for ACKs", &m);
    ck_assert_msg(m.goodput >= 0.9 * way->mbit_per_s, "%.2f Mbit/s", m.goodput);
}
END_TEST

static const uint32_t bursts[] = {15000, 62500, 1000000};
enum { BURSTS = sizeof bursts / sizeof bursts[0] };

/* What it sends beyond the rate of the policer is lost: the price of asking for more. */
START_TEST(a_policer_without_a_queue_lets_all_pass_that_it_may_case_52)
{
    const struct way *way = &ways[0];
    struct stt_link_config back = link_of(way), forth = back;
    forth.rate_bits_per_s = 0;
    forth.police_bits_per_s = back.rate_bits_per_s;
    forth.police_burst_bytes = bursts[_i];
    struct measured m = measure(way, &forth, &back, 1, 30);
    print("policed", &m);
    ck_assert_msg(m.goodput >= 0.95 * ceiling(way->mbit_per_s), "%.2f Mbit/s", m.goodput);
    ck_assert_msg(m.dropped <= 0.15, "%.4f was dropped", m.dropped);
    ck_assert_msg(m.repeated <= m.dropped / (1 - m.dropped) + 0.01, "%.4f went again", m.repeated);
}
END_TEST

/* -- paths that change ------------------------------------------------------------------------- */

/* Ten round trips, and each is as long as the queue that it makes: five seconds. */
START_TEST(a_path_that_becomes_ten_times_slower_is_found_out)
{
    struct way way = ways[1];
    struct stt_link_config link = link_of(&way), back = link;
    begin(&way, &link, &back, 1);
    join(UINT64_MAX);
    flows_run_for(&f, STT_S(5));
    link.rate_bits_per_s /= 10;
    stt_sim_link_set(w.sim, w.links.forth, &link);
    flows_run_for(&f, STT_S(10));
    struct stt_link_stats s = stats();
    if (getenv("STT_PRINT"))
        printf("ten times slower: %.1f ms in the queue after 10 s, %.0f dropped\n",
               (double)s.queue_bytes * 8e-4, drops(&s));
    ck_assert_uint_le(s.queue_bytes, 2 * bdp_bytes(&ways[0]));
    double rate = read_in(0, 5);
    ck_assert_msg(rate >= 0.85 * ceiling(way.mbit_per_s / 10), "%.2f Mbit/s", rate);
    flows_end(&f);
}
END_TEST

/* A quarter more in each cycle. */
START_TEST(a_path_that_becomes_ten_times_faster_is_found_out)
{
    struct way way = ways[1];
    struct stt_link_config link = link_of(&way), back = link;
    link.rate_bits_per_s /= 10;
    begin(&way, &link, &back, 1);
    join(UINT64_MAX);
    flows_run_for(&f, STT_S(5));
    link.rate_bits_per_s *= 10;
    stt_sim_link_set(w.sim, w.links.forth, &link);
    flows_run_for(&f, STT_S(8));
    double rate = read_in(0, 2);
    if (getenv("STT_PRINT"))
        printf("ten times faster: %.1f Mbit/s after 8 s\n", rate);
    ck_assert_msg(rate >= 0.85 * ceiling(way.mbit_per_s), "%.2f Mbit/s", rate);
    flows_end(&f);
}
END_TEST

START_TEST(after_an_outage_the_path_is_full_again_in_a_second_and_the_wait_for_it)
{
    const struct way *way = &ways[_i];
    struct stt_link_config link = link_of(way);
    begin(way, &link, &link, 1);
    join(UINT64_MAX);
    flows_run_for(&f, STT_S(5));
    stt_ns now = stt_sim_now(w.sim), until = now + STT_S(2);
    stt_sim_blackout(w.sim, w.links.forth, now, until);
    stt_sim_blackout(w.sim, w.links.back, now, until);
    flows_run_for(&f, STT_S(4));
    double rate = read_in(0, 2);
    if (getenv("STT_PRINT"))
        printf("2 s after an outage of 2 s: %.2f Mbit/s\n", rate);
    ck_assert_msg(rate >= 0.85 * ceiling(way->mbit_per_s), "%.2f Mbit/s", rate);
    flows_end(&f);
}
END_TEST

/* -- want of data ------------------------------------------------------------------------------ */

static void write_more(struct flow *flow, uint64_t bytes)
{
    flow->to_write += bytes;
    flows_write(&f, flow);
}

/* Bursts of 10 kB, 4 Mbit/s, for ten seconds; then as much as goes. */
START_TEST(who_had_little_to_send_is_as_fast_as_who_begins)
{
    const struct way *way = &ways[1];
    struct stt_link_config link = link_of(way);
    begin(way, &link, &link, 1);
    struct flow *flow = join(0);
    for (int i = 0; i < 500; i++) {
        write_more(flow, 10000);
        flows_run_for(&f, STT_MS(20));
    }
    struct stt_link_stats s = stats();
    ck_assert_uint_le(s.queue_ns_max, STT_MS(1));
    ck_assert_uint_ge(f.server.all[0]->read, 490 * 10000);
    write_more(flow, UINT64_MAX / 2);
    double first = read_in(0, 1), second = read_in(0, 1);
    if (getenv("STT_PRINT"))
        printf("after ten seconds of bursts: %.2f, then %.2f Mbit/s\n", first, second);
    ck_assert_msg(first >= 0.5 * way->mbit_per_s, "%.2f Mbit/s", first);
    ck_assert_msg(second >= 0.8 * way->mbit_per_s, "%.2f Mbit/s", second);
    flows_end(&f);
}
END_TEST

/* What was known of the path is known after 20 s in which little or nothing was sent. */
START_TEST(who_was_fast_is_fast_again_after_a_pause)
{
    const struct way *way = &ways[1];
    struct stt_link_config link = link_of(way);
    begin(way, &link, &link, 1);
    struct flow *flow = join(40000000);
    flows_run_for(&f, STT_S(10));
    ck_assert_uint_eq(f.server.all[0]->read, 40000000);
    for (int i = 0; i < 20; i++) {
        write_more(flow, (uint64_t)_i * 1000);
        flows_run_for(&f, STT_S(1));
    }
    write_more(flow, UINT64_MAX / 2);
    double rate = read_in(0, 1);
    if (getenv("STT_PRINT"))
        printf("in the first second after a pause: %.2f Mbit/s\n", rate);
    ck_assert_msg(rate >= 0.85 * way->mbit_per_s, "%.2f Mbit/s", rate);
    flows_end(&f);
}
END_TEST

/* The peer's window is full, and its reader away. */
START_TEST(who_was_held_by_the_reader_is_fast_again_at_once)
{
    const struct way *way = &ways[1];
    struct stt_link_config link = link_of(way);
    begin(way, &link, &link, 1);
    join(UINT64_MAX);
    for (int i = 0; i < 5; i++) {
        flows_run_for(&f, STT_S(3));
        f.server.all[0]->no_reading = true;
        flows_run_for(&f, STT_S(3));
        flows_read(&f, f.server.all[0]);
        flows_run_for(&f, STT_MS(100));
        double rate = read_in(0, 1);
        if (getenv("STT_PRINT"))
            printf("in the first second after the reader was away: %.2f Mbit/s\n", rate);
        ck_assert_msg(rate >= 0.85 * way->mbit_per_s, "%.2f Mbit/s", rate);
    }
    flows_end(&f);
}
END_TEST

AGED_SUITE("bbr",
           FRESH_LOOP(a_stream_is_as_fast_as_tcp_bbr, 0, CELLS,
                      "a grid of roads that takes half a minute"),
           LOOP(a_deep_queue_stays_nearly_empty, 0, WAYS),
           LOOP(a_tenth_of_a_round_trip_is_queue_enough, 0, WAYS),
           LOOP(those_who_come_later_get_their_share, 0, CROWDS),
           LOOP(a_quarter_of_the_packets_may_come_10_ms_later_case_46, 0, WAYS),
           TEST(acks_may_have_a_hundredth_of_the_room_of_data_case_48),
           LOOP(a_policer_without_a_queue_lets_all_pass_that_it_may_case_52, 0, BURSTS),
           TEST(a_path_that_becomes_ten_times_slower_is_found_out),
           TEST(a_path_that_becomes_ten_times_faster_is_found_out),
           LOOP(after_an_outage_the_path_is_full_again_in_a_second_and_the_wait_for_it, 0, WAYS),
           TEST(who_had_little_to_send_is_as_fast_as_who_begins),
           LOOP(who_was_fast_is_fast_again_after_a_pause, 0, 2),
           TEST(who_was_held_by_the_reader_is_fast_again_at_once))
