/* SPDX-License-Identifier: MIT
 * tell: owns the report of runs: what was asked for, figures of one controller on one path, and in
 * which order everything else stands. */
#include "tools/sttbench/link/telling.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *plural(double n)
{
    return n == 1 ? "" : "s";
}

/* -- what was asked for ------------------------------------------------------------------------ */

static void tell_if(struct report *r, const char *key, const char *words, enum report_unit unit,
                    double value)
{
    if (value > 0)
        report_number(r, key, words, unit, value);
}

static void tell_path(struct report *r, const struct link_path *p)
{
    report_number(r, "rate_bits_per_second", "bottleneck", REPORT_BITS_PER_S,
                  (double)p->rate_bits_per_s);
    report_number(r, "rtt_ms", "round trip without a queue", REPORT_MS, (double)p->rtt_ns * 1e-6);
    report_number(r, "loss_percent", "loss, each way", REPORT_PERCENT, p->loss_ppm * 1e-4);
    report_number(r, "queue_bdps", "queue, in bandwidth x delay", REPORT_PLAIN, p->queue_bdps);
    report_number(r, "jitter_ms", "jitter, each way, at most", REPORT_MS,
                  (double)p->jitter_ns * 1e-6);
    report_number(r, "reorder_percent", "overtaken, each way", REPORT_PERCENT,
                  p->reorder_ppm * 1e-4);
    tell_if(r, "reorder_by_ms", "by", REPORT_MS, (double)p->reorder_ns * 1e-6);
    tell_if(r, "aggregate_ms", "acks come in bursts, each", REPORT_MS,
            (double)p->aggregate_ns * 1e-6);
    tell_if(r, "back_rate_bits_per_second", "way back", REPORT_BITS_PER_S,
            (double)p->back_rate_bits_per_s);
    tell_if(r, "police_bits_per_second", "policer", REPORT_BITS_PER_S,
            (double)p->police_bits_per_s);
    tell_if(r, "police_burst_bytes", "its burst", REPORT_BYTES, p->police_burst_bytes);
    tell_if(r, "mark_bdps", "queue that marks, in bandwidth x delay", REPORT_PLAIN, p->mark_bdps);
}

static void tell_steps(struct report *r, const struct link_cell *cell)
{
    static const struct report_column columns[] = {
        {"at_s", "from", REPORT_S},
        {"rate_bits_per_second", "rate", REPORT_BITS_PER_S},
        {"rtt_ms", "round trip", REPORT_MS},
    };
    struct report_table *t;
    if (!cell->n_steps)
        return;
    t = report_table(r, "steps", "How the path changes", columns, 3);
    for (size_t i = 0; i < cell->n_steps; i++) {
        const struct link_step *s = &cell->steps[i];
        report_row(t);
        report_cell(t, (double)s->at_ns * 1e-9);
        report_cell(t, s->rate_bits_per_s ? (double)s->rate_bits_per_s : NAN);
        report_cell(t, s->rtt_ns ? (double)s->rtt_ns * 1e-6 : NAN);
    }
}

static void tell_common(struct report *r, const struct link_job *job)
{
    report_number(r, "packet_bytes", "bytes of a packet", REPORT_COUNT, job->like.payload);
    report_number(r, "seeds", "seeds", REPORT_COUNT, job->seeds);
    report_number(r, "seed", "the first of them", REPORT_COUNT, (double)job->like.seed);
    if (job->like.preset)
        report_text(r, "preset", "preset", job->like.preset);
    if (job->bytes)
        report_number(r, "bytes", "bytes to move", REPORT_BYTES, (double)job->bytes);
}

static void tell_time(struct report *r, const struct link_job *job)
{
    if (job->bytes)
        return;
    report_number(r, "time_s", "time of each run", REPORT_S, (double)job->cells[0].time_ns * 1e-9);
    tell_if(r, "from_s", "counted from", REPORT_S, (double)job->cells[0].from_ns * 1e-9);
}

/* -- one controller on one path ---------------------------------------------------------------- */

/* There is always a goodput; the other figures only where they mean something. */
static void tell_figures(struct report *r, const struct link_job *job)
{
    const struct link_summary *s = link_summary_of(job, 0, 0);
    report_text(r, "congestion", "congestion control", job->controllers[0]);
    tell_time(r, job);
#define X(name, unit, words, shown, worse, has_worst)                                              \
    if (LINK_##name == LINK_goodput || !isnan(s->median[LINK_##name])) {                           \
        report_number(r, #name "_" #unit, words, REPORT_##shown, s->median[LINK_##name]);          \
        if (has_worst && job->seeds > 1)                                                           \
            report_number(r, #name "_worst_" #unit, words ", worst seed", REPORT_##shown,          \
                          s->worst[LINK_##name]);                                                  \
    }
    LINK_FIGURES(X)
#undef X
    char hash[24];
    snprintf(hash, sizeof hash, "%016" PRIx64, s->hash);
    report_text(r, "event_hash", "hash of all events", hash);
}

static void tell_held(struct report *r, const struct link_summary *s)
{
    static const struct report_column columns[] = {
        {"name", "waited for", REPORT_TEXT},
        {"time_percent", "share of the time", REPORT_PERCENT},
    };
    struct report_table *t =
        report_table(r, "held_by", "What the sender waited for, mean of the seeds", columns, 2);
    for (enum stt_held_by by = 0; by < STT_HELD_COUNT; by++) {
        if (s->held_percent[by] < 0.05)
            continue;
        report_row(t);
        report_cell_text(t, stt_held_text(by));
        report_cell(t, s->held_percent[by]);
    }
}

/* -- the report -------------------------------------------------------------------------------- */

static void tell_failures(struct report *r, const struct link_job *job)
{
    char name[LINK_NAME_ROOM];
    for (size_t i = 0; i < job->n_cells; i++)
        for (size_t c = 0; c < job->n_controllers; c++) {
            const struct link_summary *s = link_summary_of(job, i, c);
            if (!s->failed)
                continue;
            report_fail(r, s->failed->exit, "%s, %s: %zu of %u seeds failed; the first: %s",
                        link_cell_name(&job->cells[i], name), job->controllers[c],
                        job->seeds - s->n, job->seeds, s->failed->why);
        }
}

static struct report *begin(const struct link_job *job)
{
    char title[200], name[LINK_NAME_ROOM];
    size_t flows = job->cells[0].n_flows;
    if (job->is_matrix)
        snprintf(title, sizeof title, "%zu scenes on simulated paths, %u seed%s each", job->n_cells,
                 job->seeds, plural(job->seeds));
    else if (flows == 1)
        snprintf(title, sizeof title, "One stream over a simulated path of %s: median of %u seed%s",
                 link_path_name(&job->cells[0].path, name), job->seeds, plural(job->seeds));
    else
        snprintf(title, sizeof title,
                 "%zu flows over one simulated path of %s: medians of %u seed%s", flows,
                 link_path_name(&job->cells[0].path, name), job->seeds, plural(job->seeds));
    return report_new("link", title);
}

struct report *link_report(const struct link_job *job)
{
    struct report *r = begin(job);
    bool is_one = !job->is_matrix && job->n_controllers == 1;
    if (!job->is_matrix)
        tell_path(r, &job->cells[0].path);
    tell_common(r, job);
    if (is_one)
        tell_figures(r, job);
    else if (!job->is_matrix)
        tell_time(r, job);
    if (!job->is_matrix)
        tell_steps(r, &job->cells[0]);
    if (link_has_several(job))
        link_tell_flows(r, job);
    else if (is_one)
        tell_held(r, link_summary_of(job, 0, 0));
    if (job->is_matrix)
        link_tell_matrix(r, job);
    if (!is_one)
        link_tell_results(r, job);
    if (job->is_matrix)
        link_draw_matrix(r, job);
    else if (job->traces)
        link_draw_traces(r, job);
    report_note(r, "Virtual time, and a cipher that costs nothing; every byte that was read was "
                   "compared with what was written.");
    tell_failures(r, job);
    link_diagnose(r, job);
    return r;
}
