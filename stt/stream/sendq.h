/* SPDX-License-Identifier: MIT
 * sendq: what a stream still owes its peer (spec 05, "Sending"). Bytes are copied in once, sealed
 * from here as often as it takes, and leave when they are acknowledged without a gap.
 *
 *          acked      in flight      unsent
 *     |===========|~~~~~~~~~~~~~~|............|      acked <= sent <= queued <= acked + capacity
 *     0         acked          sent        queued
 *
 * Between acked and sent some ranges are acknowledged already, some are lost and wait to be sent
 * again. An idle queue holds no memory but itself. */
#ifndef STT_STREAM_SENDQ_H
#define STT_STREAM_SENDQ_H

#include "stt/base/bytes.h"
#include "stt/stream/spans.h"

#include <assert.h>

struct stt_sendq {
    struct stt_chunks chunks;
    uint64_t acked, sent, queued;
    struct stt_spans holes; /* above `acked`: what is acknowledged already, or skipped */
    struct stt_spans lost;  /* what must be sent again, but for what is in holes */
    bool is_finished;       /* FIN stands at `queued` */
    bool fin_sent, fin_acked, fin_lost;
};

/* What goes into one frame. */
struct stt_sendq_piece {
    uint64_t offset;
    uint32_t len;
    bool fin;
    bool is_repeated;
};

void stt_sendq_init(struct stt_sendq *q, struct stt_chunk_pool *pool);
/* Gives everything back. Also for RESET: nothing is owed any more, `sent` stays, acks and losses
 * that are still to come do nothing, nothing can be written, and it is never done. */
void stt_sendq_fini(struct stt_sendq *q);

/* Copies in as much as fits below acked + capacity and the pool gives; answers how much. */
size_t stt_sendq_write(struct stt_sendq *q, struct bytes data, uint64_t capacity);
/* The same without a copy: memory to write into, or NULL; then how much of it was written. Each
 * reserve that gave memory is followed by a commit before anything else, if only of 0. */
uint8_t *stt_sendq_reserve(struct stt_sendq *q, uint64_t capacity, size_t *len) STT_MUST_USE;
/* Several such pieces, back to back; answers how many. */
struct stt_sendq_room {
    uint8_t *data;
    size_t len;
};
size_t stt_sendq_reserve_parts(struct stt_sendq *q, uint64_t capacity, struct stt_sendq_room *parts,
                               size_t max) STT_MUST_USE;
/* What was reserved behind it is given back. */
void stt_sendq_commit(struct stt_sendq *q, size_t len);
/* A reserve gave at least so much, and nothing has changed since. */
bool stt_sendq_may_commit(const struct stt_sendq *q, uint64_t capacity, size_t len);
/* The queue ends at `to` once more: what was written behind it, and not sent, never was. */
void stt_sendq_take_back(struct stt_sendq *q, uint64_t to);
/* Nothing more will be written: FIN. */
void stt_sendq_finish(struct stt_sendq *q);

/* Something that was sent before and must be sent again. */
static inline bool stt_sendq_has_lost(const struct stt_sendq *q)
{
    return !stt_spans_is_empty(&q->lost) || q->fin_lost;
}

/* FIN by itself, for all the bytes before it have been sent. */
static inline bool stt_sendq_owes_fin(const struct stt_sendq *q)
{
    return q->is_finished && q->sent == q->queued && (!q->fin_sent || q->fin_lost);
}

/* Something to send: lost bytes, or new ones below `limit` (flow control), or FIN. */
static inline bool stt_sendq_has(const struct stt_sendq *q, uint64_t limit)
{
    return q->sent < (q->queued < limit ? q->queued : limit) || stt_sendq_has_lost(q) ||
           stt_sendq_owes_fin(q);
}

/* All that it has to send are new bytes, one behind the other. */
static inline bool stt_sendq_runs(const struct stt_sendq *q)
{
    return q->sent < q->queued && stt_spans_is_empty(&q->holes) && !stt_sendq_has_lost(q);
}

/* They were sent, up to here; it is not all. */
static inline void stt_sendq_run(struct stt_sendq *q, uint64_t to)
{
    assert(to < q->queued && stt_sendq_runs(q));
    q->sent = to;
}

/* The next piece of at most `room` bytes, lost ones first; it counts as sent. With room for none,
 * only FIN may come. With limit 0, only what was lost, or FIN. False when there is none. */
bool stt_sendq_next(struct stt_sendq *q, uint64_t limit, size_t room,
                    struct stt_sendq_piece *piece);
/* Where the bytes of a piece lie: at most `max` parts (a piece of a packet spans 2, of 64 KiB 5).
 */
size_t stt_sendq_parts(const struct stt_sendq *q, uint64_t offset, size_t len, struct bytes *parts,
                       size_t max);

/* Of a piece. Answers how many bytes are acknowledged by it for the first time. In order it is
 * O(1). An ack that there is no memory to remember is forgotten: its bytes are sent again, and
 * count when they are acknowledged once more. */
uint64_t stt_sendq_on_acked(struct stt_sendq *q, uint64_t from, uint64_t to, bool fin);
/* Of a piece. What has been acknowledged meanwhile is not sent again. Without memory to remember
 * what was lost, more is sent again. */
void stt_sendq_on_lost(struct stt_sendq *q, uint64_t from, uint64_t to, bool fin);

/* A range of whole messages is given up (SKIP): its bytes are not sent any more, and leave as if
 * they were acknowledged; that SKIP itself arrives is the caller's affair. `to` is at most
 * `queued`, and no higher than flow control allows, for what is skipped counts as sent. False when
 * there is no memory to remember it: it goes on being sent, and one may try again later. */
bool stt_sendq_skip(struct stt_sendq *q, uint64_t from, uint64_t to) STT_MUST_USE;

/* Everything, and FIN, is acknowledged. */
static inline bool stt_sendq_is_done(const struct stt_sendq *q)
{
    return q->fin_acked && q->acked == q->queued;
}

#endif
