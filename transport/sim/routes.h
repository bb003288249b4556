/* SPDX-License-Identifier: MIT
 * routes: which links lead from one ip to another. */
#ifndef STT_TRANSPORT_SIM_ROUTES_H
#define STT_TRANSPORT_SIM_ROUTES_H

#include "stt/address.h"
#include "stt/base/map.h"
#include "transport/sim/parcel.h"

struct stt_net_route {
    uint8_t from_ip[16], to_ip[16];
    uint32_t carrier;
    uint32_t n_links, links[STT_PARCEL_LINKS_MAX];
};

struct stt_net_routes {
    struct stt_net_route *list;
    size_t n, room;
    struct stt_map by_ends, up, down; /* values are indexes + 1 */
};

void stt_net_routes_init(struct stt_net_routes *rs, uint64_t seed);
void stt_net_routes_fini(struct stt_net_routes *rs);

/* From ip to ip, on one carrier; replaces the route that was there. */
void stt_net_routes_set(struct stt_net_routes *rs, const struct stt_net_route *route);
/* For whatever has no route: first up from the source's ip, then down to the destination's. */
void stt_net_routes_set_access(struct stt_net_routes *rs, const uint8_t ip[16], uint32_t up,
                               uint32_t down);
/* What leads to and from `old` leads to and from `new`, too. */
void stt_net_routes_copy(struct stt_net_routes *rs, const uint8_t old[16], const uint8_t new[16]);

/* False: there is none. */
bool stt_net_routes_find(const struct stt_net_routes *rs, const struct stt_path *path,
                         struct stt_net_route *way) STT_MUST_USE;

#endif
