/* SPDX-License-Identifier: MIT
 * What happened, as typed events of 64 bytes: numbers only, and never a secret, an address or a
 * name. Spec 09, "Events", says what each of them means.
 *
 * An endpoint remembers its last events, always, and hands them out as often as it is asked:
 *
 *     uint64_t cursor = 0;
 *     struct stt_trace_event event;
 *     char text[STT_TRACE_TEXT_ROOM];
 *     while (stt_endpoint_recorded(ep, &cursor, &event)) {
 *         stt_trace_text(&event, text);
 *         puts(text);
 *     }
 *
 * Who wants all of them as they happen sets the hook `trace` of struct stt_env. stt/qlog.h writes
 * them down for viewers. */
#ifndef STT_TRACE_H
#define STT_TRACE_H

#include "stt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One row for each type. `code` is a small number, most often out of an enum; the fields are named
 * with their units; what is not named, or NULL, is 0. Trains, and runs of packets, go from
 * first_number up to end_number, which is not one of them.
 *
 *    type, name, code, field[0], ... field[4] */
#define STT_TRACE_TYPES(X)                                                                         \
    X(SESSION_STATE, "session_state", "state", "previous", "mode", "initiator")                    \
    X(SESSION_CLOSED, "session_closed", "reason", "close_code", "frame_type", "application",       \
      "remote")                                                                                    \
    X(SESSION_STALLED, "session_stalled", "stalled", NULL)                                         \
    X(MESSAGE_SENT, "message_sent", "message", "bytes")                                            \
    X(PACKETS_SENT, "packets_sent", "purpose", "first_number", "end_number", "bytes",              \
      "packet_bytes", "in_flight_bytes")                                                           \
    X(PACKETS_RECEIVED, "packets_received", "ecn", "first_number", "end_number", "bytes",          \
      "packet_bytes")                                                                              \
    X(PACKETS_DROPPED, "packets_dropped", "drop", "packets", "bytes", "latest_at_ns")              \
    X(PACKETS_LOST, "packets_lost", "trigger", "first_number", "end_number", "bytes",              \
      "in_flight_bytes")                                                                           \
    X(PACKETS_SPURIOUS, "packets_spurious", NULL, "first_number", "end_number", "bytes")           \
    X(ACK_RECEIVED, "ack_received", "ranges", "largest", "acked_packets", "acked_bytes", "rtt_ns", \
      "ack_delay_ns")                                                                              \
    X(PTO_EXPIRED, "pto_expired", "backoff", "pto_ns", "in_flight_bytes", "eliciting_packets")     \
    X(CONGESTION_UPDATED, "congestion_updated", "phase", "smoothed_rtt_ns", "min_rtt_ns",          \
      "window_bytes", "rate_bytes_per_s", "in_flight_bytes")                                       \
    X(PHASE_CHANGED, "phase_changed", "phase", "previous", "window_bytes")                         \
    X(PATH_TRIAL, "path_trial", "outcome", "path", "carrier", "port_change", "received_bytes",     \
      "sent_bytes")                                                                                \
    X(PACKET_SIZE, "packet_size", NULL, "packet_bytes", "previous_bytes")                          \
    X(KEY_EPOCH, "key_epoch", "origin", "epoch", "next_number")                                    \
    X(KEYS_FORGOTTEN, "keys_forgotten", NULL, "epoch")                                             \
    X(STREAM_STATE, "stream_state", "stream_state", "stream", "offset", "close_code")              \
    X(FLOW_BLOCKED, "flow_blocked", "blocked_by", "stream", "limit")                               \
    X(DATAGRAMS_DROPPED, "datagrams_dropped", "datagram", "datagrams", "bytes")

enum stt_trace_type {
#define X(type, ...) STT_TRACE_##type,
    STT_TRACE_TYPES(X)
#undef X
        STT_TRACE_TYPE_COUNT
};

#define STT_TRACE_FIELDS 5
struct stt_trace_event {
    stt_ns at;
    uint64_t subject; /* the handle of the session, or 0: none */
    uint32_t type;    /* enum stt_trace_type */
    uint32_t code;
    uint64_t field[STT_TRACE_FIELDS];
};

/* What the parts of an event are called; `code` may be NULL: not used. */
struct stt_trace_row {
    const char *name, *code, *field[STT_TRACE_FIELDS];
};

/* NULL for a type that is not in the table. */
const struct stt_trace_row *stt_trace_row(uint32_t type);
/* What a code of this type is called; NULL where it is a plain number. */
const char *stt_trace_code(uint32_t type, uint32_t code);

/* A line for people, without its end: seconds, session, type, and everything by name. Answers its
 * length. */
#define STT_TRACE_TEXT_ROOM 320
size_t stt_trace_text(const struct stt_trace_event *event, char out[STT_TRACE_TEXT_ROOM]);

#ifdef __cplusplus
}
#endif
#endif
