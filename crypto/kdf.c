/* SPDX-License-Identifier: MIT
 * kdf: BLAKE2b over a label and parts, each behind its length (spec 03, "Functions").
 *
 * No two different lists of parts give the same input, so a label is enough to keep uses apart.
 * Nothing in here knows what is derived. */
#include "crypto/kdf.h"

#include "stt/base/env.h"

#include <assert.h>
#include <sodium.h>

static void take_lp(crypto_generichash_blake2b_state *state, struct bytes part)
{
    uint8_t len[2] = {(uint8_t)(part.len >> 8), (uint8_t)part.len};
    crypto_generichash_blake2b_update(state, len, sizeof len);
    crypto_generichash_blake2b_update(state, part.data, part.len);
}

static bool are_lengths_valid(size_t len, struct bytes key, struct kdf_parts parts)
{
    bool valid =
        (len == 16 || len == 32 || len == 64) && (key.len == 0 || key.len == 32 || key.len == 64);
    for (size_t i = 0; i < parts.count; i++)
        valid &= parts.at[i].len <= UINT16_MAX;
    return valid;
}

void stt_kdf_keyed(uint8_t *out, size_t len, struct bytes key, const char *label,
                   struct kdf_parts parts)
{
    assert(are_lengths_valid(len, key, parts));
    crypto_generichash_blake2b_state state;
    crypto_generichash_blake2b_init(&state, key.data, key.len, len);
    take_lp(&state, bytes_of(label, strlen(label)));
    for (size_t i = 0; i < parts.count; i++)
        take_lp(&state, parts.at[i]);
    crypto_generichash_blake2b_final(&state, out, len);
    stt_env_wipe(&state, sizeof state);
}

void stt_kdf_hash(uint8_t *out, size_t len, const char *label, struct kdf_parts parts)
{
    stt_kdf_keyed(out, len, BYTES_NONE, label, parts);
}
