/* SPDX-License-Identifier: MIT
 * L0: streams and datagrams of an endpoint's sessions. Spec 05, "What a stream is".
 *
 * A stream is opened by either side and carries bytes, or messages, in both directions; each
 * direction ends by itself. Writing copies into the stream's send ring and never blocks; reading
 * looks into its receive ring. Handles are never reused: a stale one answers STT_E_STALE. */
#ifndef STT_STREAMS_H
#define STT_STREAMS_H

#include "stt/endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

struct stt_stream_options {
    size_t size;
    bool messages;   /* keeps the boundaries of what is written */
    uint8_t urgency; /* 0 first, 7 last; levels are strict */
    bool no_delay;   /* small writes go at once, as with the config's on all streams; ours alone */
    void *user;
};
#define STT_STREAM_OPTIONS_INIT                                                                    \
    {                                                                                              \
        .size = sizeof(struct stt_stream_options), .urgency = 3                                    \
    }

/* STT_E_LIMIT: the peer allows no more now, and STT_EVENT_STREAMS follows when it does;
 * STT_E_STATE: the session is not open. */
int stt_stream_open(struct stt_endpoint *ep, stt_ns now, stt_handle session,
                    const struct stt_stream_options *options, stt_handle *out) STT_MUST_USE;

/* -- sending -- */

/* Takes as many bytes as there is room for, and answers how many in *written; on a message stream
 * all of them, as one message, or STT_E_AGAIN. WRITABLE follows when there is room again. */
int stt_stream_write(struct stt_endpoint *ep, stt_ns now, stt_handle stream, const void *data,
                     size_t len, size_t *written) STT_MUST_USE;
/* A message that is not worth sending after deadline_ns from now; 0: always worth it. */
int stt_stream_write_message(struct stt_endpoint *ep, stt_ns now, stt_handle stream,
                             const void *data, size_t len, stt_ns deadline_ns) STT_MUST_USE;
/* The same without a copy: room to write into, then how much of it was used, with no other call in
 * between. Byte streams only. STT_E_ARGUMENT: it is more than there was. */
int stt_stream_reserve(struct stt_endpoint *ep, stt_handle stream, void **data,
                       size_t *len) STT_MUST_USE;
int stt_stream_commit(struct stt_endpoint *ep, stt_ns now, stt_handle stream, size_t len);
/* Room in several pieces, as for readv(): answers how many, and commit takes what was used of them,
 * from the front. 0: there is none now, or this is no stream to write bytes to. */
struct stt_room {
    void *data;
    size_t len;
};
size_t stt_stream_reserve_parts(struct stt_endpoint *ep, stt_handle stream, struct stt_room *parts,
                                size_t max) STT_MUST_USE;
/* What waits for company goes now. */
int stt_stream_flush(struct stt_endpoint *ep, stt_ns now, stt_handle stream);
/* FIN: this direction is complete. */
int stt_stream_finish(struct stt_endpoint *ep, stt_ns now, stt_handle stream);
/* This direction ends here; what is not acknowledged is given up. */
int stt_stream_reset(struct stt_endpoint *ep, stt_ns now, stt_handle stream, uint64_t code);
int stt_stream_set_urgency(struct stt_endpoint *ep, stt_handle stream, uint8_t urgency);

/* -- receiving -- */

struct stt_part {
    const uint8_t *data;
    size_t len;
};

/* What has arrived in order and was not consumed, in place; answers how many parts. Byte streams
 * only. */
size_t stt_stream_peek(struct stt_endpoint *ep, stt_handle stream, struct stt_part *parts,
                       size_t max);
/* At most what peek has shown; also where that was nothing, for it may be the end. */
int stt_stream_consume(struct stt_endpoint *ep, stt_ns now, stt_handle stream, size_t len);
/* Both in one, with a copy; *read is 0 when there is nothing. */
int stt_stream_read(struct stt_endpoint *ep, stt_ns now, stt_handle stream, void *data, size_t room,
                    size_t *read) STT_MUST_USE;
/* Nothing more is wanted of this direction. */
int stt_stream_stop(struct stt_endpoint *ep, stt_ns now, stt_handle stream, uint64_t code);

/* One message or the part of it that has arrived, or word of what was given up. STT_E_AGAIN: there
 * is nothing. */
struct stt_message_read {
    size_t len;       /* bytes copied */
    bool is_whole;    /* the message ends here; otherwise the rest follows with the next call */
    uint64_t skipped; /* not 0: no message, but so many bytes that the sender gave up ... */
    bool is_cut;      /* ... which begin with the rest of the message before */
};
int stt_stream_read_message(struct stt_endpoint *ep, stt_ns now, stt_handle stream, void *data,
                            size_t room, struct stt_message_read *message) STT_MUST_USE;

/* Many in one call, in place: a message is one part or, where its memory has a border, several.
 * What was given up is a part of its own, and the last one of a call. */
struct stt_message_part {
    const uint8_t *data; /* NULL: given up, see skipped */
    size_t len;
    bool is_first, is_last; /* of its message */
    bool is_cut;
    uint64_t skipped;
};
size_t stt_stream_peek_messages(struct stt_endpoint *ep, stt_handle stream,
                                struct stt_message_part *parts, size_t max);
/* The first n parts that were peeked; also where there were none, for it may be the end. */
int stt_stream_consume_messages(struct stt_endpoint *ep, stt_ns now, stt_handle stream, size_t n);

/* -- events: pulled apart from those of sessions, so that neither hides the other -- */

enum stt_stream_event_bits {
    STT_STREAM_OPENED = 1 << 0,   /* by the peer */
    STT_STREAM_READABLE = 1 << 1, /* bytes, or the end */
    STT_STREAM_WRITABLE = 1 << 2, /* there was no room, and is now */
    STT_STREAM_FINISHED = 1 << 3, /* all that was written, and FIN, is acknowledged */
    STT_STREAM_RESET = 1 << 4,    /* by the peer, see code: what was unread is gone */
    STT_STREAM_STOPPED = 1 << 5,  /* the peer wants no more, see code */
    STT_STREAM_ENDED = 1 << 6,    /* both directions: the handle is stale after this event */
};
struct stt_stream_event {
    stt_handle stream, session;
    uint32_t what; /* STT_STREAM_ bits */
    uint64_t reset_code, stop_code;
    void *user;
};
bool stt_endpoint_stream_event(struct stt_endpoint *ep, struct stt_stream_event *event);

/* Spec 06, "Statistics"; with the words that people read, as in stt/stats.h. */
#define STT_STREAM_STATS(X)                                                                        \
    X(opened_at, "opened at")                                                                      \
    X(bytes_written, "bytes written")                                                              \
    X(bytes_sent, "bytes sent")                                                                    \
    X(bytes_acked, "bytes acknowledged")                                                           \
    X(bytes_retransmitted, "bytes sent again")                                                     \
    X(pieces_lost, "pieces lost")                                                                  \
    X(messages_skipped, "messages given up")                                                       \
    X(bytes_received, "bytes received")                                                            \
    X(bytes_consumed, "bytes read")                                                                \
    X(acked_mean_bytes_per_s, "acknowledged, mean")                                                \
    X(consumed_mean_bytes_per_s, "read, mean")                                                     \
    X(send_limit, "may be sent up to")                                                             \
    X(receive_limit, "may be received up to")

struct stt_stream_info {
    stt_handle session;
    uint64_t id;
    bool is_ours, has_messages;
    bool is_read_to_end; /* everything up to the end was consumed */
    bool is_blocked;     /* has new bytes, and the peer's limit for this stream forbids them */
#define X(name, words) uint64_t name;
    STT_STREAM_STATS(X)
#undef X
};
int stt_stream_info(const struct stt_endpoint *ep, stt_handle stream,
                    struct stt_stream_info *out) STT_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
