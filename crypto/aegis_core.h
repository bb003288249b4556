/* SPDX-License-Identifier: MIT
 * aegis_core: AEGIS-128L and AEGIS-128X2 (draft-irtf-cfrg-aegis-aead), written once over `vec`, a
 * vector of AES blocks: DEGREE blocks (1 is AEGIS-128L, 2 is AEGIS-128X2) of each of PACKETS
 * packets, which have key and lengths in common and nothing else. Each engine is a source file that
 * defines
 *
 *     ENGINE, DEGREE, PACKETS          its name, see aegis_engine.h
 *     TARGET, CORE                     how a function and an inlined function are declared
 *     vec, vec_xor, vec_and, vec_round on all blocks at once
 *     vec_repeat(block)                one block in all places
 *     vec_spread(p)                    16 bytes of each packet, in all places of that packet
 *     vec_load(p, i), vec_store(p, i)  16 * DEGREE bytes of each packet, at offset i from p[packet]
 *     vec_fold(p, v)                   stores the sum of each packet's blocks: 16 bytes each
 *
 * and then includes this file.
 *
 *        m0              m1           update: eight AES rounds side by side, each fed by its left
 *        |               |            neighbour; the message enters at two places
 *     s0 s1 s2 s3     s4 s5 s6 s7
 *
 * An update lasts one AES round and one xor, and the next one waits for it: packets side by side in
 * a vector are what keeps the AES units busy. The state stays in registers from the first
 * to the last byte, so nothing in between is a call. */
#ifndef STT_CRYPTO_AEGIS_CORE_H
#define STT_CRYPTO_AEGIS_CORE_H

#include "crypto/aegis_engine.h"

enum { VEC_BYTES = 16 * DEGREE, RATE = 2 * VEC_BYTES }; /* of one packet */

/* Members and not an array, which compilers would keep in memory. */
struct aegis {
    vec s0, s1, s2, s3, s4, s5, s6, s7;
};

CORE struct aegis step(struct aegis a, vec key0, vec add0, vec key4, vec add4)
{
    return (struct aegis){
        .s0 = vec_xor(vec_round(a.s7, key0), add0),
        .s1 = vec_round(a.s0, a.s1),
        .s2 = vec_round(a.s1, a.s2),
        .s3 = vec_round(a.s2, a.s3),
        .s4 = vec_xor(vec_round(a.s3, key4), add4),
        .s5 = vec_round(a.s4, a.s5),
        .s6 = vec_round(a.s5, a.s6),
        .s7 = vec_round(a.s6, a.s7),
    };
}

/* The draft's Update. Its last operation in words 0 and 4 is round ^ state ^ message in any order,
 * and the processor adds the round key for free: so the key is what is known earlier, and what
 * comes late is added last. That is the state when the message is at hand, ... */
CORE struct aegis update(struct aegis a, vec m0, vec m1)
{
    return step(a, m0, a.s0, m1, a.s4);
}

/* ... and the message when it has yet to be decrypted. */
CORE struct aegis update_late(struct aegis a, vec m0, vec m1)
{
    return step(a, a.s0, m0, a.s4, m1);
}

CORE struct aegis start(vec key, vec nonce)
{
    static const uint8_t fibonacci[2][16] = {
        {0x00, 0x01, 0x01, 0x02, 0x03, 0x05, 0x08, 0x0d, 0x15, 0x22, 0x37, 0x59, 0x90, 0xe9, 0x79,
         0x62},
        {0xdb, 0x3d, 0x18, 0x55, 0x6d, 0xc2, 0x2f, 0xf1, 0x20, 0x11, 0x31, 0x42, 0x73, 0xb5, 0x28,
         0xdd},
    };
    vec c0 = vec_repeat(aes_load(fibonacci[0])), c1 = vec_repeat(aes_load(fibonacci[1]));
    struct aegis a = {
        .s0 = vec_xor(key, nonce),
        .s1 = c1,
        .s2 = c0,
        .s3 = c1,
        .s4 = vec_xor(key, nonce),
        .s5 = vec_xor(key, c0),
        .s6 = vec_xor(key, c1),
        .s7 = vec_xor(key, c0),
    };

    /* What sets the two lanes of degree 2 apart. */
    static const uint8_t contexts[32] = {[0] = 0, [1] = 1, [16] = 1, [17] = 1};
    const uint8_t *const context[4] = {contexts, contexts, contexts, contexts};
    for (size_t i = 0; i < 10; i++) {
        if (DEGREE == 2) {
            a.s3 = vec_xor(a.s3, vec_load(context, 0));
            a.s7 = vec_xor(a.s7, vec_load(context, 0));
        }
        a = update(a, nonce, key);
    }
    return a;
}

CORE vec stream0(const struct aegis *a)
{
    return vec_xor(vec_xor(a->s6, a->s1), vec_and(a->s2, a->s3));
}

CORE vec stream1(const struct aegis *a)
{
    return vec_xor(vec_xor(a->s2, a->s5), vec_and(a->s6, a->s7));
}

/* The tags. Lengths are in bytes; the draft counts bits. */
CORE void finish(struct aegis a, uint64_t ad_len, uint64_t len, uint8_t *const tags[PACKETS])
{
    vec t = vec_xor(a.s2, vec_repeat(aes_of_u64(ad_len << 3, len << 3)));
    for (size_t i = 0; i < 7; i++)
        a = update(a, t, t);
    vec low = vec_xor(vec_xor(a.s0, a.s1), vec_xor(a.s2, a.s3));
    vec_fold(tags, vec_xor(low, vec_xor(vec_xor(a.s4, a.s5), a.s6)));
}

/* Blocks of the message. */

CORE void absorb_block(struct aegis *a, const uint8_t *const in[PACKETS], size_t i)
{
    *a = update(*a, vec_load(in, i), vec_load(in, i + VEC_BYTES));
}

CORE void seal_block(struct aegis *a, uint8_t *const out[PACKETS], const uint8_t *const in[PACKETS],
                     size_t i)
{
    vec m0 = vec_load(in, i), m1 = vec_load(in, i + VEC_BYTES);
    vec_store(out, i, vec_xor(m0, stream0(a)));
    vec_store(out, i + VEC_BYTES, vec_xor(m1, stream1(a)));
    *a = update(*a, m0, m1);
}

CORE void open_block(struct aegis *a, uint8_t *const data[PACKETS], size_t i)
{
    vec m0 = vec_xor(vec_load((const uint8_t *const *)data, i), stream0(a));
    vec m1 = vec_xor(vec_load((const uint8_t *const *)data, i + VEC_BYTES), stream1(a));
    vec_store(data, i, m0);
    vec_store(data, i + VEC_BYTES, m1);
    *a = update_late(*a, m0, m1);
}

/* The last block of len < RATE bytes: what decryption yields behind them is not message but
 * keystream, and counts as zeros. */
CORE void open_last_block(struct aegis *a, uint8_t *const data[PACKETS], size_t len)
{
    static const uint8_t keep[2 * RATE] = {
#define EIGHT(x) x, x, x, x, x, x, x, x
        EIGHT(255),
        EIGHT(255),
        EIGHT(255),
        EIGHT(255),
#if DEGREE == 2
        EIGHT(255),
        EIGHT(255),
        EIGHT(255),
        EIGHT(255),
#endif
    };
    const uint8_t *const from = keep + RATE - len, *const mask[4] = {from, from, from, from};
    vec m0 = vec_xor(vec_load((const uint8_t *const *)data, 0), stream0(a));
    vec m1 = vec_xor(vec_load((const uint8_t *const *)data, VEC_BYTES), stream1(a));
    vec_store(data, 0, m0);
    vec_store(data, VEC_BYTES, m1);
    *a = update_late(*a, vec_and(m0, vec_load(mask, 0)), vec_and(m1, vec_load(mask, VEC_BYTES)));
}

/* Two copies of `width` bytes, one at each end, cover all lengths from width to 2 * width. */
CORE void copy_ends(uint8_t *to, const uint8_t *from, size_t len, size_t width)
{
    memcpy(to, from, width);
    memcpy(to + len - width, from + len - width, width);
}

/* memcpy of at most RATE bytes, without the call. */
CORE void copy_short(uint8_t *to, const uint8_t *from, size_t len)
{
    if (len >= 32)
        copy_ends(to, from, len, 32);
    else if (len >= 16)
        copy_ends(to, from, len, 16);
    else if (len >= 8)
        copy_ends(to, from, len, 8);
    else if (len >= 4)
        copy_ends(to, from, len, 4);
    else if (len >= 2)
        copy_ends(to, from, len, 2);
    else if (len)
        *to = *from;
}

/* Reads the parts of a message as blocks: whole ones from where they lie, and only what straddles
 * two parts, or is short, is put together in `block` first. */
struct feed {
    const struct bytes *next;
    const uint8_t *at;
    size_t left; /* of the part that `at` points into */
};

CORE struct feed feed_init(const struct bytes *parts, size_t n)
{
    return n ? (struct feed){parts + 1, parts->data, parts->len} : (struct feed){parts, NULL, 0};
}

/* len bytes, which the parts must still have. */
CORE void feed_gather(struct feed *f, size_t len, uint8_t *to)
{
    while (len) {
        size_t take = f->left < len ? f->left : len;
        copy_short(to, f->at, take);
        to += take;
        len -= take;
        f->left -= take;
        if (f->left == 0 && len)
            *f = feed_init(f->next, 1);
        else
            f->at += take;
    }
}

/* Whole packets: PACKETS of them, equal in the lengths of associated data and message. */

CORE void absorb(struct aegis *a, const struct bytes *const ad[PACKETS])
{
    uint8_t block[PACKETS][RATE];
    const uint8_t *in[PACKETS];
    size_t len = ad[0]->len, i = 0;

    for (size_t k = 0; k < PACKETS; k++)
        in[k] = ad[k]->data;
    for (; len - i >= RATE; i += RATE)
        absorb_block(a, in, i);
    if (i == len)
        return;
    for (size_t k = 0; k < PACKETS; k++) {
        memset(block[k], 0, RATE);
        copy_short(block[k], ad[k]->data + i, len - i);
        in[k] = block[k];
    }
    absorb_block(a, in, 0);
}

/* How much of `len` lies in one piece in every packet, in whole blocks. */
CORE size_t feed_run(const struct feed feed[PACKETS], size_t len)
{
    for (size_t k = 0; k < PACKETS; k++)
        len = feed[k].left < len ? feed[k].left : len;
    return len - len % RATE;
}

CORE void seal_run(struct aegis *a, uint8_t *out[PACKETS], struct feed feed[PACKETS], size_t len)
{
    const uint8_t *in[PACKETS];
    for (size_t k = 0; k < PACKETS; k++)
        in[k] = feed[k].at;
    for (size_t i = 0; i < len; i += RATE)
        seal_block(a, out, in, i);
    for (size_t k = 0; k < PACKETS; k++) {
        feed[k].at += len;
        feed[k].left -= len;
        out[k] += len;
    }
}

CORE void seal_gathered(struct aegis *a, uint8_t *out[PACKETS], struct feed feed[PACKETS],
                        size_t len)
{
    uint8_t block[PACKETS][RATE], *in[PACKETS];
    for (size_t k = 0; k < PACKETS; k++) {
        memset(block[k], 0, RATE);
        feed_gather(&feed[k], len, block[k]);
        in[k] = block[k];
    }
    seal_block(a, in, (const uint8_t *const *)in, 0);
    for (size_t k = 0; k < PACKETS; k++) {
        copy_short(out[k], block[k], len);
        out[k] += len;
    }
}

CORE void seal_message(struct aegis *a, uint8_t *out[PACKETS], struct feed feed[PACKETS],
                       size_t len)
{
    while (len) {
        size_t n = feed_run(feed, len);
        if (n) {
            seal_run(a, out, feed, n);
        } else {
            n = len < RATE ? len : RATE;
            seal_gathered(a, out, feed, n);
        }
        len -= n;
    }
}

CORE void seal_packets(const uint8_t *key, const struct stt_aead_plain *p, size_t len)
{
    struct feed feed[PACKETS];
    uint8_t *out[PACKETS];
    const uint8_t *nonce[PACKETS];
    const struct bytes *ad[PACKETS];
    for (size_t k = 0; k < PACKETS; k++) {
        feed[k] = feed_init(p[k].parts, p[k].parts_len);
        out[k] = p[k].out;
        nonce[k] = p[k].nonce;
        ad[k] = &p[k].ad;
    }
    struct aegis a = start(vec_repeat(aes_load(key)), vec_spread(nonce));
    absorb(&a, ad);
    seal_message(&a, out, feed, len);
    finish(a, ad[0]->len, len, out);
}

CORE void open_message(struct aegis *a, uint8_t *data[PACKETS], size_t len)
{
    uint8_t block[PACKETS][RATE], *last[PACKETS];

    size_t i = 0;
    for (; len - i >= RATE; i += RATE)
        open_block(a, data, i);
    for (size_t k = 0; k < PACKETS; k++)
        data[k] += i;
    len -= i;
    if (len == 0)
        return;
    for (size_t k = 0; k < PACKETS; k++) {
        memset(block[k], 0, RATE);
        copy_short(block[k], data[k], len);
        last[k] = block[k];
    }
    open_last_block(a, last, len);
    for (size_t k = 0; k < PACKETS; k++) {
        copy_short(data[k], last[k], len);
        data[k] += len;
    }
}

/* In the same time wherever they differ. */
CORE bool is_same_tag(const uint8_t a[STT_AEAD_TAG_BYTES], const uint8_t b[STT_AEAD_TAG_BYTES])
{
    uint64_t x[2], y[2];
    memcpy(x, a, sizeof x);
    memcpy(y, b, sizeof y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

/* Decrypts before it knows whether it may, and takes it back if it may not. */
CORE size_t open_packets(const uint8_t *key, struct stt_aead_sealed *p)
{
    uint8_t tag[PACKETS][STT_AEAD_TAG_BYTES], *tags[PACKETS], *data[PACKETS];
    const uint8_t *nonce[PACKETS];
    const struct bytes *ad[PACKETS];
    size_t len = p[0].len - STT_AEAD_TAG_BYTES, opened = 0;
    for (size_t k = 0; k < PACKETS; k++) {
        tags[k] = tag[k];
        data[k] = p[k].data;
        nonce[k] = p[k].nonce;
        ad[k] = &p[k].ad;
    }
    struct aegis a = start(vec_repeat(aes_load(key)), vec_spread(nonce));
    absorb(&a, ad);
    open_message(&a, data, len);
    finish(a, ad[0]->len, len, tags);
    for (size_t k = 0; k < PACKETS; k++) {
        p[k].is_open = is_same_tag(tag[k], data[k]);
        if (p[k].is_open)
            opened++;
        else
            stt_aead_refuse(&p[k]);
    }
    return opened;
}

TARGET static void seal(const uint8_t *key, const struct stt_aead_plain *packets, size_t len)
{
    seal_packets(key, packets, len);
}

TARGET static size_t open(const uint8_t *key, struct stt_aead_sealed *packets)
{
    return open_packets(key, packets);
}

const struct stt_aegis_engine ENGINE = {PACKETS, seal, open};

#endif
