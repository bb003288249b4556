/* SPDX-License-Identifier: MIT
 * engine_bench: the bare engine, memory to memory, no kernel: two endpoints in one process, one
 * after the other, and what each costs per packet.
 *
 *     build/tests/engine_bench [-J]
 *
 * It prints nanoseconds per packet for sending (write, pack, seal) and for receiving (open, read),
 * without cipher (the null suite) and with each, and counts allocations between two marks in steady
 * state. */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/sim.h"
#include "stt/streams.h"
#include "tests/support/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PACKET_BYTES = 1452, WRITE_BYTES = 1 << 18 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct side {
    struct test_env env;
    struct stt_endpoint *ep;
    struct stt_address address;
    stt_handle session, stream;
    double ns;
    uint64_t packets;
};

struct bench {
    struct side a, b;
    stt_ns now;
    uint64_t moved;
};

static uint8_t train_memory[65536], data[WRITE_BYTES];

static void die(const char *what, int error)
{
    fprintf(stderr, "engine_bench: %s: %s\n", what, stt_error_text(error));
    exit(1);
}

static void side_init(struct side *side, const struct stt_aead_suite *suite, uint8_t number)
{
    struct stt_config config = STT_CONFIG_INIT;
    uint8_t secret[32] = {number};
    test_env_init(&side->env, number);
    stt_identity_init(&config.identity, secret);
    strcpy(config.application, "bench/1");
    config.accept = STT_ACCEPT(STT_MODE_K);
    config.suites[0] = suite;
    config.n_suites = 1;
    config.packet_bytes = PACKET_BYTES;
    config.congestion = "none";
    config.stream_window_bytes = config.stream_window_max = 8u << 20;
    config.session_window_bytes = config.session_window_max = 16u << 20;
    side->address = stt_sim_ipv4(number, 1000);
    int error = stt_endpoint_new(&side->ep, &config, &side->env.env, 0);
    if (error)
        die("stt_endpoint_new", error);
}

static void pull(struct bench *x, struct side *side)
{
    struct stt_event event;
    struct stt_stream_event stream;
    (void)x;
    while (stt_endpoint_event(side->ep, &event)) {
        if (event.type == STT_EVENT_CLOSED)
            die(stt_reason_text(event.reason), STT_E_STATE);
        side->session = event.session;
    }
    while (stt_endpoint_stream_event(side->ep, &stream))
        if (stream.what & STT_STREAM_OPENED)
            side->stream = stream.stream;
}

static void read_all(struct bench *x, struct side *side)
{
    struct stt_part parts[8];
    if (!side->stream)
        return;
    for (size_t n; (n = stt_stream_peek(side->ep, side->stream, parts, 8));) {
        size_t len = 0;
        for (size_t i = 0; i < n; i++)
            len += parts[i].len;
        x->moved += len;
        (void)!stt_stream_consume(side->ep, x->now, side->stream, len);
    }
}

/* One train from one side to the other; each pays for its own work. */
static bool move(struct bench *x, struct side *from, struct side *to)
{
    struct stt_train train = {.data = train_memory, .len = sizeof train_memory};
    double t0 = now_ns();
    bool sent = stt_endpoint_transmit(from->ep, x->now, &train);
    double t1 = now_ns();
    from->ns += t1 - t0;
    if (!sent)
        return false;
    train.path = (struct stt_path){.local = to->address, .remote = from->address};
    t1 = now_ns();
    stt_endpoint_receive(to->ep, x->now, &train);
    pull(x, to);
    read_all(x, to);
    to->ns += now_ns() - t1;
    to->packets += (train.len + train.segment_bytes - 1) / train.segment_bytes;
    return true;
}

static void write_more(struct bench *x)
{
    size_t written;
    double t0 = now_ns();
    (void)!stt_stream_write(x->a.ep, x->now, x->a.stream, data, sizeof data, &written);
    x->a.ns += now_ns() - t0;
}

static void settle(struct bench *x)
{
    for (bool there = true, back = true; there || back;) {
        there = move(x, &x->a, &x->b);
        back = move(x, &x->b, &x->a);
    }
    pull(x, &x->a);
    pull(x, &x->b);
}

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
    int error = stt_endpoint_connect(x->a.ep, x->now, &c, &x->a.session);
    if (error)
        die("connect", error);
    settle(x);
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    error = stt_stream_open(x->a.ep, x->now, x->a.session, &options, &x->a.stream);
    if (error)
        die("stream", error);
}

static void run(struct bench *x, uint64_t bytes)
{
    for (uint64_t goal = x->moved + bytes; x->moved < goal;) {
        x->now += STT_US(50);
        write_more(x);
        settle(x);
        stt_endpoint_expire(x->a.ep, x->now);
        stt_endpoint_expire(x->b.ep, x->now);
    }
}

static void measure(const struct stt_aead_suite *suite, bool json)
{
    static struct bench x;
    memset(&x, 0, sizeof x);
    x.now = STT_S(1);
    side_init(&x.a, suite, 1);
    side_init(&x.b, suite, 2);
    connect(&x);
    run(&x, 64u << 20);
    uint64_t allocs = x.a.env.allocs + x.b.env.allocs;
    double best_send = 1e9, best_receive = 1e9;
    for (int i = 0; i < 7; i++) {
        x.a.ns = x.b.ns = 0;
        x.b.packets = 0;
        run(&x, 64u << 20);
        double send = x.a.ns / (double)x.b.packets, receive = x.b.ns / (double)x.b.packets;
        best_send = send < best_send ? send : best_send;
        best_receive = receive < best_receive ? receive : best_receive;
    }
    allocs = x.a.env.allocs + x.b.env.allocs - allocs;
    if (json)
        printf("{\"suite\":\"%s\",\"ns_per_packet_send\":%.1f,\"ns_per_packet_receive\":%.1f,"
               "\"allocations\":%llu}\n",
               suite->name, best_send, best_receive, (unsigned long long)allocs);
    else
        printf("%-20s %8.1f %8.1f %12llu\n", suite->name, best_send, best_receive,
               (unsigned long long)allocs);
    stt_endpoint_free(x.a.ep);
    stt_endpoint_free(x.b.ep);
}

int main(int argc, char **argv)
{
    bool json = argc > 1 && strcmp(argv[1], "-J") == 0;
    uint32_t cpu = stt_cpu_detect();
    if (!json)
        printf("ns per packet of %d bytes\nsuite                    send  receive  allocations\n",
               PACKET_BYTES);
    measure(stt_sim_null_suite(), json);
    for (uint8_t id = 1; id <= STT_AEAD_IDS; id++)
        if (stt_aead_by_id(id, cpu))
            measure(stt_aead_by_id(id, cpu), json);
    return 0;
}
