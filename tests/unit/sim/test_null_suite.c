/* SPDX-License-Identifier: MIT */
#include "crypto/aead.h"
#include "stt/sim.h"
#include "tests/support/suite.h"

#include <string.h>

struct sealed {
    _Alignas(STT_AEAD_STATE_ALIGN) uint8_t state[STT_AEAD_STATE_MAX];
    uint8_t nonce[12], ad[13], data[128];
    size_t len;
};

static struct sealed seal(size_t first, size_t second)
{
    const struct stt_aead_suite *suite = stt_sim_null_suite();
    static const uint8_t key[16] = {1, 2, 3};
    struct sealed s = {.nonce = {4, [11] = 5}, .ad = {6, [12] = 7}};
    uint8_t plain[128];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)i;
    const struct bytes parts[] = {{plain, first}, {plain + first, second}};
    struct stt_aead_plain p = {
        .nonce = s.nonce, .ad = BYTES(s.ad), .parts = parts, .parts_len = 2, .out = s.data};
    suite->init(s.state, key);
    suite->seal(s.state, &p, 1);
    s.len = first + second + STT_AEAD_TAG_BYTES;
    return s;
}

static bool opens(struct sealed *s)
{
    struct stt_aead_sealed p = {
        .nonce = s->nonce, .ad = BYTES(s->ad), .data = s->data, .len = s->len};
    size_t n = stt_sim_null_suite()->open(s->state, &p, 1);
    ck_assert_uint_eq(n, p.is_open);
    return p.is_open;
}

START_TEST(parts_are_copied_in_the_clear_and_open_again)
{
    struct sealed s = seal(10, 50);
    for (size_t i = 0; i < 60; i++)
        ck_assert_uint_eq(s.data[i], i);
    ck_assert(opens(&s));
}
END_TEST

START_TEST(another_key_number_header_or_length_does_not_open)
{
    struct sealed s = seal(10, 50);
    s.state[0] ^= 1;
    ck_assert(!opens(&s));
    for (size_t i = 0; i < sizeof s.nonce; i++) {
        s = seal(10, 50);
        s.nonce[i] ^= 1;
        ck_assert(!opens(&s));
    }
    for (size_t i = 0; i < sizeof s.ad; i++) {
        s = seal(10, 50);
        s.ad[i] ^= 0x80;
        ck_assert(!opens(&s));
    }
    for (size_t len = 0; len < 76; len++) {
        s = seal(10, 50);
        s.len = len;
        ck_assert(!opens(&s));
    }
    for (size_t i = 60; i < 76; i++) {
        s = seal(10, 50);
        s.data[i] ^= 1;
        ck_assert(!opens(&s));
    }
}
END_TEST

START_TEST(what_does_not_open_is_wiped)
{
    struct sealed s = seal(10, 50);
    s.nonce[0] ^= 1;
    ck_assert(!opens(&s));
    for (size_t i = 0; i < 60; i++)
        ck_assert_uint_eq(s.data[i], 0);
}
END_TEST

START_TEST(contents_are_not_protected)
{
    struct sealed s = seal(10, 50);
    s.data[5] ^= 1;
    ck_assert(opens(&s));
}
END_TEST

START_TEST(masks_are_zeros)
{
    _Alignas(STT_AEAD_STATE_ALIGN) uint8_t state[STT_AEAD_MASK_STATE_MAX];
    static const uint8_t key[16] = {9}, samples[48] = {1, [20] = 2};
    uint8_t masks[2][STT_AEAD_MASK_BYTES], zeros[sizeof masks] = {0};
    memset(masks, 0xff, sizeof masks);
    stt_sim_null_suite()->mask_init(state, key);
    stt_sim_null_suite()->mask(state, samples, 32, 2, masks);
    ck_assert_int_eq(memcmp(masks, zeros, sizeof masks), 0);
}
END_TEST

SUITE("null_suite", TEST(parts_are_copied_in_the_clear_and_open_again),
      TEST(another_key_number_header_or_length_does_not_open), TEST(what_does_not_open_is_wiped),
      TEST(contents_are_not_protected), TEST(masks_are_zeros))
