/* SPDX-License-Identifier: MIT
 * slots: owns a table that doubles, and a line of free places in the order in which they became
 * free: so the first one in it is the first that is safe to use. There are never more places than
 * streams were open while one flight of packets was out. It must not know streams or packets. */
#include "stt/stream/slots.h"

#include <assert.h>
#include <string.h>

enum { SIZE_FIRST = 4 };

static int grow(struct stt_slots *s, const struct stt_env *env)
{
    uint32_t size = s->size ? 2 * s->size : SIZE_FIRST;
    if (size < s->size)
        return STT_E_MEMORY;
    struct stt_slot *at = stt_env_alloc(env, size * sizeof *at);
    if (!at)
        return STT_E_MEMORY;
    if (s->n)
        memcpy(at, s->at, s->n * sizeof *at);
    stt_env_release(env, s->at, s->size * sizeof *at);
    s->at = at;
    s->size = size;
    return STT_OK;
}

static uint32_t pop_free(struct stt_slots *s)
{
    uint32_t slot = s->first_free;
    s->first_free = s->at[slot].next_free;
    s->n_free--;
    return slot;
}

int stt_slots_take(struct stt_slots *s, const struct stt_env *env, struct stt_stream *stream,
                   uint64_t settled, uint32_t *slot)
{
    if (s->n_free && s->at[s->first_free].free_since <= settled) {
        *slot = pop_free(s);
    } else {
        int error = s->n == s->size ? grow(s, env) : STT_OK;
        if (error)
            return error;
        *slot = s->n++;
    }
    s->at[*slot] = (struct stt_slot){.stream = stream, .free_since = STT_SLOT_IN_USE};
    return STT_OK;
}

void stt_slots_give_back(struct stt_slots *s, uint32_t slot, uint64_t sent)
{
    assert(stt_slots_at(s, slot));
    s->at[slot] = (struct stt_slot){.free_since = sent};
    if (s->n_free++)
        s->at[s->last_free].next_free = slot;
    else
        s->first_free = slot;
    s->last_free = slot;
}

void stt_slots_free(struct stt_slots *s, const struct stt_env *env)
{
    stt_env_release(env, s->at, s->size * sizeof *s->at);
    *s = (struct stt_slots){.at = NULL};
}
