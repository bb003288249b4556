/* SPDX-License-Identifier: MIT
 * sending: what a session owes becomes packets. It decides what goes into a packet and on which
 * path; how it is sealed is decided in crypto/protect. Spec 04, 06. */
#include "stt/session/engine.h"

#include "stt/stream/packing.h"

#include <assert.h>

/* A peer that never acknowledges makes nothing grow: so many packets without stream data, then ACK
 * and CLOSE alone go on. */
enum { IN_FLIGHT_MAX = 1024 };

/* What is being written: a packet of the train, and what is remembered of it. */
struct draft {
    struct stt_packing *packing;
    uint32_t said;  /* STT_OWES_ bits in it */
    uint64_t acked; /* largest number that its ACK names, plus one; 0: no ACK */
};

/* -- what may be said
 * ------------------------------------------------------------------------------- */

/* In W nobody says more than who he is until he knows that it was heard (spec 04, "Identify"). */
static uint32_t sayable(const struct stt_session *s)
{
    uint32_t always = STT_OWES_PING | STT_OWES_ACK | STT_OWES_CLOSE;
    if (s->state == STT_SESSION_CLOSING || s->state == STT_SESSION_DRAINING)
        return stt_session_last_words(s);
    if (s->state == STT_SESSION_IDENTIFY || (s->mode == STT_MODE_W && !s->identity_sent_acked))
        return always | STT_OWES_IDENTITY;
    return s->state == STT_SESSION_OPEN ? UINT32_MAX : 0;
}

static bool has_stream_frames(const struct stt_session *s)
{
    return s->streams &&
           (stt_scheduler_next(&s->streams->scheduler) || !stt_list_is_empty(&s->streams->owed));
}

bool stt_sending_has_more(const struct stt_session *s, stt_ns now)
{
    struct stt_paths_say say;
    (void)now;
    if (s->sends_packet)
        return true;
    if (!s->protect)
        return false;
    if (s->owed & sayable(s))
        return true;
    return sayable(s) == UINT32_MAX && (has_stream_frames(s) || stt_paths_next(&s->paths, &say));
}

/* -- frames
 * ------------------------------------------------------------------------------------------- */

static struct stt_piece piece_of(uint32_t owes)
{
    return (struct stt_piece){.stream = STT_NO_STREAM, .owes = owes};
}

static bool has_ack(const struct stt_session *s)
{
    return s->acks.received.n && ((s->owed & STT_OWES_ACK) || s->acks.unacked);
}

static void say_ack(struct stt_session *s, stt_ns now, struct draft *d)
{
    struct wr w = stt_packing_frame(d->packing);
    if (!has_ack(s))
        return;
    d->acked = stt_acks_encode(&s->acks, now, &w);
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

/* The session's own limits. A newer value is as good as a lost one. */
static bool say_limit(struct stt_session *s, uint32_t bit, struct wr *w)
{
    struct stt_streams *x = s->streams;
    struct frame_limit f = {.type = STT_FRAME_MAX_DATA};
    switch (bit) {
    case STT_OWES_MAX_DATA:
        f.limit = stt_window_announce(&x->window);
        break;
    case STT_OWES_MAX_STREAMS:
        f.type = STT_FRAME_MAX_STREAMS;
        f.limit = x->we_allow = x->we_should_allow;
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
    default:
        break;
    }
    if (bit & STT_OWES_LIMITS)
        return say_limit(s, bit, w);
    int place = __builtin_ctz(bit);
    return place < 16 ? say_new_id(s, place - 8, w) : say_retire_id(s, place - 16, w);
}

static void say_owed(struct stt_endpoint *ep, struct stt_session *s, struct draft *d,
                     uint32_t allowed)
{
    uint32_t left = s->owed & sayable(s) & allowed & ~(uint32_t)STT_OWES_ACK;
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
    struct stt_piece piece = piece_of(again);
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
        return stt_frame_stream_limit_encode(
            w, &(struct frame_stream_limit){.type = STT_FRAME_MAX_STREAM_DATA,
                                            .stream = t->id,
                                            .limit = stt_window_announce(&t->window)});
    default:
        return stt_frame_stream_limit_encode(
            w, &(struct frame_stream_limit){
                   .type = STT_FRAME_STREAM_DATA_BLOCKED, .stream = t->id, .limit = t->send_limit});
    }
}

static bool say_stream_owed(struct stt_stream *t, struct draft *d)
{
    for (uint32_t left = t->owes; left; left &= left - 1) {
        uint32_t bit = left & -left;
        struct wr w = stt_packing_frame(d->packing);
        struct stt_piece piece = {.stream = (uint32_t)t->id, .owes = bit};
        if (!say_of_stream(t, bit, &w))
            return false;
        stt_packing_add_frame(d->packing, &w, &piece, true);
        t->owes &= (uint8_t)~bit;
    }
    return true;
}

static void say_streams_owed(struct stt_session *s, struct draft *d)
{
    while (!stt_list_is_empty(&s->streams->owed)) {
        struct stt_stream *t = STT_LIST_ENTRY(s->streams->owed.next, struct stt_stream, owed);
        if (!say_stream_owed(t, d))
            return;
        stt_list_remove(&t->owed);
    }
}

/* One frame of the stream whose turn it is. False: nothing fits, or nothing may be sent. */
static bool say_stream_data(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                            struct stt_stream *t, struct stt_packing *p)
{
    struct stt_streams *x = s->streams;
    struct wr w = stt_packing_frame(p);
    size_t left = wr_left(&w), head = stt_frame_stream_header_size(t->id, t->send.sent + 1);
    uint64_t credit = t->send.sent + (x->send_limit - x->sent);
    uint64_t limit = t->send_limit < credit ? t->send_limit : credit, sent = t->send.sent;
    size_t room = left > head + 2 ? left - head : 0;
    struct stt_sendq_piece piece;
    if (!room || left > stt_packing_left(p))
        return false;
    room = room < t->schedule.left ? room : t->schedule.left;
    if (!stt_sendq_next(&t->send, limit, room < left - head ? room : left - head, &piece)) {
        stt_scheduler_remove(&x->scheduler, &t->schedule);
        stt_stream_on_blocked(ep, t, credit);
        return true;
    }
    size_t exact = stt_frame_stream_header_size(t->id, piece.offset);
    struct frame_stream f = {.stream = t->id, .offset = piece.offset, .fin = piece.fin};
    f.has_length = exact + piece.len + 2 < left;
    f.data.len = piece.len;
    bool fits = stt_frame_stream_header_encode(&w, &f);
    assert(fits);
    size_t max;
    struct bytes *parts = stt_packing_data(p, &w, &max);
    size_t n = stt_sendq_parts(&t->send, piece.offset, piece.len, parts, max);
    stt_packing_add_data(p, n,
                         &(struct stt_piece){.offset = piece.offset,
                                             .stream = (uint32_t)t->id,
                                             .len = (uint16_t)piece.len,
                                             .fin = piece.fin});
    x->sent += t->send.sent - sent;
    if (piece.is_repeated) {
        t->bytes_retransmitted += piece.len;
        x->bytes_retransmitted += piece.len;
    }
    stt_scheduler_on_sent(&x->scheduler, &t->schedule, piece.len, now);
    if (!stt_sendq_has(&t->send, t->send_limit)) {
        t->is_flushed = false;
        stt_scheduler_remove(&x->scheduler, &t->schedule);
        if (t->send.queued > t->send.sent)
            stt_stream_on_blocked(ep, t, UINT64_MAX);
    }
    return true;
}

static void say_data(struct stt_endpoint *ep, stt_ns now, struct stt_session *s, struct draft *d)
{
    struct stt_schedule *e;
    while ((e = stt_scheduler_next(&s->streams->scheduler)) &&
           say_stream_data(ep, now, s, STT_LIST_ENTRY(e, struct stt_stream, schedule), d->packing))
        ;
}

/* -- packets
 * -------------------------------------------------------------------------------------------- */

static void on_acks_sent(struct stt_session *s, const struct draft *d, uint64_t number,
                         bool elicits)
{
    s->owed &= ~d->said;
    if (!d->acked)
        return;
    stt_acks_on_sent(&s->acks, number, elicits);
    stt_protect_on_ack_sent(s->protect, d->acked - 1);
}

/* What is remembered of the packets of a train. */
static void remember(struct stt_session *s, stt_ns now, const struct stt_packing *p, uint64_t first)
{
    bool was_quiet = !s->loss.flight.n_eliciting, elicits = false;
    for (size_t i = 0; i < p->n_packets; i++) {
        const struct stt_packet_draft *d = &p->packets[i];
        uint16_t bytes = (uint16_t)(d->len + STT_PROTECT_OVERHEAD_BYTES);
        if (d->elicits)
            stt_loss_on_packet(&s->loss, &(struct stt_loss_packet){.number = first + i,
                                                                   .pieces = d->pieces,
                                                                   .n_pieces = d->n_pieces,
                                                                   .bytes = bytes,
                                                                   .flags = STT_PACKET_ELICITS});
        else
            stt_loss_on_quiet_packet(&s->loss, first + i);
        elicits = elicits || d->elicits;
    }
    if (elicits && was_quiet)
        stt_session_set(s, STT_TIMER_STALLED, now + STT_STALLED_PTO * stt_session_pto(s));
}

/* Before the numbers of a key run out, or are worn, the next epoch begins (spec 03, "Key update").
 */
static void update_keys_in_time(stt_ns now, struct stt_session *s)
{
    if (stt_protect_sealable(s->protect) >= STT_KEY_UPDATE_RESERVE ||
        !stt_protect_may_update(s->protect))
        return;
    stt_protect_update(s->protect);
    stt_session_set(s, STT_TIMER_OLD_KEYS, now + STT_OLD_KEYS_PTO * stt_session_pto(s));
}

/* Now and then a number is left out: who acknowledges it did not listen (spec 06). */
static void skip_number(struct stt_session *s)
{
    if (!stt_loss_skips(&s->loss, s->protect->next_number))
        return;
    stt_loss_on_skipped(&s->loss, s->protect->next_number, stt_session_jitter(s, UINT32_MAX));
    s->protect->next_number++;
}

/* Seals what was packed into the train. */
static void seal(struct stt_session *s, const struct stt_packing *p, struct stt_train *train,
                 size_t segment)
{
    struct stt_protect_plain plain[STT_TRAIN_SEGMENTS];
    uint64_t number = s->protect->next_number;
    const uint8_t *id = stt_session_ids_current(&s->ids)->bytes;
    for (size_t i = 0; i < p->n_packets; i++)
        plain[i] = (struct stt_protect_plain){.number = number + i,
                                              .session_id = id,
                                              .parts = p->packets[i].parts,
                                              .parts_len = p->packets[i].n_parts};
    train->segment_bytes = segment;
    train->len = stt_protect_seal(s->protect, plain, p->n_packets,
                                  (struct stt_protect_train){train->data, train->len, segment});
    if (train->len < segment)
        train->segment_bytes = train->len;
    train->ecn = 0;
}

/* Packets that elicit an answer are remembered; without memory for that there are none. */
static bool may_elicit(struct stt_session *s, stt_ns now, size_t n, size_t more)
{
    uint64_t first = s->protect->next_number;
    if (s->loss.flight.n_sent >= IN_FLIGHT_MAX && !has_stream_frames(s))
        return false;
    if (!stt_loss_may_number(&s->loss, first + n) ||
        stt_loss_begin_train(&s->loss, now, 0, (struct stt_range){first, first + n + 1}, more) !=
            STT_OK)
        return false;
    skip_number(s);
    return true;
}

/* After packing: numbers, seal, memory, timers. */
static void send_train(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                       const struct stt_packing *p, struct stt_train *train, size_t segment)
{
    uint64_t first = s->protect->next_number;
    bool elicits = false;
    for (size_t i = 0; i < p->n_packets; i++)
        elicits = elicits || p->packets[i].elicits;
    seal(s, p, train, segment);
    remember(s, now, p, first);
    s->packets_sent += p->n_packets;
    s->bytes_sent += train->len;
    stt_paths_on_sent(&s->paths, &train->path, train->len);
    if (!elicits || s->state > STT_SESSION_OPEN)
        return;
    stt_session_on_activity(ep, now, s);
    if (!s->streams)
        return;
    struct stt_congestion *c = &s->streams->congestion;
    stt_pacer_on_sent(&s->streams->pacer, train->len);
    c->controller->on_sent(c, now, train->len, stt_loss_path(&s->loss)->in_flight_bytes,
                           s->protect->next_number - 1);
}

/* What a path trial wants said, on the path that it is about. */
static bool transmit_for_paths(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                               const struct stt_paths_say *wanted, struct stt_train *train)
{
    struct stt_packing p;
    struct stt_piece nothing = piece_of(0);
    uint8_t token[16];
    stt_packing_init(&p, 0);
    if (!stt_packing_begin(&p, STT_DATAGRAM_BYTES_MIN - STT_PROTECT_OVERHEAD_BYTES) ||
        !stt_endpoint_draw(ep, token, sizeof token))
        return false;
    struct wr w = stt_packing_frame(&p);
    struct frame_path f = {.type = STT_FRAME_PATH_CHALLENGE};
    memcpy(f.token, token, sizeof f.token);
    bool ok = !wanted->challenge || stt_frame_path_encode(&w, &f);
    f.type = STT_FRAME_PATH_RESPONSE;
    memcpy(f.token, wanted->response_token, sizeof f.token);
    ok = ok && (!wanted->response || stt_frame_path_encode(&w, &f));
    if (wanted->pads)
        ok = ok && stt_frame_padding_encode(&w, wr_left(&w));
    stt_packing_add_frame(&p, &w, &nothing, true);
    if (!ok || !stt_packing_end(&p) || !stt_protect_sealable(s->protect) ||
        !may_elicit(s, now, 1, 0))
        return false;
    train->path = wanted->path;
    send_train(ep, now, s, &p, train, STT_DATAGRAM_BYTES_MIN);
    stt_loss_end_train(&s->loss, true);
    stt_paths_on_said(&s->paths, wanted, token);
    return true;
}

/* How many packets with data may go now: by window, pacer, path and room; PTO probes always. */
static size_t data_packets(struct stt_session *s, stt_ns now, size_t room, uint64_t allowance)
{
    struct stt_streams *x = s->streams;
    uint32_t size = s->packet_bytes;
    if (!x || s->probes_left)
        return 1;
    const struct stt_congestion *c = &x->congestion;
    uint64_t in_flight = stt_loss_path(&s->loss)->in_flight_bytes;
    uint64_t bytes = c->window_bytes > in_flight ? c->window_bytes - in_flight : 0;
    size_t paced = stt_pacer_allowance(&x->pacer, now, c->rate_bytes_per_s, size);
    if (bytes >= size && !paced)
        stt_session_set(s, STT_TIMER_PACE, stt_pacer_next(&x->pacer, c->rate_bytes_per_s));
    bytes = bytes < paced ? bytes : paced;
    bytes = bytes < room ? bytes : room;
    bytes = bytes < allowance ? bytes : allowance;
    size_t n = (size_t)(bytes / size);
    return n < STT_TRAIN_SEGMENTS ? n : STT_TRAIN_SEGMENTS;
}

/* Packs up to n packets; the first also takes what is owed. Full ones, but for the last. */
static void pack(struct stt_endpoint *ep, stt_ns now, struct stt_session *s, struct draft *d,
                 size_t n, bool elicits, size_t room)
{
    bool is_open = sayable(s) == UINT32_MAX && s->streams;
    for (size_t i = 0; i == 0 || i < n; i++) {
        if (!stt_packing_begin(d->packing, room))
            return;
        if (i == 0) {
            if (s->state == STT_SESSION_OPEN || s->state == STT_SESSION_IDENTIFY)
                say_ack(s, now, d);
            say_owed(ep, s, d, elicits ? UINT32_MAX : STT_OWES_CLOSE);
            if (elicits && is_open)
                say_streams_owed(s, d);
        }
        if (i < n && elicits && is_open)
            say_data(ep, now, s, d);
        bool is_full = stt_packing_left(d->packing) == 0;
        if (!stt_packing_end(d->packing) || !is_full)
            return;
    }
}

static bool transmit_train(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                           struct stt_train *train)
{
    struct stt_packing packing;
    struct draft d = {.packing = &packing};
    uint64_t allowance = stt_paths_allowance(&s->paths);
    uint64_t sealable = stt_protect_sealable(s->protect);
    size_t size = s->packet_bytes;
    if (allowance < STT_PROTECT_OVERHEAD_BYTES + 1 || !sealable)
        return false;
    if (has_ack(s) && stt_acks_wants_ping(&s->acks))
        s->owed |= STT_OWES_PING; /* in the same packet, so that we hear of the ACK */
    size_t n = data_packets(s, now, train->len, allowance);
    n = n < sealable ? n : (size_t)sealable;
    bool streams = has_stream_frames(s);
    size_t more = streams ? STT_PACKING_MORE : 0;
    uint32_t eliciting = s->owed & sayable(s) & ~(uint32_t)(STT_OWES_ACK | STT_OWES_CLOSE);
    bool elicits = (eliciting || streams) && may_elicit(s, now, n ? n : 1, more);
    size_t segment = allowance < size ? (size_t)allowance : size;
    stt_packing_init(&packing, more);
    pack(ep, now, s, &d, n, elicits, segment - STT_PROTECT_OVERHEAD_BYTES);
    if (!packing.n_packets) {
        s->owed &= ~d.said; /* there was nothing to say any more */
        if (elicits)
            stt_loss_end_train(&s->loss, true);
        return false;
    }
    uint64_t first = s->protect->next_number;
    train->path = *stt_paths_current(&s->paths);
    send_train(ep, now, s, &packing, train, segment);
    if (elicits)
        stt_loss_end_train(&s->loss, !s->streams || !stt_scheduler_next(&s->streams->scheduler));
    on_acks_sent(s, &d, first, packing.packets[0].elicits);
    if (s->probes_left && --s->probes_left && elicits)
        s->owed |= STT_OWES_PING; /* the second probe, if there is nothing better */
    return true;
}

/* The handshake message that is out, or its answer. */
static bool transmit_handshake(struct stt_session *s, struct stt_train *train)
{
    struct stt_handshake *hs = s->handshake;
    s->sends_packet = false;
    if (!hs || train->len < hs->packet_len)
        return false;
    memcpy(train->data, hs->packet, hs->packet_len);
    train->len = train->segment_bytes = hs->packet_len;
    train->path = s->packet_path;
    train->ecn = 0;
    return true;
}

bool stt_sending_is_writable(const struct stt_endpoint *ep, const struct stt_path *path)
{
    return path->carrier < STT_CARRIERS_MAX && ep->carriers[path->carrier].writable;
}

enum stt_sending stt_sending_transmit(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                                      struct stt_train *train)
{
    struct stt_paths_say wanted;
    bool sent;
    bool for_paths = !s->sends_packet && sayable(s) == UINT32_MAX &&
                     stt_paths_next(&s->paths, &wanted) &&
                     stt_sending_is_writable(ep, &wanted.path);
    const struct stt_path *path = s->sends_packet ? &s->packet_path
                                  : for_paths     ? &wanted.path
                                                  : stt_paths_current(&s->paths);
    if (!stt_sending_is_writable(ep, path))
        return STT_SENDING_BLOCKED;
    if (s->sends_packet)
        return transmit_handshake(s, train) ? STT_SENDING_SENT : STT_SENDING_NOTHING;
    if (!s->protect)
        return STT_SENDING_NOTHING;
    size_t room = train->len;
    update_keys_in_time(now, s);
    sent = for_paths && transmit_for_paths(ep, now, s, &wanted, train);
    if (!sent && stt_sending_is_writable(ep, stt_paths_current(&s->paths))) {
        train->len = room;
        sent = transmit_train(ep, now, s, train);
    }
    stt_session_rearm(ep, s);
    return sent ? STT_SENDING_SENT : STT_SENDING_NOTHING;
}

int stt_session_update_keys(struct stt_endpoint *ep, stt_ns now, stt_handle session)
{
    struct stt_session *s;
    int error = stt_endpoint_find_open(ep, now, session, &s);
    if (error)
        return error;
    if (!stt_protect_may_update(s->protect))
        return STT_E_AGAIN;
    stt_protect_update(s->protect);
    stt_session_set(s, STT_TIMER_OLD_KEYS, now + STT_OLD_KEYS_PTO * stt_session_pto(s));
    s->owed |= STT_OWES_PING; /* so that the peer follows */
    stt_endpoint_ready(ep, s);
    stt_session_rearm(ep, s);
    return STT_OK;
}
