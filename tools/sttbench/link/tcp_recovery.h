/* SPDX-License-Identifier: MIT
 * tcp_recovery: what a TCP sender makes of acks, and of acks that do not come. */
#ifndef TOOLS_STTBENCH_LINK_TCP_RECOVERY_H
#define TOOLS_STTBENCH_LINK_TCP_RECOVERY_H

#include "tools/sttbench/link/tcp_sender.h"

void tcp_recovery_on_ack(struct tcp_sender *s, uint64_t now_us, const struct tcp_packet *ack);
void tcp_recovery_on_settled(struct tcp_sender *s, uint64_t now_us);
void tcp_recovery_on_timeout(struct tcp_sender *s, uint64_t now_us);

#endif
