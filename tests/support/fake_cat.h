/* SPDX-License-Identifier: MIT
 * fake_cat: somebody who speaks sttcat/1 by hand, to a sttcat that was built, and says what he
 * likes (spec 10, "Jobs"). He waits on a port, or goes to one.
 *
 *     struct fake_cat f;
 *     if (!fake_cat_begin(&f, STT_IO_MMSG, NULL))       or with the peer id of whom he goes to
 *         return;                                       this machine does not allow it
 *     struct job *j = programs_start(&p, "exec sttcat --recv dir --peer %s 127.0.0.1 %u", f.id,
 *                                    f.port);
 *     fake_say(&f, &(struct wire_message){.type = WIRE_HELLO, .job = JOB_FILES, .lanes = 1});
 *     fake_hear(&f, WIRE_HELLO)
 *     fake_require_closed(&f, CODE_PROTOCOL);
 *
 * What he says to a session that has ended goes nowhere. */
#ifndef TESTS_SUPPORT_FAKE_CAT_H
#define TESTS_SUPPORT_FAKE_CAT_H

#include "stt/node.h"
#include "stt/streams.h"
#include "tests/support/programs.h"
#include "tools/sttcat/wire.h"

#define FAKE_PATIENCE_NS STT_S(10)

struct fake_heard {
    uint8_t bytes[WIRE_MESSAGE_MAX];
    struct wire_message message; /* borrows from them */
    struct fake_heard *next;
};

struct fake_cat {
    struct stt_node *node;
    char id[STT_PEER_ID_TEXT_ROOM];
    uint16_t port; /* where he waits */
    bool goes;     /* to the other one, and so has the control stream to open */
    stt_handle session, control;
    struct fake_heard *heard, *last; /* and not looked at */
    struct fake_heard *current;      /* what was asked for last */
    uint64_t lane_bytes;             /* of all streams of bytes; thrown away, but for the first */
    uint8_t lane_head[4096];
    uint32_t streams_ended; /* by FIN */
    bool is_deaf;           /* streams of bytes are not read */
    bool is_closed;
    enum stt_reason reason;
    uint64_t code;
    char text[STT_REASON_TEXT_MAX + 1];
};

/* False: the machine has no such driver. `to` is "host:port", whose peer id this is; or NULL: he
 * waits. */
bool fake_cat_begin(struct fake_cat *f, enum stt_io io, const char *to, const char *id);
void fake_cat_end(struct fake_cat *f);
/* The same with a sttcat that does what the words say, on that side that he does not take. */
struct job *fake_cat_meet(struct fake_cat *f, struct programs *p, bool goes, const char *words);

/* Waits until there is a control stream. Nothing goes before fake_step(), or whatever waits. */
void fake_say(struct fake_cat *f, const struct wire_message *m);
void fake_say_bytes(struct fake_cat *f, const void *data, size_t len);
/* The next message of this type, good until the next call; those before it are forgotten. NULL: the
 * session has ended. */
const struct wire_message *fake_hear(struct fake_cat *f, enum wire_type type);

/* A stream of bytes; 0: the session has ended. */
stt_handle fake_open(struct fake_cat *f);
void fake_write(struct fake_cat *f, stt_handle stream, const void *data, size_t len);
void fake_finish(struct fake_cat *f, stt_handle stream);
/* The bytes of its lanes, all together, were so many at least; false: the session has ended. */
bool fake_reads(struct fake_cat *f, uint64_t bytes);

/* One step, which waits so long at most. */
void fake_step(struct fake_cat *f, stt_ns most_ns);
/* The other side closes it, with this code; its own end of the session was reached before. */
void fake_require_closed(struct fake_cat *f, uint64_t code);
void fake_wait_closed(struct fake_cat *f);
void fake_close(struct fake_cat *f, uint64_t code);

#endif
