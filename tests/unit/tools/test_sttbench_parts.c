/* SPDX-License-Identifier: MIT */
#include "crypto/cpu.h"
#include "stt/sim.h"
#include "tests/support/stopwatch.h"
#include "tests/support/suite.h"
#include "tools/sttbench/cpu/parts.h"

#include <math.h>
#include <string.h>

static void burn(double seconds)
{
    double end = cpu_seconds() + seconds;
    while (cpu_seconds() < end)
        ;
}

static double sum(const struct parts *p)
{
    double ns = 0;
    for (int i = 0; i < PARTS_N; i++)
        ns += p->ns[i];
    return ns;
}

START_TEST(parts_have_names)
{
    ck_assert_str_eq(part_name(PART_CRYPTO), "crypto");
    ck_assert_str_eq(part_name(PART_STOPWATCH), "stopwatch");
}
END_TEST

/* Burning asks the system for the time, so that some of it is the kernel's wherever it happens:
 * what was timed may be more than what is left of the user's time, and never less than was burnt.
 */
START_TEST(parts_count_what_lies_between)
{
    struct parts p;
    parts_begin();
    parts_start();
    burn(0.03);
    parts_stop(PART_COPY);
    parts_start();
    burn(0.01);
    parts_stop(PART_VERIFY);
    parts_end(&p);
    ck_assert_double_ge(p.ns[PART_COPY], 0.029e9);
    ck_assert_double_ge(p.ns[PART_VERIFY], 0.009e9);
    ck_assert_double_eq(p.ns[PART_CRYPTO], 0);
    ck_assert_double_ge(p.wall_ns, 0.039e9);
    ck_assert_double_ge(p.cpu_ns, 0.035e9);
    ck_assert_double_ge(sum(&p), p.cpu_ns * 0.999);
}
END_TEST

START_TEST(what_nobody_claims_is_the_protocol_s)
{
    struct parts p;
    volatile uint64_t x = 0;
    parts_begin();
    for (uint64_t i = 0; i < 20000000; i++)
        x += i;
    parts_end(&p);
    ck_assert_uint_gt(x, 0);
    ck_assert_double_eq(p.ns[PART_COPY] + p.ns[PART_CRYPTO] + p.ns[PART_STOPWATCH], 0);
    ck_assert_double_eq_tol(p.ns[PART_PROTOCOL] + p.ns[PART_KERNEL], p.cpu_ns, p.cpu_ns * 1e-6);
}
END_TEST

/* What counting takes is nobody's: in the best of some tries, for whoever is interrupted while it
 * counts, counts that, too. */
START_TEST(the_stopwatch_knows_what_it_costs_itself)
{
    double least = INFINITY;
    for (int try = 0; try < 50; try++) {
        struct parts p;
        parts_begin();
        for (int i = 0; i < 10000; i++) {
            parts_start();
            parts_stop(PART_CRYPTO);
        }
        parts_end(&p);
        ck_assert_double_gt(p.ns[PART_STOPWATCH], 0);
        least = fmin(least, p.ns[PART_CRYPTO] / p.ns[PART_STOPWATCH]);
    }
    ck_assert_double_lt(least, 0.5);
}
END_TEST

START_TEST(a_suite_in_front_gives_the_same_bytes)
{
    const struct stt_aead_suite *real = stt_aead_by_name("chacha20-poly1305", stt_cpu_detect());
    const struct stt_aead_suite *front = parts_suite(real);
    _Alignas(STT_AEAD_STATE_ALIGN) uint8_t key_state[STT_AEAD_STATE_MAX];
    uint8_t key[32] = {1}, nonce[STT_AEAD_NONCE_MAX] = {2}, out[2][64], masks[2][1][8];
    _Alignas(STT_AEAD_STATE_ALIGN) uint8_t mask_state[STT_AEAD_MASK_STATE_MAX];
    const struct bytes part = BYTES_TEXT("some bytes of a packet");
    const struct stt_aead_suite *both[2] = {real, front};
    struct parts p;
    parts_begin();
    ck_assert_uint_eq(front->id, real->id);
    real->init(key_state, key);
    real->mask_init(mask_state, key);
    for (int i = 0; i < 2; i++) {
        struct stt_aead_plain plain = {nonce, part, &part, 1, out[i]};
        both[i]->seal(key_state, &plain, 1);
        both[i]->mask(mask_state, out[0], 16, 1, masks[i]);
    }
    ck_assert_mem_eq(out[0], out[1], part.len + STT_AEAD_TAG_BYTES);
    ck_assert_mem_eq(masks[0], masks[1], sizeof masks[0]);
    struct stt_aead_sealed sealed = {nonce, part, out[1], part.len + STT_AEAD_TAG_BYTES, false};
    ck_assert_uint_eq(front->open(key_state, &sealed, 1), 1);
    ck_assert_mem_eq(out[1], part.data, part.len);
    parts_end(&p);
    ck_assert_double_gt(p.ns[PART_STOPWATCH], 0);
}
END_TEST

SUITE("parts", TEST(parts_have_names), TEST(parts_count_what_lies_between),
      TEST(what_nobody_claims_is_the_protocol_s), TEST(the_stopwatch_knows_what_it_costs_itself),
      TEST(a_suite_in_front_gives_the_same_bytes))
