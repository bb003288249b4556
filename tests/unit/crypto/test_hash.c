/* SPDX-License-Identifier: MIT */
#include "crypto/hash.h"

#include "tests/support/hex.h"
#include "tests/support/suite.h"

START_TEST(blake2b_gives_the_digest_of_rfc_7693_however_it_is_cut)
{
    uint8_t expected[STT_HASH_BYTES], got[STT_HASH_BYTES];
    hex_decode("ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
               "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
               expected, sizeof expected);
    for (size_t cut = 0; cut <= 3; cut++) {
        const uint8_t abc[] = {'a', 'b', 'c'};
        stt_hash_blake2b(bytes_of(abc, cut), bytes_of(abc + cut, 3 - cut), got);
        ck_assert_mem_eq(got, expected, sizeof got);
    }
}
END_TEST

START_TEST(blake2b_may_write_over_its_input)
{
    uint8_t h[STT_HASH_BYTES] = "over", expected[STT_HASH_BYTES];
    stt_hash_blake2b(BYTES(h), BYTES_TEXT("itself"), expected);
    stt_hash_blake2b(BYTES(h), BYTES_TEXT("itself"), h);
    ck_assert_mem_eq(h, expected, sizeof h);
}
END_TEST

/* RFC 2104 spelled out, for keys up to a block. */
static void hmac_by_definition(struct bytes key, struct bytes text, uint8_t out[STT_HASH_BYTES])
{
    uint8_t inner[STT_HASH_BLOCK_BYTES], outer[STT_HASH_BLOCK_BYTES], digest[STT_HASH_BYTES];
    for (size_t i = 0; i < STT_HASH_BLOCK_BYTES; i++) {
        uint8_t k = i < key.len ? key.data[i] : 0;
        inner[i] = k ^ 0x36;
        outer[i] = k ^ 0x5c;
    }
    stt_hash_blake2b(BYTES(inner), text, digest);
    stt_hash_blake2b(BYTES(outer), BYTES(digest), out);
}

START_TEST(hmac_is_that_of_rfc_2104_for_every_length_of_key)
{
    uint8_t key[STT_HASH_BLOCK_BYTES], expected[STT_HASH_BYTES], got[STT_HASH_BYTES];
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(3 * i + 1);
    for (size_t len = 0; len <= sizeof key; len++) {
        hmac_by_definition(bytes_of(key, len), BYTES_TEXT("one two"), expected);
        stt_hash_hmac(bytes_of(key, len), BYTES_TEXT("one "), BYTES_TEXT("two"), got);
        ck_assert_mem_eq(got, expected, sizeof got);
    }
}
END_TEST

START_TEST(hkdf_chains_its_outputs)
{
    uint8_t ck[STT_HASH_BYTES] = "chaining key", temp[STT_HASH_BYTES], expected[STT_HASH_BYTES];
    uint8_t out[3][STT_HASH_BYTES], fewer[2][STT_HASH_BYTES], text[STT_HASH_BYTES + 1];
    stt_hash_hkdf(ck, BYTES_TEXT("input"), 3, out);
    hmac_by_definition(BYTES(ck), BYTES_TEXT("input"), temp);
    hmac_by_definition(BYTES(temp), BYTES_TEXT("\1"), expected);
    ck_assert_mem_eq(out[0], expected, sizeof expected);
    for (uint8_t i = 1; i < 3; i++) {
        memcpy(text, out[i - 1], STT_HASH_BYTES);
        text[STT_HASH_BYTES] = (uint8_t)(i + 1);
        hmac_by_definition(BYTES(temp), BYTES(text), expected);
        ck_assert_mem_eq(out[i], expected, sizeof expected);
    }
    stt_hash_hkdf(ck, BYTES_TEXT("input"), 2, fewer);
    ck_assert_mem_eq(out, fewer, sizeof fewer);
}
END_TEST

SUITE("hash", TEST(blake2b_gives_the_digest_of_rfc_7693_however_it_is_cut),
      TEST(blake2b_may_write_over_its_input),
      TEST(hmac_is_that_of_rfc_2104_for_every_length_of_key), TEST(hkdf_chains_its_outputs))
