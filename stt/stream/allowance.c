/* SPDX-License-Identifier: MIT
 * allowance: owns nothing but numbers. Invariants: told never falls; told is at most
 * open_max + ended, so that no more than open_max numbers are open or left out; in each second at
 * most STT_STREAMS_PER_S_DEFAULT streams count that the peer has reset; what is held back counts
 * later, and all of it. It must not know frames, streams, nor a clock. Spec 05, "Limit". */
#include "stt/stream/allowance.h"

#include "stt/wire/limits.h"

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void stt_allowance_init(struct stt_allowance *a, uint32_t open_max)
{
    *a = (struct stt_allowance){.told = open_max, .open_max = open_max};
}

void stt_allowance_on_time(struct stt_allowance *a, stt_ns now)
{
    if (now < a->second_ends_at)
        return;
    a->second_ends_at = now + STT_S(1);
    a->resets = (uint32_t)least(a->held, STT_STREAMS_PER_S_DEFAULT);
    a->ended += a->resets;
    a->held -= a->resets;
}

void stt_allowance_on_ended(struct stt_allowance *a, bool was_reset)
{
    bool is_held = was_reset && a->resets == STT_STREAMS_PER_S_DEFAULT;
    a->held += is_held;
    a->ended += !is_held;
    a->resets += was_reset && !is_held;
}

uint64_t stt_allowance_limit(const struct stt_allowance *a, uint64_t lowest_unused)
{
    return least(a->open_max + a->ended, lowest_unused + 2 * (uint64_t)a->open_max);
}

bool stt_allowance_on_blocked(struct stt_allowance *a, uint64_t limit, uint64_t lowest_unused)
{
    a->asked = limit >= a->told;
    return a->asked && stt_allowance_limit(a, lowest_unused) > a->told;
}

bool stt_allowance_is_due(const struct stt_allowance *a, uint64_t lowest_unused)
{
    uint64_t limit = stt_allowance_limit(a, lowest_unused);
    return limit > a->told && (a->asked || (limit - a->told) * 4 >= a->open_max);
}

uint64_t stt_allowance_tell(struct stt_allowance *a, uint64_t lowest_unused)
{
    uint64_t limit = stt_allowance_limit(a, lowest_unused);
    a->asked = a->asked && limit <= a->told;
    a->told = limit > a->told ? limit : a->told;
    return a->told;
}
