/* SPDX-License-Identifier: MIT
 * aegis_128x2_vaes: AEGIS-128X2, one packet, both lanes in 256 bits (STT_CPU_VAES). */
#include "crypto/aegis_engine.h"
#include "crypto/aes_round.h"

#if STT_HAS_VAES

#define ENGINE     stt_aegis_128x2_vaes_one
#define DEGREE     2
#define PACKETS    1
#define TARGET     __attribute__((target("aes,avx2,vaes")))
#define CORE       static inline __attribute__((always_inline)) TARGET
#define vec        __m256i
#define vec_xor    _mm256_xor_si256
#define vec_and    _mm256_and_si256
#define vec_round  _mm256_aesenc_epi128
#define vec_repeat _mm256_broadcastsi128_si256

CORE vec vec_load(const uint8_t *const p[1], size_t i)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)(p[0] + i));
}

CORE void vec_store(uint8_t *const p[1], size_t i, vec v)
{
    _mm256_storeu_si256((__m256i *)(void *)(p[0] + i), v);
}

CORE vec vec_spread(const uint8_t *const p[1])
{
    return vec_repeat(aes_load(p[0]));
}

CORE void vec_fold(uint8_t *const p[1], vec v)
{
    aes_store(p[0], aes_xor(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
}

#include "crypto/aegis_core.h"

#endif
