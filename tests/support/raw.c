/* SPDX-License-Identifier: MIT
 * raw: what is sent is a pure function of its number and length, so that what comes can be judged
 * without remembering what was sent. */
#include "tests/support/raw.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/rng.h"
#include "transport/sim/digest.h"

enum { STREAM_BYTES = 1000 };

static void fill(uint8_t *out, size_t len, uint64_t number)
{
    struct rng rng = rng_init(number);
    rng_fill(&rng, out, len);
    memcpy(out, &number, len < sizeof number ? len : sizeof number);
}

static void see(struct raw_log *log, stt_ns now, const struct stt_train *t, size_t at)
{
    size_t left = t->len - at;
    struct raw_seen *s = &log->seen[log->n++];
    assert(log->n < RAW_SEEN_MAX);
    s->len = left < t->segment_bytes ? left : t->segment_bytes;
    memcpy(&s->number, t->data + at, s->len < sizeof s->number ? s->len : sizeof s->number);
    s->digest = stt_net_digest_bytes(0, bytes_of(t->data + at, s->len));
    s->at = now;
    s->ecn = t->ecn;
    s->from = t->path.remote;
    s->to = t->path.local;
    s->is_first = at == 0;
    log->bytes += s->len;
}

static void receive(void *ctx, stt_ns now, const struct stt_train *t)
{
    struct raw_log *log = ctx;
    log->trains++;
    if (t->len == 0)
        see(log, now, t, 0);
    for (size_t at = 0; at < t->len; at += t->segment_bytes)
        see(log, now, t, at);
}

static void on_writable(void *ctx, stt_sim_link link, bool writable)
{
    struct raw_log *log = ctx;
    (void)link;
    log->writable_told++;
    log->writable = writable;
}

struct raw raw_add_at(struct stt_sim *sim, const struct stt_address *address)
{
    struct raw r = {.address = *address, .log = calloc(1, sizeof *r.log)};
    const struct stt_sim_machine machine = {.receive = receive, .on_writable = on_writable};
    int error = stt_sim_machine_add(sim, &machine, r.log, address, &r.node);
    assert(!error && r.log);
    (void)error;
    return r;
}

struct raw raw_add(struct stt_sim *sim, uint32_t number)
{
    struct stt_address address = stt_sim_ipv4(number, RAW_PORT);
    return raw_add_at(sim, &address);
}

void raw_free(struct raw *r)
{
    free(r->log);
    r->log = NULL;
}

void raw_send_to(struct stt_sim *sim, struct raw *from, const struct stt_address *to, size_t len,
                 uint8_t ecn)
{
    static uint8_t data[STT_TRAIN_BYTES];
    fill(data, len, from->sent++);
    struct stt_sim_datagram d = {
        .from = from->address, .to = *to, .ecn = ecn, .data = data, .len = len};
    stt_sim_send(sim, &d);
}

void raw_send(struct stt_sim *sim, struct raw *from, const struct raw *to, size_t len)
{
    raw_send_to(sim, from, &to->address, len, 0);
}

void raw_stream(struct stt_sim *sim, struct raw *from, const struct raw *to, size_t n,
                stt_ns gap_ns)
{
    for (size_t i = 0; i < n; i++) {
        raw_send(sim, from, to, STREAM_BYTES);
        stt_sim_run_until(sim, stt_sim_now(sim) + gap_ns);
    }
}

bool raw_is_intact(const struct raw_seen *seen)
{
    static uint8_t data[STT_TRAIN_BYTES];
    fill(data, seen->len, seen->number);
    return seen->digest == stt_net_digest_bytes(0, bytes_of(data, seen->len));
}

struct stt_sim *raw_world(uint64_t seed)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    config.seed = seed;
    return stt_sim_new(&config);
}
