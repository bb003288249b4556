/* SPDX-License-Identifier: MIT
 * memory: what a simulated process is given by its machine: counted memory and seeded entropy. */
#ifndef STT_SIM_MEMORY_H
#define STT_SIM_MEMORY_H

#include "stt/base/env.h"
#include "stt/sim.h"
#include "transport/sim/rng.h"

struct stt_sim_process {
    struct stt_env env; /* points back to this struct, which therefore must not move */
    struct stt_sim *sim;
    uint32_t node;
    struct stt_net_rng rng; /* never begins anew, so that no restart repeats what it drew */
    struct stt_sim_memory memory;
    bool is_forked, is_dry; /* dry: no entropy */
    void *trace_ctx;
    void (*trace)(void *ctx, const struct stt_trace_event *event);
    void (*key_log)(void *ctx, const struct stt_key_log *key);
};

void stt_sim_process_init(struct stt_sim_process *p, struct stt_sim *sim, uint32_t node,
                          uint64_t seed);
/* Its keys are told from now on; NULL: they are not, as at first. */
void stt_sim_process_log_keys(struct stt_sim_process *p,
                              void (*key_log)(void *ctx, const struct stt_key_log *key));

#endif
