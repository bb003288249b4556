/* SPDX-License-Identifier: MIT
 * probe: what this kernel allows, found out by doing it, once. */
#ifndef STT_TRANSPORT_PROBE_H
#define STT_TRANSPORT_PROBE_H

#include "stt/types.h"

enum stt_probe_item {
    STT_PROBE_URING,    /* a ring as uring needs it: made, and seen to work */
    STT_PROBE_DEFER,    /* DEFER_TASKRUN, with an eventfd that wakes an epoll */
    STT_PROBE_GSO,      /* UDP_SEGMENT */
    STT_PROBE_GRO,      /* UDP_GRO */
    STT_PROBE_IPV6,     /* sockets of that family, with an address on loopback */
    STT_PROBE_STEERING, /* a program on a port that several share */
    STT_PROBE_ITEMS,
};

#define STT_PROBE_WHY_ROOM 160
struct stt_probe {
    struct {
        const char *name;
        bool works;
        char
            why[STT_PROBE_WHY_ROOM]; /* where it does not: one sentence, with what to do about it */
    } items[STT_PROBE_ITEMS];
};

/* The same answer for the life of the process; from any thread. */
const struct stt_probe *stt_probe(void);

#endif
