/* SPDX-License-Identifier: MIT */
#include "stt/base/number.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/vector_file.h"

#include <stdlib.h>

START_TEST(number_is_recovered_as_in_the_vectors)
{
    json_t *file = vector_file("packet-number.json"), *vector;
    size_t i;
    json_array_foreach(file, i, vector)
    {
        uint32_t wire = be32_load(vector_bytes(vector, "wire").data);
        ck_assert_uint_eq(stt_number_recover(vector_number(vector, "expected"), wire),
                          vector_number(vector, "number"));
    }
    ck_assert_uint_ge(i, 10);
    json_decref(file);
}
END_TEST

START_TEST(number_within_half_a_window_is_recovered)
{
    struct rng rng = rng_init((uint64_t)_i);
    int wrong = 0;
    for (int i = 0; i < 100000; i++) {
        uint64_t expected = rng_u64(&rng) >> 2 >> rng_below(&rng, 62);
        uint64_t reach = UINT64_C(1) << rng_below(&rng, 32);
        uint64_t low = expected < reach - 1 ? 0 : expected - (reach - 1);
        uint64_t number = rng_between(&rng, low, expected + (reach - 1));
        wrong +=
            number < STT_NUMBER_END && stt_number_recover(expected, (uint32_t)number) != number;
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(number_ends_as_on_the_wire_and_below_its_end)
{
    struct rng rng = rng_init((uint64_t)_i);
    int wrong = 0;
    for (int i = 0; i < 100000; i++) {
        uint64_t expected = STT_NUMBER_END - (rng_u64(&rng) >> rng_between(&rng, 28, 63));
        uint32_t wire = (uint32_t)rng_u64(&rng);
        uint64_t number = stt_number_recover(expected, wire);
        wrong += (uint32_t)number != wire || number >= STT_NUMBER_END;
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

SUITE("number", TEST(number_is_recovered_as_in_the_vectors),
      LOOP(number_within_half_a_window_is_recovered, 0, 10),
      LOOP(number_ends_as_on_the_wire_and_below_its_end, 0, 10))
