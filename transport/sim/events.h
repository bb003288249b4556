/* SPDX-License-Identifier: MIT
 * events: what is going to happen, in the order of its time and, at one instant, in the order in
 * which it was announced. */
#ifndef STT_TRANSPORT_SIM_EVENTS_H
#define STT_TRANSPORT_SIM_EVENTS_H

#include "stt/base/env.h"

struct stt_net_event {
    stt_ns at;
    uint64_t order;
    uint32_t kind; /* the owner's; stt_net's own are below STT_NET_EVENTS */
    uint32_t number;
    void *subject;
};

struct stt_net_events {
    const struct stt_env *env;
    struct stt_net_event *heap;
    size_t n, room;
    uint64_t announced;
};

/* The env must have memory. */
void stt_net_events_init(struct stt_net_events *q, const struct stt_env *env);
void stt_net_events_fini(struct stt_net_events *q);

/* `order` is filled in. */
void stt_net_events_push(struct stt_net_events *q, struct stt_net_event event);
bool stt_net_events_pop(struct stt_net_events *q, struct stt_net_event *event) STT_MUST_USE;

/* STT_NEVER: nothing will. */
static inline stt_ns stt_net_events_next(const struct stt_net_events *q)
{
    return q->n ? q->heap[0].at : STT_NEVER;
}

#endif
