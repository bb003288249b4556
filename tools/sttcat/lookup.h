/* SPDX-License-Identifier: MIT
 * lookup: the addresses of one name, asked of the system in a thread of its own, since that may
 * take as long as it likes. */
#ifndef TOOLS_STTCAT_LOOKUP_H
#define TOOLS_STTCAT_LOOKUP_H

#include "tools/common/loop.h"

#include <sys/socket.h>

enum { LOOKUP_ADDRESSES_MAX = 8, LOOKUP_THREADS_MAX = 64 };

struct lookup_address {
    struct sockaddr_storage at;
    socklen_t len;
};

struct lookup_answer {
    uint32_t n;      /* addresses; 0: see why */
    const char *why; /* the system's words; never NULL */
    struct lookup_address at[LOOKUP_ADDRESSES_MAX];
};

/* For TCP. A number is answered at once, anything else when the port can be read. NULL: there is
 * no memory, thread or descriptor. */
struct lookup;
struct lookup *lookup_new(const char *host, uint16_t port);
/* Waits for nothing: what is still on its way has no effect. */
void lookup_free(struct lookup *l);

/* Threads that still ask, also those whose answer nobody wants any more: the system's resolver may
 * keep them for long. Whoever sees LOOKUP_THREADS_MAX of them asks later. */
uint32_t lookup_threads(void);

struct port *lookup_port(struct lookup *l);
/* False: not yet. */
bool lookup_answer(struct lookup *l, struct lookup_answer *out);

#endif
