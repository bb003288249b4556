/* SPDX-License-Identifier: MIT */
#include "crypto/chacha.h"

#include "tests/support/hex.h"
#include "tests/support/suite.h"
#include "tests/support/suites.h"

enum { TAG = STT_AEAD_TAG_BYTES };

/* RFC 8439, 2.8.2 */
START_TEST(chacha_seals_and_opens_the_published_packet)
{
    static const char text[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only "
        "one tip for the future, sunscreen would be it.";
    uint8_t key[32], nonce[12], ad[12], expected[sizeof text - 1 + TAG], data[sizeof expected];
    hex_decode("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", key, 32);
    hex_decode("070000004041424344454647", nonce, 12);
    hex_decode("50515253c0c1c2c3c4c5c6c7", ad, 12);
    hex_decode(
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fa"
        "fb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4"
        "fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecb"
        "d0600691",
        expected, sizeof expected);

    struct keyed_suite s;
    struct bytes part = BYTES_TEXT(text);
    ck_assert_uint_eq(suites_here(&s, 1, STT_AEAD_CHACHA20_POLY1305, key), 1);
    suites_seal(&s, (struct stt_aead_plain){nonce, BYTES(ad), &part, 1, data});
    ck_assert_mem_eq(data, expected, sizeof expected);
    struct stt_aead_sealed packet = {nonce, BYTES(ad), data, sizeof data, false};
    ck_assert(suites_open(&s, &packet));
    ck_assert_mem_eq(data, text, sizeof text - 1);
}
END_TEST

/* RFC 9001, A.5 */
START_TEST(chacha_masks_the_published_sample)
{
    uint8_t key[32], sample[16], expected[5], mask[1][STT_AEAD_MASK_BYTES];
    hex_decode("25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4", key, 32);
    hex_decode("5e5cd55c41f69080575d7999c25a5bfb", sample, 16);
    hex_decode("aefefe7d03", expected, 5);
    struct keyed_suite s;
    ck_assert_uint_eq(suites_here(&s, 1, STT_AEAD_CHACHA20_POLY1305, key), 1);
    s.suite->mask(s.mask_state, sample, 0, 1, mask);
    ck_assert_mem_eq(mask[0], expected, 5);
}
END_TEST

SUITE("chacha", TEST(chacha_seals_and_opens_the_published_packet),
      TEST(chacha_masks_the_published_sample))
