/* SPDX-License-Identifier: MIT
 * cast: who takes part: two processes for each flow, one in each network, and a board in the memory
 * between them on which they write what they have come to. */
#ifndef TESTS_BENCH_RIVALS_CAST_H
#define TESTS_BENCH_RIVALS_CAST_H

#include "tests/bench/rivals/nets.h"
#include "tests/bench/rivals/scene.h"
#include "tools/sttbench/shared/ends.h"

#include <stdatomic.h>
#include <sys/types.h>

/* Of one flow. The receiver writes bytes, the sender the rest. */
struct cast_seat {
    struct scene_flow flow;
    struct ends_meeting meeting;
    _Atomic uint64_t began_ns; /* of the relay's clock: the handshake is over; 0: not yet */
    _Atomic uint64_t bytes;    /* that were read, in order */
    _Atomic uint64_t window_bytes, rtt_ns, threshold_bytes; /* 0: not known */
    _Atomic uint64_t resent_bytes;
    atomic_bool is_different; /* what was read is not what was written */
};

struct cast_board {
    stt_ns epoch_ns, until_ns; /* of the relay's clock */
    uint64_t most_bytes;       /* that may be on their way at once */
    enum stt_io io;
    size_t n_seats;
    struct cast_seat seats[SCENE_FLOWS_MAX];
};

struct cast {
    struct cast_board *board;
    pid_t pids[2 * SCENE_FLOWS_MAX];
};

/* Everybody waits for the time to begin; false: it was said why. */
bool cast_start(struct cast *c, const struct scene *s, const struct nets *n, enum stt_io io);
/* Ends all; answers how many had ended before, and not well. */
unsigned cast_stop(struct cast *c);

/* Whether this process now comes before those that do not ask for it. */
bool cast_hurry(int priority);
void cast_sleep_until(stt_ns at);
/* Until when this flow sends. */
stt_ns cast_deadline(const struct cast_board *b, const struct cast_seat *seat);

/* One process each, in its network. False: it was said why. */
bool tcp_send(struct cast_board *b, struct cast_seat *seat);
bool tcp_receive(struct cast_board *b, struct cast_seat *seat);
bool stt_send(struct cast_board *b, struct cast_seat *seat);
bool stt_receive(struct cast_board *b, struct cast_seat *seat);

enum { CAST_SAMPLE_MS = 20 };

#endif
