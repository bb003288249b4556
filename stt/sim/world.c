/* SPDX-License-Identifier: MIT
 * world: the clock and the loop.
 *
 *   drive all that were touched --> take the next event --> move the clock --> let it happen -->
 * ...
 *
 * Invariants: time never goes back; nobody is driven from within a call of his own; between two
 * events nobody has anything to do. It must not know what nodes are. */
#include "stt/sim/world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct kept {
    struct stt_list link;
    size_t len;
    _Alignas(16) uint8_t memory[];
};

struct call {
    void (*act)(void *data, struct stt_sim *sim);
    size_t len;
    _Alignas(16) uint8_t data[];
};

void *stt_sim_keep(struct stt_sim *sim, size_t len)
{
    struct kept *k = stt_env_alloc(&stt_net_env, sizeof *k + len);
    k->len = len;
    stt_list_push_back(&sim->kept, &k->link);
    return k->memory;
}

void stt_sim_fail(struct stt_sim *sim, const char *format, ...)
{
    if (sim->failure[0])
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sim->failure, sizeof sim->failure, format, arguments);
    va_end(arguments);
}

const char *stt_sim_failure(const struct stt_sim *sim)
{
    return sim->failure[0] ? sim->failure : NULL;
}

/* -- what the net calls ------------------------------------------------------------------- */

static void on_deliver(void *ctx, stt_ns now, uint32_t door, const struct stt_net_arrival *arrival)
{
    struct stt_sim *sim = ctx;
    (void)now;
    stt_sim_inhabitant_receive(sim, sim->nodes[door], arrival);
}

/* Later, because the link is in the middle of something. */
static void on_writable(void *ctx, uint32_t link, bool writable)
{
    struct stt_sim *sim = ctx;
    if (link >= sim->watchers_room || !sim->watchers[link])
        return;
    static char yes;
    struct stt_net_event e = {.at = sim->now,
                              .kind = STT_SIM_WRITABLE,
                              .number = link,
                              .subject = writable ? &yes : NULL};
    stt_net_events_push(&sim->net.medium.events, e);
}

static void on_observe(void *ctx, stt_ns at, uint32_t kind, uint32_t subject, uint64_t detail,
                       uint64_t bytes)
{
    const struct stt_sim *sim = ctx;
    struct stt_sim_record record = {at, (enum stt_sim_record_kind)kind, subject, detail, bytes};
    sim->config.observe(sim->config.observe_ctx, &record);
}

/* -- beginning and end -------------------------------------------------------------------- */

struct stt_sim *stt_sim_new(const struct stt_sim_config *config)
{
    assert(config->size == sizeof *config);
    assert(config->segments_max >= 1 && config->segments_max <= STT_TRAIN_SEGMENTS);
    struct stt_sim *sim = stt_env_alloc(&stt_net_env, sizeof *sim);
    sim->config = *config;
    sim->now = config->start_ns;
    sim->touched_end = &sim->touched;
    stt_list_init(&sim->kept);
    stt_net_init(&sim->net, &(struct stt_net_options){
                                .seed = config->seed,
                                .digests_payloads = config->hash_payloads,
                                .segments_max = config->segments_max,
                                .ctx = sim,
                                .deliver = on_deliver,
                                .writable = on_writable,
                                .observe = config->observe ? on_observe : NULL,
                            });
    return sim;
}

static void forget_call(struct call *c)
{
    stt_env_release(&stt_net_env, c, sizeof *c + c->len);
}

static void forget_calls(struct stt_sim *sim)
{
    struct stt_net_event e;
    while (stt_net_events_pop(&sim->net.medium.events, &e))
        if (e.kind == STT_SIM_CALL)
            forget_call(e.subject);
}

void stt_sim_free(struct stt_sim *sim)
{
    if (!sim)
        return;
    for (size_t i = 0; i < sim->n_nodes; i++)
        stt_sim_inhabitant_stop(sim, sim->nodes[i]);
    forget_calls(sim);
    stt_net_fini(&sim->net);
    STT_LIST_FOREACH (link, &sim->kept) {
        struct kept *k = STT_LIST_ENTRY(link, struct kept, link);
        stt_env_release(&stt_net_env, k, sizeof *k + k->len);
    }
    stt_env_release(&stt_net_env, sim->nodes, sim->nodes_room * sizeof(void *));
    stt_env_release(&stt_net_env, sim->watchers, sim->watchers_room * sizeof *sim->watchers);
    stt_env_release(&stt_net_env, sim, sizeof *sim);
}

stt_ns stt_sim_now(const struct stt_sim *sim)
{
    return sim->now;
}

uint64_t stt_sim_hash(const struct stt_sim *sim)
{
    return stt_net_digest(sim->net.medium.digest, sim->now);
}

struct stt_sim_stats stt_sim_stats(const struct stt_sim *sim)
{
    struct stt_sim_stats stats = sim->stats;
    stats.no_route = sim->net.lost[STT_NET_NO_ROUTE];
    stats.no_node = sim->net.lost[STT_NET_NO_DOOR];
    stats.nat_refused = sim->net.lost[STT_NET_NAT_REFUSED];
    return stats;
}

/* -- calls -------------------------------------------------------------------------------- */

void stt_sim_later(struct stt_sim *sim, stt_ns at, void (*act)(void *data, struct stt_sim *sim),
                   const void *data, size_t len)
{
    assert(at >= sim->now);
    struct call *c = stt_env_alloc(&stt_net_env, sizeof *c + len);
    c->act = act;
    c->len = len;
    memcpy(c->data, data, len);
    struct stt_net_event e = {.at = at, .kind = STT_SIM_CALL, .subject = c};
    stt_net_events_push(&sim->net.medium.events, e);
}

struct plan {
    void (*act)(void *ctx, struct stt_sim *sim);
    void *ctx;
};

static void carry_out(void *data, struct stt_sim *sim)
{
    const struct plan *p = data;
    p->act(p->ctx, sim);
}

void stt_sim_at(struct stt_sim *sim, stt_ns at, void (*act)(void *ctx, struct stt_sim *sim),
                void *ctx)
{
    struct plan p = {act, ctx};
    stt_sim_later(sim, at, carry_out, &p, sizeof p);
}

/* -- the loop ----------------------------------------------------------------------------- */

static void drive_touched(struct stt_sim *sim)
{
    while (sim->touched && !stt_sim_failure(sim)) {
        struct stt_sim_inhabitant *n = sim->touched;
        sim->touched = n->next_touched;
        if (!sim->touched)
            sim->touched_end = &sim->touched;
        n->is_touched = false;
        stt_sim_inhabitant_drive(sim, n);
    }
}

static void tell_writable(struct stt_sim *sim, const struct stt_net_event *e)
{
    struct stt_sim_inhabitant *n = sim->nodes[sim->watchers[e->number] - 1];
    if (!stt_sim_inhabitant_is_awake(n))
        return;
    if (n->machine.on_writable)
        n->machine.on_writable(n->ctx, e->number, e->subject != NULL);
    stt_sim_inhabitant_touch(sim, n);
}

static void happen(struct stt_sim *sim, const struct stt_net_event *e)
{
    switch (e->kind) {
    case STT_SIM_WAKE:
        stt_sim_inhabitant_wake(sim, sim->nodes[e->number], e->at);
        break;
    case STT_SIM_CALL: {
        struct call *c = e->subject;
        c->act(c->data, sim);
        forget_call(c);
        break;
    }
    case STT_SIM_WRITABLE:
        tell_writable(sim, e);
        break;
    default:
        stt_net_happen(&sim->net, e);
    }
}

static void move_clock(struct stt_sim *sim, stt_ns to)
{
    if (to > sim->now)
        sim->events_at_once = 0;
    sim->now = to;
    sim->stats.events++;
    if (++sim->events_at_once > sim->config.events_at_once_max)
        stt_sim_fail(sim, "at %llu ns: time does not go on after %llu events",
                     (unsigned long long)to, (unsigned long long)sim->events_at_once);
}

/* One event; false when there is none up to the limit. */
static bool step(struct stt_sim *sim, stt_ns limit)
{
    drive_touched(sim);
    struct stt_net_event e;
    if (stt_sim_failure(sim) || stt_net_events_next(&sim->net.medium.events) > limit ||
        !stt_net_events_pop(&sim->net.medium.events, &e))
        return false;
    move_clock(sim, e.at);
    happen(sim, &e);
    drive_touched(sim);
    return true;
}

/* True: there was more to come when the predicate had enough. */
static bool run(struct stt_sim *sim, bool (*wants_more)(void *ctx), void *ctx, stt_ns limit)
{
    assert(!sim->is_running && "runs do not nest");
    sim->is_running = true;
    bool enough = false;
    do
        enough = wants_more && !wants_more(ctx);
    while (!enough && step(sim, limit));
    sim->is_running = false;
    if (!enough && !stt_sim_failure(sim) && limit > sim->now && limit != STT_NEVER)
        sim->now = limit;
    return enough;
}

bool stt_sim_run_until(struct stt_sim *sim, stt_ns until)
{
    run(sim, NULL, NULL, until);
    return !stt_sim_failure(sim);
}

bool stt_sim_run_while(struct stt_sim *sim, bool (*wants_more)(void *ctx), void *ctx, stt_ns limit)
{
    return run(sim, wants_more, ctx, limit) && !stt_sim_failure(sim);
}
