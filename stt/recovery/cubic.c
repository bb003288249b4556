/* SPDX-License-Identifier: MIT
 * cubic: slow start by HyStart++, then the curve.
 *
 * Invariant: the same ACKs give the same windows on every machine. It must not know which packets
 * were lost, only the numbers of the newest. Spec 06, "Controllers"; RFC 9438; RFC 9406. */
#include "stt/recovery/cubic.h"

enum {
    INITIAL_PACKETS = 10,

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
struct grown {
    struct stt_curve curve;
    uint64_t threshold;
    uint64_t reduced_end; /* numbers below were sent before the last reduction */
    uint8_t phase;
};

/* Of HyStart++: a round ends when what was sent at its beginning is acknowledged. */
struct rounds {
    uint64_t end;
    stt_ns least, least_before, baseline;
    uint32_t samples, conservative;
};

struct cubic {
    struct grown grown, before;
    bool may_undo;
    struct rounds rounds;
    uint64_t sent_end;
    stt_ns acked_at;
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
    struct grown *g = &cubic_of(c)->grown;
    stt_curve_bound(&g->curve, c->packet_bytes);
    uint64_t window = g->curve.window;
    uint64_t per_round_trip = g->phase == AVOIDANCE ? window + window / 4 : 2 * window;
    c->window_bytes = window;
    c->phase = phases[g->phase];
    c->rate_bytes_per_s = c->rtt->has_sample ? per_round_trip * STT_S(1) /
                                                   stt_at_least(c->rtt->smoothed, STT_RTT_LEAST_NS)
                                             : STT_UNLIMITED;
}

static void init(struct stt_congestion *c, stt_ns now)
{
    *cubic_of(c) = (struct cubic){
        .grown = {.curve = {.window = INITIAL_PACKETS * (uint64_t)c->packet_bytes},
                  .threshold = NO_THRESHOLD},
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

/* -- slow start -----------------------------------------------------------------------------------
 */

static void end_slow_start(struct grown *g)
{
    g->threshold = g->curve.window;
    g->phase = AVOIDANCE;
    stt_curve_begin(&g->curve, g->curve.window);
}

static void begin_round(struct cubic *q)
{
    struct rounds *r = &q->rounds;
    r->end = q->sent_end;
    r->least_before = r->least;
    r->least = STT_NEVER;
    r->samples = 0;
    if (q->grown.phase == CONSERVATIVE && ++r->conservative >= CONSERVATIVE_ROUNDS)
        end_slow_start(&q->grown);
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
    if (q->grown.phase == SLOW_START && is_delayed(r)) {
        q->grown.phase = CONSERVATIVE;
        r->baseline = r->least;
        r->conservative = 0;
    } else if (q->grown.phase == CONSERVATIVE && r->least < r->baseline) {
        q->grown.phase = SLOW_START;
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
    struct grown *g = &q->grown;
    g->curve.window += g->phase == CONSERVATIVE ? acked / CONSERVATIVE_DIVISOR : acked;
    if (g->curve.window < g->threshold)
        return;
    g->curve.window = g->threshold;
    g->phase = AVOIDANCE;
}

/* -- what happened --------------------------------------------------------------------------------
 */

static void on_ack(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct cubic *q = cubic_of(c);
    stt_ns since = s->now - q->acked_at;
    q->acked_at = s->now;
    if (q->grown.threshold == NO_THRESHOLD)
        sample_round(q, s, c->packet_bytes);
    if (!stt_is_window_used(c, s))
        stt_curve_wait(&q->grown.curve, since);
    else if (s->newest_number < q->grown.reduced_end)
        ; /* sent before the reduction: no reason to grow */
    else if (q->grown.phase == AVOIDANCE)
        stt_curve_grow(&q->grown.curve, c->packet_bytes, s->now, c->rtt->smoothed, s->acked_bytes);
    else
        start(q, s->acked_bytes);
    publish(c);
}

static void reduce(struct stt_congestion *c)
{
    struct cubic *q = cubic_of(c);
    struct grown *g = &q->grown;
    stt_curve_reduce(&g->curve, c->packet_bytes);
    g->threshold = g->curve.window;
    g->phase = AVOIDANCE;
    g->reduced_end = q->sent_end;
    publish(c);
}

static void on_lost(struct stt_congestion *c, stt_ns now, uint64_t bytes, uint64_t newest_lost,
                    stt_ns newest_sent_at)
{
    struct cubic *q = cubic_of(c);
    (void)now, (void)bytes, (void)newest_sent_at;
    if (newest_lost < q->grown.reduced_end)
        return;
    if (!c->is_continued || !q->may_undo)
        q->before = q->grown;
    q->may_undo = true;
    reduce(c);
}

static void on_ce(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct cubic *q = cubic_of(c);
    if (s->newest_number < q->grown.reduced_end)
        return;
    q->may_undo = false;
    reduce(c);
}

static void on_persistent(struct stt_congestion *c, stt_ns now)
{
    struct cubic *q = cubic_of(c);
    (void)now;
    q->may_undo = false;
    q->grown.curve.window = STT_CURVE_LEAST_PACKETS * (uint64_t)c->packet_bytes;
    q->grown.phase = SLOW_START;
    q->grown.curve.has_epoch = false;
    publish(c);
}

static void on_undo(struct stt_congestion *c, stt_ns now)
{
    struct cubic *q = cubic_of(c);
    (void)now;
    if (!q->may_undo)
        return;
    q->may_undo = false;
    uint64_t window = q->grown.curve.window;
    q->grown = q->before;
    q->grown.curve.window = stt_at_least(q->grown.curve.window, window);
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
