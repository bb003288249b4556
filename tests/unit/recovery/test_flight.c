/* SPDX-License-Identifier: MIT
 * The store alone; what is done with it stands in test_loss and fuzz_loss. */
#include "stt/recovery/flight.h"

#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

struct fixture {
    struct test_env te;
    struct stt_flight f;
};

static void setup(struct fixture *x)
{
    test_env_init(&x->te, 1);
    x->f = (struct stt_flight){0};
}

static void teardown(struct fixture *x)
{
    stt_flight_free(&x->f, &x->te.env);
    test_env_check_no_leak(&x->te);
}

static int reserve(struct fixture *x, uint64_t from, uint64_t to, size_t more)
{
    return stt_flight_reserve(&x->f, &x->te.env, (struct stt_range){from, to}, more);
}

static void add_train(struct fixture *x, uint64_t from, uint64_t to)
{
    ck_assert_int_eq(reserve(x, from, to, 0), STT_OK);
    stt_flight_begin(&x->f)->at = from;
    for (uint64_t n = from; n < to; n++)
        stt_flight_add(&x->f, n)->piece.offset = n;
}

static void settle(struct fixture *x, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++) {
        struct stt_packet *p = stt_flight_slot(&x->f, n);
        stt_flight_train(&x->f, p->train)->open--;
        p->state = STT_PACKET_ACKED;
        x->f.n_sent--;
    }
    stt_flight_close(&x->f, from, to);
    stt_flight_advance(&x->f);
}

START_TEST(growing_keeps_packets_and_trains)
{
    struct fixture x;
    setup(&x);
    for (uint64_t n = 0; n < 40; n++)
        add_train(&x, n, n + 1);
    settle(&x, 0, 30); /* so that both rings wrap */
    for (uint64_t n = 40; n < 5000; n += 7)
        add_train(&x, n, n + 7);
    for (uint64_t n = 30; n < x.f.next; n++) {
        const struct stt_packet *p = stt_flight_slot(&x.f, n);
        uint64_t train_at = n < 40 ? n : n - (n - 40) % 7;
        ck_assert_uint_eq(stt_flight_find(&x.f, n, n + 1), n);
        ck_assert(p->state == STT_PACKET_SENT && p->piece.offset == n);
        ck_assert_uint_eq(stt_flight_train(&x.f, p->train)->at, train_at);
    }
    ck_assert_uint_eq(x.f.slots, 8192);
    ck_assert_uint_eq(x.f.first, 30);
    teardown(&x);
}
END_TEST

START_TEST(far_numbers_take_no_room_when_nothing_is_open)
{
    struct fixture x;
    setup(&x);
    for (uint64_t n = 1; n < UINT64_C(1) << 62; n *= 2) {
        add_train(&x, n, n + 1);
        settle(&x, n, n + 1);
    }
    ck_assert_uint_eq(x.f.slots, STT_FLIGHT_SLOTS_MIN);
    ck_assert_uint_eq(x.f.train_slots, STT_FLIGHT_TRAINS_MIN);
    teardown(&x);
}
END_TEST

START_TEST(numbers_that_are_not_recorded_say_so)
{
    struct fixture x;
    setup(&x);
    add_train(&x, 0, 64);
    settle(&x, 0, 63);
    ck_assert_int_eq(reserve(&x, 100, 101, 0), STT_OK);
    stt_flight_begin(&x.f);
    stt_flight_add(&x.f, 100);
    for (uint64_t n = 64; n < 100; n++)
        ck_assert_int_eq(stt_flight_slot(&x.f, n)->state, STT_PACKET_NONE);
    ck_assert_uint_eq(stt_flight_find(&x.f, 64, 101), 100);
    teardown(&x);
}
END_TEST

START_TEST(pieces_are_used_again_and_bounded)
{
    struct stt_piece pieces[3] = {{.stream = 1}, {.stream = 2}, {.stream = 3}};
    struct fixture x;
    setup(&x);
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(reserve(&x, 0, 1, 3), STT_OK);
        uint32_t chain = stt_flight_chain(&x.f, pieces, 3), at = chain;
        for (uint32_t n = 1; n <= 3; n++, at = x.f.pieces[at - 1].more)
            ck_assert_uint_eq(x.f.pieces[at - 1].stream, n);
        ck_assert_uint_eq(at, 0);
        stt_flight_drop_pieces(&x.f, chain);
    }
    ck_assert_uint_eq(x.f.piece_slots, STT_FLIGHT_PIECES_MIN);
    ck_assert_int_eq(reserve(&x, 0, 1, STT_FLIGHT_PIECES_MAX + 1), STT_E_LIMIT);
    stt_flight_chain(&x.f, pieces, 1);
    ck_assert_int_eq(reserve(&x, 0, 1, STT_FLIGHT_PIECES_MAX), STT_E_LIMIT);
    teardown(&x);
}
END_TEST

START_TEST(too_wide_a_span_is_refused)
{
    struct fixture x;
    setup(&x);
    add_train(&x, 5, 6);
    ck_assert_int_eq(reserve(&x, 6, 6 + STT_FLIGHT_SLOTS_MAX, 0), STT_E_LIMIT);
    ck_assert_int_eq(reserve(&x, (UINT64_C(1) << 62) - 2, (UINT64_C(1) << 62) - 1, 0), STT_E_LIMIT);
    ck_assert_int_eq(reserve(&x, 6, 5 + STT_FLIGHT_SLOTS_MAX, 0), STT_OK);
    teardown(&x);
}
END_TEST

START_TEST(a_skipped_number_is_open)
{
    struct fixture x;
    setup(&x);
    add_train(&x, 0, 1);
    stt_flight_skip(&x.f, 1);
    ck_assert_uint_eq(stt_flight_find(&x.f, 1, 2), 1);
    ck_assert(x.f.n_open == 2 && x.f.n_sent == 1);
    stt_flight_trim(&x.f, &x.te.env);
    ck_assert_uint_eq(stt_flight_find(&x.f, 0, 2), 0);
    teardown(&x);
}
END_TEST

static void add_the_past(void *fixture)
{
    stt_flight_add(&((struct fixture *)fixture)->f, 5);
}

static void add_without_room(void *fixture)
{
    stt_flight_add(&((struct fixture *)fixture)->f, 5 + STT_FLIGHT_SLOTS_MIN);
}

static void chain_without_room(void *fixture)
{
    struct stt_piece piece = {0};
    stt_flight_chain(&((struct fixture *)fixture)->f, &piece, 1);
}

START_TEST(misuse_is_a_bug)
{
    static void (*const misuses[])(void *) = {add_the_past, add_without_room, chain_without_room};
    struct fixture x;
    setup(&x);
    add_train(&x, 5, 7);
    ck_assert(dies(misuses[_i], &x));
    teardown(&x);
}
END_TEST

SUITE("flight", TEST(growing_keeps_packets_and_trains),
      TEST(far_numbers_take_no_room_when_nothing_is_open),
      TEST(numbers_that_are_not_recorded_say_so), TEST(pieces_are_used_again_and_bounded),
      TEST(too_wide_a_span_is_refused), TEST(a_skipped_number_is_open), LOOP(misuse_is_a_bug, 0, 3))
