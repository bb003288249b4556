/* SPDX-License-Identifier: MIT
 * What is compared with RFC 9438's formula over whole flights is in test_cubic.c. */
#include "stt/recovery/curve.h"

#include "stt/recovery/congestion.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

enum { PACKET = 1000 };

static const stt_ns RTT = STT_MS(50);

/* A whole window is acknowledged in each round trip, for so long. */
static void grow(struct stt_curve *v, stt_ns *now, stt_ns time)
{
    for (stt_ns end = *now + time; *now < end;) {
        *now += RTT;
        stt_curve_grow(v, PACKET, *now, RTT, v->window);
    }
}

static struct stt_curve reduced(uint64_t window)
{
    struct stt_curve v = {.window = window};
    stt_curve_begin(&v, window);
    stt_curve_reduce(&v, PACKET);
    return v;
}

START_TEST(a_root_is_the_greatest_whose_cube_is_not_above)
{
    struct rng rng = rng_init(1);
    for (int i = 0; i < 100000; i++) {
        uint64_t x = rng_u64(&rng) >> rng_below(&rng, 64), root = stt_curve_root(x);
        ck_assert_uint_le(root * root * root, x);
        ck_assert(root == 2642245 || (root + 1) * (root + 1) * (root + 1) > x);
    }
    for (uint64_t root = 0; root <= 2642245; root += 1 + root / 100) {
        ck_assert_uint_eq(stt_curve_root(root * root * root), root);
        if (root)
            ck_assert_uint_eq(stt_curve_root(root * root * root - 1), root - 1);
    }
    ck_assert_uint_eq(stt_curve_root(UINT64_MAX), 2642245);
}
END_TEST

START_TEST(a_reduction_leaves_seven_tenths_and_remembers_where_it_was)
{
    struct stt_curve v = reduced(1000 * PACKET);
    ck_assert_uint_eq(v.window, 700 * PACKET);
    ck_assert_uint_eq(v.plateau, 1000 * PACKET);
    ck_assert_uint_eq(v.prior, 1000 * PACKET);
    stt_curve_reduce(&v, PACKET); /* well below the plateau: others want room */
    ck_assert_uint_eq(v.window, 490 * PACKET);
    ck_assert_uint_eq(v.plateau, 595 * PACKET);
    for (int i = 0; i < 100; i++)
        stt_curve_reduce(&v, PACKET);
    ck_assert_uint_eq(v.window, STT_CURVE_LEAST_PACKETS * PACKET);
}
END_TEST

/* (1000 * 0.3 / 0.4)^(1/3) s are 9.1. */
START_TEST(it_is_back_after_the_cube_root_of_what_was_taken)
{
    struct stt_curve v = reduced(1000 * PACKET);
    stt_ns now = STT_S(100);
    grow(&v, &now, STT_MS(4500));
    ck_assert_uint_ge(v.window, 940 * PACKET); /* first fast ... */
    grow(&v, &now, STT_MS(4500));
    ck_assert_uint_ge(v.window, 995 * PACKET); /* ... then slow */
    ck_assert_uint_le(v.window, 1005 * PACKET);
    grow(&v, &now, STT_S(9));
    ck_assert_uint_ge(v.window, 1250 * PACKET);
}
END_TEST

START_TEST(from_a_beginning_it_grows_slowly_first)
{
    struct stt_curve v = {.window = 1000 * PACKET};
    stt_ns now = STT_S(100);
    stt_curve_begin(&v, v.window);
    grow(&v, &now, STT_S(2));
    ck_assert_uint_gt(v.window, 1000 * PACKET);
    ck_assert_uint_le(v.window, 1045 * PACKET); /* a packet in a round trip: as Reno */
    grow(&v, &now, STT_S(8));
    ck_assert_uint_ge(v.window, 1380 * PACKET);
}
END_TEST

START_TEST(who_waits_goes_on_where_he_was)
{
    struct stt_curve v = reduced(1000 * PACKET), other = v;
    stt_ns now = STT_S(100), later = now;
    grow(&v, &now, STT_S(5));
    grow(&other, &later, STT_S(3));
    stt_curve_wait(&other, STT_S(60));
    later += STT_S(60);
    grow(&other, &later, STT_S(2));
    ck_assert_uint_eq(other.window, v.window);
}
END_TEST

START_TEST(what_was_acknowledged_in_small_parts_counts_as_much)
{
    struct stt_curve whole = reduced(1000 * PACKET), parts = whole;
    stt_ns now = STT_S(100);
    for (int i = 0; i < 100; i++) {
        now += RTT;
        stt_curve_grow(&whole, PACKET, now, RTT, whole.window);
        for (int j = 0; j < 100; j++)
            stt_curve_grow(&parts, PACKET, now, RTT, parts.window / 100);
    }
    ck_assert_uint_ge(parts.window, whole.window * 98 / 100);
    ck_assert_uint_le(parts.window, whole.window * 102 / 100);
}
END_TEST

START_TEST(no_window_goes_above_its_most)
{
    struct stt_curve v = reduced(STT_CURVE_WINDOW_MAX);
    stt_ns now = STT_S(100);
    for (int i = 0; i < 1000; i++) {
        now += STT_S(60);
        stt_curve_grow(&v, 65507, now, STT_S(60), UINT32_MAX);
        ck_assert_uint_le(v.window, STT_CURVE_WINDOW_MAX);
    }
    ck_assert_uint_eq(v.window, STT_CURVE_WINDOW_MAX);
}
END_TEST

SUITE("curve", TEST(a_root_is_the_greatest_whose_cube_is_not_above),
      TEST(a_reduction_leaves_seven_tenths_and_remembers_where_it_was),
      TEST(it_is_back_after_the_cube_root_of_what_was_taken),
      TEST(from_a_beginning_it_grows_slowly_first), TEST(who_waits_goes_on_where_he_was),
      TEST(what_was_acknowledged_in_small_parts_counts_as_much),
      TEST(no_window_goes_above_its_most))
