/* SPDX-License-Identifier: MIT
 * link: runs over simulated paths, many of them: what is demanded there, and what is told. */
#ifndef TOOLS_STTBENCH_LINK_LINK_H
#define TOOLS_STTBENCH_LINK_LINK_H

#include "tools/sttbench/link/run.h"
#include "tools/sttbench/report/report.h"

enum { LINK_NAME_ROOM = 96, LINK_SEEDS_MAX = 1000, LINK_CONTROLLERS_MAX = 8, LINK_DEMANDS_MAX = 4 };

/* -- many runs --------------------------------------------------------------------------------- */

/* By as many processes as there are processors; each run is the same whoever does it. False: a
 * process could not be made, or has ended otherwise than by itself. */
bool link_measure_all(const struct link_run *runs, struct link_result *results, size_t n);

/* Of the seeds of one controller on one path. */
struct link_summary {
    double median[LINK_FIGURES_N], worst[LINK_FIGURES_N];
    struct link_flow_result flows[LINK_FLOWS_MAX]; /* medians */
    double held_percent[STT_HELD_COUNT];           /* mean */
    size_t n;                                      /* runs that came to their end */
    const struct link_result *failed;              /* the first that did not, or NULL */
    uint64_t hash;                                 /* of the first seed */
};
void link_summarize(struct link_summary *s, const struct link_result *results, size_t n);

/* -- what is demanded -------------------------------------------------------------------------- */

/* Name, the figure, at least or at most, and of which of the seeds. */
#define LINK_DEMANDS(X)                                                                            \
    X(rate, goodput, LEAST, median)                                                                \
    X(worst, goodput, LEAST, worst)                                                                \
    X(queue, queue_mean, MOST, median)                                                             \
    X(waste, retransmitted, MOST, median)                                                          \
    X(share, share, LEAST, median)                                                                 \
    X(greed, share, MOST, median)                                                                  \
    X(jain, jain, LEAST, median)                                                                   \
    X(least, least, LEAST, median)                                                                 \
    X(loss, policed, MOST, median)                                                                 \
    X(drops, dropped, MOST, median)                                                                \
    X(delay, completion, MOST, median)                                                             \
    X(step, reached, MOST, median)                                                                 \
    X(settled, settled_queue, MOST, median)

enum link_demand_kind {
    LINK_DEMAND_none, /* behind the last of a cell */
#define X(name, figure, most, of) LINK_DEMAND_##name,
    LINK_DEMANDS(X)
#undef X
        LINK_DEMANDS_N
};

struct link_demand {
    enum link_demand_kind kind;
    double bound;
};

/* A path, who sends over it, and what shall come of it. */
struct link_cell {
    const char *group, *name; /* NULL: of no group; of the path alone */
    struct link_path path;
    const struct link_flow *flows;
    size_t n_flows;
    const struct link_step *steps;
    size_t n_steps;
    stt_ns time_ns, from_ns;
    struct link_demand demands[LINK_DEMANDS_MAX]; /* the first is of the main figure */
};

extern const struct link_cell link_matrix[];
extern const size_t link_matrix_n;
/* One flow without an end. */
extern const struct link_flow link_alone[1];

/* "100 Mbit/s, 50 ms, 1 % loss" */
const char *link_path_name(const struct link_path *path, char out[LINK_NAME_ROOM]);
/* "10 Mbit/s, 50 ms, no loss", and what the cell says of itself. */
const char *link_cell_name(const struct link_cell *cell, char out[LINK_NAME_ROOM]);

/* What it misses, as bits of kinds; what is not a number misses. */
unsigned link_misses(const struct link_cell *cell, const struct link_summary *s);
/* "rate, queue"; "": nothing */
const char *link_misses_names(unsigned misses, char out[LINK_NAME_ROOM]);
enum link_figure link_demand_figure(enum link_demand_kind kind);
bool link_demand_is_most(enum link_demand_kind kind);
/* Of the main figure: ">= 9.3 Mbit/s", "35 to 65 %"; "": nothing is demanded */
const char *link_demand_words(const struct link_cell *cell, char out[LINK_NAME_ROOM]);
const char *link_figure_words(enum link_figure figure, double value, char out[REPORT_VALUE_ROOM]);

/* -- telling ----------------------------------------------------------------------------------- */

struct link_job {
    const struct link_cell *cells;
    size_t n_cells;
    const char *controllers[LINK_CONTROLLERS_MAX];
    size_t n_controllers;
    uint32_t seeds;
    bool is_matrix, is_strict;          /* strict: what the best controller misses is an error */
    uint64_t bytes;                     /* of each tested flow; 0: without end */
    struct link_run like;               /* what all have in common; the first seed */
    const struct link_summary *results; /* n_cells x n_controllers */
    const struct link_trace *traces;    /* of each controller on the only path, or NULL */
};
struct report *link_report(const struct link_job *job);

#endif
