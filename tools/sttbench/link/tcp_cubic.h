/* SPDX-License-Identifier: MIT
 * tcp_cubic: a window in whole packets, how it grows and how much is left of it after a loss, as
 * Linux has CUBIC and HyStart; integers only. */
#ifndef TOOLS_STTBENCH_LINK_TCP_CUBIC_H
#define TOOLS_STTBENCH_LINK_TCP_CUBIC_H

#include "stt/types.h"

enum {
    TCP_HZ = 250, /* the kernel's slow clock, which CUBIC and the timers go by */
    TCP_JIFFY_US = 1000000 / TCP_HZ,
    TCP_INITIAL_WINDOW = 10,
};
#define TCP_THRESHOLD_NONE UINT32_MAX

struct tcp_cubic {
    uint32_t window, threshold; /* packets; below the threshold the window doubles */
    uint32_t credit;            /* acked packets towards the next one more */

    uint32_t packets_for_one; /* acked, that the window grows by one */
    uint32_t max_window;      /* before the last loss, a little less if that came early */
    uint32_t origin, k;       /* where the cubic is flat, and when: s/1024 after the epoch began */
    uint64_t epoch_jiffy, updated_jiffy;
    bool has_epoch;
    uint32_t updated_window;
    uint32_t friendly_window, friendly_acked; /* what Reno would have */
    uint64_t delay_min_us;                    /* 0: none measured */

    bool has_left; /* slow start, by HyStart */
    uint64_t round_us, train_us, round_end, round_rtt_us;
    uint32_t round_samples;
};

/* What is acknowledged and sent of the stream, and how fast that goes. */
struct tcp_progress {
    uint64_t una, nxt, rate_bytes_per_s;
};

void tcp_cubic_init(struct tcp_cubic *c, uint64_t now_us);
static inline bool tcp_cubic_is_doubling(const struct tcp_cubic *c)
{
    return c->window < c->threshold;
}
/* A round trip was measured. */
void tcp_cubic_on_delay(struct tcp_cubic *c, uint64_t now_us, uint64_t delay_us,
                        const struct tcp_progress *progress);
void tcp_cubic_on_acked(struct tcp_cubic *c, uint64_t now_us, uint32_t packets);
/* Sets the threshold, which the caller brings the window to. */
void tcp_cubic_on_loss(struct tcp_cubic *c);
/* Everything but window and threshold is forgotten. */
void tcp_cubic_on_timeout(struct tcp_cubic *c, uint64_t now_us, uint64_t nxt);

#endif
