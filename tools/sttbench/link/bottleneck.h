/* SPDX-License-Identifier: MIT
 * bottleneck: the one link that all flows of a run share, the one back, and what is seen there. */
#ifndef TOOLS_STTBENCH_LINK_BOTTLENECK_H
#define TOOLS_STTBENCH_LINK_BOTTLENECK_H

#include "stt/sim.h"
#include "tools/sttbench/link/run.h"

enum { BOTTLENECK_BINS = 4096 };

struct bottleneck {
    struct stt_sim *sim;
    const struct link_run *run;
    struct link_path path; /* as it is now */
    stt_ns own_rtt_ns;     /* of the two links alone, at first */
    uint32_t queue_bytes;
    stt_sim_link forth, back;

    stt_ns since; /* measured; later the last change of the rate */
    double bits;  /* that could have been carried from the beginning until then */
    struct stt_link_stats before;
    double queue_ns_sum, queue_ns_max, queue_ns_limit;
    uint64_t n_looks, bins[BOTTLENECK_BINS + 1]; /* how often the queue was so long */
};

void bottleneck_init(struct bottleneck *b, struct stt_sim *sim, const struct link_run *run);
/* Both ways; what the round trip has more than the bottleneck's own lies at `from`. */
void bottleneck_route(struct bottleneck *b, const struct stt_address *from,
                      const struct stt_address *to, stt_ns rtt_ns);
void bottleneck_step(struct bottleneck *b, const struct link_step *step);

/* What a packet of somebody else's would wait now. */
double bottleneck_queue_ns(const struct bottleneck *b);

/* What was seen until now is forgotten. */
void bottleneck_begin(struct bottleneck *b);
void bottleneck_look(struct bottleneck *b); /* at the queue: at even times */
void bottleneck_take(struct bottleneck *b, double figures[LINK_FIGURES_N]);

#endif
