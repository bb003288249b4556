/* SPDX-License-Identifier: MIT
 * aegis_128l_vaes512: AEGIS-128L, four packets side by side in 512 bits (STT_CPU_VAES512). */
#include "crypto/aegis_engine.h"
#include "crypto/aes_round.h"

#if STT_HAS_VAES

#define ENGINE     stt_aegis_128l_quad
#define DEGREE     1
#define PACKETS    4
#define TARGET     __attribute__((target("aes,avx2,vaes,avx512f")))
#define CORE       static inline __attribute__((always_inline)) TARGET
#define vec        __m512i
#define vec_xor    _mm512_xor_si512
#define vec_and    _mm512_and_si512
#define vec_round  _mm512_aesenc_epi128
#define vec_repeat _mm512_broadcast_i32x4

CORE vec vec_load(const uint8_t *const p[4], size_t i)
{
    vec v = _mm512_castsi128_si512(aes_load(p[0] + i));
    v = _mm512_inserti32x4(v, aes_load(p[1] + i), 1);
    v = _mm512_inserti32x4(v, aes_load(p[2] + i), 2);
    return _mm512_inserti32x4(v, aes_load(p[3] + i), 3);
}

CORE void vec_store(uint8_t *const p[4], size_t i, vec v)
{
    aes_store(p[0] + i, _mm512_castsi512_si128(v));
    aes_store(p[1] + i, _mm512_extracti32x4_epi32(v, 1));
    aes_store(p[2] + i, _mm512_extracti32x4_epi32(v, 2));
    aes_store(p[3] + i, _mm512_extracti32x4_epi32(v, 3));
}

CORE vec vec_spread(const uint8_t *const p[4])
{
    return vec_load(p, 0);
}

CORE void vec_fold(uint8_t *const p[4], vec v)
{
    vec_store(p, 0, v);
}

#include "crypto/aegis_core.h"

#endif
