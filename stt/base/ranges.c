/* SPDX-License-Identifier: MIT
 * ranges: owns nothing; works in the caller's array.
 *
 * Invariant: at[i].from < at[i].to, and at[i].to < at[i + 1].from: neighbours that touch are one
 * range. It must not know what the numbers stand for, nor which ranges may be forgotten. */
#include "stt/base/ranges.h"

#include <string.h>

/* The first range that ends at or above `value`: it holds, touches or follows it. The end of the
 * set comes first, because that is where packet numbers and bytes arrive. */
static uint32_t first_reaching(const struct stt_ranges *r, uint64_t value)
{
    uint32_t low = 0, high = r->n;
    if (high == 0 || r->at[high - 1].to < value)
        return high;
    if (high == 1 || r->at[high - 2].to < value)
        return high - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (r->at[middle].to < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Replaces the ranges [first, last) by `count` unset ones. The caller saw that they fit. */
static void replace(struct stt_ranges *r, uint32_t first, uint32_t last, uint32_t count)
{
    if (last - first != count && last != r->n)
        memmove(r->at + first + count, r->at + last, (r->n - last) * sizeof *r->at);
    r->n = r->n - (last - first) + count;
}

int stt_ranges_add(struct stt_ranges *r, uint64_t from, uint64_t to)
{
    if (from >= to)
        return from == to ? STT_OK : STT_E_ARGUMENT;
    uint32_t first = first_reaching(r, from), last = first;
    while (last < r->n && r->at[last].from <= to)
        last++;
    if (first == last && r->n == r->capacity)
        return STT_E_LIMIT;
    if (first < last) {
        if (r->at[first].from < from)
            from = r->at[first].from;
        if (r->at[last - 1].to > to)
            to = r->at[last - 1].to;
    }
    replace(r, first, last, 1);
    r->at[first] = (struct stt_range){from, to};
    return STT_OK;
}

int stt_ranges_remove(struct stt_ranges *r, uint64_t from, uint64_t to)
{
    if (from >= to)
        return from == to ? STT_OK : STT_E_ARGUMENT;
    uint32_t first = first_reaching(r, from);
    if (first < r->n && r->at[first].to == from)
        first++; /* touches, but holds none of it */
    uint32_t last = first;
    while (last < r->n && r->at[last].from < to)
        last++;
    if (first == last)
        return STT_OK;

    struct stt_range head = {r->at[first].from, from}, tail = {to, r->at[last - 1].to};
    uint32_t heads = head.from < head.to, tails = tail.from < tail.to;
    if (r->n - (last - first) + heads + tails > r->capacity)
        return STT_E_LIMIT;
    replace(r, first, last, heads + tails);
    if (heads)
        r->at[first] = head;
    if (tails)
        r->at[first + heads] = tail;
    return STT_OK;
}

void stt_ranges_drop_first(struct stt_ranges *r)
{
    if (r->n)
        replace(r, 0, 1, 0);
}

void stt_ranges_drop_below(struct stt_ranges *r, uint64_t to)
{
    int error = stt_ranges_remove(r, 0, to);
    (void)error; /* nothing lies below zero, so there is no head to split off */
}

bool stt_ranges_contains(const struct stt_ranges *r, uint64_t value)
{
    uint32_t i = first_reaching(r, value);
    return i < r->n && r->at[i].from <= value && value < r->at[i].to;
}

struct stt_range stt_ranges_first_gap(const struct stt_ranges *r, uint64_t start)
{
    uint32_t i = first_reaching(r, start);
    if (i < r->n && r->at[i].from <= start)
        start = r->at[i++].to;
    return (struct stt_range){start, i < r->n ? r->at[i].from : UINT64_MAX};
}
