/* SPDX-License-Identifier: MIT
 * rng: every draw of the simulated world (splitmix64). Integers only, so that the same seed gives
 * the same world on every machine. A generator never yields the same word twice in 2^64 draws. */
#ifndef STT_TRANSPORT_SIM_RNG_H
#define STT_TRANSPORT_SIM_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STT_PPM_ALL 1000000u

struct stt_net_rng {
    uint64_t state;
};

static inline uint64_t stt_net_rng_u64(struct stt_net_rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* A generator of its own for each part of the world, so that what happens to one does not change
 * the draws of another. */
static inline struct stt_net_rng stt_net_rng_init(uint64_t seed, uint32_t kind, uint32_t number)
{
    struct stt_net_rng of_kind = {seed ^ (uint64_t)kind << 32};
    struct stt_net_rng r = {stt_net_rng_u64(&of_kind) + number};
    r.state = stt_net_rng_u64(&r);
    return r;
}

/* In [0, n); n is at least 1. */
static inline uint64_t stt_net_rng_below(struct stt_net_rng *r, uint64_t n)
{
    return (uint64_t)((unsigned __int128)stt_net_rng_u64(r) * n >> 64);
}

/* Draws only when there is something to decide. */
static inline bool stt_net_rng_chance(struct stt_net_rng *r, uint32_t ppm)
{
    return ppm && (stt_net_rng_u64(r) >> 32) * STT_PPM_ALL >> 32 < ppm;
}

static inline void stt_net_rng_fill(struct stt_net_rng *r, uint8_t *out, size_t len)
{
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0)
            word = stt_net_rng_u64(r);
        out[i] = (uint8_t)(word >> (i % 8 * 8));
    }
}

#endif
