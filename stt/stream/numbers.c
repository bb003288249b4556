/* SPDX-License-Identifier: MIT
 * numbers: owns the ring of bits.
 *
 *     all used | 0 1 1 0 1 0 0 ... 0 |              number n is bit n % size
 *             base               base + size
 *
 * Invariants: base itself was not used; a bit belongs to one number, from base to base + size - 1;
 * size does not shrink. It must not know what a number opens, nor who may. Spec 05, "Ids". */
#include "stt/stream/numbers.h"

#include <assert.h>

enum { WORD_BITS = 64 };
#define SPAN_MAX (UINT32_C(1) << 31)

static uint64_t *word(const struct stt_numbers *n, uint64_t number)
{
    return n->bits + (number & (n->size - 1)) / WORD_BITS;
}

static uint64_t bit(uint64_t number)
{
    return UINT64_C(1) << number % WORD_BITS;
}

int stt_numbers_reserve(struct stt_numbers *n, const struct stt_env *env, uint64_t span)
{
    if (span <= n->size)
        return STT_OK;
    if (span > SPAN_MAX)
        return STT_E_MEMORY;
    struct stt_numbers more = {.base = n->base, .size = n->size ? n->size : WORD_BITS};
    while (more.size < span)
        more.size *= 2;
    more.bits = stt_env_alloc(env, more.size / 8);
    if (!more.bits)
        return STT_E_MEMORY;
    for (uint64_t number = n->base; number < n->base + n->size; number++)
        if (stt_numbers_was_used(n, number))
            *word(&more, number) |= bit(number);
    stt_numbers_free(n, env);
    *n = more;
    return STT_OK;
}

void stt_numbers_free(struct stt_numbers *n, const struct stt_env *env)
{
    stt_env_release(env, n->bits, n->size / 8);
    *n = (struct stt_numbers){.base = n->base};
}

bool stt_numbers_was_used(const struct stt_numbers *n, uint64_t number)
{
    if (number < n->base || number - n->base >= n->size)
        return number < n->base;
    return *word(n, number) & bit(number);
}

void stt_numbers_use(struct stt_numbers *n, uint64_t number)
{
    if (number < n->base)
        return;
    assert(number - n->base < n->size);
    *word(n, number) |= bit(number);
    for (; *word(n, n->base) & bit(n->base); n->base++)
        *word(n, n->base) &= ~bit(n->base); /* it stands for base + size from now on */
}
