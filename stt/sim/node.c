/* SPDX-License-Identifier: MIT
 * node: one inhabitant of the world: who drives its machine, where it lives, and its fate.
 *
 * A machine is driven as a host would: after every call transmit until it is dry, then pull its
 * events, again as long as there are any, and then look at its deadline. One that never has enough
 * is a failure of the world and named. */
#include "stt/sim/world.h"

#include <assert.h>
#include <string.h>

struct stt_sim_inhabitant *stt_sim_inhabitant(const struct stt_sim *sim, stt_sim_node node)
{
    assert(node < sim->n_nodes && "a node of this sim");
    return sim->nodes[node];
}

bool stt_sim_inhabitant_is_awake(const struct stt_sim_inhabitant *n)
{
    return n->is_alive && !n->is_suspended;
}

void stt_sim_inhabitant_touch(struct stt_sim *sim, struct stt_sim_inhabitant *n)
{
    if (n->is_touched)
        return;
    n->is_touched = true;
    n->next_touched = NULL;
    *sim->touched_end = n;
    sim->touched_end = &n->next_touched;
}

static void record(struct stt_sim *sim, enum stt_sim_record_kind kind,
                   const struct stt_sim_inhabitant *n, uint64_t detail)
{
    stt_net_record(&sim->net.medium, sim->now, kind, n->number, detail, 0);
}

/* -- driving ------------------------------------------------------------------------------ */

/* False when this was once too often. */
static bool may_go_on(struct stt_sim *sim, struct stt_sim_inhabitant *n, uint32_t *count,
                      uint32_t max, const char *what)
{
    if (n->busy_at != sim->now)
        n->transmits = n->expires = 0;
    n->busy_at = sim->now;
    if (++*count <= max)
        return true;
    stt_sim_fail(sim, "at %llu ns: node %u spins: %s %u times without time passing",
                 (unsigned long long)sim->now, n->number, what, max);
    return false;
}

static struct stt_address source_of(const struct stt_sim_inhabitant *n,
                                    const struct stt_address *wanted)
{
    for (uint32_t i = 0; i < n->n_addresses; i++)
        if (n->addresses[i].port == wanted->port &&
            memcmp(n->addresses[i].ip, wanted->ip, sizeof wanted->ip) == 0)
            return n->addresses[i];
    return n->addresses[0];
}

static bool is_possible(const struct stt_train *t)
{
    return t->len <= STT_TRAIN_BYTES && (t->segment_bytes || t->len == 0) &&
           t->len <= t->segment_bytes * STT_TRAIN_SEGMENTS;
}

static bool is_refused(const struct stt_sim_inhabitant *n, const struct stt_train *t)
{
    return n->refuses_above && t->segment_bytes > n->refuses_above && t->len > n->refuses_above;
}

static void refuse(struct stt_sim *sim, const struct stt_sim_inhabitant *n,
                   const struct stt_train *t)
{
    sim->stats.trains_refused++;
    if (n->machine.refused)
        n->machine.refused(n->ctx, sim->now, t);
}

static void send(struct stt_sim *sim, const struct stt_sim_inhabitant *n, struct stt_parcel *p,
                 const struct stt_train *t)
{
    p->from = source_of(n, &t->path.local);
    p->to = t->path.remote;
    p->carrier = t->path.carrier;
    p->ecn = t->ecn;
    p->len = (uint32_t)t->len;
    p->segment_bytes = (uint32_t)(t->segment_bytes < t->len ? t->segment_bytes : t->len);
    stt_net_send(&sim->net, sim->now, p);
}

/* One train; false: there was none. */
static bool transmit(struct stt_sim *sim, struct stt_sim_inhabitant *n)
{
    struct stt_parcel *p = stt_net_parcel(&sim->net, STT_TRAIN_BYTES);
    struct stt_train train = {.data = p->data, .len = STT_TRAIN_BYTES};
    bool any = n->machine.transmit(n->ctx, sim->now, &train);
    bool possible = is_possible(&train) && train.data == p->data;
    bool goes_out = any && possible && !is_refused(n, &train);
    if (goes_out)
        send(sim, n, p, &train);
    else
        stt_parcel_free(&sim->net.medium.parcels, p);
    if (any && possible && !goes_out)
        refuse(sim, n, &train);
    if (any && !possible)
        stt_sim_fail(sim, "at %llu ns: node %u transmits %zu bytes in segments of %zu",
                     (unsigned long long)sim->now, n->number, train.len, train.segment_bytes);
    return any && may_go_on(sim, n, &n->transmits, sim->config.transmits_at_once_max, "transmits");
}

static bool pull_events(struct stt_sim_inhabitant *n)
{
    bool any = false;
    while (stt_sim_inhabitant_is_awake(n) && n->machine.event && n->machine.event(n->ctx))
        any = true;
    return any;
}

/* An earlier alarm is left to ring: it will find that its time has not come. */
static void set_alarm(struct stt_sim *sim, struct stt_sim_inhabitant *n)
{
    if (!n->machine.deadline)
        return;
    stt_ns deadline = n->machine.deadline(n->ctx);
    if (deadline < sim->now)
        deadline = sim->now;
    if (deadline >= n->wake_at)
        return;
    n->wake_at = deadline;
    struct stt_net_event e = {.at = deadline, .kind = STT_SIM_WAKE, .number = n->number};
    stt_net_events_push(&sim->net.medium.events, e);
}

void stt_sim_inhabitant_drive(struct stt_sim *sim, struct stt_sim_inhabitant *n)
{
    do
        while (stt_sim_inhabitant_is_awake(n) && n->machine.transmit && !stt_sim_failure(sim) &&
               transmit(sim, n))
            ;
    while (pull_events(n) && !stt_sim_failure(sim));
    if (stt_sim_inhabitant_is_awake(n))
        set_alarm(sim, n);
}

void stt_sim_inhabitant_wake(struct stt_sim *sim, struct stt_sim_inhabitant *n, stt_ns alarm)
{
    if (alarm != n->wake_at)
        return;
    n->wake_at = STT_NEVER;
    if (!stt_sim_inhabitant_is_awake(n))
        return;
    if (n->machine.deadline(n->ctx) <= sim->now && n->machine.expire) {
        if (!may_go_on(sim, n, &n->expires, sim->config.expires_at_once_max, "expires"))
            return;
        record(sim, STT_SIM_EXPIRED, n, 0);
        n->machine.expire(n->ctx, sim->now);
    }
    stt_sim_inhabitant_touch(sim, n);
}

void stt_sim_inhabitant_receive(struct stt_sim *sim, struct stt_sim_inhabitant *n,
                                const struct stt_net_arrival *arrival)
{
    if (!stt_sim_inhabitant_is_awake(n)) {
        sim->stats.not_running++;
        return;
    }
    struct stt_train train = {
        .path = {.local = arrival->to, .remote = arrival->from, .carrier = arrival->carrier},
        .data = arrival->data,
        .len = arrival->len,
        .segment_bytes = arrival->segment_bytes,
        .ecn = arrival->ecn,
    };
    if (n->machine.receive)
        n->machine.receive(n->ctx, sim->now, &train);
    stt_sim_inhabitant_touch(sim, n);
}

/* -- fate --------------------------------------------------------------------------------- */

static int start(struct stt_sim *sim, struct stt_sim_inhabitant *n)
{
    int error = n->machine.start ? n->machine.start(n->ctx, sim->now) : STT_OK;
    if (error)
        return error;
    n->is_alive = true;
    n->wake_at = STT_NEVER;
    record(sim, STT_SIM_LIFE, n, 1);
    stt_sim_inhabitant_touch(sim, n);
    return STT_OK;
}

static struct stt_sim_inhabitant *add(struct stt_sim *sim)
{
    sim->nodes = stt_net_more(sim->nodes, sim->n_nodes, &sim->nodes_room, sizeof *sim->nodes);
    struct stt_sim_inhabitant *n = stt_sim_keep(sim, sizeof *n);
    n->number = (uint32_t)sim->n_nodes;
    sim->nodes[sim->n_nodes++] = n;
    return n;
}

int stt_sim_machine_add(struct stt_sim *sim, const struct stt_sim_machine *machine, void *ctx,
                        const struct stt_address *address, stt_sim_node *out)
{
    assert(!machine->expire || machine->deadline);
    struct stt_sim_inhabitant *n = add(sim);
    n->machine = *machine;
    n->ctx = ctx;
    int error = start(sim, n);
    if (error) {
        sim->n_nodes--; /* its memory stays until the end */
        return error;
    }
    stt_sim_address_add(sim, n->number, address);
    *out = n->number;
    return STT_OK;
}

void stt_sim_refuse_above(struct stt_sim *sim, stt_sim_node node, uint32_t bytes)
{
    stt_sim_inhabitant(sim, node)->refuses_above = bytes;
}

void stt_sim_touch(struct stt_sim *sim, stt_sim_node node)
{
    stt_sim_inhabitant_touch(sim, stt_sim_inhabitant(sim, node));
}

void stt_sim_inhabitant_stop(struct stt_sim *sim, struct stt_sim_inhabitant *n)
{
    if (!n->is_alive)
        return;
    n->is_alive = false;
    record(sim, STT_SIM_LIFE, n, 0);
    if (n->machine.stop)
        n->machine.stop(n->ctx);
}

void stt_sim_kill(struct stt_sim *sim, stt_sim_node node)
{
    stt_sim_inhabitant_stop(sim, stt_sim_inhabitant(sim, node));
}

int stt_sim_restart(struct stt_sim *sim, stt_sim_node node)
{
    stt_sim_kill(sim, node);
    return start(sim, stt_sim_inhabitant(sim, node));
}

void stt_sim_suspend(struct stt_sim *sim, stt_sim_node node)
{
    struct stt_sim_inhabitant *n = stt_sim_inhabitant(sim, node);
    n->is_suspended = true;
    record(sim, STT_SIM_LIFE, n, 2);
}

/* An alarm that rang meanwhile was not heard. */
void stt_sim_resume(struct stt_sim *sim, stt_sim_node node)
{
    struct stt_sim_inhabitant *n = stt_sim_inhabitant(sim, node);
    n->is_suspended = false;
    record(sim, STT_SIM_LIFE, n, 3);
    stt_sim_inhabitant_touch(sim, n);
}

bool stt_sim_is_running(const struct stt_sim *sim, stt_sim_node node)
{
    return stt_sim_inhabitant_is_awake(stt_sim_inhabitant(sim, node));
}

/* -- addresses ---------------------------------------------------------------------------- */

static struct stt_address numbered(const uint8_t prefix[13], uint32_t number, uint16_t port)
{
    assert(number < 1u << 24);
    struct stt_address a = {.port = port};
    memcpy(a.ip, prefix, 13);
    a.ip[13] = (uint8_t)(number >> 16);
    a.ip[14] = (uint8_t)(number >> 8);
    a.ip[15] = (uint8_t)number;
    return a;
}

struct stt_address stt_sim_ipv4(uint32_t number, uint16_t port)
{
    return numbered((const uint8_t[13]){[10] = 0xff, 0xff, 10}, number, port);
}

struct stt_address stt_sim_ipv6(uint32_t number, uint16_t port)
{
    return numbered((const uint8_t[13]){0xfd}, number, port);
}

void stt_sim_address_add(struct stt_sim *sim, stt_sim_node node, const struct stt_address *address)
{
    struct stt_sim_inhabitant *n = stt_sim_inhabitant(sim, node);
    assert(n->n_addresses < STT_SIM_ADDRESSES_MAX && address->port);
    n->addresses[n->n_addresses++] = *address;
    stt_net_door_open(&sim->net, address, node);
}

void stt_sim_address_move(struct stt_sim *sim, stt_sim_node node, const struct stt_address *from,
                          const struct stt_address *to)
{
    struct stt_sim_inhabitant *n = stt_sim_inhabitant(sim, node);
    uint32_t i = 0;
    while (i < n->n_addresses && (n->addresses[i].port != from->port ||
                                  memcmp(n->addresses[i].ip, from->ip, sizeof from->ip) != 0))
        i++;
    assert(i < n->n_addresses && "an address of this node");
    stt_net_door_close(&sim->net, from);
    stt_net_door_open(&sim->net, to, node);
    stt_net_routes_copy(&sim->net.routes, from->ip, to->ip);
    n->addresses[i] = *to;
}

struct stt_address stt_sim_address(const struct stt_sim *sim, stt_sim_node node)
{
    return stt_sim_inhabitant(sim, node)->addresses[0];
}
