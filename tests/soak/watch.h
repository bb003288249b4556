/* SPDX-License-Identifier: MIT
 * watch: what must hold in each quiet moment and over each quiet time. */
#ifndef TESTS_SOAK_WATCH_H
#define TESTS_SOAK_WATCH_H

#include "tests/soak/soak.h"

/* A stretch without a word, from watch_begin to watch_end. */
struct watch {
    stt_ns from;
    uint64_t events, expires[SOAK_HOSTS];
    struct stt_session_stats stats[SOAK_RESIDENTS][SOAK_SIDES];
};

void watch_begin(struct soak *x, struct watch *w);
void watch_end(struct soak *x, const struct watch *w);

/* Once an hour, when it is quiet. */
void watch_sessions(struct soak *x);
void watch_memory(struct soak *x);

#endif
