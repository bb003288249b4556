/* SPDX-License-Identifier: MIT
 * chunks: owns the rows that say where the chunks of a queue are. A row is nothing at all while the
 * queue needs one chunk, and a block that grows with the window from then on.
 *
 * Invariants: chunk number n stands at place n & mask, and only numbers in [base, base + mask] are
 * held. No chunk held: no row held either. Everything comes from slabs whose steps are kept, so
 * that queues may fill and drain all the time without an allocation.
 * It must not know what the bytes are, nor which of them are there. */
#include "stt/stream/chunks.h"

#include <assert.h>
#include <string.h>

enum {
    ALIGN = 64,
    TAG_BYTES = 8, /* of the slab, behind each object */
    PLACES_SMALL = 16,
    PLACES_LARGE = 512,   /* 8 MiB */
    PLACES_MAX = 1 << 20, /* 16 GiB: a window that nobody has */
    CHUNKS_MAX = 1 << 26, /* 1 TiB */
    SMALL_PER_CHUNK = 3,  /* a row and two sets of ranges: what a queue has at most */
    CHUNKS_PER_LARGE = 4, /* of those who hold more than 16 chunks, or many gaps */
    STEP_CHUNKS = 16,     /* 257 KiB */
    STEP_LARGE = 8,       /* 33 KiB */
    STEP_SMALL = 64,      /* 12 KiB */
};

#define SLOT_BYTES(object_bytes) (((object_bytes) + TAG_BYTES + ALIGN - 1) / ALIGN * ALIGN)
/* What a chunk and its part of the blocks take. */
#define SHARE_BYTES                                                                                \
    (SLOT_BYTES(STT_CHUNK_BYTES) + SMALL_PER_CHUNK * SLOT_BYTES(STT_BLOCK_SMALL_BYTES) +           \
     SLOT_BYTES(STT_BLOCK_LARGE_BYTES) / CHUNKS_PER_LARGE)

static_assert(PLACES_SMALL * sizeof(uint8_t *) <= STT_BLOCK_SMALL_BYTES, "a short row");
static_assert(PLACES_LARGE * sizeof(uint8_t *) <= STT_BLOCK_LARGE_BYTES, "a long row");

static void init_slab(struct stt_slab *s, const struct stt_env *env, uint32_t object_bytes,
                      uint32_t step, uint32_t max)
{
    struct stt_slab_shape shape = {object_bytes, ALIGN, step, max};
    stt_slab_init(s, env, &shape);
}

void stt_chunk_pool_init(struct stt_chunk_pool *pool, const struct stt_env *env, size_t max_bytes)
{
    size_t shares = max_bytes / SHARE_BYTES;
    uint32_t n = shares < CHUNKS_MAX ? (uint32_t)shares : CHUNKS_MAX;
    init_slab(&pool->chunks, env, STT_CHUNK_BYTES, STEP_CHUNKS, n);
    init_slab(&pool->large, env, STT_BLOCK_LARGE_BYTES, STEP_LARGE, n / CHUNKS_PER_LARGE);
    init_slab(&pool->small, env, STT_BLOCK_SMALL_BYTES, STEP_SMALL, n * SMALL_PER_CHUNK);
}

void stt_chunk_pool_fini(struct stt_chunk_pool *pool)
{
    stt_slab_fini(&pool->chunks);
    stt_slab_fini(&pool->large);
    stt_slab_fini(&pool->small);
}

void stt_chunk_pool_shrink(struct stt_chunk_pool *pool)
{
    stt_slab_shrink(&pool->chunks);
    stt_slab_shrink(&pool->large);
    stt_slab_shrink(&pool->small);
}

void stt_chunk_pool_rest(struct stt_chunk_pool *pool)
{
    stt_slab_rest(&pool->chunks);
    stt_slab_rest(&pool->large);
    stt_slab_rest(&pool->small);
}

/* NULL: larger than every block, and so an allocation of its own. */
static struct stt_slab *slab_for(struct stt_chunk_pool *pool, size_t len)
{
    if (len <= STT_BLOCK_SMALL_BYTES)
        return &pool->small;
    return len <= STT_BLOCK_LARGE_BYTES ? &pool->large : NULL;
}

void *stt_chunk_pool_take(struct stt_chunk_pool *pool, size_t len)
{
    struct stt_slab *slab = slab_for(pool, len);
    return slab ? stt_slab_take(slab) : stt_env_alloc(pool->chunks.env, len);
}

void stt_chunk_pool_give_back(struct stt_chunk_pool *pool, void *block, size_t len)
{
    struct stt_slab *slab = slab_for(pool, len);
    if (slab)
        stt_slab_give_back(slab, block);
    else
        stt_env_release(pool->chunks.env, block, len);
}

static uint8_t **place_of(struct stt_chunks *c, uint64_t number)
{
    return c->mask ? &c->row[number & c->mask] : &c->one;
}

static size_t row_bytes(const struct stt_chunks *c)
{
    return ((size_t)c->mask + 1) * sizeof *c->row;
}

static void give_row_back(struct stt_chunks *c)
{
    if (c->mask)
        stt_chunk_pool_give_back(c->pool, c->row, row_bytes(c));
    c->one = NULL;
    c->mask = 0;
}

static uint32_t places_for(uint64_t span)
{
    uint32_t places = span <= PLACES_SMALL ? PLACES_SMALL : PLACES_LARGE;
    while (places < span)
        places *= 2;
    return places;
}

static bool grow(struct stt_chunks *c, uint64_t span)
{
    if (span > PLACES_MAX)
        return false;
    struct stt_chunks longer = *c;
    longer.mask = places_for(span) - 1;
    longer.row = stt_chunk_pool_take(c->pool, row_bytes(&longer));
    if (!longer.row)
        return false;
    memset(longer.row, 0, row_bytes(&longer));
    for (uint64_t n = c->base; n - c->base <= c->mask; n++)
        *place_of(&longer, n) = *place_of(c, n);
    give_row_back(c);
    *c = longer;
    return true;
}

void stt_chunks_init(struct stt_chunks *c, struct stt_chunk_pool *pool)
{
    *c = (struct stt_chunks){.pool = pool};
}

void stt_chunks_fini(struct stt_chunks *c)
{
    stt_chunks_give_back(c, c->base * STT_CHUNK_BYTES, c->base * STT_CHUNK_BYTES);
    c->pool = NULL;
}

static bool has_for(const struct stt_slab *s, enum stt_chunk_use use)
{
    return s->shape.max - s->in_use > s->shape.max / 8 * use;
}

static uint8_t *take(struct stt_chunks *c, uint64_t number, enum stt_chunk_use use)
{
    assert(number >= c->base);
    if (!has_for(&c->pool->chunks, use))
        return NULL;
    if (number - c->base > c->mask && !grow(c, number - c->base + 1))
        return NULL;
    uint8_t *chunk = stt_slab_take(&c->pool->chunks);
    if (chunk) {
        *place_of(c, number) = chunk;
        c->held++;
    } else if (!c->held) {
        give_row_back(c);
    }
    return chunk;
}

uint8_t *stt_chunks_take(struct stt_chunks *c, uint64_t offset, enum stt_chunk_use use)
{
    uint8_t *p = take(c, offset / STT_CHUNK_BYTES, use);
    return p ? p + offset % STT_CHUNK_BYTES : NULL;
}

static void drop(struct stt_chunks *c, uint64_t number)
{
    uint8_t **place = place_of(c, number);
    if (!*place)
        return;
    stt_slab_give_back(&c->pool->chunks, *place);
    *place = NULL;
    if (--c->held == 0)
        give_row_back(c);
}

void stt_chunks_drop(struct stt_chunks *c, uint64_t offset)
{
    if (offset / STT_CHUNK_BYTES - c->base <= c->mask)
        drop(c, offset / STT_CHUNK_BYTES);
}

void stt_chunks_give_back(struct stt_chunks *c, uint64_t offset, uint64_t end)
{
    uint64_t first = offset / STT_CHUNK_BYTES, stop = offset == end ? UINT64_MAX : first;
    assert(first >= c->base);
    for (uint64_t n = c->base; c->held && n < stop; n++)
        drop(c, n); /* ends within the row, for all that is held is there */
    c->base = first;
}
