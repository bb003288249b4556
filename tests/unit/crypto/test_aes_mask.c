/* SPDX-License-Identifier: MIT */
#include "crypto/aes_mask.h"

#include "crypto/aes_round.h"
#include "crypto/cpu.h"
#include "tests/support/hex.h"
#include "tests/support/suite.h"

#if STT_HAS_AES

struct vector {
    const char *key, *block, *mask;
};

static const struct vector aes_128[] = {
    /* FIPS 197, C.1 */
    {"000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430"},
    /* RFC 9001, A.2 and A.3: the header masks of a client and of a server */
    {"9f50449e04a0e810283a1e9933adedd2", "d1b1c98dd7689fb8ec11d242b123dc9b", "437b9aec36"},
    {"c206b8d9b9f0f37644430b490eeaa314", "2cd0991cd25b0aac406a5816b6394100", "2ec0d8356a"},
};

static const struct vector aes_256[] = {
    /* FIPS 197, C.3 */
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "00112233445566778899aabbccddeeff", "8ea2b7ca516745bf"},
    /* NIST SP 800-38A, F.1.5 */
    {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
     "6bc1bee22e409f96e93d7e117393172a", "f3eed1bdb5d2a03c"},
};

static bool has_aes(void)
{
    return stt_cpu_detect() & STT_CPU_AES;
}

START_TEST(aes_128_masks_published_blocks)
{
    uint8_t key[16], block[16], expected[8], mask[1][STT_AEAD_MASK_BYTES];
    uint8_t state[STT_AES_128_MASK_STATE_BYTES];
    if (!has_aes())
        return;
    hex_decode(aes_128[_i].key, key, sizeof key);
    hex_decode(aes_128[_i].block, block, sizeof block);
    size_t len = hex_decode(aes_128[_i].mask, expected, sizeof expected);
    stt_aes_128_mask_init(state, key);
    stt_aes_128_mask(state, block, 0, 1, mask);
    ck_assert_mem_eq(mask[0], expected, len);
}
END_TEST

START_TEST(aes_256_masks_published_blocks)
{
    uint8_t key[32], block[16], expected[8], mask[1][STT_AEAD_MASK_BYTES];
    uint8_t state[STT_AES_256_MASK_STATE_BYTES];
    if (!has_aes())
        return;
    hex_decode(aes_256[_i].key, key, sizeof key);
    hex_decode(aes_256[_i].block, block, sizeof block);
    size_t len = hex_decode(aes_256[_i].mask, expected, sizeof expected);
    stt_aes_256_mask_init(state, key);
    stt_aes_256_mask(state, block, 0, 1, mask);
    ck_assert_mem_eq(mask[0], expected, len);
}
END_TEST

SUITE("aes_mask", LOOP(aes_128_masks_published_blocks, 0, 3),
      LOOP(aes_256_masks_published_blocks, 0, 2))

#else
SUITE("aes_mask", )
#endif
