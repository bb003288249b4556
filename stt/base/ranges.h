/* SPDX-License-Identifier: MIT
 * ranges: a bounded set of numbers, kept as sorted, disjoint, half-open ranges.
 *
 *      at[0]            at[1]         at[n-1]
 *   |=========|......|=======|......|=======|          a gap between neighbours is never empty
 *   from      to     from    to     from    to
 *
 * Acknowledged packets, bytes that arrived out of order, streams that have ended. The array belongs
 * to the caller and never grows: what would need one range too many answers STT_E_LIMIT and changes
 * nothing, and the caller decides what to forget (stt_ranges_drop_first). Adding at the end is
 * O(1), elsewhere O(log n) to find and a memmove to make room. UINT64_MAX is never a member, since
 * no half-open range can name its end. To walk the set, walk the array. */
#ifndef STT_BASE_RANGES_H
#define STT_BASE_RANGES_H

#include "stt/error.h"

struct stt_range {
    uint64_t from, to; /* from < to */
};

struct stt_ranges {
    struct stt_range *at;
    uint32_t n, capacity;
};

static inline void stt_ranges_init(struct stt_ranges *r, struct stt_range *memory,
                                   uint32_t capacity)
{
    *r = (struct stt_ranges){.at = memory, .capacity = capacity};
}

static inline bool stt_ranges_is_empty(const struct stt_ranges *r)
{
    return r->n == 0;
}

/* One past the highest member; 0 when there is none. */
static inline uint64_t stt_ranges_end(const struct stt_ranges *r)
{
    return r->n ? r->at[r->n - 1].to : 0;
}

/* Both: from == to is nothing to do; from > to is STT_E_ARGUMENT. Adding may need one range more
 * unless it touches one that is there; removing may need one more when it splits one. */
int stt_ranges_add(struct stt_ranges *r, uint64_t from, uint64_t to) STT_MUST_USE;
int stt_ranges_remove(struct stt_ranges *r, uint64_t from, uint64_t to) STT_MUST_USE;

/* Forgets the lowest range, if there is one. */
void stt_ranges_drop_first(struct stt_ranges *r);

/* Forgets every member below `to`; never splits, so it cannot fail. */
void stt_ranges_drop_below(struct stt_ranges *r, uint64_t to);

bool stt_ranges_contains(const struct stt_ranges *r, uint64_t value);

/* The first run of numbers at or above `start` that are not members. Its end is UINT64_MAX when
 * nothing follows. */
struct stt_range stt_ranges_first_gap(const struct stt_ranges *r, uint64_t start);

#endif
