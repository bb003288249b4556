/* SPDX-License-Identifier: MIT
 * Any history of a send queue against a plain array, and then everything must come through.
 * Input: where the stream begins 1, then operations of kind 1 and arguments 1 and 1. */
#include "stt/stream/sendq.h"
#include "tests/support/env.h"
#include "tests/support/fuzz.h"

enum { WORLD = 5 * 16384 + 100, PIECES = 256, BLOCKS = 300 };
enum { KNOWN = 1, OWED = 2 }; /* the queue was told and remembers; it was told of a loss */

struct piece {
    uint64_t from, to;
    bool fin;
};

struct fuzz {
    struct test_env te;
    struct stt_chunk_pool pool;
    struct stt_sendq q;
    struct rd input;
    uint64_t base, news;
    bool is_vague; /* there was no memory for something, so that more may be sent than is owed */
    uint8_t bytes[WORLD];
    struct piece pieces[PIECES]; /* that were sent, in no order */
    size_t n_pieces, n_hogged;
    void *hogged[BLOCKS]; /* taken, so that there are none */
    size_t hogged_len[BLOCKS];
};

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset % 251);
}

static uint8_t *state(struct fuzz *f, uint64_t offset)
{
    FUZZ_ASSERT(offset - f->base < WORLD);
    return &f->bytes[offset - f->base];
}

static uint64_t count(struct fuzz *f, uint64_t from, uint64_t to, uint8_t mask, uint8_t value)
{
    uint64_t n = 0;
    for (uint64_t at = from; at < to; at++)
        n += (*state(f, at) & mask) == value;
    return n;
}

static void mark(struct fuzz *f, uint64_t from, uint64_t to, uint8_t set, uint8_t clear)
{
    for (uint64_t at = from; at < to; at++)
        *state(f, at) = (uint8_t)((*state(f, at) | set) & ~clear);
}

/* Everything that is left of blocks, or everything back. */
static void starve(struct fuzz *f)
{
    static const size_t sizes[] = {STT_BLOCK_SMALL_BYTES, STT_BLOCK_LARGE_BYTES};
    for (int i = 0; i < 2; i++)
        for (void *block; (block = stt_chunk_pool_take(&f->pool, sizes[i])); f->n_hogged++) {
            f->hogged[f->n_hogged] = block;
            f->hogged_len[f->n_hogged] = sizes[i];
        }
}

static void relieve(struct fuzz *f)
{
    for (; f->n_hogged; f->n_hogged--)
        stt_chunk_pool_give_back(&f->pool, f->hogged[f->n_hogged - 1],
                                 f->hogged_len[f->n_hogged - 1]);
}

/* Whether the queue may be unable to remember one range more. */
static void look_for_vagueness(struct fuzz *f)
{
    f->is_vague |= f->n_hogged || stt_spans_count(&f->q.holes) >= STT_SPANS_MAX - 1 ||
                   stt_spans_count(&f->q.lost) >= STT_SPANS_MAX - 1;
}

static void write_parts(struct fuzz *f, size_t len)
{
    struct stt_sendq_room rooms[6];
    uint64_t at = f->q.queued;
    size_t left = WORLD - (size_t)(at - f->base);
    size_t n = stt_sendq_reserve_parts(&f->q, WORLD, rooms, 6), room = 0;
    for (size_t i = 0; i < n; room += rooms[i++].len)
        for (size_t k = 0; k < rooms[i].len; k++)
            rooms[i].data[k] = byte_at(at++);
    len = len < room ? len : room;
    len = len < left ? len : left;
    FUZZ_ASSERT(stt_sendq_may_commit(&f->q, WORLD, len));
    stt_sendq_commit(&f->q, len);
}

static void write_some(struct fuzz *f, size_t len, bool in_place)
{
    uint8_t data[4096], *to = data;
    size_t left = WORLD - (size_t)(f->q.queued - f->base);
    len = len < left ? len : left;
    len = len < sizeof data ? len : sizeof data;
    if (in_place) {
        size_t room;
        if (!(to = stt_sendq_reserve(&f->q, WORLD, &room)))
            return;
        len = len < room ? len : room;
    }
    for (size_t i = 0; i < len; i++)
        to[i] = byte_at(f->q.queued + i);
    if (in_place)
        stt_sendq_commit(&f->q, len);
    else
        FUZZ_ASSERT(stt_sendq_write(&f->q, bytes_of(data, len), WORLD) <= len);
}

static void check_bytes(struct fuzz *f, const struct stt_sendq_piece *piece)
{
    struct bytes parts[8];
    uint64_t at = piece->offset;
    size_t n = stt_sendq_parts(&f->q, piece->offset, piece->len, parts, 8);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < parts[i].len; j++)
            FUZZ_ASSERT(parts[i].data[j] == byte_at(at++));
    FUZZ_ASSERT(at == piece->offset + piece->len);
}

/* It was the right one: what is owed, or what comes next. `sent` is from before. */
static void check_piece(struct fuzz *f, const struct stt_sendq_piece *piece, uint64_t sent)
{
    uint64_t from = piece->offset, to = from + piece->len;
    FUZZ_ASSERT(piece->len || piece->fin);
    FUZZ_ASSERT(from >= f->q.acked && to <= f->q.sent);
    FUZZ_ASSERT(!piece->fin || (f->q.is_finished && to == f->q.queued));
    FUZZ_ASSERT(piece->is_repeated || from == sent);
    if (!f->is_vague) {
        uint8_t owed = piece->is_repeated ? OWED : 0;
        FUZZ_ASSERT(count(f, from, to, OWED | KNOWN, owed) == piece->len);
        FUZZ_ASSERT(!piece->is_repeated || !piece->len ||
                    !count(f, f->base, from, OWED | KNOWN, OWED));
    }
    check_bytes(f, piece);
}

static bool send(struct fuzz *f, uint64_t limit, size_t room)
{
    struct stt_sendq_piece piece;
    uint64_t sent = f->q.sent, end = limit < f->q.queued ? limit : f->q.queued;
    bool has = stt_sendq_has(&f->q, limit);
    if (!stt_sendq_next(&f->q, limit, room, &piece)) {
        FUZZ_ASSERT(!has || room == 0);
        FUZZ_ASSERT(room == 0 || sent >= end);
        FUZZ_ASSERT(room == 0 || !count(f, f->base, sent, OWED | KNOWN, OWED));
        return false;
    }
    FUZZ_ASSERT(has && piece.len <= room);
    FUZZ_ASSERT(piece.is_repeated || !piece.len || piece.offset + piece.len <= limit);
    check_piece(f, &piece, sent);
    mark(f, piece.offset, piece.offset + piece.len, 0, OWED);
    f->pieces[f->n_pieces++ % PIECES] =
        (struct piece){piece.offset, piece.offset + piece.len, piece.fin};
    return true;
}

static void ack(struct fuzz *f, struct piece p)
{
    look_for_vagueness(f);
    uint64_t missing = count(f, p.from, p.to, KNOWN, 0);
    uint64_t news = stt_sendq_on_acked(&f->q, p.from, p.to, p.fin);
    FUZZ_ASSERT(news == missing || (news == 0 && f->is_vague));
    mark(f, p.from, p.to, news == missing ? KNOWN : OWED, 0);
    f->news += news;
}

static void lose(struct fuzz *f, struct piece p)
{
    look_for_vagueness(f);
    stt_sendq_on_lost(&f->q, p.from, p.to, p.fin);
    mark(f, p.from, p.to, OWED, 0);
}

static void skip(struct fuzz *f, uint64_t from, uint64_t len)
{
    from = from < f->q.queued ? from : f->q.queued;
    uint64_t to = len < f->q.queued - from ? from + len : f->q.queued;
    look_for_vagueness(f);
    uint64_t missing = count(f, from, to, KNOWN, 0);
    bool skipped = stt_sendq_skip(&f->q, from, to);
    FUZZ_ASSERT(skipped || f->is_vague);
    if (skipped) {
        mark(f, from, to, KNOWN, 0);
        f->news += missing;
    }
}

/* A piece that was sent some time; it may have been settled since, as late acks are. */
static struct piece some_piece(const struct fuzz *f, uint8_t which)
{
    size_t n = f->n_pieces < PIECES ? f->n_pieces : PIECES;
    return n ? f->pieces[which % n] : (struct piece){f->base, f->base, false};
}

static void operate(struct fuzz *f)
{
    uint8_t kind = rd_u8(&f->input), a = rd_u8(&f->input), b = rd_u8(&f->input);
    struct piece p = some_piece(f, a);
    switch (kind % 16) {
    case 0:
        starve(f);
        break;
    case 1:
        relieve(f);
        break;
    case 2:
        if (kind >= 0xf0)
            stt_sendq_finish(&f->q);
        break;
    case 3:
        skip(f, f->base + (uint64_t)a * 320, (uint64_t)b * b);
        break;
    case 4:
    case 5:
        if (kind >= 0x80)
            write_parts(f, (size_t)a * b);
        else
            write_some(f, (size_t)a * b, kind % 2);
        break;
    case 6:
    case 7:
        ack(f, p);
        break;
    case 8:
        for (int i = 0; i < b % 32; i++)
            ack(f, some_piece(f, (uint8_t)(a + 2 * i)));
        break;
    case 9:
    case 10:
        lose(f, p);
        break;
    case 11: /* a part of it, as when ranges of packets are cut */
        p.from += (p.to - p.from) * a / 256;
        p.to -= (p.to - p.from) * b / 256;
        lose(f, p);
        break;
    case 12:
        send(f, f->base + (uint64_t)a * 320, b);
        break;
    case 13:
        for (int i = 0; i < a % 64; i++)
            send(f, UINT64_MAX, b % 8);
        break;
    default:
        send(f, UINT64_MAX, (size_t)a * 8 + b);
    }
}

/* What is in flight is lost, and then the network is kind. */
static void come_through(struct fuzz *f)
{
    relieve(f);
    stt_sendq_finish(&f->q);
    lose(f, (struct piece){f->base, f->q.sent, f->q.fin_sent});
    for (int i = 0; !stt_sendq_is_done(&f->q); i++) {
        FUZZ_ASSERT(i < WORLD && send(f, UINT64_MAX, 1400));
        ack(f, f->pieces[(f->n_pieces - 1) % PIECES]);
    }
    FUZZ_ASSERT(f->q.acked == f->q.queued && f->q.sent == f->q.queued);
    FUZZ_ASSERT(f->news == f->q.queued - f->base);
    FUZZ_ASSERT(!stt_sendq_has(&f->q, UINT64_MAX));
    FUZZ_ASSERT(!f->pool.chunks.in_use && !f->pool.small.in_use && !f->pool.large.in_use);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz f;
    memset(&f, 0, sizeof f);
    f.input = rd_init(bytes_of(data, size));
    f.base = rd_u8(&f.input) & 1 ? (UINT64_C(1) << 62) - 1 - WORLD : 0;
    test_env_init(&f.te, 1);
    stt_chunk_pool_init(&f.pool, &f.te.env, 1 << 20);
    stt_sendq_init(&f.q, &f.pool);
    f.q.acked = f.q.sent = f.q.queued = f.base;
    f.q.chunks.base = f.base / STT_CHUNK_BYTES;
    while (rd_left(&f.input))
        operate(&f);
    come_through(&f);
    stt_sendq_fini(&f.q);
    stt_chunk_pool_fini(&f.pool);
    test_env_check_no_leak(&f.te);
    return 0;
}
