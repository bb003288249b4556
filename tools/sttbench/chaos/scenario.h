/* SPDX-License-Identifier: MIT
 * scenario: everything that one seed says, from the first packet to the last byte given back.
 *
 *     storm: hosts talk, faults befall them     calm: all is repaired, and everything that lives
 *     must come to its end in bounded time      farewell: sessions are closed, nothing is left */
#ifndef TOOLS_STTBENCH_CHAOS_SCENARIO_H
#define TOOLS_STTBENCH_CHAOS_SCENARIO_H

#include "tools/sttbench/chaos/chaos.h"

struct scenario_result {
    uint64_t hash; /* of every event, packet and byte of it */
    struct tally tally;
    char failure[CHAOS_FAILURE_ROOM]; /* empty: it passed */
};

void scenario_run(uint64_t seed, bool tells, struct scenario_result *result);

#endif
