/* SPDX-License-Identifier: MIT
 * late: gives up messages whose deadlines have passed, in the order of the stream, so that what is
 * skipped counts for flow control as if it had been sent. One whose turn has not come waits:
 * nothing new behind its beginning is sent meanwhile. One that ends beyond the peer's limits is
 * sent as far as they reach, for it may be longer than the window: then they rise only when it is
 * read. Spec 05, "Deadlines". */
#include "stt/session/engine.h"

static void rearm(struct stt_endpoint *ep, struct stt_stream *t)
{
    struct stt_session *s = t->session;
    struct stt_late *late = t->late;
    stt_ns next = stt_late_waits(late) ? STT_NEVER : stt_deadlines_next(&late->deadlines);
    stt_timers_set(&s->streams->late, &late->timer, next < late->look_at ? next : late->look_at);
    stt_session_set(s, STT_TIMER_LATE, stt_timers_next(&s->streams->late));
    stt_session_rearm(ep, s);
}

static struct stt_late *make(struct stt_endpoint *ep, struct stt_stream *t)
{
    struct stt_late *late = stt_env_alloc(&ep->env, sizeof *late);
    if (!late)
        return NULL;
    *late = (struct stt_late){.stream = t, .stuck = UINT64_MAX, .look_at = STT_NEVER};
    if (stt_timers_add(&t->session->streams->late, &late->timer) == STT_OK)
        return late;
    stt_env_release(&ep->env, late, sizeof *late);
    return NULL;
}

void stt_late_on_written(struct stt_endpoint *ep, struct stt_stream *t)
{
    if (!t->late || !t->late->skips.n)
        return;
    stt_skips_say_again(&t->late->skips);
    stt_stream_owe(ep, t, STT_STREAM_OWES_SKIP);
}

void stt_late_add(struct stt_endpoint *ep, struct stt_stream *t, struct stt_range message,
                  stt_ns at)
{
    if (!t->late)
        t->late = make(ep, t);
    if (!t->late || stt_deadlines_add(&t->late->deadlines, &ep->env, message, at) != STT_OK)
        return;
    rearm(ep, t);
}

void stt_late_free(struct stt_endpoint *ep, struct stt_stream *t)
{
    if (!t->late)
        return;
    stt_timers_remove(&t->session->streams->late, &t->late->timer);
    stt_deadlines_free(&t->late->deadlines, &ep->env);
    stt_env_release(&ep->env, t->late, sizeof *t->late);
    t->late = NULL;
}

/* What is acknowledged above the first gap. */
static const struct stt_ranges *acked_above(const struct stt_stream *t, struct stt_ranges *one)
{
    const struct stt_spans *holes = &t->send.holes;
    if (holes->many == STT_SPANS_MANY)
        return holes->table;
    *one = (struct stt_ranges){
        .at = (struct stt_range *)&holes->one, .n = stt_spans_count(holes), .capacity = 1};
    return one;
}

/* Everything before it was sent, and there is room to remember it. */
static bool has_its_turn(const struct stt_stream *t, struct stt_range message)
{
    return message.from <= t->send.sent && stt_skips_room(&t->late->skips);
}

/* The peer allows all of it. */
static bool is_within_limits(const struct stt_stream *t, struct stt_range message)
{
    const struct stt_streams *x = t->session->streams;
    uint64_t credit = t->send.sent + (x->send_limit - x->sent);
    return message.to <= t->send_limit && message.to <= credit;
}

static void give_up(struct stt_endpoint *ep, struct stt_stream *t, struct stt_range message)
{
    uint64_t sent = t->send.sent;
    stt_deadlines_give_up(&t->late->deadlines, message);
    if (!stt_sendq_skip(&t->send, message.from, message.to))
        return; /* no memory: it goes on being sent */
    t->session->streams->sent += t->send.sent - sent;
    t->late->given_up++;
    stt_skips_add(&t->late->skips, message);
    stt_stream_owe(ep, t, STT_STREAM_OWES_SKIP);
}

void stt_late_look(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t)
{
    struct stt_late *late = t->late;
    struct stt_ranges one;
    struct stt_range message;
    if (t->is_reset)
        return;
    late->stuck = UINT64_MAX;
    late->look_at = STT_NEVER;
    late->is_beyond = false;
    while (!stt_late_waits(late) &&
           stt_deadlines_due(&late->deadlines, now, acked_above(t, &one), &message)) {
        if (!has_its_turn(t, message))
            late->stuck = message.from;
        else if (!is_within_limits(t, message))
            late->is_beyond = true;
        else
            give_up(ep, t, message);
    }
    stt_late_on_acked(ep, now, t);
    stt_stream_on_room(ep, t);
    stt_stream_schedule(ep, now, t);
}

void stt_late_look_soon(stt_ns now, struct stt_stream *t)
{
    struct stt_late *late = t->late;
    late->look_at = now;
    stt_timers_set(&t->session->streams->late, &late->timer, now);
    stt_session_set(t->session, STT_TIMER_LATE, now);
}

/* How long so many bytes take at half the rate that window and pace allow: something is always sent
 * again, or comes in bursts. On a link of half the rate that was wanted, 174 messages of 500
 * arrived in time with this, 126 by the window alone, which with tide and bbr has room for acks in
 * bursts, and 15 when each was begun that was not late yet (that with cubic, which has 163 by
 * this). */
static stt_ns time_of(const struct stt_session *s, uint64_t bytes)
{
    const struct stt_congestion *c = &s->streams->congestion;
    if (!c->rtt->has_sample || c->window_bytes == STT_UNLIMITED)
        return 0;
    stt_ns by_pace = bytes * STT_S(1) / stt_at_least(c->rate_bytes_per_s, 1);
    stt_ns by_window = bytes * c->rtt->smoothed / c->window_bytes;
    return 2 * (by_window > by_pace ? by_window : by_pace);
}

/* The limits have not risen enough for the one that is late. */
static bool is_still_beyond(stt_ns now, struct stt_stream *t)
{
    struct stt_ranges one;
    struct stt_range message;
    return stt_deadlines_due(&t->late->deadlines, now, acked_above(t, &one), &message) &&
           !is_within_limits(t, message);
}

void stt_late_foresee(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t)
{
    const struct stt_deadlines_entry *e;
    if (t->late->is_beyond && !is_still_beyond(now, t))
        stt_late_look_soon(now, t);
    while ((e = stt_deadlines_at(&t->late->deadlines, t->send.sent))) {
        struct stt_range message = e->message;
        bool is_in_time = now + time_of(t->session, message.to - message.from) <= e->at;
        if (is_in_time || !has_its_turn(t, message) || !is_within_limits(t, message))
            return;
        give_up(ep, t, message);
    }
}

void stt_late_on_acked(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t)
{
    (void)now;
    stt_deadlines_on_acked(&t->late->deadlines, t->send.acked);
    rearm(ep, t);
}

void stt_late_on_skip_acked(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t,
                            uint64_t mark)
{
    stt_skips_on_acked(&t->late->skips, mark & ~STT_LATE_MARK);
    if (stt_late_waits(t->late))
        stt_late_look(ep, now, t);
}

/* The session's timer: some stream has something that is late by now. */
void stt_streams_on_late(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    struct stt_timer *timer;
    if (!s->streams)
        return;
    while ((timer = stt_timers_pop(&s->streams->late, now)))
        stt_late_look(ep, now, STT_LIST_ENTRY(timer, struct stt_late, timer)->stream);
    stt_session_set(s, STT_TIMER_LATE, stt_timers_next(&s->streams->late));
}
