/* SPDX-License-Identifier: MIT
 * A node on real sockets of this machine, by both drivers: what stt/node.h promises. */
#include "tests/support/nodes.h"
#include "tests/support/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static const enum stt_io ios[] = {STT_IO_URING, STT_IO_MMSG};
enum { IOS = 2 };

/* -- addresses --------------------------------------------------------------------------------- */

START_TEST(addresses_are_read_as_they_are_written)
{
    static const char *const good[] = {"127.0.0.1:4433", "[::1]:4433",        "0.0.0.0:1",
                                       "[::]:65535",     "[2001:db8::17]:80", "[fe80::1%1]:9"};
    static const char *const bad[] = {"",           ":",           "127.0.0.1",      "127.0.0.1:",
                                      "::1:4433",   "[::1]4433",   "[::1:4433",      "[::1]:65536",
                                      "1.2.3:4",    "1.2.3.4:x",   "[1.2.3.4]x:4",   "65536",
                                      "a.name:443", "[]:4433",     "[::1%]:4433",    "-1",
                                      "1.2.3.4:-1", "1.2.3.4: 80", "[fe80::1%nil]:9"};
    struct stt_address a;
    char text[STT_ADDRESS_TEXT_ROOM];
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        ck_assert_msg(stt_address_parse(&a, good[i]) == STT_OK, "%s", good[i]);
        stt_address_text(&a, text);
        ck_assert_str_eq(text, good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(stt_address_parse(&a, bad[i]) == STT_E_FORMAT, "%s", bad[i]);
    ck_assert_int_eq(stt_address_parse(&a, "4433"), STT_OK);
    stt_address_text(&a, text);
    ck_assert_str_eq(text, "[::]:4433");
}
END_TEST

static const struct {
    const char *at, *to; /* to: behind it, the port; NULL: where the server says it is */
} places[] = {
    {"127.0.0.1:0", NULL}, {"[::1]:0", NULL},  {"0", "127.0.0.1"},           {"0", "[::1]"},
    {"0", "127.3.2.1"},    {"0", "localhost"}, {"127.0.0.1:0", "localhost"},
};
enum { PLACES = sizeof places / sizeof places[0] };

START_TEST(a_mebibyte_goes_there_and_back_wherever_it_listens)
{
    struct nodes n;
    char to[80];
    const char *host = places[_i / IOS].to;
    if (!nodes_begin(&n, ios[_i % IOS], places[_i / IOS].at, NULL))
        return;
    n.server.echoes = true;
    snprintf(to, sizeof to, "%s:%u", host ? host : "", n.at.port);
    nodes_connect(&n, host ? to : NULL);
    nodes_send(&n, 1 << 20);
    ck_assert(nodes_until(&n, nodes_have_echo, STT_S(20)));
    ck_assert_uint_eq(n.client.events[STT_EVENT_CLOSED] + n.server.events[STT_EVENT_CLOSED], 0);
    nodes_end(&n);
}
END_TEST

START_TEST(a_name_that_nobody_has_is_told_with_its_reason)
{
    struct nodes n;
    struct stt_connect connect = STT_CONNECT_INIT;
    stt_handle session = 17;
    if (!nodes_begin(&n, ios[_i], "127.0.0.1:0", NULL))
        return;
    connect.mode = STT_MODE_K;
    connect.peer = n.server.config.endpoint.identity.peer_id;
    connect.has_peer = true;
    connect.user = &n;
    ck_assert_int_eq(stt_node_connect(n.client.node, &connect, "no.such.name.invalid:1", &session),
                     STT_OK);
    ck_assert_uint_eq(session, 0);
    while (!n.client.events[STT_EVENT_CLOSED])
        nodes_turn(&n);
    ck_assert_int_eq(n.client.last.reason, STT_REASON_NO_ADDRESS);
    ck_assert_uint_eq(n.client.last.session, 0);
    ck_assert_ptr_eq(n.client.last.user, &n);
    ck_assert_str_ne(n.client.last.text, "");
    nodes_end(&n);
}
END_TEST

START_TEST(where_one_listens_another_is_refused_and_strange_addresses_are_named)
{
    struct nodes n;
    if (!nodes_begin(&n, ios[_i], "127.0.0.1:0", NULL))
        return;
    ck_assert_int_eq(stt_node_listen(n.client.node, n.at_text, NULL), STT_E_EXISTS);
    ck_assert_int_eq(stt_node_listen(n.client.node, "192.0.2.1:0", NULL), STT_E_NOT_FOUND);
    ck_assert_int_eq(stt_node_listen(n.client.node, "nonsense", NULL), STT_E_FORMAT);
    nodes_connect(&n, NULL); /* and nothing has changed */
    nodes_end(&n);
}
END_TEST

/* -- life -------------------------------------------------------------------------------------- */

START_TEST(a_close_is_told_at_the_other_end)
{
    struct nodes n;
    if (!nodes_begin(&n, ios[_i], "127.0.0.1:0", NULL))
        return;
    nodes_connect(&n, NULL);
    stt_session_close(stt_node_endpoint(n.client.node), stt_node_now(n.client.node),
                      n.client.session, 7, "enough");
    ck_assert(nodes_until(&n, nodes_are_closed, STT_S(10)));
    ck_assert_int_eq(n.server.last.reason, STT_REASON_PEER_CLOSE);
    ck_assert_uint_eq(n.server.last.code, 7);
    ck_assert_str_eq(n.server.last.text, "enough");
    nodes_end(&n);
}
END_TEST

START_TEST(nobody_spins_where_nothing_happens)
{
    struct nodes n;
    if (!nodes_begin(&n, ios[_i], "127.0.0.1:0", NULL))
        return;
    nodes_connect(&n, NULL);
    stt_ns until = stt_node_now(n.client.node) + STT_MS(300);
    uint64_t turns = 0;
    while (stt_node_now(n.client.node) < until) {
        nodes_turn(&n);
        turns++;
    }
    ck_assert_uint_le(turns, 60);
    nodes_end(&n);
}
END_TEST

/* -- loops of others --------------------------------------------------------------------------- */

static int epoll_of(const struct nodes *n, uint32_t events)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = {.events = events};
    ck_assert_int_ge(epoll, 0);
    ck_assert_int_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, stt_node_fd(n->server.node), &e), 0);
    return epoll;
}

/* The server sits in an epoll of somebody else's and trusts it alone: its timeout is never looked
 * at. The client is stepped all the time. */
static void serve_in_epoll(struct nodes *n, uint32_t events)
{
    int epoll = epoll_of(n, events);
    struct epoll_event e;
    stt_ns until = stt_node_now(n->client.node) + STT_S(20);
    ck_assert_int_eq(stt_node_step(n->server.node), STT_OK); /* whatever was there before */
    while (!nodes_have_echo(n) && stt_node_now(n->client.node) < until) {
        ck_assert_int_eq(stt_node_step(n->client.node), STT_OK);
        nodes_pull(&n->client);
        ck_assert_int_eq(stt_node_step(n->client.node), STT_OK);
        if (epoll_wait(epoll, &e, 1, 0) == 1) {
            ck_assert_int_eq(stt_node_step(n->server.node), STT_OK);
            nodes_pull(&n->server);
            ck_assert_int_eq(stt_node_step(n->server.node), STT_OK);
        }
    }
    close(epoll);
}

START_TEST(its_descriptor_is_enough_for_an_epoll_level_or_edge)
{
    struct nodes n;
    if (!nodes_begin(&n, ios[_i % IOS], "127.0.0.1:0", NULL))
        return;
    n.server.echoes = true;
    nodes_connect(&n, NULL);
    nodes_send(&n, 4 << 20);
    serve_in_epoll(&n, _i / IOS ? EPOLLIN | EPOLLET : EPOLLIN);
    ck_assert(nodes_have_echo(&n));
    nodes_end(&n);
}
END_TEST

/* -- waiting, and other threads ---------------------------------------------------------------- */

static void *serve(void *ctx)
{
    struct nodes_side *s = ctx;
    while (stt_node_wait(s->node, STT_NEVER) == STT_OK)
        nodes_pull(s);
    return NULL;
}

static void count_call(struct stt_node *node, void *ctx)
{
    (void)node;
    ++*(unsigned *)ctx;
}

/* The client's side alone: connects, asks, and waits for the answer. */
static bool client_turn(struct stt_node *node, void *ctx)
{
    struct nodes *n = ctx;
    nodes_pull(&n->client);
    if (n->client.session && !n->client.stream) {
        nodes_send(n, 4 << 20);
        ck_assert_int_eq(stt_node_step(node), STT_OK);
    }
    return !(n->client.has_read_all && n->client.read == n->client.to_write);
}

static void say(struct nodes_side *s, const void *bytes, size_t len)
{
    struct stt_endpoint *ep = stt_node_endpoint(s->node);
    size_t written;
    ck_assert_int_eq(stt_stream_write(ep, stt_node_now(s->node), s->stream, bytes, len, &written),
                     STT_OK);
    ck_assert_uint_eq(written, len);
    ck_assert_int_eq(stt_stream_flush(ep, stt_node_now(s->node), s->stream), STT_OK);
}

static void hear(struct nodes_side *s, size_t len)
{
    struct stt_endpoint *ep = stt_node_endpoint(s->node);
    struct stt_stream_event e;
    struct stt_event event;
    struct stt_part part;
    for (size_t heard = 0; heard < len;) {
        ck_assert_int_eq(stt_node_wait(s->node, STT_MS(1)), STT_OK);
        while (stt_node_event(s->node, &event))
            ;
        while (stt_endpoint_stream_event(ep, &e)) {
            s->stream = e.stream;
            while (stt_stream_peek(ep, e.stream, &part, 1)) {
                heard += part.len;
                ck_assert_int_eq(stt_stream_consume(ep, stt_node_now(s->node), e.stream, part.len),
                                 STT_OK);
            }
        }
    }
}

/* Where the machine lets both be quick: they are told apart by time, so once is enough. */
START_TEST(an_answer_goes_in_one_packet_with_its_ack)
{
    static const uint8_t word[64] = {1};
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    struct nodes n;
    unsigned in_one = 0;
    if (!nodes_begin(&n, ios[_i], "127.0.0.1:0", NULL))
        return;
    nodes_connect(&n, NULL);
    ck_assert_int_eq(stt_stream_open(stt_node_endpoint(n.client.node), stt_node_now(n.client.node),
                                     n.client.session, &options, &n.client.stream),
                     STT_OK);
    for (unsigned round = 0; round < 1000 && in_one < 20; round++) {
        say(&n.client, word, sizeof word);
        ck_assert_int_eq(stt_node_wait(n.client.node, 0), STT_OK);
        uint64_t before = nodes_driver_stats(&n.server).datagrams_sent;
        hear(&n.server, sizeof word);
        say(&n.server, word, sizeof word);
        ck_assert_int_eq(stt_node_wait(n.server.node, 0), STT_OK);
        hear(&n.client, sizeof word);
        in_one += nodes_driver_stats(&n.server).datagrams_sent == before + 1;
    }
    ck_assert_uint_ge(in_one, 20);
    nodes_end(&n);
}
END_TEST

/* It was made in this thread, and belongs to that of its first step. */
START_TEST(a_server_in_its_own_thread_answers_hears_posts_and_stops)
{
    struct nodes n;
    pthread_t thread;
    unsigned calls = 0;
    if (!nodes_begin(&n, ios[_i], "127.0.0.1:0", NULL))
        return;
    n.server.echoes = true;
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, &n.server), 0);
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(stt_node_post(n.server.node, count_call, &calls), STT_OK);
    nodes_connect_begin(&n, NULL);
    ck_assert_int_eq(stt_node_run(n.client.node, client_turn, &n), STT_OK);
    stt_node_stop(n.server.node);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(calls, 100);
    ck_assert_int_eq(stt_node_wait(n.client.node, 0), STT_OK);
    nodes_end(&n);
}
END_TEST

SUITE("node", TEST(addresses_are_read_as_they_are_written),
      LOOP(a_mebibyte_goes_there_and_back_wherever_it_listens, 0, IOS *PLACES),
      LOOP(a_name_that_nobody_has_is_told_with_its_reason, 0, IOS),
      LOOP(where_one_listens_another_is_refused_and_strange_addresses_are_named, 0, IOS),
      LOOP(a_close_is_told_at_the_other_end, 0, IOS),
      LOOP(nobody_spins_where_nothing_happens, 0, IOS),
      LOOP(an_answer_goes_in_one_packet_with_its_ack, 0, IOS),
      LOOP(its_descriptor_is_enough_for_an_epoll_level_or_edge, 0, 2 * IOS),
      LOOP(a_server_in_its_own_thread_answers_hears_posts_and_stops, 0, IOS))
