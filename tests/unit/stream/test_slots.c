/* SPDX-License-Identifier: MIT */
#include "stt/stream/slots.h"

#include "tests/support/env.h"
#include "tests/support/suite.h"

static struct test_env te;

/* Only their addresses matter. */
static char streams[5000];
#define STREAM(i) ((struct stt_stream *)(void *)&streams[i])

static uint32_t take(struct stt_slots *s, size_t stream, uint64_t settled)
{
    uint32_t slot;
    ck_assert_int_eq(stt_slots_take(s, &te.env, STREAM(stream), settled, &slot), STT_OK);
    ck_assert_ptr_eq(stt_slots_at(s, slot), STREAM(stream));
    return slot;
}

static void done(struct stt_slots *s)
{
    stt_slots_free(s, &te.env);
    test_env_check_no_leak(&te);
}

START_TEST(each_stream_is_found_at_its_own_place)
{
    struct stt_slots s = {.n = 0};
    uint32_t slots[5000];
    test_env_init(&te, 1);
    ck_assert_ptr_null(stt_slots_at(&s, 0));
    for (size_t i = 0; i < 5000; i++)
        slots[i] = take(&s, i, 0);
    for (size_t i = 0; i < 5000; i++)
        ck_assert_ptr_eq(stt_slots_at(&s, slots[i]), STREAM(i));
    done(&s);
}
END_TEST

START_TEST(a_place_is_not_used_again_while_a_packet_may_name_it)
{
    struct stt_slots s = {.n = 0};
    test_env_init(&te, 1);
    uint32_t first = take(&s, 0, 0);
    stt_slots_give_back(&s, first, 100);
    ck_assert_ptr_null(stt_slots_at(&s, first));
    ck_assert_uint_ne(take(&s, 1, 99), first);
    ck_assert_uint_eq(take(&s, 2, 100), first);
    done(&s);
}
END_TEST

START_TEST(places_come_back_in_the_order_in_which_they_became_free)
{
    struct stt_slots s = {.n = 0};
    uint32_t slots[4];
    test_env_init(&te, 1);
    for (size_t i = 0; i < 4; i++)
        slots[i] = take(&s, i, 0);
    for (size_t i = 4; i-- > 0;)
        stt_slots_give_back(&s, slots[i], 10 + 4 - i);
    for (size_t i = 4; i-- > 0;)
        ck_assert_uint_eq(take(&s, i, 20), slots[i]);
    done(&s);
}
END_TEST

START_TEST(streams_that_come_and_go_take_no_more_places_than_a_flight_of_packets_needs)
{
    struct stt_slots s = {.n = 0};
    test_env_init(&te, 1);
    for (uint64_t sent = 0; sent < 100000; sent++) /* 64 packets are out at a time */
        stt_slots_give_back(&s, take(&s, 0, sent < 64 ? 0 : sent - 64), sent);
    ck_assert_uint_le(s.n, 66);
    ck_assert_uint_le(te.allocs, 7);
    done(&s);
}
END_TEST

START_TEST(without_memory_nothing_changes)
{
    struct stt_slots s = {.n = 0};
    uint32_t slot;
    test_env_init(&te, 1);
    uint32_t first = take(&s, 0, 0);
    while (s.n < s.size)
        take(&s, 1, 0);
    uint32_t n = s.n;
    te.fail_at = te.allocs + 1;
    ck_assert_int_eq(stt_slots_take(&s, &te.env, STREAM(2), 0, &slot), STT_E_MEMORY);
    ck_assert_uint_eq(s.n, n);
    ck_assert_ptr_eq(stt_slots_at(&s, first), STREAM(0));
    done(&s);
}
END_TEST

SUITE("slots", TEST(each_stream_is_found_at_its_own_place),
      TEST(a_place_is_not_used_again_while_a_packet_may_name_it),
      TEST(places_come_back_in_the_order_in_which_they_became_free),
      TEST(streams_that_come_and_go_take_no_more_places_than_a_flight_of_packets_needs),
      TEST(without_memory_nothing_changes))
