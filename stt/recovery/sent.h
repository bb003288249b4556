/* SPDX-License-Identifier: MIT
 * sent: the packets that are in flight, as a ring indexed by packet number. Spec 06, "Words".
 *
 *        first                      next
 *     ----|--------------------------|----      first: the oldest that is in flight
 *         | o . o o . . o o o o o o  |          o in flight
 *                                               . settled, left out, or elicits nothing
 */
#ifndef STT_RECOVERY_SENT_H
#define STT_RECOVERY_SENT_H

#include "stt/base/env.h"
#include "stt/error.h"

struct stt_sent_packet {
    stt_ns at;
    uint32_t owes;  /* what must be sent again if this is lost: the caller's bits */
    uint16_t bytes; /* 0: not in flight */
    uint16_t flags; /* the caller's */
};

/* Empty when zeroed. */
struct stt_sent {
    struct stt_sent_packet *ring; /* NULL before the first, and after a trim */
    uint32_t mask;                /* slots - 1 */
    uint32_t in_flight;
    uint64_t first, next;
    uint64_t in_flight_bytes;
};

enum { STT_SENT_SLOTS_MIN = 16, STT_SENT_SLOTS_MAX = 1 << 17 };

/* Room for `number`, which is above all that were added. STT_E_LIMIT: it lies STT_SENT_SLOTS_MAX or
 * more above the oldest in flight. STT_E_MEMORY. */
int stt_sent_reserve(struct stt_sent *s, const struct stt_env *env, uint64_t number) STT_MUST_USE;
/* After a reserve; bytes are not 0. */
void stt_sent_add(struct stt_sent *s, uint64_t number, struct stt_sent_packet packet);

/* NULL when it is not in flight. */
struct stt_sent_packet *stt_sent_at(struct stt_sent *s, uint64_t number);

/* The first in flight at or above *number and below `to`, whose number *number becomes; NULL when
 * there is none. However far the two are apart, it costs no more than what is in flight:
 *
 *     for (uint64_t n = from; (p = stt_sent_find(&sent, &n, to)); n++) */
struct stt_sent_packet *stt_sent_find(struct stt_sent *s, uint64_t *number, uint64_t to);

/* Acked or lost: not in flight any more. */
void stt_sent_settle(struct stt_sent *s, uint64_t number);

/* Gives the ring back when nothing is in flight: for a session that has become quiet. */
void stt_sent_trim(struct stt_sent *s, const struct stt_env *env);
void stt_sent_free(struct stt_sent *s, const struct stt_env *env);

#endif
