/* SPDX-License-Identifier: MIT
 * recvq: owns the bytes that have arrived and are not consumed. Spec 05, "Receiving", "Messages".
 *
 * Invariants:
 *  - consumed <= contiguous <= highest <= end. Islands lie above contiguous and touch neither it
 *    nor each other; the last one ends at or below highest.
 *  - A byte that has arrived is never written again. It has its memory, except in chunks that were
 *    skipped whole: those read as zeros.
 *  - What arrives for a queue that was stopped (its chunks have no pool) is consumed at once.
 * It must not know flow control or messages. */
#include "stt/stream/recvq.h"

#include "stt/wire/limits.h"

#include <assert.h>

static_assert(STT_SPANS_MAX == STT_STREAM_GAPS_MAX, "an island for each gap");

static const uint8_t zeros[STT_CHUNK_BYTES / 4]; /* parts of a chunk that was skipped whole */

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void stt_recvq_init(struct stt_recvq *q, struct stt_chunk_pool *pool)
{
    *q = (struct stt_recvq){.end = STT_RECVQ_NO_END};
    stt_chunks_init(&q->chunks, pool);
}

void stt_recvq_fini(struct stt_recvq *q)
{
    stt_recvq_stop(q);
}

void stt_recvq_stop(struct stt_recvq *q)
{
    stt_spans_clear(&q->islands, q->chunks.pool);
    stt_chunks_fini(&q->chunks);
    q->consumed = q->contiguous = q->highest;
}

static bool is_stopped(const struct stt_recvq *q)
{
    return !q->chunks.pool;
}

static void move_highest(struct stt_recvq *q, uint64_t to)
{
    q->highest = to;
    if (is_stopped(q))
        q->consumed = q->contiguous = to;
}

static bool breaks_end(const struct stt_recvq *q, uint64_t to, bool fin)
{
    if (to > q->end)
        return true;
    return fin && to != q->end && (q->end != STT_RECVQ_NO_END || to < q->highest);
}

static bool copy(struct stt_recvq *q, struct stt_range to, enum stt_chunk_use use,
                 const uint8_t *data)
{
    size_t here;
    for (; to.from < to.to; to.from += here, data += here) {
        uint8_t *at = stt_chunks_make(&q->chunks, to.from, use, &here);
        if (!at)
            return false;
        here = (size_t)least(here, to.to - to.from);
        memcpy(at, data, here);
    }
    return true;
}

/* Nothing of the chunk of to.from will ever be written any more: it needs no memory. */
static bool is_filled_up(const struct stt_recvq *q, struct stt_range to)
{
    uint64_t start = to.from - to.from % STT_CHUNK_BYTES;
    return to.from <= most(start, q->contiguous) && to.to - start >= STT_CHUNK_BYTES;
}

static bool blank(struct stt_recvq *q, struct stt_range to, enum stt_chunk_use use)
{
    size_t here;
    for (; to.from < to.to; to.from += here) {
        uint8_t *at = stt_chunks_at(&q->chunks, to.from, &here);
        if (!at && !is_filled_up(q, to)) {
            at = stt_chunks_make(&q->chunks, to.from, use, &here);
            if (!at)
                return false;
        }
        here = (size_t)least(here, to.to - to.from);
        if (at)
            memset(at, 0, here);
    }
    return true;
}

/* What has not arrived yet gets the data, or zeros where there is none. */
static bool fill(struct stt_recvq *q, uint64_t from, uint64_t to, const uint8_t *data)
{
    enum stt_chunk_use use = from <= q->contiguous ? STT_CHUNK_FOR_NEXT : STT_CHUNK_FOR_ISLAND;
    struct stt_range gap = {.to = most(from, q->contiguous)};
    while (gap.to < to) {
        gap = stt_spans_gap(&q->islands, gap.to, to);
        if (!(data ? copy(q, gap, use, data + (gap.from - from)) : blank(q, gap, use)))
            return false;
    }
    return true;
}

static enum stt_recvq_result mark(struct stt_recvq *q, uint64_t from, uint64_t to)
{
    if (from > q->contiguous) {
        int error = stt_spans_add(&q->islands, q->chunks.pool, from, to);
        if (error)
            return error == STT_E_LIMIT ? STT_RECVQ_TOO_MANY : STT_RECVQ_NO_ROOM;
    } else {
        q->contiguous = to;
        if (!stt_spans_is_empty(&q->islands)) {
            q->contiguous = stt_spans_gap(&q->islands, to, UINT64_MAX).from;
            stt_spans_drop_below(&q->islands, q->chunks.pool, q->contiguous);
        }
    }
    return STT_RECVQ_OK;
}

static bool holds_any(const struct stt_recvq *q, uint64_t from, uint64_t to)
{
    if (most(from, q->consumed) < least(to, q->contiguous))
        return true;
    struct stt_range gap = stt_spans_gap(&q->islands, from, to);
    return gap.from != from || gap.to != to;
}

/* Chunks that were taken for data that cannot be kept. */
static void drop_unused(struct stt_recvq *q, uint64_t from, uint64_t to)
{
    uint64_t start = most(from, q->contiguous) / STT_CHUNK_BYTES * STT_CHUNK_BYTES;
    for (; start < to; start += STT_CHUNK_BYTES)
        if (!holds_any(q, start, start + STT_CHUNK_BYTES))
            stt_chunks_drop(&q->chunks, start);
}

static enum stt_recvq_result keep(struct stt_recvq *q, uint64_t from, uint64_t to,
                                  const uint8_t *data)
{
    if (from == to || to <= q->contiguous)
        return STT_RECVQ_OK;
    if (is_stopped(q)) {
        move_highest(q, to);
        return STT_RECVQ_OK;
    }
    enum stt_recvq_result result = fill(q, from, to, data) ? mark(q, from, to) : STT_RECVQ_NO_ROOM;
    if (result == STT_RECVQ_OK)
        move_highest(q, most(q->highest, to));
    else
        drop_unused(q, from, to);
    return result;
}

/* What comes next where nothing is missing, as nearly always; false: it is not that, or there is no
 * memory, and nothing has arrived. */
static bool append(struct stt_recvq *q, uint64_t from, struct bytes data)
{
    struct stt_range to = {from, from + data.len};
    if (from != q->contiguous || to.to >= q->end || !stt_spans_is_empty(&q->islands) ||
        is_stopped(q) || !copy(q, to, STT_CHUNK_FOR_NEXT, data.data))
        return false;
    q->contiguous = to.to;
    q->highest = most(q->highest, to.to);
    return true;
}

enum stt_recvq_result stt_recvq_insert(struct stt_recvq *q, uint64_t offset, struct bytes data,
                                       bool fin)
{
    uint64_t to = offset + data.len;
    if (!fin && append(q, offset, data))
        return STT_RECVQ_OK;
    if (breaks_end(q, to, fin))
        return STT_RECVQ_FINAL;
    enum stt_recvq_result result = keep(q, offset, to, data.data);
    if (result == STT_RECVQ_OK && fin) {
        q->end = to;
        move_highest(q, to);
    }
    return result;
}

enum stt_recvq_result stt_recvq_skip(struct stt_recvq *q, uint64_t offset, uint64_t len)
{
    uint64_t to = offset + len;
    return breaks_end(q, to, false) ? STT_RECVQ_FINAL : keep(q, offset, to, NULL);
}

enum stt_recvq_result stt_recvq_reset(struct stt_recvq *q, uint64_t final_offset)
{
    if (breaks_end(q, final_offset, true))
        return STT_RECVQ_FINAL;
    q->highest = q->end = final_offset;
    stt_recvq_stop(q);
    return STT_RECVQ_OK;
}

size_t stt_recvq_peek(const struct stt_recvq *q, struct bytes *parts, size_t max)
{
    size_t n = 0, here;
    for (uint64_t at = q->consumed; at < q->contiguous && n < max; at += here) {
        const uint8_t *data = stt_chunks_at(&q->chunks, at, &here);
        if (!data) {
            data = zeros;
            here = here < sizeof zeros ? here : sizeof zeros;
        }
        here = (size_t)least(here, q->contiguous - at);
        parts[n++] = bytes_of(data, here);
    }
    return n;
}

void stt_recvq_consume(struct stt_recvq *q, uint64_t len)
{
    assert(len <= stt_recvq_available(q));
    q->consumed += len;
    stt_chunks_release(&q->chunks, q->consumed,
                       stt_spans_is_empty(&q->islands) ? q->contiguous : UINT64_MAX);
}
