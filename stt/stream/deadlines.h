/* SPDX-License-Identifier: MIT
 * deadlines: when which message of a stream is not worth sending any more (spec 05, "Deadlines").
 * A bounded queue in the order of the stream; a message that finds no room in it simply has no
 * deadline. Where deadlines come in the order of the messages, each call costs what it changes. */
#ifndef STT_STREAM_DEADLINES_H
#define STT_STREAM_DEADLINES_H

#include "stt/base/env.h"
#include "stt/base/ranges.h"
#include "stt/error.h"

enum { STT_DEADLINES_MAX = 4096 };

struct stt_deadlines_entry {
    struct stt_range message; /* its header included */
    stt_ns at;                /* STT_NEVER: expired before */
};

/* All zero: empty, and no memory is held. */
struct stt_deadlines {
    struct stt_deadlines_entry *ring;
    uint32_t size;  /* places: 0, or a power of two */
    uint32_t first; /* place of the lowest message */
    uint32_t n;
    bool is_mixed; /* a later message has an earlier deadline */
    stt_ns next;   /* no deadline comes before it */
    stt_ns last;   /* of the last message */
};

/* A message behind all others of the stream; `at` is not STT_NEVER. STT_E_LIMIT, STT_E_MEMORY: it
 * has no deadline. */
int stt_deadlines_add(struct stt_deadlines *d, const struct stt_env *env, struct stt_range message,
                      stt_ns at) STT_MUST_USE;
/* Forgets all and gives the memory back; for a stream that has ended, or has been quiet. */
void stt_deadlines_free(struct stt_deadlines *d, const struct stt_env *env);

/* All below `acked` is acknowledged or skipped. */
void stt_deadlines_on_acked(struct stt_deadlines *d, uint64_t acked);

/* When to look for expired ones, or earlier; STT_NEVER: nothing to wait for. */
static inline stt_ns stt_deadlines_next(const struct stt_deadlines *d)
{
    return d->n ? d->next : STT_NEVER;
}

/* The message that begins at `from`, if it has a deadline and was not given up; else NULL. */
const struct stt_deadlines_entry *stt_deadlines_at(const struct stt_deadlines *d, uint64_t from);

/* The lowest message whose deadline is at or before `now`, without those that are wholly in `acked`
 * (NULL: none is); false: there is none. It stays due until it is given up. */
bool stt_deadlines_due(struct stt_deadlines *d, stt_ns now, const struct stt_ranges *acked,
                       struct stt_range *message);
/* The message that was due is given up; it is never due again. */
void stt_deadlines_give_up(struct stt_deadlines *d, struct stt_range message);

#endif
