/* SPDX-License-Identifier: MIT
 * parcel: a datagram on its way through the simulated network, or a train of equal ones that has
 * met nothing yet that takes trains apart. Parcels are recycled: moving one costs no allocation. */
#ifndef STT_TRANSPORT_SIM_PARCEL_H
#define STT_TRANSPORT_SIM_PARCEL_H

#include "stt/address.h"
#include "stt/base/slab.h"

enum { STT_PARCEL_SIZES = 3, STT_PARCEL_BYTES_MAX = 65536, STT_PARCEL_LINKS_MAX = 4 };

struct stt_parcel {
    struct stt_parcel *next;
    stt_ns at; /* in a queue: since when; on a link: when it arrives */
    struct stt_address from, to;
    uint32_t carrier;
    uint32_t len, room;
    uint32_t segment_bytes; /* len for a single one */
    uint32_t queued_bytes;  /* with headers, as the queue has counted it */
    uint8_t ecn, size;
    bool is_tapped; /* the taps of this link have seen it */
    uint8_t hop, n_links;
    uint32_t links[STT_PARCEL_LINKS_MAX];
    uint8_t data[];
};

struct stt_parcels {
    struct stt_slab slabs[STT_PARCEL_SIZES];
};

struct stt_parcel_fifo {
    struct stt_parcel *head, *tail;
};

void stt_parcels_init(struct stt_parcels *ps, const struct stt_env *env);
/* Releases those that are still on their way, too. */
void stt_parcels_fini(struct stt_parcels *ps);

/* With room for len bytes; its data is unspecified, the rest zeros. */
struct stt_parcel *stt_parcel_new(struct stt_parcels *ps, size_t len);
void stt_parcel_free(struct stt_parcels *ps, struct stt_parcel *p);

/* Bytes [from, from + len) of a parcel as one of its own, at the same stage of the same way. */
struct stt_parcel *stt_parcel_copy(struct stt_parcels *ps, const struct stt_parcel *p, size_t from,
                                   size_t len);

static inline uint32_t stt_parcel_segments(const struct stt_parcel *p)
{
    return p->len <= p->segment_bytes ? 1 : (p->len + p->segment_bytes - 1) / p->segment_bytes;
}

static inline void stt_parcel_push(struct stt_parcel_fifo *f, struct stt_parcel *p)
{
    p->next = NULL;
    if (f->head)
        f->tail->next = p;
    else
        f->head = p;
    f->tail = p;
}

/* There is one. */
static inline struct stt_parcel *stt_parcel_pop(struct stt_parcel_fifo *f)
{
    struct stt_parcel *p = f->head;
    f->head = p->next;
    return p;
}

#endif
