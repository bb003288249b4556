/* SPDX-License-Identifier: MIT
 * control: messages out of a queue into the stream, as it has room, and out of the stream one by
 * one. Must not know what they mean. Spec 10, "Jobs". */
#include "tools/sttcat/control.h"

#include <stdlib.h>
#include <string.h>

enum { QUEUE_BYTES_MAX = 16 << 20 };

void control_begin(struct control *c, struct stt_endpoint *ep)
{
    *c = (struct control){.ep = ep};
}

void control_end(struct control *c)
{
    free(c->queue);
    c->queue = NULL;
}

int control_open(struct control *c, stt_ns now, stt_handle session)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    options.messages = true;
    options.urgency = 1;
    options.no_delay = true;
    return stt_stream_open(c->ep, now, session, &options, &c->stream);
}

/* -- sending ------------------------------------------------------------------------------------
 */

static bool make_room(struct control *c, size_t len)
{
    if (c->queue_at > 0) {
        memmove(c->queue, c->queue + c->queue_at, c->queue_len - c->queue_at);
        c->queue_len -= c->queue_at;
        c->queue_at = 0;
    }
    if (c->queue_len + len <= c->queue_room)
        return true;
    size_t room = (c->queue_room ? c->queue_room : 4096) * 2 + len;
    uint8_t *queue = c->queue_len + len <= QUEUE_BYTES_MAX ? realloc(c->queue, room) : NULL;
    if (!queue)
        return false;
    c->queue = queue;
    c->queue_room = room;
    return true;
}

bool control_send(struct control *c, const struct wire_message *m)
{
    uint8_t bytes[WIRE_MESSAGE_MAX];
    size_t len = wire_encode(m, bytes, sizeof bytes);
    if (len == 0 || !make_room(c, len + 2))
        return false;
    c->queue[c->queue_len] = (uint8_t)(len >> 8);
    c->queue[c->queue_len + 1] = (uint8_t)len;
    memcpy(c->queue + c->queue_len + 2, bytes, len);
    c->queue_len += len + 2;
    return true;
}

void control_finish(struct control *c)
{
    c->is_last = true;
}

size_t control_queued_bytes(const struct control *c)
{
    return c->queue_len - c->queue_at;
}

bool control_flush(struct control *c, stt_ns now)
{
    bool has_moved = false;
    while (c->stream && c->queue_at < c->queue_len) {
        const uint8_t *at = c->queue + c->queue_at;
        size_t len = (size_t)at[0] << 8 | at[1], written;
        if (stt_stream_write(c->ep, now, c->stream, at + 2, len, &written))
            break; /* WRITABLE follows */
        c->queue_at += len + 2;
        has_moved = true;
    }
    if (has_moved)
        (void)stt_stream_flush(c->ep, now, c->stream);
    if (c->is_last && !c->has_finished && c->queue_at == c->queue_len) {
        (void)stt_stream_finish(c->ep, now, c->stream);
        c->has_finished = true;
    }
    return has_moved;
}

/* -- reading ------------------------------------------------------------------------------------
 */

enum control_read control_read(struct control *c, stt_ns now, struct wire_message *m)
{
    struct stt_message_read read;
    while (stt_stream_read_message(c->ep, now, c->stream, c->partial + c->partial_len,
                                   sizeof c->partial - c->partial_len, &read) == STT_OK) {
        c->partial_len += read.len;
        if (read.skipped || c->partial_len > WIRE_MESSAGE_MAX)
            return CONTROL_BROKEN;
        if (!read.is_whole)
            continue;
        struct bytes bytes = {c->partial, c->partial_len};
        c->partial_len = 0;
        return wire_decode(m, bytes) ? CONTROL_MESSAGE : CONTROL_BROKEN;
    }
    return CONTROL_NOTHING;
}

bool control_has_ended(const struct control *c)
{
    struct stt_stream_info info;
    return stt_stream_info(c->ep, c->stream, &info) == STT_OK && info.is_read_to_end;
}
