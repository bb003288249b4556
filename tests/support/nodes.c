/* SPDX-License-Identifier: MIT */
#include "tests/support/nodes.h"

#include <check.h>
#include <poll.h>
#include <string.h>

/* -- life -------------------------------------------------------------------------------------- */

static bool open_side(struct nodes_side *s, const struct nodes_setup *setup, bool is_client)
{
    s->config = (struct stt_node_config)STT_NODE_CONFIG_INIT;
    s->config.io = setup->io;
    strcpy(s->config.endpoint.application, "nodes/1");
    s->config.endpoint.accept = is_client ? 0 : STT_ACCEPT(STT_MODE_K);
    ck_assert_int_eq(stt_node_identity(&s->config, NULL), STT_OK);
    if (setup->configure)
        setup->configure(&s->config, is_client);
    int error = stt_node_new_with(&s->node, &s->config, &setup->knobs[is_client]);
    if (error == STT_E_UNSUPPORTED)
        return false;
    ck_assert_msg(error == STT_OK, "a node: %s", stt_error_text(error));
    return true;
}

static void enter(const struct nodes *n, const struct nodes_side *s)
{
    if (n->enter)
        n->enter(s == &n->client);
}

bool nodes_open(struct nodes *n, const struct nodes_setup *setup)
{
    *n = (struct nodes){.enter = setup->enter};
    if (!open_side(&n->server, setup, false))
        return false;
    ck_assert(open_side(&n->client, setup, true));
    enter(n, &n->server);
    int error = stt_node_listen(n->server.node, setup->at, &n->at);
    ck_assert_msg(error == STT_OK, "listening at %s: %s", setup->at, stt_error_text(error));
    stt_address_text(&n->at, n->at_text);
    return true;
}

bool nodes_begin(struct nodes *n, enum stt_io io, const char *at,
                 void (*configure)(struct stt_node_config *config, bool is_client))
{
    return nodes_open(n, &(struct nodes_setup){.io = io, .at = at, .configure = configure});
}

void nodes_end(struct nodes *n)
{
    stt_node_free(n->client.node);
    stt_node_free(n->server.node);
}

/* -- bytes ------------------------------------------------------------------------------------- */

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)((offset * 0x9e3779b97f4a7c15u) >> 56);
}

static void write_more(struct nodes_side *s)
{
    struct stt_endpoint *ep = stt_node_endpoint(s->node);
    void *room;
    size_t len;
    while (s->written < s->to_write && !stt_stream_reserve(ep, s->stream, &room, &len)) {
        uint8_t *bytes = room;
        len = len < s->to_write - s->written ? len : (size_t)(s->to_write - s->written);
        for (size_t i = 0; i < len; i++)
            bytes[i] = byte_at(s->written + i);
        ck_assert_int_eq(stt_stream_commit(ep, stt_node_now(s->node), s->stream, len), STT_OK);
        s->written += len;
    }
    if (s->stream && s->written == s->to_write && !s->has_finished && !s->stays_open &&
        (!s->echoes || s->has_read_all))
        s->has_finished = stt_stream_finish(ep, stt_node_now(s->node), s->stream) == STT_OK;
}

/* Checked once: an assertion for each byte takes its time. */
static bool is_right(const struct stt_part *part, uint64_t offset)
{
    for (size_t i = 0; i < part->len; i++)
        if (part->data[i] != byte_at(offset + i))
            return false;
    return true;
}

static void read_more(struct nodes_side *s)
{
    struct stt_endpoint *ep = stt_node_endpoint(s->node);
    struct stt_part parts[4];
    struct stt_stream_info info;
    for (size_t n; (n = stt_stream_peek(ep, s->stream, parts, 4)) > 0;) {
        size_t len = 0;
        for (size_t i = 0; i < n; i++) {
            ck_assert(is_right(&parts[i], s->read + len));
            len += parts[i].len;
        }
        ck_assert_int_eq(stt_stream_consume(ep, stt_node_now(s->node), s->stream, len), STT_OK);
        s->read += len;
    }
    stt_stream_consume(ep, stt_node_now(s->node), s->stream, 0);
    if (stt_stream_info(ep, s->stream, &info) == STT_OK && info.is_read_to_end)
        s->has_read_all = true;
    if (s->echoes)
        s->to_write = s->read;
}

bool nodes_pull(struct nodes_side *s)
{
    struct stt_event e;
    struct stt_stream_event t;
    const uint64_t written = s->written;
    const bool had_finished = s->has_finished;
    bool any = false;
    while (stt_node_event(s->node, &e)) {
        any = true;
        s->events[e.type]++;
        s->last = e;
        if (e.type == STT_EVENT_CONNECTED || e.type == STT_EVENT_ACCEPTED)
            s->session = e.session;
    }
    while (stt_endpoint_stream_event(stt_node_endpoint(s->node), &t)) {
        any = true;
        if (t.what & STT_STREAM_OPENED)
            s->stream = t.stream;
        if (t.what & STT_STREAM_READABLE && t.stream == s->stream)
            read_more(s);
    }
    write_more(s);
    return any || s->written != written || s->has_finished != had_finished;
}

/* -- going on ---------------------------------------------------------------------------------- */

static bool step(const struct nodes *n, struct nodes_side *s)
{
    bool any = false, again = true;
    enter(n, s);
    while (again) {
        ck_assert_int_eq(stt_node_step(s->node), STT_OK);
        again = nodes_pull(s);
        any |= again;
    }
    return any;
}

static int shorter_ms(const struct nodes *n)
{
    stt_ns a = stt_node_timeout_ns(n->client.node), b = stt_node_timeout_ns(n->server.node);
    stt_ns least = a < b ? a : b;
    return least >= STT_S(1) ? 1000 : (int)((least + 999999) / 1000000);
}

bool nodes_step(struct nodes *n)
{
    bool any = step(n, &n->client);
    return step(n, &n->server) || any;
}

void nodes_turn_all(struct nodes *n, unsigned pairs, int most_ms)
{
    struct pollfd fds[2 * NODES_PAIRS_MAX];
    int wait_ms = most_ms;
    ck_assert_uint_le(pairs, NODES_PAIRS_MAX);
    for (unsigned i = 0; i < pairs; i++) {
        if (nodes_step(&n[i]))
            wait_ms = 0; /* perhaps it is what somebody waits for */
        fds[2 * i] = (struct pollfd){stt_node_fd(n[i].client.node), POLLIN, 0};
        fds[2 * i + 1] = (struct pollfd){stt_node_fd(n[i].server.node), POLLIN, 0};
    }
    for (unsigned i = 0; i < pairs; i++) {
        int ms = shorter_ms(&n[i]);
        wait_ms = ms < wait_ms ? ms : wait_ms;
        n[i].polls += wait_ms > 0;
    }
    (void)!poll(fds, 2 * pairs, wait_ms);
}

void nodes_turn(struct nodes *n)
{
    nodes_turn_all(n, 1, 1000);
}

bool nodes_until(struct nodes *n, bool (*reached)(const struct nodes *n), stt_ns within_ns)
{
    stt_ns until = stt_node_now(n->client.node) + within_ns;
    while (!reached(n) && stt_node_now(n->client.node) < until)
        nodes_turn(n);
    return reached(n);
}

struct stt_session_stats nodes_stats(const struct nodes_side *s)
{
    struct stt_session_stats stats;
    ck_assert_int_eq(
        stt_session_stats(stt_node_endpoint(s->node), stt_node_now(s->node), s->session, &stats),
        STT_OK);
    return stats;
}

struct stt_session_info nodes_info(const struct nodes_side *s)
{
    struct stt_session_info info;
    ck_assert_int_eq(stt_session_info(stt_node_endpoint(s->node), s->session, &info), STT_OK);
    return info;
}

struct stt_driver_stats nodes_driver_stats(const struct nodes_side *s)
{
    struct stt_driver_stats stats;
    stt_driver_stats(s->node->driver, &stats);
    return stats;
}

bool nodes_are_connected(const struct nodes *n)
{
    return n->client.events[STT_EVENT_CONNECTED] && n->server.events[STT_EVENT_ACCEPTED];
}

bool nodes_have_all(const struct nodes *n)
{
    return n->server.has_read_all && n->server.read == n->client.to_write;
}

bool nodes_have_echo(const struct nodes *n)
{
    return nodes_have_all(n) && n->client.has_read_all && n->client.read == n->client.to_write;
}

bool nodes_are_closed(const struct nodes *n)
{
    return n->client.events[STT_EVENT_CLOSED] && n->server.events[STT_EVENT_CLOSED];
}

void nodes_connect_begin(struct nodes *n, const char *to)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    connect.mode = STT_MODE_K;
    connect.peer = n->server.config.endpoint.identity.peer_id;
    connect.has_peer = true;
    enter(n, &n->client);
    int error = stt_node_connect(n->client.node, &connect, to ? to : n->at_text, NULL);
    ck_assert_msg(error == STT_OK, "connecting to %s: %s", to ? to : n->at_text,
                  stt_error_text(error));
}

void nodes_connect(struct nodes *n, const char *to)
{
    nodes_connect_begin(n, to);
    ck_assert_msg(nodes_until(n, nodes_are_connected, STT_S(10)), "no session with %s within 10 s",
                  to ? to : n->at_text);
}

void nodes_send(struct nodes *n, uint64_t bytes)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    ck_assert_int_eq(stt_stream_open(stt_node_endpoint(n->client.node),
                                     stt_node_now(n->client.node), n->client.session, &options,
                                     &n->client.stream),
                     STT_OK);
    n->client.to_write = bytes;
    write_more(&n->client);
}
