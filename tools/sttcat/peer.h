/* SPDX-License-Identifier: MIT
 * peer: one session of sttcat and the job that it does: HELLO, the control stream, the end, and how
 * it went. Spec 10, "Jobs" and "The end".
 *
 * What differs between jobs is in struct job. A job that gets nowhere calls peer_fail(), once; one
 * that has settled says so in is_settled(). */
#ifndef TOOLS_STTCAT_PEER_H
#define TOOLS_STTCAT_PEER_H

#include "stt/stats.h"
#include "stt/streams.h"
#include "tools/common/exits.h"
#include "tools/common/loop.h"
#include "tools/sttcat/plan.h"
#include "tools/sttcat/tally.h"
#include "tools/sttcat/wire.h"

struct cat; /* the program: cat.h */
struct peer;

/* Streams of bytes only; the control stream is the peer's own. */
struct job {
    /* Both sides have said HELLO, or, for the initiator, we have. NULL: memory. */
    void *(*begin)(struct peer *p);
    void (*end)(void *job); /* the session has ended, in whatever way */
    /* All but HELLO; DONE: whether it may be said now. False: it cannot be (the peer is closed with
     * `protocol`). NULL: there are none, and DONE may be said whenever. */
    bool (*on_message)(void *job, const struct wire_message *m);
    bool (*on_stream)(void *job, const struct stt_stream_event *event);
    /* Whatever can be done now; true if something was. It says what it waits for (loop.h). */
    bool (*turn)(void *job);
    bool (*is_settled)(const void *job); /* NULL: never, others end it */
};
extern const struct job pipe_job, files_give_job, files_take_job, forward_job, permit_job, raw_job;

/* Of raw_job: both directions have ended here; the peer's word is its close. */
bool raw_has_ended(const void *job);

/* What a job may use. */
struct peer {
    struct cat *cat;
    const struct plan *plan;
    struct loop *loop;
    struct stt_endpoint *ep;
    stt_handle session;
    bool is_initiator;
    bool gives, takes; /* bytes really go this way: what both have said */
    bool has_hello;    /* the other side's: */
    struct wire_message hello;
    struct stt_peer_id id;
    char name[80];          /* for people: what was typed, or an address */
    struct peer_more *more; /* peer.c's own */
};

/* -- for cat.c: a session from its first event to its result -- */

/* NULL: no memory. The initiator begins at once, the responder when it has heard HELLO. */
struct peer *peer_new(struct cat *cat, const struct plan *plan, struct loop *loop,
                      stt_handle session, bool is_initiator);
void peer_begin(struct peer *p); /* when `name` is set */
void peer_free(struct peer *p);
void peer_on_stream(struct peer *p, const struct stt_stream_event *event);
void peer_on_closed(struct peer *p, const struct stt_event *event);
/* True: something was done. */
bool peer_turn(struct peer *p);
/* There is nothing more to do: free it. */
bool peer_is_over(const struct peer *p);
int peer_result(const struct peer *p);
/* The numbers of its session; when that is over, as they were then. */
bool peer_stats(const struct peer *p, struct stt_session_stats *out);
/* Somebody only looked: the session ended before HELLO. */
bool peer_only_looked(const struct peer *p);

const struct tally *peer_tally(const struct peer *p);

/* -- for jobs -- */

/* Queues a message. Whoever makes many looks at peer_queued_bytes() first, and waits above 64 KiB;
 * there is a turn when they have gone. */
void peer_send(struct peer *p, const struct wire_message *m);
size_t peer_queued_bytes(const struct peer *p);

/* The session ends without success: `exits` here, `code` and the sentence there and, unless it is
 * quiet, here. The first failure counts. */
void peer_fail(struct peer *p, int exits, enum wire_code code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* One of several things went wrong: the job goes on, and ends with this. The first one counts. */
void peer_note_failure(struct peer *p, int exits);

/* Bytes that really moved, for progress, idle times and the rate. */
void peer_count_given(struct peer *p, uint64_t bytes);
void peer_count_taken(struct peer *p, uint64_t bytes);
/* Of all that was given or taken, as both ends agree. */
void peer_agreed(struct peer *p, bool is_given, const struct wire_hash *hash);
/* How many may be given now, by --rate; wakes the loop when there are more. */
uint64_t peer_allowance(struct peer *p, uint64_t wanted);
/* Whether enough was written to a stream that could not be sent yet. */
bool peer_is_ahead(const struct peer *p, stt_handle stream);
/* For the time left; 0: not known. */
void peer_expect(struct peer *p, uint64_t bytes_total);

#endif
