/* SPDX-License-Identifier: MIT
 * bench/crew: what a crew takes in together over loopback: sessions of a crew of clients, each with
 * a stream that is written without end, to workers that read and forget. Rate, what it costs the
 * processors at both ends, and how many datagrams came to the wrong worker: with the kernel's
 * steering and, -u, without it.
 *
 * Usage: crew [-u] [-m] [WORKERS [CLIENTS [SESSIONS [SECONDS]]]]     -m: sendmsg; sessions in all
 */
#include "stt/node/crew.h"
#include "stt/streams.h"
#include "tests/support/stopwatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    bool is_unsteered, is_mmsg;
    uint32_t workers, clients, sessions;
    double seconds;
} wishes = {.workers = 4, .clients = 2, .sessions = 16, .seconds = 3};

static struct stt_node_config server, client;
static char at_text[STT_ADDRESS_TEXT_ROOM];
static atomic_uint listening, accepted;
static atomic_bool is_open;
static struct worker {
    _Alignas(64) _Atomic uint64_t bytes, handed_over, dropped;
} of[STT_WORKERS_MAX];

static void must(int error, const char *what)
{
    if (!error)
        return;
    fprintf(stderr, "crew: %s: %s\n", what, stt_error_text(error));
    exit(1);
}

static void await(atomic_uint *n, uint32_t wanted)
{
    while (atomic_load(n) < wanted)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void sink(struct stt_node *node, stt_handle stream, struct worker *w)
{
    struct stt_endpoint *ep = stt_node_endpoint(node);
    struct stt_part part;
    while (stt_stream_peek(ep, stream, &part, 1)) {
        w->bytes += part.len;
        stt_stream_consume(ep, stt_node_now(node), stream, part.len);
    }
}

static void serve(struct stt_node *node, uint32_t worker, void *ctx)
{
    struct stt_address at;
    struct stt_event e;
    struct stt_stream_event t;
    (void)ctx;
    while (!is_open)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    must(stt_node_listen(node, "127.0.0.1:0", &at), "listening");
    if (worker == 0)
        stt_address_text(&at, at_text);
    listening++;
    while (stt_node_wait(node, STT_NEVER) == STT_OK) {
        while (stt_node_event(node, &e))
            accepted += e.type == STT_EVENT_ACCEPTED;
        while (stt_endpoint_stream_event(stt_node_endpoint(node), &t))
            if (t.what & STT_STREAM_READABLE)
                sink(node, t.stream, &of[worker]);
        of[worker].handed_over = node->handed_over;
        of[worker].dropped = node->handover_dropped;
    }
}

static void fill(struct stt_node *node, stt_handle stream)
{
    void *room;
    size_t len;
    while (!stt_stream_reserve(stt_node_endpoint(node), stream, &room, &len))
        stt_stream_commit(stt_node_endpoint(node), stt_node_now(node), stream, len);
}

static void speak(struct stt_node *node, uint32_t worker, void *ctx)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    struct stt_event e;
    struct stt_stream_event t;
    stt_handle stream;
    (void)ctx;
    connect.mode = STT_MODE_K;
    connect.peer = server.endpoint.identity.peer_id;
    connect.has_peer = true;
    for (uint32_t i = worker; i < wishes.sessions; i += wishes.clients)
        must(stt_node_connect(node, &connect, at_text, NULL), "connecting");
    while (stt_node_wait(node, STT_NEVER) == STT_OK) {
        struct stt_endpoint *ep = stt_node_endpoint(node);
        while (stt_node_event(node, &e))
            if (e.type == STT_EVENT_CONNECTED) {
                must(stt_stream_open(ep, stt_node_now(node), e.session, &options, &stream), "open");
                fill(node, stream);
            }
        while (stt_endpoint_stream_event(ep, &t))
            if (t.what & STT_STREAM_WRITABLE)
                fill(node, t.stream);
    }
}

static struct stt_crew *begin(struct stt_node_config *config, uint32_t workers,
                              void (*start)(struct stt_node *node, uint32_t worker, void *ctx))
{
    struct stt_crew *crew;
    *config = (struct stt_node_config)STT_NODE_CONFIG_INIT;
    strcpy(config->endpoint.application, "bench/1");
    config->io = wishes.is_mmsg ? STT_IO_MMSG : STT_IO_URING;
    config->endpoint.accept = STT_ACCEPT(STT_MODE_K);
    must(stt_config_preset(&config->endpoint, "high-throughput"), "the preset");
    must(stt_node_identity(config, NULL), "an identity");
    must(stt_node_spawn(&crew, config, workers, start, NULL), "a crew");
    return crew;
}

static uint64_t sum(size_t member)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < wishes.workers; i++)
        n += *(_Atomic uint64_t *)(void *)((char *)&of[i] + member);
    return n;
}

static void measure(void)
{
    double from = wall_seconds(), cpu = cpu_seconds();
    uint64_t bytes = sum(offsetof(struct worker, bytes));
    long whole = (long)wishes.seconds;
    nanosleep(&(struct timespec){.tv_sec = whole,
                                 .tv_nsec = (long)((wishes.seconds - (double)whole) * 1e9)},
              NULL);
    double took = wall_seconds() - from, n = (double)(sum(offsetof(struct worker, bytes)) - bytes);
    printf(
        "%u workers, %u clients, %u sessions, %s, %s: %.2f Gbit/s, %.3f ns of processors a byte, "
        "%lu datagrams handed over, %lu dropped\n",
        wishes.workers, wishes.clients, wishes.sessions, wishes.is_mmsg ? "mmsg" : "uring",
        wishes.is_unsteered ? "not steered" : "steered", n * 8e-9 / took,
        (cpu_seconds() - cpu) * 1e9 / n, sum(offsetof(struct worker, handed_over)),
        sum(offsetof(struct worker, dropped)));
}

static uint32_t number(int argc, char **argv, int at, uint32_t otherwise)
{
    return at < argc ? (uint32_t)strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    int at = 1;
    for (; at < argc && argv[at][0] == '-'; at++) {
        wishes.is_unsteered = wishes.is_unsteered || argv[at][1] == 'u';
        wishes.is_mmsg = wishes.is_mmsg || argv[at][1] == 'm';
    }
    wishes.workers = number(argc, argv, at, wishes.workers);
    wishes.clients = number(argc, argv, at + 1, wishes.clients);
    wishes.sessions = number(argc, argv, at + 2, wishes.sessions);
    wishes.seconds = number(argc, argv, at + 3, (uint32_t)wishes.seconds);
    struct stt_crew *servers = begin(&server, wishes.workers, serve);
    servers->ports.is_unsteered = wishes.is_unsteered;
    is_open = true;
    await(&listening, wishes.workers);
    struct stt_crew *clients = begin(&client, wishes.clients, speak);
    await(&accepted, wishes.sessions);
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL); /* windows have grown */
    measure();
    stt_crew_stop(clients);
    stt_crew_stop(servers);
    stt_crew_join(clients);
    stt_crew_join(servers);
    return 0;
}
