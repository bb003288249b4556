/* SPDX-License-Identifier: MIT
 * throughput: bytes, and how many of them came in the last whole second. Seconds are counted from
 * the time of init; one in which nothing came needs no call. Spec 06, "Statistics". */
#ifndef STT_SESSION_THROUGHPUT_H
#define STT_SESSION_THROUGHPUT_H

#include "stt/types.h"

#define STT_THROUGHPUT_WINDOW_NS STT_S(1)

struct stt_throughput {
    uint64_t bytes;  /* in all */
    uint64_t before; /* of these before the present second */
    uint64_t last;   /* of these in the second before it */
    stt_ns window_at;
};

#define STT_THROUGHPUT_INIT(now) ((struct stt_throughput){.window_at = (now)})

static inline void stt_throughput_slide(struct stt_throughput *t, stt_ns now)
{
    if (now < t->window_at + STT_THROUGHPUT_WINDOW_NS)
        return;
    uint64_t over = (now - t->window_at) / STT_THROUGHPUT_WINDOW_NS;
    t->last = over == 1 ? t->bytes - t->before : 0;
    t->before = t->bytes;
    t->window_at += over * STT_THROUGHPUT_WINDOW_NS;
}

/* For an ACK or a read, not for a packet. */
static inline void stt_throughput_add(struct stt_throughput *t, stt_ns now, uint64_t bytes)
{
    stt_throughput_slide(t, now);
    t->bytes += bytes;
}

static inline uint64_t stt_throughput_bytes_per_s(const struct stt_throughput *t, stt_ns now)
{
    struct stt_throughput at_now = *t;
    stt_throughput_slide(&at_now, now);
    return at_now.last;
}

/* 0 over no time. */
static inline uint64_t stt_throughput_mean(uint64_t bytes, stt_ns over)
{
    return over ? (uint64_t)((unsigned __int128)bytes * STT_S(1) / over) : 0;
}

#endif
