/* SPDX-License-Identifier: MIT
 * varint: the cold ends of the codec in varint.h, byte by byte and never past the end.
 * Spec 02, "Varint". */
#include "stt/wire/varint.h"

uint64_t stt_varint_decode_tail(struct rd *r)
{
    if (rd_left(r) == 0) {
        r->bad = true;
        return 0;
    }
    unsigned size = 1u << (*r->at >> 6);
    return rd_uint(r, size) & STT_VARINT_MAX >> (64 - 8 * size);
}

void stt_varint_encode_tail(struct wr *w, uint64_t v)
{
    if (v > STT_VARINT_MAX) {
        w->bad = true;
        return;
    }
    unsigned size = stt_varint_size(v);
    uint64_t prefix = (uint64_t)(v > 63) + (v > 16383) + (v > 1073741823);
    wr_uint(w, prefix << (8 * size - 2) | v, size);
}
