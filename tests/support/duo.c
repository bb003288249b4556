/* SPDX-License-Identifier: MIT */
#include "tests/support/duo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/aged.h"

enum { TRAINS_AT_ONCE_MAX = 1 << 16, STEPS_AT_ONCE_MAX = 1000 };

#define REFUSE(...)                                                                                \
    do {                                                                                           \
        fprintf(stderr, "duo: " __VA_ARGS__);                                                      \
        fputc('\n', stderr);                                                                       \
        abort();                                                                                   \
    } while (0)

static const uint8_t shared_seed[32] = {0x5e, 0xed};

/* -- making ------------------------------------------------------------------------------------ */

static void side_init(struct duo_side *side, uint64_t seed, uint8_t number)
{
    uint8_t secret[32] = {number};
    struct stt_config config = STT_CONFIG_INIT;
    struct rng rng = rng_init(seed * 2 + number);
    rng_fill(&rng, secret + 1, sizeof secret - 1);
    test_env_init(&side->te, rng_u64(&rng));
    stt_identity_init(&config.identity, secret);
    memcpy(config.seeds[0], shared_seed, sizeof shared_seed);
    config.n_seeds = 1;
    config.accept = STT_ACCEPT(STT_MODE_K) | STT_ACCEPT(STT_MODE_S) | STT_ACCEPT(STT_MODE_W);
    memcpy(config.application, "test/1", 7);
    config.packet_bytes_max = config.packet_bytes; /* who wants a search says so */
    side->config = config;
    side->address = (struct stt_address){.ip = {[10] = 0xff, 0xff, 10, 0, 0, number},
                                         .port = (uint16_t)(4000 + number)};
}

void duo_init(struct duo *d, uint64_t seed)
{
    memset(d, 0, sizeof *d);
    side_init(&d->client, seed, 1);
    side_init(&d->server, seed, 2);
    d->now = STT_S(1);
}

int duo_side_start(struct duo *d, struct duo_side *side)
{
    return stt_endpoint_new(&side->ep, &side->config, &side->te.env, d->now);
}

void duo_start(struct duo *d)
{
    if (duo_side_start(d, &d->client) != STT_OK || duo_side_start(d, &d->server) != STT_OK)
        REFUSE("an endpoint cannot be made");
}

void duo_end(struct duo *d)
{
    stt_endpoint_free(d->client.ep);
    stt_endpoint_free(d->server.ep);
    d->client.ep = d->server.ep = NULL;
    test_env_check_no_leak(&d->client.te);
    test_env_check_no_leak(&d->server.te);
}

struct duo_side *duo_other(struct duo *d, const struct duo_side *side)
{
    return side == &d->client ? &d->server : &d->client;
}

/* -- connecting -------------------------------------------------------------------------------- */

int duo_begin(struct duo *d, enum stt_mode mode)
{
    struct stt_connect c = STT_CONNECT_INIT;
    uint32_t slot;
    c.mode = mode;
    c.path = (struct stt_path){.local = d->client.address, .remote = d->server.address};
    c.has_peer = mode == STT_MODE_K;
    c.peer = d->server.config.identity.peer_id;
    c.has_seed = mode == STT_MODE_S;
    memcpy(c.seed, shared_seed, sizeof shared_seed);
    if (mode == STT_MODE_W) {
        int armed = stt_endpoint_code_new(d->server.ep, d->now, d->code, &slot);
        if (armed)
            return armed;
        c.code = d->code;
    }
    return stt_endpoint_connect(d->client.ep, d->now, &c, &d->client.session);
}

void duo_connect(struct duo *d, enum stt_mode mode)
{
    uint64_t connected = d->client.events[STT_EVENT_CONNECTED];
    uint64_t accepted = d->server.events[STT_EVENT_ACCEPTED];
    int error = duo_begin(d, mode);
    if (error)
        REFUSE("no connect: %s", stt_error_text(error));
    duo_exchange(d);
    if (d->client.events[STT_EVENT_CONNECTED] == connected ||
        d->server.events[STT_EVENT_ACCEPTED] == accepted)
        REFUSE("mode %d: no session", mode);
    if (aged_is_wanted())
        aged_duo(d);
}

/* -- carrying ---------------------------------------------------------------------------------- */

bool duo_transmit(struct duo *d, struct duo_side *from, uint8_t *room, struct stt_train *train)
{
    *train = (struct stt_train){.data = room, .len = DUO_ROOM};
    if (!stt_endpoint_transmit(from->ep, d->now, train))
        return false;
    if (train->len > DUO_ROOM || !train->segment_bytes)
        REFUSE("a train of %zu bytes in segments of %zu", train->len, train->segment_bytes);
    from->trains++;
    from->bytes += train->len;
    return true;
}

/* The endpoint opens in place, and what it reads beyond the end a sanitizer sees. */
void duo_deliver(struct duo *d, struct duo_side *to, const struct stt_address *from,
                 const struct stt_train *train)
{
    struct stt_train copy = *train;
    copy.path.local = to->address;
    copy.path.remote = from ? *from : duo_other(d, to)->address;
    copy.data = malloc(train->len ? train->len : 1);
    if (!copy.data)
        REFUSE("no memory for a copy");
    if (train->len)
        memcpy(copy.data, train->data, train->len);
    stt_endpoint_receive(to->ep, d->now, &copy);
    free(copy.data);
}

void duo_deliver_bytes(struct duo *d, struct duo_side *to, const struct stt_address *from,
                       const void *data, size_t len)
{
    struct stt_train train = {.data = (uint8_t *)(uintptr_t)data, .len = len};
    duo_deliver(d, to, from, &train);
}

static bool is_for(const struct duo_side *to, const struct stt_train *train)
{
    return memcmp(&train->path.remote, &to->address, sizeof to->address) == 0;
}

bool duo_carry(struct duo *d, struct duo_side *from)
{
    static _Thread_local uint8_t room[DUO_ROOM];
    struct duo_side *to = duo_other(d, from);
    struct stt_train train;
    if (!duo_transmit(d, from, room, &train))
        return false;
    d->now += d->latency_ns;
    if (is_for(to, &train))
        duo_deliver(d, to, NULL, &train);
    else
        from->astray++;
    return true;
}

void duo_pull(struct duo_side *side)
{
    for (struct stt_event e; stt_endpoint_event(side->ep, &e);) {
        side->events[e.type]++;
        side->latest[e.type] = e;
        if (e.type == STT_EVENT_CONNECTED || e.type == STT_EVENT_ACCEPTED)
            side->session = e.session;
    }
}

static bool carry_both_ways(struct duo *d)
{
    bool any = duo_carry(d, &d->client);
    return duo_carry(d, &d->server) || any;
}

void duo_exchange(struct duo *d)
{
    for (int i = 0; carry_both_ways(d); i++) {
        duo_pull(&d->client);
        duo_pull(&d->server);
        if (i > TRAINS_AT_ONCE_MAX)
            REFUSE("both sides talk without end");
    }
    duo_pull(&d->client);
    duo_pull(&d->server);
}

void duo_swallow(struct duo *d, struct duo_side *from)
{
    static _Thread_local uint8_t room[DUO_ROOM];
    struct stt_train train;
    for (int i = 0; duo_transmit(d, from, room, &train); i++)
        if (i > TRAINS_AT_ONCE_MAX)
            REFUSE("one side talks without end");
    duo_pull(from);
}

/* -- time -------------------------------------------------------------------------------------- */

static void speak(struct duo *d, bool together)
{
    if (together) {
        duo_exchange(d);
        return;
    }
    duo_swallow(d, &d->client);
    duo_swallow(d, &d->server);
}

static stt_ns deadline(const struct duo *d)
{
    stt_ns a = stt_endpoint_deadline(d->client.ep), b = stt_endpoint_deadline(d->server.ep);
    return a < b ? a : b;
}

static void run(struct duo *d, stt_ns end, bool together)
{
    int at_once = 0;
    speak(d, together);
    for (stt_ns next; (next = deadline(d)) <= end;) {
        at_once = next > d->now ? 0 : at_once + 1;
        if (at_once > STEPS_AT_ONCE_MAX)
            REFUSE("a deadline that stays in the past, at %llu ns", (unsigned long long)d->now);
        d->now = next > d->now ? next : d->now;
        stt_endpoint_expire(d->client.ep, d->now);
        stt_endpoint_expire(d->server.ep, d->now);
        speak(d, together);
    }
    d->now = end > d->now ? end : d->now;
}

void duo_run_for(struct duo *d, stt_ns ns)
{
    run(d, d->now + ns, true);
}

void duo_run_apart(struct duo *d, stt_ns ns)
{
    run(d, d->now + ns, false);
}

/* -- looking ----------------------------------------------------------------------------------- */

struct stt_session_info duo_info(const struct duo_side *side)
{
    struct stt_session_info info = {.state = "stale"};
    if (stt_session_info(side->ep, side->session, &info) != STT_OK)
        info.state = "stale";
    return info;
}

struct stt_endpoint_stats duo_stats(const struct duo_side *side)
{
    struct stt_endpoint_stats stats;
    stt_endpoint_stats(side->ep, &stats);
    return stats;
}
