/* SPDX-License-Identifier: MIT
 * handshakes: how many full handshakes of mode K each side can do in a second on one core, counted
 * for each side alone, beside what its X25519 multiplications alone would allow. 0.8 of that is the
 * aim, and below 0.75 it fails. What stands between is BLAKE2b: 78 compressions for Noise's HKDF
 * and 27 for keys, 25 us where libsodium has chosen its vector code.
 *
 * Each row is one round trip and a first packet, in batches; a side's time is that of its own
 * calls. "strangers": each client comes for the first time; "known": one client, again and again.
 */
#include "crypto/noise.h"
#include "stt/node/env.h"
#include "stt/wire/limits.h"
#include "tests/support/duo.h"
#include "tests/support/stopwatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 32, CLIENTS = 40 * BATCH, ROUNDS = 2 };

struct client {
    struct stt_endpoint *ep;
    struct stt_path path;
    uint8_t packet[STT_HANDSHAKE_BYTES];
    size_t len;
};

static struct duo duo; /* configurations and addresses; memory and entropy are the system's */
static struct stt_secret secret;
static struct stt_env env;
static struct stt_endpoint *server;
static stt_ns now;
static struct client *clients;
static double initiator_s, responder_s;

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

/* -- what multiplications cost here and now ---------------------------------------------------- */

static double ns_per_dh(void)
{
    enum { TIMES = 50 };
    struct stt_noise_keypair a, b;
    uint8_t bytes[32] = {1}, shared[32];
    stt_noise_keypair_init(&a, bytes);
    bytes[0] = 2;
    stt_noise_keypair_init(&b, bytes);
    double began = cpu_seconds();
    for (int i = 0; i < TIMES; i++)
        if (!stt_noise_dh(shared, a.secret_key, b.public_key))
            fail("no X25519");
    return (cpu_seconds() - began) * 1e9 / TIMES;
}

static double ns_per_key(void)
{
    enum { TIMES = 50 };
    struct stt_noise_keypair pair;
    uint8_t bytes[32] = {1};
    double began = cpu_seconds();
    for (int i = 0; i < TIMES; i++) {
        bytes[1] = (uint8_t)i;
        stt_noise_keypair_init(&pair, bytes);
    }
    return (cpu_seconds() - began) * 1e9 / TIMES;
}

/* -- handshakes -------------------------------------------------------------------------------- */

static struct stt_endpoint *endpoint(const struct stt_config *config)
{
    struct stt_endpoint *ep;
    if (stt_endpoint_new(&ep, config, &env, now) != STT_OK)
        fail("no endpoint");
    return ep;
}

static struct stt_endpoint *somebody(size_t number)
{
    struct stt_config config = duo.client.config;
    uint8_t key[32] = {9, (uint8_t)number, (uint8_t)(number >> 8)};
    stt_identity_init(&config.identity, key);
    return endpoint(&config);
}

static void setup(bool are_strangers)
{
    duo_init(&duo, 1);
    struct stt_config *c = &duo.server.config;
    c->handshake_work_percent = 100;
    c->max_half_open_per_peer = BATCH;
    c->max_half_open_per_prefix = BATCH;
    now = duo.now;
    if (stt_secret_init(&secret, &(struct stt_secret_limits)STT_SECRET_LIMITS) != STT_OK)
        fail("no memory for secrets");
    stt_node_env_init(&env, &secret);
    server = endpoint(&duo.server.config);
    struct stt_endpoint *one = are_strangers ? NULL : endpoint(&duo.client.config);
    for (size_t i = 0; i < CLIENTS; i++)
        clients[i] = (struct client){
            .ep = one ? one : somebody(i),
            .path = {.local = duo.client.address, .remote = duo.server.address},
        };
}

static void teardown(void)
{
    for (size_t i = 0; i < CLIENTS; i++)
        if (i == 0 || clients[i].ep != clients[0].ep)
            stt_endpoint_free(clients[i].ep);
    stt_endpoint_free(server);
    stt_secret_fini(&secret);
}

static void begin(struct client *c)
{
    struct stt_connect call = STT_CONNECT_INIT;
    stt_handle session;
    call.mode = STT_MODE_K;
    call.path = c->path;
    call.peer = duo.server.config.identity.peer_id;
    call.has_peer = true;
    if (stt_endpoint_connect(c->ep, now, &call, &session) != STT_OK)
        fail("no connect");
}

static void take_packet(struct stt_endpoint *ep, struct client *c)
{
    struct stt_train train = {.data = c->packet, .len = sizeof c->packet};
    if (!stt_endpoint_transmit(ep, now, &train))
        fail("an endpoint says nothing");
    c->len = train.len;
}

static void give_packet(struct stt_endpoint *ep, struct client *c)
{
    struct stt_train train = {.path = c->path, .data = c->packet, .len = c->len};
    stt_endpoint_receive(ep, now, &train);
}

static void swallow(struct stt_endpoint *ep)
{
    static uint8_t room[DUO_ROOM];
    struct stt_event e;
    for (struct stt_train t = {.data = room, .len = sizeof room};
         stt_endpoint_transmit(ep, now, &t); t.len = sizeof room)
        ;
    while (stt_endpoint_event(ep, &e))
        ;
}

static void batch(struct client *c)
{
    double t[5] = {cpu_seconds()};
    for (int i = 0; i < BATCH; i++) {
        begin(&c[i]);
        take_packet(c[i].ep, &c[i]);
    }
    t[1] = cpu_seconds();
    for (int i = 0; i < BATCH; i++) {
        give_packet(server, &c[i]);
        take_packet(server, &c[i]);
    }
    t[2] = cpu_seconds();
    for (int i = 0; i < BATCH; i++) {
        give_packet(c[i].ep, &c[i]);
        take_packet(c[i].ep, &c[i]);
    }
    t[3] = cpu_seconds();
    for (int i = 0; i < BATCH; i++)
        give_packet(server, &c[i]);
    t[4] = cpu_seconds();
    initiator_s += t[1] - t[0] + t[3] - t[2];
    responder_s += t[2] - t[1] + t[4] - t[3];
    for (int i = 0; i < BATCH; i++)
        swallow(c[i].ep);
    swallow(server);
    now += STT_S(1);
}

static bool row(const char *name, double side_s, double floor_ns, double demand)
{
    double each_ns = side_s * 1e9 / (CLIENTS * ROUNDS), ratio = floor_ns / each_ns;
    printf("  %-24s %8.1f us %10.0f a second %8.2f of what the DH alone allows%s\n", name,
           each_ns * 1e-3, 1e9 / each_ns, ratio, ratio < demand ? "  MISSED" : "");
    return ratio >= demand;
}

static bool measure(bool are_strangers, double demand)
{
    double dh_ns = 0, key_ns = 0;
    int batches = 0;
    setup(are_strangers);
    initiator_s = responder_s = 0;
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < CLIENTS; i += BATCH, batches++) {
            dh_ns += ns_per_dh(); /* in the same weather */
            key_ns += ns_per_key();
            batch(&clients[i]);
        }
    struct stt_endpoint_stats stats;
    stt_endpoint_stats(server, &stats);
    if (stats.handshakes_confirmed < CLIENTS)
        fail("not all handshakes were completed");
    dh_ns /= batches;
    key_ns /= batches;
    double floor_ns = 4 * dh_ns + key_ns;
    printf("%s: X25519 %.1f us, a new key %.1f us, four and one make %.0f a second\n",
           are_strangers ? "strangers" : "known", dh_ns * 1e-3, key_ns * 1e-3, 1e9 / floor_ns);
    bool ok = row("responder", responder_s, floor_ns, demand);
    ok = row("initiator", initiator_s, floor_ns, demand) && ok;
    teardown();
    return ok;
}

int main(void)
{
    clients = calloc(CLIENTS, sizeof *clients);
    if (!clients)
        fail("no memory");
    bool known = measure(false, 0.75), strangers = measure(true, 0.0);
    free(clients);
    return known && strangers ? 0 : 1;
}
