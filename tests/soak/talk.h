/* SPDX-License-Identifier: MIT
 * talk: one session as both of its hosts see it, in one place; with the streams that are open in
 * it, what was written into each half of them, and what was read of it. */
#ifndef TESTS_SOAK_TALK_H
#define TESTS_SOAK_TALK_H

#include "stt/datagrams.h"
#include "stt/streams.h"
#include "tests/soak/post.h"
#include "tests/soak/soak.h"

/* A message on its way. */
struct message {
    uint64_t begin, end; /* in its half, with its length in front */
    uint64_t number;
    bool has_deadline;
};

/* What one side writes into a stream; each byte is a function of the key and its offset. */
struct half {
    uint64_t key, to_write; /* bytes, of a stream of bytes */
    uint64_t written, read; /* bytes; lengths of messages count */
    uint64_t reset_at, stop_at;
    stt_ns read_from; /* the reader sleeps until then */
    struct message *messages;
    size_t n_messages, messages_room;
    uint64_t n_written; /* messages */
    uint64_t partial;   /* bytes of the first one that were read */
    bool is_finished, is_reset, is_stopped, is_read_out;
    uint32_t told; /* STT_STREAM_ bits of the writer's: FINISHED, STOPPED */
    bool reader_heard_reset;
    uint64_t code; /* of reset or stop */
};

struct flow {
    struct talk *talk;
    struct flow *next;
    uint64_t id;
    bool has_messages, stays; /* stays: until the session ends */
    stt_handle handle[SOAK_SIDES];
    bool is_over[SOAK_SIDES];
    struct half half[SOAK_SIDES]; /* by writer */
};

struct talk {
    struct soak *soak;
    struct host *host[SOAK_SIDES];
    uint64_t tag; /* no two have the same */
    bool is_open[SOAK_SIDES], is_closed[SOAK_SIDES], is_leaving, is_dead;
    stt_handle session[SOAK_SIDES];
    struct flow *flows, *chat, *tape;
    size_t n_flows;
    struct post post[SOAK_SIDES];              /* by sender */
    uint64_t consumed[SOAK_SIDES];             /* stream bytes of the peer that were read here */
    uint64_t stalls[SOAK_SIDES];               /* that have begun and not ended */
    bool moves;                                /* a deliberate move is under way */
    stt_ns created_at[SOAK_SIDES];             /* as the session said first */
    struct stt_session_stats seen[SOAK_SIDES]; /* when it was looked at last */
    stt_ns seen_at;
    uint64_t n_opened;
};

struct talk *talk_new(struct soak *x, uint32_t client);
void talk_free(struct talk *t);
/* For the next visit: nothing is left of the one before. */
void talk_reset(struct talk *t);

static inline bool talk_is_alive(const struct talk *t)
{
    return t->is_open[SOAK_CLIENT] && t->is_open[SOAK_SERVER] && !t->is_closed[SOAK_CLIENT] &&
           !t->is_closed[SOAK_SERVER] && !t->is_dead && !t->is_leaving;
}

void talk_on_event(struct talk *t, unsigned side, const struct stt_event *e);
void talk_on_stream_event(struct talk *t, unsigned side, const struct stt_stream_event *e);

/* The streams that stay, and how datagrams are sent. */
void talk_furnish(struct talk *t);
/* A call of the host's own was made. */
void talk_touch(const struct talk *t, unsigned side);

/* -- flow: one stream -- */

struct flow_plan {
    uint64_t to_write[SOAK_SIDES];
    bool has_messages, stays;
    bool resets;      /* the opener, half way */
    bool stops;       /* the acceptor, half way */
    stt_ns sleeps_ns; /* the acceptor reads later */
    bool by_server;   /* who opens it */
    uint8_t urgency;
};
/* NULL: something failed. */
struct flow *flow_open(struct talk *t, const struct flow_plan *plan);
void flow_free(struct flow *f);
void flow_on_event(struct flow *f, unsigned side, const struct stt_stream_event *e);
/* The acceptor knows it from now on. */
void flow_accept(struct flow *f, unsigned side, stt_handle handle);
/* More bytes of one side, into a stream that stays. */
void flow_add(struct flow *f, unsigned side, uint64_t bytes);
/* One message; 0: no deadline. False: there is no room now. */
bool flow_say(struct flow *f, unsigned side, size_t len, stt_ns deadline_ns);
void flow_finish(struct flow *f, unsigned side);
/* Everything there is, with what was given up. */
void flow_read(struct flow *f, unsigned side);

#endif
