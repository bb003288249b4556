/* SPDX-License-Identifier: MIT
 * Any history of a set of ranges against a plain array of bits.
 * Input: capacity 1, where the numbers begin 1, then operations of kind 1, from 1, length 1. */
#include "stt/base/bytes.h"
#include "stt/base/ranges.h"
#include "tests/support/fuzz.h"

enum { WORLD = 320, CAPACITY_MAX = 16 };

struct model {
    uint64_t base; /* the number that in[0] stands for */
    bool in[WORLD];
};

static uint32_t runs(const struct model *m)
{
    uint32_t n = m->in[0];
    for (int i = 1; i < WORLD; i++)
        n += m->in[i] && !m->in[i - 1];
    return n;
}

static void check_same(const struct model *m, const struct stt_ranges *r)
{
    FUZZ_ASSERT(r->n == runs(m) && r->n <= r->capacity);
    for (uint32_t i = 0; i < r->n; i++) {
        FUZZ_ASSERT(r->at[i].from < r->at[i].to);
        FUZZ_ASSERT(i == 0 || r->at[i - 1].to < r->at[i].from);
    }
    uint64_t end = 0, gap = UINT64_MAX;
    for (int i = WORLD; i-- > 0;) {
        uint64_t value = m->base + (uint64_t)i;
        FUZZ_ASSERT(stt_ranges_contains(r, value) == m->in[i]);
        if (m->in[i] && end == 0)
            end = value + 1;
        if (!m->in[i])
            gap = value;
        FUZZ_ASSERT(gap == UINT64_MAX || stt_ranges_first_gap(r, value).from == gap);
    }
    FUZZ_ASSERT(stt_ranges_end(r) == end && stt_ranges_is_empty(r) == (end == 0));
}

/* Adds or removes; what would not fit must be refused and change nothing. */
static void change(struct model *m, struct stt_ranges *r, uint32_t from, uint32_t to, bool in)
{
    struct model after = *m;
    for (uint32_t i = from; i < to; i++)
        after.in[i] = in;
    int error = in ? stt_ranges_add(r, m->base + from, m->base + to)
                   : stt_ranges_remove(r, m->base + from, m->base + to);
    FUZZ_ASSERT(error == (runs(&after) > r->capacity ? STT_E_LIMIT : STT_OK));
    if (error == STT_OK)
        *m = after;
}

static void drop_first(struct model *m, struct stt_ranges *r)
{
    int i = 0;
    while (i < WORLD && !m->in[i])
        i++;
    while (i < WORLD && m->in[i])
        m->in[i++] = false;
    stt_ranges_drop_first(r);
}

static void drop_below(struct model *m, struct stt_ranges *r, uint32_t to)
{
    for (uint32_t i = 0; i < to; i++)
        m->in[i] = false;
    stt_ranges_drop_below(r, m->base + to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd input = rd_init(bytes_of(data, size));
    uint32_t capacity = rd_u8(&input) % (CAPACITY_MAX + 1);
    bool high = rd_u8(&input) & 1;
    struct stt_range *memory = malloc(capacity * sizeof *memory + 1); /* exact for a sanitizer */
    struct stt_ranges r;
    stt_ranges_init(&r, memory, capacity);
    struct model m = {.base = high ? UINT64_MAX - WORLD : 0};
    while (rd_left(&input)) {
        uint8_t kind = rd_u8(&input);
        uint32_t from = rd_u8(&input), to = from + rd_u8(&input) % 64;
        switch (kind % 8) {
        case 0:
            drop_first(&m, &r);
            break;
        case 1:
            drop_below(&m, &r, from);
            break;
        case 2:
        case 3:
            change(&m, &r, from, to, false);
            break;
        default:
            change(&m, &r, from, to, true);
        }
        check_same(&m, &r);
    }
    free(memory);
    return 0;
}
