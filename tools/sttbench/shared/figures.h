/* SPDX-License-Identifier: MIT
 * figures: many measurements become a few numbers. */
#ifndef TOOLS_STTBENCH_SHARED_FIGURES_H
#define TOOLS_STTBENCH_SHARED_FIGURES_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Both sort the values. NAN where there are none. */
double figures_median(double *values, size_t n);
double figures_percentile(double *values, size_t n, double percent); /* nearest rank */

/* In which this thread was ready to run, and others had the processor; NAN: nobody says. */
double figures_waited_ns(void);

static inline double figures_clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}
static inline double figures_wall_s(void)
{
    return figures_clock_ns(CLOCK_MONOTONIC) * 1e-9;
}
static inline double figures_cpu_s(void) /* of all threads */
{
    return figures_clock_ns(CLOCK_PROCESS_CPUTIME_ID) * 1e-9;
}

#endif
