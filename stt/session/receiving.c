/* SPDX-License-Identifier: MIT
 * receiving: opened packets. The frame table says what a frame may do; the handler table beside it
 * says what it does. A rule that the peer breaks ends the session; nothing here is an error to the
 * caller. Spec 02, "Opening" and "Frames"; spec 04, "States". */
#include "stt/session/engine.h"
#include "stt/session/saying.h"

/* A train, and of it the packet on its way through the handlers. */
struct arrival {
    stt_ns now;
    const struct stt_path *path;
    uint8_t own_id;          /* place of our id that it came by */
    bool is_unconfirmed;     /* the session was, when this train came */
    bool was_quiet;          /* and nothing had come for long */
    bool is_at_home;         /* by that id and on that path the peer's newest packets come */
    uint64_t end;            /* one above the highest number that has been taken */
    uint32_t taken;          /* packets, ... */
    uint32_t eliciting;      /* ... and those that elicit an ack */
    struct stt_acks_run run; /* the latest of them in a row */

    bool elicits, moves_path, is_use; /* is_use: more than PADDING, PING and ACK */
    uint64_t type;                    /* of its frame at hand */
};

/* NO_ERROR, or the close code of the rule that was broken. */
typedef uint64_t on_frame(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                          struct rd *r);

/* -- handlers
 * -------------------------------------------------------------------------------------- */

static uint64_t on_padding(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                           struct rd *r)
{
    (void)ep, (void)s, (void)a;
    stt_frame_padding_decode(r);
    return STT_CLOSE_NO_ERROR;
}

static uint64_t on_ping(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                        struct rd *r)
{
    (void)ep, (void)s, (void)a, (void)r;
    return STT_CLOSE_NO_ERROR;
}

/* A mark is a loss to the window and nothing to repair; one reduction in a round trip. */
static void check_marks(struct stt_session *s, const struct frame_ack *f)
{
    const struct stt_loss_outcome *o = stt_loss_outcome(&s->loss);
    if (!s->streams)
        return;
    uint64_t marks = stt_ecn_on_ack(&s->streams->ecn, f, o->acked_ect);
    if (!marks || !o->sample.acked_bytes ||
        o->sample.newest_number < stt_loss_path(&s->loss)->reduced_end)
        return;
    struct stt_congestion *c = &s->streams->congestion;
    c->controller->on_ce(c, &o->sample);
    stt_loss_on_ce(&s->loss);
}

static uint64_t on_ack(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                       struct rd *r)
{
    struct frame_ack f;
    if (!stt_frame_ack_decode(r, a->type, &f))
        return STT_CLOSE_FRAME_ENCODING;
    uint64_t code = stt_loss_on_ack(&s->loss, a->now, &f);
    if (code != STT_CLOSE_NO_ERROR)
        return code;
    stt_protect_on_acked(s->protect, f.largest);
    stt_tracing_ack(&ep->tracing, &f);
    bool any = stt_settling_drain(ep, a->now, s);
    check_marks(s, &f);
    if (stt_loss_outcome(&s->loss)->is_invalid)
        return STT_CLOSE_ACK_INVALID;
    if (!any)
        return STT_CLOSE_NO_ERROR;
    bool waits = s->loss.flight.n_eliciting != 0;
    stt_session_set(s, STT_TIMER_STALLED,
                    waits ? a->now + STT_STALLED_PTO * stt_session_pto(s) : STT_NEVER);
    stt_connecting_confirmed(ep, a->now, s);
    stt_endpoint_ready(ep, s); /* the window has room */
    return STT_CLOSE_NO_ERROR;
}

static bool verifies(const struct stt_session *s, const struct frame_identity *f)
{
    struct stt_peer_id peer;
    memcpy(peer.bytes, f->peer_id, sizeof peer.bytes);
    return stt_identity_verify(f->signature, &peer, "stt1 identity",
                               KDF_PARTS(KDF_U8(s->is_initiator ? 1 : 0), BYTES(s->h)));
}

/* W: who the peer really is. Pins and lists speak of this one. */
static uint64_t on_identity(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                            struct rd *r)
{
    struct frame_identity f;
    if (!stt_frame_identity_decode(r, &f))
        return STT_CLOSE_FRAME_ENCODING;
    if (s->mode != STT_MODE_W)
        return STT_CLOSE_FRAME_UNEXPECTED;
    if (s->identity_taken)
        return memcmp(f.peer_id, s->peer.bytes, sizeof f.peer_id) == 0 ? STT_CLOSE_NO_ERROR
                                                                       : STT_CLOSE_IDENTITY_INVALID;
    if (!verifies(s, &f))
        return STT_CLOSE_IDENTITY_INVALID;
    if (s->has_pin && memcmp(s->peer.bytes, f.peer_id, sizeof f.peer_id) != 0) {
        stt_session_end(ep, a->now, s,
                        &(struct stt_session_end){.reason = STT_REASON_PEER_KEY,
                                                  .code = STT_CLOSE_IDENTITY_INVALID});
        return STT_CLOSE_NO_ERROR;
    }
    memcpy(s->peer.bytes, f.peer_id, sizeof s->peer.bytes);
    if (!s->is_initiator && !stt_endpoint_allows_id(ep, &s->peer))
        return STT_CLOSE_IDENTITY_INVALID;
    s->identity_taken = true;
    stt_connecting_open(ep, a->now, s);
    return STT_CLOSE_NO_ERROR;
}

static uint64_t on_new_id(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                          struct rd *r)
{
    struct frame_new_id f;
    uint32_t retire;
    (void)ep;
    if (!stt_frame_new_id_decode(r, &f))
        return STT_CLOSE_FRAME_ENCODING;
    uint64_t code = stt_session_ids_on_new(&s->ids, a->now, &f, &retire);
    s->owed |= retire * (uint32_t)STT_OWES_RETIRE_ID;
    return code;
}

static uint64_t on_retire_id(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                             struct rd *r)
{
    struct frame_retire_id f;
    if (!stt_frame_retire_id_decode(r, &f))
        return STT_CLOSE_FRAME_ENCODING;
    uint64_t code = stt_session_ids_on_retire(&s->ids, a->now, 3 * stt_session_pto(s), f.sequence);
    stt_session_set(s, STT_TIMER_IDS, stt_session_ids_deadline(&s->ids));
    if (code == STT_CLOSE_NO_ERROR)
        stt_connecting_issue_ids(ep, s);
    return code;
}

static uint64_t on_path_challenge(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                                  struct rd *r)
{
    struct frame_path f;
    uint32_t retire;
    if (!stt_frame_path_decode(r, a->type, &f))
        return STT_CLOSE_FRAME_ENCODING;
    stt_paths_on_challenge(&s->paths, a->path, f.token);
    /* Who comes from elsewhere by an id of its own is answered by one, so that nobody can tell. */
    if (a->own_id != s->own_seen && a->own_id != s->own_probed &&
        stt_paths_which(&s->paths, a->path) != s->paths.in_use &&
        stt_session_ids_set_aside(&s->ids, &retire)) {
        s->own_probed = a->own_id;
        s->owed |= retire * (uint32_t)STT_OWES_RETIRE_ID;
        stt_endpoint_ready(ep, s);
    }
    return STT_CLOSE_NO_ERROR;
}

static uint64_t on_path_response(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                                 struct rd *r)
{
    struct frame_path f;
    if (!stt_frame_path_decode(r, a->type, &f))
        return STT_CLOSE_FRAME_ENCODING;
    stt_routes_on_news(ep, a->now, s, stt_paths_on_response(&s->paths, a->now, a->path, f.token),
                       false);
    return STT_CLOSE_NO_ERROR;
}

static uint64_t on_close(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                         struct rd *r)
{
    struct frame_close f;
    if (!stt_frame_close_decode(r, a->type, &f))
        return STT_CLOSE_FRAME_ENCODING;
    stt_session_on_close(ep, a->now, s, &f);
    return STT_CLOSE_NO_ERROR;
}

static uint64_t on_stream(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                          struct rd *r)
{
    return stt_arriving_stream(ep, a->now, s, a->type, r);
}

static uint64_t on_reset(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                         struct rd *r)
{
    return stt_arriving_reset(ep, a->now, s, r);
}

static uint64_t on_stop(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                        struct rd *r)
{
    return stt_arriving_stop(ep, a->now, s, r);
}

static uint64_t on_skip(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                        struct rd *r)
{
    return stt_arriving_skip(ep, a->now, s, r);
}

static uint64_t on_limit(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                         struct rd *r)
{
    return stt_arriving_limit(ep, a->now, s, a->type, r);
}

static uint64_t on_stream_limit(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                                struct rd *r)
{
    return stt_arriving_stream_limit(ep, a->now, s, a->type, r);
}

static uint64_t on_datagram(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                            struct rd *r)
{
    struct frame_datagram f;
    if (!stt_frame_datagram_decode(r, a->type, &f))
        return STT_CLOSE_FRAME_ENCODING;
    return stt_session_datagram_arrived(ep, a->now, s, f.data);
}

static uint64_t on_rekey(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                         struct rd *r)
{
    return stt_rekeying_arrived(ep, a->now, s, r);
}

static on_frame *const handlers[STT_FRAME_EXTENSION] = {
    [STT_FRAME_PADDING] = on_padding,
    [STT_FRAME_PING] = on_ping,
    [STT_FRAME_ACK] = on_ack,
    [STT_FRAME_ACK_ECN] = on_ack,
    [STT_FRAME_STREAM... STT_FRAME_STREAM + 7] = on_stream,
    [STT_FRAME_RESET] = on_reset,
    [STT_FRAME_STOP] = on_stop,
    [STT_FRAME_SKIP] = on_skip,
    [STT_FRAME_MAX_DATA] = on_limit,
    [STT_FRAME_MAX_STREAM_DATA] = on_stream_limit,
    [STT_FRAME_MAX_STREAMS] = on_limit,
    [STT_FRAME_DATA_BLOCKED] = on_limit,
    [STT_FRAME_STREAM_DATA_BLOCKED] = on_stream_limit,
    [STT_FRAME_STREAMS_BLOCKED] = on_limit,
    [STT_FRAME_DATAGRAM... STT_FRAME_DATAGRAM + 1] = on_datagram,
    [STT_FRAME_NEW_ID] = on_new_id,
    [STT_FRAME_RETIRE_ID] = on_retire_id,
    [STT_FRAME_PATH_CHALLENGE] = on_path_challenge,
    [STT_FRAME_PATH_RESPONSE] = on_path_response,
    [STT_FRAME_REKEY] = on_rekey,
    [STT_FRAME_IDENTITY] = on_identity,
    [STT_FRAME_CLOSE] = on_close,
    [STT_FRAME_CLOSE_APPLICATION] = on_close,
};

/* -- payloads
 * ---------------------------------------------------------------------------------------- */

static unsigned phase_of(const struct stt_session *s)
{
    static const unsigned phases[] = {
#define X(name, text, phase) phase,
        STT_SESSION_STATES(X)
#undef X
    };
    return phases[s->state];
}

static uint64_t take_frame(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                           struct rd *r)
{
    a->type = stt_frame_type_decode(r);
    const struct stt_frame_rule *rule = stt_frame_rule(a->type);
    if (r->bad || !rule)
        return STT_CLOSE_FRAME_ENCODING;
    on_frame *handler = a->type < STT_FRAME_EXTENSION ? handlers[a->type] : NULL;
    if (!handler || !(rule->allowed & phase_of(s)))
        return STT_CLOSE_FRAME_UNEXPECTED;
    a->elicits = a->elicits || rule->elicits_ack;
    a->moves_path = a->moves_path || rule->moves_path;
    a->is_use = a->is_use || a->type > STT_FRAME_ACK_ECN;
    return handler(ep, s, a, r);
}

/* All frames of a packet. False: the session has come to its end. */
static bool take_payload(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                         struct bytes payload)
{
    struct rd r = rd_init(payload);
    while (rd_left(&r)) {
        uint64_t code = take_frame(ep, s, a, &r);
        if (code == STT_UNHEARD) {
            s->dropped_no_room++; /* not acknowledged: it will come again */
            return false;
        }
        if (code != STT_CLOSE_NO_ERROR && s->state <= STT_SESSION_OPEN) {
            stt_session_fail(ep, a->now, s, code, a->type);
            return false;
        }
        if (s->state > STT_SESSION_OPEN)
            return false;
    }
    return true;
}

/* Behind what may stand before it. */
static bool holds_close(struct bytes payload)
{
    struct frame_ack ack;
    struct rd r = rd_init(payload);
    while (rd_left(&r) && !r.bad) {
        uint64_t type = stt_frame_type_decode(&r);
        if (type == STT_FRAME_CLOSE || type == STT_FRAME_CLOSE_APPLICATION)
            return true;
        if (type == STT_FRAME_ACK || type == STT_FRAME_ACK_ECN)
            (void)!stt_frame_ack_decode(&r, type, &ack);
        else if (type != STT_FRAME_PING && type != STT_FRAME_PADDING)
            return false;
    }
    return false;
}

/* A closed session only looks for the peer's own CLOSE, and repeats its own now and then. */
static void take_closing(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                         struct bytes payload)
{
    if (holds_close(payload)) {
        stt_session_drop(ep, now, s, s->end.reason);
        return;
    }
    if (++s->close_heard < s->close_next)
        return;
    s->close_next *= 2;
    s->close_heard = 0;
    s->owed = stt_session_last_words(s);
    stt_endpoint_ready(ep, s);
}

/* -- packets
 * ------------------------------------------------------------------------------------------- */

static void on_result(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                      enum stt_protect_result result, size_t bytes)
{
    switch (result) {
    case STT_PROTECT_NO_KEY:
        stt_endpoint_drop(ep, s, STT_DROP_no_key, bytes);
        s->dropped_no_key++;
        break;
    case STT_PROTECT_FORGED:
        stt_endpoint_drop(ep, s, STT_DROP_bad_tag, bytes);
        break;
    case STT_PROTECT_REPLAYED:
        stt_endpoint_drop(ep, s, STT_DROP_replayed_packet, bytes);
        s->dropped_replayed_packet++;
        break;
    case STT_PROTECT_VIOLATION:
        if (s->state <= STT_SESSION_OPEN)
            stt_session_fail(ep, now, s, STT_CLOSE_PROTOCOL_VIOLATION, 0);
        break;
    case STT_PROTECT_KEY_UPDATE:
        if (s->state <= STT_SESSION_OPEN)
            stt_session_fail(ep, now, s, STT_CLOSE_KEY_UPDATE, 0);
        break;
    default:
        stt_session_drop(ep, now, s, STT_REASON_KEYS_WORN_OUT);
    }
}

static void tell_acks(struct stt_session *s, struct arrival *a)
{
    if (a->run.to > a->run.from)
        stt_acks_on_run(&s->acks, a->now, &a->run, stt_acks_wait(&stt_loss_path(&s->loss)->rtt));
    a->run = (struct stt_acks_run){.from = 0};
}

static void count_packet(struct stt_session *s, struct arrival *a, uint64_t number)
{
    if (number != a->run.to) {
        tell_acks(s, a);
        a->run.from = number;
    }
    a->run.to = number + 1;
    a->taken++;
    if (!a->elicits)
        return;
    a->run.eliciting++;
    a->run.eliciting_end = number + 1;
    a->eliciting++;
}

static void follow(struct stt_endpoint *ep, struct stt_session *s, const struct arrival *a,
                   size_t bytes, bool is_highest)
{
    bool deliberate = a->own_id != s->own_seen;
    if (is_highest && a->moves_path)
        s->own_seen = a->own_id;
    enum stt_paths_news news =
        stt_paths_on_packet(&s->paths, a->now, stt_session_pto(s),
                            &(struct stt_paths_packet){.path = a->path,
                                                       .bytes = bytes,
                                                       .is_highest = is_highest,
                                                       .moves_path = a->moves_path,
                                                       .is_to_new_id = deliberate,
                                                       .is_mute = !stt_saying_may_ask(s)});
    stt_routes_on_news(ep, a->now, s, news, deliberate);
}

static void take_packet(struct stt_endpoint *ep, struct stt_session *s, struct arrival *a,
                        const struct stt_protect_opened *opened)
{
    stt_ns now = a->now;
    size_t bytes = opened->payload.len + STT_PROTECT_OVERHEAD_BYTES;
    if (s->state == STT_SESSION_CLOSING) {
        take_closing(ep, now, s, opened->payload);
        return;
    }
    if (s->state > STT_SESSION_OPEN)
        return;
    s->packets_received++;
    s->bytes_received += bytes;
    s->last_received_at = now;
    if (s->is_stalled) {
        s->is_stalled = false;
        stt_tracing_stalled(ep, now, s);
        stt_endpoint_report(ep, s, STT_PENDING_RESUMED);
    }
    stt_connecting_first_packet(ep, now, s);
    if (s->state > STT_SESSION_OPEN) { /* it opened, and ended at once */
        take_closing(ep, now, s, opened->payload);
        return;
    }
    if (stt_protect_has_old_keys(s->protect) &&
        (opened->began_epoch || s->deadline[STT_TIMER_OLD_KEYS] == STT_NEVER))
        stt_session_set(s, STT_TIMER_OLD_KEYS, now + STT_OLD_KEYS_PTO * stt_session_pto(s));
    if (opened->began_epoch) {
        stt_rekeying_on_epoch(ep, now, s);
        stt_tracing_epoch(ep, now, s, STT_ORIGIN_REMOTE);
    }
    a->elicits = a->moves_path = a->is_use = false;
    if (!take_payload(ep, s, a, opened->payload))
        return;
    if (!a->is_use)
        s->rekey_clock.idle.packets++;
    bool is_highest = opened->number >= a->end;
    if (is_highest)
        a->end = opened->number + 1;
    count_packet(s, a, opened->number);
    if (!a->is_at_home && s->state == STT_SESSION_OPEN)
        follow(ep, s, a, bytes, is_highest);
}

/* What is said of its packets together: they came at one time, on one path, with one mark. */
static void after_train(struct stt_session *s, struct arrival *a, uint8_t ecn)
{
    const struct stt_rtt *rtt = &stt_loss_path(&s->loss)->rtt;
    if (!a->taken)
        return;
    if (a->eliciting && rtt->has_sample)
        stt_acks_on_rate(&s->acks, a->now, a->eliciting, rtt->smoothed);
    tell_acks(s, a);
    bool is_news = s->streams && stt_ecn_on_received(&s->streams->ecn, ecn, a->taken);
    bool is_alone = a->was_quiet && !a->is_use; /* a PING, which no host will answer */
    if ((is_news || a->is_unconfirmed || is_alone) && a->eliciting)
        s->acks.due_at = a->now;
    if (s->acks.due_at <= a->now) {
        s->acks.due_at = STT_NEVER;
        s->owed |= STT_OWES_ACK;
    }
    if (a->eliciting && s->state == STT_SESSION_OPEN)
        stt_session_on_data(a->now, s);
}

/* There is more room as soon as there is more than a whisper, and less with the first packet after
 * silence: a keep-alive. */
static void make_busy(struct stt_endpoint *ep, struct stt_session *s)
{
    s->busy = stt_env_alloc(&ep->env, sizeof *s->busy);
    if (!s->busy)
        return;
    stt_replay_attach(&s->protect->replay, s->busy->replay);
    stt_acks_lend(&s->acks, s->busy->ranges);
}

void stt_receiving_train(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                         const struct stt_train *train)
{
    struct stt_protect_opened opened[STT_TRAIN_SEGMENTS];
    stt_handle handle = stt_endpoint_handle(ep, s);
    size_t n_opened = 0;
    struct arrival a = {.now = now,
                        .path = &train->path,
                        .is_unconfirmed = !s->is_confirmed,
                        .was_quiet = now - s->last_received_at >= STT_QUIET_NS,
                        .own_id = stt_session_ids_own(&s->ids, s->own_seen, train->data + 1),
                        .end = stt_ranges_end(&s->acks.received)};
    a.is_at_home = a.own_id == s->own_seen && stt_paths_is_at_home(&s->paths, a.path);
    size_t n = (train->len + train->segment_bytes - 1) / train->segment_bytes;
    stt_protect_open(s->protect,
                     (struct stt_protect_train){train->data, train->len, train->segment_bytes},
                     opened);
    stt_tracing_received(ep, now, s, train, opened);
    for (size_t i = 0; i < n; i++) {
        n_opened += opened[i].result == STT_PROTECT_OPENED;
        if (opened[i].result == STT_PROTECT_OPENED)
            take_packet(ep, s, &a, &opened[i]);
        else
            on_result(ep, now, s, opened[i].result, train->segment_bytes);
        if (stt_slab_at(&ep->sessions, handle) != s || !s->protect)
            return;
    }
    if (train->ecn && a.taken && s->state == STT_SESSION_OPEN)
        (void)!stt_streams_make(ep, now,
                                s); /* the peer has some: a probe may be faster than data */
    after_train(s, &a, train->ecn);
    if (n_opened && (s->state == STT_SESSION_OPEN || s->state == STT_SESSION_IDENTIFY))
        stt_session_on_activity(ep, now, s);
    if (n_opened && a.was_quiet) {
        stt_session_trim(ep, s);
        s->packets_before = s->packets_received;
    } else if (!s->busy && s->packets_received - s->packets_before > STT_REPLAY_WINDOW_IDLE / 2) {
        make_busy(ep, s);
    }
    if (stt_sending_has_more(s, now))
        stt_endpoint_ready(ep, s);
    stt_holding_on_received(ep, now, s);
    stt_session_rearm(ep, s);
}
