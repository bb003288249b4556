/* SPDX-License-Identifier: MIT
 * summary: owns what is left of the seeds of one controller on one path: medians, the worst, and
 * the first that failed. */
#include "tools/sttbench/link/link.h"
#include "tools/sttbench/shared/figures.h"

#include <math.h>

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

static const double *figure_of(const struct link_flow_result *r, size_t figure)
{
    const double *const all[] = {&r->goodput_bits_per_s, &r->share_percent,
                                 &r->retransmitted_percent, &r->completion_ms};
    return all[figure];
}
enum { FLOW_FIGURES = sizeof(struct link_flow_result) / sizeof(double) };

static void summarize_flow(struct link_summary *s, size_t flow, const struct link_result *results,
                           size_t n)
{
    double values[LINK_SEEDS_MAX];
    for (size_t figure = 0; figure < FLOW_FIGURES; figure++) {
        size_t n_values = 0;
        for (size_t i = 0; i < n; i++) {
            double value = *figure_of(&results[i].flows[flow], figure);
            if (!results[i].exit && !isnan(value))
                values[n_values++] = value;
        }
        *(double *)figure_of(&s->flows[flow], figure) = figures_median(values, n_values);
    }
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
    for (size_t flow = 0; flow < LINK_FLOWS_MAX; flow++)
        summarize_flow(s, flow, results, n);
}
