/* SPDX-License-Identifier: MIT */
#include "crypto/base32.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

/* RFC 4648, section 10, without the padding. */
static const struct {
    const char *data, *text, *upper;
} published[] = {
    {"", "", ""},
    {"f", "my", "MY"},
    {"fo", "mzxq", "MZXQ"},
    {"foo", "mzxw6", "MZXW6"},
    {"foob", "mzxw6yq", "MZXW6YQ"},
    {"fooba", "mzxw6ytb", "MZXW6YTB"},
    {"foobar", "mzxw6ytboi", "MZXW6YTBOI"},
};

static struct bytes text_of(const char *text)
{
    return bytes_of(text, strlen(text));
}

static bool decodes(struct bytes text, bool upper)
{
    uint8_t memory[128];
    struct wr w = wr_init(memory, sizeof memory);
    return stt_base32_decode(&w, text, upper);
}

START_TEST(base32_agrees_with_rfc_4648)
{
    for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
        uint8_t memory[64];
        for (int upper = 0; upper < 2; upper++) {
            struct wr w = wr_init(memory, sizeof memory);
            const char *text = upper ? published[i].upper : published[i].text;
            ck_assert(stt_base32_decode(&w, text_of(text), upper));
            ck_assert(bytes_equal(wr_done(&w), text_of(published[i].data)));
        }
        struct wr w = wr_init(memory, sizeof memory);
        stt_base32_encode(&w, text_of(published[i].data));
        ck_assert(bytes_equal(wr_done(&w), text_of(published[i].text)));
    }
}
END_TEST

START_TEST(base32_gives_back_what_went_in_at_every_length)
{
    struct rng rng = rng_init(1);
    for (size_t len = 0; len <= 80; len++) {
        uint8_t data[80], text[128], back[80];
        rng_fill(&rng, data, len);
        struct wr w = wr_init(text, sizeof text);
        stt_base32_encode(&w, bytes_of(data, len));
        ck_assert(!w.bad);
        ck_assert_uint_eq(wr_len(&w), stt_base32_len(len));
        struct wr b = wr_init(back, sizeof back);
        ck_assert(stt_base32_decode(&b, wr_done(&w), false));
        ck_assert(bytes_equal(wr_done(&b), bytes_of(data, len)));
    }
}
END_TEST

START_TEST(base32_takes_exactly_its_alphabet_in_each_place)
{
    for (size_t at = 0; at < 8; at++) {
        for (unsigned c = 0; c < 256; c++) {
            char text[] = "aaaaaaaa", upper[] = "AAAAAAAA";
            bool is_lower = c && strchr(alphabet, (int)c);
            bool is_upper = c && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", (int)c);
            text[at] = (char)c;
            upper[at] = (char)c;
            ck_assert_int_eq(decodes(bytes_of(text, 8), false), is_lower);
            ck_assert_int_eq(decodes(bytes_of(upper, 8), true), is_upper);
        }
    }
}
END_TEST

START_TEST(base32_refuses_spare_bits_and_lengths_that_no_encoder_makes)
{
    /* by characters modulo 8: how many spare bits the last one has, or -1 */
    static const int spare[8] = {0, -1, 2, -1, 4, 1, -1, 3};
    for (size_t len = 1; len <= 16; len++) {
        for (unsigned value = 0; value < 32; value++) {
            char text[17] = "aaaaaaaaaaaaaaaa";
            int bits = spare[len % 8];
            text[len - 1] = alphabet[value];
            bool fits = bits >= 0 && (value & ((1u << bits) - 1)) == 0;
            ck_assert_int_eq(decodes(bytes_of(text, len), false), fits);
        }
    }
}
END_TEST

START_TEST(base32_needs_all_of_its_room)
{
    uint8_t data[37], text[64], memory[64];
    memset(data, 0x5a, sizeof data);
    struct wr whole = wr_init(text, sizeof text);
    stt_base32_encode(&whole, BYTES(data));
    for (size_t room = 0; room < wr_len(&whole); room++) {
        memset(memory, 1, sizeof memory);
        struct wr w = wr_init(memory, room);
        stt_base32_encode(&w, BYTES(data));
        ck_assert(w.bad && wr_len(&w) == 0 && memory[0] == 1);
    }
    for (size_t room = 0; room < sizeof data; room++) {
        memset(memory, 1, sizeof memory);
        struct wr w = wr_init(memory, room);
        ck_assert(!stt_base32_decode(&w, wr_done(&whole), false));
        ck_assert(w.bad && wr_len(&w) == 0 && memory[0] == 1);
    }
}
END_TEST

START_TEST(base32_leaves_nothing_of_what_it_refuses)
{
    uint8_t memory[64], zeros[24] = {0};
    struct bytes text = BYTES_TEXT("777777777777777777777777777777777777771");
    memset(memory, 1, sizeof memory);
    struct wr w = wr_init(memory, sizeof memory);
    wr_u8(&w, 7);
    ck_assert(!stt_base32_decode(&w, text, false));
    ck_assert(w.bad);
    ck_assert_uint_eq(wr_len(&w), 1);
    ck_assert_uint_eq(memory[0], 7);
    ck_assert_mem_eq(memory + 1, zeros, sizeof zeros);
    ck_assert_uint_eq(memory[1 + sizeof zeros], 1);
    ck_assert(!stt_base32_decode(&(struct wr){0}, BYTES_TEXT("1"), false));
}
END_TEST

SUITE("base32", TEST(base32_agrees_with_rfc_4648),
      TEST(base32_gives_back_what_went_in_at_every_length),
      TEST(base32_takes_exactly_its_alphabet_in_each_place),
      TEST(base32_refuses_spare_bits_and_lengths_that_no_encoder_makes),
      TEST(base32_needs_all_of_its_room), TEST(base32_leaves_nothing_of_what_it_refuses))
