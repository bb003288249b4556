/* SPDX-License-Identifier: MIT
 * identity: what the handshake and the DHT do with identities beyond stt/identity.h (spec 03,
 * "Identities"). */
#ifndef STT_CRYPTO_IDENTITY_H
#define STT_CRYPTO_IDENTITY_H

#include "crypto/kdf.h"
#include "stt/identity.h"

enum {
    STT_IDENTITY_SIGNATURE_BYTES = 64,
    STT_IDENTITY_SIGNED_MAX = 2048, /* label and parts, each behind its length */
};

/* The X25519 key that belongs to a peer id; false, and zeros, for one that nobody can have. 30 us,
 * so remember it per peer. A point and its negative have the same image: whoever has matched the
 * image still compares the peer id. */
bool stt_identity_image(uint8_t image[32], const struct stt_peer_id *peer_id) STT_MUST_USE;

/* Ed25519 over lp(label) and lp of every part. False when those exceed STT_IDENTITY_SIGNED_MAX. */
bool stt_identity_sign(uint8_t signature[STT_IDENTITY_SIGNATURE_BYTES],
                       const struct stt_identity *id, const char *label,
                       struct kdf_parts parts) STT_MUST_USE;
bool stt_identity_verify(const uint8_t signature[STT_IDENTITY_SIGNATURE_BYTES],
                         const struct stt_peer_id *peer_id, const char *label,
                         struct kdf_parts parts) STT_MUST_USE;

#endif
