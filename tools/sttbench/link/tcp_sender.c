/* SPDX-License-Identifier: MIT
 * tcp_sender: owns a sending flow: connecting, its alarms, and what goes out.
 *
 * Acks clock everything; nothing is paced. What the window allows goes out in bursts of a
 * millisecond's packets, two at least: while the window allows less than that, and less than a
 * third of it, and another burst went less than a millisecond ago, it waits for more acks.
 *
 * Times are microseconds, as the kernel's. It must not know why something is lost. */
#include "tools/sttbench/link/tcp_sender.h"

#include "tools/sttbench/link/tcp_recovery.h"

#include <assert.h>
#include <stdlib.h>

enum { RUNS_LEAST = 64, BURST_LEAST = 2, BURST_BYTES_MAX = 65536, BURST_SHARE = 3 };
enum { BURST_US = 1000, NEAR_SHIFT = 9 };

bool tcp_sender_init(struct tcp_sender *s, uint64_t until_us, uint64_t bytes)
{
    *s = (struct tcp_sender){.until_us = until_us ? until_us : UINT64_MAX,
                             .bytes = bytes,
                             .out_room = RUNS_LEAST,
                             .reordering = 3,
                             .settle_steps = 1};
    s->end = bytes ? (bytes + TCP_SEGMENT_BYTES - 1) / TCP_SEGMENT_BYTES : UINT64_MAX;
    s->out = calloc(s->out_room, sizeof *s->out);
    tcp_rtt_init(&s->rtt);
    return tcp_board_init(&s->board) && s->out;
}

void tcp_sender_fini(struct tcp_sender *s)
{
    tcp_board_fini(&s->board);
    free(s->out);
    s->out = NULL;
}

/* -- what goes out ----------------------------------------------------------------------------- */

uint32_t tcp_sender_len(const struct tcp_sender *s, uint64_t number)
{
    if (!s->bytes || number + 1 < s->end)
        return TCP_SEGMENT_BYTES;
    uint64_t before = number * TCP_SEGMENT_BYTES;
    return s->bytes - before < TCP_SEGMENT_BYTES ? (uint32_t)(s->bytes - before)
                                                 : TCP_SEGMENT_BYTES;
}

static void put_out(struct tcp_sender *s, uint64_t from, uint64_t n)
{
    if (s->n_out == s->out_room) {
        s->out_room *= 2;
        s->out = realloc(s->out, s->out_room * sizeof *s->out);
        assert(s->out && "a machine without memory is not simulated");
    }
    s->out[s->n_out++] = (struct tcp_run){from, n, n > 1};
}

/* One burst. */
static void send(struct tcp_sender *s, uint64_t now_us, uint64_t from, uint64_t n)
{
    bool has_memory = true;
    for (uint64_t i = 0; i < n && has_memory; i++)
        has_memory = tcp_board_on_sent(&s->board, from + i, now_us);
    assert(has_memory && "a machine without memory is not simulated");
    put_out(s, from, n);
    s->sent += n;
    s->written_us = now_us;
    if (s->phase == TCP_RECOVERY)
        s->reduced_out += n;
}

bool tcp_sender_take(struct tcp_sender *s, struct tcp_packet *p, uint64_t now_us)
{
    if (!s->is_connected) {
        bool greets = s->alarm == TCP_ALARM_NONE && !s->is_ended;
        if (!greets)
            return false;
        *p = (struct tcp_packet){.kind = TCP_SYN, .clock_ms = (uint32_t)(now_us / 1000)};
        tcp_sender_set_alarm(s, TCP_ALARM_CONNECT,
                             now_us + ((uint64_t)TCP_RTO_FIRST_US << s->greetings));
        s->greetings += s->greetings < 6;
        s->written_us = now_us;
        return true;
    }
    if (s->n_taken == s->n_out) {
        s->n_taken = s->n_out = 0;
        return false;
    }
    struct tcp_run *run = &s->out[s->n_taken];
    *p = (struct tcp_packet){.kind = TCP_DATA,
                             .number = run->from,
                             .clock_ms = (uint32_t)(now_us / 1000),
                             .len = tcp_sender_len(s, run->from),
                             .is_pushed = run->is_pushed && run->n == 1};
    run->from++;
    s->n_taken += --run->n == 0;
    return true;
}

bool tcp_sender_has_more(const struct tcp_sender *s, uint64_t now_us)
{
    return s->board.nxt < s->end && now_us < s->until_us;
}

/* -- alarms ------------------------------------------------------------------------------------ */

void tcp_sender_set_alarm(struct tcp_sender *s, enum tcp_alarm alarm, uint64_t at_us)
{
    s->alarm = alarm;
    s->alarm_us = at_us;
}

/* When the first in flight will have waited for the timeout. */
static uint64_t timeout_us(const struct tcp_sender *s, uint64_t now_us)
{
    uint64_t at_us = tcp_board_at(&s->board, s->board.una)->sent_us + s->rtt.rto_us;
    return at_us > now_us ? at_us : now_us + 1;
}

static void set_plain_timeout(struct tcp_sender *s, uint64_t now_us)
{
    if (!tcp_board_out(&s->board)) {
        tcp_sender_set_alarm(s, TCP_ALARM_NONE, UINT64_MAX);
        return;
    }
    bool was_other = s->alarm == TCP_ALARM_SETTLE || s->alarm == TCP_ALARM_PROBE;
    tcp_sender_set_alarm(s, TCP_ALARM_TIMEOUT,
                         was_other ? timeout_us(s, now_us) : now_us + s->rtt.rto_us);
}

static bool set_probe(struct tcp_sender *s, uint64_t now_us, bool has_advanced)
{
    if (s->phase != TCP_OPEN || !tcp_board_out(&s->board))
        return false;
    uint64_t at_us = now_us + tcp_rtt_smoothed_us(&s->rtt) * 2;
    at_us += tcp_board_out(&s->board) == 1 ? TCP_RTO_LEAST_US : 2 * TCP_JIFFY_US;
    uint64_t most_us = has_advanced ? now_us + s->rtt.rto_us : timeout_us(s, now_us);
    tcp_sender_set_alarm(s, TCP_ALARM_PROBE, at_us < most_us ? at_us : most_us);
    return true;
}

void tcp_sender_set_timeout(struct tcp_sender *s, uint64_t now_us)
{
    if (!set_probe(s, now_us, true))
        set_plain_timeout(s, now_us);
}

/* -- bursts ------------------------------------------------------------------------------------ */

static uint64_t burst(const struct tcp_sender *s)
{
    uint64_t bytes = s->rate_bytes_per_s / 1024, nearness = s->rtt.least_us >> NEAR_SHIFT;
    if (nearness < 32)
        bytes += (uint64_t)BURST_BYTES_MAX >> nearness;
    bytes = bytes < BURST_BYTES_MAX ? bytes : BURST_BYTES_MAX;
    uint64_t n = bytes / TCP_SEGMENT_BYTES;
    return n > BURST_LEAST ? n : BURST_LEAST;
}

static uint64_t left(const struct tcp_sender *s, uint64_t now_us)
{
    return tcp_sender_has_more(s, now_us) ? s->end - s->board.nxt : 0;
}

/* Whether it is worth waiting for more acks than have come. */
static bool should_wait(const struct tcp_sender *s, uint64_t now_us, uint64_t room)
{
    const struct tcp_board *b = &s->board;
    if (s->phase >= TCP_RECOVERY || now_us - s->written_us > BURST_US || room >= burst(s) ||
        room >= s->cubic.window / BURST_SHARE || left(s, now_us) <= room || b->una == b->nxt)
        return false;
    return now_us - tcp_board_at(b, b->una)->sent_us >= tcp_rtt_smoothed_us(&s->rtt) / 2;
}

/* Whether the window is used; an ack lets it grow only then. */
static void note_usage(struct tcp_sender *s, bool is_limited)
{
    uint64_t out = tcp_board_out(&s->board);
    if (s->board.una < s->usage_end && !is_limited && (s->is_limited || out <= s->out_max))
        return;
    s->is_limited = is_limited;
    s->out_max = out;
    s->usage_end = s->board.nxt;
}

void tcp_sender_send_new(struct tcp_sender *s, uint64_t now_us, bool is_probe)
{
    uint64_t n_sent = 0, window = s->cubic.window, half = window > 1 ? window / 2 : 1;
    bool was_idle = !tcp_board_out(&s->board), is_limited = false;
    while (left(s, now_us)) {
        uint64_t used = tcp_board_in_flight(&s->board), room = window > used ? window - used : 0;
        room = is_probe ? 1 : room;
        is_limited = !is_probe && room && should_wait(s, now_us, room);
        if (!room || is_limited || (is_probe && n_sent))
            break;
        room = room < half ? room : half;
        uint64_t n = burst(s) < room ? burst(s) : room;
        n = n < left(s, now_us) ? n : left(s, now_us);
        send(s, now_us, s->board.nxt, n);
        n_sent += n;
    }
    is_limited |= tcp_board_in_flight(&s->board) >= window;
    if (n_sent || is_limited)
        note_usage(s, is_limited);
    if (!n_sent)
        return;
    if (was_idle || s->alarm == TCP_ALARM_PROBE)
        set_plain_timeout(s, now_us);
    if (!is_probe)
        set_probe(s, now_us, false);
}

void tcp_sender_send_again(struct tcp_sender *s, uint64_t now_us, uint64_t number)
{
    send(s, now_us, number, 1);
    s->resent++;
    if (!s->resent_first_us)
        s->resent_first_us = now_us;
    s->undo_copies = s->undo_copies < 0 ? 1 : s->undo_copies + 1;
}

void tcp_sender_send_lost(struct tcp_sender *s, uint64_t now_us)
{
    bool has_first = false;
    for (uint64_t n; tcp_board_in_flight(&s->board) < s->cubic.window &&
                     (n = tcp_board_lost(&s->board)) != UINT64_MAX;) {
        tcp_sender_send_again(s, now_us, n);
        has_first |= n == s->board.una;
    }
    if (has_first && s->alarm != TCP_ALARM_SETTLE)
        tcp_sender_set_alarm(s, TCP_ALARM_TIMEOUT, now_us + s->rtt.rto_us);
}

/* -- what happens ------------------------------------------------------------------------------ */

static void on_connected(struct tcp_sender *s, uint64_t now_us)
{
    s->is_connected = true;
    s->connected_us = now_us;
    tcp_sender_set_alarm(s, TCP_ALARM_NONE, UINT64_MAX);
    tcp_cubic_init(&s->cubic, now_us);
    if (s->greetings == 1) {
        s->rtt.least_us = now_us - s->written_us;
        tcp_rtt_on_sample(&s->rtt, s->rtt.least_us, 0, 0);
    }
    tcp_sender_send_new(s, now_us, false);
}

/* Whether others that were sent later came before it: such an ack is not looked at, unless it may
 * be one of many that say the same (RFC 7323, PAWS). What only it said of segments is lost. */
static bool is_outrun(struct tcp_sender *s, const struct tcp_packet *ack)
{
    if (ack->clock_ms >= s->heard_ms) {
        s->heard_ms = ack->clock_ms;
        return false;
    }
    return ack->clock_ms + TCP_CLOCKS_MAX < s->heard_ms && ack->number != s->board.una;
}

void tcp_sender_on_packet(struct tcp_sender *s, uint64_t now_us, const struct tcp_packet *p)
{
    if (p->kind == TCP_SYN_ACK && !s->is_connected)
        on_connected(s, now_us);
    if (p->kind != TCP_ACK || !s->is_connected || s->is_ended || is_outrun(s, p))
        return;
    tcp_recovery_on_ack(s, now_us, p);
    s->is_ended = !tcp_board_out(&s->board) && !tcp_sender_has_more(s, now_us);
    if (s->is_ended) {
        s->ended_us = now_us;
        tcp_sender_set_alarm(s, TCP_ALARM_NONE, UINT64_MAX);
    }
}

static void on_probe(struct tcp_sender *s, uint64_t now_us)
{
    uint64_t nxt = s->board.nxt;
    if (!s->probe_end) {
        tcp_sender_send_new(s, now_us, true);
        s->is_probe_copy = s->board.nxt == nxt;
        if (s->is_probe_copy)
            tcp_sender_send_again(s, now_us, nxt - 1);
        s->probe_end = s->board.nxt;
    }
    s->alarm = TCP_ALARM_NONE;
    set_plain_timeout(s, now_us);
}

static void on_settled(struct tcp_sender *s, uint64_t now_us)
{
    tcp_recovery_on_settled(s, now_us);
    if (s->alarm != TCP_ALARM_TIMEOUT)
        set_plain_timeout(s, now_us);
}

void tcp_sender_on_expired(struct tcp_sender *s, uint64_t now_us)
{
    enum tcp_alarm alarm = s->alarm;
    if (s->alarm_us > now_us)
        return;
    if (alarm == TCP_ALARM_PROBE)
        on_probe(s, now_us);
    else if (alarm == TCP_ALARM_SETTLE)
        on_settled(s, now_us);
    else if (alarm == TCP_ALARM_TIMEOUT)
        tcp_recovery_on_timeout(s, now_us);
    else
        tcp_sender_set_alarm(s, TCP_ALARM_NONE, UINT64_MAX); /* the next greeting goes */
}
