/* SPDX-License-Identifier: MIT
 * compare: owns the options, and who runs when: first each system once with its bytes checked, then
 * in rounds, one system after the other, each round beginning with another one. */
#include "tools/sttbench/compare/compare.h"
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "tools/common/say.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/compare/tls.h"
#include "tools/sttbench/figures.h"
#include "tools/sttbench/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) .offset = offsetof(struct compare_options, field)

/* clang-format off */
static const struct option options[] = {
    {"json", 'J', 0, OPTION_FLAG, AT(report.json), .help = "one JSON object on standard output"},
    {"plot", 0, 0, OPTION_TEXT, AT(report.plot), .value = "FILE", .help = "a picture, FILE.svg or FILE.html"},
    {"veth", 0, 0, OPTION_FLAG, AT(veth), .help = "also between two networks, offloads on and off; as root"},
    {"only", 0, 0, OPTION_TEXT, AT(only), .value = "LIST", .help = "of stt,limit,udp,tcp,tcp-mss,tls: only these"},
    {"suite", 0, 0, OPTION_TEXT, AT(suite), .value = "LIST", .help = "of the ciphers: only these, \"aegis-128l,aes-256-gcm\""},
    {"runs", 0, 0, OPTION_NUMBER, AT(runs), .min = 1, .max = ROWS_RUNS_MAX, .value = "N", .help = "rounds (5)"},
    {"seconds", 0, 0, OPTION_DURATION, AT(time_ns), .value = "TIME", .help = "that each run is measured (1)"},
    {"warm-up", 0, 0, OPTION_DURATION, AT(warm_ns), .value = "TIME", .help = "before that (a quarter of it, 50 ms at least)"},
    {"mtu", 0, 0, OPTION_NUMBER, AT(mtu), .min = 1200, .max = 65507, .value = "BYTES", .help = "of UDP payload in a datagram (1452)"},
    {"verify", 0, 0, OPTION_FLAG, AT(verify), .help = "both ends hash all bytes in the timed runs, too"},
    {"demand", 0, 0, OPTION_FLAG, AT(demand), .help = "a demand that is missed is an error"},
    {"io", 0, 0, OPTION_CHOICE, AT(io), .choices = "auto uring mmsg", .value = "HOW", .help = "STT: uring or mmsg"},
    {"preset", 0, 0, OPTION_TEXT, AT(preset), .value = "NAME", .help = "STT: balanced, low-latency, high-throughput"},
    {"ring", 0, 0, OPTION_SIZE, AT(ring_bytes), .value = "SIZE", .help = "STT: of the send ring (the preset's)"},
    {"spin", 0, 0, OPTION_DURATION, AT(spin_ns), .value = "TIME", .help = "STT: looks for so long before it sleeps (0)"},
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

/* What the headers of IP and UDP, IP and TCP take. */
enum { UDP_OVERHEAD = 28, TCP_OVERHEAD = 40, WIRE_MTU = 1500 };

/* -- one run ----------------------------------------------------------------------------------- */

/* False: `why` is a sentence. */
static bool measure(struct compare *c, size_t i, const struct run_setup *setup,
                    struct rows_sample *sample, char why[OPTION_WHY_ROOM])
{
    struct compare_row *more = &c->more[i];
    struct run *r = pair_memory(sizeof *r);
    if (!r)
        return options_refuse(why, "there is no memory for two processes to share");
    r->setup = *setup;
    bool is_far = c->rows.at[i].path != ROWS_LOOPBACK;
    const struct pair_end ends[2] = {
        {more->system->send, pair_cpu(0), is_far ? c->cable.ends[CABLE_SENDER_END] : -1},
        {more->system->receive, pair_cpu(1), is_far ? c->cable.ends[CABLE_RECEIVER_END] : -1}};
    stt_ns timeout = STT_S(10) + (stt_ns)(3e9 * (setup->warm_s + setup->timed_s));
    bool is_good = pair_run(ends, r, timeout, why);
    const char *reason = r->ends[0].why[0] ? r->ends[0].why : r->ends[1].why;
    if (!is_good && *reason)
        options_refuse(why, "%s", reason);
    if (is_good && !more->system->is_bare && r->ends[0].hash != r->ends[1].hash)
        is_good = options_refuse(why, "other bytes came than were sent");
    if (is_good && (r->ends[0].n != 2 || r->ends[1].n != 2))
        is_good = options_refuse(why, "it ended before its time was over");
    if (is_good) {
        run_sample(r, sample);
        more->lost += r->packets_lost;
        for (size_t k = 0; k < sizeof r->held_by_ns / sizeof r->held_by_ns[0]; k++)
            more->held_by_ns[k] += r->held_by_ns[k];
        snprintf(more->how, sizeof more->how, "%s", r->how);
    }
    pair_forget(r, sizeof *r);
    return is_good;
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
                  .io = !o->io || *o->io == 'a' ? STT_IO_AUTO
                        : *o->io == 'u'         ? STT_IO_URING
                                                : STT_IO_MMSG,
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
static bool choose_way(struct compare *c, size_t i, char why[OPTION_WHY_ROOM])
{
    struct run_setup trial = c->more[i].setup;
    struct rows_sample sample;
    double best = 0;
    trial.timed_s = trial.timed_s < TRIAL_S ? trial.timed_s : TRIAL_S;
    trial.warm_s = trial.timed_s / 2;
    for (unsigned n = 0; n < TRIALS * WAYS_N; n++) {
        trial.way = ways[n % WAYS_N].way;
        trial.window = ways[n % WAYS_N].window;
        if (!measure(c, i, &trial, &sample, why))
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
static bool check(struct compare *c, size_t i, char why[OPTION_WHY_ROOM])
{
    struct run_setup trial = c->more[i].setup;
    struct rows_sample sample;
    tell_progress(c, i, "checking");
    trial.hashes = true;
    trial.timed_s = trial.timed_s < TRIAL_S ? trial.timed_s : TRIAL_S;
    trial.warm_s = 0;
    trial.window = ways[0].window;
    if (!measure(c, i, &trial, &sample, why))
        return false;
    bool is_good = !c->more[i].system->is_bare || choose_way(c, i, why);
    c->more[i].lost = 0;
    memset(c->more[i].held_by_ns, 0, sizeof c->more[i].held_by_ns);
    return is_good;
}

/* The rows from `first` on, in turns; each round begins with another one. */
static bool run_rounds(struct compare *c, size_t first, char why[OPTION_WHY_ROOM])
{
    char what[48];
    size_t n = c->rows.n - first;
    for (uint32_t round = 0; round < c->options.runs; round++) {
        snprintf(what, sizeof what, "round %u of %u", round + 1, c->options.runs);
        for (size_t k = 0; k < n; k++) {
            size_t i = first + (k + round) % n;
            tell_progress(c, i, what);
            if (!measure(c, i, &c->more[i].setup, &c->rows.at[i].samples[round], why))
                return false;
            c->rows.at[i].n = round + 1;
        }
    }
    return true;
}

static bool run_path(struct compare *c, enum rows_path path, char why[OPTION_WHY_ROOM])
{
    size_t first = c->rows.n;
    bool is_good = path == ROWS_LOOPBACK || cable_offloads(&c->cable, path == ROWS_VETH_ON, why);
    line_up(c, path);
    for (size_t i = first; is_good && i < c->rows.n; i++)
        is_good = check(c, i, why);
    return is_good && run_rounds(c, first, why);
}

static uint32_t wire_mtu(const struct compare *c)
{
    uint32_t needed = c->options.mtu + UDP_OVERHEAD;
    return needed > WIRE_MTU ? needed : WIRE_MTU;
}

enum exits bench_compare(int argc, char **argv)
{
    static struct rows_row rows[ROWS_MAX];
    static struct compare c = {
        .options = {.runs = 5, .mtu = 1452, .time_ns = STT_S(1), .preset = "balanced"},
        .rows = {.at = rows},
    };
    struct option_set set = {
        .program = "sttbench compare",
        .usage = "[OPTION]...",
        .about = "Measures STT beside TCP, TLS, plain UDP and the limit, on this machine.",
        .options = options,
        .n = OPTIONS_N,
        .into = &c.options,
    };
    enum exits exit;
    char why[OPTION_WHY_ROOM];
    if (!bench_options(&set, argc, argv, &exit))
        return exit;
    if (!options_is_set(&set, "warm-up"))
        c.options.warm_ns = c.options.time_ns / 4 > STT_MS(50) ? c.options.time_ns / 4 : STT_MS(50);
    bool is_good = !c.options.veth || cable_new(&c.cable, wire_mtu(&c), why);
    if (is_good) {
        is_good = run_path(&c, ROWS_LOOPBACK, why) &&
                  (!c.options.veth ||
                   (run_path(&c, ROWS_VETH_ON, why) && run_path(&c, ROWS_VETH_OFF, why)));
        if (c.options.veth)
            cable_free(&c.cable);
    }
    say_progress("");
    if (!is_good) {
        say_error("%s", why);
        return EXIT_NETWORK;
    }
    return table_report(&c, report_new("compare", "STT beside others, on this machine"));
}
