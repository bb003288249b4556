/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_datagrams compares long histories with a model; here are the single cases.
 */
#include "stt/stream/datagrams.h"

#include "stt/wire/limits.h"
#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

#include <string.h>

enum { HEADER = 2, WHOLE = STT_CHUNK_BYTES - HEADER }; /* WHOLE fills a chunk by itself */

struct fixture {
    struct test_env te;
    struct stt_chunk_pool pool;
    struct stt_datagrams q;
    struct stt_chunks others; /* who share the pool */
    uint64_t n_others;
};

static void setup_for(struct fixture *f, size_t pool_bytes, enum stt_chunk_use use)
{
    *f = (struct fixture){.n_others = 0};
    test_env_init(&f->te, 1);
    stt_chunk_pool_init(&f->pool, &f->te.env, pool_bytes);
    stt_chunks_init(&f->others, &f->pool);
    stt_datagrams_init(&f->q, &f->pool, use);
}

static void setup(struct fixture *f)
{
    setup_for(f, 4 << 20, STT_CHUNK_FOR_NEXT);
}

static void check_idle(const struct fixture *f)
{
    ck_assert_uint_eq(f->q.n, 0);
    ck_assert_uint_eq(f->q.bytes, 0);
    ck_assert_uint_eq(f->pool.chunks.in_use, f->others.held);
    ck_assert_uint_eq(f->pool.small.in_use + f->pool.large.in_use, f->others.mask != 0);
}

static void teardown(struct fixture *f)
{
    stt_datagrams_fini(&f->q);
    check_idle(f);
    stt_chunks_fini(&f->others);
    stt_chunk_pool_fini(&f->pool);
    test_env_check_no_leak(&f->te);
}

static uint32_t room(const struct fixture *f)
{
    return f->pool.chunks.shape.max - f->pool.chunks.in_use;
}

/* Others leave so many chunks. */
static void leave(struct fixture *f, uint32_t chunks)
{
    size_t len;
    while (room(f) > chunks)
        ck_assert_ptr_nonnull(
            stt_chunks_make(&f->others, f->n_others++ * STT_CHUNK_BYTES, STT_CHUNK_FOR_NEXT, &len));
}

static uint8_t byte_of(uint64_t number, size_t i)
{
    return (uint8_t)(number * 37 + i % 251 + i / STT_CHUNK_BYTES);
}

/* The next one, with bytes of its own. */
static int push(struct fixture *f, size_t len)
{
    static uint8_t data[STT_DATAGRAM_BYTES_MAX + 1];
    for (size_t i = 0; i < len; i++)
        data[i] = byte_of(f->q.next, i);
    return stt_datagrams_push(&f->q, bytes_of(data, len));
}

static void push_all(struct fixture *f, size_t n, size_t len)
{
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(push(f, len), STT_OK);
}

static size_t check_bytes(const struct stt_datagrams_view *v)
{
    size_t at = 0;
    for (size_t i = 0; i < v->n_parts; i++)
        for (size_t j = 0; j < v->parts[i].len; j++, at++)
            if (v->parts[i].data[j] != byte_of(v->number, at))
                ck_abort_msg("a wrong byte at %zu", at);
    ck_assert_uint_eq(at, v->len);
    return v->n_parts;
}

/* The oldest is this one, with all its bytes, and leaves. Answers in how many parts it was. */
static size_t pop(struct fixture *f, uint64_t number, size_t len)
{
    struct stt_datagrams_view v;
    ck_assert(stt_datagrams_first(&f->q, &v));
    ck_assert_uint_eq(v.number, number);
    ck_assert_uint_eq(v.len, len);
    size_t parts = check_bytes(&v);
    stt_datagrams_pop(&f->q);
    return parts;
}

static void pop_all(struct fixture *f, uint64_t number, size_t len)
{
    while (f->q.n)
        pop(f, number++, len);
    ck_assert_uint_eq(number, f->q.next);
    check_idle(f);
}

START_TEST(an_unused_queue_holds_no_memory)
{
    struct fixture f;
    struct stt_datagrams_view v;
    setup(&f);
    ck_assert(!stt_datagrams_first(&f.q, &v));
    stt_datagrams_fini(&f.q);
    ck_assert_uint_eq(f.te.allocs, 0);
    teardown(&f);
}
END_TEST

START_TEST(datagrams_leave_as_they_came_with_numbers_from_0)
{
    struct fixture f;
    setup(&f);
    for (size_t i = 0; i < 100; i++)
        ck_assert_int_eq(push(&f, 10 * i), STT_OK);
    ck_assert_uint_eq(f.q.n, 100);
    ck_assert_uint_eq(f.q.bytes, 10 * 99 * 100 / 2);
    for (size_t i = 0; i < 100; i++)
        pop(&f, i, 10 * i);
    ck_assert_uint_eq(f.q.dropped, 0);
    check_idle(&f);
    teardown(&f);
}
END_TEST

START_TEST(numbers_go_on_when_the_queue_was_empty)
{
    struct fixture f;
    setup(&f);
    for (uint64_t number = 0; number < 1000; number++) {
        ck_assert_int_eq(push(&f, 1400), STT_OK);
        pop(&f, number, 1400);
        check_idle(&f);
    }
    push_all(&f, 1, 5);
    stt_datagrams_fini(&f.q);
    check_idle(&f);
    push_all(&f, 1, 6);
    pop(&f, 1001, 6);
    ck_assert_uint_eq(f.q.dropped, 0);
    teardown(&f);
}
END_TEST

START_TEST(a_datagram_may_be_empty)
{
    struct fixture f;
    struct stt_datagrams_view v;
    setup(&f);
    ck_assert_int_eq(stt_datagrams_push(&f.q, BYTES_NONE), STT_OK);
    push_all(&f, 1, 3);
    ck_assert(stt_datagrams_first(&f.q, &v));
    ck_assert_uint_eq(v.len + v.n_parts, 0);
    pop(&f, 0, 0);
    pop(&f, 1, 3);
    teardown(&f);
}
END_TEST

/* The first one ends so many bytes before a border of chunks: headers and data of the others lie
 * on both sides of borders in every way. */
START_TEST(bytes_are_the_same_over_borders_of_chunks)
{
    static const size_t lens[] = {0,     1,         2,         3,     1400,
                                  WHOLE, WHOLE + 1, WHOLE + 2, 40000, STT_DATAGRAM_BYTES_MAX};
    for (size_t i = 0; i < 10; i++) {
        struct fixture f;
        setup(&f);
        push_all(&f, 1, (size_t)(WHOLE - _i));
        push_all(&f, 3, lens[i]);
        pop(&f, 0, (size_t)(WHOLE - _i));
        pop_all(&f, 1, lens[i]);
        teardown(&f);
    }
}
END_TEST

START_TEST(the_longest_has_at_most_as_many_parts_as_a_view_holds)
{
    struct fixture f;
    size_t most = 0;
    setup(&f);
    push_all(&f, 1, WHOLE - HEADER - 1);
    push_all(&f, 1, STT_DATAGRAM_BYTES_MAX);
    pop(&f, 0, WHOLE - HEADER - 1);
    ck_assert_uint_eq(pop(&f, 1, STT_DATAGRAM_BYTES_MAX), STT_DATAGRAM_PARTS_MAX);
    for (uint64_t number = 2; number < 400; number += 2) {
        push_all(&f, 1, number * 40);
        push_all(&f, 1, STT_DATAGRAM_BYTES_MAX);
        pop(&f, number, number * 40);
        size_t parts = pop(&f, number + 1, STT_DATAGRAM_BYTES_MAX);
        most = parts > most ? parts : most;
    }
    ck_assert_uint_le(most, STT_DATAGRAM_PARTS_MAX);
    teardown(&f);
}
END_TEST

START_TEST(what_is_longer_than_any_datagram_is_refused)
{
    struct fixture f;
    setup(&f);
    push_all(&f, 2, 100);
    struct stt_datagrams before = f.q;
    ck_assert_int_eq(push(&f, STT_DATAGRAM_BYTES_MAX + 1), STT_E_ARGUMENT);
    ck_assert_mem_eq(&before, &f.q, sizeof before);
    pop_all(&f, 0, 100);
    teardown(&f);
}
END_TEST

START_TEST(one_too_many_drops_the_oldest)
{
    struct fixture f;
    setup(&f);
    push_all(&f, STT_DATAGRAM_QUEUE_MAX, 100);
    ck_assert_uint_eq(f.q.dropped, 0);
    for (uint64_t i = 1; i <= 300; i++) {
        push_all(&f, 1, 100);
        ck_assert_uint_eq(f.q.n, STT_DATAGRAM_QUEUE_MAX);
        ck_assert_uint_eq(f.q.dropped, i);
    }
    pop_all(&f, 300, 100);
    ck_assert_uint_eq(f.q.dropped, 300);
    teardown(&f);
}
END_TEST

START_TEST(a_byte_too_many_drops_as_many_as_it_takes)
{
    enum { LEN = 8192, N = STT_DATAGRAM_QUEUE_BYTES_MAX / LEN };
    struct fixture f;
    setup(&f);
    push_all(&f, N, LEN);
    ck_assert_uint_eq(f.q.bytes, STT_DATAGRAM_QUEUE_BYTES_MAX);
    push_all(&f, 1, 0);
    ck_assert_uint_eq(f.q.dropped, 0); /* the limit itself is allowed */
    push_all(&f, 1, 1);
    ck_assert_uint_eq(f.q.dropped, 1);
    push_all(&f, 1, LEN - 1);
    ck_assert_uint_eq(f.q.dropped, 1);
    push_all(&f, 1, 3 * LEN + 1);
    ck_assert_uint_eq(f.q.dropped, 5);
    pop(&f, 5, LEN);
    ck_assert_uint_eq(f.q.n, N + 4 - 6);
    teardown(&f);
}
END_TEST

START_TEST(the_longest_ones_keep_the_limit_of_bytes)
{
    enum { FIT = STT_DATAGRAM_QUEUE_BYTES_MAX / STT_DATAGRAM_BYTES_MAX };
    struct fixture f;
    setup(&f);
    push_all(&f, 100, STT_DATAGRAM_BYTES_MAX);
    ck_assert_uint_eq(f.q.n, FIT);
    ck_assert_uint_eq(f.q.dropped, 100 - FIT);
    ck_assert_uint_le(f.pool.chunks.peak,
                      (FIT + 1) * (STT_DATAGRAM_BYTES_MAX + HEADER) / STT_CHUNK_BYTES + 2);
    pop_all(&f, 100 - FIT, STT_DATAGRAM_BYTES_MAX);
    teardown(&f);
}
END_TEST

START_TEST(one_that_will_not_be_sent_counts_as_dropped)
{
    struct fixture f;
    setup(&f);
    push_all(&f, 3, 1400);
    pop(&f, 0, 1400);
    stt_datagrams_drop(&f.q);
    ck_assert_uint_eq(f.q.dropped, 1);
    pop_all(&f, 2, 1400);
    ck_assert_uint_eq(f.q.dropped, 1);
    teardown(&f);
}
END_TEST

START_TEST(a_queue_that_is_never_empty_holds_no_more_than_it_needs)
{
    struct fixture f;
    setup(&f);
    push_all(&f, 20, 1400);
    for (uint64_t number = 0; number < 5000; number++) {
        push_all(&f, 1, 1400);
        pop(&f, number, 1400);
        ck_assert_uint_le(f.pool.chunks.in_use, 3);
    }
    ck_assert_uint_eq(f.q.dropped, 0);
    pop_all(&f, 5000, 1400);
    teardown(&f);
}
END_TEST

START_TEST(filling_and_draining_needs_no_allocation_after_the_first_time)
{
    struct fixture f;
    uint64_t allocs = 0;
    setup(&f);
    for (uint64_t round = 0; round < 20; round++) {
        push_all(&f, 200, 5000);
        pop_all(&f, round * 200, 5000);
        if (round == 0)
            allocs = f.te.allocs;
    }
    ck_assert_uint_eq(f.te.allocs, allocs);
    teardown(&f);
}
END_TEST

/* For each use; 0 is left to the others in the end. */
START_TEST(where_the_pool_gives_no_more_the_oldest_gives_way)
{
    struct fixture f;
    setup_for(&f, 1 << 20, (enum stt_chunk_use)_i);
    leave(&f, f.pool.chunks.shape.max / 8 * (uint32_t)_i + 4);
    uint32_t rest = room(&f) - 4;
    for (uint64_t i = 0; i < 2000; i++) {
        push_all(&f, 1, 1400);
        ck_assert_uint_le(f.q.chunks.held, 4);
        ck_assert_uint_ge(room(&f), rest);
        ck_assert(i < 100 || f.q.chunks.held == 4);
        ck_assert_uint_ge(f.q.n, i < 34 ? i + 1 : 34); /* three chunks full at least */
        if (i == 1000)
            leave(&f, 0);
        rest = room(&f) < rest ? room(&f) : rest;
    }
    ck_assert_uint_eq(f.q.dropped, 2000u - f.q.n);
    pop_all(&f, f.q.dropped, 1400);
    teardown(&f);
}
END_TEST

START_TEST(with_a_single_chunk_the_newest_takes_the_place_of_all)
{
    struct fixture f;
    setup_for(&f, 1 << 20, STT_CHUNK_FOR_SENDING);
    push_all(&f, 1, 1400);
    leave(&f, 0);
    push_all(&f, 1, WHOLE);
    ck_assert_uint_eq(f.q.n, 1);
    ck_assert_uint_eq(f.q.dropped, 1);
    push_all(&f, 1, 1); /* right behind a border */
    ck_assert_uint_eq(f.q.dropped, 2);
    push_all(&f, 1, 1);
    ck_assert_uint_eq(f.q.dropped, 2);
    ck_assert_int_eq(push(&f, WHOLE + 1), STT_E_MEMORY); /* would need two */
    pop_all(&f, 2, 1);
    ck_assert_int_eq(push(&f, 0), STT_E_MEMORY); /* the last chunk is the others' now */
    check_idle(&f);
    teardown(&f);
}
END_TEST

/* A long one, and the queue has so many chunks of its own; one is left. */
START_TEST(what_cannot_be_kept_changes_nothing)
{
    struct fixture f;
    setup_for(&f, 1 << 20, STT_CHUNK_FOR_NEXT);
    push_all(&f, (size_t)_i, WHOLE - 1);
    leave(&f, 1);
    struct stt_datagrams before = f.q;
    int error = push(&f, 4 * STT_CHUNK_BYTES - 100);
    if (error) {
        ck_assert_int_eq(error, STT_E_MEMORY);
        ck_assert_uint_eq(room(&f), 1);
        ck_assert_uint_eq(f.q.chunks.held, before.chunks.held);
        ck_assert_uint_eq(f.q.next, before.next);
        ck_assert_uint_eq(f.q.dropped, 0);
        pop_all(&f, 0, WHOLE - 1);
    } else {
        ck_assert_uint_eq(room(&f), 0);
        ck_assert_uint_eq(f.q.n + f.q.dropped, before.n + 1u);
        while (f.q.n > 1)
            pop(&f, f.q.next - f.q.n, WHOLE - 1);
        pop_all(&f, before.n, 4 * STT_CHUNK_BYTES - 100);
    }
    ck_assert(error ? _i < 4 : _i >= 4); /* five chunks, with what is left of the last */
    teardown(&f);
}
END_TEST

/* Others have all the blocks too: there is no row, so no second chunk. */
START_TEST(without_blocks_a_single_chunk_does)
{
    struct fixture f;
    void *blocks[400];
    size_t n = 0;
    setup_for(&f, 1 << 20, STT_CHUNK_FOR_NEXT);
    while ((blocks[n] = stt_chunk_pool_take(&f.pool, STT_BLOCK_SMALL_BYTES)))
        n++;
    for (uint64_t number = 0; number < 50; number++) {
        push_all(&f, 1, 1400);
        ck_assert_uint_eq(f.q.chunks.held, 1);
    }
    ck_assert_uint_eq(f.q.n, 50 - 4 * 11); /* a chunk holds eleven */
    ck_assert_int_eq(push(&f, WHOLE + 1), STT_E_MEMORY);
    while (n)
        stt_chunk_pool_give_back(&f.pool, blocks[--n], STT_BLOCK_SMALL_BYTES);
    pop_all(&f, 44, 1400);
    teardown(&f);
}
END_TEST

/* Two chunks in a long row, and others have the short rows: with its chunks the long one would go.
 */
START_TEST(a_row_is_not_given_up_for_one_that_may_not_come)
{
    struct fixture f;
    void *blocks[1000];
    size_t n = 0;
    setup(&f);
    push_all(&f, 20, WHOLE);
    for (uint64_t number = 0; number < 18; number++)
        pop(&f, number, WHOLE);
    leave(&f, 0);
    while ((blocks[n] = stt_chunk_pool_take(&f.pool, STT_BLOCK_SMALL_BYTES)))
        n++;
    ck_assert_int_eq(push(&f, WHOLE + 1), STT_E_MEMORY);
    ck_assert_uint_eq(f.q.n, 2);
    ck_assert_int_eq(push(&f, WHOLE), STT_OK);
    ck_assert_uint_eq(f.q.dropped, 1);
    while (n)
        stt_chunk_pool_give_back(&f.pool, blocks[--n], STT_BLOCK_SMALL_BYTES);
    pop_all(&f, 19, WHOLE);
    teardown(&f);
}
END_TEST

START_TEST(without_memory_nothing_changes_case_37)
{
    static const size_t lens[] = {1400, 16000, 1, STT_DATAGRAM_BYTES_MAX, 0, 30000};
    for (uint64_t n = 1;; n++) {
        struct fixture f;
        setup(&f);
        f.te.fail_at = n;
        for (size_t i = 0; i < 60; i++) {
            struct stt_datagrams before = f.q;
            size_t len = lens[i % 6];
            int error = push(&f, len);
            ck_assert(error == STT_OK || error == STT_E_MEMORY);
            ck_assert(!error || !before.n || len > WHOLE);
            if (error) {
                ck_assert_uint_eq(f.q.n, before.n);
                ck_assert_uint_eq(f.q.start, before.start);
                ck_assert_uint_eq(f.q.chunks.held, before.chunks.held);
                ck_assert_int_eq(push(&f, len), STT_OK); /* only one allocation fails */
            }
            ck_assert_uint_eq(f.q.next, i + 1);
        }
        for (uint64_t number = f.q.next - f.q.n; f.q.n; number++)
            pop(&f, number, lens[number % 6]);
        check_idle(&f);
        uint64_t failed = f.te.failed;
        teardown(&f);
        if (!failed)
            break;
        ck_assert_uint_lt(n, 30);
    }
}
END_TEST

static void pop_none(void *fixture)
{
    stt_datagrams_pop(&((struct fixture *)fixture)->q);
}

START_TEST(taking_what_is_not_there_is_a_bug)
{
    struct fixture f;
    setup(&f);
    ck_assert(dies(pop_none, &f));
    teardown(&f);
}
END_TEST

SUITE("datagrams", TEST(an_unused_queue_holds_no_memory),
      TEST(datagrams_leave_as_they_came_with_numbers_from_0),
      TEST(numbers_go_on_when_the_queue_was_empty), TEST(a_datagram_may_be_empty),
      LOOP(bytes_are_the_same_over_borders_of_chunks, -3, 5),
      TEST(the_longest_has_at_most_as_many_parts_as_a_view_holds),
      TEST(what_is_longer_than_any_datagram_is_refused), TEST(one_too_many_drops_the_oldest),
      TEST(a_byte_too_many_drops_as_many_as_it_takes),
      TEST(the_longest_ones_keep_the_limit_of_bytes),
      TEST(one_that_will_not_be_sent_counts_as_dropped),
      TEST(a_queue_that_is_never_empty_holds_no_more_than_it_needs),
      TEST(filling_and_draining_needs_no_allocation_after_the_first_time),
      LOOP(where_the_pool_gives_no_more_the_oldest_gives_way, 0, 3),
      TEST(with_a_single_chunk_the_newest_takes_the_place_of_all),
      LOOP(what_cannot_be_kept_changes_nothing, 0, 8), TEST(without_blocks_a_single_chunk_does),
      TEST(a_row_is_not_given_up_for_one_that_may_not_come),
      TEST(without_memory_nothing_changes_case_37), TEST(taking_what_is_not_there_is_a_bug))
