/* SPDX-License-Identifier: MIT
 * Any history of packets in flight against a plain array.
 * Input: where the numbers begin 1, then operations of kind 1 and argument 1. */
#include "stt/base/bytes.h"
#include "stt/recovery/sent.h"
#include "tests/support/env.h"
#include "tests/support/fuzz.h"

enum { WORLD = 1 << 13, CHECKED = 300 };

struct model {
    uint64_t base, next; /* what bytes[0] stands for; one above the highest that was sent */
    uint64_t settled;    /* nothing below is in flight */
    uint16_t bytes[WORLD];
};

static uint16_t in_model(const struct model *m, uint64_t number)
{
    return number - m->base < WORLD ? m->bytes[number - m->base] : 0;
}

static uint64_t oldest(struct model *m)
{
    while (m->settled < m->next && !in_model(m, m->settled))
        m->settled++;
    return m->settled;
}

static void check_same(struct model *m, struct stt_sent *s)
{
    uint64_t n = 0, from = oldest(m), bytes = 0, count = 0;
    for (; stt_sent_find(s, &n, UINT64_MAX); n++) {
        for (; from < n; from++)
            FUZZ_ASSERT(!in_model(m, from)); /* nothing was passed over */
        from = n + 1;
        FUZZ_ASSERT(in_model(m, n) && stt_sent_at(s, n)->bytes == in_model(m, n));
        bytes += in_model(m, n);
        count++;
    }
    for (; from < m->next; from++)
        FUZZ_ASSERT(!in_model(m, from));
    FUZZ_ASSERT(s->in_flight == count && s->in_flight_bytes == bytes);
    FUZZ_ASSERT(!count || s->first == oldest(m));
    FUZZ_ASSERT(!count || s->next - s->first <= (uint64_t)s->mask + 1);
    for (uint64_t i = s->next; s->in_flight && i <= s->first + s->mask; i++)
        FUZZ_ASSERT(!s->ring[i & s->mask].bytes);
}

static void send(struct model *m, struct stt_sent *s, struct test_env *te, uint64_t skip)
{
    uint64_t number = m->next + skip, span = number + 1 - oldest(m);
    uint64_t slots = s->ring ? (uint64_t)s->mask + 1 : 0, failed = te->failed;
    if (number - m->base >= WORLD)
        return;
    int error = stt_sent_reserve(s, &te->env, number);
    if (error) {
        FUZZ_ASSERT(error == STT_E_MEMORY && te->failed == failed + 1);
        return;
    }
    FUZZ_ASSERT(!s->in_flight || span <= (uint64_t)s->mask + 1);
    FUZZ_ASSERT(slots <= (uint64_t)s->mask + 1);
    uint16_t bytes = (uint16_t)(1 + number % 1500);
    stt_sent_add(s, number, (struct stt_sent_packet){.at = number, .bytes = bytes});
    m->bytes[number - m->base] = bytes;
    m->next = number + 1;
}

static void settle(struct model *m, struct stt_sent *s, uint64_t number)
{
    stt_sent_settle(s, number);
    if (number - m->base < WORLD)
        m->bytes[number - m->base] = 0;
}

static void settle_range(struct model *m, struct stt_sent *s, uint64_t from, uint64_t to)
{
    for (uint64_t n = from; stt_sent_find(s, &n, to); n++)
        stt_sent_settle(s, n);
    for (uint64_t n = from > oldest(m) ? from : oldest(m); n < to && n < m->next; n++)
        m->bytes[n - m->base] = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model m;
    struct rd input = rd_init(bytes_of(data, size));
    struct test_env te;
    struct stt_sent s = {0};
    test_env_init(&te, 1);
    m = (struct model){.base = rd_u8(&input) & 1 ? (UINT64_C(1) << 62) - WORLD : 0};
    m.next = m.settled = m.base;
    for (int n = 0; rd_left(&input); n++) {
        uint8_t kind = rd_u8(&input), arg = rd_u8(&input);
        te.fail_at = kind >= 0xf0 ? te.allocs + 1 : 0;
        switch (kind % 8) {
        case 0:
            settle(&m, &s, oldest(&m));
            break;
        case 1:
            settle(&m, &s, m.next - arg);
            break;
        case 2:
            settle_range(&m, &s, oldest(&m), m.next - arg % (m.next - m.base + 1));
            break;
        case 3:
            settle_range(&m, &s, m.next - arg, UINT64_MAX);
            break;
        case 4:
            stt_sent_trim(&s, &te.env);
            break;
        case 5:
            send(&m, &s, &te, (uint64_t)arg * arg / 16); /* quiet packets between */
            break;
        default:
            for (int i = 0; i <= arg; i++)
                send(&m, &s, &te, 0);
        }
        if (n < CHECKED)
            check_same(&m, &s);
    }
    stt_sent_free(&s, &te.env);
    test_env_check_no_leak(&te);
    return 0;
}
