/* SPDX-License-Identifier: MIT
 * holding: owns nothing; reads which of the eight of spec 06, "What held the session back", applies
 * to a session now. Invariant: it changes nothing but the account. It must not know why a caller
 * asks: what the session, its streams and its path say is enough. The cost does not depend on the
 * number of streams, and nothing here is asked for a packet. */
#include "stt/session/engine.h"

/* Nothing is in the scheduler: what streams have is held back by limits, or there is none. */
static enum stt_held_by by_limits(const struct stt_streams *x)
{
    if (!stt_list_is_empty(&x->starved))
        return STT_HELD_SESSION_FLOW;
    return stt_list_is_empty(&x->blocked) ? STT_HELD_APPLICATION : STT_HELD_STREAM_FLOW;
}

/* The scheduler knows of the streams' own limits only; the first one in it speaks for all. */
static bool is_in_session_limit(const struct stt_streams *x, struct stt_schedule *first)
{
    const struct stt_stream *t = STT_LIST_ENTRY(first, struct stt_stream, schedule);
    if (x->datagrams && first == &x->datagrams->schedule)
        return true; /* datagrams wait for no limit */
    return stt_sendq_has(&t->send, t->send.sent + (x->send_limit - x->sent));
}

/* When the next train may go, as far as the pacer knows now. */
static stt_ns paced_until(const struct stt_streams *x)
{
    uint64_t rate = x->congestion.rate_bytes_per_s;
    return rate == STT_UNLIMITED ? 0 : stt_pacer_next(&x->pacer, rate);
}

/* Of data that is ready. */
static enum stt_held_by by_path(const struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    uint64_t in_flight = stt_loss_path(&s->loss)->in_flight_bytes;
    if (stt_paths_allowance(&s->paths) < s->packet_bytes ||
        !stt_rekeying_for_data(s, stt_protect_sealable(s->protect)))
        return STT_HELD_PATH;
    if (s->streams->congestion.window_bytes < in_flight + s->packet_bytes)
        return STT_HELD_WINDOW;
    if (paced_until(s->streams) > now)
        return STT_HELD_PACER;
    return stt_sending_is_writable(ep, stt_paths_current(&s->paths)) ? STT_HELD_MACHINE
                                                                     : STT_HELD_CARRIER;
}

static enum stt_held_by by_what(const struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    struct stt_schedule *first = stt_scheduler_next(&s->streams->scheduler);
    if (!first)
        return by_limits(s->streams);
    if (!is_in_session_limit(s->streams, first))
        return STT_HELD_SESSION_FLOW;
    return by_path(ep, now, s);
}

void stt_holding_judge(const struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (!s->streams || s->state != STT_SESSION_OPEN)
        return;
    enum stt_held_by by = by_what(ep, now, s);
    stt_ns until = by == STT_HELD_PACER ? paced_until(s->streams) : STT_NEVER;
    stt_held_switch_until(&s->streams->held, now, by, until);
}
