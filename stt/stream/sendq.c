/* SPDX-License-Identifier: MIT
 * sendq: owns the bytes that were written and are not acknowledged, and the knowledge of what is
 * to be done with them. Spec 05, "Sending".
 *
 *     acked        holes        sent           queued      byte             what next
 *     |.xx..######..xx#####.......|..............|         below acked      left
 *       lost                                               # in holes       leaves with acked
 *                                                          x lost, no hole  sent again, first
 *                                                          . up to sent     in flight
 *                                                          . above sent     to be sent
 * Invariants:
 *  - acked <= sent <= queued; every byte in [acked, queued) has its memory.
 *  - holes lie above acked and do not touch it. Only skipped ones lie above sent, and none begins
 *    there.
 *  - lost lies below sent. It may overlap holes, so that an ack need not take it apart, but its
 *    first byte is in [acked, sent) and in no hole: lost is empty when nothing is to be repeated.
 *  - No memory is needed to stay correct: a loss that cannot be remembered exactly widens lost to
 *    more than was lost; an ack that cannot be remembered turns into a loss.
 * It must not know packets, flow control windows or messages. */
#include "stt/stream/sendq.h"

#include "stt/wire/varint.h"

#include <assert.h>

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void stt_sendq_init(struct stt_sendq *q, struct stt_chunk_pool *pool)
{
    *q = (struct stt_sendq){.sent = 0};
    stt_chunks_init(&q->chunks, pool);
}

void stt_sendq_fini(struct stt_sendq *q)
{
    stt_spans_clear(&q->holes, q->chunks.pool);
    stt_spans_clear(&q->lost, q->chunks.pool);
    stt_chunks_fini(&q->chunks);
    q->acked = q->queued = q->sent;
    q->is_finished = q->fin_lost = q->fin_acked = false; /* what is given up is never done */
}

static uint64_t room_below(const struct stt_sendq *q, uint64_t capacity)
{
    uint64_t used = q->queued - q->acked;
    if (q->is_finished || !q->chunks.pool || used >= capacity)
        return 0;
    return least(capacity - used, STT_VARINT_MAX - q->queued);
}

uint8_t *stt_sendq_reserve(struct stt_sendq *q, uint64_t capacity, size_t *len)
{
    uint64_t room = room_below(q, capacity);
    uint8_t *at = NULL;
    if (room)
        at = stt_chunks_make(&q->chunks, q->queued, STT_CHUNK_FOR_SENDING, len);
    *len = at ? (size_t)least(*len, room) : 0;
    return at;
}

size_t stt_sendq_reserve_parts(struct stt_sendq *q, uint64_t capacity, struct stt_sendq_room *parts,
                               size_t max)
{
    uint64_t room = room_below(q, capacity), at = q->queued;
    size_t n = 0, len;
    for (uint8_t *to; n < max && room > 0; room -= len, at += len) {
        to = stt_chunks_make(&q->chunks, at, STT_CHUNK_FOR_SENDING, &len);
        if (!to)
            break;
        len = (size_t)least(len, room);
        parts[n++] = (struct stt_sendq_room){to, len};
    }
    return n;
}

bool stt_sendq_may_commit(const struct stt_sendq *q, uint64_t capacity, size_t len)
{
    uint64_t at = q->queued, end = at + len;
    size_t here;
    if (len > room_below(q, capacity))
        return false;
    for (; at < end; at += here)
        if (!stt_chunks_at(&q->chunks, at, &here))
            return false;
    return true;
}

/* Chunks that begin at `from` or behind it: they were taken for bytes that do not come. */
static void drop_unused(struct stt_sendq *q, uint64_t from)
{
    uint64_t at = (from + STT_CHUNK_BYTES - 1) / STT_CHUNK_BYTES * STT_CHUNK_BYTES;
    for (size_t here; stt_chunks_at(&q->chunks, at, &here); at += STT_CHUNK_BYTES)
        stt_chunks_drop(&q->chunks, at);
}

void stt_sendq_commit(struct stt_sendq *q, size_t len)
{
    size_t here;
    assert(!len || stt_chunks_at(&q->chunks, q->queued + len - 1, &here));
    q->queued += len;
    drop_unused(q, q->queued);
    stt_chunks_release(&q->chunks, q->acked, q->queued);
}

size_t stt_sendq_write(struct stt_sendq *q, struct bytes data, uint64_t capacity)
{
    size_t done = 0, len;
    for (uint8_t *to; done < data.len && (to = stt_sendq_reserve(q, capacity, &len)); done += len) {
        len = (size_t)least(len, data.len - done);
        memcpy(to, data.data + done, len);
        q->queued += len;
    }
    return done;
}

void stt_sendq_take_back(struct stt_sendq *q, uint64_t to)
{
    assert(q->sent <= to && to <= q->queued);
    uint64_t unused = (to + STT_CHUNK_BYTES - 1) / STT_CHUNK_BYTES * STT_CHUNK_BYTES;
    for (; unused < q->queued; unused += STT_CHUNK_BYTES)
        stt_chunks_drop(&q->chunks, unused);
    q->queued = to;
    stt_chunks_release(&q->chunks, q->acked, q->queued);
}

void stt_sendq_finish(struct stt_sendq *q)
{
    q->is_finished = q->chunks.pool;
}

/* What is lost first may have been acknowledged meanwhile. */
static void trim_lost(struct stt_sendq *q)
{
    while (!stt_spans_is_empty(&q->lost)) {
        uint64_t first = stt_spans_first(&q->lost).from;
        uint64_t from = first > q->acked ? first : q->acked;
        from = stt_spans_gap(&q->holes, from, UINT64_MAX).from;
        if (from == first)
            return;
        stt_spans_drop_below(&q->lost, q->chunks.pool, from);
    }
}

static void give(const struct stt_sendq *q, uint64_t from, uint64_t to,
                 struct stt_sendq_piece *piece)
{
    piece->offset = from;
    piece->len = (uint32_t)(to - from);
    piece->fin = q->is_finished && to == q->queued && !q->fin_acked;
}

static void give_lost(struct stt_sendq *q, size_t room, struct stt_sendq_piece *piece)
{
    struct stt_range lost = stt_spans_first(&q->lost);
    lost.to = least(lost.to, stt_spans_gap(&q->holes, lost.from, UINT64_MAX).to);
    lost.to = least(lost.to, lost.from + room);
    give(q, lost.from, lost.to, piece);
    piece->is_repeated = true;
    stt_spans_drop_below(&q->lost, q->chunks.pool, lost.to);
    trim_lost(q);
}

/* What was skipped is stepped over. */
static void advance_sent(struct stt_sendq *q, uint64_t to)
{
    q->sent = to;
    if (!stt_spans_is_empty(&q->holes))
        q->sent = stt_spans_gap(&q->holes, to, UINT64_MAX).from;
}

static void give_new(struct stt_sendq *q, uint64_t limit, size_t room,
                     struct stt_sendq_piece *piece)
{
    uint64_t to = least(limit, q->sent + room);
    if (!stt_spans_is_empty(&q->holes))
        to = least(to, stt_spans_gap(&q->holes, q->sent, UINT64_MAX).to);
    give(q, q->sent, to, piece);
    piece->is_repeated = false;
    advance_sent(q, to);
}

bool stt_sendq_next(struct stt_sendq *q, uint64_t limit, size_t room, struct stt_sendq_piece *piece)
{
    room = (size_t)least(room, UINT32_MAX);
    limit = least(limit, q->queued);
    if (room && !stt_spans_is_empty(&q->lost)) {
        give_lost(q, room, piece);
    } else if (room && q->sent < limit) {
        give_new(q, limit, room, piece);
    } else if (stt_sendq_owes_fin(q)) {
        give(q, q->queued, q->queued, piece);
        piece->is_repeated = q->fin_lost;
    } else {
        return false;
    }
    if (piece->fin) {
        q->fin_sent = true;
        q->fin_lost = false;
    }
    return true;
}

size_t stt_sendq_parts(const struct stt_sendq *q, uint64_t offset, size_t len, struct bytes *parts,
                       size_t max)
{
    size_t n = 0;
    while (len && n < max) {
        size_t here;
        const uint8_t *at = stt_chunks_at(&q->chunks, offset, &here);
        assert(at);
        here = here < len ? here : len;
        parts[n++] = bytes_of(at, here);
        offset += here;
        len -= here;
    }
    return n;
}

static uint64_t missing(const struct stt_spans *s, uint64_t from, uint64_t to)
{
    uint64_t n = 0;
    for (struct stt_range gap; from < to; from = gap.to) {
        gap = stt_spans_gap(s, from, to);
        n += gap.to - gap.from;
    }
    return n;
}

static void advance_acked(struct stt_sendq *q, uint64_t to)
{
    q->acked = to;
    if (!stt_spans_is_empty(&q->holes)) {
        q->acked = stt_spans_gap(&q->holes, to, UINT64_MAX).from;
        stt_spans_drop_below(&q->holes, q->chunks.pool, q->acked);
    }
    stt_chunks_release(&q->chunks, q->acked, q->queued);
}

/* [from, to) will not be sent any more. Answers how many of its bytes that is news for, in *news;
 * false when it cannot be remembered. */
static bool settle(struct stt_sendq *q, uint64_t from, uint64_t to, uint64_t *news)
{
    *news = 0;
    if (to <= q->acked)
        return true;
    if (from <= q->acked) {
        *news = missing(&q->holes, q->acked, to);
        advance_acked(q, to);
    } else {
        uint64_t n = missing(&q->holes, from, to);
        if (stt_spans_add(&q->holes, q->chunks.pool, from, to) != STT_OK)
            return false;
        *news = n;
    }
    trim_lost(q);
    return true;
}

static void add_lost(struct stt_sendq *q, uint64_t from, uint64_t to)
{
    from = from > q->acked ? from : q->acked;
    if (from >= to)
        return;
    if (stt_spans_add(&q->lost, q->chunks.pool, from, to) != STT_OK)
        stt_spans_widen(&q->lost, from, to);
    trim_lost(q);
}

uint64_t stt_sendq_on_acked(struct stt_sendq *q, uint64_t from, uint64_t to, bool fin)
{
    uint64_t news;
    assert(from <= to && to <= q->sent);
    if (fin && q->is_finished) {
        q->fin_acked = true;
        q->fin_lost = false;
    }
    if (!settle(q, from, to, &news))
        add_lost(q, from, to);
    return news;
}

void stt_sendq_on_lost(struct stt_sendq *q, uint64_t from, uint64_t to, bool fin)
{
    assert(from <= to && to <= q->sent);
    q->fin_lost |= fin && q->is_finished && !q->fin_acked;
    add_lost(q, from, to);
}

bool stt_sendq_skip(struct stt_sendq *q, uint64_t from, uint64_t to)
{
    uint64_t news;
    assert(from <= to && to <= q->queued);
    if (!settle(q, from, to, &news))
        return false;
    if (from <= q->sent && q->sent < to)
        advance_sent(q, to > q->acked ? to : q->acked);
    return true;
}
