/* SPDX-License-Identifier: MIT
 * tcp_receiver: owns what has arrived of a TCP flow, and the acks for it.
 *
 * An ack goes out for every second segment and for the last of a burst, which the application has
 * read by then; for each of the first sixteen and for what the receive window grows for; at once
 * when something is missing or no longer is, and else after 40 ms. As long as something is missing,
 * acks after the third that says the same are held back for a twentieth of a round trip, at most a
 * millisecond, and sent as one. The application reads at once.
 *
 * Invariant: all in `early` is above `next`, and each block in `recent` lies within a range of it.
 * It must not know the sender's window. */
#include "tools/sttbench/link/tcp_receiver.h"

#include <assert.h>
#include <stdlib.h>

enum { EARLY_LEAST = 256, QUICK = 16, REPEATS = 3, HELD_MAX = 44, EVERY = 2 };
enum {
    WINDOW_FIRST = 45,
    WINDOW_FIRST_MOST = 56,
    ROUND_FIRST = 10,
    WINDOW_STEP = 2,
    RECENT_EXPECTED = 2
};
#define DELAYED_NS STT_MS(40)
#define HELD_NS    STT_MS(1)

bool tcp_receiver_init(struct tcp_receiver *r)
{
    struct stt_range *memory = calloc(EARLY_LEAST, sizeof *memory);
    *r = (struct tcp_receiver){.last = UINT64_MAX,
                               .quick = QUICK,
                               .delayed_at = STT_NEVER,
                               .held_at = STT_NEVER,
                               .greeted_at = STT_NEVER,
                               .window = WINDOW_FIRST,
                               .window_most = WINDOW_FIRST_MOST,
                               .round_n = ROUND_FIRST};
    stt_ranges_init(&r->early, memory, EARLY_LEAST);
    return memory != NULL;
}

void tcp_receiver_fini(struct tcp_receiver *r)
{
    free(r->early.at);
    r->early.at = NULL;
}

/* -- acks -------------------------------------------------------------------------------------- */

static void send_ack(struct tcp_receiver *r, stt_ns now)
{
    struct tcp_packet ack = {.kind = TCP_ACK,
                             .number = r->next,
                             .clock_ms = (uint32_t)(now / STT_MS(1)),
                             .stamp_ms = r->stamp_ms};
    ack.has_dsack = r->twice.from < r->twice.to;
    if (ack.has_dsack)
        ack.blocks[ack.n_blocks++] = r->twice;
    for (uint32_t i = 0; i < r->n_recent && ack.n_blocks < TCP_BLOCKS_MAX; i++)
        ack.blocks[ack.n_blocks++] = r->recent[i];
    r->n_acks -= r->n_acks == TCP_ACKS_MAX; /* so many at one instant: the newest says as much */
    r->acks[r->n_acks++] = ack;
    r->twice = (struct tcp_block){0, 0};
    r->told = r->next;
    r->quick -= r->quick > 0;
    r->n_held = 0;
    r->delayed_at = r->held_at = STT_NEVER;
}

static void hold_ack(struct tcp_receiver *r, stt_ns now)
{
    if (r->repeated != r->next) {
        r->repeated = r->next;
        r->n_repeats = 0;
    }
    if (r->n_held >= HELD_MAX || r->n_repeats < REPEATS) {
        r->n_repeats += r->n_repeats < REPEATS;
        send_ack(r, now);
        return;
    }
    r->n_held++;
    if (r->held_at == STT_NEVER)
        r->held_at = now + (r->rtt_ns / 20 < HELD_NS ? r->rtt_ns / 20 : HELD_NS);
}

static void acknowledge(struct tcp_receiver *r, stt_ns now, bool at_once)
{
    if (at_once || r->quick || r->next - r->told >= EVERY)
        send_ack(r, now);
    else if (!stt_ranges_is_empty(&r->early))
        hold_ack(r, now);
    else if (r->delayed_at == STT_NEVER)
        r->delayed_at = now + DELAYED_NS;
}

/* -- what arrives ------------------------------------------------------------------------------ */

static void forget_recent(struct tcp_receiver *r, uint32_t i)
{
    r->n_recent--;
    for (; i < r->n_recent; i++)
        r->recent[i] = r->recent[i + 1];
}

static void forget_recent_below(struct tcp_receiver *r, uint64_t number)
{
    for (uint32_t i = r->n_recent; i-- > 0;)
        if (r->recent[i].from <= number)
            forget_recent(r, i);
}

/* Whether it now holds the segments of both. */
static bool has_joined(struct tcp_block *block, const struct tcp_block *other)
{
    if (other->from > block->to || other->to < block->from)
        return false;
    block->from = other->from < block->from ? other->from : block->from;
    block->to = other->to > block->to ? other->to : block->to;
    return true;
}

/* Blocks that are not among the last few are forgotten, even if this one touches them: what the
 * sender was not told of them, because acks were held back or lost, it does not learn. True: an ack
 * that was held back went before, and this segment causes none. */
static bool put_recent(struct tcp_receiver *r, stt_ns now, uint64_t number)
{
    struct tcp_block block = {number, number + 1};
    uint32_t i = 0;
    while (i < r->n_recent && !has_joined(&block, &r->recent[i]))
        i++;
    bool has_sent = i >= RECENT_EXPECTED && r->n_held;
    if (has_sent)
        send_ack(r, now);
    if (i < r->n_recent)
        forget_recent(r, i);
    for (i = 0; i < r->n_recent;)
        if (has_joined(&block, &r->recent[i]))
            forget_recent(r, i);
        else
            i++;
    if (r->n_recent == TCP_RECENT_MAX)
        r->n_recent--;
    for (i = r->n_recent++; i > 0; i--)
        r->recent[i] = r->recent[i - 1];
    r->recent[0] = block;
    return has_sent;
}

static void add_early(struct stt_ranges *early, uint64_t number)
{
    if (!stt_ranges_add(early, number, number + 1))
        return;
    uint32_t capacity = early->capacity * 2;
    early->at = realloc(early->at, capacity * sizeof *early->at);
    assert(early->at && "a machine without memory is not simulated");
    early->capacity = capacity;
    int error = stt_ranges_add(early, number, number + 1);
    assert(!error);
    (void)error;
}

static void on_early(struct tcp_receiver *r, stt_ns now, uint64_t number)
{
    if (stt_ranges_contains(&r->early, number))
        r->twice = (struct tcp_block){number, number + 1};
    add_early(&r->early, number);
    if (!put_recent(r, now, number))
        acknowledge(r, now, false);
}

static void on_next(struct tcp_receiver *r, stt_ns now, bool is_pushed)
{
    bool was_missing = false;
    r->next++;
    if (r->early.n && r->early.at[0].from == r->next) {
        r->next = r->early.at[0].to;
        stt_ranges_drop_first(&r->early);
        forget_recent_below(r, r->next);
        was_missing = stt_ranges_is_empty(&r->early);
    }
    acknowledge(r, now, was_missing || is_pushed);
}

/* The kernel's receive window is twice what a round trip brings and more, as soon as that was ever
 * more than before; it grows towards that by two segments for each, and each that it grows for is
 * acknowledged at once. The window itself is never in the way here. */
static void grow_window(struct tcp_receiver *r, stt_ns now)
{
    uint64_t n = r->next - r->round_from, most;
    if (r->rtt_ns && now - r->round_at >= r->rtt_ns) {
        if (n > r->round_n) {
            most = 2 * n + 4 * n * (n - r->round_n) / r->round_n;
            r->window_most = most > r->window_most ? most : r->window_most;
            r->round_n = n;
        }
        r->round_from = r->next;
        r->round_at = now;
    }
    if (r->window >= r->window_most)
        return;
    r->window += WINDOW_STEP;
    r->quick |= 1;
}

static void on_twice(struct tcp_receiver *r, stt_ns now, uint64_t number)
{
    r->twice = (struct tcp_block){number, number + 1};
    r->quick = QUICK;
    send_ack(r, now);
}

/* What was sent later, again, has filled the gap before it came: by its stamp it may be of an old
 * connection, so it is not taken (RFC 7323, PAWS). After a loss that loses what is reordered. */
static void on_outrun(struct tcp_receiver *r, stt_ns now, uint64_t number)
{
    if (number < r->next)
        on_twice(r, now, number);
    else
        send_ack(r, now);
}

static void on_data(struct tcp_receiver *r, stt_ns now, const struct tcp_packet *p)
{
    if (!r->rtt_ns && r->greeted_at != STT_NEVER)
        r->rtt_ns = now - r->greeted_at;
    if (p->len < TCP_SEGMENT_BYTES) {
        r->last = p->number;
        r->last_less = TCP_SEGMENT_BYTES - p->len;
    }
    if (p->number <= r->told && p->clock_ms > r->stamp_ms)
        r->stamp_ms = p->clock_ms;
    if (p->clock_ms + TCP_CLOCKS_MAX < r->stamp_ms) {
        on_outrun(r, now, p->number);
        return;
    }
    grow_window(r, now);
    if (p->number > r->next) {
        on_early(r, now, p->number);
    } else if (p->number == r->next) {
        on_next(r, now, p->is_pushed);
    } else {
        on_twice(r, now, p->number);
    }
}

void tcp_receiver_on_packet(struct tcp_receiver *r, stt_ns now, const struct tcp_packet *p)
{
    if (p->kind == TCP_DATA) {
        on_data(r, now, p);
    } else if (p->kind == TCP_SYN) {
        r->greeted_at = now;
        r->acks[r->n_acks++] = (struct tcp_packet){.kind = TCP_SYN_ACK, .stamp_ms = p->clock_ms};
    }
}

void tcp_receiver_on_expired(struct tcp_receiver *r, stt_ns now)
{
    if (tcp_receiver_deadline(r) <= now)
        send_ack(r, now);
}

stt_ns tcp_receiver_deadline(const struct tcp_receiver *r)
{
    return r->delayed_at < r->held_at ? r->delayed_at : r->held_at;
}

const struct tcp_packet *tcp_receiver_take(struct tcp_receiver *r)
{
    if (r->n_taken < r->n_acks)
        return &r->acks[r->n_taken++];
    r->n_taken = r->n_acks = 0;
    return NULL;
}

uint64_t tcp_receiver_read_bytes(const struct tcp_receiver *r)
{
    return r->next * TCP_SEGMENT_BYTES - (r->next > r->last ? r->last_less : 0);
}
