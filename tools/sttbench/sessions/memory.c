/* SPDX-License-Identifier: MIT
 * memory: two endpoints with nothing between them, in virtual time. Sessions are made one after the
 * other; then they keep each other alive, for a minute that passes at once.
 *
 * A turn is all that a side does at one instant: it takes what the other has said in its turn, does
 * what is due, and says what there is. */
#include "tools/sttbench/sessions/sessions.h"

#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "tools/common/say.h"
#include "tools/sttbench/shared/counted.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDES = SESSIONS_SIDES, PACKET_ROOM = 1500, WHISPER = 128, WARM_S = 15, STREAM_BYTES = 64 };
#define STEP_NS STT_US(200) /* from one handshake to the next */

/* Small packets, of a turn with many. */
struct bag {
    size_t n, room;
    struct whisper {
        size_t len;
        uint8_t data[WHISPER];
    } * packets;
};

static struct world {
    struct counted memory[SIDES];
    struct stt_config configs[SIDES];
    struct stt_address addresses[SIDES];
    struct stt_endpoint *eps[SIDES];
    stt_handle latest[SIDES];
    uint32_t open[SIDES];
    struct bag bags[SIDES];
    stt_ns now;
} w;

double sessions_rss(void)
{
    unsigned long all = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f) {
        if (fscanf(f, "%lu %lu", &all, &resident) != 2)
            resident = 0;
        fclose(f);
    }
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

/* -- two endpoints ----------------------------------------------------------------------------- */

static void configure(int side, const struct stt_aead_suite *suite, uint32_t sessions,
                      uint32_t streams)
{
    struct stt_config *c = &w.configs[side];
    const uint8_t secret[32] = {(uint8_t)(side + 1)};
    *c = (struct stt_config)STT_CONFIG_INIT;
    stt_identity_init(&c->identity, secret);
    strcpy(c->application, "sttbench/1");
    c->accept = STT_ACCEPT(STT_MODE_K);
    c->suites[0] = suite;
    c->n_suites = suite ? 1 : 0;
    c->max_sessions = sessions;
    c->max_streams = streams ? streams : c->max_streams;
    c->packet_bytes_max = c->packet_bytes; /* nobody searches for larger ones */
    c->handshake_work_percent = 100;
    c->handshakes_per_second = c->handshakes_per_prefix_second = 1000000;
    w.addresses[side] = (struct stt_address){
        .ip = {[10] = 0xff, 0xff, 10, 0, 0, (uint8_t)(side + 1)}, .port = 4433};
}

static bool begin(const struct stt_aead_suite *suite, uint32_t sessions, uint32_t streams)
{
    bool ok = true;
    memset(&w, 0, sizeof w);
    w.now = STT_S(1);
    for (int side = 0; ok && side < SIDES; side++) {
        configure(side, suite, sessions, streams);
        ok = counted_init(&w.memory[side]) &&
             ends_well(stt_endpoint_new(&w.eps[side], &w.configs[side], &w.memory[side].env, w.now),
                       "no endpoint");
    }
    return ok;
}

static void end(void)
{
    for (int side = 0; side < SIDES; side++) {
        stt_endpoint_free(w.eps[side]);
        counted_fini(&w.memory[side]);
        free(w.bags[side].packets);
    }
    malloc_trim(0);
}

static void note_events(int side)
{
    struct stt_event e;
    while (stt_endpoint_event(w.eps[side], &e)) {
        bool begins = e.type == STT_EVENT_CONNECTED || e.type == STT_EVENT_ACCEPTED;
        w.latest[side] = begins ? e.session : w.latest[side];
        w.open[side] += begins;
        w.open[side] -= e.type == STT_EVENT_CLOSED;
    }
}

static void receive(int side, uint8_t *data, size_t len, size_t segment)
{
    struct stt_train train = {.path = {.local = w.addresses[side], .remote = w.addresses[1 - side]},
                              .data = data,
                              .len = len,
                              .segment_bytes = segment};
    stt_endpoint_receive(w.eps[side], w.now, &train);
}

/* Straight to the other side. */
static bool carry(int from)
{
    static uint8_t room[STT_TRAIN_BYTES];
    struct stt_train train = {.data = room, .len = sizeof room};
    if (!stt_endpoint_transmit(w.eps[from], w.now, &train))
        return false;
    receive(1 - from, train.data, train.len, train.segment_bytes);
    return true;
}

static void expire(int side)
{
    if (stt_endpoint_deadline(w.eps[side]) <= w.now)
        stt_endpoint_expire(w.eps[side], w.now);
}

/* Whatever there is to say at this instant. */
static void exchange(void)
{
    expire(0);
    expire(1);
    for (bool more = true; more;) {
        more = carry(0);
        more = carry(1) || more;
    }
    note_events(0);
    note_events(1);
}

static stt_ns next_deadline(void)
{
    stt_ns a = stt_endpoint_deadline(w.eps[0]), b = stt_endpoint_deadline(w.eps[1]);
    return a < b ? a : b;
}

static void run_for(stt_ns ns)
{
    stt_ns until = w.now + ns;
    for (;;) {
        exchange();
        stt_ns next = next_deadline();
        if (next > until)
            break;
        w.now = next > w.now ? next : w.now;
    }
    w.now = until;
}

static bool connect_one(void)
{
    struct stt_connect c = STT_CONNECT_INIT;
    stt_handle session;
    uint32_t before = w.open[1];
    c.mode = STT_MODE_K;
    c.has_peer = true;
    c.peer = w.configs[1].identity.peer_id;
    c.path = (struct stt_path){.local = w.addresses[0], .remote = w.addresses[1]};
    if (!ends_well(stt_endpoint_connect(w.eps[0], w.now, &c, &session), "no session"))
        return false;
    run_for(STEP_NS);
    if (w.open[1] > before)
        return true;
    say_error("session %u between two endpoints in memory did not come about", before + 1);
    return false;
}

/* -- keeping alive ----------------------------------------------------------------------------- */

static double cpu_s(void)
{
    return figures_clock_ns(CLOCK_THREAD_CPUTIME_ID) * 1e-9;
}

static bool bags_init(uint32_t n)
{
    for (int side = 0; side < SIDES; side++) {
        w.bags[side].room = 2 * (size_t)n + 64;
        w.bags[side].packets = calloc(w.bags[side].room, sizeof *w.bags[side].packets);
        if (!w.bags[side].packets) {
            say_error("there is not enough memory for so many sessions; choose a smaller -n");
            return false;
        }
    }
    return true;
}

static double take_turn(int side)
{
    uint8_t packet[PACKET_ROOM];
    struct bag *in = &w.bags[1 - side], *out = &w.bags[side];
    double began = cpu_s();
    for (size_t i = 0; i < in->n; i++)
        receive(side, in->packets[i].data, in->packets[i].len, 0);
    expire(side);
    out->n = 0;
    for (struct stt_train t; out->n < out->room; out->n++) {
        struct whisper *p = &out->packets[out->n];
        t = (struct stt_train){.data = packet, .len = sizeof packet};
        if (!stt_endpoint_transmit(w.eps[side], w.now, &t))
            break;
        p->len = t.len < sizeof p->data ? t.len : 0; /* a longer one is none of keeping alive */
        memcpy(p->data, packet, p->len);
    }
    double took = cpu_s() - began;
    note_events(side);
    return took;
}

static void keep_alive(struct sessions_memory *m)
{
    double seconds[SIDES] = {0}, packets[SIDES] = {0};
    stt_ns until = w.now + STT_S(m->seconds);
    while (w.now < until) {
        for (int side = 0; side < SIDES; side++) {
            seconds[side] += take_turn(side);
            packets[side] += (double)w.bags[side].n;
        }
        stt_ns next = next_deadline();
        if (!w.bags[0].n && !w.bags[1].n && next > w.now)
            w.now = next;
    }
    for (int side = 0; side < SIDES; side++) {
        m->sides[side].cpu_percent = 100 * seconds[side] / m->seconds;
        m->sides[side].packets_per_s = packets[side] / m->seconds;
    }
}

/* -- what is asked ----------------------------------------------------------------------------- */

static bool measure(struct sessions_memory *m)
{
    double rss = sessions_rss(), before[SIDES], began = cpu_s();
    for (int side = 0; side < SIDES; side++)
        before[side] = (double)w.memory[side].bytes;
    for (uint32_t i = 0; i < m->n; i++)
        if (!connect_one())
            return false;
    m->establish_us = (cpu_s() - began) * 1e6 / m->n;
    run_for(STT_S(WARM_S)); /* and now each has been quiet for once */
    for (int side = 0; side < SIDES; side++)
        m->sides[side].bytes = ((double)w.memory[side].bytes - before[side]) / m->n;
    m->rss_bytes = (sessions_rss() - rss) / m->n / SIDES;
    if (!bags_init(m->n))
        return false;
    keep_alive(m);
    m->alive = w.open[0] < w.open[1] ? w.open[0] : w.open[1];
    return true;
}

bool sessions_memory(struct sessions_memory *m, bool *is_there)
{
    const struct stt_aead_suite *suite = stt_aead_by_name(m->suite, stt_cpu_detect());
    *is_there = suite;
    if (!suite)
        return true;
    bool ok = begin(suite, m->n, 0) && measure(m);
    end();
    return ok;
}

/* -- streams ----------------------------------------------------------------------------------- */

static bool open_one(void)
{
    static const uint8_t bytes[STREAM_BYTES];
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    size_t written;
    options.no_delay = true;
    int error = stt_stream_open(w.eps[0], w.now, w.latest[0], &options, &stream);
    if (!error)
        error = stt_stream_write(w.eps[0], w.now, stream, bytes, sizeof bytes, &written);
    return ends_well(error, "a stream cannot be opened");
}

/* Each says its bytes back. */
static void answer_streams(void)
{
    struct stt_stream_event e;
    uint8_t bytes[STREAM_BYTES];
    size_t n, written;
    for (int side = 0; side < SIDES; side++)
        while (stt_endpoint_stream_event(w.eps[side], &e))
            while (e.what & STT_STREAM_READABLE &&
                   !stt_stream_read(w.eps[side], w.now, e.stream, bytes, sizeof bytes, &n) && n)
                if (side == 1 && !stt_stream_write(w.eps[1], w.now, e.stream, bytes, n, &written))
                    (void)stt_stream_flush(w.eps[1], w.now, e.stream);
}

static bool measure_streams(uint32_t n, double bytes[SIDES])
{
    double before[SIDES];
    bool ok = connect_one() && open_one(); /* the first brings what all share */
    run_for(STT_S(1));
    answer_streams();
    run_for(STT_S(60));
    for (int side = 0; side < SIDES; side++)
        before[side] = (double)w.memory[side].bytes;
    for (uint32_t i = 0; ok && i < n; i++) {
        ok = open_one();
        run_for(STT_MS(2)); /* nobody opens more than so many a second */
        answer_streams();
    }
    run_for(STT_S(60));
    for (int side = 0; side < SIDES; side++)
        bytes[side] = ((double)w.memory[side].bytes - before[side]) / n;
    return ok;
}

bool sessions_streams(uint32_t n, double bytes[SIDES])
{
    bool ok = begin(NULL, 16, n + 16) && measure_streams(n, bytes);
    end();
    return ok;
}
