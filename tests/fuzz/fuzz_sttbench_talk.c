/* SPDX-License-Identifier: MIT
 * Whatever decodes is what was encoded: there is one encoding, and values obey their limits. */
#include "tests/support/fuzz.h"
#include "tools/sttbench/transfer/talk.h"

/* A test as the specification words it. */
static void check_test(const struct talk_test *t)
{
    FUZZ_ASSERT((t->duration_ns == 0) != (t->bytes == 0));
    FUZZ_ASSERT(t->duration_ns == 0 || t->duration_ns >= 100000000u);
    FUZZ_ASSERT(t->duration_ns <= 86400000000000u && t->omit_ns <= 600000000000u);
    FUZZ_ASSERT(t->bytes <= UINT64_C(1) << 50 && t->rate_bits_per_s <= UINT64_C(1) << 40);
    FUZZ_ASSERT(t->streams >= 1 && t->streams <= 128);
    FUZZ_ASSERT(t->block_bytes >= 1 && t->block_bytes <= 1u << 20);
    FUZZ_ASSERT(t->flags <= 7 && (t->flags & 3) != 3);
    FUZZ_ASSERT(talk_lanes(t) <= TALK_LANES_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct talk_message m, back;
    uint8_t again[TALK_MESSAGE_MAX];
    if (!talk_decode(&m, bytes_of(data, size)))
        return 0;
    size_t len = talk_encode(&m, again, sizeof again);
    FUZZ_ASSERT(len == size && memcmp(again, data, size) == 0);
    FUZZ_ASSERT(talk_decode(&back, bytes_of(again, len)) && back.type == m.type);
    if (m.type == TALK_TEST)
        check_test(&m.test);
    if (m.type == TALK_LANE)
        FUZZ_ASSERT(m.lane.bytes <= m.lane.all_bytes);
    return 0;
}
