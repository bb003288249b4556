/* SPDX-License-Identifier: MIT
 * cubic: a window that grows with the cube of the time since its last reduction.
 *
 *                 plateau     ______              threshold: below it, slow start
 *      window   |  \         /                    plateau:   where the last loss was
 *               |   \  __---'                     k:         how long back to the plateau
 *               |    \/                           friendly:  what Reno would have
 *               +----'---------|------> t
 *                   epoch      k
 *
 * Whole numbers only: the same ACKs give the same windows on every machine. Times of the curve are
 * in ticks of 1/1024 s, lengths in bytes. It must not know which packets were lost, only the
 * numbers of the newest. Spec 06, "Controllers"; RFC 9438; RFC 9406. */
#include "stt/recovery/cubic.h"

enum {
    INITIAL_PACKETS = 10,
    LEAST_PACKETS = 2,
    TICKS_PER_S = 1024,
    TICKS_MAX = 1 << 18, /* 256 s: from the least window back to the greatest */

    ROUND_SAMPLES = 8,  /* of a round before it is judged ... */
    SAMPLES_OF_ACK = 4, /* ... of which one ACK counts for so many: for its packets, see below */
    CONSERVATIVE_ROUNDS = 5,
    CONSERVATIVE_DIVISOR = 4,
    DELAY_DIVISOR = 8,
};

#define DELAY_LEAST_NS STT_MS(4)
#define DELAY_MOST_NS  STT_MS(16)
#define NO_THRESHOLD   UINT64_MAX

enum phase { SLOW_START, CONSERVATIVE, AVOIDANCE };

/* What an undone reduction gives back. */
struct curve {
    uint64_t window, threshold;
    uint64_t plateau, prior; /* prior: the window before the last reduction */
    uint64_t friendly;
    uint64_t reduced_end; /* numbers below were sent before the last reduction */
    stt_ns epoch_at;
    uint32_t k;
    uint8_t phase;
    bool has_epoch;
};

/* Of HyStart++: a round ends when what was sent at its beginning is acknowledged. */
struct rounds {
    uint64_t end;
    stt_ns least, least_before, baseline;
    uint32_t samples, conservative;
};

struct cubic {
    struct curve curve, before;
    bool may_undo;
    struct rounds rounds;
    uint64_t sent_end;
    stt_ns acked_at;
    /* Acknowledged bytes that have not yet made a whole byte of growth. */
    uint64_t pending, friendly_pending;
};

_Static_assert(sizeof(struct cubic) <= sizeof((struct stt_congestion *)0)->state,
               "the state of the controller fits");

static struct cubic *cubic_of(struct stt_congestion *c)
{
    return (struct cubic *)(void *)c->state;
}

/* Twice the window in a round trip while it doubles, so that it can; then a quarter more. Before
 * the first round trip is known, the first window may go at once. */
static void publish(struct stt_congestion *c)
{
    static const uint8_t phases[] = {[SLOW_START] = STT_PHASE_SLOW_START,
                                     [CONSERVATIVE] = STT_PHASE_CONSERVATIVE_SLOW_START,
                                     [AVOIDANCE] = STT_PHASE_AVOIDANCE};
    struct curve *v = &cubic_of(c)->curve;
    v->window = stt_at_least(v->window, LEAST_PACKETS * (uint64_t)c->packet_bytes);
    v->window = stt_at_most(v->window, STT_CUBIC_WINDOW_MAX);
    uint64_t per_round_trip = v->phase == AVOIDANCE ? v->window + v->window / 4 : 2 * v->window;
    c->window_bytes = v->window;
    c->phase = phases[v->phase];
    c->rate_bytes_per_s = c->rtt->has_sample ? per_round_trip * STT_S(1) /
                                                   stt_at_least(c->rtt->smoothed, STT_RTT_LEAST_NS)
                                             : STT_UNLIMITED;
}

static void init(struct stt_congestion *c, stt_ns now)
{
    *cubic_of(c) = (struct cubic){
        .curve = {.window = INITIAL_PACKETS * (uint64_t)c->packet_bytes, .threshold = NO_THRESHOLD},
        .rounds = {.least = STT_NEVER, .least_before = STT_NEVER},
        .acked_at = now,
    };
    publish(c);
}

static void on_sent(struct stt_congestion *c, stt_ns now, uint64_t bytes, uint64_t in_flight_bytes,
                    uint64_t last_number)
{
    (void)now, (void)bytes, (void)in_flight_bytes;
    cubic_of(c)->sent_end = last_number + 1;
}

/* -- the curve ------------------------------------------------------------------------------------
 */

uint32_t stt_cubic_root(uint64_t x)
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
    return stt_cubic_root((bytes << 20) / packet_bytes * 5 / 2 << 10);
}

/* The window that the curve has, t after its beginning. */
static uint64_t curve_at(const struct curve *v, uint32_t packet_bytes, stt_ns t)
{
    uint64_t at = ticks(t);
    if (at >= v->k)
        return v->plateau + rise(at - v->k, packet_bytes);
    uint64_t below = rise(v->k - at, packet_bytes);
    return v->plateau > below ? v->plateau - below : 0;
}

static void begin_epoch(struct cubic *q, uint32_t packet_bytes, stt_ns now)
{
    struct curve *v = &q->curve;
    v->has_epoch = true;
    v->epoch_at = now;
    v->plateau = stt_at_least(v->plateau, v->window);
    v->k = time_of_rise(v->plateau - v->window, packet_bytes);
    v->friendly = v->window;
    q->pending = q->friendly_pending = 0;
}

/* Reno with this beta grows by 9/17 of a packet in a round trip, and by a whole one once it is
 * where it was: then the two have reduced equally. */
static void grow_friendly(struct cubic *q, uint32_t packet_bytes, uint64_t acked)
{
    struct curve *v = &q->curve;
    uint64_t cost = 17 * v->window;
    q->friendly_pending += acked * (v->friendly < v->prior ? 9 : 17);
    uint64_t grown = q->friendly_pending * packet_bytes / cost;
    v->friendly = stt_at_most(v->friendly + grown, STT_CUBIC_WINDOW_MAX);
    q->friendly_pending -=
        stt_at_most(q->friendly_pending, (grown * cost + packet_bytes - 1) / packet_bytes);
}

/* Towards where the curve will be in a round trip, by the share of the window that was
 * acknowledged. */
static void grow_along(struct cubic *q, uint64_t target, uint64_t acked)
{
    struct curve *v = &q->curve;
    target = stt_at_most(target, v->window + v->window / 2);
    q->pending = stt_at_most(q->pending + acked, v->window);
    uint64_t grown = target > v->window ? (target - v->window) * q->pending / v->window : 0;
    v->window += grown;
    if (grown || target <= v->window)
        q->pending = 0;
}

static void avoid(struct stt_congestion *c, stt_ns now, uint64_t acked)
{
    struct cubic *q = cubic_of(c);
    struct curve *v = &q->curve;
    if (!v->has_epoch)
        begin_epoch(q, c->packet_bytes, now);
    stt_ns t = now - v->epoch_at;
    acked = stt_at_most(acked, v->window);
    grow_friendly(q, c->packet_bytes, acked);
    if (curve_at(v, c->packet_bytes, t) < v->friendly)
        v->window = stt_at_least(v->window, v->friendly);
    else
        grow_along(q, curve_at(v, c->packet_bytes, t + c->rtt->smoothed), acked);
}

/* -- slow start -----------------------------------------------------------------------------------
 */

static void end_slow_start(struct curve *v)
{
    v->threshold = v->window;
    v->phase = AVOIDANCE;
    v->plateau = v->window; /* no loss has told where it is: the curve begins here */
    v->has_epoch = false;
}

static void begin_round(struct cubic *q)
{
    struct rounds *r = &q->rounds;
    r->end = q->sent_end;
    r->least_before = r->least;
    r->least = STT_NEVER;
    r->samples = 0;
    if (q->curve.phase == CONSERVATIVE && ++r->conservative >= CONSERVATIVE_ROUNDS)
        end_slow_start(&q->curve);
}

static bool is_delayed(const struct rounds *r)
{
    if (r->least_before == STT_NEVER)
        return false;
    stt_ns most = stt_at_least(r->least_before / DELAY_DIVISOR, DELAY_LEAST_NS);
    return r->least >= r->least_before + stt_at_most(most, DELAY_MOST_NS);
}

/* Leaves slow start when the round trips of a round are longer than those of the one before; comes
 * back when that was chance. */
static void judge_round(struct cubic *q)
{
    struct rounds *r = &q->rounds;
    if (r->samples < ROUND_SAMPLES)
        return;
    if (q->curve.phase == SLOW_START && is_delayed(r)) {
        q->curve.phase = CONSERVATIVE;
        r->baseline = r->least;
        r->conservative = 0;
    } else if (q->curve.phase == CONSERVATIVE && r->least < r->baseline) {
        q->curve.phase = SLOW_START;
    }
}

/* RFC 9406 wants 8 samples of a round. Here an ACK is for a train, and a round may have no more
 * than 4: so an ACK counts for its packets, and for half of what is wanted at most. */
static void sample_round(struct cubic *q, const struct stt_ack_sample *s, uint32_t packet_bytes)
{
    struct rounds *r = &q->rounds;
    if (s->newest_number >= r->end)
        begin_round(q);
    if (!s->rtt_ns)
        return;
    r->least = stt_at_most(r->least, s->rtt_ns);
    uint64_t packets = (s->acked_bytes + packet_bytes - 1) / packet_bytes;
    r->samples += (uint32_t)stt_at_most(packets, SAMPLES_OF_ACK);
    judge_round(q);
}

static void start(struct cubic *q, uint64_t acked)
{
    struct curve *v = &q->curve;
    v->window += v->phase == CONSERVATIVE ? acked / CONSERVATIVE_DIVISOR : acked;
    if (v->window < v->threshold)
        return;
    v->window = v->threshold;
    v->phase = AVOIDANCE;
}

/* -- what happened --------------------------------------------------------------------------------
 */

/* Not held back by the application: the path was filled, or nearly so, or what did not fill it was
 * only paced. */
static bool is_used(const struct stt_congestion *c, const struct stt_ack_sample *s)
{
    return s->in_flight_bytes + 3 * (uint64_t)c->packet_bytes >= c->window_bytes ||
           (!s->is_app_limited && s->in_flight_bytes >= c->window_bytes / 2);
}

static void on_ack(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct cubic *q = cubic_of(c);
    stt_ns since = s->now - q->acked_at;
    q->acked_at = s->now;
    if (q->curve.threshold == NO_THRESHOLD)
        sample_round(q, s, c->packet_bytes);
    if (!is_used(c, s))
        q->curve.epoch_at += since; /* the curve waits, too */
    else if (s->newest_number < q->curve.reduced_end)
        ; /* sent before the reduction: no reason to grow */
    else if (q->curve.phase == AVOIDANCE)
        avoid(c, s->now, s->acked_bytes);
    else
        start(q, s->acked_bytes);
    publish(c);
}

/* Fast convergence: who has less than he had before leaves room for others. */
static void reduce(struct stt_congestion *c)
{
    struct cubic *q = cubic_of(c);
    struct curve *v = &q->curve;
    v->plateau = v->window < v->plateau ? v->window * 17 / 20 : v->window;
    v->prior = v->window;
    v->window = stt_at_least(v->window * 7 / 10, LEAST_PACKETS * (uint64_t)c->packet_bytes);
    v->threshold = v->window;
    v->phase = AVOIDANCE;
    v->has_epoch = false;
    v->reduced_end = q->sent_end;
    publish(c);
}

static void on_lost(struct stt_congestion *c, stt_ns now, uint64_t bytes, uint64_t newest_lost,
                    stt_ns newest_sent_at)
{
    struct cubic *q = cubic_of(c);
    (void)now, (void)bytes, (void)newest_sent_at;
    if (newest_lost < q->curve.reduced_end)
        return;
    if (!c->is_continued || !q->may_undo)
        q->before = q->curve;
    q->may_undo = true;
    reduce(c);
}

static void on_ce(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct cubic *q = cubic_of(c);
    if (s->newest_number < q->curve.reduced_end)
        return;
    q->may_undo = false;
    reduce(c);
}

static void on_persistent(struct stt_congestion *c, stt_ns now)
{
    struct cubic *q = cubic_of(c);
    (void)now;
    q->may_undo = false;
    q->curve.window = LEAST_PACKETS * (uint64_t)c->packet_bytes;
    q->curve.phase = SLOW_START;
    q->curve.has_epoch = false;
    publish(c);
}

static void on_undo(struct stt_congestion *c, stt_ns now)
{
    struct cubic *q = cubic_of(c);
    (void)now;
    if (!q->may_undo)
        return;
    q->may_undo = false;
    q->before.window = stt_at_least(q->before.window, q->curve.window);
    q->curve = q->before;
    publish(c);
}

const struct stt_controller stt_cubic = {
    .name = "cubic",
    .init = init,
    .on_sent = on_sent,
    .on_ack = on_ack,
    .on_lost = on_lost,
    .on_ce = on_ce,
    .on_persistent = on_persistent,
    .on_undo = on_undo,
};
