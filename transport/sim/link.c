/* SPDX-License-Identifier: MIT
 * link: a parcel's way from the entry of a link to its end.
 *
 *             refuse()         start() ... served()            propagate()      arrived()
 *   offer --> gate --> queue -----------------------> faults --------> pipe -----------> caller
 *
 * Owns the parcels in queue and pipe. Invariants: at most one SERVED and one ARRIVED event of a
 * link are announced at a time, the latter for the head of the pipe; nobody overtakes
 * in the pipe: who would arrive before his predecessor arrives with him; what is to be overtaken
 * travels as an event of its own. stats.queue_bytes is
 * what waits, and on a byte stream also what is being sent: it leaves the buffer only then.
 * It must not know addresses, routes or nodes. */
#include "transport/sim/link.h"

#include <assert.h>

#define NS_PER_S STT_S(1)

void stt_net_link_init(struct stt_net_link *l, struct stt_net_medium *medium, uint32_t number,
                       uint64_t seed)
{
    *l = (struct stt_net_link){.medium = medium, .number = number};
    l->rng = stt_net_rng_init(seed, 'l', number);
    stt_list_init(&l->taps);
    stt_net_link_configure(l, &(struct stt_link_config){0});
}

static bool has_gate(const struct stt_link_config *c)
{
    return c->rate_bits_per_s || c->mtu_bytes || c->large_bytes || c->police_bits_per_s ||
           c->drop_every || c->drop_listed[0] || c->ecn_mark_bytes || c->ecn_bleached;
}

static bool has_faults(const struct stt_link_config *c)
{
    return c->loss_ppm || c->burst_enter_ppm || c->corrupt_ppm || c->duplicate_ppm ||
           c->reorder_ppm || c->jitter_ns;
}

static void tell_writable(struct stt_net_link *l, bool before)
{
    bool now = stt_net_link_is_writable(l);
    if (now != before && l->on_writable)
        l->on_writable(l->ctx, l->number, now);
}

/* The bucket's unit makes the income of a nanosecond a whole number, at any rate. */
static uint64_t tokens_of(uint64_t bytes)
{
    assert(bytes < UINT64_C(1) << 31);
    return bytes * 8 * NS_PER_S;
}

void stt_net_link_configure(struct stt_net_link *l, const struct stt_link_config *config)
{
    bool was_writable = stt_net_link_is_writable(l), was_policed = l->config.police_bits_per_s;
    l->config = *config;
    l->is_plain = !has_gate(config) && !has_faults(config) && !config->reliable;
    l->is_bad &= config->burst_enter_ppm != 0;
    if (!was_policed)
        l->tokens = tokens_of(config->police_burst_bytes);
    tell_writable(l, was_writable);
}

static uint64_t wire_bytes(const struct stt_net_link *l, const struct stt_parcel *p)
{
    return p->len + (uint64_t)l->config.header_bytes * stt_parcel_segments(p);
}

void stt_net_link_drop(struct stt_net_link *l, stt_ns now, struct stt_parcel *p,
                       enum stt_link_drop reason)
{
    l->stats.dropped[reason]++;
    stt_net_record(l->medium, now, 'd', l->number, reason, p->len);
    stt_parcel_free(&l->medium->parcels, p);
}

/* -- the gate: in front of the queue ------------------------------------------------------ */

static bool is_listed(const struct stt_net_link *l)
{
    uint64_t number = l->stats.datagrams_in; /* this one is counted */
    if (l->config.drop_every && number % l->config.drop_every == 0)
        return true;
    for (size_t i = 0; i < STT_LINK_LISTED_MAX && l->config.drop_listed[i]; i++)
        if (l->config.drop_listed[i] == number)
            return true;
    return false;
}

static bool has_tokens(struct stt_net_link *l, stt_ns now, uint64_t bytes)
{
    uint64_t full = tokens_of(l->config.police_burst_bytes), price = tokens_of(bytes);
    stt_ns passed = now - l->tokens_at;
    l->tokens_at = now;
    if (l->tokens > full)
        l->tokens = full;
    if (passed > (full - l->tokens) / l->config.police_bits_per_s)
        l->tokens = full;
    else
        l->tokens += passed * l->config.police_bits_per_s;
    if (price > l->tokens)
        return false;
    l->tokens -= price;
    return true;
}

static bool is_large_and_lost(struct stt_net_link *l, uint64_t bytes)
{
    return l->config.large_bytes && bytes >= l->config.large_bytes &&
           stt_net_rng_chance(&l->rng, l->config.large_loss_ppm);
}

/* Where a byte stream's sender does not hold back, there is nobody to keep it for. */
static enum stt_link_drop refuse_stream(const struct stt_net_link *l)
{
    bool spills = l->stats.queue_bytes < (uint64_t)l->config.queue_bytes + l->config.spill_bytes;
    return stt_net_link_is_writable(l) || spills ? STT_LINK_DROP_COUNT : STT_LINK_DROP_UNWRITABLE;
}

/* STT_LINK_DROP_COUNT: not refused. */
static enum stt_link_drop refuse(struct stt_net_link *l, stt_ns now, const struct stt_parcel *p)
{
    uint64_t bytes = wire_bytes(l, p);
    if (l->config.reliable)
        return refuse_stream(l);
    if (l->down)
        return STT_LINK_DROP_BLACKOUT;
    if (is_listed(l))
        return STT_LINK_DROP_LISTED;
    if (l->config.mtu_bytes && bytes > l->config.mtu_bytes)
        return STT_LINK_DROP_MTU;
    if (is_large_and_lost(l, bytes))
        return STT_LINK_DROP_LARGE;
    if (l->config.police_bits_per_s && !has_tokens(l, now, bytes))
        return STT_LINK_DROP_POLICED;
    if (l->is_serving && l->config.queue_bytes &&
        l->stats.queue_bytes + bytes > l->config.queue_bytes)
        return STT_LINK_DROP_QUEUE;
    return STT_LINK_DROP_COUNT;
}

static bool is_ecn_capable(const struct stt_parcel *p)
{
    return p->ecn == 1 || p->ecn == 2;
}

static void treat_ecn(struct stt_net_link *l, struct stt_parcel *p)
{
    if (l->config.reliable)
        return;
    if (l->config.ecn_mark_bytes && is_ecn_capable(p) &&
        l->stats.queue_bytes + wire_bytes(l, p) >= l->config.ecn_mark_bytes) {
        p->ecn = 3;
        l->stats.marked++;
    }
    if (l->config.ecn_bleached)
        p->ecn = 0;
}

/* -- the distance ------------------------------------------------------------------------- */

static void announce_arrival(struct stt_net_link *l)
{
    if (l->is_announced || !l->pipe.head)
        return;
    l->is_announced = true;
    struct stt_net_event e = {.at = l->pipe.head->at, .kind = STT_NET_ARRIVED, .subject = l};
    stt_net_events_push(&l->medium->events, e);
}

static stt_ns round_up(stt_ns at, stt_ns step)
{
    return step ? (at + step - 1) / step * step : at;
}

static void propagate(struct stt_net_link *l, stt_ns now, struct stt_parcel *p)
{
    const struct stt_link_config *c = &l->config;
    p->at = now + c->delay_ns;
    if (c->jitter_ns)
        p->at += stt_net_rng_below(&l->rng, c->jitter_ns + 1);
    if (!c->reliable && stt_net_rng_chance(&l->rng, c->reorder_ppm)) {
        l->stats.reordered++;
        struct stt_net_event e = {.at = p->at + c->reorder_ns, .kind = STT_NET_STRAY, .subject = p};
        stt_net_events_push(&l->medium->events, e);
        return;
    }
    p->at = round_up(p->at, c->aggregate_ns);
    stt_parcel_push(&l->pipe, p);
    announce_arrival(l);
}

/* STT_LINK_DROP_COUNT: comes through. */
static enum stt_link_drop lose(struct stt_net_link *l)
{
    const struct stt_link_config *c = &l->config;
    if (l->down)
        return STT_LINK_DROP_BLACKOUT;
    if (c->burst_enter_ppm) {
        uint32_t turn_ppm = l->is_bad ? c->burst_leave_ppm : c->burst_enter_ppm;
        l->is_bad ^= stt_net_rng_chance(&l->rng, turn_ppm);
        if (l->is_bad)
            return stt_net_rng_chance(&l->rng, c->burst_loss_ppm) ? STT_LINK_DROP_BURST
                                                                  : STT_LINK_DROP_COUNT;
    }
    return stt_net_rng_chance(&l->rng, c->loss_ppm) ? STT_LINK_DROP_LOSS : STT_LINK_DROP_COUNT;
}

static void flip_a_bit(struct stt_net_link *l, struct stt_parcel *p)
{
    uint64_t bit = stt_net_rng_below(&l->rng, 8 * (uint64_t)p->len);
    p->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    l->stats.corrupted++;
}

/* Behind the bottleneck. */
static void leave(struct stt_net_link *l, stt_ns now, struct stt_parcel *p)
{
    if (l->config.reliable) {
        propagate(l, now, p);
        return;
    }
    enum stt_link_drop reason = lose(l);
    if (reason != STT_LINK_DROP_COUNT) {
        stt_net_link_drop(l, now, p, reason);
        return;
    }
    struct stt_parcel *copy = NULL;
    if (stt_net_rng_chance(&l->rng, l->config.duplicate_ppm)) {
        copy = stt_parcel_copy(&l->medium->parcels, p, 0, p->len);
        l->stats.duplicated++;
    }
    if (p->len && stt_net_rng_chance(&l->rng, l->config.corrupt_ppm))
        flip_a_bit(l, p);
    propagate(l, now, p);
    if (copy)
        propagate(l, now, copy);
}

/* -- the bottleneck ----------------------------------------------------------------------- */

/* How long the rate takes for it, to the nanosecond over many. */
static stt_ns serve_ns(struct stt_net_link *l, uint64_t bytes)
{
    if (l->config.rate_bits_per_s == 0)
        return 0;
    uint64_t work = bytes * 8 * NS_PER_S + l->bit_rest;
    l->bit_rest = work % l->config.rate_bits_per_s;
    return work / l->config.rate_bits_per_s;
}

static void unqueue(struct stt_net_link *l, struct stt_parcel *p)
{
    bool was_writable = stt_net_link_is_writable(l);
    l->stats.queue_bytes -= p->queued_bytes;
    p->queued_bytes = 0;
    tell_writable(l, was_writable);
}

/* A blackout loses datagrams; a byte stream waits. */
static bool is_stopped(const struct stt_net_link *l)
{
    return l->config.reliable && l->down;
}

static void start(struct stt_net_link *l, stt_ns now)
{
    struct stt_parcel *p = l->queue.head;
    stt_ns waited = now - p->at;
    l->served++;
    l->waited_ns += waited;
    if (waited > l->stats.queue_ns_max)
        l->stats.queue_ns_max = waited;
    l->is_serving = true;
    struct stt_net_event e = {
        .at = now + serve_ns(l, wire_bytes(l, p)), .kind = STT_NET_SERVED, .subject = l};
    stt_net_events_push(&l->medium->events, e);
    if (!l->config.reliable)
        unqueue(l, p);
}

static void enqueue(struct stt_net_link *l, stt_ns now, struct stt_parcel *p)
{
    bool was_writable = stt_net_link_is_writable(l);
    p->at = now;
    p->queued_bytes = (uint32_t)wire_bytes(l, p);
    stt_parcel_push(&l->queue, p);
    l->stats.queue_bytes += p->queued_bytes;
    tell_writable(l, was_writable);
    if (!l->is_serving && !is_stopped(l)) {
        l->bit_rest = 0;
        start(l, now);
    }
    if (l->stats.queue_bytes > l->stats.queue_bytes_max)
        l->stats.queue_bytes_max = l->stats.queue_bytes;
}

void stt_net_link_served(struct stt_net_link *l, stt_ns now)
{
    struct stt_parcel *p = stt_parcel_pop(&l->queue);
    l->is_serving = false;
    unqueue(l, p);
    leave(l, now, p);
    if (l->queue.head && !is_stopped(l))
        start(l, now);
}

void stt_net_link_blackout(struct stt_net_link *l, stt_ns now, bool begins)
{
    l->down += begins ? 1 : UINT32_MAX;
    if (l->queue.head && !l->is_serving && !is_stopped(l))
        start(l, now);
}

void stt_net_link_offer(struct stt_net_link *l, stt_ns now, struct stt_parcel *p)
{
    l->stats.datagrams_in += stt_parcel_segments(p);
    l->stats.bytes_in += p->len;
    enum stt_link_drop reason = l->is_plain && !l->down ? STT_LINK_DROP_COUNT : refuse(l, now, p);
    if (reason != STT_LINK_DROP_COUNT) {
        stt_net_link_drop(l, now, p, reason);
        return;
    }
    treat_ecn(l, p);
    if (l->config.rate_bits_per_s || l->queue.head || is_stopped(l)) {
        enqueue(l, now, p);
        return;
    }
    l->served++;
    leave(l, now, p);
}

/* -- the end ------------------------------------------------------------------------------ */

void stt_net_link_count_out(struct stt_net_link *l, const struct stt_parcel *p)
{
    l->stats.datagrams_out += stt_parcel_segments(p);
    l->stats.bytes_out += p->len;
}

struct stt_parcel *stt_net_link_arrived(struct stt_net_link *l, stt_ns now)
{
    struct stt_parcel_fifo due = {NULL, NULL};
    while (l->pipe.head && l->pipe.head->at <= now) {
        struct stt_parcel *p = stt_parcel_pop(&l->pipe);
        stt_net_link_count_out(l, p);
        stt_parcel_push(&due, p);
    }
    l->is_announced = false;
    announce_arrival(l);
    return due.head;
}

struct stt_link_stats stt_net_link_stats(const struct stt_net_link *l)
{
    struct stt_link_stats stats = l->stats;
    stats.queue_ns_mean = l->served ? l->waited_ns / l->served : 0;
    return stats;
}
