/* SPDX-License-Identifier: MIT
 * refused: one byte, sealed under a key that only the two ends of a half-open handshake know.
 * Owns nothing. Spec 03, "Guesses at a code". */
#include "crypto/refused.h"

#include "crypto/kdf.h"

#include <sodium.h>

static const uint8_t nonce_zero[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

void stt_refused_key(uint8_t key[STT_REFUSED_KEY_BYTES], const uint8_t chaining_key[32])
{
    stt_kdf_keyed(key, STT_REFUSED_KEY_BYTES, bytes_of(chaining_key, 32), "stt1 refused",
                  KDF_NO_PARTS);
}

void stt_refused_seal(uint8_t sealed[STT_REFUSED_SEALED_BYTES],
                      const uint8_t key[STT_REFUSED_KEY_BYTES],
                      const uint8_t header[STT_REFUSED_HEADER_BYTES], uint8_t reason)
{
    crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, &reason, 1, header,
                                              STT_REFUSED_HEADER_BYTES, NULL, nonce_zero, key);
}

bool stt_refused_open(uint8_t *reason, const uint8_t key[STT_REFUSED_KEY_BYTES],
                      const uint8_t header[STT_REFUSED_HEADER_BYTES],
                      const uint8_t sealed[STT_REFUSED_SEALED_BYTES])
{
    return crypto_aead_chacha20poly1305_ietf_decrypt(
               reason, NULL, NULL, sealed, STT_REFUSED_SEALED_BYTES, header,
               STT_REFUSED_HEADER_BYTES, nonce_zero, key) == 0 &&
           (*reason == STT_REFUSED_WRONG || *reason == STT_REFUSED_USED_UP);
}
