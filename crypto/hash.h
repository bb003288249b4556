/* SPDX-License-Identifier: MIT
 * hash: BLAKE2b-512 and what the Noise framework builds from it (Noise 4.3): HMAC and a chained
 * HKDF. Two slices where others take one: hashing a concatenation needs no buffer. */
#ifndef STT_CRYPTO_HASH_H
#define STT_CRYPTO_HASH_H

#include "stt/base/bytes.h"

#define STT_HASH_BYTES       64
#define STT_HASH_BLOCK_BYTES 128

/* out = BLAKE2b(a || b); out may be one of the inputs. */
void stt_hash_blake2b(struct bytes a, struct bytes b, uint8_t out[STT_HASH_BYTES]);

/* out = HMAC(key, a || b) of RFC 2104; the key has at most STT_HASH_BLOCK_BYTES. */
void stt_hash_hmac(struct bytes key, struct bytes a, struct bytes b, uint8_t out[STT_HASH_BYTES]);

/* The first n (1 to 255) outputs of HKDF(chaining_key, input); out may not overlap the inputs. */
void stt_hash_hkdf(const uint8_t chaining_key[STT_HASH_BYTES], struct bytes input, unsigned n,
                   uint8_t (*out)[STT_HASH_BYTES]);

#endif
