/* SPDX-License-Identifier: MIT
 * bulk: owns one side's node, session and stream. The sender fills the stream's ring in place, the
 * receiver reads where the bytes lie: neither copies. Must not know what is measured. */
#include "tools/sttbench/shared/bulk.h"

#include "tools/sttbench/shared/pair.h"

bool bulk_make(struct bulk *b, const struct stt_node_config *config)
{
    b->node = ends_node(config);
    return b->node != NULL;
}

void bulk_free(struct bulk *b)
{
    stt_node_free(b->node);
}

static struct stt_endpoint *endpoint(const struct bulk *b)
{
    return stt_node_endpoint(b->node);
}

static bool note_stats(struct bulk *b)
{
    return ends_well(stt_session_stats(endpoint(b), stt_node_now(b->node), b->session, &b->stats),
                     "the session does not count");
}

/* -- the receiver ------------------------------------------------------------------------------ */

static bool read_all(struct bulk *b, stt_handle stream)
{
    struct stt_part parts[16];
    int error = STT_OK;
    for (size_t n; !error && (n = stt_stream_peek(endpoint(b), stream, parts, 16)) > 0;) {
        size_t len = 0;
        for (size_t i = 0; i < n; i++) {
            b->take(b, parts[i].data, parts[i].len);
            len += parts[i].len;
        }
        b->bytes += len;
        error = stt_stream_consume(endpoint(b), stt_node_now(b->node), stream, len);
        if (b->look)
            b->look(b);
    }
    (void)stt_stream_consume(endpoint(b), stt_node_now(b->node), stream, 0); /* its end */
    return ends_well(error, "reading fails");
}

static bool on_receiver_event(struct bulk *b, const struct stt_event *event)
{
    if (event->type != STT_EVENT_CLOSED)
        return true;
    b->session = event->session;
    b->is_over = true;
    return note_stats(b);
}

bool bulk_receive(struct bulk *b, const struct stt_node_config *config,
                  struct ends_meeting *meeting)
{
    struct stt_event event;
    struct stt_stream_event e;
    bool ok = ends_listen(b->node, config, meeting);
    while (ok && !b->is_over) {
        ok = ends_well(stt_node_wait(b->node, STT_NEVER), "the node has ended");
        while (ok && !b->is_over && stt_node_event(b->node, &event))
            ok = on_receiver_event(b, &event);
        while (ok && !b->is_over && stt_endpoint_stream_event(endpoint(b), &e))
            ok = !(e.what & STT_STREAM_READABLE) || read_all(b, e.stream);
    }
    return ok;
}

/* -- the sender -------------------------------------------------------------------------------- */

static bool write_some(struct bulk *b)
{
    void *room;
    size_t len;
    stt_ns now = stt_node_now(b->node);
    while (!b->is_finishing) {
        if (stt_stream_reserve(endpoint(b), b->stream, &room, &len))
            return true;
        len = b->fill(b, room, len);
        b->bytes += len;
        b->is_finishing = len == 0;
        now = stt_node_now(b->node);
        if (len && !ends_well(stt_stream_commit(endpoint(b), now, b->stream, len), "writing fails"))
            return false;
        if (!len)
            return ends_well(stt_stream_finish(endpoint(b), now, b->stream), "finishing fails");
    }
    return true;
}

static bool on_sender_events(struct bulk *b)
{
    struct stt_stream_event e;
    bool ok = true;
    while (ok && stt_endpoint_stream_event(endpoint(b), &e)) {
        b->is_over = b->is_over || e.what & STT_STREAM_FINISHED;
        ok = !(e.what & STT_STREAM_WRITABLE) || write_some(b);
    }
    return ok;
}

static bool open_stream(struct bulk *b)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    return ends_well(
        stt_stream_open(endpoint(b), stt_node_now(b->node), b->session, &options, &b->stream),
        "no stream can be opened");
}

bool bulk_send(struct bulk *b, struct ends_meeting *meeting)
{
    b->session = ends_connect(b->node, meeting);
    bool ok = b->session && open_stream(b) && write_some(b);
    while (ok && !b->is_over)
        ok = ends_wait(b->node) ? on_sender_events(b) : pair_refuse("the session has ended");
    if (!ok || !note_stats(b))
        return false;
    ends_close(b->node, b->session);
    return true;
}
