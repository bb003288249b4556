/* SPDX-License-Identifier: MIT */
#include "crypto/gcm.h"

#include "tests/support/hex.h"
#include "tests/support/suite.h"
#include "tests/support/suites.h"

enum { TAG = STT_AEAD_TAG_BYTES, MAX_LEN = 64 };

#define ZEROS_32 "0000000000000000000000000000000000000000000000000000000000000000"
#define KEY_16   "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"

/* The GCM submission to NIST ("The Galois/Counter Mode of Operation"), test cases 13, 14 and 16. */
static const struct {
    const char *key, *nonce, *ad, *text, *sealed, *tag;
} vectors[] = {
    {ZEROS_32, "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {ZEROS_32, "000000000000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {KEY_16, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6"
     "b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b105682"
     "8838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

START_TEST(gcm_seals_and_opens_the_published_packets)
{
    uint8_t key[32], nonce[12], ad[32], text[MAX_LEN], expected[MAX_LEN + TAG], data[MAX_LEN + TAG];
    hex_decode(vectors[_i].key, key, 32);
    hex_decode(vectors[_i].nonce, nonce, 12);
    struct bytes d = {ad, hex_decode(vectors[_i].ad, ad, sizeof ad)};
    struct bytes part = {text, hex_decode(vectors[_i].text, text, sizeof text)};
    ck_assert_uint_eq(hex_decode(vectors[_i].sealed, expected, MAX_LEN), part.len);
    hex_decode(vectors[_i].tag, expected + part.len, TAG);

    struct keyed_suite s;
    if (suites_here(&s, 1, STT_AEAD_AES_256_GCM, key) == 0)
        return; /* not on this processor */
    suites_seal(&s, (struct stt_aead_plain){nonce, d, &part, 1, data});
    ck_assert_mem_eq(data, expected, part.len + TAG);
    struct stt_aead_sealed packet = {nonce, d, data, part.len + TAG, false};
    ck_assert(suites_open(&s, &packet));
    ck_assert_mem_eq(data, text, part.len);
}
END_TEST

SUITE("gcm", LOOP(gcm_seals_and_opens_the_published_packets, 0, 3))
