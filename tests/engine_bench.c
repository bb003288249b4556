/* SPDX-License-Identifier: MIT
 * engine_bench: the bare engine, memory to memory, no kernel: two endpoints in one process, one
 * after the other, and what each costs per packet.
 *
 *     build/tests/engine_bench [-J] [--full]
 *
 * It prints nanoseconds per packet for sending (write, pack, seal, hear of it) and for receiving
 * (open, read, acknowledge), the median of several short runs beside the least of them, and counts
 * allocations between two marks in steady state. First comes the null suite, which has no cipher,
 * and each cipher. Then, without cipher, what must not make a packet dearer:
 *
 *     idle streams      others are open, and one sends
 *     sending streams   all of them send in turn, a packet's worth each
 *     small writes      others are open, and one sends packets of 64 bytes that wait for company
 *     idle sessions     others are open in the same endpoints, and one sends
 *     in flight         acknowledgements wait until so many packets are out; all trains have ten
 *                       packets, so that nothing but the flight differs
 *
 * The rows of such a group run by turns, so that a noisy machine treats them alike. -J prints one
 * JSON object a line. --full takes 100,000 idle sessions instead of 10,000: their handshakes take
 * most of a minute, and the sessions more than a gigabyte. */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/sim.h"
#include "stt/streams.h"
#include "tests/support/env.h"
#include "tests/support/stopwatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PACKET_BYTES = 1452,
    STEP_BYTES = 1 << 18, /* written before the endpoints are let loose */
    TURN_BYTES = 1400,    /* that each of many streams writes */
    SMALL_BYTES = 64,
    SMALL_RUN = 1000, /* writes */
    RUN_BYTES = 32 << 20,
    RUNS = 11,
    WARM_UPS_MAX = 60,
    WARM_UPS_QUIET = 5, /* in a row */
    ROWS_MAX = 3,       /* of a group */
    WINDOW_BYTES = 8 << 20,
    STREAM_WINDOW_BYTES = 64 << 10, /* of each of many */
    HELD_BYTES = 2048,              /* room for a train that waits */
    SHORT_TRAIN_PACKETS = 10,
};

struct load {
    const char *name;
    uint32_t streams;       /* open in the busy session */
    uint32_t idle_sessions; /* beside it */
    uint32_t in_flight;     /* packets; 0: what one train holds */
    bool all_send;          /* all streams, in turn */
    bool is_small;          /* what is written */
};

struct side {
    struct test_env env;
    struct stt_endpoint *ep;
    struct stt_address address;
    double ns;
};

/* A train from b that a has not got yet. */
struct held {
    struct stt_train train; /* its bytes are in data */
    uint64_t after;         /* packets that b had received when it was sent */
    uint8_t data[HELD_BYTES];
};

struct bench {
    const struct load *load;
    const struct stt_aead_suite *suite;
    struct side a, b;
    stt_ns now;
    stt_handle session, *streams;
    uint32_t turn; /* whose it is to write */
    uint64_t moved, packets;

    struct held *held; /* a ring */
    uint32_t n_held, first_held, held_max;
    uint32_t hold; /* packets that must follow before an acknowledgement is delivered */
    uint64_t most_in_flight, heard; /* heard: of so many packets a has heard */

    double send_ns[RUNS], receive_ns[RUNS];
    uint64_t allocations;
};

static uint8_t train_memory[65536], data[STEP_BYTES];

static void die(const char *what, const char *why)
{
    fprintf(stderr, "engine_bench: %s: %s\n", what, why);
    exit(1);
}

static void must(const char *what, int error)
{
    if (error)
        die(what, stt_error_text(error));
}

static void *must_calloc(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p)
        die("calloc", stt_error_text(STT_E_MEMORY));
    return p;
}

/* -- two endpoints --------------------------------------------------------------------------------
 */

static uint64_t flight_bytes(const struct load *load)
{
    return (uint64_t)load->in_flight * PACKET_BYTES;
}

/* Nothing limits but the engine itself, and idle sessions stay so. */
static struct stt_config config_of(const struct bench *x)
{
    struct stt_config config = STT_CONFIG_INIT;
    uint64_t window =
        x->load->is_small ? STREAM_WINDOW_BYTES : WINDOW_BYTES + 4 * flight_bytes(x->load);
    uint64_t share = window / (x->load->all_send ? x->load->streams : 1);
    strcpy(config.application, "bench/1");
    config.accept = STT_ACCEPT(STT_MODE_K);
    config.suites[0] = x->suite;
    config.n_suites = 1;
    config.packet_bytes = PACKET_BYTES;
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

static void side_init(struct side *side, const struct bench *x, uint8_t number)
{
    struct stt_config config = config_of(x);
    uint8_t secret[32] = {number};
    test_env_init(&side->env, number);
    stt_identity_init(&config.identity, secret);
    side->address = stt_sim_ipv4(number, 1000);
    must("endpoint", stt_endpoint_new(&side->ep, &config, &side->env.env, 0));
}

static void read_stream(struct bench *x, struct side *side, stt_handle stream)
{
    struct stt_part parts[8];
    for (size_t n; (n = stt_stream_peek(side->ep, stream, parts, 8));) {
        size_t len = 0;
        for (size_t i = 0; i < n; i++)
            len += parts[i].len;
        x->moved += len;
        must("consume", stt_stream_consume(side->ep, x->now, stream, len));
    }
}

static void pull(struct bench *x, struct side *side)
{
    struct stt_event event;
    struct stt_stream_event stream;
    while (stt_endpoint_event(side->ep, &event))
        if (event.type == STT_EVENT_CLOSED)
            die("session", stt_reason_text(event.reason));
    while (stt_endpoint_stream_event(side->ep, &stream))
        if (stream.what & STT_STREAM_READABLE)
            read_stream(x, side, stream.stream);
}

/* -- trains: each side pays for its own work ------------------------------------------------------
 */

static bool transmit(struct bench *x, struct side *from, struct stt_train *train)
{
    double t0 = wall_ns();
    bool sent = stt_endpoint_transmit(from->ep, x->now, train);
    from->ns += wall_ns() - t0;
    return sent;
}

static void receive(struct bench *x, const struct side *from, struct side *to,
                    struct stt_train *train)
{
    train->path = (struct stt_path){.local = to->address, .remote = from->address};
    double t0 = wall_ns();
    stt_endpoint_receive(to->ep, x->now, train);
    pull(x, to);
    to->ns += wall_ns() - t0;
}

static bool move_there(struct bench *x)
{
    size_t room = x->load->in_flight ? SHORT_TRAIN_PACKETS * PACKET_BYTES : sizeof train_memory;
    struct stt_train train = {.data = train_memory, .len = room};
    if (!transmit(x, &x->a, &train))
        return false;
    x->packets += (train.len + train.segment_bytes - 1) / train.segment_bytes;
    if (x->packets - x->heard > x->most_in_flight)
        x->most_in_flight = x->packets - x->heard;
    receive(x, &x->a, &x->b, &train);
    return true;
}

/* Copied, and later copied back: nobody pays for a train that went cold while it waited. */
static bool hold_back(struct bench *x)
{
    struct held *h = &x->held[(x->first_held + x->n_held) % x->held_max];
    struct stt_train train = {.data = train_memory, .len = sizeof h->data};
    if (!transmit(x, &x->b, &train))
        return false;
    if (x->n_held++ == x->held_max)
        die("acknowledgements", "more of them wait than there is room for");
    memcpy(h->data, train.data, train.len);
    h->train = train;
    h->after = x->packets;
    return true;
}

static void deliver_held(struct bench *x)
{
    while (x->n_held && x->packets - x->held[x->first_held].after >= x->hold) {
        const struct held *h = &x->held[x->first_held];
        struct stt_train train = h->train;
        memcpy(train.data, h->data, train.len);
        x->first_held = (x->first_held + 1) % x->held_max;
        x->n_held--;
        x->heard = h->after;
        receive(x, &x->b, &x->a, &train);
    }
}

static void settle(struct bench *x)
{
    for (bool there = true, back = true; there || back;) {
        there = move_there(x);
        back = hold_back(x);
        deliver_held(x);
    }
    pull(x, &x->a);
    pull(x, &x->b);
}

/* -- loads ----------------------------------------------------------------------------------------
 */

static void connect(struct bench *x)
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
    must("connect", stt_endpoint_connect(x->a.ep, x->now, &c, &x->session));
    settle(x);
}

/* The peer hears of a stream with its first byte. */
static void open_stream(struct bench *x, stt_handle *stream)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    size_t written;
    must("stream", stt_stream_open(x->a.ep, x->now, x->session, &options, stream));
    must("write", stt_stream_write(x->a.ep, x->now, *stream, data, 1, &written));
    must("flush", stt_stream_flush(x->a.ep, x->now, *stream));
    settle(x);
}

/* The busy session is the last. */
static void set_up(struct bench *x)
{
    for (uint32_t i = 0; i <= x->load->idle_sessions; i++)
        connect(x);
    for (uint32_t i = 0; i < x->load->streams; i++)
        open_stream(x, &x->streams[i]);
    if (x->load->in_flight)
        x->hold = x->load->in_flight - SHORT_TRAIN_PACKETS;
}

static void write_turn(struct bench *x, stt_handle stream, size_t len)
{
    size_t written;
    must("write", stt_stream_write(x->a.ep, x->now, stream, data, len, &written));
}

static void write_more(struct bench *x)
{
    double t0 = wall_ns();
    if (!x->load->all_send)
        write_turn(x, x->streams[0], STEP_BYTES);
    for (size_t n = 0; x->load->all_send && n < STEP_BYTES; n += TURN_BYTES) {
        write_turn(x, x->streams[x->turn], TURN_BYTES);
        x->turn = (x->turn + 1) % x->load->streams;
    }
    x->a.ns += wall_ns() - t0;
}

/* One packet, after the wait that is a's deadline. */
static void write_small(struct bench *x)
{
    double t0 = wall_ns();
    write_turn(x, x->streams[0], SMALL_BYTES);
    x->now = stt_endpoint_deadline(x->a.ep);
    stt_endpoint_expire(x->a.ep, x->now);
    x->a.ns += wall_ns() - t0;
    settle(x);
}

static void run(struct bench *x, uint64_t bytes)
{
    for (int i = 0; x->load->is_small && i < SMALL_RUN; i++)
        write_small(x);
    if (x->load->is_small)
        return;
    for (uint64_t goal = x->moved + bytes; x->moved < goal;) {
        x->now += STT_US(50);
        write_more(x);
        settle(x);
        stt_endpoint_expire(x->a.ep, x->now);
        stt_endpoint_expire(x->b.ep, x->now);
    }
}

/* -- measuring ------------------------------------------------------------------------------------
 */

static uint64_t allocations_of(const struct bench *x)
{
    return x->a.env.allocs + x->b.env.allocs;
}

/* Until every limit was renewed, which is when a quarter of it is used, and the most that is ever
 * in flight has been: then runs take no memory anew. One that never comes to this is measured,
 * too. */
static void warm_up(struct bench *x)
{
    uint64_t turns = x->load->all_send ? (uint64_t)x->load->streams * STREAM_WINDOW_BYTES / 2 : 0;
    run(x, 4 * WINDOW_BYTES + 4 * flight_bytes(x->load) + turns);
    for (int i = 0, quiet = 0; i < WARM_UPS_MAX && quiet < WARM_UPS_QUIET; i++) {
        uint64_t before = allocations_of(x);
        run(x, RUN_BYTES + flight_bytes(x->load));
        quiet = allocations_of(x) == before ? quiet + 1 : 0;
    }
    x->allocations = allocations_of(x);
    x->most_in_flight = 0;
}

static struct bench *bench_new(const struct load *load, const struct stt_aead_suite *suite)
{
    struct bench *x = must_calloc(1, sizeof *x);
    x->load = load;
    x->suite = suite;
    x->now = STT_S(1);
    x->streams = must_calloc(load->streams, sizeof *x->streams);
    x->held_max = 64 + 2 * load->in_flight / SHORT_TRAIN_PACKETS;
    x->held = must_calloc(x->held_max, sizeof *x->held);
    side_init(&x->a, x, 1);
    side_init(&x->b, x, 2);
    set_up(x);
    warm_up(x);
    return x;
}

static void bench_free(struct bench *x)
{
    stt_endpoint_free(x->a.ep);
    stt_endpoint_free(x->b.ep);
    test_env_check_no_leak(&x->a.env);
    test_env_check_no_leak(&x->b.env);
    free(x->held);
    free(x->streams);
    free(x);
}

static void run_once(struct bench *x, int i)
{
    uint64_t before = x->packets;
    x->a.ns = x->b.ns = 0;
    run(x, RUN_BYTES);
    x->send_ns[i] = x->a.ns / (double)(x->packets - before);
    x->receive_ns[i] = x->b.ns / (double)(x->packets - before);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_row(const struct bench *x, bool json)
{
    const struct load *l = x->load;
    const double *send = x->send_ns, *receive = x->receive_ns;
    printf(json ? "{\"name\":\"%s\",\"streams\":%u,\"sessions\":%u,\"packets_in_flight\":%llu,"
                  "\"ns_per_packet_send\":%.1f,\"ns_per_packet_send_least\":%.1f,"
                  "\"ns_per_packet_receive\":%.1f,\"ns_per_packet_receive_least\":%.1f,"
                  "\"allocations\":%llu}\n"
                : "%-18s %8u %9u %10llu %8.1f %8.1f %8.1f %8.1f %12llu\n",
           l->name, l->streams, l->idle_sessions, (unsigned long long)x->most_in_flight,
           send[RUNS / 2], send[0], receive[RUNS / 2], receive[0],
           (unsigned long long)x->allocations);
}

static void finish(struct bench *x, bool json)
{
    x->allocations = allocations_of(x) - x->allocations;
    qsort(x->send_ns, RUNS, sizeof *x->send_ns, compare);
    qsort(x->receive_ns, RUNS, sizeof *x->receive_ns, compare);
    print_row(x, json);
    fflush(stdout);
    bench_free(x);
}

static void measure(const struct load *loads, size_t n, const struct stt_aead_suite *suite,
                    bool json)
{
    struct bench *x[ROWS_MAX];
    for (size_t i = 0; i < n; i++)
        x[i] = bench_new(&loads[i], suite);
    for (int r = 0; r < RUNS; r++)
        for (size_t i = 0; i < n; i++)
            run_once(x[i], r);
    for (size_t i = 0; i < n; i++)
        finish(x[i], json);
}

static void measure_suites(bool json)
{
    uint32_t cpu = stt_cpu_detect();
    for (uint8_t id = 0; id <= STT_AEAD_IDS; id++) {
        const struct stt_aead_suite *suite = id ? stt_aead_by_id(id, cpu) : stt_sim_null_suite();
        struct load load = {.name = suite ? suite->name : NULL, .streams = 1};
        if (suite)
            measure(&load, 1, suite, json);
    }
}

static void measure_growth(bool json, bool full)
{
    const struct load groups[][ROWS_MAX] = {
        {{"idle streams", .streams = 1},
         {"idle streams", .streams = 100},
         {"idle streams", .streams = 10000}},
        {{"sending streams", .streams = 1, .all_send = true},
         {"sending streams", .streams = 100, .all_send = true},
         {"sending streams", .streams = 10000, .all_send = true}},
        {{"small writes", .streams = 1, .is_small = true},
         {"small writes", .streams = 100, .is_small = true},
         {"small writes", .streams = 10000, .is_small = true}},
        {{"in flight", .streams = 1, .in_flight = 10},
         {"in flight", .streams = 1, .in_flight = 1000},
         {"in flight", .streams = 1, .in_flight = 100000}},
        {{"idle sessions", .streams = 1, .idle_sessions = 1},
         {"idle sessions", .streams = 1, .idle_sessions = 1000},
         {"idle sessions", .streams = 1, .idle_sessions = full ? 100000 : 10000}},
    };
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        measure(groups[i], ROWS_MAX, stt_sim_null_suite(), json);
}

int main(int argc, char **argv)
{
    bool json = false, full = false;
    for (int i = 1; i < argc; i++) {
        json = json || strcmp(argv[i], "-J") == 0;
        full = full || strcmp(argv[i], "--full") == 0;
        if (strcmp(argv[i], "-J") != 0 && strcmp(argv[i], "--full") != 0)
            die(argv[i], "unknown; it takes -J and --full");
    }
    if (!json)
        printf("ns per packet of %d bytes, median and least of %d runs\n"
               "%-18s %8s %9s %10s %8s %8s %8s %8s %12s\n",
               PACKET_BYTES, RUNS, "", "streams", "sessions", "in flight", "send", "least",
               "receive", "least", "allocations");
    measure_suites(json);
    measure_growth(json, full);
    return 0;
}
