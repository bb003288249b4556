/* SPDX-License-Identifier: MIT
 * tcp_cubic: owns window and threshold of a TCP flow.
 *
 * The window follows w(t) = origin + C (t - K)^3 or Reno's line, whichever is higher, by counting
 * how many packets have to be acknowledged for one more. C is 410/1024 of a packet per cubic
 * second; what a loss leaves is 717/1024. Slow start ends when a round's delays rise (HyStart), or
 * when its acks, one close behind the other, have come for half of the least delay.
 *
 * It must not know what is in flight or lost. */
#include "tools/sttbench/link/tcp_cubic.h"

enum {
    LEFT = 717, /* of 1024, after a loss */
    SCALE = 1024,
    CUBE = 410,         /* C, of 1024 */
    FRIENDLY = 15,      /* eighths: acked windows for one packet more, as Reno with 717/1024 */
    EARLY_FOR_ONE = 20, /* at most, as long as there was no loss */
    HYSTART_LOW = 16,   /* packets */
    HYSTART_GAP_US = 2000,
    HYSTART_SAMPLES = 8,
    HYSTART_LEAST_US = 4000,
    HYSTART_MOST_US = 16000,
    BURST_BYTES = 65536, /* what a sender hands over at once, at most */
    OFFSET_MAX = 1 << 18,
};

static uint64_t jiffy_of(uint64_t now_us)
{
    return now_us / TCP_JIFFY_US;
}

static uint32_t cubic_root(uint64_t a)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 20; bit; bit >>= 1)
        if ((root + bit) * (root + bit) * (root + bit) <= a)
            root += bit;
    return (uint32_t)root;
}

static void begin_round(struct tcp_cubic *c, uint64_t now_us, uint64_t nxt)
{
    c->round_us = c->train_us = now_us;
    c->round_end = nxt;
    c->round_rtt_us = UINT64_MAX;
    c->round_samples = 0;
}

void tcp_cubic_init(struct tcp_cubic *c, uint64_t now_us)
{
    *c = (struct tcp_cubic){.window = TCP_INITIAL_WINDOW, .threshold = TCP_THRESHOLD_NONE};
    begin_round(c, now_us, 0);
}

void tcp_cubic_on_timeout(struct tcp_cubic *c, uint64_t now_us, uint64_t nxt)
{
    *c = (struct tcp_cubic){.window = c->window, .threshold = c->threshold};
    begin_round(c, now_us, nxt);
}

/* -- HyStart ----------------------------------------------------------------------------------- */

static void leave(struct tcp_cubic *c)
{
    c->has_left = true;
    c->threshold = c->window;
}

/* Acks that follow each other closely have been under way together: as long as they take to come,
 * so much of the path is filled. */
static void look_at_train(struct tcp_cubic *c, uint64_t now_us, uint64_t rate_bytes_per_s)
{
    if (now_us - c->train_us > HYSTART_GAP_US)
        return;
    c->train_us = now_us;
    uint64_t burst_us = rate_bytes_per_s ? UINT64_C(4000000) * BURST_BYTES / rate_bytes_per_s : 0;
    uint64_t limit_us = (c->delay_min_us + (burst_us < 1000 ? burst_us : 1000)) / 2;
    if (now_us - c->round_us > limit_us)
        leave(c);
}

static void look_at_delay(struct tcp_cubic *c, uint64_t delay_us)
{
    if (delay_us < c->round_rtt_us)
        c->round_rtt_us = delay_us;
    if (c->round_samples < HYSTART_SAMPLES) {
        c->round_samples++;
        return;
    }
    uint64_t more_us = c->delay_min_us / 8;
    more_us = more_us < HYSTART_LEAST_US ? HYSTART_LEAST_US : more_us;
    more_us = more_us > HYSTART_MOST_US ? HYSTART_MOST_US : more_us;
    if (c->round_rtt_us > c->delay_min_us + more_us)
        leave(c);
}

void tcp_cubic_on_delay(struct tcp_cubic *c, uint64_t now_us, uint64_t delay_us,
                        const struct tcp_progress *progress)
{
    if (c->has_epoch && jiffy_of(now_us) - c->epoch_jiffy < TCP_HZ)
        return; /* right after a recovery it says little */
    if (!delay_us)
        delay_us = 1;
    if (!c->delay_min_us || delay_us < c->delay_min_us)
        c->delay_min_us = delay_us;
    if (c->has_left || !tcp_cubic_is_doubling(c))
        return;
    if (progress->una > c->round_end)
        begin_round(c, now_us, progress->nxt);
    if (c->window < HYSTART_LOW)
        return;
    look_at_train(c, now_us, progress->rate_bytes_per_s);
    look_at_delay(c, delay_us);
}

/* -- growth ------------------------------------------------------------------------------------ */

static void begin_epoch(struct tcp_cubic *c, uint64_t jiffy, uint32_t packets)
{
    c->has_epoch = true;
    c->epoch_jiffy = jiffy;
    c->friendly_acked = packets;
    c->friendly_window = c->window;
    bool is_below = c->window < c->max_window;
    c->origin = is_below ? c->max_window : c->window;
    c->k = is_below ? cubic_root((UINT64_C(1) << 40) / CUBE * (c->max_window - c->window)) : 0;
}

/* The window that is due a round trip from now. */
static uint32_t target(const struct tcp_cubic *c, uint64_t jiffy)
{
    uint64_t jiffies = jiffy - c->epoch_jiffy + (c->delay_min_us + TCP_JIFFY_US - 1) / TCP_JIFFY_US;
    uint64_t t = jiffies * SCALE / TCP_HZ, offset = t < c->k ? c->k - t : t - c->k;
    offset = offset < OFFSET_MAX ? offset : OFFSET_MAX;
    uint32_t by = (uint32_t)(CUBE * offset * offset * offset >> 40);
    if (t >= c->k)
        return c->origin + by;
    return by < c->origin ? c->origin - by : 0;
}

static void follow_cubic(struct tcp_cubic *c, uint64_t jiffy, uint32_t packets)
{
    c->updated_window = c->window;
    c->updated_jiffy = jiffy;
    if (!c->has_epoch)
        begin_epoch(c, jiffy, packets);
    uint32_t due = target(c, jiffy);
    c->packets_for_one = due > c->window ? c->window / (due - c->window) : 100 * c->window;
    if (!c->max_window && c->packets_for_one > EARLY_FOR_ONE)
        c->packets_for_one = EARLY_FOR_ONE;
}

static void follow_reno(struct tcp_cubic *c)
{
    uint32_t for_one = (uint32_t)((uint64_t)c->window * FRIENDLY / 8);
    while (c->friendly_acked > for_one) {
        c->friendly_acked -= for_one;
        c->friendly_window++;
    }
    if (c->friendly_window > c->window) {
        uint32_t most = c->window / (c->friendly_window - c->window);
        if (c->packets_for_one > most)
            c->packets_for_one = most;
    }
}

static void update(struct tcp_cubic *c, uint64_t now_us, uint32_t packets)
{
    uint64_t jiffy = jiffy_of(now_us);
    c->friendly_acked += packets;
    if (c->updated_window == c->window && jiffy - c->updated_jiffy <= TCP_HZ / 32)
        return;
    if (!c->has_epoch || jiffy != c->updated_jiffy)
        follow_cubic(c, jiffy, packets);
    follow_reno(c);
    if (c->packets_for_one < 2)
        c->packets_for_one = 2;
}

void tcp_cubic_on_acked(struct tcp_cubic *c, uint64_t now_us, uint32_t packets)
{
    if (tcp_cubic_is_doubling(c)) {
        uint32_t room = c->threshold - c->window, by = packets < room ? packets : room;
        c->window += by;
        packets -= by;
        if (!packets)
            return;
    }
    update(c, now_us, packets);
    if (c->credit >= c->packets_for_one) {
        c->credit = 0;
        c->window++;
    }
    c->credit += packets;
    c->window += c->credit / c->packets_for_one;
    c->credit %= c->packets_for_one;
}

void tcp_cubic_on_loss(struct tcp_cubic *c)
{
    c->has_epoch = false;
    bool came_early = c->window < c->max_window; /* somebody else needs room */
    c->max_window = c->window;
    if (came_early)
        c->max_window = (uint32_t)((uint64_t)c->window * (SCALE + LEFT) / (2 * SCALE));
    c->threshold = (uint32_t)((uint64_t)c->window * LEFT / SCALE);
    if (c->threshold < 2)
        c->threshold = 2;
    c->credit = 0;
}
