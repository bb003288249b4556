/* SPDX-License-Identifier: MIT
 * link: round trips beside a bulk stream that wants all of a slow link, in virtual time: what
 * queues on the way and the order in which a sender takes its streams do to small messages.
 *
 * A message goes every 10 ms whether or not the one before has been answered, from the moment at
 * which the bulk stream begins. */
#include "tools/sttbench/latency/latency.h"
#include "tools/sttbench/shared/lab.h"

#include <stdlib.h>
#include <string.h>

#define EVERY_NS STT_MS(10)

struct slow {
    struct lab lab;
    stt_handle echo, bulk, echo_there;
    stt_ns began, until;
    bool is_stuck; /* a message had no room */
    double *ms;    /* of each answer */
    size_t n, room;
};

static void fill_bulk(struct slow *s)
{
    static const uint8_t bytes[1 << 16];
    size_t n;
    do
        n = 0;
    while (!stt_stream_write(s->lab.eps[0], lab_now(&s->lab), s->bulk, bytes, sizeof bytes, &n) &&
           n);
}

static void send_one(void *ctx, struct stt_sim *sim)
{
    struct slow *s = ctx;
    uint8_t message[LATENCY_BYTES];
    stt_ns now = stt_sim_now(sim);
    latency_fill(message, now, false);
    s->is_stuck |=
        stt_stream_write_message(s->lab.eps[0], now, s->echo, message, sizeof message, 0) != STT_OK;
    lab_touch(&s->lab, 0);
    if (now + EVERY_NS <= s->until)
        stt_sim_at(sim, now + EVERY_NS, send_one, s);
}

static bool read_one(struct slow *s, int side, stt_handle stream, uint8_t out[LATENCY_BYTES])
{
    struct stt_message_read m;
    return !stt_stream_read_message(s->lab.eps[side], lab_now(&s->lab), stream, out, LATENCY_BYTES,
                                    &m) &&
           m.len == LATENCY_BYTES && m.is_whole;
}

static void answer(struct slow *s, stt_handle stream)
{
    uint8_t message[LATENCY_BYTES];
    struct stt_endpoint *ep = s->lab.eps[1];
    stt_ns now = lab_now(&s->lab);
    while (read_one(s, 1, stream, message)) {
        s->is_stuck |=
            stt_stream_write_message(ep, now, stream, message, sizeof message, 0) != STT_OK;
        (void)stt_stream_flush(ep, now, stream);
    }
}

static void swallow(struct slow *s, stt_handle stream)
{
    struct stt_part part;
    while (stt_stream_peek(s->lab.eps[1], stream, &part, 1))
        (void)stt_stream_consume(s->lab.eps[1], lab_now(&s->lab), stream, part.len);
}

static void keep_answers(struct slow *s)
{
    uint8_t message[LATENCY_BYTES];
    uint64_t at;
    while (s->n < s->room && read_one(s, 0, s->echo, message)) {
        memcpy(&at, message, sizeof at);
        s->ms[s->n++] = (double)(lab_now(&s->lab) - at) * 1e-6;
    }
}

static bool look(void *ctx, int side, const struct stt_stream_event *e)
{
    struct slow *s = ctx;
    if (side == 1 && !s->echo_there)
        s->echo_there = e->stream; /* its first message was sent before the bulk */
    if (side == 1 && e->what & STT_STREAM_READABLE)
        (e->stream == s->echo_there ? answer : swallow)(s, e->stream);
    if (side == 0 && e->stream == s->bulk && e->what & STT_STREAM_WRITABLE)
        fill_bulk(s);
    if (side == 0 && e->stream == s->echo && e->what & STT_STREAM_READABLE)
        keep_answers(s);
    return true;
}

static bool open_both(struct slow *s, bool is_urgent)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    s->bulk = lab_open(&s->lab, &options);
    options.messages = options.no_delay = true;
    options.urgency = is_urgent ? 0 : options.urgency;
    s->echo = lab_open(&s->lab, &options);
    return s->bulk && s->echo;
}

/* The queue holds what the link carries in a round trip. */
static struct lab_setup setup_of(const struct latency_link *link)
{
    struct stt_link_config way = {
        .rate_bits_per_s = link->rate_bits_per_s, .delay_ns = link->rtt_ns / 2, .header_bytes = 28};
    double bdp = (double)link->rate_bits_per_s / 8 * (double)link->rtt_ns * 1e-9;
    way.queue_bytes = bdp < 30000 ? 30000 : (uint32_t)bdp;
    return (struct lab_setup){.seed = 1, .forth = way, .back = way, .congestion = link->congestion};
}

static bool measure(struct slow *s, const struct latency_link *link, struct latency_link_figures *f)
{
    struct stt_stream_info bulk;
    s->began = lab_now(&s->lab);
    s->until = s->began + link->time_ns;
    send_one(s, s->lab.sim);
    if (!lab_run_until(&s->lab, s->began + link->rtt_ns, look, s)) /* the echo comes first */
        return false;
    fill_bulk(s);
    lab_touch(&s->lab, 0);
    s->n = 0;
    if (!lab_run_until(&s->lab, s->until + 4 * link->rtt_ns, look, s) ||
        stt_stream_info(s->lab.eps[0], s->bulk, &bulk) || s->is_stuck)
        return false;
    *f = (struct latency_link_figures){
        .p50_ms = figures_percentile(s->ms, s->n, 50),
        .p99_ms = figures_percentile(s->ms, s->n, 99),
        .max_ms = figures_percentile(s->ms, s->n, 100),
        .bulk_bits_per_s =
            (double)bulk.bytes_acked * 8e9 / (double)(lab_now(&s->lab) - s->began - link->rtt_ns),
        .n = s->n,
    };
    return true;
}

bool latency_link(const struct latency_link *link, struct latency_link_figures *figures)
{
    static struct slow s; /* must not move */
    struct lab_setup setup = setup_of(link);
    s = (struct slow){.room = (size_t)(link->time_ns / EVERY_NS) + 16};
    s.ms = calloc(s.room, sizeof *s.ms);
    bool ok = s.ms && lab_begin(&s.lab, &setup);
    if (ok) {
        ok = open_both(&s, link->is_urgent) && measure(&s, link, figures);
        lab_end(&s.lab);
    }
    free(s.ms);
    return ok;
}
