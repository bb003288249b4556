/* SPDX-License-Identifier: MIT
 * chacha: the suite of ChaCha20-Poly1305 (RFC 8439), which runs everywhere. */
#ifndef STT_CRYPTO_CHACHA_H
#define STT_CRYPTO_CHACHA_H

#include "crypto/aead.h"

extern const struct stt_aead_suite stt_chacha20_poly1305;

#endif
