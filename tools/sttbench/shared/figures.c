/* SPDX-License-Identifier: MIT
 * figures: owns nothing; sorts what it is given, and asks the kernel. */
#include "tools/sttbench/shared/figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double figures_median(double *values, size_t n)
{
    if (!n)
        return NAN;
    qsort(values, n, sizeof *values, by_size);
    return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

double figures_percentile(double *values, size_t n, double percent)
{
    if (!n)
        return NAN;
    qsort(values, n, sizeof *values, by_size);
    size_t rank = (size_t)ceil(percent / 100 * (double)n);
    return values[(rank ? rank : 1) - 1];
}

double figures_waited_ns(void)
{
    unsigned long long ran, waited;
    FILE *f = fopen("/proc/thread-self/schedstat", "re");
    int n = f ? fscanf(f, "%llu %llu", &ran, &waited) : 0;
    if (f)
        fclose(f);
    return n == 2 ? (double)waited : NAN;
}
