/* SPDX-License-Identifier: MIT
 * engine: two endpoints in one process and trains between them, from memory to memory, without a
 * kernel: one side works after the other, and each has a stopwatch of its own. */
#ifndef TOOLS_STTBENCH_ENGINE_ENGINE_H
#define TOOLS_STTBENCH_ENGINE_ENGINE_H

#include "stt/sim/memory.h"
#include "stt/streams.h"

enum { ENGINE_PACKET_BYTES = 1452 };

struct engine_load {
    const char *name;
    uint32_t streams;       /* open in the busy session */
    uint32_t idle_sessions; /* beside it */
    uint32_t in_flight;     /* packets; 0: what one train holds */
    uint64_t moved_bytes;   /* before anything is measured */
    bool all_send;          /* all streams, in turn */
    bool is_small;          /* what is written */
};

struct engine_side {
    struct stt_sim_process process; /* its memory is counted */
    struct stt_endpoint *ep;
    struct stt_address address;
    double ns;
};

struct engine_held;

struct engine {
    const struct engine_load *load;
    const struct stt_aead_suite *suite;
    struct engine_side a, b; /* a sends */
    stt_ns now;
    stt_handle session, *streams; /* of a */
    uint32_t turn;                /* whose it is to write */
    uint64_t moved, packets;
    bool is_timed;   /* else no clock is read */
    bool is_checked; /* what is read is compared with what was written */

    struct engine_held *held; /* a ring */
    uint32_t n_held, first_held, held_max;
    uint32_t hold; /* packets that must follow before an acknowledgement is delivered */
    uint64_t most_in_flight, heard; /* heard: of so many packets a has heard */
};

/* Whatever goes wrong ends the program, with a sentence. */
struct engine *engine_new(const struct engine_load *load, const struct stt_aead_suite *suite);
/* Also when it has not given back all of its memory. */
void engine_free(struct engine *x);

uint64_t engine_allocations(const struct engine *x); /* of both sides, until now */

/* Moves so much, or writes a number of small messages. */
void engine_run(struct engine *x, uint64_t bytes);
/* Until every limit was renewed, which is when a quarter of it is used, and the most that is ever
 * in flight has been: then runs take no memory anew. One that never comes to this is measured,
 * too. */
void engine_warm_up(struct engine *x, uint64_t run_bytes);

/* -- between its files ---------------------------------------------------------------------- */

/* What one side does. All that is measured goes through one of these two, which are called and
 * never inlined, so that a profiler can tell the sides apart. */
enum engine_work {
    ENGINE_WRITE,    /* a: the next bytes of the load */
    ENGINE_TRANSMIT, /* false: there was nothing */
    ENGINE_RECEIVE,  /* and read what came */
    ENGINE_EXPIRE,
};
bool engine_sender_works(struct engine *x, enum engine_work work, struct stt_train *train);
bool engine_receiver_works(struct engine *x, enum engine_work work, struct stt_train *train);

void engine_must(const char *what, int error);
void engine_settle(struct engine *x); /* until nothing moves any more */
uint32_t engine_holds(const struct engine_load *load);

/* Of the load. */
void engine_write_next(struct engine *x);
void engine_write_byte(struct engine *x, stt_handle stream);
/* Dies unless these are the next bytes of a stream that sends alone. */
void engine_check(const struct engine *x, const struct stt_part *part, uint64_t offset);

#endif
