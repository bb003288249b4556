/* SPDX-License-Identifier: MIT
 * known: who answered under a name before, in ~/.config/stt/known_peers: lines "NAME PEERID".
 *
 * The name is what the user types, "host:port", and is looked up as it is. Several programs may
 * add and forget at once. A file that others may write to, a link and a damaged line are refused:
 * whoever is asked would take a stranger for new. */
#ifndef TOOLS_COMMON_KNOWN_H
#define TOOLS_COMMON_KNOWN_H

#include "stt/identity.h"
#include "tools/common/options.h"

enum { KNOWN_NAME_MAX = 300 };

enum known {
    KNOWN_YES,   /* it is there */
    KNOWN_NO,    /* it is not */
    KNOWN_OTHER, /* another id is there; `why` is known_changed() */
    KNOWN_ERROR, /* `why` says what to do */
};

/* YES, NO or ERROR. */
enum known known_find(const char *name, struct stt_peer_id *id, char why[OPTION_WHY_ROOM]);
/* YES: this id is there now. OTHER: nothing has changed. */
enum known known_remember(const char *name, const struct stt_peer_id *id,
                          char why[OPTION_WHY_ROOM]);
/* YES: it was there, and is no longer. NO: there was none, as `why` says. */
enum known known_forget(const char *name, char why[OPTION_WHY_ROOM]);

/* What to say when somebody else answers; `is` may be NULL. */
void known_changed(const char *name, const struct stt_peer_id *was, const struct stt_peer_id *is,
                   char why[OPTION_WHY_ROOM]);

#endif
