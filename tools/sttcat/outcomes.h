/* SPDX-License-Identifier: MIT
 * outcomes: what became of an entry, for people and for the program's end (spec 10, "Files"). */
#ifndef TOOLS_STTCAT_OUTCOMES_H
#define TOOLS_STTCAT_OUTCOMES_H

#include "tools/sttcat/peer.h"

struct outcome {
    enum wire_outcome is;
    bool is_here; /* it failed on this side */
    uint8_t kind; /* of the entry */
    struct bytes name;
    uint64_t bytes;
    const char *why; /* more of it, or "" */
};

/* "done", "exists"...: the names of the specification's table. */
const char *outcome_name(enum wire_outcome outcome);
/* A sentence, or an event with JSON, and how the program will end. */
void outcome_tell(struct peer *p, const struct outcome *o);

#endif
