/* SPDX-License-Identifier: MIT
 * L0: what a session did, and what held it back. Spec 06, "Statistics", says what each number is.
 *
 * Each stands once in a list, with the words that people read; its unit is the end of its name. So
 * a program prints all of them, in words or as JSON, without a list of its own:
 *
 *     struct stt_session_stats stats;
 *     if (stt_session_stats(ep, now, session, &stats) == STT_OK) {
 *     #define X(name, words) printf("%-40s %" PRIu64 "\n", words, stats.name);
 *         STT_SESSION_STATS(X)
 *     #undef X
 *     } */
#ifndef STT_STATS_H
#define STT_STATS_H

#include "stt/endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the next byte waits for; the first that applies counts. Hands its rows to ROW with X. */
#define STT_HELD_BY(ROW, X)                                                                        \
    ROW(X, APPLICATION, application, "the application")                                            \
    ROW(X, STREAM_FLOW, stream_flow, "the flow control of its streams")                            \
    ROW(X, SESSION_FLOW, session_flow, "the flow control of the session")                          \
    ROW(X, PATH, path, "the path")                                                                 \
    ROW(X, WINDOW, window, "the congestion window")                                                \
    ROW(X, PACER, pacer, "the pacer")                                                              \
    ROW(X, CARRIER, carrier, "the carrier")                                                        \
    ROW(X, MACHINE, machine, "this machine")

enum stt_held_by {
#define ROW(X, upper, name, words) STT_HELD_##upper,
    STT_HELD_BY(ROW, )
#undef ROW
        STT_HELD_COUNT
};

/* "the congestion window"; never NULL. */
const char *stt_held_text(enum stt_held_by by);

#define STT_HELD_STAT(X, upper, name, words) X(held_by_##name##_ns, "held back by " words)
#define STT_SESSION_STATS(X)                                                                       \
    X(age_ns, "open for")                                                                          \
    X(bytes_sent, "bytes sent")                                                                    \
    X(bytes_received, "bytes received")                                                            \
    X(packets_sent, "packets sent")                                                                \
    X(packets_received, "packets received")                                                        \
    X(packets_dropped, "packets dropped")                                                          \
    X(dropped_no_key, "dropped, no key for them")                                                  \
    X(dropped_bad_tag, "dropped, forged or damaged")                                               \
    X(dropped_replayed_packet, "dropped, copies or too old")                                       \
    X(dropped_no_room, "dropped, no room for them")                                                \
    X(bytes_delivered, "bytes delivered")                                                          \
    X(bytes_consumed, "bytes read")                                                                \
    X(bytes_retransmitted, "bytes sent again")                                                     \
    X(packets_lost, "packets lost")                                                                \
    X(packets_spurious, "packets late, not lost")                                                  \
    X(ptos, "probe timeouts")                                                                      \
    X(delivered_bytes_per_s, "delivered, last second")                                             \
    X(consumed_bytes_per_s, "read, last second")                                                   \
    X(delivered_mean_bytes_per_s, "delivered, mean")                                               \
    X(consumed_mean_bytes_per_s, "read, mean")                                                     \
    X(rtt_ns, "round trip")                                                                        \
    X(rtt_min_ns, "round trip, least")                                                             \
    X(rtt_var_ns, "round trip, deviation")                                                         \
    X(window_bytes, "congestion window")                                                           \
    X(rate_bytes_per_s, "pacing rate")                                                             \
    X(in_flight_bytes, "in flight")                                                                \
    X(packet_bytes, "packet size")                                                                 \
    X(streams_open, "streams open")                                                                \
    X(ce_received, "congestion marks received")                                                    \
    X(path_changes, "path changes")                                                                \
    X(epochs, "key updates")                                                                       \
    X(rekeys, "rekeyings")                                                                         \
    STT_HELD_BY(STT_HELD_STAT, X)

/* window_bytes and rate_bytes_per_s are UINT64_MAX where the controller sets none. */
struct stt_session_stats {
#define X(name, words) uint64_t name;
    STT_SESSION_STATS(X)
#undef X
};
/* As long as the handle is good, also after the session has closed: then age_ns stands. The last
 * time to ask is when CLOSED has been pulled, before the next event is. */
int stt_session_stats(const struct stt_endpoint *ep, stt_ns now, stt_handle session,
                      struct stt_session_stats *out) STT_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
