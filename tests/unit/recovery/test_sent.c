/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_sent compares long histories with a model; here are the single cases. */
#include "stt/recovery/sent.h"

#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

struct fixture {
    struct test_env te;
    struct stt_sent s;
};

static void setup(struct fixture *f)
{
    test_env_init(&f->te, 1);
    f->s = (struct stt_sent){0};
}

static void teardown(struct fixture *f)
{
    stt_sent_free(&f->s, &f->te.env);
    test_env_check_no_leak(&f->te);
}

static int reserve(struct fixture *f, uint64_t number)
{
    return stt_sent_reserve(&f->s, &f->te.env, number);
}

static void add(struct fixture *f, uint64_t number)
{
    ck_assert_int_eq(reserve(f, number), STT_OK);
    stt_sent_add(&f->s, number,
                 (struct stt_sent_packet){.at = number,
                                          .owes = (uint32_t)number,
                                          .bytes = (uint16_t)(1 + number % 1000)});
}

static void add_range(struct fixture *f, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n < to; n++)
        add(f, n);
}

static void check(struct fixture *f, uint64_t number)
{
    const struct stt_sent_packet *p = stt_sent_at(&f->s, number);
    ck_assert_ptr_nonnull(p);
    ck_assert(p->at == number && p->owes == (uint32_t)number && p->bytes == 1 + number % 1000);
}

START_TEST(at_first_nothing_is_in_flight_and_no_memory_taken)
{
    struct fixture f;
    uint64_t number = 0;
    setup(&f);
    ck_assert_ptr_null(stt_sent_at(&f.s, 0));
    ck_assert_ptr_null(stt_sent_find(&f.s, &number, UINT64_MAX));
    stt_sent_settle(&f.s, 0);
    stt_sent_trim(&f.s, &f.te.env);
    ck_assert_uint_eq(f.te.allocs, 0);
    teardown(&f);
}
END_TEST

START_TEST(what_was_sent_is_in_flight_until_it_is_settled)
{
    struct fixture f;
    setup(&f);
    add(&f, 7);
    check(&f, 7);
    ck_assert_uint_eq(f.s.in_flight, 1);
    ck_assert_uint_eq(f.s.in_flight_bytes, 8);
    stt_sent_settle(&f.s, 7);
    ck_assert_ptr_null(stt_sent_at(&f.s, 7));
    ck_assert_uint_eq(f.s.in_flight, 0);
    ck_assert_uint_eq(f.s.in_flight_bytes, 0);
    teardown(&f);
}
END_TEST

START_TEST(settling_twice_does_nothing)
{
    struct fixture f;
    setup(&f);
    add_range(&f, 0, 3);
    stt_sent_settle(&f.s, 1);
    stt_sent_settle(&f.s, 1);
    ck_assert_uint_eq(f.s.in_flight, 2);
    teardown(&f);
}
END_TEST

START_TEST(numbers_that_were_left_out_are_not_in_flight)
{
    struct fixture f;
    setup(&f);
    add(&f, 3);
    add(&f, 6);
    for (uint64_t n = 0; n < 10; n++)
        if (n != 3 && n != 6)
            ck_assert_ptr_null(stt_sent_at(&f.s, n));
    stt_sent_settle(&f.s, 4);
    ck_assert_uint_eq(f.s.in_flight, 2);
    teardown(&f);
}
END_TEST

START_TEST(a_slot_that_is_used_again_holds_nothing_of_before)
{
    struct fixture f;
    setup(&f);
    add_range(&f, 0, STT_SENT_SLOTS_MIN);
    for (uint64_t n = 0; n + 1 < STT_SENT_SLOTS_MIN; n++)
        stt_sent_settle(&f.s, n);
    add(&f, 2 * STT_SENT_SLOTS_MIN - 2); /* leaves numbers out over the old slots */
    for (uint64_t n = STT_SENT_SLOTS_MIN; n + 2 < 2 * STT_SENT_SLOTS_MIN; n++)
        ck_assert_ptr_null(stt_sent_at(&f.s, n));
    ck_assert_uint_eq(f.s.mask, STT_SENT_SLOTS_MIN - 1);
    teardown(&f);
}
END_TEST

START_TEST(the_first_is_the_oldest_in_flight)
{
    struct fixture f;
    setup(&f);
    add_range(&f, 0, 10);
    stt_sent_settle(&f.s, 1);
    ck_assert_uint_eq(f.s.first, 0);
    stt_sent_settle(&f.s, 0);
    ck_assert_uint_eq(f.s.first, 2);
    teardown(&f);
}
END_TEST

START_TEST(the_ring_grows_and_keeps_what_is_in_flight)
{
    struct fixture f;
    setup(&f);
    add_range(&f, 0, 10);
    for (uint64_t n = 0; n < 5; n++)
        stt_sent_settle(&f.s, n); /* so that it wraps */
    add_range(&f, 10, 5000);
    for (uint64_t n = 5; n < 5000; n++)
        check(&f, n);
    ck_assert_uint_eq(f.s.mask, 8191);
    teardown(&f);
}
END_TEST

START_TEST(the_ring_does_not_grow_while_what_is_in_flight_fits)
{
    struct fixture f;
    setup(&f);
    for (uint64_t n = 0; n < 100000; n++) {
        add(&f, n);
        if (n >= 10)
            stt_sent_settle(&f.s, n - 10);
    }
    ck_assert_uint_eq(f.te.allocs, 1);
    ck_assert_uint_eq(f.s.mask, STT_SENT_SLOTS_MIN - 1);
    teardown(&f);
}
END_TEST

/* Quiet packets use up numbers: with nothing in flight they cost nothing. */
START_TEST(far_numbers_take_no_room_when_nothing_is_in_flight)
{
    struct fixture f;
    setup(&f);
    for (uint64_t n = 1; n < UINT64_C(1) << 62; n *= 2) {
        add(&f, n);
        stt_sent_settle(&f.s, n);
    }
    ck_assert_uint_eq(f.te.allocs, 1);
    teardown(&f);
}
END_TEST

START_TEST(a_number_too_far_above_the_oldest_is_refused_and_nothing_changes)
{
    struct fixture f;
    setup(&f);
    add(&f, 5);
    ck_assert_int_eq(reserve(&f, 5 + STT_SENT_SLOTS_MAX), STT_E_LIMIT);
    ck_assert_int_eq(reserve(&f, (UINT64_C(1) << 62) - 1), STT_E_LIMIT);
    ck_assert_uint_eq(f.s.mask, STT_SENT_SLOTS_MIN - 1);
    add(&f, 5 + STT_SENT_SLOTS_MAX - 1);
    check(&f, 5);
    teardown(&f);
}
END_TEST

START_TEST(without_memory_a_number_is_refused_and_nothing_changes_case_37)
{
    struct fixture f;
    setup(&f);
    f.te.fail_at = 1;
    ck_assert_int_eq(reserve(&f, 0), STT_E_MEMORY);
    add_range(&f, 0, STT_SENT_SLOTS_MIN);
    f.te.fail_at = f.te.allocs + 1;
    ck_assert_int_eq(reserve(&f, STT_SENT_SLOTS_MIN), STT_E_MEMORY);
    for (uint64_t n = 0; n < STT_SENT_SLOTS_MIN; n++)
        check(&f, n);
    add(&f, STT_SENT_SLOTS_MIN);
    teardown(&f);
}
END_TEST

START_TEST(finding_visits_what_is_in_flight_in_order)
{
    struct fixture f;
    uint64_t seen = 0;
    setup(&f);
    add_range(&f, 10, 20);
    stt_sent_settle(&f.s, 13);
    stt_sent_settle(&f.s, 14);
    for (uint64_t n = 12; stt_sent_find(&f.s, &n, 17); n++)
        seen = seen * 100 + n;
    ck_assert_uint_eq(seen, 121516);
    teardown(&f);
}
END_TEST

START_TEST(an_absurd_range_costs_no_more_than_what_is_in_flight_case_22)
{
    struct fixture f;
    unsigned found = 0;
    setup(&f);
    add_range(&f, 1000, 1010);
    for (int i = 0; i < 100000; i++)
        for (uint64_t n = 0; stt_sent_find(&f.s, &n, UINT64_MAX); n++)
            found++;
    ck_assert_uint_eq(found, 1000000);
    uint64_t below = 0, above = 1010;
    ck_assert_ptr_null(stt_sent_find(&f.s, &below, 1000));
    ck_assert_ptr_null(stt_sent_find(&f.s, &above, UINT64_MAX));
    teardown(&f);
}
END_TEST

START_TEST(what_is_found_may_be_settled_on_the_way)
{
    struct fixture f;
    setup(&f);
    add_range(&f, 0, 100);
    for (uint64_t n = 0; stt_sent_find(&f.s, &n, UINT64_MAX); n++)
        stt_sent_settle(&f.s, n);
    ck_assert_uint_eq(f.s.in_flight, 0);
    teardown(&f);
}
END_TEST

START_TEST(a_quiet_session_gives_its_ring_back)
{
    struct fixture f;
    setup(&f);
    add(&f, 1);
    stt_sent_trim(&f.s, &f.te.env);
    ck_assert_uint_eq(f.te.live, 1); /* something is in flight */
    stt_sent_settle(&f.s, 1);
    stt_sent_trim(&f.s, &f.te.env);
    ck_assert_uint_eq(f.te.live, 0);
    add(&f, 2);
    check(&f, 2);
    teardown(&f);
}
END_TEST

static void add_the_past(void *fixture)
{
    stt_sent_add(&((struct fixture *)fixture)->s, 5, (struct stt_sent_packet){.bytes = 1});
}

static void add_nothing(void *fixture)
{
    stt_sent_add(&((struct fixture *)fixture)->s, 7, (struct stt_sent_packet){.bytes = 0});
}

static void add_without_reserve(void *fixture)
{
    stt_sent_add(&((struct fixture *)fixture)->s, 5 + STT_SENT_SLOTS_MIN,
                 (struct stt_sent_packet){.bytes = 1});
}

START_TEST(misuse_is_a_bug)
{
    static void (*const misuses[])(void *) = {add_the_past, add_nothing, add_without_reserve};
    struct fixture f;
    setup(&f);
    add_range(&f, 5, 7);
    ck_assert(dies(misuses[_i], &f));
    teardown(&f);
}
END_TEST

START_TEST(a_record_takes_16_bytes)
{
    ck_assert_uint_eq(sizeof(struct stt_sent_packet), 16);
}
END_TEST

SUITE("sent", TEST(at_first_nothing_is_in_flight_and_no_memory_taken),
      TEST(what_was_sent_is_in_flight_until_it_is_settled), TEST(settling_twice_does_nothing),
      TEST(numbers_that_were_left_out_are_not_in_flight),
      TEST(a_slot_that_is_used_again_holds_nothing_of_before),
      TEST(the_first_is_the_oldest_in_flight), TEST(the_ring_grows_and_keeps_what_is_in_flight),
      TEST(the_ring_does_not_grow_while_what_is_in_flight_fits),
      TEST(far_numbers_take_no_room_when_nothing_is_in_flight),
      TEST(a_number_too_far_above_the_oldest_is_refused_and_nothing_changes),
      TEST(without_memory_a_number_is_refused_and_nothing_changes_case_37),
      TEST(finding_visits_what_is_in_flight_in_order),
      TEST(an_absurd_range_costs_no_more_than_what_is_in_flight_case_22),
      TEST(what_is_found_may_be_settled_on_the_way), TEST(a_quiet_session_gives_its_ring_back),
      LOOP(misuse_is_a_bug, 0, 3), TEST(a_record_takes_16_bytes))
