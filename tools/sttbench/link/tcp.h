/* SPDX-License-Identifier: MIT
 * tcp: a bulk flow of TCP in a simulated world, with CUBIC as a Linux kernel has it by default, to
 * be measured beside sessions: two machines, a sender and a receiver (spec/decisions/0033).
 *
 * A full packet of it is a datagram of 1,452 bytes that carries 1,428 of the stream, an ack one of
 * 24 bytes and its SACK blocks: with the 28 bytes that a link is told to put around them, that is
 * what IPv4 and TCP with timestamps have at an MTU of 1,480. */
#ifndef TOOLS_STTBENCH_LINK_TCP_H
#define TOOLS_STTBENCH_LINK_TCP_H

#include "stt/sim.h"

enum { TCP_DATAGRAM_BYTES = 1452, TCP_SEGMENT_BYTES = 1428 };

struct tcp_setup {
    struct stt_address from, to; /* sender and receiver; the caller routes between them */
    stt_ns at;                   /* when it begins to connect */
    stt_ns until;                /* from then on nothing new is written; 0: endless */
    uint64_t bytes;              /* as many are written; 0: endless */
};

/* NULL: no memory. The flow must outlive the sim. */
struct tcp_flow *tcp_begin(struct stt_sim *sim, const struct tcp_setup *setup) STT_MUST_USE;
/* After stt_sim_free(); NULL is fine. */
void tcp_end(struct tcp_flow *t);

/* In order, by an application that always reads at once. */
uint64_t tcp_read_bytes(const struct tcp_flow *t);
stt_ns tcp_connected_at(const struct tcp_flow *t); /* STT_NEVER: not yet */
stt_ns tcp_ended_at(const struct tcp_flow *t);     /* all is acknowledged; STT_NEVER: not yet */

uint64_t tcp_window_bytes(const struct tcp_flow *t); /* of the stream, in whole packets */
uint64_t tcp_sent_bytes(const struct tcp_flow *t);   /* of the stream, all copies */
uint64_t tcp_retransmitted_bytes(const struct tcp_flow *t);
stt_ns tcp_rtt_ns(const struct tcp_flow *t);       /* smoothed; 0: not known yet */
uint32_t tcp_reductions(const struct tcp_flow *t); /* of the window for a loss */
uint32_t tcp_timeouts(const struct tcp_flow *t);

#endif
