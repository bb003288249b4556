/* SPDX-License-Identifier: MIT
 * tide: a controller that asks whose queue it is.
 *
 *     STARTUP ---> SETTLE ---> ALONE <---> DRAIN          the queue is what we hold there
 *      doubles      how fast    |  ^        sees the path without a queue
 *                   is it?      v  |
 *                        OPEN   |  TEST                   do we empty it by holding less?
 *                 takes a share |  |
 *                            COMPETE                      somebody else's: as CUBIC does
 *
 * Alone, the window is moved each round trip so that a short queue stays, the shorter the faster we
 * are: then all who do so get the same. A queue that stays although we yield is somebody else's,
 * and is met with CUBIC's curve. Losses are told from chance by the queue that they came with, and
 * by how many chance explains.
 *
 * Whole numbers only: the same ACKs give the same windows on every machine. It must not know which
 * packets were lost, only how many bytes, and the number of the newest. Spec 06, "tide". */
#include "stt/recovery/tide.h"

enum {
    INITIAL_PACKETS = 10,
    FULL_ROUNDS = 3,
    LONG_SAMPLES = 2,  /* in a row: not by chance */
    LEAP = 4,          /* times what our window can make of a queue: a longer path */
    CALM_SAMPLES = 3,  /* of a round that tells how much they differ */
    FLOOD_PACKETS = 8, /* and this part of a round trip's: startup ends */
    FLOOD_PART = 4,
    RAISED_ROUNDS = 6, /* of a queue that is much too long, although we yield */
    CUT_ROUNDS = 3,    /* of them in which we yield more */
    HELD_ROUNDS = 100, /* of one that is somewhat too long ... */
    NEW_ROUNDS = 12,   /* ... for who has hardly seen it shorter yet: not so often */
    KNOWN_ROUNDS = 8,
    LEAST_ROUNDS = 16, /* ... for who has yielded as much as he does */
    QUIET_ROUNDS = 6,
    TEST_ROUNDS = 3,    /* the one in which it begins is not whole */
    STEP_PART = 8,      /* of the window in a round trip, at most */
    BOOST_MAX = 8,      /* doublings of the step */
    EXCESS_PACKETS = 8, /* beyond what chance explains, in all */
    CHANCE_ONE = 1 << 20,
    GRAIN_PACKETS = 3,  /* a queue of so few says nothing */
    CHANCE_ROUNDS = 32, /* that are remembered of what chance takes */
    RESPONSE_PART = 8,  /* of what we took out must be gone from the queue */
};

#define TARGET_LEAST_NS STT_US(500)
#define TARGET_MOST_NS  STT_MS(25)
#define ALARM_MOST_NS   STT_MS(50)
#define CONFIRM_NS      STT_S(5)
#define TEST_LEAST_NS   STT_S(4)
#define TRIAL_LEAST_NS  STT_S(10)
#define PATIENCE_NS     STT_S(60)
#define PEAK_NS         STT_S(15)
#define RATE_MAX        (UINT64_C(1) << 36)
#define TARGET_RATE     UINT64_C(50000000000000) /* 2 ms at 100 Mbit/s: in us * us * bytes / s */

enum mode { STARTUP, SETTLE, ALONE, DRAIN, OPEN, COMPETE, TEST, MODES };

/* Sixteenths of the window in a round trip; whether the pace alone holds us back. */
static const struct {
    uint8_t phase, pace;
    bool is_paced;
} modes[MODES] = {
    [STARTUP] = {STT_PHASE_STARTUP, 32, false}, [SETTLE] = {STT_PHASE_SETTLE, 16, false},
    [ALONE] = {STT_PHASE_ALONE, 16, true},      [DRAIN] = {STT_PHASE_DRAIN, 16, true},
    [OPEN] = {STT_PHASE_OPEN, 28, false},       [COMPETE] = {STT_PHASE_COMPETE, 16, true},
    [TEST] = {STT_PHASE_TEST, 16, false},
};

/* A round trip: from a packet's sending to its ACK. */
struct round {
    uint64_t end, from; /* delivered bytes */
    stt_ns at;
    stt_ns least, most;           /* samples */
    uint32_t acked, lost;         /* bytes */
    uint32_t far_acked, far_lost; /* of these, while the queue was short */
    uint32_t samples;
    bool is_underfed, is_used, is_congested;
};

struct tide {
    struct stt_curve curve; /* its window is the window in every mode */
    struct stt_curve share; /* as it was when a test or a trial began */
    struct stt_curve before;
    struct round round;

    uint64_t rate;                /* of the last round that shows one */
    uint64_t peak, fair;          /* the most of the last seconds; and of what we could have had */
    stt_ns base, base_at;         /* the round trip without a queue; when it was seen */
    stt_ns span, spread, noise;   /* of round trips: now; longest less least; of the least ones */
    stt_ns sample, sample_before; /* queueing delay of the last ACKs */
    stt_ns grain;                 /* how long a few packets are */
    stt_ns calm;                  /* how much samples differed at the beginning, before our queue */
    stt_ns queue, queue_max;      /* the last round's least; the most of all that was seen lately */
    uint64_t chance_lost, chance_all; /* bytes in rounds in which we were not too much */

    uint32_t excess;    /* packets in 1/256, see sum_excess */
    uint64_t step;      /* of the window in this round, alone */
    uint64_t from_rate; /* when we began to yield, to open or to test ... */
    uint64_t from_window;
    stt_ns from_queue, from_base;

    uint64_t share_rate;
    stt_ns share_at, trial_until, trial_ns; /* how long to watch for a competitor's return */
    stt_ns test_at, test_ns;
    stt_ns acked_at;

    uint64_t sent_end, reduced_end; /* packet numbers */
    uint64_t full_rate;
    uint8_t mode, mode_before;
    uint8_t rounds; /* of startup without growth, of a raised queue, of quiet, of a test */
    uint8_t boost, skip, held, known;
    bool may_undo;
    bool is_shallow; /* losses come without a queue: none tells us of others */
    bool has_share;  /* that we have fought for */
};

_Static_assert(sizeof(struct tide) <= sizeof((struct stt_congestion *)0)->state,
               "the state of the controller fits");

static struct tide *tide_of(struct stt_congestion *c)
{
    return (struct tide *)(void *)c->state;
}

/* -- arithmetic -----------------------------------------------------------------------------------
 */

static uint32_t root(uint64_t x)
{
    uint64_t r = 0;
    for (uint64_t bit = UINT64_C(1) << 62; bit; bit >>= 2) {
        bool is_in = x >= r + bit;
        x -= is_in ? r + bit : 0;
        r = (r >> 1) + (is_in ? bit : 0);
    }
    return (uint32_t)r;
}

/* Bytes at this rate. */
static uint64_t in(uint64_t rate, stt_ns t)
{
    uint64_t product;
    if (__builtin_mul_overflow(rate, t, &product))
        product = UINT64_MAX;
    return product / STT_S(1);
}

static stt_ns time_of(uint64_t bytes, uint64_t rate)
{
    return stt_at_most(bytes, STT_CURVE_WINDOW_MAX) * STT_S(1) / stt_at_least(rate, 1);
}

static uint64_t rate_of(uint64_t bytes, stt_ns time)
{
    bytes = stt_at_most(bytes, STT_CURVE_WINDOW_MAX);
    return stt_at_most(bytes * STT_S(1) / stt_at_least(time, 1), RATE_MAX);
}

/* Counts in a round do not wrap. */
static void add_to(uint32_t *count, uint64_t bytes)
{
    *count = (uint32_t)stt_at_most(*count + bytes, UINT32_MAX);
}

/* The queue that who is so fast keeps. */
static stt_ns target(uint64_t rate)
{
    stt_ns d = STT_US(root(TARGET_RATE / stt_at_least(rate, 1)));
    return stt_at_most(stt_at_least(d, TARGET_LEAST_NS), TARGET_MOST_NS);
}

static stt_ns wanted(const struct tide *t)
{
    return target(t->rate) + t->noise;
}

static stt_ns queue_of(const struct tide *t, stt_ns rtt)
{
    return rtt > t->base ? rtt - t->base : 0;
}

static bool is_trial(const struct tide *t, stt_ns now)
{
    return now < t->trial_until;
}

/* A queue that is no longer ours. Others like us keep one for their own rate, which is lower. */
static stt_ns alarming(const struct tide *t, stt_ns now)
{
    stt_ns most = is_trial(t, now) ? 2 * target(t->share_rate) : 4 * target(t->peak);
    return stt_at_most(most, ALARM_MOST_NS) + t->noise;
}

/* How little we take before we ask whether it is others like us who take the rest. */
static uint64_t least_rate(const struct tide *t, stt_ns now)
{
    return is_trial(t, now) ? t->share_rate - t->share_rate / 8 : t->fair / 8 * 3;
}

static void cap_window(struct tide *t, uint64_t most)
{
    t->curve.window = stt_at_most(t->curve.window, most);
}

static void take_from_window(struct tide *t, uint64_t bytes, uint64_t most)
{
    t->curve.window -= stt_at_most(bytes, most);
}

/* -- modes ----------------------------------------------------------------------------------------
 */

static void enter(struct tide *t, enum mode mode)
{
    t->mode = (uint8_t)mode;
    t->step = 0;
    t->boost = t->rounds = 0;
}

static void note(struct tide *t, stt_ns q)
{
    t->from_window = t->curve.window;
    t->from_rate = t->rate;
    t->from_queue = q;
    t->from_base = t->base;
}

/* Alone, it seems. Should the queue come back while we watch, the share is ours again. */
static void begin_trial(struct tide *t, stt_ns now)
{
    enter(t, ALONE);
    t->share_rate = t->rate;
    t->trial_until = now + t->trial_ns;
    t->skip = 1;
    t->curve.window = in(t->rate, t->base + wanted(t));
}

static void keep_share(struct tide *t, stt_ns now)
{
    t->share = t->curve;
    t->share_at = now;
}

static void begin_test(struct tide *t, stt_ns now, stt_ns q, uint8_t rounds)
{
    note(t, q);
    keep_share(t, now);
    enter(t, TEST);
    t->rounds = rounds;
    cap_window(t, in(t->rate, t->base) / 16 * 15);
}

static void compete(struct tide *t, stt_ns now)
{
    enter(t, COMPETE);
    t->test_at = now + t->test_ns;
    t->test_ns = stt_at_most(2 * t->test_ns, PATIENCE_NS);
}

static void take_share_back(struct tide *t, stt_ns now)
{
    compete(t, now);
    t->curve = t->share;
    stt_curve_wait(&t->curve, now - t->share_at);
}

/* Competition has come, or come back. */
static void renew(struct tide *t, stt_ns now)
{
    if (is_trial(t, now))
        t->trial_ns = stt_at_most(2 * t->trial_ns, PATIENCE_NS);
    else {
        t->trial_ns = TRIAL_LEAST_NS;
        t->test_ns = TEST_LEAST_NS;
        t->has_share = false;
    }
    t->trial_until = 0;
}

static void meet(struct tide *t, stt_ns now, stt_ns q)
{
    if (t->has_share) {
        take_share_back(t, now);
        return;
    }
    note(t, q);
    enter(t, OPEN);
}

/* The path is longer than it was: what we took out is not gone from its round trip. */
static bool is_longer(const struct tide *t, stt_ns q)
{
    uint64_t taken = t->from_window - stt_at_most(t->curve.window, t->from_window);
    stt_ns gone = t->from_queue - stt_at_most(q, t->from_queue);
    bool is_steady = q <= t->queue + t->queue / 16 && t->queue <= q + q / 16;
    return t->known == KNOWN_ROUNDS && is_steady && taken >= t->from_window / 4 &&
           gone < time_of(taken, t->from_rate) / RESPONSE_PART;
}

static void measure_anew(struct tide *t, stt_ns now, stt_ns q)
{
    t->base += q;
    t->base_at = now;
    t->queue_max = 0;
    enter(t, ALONE);
    t->curve.window = stt_at_least(t->from_window, in(t->peak, t->base));
}

/* -- the end of a round trip ----------------------------------------------------------------------
 */

static void begin_round(struct tide *t, const struct stt_ack_sample *s)
{
    t->round = (struct round){
        .end = s->delivered_bytes, .from = s->delivered_bytes, .at = s->now, .least = STT_NEVER};
}

/* What is in flight now fills the path, and will show how fast it is. */
static void end_startup(struct tide *t, const struct stt_ack_sample *s)
{
    enter(t, SETTLE);
    t->held = 0;
    cap_window(t, in(t->rate, t->base + wanted(t)));
    begin_round(t, s);
}

static void judge_startup(struct stt_congestion *c, const struct stt_ack_sample *s, stt_ns q)
{
    struct tide *t = tide_of(c);
    const struct round *r = &t->round;
    uint64_t all = (uint64_t)r->acked + r->lost;
    bool is_flood = r->lost >= FLOOD_PACKETS * c->packet_bytes && r->lost >= all / FLOOD_PART;
    (void)q;
    if (r->samples >= CALM_SAMPLES)
        t->calm = stt_at_most(t->calm, t->spread);
    if (t->rate >= t->full_rate + t->full_rate / 4) {
        t->full_rate = t->rate;
        t->rounds = 0;
    } else if (!r->is_underfed)
        t->rounds++;
    if (is_flood || t->rounds >= FULL_ROUNDS)
        end_startup(t, s);
}

static void judge_settle(struct stt_congestion *c, const struct stt_ack_sample *s, stt_ns q)
{
    struct tide *t = tide_of(c);
    (void)s, (void)q;
    uint64_t window = in(t->rate, t->base + wanted(t));
    enter(t, ALONE);
    t->skip = 1;
    if (!t->round.is_underfed || window > t->curve.window)
        t->curve.window = window;
}

/* The queue is longer than who are like us would make it. */
static void yield(struct tide *t, stt_ns now, stt_ns q, uint64_t first_window)
{
    bool is_free = !is_trial(t, now);
    if (!t->rounds)
        note(t, q);
    if (!t->rounds || q >= t->queue - t->queue / 8)
        t->rounds++;
    uint64_t least = is_free ? t->curve.window / 2 : in(least_rate(t, now), t->base);
    least = stt_at_least(least, stt_at_most(first_window, t->from_window));
    if (t->rounds <= CUT_ROUNDS)
        cap_window(t, stt_at_least(least, in(t->rate, t->base + wanted(t))));
    if (is_free)
        t->fair = stt_at_most(t->fair, 2 * t->rate);
    bool is_cut = t->rounds == CUT_ROUNDS || t->rounds == CUT_ROUNDS + 1;
    if (is_cut && is_free && is_longer(t, q))
        measure_anew(t, now, q);
    else if (t->rounds >= RAISED_ROUNDS) {
        t->curve.window = stt_at_least(t->curve.window, t->from_window / 2);
        renew(t, now);
        meet(t, now, q);
    }
}

/* Twice as much each round trip while there is no queue, as far as the rate follows. */
static void find_more(struct tide *t, stt_ns q)
{
    stt_ns want = wanted(t);
    uint64_t most = in(t->rate, t->base + want + t->spread) / 4 * 5;
    t->boost = q < want / 4 ? (uint8_t)stt_at_most(t->boost + 1u, BOOST_MAX) : 0;
    t->step = in(t->rate, want - q) / 4 << (t->boost > 1 ? t->boost - 1 : 0);
    t->step = stt_at_most(t->step, t->curve.window / STEP_PART);
    t->step = stt_at_most(t->step, most - stt_at_most(t->curve.window, most));
}

static unsigned held_rounds(const struct tide *t, stt_ns now)
{
    if (t->known < KNOWN_ROUNDS)
        return NEW_ROUNDS;
    return t->rate > least_rate(t, now) ? HELD_ROUNDS : LEAST_ROUNDS;
}

static void judge_alone(struct stt_congestion *c, const struct stt_ack_sample *s, stt_ns q)
{
    struct tide *t = tide_of(c);
    stt_ns want = wanted(t), now = s->now;
    t->step = 0;
    if (t->skip) {
        t->skip--;
        return;
    }
    if (!t->round.is_used) /* nothing of what is there is ours */
        return;
    if (q >= want)
        t->boost = 0;
    if (q > alarming(t, now)) {
        yield(t, now, q, INITIAL_PACKETS * (uint64_t)c->packet_bytes);
        return;
    }
    t->rounds = 0;
    t->held = q > want + want / 4 ? (uint8_t)(t->held + 1) : t->held ? (uint8_t)(t->held - 1) : 0;
    t->known = (uint8_t)stt_at_most(t->known + (q < want ? 1u : 0u), KNOWN_ROUNDS);
    if (t->held >= held_rounds(t, now)) {
        t->held = 0;
        renew(t, now);
        meet(t, now, q);
        return;
    }
    if (q >= want && t->rate > least_rate(t, now))
        take_from_window(t, in(t->rate, q - want) / 4, t->curve.window / 4);
    if (q < want)
        find_more(t, q);
    if (now - t->base_at > CONFIRM_NS) {
        note(t, q);
        enter(t, DRAIN);
        take_from_window(t, in(t->rate, 2 * q + t->base / 8), t->curve.window / 2);
    }
}

/* Whoever kept the queue, all see the same path now, and will ask again at the same time. */
static void judge_drain(struct stt_congestion *c, const struct stt_ack_sample *s, stt_ns q)
{
    struct tide *t = tide_of(c);
    (void)q;
    enter(t, ALONE);
    t->curve.window = t->from_window;
    t->base_at = s->now;
    t->skip = 1;
}

/* Who is alone gets no more by opening; and there is nobody where no queue is. */
static void judge_open(struct stt_congestion *c, const struct stt_ack_sample *s, stt_ns q)
{
    struct tide *t = tide_of(c);
    bool is_much = t->curve.window >= 3 * t->from_window &&
                   t->curve.window >= 4 * INITIAL_PACKETS * (uint64_t)c->packet_bytes;
    t->rounds = q < wanted(t) ? (uint8_t)(t->rounds + 1) : 0;
    if (t->rounds >= QUIET_ROUNDS || (is_much && t->rate < t->from_rate + t->from_rate / 4))
        begin_test(t, s->now, q, 1);
    else if (is_much)
        note(t, q);
}

static void judge_compete(struct stt_congestion *c, const struct stt_ack_sample *s, stt_ns q)
{
    struct tide *t = tide_of(c);
    stt_ns now = s->now;
    t->rounds = q < wanted(t) ? (uint8_t)stt_at_most(t->rounds + 1u, QUIET_ROUNDS) : 0;
    if (q > 2 * wanted(t))
        t->is_shallow = false;
    if (now < t->test_at)
        return;
    if (t->is_shallow || t->rounds >= QUIET_ROUNDS) {
        keep_share(t, now);
        begin_trial(t, now);
    } else
        begin_test(t, now, q, 1);
}

static void judge_test(struct stt_congestion *c, const struct stt_ack_sample *s, stt_ns q)
{
    struct tide *t = tide_of(c);
    if (++t->rounds < TEST_ROUNDS) {
        cap_window(t, in(t->rate, t->base) / 16 * 15);
        return;
    }
    bool was_hidden = t->from_base > t->base + 2 * target(t->rate) + t->noise;
    if (q < wanted(t) && !was_hidden) {
        uint64_t rate = rate_of(t->share.window, t->from_base + t->from_queue);
        if (t->has_share) /* of which the test took the most */
            t->rate = stt_at_least(t->rate, stt_at_most(rate, t->rate / 4 * 5));
        begin_trial(t, s->now);
    } else if (!t->round.is_underfed && is_longer(t, q))
        measure_anew(t, s->now, q);
    else
        meet(t, s->now, q);
}

/* -- what a round trip tells ----------------------------------------------------------------------
 */

/* Whether there was one that says where the path's own begins to drop. */
static bool has_queue(const struct tide *t)
{
    return t->queue_max > stt_at_least(t->base / 64, t->grain);
}

/* Far from it now. */
static bool is_far(const struct tide *t)
{
    return !has_queue(t) || stt_at_least(t->sample, t->sample_before) < t->queue_max / 2;
}

/* A round in which nothing of ours can have been too much: slower than the path has been, or far
 * below the queue that it has had. */
static bool is_safe(const struct tide *t, stt_ns time)
{
    const struct round *r = &t->round;
    uint64_t sent = (uint64_t)r->acked + r->lost;
    uint64_t rate = sent * STT_S(1) / time;
    if (t->mode == SETTLE || t->skip)
        return false;
    if (r->is_congested)
        return rate <= t->peak / 2;
    if (t->mode == STARTUP)
        return t->rounds == 0 && r->lost <= sent / 8;
    return has_queue(t) || rate <= t->peak - t->peak / 16;
}

/* Bytes that chance explains in so many. */
static uint64_t by_chance(const struct tide *t, uint64_t bytes)
{
    uint64_t share = t->chance_lost * CHANCE_ONE / stt_at_least(t->chance_all, 1);
    return bytes * stt_at_most(share, CHANCE_ONE / 4) / CHANCE_ONE;
}

/* What was lost beyond that, and a quarter more, adds up until it is too much to be chance. */
static void sum_excess(struct tide *t, uint32_t packet_bytes)
{
    uint64_t all = (uint64_t)t->round.acked + t->round.lost;
    uint64_t allowed = by_chance(t, all) * 320 / packet_bytes;
    uint64_t sum = t->excess + (uint64_t)t->round.lost * 256 / packet_bytes;
    bool is_over = t->round.is_congested || t->mode == STARTUP || t->mode == SETTLE;
    t->excess = is_over ? 0 : (uint32_t)stt_at_most(sum - stt_at_most(sum, allowed), UINT32_MAX);
}

static void learn_chance(struct tide *t)
{
    uint64_t all = (uint64_t)t->round.far_acked + t->round.far_lost;
    uint64_t most = CHANCE_ROUNDS * ((uint64_t)t->round.acked + t->round.lost);
    if (t->chance_all > most) {
        uint64_t old = stt_at_most(all, t->chance_all);
        t->chance_lost -= by_chance(t, old);
        t->chance_all -= old;
    }
    t->chance_all += all;
    t->chance_lost += t->round.far_lost;
}

static uint64_t fallen(uint64_t peak, uint64_t rate, stt_ns time)
{
    return stt_at_least(rate, peak - in(peak, stt_at_most(time, PEAK_NS)) / (PEAK_NS / STT_S(1)));
}

static void learn_rate(struct tide *t, const struct stt_ack_sample *s, stt_ns time, stt_ns q)
{
    uint64_t rate = rate_of(s->delivered_bytes - t->round.from, time);
    bool is_low = t->mode == SETTLE || t->mode == DRAIN || t->mode == TEST || t->skip;
    is_low = is_low && q < wanted(t); /* where a queue stayed, this is what we get */
    if (rate > t->rate || !(is_low || t->round.is_underfed))
        t->rate = rate;
    t->peak = fallen(t->peak, t->rate, time);
    t->fair = fallen(t->fair, t->rate, time);
}

static void learn_queue(struct tide *t, stt_ns q)
{
    stt_ns off = q > t->queue ? q - t->queue : t->queue - q;
    if (!t->round.samples)
        return;
    t->spread = t->round.most - t->round.least;
    if (t->mode == ALONE && off < t->base / 2)
        t->noise = stt_at_most(t->noise - t->noise / 16 + off / 16, t->base / 8);
    t->queue_max = stt_at_least(queue_of(t, t->round.most), t->queue_max - t->queue_max / 256);
}

static void end_round(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    static void (*const judges[MODES])(struct stt_congestion * c, const struct stt_ack_sample *s,
                                       stt_ns q) = {
        [STARTUP] = judge_startup, [SETTLE] = judge_settle, [ALONE] = judge_alone,
        [DRAIN] = judge_drain,     [OPEN] = judge_open,     [COMPETE] = judge_compete,
        [TEST] = judge_test,
    };
    struct tide *t = tide_of(c);
    stt_ns time = stt_at_least(s->now - t->round.at, 1);
    stt_ns q = t->round.samples ? queue_of(t, t->round.least) : t->queue;
    learn_rate(t, s, time, q);
    learn_queue(t, q);
    if (is_safe(t, time))
        learn_chance(t);
    sum_excess(t, c->packet_bytes);
    t->grain = time_of(GRAIN_PACKETS * (uint64_t)c->packet_bytes, t->rate);
    judges[t->mode](c, s, q);
    t->queue = q;
    begin_round(t, s);
}

/* -- each ACK -------------------------------------------------------------------------------------
 */

static void sample_rtt(struct tide *t, stt_ns now, stt_ns rtt)
{
    struct round *r = &t->round;
    if (rtt < t->base - t->base / 4) { /* another path: of its queue nothing is known */
        t->queue_max = t->queue = 0;
        r->most = rtt;
        if (rtt < t->base / 2 && t->mode != STARTUP && t->mode != SETTLE) {
            enter(t, ALONE);
            t->skip = 1;
            cap_window(t, in(t->rate, rtt));
        }
    }
    t->base = stt_at_most(t->base, rtt);
    if (rtt <= t->base + t->base / 64)
        t->base_at = now;
    t->sample_before = t->sample;
    t->sample = queue_of(t, rtt);
    t->span = t->span ? (t->span + rtt) / 2 : rtt;
    r->samples++;
    r->least = stt_at_most(r->least, rtt);
    r->most = stt_at_least(r->most, rtt);
}

/* The rate of single ACKs, and the end of startup when a queue has begun. */
static void sample_startup(struct tide *t, const struct stt_ack_sample *s)
{
    if (s->interval_ns)
        t->rate = stt_at_least(t->rate, rate_of(s->interval_bytes, s->interval_ns));
    if (t->mode != STARTUP || !s->rtt_ns)
        return;
    stt_ns q = queue_of(t, s->rtt_ns);
    if (q / LEAP > t->base + time_of(t->curve.window, t->rate)) { /* no queue of ours */
        t->base = s->rtt_ns;
        t->from_queue = q = 0;
    }
    t->from_queue = stt_at_most(t->from_queue, q); /* others' */
    stt_ns most = stt_at_least(2 * wanted(t), t->base / 4);
    if (t->calm != STT_NEVER && t->calm > t->base / 5)
        most += t->calm;
    bool is_long = q > most && q > t->from_queue + most / 2;
    t->held = is_long ? (uint8_t)(t->held + 1) : 0;
    if (t->held >= LONG_SAMPLES)
        end_startup(t, s);
}

static void grow(struct stt_congestion *c, const struct stt_ack_sample *s, stt_ns since, bool used)
{
    struct tide *t = tide_of(c);
    stt_curve_bound(&t->curve, c->packet_bytes);
    uint64_t acked = stt_at_most(s->acked_bytes, t->curve.window);
    bool is_fresh = s->newest_number >= t->reduced_end;
    if (t->mode == COMPETE && used && is_fresh)
        stt_curve_grow(&t->curve, c->packet_bytes, s->now, c->rtt->smoothed, acked);
    else if (t->mode == COMPETE && !used)
        stt_curve_wait(&t->curve, since);
    else if (t->mode == STARTUP && used)
        t->curve.window += acked;
    else if (t->mode == OPEN && used)
        t->curve.window += acked / 2;
    else if (t->mode == ALONE && used)
        t->curve.window += t->step * acked / t->curve.window;
}

/* What acks in bursts hold back: of four in a round trip, or of a radio. */
static uint64_t slack(const struct stt_congestion *c, const struct tide *t)
{
    uint64_t window = t->curve.window;
    return window / 4 + stt_at_most(in(t->rate, t->spread), window) + 2 * c->packet_bytes;
}

static void publish(struct stt_congestion *c)
{
    struct tide *t = tide_of(c);
    bool is_paced = modes[t->mode].is_paced;
    stt_curve_bound(&t->curve, c->packet_bytes);
    const uint64_t *w = &t->curve.window;
    stt_ns span = stt_at_least(is_paced ? t->span : c->rtt->smoothed, STT_RTT_LEAST_NS);
    c->window_bytes = stt_at_most(*w + (is_paced ? slack(c, t) : 0), STT_CURVE_WINDOW_MAX);
    c->rate_bytes_per_s =
        c->rtt->has_sample ? *w * modes[t->mode].pace / 16 * STT_S(1) / span : STT_UNLIMITED;
    c->phase = modes[t->mode].phase;
}

static void on_ack(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct tide *t = tide_of(c);
    stt_ns since = s->now - t->acked_at;
    bool used = stt_is_window_used(c, s);
    t->acked_at = s->now;
    t->round.is_used |= used;
    if (s->newest_delivered_bytes >= t->round.end)
        end_round(c, s);
    if (s->rtt_ns)
        sample_rtt(t, s->now, s->rtt_ns);
    add_to(&t->round.acked, s->acked_bytes);
    if (is_far(t))
        add_to(&t->round.far_acked, s->acked_bytes);
    t->round.is_underfed |= s->is_underfed;
    if (t->mode == STARTUP || t->mode == SETTLE)
        sample_startup(t, s);
    grow(c, s, since, used);
    publish(c);
}

/* -- losses ---------------------------------------------------------------------------------------
 */

static void reduce(struct stt_congestion *c, stt_ns now, bool has_queue)
{
    struct tide *t = tide_of(c);
    bool was_alone = t->mode == ALONE || t->mode == DRAIN;
    if (t->mode == DRAIN || t->mode == TEST)
        t->curve.window = t->from_window;
    t->reduced_end = t->sent_end;
    if (was_alone && is_trial(t, now)) /* what we found beyond may have been theirs */
        cap_window(t, stt_at_least(t->share.window, t->share.prior));
    if (t->mode != COMPETE || t->curve.window + t->curve.window / 16 >= t->curve.plateau)
        t->curve.plateau = t->curve.window;
    stt_curve_reduce(&t->curve, c->packet_bytes);
    t->is_shallow = !has_queue;
    if (was_alone)
        renew(t, now);
    t->has_share |= t->mode == OPEN;
    if (has_queue && (was_alone || (t->mode == COMPETE && now >= t->test_at)))
        begin_test(t, now, queue_of(t, c->rtt->latest), 0);
    else if (t->mode != COMPETE)
        compete(t, now);
}

/* With a queue, if that is near the longest one; else by how many there are in this round trip. */
static bool is_congestive(const struct stt_congestion *c, const struct tide *t, bool *has_queue)
{
    stt_ns q = queue_of(t, c->rtt->latest);
    bool is_long = t->queue_max > stt_at_most(2 * target(t->rate), t->base / 4);
    *has_queue = is_long && q >= t->queue_max / 2;
    if (*has_queue && (t->mode == OPEN || t->mode == COMPETE))
        return true;
    if (is_long && !*has_queue && t->round.lost < t->curve.window / 8)
        return false;
    uint64_t lost = (uint64_t)t->round.lost * 256 / c->packet_bytes;
    uint64_t expected = by_chance(t, t->curve.window) * 256 / c->packet_bytes;
    uint64_t likely = expected + 4 * root(expected * 256);
    return lost > likely + 128 || t->excess + lost > likely + EXCESS_PACKETS * 256;
}

static void on_lost(struct stt_congestion *c, stt_ns now, uint64_t bytes, uint64_t newest_lost,
                    stt_ns newest_sent_at)
{
    struct tide *t = tide_of(c);
    bool has_queue;
    (void)newest_sent_at;
    if (newest_lost < t->reduced_end)
        return;
    add_to(&t->round.lost, bytes);
    if (is_far(t))
        add_to(&t->round.far_lost, bytes);
    if (t->mode == STARTUP || t->mode == SETTLE || !is_congestive(c, t, &has_queue))
        return;
    t->round.is_congested = true;
    if (!c->is_continued || !t->may_undo) {
        t->before = t->curve;
        t->mode_before = t->mode;
    }
    t->may_undo = true;
    reduce(c, now, has_queue);
    publish(c);
}

static void on_ce(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct tide *t = tide_of(c);
    if (s->newest_number < t->reduced_end)
        return;
    t->may_undo = false;
    reduce(c, s->now, queue_of(t, c->rtt->latest) > 2 * wanted(t));
    if (t->mode == COMPETE) /* a mark is early (RFC 8511) */
        t->curve.window = t->curve.prior / 20 * 17;
    publish(c);
}

static void on_persistent(struct stt_congestion *c, stt_ns now)
{
    struct tide *t = tide_of(c);
    (void)now;
    t->may_undo = false;
    enter(t, STARTUP);
    t->full_rate = t->rate = t->peak = t->fair = 0;
    t->held = t->skip = 0;
    t->from_queue = STT_NEVER;
    t->curve.window = 0;
    publish(c);
}

static void on_undo(struct stt_congestion *c, stt_ns now)
{
    struct tide *t = tide_of(c);
    uint64_t window = t->curve.window;
    (void)now;
    if (!t->may_undo)
        return;
    t->may_undo = false;
    t->curve = t->before;
    t->curve.window = stt_at_least(t->curve.window, window);
    if (t->mode_before == ALONE || t->mode_before == COMPETE)
        enter(t, t->mode_before);
    publish(c);
}

/* -- the beginning --------------------------------------------------------------------------------
 */

static void on_sent(struct stt_congestion *c, stt_ns now, uint64_t bytes, uint64_t in_flight_bytes,
                    uint64_t last_number)
{
    (void)now, (void)bytes, (void)in_flight_bytes;
    tide_of(c)->sent_end = last_number + 1;
}

static void init(struct stt_congestion *c, stt_ns now)
{
    *tide_of(c) = (struct tide){
        .curve = {.window = INITIAL_PACKETS * (uint64_t)c->packet_bytes},
        .base = c->rtt->has_sample ? c->rtt->smoothed : STT_NEVER,
        .base_at = now,
        .from_queue = STT_NEVER,
        .calm = STT_NEVER,
        .round = {.least = STT_NEVER, .at = now, .end = 1},
        .acked_at = now,
        .trial_ns = TRIAL_LEAST_NS,
        .test_ns = TEST_LEAST_NS,
    };
    publish(c);
}

const struct stt_controller stt_tide = {
    .name = "tide",
    .init = init,
    .on_sent = on_sent,
    .on_ack = on_ack,
    .on_lost = on_lost,
    .on_ce = on_ce,
    .on_persistent = on_persistent,
    .on_undo = on_undo,
};
