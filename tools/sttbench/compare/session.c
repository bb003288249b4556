/* SPDX-License-Identifier: MIT
 * session: STT between two processes: a node each, one session, one stream. The sender copies into
 * the stream's ring, the receiver reads where the bytes lie. */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/sim.h"
#include "stt/stats.h"
#include "stt/streams.h"
#include "tools/sttbench/compare/run.h"
#include "tools/sttbench/shared/pair.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

enum { FILLED_BYTES = 16 << 20 };

struct side {
    struct run *r;
    enum run_side which;
    struct stt_node *node;
    struct stt_endpoint *ep;
    stt_handle stream, session;
    uint64_t bytes;
    bool is_finishing, is_over;
    XXH3_state_t *hash;
};

/* False, and why. */
static bool must(struct side *s, int error, const char *what)
{
    return !error || run_refuse(s->r, s->which, "%s: %s", what, stt_error_text(error));
}

static bool make(struct side *s, enum run_side which, struct run *r, struct stt_node_config *config)
{
    const struct run_setup *setup = &r->setup;
    *s = (struct side){.r = r, .which = which, .hash = XXH3_createState()};
    *config = (struct stt_node_config)STT_NODE_CONFIG_INIT;
    XXH3_64bits_reset(s->hash);
    if (!must(s, stt_config_preset(&config->endpoint, setup->preset), "the preset"))
        return false;
    strcpy(config->endpoint.application, "sttbench-compare/1");
    config->endpoint.accept = STT_ACCEPT(STT_MODE_K);
    config->endpoint.packet_bytes = config->endpoint.packet_bytes_max = setup->packet_bytes;
    if (setup->ring_bytes)
        config->endpoint.send_ring_bytes = setup->ring_bytes;
    config->io = setup->io;
    config->spin_ns = setup->spin_ns;
    config->endpoint.suites[0] = strcmp(setup->suite, "null") == 0
                                     ? stt_sim_null_suite()
                                     : stt_aead_by_name(setup->suite, stt_cpu_detect());
    config->endpoint.n_suites = 1;
    if (!must(s, stt_node_identity(config, NULL), "an identity") ||
        !must(s, stt_node_new(&s->node, config), "a node"))
        return false;
    s->ep = stt_node_endpoint(s->node);
    return true;
}

static bool end(struct side *s, bool is_good)
{
    s->r->ends[s->which].hash = XXH3_64bits_digest(s->hash);
    s->r->ends[s->which].bytes = s->bytes;
    stt_node_free(s->node);
    XXH3_freeState(s->hash);
    return is_good;
}

/* -- the receiver ------------------------------------------------------------------------------ */

static bool read_all(struct side *s, stt_handle stream)
{
    struct stt_part parts[16];
    for (size_t n; (n = stt_stream_peek(s->ep, stream, parts, 16)) > 0;) {
        size_t len = 0;
        for (size_t i = 0; i < n; i++) {
            if (s->r->setup.hashes)
                XXH3_64bits_update(s->hash, parts[i].data, parts[i].len);
            len += parts[i].len;
        }
        s->bytes += len;
        if (!must(s, stt_stream_consume(s->ep, stt_node_now(s->node), stream, len), "reading"))
            return false;
        run_goes_on(s->r, RUN_RECEIVER, s->bytes);
    }
    (void)stt_stream_consume(s->ep, stt_node_now(s->node), stream, 0);
    return true;
}

static bool receive(struct side *s)
{
    struct stt_event event;
    struct stt_stream_event e;
    while (!s->is_over) {
        if (!must(s, stt_node_wait(s->node, STT_NEVER), "waiting"))
            return false;
        while (stt_node_event(s->node, &event))
            s->is_over = s->is_over || event.type == STT_EVENT_CLOSED;
        while (stt_endpoint_stream_event(s->ep, &e))
            if (e.what & STT_STREAM_READABLE && !read_all(s, e.stream))
                return false;
    }
    return true;
}

bool session_receive(void *memory)
{
    struct run *r = memory;
    struct side s;
    struct stt_node_config config;
    struct stt_address at;
    char where[64];
    snprintf(where, sizeof where, "%s:0", r->setup.address);
    if (!make(&s, RUN_RECEIVER, r, &config) ||
        !must(&s, stt_node_listen(s.node, where, &at), "listening"))
        return false;
    memcpy(r->peer, config.endpoint.identity.peer_id.bytes, sizeof r->peer);
    pair_tell(&r->port, at.port);
    return end(&s, receive(&s));
}

/* -- the sender -------------------------------------------------------------------------------- */

static bool finish(struct side *s)
{
    s->is_finishing = true;
    return must(s, stt_stream_finish(s->ep, stt_node_now(s->node), s->stream), "finishing");
}

/* Once around the ring it is filled; after that, an application that makes its bytes in place is
 * taken to have made these. */
static uint64_t fresh_bytes(const struct side *s)
{
    return s->r->setup.hashes ? UINT64_MAX : FILLED_BYTES + 2 * s->r->setup.ring_bytes;
}

static bool write_some(struct side *s)
{
    void *room;
    size_t len;
    if (s->is_finishing)
        return true;
    while (run_goes_on(s->r, RUN_SENDER, s->bytes)) {
        if (stt_stream_reserve(s->ep, s->stream, &room, &len))
            return true;
        len = len < RUN_PIECE_BYTES ? len : RUN_PIECE_BYTES;
        if (s->r->setup.copies || s->bytes < fresh_bytes(s))
            memcpy(room, run_piece(s->bytes), len);
        if (s->r->setup.hashes)
            XXH3_64bits_update(s->hash, room, len);
        if (!must(s, stt_stream_commit(s->ep, stt_node_now(s->node), s->stream, len), "writing"))
            return false;
        s->bytes += len;
    }
    return finish(s);
}

static bool connect_to_receiver(struct side *s)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    struct stt_event event;
    char to[64];
    connect.mode = STT_MODE_K;
    connect.has_peer = true;
    snprintf(to, sizeof to, "%s:%u", s->r->setup.address, pair_await(&s->r->port));
    memcpy(connect.peer.bytes, s->r->peer, sizeof connect.peer.bytes);
    if (!must(s, stt_node_connect(s->node, &connect, to, NULL), "connecting"))
        return false;
    do
        if (!must(s, stt_node_wait(s->node, STT_S(1)), "waiting"))
            return false;
    while (!stt_node_event(s->node, &event));
    if (event.type != STT_EVENT_CONNECTED)
        return run_refuse(s->r, RUN_SENDER, "%s", stt_reason_text(event.reason));
    s->session = event.session;
    snprintf(s->r->how, sizeof s->r->how, "%s", stt_node_io(s->node));
    return must(s, stt_stream_open(s->ep, stt_node_now(s->node), s->session, &options, &s->stream),
                "opening a stream");
}

/* Until all is acknowledged. */
static bool send_all(struct side *s)
{
    struct stt_event event;
    struct stt_stream_event e;
    run_begin(s->r);
    if (!write_some(s))
        return false;
    while (!s->is_over) {
        if (!must(s, stt_node_wait(s->node, STT_NEVER), "waiting"))
            return false;
        while (stt_node_event(s->node, &event))
            if (event.type == STT_EVENT_CLOSED)
                return run_refuse(s->r, RUN_SENDER, "%s", stt_reason_text(event.reason));
        while (stt_endpoint_stream_event(s->ep, &e)) {
            s->is_over = s->is_over || e.what & STT_STREAM_FINISHED;
            if (e.what & STT_STREAM_WRITABLE && !write_some(s))
                return false;
        }
    }
    return true;
}

static void tell_what_held_it(struct side *s)
{
    struct stt_session_stats stats;
    if (stt_session_stats(s->ep, stt_node_now(s->node), s->session, &stats))
        return;
    uint64_t *at = s->r->held_by_ns;
#define ROW(X, upper, name, words) at[STT_HELD_##upper] = stats.held_by_##name##_ns;
    STT_HELD_BY(ROW, )
#undef ROW
    s->r->packets_lost = stats.packets_lost;
}

bool session_send(void *memory)
{
    struct side s;
    struct stt_node_config config;
    if (!make(&s, RUN_SENDER, memory, &config) || !connect_to_receiver(&s) || !send_all(&s))
        return false;
    tell_what_held_it(&s);
    bool is_closed =
        must(&s, stt_session_close(s.ep, stt_node_now(s.node), s.session, 0, NULL), "closing") &&
        must(&s, stt_node_step(s.node), "closing");
    return end(&s, is_closed);
}
