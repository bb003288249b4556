/* SPDX-License-Identifier: MIT
 * Any history of trains, ACKs, losses and marks, in an order that can be, for every controller:
 * window and rate stay within their bounds, and the same history gives the same ones. Input: which
 * controller and the size of packets, then operations of kind 1 and argument 1. */
#include "stt/base/bytes.h"
#include "stt/recovery/bbr.h"
#include "stt/recovery/cubic.h"
#include "stt/recovery/tide.h"
#include "tests/support/fuzz.h"

enum { TRAINS = 256, OPERATIONS = 4000 };

struct train {
    stt_ns at;
    uint64_t first, end; /* packet numbers */
    uint64_t bytes, delivered;
    bool is_underfed;
};

struct world {
    struct stt_rtt rtt;
    struct stt_congestion c;
    stt_ns now, delivered_at;
    struct train trains[TRAINS]; /* in flight, as a ring */
    uint32_t first, next;
    uint64_t number, delivered, in_flight;
    uint64_t newest_lost, newest_acked;
};

static const struct stt_controller *const controllers[] = {&stt_tide, &stt_cubic, &stt_bbr,
                                                           &stt_no_congestion};

/* Of none there is no bound; so much is sent. */
#define SENT_BYTES_MAX (UINT64_C(1) << 34)
/* tide: the window itself, and what acks in bursts hold back. */
#define TIDE_BYTES (STT_CURVE_WINDOW_MAX / 4 * 9 + 2 * 65507)

static uint64_t window_most(const struct stt_congestion *c)
{
    if (c->controller == &stt_cubic)
        return STT_CURVE_WINDOW_MAX;
    return c->controller == &stt_tide ? TIDE_BYTES : STT_BBR_WINDOW_MAX;
}

static void check(const struct stt_congestion *c)
{
    if (c->controller == &stt_no_congestion) {
        FUZZ_ASSERT(c->window_bytes == STT_UNLIMITED && c->rate_bytes_per_s == STT_UNLIMITED);
        return;
    }
    FUZZ_ASSERT(c->window_bytes >= STT_CURVE_LEAST_PACKETS * (uint64_t)c->packet_bytes);
    FUZZ_ASSERT(c->window_bytes <= window_most(c));
    FUZZ_ASSERT(c->rate_bytes_per_s > 0);
    FUZZ_ASSERT(c->phase != STT_PHASE_NONE && c->phase <= STT_PHASE_TEST);
}

/* -- operations -----------------------------------------------------------------------------------
 */

static struct train *oldest(struct world *w)
{
    return &w->trains[w->first % TRAINS];
}

/* As much as the window allows, or a part of it. */
static void send(struct world *w, uint64_t parts, bool is_underfed)
{
    uint64_t window = stt_at_most(w->c.window_bytes, SENT_BYTES_MAX);
    uint64_t free = window > w->in_flight ? window - w->in_flight : 0;
    uint64_t packets = stt_at_most(free / w->c.packet_bytes * parts / 32, UINT32_MAX) + 1;
    if (w->next - w->first == TRAINS)
        return;
    struct train *t = &w->trains[w->next++ % TRAINS];
    uint64_t bytes = packets * (is_underfed ? 1 + parts : w->c.packet_bytes);
    *t = (struct train){w->now, w->number, w->number + packets, bytes, w->delivered, is_underfed};
    w->number += packets;
    w->in_flight += bytes;
    w->c.controller->on_sent(&w->c, w->now, bytes, w->in_flight, w->number - 1);
}

static uint64_t lose_trains(struct world *w, unsigned n)
{
    uint64_t bytes = 0;
    for (; n && w->next - w->first > 1; n--, w->first++) {
        bytes += oldest(w)->bytes;
        w->newest_lost = oldest(w)->end - 1;
    }
    w->in_flight -= bytes;
    return bytes;
}

static void tell_lost(struct world *w, uint64_t bytes, bool is_continued)
{
    w->c.is_continued = is_continued;
    if (bytes)
        w->c.controller->on_lost(&w->c, w->now, bytes, w->newest_lost, w->now);
}

static stt_ns sample_rtt(struct world *w, const struct train *t, bool has_sample)
{
    if (!has_sample)
        return 0;
    stt_rtt_sample(&w->rtt, w->now, w->now - t->at, 0);
    return w->rtt.latest;
}

/* The oldest train arrived, after so many that were lost. */
static void take_ack(struct world *w, unsigned n_lost, bool has_rtt, bool is_marked)
{
    uint64_t in_flight = w->in_flight, lost = lose_trains(w, n_lost);
    if (w->first == w->next)
        return;
    struct train t = *oldest(w);
    w->first++;
    w->in_flight -= t.bytes;
    w->delivered += t.bytes;
    w->newest_acked = t.end - 1;
    stt_ns rtt = sample_rtt(w, &t, has_rtt);
    stt_ns since = w->rtt.has_sample ? stt_at_least(w->now - t.at, w->rtt.min) : 0;
    struct stt_ack_sample s = {.now = w->now,
                               .acked_bytes = t.bytes,
                               .delivered_bytes = w->delivered,
                               .in_flight_bytes = in_flight,
                               .left_bytes = w->in_flight,
                               .lost_bytes = lost,
                               .interval_bytes = since ? w->delivered - t.delivered : 0,
                               .interval_ns = since,
                               .rtt_ns = rtt,
                               .newest_sent_at = t.at,
                               .newest_number = w->newest_acked,
                               .newest_delivered_bytes = t.delivered,
                               .is_app_limited = t.is_underfed,
                               .is_underfed = t.is_underfed};
    tell_lost(w, lost, false);
    w->c.controller->on_ack(&w->c, &s);
    check(&w->c);
    if (is_marked)
        w->c.controller->on_ce(&w->c, &s);
    check(&w->c);
}

static void operate(struct world *w, uint8_t kind, uint8_t arg)
{
    switch (kind % 12) {
    case 0:
        w->now += UINT64_C(1) << arg % 36; /* up to a minute */
        break;
    case 1:
        w->now += STT_US(10) * arg;
        break;
    case 2:
        w->now += STT_MS(1) * arg;
        break;
    case 3:
        send(w, arg % 32, true);
        break;
    case 4:
        take_ack(w, arg % 16, arg & 16, arg & 32);
        break;
    case 5:
        tell_lost(w, lose_trains(w, 1 + arg % 8), arg & 8);
        break;
    case 6:
        w->c.controller->on_undo(&w->c, w->now);
        break;
    case 7:
        if (arg >= 192)
            w->c.controller->on_persistent(&w->c, w->now);
        break;
    case 8:
        w->c.packet_bytes = 1200 + 251 * (uint32_t)arg;
        break;
    case 9:
    case 10:
        take_ack(w, 0, true, false);
        break;
    default:
        send(w, 1 + arg % 32, false);
    }
}

/* A sum over all windows and rates. */
static uint64_t play(struct bytes data)
{
    static struct world w;
    struct rd input = rd_init(data);
    uint8_t which = rd_u8(&input), flags = rd_u8(&input);
    uint64_t sum = 0;
    w = (struct world){.rtt = STT_RTT_INIT, .now = STT_S(1)};
    if (flags & 1)
        stt_rtt_sample(&w.rtt, w.now, STT_MS(1) * flags, 0);
    stt_congestion_init(&w.c, controllers[which % 4], &w.rtt, 1200, w.now);
    for (int n = 0; rd_left(&input) > 1 && n < OPERATIONS; n++) {
        uint8_t kind = rd_u8(&input), arg = rd_u8(&input);
        operate(&w, kind, arg);
        FUZZ_ASSERT(w.c.window_bytes > 0 && w.c.rate_bytes_per_s > 0);
        sum = sum * 31 + w.c.window_bytes + w.c.rate_bytes_per_s;
    }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes input = bytes_of(data, size);
    FUZZ_ASSERT(play(input) == play(input));
    return 0;
}
