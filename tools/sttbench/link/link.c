/* SPDX-License-Identifier: MIT
 * link: owns the command line of the simulated path: what is asked for becomes runs, and they
 * become a report. */
#include "tools/sttbench/link/link.h"

#include "stt/recovery/congestion.h"
#include "tools/common/say.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/shared/share.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 5, MATRIX_SEEDS = 20, PAYLOAD = 1452, QUEUE_MAX = 100, NAMES_ROOM = 256 };
#define BDP_MAX ((double)(256u << 20)) /* with its queue; more memory than a test should take */

struct flags {
    struct report_options report;
    uint64_t rate, bytes;
    stt_ns rtt, jitter, time;
    const char *loss, *reorder, *queue, *cc, *preset;
    uint32_t seeds, seed, mtu;
    bool matrix, demand;
};
#define AT(field) .offset = offsetof(struct flags, field)

/* clang-format off */
static const struct option options[] = {
    {"rate", 0, BENCH_RATE(rate), .help = "of the simulated path (100M)"},
    {"rtt", 0, BENCH_DURATION(rtt), .help = "of the simulated path, without a queue (50ms)"},
    {"loss", 0, BENCH_TEXT(loss, "SHARE"), .help = "lost by chance, each way, as in 1% (0)"},
    {"queue", 0, BENCH_TEXT(queue, "BDPS"), .help = "room before the bottleneck, in bandwidth x delay (1)"},
    {"jitter", 0, BENCH_DURATION(jitter), .help = "delays vary by up to this (0)"},
    {"reorder", 0, BENCH_TEXT(reorder, "SHARE"), .help = "come a fifth of the round trip later (0)"},
    {"matrix", 'm', BENCH_FLAG(matrix), .help = "fourteen paths instead, with what is demanded of each"},
    {"cc", 0, BENCH_TEXT(cc, "NAME,..."), .help = "congestion control (cubic; with --matrix cubic,bbr)"},
    {"preset", 0, BENCH_CHOICE(preset, "balanced low-latency high-throughput", "NAME"), .help = "buffers of a preset, not ones that are never in the way"},
    {"mtu", 0, BENCH_MTU(9000)},
    {"bytes", 'n', BENCH_SIZE(bytes), .help = "move so many, however long it takes"},
    {"time", 't', BENCH_TIME(time), .help = "of virtual time (20s); with -n, at most (1h)"},
    {"seeds", 0, BENCH_NUMBER(seeds, 1, LINK_SEEDS_MAX), .help = "runs of each, with a seed of their own (5; --matrix: 20)"},
    {"seed", 'S', BENCH_NUMBER(seed, 1, UINT32_MAX / 2), .help = "the first one (1)"},
    {"demand", 0, BENCH_DEMAND},
    {"json", 'J', BENCH_JSON},
    {"plot", 0, BENCH_PLOT},
};
/* clang-format on */
enum { OPTIONS_N = sizeof options / sizeof options[0] };

static bool parse_texts(const struct flags *f, struct link_path *path, char *why)
{
    if (f->loss && !share_parse(&path->loss_ppm, f->loss))
        return options_refuse(why, "--loss wants a share such as 1%% or 0.05%%, and got '%.60s'",
                              f->loss);
    if (f->reorder && !share_parse(&path->reorder_ppm, f->reorder))
        return options_refuse(why,
                              "--reorder wants a share such as 1%% or 0.05%%, and got "
                              "'%.60s'",
                              f->reorder);
    if (f->queue && !share_parse_factor(&path->queue_bdps, f->queue, QUEUE_MAX))
        return options_refuse(why,
                              "--queue wants a number above 0 and up to %d such as 0.5, and "
                              "got '%.60s'",
                              QUEUE_MAX, f->queue);
    return true;
}

/* Names are the library's; those that it learns later are known here, too. */
static bool parse_controllers(struct link_job *job, const char *list, char *why)
{
    char names[NAMES_ROOM], *rest = names;
    snprintf(names, sizeof names, "%s", list); /* what is too long is no list of names */
    for (char *name; (name = strsep(&rest, ",")) != NULL;) {
        const struct stt_controller *c = stt_controller_by_name(name);
        if (!c)
            return options_refuse(why,
                                  "there is no congestion control called '%.40s'; take cubic "
                                  "or bbr",
                                  name);
        if (job->n_controllers == LINK_CONTROLLERS_MAX)
            return options_refuse(why, "--cc takes up to %d names", LINK_CONTROLLERS_MAX);
        for (size_t i = 0; i < job->n_controllers; i++)
            if (strcmp(job->controllers[i], c->name) == 0)
                return options_refuse(why, "--cc has %s twice", c->name);
        job->controllers[job->n_controllers++] = c->name;
    }
    return true;
}

static bool check(const struct option_set *set, const struct flags *f, char *why)
{
    static const char *const of_a_path[] = {"rate", "rtt", "loss"};
    for (size_t i = 0; f->matrix && i < sizeof of_a_path / sizeof of_a_path[0]; i++)
        if (options_is_set(set, of_a_path[i]))
            return options_refuse(why, "--matrix has paths of its own; leave out --%s",
                                  of_a_path[i]);
    if (f->demand && !f->matrix)
        return options_refuse(why, "--demand goes with --matrix: nothing is demanded of one path");
    if (f->rate < 1000 || f->rate > UINT64_C(400000000000))
        return options_refuse(why, "--rate is from 1K to 400G");
    if (f->rtt < 10000 || f->rtt > STT_S(10))
        return options_refuse(why, "--rtt is from 0.01ms to 10s");
    if (f->jitter > STT_S(10))
        return options_refuse(why, "--jitter is up to 10s");
    if (options_is_set(set, "bytes") && !f->bytes)
        return options_refuse(why, "--bytes wants at least one");
    return true;
}

/* The paths: one, or the matrix with what the flags change of it. */
static void make_cells(struct link_cell *cells, struct link_job *job, const struct flags *f,
                       const struct link_path *path)
{
    cells[0] = (struct link_cell){*path, STT_S(20), NAN};
    if (f->matrix)
        memcpy(cells, link_matrix, sizeof link_matrix);
    job->cells = cells;
    job->n_cells = f->matrix ? LINK_MATRIX_N : 1;
    for (size_t i = 0; i < job->n_cells; i++) {
        struct link_path *p = &cells[i].path;
        p->jitter_ns = path->jitter_ns;
        p->reorder_ppm = path->reorder_ppm;
        p->queue_bdps = path->queue_bdps;
        cells[i].time_ns = f->time ? f->time : f->bytes ? STT_S(3600) : cells[i].time_ns;
    }
}

static struct link_run run_of(const struct link_job *job, size_t cell, size_t controller,
                              uint32_t seed)
{
    struct link_run run = job->like;
    run.path = job->cells[cell].path;
    run.time_ns = job->cells[cell].time_ns;
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
    static struct flags f = {.rate = 100000000, .rtt = STT_MS(50), .seed = 1, .mtu = PAYLOAD};
    static struct link_cell cells[LINK_MATRIX_N];
    static struct option_set set = {
        .program = "sttbench link",
        .usage = "[OPTION]...",
        .about = "One stream over a simulated path, in virtual time; no rights are needed.",
        .options = options,
        .n = OPTIONS_N,
        .into = &f,
    };
    enum exits exit;
    char why[OPTION_WHY_ROOM];
    if (!bench_options(&set, argc, argv, &exit))
        return exit;
    struct link_path path = {f.rate, f.rtt, f.jitter, 0, 0, 1};
    struct link_job job = {.is_matrix = f.matrix, .is_strict = f.demand};
    const char *controllers = f.cc ? f.cc : f.matrix ? "cubic,bbr" : "cubic";
    if (!check(&set, &f, why) || !parse_texts(&f, &path, why) ||
        !parse_controllers(&job, controllers, why))
        return bench_usage("%s", why);
    if ((double)link_bdp_bytes(&path) * fmax(path.queue_bdps, 1) > BDP_MAX)
        return bench_usage("more than 256 MiB would be on this path at once; take a lower --rate, "
                           "--rtt or --queue");
    job.seeds = f.seeds ? f.seeds : f.matrix ? MATRIX_SEEDS : SEEDS;
    job.like =
        (struct link_run){.preset = f.preset, .payload = f.mtu, .bytes = f.bytes, .seed = f.seed};
    make_cells(cells, &job, &f, &path);
    return run(&job, &f);
}
