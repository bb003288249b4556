/* SPDX-License-Identifier: MIT
 * aegis_128x2_quad: AEGIS-128X2, two and two packets side by side in 512 bits each
 * (STT_CPU_VAES512): while the rounds of the first two are under way, those of the others begin. */
#include "crypto/aegis_engine.h"
#include "crypto/aes_round.h"

#if STT_HAS_VAES

#define ENGINE  stt_aegis_128x2_quad
#define DEGREE  2
#define PACKETS 4
#define TARGET  __attribute__((target("aes,avx2,vaes,avx512f")))
#define CORE    static inline __attribute__((always_inline)) TARGET

typedef struct {
    __m512i a, b;
} vec;

CORE vec vec_xor(vec x, vec y)
{
    return (vec){_mm512_xor_si512(x.a, y.a), _mm512_xor_si512(x.b, y.b)};
}

CORE vec vec_and(vec x, vec y)
{
    return (vec){_mm512_and_si512(x.a, y.a), _mm512_and_si512(x.b, y.b)};
}

CORE vec vec_round(vec x, vec key)
{
    return (vec){_mm512_aesenc_epi128(x.a, key.a), _mm512_aesenc_epi128(x.b, key.b)};
}

CORE vec vec_repeat(aes_block block)
{
    __m512i v = _mm512_broadcast_i32x4(block);
    return (vec){v, v};
}

CORE __m512i join(__m256i first, __m256i second)
{
    return _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
}

CORE __m256i load_half(const uint8_t *p)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

CORE vec vec_load(const uint8_t *const p[4], size_t i)
{
    return (vec){join(load_half(p[0] + i), load_half(p[1] + i)),
                 join(load_half(p[2] + i), load_half(p[3] + i))};
}

CORE void store_two(uint8_t *const p[2], size_t i, __m512i v)
{
    _mm256_storeu_si256((__m256i *)(void *)(p[0] + i), _mm512_castsi512_si256(v));
    _mm256_storeu_si256((__m256i *)(void *)(p[1] + i), _mm512_extracti64x4_epi64(v, 1));
}

CORE void vec_store(uint8_t *const p[4], size_t i, vec v)
{
    store_two(p, i, v.a);
    store_two(p + 2, i, v.b);
}

CORE __m256i spread_half(const uint8_t *p)
{
    return _mm256_broadcastsi128_si256(aes_load(p));
}

CORE vec vec_spread(const uint8_t *const p[4])
{
    return (vec){join(spread_half(p[0]), spread_half(p[1])),
                 join(spread_half(p[2]), spread_half(p[3]))};
}

CORE void fold_half(uint8_t *p, __m256i v)
{
    aes_store(p, aes_xor(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
}

CORE void vec_fold(uint8_t *const p[4], vec v)
{
    fold_half(p[0], _mm512_castsi512_si256(v.a));
    fold_half(p[1], _mm512_extracti64x4_epi64(v.a, 1));
    fold_half(p[2], _mm512_castsi512_si256(v.b));
    fold_half(p[3], _mm512_extracti64x4_epi64(v.b, 1));
}

#include "crypto/aegis_core.h"

#endif
