/* SPDX-License-Identifier: MIT
 * arriving: frames of the peer about streams. Each answers NO_ERROR or the close code of the rule
 * that was broken; STT_UNHEARD when there is no memory: then the packet counts as lost. Spec 05,
 * "Receiving", "Flow control". */
#include "stt/session/engine.h"

/* -- whose stream is it
 * ---------------------------------------------------------------------------- */

static bool is_theirs(const struct stt_session *s, uint64_t id)
{
    return (id & 1) == (s->is_initiator ? 1 : 0);
}

/* A stream of the peer's that is new. NULL with NO_ERROR: it has ended, ignore the frame. */
static struct stt_stream *accept(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                                 uint64_t id, uint64_t *code)
{
    struct stt_streams *x = s->streams;
    uint64_t number = id >> 2;
    *code = STT_CLOSE_NO_ERROR;
    if (number >= x->allowance.told) {
        *code = STT_CLOSE_STREAM_LIMIT;
        return NULL;
    }
    if (stt_numbers_was_used(&x->theirs, number))
        return NULL;
    *code = STT_UNHEARD;
    if (stt_numbers_reserve(&x->theirs, &ep->env, number - x->theirs.base + 1) != STT_OK)
        return NULL;
    struct stt_stream *t = stt_stream_new(ep, now, s, id);
    if (!t)
        return NULL;
    stt_numbers_use(&x->theirs, number);
    stt_streams_allow_more(ep, s);
    *code = STT_CLOSE_NO_ERROR;
    stt_tracing_stream(ep, now, t, STT_STREAM_STATE_ACCEPTED);
    stt_stream_report(ep, t, STT_STREAM_OPENED);
    return t;
}

static struct stt_stream *lookup(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                                 uint64_t id, uint64_t *code)
{
    *code = STT_UNHEARD;
    if (stt_streams_make(ep, now, s) != STT_OK)
        return NULL;
    struct stt_stream *t = stt_stream_by_id(s, id);
    *code = STT_CLOSE_NO_ERROR;
    if (t)
        return t;
    if (stt_stream_by_id(s, id ^ 2))
        *code = STT_CLOSE_STREAM_STATE; /* the number lives as the other kind */
    else if (is_theirs(s, id))
        return accept(ep, now, s, id, code);
    else if (id >> 2 >= s->streams->next_number)
        *code = STT_CLOSE_STREAM_STATE;
    return NULL;
}

/* -- data
 * --------------------------------------------------------------------------------------------- */

static uint64_t code_of(enum stt_recvq_result result)
{
    static const uint64_t codes[] = {
        [STT_RECVQ_OK] = STT_CLOSE_NO_ERROR,
        [STT_RECVQ_NO_ROOM] = STT_UNHEARD,
        [STT_RECVQ_TOO_MANY] = STT_UNHEARD,
        [STT_RECVQ_FINAL] = STT_CLOSE_FINAL_OFFSET,
    };
    return codes[result];
}

/* Whether the peer may have sent up to `end`, by both limits. */
static bool is_allowed(const struct stt_session *s, const struct stt_stream *t, uint64_t end)
{
    uint64_t more = end > t->receive.highest ? end - t->receive.highest : 0;
    return end <= t->window.limit && more <= s->streams->window.limit - s->streams->received;
}

uint64_t stt_stream_count_gaps(struct stt_stream *t)
{
    struct stt_streams *x = t->session->streams;
    uint32_t gaps = stt_recvq_gaps(&t->receive);
    x->gaps += gaps - t->gaps;
    t->gaps = (uint16_t)gaps; /* at most 256 */
    return x->gaps <= x->gaps_max ? STT_CLOSE_NO_ERROR : STT_CLOSE_BUFFER_LIMIT;
}

/* The queue has taken something, and stood like this before. */
static uint64_t on_arrived(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t,
                           uint64_t highest, uint64_t contiguous, uint64_t consumed)
{
    t->session->streams->received += t->receive.highest - highest;
    if (t->is_stopped) {
        stt_stream_on_consumed(ep, now, t, t->receive.consumed - consumed);
        stt_stream_end_if_over(ep, t);
    } else if (t->receive.contiguous > contiguous || stt_recvq_is_all_here(&t->receive)) {
        stt_stream_report(ep, t, STT_STREAM_READABLE);
    }
    return stt_stream_count_gaps(t);
}

uint64_t stt_arriving_stream(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                             uint64_t type, struct rd *r)
{
    struct frame_stream f;
    uint64_t code;
    if (!stt_frame_stream_decode(r, type, &f))
        return STT_CLOSE_FRAME_ENCODING;
    struct stt_stream *t = lookup(ep, now, s, f.stream, &code);
    if (!t || t->end_reported)
        return code;
    if (!is_allowed(s, t, f.offset + f.data.len))
        return STT_CLOSE_FLOW_CONTROL;
    uint64_t highest = t->receive.highest, contiguous = t->receive.contiguous;
    uint64_t consumed = t->receive.consumed;
    code = code_of(stt_recvq_insert(&t->receive, f.offset, f.data, f.fin));
    if (code != STT_CLOSE_NO_ERROR || t->was_reset)
        return code;
    return on_arrived(ep, now, t, highest, contiguous, consumed);
}

/* The peer would ignore it, and its code is not kept beside that of the RESET. */
static void forget_stop(struct stt_stream *t)
{
    t->owes &= (uint8_t)~STT_STREAM_OWES_STOP;
    if (!t->owes)
        stt_list_remove(&t->owed);
}

uint64_t stt_arriving_reset(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                            struct rd *r)
{
    struct frame_reset f;
    uint64_t code;
    if (!stt_frame_reset_decode(r, &f))
        return STT_CLOSE_FRAME_ENCODING;
    struct stt_stream *t = lookup(ep, now, s, f.stream, &code);
    if (!t || t->end_reported)
        return code;
    if (!is_allowed(s, t, f.final_offset))
        return STT_CLOSE_FLOW_CONTROL;
    uint64_t highest = t->receive.highest, consumed = t->receive.consumed;
    code = code_of(stt_recvq_reset(&t->receive, f.final_offset));
    if (code != STT_CLOSE_NO_ERROR || t->was_reset || t->is_read_out)
        return code;
    s->streams->received += f.final_offset - highest;
    stt_allowance_on_time(&s->streams->allowance, now);
    t->was_reset = true;
    t->stop_code = f.code;
    forget_stop(t);
    stt_tracing_stream(ep, now, t, STT_STREAM_STATE_WAS_RESET);
    stt_stream_on_consumed(ep, now, t, f.final_offset - consumed);
    stt_stream_report(ep, t, STT_STREAM_RESET);
    stt_stream_end_if_over(ep, t);
    return stt_stream_count_gaps(t);
}

uint64_t stt_arriving_stop(struct stt_endpoint *ep, stt_ns now, struct stt_session *s, struct rd *r)
{
    struct frame_stop f;
    uint64_t code;
    if (!stt_frame_stop_decode(r, &f))
        return STT_CLOSE_FRAME_ENCODING;
    struct stt_stream *t = lookup(ep, now, s, f.stream, &code);
    if (!t || t->is_reset || stt_stream_is_sent_out(t))
        return code;
    t->was_stopped = true;
    t->reset_code = f.code;
    stt_tracing_stream(ep, now, t, STT_STREAM_STATE_STOPPED);
    stt_stream_report(ep, t, STT_STREAM_STOPPED);
    stt_stream_give_up(ep, t, f.code);
    return STT_CLOSE_NO_ERROR;
}

static const uint64_t skip_codes[] = {
    [STT_MESSAGES_SKIP_OK] = STT_CLOSE_NO_ERROR,
    [STT_MESSAGES_SKIP_LATE] = STT_CLOSE_NO_ERROR,
    [STT_MESSAGES_SKIP_MISPLACED] = STT_CLOSE_STREAM_STATE,
    [STT_MESSAGES_SKIP_TOO_MANY] = STT_UNHEARD,
};

/* Where the reader's message layer remembers what it has to step over. */
static bool make_skipped(struct stt_endpoint *ep, struct stt_stream *t)
{
    struct stt_ranges *skipped = t->reader.skipped;
    if (skipped)
        return true;
    skipped = t->reader.skipped = stt_chunk_pool_take(&ep->chunks, STT_BLOCK_LARGE_BYTES);
    if (skipped) /* the array behind it */
        stt_ranges_init(skipped, (struct stt_range *)(skipped + 1),
                        (STT_BLOCK_LARGE_BYTES - sizeof *skipped) / sizeof(struct stt_range));
    return skipped;
}

uint64_t stt_arriving_skip(struct stt_endpoint *ep, stt_ns now, struct stt_session *s, struct rd *r)
{
    struct frame_skip f;
    uint64_t code;
    if (!stt_frame_skip_decode(r, &f))
        return STT_CLOSE_FRAME_ENCODING;
    struct stt_stream *t = lookup(ep, now, s, f.stream, &code);
    if (code == STT_CLOSE_NO_ERROR && !(f.stream & 2))
        return STT_CLOSE_STREAM_STATE;
    if (!t || t->end_reported)
        return code;
    if (!is_allowed(s, t, f.offset + f.length))
        return STT_CLOSE_FLOW_CONTROL;
    if (f.offset + f.length <= t->receive.contiguous)
        return STT_CLOSE_NO_ERROR; /* it has arrived after all */
    if (!t->is_stopped && !t->was_reset) {
        if (!make_skipped(ep, t))
            return STT_UNHEARD;
        enum stt_messages_skip skip = stt_messages_on_skip(&t->reader, f.offset, f.length);
        if (skip != STT_MESSAGES_SKIP_OK)
            return skip_codes[skip];
    }
    uint64_t highest = t->receive.highest, contiguous = t->receive.contiguous;
    uint64_t consumed = t->receive.consumed;
    code = code_of(stt_recvq_skip(&t->receive, f.offset, f.length));
    if (code != STT_CLOSE_NO_ERROR)
        return code; /* the reader waits where it begins, until the queue has it, too */
    return on_arrived(ep, now, t, highest, contiguous, consumed);
}

/* -- limits
 * -----------------------------------------------------------------------------------------------
 */

/* Streams that the session's limit held back. */
static void feed_starved(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    while (!stt_list_is_empty(&s->streams->starved)) {
        struct stt_list *link = stt_list_pop_front(&s->streams->starved);
        stt_stream_on_limit(ep, now, STT_LIST_ENTRY(link, struct stt_stream, held));
    }
}

static void allow_streams(struct stt_endpoint *ep, struct stt_session *s, uint64_t limit)
{
    s->streams->peer_allows = limit;
    if (s->streams->is_refused)
        stt_endpoint_report(ep, s, STT_PENDING_STREAMS);
    s->streams->is_refused = false;
}

uint64_t stt_arriving_limit(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                            uint64_t type, struct rd *r)
{
    struct frame_limit f;
    if (!stt_frame_limit_decode(r, type, &f))
        return STT_CLOSE_FRAME_ENCODING;
    if (stt_streams_make(ep, now, s) != STT_OK)
        return STT_UNHEARD;
    struct stt_streams *x = s->streams;
    switch (type) {
    case STT_FRAME_MAX_DATA:
        if (f.limit > x->send_limit) {
            x->send_limit = f.limit;
            feed_starved(ep, now, s);
        }
        break;
    case STT_FRAME_MAX_STREAMS:
        if (f.limit > x->peer_allows)
            allow_streams(ep, s, f.limit);
        break;
    case STT_FRAME_DATA_BLOCKED:
        x->is_awaited = f.limit >= x->window.limit;
        if (stt_window_has_more(&x->window))
            s->owed |= STT_OWES_MAX_DATA;
        break;
    default:
        if (stt_allowance_on_blocked(&x->allowance, f.limit, x->theirs.base))
            s->owed |= STT_OWES_MAX_STREAMS;
    }
    return STT_CLOSE_NO_ERROR;
}

uint64_t stt_arriving_stream_limit(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                                   uint64_t type, struct rd *r)
{
    struct frame_stream_limit f;
    uint64_t code;
    if (!stt_frame_stream_limit_decode(r, type, &f))
        return STT_CLOSE_FRAME_ENCODING;
    struct stt_stream *t = lookup(ep, now, s, f.stream, &code);
    if (!t)
        return code;
    if (type == STT_FRAME_STREAM_DATA_BLOCKED) {
        t->is_awaited = f.limit >= t->window.limit;
        if (stt_window_has_more(&t->window))
            stt_stream_owe(ep, t, STT_STREAM_OWES_LIMIT);
    } else if (f.limit > t->send_limit) {
        t->send_limit = f.limit;
        t->blocked_said = false;
        stt_stream_on_limit(ep, now, t);
    }
    return STT_CLOSE_NO_ERROR;
}

/* -- what the reader gives back
 * ------------------------------------------------------------------------ */

void stt_stream_on_consumed(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t, uint64_t len)
{
    struct stt_session *s = t->session;
    struct stt_streams *x = s->streams;
    stt_ns rtt = stt_loss_path(&s->loss)->rtt.smoothed;
    uint64_t window = t->window.window, max = ep->config.session_window_max;
    bool wants_more = !t->is_stopped && !t->was_reset && t->receive.end == STT_RECVQ_NO_END;
    bool tell = stt_window_on_consumed(&t->window, now, len, rtt, ep->config.stream_window_max) ||
                (t->is_awaited && stt_window_has_a_packet(&t->window));
    if (tell && wants_more)
        stt_stream_owe(ep, t, STT_STREAM_OWES_LIMIT);
    tell = stt_window_on_consumed(&x->window, now, len, rtt, max) ||
           (x->is_awaited && stt_window_has_a_packet(&x->window));
    if (t->window.window > window)
        tell = stt_window_on_stream_grown(&x->window, t->window.window, max) || tell;
    if (!tell)
        return;
    s->owed |= STT_OWES_MAX_DATA;
    stt_endpoint_ready(ep, s);
}
