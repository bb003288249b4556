/* SPDX-License-Identifier: MIT
 * id: 256-bit places and their XOR distance. Nothing here is secret, so nothing is constant in
 * time. */
#include "dht/id.h"

#include "crypto/kdf.h"

void stt_dht_id_of_peer(struct stt_dht_id *id, struct bytes network, const uint8_t peer_id[32])
{
    stt_kdf_hash(id->bytes, sizeof id->bytes, "stt1 dht",
                 KDF_PARTS(network, bytes_of(peer_id, 32)));
}

unsigned stt_dht_id_shared_bits(const struct stt_dht_id *a, const struct stt_dht_id *b)
{
    for (unsigned i = 0; i < STT_DHT_ID_BYTES; i += 8) {
        uint64_t differs = be64_load(a->bytes + i) ^ be64_load(b->bytes + i);
        if (differs)
            return 8 * i + (unsigned)__builtin_clzll(differs);
    }
    return STT_DHT_ID_BITS;
}

int stt_dht_id_compare(const struct stt_dht_id *target, const struct stt_dht_id *a,
                       const struct stt_dht_id *b)
{
    for (unsigned i = 0; i < STT_DHT_ID_BYTES; i++) {
        int to_a = a->bytes[i] ^ target->bytes[i], to_b = b->bytes[i] ^ target->bytes[i];
        if (to_a != to_b)
            return to_a - to_b;
    }
    return 0;
}
