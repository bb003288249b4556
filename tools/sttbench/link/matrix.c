/* SPDX-License-Identifier: MIT
 * matrix: owns the paths on which controllers are compared, what is demanded there, and whether it
 * is met. */
#include "tools/sttbench/link/link.h"
#include "tools/sttbench/shared/figures.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Parts of a demand: the worst seed has this share of it; mean queueing delay; what goes again
 * beyond what is lost. */
#define WORST_SHARE    0.6
#define QUEUE_MS       25
#define DEEP_BDPS      10
#define DEEP_QUEUE_RTT 0.5
#define WASTE_PERCENT  2

#define M(n) ((uint64_t)(n)*1000000)
#define PATH(mbit, ms, loss_ppm_)                                                                  \
    {                                                                                              \
        M(mbit), STT_MS(ms), 0, loss_ppm_, 0, 1                                                    \
    }

const struct link_cell link_matrix[LINK_MATRIX_N] = {
    {PATH(10, 50, 0), STT_S(20), 9.3e6},      {PATH(10, 50, 10000), STT_S(20), 9.0e6},
    {PATH(10, 50, 50000), STT_S(20), 8.3e6},  {PATH(10, 100, 0), STT_S(20), 9.1e6},
    {PATH(10, 100, 10000), STT_S(20), 8.8e6}, {PATH(10, 100, 50000), STT_S(20), 8.0e6},
    {PATH(100, 50, 0), STT_S(20), 90e6},      {PATH(100, 50, 10000), STT_S(20), 85e6},
    {PATH(100, 50, 50000), STT_S(20), 75e6},  {PATH(100, 100, 0), STT_S(20), 86e6},
    {PATH(100, 100, 10000), STT_S(20), 80e6}, {PATH(100, 100, 50000), STT_S(20), 68e6},
    {PATH(1000, 10, 0), STT_S(5), 900e6},     {PATH(1000, 10, 1000), STT_S(5), 800e6},
};

uint64_t link_bdp_bytes(const struct link_path *path)
{
    return (uint64_t)((double)path->rate_bits_per_s / 8 * (double)path->rtt_ns * 1e-9);
}

static void add_name(char out[LINK_NAME_ROOM], enum report_unit unit, double value)
{
    char text[REPORT_VALUE_ROOM], *point, *unit_at;
    size_t len = strlen(out);
    report_value(text, unit, value);
    point = strchr(text, '.');
    unit_at = strchr(text, ' ');
    if (point && unit_at) { /* "50.0 ms" is "50 ms" */
        char *end = unit_at;
        while (end[-1] == '0')
            end--;
        end -= end[-1] == '.';
        memmove(end, unit_at, strlen(unit_at) + 1);
    }
    snprintf(out + len, LINK_NAME_ROOM - len, "%s%s", len ? ", " : "", text);
}

const char *link_path_name(const struct link_path *path, char out[LINK_NAME_ROOM])
{
    *out = 0;
    add_name(out, REPORT_BITS_PER_S, (double)path->rate_bits_per_s);
    add_name(out, REPORT_NS, (double)path->rtt_ns);
    if (path->loss_ppm)
        add_name(out, REPORT_PERCENT, path->loss_ppm * 1e-4);
    strcat(out, path->loss_ppm ? " loss" : ", no loss");
    return out;
}

/* -- seeds ------------------------------------------------------------------------------------- */

static const bool less_is_worse[] = {
#define LESS                                          true
#define MORE                                          false
#define X(name, unit, words, shown, worse, has_worst) [LINK_##name] = worse,
    LINK_FIGURES(X)
#undef X
};

static void summarize(struct link_summary *s, enum link_figure figure,
                      const struct link_result *results, size_t n)
{
    double values[LINK_SEEDS_MAX];
    size_t n_values = 0;
    for (size_t i = 0; i < n; i++)
        if (!results[i].exit && !isnan(results[i].figures[figure]))
            values[n_values++] = results[i].figures[figure];
    s->median[figure] = figures_median(values, n_values);
    s->worst[figure] = n_values ? values[less_is_worse[figure] ? 0 : n_values - 1] : NAN;
}

void link_summarize(struct link_summary *s, const struct link_result *results, size_t n)
{
    *s = (struct link_summary){.hash = results[0].hash};
    for (size_t i = 0; i < n; i++) {
        s->n += !results[i].exit;
        if (results[i].exit && !s->failed)
            s->failed = &results[i];
    }
    for (size_t i = 0; i < n; i++)
        for (size_t by = 0; by < STT_HELD_COUNT && !results[i].exit; by++)
            s->held_percent[by] += results[i].held_percent[by] / (double)s->n;
    for (enum link_figure figure = 0; figure < LINK_FIGURES_N; figure++)
        summarize(s, figure, results, n);
}

/* -- demands ----------------------------------------------------------------------------------- */

static double queue_demand_ms(const struct link_path *path)
{
    return path->queue_bdps >= DEEP_BDPS ? (double)path->rtt_ns * 1e-6 * DEEP_QUEUE_RTT : QUEUE_MS;
}

/* What is not a number misses. */
unsigned link_misses(const struct link_cell *cell, const struct link_summary *s)
{
    double demand = cell->demand_bits_per_s;
    unsigned misses = 0;
    if (isnan(demand))
        return 0;
    misses |= s->median[LINK_goodput] >= demand ? 0 : LINK_MISSES_GOODPUT;
    misses |= s->worst[LINK_goodput] >= demand * WORST_SHARE ? 0 : LINK_MISSES_WORST;
    misses |= s->median[LINK_queue_mean] <= queue_demand_ms(&cell->path) ? 0 : LINK_MISSES_QUEUE;
    misses |= s->median[LINK_retransmitted] <= cell->path.loss_ppm * 1e-4 + WASTE_PERCENT
                  ? 0
                  : LINK_MISSES_WASTE;
    return misses;
}

const char *link_misses_names(unsigned misses, char out[LINK_NAME_ROOM])
{
    static const char *const names[] = {"rate", "worst", "queue", "waste"};
    strcpy(out, "");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t len = strlen(out);
        if (misses >> i & 1)
            snprintf(out + len, LINK_NAME_ROOM - len, "%s%s", len ? ", " : "", names[i]);
    }
    return out;
}
