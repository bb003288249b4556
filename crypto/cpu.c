/* SPDX-License-Identifier: MIT
 * cpu: asks the processor. Owns nothing; knows nothing about suites (see aead.c for what is
 * picked). Where nothing is known the answer is 0, which leaves the portable ciphers. */
#include "crypto/cpu.h"

#include <sodium.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <stddef.h>

/* The register sets whose contents the operating system saves for each thread (XCR0). */
static uint32_t saved_registers(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

struct feature {
    uint32_t cpu;       /* what it is called here */
    uint32_t ecx1;      /* bits demanded of leaf 1, ECX */
    uint32_t ebx7;      /* of leaf 7, EBX */
    uint32_t ecx7;      /* of leaf 7, ECX */
    uint32_t registers; /* of XCR0 */
};

enum { ECX1_AES = 1 << 25, ECX1_OSXSAVE = 1 << 27, ECX1_AVX = 1 << 28 };
enum { EBX7_AVX2 = 1 << 5, EBX7_AVX512F = 1 << 16, ECX7_VAES = 1 << 9 };
enum { XCR0_YMM = 0x06, XCR0_ZMM = 0xe6 };

static const struct feature features[] = {
    {STT_CPU_AES, ECX1_AES | ECX1_AVX, 0, 0, XCR0_YMM},
    {STT_CPU_VAES, ECX1_AES | ECX1_AVX, EBX7_AVX2, ECX7_VAES, XCR0_YMM},
    {STT_CPU_VAES512, ECX1_AES | ECX1_AVX, EBX7_AVX2 | EBX7_AVX512F, ECX7_VAES, XCR0_ZMM},
};

static uint32_t detect_aes(void)
{
    uint32_t eax, ebx1, ecx1, ebx7 = 0, ecx7 = 0, edx, cpu = 0;

    if (!__get_cpuid(1, &eax, &ebx1, &ecx1, &edx) || !(ecx1 & ECX1_OSXSAVE))
        return 0;
    if (!__get_cpuid_count(7, 0, &eax, &ebx7, &ecx7, &edx))
        ebx7 = ecx7 = 0;
    uint32_t registers = saved_registers();
    for (size_t i = 0; i < sizeof features / sizeof features[0]; i++) {
        const struct feature *f = &features[i];
        if ((ecx1 & f->ecx1) == f->ecx1 && (ebx7 & f->ebx7) == f->ebx7 &&
            (ecx7 & f->ecx7) == f->ecx7 && (registers & f->registers) == f->registers)
            cpu |= f->cpu;
    }
    return cpu;
}

#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>

static uint32_t detect_aes(void)
{
    return getauxval(AT_HWCAP) & HWCAP_AES ? STT_CPU_AES : 0;
}

#else

static uint32_t detect_aes(void)
{
    return 0;
}

#endif

uint32_t stt_cpu_detect(void)
{
    uint32_t cpu = detect_aes();
    /* libsodium answers only after its own detection has run. */
    if ((cpu & STT_CPU_AES) && sodium_init() >= 0 && crypto_aead_aes256gcm_is_available())
        cpu |= STT_CPU_GCM;
    return cpu;
}
