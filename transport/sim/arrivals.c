/* SPDX-License-Identifier: MIT
 * arrivals: at most one train at a time is being put together. A single datagram, or a train that
 * came whole, is delivered from where it lies; only what is joined is copied. */
#include "transport/sim/arrivals.h"

#include <string.h>

void stt_net_arrivals_flush(struct stt_net_arrivals *a, stt_ns now)
{
    struct stt_parcel *p = a->first;
    if (!p)
        return;
    a->first = NULL;
    struct stt_net_arrival arrival = {
        .from = p->from,
        .to = p->to,
        .carrier = p->carrier,
        .ecn = p->ecn,
        .data = a->is_joined ? a->data : p->data,
        .len = a->len,
        .segment_bytes = a->segment_bytes,
    };
    stt_net_record(a->medium, now, 'v', a->door, a->segment_bytes, a->len);
    a->deliver(a->ctx, now, a->door, &arrival);
    stt_parcel_free(&a->medium->parcels, p);
}

static bool is_address(const struct stt_address *a, const struct stt_address *b)
{
    return a->port == b->port && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static bool continues(const struct stt_net_arrivals *a, uint32_t door, const struct stt_parcel *p)
{
    return a->first && a->door == door && !a->is_closed && a->segments < a->segments_max &&
           p->len && p->len <= a->segment_bytes && a->len + p->len <= sizeof a->data &&
           p->ecn == a->first->ecn && p->carrier == a->first->carrier &&
           is_address(&p->from, &a->first->from) && is_address(&p->to, &a->first->to);
}

static void join(struct stt_net_arrivals *a, struct stt_parcel *p)
{
    if (!a->is_joined)
        memcpy(a->data, a->first->data, a->len);
    a->is_joined = true;
    memcpy(a->data + a->len, p->data, p->len);
    a->len += p->len;
    a->segments++;
    a->is_closed = p->len < a->segment_bytes;
    stt_parcel_free(&a->medium->parcels, p);
}

void stt_net_arrivals_add(struct stt_net_arrivals *a, stt_ns now, uint32_t door,
                          struct stt_parcel *p)
{
    if (stt_parcel_segments(p) == 1 && continues(a, door, p)) {
        join(a, p);
        return;
    }
    stt_net_arrivals_flush(a, now);
    a->first = p;
    a->door = door;
    a->segments = stt_parcel_segments(p);
    a->len = p->len;
    a->segment_bytes = p->segment_bytes;
    a->is_closed = p->len == 0 || p->len % p->segment_bytes;
    a->is_joined = false;
}
