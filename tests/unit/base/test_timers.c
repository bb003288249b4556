/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_timers compares long histories with a model; here are the single cases. */
#include "stt/base/timers.h"

#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

enum { COUNT = 100 };

struct fixture {
    struct test_env te;
    struct stt_timers ts;
    struct stt_timer timer[COUNT];
};

static void setup(struct fixture *f, uint32_t count)
{
    test_env_init(&f->te, 1);
    stt_timers_init(&f->ts, &f->te.env, COUNT);
    for (uint32_t i = 0; i < count; i++)
        ck_assert_int_eq(stt_timers_add(&f->ts, &f->timer[i]), STT_OK);
}

static void teardown(struct fixture *f)
{
    stt_timers_fini(&f->ts);
    test_env_check_no_leak(&f->te);
}

/* The number of the timer that pops, or -1. */
static int pop(struct fixture *f, stt_ns now)
{
    const struct stt_timer *timer = stt_timers_pop(&f->ts, now);
    return timer ? (int)(timer - f->timer) : -1;
}

START_TEST(without_timers_there_is_nothing_to_wait_for)
{
    struct fixture f;
    setup(&f, 0);
    ck_assert_uint_eq(stt_timers_next(&f.ts), STT_NEVER);
    ck_assert_int_eq(pop(&f, STT_NEVER), -1);
    ck_assert_uint_eq(f.te.allocs, 0);
    teardown(&f);
}
END_TEST

START_TEST(a_timer_is_not_set_at_first)
{
    struct fixture f;
    setup(&f, 1);
    ck_assert(!stt_timer_is_set(&f.timer[0]));
    ck_assert_uint_eq(stt_timers_next(&f.ts), STT_NEVER);
    teardown(&f);
}
END_TEST

START_TEST(a_timer_pops_at_its_deadline_and_not_before)
{
    struct fixture f;
    setup(&f, 1);
    stt_timers_set(&f.ts, &f.timer[0], 100);
    ck_assert(stt_timer_is_set(&f.timer[0]));
    ck_assert_uint_eq(stt_timers_next(&f.ts), 100);
    ck_assert_int_eq(pop(&f, 99), -1);
    ck_assert_int_eq(pop(&f, 100), 0);
    ck_assert(!stt_timer_is_set(&f.timer[0]));
    ck_assert_int_eq(pop(&f, 100), -1);
    ck_assert_uint_eq(stt_timers_next(&f.ts), STT_NEVER);
    teardown(&f);
}
END_TEST

START_TEST(timers_pop_in_the_order_of_their_deadlines)
{
    struct fixture f;
    setup(&f, COUNT);
    struct rng rng = rng_init((uint64_t)_i);
    stt_ns at[COUNT];
    for (int i = 0; i < COUNT; i++)
        stt_timers_set(&f.ts, &f.timer[i], at[i] = rng_between(&rng, 1, 50));
    int last = pop(&f, 50);
    ck_assert_int_ge(last, 0);
    for (int n = 1; n < COUNT; n++) {
        int i = pop(&f, 50);
        ck_assert_int_ge(i, 0);
        ck_assert(at[i] > at[last] || (at[i] == at[last] && i > last));
        last = i;
    }
    ck_assert_int_eq(pop(&f, STT_NEVER), -1);
    teardown(&f);
}
END_TEST

START_TEST(equal_deadlines_pop_in_the_order_of_adding)
{
    struct fixture f;
    setup(&f, COUNT);
    for (int i = COUNT; i-- > 0;)
        stt_timers_set(&f.ts, &f.timer[i], i % 3 ? 7 : 900);
    for (int i = 0; i < COUNT; i += 3)
        stt_timers_set(&f.ts, &f.timer[i], 7);
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(pop(&f, 7), i);
    teardown(&f);
}
END_TEST

START_TEST(a_timer_moved_later_pops_later_only)
{
    struct fixture f;
    setup(&f, 2);
    stt_timers_set(&f.ts, &f.timer[0], 10);
    stt_timers_set(&f.ts, &f.timer[1], 20);
    stt_timers_set(&f.ts, &f.timer[0], 30);
    ck_assert_uint_eq(stt_timers_next(&f.ts), 20);
    ck_assert_int_eq(pop(&f, 19), -1);
    ck_assert_uint_eq(stt_timers_next(&f.ts), 20);
    ck_assert_int_eq(pop(&f, 30), 1);
    ck_assert_int_eq(pop(&f, 30), 0);
    ck_assert_int_eq(pop(&f, 30), -1);
    teardown(&f);
}
END_TEST

START_TEST(a_timer_moved_earlier_pops_earlier)
{
    struct fixture f;
    setup(&f, 3);
    stt_timers_set(&f.ts, &f.timer[0], 10);
    stt_timers_set(&f.ts, &f.timer[1], 20);
    stt_timers_set(&f.ts, &f.timer[2], 30);
    stt_timers_set(&f.ts, &f.timer[2], 5);
    ck_assert_uint_eq(stt_timers_next(&f.ts), 5);
    ck_assert_int_eq(pop(&f, 10), 2);
    ck_assert_int_eq(pop(&f, 10), 0);
    ck_assert_int_eq(pop(&f, 10), -1);
    teardown(&f);
}
END_TEST

START_TEST(a_cancelled_timer_does_not_pop)
{
    struct fixture f;
    setup(&f, 2);
    stt_timers_set(&f.ts, &f.timer[0], 10);
    stt_timers_set(&f.ts, &f.timer[1], 20);
    stt_timers_cancel(&f.ts, &f.timer[0]);
    stt_timers_cancel(&f.ts, &f.timer[0]);
    ck_assert(!stt_timer_is_set(&f.timer[0]));
    ck_assert_uint_eq(stt_timers_next(&f.ts), 20);
    ck_assert_int_eq(pop(&f, 15), -1);
    stt_timers_set(&f.ts, &f.timer[0], 16);
    ck_assert_int_eq(pop(&f, 20), 0);
    ck_assert_int_eq(pop(&f, 20), 1);
    teardown(&f);
}
END_TEST

START_TEST(an_expired_timer_can_be_set_again_at_any_time)
{
    struct fixture f;
    setup(&f, 2);
    stt_timers_set(&f.ts, &f.timer[0], 10);
    stt_timers_set(&f.ts, &f.timer[1], 10);
    ck_assert_int_eq(pop(&f, 10), 0);
    stt_timers_set(&f.ts, &f.timer[0], 3); /* as late as it is: before the one that pops next */
    ck_assert_int_eq(pop(&f, 10), 0);
    stt_timers_set(&f.ts, &f.timer[0], 25);
    ck_assert_int_eq(pop(&f, 10), 1);
    ck_assert_int_eq(pop(&f, 24), -1);
    ck_assert_uint_eq(stt_timers_next(&f.ts), 25);
    ck_assert_int_eq(pop(&f, 25), 0);
    teardown(&f);
}
END_TEST

/* Keep-alives that every packet pushes away, and an answer that is awaited and comes each time. */
START_TEST(nobody_wakes_for_a_deadline_that_was_moved_or_cancelled)
{
    struct fixture f;
    setup(&f, COUNT);
    for (int i = 0; i < COUNT; i++)
        stt_timers_set(&f.ts, &f.timer[i], 1000);
    for (stt_ns now = 1; now <= 10000; now++) {
        struct stt_timer *timer = &f.timer[now % COUNT];
        ck_assert_uint_gt(stt_timers_next(&f.ts), now);
        stt_timers_set(&f.ts, timer, now + 3);
        ck_assert_uint_eq(stt_timers_next(&f.ts), now + 3);
        if (now % 2)
            stt_timers_cancel(&f.ts, timer);
        stt_timers_set(&f.ts, timer, now + 1000);
    }
    ck_assert_uint_eq(stt_timers_next(&f.ts), 10000 - COUNT + 1 + 1000);
    ck_assert_int_eq(pop(&f, 10000 - COUNT + 1000), -1);
    teardown(&f);
}
END_TEST

START_TEST(a_timer_can_be_removed_wherever_it_is)
{
    struct fixture f;
    setup(&f, COUNT);
    struct rng rng = rng_init(5);
    stt_ns at[COUNT];
    for (int i = 0; i < COUNT; i++)
        stt_timers_set(&f.ts, &f.timer[i], at[i] = rng_below(&rng, 1000));
    stt_timers_remove(&f.ts, &f.timer[_i]);
    stt_timers_remove(&f.ts, &f.timer[_i]);                   /* does nothing */
    f.timer[_i] = (struct stt_timer){.at = 1, .slot = 12345}; /* as if freed */
    at[_i] = STT_NEVER;
    for (stt_ns now = 0; now < 1000; now += 10) {
        for (int i; (i = pop(&f, now)) >= 0;) {
            ck_assert_uint_le(at[i], now);
            at[i] = STT_NEVER;
        }
        for (int i = 0; i < COUNT; i++)
            ck_assert_uint_gt(at[i], now);
    }
    teardown(&f);
}
END_TEST

/* The last entry of the heap fills the hole, and may belong above it. */
START_TEST(removing_keeps_the_order_in_the_branch_of_the_heap_above)
{
    static const stt_ns at[] = {0, 100, 10, 20, 30, 101, 102, 103, 104, 11, 12, 13, 14};
    static const int expected[] = {0, 2, 9, 10, 11, 12, 3, 4, 1, 6, 7, 8, -1};
    struct fixture f;
    setup(&f, sizeof at / sizeof at[0]);
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
        stt_timers_set(&f.ts, &f.timer[i], at[i]);
    stt_timers_remove(&f.ts, &f.timer[5]); /* below 1, which is at 100 */
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        ck_assert_int_eq(pop(&f, 200), expected[i]);
    teardown(&f);
}
END_TEST

START_TEST(removing_makes_room_for_another)
{
    struct fixture f;
    setup(&f, COUNT);
    struct stt_timer other;
    ck_assert_int_eq(stt_timers_add(&f.ts, &other), STT_E_LIMIT);
    stt_timers_set(&f.ts, &f.timer[50], 10);
    stt_timers_remove(&f.ts, &f.timer[50]);
    stt_timers_remove(&f.ts, &f.timer[51]); /* never set */
    ck_assert_int_eq(stt_timers_add(&f.ts, &other), STT_OK);
    stt_timers_set(&f.ts, &other, 10);
    ck_assert_ptr_eq(stt_timers_pop(&f.ts, 10), &other);
    teardown(&f);
}
END_TEST

START_TEST(setting_takes_no_memory)
{
    struct fixture f;
    setup(&f, COUNT);
    f.te.fail_from = 1;
    struct rng rng = rng_init(9);
    for (int i = 0; i < 10000; i++)
        stt_timers_set(&f.ts, &f.timer[rng_below(&rng, COUNT)], rng_below(&rng, 1000000));
    ck_assert_uint_eq(f.te.failed, 0);
    teardown(&f);
}
END_TEST

START_TEST(without_memory_nothing_is_added)
{
    for (uint64_t n = 1;; n++) {
        struct fixture f;
        setup(&f, 0);
        f.te.fail_at = n;
        for (uint32_t i = 0; i < COUNT; i++) {
            int error = stt_timers_add(&f.ts, &f.timer[i]);
            if (error) {
                ck_assert_int_eq(error, STT_E_MEMORY);
                ck_assert_uint_eq(f.ts.added, i);
                ck_assert_int_eq(stt_timers_add(&f.ts, &f.timer[i]), STT_OK);
            }
            stt_timers_set(&f.ts, &f.timer[i], COUNT - i);
        }
        for (int i = COUNT; i-- > 0;)
            ck_assert_int_eq(pop(&f, COUNT), i);
        teardown(&f);
        if (f.te.failed == 0)
            break;
        ck_assert_uint_lt(n, 20);
    }
}
END_TEST

static void set_without_adding(void *arg)
{
    struct fixture *f = arg;
    f->timer[0] = (struct stt_timer){0};
    stt_timers_set(&f->ts, &f->timer[0], 10);
}

START_TEST(misuse_is_caught)
{
    struct fixture f;
    setup(&f, 0);
    ck_assert(dies(set_without_adding, &f));
}
END_TEST

SUITE("timers", TEST(without_timers_there_is_nothing_to_wait_for),
      TEST(a_timer_is_not_set_at_first), TEST(a_timer_pops_at_its_deadline_and_not_before),
      LOOP(timers_pop_in_the_order_of_their_deadlines, 0, 20),
      TEST(equal_deadlines_pop_in_the_order_of_adding), TEST(a_timer_moved_later_pops_later_only),
      TEST(a_timer_moved_earlier_pops_earlier), TEST(a_cancelled_timer_does_not_pop),
      TEST(an_expired_timer_can_be_set_again_at_any_time),
      TEST(nobody_wakes_for_a_deadline_that_was_moved_or_cancelled),
      LOOP(a_timer_can_be_removed_wherever_it_is, 0, COUNT),
      TEST(removing_keeps_the_order_in_the_branch_of_the_heap_above),
      TEST(removing_makes_room_for_another), TEST(setting_takes_no_memory),
      TEST(without_memory_nothing_is_added), TEST(misuse_is_caught))
