/* SPDX-License-Identifier: MIT
 * fates: owns the ring, a small block of the pool, and a large one when that does not do. A host
 * that listens needs the small one, and large ones are few.
 *
 * Invariants: n <= size <= STT_FATES_MAX; there is a ring exactly while n is not 0.
 * It must not know packets, nor whether a host listens. Spec 05, "Datagrams". */
#include "stt/stream/fates.h"

#include <assert.h>

enum { SIZE_SMALL = STT_BLOCK_SMALL_BYTES / sizeof(uint64_t) };

static_assert(STT_FATES_MAX * sizeof(uint64_t) <= STT_BLOCK_LARGE_BYTES, "a large ring");

void stt_fates_init(struct stt_fates *f, struct stt_chunk_pool *pool)
{
    *f = (struct stt_fates){.pool = pool};
}

static void give_ring_back(struct stt_fates *f)
{
    if (f->ring)
        stt_chunk_pool_give_back(f->pool, f->ring, f->size * sizeof *f->ring);
    f->ring = NULL;
    f->size = 0;
    f->first = 0;
}

void stt_fates_fini(struct stt_fates *f)
{
    give_ring_back(f);
    f->n = 0;
}

static uint64_t *place(const struct stt_fates *f, uint16_t i)
{
    return &f->ring[(f->first + i) % f->size];
}

static bool grow(struct stt_fates *f)
{
    if (f->size == STT_FATES_MAX)
        return false;
    uint16_t size = f->size ? STT_FATES_MAX : SIZE_SMALL;
    uint64_t *ring = stt_chunk_pool_take(f->pool, size * sizeof *ring);
    if (!ring)
        return false;
    for (uint16_t i = 0; i < f->n; i++)
        ring[i] = *place(f, i);
    give_ring_back(f);
    f->ring = ring;
    f->size = size;
    return true;
}

static void remove_first(struct stt_fates *f)
{
    f->first = (uint16_t)((f->first + 1) % f->size);
    f->n--;
}

void stt_fates_add(struct stt_fates *f, struct stt_fate fate)
{
    assert(fate.number <= UINT64_MAX / 2);
    if (f->n == f->size && !grow(f)) {
        f->dropped++;
        if (!f->n)
            return;
        remove_first(f);
    }
    *place(f, f->n++) = fate.number * 2 + fate.is_acked;
}

bool stt_fates_take(struct stt_fates *f, struct stt_fate *fate)
{
    if (!f->n)
        return false;
    uint64_t entry = *place(f, 0);
    *fate = (struct stt_fate){.number = entry / 2, .is_acked = entry % 2};
    remove_first(f);
    if (!f->n)
        give_ring_back(f);
    return true;
}
