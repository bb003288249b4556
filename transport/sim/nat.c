/* SPDX-License-Identifier: MIT
 * nat: a list of mappings (inside, remote) -> port. Searched from end to end: a simulated NAT has
 * few hosts behind it. It must not know links or nodes. */
#include "transport/sim/nat.h"

#include <assert.h>
#include <string.h>

enum { ROOM_MIN = 16, PORT_MIN = 1024 };

struct stt_nat_mapping {
    struct stt_address inside, remote;
    uint16_t port;
    uint64_t generation;
    stt_ns used_at;
};

void stt_nat_init(struct stt_nat *nat, const struct stt_env *env,
                  const struct stt_nat_config *config, struct stt_net_rng rng)
{
    *nat = (struct stt_nat){.env = env, .config = *config, .rng = rng};
}

void stt_nat_fini(struct stt_nat *nat)
{
    stt_env_release(nat->env, nat->mappings, nat->room * sizeof *nat->mappings);
}

static bool equals(const struct stt_address *a, const struct stt_address *b)
{
    return a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static bool is_alive(const struct stt_nat *nat, stt_ns now, const struct stt_nat_mapping *m)
{
    stt_ns period = nat->config.rebind_every_ns;
    return m->generation == nat->generation &&
           (!nat->config.idle_ns || now - m->used_at < nat->config.idle_ns) &&
           (!period || now / period == m->used_at / period);
}

static bool is_taken(const struct stt_nat *nat, stt_ns now, uint16_t port)
{
    for (size_t i = 0; i < nat->n; i++)
        if (nat->mappings[i].port == port && is_alive(nat, now, &nat->mappings[i]))
            return true;
    return false;
}

static uint16_t draw_port(struct stt_nat *nat, stt_ns now)
{
    for (;;) {
        uint64_t port = PORT_MIN + stt_net_rng_below(&nat->rng, UINT16_MAX + 1 - PORT_MIN);
        if (!is_taken(nat, now, (uint16_t)port))
            return (uint16_t)port;
    }
}

/* The port that the host has already, for whatever destination, unless the NAT is symmetric. */
static uint16_t port_for(struct stt_nat *nat, stt_ns now, const struct stt_address *inside)
{
    for (size_t i = 0; i < nat->n && !nat->config.symmetric; i++)
        if (equals(&nat->mappings[i].inside, inside) && is_alive(nat, now, &nat->mappings[i]))
            return nat->mappings[i].port;
    return draw_port(nat, now);
}

/* A dead one, or a new one. */
static struct stt_nat_mapping *take(struct stt_nat *nat, stt_ns now)
{
    for (size_t i = 0; i < nat->n; i++)
        if (!is_alive(nat, now, &nat->mappings[i]))
            return &nat->mappings[i];
    if (nat->n == nat->room) {
        size_t room = nat->room ? 2 * nat->room : ROOM_MIN;
        struct stt_nat_mapping *bigger = stt_env_alloc(nat->env, room * sizeof *bigger);
        assert(bigger);
        if (nat->n)
            memcpy(bigger, nat->mappings, nat->n * sizeof *bigger);
        stt_nat_fini(nat);
        nat->mappings = bigger;
        nat->room = room;
    }
    return &nat->mappings[nat->n++];
}

static struct stt_nat_mapping *find(struct stt_nat *nat, stt_ns now,
                                    const struct stt_address *inside,
                                    const struct stt_address *remote)
{
    for (size_t i = 0; i < nat->n; i++) {
        struct stt_nat_mapping *m = &nat->mappings[i];
        if (equals(&m->inside, inside) && equals(&m->remote, remote) && is_alive(nat, now, m))
            return m;
    }
    return NULL;
}

struct stt_address stt_nat_out(struct stt_nat *nat, stt_ns now, const struct stt_address *from,
                               const struct stt_address *to)
{
    struct stt_nat_mapping *m = find(nat, now, from, to);
    if (!m) {
        uint16_t port = port_for(nat, now, from);
        m = take(nat, now);
        *m = (struct stt_nat_mapping){
            .inside = *from, .remote = *to, .port = port, .generation = nat->generation};
        nat->stats.mappings++;
    }
    m->used_at = now;
    struct stt_address outside = {.port = m->port};
    memcpy(outside.ip, nat->config.outside_ip, sizeof outside.ip);
    return outside;
}

bool stt_nat_in(struct stt_nat *nat, stt_ns now, const struct stt_address *from,
                struct stt_address *to)
{
    for (size_t i = 0; i < nat->n; i++) {
        const struct stt_nat_mapping *m = &nat->mappings[i];
        if (m->port == to->port && (nat->config.is_open || equals(&m->remote, from)) &&
            is_alive(nat, now, m)) {
            *to = m->inside;
            return true;
        }
    }
    nat->stats.refused++;
    return false;
}

void stt_nat_rebind(struct stt_nat *nat)
{
    nat->generation++;
}
