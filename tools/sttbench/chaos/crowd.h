/* SPDX-License-Identifier: MIT
 * crowd: many scenarios, in processes that each run some of them. Where one crashes or hangs, that
 * seed has failed and the next go on. Neither the hash nor the verdicts depend on how many
 * processes there are. */
#ifndef TOOLS_STTBENCH_CHAOS_CROWD_H
#define TOOLS_STTBENCH_CHAOS_CROWD_H

#include "tools/sttbench/chaos/scenario.h"

enum {
    CROWD_JOBS_MAX = 64,
    CROWD_FAILURES_MAX = 64, /* that are named, of one process */
};

struct crowd_failure {
    uint64_t seed;
    char text[CHAOS_FAILURE_ROOM];
};

struct crowd_wish {
    uint64_t seed, count; /* the scenarios of seed to seed + count - 1 */
    uint32_t jobs;
    bool tells;
};

struct crowd_result {
    uint64_t passed, failed, hash;
    struct tally tally;
    struct crowd_failure failures[CROWD_JOBS_MAX * CROWD_FAILURES_MAX];
    uint32_t n_failures; /* that are named */
};

/* False: there is none, and errno says why. */
bool crowd_run(const struct crowd_wish *wish, struct crowd_result *result);

#endif
