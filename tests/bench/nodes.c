/* SPDX-License-Identifier: MIT
 * bench/nodes: bytes from one process to another over loopback, through two nodes, one session and
 * one stream. Each end is on a core of its own; both hash all bytes, and the hashes must be equal.
 *
 * Usage: nodes [-J] [--io uring|mmsg] [--suite NAME|null] [--mib N] [--packet BYTES] [--no-hash]
 *              [--preset NAME] [--ring KIB]
 *        (1,024 MiB by both drivers with the machine's best suite, 1,472-byte packets, balanced) */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/node.h"
#include "stt/sim.h"
#include "stt/stats.h"
#include "stt/streams.h"
#include "tests/support/stopwatch.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

enum { PATTERN_BYTES = 1 << 20 };

struct options {
    bool json, hashes;
    enum stt_io io;
    const char *suite;
    uint64_t bytes;
    uint32_t packet_bytes;
    const char *preset;
    uint64_t ring_bytes; /* 0: the preset's */
};

/* What the processes tell each other. */
struct shared {
    uint8_t peer[32];
    volatile uint32_t port;
    volatile bool is_done;
    uint64_t sent_hash, came_hash, came;
    double seconds, cpu_sent, cpu_came; /* of the whole process */
    struct stt_session_stats stats;
    char io[16], suite[32];
};

static void must(int error, const char *what)
{
    if (!error)
        return;
    fprintf(stderr, "bench/nodes: %s: %s\n", what, stt_error_text(error));
    _exit(1);
}

static const struct stt_aead_suite *suite_of(const char *name)
{
    uint32_t cpu = stt_cpu_detect();
    if (strcmp(name, "null") == 0)
        return stt_sim_null_suite();
    for (uint8_t id = 1; id <= STT_AEAD_IDS; id++) {
        const struct stt_aead_suite *suite = stt_aead_by_id(id, cpu);
        if (suite && strcmp(suite->name, name) == 0)
            return suite;
    }
    fprintf(stderr, "bench/nodes: there is no suite %s here\n", name);
    _exit(2);
}

static struct stt_node *make(const struct options *o, struct stt_node_config *config)
{
    struct stt_node *node;
    *config = (struct stt_node_config)STT_NODE_CONFIG_INIT;
    must(stt_config_preset(&config->endpoint, o->preset), "preset");
    strcpy(config->endpoint.application, "bench/1");
    config->endpoint.accept = STT_ACCEPT(STT_MODE_K);
    config->endpoint.packet_bytes = config->endpoint.packet_bytes_max = o->packet_bytes;
    if (o->ring_bytes)
        config->endpoint.send_ring_bytes = o->ring_bytes;
    config->io = o->io;
    if (o->suite) {
        config->endpoint.suites[0] = suite_of(o->suite);
        config->endpoint.n_suites = 1;
    }
    must(stt_node_identity(config, NULL), "identity");
    must(stt_node_new(&node, config), "node");
    return node;
}

static void pin(unsigned core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* -- the receiver ------------------------------------------------------------------------------ */

static uint64_t read_all(struct stt_node *node, stt_handle stream, XXH3_state_t *hash, bool hashes)
{
    struct stt_endpoint *ep = stt_node_endpoint(node);
    struct stt_part parts[16];
    uint64_t total = 0;
    for (size_t n; (n = stt_stream_peek(ep, stream, parts, 16)) > 0;) {
        size_t len = 0;
        for (size_t i = 0; i < n; i++) {
            if (hashes)
                XXH3_64bits_update(hash, parts[i].data, parts[i].len);
            len += parts[i].len;
        }
        must(stt_stream_consume(ep, stt_node_now(node), stream, len), "reading");
        total += len;
    }
    (void)stt_stream_consume(ep, stt_node_now(node), stream, 0);
    return total;
}

static void receive(const struct options *o, struct shared *x)
{
    struct stt_node_config config;
    struct stt_node *node = make(o, &config);
    struct stt_address at;
    struct stt_event event;
    struct stt_stream_event stream;
    XXH3_state_t *hash = XXH3_createState();
    XXH3_64bits_reset(hash);
    pin(1);
    must(stt_node_listen(node, "127.0.0.1:0", &at), "listening");
    memcpy(x->peer, config.endpoint.identity.peer_id.bytes, sizeof x->peer);
    x->port = at.port;
    for (bool is_over = false; !is_over;) {
        must(stt_node_wait(node, STT_NEVER), "waiting");
        while (stt_node_event(node, &event))
            is_over = is_over || event.type == STT_EVENT_CLOSED;
        while (stt_endpoint_stream_event(stt_node_endpoint(node), &stream))
            if (stream.what & STT_STREAM_READABLE)
                x->came += read_all(node, stream.stream, hash, o->hashes);
    }
    x->came_hash = XXH3_64bits_digest(hash);
    x->cpu_came = cpu_seconds();
    stt_node_free(node);
    XXH3_freeState(hash);
    _exit(0);
}

/* -- the sender -------------------------------------------------------------------------------- */

static void write_some(struct stt_node *node, stt_handle stream, uint64_t *left, XXH3_state_t *hash,
                       bool hashes)
{
    static uint8_t pattern[PATTERN_BYTES];
    struct stt_endpoint *ep = stt_node_endpoint(node);
    void *room;
    size_t len;
    if (!pattern[0])
        for (size_t i = 0; i < PATTERN_BYTES; i++)
            pattern[i] = (uint8_t)(1 + (i * 0x9e3779b97f4a7c15u >> 57));
    while (*left && !stt_stream_reserve(ep, stream, &room, &len)) {
        size_t at = (size_t)(*left * 7919 % (PATTERN_BYTES / 2));
        len = len < PATTERN_BYTES / 2 ? len : PATTERN_BYTES / 2;
        len = len < *left ? len : (size_t)*left;
        memcpy(room, pattern + at, len);
        if (hashes)
            XXH3_64bits_update(hash, pattern + at, len);
        must(stt_stream_commit(ep, stt_node_now(node), stream, len), "writing");
        *left -= len;
    }
    if (!*left)
        must(stt_stream_finish(ep, stt_node_now(node), stream), "finishing");
}

static stt_handle connect_to(struct stt_node *node, struct shared *x)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    struct stt_event event;
    stt_handle stream;
    char to[32];
    connect.mode = STT_MODE_K;
    connect.has_peer = true;
    memcpy(connect.peer.bytes, x->peer, sizeof connect.peer.bytes);
    snprintf(to, sizeof to, "127.0.0.1:%u", x->port);
    must(stt_node_connect(node, &connect, to, NULL), "connecting");
    do
        must(stt_node_wait(node, STT_S(1)), "waiting");
    while (!stt_node_event(node, &event));
    if (event.type != STT_EVENT_CONNECTED)
        must(STT_E_STATE, stt_reason_text(event.reason));
    must(stt_stream_open(stt_node_endpoint(node), stt_node_now(node), event.session, &options,
                         &stream),
         "opening");
    struct stt_session_info info;
    must(stt_session_info(stt_node_endpoint(node), event.session, &info), "asking");
    snprintf(x->suite, sizeof x->suite, "%s", info.suite);
    snprintf(x->io, sizeof x->io, "%s", stt_node_io(node));
    return stream;
}

/* Until all is acknowledged. */
static void send(const struct options *o, struct shared *x)
{
    struct stt_node_config config;
    struct stt_node *node = make(o, &config);
    struct stt_event event;
    struct stt_stream_event e = {.what = 0};
    XXH3_state_t *hash = XXH3_createState();
    uint64_t left = o->bytes;
    XXH3_64bits_reset(hash);
    pin(0);
    stt_handle stream = connect_to(node, x);
    double cpu = cpu_seconds();
    stt_ns began = stt_node_now(node);
    write_some(node, stream, &left, hash, o->hashes);
    while (!(e.what & STT_STREAM_FINISHED)) {
        must(stt_node_wait(node, STT_NEVER), "waiting");
        while (stt_node_event(node, &event))
            if (event.type == STT_EVENT_CLOSED)
                must(STT_E_STATE, stt_reason_text(event.reason));
        while (!(e.what & STT_STREAM_FINISHED) &&
               stt_endpoint_stream_event(stt_node_endpoint(node), &e))
            if (e.what & STT_STREAM_WRITABLE && left)
                write_some(node, stream, &left, hash, o->hashes);
    }
    x->seconds = (double)(stt_node_now(node) - began) * 1e-9;
    x->cpu_sent = cpu_seconds() - cpu;
    x->sent_hash = XXH3_64bits_digest(hash);
    must(stt_session_stats(stt_node_endpoint(node), stt_node_now(node), e.session, &x->stats),
         "asking");
    must(stt_session_close(stt_node_endpoint(node), stt_node_now(node), e.session, 0, NULL),
         "closing");
    must(stt_node_step(node), "closing");
    stt_node_free(node);
    XXH3_freeState(hash);
}

/* -- both -------------------------------------------------------------------------------------- */

static void print(const struct options *o, const struct shared *x)
{
    double gigabytes = (double)o->bytes * 1e-9;
    printf(o->json ? "{\"io\":\"%s\",\"suite\":\"%s\",\"packet_bytes\":%u,\"bytes\":%llu,"
                     "\"seconds\":%.3f,\"gbit_per_s\":%.2f,\"cpu_s_per_gb_send\":%.3f,"
                     "\"cpu_s_per_gb_receive\":%.3f,\"packets_lost\":%llu,\"hash\":\"%016llx\"}\n"
                   : "%-6s %-18s %6u %12llu bytes %7.3f s %7.2f Gbit/s, CPU s/GB %.3f / %.3f, "
                     "%llu lost, hash %016llx\n",
           x->io, x->suite, o->packet_bytes, (unsigned long long)o->bytes, x->seconds,
           gigabytes * 8 / x->seconds, x->cpu_sent / gigabytes, x->cpu_came / gigabytes,
           (unsigned long long)x->stats.packets_lost, (unsigned long long)x->sent_hash);
}

static bool run(const struct options *o)
{
    struct shared *x =
        mmap(NULL, sizeof *x, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status;
    if (x == MAP_FAILED)
        return false;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        receive(o, x);
    while (!x->port && waitpid(pid, &status, WNOHANG) == 0)
        sched_yield();
    if (x->port) {
        send(o, x);
        waitpid(pid, &status, 0);
    }
    bool is_right = x->port && x->came == o->bytes && x->came_hash == x->sent_hash;
    if (is_right)
        print(o, x);
    else
        fprintf(stderr, "bench/nodes: %llu bytes of %llu came, hash %016llx and not %016llx\n",
                (unsigned long long)x->came, (unsigned long long)o->bytes,
                (unsigned long long)x->came_hash, (unsigned long long)x->sent_hash);
    munmap(x, sizeof *x);
    return is_right;
}

static int usage(void)
{
    fputs("usage: nodes [-J] [--io uring|mmsg] [--suite NAME|null] [--mib N] [--packet BYTES] "
          "[--no-hash] [--preset NAME] [--ring KIB]\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    struct options o = {
        .hashes = true, .bytes = 1ull << 30, .packet_bytes = 1472, .preset = "balanced"};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "-J") == 0)
            o.json = true;
        else if (strcmp(argv[i], "--no-hash") == 0)
            o.hashes = false;
        else if (strcmp(argv[i], "--io") == 0)
            o.io = strcmp(value, "mmsg") == 0 ? STT_IO_MMSG : STT_IO_URING, i++;
        else if (strcmp(argv[i], "--suite") == 0)
            o.suite = value, i++;
        else if (strcmp(argv[i], "--mib") == 0)
            o.bytes = strtoull(value, NULL, 10) << 20, i++;
        else if (strcmp(argv[i], "--packet") == 0)
            o.packet_bytes = (uint32_t)strtoul(value, NULL, 10), i++;
        else if (strcmp(argv[i], "--preset") == 0)
            o.preset = value, i++;
        else if (strcmp(argv[i], "--ring") == 0)
            o.ring_bytes = strtoull(value, NULL, 10) << 10, i++;
        else
            return usage();
    }
    if (!o.bytes)
        return usage();
    if (o.io)
        return run(&o) ? 0 : 1;
    bool is_right = true;
    for (o.io = STT_IO_URING; o.io <= STT_IO_MMSG; o.io++)
        is_right = run(&o) && is_right;
    return is_right ? 0 : 1;
}
