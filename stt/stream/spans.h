/* SPDX-License-Identifier: MIT
 * spans: a set of ranges of a stream's bytes, for what did not go in order. It is empty nearly all
 * the time, one range most of the rest, and takes no memory for either; a table of at most
 * STT_SPANS_MAX ranges comes from the pool when it must, and goes back when it need not. Spec 05,
 * "Fragments". */
#ifndef STT_STREAM_SPANS_H
#define STT_STREAM_SPANS_H

#include "stt/base/ranges.h"
#include "stt/stream/chunks.h"

enum { STT_SPANS_MAX = 256 };

/* Empty when zeroed. */
struct stt_spans {
    union {
        struct stt_range one; /* 0, 0: empty */
        struct {
            uint64_t many; /* STT_SPANS_MANY, which begins no range: it is a table */
            struct stt_ranges *table;
        };
    };
};
#define STT_SPANS_MANY UINT64_MAX

static inline bool stt_spans_is_empty(const struct stt_spans *s)
{
    return s->many != STT_SPANS_MANY && !s->one.to;
}

static inline uint32_t stt_spans_count(const struct stt_spans *s)
{
    return s->many == STT_SPANS_MANY ? s->table->n : s->one.to != 0;
}

/* The lowest one; 0, 0 when the set is empty. */
static inline struct stt_range stt_spans_first(const struct stt_spans *s)
{
    return s->many == STT_SPANS_MANY ? s->table->at[0] : s->one;
}

/* The first run in [from, to) that is not in the set; empty when there is none. */
struct stt_range stt_spans_gap(const struct stt_spans *s, uint64_t from, uint64_t to);

/* STT_E_LIMIT: it would be one range too many. STT_E_MEMORY. Unchanged on both. */
int stt_spans_add(struct stt_spans *s, struct stt_chunk_pool *pool, uint64_t from,
                  uint64_t to) STT_MUST_USE;
/* After an add that failed: the set may come to hold more than was asked for, but never less. */
void stt_spans_widen(struct stt_spans *s, uint64_t from, uint64_t to);
/* Everything below `to` leaves the set. */
void stt_spans_drop_below(struct stt_spans *s, struct stt_chunk_pool *pool, uint64_t to);
void stt_spans_clear(struct stt_spans *s, struct stt_chunk_pool *pool);

#endif
