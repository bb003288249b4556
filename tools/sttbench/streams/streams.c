/* SPDX-License-Identifier: MIT
 * streams: many streams of one session over a simulated path that loses packets, in virtual time:
 * the same seed gives the same figures on every machine.
 *
 * First all want everything: how even is what they get? Then small messages, spread over many
 * streams and the same in one: what does a lost packet do to those that were not in it? */
#include "tools/common/say.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/report/demands.h"
#include "tools/sttbench/report/report.h"
#include "tools/sttbench/shared/figures.h"
#include "tools/sttbench/shared/lab.h"
#include "tools/sttbench/shared/share.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_BYTES = 1000, CHUNK_BYTES = 1 << 16, LOSS_MAX_PPM = 300000 };
#define EVERY_NS STT_MS(1) /* from one message to the next */

struct flags {
    struct report_options report;
    uint32_t n, loss_ppm, seed;
    uint64_t rate;
    stt_ns rtt_ns, time_ns;
    const char *cc, *loss;
    bool demand;
};

#define AT(field) .offset = offsetof(struct flags, field)

/* clang-format off */
static const struct option options[] = {
    {"count", 'n', BENCH_NUMBER(n, 2, 10000), .help = "streams at once (100)"},
    {"time", 't', BENCH_TIME(time_ns), .help = "of virtual time, for each part (10s)"},
    {"rate", 0, BENCH_RATE(rate), .help = "of the simulated path (100M)"},
    {"rtt", 0, BENCH_DURATION(rtt_ns), .help = "of the simulated path (50ms)"},
    {"loss", 0, BENCH_TEXT(loss, "SHARE"), .help = "lost by chance, each way, as in 1% (1%)"},
    {"cc", 0, BENCH_CHOICE(cc, "tide cubic bbr", "NAME"), .help = "congestion control: tide, cubic or bbr (tide)"},
    {"seed", 'S', BENCH_NUMBER(seed, 1, UINT32_MAX), .help = "of the simulation (1)"},
    {"demand", 0, BENCH_DEMAND},
    {"json", 'J', BENCH_JSON},
    {"plot", 0, BENCH_PLOT},
};
/* clang-format on */

static struct lab_setup setup_of(const struct flags *f)
{
    struct stt_link_config way = {.rate_bits_per_s = f->rate,
                                  .delay_ns = f->rtt_ns / 2,
                                  .loss_ppm = f->loss_ppm,
                                  .header_bytes = 28};
    double bdp = (double)f->rate / 8 * (double)f->rtt_ns * 1e-9;
    way.queue_bytes = bdp < 30000 ? 30000 : bdp > 1e9 ? 1000000000 : (uint32_t)bdp;
    return (struct lab_setup){
        .seed = f->seed, .forth = way, .back = way, .congestion = f->cc, .max_streams = f->n + 16};
}

/* -- all want everything ----------------------------------------------------------------------- */

struct greedy {
    struct lab lab;
    uint32_t n;
    stt_handle *streams; /* of who sends */
    double *bytes;       /* that came, by number of the stream */
};

static void fill(struct greedy *g, stt_handle stream)
{
    static const uint8_t bytes[CHUNK_BYTES];
    size_t n;
    do
        n = 0;
    while (!stt_stream_write(g->lab.eps[0], lab_now(&g->lab), stream, bytes, sizeof bytes, &n) &&
           n);
}

static void take(struct greedy *g, stt_handle stream)
{
    struct stt_endpoint *ep = g->lab.eps[1];
    struct stt_stream_info info;
    struct stt_part part;
    if (stt_stream_info(ep, stream, &info))
        return;
    double *bytes = &g->bytes[(info.id >> 2) % g->n]; /* streams are numbered as they open */
    while (stt_stream_peek(ep, stream, &part, 1)) {
        *bytes += (double)part.len;
        (void)stt_stream_consume(ep, lab_now(&g->lab), stream, part.len);
    }
}

static bool on_greedy(void *ctx, int side, const struct stt_stream_event *e)
{
    struct greedy *g = ctx;
    if (side == 0 && e->what & STT_STREAM_WRITABLE)
        fill(g, e->stream);
    if (side == 1 && e->what & STT_STREAM_READABLE)
        take(g, e->stream);
    return true;
}

/* 1: all the same; 1/n: one has everything. */
static double jain(const double *values, uint32_t n)
{
    double sum = 0, squares = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += values[i];
        squares += values[i] * values[i];
    }
    return squares > 0 ? sum * sum / (n * squares) : NAN;
}

struct shares {
    double jain, least, most, bits_per_s;
};

static bool run_greedy(struct greedy *g, const struct flags *f, struct shares *out)
{
    struct stt_stream_options how = STT_STREAM_OPTIONS_INIT;
    double sum = 0;
    for (uint32_t i = 0; i < g->n; i++)
        if (!(g->streams[i] = lab_open(&g->lab, &how)))
            return false;
    for (uint32_t i = 0; i < g->n; i++)
        fill(g, g->streams[i]);
    lab_touch(&g->lab, 0);
    if (!lab_run_until(&g->lab, lab_now(&g->lab) + f->time_ns, on_greedy, g))
        return false;
    *out = (struct shares){.jain = jain(g->bytes, g->n), .least = g->bytes[0]};
    for (uint32_t i = 0; i < g->n; i++) {
        sum += g->bytes[i];
        out->least = fmin(out->least, g->bytes[i]);
        out->most = fmax(out->most, g->bytes[i]);
    }
    out->bits_per_s = sum * 8e9 / (double)f->time_ns;
    return true;
}

static bool measure_greedy(const struct flags *f, struct shares *out)
{
    static struct greedy g; /* must not move */
    struct lab_setup setup = setup_of(f);
    g = (struct greedy){.n = f->n};
    g.streams = calloc(g.n, sizeof *g.streams);
    g.bytes = calloc(g.n, sizeof *g.bytes);
    bool ok = g.streams && g.bytes && lab_begin(&g.lab, &setup);
    if (ok) {
        ok = run_greedy(&g, f, out);
        lab_end(&g.lab);
    }
    free(g.streams);
    free(g.bytes);
    return ok;
}

/* -- small messages ---------------------------------------------------------------------------- */

/* Of a message that has not come as a whole. */
struct part {
    size_t len;
    uint8_t data[MESSAGE_BYTES];
};

struct talk {
    struct lab lab;
    uint32_t n, next; /* streams, and whose turn it is */
    stt_handle *streams;
    struct part *parts;
    stt_ns until;
    double *ms; /* from writing to reading, of each message */
    size_t sent, came, room;
    bool is_damaged, is_stuck;
};

static void say_one(void *ctx, struct stt_sim *sim)
{
    struct talk *t = ctx;
    uint8_t message[MESSAGE_BYTES];
    stt_ns now = stt_sim_now(sim);
    memset(message, (int)(t->next & 0xff), sizeof message);
    memcpy(message, &now, sizeof now);
    t->is_stuck |= stt_stream_write_message(t->lab.eps[0], now, t->streams[t->next], message,
                                            sizeof message, 0) != STT_OK;
    t->next = (t->next + 1) % t->n;
    t->sent++;
    lab_touch(&t->lab, 0);
    if (now + EVERY_NS < t->until)
        stt_sim_at(sim, now + EVERY_NS, say_one, t);
}

static void note(struct talk *t, const uint8_t message[MESSAGE_BYTES], stt_ns now)
{
    stt_ns at;
    memcpy(&at, message, sizeof at);
    t->is_damaged |= at > now || memcmp(message + sizeof at, message + sizeof at + 1,
                                        MESSAGE_BYTES - sizeof at - 1) != 0;
    if (t->came < t->room)
        t->ms[t->came++] = (double)(now - at) * 1e-6;
}

static void hear(struct talk *t, stt_handle stream)
{
    struct stt_endpoint *ep = t->lab.eps[1];
    struct stt_stream_info info;
    struct stt_message_read m;
    stt_ns now = lab_now(&t->lab);
    if (stt_stream_info(ep, stream, &info))
        return;
    struct part *p = &t->parts[(info.id >> 2) % t->n];
    while (
        !stt_stream_read_message(ep, now, stream, p->data + p->len, MESSAGE_BYTES - p->len, &m)) {
        p->len += m.len;
        if (!m.is_whole && m.len)
            continue;
        t->is_damaged |= p->len != MESSAGE_BYTES;
        note(t, p->data, now);
        p->len = 0;
    }
}

static bool on_talk(void *ctx, int side, const struct stt_stream_event *e)
{
    struct talk *t = ctx;
    if (side == 1 && e->what & STT_STREAM_READABLE)
        hear(t, e->stream);
    return t->came < t->sent || lab_now(&t->lab) < t->until;
}

static bool run_talk(struct talk *t, const struct flags *f)
{
    struct stt_stream_options how = STT_STREAM_OPTIONS_INIT;
    how.messages = how.no_delay = true;
    for (uint32_t i = 0; i < t->n; i++)
        if (!(t->streams[i] = lab_open(&t->lab, &how)))
            return false;
    t->until = lab_now(&t->lab) + f->time_ns;
    say_one(t, t->lab.sim);
    if (!lab_run_until(&t->lab, t->until + STT_S(60), on_talk, t))
        return false;
    if (t->is_damaged)
        say_error("a message came that was not sent");
    else if (t->is_stuck || t->came < t->sent)
        say_error(
            "the path is too slow for 8 Mbit/s of messages; give it more --rate, or another --cc");
    return !t->is_damaged && !t->is_stuck && t->came == t->sent;
}

struct delays {
    double p50, p90, p99, max;
    size_t n;
};

static bool measure_talk(const struct flags *f, uint32_t streams, struct delays *out)
{
    static struct talk t; /* must not move */
    struct lab_setup setup = setup_of(f);
    t = (struct talk){.n = streams, .room = (size_t)(f->time_ns / EVERY_NS) + 2};
    t.streams = calloc(streams, sizeof *t.streams);
    t.parts = calloc(streams, sizeof *t.parts);
    t.ms = calloc(t.room, sizeof *t.ms);
    bool ok = t.streams && t.parts && t.ms && lab_begin(&t.lab, &setup);
    if (ok) {
        ok = run_talk(&t, f);
        lab_end(&t.lab);
        *out = (struct delays){.p50 = figures_percentile(t.ms, t.came, 50),
                               .p90 = figures_percentile(t.ms, t.came, 90),
                               .p99 = figures_percentile(t.ms, t.came, 99),
                               .max = figures_percentile(t.ms, t.came, 100),
                               .n = t.came};
    }
    free(t.streams);
    free(t.parts);
    free(t.ms);
    return ok;
}

/* -- the verb ---------------------------------------------------------------------------------- */

static void tell_delays(struct report *r, const struct flags *f, const struct delays delays[2])
{
    static const struct report_column columns[] = {
        {"streams", "streams", REPORT_COUNT}, {"messages", "messages", REPORT_COUNT},
        {"p50_ms", "p50", REPORT_MS},         {"p90_ms", "p90", REPORT_MS},
        {"p99_ms", "p99", REPORT_MS},         {"max_ms", "max", REPORT_MS},
    };
    static const struct report_axis x = {"percentile", REPORT_TEXT, false},
                                    y = {"delay", REPORT_MS, false};
    struct report_table *t =
        report_table(r, "delays", "Messages of 1,000 bytes, from writing to reading", columns,
                     sizeof columns / sizeof columns[0]);
    struct report_chart *c = report_chart(r, "Delay of messages", REPORT_BARS, &x, &y);
    for (int i = 0; i < 2; i++) {
        const struct delays *d = &delays[i];
        const double cells[] = {i ? 1 : f->n, (double)d->n, d->p50, d->p90, d->p99, d->max};
        report_row(t);
        for (size_t k = 0; k < sizeof cells / sizeof cells[0]; k++)
            report_cell(t, cells[k]);
        report_series(c, i ? "in one stream" : "spread over the streams");
        report_bar(c, "median", d->p50);
        report_bar(c, "90 %", d->p90);
        report_bar(c, "99 %", d->p99);
        report_bar(c, "slowest", d->max);
    }
}

static void tell(struct report *r, const struct flags *f, const struct shares *s,
                 const struct delays delays[2])
{
    struct demands d;
    double mean = s->bits_per_s / f->n, to_share = (double)f->time_ns * 1e-9;
    double of_one = delays[0].p99 / delays[1].p99;
    report_number(r, "goodput_bits_per_second", "all streams together", REPORT_BITS_PER_S,
                  s->bits_per_s);
    report_number(r, "jain", "evenness (Jain)", REPORT_PLAIN, s->jain);
    report_number(r, "least_of_mean", "the least that one got, of the mean", REPORT_RATIO,
                  s->least * 8 / to_share / mean);
    report_number(r, "most_of_mean", "the most", REPORT_RATIO, s->most * 8 / to_share / mean);
    tell_delays(r, f, delays);
    report_number(r, "ratios.p99_of_one_stream", "p99 of messages, of the same in one stream",
                  REPORT_RATIO, of_one);
    demands_begin(&d, r);
    demands_at_least(&d, "jain", s->jain, 0.95);
    demands_at_most(&d, "ratios.p99_of_one_stream", of_one, 1);
    demands_end(&d, f->demand);
    report_limited(r,
                   "Limited by the path: %.0f %% of its rate were goodput; a lost packet takes a "
                   "round trip more, for the messages in it and, in their stream, behind it.",
                   100 * s->bits_per_s / (double)f->rate);
}

static enum exits measure(const struct flags *f)
{
    struct shares shares = {NAN, NAN, NAN, NAN};
    struct delays delays[2] = {{.n = 0}, {.n = 0}};
    bool is_measured = measure_greedy(f, &shares) && measure_talk(f, f->n, &delays[0]) &&
                       measure_talk(f, 1, &delays[1]);
    struct report *r = report_new("streams", "Many streams of one session over a simulated path");
    report_number(r, "streams", "streams", REPORT_COUNT, f->n);
    report_number(r, "rate_bits_per_second", "rate of the path", REPORT_BITS_PER_S,
                  (double)f->rate);
    report_number(r, "rtt_ms", "its round trip", REPORT_MS, (double)f->rtt_ns * 1e-6);
    report_number(r, "loss_percent", "its loss, each way", REPORT_PERCENT, f->loss_ppm * 1e-4);
    report_text(r, "congestion", "congestion control", f->cc);
    if (is_measured)
        tell(r, f, &shares, delays);
    else
        report_fail(r, EXIT_NETWORK, "nothing was measured on this path; make it a better one");
    return report_end(r, &f->report);
}

enum exits bench_streams(int argc, char **argv)
{
    static struct flags flags = {.n = 100,
                                 .loss_ppm = 10000,
                                 .seed = 1,
                                 .rate = 100000000,
                                 .rtt_ns = STT_MS(50),
                                 .time_ns = STT_S(10),
                                 .cc = "tide"};
    struct option_set set = {
        .program = "sttbench streams",
        .usage = "[OPTION]...",
        .about =
            "Many streams of one session over a simulated path that loses packets: how evenly\n"
            "they share it, and what the loss of one does to the messages of the others.",
        .options = options,
        .n = sizeof options / sizeof options[0],
        .into = &flags,
    };
    enum exits exit;
    if (!bench_options(&set, argc, argv, &exit))
        return exit;
    if (flags.loss && (!share_parse(&flags.loss_ppm, flags.loss) || flags.loss_ppm > LOSS_MAX_PPM))
        return bench_usage("--loss wants a share such as 1%% or 0.05%%, up to 30%%, and got "
                           "'%.60s'",
                           flags.loss);
    return measure(&flags);
}
