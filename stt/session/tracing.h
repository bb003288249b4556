/* SPDX-License-Identifier: MIT
 * tracing: what sessions tell of themselves (spec 09, "Events"): each function is an event, or
 * several, and is called where it happens. What changes seldom (keys, packet size, the controller's
 * phase) is compared with what was told last, once for a train or an ACK. */
#ifndef STT_SESSION_TRACING_H
#define STT_SESSION_TRACING_H

#include "crypto/protect.h"
#include "stt/base/trace.h"
#include "stt/endpoint.h"
#include "stt/recovery/loss.h"
#include "stt/session/paths.h"
#include "stt/wire/ids.h"

enum {
    STT_RECORDER_EVENTS = 512,
    STT_GATHER_EVENTS = 64, /* drops of one reason are one event among so many */
};

/* -- codes ---------------------------------------------------------------------------------------
 */

#define STT_TRACE_PURPOSES(X)                                                                      \
    X(QUIET, "quiet") /* elicits no ack */                                                         \
    X(DATA, "data")                                                                                \
    X(PROBE, "probe") /* of a PTO */                                                               \
    X(SIZE_PROBE, "size_probe")

#define STT_TRACE_TRIGGERS(X)                                                                      \
    X(REORDERING, "reordering") /* enough later ones were acknowledged */                          \
    X(TIME, "time")                                                                                \
    X(FORGOTTEN, "forgotten") /* no path is to blame */                                            \
    X(SIZE_PROBE, "size_probe")

#define STT_TRACE_ORIGINS(X)                                                                       \
    X(HANDSHAKE, "handshake")                                                                      \
    X(LOCAL, "local")                                                                              \
    X(REMOTE, "remote")                                                                            \
    X(REKEY, "rekey")

#define STT_TRACE_STREAM_STATES(X)                                                                 \
    X(OPENED, "opened")       /* by us */                                                          \
    X(ACCEPTED, "accepted")   /* by the peer */                                                    \
    X(WRITTEN, "written")     /* FIN was set */                                                    \
    X(FINISHED, "finished")   /* the peer has acknowledged everything */                           \
    X(RESET, "reset")         /* by us */                                                          \
    X(WAS_RESET, "was_reset") /* by the peer */                                                    \
    X(STOP, "stop")           /* we asked for it */                                                \
    X(STOPPED, "stopped")     /* the peer asked for it */                                          \
    X(READ, "read")           /* all was consumed */                                               \
    X(ENDED, "ended")

#define STT_TRACE_LIMITS(X)                                                                        \
    X(STREAM, "stream")                                                                            \
    X(SESSION, "session")                                                                          \
    X(STREAMS, "streams")

#define STT_TRACE_DATAGRAMS(X)                                                                     \
    X(GAVE_WAY, "gave_way") /* to a newer one, unsent */                                           \
    X(UNREAD, "unread")     /* there was no room for it */                                         \
    X(TOO_LARGE, "too_large")

#define X(name, text) STT_PURPOSE_##name,
enum stt_trace_purpose { STT_TRACE_PURPOSES(X) };
#undef X
#define X(name, text) STT_TRIGGER_##name,
enum stt_trace_trigger { STT_TRACE_TRIGGERS(X) };
#undef X
#define X(name, text) STT_ORIGIN_##name,
enum stt_trace_origin { STT_TRACE_ORIGINS(X) };
#undef X
#define X(name, text) STT_STREAM_STATE_##name,
enum stt_trace_stream_state { STT_TRACE_STREAM_STATES(X) };
#undef X
#define X(name, text) STT_BLOCKED_BY_##name,
enum stt_trace_limit { STT_TRACE_LIMITS(X) };
#undef X
#define X(name, text) STT_DATAGRAM_##name,
enum stt_trace_datagram { STT_TRACE_DATAGRAMS(X) };
#undef X

/* The counters of stt_endpoint_stats, by their names there. */
#define X(name) STT_DROP_##name,
enum stt_drop { STT_DROPS(X) STT_DROP_COUNT };
#undef X

/* -- what is kept --------------------------------------------------------------------------------
 */

/* Consecutive packets of one fate. */
struct stt_tracing_run {
    uint64_t from, to, bytes;
    uint32_t code;
};

/* Of an endpoint. */
struct stt_tracing {
    stt_ns now; /* the latest that was heard of */
    struct stt_flight_recorder recorder;
    uint64_t pulled_end;                   /* events below were pulled: they stay as they are */
    uint64_t dropped_at[STT_DROP_COUNT];   /* one above the number of the newest event */
    const struct frame_ack *ack;           /* that is being settled, and was not told yet */
    struct stt_tracing_run lost, spurious; /* not told yet */
    struct stt_trace_event events[STT_RECORDER_EVENTS];
};

struct stt_endpoint;
struct stt_session;
struct stt_stream;

void stt_tracing_init(struct stt_tracing *x);

/* The time of events that are told without one. */
static inline void stt_tracing_hear(struct stt_tracing *x, stt_ns now)
{
    x->now = now;
}

/* -- sessions ------------------------------------------------------------------------------------
 */

/* It is in its state now, and was in another, or in none: STT_SESSION_STATE_COUNT. */
void stt_tracing_state(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                       unsigned previous);
/* s->end says why. */
void stt_tracing_closed(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                        bool by_peer);
void stt_tracing_stalled(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s);
/* Its handshake packet goes out. */
void stt_tracing_message(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                         struct bytes packet);
void stt_tracing_trial(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                       enum stt_paths_news news);
/* A trial or a move has begun, succeeded or failed; or, nearly always, nothing of that. */
static inline void stt_tracing_path(struct stt_endpoint *ep, stt_ns now,
                                    const struct stt_session *s, enum stt_paths_news news)
{
    if (news != STT_PATHS_SAME)
        stt_tracing_trial(ep, now, s, news);
}

/* -- keys ----------------------------------------------------------------------------------------
 */

/* What is needed behind the keys of a session to log them: nothing where nobody wants that. */
size_t stt_tracing_key_bytes(const struct stt_endpoint *ep);
/* The keys of the handshake are there. */
void stt_tracing_keys(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);
/* The epoch may be another one than before. */
void stt_tracing_epoch(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                       enum stt_trace_origin origin);
void stt_tracing_forgotten(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s);

/* -- packets -------------------------------------------------------------------------------------
 */

/* A train with packets from `first` up to the next number was sealed. */
void stt_tracing_sent(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                      const struct stt_train *train, uint64_t first);
/* A train was opened; its frames come afterwards. */
void stt_tracing_received(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                          const struct stt_train *train, const struct stt_protect_opened *opened);
/* Counts it, and tells it. `s` may be NULL: nobody's. */
void stt_endpoint_drop(struct stt_endpoint *ep, const struct stt_session *s, enum stt_drop reason,
                       size_t bytes);

/* An ACK is settled from here on; it is told when it was worth telling. */
static inline void stt_tracing_ack(struct stt_tracing *x, const struct frame_ack *ack)
{
    x->ack = ack;
}
void stt_tracing_run(struct stt_endpoint *ep, const struct stt_session *s,
                     const struct stt_settled *settled);
/* What became of packets. Inline, since nearly always there is nothing to tell. */
static inline void stt_tracing_settled(struct stt_endpoint *ep, const struct stt_session *s,
                                       const struct stt_settled *settled)
{
    if (settled->kind == STT_SETTLED_LOST || settled->was_lost)
        stt_tracing_run(ep, s, settled);
}
/* Everything is settled, and the controller has heard of it. */
void stt_tracing_drained(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);
void stt_tracing_pto(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s);

/* -- streams -------------------------------------------------------------------------------------
 */

void stt_tracing_stream(struct stt_endpoint *ep, stt_ns now, const struct stt_stream *t,
                        enum stt_trace_stream_state state);
/* `t` may be NULL where no stream of its own is meant. */
void stt_tracing_blocked(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                         const struct stt_stream *t, enum stt_trace_limit by);
void stt_tracing_datagrams(struct stt_endpoint *ep, stt_ns now, const struct stt_session *s,
                           enum stt_trace_datagram why, uint64_t n, uint64_t bytes);

#endif
