/* SPDX-License-Identifier: MIT
 * tables: owns the tables of the report: the flows of one path, all figures of each controller, and
 * the scenes of the matrix side by side. */
#include "tools/sttbench/link/telling.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KEY_ROOM = 96 };

/* -- flows ------------------------------------------------------------------------------------- */

static struct report_column flow_columns[] = {
    {"tested", NULL, REPORT_TEXT},
    {"name", "flow", REPORT_TEXT},
    {"from_s", "from", REPORT_S},
    {"goodput_bits_per_second", "goodput", REPORT_BITS_PER_S},
    {"share_percent", "share", REPORT_PERCENT},
    {"retransmitted_percent", "sent again", REPORT_PERCENT},
    {"completion_ms", "completed", REPORT_MS},
};
enum { FLOW_COLUMNS_N = sizeof flow_columns / sizeof flow_columns[0] };

void link_tell_flows(struct report *r, const struct link_job *job)
{
    const struct link_cell *cell = &job->cells[0];
    char name[LINK_NAME_ROOM];
    struct report_table *t = report_table(r, "flows", "Who got what, medians of the seeds",
                                          flow_columns, FLOW_COLUMNS_N);
    for (size_t c = 0; c < job->n_controllers; c++)
        for (size_t i = 0; i < cell->n_flows; i++) {
            const struct link_flow_result *f = &link_summary_of(job, 0, c)->flows[i];
            report_row(t);
            report_cell_text(t, job->controllers[c]);
            report_cell_text(t, link_flow_name(cell, job->controllers[c], i, name));
            report_cell(t, (double)cell->flows[i].from_ns * 1e-9);
            report_cell(t, f->goodput_bits_per_s);
            report_cell(t, f->share_percent);
            report_cell(t, f->retransmitted_percent);
            report_cell(t, f->completion_ms);
        }
}

/* -- all figures ------------------------------------------------------------------------------- */

enum { FIGURES_AT = 7 };
static struct report_column result_columns[] = {
    {"group", NULL, REPORT_TEXT},
    {"scene", NULL, REPORT_TEXT},
    {"rate_bits_per_second", NULL, REPORT_BITS_PER_S},
    {"rtt_ms", NULL, REPORT_MS},
    {"loss_percent", NULL, REPORT_PERCENT},
    {"time_s", NULL, REPORT_S},
    {"congestion", "control", REPORT_TEXT},
#define X(name, unit, words, shown, worse, has_worst) {#name "_" #unit, #name, REPORT_##shown},
    LINK_FIGURES(X)
#undef X
        {"goodput_worst_bits_per_second", NULL, REPORT_BITS_PER_S},
};
enum { RESULT_COLUMNS_N = sizeof result_columns / sizeof result_columns[0] };

/* As heads of columns; NULL: in JSON alone. */
static const char *const short_words[LINK_FIGURES_N] = {
    [LINK_goodput] = "goodput",
    [LINK_share] = "share",
    [LINK_jain] = "Jain",
    [LINK_least] = "least",
    [LINK_completion] = "completed",
    [LINK_reached] = "full again",
    [LINK_settled_queue] = "settled",
    [LINK_utilisation] = "busy",
    [LINK_retransmitted] = "again",
    [LINK_lost] = "lost",
    [LINK_dropped] = "dropped",
    [LINK_policed] = "policed",
    [LINK_marked] = "marked",
    [LINK_queue_mean] = "queue",
    [LINK_queue_p99] = "p99",
};

static void tell_result(struct report_table *t, const struct link_job *job, size_t cell, size_t c)
{
    const struct link_cell *of = &job->cells[cell];
    const struct link_summary *s = link_summary_of(job, cell, c);
    char name[LINK_NAME_ROOM];
    report_row(t);
    report_cell_text(t, of->group ? of->group : "");
    report_cell_text(t, link_cell_name(of, name));
    report_cell(t, (double)of->path.rate_bits_per_s);
    report_cell(t, (double)of->path.rtt_ns * 1e-6);
    report_cell(t, of->path.loss_ppm * 1e-4);
    report_cell(t, job->bytes ? NAN : (double)of->time_ns * 1e-9);
    report_cell_text(t, job->controllers[c]);
    for (enum link_figure figure = 0; figure < LINK_FIGURES_N; figure++)
        report_cell(t, s->median[figure]);
    report_cell(t, s->worst[LINK_goodput]);
}

/* The matrix has them side by side already: then this is for programs. */
void link_tell_results(struct report *r, const struct link_job *job)
{
    result_columns[FIGURES_AT - 1].words = job->is_matrix ? NULL : "control";
    for (size_t i = 0; i < LINK_FIGURES_N; i++)
        result_columns[FIGURES_AT + i].words = job->is_matrix ? NULL : short_words[i];
    struct report_table *t = report_table(r, "results", "All figures, medians of the seeds",
                                          result_columns, RESULT_COLUMNS_N);
    for (size_t i = 0; i < job->n_cells; i++)
        for (size_t c = 0; c < job->n_controllers; c++)
            tell_result(t, job, i, c);
}

/* -- side by side, for programs ---------------------------------------------------------------- */

static const struct report_column scene_columns[] = {
    {"group", NULL, REPORT_TEXT},        {"scene", "scene", REPORT_TEXT},
    {"figure", NULL, REPORT_TEXT},       {"demand", NULL, REPORT_PLAIN},
    {"demanded", "demand", REPORT_TEXT},
};
/* Of each controller. */
static const struct {
    const char *end; /* of the key, behind its name */
    bool is_shown;
    enum report_unit unit;
} sides[] = {
    {"_value", false, REPORT_PLAIN},
    {"_worst_value", false, REPORT_PLAIN},
    {"", true, REPORT_TEXT},
    {"_queue_mean_ms", false, REPORT_MS},
    {"_retransmitted_percent", false, REPORT_PERCENT},
    {"_verdict", false, REPORT_TEXT},
    {"_misses", false, REPORT_TEXT},
};
enum {
    SIDES_N = sizeof sides / sizeof sides[0],
    SCENE_COLUMNS_N = sizeof scene_columns / sizeof scene_columns[0]
};

/* Columns and their keys live as long as the report. */
static struct report_column side_columns[SCENE_COLUMNS_N + SIDES_N * LINK_CONTROLLERS_MAX];
static char side_keys[SIDES_N * LINK_CONTROLLERS_MAX][KEY_ROOM];

static const char *const figure_keys[] = {
#define X(name, unit, words, shown, worse, has_worst) [LINK_##name] = #name "_" #unit,
    LINK_FIGURES(X)
#undef X
};

static size_t make_side_columns(const struct link_job *job)
{
    size_t n = SCENE_COLUMNS_N;
    memcpy(side_columns, scene_columns, sizeof scene_columns);
    for (size_t c = 0; c < job->n_controllers; c++)
        for (size_t i = 0; i < SIDES_N; i++) {
            char *key = side_keys[SIDES_N * c + i];
            snprintf(key, KEY_ROOM, "%s%s", job->controllers[c], sides[i].end);
            side_columns[n++] = (struct report_column){
                key, sides[i].is_shown ? job->controllers[c] : NULL, sides[i].unit};
        }
    return n;
}

static void tell_side(struct report_table *t, const struct link_cell *cell,
                      const struct link_summary *s)
{
    char text[LINK_NAME_ROOM], value[REPORT_VALUE_ROOM];
    enum link_figure figure = link_demand_figure(cell->demands[0].kind);
    unsigned misses = link_misses(cell, s);
    link_figure_words(figure, s->median[figure], value);
    snprintf(text, sizeof text, "%s%s", value, misses ? " (!)" : "");
    report_cell(t, s->median[figure]);
    report_cell(t, s->worst[figure]);
    report_cell_text(t, text);
    report_cell(t, s->median[LINK_queue_mean]);
    report_cell(t, s->median[LINK_retransmitted]);
    report_cell_text(t, misses ? "missed" : "met");
    report_cell_text(t, link_misses_names(misses, text));
}

static void tell_sides(struct report *r, const struct link_job *job)
{
    char words[160], name[LINK_NAME_ROOM];
    snprintf(words, sizeof words,
             "Medians of %u seed%s, and what is demanded first; (!) where any demand is missed",
             job->seeds, job->seeds == 1 ? "" : "s");
    struct report_table *t = report_table(r, "matrix", words, side_columns, make_side_columns(job));
    for (size_t i = 0; i < job->n_cells; i++) {
        const struct link_cell *cell = &job->cells[i];
        report_row(t);
        report_cell_text(t, cell->group);
        report_cell_text(t, link_cell_name(cell, name));
        report_cell_text(t, figure_keys[link_demand_figure(cell->demands[0].kind)]);
        report_cell(t, cell->demands[0].bound);
        report_cell_text(t, link_demand_words(cell, name));
        for (size_t c = 0; c < job->n_controllers; c++)
            tell_side(t, cell, link_summary_of(job, i, c));
    }
}

/* -- side by side, for people: the same in tables that are not too wide -------------------------
 */

enum { COSTS_N = 2 };
static struct report_column cost_columns[1 + COSTS_N * LINK_CONTROLLERS_MAX];
static struct report_column miss_columns[1 + LINK_CONTROLLERS_MAX];

static void make_columns(const struct link_job *job)
{
    cost_columns[0] = miss_columns[0] = (struct report_column){"scene", "scene", REPORT_TEXT};
    for (size_t c = 0; c < job->n_controllers; c++) {
        char(*keys)[KEY_ROOM] = &side_keys[SIDES_N * c];
        const char *name = job->controllers[c];
        cost_columns[1 + COSTS_N * c] = (struct report_column){keys[3], name, REPORT_MS};
        cost_columns[2 + COSTS_N * c] = (struct report_column){keys[4], "again", REPORT_PERCENT};
        miss_columns[1 + c] = (struct report_column){keys[6], name, REPORT_TEXT};
    }
}

static bool is_missed_by_any(const struct link_job *job, size_t cell)
{
    for (size_t c = 0; c < job->n_controllers; c++)
        if (link_misses(&job->cells[cell], link_summary_of(job, cell, c)))
            return true;
    return false;
}

static void tell_misses(struct report *r, const struct link_job *job)
{
    char name[LINK_NAME_ROOM];
    struct report_table *t = report_table(r, NULL, "What of all demands is missed", miss_columns,
                                          1 + job->n_controllers);
    for (size_t i = 0; i < job->n_cells; i++) {
        if (!is_missed_by_any(job, i))
            continue;
        report_row(t);
        report_cell_text(t, link_cell_name(&job->cells[i], name));
        for (size_t c = 0; c < job->n_controllers; c++)
            report_cell_text(t, link_misses_names(
                                    link_misses(&job->cells[i], link_summary_of(job, i, c)), name));
    }
}

static void tell_costs(struct report *r, const struct link_job *job)
{
    char name[LINK_NAME_ROOM];
    struct report_table *t =
        report_table(r, NULL, "What it costs: mean queueing delay, and what was sent again",
                     cost_columns, 1 + COSTS_N * job->n_controllers);
    for (size_t i = 0; i < job->n_cells; i++) {
        report_row(t);
        report_cell_text(t, link_cell_name(&job->cells[i], name));
        for (size_t c = 0; c < job->n_controllers; c++) {
            report_cell(t, link_summary_of(job, i, c)->median[LINK_queue_mean]);
            report_cell(t, link_summary_of(job, i, c)->median[LINK_retransmitted]);
        }
    }
}

void link_tell_matrix(struct report *r, const struct link_job *job)
{
    tell_sides(r, job);
    make_columns(job);
    tell_costs(r, job);
    tell_misses(r, job);
}
