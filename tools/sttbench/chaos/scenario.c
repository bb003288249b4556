/* SPDX-License-Identifier: MIT
 * scenario: owns one scenario from its seed to its verdict: first a storm, then calm, in which all
 * that lives has to come to its end in bounded time. Invariant: everything is drawn by one dice, in
 * one order, so that a seed does the same on every machine. */
#include "tools/sttbench/chaos/scenario.h"

#include "tools/sttbench/chaos/faults.h"
#include "tools/sttbench/chaos/flow.h"
#include "tools/sttbench/chaos/sealed.h"
#include "tools/sttbench/chaos/settings.h"
#include "tools/sttbench/chaos/talk.h"
#include "transport/sim/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    PORT = 4000,
    CALM_TICK_MS = 20,
    FAREWELL_S = 95, /* whoever did not hear it times out; then 3 PTO of at most 10 s */
};

struct scenario {
    struct chaos chaos;
    struct host hosts[CHAOS_HOSTS_MAX];
    struct trunk trunk;
    struct faults faults;
    struct attacker *attackers[2 * CHAOS_CLIENTS_MAX];
    size_t n_attackers;
    stt_ns calm_limit, prompt_limit; /* from when it became calm: for all; for who were together */
    stt_ns next_look;
};

/* -- what there is ------------------------------------------------------------------------- */

/* Some scenarios have nearly nothing, and some nearly everything. */
static uint64_t draw_features(struct chaos *c)
{
    static const unsigned densities[] = {0, 5, 15, 30, 50, 75};
    unsigned percent = densities[dice_below(&c->rng, sizeof densities / sizeof densities[0])];
    uint64_t features = 0;
    for (int i = 0; i < CHAOS_FEATURES; i++)
        if (chaos_chance(c, percent))
            features |= UINT64_C(1) << i;
    if (chaos_chance(c, 60)) /* these take time, and leave none for other things */
        features &= ~(UINT64_C(1) << CHAOS_CHACHA | UINT64_C(1) << CHAOS_STRANGERS);
    return features;
}

static void add_host(struct scenario *x, uint32_t number)
{
    struct chaos *c = &x->chaos;
    struct host *h = &x->hosts[number];
    bool is_other = number && chaos_may(c, CHAOS_MISTAKES, 10);
    struct stt_config config = settings_draw(c, number, is_other);
    struct stt_address at =
        chaos_has(c, CHAOS_IPV6) ? stt_sim_ipv6(1 + number, PORT) : stt_sim_ipv4(1 + number, PORT);
    int error = host_add(c, h, &config, &at);
    chaos_require(c, !error, "host %u: stt_endpoint_new: %s", number, stt_error_text(error));
    h->has_other_application = is_other;
    h->is_lazy = chaos_may(c, CHAOS_LAZINESS, 70);
    h->tick_ns = STT_US(chaos_between(c, 2000, 300000));
}

static void add_attackers(struct scenario *x, const struct roads *r)
{
    stt_sim_link links[] = {r->home.forth, r->home.back};
    for (size_t i = 0; i < 2; i++) {
        struct attacker *a = attacker_new(&x->chaos, links[i]);
        if (a)
            x->attackers[x->n_attackers++] = a;
        x->faults.ears = a ? a : x->faults.ears;
    }
}

static void build(struct scenario *x)
{
    struct chaos *c = &x->chaos;
    uint32_t clients = chaos_chance(c, 60) ? 1 : (uint32_t)dice_between(&c->rng, 1, 4);
    roads_build_trunk(c, &x->trunk);
    for (uint32_t i = 0; i <= clients && !c->failure[0]; i++)
        add_host(x, i);
    for (uint32_t i = 1; i < c->n_hosts; i++) {
        roads_build(&x->hosts[i].roads, &x->hosts[i], &x->hosts[0], &x->trunk);
        add_attackers(x, &x->hosts[i].roads);
    }
}

/* -- the storm ----------------------------------------------------------------------------- */

static void tick(void *ctx, struct stt_sim *sim)
{
    struct host *h = ctx;
    struct chaos *c = h->chaos;
    if (c->is_calm || chaos_has_failed(c))
        return;
    host_act(h);
    stt_sim_at(sim, chaos_now(c) + h->tick_ns, tick, h);
}

static void first_connect(void *ctx, struct stt_sim *sim)
{
    struct host *h = ctx;
    (void)sim;
    if (!h->chaos->is_calm)
        host_dial(h, h->chaos->hosts[0]);
}

static stt_ns draw_storm(struct chaos *c)
{
    if (chaos_chance(c, 5))
        return STT_MS(chaos_between(c, 20000, 90000));
    return STT_MS(chaos_chance(c, 25) ? chaos_between(c, 3000, 20000)
                                      : chaos_between(c, 200, 3000));
}

static void begin_storm(struct scenario *x)
{
    struct chaos *c = &x->chaos;
    c->calm_at = chaos_now(c) + draw_storm(c);
    for (uint32_t i = 0; i < c->n_hosts; i++) {
        struct host *h = &x->hosts[i];
        stt_sim_at(c->sim, chaos_now(c) + dice_below(&c->rng, h->tick_ns), tick, h);
        if (i)
            stt_sim_at(c->sim, chaos_now(c) + STT_US(chaos_between(c, 1, 100000)), first_connect,
                       h);
    }
    faults_plan(&x->faults, c);
}

/* After each event of the storm: whoever is not lazy looks. */
static bool look(void *ctx)
{
    struct scenario *x = ctx;
    struct chaos *c = &x->chaos;
    for (uint32_t i = 0; i < c->n_hosts; i++)
        if (c->is_calm || !x->hosts[i].is_lazy)
            host_pull(&x->hosts[i]);
    return !chaos_has_failed(c);
}

/* -- the calm ------------------------------------------------------------------------------ */

static bool is_settled(struct scenario *x)
{
    const struct chaos *c = &x->chaos;
    for (uint32_t i = 0; i < c->n_hosts; i++) {
        struct host *h = &x->hosts[i];
        bool is_connected = !i || h->has_other_application;
        for (size_t j = h->n_dead_talks; j < h->n_talks; j++) {
            struct talk *t = h->talks[j];
            if (t->is_closed)
                continue;
            if (!talk_is_whole(t) || !talk_is_settled(t))
                return false;
            is_connected = true;
        }
        if (!is_connected)
            return false;
    }
    return true;
}

static uint64_t left_of(const struct talk *t)
{
    struct stt_datagram_info info;
    uint64_t bytes = 0;
    if (t->is_closed)
        return 0;
    for (size_t i = 0; i < t->n_flows; i++) {
        const struct flow *f = t->flows[i], *o = f->other;
        uint64_t unit = f->is_messages ? 3000 : 1;
        bytes += (f->to_write - f->written) * unit + f->wire - (o ? o->read : 0);
    }
    if (stt_datagram_info(t->host->ep, t->session, &info) == STT_OK)
        bytes += info.waiting * 1200;
    return bytes;
}

/* What has still to be carried, over all roads. */
static uint64_t left_to_carry(const struct scenario *x)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < x->chaos.n_hosts; i++)
        for (size_t j = x->hosts[i].n_dead_talks; j < x->hosts[i].n_talks; j++)
            bytes += left_of(x->hosts[i].talks[j]);
    return bytes;
}

struct pace {
    stt_ns idle, keep_alive, round_trip, queue;
    uint64_t rate, window; /* the least that anybody has */
};

static stt_ns longer(stt_ns a, stt_ns b)
{
    return a > b ? a : b;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static struct pace pace_of(const struct scenario *x)
{
    struct pace p = {.rate = UINT64_MAX, .window = UINT64_MAX};
    for (uint32_t i = 0; i < x->chaos.n_hosts; i++) {
        const struct host *h = &x->hosts[i];
        p.idle = longer(p.idle, h->config.idle_timeout_ns);
        p.keep_alive = longer(p.keep_alive, h->config.keep_alive_ns);
        p.window = less(p.window, less(h->config.send_ring_bytes, h->config.stream_window_bytes));
        if (!i)
            continue;
        p.round_trip = longer(p.round_trip, roads_round_trip(&h->roads));
        p.queue = longer(p.queue, roads_queue(&h->roads));
        p.rate = less(p.rate, roads_rate(&h->roads));
    }
    return p;
}

/* Whoever is alone finds out when nothing comes for its idle timeout, and connects again. Those who
 * are together go on at once, or, where somebody has another address, with the next keep-alive;
 * what was said to nobody is said again every 3 s at least; and the roads take their time. */
static void set_limits(struct scenario *x)
{
    const struct chaos *c = &x->chaos;
    struct pace p = pace_of(x);
    uint64_t left = left_to_carry(x);
    stt_ns turn = p.round_trip + STT_MS(50); /* and an ack that waits */
    stt_ns carrying = left * 8 / (p.rate / 1000 + 1) * STT_MS(1) + left / p.window * turn;
    stt_ns slack = 3 * carrying + 12 * p.round_trip + 4 * p.queue;
    bool has_moved = chaos_has(c, CHAOS_NAT) || chaos_has(c, CHAOS_ADDRESS_MOVES) ||
                     chaos_has(c, CHAOS_MOVES) || chaos_has(c, CHAOS_BYTE_STREAMS) ||
                     chaos_has(c, CHAOS_SPOOFS);
    x->calm_limit = slack + p.idle + STT_S(30);
    x->prompt_limit = slack + STT_S(6) + (has_moved ? 2 * p.keep_alive : 0);
}

static void mark_who_are_together(struct scenario *x)
{
    for (uint32_t i = 0; i < x->chaos.n_hosts; i++)
        for (size_t j = x->hosts[i].n_dead_talks; j < x->hosts[i].n_talks; j++)
            x->hosts[i].talks[j]->was_whole = talk_is_whole(x->hosts[i].talks[j]);
}

static void judge_who_are_together(struct scenario *x)
{
    struct chaos *c = &x->chaos;
    stt_ns passed = chaos_now(c) - c->calm_at;
    uint64_t percent = passed * 100 / x->prompt_limit;
    for (uint32_t i = 0; i < c->n_hosts; i++)
        for (size_t j = x->hosts[i].n_dead_talks; j < x->hosts[i].n_talks; j++) {
            struct talk *t = x->hosts[i].talks[j];
            if (!t->was_whole || !talk_is_whole(t) || talk_is_settled(t))
                continue;
            if (percent > c->tally.slowest_percent)
                c->tally.slowest_percent = percent;
            if (passed > x->prompt_limit)
                talk_complain(t);
        }
}

static void settle(void *ctx, struct stt_sim *sim)
{
    struct scenario *x = ctx;
    struct chaos *c = &x->chaos;
    if (c->is_ending || chaos_has_failed(c))
        return;
    for (uint32_t i = 0; i < c->n_hosts; i++)
        host_settle(&x->hosts[i]);
    stt_sim_at(sim, chaos_now(c) + STT_MS(CALM_TICK_MS), settle, x);
}

static bool look_for_calm(void *ctx)
{
    struct scenario *x = ctx;
    struct chaos *c = &x->chaos;
    if (!look(x))
        return false;
    if (chaos_now(c) < x->next_look)
        return true;
    x->next_look = chaos_now(c) + STT_MS(CALM_TICK_MS);
    judge_who_are_together(x);
    return !is_settled(x);
}

static void complain(struct scenario *x)
{
    struct chaos *c = &x->chaos;
    for (uint32_t i = 0; i < c->n_hosts; i++)
        for (size_t j = x->hosts[i].n_dead_talks; j < x->hosts[i].n_talks; j++) {
            struct talk *t = x->hosts[i].talks[j];
            if (!t->is_closed && !talk_is_whole(t))
                chaos_fail(c, "no progress: host %u waits for one that is not there (%s)", i,
                           t->is_open ? "open" : "connecting");
            else if (!t->is_closed && !talk_is_settled(t))
                talk_complain(t);
        }
    chaos_fail(c, "no progress: somebody is not connected");
}

static void count_survivors(struct scenario *x)
{
    struct chaos *c = &x->chaos;
    for (uint32_t i = 1; i < c->n_hosts; i++) {
        const struct talk *t = host_talk(&x->hosts[i]);
        c->tally.calm_connects += x->hosts[i].calm_connects > 0;
        c->tally.survived += t && x->hosts[i].calm_connects == 0;
    }
}

static void calm_down(struct scenario *x)
{
    struct chaos *c = &x->chaos;
    c->is_calm = true;
    chaos_tell(c, "it becomes calm");
    faults_end(&x->faults);
    trunk_calm(c, &x->trunk);
    c->calm_at = chaos_now(c);
    set_limits(x);
    mark_who_are_together(x);
    settle(x, c->sim);
    if (!stt_sim_run_while(c->sim, look_for_calm, x, c->calm_at + x->calm_limit) &&
        !chaos_has_failed(c))
        complain(x);
    if (!is_settled(x) && !chaos_has_failed(c))
        complain(x);
    chaos_tell(c, "all is settled after %.3f s of %.3f", (double)(chaos_now(c) - c->calm_at) * 1e-9,
               (double)x->calm_limit * 1e-9);
    count_survivors(x);
}

/* -- farewell ------------------------------------------------------------------------------ */

static bool is_empty(void *ctx)
{
    struct scenario *x = ctx;
    if (!look(x))
        return true;
    for (uint32_t i = 0; i < x->chaos.n_hosts; i++) {
        struct stt_endpoint_stats stats;
        if (!x->hosts[i].ep)
            continue;
        stt_endpoint_stats(x->hosts[i].ep, &stats);
        if (stats.sessions || stats.pending)
            return false;
    }
    return true;
}

static bool is_not_empty(void *ctx)
{
    return !is_empty(ctx);
}

static void say_farewell(struct scenario *x)
{
    struct chaos *c = &x->chaos;
    c->is_ending = true;
    for (uint32_t i = 0; i < c->n_hosts; i++)
        for (size_t j = x->hosts[i].n_dead_talks; j < x->hosts[i].n_talks; j++)
            if (chaos_chance(c, 50) || i)
                talk_close(x->hosts[i].talks[j]);
    stt_ns until = chaos_now(c) + STT_S(FAREWELL_S);
    if (!stt_sim_run_while(c->sim, is_not_empty, x, until) && !chaos_has_failed(c) && !is_empty(x))
        chaos_fail(c, "a session that was closed is still there after %d s", FAREWELL_S);
}

/* -- all of it ----------------------------------------------------------------------------- */

static void judge_memory(struct scenario *x)
{
    struct chaos *c = &x->chaos;
    for (uint32_t i = 0; i < c->n_hosts; i++) {
        const struct host *h = &x->hosts[i];
        size_t most = host_memory_max(h), peak = h->memory->bytes_peak;
        uint64_t percent = peak * 100 / most;
        chaos_require(c, peak <= most, "host %u takes %zu bytes, and %zu are what it may take", i,
                      peak, most);
        if (percent > c->tally.fullest_percent)
            c->tally.fullest_percent = percent;
        chaos_tell(c, "host %u took %zu bytes of %zu, and holds %zu", i, peak, most,
                   h->memory->bytes_in_use);
    }
}

static void judge_seals(struct chaos *c)
{
    c->tally.sealed += sealed_packets();
    chaos_require(c, !sealed_twice(), "%llu packets were sealed under a number of another one",
                  (unsigned long long)sealed_twice());
}

static void run(struct scenario *x)
{
    struct chaos *c = &x->chaos;
    build(x);
    begin_storm(x);
    if (!chaos_has_failed(c))
        stt_sim_run_while(c->sim, look, x, c->calm_at);
    if (!chaos_has_failed(c))
        calm_down(x);
    if (!chaos_has_failed(c))
        say_farewell(x);
    judge_memory(x);
    judge_seals(c);
    for (uint32_t i = 1; i < c->n_hosts; i++)
        roads_count(&x->hosts[i].roads);
}

static void finish(struct scenario *x, struct scenario_result *result)
{
    struct chaos *c = &x->chaos;
    result->hash = stt_net_digest(stt_net_digest(stt_sim_hash(c->sim), c->story), sealed_packets());
    for (uint32_t i = 0; i < c->n_hosts; i++)
        stt_sim_kill(c->sim, x->hosts[i].node);
    (void)chaos_has_failed(c); /* they give everything back */
    result->tally = c->tally;
    memcpy(result->failure, c->failure, sizeof result->failure);
    stt_sim_free(c->sim);
    for (uint32_t i = 0; i < c->n_hosts; i++)
        host_free(&x->hosts[i]);
    for (size_t i = 0; i < x->n_attackers; i++)
        free(x->attackers[i]);
}

void scenario_run(uint64_t seed, bool tells, struct scenario_result *result)
{
    struct stt_sim_config config = STT_SIM_CONFIG_INIT;
    struct scenario *x = calloc(1, sizeof *x);
    assert(x);
    struct chaos *c = &x->chaos;
    c->seed = config.seed = seed;
    c->tells = tells;
    c->rng = dice_init(seed);
    c->features = draw_features(c);
    config.segments_max = chaos_chance(c, 20) ? (uint32_t)dice_between(&c->rng, 1, 64) : 64;
    config.start_ns = chaos_chance(c, 50) ? 0 : dice_below(&c->rng, STT_S(1000000));
    config.transmits_at_once_max = 20000;
    config.events_at_once_max = 1000000;
    c->sim = stt_sim_new(&config);
    sealed_begin();
    run(x);
    finish(x, result);
    free(x);
}
