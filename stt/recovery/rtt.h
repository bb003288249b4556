/* SPDX-License-Identifier: MIT
 * rtt: the round-trip time of a path and what follows from it. Spec 06, "Round-trip time", "Timer".
 *
 * min_rtt is the least of the last two windows of 5 s, the present one and the one before: so it is
 * never older than 10 s, and no list of samples is kept. */
#ifndef STT_RECOVERY_RTT_H
#define STT_RECOVERY_RTT_H

#include "stt/types.h"
#include "stt/wire/limits.h"

#define STT_RTT_MAX_NS    STT_S(60) /* longer ones count as this: nothing overflows */
#define STT_RTT_LEAST_NS  STT_US(1)
#define STT_RTT_WINDOW_NS (STT_RTT_MIN_NS / 2)

struct stt_rtt {
    stt_ns latest, smoothed, variance;
    stt_ns min;           /* of both windows */
    stt_ns window_min[2]; /* of the present one, and of the one before */
    stt_ns window_at;     /* when the present one began */
    bool has_sample;
};

#define STT_RTT_INIT                                                                               \
    ((struct stt_rtt){.smoothed = STT_RTT_FIRST_NS, .variance = STT_RTT_FIRST_NS / 2})

static inline stt_ns stt_rtt_least(stt_ns a, stt_ns b)
{
    return a < b ? a : b;
}

/* Windows that are over begin with this sample. */
static inline void stt_rtt_slide(struct stt_rtt *r, stt_ns now, stt_ns sample)
{
    uint64_t over = (now - r->window_at) / STT_RTT_WINDOW_NS;
    r->window_at += over * STT_RTT_WINDOW_NS;
    if (over == 1)
        r->window_min[1] = r->window_min[0];
    else if (over > 1)
        r->window_min[1] = sample;
    r->window_min[0] = over ? sample : stt_rtt_least(r->window_min[0], sample);
    r->min = stt_rtt_least(r->window_min[0], r->window_min[1]);
}

/* `ack_delay` is the peer's word, clamped to what it may claim. */
static inline void stt_rtt_sample(struct stt_rtt *r, stt_ns now, stt_ns sample, stt_ns ack_delay)
{
    sample = stt_rtt_least(sample, STT_RTT_MAX_NS);
    sample = sample > STT_RTT_LEAST_NS ? sample : STT_RTT_LEAST_NS;
    if (!r->has_sample) {
        *r = (struct stt_rtt){sample, sample, sample / 2, sample, {sample, sample}, now, true};
        return;
    }
    r->latest = sample;
    stt_rtt_slide(r, now, sample);
    stt_ns adjusted = sample - r->min >= ack_delay ? sample - ack_delay : sample;
    stt_ns off = adjusted > r->smoothed ? adjusted - r->smoothed : r->smoothed - adjusted;
    r->variance = (3 * r->variance + off) / 4;
    r->smoothed = (7 * r->smoothed + adjusted) / 8;
}

/* Without backoff. */
static inline stt_ns stt_rtt_pto(const struct stt_rtt *r, stt_ns max_ack_delay)
{
    stt_ns spread = 4 * r->variance;
    return r->smoothed + (spread > STT_LOSS_GRANULARITY_NS ? spread : STT_LOSS_GRANULARITY_NS) +
           max_ack_delay;
}

/* After so many in a row without an answer. */
static inline stt_ns stt_rtt_backed_off(stt_ns pto, unsigned backoff)
{
    unsigned doublings = backoff < STT_PTO_BACKOFF_MAX ? backoff : STT_PTO_BACKOFF_MAX;
    stt_ns most = pto > STT_PTO_NS_MAX ? pto : STT_PTO_NS_MAX;
    return stt_rtt_least(pto << doublings, most);
}

#endif
