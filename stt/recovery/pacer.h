/* SPDX-License-Identifier: MIT
 * pacer: spreads what the window allows over the round trip, in trains (spec 06, "Pacing in
 * trains"). */
#ifndef STT_RECOVERY_PACER_H
#define STT_RECOVERY_PACER_H

#include "stt/types.h"

struct stt_pacer {
    int64_t credit; /* in 1e-9 bytes, so that no fraction is lost */
    stt_ns at;      /* when the credit was counted */
    bool is_held;   /* a train waits: what time gives is not idle time's */
};

/* With a full credit. */
#define STT_PACER_INIT ((struct stt_pacer){.credit = INT64_MAX})

/* How long a train should be at this rate: 1 ms of it, at least one packet, at most a full train,
 * in whole packets. */
size_t stt_pacer_train_bytes(uint64_t rate_bytes_per_s, uint32_t packet_bytes);

/* Bytes that may be sent now: 0, or a train in whole packets. STT_UNLIMITED rates are never held.
 */
size_t stt_pacer_allowance(struct stt_pacer *p, stt_ns now, uint64_t rate_bytes_per_s,
                           uint32_t packet_bytes);
void stt_pacer_on_sent(struct stt_pacer *p, size_t bytes);
/* When the next train may go, if none may now. */
stt_ns stt_pacer_next(const struct stt_pacer *p, uint64_t rate_bytes_per_s);

#endif
