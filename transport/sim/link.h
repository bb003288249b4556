/* SPDX-License-Identifier: MIT
 * link: one direction of a wire, as struct stt_link_config describes it. */
#ifndef STT_TRANSPORT_SIM_LINK_H
#define STT_TRANSPORT_SIM_LINK_H

#include "stt/simnet.h"
#include "transport/sim/medium.h"
#include "transport/sim/rng.h"

struct stt_net_link {
    struct stt_net_medium *medium;
    uint32_t number;
    struct stt_net_rng rng;
    struct stt_link_config config;
    struct stt_link_stats stats;
    bool is_plain; /* by its configuration */
    uint32_t down; /* blackouts that overlap now */

    struct stt_parcel_fifo queue; /* its head is being sent when is_serving */
    bool is_serving;
    uint64_t served, waited_ns; /* for the mean */
    uint64_t bit_rest;          /* of the last division by the rate, so that no time is lost */

    struct stt_parcel_fifo pipe; /* on the way */
    bool is_announced;           /* the arrival of the pipe's head */

    uint64_t tokens; /* of the policer, in bits * 10^9 */
    stt_ns tokens_at;
    bool is_bad; /* Gilbert-Elliott */

    /* For the owner. */
    struct stt_list taps;
    uint32_t n_taps;
    void (*on_writable)(void *ctx, uint32_t link, bool writable); /* may be NULL */
    void *ctx;
};

void stt_net_link_init(struct stt_net_link *l, struct stt_net_medium *medium, uint32_t number,
                       uint64_t seed);

/* From now on; what is on its way keeps its time, what waits is served at the new rate. */
void stt_net_link_configure(struct stt_net_link *l, const struct stt_link_config *config);

/* Nothing happens on it but time, so a train need not be taken apart. */
static inline bool stt_net_link_is_plain(const struct stt_net_link *l)
{
    return l->is_plain && l->n_taps == 0 && l->down == 0;
}

/* Blackouts are counted: each that begins ends once. */
void stt_net_link_blackout(struct stt_net_link *l, stt_ns now, bool begins);

/* False while a byte stream's buffer is full. */
static inline bool stt_net_link_is_writable(const struct stt_net_link *l)
{
    return !l->config.reliable || !l->config.queue_bytes ||
           l->stats.queue_bytes < l->config.queue_bytes;
}

/* The link's parcel from now on; it may be dropped. Only a plain link takes trains. */
void stt_net_link_offer(struct stt_net_link *l, stt_ns now, struct stt_parcel *p);

/* Ends a parcel. */
void stt_net_link_drop(struct stt_net_link *l, stt_ns now, struct stt_parcel *p,
                       enum stt_link_drop reason);

/* For the events STT_NET_SERVED and STT_NET_ARRIVED. The second answers a list of what has arrived,
 * linked through `next`, oldest first; the parcels are the caller's. */
void stt_net_link_served(struct stt_net_link *l, stt_ns now);
struct stt_parcel *stt_net_link_arrived(struct stt_net_link *l, stt_ns now);

/* The same for one that came as STT_NET_STRAY. */
void stt_net_link_count_out(struct stt_net_link *l, const struct stt_parcel *p);

/* With the fields that are computed. */
struct stt_link_stats stt_net_link_stats(const struct stt_net_link *l);

#endif
