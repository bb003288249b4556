/* SPDX-License-Identifier: MIT
 * lanes: the byte streams over which one side gives. Both ends begin with a number each (spec 10,
 * "Pipe"). */
#ifndef TOOLS_STTCAT_LANES_H
#define TOOLS_STTCAT_LANES_H

#include "tools/sttcat/peer.h"

struct lanes {
    struct peer *peer;
    uint32_t n;                         /* how many there are, opened or expected */
    uint32_t n_open;                    /* giving: opened, taking: heard of */
    stt_handle streams[WIRE_LANES_MAX]; /* 0: not there yet */
};

/* Giving: opens what the peer allows, and their numbers; call it in each turn until all are there.
 * False: the session is over, or it has failed just now. */
void lanes_begin(struct lanes *l, struct peer *peer, uint32_t n);
bool lanes_open(struct lanes *l);
bool lanes_are_open(const struct lanes *l);
void lanes_finish(struct lanes *l);

/* Taking: a stream that the peer has opened. False: it cannot be. */
bool lanes_take(struct lanes *l, const struct stt_stream_event *event);

#endif
