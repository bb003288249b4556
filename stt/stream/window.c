/* SPDX-License-Identifier: MIT
 * window: owns nothing but numbers. Invariants: limit <= consumed + window, tuned_from <= consumed;
 * neither limit nor window ever falls. It must not know frames, the pool, nor a clock: time is what
 * it is told. Spec 05, "Flow control", "Auto-tuning". */
#include "stt/stream/window.h"

#include "stt/wire/limits.h"
#include "stt/wire/varint.h"

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Offsets end where varints do. */
static uint64_t reach(const struct stt_window *w)
{
    return least(w->consumed + w->window, STT_VARINT_MAX);
}

static bool is_quarter_free(const struct stt_window *w)
{
    return stt_window_has_more(w) && reach(w) - w->limit >= w->window / 4;
}

static void grow(struct stt_window *w, uint64_t wanted, uint64_t max_window)
{
    wanted = least(least(wanted, max_window), STT_VARINT_MAX);
    if (w->window < wanted)
        w->window = wanted;
}

/* A sender that the window holds back sends all of it in each round trip. One that has four times
 * what it needs takes two round trips for half of it, and there it ends. */
static void tune(struct stt_window *w, stt_ns now, stt_ns smoothed_rtt, uint64_t max_window)
{
    if (w->consumed - w->tuned_from < w->window / 2)
        return;
    if (now - w->tuned_at < 2 * smoothed_rtt)
        grow(w, 2 * w->window, max_window);
    w->tuned_from = w->consumed;
    w->tuned_at = now;
}

void stt_window_init(struct stt_window *w, stt_ns now, uint64_t window)
{
    *w = (struct stt_window){.limit = window, .window = window, .tuned_at = now};
}

bool stt_window_on_consumed(struct stt_window *w, stt_ns now, uint64_t bytes, stt_ns smoothed_rtt,
                            uint64_t max_window)
{
    w->consumed += bytes;
    tune(w, now, smoothed_rtt, max_window);
    return is_quarter_free(w);
}

bool stt_window_on_stream_grown(struct stt_window *session, uint64_t stream_window,
                                uint64_t max_window)
{
    grow(session, stream_window + stream_window / 2, max_window);
    return is_quarter_free(session);
}

bool stt_window_has_more(const struct stt_window *w)
{
    return reach(w) > w->limit;
}

bool stt_window_has_a_packet(const struct stt_window *w)
{
    return stt_window_has_more(w) && reach(w) - w->limit >= STT_DATAGRAM_BYTES_MIN;
}

uint64_t stt_window_announce(struct stt_window *w)
{
    w->limit = reach(w);
    return w->limit;
}
