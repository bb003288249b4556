/* SPDX-License-Identifier: MIT
 * lab: two endpoints and a path between them in virtual time, with a session in mode K.
 *
 *     struct lab_setup setup = {.seed = 1, .forth = {...}, .back = {...}};
 *     struct lab lab;
 *     if (!lab_begin(&lab, &setup)) ...            it was said why
 *     ... stt_stream_open(lab.eps[0], lab_now(&lab), lab.sessions[0], ...) ...
 *     lab_run_until(&lab, at, look, ctx);
 *     lab_end(&lab);
 *
 * The first begins the session. */
#ifndef TOOLS_STTBENCH_SHARED_LAB_H
#define TOOLS_STTBENCH_SHARED_LAB_H

#include "stt/sim.h"
#include "stt/streams.h"

struct lab_setup {
    uint64_t seed;
    struct stt_link_config forth, back;
    const char *congestion; /* NULL: as it comes */
    uint32_t max_streams;   /* 0: as it comes */
    bool is_null;           /* a cipher that costs nothing */
};

/* Must not move. */
struct lab {
    struct stt_sim *sim;
    stt_sim_node nodes[2];
    struct stt_endpoint *eps[2];
    struct stt_sim_pair links;
    stt_handle sessions[2]; /* 0: not there yet, or over */
};

bool lab_begin(struct lab *lab, const struct lab_setup *setup);
void lab_end(struct lab *lab);
stt_ns lab_now(const struct lab *lab);

/* Opens one from the first side; 0: it was said why. */
stt_handle lab_open(struct lab *lab, const struct stt_stream_options *options);
/* Something was done to this side's endpoint. */
void lab_touch(struct lab *lab, int side);

/* Calls `look` with each event of a stream, of either side, until it answers false or it is that
 * late; a side whose event was told is driven again. False: it failed, and was said why. */
bool lab_run_until(struct lab *lab, stt_ns at,
                   bool (*look)(void *ctx, int side, const struct stt_stream_event *event),
                   void *ctx);

#endif
