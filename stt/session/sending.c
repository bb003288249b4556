/* SPDX-License-Identifier: MIT
 * sending: what a session owes becomes packets. It decides what goes into a packet and on which
 * path; how it is sealed is decided in crypto/protect. Spec 04, 06. */
#include "stt/session/engine.h"

#include <assert.h>

/* A peer that never acknowledges makes nothing grow: ACK and CLOSE alone go on. */
enum { IN_FLIGHT_MAX = 1024 };

/* One packet being written. */
struct draft {
    uint8_t payload[STT_DATAGRAM_BYTES_MIN];
    struct wr w;
    uint32_t said; /* STT_OWES_ bits in it */
    bool elicits;
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

bool stt_sending_has_more(const struct stt_session *s, stt_ns now)
{
    struct stt_paths_say say;
    (void)now;
    if (s->sends_packet)
        return true;
    if (!s->protect)
        return false;
    return (s->owed & sayable(s)) || (sayable(s) == UINT32_MAX && stt_paths_next(&s->paths, &say));
}

/* -- frames
 * ------------------------------------------------------------------------------------------- */

static void say_ack(struct stt_session *s, stt_ns now, struct draft *d)
{
    if (s->acks.received.n == 0 || !((s->owed & STT_OWES_ACK) || s->acks.unacked))
        return;
    d->acked = stt_acks_encode(&s->acks, now, &d->w);
    if (!d->acked)
        return;
    d->said |= STT_OWES_ACK;
    if (stt_acks_wants_ping(&s->acks))
        s->owed |= STT_OWES_PING;
}

static bool say_identity(struct stt_endpoint *ep, struct stt_session *s, struct draft *d)
{
    const struct stt_identity *own = &ep->secrets->identity;
    struct frame_identity f;
    memcpy(f.peer_id, own->peer_id.bytes, sizeof f.peer_id);
    return stt_identity_sign(f.signature, own, "stt1 identity",
                             KDF_PARTS(KDF_U8(s->is_initiator ? 0 : 1), BYTES(s->h))) &&
           stt_frame_identity_encode(&d->w, &f);
}

static bool say_new_id(struct stt_session *s, int place, struct draft *d)
{
    struct frame_new_id f;
    return !stt_session_ids_new(&s->ids, place, &f) || stt_frame_new_id_encode(&d->w, &f);
}

static bool say_retire_id(struct stt_session *s, int place, struct draft *d)
{
    struct frame_retire_id f;
    return !stt_session_ids_retire(&s->ids, place, &f) || stt_frame_retire_id_encode(&d->w, &f);
}

static bool say_close(struct stt_session *s, struct draft *d)
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
    if (stt_frame_close_encode(&d->w, &f))
        return true;
    f.reason = BYTES_NONE; /* the code without the words */
    return stt_frame_close_encode(&d->w, &f);
}

/* One bit of what is owed. */
static bool say(struct stt_endpoint *ep, struct stt_session *s, uint32_t bit, struct draft *d)
{
    switch (bit) {
    case STT_OWES_PING:
        return stt_frame_ping_encode(&d->w);
    case STT_OWES_IDENTITY:
        return say_identity(ep, s, d);
    case STT_OWES_CLOSE:
        return say_close(s, d);
    default:
        break;
    }
    int place = __builtin_ctz(bit);
    return place < 16 ? say_new_id(s, place - 8, d) : say_retire_id(s, place - 16, d);
}

static void say_owed(struct stt_endpoint *ep, struct stt_session *s, struct draft *d,
                     uint32_t allowed)
{
    uint32_t left = s->owed & sayable(s) & allowed & ~(uint32_t)STT_OWES_ACK;
    for (; left; left &= left - 1) {
        uint32_t bit = left & -left;
        size_t before = wr_len(&d->w);
        if (!say(ep, s, bit, d))
            return; /* full: with the next packet */
        d->said |= bit;
        d->elicits = d->elicits || (bit != STT_OWES_CLOSE && wr_len(&d->w) > before);
    }
}

/* -- packets
 * -------------------------------------------------------------------------------------------- */

/* How long an answer is waited for. What ends a handshake goes at the pace of its messages: there
 * may be no round trip to go by yet, and people wait. */
static stt_ns patience(const struct stt_session *s)
{
    bool is_settled = s->is_confirmed && (s->mode != STT_MODE_W || s->identity_sent_acked);
    stt_ns most = is_settled ? STT_PTO_NS_MAX : STT_HANDSHAKE_REPEAT_MAX_NS;
    stt_ns pto = stt_session_pto(s) << s->pto_count;
    return pto < most ? pto : most;
}

static void on_sent(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                    const struct draft *d, uint64_t number, size_t bytes)
{
    s->packets_sent++;
    s->bytes_sent += bytes;
    s->owed &= ~d->said;
    if (d->acked) {
        stt_acks_on_sent(&s->acks, number, d->elicits);
        stt_protect_on_ack_sent(s->protect, d->acked - 1);
    }
    if (!d->elicits || s->state > STT_SESSION_OPEN)
        return;
    if (!s->sent.in_flight)
        stt_session_set(s, STT_TIMER_STALLED, now + STT_STALLED_PTO * stt_session_pto(s));
    stt_sent_add(&s->sent, number,
                 (struct stt_sent_packet){.at = now, .owes = d->said, .bytes = (uint16_t)bytes});
    s->last_eliciting_at = now;
    stt_session_set(s, STT_TIMER_PTO, now + patience(s));
    stt_session_on_activity(ep, now, s);
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

/* Seals the draft into the train. False: nothing was sent. */
static bool seal(struct stt_endpoint *ep, stt_ns now, struct stt_session *s, struct draft *d,
                 struct stt_train *train)
{
    update_keys_in_time(now, s);
    uint64_t number = s->protect->next_number;
    struct bytes part = wr_done(&d->w);
    size_t bytes = part.len + STT_PROTECT_OVERHEAD_BYTES;
    if (bytes > train->len || !stt_protect_sealable(s->protect))
        return false;
    train->len = stt_protect_seal(
        s->protect,
        &(struct stt_protect_plain){.number = number,
                                    .session_id = stt_session_ids_current(&s->ids)->bytes,
                                    .parts = &part,
                                    .parts_len = 1},
        1, (struct stt_protect_train){train->data, bytes, bytes});
    train->segment_bytes = train->len;
    train->ecn = 0;
    stt_paths_on_sent(&s->paths, &train->path, train->len);
    on_sent(ep, now, s, d, number, train->len);
    return true;
}

static bool may_elicit(struct stt_endpoint *ep, struct stt_session *s)
{
    return s->protect && s->sent.in_flight < IN_FLIGHT_MAX &&
           stt_sent_reserve(&s->sent, &ep->env, s->protect->next_number) == STT_OK;
}

/* What a path trial wants said, on the path that it is about. */
static bool transmit_for_paths(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                               const struct stt_paths_say *wanted, struct stt_train *train)
{
    struct draft d = {.elicits = true};
    uint8_t token[16];
    size_t room = train->len;
    d.w = wr_init(d.payload, sizeof d.payload - STT_PROTECT_OVERHEAD_BYTES);
    if (!stt_endpoint_draw(ep, token, sizeof token))
        return false;
    struct frame_path f = {.type = STT_FRAME_PATH_CHALLENGE};
    memcpy(f.token, token, sizeof f.token);
    bool ok = !wanted->challenge || stt_frame_path_encode(&d.w, &f);
    f.type = STT_FRAME_PATH_RESPONSE;
    memcpy(f.token, wanted->response_token, sizeof f.token);
    ok = ok && (!wanted->response || stt_frame_path_encode(&d.w, &f));
    train->path = wanted->path;
    if (wanted->pads)
        ok = ok && stt_frame_padding_encode(&d.w, wr_left(&d.w));
    train->len = room;
    if (!ok || !seal(ep, now, s, &d, train))
        return false;
    stt_paths_on_said(&s->paths, wanted, token);
    return true;
}

static bool transmit_packet(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                            struct stt_train *train)
{
    struct draft d = {.said = 0};
    uint64_t allowance = stt_paths_allowance(&s->paths);
    if (!(s->owed & sayable(s)) || allowance < STT_PROTECT_OVERHEAD_BYTES + 1)
        return false;
    size_t room = sizeof d.payload - STT_PROTECT_OVERHEAD_BYTES;
    if (allowance - STT_PROTECT_OVERHEAD_BYTES < room)
        room = (size_t)allowance - STT_PROTECT_OVERHEAD_BYTES;
    d.w = wr_init(d.payload, room);
    if (s->state == STT_SESSION_OPEN || s->state == STT_SESSION_IDENTIFY)
        say_ack(s, now, &d);
    say_owed(ep, s, &d, may_elicit(ep, s) ? UINT32_MAX : STT_OWES_CLOSE);
    train->path = *stt_paths_current(&s->paths);
    if (!wr_len(&d.w))
        s->owed &= ~d.said; /* there was nothing to say any more */
    return wr_len(&d.w) && seal(ep, now, s, &d, train);
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

static bool is_writable(const struct stt_endpoint *ep, const struct stt_path *path)
{
    return path->carrier < STT_CARRIERS_MAX && ep->carriers[path->carrier].writable;
}

enum stt_sending stt_sending_transmit(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                                      struct stt_train *train)
{
    struct stt_paths_say wanted;
    bool sent;
    bool for_paths = !s->sends_packet && sayable(s) == UINT32_MAX && may_elicit(ep, s) &&
                     stt_paths_next(&s->paths, &wanted) && is_writable(ep, &wanted.path);
    const struct stt_path *path = s->sends_packet ? &s->packet_path
                                  : for_paths     ? &wanted.path
                                                  : stt_paths_current(&s->paths);
    if (!is_writable(ep, path))
        return STT_SENDING_BLOCKED;
    if (s->sends_packet)
        return transmit_handshake(s, train) ? STT_SENDING_SENT : STT_SENDING_NOTHING;
    if (!s->protect)
        return STT_SENDING_NOTHING;
    size_t room = train->len;
    sent = for_paths && transmit_for_paths(ep, now, s, &wanted, train);
    if (!sent && is_writable(ep, stt_paths_current(&s->paths))) {
        train->len = room;
        sent = transmit_packet(ep, now, s, train);
    }
    stt_session_rearm(ep, s);
    return sent ? STT_SENDING_SENT : STT_SENDING_NOTHING;
}

int stt_session_update_keys(struct stt_endpoint *ep, stt_ns now, stt_handle session)
{
    struct stt_session *s = stt_endpoint_find(ep, session);
    if (!s)
        return STT_E_STALE;
    if (!stt_endpoint_is_alive(ep, now))
        return STT_E_FORKED;
    if (s->state != STT_SESSION_OPEN)
        return STT_E_STATE;
    if (!stt_protect_may_update(s->protect))
        return STT_E_AGAIN;
    stt_protect_update(s->protect);
    stt_session_set(s, STT_TIMER_OLD_KEYS, now + STT_OLD_KEYS_PTO * stt_session_pto(s));
    s->owed |= STT_OWES_PING; /* so that the peer follows */
    stt_endpoint_ready(ep, s);
    stt_session_rearm(ep, s);
    return STT_OK;
}

/* -- when nothing is answered
 * --------------------------------------------------------------------------- */

/* Everything that is out is said once more; packets stay in flight, since they may yet arrive. */
void stt_sending_on_pto(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    (void)now;
    struct stt_sent_packet *p;
    for (uint64_t n = 0; (p = stt_sent_find(&s->sent, &n, UINT64_MAX)); n++)
        s->owed |= p->owes & ~(uint32_t)STT_OWES_ACK;
    s->owed |= STT_OWES_PING;
    s->pto_count = (uint8_t)(s->pto_count + (s->pto_count < STT_PTO_BACKOFF_MAX));
    stt_endpoint_ready(ep, s);
}
