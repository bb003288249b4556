/* SPDX-License-Identifier: MIT
 * flow: who sends over the bottleneck: a session between two endpoints, with one stream that is
 * filled as fast as it may be and read at once, or a TCP connection. */
#ifndef TOOLS_STTBENCH_LINK_FLOW_H
#define TOOLS_STTBENCH_LINK_FLOW_H

#include "tools/sttbench/link/bottleneck.h"
#include "tools/sttbench/link/run.h"

struct flow {
    const struct link_flow *want;
    const struct link_run *run;
    struct stt_sim *sim;
    const char *control;
    struct tcp_flow *tcp; /* in place of a session, from flow_begin_at() on */
    struct stt_identity server_identity;
    struct stt_address from, to;
    stt_sim_node client, server;
    stt_handle session, stream, arriving;
    bool is_tested, is_tcp, is_accepted, is_due, is_broken, is_different, is_over;
    uint64_t written, read, may_write;
    stt_ns due, began, done, asked; /* STT_NEVER: not yet */
};

struct flow_count {
    uint64_t read_bytes, again_bytes;
};

/* The control that a flow has in this run. */
const char *flow_control(const struct link_run *run, const struct link_flow *want);

/* Its endpoints and their routes. False: result says why. */
bool flow_add(struct flow *f, struct bottleneck *b, size_t number, struct link_result *result);
/* Asks for a session; again, if there was one asked for and it is broken. */
bool flow_connect(struct flow *f);
bool flow_is_up(const struct flow *f);
/* At that time its stream begins, or as soon as its session is up; or a TCP asks for a connection.
 * False: no memory. */
bool flow_begin_at(struct flow *f, stt_ns at);
/* Deals with what came. */
void flow_serve(struct flow *f);
/* Sees whether a TCP has ended; asked for each millisecond. */
void flow_look(struct flow *f);
/* When there is no sim any more. */
void flow_end(struct flow *f);

uint64_t flow_read_bytes(const struct flow *f);
struct flow_count flow_count(const struct flow *f);
void flow_sample(const struct flow *f, struct link_flow_sample *out);
bool flow_stats(const struct flow *f, struct stt_session_stats *out);

#endif
