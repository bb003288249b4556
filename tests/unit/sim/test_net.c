/* SPDX-License-Identifier: MIT */
#include "tests/support/raw.h"
#include "tests/support/suite.h"

#include <string.h>

static void way(struct stt_sim *sim, const struct raw *from, const struct raw *to,
                const stt_sim_link *links, size_t n)
{
    struct stt_path path = {.local = from->address, .remote = to->address};
    stt_sim_route(sim, &path, links, n);
}

static stt_sim_link add(struct stt_sim *sim, struct stt_link_config config)
{
    return stt_sim_link_add(sim, &config);
}

/* A machine that transmits one train of n segments and no more. */
struct burst {
    struct stt_address from, to;
    size_t segment_bytes, len;
};

static bool transmit_burst(void *ctx, stt_ns now, struct stt_train *t)
{
    struct burst *b = ctx;
    (void)now;
    if (b->len == 0)
        return false;
    memset(t->data, 7, b->len);
    t->path = (struct stt_path){.local = b->from, .remote = b->to};
    t->segment_bytes = b->segment_bytes;
    t->len = b->len;
    b->len = 0;
    return true;
}

static stt_sim_node burst_add(struct stt_sim *sim, struct burst *b)
{
    const struct stt_sim_machine machine = {.transmit = transmit_burst};
    stt_sim_node node = 0;
    ck_assert_int_eq(stt_sim_machine_add(sim, &machine, b, &b->from, &node), STT_OK);
    return node;
}

START_TEST(what_has_no_route_or_nobody_there_is_counted_as_lost)
{
    struct stt_sim *sim = raw_world(1);
    struct raw a = raw_add(sim, 1), b = raw_add(sim, 2);
    raw_send(sim, &a, &b, 100);
    way(sim, &a, &b, NULL, 0);
    struct stt_address other = b.address;
    other.port++;
    raw_send_to(sim, &a, &other, 100, 0);
    raw_send(sim, &a, &b, 100);
    ck_assert(stt_sim_run_until(sim, 1));
    ck_assert_uint_eq(b.log->n, 1);
    ck_assert_uint_eq(stt_sim_stats(sim).no_route, 1);
    ck_assert_uint_eq(stt_sim_stats(sim).no_node, 1);
    stt_sim_free(sim);
    raw_free(&a);
    raw_free(&b);
}
END_TEST

START_TEST(a_route_of_four_links_adds_their_delays)
{
    struct stt_sim *sim = raw_world(1);
    struct raw a = raw_add(sim, 1), b = raw_add(sim, 2);
    stt_sim_link links[4];
    for (unsigned i = 0; i < 4; i++)
        links[i] = add(sim, (struct stt_link_config){.delay_ns = STT_MS(1) << i});
    way(sim, &a, &b, links, 4);
    raw_send(sim, &a, &b, 100);
    ck_assert(stt_sim_run_until(sim, STT_S(1)));
    ck_assert_uint_eq(b.log->seen[0].at, STT_MS(15));
    stt_sim_free(sim);
    raw_free(&a);
    raw_free(&b);
}
END_TEST

START_TEST(two_senders_share_a_bottleneck_fairly_in_turn)
{
    struct stt_sim *sim = raw_world(1);
    struct raw a = raw_add(sim, 1), b = raw_add(sim, 2), c = raw_add(sim, 3);
    stt_sim_link shared = add(sim, (struct stt_link_config){.rate_bits_per_s = 8000000});
    stt_sim_link far = add(sim, (struct stt_link_config){.delay_ns = STT_MS(30)});
    way(sim, &a, &c, &shared, 1);
    way(sim, &b, &c, (stt_sim_link[]){shared, far}, 2);
    for (size_t i = 0; i < 10; i++) {
        raw_send(sim, &a, &c, 1000);
        raw_send(sim, &b, &c, 1000);
    }
    ck_assert(stt_sim_run_until(sim, STT_MS(20)));
    ck_assert_uint_eq(c.log->n, 10);
    ck_assert(stt_sim_run_until(sim, STT_MS(50)));
    ck_assert_uint_eq(c.log->n, 20);
    ck_assert_uint_eq(c.log->seen[9].at, STT_MS(19));
    ck_assert_uint_eq(c.log->seen[19].at, STT_MS(50));
    stt_sim_free(sim);
    raw_free(&a);
    raw_free(&b);
    raw_free(&c);
}
END_TEST

START_TEST(access_links_connect_everybody_and_a_route_comes_first)
{
    struct stt_sim *sim = raw_world(1);
    struct raw nodes[4];
    for (uint32_t i = 0; i < 4; i++) {
        nodes[i] = raw_add(sim, i);
        stt_sim_link up = add(sim, (struct stt_link_config){.delay_ns = STT_MS(1 + i)});
        stt_sim_link down = add(sim, (struct stt_link_config){.delay_ns = STT_MS(10)});
        stt_sim_access(sim, &nodes[i].address, up, down);
    }
    stt_sim_link direct = add(sim, (struct stt_link_config){.delay_ns = STT_MS(2)});
    way(sim, &nodes[0], &nodes[3], &direct, 1);
    for (uint32_t i = 0; i < 3; i++)
        raw_send(sim, &nodes[i], &nodes[3], 100);
    ck_assert(stt_sim_run_until(sim, STT_S(1)));
    ck_assert_uint_eq(nodes[3].log->n, 3);
    ck_assert_uint_eq(nodes[3].log->seen[0].at, STT_MS(2));
    ck_assert_uint_eq(nodes[3].log->seen[1].at, STT_MS(12));
    ck_assert_uint_eq(nodes[3].log->seen[2].at, STT_MS(13));
    stt_sim_free(sim);
    for (uint32_t i = 0; i < 4; i++)
        raw_free(&nodes[i]);
}
END_TEST

START_TEST(carriers_have_routes_of_their_own)
{
    struct stt_sim *sim = raw_world(1);
    struct raw a = raw_add(sim, 1), b = raw_add(sim, 2);
    struct stt_path udp = {.local = a.address, .remote = b.address}, stream = udp;
    stream.carrier = 1;
    stt_sim_link fast = add(sim, (struct stt_link_config){.delay_ns = STT_MS(1)});
    stt_sim_link slow = add(sim, (struct stt_link_config){.delay_ns = STT_MS(9)});
    stt_sim_route(sim, &udp, &fast, 1);
    stt_sim_route(sim, &stream, &slow, 1);
    uint8_t data[16] = {0};
    struct stt_sim_datagram d = {
        .from = a.address, .to = b.address, .carrier = 1, .data = data, .len = sizeof data};
    stt_sim_send(sim, &d);
    ck_assert(stt_sim_run_until(sim, STT_S(1)));
    ck_assert_uint_eq(b.log->seen[0].at, STT_MS(9));
    stt_sim_free(sim);
    raw_free(&a);
    raw_free(&b);
}
END_TEST

START_TEST(a_train_stays_whole_where_nothing_but_time_happens)
{
    struct stt_sim *sim = raw_world(1);
    struct raw b = raw_add(sim, 2);
    struct burst burst = {stt_sim_ipv4(1, 1), b.address, 1400, 46 * 1400 + 77};
    stt_sim_node a = burst_add(sim, &burst);
    struct stt_sim_pair links =
        stt_sim_pair(sim, a, b.node, &(struct stt_link_config){.delay_ns = STT_MS(1)});
    ck_assert(stt_sim_run_until(sim, STT_MS(2)));
    ck_assert_uint_eq(b.log->trains, 1);
    ck_assert_uint_eq(b.log->n, 47);
    ck_assert_uint_eq(b.log->seen[45].len, 1400);
    ck_assert_uint_eq(b.log->seen[46].len, 77);
    ck_assert_uint_eq(stt_sim_link_stats(sim, links.forth).datagrams_out, 47);
    stt_sim_free(sim);
    raw_free(&b);
}
END_TEST

START_TEST(a_bottleneck_takes_trains_apart)
{
    struct stt_sim *sim = raw_world(1);
    struct raw b = raw_add(sim, 2);
    struct burst burst = {stt_sim_ipv4(1, 1), b.address, 1000, 9500};
    stt_sim_node a = burst_add(sim, &burst);
    stt_sim_pair(sim, a, b.node,
                 &(struct stt_link_config){.rate_bits_per_s = 8000000, .queue_bytes = 5000});
    ck_assert(stt_sim_run_until(sim, STT_S(1)));
    ck_assert_uint_eq(b.log->n, 6);
    ck_assert_uint_eq(b.log->trains, 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_uint_eq(b.log->seen[i].at, STT_MS(i + 1));
    stt_sim_free(sim);
    raw_free(&b);
}
END_TEST

START_TEST(loss_takes_single_datagrams_out_of_a_train)
{
    struct stt_sim *sim = raw_world(1);
    struct raw b = raw_add(sim, 2);
    struct burst burst = {stt_sim_ipv4(1, 1), b.address, 1000, 40000};
    stt_sim_node a = burst_add(sim, &burst);
    stt_sim_pair(sim, a, b.node, &(struct stt_link_config){.drop_listed = {3, 40}});
    ck_assert(stt_sim_run_until(sim, STT_S(1)));
    ck_assert_uint_eq(b.log->n, 38);
    ck_assert_uint_eq(b.log->trains, 1); /* and what is left arrives together */
    stt_sim_free(sim);
    raw_free(&b);
}
END_TEST

/* As one train come: equal ones of one kind, up to a short one, up to the limit. */
START_TEST(arrivals_at_one_instant_come_as_trains_of_equals)
{
    const size_t sent[] = {500, 500, 500, 200, 500, 500, 600, 600, 0, 600};
    const bool begins[] = {true, false, false, false, true, false, true, false, true, true};
    struct stt_sim *sim = raw_world(1);
    struct raw a = raw_add(sim, 1), b = raw_add(sim, 2);
    stt_sim_pair(sim, a.node, b.node, &(struct stt_link_config){.delay_ns = 5});
    for (size_t i = 0; i < 10; i++)
        raw_send(sim, &a, &b, sent[i]);
    ck_assert(stt_sim_run_until(sim, 5));
    ck_assert_uint_eq(b.log->n, 10);
    for (size_t i = 0; i < 10; i++) {
        ck_assert_uint_eq(b.log->seen[i].len, sent[i]);
        ck_assert_int_eq(b.log->seen[i].is_first, begins[i]);
        ck_assert(sent[i] < 8 || b.log->seen[i].number == i);
    }
    stt_sim_free(sim);
    raw_free(&a);
    raw_free(&b);
}
END_TEST

START_TEST(trains_end_at_the_limit_and_at_another_mark)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    config.segments_max = 10;
    struct stt_sim *sim = stt_sim_new(&config);
    struct raw a = raw_add(sim, 1), b = raw_add(sim, 2);
    stt_sim_pair(sim, a.node, b.node, &(struct stt_link_config){.delay_ns = 5});
    for (size_t i = 0; i < 25; i++)
        raw_send_to(sim, &a, &b.address, 100, i >= 22 ? 3 : 2);
    ck_assert(stt_sim_run_until(sim, 5));
    for (size_t i = 0; i < 25; i++)
        ck_assert_int_eq(b.log->seen[i].is_first, i % 10 == 0 || i == 22);
    stt_sim_free(sim);
    raw_free(&a);
    raw_free(&b);
}
END_TEST

START_TEST(a_train_is_never_longer_than_a_datagram_may_be)
{
    struct stt_sim *sim = raw_world(1);
    struct raw a = raw_add(sim, 1), b = raw_add(sim, 2);
    stt_sim_pair(sim, a.node, b.node, &(struct stt_link_config){.delay_ns = 5});
    for (size_t i = 0; i < 10; i++)
        raw_send(sim, &a, &b, 9000);
    raw_send(sim, &a, &b, STT_TRAIN_BYTES);
    ck_assert(stt_sim_run_until(sim, 5));
    ck_assert_uint_eq(b.log->trains, 3);
    ck_assert(b.log->seen[7].is_first && b.log->seen[10].is_first);
    for (size_t i = 0; i < 11; i++)
        ck_assert(raw_is_intact(&b.log->seen[i]));
    stt_sim_free(sim);
    raw_free(&a);
    raw_free(&b);
}
END_TEST

START_TEST(a_node_takes_its_links_along_when_it_moves)
{
    struct stt_sim *sim = raw_world(1);
    struct raw a = raw_add(sim, 1), b = raw_add(sim, 2);
    stt_sim_pair(sim, a.node, b.node, &(struct stt_link_config){.delay_ns = STT_MS(7)});
    struct stt_address to = stt_sim_ipv6(9, 77), old = b.address;
    stt_sim_address_move(sim, b.node, &b.address, &to);
    raw_send_to(sim, &a, &old, 100, 0);
    b.address = to;
    raw_send(sim, &a, &b, 100);
    raw_send(sim, &b, &a, 100);
    ck_assert(stt_sim_run_until(sim, STT_S(1)));
    ck_assert_uint_eq(b.log->n, 1);
    ck_assert_uint_eq(b.log->seen[0].at, STT_MS(7));
    ck_assert_uint_eq(a.log->n, 1);
    ck_assert_int_eq(memcmp(&a.log->seen[0].from, &to, sizeof to), 0);
    ck_assert_uint_eq(stt_sim_stats(sim).no_node, 1);
    stt_sim_free(sim);
    raw_free(&a);
    raw_free(&b);
}
END_TEST

struct spy {
    struct stt_sim *sim;
    uint64_t seen;
    size_t largest;
};

/* Drops the 2nd, shortens the 3rd, holds the 4th back, sends a copy of the 5th, and readdresses the
 * 6th. */
static bool meddle(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    struct spy *spy = ctx;
    (void)now;
    spy->largest = d->len > spy->largest ? d->len : spy->largest;
    switch (++spy->seen) {
    case 2:
        return false;
    case 3:
        d->len = 50;
        break;
    case 4:
        d->delay_ns = STT_MS(9);
        break;
    case 5:
        stt_sim_send(spy->sim, d);
        break;
    case 6:
        return false; /* the copy, which comes by here, too */
    case 7:
        d->from.port = 4242;
        break;
    default:
        break;
    }
    return true;
}

START_TEST(a_tap_may_drop_change_delay_and_send)
{
    struct stt_sim *sim = raw_world(1);
    struct raw b = raw_add(sim, 2);
    struct burst burst = {stt_sim_ipv4(1, 1), b.address, 100, 700};
    stt_sim_node a = burst_add(sim, &burst);
    struct stt_sim_pair links =
        stt_sim_pair(sim, a, b.node, &(struct stt_link_config){.delay_ns = STT_MS(1)});
    struct spy spy = {.sim = sim};
    stt_sim_tap(sim, links.forth, meddle, &spy);
    ck_assert(stt_sim_run_until(sim, STT_S(1)));
    ck_assert_uint_eq(spy.seen, 8);
    ck_assert_uint_eq(spy.largest, 100); /* one at a time, though they came as a train */
    ck_assert_uint_eq(b.log->n, 6);
    ck_assert_uint_eq(b.log->seen[1].len, 50);
    ck_assert_uint_eq(b.log->seen[5].at, STT_MS(10));
    struct stt_link_stats s = stt_sim_link_stats(sim, links.forth);
    ck_assert_uint_eq(s.dropped[STT_LINK_DROP_TAP], 2);
    ck_assert_uint_eq(s.datagrams_in, 8);
    ck_assert_uint_eq(s.datagrams_out, 6);
    stt_sim_free(sim);
    raw_free(&b);
}
END_TEST

static bool count(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    (void)now;
    (void)d;
    ++*(unsigned *)ctx;
    return true;
}

START_TEST(taps_see_a_datagram_once_at_each_link_in_their_order)
{
    struct stt_sim *sim = raw_world(1);
    struct raw a = raw_add(sim, 1), b = raw_add(sim, 2);
    stt_sim_link links[2] = {add(sim, (struct stt_link_config){.duplicate_ppm = 1000000}),
                             add(sim, (struct stt_link_config){.delay_ns = 1})};
    way(sim, &a, &b, links, 2);
    unsigned first = 0, second = 0;
    stt_sim_tap(sim, links[0], count, &first);
    stt_sim_tap(sim, links[1], count, &second);
    stt_sim_tap(sim, links[1], count, &second);
    raw_send(sim, &a, &b, 100);
    ck_assert(stt_sim_run_until(sim, STT_S(1)));
    ck_assert_uint_eq(first, 1);
    ck_assert_uint_eq(second, 4);
    ck_assert_uint_eq(b.log->n, 2);
    stt_sim_free(sim);
    raw_free(&a);
    raw_free(&b);
}
END_TEST

START_TEST(an_injected_datagram_passes_all_links_by)
{
    struct stt_sim *sim = raw_world(1);
    struct raw a = raw_add(sim, 1), b = raw_add(sim, 2);
    uint8_t data[64] = {1};
    struct stt_sim_datagram d = {.from = stt_sim_ipv4(99, 9),
                                 .to = b.address,
                                 .data = data,
                                 .len = sizeof data,
                                 .delay_ns = STT_MS(3)};
    stt_sim_inject(sim, &d);
    ck_assert(stt_sim_run_until(sim, STT_S(1)));
    ck_assert_uint_eq(b.log->n, 1);
    ck_assert_uint_eq(b.log->seen[0].at, STT_MS(3));
    ck_assert_int_eq(memcmp(&b.log->seen[0].from, &d.from, sizeof d.from), 0);
    stt_sim_free(sim);
    raw_free(&a);
    raw_free(&b);
}
END_TEST

SUITE("net", TEST(what_has_no_route_or_nobody_there_is_counted_as_lost),
      TEST(a_route_of_four_links_adds_their_delays),
      TEST(two_senders_share_a_bottleneck_fairly_in_turn),
      TEST(access_links_connect_everybody_and_a_route_comes_first),
      TEST(carriers_have_routes_of_their_own),
      TEST(a_train_stays_whole_where_nothing_but_time_happens),
      TEST(a_bottleneck_takes_trains_apart), TEST(loss_takes_single_datagrams_out_of_a_train),
      TEST(arrivals_at_one_instant_come_as_trains_of_equals),
      TEST(trains_end_at_the_limit_and_at_another_mark),
      TEST(a_train_is_never_longer_than_a_datagram_may_be),
      TEST(a_node_takes_its_links_along_when_it_moves), TEST(a_tap_may_drop_change_delay_and_send),
      TEST(taps_see_a_datagram_once_at_each_link_in_their_order),
      TEST(an_injected_datagram_passes_all_links_by))
