/* SPDX-License-Identifier: MIT
 * world: what the parts of the simulator share: the net, the nodes, and the one clock. */
#ifndef STT_SIM_WORLD_H
#define STT_SIM_WORLD_H

#include "stt/sim.h"
#include "transport/sim/heap.h"
#include "transport/sim/net.h"

enum { STT_SIM_FAILURE_ROOM = 256 };

/* Kinds of events next to the net's. */
enum { STT_SIM_WAKE = STT_NET_EVENTS, STT_SIM_CALL, STT_SIM_WRITABLE };

struct stt_sim_guest; /* an endpoint and what it lives on */

struct stt_sim_inhabitant {
    uint32_t number;
    struct stt_sim_machine machine;
    void *ctx;
    struct stt_sim_guest *guest; /* NULL: some other machine */
    struct stt_address addresses[STT_SIM_ADDRESSES_MAX];
    uint32_t n_addresses;
    uint32_t refuses_above; /* bytes of a datagram; 0: takes all */
    bool is_alive, is_suspended;

    bool is_touched;
    struct stt_sim_inhabitant *next_touched;
    stt_ns wake_at; /* of the event that counts, or STT_NEVER */

    stt_ns busy_at; /* since when these two are counted */
    uint32_t transmits, expires;
};

struct stt_sim {
    struct stt_sim_config config;
    struct stt_net net;
    stt_ns now;
    bool is_running; /* inside of a run */
    struct stt_sim_inhabitant **nodes;
    size_t n_nodes, nodes_room;
    struct stt_sim_inhabitant *touched, **touched_end;
    uint32_t *watchers; /* node + 1, by link */
    size_t watchers_room;
    struct stt_list kept;
    struct stt_sim_stats stats;
    uint64_t events_at_once;
    char failure[STT_SIM_FAILURE_ROOM];
};

/* Zeroed memory that lives as long as the sim. */
void *stt_sim_keep(struct stt_sim *sim, size_t len);

/* Only the first failure is kept. */
__attribute__((format(printf, 2, 3))) void stt_sim_fail(struct stt_sim *sim, const char *format,
                                                        ...);

/* Calls act(data, sim) with a copy of data. */
void stt_sim_later(struct stt_sim *sim, stt_ns at, void (*act)(void *data, struct stt_sim *sim),
                   const void *data, size_t len);

struct stt_sim_inhabitant *stt_sim_inhabitant(const struct stt_sim *sim, stt_sim_node node);
bool stt_sim_inhabitant_is_awake(const struct stt_sim_inhabitant *n);
void stt_sim_inhabitant_touch(struct stt_sim *sim, struct stt_sim_inhabitant *n);

/* Transmits, pulls events and sets the alarm, until there is nothing left to do now. */
void stt_sim_inhabitant_drive(struct stt_sim *sim, struct stt_sim_inhabitant *n);
void stt_sim_inhabitant_wake(struct stt_sim *sim, struct stt_sim_inhabitant *n, stt_ns alarm);
void stt_sim_inhabitant_receive(struct stt_sim *sim, struct stt_sim_inhabitant *n,
                                const struct stt_net_arrival *arrival);
void stt_sim_inhabitant_stop(struct stt_sim *sim, struct stt_sim_inhabitant *n);

#endif
