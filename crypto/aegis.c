/* SPDX-License-Identifier: MIT
 * aegis: makes suites of the AEGIS engines: walks a train and takes neighbours of equal lengths two
 * at a time where there is an engine for it (spec 02, "Suites"). The key state is the key.
 *
 * Limits: the draft claims 128-bit security against forgery, which allows more attempts than there
 * are packet numbers, and bounds messages under a key only where nonces are random; ours count. So
 * neither is limited further.
 *
 * AEGIS-128X2 is offered unasked only where it runs in pairs: everywhere else trains under
 * AEGIS-128L are faster. */
#include "crypto/aegis.h"

#include "crypto/aegis_engine.h"
#include "crypto/aes_mask.h"
#include "crypto/aes_round.h"
#include "crypto/cpu.h"

#if STT_HAS_AES

enum { KEY_BYTES = 16 };

static void init(void *state, const uint8_t *key)
{
    memcpy(state, key, KEY_BYTES);
}

static void seal_each(const struct stt_aegis_engine *one, const uint8_t *key,
                      const struct stt_aead_plain *packets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        one->seal(key, &packets[i], stt_aead_len(&packets[i]));
}

static size_t open_each(const struct stt_aegis_engine *one, const uint8_t *key,
                        struct stt_aead_sealed *packets, size_t n)
{
    size_t opened = 0;
    for (size_t i = 0; i < n; i++) {
        packets[i].is_open = false;
        if (packets[i].len >= STT_AEAD_TAG_BYTES)
            opened += one->open(key, &packets[i]);
    }
    return opened;
}

/* One packet at a time. */
#define EACH(name, one)                                                                            \
    static void seal_##name(const void *key, const struct stt_aead_plain *packets, size_t n)       \
    {                                                                                              \
        seal_each(&one, key, packets, n);                                                          \
    }                                                                                              \
    static size_t open_##name(const void *key, struct stt_aead_sealed *packets, size_t n)          \
    {                                                                                              \
        return open_each(&one, key, packets, n);                                                   \
    }

EACH(128l, stt_aegis_128l_one)
EACH(128x2, stt_aegis_128x2_one)

#define COMMON                                                                                     \
    .key_bytes = KEY_BYTES, .nonce_bytes = 16, .state_bytes = KEY_BYTES,                           \
    .mask_state_bytes = STT_AES_128_MASK_STATE_BYTES, .max_packets = STT_AEAD_UNLIMITED,           \
    .max_failed_opens = STT_AEAD_UNLIMITED, .init = init, .mask_init = stt_aes_128_mask_init,      \
    .mask = stt_aes_128_mask

const struct stt_aead_suite stt_aegis_128l = {
    COMMON,
    .id = STT_AEAD_AEGIS_128L,
    .name = "aegis-128l",
    .variant = "aes",
    .needs = STT_CPU_AES,
    .is_offered = true,
    .seal = seal_128l,
    .open = open_128l,
};

const struct stt_aead_suite stt_aegis_128x2 = {
    COMMON,
    .id = STT_AEAD_AEGIS_128X2,
    .name = "aegis-128x2",
    .variant = "aes",
    .needs = STT_CPU_AES,
    .seal = seal_128x2,
    .open = open_128x2,
};

#if STT_HAS_VAES

static bool plain_alike(const struct stt_aead_plain *a, const struct stt_aead_plain *b)
{
    return a->ad.len == b->ad.len && stt_aead_len(a) == stt_aead_len(b);
}

static void seal_pairs(const struct stt_aegis_engine *two, const struct stt_aegis_engine *one,
                       const uint8_t *key, const struct stt_aead_plain *packets, size_t n)
{
    for (size_t i = 0, step; i < n; i += step) {
        step = i + 1 < n && plain_alike(&packets[i], &packets[i + 1]) ? 2 : 1;
        (step == 2 ? two : one)->seal(key, &packets[i], stt_aead_len(&packets[i]));
    }
}

static bool sealed_alike(const struct stt_aead_sealed *a, const struct stt_aead_sealed *b)
{
    return a->ad.len == b->ad.len && a->len == b->len && a->len >= STT_AEAD_TAG_BYTES;
}

static size_t open_pairs(const struct stt_aegis_engine *two, const struct stt_aegis_engine *one,
                         const uint8_t *key, struct stt_aead_sealed *packets, size_t n)
{
    size_t opened = 0;
    for (size_t i = 0, step; i < n; i += step) {
        step = i + 1 < n && sealed_alike(&packets[i], &packets[i + 1]) ? 2 : 1;
        opened += step == 2 ? two->open(key, &packets[i]) : open_each(one, key, &packets[i], 1);
    }
    return opened;
}

/* Two packets at a time, the odd one alone. */
#define PAIRS(name, two, one)                                                                      \
    static void seal_##name(const void *key, const struct stt_aead_plain *packets, size_t n)       \
    {                                                                                              \
        seal_pairs(&two, &one, key, packets, n);                                                   \
    }                                                                                              \
    static size_t open_##name(const void *key, struct stt_aead_sealed *packets, size_t n)          \
    {                                                                                              \
        return open_pairs(&two, &one, key, packets, n);                                            \
    }

PAIRS(128l_vaes, stt_aegis_128l_pair, stt_aegis_128l_one)
EACH(128x2_vaes, stt_aegis_128x2_vaes_one)
PAIRS(128x2_vaes512, stt_aegis_128x2_pair, stt_aegis_128x2_vaes_one)

const struct stt_aead_suite stt_aegis_128l_vaes = {
    COMMON,
    .id = STT_AEAD_AEGIS_128L,
    .name = "aegis-128l",
    .variant = "vaes",
    .needs = STT_CPU_AES | STT_CPU_VAES,
    .is_offered = true,
    .seal = seal_128l_vaes,
    .open = open_128l_vaes,
};

const struct stt_aead_suite stt_aegis_128x2_vaes = {
    COMMON,
    .id = STT_AEAD_AEGIS_128X2,
    .name = "aegis-128x2",
    .variant = "vaes",
    .needs = STT_CPU_AES | STT_CPU_VAES,
    .seal = seal_128x2_vaes,
    .open = open_128x2_vaes,
};

const struct stt_aead_suite stt_aegis_128x2_vaes512 = {
    COMMON,
    .id = STT_AEAD_AEGIS_128X2,
    .name = "aegis-128x2",
    .variant = "vaes512",
    .needs = STT_CPU_AES | STT_CPU_VAES | STT_CPU_VAES512,
    .is_offered = true,
    .seal = seal_128x2_vaes512,
    .open = open_128x2_vaes512,
};

#endif
#endif
