/* SPDX-License-Identifier: MIT
 * faults: what befalls hosts and links while the storm lasts, at times that the seed draws; and the
 * calm after it. */
#ifndef TOOLS_STTBENCH_CHAOS_FAULTS_H
#define TOOLS_STTBENCH_CHAOS_FAULTS_H

#include "tools/sttbench/chaos/attackers.h"
#include "tools/sttbench/chaos/host.h"

enum { FAULTS_MAX = 24 };

struct faults;

struct fault {
    struct faults *of;
    enum chaos_feature what;
    struct host *host; /* that it befalls */
    bool is_end;       /* of one that lasts */
};

struct faults {
    struct chaos *chaos;
    struct fault all[FAULTS_MAX], ends[FAULTS_MAX];
    size_t n;
    const struct attacker *ears;
    struct attackers_flood floods[FAULTS_MAX];
    size_t n_floods;
};

/* From now until it is calm. Must not move. */
void faults_plan(struct faults *f, struct chaos *c);
/* Everything is as it should be from now on. */
void faults_end(struct faults *f);

#endif
