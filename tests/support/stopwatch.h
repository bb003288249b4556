/* SPDX-License-Identifier: MIT
 * stopwatch: what a measurement took. The core never sees it. */
#ifndef TESTS_SUPPORT_STOPWATCH_H
#define TESTS_SUPPORT_STOPWATCH_H

#include <time.h>

static inline double stopwatch_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Since whenever. */
static inline double wall_ns(void)
{
    return stopwatch_ns(CLOCK_MONOTONIC);
}

static inline double wall_seconds(void)
{
    return wall_ns() * 1e-9;
}

/* Of this process, all threads together. */
static inline double cpu_seconds(void)
{
    return stopwatch_ns(CLOCK_PROCESS_CPUTIME_ID) * 1e-9;
}

#endif
