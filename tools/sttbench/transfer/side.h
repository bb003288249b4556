/* SPDX-License-Identifier: MIT
 * side: what this process has cost its machine, and what the machine has thrown away. */
#ifndef TOOLS_STTBENCH_TRANSFER_SIDE_H
#define TOOLS_STTBENCH_TRANSFER_SIDE_H

#include "stt/node.h"
#include "tools/sttbench/shared/diagnosis.h"
#include "tools/sttbench/transfer/talk.h"

/* Since the process began; the difference of two is what a test has cost. */
struct side_seen {
    struct talk_side figures;   /* socket_drops: trains */
    uint64_t trains, datagrams; /* that came */
};
void side_look(struct side_seen *out, const struct stt_node *node);
struct talk_side side_since(const struct side_seen *now, const struct side_seen *before);

/* As percent of one processor, for what people read. */
struct side_cpu {
    double total, user, system;
};
struct side_cpu side_cpu(const struct talk_side *s);
struct diagnosis_side side_diagnosis(const struct talk_side *s);

/* The receive buffer and the send buffer of a socket, as the kernel granted them. */
void side_buffers(const struct stt_node *node, uint64_t *receive, uint64_t *send);

#endif
