/* SPDX-License-Identifier: MIT
 * ids: session ids, and the hash that steers a datagram to the worker that owns one.
 * Spec 02, "Session ids". */
#ifndef STT_WIRE_IDS_H
#define STT_WIRE_IDS_H

#include "stt/base/bytes.h"

#define STT_ID_BYTES 8

/* Chosen by the endpoint that will receive it. All zeros is no id. */
struct stt_id {
    uint8_t bytes[STT_ID_BYTES];
};

/* Secret, so that strangers cannot aim at one worker; shared by all workers of a port. */
struct stt_id_hash_key {
    uint32_t k0, k1;
};

static inline struct stt_id stt_id_of(const uint8_t *bytes)
{
    struct stt_id id;
    memcpy(id.bytes, bytes, sizeof id.bytes);
    return id;
}

static inline bool stt_id_equal(struct stt_id a, struct stt_id b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

static inline bool stt_id_is_none(struct stt_id id)
{
    return be64_load(id.bytes) == 0;
}

/* The worker, below `workers`, that a datagram with this id belongs to. A classic BPF program gives
 * the same answer in the kernel, which is why it is no better hash. */
uint32_t stt_id_worker(struct stt_id id, const struct stt_id_hash_key *key, uint32_t workers);

#endif
