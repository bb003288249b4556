/* SPDX-License-Identifier: MIT */
#include "tests/support/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/aged.h"
#include "tests/support/rng.h"

enum { IPV4_BYTES = 28, IPV6_BYTES = 48 };

static const uint8_t shared_seed[32] = {0x5e, 0xed};

static uint64_t seed_of(const struct world_options *o)
{
    const char *given = getenv("STT_SEED");
    if (given)
        return strtoull(given, NULL, 0);
    return o->seed ? o->seed : 1;
}

void world_explain(const struct world *w)
{
    const char *failure = stt_sim_failure(w->sim);
    fprintf(stderr, "at %.6f s of virtual time%s%s\nagain: CK_RUN_CASE=%s STT_SEED=%llu %s%s\n",
            (double)stt_sim_now(w->sim) * 1e-9, failure ? ": " : "", failure ? failure : "",
            tcase_name(), (unsigned long long)w->seed, aged_is_wanted() ? "STT_AGED=1 " : "",
            program_invocation_name);
}

/* -- making it ------------------------------------------------------------------------------- */

static void on_event(void *ctx, struct stt_sim *sim, stt_sim_node node,
                     const struct stt_event *event)
{
    struct world_side *side = ctx;
    (void)node;
    side->events[event->type]++;
    side->last = side->latest[event->type] = *event;
    side->latest_at[event->type] = stt_sim_now(sim);
    if (event->type == STT_EVENT_CONNECTED || event->type == STT_EVENT_ACCEPTED) {
        side->session = event->session;
        side->connected_at = stt_sim_now(sim);
    }
}

static struct stt_config config_of(const struct world_options *o, struct world_side *side,
                                   struct rng *rng, bool is_client)
{
    struct stt_config config = STT_CONFIG_INIT;
    uint8_t secret[32];
    rng_fill(rng, secret, sizeof secret);
    stt_identity_init(&side->identity, secret);
    config.identity = side->identity;
    memcpy(config.seeds[0], shared_seed, sizeof shared_seed);
    config.n_seeds = 1;
    config.accept =
        is_client ? 0 : STT_ACCEPT(STT_MODE_K) | STT_ACCEPT(STT_MODE_S) | STT_ACCEPT(STT_MODE_W);
    memcpy(config.application, "test/1", 7);
    config.packet_bytes_max = config.packet_bytes; /* who wants a search says so */
    if (o->configure)
        o->configure(&config, is_client);
    return config;
}

/* The n-th side, counted from 1, as its address says. */
static struct world_side *side_new(struct world *w, const struct stt_config *config,
                                   struct world_side *side, const struct world_options *o)
{
    uint32_t number = ++w->n_sides;
    struct stt_sim_endpoint endpoint = {
        .config = *config,
        .host = {.ctx = side, .on_event = on_event},
        .address = o->ipv6 ? stt_sim_ipv6(number, WORLD_PORT) : stt_sim_ipv4(number, WORLD_PORT),
        .memory = side == w->server ? o->server_memory : o->client_memory,
    };
    if (o->equip)
        o->equip(&endpoint, side != w->server);
    int error = stt_sim_endpoint_add(w->sim, &endpoint, &side->node);
    ck_assert_msg(error == STT_OK, "no endpoint: %s", stt_error_text(error));
    return side;
}

static struct stt_link_config link_of(const struct world_options *o)
{
    struct stt_link_config link = o->link;
    link.header_bytes = o->ipv6 ? IPV6_BYTES : IPV4_BYTES;
    if (o->one_way_ms)
        link.delay_ns = STT_MS(o->one_way_ms);
    if (o->rate_bits_per_s)
        link.rate_bits_per_s = o->rate_bits_per_s;
    if (o->queue_bytes)
        link.queue_bytes = o->queue_bytes;
    if (o->loss_ppm)
        link.loss_ppm = o->loss_ppm;
    if (o->mtu)
        link.mtu_bytes = o->mtu;
    return link;
}

static void drop(struct world *w, stt_sim_link link, uint64_t nth, uint64_t nth_2)
{
    struct stt_link_config config = stt_sim_link_config(w->sim, link);
    uint64_t before = stt_sim_link_stats(w->sim, link).datagrams_in;
    uint64_t *listed = config.drop_listed;
    if (nth)
        *listed++ = before + nth;
    if (nth_2)
        *listed = before + nth_2;
    stt_sim_link_set(w->sim, link, &config);
}

/* The datagrams that options name, counted from now on. */
static void drop_listed(struct world *w)
{
    const struct world_options *o = &w->options;
    if (o->drop_nth || o->drop_nth_2)
        drop(w, w->links.forth, o->drop_nth, o->drop_nth_2);
    if (o->drop_back_nth || o->drop_back_nth_2)
        drop(w, w->links.back, o->drop_back_nth, o->drop_back_nth_2);
}

struct world world_pair_new(const struct world_options *o)
{
    struct world w = {.seed = seed_of(o)};
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    config.seed = w.seed;
    w.sim = stt_sim_new(&config);
    struct world_side *sides = calloc(WORLD_SIDES_MAX, sizeof *sides);
    ck_assert_ptr_nonnull(sides);
    w.client = &sides[0];
    w.server = &sides[1];
    struct rng rng = rng_init(w.seed);
    struct stt_config client_config = config_of(o, w.client, &rng, true);
    w.server_config = config_of(o, w.server, &rng, false);
    side_new(&w, &client_config, w.client, o);
    side_new(&w, &w.server_config, w.server, o);
    struct stt_link_config link = link_of(o);
    w.links = stt_sim_pair(w.sim, w.client->node, w.server->node, &link);
    w.options = *o;
    if (!aged_is_wanted())
        drop_listed(&w);
    return w;
}

struct world_side *world_join(struct world *w, const struct world_options *o)
{
    ck_assert_uint_lt(w->n_sides, WORLD_SIDES_MAX);
    struct world_side *side = &w->client[w->n_sides];
    struct rng rng = rng_init(w->seed + w->n_sides);
    struct stt_config config = config_of(o, side, &rng, true);
    struct stt_link_config link = link_of(o);
    side_new(w, &config, side, o);
    side->links = stt_sim_pair(w->sim, side->node, w->server->node, &link);
    return side;
}

void world_end(struct world *w)
{
    for (uint32_t i = 0; i < w->n_sides; i++)
        stt_sim_kill(w->sim, w->client[i].node);
    world_require(w, !stt_sim_failure(w->sim));
    stt_sim_free(w->sim);
    free(w->client);
    *w = (struct world){0};
}

struct stt_endpoint *world_endpoint(struct world *w, const struct world_side *side)
{
    return stt_sim_endpoint(w->sim, side->node);
}

/* -- connecting ------------------------------------------------------------------------------ */

struct stt_connect world_call(struct world *w, const struct world_side *to, enum stt_mode mode)
{
    struct stt_connect c = STT_CONNECT_INIT;
    uint32_t slot;
    c.mode = mode;
    c.path.remote = stt_sim_address(w->sim, to->node);
    if (mode == STT_MODE_K) {
        c.peer = to->identity.peer_id;
        c.has_peer = true;
    } else if (mode == STT_MODE_S) {
        memcpy(c.seed, shared_seed, sizeof shared_seed);
        c.has_seed = true;
    } else if (mode == STT_MODE_W) {
        stt_ns now = stt_sim_now(w->sim);
        int armed = stt_endpoint_code_new(world_endpoint(w, to), now, w->code, &slot);
        ck_assert_msg(armed == STT_OK, "no code: %s", stt_error_text(armed));
        c.code = w->code;
    }
    return c;
}

stt_handle world_begin(struct world *w, const struct world_side *from,
                       const struct stt_connect *call)
{
    stt_handle session = 0;
    int error = stt_endpoint_connect(world_endpoint(w, from), stt_sim_now(w->sim), call, &session);
    ck_assert_msg(error == STT_OK, "no connect: %s", stt_error_text(error));
    return session;
}

stt_handle world_connect_begin(struct world *w, enum stt_mode mode)
{
    struct stt_connect call = world_call(w, w->server, mode);
    w->client->connected_before = w->client->events[STT_EVENT_CONNECTED];
    w->server->connected_before = w->server->events[STT_EVENT_ACCEPTED];
    return world_begin(w, w->client, &call);
}

void world_connect(struct world *w, enum stt_mode mode)
{
    world_connect_begin(w, mode);
    world_require(w, world_run_until(w, both_connected, STT_S(10)));
    if (!aged_is_wanted())
        return;
    aged_world(w);
    drop_listed(w);
}

bool both_connected(const struct world *w)
{
    return w->client->events[STT_EVENT_CONNECTED] > w->client->connected_before &&
           w->server->events[STT_EVENT_ACCEPTED] > w->server->connected_before;
}

bool both_closed(const struct world *w)
{
    return w->client->events[STT_EVENT_CLOSED] && w->server->events[STT_EVENT_CLOSED];
}

/* -- running --------------------------------------------------------------------------------- */

struct goal {
    const struct world *w;
    bool (*reached)(const struct world *w);
};

static bool wants_more(void *ctx)
{
    const struct goal *g = ctx;
    return !g->reached(g->w);
}

bool world_run_until(struct world *w, bool (*reached)(const struct world *w), stt_ns within_ns)
{
    struct goal g = {w, reached};
    return stt_sim_run_while(w->sim, wants_more, &g, stt_sim_now(w->sim) + within_ns);
}

void world_run_for(struct world *w, stt_ns ns)
{
    world_require(w, stt_sim_run_until(w->sim, stt_sim_now(w->sim) + ns));
}

void world_mark(struct world *w)
{
    w->client->allocs_marked = stt_sim_memory(w->sim, w->client->node)->allocs;
    w->server->allocs_marked = stt_sim_memory(w->sim, w->server->node)->allocs;
}

uint64_t world_allocs(const struct world *w, const struct world_side *side)
{
    return stt_sim_memory(w->sim, side->node)->allocs - side->allocs_marked;
}
