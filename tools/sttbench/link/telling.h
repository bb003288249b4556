/* SPDX-License-Identifier: MIT
 * telling: what the parts of the report share. */
#ifndef TOOLS_STTBENCH_LINK_TELLING_H
#define TOOLS_STTBENCH_LINK_TELLING_H

#include "tools/sttbench/link/link.h"

#define LINK_FULL_PERCENT 90 /* from here on the path itself is the limit */

static inline const struct link_summary *link_summary_of(const struct link_job *job, size_t cell,
                                                         size_t controller)
{
    return &job->results[cell * job->n_controllers + controller];
}

static inline bool link_has_several(const struct link_job *job)
{
    return !job->is_matrix && job->cells[0].n_flows > 1;
}

/* "tide", "TCP cubic", and with a number where there are several of them. */
const char *link_flow_name(const struct link_cell *cell, const char *tested, size_t flow,
                           char out[LINK_NAME_ROOM]);

void link_tell_flows(struct report *r, const struct link_job *job);
void link_tell_matrix(struct report *r, const struct link_job *job);
void link_tell_results(struct report *r, const struct link_job *job);
void link_draw_matrix(struct report *r, const struct link_job *job);
void link_draw_traces(struct report *r, const struct link_job *job);
void link_diagnose(struct report *r, const struct link_job *job);

#endif
