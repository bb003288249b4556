/* SPDX-License-Identifier: MIT
 * arrivals: puts datagrams that reach one door at the same instant together into trains, as the
 * kernel's GRO does. */
#ifndef STT_TRANSPORT_SIM_ARRIVALS_H
#define STT_TRANSPORT_SIM_ARRIVALS_H

#include "transport/sim/medium.h"

#define STT_NET_TRAIN_BYTES 65507

/* What came to a door: datagrams of segment_bytes, the last one perhaps shorter. */
struct stt_net_arrival {
    struct stt_address from, to;
    uint32_t carrier;
    uint8_t ecn;
    uint8_t *data; /* may be changed, until return */
    size_t len, segment_bytes;
};

struct stt_net_arrivals {
    struct stt_net_medium *medium;
    uint32_t segments_max;
    void *ctx;
    void (*deliver)(void *ctx, stt_ns now, uint32_t door, const struct stt_net_arrival *arrival);

    struct stt_parcel *first; /* NULL: nothing */
    uint32_t door, segments;
    size_t len, segment_bytes;
    bool is_closed; /* its last datagram is a short one */
    bool is_joined; /* in `data`; else still where the first has it */
    uint8_t data[STT_NET_TRAIN_BYTES];
};

/* The parcel is theirs. Delivers what it does not continue. */
void stt_net_arrivals_add(struct stt_net_arrivals *a, stt_ns now, uint32_t door,
                          struct stt_parcel *p);

/* Delivers what is left: at the end of each event. */
void stt_net_arrivals_flush(struct stt_net_arrivals *a, stt_ns now);

#endif
