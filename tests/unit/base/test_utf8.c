/* SPDX-License-Identifier: MIT */
#include "stt/base/utf8.h"
#include "tests/support/suite.h"

static size_t encode(uint32_t c, uint8_t out[4])
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(first[n] | c);
    return n;
}

START_TEST(utf8_has_every_character_but_surrogates)
{
    uint32_t wrong = 0;
    for (uint32_t c = 0; c < 0x120000; c++) {
        uint8_t text[4];
        size_t n = encode(c, text);
        bool is_character = c < 0xd800 || (c > 0xdfff && c < 0x110000);
        wrong += stt_utf8_is_valid(bytes_of(text, n)) != is_character;
    }
    ck_assert_uint_eq(wrong, 0);
}
END_TEST

/* Of all sequences of two and three bytes exactly as many are valid as there are characters, so no
 * character has a second form. */
START_TEST(utf8_has_one_form_for_each_character)
{
    unsigned long pairs = 0, triples = 0;
    for (unsigned a = 0x80; a < 0x100; a++)
        for (unsigned b = 0; b < 0x100; b++) {
            uint8_t text[3] = {(uint8_t)a, (uint8_t)b};
            pairs += stt_utf8_is_valid(bytes_of(text, 2));
            for (unsigned c = 0x80; c < 0x100; c++) {
                text[2] = (uint8_t)c;
                triples += b >= 0x80 && stt_utf8_is_valid(bytes_of(text, 3));
            }
        }
    ck_assert_uint_eq(pairs, 0x800 - 0x80);
    ck_assert_uint_eq(triples, 0x10000 - 0x800 - 0x800);
}
END_TEST

START_TEST(utf8_refuses_a_character_that_is_cut)
{
    const struct bytes text = BYTES_TEXT("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    static const bool is_whole[] = {true, true,  false, true,  false, false,
                                    true, false, false, false, true};
    for (size_t len = 0; len <= text.len; len++)
        ck_assert_int_eq(stt_utf8_is_valid(bytes_of(text.data, len)), is_whole[len]);
}
END_TEST

SUITE("utf8", TEST(utf8_has_every_character_but_surrogates),
      TEST(utf8_has_one_form_for_each_character), TEST(utf8_refuses_a_character_that_is_cut))
