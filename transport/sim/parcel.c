/* SPDX-License-Identifier: MIT
 * parcel: slabs of three sizes: what the internet carries, jumbo frames, whole trains. */
#include "transport/sim/parcel.h"

#include <assert.h>
#include <string.h>

enum { PARCELS_MAX = 1 << 24, STEP_BYTES = 1 << 19 };

static const uint32_t sizes[STT_PARCEL_SIZES] = {1600, 9216, STT_PARCEL_BYTES_MAX};

static uint32_t step_of(uint32_t bytes)
{
    uint32_t step = 1;
    while (2 * step * bytes <= STEP_BYTES)
        step *= 2;
    return step;
}

void stt_parcels_init(struct stt_parcels *ps, const struct stt_env *env)
{
    for (size_t i = 0; i < STT_PARCEL_SIZES; i++) {
        struct stt_slab_shape shape = {
            .object_bytes = (uint32_t)sizeof(struct stt_parcel) + sizes[i],
            .align = 64,
            .step = step_of(sizes[i]),
            .max = PARCELS_MAX,
        };
        stt_slab_init(&ps->slabs[i], env, &shape);
    }
}

void stt_parcels_fini(struct stt_parcels *ps)
{
    for (size_t i = 0; i < STT_PARCEL_SIZES; i++)
        stt_slab_fini(&ps->slabs[i]);
}

struct stt_parcel *stt_parcel_new(struct stt_parcels *ps, size_t len)
{
    uint8_t size = 0;
    while (sizes[size] < len)
        size++;
    struct stt_parcel *p = stt_slab_take(&ps->slabs[size]);
    assert(p);
    *p = (struct stt_parcel){.size = size, .room = sizes[size]};
    return p;
}

void stt_parcel_free(struct stt_parcels *ps, struct stt_parcel *p)
{
    stt_slab_give_back(&ps->slabs[p->size], p);
}

struct stt_parcel *stt_parcel_copy(struct stt_parcels *ps, const struct stt_parcel *p, size_t from,
                                   size_t len)
{
    struct stt_parcel *copy = stt_parcel_new(ps, len);
    uint8_t size = copy->size;
    uint32_t room = copy->room;
    *copy = *p;
    copy->size = size;
    copy->room = room;
    copy->len = copy->segment_bytes = (uint32_t)len;
    if (len)
        memcpy(copy->data, p->data + from, len);
    return copy;
}
