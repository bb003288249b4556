/* SPDX-License-Identifier: MIT
 * hash: owns nothing; every function is pure and leaves no secret on the stack. It must not know
 * what is hashed. Spec 03, "Functions". */
#include "crypto/hash.h"

#include <assert.h>
#include <sodium.h>

#include "stt/base/env.h"

void stt_hash_blake2b(struct bytes a, struct bytes b, uint8_t out[STT_HASH_BYTES])
{
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, NULL, 0, STT_HASH_BYTES);
    crypto_generichash_blake2b_update(&state, a.data, a.len);
    crypto_generichash_blake2b_update(&state, b.data, b.len);
    crypto_generichash_blake2b_final(&state, out, STT_HASH_BYTES);
    stt_env_wipe(&state, sizeof state);
}

/* One of HMAC's two passes: BLAKE2b(key padded with zeros XOR pad || a || b). */
static void pass(struct bytes key, uint8_t pad, struct bytes a, struct bytes b, uint8_t *out)
{
    uint8_t block[STT_HASH_BLOCK_BYTES];
    memset(block, pad, sizeof block);
    for (size_t i = 0; i < key.len; i++)
        block[i] ^= key.data[i];
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, NULL, 0, STT_HASH_BYTES);
    crypto_generichash_blake2b_update(&state, block, sizeof block);
    crypto_generichash_blake2b_update(&state, a.data, a.len);
    crypto_generichash_blake2b_update(&state, b.data, b.len);
    crypto_generichash_blake2b_final(&state, out, STT_HASH_BYTES);
    stt_env_wipe(&state, sizeof state);
    stt_env_wipe(block, sizeof block);
}

void stt_hash_hmac(struct bytes key, struct bytes a, struct bytes b, uint8_t out[STT_HASH_BYTES])
{
    assert(key.len <= STT_HASH_BLOCK_BYTES);
    uint8_t inner[STT_HASH_BYTES];
    pass(key, 0x36, a, b, inner);
    pass(key, 0x5c, BYTES(inner), BYTES_NONE, out);
    stt_env_wipe(inner, sizeof inner);
}

void stt_hash_hkdf(const uint8_t chaining_key[STT_HASH_BYTES], struct bytes input, unsigned n,
                   uint8_t (*out)[STT_HASH_BYTES])
{
    uint8_t temp[STT_HASH_BYTES];
    stt_hash_hmac(bytes_of(chaining_key, STT_HASH_BYTES), input, BYTES_NONE, temp);
    struct bytes last = BYTES_NONE;
    for (unsigned i = 0; i < n; i++) {
        uint8_t number = (uint8_t)(i + 1);
        stt_hash_hmac(BYTES(temp), last, bytes_of(&number, 1), out[i]);
        last = bytes_of(out[i], STT_HASH_BYTES);
    }
    stt_env_wipe(temp, sizeof temp);
}
