/* SPDX-License-Identifier: MIT
 * acks: a bounded set of ranges and one deadline. Cost is in ranges, never in history: when the
 * set is full its lowest range is forgotten, and what was in it is sent again by the peer. It must
 * not know what is in flight, nor on which path. Spec 06, "Acks: the receiver's side". */
#include "stt/recovery/acks.h"

#include "stt/wire/limits.h"

#include <string.h>

enum { EVERY_LEAST = 2 };

void stt_acks_init(struct stt_acks *a)
{
    *a = (struct stt_acks){.due_at = STT_NEVER, .every = EVERY_LEAST, .told_in = STT_ACKS_NONE};
    stt_ranges_init(&a->received, a->memory, STT_ACKS_RANGES);
}

static void move_to(struct stt_acks *a, struct stt_range *memory, uint32_t capacity)
{
    struct stt_ranges old = a->received;
    uint32_t n = old.n < capacity ? old.n : capacity;
    stt_ranges_init(&a->received, memory, capacity);
    if (n)
        memcpy(memory, old.at + (old.n - n), n * sizeof *memory);
    a->received.n = n;
}

void stt_acks_lend(struct stt_acks *a, struct stt_range *memory)
{
    move_to(a, memory, STT_ACK_RANGES_MAX);
}

void stt_acks_take_back(struct stt_acks *a)
{
    move_to(a, a->memory, STT_ACKS_RANGES);
}

/* Late numbers never take the place of later ones. */
static void add(struct stt_acks *a, uint64_t from, uint64_t to)
{
    if (stt_ranges_add(&a->received, from, to) == STT_OK || from < a->received.at[0].from)
        return;
    stt_ranges_drop_first(&a->received);
    (void)!stt_ranges_add(&a->received, from, to); /* room for one was just made */
}

/* Whether something is missing below this number, back to the last one that wanted an answer. */
static bool is_out_of_order(const struct stt_acks *a, uint64_t number)
{
    return number < a->eliciting_end ||
           stt_ranges_first_gap(&a->received, a->eliciting_end).from < number;
}

void stt_acks_on_run(struct stt_acks *a, stt_ns now, const struct stt_acks_run *run,
                     stt_ns delay_ns)
{
    if (run->to > stt_ranges_end(&a->received))
        a->largest_at = now;
    add(a, run->from, run->to);
    if (run->from < a->told_below)
        a->told_below = run->from; /* the ACK on its way does not name it */
    if (!run->eliciting)
        return;
    a->unacked += run->eliciting;
    bool at_once = is_out_of_order(a, run->from) || a->unacked >= a->every;
    stt_ns due = at_once ? now : now + delay_ns;
    a->due_at = due < a->due_at ? due : a->due_at;
    if (run->eliciting_end > a->eliciting_end)
        a->eliciting_end = run->eliciting_end;
}

/* From one ACK to the next: a quarter of a round trip; where that is less than two trains may take,
 * half of one. */
static stt_ns apart(stt_ns smoothed_rtt)
{
    stt_ns quarter = smoothed_rtt / 4, half = smoothed_rtt / 2;
    if (quarter >= STT_ACK_APART_NS)
        return quarter;
    return half < STT_ACK_APART_NS ? half : STT_ACK_APART_NS;
}

void stt_acks_on_rate(struct stt_acks *a, stt_ns now, uint32_t eliciting, stt_ns smoothed_rtt)
{
    stt_ns passed = now - a->round_at;
    a->in_round += eliciting;
    if (!passed || passed < smoothed_rtt)
        return;
    uint64_t share = a->in_round * apart(smoothed_rtt) / passed;
    a->every = share < EVERY_LEAST ? EVERY_LEAST : (uint32_t)share;
    a->in_round = 0;
    a->round_at = now;
}

uint64_t stt_acks_encode(struct stt_acks *a, stt_ns now, const struct frame_ecn *ecn, struct wr *w)
{
    uint64_t delay_us = (now - a->largest_at) / STT_US(1);
    size_t n = stt_frame_ack_encode(w, a->received.at, a->received.n, delay_us, ecn);
    a->names_all = n == a->received.n;
    return n ? stt_ranges_end(&a->received) : 0;
}

void stt_acks_on_sent(struct stt_acks *a, uint64_t number, bool elicits)
{
    a->unacked = 0;
    a->due_at = STT_NEVER;
    a->alone = elicits ? 0 : a->alone + 1;
    if (!elicits || !a->names_all || a->told_in != STT_ACKS_NONE)
        return;
    a->told_in = number;
    a->told_below = stt_ranges_end(&a->received);
}

/* The highest range stays: it says what is expected next. */
static void forget_below(struct stt_acks *a, uint64_t number)
{
    while (a->received.n > 1 && a->received.at[0].to <= number)
        stt_ranges_drop_first(&a->received);
}

void stt_acks_on_acked(struct stt_acks *a, uint64_t number)
{
    if (number != a->told_in)
        return;
    forget_below(a, a->told_below);
    a->told_in = STT_ACKS_NONE;
}

void stt_acks_on_lost(struct stt_acks *a, uint64_t number)
{
    if (number == a->told_in)
        a->told_in = STT_ACKS_NONE;
}
