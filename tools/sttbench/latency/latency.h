/* SPDX-License-Identifier: MIT
 * latency: what the two processes of a run share, and the parts of the verb. */
#ifndef TOOLS_STTBENCH_LATENCY_LATENCY_H
#define TOOLS_STTBENCH_LATENCY_LATENCY_H

#include "tools/sttbench/bench.h"
#include "tools/sttbench/report/report.h"
#include "tools/sttbench/shared/ends.h"
#include "tools/sttbench/shared/figures.h"

enum latency_load {
    LATENCY_IDLE,
    LATENCY_EQUAL,  /* a bulk stream in the same session, as urgent as the echo's */
    LATENCY_URGENT, /* the echo's comes first */
};

/* In the order in which they take turns. */
#define LATENCY_CASES(X)                                                                           \
    X(RAW_BLOCKING, "raw_blocking", true, false, IDLE)                                             \
    X(STT_BLOCKING, "stt_blocking", false, false, IDLE)                                            \
    X(RAW_SPINNING, "raw_spinning", true, true, IDLE)                                              \
    X(STT_SPINNING, "stt_spinning", false, true, IDLE)                                             \
    X(STT_BLOCKING_EQUAL, "stt_blocking_bulk", false, false, EQUAL)                                \
    X(STT_BLOCKING_URGENT, "stt_blocking_bulk_urgent", false, false, URGENT)                       \
    X(STT_SPINNING_EQUAL, "stt_spinning_bulk", false, true, EQUAL)                                 \
    X(STT_SPINNING_URGENT, "stt_spinning_bulk_urgent", false, true, URGENT)

enum latency_case_id {
#define X(id, name, is_raw, spins, load) LATENCY_##id,
    LATENCY_CASES(X)
#undef X
        LATENCY_N
};
struct latency_case {
    const char *name;
    bool is_raw, spins;
    enum latency_load load;
};
extern const struct latency_case latency_cases[LATENCY_N];

enum {
    LATENCY_ROUNDS = 10,
    LATENCY_SAMPLES = 1 << 14, /* of a slice; further ones are not kept */
    LATENCY_WARM = 50,         /* round trips of a slice that do not count */
    LATENCY_BYTES = 64,
};

/* One case in one round. */
struct latency_slice {
    uint32_t n, lost;        /* lost: raw datagrams that nobody answered */
    uint64_t packets, trips; /* STT's, both ways; trips that took them, warm or not */
    double bulk_bytes, bulk_s;
    float us[LATENCY_SAMPLES];
};

struct latency_run {
    const char *suite, *io; /* wanted; NULL: the best */
    stt_ns slice_ns;
    bool is_wanted[LATENCY_N];
    stt_ns spin_ns;                  /* of the nodes that spin */
    struct ends_meeting meetings[2]; /* of the nodes that block, and that spin */
    atomic_uint raw_ports[2];        /* of who asks, and who answers */
    char suite_is[32], io_is[16];
    struct latency_slice slices[LATENCY_ROUNDS][LATENCY_N];
};

/* The two processes; false: it was said why. */
bool latency_ask(void *run);
bool latency_answer(void *run);

/* A message: a number, then the same bytes always. */
void latency_fill(uint8_t message[LATENCY_BYTES], uint64_t number, bool is_last);
bool latency_is_last(const uint8_t message[LATENCY_BYTES]);
/* Keeps how long this one took, once it is warm. */
void latency_keep(struct latency_slice *slice, uint64_t number, double began_ns, double now_ns);

/* Plain UDP. */
int latency_raw_socket(struct latency_run *run, int end); /* 0 asks, 1 answers; -1: said why */
bool latency_raw_ask(int fd, bool spins, stt_ns slice_ns, struct latency_slice *slice);
bool latency_raw_answer(int fd, bool spins);

/* The same question on a slow link, in virtual time. */
struct latency_link {
    uint64_t rate_bits_per_s;
    stt_ns rtt_ns, time_ns;
    const char *congestion;
    bool is_urgent;
};
struct latency_link_figures {
    double p50_ms, p99_ms, max_ms, bulk_bits_per_s;
    size_t n;
};
bool latency_link(const struct latency_link *link, struct latency_link_figures *figures);

#endif
