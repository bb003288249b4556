/* SPDX-License-Identifier: MIT
 * engine: owns two endpoints, and the acknowledgements that are held back so that packets stay in
 * flight. What a train costs is paid by the side that makes or takes it. */
#include "tools/sttbench/engine/engine.h"

#include "tools/common/say.h"
#include "tools/sttbench/bench.h"

#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_BYTES = 8 << 20,
    STREAM_WINDOW_BYTES = 64 << 10, /* of each of many */
    HELD_BYTES = 2048,              /* room for a train that waits */
    SHORT_TRAIN_PACKETS = 10,
    WARM_UPS_MAX = 60,
    WARM_UPS_QUIET = 5, /* in a row */
};

/* A train from b that a has not got yet. */
struct engine_held {
    struct stt_train train; /* its bytes are in data */
    uint64_t after;         /* packets that b had received when it was sent */
    uint8_t data[HELD_BYTES];
};

static _Alignas(64) uint8_t train_memory[65536]; /* so that nothing depends on who else is linked */

void engine_must(const char *what, int error)
{
    if (!error)
        return;
    say_error("the bare engine fails in %s: %s", what, stt_error_text(error));
    exit(EXIT_INTEGRITY);
}

static void *zeros(size_t n, size_t size)
{
    void *p = calloc(n, size);
    engine_must("taking memory", p ? STT_OK : STT_E_MEMORY);
    return p;
}

/* -- two endpoints --------------------------------------------------------------------------- */

static uint64_t flight_bytes(const struct engine_load *load)
{
    return (uint64_t)load->in_flight * ENGINE_PACKET_BYTES;
}

/* Nothing limits but the engine itself, and idle sessions stay so. */
static struct stt_config config_of(const struct engine *x)
{
    struct stt_config config = STT_CONFIG_INIT;
    uint64_t window =
        x->load->is_small ? STREAM_WINDOW_BYTES : WINDOW_BYTES + 4 * flight_bytes(x->load);
    uint64_t share = window / (x->load->all_send ? x->load->streams : 1);
    strcpy(config.application, "bench/1");
    config.accept = STT_ACCEPT(STT_MODE_K);
    config.suites[0] = x->suite;
    config.n_suites = 1;
    config.packet_bytes = ENGINE_PACKET_BYTES;
    config.congestion = "none";
    config.keep_alive_ns = STT_NEVER;
    config.idle_timeout_ns = STT_S(3600);
    config.max_sessions = x->load->idle_sessions + 1;
    config.handshake_work_percent = 100;
    config.max_streams = x->load->streams;
    config.stream_window_bytes = share > STREAM_WINDOW_BYTES ? share : STREAM_WINDOW_BYTES;
    config.stream_window_max = config.stream_window_bytes;
    config.session_window_bytes = config.session_window_max = 2 * window;
    config.send_ring_bytes += 2 * flight_bytes(x->load);
    return config;
}

static void side_init(struct engine_side *side, const struct engine *x, uint8_t number)
{
    struct stt_config config = config_of(x);
    uint8_t secret[32] = {number};
    stt_sim_process_init(&side->process, NULL, number, number);
    stt_identity_init(&config.identity, secret);
    side->address = stt_sim_ipv4(number, 1000);
    engine_must("making an endpoint", stt_endpoint_new(&side->ep, &config, &side->process.env, 0));
}

static void side_fini(struct engine_side *side)
{
    stt_endpoint_free(side->ep);
    if (!side->process.memory.live)
        return;
    say_error("an endpoint has kept %llu blocks of memory",
              (unsigned long long)side->process.memory.live);
    exit(EXIT_INTEGRITY);
}

/* -- trains ---------------------------------------------------------------------------------- */

static struct stt_path path_of(const struct engine_side *from, const struct engine_side *to)
{
    return (struct stt_path){.local = to->address, .remote = from->address};
}

static bool move_there(struct engine *x)
{
    size_t room =
        x->load->in_flight ? SHORT_TRAIN_PACKETS * ENGINE_PACKET_BYTES : sizeof train_memory;
    struct stt_train train = {.data = train_memory, .len = room};
    if (!engine_sender_works(x, ENGINE_TRANSMIT, &train))
        return false;
    x->packets += (train.len + train.segment_bytes - 1) / train.segment_bytes;
    if (x->packets - x->heard > x->most_in_flight)
        x->most_in_flight = x->packets - x->heard;
    train.path = path_of(&x->a, &x->b);
    return engine_receiver_works(x, ENGINE_RECEIVE, &train);
}

/* Copied, and later copied back: nobody pays for a train that went cold while it waited. */
static bool hold_back(struct engine *x)
{
    struct engine_held *h = &x->held[(x->first_held + x->n_held) % x->held_max];
    struct stt_train train = {.data = train_memory, .len = sizeof h->data};
    if (!engine_receiver_works(x, ENGINE_TRANSMIT, &train))
        return false;
    if (x->n_held++ == x->held_max)
        engine_must("holding acknowledgements", STT_E_LIMIT);
    memcpy(h->data, train.data, train.len);
    h->train = train;
    h->after = x->packets;
    return true;
}

static void deliver_held(struct engine *x)
{
    while (x->n_held && x->packets - x->held[x->first_held].after >= x->hold) {
        const struct engine_held *h = &x->held[x->first_held];
        struct stt_train train = h->train;
        memcpy(train.data, h->data, train.len);
        x->first_held = (x->first_held + 1) % x->held_max;
        x->n_held--;
        x->heard = h->after;
        train.path = path_of(&x->b, &x->a);
        engine_sender_works(x, ENGINE_RECEIVE, &train);
    }
}

void engine_settle(struct engine *x)
{
    for (bool there = true, back = true; there || back;) {
        there = move_there(x);
        back = hold_back(x);
        deliver_held(x);
    }
}

uint32_t engine_holds(const struct engine_load *load)
{
    return load->in_flight ? load->in_flight - SHORT_TRAIN_PACKETS : 0;
}

/* -- beginning and end ----------------------------------------------------------------------- */

static void connect(struct engine *x)
{
    struct stt_connect c = STT_CONNECT_INIT;
    struct stt_identity peer;
    uint8_t secret[32] = {2};
    stt_identity_init(&peer, secret);
    c.mode = STT_MODE_K;
    c.peer = peer.peer_id;
    c.has_peer = true;
    c.path.remote = x->b.address;
    x->now += STT_MS(1); /* what b may spend on handshakes grows with time */
    engine_must("connecting", stt_endpoint_connect(x->a.ep, x->now, &c, &x->session));
    engine_settle(x);
}

static void open_stream(struct engine *x, stt_handle *stream)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    engine_must("opening a stream", stt_stream_open(x->a.ep, x->now, x->session, &options, stream));
    engine_write_byte(x, *stream); /* the peer hears of a stream with its first byte */
    engine_settle(x);
}

/* The busy session is the last. */
static void set_up(struct engine *x)
{
    for (uint32_t i = 0; i <= x->load->idle_sessions; i++)
        connect(x);
    for (uint32_t i = 0; i < x->load->streams; i++)
        open_stream(x, &x->streams[i]);
    x->hold = engine_holds(x->load);
}

uint64_t engine_allocations(const struct engine *x)
{
    return x->a.process.memory.allocs + x->b.process.memory.allocs;
}

void engine_warm_up(struct engine *x, uint64_t run_bytes)
{
    const struct engine_load *l = x->load;
    uint64_t turns = l->all_send ? (uint64_t)l->streams * STREAM_WINDOW_BYTES / 2 : 0;
    uint64_t least = 4 * WINDOW_BYTES + 4 * flight_bytes(l) + turns;
    x->is_checked = !l->all_send;
    engine_run(x, least > l->moved_bytes ? least : l->moved_bytes);
    x->is_checked = false;
    for (int i = 0, quiet = 0; i < WARM_UPS_MAX && quiet < WARM_UPS_QUIET; i++) {
        uint64_t before = engine_allocations(x);
        engine_run(x, run_bytes + flight_bytes(l));
        quiet = engine_allocations(x) == before ? quiet + 1 : 0;
    }
    x->most_in_flight = 0;
}

struct engine *engine_new(const struct engine_load *load, const struct stt_aead_suite *suite)
{
    struct engine *x = zeros(1, sizeof *x);
    x->load = load;
    x->suite = suite;
    x->now = STT_S(1);
    x->streams = zeros(load->streams, sizeof *x->streams);
    x->held_max = 64 + 2 * load->in_flight / SHORT_TRAIN_PACKETS;
    x->held = zeros(x->held_max, sizeof *x->held);
    side_init(&x->a, x, 1);
    side_init(&x->b, x, 2);
    set_up(x);
    return x;
}

void engine_free(struct engine *x)
{
    side_fini(&x->a);
    side_fini(&x->b);
    free(x->held);
    free(x->streams);
    free(x);
}
