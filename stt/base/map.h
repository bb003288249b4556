/* SPDX-License-Identifier: MIT
 * map: keys of one fixed size to 64-bit values that are not 0 (an id, or a pointer), kept in one
 * array: a lookup is one hash and, as a rule, one cache miss.
 *
 * The seed must be a secret: xxh3 under a known seed lets a stranger choose keys that collide.
 * Costs are bounded by `max` and never by what has been removed. The array doubles when it is 3/4
 * full, all at once: that one put takes 20 to 50 ns per entry, a few milliseconds at 100,000; who
 * cannot afford that in the middle of traffic reserves ahead. It does not shrink before fini. */
#ifndef STT_BASE_MAP_H
#define STT_BASE_MAP_H

#include "stt/base/env.h"
#include "stt/error.h"

#define STT_MAP_KEY_BYTES_MAX 64

struct stt_map {
    const struct stt_env *env;
    uint8_t *slots; /* NULL until something is put or reserved */
    uint64_t seed;
    uint32_t mask; /* slots - 1 */
    uint32_t n, max;
    uint32_t key_bytes, slot_bytes;
};

/* Takes no memory. Keys have 1 to STT_MAP_KEY_BYTES_MAX bytes; those of 8 are the fastest. */
void stt_map_init(struct stt_map *m, const struct stt_env *env, uint32_t key_bytes, uint64_t seed,
                  uint32_t max);
void stt_map_fini(struct stt_map *m);

/* The next puts up to n entries in all will neither fail nor allocate. STT_E_LIMIT when n is above
 * max, STT_E_MEMORY. */
int stt_map_reserve(struct stt_map *m, uint32_t n) STT_MUST_USE;

/* The value, or 0. */
uint64_t stt_map_find(const struct stt_map *m, const void *key);

/* Adds or replaces; replacing never fails. STT_E_ARGUMENT for the value 0, STT_E_LIMIT at max
 * entries, STT_E_MEMORY. */
int stt_map_put(struct stt_map *m, const void *key, uint64_t value) STT_MUST_USE;

/* The value that was there, or 0. */
uint64_t stt_map_remove(struct stt_map *m, const void *key);

/* Walks all entries in no particular order, though in the same one for the same history and seed:
 *
 *     uint32_t cursor = 0;
 *     for (struct stt_map_entry e; stt_map_next(&m, &cursor, &e);)
 *
 * Nothing may be put or removed on the way. O(slots). */
struct stt_map_entry {
    const void *key; /* key_bytes, borrowed until the map changes */
    uint64_t value;
};

bool stt_map_next(const struct stt_map *m, uint32_t *cursor, struct stt_map_entry *entry);

/* Values that are pointers. */
static inline void *stt_map_find_pointer(const struct stt_map *m, const void *key)
{
    return (void *)(uintptr_t)stt_map_find(m, key);
}

#endif
