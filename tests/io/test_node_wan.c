/* SPDX-License-Identifier: MIT
 * Nodes with a bad way between them: loss, disorder and worse, outages, a NAT that rebinds, marks
 * of congestion, and the byte of the header that these stand in. */
#include "tests/support/nodes.h"
#include "tests/support/suite.h"
#include "tests/support/wan.h"

#include <string.h>

enum { IOS = 2, FAMILIES = 2, MIB = 1 << 20, EXPEDITED = 46 };
static const enum stt_io ios[] = {STT_IO_URING, STT_IO_MMSG};
static const char *const places[FAMILIES] = {"127.0.0.1:0", "[::1]:0"};

static void configure(struct stt_node_config *config, bool is_client)
{
    (void)is_client;
    config->dscp = EXPEDITED;
}

static struct wan *connect_by(struct nodes *n, const struct wan_config *config, uint64_t seed)
{
    struct wan *w = wan_begin(config, &n->at, seed);
    struct stt_address at = wan_address(w);
    char to[STT_ADDRESS_TEXT_ROOM];
    stt_address_text(&at, to);
    nodes_connect(n, to);
    return w;
}

static void require_one_session(const struct nodes *n)
{
    ck_assert_uint_eq(n->client.events[STT_EVENT_CONNECTED], 1);
    ck_assert_uint_eq(n->server.events[STT_EVENT_ACCEPTED], 1);
    ck_assert_uint_eq(n->client.events[STT_EVENT_CLOSED], 0);
    ck_assert_uint_eq(n->server.events[STT_EVENT_CLOSED], 0);
}

/* -- bad luck -----------------------------------------------------------------------------------
 */

static const struct wan_config ways[] = {
    {.delay_ns = STT_MS(2), .lost = 30},
    {.delay_ns = STT_MS(2), .late_ns = STT_MS(1), .reordered = 100},
    {.doubled = 300},
    {.delay_ns = STT_MS(2), .corrupted = 30},
    {.rate_bits_per_s = 50000000, .queue_bytes = 30000, .delay_ns = STT_MS(2)},
    {.delay_ns = STT_MS(1),
     .late_ns = STT_MS(2),
     .lost = 10,
     .doubled = 50,
     .reordered = 50,
     .corrupted = 10},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

START_TEST(a_mebibyte_comes_back_whole_whatever_the_way_does_to_it)
{
    struct nodes n;
    struct wan_seen seen;
    const struct wan_config *way = &ways[_i / IOS];
    if (!nodes_begin(&n, ios[_i % IOS], places[0], NULL))
        return;
    struct wan *w = connect_by(&n, way, (uint64_t)_i + 1);
    n.server.echoes = true;
    nodes_send(&n, MIB);
    ck_assert(nodes_until(&n, nodes_have_echo, STT_S(30)));
    require_one_session(&n);
    uint64_t forged =
        nodes_stats(&n.client).dropped_bad_tag + nodes_stats(&n.server).dropped_bad_tag;
    nodes_end(&n);
    wan_end(w, &seen);
    ck_assert(!way->lost || seen.forth.lost + seen.back.lost > 0);
    ck_assert(!way->doubled || seen.forth.doubled + seen.back.doubled > 0);
    ck_assert(!way->reordered || seen.forth.reordered + seen.back.reordered > 0);
    ck_assert(!way->corrupted || forged > 0);
}
END_TEST

/* -- what takes its time: both drivers at once --------------------------------------------------
 */

static struct nodes pairs[IOS];
static struct wan *wans[IOS];
static unsigned n_pairs;

static void begin_pairs(const struct wan_config *config)
{
    for (unsigned i = 0; i < IOS; i++) {
        struct nodes *n = &pairs[n_pairs];
        if (!nodes_begin(n, ios[i], places[0], NULL))
            continue;
        wans[n_pairs] = connect_by(n, config, i + 1);
        n->server.echoes = n->client.stays_open = true;
        nodes_send(n, 1);
        n_pairs++;
    }
}

static void end_pairs(struct wan_seen seen[IOS])
{
    for (unsigned i = 0; i < n_pairs; i++) {
        struct nodes *n = &pairs[i];
        n->client.stays_open = false;
        n->client.to_write = n->client.written;
        ck_assert(nodes_until(n, nodes_have_echo, STT_S(20)));
        require_one_session(n);
        nodes_end(n);
        wan_end(wans[i], &seen[i]);
    }
}

static stt_ns now(void)
{
    return stt_node_now(NULL);
}

/* A megabyte a second by each. */
static void run_pairs_for(stt_ns ns)
{
    const stt_ns end = now() + ns;
    for (stt_ns last = now(), t; (t = now()) < end; last = t) {
        for (unsigned i = 0; i < n_pairs; i++)
            pairs[i].client.to_write += (t - last) / 1000;
        nodes_turn_all(pairs, n_pairs, 5);
    }
}

START_TEST(an_outage_of_two_seconds_in_a_transfer_is_survived)
{
    struct wan_seen seen[IOS];
    uint64_t written[IOS];
    begin_pairs(&(struct wan_config){.delay_ns = STT_MS(5)});
    run_pairs_for(STT_MS(200));
    for (unsigned i = 0; i < n_pairs; i++) {
        wan_set_dark(wans[i], true);
        written[i] = pairs[i].client.written;
    }
    run_pairs_for(STT_S(2));
    for (unsigned i = 0; i < n_pairs; i++)
        wan_set_dark(wans[i], false);
    for (unsigned i = 0; i < n_pairs; i++) {
        for (int tenths = 0; tenths < 100 && pairs[i].client.read <= written[i]; tenths++)
            run_pairs_for(STT_MS(100));
        ck_assert_uint_gt(pairs[i].client.read, written[i]);
    }
    end_pairs(seen);
}
END_TEST

START_TEST(a_nat_that_rebinds_again_and_again_costs_no_session)
{
    enum { REBINDS = 8 };
    struct wan_seen seen[IOS];
    begin_pairs(&(struct wan_config){.delay_ns = STT_MS(5)});
    for (unsigned n = 0; n < REBINDS; n++) {
        run_pairs_for(STT_MS(250));
        for (unsigned i = 0; i < n_pairs; i++)
            wan_rebind(wans[i]);
    }
    run_pairs_for(STT_MS(250));
    for (unsigned i = 0; i < n_pairs; i++) {
        ck_assert_uint_ge(pairs[i].server.events[STT_EVENT_PATH], REBINDS - 1);
        ck_assert_uint_eq(pairs[i].client.events[STT_EVENT_PATH], 0);
        ck_assert_uint_ge(pairs[i].client.read * 10, pairs[i].client.written * 8);
    }
    end_pairs(seen);
    for (unsigned i = 0; i < n_pairs; i++)
        ck_assert_uint_eq(seen[i].rebinds, REBINDS);
}
END_TEST

/* -- marks --------------------------------------------------------------------------------------
 */

static void require_header(const struct wan_way *way)
{
    ck_assert_uint_eq(way->dscp, EXPEDITED);
    ck_assert_uint_gt(way->ecn[2], way->datagrams / 2); /* ECT(0) */
    ck_assert_uint_eq(way->ecn[1] + way->ecn[3], 0);
}

START_TEST(marks_of_congestion_arrive_and_the_class_is_as_configured)
{
    struct nodes n;
    struct wan_seen seen;
    const struct wan_config way = {.delay_ns = STT_MS(1), .marked = 20};
    if (!nodes_begin(&n, ios[_i % IOS], places[_i / IOS], configure))
        return;
    struct wan *w = connect_by(&n, &way, (uint64_t)_i + 1);
    n.server.echoes = true;
    nodes_send(&n, MIB);
    ck_assert(nodes_until(&n, nodes_have_echo, STT_S(30)));
    uint64_t there = nodes_stats(&n.server).ce_received, here = nodes_stats(&n.client).ce_received;
    nodes_end(&n);
    wan_end(w, &seen);
    require_header(&seen.forth);
    require_header(&seen.back);
    ck_assert_uint_gt(there, 0);
    ck_assert_uint_gt(here, 0);
    ck_assert_uint_le(there, seen.forth.marked);
    ck_assert_uint_le(here, seen.back.marked);
    ck_assert_uint_ge(there + 3, seen.forth.marked); /* what is still on its way */
}
END_TEST

SUITE("node_wan", LOOP(a_mebibyte_comes_back_whole_whatever_the_way_does_to_it, 0, IOS *WAYS),
      TEST(an_outage_of_two_seconds_in_a_transfer_is_survived),
      TEST(a_nat_that_rebinds_again_and_again_costs_no_session),
      LOOP(marks_of_congestion_arrive_and_the_class_is_as_configured, 0, IOS *FAMILIES))
