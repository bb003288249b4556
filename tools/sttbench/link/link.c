/* SPDX-License-Identifier: MIT
 * link: owns the command line of the simulated path: what is asked for becomes runs, and they
 * become a report. */
#include "tools/sttbench/link/link.h"

#include "stt/recovery/congestion.h"
#include "tools/common/say.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/link/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 5, MATRIX_SEEDS = 20, PAYLOAD = 1452, NAMES_ROOM = 256, CELLS_MAX = 128 };

struct flags {
    struct report_options report;
    struct scene_wish scene;
    const char *cc, *preset, *group;
    uint32_t seeds, seed, mtu;
    bool matrix, demand;
};
#define AT(field) .offset = offsetof(struct flags, field)

/* clang-format off */
static const struct option options[] = {
    {"rate", 0, BENCH_RATE(scene.rate), .help = "of the simulated path (100M)"},
    {"rtt", 0, BENCH_DURATION(scene.rtt), .help = "of the simulated path, without a queue (50ms)"},
    {"loss", 0, BENCH_TEXT(scene.loss, "SHARE"), .help = "lost by chance, each way, as in 1% (0)"},
    {"queue", 0, BENCH_TEXT(scene.queue, "BDPS"), .help = "room before the bottleneck, in bandwidth x delay (1)"},
    {"jitter", 0, BENCH_DURATION(scene.jitter), .help = "delays vary by up to this (0)"},
    {"reorder", 0, BENCH_TEXT(scene.reorder, "SHARE"), .help = "come later than those behind them (0)"},
    {"reorder-by", 0, BENCH_DURATION(scene.reorder_by), .help = "so much later (a fifth of the round trip)"},
    {"aggregate", 0, BENCH_DURATION(scene.aggregate), .help = "acks arrive in bursts, so far apart (0)"},
    {"back-rate", 0, BENCH_RATE(scene.back_rate), .help = "of the way back (as forth)"},
    {"police", 0, BENCH_RATE(scene.police), .help = "a token bucket drops what is faster (none)"},
    {"police-burst", 0, BENCH_SIZE(scene.police_burst), .help = "of the token bucket (a round trip's)"},
    {"mark", 0, BENCH_TEXT(scene.mark, "BDPS"), .help = "a queue as long as this marks packets (none)"},
    {"step", 0, 0, OPTION_TEXTS, AT(scene.steps), .value = "STEP", .help = "10s:10M or 10s:rtt=200ms: the path changes; may be repeated"},
    {"vs", 0, BENCH_TEXT(scene.vs, "NAME,..."), .help = "beside these: cubic (TCP's), bbr, stt-cubic; one flow each"},
    {"flows", 0, BENCH_NUMBER(scene.flows, 1, LINK_FLOWS_MAX), .help = "so many that are tested (1)"},
    {"stagger", 0, BENCH_DURATION(scene.stagger), .help = "each begins so long after the one before (0)"},
    {"app-rate", 0, BENCH_RATE(scene.app_rate), .help = "the application of each writes no more (all it may)"},
    {"matrix", 'm', BENCH_FLAG(matrix), .help = "many scenes instead, with what is demanded of each"},
    {"group", 0, BENCH_TEXT(group, "NAME,..."), .help = "with --matrix: these groups of them (all)"},
    {"cc", 0, BENCH_TEXT(cc, "NAME,..."), .help = "what is tested: congestion control (tide; with --matrix all there are)"},
    {"preset", 0, BENCH_CHOICE(preset, "balanced low-latency high-throughput", "NAME"), .help = "buffers of a preset, not ones that are never in the way"},
    {"mtu", 0, BENCH_MTU(9000)},
    {"bytes", 'n', BENCH_SIZE(scene.bytes), .help = "move so many, however long it takes"},
    {"time", 't', BENCH_TIME(scene.time), .help = "of virtual time (20s, 60s of several flows); with -n, at most (1h)"},
    {"from", 0, BENCH_DURATION(scene.from), .help = "what is before this is not counted (0; of several flows, when all have settled)"},
    {"seeds", 0, BENCH_NUMBER(seeds, 1, LINK_SEEDS_MAX), .help = "runs of each, with a seed of their own (5; --matrix: 20)"},
    {"seed", 'S', BENCH_NUMBER(seed, 1, UINT32_MAX / 2), .help = "the first one (1)"},
    {"demand", 0, BENCH_DEMAND},
    {"json", 'J', BENCH_JSON},
    {"plot", 0, BENCH_PLOT},
};
/* clang-format on */
enum { OPTIONS_N = sizeof options / sizeof options[0] };

/* The library's, with the default first, and without `none`, its last. */
static const char *all_controllers(void)
{
    static char names[NAMES_ROOM];
    size_t len = 0;
    for (size_t i = 0; stt_controller_at(i + 1) && len < sizeof names; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", i ? "," : "",
                                stt_controller_at(i)->name);
    return names;
}

static const char *controllers_of(bool is_matrix)
{
    return is_matrix ? all_controllers() : stt_controller_at(0)->name;
}

static bool parse_controllers(struct link_job *job, const char *list, char *why)
{
    char names[NAMES_ROOM], *rest = names;
    snprintf(names, sizeof names, "%s", list); /* what is too long is no list of names */
    for (char *name; (name = strsep(&rest, ",")) != NULL;) {
        const struct stt_controller *known = stt_controller_by_name(name);
        const char *c = known ? known->name : strcmp(name, LINK_TCP) == 0 ? LINK_TCP : NULL;
        if (!c)
            return options_refuse(why,
                                  "there is no congestion control called '%.40s'; take one or "
                                  "more of %s",
                                  name, all_controllers());
        if (job->n_controllers == LINK_CONTROLLERS_MAX)
            return options_refuse(why, "--cc takes up to %d names", LINK_CONTROLLERS_MAX);
        for (size_t i = 0; i < job->n_controllers; i++)
            if (strcmp(job->controllers[i], c) == 0)
                return options_refuse(why, "--cc has %s twice", c);
        job->controllers[job->n_controllers++] = c;
    }
    return true;
}

/* The matrix has paths and flows of its own. */
static bool check(const struct option_set *set, const struct flags *f, char *why)
{
    static const char *const with_matrix[] = {"matrix", "group", "cc",     "mtu",  "time",  "seeds",
                                              "seed",   "json",  "demand", "plot", "preset"};
    for (size_t i = 0; f->matrix && i < OPTIONS_N; i++) {
        bool is_fine = !options_is_set(set, options[i].name);
        for (size_t k = 0; k < sizeof with_matrix / sizeof with_matrix[0]; k++)
            is_fine |= strcmp(options[i].name, with_matrix[k]) == 0;
        if (!is_fine)
            return options_refuse(why, "--matrix has paths of its own; leave out --%s",
                                  options[i].name);
    }
    if (f->demand && !f->matrix)
        return options_refuse(why, "--demand goes with --matrix: nothing is demanded of one path");
    if (f->group && !f->matrix)
        return options_refuse(why, "--group goes with --matrix");
    if (options_is_set(set, "bytes") && !f->scene.bytes)
        return options_refuse(why, "--bytes wants at least one");
    return true;
}

/* -- what is run ------------------------------------------------------------------------------- */

static bool is_named(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, name, len) == 0 && (at[len] == ',' || !at[len]))
            return true;
    }
    return false;
}

static bool has_group(const char *name, size_t len)
{
    for (size_t i = 0; i < link_matrix_n; i++)
        if (strlen(link_matrix[i].group) == len && strncmp(link_matrix[i].group, name, len) == 0)
            return true;
    return false;
}

static bool check_groups(const char *list, char *why)
{
    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        size_t len = strcspn(at, ",");
        if (!has_group(at, len))
            return options_refuse(why, "there is no group called '%.*s'; take goodput or beside",
                                  (int)(len < 40 ? len : 40), at);
        at += len - (len > 0);
    }
    return true;
}

/* Those of the groups that are asked for, and no longer than they are asked to be. */
static bool take_matrix(struct link_cell *cells, struct link_job *job, const struct flags *f,
                        char *why)
{
    if (!check_groups(f->group, why))
        return false;
    for (size_t i = 0; i < link_matrix_n && job->n_cells < CELLS_MAX; i++) {
        struct link_cell *c = &cells[job->n_cells];
        if (f->group && !is_named(f->group, link_matrix[i].group))
            continue;
        *c = link_matrix[i];
        if (f->scene.time)
            c->from_ns = (stt_ns)((double)c->from_ns / (double)c->time_ns * (double)f->scene.time);
        c->time_ns = f->scene.time ? f->scene.time : c->time_ns;
        job->n_cells++;
    }
    return true;
}

static struct link_run run_of(const struct link_job *job, size_t cell, size_t controller,
                              uint32_t seed)
{
    struct link_run run = job->like;
    const struct link_cell *c = &job->cells[cell];
    run.path = c->path;
    run.flows = c->flows;
    run.n_flows = c->n_flows;
    run.steps = c->steps;
    run.n_steps = c->n_steps;
    run.time_ns = c->time_ns;
    run.from_ns = c->from_ns;
    run.congestion = job->controllers[controller];
    run.seed += seed;
    return run;
}

/* The dearest first, so that nobody is left with one at the end. */
static bool measure(const struct link_job *job, struct link_summary *summaries,
                    struct link_result *results)
{
    size_t groups = job->n_cells * job->n_controllers, n = groups * job->seeds;
    struct link_run *runs = calloc(n, sizeof *runs);
    bool is_good = runs != NULL;
    for (size_t i = 0; is_good && i < n; i++) {
        size_t group = groups - 1 - i / job->seeds;
        runs[i] = run_of(job, group / job->n_controllers, group % job->n_controllers,
                         (uint32_t)(i % job->seeds));
    }
    is_good = is_good && link_measure_all(runs, results, n);
    for (size_t i = 0; is_good && i < groups; i++)
        link_summarize(&summaries[groups - 1 - i], results + i * job->seeds, job->seeds);
    free(runs);
    return is_good;
}

/* The first seed of each controller once more, looked at while it runs. */
static struct link_trace *trace(const struct link_job *job, const struct link_result *results)
{
    struct link_trace *traces = calloc(job->n_controllers, sizeof *traces);
    struct link_result again;
    for (size_t c = 0; traces && c < job->n_controllers; c++) {
        struct link_run run = run_of(job, 0, c, 0);
        traces[c].time_s = results[(job->n_controllers - 1 - c) * job->seeds].time_s;
        if (traces[c].time_s > 0)
            link_measure(&run, &again, &traces[c]);
    }
    return traces;
}

static enum exits run(struct link_job *job, const struct flags *f)
{
    size_t groups = job->n_cells * job->n_controllers;
    struct link_summary *summaries = calloc(groups, sizeof *summaries);
    struct link_result *results = calloc(groups * job->seeds, sizeof *results);
    struct link_trace *traces = NULL;
    enum exits exit = EXIT_LOCAL_IO;
    job->results = summaries;
    if (summaries && results && measure(job, summaries, results)) {
        if (f->report.plot && !job->is_matrix)
            job->traces = traces = trace(job, results);
        exit = report_end(link_report(job), &f->report);
    } else
        say_error("the runs did not come to an end: no memory or no processes; take fewer --seeds");
    free(traces);
    free(results);
    free(summaries);
    return exit;
}

enum exits bench_link(int argc, char **argv)
{
    static struct flags f = {
        .scene = {.rate = 100000000, .rtt = STT_MS(50)}, .seed = 1, .mtu = PAYLOAD};
    static struct link_cell cells[CELLS_MAX];
    static struct scene scene;
    static struct option_set set = {
        .program = "sttbench link",
        .usage = "[OPTION]...",
        .about = "Flows over a simulated path, in virtual time; no rights are needed.",
        .options = options,
        .n = OPTIONS_N,
        .into = &f,
    };
    enum exits exit;
    char why[OPTION_WHY_ROOM];
    if (!bench_options(&set, argc, argv, &exit))
        return exit;
    struct link_job job = {.is_matrix = f.matrix, .is_strict = f.demand, .bytes = f.scene.bytes};
    bool is_good =
        check(&set, &f, why) &&
        parse_controllers(&job, f.cc ? f.cc : controllers_of(f.matrix), why) &&
        (f.matrix ? take_matrix(cells, &job, &f, why) : scene_make(&scene, &f.scene, why));
    if (!is_good)
        return bench_usage("%s", why);
    if (!f.matrix)
        cells[job.n_cells++] = scene.cell;
    job.cells = cells;
    job.seeds = f.seeds ? f.seeds : f.matrix ? MATRIX_SEEDS : SEEDS;
    job.like = (struct link_run){.preset = f.preset, .payload = f.mtu, .seed = f.seed};
    return run(&job, &f);
}
