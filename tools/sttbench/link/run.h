/* SPDX-License-Identifier: MIT
 * run: flows over one simulated bottleneck, in virtual time: what is asked for, and what came out.
 *
 * Time counts from 0, when the sessions of the flows that begin then are up. */
#ifndef TOOLS_STTBENCH_LINK_RUN_H
#define TOOLS_STTBENCH_LINK_RUN_H

#include "stt/stats.h"
#include "tools/common/exits.h"

enum { LINK_WHY_ROOM = 200, LINK_FLOWS_MAX = 128, LINK_STEPS_MAX = 16, LINK_HEADERS = 28 };

/* -- what is asked for ------------------------------------------------------------------------- */

struct link_path {
    uint64_t rate_bits_per_s;
    stt_ns rtt_ns, jitter_ns;       /* jitter: at most, each way */
    uint32_t loss_ppm, reorder_ppm; /* each way */
    double queue_bdps;              /* before the bottleneck: of bandwidth x delay */
    stt_ns reorder_ns;              /* the overtaken come so much later; 0: a fifth of rtt_ns */
    stt_ns aggregate_ns;            /* acks arrive at multiples of this alone */
    uint64_t back_rate_bits_per_s;  /* 0: as forth */
    uint64_t police_bits_per_s;     /* a token bucket before the queue */
    uint32_t police_burst_bytes;
    double mark_bdps; /* of queue: from there on packets are marked; 0: never */
};

struct link_flow {
    const char *control;      /* of a session, by name; LINK_TCP: no session at all; NULL: the one
                                 that is tested */
    stt_ns rtt_ns;            /* 0: the path's */
    stt_ns from_ns, until_ns; /* 0: the run's beginning and its end */
    uint64_t bytes;           /* 0: without end */
    uint64_t rate_bits_per_s; /* the application writes no more, in pieces each 20 ms; 0: all that
                                 it may */
};
/* CUBIC as a Linux kernel has it, and its TCP. */
#define LINK_TCP "tcp"

/* From then on; 0: as before. What is on its way keeps its time, and the queue its bytes. */
struct link_step {
    stt_ns at_ns;
    uint64_t rate_bits_per_s;
    stt_ns rtt_ns;
};

struct link_run {
    struct link_path path;
    const struct link_flow *flows; /* 1 to LINK_FLOWS_MAX; all but the first begin up to a round
                                      trip later, by the seed */
    size_t n_flows;
    const struct link_step *steps; /* up to LINK_STEPS_MAX, in their order */
    size_t n_steps;
    const char *congestion; /* that is tested */
    const char *preset;     /* NULL: buffers that are never in the way */
    uint32_t payload;       /* of a UDP datagram */
    stt_ns time_ns;         /* so long, or until all was read where each tested flow has an end */
    stt_ns from_ns;         /* goodput, queue and so on are of the time from here on */
    uint64_t seed;
};

uint64_t link_bdp_bytes(const struct link_path *path);
/* What the bottleneck lets through, with headers. */
uint64_t link_carries(const struct link_path *path);

/* -- what came out ----------------------------------------------------------------------------- */

/* Name, its unit as the end of the key, words, how people read it, what is worse, and whether that
 * is reported. Of the tested flows, if it is of flows: those without an end, or if each has one,
 * all. */
#define LINK_FIGURES(X)                                                                            \
    X(goodput, bits_per_second, "goodput", BITS_PER_S, LESS, true)                                 \
    X(share, percent, "share of all flows' goodput", PERCENT, LESS, true)                          \
    X(jain, index, "Jain's index of fairness", PLAIN, LESS, true)                                  \
    X(least, percent, "least flow, of an equal share", PERCENT, LESS, true)                        \
    X(completion, ms, "completed after", MS, MORE, true)                                           \
    X(reached, ms, "after a step, full again in", MS, MORE, true)                                  \
    X(settled_queue, bdps, "queue from 2 s after a step on, at most", PLAIN, MORE, true)           \
    X(handshake, ms, "handshake", MS, MORE, false)                                                 \
    X(utilisation, percent, "bottleneck busy", PERCENT, LESS, false)                               \
    X(retransmitted, percent, "sent again", PERCENT, MORE, true)                                   \
    X(lost, percent, "lost by chance", PERCENT, MORE, false)                                       \
    X(dropped, percent, "dropped, the queue was full", PERCENT, MORE, false)                       \
    X(policed, percent, "dropped by the policer", PERCENT, MORE, false)                            \
    X(marked, percent, "marked", PERCENT, MORE, false)                                             \
    X(queue_mean, ms, "queueing delay, mean", MS, MORE, true)                                      \
    X(queue_p99, ms, "queueing delay, p99", MS, MORE, true)                                        \
    X(queue_max, ms, "queueing delay, at most", MS, MORE, false)                                   \
    X(cpu, ms_per_virtual_s, "processor time for a second", MS, MORE, false)

enum link_figure {
#define X(name, unit, words, shown, worse, has_worst) LINK_##name,
    LINK_FIGURES(X)
#undef X
        LINK_FIGURES_N
};

struct link_flow_result {
    double goodput_bits_per_s, share_percent; /* of the measured time */
    double retransmitted_percent;
    double completion_ms; /* from its beginning, or so long at least; NAN: it has no end */
};

struct link_result {
    enum exits exit; /* EXIT_DONE, or: */
    char why[LINK_WHY_ROOM];
    double figures[LINK_FIGURES_N]; /* NAN: there is none */
    struct link_flow_result flows[LINK_FLOWS_MAX];
    double time_s;                       /* of the run */
    double held_percent[STT_HELD_COUNT]; /* of the first tested flow's time */
    uint64_t hash;                       /* of everything that happened */
};

/* What a picture shows of a run: its beginning, and LINK_SAMPLES in even steps; of the first
 * LINK_TRACED_MAX flows. */
enum { LINK_SAMPLES = 400, LINK_TRACED_MAX = 16 };
struct link_flow_sample {
    double read_bytes, rate_bits_per_s, window_bytes;
};
struct link_trace {
    double time_s; /* of the run, known before: a run is the same each time */
    size_t n;
    double at_s[LINK_SAMPLES + 1], queue_ms[LINK_SAMPLES + 1];
    struct link_flow_sample flows[LINK_TRACED_MAX][LINK_SAMPLES + 1];
};

/* Trace may be NULL. */
void link_measure(const struct link_run *run, struct link_result *result, struct link_trace *trace);

#endif
