/* SPDX-License-Identifier: MIT
 * pattern: bytes as a function of a key and their offset, so that whoever reads can judge them
 * without remembering what was written. */
#ifndef TOOLS_STTBENCH_CHAOS_PATTERN_H
#define TOOLS_STTBENCH_CHAOS_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t pattern_mix(uint64_t a, uint64_t b)
{
    uint64_t z = a + (b + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* The bytes from `offset` to the end of its word, at most len; answers how many. */
static inline size_t pattern_piece(uint8_t out[8], size_t len, uint64_t key, uint64_t offset)
{
    size_t from = offset % 8, n = 8 - from < len ? 8 - from : len;
    uint64_t word = pattern_mix(key, offset / 8);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(word >> (from + i) * 8);
    return n;
}

static inline void pattern_fill(uint8_t *out, size_t len, uint64_t key, uint64_t offset)
{
    for (size_t n; len; out += n, offset += n, len -= n) {
        uint8_t piece[8];
        n = pattern_piece(piece, len, key, offset);
        memcpy(out, piece, n);
    }
}

static inline bool pattern_agrees(const uint8_t *data, size_t len, uint64_t key, uint64_t offset)
{
    for (size_t n; len; data += n, offset += n, len -= n) {
        uint8_t piece[8];
        n = pattern_piece(piece, len, key, offset);
        if (memcmp(data, piece, n) != 0)
            return false;
    }
    return true;
}

#endif
