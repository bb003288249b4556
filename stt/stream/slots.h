/* SPDX-License-Identifier: MIT
 * slots: the places of a session's streams, by which pieces in flight name them. A place is used
 * again only when no packet that may name the stream before is remembered: so a late ack never
 * meets another stream, and finding one is an index and not a search. Spec 06, "Ack received". */
#ifndef STT_STREAM_SLOTS_H
#define STT_STREAM_SLOTS_H

#include "stt/base/env.h"
#include "stt/error.h"

struct stt_stream;

struct stt_slot {
    union {
        struct stt_stream *stream;
        uint32_t next_free; /* the one that became free after it */
    };
    uint64_t free_since; /* packets below this number may still name the one before */
};
#define STT_SLOT_IN_USE UINT64_MAX

/* Empty when zeroed. */
struct stt_slots {
    struct stt_slot *at;
    uint32_t size, n; /* places, and those of them that were ever used */
    uint32_t n_free, first_free, last_free;
};

/* A place for the stream; packets below `settled` are remembered no more. STT_E_MEMORY. */
int stt_slots_take(struct stt_slots *s, const struct stt_env *env, struct stt_stream *stream,
                   uint64_t settled, uint32_t *slot) STT_MUST_USE;
/* Its stream has ended; packets below `sent` may have named it. */
void stt_slots_give_back(struct stt_slots *s, uint32_t slot, uint64_t sent);
void stt_slots_free(struct stt_slots *s, const struct stt_env *env);

/* NULL: that stream has ended. */
static inline struct stt_stream *stt_slots_at(const struct stt_slots *s, uint32_t slot)
{
    bool in_use = slot < s->n && s->at[slot].free_since == STT_SLOT_IN_USE;
    return in_use ? s->at[slot].stream : NULL;
}

#endif
