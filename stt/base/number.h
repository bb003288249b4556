/* SPDX-License-Identifier: MIT
 * number: packet numbers, of which the wire carries the low 32 bits (spec 02, "Packet number"). */
#ifndef STT_BASE_NUMBER_H
#define STT_BASE_NUMBER_H

#include <stdint.h>

/* Numbers are below this. */
#define STT_NUMBER_END (UINT64_C(1) << 62)

/* The number nearest to `expected`, the highest opened so far plus one, that ends in `wire`; of two
 * that are equally near, the higher. */
static inline uint64_t stt_number_recover(uint64_t expected, uint32_t wire)
{
    const uint64_t window = UINT64_C(1) << 32;
    if (expected >= STT_NUMBER_END)
        expected = STT_NUMBER_END - 1;
    uint64_t candidate = (expected & ~(window - 1)) | wire;
    if (candidate + window / 2 <= expected && candidate + window < STT_NUMBER_END)
        return candidate + window;
    if (candidate > expected + window / 2 && candidate >= window)
        return candidate - window;
    return candidate;
}

#endif
