/* SPDX-License-Identifier: MIT
 * talk: one session as one side sees it, and what it may and must hear of it. The two sides of a
 * session find each other by its handshake hash. */
#ifndef TOOLS_STTBENCH_CHAOS_TALK_H
#define TOOLS_STTBENCH_CHAOS_TALK_H

#include "stt/endpoint.h"
#include "tools/sttbench/chaos/letters.h"

struct flow;
struct host;
struct stt_session;

/* What the host got wrong when it connected. */
enum talk_mistake {
    TALK_NO_MISTAKE,
    TALK_WRONG_PIN,
    TALK_WRONG_CODE,
    TALK_WRONG_SEED,
    TALK_WRONG_APPLICATION,
    TALK_MISTAKES,
};

struct talk {
    struct host *host;
    stt_handle session;
    uint64_t tag; /* of the session, the same on both sides; 0: there are no keys yet */
    struct talk *other;
    bool is_initiator, is_exclusive;
    enum stt_mode mode;
    enum talk_mistake mistake;
    bool is_open;   /* CONNECTED or ACCEPTED was heard, or something that follows it */
    bool is_told;   /* it was that event */
    bool is_closed; /* CLOSED was heard, or the host was killed */
    bool is_lost;   /* the latter: its handle means nothing any more */
    bool was_whole; /* when it became calm */
    bool was_on_byte_stream;
    bool was_refused; /* a stream, for there were too many, and nothing was heard since */
    enum stt_reason reason;
    stt_ns closed_at;

    bool closes; /* the host has called stt_session_close(), with: */
    uint64_t close_code;

    uint64_t budget; /* bytes that may still be written */
    uint32_t n_opened, opens_max;
    struct flow **flows;
    size_t n_flows;
    struct letters letters;
};

/* A session that the host has begun, or that somebody else began. */
struct talk *talk_new(struct host *h, stt_handle session, bool is_initiator);
void talk_free(struct talk *t);

/* The object behind its handle, also of a session that its host does not know; NULL: stale. */
const struct stt_session *talk_session(const struct talk *t);
/* It can be spoken in. */
bool talk_is_alive(const struct talk *t);
/* And the peer's side of it is alive, too. */
bool talk_is_whole(struct talk *t);
struct talk *talk_other(struct talk *t);
/* Why a call may be refused: the session is closing, and the host has not heard of it; memory is
 * short; the process forked. */
bool talk_explains(const struct talk *t, int error);
/* Finds out its tag, if there are keys by now. */
void talk_learn(struct talk *t);

struct flow *talk_flow(const struct talk *t, stt_handle stream);
struct flow *talk_flow_by_id(const struct talk *t, uint64_t id);
void talk_add_flow(struct talk *t, struct flow *f);

void talk_on_event(struct talk *t, const struct stt_event *e);
void talk_on_stream_event(struct talk *t, const struct stt_stream_event *e);
void talk_act(struct talk *t);
void talk_settle(struct talk *t);
/* Everything that was begun has come to its end, on this side. */
bool talk_is_settled(struct talk *t);
void talk_close(struct talk *t);
/* The host is about to be killed. */
void talk_on_kill(struct talk *t);
/* One sentence on what is not settled. */
void talk_complain(struct talk *t);

#endif
