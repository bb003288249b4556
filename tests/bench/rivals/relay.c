/* SPDX-License-Identifier: MIT
 * relay: owns the links and what is on its way on them. Invariant: everything that is due before a
 * packet comes has happened when the link is asked about it, at the time for which it was due; so
 * only how late a packet leaves depends on when this process runs. Must not know what is in a
 * packet but for its ECN bits. */
#include "tests/bench/rivals/relay.h"

#include "transport/sim/heap.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOK = STT_NET_EVENTS, PACKET_ROOM = 2048, BURST = 64 };
#define LATE_NS STT_MS(1)
#define SPIN_NS STT_US(50) /* before a packet leaves: a sleep may end so much later */

stt_ns relay_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return STT_S(t.tv_sec) + (stt_ns)t.tv_nsec;
}

void relay_init(struct relay *r, const int files[RELAY_WAYS], uint64_t seed)
{
    *r = (struct relay){.medium = {.env = &stt_net_env, .digest = seed}};
    stt_net_events_init(&r->medium.events, &stt_net_env);
    stt_parcels_init(&r->medium.parcels, &stt_net_env);
    for (uint32_t way = 0; way < RELAY_WAYS; way++) {
        r->files[way] = files[way];
        stt_net_link_init(&r->links[way], &r->medium, way, seed);
    }
}

void relay_fini(struct relay *r)
{
    stt_parcels_fini(&r->medium.parcels);
    stt_net_events_fini(&r->medium.events);
}

/* -- packets ------------------------------------------------------------------------------------
 */

static uint8_t ecn_of(const struct stt_parcel *p)
{
    return p->data[0] >> 4 == 4 ? p->data[1] & 3 : 0;
}

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

/* RFC 1624: the sum changes by what the first two bytes change by. */
static void set_ecn(struct stt_parcel *p)
{
    uint32_t before = word(p->data), sum = ~word(p->data + 10) & 0xffff;
    p->data[1] = (uint8_t)((p->data[1] & ~3u) | p->ecn);
    sum += (~before & 0xffff) + word(p->data);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    p->data[10] = (uint8_t)(~sum >> 8);
    p->data[11] = (uint8_t)~sum;
}

static void deliver(struct relay *r, struct stt_parcel *p, stt_ns due)
{
    stt_ns now = relay_now();
    stt_ns late_ns = now > due ? now - due : 0;
    if (ecn_of(p) != p->ecn)
        set_ecn(p);
    r->refused += write(r->files[!p->links[0]], p->data, p->len) != (ssize_t)p->len;
    r->sent++;
    r->late += late_ns > LATE_NS;
    r->late_ns_max = late_ns > r->late_ns_max ? late_ns : r->late_ns_max;
    stt_parcel_free(&r->medium.parcels, p);
}

static void push_look(struct relay *r, stt_ns at)
{
    stt_net_events_push(&r->medium.events, (struct stt_net_event){.at = at, .kind = LOOK});
}

static void happen(struct relay *r, const struct stt_net_event *e)
{
    struct stt_parcel *p, *next;
    if (e->kind == STT_NET_SERVED)
        stt_net_link_served(e->subject, e->at);
    if (e->kind == STT_NET_ARRIVED)
        for (p = stt_net_link_arrived(e->subject, e->at); p; p = next) {
            next = p->next;
            deliver(r, p, p->at);
        }
    if (e->kind == STT_NET_STRAY) {
        p = e->subject;
        stt_net_link_count_out(&r->links[p->links[0]], p);
        deliver(r, p, e->at);
    }
    if (e->kind == LOOK) {
        if (r->look)
            r->look(r->ctx, e->at);
        push_look(r, e->at + STT_MS(1));
    }
}

static void advance(struct relay *r, stt_ns now)
{
    struct stt_net_event e;
    while (stt_net_events_next(&r->medium.events) <= now &&
           stt_net_events_pop(&r->medium.events, &e))
        happen(r, &e);
}

/* -- the clock ----------------------------------------------------------------------------------
 */

/* False: the device is gone. */
static bool take(struct relay *r, uint32_t way)
{
    uint8_t data[PACKET_ROOM];
    for (unsigned i = 0; i < BURST; i++) {
        ssize_t n = read(r->files[way], data, sizeof data);
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        stt_ns now = relay_now();
        advance(r, now);
        struct stt_parcel *p = stt_parcel_new(&r->medium.parcels, (size_t)n);
        memcpy(p->data, data, (size_t)n);
        p->len = p->segment_bytes = (uint32_t)n;
        p->links[0] = way;
        p->ecn = ecn_of(p);
        stt_net_link_offer(&r->links[way], now, p);
    }
    return true;
}

/* Nobody sees when the bottleneck is done with a packet, so only for one that leaves the relay does
 * it spin. */
static void wait_for_more(struct relay *r)
{
    const struct stt_net_events *events = &r->medium.events;
    struct pollfd files[RELAY_WAYS] = {{r->files[0], POLLIN, 0}, {r->files[1], POLLIN, 0}};
    uint32_t kind = events->heap[0].kind;
    stt_ns at = events->heap[0].at, now = relay_now();
    stt_ns spin = kind == STT_NET_ARRIVED || kind == STT_NET_STRAY ? SPIN_NS : 0;
    if (at <= now + spin)
        return;
    struct timespec patience = {.tv_nsec = (long)(at - now - spin)};
    (void)ppoll(files, RELAY_WAYS, &patience, NULL);
}

bool relay_run(struct relay *r, stt_ns until)
{
    bool is_there = true;
    push_look(r, relay_now() + STT_MS(1));
    while (is_there && relay_now() < until) {
        is_there = take(r, RELAY_FORTH) && take(r, RELAY_BACK);
        advance(r, relay_now());
        wait_for_more(r);
    }
    return is_there;
}
