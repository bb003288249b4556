/* SPDX-License-Identifier: MIT */
#include "tests/support/ether.h"

#include "tests/support/fuzz.h"

#include <string.h>

enum { TRANSMITS_AT_ONCE_MAX = 20000 };

static struct duo_side *side(struct duo *d, unsigned s)
{
    return s ? &d->server : &d->client;
}

static struct ether_datagram *datagram(struct ether *e, size_t i)
{
    return &e->at[e->order[i] - 1];
}

void ether_put(struct ether *e, unsigned s, const void *data, size_t len)
{
    FUZZ_ASSERT(len && len <= ETHER_DATAGRAM_MAX);
    if (e->n == ETHER_DATAGRAMS_MAX)
        return;
    if (!e->order[e->n]) /* was never used */
        e->order[e->n] = (uint16_t)(e->n + 1);
    struct ether_datagram *p = datagram(e, e->n++);
    p->from = (uint8_t)s;
    p->len = (uint16_t)len;
    memcpy(p->data, data, len);
}

void ether_collect(struct ether *e, struct duo *d, unsigned s)
{
    static uint8_t room[STT_TRAIN_BYTES];
    if (e->is_mute[s])
        return;
    for (int i = 0;; i++) {
        struct stt_train train = {.data = room, .len = e->room};
        FUZZ_ASSERT(i < TRANSMITS_AT_ONCE_MAX);
        if (!stt_endpoint_transmit(side(d, s)->ep, d->now, &train))
            return;
        FUZZ_ASSERT(train.len && train.len <= e->room && train.segment_bytes);
        for (size_t at = 0; at < train.len; at += train.segment_bytes) {
            size_t len = train.len - at;
            ether_put(e, s, room + at, len < train.segment_bytes ? len : train.segment_bytes);
        }
    }
}

/* Behind the others its place is free. */
static void remove_at(struct ether *e, size_t i)
{
    uint16_t place = e->order[i];
    memmove(&e->order[i], &e->order[i + 1], (--e->n - i) * sizeof e->order[0]);
    e->order[e->n] = place;
}

void ether_drop(struct ether *e, unsigned s, size_t n)
{
    uint16_t gone[ETHER_DATAGRAMS_MAX];
    size_t kept = 0, n_gone = 0;
    for (size_t i = 0; i < e->n; i++)
        if (datagram(e, i)->from == s && n_gone < n)
            gone[n_gone++] = e->order[i];
        else
            e->order[kept++] = e->order[i];
    memcpy(&e->order[kept], gone, n_gone * sizeof gone[0]);
    e->n = kept;
}

/* Datagrams of one length behind each other are a train, which a shorter one ends. */
struct arriving {
    struct stt_train train;
    bool is_over;
};

static bool joins(const struct arriving *a, const struct ether_datagram *p)
{
    return !a->is_over && p->len <= a->train.segment_bytes &&
           a->train.len + p->len <= STT_TRAIN_BYTES &&
           a->train.len / a->train.segment_bytes < STT_TRAIN_SEGMENTS;
}

static void arrive(struct arriving *a, struct duo *d, unsigned s)
{
    if (a->train.len)
        duo_deliver(d, side(d, !s), NULL, &a->train);
    a->train.len = a->train.segment_bytes = 0;
    a->is_over = false;
}

void ether_deliver(struct ether *e, struct duo *d, unsigned s, size_t n)
{
    static uint8_t data[STT_TRAIN_BYTES];
    struct arriving a = {.train.data = data};
    size_t taken = 0;
    for (size_t i = 0; i < e->n && taken < n; i++) {
        const struct ether_datagram *p = datagram(e, i);
        if (p->from != s)
            continue;
        if (a.train.len && !joins(&a, p))
            arrive(&a, d, s);
        if (!a.train.len)
            a.train.segment_bytes = p->len;
        memcpy(data + a.train.len, p->data, p->len);
        a.train.len += p->len;
        a.is_over = p->len < a.train.segment_bytes;
        taken++;
    }
    arrive(&a, d, s);
    ether_drop(e, s, taken);
}

void ether_deliver_one(struct ether *e, struct duo *d, size_t which)
{
    if (!e->n)
        return;
    size_t i = which % e->n;
    const struct ether_datagram *p = datagram(e, i);
    duo_deliver_bytes(d, side(d, !p->from), NULL, p->data, p->len);
    remove_at(e, i);
}

void ether_drop_one(struct ether *e, size_t which)
{
    if (e->n)
        remove_at(e, which % e->n);
}

void ether_copy_one(struct ether *e, size_t which)
{
    if (!e->n)
        return;
    const struct ether_datagram *p = datagram(e, which % e->n);
    ether_put(e, p->from, p->data, p->len);
}
