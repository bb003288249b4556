/* SPDX-License-Identifier: MIT
 * relay: the wire between two TUN devices, in real time: each way a link of the simulator, asked
 * with the clock's time, so that a packet meets here what it would meet there.
 *
 *     struct relay r;
 *     relay_init(&r, files, seed);
 *     stt_net_link_configure(&r.links[RELAY_FORTH], &config);
 *     relay_run(&r, until);
 *     relay_fini(&r); */
#ifndef TESTS_BENCH_RIVALS_RELAY_H
#define TESTS_BENCH_RIVALS_RELAY_H

#include "transport/sim/link.h"

enum { RELAY_FORTH, RELAY_BACK, RELAY_WAYS };

/* Must not move. */
struct relay {
    struct stt_net_medium medium;
    struct stt_net_link links[RELAY_WAYS];
    int files[RELAY_WAYS];        /* where what goes that way comes from */
    uint64_t sent, late, refused; /* late: by more than a millisecond */
    stt_ns late_ns_max;

    /* Every millisecond of the clock, in order with what happens on the links; may be NULL. */
    void (*look)(void *ctx, stt_ns now);
    void *ctx;
};

stt_ns relay_now(void);
void relay_init(struct relay *r, const int files[RELAY_WAYS], uint64_t seed);
void relay_fini(struct relay *r);
/* False: a device is gone. */
bool relay_run(struct relay *r, stt_ns until);

#endif
