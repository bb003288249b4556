/* SPDX-License-Identifier: MIT
 * matrix: owns the scenes in which controllers are compared, and what is demanded there. */
#include "tools/sttbench/link/link.h"

#define M(n)         ((uint64_t)(n)*1000000)
#define N(a)         (sizeof(a) / sizeof((a)[0]))
#define PPM(percent) ((uint32_t)((percent)*10000 + 0.5))

#define PATH(mbit, ms, loss_percent, queue)                                                        \
    .path.rate_bits_per_s = M(mbit), .path.rtt_ns = STT_MS(ms),                                    \
    .path.loss_ppm = PPM(loss_percent), .path.queue_bdps = (queue)
#define ALONE       .flows = link_alone, .n_flows = 1
#define FLOWS(a)    .flows = (a), .n_flows = N(a)
#define STEPS(a)    .steps = (a), .n_steps = N(a)
#define TIME(s)     .time_ns = STT_S(s)
#define SINCE(s, t) .from_ns = STT_S(s), .time_ns = STT_S(t)
#define DEMAND(name, bound)                                                                        \
    {                                                                                              \
        LINK_DEMAND_##name, (bound)                                                                \
    }

/* -- who sends --------------------------------------------------------------------------------- */

#define LATE STT_S(5) /* whoever is tested comes to a path that another one has */
static const struct link_flow beside_tcp[] = {{.from_ns = LATE}, {.control = LINK_TCP}};
static const struct link_flow beside_bbr[] = {{.from_ns = LATE}, {.control = "bbr"}};

#define OWN(s)                                                                                     \
    {                                                                                              \
        .from_ns = STT_S(s)                                                                        \
    }
static const struct link_flow own_2[] = {OWN(0), OWN(3)};
static const struct link_flow own_4[] = {OWN(0), OWN(2), OWN(4), OWN(6)};
static const struct link_flow own_8[] = {OWN(0), OWN(1), OWN(2), OWN(3),
                                         OWN(4), OWN(5), OWN(6), OWN(7)};
static const struct link_flow near_and_far[] = {{.rtt_ns = STT_MS(100)},
                                                {.rtt_ns = STT_MS(10), .from_ns = STT_S(3)}};

#define SLOW_BITS_PER_S M(20)
static const struct link_flow slow[] = {{.rate_bits_per_s = SLOW_BITS_PER_S}};
static const struct link_flow slow_beside_tcp[] = {
    {.rate_bits_per_s = SLOW_BITS_PER_S, .from_ns = LATE}, {.control = LINK_TCP}};

/* A long flow, and one of 50 KB each quarter of a second. */
#define SHORT(n)                                                                                   \
    {                                                                                              \
        .from_ns = STT_S(2) + (n)*STT_MS(250), .bytes = 50000                                      \
    }
#define SHORT_5(n)  SHORT(n), SHORT(n + 1), SHORT(n + 2), SHORT(n + 3), SHORT(n + 4)
#define SHORT_25(n) SHORT_5(n), SHORT_5(n + 5), SHORT_5(n + 10), SHORT_5(n + 15), SHORT_5(n + 20)
static const struct link_flow short_and_long[] = {
    {0}, SHORT_25(0), SHORT_25(25), SHORT_25(50), SHORT_25(75)};

/* -- how paths change -------------------------------------------------------------------------- */

static const struct link_step up[] = {{.at_ns = STT_S(10), .rate_bits_per_s = M(100)}};
static const struct link_step down[] = {{.at_ns = STT_S(10), .rate_bits_per_s = M(10)}};
static const struct link_step farther[] = {{.at_ns = STT_S(10), .rtt_ns = STT_MS(200)},
                                           {.at_ns = STT_S(25), .rtt_ns = STT_MS(20)}};

/* -- the scenes -------------------------------------------------------------------------------- */

/* The worst of the seeds has so much of the goodput; what others wait is this at one bandwidth x
 * delay of queue; and beyond what was lost, so much is sent again. */
#define WORST_SHARE   0.6
#define QUEUE_MS      25
#define WASTE_PERCENT 2
#define GOODPUT(mbit, ms, loss, s, demand)                                                         \
    {                                                                                              \
        .group = "goodput", PATH(mbit, ms, loss, 1), ALONE, TIME(s), .demands = {                  \
            DEMAND(rate, demand),                                                                  \
            DEMAND(worst, (demand)*WORST_SHARE),                                                   \
            DEMAND(queue, QUEUE_MS),                                                               \
            DEMAND(waste, (loss) + WASTE_PERCENT)                                                  \
        }                                                                                          \
    }

/* Behind a queue that is ten times too long, half a round trip. */
#define DEEP(mbit, ms, loss, demand)                                                               \
    {                                                                                              \
        .group = "deep", .name = "10 BDP", PATH(mbit, ms, loss, 10), ALONE, TIME(30), .demands = { \
            DEMAND(queue, (ms)*0.5),                                                               \
            DEMAND(rate, demand),                                                                  \
            DEMAND(waste, (loss) + WASTE_PERCENT)                                                  \
        }                                                                                          \
    }

#define SHALLOW(mbit, bdps)                                                                        \
    {                                                                                              \
        .group = "shallow", .name = #bdps " BDP", PATH(mbit, 50, 0, bdps), ALONE, TIME(20),        \
        .demands = {                                                                               \
            DEMAND(rate, (mbit)*0.85e6),                                                           \
            DEMAND(waste, WASTE_PERCENT)                                                           \
        }                                                                                          \
    }

#define BESIDE(mbit, bdps, least, most)                                                            \
    {                                                                                              \
        .group = "beside", .name = #bdps " BDP, beside TCP", PATH(mbit, 50, 0, bdps),              \
        FLOWS(beside_tcp), SINCE(15, 65), .demands = {                                             \
            DEMAND(share, least),                                                                  \
            DEMAND(greed, most)                                                                    \
        }                                                                                          \
    }
#define BESIDE_ALL(mbit)                                                                           \
    BESIDE(mbit, 0.05, 0, 75), BESIDE(mbit, 0.1, 0, 75), BESIDE(mbit, 0.2, 0, 75),                 \
        BESIDE(mbit, 0.5, 25, 75), BESIDE(mbit, 1, 35, 65), BESIDE(mbit, 2, 25, 75),               \
        BESIDE(mbit, 4, 25, 75)

#define FAIR(flows_, words, loss)                                                                  \
    {                                                                                              \
        .group = "fair", .name = words, PATH(100, 50, loss, 1), FLOWS(flows_), SINCE(15, 45),      \
        .demands = {                                                                               \
            DEMAND(jain, 0.95),                                                                    \
            DEMAND(waste, (loss) + WASTE_PERCENT)                                                  \
        }                                                                                          \
    }

#define POLICED(words, burst)                                                                      \
    {                                                                                              \
        .group = "policer", .name = words, PATH(100, 50, 0, 1), .path.police_bits_per_s = M(20),   \
        .path.police_burst_bytes = (burst), ALONE, TIME(30), .demands = {                          \
            DEMAND(rate, 17e6),                                                                    \
            DEMAND(loss, 3)                                                                        \
        }                                                                                          \
    }

#define MARKED(mbit, words, bdps)                                                                  \
    {                                                                                              \
        .group = "marks", .name = words, PATH(mbit, 50, 0, 1), .path.mark_bdps = (bdps), ALONE,    \
        TIME(20), .demands = {                                                                     \
            DEMAND(rate, (mbit)*0.85e6),                                                           \
            DEMAND(queue, QUEUE_MS),                                                               \
            DEMAND(drops, 0.5)                                                                     \
        }                                                                                          \
    }

/* The queue holds what the faster of the two rates has in a round trip. */
#define STEP(words, mbit, queue, loss, steps_)                                                     \
    {                                                                                              \
        .group = "steps", .name = words, PATH(mbit, 50, loss, queue), ALONE, STEPS(steps_),        \
        TIME(25), .demands = {                                                                     \
            DEMAND(step, 2000),                                                                    \
            DEMAND(settled, 2)                                                                     \
        }                                                                                          \
    }

#define BURSTS(mbit, ms, every, words)                                                             \
    {                                                                                              \
        .group = "bursts", .name = words, PATH(mbit, ms, 0, 1),                                    \
        .path.aggregate_ns = STT_MS(every), ALONE, TIME(20), .demands = {                          \
            DEMAND(rate, (mbit)*0.85e6),                                                           \
            DEMAND(queue, QUEUE_MS),                                                               \
            DEMAND(waste, WASTE_PERCENT)                                                           \
        }                                                                                          \
    }

#define BESIDE_BBR(bdps)                                                                           \
    {                                                                                              \
        .group = "bbr", .name = #bdps " BDP, beside bbr", PATH(100, 50, 0, bdps),                  \
        FLOWS(beside_bbr), SINCE(15, 45), .demands = {                                             \
            DEMAND(share, 20)                                                                      \
        }                                                                                          \
    }

const struct link_cell link_matrix[] = {
    GOODPUT(10, 50, 0, 20, 9.3e6),
    GOODPUT(10, 50, 1, 20, 9.0e6),
    GOODPUT(10, 50, 5, 20, 8.3e6),
    GOODPUT(10, 100, 0, 20, 9.1e6),
    GOODPUT(10, 100, 1, 20, 8.8e6),
    GOODPUT(10, 100, 5, 20, 8.0e6),
    GOODPUT(100, 50, 0, 20, 90e6),
    GOODPUT(100, 50, 1, 20, 85e6),
    GOODPUT(100, 50, 5, 20, 75e6),
    GOODPUT(100, 100, 0, 20, 86e6),
    GOODPUT(100, 100, 1, 20, 80e6),
    GOODPUT(100, 100, 5, 20, 68e6),
    GOODPUT(1000, 10, 0, 5, 900e6),
    GOODPUT(1000, 10, 0.1, 5, 800e6),
    DEEP(10, 50, 0, 9.3e6),
    DEEP(10, 100, 1, 8.8e6),
    DEEP(100, 50, 0, 90e6),
    DEEP(100, 50, 1, 85e6),
    SHALLOW(10, 0.05),
    SHALLOW(10, 0.1),
    SHALLOW(10, 0.2),
    SHALLOW(100, 0.05),
    SHALLOW(100, 0.1),
    SHALLOW(100, 0.2),
    BESIDE_ALL(10),
    BESIDE_ALL(100),
    FAIR(own_2, "2 flows", 0),
    FAIR(own_4, "4 flows", 0),
    FAIR(own_8, "8 flows", 0),
    FAIR(own_2, "2 flows", 1),
    FAIR(own_4, "4 flows", 1),
    FAIR(own_8, "8 flows", 1),
    POLICED("policer 20 Mbit/s, 30 KB", 30000),
    POLICED("policer 20 Mbit/s, 125 KB", 125000),
    MARKED(10, "marks from 0.2 BDP", 0.2),
    MARKED(100, "marks from 0.1 BDP", 0.1),
    STEP("then 100 Mbit/s", 10, 10, 0, up),
    STEP("then 10 Mbit/s", 100, 1, 0, down),
    STEP("then 100 Mbit/s", 10, 10, 1, up),
    {.group = "steps",
     .name = "then 200, then 20 ms",
     PATH(100, 20, 0, 5),
     ALONE,
     STEPS(farther),
     TIME(35),
     .demands = {DEMAND(step, 5000), DEMAND(settled, 2)}},
    {.group = "reorder",
     .name = "25 % late by 10 ms",
     PATH(100, 50, 0, 1),
     .path.reorder_ppm = PPM(25),
     .path.reorder_ns = STT_MS(10),
     ALONE,
     TIME(20),
     .demands = {DEMAND(rate, 85e6), DEMAND(queue, QUEUE_MS), DEMAND(waste, WASTE_PERCENT)}},
    BURSTS(100, 50, 5, "acks each 5 ms"),
    BURSTS(100, 50, 20, "acks each 20 ms"),
    BURSTS(100, 20, 20, "acks each 20 ms"),
    {.group = "slow",
     .name = "writes 20 Mbit/s",
     PATH(100, 50, 0, 1),
     FLOWS(slow),
     TIME(20),
     .demands = {DEMAND(rate, 19e6), DEMAND(queue, 10), DEMAND(waste, WASTE_PERCENT)}},
    {.group = "slow",
     .name = "writes 20 Mbit/s, beside TCP",
     PATH(100, 50, 0, 1),
     FLOWS(slow_beside_tcp),
     SINCE(15, 45),
     .demands = {DEMAND(rate, 18e6), DEMAND(waste, WASTE_PERCENT)}},
    {.group = "short",
     .name = "100 short, 1 long flow",
     PATH(100, 50, 0, 1),
     FLOWS(short_and_long),
     SINCE(2, 30),
     .demands = {DEMAND(delay, 400), DEMAND(rate, 80e6)}},
    {.group = "rtt",
     .name = "10 beside 100 ms",
     PATH(100, 50, 0, 1),
     FLOWS(near_and_far),
     SINCE(15, 45),
     .demands = {DEMAND(least, 40)}},
    BESIDE_BBR(0.5),
    BESIDE_BBR(1),
    BESIDE_BBR(4),
    {.group = "satellite",
     .name = "3 Mbit/s back",
     PATH(250, 600, 0, 1),
     .path.back_rate_bits_per_s = M(3),
     ALONE,
     SINCE(15, 32),
     .demands = {DEMAND(rate, 212e6), DEMAND(waste, WASTE_PERCENT)}},
    {.group = "satellite",
     .name = "250 Mbit/s back",
     PATH(3, 600, 0, 1),
     .path.back_rate_bits_per_s = M(250),
     ALONE,
     SINCE(15, 60),
     .demands = {DEMAND(rate, 2.55e6), DEMAND(waste, WASTE_PERCENT)}},
    {.group = "uplink",
     .name = "1 BDP",
     PATH(1, 50, 0, 1),
     ALONE,
     TIME(30),
     .demands = {DEMAND(rate, 0.85e6)}},
    {.group = "uplink",
     .name = "10 BDP",
     PATH(1, 50, 0, 10),
     ALONE,
     TIME(30),
     .demands = {DEMAND(queue, 50), DEMAND(rate, 0.85e6), DEMAND(waste, WASTE_PERCENT)}},
    {.group = "fast",
     PATH(10000, 1, 0, 1),
     ALONE,
     .from_ns = STT_MS(200),
     .time_ns = STT_MS(800),
     .demands = {DEMAND(rate, 8.5e9), DEMAND(waste, WASTE_PERCENT)}},
};
const size_t link_matrix_n = N(link_matrix);
