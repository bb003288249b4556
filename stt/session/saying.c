/* SPDX-License-Identifier: MIT
 * saying: which frames go into a packet: what the session owes, what its streams owe, and their
 * data. What is remembered of them is a piece each. Spec 02, "Frames"; spec 05, "Packing". */
#include "stt/session/saying.h"

#include <assert.h>

/* -- what may be said ---- */

/* In W nobody says more than who he is until he knows that it was heard (spec 04, "Identify"). */
uint32_t stt_saying_allowed(const struct stt_session *s)
{
    uint32_t always = STT_OWES_PING | STT_OWES_ACK | STT_OWES_CLOSE;
    if (s->state == STT_SESSION_CLOSING || s->state == STT_SESSION_DRAINING)
        return stt_session_last_words(s);
    if (s->state == STT_SESSION_IDENTIFY || (s->mode == STT_MODE_W && !s->identity_sent_acked))
        return always | STT_OWES_IDENTITY;
    return s->state == STT_SESSION_OPEN ? UINT32_MAX : 0;
}

bool stt_saying_may_ask(const struct stt_session *s)
{
    return stt_saying_allowed(s) == UINT32_MAX;
}

bool stt_saying_has_stream_frames(const struct stt_session *s)
{
    return s->streams && !s->holds_data &&
           (stt_scheduler_next(&s->streams->scheduler) || !stt_list_is_empty(&s->streams->owed));
}

/* -- frames
 * ------------------------------------------------------------------------------------------- */

struct stt_piece stt_saying_piece(uint32_t owes)
{
    return (struct stt_piece){.stream = STT_NO_STREAM, .owes = owes};
}

bool stt_saying_has_ack(const struct stt_session *s)
{
    return s->acks.received.n && ((s->owed & STT_OWES_ACK) || s->acks.unacked);
}

void stt_saying_ack(struct stt_session *s, stt_ns now, struct stt_draft *d)
{
    struct wr w = stt_packing_frame(d->packing);
    if (!stt_saying_has_ack(s))
        return;
    d->acked =
        stt_acks_encode(&s->acks, now, s->streams ? stt_ecn_counts(&s->streams->ecn) : NULL, &w);
    if (!d->acked)
        return;
    stt_packing_add_frame(d->packing, &w, NULL, false);
    d->said |= STT_OWES_ACK;
}

static bool say_identity(struct stt_endpoint *ep, struct stt_session *s, struct wr *w)
{
    const struct stt_identity *own = &ep->secrets->identity;
    struct frame_identity f;
    memcpy(f.peer_id, own->peer_id.bytes, sizeof f.peer_id);
    return stt_identity_sign(f.signature, own, "stt1 identity",
                             KDF_PARTS(KDF_U8(s->is_initiator ? 0 : 1), BYTES(s->h))) &&
           stt_frame_identity_encode(w, &f);
}

static bool say_new_id(struct stt_session *s, int place, struct wr *w)
{
    struct frame_new_id f;
    return !stt_session_ids_new(&s->ids, place, &f) || stt_frame_new_id_encode(w, &f);
}

static bool say_retire_id(struct stt_session *s, int place, struct wr *w)
{
    struct frame_retire_id f;
    return !stt_session_ids_retire(&s->ids, place, &f) || stt_frame_retire_id_encode(w, &f);
}

static bool say_close(struct stt_session *s, struct wr *w)
{
    bool draining = s->state == STT_SESSION_DRAINING;
    const struct stt_session_end *e = &s->end;
    struct frame_close f = {.type = STT_FRAME_CLOSE};
    if (!draining) {
        f.type = e->application ? STT_FRAME_CLOSE_APPLICATION : STT_FRAME_CLOSE;
        f.code = e->code;
        f.frame_type = e->application ? 0 : e->frame_type;
        f.reason = bytes_of(e->text, e->text_len);
    }
    if (stt_frame_close_encode(w, &f))
        return true;
    f.reason = BYTES_NONE; /* the code without the words */
    return stt_frame_close_encode(w, &f);
}

/* The limit has risen since that was to be said. */
static bool is_free_again(const struct stt_streams *x, uint32_t bit)
{
    return (bit == STT_OWES_DATA_BLOCKED && x->send_limit != x->blocked_at) ||
           (bit == STT_OWES_STREAMS_BLOCKED && !x->is_refused);
}

/* The session's own limits. A newer value is as good as a lost one. */
static bool say_limit(struct stt_session *s, uint32_t bit, struct wr *w)
{
    struct stt_streams *x = s->streams;
    struct frame_limit f = {.type = STT_FRAME_MAX_DATA};
    if (is_free_again(x, bit))
        return true;
    switch (bit) {
    case STT_OWES_MAX_DATA:
        f.limit = stt_window_announce(&x->window);
        x->is_awaited = false;
        break;
    case STT_OWES_MAX_STREAMS:
        f.type = STT_FRAME_MAX_STREAMS;
        f.limit = stt_allowance_tell(&x->allowance, x->theirs.base);
        break;
    case STT_OWES_DATA_BLOCKED:
        f.type = STT_FRAME_DATA_BLOCKED;
        f.limit = x->send_limit;
        break;
    default:
        f.type = STT_FRAME_STREAMS_BLOCKED;
        f.limit = x->peer_allows;
    }
    return stt_frame_limit_encode(w, &f);
}

/* One bit of what is owed. */
static bool say(struct stt_endpoint *ep, struct stt_session *s, uint32_t bit, struct wr *w)
{
    switch (bit) {
    case STT_OWES_PING:
        return stt_frame_ping_encode(w);
    case STT_OWES_IDENTITY:
        return say_identity(ep, s, w);
    case STT_OWES_CLOSE:
        return say_close(s, w);
    case STT_OWES_REKEY:
        return stt_rekeying_say(s, w);
    default:
        break;
    }
    if (bit & STT_OWES_LIMITS)
        return say_limit(s, bit, w);
    int place = __builtin_ctz(bit);
    return place < 16 ? say_new_id(s, place - 8, w) : say_retire_id(s, place - 16, w);
}

void stt_saying_owed(struct stt_endpoint *ep, struct stt_session *s, struct stt_draft *d,
                     uint32_t allowed)
{
    uint32_t left = s->owed & stt_saying_allowed(s) & allowed & ~(uint32_t)STT_OWES_ACK;
    uint32_t again = 0; /* what is said again if it is lost: one piece for all of it */
    for (; left; left &= left - 1) {
        uint32_t bit = left & -left;
        struct wr w = stt_packing_frame(d->packing);
        if (!say(ep, s, bit, &w))
            break; /* full: with the next packet */
        d->said |= bit;
        if (wr_len(&w) && bit != STT_OWES_CLOSE)
            again |= bit;
        stt_packing_add_frame(d->packing, &w, NULL, wr_len(&w) && bit != STT_OWES_CLOSE);
    }
    struct stt_piece piece = stt_saying_piece(again);
    if (again)
        stt_packing_add_piece(d->packing, &piece);
}

/* -- frames of streams ---------------------------------------------------------------------------
 */

static bool say_of_stream(struct stt_stream *t, uint32_t bit, struct wr *w)
{
    switch (bit) {
    case STT_STREAM_OWES_RESET:
        return stt_frame_reset_encode(w, &(struct frame_reset){.stream = t->id,
                                                               .code = t->reset_code,
                                                               .final_offset = t->send.sent});
    case STT_STREAM_OWES_STOP:
        return stt_frame_stop_encode(w,
                                     &(struct frame_stop){.stream = t->id, .code = t->stop_code});
    case STT_STREAM_OWES_LIMIT:
        t->is_awaited = false;
        return stt_frame_stream_limit_encode(
            w, &(struct frame_stream_limit){.type = STT_FRAME_MAX_STREAM_DATA,
                                            .stream = t->id,
                                            .limit = stt_window_announce(&t->window)});
    case STT_STREAM_OWES_OPEN:
        return stt_frame_stream_header_encode(
            w, &(struct frame_stream){.stream = t->id, .has_length = true});
    default:
        return stt_frame_stream_limit_encode(
            w, &(struct frame_stream_limit){
                   .type = STT_FRAME_STREAM_DATA_BLOCKED, .stream = t->id, .limit = t->send_limit});
    }
}

/* One frame for each range that was given up. */
static bool say_skips(struct stt_stream *t, struct stt_draft *d)
{
    const struct stt_skip *skip;
    while (t->late && (skip = stt_skips_owed(&t->late->skips))) {
        uint64_t from = skip->range.from, len = skip->range.to - from;
        struct wr w = stt_packing_frame(d->packing);
        if (!stt_frame_skip_encode(
                &w, &(struct frame_skip){.stream = t->id, .offset = from, .length = len}))
            return false;
        stt_packing_add_frame(d->packing, &w,
                              &(struct stt_piece){.stream = t->slot,
                                                  .owes = STT_STREAM_OWES_SKIP,
                                                  .offset = from | STT_LATE_MARK},
                              true);
        stt_skips_on_said(&t->late->skips, from);
    }
    t->owes &= (uint8_t)~STT_STREAM_OWES_SKIP;
    return true;
}

static bool say_stream_owed(struct stt_stream *t, struct stt_draft *d)
{
    for (uint32_t left = t->owes & ~(uint32_t)STT_STREAM_OWES_SKIP; left; left &= left - 1) {
        uint32_t bit = left & -left;
        struct wr w = stt_packing_frame(d->packing);
        struct stt_piece piece = {.stream = t->slot, .owes = bit};
        if (bit == STT_STREAM_OWES_BLOCKED && !t->blocked_said) {
            t->owes &= (uint8_t)~bit; /* the limit has risen since */
            continue;
        }
        if (!say_of_stream(t, bit, &w))
            return false;
        stt_packing_add_frame(d->packing, &w, &piece, true);
        t->owes &= (uint8_t)~bit;
    }
    return !(t->owes & STT_STREAM_OWES_SKIP) || say_skips(t, d);
}

void stt_saying_streams_owed(struct stt_session *s, struct stt_draft *d)
{
    while (!stt_list_is_empty(&s->streams->owed)) {
        struct stt_stream *t = STT_LIST_ENTRY(s->streams->owed.next, struct stt_stream, owed);
        if (!say_stream_owed(t, d))
            return;
        stt_list_remove(&t->owed);
    }
}

/* How long a frame may be whose data is not in the arena of heads; 0: none may. */
static size_t data_room(const struct stt_packing *p, const struct wr *head)
{
    size_t left = stt_packing_left(p);
    return wr_left(head) < STT_PACKING_FRAME_HEAD && wr_left(head) < left ? 0 : left;
}

/* It has nothing more to send, or may not: its own limit holds it back, or that of the session. */
static void end_turns(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t, uint64_t credit)
{
    stt_scheduler_remove(&t->session->streams->scheduler, &t->schedule);
    if (t->late && t->late->stuck <= t->send.sent)
        stt_late_look_soon(now, t); /* its turn has come */
    else if (t->send.queued > t->send.sent)
        stt_stream_on_blocked(ep, now, t, credit);
}

/* What is too late by now is not begun. */
static void foresee(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t)
{
    if (t->late && !stt_sendq_has_lost(&t->send))
        stt_late_foresee(ep, now, t);
}

/* One frame of the stream whose turn it is. False: nothing fits, or nothing may be sent. */
static bool say_stream_data(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                            struct stt_stream *t, struct stt_packing *p)
{
    struct stt_streams *x = s->streams;
    foresee(ep, now, t);
    struct wr w = stt_packing_frame(p);
    size_t left = data_room(p, &w), head = stt_frame_stream_header_size(t->id, t->send.sent + 1);
    uint64_t credit = t->send.sent + (x->send_limit - x->sent);
    uint64_t limit = stt_stream_limit(t), sent = t->send.sent;
    size_t room = left > head + 2 ? left - head : 0;
    limit = limit < credit ? limit : credit;
    struct stt_sendq_piece piece;
    if (!room)
        return false;
    uint32_t turn = stt_scheduler_turn(&t->schedule);
    room = room < turn ? room : turn;
    if (!stt_sendq_next(&t->send, limit, room < left - head ? room : left - head, &piece)) {
        end_turns(ep, now, t, credit);
        return true;
    }
    struct frame_stream f = {.stream = t->id, .offset = piece.offset, .fin = piece.fin};
    f.data.len = piece.len;
    size_t rest = left - stt_frame_stream_header_size(t->id, piece.offset) - piece.len;
    f.has_length = rest >= stt_varint_size(piece.len);
    bool fits = f.has_length || !rest || stt_frame_padding_encode(&w, rest); /* to end with it */
    fits = fits && stt_frame_stream_header_encode(&w, &f);
    assert(fits);
    size_t max;
    struct bytes *parts = stt_packing_data(p, &w, &max);
    size_t n = stt_sendq_parts(&t->send, piece.offset, piece.len, parts, max);
    stt_packing_add_data(p, n, piece.len,
                         &(struct stt_piece){.offset = piece.offset,
                                             .stream = t->slot,
                                             .len = (uint16_t)piece.len,
                                             .fin = piece.fin});
    x->sent += t->send.sent - sent;
    if (piece.is_repeated) {
        t->bytes_retransmitted += piece.len;
        x->bytes_retransmitted += piece.len;
    }
    stt_scheduler_on_sent(&x->scheduler, &t->schedule, piece.len, now);
    if (stt_sendq_has(&t->send, stt_stream_limit(t)))
        return true;
    t->is_flushed = false;
    end_turns(ep, now, t, UINT64_MAX);
    return true;
}

/* The stream whose turn it is, if new bytes are all that it has to say. */
static struct stt_stream *running(const struct stt_session *s)
{
    const struct stt_streams *x = s->streams;
    struct stt_schedule *e = stt_scheduler_next(&x->scheduler);
    if (!e || (x->datagrams && e == &x->datagrams->schedule))
        return NULL;
    struct stt_stream *t = STT_LIST_ENTRY(e, struct stt_stream, schedule);
    return t->late || !stt_sendq_runs(&t->send) ? NULL : t;
}

/* Where its run ends: before what flow control or its turn does not let go, and before the last
 * byte, after which there is more to do. */
static uint64_t end_of_run(const struct stt_streams *x, const struct stt_stream *t)
{
    uint64_t sent = t->send.sent, limit = stt_stream_limit(t);
    uint64_t last = limit < t->send.queued ? limit : t->send.queued;
    uint64_t least = x->send_limit - x->sent;
    uint32_t turn = stt_scheduler_turn(&t->schedule);
    least = least < turn ? least : turn;
    return last <= sent ? sent : least < last - 1 - sent ? sent + least : last - 1;
}

size_t stt_saying_run(stt_ns now, struct stt_session *s, struct stt_draft *d, size_t n, size_t room)
{
    struct stt_streams *x = s->streams;
    struct stt_stream *t = running(s);
    if (!t || !t->send.sent)
        return 0;
    struct stt_packing_run run = {
        .chunks = &t->send.chunks, .from = t->send.sent, .stream = t->slot, .room = room};
    run.head = stt_frame_stream_head(t->id, run.from);
    size_t len = room - run.head.len;
    uint64_t end = end_of_run(x, t), most = run.head.last_offset - 1;
    most = most < run.from ? 0 : (most - run.from) / len + 1;
    n = n < most ? n : most;
    n = n < (end - run.from) / len ? n : (end - run.from) / len;
    n = stt_packing_add_run(d->packing, &run, n);
    if (!n)
        return 0;
    x->sent += n * len;
    stt_sendq_run(&t->send, run.from + n * len);
    stt_scheduler_on_sent(&x->scheduler, &t->schedule, (uint32_t)(n * len), now);
    return n;
}

/* How much of the room is left in front of it, so that it ends with the packet; 0 where its length
 * is told. False: it does not fit. */
static bool fit_datagram(size_t len, size_t left, bool *has_length, size_t *padding)
{
    *has_length = 1 + stt_varint_size(len) + len <= left;
    *padding = *has_length ? 0 : left - 1 - len;
    return *has_length || 1 + len <= left;
}

static bool next_datagram(const struct stt_datagram_traffic *x, const struct stt_draft *d,
                          struct stt_datagrams_view *view)
{
    if (!d->n_datagrams)
        return stt_datagrams_first(&x->out, view);
    *view = d->datagram;
    return stt_datagrams_next(&x->out, view);
}

/* One DATAGRAM frame. The bytes stay in the queue until they are sealed. */
static bool say_datagram(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                         struct stt_draft *d)
{
    struct stt_datagram_traffic *x = s->streams->datagrams;
    struct wr w = stt_packing_frame(d->packing);
    struct stt_datagrams_view view;
    size_t padding, max;
    struct frame_datagram f;
    if (!next_datagram(x, d, &view)) {
        stt_scheduler_remove(&s->streams->scheduler, &x->schedule);
        return true;
    }
    if (!fit_datagram(view.len, data_room(d->packing, &w), &f.has_length, &padding)) {
        bool never = !d->n_datagrams && stt_packing_left(d->packing) == d->packing->room;
        if (never) { /* the path has become too narrow for it */
            stt_datagrams_drop(&x->out);
            stt_session_datagram_unsent(ep, s, view.number, 1);
            stt_tracing_datagrams(ep, now, s, STT_DATAGRAM_TOO_LARGE, 1, view.len);
        }
        return never;
    }
    f.data = bytes_of(NULL, view.len);
    bool fits = !padding || stt_frame_padding_encode(&w, padding);
    fits = fits && stt_frame_datagram_header_encode(&w, &f);
    assert(fits);
    struct bytes *parts = stt_packing_data(d->packing, &w, &max);
    memcpy(parts, view.parts, view.n_parts * sizeof *parts);
    stt_packing_add_data(
        d->packing, view.n_parts, view.len,
        &(struct stt_piece){.stream = x->wants_fates ? STT_DATAGRAM_PIECES : STT_NO_STREAM,
                            .offset = x->wants_fates ? view.number : 0});
    d->datagram = view;
    d->n_datagrams++;
    x->sent++;
    stt_scheduler_on_sent(&s->streams->scheduler, &x->schedule, (uint32_t)view.len, now);
    return true;
}

bool stt_saying_has_another(const struct stt_session *s, const struct stt_draft *d)
{
    struct stt_datagrams_view view;
    return d->n_datagrams && next_datagram(s->streams->datagrams, d, &view) &&
           1 + stt_varint_size(view.len) + view.len <= stt_packing_len(d->packing, 0);
}

void stt_saying_on_sealed(struct stt_session *s, struct stt_draft *d)
{
    struct stt_datagram_traffic *x = s->streams ? s->streams->datagrams : NULL;
    if (!d->n_datagrams)
        return;
    for (; d->n_datagrams; d->n_datagrams--)
        stt_datagrams_pop(&x->out);
    if (!x->out.n)
        stt_scheduler_remove(&s->streams->scheduler, &x->schedule);
}

/* A frame of whoever has the turn. */
static bool say_turn(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                     struct stt_schedule *e, struct stt_draft *d)
{
    if (s->streams->datagrams && e == &s->streams->datagrams->schedule)
        return say_datagram(ep, now, s, d);
    return say_stream_data(ep, now, s, STT_LIST_ENTRY(e, struct stt_stream, schedule), d->packing);
}

void stt_saying_data(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                     struct stt_draft *d)
{
    struct stt_schedule *e;
    while ((e = stt_scheduler_next(&s->streams->scheduler)) && say_turn(ep, now, s, e, d))
        ;
}
