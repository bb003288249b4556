/* SPDX-License-Identifier: MIT
 * tracing: what sessions tell of themselves, as events for the recorder and the env's hook, and
 * secrets for its key log, if it has one. Events are told for a train, an ACK or a run of packets,
 * never for a packet, and cost a few stores. It must not change anything but what it keeps for
 * itself, nor put anything secret into an event. Spec 09, "Events", "Key log". */
#include "stt/session/engine.h"

#include "stt/keylog.h"

/* Out of the way of what every train does. */
#define COLD __attribute__((noinline, cold))

void stt_tracing_init(struct stt_tracing *x)
{
    stt_flight_recorder_init(&x->recorder, x->events, STT_RECORDER_EVENTS);
}

/* The time and the subject are filled in here. */
static inline void tell(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                        struct stt_trace_event event)
{
    stt_tracing_hear(&ep->tracing, now);
    event.at = now;
    event.subject = s ? stt_slab_id(&ep->sessions, s) : 0;
    stt_trace(&ep->env, &ep->tracing.recorder, &event);
}

/* -- sessions ------------------------------------------------------------------------------------
 */

void stt_tracing_state(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                       unsigned previous)
{
    tell(ep, now, s,
         (struct stt_trace_event){.type = STT_TRACE_SESSION_STATE,
                                  .code = s->state,
                                  .field = {previous, s->mode, s->is_initiator}});
}

void stt_tracing_closed(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                        bool by_peer)
{
    const struct stt_session_end *e = &s->end;
    tell(ep, now, s,
         (struct stt_trace_event){.type = STT_TRACE_SESSION_CLOSED,
                                  .code = e->reason,
                                  .field = {e->code, e->frame_type, e->application, by_peer}});
}

void stt_tracing_stalled(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s)
{
    tell(ep, now, s,
         (struct stt_trace_event){.type = STT_TRACE_SESSION_STALLED, .code = s->is_stalled});
}

void stt_tracing_message(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                         struct bytes packet)
{
    tell(ep, now, s,
         (struct stt_trace_event){.type = STT_TRACE_MESSAGE_SENT,
                                  .code = stt_packet_classify(packet),
                                  .field = {packet.len}});
}

void stt_tracing_trial(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                       enum stt_paths_news news)
{
    const struct stt_paths *p = &s->paths;
    tell(ep, now, s,
         (struct stt_trace_event){.type = STT_TRACE_PATH_TRIAL,
                                  .code = (uint32_t)news - STT_PATHS_TRIAL,
                                  .field = {(uint64_t)p->in_use, stt_paths_current(p)->carrier,
                                            stt_paths_is_port_change(p), p->received_bytes,
                                            p->sent_bytes}});
}

/* -- keys ----------------------------------------------------------------------------------------
 */

/* By these a reader of the log finds the session, though both sides may use other ids by then.
 * They are the last thing behind the keys. */
struct handshake_ids {
    uint8_t initiator[STT_ID_BYTES], responder[STT_ID_BYTES];
};

size_t stt_tracing_key_bytes(const struct stt_endpoint *ep)
{
    return ep->env.key_log ? sizeof(struct handshake_ids) : 0;
}

static struct handshake_ids *handshake_ids(const struct stt_session *s)
{
    size_t at = s->protect_bytes - sizeof(struct handshake_ids);
    return (struct handshake_ids *)((uint8_t *)s->protect + at);
}

static void keep_ids(const struct stt_session *s)
{
    struct handshake_ids *kept = handshake_ids(s);
    const uint8_t *own = s->ids.own[0].id.bytes, *peers = s->ids.peer[0].id.bytes;
    memcpy(kept->initiator, s->is_initiator ? own : peers, sizeof kept->initiator);
    memcpy(kept->responder, s->is_initiator ? peers : own, sizeof kept->responder);
}

static void log_keys(const struct stt_endpoint *ep, const struct stt_session *s)
{
    const struct stt_keys *k = &s->protect->keys;
    const struct handshake_ids *kept = handshake_ids(s);
    struct stt_key_log entry = {.epoch = k->number, .suite = k->suite->name};
    memcpy(entry.initiator_id, kept->initiator, sizeof entry.initiator_id);
    memcpy(entry.responder_id, kept->responder, sizeof entry.responder_id);
    for (enum stt_direction d = 0; d < STT_DIRECTIONS; d++) {
        entry.to_initiator = d == STT_TO_INITIATOR;
        entry.secret = k->current.secret[d];
        ep->env.key_log(ep->env.ctx, &entry);
    }
}

static COLD void tell_epoch(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                            enum stt_trace_origin origin)
{
    const struct stt_protect *p = s->protect;
    s->told_epoch = (uint8_t)p->keys.number;
    tell(ep, now, s,
         (struct stt_trace_event){.type = STT_TRACE_KEY_EPOCH,
                                  .code = origin,
                                  .field = {p->keys.number, p->epoch_number}});
    if (ep->env.key_log)
        log_keys(ep, s);
}

void stt_tracing_keys(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (ep->env.key_log)
        keep_ids(s);
    tell_epoch(ep, now, s, STT_ORIGIN_HANDSHAKE);
}

void stt_tracing_epoch(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                       enum stt_trace_origin origin)
{
    if ((uint8_t)s->protect->keys.number != s->told_epoch)
        tell_epoch(ep, now, s, origin);
}

void stt_tracing_forgotten(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s)
{
    tell(ep, now, s,
         (struct stt_trace_event){.type = STT_TRACE_KEYS_FORGOTTEN,
                                  .field = {s->protect->keys.number - 1}});
}

/* -- packets -------------------------------------------------------------------------------------
 */

static COLD void tell_packet_size(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    tell(ep, now, s,
         (struct stt_trace_event){.type = STT_TRACE_PACKET_SIZE,
                                  .field = {s->packet_bytes, s->told_packet_bytes}});
    s->told_packet_bytes = (uint16_t)s->packet_bytes;
}

/* Of a train that elicits an ack. */
static inline uint32_t purpose_of(const struct stt_session *s, uint64_t first)
{
    if (stt_flight_slot(&s->loss.flight, first)->flags & STT_PACKET_SIZE_PROBE)
        return STT_PURPOSE_SIZE_PROBE;
    return s->probes_left ? STT_PURPOSE_PROBE : STT_PURPOSE_DATA;
}

void stt_tracing_sent(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                      const struct stt_train *train, uint64_t first)
{
    bool elicits = s->loss.is_in_train && s->loss.train_eliciting;
    uint64_t in_flight = stt_loss_path(&s->loss)->in_flight_bytes;
    stt_tracing_epoch(ep, now, s, STT_ORIGIN_LOCAL);
    if (s->packet_bytes != s->told_packet_bytes)
        tell_packet_size(ep, now, s);
    tell(ep, now, s,
         (struct stt_trace_event){.type = STT_TRACE_PACKETS_SENT,
                                  .code = elicits ? purpose_of(s, first) : STT_PURPOSE_QUIET,
                                  .field = {first, s->protect->next_number, train->len,
                                            train->segment_bytes,
                                            in_flight + (elicits ? s->loss.train_bytes : 0)}});
}

/* How many packets from `from` on have opened and have consecutive numbers; 0: that one has not. */
static inline size_t run_length(const struct stt_protect_opened *opened, size_t from, size_t n)
{
    size_t i = from;
    while (i < n && opened[i].result == STT_PROTECT_OPENED &&
           opened[i].number == opened[from].number + (i - from))
        i++;
    return i - from;
}

static inline void tell_received(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                                 const struct stt_train *train, struct stt_range numbers,
                                 size_t bytes)
{
    tell(
        ep, now, s,
        (struct stt_trace_event){.type = STT_TRACE_PACKETS_RECEIVED,
                                 .code = train->ecn & 3u,
                                 .field = {numbers.from, numbers.to, bytes, train->segment_bytes}});
}

/* Some were lost on the way, or could not be opened. */
static COLD void tell_runs(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                           const struct stt_train *train, const struct stt_protect_opened *opened)
{
    size_t size = train->segment_bytes, n = (train->len + size - 1) / size;
    for (size_t from = 0, len; from < n; from += len ? len : 1) {
        len = run_length(opened, from, n);
        size_t end = from + len == n ? train->len : (from + len) * size;
        struct stt_range numbers = {opened[from].number, opened[from].number + len};
        if (len)
            tell_received(ep, now, s, train, numbers, end - from * size);
    }
}

void stt_tracing_received(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                          const struct stt_train *train, const struct stt_protect_opened *opened)
{
    size_t size = train->segment_bytes, n = 1;
    if (train->len > size) /* divisions are dear, and many a train is one packet */
        n = (train->len + size - 1) / size;
    struct stt_range numbers = {opened[0].number, opened[0].number + n};
    if (run_length(opened, 0, n) == n)
        tell_received(ep, now, s, train, numbers, train->len);
    else
        tell_runs(ep, now, s, train, opened);
}

/* -- drops ---------------------------------------------------------------------------------------
 */

static uint64_t *counter(struct stt_endpoint *ep, enum stt_drop reason)
{
#define X(name) &ep->stats.dropped_##name,
    uint64_t *const counters[] = {STT_DROPS(X)};
#undef X
    return counters[reason];
}

/* The event that this drop can join, or NULL. */
static struct stt_trace_event *gathering(const struct stt_tracing *x, enum stt_drop reason,
                                         uint64_t subject)
{
    uint64_t number = x->dropped_at[reason] - 1;
    if (!x->dropped_at[reason] || number < x->pulled_end ||
        x->recorder.recorded - number > STT_GATHER_EVENTS)
        return NULL;
    struct stt_trace_event *event = stt_flight_recorder_at(&x->recorder, number);
    return event->subject == subject ? event : NULL;
}

void stt_endpoint_drop(struct stt_endpoint *ep, const struct stt_session *s, enum stt_drop reason,
                       size_t bytes)
{
    struct stt_tracing *x = &ep->tracing;
    struct stt_trace_event event = {.at = x->now,
                                    .subject = s ? stt_slab_id(&ep->sessions, s) : 0,
                                    .type = STT_TRACE_PACKETS_DROPPED,
                                    .code = reason,
                                    .field = {1, bytes, x->now}};
    struct stt_trace_event *gathered = gathering(x, reason, event.subject);
    ++*counter(ep, reason);
    if (!gathered) {
        stt_trace(&ep->env, &x->recorder, &event);
        x->dropped_at[reason] = x->recorder.recorded;
        return;
    }
    gathered->field[0]++;
    gathered->field[1] += bytes;
    gathered->field[2] = x->now;
    if (ep->env.trace)
        ep->env.trace(ep->env.ctx, &event);
}

/* -- acknowledged, lost --------------------------------------------------------------------------
 */

static COLD void tell_run(struct stt_endpoint *ep, const struct stt_session *s, uint32_t type,
                          struct stt_tracing_run *run)
{
    if (run->from < run->to)
        tell(ep, s->loss.outcome.sample.now, s,
             (struct stt_trace_event){.type = type,
                                      .code = run->code,
                                      .field = {run->from, run->to, run->bytes,
                                                type == STT_TRACE_PACKETS_LOST
                                                    ? s->loss.at[s->loss.in_use].in_flight_bytes
                                                    : 0}});
    *run = (struct stt_tracing_run){.code = 0};
}

/* Once what it has acknowledged is complete. */
static void tell_ack(struct stt_endpoint *ep, const struct stt_session *s)
{
    struct stt_tracing *x = &ep->tracing;
    const struct stt_loss_outcome *o = stt_loss_outcome(&s->loss);
    const struct frame_ack *ack = x->ack;
    x->ack = NULL;
    if (x->spurious.to)
        tell_run(ep, s, STT_TRACE_PACKETS_SPURIOUS, &x->spurious);
    if (!ack || !o->acked_packets)
        return;
    tell(ep, s->loss.outcome.sample.now, s,
         (struct stt_trace_event){
             .type = STT_TRACE_ACK_RECEIVED,
             .code = (uint32_t)ack->range_count + 1,
             .field = {ack->largest, o->acked_packets, o->sample.acked_bytes,
                       o->sample.rtt_ns ? s->loss.at[s->loss.in_use].rtt.latest : 0,
                       ack->delay_us < STT_NEVER / 1000 ? STT_US(ack->delay_us) : STT_NEVER}});
}

static enum stt_trace_trigger trigger_of(const struct stt_loss *l, const struct stt_settled *x)
{
    const struct stt_loss_path *path = &l->at[l->in_use];
    bool counts = path->reorder_packets <= STT_LOSS_REORDER_PACKETS_MAX;
    if (stt_flight_slot(&l->flight, x->first)->flags & STT_PACKET_FORGOTTEN)
        return STT_TRIGGER_FORGOTTEN;
    if (x->is_size_probe)
        return STT_TRIGGER_SIZE_PROBE;
    return counts && l->acked_end > x->first + path->reorder_packets ? STT_TRIGGER_REORDERING
                                                                     : STT_TRIGGER_TIME;
}

void stt_tracing_run(struct stt_endpoint *ep, const struct stt_session *s,
                     const struct stt_settled *settled)
{
    struct stt_tracing *x = &ep->tracing;
    bool is_lost = settled->kind == STT_SETTLED_LOST;
    struct stt_tracing_run *run = is_lost ? &x->lost : &x->spurious;
    if (settled->first == settled->end)
        return; /* more of the packet before */
    uint32_t code = is_lost ? trigger_of(&s->loss, settled) : 0;
    if (is_lost)
        tell_ack(ep, s); /* what it acknowledges was pulled before */
    if (run->to != settled->first || run->code != code) {
        tell_run(ep, s, is_lost ? STT_TRACE_PACKETS_LOST : STT_TRACE_PACKETS_SPURIOUS, run);
        *run = (struct stt_tracing_run){.from = settled->first, .code = code};
    }
    run->to = settled->end;
    run->bytes += settled->bytes;
}

static COLD void tell_phase(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    const struct stt_congestion *c = &s->streams->congestion;
    tell(ep, now, s,
         (struct stt_trace_event){.type = STT_TRACE_PHASE_CHANGED,
                                  .code = c->phase,
                                  .field = {s->streams->told_phase, c->window_bytes}});
    s->streams->told_phase = c->phase;
}

void stt_tracing_drained(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    const struct stt_loss_outcome *o = stt_loss_outcome(&s->loss);
    const struct stt_loss_path *path = stt_loss_path(&s->loss);
    tell_ack(ep, s);
    if (ep->tracing.lost.to)
        tell_run(ep, s, STT_TRACE_PACKETS_LOST, &ep->tracing.lost);
    if (!s->streams || !(o->acked_packets || o->lost_packets))
        return;
    const struct stt_congestion *c = &s->streams->congestion;
    if (c->phase != s->streams->told_phase)
        tell_phase(ep, now, s);
    tell(ep, now, s,
         (struct stt_trace_event){.type = STT_TRACE_CONGESTION_UPDATED,
                                  .code = c->phase,
                                  .field = {path->rtt.smoothed, path->rtt.min, c->window_bytes,
                                            c->rate_bytes_per_s, path->in_flight_bytes}});
}

void stt_tracing_pto(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s)
{
    tell(ep, now, s,
         (struct stt_trace_event){.type = STT_TRACE_PTO_EXPIRED,
                                  .code = s->loss.backoff,
                                  .field = {stt_loss_pto(&s->loss),
                                            s->loss.at[s->loss.in_use].in_flight_bytes,
                                            s->loss.flight.n_eliciting}});
}

/* -- streams -------------------------------------------------------------------------------------
 */

void stt_tracing_stream(struct stt_endpoint *ep, stt_ns now, const struct stt_stream *t,
                        enum stt_trace_stream_state state)
{
    uint64_t offset = t->send.queued, code = 0;
    switch (state) {
    case STT_STREAM_STATE_RESET:
        offset = t->send.sent;
        code = t->reset_code;
        break;
    case STT_STREAM_STATE_STOPPED:
        code = t->reset_code;
        break;
    case STT_STREAM_STATE_WAS_RESET:
        offset = t->receive.highest;
        code = t->stop_code;
        break;
    case STT_STREAM_STATE_STOP:
        offset = t->receive.highest;
        code = t->stop_code;
        break;
    case STT_STREAM_STATE_READ:
        offset = t->receive.consumed;
        break;
    default:
        break;
    }
    tell(ep, now, t->session,
         (struct stt_trace_event){
             .type = STT_TRACE_STREAM_STATE, .code = state, .field = {t->id, offset, code}});
}

void stt_tracing_blocked(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                         const struct stt_stream *t, enum stt_trace_limit by)
{
    const struct stt_streams *x = s->streams;
    uint64_t limit = by == STT_BLOCKED_BY_STREAM    ? t->send_limit
                     : by == STT_BLOCKED_BY_SESSION ? x->send_limit
                                                    : x->peer_allows;
    tell(ep, now, s,
         (struct stt_trace_event){
             .type = STT_TRACE_FLOW_BLOCKED, .code = by, .field = {t ? t->id : 0, limit}});
}

void stt_tracing_datagrams(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                           enum stt_trace_datagram why, uint64_t n, uint64_t bytes)
{
    if (n)
        tell(ep, now, s,
             (struct stt_trace_event){
                 .type = STT_TRACE_DATAGRAMS_DROPPED, .code = why, .field = {n, bytes}});
}

/* -- for the host --------------------------------------------------------------------------------
 */

bool stt_endpoint_recorded(struct stt_endpoint *ep, uint64_t *cursor, struct stt_trace_event *event)
{
    struct stt_tracing *x = &ep->tracing;
    uint64_t oldest = stt_flight_recorder_oldest(&x->recorder);
    if (*cursor >= x->recorder.recorded)
        return false;
    *cursor = *cursor < oldest ? oldest : *cursor;
    *event = *stt_flight_recorder_at(&x->recorder, *cursor);
    ++*cursor;
    x->pulled_end = *cursor > x->pulled_end ? *cursor : x->pulled_end;
    return true;
}
