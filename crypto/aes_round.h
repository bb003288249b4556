/* SPDX-License-Identifier: MIT
 * aes_round: one AES block in one register, for x86-64 and ARMv8, in constant time by construction.
 *
 * STT_HAS_AES and STT_HAS_VAES say that this build contains such code, not that the processor can
 * run it: it is reached only through suites that `need` it. Whatever uses the functions below is
 * marked AES_TARGET. On x86 that includes AVX, whose three-operand forms are worth 12 %; processors
 * with AES-NI and without AVX count as having neither. */
#ifndef STT_CRYPTO_AES_ROUND_H
#define STT_CRYPTO_AES_ROUND_H

#include <stdint.h>

#if defined(__x86_64__)

#include <immintrin.h>
#define STT_HAS_AES  1
#define STT_HAS_VAES 1
#define AES_TARGET   __attribute__((target("aes,avx")))
#define AES_INLINE   static inline __attribute__((always_inline, target("aes,avx")))

typedef __m128i aes_block;

AES_INLINE aes_block aes_load(const uint8_t *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

AES_INLINE void aes_store(uint8_t *p, aes_block a)
{
    _mm_storeu_si128((__m128i *)(void *)p, a);
}

AES_INLINE void aes_store_half(uint8_t *p, aes_block a)
{
    _mm_storel_epi64((__m128i *)(void *)p, a);
}

/* The bytes of `low`, little-endian, and then of `high`. */
AES_INLINE aes_block aes_of_u64(uint64_t low, uint64_t high)
{
    return _mm_set_epi64x((long long)high, (long long)low);
}

AES_INLINE aes_block aes_xor(aes_block a, aes_block b)
{
    return _mm_xor_si128(a, b);
}

AES_INLINE aes_block aes_and(aes_block a, aes_block b)
{
    return _mm_and_si128(a, b);
}

/* MixColumns(ShiftRows(SubBytes(a))) ^ key */
AES_INLINE aes_block aes_round(aes_block a, aes_block key)
{
    return _mm_aesenc_si128(a, key);
}

/* ShiftRows(SubBytes(a)) ^ key */
AES_INLINE aes_block aes_last_round(aes_block a, aes_block key)
{
    return _mm_aesenclast_si128(a, key);
}

/* gcc has the ARM instructions in reach of any function that asks; clang only behind -march. */
#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__) &&                    \
    (!defined(__clang__) || defined(__ARM_FEATURE_AES))

#include <arm_neon.h>
#define STT_HAS_AES 1
#if defined(__clang__)
#define AES_TARGET
#define AES_INLINE static inline __attribute__((always_inline))
#else
#define AES_TARGET __attribute__((target("+crypto")))
#define AES_INLINE static inline __attribute__((always_inline, target("+crypto")))
#endif

typedef uint8x16_t aes_block;

AES_INLINE aes_block aes_load(const uint8_t *p)
{
    return vld1q_u8(p);
}

AES_INLINE void aes_store(uint8_t *p, aes_block a)
{
    vst1q_u8(p, a);
}

AES_INLINE void aes_store_half(uint8_t *p, aes_block a)
{
    vst1_u8(p, vget_low_u8(a));
}

AES_INLINE aes_block aes_of_u64(uint64_t low, uint64_t high)
{
    return vcombine_u8(vcreate_u8(low), vcreate_u8(high));
}

AES_INLINE aes_block aes_xor(aes_block a, aes_block b)
{
    return veorq_u8(a, b);
}

AES_INLINE aes_block aes_and(aes_block a, aes_block b)
{
    return vandq_u8(a, b);
}

/* ARM adds the key before SubBytes and x86 after MixColumns: so none before, and ours after. */
AES_INLINE aes_block aes_round(aes_block a, aes_block key)
{
    return veorq_u8(vaesmcq_u8(vaeseq_u8(a, vdupq_n_u8(0))), key);
}

AES_INLINE aes_block aes_last_round(aes_block a, aes_block key)
{
    return veorq_u8(vaeseq_u8(a, vdupq_n_u8(0)), key);
}

#endif

#ifndef STT_HAS_AES
#define STT_HAS_AES 0
#endif
#ifndef STT_HAS_VAES
#define STT_HAS_VAES 0
#endif

#endif
