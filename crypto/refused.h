/* SPDX-License-Identifier: MIT
 * refused: the answer to a wrong guess in mode W (spec 03, "Guesses at a code"). */
#ifndef STT_CRYPTO_REFUSED_H
#define STT_CRYPTO_REFUSED_H

#include "stt/types.h"

enum {
    STT_REFUSED_KEY_BYTES = 32,
    STT_REFUSED_HEADER_BYTES = 10, /* what stands before the sealed reason */
    STT_REFUSED_SEALED_BYTES = 17,
};

enum stt_refused_reason {
    STT_REFUSED_WRONG = 1,   /* the code is wrong */
    STT_REFUSED_USED_UP = 2, /* the code is wrong, and dead now */
};

/* From the first 32 bytes of the chaining key before token psk. */
void stt_refused_key(uint8_t key[STT_REFUSED_KEY_BYTES], const uint8_t chaining_key[32]);

/* A key seals once: its nonce is fixed. */
void stt_refused_seal(uint8_t sealed[STT_REFUSED_SEALED_BYTES],
                      const uint8_t key[STT_REFUSED_KEY_BYTES],
                      const uint8_t header[STT_REFUSED_HEADER_BYTES], uint8_t reason);

/* False also when the reason is none of the table. */
bool stt_refused_open(uint8_t *reason, const uint8_t key[STT_REFUSED_KEY_BYTES],
                      const uint8_t header[STT_REFUSED_HEADER_BYTES],
                      const uint8_t sealed[STT_REFUSED_SEALED_BYTES]) STT_MUST_USE;

#endif
