/* SPDX-License-Identifier: MIT
 * sending: what a session owes becomes packets. It decides what goes into a packet and on which
 * path; how it is sealed is decided in crypto/protect. Spec 06, "Packet sent", "Sending". */
#include "stt/session/saying.h"

#include <assert.h>

/* -- what may be said
 * ------------------------------------------------------------------------------- */

bool stt_sending_has_more(const struct stt_session *s, stt_ns now)
{
    struct stt_paths_say say;
    (void)now;
    if (s->sends_packet)
        return true;
    if (!s->protect)
        return false;
    if (s->owed & stt_saying_allowed(s))
        return true;
    return stt_saying_allowed(s) == UINT32_MAX &&
           (stt_saying_has_stream_frames(s) || stt_paths_next(&s->paths, &say));
}

/* -- packets
 * -------------------------------------------------------------------------------------------- */

static void on_acks_sent(struct stt_session *s, const struct stt_draft *d, uint64_t number,
                         bool elicits)
{
    s->owed &= ~d->said;
    if (!d->acked)
        return;
    stt_acks_on_sent(&s->acks, number, elicits);
    stt_protect_on_ack_sent(s->protect, d->acked - 1);
}

/* What is remembered of the packets of a train. */
static void remember(struct stt_session *s, stt_ns now, const struct stt_packing *p, uint64_t first,
                     bool marks)
{
    bool was_quiet = !s->loss.flight.n_eliciting, elicits = false;
    uint8_t flags = STT_PACKET_ELICITS | p->flags | (marks ? STT_PACKET_ECT : 0);
    for (size_t i = 0; i < p->n_packets; i++) {
        const struct stt_packet_draft *d = &p->packets[i];
        uint16_t bytes = (uint16_t)(d->len + STT_PROTECT_OVERHEAD_BYTES);
        if (d->elicits)
            stt_loss_on_packet(&s->loss, &(struct stt_loss_packet){.number = first + i,
                                                                   .pieces = d->pieces,
                                                                   .n_pieces = d->n_pieces,
                                                                   .bytes = bytes,
                                                                   .flags = flags});
        else
            stt_loss_on_quiet_packet(&s->loss, first + i);
        elicits = elicits || d->elicits;
    }
    if (elicits && was_quiet)
        stt_session_set(s, STT_TIMER_STALLED, now + STT_STALLED_PTO * stt_session_pto(s));
}

/* Neither side does while a REKEY runs. */
static bool may_update_keys(const struct stt_session *s)
{
    return !s->rekey && stt_protect_may_update(s->protect);
}

/* What is owed of what elicits an answer. */
static uint32_t eliciting_owed(const struct stt_session *s)
{
    return s->owed & stt_saying_allowed(s) & ~(uint32_t)(STT_OWES_ACK | STT_OWES_CLOSE);
}

/* Before the numbers of a key run out, or are worn, the next epoch begins; with something to say,
 * as long as there is time (spec 03, "Key update"). */
static void update_keys_in_time(struct stt_session *s)
{
    uint64_t left = stt_protect_sealable(s->protect);
    bool speaks = eliciting_owed(s) || stt_saying_has_stream_frames(s);
    if (left >= STT_KEY_UPDATE_RESERVE || (!speaks && left >= STT_KEY_UPDATE_RESERVE / 2) ||
        !may_update_keys(s))
        return;
    stt_protect_update(s->protect);
    stt_session_set(s, STT_TIMER_OLD_KEYS, STT_NEVER); /* until the peer has followed */
    s->owed |= STT_OWES_PING; /* so that the peer follows, and is heard in the new one */
}

/* Now and then a number is left out: who acknowledges it did not listen (spec 06, "Skipped
 * numbers"). */
static void skip_number(struct stt_session *s)
{
    if (!stt_loss_skips(&s->loss, s->protect->next_number))
        return;
    stt_loss_on_skipped(&s->loss, s->protect->next_number, stt_session_jitter(s, UINT32_MAX));
    s->protect->next_number++;
}

/* Packets are marked as able to take a mark where there is a window for it to move. */
static uint8_t marks_of(const struct stt_session *s)
{
    bool marks = s->streams && s->state == STT_SESSION_OPEN && !stt_loss_path_is_reliable(&s->loss);
    return marks ? stt_ecn_bits(&s->streams->ecn) : STT_ECN_NOT;
}

/* Seals what was packed into the train. */
static void seal(struct stt_session *s, const struct stt_packing *p, struct stt_train *train,
                 size_t segment, const struct stt_id *to)
{
    struct stt_protect_plain plain[STT_TRAIN_SEGMENTS];
    uint64_t number = s->protect->next_number;
    for (size_t i = 0; i < p->n_packets; i++)
        plain[i] = (struct stt_protect_plain){.number = number + i,
                                              .session_id = to->bytes,
                                              .parts = p->packets[i].parts,
                                              .parts_len = p->packets[i].n_parts};
    train->segment_bytes = segment;
    train->len = stt_protect_seal(s->protect, plain, p->n_packets,
                                  (struct stt_protect_train){train->data, train->len, segment});
    if (train->len < segment)
        train->segment_bytes = train->len;
    train->ecn = marks_of(s);
}

/* A train that is to elicit an answer. */
struct outing {
    unsigned path; /* as the loss detector knows it */
    size_t packets, more;
    bool is_data;
};

/* Nobody tells when there is some again. */
static void await_memory(struct stt_session *s, stt_ns now)
{
    if (s->deadline[STT_TIMER_PACE] > now + STT_NO_MEMORY_NS)
        stt_session_set(s, STT_TIMER_PACE, now + STT_NO_MEMORY_NS);
}

/* Packets that elicit an answer are remembered; without memory for that there are none. A peer
 * that never acknowledges makes nothing grow: then ACK and CLOSE go on, data as the window allows,
 * and probes. */
static bool may_elicit(struct stt_session *s, stt_ns now, const struct outing *o)
{
    uint64_t first = s->protect->next_number;
    if (!o->is_data && !s->probes_left && stt_settling_is_unanswered(s))
        return false;
    if (!stt_loss_may_number(&s->loss, first + o->packets))
        return false;
    if (stt_loss_begin_train(&s->loss, now, o->path,
                             (struct stt_range){first, first + o->packets + 1},
                             o->more) != STT_OK) {
        await_memory(s, now);
        return false;
    }
    skip_number(s);
    return true;
}

/* Nothing but PADDING, PING and ACK: no use of the session. */
static bool is_ping(const struct stt_packing *p)
{
    const struct stt_packet_draft *d = &p->packets[0];
    if (p->flags & STT_PACKET_SIZE_PROBE)
        return true;
    return p->n_packets == 1 && (!d->elicits || (d->n_pieces == 1 && !d->pieces->len &&
                                                 d->pieces->owes == STT_OWES_PING &&
                                                 d->pieces->stream == STT_NO_STREAM));
}

/* After packing: numbers, seal, memory, timers. */
static void send_train(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                       const struct stt_packing *p, struct stt_train *train, size_t segment)
{
    bool elsewhere = stt_paths_which(&s->paths, &train->path) != s->paths.in_use;
    uint64_t first = s->protect->next_number;
    bool elicits = false;
    for (size_t i = 0; i < p->n_packets; i++)
        elicits = elicits || p->packets[i].elicits;
    seal(s, p, train, segment,
         elsewhere ? stt_session_ids_elsewhere(&s->ids) : stt_session_ids_current(&s->ids));
    remember(s, now, p, first, train->ecn);
    s->packets_sent += p->n_packets;
    s->bytes_sent += train->len;
    if (is_ping(p))
        s->rekey_clock.idle.packets++;
    train->session = stt_endpoint_handle(ep, s);
    train->first = first;
    stt_paths_on_sent(&s->paths, &train->path, train->len);
    stt_tracing_sent(ep, now, s, train, first);
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

/* Which of its paths the loss detector knows this one as. */
static unsigned loss_path_of(const struct stt_session *s, const struct stt_path *path)
{
    int which = stt_paths_which(&s->paths, path);
    bool begun = which == s->paths.in_use || (which >= 0 && !s->paths.is_move);
    return begun ? (unsigned)which : STT_LOSS_ELSEWHERE;
}

/* What a path trial wants said, on the path that it is about. */
static bool transmit_for_paths(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                               const struct stt_paths_say *wanted, struct stt_train *train)
{
    struct stt_packing p;
    struct stt_piece nothing = stt_saying_piece(0);
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
        !may_elicit(s, now, &(struct outing){.path = loss_path_of(s, &wanted->path), .packets = 1}))
        return false;
    train->path = wanted->path;
    send_train(ep, now, s, &p, train, STT_DATAGRAM_BYTES_MIN);
    stt_loss_end_train(&s->loss, true);
    stt_paths_on_said(&s->paths, wanted, token);
    return true;
}

/* PADDING up to the room of the packet: zeros that lie elsewhere. */
static void pad(struct stt_packing *p)
{
    static const uint8_t zeros[2048];
    struct stt_piece nothing = stt_saying_piece(0);
    for (size_t left; (left = stt_packing_left(p));) {
        size_t max, n = 0, len = 0;
        struct wr none = wr_init(p->heads, 0);
        for (struct bytes *parts = stt_packing_data(p, &none, &max); n < max && len < left; n++) {
            size_t here = left - len < sizeof zeros ? left - len : sizeof zeros;
            parts[n] = bytes_of(zeros, here);
            len += here;
        }
        stt_packing_add_data(p, n, len, &nothing);
    }
}

/* One packet that tells whether the path carries its size. */
static bool transmit_probe(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                           struct stt_train *train, uint32_t size)
{
    struct stt_packing p;
    struct stt_piece nothing = stt_saying_piece(0);
    struct outing outing = {s->loss.in_use, 1, STT_PACKING_MORE, true};
    stt_packing_init(&p, STT_PACKING_MORE);
    p.flags = STT_PACKET_SIZE_PROBE;
    if (!stt_protect_sealable(s->protect) ||
        !stt_packing_begin(&p, size - STT_PROTECT_OVERHEAD_BYTES) || !may_elicit(s, now, &outing))
        return false;
    struct wr w = stt_packing_frame(&p);
    bool fits = stt_frame_ping_encode(&w);
    assert(fits);
    stt_packing_add_frame(&p, &w, &nothing, true);
    pad(&p);
    if (!stt_packing_end(&p))
        return false;
    train->path = *stt_paths_current(&s->paths);
    send_train(ep, now, s, &p, train, size);
    stt_loss_end_train(&s->loss, false);
    stt_size_on_probe_sent(&s->streams->size, size);
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

/* Packs up to n packets; the first also takes what is owed. All but the last are as long as the
 * first: full, or a datagram each. */
static void pack(struct stt_endpoint *ep, stt_ns now, struct stt_session *s, struct stt_draft *d,
                 size_t n, bool elicits, size_t room)
{
    bool is_open = stt_saying_allowed(s) == UINT32_MAX && s->streams && !s->holds_data;
    for (size_t i = 0; i == 0 || i < n; i++) {
        if (i && elicits && is_open && (i += stt_saying_run(now, s, d, n - i, room)) >= n)
            return;
        if (!stt_packing_begin(d->packing, room))
            return;
        if (i == 0) {
            if (s->state == STT_SESSION_OPEN || s->state == STT_SESSION_IDENTIFY)
                stt_saying_ack(s, now, d);
            stt_saying_owed(ep, s, d, elicits ? UINT32_MAX : STT_OWES_CLOSE);
            if (elicits && is_open)
                stt_saying_streams_owed(s, d);
        }
        if (i < n && elicits && is_open)
            stt_saying_data(ep, now, s, d);
        bool is_full = stt_packing_left(d->packing) == 0;
        if (!stt_packing_end(d->packing))
            return;
        if (!is_full && i == 0 && stt_saying_has_another(s, d))
            room = stt_packing_len(d->packing, 0);
        else if (!is_full)
            return;
    }
}

/* Adaptive: whoever waits too long behind strict levels comes nearer (spec 05, "Urgency"). */
static void raise_starved(struct stt_session *s, stt_ns now)
{
    if (!s->streams || !s->streams->is_adaptive)
        return;
    stt_ns patience = 2 * stt_loss_path(&s->loss)->rtt.smoothed;
    stt_scheduler_raise(&s->streams->scheduler, now,
                        patience > STT_URGENCY_RAISE_NS ? patience : STT_URGENCY_RAISE_NS);
}

/* The train ended because nobody has anything to send, or may send it. */
static bool has_no_data(const struct stt_session *s)
{
    return !s->streams || !stt_scheduler_next(&s->streams->scheduler);
}

static bool transmit_train(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                           struct stt_train *train)
{
    struct stt_packing packing;
    struct stt_draft d = {.packing = &packing};
    uint64_t allowance = stt_paths_allowance(&s->paths);
    uint64_t sealable = stt_protect_sealable(s->protect);
    size_t size = s->packet_bytes;
    if (allowance < STT_PROTECT_OVERHEAD_BYTES + 1 || !sealable)
        return false;
    sealable = stt_rekeying_for_data(s, sealable);
    if (stt_saying_has_ack(s) && stt_acks_wants_ping(&s->acks))
        s->owed |= STT_OWES_PING; /* in the same packet, so that we hear of the ACK */
    size_t n = data_packets(s, now, train->len, allowance);
    n = n < sealable ? n : (size_t)sealable;
    bool streams = stt_saying_has_stream_frames(s);
    size_t more = streams ? STT_PACKING_MORE : 0;
    uint32_t eliciting = eliciting_owed(s);
    bool is_data = n && streams && stt_scheduler_next(&s->streams->scheduler);
    struct outing outing = {s->loss.in_use, n ? n : 1, more, is_data};
    bool elicits = (eliciting || streams) && may_elicit(s, now, &outing);
    size_t segment = allowance < size ? (size_t)allowance : size;
    stt_packing_init(&packing, more);
    raise_starved(s, now);
    pack(ep, now, s, &d, n, elicits, segment - STT_PROTECT_OVERHEAD_BYTES);
    if (!packing.n_packets) {
        s->owed &= ~d.said; /* there was nothing to say any more */
        if (elicits)
            stt_loss_end_train(&s->loss, has_no_data(s));
        return false;
    }
    uint64_t first = s->protect->next_number;
    train->path = *stt_paths_current(&s->paths);
    send_train(ep, now, s, &packing, train,
               stt_packing_len(&packing, 0) + STT_PROTECT_OVERHEAD_BYTES);
    stt_saying_on_sealed(s, &d);
    if (elicits)
        stt_loss_end_train(&s->loss, has_no_data(s));
    on_acks_sent(s, &d, first, packing.packets[0].elicits);
    if (s->probes_left && --s->probes_left && elicits)
        s->owed |= STT_OWES_PING; /* the second probe, if there is nothing better */
    return true;
}

/* The handshake message that is out, or its answer. */
static bool transmit_handshake(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                               struct stt_train *train)
{
    struct stt_handshake *hs = s->handshake;
    s->sends_packet = false;
    if (!hs || train->len < hs->packet_len)
        return false;
    memcpy(train->data, hs->packet, hs->packet_len);
    train->len = train->segment_bytes = hs->packet_len;
    train->path = *stt_paths_current(&s->paths);
    train->ecn = 0;
    stt_tracing_message(ep, now, s, bytes_of(train->data, train->len));
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
    bool for_paths = !s->sends_packet && stt_saying_allowed(s) == UINT32_MAX &&
                     stt_paths_next(&s->paths, &wanted) &&
                     stt_sending_is_writable(ep, &wanted.path);
    const struct stt_path *path = for_paths ? &wanted.path : stt_paths_current(&s->paths);
    if (!stt_sending_is_writable(ep, path))
        return STT_SENDING_BLOCKED;
    if (s->sends_packet)
        return transmit_handshake(ep, now, s, train) ? STT_SENDING_SENT : STT_SENDING_NOTHING;
    if (!s->protect)
        return STT_SENDING_NOTHING;
    size_t room = train->len;
    update_keys_in_time(s);
    if (s->is_initiator && now >= s->rekey_clock.from)
        stt_rekeying_if_due(ep, now, s);
    sent = for_paths && transmit_for_paths(ep, now, s, &wanted, train);
    if (!sent && stt_sending_is_writable(ep, stt_paths_current(&s->paths))) {
        train->len = room;
        uint32_t probe = stt_sizing_probe(s, now, room);
        sent = probe && transmit_probe(ep, now, s, train, probe);
    }
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
    if (!may_update_keys(s))
        return STT_E_AGAIN;
    stt_protect_update(s->protect);
    stt_tracing_epoch(ep, now, s, STT_ORIGIN_LOCAL);
    stt_session_set(s, STT_TIMER_OLD_KEYS, STT_NEVER); /* until the peer has followed */
    s->owed |= STT_OWES_PING;                          /* so that the peer follows */
    stt_endpoint_ready(ep, s);
    stt_session_rearm(ep, s);
    return STT_OK;
}
