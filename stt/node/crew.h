/* SPDX-License-Identifier: MIT
 * crew: several nodes in threads of their own, and what they have in common. */
#ifndef STT_NODE_CREW_H
#define STT_NODE_CREW_H

#include "stt/node/handover.h"
#include "stt/node/node.h"
#include "stt/node/ports.h"
#include "stt/session/roster.h"

struct stt_crew_worker {
    struct stt_crew *crew;
    struct stt_node *node;
    uint16_t number;
    bool is_gone; /* under the lock: it has returned */
    pthread_t thread;
    uint32_t ports_seen;
    uint64_t calls[STT_WORKERS_MAX / 64]; /* bits of workers who have got something from this one */
    struct stt_handover queue;            /* not where there is only one */
};

enum stt_crew_gate { STT_CREW_WAITS, STT_CREW_BEGINS, STT_CREW_FAILED };

struct stt_crew {
    uint32_t workers;
    void (*start)(struct stt_node *node, uint32_t worker, void *ctx);
    void *ctx;

    struct stt_secret secret;
    struct stt_env env;
    struct stt_codes *codes; /* in secret */
    struct stt_roster roster;
    pthread_mutex_t roster_lock;

    pthread_mutex_t lock; /* of the gate, the ports, and who is gone */
    pthread_cond_t gate_moved;
    enum stt_crew_gate gate;
    struct stt_ports ports;
    atomic_uint n_ports; /* looked at without the lock */
    struct stt_steering steering;
    _Atomic uint16_t serves[STT_WORKERS_MAX];
    struct stt_crew_worker worker[];
};

/* -- what a node does as a worker, in its thread ----------------------------------------------- */

int stt_crew_listen(struct stt_crew_worker *w, const struct stt_address *at,
                    struct stt_address *bound) STT_MUST_USE;
/* A train that came to a port of all. */
void stt_crew_hear(struct stt_crew_worker *w, stt_ns now, const struct stt_train *train);
/* When those are heard: whom they concern is called; ports of others, and up to so many trains that
 * they handed over. */
void stt_crew_turn(struct stt_crew_worker *w, stt_ns now, uint32_t trains);

#endif
