/* SPDX-License-Identifier: MIT
 * lifetime: the states of a session, its deadlines and its end. Spec 04, "States",
 * "Both sides, later", "Timers".
 *
 * Each deadline in one sentence:
 *   repeat      the handshake message that is out goes out again, ever more slowly;
 *   give up     ten seconds after its first message a connect has failed;
 *   half open   ten seconds after its answer a handshake that somebody else began is erased;
 *   ack         an ACK that waited for company goes alone;
 *   pto         nothing was answered for so long that it is asked for again;
 *   coalesce    small writes have waited long enough for company;
 *   late        a message is not worth sending any more;
 *   streams     a second is over in which the peer reset too many of them;
 *   keep alive  after silence a PING holds mappings open and proves that we live;
 *   idle        nothing authentic came for so long that the peer is taken for dead;
 *   stalled     the host is told that something has not been answered for 3 PTO;
 *   trial       a path that is tried is challenged again, or has failed;
 *   old keys    what was sealed before a key update has come by now, or never will;
 *   ids         a retired id names the session no longer;
 *   hold        the peer's connect did not come in time to take the place of ours;
 *   rekey       the session has had its keys for so long that it gets new ones, if it was used;
 *   closing     late packets of a closed session have come by now. */
#include "stt/session/engine.h"

#include <assert.h>

/* -- the state table ----------------------------------------------------------------------------
 */

static const char *const state_names[] = {
#define X(name, text, phase) text,
    STT_SESSION_STATES(X)
#undef X
};

const char *stt_session_state_text(unsigned state)
{
    return state < STT_SESSION_STATE_COUNT ? state_names[state] : "?";
}

#define TO(name) (1u << STT_SESSION_##name)
static const uint16_t may_follow[STT_SESSION_STATE_COUNT] = {
    [STT_SESSION_COOKIE_WAIT] = TO(MESSAGE_1_SENT) | TO(MESSAGE_3_SENT) | TO(CLOSED),
    [STT_SESSION_MESSAGE_1_SENT] = TO(OPEN) | TO(MESSAGE_3_SENT) | TO(CLOSED),
    [STT_SESSION_MESSAGE_3_SENT] = TO(OPEN) | TO(IDENTIFY) | TO(CLOSING) | TO(CLOSED),
    [STT_SESSION_HALF_OPEN] = TO(OPEN) | TO(IDENTIFY) | TO(CLOSED),
    [STT_SESSION_IDENTIFY] = TO(OPEN) | TO(CLOSING) | TO(DRAINING) | TO(CLOSED),
    [STT_SESSION_OPEN] = TO(CLOSING) | TO(DRAINING) | TO(CLOSED),
    [STT_SESSION_CLOSING] = TO(CLOSED),
    [STT_SESSION_DRAINING] = TO(CLOSED),
    [STT_SESSION_CLOSED] = 0,
};
#undef TO

bool stt_session_may_enter(unsigned from, unsigned to)
{
    return may_follow[from] >> to & 1;
}

static void forget_exclusive(struct stt_endpoint *ep, struct stt_session *s)
{
    struct stt_map *map = s->is_initiator ? &ep->exclusive_out : &ep->exclusive_in;
    if (stt_map_find(map, s->peer.bytes) == stt_endpoint_handle(ep, s))
        stt_map_remove(map, s->peer.bytes);
}

void stt_session_enter(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                       enum stt_session_state state)
{
    unsigned previous = s->state;
    assert(stt_session_may_enter(s->state, state));
    if (s->state == STT_SESSION_OPEN)
        s->ended_at = now;
    if (state == STT_SESSION_OPEN)
        s->opened_at = now;
    s->state = (uint8_t)state;
    if (state > STT_SESSION_OPEN) {
        forget_exclusive(ep, s);
        stt_rekeying_end(ep, s);
    }
    stt_tracing_state(ep, now, s, previous);
}

/* -- birth and death ------------------------------------------------------------------------------
 */

struct stt_session *stt_session_new(struct stt_endpoint *ep, stt_ns now,
                                    const struct stt_path *path)
{
    struct stt_id id;
    uint8_t seeds[8]; /* what the peer must not foresee: which numbers are left out */
    bool drawn = stt_endpoint_draw_id(ep, &id) && stt_endpoint_draw_seeds(ep, seeds);
    struct stt_session *s = drawn ? stt_slab_take(&ep->sessions) : NULL;
    if (!s)
        return NULL;
    *s = (struct stt_session){.created_at = now,
                              .last_received_at = now,
                              .data_at = now,
                              .data_gap_ns = STT_ASK_NS_MAX,
                              .opened_at = STT_NEVER,
                              .ended_at = STT_NEVER,
                              .rekey_clock.from = STT_NEVER};
    stt_loss_init(&s->loss, &ep->env, be32_load(seeds));
    s->packet_bytes = ep->config.packet_bytes;
    stt_list_init(&s->ready);
    stt_list_init(&s->events);
    stt_paths_init(&s->paths, path);
    s->loss.at[0].is_reliable =
        path->carrier < STT_CARRIERS_MAX && ep->carriers[path->carrier].reliable;
    stt_acks_init(&s->acks);
    stt_session_ids_init(&s->ids, id, (struct stt_id){{0}});
    s->jitter = be32_load(seeds + 4) | 1;
    for (int i = 0; i < STT_TIMER_COUNT; i++)
        s->deadline[i] = STT_NEVER;
    if (stt_map_put(&ep->by_id, id.bytes, stt_slab_id(&ep->sessions, s)) != STT_OK) {
        stt_slab_give_back(&ep->sessions, s);
        return NULL;
    }
    if (stt_timers_add(&ep->timers, &s->timer) != STT_OK) {
        stt_map_remove(&ep->by_id, id.bytes);
        stt_slab_give_back(&ep->sessions, s);
        return NULL;
    }
    stt_list_push_back(&ep->all, &s->all);
    return s;
}

static void wipe_keys(struct stt_endpoint *ep, struct stt_session *s)
{
    s->last.opens_failed = stt_session_opens_failed(s);
    s->last.epochs = stt_session_epochs(s);
    stt_env_secret_release(&ep->env, s->protect, s->protect_bytes);
    if (s->busy)
        stt_acks_take_back(&s->acks);
    stt_env_release(&ep->env, s->busy, sizeof *s->busy);
    s->protect = NULL;
    s->busy = NULL;
}

void stt_session_trim(struct stt_endpoint *ep, struct stt_session *s)
{
    stt_loss_trim(&s->loss);
    if (!s->busy)
        return;
    (void)stt_replay_detach(&s->protect->replay);
    stt_acks_take_back(&s->acks);
    stt_env_release(&ep->env, s->busy, sizeof *s->busy);
    s->busy = NULL;
}

void stt_session_free(struct stt_endpoint *ep, struct stt_session *s)
{
    stt_admission_end_attempt(ep, 0, s, STT_GUESS_NONE);
    stt_admission_release(ep, s);
    forget_exclusive(ep, s);
    stt_rekeying_end(ep, s);
    wipe_keys(ep, s);
    for (int i = 0; i < STT_SESSION_IDS_MAX; i++)
        if (s->ids.own[i].used)
            stt_map_remove(&ep->by_id, s->ids.own[i].id.bytes);
    stt_streams_free(ep, s);
    stt_routes_forget(ep, s);
    stt_loss_free(&s->loss);
    stt_env_release(&ep->env, s->end.text, s->end.text_len);
    stt_list_remove(&s->all);
    stt_list_remove(&s->ready);
    stt_list_remove(&s->events);
    stt_timers_remove(&ep->timers, &s->timer);
    stt_env_wipe(s->h, sizeof s->h);
    stt_slab_give_back(&ep->sessions, s);
}

/* The object stays until nobody needs it: the host has heard, and no late packet is expected. */
static void free_if_done(struct stt_endpoint *ep, struct stt_session *s)
{
    if (s->state == STT_SESSION_CLOSED && (s->is_gone || !s->is_reported))
        stt_session_free(ep, s);
}

static void forget_deadlines(struct stt_session *s)
{
    for (int i = 0; i < STT_TIMER_COUNT; i++)
        s->deadline[i] = STT_NEVER;
}

static void report_end(struct stt_endpoint *ep, struct stt_session *s)
{
    if (s->is_reported && !s->is_gone)
        stt_endpoint_report(ep, s, STT_PENDING_CLOSED);
}

void stt_session_on_pulled_end(struct stt_endpoint *ep, struct stt_session *s)
{
    s->is_gone = true;
    free_if_done(ep, s);
}

void stt_session_drop(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                      enum stt_reason reason)
{
    if (s->state < STT_SESSION_CLOSING)
        s->end.reason = reason;
    bool heard = s->state >= STT_SESSION_CLOSING;
    if (!heard)
        stt_tracing_closed(ep, now, s, false);
    stt_session_enter(ep, now, s, STT_SESSION_CLOSED);
    stt_admission_release(ep, s);
    wipe_keys(ep, s);
    forget_deadlines(s);
    stt_list_remove(&s->ready);
    stt_list_init(&s->ready);
    stt_session_rearm(ep, s);
    if (!heard)
        report_end(ep, s);
    free_if_done(ep, s);
}

uint32_t stt_session_last_words(const struct stt_session *s)
{
    return STT_OWES_CLOSE | (s->end.identifies ? STT_OWES_IDENTITY : 0u);
}

void stt_session_end(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                     const struct stt_session_end *end)
{
    bool has_spoken = s->protect && s->state != STT_SESSION_HALF_OPEN;
    stt_env_release(&ep->env, s->end.text, s->end.text_len);
    s->end = *end;
    if (!has_spoken) {
        stt_session_drop(ep, now, s, end->reason);
        return;
    }
    stt_tracing_closed(ep, now, s, false);
    stt_session_enter(ep, now, s, STT_SESSION_CLOSING);
    stt_admission_release(ep, s);
    forget_deadlines(s);
    s->owed = stt_session_last_words(s);
    s->close_next = 1;
    stt_session_set(s, STT_TIMER_CLOSING, now + STT_CLOSING_PTO * stt_session_pto(s));
    stt_endpoint_ready(ep, s);
    stt_session_rearm(ep, s);
    report_end(ep, s);
}

void stt_session_fail(struct stt_endpoint *ep, stt_ns now, struct stt_session *s, uint64_t code,
                      uint64_t frame_type)
{
    stt_session_end(ep, now, s,
                    &(struct stt_session_end){
                        .reason = STT_REASON_PROTOCOL, .code = code, .frame_type = frame_type});
}

static enum stt_reason reason_of(const struct frame_close *f)
{
    if (f->type == STT_FRAME_CLOSE_APPLICATION)
        return STT_REASON_PEER_CLOSE;
    switch (f->code) {
    case STT_CLOSE_NO_ERROR:
        return STT_REASON_PEER_CLOSE;
    case STT_CLOSE_SUPERSEDED:
        return STT_REASON_REPLACED;
    case STT_CLOSE_APPLICATION_MISMATCH:
        return STT_REASON_APPLICATION;
    default:
        return STT_REASON_PEER_ERROR;
    }
}

void stt_session_on_close(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                          const struct frame_close *f)
{
    s->end = (struct stt_session_end){.reason = reason_of(f),
                                      .application = f->type == STT_FRAME_CLOSE_APPLICATION,
                                      .code = f->code,
                                      .frame_type = f->frame_type,
                                      .other = stt_connecting_counterpart(ep, s)};
    if (f->reason.len && (s->end.text = stt_env_alloc(&ep->env, f->reason.len))) {
        memcpy(s->end.text, f->reason.data, f->reason.len);
        s->end.text_len = f->reason.len;
    }
    stt_tracing_closed(ep, now, s, true);
    stt_session_enter(ep, now, s, STT_SESSION_DRAINING);
    forget_deadlines(s);
    s->owed = STT_OWES_CLOSE;
    stt_session_set(s, STT_TIMER_CLOSING, now + STT_CLOSING_PTO * stt_session_pto(s));
    stt_endpoint_ready(ep, s);
    report_end(ep, s);
}

/* -- deadlines
 * --------------------------------------------------------------------------------------- */

uint32_t stt_session_jitter(struct stt_session *s, uint32_t below)
{
    s->jitter ^= s->jitter << 13; /* xorshift: any spread will do */
    s->jitter ^= s->jitter >> 17;
    s->jitter ^= s->jitter << 5;
    return s->jitter % below;
}

stt_ns stt_session_pto(const struct stt_session *s)
{
    stt_ns pto = stt_loss_pto(&s->loss);
    return pto < STT_SESSION_PTO_NS_MAX ? pto : STT_SESSION_PTO_NS_MAX;
}

void stt_session_set(struct stt_session *s, enum stt_session_timer timer, stt_ns at)
{
    s->deadline[timer] = at;
}

void stt_session_rearm(struct stt_endpoint *ep, struct stt_session *s)
{
    stt_ns first = STT_NEVER;
    s->deadline[STT_TIMER_TRIAL] =
        s->state == STT_SESSION_OPEN ? stt_paths_deadline(&s->paths) : STT_NEVER;
    s->deadline[STT_TIMER_ACK] = s->state == STT_SESSION_OPEN || s->state == STT_SESSION_IDENTIFY
                                     ? s->acks.due_at
                                     : STT_NEVER;
    s->deadline[STT_TIMER_LOSS] = stt_settling_deadline(s);
    for (int i = 0; i < STT_TIMER_COUNT; i++)
        first = s->deadline[i] < first ? s->deadline[i] : first;
    stt_timers_set(&ep->timers, &s->timer, first);
}

/* Many sessions share a wake-up. */
static stt_ns ticked(stt_ns at)
{
    return (at + STT_TICK_NS - 1) / STT_TICK_NS * STT_TICK_NS;
}

static stt_ns idle_timeout(const struct stt_endpoint *ep, const struct stt_session *s)
{
    stt_ns theirs = STT_MS(s->params.idle_timeout_ms);
    return theirs < ep->config.idle_timeout_ns ? theirs : ep->config.idle_timeout_ns;
}

void stt_session_on_activity(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    stt_ns timeout = idle_timeout(ep, s), interval = ep->config.keep_alive_ns;
    stt_session_set(s, STT_TIMER_IDLE, ticked(s->last_received_at + timeout));
    if (interval == STT_NEVER)
        return;
    if (interval > timeout / 3)
        interval = timeout / 3;
    if (!s->is_initiator)
        interval = interval / 100 * STT_KEEP_ALIVE_RESPONDER_PERCENT;
    stt_ns earlier = interval / 1000 * stt_session_jitter(s, 100);
    stt_session_set(s, STT_TIMER_KEEP_ALIVE, ticked(now + interval - earlier));
}

/* Spec 04, "Ask". */
void stt_session_on_data(stt_ns now, struct stt_session *s)
{
    stt_ns gap = now - s->data_at, pto = stt_session_pto(s);
    if (!gap)
        return;
    s->data_at = now;
    s->data_gap_ns -= s->data_gap_ns / 16;
    if (gap > s->data_gap_ns)
        s->data_gap_ns = gap < STT_ASK_NS_MAX ? gap : STT_ASK_NS_MAX;
    stt_ns wait = 2 * s->data_gap_ns > pto ? 2 * s->data_gap_ns : pto;
    stt_session_set(s, STT_TIMER_ASK, wait <= STT_ASK_NS_MAX ? now + wait : STT_NEVER);
}

/* -- what each deadline does
 * ------------------------------------------------------------------------- */

typedef void on_timer(struct stt_endpoint *ep, stt_ns now, struct stt_session *s);

static void on_give_up(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    stt_session_drop(ep, now, s, STT_REASON_NO_ANSWER);
}

static void on_half_open(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    stt_admission_end_attempt(ep, now, s, STT_GUESS_NONE);
    stt_session_drop(ep, now, s, STT_REASON_NO_ANSWER);
}

static void on_ack(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    (void)now;
    s->acks.due_at = STT_NEVER; /* from here on it is owed */
    s->owed |= STT_OWES_ACK;
    stt_endpoint_ready(ep, s);
}

/* Nothing of a session that was quiet is in the cache, and many of them come together: what the
 * PING will want is on its way while others have their turn. */
static void fetch(const void *from, size_t len)
{
    for (size_t i = 0; i < len; i += 64)
        __builtin_prefetch((const char *)from + i);
}

static void on_keep_alive(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    (void)now;
    fetch(s, sizeof *s);
    fetch(s->protect, s->protect_bytes);
    s->owed |= STT_OWES_PING;
    stt_session_trim(ep, s);
    stt_endpoint_ready(ep, s);
}

/* What is in flight asks by itself. */
static void on_ask(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    (void)now;
    if (s->loss.flight.n_eliciting)
        return;
    s->owed |= STT_OWES_PING;
    stt_endpoint_ready(ep, s);
}

static void on_pace(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    (void)now;
    stt_endpoint_ready(ep, s);
}

static void on_idle(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    stt_session_drop(ep, now, s, STT_REASON_IDLE);
}

/* What it was set for may be known as lost by now, and need no repair. */
static void on_stalled(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (s->is_stalled || s->state != STT_SESSION_OPEN || !s->loss.flight.n_eliciting)
        return;
    s->is_stalled = true;
    stt_tracing_stalled(ep, now, s);
    stt_endpoint_report(ep, s, STT_PENDING_STALLED);
}

static void on_paths(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    stt_routes_on_news(ep, now, s, stt_paths_expire(&s->paths, now, stt_session_pto(s)), false);
    stt_endpoint_ready(ep, s);
}

static void on_old_keys(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    stt_protect_forget_previous(s->protect);
    stt_tracing_forgotten(ep, now, s);
}

static void on_ids(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    for (struct stt_id id; stt_session_ids_forget(&s->ids, now, &id);)
        stt_map_remove(&ep->by_id, id.bytes);
    stt_session_set(s, STT_TIMER_IDS, stt_session_ids_deadline(&s->ids));
    stt_connecting_issue_ids(ep, s);
    stt_endpoint_ready(ep, s);
}

static void on_hold(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    (void)now;
    s->holds_data = false;
    stt_endpoint_ready(ep, s);
}

static void on_closing(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    stt_session_drop(ep, now, s, s->end.reason);
}

static on_timer *const handlers[STT_TIMER_COUNT] = {
    [STT_TIMER_REPEAT] = stt_connecting_repeat,
    [STT_TIMER_GIVE_UP] = on_give_up,
    [STT_TIMER_HALF_OPEN] = on_half_open,
    [STT_TIMER_ACK] = on_ack,
    [STT_TIMER_LOSS] = stt_settling_on_timer,
    [STT_TIMER_PACE] = on_pace,
    [STT_TIMER_COALESCE] = stt_streams_on_coalesced,
    [STT_TIMER_LATE] = stt_streams_on_late,
    [STT_TIMER_STREAMS] = stt_streams_on_second,
    [STT_TIMER_KEEP_ALIVE] = on_keep_alive,
    [STT_TIMER_ASK] = on_ask,
    [STT_TIMER_IDLE] = on_idle,
    [STT_TIMER_STALLED] = on_stalled,
    [STT_TIMER_TRIAL] = on_paths,
    [STT_TIMER_OLD_KEYS] = on_old_keys,
    [STT_TIMER_IDS] = on_ids,
    [STT_TIMER_HOLD] = on_hold,
    [STT_TIMER_REKEY] = stt_rekeying_on_timer,
    [STT_TIMER_CLOSING] = on_closing,
};

void stt_session_expire(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    stt_handle handle = stt_endpoint_handle(ep, s);
    for (int i = 0; i < STT_TIMER_COUNT; i++) {
        if (s->deadline[i] > now)
            continue;
        s->deadline[i] = STT_NEVER;
        handlers[i](ep, now, s);
        if (stt_slab_at(&ep->sessions, handle) != s || s->state == STT_SESSION_CLOSED)
            return;
    }
    stt_session_rearm(ep, s);
}
