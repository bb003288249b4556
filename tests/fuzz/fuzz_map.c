/* SPDX-License-Identifier: MIT
 * Any history of a map against a plain array.
 * Input: size of keys 1, limit 1, then operations of kind 1, key 1. */
#include "stt/base/bytes.h"
#include "stt/base/map.h"
#include "tests/support/env.h"
#include "tests/support/fuzz.h"

enum { KEYS = 256 };

struct model {
    uint64_t value[KEYS]; /* 0: not there */
    uint32_t n;
};

/* All of the key depends on its number. */
static const void *key_of(uint8_t number, uint8_t key[STT_MAP_KEY_BYTES_MAX])
{
    for (int i = 0; i < STT_MAP_KEY_BYTES_MAX; i++)
        key[i] = (uint8_t)(number + i * 7);
    return key;
}

static void put(struct model *model, struct stt_map *m, uint8_t number, uint64_t value)
{
    struct test_env *te = m->env->ctx;
    uint8_t key[STT_MAP_KEY_BYTES_MAX];
    uint64_t failed = te->failed;
    int error = stt_map_put(m, key_of(number, key), value);
    if (model->value[number] == 0 && model->n == m->max)
        FUZZ_ASSERT(error == STT_E_LIMIT);
    else
        FUZZ_ASSERT(error == (te->failed > failed ? STT_E_MEMORY : STT_OK));
    if (error)
        return;
    model->n += model->value[number] == 0;
    model->value[number] = value;
}

static void remove_key(struct model *model, struct stt_map *m, uint8_t number)
{
    uint8_t key[STT_MAP_KEY_BYTES_MAX];
    FUZZ_ASSERT(stt_map_remove(m, key_of(number, key)) == model->value[number]);
    model->n -= model->value[number] != 0;
    model->value[number] = 0;
}

static void check_same(const struct model *model, const struct stt_map *m)
{
    uint8_t key[STT_MAP_KEY_BYTES_MAX];
    FUZZ_ASSERT(m->n == model->n);
    for (int i = 0; i < KEYS; i++)
        FUZZ_ASSERT(stt_map_find(m, key_of((uint8_t)i, key)) == model->value[i]);
    uint32_t cursor = 0, n = 0;
    for (struct stt_map_entry e; stt_map_next(m, &cursor, &e); n++) {
        uint8_t number = *(const uint8_t *)e.key;
        FUZZ_ASSERT(memcmp(e.key, key_of(number, key), m->key_bytes) == 0);
        FUZZ_ASSERT(e.value == model->value[number]);
    }
    FUZZ_ASSERT(n == model->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd input = rd_init(bytes_of(data, size));
    struct test_env te;
    struct stt_map m;
    struct model model = {.n = 0};
    test_env_init(&te, 1);
    uint32_t key_bytes = 1 + rd_u8(&input) % STT_MAP_KEY_BYTES_MAX, max = rd_u8(&input);
    stt_map_init(&m, &te.env, key_bytes, size, max);
    for (uint64_t value = 1; rd_left(&input); value++) {
        uint8_t kind = rd_u8(&input), number = rd_u8(&input);
        switch (kind % 8) {
        case 0:
            te.fail_from = number & 1; /* from now on there is no memory, or again some */
            break;
        case 1:
        case 2:
        case 3:
            remove_key(&model, &m, number);
            break;
        default:
            put(&model, &m, number, value);
        }
        if (value % 16 == 0)
            check_same(&model, &m);
    }
    check_same(&model, &m);
    stt_map_fini(&m);
    test_env_check_no_leak(&te);
    return 0;
}
