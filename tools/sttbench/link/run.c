/* SPDX-License-Identifier: MIT
 * run: owns one run: a world with a bottleneck and flows over it, its time, and what is made of
 * what they did.
 *
 * Invariant: with the same arguments everything is the same again, but the processor's time; who
 * looks changes nothing. */
#include "tools/sttbench/link/run.h"

#include "tools/sttbench/link/flow.h"
#include "tools/sttbench/link/outcome.h"
#include "tools/sttbench/link/steps.h"
#include "tools/sttbench/shared/figures.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { CONNECT_S = 30, LEAD_RTTS = 4 };
#define LOOK_NS STT_MS(1)

struct state {
    const struct link_run *want;
    struct link_result *result;
    struct link_trace *trace;
    struct stt_sim *sim;
    struct bottleneck bottleneck;
    struct steps steps;
    struct flow flows[LINK_FLOWS_MAX];
    struct flow_count before[LINK_FLOWS_MAX]; /* what is measured begins */
    size_t n_flows, n_sessions, n_dirty, dirty[LINK_FLOWS_MAX];
    size_t flow_of[LINK_FLOWS_MAX]; /* of each session, in the order of their nodes */
    bool is_dirty[LINK_FLOWS_MAX];
    stt_ns began, from, ended;
};

__attribute__((format(printf, 3, 4))) static bool fail(struct state *s, enum exits exit,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!s->result->exit) {
        s->result->exit = exit;
        vsnprintf(s->result->why, sizeof s->result->why, format, args);
    }
    va_end(args);
    return false;
}

/* -- what happens ------------------------------------------------------------------------------ */

/* Whoever something comes to is asked what he makes of it, and nobody else: the nodes of a session
 * follow each other. */
static void on_record(void *ctx, const struct stt_sim_record *record)
{
    struct state *s = ctx;
    bool is_for_a_host = record->kind == STT_SIM_DELIVERED || record->kind == STT_SIM_EVENT;
    if (!is_for_a_host || record->subject / 2 >= s->n_sessions)
        return;
    size_t i = s->flow_of[record->subject / 2];
    if (s->is_dirty[i])
        return;
    s->is_dirty[i] = true;
    s->dirty[s->n_dirty++] = i;
}

static bool is_broken(const struct state *s)
{
    for (size_t i = 0; i < s->n_flows; i++)
        if (s->flows[i].is_broken || s->flows[i].is_different)
            return true;
    return false;
}

static bool has_all(const struct state *s)
{
    for (size_t i = 0; i < s->n_flows; i++)
        if (s->flows[i].is_tested && s->flows[i].done == STT_NEVER)
            return false;
    return outcome_has_end(s->flows, s->n_flows);
}

static void connect_one(void *ctx, struct stt_sim *sim)
{
    struct flow *f = ctx;
    (void)sim;
    f->is_broken = !flow_connect(f);
}

/* Asked after everything that happens. */
static bool goes_on(void *ctx)
{
    struct state *s = ctx;
    bool is_good = true, is_done = false;
    while (s->n_dirty) {
        size_t i = s->dirty[--s->n_dirty];
        s->is_dirty[i] = false;
        flow_serve(&s->flows[i]);
        if (s->flows[i].is_broken && !s->flows[i].stream) /* its handshake was lost */
            connect_one(&s->flows[i], s->sim);
        is_good = is_good && !s->flows[i].is_broken && !s->flows[i].is_different;
        is_done = is_done || s->flows[i].done != STT_NEVER;
    }
    return is_good && !(is_done && has_all(s));
}

static bool is_over(const struct state *s)
{
    return is_broken(s) || has_all(s) || stt_sim_failure(s->sim);
}

/* -- the world --------------------------------------------------------------------------------- */

static bool set_up(struct state *s)
{
    struct stt_sim_config sim = STT_SIM_CONFIG_INIT;
    sim.seed = s->want->seed;
    sim.hash_payloads = false;
    sim.observe = on_record;
    sim.observe_ctx = s;
    s->sim = stt_sim_new(&sim);
    bottleneck_init(&s->bottleneck, s->sim, s->want);
    steps_init(&s->steps, s->want);
    for (size_t i = 0; i < s->want->n_flows; i++) {
        if (!flow_add(&s->flows[i], &s->bottleneck, i, s->result))
            return false;
        if (!s->flows[i].is_tcp)
            s->flow_of[s->n_sessions++] = i;
        s->n_flows++;
    }
    return true;
}

static bool is_early(const struct flow *f)
{
    return f->want->from_ns == 0;
}

/* Until those that begin at once are up; what breaks meanwhile is tried again. */
static bool waits(void *ctx)
{
    struct state *s = ctx;
    bool is_waiting = false;
    s->n_dirty = 0;
    memset(s->is_dirty, 0, sizeof s->is_dirty);
    for (size_t i = 0; i < s->n_flows; i++) {
        struct flow *f = &s->flows[i];
        if (f->is_broken && !flow_connect(f))
            return false;
        is_waiting |= is_early(f) && !flow_is_up(f);
    }
    return is_waiting;
}

static bool connect_all(struct state *s)
{
    for (size_t i = 0; i < s->n_flows; i++)
        if (is_early(&s->flows[i]) && !flow_connect(&s->flows[i]))
            return fail(s, EXIT_LOCAL_IO, "no connection was begun");
    if (waits(s) && !stt_sim_run_while(s->sim, waits, s, STT_S(CONNECT_S)))
        return fail(s, EXIT_NO_ANSWER, "no session came about; lose less, or take another --seed");
    s->began = stt_sim_now(s->sim);
    return true;
}

/* So that flows do not begin in step, whatever the path: up to a round trip later, by the seed. */
static stt_ns some_ns(uint64_t seed, size_t flow, stt_ns below)
{
    uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + flow * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return flow ? (x ^ x >> 31) % below : 0;
}

static bool begin_flows(struct state *s)
{
    for (size_t i = 0; i < s->n_flows; i++) {
        struct flow *f = &s->flows[i];
        stt_ns rtt = f->want->rtt_ns ? f->want->rtt_ns : s->want->path.rtt_ns;
        stt_ns from = f->want->from_ns + some_ns(s->want->seed, i, rtt);
        stt_ns lead = from < LEAD_RTTS * rtt ? from : LEAD_RTTS * rtt;
        if (!is_early(f))
            stt_sim_at(s->sim, s->began + from - lead, connect_one, f);
        if (!flow_begin_at(f, s->began + from))
            return fail(s, EXIT_LOCAL_IO, "no memory for a flow");
    }
    return true;
}

/* -- looking ----------------------------------------------------------------------------------- */

static double tested_bytes(const struct state *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->n_flows; i++)
        sum += s->flows[i].is_tested ? (double)flow_read_bytes(&s->flows[i]) : 0;
    return sum;
}

static void take_sample(struct state *s)
{
    struct link_trace *t = s->trace;
    double step = t->time_s / LINK_SAMPLES;
    double at = (double)(stt_sim_now(s->sim) - s->began) * 1e-9;
    if (t->n > LINK_SAMPLES || at + 1e-9 < step * (double)t->n)
        return;
    for (size_t i = 0; i < s->n_flows && i < LINK_TRACED_MAX; i++)
        flow_sample(&s->flows[i], &t->flows[i][t->n]);
    t->at_s[t->n] = at;
    t->queue_ms[t->n++] = bottleneck_queue_ns(&s->bottleneck) * 1e-6;
}

static void begin_to_measure(struct state *s)
{
    s->from = stt_sim_now(s->sim);
    bottleneck_begin(&s->bottleneck);
    for (size_t i = 0; i < s->n_flows; i++)
        s->before[i] = flow_count(&s->flows[i]);
}

static void look(struct state *s)
{
    bottleneck_look(&s->bottleneck);
    for (size_t i = 0; i < s->n_flows; i++)
        flow_look(&s->flows[i]);
    if (s->want->n_steps)
        steps_look(&s->steps, stt_sim_now(s->sim) - s->began, tested_bytes(s),
                   bottleneck_queue_ns(&s->bottleneck) * 1e-6);
    if (s->trace)
        take_sample(s);
}

/* -- the end ------------------------------------------------------------------------------ */

static void take_figures(struct state *s)
{
    double *figures = s->result->figures;
    s->ended = stt_sim_now(s->sim);
    s->result->time_s = (double)(s->ended - s->began) * 1e-9;
    outcome_take(&(struct outcome){.flows = s->flows,
                                   .before = s->before,
                                   .n_flows = s->n_flows,
                                   .from = s->from,
                                   .ended = s->ended,
                                   .result = s->result});
    figures[LINK_reached] = steps_reached_ms(&s->steps);
    figures[LINK_settled_queue] = steps_settled_queue_bdps(&s->steps);
    figures[LINK_handshake] = (double)s->began * 1e-6;
    bottleneck_take(&s->bottleneck, figures);
}

static double percent(double part, double whole)
{
    return whole > 0 ? part / whole * 100 : NAN;
}

/* A flow that had to come to its end and did not. */
static void name_failure(struct state *s)
{
    double time_s = s->result->time_s;
    for (size_t i = 0; i < s->n_flows; i++) {
        const struct flow *f = &s->flows[i];
        if (f->is_different)
            fail(s, EXIT_INTEGRITY, "what was read is not what was written: a bug of STT");
        else if (f->is_broken)
            fail(s, EXIT_NETWORK, "the session broke after %.1f s", time_s);
        else if (f->is_tested && outcome_has_end(s->flows, s->n_flows) && f->done == STT_NEVER &&
                 !f->is_over)
            fail(s, EXIT_TIMEOUT, "after %.0f s only %.1f %% had arrived", time_s,
                 percent((double)flow_read_bytes(f), (double)f->want->bytes));
    }
}

/* -- a run ------------------------------------------------------------------------------------- */

static stt_ns next_stop(const struct state *s, size_t step, stt_ns limit)
{
    stt_ns next = stt_sim_now(s->sim) + LOOK_NS, from = s->began + s->want->from_ns;
    if (step < s->want->n_steps && s->began + s->want->steps[step].at_ns < next)
        next = s->began + s->want->steps[step].at_ns;
    if (s->from == STT_NEVER && from < next)
        next = from;
    return next < limit ? next : limit;
}

static void go(struct state *s)
{
    stt_ns limit = s->began + s->want->time_ns;
    size_t step = 0;
    s->from = STT_NEVER;
    for (;;) {
        stt_ns now = stt_sim_now(s->sim);
        if (s->from == STT_NEVER && now >= s->began + s->want->from_ns)
            begin_to_measure(s);
        while (step < s->want->n_steps && now >= s->began + s->want->steps[step].at_ns)
            bottleneck_step(&s->bottleneck, &s->want->steps[step++]);
        look(s);
        if (is_over(s) || now >= limit)
            break;
        stt_sim_run_while(s->sim, goes_on, s, next_stop(s, step, limit));
    }
    if (s->from == STT_NEVER)
        begin_to_measure(s);
}

static void run(struct state *s)
{
    if (!set_up(s) || !connect_all(s) || !begin_flows(s))
        return;
    go(s);
    take_figures(s);
    name_failure(s);
}

void link_measure(const struct link_run *want, struct link_result *result, struct link_trace *trace)
{
    static struct state state;
    double cpu = figures_cpu_s();
    *result = (struct link_result){.exit = EXIT_DONE};
    for (size_t i = 0; i < LINK_FIGURES_N; i++)
        result->figures[i] = NAN;
    memset(&state, 0, sizeof state);
    state.want = want;
    state.result = result;
    state.trace = trace;
    run(&state);
    if (state.sim) {
        if (stt_sim_failure(state.sim))
            fail(&state, EXIT_LOCAL_IO, "%s", stt_sim_failure(state.sim));
        result->hash = stt_sim_hash(state.sim);
        stt_sim_free(state.sim);
        for (size_t i = 0; i < state.n_flows; i++)
            flow_end(&state.flows[i]);
    }
    result->figures[LINK_cpu] = (figures_cpu_s() - cpu) * 1e3 / result->time_s;
}
