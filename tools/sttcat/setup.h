/* SPDX-License-Identifier: MIT
 * setup: a node as the plan wants it, and where it listens or connects. All answer EXIT_DONE, or
 * what to exit with when that is said. */
#ifndef TOOLS_STTCAT_SETUP_H
#define TOOLS_STTCAT_SETUP_H

#include "tools/sttcat/door.h"

enum { SETUP_PEERS_MAX = 256 };

int setup_node(const struct plan *plan, struct door *door, struct stt_node **out);
/* Says how others come in, and notes in the plan what the address became. */
int setup_listen(struct plan *plan, const struct door *door, struct stt_node *node);
int setup_connect(const struct plan *plan, struct door *door, struct stt_node *node);
/* How long a connect is tried. */
stt_ns setup_patience(const struct plan *plan, const struct door *door);

#endif
