/* SPDX-License-Identifier: MIT
 * skips: owns a short table. Invariant: only the last range grows, and only while no packet names
 * it. It must not know frames, nor what was in the ranges. */
#include "stt/stream/skips.h"

#include <assert.h>
#include <string.h>

static struct stt_skip *find(struct stt_skips *s, uint64_t from)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->at[i].range.from == from)
            return &s->at[i];
    return NULL;
}

void stt_skips_add(struct stt_skips *s, struct stt_range range)
{
    struct stt_skip *last = s->n ? &s->at[s->n - 1] : NULL;
    if (last && last->is_unsaid && last->range.to == range.from) {
        last->range.to = range.to;
        return;
    }
    assert(s->n < STT_SKIPS_MAX);
    s->at[s->n++] = (struct stt_skip){.range = range, .is_owed = true, .is_unsaid = true};
}

const struct stt_skip *stt_skips_owed(const struct stt_skips *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->at[i].is_owed)
            return &s->at[i];
    return NULL;
}

void stt_skips_on_said(struct stt_skips *s, uint64_t from)
{
    struct stt_skip *skip = find(s, from);
    assert(skip);
    skip->is_owed = skip->is_unsaid = false;
}

void stt_skips_on_acked(struct stt_skips *s, uint64_t from)
{
    struct stt_skip *skip = find(s, from);
    if (!skip)
        return;
    memmove(skip, skip + 1, (size_t)(&s->at[s->n] - (skip + 1)) * sizeof *skip);
    s->n--;
}

void stt_skips_on_lost(struct stt_skips *s, uint64_t from)
{
    struct stt_skip *skip = find(s, from);
    if (skip)
        skip->is_owed = true;
}

void stt_skips_say_again(struct stt_skips *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        s->at[i].is_owed = true;
}
