/* SPDX-License-Identifier: MIT
 * chunks: the memory of stream data, in pieces of one size from the endpoint's pool, taken when
 * data flows and given back when it drains. A window over a stream's bytes is a row of chunks:
 *
 *      base                                     offset / STT_CHUNK_BYTES names a chunk,
 *        |   chunk   |   chunk   |   chunk   |  offset % STT_CHUNK_BYTES the place in it
 *
 * Spec 05, "Flow control": memory is taken when bytes arrive, not when a window is announced. */
#ifndef STT_STREAM_CHUNKS_H
#define STT_STREAM_CHUNKS_H

#include "stt/base/slab.h"

#define STT_CHUNK_BYTES 16384u

/* All chunks of an endpoint, and blocks for what queues must know about them. Full means
 * backpressure or flow control, never an error to a peer. */
struct stt_chunk_pool {
    struct stt_slab chunks, large, small;
};

/* A row of chunks for offsets from `base` chunks on; chunks in it may be missing. */
struct stt_chunks {
    struct stt_chunk_pool *pool; /* NULL after fini: nothing is kept any more */
    union {
        uint8_t *one;  /* mask == 0: the chunk `base`, or NULL */
        uint8_t **row; /* else: a ring of mask + 1 places */
    };
    uint32_t mask;
    uint32_t held; /* chunks taken */
    uint64_t base; /* the first chunk that may be held, by number */
};

/* Takes no memory. `max_bytes` bounds chunks and blocks in use; memory for them comes in steps, of
 * 257 KiB for chunks, and so may be as much more. */
void stt_chunk_pool_init(struct stt_chunk_pool *pool, const struct stt_env *env, size_t max_bytes);
void stt_chunk_pool_fini(struct stt_chunk_pool *pool);
/* Gives memory that no queue uses back to the env. For idle moments. */
void stt_chunk_pool_shrink(struct stt_chunk_pool *pool);
/* The same, but for what was in use since the last call. */
void stt_chunk_pool_rest(struct stt_chunk_pool *pool);

/* What is left in the pool, for those who announce windows. */
static inline uint64_t stt_chunk_pool_room(const struct stt_chunk_pool *pool)
{
    return (uint64_t)(pool->chunks.shape.max - pool->chunks.in_use) * STT_CHUNK_BYTES;
}

/* A block for a queue's own records, with unspecified content; NULL when there is none. The size is
 * told again when it is given back. */
#define STT_BLOCK_SMALL_BYTES 184u
#define STT_BLOCK_LARGE_BYTES 4152u
void *stt_chunk_pool_take(struct stt_chunk_pool *pool, size_t len) STT_MUST_USE;
void stt_chunk_pool_give_back(struct stt_chunk_pool *pool, void *block, size_t len);

void stt_chunks_init(struct stt_chunks *c, struct stt_chunk_pool *pool);
/* Gives everything back. */
void stt_chunks_fini(struct stt_chunks *c);

/* What is held from `offset` on; NULL when that chunk is not held. *len gets the bytes to the end
 * of the chunk, in both cases. */
static inline uint8_t *stt_chunks_at(const struct stt_chunks *c, uint64_t offset, size_t *len)
{
    uint64_t number = offset / STT_CHUNK_BYTES;
    size_t place = offset % STT_CHUNK_BYTES;
    *len = STT_CHUNK_BYTES - place;
    if (number - c->base > c->mask) /* below the base, too: it wraps */
        return NULL;
    uint8_t *chunk = c->mask ? c->row[number & c->mask] : c->one;
    return chunk ? chunk + place : NULL;
}

/* What a chunk is wanted for. The last quarter of a pool is for what arrives, so that two peers
 * that are full of what they want to say can still hear each other; the last eighth for what
 * arrives in order, so that gaps can be closed when the pool is full of what lies beyond them. */
enum stt_chunk_use { STT_CHUNK_FOR_NEXT = 0, STT_CHUNK_FOR_ISLAND = 1, STT_CHUNK_FOR_SENDING = 2 };

/* A chunk for `offset`, which is held by none. */
uint8_t *stt_chunks_take(struct stt_chunks *c, uint64_t offset,
                         enum stt_chunk_use use) STT_MUST_USE;

/* Memory for the bytes from `offset` on, at most to the end of its chunk; *len gets how many. NULL
 * when the pool has none for this use. Offsets below the base are the caller's mistake. */
static inline uint8_t *stt_chunks_make(struct stt_chunks *c, uint64_t offset,
                                       enum stt_chunk_use use, size_t *len)
{
    uint8_t *p = stt_chunks_at(c, offset, len);
    return p ? p : stt_chunks_take(c, offset, use);
}

/* Gives the chunk back that holds `offset`, if it is held. */
void stt_chunks_drop(struct stt_chunks *c, uint64_t offset);

/* Everything below `offset` is not needed any more: whole chunks go back, and when no byte is
 * wanted at all (`end` == offset) the last one goes, too. `offset` never decreases. */
void stt_chunks_give_back(struct stt_chunks *c, uint64_t offset, uint64_t end);
static inline void stt_chunks_release(struct stt_chunks *c, uint64_t offset, uint64_t end)
{
    if (offset / STT_CHUNK_BYTES != c->base || offset == end)
        stt_chunks_give_back(c, offset, end);
}

#endif
