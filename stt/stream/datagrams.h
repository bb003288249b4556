/* SPDX-License-Identifier: MIT
 * datagrams: the DATAGRAM messages of a session in one direction (spec 05, "Datagrams"): what waits
 * to be sent, or what has arrived and was not read. The oldest gives way to the newest.
 *
 *    start                                              start + bytes + 2 n
 *      |len|~~~~~~~~~~~|len|~~~|len|~~~~~~~~~~~~~~~~~|       in a row of chunks
 *      number next - n                 number next - 1
 *
 * An empty queue holds no memory but itself. */
#ifndef STT_STREAM_DATAGRAMS_H
#define STT_STREAM_DATAGRAMS_H

#include "stt/base/bytes.h"
#include "stt/error.h"
#include "stt/stream/chunks.h"

#include <assert.h>

struct stt_datagrams {
    struct stt_chunks chunks;
    uint64_t start;
    uint64_t next;    /* the number of the next one; they count from 0, for the queue's life */
    uint64_t dropped; /* that gave way, or were dropped by the caller */
    uint32_t bytes;   /* of data; at most STT_DATAGRAM_QUEUE_BYTES_MAX */
    uint16_t n;       /* at most STT_DATAGRAM_QUEUE_MAX */
    uint8_t use;
};
static_assert(sizeof(struct stt_datagrams) <= 64, "a session has two of them, used or not");

/* `use` is what its chunks count as. */
void stt_datagrams_init(struct stt_datagrams *q, struct stt_chunk_pool *pool,
                        enum stt_chunk_use use);
/* Gives everything back; what was queued is not counted as dropped. It is empty afterwards. */
void stt_datagrams_fini(struct stt_datagrams *q);

/* Copies it in, and drops the oldest as long as there are too many, too many bytes, or too few
 * chunks. Its number is what `next` was. STT_E_ARGUMENT: it is longer than any datagram.
 * STT_E_MEMORY: the pool has none, and the chunks of the oldest might not be enough; for up to
 * 16,382 bytes they are, when one is kept already. Nothing has changed on both. */
int stt_datagrams_push(struct stt_datagrams *q, struct bytes data) STT_MUST_USE;

/* One of them, in place: it is there until the next push or pop. */
#define STT_DATAGRAM_PARTS_MAX 5u
struct stt_datagrams_view {
    uint64_t number, offset;
    size_t len, n_parts;
    struct bytes parts[STT_DATAGRAM_PARTS_MAX];
};

/* The oldest; false when there is none. */
bool stt_datagrams_first(const struct stt_datagrams *q, struct stt_datagrams_view *view);
/* From one to the next; false when there is none. */
bool stt_datagrams_next(const struct stt_datagrams *q, struct stt_datagrams_view *view);
/* The oldest leaves; there is one. */
void stt_datagrams_pop(struct stt_datagrams *q);

/* The same, for one that will not be sent: the path does not carry it any more. */
static inline void stt_datagrams_drop(struct stt_datagrams *q)
{
    stt_datagrams_pop(q);
    q->dropped++;
}

#endif
