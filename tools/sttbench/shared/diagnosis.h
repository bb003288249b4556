/* SPDX-License-Identifier: MIT
 * diagnosis: what limited a run, and what to change, as one sentence, of what both ends have
 * counted about themselves.
 *
 *     struct diagnosis d = DIAGNOSIS_INIT;
 *     d.time_ns = time;
 *     diagnosis_add(&d, &stats_at_the_end, &stats_at_the_beginning);      each sending session
 *     d.sender.cpu_percent = ...; d.receiver.cpu_percent = ...;
 *     char sentence[DIAGNOSIS_ROOM];
 *     enum diagnosis_limit limit = diagnosis_find(&d, sentence);
 *     report_limited(r, "%s", sentence);
 *
 * What is not known stays as DIAGNOSIS_INIT has it, and is not spoken of. */
#ifndef TOOLS_STTBENCH_SHARED_DIAGNOSIS_H
#define TOOLS_STTBENCH_SHARED_DIAGNOSIS_H

#include "stt/stats.h"

#include <math.h>

/* With their names in JSON. */
#define DIAGNOSIS_LIMITS(X)                                                                        \
    X(UNKNOWN, "unknown")                                                                          \
    X(MEMORY, "memory")                                                                            \
    X(APPLICATION, "application")                                                                  \
    X(SENDER_CPU, "sender_cpu")                                                                    \
    X(RECEIVER_CPU, "receiver_cpu")                                                                \
    X(RECEIVER_SOCKET, "receiver_socket")                                                          \
    X(PEER_BUFFER, "peer_buffer")                                                                  \
    X(SEND_BUFFER, "send_buffer")                                                                  \
    X(INTERFACE, "interface")                                                                      \
    X(NETWORK, "network")

enum diagnosis_limit {
#define X(name, key) DIAGNOSIS_##name,
    DIAGNOSIS_LIMITS(X)
#undef X
        DIAGNOSIS_N
};

struct diagnosis_side {
    double cpu_percent;    /* of one processor, user and system; NAN: not known */
    double waited_percent; /* of the time: ready to run, and others had the processor; NAN */
    uint64_t socket_drops; /* datagrams that the kernel threw away: the socket's buffer was full */
    uint64_t memory_drops; /* packets and datagrams without memory for them */
};

struct diagnosis {
    stt_ns time_ns;
    stt_ns held_ns[STT_HELD_COUNT]; /* the sender's sessions, added up */
    stt_ns
        ring_full_ns;  /* of HELD_APPLICATION: it had more, and no room to write it, added up too */
    uint32_t sessions; /* that were added; diagnosis_add() counts */
    struct diagnosis_side sender, receiver;

    uint64_t packets_sent, packets_lost, packets_spurious; /* by the sender */
    stt_ns rtt_ns, rtt_min_ns;                             /* the worst of the sessions; 0 */
    double rate_bits_per_s;                                /* that was asked for (-b); NAN: none */
    const char *const *advice; /* what to change, by limit; NULL: by the options of -s and -c */
};
#define DIAGNOSIS_INIT                                                                             \
    {                                                                                              \
        .sender = {.cpu_percent = NAN, .waited_percent = NAN},                                     \
        .receiver = {.cpu_percent = NAN, .waited_percent = NAN}, .rate_bits_per_s = NAN            \
    }

/* Rows of that list which verbs with both ends on one machine have in common. */
#define DIAGNOSIS_ADVICE_HERE                                                                      \
    [DIAGNOSIS_RECEIVER_SOCKET] = "raise net.core.rmem_max; sttbench doctor says how",             \
    [DIAGNOSIS_PEER_BUFFER] = "take --preset high-throughput, whose buffers are larger",           \
    [DIAGNOSIS_NETWORK] = "run it longer (--time), and let sttbench doctor look at the socket "    \
                          "buffers if packets are lost"

enum { DIAGNOSIS_ROOM = 400 };

/* A session of the sender: what it did since `before`, which may be NULL. */
void diagnosis_add(struct diagnosis *d, const struct stt_session_stats *now,
                   const struct stt_session_stats *before);

enum diagnosis_limit diagnosis_find(const struct diagnosis *d, char sentence[DIAGNOSIS_ROOM]);
/* "sender_cpu" */
const char *diagnosis_name(enum diagnosis_limit limit);

#endif
