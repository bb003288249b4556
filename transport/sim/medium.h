/* SPDX-License-Identifier: MIT
 * medium: what all parts of one simulated network share: what is to happen, the parcels under way,
 * and the record of what happened. */
#ifndef STT_TRANSPORT_SIM_MEDIUM_H
#define STT_TRANSPORT_SIM_MEDIUM_H

#include "transport/sim/digest.h"
#include "transport/sim/events.h"
#include "transport/sim/parcel.h"

/* The kinds of events that belong to the network. */
enum {
    STT_NET_SERVED,  /* a link's bottleneck has sent its first */
    STT_NET_ARRIVED, /* a link's first has come to its end */
    STT_NET_STRAY,   /* a parcel that was taken out of order has, too */
    STT_NET_ENTER,   /* a parcel reaches the entry of its next link */
    STT_NET_DOOR,    /* a parcel reaches its destination */
    STT_NET_EVENTS,
};

struct stt_net_medium {
    const struct stt_env *env;
    struct stt_net_events events;
    struct stt_parcels parcels;
    uint64_t digest;
    void *ctx;
    void (*observe)(void *ctx, stt_ns at, uint32_t kind, uint32_t subject, uint64_t detail,
                    uint64_t bytes); /* may be NULL */
};

/* Everything that happens goes through here, and so into the digest. */
static inline void stt_net_record(struct stt_net_medium *m, stt_ns at, uint32_t kind,
                                  uint32_t subject, uint64_t detail, uint64_t bytes)
{
    m->digest = stt_net_digest(m->digest, at);
    m->digest = stt_net_digest(m->digest, (uint64_t)kind << 32 | subject);
    m->digest = stt_net_digest(m->digest, detail << 24 ^ bytes);
    if (m->observe)
        m->observe(m->ctx, at, kind, subject, detail, bytes);
}

#endif
