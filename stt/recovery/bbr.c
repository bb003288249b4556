/* SPDX-License-Identifier: MIT
 * bbr: a model of the path, the rate that it delivers and its shortest round trip, and a pace that
 * follows the model. Losses do not change it.
 *
 *     STARTUP ---> DRAIN ---> PROBE_BW <---> PROBE_RTT       pace: 2.885, 1/2.885, then in turn
 *      doubles      empties    1.25 0.75 1 1 1 1 1 1         for a round trip each; at last 4
 *      the rate     the queue                                packets in flight for 200 ms
 *
 * The rate is the best of 10 round trips, counted by what was delivered and not by time. Samples of
 * a path that was not full, for want of data or for PROBE_RTT, raise it and never lower it.
 * Invariant: the window is from 4 packets up to STT_BBR_WINDOW_MAX. It must not know which packets
 * were lost, only how many bytes. Spec 06, "Controllers". */
#include "stt/recovery/bbr.h"

#include "stt/recovery/pacer.h"

enum {
    ONE = 256, /* gains are in 1/256 */
    HIGH = 739,
    LOW = 88,
    INITIAL_PACKETS = 10,
    LEAST_PACKETS = 4,
    SPARE_TRAINS = 3, /* that the window holds for what acks and trains bring in bursts */
    RATE_ROUNDS = 10,
    FULL_ROUNDS = 3,
    FLOOD_PACKETS = 8, /* and a quarter of a round trip's: not by chance */
    FLOOD_PART = 4,
    PHASES = 8,
    NEARLY = 16, /* a sixteenth longer */
};

#define MIN_RTT_NS   STT_S(10)
#define PROBE_RTT_NS STT_MS(200)

enum mode { STARTUP, DRAIN, PROBE_BW, PROBE_RTT };
enum recovery { NONE, BEGINS, CONSERVES, GROWS };

static const uint16_t pacing_gains[] = {[STARTUP] = HIGH, [DRAIN] = LOW, [PROBE_RTT] = ONE};
static const uint16_t window_gains[] = {
    [STARTUP] = HIGH, [DRAIN] = HIGH, [PROBE_BW] = 2 * ONE, [PROBE_RTT] = ONE};
static const uint16_t phase_gains[PHASES] = {320, 192, ONE, ONE, ONE, ONE, ONE, ONE};

struct bbr {
    /* The model. A round begins when what was sent in the one before is acknowledged. */
    uint64_t rates[RATE_ROUNDS]; /* the best of each */
    uint32_t round, rated_round; /* rated_round: the newest that has a place among them */
    uint64_t rate;               /* the best of all */
    uint64_t round_end; /* packets that were sent after so much was delivered are of the next */
    stt_ns min_rtt, min_rtt_at;
    uint64_t underfed_end; /* what was sent before so much was delivered did not fill the path */

    uint64_t full_rate; /* the rate grew to this by a quarter at once */
    stt_ns phase_at;
    stt_ns probed_at; /* PROBE_RTT may end then; 0: there is still too much in flight */
    uint64_t saved_window;

    uint64_t conserve_end, recovery_end, sent_end; /* packet numbers */

    uint32_t round_acked, round_lost; /* bytes of this round, until the path is full */
    uint8_t mode, phase, recovery, full_rounds;
    bool is_full; /* the path: it does not deliver more, whatever is sent */
    bool is_round_start, is_underfed, is_restart, has_probed_round;
    bool is_second; /* startup after persistent congestion: what was lost before is still told */
};

_Static_assert(sizeof(struct bbr) <= sizeof((struct stt_congestion *)0)->state,
               "the state of the controller fits");

static struct bbr *bbr_of(struct stt_congestion *c)
{
    return (struct bbr *)(void *)c->state;
}

static uint64_t initial_window(const struct stt_congestion *c)
{
    return INITIAL_PACKETS * (uint64_t)c->packet_bytes;
}

static uint64_t least_window(const struct stt_congestion *c)
{
    return LEAST_PACKETS * (uint64_t)c->packet_bytes;
}

/* What is in flight on a path that is filled so many times. */
static uint64_t filling(struct stt_congestion *c, uint32_t gain)
{
    const struct bbr *b = bbr_of(c);
    uint64_t product;
    if (b->min_rtt == STT_NEVER)
        return initial_window(c);
    if (__builtin_mul_overflow(b->rate, b->min_rtt, &product))
        product = UINT64_MAX;
    return product / STT_S(1) * gain / ONE;
}

static void set_window(struct stt_congestion *c, uint64_t window)
{
    c->window_bytes = stt_at_most(stt_at_least(window, least_window(c)), STT_BBR_WINDOW_MAX);
}

/* -- the model ------------------------------------------------------------------------------------
 */

static void count_rounds(struct bbr *b, const struct stt_ack_sample *s)
{
    b->is_round_start = s->newest_delivered_bytes >= b->round_end;
    if (!b->is_round_start)
        return;
    b->round_end = s->delivered_bytes;
    b->round++;
}

static uint64_t rate_of(const struct stt_ack_sample *s)
{
    uint64_t bytes = stt_at_most(s->interval_bytes, STT_BBR_WINDOW_MAX);
    return stt_at_most(bytes * STT_S(1) / stt_at_least(s->interval_ns, 1), STT_BBR_RATE_MAX);
}

static void forget_rounds(struct bbr *b)
{
    uint64_t over = stt_at_most(b->round - b->rated_round, RATE_ROUNDS);
    for (uint32_t i = 0; i < over; i++)
        b->rates[(b->round - i) % RATE_ROUNDS] = 0;
    b->rated_round = b->round;
}

static void remember_rate(struct bbr *b, uint64_t rate)
{
    forget_rounds(b);
    uint64_t *best = &b->rates[b->round % RATE_ROUNDS];
    *best = stt_at_least(*best, rate);
    b->rate = 0;
    for (size_t i = 0; i < RATE_ROUNDS; i++)
        b->rate = stt_at_least(b->rate, b->rates[i]);
}

static void sample_rate(struct bbr *b, const struct stt_ack_sample *s)
{
    uint64_t rate = rate_of(s);
    b->is_underfed = s->is_underfed || s->newest_delivered_bytes < b->underfed_end;
    if (rate && (rate >= b->rate || !b->is_underfed))
        remember_rate(b, rate);
}

/* True: too long ago a round trip was so short. One that is nearly so counts, too: a clock ticks,
 * and a train is in front of its last packet. */
static bool sample_min_rtt(struct bbr *b, const struct stt_ack_sample *s)
{
    bool is_old = s->now - b->min_rtt_at > MIN_RTT_NS;
    if (!s->rtt_ns)
        return is_old;
    if (s->rtt_ns <= b->min_rtt || is_old)
        b->min_rtt = s->rtt_ns;
    if (s->rtt_ns <= b->min_rtt + b->min_rtt / NEARLY)
        b->min_rtt_at = s->now;
    return is_old;
}

/* -- modes ----------------------------------------------------------------------------------------
 */

static void begin_mode(struct stt_congestion *c, enum mode mode)
{
    static const uint8_t phases[] = {[STARTUP] = STT_PHASE_STARTUP,
                                     [DRAIN] = STT_PHASE_DRAIN,
                                     [PROBE_BW] = STT_PHASE_PROBE_BW,
                                     [PROBE_RTT] = STT_PHASE_PROBE_RTT};
    bbr_of(c)->mode = (uint8_t)mode;
    c->phase = phases[mode];
}

static uint32_t pacing_gain(const struct bbr *b)
{
    return b->mode == PROBE_BW ? phase_gains[b->phase] : pacing_gains[b->mode];
}

/* Any phase but the one that only a probe gives a reason for. Flows that began together shall not
 * probe together, that is all: the time of day is random enough. */
static void begin_probe_bw(struct stt_congestion *c, stt_ns now)
{
    struct bbr *b = bbr_of(c);
    uint64_t mixed = now * 0x9e3779b97f4a7c15u >> 32;
    begin_mode(c, PROBE_BW);
    b->phase = (uint8_t)((2 + mixed % (PHASES - 1)) % PHASES);
    b->phase_at = now;
}

/* A probe goes on until it has filled the path so far, or was too much; what it left in the queue
 * is gone when no more is in flight than the path holds. */
static bool is_phase_over(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    const struct bbr *b = bbr_of(c);
    uint32_t gain = phase_gains[b->phase];
    bool is_long = s->now - b->phase_at > b->min_rtt;
    if (gain > ONE)
        return is_long && (s->lost_bytes || s->left_bytes >= filling(c, gain));
    return is_long || (gain < ONE && s->left_bytes <= filling(c, ONE));
}

static void step_phase(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct bbr *b = bbr_of(c);
    if (b->mode != PROBE_BW || !is_phase_over(c, s))
        return;
    b->phase = (uint8_t)((b->phase + 1) % PHASES);
    b->phase_at = s->now;
}

/* Startup that goes on into a full queue finds nothing more, and loses as much again; a receiver
 * has no room for so many gaps, either. */
static void judge_flood(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct bbr *b = bbr_of(c);
    b->round_acked = (uint32_t)stt_at_most(b->round_acked + s->acked_bytes, UINT32_MAX);
    b->round_lost = (uint32_t)stt_at_most(b->round_lost + s->lost_bytes, UINT32_MAX);
    if (!b->is_round_start)
        return;
    uint64_t all = (uint64_t)b->round_acked + b->round_lost;
    b->is_full =
        b->round_lost >= FLOOD_PACKETS * c->packet_bytes && b->round_lost >= all / FLOOD_PART;
    b->round_acked = b->round_lost = 0;
}

/* A round trip tells only if more was in flight than so fast a path holds. Where there was not
 * always enough to send, a path that looks full may be twice as fast. */
static void judge_full(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct bbr *b = bbr_of(c);
    uint32_t gain = b->is_underfed ? 2 * ONE : 5 * ONE / 4;
    if (b->is_full || !b->is_round_start || s->in_flight_bytes < filling(c, gain))
        return;
    if (b->rate >= b->full_rate + b->full_rate / 4) {
        b->full_rate = b->rate;
        b->full_rounds = 0;
        return;
    }
    b->is_full = ++b->full_rounds >= FULL_ROUNDS;
}

static void end_startup(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct bbr *b = bbr_of(c);
    judge_full(c, s);
    if (!b->is_full && !b->is_second)
        judge_flood(c, s);
    if (b->mode == STARTUP && b->is_full)
        begin_mode(c, DRAIN);
    if (b->mode == DRAIN && s->left_bytes <= filling(c, ONE))
        begin_probe_bw(c, s->now);
}

static void save_window(struct stt_congestion *c)
{
    struct bbr *b = bbr_of(c);
    bool is_whole = b->recovery == NONE && b->mode != PROBE_RTT;
    b->saved_window = is_whole ? c->window_bytes : stt_at_least(b->saved_window, c->window_bytes);
}

static void restore_window(struct stt_congestion *c)
{
    set_window(c, stt_at_least(c->window_bytes, bbr_of(c)->saved_window));
}

static void end_probe_rtt(struct stt_congestion *c, stt_ns now)
{
    struct bbr *b = bbr_of(c);
    b->min_rtt_at = now;
    begin_mode(c, STARTUP);
    if (b->is_full)
        begin_probe_bw(c, now);
    restore_window(c);
}

/* So little in flight for 200 ms, and for a round trip. */
static void probe_rtt(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct bbr *b = bbr_of(c);
    b->underfed_end = s->delivered_bytes + s->left_bytes + 1;
    if (!b->probed_at && s->left_bytes <= least_window(c)) {
        b->probed_at = s->now + PROBE_RTT_NS;
        b->has_probed_round = false;
        b->round_end = s->delivered_bytes;
        return;
    }
    b->has_probed_round = b->has_probed_round || b->is_round_start;
    if (b->probed_at && b->has_probed_round && s->now > b->probed_at)
        end_probe_rtt(c, s->now);
}

static void sample_rtt(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct bbr *b = bbr_of(c);
    bool is_old = sample_min_rtt(b, s);
    if (is_old && b->mode != PROBE_RTT && !b->is_restart) {
        save_window(c);
        begin_mode(c, PROBE_RTT);
        b->probed_at = 0;
    }
    b->is_restart = false;
    if (b->mode == PROBE_RTT)
        probe_rtt(c, s);
}

/* -- the pace and the window ----------------------------------------------------------------------
 */

/* Before the path is full the pace only rises: the first samples are of a few packets. */
static void pace(struct stt_congestion *c, uint32_t gain)
{
    struct bbr *b = bbr_of(c);
    uint64_t rate = stt_at_least(b->rate * gain / ONE, c->packet_bytes);
    if (b->is_full || rate > c->rate_bytes_per_s)
        c->rate_bytes_per_s = rate;
}

/* A window in a round trip, when one is known. */
static void pace_first(struct stt_congestion *c)
{
    stt_ns rtt = stt_at_least(c->rtt->smoothed, STT_RTT_LEAST_NS);
    uint64_t rate = stt_at_most(c->window_bytes * STT_S(1) / rtt, STT_BBR_RATE_MAX);
    c->rate_bytes_per_s = c->rtt->has_sample ? rate * HIGH / ONE : STT_UNLIMITED;
}

/* Recovery: for one round trip only what arrives is replaced; then the window grows as before. It
 * ends with a round trip without a loss. */
static void step_recovery(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct bbr *b = bbr_of(c);
    if (b->recovery == NONE)
        return;
    if (b->recovery == BEGINS) {
        b->recovery = CONSERVES;
        set_window(c, s->left_bytes + s->acked_bytes);
    }
    if (s->newest_number >= b->conserve_end)
        b->recovery = GROWS;
    if (s->newest_number < b->recovery_end)
        return;
    b->recovery = NONE;
    restore_window(c);
}

static void size_window(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct bbr *b = bbr_of(c);
    step_recovery(c, s);
    uint64_t spare = SPARE_TRAINS * stt_pacer_train_bytes(c->rate_bytes_per_s, c->packet_bytes);
    uint64_t target = filling(c, window_gains[b->mode]) + spare;
    uint64_t grown = c->window_bytes + s->acked_bytes;
    if (b->recovery == CONSERVES)
        set_window(c, stt_at_least(c->window_bytes, s->left_bytes + s->acked_bytes));
    else if (b->is_full)
        set_window(c, stt_at_most(grown, target));
    else if (c->window_bytes < target || s->delivered_bytes < initial_window(c))
        set_window(c, grown);
    if (b->mode == PROBE_RTT)
        set_window(c, 0);
}

/* -- what happened --------------------------------------------------------------------------------
 */

static void init(struct stt_congestion *c, stt_ns now)
{
    *bbr_of(c) = (struct bbr){.min_rtt = c->rtt->has_sample ? c->rtt->smoothed : STT_NEVER,
                              .min_rtt_at = now};
    begin_mode(c, STARTUP);
    c->window_bytes = initial_window(c);
    pace_first(c);
}

/* After idle time the path is empty: no pace is needed to find more, nor to drain it. */
static void on_sent(struct stt_congestion *c, stt_ns now, uint64_t bytes, uint64_t in_flight_bytes,
                    uint64_t last_number)
{
    struct bbr *b = bbr_of(c);
    (void)bytes;
    b->sent_end = last_number + 1;
    if (in_flight_bytes || !b->is_underfed)
        return;
    b->is_restart = true;
    if (b->mode == PROBE_RTT && b->probed_at && now > b->probed_at)
        end_probe_rtt(c, now);
    if (b->mode == PROBE_BW)
        pace(c, ONE);
}

static void on_ack(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    struct bbr *b = bbr_of(c);
    count_rounds(b, s);
    sample_rate(b, s);
    step_phase(c, s);
    end_startup(c, s);
    sample_rtt(c, s);
    if (c->rate_bytes_per_s == STT_UNLIMITED)
        pace_first(c);
    pace(c, pacing_gain(b));
    size_window(c, s);
}

static void recover(struct stt_congestion *c)
{
    struct bbr *b = bbr_of(c);
    if (b->recovery == NONE) {
        save_window(c);
        b->recovery = BEGINS;
        b->conserve_end = b->sent_end;
    }
    b->recovery_end = b->sent_end;
}

static void on_lost(struct stt_congestion *c, stt_ns now, uint64_t bytes, uint64_t newest_lost,
                    stt_ns newest_sent_at)
{
    (void)now, (void)newest_lost, (void)newest_sent_at;
    recover(c);
    set_window(c, c->window_bytes - stt_at_most(c->window_bytes, bytes));
}

static void on_ce(struct stt_congestion *c, const struct stt_ack_sample *s)
{
    (void)s;
    recover(c);
}

/* What was known of the path is of another time: it is measured anew, from the least window. */
static void on_persistent(struct stt_congestion *c, stt_ns now)
{
    struct bbr *b = bbr_of(c);
    (void)now;
    *b = (struct bbr){.min_rtt = b->min_rtt,
                      .min_rtt_at = b->min_rtt_at,
                      .round_end = b->round_end,
                      .sent_end = b->sent_end,
                      .is_second = true};
    begin_mode(c, STARTUP);
    set_window(c, 0);
    pace_first(c);
}

static void on_undo(struct stt_congestion *c, stt_ns now)
{
    struct bbr *b = bbr_of(c);
    (void)now;
    if (b->recovery == NONE)
        return;
    b->recovery = NONE;
    restore_window(c);
}

const struct stt_controller stt_bbr = {
    .name = "bbr",
    .init = init,
    .on_sent = on_sent,
    .on_ack = on_ack,
    .on_lost = on_lost,
    .on_ce = on_ce,
    .on_persistent = on_persistent,
    .on_undo = on_undo,
};
