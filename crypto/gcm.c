/* SPDX-License-Identifier: MIT
 * gcm: AES-256-GCM by libsodium (spec 02, "Suites"). The key state is libsodium's expanded key.
 * The limit of failed opens is that of RFC 9001, 6.6; that of packets is half of what it allows. */
#include "crypto/gcm.h"

#include "crypto/aes_mask.h"
#include "crypto/aes_round.h"
#include "crypto/cpu.h"

#include <sodium.h>

#if STT_HAS_AES

_Static_assert(sizeof(crypto_aead_aes256gcm_state) <= STT_AEAD_STATE_MAX, "state");

static void init(void *state, const uint8_t *key)
{
    crypto_aead_aes256gcm_beforenm(state, key);
}

static void seal(const void *state, const struct stt_aead_plain *packets, size_t n)
{
    for (const struct stt_aead_plain *p = packets; p != packets + n; p++) {
        size_t len = stt_aead_gather(p);
        crypto_aead_aes256gcm_encrypt_detached_afternm(
            p->out, p->out + len, NULL, p->out, len, p->ad.data, p->ad.len, NULL, p->nonce, state);
    }
}

static bool open_one(const void *state, const struct stt_aead_sealed *p)
{
    size_t len = p->len - STT_AEAD_TAG_BYTES;
    return crypto_aead_aes256gcm_decrypt_detached_afternm(p->data, NULL, p->data, len,
                                                          p->data + len, p->ad.data, p->ad.len,
                                                          p->nonce, state) == 0;
}

static size_t open(const void *state, struct stt_aead_sealed *packets, size_t n)
{
    return stt_aead_open_each(state, packets, n, open_one);
}

const struct stt_aead_suite stt_aes_256_gcm = {
    .id = STT_AEAD_AES_256_GCM,
    .name = "aes-256-gcm",
    .variant = "libsodium",
    .needs = STT_CPU_AES | STT_CPU_GCM,
    .is_offered = false,
    .key_bytes = crypto_aead_aes256gcm_KEYBYTES,
    .nonce_bytes = crypto_aead_aes256gcm_NPUBBYTES,
    .state_bytes = sizeof(crypto_aead_aes256gcm_state),
    .mask_state_bytes = STT_AES_256_MASK_STATE_BYTES,
    .max_packets = UINT64_C(1) << 22,
    .max_failed_opens = UINT64_C(1) << 52,
    .init = init,
    .seal = seal,
    .open = open,
    .mask_init = stt_aes_256_mask_init,
    .mask = stt_aes_256_mask,
};

#endif
