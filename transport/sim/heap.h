/* SPDX-License-Identifier: MIT
 * heap: ordinary memory for the simulator. It ends the program when the machine has none: that is
 * not among the simulated faults. */
#ifndef STT_TRANSPORT_SIM_HEAP_H
#define STT_TRANSPORT_SIM_HEAP_H

#include "stt/base/env.h"

/* Only its two hooks of ordinary memory are set. */
extern const struct stt_env stt_net_env;

/* The array, with room for one more than n elements of `each` bytes. */
void *stt_net_more(void *array, size_t n, size_t *room, size_t each);

#endif
