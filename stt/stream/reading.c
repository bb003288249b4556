/* SPDX-License-Identifier: MIT
 * reading: what the host does with the peer's direction of a stream: it looks at what has arrived
 * in place, and consumes. Spec 05, "Receiving", "Messages". */
#include "stt/session/engine.h"

#include <assert.h>

size_t stt_stream_peek(struct stt_endpoint *ep, stt_handle stream, struct stt_part *parts,
                       size_t max)
{
    const struct stt_stream *t = stt_stream_find(ep, stream);
    struct bytes b[16];
    size_t n = t ? stt_recvq_peek(&t->receive, b, max < 16 ? max : 16) : 0;
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct stt_part){b[i].data, b[i].len};
    return n;
}

/* The reader's progress frees flow control, and perhaps ends the direction. */
static void on_consumed(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t, uint64_t len)
{
    stt_stream_on_consumed(ep, now, t, len);
    if (stt_recvq_is_all_here(&t->receive) && !stt_recvq_available(&t->receive)) {
        t->is_read_out = true;
        stt_stream_end_if_over(ep, t);
    }
}

int stt_stream_consume(struct stt_endpoint *ep, stt_ns now, stt_handle stream, size_t len)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    if (!t)
        return STT_E_STALE;
    if (len > stt_recvq_available(&t->receive))
        return STT_E_ARGUMENT;
    stt_recvq_consume(&t->receive, len);
    on_consumed(ep, now, t, len);
    return STT_OK;
}

int stt_stream_read(struct stt_endpoint *ep, stt_ns now, stt_handle stream, void *data, size_t room,
                    size_t *read)
{
    struct stt_part parts[4];
    size_t n;
    *read = 0;
    if (!stt_stream_find(ep, stream))
        return STT_E_STALE;
    while (*read < room && (n = stt_stream_peek(ep, stream, parts, 4))) {
        size_t taken = 0;
        for (size_t i = 0; i < n && *read < room; i++) {
            size_t len = parts[i].len < room - *read ? parts[i].len : room - *read;
            memcpy((uint8_t *)data + *read, parts[i].data, len);
            *read += len;
            taken += len;
        }
        int error = stt_stream_consume(ep, now, stream, taken);
        assert(!error);
    }
    if (!*read) /* perhaps this is the end */
        on_consumed(ep, now, stt_stream_find(ep, stream), 0);
    return STT_OK;
}

int stt_stream_stop(struct stt_endpoint *ep, stt_ns now, stt_handle stream, uint64_t code)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    if (!t)
        return STT_E_STALE;
    if (t->is_stopped || t->is_read_out || t->was_reset)
        return STT_E_STATE;
    t->is_stopped = true;
    t->stop_code = code;
    uint64_t before = t->receive.consumed;
    stt_recvq_stop(&t->receive);
    stt_stream_on_consumed(ep, now, t, t->receive.consumed - before);
    stt_stream_owe(ep, t, STT_STREAM_OWES_STOP);
    stt_stream_end_if_over(ep, t);
    return STT_OK;
}

/* -- messages ---- */

/* STT_E_AGAIN: none is here. The reader's place is part of the stream only while one is taken. */
int stt_stream_read_message(struct stt_endpoint *ep, stt_ns now, stt_handle stream, void *data,
                            size_t room, struct stt_message_read *message)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    struct bytes parts[16];
    *message = (struct stt_message_read){.len = 0};
    if (!t)
        return STT_E_STALE;
    if (!t->has_messages)
        return STT_E_STATE;
    struct stt_messages_input input = {
        .parts = parts, .n = stt_recvq_peek(&t->receive, parts, 16), .end = t->receive.end};
    struct stt_messages_view view = stt_messages_next(&t->reader, &input);
    if (view.what == STT_MESSAGES_END) {
        on_consumed(ep, now, t, 0);
        return STT_E_AGAIN;
    }
    if (view.what == STT_MESSAGES_CUT) {
        stt_session_fail(ep, now, t->session, STT_CLOSE_FINAL_OFFSET, 0);
        return STT_E_STATE;
    }
    if (view.what != STT_MESSAGES_PART)
        return STT_E_AGAIN;
    size_t skip = view.header, want = view.len < room ? (size_t)view.len : room;
    for (size_t i = 0; i < input.n && message->len < want; i++) {
        size_t from = skip < parts[i].len ? skip : parts[i].len;
        size_t len = parts[i].len - from;
        len = len < want - message->len ? len : want - message->len;
        if (len)
            memcpy((uint8_t *)data + message->len, parts[i].data + from, len);
        message->len += len;
        skip -= from;
    }
    message->is_whole = message->len == view.left;
    uint64_t moved = stt_messages_take(&t->reader, &view, message->len);
    if (!moved)
        return STT_E_AGAIN;
    stt_recvq_consume(&t->receive, moved);
    on_consumed(ep, now, t, moved);
    return STT_OK;
}
