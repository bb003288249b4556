/* SPDX-License-Identifier: MIT
 * mac: what a handshake packet must show before anybody computes for it: mac1, cookies and mac2
 * (spec 03, "Mac1, mac2, cookies"). */
#ifndef STT_CRYPTO_MAC_H
#define STT_CRYPTO_MAC_H

#include "stt/base/bytes.h"
#include "stt/types.h"

#define STT_MAC_BYTES           16
#define STT_MAC_KEY_BYTES       16
#define STT_COOKIE_BYTES        16
#define STT_COOKIE_KEY_BYTES    32
#define STT_COOKIE_NONCE_BYTES  24
#define STT_COOKIE_SEALED_BYTES 32
#define STT_COOKIE_SECRET_BYTES 32
#define STT_COOKIE_PERIOD       STT_S(120) /* this and the last: cookies live 120 to 240 s */

/* What mac1 and cookie keys are made of. */
struct stt_mac_base {
    uint8_t version, mode;
    const uint8_t *seed;   /* 32 bytes, or NULL where the mode has none */
    struct bytes material; /* the responder's static public key in K, else empty */
};

void stt_mac1_key(uint8_t key[STT_MAC_KEY_BYTES], const struct stt_mac_base *base,
                  uint8_t message_number);

/* MAC (spec 03, "Functions") over m: mac1 of a datagram up to mac1; mac2 with the cookie as key. */
void stt_mac(uint8_t mac[STT_MAC_BYTES], const uint8_t key[STT_MAC_KEY_BYTES], struct bytes m);
bool stt_mac_verify(const uint8_t mac[STT_MAC_BYTES], const uint8_t key[STT_MAC_KEY_BYTES],
                    struct bytes m) STT_MUST_USE;

/* Where a datagram came from; IPv4 in its IPv6-mapped form. */
struct stt_cookie_source {
    uint8_t address[16];
    uint16_t port;
};

/* The cookie of a source in the period of `now`. */
void stt_cookie_make(uint8_t cookie[STT_COOKIE_BYTES],
                     const uint8_t secret[STT_COOKIE_SECRET_BYTES],
                     const struct stt_cookie_source *source, stt_ns now);

/* True for a mac2 under the cookie of this period or the previous one; never for all zeros. */
bool stt_mac2_verify(const uint8_t mac2[STT_MAC_BYTES],
                     const uint8_t secret[STT_COOKIE_SECRET_BYTES],
                     const struct stt_cookie_source *source, stt_ns now,
                     struct bytes m) STT_MUST_USE;

void stt_cookie_key(uint8_t key[STT_COOKIE_KEY_BYTES], const struct stt_mac_base *base);

/* A cookie on its way, bound to the mac1 that it answers. */
void stt_cookie_seal(uint8_t sealed[STT_COOKIE_SEALED_BYTES],
                     const uint8_t key[STT_COOKIE_KEY_BYTES],
                     const uint8_t nonce[STT_COOKIE_NONCE_BYTES], const uint8_t mac1[STT_MAC_BYTES],
                     const uint8_t cookie[STT_COOKIE_BYTES]);
bool stt_cookie_open(uint8_t cookie[STT_COOKIE_BYTES], const uint8_t key[STT_COOKIE_KEY_BYTES],
                     const uint8_t nonce[STT_COOKIE_NONCE_BYTES], const uint8_t mac1[STT_MAC_BYTES],
                     const uint8_t sealed[STT_COOKIE_SEALED_BYTES]) STT_MUST_USE;

#endif
