/* SPDX-License-Identifier: MIT
 * ids: owns nothing. The tail hides the index from whoever lacks the key: two ids of one machine
 * show nothing in common. Spec 02, "Session ids". */
#include "crypto/ids.h"

#include "stt/base/bytes.h"

#include <sodium.h>

enum { RANDOM_BYTES = 6 };

static uint16_t tail_mask(const uint8_t id[STT_ID_SIZE],
                          const uint8_t key[STT_ID_BALANCER_KEY_BYTES])
{
    uint8_t hash[crypto_shorthash_siphash24_BYTES];
    crypto_shorthash_siphash24(hash, id, RANDOM_BYTES, key);
    return (uint16_t)(hash[0] << 8 | hash[1]);
}

bool stt_id_make(uint8_t id[STT_ID_SIZE], const uint8_t entropy[STT_ID_SIZE],
                 const struct stt_id_balancer *balancer)
{
    memcpy(id, entropy, STT_ID_SIZE);
    if (balancer) {
        struct wr tail = wr_init(id + RANDOM_BYTES, STT_ID_SIZE - RANDOM_BYTES);
        wr_u16(&tail, balancer->index ^ tail_mask(id, balancer->key));
    }
    return !bytes_all_zero(bytes_of(id, STT_ID_SIZE));
}

uint16_t stt_id_index(const uint8_t id[STT_ID_SIZE], const uint8_t key[STT_ID_BALANCER_KEY_BYTES])
{
    return (uint16_t)((id[RANDOM_BYTES] << 8 | id[RANDOM_BYTES + 1]) ^ tail_mask(id, key));
}
