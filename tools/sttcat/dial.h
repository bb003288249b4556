/* SPDX-License-Identifier: MIT
 * dial: one connection to a target that is being made: its addresses in turn, for so long and no
 * longer. */
#ifndef TOOLS_STTCAT_DIAL_H
#define TOOLS_STTCAT_DIAL_H

#include "tools/sttcat/lookup.h"
#include "tools/sttcat/target.h"

enum dial_state { DIAL_WAITS, DIAL_DONE, DIAL_FAILED };
enum { DIAL_WHY_ROOM = 128 };

struct dial {
    struct target to;
    enum dial_state state;
    struct lookup *lookup; /* while it is asked */
    struct lookup_answer addresses;
    uint32_t next;             /* address to be tried */
    stt_ns give_up_at, try_at; /* the whole; the next address, or the same one again */
    struct port port;
    char why[DIAL_WHY_ROOM]; /* DIAL_FAILED */
};

/* From `now` on, 10 s. */
void dial_begin(struct dial *d, const struct target *to, stt_ns now);
/* Goes on, and says to the loop what it waits for. */
enum dial_state dial_turn(struct dial *d, struct loop *loop);
/* DIAL_DONE: the connection, which is the caller's from here on. */
int dial_take(struct dial *d);
void dial_end(struct dial *d);

/* Small pieces are not held back; nothing for a unix socket. */
void dial_set_no_delay(int fd);

#endif
