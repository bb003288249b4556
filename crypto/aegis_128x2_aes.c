/* SPDX-License-Identifier: MIT
 * aegis_128x2_aes: AEGIS-128X2, one packet, its two lanes in two registers (STT_CPU_AES). */
#include "crypto/aegis_engine.h"
#include "crypto/aes_round.h"

#if STT_HAS_AES

#define ENGINE  stt_aegis_128x2_one
#define DEGREE  2
#define PACKETS 1
#define TARGET  AES_TARGET
#define CORE    AES_INLINE
#define vec     struct lanes

struct lanes {
    aes_block a, b;
};

CORE vec vec_xor(vec x, vec y)
{
    return (vec){aes_xor(x.a, y.a), aes_xor(x.b, y.b)};
}

CORE vec vec_and(vec x, vec y)
{
    return (vec){aes_and(x.a, y.a), aes_and(x.b, y.b)};
}

CORE vec vec_round(vec x, vec key)
{
    return (vec){aes_round(x.a, key.a), aes_round(x.b, key.b)};
}

CORE vec vec_load(const uint8_t *const p[1], size_t i)
{
    return (vec){aes_load(p[0] + i), aes_load(p[0] + i + 16)};
}

CORE void vec_store(uint8_t *const p[1], size_t i, vec v)
{
    aes_store(p[0] + i, v.a);
    aes_store(p[0] + i + 16, v.b);
}

CORE vec vec_repeat(aes_block block)
{
    return (vec){block, block};
}

CORE vec vec_spread(const uint8_t *const p[1])
{
    return vec_repeat(aes_load(p[0]));
}

CORE void vec_fold(uint8_t *const p[1], vec v)
{
    aes_store(p[0], aes_xor(v.a, v.b));
}

#include "crypto/aegis_core.h"

#endif
