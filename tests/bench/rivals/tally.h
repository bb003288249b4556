/* SPDX-License-Identifier: MIT
 * tally: what was seen: the board every 100 ms, and the queue every millisecond. */
#ifndef TESTS_BENCH_RIVALS_TALLY_H
#define TESTS_BENCH_RIVALS_TALLY_H

#include "tests/bench/rivals/cast.h"
#include "tests/bench/rivals/relay.h"

enum { TALLY_BINS = 8192 };
#define TALLY_STEP_NS STT_MS(100)

struct tally_seat {
    uint64_t bytes, window_bytes, threshold_bytes, rtt_ns, resent_bytes;
};
struct tally_row {
    double queue_ms, drops; /* queue: mean since the last row */
    struct tally_seat seats[SCENE_FLOWS_MAX];
};

struct tally {
    const struct scene *scene;
    struct cast_board *board;
    struct relay *relay;
    struct tally_row *rows; /* the first is that of the epoch */
    size_t n, room;
    size_t n_steps; /* of the scene, that have happened */

    double queue_ns_sum, row_ns_sum;
    uint64_t looks, row_looks, bins[TALLY_BINS + 1]; /* of BIN_NS each */
    struct stt_link_stats at_from;                   /* of the way forth */
};

void tally_init(struct tally *t, const struct scene *s, struct cast_board *b, struct relay *r);
/* The relay's hook. */
void tally_look(void *ctx, stt_ns now);
void tally_fini(struct tally *t);

/* Of flow i, between from and the end of the scene or its own. */
struct tally_figures {
    double seconds, bits_per_s, rtt_ms, resent_percent;
};
struct tally_figures tally_figures(const struct tally *t, size_t i);
double tally_queue_mean_ms(const struct tally *t);
double tally_queue_percentile_ms(const struct tally *t, double percent);

/* A line for each row. False: it was said why. */
bool tally_trace(const struct tally *t, const char *path);

#endif
