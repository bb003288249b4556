/* SPDX-License-Identifier: MIT */
#include "crypto/cpu.h"

#include "tests/support/suite.h"

#include <sodium.h>
#include <stdbool.h>

START_TEST(wider_rounds_come_with_narrower_ones)
{
    uint32_t cpu = stt_cpu_detect();
    ck_assert(!(cpu & STT_CPU_VAES) || (cpu & STT_CPU_AES));
    ck_assert(!(cpu & STT_CPU_VAES512) || (cpu & STT_CPU_VAES));
    ck_assert(!(cpu & STT_CPU_GCM) || (cpu & STT_CPU_AES));
    ck_assert_uint_eq(cpu, stt_cpu_detect());
}
END_TEST

#if defined(__x86_64__)
/* The compiler's runtime asks in its own way. */
START_TEST(compiler_sees_the_same_processor)
{
    uint32_t cpu = stt_cpu_detect();
    bool aes = __builtin_cpu_supports("aes"), avx = __builtin_cpu_supports("avx");
    ck_assert((aes && avx) == !!(cpu & STT_CPU_AES));
    ck_assert(!(cpu & STT_CPU_VAES) || __builtin_cpu_supports("avx2"));
    ck_assert(!(cpu & STT_CPU_VAES512) || __builtin_cpu_supports("avx512f"));
}
END_TEST
#define X86_TESTS , TEST(compiler_sees_the_same_processor)
#else
#define X86_TESTS
#endif

SUITE("cpu", TEST(wider_rounds_come_with_narrower_ones) X86_TESTS)
