/* SPDX-License-Identifier: MIT
 * door: who we are, whom we answer, and how we knock: from what the user has given to what a node
 * wants. Owns the secrets of a run. */
#ifndef TOOLS_STTCAT_DOOR_H
#define TOOLS_STTCAT_DOOR_H

#include "tools/sttcat/plan.h"

struct door; /* in secret memory as far as the system gives it */

/* NULL: *exits, and `why` is one sentence. Sets plan->is_durable, and asks for a code where one is
 * needed and nobody has given it. */
struct door *door_new(struct plan *plan, int *exits, char why[OPTION_WHY_ROOM]);
void door_free(struct door *d);

/* Before the node is made. */
void door_configure(const struct door *d, struct stt_config *config);
/* What takes a node: allow-lists and codes. False: *exits and `why`. */
bool door_open(struct door *d, struct stt_node *node, int *exits, char why[OPTION_WHY_ROOM]);
/* Says how others come in; `bound` is where. */
void door_say(const struct door *d, const char *bound);
/* A code that was drawn here is gone: another one, with -k. */
bool door_renew(struct door *d, struct stt_node *node);

/* Tries to connect to this address or name. A code that was not drawn is a passphrase. */
int door_knock(struct door *d, struct stt_node *node, const char *to);
/* Whether somebody could be asked for a code, if a known peer does not answer without one; and
 * asks. True: the next knock has it. */
bool door_may_ask(const struct door *d);
bool door_ask(struct door *d);
enum stt_mode door_mode(const struct door *d);
/* The peer under this name is pinned: somebody else is refused by the handshake. */
bool door_is_pinned(const struct door *d);
/* The peer has proven who it is, and wants to be remembered. False: `why`. */
bool door_remember(struct door *d, const struct stt_peer_id *id, char why[OPTION_WHY_ROOM]);
/* The pinned peer has another key: what to say. */
void door_changed(const struct door *d, char why[OPTION_WHY_ROOM]);

#endif
