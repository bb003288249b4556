/* SPDX-License-Identifier: MIT
 * late: messages that are not worth sending any more (spec 05, "Deadlines"). A stream has this only
 * once a message with a deadline was written to it. */
#ifndef STT_STREAM_LATE_H
#define STT_STREAM_LATE_H

#include "stt/base/timers.h"
#include "stt/stream/deadlines.h"
#include "stt/stream/skips.h"

struct stt_endpoint;
struct stt_session;
struct stt_stream;

struct stt_late {
    struct stt_timer timer; /* among those of the session */
    struct stt_stream *stream;
    struct stt_deadlines deadlines;
    struct stt_skips skips;
    uint64_t given_up;
    uint64_t stuck; /* new data ends here: this message is late, and cannot be given up yet */
    bool is_beyond; /* one is late, and goes on being sent, for it ends beyond the limits */
    stt_ns look_at; /* what it waited for has come; STT_NEVER */
};

/* Something is late, and what it waits for is not time. */
static inline bool stt_late_waits(const struct stt_late *late)
{
    return late->stuck != UINT64_MAX || late->is_beyond;
}

/* A piece that stands for a SKIP is known by its offset. */
#define STT_LATE_MARK (UINT64_C(1) << 63)

/* The message was queued; without memory it has no deadline. */
void stt_late_add(struct stt_endpoint *ep, struct stt_stream *t, struct stt_range message,
                  stt_ns at);
/* One more message: what the peer has not acknowledged to be skipped is said again with it, for it
 * would have to wait behind that. */
void stt_late_on_written(struct stt_endpoint *ep, struct stt_stream *t);
/* Gives up what is late by now, as far as limits allow. */
void stt_late_look(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t);
/* The same, with the timer: while a train is packed, what it is made of must stay. */
void stt_late_look_soon(stt_ns now, struct stt_stream *t);
/* New data is about to be sent: a message that would be late before its end is not begun. */
void stt_late_foresee(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t);
/* More of the stream is acknowledged. */
void stt_late_on_acked(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t);
void stt_late_on_skip_acked(struct stt_endpoint *ep, stt_ns now, struct stt_stream *t,
                            uint64_t mark);
void stt_late_free(struct stt_endpoint *ep, struct stt_stream *t);

#endif
