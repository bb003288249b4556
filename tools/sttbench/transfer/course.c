/* SPDX-License-Identifier: MIT
 * course: owns the lanes and the clock of a test.
 *
 *     gathering -> running (first omitted, then counted) -> settling -> over
 *
 * Invariant: the intervals that are told and not omitted add up to the end's figures. The sender of
 * a lane counts what was acknowledged, its receiver what was read. Must not know how lanes came to
 * be, nor how it is told. Spec 11, "A test" and "Results". */
#include "tools/sttbench/transfer/course.h"

#include "stt/node.h"
#include "tools/sttbench/transfer/picture.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT_MAX = 64 << 20, LANES_KEPT_MAX = 256 << 20 };
#define GRACE_NS STT_S(30) /* for what is on its way when the time is over */

/* -- life -------------------------------------------------------------------------------------- */

static bool sends(const struct course *c, uint32_t lane)
{
    return talk_client_sends(&c->test, lane) == c->is_client;
}

static uint64_t kept_max(const struct course *c)
{
    uint64_t most = c->flags->window ? c->flags->window : KEPT_MAX;
    uint64_t share = LANES_KEPT_MAX / c->n_lanes;
    return most < share ? most : share;
}

static bool make_lanes(struct course *c)
{
    for (uint32_t i = 0; i < c->n_lanes; i++) {
        struct lane_config config = {.ep = stt_node_endpoint(c->node),
                                     .loop = c->loop,
                                     .test = &c->test,
                                     .number = (uint8_t)i,
                                     .sends = sends(c, i),
                                     .kept_max = kept_max(c)};
        if (!lane_init(&c->lanes[i], &config))
            return false;
    }
    return true;
}

bool course_init(struct course *c, const struct course_config *config)
{
    *c = (struct course){.flags = config->flags,
                         .teller = config->teller,
                         .loop = config->loop,
                         .node = config->loop->node,
                         .is_client = config->is_client,
                         .test = *config->test,
                         .token = config->token};
    c->n_lanes = talk_lanes(&c->test);
    c->lanes = calloc(c->n_lanes, sizeof *c->lanes);
    c->results = calloc(c->n_lanes, sizeof *c->results);
    c->other_results = calloc(c->n_lanes, sizeof *c->other_results);
    c->has_other = calloc(c->n_lanes, sizeof *c->has_other);
    if (!c->lanes || !c->results || !c->other_results || !c->has_other || !make_lanes(c)) {
        course_fini(c);
        return false;
    }
    return true;
}

void course_fini(struct course *c)
{
    for (uint32_t i = 0; c->lanes && i < c->n_lanes; i++)
        lane_fini(&c->lanes[i]);
    free(c->lanes);
    free(c->results);
    free(c->other_results);
    free(c->has_other);
    c->lanes = NULL;
    c->results = c->other_results = NULL;
    c->has_other = NULL;
}

void course_join(struct course *c, uint32_t lane, stt_handle session, stt_handle stream)
{
    lane_begin(&c->lanes[lane], session, stream, c->is_client ? TALK_JOIN_BYTES : 0);
    c->n_joined++;
}

bool course_has_joined(const struct course *c, uint32_t lane)
{
    return c->lanes[lane].stream != 0;
}

/* -- the clock --------------------------------------------------------------------------------- */

static bool is_timed(const struct course *c)
{
    return c->test.duration_ns != 0;
}

/* Everything that is counted begins now. */
static void rebase(struct course *c)
{
    stt_ns now = c->loop->now;
    c->counts_from = now;
    c->interval_from = 0;
    c->interval_at = c->flags->interval ? c->flags->interval : STT_NEVER;
    c->left = c->test.bytes;
    side_look(&c->base, c->node);
    for (uint32_t i = 0; i < c->n_lanes; i++) {
        lane_rebase(&c->lanes[i]);
        if (!c->is_omitting && !is_timed(c))
            c->lanes[i].left = &c->left;
    }
}

void course_start(struct course *c)
{
    c->stage = COURSE_RUNNING;
    c->started_at = c->moved_at = c->loop->now;
    c->is_omitting = c->test.omit_ns > 0;
    c->teller->begin(c);
    picture_begin();
    rebase(c);
    for (uint32_t i = 0; i < c->n_lanes; i++)
        lane_start(&c->lanes[i]);
}

static void tell_interval(struct course *c, stt_ns to)
{
    struct course_interval interval = {c->interval_from, to, c->is_omitting};
    if (c->flags->interval && to > c->interval_from) {
        for (uint32_t i = 0; i < c->n_lanes; i++)
            if (!c->lanes[i].is_over) /* of those that are, the last look stands */
                lane_look(&c->lanes[i]);
        c->teller->interval(c, &interval);
        if (c->flags->plot)
            picture_add(c, &interval);
        for (uint32_t i = 0; i < c->n_lanes; i++)
            c->lanes[i].last = c->lanes[i].now;
    }
    c->interval_from = to;
}

/* Where the test should end there is no interval's end: that is where it does end. */
static stt_ns phase_ns(const struct course *c)
{
    return c->is_omitting ? c->test.omit_ns : is_timed(c) ? c->test.duration_ns : STT_NEVER;
}

static void turn_intervals(struct course *c)
{
    stt_ns time = c->loop->now - c->counts_from, step = c->flags->interval;
    if (c->interval_at == phase_ns(c))
        c->interval_at += step;
    if (c->interval_at <= time) {
        tell_interval(c, time);
        while (c->interval_at <= time)
            c->interval_at += step;
    }
    if (step)
        loop_wake_at(c->loop, c->counts_from + c->interval_at);
}

/* True: FIN was said, which goes with the next step. */
static bool turn_phases(struct course *c)
{
    stt_ns now = c->loop->now, ends = phase_ns(c);
    bool is_over = ends != STT_NEVER && now - c->counts_from >= ends;
    if (is_over && c->is_omitting) {
        tell_interval(c, now - c->counts_from);
        c->is_omitting = false;
        rebase(c);
    } else if (is_over && !c->has_stopped) {
        c->has_stopped = true;
        for (uint32_t i = 0; i < c->n_lanes; i++)
            lane_finish(&c->lanes[i]);
        return true;
    }
    if (!c->has_stopped && phase_ns(c) != STT_NEVER)
        loop_wake_at(c->loop, c->counts_from + phase_ns(c));
    return false;
}

/* -- silence ----------------------------------------------------------------------------------- */

static stt_ns patience(const struct course *c)
{
    double block = c->test.rate_bits_per_s
                       ? (double)c->test.block_bytes * 8e9 / (double)c->test.rate_bits_per_s
                       : 0;
    stt_ns wait = block > 86400e9 ? STT_S(86400) : 2 * (stt_ns)block;
    return wait > GRACE_NS ? wait : GRACE_NS;
}

/* What is timed ends in time; what is counted goes on while something moves, for a day. */
static bool is_too_late(struct course *c)
{
    stt_ns now = c->loop->now, at = c->moved_at + patience(c);
    uint64_t moved = c->n_other;
    for (uint32_t i = 0; i < c->n_lanes; i++)
        moved += c->lanes[i].written + c->lanes[i].read + c->lanes[i].is_over;
    if (moved != c->moved) {
        c->moved = moved;
        c->moved_at = now;
    }
    if (is_timed(c))
        at = c->started_at + c->test.omit_ns + c->test.duration_ns + GRACE_NS;
    else if (at > c->started_at + c->test.omit_ns + TALK_DURATION_MAX_NS)
        at = c->started_at + c->test.omit_ns + TALK_DURATION_MAX_NS;
    loop_wake_at(c->loop, at);
    return now >= at;
}

/* -- turns ------------------------------------------------------------------------------------- */

static bool are_over(const struct course *c)
{
    for (uint32_t i = 0; i < c->n_lanes; i++)
        if (!c->lanes[i].is_over)
            return false;
    return true;
}

static void take_results(struct course *c)
{
    struct side_seen now;
    c->ended_at = c->loop->now;
    side_look(&now, c->node);
    c->side = side_since(&now, &c->base);
    for (uint32_t i = 0; i < c->n_lanes; i++) {
        if (!c->lanes[i].is_over)
            c->lanes[i].ended_at = c->loop->now;
        lane_result(&c->lanes[i], &c->results[i]);
    }
}

void course_stop(struct course *c)
{
    if (c->stage == COURSE_RUNNING) {
        tell_interval(c, c->loop->now - c->counts_from);
        for (uint32_t i = 0; i < c->n_lanes; i++)
            if (!c->lanes[i].is_over)
                lane_look(&c->lanes[i]);
        take_results(c);
    }
    if (c->stage != COURSE_GATHERING)
        c->stage = COURSE_OVER;
}

enum course_turn course_turn(struct course *c)
{
    if (c->stage == COURSE_GATHERING || c->stage == COURSE_OVER)
        return COURSE_IDLE;
    if (is_too_late(c))
        return COURSE_TOO_LATE;
    if (c->stage == COURSE_SETTLING)
        return COURSE_IDLE;
    bool is_busy = turn_phases(c);
    for (uint32_t i = 0; i < c->n_lanes; i++)
        is_busy = lane_turn(&c->lanes[i]) || is_busy;
    if (!are_over(c)) {
        turn_intervals(c);
        return is_busy ? COURSE_BUSY : COURSE_IDLE;
    }
    tell_interval(c, c->loop->now - c->counts_from);
    take_results(c);
    c->stage = COURSE_SETTLING;
    return COURSE_HAS_RESULTS;
}

bool course_on_stream(struct course *c, uint32_t lane, const struct stt_stream_event *event)
{
    return lane_on_stream(&c->lanes[lane], event);
}

/* -- results ----------------------------------------------------------------------------------- */

bool course_say_results(const struct course *c, struct channel *channel)
{
    struct talk_message m = {.type = TALK_SIDE, .side = c->side};
    if (!channel_say(channel, c->loop->now, &m))
        return false;
    for (uint32_t i = 0; i < c->n_lanes; i++) {
        m = (struct talk_message){.type = TALK_LANE, .lane = c->results[i]};
        if (!channel_say(channel, c->loop->now, &m))
            return false;
    }
    if (!channel_say_word(channel, c->loop->now, TALK_DONE))
        return false;
    channel_finish(channel, c->loop->now);
    return true;
}

static bool take_lane(struct course *c, const struct talk_lane *l)
{
    if (l->lane >= c->n_lanes || c->has_other[l->lane] || !c->has_other_side)
        return false;
    c->other_results[l->lane] = *l;
    c->has_other[l->lane] = true;
    c->n_other++;
    return true;
}

bool course_on_message(struct course *c, const struct talk_message *m)
{
    if (c->stage == COURSE_GATHERING || c->has_heard_done)
        return false;
    switch (m->type) {
    case TALK_SIDE:
        if (c->has_other_side)
            return false;
        c->other_side = m->side;
        c->has_other_side = true;
        return true;
    case TALK_LANE:
        return take_lane(c, &m->lane);
    case TALK_DONE:
        c->has_heard_done = true;
        return c->n_other == c->n_lanes;
    default:
        return false;
    }
}

const struct talk_lane *course_sent(const struct course *c, uint32_t lane)
{
    if (c->lanes[lane].sends)
        return &c->results[lane];
    return c->has_other[lane] ? &c->other_results[lane] : NULL;
}

const struct talk_lane *course_received(const struct course *c, uint32_t lane)
{
    if (!c->lanes[lane].sends)
        return &c->results[lane];
    return c->has_other[lane] ? &c->other_results[lane] : NULL;
}

enum exits course_judge(const struct course *c, char why[OPTION_WHY_ROOM])
{
    bool verifies = c->test.flags & TALK_VERIFY;
    for (uint32_t i = 0; i < c->n_lanes; i++) {
        const struct talk_lane *sent = course_sent(c, i), *came = course_received(c, i);
        if (sent->all_bytes != came->all_bytes)
            options_refuse(why, "payload is wrong: %llu bytes were sent and %llu came in lane %u",
                           (unsigned long long)sent->all_bytes, (unsigned long long)came->all_bytes,
                           i);
        else if (verifies && sent->hash != came->hash)
            options_refuse(why,
                           "payload is wrong: what came in lane %u has hash %016llx, and what was "
                           "sent %016llx",
                           i, (unsigned long long)came->hash, (unsigned long long)sent->hash);
        else
            continue;
        return EXIT_INTEGRITY;
    }
    return EXIT_DONE;
}

/* -- what limited it --------------------------------------------------------------------------- */

static void add_lane(struct diagnosis *d, const struct talk_lane *l)
{
#define ROW(X, upper, name, words) d->held_ns[STT_HELD_##upper] += l->held_by_##name##_ns;
    STT_HELD_BY(ROW, )
#undef ROW
    d->ring_full_ns += l->ring_full_ns;
    d->packets_sent += l->packets_sent;
    d->packets_lost += l->packets_lost;
    d->packets_spurious += l->packets_spurious;
    d->rtt_ns = l->rtt_mean_ns > d->rtt_ns ? l->rtt_mean_ns : d->rtt_ns;
    d->rtt_min_ns = l->rtt_min_ns > d->rtt_min_ns ? l->rtt_min_ns : d->rtt_min_ns;
    d->time_ns = l->time_ns > d->time_ns ? l->time_ns : d->time_ns;
    d->sessions++;
}

bool course_diagnose(const struct course *c, bool ours, char sentence[DIAGNOSIS_ROOM],
                     enum diagnosis_limit *limit)
{
    struct diagnosis d = DIAGNOSIS_INIT;
    struct diagnosis_side here = side_diagnosis(&c->side), there = side_diagnosis(&c->other_side);
    for (uint32_t i = 0; i < c->n_lanes; i++)
        if (c->lanes[i].sends == ours && course_sent(c, i))
            add_lane(&d, course_sent(c, i));
    if (!d.sessions)
        return false;
    d.sender = ours ? here : there;
    d.receiver = ours ? there : here;
    if (c->test.rate_bits_per_s)
        d.rate_bits_per_s = (double)c->test.rate_bits_per_s * d.sessions;
    *limit = diagnosis_find(&d, sentence);
    return true;
}
