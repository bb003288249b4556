/* SPDX-License-Identifier: MIT
 * varint: integers below 2^62 in 1, 2, 4 or 8 bytes, as the cursors' rd_varint and wr_varint.
 *
 *     00xxxxxx   01xxxxxx + 1   10xxxxxx + 3   11xxxxxx + 7
 *
 * Where 8 bytes are left, both move one whole word and no branch depends on the size. So wr_varint
 * may scribble over up to 7 bytes of the room behind what it wrote. Spec 02, "Varint". */
#ifndef STT_WIRE_VARINT_H
#define STT_WIRE_VARINT_H

#include "stt/base/bytes.h"

#define STT_VARINT_MAX       ((UINT64_C(1) << 62) - 1)
#define STT_VARINT_BYTES_MAX 8

/* The last 7 bytes of a buffer, and what cannot be encoded. */
uint64_t stt_varint_decode_tail(struct rd *r);
void stt_varint_encode_tail(struct wr *w, uint64_t v);

/* Bytes of the shortest form; v is at most STT_VARINT_MAX. */
static inline unsigned stt_varint_size(uint64_t v)
{
    return 1u + (v > 63) + 2u * (v > 16383) + 4u * (v > 1073741823);
}

static inline uint64_t rd_varint(struct rd *r)
{
    if (rd_left(r) < sizeof(uint64_t) || r->bad)
        return stt_varint_decode_tail(r);
    uint64_t word = be64_load(r->at);
    unsigned size = 1u << (word >> 62);
    r->at += size;
    return (word & STT_VARINT_MAX) >> (64 - 8 * size);
}

/* For frame types and parameter ids, where a longer form is a violation. */
static inline uint64_t rd_varint_shortest(struct rd *r)
{
    const uint8_t *start = r->at;
    uint64_t v = rd_varint(r);
    if (!r->bad && (size_t)(r->at - start) == stt_varint_size(v))
        return v;
    r->bad = true;
    return 0;
}

static inline void wr_varint(struct wr *w, uint64_t v)
{
    if (wr_left(w) < sizeof(uint64_t) || w->bad || v > STT_VARINT_MAX) {
        stt_varint_encode_tail(w, v);
        return;
    }
    unsigned size = stt_varint_size(v);
    uint64_t prefix = (uint64_t)(v > 63) + (v > 16383) + (v > 1073741823);
    be64_store(w->at, prefix << 62 | v << (64 - 8 * size));
    w->at += size;
}

#endif
