/* SPDX-License-Identifier: MIT
 * Any history of used numbers against a plain array, with growth and without memory.
 * Input: where the numbers begin 1, then operations of kind 1, argument 1. */
#include "stt/base/bytes.h"
#include "stt/stream/numbers.h"
#include "tests/support/env.h"
#include "tests/support/fuzz.h"

enum { WORLD = 640 };

struct model {
    uint64_t first, base; /* the number that used[0] stands for; the lowest unused one */
    uint64_t span;
    bool used[WORLD];
};

static void check_same(const struct model *m, const struct stt_numbers *n)
{
    FUZZ_ASSERT(n->base == m->base);
    for (uint64_t i = 0; i < WORLD; i++)
        FUZZ_ASSERT(stt_numbers_was_used(n, m->first + i) == m->used[i]);
}

static void use(struct model *m, struct stt_numbers *n, uint64_t number)
{
    if (number >= m->base + m->span || number - m->first >= WORLD)
        return; /* the peer may not open it */
    stt_numbers_use(n, number);
    m->used[number - m->first] = true;
    while (m->base - m->first < WORLD && m->used[m->base - m->first])
        m->base++;
}

static void reserve(struct model *m, struct stt_numbers *n, struct test_env *te, uint8_t argument)
{
    te->fail_at = argument & 1 ? te->allocs + 1 : 0;
    uint64_t span = (uint64_t)argument * 2;
    int error = stt_numbers_reserve(n, &te->env, span);
    FUZZ_ASSERT(error == STT_OK || (error == STT_E_MEMORY && te->failed && span > m->span));
    if (error == STT_OK && span > m->span)
        m->span = span;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd input = rd_init(bytes_of(data, size));
    uint8_t start = rd_u8(&input);
    static struct test_env te;
    test_env_init(&te, 1);
    struct model m = {.first = start < 128 ? start : (UINT64_C(1) << 60) - WORLD + start};
    m.base = m.first;
    struct stt_numbers n = {.base = m.first};
    while (rd_left(&input)) {
        uint8_t kind = rd_u8(&input), argument = rd_u8(&input);
        if (kind % 8 == 0)
            reserve(&m, &n, &te, argument);
        else if (kind % 8 == 1)
            use(&m, &n, m.first + argument);
        else
            use(&m, &n, m.base + argument / (kind % 8));
        check_same(&m, &n);
    }
    stt_numbers_free(&n, &te.env);
    test_env_check_no_leak(&te);
    return 0;
}
