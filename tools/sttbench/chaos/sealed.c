/* SPDX-License-Identifier: MIT
 * sealed: a suite stands in front of another one and writes down what it is asked to seal. The set
 * of (key, nonce) holds 64 bits of a hash of each: one scenario seals some 10^4 packets, so two
 * would meet by chance in one scenario of 10^11. */
#include "tools/sttbench/chaos/sealed.h"

#include "crypto/cpu.h"
#include "tools/sttbench/chaos/pattern.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

enum { QUICK_ID = 254, NONCE_BYTES = 12, KEY_BYTES = 16, HEAD_BYTES = 16, SLOTS_MIN = 4096 };

static struct {
    uint64_t *slots; /* 0: free */
    size_t size, used;
    uint64_t packets, twice;
} set;

/* -- the set ------------------------------------------------------------------------------- */

void sealed_begin(void)
{
    free(set.slots);
    memset(&set, 0, sizeof set);
    set.size = SLOTS_MIN;
    set.slots = calloc(set.size, sizeof *set.slots);
    assert(set.slots);
}

uint64_t sealed_packets(void)
{
    return set.packets;
}

uint64_t sealed_twice(void)
{
    return set.twice;
}

/* True: it was there already. */
static bool enter(uint64_t *slots, size_t size, uint64_t hash)
{
    size_t i = hash & (size - 1);
    for (; slots[i] && slots[i] != hash; i = (i + 1) & (size - 1))
        ;
    bool was_there = slots[i] == hash;
    slots[i] = hash;
    return was_there;
}

static void grow(void)
{
    size_t size = 2 * set.size;
    uint64_t *slots = calloc(size, sizeof *slots);
    assert(slots);
    for (size_t i = 0; i < set.size; i++)
        if (set.slots[i])
            enter(slots, size, set.slots[i]);
    free(set.slots);
    set.slots = slots;
    set.size = size;
}

static void remember(uint64_t key, const uint8_t *nonce)
{
    uint64_t hash = XXH3_64bits_withSeed(nonce, NONCE_BYTES, key) | 1;
    set.packets++;
    if (enter(set.slots, set.size, hash))
        set.twice++;
    else if (++set.used > set.size / 2)
        grow();
}

/* -- the quick suite ----------------------------------------------------------------------- */

static void quick_init(void *state, const uint8_t *key)
{
    *(uint64_t *)state = XXH3_64bits(key, KEY_BYTES);
}

static void make_tag(const void *state, const uint8_t *nonce, struct bytes ad, struct bytes data,
                     uint8_t tag[STT_AEAD_TAG_BYTES])
{
    uint64_t key = *(const uint64_t *)state;
    uint64_t head = XXH3_64bits_withSeed(ad.data, ad.len, key ^ ad.len);
    head = pattern_mix(head, XXH3_64bits_withSeed(nonce, NONCE_BYTES, key));
    XXH128_hash_t hash = XXH3_128bits_withSeed(data.data, data.len, head);
    be64_store(tag, hash.low64);
    be64_store(tag + 8, hash.high64);
}

static void quick_seal(const void *state, const struct stt_aead_plain *packets, size_t n)
{
    for (const struct stt_aead_plain *p = packets; p != packets + n; p++) {
        size_t len = stt_aead_gather(p);
        remember(*(const uint64_t *)state, p->nonce);
        make_tag(state, p->nonce, p->ad, bytes_of(p->out, len), p->out + len);
    }
}

static bool quick_is_authentic(const void *state, const struct stt_aead_sealed *p)
{
    uint8_t tag[STT_AEAD_TAG_BYTES];
    size_t len = p->len - sizeof tag;
    make_tag(state, p->nonce, p->ad, bytes_of(p->data, len), tag);
    return memcmp(tag, p->data + len, sizeof tag) == 0;
}

static size_t quick_open(const void *state, struct stt_aead_sealed *packets, size_t n)
{
    return stt_aead_open_each(state, packets, n, quick_is_authentic);
}

static void quick_mask(const void *state, const uint8_t *samples, size_t stride, size_t n,
                       uint8_t (*out)[STT_AEAD_MASK_BYTES])
{
    for (size_t i = 0; i < n; i++)
        be64_store(out[i], XXH3_64bits_withSeed(samples + i * stride, STT_AEAD_SAMPLE_BYTES,
                                                *(const uint64_t *)state));
}

#define QUICK                                                                                      \
    .id = QUICK_ID, .name = "quick", .variant = "chaos", .key_bytes = KEY_BYTES,                   \
    .nonce_bytes = NONCE_BYTES, .state_bytes = sizeof(uint64_t),                                   \
    .mask_state_bytes = sizeof(uint64_t), .max_failed_opens = STT_AEAD_UNLIMITED,                  \
    .init = quick_init, .seal = quick_seal, .open = quick_open, .mask_init = quick_init,           \
    .mask = quick_mask

static const struct stt_aead_suite quick = {QUICK, .max_packets = STT_AEAD_UNLIMITED};

/* The next epoch begins when fewer than 2^16 packets are left: always, and as soon as it may. */
static const struct stt_aead_suite worn = {QUICK, .max_packets = 1 << 16};

/* -- chacha20-poly1305, behind 16 bytes of our own ------------------------------------------- */

static const struct stt_aead_suite *inner;

static void chacha_init(void *state, const uint8_t *key)
{
    *(uint64_t *)state = XXH3_64bits(key, inner->key_bytes);
    inner->init((uint8_t *)state + HEAD_BYTES, key);
}

static void chacha_seal(const void *state, const struct stt_aead_plain *packets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        remember(*(const uint64_t *)state, packets[i].nonce);
    inner->seal((const uint8_t *)state + HEAD_BYTES, packets, n);
}

static size_t chacha_open(const void *state, struct stt_aead_sealed *packets, size_t n)
{
    return inner->open((const uint8_t *)state + HEAD_BYTES, packets, n);
}

static const struct stt_aead_suite *chacha(void)
{
    static struct stt_aead_suite suite;
    if (!inner) {
        inner = stt_aead_by_name("chacha20-poly1305", 0);
        assert(inner && inner->nonce_bytes == NONCE_BYTES);
        suite = *inner;
        suite.state_bytes += HEAD_BYTES;
        suite.init = chacha_init;
        suite.seal = chacha_seal;
        suite.open = chacha_open;
    }
    return &suite;
}

const struct stt_aead_suite *sealed_suite(enum sealed_kind kind)
{
    switch (kind) {
    case SEALED_QUICK:
        return &quick;
    case SEALED_WORN:
        return &worn;
    default:
        return chacha();
    }
}
