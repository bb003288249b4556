/* SPDX-License-Identifier: MIT
 * settling: what became of packets that were sent, told to those whose frames were in them. Cost is
 * in what was newly acknowledged or lost, by runs of packets of one stream. Spec 06, "Ack
 * received". */
#include "stt/session/engine.h"

/* -- the session's own frames
 * ------------------------------------------------------------------------ */

/* Frames of which a newer value is always as good: lost, they are said with the value of then. */
static void on_owes_acked(struct stt_session *s, uint32_t owes)
{
    if (owes & STT_OWES_IDENTITY)
        s->identity_sent_acked = true;
    for (int place = 0; place < STT_SESSION_IDS_MAX; place++)
        if (owes & (uint32_t)STT_OWES_RETIRE_ID << place)
            stt_session_ids_on_retire_acked(&s->ids, place);
    uint32_t newer = STT_OWES_PING | STT_OWES_ACK | STT_OWES_LIMITS | STT_OWES_REKEY;
    s->owed &= ~(owes & ~newer);
}

static void on_owes_lost(struct stt_endpoint *ep, struct stt_session *s, uint32_t owes)
{
    s->owed |= owes & ~(uint32_t)STT_OWES_PING;
    if (owes)
        stt_endpoint_ready(ep, s);
}

static void tell_acks(struct stt_session *s, const struct stt_settled *x)
{
    if (s->acks.told_in < x->first || s->acks.told_in >= x->end)
        return;
    if (x->kind == STT_SETTLED_ACKED)
        stt_acks_on_acked(&s->acks, s->acks.told_in);
    else if (x->kind == STT_SETTLED_LOST)
        stt_acks_on_lost(&s->acks, s->acks.told_in);
}

/* -- streams
 * ----------------------------------------------------------------------------------------- */

static void on_late_acked(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t,
                          const struct stt_settled *x)
{
    if (x->owes & STT_STREAM_OWES_SKIP)
        stt_late_on_skip_acked(ep, now, t, x->offset);
    stt_late_on_acked(ep, now, t);
}

static void on_stream_acked(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t,
                            const struct stt_settled *x)
{
    bool was_done = stt_stream_is_sent_out(t);
    if (x->len || x->fin)
        stt_throughput_add(&t->session->streams->delivered, now,
                           stt_sendq_on_acked(&t->send, x->offset, x->offset + x->len, x->fin));
    if (stt_sendq_has_lost(&t->send)) /* an ack that could not be remembered is a loss */
        stt_stream_schedule(ep, now, t);
    if (x->owes & STT_STREAM_OWES_RESET)
        t->reset_acked = true;
    if (t->late)
        on_late_acked(ep, now, t, x);
    stt_stream_on_room(ep, t);
    if (stt_stream_is_sent_out(t) && !was_done) {
        stt_tracing_stream(ep, now, t, STT_STREAM_STATE_FINISHED);
        stt_stream_report(ep, t, STT_STREAM_FINISHED);
    }
    stt_stream_end_if_over(ep, t);
}

static void on_stream_lost(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t,
                           const struct stt_settled *x)
{
    if (x->kind == STT_SETTLED_LOST)
        t->pieces_lost += x->end > x->first ? (uint32_t)(x->end - x->first) : 1;
    if (x->len || x->fin)
        stt_sendq_on_lost(&t->send, x->offset, x->offset + x->len, x->fin);
    stt_stream_schedule(ep, now, t);
    if (x->owes & STT_STREAM_OWES_SKIP && t->late)
        stt_skips_on_lost(&t->late->skips, x->offset & ~STT_LATE_MARK);
    uint32_t owes = x->owes & ~(t->was_reset ? (uint32_t)STT_STREAM_OWES_STOP : 0u);
    if (owes)
        stt_stream_owe(ep, t, owes);
}

/* -- the pull
 * ------------------------------------------------------------------------------------------ */

static void take(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                 const struct stt_settled *x)
{
    bool acked = x->kind == STT_SETTLED_ACKED;
    tell_acks(s, x);
    stt_sizing_take(s, x);
    if (x->stream == STT_NO_STREAM) {
        if (acked)
            on_owes_acked(s, x->owes);
        else
            on_owes_lost(ep, s, x->owes);
        return;
    }
    if (x->stream == STT_DATAGRAM_PIECES) {
        stt_session_datagram_settled(ep, s, x);
        return;
    }
    struct stt_stream *t = s->streams ? stt_slots_at(&s->streams->slots, x->stream) : NULL;
    if (!t)
        return; /* it has ended */
    if (acked)
        on_stream_acked(ep, now, t, x);
    else
        on_stream_lost(ep, now, t, x);
}

bool stt_settling_drain(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    struct stt_settled x;
    bool any = false;
    while (stt_loss_next(&s->loss, &x)) {
        stt_tracing_settled(ep, s, &x);
        take(ep, now, s, &x);
        any = any || x.kind == STT_SETTLED_ACKED;
    }
    if (s->streams) {
        stt_loss_tell(&s->loss, &s->streams->congestion);
        stt_sizing_apply(s);
        stt_ecn_on_lost(&s->streams->ecn, stt_loss_outcome(&s->loss)->lost_packets);
    }
    stt_tracing_drained(ep, now, s);
    return any;
}

/* -- time
 * ------------------------------------------------------------------------------------------------
 */

/* What ends a handshake goes at the pace of its messages: there may be no round trip to go by yet,
 * and people wait. */
stt_ns stt_settling_deadline(const struct stt_session *s)
{
    bool is_settled = s->is_confirmed && (s->mode != STT_MODE_W || s->identity_sent_acked);
    stt_ns at = stt_loss_deadline(&s->loss);
    stt_ns soon = s->loss.pto_base + STT_HANDSHAKE_REPEAT_MAX_NS;
    if (s->state != STT_SESSION_OPEN && s->state != STT_SESSION_IDENTIFY)
        return STT_NEVER;
    return at != STT_NEVER && !is_settled && soon < at ? soon : at;
}

/* Little is out, and between lie numbers that need no answer: they would be most of its memory.
 * Where nothing is out, nobody waits for an answer, and what is open yet is let go when more is
 * sent. */
static bool is_sparse(const struct stt_loss *l)
{
    uint64_t span = l->flight.n_sent ? l->sent_end - l->flight.first : 0;
    return span >= STT_UNANSWERED_NUMBERS_MAX && l->flight.n_sent < span / 16;
}

bool stt_settling_is_unanswered(const struct stt_session *s)
{
    const struct stt_loss *l = &s->loss;
    uint64_t full = l->at[l->in_use].in_flight_bytes / s->packet_bytes;
    return l->flight.n_sent >= STT_UNANSWERED_MAX + full || is_sparse(l);
}

static void give_all_up(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    stt_loss_forget(&s->loss, now, 0, UINT64_MAX);
    stt_settling_drain(ep, now, s);
    stt_loss_trim(&s->loss);
}

void stt_settling_on_timer(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (s->loss.loss_at <= now) {
        stt_loss_on_loss_timer(&s->loss, now);
    } else {
        if (is_sparse(&s->loss))
            give_all_up(ep, now, s);
        stt_loss_on_pto(&s->loss, now);
        s->ptos++;
        stt_sizing_on_pto(s);
        stt_tracing_pto(ep, now, s);
        s->probes_left = STT_LOSS_PROBES;
        s->owed |= STT_OWES_PING;
        if (s->streams)
            stt_ecn_on_pto(&s->streams->ecn);
    }
    stt_settling_drain(ep, now, s);
    stt_endpoint_ready(ep, s);
}
