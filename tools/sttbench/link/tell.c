/* SPDX-License-Identifier: MIT
 * tell: owns the report of runs: figures of one controller on one path, or a table of all; what was
 * demanded; a picture; and the sentence. */
#include "tools/sttbench/link/link.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KEY_ROOM = 96, SENTENCE_ROOM = 600, NAMED_MAX = 3 };
#define FULL_PERCENT 90 /* from here on the path itself is the limit */
#define MUCH_PERCENT 25
#define SHORT_RTTS   12
#define SMOOTH_RTTS  4

static const struct link_summary *summary_of(const struct link_job *job, size_t cell,
                                             size_t controller)
{
    return &job->results[cell * job->n_controllers + controller];
}

static const char *plural(double n)
{
    return n == 1 ? "" : "s";
}

/* -- what was asked for ------------------------------------------------------------------------ */

static void tell_path(struct report *r, const struct link_job *job)
{
    const struct link_path *p = &job->cells[0].path;
    report_number(r, "rate_bits_per_second", "bottleneck", REPORT_BITS_PER_S,
                  (double)p->rate_bits_per_s);
    report_number(r, "rtt_ms", "round trip without a queue", REPORT_MS, (double)p->rtt_ns * 1e-6);
    report_number(r, "loss_percent", "loss, each way", REPORT_PERCENT, p->loss_ppm * 1e-4);
}

static void tell_common(struct report *r, const struct link_job *job)
{
    const struct link_path *p = &job->cells[0].path;
    report_number(r, "queue_bdps", "queue, in bandwidth x delay", REPORT_PLAIN, p->queue_bdps);
    report_number(r, "jitter_ms", "jitter, each way, at most", REPORT_MS,
                  (double)p->jitter_ns * 1e-6);
    report_number(r, "reorder_percent", "overtaken, each way", REPORT_PERCENT,
                  p->reorder_ppm * 1e-4);
    report_number(r, "packet_bytes", "bytes of a packet", REPORT_COUNT, job->like.payload);
    report_number(r, "seeds", "seeds", REPORT_COUNT, job->seeds);
    report_number(r, "seed", "the first of them", REPORT_COUNT, (double)job->like.seed);
    if (job->like.preset)
        report_text(r, "preset", "preset", job->like.preset);
    if (job->like.bytes)
        report_number(r, "bytes", "bytes to move", REPORT_BYTES, (double)job->like.bytes);
}

/* -- one controller on one path ---------------------------------------------------------------- */

static void tell_figures(struct report *r, const struct link_job *job)
{
    const struct link_summary *s = summary_of(job, 0, 0);
    report_text(r, "congestion", "congestion control", job->controllers[0]);
    if (!job->like.bytes)
        report_number(r, "time_s", "time of each run", REPORT_S,
                      (double)job->cells[0].time_ns * 1e-9);
#define X(name, unit, words, shown, worse, has_worst)                                              \
    if (LINK_##name != LINK_completion || job->like.bytes)                                         \
        report_number(r, #name "_" #unit, words, REPORT_##shown, s->median[LINK_##name]);          \
    if (has_worst && job->seeds > 1 && (LINK_##name != LINK_completion || job->like.bytes))        \
        report_number(r, #name "_worst_" #unit, words ", worst seed", REPORT_##shown,              \
                      s->worst[LINK_##name]);
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

/* -- all of them ------------------------------------------------------------------------------- */

/* Side by side: columns of each controller. They live as long as the report. */
enum { SIDE_COLUMNS = 4 };
static struct report_column side_columns[2 + SIDE_COLUMNS * LINK_CONTROLLERS_MAX];
static char side_keys[SIDE_COLUMNS * LINK_CONTROLLERS_MAX][KEY_ROOM];

static size_t make_side_columns(const struct link_job *job)
{
    size_t n = 0;
    side_columns[n++] = (struct report_column){"path", "path", REPORT_TEXT};
    side_columns[n++] =
        (struct report_column){"demand_bits_per_second", "demand", REPORT_BITS_PER_S};
    for (size_t c = 0; c < job->n_controllers; c++) {
        const char *name = job->controllers[c];
        char(*keys)[KEY_ROOM] = &side_keys[SIDE_COLUMNS * c];
        snprintf(keys[0], KEY_ROOM, "%s_goodput_bits_per_second", name);
        snprintf(keys[1], KEY_ROOM, "%s_goodput_worst_bits_per_second", name);
        snprintf(keys[2], KEY_ROOM, "%s_verdict", name);
        snprintf(keys[3], KEY_ROOM, "%s_misses", name);
        side_columns[n++] = (struct report_column){keys[0], name, REPORT_BITS_PER_S};
        side_columns[n++] = (struct report_column){keys[1], NULL, REPORT_BITS_PER_S};
        side_columns[n++] = (struct report_column){keys[2], NULL, REPORT_TEXT};
        side_columns[n++] = (struct report_column){keys[3], "misses", REPORT_TEXT};
    }
    return n;
}

static void tell_side_by_side(struct report *r, const struct link_job *job)
{
    char words[160], name[LINK_NAME_ROOM];
    snprintf(words, sizeof words,
             "Goodput: median of %u seed%s, what is demanded, and what of it is missed", job->seeds,
             plural(job->seeds));
    struct report_table *t = report_table(r, "matrix", words, side_columns, make_side_columns(job));
    for (size_t i = 0; i < job->n_cells; i++) {
        report_row(t);
        report_cell_text(t, link_path_name(&job->cells[i].path, name));
        report_cell(t, job->cells[i].demand_bits_per_s);
        for (size_t c = 0; c < job->n_controllers; c++) {
            const struct link_summary *s = summary_of(job, i, c);
            report_cell(t, s->median[LINK_goodput]);
            report_cell(t, s->worst[LINK_goodput]);
            unsigned misses = link_misses(&job->cells[i], s);
            report_cell_text(t, misses ? "missed" : "met");
            report_cell_text(t, link_misses_names(misses, name));
        }
    }
}

static const struct report_column result_columns[] = {
    {"rate_bits_per_second", "path", REPORT_BITS_PER_S},
    {"rtt_ms", "round trip", REPORT_MS},
    {"loss_percent", "loss", REPORT_PERCENT},
    {"time_s", NULL, REPORT_S},
    {"congestion", "control", REPORT_TEXT},
    {"goodput_bits_per_second", "goodput", REPORT_BITS_PER_S},
    {"goodput_worst_bits_per_second", NULL, REPORT_BITS_PER_S},
    {"completion_ms", "completed", REPORT_MS},
    {"utilisation_percent", "busy", REPORT_PERCENT},
    {"retransmitted_percent", "sent again", REPORT_PERCENT},
    {"lost_percent", "lost", REPORT_PERCENT},
    {"dropped_percent", "dropped", REPORT_PERCENT},
    {"queue_mean_ms", "queue", REPORT_MS},
    {"queue_p99_ms", "p99", REPORT_MS},
    {"cpu_ms_per_virtual_s", NULL, REPORT_MS},
};
enum { RESULT_COLUMNS_N = sizeof result_columns / sizeof result_columns[0] };

static void tell_result(struct report_table *t, const struct link_job *job, size_t cell, size_t c)
{
    const struct link_path *p = &job->cells[cell].path;
    const struct link_summary *s = summary_of(job, cell, c);
    static const enum link_figure after[] = {LINK_completion, LINK_utilisation, LINK_retransmitted,
                                             LINK_lost,       LINK_dropped,     LINK_queue_mean,
                                             LINK_queue_p99,  LINK_cpu};
    report_row(t);
    report_cell(t, (double)p->rate_bits_per_s);
    report_cell(t, (double)p->rtt_ns * 1e-6);
    report_cell(t, p->loss_ppm * 1e-4);
    report_cell(t, job->like.bytes ? NAN : (double)job->cells[cell].time_ns * 1e-9);
    report_cell_text(t, job->controllers[c]);
    report_cell(t, s->median[LINK_goodput]);
    report_cell(t, s->worst[LINK_goodput]);
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++)
        report_cell(t, s->median[after[i]]);
}

static void tell_results(struct report *r, const struct link_job *job)
{
    struct report_table *t = report_table(r, "results", "All figures, medians of the seeds",
                                          result_columns, RESULT_COLUMNS_N);
    for (size_t i = 0; i < job->n_cells; i++)
        for (size_t c = 0; c < job->n_controllers; c++)
            tell_result(t, job, i, c);
}

/* -- pictures ---------------------------------------------------------------------------------- */

/* Of the path's rate, so that slow paths and fast ones can be compared. */
static void draw_shares(struct report *r, const struct link_job *job)
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
            double value =
                is_mark ? cell->demand_bits_per_s : summary_of(job, i, c)->median[LINK_goodput];
            report_bar(chart, link_path_name(&cell->path, name),
                       value / (double)cell->path.rate_bits_per_s * 100);
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
            report_bar(chart, link_path_name(&job->cells[i].path, name),
                       summary_of(job, i, c)->median[LINK_queue_mean]);
    }
}

static struct report_chart *over_time(struct report *r, const char *title, const char *words,
                                      enum report_unit unit)
{
    return report_chart(r, title, REPORT_LINES,
                        &(struct report_axis){.words = "time", .unit = REPORT_S},
                        &(struct report_axis){.words = words, .unit = unit});
}

static void draw_trace(struct report_chart *chart, const char *words, const struct link_trace *t,
                       size_t offset)
{
    report_series(chart, words);
    for (size_t i = 0; i < t->n; i++) {
        const char *sample = (const char *)&t->samples[i];
        report_point(chart, t->samples[i].at_s, *(const double *)(sample + offset));
    }
}

/* What was read in the last few round trips: with losses, much waits for what is missing, and then
 * comes at once. */
static void draw_goodput(struct report_chart *chart, const char *words, const struct link_trace *t,
                         double window_s)
{
    report_series(chart, words);
    for (size_t i = 1, from = 0; i < t->n; i++) {
        while (from + 1 < i && t->samples[i].at_s - t->samples[from + 1].at_s >= window_s)
            from++;
        report_point(chart, t->samples[i].at_s,
                     (t->samples[i].read_bytes - t->samples[from].read_bytes) * 8 /
                         (t->samples[i].at_s - t->samples[from].at_s));
    }
}

static void draw_level(struct report_chart *chart, const char *words, double until, double level)
{
    report_mark(chart, words);
    report_point(chart, 0, level);
    report_point(chart, until, level);
}

static double end_of(const struct link_job *job)
{
    double until = 0;
    for (size_t c = 0; c < job->n_controllers; c++)
        until = fmax(until, job->traces[c].time_s);
    return until;
}

static void draw_traces(struct report *r, const struct link_job *job)
{
    const struct link_path *p = &job->cells[0].path;
    struct report_chart *goodput = over_time(r, "Goodput over time", "goodput", REPORT_BITS_PER_S);
    struct report_chart *window =
        over_time(r, "Congestion window over time", "window", REPORT_BYTES);
    struct report_chart *queue = over_time(r, "Queueing delay over time", "delay", REPORT_MS);
    for (size_t c = 0; c < job->n_controllers; c++) {
        const char *name = job->controllers[c];
        const struct link_trace *t = &job->traces[c];
        draw_goodput(goodput, name, t, SMOOTH_RTTS * (double)p->rtt_ns * 1e-9);
        draw_trace(window, name, t, offsetof(struct link_sample, window_bytes));
        draw_trace(queue, name, t, offsetof(struct link_sample, queue_ms));
    }
    if (job->n_controllers == 1)
        draw_trace(goodput, "pacing rate", &job->traces[0],
                   offsetof(struct link_sample, rate_bits_per_s));
    draw_level(goodput, "bottleneck", end_of(job), (double)p->rate_bits_per_s);
    draw_level(window, "bandwidth x delay", end_of(job), (double)link_bdp_bytes(p));
}

/* -- the sentence ------------------------------------------------------------------------------ */

/* Who sends is never without data, so what it seems to wait for an application is its own ring. */
static void diagnose_one(struct report *r, const struct link_job *job)
{
    const struct link_summary *s = summary_of(job, 0, 0);
    const struct link_path *p = &job->cells[0].path;
    const double *held = s->held_percent;
    const char *name = job->controllers[0];
    const char *other = strcmp(name, "bbr") == 0 ? "cubic" : "bbr";
    double flow = held[STT_HELD_STREAM_FLOW] + held[STT_HELD_SESSION_FLOW];
    double control = held[STT_HELD_WINDOW] + held[STT_HELD_PACER];
    double busy = s->median[LINK_utilisation];
    double rtts = s->median[LINK_completion] / ((double)p->rtt_ns * 1e-6);
    if (busy >= FULL_PERCENT)
        report_limited(r,
                       "Limited by the path: its bottleneck was busy %.0f %% of the time; only "
                       "a faster path would carry more.",
                       busy);
    else if (flow >= MUCH_PERCENT)
        report_limited(r,
                       "Limited by the receiver's buffer, for which the sender waited %.0f %% "
                       "of the time: take --preset high-throughput, or leave --preset out.",
                       flow);
    else if (job->like.bytes && rtts < SHORT_RTTS)
        report_limited(r,
                       "Limited by its length: it was over after %.1f round trips, in which "
                       "the congestion window still doubled; a longer transfer is faster.",
                       rtts);
    else if (held[STT_HELD_APPLICATION] >= MUCH_PERCENT && job->like.preset)
        report_limited(r,
                       "Limited by the sender's buffer, which was full of what was not yet "
                       "acknowledged %.0f %% of the time: take --preset high-throughput, or "
                       "leave --preset out.",
                       held[STT_HELD_APPLICATION]);
    else if (p->loss_ppm)
        report_limited(r,
                       "Limited by congestion control, %.0f %% of the time: with %.3g %% of "
                       "packets lost by chance, %s leaves %.0f %% of the path unused; compare "
                       "it with --cc %s.",
                       control, p->loss_ppm * 1e-4, name, 100 - busy, other);
    else
        report_limited(r,
                       "Limited by congestion control, %.0f %% of the time: %s leaves %.0f %% "
                       "of the path unused with a queue of %.3g x bandwidth x delay; try a "
                       "longer --queue, a longer -t, or --cc %s.",
                       control, name, 100 - busy, p->queue_bdps, other);
}

static void add(char *text, const char *more)
{
    size_t len = strlen(text);
    snprintf(text + len, SENTENCE_ROOM - len, "%s", more);
}

/* Which of them meets most, and what that one misses. */
static void diagnose_matrix(struct report *r, const struct link_job *job)
{
    char text[SENTENCE_ROOM] = "", part[200], name[LINK_NAME_ROOM], names[LINK_NAME_ROOM];
    size_t best = 0, best_met = 0, missed = 0;
    bool is_ahead = false;
    for (size_t c = 0; c < job->n_controllers; c++) {
        size_t met = 0;
        for (size_t i = 0; i < job->n_cells; i++)
            met += link_misses(&job->cells[i], summary_of(job, i, c)) == 0;
        snprintf(part, sizeof part, "%s%s meets %zu of %zu demands", c ? ", " : "",
                 job->controllers[c], met, job->n_cells);
        add(text, part);
        is_ahead = c == 0 ? met > 0 : met > best_met || (is_ahead && met < best_met);
        best = met > best_met ? c : best;
        best_met = met > best_met ? met : best_met;
    }
    for (size_t i = 0; i < job->n_cells; i++) {
        unsigned misses = link_misses(&job->cells[i], summary_of(job, i, best));
        if (!misses || missed++ >= NAMED_MAX)
            continue;
        link_path_name(&job->cells[i].path, name);
        snprintf(part, sizeof part, "%s %s: %s", missed == 1 ? ". The best misses, at" : "; at",
                 name, link_misses_names(misses, names));
        add(text, part);
    }
    snprintf(part, sizeof part, "; and more at %zu others", missed - NAMED_MAX);
    add(text, missed > NAMED_MAX ? part : "");
    snprintf(part, sizeof part, "; take %s for such paths", job->controllers[best]);
    add(text, job->n_controllers > 1 && is_ahead ? part : "");
    report_limited(r, "%s.", text);
    if (job->is_strict && missed)
        report_fail(r, EXIT_PARTIAL,
                    "%zu of %zu demands are missed by %s, which misses least; the table says which",
                    missed, job->n_cells, job->controllers[best]);
}

static void diagnose_several(struct report *r, const struct link_job *job)
{
    char text[SENTENCE_ROOM] = "", part[160], rate[REPORT_VALUE_ROOM], queue[REPORT_VALUE_ROOM];
    double busy = 0;
    for (size_t c = 0; c < job->n_controllers; c++) {
        const struct link_summary *s = summary_of(job, 0, c);
        busy = fmax(busy, s->median[LINK_utilisation]);
        snprintf(part, sizeof part, "%s%s carries %s and makes others wait %s", c ? "; " : "",
                 job->controllers[c],
                 report_value(rate, REPORT_BITS_PER_S, s->median[LINK_goodput]),
                 report_value(queue, REPORT_MS, s->median[LINK_queue_mean]));
        add(text, part);
    }
    report_limited(r, "Limited by %s: %s.",
                   busy >= FULL_PERCENT ? "the path" : "congestion control", text);
}

/* -- the report -------------------------------------------------------------------------------- */

static void tell_failures(struct report *r, const struct link_job *job)
{
    char name[LINK_NAME_ROOM];
    for (size_t i = 0; i < job->n_cells; i++)
        for (size_t c = 0; c < job->n_controllers; c++) {
            const struct link_summary *s = summary_of(job, i, c);
            if (!s->failed)
                continue;
            report_fail(r, s->failed->exit, "%s, %s: %zu of %u seeds failed; the first: %s",
                        link_path_name(&job->cells[i].path, name), job->controllers[c],
                        job->seeds - s->n, job->seeds, s->failed->why);
        }
}

static struct report *begin(const struct link_job *job)
{
    char title[200], name[LINK_NAME_ROOM];
    if (job->is_matrix)
        snprintf(title, sizeof title, "One stream over %zu simulated paths, %u seed%s each",
                 job->n_cells, job->seeds, plural(job->seeds));
    else
        snprintf(title, sizeof title, "One stream over a simulated path of %s: median of %u seed%s",
                 link_path_name(&job->cells[0].path, name), job->seeds, plural(job->seeds));
    return report_new("link", title);
}

struct report *link_report(const struct link_job *job)
{
    struct report *r = begin(job);
    bool is_one = !job->is_matrix && job->n_controllers == 1;
    if (!job->is_matrix)
        tell_path(r, job);
    tell_common(r, job);
    if (is_one) {
        tell_figures(r, job);
        tell_held(r, summary_of(job, 0, 0));
    }
    if (job->is_matrix)
        tell_side_by_side(r, job);
    if (!is_one)
        tell_results(r, job);
    if (job->is_matrix) {
        draw_shares(r, job);
        draw_queues(r, job);
    } else if (job->traces)
        draw_traces(r, job);
    report_note(r, "Virtual time, and a cipher that costs nothing; every byte that was read was "
                   "compared with what was written.");
    tell_failures(r, job);
    if (is_one ? summary_of(job, 0, 0)->n > 0 : true)
        (job->is_matrix ? diagnose_matrix : is_one ? diagnose_one : diagnose_several)(r, job);
    return r;
}
