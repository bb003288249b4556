/* SPDX-License-Identifier: MIT */
#include "stt/session/throughput.h"

#include "tests/support/rng.h"
#include "tests/support/suite.h"

START_TEST(at_first_nothing_has_come)
{
    struct stt_throughput t = STT_THROUGHPUT_INIT(STT_S(5));
    ck_assert_uint_eq(stt_throughput_bytes_per_s(&t, STT_S(5)), 0);
    ck_assert_uint_eq(stt_throughput_bytes_per_s(&t, STT_S(100)), 0);
}
END_TEST

START_TEST(a_second_counts_when_it_is_over_and_until_the_next_one_is)
{
    struct stt_throughput t = STT_THROUGHPUT_INIT(STT_MS(5500));
    stt_throughput_add(&t, STT_MS(5500), 10);
    stt_throughput_add(&t, STT_MS(6500) - 1, 20);
    ck_assert_uint_eq(stt_throughput_bytes_per_s(&t, STT_MS(6500) - 1), 0);
    ck_assert_uint_eq(stt_throughput_bytes_per_s(&t, STT_MS(6500)), 30);
    stt_throughput_add(&t, STT_MS(6500), 7);
    ck_assert_uint_eq(stt_throughput_bytes_per_s(&t, STT_MS(7500) - 1), 30);
    ck_assert_uint_eq(stt_throughput_bytes_per_s(&t, STT_MS(7500)), 7);
    ck_assert_uint_eq(stt_throughput_bytes_per_s(&t, STT_MS(8500)), 0);
    ck_assert_uint_eq(t.bytes, 37);
}
END_TEST

START_TEST(seconds_in_which_nothing_came_need_no_call)
{
    struct stt_throughput t = STT_THROUGHPUT_INIT(0);
    stt_throughput_add(&t, STT_MS(100), 10);
    stt_throughput_add(&t, STT_MS(9900), 20);
    ck_assert_uint_eq(stt_throughput_bytes_per_s(&t, STT_MS(9900)), 0);
    ck_assert_uint_eq(stt_throughput_bytes_per_s(&t, STT_S(10)), 20);
}
END_TEST

/* Against one that remembers every second. */
START_TEST(any_additions_agree_with_the_model)
{
    enum { SECONDS = 60 };
    struct rng rng = rng_init((uint64_t)_i + 1);
    uint64_t model[SECONDS + 1] = {0}, sum = 0;
    struct stt_throughput t = STT_THROUGHPUT_INIT(STT_S(3));
    for (stt_ns age = 0; age < STT_S(SECONDS); age += rng_below(&rng, STT_MS(1500))) {
        uint64_t bytes = rng_below(&rng, 5000);
        stt_throughput_add(&t, STT_S(3) + age, bytes);
        model[age / STT_S(1)] += bytes;
        sum += bytes;
        ck_assert_uint_eq(stt_throughput_bytes_per_s(&t, STT_S(3) + age),
                          age < STT_S(1) ? 0 : model[age / STT_S(1) - 1]);
        ck_assert_uint_eq(t.bytes, sum);
    }
}
END_TEST

START_TEST(the_mean_overflows_nowhere)
{
    ck_assert_uint_eq(stt_throughput_mean(1000, STT_MS(500)), 2000);
    ck_assert_uint_eq(stt_throughput_mean(UINT64_C(1) << 62, STT_S(1)), UINT64_C(1) << 62);
    ck_assert_uint_eq(stt_throughput_mean(10, STT_S(3)), 3);
    ck_assert_uint_eq(stt_throughput_mean(10, 0), 0);
}
END_TEST

SUITE("throughput", TEST(at_first_nothing_has_come),
      TEST(a_second_counts_when_it_is_over_and_until_the_next_one_is),
      TEST(seconds_in_which_nothing_came_need_no_call),
      LOOP(any_additions_agree_with_the_model, 0, 20), TEST(the_mean_overflows_nowhere))
