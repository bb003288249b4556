/* SPDX-License-Identifier: MIT
 * curve: owns the growth of a window along a cube, and its reductions. Times of the curve are in
 * ticks of 1/1024 s, lengths in bytes. It must not know why a window is reduced. Spec 06,
 * "Controllers"; RFC 9438. */
#include "stt/recovery/curve.h"

#include "stt/recovery/congestion.h"

enum {
    TICKS_PER_S = 1024,
    TICKS_MAX = 1 << 18, /* 256 s: from the least window back to the greatest */
};

uint32_t stt_curve_root(uint64_t x)
{
    uint64_t root = 0;
    for (int shift = 63; shift >= 0; shift -= 3) {
        root *= 2;
        uint64_t step = 3 * root * (root + 1) + 1; /* from the cube of root to the next */
        if (x >> shift >= step) {
            x -= step << shift;
            root++;
        }
    }
    return (uint32_t)root;
}

static uint64_t ticks(stt_ns t)
{
    return stt_at_most(t, STT_S(1000)) * TICKS_PER_S / STT_S(1);
}

/* The cube of ticks is in 2^-30 s^3; C is 0.4 packets for each s^3. */
static uint64_t rise(uint64_t t, uint32_t packet_bytes)
{
    t = stt_at_most(t, TICKS_MAX);
    return ((t * t * t) >> 10) * packet_bytes * 2 / 5 >> 20;
}

static uint32_t time_of_rise(uint64_t bytes, uint32_t packet_bytes)
{
    return stt_curve_root((bytes << 20) / packet_bytes * 5 / 2 << 10);
}

/* The window that the curve has, t after its beginning. */
static uint64_t curve_at(const struct stt_curve *v, uint32_t packet_bytes, stt_ns t)
{
    uint64_t at = ticks(t);
    if (at >= v->k)
        return v->plateau + rise(at - v->k, packet_bytes);
    uint64_t below = rise(v->k - at, packet_bytes);
    return v->plateau > below ? v->plateau - below : 0;
}

static void begin_epoch(struct stt_curve *v, uint32_t packet_bytes, stt_ns now)
{
    v->has_epoch = true;
    v->epoch_at = now;
    v->plateau = stt_at_least(v->plateau, v->window);
    v->k = time_of_rise(v->plateau - v->window, packet_bytes);
    v->friendly = v->window;
    v->pending = v->friendly_pending = 0;
}

/* Reno with this beta grows by 9/17 of a packet in a round trip, and by a whole one once it is
 * where it was: then the two have reduced equally. */
static void grow_friendly(struct stt_curve *v, uint32_t packet_bytes, uint64_t acked)
{
    uint64_t cost = 17 * v->window;
    v->friendly_pending += acked * (v->friendly < v->prior ? 9 : 17);
    uint64_t grown = v->friendly_pending * packet_bytes / cost;
    v->friendly = stt_at_most(v->friendly + grown, STT_CURVE_WINDOW_MAX);
    v->friendly_pending -=
        stt_at_most(v->friendly_pending, (grown * cost + packet_bytes - 1) / packet_bytes);
}

/* Towards where the curve will be in a round trip, by the share of the window that was
 * acknowledged. */
static void grow_along(struct stt_curve *v, uint64_t target, uint64_t acked)
{
    target = stt_at_most(target, v->window + v->window / 2);
    v->pending = stt_at_most(v->pending + acked, v->window);
    uint64_t grown = target > v->window ? (target - v->window) * v->pending / v->window : 0;
    v->window += grown;
    if (grown || target <= v->window)
        v->pending = 0;
}

void stt_curve_bound(struct stt_curve *v, uint32_t packet_bytes)
{
    v->window = stt_at_least(v->window, STT_CURVE_LEAST_PACKETS * (uint64_t)packet_bytes);
    v->window = stt_at_most(v->window, STT_CURVE_WINDOW_MAX);
}

void stt_curve_begin(struct stt_curve *v, uint64_t window)
{
    v->window = v->plateau = window;
    v->has_epoch = false;
}

void stt_curve_grow(struct stt_curve *v, uint32_t packet_bytes, stt_ns now, stt_ns rtt,
                    uint64_t acked)
{
    if (!v->has_epoch)
        begin_epoch(v, packet_bytes, now);
    stt_ns t = now > v->epoch_at ? now - v->epoch_at : 0;
    acked = stt_at_most(acked, v->window);
    grow_friendly(v, packet_bytes, acked);
    if (curve_at(v, packet_bytes, t) < v->friendly)
        v->window = stt_at_least(v->window, v->friendly);
    else
        grow_along(v, curve_at(v, packet_bytes, t + rtt), acked);
    v->window = stt_at_most(v->window, STT_CURVE_WINDOW_MAX);
}

void stt_curve_wait(struct stt_curve *v, stt_ns since)
{
    v->epoch_at += since;
}

void stt_curve_reduce(struct stt_curve *v, uint32_t packet_bytes)
{
    v->plateau = v->window < v->plateau ? v->window * 17 / 20 : v->window;
    v->prior = v->window;
    v->window = stt_at_least(v->window * 7 / 10, STT_CURVE_LEAST_PACKETS * (uint64_t)packet_bytes);
    v->has_epoch = false;
}
