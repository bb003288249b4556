/* SPDX-License-Identifier: MIT
 * fates: what became of the datagrams that were sent, for a host that asked to be told (spec 05,
 * "Datagrams"). Bounded: the oldest gives way to the newest. While there are none, no memory but
 * itself is held. */
#ifndef STT_STREAM_FATES_H
#define STT_STREAM_FATES_H

#include "stt/stream/chunks.h"

enum { STT_FATES_MAX = 512 };

struct stt_fate {
    uint64_t number; /* of the datagram, below 2^63 */
    bool is_acked;   /* or it is lost, as far as one knows: an ack may still come */
};

struct stt_fates {
    struct stt_chunk_pool *pool;
    uint64_t *ring;
    uint16_t size, first, n;
    uint64_t dropped; /* that gave way, or found no memory at all */
};

void stt_fates_init(struct stt_fates *f, struct stt_chunk_pool *pool);
/* Gives everything back. It is empty afterwards. */
void stt_fates_fini(struct stt_fates *f);

void stt_fates_add(struct stt_fates *f, struct stt_fate fate);
/* The oldest leaves; false when there is none. */
bool stt_fates_take(struct stt_fates *f, struct stt_fate *fate);

#endif
