/* SPDX-License-Identifier: MIT
 * host: whoever embeds an endpoint: it connects, listens, talks, dies and comes back. */
#ifndef TOOLS_STTBENCH_CHAOS_HOST_H
#define TOOLS_STTBENCH_CHAOS_HOST_H

#include "tools/sttbench/chaos/chaos.h"
#include "tools/sttbench/chaos/roads.h"

struct talk;

struct host {
    struct chaos *chaos;
    uint32_t number; /* 0: the server */
    stt_sim_node node;
    struct stt_endpoint *ep; /* NULL: killed */
    struct stt_identity identity;
    struct stt_config config;
    struct stt_sim_memory *memory;
    struct roads roads; /* of a client */
    struct talk **talks;
    size_t n_talks, n_dead_talks; /* the first ones are of endpoints that were killed */
    stt_ns tick_ns;
    bool is_lazy, is_suspended, is_forked, is_told_of_carrier;
    bool lacked_memory, lacked_entropy; /* at some time */
    bool has_other_application;
    size_t bytes_at_rest; /* of a new endpoint */
    uint32_t calm_connects;
    stt_ns connects_at; /* when it tries next */
};

int host_add(struct chaos *c, struct host *h, const struct stt_config *config,
             const struct stt_address *address);
void host_free(struct host *h);

static inline stt_ns host_now(const struct host *h)
{
    return chaos_now(h->chaos);
}

bool host_is_awake(const struct host *h);
/* Pulls what streams have to say. */
void host_pull(struct host *h);
/* A tick of its own clock. */
void host_act(struct host *h);
void host_settle(struct host *h);

/* Begins a connect to the peer; mistakes are made where the scenario has them. */
void host_dial(struct host *h, struct host *to);
/* The latest session that can be spoken in; NULL: none. */
struct talk *host_talk(const struct host *h);

void host_kill(struct host *h);
/* False: it cannot start now. */
bool host_restart(struct host *h);

/* The most memory that its configuration allows. */
size_t host_memory_max(const struct host *h);

#endif
