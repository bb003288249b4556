/* SPDX-License-Identifier: MIT
 * sessions: many that do nothing: in memory, and between two nodes. */
#ifndef TOOLS_STTBENCH_SESSIONS_SESSIONS_H
#define TOOLS_STTBENCH_SESSIONS_SESSIONS_H

#include "tools/sttbench/bench.h"
#include "tools/sttbench/report/report.h"
#include "tools/sttbench/shared/ends.h"
#include "tools/sttbench/shared/figures.h"

enum { SESSIONS_SIDES = 2 }; /* who has begun them, who has answered */

struct sessions_side {
    double bytes;         /* of each session: what was allocated for it */
    double cpu_percent;   /* of one core, for keeping them alive */
    double packets_per_s; /* that this took */
};

/* -- from memory to memory, in virtual time ---------------------------------------------------- */

struct sessions_memory {
    const char *suite;
    uint32_t n, seconds;

    struct sessions_side sides[SESSIONS_SIDES];
    double rss_bytes;    /* that the process has grown by, for each session of each side */
    double establish_us; /* the processor's, both sides together, for each */
    uint32_t alive;
};
/* False, after a sentence; is_there: whether this machine has the suite. */
bool sessions_memory(struct sessions_memory *m, bool *is_there);

/* Bytes of each of n streams of one session that has carried something and is silent. */
bool sessions_streams(uint32_t n, double bytes[SESSIONS_SIDES]);

/* -- between two nodes in two processes -------------------------------------------------------- */

struct sessions_sockets { /* memory of pair_memory() */
    const char *suite, *io;
    uint32_t n;
    stt_ns time_ns;
    struct ends_meeting meeting;
    atomic_uint connected, idle_from, idle_until;

    double establish_s; /* all, 16 at once */
    struct sessions_side sides[SESSIONS_SIDES];
    uint32_t alive[SESSIONS_SIDES];
    char suite_is[32], io_is[16];
};
bool sessions_ask(void *sockets);
bool sessions_answer(void *sockets);

/* Resident memory of this process. */
double sessions_rss(void);

#endif
