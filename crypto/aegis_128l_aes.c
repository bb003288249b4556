/* SPDX-License-Identifier: MIT
 * aegis_128l_aes: AEGIS-128L, one packet, one block per register (STT_CPU_AES). */
#include "crypto/aegis_engine.h"
#include "crypto/aes_round.h"

#if STT_HAS_AES

#define ENGINE            stt_aegis_128l_one
#define DEGREE            1
#define PACKETS           1
#define TARGET            AES_TARGET
#define CORE              AES_INLINE
#define vec               aes_block
#define vec_xor           aes_xor
#define vec_and           aes_and
#define vec_round         aes_round
#define vec_repeat(block) (block)

CORE vec vec_load(const uint8_t *const p[1], size_t i)
{
    return aes_load(p[0] + i);
}

CORE void vec_store(uint8_t *const p[1], size_t i, vec v)
{
    aes_store(p[0] + i, v);
}

CORE vec vec_spread(const uint8_t *const p[1])
{
    return aes_load(p[0]);
}

CORE void vec_fold(uint8_t *const p[1], vec v)
{
    aes_store(p[0], v);
}

#include "crypto/aegis_core.h"

#endif
