/* SPDX-License-Identifier: MIT
 * ports: who of a crew is the first to ask for an address opens the sockets of all, in the order of
 * workers, since the kernel's steering counts them so.
 *
 * The first socket is opened as if it were alone, and shared then: a port that somebody else has is
 * told, and one that the system draws is drawn once. Owns the sockets that wait for their workers.
 * Without a lock: the crew's is held. It must not know what a node is. Spec 02, "Worker hash". */
#include "stt/node/ports.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void stt_ports_init(struct stt_ports *p, const struct stt_id_hash_key *key, uint32_t workers)
{
    *p = (struct stt_ports){.key = *key, .workers = workers};
}

static void drop(struct stt_port_share *share)
{
    if (share->is_waiting)
        close(share->socket.fd);
    share->is_waiting = false;
}

static void free_port(const struct stt_ports *p, struct stt_port *port)
{
    for (uint32_t i = 0; i < p->workers; i++)
        drop(&port->share[i]);
    free(port);
}

void stt_ports_fini(struct stt_ports *p)
{
    while (p->n)
        free_port(p, p->at[--p->n]);
}

/* -- opening ----------------------------------------------------------------------------------- */

static int open_share(struct stt_port *port, uint32_t worker, struct stt_places *places)
{
    struct stt_port_share *share = &port->share[worker];
    struct stt_address at = port->at;
    bool is_first = port->bound.port == 0;
    at.port = is_first ? at.port : port->bound.port;
    int error = stt_places_open(places, &at, !is_first, &share->socket);
    share->is_waiting = !error;
    if (error || !is_first)
        return error;
    port->bound = share->socket.local;
    return stt_socket_share(&share->socket);
}

static int open_all(const struct stt_ports *p, struct stt_port *port, struct stt_places *places)
{
    int error = STT_OK;
    for (uint32_t i = 0; i < p->workers && !error; i++)
        if (!p->is_gone[i])
            error = open_share(port, i, places);
    return error;
}

/* By the socket of anyone. Where that cannot be, the workers hand over to each other what they get.
 */
static void steer(const struct stt_ports *p, const struct stt_port *port, uint32_t worker)
{
    if (!p->is_unsteered)
        (void)!stt_socket_steer(&port->share[worker].socket, p->key.k0, p->key.k1, p->workers);
}

static int open_port(struct stt_ports *p, struct stt_places *places, const struct stt_address *at,
                     struct stt_port **out)
{
    struct stt_port *port = p->n < STT_DRIVER_SOCKETS_MAX ? calloc(1, sizeof *port) : NULL;
    if (!port)
        return p->n < STT_DRIVER_SOCKETS_MAX ? STT_E_MEMORY : STT_E_LIMIT;
    port->at = *at;
    int error = open_all(p, port, places);
    if (error) {
        free_port(p, port);
        return error;
    }
    *out = p->at[p->n++] = port;
    return STT_OK;
}

static bool is_same(const struct stt_address *a, const struct stt_address *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0 && a->port == b->port && a->scope == b->scope;
}

static struct stt_port *find(const struct stt_ports *p, uint32_t worker,
                             const struct stt_address *at)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (is_same(&p->at[i]->at, at) && !p->at[i]->share[worker].is_asked)
            return p->at[i];
    return NULL;
}

int stt_ports_listen(struct stt_ports *p, uint32_t worker, struct stt_places *places,
                     const struct stt_address *at, const struct stt_port **out)
{
    struct stt_port *port = find(p, worker, at);
    bool is_new = !port;
    int error = is_new ? open_port(p, places, at, &port) : STT_OK;
    if (error)
        return error;
    if (is_new)
        steer(p, port, worker);
    port->share[worker].is_asked = true;
    *out = port;
    return STT_OK;
}

/* -- taking ------------------------------------------------------------------------------------ */

int stt_ports_take(struct stt_ports *p, uint32_t worker, struct stt_places *places)
{
    int error = STT_OK;
    for (uint32_t i = 0; i < p->n; i++) {
        struct stt_port_share *share = &p->at[i]->share[worker];
        if (!share->is_waiting)
            continue;
        share->is_waiting = false;
        int its = stt_places_take(places, &share->socket, p->workers > 1);
        error = error ? error : its;
    }
    return error;
}

void stt_ports_leave(struct stt_ports *p, uint32_t worker)
{
    p->is_gone[worker] = true;
    for (uint32_t i = 0; i < p->n; i++)
        drop(&p->at[i]->share[worker]);
}
