/* SPDX-License-Identifier: MIT
 * bulk: owns one side's node, session and stream. The sender copies its bytes into the stream's
 * ring, the receiver copies them out of it, as most programs do. */
#include "tools/sttbench/cpu/bulk.h"

#include "stt/streams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { PIECE_BYTES = 1 << 18, PIECES_BYTES = 1 << 20 };

struct side {
    struct bulk *bulk;
    struct bulk_end *end;
    struct stt_node *node;
    struct stt_endpoint *ep;
    stt_handle session, stream;
    uint8_t *bytes;
    XXH3_state_t *hash;
    stt_ns began;
    bool is_finishing, is_over;
};

static bool must(struct side *s, int error, const char *what)
{
    return !error || options_refuse(s->end->why, "%s fails: %s", what, stt_error_text(error));
}

static bool make(struct side *s, struct bulk *b, struct bulk_end *end,
                 struct stt_node_config *config)
{
    *s = (struct side){.bulk = b, .end = end, .hash = XXH3_createState()};
    s->bytes = malloc(PIECES_BYTES);
    *config = (struct stt_node_config)STT_NODE_CONFIG_INIT;
    if (!s->bytes || !s->hash || XXH3_64bits_reset(s->hash) != XXH_OK)
        return must(s, STT_E_MEMORY, "taking memory");
    if (!must(s, stt_config_preset(&config->endpoint, b->wish.preset), "the preset"))
        return false;
    strcpy(config->endpoint.application, "sttbench-cpu/1");
    config->endpoint.accept = STT_ACCEPT(STT_MODE_K);
    config->endpoint.packet_bytes = config->endpoint.packet_bytes_max = b->wish.packet_bytes;
    config->endpoint.suites[0] = parts_suite(b->wish.suite);
    config->endpoint.n_suites = 1;
    config->io = b->wish.io;
    if (!must(s, stt_node_identity(config, NULL), "making an identity") ||
        !must(s, stt_node_new(&s->node, config), "making a node"))
        return false;
    s->ep = stt_node_endpoint(s->node);
    snprintf(end->io, sizeof end->io, "%s", stt_node_io(s->node));
    return true;
}

static bool end(struct side *s, bool is_good)
{
    s->end->hash = XXH3_64bits_digest(s->hash);
    stt_node_free(s->node);
    XXH3_freeState(s->hash);
    free(s->bytes);
    return is_good;
}

static void verify(struct side *s, const uint8_t *bytes, size_t len)
{
    if (!s->bulk->wish.verifies)
        return;
    parts_start();
    XXH3_64bits_update(s->hash, bytes, len);
    parts_stop(PART_VERIFY);
}

/* -- the receiver ---------------------------------------------------------------------------- */

static void take(struct side *s, const struct stt_part *part)
{
    for (size_t at = 0, n; at < part->len; at += n) {
        n = part->len - at < PIECE_BYTES ? part->len - at : PIECE_BYTES;
        parts_start();
        memcpy(s->bytes, part->data + at, n);
        parts_stop(PART_COPY);
        verify(s, s->bytes, n);
    }
}

static bool read_all(struct side *s, stt_handle stream)
{
    struct stt_part parts[16];
    if (!s->end->bytes)
        parts_begin();
    for (size_t n; (n = stt_stream_peek(s->ep, stream, parts, 16)) > 0;) {
        size_t len = 0;
        for (size_t i = 0; i < n; i++) {
            take(s, &parts[i]);
            len += parts[i].len;
        }
        s->end->bytes += len;
        if (!must(s, stt_stream_consume(s->ep, stt_node_now(s->node), stream, len), "reading"))
            return false;
    }
    (void)stt_stream_consume(s->ep, stt_node_now(s->node), stream, 0);
    return true;
}

static void on_closed(struct side *s, stt_handle session)
{
    struct stt_session_stats stats;
    parts_end(&s->end->parts);
    if (!stt_session_stats(s->ep, stt_node_now(s->node), session, &stats))
        s->end->packets = stats.packets_received;
    s->is_over = true;
}

static bool receive_all(struct side *s)
{
    struct stt_event event;
    struct stt_stream_event e;
    while (!s->is_over) {
        if (!must(s, stt_node_wait(s->node, STT_NEVER), "waiting"))
            return false;
        while (!s->is_over && stt_node_event(s->node, &event))
            if (event.type == STT_EVENT_CLOSED)
                on_closed(s, event.session);
        while (!s->is_over && stt_endpoint_stream_event(s->ep, &e))
            if (e.what & STT_STREAM_READABLE && !read_all(s, e.stream))
                return false;
    }
    return true;
}

bool bulk_receive(void *memory)
{
    struct bulk *b = memory;
    struct side s;
    struct stt_node_config config;
    struct stt_address at;
    if (!make(&s, b, &b->receiver, &config) ||
        !must(&s, stt_node_listen(s.node, "127.0.0.1:0", &at), "listening"))
        return false;
    b->peer = config.endpoint.identity.peer_id;
    pair_tell(&b->port, at.port);
    return end(&s, receive_all(&s));
}

/* -- the sender ------------------------------------------------------------------------------ */

static bool connect_to_it(struct side *s)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    struct stt_event event;
    char to[32];
    snprintf(to, sizeof to, "127.0.0.1:%u", pair_await(&s->bulk->port));
    connect.mode = STT_MODE_K;
    connect.has_peer = true;
    connect.peer = s->bulk->peer;
    if (!must(s, stt_node_connect(s->node, &connect, to, NULL), "connecting"))
        return false;
    do
        if (!must(s, stt_node_wait(s->node, STT_S(1)), "waiting"))
            return false;
    while (!stt_node_event(s->node, &event));
    if (event.type != STT_EVENT_CONNECTED)
        return options_refuse(s->end->why, "connecting fails: %s", stt_reason_text(event.reason));
    s->session = event.session;
    return must(s, stt_stream_open(s->ep, stt_node_now(s->node), s->session, &options, &s->stream),
                "opening a stream");
}

/* All that there is room for; the pieces differ from packet to packet. */
static bool write_some(struct side *s)
{
    void *room;
    size_t len;
    if (s->is_finishing)
        return true;
    while (stt_node_now(s->node) - s->began < s->bulk->wish.time_ns) {
        if (stt_stream_reserve(s->ep, s->stream, &room, &len))
            return true;
        const uint8_t *piece = s->bytes + s->end->bytes % (PIECES_BYTES - PIECE_BYTES);
        len = len < PIECE_BYTES ? len : PIECE_BYTES;
        parts_start();
        memcpy(room, piece, len);
        parts_stop(PART_COPY);
        verify(s, piece, len);
        if (!must(s, stt_stream_commit(s->ep, stt_node_now(s->node), s->stream, len), "writing"))
            return false;
        s->end->bytes += len;
    }
    s->is_finishing = true;
    return must(s, stt_stream_finish(s->ep, stt_node_now(s->node), s->stream), "finishing");
}

/* Until all is acknowledged. */
static bool send_all(struct side *s)
{
    struct stt_event event;
    struct stt_stream_event e;
    for (size_t i = 0; i < PIECES_BYTES; i++)
        s->bytes[i] = (uint8_t)(i * 251 + i / 1009);
    s->began = stt_node_now(s->node);
    parts_begin();
    if (!write_some(s))
        return false;
    while (!s->is_over) {
        if (!must(s, stt_node_wait(s->node, STT_NEVER), "waiting"))
            return false;
        while (stt_node_event(s->node, &event))
            if (event.type == STT_EVENT_CLOSED)
                return options_refuse(s->end->why, "the session ended: %s",
                                      stt_reason_text(event.reason));
        while (stt_endpoint_stream_event(s->ep, &e)) {
            s->is_over = s->is_over || e.what & STT_STREAM_FINISHED;
            if (e.what & STT_STREAM_WRITABLE && !write_some(s))
                return false;
        }
    }
    parts_end(&s->end->parts);
    return true;
}

bool bulk_send(void *memory)
{
    struct bulk *b = memory;
    struct side s;
    struct stt_node_config config;
    if (!make(&s, b, &b->sender, &config) || !connect_to_it(&s) || !send_all(&s) ||
        !must(&s, stt_session_stats(s.ep, stt_node_now(s.node), s.session, &b->stats), "counting"))
        return false;
    b->sender.packets = b->stats.packets_sent;
    return end(&s, must(&s, stt_session_close(s.ep, stt_node_now(s.node), s.session, 0, NULL),
                        "closing") &&
                       must(&s, stt_node_step(s.node), "closing"));
}
