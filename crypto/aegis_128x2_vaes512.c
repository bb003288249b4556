/* SPDX-License-Identifier: MIT
 * aegis_128x2_vaes512: AEGIS-128X2, two packets side by side in 512 bits (STT_CPU_VAES512). */
#include "crypto/aegis_engine.h"
#include "crypto/aes_round.h"

#if STT_HAS_VAES

#define ENGINE     stt_aegis_128x2_pair
#define DEGREE     2
#define PACKETS    2
#define TARGET     __attribute__((target("aes,avx2,vaes,avx512f")))
#define CORE       static inline __attribute__((always_inline)) TARGET
#define vec        __m512i
#define vec_xor    _mm512_xor_si512
#define vec_and    _mm512_and_si512
#define vec_round  _mm512_aesenc_epi128
#define vec_repeat _mm512_broadcast_i32x4

CORE __m256i load_half(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

CORE vec join(__m256i first, __m256i second)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
}

CORE vec vec_load(const uint8_t *const p[2], size_t i)
{
    return join(load_half(p[0] + i), load_half(p[1] + i));
}

CORE void vec_store(uint8_t *const p[2], size_t i, vec v)
{
    _mm256_storeu_si256((__m256i *)(void *)(p[0] + i), _mm512_castsi512_si256(v));
    _mm256_storeu_si256((__m256i *)(void *)(p[1] + i), _mm512_extracti64x4_epi64(v, 1));
}

CORE vec vec_spread(const uint8_t *const p[2])
{
    return join(_mm256_broadcastsi128_si256(aes_load(p[0])),
                _mm256_broadcastsi128_si256(aes_load(p[1])));
}

CORE aes_block fold_half(__m256i v)
{
    return aes_xor(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

CORE void vec_fold(uint8_t *const p[2], vec v)
{
    aes_store(p[0], fold_half(_mm512_castsi512_si256(v)));
    aes_store(p[1], fold_half(_mm512_extracti64x4_epi64(v, 1)));
}

#include "crypto/aegis_core.h"

#endif
