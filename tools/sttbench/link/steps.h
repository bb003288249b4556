/* SPDX-License-Identifier: MIT
 * steps: how a run went on after each change of its path. */
#ifndef TOOLS_STTBENCH_LINK_STEPS_H
#define TOOLS_STTBENCH_LINK_STEPS_H

#include "tools/sttbench/link/run.h"

enum { STEPS_BINS = 8192 };
#define STEPS_SETTLED_NS STT_S(2)

struct steps {
    const struct link_run *run;
    stt_ns bin_ns;
    size_t n;
    double read_bytes[STEPS_BINS + 1],
        queue_ms[STEPS_BINS + 1]; /* until then; in the bin, at most */
};

void steps_init(struct steps *s, const struct link_run *run);
/* At even times; read: by all tested flows so far. */
void steps_look(struct steps *s, stt_ns at, double read_bytes, double queue_ms);

/* The longest that it took after a step until the goodput of windows of max(4 round trips, 100 ms)
 * was 0.85 of what the path carries, three times in a row; if it never was, until the next step. */
double steps_reached_ms(const struct steps *s);
/* The longest queue from 2 s after a step to the next, in bandwidth x delay of then. Both are NAN
 * where there is no step. */
double steps_settled_queue_bdps(const struct steps *s);

#endif
