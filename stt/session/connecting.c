/* SPDX-License-Identifier: MIT
 * connecting: a handshake on its way to keys, for both sides: what its messages change in the
 * session, when they are repeated, and when the handshake cannot fail any more. Spec 03,
 * "Retransmission and confirmation"; spec 04, "Initiator", "Responder", "Two sessions or one". */
#include "stt/session/engine.h"

#include <assert.h>

/* -- repetition
 * ------------------------------------------------------------------------------------ */

static stt_ns jittered(struct stt_session *s, stt_ns ns)
{
    stt_ns tenth = ns / 100 * STT_HANDSHAKE_JITTER_PERCENT;
    return ns - tenth + (stt_ns)stt_session_jitter(s, 1000) * tenth / 500;
}

static void start_repeating(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    s->sends_packet = true;
    s->was_repeated = false;
    s->first_sent_at = now;
    s->repeat_ns = STT_HANDSHAKE_REPEAT_NS;
    stt_session_set(s, STT_TIMER_REPEAT, now + jittered(s, s->repeat_ns));
    stt_endpoint_ready(ep, s);
}

void stt_connecting_repeat(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    s->sends_packet = s->was_repeated = true;
    stt_handshake_on_repeat(s->handshake);
    s->repeat_ns = s->repeat_ns / 100 * STT_HANDSHAKE_GROWTH_PERCENT;
    if (s->repeat_ns > STT_HANDSHAKE_REPEAT_MAX_NS)
        s->repeat_ns = STT_HANDSHAKE_REPEAT_MAX_NS;
    stt_session_set(s, STT_TIMER_REPEAT, now + jittered(s, s->repeat_ns));
    stt_endpoint_ready(ep, s);
}

/* -- the connect itself
 * ---------------------------------------------------------------------------- */

static bool draw_entropy(struct stt_endpoint *ep, struct stt_handshake_entropy *entropy)
{
    return stt_endpoint_draw(ep, (uint8_t *)entropy, sizeof *entropy);
}

static int read_code(struct stt_code *code, const struct stt_connect *connect)
{
    if (connect->code)
        return stt_code_read(code, bytes_of(connect->code, strlen(connect->code)));
    *code = (struct stt_code){.prs_len = 32};
    memcpy(code->prs, connect->stretched, 32);
    return STT_OK;
}

static int check_connect(const struct stt_connect *c)
{
    if (c->size != sizeof *c || c->path.remote.port == 0 || c->path.carrier >= STT_CARRIERS_MAX)
        return STT_E_ARGUMENT;
    if (c->has_seed && bytes_all_zero(BYTES(c->seed)))
        return STT_E_ARGUMENT; /* as good as none, and meant to be one */
    switch (c->mode) {
    case STT_MODE_K:
        return c->has_peer ? STT_OK : STT_E_ARGUMENT;
    case STT_MODE_S:
        return c->has_seed ? STT_OK : STT_E_ARGUMENT;
    case STT_MODE_W:
        return (c->code != NULL) != (c->stretched != NULL) ? STT_OK : STT_E_ARGUMENT;
    default:
        return STT_E_ARGUMENT;
    }
}

static int begin(struct stt_endpoint *ep, struct stt_session *s, const struct stt_connect *c)
{
    struct stt_handshake_entropy entropy;
    struct stt_code code = {.slot = 0};
    uint8_t peer_static[32];
    int error = STT_OK;
    if (c->mode == STT_MODE_W)
        error = read_code(&code, c);
    if (!error && c->mode == STT_MODE_K && !stt_images_find(&ep->images, peer_static, &c->peer))
        error = STT_E_CRYPTO;
    if (!error && !draw_entropy(ep, &entropy))
        error = STT_E_IO;
    if (!error &&
        !stt_handshake_begin(s->handshake, &ep->secrets->own,
                             &(struct stt_handshake_begin){
                                 .mode = c->mode,
                                 .initiator = s->ids.own[0].id,
                                 .peer_static = c->mode == STT_MODE_K ? peer_static : NULL,
                                 .seed = c->has_seed ? c->seed : NULL,
                                 .pin = c->has_peer ? &c->peer : NULL,
                                 .code = c->mode == STT_MODE_W ? &code : NULL,
                                 .exclusive = c->exclusive,
                             },
                             &entropy))
        error = STT_E_CRYPTO;
    stt_env_wipe(&entropy, sizeof entropy);
    stt_env_wipe(&code, sizeof code);
    return error;
}

struct stt_handshake *stt_connecting_new_handshake(struct stt_endpoint *ep)
{
    struct stt_handshake *hs = stt_env_secret_alloc(&ep->env, sizeof *hs);
    ep->n_handshakes += hs != NULL;
    return hs;
}

/* Ours and theirs, by peer: the first of each; one that is open takes the place of one that is not,
 * for that may be a copy. */
static void remember_exclusive(struct stt_endpoint *ep, struct stt_session *s)
{
    struct stt_map *map = s->is_initiator ? &ep->exclusive_out : &ep->exclusive_in;
    if (!s->is_exclusive)
        return;
    const struct stt_session *first = stt_slab_at(&ep->sessions, stt_map_find(map, s->peer.bytes));
    if (!first || first->state == STT_SESSION_HALF_OPEN)
        (void)!stt_map_put(map, s->peer.bytes, stt_endpoint_handle(ep, s));
}

/* Theirs is under way, and would stay: what was sent on ours would be sent for nothing (spec 04,
 * "Two sessions or one"). */
static void hold_data(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    const struct stt_session *theirs =
        stt_slab_at(&ep->sessions, stt_map_find(&ep->exclusive_in, s->peer.bytes));
    const uint8_t *own = ep->secrets->identity.peer_id.bytes;
    if (!s->is_initiator || !s->is_exclusive || !theirs || theirs->state != STT_SESSION_HALF_OPEN ||
        memcmp(own, s->peer.bytes, 32) < 0)
        return;
    s->holds_data = true;
    stt_session_set(s, STT_TIMER_HOLD, now + STT_EXCLUSIVE_HOLD_PTO * stt_session_pto(s));
}

int stt_endpoint_connect(struct stt_endpoint *ep, stt_ns now, const struct stt_connect *connect,
                         stt_handle *out)
{
    int error = check_connect(connect);
    if (!error && !stt_endpoint_is_alive(ep, now))
        error = STT_E_FORKED;
    if (error)
        return error;
    if (stt_endpoint_is_full(ep))
        return STT_E_LIMIT;
    struct stt_session *s = stt_session_new(ep, now, &connect->path);
    if (!s)
        return STT_E_MEMORY;
    s->handshake = stt_connecting_new_handshake(ep);
    error = s->handshake ? begin(ep, s, connect) : STT_E_MEMORY;
    if (error) {
        stt_session_free(ep, s);
        return error;
    }
    s->mode = (uint8_t)connect->mode;
    s->is_initiator = s->is_reported = true;
    s->is_exclusive = connect->exclusive;
    s->has_pin = connect->has_peer;
    s->peer = connect->peer;
    s->user = connect->user;
    s->state = connect->mode == STT_MODE_W ? STT_SESSION_COOKIE_WAIT : STT_SESSION_MESSAGE_1_SENT;
    stt_tracing_state(ep, now, s, STT_SESSION_STATE_COUNT);
    if (connect->mode == STT_MODE_K)
        remember_exclusive(ep, s);
    start_repeating(ep, now, s);
    stt_session_set(s, STT_TIMER_GIVE_UP, now + ep->config.handshake_ns);
    stt_session_rearm(ep, s);
    ep->stats.handshakes_started++;
    *out = stt_endpoint_handle(ep, s);
    return STT_OK;
}

/* -- answers to our messages
 * ------------------------------------------------------------------------- */

static bool awaits_answer(const struct stt_session *s)
{
    return s->is_initiator && s->handshake && s->state <= STT_SESSION_MESSAGE_3_SENT;
}

void stt_connecting_cookie(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                           struct bytes datagram)
{
    struct packet_cookie_reply reply;
    if (!awaits_answer(s) || !stt_packet_cookie_reply_decode(datagram, &reply) ||
        !stt_handshake_read_cookie(s->handshake, &reply)) {
        stt_endpoint_drop(ep, s, STT_DROP_bad_handshake, datagram.len);
        return;
    }
    if (s->state == STT_SESSION_COOKIE_WAIT)
        stt_session_enter(ep, now, s, STT_SESSION_MESSAGE_1_SENT);
    s->sends_packet = true;
    s->first_sent_at = now; /* with this mac2 */
    stt_endpoint_ready(ep, s);
}

void stt_connecting_refused(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                            struct bytes datagram)
{
    uint8_t reason;
    if (!awaits_answer(s) || !stt_handshake_read_refused(s->handshake, datagram, &reason)) {
        stt_endpoint_drop(ep, s, STT_DROP_bad_handshake, datagram.len);
        return;
    }
    s->end.code = reason;
    stt_session_drop(ep, now, s, STT_REASON_CODE_WRONG);
}

/* Of several copies nobody knows which was answered; and who was asleep knows nothing at all. */
static void sample_rtt(struct stt_session *s, stt_ns now)
{
    stt_ns took = now - s->first_sent_at;
    if (!s->was_repeated && took < STT_RTT_FIRST_NS)
        stt_loss_on_rtt(&s->loss, now, took, 0);
}

static void after_message_2(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    sample_rtt(s, now);
    if (stt_connecting_take_keys(ep, now, s) != STT_OK) {
        stt_session_drop(ep, now, s, STT_REASON_MEMORY);
        return;
    }
    if (s->mode == STT_MODE_K) {
        stt_session_set(s, STT_TIMER_REPEAT, STT_NEVER);
        s->sends_packet = false;
        s->owed |= STT_OWES_PING; /* until something is acknowledged the responder is silent */
        stt_connecting_open(ep, now, s);
        return;
    }
    stt_session_enter(ep, now, s, STT_SESSION_MESSAGE_3_SENT);
    start_repeating(ep, now, s);
}

void stt_connecting_message_2(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                              struct bytes datagram)
{
    stt_handle handle = stt_endpoint_handle(ep, s);
    if (!awaits_answer(s) || s->state == STT_SESSION_MESSAGE_3_SENT) {
        stt_endpoint_drop(ep, s, STT_DROP_bad_handshake, datagram.len);
        return;
    }
    switch (stt_handshake_read_2(s->handshake, &ep->secrets->own, datagram)) {
    case STT_HANDSHAKE_OK:
        after_message_2(ep, now, s);
        if (stt_endpoint_find(ep, handle) == s && s->state != STT_SESSION_CLOSED)
            stt_session_rearm(ep, s);
        return;
    case STT_HANDSHAKE_OTHER_PEER:
        stt_session_drop(ep, now, s, STT_REASON_PEER_KEY);
        return;
    case STT_HANDSHAKE_SPENT:
        stt_session_drop(ep, now, s, STT_REASON_NO_ANSWER);
        return;
    default:
        stt_endpoint_drop(ep, s, STT_DROP_bad_handshake, datagram.len);
    }
}

/* -- keys
 * ---------------------------------------------------------------------------------------------- */

static void take_answers(struct stt_session *s)
{
    const struct stt_handshake *hs = s->handshake;
    s->params = hs->params;
    s->loss.max_ack_delay_ns = STT_US(s->params.max_ack_delay_us);
    s->packet_bytes = s->packet_bytes < hs->params.max_packet_bytes ? s->packet_bytes
                                                                    : hs->params.max_packet_bytes;
    s->ids.peer[0].id = s->is_initiator ? hs->responder : hs->initiator;
    s->ids.own_max =
        hs->params.max_ids < STT_SESSION_IDS_MAX ? hs->params.max_ids : STT_SESSION_IDS_MAX;
    if (s->mode == STT_MODE_S || !s->is_initiator)
        s->peer = hs->peer;
    if (!s->is_initiator && s->mode == STT_MODE_K) /* else the peer is not proven yet */
        s->is_exclusive = hs->params.exclusive;
}

int stt_connecting_take_keys(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    const struct stt_aead_suite *suite = s->handshake->suite;
    struct stt_noise_keys keys;
    uint8_t secrets[STT_DIRECTIONS][STT_SECRET_BYTES];
    (void)now;
    size_t bytes = stt_protect_bytes(suite);
    bytes += s->mode == STT_MODE_W ? sizeof(struct stt_throwaway) : 0;
    bytes += stt_tracing_key_bytes(ep);
    struct stt_protect *protect = stt_env_secret_alloc(&ep->env, bytes);
    if (!protect)
        return STT_E_MEMORY;
    s->protect = protect;
    s->protect_bytes = (uint32_t)bytes;
    s->suite = suite;
    stt_rekeying_keep(s);
    bool done = stt_handshake_finish(s->handshake, &keys);
    assert(done);
    memcpy(secrets[STT_TO_RESPONDER], keys.initiator, STT_SECRET_BYTES);
    memcpy(secrets[STT_TO_INITIATOR], keys.responder, STT_SECRET_BYTES);
    stt_protect_init(protect, suite, s->is_initiator ? STT_TO_RESPONDER : STT_TO_INITIATOR,
                     (const uint8_t(*)[STT_SECRET_BYTES])secrets);
    memcpy(s->h, keys.h, sizeof s->h);
    stt_env_wipe(secrets, sizeof secrets);
    stt_env_wipe(&keys, sizeof keys);
    take_answers(s);
    stt_tracing_keys(ep, now, s);
    if (!s->is_initiator)
        remember_exclusive(ep, s);
    return STT_OK;
}

/* -- the first packets
 * ---------------------------------------------------------------------------------- */

stt_handle stt_connecting_counterpart(const struct stt_endpoint *ep, const struct stt_session *s)
{
    const struct stt_map *map = s->is_initiator ? &ep->exclusive_in : &ep->exclusive_out;
    stt_handle other = s->is_exclusive ? stt_map_find(map, s->peer.bytes) : 0;
    return stt_endpoint_find(ep, other) ? other : 0;
}

/* Neither side knew of the other's when it began its own. */
static bool have_crossed(const struct stt_session *ours, const struct stt_session *theirs)
{
    stt_ns grace = STT_EXCLUSIVE_HOLD_PTO * stt_session_pto(ours);
    return !(ours->is_confirmed && theirs->created_at > ours->confirmed_at + grace) &&
           !(theirs->is_confirmed && ours->created_at > theirs->confirmed_at);
}

/* Of two connects that crossed, the one of the smaller peer id stays (spec 04, "Two sessions or
 * one"). */
static void settle_exclusive(struct stt_endpoint *ep, stt_ns now, const struct stt_peer_id *peer)
{
    stt_handle out = stt_map_find(&ep->exclusive_out, peer->bytes);
    stt_handle in = stt_map_find(&ep->exclusive_in, peer->bytes);
    struct stt_session *ours = stt_endpoint_find(ep, out), *theirs = stt_endpoint_find(ep, in);
    if (!ours || !theirs || ours->state > STT_SESSION_OPEN || theirs->state > STT_SESSION_OPEN ||
        !have_crossed(ours, theirs))
        return;
    bool ours_stays =
        memcmp(ep->secrets->identity.peer_id.bytes, peer->bytes, sizeof peer->bytes) < 0;
    if (ours_stays && !ours->is_confirmed)
        return; /* judged again then */
    stt_session_end(ep, now, ours_stays ? theirs : ours,
                    &(struct stt_session_end){.reason = STT_REASON_REPLACED,
                                              .code = STT_CLOSE_SUPERSEDED,
                                              .other = ours_stays ? out : in});
}

static void drop_handshake(struct stt_endpoint *ep, struct stt_session *s)
{
    stt_session_set(s, STT_TIMER_REPEAT, STT_NEVER);
    stt_session_set(s, STT_TIMER_HALF_OPEN, STT_NEVER);
    s->sends_packet = false;
    stt_admission_release(ep, s);
}

void stt_connecting_confirmed(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (s->is_confirmed)
        return;
    s->is_confirmed = true;
    s->confirmed_at = now;
    stt_session_set(s, STT_TIMER_GIVE_UP, STT_NEVER);
    drop_handshake(ep, s);
    ep->stats.handshakes_confirmed++;
    if (s->holds_data)
        stt_session_set(s, STT_TIMER_HOLD, now + STT_EXCLUSIVE_HOLD_PTO * stt_session_pto(s));
    if (s->state == STT_SESSION_OPEN) /* K, initiator: it was open before */
        settle_exclusive(ep, now, &s->peer);
}

void stt_connecting_first_packet(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (s->state != STT_SESSION_MESSAGE_3_SENT && s->state != STT_SESSION_HALF_OPEN)
        return;
    stt_connecting_confirmed(ep, now, s);
    if (s->mode == STT_MODE_W) {
        stt_session_enter(ep, now, s, STT_SESSION_IDENTIFY);
        s->owed |= STT_OWES_IDENTITY;
        s->last_received_at = now;
        stt_session_on_activity(ep, now, s);
        stt_endpoint_ready(ep, s);
        return;
    }
    stt_connecting_open(ep, now, s);
}

/* New ids for later moves. */
void stt_connecting_issue_ids(struct stt_endpoint *ep, struct stt_session *s)
{
    struct stt_id id;
    for (int place; (place = stt_session_ids_vacancy(&s->ids)) >= 0;) {
        if (!stt_endpoint_draw_id(ep, &id) ||
            stt_map_put(&ep->by_id, id.bytes, stt_endpoint_handle(ep, s)) != STT_OK)
            return;
        stt_session_ids_issue(&s->ids, place, id);
        s->owed |= (uint32_t)STT_OWES_NEW_ID << place;
    }
}

void stt_connecting_open(struct stt_endpoint *ep, stt_ns now, struct stt_session *s)
{
    if (!s->is_initiator || s->mode != STT_MODE_K)
        stt_connecting_confirmed(ep, now, s);
    stt_session_enter(ep, now, s, STT_SESSION_OPEN);
    stt_rekeying_open(s, now);
    s->is_reported = true;
    s->last_received_at = now;
    if (!s->is_initiator)
        s->is_exclusive = s->params.exclusive;
    stt_session_on_activity(ep, now, s);
    stt_endpoint_report(ep, s, s->is_initiator ? STT_PENDING_CONNECTED : STT_PENDING_ACCEPTED);
    if (!s->params.same_application) {
        stt_session_end(ep, now, s,
                        &(struct stt_session_end){.reason = STT_REASON_APPLICATION,
                                                  .identifies = s->mode == STT_MODE_W,
                                                  .code = STT_CLOSE_APPLICATION_MISMATCH});
        return;
    }
    if (!s->is_initiator)
        s->owed |= STT_OWES_PING; /* ends the repetition of message 3, and confirms in K */
    stt_connecting_issue_ids(ep, s);
    remember_exclusive(ep, s);
    hold_data(ep, now, s);
    stt_endpoint_ready(ep, s);
    settle_exclusive(ep, now, &s->peer);
}
