/* SPDX-License-Identifier: MIT
 * The replay window against a list of all numbers that it took. An input is a sequence of pairs:
 * what to do, and how far from the expected number. */
#include "crypto/replay.h"
#include "tests/support/fuzz.h"

#include <string.h>

enum { STEPS_MAX = 1024 };

struct model {
    uint64_t taken[STEPS_MAX];
    size_t n;
    uint64_t expected;
    uint64_t floor; /* all below were forgotten when the window was small */
    uint64_t size;
};

static bool model_is_fresh(const struct model *m, uint64_t number)
{
    if (number < m->floor || (number < m->expected && m->expected - number > m->size))
        return false;
    for (size_t i = 0; i < m->n; i++)
        if (m->taken[i] == number)
            return false;
    return true;
}

static void model_take(struct model *m, uint64_t number)
{
    m->taken[m->n++] = number;
    if (number >= m->expected)
        m->expected = number + 1;
}

static void model_shrink(struct model *m)
{
    uint64_t floor = m->expected < 64 ? 0 : m->expected - 64;
    if (floor > m->floor)
        m->floor = floor;
}

/* Distances cluster where windows and words end. */
static uint64_t number_near(uint64_t expected, uint8_t what, uint8_t how_far)
{
    static const uint64_t centres[] = {0, 1, 64, 128, 4096, 8192, 8192 + 64, UINT64_C(1) << 40};
    uint64_t distance = centres[what >> 1 & 7] + how_far - 128;
    uint64_t number = what & 1 ? expected + distance : expected - distance;
    return number & ((UINT64_C(1) << 62) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint64_t bitmap[STT_REPLAY_WORDS];
    static struct model m;
    m = (struct model){.size = 64};
    struct stt_replay r = STT_REPLAY_INIT;

    for (size_t i = 0; i + 1 < size && m.n < STEPS_MAX; i += 2) {
        if (data[i] >= 0xf0) {
            model_shrink(&m);
            if (m.size == 64)
                stt_replay_attach(&r, bitmap);
            else
                FUZZ_ASSERT(stt_replay_detach(&r) == bitmap);
            m.size = m.size == 64 ? STT_REPLAY_NUMBERS : 64;
        }
        uint64_t number = number_near(m.expected, data[i], data[i + 1]);
        bool is_fresh = stt_replay_is_fresh(&r, number);
        FUZZ_ASSERT(is_fresh == model_is_fresh(&m, number));
        if (is_fresh) {
            stt_replay_record(&r, number);
            model_take(&m, number);
        }
        FUZZ_ASSERT(r.expected == m.expected);
    }
    return 0;
}
