/* SPDX-License-Identifier: MIT
 * nat: translates addresses between one outside ip and any number of hosts behind it. */
#ifndef STT_TRANSPORT_SIM_NAT_H
#define STT_TRANSPORT_SIM_NAT_H

#include "stt/base/env.h"
#include "stt/simnet.h"
#include "transport/sim/rng.h"

struct stt_nat_mapping;

struct stt_nat {
    const struct stt_env *env;
    struct stt_nat_config config;
    struct stt_nat_stats stats;
    struct stt_net_rng rng;
    struct stt_nat_mapping *mappings;
    size_t n, room;
    uint64_t generation; /* of mappings: those of an older one are dead */
};

void stt_nat_init(struct stt_nat *nat, const struct stt_env *env,
                  const struct stt_nat_config *config, struct stt_net_rng rng);
void stt_nat_fini(struct stt_nat *nat);

/* The address that `from` has outside, for a datagram to `to`. */
struct stt_address stt_nat_out(struct stt_nat *nat, stt_ns now, const struct stt_address *from,
                               const struct stt_address *to);

/* Makes of `to` the address inside; false: refused. */
bool stt_nat_in(struct stt_nat *nat, stt_ns now, const struct stt_address *from,
                struct stt_address *to) STT_MUST_USE;

/* All mappings die. */
void stt_nat_rebind(struct stt_nat *nat);

#endif
