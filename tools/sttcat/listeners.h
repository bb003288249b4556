/* SPDX-License-Identifier: MIT
 * listeners: the local ends of forwarded connections, before there is one. */
#ifndef TOOLS_STTCAT_LISTENERS_H
#define TOOLS_STTCAT_LISTENERS_H

#include "tools/common/exits.h"
#include "tools/common/loop.h"
#include "tools/sttcat/target.h"

#include <sys/types.h>

enum { LISTENERS_MAX = 128, LISTENER_TEXT_ROOM = 160 };

struct listener {
    struct port port;
    const struct target_forward *rule; /* borrowed */
    dev_t device;                      /* of a unix socket's path, as it was made */
    ino_t inode;
    char at[LISTENER_TEXT_ROOM]; /* "127.0.0.1:8080" */
};

struct listeners {
    struct listener at[LISTENERS_MAX];
    uint32_t n;
};

/* One or two more, for a rule. Otherwise nothing has changed, and `why` is one sentence:
 * EXIT_EXISTS is about a path, EXIT_LOCAL_IO about everything else. */
enum exits listeners_add(struct listeners *l, const struct target_forward *rule,
                         char why[OPTION_WHY_ROOM]);
/* Closes all, and takes paths away that are still the same ones. */
void listeners_end(struct listeners *l);

/* A connection that does not block, and where it comes from; or -1, with errno. */
int listener_accept(struct listener *l, char from[LISTENER_TEXT_ROOM]);

#endif
