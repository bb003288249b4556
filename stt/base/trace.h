/* SPDX-License-Identifier: MIT
 * trace: what happened, as typed events of 48 bytes: numbers only, and never a secret, an address
 * or a name. They go to a flight recorder, which remembers the last ones, and to the env's hook. */
#ifndef STT_BASE_TRACE_H
#define STT_BASE_TRACE_H

#include "stt/base/env.h"

/* One row for each type. `code` is a small number out of an enum; the fields are named with their
 * units; NULL: not used, and 0.        type, name, code, field[0], field[1], field[2] */
#define STT_TRACE_TYPES(X)                                                                         \
    X(PACKET_SENT, "packet_sent", "epoch", "packet_number", "bytes", "in_flight_bytes")            \
    X(PACKET_RECEIVED, "packet_received", "epoch", "packet_number", "bytes", NULL)                 \
    X(PACKET_DROPPED, "packet_dropped", "reason", "bytes", NULL, NULL)                             \
    X(PACKET_LOST, "packet_lost", "trigger", "packet_number", "bytes", "in_flight_bytes")          \
    X(ACK_RECEIVED, "ack_received", "ranges", "largest", "acked_bytes", "ack_delay_ns")            \
    X(METRICS_UPDATED, "metrics_updated", "state", "rtt_ns", "window_bytes", "rate_bytes_per_s")   \
    X(SESSION_STATE, "session_state", "state", "error", NULL, NULL)                                \
    X(HANDSHAKE_STATE, "handshake_state", "state", "mode", "attempt", NULL)                        \
    X(KEY_UPDATED, "key_updated", "trigger", "epoch", "packet_number", NULL)                       \
    X(PATH_CHANGED, "path_changed", "state", "path", "previous_path", NULL)                        \
    X(MTU_CHANGED, "mtu_changed", "trigger", "bytes", "previous_bytes", NULL)                      \
    X(STREAM_STATE, "stream_state", "state", "stream", "offset", NULL)                             \
    X(FLOW_BLOCKED, "flow_blocked", "limit", "stream", "offset", NULL)                             \
    X(TIMER_EXPIRED, "timer_expired", "timer", "deadline_ns", NULL, NULL)

enum stt_trace_type {
#define X(type, ...) STT_TRACE_##type,
    STT_TRACE_TYPES(X)
#undef X
        STT_TRACE_TYPE_COUNT
};

/* The codes of packet_dropped. */
#define STT_DROP_REASONS(X)                                                                        \
    X(TOO_SHORT, "too_short")                                                                      \
    X(MALFORMED, "malformed")                                                                      \
    X(VERSION, "unknown_version")                                                                  \
    X(MODE, "mode_not_armed")                                                                      \
    X(SESSION, "unknown_session")                                                                  \
    X(MAC, "bad_mac")                                                                              \
    X(COOKIE, "bad_cookie")                                                                        \
    X(REPLAY, "replayed")                                                                          \
    X(TAG, "bad_tag")                                                                              \
    X(EPOCH, "no_key_for_epoch")                                                                   \
    X(PEER, "peer_not_allowed")                                                                    \
    X(BUDGET, "over_budget")                                                                       \
    X(LIMIT, "limit_reached")                                                                      \
    X(STATE, "wrong_state")

enum stt_drop_reason {
#define X(reason, ...) STT_DROP_##reason,
    STT_DROP_REASONS(X)
#undef X
        STT_DROP_REASON_COUNT
};

struct stt_trace_event {
    stt_ns at;
    uint64_t subject; /* the id of the session, or 0: none */
    uint32_t type;    /* enum stt_trace_type */
    uint32_t code;
    uint64_t field[3];
};

struct stt_trace_row {
    const char *name, *code, *field[3];
};

/* How to print an event; NULL for a type that is not in the table. */
const struct stt_trace_row *stt_trace_row(uint32_t type);

/* NULL for a number that is not in the table. */
const char *stt_drop_reason_text(uint32_t reason);

/* The last `capacity` events, in the caller's memory. Small is better: each event that is recorded
 * costs the cache a line. */
struct stt_flight_recorder {
    struct stt_trace_event *events;
    uint32_t capacity; /* a power of two, or 0: records nothing */
    uint64_t recorded; /* in all, those overwritten included */
};

void stt_flight_recorder_init(struct stt_flight_recorder *fr, struct stt_trace_event *memory,
                              uint32_t capacity);

static inline void stt_flight_recorder_record(struct stt_flight_recorder *fr,
                                              const struct stt_trace_event *event)
{
    if (fr->capacity)
        fr->events[fr->recorded++ & (fr->capacity - 1)] = *event;
}

/* How many events it remembers. */
uint32_t stt_flight_recorder_count(const struct stt_flight_recorder *fr);

/* 0: the oldest that it remembers; i is below the count. */
const struct stt_trace_event *stt_flight_recorder_at(const struct stt_flight_recorder *fr,
                                                     uint32_t i);

/*     stt_trace(env, &ep->recorder, &(struct stt_trace_event){
 *         .at = now, .subject = id, .type = STT_TRACE_MTU_CHANGED, .field = {bytes, previous}}); */
static inline void stt_trace(const struct stt_env *env, struct stt_flight_recorder *fr,
                             const struct stt_trace_event *event)
{
    stt_flight_recorder_record(fr, event);
    if (env->trace)
        env->trace(env->ctx, event);
}

#endif
