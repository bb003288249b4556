/* SPDX-License-Identifier: MIT
 * stream: the life of the object, from opening to its end, and when it has its turn. Writing and
 * reading are in files of their own; what the peer does is in arriving.c. Spec 05, "What a
 * stream is".
 *
 * Invariants: a stream is in the scheduler iff it has something to send that its own limit allows;
 * in `owed` iff a frame about it must be said; in the endpoint's stream_events iff the host has
 * something to hear. It is freed when both directions have ended and the host has heard so. */
#include "stt/session/engine.h"

#include <assert.h>

/* -- finding ------------------------------------------------------------------------------------
 */

struct stt_stream *stt_stream_find(const struct stt_endpoint *ep, stt_handle handle)
{
    return stt_slab_at(&ep->streams, handle);
}

struct stt_stream *stt_stream_by_id(const struct stt_session *s, uint64_t id)
{
    struct stt_streams *x = s->streams;
    if (x->latest && x->latest->id == id)
        return x->latest;
    struct stt_stream *t = stt_map_find_pointer(&x->by_id, &id);
    if (t)
        x->latest = t;
    return t;
}

stt_handle stt_stream_handle(const struct stt_endpoint *ep, const struct stt_stream *t)
{
    return stt_slab_id(&ep->streams, t);
}

static bool is_ours(const struct stt_stream *t)
{
    return (t->id & 1) == (t->session->is_initiator ? 0 : 1);
}

/* An idle stream takes 512 bytes at most: 64 of them in the tables, of which either the one or the
 * other is as empty as they get, and a few in the slab. */
static_assert(sizeof(struct stt_stream) + sizeof(struct stt_slab_tag) + 64 <= 508, "idle streams");

/* -- birth and death ------------------------------------------------------------------------------
 */

/* What it takes to be found: by packets in flight, and by frames of the peer. */
static int enter_tables(struct stt_endpoint *ep, struct stt_session *s, struct stt_stream *t,
                        uint64_t id, uint32_t *slot)
{
    const struct stt_flight *out = &s->loss.flight;
    uint64_t settled = out->n_open ? out->first : s->loss.sent_end;
    int error = stt_slots_take(&s->streams->slots, &ep->env, t, settled, slot);
    if (error)
        return error;
    error = stt_map_put(&s->streams->by_id, &id, (uintptr_t)t);
    if (error)
        stt_slots_give_back(&s->streams->slots, *slot, s->loss.sent_end);
    return error;
}

struct stt_stream *stt_stream_new(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                                  uint64_t id)
{
    uint32_t slot;
    struct stt_stream *t = stt_slab_take(&ep->streams);
    if (!t)
        return NULL;
    if (enter_tables(ep, s, t, id, &slot) != STT_OK) {
        stt_slab_give_back(&ep->streams, t);
        return NULL;
    }
    *t = (struct stt_stream){
        .session = s, .id = id, .slot = slot, .has_messages = id & 2, .opened_at = now};
    t->no_delay = ep->config.no_delay;
    stt_sendq_init(&t->send, &ep->chunks);
    stt_recvq_init(&t->receive, &ep->chunks);
    t->schedule.urgency = STT_URGENCY_DEFAULT;
    t->send_limit = s->params.max_stream_data;
    stt_window_init(&t->window, now, ep->config.stream_window_bytes);
    return t;
}

static void unlink_stream(struct stt_stream *t)
{
    struct stt_session *s = t->session;
    stt_map_remove(&s->streams->by_id, &t->id);
    stt_slots_give_back(&s->streams->slots, t->slot, s->loss.sent_end);
    if (s->streams->latest == t)
        s->streams->latest = NULL;
    stt_scheduler_remove(&s->streams->scheduler, &t->schedule);
    stt_list_remove(&t->owed);
    stt_list_remove(&t->held);
    stt_list_remove(&t->events);
}

void stt_stream_free_skipped(struct stt_endpoint *ep, struct stt_stream *t)
{
    if (t->reader.skipped)
        stt_chunk_pool_give_back(&ep->chunks, t->reader.skipped, STT_BLOCK_LARGE_BYTES);
    t->reader.skipped = NULL;
}

void stt_stream_free(struct stt_endpoint *ep, struct stt_stream *t)
{
    t->session->streams->gaps -= t->gaps;
    unlink_stream(t);
    stt_late_free(ep, t);
    stt_stream_free_skipped(ep, t);
    stt_sendq_fini(&t->send);
    stt_recvq_fini(&t->receive);
    stt_slab_give_back(&ep->streams, t);
}

static uint32_t gaps_max(const struct stt_config *config)
{
    uint64_t n = config->session_window_max / STT_SESSION_GAP_BYTES;
    n = n < UINT32_MAX ? n : UINT32_MAX;
    return n > STT_SESSION_GAPS_MIN ? (uint32_t)n : STT_SESSION_GAPS_MIN;
}

int stt_streams_make(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (s->streams)
        return STT_OK;
    struct stt_streams *x = stt_env_alloc(&ep->env, sizeof *x);
    if (!x)
        return STT_E_MEMORY;
    stt_map_init(&x->by_id, &ep->env, sizeof(uint64_t), ep->map_seed, UINT32_MAX / 4);
    stt_list_init(&x->owed);
    stt_list_init(&x->starved);
    stt_list_init(&x->blocked);
    stt_list_init(&x->waiting);
    stt_scheduler_init(&x->scheduler, ep->config.max_frame_bytes);
    stt_timers_init(&x->late, &ep->env, 1u << 29);
    x->is_adaptive = ep->config.adaptive;
    x->gaps_max = gaps_max(&ep->config);
    x->blocked_at = UINT64_MAX;
    stt_allowance_init(&x->allowance, ep->config.max_streams);
    x->send_limit = s->params.max_data;
    x->peer_allows = s->params.max_streams;
    stt_window_init(&x->window, now, ep->config.session_window_bytes);
    x->pacer = STT_PACER_INIT;
    stt_congestion_init(&x->congestion, stt_routes_controller(ep, s), &stt_loss_path(&s->loss)->rtt,
                        s->packet_bytes, now);
    stt_held_init(&x->held, s->opened_at);
    x->delivered = x->consumed = STT_THROUGHPUT_INIT(s->opened_at);
    s->streams = x;
    stt_sizing_begin(ep, s);
    return STT_OK;
}

void stt_streams_free(struct stt_endpoint *ep, struct stt_session *s)
{
    struct stt_streams *x = s->streams;
    if (!x)
        return;
    for (uint32_t slot = 0; slot < x->slots.n; slot++)
        if (stt_slots_at(&x->slots, slot))
            stt_stream_free(ep, stt_slots_at(&x->slots, slot));
    stt_map_fini(&x->by_id);
    stt_session_datagram_free(ep, s);
    stt_numbers_free(&x->theirs, &ep->env);
    stt_slots_free(&x->slots, &ep->env);
    stt_timers_fini(&x->late);
    stt_env_release(&ep->env, x, sizeof *x);
    s->streams = NULL;
}

/* -- events
 * -------------------------------------------------------------------------------------------- */

void stt_stream_report(struct stt_endpoint *ep, struct stt_stream *t, uint32_t what)
{
    if (stt_stream_is_thirsty(t)) {
        stt_list_remove(&t->events);
        what |= STT_STREAM_WRITABLE; /* perhaps; who asks finds out */
    }
    t->pending = (uint8_t)(t->pending | what);
    if (!stt_list_is_linked(&t->events))
        stt_list_push_back(&ep->stream_events, &t->events);
}

void stt_streams_allow_more(struct stt_endpoint *ep, struct stt_session *s)
{
    struct stt_streams *x = s->streams;
    if (s->state != STT_SESSION_OPEN || !stt_allowance_is_due(&x->allowance, x->theirs.base))
        return;
    s->owed |= STT_OWES_MAX_STREAMS;
    stt_endpoint_ready(ep, s);
}

void stt_streams_on_second(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    stt_allowance_on_time(&s->streams->allowance, now);
    stt_session_set(s, STT_TIMER_STREAMS, stt_allowance_deadline(&s->streams->allowance));
    stt_streams_allow_more(ep, s);
}

/* Its place may be given to another, now that the host has heard and nothing is kept of it. */
static void give_place(struct stt_endpoint *ep, const struct stt_stream *t)
{
    struct stt_session *s = t->session;
    if (is_ours(t) || s->state != STT_SESSION_OPEN)
        return;
    stt_allowance_on_ended(&s->streams->allowance, t->was_reset);
    stt_session_set(s, STT_TIMER_STREAMS, stt_allowance_deadline(&s->streams->allowance));
    stt_session_rearm(ep, s);
    stt_streams_allow_more(ep, s);
}

/* Both directions have come to their end, and the host knows or need not: nothing refers to it. */
void stt_stream_end_if_over(struct stt_endpoint *ep, struct stt_stream *t)
{
    bool sent_out = stt_stream_is_sent_out(t) || (t->is_reset && t->reset_acked);
    bool read_out =
        t->is_read_out || t->was_reset || (t->is_stopped && stt_recvq_is_all_here(&t->receive));
    if (!sent_out || !read_out || t->end_reported)
        return;
    t->end_reported = true;
    stt_tracing_stream(ep, ep->tracing.now, t, STT_STREAM_STATE_ENDED);
    stt_stream_report(ep, t, STT_STREAM_ENDED);
}

/* Writers that the pool had nothing for are called as soon as something came back to it; those that
 * find it empty once more wait at the end of the line. */
static void call_thirsty(struct stt_endpoint *ep)
{
    if (stt_list_is_empty(&ep->thirsty) || ep->chunks.chunks.in_use >= ep->thirsty_at)
        return;
    struct stt_list *first = ep->thirsty.next;
    stt_stream_report(ep, STT_LIST_ENTRY(first, struct stt_stream, events), STT_STREAM_WRITABLE);
}

bool stt_endpoint_stream_event(struct stt_endpoint *ep, struct stt_stream_event *event)
{
    call_thirsty(ep);
    if (stt_list_is_empty(&ep->stream_events))
        return false;
    struct stt_stream *t = STT_LIST_ENTRY(ep->stream_events.next, struct stt_stream, events);
    stt_list_remove(&t->events);
    *event = (struct stt_stream_event){
        .stream = stt_stream_handle(ep, t),
        .session = stt_endpoint_handle(ep, t->session),
        .what = t->pending,
        .reset_code = t->was_reset ? t->stop_code : 0,
        .stop_code = t->was_stopped ? t->reset_code : 0,
        .user = t->user,
    };
    t->pending = 0;
    if (event->what & STT_STREAM_ENDED) {
        give_place(ep, t);
        stt_stream_free(ep, t);
    }
    return true;
}

/* -- opening
 * ---------------------------------------------------------------------------------------------- */

/* The peer is told once for each limit, and the host when it has risen. */
static void refuse(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (s->streams->is_refused)
        return;
    s->streams->is_refused = true;
    stt_endpoint_take_back(s, STT_PENDING_STREAMS); /* what was allowed is used up */
    s->owed |= STT_OWES_STREAMS_BLOCKED;
    stt_tracing_blocked(ep, now, s, NULL, STT_BLOCKED_BY_STREAMS);
    stt_endpoint_ready(ep, s);
}

int stt_stream_open(struct stt_endpoint *ep, stt_ns now, stt_handle session,
                    const struct stt_stream_options *options, stt_handle *out)
{
    struct stt_session *s;
    int error = stt_endpoint_find_open(ep, now, session, &s);
    if (error)
        return error;
    if (options->size != sizeof *options || options->urgency >= STT_URGENCY_LEVELS)
        return STT_E_ARGUMENT;
    if (stt_streams_make(ep, now, s) != STT_OK)
        return STT_E_MEMORY;
    struct stt_streams *x = s->streams;
    if (x->next_number >= x->peer_allows) {
        refuse(ep, now, s);
        return STT_E_LIMIT;
    }
    uint64_t id = x->next_number << 2 | (options->messages ? 2u : 0u) | (s->is_initiator ? 0u : 1u);
    struct stt_stream *t = stt_stream_new(ep, now, s, id);
    if (!t)
        return STT_E_MEMORY;
    x->next_number++;
    t->schedule.urgency = options->urgency;
    t->no_delay = t->no_delay || options->no_delay;
    t->user = options->user;
    stt_tracing_stream(ep, now, t, STT_STREAM_STATE_OPENED);
    *out = stt_stream_handle(ep, t);
    if (t->no_delay)
        stt_stream_schedule(ep, now, t);
    else
        stt_stream_await_company(ep, now, t);
    return STT_OK;
}

int stt_stream_set_urgency(struct stt_endpoint *ep, stt_handle stream, uint8_t urgency)
{
    struct stt_stream *t = stt_stream_find(ep, stream);
    if (!t)
        return STT_E_STALE;
    if (urgency >= STT_URGENCY_LEVELS)
        return STT_E_ARGUMENT;
    stt_scheduler_set_urgency(&t->session->streams->scheduler, &t->schedule, urgency);
    return STT_OK;
}

int stt_stream_info(const struct stt_endpoint *ep, stt_handle stream, struct stt_stream_info *out)
{
    const struct stt_stream *t = stt_stream_find(ep, stream);
    if (!t)
        return STT_E_STALE;
    stt_ns heard_at = t->session->last_received_at;
    stt_ns life = heard_at > t->opened_at ? heard_at - t->opened_at : 0;
    *out = (struct stt_stream_info){
        .session = stt_endpoint_handle(ep, t->session),
        .id = t->id,
        .is_ours = is_ours(t),
        .has_messages = t->has_messages,
        .is_read_to_end = t->is_read_out,
        .is_blocked = t->send.queued > t->send.sent && t->send.sent >= t->send_limit,
        .opened_at = t->opened_at,
        .bytes_written = t->send.queued,
        .bytes_sent = t->send.sent,
        .bytes_acked = t->send.acked,
        .bytes_retransmitted = t->bytes_retransmitted,
        .pieces_lost = t->pieces_lost,
        .messages_skipped = t->late ? t->late->given_up : 0,
        .bytes_received = t->receive.highest,
        .bytes_consumed = t->receive.consumed,
        .acked_mean_bytes_per_s = stt_throughput_mean(t->send.acked, life),
        .consumed_mean_bytes_per_s = stt_throughput_mean(t->receive.consumed, life),
        .send_limit = t->send_limit,
        .receive_limit = t->window.limit,
    };
    return STT_OK;
}

/* -- turns, limits and company
 * ---------------------------------------------------------------------------
 */

void stt_stream_on_blocked(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t,
                           uint64_t credit)
{
    struct stt_streams *x = t->session->streams;
    stt_list_remove(&t->held);
    if (t->send_limit <= credit) {
        stt_list_push_back(&x->blocked, &t->held);
        if (t->blocked_said)
            return;
        t->blocked_said = true;
        stt_stream_owe(ep, t, STT_STREAM_OWES_BLOCKED);
        stt_tracing_blocked(ep, now, t->session, t, STT_BLOCKED_BY_STREAM);
        return;
    }
    stt_list_push_back(&x->starved, &t->held);
    if (x->blocked_at != x->send_limit) {
        x->blocked_at = x->send_limit;
        stt_tracing_blocked(ep, now, t->session, t, STT_BLOCKED_BY_SESSION);
        t->session->owed |= STT_OWES_DATA_BLOCKED;
        stt_endpoint_ready(ep, t->session);
    }
}

/* Small writes have waited long enough. */
void stt_streams_on_coalesced(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (!s->streams)
        return;
    while (!stt_list_is_empty(&s->streams->waiting)) {
        struct stt_list *link = stt_list_pop_front(&s->streams->waiting);
        stt_stream_schedule(ep, now, STT_LIST_ENTRY(link, struct stt_stream, held));
    }
}

/* The peer does not know of it yet, and nothing is on its way that would tell. */
static bool is_unannounced(const struct stt_stream *t)
{
    return is_ours(t) && !t->send.queued && !t->send.is_finished && !t->is_announced;
}

void stt_stream_schedule(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t)
{
    if (t->is_reset)
        return;
    stt_list_remove(&t->held);
    if (stt_sendq_has(&t->send, stt_stream_limit(t))) {
        stt_scheduler_add(&t->session->streams->scheduler, &t->schedule, now);
        stt_endpoint_ready(ep, t->session);
        stt_holding_on_data(now, t->session);
    } else if (t->send.queued > t->send_limit) {
        stt_stream_on_blocked(ep, now, t, UINT64_MAX);
        stt_holding_judge(ep, now, t->session);
    } else if (is_unannounced(t)) {
        t->is_announced = true;
        stt_stream_owe(ep, t, STT_STREAM_OWES_OPEN);
    }
}

void stt_stream_await_company(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t)
{
    struct stt_session *s = t->session;
    if (!stt_list_is_linked(&t->held))
        stt_list_push_back(&s->streams->waiting, &t->held);
    if (s->deadline[STT_TIMER_COALESCE] == STT_NEVER)
        stt_session_set(s, STT_TIMER_COALESCE, now + STT_COALESCE_NS);
    stt_session_rearm(ep, s);
}

void stt_stream_on_limit(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t)
{
    if (t->late && stt_late_waits(t->late))
        stt_late_look(ep, now, t);
    else
        stt_stream_schedule(ep, now, t);
}

void stt_stream_on_room(struct stt_endpoint *ep, struct stt_stream *t)
{
    if (!t->wants_room || t->send.queued - t->send.acked >= ep->config.send_ring_bytes / 2)
        return;
    t->wants_room = false;
    stt_stream_report(ep, t, STT_STREAM_WRITABLE);
}

void stt_stream_owe(struct stt_endpoint *ep, struct stt_stream *t, uint32_t owes)
{
    t->owes = (uint8_t)(t->owes | owes);
    if (!stt_list_is_linked(&t->owed))
        stt_list_push_back(&t->session->streams->owed, &t->owed);
    stt_endpoint_ready(ep, t->session);
}

void stt_stream_give_up(struct stt_endpoint *ep, struct stt_stream *t, uint64_t code)
{
    t->is_reset = true;
    t->reset_code = code;
    stt_scheduler_remove(&t->session->streams->scheduler, &t->schedule);
    stt_list_remove(&t->held);
    stt_sendq_fini(&t->send);
    stt_late_free(ep, t);
    stt_stream_owe(ep, t, STT_STREAM_OWES_RESET);
}
