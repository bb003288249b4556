/* SPDX-License-Identifier: MIT
 * stream: one stream of a session, and what a session knows of its streams. Spec 05, "What a
 * stream is".
 *
 *     stream      what the host does        arriving   what the peer does
 *     packing     what goes into packets    sendq, recvq, window, messages, scheduler, numbers  */
#ifndef STT_STREAM_STREAM_H
#define STT_STREAM_STREAM_H

#include "stt/base/list.h"
#include "stt/base/map.h"
#include "stt/recovery/congestion.h"
#include "stt/recovery/ecn.h"
#include "stt/recovery/pacer.h"
#include "stt/session/held.h"
#include "stt/session/size.h"
#include "stt/session/throughput.h"
#include "stt/stream/allowance.h"
#include "stt/stream/late.h"
#include "stt/stream/messages.h"
#include "stt/stream/numbers.h"
#include "stt/stream/recvq.h"
#include "stt/stream/scheduler.h"
#include "stt/stream/sendq.h"
#include "stt/stream/slots.h"
#include "stt/stream/window.h"
#include "stt/streams.h"

struct stt_datagram_traffic;
struct stt_session;

/* Frames about a stream that are said until they are acknowledged, in this order. */
enum {
    STT_STREAM_OWES_OPEN = 1u << 0,    /* an empty STREAM: it exists */
    STT_STREAM_OWES_LIMIT = 1u << 1,   /* MAX_STREAM_DATA */
    STT_STREAM_OWES_BLOCKED = 1u << 2, /* STREAM_DATA_BLOCKED */
    STT_STREAM_OWES_RESET = 1u << 3,
    STT_STREAM_OWES_STOP = 1u << 4,
    STT_STREAM_OWES_SKIP = 1u << 5, /* one or several, see late */
};

struct stt_stream {
    struct stt_schedule schedule; /* place in the session's rings */
    struct stt_list owed;
    struct stt_list events; /* the host has something to hear, or the pool was empty */
    struct stt_list held;   /* waiting for company, starved of the session's limit, or blocked */
    struct stt_session *session;
    uint64_t id;
    struct stt_sendq send;
    struct stt_recvq receive;
    struct stt_window window;
    struct stt_messages reader;
    struct stt_late *late; /* NULL: no message had a deadline */

    uint64_t send_limit; /* the peer's MAX_STREAM_DATA */
    uint64_t reset_code; /* of our RESET, which has that of the peer's STOP when it answers one */
    uint64_t stop_code;  /* of our STOP, until the peer's RESET has come: then of that */
    stt_ns opened_at;
    uint64_t bytes_retransmitted;
    uint32_t pieces_lost;
    uint32_t slot;   /* by which pieces in flight name it */
    uint16_t gaps;   /* that the session counts for it */
    uint8_t owes;    /* STT_STREAM_OWES_ */
    uint8_t pending; /* STT_STREAM_ event bits */
    bool has_messages : 1, no_delay : 1, is_flushed : 1, wants_room : 1;
    bool blocked_said : 1;                               /* the present limit holds it back */
    bool is_announced : 1;                               /* the peer was told of it, or will be */
    bool is_finished : 1, is_reset : 1, reset_acked : 1; /* sending */
    bool was_stopped : 1;                                /* by the peer */
    bool is_stopped : 1, was_reset : 1, is_read_out : 1; /* receiving */
    bool end_reported : 1;
    bool is_awaited : 1; /* the peer waits for a higher limit than that it was told */
    void *user;
};

/* All streams of a session. */
struct stt_streams {
    struct stt_map by_id;
    struct stt_list owed;
    struct stt_list waiting; /* have a small write that waits for company */
    struct stt_list starved; /* have new data, and the session's limit forbids it */
    struct stt_list blocked; /* the same, and their own does */
    struct stt_scheduler scheduler;
    struct stt_datagram_traffic *datagrams; /* NULL before the first */
    struct stt_timers late;                 /* of streams that have messages with deadlines */
    struct stt_slots slots;
    struct stt_stream *latest;         /* that the peer named: nearly always the next, too */
    struct stt_numbers theirs;         /* which of the peer's numbers were used */
    struct stt_window window;          /* of the session */
    uint64_t received;                 /* the sum of the highest offsets that came in */
    uint32_t gaps, gaps_max;           /* of all streams together */
    uint64_t send_limit, sent;         /* the peer's MAX_DATA, and the same sum of ours */
    uint64_t next_number, peer_allows; /* ours */
    struct stt_allowance allowance;    /* theirs */
    uint64_t blocked_at; /* the latest limit of the session that held data back; or UINT64_MAX */
    bool is_awaited;     /* as of a stream, by the session's limit */
    bool is_refused;     /* the host wanted one more than the peer allows */
    bool is_adaptive;    /* who starves at a late level is raised */
    uint8_t told_phase;  /* of the controller, by traces */
    struct stt_congestion congestion; /* of the path in use */
    struct stt_pacer pacer;
    uint64_t bytes_retransmitted;
    struct stt_throughput delivered, consumed;
    struct stt_held held;
    struct stt_ecn ecn;
    struct stt_size size;
};

/* New data may go up to here, for all that concerns the stream alone. */
static inline uint64_t stt_stream_limit(const struct stt_stream *t)
{
    return t->late && t->late->stuck < t->send_limit ? t->late->stuck : t->send_limit;
}

/* In the endpoint's list of those that wait for the pool, and not of those with events. */
static inline bool stt_stream_is_thirsty(const struct stt_stream *t)
{
    return stt_list_is_linked(&t->events) && !t->pending;
}

/* The peer has acknowledged all that there was to say, FIN included. */
static inline bool stt_stream_is_sent_out(const struct stt_stream *t)
{
    return stt_sendq_is_done(&t->send) && (!t->late || !t->late->skips.n);
}

#endif
