/* SPDX-License-Identifier: MIT
 * draw: owns the pictures: rate, window and queue over time, and the matrix as bars. */
#include "tools/sttbench/link/telling.h"

#include <math.h>
#include <stdio.h>

enum { TITLE_ROOM = 160 };
#define SMOOTH_RTTS    4
#define SMOOTH_LEAST_S 0.1

/* -- the matrix -------------------------------------------------------------------------------- */

static double main_figure(const struct link_job *job, size_t cell, size_t controller)
{
    enum link_figure figure = link_demand_figure(job->cells[cell].demands[0].kind);
    return link_summary_of(job, cell, controller)->median[figure];
}

/* Goodput is drawn as a share of the path, so that slow paths and fast ones can be compared. */
static void draw_goodputs(struct report *r, const struct link_job *job)
{
    char name[LINK_NAME_ROOM];
    struct report_chart *chart =
        report_chart(r, "Goodput as a share of the bottleneck, median", REPORT_BARS,
                     &(struct report_axis){.words = ""},
                     &(struct report_axis){.words = "goodput", .unit = REPORT_PERCENT});
    for (size_t c = 0; c <= job->n_controllers; c++) {
        bool is_mark = c == job->n_controllers;
        (is_mark ? report_mark : report_series)(chart, is_mark ? "demand" : job->controllers[c]);
        for (size_t i = 0; i < job->n_cells; i++) {
            const struct link_cell *cell = &job->cells[i];
            if (cell->demands[0].kind != LINK_DEMAND_rate)
                continue;
            double value = is_mark ? cell->demands[0].bound : main_figure(job, i, c);
            report_bar(chart, link_cell_name(cell, name),
                       value / (double)cell->path.rate_bits_per_s * 100);
        }
    }
}

static void draw_shares(struct report *r, const struct link_job *job)
{
    char name[LINK_NAME_ROOM];
    struct report_chart *chart = report_chart(
        r, "Share beside others, median", REPORT_BARS, &(struct report_axis){.words = ""},
        &(struct report_axis){.words = "share", .unit = REPORT_PERCENT});
    for (size_t c = 0; c <= job->n_controllers; c++) {
        bool is_mark = c == job->n_controllers;
        (is_mark ? report_mark : report_series)(chart, is_mark ? "equal" : job->controllers[c]);
        for (size_t i = 0; i < job->n_cells; i++) {
            const struct link_cell *cell = &job->cells[i];
            if (link_demand_figure(cell->demands[0].kind) == LINK_share)
                report_bar(chart, link_cell_name(cell, name),
                           is_mark ? 50 : main_figure(job, i, c));
        }
    }
}

static void draw_queues(struct report *r, const struct link_job *job)
{
    char name[LINK_NAME_ROOM];
    struct report_chart *chart =
        report_chart(r, "What others wait behind it: mean queueing delay, median", REPORT_BARS,
                     &(struct report_axis){.words = ""},
                     &(struct report_axis){.words = "queueing delay", .unit = REPORT_MS});
    for (size_t c = 0; c < job->n_controllers; c++) {
        report_series(chart, job->controllers[c]);
        for (size_t i = 0; i < job->n_cells; i++)
            report_bar(chart, link_cell_name(&job->cells[i], name),
                       link_summary_of(job, i, c)->median[LINK_queue_mean]);
    }
}

static bool has_figure(const struct link_job *job, enum link_figure figure)
{
    for (size_t i = 0; i < job->n_cells; i++)
        if (link_demand_figure(job->cells[i].demands[0].kind) == figure)
            return true;
    return false;
}

void link_draw_matrix(struct report *r, const struct link_job *job)
{
    if (has_figure(job, LINK_goodput))
        draw_goodputs(r, job);
    if (has_figure(job, LINK_share))
        draw_shares(r, job);
    draw_queues(r, job);
}

/* -- over time --------------------------------------------------------------------------------- */

/* Who is drawn: each controller alone, or all flows of one of them. */
struct curve {
    const struct link_trace *trace;
    size_t flow;
    const char *name;
};

static struct report_chart *over_time(struct report *r, const char *title, const char *beside,
                                      const struct report_axis *y)
{
    char words[TITLE_ROOM];
    snprintf(words, sizeof words, "%s over time%s%s", title, *beside ? ", testing " : "", beside);
    return report_chart(r, words, REPORT_LINES,
                        &(struct report_axis){.words = "time", .unit = REPORT_S}, y);
}

/* What was read in the last few round trips: with losses, much waits for what is missing, and then
 * comes at once. */
static void draw_goodput(struct report_chart *chart, const struct curve *curve, double window_s)
{
    const struct link_trace *t = curve->trace;
    const struct link_flow_sample *f = t->flows[curve->flow];
    report_series(chart, curve->name);
    for (size_t i = 1, from = 0; i < t->n; i++) {
        while (from + 1 < i && t->at_s[i] - t->at_s[from + 1] >= window_s)
            from++;
        report_point(chart, t->at_s[i],
                     (f[i].read_bytes - f[from].read_bytes) * 8 / (t->at_s[i] - t->at_s[from]));
    }
}

static void draw_window(struct report_chart *chart, const struct curve *curve)
{
    report_series(chart, curve->name);
    for (size_t i = 0; i < curve->trace->n; i++)
        report_point(chart, curve->trace->at_s[i],
                     curve->trace->flows[curve->flow][i].window_bytes);
}

static void draw_pacing(struct report_chart *chart, const struct link_trace *t)
{
    report_series(chart, "pacing rate");
    for (size_t i = 0; i < t->n; i++)
        report_point(chart, t->at_s[i], t->flows[0][i].rate_bits_per_s);
}

static void draw_queue(struct report_chart *chart, const char *name, const struct link_trace *t)
{
    report_series(chart, name);
    for (size_t i = 0; i < t->n; i++)
        report_point(chart, t->at_s[i], t->queue_ms[i]);
}

/* What the path carries, or has on its way, as it changes. */
static void draw_level(struct report_chart *chart, const char *words, const struct link_cell *cell,
                       double until_s, double (*level)(const struct link_path *))
{
    struct link_path p = cell->path;
    report_mark(chart, words);
    report_point(chart, 0, level(&p));
    for (size_t i = 0; i < cell->n_steps; i++) {
        const struct link_step *s = &cell->steps[i];
        report_point(chart, (double)s->at_ns * 1e-9, level(&p));
        p.rate_bits_per_s = s->rate_bits_per_s ? s->rate_bits_per_s : p.rate_bits_per_s;
        p.rtt_ns = s->rtt_ns ? s->rtt_ns : p.rtt_ns;
        report_point(chart, (double)s->at_ns * 1e-9, level(&p));
    }
    report_point(chart, until_s, level(&p));
}

static double rate_of(const struct link_path *p)
{
    return (double)link_carries(p);
}

static double bdp_of(const struct link_path *p)
{
    return (double)link_bdp_bytes(p);
}

static void draw_charts(struct report *r, const struct link_cell *cell, const char *beside,
                        const struct curve *curves, size_t n)
{
    double until_s = 0, smooth_s = SMOOTH_RTTS * (double)cell->path.rtt_ns * 1e-9;
    struct report_chart *goodput = over_time(
        r, "Goodput", beside, &(struct report_axis){.words = "goodput", .unit = REPORT_BITS_PER_S});
    struct report_chart *window =
        over_time(r, "Congestion window", beside,
                  &(struct report_axis){.words = "window", .unit = REPORT_BYTES});
    struct report_chart *queue = over_time(
        r, "Queueing delay", beside, &(struct report_axis){.words = "delay", .unit = REPORT_MS});
    if (n > 1 && smooth_s < SMOOTH_LEAST_S)
        smooth_s = SMOOTH_LEAST_S;
    for (size_t i = 0; i < n; i++) {
        until_s = fmax(until_s, curves[i].trace->time_s);
        draw_goodput(goodput, &curves[i], smooth_s);
        draw_window(window, &curves[i]);
        if (i == 0 || curves[i].trace != curves[0].trace)
            draw_queue(queue, *beside ? "queue" : curves[i].name, curves[i].trace);
    }
    if (n == 1)
        draw_pacing(goodput, curves[0].trace);
    draw_level(goodput, "bottleneck", cell, until_s, rate_of);
    draw_level(window, "bandwidth x delay", cell, until_s, bdp_of);
}

void link_draw_traces(struct report *r, const struct link_job *job)
{
    const struct link_cell *cell = &job->cells[0];
    static char names[LINK_TRACED_MAX][LINK_NAME_ROOM];
    struct curve curves[LINK_TRACED_MAX];
    size_t n = cell->n_flows < LINK_TRACED_MAX ? cell->n_flows : LINK_TRACED_MAX;
    for (size_t c = 0; c < job->n_controllers && cell->n_flows == 1; c++)
        curves[c] = (struct curve){&job->traces[c], 0, job->controllers[c]};
    if (cell->n_flows == 1) {
        draw_charts(r, cell, "", curves, job->n_controllers);
        return;
    }
    for (size_t c = 0; c < job->n_controllers; c++) {
        for (size_t i = 0; i < n; i++)
            curves[i] = (struct curve){&job->traces[c], i,
                                       link_flow_name(cell, job->controllers[c], i, names[i])};
        draw_charts(r, cell, job->controllers[c], curves, n);
    }
}
