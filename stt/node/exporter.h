/* SPDX-License-Identifier: MIT
 * exporter: serves a node's metrics to this machine, over HTTP, in a thread of its own. */
#ifndef STT_NODE_EXPORTER_H
#define STT_NODE_EXPORTER_H

#include "stt/node.h"

struct stt_exporter;

/* On 127.0.0.1. */
int stt_exporter_new(struct stt_exporter **out, struct stt_node *node, uint16_t port,
                     uint16_t *bound) STT_MUST_USE;
/* Ends its thread, which never takes long; before the node's mailbox goes. NULL: nothing. */
void stt_exporter_free(struct stt_exporter *e);

#endif
