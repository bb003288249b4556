/* SPDX-License-Identifier: MIT
 * side: as many bytes as go through one stream in some time, from one process to another over
 * loopback, with a stopwatch on each side. */
#ifndef TOOLS_STTBENCH_CPU_SIDE_H
#define TOOLS_STTBENCH_CPU_SIDE_H

#include "tools/sttbench/cpu/parts.h"
#include "tools/sttbench/shared/bulk.h"

struct side_end {
    struct parts parts;
    uint64_t bytes, hash, packets;
};

/* What the two processes and their parent share. */
struct sides {
    struct ends_wish wish;
    stt_ns time_ns;
    bool verifies;
    struct ends_meeting meeting;
    struct side_end sender, receiver;
    struct stt_session_stats stats; /* of the sender's session */
    char suite[32], io[16];         /* what it was */
};

/* For pair_run(); memory is a struct sides. */
bool side_send(void *memory);
bool side_receive(void *memory);

#endif
