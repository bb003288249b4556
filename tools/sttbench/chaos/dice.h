/* SPDX-License-Identifier: MIT
 * dice: what a scenario draws, from the generator of the simulated world. */
#ifndef TOOLS_STTBENCH_CHAOS_DICE_H
#define TOOLS_STTBENCH_CHAOS_DICE_H

#include "transport/sim/rng.h"

static inline struct stt_net_rng dice_init(uint64_t seed)
{
    return (struct stt_net_rng){seed};
}

static inline uint64_t dice_u64(struct stt_net_rng *r)
{
    return stt_net_rng_u64(r);
}

/* In [0, n); n is at least 1. The bias is below 2^-32 for the small n of scenarios. */
static inline uint64_t dice_below(struct stt_net_rng *r, uint64_t n)
{
    return dice_u64(r) % n;
}

/* In [from, to], both included. */
static inline uint64_t dice_between(struct stt_net_rng *r, uint64_t from, uint64_t to)
{
    return from + dice_below(r, to - from + 1);
}

/* True `percent` times in a hundred. */
static inline bool dice_chance(struct stt_net_rng *r, unsigned percent)
{
    return dice_below(r, 100) < percent;
}

#endif
