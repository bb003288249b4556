/* SPDX-License-Identifier: MIT
 * bulk: as many bytes as go through one stream in some time, from one process to another over
 * loopback, with a stopwatch on each side. */
#ifndef TOOLS_STTBENCH_CPU_BULK_H
#define TOOLS_STTBENCH_CPU_BULK_H

#include "stt/node.h"
#include "stt/stats.h"
#include "tools/common/options.h"
#include "tools/sttbench/cpu/parts.h"
#include "tools/sttbench/shared/pair.h"

struct bulk_wish {
    stt_ns time_ns;
    const struct stt_aead_suite *suite;
    enum stt_io io;
    const char *preset;
    uint32_t packet_bytes;
    bool verifies;
};

struct bulk_end {
    struct parts parts;
    uint64_t bytes, hash, packets;
    char io[16];
    char why[OPTION_WHY_ROOM]; /* of what failed; "": nothing */
};

/* What the two processes and their parent share. */
struct bulk {
    struct bulk_wish wish;
    struct stt_peer_id peer;
    atomic_uint port;
    struct bulk_end sender, receiver;
    struct stt_session_stats stats; /* of the sender's session */
};

/* For pair_run(); memory is a struct bulk. */
bool bulk_send(void *memory);
bool bulk_receive(void *memory);

#endif
