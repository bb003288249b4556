/* SPDX-License-Identifier: MIT
 * window: how far ahead of its reader a peer may send, for a stream or a session (spec 05, "Flow
 * control"). It starts small and doubles while it holds the sender back.
 *
 *     |==== consumed ====|~~~~~~~~ arrived, or allowed to ~~~~~~~~|.. freed ..|
 *     0              consumed                                   limit    consumed + window */
#ifndef STT_STREAM_WINDOW_H
#define STT_STREAM_WINDOW_H

#include "stt/types.h"

struct stt_window {
    uint64_t limit;      /* as the peer was told; never falls */
    uint64_t window;     /* never shrinks: the peer may have used it already */
    uint64_t consumed;   /* read, skipped, or dropped with its stream */
    uint64_t tuned_from; /* consumed, when the size was last looked at ... */
    stt_ns tuned_at;     /* ... which was then */
};

/* The peer knows of the first window from the handshake. */
void stt_window_init(struct stt_window *w, stt_ns now, uint64_t window);

/* So many bytes more were consumed; grows the window up to `max_window`: what is configured, or
 * less when the pool cannot give that. True: the peer should be told of the new limit now, for a
 * quarter of the window is free. */
bool stt_window_on_consumed(struct stt_window *w, stt_ns now, uint64_t bytes, stt_ns smoothed_rtt,
                            uint64_t max_window);

/* The session's window is at least 1.5 times the largest stream window. True as above. */
bool stt_window_on_stream_grown(struct stt_window *session, uint64_t stream_window,
                                uint64_t max_window);

/* A peer that says it is blocked is told at once if there is anything to tell. */
bool stt_window_has_more(const struct stt_window *w);
/* Or else as soon as it is as much as a packet: it may say so only once. */
bool stt_window_has_a_packet(const struct stt_window *w);

/* The limit to tell the peer; from now on it is the one that the peer was told. */
uint64_t stt_window_announce(struct stt_window *w);

#endif
