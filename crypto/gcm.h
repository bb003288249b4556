/* SPDX-License-Identifier: MIT
 * gcm: the suite of AES-256-GCM (NIST SP 800-38D), where libsodium has it in hardware. */
#ifndef STT_CRYPTO_GCM_H
#define STT_CRYPTO_GCM_H

#include "crypto/aead.h"

extern const struct stt_aead_suite stt_aes_256_gcm;

#endif
