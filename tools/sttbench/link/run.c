/* SPDX-License-Identifier: MIT
 * run: owns one run: two endpoints, a path between them, and a stream that the client fills as fast
 * as it may and the server reads at once, compared with what was written byte for byte.
 *
 * Invariant: with the same arguments everything is the same again, but the processor's time. */
#include "stt/sim.h"
#include "stt/streams.h"
#include "tools/sttbench/link/link.h"
#include "tools/sttbench/shared/figures.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { HEADERS = 28, PERIOD = 65521, CONNECT_S = 30, QUEUE_BINS = 4096, PORT = 4000 };
enum { WINDOW_LEAST = 1 << 20, PARTS = 16 };
#define STEP_NS STT_MS(1)

struct state {
    const struct link_run *want;
    struct link_result *result;
    struct link_trace *trace;
    struct stt_sim *sim;
    stt_sim_node client, server;
    struct stt_sim_pair links;
    stt_handle session, stream, arriving;
    bool is_accepted, is_broken, is_different;
    uint64_t written, read;
    stt_ns began, ended;

    double queue_ns_of_byte, queue_ns_max, queue_ns_sum;
    uint64_t n_steps, queue_bins[QUEUE_BINS + 1]; /* how often it was so long */
};

static uint8_t pattern[PERIOD];

static void fill_pattern(void)
{
    uint32_t x = 2463534242;
    for (size_t i = 0; i < PERIOD; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        pattern[i] = (uint8_t)(x >> 11);
    }
}

__attribute__((format(printf, 3, 4))) static bool fail(struct state *s, enum exits exit,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!s->result->exit) {
        s->result->exit = exit;
        vsnprintf(s->result->why, sizeof s->result->why, format, args);
    }
    va_end(args);
    return false;
}

/* -- the two hosts ----------------------------------------------------------------------------- */

static void on_event(void *ctx, struct stt_sim *sim, stt_sim_node node,
                     const struct stt_event *event)
{
    struct state *s = ctx;
    (void)sim;
    if (event->type == STT_EVENT_CONNECTED && node == s->client)
        s->session = event->session;
    s->is_accepted |= event->type == STT_EVENT_ACCEPTED && node == s->server;
    s->is_broken |= event->type == STT_EVENT_CLOSED;
}

static void write_on(struct state *s)
{
    struct stt_endpoint *ep = stt_sim_endpoint(s->sim, s->client);
    uint64_t end = s->want->bytes ? s->want->bytes : UINT64_MAX;
    while (s->written < end) {
        size_t at = (size_t)(s->written % PERIOD), len = PERIOD - at, written = 0;
        len = len < end - s->written ? len : (size_t)(end - s->written);
        if (stt_stream_write(ep, stt_sim_now(s->sim), s->stream, pattern + at, len, &written))
            return;
        s->written += written;
        if (written < len)
            return;
    }
    (void)stt_stream_flush(ep, stt_sim_now(s->sim), s->stream);
}

static void compare(struct state *s, const uint8_t *data, size_t len)
{
    while (len) {
        size_t at = (size_t)(s->read % PERIOD), n = PERIOD - at < len ? PERIOD - at : len;
        s->is_different |= memcmp(data, pattern + at, n) != 0;
        s->read += n;
        data += n;
        len -= n;
    }
}

static void read_on(struct state *s)
{
    struct stt_endpoint *ep = stt_sim_endpoint(s->sim, s->server);
    struct stt_part parts[PARTS];
    size_t n;
    while ((n = stt_stream_peek(ep, s->arriving, parts, PARTS)) > 0) {
        size_t len = 0;
        for (size_t i = 0; i < n; i++) {
            compare(s, parts[i].data, parts[i].len);
            len += parts[i].len;
        }
        if (!len || stt_stream_consume(ep, stt_sim_now(s->sim), s->arriving, len))
            return;
    }
}

static bool is_over(const struct state *s)
{
    return s->is_broken || s->is_different || (s->want->bytes && s->read >= s->want->bytes);
}

/* Asked after everything that happens: what the hosts do then. */
static bool wants_more(void *ctx)
{
    struct state *s = ctx;
    struct stt_stream_event e;
    while (stt_endpoint_stream_event(stt_sim_endpoint(s->sim, s->client), &e)) {
        if (e.what & STT_STREAM_WRITABLE)
            write_on(s);
        stt_sim_touch(s->sim, s->client);
    }
    while (stt_endpoint_stream_event(stt_sim_endpoint(s->sim, s->server), &e)) {
        s->arriving = e.stream;
        read_on(s);
        stt_sim_touch(s->sim, s->server);
    }
    return !is_over(s);
}

static bool wants_session(void *ctx)
{
    const struct state *s = ctx;
    return !(s->session && s->is_accepted) && !s->is_broken;
}

/* -- the world --------------------------------------------------------------------------------- */

static void configure(struct stt_config *c, const struct link_run *want)
{
    uint64_t window = WINDOW_LEAST;
    double needed = 8 * (double)link_bdp_bytes(&want->path) * fmax(want->path.queue_bdps, 1);
    c->congestion = want->congestion;
    c->packet_bytes = c->packet_bytes_max = want->payload;
    c->suites[0] = stt_sim_null_suite();
    c->n_suites = 1;
    memcpy(c->application, "sttbench/1", sizeof "sttbench/1");
    if (want->preset)
        return;
    while ((double)window < needed)
        window *= 2;
    c->stream_window_max = window;
    c->session_window_max = 2 * window;
    c->send_ring_bytes = window;
    c->stream_memory_max = c->stream_memory_max > 4 * window ? c->stream_memory_max : 4 * window;
}

static bool add(struct state *s, const struct stt_config *config, uint32_t number,
                stt_sim_node *node)
{
    struct stt_sim_endpoint e = {.config = *config,
                                 .host = {.ctx = s, .on_event = on_event},
                                 .address = stt_sim_ipv4(number, PORT)};
    int error = stt_sim_endpoint_add(s->sim, &e, node);
    return error == STT_OK || fail(s, EXIT_USAGE, "no endpoint: %s", stt_error_text(error));
}

static struct stt_link_config link_of(const struct link_path *p, uint32_t payload)
{
    double queue = (double)link_bdp_bytes(p) * p->queue_bdps;
    return (struct stt_link_config){
        .rate_bits_per_s = p->rate_bits_per_s,
        .delay_ns = p->rtt_ns / 2,
        .jitter_ns = p->jitter_ns,
        .queue_bytes = (uint32_t)fmax(queue, payload + HEADERS),
        .header_bytes = HEADERS,
        .loss_ppm = p->loss_ppm,
        .reorder_ppm = p->reorder_ppm,
        .reorder_ns = p->rtt_ns / 5,
    };
}

static bool set_up(struct state *s, struct stt_identity *server)
{
    struct stt_sim_config sim = STT_SIM_CONFIG_INIT;
    uint8_t secret[32] = {1};
    sim.seed = s->want->seed;
    sim.hash_payloads = false;
    s->sim = stt_sim_new(&sim);
    for (uint32_t side = 1; side <= 2; side++) {
        struct stt_config c = STT_CONFIG_INIT;
        secret[1] = (uint8_t)side;
        stt_identity_init(&c.identity, secret);
        if (s->want->preset && stt_config_preset(&c, s->want->preset))
            return fail(s, EXIT_USAGE, "there is no preset %s", s->want->preset);
        configure(&c, s->want);
        c.accept = side == 2 ? STT_ACCEPT(STT_MODE_K) : 0;
        *server = c.identity;
        if (!add(s, &c, side, side == 1 ? &s->client : &s->server))
            return false;
    }
    struct stt_link_config link = link_of(&s->want->path, s->want->payload);
    s->links = stt_sim_pair(s->sim, s->client, s->server, &link);
    return true;
}

static bool connect_to(struct state *s, const struct stt_identity *server)
{
    struct stt_connect call = STT_CONNECT_INIT;
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_handle session;
    call.mode = STT_MODE_K;
    call.path.remote = stt_sim_address(s->sim, s->server);
    call.peer = server->peer_id;
    call.has_peer = true;
    struct stt_endpoint *ep = stt_sim_endpoint(s->sim, s->client);
    if (stt_endpoint_connect(ep, stt_sim_now(s->sim), &call, &session))
        return fail(s, EXIT_LOCAL_IO, "no connection was begun");
    if (!stt_sim_run_while(s->sim, wants_session, s, STT_S(CONNECT_S)) || s->is_broken)
        return fail(s, EXIT_NO_ANSWER, "no session came about; lose less, or take another --seed");
    s->began = stt_sim_now(s->sim);
    if (stt_stream_open(ep, s->began, s->session, &options, &s->stream))
        return fail(s, EXIT_LOCAL_IO, "no stream could be opened");
    write_on(s);
    stt_sim_touch(s->sim, s->client);
    return true;
}

/* -- looking ----------------------------------------------------------------------------------- */

static bool take_stats(const struct state *s, struct stt_session_stats *stats)
{
    return stt_session_stats(stt_sim_endpoint(s->sim, s->client), stt_sim_now(s->sim), s->session,
                             stats) == STT_OK;
}

/* What a packet of somebody else's would wait now. */
static double queue_ns(const struct state *s)
{
    struct stt_link_stats l = stt_sim_link_stats(s->sim, s->links.forth);
    return (double)l.queue_bytes * s->queue_ns_of_byte;
}

static void look_at_queue(struct state *s)
{
    double ns = queue_ns(s), bin = ns / s->queue_ns_max * QUEUE_BINS;
    s->queue_bins[bin < QUEUE_BINS ? (size_t)bin : QUEUE_BINS]++;
    s->queue_ns_sum += ns;
    s->n_steps++;
}

static double queue_percentile(const struct state *s, double percent)
{
    uint64_t left = (uint64_t)ceil((double)s->n_steps * percent / 100);
    for (size_t i = 0; i <= QUEUE_BINS; i++) {
        if (left <= s->queue_bins[i])
            return (double)i / QUEUE_BINS * s->queue_ns_max;
        left -= s->queue_bins[i];
    }
    return s->queue_ns_max;
}

static double or_none(uint64_t value, double factor)
{
    return value == UINT64_MAX ? NAN : (double)value * factor;
}

static void take_sample(struct state *s)
{
    struct stt_session_stats stats;
    struct link_trace *t = s->trace;
    double step = t->time_s / LINK_SAMPLES;
    double at = (double)(stt_sim_now(s->sim) - s->began) * 1e-9;
    if (t->n > LINK_SAMPLES || at + 1e-9 < step * (double)t->n || !take_stats(s, &stats))
        return;
    t->samples[t->n++] = (struct link_sample){
        .at_s = at,
        .read_bytes = (double)s->read,
        .rate_bits_per_s = or_none(stats.rate_bytes_per_s, 8),
        .window_bytes = or_none(stats.window_bytes, 1),
        .queue_ms = queue_ns(s) * 1e-6,
    };
}

/* -- figures ----------------------------------------------------------------------------------- */

static double percent(double part, double whole)
{
    return whole > 0 ? part / whole * 100 : NAN;
}

static void take_link(struct state *s, double *figures)
{
    struct stt_link_stats l = stt_sim_link_stats(s->sim, s->links.forth);
    uint64_t dropped = l.dropped[STT_LINK_DROP_QUEUE];
    double sent = (double)l.datagrams_in, served = sent - (double)dropped;
    double bytes = (double)l.bytes_in - (double)dropped * s->want->payload + served * HEADERS -
                   (double)l.queue_bytes;
    double room = (double)s->want->path.rate_bits_per_s / 8 * (double)s->ended * 1e-9;
    figures[LINK_utilisation] = fmin(percent(bytes, room), 100);
    figures[LINK_lost] = percent((double)l.dropped[STT_LINK_DROP_LOSS], sent);
    figures[LINK_dropped] = percent((double)dropped, sent);
    figures[LINK_queue_mean] = s->queue_ns_sum / (double)s->n_steps * 1e-6;
    figures[LINK_queue_p99] = queue_percentile(s, 99) * 1e-6;
}

static void take_held(const struct stt_session_stats *stats, double *held)
{
#define ROW(X, upper, name, words)                                                                 \
    held[STT_HELD_##upper] = percent((double)stats->held_by_##name##_ns, (double)stats->age_ns);
    STT_HELD_BY(ROW, )
#undef ROW
}

static void take_figures(struct state *s)
{
    struct stt_session_stats stats;
    struct link_result *r = s->result;
    s->ended = stt_sim_now(s->sim);
    r->time_s = (double)(s->ended - s->began) * 1e-9;
    if (!take_stats(s, &stats)) {
        fail(s, EXIT_NETWORK, "the session broke after %.1f s", r->time_s);
        return;
    }
    r->figures[LINK_goodput] = (double)s->read * 8 / r->time_s;
    r->figures[LINK_completion] = s->want->bytes ? r->time_s * 1e3 : NAN;
    r->figures[LINK_handshake] = (double)s->began * 1e-6;
    r->figures[LINK_retransmitted] = percent((double)stats.bytes_retransmitted, (double)s->read);
    take_link(s, r->figures);
    take_held(&stats, r->held_percent);
}

/* -- a run ------------------------------------------------------------------------------------- */

static void run(struct state *s)
{
    struct stt_identity server;
    if (!set_up(s, &server) || !connect_to(s, &server))
        return;
    stt_ns limit = s->began + s->want->time_ns;
    if (s->trace)
        take_sample(s);
    do {
        stt_ns next = stt_sim_now(s->sim) + STEP_NS;
        stt_sim_run_while(s->sim, wants_more, s, next < limit ? next : limit);
        look_at_queue(s);
        if (s->trace)
            take_sample(s);
    } while (!is_over(s) && !stt_sim_failure(s->sim) && stt_sim_now(s->sim) < limit);
    take_figures(s);
    if (s->is_different)
        fail(s, EXIT_INTEGRITY, "what was read is not what was written: a bug of STT");
    else if (s->is_broken)
        fail(s, EXIT_NETWORK, "the session broke after %.1f s", s->result->time_s);
    else if (s->want->bytes && s->read < s->want->bytes)
        fail(s, EXIT_TIMEOUT, "after %.0f s only %.1f %% had arrived", s->result->time_s,
             percent((double)s->read, (double)s->want->bytes));
}

void link_measure(const struct link_run *want, struct link_result *result, struct link_trace *trace)
{
    static struct state state;
    double cpu = figures_cpu_s();
    fill_pattern();
    *result = (struct link_result){.exit = EXIT_DONE};
    for (size_t i = 0; i < LINK_FIGURES_N; i++)
        result->figures[i] = NAN;
    state = (struct state){.want = want, .result = result, .trace = trace};
    state.queue_ns_of_byte = 8e9 / (double)want->path.rate_bits_per_s;
    state.queue_ns_max =
        state.queue_ns_of_byte * (double)link_of(&want->path, want->payload).queue_bytes;
    run(&state);
    if (state.sim) {
        if (stt_sim_failure(state.sim))
            fail(&state, EXIT_LOCAL_IO, "%s", stt_sim_failure(state.sim));
        result->hash = stt_sim_hash(state.sim);
        stt_sim_free(state.sim);
    }
    result->figures[LINK_cpu] = (figures_cpu_s() - cpu) * 1e3 / result->time_s;
}
