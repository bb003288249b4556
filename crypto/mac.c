/* SPDX-License-Identifier: MIT
 * mac: owns nothing; every key is the caller's. Comparisons take the same time whatever they
 * compare. It must not know the layout of a packet, only where its caller says that it ends.
 * Spec 03, "Mac1, mac2, cookies". */
#include "crypto/mac.h"

#include "crypto/kdf.h"
#include "stt/base/env.h"

#include <sodium.h>

static struct bytes seed_or_zeros(const struct stt_mac_base *base)
{
    static const uint8_t zeros[32];
    return bytes_of(base->seed ? base->seed : zeros, 32);
}

void stt_mac1_key(uint8_t key[STT_MAC_KEY_BYTES], const struct stt_mac_base *base,
                  uint8_t message_number)
{
    stt_kdf_keyed(key, STT_MAC_KEY_BYTES, seed_or_zeros(base), "stt1 mac1",
                  KDF_PARTS(KDF_U8(base->version), KDF_U8(base->mode), KDF_U8(message_number),
                            base->material));
}

void stt_mac(uint8_t mac[STT_MAC_BYTES], const uint8_t key[STT_MAC_KEY_BYTES], struct bytes m)
{
    crypto_shorthash_siphashx24(mac, m.data, m.len, key);
}

bool stt_mac_verify(const uint8_t mac[STT_MAC_BYTES], const uint8_t key[STT_MAC_KEY_BYTES],
                    struct bytes m)
{
    uint8_t right[STT_MAC_BYTES];
    stt_mac(right, key, m);
    bool is_right = crypto_verify_16(mac, right) == 0;
    stt_env_wipe(right, sizeof right);
    return is_right;
}

static void make_cookie(uint8_t cookie[STT_COOKIE_BYTES],
                        const uint8_t secret[STT_COOKIE_SECRET_BYTES],
                        const struct stt_cookie_source *source, uint64_t period)
{
    uint8_t key[STT_MAC_KEY_BYTES], place[18];
    struct wr w = wr_init(place, sizeof place);
    wr_bytes(&w, BYTES(source->address));
    wr_u16(&w, source->port);
    stt_kdf_keyed(key, sizeof key, bytes_of(secret, STT_COOKIE_SECRET_BYTES), "stt1 cookie secret",
                  KDF_PARTS(KDF_U64(period)));
    stt_mac(cookie, key, BYTES(place));
    stt_env_wipe(key, sizeof key);
}

void stt_cookie_make(uint8_t cookie[STT_COOKIE_BYTES],
                     const uint8_t secret[STT_COOKIE_SECRET_BYTES],
                     const struct stt_cookie_source *source, stt_ns now)
{
    make_cookie(cookie, secret, source, now / STT_COOKIE_PERIOD);
}

bool stt_mac2_verify(const uint8_t mac2[STT_MAC_BYTES],
                     const uint8_t secret[STT_COOKIE_SECRET_BYTES],
                     const struct stt_cookie_source *source, stt_ns now, struct bytes m)
{
    if (sodium_is_zero(mac2, STT_MAC_BYTES))
        return false;
    uint8_t cookie[STT_COOKIE_BYTES];
    uint64_t period = now / STT_COOKIE_PERIOD;
    make_cookie(cookie, secret, source, period);
    bool is_right = stt_mac_verify(mac2, cookie, m);
    if (!is_right && period > 0) {
        make_cookie(cookie, secret, source, period - 1);
        is_right = stt_mac_verify(mac2, cookie, m);
    }
    stt_env_wipe(cookie, sizeof cookie);
    return is_right;
}

void stt_cookie_key(uint8_t key[STT_COOKIE_KEY_BYTES], const struct stt_mac_base *base)
{
    stt_kdf_keyed(key, STT_COOKIE_KEY_BYTES, seed_or_zeros(base), "stt1 cookie",
                  KDF_PARTS(KDF_U8(base->version), KDF_U8(base->mode), base->material));
}

void stt_cookie_seal(uint8_t sealed[STT_COOKIE_SEALED_BYTES],
                     const uint8_t key[STT_COOKIE_KEY_BYTES],
                     const uint8_t nonce[STT_COOKIE_NONCE_BYTES], const uint8_t mac1[STT_MAC_BYTES],
                     const uint8_t cookie[STT_COOKIE_BYTES])
{
    crypto_aead_xchacha20poly1305_ietf_encrypt(sealed, NULL, cookie, STT_COOKIE_BYTES, mac1,
                                               STT_MAC_BYTES, NULL, nonce, key);
}

bool stt_cookie_open(uint8_t cookie[STT_COOKIE_BYTES], const uint8_t key[STT_COOKIE_KEY_BYTES],
                     const uint8_t nonce[STT_COOKIE_NONCE_BYTES], const uint8_t mac1[STT_MAC_BYTES],
                     const uint8_t sealed[STT_COOKIE_SEALED_BYTES])
{
    return crypto_aead_xchacha20poly1305_ietf_decrypt(cookie, NULL, NULL, sealed,
                                                      STT_COOKIE_SEALED_BYTES, mac1, STT_MAC_BYTES,
                                                      nonce, key) == 0;
}
