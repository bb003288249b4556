/* SPDX-License-Identifier: MIT
 * How fast one stream is with CUBIC on a path with a bottleneck, a queue of one bandwidth-delay
 * product and random loss both ways; and on paths that reorder, copy, police, or have little room
 * for ACKs. STT_PRINT=1 prints what was measured.
 *
 * The floors are what TCP CUBIC of a Linux kernel reached on such paths in transfers of seconds,
 * the doubling at their beginning included: it is most of what passes where there is loss. So they
 * hold for the first ten seconds; how fast a stream stays is held against the law of all such
 * controllers. No stream is faster than its packets' share that is not headers. */
#include "tests/support/flows.h"
#include "tests/support/suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "crypto/protect.h"

enum { PACKET = 1452, HEADERS = 28, SEEDS = 9, WINDOW_LEAST = 1 << 20, BEGINNING_S = 10 };

/* A bottleneck as people speak of it. */
struct way {
    double mbit_per_s;
    uint32_t rtt_ms, loss_ppm;
};

struct measured {
    double beginning; /* Mbit/s of the stream in the first seconds ... */
    double rest;      /* ... and after them */
    double repeated;  /* stream bytes that went again, as a share of those that were delivered */
    double lost;      /* datagrams, as a share of those that were sent, by chance ... */
    double dropped;   /* ... or by the bottleneck */
    double queue_ms;  /* mean */
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
                                    .queue_bytes = bdp_bytes(way),
                                    .header_bytes = HEADERS,
                                    .loss_ppm = way->loss_ppm};
}

/* No window but the congestion window is in the way. */
static void configure(struct stt_config *config, bool is_client)
{
    (void)is_client;
    config->congestion = "cubic";
    config->packet_bytes = PACKET;
    config->stream_window_max = window_bytes;
    config->session_window_max = 2 * window_bytes;
    config->send_ring_bytes = window_bytes;
}

static double drops(const struct stt_link_stats *s)
{
    return (double)(s->dropped[STT_LINK_DROP_QUEUE] + s->dropped[STT_LINK_DROP_POLICED]);
}

static double mbit_per_s(uint64_t bytes, uint32_t seconds)
{
    return (double)bytes * 8e-6 / seconds;
}

static uint64_t read_after(const struct flow *flow, uint32_t seconds)
{
    flows_run_for(&f, STT_S(seconds));
    const struct flow *peer = flows_peer(&f, flow);
    world_require(&w, peer && f.client.ended == 0);
    return peer->read;
}

/* One stream from the client for so long, over these links. */
static struct measured measure(const struct stt_link_config *forth,
                               const struct stt_link_config *back, uint64_t seed, uint32_t seconds)
{
    struct stt_stream_info info;
    window_bytes = WINDOW_LEAST;
    while (window_bytes < 8 * (uint64_t)forth->queue_bytes)
        window_bytes *= 2;
    w = world_pair(.seed = seed, .configure = configure);
    stt_sim_link_set(w.sim, w.links.forth, forth);
    stt_sim_link_set(w.sim, w.links.back, back);
    world_connect(&w, STT_MODE_K);
    flows_init(&f, &w);
    const struct flow *flow = flows_open(&f, &f.client, &(struct flow){.to_write = UINT64_MAX});
    uint64_t beginning = read_after(flow, BEGINNING_S);
    uint64_t all = read_after(flow, seconds - BEGINNING_S);
    struct stt_link_stats s = stt_sim_link_stats(w.sim, w.links.forth);
    world_require(&w, stt_stream_info(f.client.ep, flow->handle, &info) == STT_OK);
    flows_end(&f);
    return (struct measured){
        .beginning = mbit_per_s(beginning, BEGINNING_S),
        .rest = mbit_per_s(all - beginning, seconds - BEGINNING_S),
        .repeated = (double)info.bytes_retransmitted / (double)all,
        .lost = (double)s.dropped[STT_LINK_DROP_LOSS] / (double)s.datagrams_in,
        .dropped = drops(&s) / (double)s.datagrams_in,
        .queue_ms = (double)s.queue_ns_mean * 1e-6,
    };
}

static void print(const char *what, const struct measured *m)
{
    if (getenv("STT_PRINT"))
        printf("%-36s %7.2f then %7.2f Mbit/s; %5.2f %% again, %5.2f %% lost, %5.2f %% dropped; "
               "queue %6.2f ms\n",
               what, m->beginning, m->rest, m->repeated * 100, m->lost * 100, m->dropped * 100,
               m->queue_ms);
}

/* -- bandwidth, delay, loss -------------------------------------------------------------------- */

static const struct cell {
    struct way way;
    double floor; /* Mbit/s */
    uint32_t seconds, seeds;
} cells[] = {
    {{10, 50, 0}, 9.6, 30, 3},           {{10, 50, 10000}, 2.3, 60, SEEDS},
    {{10, 50, 50000}, 0.7, 60, SEEDS},   {{10, 100, 0}, 9.5, 30, 3},
    {{10, 100, 10000}, 1.9, 60, SEEDS},  {{10, 100, 50000}, 0.6, 60, SEEDS},
    {{100, 50, 0}, 94, 20, 1},           {{100, 50, 10000}, 3, 60, SEEDS},
    {{100, 50, 50000}, 0.9, 60, SEEDS},  {{100, 100, 0}, 92, 30, 1},
    {{100, 100, 10000}, 1.7, 60, SEEDS}, {{100, 100, 50000}, 0.5, 60, SEEDS},
    {{1000, 10, 0}, 906, 12, 1},         {{1000, 10, 1000}, 60, 30, 3},
};
enum { CELLS = sizeof cells / sizeof cells[0] };

/* 31 bytes of a packet are its own, and 7 those of the frame. */
static double ceiling(const struct way *way)
{
    return way->mbit_per_s * (PACKET - STT_PROTECT_OVERHEAD_BYTES - 7) / (PACKET + HEADERS);
}

/* What a window that shrinks to 0.7 at each loss, and grows as Reno's would, is on average. */
static double law(const struct way *way)
{
    double packets = sqrt(1.5 / (way->loss_ppm * 1e-6));
    return packets * (PACKET - STT_PROTECT_OVERHEAD_BYTES - 7) * 8e-3 / way->rtt_ms;
}

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

static void require_no_waste(const struct cell *c, const struct measured *m)
{
    ck_assert_msg(m->repeated <= m->lost + 0.02, "%.4f went again, %.4f was lost", m->repeated,
                  m->lost);
    ck_assert_msg(m->queue_ms <= c->way.rtt_ms, "%.1f ms in the queue", m->queue_ms);
}

static void require_fast(const struct cell *c, double beginning, double rest)
{
    double least = c->way.loss_ppm ? law(&c->way) * 0.8 : ceiling(&c->way) * 0.98;
    ck_assert_msg(beginning >= c->floor * (c->way.loss_ppm ? 0.85 : 0.93), "%.2f Mbit/s at first",
                  beginning);
    ck_assert_msg(rest >= least, "%.2f Mbit/s of %.2f", rest, least);
}

START_TEST(a_stream_is_as_fast_as_tcp_cubic)
{
    const struct cell *c = &cells[_i];
    struct stt_link_config link = link_of(&c->way);
    double beginning[SEEDS], rest[SEEDS];
    char what[80];
    for (uint32_t i = 0; i < c->seeds; i++) {
        struct measured m = measure(&link, &link, i + 1, c->seconds);
        snprintf(what, sizeof what, "%4.0f Mbit/s %3u ms %.1f %% (%.1f)", c->way.mbit_per_s,
                 c->way.rtt_ms, c->way.loss_ppm * 1e-4, c->floor);
        print(what, &m);
        require_no_waste(c, &m);
        beginning[i] = m.beginning;
        rest[i] = m.rest;
    }
    require_fast(c, median(beginning, c->seeds), median(rest, c->seeds));
}
END_TEST

/* -- worse paths ------------------------------------------------------------------------------- */

static const struct way ways[] = {{10, 50, 0}, {100, 50, 0}};
enum { WAYS = sizeof ways / sizeof ways[0] };

START_TEST(a_quarter_of_the_packets_may_come_10_ms_later_case_46)
{
    const struct way *way = &ways[_i];
    struct stt_link_config link = link_of(way);
    link.reorder_ppm = 250000;
    link.reorder_ns = STT_MS(10);
    struct measured m = measure(&link, &link, 1, 20);
    print("reordered", &m);
    ck_assert_msg(m.repeated - m.dropped <= 0.05, "%.4f went again, %.4f was lost", m.repeated,
                  m.dropped);
    ck_assert_msg(m.rest >= 0.9 * way->mbit_per_s, "%.2f Mbit/s", m.rest);
}
END_TEST

START_TEST(everything_may_come_twice_case_47)
{
    const struct way *way = &ways[_i];
    struct stt_link_config link = link_of(way);
    link.duplicate_ppm = 1000000;
    struct measured m = measure(&link, &link, 1, 20);
    print("duplicated", &m);
    ck_assert_msg(m.repeated - m.dropped <= 0.005, "%.4f went again, %.4f was lost", m.repeated,
                  m.dropped);
    ck_assert_msg(m.rest >= 0.98 * ceiling(way), "%.2f Mbit/s", m.rest);
}
END_TEST

START_TEST(acks_may_have_a_hundredth_of_the_room_of_data_case_48)
{
    struct stt_link_config forth = link_of(&ways[0]), back = forth;
    back.rate_bits_per_s = 100000;
    back.queue_bytes = 10000;
    struct measured m = measure(&forth, &back, 1, 30);
    print("100 kbit/s for ACKs", &m);
    ck_assert_msg(m.rest >= 0.7 * ways[0].mbit_per_s, "%.2f Mbit/s", m.rest);
}
END_TEST

START_TEST(a_policer_without_a_queue_still_lets_a_third_pass_case_52)
{
    struct stt_link_config back = link_of(&ways[0]), forth = back;
    forth.rate_bits_per_s = 0;
    forth.police_bits_per_s = back.rate_bits_per_s;
    forth.police_burst_bytes = 15000;
    struct measured m = measure(&forth, &back, 1, 30);
    print("policed", &m);
    ck_assert_msg(m.rest >= 0.3 * ways[0].mbit_per_s, "%.2f Mbit/s", m.rest);
}
END_TEST

SUITE("goodput", LOOP(a_stream_is_as_fast_as_tcp_cubic, 0, CELLS),
      LOOP(a_quarter_of_the_packets_may_come_10_ms_later_case_46, 0, WAYS),
      LOOP(everything_may_come_twice_case_47, 0, WAYS),
      TEST(acks_may_have_a_hundredth_of_the_room_of_data_case_48),
      TEST(a_policer_without_a_queue_still_lets_a_third_pass_case_52))
