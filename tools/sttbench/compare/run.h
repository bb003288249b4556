/* SPDX-License-Identifier: MIT
 * run: one run of one system between two processes, measured alike for all of them. The sender
 * starts the clock with its first byte; after the warm-up each end looks at time, processor and
 * bytes, and once more when the time is over. Then the sender ends the stream, and the receiver
 * takes what is left. */
#ifndef TOOLS_STTBENCH_COMPARE_RUN_H
#define TOOLS_STTBENCH_COMPARE_RUN_H

#include "stt/stats.h"
#include "tools/sttbench/compare/rows.h"
#include "tools/sttbench/shared/ends.h"

#include <stdatomic.h>

/* How a train gets into the kernel and out of it. */
enum run_way { RUN_CALLS, RUN_SPINNING, RUN_WAYS };
extern const char *const run_way_names[RUN_WAYS];

struct run_setup {
    const char *suite;   /* by its name; NULL: none */
    const char *address; /* of the receiver: IPv4 */
    double warm_s, timed_s;
    uint32_t packet_bytes; /* of UDP payload */
    uint32_t window;       /* trains that may be under way, without a protocol */
    enum run_way way;
    bool hashes;
    bool copies;  /* the application's bytes are elsewhere, and are copied first */
    uint32_t mss; /* of TCP; 0: the path's */

    const char *io, *preset; /* of STT */
    uint64_t ring_bytes;     /* 0: the preset's */
    stt_ns spin_ns;
};

struct run_reading {
    double wall_s, cpu_s;
    uint64_t bytes;
};

enum run_side { RUN_SENDER, RUN_RECEIVER };
struct run_end {
    struct run_reading first, last;
    uint32_t n;           /* readings */
    uint64_t bytes, hash; /* of the whole run */
};

enum { RUN_HASHES = 1 << 16 };

/* What both processes see. */
struct run {
    struct run_setup setup;
    struct ends_meeting meeting;
    atomic_ullong began_ns; /* 0: not yet */
    atomic_uint is_over;
    atomic_uint is_wrong; /* other bytes came than were sent */
    struct run_end ends[2];
    uint64_t packets_lost;
    struct stt_session_stats stats;      /* STT's sender's */
    char how[32];                        /* "uring" */
    _Atomic uint64_t hashes[RUN_HASHES]; /* of packets, by number, where some may be lost */
};

/* In the sender, before its first byte. */
void run_begin(struct run *r);
/* Looks at the clock, once in a while. False: the sender is to end the stream. */
bool run_goes_on(struct run *r, enum run_side side, uint64_t bytes);

/* What became of a run. */
enum run_verdict {
    RUN_FINE,
    RUN_WRONG, /* other bytes came than were sent */
    RUN_FAILED,
    RUN_CUT, /* it ended before its time */
};
/* is_lossy: not all has to come, and packets are checked one by one. is_done: so says pair_run().
 */
enum run_verdict run_judge(const struct run *r, bool is_lossy, bool is_done);

/* Of a run that is over. What the sender did is counted against what came in the same time. */
void run_sample(const struct run *r, struct rows_sample *out);

/* What everybody sends: up to RUN_PIECE_BYTES from here, others at each place; small enough to stay
 * in the cache. */
enum { RUN_PIECE_BYTES = 128 << 10 };
const uint8_t *run_piece(uint64_t at);

/* The systems: each end of each, for pair_run(). */
bool session_send(void *memory);
bool session_receive(void *memory);
bool trains_send(void *memory);
bool trains_receive(void *memory);
bool tcp_send(void *memory);
bool tcp_receive(void *memory);
bool tls_send(void *memory);
bool tls_receive(void *memory);

#endif
