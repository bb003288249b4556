/* SPDX-License-Identifier: MIT
 * ids: the worker hash. It knows nothing of balancers, whose tail of an id is made in crypto/.
 * Spec 02, "Worker hash". */
#include "stt/wire/ids.h"

#include <assert.h>

uint32_t stt_id_worker(struct stt_id id, const struct stt_id_hash_key *key, uint32_t workers)
{
    assert(workers > 0);
    uint32_t a = be32_load(id.bytes);
    uint32_t b = be32_load(id.bytes + 4);
    uint32_t h = (a ^ key->k0) * 0x9e3779b1u;
    h ^= h >> 15;
    h = (h ^ b ^ key->k1) * 0x85ebca77u;
    h ^= h >> 13;
    h = h * 0xc2b2ae3du;
    h ^= h >> 16;
    return h % workers;
}
