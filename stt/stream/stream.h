/* SPDX-License-Identifier: MIT
 * stream: one stream of a session, and what a session knows of its streams. Spec 05.
 *
 *     stream      what the host does        arriving   what the peer does
 *     packing     what goes into packets    sendq, recvq, window, messages, scheduler, numbers  */
#ifndef STT_STREAM_STREAM_H
#define STT_STREAM_STREAM_H

#include "stt/base/list.h"
#include "stt/recovery/congestion.h"
#include "stt/recovery/pacer.h"
#include "stt/session/held.h"
#include "stt/session/throughput.h"
#include "stt/stream/messages.h"
#include "stt/stream/numbers.h"
#include "stt/stream/recvq.h"
#include "stt/stream/scheduler.h"
#include "stt/stream/sendq.h"
#include "stt/stream/window.h"
#include "stt/streams.h"

struct stt_session;

/* Frames about a stream that are said until they are acknowledged. */
enum {
    STT_STREAM_OWES_RESET = 1u << 0,
    STT_STREAM_OWES_STOP = 1u << 1,
    STT_STREAM_OWES_LIMIT = 1u << 2,   /* MAX_STREAM_DATA */
    STT_STREAM_OWES_BLOCKED = 1u << 3, /* STREAM_DATA_BLOCKED */
};

struct stt_stream {
    struct stt_schedule schedule; /* place in the session's rings */
    struct stt_list all, owed, events, starved, waiting;
    struct stt_session *session;
    uint64_t id;
    struct stt_sendq send;
    struct stt_recvq receive;
    struct stt_window window;
    struct stt_messages reader;

    uint64_t send_limit; /* the peer's MAX_STREAM_DATA */
    uint64_t blocked_at; /* the limit of which BLOCKED was said; 0: none */
    uint64_t reset_code, stop_code, reset_code_heard, stop_code_heard;
    uint32_t pending; /* STT_STREAM_ event bits */
    uint8_t owes;     /* STT_STREAM_OWES_ */
    bool has_messages, no_delay, is_flushed, wants_room;
    bool is_finished, is_reset, reset_acked; /* sending */
    bool is_stopped, was_reset, is_read_out; /* receiving */
    bool end_reported;
    void *user;
    stt_ns opened_at;
    uint64_t bytes_retransmitted, pieces_lost;
};

/* All streams of a session. */
struct stt_streams {
    struct stt_list all, owed;
    struct stt_list waiting; /* have a small write that waits for company */
    struct stt_list starved; /* have new data, and the session's limit forbids it */
    struct stt_list blocked; /* the same, and their own does; by the same link */
    struct stt_scheduler scheduler;
    struct stt_numbers theirs;          /* which of the peer's numbers were used */
    struct stt_window window;           /* of the session */
    uint64_t received;                  /* the sum of the highest offsets that came in */
    uint64_t send_limit, sent;          /* the peer's MAX_DATA, and the same sum of ours */
    uint64_t next_number, peer_allows;  /* ours */
    uint64_t we_allow, we_should_allow; /* theirs: as told, and as it could be told */
    uint64_t blocked_at;
    uint32_t n_open;                  /* streams in `all` */
    struct stt_congestion congestion; /* of the path in use */
    struct stt_pacer pacer;
    uint64_t bytes_retransmitted;
    struct stt_throughput delivered, consumed;
    struct stt_held held;
};

#endif
