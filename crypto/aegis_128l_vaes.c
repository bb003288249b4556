/* SPDX-License-Identifier: MIT
 * aegis_128l_vaes: AEGIS-128L, two packets side by side in 256 bits (STT_CPU_VAES). */
#include "crypto/aegis_engine.h"
#include "crypto/aes_round.h"

#if STT_HAS_VAES

#define ENGINE     stt_aegis_128l_pair
#define DEGREE     1
#define PACKETS    2
#define TARGET     __attribute__((target("aes,avx2,vaes")))
#define CORE       static inline __attribute__((always_inline)) TARGET
#define vec        __m256i
#define vec_xor    _mm256_xor_si256
#define vec_and    _mm256_and_si256
#define vec_round  _mm256_aesenc_epi128
#define vec_repeat _mm256_broadcastsi128_si256

CORE vec vec_load(const uint8_t *const p[2], size_t i)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(aes_load(p[0] + i)), aes_load(p[1] + i),
                                   1);
}

CORE void vec_store(uint8_t *const p[2], size_t i, vec v)
{
    aes_store(p[0] + i, _mm256_castsi256_si128(v));
    aes_store(p[1] + i, _mm256_extracti128_si256(v, 1));
}

CORE vec vec_spread(const uint8_t *const p[2])
{
    return vec_load(p, 0);
}

CORE void vec_fold(uint8_t *const p[2], vec v)
{
    vec_store(p, 0, v);
}

#include "crypto/aegis_core.h"

#endif
