/* SPDX-License-Identifier: MIT
 * handover: a ring of parcels, each a train with its bytes behind it.
 *
 *     at          next                     end
 *     | lent, or  | parcel | parcel | not  |    free
 *     | nothing   |        |        | full |
 *
 * Room is reserved under the lock and filled outside of it, so that copies of several threads go on
 * at once; the taker stops at the first parcel that is not full yet, whose putter wakes it later.
 * Invariants: a parcel lies in one piece, if need be behind a filler up to the ring's end; `end -
 * at` never exceeds the ring; segments of one train stay in order, and all but the last are of one
 * size. It must not know what is in a datagram, but for its id. Spec 04, "Session ids". */
#include "stt/node/handover.h"

#include "stt/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { PARCEL_ALIGN = 128 };

struct parcel {
    _Atomic uint32_t is_full; /* read it */
    uint32_t bytes;           /* with this, to the next */
    struct stt_train train;   /* data NULL: a filler */
};

_Static_assert((STT_HANDOVER_BYTES & (STT_HANDOVER_BYTES - 1)) == 0, "offsets are masked");
_Static_assert(sizeof(struct parcel) <= PARCEL_ALIGN, "a filler may be as small as this");

/* -- whose is it? ------------------------------------------------------------------------------ */

static size_t segment_bytes(const struct stt_train *train)
{
    return train->segment_bytes && train->segment_bytes < train->len ? train->segment_bytes
                                                                     : train->len;
}

static struct bytes segment(const struct stt_train *train, uint32_t i)
{
    size_t size = segment_bytes(train), from = i * size, left = train->len - from;
    return bytes_of(train->data + from, left < size ? left : size);
}

uint32_t stt_handover_segments(const struct stt_train *train)
{
    size_t size = segment_bytes(train);
    return size ? (uint32_t)((train->len + size - 1) / size) : 0;
}

struct stt_train stt_handover_part(const struct stt_train *train, uint32_t first, uint32_t n)
{
    struct stt_train part = *train;
    size_t size = segment_bytes(train), left = train->len - first * size;
    part.data += first * size;
    part.len = left < n * size ? left : n * size;
    part.segment_bytes = size;
    return part;
}

/* NULL: there is none. */
static const uint8_t *id_of(struct bytes datagram)
{
    size_t at = datagram.len && datagram.data[0] & 0x80 ? 2 : 1;
    return datagram.len >= at + STT_ID_BYTES ? datagram.data + at : NULL;
}

static uint16_t worker_of(const struct stt_steering *s, const uint8_t *id)
{
    uint32_t hash = stt_id_worker(stt_id_of(id), &s->key, s->workers);
    return atomic_load_explicit(&s->serves[hash], memory_order_relaxed);
}

/* As a rule, a train is of one session, and its id is hashed once. */
bool stt_handover_split(const struct stt_steering *s, uint16_t own, const struct stt_train *train,
                        uint32_t n, uint16_t to[STT_HANDOVER_SEGMENTS])
{
    const uint8_t *last = NULL;
    uint16_t worker = own;
    bool is_own = true;
    for (uint32_t i = 0; i < n; i++) {
        const uint8_t *id = id_of(segment(train, i));
        if (id && (!last || memcmp(id, last, STT_ID_BYTES) != 0)) {
            worker = worker_of(s, id);
            is_own = is_own && worker == own;
            last = id;
        }
        to[i] = id ? worker : own;
    }
    return is_own;
}

/* -- the ring ---------------------------------------------------------------------------------- */

int stt_handover_init(struct stt_handover *h)
{
    *h = (struct stt_handover){.next = 0};
    h->ring = aligned_alloc(PARCEL_ALIGN, STT_HANDOVER_BYTES);
    if (!h->ring)
        return STT_E_MEMORY;
    int error = pthread_mutex_init(&h->lock, NULL);
    assert(error == 0);
    (void)error;
    return STT_OK;
}

void stt_handover_fini(struct stt_handover *h)
{
    if (!h->ring)
        return;
    pthread_mutex_destroy(&h->lock);
    free(h->ring);
}

static struct parcel *parcel_at(const struct stt_handover *h, uint64_t at)
{
    return (struct parcel *)(void *)(h->ring + (at & (STT_HANDOVER_BYTES - 1)));
}

static struct parcel *begin(struct stt_handover *h, uint64_t at, uint32_t bytes)
{
    struct parcel *p = parcel_at(h, at);
    atomic_init(&p->is_full, 0);
    p->bytes = bytes;
    p->train = (struct stt_train){.len = 0};
    return p;
}

static struct parcel *reserve(struct stt_handover *h, size_t len)
{
    uint32_t bytes =
        (uint32_t)(sizeof(struct parcel) + len + PARCEL_ALIGN - 1) / PARCEL_ALIGN * PARCEL_ALIGN;
    pthread_mutex_lock(&h->lock);
    uint64_t end = atomic_load_explicit(&h->end, memory_order_relaxed);
    uint64_t used = end - atomic_load_explicit(&h->at, memory_order_acquire);
    uint32_t left = STT_HANDOVER_BYTES - (uint32_t)(end & (STT_HANDOVER_BYTES - 1));
    uint32_t filler = left < bytes ? left : 0;
    struct parcel *p = NULL;
    if (used + filler + bytes <= STT_HANDOVER_BYTES) {
        if (filler)
            atomic_store_explicit(&begin(h, end, filler)->is_full, 1, memory_order_relaxed);
        p = begin(h, end + filler, bytes);
        atomic_store_explicit(&h->end, end + filler + bytes, memory_order_release);
    }
    pthread_mutex_unlock(&h->lock);
    return p;
}

static size_t bytes_for(const struct stt_train *train, uint32_t n, const uint16_t *to,
                        uint16_t worker)
{
    size_t len = 0;
    for (uint32_t i = 0; i < n; i++)
        len += to[i] == worker ? segment(train, i).len : 0;
    return len;
}

uint32_t stt_handover_put(struct stt_handover *h, const struct stt_train *train, uint32_t n,
                          const uint16_t *to, uint16_t worker)
{
    uint32_t taken = 0;
    struct parcel *p = reserve(h, bytes_for(train, n, to, worker));
    if (!p)
        return 0;
    uint8_t *out = (uint8_t *)(p + 1);
    p->train = *train;
    p->train.data = out;
    for (uint32_t i = 0; i < n; i++) {
        if (to[i] != worker)
            continue;
        struct bytes one = segment(train, i);
        memcpy(out, one.data, one.len);
        out += one.len;
        taken++;
    }
    p->train.len = (size_t)(out - p->train.data);
    p->train.segment_bytes = segment_bytes(train);
    atomic_store_explicit(&p->is_full, 1, memory_order_release);
    return taken;
}

bool stt_handover_take(struct stt_handover *h, struct stt_train *train)
{
    atomic_store_explicit(&h->at, h->next, memory_order_release);
    while (h->next != atomic_load_explicit(&h->end, memory_order_acquire)) {
        struct parcel *p = parcel_at(h, h->next);
        if (!atomic_load_explicit(&p->is_full, memory_order_acquire))
            return false;
        h->next += p->bytes;
        *train = p->train;
        if (train->data)
            return true;
        atomic_store_explicit(&h->at, h->next, memory_order_release);
    }
    return false;
}
