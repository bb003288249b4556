/* SPDX-License-Identifier: MIT
 * tcp_rtt: the round trip as a Linux kernel smooths it, and the timeout that it makes of it: the
 * smoothed one and four deviations, which count as 200 ms at least. */
#ifndef TOOLS_STTBENCH_LINK_TCP_RTT_H
#define TOOLS_STTBENCH_LINK_TCP_RTT_H

#include "stt/types.h"

enum { TCP_RTO_LEAST_US = 200000, TCP_RTO_MOST_US = 120000000, TCP_RTO_FIRST_US = 1000000 };

struct tcp_rtt {
    int64_t smoothed_8;  /* eighths of us; 0: none measured */
    int64_t deviation_4; /* quarters of us */
    int64_t most_4;      /* of this round */
    int64_t spread_us;
    uint64_t round_end;
    uint64_t least_us; /* 0: none measured */
    uint64_t rto_us;
};

static inline void tcp_rtt_init(struct tcp_rtt *r)
{
    *r = (struct tcp_rtt){.rto_us = TCP_RTO_FIRST_US};
}

static inline uint64_t tcp_rtt_smoothed_us(const struct tcp_rtt *r)
{
    return (uint64_t)r->smoothed_8 / 8;
}

static inline void tcp_rtt_begin(struct tcp_rtt *r, int64_t sample_us, uint64_t nxt)
{
    r->smoothed_8 = sample_us * 8;
    r->deviation_4 = sample_us * 2;
    r->spread_us = r->deviation_4 > TCP_RTO_LEAST_US ? r->deviation_4 : TCP_RTO_LEAST_US;
    r->most_4 = r->spread_us;
    r->round_end = nxt;
}

/* What is shorter than expected raises the deviation by an eighth of what others do. */
static inline void tcp_rtt_follow(struct tcp_rtt *r, int64_t sample_us)
{
    int64_t off = sample_us - r->smoothed_8 / 8;
    r->smoothed_8 += off;
    bool is_shorter = off < 0;
    int64_t more = (is_shorter ? -off : off) - r->deviation_4 / 4;
    r->deviation_4 += is_shorter && more > 0 ? more / 8 : more;
    if (r->deviation_4 > r->most_4)
        r->most_4 = r->deviation_4;
    if (r->most_4 > r->spread_us)
        r->spread_us = r->most_4;
}

static inline void tcp_rtt_on_sample(struct tcp_rtt *r, uint64_t sample_us, uint64_t una,
                                     uint64_t nxt)
{
    if (r->smoothed_8)
        tcp_rtt_follow(r, (int64_t)sample_us);
    else
        tcp_rtt_begin(r, (int64_t)(sample_us ? sample_us : 1), nxt);
    if (una > r->round_end) {
        if (r->most_4 < r->spread_us)
            r->spread_us -= (r->spread_us - r->most_4) / 4;
        r->round_end = nxt;
        r->most_4 = TCP_RTO_LEAST_US;
    }
    r->rto_us = tcp_rtt_smoothed_us(r) + (uint64_t)r->spread_us;
    if (r->rto_us > TCP_RTO_MOST_US)
        r->rto_us = TCP_RTO_MOST_US;
}

static inline void tcp_rtt_on_timeout(struct tcp_rtt *r)
{
    r->rto_us = r->rto_us * 2 < TCP_RTO_MOST_US ? r->rto_us * 2 : TCP_RTO_MOST_US;
}

#endif
