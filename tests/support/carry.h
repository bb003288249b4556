/* SPDX-License-Identifier: MIT
 * carry: files from one sttcat to another, in the current folder of programs.h.
 *
 *     carry_begin(&p);
 *     struct carry c = carry(&p, &(struct carry_plan){.give = "src", .take = "dst"});
 *     carry_require(&c, 0, 0);
 */
#ifndef TESTS_SUPPORT_CARRY_H
#define TESTS_SUPPORT_CARRY_H

#include "tests/support/programs.h"

struct carry_plan {
    bool is_pull;            /* who listens gives */
    const char *give, *take; /* what follows --send and --recv: paths, a directory, options */
    const char *before_give; /* in the shell, as "ulimit -f 1; exec"; or NULL */
    const char *before_take;
    const struct wan_config *wan; /* between them, or NULL */
    uint64_t seed;
};

struct carry {
    struct job *giver, *taker;
};

/* A seed that both know. */
void carry_begin(struct programs *p);
/* To the end of both; or they are on their way. */
struct carry carry(struct programs *p, const struct carry_plan *plan);
struct carry carry_start(struct programs *p, const struct carry_plan *plan);
void carry_require(const struct carry *c, int giver, int taker);

#endif
