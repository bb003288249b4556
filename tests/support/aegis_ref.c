/* SPDX-License-Identifier: MIT */
#include "tests/support/aegis_ref.h"

static uint8_t times2(uint8_t a)
{
    return (uint8_t)(a << 1 ^ (a >> 7) * 0x1b);
}

static uint8_t times(uint8_t a, uint8_t b)
{
    uint8_t sum = 0;
    for (; b; b >>= 1, a = times2(a))
        sum ^= b & 1 ? a : 0;
    return sum;
}

static uint8_t rotate_left(uint8_t a, unsigned n)
{
    return (uint8_t)(a << n | a >> (8 - n));
}

/* FIPS 197, 5.1.1: the inverse in GF(2^8), then an affine map. */
static uint8_t sub_byte(uint8_t a)
{
    static uint8_t table[256];
    static bool is_made;
    for (unsigned i = 0; !is_made && i < 256; i++) {
        uint8_t inverse = 0;
        for (unsigned j = 1; j < 256; j++)
            inverse = times((uint8_t)i, (uint8_t)j) == 1 ? (uint8_t)j : inverse;
        uint8_t b = inverse;
        for (unsigned n = 1; n <= 4; n++)
            b ^= rotate_left(inverse, n);
        table[i] = b ^ 0x63;
    }
    is_made = true;
    return table[a];
}

/* MixColumns(ShiftRows(SubBytes(in))) ^ key */
static void aes_round(uint8_t out[16], const uint8_t in[16], const uint8_t key[16])
{
    for (unsigned column = 0; column < 4; column++) {
        uint8_t a[4];
        for (unsigned row = 0; row < 4; row++)
            a[row] = sub_byte(in[4 * ((column + row) % 4) + row]);
        for (unsigned row = 0; row < 4; row++)
            out[4 * column + row] = times(a[row], 2) ^ times(a[(row + 1) % 4], 3) ^
                                    a[(row + 2) % 4] ^ a[(row + 3) % 4] ^ key[4 * column + row];
    }
}

static void xor16(uint8_t out[16], const uint8_t a[16], const uint8_t b[16])
{
    for (size_t i = 0; i < 16; i++)
        out[i] = a[i] ^ b[i];
}

void aegis_ref_update(struct aegis_ref *a, const uint8_t *m)
{
    struct aegis_ref old = *a, keys = *a;
    for (size_t lane = 0; lane < a->lanes; lane++) {
        xor16(keys.v[0][lane], old.v[0][lane], m + 16 * lane);
        xor16(keys.v[4][lane], old.v[4][lane], m + 16 * (a->lanes + lane));
        for (size_t word = 0; word < 8; word++)
            aes_round(a->v[word][lane], old.v[(word + 7) % 8][lane], keys.v[word][lane]);
    }
}

void aegis_ref_init(struct aegis_ref *a, size_t lanes, const uint8_t key[16],
                    const uint8_t nonce[16])
{
    static const uint8_t c0[16] = {0x00, 0x01, 0x01, 0x02, 0x03, 0x05, 0x08, 0x0d,
                                   0x15, 0x22, 0x37, 0x59, 0x90, 0xe9, 0x79, 0x62};
    static const uint8_t c1[16] = {0xdb, 0x3d, 0x18, 0x55, 0x6d, 0xc2, 0x2f, 0xf1,
                                   0x20, 0x11, 0x31, 0x42, 0x73, 0xb5, 0x28, 0xdd};
    uint8_t m[64];
    a->lanes = lanes;
    for (size_t lane = 0; lane < lanes; lane++) {
        xor16(a->v[0][lane], key, nonce);
        memcpy(a->v[1][lane], c1, 16);
        memcpy(a->v[2][lane], c0, 16);
        memcpy(a->v[3][lane], c1, 16);
        xor16(a->v[4][lane], key, nonce);
        xor16(a->v[5][lane], key, c0);
        xor16(a->v[6][lane], key, c1);
        xor16(a->v[7][lane], key, c0);
        memcpy(m + 16 * lane, nonce, 16);
        memcpy(m + 16 * (lanes + lane), key, 16);
    }
    for (size_t round = 0; round < 10; round++) {
        for (size_t lane = 0; lane < lanes; lane++) {
            uint8_t context[16] = {(uint8_t)lane, (uint8_t)(lanes - 1)};
            xor16(a->v[3][lane], a->v[3][lane], context);
            xor16(a->v[7][lane], a->v[7][lane], context);
        }
        aegis_ref_update(a, m);
    }
}

/* Takes in a block of at most 32 bytes for each lane; out takes its ciphertext, or is NULL. */
static void take_block(struct aegis_ref *a, struct bytes part, uint8_t *out)
{
    uint8_t m[64] = {0}, c[64];
    memcpy(m, part.data, part.len);
    for (size_t lane = 0; lane < a->lanes; lane++) {
        for (size_t i = 0; i < 16; i++) {
            size_t first = 16 * lane + i, second = 16 * (a->lanes + lane) + i;
            c[first] = m[first] ^ a->v[6][lane][i] ^ a->v[1][lane][i] ^
                       (a->v[2][lane][i] & a->v[3][lane][i]);
            c[second] = m[second] ^ a->v[2][lane][i] ^ a->v[5][lane][i] ^
                        (a->v[6][lane][i] & a->v[7][lane][i]);
        }
    }
    if (out)
        memcpy(out, c, part.len);
    aegis_ref_update(a, m);
}

static void take(struct aegis_ref *a, struct bytes data, uint8_t *out)
{
    for (size_t rate = 32 * a->lanes, i = 0; i < data.len; i += rate) {
        size_t len = data.len - i < rate ? data.len - i : rate;
        take_block(a, bytes_of(data.data + i, len), out ? out + i : NULL);
    }
}

static void finish(struct aegis_ref *a, uint64_t ad_len, uint64_t len, uint8_t tag[16])
{
    uint8_t t[16], m[64];
    for (size_t lane = 0; lane < a->lanes; lane++) {
        for (size_t i = 0; i < 8; i++) {
            t[i] = (uint8_t)(8 * ad_len >> 8 * i);
            t[8 + i] = (uint8_t)(8 * len >> 8 * i);
        }
        xor16(t, t, a->v[2][lane]);
        memcpy(m + 16 * lane, t, 16);
        memcpy(m + 16 * (a->lanes + lane), t, 16);
    }
    for (size_t round = 0; round < 7; round++)
        aegis_ref_update(a, m);
    memset(tag, 0, 16);
    for (size_t lane = 0; lane < a->lanes; lane++) {
        for (size_t word = 0; word < 7; word++)
            xor16(tag, tag, a->v[word][lane]);
    }
}

void aegis_ref_seal(struct aegis_ref *a, struct bytes ad, struct bytes message, uint8_t *out)
{
    take(a, ad, NULL);
    take(a, message, out);
    finish(a, ad.len, message.len, out + message.len);
}
