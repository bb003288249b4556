/* SPDX-License-Identifier: MIT
 * net: owns links, NATs, routes and whatever is under way.
 *
 *   send --> NAT out --> route --> enter --> link --> enter --> link --> NAT in --> door
 *                                    ^ trains come apart           ^ and together again
 *
 * Invariants: a parcel is owned by exactly one of: a link, an event, the arrivals. Nothing is
 * delivered while something is being sent, so a door may send from within its deliver hook.
 * It must not know what is behind a door. */
#include "transport/sim/net.h"

#include "transport/sim/heap.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

enum {
    DOOR_KEY_BYTES = offsetof(struct stt_address, port) + sizeof(uint16_t),
    IP_BYTES = 16,
    ENTRIES_MAX = 1 << 28,
};

static_assert(DOOR_KEY_BYTES == 18, "a key has no holes");

static void put(struct stt_map *map, const void *key, uint64_t value)
{
    int error = stt_map_put(map, key, value);
    assert(error == STT_OK);
    (void)error;
}

/* -- building it -------------------------------------------------------------------------- */

static struct stt_net_arrivals *new_arrivals(struct stt_net *net)
{
    struct stt_net_arrivals *a = stt_env_alloc(&stt_net_env, sizeof *a);
    a->medium = &net->medium;
    a->segments_max = net->options.segments_max;
    a->ctx = net->options.ctx;
    a->deliver = net->options.deliver;
    return a;
}

void stt_net_init(struct stt_net *net, const struct stt_net_options *options)
{
    const struct stt_env *env = &stt_net_env;
    uint64_t seed = options->seed;
    *net = (struct stt_net){.options = *options};
    net->medium = (struct stt_net_medium){
        .env = env, .digest = seed, .ctx = options->ctx, .observe = options->observe};
    stt_net_events_init(&net->medium.events, env);
    stt_parcels_init(&net->medium.parcels, env);
    stt_net_routes_init(&net->routes, seed);
    stt_map_init(&net->doors, env, DOOR_KEY_BYTES, seed, ENTRIES_MAX);
    stt_map_init(&net->insides, env, IP_BYTES, seed, ENTRIES_MAX);
    stt_map_init(&net->outsides, env, IP_BYTES, seed, ENTRIES_MAX);
    net->arrivals = new_arrivals(net);
}

void stt_net_fini(struct stt_net *net)
{
    const struct stt_env *env = &stt_net_env;
    for (size_t i = 0; i < net->n_links; i++)
        stt_env_release(env, net->links[i], sizeof *net->links[i]);
    for (size_t i = 0; i < net->n_nats; i++) {
        stt_nat_fini(net->nats[i]);
        stt_env_release(env, net->nats[i], sizeof *net->nats[i]);
    }
    stt_env_release(env, net->links, net->links_room * sizeof *net->links);
    stt_env_release(env, net->nats, net->nats_room * sizeof *net->nats);
    stt_env_release(env, net->arrivals, sizeof *net->arrivals);
    stt_map_fini(&net->outsides);
    stt_map_fini(&net->insides);
    stt_map_fini(&net->doors);
    stt_net_routes_fini(&net->routes);
    stt_parcels_fini(&net->medium.parcels);
    stt_net_events_fini(&net->medium.events);
}

uint32_t stt_net_link_add(struct stt_net *net, const struct stt_link_config *config)
{
    net->links = stt_net_more(net->links, net->n_links, &net->links_room, sizeof *net->links);
    struct stt_net_link *l = stt_env_alloc(&stt_net_env, sizeof *l);
    stt_net_link_init(l, &net->medium, (uint32_t)net->n_links, net->options.seed);
    stt_net_link_configure(l, config);
    l->on_writable = net->options.writable;
    l->ctx = net->options.ctx;
    net->links[net->n_links] = l;
    return (uint32_t)net->n_links++;
}

uint32_t stt_net_nat_add(struct stt_net *net, const struct stt_nat_config *config)
{
    net->nats = stt_net_more(net->nats, net->n_nats, &net->nats_room, sizeof *net->nats);
    struct stt_nat *nat = stt_env_alloc(&stt_net_env, sizeof *nat);
    struct stt_net_rng rng = stt_net_rng_init(net->options.seed, 'n', (uint32_t)net->n_nats);
    stt_nat_init(nat, &stt_net_env, config, rng);
    net->nats[net->n_nats] = nat;
    put(&net->outsides, config->outside_ip, net->n_nats + 1);
    return (uint32_t)net->n_nats++;
}

void stt_net_nat_inside(struct stt_net *net, uint32_t nat, const uint8_t ip[16])
{
    assert(nat < net->n_nats);
    put(&net->insides, ip, (uint64_t)nat + 1);
}

void stt_net_tap_add(struct stt_net *net, uint32_t link, struct stt_net_tap *tap)
{
    assert(link < net->n_links);
    stt_list_push_back(&net->links[link]->taps, &tap->link);
    net->links[link]->n_taps++;
}

void stt_net_door_open(struct stt_net *net, const struct stt_address *at, uint32_t door)
{
    put(&net->doors, at, (uint64_t)door + 1);
}

void stt_net_door_close(struct stt_net *net, const struct stt_address *at)
{
    stt_map_remove(&net->doors, at);
}

/* -- arriving ----------------------------------------------------------------------------- */

static void lose(struct stt_net *net, stt_ns now, struct stt_parcel *p, enum stt_net_lost reason)
{
    net->lost[reason] += stt_parcel_segments(p);
    stt_net_record(&net->medium, now, 'x', reason, 0, p->len);
    stt_parcel_free(&net->medium.parcels, p);
}

static void reach_door(struct stt_net *net, stt_ns now, struct stt_parcel *p)
{
    uint64_t nat = stt_map_find(&net->outsides, p->to.ip);
    if (nat && !stt_nat_in(net->nats[nat - 1], now, &p->from, &p->to)) {
        lose(net, now, p, STT_NET_NAT_REFUSED);
        return;
    }
    uint64_t door = stt_map_find(&net->doors, &p->to);
    if (door)
        stt_net_arrivals_add(net->arrivals, now, (uint32_t)door - 1, p);
    else
        lose(net, now, p, STT_NET_NO_DOOR);
}

/* -- going -------------------------------------------------------------------------------- */

static void announce(struct stt_net *net, stt_ns at, uint32_t kind, struct stt_parcel *p)
{
    struct stt_net_event e = {.at = at, .kind = kind, .subject = p};
    stt_net_events_push(&net->medium.events, e);
}

/* False: the parcel is gone, or held back. */
static bool pass_taps(struct stt_net *net, stt_ns now, struct stt_net_link *l, struct stt_parcel *p)
{
    struct stt_sim_datagram d = {.from = p->from,
                                 .to = p->to,
                                 .carrier = p->carrier,
                                 .ecn = p->ecn,
                                 .data = p->data,
                                 .len = p->len,
                                 .room = p->room};
    bool passed = true;
    net->is_tapping = true;
    STT_LIST_FOREACH (link, &l->taps) {
        struct stt_net_tap *tap = STT_LIST_ENTRY(link, struct stt_net_tap, link);
        passed = passed && tap->see(tap->ctx, now, &d);
    }
    net->is_tapping = false;
    if (!passed) {
        l->stats.datagrams_in++;
        l->stats.bytes_in += p->len;
        stt_net_link_drop(l, now, p, STT_LINK_DROP_TAP);
        return false;
    }
    assert(d.data == p->data && d.len <= p->room);
    p->from = d.from;
    p->to = d.to;
    p->ecn = d.ecn;
    p->len = p->segment_bytes = (uint32_t)d.len;
    p->is_tapped = true;
    if (d.delay_ns)
        announce(net, now + d.delay_ns, STT_NET_ENTER, p);
    return d.delay_ns == 0;
}

static void enter_one(struct stt_net *net, stt_ns now, struct stt_parcel *p)
{
    struct stt_net_link *l = net->links[p->links[p->hop]];
    if (l->n_taps == 0 || p->is_tapped || pass_taps(net, now, l, p))
        stt_net_link_offer(l, now, p);
}

/* Onto the next link of its way. */
static void enter(struct stt_net *net, stt_ns now, struct stt_parcel *p)
{
    if (p->len <= p->segment_bytes || stt_net_link_is_plain(net->links[p->links[p->hop]])) {
        enter_one(net, now, p);
        return;
    }
    for (size_t at = 0; at < p->len; at += p->segment_bytes) {
        size_t left = p->len - at, len = left < p->segment_bytes ? left : p->segment_bytes;
        enter_one(net, now, stt_parcel_copy(&net->medium.parcels, p, at, len));
    }
    stt_parcel_free(&net->medium.parcels, p);
}

static void come_to_end(struct stt_net *net, stt_ns now, struct stt_parcel *p)
{
    p->is_tapped = false;
    if (++p->hop < p->n_links)
        enter(net, now, p);
    else
        reach_door(net, now, p);
}

/* What was written into room for a full train should not keep it all the way. */
static struct stt_parcel *fit(struct stt_net *net, struct stt_parcel *p)
{
    if (p->len > p->room / 8)
        return p;
    struct stt_parcel *smaller = stt_parcel_copy(&net->medium.parcels, p, 0, p->len);
    smaller->segment_bytes = p->segment_bytes;
    stt_parcel_free(&net->medium.parcels, p);
    return smaller;
}

static void record_sent(struct stt_net *net, stt_ns now, const struct stt_parcel *p)
{
    uint64_t payload = 0;
    if (net->options.digests_payloads)
        payload = stt_net_digest_bytes(0, bytes_of(p->data, p->len));
    stt_net_record(&net->medium, now, 's', p->segment_bytes, payload, p->len);
}

struct stt_parcel *stt_net_parcel(struct stt_net *net, size_t len)
{
    return stt_parcel_new(&net->medium.parcels, len);
}

/* Its links, and its address outside; false: the parcel is lost. */
static bool set_out(struct stt_net *net, stt_ns now, struct stt_parcel *p)
{
    assert(p->len <= p->room && (p->segment_bytes || p->len == 0));
    record_sent(net, now, p);
    uint64_t nat = stt_map_find(&net->insides, p->from.ip);
    if (nat)
        p->from = stt_nat_out(net->nats[nat - 1], now, &p->from, &p->to);
    struct stt_path path = {.local = p->from, .remote = p->to, .carrier = p->carrier};
    struct stt_net_route way;
    if (!stt_net_routes_find(&net->routes, &path, &way)) {
        lose(net, now, p, STT_NET_NO_ROUTE);
        return false;
    }
    p->n_links = (uint8_t)way.n_links;
    memcpy(p->links, way.links, sizeof p->links);
    return true;
}

void stt_net_send(struct stt_net *net, stt_ns now, struct stt_parcel *p)
{
    if (!set_out(net, now, p))
        return;
    p = fit(net, p);
    if (p->n_links == 0)
        announce(net, now, STT_NET_DOOR, p);
    else if (net->is_tapping)
        announce(net, now, STT_NET_ENTER, p);
    else
        enter(net, now, p);
}

void stt_net_inject(struct stt_net *net, stt_ns at, struct stt_parcel *p)
{
    record_sent(net, at, p);
    announce(net, at, STT_NET_DOOR, fit(net, p));
}

bool stt_net_is_writable(const struct stt_net *net, const struct stt_path *path)
{
    struct stt_path outside = *path;
    struct stt_net_route way;
    uint64_t nat = stt_map_find(&net->insides, path->local.ip);
    if (nat)
        memcpy(outside.local.ip, net->nats[nat - 1]->config.outside_ip, IP_BYTES);
    if (!stt_net_routes_find(&net->routes, &outside, &way))
        return false;
    for (size_t i = 0; i < way.n_links; i++)
        if (!stt_net_link_is_writable(net->links[way.links[i]]))
            return false;
    return true;
}

/* -- what happens ------------------------------------------------------------------------- */

static void on_arrived(struct stt_net *net, stt_ns now, struct stt_net_link *l)
{
    struct stt_parcel *next = stt_net_link_arrived(l, now);
    while (next) {
        struct stt_parcel *p = next;
        next = p->next;
        come_to_end(net, now, p);
    }
}

static void on_stray(struct stt_net *net, stt_ns now, struct stt_parcel *p)
{
    stt_net_link_count_out(net->links[p->links[p->hop]], p);
    come_to_end(net, now, p);
}

void stt_net_happen(struct stt_net *net, const struct stt_net_event *e)
{
    assert(e->kind < STT_NET_EVENTS);
    switch (e->kind) {
    case STT_NET_SERVED:
        stt_net_link_served(e->subject, e->at);
        break;
    case STT_NET_ARRIVED:
        on_arrived(net, e->at, e->subject);
        break;
    case STT_NET_STRAY:
        on_stray(net, e->at, e->subject);
        break;
    case STT_NET_ENTER:
        enter(net, e->at, e->subject);
        break;
    case STT_NET_DOOR:
        reach_door(net, e->at, e->subject);
        break;
    }
    stt_net_arrivals_flush(net->arrivals, e->at);
}
