/* SPDX-License-Identifier: MIT
 * places: the sockets of a node, and which of them a train leaves by. */
#ifndef STT_NODE_PLACES_H
#define STT_NODE_PLACES_H

#include "transport/driver.h"

struct stt_places {
    struct stt_driver *driver;
    uint32_t buffer_bytes;
    uint8_t dscp;
    uint32_t shared; /* bits of numbers: several workers have that port */
    uint32_t n;
    struct stt_place {
        uint32_t number; /* the driver's */
        bool is_ipv6, is_dual;
        bool is_own; /* opened for connects, in no particular place */
        struct stt_address local;
        uint32_t receive_bytes, send_bytes; /* of the kernel's buffers, as it counts */
        struct stt_address gone;            /* this machine has it no longer, it seems ... */
        stt_ns gone_until;                  /* ... until then */
    } at[STT_DRIVER_SOCKETS_MAX];
};

/* Takes a socket that is open, or closes it. `shared`: several workers have that port. */
int stt_places_take(struct stt_places *p, const struct stt_socket *socket,
                    bool shared) STT_MUST_USE;
void stt_places_close(struct stt_places *p);

static inline bool stt_places_is_shared(const struct stt_places *p, uint32_t number)
{
    return p->shared >> number & 1;
}

/* Opens one; all zeros: everywhere, in both families where there are two. `reuse`: others may have
 * the same port. */
int stt_places_open(struct stt_places *p, const struct stt_address *at, bool reuse,
                    struct stt_socket *out) STT_MUST_USE;

/* For a train to this address: the place it came from or, without one, any that reaches it, opened
 * if there is none. NULL: there is no way. */
struct stt_place *stt_places_for(struct stt_places *p, const struct stt_address *local,
                                 const struct stt_address *remote);
/* The address that it should leave from; port 0: the system may choose. */
struct stt_address stt_place_source(const struct stt_place *place, stt_ns now,
                                    const struct stt_address *local);

/* The kernel refused to send from there. */
void stt_places_on_refused(struct stt_places *p, stt_ns now,
                           const struct stt_driver_refusal *refusal);

#endif
