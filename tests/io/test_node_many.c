/* SPDX-License-Identifier: MIT
 * Many sessions between two nodes, many one after another, nodes of both kinds together, and one in
 * somebody else's io_uring. */
#include "tests/support/nodes.h"
#include "tests/support/sanitized.h"
#include "tests/support/suite.h"
#include "tests/support/udp.h"

#include <liburing.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { IOS = 2, MIB = 1 << 20 };
static const enum stt_io ios[] = {STT_IO_URING, STT_IO_MMSG};

enum { SESSIONS = IS_SANITIZED ? 1000 : 10000, CONNECTS = IS_SANITIZED ? 200 : 1000 };

static stt_ns now(void)
{
    return stt_node_now(NULL);
}

static void configure(struct stt_node_config *config, bool is_client)
{
    struct stt_config *c = &config->endpoint;
    (void)is_client;
    c->max_half_open_per_peer = c->max_half_open_per_prefix = 1024;
    c->handshakes_per_second = c->handshakes_per_prefix_second = 1000000;
    c->handshake_work_percent = 100;
    c->keep_alive_ns = STT_NEVER;
    c->idle_timeout_ns = STT_S(600);
}

static void echo(struct nodes *n, uint64_t bytes)
{
    n->server.echoes = true;
    nodes_send(n, bytes);
    ck_assert(nodes_until(n, nodes_have_echo, STT_S(20)));
}

/* -- many at once -------------------------------------------------------------------------------
 */

static struct nodes pairs[IOS];
static unsigned n_pairs;
static uint64_t wanted;

static bool are_connected(const struct nodes *n)
{
    return n->client.events[STT_EVENT_CONNECTED] >= wanted &&
           n->server.events[STT_EVENT_ACCEPTED] >= wanted;
}

static void connect_all(struct nodes *n, stt_handle *sessions, unsigned n_sessions)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    connect.mode = STT_MODE_K;
    connect.peer = n->server.config.endpoint.identity.peer_id;
    connect.has_peer = true;
    for (unsigned i = 0; i < n_sessions; i++) {
        ck_assert_int_eq(stt_node_connect(n->client.node, &connect, n->at_text, &sessions[i]),
                         STT_OK);
        wanted = i + 1;
        if (wanted % 100 == 0)
            ck_assert_msg(nodes_until(n, are_connected, STT_S(10)), "session %u", i);
    }
}

static size_t secrets_of(const struct nodes_side *s)
{
    const struct stt_secret *secret = &s->node->secret;
    return secret->mapped_bytes - (size_t)(secret->end - secret->at);
}

static size_t memory(void)
{
    struct mallinfo2 heap = mallinfo2();
    size_t bytes = heap.uordblks + heap.hblkhd;
    for (unsigned i = 0; i < n_pairs; i++)
        bytes += secrets_of(&pairs[i].client) + secrets_of(&pairs[i].server);
    return bytes;
}

/* How often somebody had to get up in that time. */
static uint64_t polls_in(stt_ns ns)
{
    uint64_t before = 0, after = 0;
    for (unsigned i = 0; i < n_pairs; i++)
        before += pairs[i].polls;
    for (stt_ns end = now() + ns; now() < end;)
        nodes_turn_all(pairs, n_pairs, 100);
    for (unsigned i = 0; i < n_pairs; i++)
        after += pairs[i].polls;
    return after - before;
}

/* On a busy machine something is late, and sent again. */
static uint64_t polls_when_quiet(void)
{
    uint64_t polls = polls_in(STT_MS(500));
    for (unsigned i = 0; i < 10 && polls > 10; i++)
        polls = polls_in(STT_MS(500));
    return polls;
}

/* What was held for busy times is given back with the first packet after five quiet seconds. */
static void let_them_rest(stt_handle sessions[IOS][SESSIONS], const unsigned *n)
{
    (void)polls_in(STT_S(5));
    for (unsigned k = 0; k < SESSIONS; k++) {
        for (unsigned i = 0; i < n_pairs && k < n[i]; i++)
            ck_assert_int_eq(
                stt_session_ping(stt_node_endpoint(pairs[i].client.node), now(), sessions[i][k]),
                STT_OK);
        for (unsigned i = 0; k % 16 == 15 && i < 3; i++) /* there, back, and taken in */
            nodes_turn_all(pairs, n_pairs, 0);
    }
}

/* 4 KiB are the session's own (sttbench sessions); the rest is what the allocator and tables with
 * room for more cost. */
START_TEST(ten_thousand_idle_sessions_take_5_kib_each_and_wake_nobody_case_35)
{
    static stt_handle sessions[IOS][SESSIONS];
    static const unsigned n_sessions[IOS] = {SESSIONS, SESSIONS / 10};
    size_t total = 0;
    for (unsigned i = 0; i < IOS; i++)
        n_pairs += nodes_begin(&pairs[n_pairs], ios[i], "127.0.0.1:0", configure);
    size_t before = memory();
    for (unsigned i = 0; i < n_pairs; i++) {
        connect_all(&pairs[i], sessions[i], n_sessions[i]);
        total += n_sessions[i];
    }
    let_them_rest(sessions, n_sessions);
    uint64_t polls = polls_when_quiet();
    ck_assert_msg(polls <= 10, "%llu wake-ups", (unsigned long long)polls);
    size_t each = n_pairs ? (memory() - before) / total / 2 : 0;
    ck_assert_msg(IS_SANITIZED || each <= 5120, "%zu bytes for each end", each);
    for (unsigned i = 0; i < n_pairs; i++) {
        struct nodes *n = &pairs[i];
        n->client.session = sessions[i][n_sessions[i] / 3];
        echo(n, MIB);
        ck_assert_uint_eq(n->client.events[STT_EVENT_CLOSED], 0);
        ck_assert_uint_eq(n->server.events[STT_EVENT_CLOSED], 0);
        nodes_end(n);
    }
}
END_TEST

/* -- many one after another ---------------------------------------------------------------------
 */

static bool are_forgotten(const struct nodes *n)
{
    struct stt_endpoint_stats client, server;
    stt_endpoint_stats(stt_node_endpoint(n->client.node), &client);
    stt_endpoint_stats(stt_node_endpoint(n->server.node), &server);
    return client.sessions + server.sessions == 0;
}

static void run_until(bool (*reached)(const struct nodes *n))
{
    const stt_ns end = now() + STT_S(10);
    for (unsigned i = 0; i < n_pairs; i++)
        while (!reached(&pairs[i])) {
            nodes_turn_all(pairs, n_pairs, 100);
            ck_assert_uint_lt(now(), end);
        }
}

static void connect_and_close(unsigned n)
{
    for (unsigned i = 0; i < n_pairs; i++) {
        memset(pairs[i].client.events, 0, sizeof pairs[i].client.events);
        memset(pairs[i].server.events, 0, sizeof pairs[i].server.events);
        nodes_connect_begin(&pairs[i], NULL);
    }
    run_until(nodes_are_connected);
    for (unsigned i = 0; i < n_pairs; i++) {
        struct nodes_side *s = n % 2 ? &pairs[i].client : &pairs[i].server;
        ck_assert_int_eq(stt_session_close(stt_node_endpoint(s->node), now(), s->session, 0, NULL),
                         STT_OK);
    }
    run_until(nodes_are_closed);
}

/* Bytes that are taken when no session is left: servers remember what a handshake began with, so
 * that nobody is served twice. */
static size_t connect_and_close_many(unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        connect_and_close(i);
    run_until(are_forgotten);
    return memory();
}

START_TEST(a_thousand_connects_one_after_another_leave_nothing_behind)
{
    for (unsigned i = 0; i < IOS; i++)
        n_pairs += nodes_begin(&pairs[n_pairs], ios[i], "127.0.0.1:0", configure);
    size_t before = connect_and_close_many(CONNECTS / 2);
    int files = udp_descriptors();
    size_t after = connect_and_close_many(CONNECTS / 2);
    ck_assert_int_eq(udp_descriptors(), files);
    ck_assert_msg(IS_SANITIZED || after <= before + (size_t)250 * CONNECTS * n_pairs,
                  "%zu bytes, and then %zu", before, after);
    for (unsigned i = 0; i < n_pairs; i++) {
        ck_assert_uint_eq(pairs[i].client.node->places.n, 1);
        nodes_end(&pairs[i]);
    }
}
END_TEST

/* -- of both kinds, and in loops of others ------------------------------------------------------
 */

static enum stt_io io_of_client;
static void give_each_its_own(struct stt_node_config *config, bool is_client)
{
    config->io =
        is_client ? io_of_client : (enum stt_io)(STT_IO_URING + STT_IO_MMSG - io_of_client);
}

START_TEST(one_on_io_uring_and_one_on_plain_calls_understand_each_other)
{
    struct nodes n;
    io_of_client = ios[_i];
    if (!nodes_begin(&n, STT_IO_AUTO, "127.0.0.1:0", give_each_its_own))
        return;
    ck_assert_str_ne(stt_node_io(n.client.node), stt_node_io(n.server.node));
    nodes_connect(&n, NULL);
    echo(&n, 4 * MIB);
    nodes_end(&n);
}
END_TEST

static void watch(struct io_uring *ring, int fd, bool goes_on)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    ck_assert_ptr_nonnull(sqe);
    if (goes_on)
        io_uring_prep_poll_multishot(sqe, fd, POLLIN);
    else
        io_uring_prep_poll_add(sqe, fd, POLLIN);
    ck_assert_int_eq(io_uring_submit(ring), 1);
}

/* Whether it was told of; it is watched on. */
static bool is_told(struct io_uring *ring, int fd, bool goes_on)
{
    struct io_uring_cqe *cqe;
    bool any = false, ends = false;
    while (io_uring_peek_cqe(ring, &cqe) == 0) {
        any = true;
        ends |= !(cqe->flags & IORING_CQE_F_MORE);
        io_uring_cqe_seen(ring, cqe);
    }
    if (ends)
        watch(ring, fd, goes_on);
    return any;
}

/* The server trusts what the ring of somebody else says, and nothing more. */
START_TEST(its_descriptor_is_enough_for_an_io_uring_of_somebody_elses)
{
    struct nodes n;
    struct io_uring ring;
    const bool goes_on = _i / IOS;
    if (io_uring_queue_init(8, &ring, 0) < 0 ||
        !nodes_begin(&n, ios[_i % IOS], "127.0.0.1:0", NULL))
        return;
    n.server.echoes = true;
    nodes_connect(&n, NULL);
    watch(&ring, stt_node_fd(n.server.node), goes_on);
    nodes_send(&n, 4 * MIB);
    stt_ns end = stt_node_now(n.client.node) + STT_S(20);
    ck_assert_int_eq(stt_node_step(n.server.node), STT_OK); /* whatever was there before */
    while (!nodes_have_echo(&n) && stt_node_now(n.client.node) < end) {
        ck_assert_int_eq(stt_node_step(n.client.node), STT_OK);
        nodes_pull(&n.client);
        ck_assert_int_eq(stt_node_step(n.client.node), STT_OK);
        if (!is_told(&ring, stt_node_fd(n.server.node), goes_on))
            continue;
        ck_assert_int_eq(stt_node_step(n.server.node), STT_OK);
        nodes_pull(&n.server);
        ck_assert_int_eq(stt_node_step(n.server.node), STT_OK);
    }
    ck_assert(nodes_have_echo(&n));
    io_uring_queue_exit(&ring);
    nodes_end(&n);
}
END_TEST

SUITE("node_many", TEST(ten_thousand_idle_sessions_take_5_kib_each_and_wake_nobody_case_35),
      TEST(a_thousand_connects_one_after_another_leave_nothing_behind),
      LOOP(one_on_io_uring_and_one_on_plain_calls_understand_each_other, 0, IOS),
      LOOP(its_descriptor_is_enough_for_an_io_uring_of_somebody_elses, 0, 2 * IOS))
