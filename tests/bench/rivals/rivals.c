/* SPDX-License-Identifier: MIT
 * bench/rivals: flows of STT on real sockets beside the kernel's TCP, over a bottleneck between two
 * networks of their own. The path is the simulator's, in real time, and so are the words for it:
 * what stands here can be held against `sttbench link`.
 *
 * Usage: rivals --cc tide --vs cubic --rate 100M --rtt 50ms --queue 0.5 --time 60s
 *        rivals --flow tcp:cubic --flow bbr@5s+20s ...
 *        rivals -h lists the rest; needs root, and for tcp:bbr a kernel that has it */
#include "tests/bench/rivals/tally.h"
#include "tools/common/say.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/report/report.h"
#include "tools/sttbench/shared/share.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { QUEUE_MAX = 100, PRIORITY = 40, ALONE_S = 20, TOGETHER_S = 60, SETTLING_PART = 6 };
#define DOUBTFUL_PERCENT 1.0

struct flags {
    struct report_options report;
    uint64_t rate, back_rate, police, police_burst;
    stt_ns rtt, jitter, aggregate, reorder_by, time, from;
    const char *loss, *reorder, *queue, *mark, *io, *trace;
    struct option_texts flow, steps;
    struct scene_cast cast;
    uint32_t seed;
};
#define AT(field) .offset = offsetof(struct flags, field)

/* clang-format off */
static const struct option options[] = {
    {"flow", 'f', 0, OPTION_TEXTS, AT(flow), .value = "NAME[@START][+TIME]", .help = "in place of the next four: cubic, tcp:cubic@5s ...; may be repeated"},
    {"cc", 0, BENCH_TEXT(cast.tested, "NAME,..."), .help = "what is tested: congestion control (cubic); tcp or tcp:NAME is the kernel's"},
    {"vs", 0, BENCH_TEXT(cast.vs, "NAME,..."), .help = "beside these: cubic and bbr (the kernel's), stt-cubic; one flow each"},
    {"flows", 0, BENCH_NUMBER(cast.n_tested, 1, SCENE_FLOWS_MAX), .help = "so many that are tested, of each (1)"},
    {"stagger", 0, BENCH_DURATION(cast.stagger_ns), .help = "each begins so long after the one before (0)"},
    {"rate", 0, BENCH_RATE(rate), .help = "of the bottleneck (100M)"},
    {"back-rate", 0, BENCH_RATE(back_rate), .help = "of the way back (as forth)"},
    {"rtt", 0, BENCH_DURATION(rtt), .help = "without a queue (50ms)"},
    {"loss", 0, BENCH_TEXT(loss, "SHARE"), .help = "lost by chance, each way, as in 1% (0)"},
    {"queue", 0, BENCH_TEXT(queue, "BDPS"), .help = "room before the bottleneck, in bandwidth x delay (1)"},
    {"jitter", 0, BENCH_DURATION(jitter), .help = "delays vary by up to this (0)"},
    {"reorder", 0, BENCH_TEXT(reorder, "SHARE"), .help = "come later than those behind them (0)"},
    {"reorder-by", 0, BENCH_DURATION(reorder_by), .help = "so much later (a fifth of the round trip)"},
    {"aggregate", 0, BENCH_DURATION(aggregate), .help = "acks arrive in bursts, so far apart (0)"},
    {"police", 0, BENCH_RATE(police), .help = "a token bucket drops what is faster (none)"},
    {"police-burst", 0, BENCH_SIZE(police_burst), .help = "of the token bucket (a round trip's)"},
    {"mark", 0, BENCH_TEXT(mark, "BDPS"), .help = "a queue as long as this marks packets (none)"},
    {"step", 0, 0, OPTION_TEXTS, AT(steps), .value = "STEP", .help = "10s:10M or 10s:rtt=200ms: the path changes; may be repeated"},
    {"time", 't', BENCH_TIME(time), .help = "of all (20s, 60s of several flows)"},
    {"from", 0, BENCH_DURATION(from), .help = "what is before this is not counted (0; of several flows, when all have settled)"},
    {"seed", 'S', BENCH_NUMBER(seed, 1, UINT32_MAX / 2), .help = "of what is lost (1)"},
    {"io", 0, BENCH_IO},
    {"trace", 0, BENCH_TEXT(trace, "FILE"), .help = "a line for each 100 ms, as CSV"},
    {"json", 'J', BENCH_JSON},
    {"plot", 0, BENCH_PLOT},
};
/* clang-format on */

/* -- what is asked for --------------------------------------------------------------------------
 */

static bool parse_texts(struct scene *s, const struct flags *f, char *why)
{
    if (f->loss && !share_parse(&s->loss_ppm, f->loss))
        return options_refuse(why, "--loss wants a share such as 1%%, and got '%.60s'", f->loss);
    if (f->reorder && !share_parse(&s->reorder_ppm, f->reorder))
        return options_refuse(why, "--reorder wants a share such as 1%%, and got '%.60s'",
                              f->reorder);
    if ((f->queue && !share_parse_factor(&s->queue_bdps, f->queue, QUEUE_MAX)) ||
        (f->mark && !share_parse_factor(&s->mark_bdps, f->mark, QUEUE_MAX)))
        return options_refuse(why, "--queue and --mark want a number above 0 and up to %d",
                              QUEUE_MAX);
    if (!f->flow.n && !scene_add_cast(s, &f->cast, why))
        return false;
    for (uint32_t i = 0; i < f->flow.n; i++)
        if (!scene_add_flow(s, f->flow.at[i], why))
            return false;
    for (uint32_t i = 0; i < f->steps.n; i++)
        if (!scene_add_step(s, f->steps.at[i], why))
            return false;
    return true;
}

static bool check(const struct scene *s, char *why)
{
    if (s->rate_bits_per_s < 1000 || s->rtt_ns < 10000 || s->rtt_ns > STT_S(10))
        return options_refuse(why, "--rate is from 1K on, --rtt from 0.01ms to 10s");
    if (s->from_ns + TALLY_STEP_NS > s->time_ns)
        return options_refuse(why, "--from is before the end, and --time at least 0.1s");
    for (size_t i = 0; i < s->n_flows; i++)
        if (s->flows[i].start_ns >= s->time_ns)
            return options_refuse(why, "%s begins when all is over; take a longer --time",
                                  s->flows[i].name);
    if (geteuid() != 0)
        return options_refuse(why, "networks of our own and TUN devices need root; run it as root");
    return true;
}

/* As `sttbench link` has it: several flows need some time to settle. */
static void set_time(struct scene *s, const struct flags *f)
{
    stt_ns last = 0, step = s->n_steps ? s->steps[s->n_steps - 1].at_ns : 0;
    for (size_t i = 0; i < s->n_flows; i++)
        last = s->flows[i].start_ns > last ? s->flows[i].start_ns : last;
    s->time_ns = f->time ? f->time : STT_S(s->n_flows > 1 ? TOGETHER_S : ALONE_S) + last + step;
    s->from_ns = f->from          ? f->from
                 : s->n_flows > 1 ? last + (s->time_ns - last) / SETTLING_PART
                                  : 0;
    if (s->police_bits_per_s && !s->police_burst_bytes)
        s->police_burst_bytes =
            (uint64_t)fmax((double)s->police_bits_per_s / 8 * (double)s->rtt_ns * 1e-9, 16 * 1528);
}

static bool read_scene(struct scene *s, const struct flags *f, char *why)
{
    *s = (struct scene){.rate_bits_per_s = f->rate,
                        .police_bits_per_s = f->police,
                        .police_burst_bytes = f->police_burst,
                        .back_rate_bits_per_s = f->back_rate,
                        .rtt_ns = f->rtt,
                        .jitter_ns = f->jitter,
                        .aggregate_ns = f->aggregate,
                        .reorder_ns = f->reorder_by,
                        .queue_bdps = 1,
                        .seed = f->seed};
    if (!parse_texts(s, f, why))
        return false;
    set_time(s, f);
    return check(s, why);
}

/* -- the run ------------------------------------------------------------------------------------
 */

static bool run(const struct scene *s, const struct nets *n, struct relay *r, struct tally *t)
{
    struct stt_link_config forth = scene_forth(s, 0), back = scene_back(s, 0);
    stt_net_link_configure(&r->links[RELAY_FORTH], &forth);
    stt_net_link_configure(&r->links[RELAY_BACK], &back);
    r->look = tally_look;
    r->ctx = t;
    (void)n;
    (void)mlockall(MCL_CURRENT | MCL_FUTURE);
    prctl(PR_SET_TIMERSLACK, 1ul);
    if (!cast_hurry(PRIORITY))
        say_note(0, "the relay may not come before others here; its figures may be doubtful");
    return relay_run(r, t->board->until_ns + STT_MS(2));
}

/* -- telling ------------------------------------------------------------------------------------
 */

static void tell_path(struct report *r, const struct scene *s)
{
    report_number(r, "rate_bits_per_second", "bottleneck", REPORT_BITS_PER_S,
                  (double)s->rate_bits_per_s);
    report_number(r, "rtt_ms", "round trip", REPORT_MS, (double)s->rtt_ns * 1e-6);
    report_number(r, "loss_percent", "lost by chance, each way", REPORT_PERCENT,
                  s->loss_ppm * 1e-4);
    report_number(r, "queue_bdps", "room before the bottleneck, bandwidth x delay", REPORT_PLAIN,
                  s->queue_bdps);
    report_number(r, "time_s", "time", REPORT_S, (double)s->time_ns * 1e-9);
    report_number(r, "from_s", "figures from", REPORT_S, (double)s->from_ns * 1e-9);
}

struct sums {
    double all, tested, squares, n, resent;
};

static struct sums sum_up(const struct tally *t)
{
    struct sums sum = {0};
    for (size_t i = 0; i < t->board->n_seats; i++) {
        struct tally_figures x = tally_figures(t, i);
        double rate = isnan(x.bits_per_s) ? 0 : x.bits_per_s;
        sum.all += rate;
        if (!t->board->seats[i].flow.is_tested)
            continue;
        sum.tested += rate;
        sum.squares += rate * rate;
        sum.resent += rate * x.resent_percent;
        sum.n++;
    }
    return sum;
}

static void tell_shares(struct report *r, const struct tally *t)
{
    struct sums sum = sum_up(t);
    bool has_rivals = (double)t->board->n_seats > sum.n;
    report_number(r, "goodput_bits_per_second", "goodput", REPORT_BITS_PER_S, sum.tested);
    report_number(r, "share_percent", "share of all that came", REPORT_PERCENT,
                  has_rivals ? sum.tested / sum.all * 100 : NAN);
    report_number(r, "jain", "Jain's index", REPORT_RATIO,
                  sum.n > 1 ? sum.tested * sum.tested / sum.squares / sum.n : NAN);
    report_number(r, "retransmitted_percent", "sent again", REPORT_PERCENT,
                  sum.resent / sum.tested);
}

static void tell_flows(struct report *r, const struct tally *t)
{
    static const struct report_column columns[] = {
        {"tested", NULL, REPORT_TEXT},
        {"name", "flow", REPORT_TEXT},
        {"from_s", "from", REPORT_S},
        {"seconds", "for", REPORT_S},
        {"goodput_bits_per_second", "goodput", REPORT_BITS_PER_S},
        {"share_percent", "share", REPORT_PERCENT},
        {"rtt_mean_ms", "round trip", REPORT_MS},
        {"retransmitted_percent", "sent again", REPORT_PERCENT},
    };
    enum { COLUMNS = sizeof columns / sizeof columns[0] };
    struct report_table *table = report_table(r, "flows", "Flows", columns, COLUMNS);
    for (size_t i = 0; i < t->board->n_seats; i++) {
        const struct scene_flow *f = &t->board->seats[i].flow;
        struct tally_figures x = tally_figures(t, i);
        report_row(table);
        report_cell_text(table, f->is_tested ? "yes" : "no");
        report_cell_text(table, f->name);
        report_cell(table, (double)f->start_ns * 1e-9);
        report_cell(table, x.seconds);
        report_cell(table, x.bits_per_s);
        report_cell(table, x.bits_per_s / sum_up(t).all * 100);
        report_cell(table, x.rtt_ms);
        report_cell(table, x.resent_percent);
    }
}

static double since(const struct tally *t, uint64_t now, uint64_t before)
{
    double offered =
        (double)(t->relay->links[RELAY_FORTH].stats.datagrams_in - t->at_from.datagrams_in);
    return (double)(now - before) / offered * 100;
}

static void tell_queue(struct report *r, const struct tally *t)
{
    const struct stt_link_stats *l = &t->relay->links[RELAY_FORTH].stats, *b = &t->at_from;
    report_number(r, "queue_mean_ms", "queueing delay, mean", REPORT_MS, tally_queue_mean_ms(t));
    report_number(r, "queue_p99_ms", "queueing delay, p99", REPORT_MS,
                  tally_queue_percentile_ms(t, 99));
    report_number(r, "lost_percent", "lost by chance", REPORT_PERCENT,
                  since(t, l->dropped[STT_LINK_DROP_LOSS], b->dropped[STT_LINK_DROP_LOSS]));
    report_number(r, "dropped_percent", "dropped, the queue was full", REPORT_PERCENT,
                  since(t, l->dropped[STT_LINK_DROP_QUEUE], b->dropped[STT_LINK_DROP_QUEUE]));
    report_number(r, "policed_percent", "dropped by the policer", REPORT_PERCENT,
                  since(t, l->dropped[STT_LINK_DROP_POLICED], b->dropped[STT_LINK_DROP_POLICED]));
    report_number(r, "marked_percent", "marked", REPORT_PERCENT, since(t, l->marked, b->marked));
}

static void tell_relay(struct report *r, const struct relay *relay)
{
    double late = (double)relay->late / (double)relay->sent * 100;
    report_number(r, "late_percent", "left the relay more than 1 ms late", REPORT_PERCENT, late);
    report_number(r, "late_max_ms", "at most", REPORT_MS, (double)relay->late_ns_max * 1e-6);
    if (late > DOUBTFUL_PERCENT)
        report_note(r, "Doubtful: the machine was busy, and %.1f %% of the packets were late.",
                    late);
    if (relay->refused)
        report_note(r, "Doubtful: the kernel refused %llu packets.",
                    (unsigned long long)relay->refused);
}

static void draw(struct report *r, const struct tally *t)
{
    static const struct report_axis time = {"time", REPORT_S, false},
                                    rate = {"goodput", REPORT_BITS_PER_S, false},
                                    queue = {"queueing delay", REPORT_MS, false};
    struct report_chart *c = report_chart(r, "Goodput", REPORT_LINES, &time, &rate);
    for (size_t i = 0; i < t->board->n_seats; i++) {
        report_series(c, t->board->seats[i].flow.name);
        for (size_t n = 5; n < t->n; n += 5)
            report_point(c, (double)n * 0.1,
                         (double)(t->rows[n].seats[i].bytes - t->rows[n - 5].seats[i].bytes) * 16);
    }
    c = report_chart(r, "Queue", REPORT_LINES, &time, &queue);
    report_series(c, "queue");
    for (size_t n = 1; n < t->n; n++)
        report_point(c, (double)n * 0.1, t->rows[n].queue_ms);
}

static void tell_failures(struct report *r, const struct tally *t, unsigned failed)
{
    for (size_t i = 0; i < t->board->n_seats; i++) {
        const struct cast_seat *seat = &t->board->seats[i];
        if (atomic_load(&seat->is_different))
            report_fail(r, EXIT_INTEGRITY, "what %s read is not what was written: a bug of STT",
                        seat->flow.name);
        if (!atomic_load(&seat->began_ns))
            report_fail(r, EXIT_NO_ANSWER, "%s has never begun", seat->flow.name);
    }
    if (failed)
        report_fail(r, EXIT_NETWORK, "%u of the flows' processes failed", failed);
}

static struct report *tell(const struct tally *t, unsigned failed)
{
    struct report *r = report_new("rivals", "Flows on real sockets over one bottleneck");
    tell_path(r, t->scene);
    tell_shares(r, t);
    tell_queue(r, t);
    tell_relay(r, t->relay);
    tell_flows(r, t);
    draw(r, t);
    tell_failures(r, t, failed);
    return r;
}

static enum exits measure(const struct scene *s, const struct nets *n, const struct flags *f)
{
    static struct relay relay;
    static struct tally tally;
    struct cast cast;
    enum stt_io io = !f->io ? STT_IO_AUTO : strcmp(f->io, "mmsg") == 0 ? STT_IO_MMSG : STT_IO_URING;
    if (!cast_start(&cast, s, n, io))
        return EXIT_LOCAL_IO;
    relay_init(&relay, n->files, s->seed);
    tally_init(&tally, s, cast.board, &relay);
    bool is_whole = run(s, n, &relay, &tally);
    unsigned failed = cast_stop(&cast);
    enum exits exit = EXIT_LOCAL_IO;
    if (!is_whole)
        say_error("a TUN device has gone while it was in use");
    else if (!f->trace || tally_trace(&tally, f->trace))
        exit = report_end(tell(&tally, failed), &f->report);
    tally_fini(&tally);
    relay_fini(&relay);
    return exit;
}

int main(int argc, char **argv)
{
    static struct flags f = {.rate = 100000000,
                             .rtt = STT_MS(50),
                             .cast = {.tested = "cubic", .n_tested = 1},
                             .seed = 1};
    static struct option_set set = {
        .program = "rivals",
        .usage = "[OPTION]...",
        .about = "Flows of STT on real sockets beside the kernel's TCP, over one bottleneck.",
        .options = options,
        .n = sizeof options / sizeof options[0],
        .into = &f,
    };
    static struct scene scene;
    struct nets nets;
    bool is_over;
    char why[OPTION_WHY_ROOM];
    say_begin("rivals", 0, false);
    bool is_good = options_read_arguments(&set, argc, argv, &is_over, why);
    if (is_good && is_over)
        return EXIT_DONE;
    if (is_good && read_scene(&scene, &f, why) && nets_new(&nets, SCENE_MTU, why))
        return (int)measure(&scene, &nets, &f);
    say_error("%s", why);
    return EXIT_USAGE;
}
