/* SPDX-License-Identifier: MIT
 * scene: one path and who sends over it, as flags describe them. */
#ifndef TOOLS_STTBENCH_LINK_SCENE_H
#define TOOLS_STTBENCH_LINK_SCENE_H

#include "tools/common/options.h"
#include "tools/sttbench/link/link.h"

struct scene_wish {
    uint64_t rate, bytes, back_rate, police, police_burst, app_rate;
    stt_ns rtt, jitter, time, from, stagger, aggregate, reorder_by;
    const char *loss, *reorder, *queue, *mark, *vs;
    struct option_texts steps;
    uint32_t flows;
};

struct scene {
    struct link_cell cell; /* points into what follows */
    struct link_flow flows[LINK_FLOWS_MAX];
    struct link_step steps[LINK_STEPS_MAX];
    size_t n_rivals;
};

/* False: `why` is a sentence. */
bool scene_make(struct scene *s, const struct scene_wish *wish, char why[OPTION_WHY_ROOM]);

/* What tested flows may have of the goodput beside the others, in percent; false: nothing is
 * demanded of such a queue. */
bool scene_fair_share(const struct link_cell *cell, double *least, double *most);

#endif
