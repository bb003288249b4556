/* SPDX-License-Identifier: MIT
 * scene: what is to be measured: a path, what happens to it meanwhile, and who shares it. The words
 * are those of `sttbench link`. */
#ifndef TESTS_BENCH_RIVALS_SCENE_H
#define TESTS_BENCH_RIVALS_SCENE_H

#include "stt/simnet.h"
#include "tools/common/options.h"

enum { SCENE_FLOWS_MAX = 32, SCENE_STEPS_MAX = 8, SCENE_NAME_ROOM = 32, SCENE_MTU = 1480 };

struct scene_flow {
    char name[SCENE_NAME_ROOM]; /* as it was given, "tcp:cubic" */
    bool is_tcp, is_tested;
    const char *congestion; /* the kernel's name, or the library's */
    stt_ns start_ns, duration_ns;
};

/* From then on; 0: as before. */
struct scene_step {
    stt_ns at_ns;
    uint64_t rate_bits_per_s;
    stt_ns rtt_ns;
};

struct scene {
    uint64_t rate_bits_per_s, back_rate_bits_per_s, police_bits_per_s, police_burst_bytes;
    stt_ns rtt_ns, jitter_ns, aggregate_ns, reorder_ns;
    double queue_bdps, mark_bdps; /* mark 0: nothing is marked */
    uint32_t loss_ppm, reorder_ppm;
    stt_ns time_ns, from_ns; /* figures are of what happens between from and time */
    uint64_t seed;
    struct scene_flow flows[SCENE_FLOWS_MAX];
    size_t n_flows;
    struct scene_step steps[SCENE_STEPS_MAX];
    size_t n_steps;
};

/* "tide", "cubic@5s", "tcp:bbr@5s+20s": a name, when it begins, for how long. The kernel's are
 * called tcp, tcp:cubic and tcp:bbr, all others are ours, stt-cubic, too. All are tested. */
bool scene_add_flow(struct scene *s, const char *text, char why[OPTION_WHY_ROOM]);
/* All of --cc and --vs: the tested ones first, who begin after the others. */
struct scene_cast {
    const char *tested, *vs; /* "cubic,bbr"; vs may be NULL */
    uint32_t n_tested;       /* of each name */
    stt_ns stagger_ns;
};
bool scene_add_cast(struct scene *s, const struct scene_cast *c, char why[OPTION_WHY_ROOM]);
/* "10s:10M", "10s:rtt=200ms". */
bool scene_add_step(struct scene *s, const char *text, char why[OPTION_WHY_ROOM]);

/* Each way, as after the first n steps. */
struct stt_link_config scene_forth(const struct scene *s, size_t steps);
struct stt_link_config scene_back(const struct scene *s, size_t steps);
/* Of the path as it is at first. */
uint64_t scene_bdp_bytes(const struct scene *s);
/* Bytes, with the queue, whatever the steps. */
uint64_t scene_most_under_way(const struct scene *s);

#endif
