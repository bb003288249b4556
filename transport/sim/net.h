/* SPDX-License-Identifier: MIT
 * net: a network in virtual time: addresses, routes over links, NATs and taps. It carries bytes and
 * knows nothing about who reads them: whoever has a door at an address gets what arrives there. */
#ifndef STT_TRANSPORT_SIM_NET_H
#define STT_TRANSPORT_SIM_NET_H

#include "transport/sim/arrivals.h"
#include "transport/sim/link.h"
#include "transport/sim/nat.h"
#include "transport/sim/routes.h"

struct stt_net_options {
    uint64_t seed;
    bool digests_payloads;
    uint32_t segments_max; /* that are delivered as one train */
    void *ctx;
    void (*deliver)(void *ctx, stt_ns now, uint32_t door, const struct stt_net_arrival *arrival);
    void (*writable)(void *ctx, uint32_t link, bool writable);
    void (*observe)(void *ctx, stt_ns at, uint32_t kind, uint32_t subject, uint64_t detail,
                    uint64_t bytes); /* may be NULL */
};

/* The caller's memory, until the net ends. `see` answers false to drop the datagram. */
struct stt_net_tap {
    struct stt_list link;
    void *ctx;
    bool (*see)(void *ctx, stt_ns now, struct stt_sim_datagram *d);
};

/* Why datagrams end outside of links. */
enum stt_net_lost { STT_NET_NO_ROUTE, STT_NET_NO_DOOR, STT_NET_NAT_REFUSED, STT_NET_LOST_COUNT };

struct stt_net {
    struct stt_net_options options;
    struct stt_net_medium medium;
    struct stt_net_link **links;
    struct stt_nat **nats;
    size_t n_links, n_nats, links_room, nats_room;
    struct stt_net_routes routes;
    struct stt_map doors, insides, outsides; /* values are indexes + 1 */
    struct stt_net_arrivals *arrivals;
    bool is_tapping; /* what a tap sends must wait until it is done */
    uint64_t lost[STT_NET_LOST_COUNT];
};

void stt_net_init(struct stt_net *net, const struct stt_net_options *options);
void stt_net_fini(struct stt_net *net);

uint32_t stt_net_link_add(struct stt_net *net, const struct stt_link_config *config);
/* Each ip is behind one NAT at most. The outside ip is the NAT's alone. */
uint32_t stt_net_nat_add(struct stt_net *net, const struct stt_nat_config *config);
void stt_net_nat_inside(struct stt_net *net, uint32_t nat, const uint8_t ip[16]);
void stt_net_tap_add(struct stt_net *net, uint32_t link, struct stt_net_tap *tap);

void stt_net_door_open(struct stt_net *net, const struct stt_address *at, uint32_t door);
void stt_net_door_close(struct stt_net *net, const struct stt_address *at);

/* False while a byte stream on the way is full. */
bool stt_net_is_writable(const struct stt_net *net, const struct stt_path *path);

/* A parcel for a train of up to 64 KiB, or for len bytes. The caller fills in data, len,
 * segment_bytes, from, to, carrier and ecn; then it is the net's. */
struct stt_parcel *stt_net_parcel(struct stt_net *net, size_t len);

/* Over its route. */
void stt_net_send(struct stt_net *net, stt_ns now, struct stt_parcel *p);
/* Straight to the destination, at the given time. */
void stt_net_inject(struct stt_net *net, stt_ns at, struct stt_parcel *p);

/* An event of medium.events with a kind below STT_NET_EVENTS. */
void stt_net_happen(struct stt_net *net, const struct stt_net_event *event);

#endif
