/* SPDX-License-Identifier: MIT */
#include "stt/recovery/marks.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <stdbool.h>
#include <string.h>

enum { SLOTS_MAX = 1 << 15 };

struct fixture {
    uint64_t words[SLOTS_MAX / 64];
    uint16_t groups[SLOTS_MAX / 4096];
    struct stt_marks m;
    uint64_t slots, first;
    bool is_member[SLOTS_MAX];
};

static struct fixture f;

static void setup(uint64_t slots, uint64_t first)
{
    memset(&f, 0, sizeof f);
    f.m = (struct stt_marks){f.words, f.groups, slots / 64 - 1};
    f.slots = slots;
    f.first = first;
}

static void add(uint64_t number)
{
    stt_marks_add(&f.m, number);
    f.is_member[number - f.first] = true;
}

static uint64_t find_in_model(uint64_t from, uint64_t to)
{
    while (from < to && !f.is_member[from - f.first])
        from++;
    return from;
}

START_TEST(an_empty_set_has_no_members)
{
    setup(SLOTS_MAX, 0);
    ck_assert_uint_eq(stt_marks_find(&f.m, 5, 5), 5);
    ck_assert_uint_eq(stt_marks_find(&f.m, 5, 5 + SLOTS_MAX), 5 + SLOTS_MAX);
}
END_TEST

/* A window that begins anywhere in the ring, of 1 to 512 words. */
START_TEST(marks_agree_with_a_plain_array)
{
    struct rng rng = rng_init((uint64_t)_i);
    uint64_t slots = UINT64_C(64) << _i % 10;
    setup(slots, rng_u64(&rng) >> 3);
    for (int i = 0; i < 2000; i++) {
        uint64_t a = f.first + rng_below(&rng, slots), b = f.first + rng_below(&rng, slots + 1);
        if (i % 3 == 0 && !f.is_member[a - f.first])
            add(a);
        ck_assert_uint_eq(stt_marks_find(&f.m, a, b > a ? b : a), find_in_model(a, b > a ? b : a));
    }
    uint64_t end = f.first + slots;
    for (uint64_t from = f.first; from < end;) {
        from = find_in_model(from, end);
        uint64_t to = from;
        while (to < end && f.is_member[to - f.first])
            to++;
        stt_marks_remove(&f.m, from, to);
        from = to;
    }
    for (uint64_t word = 0; word < slots / 64; word++)
        ck_assert_uint_eq(f.words[word], 0);
    for (uint64_t group = 0; group < (slots + 4095) / 4096; group++)
        ck_assert_uint_eq(f.groups[group], 0);
}
END_TEST

START_TEST(whole_words_are_removed_at_once)
{
    setup(1024, 1000);
    for (uint64_t n = 1000; n < 2024; n++)
        add(n);
    stt_marks_remove(&f.m, 1001, 2023);
    ck_assert_uint_eq(stt_marks_find(&f.m, 1000, 2024), 1000);
    ck_assert_uint_eq(stt_marks_find(&f.m, 1001, 2024), 2023);
    ck_assert_uint_eq(stt_marks_find(&f.m, 1001, 2023), 2023);
}
END_TEST

START_TEST(an_empty_stretch_is_stepped_over)
{
    setup(SLOTS_MAX, 100);
    add(100);
    add(100 + SLOTS_MAX - 1);
    ck_assert_uint_eq(stt_marks_find(&f.m, 101, 100 + SLOTS_MAX), 100 + SLOTS_MAX - 1);
}
END_TEST

SUITE("marks", TEST(an_empty_set_has_no_members), LOOP(marks_agree_with_a_plain_array, 0, 60),
      TEST(whole_words_are_removed_at_once), TEST(an_empty_stretch_is_stepped_over))
