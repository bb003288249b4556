/* SPDX-License-Identifier: MIT
 * link: one stream over a simulated path, in virtual time: what is asked for, and what came out. */
#ifndef TOOLS_STTBENCH_LINK_LINK_H
#define TOOLS_STTBENCH_LINK_LINK_H

#include "stt/stats.h"
#include "tools/sttbench/report/report.h"

enum { LINK_WHY_ROOM = 200, LINK_NAME_ROOM = 80, LINK_SEEDS_MAX = 1000, LINK_CONTROLLERS_MAX = 8 };

/* -- one run ----------------------------------------------------------------------------------- */

struct link_path {
    uint64_t rate_bits_per_s;
    stt_ns rtt_ns, jitter_ns;       /* jitter: at most, each way */
    uint32_t loss_ppm, reorder_ppm; /* each way */
    double queue_bdps;              /* before the bottleneck: of bandwidth x delay */
};

struct link_run {
    struct link_path path;
    const char *congestion;
    const char *preset; /* NULL: buffers that are never in the way */
    uint32_t payload;   /* of a UDP datagram */
    stt_ns time_ns;     /* of the stream: so long ... */
    uint64_t bytes;     /* ... or, if this is not 0, until all of these were read */
    uint64_t seed;
};

/* name, its unit as the end of the key, words, how people read it, what is worse, and whether that
 * is reported. */
#define LINK_FIGURES(X)                                                                            \
    X(goodput, bits_per_second, "goodput", BITS_PER_S, LESS, true)                                 \
    X(completion, ms, "completed after", MS, MORE, true)                                           \
    X(handshake, ms, "handshake", MS, MORE, false)                                                 \
    X(utilisation, percent, "bottleneck busy", PERCENT, LESS, false)                               \
    X(retransmitted, percent, "sent again", PERCENT, MORE, true)                                   \
    X(lost, percent, "lost by chance", PERCENT, MORE, false)                                       \
    X(dropped, percent, "dropped, the queue was full", PERCENT, MORE, false)                       \
    X(queue_mean, ms, "queueing delay, mean", MS, MORE, true)                                      \
    X(queue_p99, ms, "queueing delay, p99", MS, MORE, true)                                        \
    X(cpu, ms_per_virtual_s, "processor time for a second", MS, MORE, false)

enum link_figure {
#define X(name, unit, words, shown, worse, has_worst) LINK_##name,
    LINK_FIGURES(X)
#undef X
        LINK_FIGURES_N
};

struct link_result {
    enum exits exit; /* EXIT_DONE, or: */
    char why[LINK_WHY_ROOM];
    double figures[LINK_FIGURES_N];
    double time_s;                       /* of the stream */
    double held_percent[STT_HELD_COUNT]; /* of it */
    uint64_t hash;                       /* of everything that happened */
};

/* What a picture shows of a run: its beginning, and LINK_SAMPLES in even steps. */
enum { LINK_SAMPLES = 400 };
struct link_sample {
    double at_s, read_bytes, rate_bits_per_s, window_bytes, queue_ms;
};
struct link_trace {
    double time_s; /* of the run, known before: a run is the same each time */
    size_t n;
    struct link_sample samples[LINK_SAMPLES + 1];
};

/* Trace may be NULL. */
void link_measure(const struct link_run *run, struct link_result *result, struct link_trace *trace);

/* -- many of them ------------------------------------------------------------------------------ */

/* By as many processes as there are processors; each run is the same whoever does it. False: a
 * process could not be made, or has ended otherwise than by itself. */
bool link_measure_all(const struct link_run *runs, struct link_result *results, size_t n);

/* -- paths, and what is demanded of them ------------------------------------------------------- */

struct link_cell {
    struct link_path path;
    stt_ns time_ns;
    double demand_bits_per_s; /* NAN: nothing is demanded */
};
enum { LINK_MATRIX_N = 14 };
extern const struct link_cell link_matrix[LINK_MATRIX_N];

uint64_t link_bdp_bytes(const struct link_path *path);
/* "100 Mbit/s, 50 ms, 1 % loss" */
const char *link_path_name(const struct link_path *path, char out[LINK_NAME_ROOM]);

/* Of the seeds of one controller on one path. */
struct link_summary {
    double median[LINK_FIGURES_N], worst[LINK_FIGURES_N];
    double held_percent[STT_HELD_COUNT]; /* mean */
    size_t n;                            /* runs that came to their end */
    const struct link_result *failed;    /* the first that did not, or NULL */
    uint64_t hash;                       /* of the first seed */
};
void link_summarize(struct link_summary *s, const struct link_result *results, size_t n);

/* What it misses, as bits. */
enum {
    LINK_MISSES_GOODPUT = 1,
    LINK_MISSES_WORST = 2,
    LINK_MISSES_QUEUE = 4,
    LINK_MISSES_WASTE = 8
};
unsigned link_misses(const struct link_cell *cell, const struct link_summary *s);
/* "rate, queue"; "": nothing */
const char *link_misses_names(unsigned misses, char out[LINK_NAME_ROOM]);

/* -- telling ----------------------------------------------------------------------------------- */

struct link_job {
    const struct link_cell *cells;
    size_t n_cells;
    const char *controllers[LINK_CONTROLLERS_MAX];
    size_t n_controllers;
    uint32_t seeds;
    bool is_matrix, is_strict;          /* strict: what the best controller misses is an error */
    struct link_run like;               /* what all have in common; the first seed */
    const struct link_summary *results; /* n_cells x n_controllers */
    const struct link_trace *traces;    /* of each controller on the only path, or NULL */
};
struct report *link_report(const struct link_job *job);

#endif
