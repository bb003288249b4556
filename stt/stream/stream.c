/* SPDX-License-Identifier: MIT
 * stream: opening, writing, reading and ending, as the host does it, and the life of the object.
 * What the peer does is in arriving.c, what is said to it in packing.c. Spec 05.
 *
 * Invariants: a stream is in the scheduler iff it has something to send that its own limit allows;
 * in `owed` iff a frame about it must be said; in the endpoint's stream_events iff the host has
 * something to hear. It is freed when both directions have ended and the host has heard so. */
#include "stt/session/engine.h"

#include <assert.h>

/* -- finding ------------------------------------------------------------------------------------
 */

struct stream_key {
    uint64_t session, id;
};

static struct stt_stream *find(const struct stt_endpoint *ep, stt_handle handle)
{
    return stt_slab_at(&ep->streams, handle);
}

struct stt_stream *stt_stream_by_id(const struct stt_endpoint *ep, const struct stt_session *s,
                                    uint64_t id)
{
    struct stream_key key = {stt_endpoint_handle(ep, s), id};
    return stt_slab_at(&ep->streams, stt_map_find(&ep->streams_by_id, &key));
}

stt_handle stt_stream_handle(const struct stt_endpoint *ep, const struct stt_stream *t)
{
    return stt_slab_id(&ep->streams, t);
}

static bool is_ours(const struct stt_stream *t)
{
    return (t->id & 1) == (t->session->is_initiator ? 0 : 1);
}

/* -- birth and death ------------------------------------------------------------------------------
 */

struct stt_stream *stt_stream_new(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                                  uint64_t id)
{
    struct stt_stream *t = stt_slab_take(&ep->streams);
    if (!t)
        return NULL;
    struct stream_key key = {stt_endpoint_handle(ep, s), id};
    if (stt_map_put(&ep->streams_by_id, &key, stt_slab_id(&ep->streams, t)) != STT_OK) {
        stt_slab_give_back(&ep->streams, t);
        return NULL;
    }
    *t = (struct stt_stream){.session = s, .id = id, .has_messages = id & 2, .opened_at = now};
    stt_sendq_init(&t->send, &ep->chunks);
    stt_recvq_init(&t->receive, &ep->chunks);
    t->schedule.urgency = STT_URGENCY_DEFAULT;
    t->send_limit = s->params.max_stream_data;
    stt_window_init(&t->window, now, ep->config.stream_window_bytes);
    stt_list_push_back(&s->streams->all, &t->all);
    s->streams->n_open++;
    return t;
}

static void unlink_stream(struct stt_endpoint *ep, struct stt_stream *t)
{
    struct stream_key key = {stt_endpoint_handle(ep, t->session), t->id};
    stt_map_remove(&ep->streams_by_id, &key);
    stt_scheduler_remove(&t->session->streams->scheduler, &t->schedule);
    stt_list_remove(&t->all);
    t->session->streams->n_open--;
    stt_list_remove(&t->owed);
    stt_list_remove(&t->starved);
    stt_list_remove(&t->waiting);
    stt_list_remove(&t->events);
}

void stt_stream_free(struct stt_endpoint *ep, struct stt_stream *t)
{
    unlink_stream(ep, t);
    stt_sendq_fini(&t->send);
    stt_recvq_fini(&t->receive);
    stt_slab_give_back(&ep->streams, t);
}

int stt_streams_make(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (s->streams)
        return STT_OK;
    struct stt_streams *x = stt_env_alloc(&ep->env, sizeof *x);
    if (!x)
        return STT_E_MEMORY;
    stt_list_init(&x->all);
    stt_list_init(&x->owed);
    stt_list_init(&x->starved);
    stt_list_init(&x->blocked);
    stt_list_init(&x->waiting);
    stt_scheduler_init(&x->scheduler, ep->config.max_frame_bytes);
    x->we_allow = x->we_should_allow = ep->config.max_streams;
    x->send_limit = s->params.max_data;
    x->peer_allows = s->params.max_streams;
    stt_window_init(&x->window, now, ep->config.session_window_bytes);
    x->pacer = STT_PACER_INIT;
    stt_congestion_init(&x->congestion, stt_controller_by_name(ep->config.congestion),
                        &stt_loss_path(&s->loss)->rtt, s->packet_bytes, now);
    stt_held_init(&x->held, s->opened_at);
    x->delivered = x->consumed = STT_THROUGHPUT_INIT(s->opened_at);
    s->streams = x;
    return STT_OK;
}

void stt_streams_free(struct stt_endpoint *ep, struct stt_session *s)
{
    struct stt_streams *x = s->streams;
    if (!x)
        return;
    while (!stt_list_is_empty(&x->all))
        stt_stream_free(ep, STT_LIST_ENTRY(x->all.next, struct stt_stream, all));
    stt_numbers_free(&x->theirs, &ep->env);
    stt_env_release(&ep->env, x, sizeof *x);
    s->streams = NULL;
}

/* -- events
 * -------------------------------------------------------------------------------------------- */

void stt_stream_report(struct stt_endpoint *ep, struct stt_stream *t, uint32_t what)
{
    t->pending |= what;
    if (!stt_list_is_linked(&t->events))
        stt_list_push_back(&ep->stream_events, &t->events);
}

/* The peer may open another; it is told when a quarter of them is free. */
static void on_theirs_ended(struct stt_endpoint *ep, struct stt_session *s)
{
    struct stt_streams *x = s->streams;
    x->we_should_allow++;
    if ((x->we_should_allow - x->we_allow) * 4 < ep->config.max_streams)
        return;
    s->owed |= STT_OWES_MAX_STREAMS;
    stt_endpoint_ready(ep, s);
}

/* Both directions have come to their end, and the host knows or need not: nothing refers to it. */
void stt_stream_end_if_over(struct stt_endpoint *ep, struct stt_stream *t)
{
    bool sent_out = stt_sendq_is_done(&t->send) || (t->is_reset && t->reset_acked);
    bool read_out =
        t->is_read_out || t->was_reset || (t->is_stopped && stt_recvq_is_all_here(&t->receive));
    if (!sent_out || !read_out || t->end_reported)
        return;
    t->end_reported = true;
    stt_stream_report(ep, t, STT_STREAM_ENDED);
    if (!is_ours(t))
        on_theirs_ended(ep, t->session);
}

bool stt_endpoint_stream_event(struct stt_endpoint *ep, struct stt_stream_event *event)
{
    if (stt_list_is_empty(&ep->stream_events))
        return false;
    struct stt_stream *t = STT_LIST_ENTRY(ep->stream_events.next, struct stt_stream, events);
    stt_list_remove(&t->events);
    *event = (struct stt_stream_event){
        .stream = stt_stream_handle(ep, t),
        .session = stt_endpoint_handle(ep, t->session),
        .what = t->pending,
        .reset_code = t->was_reset ? t->reset_code_heard : 0,
        .stop_code = t->stop_code_heard,
        .user = t->user,
    };
    t->pending = 0;
    if (event->what & STT_STREAM_ENDED)
        stt_stream_free(ep, t);
    return true;
}

/* -- opening
 * ---------------------------------------------------------------------------------------------- */

int stt_stream_open(struct stt_endpoint *ep, stt_ns now, stt_handle session,
                    const struct stt_stream_options *options, stt_handle *out)
{
    struct stt_session *s = stt_endpoint_find(ep, session);
    if (!s)
        return STT_E_STALE;
    if (s->state != STT_SESSION_OPEN)
        return STT_E_STATE;
    if (options->size != sizeof *options || options->urgency >= STT_URGENCY_LEVELS)
        return STT_E_ARGUMENT;
    if (stt_streams_make(ep, now, s) != STT_OK)
        return STT_E_MEMORY;
    struct stt_streams *x = s->streams;
    if (x->next_number >= x->peer_allows) {
        s->owed |= STT_OWES_STREAMS_BLOCKED;
        stt_endpoint_ready(ep, s);
        return STT_E_LIMIT;
    }
    uint64_t id = x->next_number << 2 | (options->messages ? 2u : 0u) | (s->is_initiator ? 0u : 1u);
    struct stt_stream *t = stt_stream_new(ep, now, s, id);
    if (!t)
        return STT_E_MEMORY;
    x->next_number++;
    t->schedule.urgency = options->urgency;
    t->no_delay = options->no_delay;
    t->user = options->user;
    *out = stt_stream_handle(ep, t);
    return STT_OK;
}

/* -- writing
 * ------------------------------------------------------------------------------------------------
 */

/* New bytes may go: now, or when they have company. */
static void on_written(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t)
{
    struct stt_session *s = t->session;
    bool waits = !t->no_delay && !t->is_flushed && !t->send.is_finished &&
                 t->send.queued - t->send.sent < STT_DATAGRAM_BYTES_MIN;
    if (waits) {
        if (!stt_list_is_linked(&t->waiting))
            stt_list_push_back(&s->streams->waiting, &t->waiting);
        if (s->deadline[STT_TIMER_COALESCE] == STT_NEVER)
            stt_session_set(s, STT_TIMER_COALESCE, now + STT_COALESCE_NS);
        stt_session_rearm(ep, s);
        return;
    }
    stt_stream_schedule(ep, now, t);
}

void stt_stream_schedule(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t)
{
    if (!t->is_reset && stt_sendq_has(&t->send, t->send_limit)) {
        stt_scheduler_add(&t->session->streams->scheduler, &t->schedule, now);
        stt_endpoint_ready(ep, t->session);
        stt_holding_on_data(now, t->session);
    } else if (!t->is_reset && t->send.queued > t->send_limit) {
        stt_stream_on_blocked(ep, t, UINT64_MAX);
        stt_holding_judge(ep, now, t->session);
    }
}

void stt_stream_owe(struct stt_endpoint *ep, struct stt_stream *t, uint32_t owes)
{
    t->owes = (uint8_t)(t->owes | owes);
    if (!stt_list_is_linked(&t->owed))
        stt_list_push_back(&t->session->streams->owed, &t->owed);
    stt_endpoint_ready(ep, t->session);
}

static int check_writable(const struct stt_stream *t)
{
    if (!t)
        return STT_E_STALE;
    if (t->is_finished || t->is_reset || t->session->state != STT_SESSION_OPEN)
        return STT_E_STATE;
    return STT_OK;
}

int stt_stream_write(struct stt_endpoint *ep, stt_ns now, stt_handle stream, const void *data,
                     size_t len, size_t *written)
{
    struct stt_stream *t = find(ep, stream);
    int error = check_writable(t);
    *written = 0;
    if (error)
        return error;
    if (t->has_messages) {
        error = stt_stream_write_message(ep, now, stream, data, len, 0);
        *written = error ? 0 : len;
        return error;
    }
    *written = stt_sendq_write(&t->send, bytes_of(data, len), ep->config.send_ring_bytes);
    t->wants_room = *written < len;
    on_written(ep, now, t);
    return STT_OK;
}

int stt_stream_write_message(struct stt_endpoint *ep, stt_ns now, stt_handle stream,
                             const void *data, size_t len, stt_ns deadline_ns)
{
    struct stt_stream *t = find(ep, stream);
    int error = check_writable(t);
    uint8_t head[STT_MESSAGES_HEADER_BYTES_MAX];
    if (error)
        return error;
    if (!t->has_messages || deadline_ns)
        return STT_E_UNSUPPORTED;
    size_t head_len = stt_messages_header(head, len), whole = head_len + len;
    if (whole > ep->config.send_ring_bytes)
        return STT_E_ARGUMENT;
    uint64_t before = t->send.queued;
    size_t written =
        stt_sendq_write(&t->send, bytes_of(head, head_len), ep->config.send_ring_bytes);
    if (written == head_len)
        written += stt_sendq_write(&t->send, bytes_of(data, len), ep->config.send_ring_bytes);
    if (written < whole) { /* a message goes whole or not at all */
        t->send.queued = before;
        t->wants_room = true;
        return STT_E_AGAIN;
    }
    on_written(ep, now, t);
    return STT_OK;
}

int stt_stream_reserve(struct stt_endpoint *ep, stt_handle stream, void **data, size_t *len)
{
    struct stt_stream *t = find(ep, stream);
    int error = check_writable(t);
    if (error)
        return error;
    if (t->has_messages)
        return STT_E_STATE;
    *data = stt_sendq_reserve(&t->send, ep->config.send_ring_bytes, len);
    t->wants_room = *data == NULL;
    return *data ? STT_OK : STT_E_AGAIN;
}

int stt_stream_commit(struct stt_endpoint *ep, stt_ns now, stt_handle stream, size_t len)
{
    struct stt_stream *t = find(ep, stream);
    int error = check_writable(t);
    if (error)
        return error;
    stt_sendq_commit(&t->send, len);
    on_written(ep, now, t);
    return STT_OK;
}

int stt_stream_flush(struct stt_endpoint *ep, stt_ns now, stt_handle stream)
{
    struct stt_stream *t = find(ep, stream);
    if (!t)
        return STT_E_STALE;
    t->is_flushed = true;
    stt_stream_schedule(ep, now, t);
    return STT_OK;
}

int stt_stream_finish(struct stt_endpoint *ep, stt_ns now, stt_handle stream)
{
    struct stt_stream *t = find(ep, stream);
    int error = check_writable(t);
    if (error)
        return error;
    t->is_finished = true;
    stt_sendq_finish(&t->send);
    stt_stream_schedule(ep, now, t);
    return STT_OK;
}

int stt_stream_reset(struct stt_endpoint *ep, stt_ns now, stt_handle stream, uint64_t code)
{
    struct stt_stream *t = find(ep, stream);
    (void)now;
    if (!t)
        return STT_E_STALE;
    if (t->is_reset || stt_sendq_is_done(&t->send) || t->session->state != STT_SESSION_OPEN)
        return STT_E_STATE;
    stt_stream_give_up(ep, t, code);
    return STT_OK;
}

void stt_stream_give_up(struct stt_endpoint *ep, struct stt_stream *t, uint64_t code)
{
    t->is_reset = true;
    t->reset_code = code;
    stt_list_remove(&t->starved);
    stt_scheduler_remove(&t->session->streams->scheduler, &t->schedule);
    stt_sendq_fini(&t->send);
    stt_stream_owe(ep, t, STT_STREAM_OWES_RESET);
}

int stt_stream_set_urgency(struct stt_endpoint *ep, stt_handle stream, uint8_t urgency)
{
    struct stt_stream *t = find(ep, stream);
    if (!t)
        return STT_E_STALE;
    if (urgency >= STT_URGENCY_LEVELS)
        return STT_E_ARGUMENT;
    stt_scheduler_set_urgency(&t->session->streams->scheduler, &t->schedule, urgency);
    return STT_OK;
}

/* -- reading
 * -----------------------------------------------------------------------------------------------
 */

size_t stt_stream_peek(struct stt_endpoint *ep, stt_handle stream, struct stt_part *parts,
                       size_t max)
{
    const struct stt_stream *t = find(ep, stream);
    struct bytes b[16];
    size_t n = t ? stt_recvq_peek(&t->receive, b, max < 16 ? max : 16) : 0;
    for (size_t i = 0; i < n; i++)
        parts[i] = (struct stt_part){b[i].data, b[i].len};
    return n;
}

/* The reader's progress frees flow control, and perhaps ends the direction. */
static void on_consumed(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t, uint64_t len)
{
    stt_throughput_add(&t->session->streams->consumed, now, len);
    stt_stream_on_consumed(ep, now, t, len);
    if (stt_recvq_is_all_here(&t->receive) && !stt_recvq_available(&t->receive)) {
        t->is_read_out = true;
        stt_stream_end_if_over(ep, t);
    }
}

int stt_stream_consume(struct stt_endpoint *ep, stt_ns now, stt_handle stream, size_t len)
{
    struct stt_stream *t = find(ep, stream);
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
    if (!find(ep, stream))
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
        on_consumed(ep, now, find(ep, stream), 0);
    return STT_OK;
}

int stt_stream_stop(struct stt_endpoint *ep, stt_ns now, stt_handle stream, uint64_t code)
{
    struct stt_stream *t = find(ep, stream);
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

int stt_stream_info(const struct stt_endpoint *ep, stt_handle stream, struct stt_stream_info *out)
{
    const struct stt_stream *t = find(ep, stream);
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
        .bytes_received = t->receive.highest,
        .bytes_consumed = t->receive.consumed,
        .acked_mean_bytes_per_s = stt_throughput_mean(t->send.acked, life),
        .consumed_mean_bytes_per_s = stt_throughput_mean(t->receive.consumed, life),
        .send_limit = t->send_limit,
        .receive_limit = t->window.limit,
    };
    return STT_OK;
}

/* -- messages ------------------------------------------------------------------------------------
 */

/* STT_E_AGAIN: none is here. The reader's place is part of the stream only while one is taken. */
int stt_stream_read_message(struct stt_endpoint *ep, stt_ns now, stt_handle stream, void *data,
                            size_t room, struct stt_message_read *message)
{
    struct stt_stream *t = find(ep, stream);
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

/* -- limits and company ---------------------------------------------------------------------------
 */

void stt_stream_on_blocked(struct stt_endpoint *ep, struct stt_stream *t, uint64_t credit)
{
    struct stt_streams *x = t->session->streams;
    if (t->send_limit <= credit) {
        if (!stt_list_is_linked(&t->starved))
            stt_list_push_back(&x->blocked, &t->starved);
        if (t->blocked_at != t->send_limit) {
            t->blocked_at = t->send_limit;
            stt_stream_owe(ep, t, STT_STREAM_OWES_BLOCKED);
        }
        return;
    }
    if (!stt_list_is_linked(&t->starved))
        stt_list_push_back(&x->starved, &t->starved);
    if (x->blocked_at != x->send_limit) {
        x->blocked_at = x->send_limit;
        t->session->owed |= STT_OWES_DATA_BLOCKED;
    }
}

/* Small writes have waited long enough. */
void stt_streams_on_coalesced(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (!s->streams)
        return;
    while (!stt_list_is_empty(&s->streams->waiting)) {
        struct stt_list *link = stt_list_pop_front(&s->streams->waiting);
        stt_stream_schedule(ep, now, STT_LIST_ENTRY(link, struct stt_stream, waiting));
    }
}
