/* SPDX-License-Identifier: MIT
 * Any history of a queue of datagrams, in a pool that others fill and empty, against a plain list
 * of lengths; the bytes follow from the numbers.
 * Input: what the chunks count as 1, then operations of kind 1 and arguments 1 and 1. */
#include "stt/stream/datagrams.h"
#include "stt/wire/limits.h"
#include "tests/support/env.h"
#include "tests/support/fuzz.h"

enum { POOL = 4 << 20, BLOCKS = 1000, HEADER = 2 };

struct fuzz {
    struct test_env te;
    struct stt_chunk_pool pool;
    struct stt_datagrams q;
    struct rd input;
    uint64_t next, dropped;
    size_t lens[STT_DATAGRAM_QUEUE_MAX], n, bytes; /* the place of a length is its number's */
    size_t n_hogged;                               /* taken, so that there are none */
    void *hogged[BLOCKS];
    size_t hogged_len[BLOCKS];
    struct stt_chunks others;
    uint64_t n_others;
};

static uint8_t byte_of(uint64_t number, size_t i)
{
    return (uint8_t)(number * 37 + i % 251 + i / STT_CHUNK_BYTES);
}

static size_t *len_of(struct fuzz *f, uint64_t number)
{
    return &f->lens[number % STT_DATAGRAM_QUEUE_MAX];
}

static uint32_t room(const struct fuzz *f)
{
    return f->pool.chunks.shape.max - f->pool.chunks.in_use;
}

static bool is_starved(const struct fuzz *f)
{
    return f->n_hogged || f->others.held || f->te.fail_from;
}

static void starve_of_blocks(struct fuzz *f, size_t len)
{
    for (void *block; (block = stt_chunk_pool_take(&f->pool, len)); f->n_hogged++) {
        FUZZ_ASSERT(f->n_hogged < BLOCKS);
        f->hogged[f->n_hogged] = block;
        f->hogged_len[f->n_hogged] = len;
    }
}

static void starve_of_chunks(struct fuzz *f, uint32_t left)
{
    size_t len;
    while (room(f) > left &&
           stt_chunks_make(&f->others, f->n_others * STT_CHUNK_BYTES, STT_CHUNK_FOR_NEXT, &len))
        f->n_others++;
}

static void relieve(struct fuzz *f)
{
    f->te.fail_from = 0;
    for (; f->n_hogged; f->n_hogged--)
        stt_chunk_pool_give_back(&f->pool, f->hogged[f->n_hogged - 1],
                                 f->hogged_len[f->n_hogged - 1]);
    stt_chunks_fini(&f->others);
    stt_chunks_init(&f->others, &f->pool);
    f->n_others = 0;
}

static void forget_first(struct fuzz *f)
{
    f->bytes -= *len_of(f, f->next - f->n);
    f->n--;
}

static uint64_t drops_for(struct fuzz *f, size_t len)
{
    size_t n = f->n, bytes = f->bytes;
    while (n == STT_DATAGRAM_QUEUE_MAX || bytes + len > STT_DATAGRAM_QUEUE_BYTES_MAX)
        bytes -= *len_of(f, f->next - n--);
    return f->n - n;
}

static int push_bytes(struct fuzz *f, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1);
    for (size_t i = 0; i < len; i++)
        exact[i] = byte_of(f->next, i);
    int error = stt_datagrams_push(&f->q, bytes_of(exact, len));
    free(exact);
    return error;
}

/* Before the push, and what it had to drop in any case. */
struct before {
    struct stt_datagrams q;
    uint32_t room;
    uint64_t drops;
};

static void check_refused(struct fuzz *f, const struct before *was, size_t len, int error)
{
    if (len > STT_DATAGRAM_BYTES_MAX)
        FUZZ_ASSERT(error == STT_E_ARGUMENT);
    else
        FUZZ_ASSERT(error == STT_E_MEMORY && is_starved(f) &&
                    (!f->n || HEADER + len > STT_CHUNK_BYTES));
    FUZZ_ASSERT(room(f) == was->room);
    FUZZ_ASSERT(f->q.start == was->q.start && f->q.chunks.held == was->q.chunks.held);
}

static void check_kept(struct fuzz *f, const struct before *was, size_t len)
{
    uint64_t drops = f->q.dropped - was->q.dropped;
    uint32_t reserve = f->pool.chunks.shape.max / 8 * f->q.use;
    FUZZ_ASSERT(len <= STT_DATAGRAM_BYTES_MAX);
    FUZZ_ASSERT(drops >= was->drops && drops <= f->n);
    FUZZ_ASSERT(drops == was->drops || is_starved(f));
    if (drops && !was->drops) { /* for memory, and not one too many */
        size_t last = HEADER + *len_of(f, f->next - f->n + drops - 1);
        FUZZ_ASSERT(room(f) <= was->room + last / STT_CHUNK_BYTES);
    }
    FUZZ_ASSERT(room(f) >= (was->room < reserve ? was->room : reserve));
    while (drops--) {
        forget_first(f);
        f->dropped++;
    }
    *len_of(f, f->next++) = len;
    f->bytes += len;
    f->n++;
}

static void push(struct fuzz *f, size_t len)
{
    struct before was = {f->q, room(f), drops_for(f, len)};
    int error = push_bytes(f, len);
    if (error)
        check_refused(f, &was, len, error);
    else
        check_kept(f, &was, len);
}

static void check_first(struct fuzz *f, const struct stt_datagrams_view *v)
{
    size_t at = 0;
    FUZZ_ASSERT(v->number == f->next - f->n && v->len == *len_of(f, v->number));
    FUZZ_ASSERT(v->n_parts <= STT_DATAGRAM_PARTS_MAX);
    for (size_t i = 0; i < v->n_parts; i++)
        for (size_t j = 0; j < v->parts[i].len; j++)
            FUZZ_ASSERT(v->parts[i].data[j] == byte_of(v->number, at++));
    FUZZ_ASSERT(at == v->len);
}

static void pop(struct fuzz *f, bool as_dropped)
{
    struct stt_datagrams_view v;
    FUZZ_ASSERT(stt_datagrams_first(&f->q, &v) == (f->n > 0));
    if (!f->n)
        return;
    check_first(f, &v);
    if (as_dropped)
        stt_datagrams_drop(&f->q);
    else
        stt_datagrams_pop(&f->q);
    f->dropped += as_dropped;
    forget_first(f);
}

static void clear(struct fuzz *f)
{
    stt_datagrams_fini(&f->q);
    f->n = f->bytes = 0;
}

static void check(const struct fuzz *f)
{
    FUZZ_ASSERT(f->q.n == f->n && f->q.bytes == f->bytes);
    FUZZ_ASSERT(f->q.next == f->next && f->q.dropped == f->dropped);
    FUZZ_ASSERT(f->n || (!f->q.chunks.held && !f->q.chunks.mask));
    FUZZ_ASSERT(f->q.chunks.held <= (f->bytes + HEADER * f->n) / STT_CHUNK_BYTES + 2);
    FUZZ_ASSERT(f->pool.chunks.in_use == f->q.chunks.held + f->others.held);
}

static void starve(struct fuzz *f, uint8_t how)
{
    switch (how % 4) {
    case 0:
        starve_of_blocks(f, STT_BLOCK_SMALL_BYTES);
        break;
    case 1:
        starve_of_blocks(f, STT_BLOCK_LARGE_BYTES);
        break;
    case 2:
        starve_of_chunks(f, how / 4);
        break;
    default:
        f->te.fail_from = f->te.allocs + 1 + how / 64;
    }
}

static void operate(struct fuzz *f)
{
    uint8_t kind = rd_u8(&f->input), a = rd_u8(&f->input), b = rd_u8(&f->input);
    switch (kind % 16) {
    case 0:
        starve(f, a);
        break;
    case 1:
        relieve(f);
        break;
    case 2:
        if (a >= 0xf0)
            clear(f);
        break;
    case 3:
        for (int i = 0; i < a; i++)
            push(f, b);
        break;
    case 4:
        for (int i = 0; i < a % 32; i++)
            push(f, (size_t)b * 64);
        break;
    case 5:
        for (int i = 0; i < a % 32; i++)
            pop(f, b & 1);
        break;
    case 6: /* so that the next begins near a border */
        push(f,
             (STT_CHUNK_BYTES - (f->q.start + f->bytes + HEADER * f->n) % STT_CHUNK_BYTES) + a % 8);
        break;
    case 7:
    case 8:
        push(f, (size_t)a << 8 | b);
        break;
    case 9:
    case 10:
        push(f, (size_t)a * 8 + b);
        break;
    default:
        pop(f, false);
    }
    check(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f;
    memset(&f, 0, sizeof f);
    f.input = rd_init(bytes_of(data, size));
    test_env_init(&f.te, 1);
    stt_chunk_pool_init(&f.pool, &f.te.env, POOL);
    stt_chunks_init(&f.others, &f.pool);
    stt_datagrams_init(&f.q, &f.pool, (enum stt_chunk_use)(rd_u8(&f.input) % 3));
    for (int i = 0; i < 1000 && rd_left(&f.input); i++)
        operate(&f);
    while (f.n)
        pop(&f, false);
    check(&f);
    stt_datagrams_fini(&f.q);
    relieve(&f);
    FUZZ_ASSERT(!f.pool.chunks.in_use && !f.pool.small.in_use && !f.pool.large.in_use);
    stt_chunk_pool_fini(&f.pool);
    test_env_check_no_leak(&f.te);
    return 0;
}
