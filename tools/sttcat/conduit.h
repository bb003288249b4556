/* SPDX-License-Identifier: MIT
 * conduit: one connection and one stream, and bytes both ways between them. Each direction ends by
 * itself (spec 10, "Forward").
 *
 *     socket == read ==> stt_stream_reserve     given     FIN <-> shutdown
 *     socket <== write == stt_stream_peek       taken     RESET and STOP <-> a reset connection */
#ifndef TOOLS_STTCAT_CONDUIT_H
#define TOOLS_STTCAT_CONDUIT_H

#include "stt/streams.h"
#include "tools/common/loop.h"

enum { CONDUIT_CODE_BROKEN = 1 };

struct conduit {
    struct stt_endpoint *ep;
    stt_handle stream;
    struct port port;         /* fd -1: the connection has ended */
    uint64_t given, taken;    /* bytes, to the stream and from it */
    bool gives, takes;        /* directions that have not ended */
    bool is_held;             /* what comes is not for the connection yet */
    bool has_room, has_bytes; /* the stream, as far as is known */
    bool is_watched;          /* only for errors ... */
    short kept;               /* ... and this was known to be ready */
    bool has_hung_up;
    bool is_broken; /* it is over, but was not whole */
};

/* Takes the connection over; it must not block. */
void conduit_begin(struct conduit *c, struct stt_endpoint *ep, stt_handle stream, int fd);
/* The connection is reset where it has not ended, so that nobody takes it for whole. */
void conduit_end(struct conduit *c);

/* What has happened to the stream. */
void conduit_on_stream(struct conduit *c, stt_ns now, const struct stt_stream_event *event);
/* Whether bytes could be given: then it makes sense to ask how many are allowed. */
bool conduit_can_give(const struct conduit *c);
/* Moves what can be moved, within bounds; true if something was. */
bool conduit_turn(struct conduit *c, stt_ns now, uint64_t allowed);
void conduit_want(struct conduit *c, struct loop *loop);

/* It breaks off here, on both sides. */
void conduit_break(struct conduit *c, stt_ns now);
static inline bool conduit_is_over(const struct conduit *c)
{
    return c->port.fd < 0;
}

#endif
