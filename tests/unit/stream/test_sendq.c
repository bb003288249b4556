/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_sendq compares long histories with a model; here are the single cases. */
#include "stt/stream/sendq.h"

#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

#define NO_LIMIT UINT64_MAX
#define RING     (UINT64_C(2) << 20)
#define TOP      ((UINT64_C(1) << 62) - 1)

enum { MANY = 2000 };

struct fixture {
    struct test_env te;
    struct stt_chunk_pool pool;
    struct stt_sendq q;
    char text[100];
};

static void setup_pool(struct fixture *f, size_t max_bytes)
{
    test_env_init(&f->te, 1);
    stt_chunk_pool_init(&f->pool, &f->te.env, max_bytes);
    stt_sendq_init(&f->q, &f->pool);
}

static void setup(struct fixture *f)
{
    setup_pool(f, 8 << 20);
}

static void check_idle(const struct fixture *f)
{
    ck_assert_uint_eq(f->pool.chunks.in_use, 0);
    ck_assert_uint_eq(f->pool.small.in_use + f->pool.large.in_use, 0);
}

static void teardown(struct fixture *f)
{
    stt_sendq_fini(&f->q);
    check_idle(f);
    stt_chunk_pool_fini(&f->pool);
    test_env_check_no_leak(&f->te);
}

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset % 253 + offset / STT_CHUNK_BYTES);
}

/* Writes the stream's own bytes. */
static size_t write_ring(struct fixture *f, size_t len, uint64_t capacity)
{
    static uint8_t data[1 << 20];
    ck_assert_uint_le(len, sizeof data);
    for (size_t i = 0; i < len; i++)
        data[i] = byte_at(f->q.queued + i);
    return stt_sendq_write(&f->q, bytes_of(data, len), capacity);
}

static void write_all(struct fixture *f, size_t len)
{
    ck_assert_uint_eq(write_ring(f, len, RING), len);
}

static void check_bytes(struct fixture *f, const struct stt_sendq_piece *piece)
{
    struct bytes parts[5];
    uint64_t at = piece->offset;
    size_t n = stt_sendq_parts(&f->q, piece->offset, piece->len, parts, 5);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < parts[i].len; j++, at++)
            if (parts[i].data[j] != byte_at(at))
                ck_abort_msg("a wrong byte at %llu", (unsigned long long)at);
    ck_assert_uint_eq(at, piece->offset + piece->len);
}

/* "0-100", "again 0-100", "100-100 fin", or "nothing". */
static const char *next_below(struct fixture *f, uint64_t limit, size_t room)
{
    struct stt_sendq_piece piece;
    bool has = stt_sendq_has(&f->q, limit);
    if (!stt_sendq_next(&f->q, limit, room, &piece)) {
        ck_assert(!has || room == 0);
        return "nothing";
    }
    ck_assert(has && piece.len <= room);
    check_bytes(f, &piece);
    snprintf(f->text, sizeof f->text, "%s%llu-%llu%s", piece.is_repeated ? "again " : "",
             (unsigned long long)piece.offset, (unsigned long long)(piece.offset + piece.len),
             piece.fin ? " fin" : "");
    return f->text;
}

static const char *next(struct fixture *f, size_t room)
{
    return next_below(f, NO_LIMIT, room);
}

static void send_pieces(struct fixture *f, size_t n, size_t len)
{
    struct stt_sendq_piece piece;
    for (size_t i = 0; i < n; i++) {
        ck_assert(stt_sendq_next(&f->q, NO_LIMIT, len, &piece));
        ck_assert(piece.len == len && !piece.is_repeated);
    }
}

/* Bytes from 0 on, all of them in flight. */
static void setup_sent(struct fixture *f, size_t len)
{
    setup(f);
    write_all(f, len);
    send_pieces(f, 1, len);
}

static uint64_t acked(struct fixture *f, uint64_t from, uint64_t to)
{
    return stt_sendq_on_acked(&f->q, from, to, false);
}

static void lost(struct fixture *f, uint64_t from, uint64_t to)
{
    stt_sendq_on_lost(&f->q, from, to, false);
}

START_TEST(an_idle_queue_holds_no_memory_but_itself)
{
    struct fixture f;
    setup(&f);
    ck_assert_uint_le(sizeof f.q, 96);
    ck_assert_str_eq(next(&f, 100), "nothing");
    ck_assert(!stt_sendq_has(&f.q, NO_LIMIT) && !stt_sendq_is_done(&f.q));
    ck_assert_uint_eq(f.te.allocs, 0);
    for (int i = 0; i < 20; i++) {
        write_all(&f, 5000);
        while (strcmp(next(&f, 1400), "nothing") != 0)
            continue;
        ck_assert_uint_eq(acked(&f, f.q.acked, f.q.sent), 5000);
        check_idle(&f);
    }
    teardown(&f);
}
END_TEST

START_TEST(bytes_go_out_in_pieces_over_the_borders_of_chunks)
{
    struct fixture f;
    setup(&f);
    write_all(&f, 40000);
    uint64_t at = 0;
    for (struct stt_sendq_piece piece; stt_sendq_next(&f.q, NO_LIMIT, 1400, &piece);) {
        ck_assert(piece.offset == at && !piece.fin && !piece.is_repeated);
        check_bytes(&f, &piece);
        at += piece.len;
    }
    ck_assert_uint_eq(at, 40000);
    teardown(&f);
}
END_TEST

START_TEST(a_large_piece_spans_five_parts_and_no_more_are_given_than_asked_for)
{
    struct fixture f;
    struct bytes parts[5];
    setup(&f);
    write_all(&f, 100000);
    ck_assert_str_eq(next(&f, 10000), "0-10000");
    ck_assert_str_eq(next(&f, 65536), "10000-75536");
    ck_assert_uint_eq(stt_sendq_parts(&f.q, 10000, 65536, parts, 5), 5);
    ck_assert_uint_eq(parts[0].len, STT_CHUNK_BYTES - 10000);
    ck_assert_uint_eq(parts[4].len, 10000);
    ck_assert_uint_eq(stt_sendq_parts(&f.q, 10000, 65536, parts, 2), 2);
    ck_assert_uint_eq(stt_sendq_parts(&f.q, 10000, 0, parts, 5), 0);
    teardown(&f);
}
END_TEST

START_TEST(no_new_byte_passes_the_limit)
{
    struct fixture f;
    setup(&f);
    write_all(&f, 300);
    ck_assert_str_eq(next_below(&f, 0, 1400), "nothing");
    ck_assert_str_eq(next_below(&f, 120, 100), "0-100");
    ck_assert_str_eq(next_below(&f, 120, 100), "100-120");
    ck_assert_str_eq(next_below(&f, 120, 100), "nothing");
    lost(&f, 100, 120);
    ck_assert_str_eq(next_below(&f, 0, 100), "again 100-120"); /* those were below it */
    stt_sendq_finish(&f.q);
    ck_assert_str_eq(next_below(&f, 299, 1400), "120-299");
    ck_assert_str_eq(next_below(&f, 300, 1400), "299-300 fin");
    teardown(&f);
}
END_TEST

START_TEST(a_full_ring_takes_no_more_until_something_is_acknowledged)
{
    struct fixture f;
    setup(&f);
    ck_assert_uint_eq(write_ring(&f, 50000, 40000), 40000);
    ck_assert_uint_eq(write_ring(&f, 1, 40000), 0);
    ck_assert_uint_eq(write_ring(&f, 1, 10000), 0); /* it has shrunk meanwhile */
    ck_assert_str_eq(next(&f, 20000), "0-20000");
    acked(&f, 0, 20000);
    ck_assert_uint_eq(write_ring(&f, 50000, 40000), 20000);
    ck_assert_str_eq(next(&f, 65536), "20000-60000");
    teardown(&f);
}
END_TEST

START_TEST(an_empty_pool_takes_no_more_and_something_is_left_for_what_arrives)
{
    struct fixture f;
    setup_pool(&f, 1 << 20);
    size_t written = write_ring(&f, 1 << 20, RING);
    ck_assert(written > 0 && written % STT_CHUNK_BYTES == 0);
    ck_assert_uint_ge(stt_chunk_pool_room(&f.pool), (1 << 20) / 8);
    ck_assert_uint_eq(write_ring(&f, 1, RING), 0);
    send_pieces(&f, 1, written);
    acked(&f, 0, STT_CHUNK_BYTES);
    ck_assert_uint_eq(write_ring(&f, 1 << 20, RING), STT_CHUNK_BYTES);
    teardown(&f);
}
END_TEST

START_TEST(bytes_can_be_written_in_place)
{
    struct fixture f;
    size_t len;
    setup(&f);
    while (f.q.queued < 40000) {
        uint8_t *p = stt_sendq_reserve(&f.q, 40000, &len);
        ck_assert_ptr_nonnull(p);
        len = len < 7000 ? len : 7000;
        for (size_t i = 0; i < len; i++)
            p[i] = byte_at(f.q.queued + i);
        stt_sendq_commit(&f.q, len);
    }
    ck_assert_ptr_null(stt_sendq_reserve(&f.q, 40000, &len));
    ck_assert_uint_eq(len, 0);
    ck_assert_str_eq(next(&f, 65536), "0-40000");
    teardown(&f);
}
END_TEST

START_TEST(a_place_that_was_not_written_to_goes_back)
{
    struct fixture f;
    size_t len;
    setup(&f);
    ck_assert_ptr_nonnull(stt_sendq_reserve(&f.q, RING, &len));
    ck_assert_uint_eq(len, STT_CHUNK_BYTES);
    stt_sendq_commit(&f.q, 0);
    check_idle(&f);
    write_all(&f, STT_CHUNK_BYTES); /* behind a full chunk, too */
    ck_assert_ptr_nonnull(stt_sendq_reserve(&f.q, RING, &len));
    stt_sendq_commit(&f.q, 0);
    ck_assert_uint_eq(f.pool.chunks.in_use, 1);
    teardown(&f);
}
END_TEST

START_TEST(several_places_are_filled_from_the_front_and_the_rest_goes_back)
{
    struct fixture f;
    struct stt_sendq_room rooms[8];
    setup(&f);
    write_all(&f, 1000);
    ck_assert_uint_eq(stt_sendq_reserve_parts(&f.q, 50000, rooms, 2), 2);
    ck_assert_uint_eq(stt_sendq_reserve_parts(&f.q, 50000, rooms, 8), 4);
    ck_assert_uint_eq(rooms[0].len, STT_CHUNK_BYTES - 1000);
    ck_assert_uint_eq(rooms[1].len, STT_CHUNK_BYTES);
    ck_assert_uint_eq(rooms[3].len, 50000 - 3 * STT_CHUNK_BYTES);
    for (size_t i = 0, at = 1000; i < 2; at += rooms[i++].len)
        for (size_t k = 0; k < rooms[i].len; k++)
            rooms[i].data[k] = byte_at(at + k);
    ck_assert(stt_sendq_may_commit(&f.q, 50000, 49000));
    ck_assert(!stt_sendq_may_commit(&f.q, 50000, 49001));
    stt_sendq_commit(&f.q, 20000); /* into the second */
    ck_assert_uint_eq(f.pool.chunks.in_use, 2);
    ck_assert(!stt_sendq_may_commit(&f.q, 50000, STT_CHUNK_BYTES));
    ck_assert_str_eq(next(&f, 65536), "0-21000");
    ck_assert_uint_eq(stt_sendq_reserve_parts(&f.q, 50000, rooms, 8), 3);
    stt_sendq_commit(&f.q, 0);
    ck_assert_uint_eq(f.pool.chunks.in_use, 2);
    teardown(&f);
}
END_TEST

/* What was written over the border of a chunk, and then not at all. */
START_TEST(what_is_taken_back_holds_no_memory)
{
    struct fixture f;
    setup(&f);
    write_all(&f, 1000);
    ck_assert_str_eq(next(&f, 600), "0-600");
    write_all(&f, 3 * STT_CHUNK_BYTES);
    stt_sendq_take_back(&f.q, 1000);
    ck_assert_uint_eq(f.pool.chunks.in_use, 1);
    ck_assert_str_eq(next(&f, 65536), "600-1000");
    acked(&f, 0, 1000);
    check_idle(&f);
    write_all(&f, 3 * STT_CHUNK_BYTES);
    stt_sendq_take_back(&f.q, 1000);
    check_idle(&f);
    write_all(&f, 500); /* and it goes on there */
    ck_assert_str_eq(next(&f, 65536), "1000-1500");
    teardown(&f);
}
END_TEST

START_TEST(what_is_acknowledged_in_order_leaves)
{
    struct fixture f;
    setup_sent(&f, 40000);
    ck_assert_uint_eq(acked(&f, 0, 100), 100);
    ck_assert_uint_eq(acked(&f, 100, 16500), 16400);
    ck_assert_uint_eq(f.q.acked, 16500);
    ck_assert_uint_eq(f.q.chunks.held, 2);
    ck_assert_uint_eq(acked(&f, 16500, 40000), 23500);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(a_byte_counts_as_acknowledged_once)
{
    struct fixture f;
    setup_sent(&f, 1000);
    ck_assert_uint_eq(acked(&f, 200, 300), 100);
    ck_assert_uint_eq(acked(&f, 200, 300), 0);
    ck_assert_uint_eq(acked(&f, 500, 600), 100);
    ck_assert_uint_eq(acked(&f, 250, 550), 200);
    ck_assert_uint_eq(acked(&f, 100, 700), 200);
    ck_assert_uint_eq(acked(&f, 0, 50), 50);
    ck_assert_uint_eq(f.q.acked, 50);
    ck_assert_uint_eq(acked(&f, 0, 120), 50);
    ck_assert_uint_eq(f.q.acked, 700);
    ck_assert_uint_eq(acked(&f, 0, 700), 0);
    ck_assert_uint_eq(acked(&f, 700, 700), 0);
    ck_assert_uint_eq(acked(&f, 650, 1000), 300);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(lost_bytes_go_first_and_are_cut_to_the_room)
{
    struct fixture f;
    setup_sent(&f, 3000);
    write_all(&f, 1000);
    lost(&f, 0, 1000);
    lost(&f, 2000, 2100);
    ck_assert(stt_sendq_has_lost(&f.q));
    ck_assert_str_eq(next(&f, 700), "again 0-700");
    ck_assert_str_eq(next(&f, 700), "again 700-1000");
    ck_assert_str_eq(next(&f, 0), "nothing");
    ck_assert_str_eq(next(&f, 700), "again 2000-2100");
    ck_assert(!stt_sendq_has_lost(&f.q));
    ck_assert_str_eq(next(&f, 700), "3000-3700");
    teardown(&f);
}
END_TEST

START_TEST(neighbours_that_were_lost_go_out_together)
{
    struct fixture f;
    setup_sent(&f, 3000);
    lost(&f, 1000, 1500);
    lost(&f, 500, 1000);
    lost(&f, 700, 1600);
    ck_assert_str_eq(next(&f, 1400), "again 500-1600");
    lost(&f, 500, 1600);
    ck_assert_str_eq(next(&f, 1400), "again 500-1600");
    ck_assert_str_eq(next(&f, 1400), "nothing");
    teardown(&f);
}
END_TEST

START_TEST(what_was_acknowledged_meanwhile_is_not_sent_again)
{
    struct fixture f;
    setup_sent(&f, 3000);
    lost(&f, 0, 1000);
    lost(&f, 1500, 2000);
    acked(&f, 0, 100);     /* the lower end of it */
    acked(&f, 900, 1600);  /* the upper end of one and the lower of the other */
    acked(&f, 400, 500);   /* the middle */
    acked(&f, 1700, 1800); /* the middle */
    ck_assert_str_eq(next(&f, 1400), "again 100-400");
    ck_assert_str_eq(next(&f, 1400), "again 500-900");
    ck_assert_str_eq(next(&f, 1400), "again 1600-1700");
    ck_assert_str_eq(next(&f, 1400), "again 1800-2000");
    ck_assert_str_eq(next(&f, 1400), "nothing");
    teardown(&f);
}
END_TEST

START_TEST(a_loss_of_what_is_acknowledged_is_none)
{
    struct fixture f;
    setup_sent(&f, 3000);
    acked(&f, 0, 500);
    acked(&f, 1000, 2000);
    lost(&f, 0, 500);
    lost(&f, 1000, 2000);
    lost(&f, 1300, 1400);
    lost(&f, 2500, 2500);
    ck_assert_str_eq(next(&f, 1400), "nothing");
    lost(&f, 400, 2100);
    ck_assert_str_eq(next(&f, 1400), "again 500-1000");
    ck_assert_str_eq(next(&f, 1400), "again 2000-2100");
    ck_assert_str_eq(next(&f, 1400), "nothing");
    teardown(&f);
}
END_TEST

START_TEST(an_ack_settles_all_that_waited_to_be_repeated)
{
    struct fixture f;
    setup_sent(&f, 3000);
    lost(&f, 0, 100);
    lost(&f, 200, 300);
    lost(&f, 400, 500);
    acked(&f, 200, 300);
    ck_assert(stt_sendq_has_lost(&f.q));
    acked(&f, 400, 500);
    ck_assert(stt_sendq_has_lost(&f.q));
    acked(&f, 0, 100);
    ck_assert(!stt_sendq_has(&f.q, NO_LIMIT));
    teardown(&f);
}
END_TEST

START_TEST(fin_rides_with_the_last_byte)
{
    struct fixture f;
    setup(&f);
    write_all(&f, 100);
    stt_sendq_finish(&f.q);
    ck_assert_uint_eq(write_ring(&f, 1, RING), 0);
    ck_assert_str_eq(next(&f, 60), "0-60");
    ck_assert_str_eq(next(&f, 60), "60-100 fin");
    ck_assert_str_eq(next(&f, 60), "nothing");
    acked(&f, 0, 60);
    ck_assert(!stt_sendq_is_done(&f.q));
    stt_sendq_on_acked(&f.q, 60, 100, true);
    ck_assert(stt_sendq_is_done(&f.q));
    teardown(&f);
}
END_TEST

START_TEST(fin_goes_alone_when_everything_was_sent_before)
{
    struct fixture f;
    setup_sent(&f, 100);
    ck_assert_str_eq(next(&f, 60), "nothing");
    stt_sendq_finish(&f.q);
    ck_assert_str_eq(next(&f, 0), "100-100 fin");
    ck_assert_str_eq(next(&f, 0), "nothing");
    stt_sendq_on_acked(&f.q, 100, 100, true);
    ck_assert(!stt_sendq_is_done(&f.q));
    acked(&f, 0, 100);
    ck_assert(stt_sendq_is_done(&f.q));
    teardown(&f);
}
END_TEST

START_TEST(a_stream_may_be_nothing_but_fin)
{
    struct fixture f;
    setup(&f);
    stt_sendq_finish(&f.q);
    ck_assert_str_eq(next_below(&f, 0, 0), "0-0 fin");
    stt_sendq_on_lost(&f.q, 0, 0, true);
    ck_assert_str_eq(next_below(&f, 0, 0), "again 0-0 fin");
    stt_sendq_on_acked(&f.q, 0, 0, true);
    ck_assert(stt_sendq_is_done(&f.q));
    ck_assert_uint_eq(f.te.allocs, 0);
    teardown(&f);
}
END_TEST

START_TEST(fin_and_the_bytes_before_it_are_lost_and_acknowledged_each_by_itself)
{
    struct fixture f;
    setup(&f);
    write_all(&f, 100);
    ck_assert_str_eq(next(&f, 100), "0-100");
    stt_sendq_finish(&f.q);
    ck_assert_str_eq(next(&f, 100), "100-100 fin");
    stt_sendq_on_lost(&f.q, 100, 100, true);
    ck_assert_str_eq(next(&f, 100), "again 100-100 fin");
    lost(&f, 0, 100);
    ck_assert_str_eq(next(&f, 100), "again 0-100 fin"); /* it costs nothing to say it again */
    stt_sendq_on_acked(&f.q, 100, 100, true);
    stt_sendq_on_lost(&f.q, 0, 100, true); /* the repetition */
    ck_assert_str_eq(next(&f, 60), "again 0-60");
    ck_assert_str_eq(next(&f, 60), "again 60-100");
    ck_assert_str_eq(next(&f, 60), "nothing");
    acked(&f, 0, 100);
    ck_assert(stt_sendq_is_done(&f.q));
    teardown(&f);
}
END_TEST

START_TEST(fin_is_not_said_before_the_bytes_that_a_limit_holds_back)
{
    struct fixture f;
    setup(&f);
    write_all(&f, 100);
    stt_sendq_finish(&f.q);
    ck_assert_str_eq(next_below(&f, 50, 100), "0-50");
    ck_assert_str_eq(next_below(&f, 50, 100), "nothing");
    ck_assert_str_eq(next_below(&f, 50, 0), "nothing");
    ck_assert_str_eq(next_below(&f, 100, 100), "50-100 fin");
    teardown(&f);
}
END_TEST

START_TEST(a_skipped_range_is_neither_sent_nor_sent_again)
{
    struct fixture f;
    setup(&f);
    write_all(&f, 1000);
    ck_assert_str_eq(next(&f, 300), "0-300");
    ck_assert(stt_sendq_skip(&f.q, 500, 600)); /* not sent yet, nor what is before it */
    ck_assert(stt_sendq_skip(&f.q, 100, 200)); /* in flight */
    lost(&f, 0, 300);
    ck_assert_str_eq(next(&f, 400), "again 0-100");
    ck_assert_str_eq(next(&f, 400), "again 200-300");
    ck_assert_str_eq(next(&f, 400), "300-500");
    ck_assert_uint_eq(f.q.sent, 600); /* what is skipped counts as sent */
    ck_assert_str_eq(next(&f, 400), "600-1000");
    acked(&f, 0, 100);
    ck_assert_uint_eq(f.q.acked, 200);
    acked(&f, 200, 500);
    ck_assert_uint_eq(f.q.acked, 600);
    acked(&f, 600, 1000);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(a_skip_of_what_is_half_sent_moves_on_behind_it)
{
    struct fixture f;
    setup(&f);
    write_all(&f, 1000);
    ck_assert_str_eq(next(&f, 300), "0-300");
    ck_assert(stt_sendq_skip(&f.q, 500, 700));
    ck_assert(stt_sendq_skip(&f.q, 100, 500));
    ck_assert_uint_eq(f.q.sent, 700);
    lost(&f, 0, 300);
    ck_assert_str_eq(next(&f, 400), "again 0-100");
    ck_assert_uint_eq(acked(&f, 0, 300), 100); /* the rest counted when it was skipped */
    ck_assert_uint_eq(f.q.acked, 700);
    ck_assert_str_eq(next(&f, 400), "700-1000");
    teardown(&f);
}
END_TEST

START_TEST(everything_may_be_skipped)
{
    struct fixture f;
    setup(&f);
    write_all(&f, 100000);
    ck_assert(stt_sendq_skip(&f.q, 50000, 70000));
    ck_assert(stt_sendq_skip(&f.q, 0, 50000)); /* and so one goes on behind both */
    ck_assert_uint_eq(f.q.sent, 70000);
    ck_assert_uint_eq(f.q.acked, 70000);
    ck_assert(stt_sendq_skip(&f.q, 70000, 100000));
    check_idle(&f);
    ck_assert_str_eq(next(&f, 400), "nothing");
    stt_sendq_finish(&f.q);
    ck_assert_str_eq(next(&f, 400), "100000-100000 fin");
    stt_sendq_on_acked(&f.q, 100000, 100000, true);
    ck_assert(stt_sendq_is_done(&f.q));
    teardown(&f);
}
END_TEST

START_TEST(after_a_reset_nothing_is_owed_and_what_is_late_does_nothing)
{
    struct fixture f;
    setup(&f);
    write_all(&f, 1000);
    stt_sendq_finish(&f.q);
    ck_assert_str_eq(next(&f, 300), "0-300");
    ck_assert_str_eq(next(&f, 300), "300-600");
    lost(&f, 0, 100);
    acked(&f, 500, 600);
    stt_sendq_fini(&f.q);
    check_idle(&f);
    ck_assert_uint_eq(f.q.sent, 600);
    ck_assert_str_eq(next(&f, 300), "nothing");
    stt_sendq_on_lost(&f.q, 300, 600, true);
    ck_assert_uint_eq(stt_sendq_on_acked(&f.q, 300, 600, true), 0);
    stt_sendq_finish(&f.q);
    ck_assert_uint_eq(write_ring(&f, 10, RING), 0);
    ck_assert_str_eq(next(&f, 300), "nothing");
    ck_assert(!stt_sendq_is_done(&f.q));
    teardown(&f);
}
END_TEST

START_TEST(a_stream_ends_at_the_highest_offset_case_28)
{
    struct fixture f;
    setup(&f);
    f.q.acked = f.q.sent = f.q.queued = TOP - 20000; /* as if so much had gone through */
    f.q.chunks.base = f.q.queued / STT_CHUNK_BYTES;
    ck_assert_uint_eq(write_ring(&f, 30000, RING), 20000);
    ck_assert_uint_eq(write_ring(&f, 1, UINT64_MAX), 0);
    stt_sendq_finish(&f.q);
    send_pieces(&f, 1, 20000);
    lost(&f, TOP - 20000, TOP);
    ck_assert_str_eq(next(&f, SIZE_MAX), "again 4611686018427367903-4611686018427387903 fin");
    acked(&f, TOP - 100, TOP);
    stt_sendq_on_acked(&f.q, TOP - 20000, TOP, true);
    ck_assert(stt_sendq_is_done(&f.q));
    check_idle(&f);
    teardown(&f);
}
END_TEST

/* Every second byte is acknowledged, and every fourth lost, which is far more than any table holds.
 */
START_TEST(acks_and_losses_of_single_bytes_are_bounded_and_all_is_repaired_case_26)
{
    struct fixture f;
    struct stt_sendq_piece piece;
    size_t repeated = 0;
    uint64_t news = 0;
    setup_sent(&f, MANY);
    for (uint64_t at = 0; at < MANY; at += 4) {
        lost(&f, at, at + 1);
        news += acked(&f, at + 1, at + 2);
    }
    ck_assert_uint_le(f.pool.small.in_use + f.pool.large.in_use, 2);
    ck_assert_uint_eq(news, STT_SPANS_MAX);
    while (stt_sendq_next(&f.q, NO_LIMIT, 1400, &piece)) {
        ck_assert(piece.is_repeated);
        check_bytes(&f, &piece);
        repeated += piece.len;
        news += acked(&f, piece.offset, piece.offset + piece.len);
    }
    ck_assert_uint_ge(repeated, MANY / 4);
    ck_assert_uint_le(repeated, MANY);
    for (uint64_t at = 2; at < MANY; at += 4)
        news += acked(&f, at, at + 2);
    ck_assert_uint_eq(news, MANY);
    ck_assert_uint_eq(f.q.acked, MANY);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(an_ack_that_cannot_be_remembered_is_sent_again_case_37)
{
    struct fixture f;
    setup_sent(&f, 3000);
    ck_assert_uint_eq(acked(&f, 500, 1000), 500); /* one range takes no memory */
    f.te.fail_from = 1;
    ck_assert_uint_eq(acked(&f, 1500, 2000), 0);
    ck_assert_str_eq(next(&f, 1400), "again 1500-2000");
    ck_assert_uint_eq(acked(&f, 0, 500), 1000 - 500);
    ck_assert_uint_eq(f.q.acked, 1000);
    ck_assert_uint_eq(acked(&f, 1500, 2000), 500);
    ck_assert_uint_eq(acked(&f, 1000, 1500), 500);
    ck_assert_uint_eq(f.q.acked, 2000);
    teardown(&f);
}
END_TEST

START_TEST(a_loss_that_cannot_be_remembered_is_repaired_all_the_same_case_37)
{
    struct fixture f;
    setup_sent(&f, 3000);
    acked(&f, 600, 800);
    f.te.fail_from = 1;
    lost(&f, 300, 400);
    lost(&f, 1500, 1600);
    lost(&f, 100, 200);
    ck_assert_str_eq(next(&f, 1400), "again 100-600"); /* with what lies between */
    ck_assert_str_eq(next(&f, 1400), "again 800-1600");
    ck_assert_str_eq(next(&f, 1400), "nothing");
    teardown(&f);
}
END_TEST

START_TEST(a_skip_that_cannot_be_remembered_changes_nothing_case_37)
{
    struct fixture f;
    setup(&f);
    write_all(&f, 1000);
    f.te.fail_from = 1;
    ck_assert(stt_sendq_skip(&f.q, 200, 300));
    ck_assert(!stt_sendq_skip(&f.q, 500, 600));
    ck_assert_str_eq(next(&f, 1400), "0-200");
    ck_assert_str_eq(next(&f, 1400), "300-1000");
    teardown(&f);
}
END_TEST

/* One stream of 100,000 bytes with every third piece lost at first, from the start to its end. */
static void live(struct fixture *f)
{
    struct stt_sendq_piece piece, late[300];
    size_t n = 0, sent = 0;
    for (int i = 0; i < 1000 && !stt_sendq_is_done(&f->q); i++) {
        write_ring(f, f->q.queued < 100000 ? 100000 - (size_t)f->q.queued : 0, 50000);
        if (f->q.queued == 100000)
            stt_sendq_finish(&f->q);
        for (n = 0; stt_sendq_next(&f->q, NO_LIMIT, 500, &piece); sent++) {
            check_bytes(f, &piece);
            if (sent % 3 == 0 && !piece.is_repeated)
                late[n++] = piece;
            else
                stt_sendq_on_acked(&f->q, piece.offset, piece.offset + piece.len, piece.fin);
        }
        while (n-- > 0)
            stt_sendq_on_lost(&f->q, late[n].offset, late[n].offset + late[n].len, late[n].fin);
    }
    ck_assert(stt_sendq_is_done(&f->q));
    ck_assert_uint_eq(f->q.acked, 100000);
    check_idle(f);
}

START_TEST(a_stream_comes_through_whatever_allocation_fails_case_37)
{
    for (uint64_t n = 1;; n++) {
        struct fixture f;
        setup(&f);
        f.te.fail_at = n;
        live(&f);
        uint64_t failed = f.te.failed;
        teardown(&f);
        if (!failed)
            break;
        ck_assert_uint_lt(n, 20);
    }
}
END_TEST

START_TEST(in_the_steady_state_nothing_is_allocated)
{
    struct fixture f;
    setup(&f);
    live(&f);
    stt_sendq_fini(&f.q);
    uint64_t allocs = f.te.allocs;
    for (int i = 0; i < 10; i++) {
        stt_sendq_init(&f.q, &f.pool);
        live(&f);
        stt_sendq_fini(&f.q);
    }
    ck_assert_uint_eq(f.te.allocs, allocs);
    teardown(&f);
}
END_TEST

static void ack_unsent(void *fixture)
{
    acked(fixture, 50, 101);
}

static void lose_unsent(void *fixture)
{
    lost(fixture, 50, 101);
}

static void skip_unwritten(void *fixture)
{
    (void)!stt_sendq_skip(&((struct fixture *)fixture)->q, 50, 201);
}

static void commit_too_much(void *fixture)
{
    stt_sendq_commit(&((struct fixture *)fixture)->q, STT_CHUNK_BYTES);
}

START_TEST(misuse_is_a_bug)
{
    static void (*const misuses[])(void *) = {ack_unsent, lose_unsent, skip_unwritten,
                                              commit_too_much};
    struct fixture f;
    setup_sent(&f, 100);
    write_all(&f, 100);
    ck_assert(dies(misuses[_i], &f));
    teardown(&f);
}
END_TEST

SUITE("sendq", TEST(an_idle_queue_holds_no_memory_but_itself),
      TEST(bytes_go_out_in_pieces_over_the_borders_of_chunks),
      TEST(a_large_piece_spans_five_parts_and_no_more_are_given_than_asked_for),
      TEST(no_new_byte_passes_the_limit),
      TEST(a_full_ring_takes_no_more_until_something_is_acknowledged),
      TEST(an_empty_pool_takes_no_more_and_something_is_left_for_what_arrives),
      TEST(bytes_can_be_written_in_place), TEST(a_place_that_was_not_written_to_goes_back),
      TEST(several_places_are_filled_from_the_front_and_the_rest_goes_back),
      TEST(what_is_taken_back_holds_no_memory), TEST(what_is_acknowledged_in_order_leaves),
      TEST(a_byte_counts_as_acknowledged_once), TEST(lost_bytes_go_first_and_are_cut_to_the_room),
      TEST(neighbours_that_were_lost_go_out_together),
      TEST(what_was_acknowledged_meanwhile_is_not_sent_again),
      TEST(a_loss_of_what_is_acknowledged_is_none),
      TEST(an_ack_settles_all_that_waited_to_be_repeated), TEST(fin_rides_with_the_last_byte),
      TEST(fin_goes_alone_when_everything_was_sent_before), TEST(a_stream_may_be_nothing_but_fin),
      TEST(fin_and_the_bytes_before_it_are_lost_and_acknowledged_each_by_itself),
      TEST(fin_is_not_said_before_the_bytes_that_a_limit_holds_back),
      TEST(a_skipped_range_is_neither_sent_nor_sent_again),
      TEST(a_skip_of_what_is_half_sent_moves_on_behind_it), TEST(everything_may_be_skipped),
      TEST(after_a_reset_nothing_is_owed_and_what_is_late_does_nothing),
      TEST(a_stream_ends_at_the_highest_offset_case_28),
      TEST(acks_and_losses_of_single_bytes_are_bounded_and_all_is_repaired_case_26),
      TEST(an_ack_that_cannot_be_remembered_is_sent_again_case_37),
      TEST(a_loss_that_cannot_be_remembered_is_repaired_all_the_same_case_37),
      TEST(a_skip_that_cannot_be_remembered_changes_nothing_case_37),
      TEST(a_stream_comes_through_whatever_allocation_fails_case_37),
      TEST(in_the_steady_state_nothing_is_allocated), LOOP(misuse_is_a_bug, 0, 4))
