/* SPDX-License-Identifier: MIT
 * null_suite: a cipher suite that copies. It protects nothing: the payload is in the clear and may
 * be changed at will. Its tag is a hash of key, nonce, header and length without any secret, which
 * is enough for packets to be matched to their keys and numbers as with a real suite, so that a
 * benchmark measures the protocol and not the cipher. Masks are zeros: headers are in the clear. */
#include "crypto/aead.h"
#include "stt/sim.h"
#include "transport/sim/digest.h"

enum { NULL_SUITE_ID = 255, NULL_KEY_BYTES = 16, NULL_NONCE_BYTES = 12 };

static void init(void *state, const uint8_t *key)
{
    uint64_t *digest = state;
    *digest = stt_net_digest(be64_load(key), be64_load(key + 8));
}

static uint64_t digest_header(uint64_t digest, struct bytes ad)
{
    size_t at = 0;
    for (; at + 8 <= ad.len; at += 8)
        digest = stt_net_digest(digest, be64_load(ad.data + at));
    for (; at < ad.len; at++)
        digest = digest << 8 ^ digest >> 56 ^ ad.data[at];
    return digest;
}

static void make_tag(const void *state, const uint8_t *nonce, struct bytes ad, size_t len,
                     uint8_t tag[STT_AEAD_TAG_BYTES])
{
    const uint64_t *key = state;
    uint64_t digest = stt_net_digest(*key, be64_load(nonce));
    digest = stt_net_digest(digest, (uint64_t)be32_load(nonce + 8) << 32 | (uint32_t)len);
    digest = stt_net_digest(digest_header(digest, ad), ad.len);
    be64_store(tag, digest);
    be64_store(tag + 8, stt_net_digest(~digest, len));
}

static void seal(const void *state, const struct stt_aead_plain *packets, size_t n)
{
    for (const struct stt_aead_plain *p = packets; p != packets + n; p++) {
        size_t len = stt_aead_gather(p);
        make_tag(state, p->nonce, p->ad, len, p->out + len);
    }
}

static bool is_authentic(const void *state, const struct stt_aead_sealed *p)
{
    uint8_t tag[STT_AEAD_TAG_BYTES];
    size_t len = p->len - sizeof tag;
    make_tag(state, p->nonce, p->ad, len, tag);
    return memcmp(tag, p->data + len, sizeof tag) == 0; /* no secret that time could tell */
}

static size_t open(const void *state, struct stt_aead_sealed *packets, size_t n)
{
    return stt_aead_open_each(state, packets, n, is_authentic);
}

static void mask_init(void *state, const uint8_t *key)
{
    (void)key;
    *(uint64_t *)state = 0;
}

static void mask(const void *state, const uint8_t *samples, size_t stride, size_t n,
                 uint8_t (*out)[STT_AEAD_MASK_BYTES])
{
    (void)state;
    (void)samples;
    (void)stride;
    memset(out, 0, n * sizeof *out);
}

static const struct stt_aead_suite null_suite = {
    .id = NULL_SUITE_ID,
    .name = "null",
    .variant = "simulator",
    .is_offered = false,
    .key_bytes = NULL_KEY_BYTES,
    .nonce_bytes = NULL_NONCE_BYTES,
    .state_bytes = sizeof(uint64_t),
    .mask_state_bytes = sizeof(uint64_t),
    .max_packets = STT_AEAD_UNLIMITED,
    .max_failed_opens = STT_AEAD_UNLIMITED,
    .init = init,
    .seal = seal,
    .open = open,
    .mask_init = mask_init,
    .mask = mask,
};

const struct stt_aead_suite *stt_sim_null_suite(void)
{
    return &null_suite;
}
