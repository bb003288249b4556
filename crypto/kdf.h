/* SPDX-License-Identifier: MIT
 * kdf: H and KH, the two functions behind every derived value (spec 03, "Functions").
 *
 *     stt_kdf_keyed(psk, 32, seed, "stt1 psk", KDF_PARTS(KDF_U8(1), KDF_U8(mode)));
 */
#ifndef STT_CRYPTO_KDF_H
#define STT_CRYPTO_KDF_H

#include "stt/base/bytes.h"

/* What follows the label; each part is hashed behind its length, at most 65,535 bytes. */
struct kdf_parts {
    const struct bytes *at;
    size_t count;
};

#define KDF_PARTS(...)                                                                             \
    ((struct kdf_parts){(const struct bytes[]){__VA_ARGS__},                                       \
                        sizeof((const struct bytes[]){__VA_ARGS__}) / sizeof(struct bytes)})
#define KDF_NO_PARTS ((struct kdf_parts){NULL, 0})

/* u8(n), u32(n), u64(n) as a part; n is evaluated several times. */
#define KDF_U8(n) ((struct bytes){(const uint8_t[1]){(uint8_t)(n)}, 1})
#define KDF_U32(n)                                                                                 \
    ((struct bytes){(const uint8_t[4]){(uint8_t)((uint32_t)(n) >> 24),                             \
                                       (uint8_t)((uint32_t)(n) >> 16),                             \
                                       (uint8_t)((uint32_t)(n) >> 8), (uint8_t)(n)},               \
                    4})
#define KDF_U64(n)                                                                                 \
    ((struct bytes){                                                                               \
        (const uint8_t[8]){(uint8_t)((uint64_t)(n) >> 56), (uint8_t)((uint64_t)(n) >> 48),         \
                           (uint8_t)((uint64_t)(n) >> 40), (uint8_t)((uint64_t)(n) >> 32),         \
                           (uint8_t)((uint64_t)(n) >> 24), (uint8_t)((uint64_t)(n) >> 16),         \
                           (uint8_t)((uint64_t)(n) >> 8), (uint8_t)(n)},                           \
        8})

/* H(len, label, parts); len is 16, 32 or 64. */
void stt_kdf_hash(uint8_t *out, size_t len, const char *label, struct kdf_parts parts);

/* KH(len, key, label, parts); key is 32 or 64 bytes. out may be where key is. */
void stt_kdf_keyed(uint8_t *out, size_t len, struct bytes key, const char *label,
                   struct kdf_parts parts);

#endif
