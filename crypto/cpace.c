/* SPDX-License-Identifier: MIT
 * cpace: owns the encodings of the draft (lengths in LEB128, the zero pad, the two labels); strings
 * are hashed piece by piece and never built. It must not know what a code, a session or an ISK is
 * used for, and draws no entropy. Spec 03, "CPace in mode W". */
#include "crypto/cpace.h"

#include <sodium.h>

#include "stt/base/env.h"

#define DSI     BYTES_TEXT("CPaceRistretto255")
#define DSI_ISK BYTES_TEXT("CPaceRistretto255_ISK")

enum { SHA512_BLOCK_BYTES = 128, LENGTH_BYTES = 10 };

/* The draft's prepend_len: a length as LEB128, 7 bits a byte, the lowest first. */
static struct bytes length(size_t len, uint8_t out[LENGTH_BYTES])
{
    size_t n = 0;
    for (; len > 0x7f; len >>= 7)
        out[n++] = (uint8_t)(len | 0x80);
    out[n++] = (uint8_t)len;
    return bytes_of(out, n);
}

static size_t prefixed_bytes(struct bytes b)
{
    uint8_t prefix[LENGTH_BYTES];
    return length(b.len, prefix).len + b.len;
}

static void add(crypto_hash_sha512_state *hash, struct bytes b)
{
    uint8_t prefix[LENGTH_BYTES];
    struct bytes len = length(b.len, prefix);
    crypto_hash_sha512_update(hash, len.data, len.len);
    crypto_hash_sha512_update(hash, b.data, b.len);
}

/* Fills the first block of the hash, so that every code that is not long takes as many blocks. */
static void add_pad(crypto_hash_sha512_state *hash, struct bytes prs)
{
    static const uint8_t zeros[SHA512_BLOCK_BYTES];
    size_t used = 1 + prefixed_bytes(prs) + prefixed_bytes(DSI);
    add(hash, bytes_of(zeros, used < sizeof zeros ? sizeof zeros - used : 0));
}

void stt_cpace_generator(struct bytes prs, struct bytes ci, struct bytes sid,
                         uint8_t g[STT_CPACE_SHARE_BYTES])
{
    crypto_hash_sha512_state hash;
    uint8_t digest[crypto_hash_sha512_BYTES];
    crypto_hash_sha512_init(&hash);
    add(&hash, DSI);
    add(&hash, prs);
    add_pad(&hash, prs);
    add(&hash, ci);
    add(&hash, sid);
    crypto_hash_sha512_final(&hash, digest);
    crypto_core_ristretto255_from_hash(g, digest);
    stt_env_wipe(&hash, sizeof hash);
    stt_env_wipe(digest, sizeof digest);
}

bool stt_cpace_scalar(const uint8_t uniform[64], uint8_t scalar[STT_CPACE_SCALAR_BYTES])
{
    crypto_core_ristretto255_scalar_reduce(scalar, uniform);
    return !sodium_is_zero(scalar, STT_CPACE_SCALAR_BYTES);
}

/* False for what does not decode (RFC 9496) and for the identity, as input and as result. libsodium
 * sees to that, but 1.0.18 ignores the top bit: a point would have two encodings. */
static bool multiply(uint8_t out[STT_CPACE_SHARE_BYTES], const uint8_t *scalar,
                     const uint8_t *point)
{
    return point[STT_CPACE_SHARE_BYTES - 1] >> 7 == 0 &&
           crypto_scalarmult_ristretto255(out, scalar, point) == 0;
}

bool stt_cpace_share(const uint8_t scalar[STT_CPACE_SCALAR_BYTES],
                     const uint8_t g[STT_CPACE_SHARE_BYTES], uint8_t share[STT_CPACE_SHARE_BYTES])
{
    return multiply(share, scalar, g);
}

bool stt_cpace_is_reflected(const uint8_t ours[STT_CPACE_SHARE_BYTES],
                            const uint8_t theirs[STT_CPACE_SHARE_BYTES])
{
    return sodium_memcmp(ours, theirs, STT_CPACE_SHARE_BYTES) == 0;
}

static void hash_isk(const struct stt_cpace_transcript *t, struct bytes k,
                     uint8_t isk[STT_CPACE_ISK_BYTES])
{
    crypto_hash_sha512_state hash;
    crypto_hash_sha512_init(&hash);
    add(&hash, DSI_ISK);
    add(&hash, t->sid);
    add(&hash, k);
    add(&hash, bytes_of(t->share_a, STT_CPACE_SHARE_BYTES));
    add(&hash, t->ad_a);
    add(&hash, bytes_of(t->share_b, STT_CPACE_SHARE_BYTES));
    add(&hash, t->ad_b);
    crypto_hash_sha512_final(&hash, isk);
    stt_env_wipe(&hash, sizeof hash);
}

bool stt_cpace_isk(const struct stt_cpace_transcript *t,
                   const uint8_t scalar[STT_CPACE_SCALAR_BYTES], bool is_initiator,
                   uint8_t isk[STT_CPACE_ISK_BYTES])
{
    uint8_t k[STT_CPACE_SHARE_BYTES];
    const uint8_t *theirs = is_initiator ? t->share_b : t->share_a;
    bool ok = !stt_cpace_is_reflected(t->share_a, t->share_b) && multiply(k, scalar, theirs);
    if (ok)
        hash_isk(t, BYTES(k), isk);
    else
        stt_env_wipe(isk, STT_CPACE_ISK_BYTES);
    stt_env_wipe(k, sizeof k);
    return ok;
}
