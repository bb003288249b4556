/* SPDX-License-Identifier: MIT */
#include "tests/support/nodes.h"

#include <check.h>
#include <poll.h>
#include <string.h>

/* -- life -------------------------------------------------------------------------------------- */

static bool open_side(struct nodes_side *s, enum stt_io io, bool is_client,
                      void (*configure)(struct stt_node_config *config, bool is_client))
{
    s->config = (struct stt_node_config)STT_NODE_CONFIG_INIT;
    s->config.io = io;
    strcpy(s->config.endpoint.application, "nodes/1");
    s->config.endpoint.accept = is_client ? 0 : STT_ACCEPT(STT_MODE_K);
    ck_assert_int_eq(stt_node_identity(&s->config, NULL), STT_OK);
    if (configure)
        configure(&s->config, is_client);
    int error = stt_node_new(&s->node, &s->config);
    if (error == STT_E_UNSUPPORTED)
        return false;
    ck_assert_msg(error == STT_OK, "a node: %s", stt_error_text(error));
    return true;
}

bool nodes_begin(struct nodes *n, enum stt_io io, const char *at,
                 void (*configure)(struct stt_node_config *config, bool is_client))
{
    *n = (struct nodes){.polls = 0};
    if (!open_side(&n->server, io, false, configure))
        return false;
    ck_assert(open_side(&n->client, io, true, configure));
    int error = stt_node_listen(n->server.node, at, &n->at);
    ck_assert_msg(error == STT_OK, "listening at %s: %s", at, stt_error_text(error));
    stt_address_text(&n->at, n->at_text);
    return true;
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
    if (s->stream && s->written == s->to_write && !s->has_finished &&
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

void nodes_pull(struct nodes_side *s)
{
    struct stt_event e;
    struct stt_stream_event t;
    while (stt_node_event(s->node, &e)) {
        s->events[e.type]++;
        s->last = e;
        if (e.type == STT_EVENT_CONNECTED || e.type == STT_EVENT_ACCEPTED)
            s->session = e.session;
    }
    while (stt_endpoint_stream_event(stt_node_endpoint(s->node), &t)) {
        if (t.what & STT_STREAM_OPENED)
            s->stream = t.stream;
        if (t.what & STT_STREAM_READABLE && t.stream == s->stream)
            read_more(s);
    }
    write_more(s);
}

/* -- going on ---------------------------------------------------------------------------------- */

static void step(struct nodes_side *s)
{
    ck_assert_int_eq(stt_node_step(s->node), STT_OK);
    nodes_pull(s);
    ck_assert_int_eq(stt_node_step(s->node), STT_OK);
}

static int shorter_ms(struct nodes *n)
{
    stt_ns a = stt_node_timeout_ns(n->client.node), b = stt_node_timeout_ns(n->server.node);
    stt_ns least = a < b ? a : b;
    return least >= STT_S(1) ? 1000 : (int)((least + 999999) / 1000000);
}

void nodes_turn(struct nodes *n)
{
    struct pollfd fds[] = {{stt_node_fd(n->client.node), POLLIN, 0},
                           {stt_node_fd(n->server.node), POLLIN, 0}};
    step(&n->client);
    step(&n->server);
    int wait_ms = shorter_ms(n);
    n->polls += wait_ms > 0;
    (void)!poll(fds, 2, wait_ms);
}

bool nodes_until(struct nodes *n, bool (*reached)(const struct nodes *n), stt_ns within_ns)
{
    stt_ns until = stt_node_now(n->client.node) + within_ns;
    while (!reached(n) && stt_node_now(n->client.node) < until)
        nodes_turn(n);
    return reached(n);
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
