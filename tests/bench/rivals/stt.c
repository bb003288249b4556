/* SPDX-License-Identifier: MIT
 * stt: a flow of STT that always has something to send: a node each side, a session in mode K, one
 * stream, configured as `sttbench link` configures its endpoints, but with a real cipher. */
#include "tests/bench/rivals/cast.h"
#include "tests/bench/rivals/relay.h"
#include "tools/common/say.h"
#include "tools/sttbench/shared/bulk.h"

#include <string.h>

enum { UDP_HEADERS = 28, WINDOW_LEAST = 1 << 20, PERIOD = 65521 };

static uint8_t pattern[2 * PERIOD];

static void fill_pattern(void)
{
    uint32_t x = 2463534242;
    for (size_t i = 0; i < PERIOD; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        pattern[i] = pattern[i + PERIOD] = (uint8_t)(x >> 11);
    }
}

static bool configure(struct stt_node_config *config, const struct cast_board *b,
                      const struct cast_seat *seat)
{
    struct ends_wish wish = {.packet_bytes = SCENE_MTU - UDP_HEADERS};
    struct stt_config *c = &config->endpoint;
    uint64_t window = WINDOW_LEAST;
    if (!ends_config(config, &wish))
        return false;
    while (window < 8 * b->most_bytes)
        window *= 2;
    config->io = b->io;
    c->congestion = seat->flow.congestion;
    c->stream_window_max = window;
    c->session_window_max = 2 * window;
    c->send_ring_bytes = window;
    c->stream_memory_max = c->stream_memory_max > 4 * window ? c->stream_memory_max : 4 * window;
    return true;
}

/* -- the receiver -------------------------------------------------------------------------------
 */

static void take(struct bulk *bulk, const uint8_t *data, size_t len)
{
    struct cast_seat *seat = bulk->ctx;
    uint64_t at = atomic_load_explicit(&seat->bytes, memory_order_relaxed);
    atomic_store_explicit(&seat->bytes, at + len, memory_order_relaxed);
    while (len > 0) {
        size_t n = len < PERIOD ? len : PERIOD;
        if (memcmp(data, pattern + at % PERIOD, n) != 0)
            atomic_store(&seat->is_different, true);
        at += n;
        data += n;
        len -= n;
    }
}

bool stt_receive(struct cast_board *b, struct cast_seat *seat)
{
    struct stt_node_config config;
    struct bulk bulk = {.take = take, .ctx = seat};
    fill_pattern();
    return configure(&config, b, seat) && bulk_make(&bulk, &config) &&
           bulk_receive(&bulk, &config, &seat->meeting);
}

/* -- the sender ---------------------------------------------------------------------------------
 */

struct sender {
    struct cast_seat *seat;
    struct stt_node *node;
    stt_handle session, stream;
    uint64_t written;
};

static void look(const struct sender *s)
{
    struct stt_session_stats stats;
    if (stt_session_stats(stt_node_endpoint(s->node), stt_node_now(s->node), s->session, &stats))
        return;
    atomic_store(&s->seat->window_bytes, stats.window_bytes == UINT64_MAX ? 0 : stats.window_bytes);
    atomic_store(&s->seat->rtt_ns, stats.rtt_ns);
    atomic_store(&s->seat->resent_bytes, stats.bytes_retransmitted);
}

static bool write_all_there_is_room_for(struct sender *s)
{
    struct stt_endpoint *ep = stt_node_endpoint(s->node);
    for (size_t n = PERIOD, len = PERIOD; n == len; s->written += n) {
        n = 0;
        if (stt_stream_write(ep, stt_node_now(s->node), s->stream, pattern + s->written % PERIOD,
                             len, &n))
            break;
    }
    return ends_well(stt_stream_flush(ep, stt_node_now(s->node), s->stream), "writing fails");
}

static bool on_events(struct sender *s)
{
    struct stt_event event;
    struct stt_stream_event e;
    bool ok = true;
    while (ok && stt_node_event(s->node, &event))
        if (event.type == STT_EVENT_CLOSED) {
            say_error("the session has ended: %s", stt_reason_text(event.reason));
            ok = false;
        }
    while (ok && stt_endpoint_stream_event(stt_node_endpoint(s->node), &e))
        ok = !(e.what & STT_STREAM_WRITABLE) || write_all_there_is_room_for(s);
    return ok;
}

static bool begin(struct sender *s, struct cast_board *b)
{
    struct stt_node_config config;
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    if (!configure(&config, b, s->seat) || !(s->node = ends_node(&config)))
        return false;
    s->session = ends_connect(s->node, &s->seat->meeting);
    if (!s->session)
        return false;
    atomic_store(&s->seat->began_ns, relay_now());
    return ends_well(stt_stream_open(stt_node_endpoint(s->node), stt_node_now(s->node), s->session,
                                     &options, &s->stream),
                     "no stream can be opened") &&
           write_all_there_is_room_for(s);
}

bool stt_send(struct cast_board *b, struct cast_seat *seat)
{
    struct sender s = {.seat = seat};
    fill_pattern();
    bool ok = begin(&s, b);
    stt_ns deadline = cast_deadline(b, seat), next_look = 0;
    for (stt_ns now; ok && (now = relay_now()) < deadline;) {
        ok = ends_well(stt_node_wait(s.node, STT_MS(CAST_SAMPLE_MS)), "the node has ended") &&
             on_events(&s);
        if (!ok || now < next_look)
            continue;
        look(&s);
        next_look = now + STT_MS(CAST_SAMPLE_MS);
    }
    if (ok)
        ends_close(s.node, s.session);
    return ok;
}
