/* SPDX-License-Identifier: MIT
 * recvq: what a stream has got and the reader has not (spec 05, "Receiving"). Data is moved exactly
 * once, from the opened packet to here; the reader looks at it in place.
 *
 *        consumed       contiguous     gaps and islands      highest
 *     |=====|~~~~~~~~~~~~~~|....###....##......###########|
 *
 * Bytes that arrived first stand. An idle queue holds no memory but itself. */
#ifndef STT_STREAM_RECVQ_H
#define STT_STREAM_RECVQ_H

#include "stt/base/bytes.h"
#include "stt/stream/spans.h"

struct stt_recvq {
    struct stt_chunks chunks;
    uint64_t consumed, contiguous, highest;
    uint64_t end;             /* STT_RECVQ_NO_END, or the final offset */
    struct stt_spans islands; /* what came beyond a gap; none touches `contiguous` */
};
#define STT_RECVQ_NO_END UINT64_MAX

enum stt_recvq_result {
    STT_RECVQ_OK,
    STT_RECVQ_NO_ROOM,  /* the pool is empty: as if the packet had been lost */
    STT_RECVQ_TOO_MANY, /* one gap more than is kept: the packet is lost */
    STT_RECVQ_FINAL,    /* the end moved, or data lies behind it: FINAL_OFFSET */
};

void stt_recvq_init(struct stt_recvq *q, struct stt_chunk_pool *pool);
void stt_recvq_fini(struct stt_recvq *q);

/* In order it is a copy and an addition. On anything but OK nothing has changed. The data ends at
 * 2^62-1 at most, as the frame's decoder has seen. */
enum stt_recvq_result stt_recvq_insert(struct stt_recvq *q, uint64_t offset, struct bytes data,
                                       bool fin) STT_MUST_USE;
/* A range of skipped messages: what of it has not arrived counts as arrived zeros, that the message
 * layer steps over. It takes memory for two chunks at most, however long it is. */
enum stt_recvq_result stt_recvq_skip(struct stt_recvq *q, uint64_t offset,
                                     uint64_t len) STT_MUST_USE;
/* The host stops reading: what is here is dropped, and what arrives is counted and dropped, as if
 * it were consumed at once. */
void stt_recvq_stop(struct stt_recvq *q);
/* RESET: the final offset is known, and nothing more is wanted. */
enum stt_recvq_result stt_recvq_reset(struct stt_recvq *q, uint64_t final_offset) STT_MUST_USE;

/* Contiguous bytes that are not consumed, as parts in place; answers how many parts. */
size_t stt_recvq_peek(const struct stt_recvq *q, struct bytes *parts, size_t max);
static inline uint64_t stt_recvq_available(const struct stt_recvq *q)
{
    return q->contiguous - q->consumed;
}
/* At most what is available. */
void stt_recvq_consume(struct stt_recvq *q, uint64_t len);

/* For the session's bound; each island lies behind a gap of its own. */
static inline uint32_t stt_recvq_gaps(const struct stt_recvq *q)
{
    return stt_spans_count(&q->islands);
}

static inline bool stt_recvq_is_all_here(const struct stt_recvq *q)
{
    return q->contiguous == q->end;
}

#endif
