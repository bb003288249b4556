/* SPDX-License-Identifier: MIT
 * id: where a peer stands in the table of the DHT, and how far two places are apart (spec 07,
 * "Ids"). A place follows from a key, so nobody chooses it freely, though many keys may be tried.
 */
#ifndef STT_DHT_ID_H
#define STT_DHT_ID_H

#include "stt/base/bytes.h"

#define STT_DHT_ID_BYTES 32
#define STT_DHT_ID_BITS  256

struct stt_dht_id {
    uint8_t bytes[STT_DHT_ID_BYTES];
};

/* The network id has 0 to 32 bytes; peers of different networks never meet. */
void stt_dht_id_of_peer(struct stt_dht_id *id, struct bytes network, const uint8_t peer_id[32]);

/* The bits that two ids share at their beginning: 256 when they are the same. */
unsigned stt_dht_id_shared_bits(const struct stt_dht_id *a, const struct stt_dht_id *b);

/* Below 0 when a is nearer to the target than b by XOR, above 0 when b is, 0 when a is b. */
int stt_dht_id_compare(const struct stt_dht_id *target, const struct stt_dht_id *a,
                       const struct stt_dht_id *b);

#endif
