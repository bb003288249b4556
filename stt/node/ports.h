/* SPDX-License-Identifier: MIT
 * ports: where a crew listens: at each address one socket for each worker, all on one port. */
#ifndef STT_NODE_PORTS_H
#define STT_NODE_PORTS_H

#include "stt/node.h"
#include "stt/node/places.h"
#include "stt/wire/ids.h"

struct stt_port {
    struct stt_address at; /* what was asked for */
    struct stt_address bound;
    struct stt_port_share {
        struct stt_socket socket;
        bool is_waiting; /* for its worker */
        bool is_asked;   /* that worker has asked for it itself */
    } share[STT_WORKERS_MAX];
};

struct stt_ports {
    struct stt_id_hash_key key;
    uint32_t workers;
    bool is_unsteered; /* for tests: hand-over does it all */
    bool is_gone[STT_WORKERS_MAX];
    uint32_t n;
    struct stt_port *at[STT_DRIVER_SOCKETS_MAX];
};

void stt_ports_init(struct stt_ports *p, const struct stt_id_hash_key *key, uint32_t workers);
/* Sockets that nobody has taken are closed. */
void stt_ports_fini(struct stt_ports *p);

/* The port that this worker means: one that is there, if it has not asked for that yet; else a new
 * one. The sockets are of the kind that `places` opens. */
int stt_ports_listen(struct stt_ports *p, uint32_t worker, struct stt_places *places,
                     const struct stt_address *at, const struct stt_port **out) STT_MUST_USE;

/* The worker's sockets that still wait for it become places of its own; or, where it has no need of
 * them any more, are closed, now and later. */
int stt_ports_take(struct stt_ports *p, uint32_t worker, struct stt_places *places) STT_MUST_USE;
void stt_ports_leave(struct stt_ports *p, uint32_t worker);

#endif
