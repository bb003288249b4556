/* SPDX-License-Identifier: MIT
 * keys: the key schedule of a session: which secrets an epoch has, what is derived from them, and
 * which key opens a packet (spec 03, "Key schedule", "Key update"). */
#ifndef STT_CRYPTO_KEYS_H
#define STT_CRYPTO_KEYS_H

#include "crypto/aead.h"

enum { STT_SECRET_BYTES = 32, STT_EXPORTER_BYTES = 32, STT_KEYS_H_BYTES = 64 };

enum stt_direction { STT_TO_RESPONDER = 0, STT_TO_INITIATOR = 1, STT_DIRECTIONS = 2 };

struct stt_packet_key {
    uint8_t key[STT_AEAD_KEY_MAX];
    uint8_t iv[STT_AEAD_NONCE_MAX];
};

/* One epoch in both directions; arrays are indexed by enum stt_direction. */
struct stt_epoch {
    uint8_t secret[STT_DIRECTIONS][STT_SECRET_BYTES];
    struct stt_packet_key packet[STT_DIRECTIONS];
};

struct stt_keys {
    const struct stt_aead_suite *suite;
    uint64_t number;         /* of the current epoch */
    uint64_t lowest_opened;  /* in the current epoch; UINT64_MAX before the first */
    enum stt_direction send; /* this end's; the other is received */
    struct stt_epoch current;
    struct stt_epoch next;          /* derived ahead */
    struct stt_packet_key previous; /* for receiving, while has_previous */
    bool has_previous;
};

enum stt_keys_choice { STT_KEYS_NONE, STT_KEYS_PREVIOUS, STT_KEYS_CURRENT, STT_KEYS_NEXT };

/* Begins epoch 0 with the two results of Split; the struct holds secrets from here on. */
void stt_keys_init(struct stt_keys *k, const struct stt_aead_suite *suite, enum stt_direction send,
                   const uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES]);

/* The mask key of a direction, in epoch 0 only; key_bytes of the suite. */
void stt_keys_mask_key(uint8_t *key, const struct stt_keys *k, enum stt_direction direction);

/* exporter[e] of the current epoch; h is the handshake hash of what began it. */
void stt_keys_exporter(uint8_t out[STT_EXPORTER_BYTES], const struct stt_keys *k,
                       const uint8_t h[STT_KEYS_H_BYTES]);

/* Gives the next epoch the secrets that REKEY found, in place of those of a key update. */
void stt_keys_install(struct stt_keys *k, const uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES]);

/* The next epoch begins in both directions; the one that ends becomes the previous. */
void stt_keys_advance(struct stt_keys *k);

void stt_keys_forget_previous(struct stt_keys *k);

/* The one key that may open a packet with this phase bit and number, for receiving. */
enum stt_keys_choice stt_keys_choose(const struct stt_keys *k, unsigned phase, uint64_t number);
const struct stt_packet_key *stt_keys_of(const struct stt_keys *k, enum stt_keys_choice choice);

static inline unsigned stt_keys_phase(const struct stt_keys *k)
{
    return (unsigned)k->number & 1;
}

static inline enum stt_direction stt_keys_receive(const struct stt_keys *k)
{
    return (enum stt_direction)(STT_TO_INITIATOR - k->send);
}

#endif
