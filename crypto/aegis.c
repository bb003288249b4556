/* SPDX-License-Identifier: MIT
 * aegis: makes suites of the AEGIS engines: walks a train and takes neighbours of equal lengths two
 * or four at a time where there is an engine for it (spec 02, "Suites"). The key state is the key.
 *
 * Limits: the draft claims 128-bit security against forgery, which allows more attempts than there
 * are packet numbers, and bounds messages under a key only where nonces are random; ours count. So
 * neither is limited further.
 *
 * AEGIS-128X2 is offered unasked only where several packets go at once: everywhere else trains
 * under AEGIS-128L are faster. */
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

/* The engines of a suite, the widest first; the last one takes a single packet. */
enum { ENGINES_MAX = 3 };
typedef const struct stt_aegis_engine *const engines[ENGINES_MAX];

static bool plain_alike(const struct stt_aead_plain *a, const struct stt_aead_plain *b)
{
    return a->ad.len == b->ad.len && stt_aead_len(a) == stt_aead_len(b);
}

static bool sealed_alike(const struct stt_aead_sealed *a, const struct stt_aead_sealed *b)
{
    return a->ad.len == b->ad.len && a->len == b->len;
}

/* How many of the first n, up to what the widest engine takes, are equal in all lengths; of them as
 * many go at once as an engine takes. */
#define ALIKE(name, type, is_alike)                                                                \
    static size_t name(const type *packets, size_t n, size_t most)                                 \
    {                                                                                              \
        size_t run = 1;                                                                            \
        while (run < n && run < most && is_alike(&packets[0], &packets[run]))                      \
            run++;                                                                                 \
        return run;                                                                                \
    }

ALIKE(alike_plain, struct stt_aead_plain, plain_alike)
ALIKE(alike_sealed, struct stt_aead_sealed, sealed_alike)

static const struct stt_aegis_engine *widest(engines e, size_t run)
{
    while ((*e)->packets > run)
        e++;
    return *e;
}

static void seal_all(engines e, const uint8_t *key, const struct stt_aead_plain *packets, size_t n)
{
    for (size_t i = 0, step; i < n; i += step) {
        const struct stt_aegis_engine *engine =
            widest(e, alike_plain(&packets[i], n - i, e[0]->packets));
        engine->seal(key, &packets[i], stt_aead_len(&packets[i]));
        step = engine->packets;
    }
}

static size_t open_all(engines e, const uint8_t *key, struct stt_aead_sealed *packets, size_t n)
{
    size_t opened = 0;
    for (size_t i = 0, step; i < n; i += step) {
        const struct stt_aegis_engine *engine =
            widest(e, alike_sealed(&packets[i], n - i, e[0]->packets));
        step = engine->packets;
        if (packets[i].len >= STT_AEAD_TAG_BYTES)
            opened += engine->open(key, &packets[i]);
        else
            for (size_t k = 0; k < step; k++)
                packets[i + k].is_open = false;
    }
    return opened;
}

#define SUITE(name, ...)                                                                           \
    static engines engines_##name = {__VA_ARGS__};                                                 \
    static void seal_##name(const void *key, const struct stt_aead_plain *packets, size_t n)       \
    {                                                                                              \
        seal_all(engines_##name, key, packets, n);                                                 \
    }                                                                                              \
    static size_t open_##name(const void *key, struct stt_aead_sealed *packets, size_t n)          \
    {                                                                                              \
        return open_all(engines_##name, key, packets, n);                                          \
    }

SUITE(128l, &stt_aegis_128l_one)
SUITE(128x2, &stt_aegis_128x2_one)

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

SUITE(128l_vaes, &stt_aegis_128l_pair, &stt_aegis_128l_one)
SUITE(128l_vaes512, &stt_aegis_128l_quad, &stt_aegis_128l_pair, &stt_aegis_128l_one)
SUITE(128x2_vaes, &stt_aegis_128x2_vaes_one)
SUITE(128x2_vaes512, &stt_aegis_128x2_quad, &stt_aegis_128x2_pair, &stt_aegis_128x2_vaes_one)

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

const struct stt_aead_suite stt_aegis_128l_vaes512 = {
    COMMON,
    .id = STT_AEAD_AEGIS_128L,
    .name = "aegis-128l",
    .variant = "vaes512",
    .needs = STT_CPU_AES | STT_CPU_VAES | STT_CPU_VAES512,
    .is_offered = true,
    .seal = seal_128l_vaes512,
    .open = open_128l_vaes512,
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
