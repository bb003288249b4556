/* SPDX-License-Identifier: MIT
 * handover: datagrams that came to one worker and belong to another.
 *
 *     stt_handover_split(...)               whose each of a train's segments is
 *     put = stt_handover_put(...)           those of one worker, into its queue
 *     stt_handover_take(queue, &train)      that worker, until false
 *
 * The kernel steers a train by its first segment, and where it cannot steer at all, by addresses;
 * so each worker looks at what it gets. Spec 02, "Worker hash"; spec 04, "Session ids". */
#ifndef STT_NODE_HANDOVER_H
#define STT_NODE_HANDOVER_H

#include "stt/endpoint.h"
#include "stt/wire/ids.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    STT_HANDOVER_BYTES = 1 << 20, /* that wait for one worker; more is dropped */
    STT_HANDOVER_SEGMENTS = 128,  /* that are looked at together */
};

/* -- whose is it? ------------------------------------------------------------------------------ */

/* What all workers know of each other. */
struct stt_steering {
    struct stt_id_hash_key key;
    uint32_t workers;
    _Atomic uint16_t *serves; /* by hash: itself, or who has taken its place */
};

/* How many datagrams it is, and so many of them as a train; both see the same data. */
uint32_t stt_handover_segments(const struct stt_train *train);
struct stt_train stt_handover_part(const struct stt_train *train, uint32_t first, uint32_t n);

/* Of the first `n` segments; what is too short to have an id is `own`. True: all of them are. */
bool stt_handover_split(const struct stt_steering *s, uint16_t own, const struct stt_train *train,
                        uint32_t n, uint16_t to[STT_HANDOVER_SEGMENTS]);

/* -- a worker's queue -------------------------------------------------------------------------- */

/* Many put, one takes; empty when it is zeroed, but for the lock and the memory. */
struct stt_handover {
    pthread_mutex_t lock; /* of those who put */
    uint8_t *ring;        /* STT_HANDOVER_BYTES */
    _Atomic uint64_t end; /* bytes ever put, and being put ... */
    _Atomic uint64_t at;  /* ... and of them, bytes that are free again */
    uint64_t next;        /* the taker's: where the next one begins; before it, up to `at`, is what
                             it has */
};

int stt_handover_init(struct stt_handover *h) STT_MUST_USE;
void stt_handover_fini(struct stt_handover *h);

/* From any thread: copies those of the first `n` segments that go `to` this worker, as one train.
 * How many they are, or 0: there was no room. */
uint32_t stt_handover_put(struct stt_handover *h, const struct stt_train *train, uint32_t n,
                          const uint16_t *to, uint16_t worker);

/* The oldest, until the next call; its data may be changed. */
bool stt_handover_take(struct stt_handover *h, struct stt_train *train);

#endif
