/* SPDX-License-Identifier: MIT
 * roads: draws links and what is wrong with them. A road keeps its rate, delay and queue when it
 * becomes calm, and loses its faults. */
#include "tools/sttbench/chaos/roads.h"

#include "tools/sttbench/chaos/host.h"

#include <string.h>

enum {
    PORT = 4000,
    OUTSIDE = 100, /* numbers of addresses: of NATs, */
    ELSEWHERE = 200,
    MOVED = 1000, /* after that, a hundred for each client */
    IPV4_HEADERS = 28,
    IPV6_HEADERS = 48,
    SPILL_BYTES = 70000,
    STREAM_DATAGRAM_BYTES = 16384,
};

static struct stt_address numbered(const struct chaos *c, uint32_t number)
{
    return chaos_has(c, CHAOS_IPV6) ? stt_sim_ipv6(number, PORT) : stt_sim_ipv4(number, PORT);
}

/* -- drawing ------------------------------------------------------------------------------- */

static struct stt_link_config draw_link(struct chaos *c)
{
    struct stt_link_config l = {.header_bytes =
                                    chaos_has(c, CHAOS_IPV6) ? IPV6_HEADERS : IPV4_HEADERS};
    l.rate_bits_per_s = chaos_between(c, 64000, 1000000000);
    l.delay_ns = chaos_chance(c, 10) ? 0 : STT_US(chaos_between(c, 1, 300000));
    uint64_t most = l.rate_bits_per_s / 4; /* two seconds */
    most = most < 20000 ? 20000 : most < 1000000 ? most : 1000000;
    l.queue_bytes = (uint32_t)chaos_between(c, 20000, most);
    if (chaos_may(c, CHAOS_SHORT_QUEUES, 70))
        l.queue_bytes = (uint32_t)chaos_between(c, 3000, 20000);
    return l;
}

static void draw_losses(struct chaos *c, struct stt_link_config *l)
{
    if (chaos_may(c, CHAOS_LOSS, 70))
        l->loss_ppm = (uint32_t)chaos_between(c, 1000, 300000);
    if (chaos_may(c, CHAOS_BURSTS, 70)) {
        l->burst_enter_ppm = (uint32_t)chaos_between(c, 1000, 50000);
        l->burst_leave_ppm = (uint32_t)chaos_between(c, 50000, 500000);
        l->burst_loss_ppm = (uint32_t)chaos_between(c, 300000, 1000000);
    }
    if (chaos_may(c, CHAOS_MTU, 50))
        l->mtu_bytes = l->header_bytes + (chaos_chance(c, 80) ? 1200 : 1000);
    if (chaos_may(c, CHAOS_MTU, 30)) {
        l->large_bytes = (uint32_t)dice_between(&c->rng, 500, 1300);
        l->large_loss_ppm = (uint32_t)chaos_between(c, 10000, 500000);
    }
    if (chaos_may(c, CHAOS_POLICER, 70)) {
        l->police_bits_per_s = chaos_between(c, 64000, 10000000);
        l->police_burst_bytes = (uint32_t)chaos_between(c, 3000, 100000);
    }
}

static void draw_disorder(struct chaos *c, struct stt_link_config *l)
{
    if (chaos_may(c, CHAOS_REORDERING, 70)) {
        l->reorder_ppm = (uint32_t)chaos_between(c, 1000, 500000);
        l->reorder_ns = STT_US(chaos_between(c, 100, 200000));
    }
    if (chaos_may(c, CHAOS_DUPLICATION, 70))
        l->duplicate_ppm = (uint32_t)chaos_between(c, 1000, 1000000);
    if (chaos_may(c, CHAOS_CORRUPTION, 70))
        l->corrupt_ppm = (uint32_t)chaos_between(c, 1000, 200000);
    if (chaos_may(c, CHAOS_JITTER, 70))
        l->jitter_ns = STT_US(chaos_between(c, 100, 100000));
    if (chaos_may(c, CHAOS_AGGREGATION, 70))
        l->aggregate_ns = STT_US(chaos_between(c, 100, 20000));
    if (chaos_may(c, CHAOS_ECN, 70))
        l->ecn_mark_bytes = (uint32_t)chaos_between(c, 1, 50000);
    l->ecn_bleached = chaos_may(c, CHAOS_ECN, 20);
}

static struct stt_link_config draw_wild(struct chaos *c)
{
    struct stt_link_config l = draw_link(c);
    draw_losses(c, &l);
    draw_disorder(c, &l);
    return l;
}

static struct stt_link_config calm(const struct stt_link_config *l)
{
    return (struct stt_link_config){.rate_bits_per_s = l->rate_bits_per_s,
                                    .delay_ns = l->delay_ns,
                                    .queue_bytes = l->queue_bytes,
                                    .header_bytes = l->header_bytes,
                                    .reliable = l->reliable,
                                    .spill_bytes = l->spill_bytes};
}

/* -- building ------------------------------------------------------------------------------ */

static void route(struct chaos *c, const struct stt_path *path, const struct road *road,
                  const struct trunk *trunk)
{
    struct stt_path back = {.local = path->remote, .remote = path->local, .carrier = path->carrier};
    bool shared = trunk && trunk->exists;
    stt_sim_link up[] = {road->forth, shared ? trunk->up : 0};
    stt_sim_link down[] = {shared ? trunk->down : road->back, road->back};
    stt_sim_route(c->sim, path, up, shared ? 2 : 1);
    stt_sim_route(c->sim, &back, down, shared ? 2 : 1);
}

static void build_home(struct roads *r, const struct trunk *trunk)
{
    struct chaos *c = r->client->chaos;
    struct stt_link_config forth = draw_wild(c), back = draw_wild(c);
    back.delay_ns = chaos_chance(c, 70) ? forth.delay_ns : back.delay_ns;
    back.rate_bits_per_s = chaos_chance(c, 70) ? forth.rate_bits_per_s : back.rate_bits_per_s;
    r->home = (struct road){.exists = true,
                            .forth = stt_sim_link_add(c->sim, &forth),
                            .back = stt_sim_link_add(c->sim, &back)};
    r->home.path.local = stt_sim_address(c->sim, r->client->node);
    r->home.path.remote = stt_sim_address(c->sim, r->server->node);
    route(c, &r->home.path, &r->home, trunk);
    if (!chaos_may(c, CHAOS_NAT, 70))
        return;
    struct stt_nat_config nat = {.idle_ns = STT_S(chaos_between(c, 12, 100)),
                                 .symmetric = chaos_chance(c, 50),
                                 .is_open = chaos_chance(c, 20)};
    r->has_nat = true;
    r->outside = numbered(c, OUTSIDE + r->client->number);
    memcpy(nat.outside_ip, r->outside.ip, sizeof nat.outside_ip);
    r->nat = stt_sim_nat_add(c->sim, &nat);
    stt_sim_nat_inside(c->sim, r->nat, &r->home.path.local);
    struct stt_path seen = {.local = r->outside, .remote = r->home.path.remote};
    route(c, &seen, &r->home, trunk);
}

static void build_elsewhere(struct roads *r)
{
    struct chaos *c = r->client->chaos;
    struct stt_link_config forth = draw_wild(c), back = draw_wild(c);
    r->elsewhere = (struct road){.exists = true,
                                 .forth = stt_sim_link_add(c->sim, &forth),
                                 .back = stt_sim_link_add(c->sim, &back)};
    r->elsewhere.path.local = numbered(c, ELSEWHERE + r->client->number);
    r->elsewhere.path.remote = r->home.path.remote;
    stt_sim_address_add(c->sim, r->client->node, &r->elsewhere.path.local);
    route(c, &r->elsewhere.path, &r->elsewhere, NULL);
}

static void build_stream(struct roads *r)
{
    struct chaos *c = r->client->chaos;
    struct stt_link_config l = draw_link(c);
    l.queue_bytes = (uint32_t)chaos_between(c, 20000, 200000);
    l.reliable = true;
    l.spill_bytes = SPILL_BYTES;
    r->stream = (struct road){.exists = true,
                              .forth = stt_sim_link_add(c->sim, &l),
                              .back = stt_sim_link_add(c->sim, &l),
                              .path = r->elsewhere.exists ? r->elsewhere.path : r->home.path};
    r->stream.path.carrier = r->client->number; /* at the server each is another one */
    route(c, &r->stream.path, &r->stream, NULL);
    roads_tell_carrier(r, true);
    roads_tell_carrier(r, false);
}

void roads_build_trunk(struct chaos *c, struct trunk *t)
{
    if (!chaos_has(c, CHAOS_TRUNK))
        return;
    struct stt_link_config l = draw_wild(c);
    t->exists = true;
    t->up = stt_sim_link_add(c->sim, &l);
    t->down = stt_sim_link_add(c->sim, &l);
}

void roads_build(struct roads *r, struct host *client, struct host *server,
                 const struct trunk *trunk)
{
    struct chaos *c = client->chaos;
    r->client = client;
    r->server = server;
    r->trunk = trunk;
    build_home(r, trunk);
    if (chaos_may(c, CHAOS_MOVES, 70))
        build_elsewhere(r);
    if (chaos_may(c, CHAOS_BYTE_STREAMS, 70) && !r->has_nat)
        build_stream(r);
}

void roads_tell_carrier(struct roads *r, bool client)
{
    const struct stt_carrier carrier = {
        .reliable = true, .writable = true, .max_datagram_bytes = STREAM_DATAGRAM_BYTES};
    const struct host *h = client ? r->client : r->server;
    if (r->stream.exists && h->ep)
        stt_sim_carrier(h->chaos->sim, h->node, r->stream.path.carrier,
                        client ? r->stream.forth : r->stream.back, &carrier);
}

/* -- faults -------------------------------------------------------------------------------- */

void roads_change(struct roads *r)
{
    struct chaos *c = r->client->chaos;
    struct road *road = r->elsewhere.exists && chaos_chance(c, 40) ? &r->elsewhere : &r->home;
    struct stt_link_config l = draw_wild(c);
    stt_sim_link_set(c->sim, chaos_chance(c, 50) ? road->forth : road->back, &l);
    c->tally.link_changes++;
}

void roads_black_out(struct roads *r, stt_ns until)
{
    struct chaos *c = r->client->chaos;
    struct road *const all[] = {&r->home, &r->elsewhere, &r->stream};
    c->tally.blackouts++;
    for (size_t i = 0; i < 3; i++) {
        bool is_hit = all[i]->exists && (i == 0 || chaos_chance(c, 30));
        if (is_hit && chaos_chance(c, 80))
            stt_sim_blackout(c->sim, all[i]->forth, chaos_now(c), until);
        if (is_hit && chaos_chance(c, 80))
            stt_sim_blackout(c->sim, all[i]->back, chaos_now(c), until);
    }
}

void roads_move_home(struct roads *r)
{
    struct chaos *c = r->client->chaos;
    if (r->has_nat || (r->stream.exists && !r->elsewhere.exists))
        return; /* a byte stream would end with its address */
    struct stt_address to = numbered(c, MOVED + 100 * r->client->number + r->moves++);
    stt_sim_address_move(c->sim, r->client->node, &r->home.path.local, &to);
    r->home.path.local = to;
    c->tally.address_moves++;
    chaos_tell(c, "host %u has another address", r->client->number);
}

static void calm_down(struct chaos *c, const struct road *road)
{
    if (!road->exists)
        return;
    struct stt_link_config forth = stt_sim_link_config(c->sim, road->forth);
    struct stt_link_config back = stt_sim_link_config(c->sim, road->back);
    forth = calm(&forth);
    back = calm(&back);
    stt_sim_link_set(c->sim, road->forth, &forth);
    stt_sim_link_set(c->sim, road->back, &back);
}

void roads_calm(struct roads *r)
{
    calm_down(r->client->chaos, &r->home);
    calm_down(r->client->chaos, &r->elsewhere);
    calm_down(r->client->chaos, &r->stream);
}

void trunk_calm(struct chaos *c, const struct trunk *t)
{
    const struct road road = {.exists = t->exists, .forth = t->up, .back = t->down};
    calm_down(c, &road);
}

bool roads_pick(struct roads *r, struct stt_path *to)
{
    struct chaos *c = r->client->chaos;
    struct road *const all[] = {&r->home, &r->elsewhere, &r->stream};
    if (chaos_chance(c, 10)) {
        *to = r->home.path;
        to->remote = numbered(c, 999); /* nobody */
        return true;
    }
    const struct road *road = all[dice_below(&c->rng, 3)];
    *to = road->path;
    return road->exists;
}

/* -- figures ------------------------------------------------------------------------------- */

struct figures {
    uint64_t rate;
    stt_ns round_trip, queue;
};

static stt_ns drain_ns(const struct stt_link_config *l)
{
    return l->queue_bytes * UINT64_C(8000) / (l->rate_bits_per_s / 1000) * 1000;
}

static stt_ns longer(stt_ns a, stt_ns b)
{
    return a > b ? a : b;
}

static void look_at(const struct chaos *c, const struct road *road, struct figures *f)
{
    if (!road->exists)
        return;
    struct stt_link_config forth = stt_sim_link_config(c->sim, road->forth);
    struct stt_link_config back = stt_sim_link_config(c->sim, road->back);
    f->rate = forth.rate_bits_per_s < f->rate ? forth.rate_bits_per_s : f->rate;
    f->rate = back.rate_bits_per_s < f->rate ? back.rate_bits_per_s : f->rate;
    f->round_trip = longer(f->round_trip, forth.delay_ns + back.delay_ns);
    f->queue = longer(f->queue, drain_ns(&forth) + drain_ns(&back));
}

static struct figures figures_of(const struct roads *r)
{
    struct figures f = {.rate = UINT64_MAX}, trunk = {.rate = UINT64_MAX};
    const struct chaos *c = r->client->chaos;
    look_at(c, &r->home, &f);
    look_at(c, &r->elsewhere, &f);
    look_at(c, &r->stream, &f);
    look_at(
        c,
        &(struct road){.exists = r->trunk->exists, .forth = r->trunk->up, .back = r->trunk->down},
        &trunk);
    f.rate = trunk.rate < f.rate ? trunk.rate : f.rate;
    f.round_trip += trunk.round_trip;
    f.queue += trunk.queue;
    return f;
}

uint64_t roads_rate(const struct roads *r)
{
    return r->client ? figures_of(r).rate : UINT64_MAX;
}

stt_ns roads_round_trip(const struct roads *r)
{
    return r->client ? figures_of(r).round_trip : 0;
}

stt_ns roads_queue(const struct roads *r)
{
    return r->client ? figures_of(r).queue : 0;
}

static void count_link(struct chaos *c, stt_sim_link link)
{
    struct stt_link_stats s = stt_sim_link_stats(c->sim, link);
    struct tally *t = &c->tally;
    t->lost += s.dropped[STT_LINK_DROP_LOSS];
    t->lost_in_bursts += s.dropped[STT_LINK_DROP_BURST];
    t->queue_full += s.dropped[STT_LINK_DROP_QUEUE];
    t->policed += s.dropped[STT_LINK_DROP_POLICED];
    t->too_large += s.dropped[STT_LINK_DROP_MTU] + s.dropped[STT_LINK_DROP_LARGE];
    t->corrupted += s.corrupted;
    t->duplicated += s.duplicated;
    t->reordered += s.reordered;
    t->marked += s.marked;
    chaos_require(c, !s.dropped[STT_LINK_DROP_UNWRITABLE],
                  "%llu datagrams went to a byte stream that was not writable",
                  (unsigned long long)s.dropped[STT_LINK_DROP_UNWRITABLE]);
}

void roads_count(const struct roads *r)
{
    struct chaos *c = r->client->chaos;
    const struct road *const all[] = {&r->home, &r->elsewhere, &r->stream};
    for (size_t i = 0; i < 3; i++)
        if (all[i]->exists) {
            count_link(c, all[i]->forth);
            count_link(c, all[i]->back);
        }
    if (r->has_nat)
        c->tally.refused_by_nats += stt_sim_nat_stats(c->sim, r->nat).refused;
}
