/* SPDX-License-Identifier: MIT
 * slab: a bounded pool of objects of one size, each with an id that goes stale when the object is
 * given back.
 *
 *   id = generation << 32 | index        never 0; an old id finds NULL, never the next owner
 *
 * Memory comes from the env in steps, when it is needed, and never moves; taking, giving back and
 * looking up are O(1). A slot's generations repeat after 2^31 uses. */
#ifndef STT_BASE_SLAB_H
#define STT_BASE_SLAB_H

#include "stt/base/env.h"
#include "stt/base/list.h"

#include <assert.h>

struct stt_slab_shape {
    uint32_t object_bytes;
    uint32_t align; /* a power of two from 8 to 64; with 64 no two objects share a cache line */
    uint32_t step;  /* objects per allocation, a power of two */
    uint32_t max;   /* objects in all; every index is below it */
};

struct stt_slab_entry;

/* Behind each object. */
struct stt_slab_tag {
    uint32_t generation;
    uint32_t index; /* while not in use: the next free slot of the step, or none */
};

struct stt_slab {
    const struct stt_env *env;
    struct stt_slab_shape shape;
    uint32_t stride, tag_at, step_shift;
    struct stt_slab_entry *directory; /* of steps, by index >> step_shift */
    uint32_t n_steps, directory_size;
    uint32_t lowest_hole; /* no entry below it is without memory */
    struct stt_list with_room;
    uint32_t in_use, peak; /* peak: since the last rest */
    uint32_t held_steps;   /* that have memory */
};

/* Takes no memory. The slab must not move afterwards. */
void stt_slab_init(struct stt_slab *s, const struct stt_env *env,
                   const struct stt_slab_shape *shape);

/* Releases everything, objects in use included. */
void stt_slab_fini(struct stt_slab *s);

static inline bool stt_slab_is_full(const struct stt_slab *s)
{
    return s->in_use == s->shape.max;
}

/* An object with unspecified content; NULL when the slab is full or the env has no memory. */
void *stt_slab_take(struct stt_slab *s) STT_MUST_USE;

/* Its id is stale from now on. */
void stt_slab_give_back(struct stt_slab *s, void *object);

static inline struct stt_slab_tag *stt_slab_tag_of(const struct stt_slab *s, const void *object)
{
    return (struct stt_slab_tag *)((uintptr_t)object + s->tag_at);
}

/* Of an object in use. Inline, since it names sessions in all that is told of them. */
static inline uint64_t stt_slab_id(const struct stt_slab *s, const void *object)
{
    const struct stt_slab_tag *tag = stt_slab_tag_of(s, object);
    assert(tag->generation & 1);
    return (uint64_t)tag->generation << 32 | tag->index;
}

static inline uint32_t stt_slab_index(uint64_t id)
{
    return (uint32_t)id;
}

/* NULL when the id is stale or never was one. */
void *stt_slab_at(const struct stt_slab *s, uint64_t id);

/* Releases the steps in which no object is in use. O(steps): for idle moments. */
void stt_slab_shrink(struct stt_slab *s);
/* The same, but room for as many objects stays as were in use at once since the last call: to be
 * called now and then, so that what comes and goes in between takes no memory anew. */
void stt_slab_rest(struct stt_slab *s);

#endif
