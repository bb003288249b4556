/* SPDX-License-Identifier: MIT
 * chacha: ChaCha20-Poly1305 by libsodium, and header masks as in RFC 9001, 5.4.4 (spec 02,
 * "Suites" and "Masking"). Both states are the key. The limit of failed opens is that of
 * RFC 9001, 6.6. */
#include "crypto/chacha.h"

#include <sodium.h>

enum { KEY_BYTES = crypto_aead_chacha20poly1305_ietf_KEYBYTES };

static void init(void *state, const uint8_t *key)
{
    memcpy(state, key, KEY_BYTES);
}

static void seal(const void *state, const struct stt_aead_plain *packets, size_t n)
{
    for (const struct stt_aead_plain *p = packets; p != packets + n; p++) {
        size_t len = stt_aead_gather(p);
        crypto_aead_chacha20poly1305_ietf_encrypt_detached(
            p->out, p->out + len, NULL, p->out, len, p->ad.data, p->ad.len, NULL, p->nonce, state);
    }
}

static bool open_one(const void *state, const struct stt_aead_sealed *p)
{
    size_t len = p->len - STT_AEAD_TAG_BYTES;
    return crypto_aead_chacha20poly1305_ietf_decrypt_detached(p->data, NULL, p->data, len,
                                                              p->data + len, p->ad.data, p->ad.len,
                                                              p->nonce, state) == 0;
}

static size_t open(const void *state, struct stt_aead_sealed *packets, size_t n)
{
    return stt_aead_open_each(state, packets, n, open_one);
}

static void mask(const void *state, const uint8_t *samples, size_t stride, size_t n,
                 uint8_t (*out)[STT_AEAD_MASK_BYTES])
{
    for (size_t i = 0; i < n; i++) {
        const uint8_t *s = samples + i * stride;
        uint32_t counter = s[0] | (uint32_t)s[1] << 8 | (uint32_t)s[2] << 16 | (uint32_t)s[3] << 24;
        memset(out[i], 0, STT_AEAD_MASK_BYTES);
        crypto_stream_chacha20_ietf_xor_ic(out[i], out[i], STT_AEAD_MASK_BYTES, s + 4, counter,
                                           state);
    }
}

const struct stt_aead_suite stt_chacha20_poly1305 = {
    .id = STT_AEAD_CHACHA20_POLY1305,
    .name = "chacha20-poly1305",
    .variant = "libsodium",
    .needs = 0,
    .is_offered = true,
    .key_bytes = KEY_BYTES,
    .nonce_bytes = crypto_aead_chacha20poly1305_ietf_NPUBBYTES,
    .state_bytes = KEY_BYTES,
    .mask_state_bytes = KEY_BYTES,
    .max_packets = STT_AEAD_UNLIMITED,
    .max_failed_opens = UINT64_C(1) << 36,
    .init = init,
    .seal = seal,
    .open = open,
    .mask_init = init,
    .mask = mask,
};
