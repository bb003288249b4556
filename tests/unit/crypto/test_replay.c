/* SPDX-License-Identifier: MIT */
#include "crypto/replay.h"
#include "tests/support/dies.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <string.h>

enum { SMALL, BIG, SIZES };

static struct stt_replay r;
static uint64_t bitmap[STT_REPLAY_WORDS];
static uint64_t window; /* numbers that the window covers */

static void begin(int size)
{
    r = STT_REPLAY_INIT;
    window = size == BIG ? STT_REPLAY_NUMBERS : 64;
    memset(bitmap, 0x5a, sizeof bitmap); /* what the pool gives is not clean */
    if (size == BIG)
        stt_replay_attach(&r, bitmap);
}

static bool take(uint64_t number)
{
    if (!stt_replay_is_fresh(&r, number))
        return false;
    stt_replay_record(&r, number);
    return true;
}

START_TEST(replay_accepts_each_number_once)
{
    begin(_i);
    ck_assert(take(0));
    ck_assert(!take(0));
    ck_assert(take(1));
    ck_assert(!take(1));
    ck_assert(!take(0));
    ck_assert(take(9));
    ck_assert(take(8));
    ck_assert(take(7));
    ck_assert(!take(8));
    ck_assert(!take(7));
    ck_assert(!take(9));
    ck_assert(take(2));
    ck_assert_uint_eq(r.expected, 10);
}
END_TEST

START_TEST(replay_window_has_exactly_its_size)
{
    begin(_i);
    ck_assert(take(2 * window));
    ck_assert(!take(window));
    ck_assert(!take(0));
    ck_assert(take(window + 1));
    ck_assert(take(2 * window + 1));
    ck_assert(!take(window + 1));
    ck_assert(take(window + 2));
    ck_assert(!take(window + 2));
    ck_assert(take(2 * window - 1));
}
END_TEST

START_TEST(replay_first_number_may_be_any)
{
    begin(_i);
    const uint64_t end = UINT64_C(1) << 62;
    ck_assert(take(end - window - 7));
    ck_assert(take(end - 1));
    ck_assert(!take(end - 1));
    ck_assert_uint_eq(r.expected, end);
    ck_assert(take(end - window));
    ck_assert(!take(end - window));
    ck_assert(!take(end - window - 1));
    ck_assert(!take(0));
}
END_TEST

/* Numbers in [from, to) of which the window does not say what it should. (Check writes a record for
 * every assertion, so long loops count first.) */
static uint64_t wrong(uint64_t from, uint64_t to, bool (*is_seen)(uint64_t number))
{
    uint64_t n = 0;
    for (uint64_t number = from; number < to; number++)
        n += stt_replay_is_fresh(&r, number) == is_seen(number);
    return n;
}

static uint64_t high, start, landing; /* of the test that runs */

static bool is_seen_in_jump(uint64_t n)
{
    return n + window < r.expected || (n >= start && n < start + 3) || n == landing;
}

/* From every place in a word: what a jump passes is fresh, and what is behind it is not forgotten
 * as long as it is in the window. */
static void jump(uint64_t from, uint64_t by)
{
    start = from;
    landing = from + 2 + by;
    for (uint64_t i = 0; i < 3; i++)
        ck_assert(take(start + i));
    ck_assert(take(landing));
    uint64_t low = r.expected < window + 200 ? 0 : r.expected - window - 200;
    ck_assert_uint_eq(wrong(low, r.expected + 2, is_seen_in_jump), 0);
}

START_TEST(replay_survives_jumps_of_any_length)
{
    static const int64_t beside[] = {-130, -65, -64, -63, -2, -1, 0, 1, 2, 63, 64, 65, 130};
    for (uint64_t at = 5000 * 64; at < 5001 * 64; at += 9) {
        for (uint64_t by = 1; by < 70; by++) {
            begin(_i);
            jump(at, by);
        }
        for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
            begin(_i);
            if (window == STT_REPLAY_NUMBERS || beside[i] > -2)
                jump(at, window + (uint64_t)beside[i]);
            begin(_i);
            jump(at, 3 * window + (uint64_t)beside[i]);
        }
    }
}
END_TEST

/* How many of the numbers from `first` to `last`, in steps, are taken. */
static uint64_t take_all(uint64_t first, uint64_t last, int64_t step)
{
    uint64_t n = 0;
    for (uint64_t number = first; number != last + (uint64_t)step; number += (uint64_t)step)
        n += take(number);
    return n;
}

START_TEST(replay_takes_a_whole_window_in_every_order)
{
    begin(_i);
    ck_assert_uint_eq(take_all(0, window - 1, 1), window);
    ck_assert_uint_eq(take_all(0, window - 1, 1), 0);

    begin(_i);
    ck_assert_uint_eq(take_all(window - 1, 0, -1), window);
    ck_assert_uint_eq(take_all(window - 1, 0, -1), 0);

    begin(_i);
    ck_assert(take(window));
    ck_assert_uint_eq(take_all(window - 1, 0, -1), window - 1);
    ck_assert_uint_eq(take_all(window, 0, -1), 0);

    begin(_i);
    ck_assert_uint_eq(take_all(0, 3 * window, 2), 3 * window / 2 + 1);
    ck_assert_uint_eq(take_all(2 * window + 1, 3 * window - 1, 2), window / 2);
    ck_assert_uint_eq(take_all(0, 3 * window, 1), 0);
}
END_TEST

static bool is_seen_by_small(uint64_t n)
{
    return n == high || n + 3 == high || n + 63 == high || n + 64 <= high;
}

START_TEST(replay_attached_remembers_what_it_knew_at_every_place)
{
    for (high = 0; high < 3 * STT_REPLAY_NUMBERS; high += high < 200 ? 1 : 61) {
        begin(SMALL);
        ck_assert(take(high));
        ck_assert(high < 3 || take(high - 3));
        ck_assert(high < 63 || take(high - 63));
        stt_replay_attach(&r, bitmap);
        ck_assert_uint_eq(wrong(0, high + 70, is_seen_by_small), 0);
        ck_assert(take(high + 5000));
        ck_assert(take(high + 1));
        ck_assert(!take(high));
    }
}
END_TEST

static bool is_seen_in_thirds(uint64_t n)
{
    return n + 64 <= high || (n <= high && n % 3 == high % 3);
}

START_TEST(replay_detached_keeps_the_newest_64)
{
    for (high = 1; high < 3 * STT_REPLAY_NUMBERS; high += high < 200 ? 1 : 61) {
        begin(BIG);
        for (uint64_t n = high < 198 ? high % 3 : high - 198; n <= high; n += 3)
            ck_assert(take(n));
        ck_assert_ptr_eq(stt_replay_detach(&r), bitmap);
        memset(bitmap, 0, sizeof bitmap);
        ck_assert_uint_eq(wrong(0, high + 10, is_seen_in_thirds), 0);
        ck_assert_ptr_null(stt_replay_detach(&r));
    }
}
END_TEST

static bool is_seen_never(uint64_t n)
{
    (void)n;
    return false;
}

START_TEST(replay_attached_before_the_first_number_is_empty)
{
    begin(BIG);
    ck_assert_uint_eq(wrong(0, 3 * STT_REPLAY_NUMBERS, is_seen_never), 0);
    ck_assert_uint_eq(take_all(STT_REPLAY_NUMBERS - 1, 0, -1), STT_REPLAY_NUMBERS);
}
END_TEST

static void record(void *number)
{
    stt_replay_record(&r, *(uint64_t *)number);
}

START_TEST(replay_stops_when_told_a_number_that_is_not_fresh)
{
    begin(_i);
    ck_assert(take(1000 + window));
    uint64_t seen = 1000 + window, old = 1000, lowest = 1001, too_high = UINT64_C(1) << 62;
    ck_assert(dies(record, &seen));
    ck_assert(dies(record, &old));
    ck_assert(dies(record, &too_high));
    ck_assert(!dies(record, &lowest));
}
END_TEST

/* The sequence with which WireGuard tests its counter, in order, for a window of w numbers and
 * numbers below end: first steps, the window's edges, jumps, and the end of all numbers. */
START_TEST(replay_passes_the_sequence_of_wireguard)
{
    begin(_i);
    const uint64_t w = window, end = UINT64_C(1) << 62;
    const struct {
        uint64_t number;
        bool is_taken;
    } steps[] = {
        {0, true},
        {0, false},
        {1, true},
        {1, false},
        {9, true},
        {8, true},
        {7, true},
        {7, false},
        {w, true},
        {w - 1, true},
        {w - 1, false},
        {w - 2, true},
        {2, true},
        {2, false},
        {w + 16, true},
        {3, false},
        {w + 16, false},
        {w * 4, true},
        {w * 4 - (w - 1), true},
        {10, false},
        {w * 4 - w, false},
        {w * 4 - (w + 1), false},
        {w * 4 - (w - 2), true},
        {w * 4 + 1 - w, false},
        {0, false},
        {end, false},
        {end - 1, true},
        {end, false},
        {end - 1, false},
        {end - 2, true},
        {end + 1, false},
        {end + 2, false},
        {end - 2, false},
        {end - 3, true},
        {0, false},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        ck_assert_msg(take(steps[i].number) == steps[i].is_taken, "step %zu", i);
}
END_TEST

SUITE("replay", LOOP(replay_passes_the_sequence_of_wireguard, 0, SIZES),
      LOOP(replay_accepts_each_number_once, 0, SIZES),
      LOOP(replay_window_has_exactly_its_size, 0, SIZES),
      LOOP(replay_first_number_may_be_any, 0, SIZES),
      LOOP(replay_survives_jumps_of_any_length, 0, SIZES),
      LOOP(replay_takes_a_whole_window_in_every_order, 0, SIZES),
      TEST(replay_attached_remembers_what_it_knew_at_every_place),
      TEST(replay_detached_keeps_the_newest_64),
      TEST(replay_attached_before_the_first_number_is_empty),
      LOOP(replay_stops_when_told_a_number_that_is_not_fresh, 0, SIZES))
