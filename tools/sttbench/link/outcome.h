/* SPDX-License-Identifier: MIT
 * outcome: how the flows of a run shared the path, and how long they took. */
#ifndef TOOLS_STTBENCH_LINK_OUTCOME_H
#define TOOLS_STTBENCH_LINK_OUTCOME_H

#include "tools/sttbench/link/flow.h"

struct outcome {
    const struct flow *flows;
    const struct flow_count *before; /* of each, when what is measured began */
    size_t n_flows;
    stt_ns from, ended; /* what is measured */
    struct link_result *result;
};

/* Whether each tested flow has an end, and so the run. */
bool outcome_has_end(const struct flow *flows, size_t n);
/* Fills in the flows of the result, and those of its figures that are of flows. */
void outcome_take(const struct outcome *o);

#endif
