/* SPDX-License-Identifier: MIT
 * datagrams: owns the bytes that are queued, each datagram behind its length, so that no other
 * memory is needed to find the next. Spec 05, "Datagrams".
 *
 * Invariants: the chunks from that of `start` to that of the last byte are held, and no others; an
 * empty queue starts at 0. What the pool leaves for other uses is not touched: when it gives none,
 * chunks come from the oldest datagrams, by giving them back and taking as many again, which cannot
 * fail. So a push knows whether it will succeed before it drops anything.
 * It must not know frames, packets or what became of a datagram. */
#include "stt/stream/datagrams.h"

#include "stt/wire/limits.h"

enum { HEADER_BYTES = 2 };

static_assert(STT_DATAGRAM_BYTES_MAX <= UINT16_MAX, "a length fits its header");
static_assert(STT_DATAGRAM_BYTES_MAX <= STT_DATAGRAM_QUEUE_BYTES_MAX, "one can always be kept");
static_assert(STT_DATAGRAM_BYTES_MAX - 1 <= (STT_DATAGRAM_PARTS_MAX - 1) * STT_CHUNK_BYTES,
              "a byte in the first part, the rest in the others");

static uint64_t end_of(const struct stt_datagrams *q)
{
    return q->start + q->bytes + (uint64_t)HEADER_BYTES * q->n;
}

void stt_datagrams_init(struct stt_datagrams *q, struct stt_chunk_pool *pool,
                        enum stt_chunk_use use)
{
    *q = (struct stt_datagrams){.use = (uint8_t)use};
    stt_chunks_init(&q->chunks, pool);
}

void stt_datagrams_fini(struct stt_datagrams *q)
{
    struct stt_chunk_pool *pool = q->chunks.pool;
    stt_chunks_fini(&q->chunks);
    stt_chunks_init(&q->chunks, pool);
    q->start = 0;
    q->bytes = 0;
    q->n = 0;
}

static uint8_t byte_at(const struct stt_datagrams *q, uint64_t offset)
{
    size_t len;
    return *stt_chunks_at(&q->chunks, offset, &len);
}

static uint32_t len_at(const struct stt_datagrams *q, uint64_t offset)
{
    return (uint32_t)byte_at(q, offset) << 8 | byte_at(q, offset + 1);
}

/* Chunks at and behind the new start stay, though nothing may be in them yet. */
static void remove_first(struct stt_datagrams *q)
{
    uint32_t len = len_at(q, q->start);
    q->start += HEADER_BYTES + len;
    q->bytes -= len;
    q->n--;
    stt_chunks_release(&q->chunks, q->start, UINT64_MAX);
}

static void drop_first(struct stt_datagrams *q)
{
    remove_first(q);
    q->dropped++;
}

/* Answers up to where there is memory: `to` or beyond, or a chunk's border before it. */
static uint64_t make(struct stt_datagrams *q, uint64_t from, uint64_t to, enum stt_chunk_use use)
{
    size_t len;
    while (from < to && stt_chunks_make(&q->chunks, from, use, &len))
        from += len;
    return from;
}

static void unmake(struct stt_datagrams *q, uint64_t made)
{
    uint64_t used = (end_of(q) + STT_CHUNK_BYTES - 1) / STT_CHUNK_BYTES * STT_CHUNK_BYTES;
    for (uint64_t at = used; at < made; at += STT_CHUNK_BYTES)
        stt_chunks_drop(&q->chunks, at);
}

/* Memory from `made` to `to` comes from the oldest, if that is enough. A row that has lost all its
 * chunks is given back itself, and might not be had again for more than one. */
static bool make_from_oldest(struct stt_datagrams *q, uint64_t made, uint64_t to)
{
    uint32_t missing = (uint32_t)((to - made + STT_CHUNK_BYTES - 1) / STT_CHUNK_BYTES);
    uint64_t own = end_of(q) / STT_CHUNK_BYTES - q->chunks.base;
    if (missing > own || (missing > 1 && own == q->chunks.held))
        return false;
    uint32_t rest = q->chunks.held - missing;
    while (q->chunks.held > rest)
        drop_first(q);
    made = make(q, made, to, STT_CHUNK_FOR_NEXT);
    assert(made >= to);
    return true;
}

/* The last resort: they all share the only chunk, and it begins anew. */
static bool make_from_all(struct stt_datagrams *q, size_t len)
{
    if (!q->n || len > STT_CHUNK_BYTES)
        return false;
    q->dropped += q->n;
    stt_datagrams_fini(q);
    uint64_t made = make(q, 0, len, STT_CHUNK_FOR_NEXT);
    assert(made >= len);
    return true;
}

/* Memory for `len` bytes behind the end; on false nothing has changed. */
static bool make_room(struct stt_datagrams *q, size_t len)
{
    uint64_t end = end_of(q), made = make(q, end, end + len, (enum stt_chunk_use)q->use);
    if (made >= end + len || make_from_oldest(q, made, end + len))
        return true;
    unmake(q, made);
    return make_from_all(q, len);
}

static void copy_in(struct stt_datagrams *q, uint64_t offset, struct bytes data)
{
    size_t len;
    for (size_t done = 0; done < data.len; done += len) {
        uint8_t *to = stt_chunks_at(&q->chunks, offset + done, &len);
        len = len < data.len - done ? len : data.len - done;
        memcpy(to, data.data + done, len);
    }
}

int stt_datagrams_push(struct stt_datagrams *q, struct bytes data)
{
    if (data.len > STT_DATAGRAM_BYTES_MAX)
        return STT_E_ARGUMENT;
    if (!make_room(q, HEADER_BYTES + data.len))
        return STT_E_MEMORY;
    while (q->n == STT_DATAGRAM_QUEUE_MAX || q->bytes + data.len > STT_DATAGRAM_QUEUE_BYTES_MAX)
        drop_first(q);
    uint8_t header[HEADER_BYTES] = {(uint8_t)(data.len >> 8), (uint8_t)data.len};
    copy_in(q, end_of(q), BYTES(header));
    copy_in(q, end_of(q) + HEADER_BYTES, data);
    q->bytes += (uint32_t)data.len;
    q->n++;
    q->next++;
    return STT_OK;
}

static void look_at(const struct stt_datagrams *q, uint64_t offset, struct stt_datagrams_view *view)
{
    view->offset = offset;
    view->len = len_at(q, offset);
    view->n_parts = 0;
    uint64_t at = offset + HEADER_BYTES;
    for (size_t here, left = view->len; left; at += here, left -= here) {
        const uint8_t *data = stt_chunks_at(&q->chunks, at, &here);
        here = here < left ? here : left;
        view->parts[view->n_parts++] = bytes_of(data, here);
    }
}

bool stt_datagrams_first(const struct stt_datagrams *q, struct stt_datagrams_view *view)
{
    if (!q->n)
        return false;
    view->number = q->next - q->n;
    look_at(q, q->start, view);
    return true;
}

bool stt_datagrams_next(const struct stt_datagrams *q, struct stt_datagrams_view *view)
{
    if (view->number + 1 == q->next)
        return false;
    view->number++;
    look_at(q, view->offset + HEADER_BYTES + view->len, view);
    return true;
}

void stt_datagrams_pop(struct stt_datagrams *q)
{
    assert(q->n);
    remove_first(q);
    if (!q->n)
        stt_datagrams_fini(q);
}
