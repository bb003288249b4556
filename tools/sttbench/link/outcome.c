/* SPDX-License-Identifier: MIT
 * outcome: owns what is made of a run: how its flows shared the path, and how long they took. */
#include "tools/sttbench/link/outcome.h"

#include "tools/sttbench/shared/figures.h"

#include <math.h>

/* -- figures ----------------------------------------------------------------------------------- */

static double percent(double part, double whole)
{
    return whole > 0 ? part / whole * 100 : NAN;
}

static void take_flow(const struct outcome *o, size_t i)
{
    const struct flow *f = &o->flows[i];
    struct flow_count n = flow_count(f);
    struct link_flow_result *r = &o->result->flows[i];
    double read = (double)(n.read_bytes - o->before[i].read_bytes);
    double time_s = (double)(o->ended - o->from) * 1e-9;
    r->goodput_bits_per_s = time_s > 0 ? read * 8 / time_s : NAN;
    r->retransmitted_percent = percent((double)(n.again_bytes - o->before[i].again_bytes), read);
    stt_ns end = f->done == STT_NEVER ? o->ended : f->done; /* as long at least */
    bool has_completion = f->want->bytes && f->began < end;
    r->completion_ms = has_completion ? (double)(end - f->began) * 1e-6 : NAN;
}

bool outcome_has_end(const struct flow *flows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (flows[i].is_tested && !flows[i].want->bytes)
            return false;
    return true;
}

/* Flows without an end say how a path is shared; those with one, how long they took. */
static bool is_counted(const struct outcome *o, size_t i)
{
    return o->flows[i].is_tested &&
           (outcome_has_end(o->flows, o->n_flows) || !o->flows[i].want->bytes);
}

struct sums {
    double all, tested, squares, least, again, read, n;
};

static struct sums sum_up(const struct outcome *o)
{
    struct sums sum = {.least = INFINITY};
    for (size_t i = 0; i < o->n_flows; i++) {
        double goodput = o->result->flows[i].goodput_bits_per_s;
        struct flow_count n = flow_count(&o->flows[i]);
        sum.all += goodput;
        if (o->flows[i].is_tested) {
            sum.again += (double)(n.again_bytes - o->before[i].again_bytes);
            sum.read += (double)(n.read_bytes - o->before[i].read_bytes);
        }
        if (!is_counted(o, i))
            continue;
        sum.tested += goodput;
        sum.squares += goodput * goodput;
        sum.least = fmin(sum.least, goodput);
        sum.n++;
    }
    return sum;
}

static void take_shares(const struct outcome *o, double *figures)
{
    struct sums sum = sum_up(o);
    for (size_t i = 0; i < o->n_flows; i++)
        o->result->flows[i].share_percent =
            percent(o->result->flows[i].goodput_bits_per_s, sum.all);
    figures[LINK_goodput] = sum.n > 0 ? sum.tested : NAN;
    figures[LINK_retransmitted] = percent(sum.again, sum.read);
    if (o->n_flows > 1)
        figures[LINK_share] = percent(sum.tested, sum.all);
    if (sum.n < 2 || sum.tested <= 0)
        return;
    figures[LINK_jain] = sum.tested * sum.tested / (sum.n * sum.squares);
    figures[LINK_least] = percent(sum.least, sum.tested / sum.n);
}

static double completion_ms(const struct outcome *o)
{
    double values[LINK_FLOWS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < o->n_flows; i++)
        if (o->flows[i].is_tested && !isnan(o->result->flows[i].completion_ms))
            values[n++] = o->result->flows[i].completion_ms;
    return figures_median(values, n);
}

static void take_held(const struct outcome *o)
{
    struct stt_session_stats stats;
    double *held = o->result->held_percent;
    size_t i = 0;
    while (i < o->n_flows && !o->flows[i].is_tested)
        i++;
    if (i == o->n_flows || !flow_stats(&o->flows[i], &stats))
        return;
#define ROW(X, upper, name, words)                                                                 \
    held[STT_HELD_##upper] = percent((double)stats.held_by_##name##_ns, (double)stats.age_ns);
    STT_HELD_BY(ROW, )
#undef ROW
}

void outcome_take(const struct outcome *o)
{
    double *figures = o->result->figures;
    for (size_t i = 0; i < o->n_flows; i++)
        take_flow(o, i);
    take_shares(o, figures);
    figures[LINK_completion] = completion_ms(o);
    take_held(o);
}
