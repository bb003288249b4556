/* SPDX-License-Identifier: MIT
 * flow: one stream as one side sees it: what it writes there, and what it reads and compares. The
 * bytes are a function of session, stream, side and offset; what was written is remembered by the
 * writer, and the reader looks it up there.
 *
 *     flow        its life: opening, events, its end        reading    what comes in
 *     writing     what goes out */
#ifndef TOOLS_STTBENCH_CHAOS_FLOW_H
#define TOOLS_STTBENCH_CHAOS_FLOW_H

#include "stt/streams.h"

struct talk;

enum flow_writer { FLOW_AT_ONCE, FLOW_IN_PIECES, FLOW_IN_PLACE, FLOW_WRITERS };
enum flow_reader { FLOW_EAGER, FLOW_SLOW, FLOW_ASLEEP, FLOW_READERS };

/* A message as its writer remembers it. */
struct flow_message {
    uint64_t begin, end; /* on the wire, with its length in front */
    uint64_t len;
    bool has_deadline;
};

struct flow {
    struct talk *talk;
    struct flow *other; /* the same stream at the peer; NULL: not found yet */
    stt_handle stream;
    uint64_t id;
    bool is_ours, is_messages;
    uint32_t heard; /* STT_STREAM_ bits of all events */
    bool is_over;   /* ENDED: the handle is stale */

    enum flow_writer writer;
    uint64_t to_write;             /* bytes, or messages */
    uint64_t written;              /* of these */
    uint64_t wire;                 /* bytes, lengths of messages counted */
    struct flow_message *messages; /* as many as were written */
    bool waits;                    /* for WRITABLE */
    bool lingers;                  /* does not finish before it is calm */
    bool is_finished, is_reset;
    uint64_t reset_code;
    bool was_seen_whole, is_judged; /* by flow_has_arrived() */

    enum flow_reader reader;
    uint64_t read;    /* bytes on the wire */
    uint64_t message; /* the next one, or the one that is read in parts */
    uint64_t partial; /* bytes of it that were read */
    bool is_read_out, is_stopped;
    uint64_t stop_code;
};

/* -- flow -- */

/* NULL: it could not be opened. */
struct flow *flow_open(struct talk *t);
struct flow *flow_accept(struct talk *t, stt_handle stream);
void flow_free(struct flow *f);
void flow_on_event(struct flow *f, const struct stt_stream_event *e);
/* What a host does now and then. */
void flow_act(struct flow *f);
/* It is calm: everything is written, read and finished. */
void flow_settle(struct flow *f);

struct flow *flow_other(struct flow *f);
/* Whether all that was written here is at the peer: 1 yes, 0 no, -1 nobody knows any more. Once it
 * was there it stays true. */
int flow_has_arrived(struct flow *f);
/* The peer is about to vanish: what it has now is all that it will have had. */
void flow_judge(struct flow *f);

/* A call was refused: that must be for a reason. */
void flow_on_error(struct flow *f, const char *call, int error);

/* -- writing -- */

/* Of the bytes that this end writes; each message has a key of its own. */
uint64_t flow_key(const struct flow *f);
uint64_t flow_message_key(const struct flow *f, uint64_t number);
bool flow_may_write(const struct flow *f);
/* At most so many bytes, or messages; and FIN behind the last. */
void flow_write(struct flow *f, uint64_t most);

/* -- reading -- */

/* At most so many bytes. */
void flow_read(struct flow *f, uint64_t most);

#endif
