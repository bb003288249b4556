/* SPDX-License-Identifier: MIT
 * network: the part of the simulator's API that is about links, routes, NATs and scripts for them.
 * It translates; everything happens in transport/sim. */
#include "stt/sim/world.h"

#include <assert.h>
#include <string.h>

static struct stt_net_link *link_of(const struct stt_sim *sim, stt_sim_link link)
{
    assert(link < sim->net.n_links && "a link of this sim");
    return sim->net.links[link];
}

static struct stt_nat *nat_of(const struct stt_sim *sim, stt_sim_nat nat)
{
    assert(nat < sim->net.n_nats && "a NAT of this sim");
    return sim->net.nats[nat];
}

/* -- links -------------------------------------------------------------------------------- */

stt_sim_link stt_sim_link_add(struct stt_sim *sim, const struct stt_link_config *config)
{
    return stt_net_link_add(&sim->net, config);
}

void stt_sim_link_set(struct stt_sim *sim, stt_sim_link link, const struct stt_link_config *config)
{
    stt_net_link_configure(link_of(sim, link), config);
}

struct setting {
    stt_sim_link link;
    struct stt_link_config config;
};

static void set(void *data, struct stt_sim *sim)
{
    const struct setting *s = data;
    stt_sim_link_set(sim, s->link, &s->config);
}

void stt_sim_link_set_at(struct stt_sim *sim, stt_ns at, stt_sim_link link,
                         const struct stt_link_config *config)
{
    struct setting s = {link, *config};
    stt_sim_later(sim, at, set, &s, sizeof s);
}

struct stt_link_config stt_sim_link_config(const struct stt_sim *sim, stt_sim_link link)
{
    return link_of(sim, link)->config;
}

struct stt_link_stats stt_sim_link_stats(const struct stt_sim *sim, stt_sim_link link)
{
    return stt_net_link_stats(link_of(sim, link));
}

struct darkness {
    stt_sim_link link;
    bool begins;
};

static void darken(void *data, struct stt_sim *sim)
{
    const struct darkness *d = data;
    stt_net_link_blackout(link_of(sim, d->link), stt_sim_now(sim), d->begins);
}

void stt_sim_blackout(struct stt_sim *sim, stt_sim_link link, stt_ns from, stt_ns until)
{
    struct darkness d = {link, true};
    stt_sim_later(sim, from, darken, &d, sizeof d);
    d.begins = false;
    stt_sim_later(sim, until, darken, &d, sizeof d);
}

/* -- routes ------------------------------------------------------------------------------- */

void stt_sim_route(struct stt_sim *sim, const struct stt_path *path, const stt_sim_link *links,
                   size_t n)
{
    struct stt_net_route r = {.carrier = path->carrier, .n_links = (uint32_t)n};
    assert(n <= STT_PARCEL_LINKS_MAX);
    memcpy(r.from_ip, path->local.ip, sizeof r.from_ip);
    memcpy(r.to_ip, path->remote.ip, sizeof r.to_ip);
    for (size_t i = 0; i < n; i++)
        r.links[i] = link_of(sim, links[i])->number;
    stt_net_routes_set(&sim->net.routes, &r);
}

void stt_sim_access(struct stt_sim *sim, const struct stt_address *of, stt_sim_link up,
                    stt_sim_link down)
{
    stt_net_routes_set_access(&sim->net.routes, of->ip, link_of(sim, up)->number,
                              link_of(sim, down)->number);
}

struct stt_sim_pair stt_sim_pair(struct stt_sim *sim, stt_sim_node a, stt_sim_node b,
                                 const struct stt_link_config *config)
{
    struct stt_sim_pair pair;
    pair.forth = stt_sim_link_add(sim, config);
    pair.back = stt_sim_link_add(sim, config);
    struct stt_path forth = {.local = stt_sim_address(sim, a), .remote = stt_sim_address(sim, b)};
    struct stt_path back = {.local = forth.remote, .remote = forth.local};
    stt_sim_route(sim, &forth, &pair.forth, 1);
    stt_sim_route(sim, &back, &pair.back, 1);
    return pair;
}

void stt_sim_watch(struct stt_sim *sim, stt_sim_link link, stt_sim_node node)
{
    size_t room = sim->net.n_links, old = sim->watchers_room;
    assert(link < room && node < sim->n_nodes);
    if (link >= old) {
        uint32_t *bigger = stt_env_alloc(&stt_net_env, room * sizeof *bigger);
        if (old)
            memcpy(bigger, sim->watchers, old * sizeof *bigger);
        stt_env_release(&stt_net_env, sim->watchers, old * sizeof *bigger);
        sim->watchers = bigger;
        sim->watchers_room = room;
    }
    sim->watchers[link] = node + 1;
}

bool stt_sim_is_writable(const struct stt_sim *sim, const struct stt_path *path)
{
    return stt_net_is_writable(&sim->net, path);
}

/* -- NATs --------------------------------------------------------------------------------- */

stt_sim_nat stt_sim_nat_add(struct stt_sim *sim, const struct stt_nat_config *config)
{
    return stt_net_nat_add(&sim->net, config);
}

void stt_sim_nat_inside(struct stt_sim *sim, stt_sim_nat nat, const struct stt_address *inside)
{
    stt_net_nat_inside(&sim->net, nat, inside->ip);
}

void stt_sim_nat_rebind(struct stt_sim *sim, stt_sim_nat nat)
{
    stt_nat_rebind(nat_of(sim, nat));
}

struct stt_nat_stats stt_sim_nat_stats(const struct stt_sim *sim, stt_sim_nat nat)
{
    return nat_of(sim, nat)->stats;
}
