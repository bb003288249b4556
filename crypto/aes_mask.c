/* SPDX-License-Identifier: MIT
 * aes_mask: AES-128 and AES-256 on single blocks (FIPS 197), for header masks (spec 02, "Masking").
 * The state is the expanded key: 11 or 15 round keys, as bytes. Runs only where the processor has
 * AES instructions; knows nothing about packets. */
#include "crypto/aes_mask.h"

#include "crypto/aes_round.h"
#include "stt/base/env.h"

#if STT_HAS_AES

/* SubWord without a table: with the same word in all four columns ShiftRows changes nothing. */
AES_TARGET static void sub_word(uint8_t word[4])
{
    uint8_t block[16];
    for (size_t i = 0; i < 4; i++)
        memcpy(block + 4 * i, word, 4);
    aes_store(block, aes_last_round(aes_load(block), aes_of_u64(0, 0)));
    memcpy(word, block, 4);
    stt_env_wipe(block, sizeof block);
}

static void rotate_word(uint8_t word[4])
{
    uint8_t first = word[0];
    memmove(word, word + 1, 3);
    word[3] = first;
}

/* FIPS 197, 5.2: key_words is 4 or 8, and there are key_words + 7 round keys of four words. */
static void expand(uint8_t *out, const uint8_t *key, size_t key_words)
{
    uint8_t word[4];
    uint8_t round_constant = 1;

    memcpy(out, key, 4 * key_words);
    memcpy(word, out + 4 * (key_words - 1), 4);
    for (size_t i = key_words; i < 4 * (key_words + 7); i++) {
        if (i % key_words == 0) {
            rotate_word(word);
            sub_word(word);
            word[0] ^= round_constant;
            round_constant = (uint8_t)(round_constant << 1 ^ (round_constant >> 7) * 0x1b);
        } else if (i % key_words == 4) {
            sub_word(word);
        }
        for (size_t j = 0; j < 4; j++)
            word[j] ^= out[4 * (i - key_words) + j];
        memcpy(out + 4 * i, word, 4);
    }
    stt_env_wipe(word, sizeof word);
}

/* The blocks do not depend on each other, so the processor overlaps them without being told. */
AES_INLINE void mask_blocks(const uint8_t *round_keys, size_t rounds, const uint8_t *sample,
                            size_t stride, uint8_t *out, uint8_t *end)
{
    for (; out != end; out += STT_AEAD_MASK_BYTES, sample += stride) {
        aes_block a = aes_xor(aes_load(sample), aes_load(round_keys));
        for (size_t i = 1; i < rounds; i++)
            a = aes_round(a, aes_load(round_keys + 16 * i));
        a = aes_last_round(a, aes_load(round_keys + 16 * rounds));
        aes_store_half(out, a);
    }
}

void stt_aes_128_mask_init(void *state, const uint8_t *key)
{
    expand(state, key, 4);
}

AES_TARGET void stt_aes_128_mask(const void *state, const uint8_t *samples, size_t stride, size_t n,
                                 uint8_t (*out)[STT_AEAD_MASK_BYTES])
{
    mask_blocks(state, 10, samples, stride, out[0], out[n]);
}

void stt_aes_256_mask_init(void *state, const uint8_t *key)
{
    expand(state, key, 8);
}

AES_TARGET void stt_aes_256_mask(const void *state, const uint8_t *samples, size_t stride, size_t n,
                                 uint8_t (*out)[STT_AEAD_MASK_BYTES])
{
    mask_blocks(state, 14, samples, stride, out[0], out[n]);
}

#endif
