/* SPDX-License-Identifier: MIT
 * Any history of packets that arrive and ACKs that are sent, against a plain array of what came.
 * Input: operations of kind 1, argument 1.
 *
 * An ACK names nothing that has not come, its largest is the largest that came, and what came since
 * the peer last learned of everything is named as long as there is room for its range. */
#include "stt/base/bytes.h"
#include "stt/recovery/acks.h"
#include "stt/wire/limits.h"
#include "tests/support/fuzz.h"

enum { NUMBERS = 1024, ROOM_MAX = 2048 };

struct life {
    struct stt_acks a;
    struct stt_range more[STT_ACK_RANGES_MAX];
    bool came[NUMBERS];
    uint64_t next; /* of the peer's packets, in order */
    uint64_t end;  /* one above the largest that came */
    stt_ns now;
    uint64_t sent; /* our packets */
    bool has_more, elicited_since;
};

/* Numbers from..to in a row; of them those elicit whose bit is set. */
static void arrive_run(struct life *l, uint64_t from, uint64_t to, uint8_t elicits)
{
    struct stt_acks_run run = {.from = from, .to = to};
    if (to > NUMBERS)
        return;
    for (uint64_t n = from; n < to; n++) {
        l->came[n] = true;
        if (elicits >> (n - from) & 1) {
            run.eliciting++;
            run.eliciting_end = n + 1;
        }
    }
    l->end = to > l->end ? to : l->end;
    l->next = to > l->next ? to : l->next;
    stt_acks_on_run(&l->a, l->now, &run, STT_MS(20));
    l->elicited_since = l->elicited_since || run.eliciting;
    FUZZ_ASSERT(!run.eliciting || l->a.due_at <= l->now + STT_MS(20));
}

static void arrive(struct life *l, uint64_t number, bool elicits)
{
    arrive_run(l, number, number + 1, elicits);
}

static void check_named(const struct life *l, const struct frame_ack *f)
{
    struct frame_ack_walk walk = stt_frame_ack_walk(f);
    uint64_t above = UINT64_MAX;
    FUZZ_ASSERT(f->largest + 1 == l->end);
    for (struct stt_range r; stt_frame_ack_next(&walk, &r); above = r.from) {
        FUZZ_ASSERT(r.from < r.to && r.to < above);
        for (uint64_t n = r.from; n < r.to; n++)
            FUZZ_ASSERT(n < NUMBERS && l->came[n]);
    }
}

static void acknowledge(struct life *l, uint8_t argument)
{
    uint8_t memory[ROOM_MAX];
    struct frame_ack f;
    struct wr w = wr_init(memory, argument & 1 ? sizeof memory : argument / 2);
    uint64_t end = stt_acks_encode(&l->a, l->now, NULL, &w);
    if (!end)
        return;
    FUZZ_ASSERT(end == l->end);
    struct rd r = rd_init(wr_done(&w));
    uint64_t type = stt_frame_type_decode(&r);
    FUZZ_ASSERT(stt_frame_ack_decode(&r, type, &f) && !rd_left(&r));
    check_named(l, &f);
    stt_acks_on_sent(&l->a, l->sent++, argument & 2);
    l->elicited_since = false;
    FUZZ_ASSERT(l->a.due_at == STT_NEVER && l->a.unacked == 0);
}

/* Room for more ranges comes and goes. */
static void lend(struct life *l)
{
    if (l->has_more)
        stt_acks_take_back(&l->a);
    else
        stt_acks_lend(&l->a, l->more);
    l->has_more = !l->has_more;
}

static void check(const struct life *l)
{
    const struct stt_ranges *r = &l->a.received;
    FUZZ_ASSERT(r->n <= (l->has_more ? STT_ACK_RANGES_MAX : STT_ACKS_RANGES));
    FUZZ_ASSERT(stt_ranges_end(r) == l->end);
    FUZZ_ASSERT(!l->elicited_since || l->a.due_at != STT_NEVER);
    for (uint32_t i = 0; i < r->n; i++)
        for (uint64_t n = r->at[i].from; n < r->at[i].to; n++)
            FUZZ_ASSERT(l->came[n]);
}

static void operate(struct life *l, uint8_t kind, uint8_t argument)
{
    switch (kind % 8) {
    case 0:
        arrive(l, l->next, argument & 1);
        break;
    case 1:
        arrive_run(l, l->next, l->next + 1 + argument % 8, argument);
        break;
    case 2:
        arrive(l, l->next + argument % 8, argument & 8);
        break;
    case 3:
        arrive(l, l->next > argument ? l->next - argument : 0, true);
        break;
    case 4:
        acknowledge(l, argument);
        break;
    case 5:
        if (l->sent)
            (argument & 1 ? stt_acks_on_acked : stt_acks_on_lost)(&l->a,
                                                                  l->sent - 1 - argument % l->sent);
        break;
    case 6:
        l->now += STT_US(100) * argument;
        stt_acks_on_rate(&l->a, l->now, 1 + argument % 64, STT_MS(1 + argument));
        FUZZ_ASSERT(l->a.every >= 2);
        break;
    default:
        lend(l);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd input = rd_init(bytes_of(data, size));
    static struct life l;
    l = (struct life){.now = STT_S(1)};
    stt_acks_init(&l.a);
    while (rd_left(&input)) {
        uint8_t kind = rd_u8(&input), argument = rd_u8(&input);
        operate(&l, kind, argument);
        check(&l);
    }
    return 0;
}
