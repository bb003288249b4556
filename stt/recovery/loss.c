/* SPDX-License-Identifier: MIT
 * loss: reads what became of packets from ACKs and from time. The cost of an ACK is in its ranges
 * and in the packets that it newly settles. Invariants: between two calls no pull is under way;
 * nothing below lost_from is SENT; at[].in_flight_bytes is the sum over the SENT packets of that
 * path. It must not know what a piece or an owed bit means, nor how the window follows. Spec 06,
 * "Packet sent", "Ack received", "Loss", "Timer", "Path change". */
#include "stt/recovery/loss.h"

#include <assert.h>
#include <string.h>

/* The flags of a packet whose loss says something of the path. */
#define PLAIN (STT_PACKET_ELICITS | STT_PACKET_ECT)

enum phase { IDLE, PULLS_ACKED, PULLS_LOST, PULLS_UNANSWERED, PULLS_FORGOTTEN };

/* Of the pull. */
static stt_ns now_of(const struct stt_loss *l)
{
    return l->outcome.sample.now;
}

/* -- birth, paths ---------------------------------------------------------------------------------
 */

static void draw_skip(struct stt_loss *l, uint64_t number, uint32_t random)
{
    uint32_t mean = (uint32_t)stt_at_least(STT_NUMBER_SKIP_MEAN, l->flight.n_sent / 8);
    l->skip_at = number + 1 + random % (2 * mean);
}

static void begin_path(struct stt_loss *l, unsigned path)
{
    l->at[path] = (struct stt_loss_path){.rtt = STT_RTT_INIT,
                                         .id = ++l->last_path_id,
                                         .reorder_steps = 1,
                                         .reorder_packets = STT_LOST_AFTER_PACKETS,
                                         .round_end = l->sent_end,
                                         .reduced_from = l->sent_end,
                                         .reduced_end = l->sent_end,
                                         .persistent_end = l->sent_end};
}

void stt_loss_init(struct stt_loss *l, const struct stt_env *env, uint32_t random)
{
    *l = (struct stt_loss){.env = env, .loss_at = STT_NEVER, .row_first = UINT64_MAX};
    begin_path(l, 0);
    draw_skip(l, 0, random);
}

void stt_loss_free(struct stt_loss *l)
{
    stt_flight_free(&l->flight, l->env);
}

void stt_loss_trim(struct stt_loss *l)
{
    if (l->flight.n_sent)
        return;
    stt_flight_free(&l->flight, l->env); /* late acks will tell nothing */
}

void stt_loss_path_new(struct stt_loss *l, unsigned path, bool keeps_estimates)
{
    const struct stt_loss_path before = *stt_loss_path(l);
    begin_path(l, path);
    if (keeps_estimates) {
        uint32_t id = l->at[path].id;
        l->at[path] = before;
        l->at[path].id = id;
        l->at[path].in_flight_bytes = 0;
        l->at[path].may_undo = false;
    }
    l->in_use = (uint8_t)path;
}

void stt_loss_path_kept(struct stt_loss *l)
{
    l->at[!l->in_use].id = 0;
}

/* NULL for a train of a path that is not, or no longer, here. */
static struct stt_loss_path *path_of(struct stt_loss *l, const struct stt_flight_train *train)
{
    if (!train->path)
        return NULL;
    if (l->at[l->in_use].id == train->path)
        return &l->at[l->in_use];
    return l->at[!l->in_use].id == train->path ? &l->at[!l->in_use] : NULL;
}

/* -- records of the lost --------------------------------------------------------------------- */

static void drop(struct stt_flight *f, struct stt_packet *p)
{
    if (p->state == STT_PACKET_LOST) {
        stt_flight_drop_pieces(f, p->piece.more);
        stt_flight_train(f, p->train)->open--;
    }
    p->state = STT_PACKET_NONE;
    stt_flight_close(f, f->first, f->first + 1);
}

static bool is_awaited(const struct stt_flight *f, const struct stt_packet *p, stt_ns now,
                       stt_ns wait)
{
    return p->state == STT_PACKET_SENT ||
           (p->state == STT_PACKET_LOST && now - stt_flight_train(f, p->train)->lost_at < wait);
}

/* The oldest open numbers are dropped: of packets that were declared lost so long ago, and those
 * left out, once everything below them is settled. */
static void drop_lost(struct stt_loss *l, stt_ns now, stt_ns wait)
{
    struct stt_flight *f = &l->flight;
    for (stt_flight_advance(f); f->n_open; stt_flight_advance(f)) {
        struct stt_packet *p = stt_flight_slot(f, f->first);
        if (is_awaited(f, p, now, wait))
            return;
        drop(f, p);
    }
}

/* For a round trip an ack may still come. */
static void drop_old(struct stt_loss *l, stt_ns now)
{
    const struct stt_rtt *rtt = &stt_loss_path(l)->rtt;
    drop_lost(l, now, stt_at_least(rtt->smoothed, rtt->latest));
}

/* Where there is no room for more, it is taken from those of which little is expected; and where
 * nothing is in flight, room is not taken for so many numbers that they would lie in between. */
static int reserve(struct stt_loss *l, stt_ns now, struct stt_range numbers, size_t more)
{
    if (!stt_loss_may_number(l, numbers.to))
        return STT_E_LIMIT;
    if (!l->flight.n_sent && numbers.to - l->flight.first >= STT_UNANSWERED_NUMBERS_MAX)
        drop_lost(l, now, 0);
    int error = stt_flight_reserve(&l->flight, l->env, numbers, more);
    if (error != STT_E_LIMIT)
        return error;
    drop_lost(l, now, 0);
    return stt_flight_reserve(&l->flight, l->env, numbers, more);
}

/* -- sending --------------------------------------------------------------------------------------
 */

static void take_snapshot(const struct stt_loss *l, struct stt_loss_path *path,
                          struct stt_flight_train *train)
{
    if (!path->in_flight_bytes)
        path->first_at = path->delivered_at = train->at; /* what was not sent was not slow */
    train->path = path->id;
    train->first_at = path->first_at;
    train->delivered_at = path->delivered_at;
    train->delivered_bytes = path->delivered_bytes;
    train->is_underfed = path->acked_end < l->underfed_end;
}

int stt_loss_begin_train(struct stt_loss *l, stt_ns now, unsigned path, struct stt_range numbers,
                         size_t more)
{
    int error = reserve(l, now, numbers, more);
    if (error)
        return error;
    struct stt_flight_train *train = stt_flight_begin(&l->flight);
    *train = (struct stt_flight_train){.at = now};
    if (path != STT_LOSS_ELSEWHERE)
        take_snapshot(l, &l->at[path], train);
    l->is_in_train = true;
    l->train_bytes = l->train_eliciting = 0;
    return STT_OK;
}

void stt_loss_end_train(struct stt_loss *l, bool is_app_limited)
{
    struct stt_flight_train *train = stt_flight_train(&l->flight, l->flight.next_train - 1);
    struct stt_loss_path *path = path_of(l, train);
    assert(l->is_in_train);
    l->is_in_train = false;
    train->is_app_limited = is_app_limited;
    train->is_underfed = train->is_underfed || is_app_limited;
    l->flight.n_eliciting += l->train_eliciting;
    if (l->train_eliciting)
        l->pto_base = train->at;
    if (!path)
        return;
    path->in_flight_bytes += l->train_bytes;
    if (is_app_limited)
        l->underfed_end = l->sent_end + 1;
}

void stt_loss_on_skipped(struct stt_loss *l, uint64_t number, uint32_t random)
{
    assert(number >= l->sent_end && l->is_in_train);
    stt_flight_skip(&l->flight, number);
    l->sent_end = number + 1;
    draw_skip(l, number, random);
}

/* -- runs -----------------------------------------------------------------------------------------
 */

static void open_run(struct stt_settled *run, enum stt_settled_kind kind, uint64_t number,
                     const struct stt_packet *p)
{
    *run = (struct stt_settled){.kind = kind,
                                .stream = p->piece.stream,
                                .first = number,
                                .end = number + 1,
                                .offset = p->piece.offset,
                                .len = p->piece.len,
                                .bytes = p->bytes,
                                .largest_bytes = p->bytes,
                                .owes = p->piece.owes,
                                .fin = p->piece.fin,
                                .is_size_probe = p->flags & STT_PACKET_SIZE_PROBE,
                                .was_lost = p->state == STT_PACKET_LOST &&
                                            !(p->flags & STT_PACKET_FORGOTTEN)};
}

/* The packet goes on where the run ends, whose last packet is `last` and has one piece only. */
static inline bool continues(const struct stt_settled *run, const struct stt_packet *last,
                             const struct stt_packet *p)
{
    return p->piece.stream == run->stream && p->piece.offset == run->offset + run->len &&
           p->state == last->state && !((p->flags | last->flags) & ~PLAIN);
}

static inline void extend_run(struct stt_settled *run, const struct stt_packet *p)
{
    run->end++;
    run->len += p->piece.len;
    run->bytes += p->bytes;
    run->largest_bytes = p->bytes > run->largest_bytes ? p->bytes : run->largest_bytes;
    run->owes |= p->piece.owes;
    run->fin = run->fin || p->piece.fin;
}

static void close_run(struct stt_loss *l, const struct stt_settled *run)
{
    l->number = run->end;
    l->more = stt_flight_slot(&l->flight, run->end - 1)->piece.more;
    l->more_kind = (uint8_t)run->kind;
    l->more_number = run->end;
}

/* What else the last packet of a run carried. That of a lost one is kept for a late ack. */
static bool next_piece(struct stt_loss *l, struct stt_settled *run)
{
    struct stt_piece *piece = &l->flight.pieces[l->more - 1];
    uint32_t place = l->more;
    *run = (struct stt_settled){.kind = l->more_kind,
                                .stream = piece->stream,
                                .first = l->more_number,
                                .end = l->more_number,
                                .offset = piece->offset,
                                .len = piece->len,
                                .owes = piece->owes,
                                .fin = piece->fin};
    l->more = piece->more;
    if (run->kind == STT_SETTLED_ACKED) {
        piece->more = 0;
        stt_flight_drop_pieces(&l->flight, place);
    }
    return true;
}

/* -- acknowledged ---------------------------------------------------------------------------------
 */

static void on_spurious(struct stt_loss *l, struct stt_loss_path *path, struct stt_range numbers)
{
    uint64_t from = stt_at_least(numbers.from, path->reduced_from);
    uint64_t to = stt_at_most(numbers.to, path->reduced_end);
    if (from < to)
        path->reduced_lost -= (uint32_t)stt_at_most(path->reduced_lost, to - from);
    uint64_t distance = l->acked_end > numbers.from ? l->acked_end - numbers.from : 0;
    if (distance > path->reorder_packets)
        path->reorder_packets = (uint32_t)stt_at_most(distance, STT_LOSS_REORDER_PACKETS_MAX + 1);
    if (!path->round_is_spurious && path->reorder_steps < STT_LOSS_REORDER_STEPS_MAX)
        path->reorder_steps++;
    path->round_is_spurious = true;
}

/* Packets of consecutive numbers that were of one train, and in one state. */
struct tally {
    uint64_t from, to;
    uint64_t bytes;
    uint32_t train, eliciting, ect;
    uint8_t state, flags;
};

static inline void count(struct tally *t, const struct stt_packet *p)
{
    t->to++;
    t->bytes += p->bytes;
    t->eliciting += p->flags & STT_PACKET_ELICITS;
    t->ect += (p->flags & STT_PACKET_ECT) != 0;
}

static inline struct tally tally_of(uint64_t number, const struct stt_packet *p)
{
    return (struct tally){number, number, 0, p->train, 0, 0, p->state, p->flags};
}

static void settle_in_path(struct stt_loss *l, struct stt_loss_path *path, const struct tally *t)
{
    struct stt_loss_outcome *o = &l->outcome;
    path->delivered_bytes += t->bytes;
    path->delivered_at = stt_at_least(path->delivered_at, now_of(l) - STT_US(l->ack_delay_us));
    path->acked_end = stt_at_least(path->acked_end, t->to);
    if (t->state == STT_PACKET_SENT)
        path->in_flight_bytes -= t->bytes;
    else if (!(t->flags & ~PLAIN))
        on_spurious(l, path, (struct stt_range){t->from, t->to});
    if (path != stt_loss_path(l))
        return;
    o->acked_ect += t->ect;
    if (!o->sample.acked_bytes || t->to > o->sample.newest_number) {
        o->sample.newest_number = t->to - 1;
        l->newest_train = t->train;
    }
    o->sample.acked_bytes += t->bytes;
}

static void settle(struct stt_loss *l, const struct tally *t)
{
    struct stt_flight_train *train = stt_flight_train(&l->flight, t->train);
    struct stt_loss_path *path = path_of(l, train);
    uint32_t packets = (uint32_t)(t->to - t->from);
    train->open -= packets;
    l->outcome.acked_packets += packets;
    if (t->state == STT_PACKET_SENT) {
        l->flight.n_sent -= packets;
        l->flight.n_eliciting -= t->eliciting;
    } else if (!(t->flags & STT_PACKET_FORGOTTEN)) {
        l->outcome.spurious_packets += packets;
    }
    if (path)
        settle_in_path(l, path, t);
}

/* The open packet l->number and what continues it, up to l->to. This is where the time goes: a few
 * instructions for a packet, everything else for a train. False: there is no such packet. */
static bool take_acked(struct stt_loss *l, struct stt_settled *run)
{
    struct stt_flight *f = &l->flight;
    uint64_t number = l->number;
    struct stt_packet *p = stt_flight_slot(f, number), *last;
    struct tally t = tally_of(number, p);
    l->outcome.is_invalid = p->state == STT_PACKET_SKIPPED;
    if (l->outcome.is_invalid)
        return false;
    open_run(run, STT_SETTLED_ACKED, number, p);
    for (;;) {
        count(&t, p);
        last = p;
        p = stt_flight_slot(f, ++number);
        bool goes_on = number < l->to && !last->piece.more && continues(run, last, p);
        last->state = STT_PACKET_ACKED;
        if (!goes_on)
            break;
        if (p->train != t.train) {
            settle(l, &t);
            t = tally_of(number, p);
        }
        extend_run(run, p);
    }
    settle(l, &t);
    stt_flight_close(f, run->first, run->end);
    close_run(l, run);
    return true;
}

static bool next_acked(struct stt_loss *l, struct stt_settled *run)
{
    struct stt_flight *f = &l->flight;
    struct stt_range range;
    for (;;) {
        l->number = stt_flight_find(f, l->number, l->to);
        if (l->number < l->to)
            return take_acked(l, run);
        if (!stt_frame_ack_next(&l->walk, &range) || range.to <= f->first)
            return false;
        l->number = stt_at_least(range.from, f->first);
        l->to = stt_at_most(range.to, f->next);
    }
}

/* -- after the acknowledged ones ------------------------------------------------------------------
 */

static void end_round(struct stt_loss *l, struct stt_loss_path *path)
{
    if (l->acked_end <= path->round_end)
        return;
    path->round_end = l->sent_end;
    path->quiet_rounds = path->round_is_spurious ? 0 : (uint8_t)(path->quiet_rounds + 1);
    path->round_is_spurious = false;
    if (path->quiet_rounds < STT_LOSS_QUIET_ROUNDS)
        return;
    path->quiet_rounds = 0;
    path->reorder_steps = 1;
    path->reorder_packets = STT_LOST_AFTER_PACKETS;
}

/* Every loss of the last reduction has been acknowledged: it was none. */
static void undo(struct stt_loss *l, struct stt_loss_path *path)
{
    if (!l->outcome.spurious_packets || !path->may_undo || path->reduced_lost)
        return;
    path->may_undo = false;
    path->reduced_end = path->reduced_from;
    l->outcome.is_undone = true;
}

/* Whatever the peer says of its delay, nothing came faster than in the shortest round trip. */
static void sample_rate(struct stt_loss *l, struct stt_loss_path *path)
{
    struct stt_ack_sample *s = &l->outcome.sample;
    const struct stt_flight_train *train = stt_flight_train(&l->flight, l->newest_train);
    stt_ns sent_in = train->at - train->first_at, acked_in = now_of(l) - train->delivered_at;
    s->newest_sent_at = train->at;
    s->newest_delivered_bytes = train->delivered_bytes;
    s->delivered_bytes = path->delivered_bytes;
    s->is_app_limited = train->is_app_limited;
    s->is_underfed = train->is_underfed;
    if (path->rtt.has_sample && stt_at_least(sent_in, acked_in) >= path->rtt.min)
        s->interval_bytes = path->delivered_bytes - train->delivered_bytes;
    acked_in = stt_at_least(path->delivered_at - train->delivered_at, path->rtt.min);
    s->interval_ns = stt_at_least(sent_in, acked_in);
    path->first_at = stt_at_least(path->first_at, train->at);
}

static void after_acked(struct stt_loss *l)
{
    struct stt_loss_path *path = stt_loss_path(l);
    l->acked_end = stt_at_least(l->acked_end, l->largest + 1);
    l->backoff = 0;
    end_round(l, path);
    undo(l, path);
    if (l->outcome.sample.acked_bytes)
        sample_rate(l, path);
}

/* -- lost -----------------------------------------------------------------------------------------
 */

static stt_ns reorder_time(const struct stt_loss_path *path)
{
    stt_ns rtt = stt_at_least(path->rtt.smoothed, path->rtt.latest);
    return stt_at_least(rtt + rtt / 8 * path->reorder_steps, STT_LOSS_GRANULARITY_NS);
}

/* Of a SENT one below the largest acknowledged. */
static bool is_lost(struct stt_loss *l, uint64_t number, const struct stt_packet *p)
{
    const struct stt_loss_path *path = stt_loss_path(l);
    if (path->is_reliable && path_of(l, stt_flight_train(&l->flight, p->train)) == path)
        return number < path->acked_end;
    bool counts = path->reorder_packets <= STT_LOSS_REORDER_PACKETS_MAX;
    return (counts && l->acked_end - 1 - number >= path->reorder_packets) ||
           now_of(l) - stt_flight_train(&l->flight, p->train)->at >= reorder_time(path);
}

/* Takes it out of flight; answers its path, if that is still here. */
static struct stt_loss_path *lose(struct stt_loss *l, struct stt_packet *p)
{
    struct stt_flight_train *train = stt_flight_train(&l->flight, p->train);
    struct stt_loss_path *path = path_of(l, train);
    p->state = STT_PACKET_LOST;
    train->lost_at = now_of(l);
    l->flight.n_sent--;
    l->flight.n_eliciting -= p->flags & STT_PACKET_ELICITS;
    if (path)
        path->in_flight_bytes -= p->bytes;
    return path;
}

static void lose_by_path(struct stt_loss *l, uint64_t number, struct stt_packet *p)
{
    struct stt_loss_outcome *o = &l->outcome;
    const struct stt_loss_path *in_use = stt_loss_path(l), *path = lose(l, p);
    o->lost_packets++;
    if (number < l->by_size_end && p->bytes > l->by_size_bytes)
        p->flags |= STT_PACKET_BY_SIZE;
    if (path != in_use || (p->flags & (STT_PACKET_SIZE_PROBE | STT_PACKET_BY_SIZE)))
        return;
    o->sample.lost_bytes += p->bytes;
    o->newest_lost = number;
    o->newest_lost_sent_at = stt_flight_train(&l->flight, p->train)->at;
    l->new_lost += number >= path->reduced_end;
    l->old_lost += number >= path->reduced_from && number < path->reduced_end;
    l->least_lost = (uint16_t)stt_at_most(l->least_lost, p->bytes);
}

/* The lowest SENT number below `to`, or `to`. */
static uint64_t find_sent(const struct stt_loss *l, uint64_t from, uint64_t to)
{
    const struct stt_flight *f = &l->flight;
    uint64_t number = stt_flight_find(f, from, to);
    while (number < to && stt_flight_slot(f, number)->state != STT_PACKET_SENT)
        number = stt_flight_find(f, number + 1, to);
    return number;
}

static bool next_lost(struct stt_loss *l, struct stt_settled *run)
{
    uint64_t to = l->acked_end, number = find_sent(l, l->lost_from, to);
    l->lost_from = number;
    l->loss_at = STT_NEVER;
    if (number >= to)
        return false;
    struct stt_packet *p = stt_flight_slot(&l->flight, number);
    if (!is_lost(l, number, p)) {
        l->loss_at = stt_loss_path(l)->is_reliable ? STT_NEVER
                                                   : stt_flight_train(&l->flight, p->train)->at +
                                                         reorder_time(stt_loss_path(l));
        return false;
    }
    open_run(run, STT_SETTLED_LOST, number, p);
    while (++number < to && !p->piece.more) {
        struct stt_packet *last = p;
        p = stt_flight_slot(&l->flight, number);
        if (!continues(run, last, p) || !is_lost(l, number, p))
            break;
        extend_run(run, p);
    }
    for (number = run->first; number < run->end; number++)
        lose_by_path(l, number, stt_flight_slot(&l->flight, number));
    close_run(l, run);
    l->lost_from = run->end;
    return true;
}

/* Two packets that elicit an ack, both lost, none between them acknowledged, so far apart. */
static bool has_gap_of(struct stt_loss *l, uint64_t from, stt_ns duration)
{
    const struct stt_loss_path *path = stt_loss_path(l);
    stt_ns since = STT_NEVER;
    for (uint64_t n = from; n <= l->outcome.newest_lost; n++) {
        const struct stt_packet *p = stt_flight_slot(&l->flight, n);
        const struct stt_flight_train *train = stt_flight_train(&l->flight, p->train);
        if (p->state == STT_PACKET_ACKED)
            since = STT_NEVER;
        if (p->state != STT_PACKET_LOST || train->path != path->id ||
            (p->flags & ~STT_PACKET_ECT) != STT_PACKET_ELICITS || train->at < path->first_sample_at)
            continue;
        since = stt_at_most(since, train->at);
        if (train->at - since > duration)
            return true;
    }
    return false;
}

/* The numbers are walked only where a long time lies between the oldest and the newest loss: after
 * an outage, and once. */
static bool is_persistent(struct stt_loss *l)
{
    struct stt_loss_path *path = stt_loss_path(l);
    stt_ns duration = STT_LOSS_PERSISTENT_PTO * stt_loss_pto(l);
    uint64_t end = l->outcome.newest_lost + 1;
    uint64_t from = stt_flight_find(&l->flight, path->persistent_end, end);
    if (!path->rtt.has_sample || from == end)
        return false;
    const struct stt_packet *oldest = stt_flight_slot(&l->flight, from);
    stt_ns oldest_at = stt_flight_train(&l->flight, oldest->train)->at;
    if (l->outcome.newest_lost_sent_at - oldest_at <= duration || !has_gap_of(l, from, duration))
        return false;
    path->persistent_end = end;
    return true;
}

void stt_loss_on_black_hole(struct stt_loss *l, uint32_t bytes)
{
    l->has_fallen = true;
    l->by_size_end = l->sent_end;
    l->by_size_bytes = (uint16_t)bytes;
}

/* The row of large packets began in the last reduction, which can be taken back. */
static bool is_of_row(const struct stt_loss *l, const struct stt_loss_path *path)
{
    return path->may_undo && l->row_first >= path->reduced_from && l->row_first < path->reduced_end;
}

/* A black hole is no congestion, unless something smaller was lost as well. */
static void take_back(struct stt_loss *l, struct stt_loss_path *path)
{
    if (is_of_row(l, path) && path->reduced_least > l->by_size_bytes) {
        path->may_undo = false;
        path->reduced_end = path->reduced_from;
        l->outcome.is_undone = true;
    }
    if (l->least_lost > l->by_size_bytes)
        l->outcome.sample.lost_bytes = 0;
}

static void begin_reduction(struct stt_loss *l, struct stt_loss_path *path)
{
    l->outcome.is_continued = is_of_row(l, path);
    if (!l->outcome.is_continued) {
        path->reduced_from = path->reduced_end;
        path->reduced_lost = l->old_lost = 0;
        path->reduced_least = UINT16_MAX;
    }
    path->reduced_end = l->sent_end;
    path->may_undo = true;
}

/* Of which reduction these losses are: the controller's rule is the same. */
static void after_lost(struct stt_loss *l)
{
    struct stt_loss_path *path = stt_loss_path(l);
    if (l->has_fallen)
        take_back(l, path);
    if (!l->outcome.sample.lost_bytes)
        return;
    if (l->new_lost)
        begin_reduction(l, path);
    path->reduced_lost += l->new_lost + l->old_lost;
    path->reduced_least = (uint16_t)stt_at_most(path->reduced_least, l->least_lost);
    l->outcome.is_persistent = is_persistent(l);
    if (l->outcome.is_persistent)
        path->may_undo = false;
}

/* -- unanswered, forgotten ------------------------------------------------------------------------
 */

static bool holds_something(const struct stt_packet *p)
{
    return p->piece.stream != STT_NO_STREAM || p->piece.owes || p->piece.more;
}

static bool next_unanswered(struct stt_loss *l, struct stt_settled *run)
{
    const struct stt_packet *p;
    if (!l->probes_left)
        return false;
    do {
        l->number = find_sent(l, l->number, l->to);
        if (l->number >= l->to)
            return false;
        p = stt_flight_slot(&l->flight, l->number++);
    } while (!holds_something(p));
    l->probes_left--;
    open_run(run, STT_SETTLED_UNANSWERED, l->number - 1, p);
    close_run(l, run);
    return true;
}

static bool next_forgotten(struct stt_loss *l, struct stt_settled *run)
{
    struct stt_packet *p;
    uint32_t only = l->forgotten_path;
    do {
        l->number = find_sent(l, l->number, l->to);
        if (l->number >= l->to)
            return false;
        p = stt_flight_slot(&l->flight, l->number++);
    } while (only && stt_flight_train(&l->flight, p->train)->path != only);
    lose(l, p);
    p->flags |= STT_PACKET_FORGOTTEN;
    open_run(run, STT_SETTLED_LOST, l->number - 1, p);
    close_run(l, run);
    return true;
}

/* -- the pull -------------------------------------------------------------------------------------
 */

static void begin(struct stt_loss *l, stt_ns now, enum phase phase)
{
    assert(l->phase == IDLE && !l->is_in_train);
    l->phase = (uint8_t)phase;
    l->number = l->to = 0;
    l->new_lost = l->old_lost = 0;
    l->least_lost = UINT16_MAX;
    l->has_fallen = false;
    l->outcome = (struct stt_loss_outcome){
        .sample = {.now = now, .in_flight_bytes = stt_loss_path(l)->in_flight_bytes}};
}

static void finish(struct stt_loss *l)
{
    l->phase = IDLE;
    l->lost_packets += l->outcome.lost_packets;
    l->spurious_packets += l->outcome.spurious_packets;
    l->outcome.sample.left_bytes = stt_loss_path(l)->in_flight_bytes;
    drop_old(l, now_of(l));
}

/* Once all of a phase is pulled: what comes after it. */
static void end_phase(struct stt_loss *l)
{
    if (l->phase == PULLS_ACKED && l->outcome.acked_packets && !l->outcome.is_invalid) {
        after_acked(l);
        l->phase = PULLS_LOST;
        return;
    }
    if (l->phase == PULLS_LOST)
        after_lost(l);
    finish(l);
}

bool stt_loss_next(struct stt_loss *l, struct stt_settled *settled)
{
    static bool (*const next[])(struct stt_loss *, struct stt_settled *) = {
        [PULLS_ACKED] = next_acked,
        [PULLS_LOST] = next_lost,
        [PULLS_UNANSWERED] = next_unanswered,
        [PULLS_FORGOTTEN] = next_forgotten,
    };
    if (l->more)
        return next_piece(l, settled);
    while (l->phase != IDLE) {
        if (next[l->phase](l, settled))
            return true;
        end_phase(l);
    }
    return false;
}

void stt_loss_tell(const struct stt_loss *l, struct stt_congestion *c)
{
    const struct stt_loss_outcome *o = &l->outcome;
    if (o->is_undone)
        c->controller->on_undo(c, now_of(l));
    c->is_continued = o->is_continued;
    if (o->sample.lost_bytes)
        c->controller->on_lost(c, now_of(l), o->sample.lost_bytes, o->newest_lost,
                               o->newest_lost_sent_at);
    if (o->is_persistent)
        c->controller->on_persistent(c, now_of(l));
    if (o->sample.acked_bytes)
        c->controller->on_ack(c, &o->sample);
}

/* -- what happened --------------------------------------------------------------------------------
 */

void stt_loss_on_rtt(struct stt_loss *l, stt_ns now, stt_ns sample, stt_ns ack_delay)
{
    struct stt_loss_path *path = stt_loss_path(l);
    if (!path->rtt.has_sample)
        path->first_sample_at = now;
    stt_rtt_sample(&path->rtt, now, sample, ack_delay);
}

/* The peer's word, clamped to what it may claim, and to how long we have been here. */
static uint32_t ack_delay_us(const struct stt_loss *l, stt_ns now, const struct frame_ack *ack)
{
    uint64_t most = stt_at_most(l->max_ack_delay_ns, now) / STT_US(1);
    return (uint32_t)stt_at_most(stt_at_most(ack->delay_us, most), UINT32_MAX);
}

static void sample_rtt(struct stt_loss *l, const struct frame_ack *ack)
{
    struct stt_flight *f = &l->flight;
    uint64_t number = ack->largest;
    if (stt_flight_find(f, number, number + 1) != number)
        return;
    const struct stt_packet *p = stt_flight_slot(f, number);
    if (p->state == STT_PACKET_SKIPPED)
        return;
    const struct stt_flight_train *train = stt_flight_train(f, p->train);
    const struct stt_loss_path *path = stt_loss_path(l);
    if (!(p->flags & STT_PACKET_ELICITS) || train->path != path->id)
        return;
    stt_ns delay = STT_US(l->ack_delay_us);
    stt_loss_on_rtt(l, now_of(l), now_of(l) - train->at, delay);
    stt_ns latest = path->rtt.latest;
    l->outcome.sample.rtt_ns = latest - path->rtt.min >= delay ? latest - delay : latest;
}

uint64_t stt_loss_on_ack(struct stt_loss *l, stt_ns now, const struct frame_ack *ack)
{
    if (ack->largest >= l->sent_end)
        return STT_CLOSE_ACK_INVALID;
    begin(l, now, PULLS_ACKED);
    l->largest = ack->largest;
    l->ack_delay_us = ack_delay_us(l, now, ack);
    l->walk = stt_frame_ack_walk(ack);
    sample_rtt(l, ack);
    return STT_CLOSE_NO_ERROR;
}

void stt_loss_on_loss_timer(struct stt_loss *l, stt_ns now)
{
    begin(l, now, l->loss_at <= now ? PULLS_LOST : IDLE);
}

/* The oldest are given up where so many are out, and nobody has answered for so long. */
void stt_loss_on_pto(struct stt_loss *l, stt_ns now)
{
    bool gives_up = l->backoff >= STT_PTO_BACKOFF_MAX && l->flight.n_sent >= STT_UNANSWERED_MAX;
    uint64_t to = l->flight.next;
    begin(l, now, gives_up ? PULLS_FORGOTTEN : PULLS_UNANSWERED);
    l->forgotten_path = 0;
    l->number = l->lost_from;
    l->to = gives_up ? find_sent(l, find_sent(l, l->number, to) + 1, to) + 1 : to;
    l->probes_left = STT_LOSS_PROBES;
    l->pto_base = now;
    l->backoff = (uint8_t)(l->backoff + (l->backoff < UINT8_MAX));
}

void stt_loss_forget(struct stt_loss *l, stt_ns now, uint64_t from, uint64_t to)
{
    begin(l, now, PULLS_FORGOTTEN);
    l->forgotten_path = 0;
    l->number = from;
    l->to = stt_at_most(to, l->flight.next);
}

void stt_loss_path_back(struct stt_loss *l, stt_ns now)
{
    struct stt_loss_path *failed = stt_loss_path(l);
    l->in_use = !l->in_use;
    stt_loss_forget(l, now, 0, UINT64_MAX);
    l->forgotten_path = failed->id;
    failed->id = 0;
}

void stt_loss_on_ce(struct stt_loss *l)
{
    struct stt_loss_path *path = stt_loss_path(l);
    path->reduced_from = path->reduced_end = l->sent_end;
    path->reduced_lost = 0;
    path->may_undo = false;
}
