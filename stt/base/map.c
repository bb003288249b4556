/* SPDX-License-Identifier: MIT
 * map: owns one array of slots. Open addressing with linear probing; removing shifts back what
 * probed past the hole, so there are no tombstones and history leaves no trace.
 *
 *   slot    | value 8 | key | zeros to a multiple of 8 |        value 0: the slot is empty
 *
 *   home of k                                remove b:  c may move into the hole when its home is
 *      |  a  |  b  |  c  |     |             at or before it; the first empty slot ends the run
 *
 * Invariant: every slot from an entry's home to the entry is taken. It must not know what keys and
 * values stand for. */
#include "stt/base/map.h"

#include <assert.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SLOTS_MIN = 16 };

static uint64_t *value_at(const struct stt_map *m, uint32_t slot)
{
    return (uint64_t *)(void *)(m->slots + (size_t)slot * m->slot_bytes);
}

static uint8_t *key_at(const struct stt_map *m, uint32_t slot)
{
    return m->slots + (size_t)slot * m->slot_bytes + sizeof(uint64_t);
}

/* Constant sizes, where there are some, become a few instructions. */
static uint32_t home_of(const struct stt_map *m, const void *key)
{
    if (m->key_bytes == 8)
        return (uint32_t)XXH3_64bits_withSeed(key, 8, m->seed) & m->mask;
    if (m->key_bytes > STT_MAP_KEY_BYTES_MAX)
        __builtin_unreachable(); /* leaves out what hashes long input */
    return (uint32_t)XXH3_64bits_withSeed(key, m->key_bytes, m->seed) & m->mask;
}

static bool key_equals(const struct stt_map *m, uint32_t slot, const void *key)
{
    if (m->key_bytes == 8)
        return memcmp(key_at(m, slot), key, 8) == 0;
    return memcmp(key_at(m, slot), key, m->key_bytes) == 0;
}

/* The slot that holds the key, or the empty one where it belongs. There is always an empty one. */
static uint32_t probe(const struct stt_map *m, const void *key)
{
    uint32_t slot = home_of(m, key);
    while (*value_at(m, slot) && !key_equals(m, slot, key))
        slot = (slot + 1) & m->mask;
    return slot;
}

/* How many entries this many slots may hold. */
static uint32_t room_in(uint32_t slots)
{
    return slots - slots / 4;
}

static size_t array_bytes(const struct stt_map *m)
{
    return m->slots ? ((size_t)m->mask + 1) * m->slot_bytes : 0;
}

void stt_map_init(struct stt_map *m, const struct stt_env *env, uint32_t key_bytes, uint64_t seed,
                  uint32_t max)
{
    assert(key_bytes && key_bytes <= STT_MAP_KEY_BYTES_MAX && max <= 1u << 30);
    *m = (struct stt_map){.env = env, .key_bytes = key_bytes, .seed = seed, .max = max};
    m->slot_bytes = (uint32_t)sizeof(uint64_t) + (key_bytes + 7) / 8 * 8;
}

void stt_map_fini(struct stt_map *m)
{
    stt_env_release(m->env, m->slots, array_bytes(m));
    m->slots = NULL;
    m->mask = m->n = 0;
}

static int grow_to(struct stt_map *m, uint32_t slots)
{
    struct stt_map bigger = *m;
    bigger.mask = slots - 1;
    bigger.slots = stt_env_alloc(m->env, (size_t)slots * m->slot_bytes);
    if (!bigger.slots)
        return STT_E_MEMORY;
    uint32_t cursor = 0;
    for (struct stt_map_entry e; stt_map_next(m, &cursor, &e);)
        memcpy(value_at(&bigger, probe(&bigger, e.key)), value_at(m, cursor - 1), m->slot_bytes);
    stt_env_release(m->env, m->slots, array_bytes(m));
    *m = bigger;
    return STT_OK;
}

int stt_map_reserve(struct stt_map *m, uint32_t n)
{
    if (n > m->max)
        return STT_E_LIMIT;
    uint32_t now = m->slots ? m->mask + 1 : 0, slots = now ? now : SLOTS_MIN;
    while (room_in(slots) < n)
        slots *= 2;
    return slots > now ? grow_to(m, slots) : STT_OK;
}

uint64_t stt_map_find(const struct stt_map *m, const void *key)
{
    return m->slots ? *value_at(m, probe(m, key)) : 0;
}

int stt_map_put(struct stt_map *m, const void *key, uint64_t value)
{
    if (value == 0)
        return STT_E_ARGUMENT;
    uint32_t slot = m->slots ? probe(m, key) : 0;
    if (!m->slots || *value_at(m, slot) == 0) {
        int error = stt_map_reserve(m, m->n + 1);
        if (error)
            return error;
        slot = probe(m, key); /* the array may be another one now */
        memcpy(key_at(m, slot), key, m->key_bytes);
        m->n++;
    }
    *value_at(m, slot) = value;
    return STT_OK;
}

/* Moves back whatever probed past the hole, until the run of taken slots ends. */
static void close_hole(struct stt_map *m, uint32_t hole)
{
    for (uint32_t slot = hole;;) {
        slot = (slot + 1) & m->mask;
        if (*value_at(m, slot) == 0)
            break;
        uint32_t distance = (slot - home_of(m, key_at(m, slot))) & m->mask;
        if (distance < ((slot - hole) & m->mask))
            continue; /* its home lies behind the hole */
        memcpy(value_at(m, hole), value_at(m, slot), m->slot_bytes);
        hole = slot;
    }
    memset(value_at(m, hole), 0, m->slot_bytes);
}

uint64_t stt_map_remove(struct stt_map *m, const void *key)
{
    if (!m->slots)
        return 0;
    uint32_t slot = probe(m, key);
    uint64_t value = *value_at(m, slot);
    if (value) {
        close_hole(m, slot);
        m->n--;
    }
    return value;
}

bool stt_map_next(const struct stt_map *m, uint32_t *cursor, struct stt_map_entry *entry)
{
    for (; m->slots && *cursor <= m->mask; ++*cursor) {
        if (*value_at(m, *cursor) == 0)
            continue;
        *entry = (struct stt_map_entry){key_at(m, *cursor), *value_at(m, *cursor)};
        ++*cursor;
        return true;
    }
    return false;
}
