/* SPDX-License-Identifier: MIT
 * allowance: how many streams the peer may open (spec 05, "Limit"). It rises with each that has
 * ended, but not faster than a peer may open and reset them again, and not far above a number that
 * was left out.
 *
 *        lowest unused                    told        limit
 *     |=======|.===.==.=.......=..=.........|...........|        = used    . not yet
 *             \________ at most twice as many as may be open ___/      */
#ifndef STT_STREAM_ALLOWANCE_H
#define STT_STREAM_ALLOWANCE_H

#include "stt/types.h"

struct stt_allowance {
    uint64_t told;  /* as the peer knows it: all numbers below it; never falls */
    uint64_t ended; /* streams that count ... */
    uint64_t held;  /* ... and those that count when the second is over */
    uint32_t open_max;
    uint32_t resets; /* streams that were reset by the peer, and count in this second */
    stt_ns second_ends_at;
    bool asked; /* the peer is held up, and there was nothing to tell */
};

/* The peer knows of the first limit from the handshake. */
void stt_allowance_init(struct stt_allowance *a, uint32_t open_max);

/* Time has come that far: a second that is over gives back what it held. Also called before what
 * the peer resets is counted; early or twice it does nothing. */
void stt_allowance_on_time(struct stt_allowance *a, stt_ns now);
/* A stream is gone. */
void stt_allowance_on_ended(struct stt_allowance *a, bool was_reset);
/* When what is held back counts; STT_NEVER. */
static inline stt_ns stt_allowance_deadline(const struct stt_allowance *a)
{
    return a->held ? a->second_ends_at : STT_NEVER;
}

/* The limit that the peer could be told now. */
uint64_t stt_allowance_limit(const struct stt_allowance *a, uint64_t lowest_unused);
/* The peer says that this limit holds it up. True: there is more to tell. */
bool stt_allowance_on_blocked(struct stt_allowance *a, uint64_t limit, uint64_t lowest_unused);
/* The peer should be told: a quarter of the streams is free, or it has asked. */
bool stt_allowance_is_due(const struct stt_allowance *a, uint64_t lowest_unused);
/* The limit to tell the peer; from now on it is the one that the peer was told. */
uint64_t stt_allowance_tell(struct stt_allowance *a, uint64_t lowest_unused);

#endif
