/* SPDX-License-Identifier: MIT
 * tcp_receiver: what arrives of a TCP flow, and when and how that is acknowledged. */
#ifndef TOOLS_STTBENCH_LINK_TCP_RECEIVER_H
#define TOOLS_STTBENCH_LINK_TCP_RECEIVER_H

#include "stt/base/ranges.h"
#include "tools/sttbench/link/tcp_wire.h"

enum { TCP_RECENT_MAX = 4, TCP_ACKS_MAX = 2 * STT_TRAIN_SEGMENTS };

struct tcp_receiver {
    uint64_t next;                           /* the first segment that is missing */
    uint64_t last, last_less;                /* the segment that is not full, and what it lacks */
    struct stt_ranges early;                 /* behind it */
    struct tcp_block recent[TCP_RECENT_MAX]; /* of those, the one that grew last first */
    uint32_t n_recent;
    struct tcp_block twice; /* empty: nothing was, since the last ack */

    uint64_t told;              /* `next` in the last ack */
    uint32_t stamp_ms;          /* the one to answer */
    uint32_t quick;             /* so many acks go out at once */
    uint64_t repeated;          /* the `next` that ... */
    uint32_t n_repeats, n_held; /* ... so many acks say; and so many were not sent */
    stt_ns delayed_at, held_at; /* STT_NEVER: no ack waits */
    stt_ns greeted_at, rtt_ns;

    uint64_t window, window_most; /* the receive window, in segments, and what it grows to */
    uint64_t round_from, round_n; /* segments of the fastest round trip; it grows with that */
    stt_ns round_at;

    struct tcp_packet acks[TCP_ACKS_MAX]; /* to go out now */
    uint32_t n_acks, n_taken;
};

bool tcp_receiver_init(struct tcp_receiver *r) STT_MUST_USE;
void tcp_receiver_fini(struct tcp_receiver *r);
void tcp_receiver_on_packet(struct tcp_receiver *r, stt_ns now, const struct tcp_packet *p);
void tcp_receiver_on_expired(struct tcp_receiver *r, stt_ns now);
stt_ns tcp_receiver_deadline(const struct tcp_receiver *r);
/* The next ack to go out; NULL: none. Until the next call. */
const struct tcp_packet *tcp_receiver_take(struct tcp_receiver *r);
uint64_t tcp_receiver_read_bytes(const struct tcp_receiver *r);

#endif
