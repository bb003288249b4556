/* SPDX-License-Identifier: MIT
 * Any history of a receive queue against a bitmap and the bytes that came first.
 * Input: where the stream begins 1, then operations of kind 1 and arguments 2, 1 and 1. */
#include "stt/stream/recvq.h"
#include "tests/support/env.h"
#include "tests/support/fuzz.h"

enum { WORLD = 4 * 16384, SLACK = 5 * 16384, BLOCKS = 300, HOG_CHUNKS = 100 };

struct fuzz {
    struct test_env te;
    struct stt_chunk_pool pool;
    struct stt_recvq q;
    struct rd input;
    uint64_t base, highest, end;
    bool is_dropping;
    bool in[SLACK];       /* arrived, or skipped */
    uint8_t bytes[SLACK]; /* what arrived first */
    uint64_t consumed, operations;
    struct stt_chunks hog_chunks;
    void *hogged[BLOCKS];
    size_t n_hogged;
};

/* Everything that is left of small blocks and chunks, or everything back. */
static void starve(struct fuzz *f, bool of_chunks)
{
    void *block;
    size_t len;
    while ((block = stt_chunk_pool_take(&f->pool, STT_BLOCK_SMALL_BYTES)))
        f->hogged[f->n_hogged++] = block;
    for (uint64_t i = 0; of_chunks && i < HOG_CHUNKS; i++)
        if (!stt_chunks_make(&f->hog_chunks, i * STT_CHUNK_BYTES, STT_CHUNK_FOR_NEXT, &len))
            break;
}

static void relieve(struct fuzz *f)
{
    while (f->n_hogged)
        stt_chunk_pool_give_back(&f->pool, f->hogged[--f->n_hogged], STT_BLOCK_SMALL_BYTES);
    stt_chunks_give_back(&f->hog_chunks, 0, 0);
}

static uint64_t contiguous(const struct fuzz *f)
{
    uint64_t at = f->consumed;
    while (at - f->base < SLACK && f->in[at - f->base])
        at++;
    return at;
}

static uint32_t islands(const struct fuzz *f)
{
    uint32_t n = 0;
    for (uint64_t i = contiguous(f) - f->base + 1; i < f->highest - f->base; i++)
        n += f->in[i] && !f->in[i - 1];
    return n;
}

static void check_same(const struct fuzz *f)
{
    FUZZ_ASSERT(f->q.highest == f->highest && f->q.end == f->end);
    if (f->is_dropping) {
        FUZZ_ASSERT(f->q.consumed == f->highest && f->q.contiguous == f->highest);
        FUZZ_ASSERT(!f->q.chunks.held && !stt_recvq_gaps(&f->q));
        return;
    }
    FUZZ_ASSERT(f->q.consumed == f->consumed && f->q.contiguous == contiguous(f));
    FUZZ_ASSERT(stt_recvq_gaps(&f->q) == islands(f));
    FUZZ_ASSERT(f->q.contiguous != f->q.consumed || stt_recvq_gaps(&f->q) || !f->q.chunks.held);
}

static bool breaks_end(const struct fuzz *f, uint64_t to, bool fin)
{
    if (f->end != STT_RECVQ_NO_END)
        return to > f->end || (fin && to != f->end);
    return fin && to < f->highest;
}

/* Of a call that told of [from, to). Whether the model has to follow. */
static bool check_result(const struct fuzz *f, enum stt_recvq_result result, uint64_t to, bool fin)
{
    FUZZ_ASSERT((result == STT_RECVQ_FINAL) == breaks_end(f, to, fin));
    FUZZ_ASSERT(result != STT_RECVQ_TOO_MANY || islands(f) == STT_SPANS_MAX);
    FUZZ_ASSERT(result != STT_RECVQ_NO_ROOM || f->n_hogged);
    return result == STT_RECVQ_OK;
}

static void arrive(struct fuzz *f, uint64_t from, uint64_t to, const uint8_t *data)
{
    for (uint64_t at = from; at < to && !f->is_dropping; at++)
        if (at >= f->consumed && !f->in[at - f->base]) {
            f->in[at - f->base] = true;
            f->bytes[at - f->base] = data ? data[at - from] : 0;
        }
    if (to > from && to > f->highest)
        f->highest = to;
}

static void insert(struct fuzz *f, uint64_t from, size_t len, bool fin)
{
    static uint8_t serial;
    uint8_t data[2048];
    len = len < sizeof data ? len : sizeof data;
    memset(data, ++serial, sizeof data); /* never the same twice */
    enum stt_recvq_result result = stt_recvq_insert(&f->q, from, bytes_of(data, len), fin);
    if (!check_result(f, result, from + len, fin))
        return;
    arrive(f, from, from + len, data);
    if (fin)
        f->highest = f->end = from + len;
}

static void skip(struct fuzz *f, uint64_t from, uint64_t len)
{
    uint64_t to = from + len < f->base + SLACK ? from + len : f->base + SLACK;
    if (check_result(f, stt_recvq_skip(&f->q, from, to - from), to, false))
        arrive(f, from, to, NULL);
}

static void read_some(struct fuzz *f, uint64_t len)
{
    struct bytes parts[40];
    uint64_t at = f->q.consumed, available = stt_recvq_available(&f->q);
    size_t n = stt_recvq_peek(&f->q, parts, 40);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < parts[i].len; j++, at++)
            FUZZ_ASSERT(parts[i].data[j] == f->bytes[at - f->base]);
    FUZZ_ASSERT(at - f->q.consumed == available); /* 40 parts are enough for this world */
    len = len < available ? len : available;
    stt_recvq_consume(&f->q, len);
    f->consumed += len;
}

static void reset(struct fuzz *f, uint64_t final_offset)
{
    if (!check_result(f, stt_recvq_reset(&f->q, final_offset), final_offset, true))
        return;
    f->highest = f->end = final_offset;
    f->is_dropping = true;
}

static void operate(struct fuzz *f)
{
    uint8_t kind = rd_u8(&f->input);
    uint16_t place = rd_u16(&f->input);
    uint64_t at = f->base + place;
    size_t a = rd_u8(&f->input), b = rd_u8(&f->input);
    switch (kind % 16) {
    case 0:
        starve(f, kind >= 0x80);
        break;
    case 1:
        relieve(f);
        break;
    case 2:
        if (kind >= 0xf0)
            insert(f, at, a, true);
        break;
    case 3:
        if (kind >= 0xf0 && !f->is_dropping) {
            stt_recvq_stop(&f->q);
            f->is_dropping = true;
        }
        break;
    case 4:
        if (kind >= 0xf0)
            reset(f, at);
        break;
    case 5:
        skip(f, at, a * b);
        break;
    case 6:
    case 7:
        read_some(f, a * b);
        break;
    case 8: /* single bytes with gaps */
        for (uint64_t i = 0; i < a; i++)
            insert(f, at + 2 * i, 1, false);
        break;
    case 9:
    case 10:
    case 11: /* in order */
        if (f->q.contiguous - f->base < WORLD)
            insert(f, f->q.contiguous, a * 8 + b, false);
        break;
    case 12:
        insert(f, at, a % 16, false);
        break;
    default:
        insert(f, at, a * 8 + b, false);
    }
    if (f->operations++ % 16 < 4)
        check_same(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f;
    memset(&f, 0, sizeof f);
    f.input = rd_init(bytes_of(data, size));
    f.base = rd_u8(&f.input) & 1 ? (UINT64_C(1) << 62) - 1 - SLACK : 0;
    f.highest = f.consumed = f.base;
    f.end = STT_RECVQ_NO_END;
    test_env_init(&f.te, 1);
    stt_chunk_pool_init(&f.pool, &f.te.env, 1 << 20);
    stt_recvq_init(&f.q, &f.pool);
    stt_chunks_init(&f.hog_chunks, &f.pool);
    f.q.consumed = f.q.contiguous = f.q.highest = f.base;
    f.q.chunks.base = f.base / STT_CHUNK_BYTES;
    while (rd_left(&f.input) && !f.input.bad)
        operate(&f);
    relieve(&f);
    stt_recvq_fini(&f.q);
    FUZZ_ASSERT(!f.pool.chunks.in_use && !f.pool.small.in_use && !f.pool.large.in_use);
    stt_chunk_pool_fini(&f.pool);
    test_env_check_no_leak(&f.te);
    return 0;
}
