/* SPDX-License-Identifier: MIT
 * L1: what a node counts, for people, for programs, and for Prometheus.
 *
 * Each number stands once in a list, with the words that people read; its unit is the end of its
 * name. So a program prints all of them without a list of its own:
 *
 *     struct stt_node_stats stats;
 *     stt_node_stats(node, &stats);
 *     #define X(kind, name, words) printf("%-40s %" PRIu64 "\n", words, stats.name);
 *     STT_NODE_STATS(X)
 *     #undef X
 *
 * What single sessions do is in stt/stats.h. All but stt_node_metrics_listen() are for the node's
 * thread. */
#ifndef STT_METRICS_H
#define STT_METRICS_H

#include "stt/error.h"
#include "stt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct stt_node;

/* GAUGE: how it is now. COUNTER: since the node was made; it only grows. DROP: the same, of
 * datagrams and packets that were thrown away, for this reason. */
#define STT_NODE_STATS(X)                                                                          \
    X(GAUGE, sessions, "sessions, those that are being made included")                             \
    X(GAUGE, half_open, "handshakes that are being answered")                                      \
    X(GAUGE, pending, "other handshakes under way")                                                \
    X(GAUGE, streams, "streams open")                                                              \
    X(COUNTER, handshakes_started, "handshakes started here")                                      \
    X(COUNTER, handshakes_answered, "handshakes answered")                                         \
    X(COUNTER, handshakes_confirmed, "sessions accepted and confirmed")                            \
    X(COUNTER, cookies_sent, "cookies demanded of strangers under load")                           \
    X(COUNTER, bytes_received, "bytes received in datagrams")                                      \
    X(COUNTER, bytes_sent, "bytes sent in datagrams")                                              \
    X(COUNTER, datagrams_received, "datagrams received")                                           \
    X(COUNTER, datagrams_sent, "datagrams sent")                                                   \
    X(DROP, dropped_short_datagram, "too short")                                                   \
    X(DROP, dropped_unknown_version, "of another version")                                         \
    X(DROP, dropped_unknown_session, "of no session here")                                         \
    X(DROP, dropped_mode_not_armed, "handshakes in a mode that is not answered")                   \
    X(DROP, dropped_over_budget, "handshakes above the limits of an endpoint")                     \
    X(DROP, dropped_bad_mac1, "handshakes of who does not know whom it asks")                      \
    X(DROP, dropped_bad_mac2, "handshakes with a wrong cookie")                                    \
    X(DROP, dropped_replayed_ephemeral, "handshakes that came before")                             \
    X(DROP, dropped_half_open_full, "handshakes when too many were under way")                     \
    X(DROP, dropped_not_allowed, "of peers that are not on the allow-list")                        \
    X(DROP, dropped_bad_handshake, "handshakes that are malformed or forged")                      \
    X(DROP, dropped_bad_parameters, "handshakes with parameters that cannot be")                   \
    X(DROP, dropped_no_key, "no key for them")                                                     \
    X(DROP, dropped_bad_tag, "forged or damaged")                                                  \
    X(DROP, dropped_replayed_packet, "copies or too old")                                          \
    X(DROP, dropped_no_memory, "no memory for them")                                               \
    X(DROP, dropped_own_packet, "of our own, come back")                                           \
    X(GAUGE, sockets, "sockets open")                                                              \
    X(GAUGE, socket_receive_bytes, "receive buffer that the system granted, least of all sockets") \
    X(GAUGE, socket_send_bytes, "send buffer that the system granted, least of all sockets")       \
    X(COUNTER, no_way, "trains that no socket could carry")                                        \
    X(COUNTER, too_large, "trains larger than the interface takes")                                \
    X(COUNTER, unsent, "trains refused for other reasons")                                         \
    X(COUNTER, handed_over, "datagrams that came here and went to another worker")                 \
    X(COUNTER, taken_over, "datagrams that another worker handed over")                            \
    X(COUNTER, handover_dropped, "datagrams of another worker that it had no room for")            \
    X(COUNTER, io_trains_received, "trains that came")                                             \
    X(COUNTER, io_datagrams_received, "datagrams in them")                                         \
    X(COUNTER, io_bytes_received, "bytes in trains that came")                                     \
    X(COUNTER, io_truncated, "datagrams that did not fit, or without a usable address")            \
    X(COUNTER, io_trains_sent, "trains that the kernel took")                                      \
    X(COUNTER, io_datagrams_sent, "datagrams in trains that the kernel took")                      \
    X(COUNTER, io_bytes_sent, "bytes in trains that the kernel took")                              \
    X(COUNTER, io_refused, "trains that the kernel refused")                                       \
    X(COUNTER, io_held_back, "sends tried again, the system had no room")                          \
    X(COUNTER, io_out_of_buffers, "times that receiving stopped for lack of buffers")              \
    X(COUNTER, io_overflows, "times that completions did not fit their queue")                     \
    X(COUNTER, io_gso_off, "sockets on which segmentation was switched off")                       \
    X(COUNTER, io_receive_errors, "errors of receiving, and of strangers' ICMP")                   \
    X(COUNTER, io_steps, "steps of the driver")                                                    \
    X(COUNTER, io_waits, "steps that had to wait")

struct stt_node_stats {
#define X(kind, name, words) uint64_t name;
    STT_NODE_STATS(X)
#undef X
    const char *io; /* "uring" or "mmsg" */
};
void stt_node_stats(const struct stt_node *node, struct stt_node_stats *out);

/* One sentence with the command that gives the sockets the buffers which the node wants; false:
 * they have them. For the log of a daemon, after it listens. */
#define STT_NODE_HINT_ROOM 256
bool stt_node_hint(const struct stt_node *node, char out[STT_NODE_HINT_ROOM]);

/* The numbers in Prometheus' text format 0.0.4, always in the same order. Answers the length of
 * the whole text without its final zero; where that is not below `room` the text is cut off. */
#define STT_NODE_METRICS_ROOM 16384 /* is enough */
size_t stt_node_metrics(const struct stt_node *node, char *out, size_t room);

/* Serves that text at http://127.0.0.1:port/metrics, to this machine alone, in a thread of its own,
 * until the node is freed; call it before the node is stepped by another thread. Port 0 is any,
 * *bound says which; may be NULL. Whoever asks gets what the node's next step sees; 503, if there
 * is none for a while. STT_E_EXISTS: somebody has that port; STT_E_STATE: it is served already. */
int stt_node_metrics_listen(struct stt_node *node, uint16_t port, uint16_t *bound) STT_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
