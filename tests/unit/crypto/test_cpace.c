/* SPDX-License-Identifier: MIT
 * The published file holds an example from the draft with everything that lies between the inputs
 * and the key. What this module never builds is tied to what it answers by hashing it here. */
#include "crypto/cpace.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/hex.h"
#include "tests/support/suite.h"

static char text[64 * 1024]; /* of the published file */

static void load(void)
{
    FILE *f = fopen(STT_SPEC_DIR "/vectors/cpace-ristretto255.txt", "rb");
    ck_assert(f != NULL);
    size_t n = fread(text, 1, sizeof text - 1, f);
    text[n] = 0;
    fclose(f);
    ck_assert_uint_gt(n, 0);
}

static const char *after(const char *from, const char *label)
{
    const char *at = strstr(from, label);
    ck_assert_msg(at != NULL, "the file has no: %s", label);
    return at + strlen(label);
}

/* "label: (length: N bytes)" and N bytes as hex on the lines below; the first one after `section`.
 */
static struct bytes value(const char *section, const char *label, uint8_t *out, size_t room)
{
    const char *at = after(after(after(text, section), label), "(length:");
    size_t len = strtoul(at, NULL, 10);
    char digits[2 * 256 + 1];
    ck_assert(len <= room && 2 * len < sizeof digits);
    at = after(at, "bytes)");
    for (size_t i = 0; i < 2 * len; at++)
        if (!isspace((unsigned char)*at))
            digits[i++] = *at;
    digits[2 * len] = 0;
    ck_assert_uint_eq(hex_decode(digits, out, room), len);
    return bytes_of(out, len);
}

/* "label = hex" on one line, the first one after `section`. */
static struct bytes line(const char *section, const char *label, uint8_t *out, size_t room)
{
    char digits[2 * 256 + 1];
    ck_assert_int_eq(sscanf(after(after(text, section), label), "%512[0-9a-f]", digits), 1);
    return bytes_of(out, hex_decode(digits, out, room));
}

struct published {
    uint8_t ci_[64], sid_[64], g[32], ya[32], yb[32], share_a[32], share_b[32], k[32], isk[64];
    struct bytes prs, ci, sid, ad_a, ad_b;
    struct stt_cpace_transcript transcript;
};

static void published(struct published *v)
{
    load();
    after(text, "PRS = b'Password'");
    after(text, "ADa = b'ADa'");
    after(text, "ADb = b'ADb'");
    v->prs = BYTES_TEXT("Password");
    v->ci = line("CI = b'", "CI = ", v->ci_, sizeof v->ci_);
    v->sid = line("CI = b'", "sid = ", v->sid_, sizeof v->sid_);
    value("calculate", "encoded generator g:", v->g, sizeof v->g);
    value("from A", "ya (little endian):", v->ya, sizeof v->ya);
    value("from A", "Ya:", v->share_a, sizeof v->share_a);
    value("from B", "yb (little endian):", v->yb, sizeof v->yb);
    value("from B", "Yb:", v->share_b, sizeof v->share_b);
    value("secret points", "scalar_mult_vfy(ya,Yb):", v->k, sizeof v->k);
    value("initiator/responder", "ISK result:", v->isk, sizeof v->isk);
    v->transcript = (struct stt_cpace_transcript){
        .sid = v->sid,
        .share_a = v->share_a,
        .share_b = v->share_b,
        .ad_a = BYTES_TEXT("ADa"),
        .ad_b = BYTES_TEXT("ADb"),
    };
}

START_TEST(published_generator_comes_out)
{
    struct published v;
    uint8_t string[256], expected[64], digest[64], g[STT_CPACE_SHARE_BYTES];
    published(&v);
    struct bytes whole = value("calculate", "generator_string(", string, sizeof string);
    ck_assert_uint_eq(whole.len, 170);
    value("calculate", "hash result:", expected, sizeof expected);
    crypto_hash_sha512(digest, whole.data, whole.len);
    ck_assert_mem_eq(digest, expected, sizeof digest);
    crypto_core_ristretto255_from_hash(g, digest);
    ck_assert_mem_eq(g, v.g, sizeof g);
    stt_cpace_generator(v.prs, v.ci, v.sid, g);
    ck_assert_mem_eq(g, v.g, sizeof g);
}
END_TEST

START_TEST(published_shares_come_out)
{
    struct published v;
    uint8_t share[STT_CPACE_SHARE_BYTES];
    published(&v);
    ck_assert(stt_cpace_share(v.ya, v.g, share));
    ck_assert_mem_eq(share, v.share_a, sizeof share);
    ck_assert(stt_cpace_share(v.yb, v.g, share));
    ck_assert_mem_eq(share, v.share_b, sizeof share);
    ck_assert(stt_cpace_share(v.ya, v.share_b, share)); /* the secret point K is one more product */
    ck_assert_mem_eq(share, v.k, sizeof share);
    ck_assert(stt_cpace_share(v.yb, v.share_a, share));
    ck_assert_mem_eq(share, v.k, sizeof share);
}
END_TEST

START_TEST(published_key_comes_out_on_both_sides)
{
    struct published v;
    uint8_t string[256], isk[STT_CPACE_ISK_BYTES];
    published(&v);
    struct bytes whole = value("initiator/responder", "lv_cat(DSI,sid,K)||", string, sizeof string);
    ck_assert_uint_eq(whole.len, 146);
    crypto_hash_sha512(isk, whole.data, whole.len);
    ck_assert_mem_eq(isk, v.isk, sizeof isk);
    ck_assert(stt_cpace_isk(&v.transcript, v.ya, true, isk));
    ck_assert_mem_eq(isk, v.isk, sizeof isk);
    memset(isk, 0, sizeof isk);
    ck_assert(stt_cpace_isk(&v.transcript, v.yb, false, isk));
    ck_assert_mem_eq(isk, v.isk, sizeof isk);
}
END_TEST

/* -- agreement ------------------------------------------------------------------------------- */

static const struct bytes ci = BYTES_TEXT("stt1 W");

struct run {
    struct bytes prs, ci, sid;
    uint8_t scalar, isk[STT_CPACE_ISK_BYTES];
};

static void exchange(struct run *a, struct run *b)
{
    struct run *runs[2] = {a, b};
    uint8_t scalars[2][STT_CPACE_SCALAR_BYTES], shares[2][STT_CPACE_SHARE_BYTES];
    for (int i = 0; i < 2; i++) {
        uint8_t g[STT_CPACE_SHARE_BYTES], uniform[64];
        memset(uniform, runs[i]->scalar, sizeof uniform);
        ck_assert(stt_cpace_scalar(uniform, scalars[i]));
        stt_cpace_generator(runs[i]->prs, runs[i]->ci, runs[i]->sid, g);
        ck_assert(stt_cpace_share(scalars[i], g, shares[i]));
    }
    for (int i = 0; i < 2; i++) {
        struct stt_cpace_transcript t = {runs[i]->sid, shares[0], shares[1], BYTES_NONE,
                                         BYTES_NONE};
        ck_assert(stt_cpace_isk(&t, scalars[i], i == 0, runs[i]->isk));
    }
}

START_TEST(both_sides_agree_if_and_only_if_code_context_and_sid_do)
{
    static const uint8_t sid[64] = "sid", other_sid[64] = "sie";
    const struct run a = {BYTES_TEXT("417-k7qdx2mz"), ci, BYTES(sid), 1, {0}};
    struct run others[] = {a, a, a, a}, mine = a;
    others[1].prs = BYTES_TEXT("417-k7qdx2my");
    others[2].ci = BYTES_TEXT("stt2 W");
    others[3].sid = BYTES(other_sid);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        others[i].scalar = 2;
        exchange(&mine, &others[i]);
        ck_assert_int_eq(memcmp(mine.isk, others[i].isk, sizeof mine.isk) == 0, i == 0);
    }
}
END_TEST

START_TEST(associated_data_is_part_of_the_key)
{
    struct published v;
    uint8_t isk[STT_CPACE_ISK_BYTES];
    published(&v);
    v.transcript.ad_b = BYTES_TEXT("ADc");
    ck_assert(stt_cpace_isk(&v.transcript, v.ya, true, isk));
    ck_assert_mem_ne(isk, v.isk, sizeof isk);
}
END_TEST

/* The generator from a string that is built by the book, around every place where a length takes
 * another byte or the pad ends. */
START_TEST(long_inputs_have_long_prefixes_and_no_pad)
{
    static uint8_t book[4 * 17000], long_text[16384];
    static const size_t lengths[] = {0, 1, 107, 108, 109, 127, 128, 255, 300, 16383, 16384};
    size_t len = lengths[_i], pad = len + (len > 127 ? 2 : 1) + 1 + 17 + 1;
    const uint8_t zeros[128] = {0};
    struct wr w = wr_init(book, sizeof book);
    struct bytes parts[] = {BYTES_TEXT("CPaceRistretto255"), bytes_of(long_text, len),
                            bytes_of(zeros, pad < 128 ? 128 - pad : 0), bytes_of(long_text, len),
                            bytes_of(long_text, len)};
    memset(long_text, 'x', sizeof long_text);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t n = parts[i].len;
        wr_u8(&w, (uint8_t)((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
        if (n > 0x7f)
            wr_u8(&w, (uint8_t)((n >> 7 & 0x7f) | (n > 0x3fff ? 0x80 : 0)));
        if (n > 0x3fff)
            wr_u8(&w, (uint8_t)(n >> 14));
        wr_bytes(&w, parts[i]);
    }
    ck_assert(!w.bad);
    uint8_t digest[64], expected[32], g[STT_CPACE_SHARE_BYTES];
    crypto_hash_sha512(digest, book, wr_len(&w));
    crypto_core_ristretto255_from_hash(expected, digest);
    stt_cpace_generator(parts[1], parts[3], parts[4], g);
    ck_assert_mem_eq(g, expected, sizeof g);
}
END_TEST

/* -- refusals -------------------------------------------------------------------------------- */

/* As RFC 9496 sorts them: what no encoder gives. */
static const char *const invalid[] = {
    /* the identity */
    "0000000000000000000000000000000000000000000000000000000000000000",
    /* not reduced: p, p + 18, p + 17, and the top bit */
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "feffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    /* negative: 1, and p - 2 */
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ebffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    /* y is 0: p - 1 */
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

enum { INVALID = sizeof invalid / sizeof invalid[0] };

static void assert_isk_refused(const struct published *v)
{
    uint8_t isk[STT_CPACE_ISK_BYTES];
    for (int is_initiator = 0; is_initiator < 2; is_initiator++) {
        struct stt_cpace_transcript t = v->transcript;
        if (is_initiator)
            t.share_a = v->k; /* some other valid point: ours */
        else
            t.share_b = v->k;
        memset(isk, 0xff, sizeof isk);
        ck_assert(!stt_cpace_isk(&t, v->ya, is_initiator != 0, isk));
        ck_assert(bytes_all_zero(BYTES(isk)));
    }
}

START_TEST(identity_and_invalid_encodings_are_refused)
{
    struct published v;
    uint8_t out[STT_CPACE_SHARE_BYTES];
    published(&v);
    hex_decode(invalid[_i], v.share_a, sizeof v.share_a);
    hex_decode(invalid[_i], v.share_b, sizeof v.share_b);
    assert_isk_refused(&v);
    ck_assert(!stt_cpace_share(v.ya, v.share_a, out));
}
END_TEST

START_TEST(a_valid_share_with_its_sign_or_top_bit_flipped_is_refused)
{
    struct published v;
    published(&v);
    v.share_a[0] ^= 1;
    v.share_b[31] ^= 0x80;
    assert_isk_refused(&v);
}
END_TEST

START_TEST(own_share_from_the_other_side_is_refused)
{
    struct published v;
    uint8_t isk[STT_CPACE_ISK_BYTES];
    published(&v);
    ck_assert(!stt_cpace_is_reflected(v.share_a, v.share_b));
    memcpy(v.share_b, v.share_a, sizeof v.share_b);
    ck_assert(stt_cpace_is_reflected(v.share_a, v.share_b));
    memset(isk, 0xff, sizeof isk);
    ck_assert(!stt_cpace_isk(&v.transcript, v.ya, true, isk));
    ck_assert(bytes_all_zero(BYTES(isk)));
}
END_TEST

START_TEST(zero_is_not_a_scalar)
{
    /* The order of the group, in 64 bytes: it reduces to zero, and so does zero itself. */
    uint8_t uniform[64] = {0}, scalar[STT_CPACE_SCALAR_BYTES], share[STT_CPACE_SHARE_BYTES];
    struct published v;
    published(&v);
    ck_assert(!stt_cpace_scalar(uniform, scalar));
    hex_decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010", uniform, 32);
    ck_assert(!stt_cpace_scalar(uniform, scalar));
    ck_assert(!stt_cpace_share(scalar, v.g, share));
    uniform[0]++;
    ck_assert(stt_cpace_scalar(uniform, scalar));
    ck_assert(stt_cpace_share(scalar, v.g, share)); /* times one */
    ck_assert_mem_eq(share, v.g, sizeof share);
}
END_TEST

SUITE("cpace", TEST(published_generator_comes_out), TEST(published_shares_come_out),
      TEST(published_key_comes_out_on_both_sides),
      TEST(both_sides_agree_if_and_only_if_code_context_and_sid_do),
      TEST(associated_data_is_part_of_the_key),
      LOOP(long_inputs_have_long_prefixes_and_no_pad, 0, 11),
      LOOP(identity_and_invalid_encodings_are_refused, 0, INVALID),
      TEST(a_valid_share_with_its_sign_or_top_bit_flipped_is_refused),
      TEST(own_share_from_the_other_side_is_refused), TEST(zero_is_not_a_scalar))
