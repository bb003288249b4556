/* SPDX-License-Identifier: MIT
 * flow: owns the two hosts of a flow: they come together, one writes and the other reads, and what
 * was read is compared with what was written byte for byte.
 *
 * Invariant: a stream is written to only between its beginning and its end, and its peer is read
 * whenever something came. It must not know the other flows. */
#include "tools/sttbench/link/flow.h"

#include "stt/streams.h"
#include "tools/sttbench/link/tcp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PERIOD = 65521, PORT = 4000, WINDOW_LEAST = 1 << 20, PARTS = 16, HANDSHAKE_S = 60 };
#define PIECE_NS STT_MS(20) /* an application that is slow writes so often */
#define BEHIND_S 1          /* what it could not write for so long it skips */

static const uint8_t *pattern(void)
{
    static uint8_t bytes[PERIOD];
    uint32_t x = 2463534242;
    for (size_t i = 0; i < PERIOD && !bytes[PERIOD - 1]; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        bytes[i] = (uint8_t)(x >> 11 | 1);
    }
    return bytes;
}

const char *flow_control(const struct link_run *run, const struct link_flow *want)
{
    return want->control ? want->control : run->congestion;
}

static struct stt_endpoint *client_of(const struct flow *f)
{
    return stt_sim_endpoint(f->sim, f->client);
}

/* -- the two hosts ----------------------------------------------------------------------------- */

static void on_event(void *ctx, struct stt_sim *sim, stt_sim_node node,
                     const struct stt_event *event)
{
    struct flow *f = ctx;
    (void)sim;
    if (event->type == STT_EVENT_CONNECTED && node == f->client)
        f->session = event->session;
    f->is_accepted |= event->type == STT_EVENT_ACCEPTED && node == f->server;
    f->is_broken |= event->type == STT_EVENT_CLOSED && !f->is_over;
}

static uint64_t end_of(const struct flow *f)
{
    uint64_t end = f->want->bytes ? f->want->bytes : UINT64_MAX;
    return f->want->rate_bits_per_s && f->may_write < end ? f->may_write : end;
}

static void write_on(struct flow *f)
{
    struct stt_endpoint *ep = client_of(f);
    uint64_t end = end_of(f);
    if (!f->stream || f->is_over)
        return;
    while (f->written < end) {
        size_t at = (size_t)(f->written % PERIOD), len = PERIOD - at, written = 0;
        len = len < end - f->written ? len : (size_t)(end - f->written);
        if (stt_stream_write(ep, stt_sim_now(f->sim), f->stream, pattern() + at, len, &written))
            return;
        f->written += written;
        if (written < len)
            return;
    }
    (void)stt_stream_flush(ep, stt_sim_now(f->sim), f->stream);
}

static void compare(struct flow *f, const uint8_t *data, size_t len)
{
    while (len) {
        size_t at = (size_t)(f->read % PERIOD), n = PERIOD - at < len ? PERIOD - at : len;
        f->is_different |= memcmp(data, pattern() + at, n) != 0;
        f->read += n;
        data += n;
        len -= n;
    }
}

static void read_on(struct flow *f)
{
    struct stt_endpoint *ep = stt_sim_endpoint(f->sim, f->server);
    struct stt_part parts[PARTS];
    size_t n;
    while ((n = stt_stream_peek(ep, f->arriving, parts, PARTS)) > 0) {
        size_t len = 0;
        for (size_t i = 0; i < n; i++) {
            compare(f, parts[i].data, parts[i].len);
            len += parts[i].len;
        }
        if (!len || stt_stream_consume(ep, stt_sim_now(f->sim), f->arriving, len))
            return;
    }
}

/* -- from the beginning to the end ------------------------------------------------------------- */

static void write_a_piece(void *ctx, struct stt_sim *sim)
{
    struct flow *f = ctx;
    uint64_t rate = f->want->rate_bits_per_s / 8;
    f->may_write += (uint64_t)((double)rate * (double)PIECE_NS * 1e-9);
    if (f->may_write > f->read + BEHIND_S * rate)
        f->may_write = f->read + BEHIND_S * rate;
    write_on(f);
    stt_sim_touch(sim, f->client);
    if (!f->is_over)
        stt_sim_at(sim, stt_sim_now(sim) + PIECE_NS, write_a_piece, f);
}

/* Whoever leaves has nothing more to say, and takes back what waits. */
static void leave(void *ctx, struct stt_sim *sim)
{
    struct flow *f = ctx;
    f->is_over = true;
    if (f->stream)
        (void)stt_stream_reset(client_of(f), stt_sim_now(sim), f->stream, 0);
    stt_sim_touch(sim, f->client);
}

static void begin(struct flow *f)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_ns now = stt_sim_now(f->sim);
    if (stt_stream_open(client_of(f), now, f->session, &options, &f->stream)) {
        f->is_broken = true;
        return;
    }
    f->began = now;
    if (f->want->rate_bits_per_s)
        write_a_piece(f, f->sim);
    else
        write_on(f);
    stt_sim_touch(f->sim, f->client);
}

bool flow_is_up(const struct flow *f)
{
    return f->is_tcp || (f->session && f->is_accepted);
}

static void begin_if_up(struct flow *f)
{
    if (f->is_due && !f->stream && !f->is_over && flow_is_up(f))
        begin(f);
}

static void on_due(void *ctx, struct stt_sim *sim)
{
    struct flow *f = ctx;
    (void)sim;
    f->is_due = true;
    begin_if_up(f);
}

static bool begin_tcp(struct flow *f, stt_ns at)
{
    const struct link_flow *want = f->want;
    struct tcp_setup setup = {.from = f->from, .to = f->to, .at = at, .bytes = want->bytes};
    if (want->until_ns > want->from_ns)
        setup.until = at + want->until_ns - want->from_ns;
    f->began = at;
    f->tcp = tcp_begin(f->sim, &setup);
    return f->tcp != NULL;
}

bool flow_begin_at(struct flow *f, stt_ns at)
{
    f->due = at;
    if (f->is_tcp)
        return begin_tcp(f, at);
    stt_sim_at(f->sim, at, on_due, f);
    if (f->want->until_ns > f->want->from_ns)
        stt_sim_at(f->sim, at + f->want->until_ns - f->want->from_ns, leave, f);
    return true;
}

bool flow_connect(struct flow *f)
{
    struct stt_connect call = STT_CONNECT_INIT;
    stt_handle session;
    if (f->is_tcp)
        return true;
    call.mode = STT_MODE_K;
    call.path.remote = stt_sim_address(f->sim, f->server);
    call.peer = f->server_identity.peer_id;
    call.has_peer = true;
    f->is_broken = false;
    f->asked = stt_sim_now(f->sim);
    bool is_begun = !stt_endpoint_connect(client_of(f), f->asked, &call, &session);
    stt_sim_touch(f->sim, f->client);
    return is_begun;
}

void flow_serve(struct flow *f)
{
    struct stt_stream_event e;
    begin_if_up(f);
    while (stt_endpoint_stream_event(client_of(f), &e)) {
        if (e.what & STT_STREAM_WRITABLE)
            write_on(f);
        stt_sim_touch(f->sim, f->client);
    }
    while (stt_endpoint_stream_event(stt_sim_endpoint(f->sim, f->server), &e)) {
        f->arriving = e.stream;
        if (!f->is_over)
            read_on(f);
        stt_sim_touch(f->sim, f->server);
    }
    if (f->want->bytes && f->read >= f->want->bytes && f->done == STT_NEVER)
        f->done = stt_sim_now(f->sim);
}

void flow_look(struct flow *f)
{
    if (f->tcp && f->want->bytes && f->done == STT_NEVER &&
        tcp_read_bytes(f->tcp) >= f->want->bytes)
        f->done = stt_sim_now(f->sim);
}

void flow_end(struct flow *f)
{
    tcp_end(f->tcp);
    f->tcp = NULL;
}

/* -- its endpoints ----------------------------------------------------------------------------- */

/* The most that may be under way, whatever the path becomes. */
static double most_under_way(const struct link_run *run, const struct link_flow *want)
{
    struct link_path p = run->path;
    double queue = (double)link_bdp_bytes(&p) * p.queue_bdps;
    p.rtt_ns = want->rtt_ns > p.rtt_ns ? want->rtt_ns : p.rtt_ns;
    for (size_t i = 0; i < run->n_steps; i++) {
        const struct link_step *s = &run->steps[i];
        p.rtt_ns = s->rtt_ns > p.rtt_ns ? s->rtt_ns : p.rtt_ns;
        if (s->rate_bits_per_s > p.rate_bits_per_s)
            p.rate_bits_per_s = s->rate_bits_per_s;
    }
    return (double)link_bdp_bytes(&p) + queue;
}

/* Buffers that are never in the way, unless those of a preset are asked for. */
static void configure(struct stt_config *c, const struct flow *f)
{
    uint64_t window = WINDOW_LEAST;
    double needed = 4 * most_under_way(f->run, f->want);
    c->congestion = f->control;
    c->packet_bytes = c->packet_bytes_max = f->run->payload;
    c->handshake_ns = STT_S(HANDSHAKE_S);
    c->suites[0] = stt_sim_null_suite();
    c->n_suites = 1;
    memcpy(c->application, "sttbench/1", sizeof "sttbench/1");
    if (f->run->preset)
        return;
    while ((double)window < needed)
        window *= 2;
    c->stream_window_max = window;
    c->session_window_max = 2 * window;
    c->send_ring_bytes = window;
    c->stream_memory_max = c->stream_memory_max > 4 * window ? c->stream_memory_max : 4 * window;
}

static bool refuse(struct link_result *result, const char *what, const char *which)
{
    result->exit = EXIT_USAGE;
    snprintf(result->why, sizeof result->why, "%s %s", what, which);
    return false;
}

static bool add(struct flow *f, uint32_t number, bool is_server, struct link_result *result)
{
    uint8_t secret[32] = {1, (uint8_t)number, (uint8_t)(number >> 8)};
    struct stt_sim_endpoint e = {.config = STT_CONFIG_INIT,
                                 .host = {.ctx = f, .on_event = on_event},
                                 .address = stt_sim_ipv4(number, PORT)};
    stt_identity_init(&e.config.identity, secret);
    if (f->run->preset && stt_config_preset(&e.config, f->run->preset))
        return refuse(result, "there is no preset", f->run->preset);
    configure(&e.config, f);
    e.config.accept = is_server ? STT_ACCEPT(STT_MODE_K) : 0;
    f->server_identity = e.config.identity;
    int error = stt_sim_endpoint_add(f->sim, &e, is_server ? &f->server : &f->client);
    return error == STT_OK || refuse(result, "no endpoint:", stt_error_text(error));
}

bool flow_add(struct flow *f, struct bottleneck *b, size_t number, struct link_result *result)
{
    const struct link_run *run = b->run;
    const struct link_flow *want = &run->flows[number];
    uint32_t first = 1 + 2 * (uint32_t)number;
    *f = (struct flow){.want = want, .run = run, .sim = b->sim, .is_tested = !want->control};
    f->control = flow_control(run, want);
    f->is_tcp = strcmp(f->control, LINK_TCP) == 0;
    f->due = f->began = f->done = f->asked = STT_NEVER;
    f->from = stt_sim_ipv4(first, PORT);
    f->to = stt_sim_ipv4(first + 1, PORT);
    if (!f->is_tcp && (!add(f, first, false, result) || !add(f, first + 1, true, result)))
        return false;
    bottleneck_route(b, &f->from, &f->to, want->rtt_ns ? want->rtt_ns : run->path.rtt_ns);
    return true;
}

/* -- what is seen of it ------------------------------------------------------------------------ */

bool flow_stats(const struct flow *f, struct stt_session_stats *out)
{
    return f->session &&
           stt_session_stats(client_of(f), stt_sim_now(f->sim), f->session, out) == STT_OK;
}

uint64_t flow_read_bytes(const struct flow *f)
{
    return f->tcp ? tcp_read_bytes(f->tcp) : f->read;
}

struct flow_count flow_count(const struct flow *f)
{
    struct stt_session_stats stats;
    struct flow_count n = {.read_bytes = flow_read_bytes(f)};
    if (f->tcp)
        n.again_bytes = tcp_retransmitted_bytes(f->tcp);
    else if (flow_stats(f, &stats))
        n.again_bytes = stats.bytes_retransmitted;
    return n;
}

static double or_none(uint64_t value, double factor)
{
    return value == UINT64_MAX ? NAN : (double)value * factor;
}

void flow_sample(const struct flow *f, struct link_flow_sample *out)
{
    struct stt_session_stats stats;
    *out = (struct link_flow_sample){(double)flow_read_bytes(f), NAN, NAN};
    if (f->tcp && stt_sim_now(f->sim) > f->began)
        out->window_bytes = (double)tcp_window_bytes(f->tcp);
    if (!f->stream || f->is_over || !flow_stats(f, &stats))
        return;
    out->rate_bits_per_s = or_none(stats.rate_bytes_per_s, 8);
    out->window_bytes = or_none(stats.window_bytes, 1);
}
