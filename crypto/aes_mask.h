/* SPDX-License-Identifier: MIT
 * aes_mask: header masks from single AES blocks, for the suites built on AES (spec 02, "Masking").
 * The shapes are those of struct stt_aead_suite's mask_init and mask. */
#ifndef STT_CRYPTO_AES_MASK_H
#define STT_CRYPTO_AES_MASK_H

#include "crypto/aead.h"

enum { STT_AES_128_MASK_STATE_BYTES = 11 * 16, STT_AES_256_MASK_STATE_BYTES = 15 * 16 };

void stt_aes_128_mask_init(void *state, const uint8_t *key);
void stt_aes_128_mask(const void *state, const uint8_t *samples, size_t stride, size_t n,
                      uint8_t (*out)[STT_AEAD_MASK_BYTES]);
void stt_aes_256_mask_init(void *state, const uint8_t *key);
void stt_aes_256_mask(const void *state, const uint8_t *samples, size_t stride, size_t n,
                      uint8_t (*out)[STT_AEAD_MASK_BYTES]);

#endif
