/* SPDX-License-Identifier: MIT
 * tcp_recovery: owns the phases of a TCP sender: open, disorder, recovery, loss.
 *
 * What was sent before something that has been delivered is lost when it did not arrive a quarter
 * of the least round trip later, or at once, when three packets have and nothing ever came late
 * (RFC 8985). During a recovery the window sinks to the threshold as packets are delivered
 * (RFC 6937); a timeout begins again from one packet, and is taken back when what went before it
 * arrives after all (RFC 5682). When every copy was in vain, or the ack answers what went before
 * the first of them, the reduction is undone.
 *
 * It must not know how fast the window grows. */
#include "tools/sttbench/link/tcp_recovery.h"

enum { REORDERING_MAX = 300, REORDERING_LEAST = 3, SETTLE_LASTS = 16, SETTLE_STEPS_MAX = 255 };

enum answer { SEND_NOTHING, SEND_LOST, SEND_NEW };

/* What an ack brought, for those below. */
struct step {
    struct tcp_news news;
    uint64_t now_us;
    uint64_t una; /* before it */
    bool has_advanced, has_dsack, sets_timeout;
    uint32_t n_lost;
    enum answer answer;
};

/* -- undoing ----------------------------------------------------------------------------------- */

static bool answers_original(const struct tcp_sender *s, const struct step *k)
{
    return !s->resent_first_us || k->news.ack->stamp_ms < s->resent_first_us / 1000;
}

static bool may_undo(const struct tcp_sender *s, const struct step *k)
{
    return s->can_undo && (!s->undo_copies || answers_original(s, k));
}

static void undo(struct tcp_sender *s, bool forgets_losses)
{
    if (forgets_losses)
        tcp_board_forget_losses(&s->board);
    if (s->undo_threshold) {
        if (s->cubic.window < s->undo_window)
            s->cubic.window = s->undo_window;
        if (s->undo_threshold > s->cubic.threshold)
            s->cubic.threshold = s->undo_threshold;
    }
    s->can_undo = false;
}

static bool has_any_resent(const struct tcp_sender *s)
{
    const struct tcp_board *b = &s->board;
    return b->n_resent || (tcp_board_out(b) && tcp_board_at(b, b->una)->was_resent);
}

static void open_if_clean(struct tcp_sender *s)
{
    bool is_resent = has_any_resent(s);
    enum tcp_phase phase =
        is_resent || s->board.n_sacked || s->board.n_lost ? TCP_DISORDER : TCP_OPEN;
    if (!is_resent)
        s->resent_first_us = 0;
    if (phase != s->phase)
        s->high = s->board.nxt;
    s->phase = phase;
}

static bool undo_by_dsack(struct tcp_sender *s)
{
    if (!s->can_undo || s->undo_copies)
        return false;
    if (s->settle_lasts < SETTLE_LASTS)
        s->settle_lasts++;
    undo(s, false);
    return true;
}

static bool undo_loss(struct tcp_sender *s, const struct step *k, bool is_spurious)
{
    if (!is_spurious && !may_undo(s, k))
        return false;
    undo(s, true);
    s->retries = 0;
    s->phase = TCP_OPEN;
    return true;
}

/* -- reordering -------------------------------------------------------------------------------- */

static void on_late(struct tcp_sender *s, uint64_t number)
{
    if (!s->board.sacked_end || number + 1 >= s->board.sacked_end)
        return;
    uint64_t by = s->board.sacked_end - 1 - number;
    if (by > s->reordering)
        s->reordering = by < REORDERING_MAX ? (uint32_t)by : REORDERING_MAX;
    s->has_reordering = true;
}

/* A copy in vain: what was late was believed lost, so more time is given, once a round trip. */
static void on_dsack(struct tcp_sender *s, struct step *k)
{
    const struct tcp_block *twice = &k->news.ack->blocks[0];
    k->has_dsack = true;
    if (tcp_board_on_dsack(&s->board, twice) && s->undo_copies > 0 && s->can_undo &&
        twice->to > s->undo_from)
        s->undo_copies--;
    if (s->board.una < s->settle_round_end)
        return;
    s->settle_round_end = s->board.nxt;
    s->settle_steps += s->settle_steps < SETTLE_STEPS_MAX;
    s->settle_lasts = SETTLE_LASTS;
}

static uint64_t settle_us(const struct tcp_sender *s)
{
    if (!s->has_reordering && (s->phase >= TCP_RECOVERY || s->board.n_sacked >= s->reordering))
        return 0;
    uint64_t us = s->rtt.least_us / 4 * s->settle_steps, most = tcp_rtt_smoothed_us(&s->rtt);
    return us < most ? us : most;
}

/* -- recovery ---------------------------------------------------------------------------------- */

static void begin_reduction(struct tcp_sender *s)
{
    s->high = s->board.nxt;
    s->probe_end = 0;
    s->reduced_from = s->cubic.window;
    s->reduced_delivered = s->reduced_out = 0;
    tcp_cubic_on_loss(&s->cubic);
    s->reductions++;
}

static void begin_undo(struct tcp_sender *s)
{
    s->can_undo = true;
    s->undo_from = s->board.una;
    s->undo_copies = s->board.n_resent ? (int64_t)s->board.n_resent : -1;
    s->undo_window = s->cubic.window;
    uint32_t most = s->cubic.window / 4 * 3 + s->cubic.window % 4 * 3 / 4;
    s->undo_threshold = s->cubic.threshold > most ? s->cubic.threshold : most;
}

static void begin_recovery(struct tcp_sender *s)
{
    begin_undo(s);
    begin_reduction(s);
    s->phase = TCP_RECOVERY;
}

/* So many may be sent that the window is at the threshold when all of it has been acknowledged. */
static void reduce(struct tcp_sender *s, uint32_t n_delivered, bool is_healthy)
{
    uint64_t threshold = s->cubic.threshold, in_flight = tcp_board_in_flight(&s->board), more = 0;
    if (!n_delivered)
        return;
    s->reduced_delivered += n_delivered;
    uint64_t delivered = s->reduced_delivered, out = s->reduced_out;
    if (in_flight > threshold) {
        uint64_t due = (threshold * delivered + s->reduced_from - 1) / s->reduced_from;
        more = due > out ? due - out : 0;
    } else {
        more = delivered > out ? delivered - out : 0;
        more = more > n_delivered ? more : n_delivered;
        more += is_healthy;
        more = more < threshold - in_flight ? more : threshold - in_flight;
    }
    if (!more && !out)
        more = 1;
    s->cubic.window = (uint32_t)(in_flight + more);
}

/* Everything that was under way when the phase began is acknowledged. */
static void end_phase(struct tcp_sender *s, const struct step *k)
{
    bool was_recovery = s->phase == TCP_RECOVERY;
    if (may_undo(s, k))
        undo(s, false);
    else if (s->settle_lasts)
        s->settle_lasts--;
    s->phase = TCP_OPEN;
    s->resent_first_us = 0;
    if (was_recovery && s->can_undo)
        s->cubic.window = s->cubic.threshold;
}

/* False: it is not a recovery after all, and more than one copy is still under way. */
static bool go_on_recovering(struct tcp_sender *s, const struct step *k)
{
    if (k->has_advanced && s->can_undo && answers_original(s, k)) {
        on_late(s, k->una);
        if (s->board.n_resent)
            return false;
        undo(s, true);
        open_if_clean(s);
    }
    if (undo_by_dsack(s))
        open_if_clean(s);
    return true;
}

static void go_on_after_timeout(struct tcp_sender *s, struct step *k)
{
    bool has_all = s->board.una >= s->high;
    k->answer = SEND_LOST;
    if (k->has_advanced && undo_loss(s, k, false))
        return;
    if (s->is_suspicious) {
        if (k->news.has_original && undo_loss(s, k, true))
            return;
        if (s->board.nxt > s->high) {
            s->is_suspicious = s->is_suspicious && !k->news.has_sacked && k->has_advanced;
        } else if (k->has_advanced && !has_all) {
            s->high = s->board.nxt;
            k->answer = SEND_NEW;
            if (tcp_sender_has_more(s, k->now_us))
                return;
            s->is_suspicious = false;
            k->answer = SEND_LOST;
        }
    }
    if (has_all)
        end_phase(s, k);
}

static void detect(struct tcp_sender *s, struct step *k)
{
    if (!s->board.has_rack_advanced)
        return;
    s->board.has_rack_advanced = false;
    uint64_t wait_us = tcp_board_detect(&s->board, k->now_us, settle_us(s), &k->n_lost);
    if (!wait_us)
        return;
    wait_us = (wait_us + 2 * TCP_JIFFY_US + TCP_JIFFY_US - 1) / TCP_JIFFY_US * TCP_JIFFY_US;
    tcp_sender_set_alarm(s, TCP_ALARM_SETTLE, k->now_us + wait_us);
    k->sets_timeout = false;
}

static void look_for_losses(struct tcp_sender *s, struct step *k)
{
    if (s->phase != TCP_OPEN && s->board.una >= s->high && s->phase == TCP_RECOVERY)
        end_phase(s, k);
    k->answer = SEND_LOST;
    if (s->phase == TCP_RECOVERY) {
        if (!go_on_recovering(s, k))
            return;
    } else if (s->phase == TCP_LOSS) {
        go_on_after_timeout(s, k);
    } else {
        undo_by_dsack(s);
    }
    uint32_t n_resent = s->board.n_resent;
    detect(s, k);
    if (s->phase == TCP_RECOVERY || (s->phase == TCP_LOSS && s->board.n_resent >= n_resent))
        return;
    if (s->board.n_lost)
        begin_recovery(s);
    else
        open_if_clean(s);
}

/* -- acks -------------------------------------------------------------------------------------- */

/* How long it took: the first and the last of what went once and was delivered now, or when all
 * went again what the stamp says. */
static bool measure(const struct tcp_news *n, uint64_t *first_us, uint64_t *last_us)
{
    bool is_acked = n->acked_first_us && !n->has_resent;
    *first_us = *last_us = 0;
    if (is_acked) {
        *first_us = n->now_us - n->acked_first_us;
        *last_us = n->now_us - n->acked_last_us;
    }
    if (n->sacked_first_us) {
        *first_us = is_acked ? *first_us : n->now_us - n->sacked_first_us;
        *last_us = n->now_us - n->sacked_last_us;
    }
    if (!is_acked && !n->sacked_first_us && n->n_acked && n->ack->stamp_ms)
        *first_us = *last_us = (n->now_us / 1000 - n->ack->stamp_ms) * 1000;
    return *first_us > 0;
}

static void on_measured(struct tcp_sender *s, struct step *k)
{
    const struct tcp_board *b = &s->board;
    uint64_t first_us, last_us;
    k->sets_timeout = k->news.n_acked;
    if (!measure(&k->news, &first_us, &last_us))
        return;
    if (!s->rtt.least_us || last_us < s->rtt.least_us)
        s->rtt.least_us = last_us;
    tcp_rtt_on_sample(&s->rtt, first_us, b->una, b->nxt);
    if (k->news.sacked_first_us && tcp_board_out(b)) /* not, when it went after the first missing */
        k->sets_timeout |= k->news.sacked_first_us < tcp_board_at(b, b->una)->sent_us;
    struct tcp_progress progress = {b->una, b->nxt, s->rate_bytes_per_s};
    tcp_cubic_on_delay(&s->cubic, k->now_us, last_us, &progress);
}

static void on_probe_acked(struct tcp_sender *s, const struct step *k)
{
    if (!s->probe_end || s->board.una < s->probe_end)
        return;
    bool was_copy = s->is_probe_copy;
    if (!was_copy || k->has_dsack) {
        s->probe_end = 0;
    } else if (s->board.una > s->probe_end) { /* the copy has mended a loss */
        begin_reduction(s);
        s->cubic.window = s->cubic.threshold;
        open_if_clean(s);
    }
}

static bool is_window_used(const struct tcp_sender *s)
{
    return s->is_limited || (tcp_cubic_is_doubling(&s->cubic) && s->cubic.window < 2 * s->out_max);
}

static void change_window(struct tcp_sender *s, const struct step *k)
{
    const struct tcp_news *n = &k->news;
    bool may_grow = s->reordering > REORDERING_LEAST ? n->n_delivered > 0 : n->n_acked > 0;
    if (s->phase == TCP_RECOVERY)
        reduce(s, n->n_delivered, k->has_advanced && !k->n_lost);
    else if (may_grow && is_window_used(s))
        tcp_cubic_on_acked(&s->cubic, k->now_us, n->n_delivered);
    uint64_t out = tcp_board_out(&s->board), window = s->cubic.window;
    uint64_t percent = window < s->cubic.threshold / 2 ? 200 : 120;
    uint64_t srtt_us = tcp_rtt_smoothed_us(&s->rtt);
    if (srtt_us)
        s->rate_bytes_per_s =
            (out > window ? out : window) * TCP_SEGMENT_BYTES * percent * UINT64_C(10000) / srtt_us;
}

static void answer(struct tcp_sender *s, const struct step *k)
{
    if (k->answer == SEND_NEW) {
        tcp_sender_send_new(s, k->now_us, false);
        if (s->board.nxt > s->high)
            return;
        s->is_suspicious = false;
    }
    if (k->answer != SEND_NOTHING)
        tcp_sender_send_lost(s, k->now_us);
}

void tcp_recovery_on_ack(struct tcp_sender *s, uint64_t now_us, const struct tcp_packet *ack)
{
    struct step k = {.now_us = now_us, .una = s->board.una};
    uint64_t sacked_end = s->board.sacked_end;
    k.news = (struct tcp_news){
        .ack = ack, .now_us = now_us, .rtt_min_us = s->rtt.least_us, .high = s->high};
    tcp_board_on_ack(&s->board, &k.news);
    k.has_advanced = s->board.una > k.una;
    if (k.has_advanced)
        s->retries = 0;
    on_measured(s, &k);
    if (k.news.lowest_late < sacked_end && (s->phase != TCP_LOSS || s->can_undo))
        on_late(s, k.news.lowest_late);
    if (ack->has_dsack)
        on_dsack(s, &k);
    else if (!s->settle_lasts)
        s->settle_steps = 1;
    on_probe_acked(s, &k);
    if (!k.news.n_acked || k.news.has_sacked || k.has_dsack || s->phase != TCP_OPEN)
        look_for_losses(s, &k);
    if (k.sets_timeout)
        tcp_sender_set_timeout(s, now_us);
    change_window(s, &k);
    answer(s, &k);
    tcp_sender_send_new(s, now_us, false);
}

/* -- alarms ------------------------------------------------------------------------------------ */

void tcp_recovery_on_settled(struct tcp_sender *s, uint64_t now_us)
{
    uint32_t n_lost = 0;
    tcp_board_detect(&s->board, now_us, settle_us(s), &n_lost);
    if (!n_lost)
        return;
    if (s->phase != TCP_RECOVERY) {
        begin_recovery(s);
        reduce(s, 1, false);
    }
    tcp_sender_send_lost(s, now_us);
}

void tcp_recovery_on_timeout(struct tcp_sender *s, uint64_t now_us)
{
    struct tcp_board *b = &s->board;
    bool is_new =
        s->phase <= TCP_DISORDER || b->una >= s->high || (s->phase == TCP_LOSS && !s->retries);
    tcp_board_on_timeout(b, now_us);
    if (is_new) {
        begin_undo(s);
        tcp_cubic_on_loss(&s->cubic);
        s->reductions++;
    }
    s->is_suspicious = is_new || s->retries;
    s->cubic.window = (uint32_t)tcp_board_in_flight(b) + 1;
    if (s->phase <= TCP_DISORDER && b->n_sacked >= s->reordering)
        s->reordering = REORDERING_LEAST;
    s->phase = TCP_LOSS;
    s->high = b->nxt;
    tcp_cubic_on_timeout(&s->cubic, now_us, b->nxt);
    s->timeouts++;
    s->retries++;
    tcp_sender_send_again(s, now_us, b->una);
    tcp_rtt_on_timeout(&s->rtt);
    tcp_sender_set_alarm(s, TCP_ALARM_TIMEOUT, now_us + s->rtt.rto_us);
}
