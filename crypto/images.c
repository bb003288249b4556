/* SPDX-License-Identifier: MIT
 * images: a table of fixed size. Invariant: an entry in use holds a peer id and its image. Nothing
 * in it is secret but the order. It must not know who the peers are. Spec 03, "Identities". */
#include "crypto/images.h"

#include "crypto/identity.h"

void stt_images_init(struct stt_images *m, const uint8_t key[STT_MAC_KEY_BYTES])
{
    *m = (struct stt_images){.at[0].is_used = false};
    memcpy(m->key, key, sizeof m->key);
}

static struct stt_image *place_of(struct stt_images *m, const struct stt_peer_id *peer)
{
    uint8_t mac[STT_MAC_BYTES];
    stt_mac(mac, m->key, BYTES(peer->bytes));
    return &m->at[be32_load(mac) % STT_IMAGES_MAX];
}

static bool holds(const struct stt_image *entry, const struct stt_peer_id *peer)
{
    return entry->is_used && memcmp(entry->peer.bytes, peer->bytes, sizeof peer->bytes) == 0;
}

static void remember(struct stt_image *entry, const uint8_t image[32],
                     const struct stt_peer_id *peer)
{
    *entry = (struct stt_image){.peer = *peer, .is_used = true};
    memcpy(entry->image, image, sizeof entry->image);
}

bool stt_images_find(struct stt_images *m, uint8_t image[32], const struct stt_peer_id *peer)
{
    struct stt_image *entry = m ? place_of(m, peer) : NULL;
    if (entry && holds(entry, peer)) {
        memcpy(image, entry->image, sizeof entry->image);
        return true;
    }
    if (!stt_identity_image(image, peer))
        return false;
    if (entry)
        remember(entry, image, peer);
    return true;
}

bool stt_images_fits(struct stt_images *m, const uint8_t key[32], const struct stt_peer_id *peer)
{
    uint8_t image[32];
    struct stt_image *entry = m ? place_of(m, peer) : NULL;
    if (entry && holds(entry, peer))
        return memcmp(entry->image, key, sizeof entry->image) == 0;
    if (!stt_identity_image(image, peer) || memcmp(image, key, sizeof image) != 0)
        return false;
    if (entry)
        remember(entry, image, peer);
    return true;
}
