/* SPDX-License-Identifier: MIT
 * places: a short list of sockets. A train goes out from the address that its peer asked, by the
 * socket that has that port; where the machine has lost that address, the system chooses another
 * one, and the peer's end of the path follows (spec 04, "Paths"). Must not know what a session is.
 */
#include "stt/node/places.h"

#include "stt/node/address.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Then the address is tried again: it may have come back. */
#define GONE_NS STT_S(1)

static bool same_ip(const struct stt_address *a, const struct stt_address *b)
{
    return memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

int stt_places_take(struct stt_places *p, const struct stt_socket *socket, bool shared)
{
    uint32_t number;
    int error = stt_driver_add(p->driver, socket, &number);
    if (error) {
        close(socket->fd);
        return error;
    }
    p->shared |= (uint32_t)shared << number;
    p->at[p->n++] = (struct stt_place){.number = number,
                                       .is_ipv6 = socket->is_ipv6,
                                       .is_dual = socket->is_dual,
                                       .local = socket->local,
                                       .receive_bytes = socket->receive_bytes,
                                       .send_bytes = socket->send_bytes};
    return STT_OK;
}

void stt_places_close(struct stt_places *p)
{
    while (p->n)
        stt_driver_remove(p->driver, p->at[--p->n].number);
    p->shared = 0;
}

static bool is_zero(const struct stt_address *a)
{
    return stt_address_is_any(a) && !stt_address_is_ipv4(a);
}

int stt_places_open(struct stt_places *p, const struct stt_address *at, bool reuse,
                    struct stt_socket *out)
{
    struct stt_socket_options o = {.local = *at,
                                   .is_ipv6 = !stt_address_is_ipv4(at),
                                   .reuse_port = reuse,
                                   .buffer_bytes = p->buffer_bytes,
                                   .dscp = p->dscp};
    if (p->n >= STT_DRIVER_SOCKETS_MAX)
        return STT_E_LIMIT;
    int error = stt_socket_open(out, &o);
    if (error != STT_E_UNSUPPORTED || !is_zero(at))
        return error;
    o.is_ipv6 = false; /* a machine of one family */
    return stt_socket_open(out, &o);
}

static bool reaches(const struct stt_place *place, const struct stt_address *remote)
{
    if (!stt_address_is_ipv4(remote))
        return place->is_ipv6;
    return !place->is_ipv6 || place->is_dual;
}

/* Whether what was sent to this address came by this place. */
static bool is_at(const struct stt_place *place, const struct stt_address *local)
{
    return place->local.port == local->port &&
           (stt_address_is_any(&place->local) || same_ip(&place->local, local));
}

static struct stt_place *open_own(struct stt_places *p, const struct stt_address *remote)
{
    struct stt_socket socket;
    static const struct stt_address everywhere[] = {{.ip = {[10] = 0xff, [11] = 0xff}},
                                                    {.port = 0}};
    /* IPv4 over a socket of IPv6 costs more. */
    for (size_t i = stt_address_is_ipv4(remote) ? 0 : 1; i < 2; i++) {
        if (stt_places_open(p, &everywhere[i], false, &socket) ||
            stt_places_take(p, &socket, false))
            return NULL;
        p->at[p->n - 1].is_own = true;
        if (reaches(&p->at[p->n - 1], remote))
            return &p->at[p->n - 1];
    }
    return NULL;
}

struct stt_place *stt_places_for(struct stt_places *p, const struct stt_address *local,
                                 const struct stt_address *remote)
{
    for (uint32_t i = 0; i < p->n; i++)
        if (reaches(&p->at[i], remote) && is_at(&p->at[i], local))
            return &p->at[i];
    for (uint32_t i = 0; i < p->n; i++)
        if (reaches(&p->at[i], remote))
            return &p->at[i];
    return open_own(p, remote);
}

struct stt_address stt_place_source(const struct stt_place *place, stt_ns now,
                                    const struct stt_address *local)
{
    bool is_gone = place->gone_until > now && same_ip(&place->gone, local);
    if (is_gone || stt_address_is_any(local) || !is_at(place, local))
        return (struct stt_address){.port = 0};
    return *local;
}

void stt_places_on_refused(struct stt_places *p, stt_ns now, const struct stt_driver_refusal *r)
{
    bool by_source = r->error == EINVAL || r->error == EADDRNOTAVAIL || r->error == ENETUNREACH ||
                     r->error == EHOSTUNREACH || r->error == ENODEV || r->error == ENXIO;
    if (!by_source || stt_address_is_any(&r->local))
        return;
    for (uint32_t i = 0; i < p->n; i++)
        if (p->at[i].number == r->socket) {
            p->at[i].gone = r->local;
            p->at[i].gone_until = now + GONE_NS;
        }
}
