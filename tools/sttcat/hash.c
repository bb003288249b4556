/* SPDX-License-Identifier: MIT
 * hash: XXH3 of 128 bits over bytes that come in pieces, and how many there were.
 *
 * Zeros are hashed from one small block that stays in the processor's nearest cache. Knows nothing
 * of where the bytes come from. Spec 10, "Jobs". */
#include "tools/sttcat/hash.h"

#include <stdlib.h>
#include <xxhash.h>

/* The library's own choice among what this processor can do, where it has been built with one. */
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

struct hash {
    XXH3_state_t *state;
    uint64_t bytes;
};

struct hash *hash_new(void)
{
    struct hash *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->state = XXH3_createState();
    if (!h->state) {
        free(h);
        return NULL;
    }
    hash_restart(h);
    return h;
}

void hash_free(struct hash *h)
{
    if (h)
        XXH3_freeState(h->state);
    free(h);
}

void hash_restart(struct hash *h)
{
    h->bytes = 0;
    XXH3_128bits_reset(h->state);
}

void hash_add(struct hash *h, const void *data, size_t len)
{
    if (len)
        XXH3_128bits_update(h->state, data, len);
    h->bytes += len;
}

void hash_add_parts(struct hash *h, const struct iovec *parts, size_t len)
{
    for (size_t n; len > 0; parts++, len -= n) {
        n = parts->iov_len < len ? parts->iov_len : len;
        hash_add(h, parts->iov_base, n);
    }
}

void hash_add_zeros(struct hash *h, uint64_t len)
{
    static const uint8_t zeros[16384];
    for (; len > sizeof zeros; len -= sizeof zeros)
        hash_add(h, zeros, sizeof zeros);
    hash_add(h, zeros, (size_t)len);
}

uint64_t hash_bytes(const struct hash *h)
{
    return h->bytes;
}

struct wire_hash hash_value(const struct hash *h)
{
    XXH128_canonical_t canonical;
    struct wire_hash value;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(h->state));
    memcpy(value.bytes, canonical.digest, sizeof value.bytes);
    return value;
}

bool hash_equal(const struct wire_hash *a, const struct wire_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void hash_text(const struct wire_hash *hash, char out[33])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < sizeof hash->bytes; i++) {
        out[2 * i] = digits[hash->bytes[i] >> 4];
        out[2 * i + 1] = digits[hash->bytes[i] & 15];
    }
    out[32] = '\0';
}
