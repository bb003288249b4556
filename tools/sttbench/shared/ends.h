/* SPDX-License-Identifier: MIT
 * ends: two nodes in two processes, as pair_run() makes these: what nodes are made with, and how
 * they meet. What fails is told by pair_refuse(), and the answer is NULL, 0 or false. */
#ifndef TOOLS_STTBENCH_SHARED_ENDS_H
#define TOOLS_STTBENCH_SHARED_ENDS_H

#include "stt/node.h"
#include "stt/streams.h"

#include <stdatomic.h>

/* In the memory between them; zeros at first. */
struct ends_meeting {
    const char *address; /* of who listens, IPv4; NULL: 127.0.0.1 */
    struct stt_peer_id peer;
    atomic_uint port; /* 0: nobody listens yet */
};

/* What is not said is as it comes: NULL or 0. */
struct ends_wish {
    const char *suite; /* "null": none */
    const char *io, *preset;
    uint32_t packet_bytes; /* of all packets; nobody searches for larger ones */
    uint64_t ring_bytes;
    stt_ns spin_ns;
};
/* An identity of its own, mode K, and patience: a node that nobody steps for a while keeps its
 * sessions. False: there is no such suite here. */
bool ends_config(struct stt_node_config *config, const struct ends_wish *wish);
struct stt_node *ends_node(const struct stt_node_config *config);

/* On any port, which the other side learns. */
bool ends_listen(struct stt_node *node, const struct stt_node_config *config,
                 struct ends_meeting *meeting);
/* Waits until the other side listens, and for the handshake. */
stt_handle ends_connect(struct stt_node *node, struct ends_meeting *meeting);
stt_handle ends_open(struct stt_node *node, stt_handle session, uint8_t urgency);

/* Until something happens. Also pulls what happens to sessions: false when one has closed. */
bool ends_wait(struct stt_node *node);
/* Whether that is no error; what: "reading fails". */
bool ends_well(int error, const char *what);
/* Tells the other side, and waits for nothing. */
void ends_close(struct stt_node *node, stt_handle session);

#endif
