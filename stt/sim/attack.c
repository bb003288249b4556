/* SPDX-License-Identifier: MIT
 * attack: taps, datagrams that nobody's machine sends, and a few attackers made of both.
 *
 * What an attacker adds arrives straight at the door of its destination: it stands next to it, and
 * does not use up the link that it listens on. */
#include "stt/sim/world.h"

#include <assert.h>
#include <string.h>

void stt_sim_tap(struct stt_sim *sim, stt_sim_link link,
                 bool (*see)(void *ctx, stt_ns now, struct stt_sim_datagram *d), void *ctx)
{
    struct stt_net_tap *tap = stt_sim_keep(sim, sizeof *tap);
    tap->see = see;
    tap->ctx = ctx;
    stt_net_tap_add(&sim->net, link, tap);
}

static struct stt_parcel *parcel_of(struct stt_sim *sim, const struct stt_sim_datagram *d)
{
    assert(d->len <= STT_TRAIN_BYTES);
    struct stt_parcel *p = stt_net_parcel(&sim->net, d->len);
    p->from = d->from;
    p->to = d->to;
    p->carrier = d->carrier;
    p->ecn = d->ecn;
    p->len = p->segment_bytes = (uint32_t)d->len;
    if (d->len)
        memcpy(p->data, d->data, d->len);
    return p;
}

void stt_sim_send(struct stt_sim *sim, const struct stt_sim_datagram *d)
{
    stt_net_send(&sim->net, sim->now, parcel_of(sim, d));
}

void stt_sim_inject(struct stt_sim *sim, const struct stt_sim_datagram *d)
{
    stt_net_inject(&sim->net, sim->now + d->delay_ns, parcel_of(sim, d));
}

/* -- those who listen --------------------------------------------------------------------- */

struct attacker {
    struct stt_sim *sim;
    stt_ns after_ns;
    struct stt_address from;
    uint64_t seen;
};

static struct attacker *attack(struct stt_sim *sim, stt_sim_link link,
                               bool (*see)(void *ctx, stt_ns now, struct stt_sim_datagram *d))
{
    struct attacker *a = stt_sim_keep(sim, sizeof *a);
    a->sim = sim;
    stt_sim_tap(sim, link, see, a);
    return a;
}

static bool replay(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    const struct attacker *a = ctx;
    (void)now;
    struct stt_sim_datagram again = *d;
    again.delay_ns = a->after_ns;
    stt_sim_inject(a->sim, &again);
    return true;
}

void stt_sim_replay(struct stt_sim *sim, stt_sim_link link, stt_ns after_ns)
{
    attack(sim, link, replay)->after_ns = after_ns;
}

static bool forge(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    struct attacker *a = ctx;
    (void)now;
    if (d->len == 0)
        return true;
    uint64_t bit = a->seen++ % (8 * d->len);
    struct stt_sim_datagram forged = *d;
    forged.delay_ns = 0;
    d->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    stt_sim_inject(a->sim, &forged);
    d->data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    return true;
}

void stt_sim_forge(struct stt_sim *sim, stt_sim_link link)
{
    attack(sim, link, forge);
}

static bool spoof(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    const struct attacker *a = ctx;
    (void)now;
    struct stt_sim_datagram copy = *d;
    copy.from = a->from;
    copy.delay_ns = 0;
    stt_sim_inject(a->sim, &copy);
    return true;
}

void stt_sim_spoof(struct stt_sim *sim, stt_sim_link link, const struct stt_address *from)
{
    attack(sim, link, spoof)->from = *from;
}

static bool reflect(void *ctx, stt_ns now, struct stt_sim_datagram *d)
{
    const struct attacker *a = ctx;
    (void)now;
    struct stt_sim_datagram back = *d;
    back.from = d->to;
    back.to = d->from;
    back.delay_ns = a->after_ns;
    stt_sim_inject(a->sim, &back);
    return true;
}

void stt_sim_reflect(struct stt_sim *sim, stt_sim_link link, stt_ns after_ns)
{
    attack(sim, link, reflect)->after_ns = after_ns;
}

/* -- those who shout ---------------------------------------------------------------------- */

struct wave {
    struct stt_sim_flood flood;
    uint64_t n;
};

static stt_ns time_of(const struct wave *w)
{
    uint64_t seconds = w->n / w->flood.per_second, rest = w->n % w->flood.per_second;
    return w->flood.from + STT_S(seconds) + STT_S(rest) / w->flood.per_second;
}

static void shout(void *ctx, struct stt_sim *sim)
{
    struct wave *w = ctx;
    struct stt_parcel *p = stt_net_parcel(&sim->net, STT_TRAIN_BYTES);
    struct stt_sim_datagram d = {.data = p->data, .room = STT_TRAIN_BYTES};
    if (!w->flood.make(w->flood.ctx, w->n++, &d)) {
        stt_parcel_free(&sim->net.medium.parcels, p);
        return;
    }
    assert(d.data == p->data && d.len <= d.room);
    p->from = d.from;
    p->to = d.to;
    p->carrier = d.carrier;
    p->ecn = d.ecn;
    p->len = p->segment_bytes = (uint32_t)d.len;
    stt_net_inject(&sim->net, sim->now + d.delay_ns, p);
    if (time_of(w) < w->flood.until)
        stt_sim_at(sim, time_of(w), shout, w);
}

void stt_sim_flood(struct stt_sim *sim, const struct stt_sim_flood *flood)
{
    assert(flood->per_second);
    struct wave *w = stt_sim_keep(sim, sizeof *w);
    w->flood = *flood;
    stt_sim_at(sim, flood->from, shout, w);
}
