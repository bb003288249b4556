/* SPDX-License-Identifier: MIT
 * tcp_board: owns the segments in flight of a TCP sender.
 *
 * Invariants: a segment is in the list, in the order of the last times they went, unless it is
 * sacked, or lost and not under way again; n_sacked, n_lost and n_resent count the flags, and
 * nothing is sacked and lost. A lost segment that goes again stays lost until it is delivered, so
 * that it is in flight once: as resent.
 *
 * It must not know windows or what happens for a loss. */
#include "tools/sttbench/link/tcp_board.h"

#include <stdlib.h>

enum { ROOM_LEAST = 256 };
#define NONE UINT64_MAX

bool tcp_board_init(struct tcp_board *b)
{
    *b = (struct tcp_board){.room = ROOM_LEAST, .earliest = NONE, .latest = NONE};
    b->ring = calloc(b->room, sizeof *b->ring);
    return b->ring != NULL;
}

void tcp_board_fini(struct tcp_board *b)
{
    free(b->ring);
    b->ring = NULL;
}

static bool grow(struct tcp_board *b)
{
    struct tcp_segment *bigger = calloc(b->room * 2, sizeof *bigger);
    if (!bigger)
        return false;
    for (uint64_t n = b->una; n < b->nxt; n++)
        bigger[n & (b->room * 2 - 1)] = *tcp_board_at(b, n);
    free(b->ring);
    b->ring = bigger;
    b->room *= 2;
    return true;
}

/* -- the order in which they went -------------------------------------------------------------- */

static void unlist(struct tcp_board *b, struct tcp_segment *s)
{
    if (!s->is_listed)
        return;
    *(s->earlier == NONE ? &b->earliest : &tcp_board_at(b, s->earlier)->later) = s->later;
    *(s->later == NONE ? &b->latest : &tcp_board_at(b, s->later)->earlier) = s->earlier;
    s->is_listed = false;
}

static void list(struct tcp_board *b, uint64_t number)
{
    struct tcp_segment *s = tcp_board_at(b, number);
    unlist(b, s);
    s->earlier = b->latest;
    s->later = NONE;
    *(b->latest == NONE ? &b->earliest : &tcp_board_at(b, b->latest)->later) = number;
    b->latest = number;
    s->is_listed = true;
}

/* Segments that went together went in the order of their numbers. */
static bool is_sent_after(uint64_t a_us, uint64_t a, uint64_t b_us, uint64_t b)
{
    return a_us > b_us || (a_us == b_us && a > b);
}

/* -- sending ----------------------------------------------------------------------------------- */

static void set_resent(struct tcp_board *b, struct tcp_segment *s, bool is_resent)
{
    b->n_resent += (uint32_t)(is_resent && !s->is_resent);
    b->n_resent -= (uint32_t)(!is_resent && s->is_resent);
    s->is_resent = is_resent;
}

static void set_lost(struct tcp_board *b, struct tcp_segment *s, bool is_lost)
{
    b->n_lost += (uint32_t)(is_lost && !s->is_lost);
    b->n_lost -= (uint32_t)(!is_lost && s->is_lost);
    s->is_lost = is_lost;
}

bool tcp_board_on_sent(struct tcp_board *b, uint64_t number, uint64_t now_us)
{
    if (number < b->nxt) {
        struct tcp_segment *s = tcp_board_at(b, number);
        set_resent(b, s, true);
        s->was_resent = true;
        s->sent_us = now_us;
        list(b, number);
        return true;
    }
    if (tcp_board_out(b) == b->room && !grow(b))
        return false;
    *tcp_board_at(b, b->nxt++) = (struct tcp_segment){.sent_us = now_us};
    list(b, number);
    return true;
}

uint64_t tcp_board_lost(struct tcp_board *b)
{
    if (b->hint < b->una)
        b->hint = b->una;
    for (; b->hint < b->nxt && b->n_lost; b->hint++) {
        const struct tcp_segment *s = tcp_board_at(b, b->hint);
        if (s->is_lost && !s->is_resent && !s->is_sacked)
            return b->hint;
    }
    return NONE;
}

/* -- what was delivered ------------------------------------------------------------------------ */

/* The answer may be to the first copy: then it says nothing of when the second arrived. */
static bool is_ambiguous(const struct tcp_news *news, const struct tcp_segment *s)
{
    return s->was_resent && (news->now_us - s->sent_us < news->rtt_min_us ||
                             news->ack->stamp_ms < s->sent_us / 1000);
}

static void deliver(struct tcp_board *b, struct tcp_news *news, uint64_t number)
{
    const struct tcp_segment *s = tcp_board_at(b, number);
    news->n_delivered++;
    if (is_ambiguous(news, s))
        return;
    b->rack_rtt_us = news->now_us - s->sent_us;
    b->has_rack_advanced = true;
    if (is_sent_after(s->sent_us, number + 1, b->rack_us, b->rack_end)) {
        b->rack_us = s->sent_us;
        b->rack_end = number + 1;
    }
}

static void note_original(const struct tcp_board *b, struct tcp_news *news, uint64_t number)
{
    news->has_original |= number < news->high;
    if (number < b->sacked_end && number < news->lowest_late)
        news->lowest_late = number;
}

static void on_sacked(struct tcp_board *b, struct tcp_news *news, uint64_t number)
{
    struct tcp_segment *s = tcp_board_at(b, number);
    if (s->is_sacked)
        return;
    if (!s->was_resent) {
        note_original(b, news, number);
        if (!news->sacked_first_us)
            news->sacked_first_us = s->sent_us;
        news->sacked_last_us = s->sent_us;
    }
    deliver(b, news, number);
    news->has_sacked = true;
    if (s->is_lost)
        set_resent(b, s, false); /* else it is believed to be under way still */
    set_lost(b, s, false);
    s->is_sacked = true;
    b->n_sacked++;
    unlist(b, s);
}

static void on_acked(struct tcp_board *b, struct tcp_news *news, uint64_t number)
{
    struct tcp_segment *s = tcp_board_at(b, number);
    if (!s->was_resent && !s->is_sacked) {
        note_original(b, news, number);
        if (!news->acked_first_us)
            news->acked_first_us = s->sent_us;
        news->acked_last_us = s->sent_us;
    }
    if (!s->is_sacked)
        deliver(b, news, number);
    news->n_acked++;
    news->has_resent |= s->was_resent;
    b->n_sacked -= (uint32_t)s->is_sacked;
    set_resent(b, s, false);
    set_lost(b, s, false);
    unlist(b, s);
}

/* Blocks are told again and again: what the last ack had is known. */
static uint64_t skip_seen(const struct tcp_board *b, uint64_t number)
{
    for (uint32_t i = 0; i < b->n_seen; i++)
        if (b->seen[i].from <= number && number < b->seen[i].to)
            return b->seen[i].to;
    return number;
}

static void on_block(struct tcp_board *b, struct tcp_news *news, const struct tcp_block *block)
{
    uint64_t to = block->to < b->nxt ? block->to : b->nxt;
    uint64_t n = block->from < b->una ? b->una : block->from;
    while ((n = skip_seen(b, n)) < to)
        on_sacked(b, news, n++);
}

static void remember_blocks(struct tcp_board *b, const struct tcp_packet *ack)
{
    b->n_seen = 0;
    for (uint32_t i = ack->has_dsack; i < ack->n_blocks; i++) {
        b->seen[b->n_seen++] = ack->blocks[i];
        if (b->sacked_end < ack->blocks[i].to)
            b->sacked_end = ack->blocks[i].to;
    }
}

void tcp_board_on_ack(struct tcp_board *b, struct tcp_news *news)
{
    const struct tcp_packet *ack = news->ack;
    uint64_t to = ack->number < b->nxt ? ack->number : b->nxt;
    news->lowest_late = NONE;
    for (uint32_t i = ack->has_dsack; i < ack->n_blocks; i++)
        on_block(b, news, &ack->blocks[i]);
    for (; b->una < to; b->una++)
        on_acked(b, news, b->una);
    remember_blocks(b, ack);
}

bool tcp_board_on_dsack(struct tcp_board *b, const struct tcp_block *block)
{
    if (block->from < b->una || block->from >= b->nxt)
        return block->from < b->una;
    struct tcp_segment *s = tcp_board_at(b, block->from);
    set_resent(b, s, false);
    return s->was_resent;
}

/* -- what is lost ------------------------------------------------------------------------------ */

static void lose(struct tcp_board *b, uint64_t number)
{
    struct tcp_segment *s = tcp_board_at(b, number);
    set_resent(b, s, false);
    set_lost(b, s, true);
    unlist(b, s);
    if (number < b->hint)
        b->hint = number;
}

uint64_t tcp_board_detect(struct tcp_board *b, uint64_t now_us, uint64_t settle_us,
                          uint32_t *n_lost)
{
    uint64_t wait_us = 0;
    for (uint64_t n = b->earliest, later; n != NONE; n = later) {
        const struct tcp_segment *s = tcp_board_at(b, n);
        later = s->later;
        if (!is_sent_after(b->rack_us, b->rack_end, s->sent_us, n + 1))
            break;
        uint64_t due_us = s->sent_us + b->rack_rtt_us + settle_us;
        if (due_us <= now_us) {
            lose(b, n);
            ++*n_lost;
        } else if (due_us - now_us > wait_us) {
            wait_us = due_us - now_us;
        }
    }
    return wait_us;
}

void tcp_board_on_timeout(struct tcp_board *b, uint64_t now_us)
{
    for (uint64_t n = b->una; n < b->nxt; n++) {
        const struct tcp_segment *s = tcp_board_at(b, n);
        if (!s->is_sacked && (n == b->una || s->sent_us + b->rack_rtt_us <= now_us))
            lose(b, n);
    }
}

void tcp_board_forget_losses(struct tcp_board *b)
{
    for (uint64_t n = b->una; n < b->nxt; n++)
        set_lost(b, tcp_board_at(b, n), false);
}
