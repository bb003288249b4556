/* SPDX-License-Identifier: MIT
 * writing: what the host does with its own direction of a stream. Nothing here blocks: what finds
 * no room is not taken, and the host hears when there is room again. Spec 05, "Sending". */
#include "stt/session/engine.h"

enum { RESERVED_PARTS_MAX = 64 };

/* New bytes may go: now, or when they have company. */
static void on_written(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t)
{
    bool waits = !t->no_delay && !t->is_flushed && !t->send.is_finished &&
                 t->send.queued - t->send.sent < STT_DATAGRAM_BYTES_MIN;
    if (waits)
        stt_stream_await_company(ep, now, t);
    else
        stt_stream_schedule(ep, now, t);
}

/* Not all was taken: the host hears when its ring has room again, or the pool something to give. */
static void want_room(struct stt_endpoint *ep, struct stt_stream *t)
{
    if (t->send.queued - t->send.acked >= ep->config.send_ring_bytes / 2)
        t->wants_room = true;
    else if (t->pending)
        t->pending = (uint8_t)(t->pending | STT_STREAM_WRITABLE); /* the host is called anyhow */
    else if (!stt_list_is_linked(&t->events))
        stt_list_push_back(&ep->thirsty, &t->events);
    ep->thirsty_at = ep->chunks.chunks.in_use;
}

static int check_writable(const struct stt_stream *t)
{
    if (!t)
        return STT_E_STALE;
    if (t->is_finished || t->is_reset || t->session->state != STT_SESSION_OPEN)
        return STT_E_STATE;
    return STT_OK;
}

int stt_stream_write(struct stt_endpoint *ep, stt_ns now, stt_handle stream, const void *data,
                     size_t len, size_t *written)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    int error = check_writable(t);
    *written = 0;
    if (error)
        return error;
    if (t->has_messages) {
        error = stt_stream_write_message(ep, now, stream, data, len, 0);
        *written = error ? 0 : len;
        return error;
    }
    *written = stt_sendq_write(&t->send, bytes_of(data, len), ep->config.send_ring_bytes);
    if (*written < len)
        want_room(ep, t);
    on_written(ep, now, t);
    return STT_OK;
}

int stt_stream_write_message(struct stt_endpoint *ep, stt_ns now, stt_handle stream,
                             const void *data, size_t len, stt_ns deadline_ns)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    int error = check_writable(t);
    uint8_t head[STT_MESSAGES_HEADER_BYTES_MAX];
    if (error)
        return error;
    if (!t->has_messages)
        return STT_E_STATE;
    size_t head_len = stt_messages_header(head, len), whole = head_len + len;
    if (whole > ep->config.send_ring_bytes)
        return STT_E_ARGUMENT;
    uint64_t before = t->send.queued;
    size_t written =
        stt_sendq_write(&t->send, bytes_of(head, head_len), ep->config.send_ring_bytes);
    if (written == head_len)
        written += stt_sendq_write(&t->send, bytes_of(data, len), ep->config.send_ring_bytes);
    if (written < whole) { /* a message goes whole or not at all */
        stt_sendq_take_back(&t->send, before);
        want_room(ep, t);
        return STT_E_AGAIN;
    }
    stt_late_on_written(ep, t);
    if (deadline_ns)
        stt_late_add(ep, t, (struct stt_range){before, t->send.queued}, now + deadline_ns);
    on_written(ep, now, t);
    return STT_OK;
}

int stt_stream_reserve(struct stt_endpoint *ep, stt_handle stream, void **data, size_t *len)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    int error = check_writable(t);
    if (error)
        return error;
    if (t->has_messages)
        return STT_E_STATE;
    *data = stt_sendq_reserve(&t->send, ep->config.send_ring_bytes, len);
    if (!*data)
        want_room(ep, t);
    return *data ? STT_OK : STT_E_AGAIN;
}

size_t stt_stream_reserve_parts(struct stt_endpoint *ep, stt_handle stream, struct stt_room *parts,
                                size_t max)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    struct stt_sendq_room rooms[RESERVED_PARTS_MAX];
    if (check_writable(t) || t->has_messages)
        return 0;
    max = max < RESERVED_PARTS_MAX ? max : RESERVED_PARTS_MAX;
    size_t n = stt_sendq_reserve_parts(&t->send, ep->config.send_ring_bytes, rooms, max);
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct stt_room){rooms[i].data, rooms[i].len};
    if (!n)
        want_room(ep, t);
    return n;
}

int stt_stream_commit(struct stt_endpoint *ep, stt_ns now, stt_handle stream, size_t len)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    int error = check_writable(t);
    if (error)
        return error;
    if (t->has_messages)
        return STT_E_STATE;
    if (!stt_sendq_may_commit(&t->send, ep->config.send_ring_bytes, len))
        return STT_E_ARGUMENT;
    stt_sendq_commit(&t->send, len);
    on_written(ep, now, t);
    return STT_OK;
}

int stt_stream_flush(struct stt_endpoint *ep, stt_ns now, stt_handle stream)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    if (!t)
        return STT_E_STALE;
    t->is_flushed = true;
    stt_stream_schedule(ep, now, t);
    return STT_OK;
}

int stt_stream_finish(struct stt_endpoint *ep, stt_ns now, stt_handle stream)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    int error = check_writable(t);
    if (error)
        return error;
    t->is_finished = true;
    stt_sendq_finish(&t->send);
    stt_tracing_stream(ep, now, t, STT_STREAM_STATE_WRITTEN);
    stt_stream_schedule(ep, now, t);
    return STT_OK;
}

int stt_stream_reset(struct stt_endpoint *ep, stt_ns now, stt_handle stream, uint64_t code)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    if (!t)
        return STT_E_STALE;
    if (t->is_reset || stt_stream_is_sent_out(t) || t->session->state != STT_SESSION_OPEN)
        return STT_E_STATE;
    stt_stream_give_up(ep, t, code);
    stt_tracing_stream(ep, now, t, STT_STREAM_STATE_RESET);
    return STT_OK;
}
