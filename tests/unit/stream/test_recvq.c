/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_recvq compares long histories with a model; here are the single cases. */
#include "stt/stream/recvq.h"

#include "stt/wire/limits.h"
#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

#include <string.h>

#define TOP ((UINT64_C(1) << 62) - 1)

struct fixture {
    struct test_env te;
    struct stt_chunk_pool pool;
    struct stt_recvq q;
};

static void setup_pool(struct fixture *f, size_t max_bytes)
{
    test_env_init(&f->te, 1);
    stt_chunk_pool_init(&f->pool, &f->te.env, max_bytes);
    stt_recvq_init(&f->q, &f->pool);
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
    stt_recvq_fini(&f->q);
    check_idle(f);
    stt_chunk_pool_fini(&f->pool);
    test_env_check_no_leak(&f->te);
}

/* Never 0, which is what skipped bytes are, nor anything from 'A' to 'Z'. */
static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(128 + offset % 113);
}

static enum stt_recvq_result insert_fin(struct fixture *f, uint64_t from, uint64_t to, bool fin)
{
    static uint8_t data[1 << 20];
    ck_assert(to - from <= sizeof data);
    for (uint64_t i = from; i < to; i++)
        data[i - from] = byte_at(i);
    return stt_recvq_insert(&f->q, from, bytes_of(data, (size_t)(to - from)), fin);
}

static enum stt_recvq_result insert(struct fixture *f, uint64_t from, uint64_t to)
{
    return insert_fin(f, from, to, false);
}

static void put(struct fixture *f, uint64_t from, uint64_t to)
{
    ck_assert_int_eq(insert(f, from, to), STT_RECVQ_OK);
}

static enum stt_recvq_result insert_text(struct fixture *f, uint64_t offset, const char *text)
{
    return stt_recvq_insert(&f->q, offset, bytes_of(text, strlen(text)), false);
}

/* All that is available, in place, and consumed then; the bytes are the stream's own. */
static uint64_t read_all(struct fixture *f)
{
    struct bytes part;
    uint64_t from = f->q.consumed;
    while (stt_recvq_peek(&f->q, &part, 1)) {
        for (size_t i = 0; i < part.len; i++)
            if (part.data[i] != byte_at(f->q.consumed + i))
                ck_abort_msg("a wrong byte at %llu", (unsigned long long)f->q.consumed + i);
        stt_recvq_consume(&f->q, part.len);
    }
    ck_assert_uint_eq(stt_recvq_available(&f->q), 0);
    return f->q.consumed - from;
}

static const char *read_text(struct fixture *f)
{
    static char text[100];
    struct bytes part = BYTES_NONE;
    stt_recvq_peek(&f->q, &part, 1);
    ck_assert_uint_lt(part.len, sizeof text);
    for (size_t i = 0; i < part.len; i++)
        text[i] = part.data[i] ? (char)part.data[i] : '0';
    text[part.len] = 0;
    stt_recvq_consume(&f->q, part.len);
    return text;
}

START_TEST(an_idle_queue_holds_no_memory_but_itself)
{
    struct fixture f;
    struct bytes part;
    setup(&f);
    ck_assert_uint_le(sizeof f.q, 80);
    ck_assert_uint_eq(stt_recvq_peek(&f.q, &part, 1), 0);
    ck_assert(!stt_recvq_is_all_here(&f.q));
    ck_assert_uint_eq(f.te.allocs, 0);
    for (uint64_t at = 0; at < 100000; at += 5000) {
        put(&f, at, at + 5000);
        ck_assert_uint_eq(read_all(&f), 5000);
        check_idle(&f);
    }
    teardown(&f);
}
END_TEST

START_TEST(what_comes_in_order_is_read_in_place)
{
    struct fixture f;
    struct bytes parts[4];
    setup(&f);
    for (uint64_t at = 0; at < 42000; at += 1400)
        put(&f, at, at + 1400);
    ck_assert_uint_eq(stt_recvq_available(&f.q), 42000);
    ck_assert_uint_eq(stt_recvq_peek(&f.q, parts, 4), 3);
    ck_assert_uint_eq(parts[0].len + parts[1].len + parts[2].len, 42000);
    ck_assert_uint_eq(stt_recvq_peek(&f.q, parts, 2), 2);
    ck_assert_uint_eq(stt_recvq_peek(&f.q, parts, 0), 0);
    ck_assert_uint_eq(read_all(&f), 42000);
    teardown(&f);
}
END_TEST

START_TEST(what_is_consumed_gives_its_chunks_back)
{
    struct fixture f;
    setup(&f);
    put(&f, 0, 60000);
    ck_assert_uint_eq(f.q.chunks.held, 4);
    stt_recvq_consume(&f.q, STT_CHUNK_BYTES - 1);
    ck_assert_uint_eq(f.q.chunks.held, 4);
    stt_recvq_consume(&f.q, 1);
    ck_assert_uint_eq(f.q.chunks.held, 3);
    stt_recvq_consume(&f.q, 60000 - STT_CHUNK_BYTES);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(what_comes_out_of_order_waits_for_the_gap_to_be_filled)
{
    struct fixture f;
    setup(&f);
    put(&f, 30000, 40000);
    put(&f, 10000, 20000);
    put(&f, 50000, 50001);
    ck_assert_uint_eq(stt_recvq_available(&f.q), 0);
    ck_assert_uint_eq(stt_recvq_gaps(&f.q), 3);
    ck_assert_uint_eq(f.q.highest, 50001);
    put(&f, 0, 10000);
    ck_assert_uint_eq(read_all(&f), 20000);
    put(&f, 20000, 30000);
    ck_assert_uint_eq(read_all(&f), 20000);
    ck_assert_uint_eq(stt_recvq_gaps(&f.q), 1);
    put(&f, 40000, 50000);
    ck_assert_uint_eq(read_all(&f), 10001);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(a_drained_queue_keeps_what_lies_beyond_a_gap_in_the_same_chunk)
{
    struct fixture f;
    setup(&f);
    put(&f, 0, 100);
    put(&f, 200, 300);
    ck_assert_uint_eq(read_all(&f), 100);
    put(&f, 100, 200);
    ck_assert_uint_eq(read_all(&f), 200);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(bytes_that_arrived_first_stand_case_27)
{
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(insert_text(&f, 0, "AAAA"), STT_RECVQ_OK);
    ck_assert_int_eq(insert_text(&f, 8, "BBBB"), STT_RECVQ_OK);
    ck_assert_int_eq(insert_text(&f, 16, "CCCC"), STT_RECVQ_OK);
    ck_assert_int_eq(insert_text(&f, 9, "xx"), STT_RECVQ_OK);    /* within an island */
    ck_assert_int_eq(insert_text(&f, 6, "DDDD"), STT_RECVQ_OK);  /* over its lower end */
    ck_assert_int_eq(insert_text(&f, 10, "EEEE"), STT_RECVQ_OK); /* over its upper end */
    ck_assert_int_eq(insert_text(&f, 2, "FFFFFFFFFFFFFFFFFFFF"), STT_RECVQ_OK); /* over all */
    ck_assert_int_eq(insert_text(&f, 0, "yyyyyyyyyyyyyyyyyyyyyy"), STT_RECVQ_OK);
    ck_assert_str_eq(read_text(&f), "AAAAFFDDBBBBEEFFCCCCFF");
    ck_assert_int_eq(insert_text(&f, 0, "zzzzzzzzzzzzzzzzzzzzzzzz"), STT_RECVQ_OK);
    ck_assert_str_eq(read_text(&f), "zz"); /* only what is new, behind what was read */
    teardown(&f);
}
END_TEST

START_TEST(what_comes_twice_changes_nothing)
{
    struct fixture f;
    setup(&f);
    put(&f, 0, 1000);
    put(&f, 2000, 3000);
    put(&f, 0, 1000);
    put(&f, 500, 700);
    put(&f, 2000, 3000);
    ck_assert_uint_eq(stt_recvq_available(&f.q), 1000);
    ck_assert_uint_eq(stt_recvq_gaps(&f.q), 1);
    ck_assert_uint_eq(f.q.highest, 3000);
    ck_assert_uint_eq(read_all(&f), 1000);
    put(&f, 0, 1000);
    ck_assert_uint_eq(stt_recvq_available(&f.q), 0);
    put(&f, 0, 3000);
    ck_assert_uint_eq(read_all(&f), 2000);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(fin_tells_the_end)
{
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(insert_fin(&f, 100, 200, true), STT_RECVQ_OK);
    ck_assert(!stt_recvq_is_all_here(&f.q));
    ck_assert_int_eq(insert_fin(&f, 200, 200, true), STT_RECVQ_OK);
    put(&f, 0, 200);
    ck_assert(stt_recvq_is_all_here(&f.q));
    ck_assert_uint_eq(read_all(&f), 200);
    ck_assert(stt_recvq_is_all_here(&f.q));
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(a_stream_may_be_nothing_but_fin)
{
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(stt_recvq_insert(&f.q, 0, BYTES_NONE, false), STT_RECVQ_OK);
    ck_assert(!stt_recvq_is_all_here(&f.q));
    ck_assert_int_eq(stt_recvq_insert(&f.q, 0, BYTES_NONE, true), STT_RECVQ_OK);
    ck_assert(stt_recvq_is_all_here(&f.q));
    ck_assert_uint_eq(f.te.allocs, 0);
    teardown(&f);
}
END_TEST

START_TEST(fin_alone_may_come_before_the_bytes)
{
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(stt_recvq_insert(&f.q, 500, BYTES_NONE, true), STT_RECVQ_OK);
    ck_assert_uint_eq(f.q.highest, 500);
    ck_assert_uint_eq(stt_recvq_gaps(&f.q), 0);
    put(&f, 0, 499);
    ck_assert(!stt_recvq_is_all_here(&f.q));
    put(&f, 499, 500);
    ck_assert(stt_recvq_is_all_here(&f.q));
    teardown(&f);
}
END_TEST

START_TEST(an_end_that_moves_is_refused_and_nothing_changes_case_28)
{
    struct fixture f;
    setup(&f);
    put(&f, 0, 50);
    put(&f, 80, 100);
    ck_assert_int_eq(insert_fin(&f, 50, 99, true), STT_RECVQ_FINAL); /* below what is here */
    ck_assert_uint_eq(f.q.end, STT_RECVQ_NO_END);
    ck_assert_int_eq(insert_fin(&f, 100, 120, true), STT_RECVQ_OK);
    ck_assert_int_eq(insert_fin(&f, 100, 121, true), STT_RECVQ_FINAL);
    ck_assert_int_eq(insert_fin(&f, 50, 60, true), STT_RECVQ_FINAL);
    ck_assert_int_eq(insert_fin(&f, 0, 0, true), STT_RECVQ_FINAL);
    ck_assert_int_eq(insert_fin(&f, 60, 121, false), STT_RECVQ_FINAL);
    ck_assert_int_eq(stt_recvq_skip(&f.q, 60, 61), STT_RECVQ_FINAL);
    ck_assert_int_eq(stt_recvq_reset(&f.q, 119), STT_RECVQ_FINAL);
    ck_assert_int_eq(stt_recvq_reset(&f.q, 121), STT_RECVQ_FINAL);
    ck_assert(f.q.end == 120 && f.q.highest == 120 && f.q.contiguous == 50);
    put(&f, 50, 120);
    ck_assert_uint_eq(read_all(&f), 120);
    teardown(&f);
}
END_TEST

START_TEST(a_stream_may_end_at_the_highest_offset_case_28)
{
    struct fixture f;
    setup(&f);
    f.q.consumed = f.q.contiguous = f.q.highest = TOP - 30000; /* as if so much had come */
    f.q.chunks.base = f.q.consumed / STT_CHUNK_BYTES;
    ck_assert_int_eq(insert_fin(&f, TOP - 5, TOP, true), STT_RECVQ_OK);
    ck_assert_int_eq(insert_fin(&f, TOP - 5, TOP - 1, true), STT_RECVQ_FINAL);
    put(&f, TOP - 30000, TOP - 5);
    ck_assert(stt_recvq_is_all_here(&f.q));
    ck_assert_uint_eq(read_all(&f), 30000);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(an_absurd_offset_takes_no_memory_case_28)
{
    struct fixture f;
    setup(&f);
    put(&f, 0, 10);
    uint64_t allocs = f.te.allocs;
    ck_assert_int_eq(insert(&f, TOP - 1, TOP), STT_RECVQ_NO_ROOM);
    ck_assert_uint_eq(f.q.highest, 10);
    ck_assert_uint_eq(f.te.allocs, allocs);
    ck_assert_int_eq(insert_fin(&f, TOP, TOP, true), STT_RECVQ_OK); /* flow control knows better */
    ck_assert_int_eq(stt_recvq_reset(&f.q, TOP), STT_RECVQ_OK);
    teardown(&f);
}
END_TEST

START_TEST(single_bytes_with_gaps_between_are_bounded_case_26)
{
    struct fixture f;
    setup(&f);
    for (uint64_t i = 1; i <= STT_STREAM_GAPS_MAX; i++)
        put(&f, 2 * i, 2 * i + 1);
    ck_assert_uint_eq(stt_recvq_gaps(&f.q), STT_STREAM_GAPS_MAX);
    ck_assert_int_eq(insert(&f, 2000, 2001), STT_RECVQ_TOO_MANY);
    ck_assert_int_eq(insert(&f, 100000, 100001), STT_RECVQ_TOO_MANY);
    ck_assert_uint_eq(f.q.highest, 2 * STT_STREAM_GAPS_MAX + 1);
    ck_assert_uint_eq(f.pool.chunks.in_use, 1); /* what was taken for it went back */
    ck_assert_uint_eq(f.pool.small.in_use + f.pool.large.in_use, 2); /* a row and a table */
    put(&f, 3, 4);
    put(&f, 2000, 2001);
    put(&f, 0, 2001);
    ck_assert_uint_eq(read_all(&f), 2001);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(skipped_bytes_are_zeros_and_do_not_replace_what_is_here)
{
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(insert_text(&f, 0, "AAAA"), STT_RECVQ_OK);
    ck_assert_int_eq(insert_text(&f, 6, "BB"), STT_RECVQ_OK);
    ck_assert_int_eq(stt_recvq_skip(&f.q, 2, 8), STT_RECVQ_OK);
    ck_assert_uint_eq(f.q.highest, 10);
    ck_assert_int_eq(insert_text(&f, 4, "xxxxxxCC"), STT_RECVQ_OK); /* it comes too late */
    ck_assert_str_eq(read_text(&f), "AAAA00BB00CC");
    ck_assert_int_eq(stt_recvq_skip(&f.q, 0, 12), STT_RECVQ_OK);
    ck_assert_uint_eq(stt_recvq_available(&f.q), 0);
    teardown(&f);
}
END_TEST

START_TEST(skipped_bytes_may_lie_beyond_a_gap)
{
    struct fixture f;
    setup(&f);
    ck_assert_int_eq(stt_recvq_skip(&f.q, 4, 4), STT_RECVQ_OK);
    ck_assert_int_eq(insert_text(&f, 10, "BB"), STT_RECVQ_OK);
    ck_assert_uint_eq(stt_recvq_gaps(&f.q), 2);
    ck_assert_int_eq(insert_text(&f, 0, "AAAAAAAAAA"), STT_RECVQ_OK);
    ck_assert_str_eq(read_text(&f), "AAAA0000AABB");
    teardown(&f);
}
END_TEST

/* Of a stream that is `here` up to some byte and consumed, a long range is skipped; then the rest
 * comes. Everything must read as zeros but what came. */
START_TEST(a_long_skip_takes_memory_for_its_ends_only)
{
    static const uint64_t heres[] = {0, 100, STT_CHUNK_BYTES, STT_CHUNK_BYTES + 1};
    static const uint64_t gaps[] = {0, 1, STT_CHUNK_BYTES, 20000};
    struct fixture f;
    uint64_t here = heres[_i % 4], from = here + gaps[_i / 4], to = from + (4 << 20) + 5;
    struct bytes part;
    setup(&f);
    put(&f, 0, here);
    ck_assert_uint_eq(read_all(&f), here);
    ck_assert_int_eq(stt_recvq_skip(&f.q, from, to - from), STT_RECVQ_OK);
    ck_assert_uint_le(f.pool.chunks.in_use, 2);
    put(&f, to, to + 40000);
    put(&f, here, from);
    ck_assert_uint_eq(stt_recvq_available(&f.q), to + 40000 - here);
    for (uint64_t at = here; stt_recvq_peek(&f.q, &part, 1); at += part.len) {
        for (size_t i = 0; i < part.len; i++)
            if (part.data[i] != (at + i >= from && at + i < to ? 0 : byte_at(at + i)))
                ck_abort_msg("a wrong byte at %llu", (unsigned long long)(at + i));
        stt_recvq_consume(&f.q, part.len);
    }
    ck_assert_uint_eq(f.q.consumed, to + 40000);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(what_arrives_after_a_stop_is_counted_and_dropped)
{
    struct fixture f;
    setup(&f);
    put(&f, 0, 1000);
    put(&f, 2000, 3000);
    stt_recvq_stop(&f.q);
    check_idle(&f);
    ck_assert_uint_eq(f.q.consumed, 3000);
    put(&f, 1000, 2000);
    put(&f, 50000, 60000);
    ck_assert_int_eq(stt_recvq_skip(&f.q, 60000, 1000), STT_RECVQ_OK);
    ck_assert_uint_eq(f.q.highest, 61000);
    ck_assert_uint_eq(f.q.consumed, 61000); /* so that its window is given back */
    ck_assert_uint_eq(stt_recvq_available(&f.q), 0);
    check_idle(&f);
    ck_assert_int_eq(insert_fin(&f, 60000, 60999, true), STT_RECVQ_FINAL);
    ck_assert_int_eq(insert_fin(&f, 62000, 62000, true), STT_RECVQ_OK);
    ck_assert(stt_recvq_is_all_here(&f.q));
    ck_assert_int_eq(insert(&f, 62000, 62001), STT_RECVQ_FINAL);
    teardown(&f);
}
END_TEST

START_TEST(a_reset_drops_what_is_here_and_fixes_the_end)
{
    struct fixture f;
    setup(&f);
    put(&f, 0, 1000);
    put(&f, 2000, 3000);
    ck_assert_int_eq(stt_recvq_reset(&f.q, 2999), STT_RECVQ_FINAL);
    ck_assert_uint_eq(stt_recvq_available(&f.q), 1000);
    ck_assert_int_eq(stt_recvq_reset(&f.q, 5000), STT_RECVQ_OK);
    check_idle(&f);
    ck_assert(f.q.highest == 5000 && f.q.consumed == 5000 && f.q.end == 5000);
    put(&f, 4000, 5000);
    ck_assert_int_eq(insert(&f, 4000, 5001), STT_RECVQ_FINAL);
    ck_assert_int_eq(stt_recvq_reset(&f.q, 5000), STT_RECVQ_OK);
    ck_assert_int_eq(stt_recvq_reset(&f.q, 4999), STT_RECVQ_FINAL);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(gaps_can_be_closed_when_the_pool_is_full_of_what_lies_beyond)
{
    struct fixture f;
    uint64_t at = 2 * STT_CHUNK_BYTES;
    setup_pool(&f, 1 << 20);
    while (insert(&f, at, at + 1400) == STT_RECVQ_OK)
        at += 1400;
    ck_assert_uint_eq(f.q.highest, at);
    ck_assert_uint_gt(stt_chunk_pool_room(&f.pool), 0);
    put(&f, 0, 2 * STT_CHUNK_BYTES);
    ck_assert_uint_eq(read_all(&f), at);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(an_empty_pool_is_as_if_the_packet_had_been_lost)
{
    struct fixture f;
    uint64_t at = 0;
    setup_pool(&f, 1 << 20);
    while (insert(&f, at, at + 1400) == STT_RECVQ_OK)
        at += 1400;
    ck_assert_uint_eq(f.q.contiguous, at);
    ck_assert_int_eq(insert_fin(&f, at, at + 1400, true), STT_RECVQ_NO_ROOM);
    ck_assert(f.q.highest == at && f.q.end == STT_RECVQ_NO_END);
    stt_recvq_consume(&f.q, STT_CHUNK_BYTES);
    ck_assert_int_eq(insert_fin(&f, at, at + 1400, true), STT_RECVQ_OK);
    ck_assert_uint_eq(read_all(&f), at + 1400 - STT_CHUNK_BYTES);
    check_idle(&f);
    teardown(&f);
}
END_TEST

/* Everything twice when it is refused, as its sender would do. */
static void live(struct fixture *f, uint64_t base)
{
    enum { PIECES = 60, LEN = 1500 };
    for (uint64_t i = 0; i < PIECES; i++) {
        uint64_t at = base + i * 7 % PIECES * LEN; /* in an order of its own */
        struct stt_recvq before = f->q;
        if (insert(f, at, at + LEN) != STT_RECVQ_OK) {
            ck_assert_uint_eq(f->q.contiguous, before.contiguous);
            ck_assert_uint_eq(f->q.highest, before.highest);
            ck_assert_uint_eq(f->q.chunks.held, before.chunks.held);
            put(f, at, at + LEN);
        }
    }
    ck_assert_uint_eq(read_all(f), PIECES * LEN);
    check_idle(f);
}

START_TEST(a_stream_comes_through_whatever_allocation_fails_case_37)
{
    for (uint64_t n = 1;; n++) {
        struct fixture f;
        setup(&f);
        f.te.fail_at = n;
        live(&f, 0);
        uint64_t failed = f.te.failed;
        teardown(&f);
        if (!failed)
            break;
        ck_assert_uint_lt(n, 20);
    }
}
END_TEST

START_TEST(a_skip_without_memory_changes_nothing_case_37)
{
    struct fixture f;
    setup(&f);
    f.te.fail_from = 1;
    ck_assert_int_eq(stt_recvq_skip(&f.q, 100, 100000), STT_RECVQ_NO_ROOM);
    ck_assert_uint_eq(f.q.highest, 0);
    ck_assert_int_eq(stt_recvq_skip(&f.q, 0, STT_CHUNK_BYTES), STT_RECVQ_OK); /* it needs none */
    f.te.fail_from = 0;
    put(&f, STT_CHUNK_BYTES, STT_CHUNK_BYTES + 1);
    ck_assert_uint_eq(stt_recvq_available(&f.q), STT_CHUNK_BYTES + 1);
    stt_recvq_consume(&f.q, STT_CHUNK_BYTES);
    ck_assert_uint_eq(read_all(&f), 1);
    teardown(&f);
}
END_TEST

START_TEST(in_the_steady_state_nothing_is_allocated)
{
    struct fixture f;
    setup(&f);
    live(&f, 0);
    uint64_t allocs = f.te.allocs;
    for (int i = 0; i < 20; i++)
        live(&f, f.q.consumed);
    ck_assert_uint_eq(f.te.allocs, allocs);
    teardown(&f);
}
END_TEST

static void consume_too_much(void *fixture)
{
    stt_recvq_consume(&((struct fixture *)fixture)->q, 101);
}

START_TEST(misuse_is_a_bug)
{
    struct fixture f;
    setup(&f);
    put(&f, 0, 100);
    put(&f, 200, 300);
    ck_assert(dies(consume_too_much, &f));
    teardown(&f);
}
END_TEST

SUITE("recvq", TEST(an_idle_queue_holds_no_memory_but_itself),
      TEST(what_comes_in_order_is_read_in_place), TEST(what_is_consumed_gives_its_chunks_back),
      TEST(what_comes_out_of_order_waits_for_the_gap_to_be_filled),
      TEST(a_drained_queue_keeps_what_lies_beyond_a_gap_in_the_same_chunk),
      TEST(bytes_that_arrived_first_stand_case_27), TEST(what_comes_twice_changes_nothing),
      TEST(fin_tells_the_end), TEST(a_stream_may_be_nothing_but_fin),
      TEST(fin_alone_may_come_before_the_bytes),
      TEST(an_end_that_moves_is_refused_and_nothing_changes_case_28),
      TEST(a_stream_may_end_at_the_highest_offset_case_28),
      TEST(an_absurd_offset_takes_no_memory_case_28),
      TEST(single_bytes_with_gaps_between_are_bounded_case_26),
      TEST(skipped_bytes_are_zeros_and_do_not_replace_what_is_here),
      TEST(skipped_bytes_may_lie_beyond_a_gap),
      LOOP(a_long_skip_takes_memory_for_its_ends_only, 0, 16),
      TEST(what_arrives_after_a_stop_is_counted_and_dropped),
      TEST(a_reset_drops_what_is_here_and_fixes_the_end),
      TEST(gaps_can_be_closed_when_the_pool_is_full_of_what_lies_beyond),
      TEST(an_empty_pool_is_as_if_the_packet_had_been_lost),
      TEST(a_stream_comes_through_whatever_allocation_fails_case_37),
      TEST(a_skip_without_memory_changes_nothing_case_37),
      TEST(in_the_steady_state_nothing_is_allocated), TEST(misuse_is_a_bug))
