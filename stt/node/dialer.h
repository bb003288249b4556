/* SPDX-License-Identifier: MIT
 * dialer: connects to somebody by name or ticket: addresses are found, tried in turn, and the first
 * that answers stays. */
#ifndef STT_NODE_DIALER_H
#define STT_NODE_DIALER_H

#include "stt/base/list.h"
#include "stt/endpoint.h"
#include "stt/env.h"
#include "stt/node/resolver.h"

struct stt_dialer {
    struct stt_endpoint *ep;
    const struct stt_env *env;
    void (*wake)(void *ctx);
    void *wake_ctx;
    struct stt_resolver *resolver; /* NULL before the first name */
    struct stt_list dials;
    uint32_t n_dials;
    struct stt_list over; /* failed: their events are not pulled yet */
};

void stt_dialer_init(struct stt_dialer *d, struct stt_endpoint *ep, const struct stt_env *env,
                     void (*wake)(void *ctx), void *wake_ctx);
void stt_dialer_fini(struct stt_dialer *d);

int stt_dialer_connect(struct stt_dialer *d, stt_ns now, const struct stt_connect *connect,
                       const char *to, stt_handle *out) STT_MUST_USE;

/* Names that are resolved by now, addresses whose turn it is. */
void stt_dialer_step(struct stt_dialer *d, stt_ns now);
stt_ns stt_dialer_deadline(const struct stt_dialer *d);

/* An event of the endpoint: true, if the host is to see it. */
bool stt_dialer_on_event(struct stt_dialer *d, stt_ns now, const struct stt_event *event);
/* One of the dialer's own. */
bool stt_dialer_event(struct stt_dialer *d, struct stt_event *event);

#endif
