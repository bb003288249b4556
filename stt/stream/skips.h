/* SPDX-License-Identifier: MIT
 * skips: ranges of messages that were given up, until the peer has acknowledged to have heard so
 * (spec 05, "Deadlines"). Each goes in a SKIP frame of its own; one that was not said yet grows
 * with its neighbour. */
#ifndef STT_STREAM_SKIPS_H
#define STT_STREAM_SKIPS_H

#include "stt/base/ranges.h"

enum { STT_SKIPS_MAX = 16 };

struct stt_skip {
    struct stt_range range;
    bool is_owed;   /* to be said, or said again */
    bool is_unsaid; /* no packet names it yet: it may grow */
};

/* Empty when zeroed. */
struct stt_skips {
    struct stt_skip at[STT_SKIPS_MAX];
    uint32_t n;
};

static inline uint32_t stt_skips_room(const struct stt_skips *s)
{
    return STT_SKIPS_MAX - s->n;
}

/* While there is room; overlaps none that was added. */
void stt_skips_add(struct stt_skips *s, struct stt_range range);
/* The next one to be said, or NULL; then it was. */
const struct stt_skip *stt_skips_owed(const struct stt_skips *s);
void stt_skips_on_said(struct stt_skips *s, uint64_t from);

/* Of the one that begins at `from`; nothing when there is none any more. */
void stt_skips_on_acked(struct stt_skips *s, uint64_t from);
void stt_skips_on_lost(struct stt_skips *s, uint64_t from);
/* All that are left. */
void stt_skips_say_again(struct stt_skips *s);

#endif
