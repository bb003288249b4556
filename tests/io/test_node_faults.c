/* SPDX-License-Identifier: MIT
 * What the kernel says to a node's driver on a bad day, in the middle of a transfer that must
 * complete, and how often the node asks. Both sides have it at once. */
#include "tests/support/nodes.h"
#include "tests/support/suite.h"
#include "transport/uring.h"

#include <errno.h>

enum { IOS = 2, ERRORS = 3, MIB = 1 << 20 };
static const enum stt_io ios[] = {STT_IO_URING, STT_IO_MMSG};

/* The first `bad` of every `of` that concern it end with `error`. */
static struct mood {
    int error;
    uint32_t of, bad, asked, hits;
    size_t larger_than; /* datagrams of more bytes; 0: all */
    bool trains_only;
    int receive_error;
    uint32_t receive_of, heard, receive_hits;
} mood;

static int on_send(void *ctx, const struct stt_driver_train *train)
{
    struct mood *m = ctx;
    size_t largest = train->len < train->segment_bytes ? train->len : train->segment_bytes;
    if (!m->of || largest <= m->larger_than ||
        (m->trains_only && train->len <= train->segment_bytes))
        return 0;
    bool is_bad = m->asked++ % m->of < m->bad;
    m->hits += is_bad;
    return is_bad ? m->error : 0;
}

static int on_receive(void *ctx)
{
    struct mood *m = ctx;
    bool is_bad = m->receive_of && ++m->heard % m->receive_of == 0;
    m->receive_hits += is_bad;
    return is_bad ? m->receive_error : 0;
}

static const struct stt_driver_faults faults = {
    .ctx = &mood, .on_send = on_send, .on_receive = on_receive};

static uint32_t receive_buffers;
static void configure(struct stt_node_config *config, bool is_client)
{
    (void)is_client;
    if (receive_buffers)
        config->receive_buffers = receive_buffers;
}

/* False: no such driver. Connected, and with a first byte on a stream that is echoed. */
static bool begin_with(struct nodes *n, enum stt_io io, struct stt_node_knobs knobs)
{
    struct nodes_setup setup = {
        .io = io, .at = "127.0.0.1:0", .configure = configure, .knobs = {knobs, knobs}};
    mood = (struct mood){.error = 0};
    if (!nodes_open(n, &setup))
        return false;
    nodes_connect(n, NULL);
    n->server.echoes = n->client.stays_open = true;
    nodes_send(n, 1);
    return true;
}

static bool begin(struct nodes *n, enum stt_io io)
{
    return begin_with(n, io, (struct stt_node_knobs){.faults = &faults});
}

static bool has_all(const struct nodes *n)
{
    return n->client.read >= n->client.to_write;
}

static void echo_more(struct nodes *n, uint64_t bytes)
{
    n->client.to_write += bytes;
    ck_assert_msg(nodes_until(n, has_all, STT_S(30)), "%llu of %llu bytes came back",
                  (unsigned long long)n->client.read, (unsigned long long)n->client.to_write);
}

static void end(struct nodes *n)
{
    n->client.stays_open = false;
    ck_assert(nodes_until(n, nodes_have_echo, STT_S(20)));
    ck_assert_uint_eq(n->client.events[STT_EVENT_CLOSED] + n->server.events[STT_EVENT_CLOSED], 0);
    nodes_end(n);
}

/* -- CASE 54 ------------------------------------------------------------------------------------
 */

static const int storms[ERRORS] = {EAGAIN, ENOBUFS, ENOMEM};

struct effort {
    stt_ns at;
    uint64_t steps, tries; /* of trains */
};

static struct effort effort_of(const struct nodes *n)
{
    struct stt_driver_stats a = nodes_driver_stats(&n->client), b = nodes_driver_stats(&n->server);
    return (struct effort){.at = stt_node_now(n->client.node),
                           .steps = a.steps + b.steps,
                           .tries = a.trains_sent + a.held_back + a.refused + b.trains_sent +
                                    b.held_back + b.refused};
}

/* A turn of the test is eight steps; who spins makes thousands in a millisecond. */
static void require_no_spin(const struct nodes *n, const struct effort *before)
{
    struct effort now = effort_of(n);
    uint64_t ms = (now.at - before->at) / STT_MS(1), steps = now.steps - before->steps,
             tries = now.tries - before->tries;
    ck_assert_msg(steps <= 200 + 16 * (tries + ms), "%llu steps for %llu tries in %llu ms",
                  (unsigned long long)steps, (unsigned long long)tries, (unsigned long long)ms);
}

START_TEST(a_transfer_goes_through_storms_without_spinning_case_54)
{
    struct nodes n;
    if (!begin(&n, ios[_i % IOS]))
        return;
    struct effort before = effort_of(&n);
    mood = (struct mood){.error = storms[_i / IOS], .of = 16, .bad = 8};
    echo_more(&n, MIB);
    ck_assert_uint_gt(mood.hits, 20);
    require_no_spin(&n, &before);
    end(&n);
}
END_TEST

static stt_ns storm_ends_at;
static bool is_storm_over(const struct nodes *n)
{
    return stt_node_now(n->client.node) >= storm_ends_at;
}

START_TEST(nobody_spins_in_a_storm_that_lets_nothing_through_case_54)
{
    struct nodes n;
    if (!begin(&n, ios[_i % IOS]))
        return;
    echo_more(&n, MIB);
    struct effort before = effort_of(&n);
    mood = (struct mood){.error = storms[_i / IOS], .of = 1, .bad = 1};
    n.client.to_write += MIB;
    storm_ends_at = before.at + STT_MS(200);
    ck_assert(nodes_until(&n, is_storm_over, STT_S(10)));
    ck_assert_uint_gt(mood.hits, 3);
    require_no_spin(&n, &before);
    mood.of = 0;
    echo_more(&n, MIB);
    end(&n);
}
END_TEST

/* -- CASES 55, 56 -------------------------------------------------------------------------------
 */

START_TEST(receiving_with_hardly_any_buffers_goes_on_case_55)
{
    struct nodes n;
    receive_buffers = 4;
    if (!begin(&n, ios[_i]))
        return;
    struct effort before = effort_of(&n);
    echo_more(&n, 8 * MIB);
    ck_assert_uint_gt(nodes_driver_stats(&n.client).out_of_buffers +
                          nodes_driver_stats(&n.server).out_of_buffers,
                      0);
    require_no_spin(&n, &before);
    end(&n);
}
END_TEST

START_TEST(receiving_that_ends_again_and_again_goes_on_case_55)
{
    static const int errors[ERRORS] = {ENOBUFS, ENOMEM, ECONNREFUSED};
    struct nodes n;
    if (!begin(&n, ios[_i % IOS]))
        return;
    mood = (struct mood){.receive_error = errors[_i / IOS], .receive_of = 20};
    echo_more(&n, MIB);
    ck_assert_uint_gt(mood.receive_hits, 0);
    mood.receive_of = 0;
    end(&n);
}
END_TEST

static int small_ring(struct stt_driver **out, const struct stt_driver_config *config)
{
    return stt_uring_new_with(out, config,
                              &(struct stt_uring_knobs){.sq_entries = 4, .cq_entries = 4});
}

START_TEST(a_transfer_survives_completions_that_do_not_fit_their_queue_case_56)
{
    struct nodes n;
    if (!begin_with(&n, STT_IO_URING, (struct stt_node_knobs){.driver_new = small_ring}))
        return;
    struct effort before = effort_of(&n);
    echo_more(&n, 8 * MIB);
    ck_assert_uint_gt(
        nodes_driver_stats(&n.client).overflows + nodes_driver_stats(&n.server).overflows, 0);
    require_no_spin(&n, &before);
    end(&n);
}
END_TEST

/* -- CASES 57, 58 -------------------------------------------------------------------------------
 */

START_TEST(what_is_refused_as_too_large_goes_in_smaller_packets_case_57)
{
    struct nodes n;
    if (!begin(&n, ios[_i]))
        return;
    echo_more(&n, MIB);
    ck_assert_uint_eq(nodes_stats(&n.client).packet_bytes, 1472);
    mood = (struct mood){.error = EMSGSIZE, .of = 1, .bad = 1, .larger_than = 1300};
    echo_more(&n, 2 * MIB);
    const struct nodes_side *sides[] = {&n.client, &n.server};
    for (unsigned i = 0; i < 2; i++) {
        struct stt_session_stats stats = nodes_stats(sides[i]);
        ck_assert_uint_ge(sides[i]->node->too_large, 1);
        ck_assert_uint_le(sides[i]->node->too_large, 40);
        ck_assert_uint_le(stats.packet_bytes, 1300);
        ck_assert_uint_gt(stats.packet_bytes, 1300 - 16);
    }
    end(&n);
}
END_TEST

START_TEST(where_segmentation_ceases_to_work_it_is_off_for_good_case_58)
{
    static const int errors[ERRORS] = {EIO, EINVAL, EOPNOTSUPP};
    struct nodes n;
    if (!begin(&n, ios[_i % IOS]))
        return;
    echo_more(&n, MIB);
    mood = (struct mood){.error = errors[_i / IOS], .of = 1, .bad = 1, .trains_only = true};
    echo_more(&n, 4 * MIB);
    ck_assert_uint_eq(nodes_driver_stats(&n.client).gso_off, 1);
    ck_assert_uint_eq(nodes_driver_stats(&n.server).gso_off, 1);
    ck_assert_uint_le(mood.hits, 2 * 16); /* what had been queued before it was known */
    ck_assert_uint_eq(n.client.node->unsent + n.server.node->unsent, 0);
    end(&n);
}
END_TEST

SUITE("node_faults", LOOP(a_transfer_goes_through_storms_without_spinning_case_54, 0, IOS *ERRORS),
      LOOP(nobody_spins_in_a_storm_that_lets_nothing_through_case_54, 0, IOS *ERRORS),
      LOOP(receiving_with_hardly_any_buffers_goes_on_case_55, 0, IOS),
      LOOP(receiving_that_ends_again_and_again_goes_on_case_55, 0, IOS *ERRORS),
      TEST(a_transfer_survives_completions_that_do_not_fit_their_queue_case_56),
      LOOP(what_is_refused_as_too_large_goes_in_smaller_packets_case_57, 0, IOS),
      LOOP(where_segmentation_ceases_to_work_it_is_off_for_good_case_58, 0, IOS *ERRORS))
