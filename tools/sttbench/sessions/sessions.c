/* SPDX-License-Identifier: MIT
 * sessions: owns the options and the report of the verb. */
#include "tools/sttbench/sessions/sessions.h"

#include "tools/sttbench/report/demands.h"
#include "tools/sttbench/shared/pair.h"

#include <math.h>
#include <stdio.h>

enum { MINUTE_S = 60, MANY = 100000 };

struct flags {
    struct report_options report;
    const char *suite, *io;
    uint32_t n, streams;
    stt_ns time_ns;
    bool sockets, demand;
};

#define AT(field) .offset = offsetof(struct flags, field)

/* clang-format off */
static const struct option options[] = {
    {"count", 'n', BENCH_NUMBER(n, 10, 1000000), .help = "sessions, and a tenth of it with the slower ciphers (10000)"},
    {"streams", 0, BENCH_NUMBER(streams, 10, 100000), .help = "idle streams of one session (10000)"},
    {"sockets", 0, BENCH_FLAG(sockets), .help = "between two nodes over loopback, in place of memory"},
    {"time", 't', BENCH_TIME(time_ns), .help = "with --sockets: they are kept alive for so long (10s)"},
    {"suite", 0, BENCH_CHOICE(suite, BENCH_SUITES, "NAME"), .help = "with --sockets: the cipher suite (the best)"},
    {"io", 0, BENCH_CHOICE(io, "uring mmsg", "NAME"), .help = "with --sockets: the driver (uring if allowed)"},
    {"demand", 0, BENCH_DEMAND},
    {"json", 'J', BENCH_JSON},
    {"plot", 0, BENCH_PLOT},
};
/* clang-format on */

/* The worse of both sides. */
struct worst {
    double bytes, percent_at_many;
};

static struct worst worst_of(const struct sessions_side sides[SESSIONS_SIDES], uint32_t n)
{
    double percent = fmax(sides[0].cpu_percent, sides[1].cpu_percent);
    return (struct worst){fmax(sides[0].bytes, sides[1].bytes), percent * MANY / n};
}

/* -- in memory --------------------------------------------------------------------------------- */

static const struct row {
    const char *suite, *key;
    uint32_t part; /* of the sessions that were asked for */
    double most;   /* bytes */
} rows[] = {
    {"aegis-128x2", "bytes_per_session, aegis", 1, 4096},
    {"chacha20-poly1305", "bytes_per_session, chacha20-poly1305", 10, 4096},
    {"aes-256-gcm", "bytes_per_session, aes-256-gcm", 10, 6144},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void tell_row(struct report_table *t, const struct sessions_memory *m)
{
    for (int side = 0; side < SESSIONS_SIDES; side++) {
        const struct sessions_side *s = &m->sides[side];
        report_row(t);
        report_cell_text(t, m->suite);
        report_cell_text(t, side ? "responder" : "initiator");
        report_cell(t, m->n);
        report_cell(t, m->alive);
        report_cell(t, s->bytes);
        report_cell(t, m->rss_bytes);
        report_cell(t, m->establish_us);
        report_cell(t, s->packets_per_s);
        report_cell(t, s->cpu_percent);
    }
}

static bool tell_memory(struct report *r, const struct flags *flags, struct worst worst[ROWS])
{
    static const struct report_column columns[] = {
        {"suite", "suite", REPORT_TEXT},
        {"side", "side", REPORT_TEXT},
        {"sessions", "sessions", REPORT_COUNT},
        {"alive", "alive", REPORT_COUNT},
        {"bytes_per_session", "memory", REPORT_BYTES},
        {"rss_bytes_per_session", "resident", REPORT_BYTES},
        {"establish_us", "to establish", REPORT_US},
        {"packets_per_second", "packets/s", REPORT_PLAIN},
        {"keep_alive_cpu_percent", "to keep alive", REPORT_PERCENT},
    };
    struct report_table *t = report_table(r, "memory", "From memory to memory", columns,
                                          sizeof columns / sizeof columns[0]);
    for (int i = 0; i < ROWS; i++) {
        uint32_t n = flags->n / rows[i].part;
        struct sessions_memory m = {
            .suite = rows[i].suite, .n = n > 10 ? n : 10, .seconds = MINUTE_S};
        bool is_there;
        worst[i] = (struct worst){NAN, NAN};
        if (!sessions_memory(&m, &is_there))
            return false;
        if (!is_there) {
            report_note(r, "This processor has no %s.", m.suite);
            continue;
        }
        tell_row(t, &m);
        worst[i] = worst_of(m.sides, m.n);
        if (m.alive < m.n)
            report_fail(r, EXIT_NETWORK, "%u of %u sessions died", m.n - m.alive, m.n);
    }
    return true;
}

/* -- between nodes ----------------------------------------------------------------------------- */

static bool tell_sockets(struct report *r, const struct sessions_sockets *x)
{
    static const struct report_column columns[] = {
        {"side", "side", REPORT_TEXT},
        {"sessions", "sessions", REPORT_COUNT},
        {"alive", "alive", REPORT_COUNT},
        {"rss_bytes_per_session", "resident", REPORT_BYTES},
        {"establish_us", "to establish", REPORT_US},
        {"packets_per_second", "packets/s", REPORT_PLAIN},
        {"keep_alive_cpu_percent", "to keep alive", REPORT_PERCENT},
    };
    char words[96];
    snprintf(words, sizeof words, "Between two nodes (%s, %s)", x->suite_is, x->io_is);
    struct report_table *t =
        report_table(r, "sockets", words, columns, sizeof columns / sizeof columns[0]);
    for (int side = 0; side < SESSIONS_SIDES; side++) {
        report_row(t);
        report_cell_text(t, side ? "responder" : "initiator");
        report_cell(t, x->n);
        report_cell(t, x->alive[side]);
        report_cell(t, x->sides[side].bytes);
        report_cell(t, x->establish_s * 1e6 / x->n);
        report_cell(t, x->sides[side].packets_per_s);
        report_cell(t, x->sides[side].cpu_percent);
    }
    return true;
}

static double measure_sockets(struct report *r, const struct flags *flags)
{
    char why[OPTION_WHY_ROOM];
    const struct pair_end ends[2] = {{sessions_ask, pair_cpu(0), -1},
                                     {sessions_answer, pair_cpu(1), -1}};
    struct sessions_sockets *x = pair_memory(sizeof *x);
    double percent = NAN;
    if (!x) {
        report_fail(r, EXIT_LOCAL_IO, "there is not enough memory");
        return NAN;
    }
    x->suite = flags->suite;
    x->io = flags->io;
    x->n = flags->n;
    x->time_ns = flags->time_ns;
    stt_ns timeout = STT_S(20) + flags->time_ns * 2 + STT_MS(flags->n) * 2;
    if (!pair_run(ends, x, timeout, why))
        report_fail(r, EXIT_NETWORK, "sessions between two nodes were not measured: %s", why);
    else if (tell_sockets(r, x))
        percent = worst_of(x->sides, x->n).percent_at_many;
    pair_forget(x, sizeof *x);
    return percent;
}

/* -- the verb ---------------------------------------------------------------------------------- */

static void draw(struct report *r, const struct worst worst[ROWS])
{
    static const struct report_axis x = {"suite", REPORT_TEXT, false},
                                    y = {"memory", REPORT_BYTES, false};
    struct report_chart *c = report_chart(r, "An idle session", REPORT_BARS, &x, &y);
    report_series(c, "of the larger side");
    for (int i = 0; i < ROWS; i++)
        if (!isnan(worst[i].bytes))
            report_bar(c, rows[i].suite, worst[i].bytes);
}

static void conclude(struct report *r, const struct flags *flags, const struct worst worst[ROWS],
                     double percent)
{
    if (flags->sockets)
        report_limited(
            r,
            "Limited by the processor's wake-ups and system calls: %.1f %% of a core for "
            "100,000 sessions; a longer keep_alive_ns takes less.",
            percent);
    else
        report_limited(r,
                       "Limited by memory, %.0f bytes a session, and not by the processor: without "
                       "sockets a core keeps %.1f million alive.",
                       worst[0].bytes, 10 / worst[0].percent_at_many);
}

static enum exits measure(const struct flags *flags)
{
    struct report *r = report_new("sessions", "Idle sessions");
    struct worst worst[ROWS] = {{NAN, NAN}, {NAN, NAN}, {NAN, NAN}};
    double stream[SESSIONS_SIDES] = {NAN, NAN}, percent = NAN;
    struct demands d;
    if (flags->sockets)
        percent = measure_sockets(r, flags);
    else if (!tell_memory(r, flags, worst) || !sessions_streams(flags->streams, stream))
        report_fail(r, EXIT_LOCAL_IO, "sessions in memory were not measured");
    double bytes_per_stream = fmax(stream[0], stream[1]);
    if (!flags->sockets)
        report_number(r, "bytes_per_stream", "memory of an idle stream", REPORT_BYTES,
                      bytes_per_stream);
    double at_many = flags->sockets ? percent : worst[0].percent_at_many;
    report_number(r, "keep_alive_cpu_percent_at_100000", "to keep 100,000 alive, one side",
                  REPORT_PERCENT, at_many);
    draw(r, worst);
    demands_begin(&d, r);
    for (int i = 0; i < ROWS; i++)
        demands_at_most(&d, rows[i].key, worst[i].bytes, rows[i].most);
    demands_at_most(&d, "bytes_per_stream", bytes_per_stream, 512);
    demands_at_most(&d, "keep_alive_cpu_percent_at_100000", at_many, flags->sockets ? 5 : 1.9);
    demands_end(&d, flags->demand);
    if (flags->n < MANY)
        report_note(r,
                    "What 100,000 take is worked out from %u; many share a wake-up, so fewer "
                    "take more of it: ask for -n 100000.",
                    flags->n);
    conclude(r, flags, worst, percent);
    return report_end(r, &flags->report);
}

enum exits bench_sessions(int argc, char **argv)
{
    static struct flags flags = {.n = 10000, .streams = 10000, .time_ns = STT_S(10)};
    struct option_set set = {
        .program = "sttbench sessions",
        .usage = "[OPTION]...",
        .about =
            "Sessions that do nothing: the memory of each, the work of keeping them alive, and\n"
            "the time that it takes to establish them; and streams that do nothing.",
        .options = options,
        .n = sizeof options / sizeof options[0],
        .into = &flags,
    };
    enum exits exit;
    return bench_options(&set, argc, argv, &exit) ? measure(&flags) : exit;
}
