/* SPDX-License-Identifier: MIT
 * aegis_engine: one way to compute AEGIS on one kind of processor; aegis.c makes suites of them. */
#ifndef STT_CRYPTO_AEGIS_ENGINE_H
#define STT_CRYPTO_AEGIS_ENGINE_H

#include "crypto/aead.h"

struct stt_aegis_engine {
    size_t packets; /* so many at once, which must be equal in all lengths */
    void (*seal)(const uint8_t *key, const struct stt_aead_plain *packets, size_t len);
    size_t (*open)(const uint8_t *key, struct stt_aead_sealed *packets);
};

extern const struct stt_aegis_engine stt_aegis_128l_one, stt_aegis_128l_pair, stt_aegis_128l_quad;
extern const struct stt_aegis_engine stt_aegis_128x2_one, stt_aegis_128x2_vaes_one,
    stt_aegis_128x2_pair, stt_aegis_128x2_quad;

#endif
