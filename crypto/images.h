/* SPDX-License-Identifier: MIT
 * images: the X25519 images of peer ids that were seen lately. Finding one costs more than a
 * Diffie-Hellman, 30 to 45 us, and every handshake needs one (spec 03, "Identities").
 *
 * Bounded and without order: a place for each id, by a secret hash; another id with the same place
 * takes it. An image is a function of the id alone, so nothing here can be out of date, and whoever
 * fills the table with ids of its own only makes others as slow as they were without it. */
#ifndef STT_CRYPTO_IMAGES_H
#define STT_CRYPTO_IMAGES_H

#include "crypto/mac.h"
#include "stt/identity.h"

enum { STT_IMAGES_MAX = 256 };

struct stt_images {
    uint8_t key[STT_MAC_KEY_BYTES];
    struct stt_image {
        struct stt_peer_id peer;
        uint8_t image[32];
        bool is_used;
    } at[STT_IMAGES_MAX];
};

void stt_images_init(struct stt_images *m, const uint8_t key[STT_MAC_KEY_BYTES]);

/* As stt_identity_image(); m may be NULL. */
bool stt_images_find(struct stt_images *m, uint8_t image[32],
                     const struct stt_peer_id *peer) STT_MUST_USE;

/* Whether the image of this id is this key. Only then is it remembered, so that strangers who claim
 * ids of others take no place. */
bool stt_images_fits(struct stt_images *m, const uint8_t key[32],
                     const struct stt_peer_id *peer) STT_MUST_USE;

#endif
