/* SPDX-License-Identifier: MIT
 * matrix: owns the scenes in which controllers are compared, and what is demanded there. */
#include "tools/sttbench/link/link.h"

#define M(n) ((uint64_t)(n)*1000000)
#define PATH(mbit, ms, loss_percent)                                                               \
    .path = {.rate_bits_per_s = M(mbit),                                                           \
             .rtt_ns = STT_MS(ms),                                                                 \
             .loss_ppm = (uint32_t)((loss_percent)*10000 + 0.5),                                   \
             .queue_bdps = 1}
#define ALONE .flows = link_alone, .n_flows = 1

/* The worst of the seeds has so much of it; what others wait is this at one bandwidth x delay of
 * queue; and beyond what was lost, this is sent again. */
#define WORST_SHARE   0.6
#define QUEUE_MS      25
#define WASTE_PERCENT 2
#define GOODPUT(mbit, ms, loss_percent, s, demand)                                                 \
    {                                                                                              \
        .group = "goodput", PATH(mbit, ms, loss_percent), ALONE, .time_ns = STT_S(s), .demands = { \
            {LINK_DEMAND_rate, (demand)},                                                          \
            {LINK_DEMAND_worst, (demand)*WORST_SHARE},                                             \
            {LINK_DEMAND_queue, QUEUE_MS},                                                         \
            {LINK_DEMAND_waste, (loss_percent) + WASTE_PERCENT}                                    \
        }                                                                                          \
    }

const struct link_cell link_matrix[] = {
    GOODPUT(10, 50, 0, 20, 9.3e6),  GOODPUT(10, 50, 1, 20, 9.0e6),
    GOODPUT(10, 50, 5, 20, 8.3e6),  GOODPUT(10, 100, 0, 20, 9.1e6),
    GOODPUT(10, 100, 1, 20, 8.8e6), GOODPUT(10, 100, 5, 20, 8.0e6),
    GOODPUT(100, 50, 0, 20, 90e6),  GOODPUT(100, 50, 1, 20, 85e6),
    GOODPUT(100, 50, 5, 20, 75e6),  GOODPUT(100, 100, 0, 20, 86e6),
    GOODPUT(100, 100, 1, 20, 80e6), GOODPUT(100, 100, 5, 20, 68e6),
    GOODPUT(1000, 10, 0, 5, 900e6), GOODPUT(1000, 10, 0.1, 5, 800e6),
};
const size_t link_matrix_n = sizeof link_matrix / sizeof link_matrix[0];
