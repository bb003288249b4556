/* SPDX-License-Identifier: MIT
 * ids: session ids, and the index that a balancer reads in them (spec 02, "Session ids"). */
#ifndef STT_CRYPTO_IDS_H
#define STT_CRYPTO_IDS_H

#include "stt/types.h"

#define STT_ID_SIZE               8
#define STT_ID_BALANCER_KEY_BYTES 16

/* One machine behind a balancer that holds the same key. */
struct stt_id_balancer {
    uint8_t key[STT_ID_BALANCER_KEY_BYTES];
    uint16_t index;
};

/* An id from random bytes; balancer may be NULL. False for the one id that is not allowed, all
 * zeros: draw again. */
bool stt_id_make(uint8_t id[STT_ID_SIZE], const uint8_t entropy[STT_ID_SIZE],
                 const struct stt_id_balancer *balancer) STT_MUST_USE;

/* The index in an id, which is anything where the id was not made with this key. */
uint16_t stt_id_index(const uint8_t id[STT_ID_SIZE], const uint8_t key[STT_ID_BALANCER_KEY_BYTES]);

#endif
