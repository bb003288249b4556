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
    size_t n = t && !t->has_messages ? stt_recvq_peek(&t->receive, b, max < 16 ? max : 16) : 0;
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct stt_part){b[i].data, b[i].len};
    return n;
}

/* What is left was given up, by one side or the other: nothing more is read. */
static bool is_given_up(const struct stt_stream *t)
{
    return t->was_reset || t->is_stopped;
}

/* The reader's progress frees flow control, and perhaps ends the direction. */
static void on_consumed(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t, uint64_t len)
{
    stt_throughput_add(&t->session->streams->consumed, now, len);
    stt_stream_on_consumed(ep, now, t, len);
    if (!is_given_up(t) && stt_recvq_is_all_here(&t->receive) &&
        !stt_recvq_available(&t->receive)) {
        if (!t->is_read_out)
            stt_tracing_stream(ep, now, t, STT_STREAM_STATE_READ);
        t->is_read_out = true;
        stt_stream_end_if_over(ep, t);
    }
}

int stt_stream_consume(struct stt_endpoint *ep, stt_ns now, stt_handle stream, size_t len)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    if (!t)
        return STT_E_STALE;
    if (t->has_messages)
        return STT_E_STATE;
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
    const struct stt_stream *t = stt_stream_find(ep, stream);
    *read = 0;
    if (!t || t->has_messages)
        return t ? STT_E_STATE : STT_E_STALE;
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
    (void)stt_stream_count_gaps(t);
    stt_tracing_stream(ep, now, t, STT_STREAM_STATE_STOP);
    stt_stream_on_consumed(ep, now, t, t->receive.consumed - before);
    stt_stream_owe(ep, t, STT_STREAM_OWES_STOP);
    stt_stream_end_if_over(ep, t);
    return STT_OK;
}

/* -- messages ------------------------------------------------------------------------------------
 */

/* What lies before the reader, from a place on that moves as items are taken. */
struct view {
    struct bytes parts[16];
    struct stt_messages_input input;
    struct stt_messages place; /* a copy: looking changes nothing */
    uint64_t here;             /* bytes that have arrived from the place on */
    size_t room;               /* bytes of messages that are wanted */
    bool is_over;              /* what was here is given up: there is no next item */
};

static void open_view(struct view *v, const struct stt_stream *t)
{
    size_t n = stt_recvq_peek(&t->receive, v->parts, sizeof v->parts / sizeof *v->parts);
    v->input = (struct stt_messages_input){.parts = v->parts, .n = n, .end = t->receive.end};
    v->place = t->reader;
    v->here = stt_recvq_available(&t->receive);
    v->room = SIZE_MAX;
    v->is_over = is_given_up(t);
}

static void advance(struct view *v, uint64_t len)
{
    struct bytes *part = (struct bytes *)v->input.parts;
    v->here -= len;
    for (; v->input.n && len >= part->len; v->input.n--)
        len -= part++->len;
    if (v->input.n)
        *part = bytes_of(part->data + len, part->len - (size_t)len);
    v->input.parts = part;
}

/* The next item: bytes of a message that lie together, or what was given up. False: the peer broke
 * a rule (see *code), or nothing more is here. */
static bool next_item(struct view *v, struct stt_message_part *item, uint64_t *code)
{
    *code = STT_CLOSE_NO_ERROR;
    if (v->is_over)
        return false;
    struct stt_messages_view view = stt_messages_next(&v->place, &v->input);
    *item = (struct stt_message_part){.is_first = view.is_first};
    *code = view.what == STT_MESSAGES_CUT         ? STT_CLOSE_FINAL_OFFSET
            : view.what == STT_MESSAGES_MISPLACED ? STT_CLOSE_STREAM_STATE
                                                  : STT_CLOSE_NO_ERROR;
    if (view.what == STT_MESSAGES_SKIPPED) {
        item->skipped = view.len;
        item->is_cut = !view.is_first;
        return view.len <= v->here;
    }
    if (view.what != STT_MESSAGES_PART || (view.left && !(view.len && v->room)))
        return false;
    advance(v, view.header);
    size_t len = v->input.n ? v->input.parts[0].len : 0;
    len = len < v->room ? len : v->room;
    item->len = view.len < len ? (size_t)view.len : len;
    item->data = v->input.n ? v->input.parts[0].data : (const uint8_t *)"";
    item->is_last = item->len == view.left;
    stt_messages_take(&v->place, &view, item->len);
    advance(v, item->len);
    v->room -= item->len;
    return true;
}

static struct stt_stream *find_messages(struct stt_endpoint *ep, stt_handle stream, int *error)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    *error = !t ? STT_E_STALE : t->has_messages ? STT_OK : STT_E_STATE;
    return *error ? NULL : t;
}

size_t stt_stream_peek_messages(struct stt_endpoint *ep, stt_handle stream,
                                struct stt_message_part *parts, size_t max)
{
    struct view v;
    uint64_t code;
    size_t n = 0;
    int error;
    const struct stt_stream *t = find_messages(ep, stream, &error);
    if (!t)
        return 0;
    open_view(&v, t);
    while (n < max && next_item(&v, &parts[n], &code))
        if (parts[n++].skipped)
            break;
    return n;
}

/* The reader's place follows the view's, by the same steps. */
static void take_to(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t, uint64_t len)
{
    stt_recvq_consume(&t->receive, len);
    on_consumed(ep, now, t, len);
}

static void take_skipped(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t)
{
    struct stt_messages_input nothing = {.n = 0};
    struct stt_messages_view view = stt_messages_next(&t->reader, &nothing);
    assert(view.what == STT_MESSAGES_SKIPPED);
    uint64_t len = stt_messages_take(&t->reader, &view, 0);
    stt_recvq_consume(&t->receive, len);
    stt_stream_on_consumed(ep, now, t, len); /* the host has taken none of it */
    if (stt_ranges_is_empty(t->reader.skipped))
        stt_stream_free_skipped(ep, t);
}

/* Up to where the view has come. */
static void take_view(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t,
                      const struct view *v)
{
    uint64_t len = v->place.at - t->reader.at;
    t->reader.begin = v->place.begin;
    t->reader.at = v->place.at;
    t->reader.end = v->place.end;
    take_to(ep, now, t, len); /* of nothing: perhaps this is the end */
}

int stt_stream_consume_messages(struct stt_endpoint *ep, stt_ns now, stt_handle stream, size_t n)
{
    struct stt_message_part item = {.len = 0};
    struct view v;
    uint64_t code;
    int error;
    struct stt_stream *t = find_messages(ep, stream, &error);
    if (!t)
        return error;
    open_view(&v, t);
    for (size_t i = 0; i < n; i++)
        if (item.skipped || !next_item(&v, &item, &code))
            return STT_E_ARGUMENT;
    take_view(ep, now, t, &v);
    if (item.skipped)
        take_skipped(ep, now, t);
    return STT_OK;
}

/* There is nothing to read: perhaps because this is the end, or because the peer broke a rule. */
static int on_nothing(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t, uint64_t code)
{
    if (code != STT_CLOSE_NO_ERROR) {
        if (t->session->state == STT_SESSION_OPEN) /* else nobody would hear of it */
            stt_session_fail(ep, now, t->session, code, 0);
        return STT_E_STATE;
    }
    on_consumed(ep, now, t, 0);
    return STT_E_AGAIN;
}

int stt_stream_read_message(struct stt_endpoint *ep, stt_ns now, stt_handle stream, void *data,
                            size_t room, struct stt_message_read *message)
{
    struct stt_message_part item;
    struct view v;
    uint64_t code;
    int error;
    struct stt_stream *t = find_messages(ep, stream, &error);
    *message = (struct stt_message_read){.len = 0};
    if (!t)
        return error;
    open_view(&v, t);
    v.room = room;
    if (!next_item(&v, &item, &code))
        return on_nothing(ep, now, t, code);
    if (item.skipped) {
        message->skipped = item.skipped;
        message->is_cut = item.is_cut;
        take_skipped(ep, now, t);
        return STT_OK;
    }
    do {
        if (item.len)
            memcpy((uint8_t *)data + message->len, item.data, item.len);
        message->len += item.len;
    } while (!item.is_last && next_item(&v, &item, &code) && !item.skipped);
    message->is_whole = item.is_last;
    take_view(ep, now, t, &v);
    return STT_OK;
}
