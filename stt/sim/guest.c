/* SPDX-License-Identifier: MIT
 * guest: an endpoint as an inhabitant: its verbs behind struct stt_sim_machine, its environment,
 * and the host that hears its events. All that the simulator knows of the protocol is in here. */
#include "stt/sim/memory.h"
#include "stt/sim/world.h"

#include <assert.h>

struct stt_sim_guest {
    struct stt_sim *sim;
    stt_sim_node node;
    struct stt_sim_endpoint spec;
    struct stt_sim_process process;
    struct stt_endpoint *ep; /* NULL: killed */
    bool is_deaf;
    struct {
        bool is_used;
        stt_sim_link link;
        struct stt_carrier carrier;
    } carriers[STT_CARRIERS_MAX];
};

static void tell_carrier(struct stt_sim_guest *g, uint32_t number, bool writable)
{
    g->carriers[number].carrier.writable = writable;
    if (stt_endpoint_carrier(g->ep, g->sim->now, number, &g->carriers[number].carrier) != STT_OK)
        stt_sim_fail(g->sim, "node %u cannot have carrier %u", g->node, number);
}

/* At once, also between two trains. */
static void tell_carriers(struct stt_sim_guest *g)
{
    for (uint32_t i = 0; i < STT_CARRIERS_MAX; i++) {
        if (!g->carriers[i].is_used)
            continue;
        bool writable = stt_net_link_is_writable(g->sim->net.links[g->carriers[i].link]);
        if (writable != g->carriers[i].carrier.writable)
            tell_carrier(g, i, writable);
    }
}

static int start(void *ctx, stt_ns now)
{
    struct stt_sim_guest *g = ctx;
    g->process.is_forked = false;
    return stt_endpoint_new(&g->ep, &g->spec.config, &g->process.env, now);
}

static void stop(void *ctx)
{
    struct stt_sim_guest *g = ctx;
    stt_endpoint_free(g->ep);
    g->ep = NULL;
    if (g->process.memory.live)
        stt_sim_fail(g->sim, "node %u ended with %llu blocks, %zu bytes, that it never gave back",
                     g->node, (unsigned long long)g->process.memory.live,
                     g->process.memory.bytes_in_use);
}

static void receive(void *ctx, stt_ns now, const struct stt_train *train)
{
    stt_endpoint_receive(((struct stt_sim_guest *)ctx)->ep, now, train);
}

static bool transmit(void *ctx, stt_ns now, struct stt_train *train)
{
    tell_carriers(ctx);
    return stt_endpoint_transmit(((struct stt_sim_guest *)ctx)->ep, now, train);
}

static stt_ns deadline(const void *ctx)
{
    return stt_endpoint_deadline(((const struct stt_sim_guest *)ctx)->ep);
}

static void expire(void *ctx, stt_ns now)
{
    stt_endpoint_expire(((struct stt_sim_guest *)ctx)->ep, now);
}

/* The host may do anything in its callback, even kill the node. */
static bool event(void *ctx)
{
    struct stt_sim_guest *g = ctx;
    struct stt_event e;
    if (g->is_deaf || !stt_endpoint_event(g->ep, &e))
        return false;
    stt_net_record(&g->sim->net.medium, g->sim->now, STT_SIM_EVENT, g->node, e.type, 0);
    if (g->spec.host.on_event)
        g->spec.host.on_event(g->spec.host.ctx, g->sim, g->node, &e);
    return true;
}

static void on_writable(void *ctx, stt_sim_link link, bool writable)
{
    const struct stt_sim_guest *g = ctx;
    if (g->spec.host.on_writable)
        g->spec.host.on_writable(g->spec.host.ctx, g->sim, g->node, link, writable);
}

static void refused(void *ctx, stt_ns now, const struct stt_train *train)
{
    stt_endpoint_refused(((struct stt_sim_guest *)ctx)->ep, now, train);
}

static const struct stt_sim_machine endpoint_machine = {
    .start = start,
    .stop = stop,
    .receive = receive,
    .transmit = transmit,
    .deadline = deadline,
    .expire = expire,
    .event = event,
    .on_writable = on_writable,
    .refused = refused,
};

int stt_sim_endpoint_add(struct stt_sim *sim, const struct stt_sim_endpoint *endpoint,
                         stt_sim_node *out)
{
    struct stt_sim_guest *g = stt_sim_keep(sim, sizeof *g);
    g->sim = sim;
    g->node = (stt_sim_node)sim->n_nodes;
    g->spec = *endpoint;
    stt_sim_process_init(&g->process, sim, g->node, sim->config.seed);
    g->process.memory = endpoint->memory;
    g->process.trace = endpoint->trace;
    g->process.trace_ctx = endpoint->trace_ctx;
    stt_sim_process_log_keys(&g->process, endpoint->key_log);
    int error = stt_sim_machine_add(sim, &endpoint_machine, g, &endpoint->address, out);
    if (!error)
        sim->nodes[*out]->guest = g;
    else if (g->process.memory.live)
        stt_sim_fail(sim, "node %u failed to start and kept %zu bytes", g->node,
                     g->process.memory.bytes_in_use);
    return error;
}

static struct stt_sim_guest *guest_of(const struct stt_sim *sim, stt_sim_node node)
{
    return stt_sim_inhabitant(sim, node)->guest;
}

void stt_sim_carrier(struct stt_sim *sim, stt_sim_node node, uint32_t number, stt_sim_link link,
                     const struct stt_carrier *carrier)
{
    struct stt_sim_guest *g = guest_of(sim, node);
    assert(g && g->ep && number < STT_CARRIERS_MAX);
    g->carriers[number].is_used = true;
    g->carriers[number].link = link;
    g->carriers[number].carrier = *carrier;
    tell_carrier(g, number, carrier->writable);
    stt_sim_watch(sim, link, node);
    stt_sim_touch(sim, node);
}

struct stt_endpoint *stt_sim_endpoint(struct stt_sim *sim, stt_sim_node node)
{
    assert(guest_of(sim, node) && "a node with an endpoint");
    stt_sim_touch(sim, node);
    return guest_of(sim, node)->ep;
}

struct stt_sim_memory *stt_sim_memory(struct stt_sim *sim, stt_sim_node node)
{
    struct stt_sim_guest *g = guest_of(sim, node);
    return g ? &g->process.memory : NULL;
}

void stt_sim_fork(struct stt_sim *sim, stt_sim_node node)
{
    guest_of(sim, node)->process.is_forked = true;
    stt_sim_touch(sim, node);
}

void stt_sim_entropy(struct stt_sim *sim, stt_sim_node node, bool has_some)
{
    guest_of(sim, node)->process.is_dry = !has_some;
}

void stt_sim_listen(struct stt_sim *sim, stt_sim_node node, bool listens)
{
    guest_of(sim, node)->is_deaf = !listens;
    stt_sim_touch(sim, node);
}
