/* SPDX-License-Identifier: MIT
 * spans: owns the table, a block with a set of ranges in front of its array. A table has two ranges
 * or more: with fewer the set is kept inline, and the block goes back. It must not know what the
 * ranges stand for. */
#include "stt/stream/spans.h"

#include <assert.h>
#include <string.h>

enum { CAPACITY_SMALL = 10 };

static size_t table_bytes(uint32_t capacity)
{
    return sizeof(struct stt_ranges) + capacity * sizeof(struct stt_range);
}

static_assert(sizeof(struct stt_ranges) + CAPACITY_SMALL * sizeof(struct stt_range) <=
                  STT_BLOCK_SMALL_BYTES,
              "a small table");
static_assert(sizeof(struct stt_ranges) + STT_SPANS_MAX * sizeof(struct stt_range) <=
                  STT_BLOCK_LARGE_BYTES,
              "a large table");

static bool is_table(const struct stt_spans *s)
{
    return s->many == STT_SPANS_MANY;
}

/* The set as ranges: the table, or `inline_set` made to stand for what is kept inline. */
static struct stt_ranges *ranges_of(struct stt_spans *s, struct stt_ranges *inline_set)
{
    if (is_table(s))
        return s->table;
    *inline_set = (struct stt_ranges){&s->one, s->one.to != 0, 1};
    return inline_set;
}

/* After a change. What is kept inline lies in place already, unless nothing is left. */
static void settle(struct stt_spans *s, struct stt_chunk_pool *pool, const struct stt_ranges *r)
{
    struct stt_range rest = r->n ? r->at[0] : (struct stt_range){0, 0};
    if (r->n > 1)
        return;
    if (is_table(s))
        stt_chunk_pool_give_back(pool, s->table, table_bytes(s->table->capacity));
    s->one = rest;
}

static bool grow(struct stt_spans *s, struct stt_chunk_pool *pool)
{
    struct stt_ranges few, *old = ranges_of(s, &few);
    uint32_t capacity = old->capacity < CAPACITY_SMALL ? CAPACITY_SMALL : STT_SPANS_MAX;
    struct stt_ranges *table = stt_chunk_pool_take(pool, table_bytes(capacity));
    if (!table)
        return false;
    stt_ranges_init(table, (struct stt_range *)(table + 1), capacity);
    memcpy(table->at, old->at, old->n * sizeof *table->at);
    table->n = old->n;
    if (is_table(s))
        stt_chunk_pool_give_back(pool, s->table, table_bytes(s->table->capacity));
    s->many = STT_SPANS_MANY;
    s->table = table;
    return true;
}

int stt_spans_add(struct stt_spans *s, struct stt_chunk_pool *pool, uint64_t from, uint64_t to)
{
    struct stt_ranges few, *r = ranges_of(s, &few);
    int error = stt_ranges_add(r, from, to);
    if (error != STT_E_LIMIT) {
        settle(s, pool, r);
        return error;
    }
    if (r->capacity == STT_SPANS_MAX)
        return STT_E_LIMIT;
    return grow(s, pool) ? stt_ranges_add(s->table, from, to) : STT_E_MEMORY;
}

/* There is at least one range, and [from, to) touches none. */
void stt_spans_widen(struct stt_spans *s, uint64_t from, uint64_t to)
{
    struct stt_ranges few, *r = ranges_of(s, &few);
    uint32_t i = 0;
    while (i < r->n && r->at[i].to < from)
        i++;
    if (i < r->n)
        r->at[i].from = from;
    else
        r->at[i - 1].to = to;
}

struct stt_range stt_spans_gap(const struct stt_spans *s, uint64_t from, uint64_t to)
{
    struct stt_range gap = {from, UINT64_MAX};
    if (is_table(s))
        gap = stt_ranges_first_gap(s->table, from);
    else if (from < s->one.from)
        gap.to = s->one.from;
    else if (from < s->one.to)
        gap.from = s->one.to;
    gap.to = gap.to < to ? gap.to : to;
    gap.from = gap.from < gap.to ? gap.from : gap.to;
    return gap;
}

void stt_spans_drop_below(struct stt_spans *s, struct stt_chunk_pool *pool, uint64_t to)
{
    struct stt_ranges few, *r = ranges_of(s, &few);
    stt_ranges_drop_below(r, to);
    settle(s, pool, r);
}

void stt_spans_clear(struct stt_spans *s, struct stt_chunk_pool *pool)
{
    stt_spans_drop_below(s, pool, UINT64_MAX);
}
