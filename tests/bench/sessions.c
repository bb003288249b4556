/* SPDX-License-Identifier: MIT
 * sessions: what idle sessions cost: memory of each on either side, the time that it takes to make
 * them, and the work of keeping them alive. Usage: bench/sessions [SESSIONS].
 *
 * Fails above 4 KiB a session and side (6 with AES-GCM, whose key states alone are 1.6), when one
 * dies within a minute, or when keeping them alive takes more than 1.9 %
 * of a core at 100,000: 5 are allowed, and the sockets alone take 3.1. */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/node/secret.h"
#include "tests/support/duo.h"
#include "tests/support/stopwatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PACKET_ROOM = 1500, BAG_ROOM = 1 << 17, MINUTE_S = 60 };

/* What one side has said in one tick. */
struct bag {
    size_t n;
    struct packet {
        size_t len;
        uint8_t data[128];
    } * packets;
};

/* The system's memory, counted as the host of a daemon would: secrets in grains of theirs. */
struct counted {
    struct stt_env env;
    size_t bytes;
    struct rng rng;
};

static struct duo duo; /* configurations, addresses and handshakes */
static struct counted counted[2];
static struct bag bags[2];

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* -- memory -------------------------------------------------------------------------------------
 */

static size_t grains(size_t len)
{
    return (len + STT_SECRET_GRAIN_BYTES - 1) / STT_SECRET_GRAIN_BYTES * STT_SECRET_GRAIN_BYTES;
}

static void *on_alloc(void *ctx, size_t len)
{
    ((struct counted *)ctx)->bytes += len;
    return malloc(len);
}

static void on_release(void *ctx, void *p, size_t len)
{
    ((struct counted *)ctx)->bytes -= len;
    free(p);
}

static void *on_secret_alloc(void *ctx, size_t len)
{
    return on_alloc(ctx, grains(len));
}

static void on_secret_release(void *ctx, void *p, size_t len)
{
    on_release(ctx, p, grains(len));
}

static bool on_entropy(void *ctx, uint8_t *out, size_t len)
{
    rng_fill(&((struct counted *)ctx)->rng, out, len);
    return true;
}

static bool on_secrets_alive(void *ctx)
{
    (void)ctx;
    return true;
}

static void counted_init(struct counted *c, uint64_t seed)
{
    *c = (struct counted){.rng = rng_init(seed),
                          .env = {.ctx = c,
                                  .entropy = on_entropy,
                                  .alloc = on_alloc,
                                  .release = on_release,
                                  .secret_alloc = on_secret_alloc,
                                  .secret_release = on_secret_release,
                                  .secrets_alive = on_secrets_alive}};
}

/* -- keeping alive ----------------------------------------------------------------------------- */

static struct duo_side *side(int i)
{
    return i ? &duo.server : &duo.client;
}

/* All that a side does at this instant: takes what came, what is due, and says what there is. */
static double turn(int i)
{
    struct duo_side *s = side(i);
    struct bag *in = &bags[1 - i], *out = &bags[i];
    uint8_t room[PACKET_ROOM];
    double began = cpu_seconds();
    for (size_t k = 0; k < in->n; k++) {
        struct stt_train train = {.data = in->packets[k].data, .len = in->packets[k].len};
        train.path = (struct stt_path){.local = s->address, .remote = side(1 - i)->address};
        stt_endpoint_receive(s->ep, duo.now, &train);
    }
    if (stt_endpoint_deadline(s->ep) <= duo.now)
        stt_endpoint_expire(s->ep, duo.now);
    out->n = 0;
    for (struct stt_train train = {.data = room, .len = sizeof room};
         stt_endpoint_transmit(s->ep, duo.now, &train); train.len = sizeof room) {
        if (out->n == BAG_ROOM || train.len > sizeof out->packets[0].data)
            fail("more packets, or larger ones, than keep-alives");
        struct packet *p = &out->packets[out->n++];
        p->len = train.len;
        memcpy(p->data, train.data, train.len);
    }
    return cpu_seconds() - began;
}

struct kept {
    double seconds[2];
    uint64_t packets[2];
};

static struct kept keep_alive(stt_ns ns)
{
    struct kept kept = {.packets = {0}};
    stt_ns end = duo.now + ns;
    bags[0].n = bags[1].n = 0;
    while (duo.now < end) {
        for (int i = 0; i < 2; i++) {
            kept.seconds[i] += turn(i);
            kept.packets[i] += bags[i].n;
        }
        stt_ns a = stt_endpoint_deadline(duo.client.ep), b = stt_endpoint_deadline(duo.server.ep);
        stt_ns next = a < b ? a : b;
        if (!bags[0].n && !bags[1].n && next > duo.now)
            duo.now = next;
    }
    return kept;
}

/* -- a row ------------------------------------------------------------------------------------- */

static void setup(const struct stt_aead_suite *suite, uint32_t n)
{
    duo_init(&duo, 1);
    for (int i = 0; i < 2; i++) {
        struct stt_config *c = &side(i)->config;
        c->n_suites = 1;
        c->suites[0] = suite;
        c->max_sessions = n;
        c->handshake_work_percent = 100;
    }
    for (int i = 0; i < 2; i++) {
        counted_init(&counted[i], (uint64_t)i + 1);
        if (stt_endpoint_new(&side(i)->ep, &side(i)->config, &counted[i].env, duo.now) != STT_OK)
            fail("no endpoint");
    }
}

static double connect_all(uint32_t n)
{
    double began = cpu_seconds();
    for (uint32_t i = 0; i < n; i++) {
        duo_connect(&duo, STT_MODE_K);
        duo_run_for(&duo, STT_US(200)); /* what the budget for handshakes allows */
    }
    return cpu_seconds() - began;
}

static bool measure(const struct stt_aead_suite *suite, uint32_t n, size_t most)
{
    setup(suite, n);
    size_t before[2] = {counted[0].bytes, counted[1].bytes}, each[2];
    double connecting_s = connect_all(n), minute_s = MINUTE_S;
    duo_run_for(&duo, STT_S(15)); /* and now each has been quiet for once */
    struct kept kept = keep_alive(STT_S(MINUTE_S));
    bool ok = true;
    printf("%s: %u sessions, both sides' handshakes %.1f s, %.0f us each\n", suite->name, n,
           connecting_s, connecting_s * 1e6 / n);
    for (int i = 0; i < 2; i++) {
        each[i] = (counted[i].bytes - before[i]) / n;
        double share = kept.seconds[i] / minute_s, at_100000 = share * 100000 / n;
        bool alive = duo_stats(side(i)).sessions == n && !side(i)->events[STT_EVENT_CLOSED];
        bool good = alive && each[i] <= most && at_100000 <= 0.019;
        printf("  %-8s %6zu bytes each; keep-alive: %7llu packets a minute, %5.0f ns each, "
               "%.2f %% of a core, at 100,000 %.2f %%%s%s\n",
               i ? "server" : "client", each[i], (unsigned long long)kept.packets[i],
               kept.seconds[i] * 1e9 / (double)kept.packets[i], share * 100, at_100000 * 100,
               alive ? "" : "  SOME DIED", good ? "" : "  MISSED");
        ok = ok && good;
    }
    duo_end(&duo);
    return ok;
}

int main(int argc, char **argv)
{
    uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000, cpu = stt_cpu_detect();
    static const struct {
        uint8_t suite;
        uint32_t part; /* of the sessions asked for */
        size_t most;
    } rows[] = {{STT_AEAD_AEGIS_128X2, 1, 4096},
                {STT_AEAD_CHACHA20_POLY1305, 10, 4096},
                {STT_AEAD_AES_256_GCM, 10, 6144}};
    bool ok = true;
    for (int i = 0; i < 2; i++)
        if (!(bags[i].packets = calloc(BAG_ROOM, sizeof *bags[i].packets)))
            fail("no memory");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct stt_aead_suite *suite = stt_aead_by_id(rows[i].suite, cpu);
        if (suite)
            ok = measure(suite, n / rows[i].part, rows[i].most) && ok;
    }
    free(bags[0].packets);
    free(bags[1].packets);
    return ok ? 0 : 1;
}
