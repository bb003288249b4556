/* SPDX-License-Identifier: MIT
 * counts: a map from what is counted to how often; an entry leaves when its count is 0, so memory
 * is bounded by what is half open. Knows nothing about handshakes. Spec 03, "Order of checks". */
#include "stt/session/counts.h"

#include "stt/wire/limits.h"

#include <assert.h>
#include <string.h>

/* Prefixes of different lengths, and peers within them, never share a key. */
enum { KIND_V4 = 4, KIND_V6_64 = 6, KIND_V6_48 = 7, KIND_PEER = 0x80 };

enum { PREFIX_AT = 1, STATIC_KEY_AT = 9, STATIC_KEY_BYTES = 16 };

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static struct stt_count_key key_of(uint8_t kind, const uint8_t *prefix, size_t len)
{
    struct stt_count_key key = {{kind}};
    memcpy(key.bytes + PREFIX_AT, prefix, len);
    return key;
}

/* As much wider as the limits say, short of overflowing. */
static uint32_t cap_of_48(uint32_t cap_of_64)
{
    uint64_t cap = (uint64_t)cap_of_64 * (STT_HALF_OPEN_PER_48 / STT_HALF_OPEN_PER_64);
    return cap < UINT32_MAX ? (uint32_t)cap : UINT32_MAX;
}

void stt_prefixes_of(struct stt_prefixes *out, const uint8_t ip[16], uint32_t cap)
{
    if (memcmp(ip, v4_mapped, sizeof v4_mapped) == 0)
        *out = (struct stt_prefixes){{key_of(KIND_V4, ip + 12, 4)}, {cap}, 1};
    else
        *out = (struct stt_prefixes){
            {key_of(KIND_V6_64, ip, 8), key_of(KIND_V6_48, ip, 6)}, {cap, cap_of_48(cap)}, 2};
}

struct stt_count_key stt_count_key_of_peer(const uint8_t static_key[32],
                                           const struct stt_count_key *prefix)
{
    struct stt_count_key key = *prefix;
    key.bytes[0] |= KIND_PEER;
    memcpy(key.bytes + STATIC_KEY_AT, static_key, STATIC_KEY_BYTES);
    return key;
}

void stt_counts_init(struct stt_counts *c, const struct stt_env *env, uint64_t seed, uint32_t max)
{
    stt_map_init(&c->map, env, sizeof(struct stt_count_key), seed, max);
}

void stt_counts_fini(struct stt_counts *c)
{
    stt_map_fini(&c->map);
}

uint32_t stt_counts_of(const struct stt_counts *c, const struct stt_count_key *key)
{
    return (uint32_t)stt_map_find(&c->map, key);
}

int stt_counts_add(struct stt_counts *c, const struct stt_count_key *key, uint32_t cap)
{
    uint32_t count = stt_counts_of(c, key);
    if (count >= cap)
        return STT_E_LIMIT;
    return stt_map_put(&c->map, key, (uint64_t)count + 1);
}

void stt_counts_drop(struct stt_counts *c, const struct stt_count_key *key)
{
    uint32_t count = stt_counts_of(c, key);
    assert(count > 0);
    if (count == 1)
        stt_map_remove(&c->map, key);
    else
        (void)!stt_map_put(&c->map, key, count - 1); /* replacing never fails */
}
