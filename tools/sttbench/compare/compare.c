/* SPDX-License-Identifier: MIT
 * compare: owns the options, and who runs when: first each system once with its bytes checked, then
 * in rounds, one system after the other, each round beginning with another one. */
#include "tools/sttbench/compare/compare.h"
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "tools/common/say.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/compare/tls.h"
#include "tools/sttbench/shared/figures.h"
#include "tools/sttbench/shared/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) .offset = offsetof(struct compare_options, field)

/* clang-format off */
static const struct option options[] = {
    {"veth", 0, BENCH_FLAG(veth), .help = "also between two networks, offloads on and off; as root"},
    {"only", 0, BENCH_TEXT(only, "LIST"), .help = "only these of stt,limit,udp,tcp,tcp-mss,tls"},
    {"suite", 0, BENCH_TEXT(suite, "LIST"), .help = "only these cipher suites; also null, STT without one"},
    {"runs", 0, BENCH_NUMBER(runs, 1, ROWS_RUNS_MAX), .help = "rounds, with a run of each in every one (5)"},
    {"time", 't', BENCH_TIME(time_ns), .help = "of each run (1s)"},
    {"warm-up", 0, BENCH_DURATION(warm_ns), .help = "before that (a quarter of it, 50 ms at least)"},
    {"mtu", 0, BENCH_MTU(9000)},
    {"io", 0, BENCH_IO},
    {"preset", 0, BENCH_PRESET},
    {"ring", 0, BENCH_SIZE(ring_bytes), .help = "STT's send ring (the preset's)"},
    {"spin", 0, BENCH_DURATION(spin_ns), .help = "STT looks for so long before it sleeps (0)"},
    {"verify", 0, BENCH_FLAG(verify), .help = "hash all bytes in the timed runs, too"},
    {"copy", 0, BENCH_FLAG(copy), .help = "STT and the limit copy the application's bytes first"},
    {"demand", 0, BENCH_DEMAND},
    {"json", 'J', BENCH_JSON},
    {"plot", 0, BENCH_PLOT},
};
/* clang-format on */
enum { OPTIONS_N = sizeof options / sizeof options[0] };

struct compare_system {
    const char *name;
    bool has_suites;   /* a row for each cipher */
    const char *suite; /* else the row's, "": none */
    bool is_bare;      /* nothing resends: it has ways to choose from, and hashes of its own */
    bool is_cut;       /* in segments as short as a datagram */
    bool (*send)(void *run);
    bool (*receive)(void *run);
};
static const struct compare_system systems[] = {
    {"stt", true, "", false, false, session_send, session_receive},
    {"limit", true, "", true, false, trains_send, trains_receive},
    {"udp", false, "", true, false, trains_send, trains_receive},
    {"tcp", false, "", false, false, tcp_send, tcp_receive},
    {"tcp-mss", false, "", false, true, tcp_send, tcp_receive},
    {"tls", false, "aes-256-gcm", false, false, tls_send, tls_receive},
};
enum { SYSTEMS_N = sizeof systems / sizeof systems[0] };

/* What the bare ones try before: the best of these is what the machine can do. */
static const struct {
    enum run_way way;
    uint32_t window;
} ways[] = {{RUN_CALLS, 8}, {RUN_CALLS, 16}, {RUN_SPINNING, 8}, {RUN_SPINNING, 64}};
enum { WAYS_N = sizeof ways / sizeof ways[0], TRIALS = 2 };

#define TRIAL_S 0.1
#define SYSTEMS "stt,limit,udp,tcp,tcp-mss,tls"
#define SUITES  "aegis-128x2,aegis-128l,aes-256-gcm,chacha20-poly1305,null"

/* What the headers of IP and UDP, IP and TCP take. */
enum { UDP_OVERHEAD = 28, TCP_OVERHEAD = 40, WIRE_MTU = 1500 };

/* -- one run ----------------------------------------------------------------------------------- */

/* False: it failed, and report_fail() says why. */
static bool judge(struct compare *c, enum run_verdict verdict, const char *why)
{
    if (verdict == RUN_WRONG)
        report_fail(c->report, EXIT_INTEGRITY, "other bytes came than were sent; this is a bug");
    if (verdict == RUN_FAILED)
        report_fail(c->report, EXIT_NETWORK, "%s", why);
    if (verdict == RUN_CUT)
        report_fail(c->report, EXIT_NETWORK,
                    "a run ended before its time was over; try a longer --time");
    return verdict == RUN_FINE;
}

/* NULL: it failed. What it answers is for pair_forget(). */
static struct run *start(struct compare *c, size_t i, const struct run_setup *setup)
{
    const struct compare_system *system = c->more[i].system;
    char why[OPTION_WHY_ROOM] = "";
    struct run *r = pair_memory(sizeof *r);
    if (!r) {
        report_fail(c->report, EXIT_LOCAL_IO, "there is no memory for two processes to share");
        return NULL;
    }
    r->setup = *setup;
    r->meeting.address = setup->address;
    bool is_far = c->rows.at[i].path != ROWS_LOOPBACK;
    const struct pair_end ends[2] = {
        {system->send, pair_cpu(0), is_far ? c->cable.ends[CABLE_SENDER_END] : -1},
        {system->receive, pair_cpu(1), is_far ? c->cable.ends[CABLE_RECEIVER_END] : -1}};
    stt_ns timeout = STT_S(10) + (stt_ns)(3e9 * (setup->warm_s + setup->timed_s));
    bool is_done = pair_run(ends, r, timeout, why);
    if (judge(c, run_judge(r, system->is_bare, is_done), why))
        return r;
    pair_forget(r, sizeof *r);
    return NULL;
}

static bool system_is_stt(const struct compare_system *system)
{
    return system->send == session_send;
}

static bool measure(struct compare *c, size_t i, const struct run_setup *setup,
                    struct rows_sample *sample)
{
    struct compare_row *more = &c->more[i];
    struct run *r = start(c, i, setup);
    if (!r) {
        c->rows.at[i].n = 0; /* what was measured before is worth nothing now */
        return false;
    }
    run_sample(r, sample);
    more->lost += r->packets_lost;
    if (system_is_stt(more->system))
        diagnosis_add(&more->diagnosis, &r->stats, NULL);
    snprintf(more->how, sizeof more->how, "%s", r->how);
    pair_forget(r, sizeof *r);
    return true;
}

/* -- the line-up ------------------------------------------------------------------------------- */

static bool is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; at && (at = strstr(at, name)); at += len)
        if ((at == list || at[-1] == ',') && (at[len] == ',' || !at[len]))
            return true;
    return !list;
}

static void add(struct compare *c, const struct compare_system *system, const char *suite,
                enum rows_path path)
{
    const struct compare_options *o = &c->options;
    c->more[c->rows.n] = (struct compare_row){
        .system = system,
        .setup = {.suite = suite,
                  .address = path == ROWS_LOOPBACK ? "127.0.0.1" : CABLE_RECEIVER,
                  .warm_s = (double)o->warm_ns * 1e-9,
                  .timed_s = (double)o->time_ns * 1e-9,
                  .packet_bytes = o->mtu,
                  .mss = system->is_cut ? o->mtu + UDP_OVERHEAD - TCP_OVERHEAD : 0,
                  .hashes = o->verify,
                  .copies = o->copy,
                  .io = o->io,
                  .preset = o->preset,
                  .ring_bytes = o->ring_bytes,
                  .spin_ns = o->spin_ns}};
    c->rows.at[c->rows.n++] = (struct rows_row){
        .name = system->name, .suite = suite ? suite : system->suite, .path = path};
}

static void line_up(struct compare *c, enum rows_path path)
{
    for (const struct compare_system *s = systems; s != systems + SYSTEMS_N; s++) {
        if (!is_listed(c->options.only, s->name) || (s->send == tls_send && !tls_version()))
            continue;
        if (!s->has_suites)
            add(c, s, NULL, path);
        for (uint8_t id = 1; s->has_suites && id <= STT_AEAD_IDS; id++) {
            const struct stt_aead_suite *suite = stt_aead_by_id(id, stt_cpu_detect());
            if (suite && is_listed(c->options.suite, suite->name))
                add(c, s, suite->name, path);
        }
        if (system_is_stt(s) && c->options.suite && is_listed(c->options.suite, "null"))
            add(c, s, "null", path);
    }
}

/* -- who runs when ----------------------------------------------------------------------------- */

static void tell_progress(const struct compare *c, size_t i, const char *what)
{
    const struct rows_row *row = &c->rows.at[i];
    char line[128];
    snprintf(line, sizeof line, "%s: %s %s, %s", what, row->name, row->suite,
             rows_path_words[row->path]);
    say_progress(line);
}

/* Each way a few times, in turns; the one that was fastest once. */
static bool choose_way(struct compare *c, size_t i)
{
    struct run_setup trial = c->more[i].setup;
    struct rows_sample sample;
    double best = 0;
    trial.timed_s = trial.timed_s / 2 < TRIAL_S ? trial.timed_s / 2 : TRIAL_S;
    trial.warm_s = trial.timed_s / 2;
    for (unsigned n = 0; n < TRIALS * WAYS_N; n++) {
        trial.way = ways[n % WAYS_N].way;
        trial.window = ways[n % WAYS_N].window;
        if (!measure(c, i, &trial, &sample))
            return false;
        if (sample.bits_per_s > best) {
            best = sample.bits_per_s;
            c->more[i].setup.way = trial.way;
            c->more[i].setup.window = trial.window;
        }
    }
    return true;
}

/* What comes is what was sent: hashed once, where time does not count. */
static bool check(struct compare *c, size_t i)
{
    struct run_setup trial = c->more[i].setup;
    struct rows_sample sample;
    tell_progress(c, i, "checking");
    trial.hashes = true;
    trial.timed_s = trial.timed_s < TRIAL_S ? trial.timed_s : TRIAL_S;
    trial.warm_s = 0;
    trial.window = ways[0].window;
    if (!measure(c, i, &trial, &sample))
        return false;
    bool is_good = !c->more[i].system->is_bare || choose_way(c, i);
    c->more[i].lost = 0;
    c->more[i].diagnosis = (struct diagnosis)DIAGNOSIS_INIT;
    return is_good;
}

/* The rows from `first` on, in turns; each round begins with another one. */
static bool run_rounds(struct compare *c, size_t first)
{
    char what[48];
    size_t n = c->rows.n - first;
    for (uint32_t round = 0; round < c->options.runs; round++) {
        snprintf(what, sizeof what, "round %u of %u", round + 1, c->options.runs);
        for (size_t k = 0; k < n; k++) {
            size_t i = first + (k + round) % n;
            tell_progress(c, i, what);
            if (!measure(c, i, &c->more[i].setup, &c->rows.at[i].samples[round]))
                return false;
            c->rows.at[i].n = round + 1;
        }
    }
    return true;
}

static bool run_path(struct compare *c, enum rows_path path)
{
    size_t first = c->rows.n;
    char why[OPTION_WHY_ROOM];
    if (path != ROWS_LOOPBACK && !cable_offloads(&c->cable, path == ROWS_VETH_ON, why)) {
        report_fail(c->report, EXIT_LOCAL_IO, "%s", why);
        return false;
    }
    line_up(c, path);
    for (size_t i = first; i < c->rows.n; i++)
        if (!check(c, i))
            return false;
    return run_rounds(c, first);
}

static uint32_t wire_mtu(const struct compare *c)
{
    uint32_t needed = c->options.mtu + UDP_OVERHEAD;
    return needed > WIRE_MTU ? needed : WIRE_MTU;
}

static void run_all(struct compare *c)
{
    char why[OPTION_WHY_ROOM];
    if (c->options.veth && !cable_new(&c->cable, wire_mtu(c), why)) {
        report_fail(c->report, EXIT_LOCAL_IO, "%s", why);
        return;
    }
    if (run_path(c, ROWS_LOOPBACK) && c->options.veth && run_path(c, ROWS_VETH_ON))
        (void)run_path(c, ROWS_VETH_OFF);
    if (c->options.veth)
        cable_free(&c->cable);
    say_progress("");
}

/* -- the verb ---------------------------------------------------------------------------------- */

/* Each word of the list is one of those. */
static bool are_known(const char *what, const char *list, const char *known)
{
    char word[64];
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        snprintf(word, sizeof word, "%.*s", (int)strcspn(at, ","), at);
        if (*word && is_listed(known, word))
            continue;
        say_error("--%s takes a list of these, with commas: %s", what, known);
        return false;
    }
    return true;
}

static void tell_setup(const struct compare_options *o, struct report *r)
{
    char cpus[64];
    snprintf(cpus, sizeof cpus, "%d and %d", pair_cpu(0), pair_cpu(1));
    report_text(r, "processors", "processors of sender and receiver", cpus);
    report_number(r, "packet_bytes", "bytes of a packet", REPORT_COUNT, o->mtu);
    report_number(r, "runs", "runs of each", REPORT_COUNT, o->runs);
    report_number(r, "time_s", "time of each run", REPORT_S, (double)o->time_ns * 1e-9);
    if (tls_version())
        report_text(r, "openssl", "TLS by OpenSSL", tls_version());
    else
        report_note(r, "There is no row of TLS: OpenSSL 3.0 was not there when this was built.");
    if (pair_cpu(0) == pair_cpu(1))
        report_note(r, "Sender and receiver had to share one processor: no figure says what two "
                       "would do.");
    if (o->verify)
        report_note(r, "Both ends hashed all bytes in the timed runs.");
}

enum exits bench_compare(int argc, char **argv)
{
    static struct rows_row rows[ROWS_MAX];
    static struct compare c = {
        .options = {.runs = 5, .mtu = 1452, .time_ns = STT_S(1), .preset = "balanced"},
        .rows = {.at = rows},
    };
    static struct option_set set = {
        .program = "sttbench compare",
        .usage = "[OPTION]...",
        .about = "Measures STT beside TCP, TLS, plain UDP and the limit, on this machine.",
        .options = options,
        .n = OPTIONS_N,
        .into = &c.options,
    };
    enum exits exit;
    if (!bench_options(&set, argc, argv, &exit))
        return exit;
    if (!are_known("only", c.options.only, SYSTEMS) || !are_known("suite", c.options.suite, SUITES))
        return EXIT_USAGE;
    if (!options_is_set(&set, "warm-up"))
        c.options.warm_ns = c.options.time_ns / 4 > STT_MS(50) ? c.options.time_ns / 4 : STT_MS(50);
    c.report = report_new("compare", "STT beside others, from process to process on this machine");
    tell_setup(&c.options, c.report);
    run_all(&c);
    table_report(&c, c.report);
    return report_end(c.report, &c.options.report);
}
