/* SPDX-License-Identifier: MIT
 * talk: what a host hears of a session must be so, and its end must have a reason that somebody
 * gave. */
#include "tools/sttbench/chaos/talk.h"

#include "stt/session/engine.h"
#include "stt/stats.h"
#include "tools/sttbench/chaos/flow.h"
#include "tools/sttbench/chaos/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPENS_MAX = 6, OPENS_MANY = 40, TEXT_ROOM = 32 };

#define CHAOS(t) ((t)->host->chaos)

/* -- birth and death ----------------------------------------------------------------------- */

/* So much that a slow road has it done in a while, and a fast one costs little. */
static uint64_t draw_budget(struct host *h)
{
    struct chaos *c = h->chaos;
    uint64_t most = chaos_chance(c, 3) ? 4000000 : chaos_chance(c, 30) ? 400000 : 60000;
    uint64_t rate = h->number ? roads_rate(&h->roads) : UINT64_MAX;
    for (uint32_t i = 1; i < c->n_hosts; i++)
        rate = roads_rate(&c->hosts[i]->roads) < rate ? roads_rate(&c->hosts[i]->roads) : rate;
    most = most < rate / 4 ? most : rate / 4; /* two seconds of it */
    return chaos_chance(c, 30) ? dice_between(&c->rng, 1, most) : chaos_between(c, 1, most);
}

struct talk *talk_new(struct host *h, stt_handle session, bool is_initiator)
{
    struct talk *t = calloc(1, sizeof *t);
    h->talks = realloc(h->talks, (h->n_talks + 1) * sizeof(struct talk *));
    assert(t && h->talks);
    *t = (struct talk){.host = h, .session = session, .is_initiator = is_initiator};
    t->budget = draw_budget(h);
    t->opens_max = chaos_has(h->chaos, CHAOS_MANY_STREAMS) ? OPENS_MANY : OPENS_MAX;
    t->opens_max = (uint32_t)dice_below(&h->chaos->rng, t->opens_max);
    h->talks[h->n_talks++] = t;
    if (!is_initiator)
        talk_learn(t);
    return t;
}

void talk_free(struct talk *t)
{
    for (size_t i = 0; i < t->n_flows; i++)
        flow_free(t->flows[i]);
    free(t->flows);
    letters_free(&t->letters);
    free(t);
}

/* -- whose it is --------------------------------------------------------------------------- */

const struct stt_session *talk_session(const struct talk *t)
{
    return stt_slab_at(&t->host->ep->sessions, t->session);
}

static const struct stt_session *object_of(const struct talk *t)
{
    return t->host->ep && !t->is_closed ? talk_session(t) : NULL;
}

void talk_learn(struct talk *t)
{
    const struct stt_session *s = object_of(t);
    if (!t->tag && s)
        memcpy(&t->tag, s->h, sizeof t->tag);
}

struct talk *talk_other(struct talk *t)
{
    struct chaos *c = CHAOS(t);
    talk_learn(t);
    for (uint32_t i = 0; !t->other && t->tag && i < c->n_hosts; i++) {
        const struct host *h = c->hosts[i];
        for (size_t j = 0; h != t->host && j < h->n_talks; j++) {
            struct talk *x = h->talks[j];
            talk_learn(x);
            if (x->tag == t->tag) {
                chaos_require(c, x->is_initiator != t->is_initiator && !x->other,
                              "hosts %u and %u share a session that is not theirs", h->number,
                              t->host->number);
                t->other = x;
                x->other = t;
            }
        }
    }
    return t->other;
}

bool talk_is_alive(const struct talk *t)
{
    return t->is_open && !t->is_closed && host_is_awake(t->host);
}

bool talk_is_whole(struct talk *t)
{
    const struct talk *other = talk_other(t);
    return talk_is_alive(t) && other && talk_is_alive(other);
}

bool talk_explains(const struct talk *t, int error)
{
    const struct host *h = t->host;
    const struct stt_session *s = object_of(t);
    switch (error) {
    case STT_E_STATE:
        return s && s->state != STT_SESSION_OPEN;
    case STT_E_MEMORY:
        h->chaos->tally.no_memory++;
        return h->lacked_memory;
    case STT_E_FORKED:
        return h->is_forked;
    default:
        return false;
    }
}

/* -- its streams --------------------------------------------------------------------------- */

struct flow *talk_flow(const struct talk *t, stt_handle stream)
{
    for (size_t i = t->n_flows; i-- > 0;)
        if (t->flows[i]->stream == stream)
            return t->flows[i];
    return NULL;
}

struct flow *talk_flow_by_id(const struct talk *t, uint64_t id)
{
    for (size_t i = t->n_flows; i-- > 0;)
        if (t->flows[i]->id == id)
            return t->flows[i];
    return NULL;
}

void talk_add_flow(struct talk *t, struct flow *f)
{
    t->flows = realloc(t->flows, (t->n_flows + 1) * sizeof(struct flow *));
    assert(t->flows);
    t->flows[t->n_flows++] = f;
}

void talk_on_stream_event(struct talk *t, const struct stt_stream_event *e)
{
    struct flow *f = talk_flow(t, e->stream);
    chaos_require(CHAOS(t), e->user == (f && f->is_ours ? t : NULL),
                  "host %u: a stream has somebody else's pointer", t->host->number);
    if (e->what & STT_STREAM_OPENED) {
        chaos_require(CHAOS(t), !f, "host %u hears twice that a stream was opened",
                      t->host->number);
        if (e->what & STT_STREAM_ENDED) /* it is gone before anybody looked at it */
            return;
        f = flow_accept(t, e->stream);
        if (f)
            chaos_tell(CHAOS(t), "host %u accepts stream %llu, answers with %llu", t->host->number,
                       (unsigned long long)f->id, (unsigned long long)f->to_write);
    }
    if (f)
        flow_on_event(f, e);
    else
        chaos_fail(CHAOS(t), "host %u hears of a stream that was never opened", t->host->number);
}

/* -- the end ------------------------------------------------------------------------------- */

/* It was heard from when it was calm, and the peer is there. */
static bool is_false_death(struct talk *t)
{
    struct chaos *c = CHAOS(t);
    const struct talk *other = talk_other(t);
    stt_ns idle = t->host->config.idle_timeout_ns;
    if (!c->is_calm || !talk_is_whole(t))
        return false;
    idle = other->host->config.idle_timeout_ns < idle ? other->host->config.idle_timeout_ns : idle;
    return chaos_now(c) > c->calm_at + idle / 2 + STT_S(8);
}

static bool speak_different_things(const struct chaos *c)
{
    bool any = false;
    for (uint32_t i = 0; i < c->n_hosts; i++)
        any = any || c->hosts[i]->has_other_application;
    return any;
}

/* NULL: it is a good one. */
static const char *judge_reason(struct talk *t, const struct stt_event *e)
{
    const struct talk *other = talk_other(t);
    struct tally *tally = &CHAOS(t)->tally;
    switch (e->reason) {
    case STT_REASON_LOCAL_CLOSE:
        tally->closed_here++;
        return t->closes && e->code == t->close_code ? NULL : "nobody closed it here";
    case STT_REASON_PEER_CLOSE:
        tally->closed_there++;
        return other && other->closes && e->code == other->close_code
                   ? NULL
                   : "the peer did not close it, or not so";
    case STT_REASON_IDLE:
        tally->timed_out++;
        return is_false_death(t) ? "the peer is there and can be reached" : NULL;
    case STT_REASON_NO_ANSWER:
        tally->no_answer++;
        return t->is_initiator ? NULL : "it was accepted";
    case STT_REASON_MEMORY:
        tally->out_of_memory++;
        return t->host->lacked_memory ? NULL : "there was memory";
    case STT_REASON_FORKED:
        tally->forked++;
        return t->host->is_forked ? NULL : "it did not fork";
    case STT_REASON_PEER_KEY:
        tally->other_key++;
        return t->mistake == TALK_WRONG_PIN ? NULL : "the pin was right";
    case STT_REASON_CODE_WRONG:
        tally->wrong_code++;
        return t->mistake == TALK_WRONG_CODE ? NULL : "the code was right";
    case STT_REASON_REPLACED:
        tally->replaced++;
        return chaos_has(CHAOS(t), CHAOS_EXCLUSIVE) ? NULL : "nobody asked for one session";
    case STT_REASON_APPLICATION:
        tally->other_application++;
        return speak_different_things(CHAOS(t)) ? NULL : "all speak the same";
    case STT_REASON_PEER_ERROR:
        return other && other->mistake == TALK_WRONG_PIN && other->mode == STT_MODE_W
                   ? NULL
                   : "no rule was broken";
    default:
        return "no such thing has happened";
    }
}

static void on_closed(struct talk *t, const struct stt_event *e)
{
    struct chaos *c = CHAOS(t);
    struct stt_session_stats stats;
    const char *wrong = judge_reason(t, e);
    chaos_tell(c, "host %u: session %llx closed: %s", t->host->number, (unsigned long long)t->tag,
               stt_reason_text(e->reason));
    chaos_require(c, !wrong, "host %u: a session ends with \"%s\" (code %llu): %s", t->host->number,
                  stt_reason_text(e->reason), (unsigned long long)e->code, wrong);
    chaos_require(c, e->user == t, "host %u: a session ends with somebody else's pointer",
                  t->host->number);
    chaos_require(c,
                  stt_session_stats(t->host->ep, host_now(t->host), t->session, &stats) == STT_OK,
                  "host %u: of a session that ends nothing is known any more", t->host->number);
    t->is_closed = true;
    t->reason = e->reason;
    t->closed_at = chaos_now(c);
    if (chaos_chance(c, 30)) /* what has come in may still be there */
        for (size_t i = 0; i < t->n_flows; i++)
            flow_read(t->flows[i], UINT64_MAX);
}

void talk_on_kill(struct talk *t)
{
    struct talk *other = talk_other(t);
    for (size_t i = 0; other && i < other->n_flows; i++)
        flow_judge(other->flows[i]);
    t->is_closed = t->is_lost = true;
    t->closed_at = chaos_now(CHAOS(t));
}

/* -- events -------------------------------------------------------------------------------- */

static void on_opened(struct talk *t, bool as_initiator)
{
    struct chaos *c = CHAOS(t);
    struct stt_session_info info;
    int error = stt_session_info(t->host->ep, t->session, &info);
    const struct talk *other = talk_other(t);
    chaos_require(c, !error && !t->is_told && as_initiator == t->is_initiator,
                  "host %u hears of a session twice, or as of another's", t->host->number);
    chaos_require(c, t->mistake == TALK_NO_MISTAKE || t->mistake == TALK_WRONG_APPLICATION,
                  "host %u is connected in spite of its mistake %d", t->host->number,
                  (int)t->mistake);
    t->is_open = t->is_told = true;
    t->mode = error ? t->mode : info.mode;
    if (as_initiator) {
        c->tally.connected_k += t->mode == STT_MODE_K;
        c->tally.connected_s += t->mode == STT_MODE_S;
        c->tally.connected_w += t->mode == STT_MODE_W;
    } else {
        c->tally.accepted++;
        if (!error && stt_session_set_user(t->host->ep, t->session, t) != STT_OK)
            chaos_fail(c, "host %u: stt_session_set_user failed", t->host->number);
    }
    if (!error && other)
        chaos_require(c, memcmp(&info.peer, &other->host->identity.peer_id, sizeof info.peer) == 0,
                      "host %u takes host %u for somebody else", t->host->number,
                      other->host->number);
    chaos_tell(c, "host %u: session %llx %s, with host %d", t->host->number,
               (unsigned long long)t->tag, as_initiator ? "connected" : "accepted",
               other ? (int)other->host->number : -1);
}

static void on_path(struct talk *t)
{
    struct stt_session_info info;
    CHAOS(t)->tally.moved++;
    if (stt_session_info(t->host->ep, t->session, &info) == STT_OK && info.path.carrier &&
        !t->was_on_byte_stream) {
        t->was_on_byte_stream = true;
        CHAOS(t)->tally.on_byte_stream++;
    }
}

void talk_on_event(struct talk *t, const struct stt_event *e)
{
    struct tally *tally = &CHAOS(t)->tally;
    chaos_require(CHAOS(t), !t->is_closed, "host %u hears of a session after its end",
                  t->host->number);
    switch (e->type) {
    case STT_EVENT_CONNECTED:
    case STT_EVENT_ACCEPTED:
        on_opened(t, e->type == STT_EVENT_CONNECTED);
        break;
    case STT_EVENT_CLOSED:
        on_closed(t, e);
        break;
    case STT_EVENT_STALLED:
        tally->stalled++;
        break;
    case STT_EVENT_RESUMED:
        tally->resumed++;
        break;
    case STT_EVENT_PATH:
        on_path(t);
        break;
    case STT_EVENT_STAYED:
        tally->stayed++;
        break;
    case STT_EVENT_STREAMS:
        tally->streams_allowed++;
        chaos_require(CHAOS(t), t->was_refused, "host %u hears of streams that it did not want",
                      t->host->number);
        t->was_refused = false;
        break;
    case STT_EVENT_DATAGRAM:
        letters_read(t);
        break;
    case STT_EVENT_FATE:
        letters_take_fates(t);
        break;
    default:
        chaos_fail(CHAOS(t), "host %u hears of event %d in a session", t->host->number,
                   (int)e->type);
    }
}

/* -- now and then -------------------------------------------------------------------------- */

static void act_on_session(struct talk *t)
{
    struct host *h = t->host;
    struct chaos *c = h->chaos;
    int error = STT_OK;
    if (chaos_chance(c, 2))
        error = stt_session_ping(h->ep, host_now(h), t->session);
    chaos_require(c, !error || talk_explains(t, error), "host %u: stt_session_ping: %s", h->number,
                  stt_error_text(error));
    if (!chaos_may(c, CHAOS_KEY_UPDATES, 20))
        return;
    error = stt_session_update_keys(h->ep, host_now(h), t->session);
    c->tally.key_updates += !error;
    chaos_require(c, !error || error == STT_E_AGAIN || talk_explains(t, error),
                  "host %u: stt_session_update_keys: %s", h->number, stt_error_text(error));
}

void talk_act(struct talk *t)
{
    struct chaos *c = CHAOS(t);
    struct stt_session_info info;
    chaos_require(c,
                  !t->is_closed || t->is_lost ||
                      stt_session_info(t->host->ep, t->session, &info) == STT_E_STALE,
                  "host %u: the handle of a session that ended is not stale", t->host->number);
    if (!talk_is_alive(t))
        return;
    act_on_session(t);
    for (int i = 0; i < 4 && t->n_opened < t->opens_max && chaos_chance(c, 40); i++)
        (void)flow_open(t);
    letters_act(t);
    for (size_t i = 0; i < t->n_flows && !chaos_has_failed(c); i++)
        flow_act(t->flows[i]);
}

void talk_settle(struct talk *t)
{
    for (size_t i = 0; i < t->n_flows; i++)
        flow_settle(t->flows[i]);
}

bool talk_is_settled(struct talk *t)
{
    for (size_t i = 0; i < t->n_flows; i++)
        if (!t->flows[i]->is_over)
            return false;
    return true;
}

void talk_close(struct talk *t)
{
    struct host *h = t->host;
    char text[TEXT_ROOM];
    uint64_t code = dice_below(&h->chaos->rng, 1000);
    if (t->is_closed || t->closes || !host_is_awake(h))
        return;
    snprintf(text, sizeof text, "good-bye %llu", (unsigned long long)code);
    bool has_text = chaos_chance(h->chaos, 50);
    const struct stt_session *s = object_of(t);
    bool is_over = s && s->state > STT_SESSION_OPEN; /* the host has not heard of it yet */
    int error = stt_session_close(h->ep, host_now(h), t->session, code, has_text ? text : NULL);
    stt_sim_touch(h->chaos->sim, h->node);
    if (error == STT_E_FORKED && h->is_forked)
        return;
    chaos_require(h->chaos, !error, "host %u: stt_session_close: %s", h->number,
                  stt_error_text(error));
    t->closes = !is_over;
    t->close_code = code;
    chaos_tell(h->chaos, "host %u closes session %llx", h->number, (unsigned long long)t->tag);
}

/* -- complaints ---------------------------------------------------------------------------- */

void talk_complain(struct talk *t)
{
    for (size_t i = 0; i < t->n_flows; i++) {
        struct flow *f = t->flows[i];
        const struct flow *o = flow_other(f);
        struct stt_stream_info info = {.id = 0};
        if (f->is_over)
            continue;
        (void)!stt_stream_info(t->host->ep, f->stream, &info);
        chaos_fail(CHAOS(t),
                   "no progress: host %u, stream %llu: wrote %llu of %llu%s%s%s, sent %llu, acked "
                   "%llu, read %llu of %llu%s%s, received %llu, heard %x",
                   t->host->number, (unsigned long long)f->id, (unsigned long long)f->written,
                   (unsigned long long)f->to_write, f->waits ? " and waits" : "",
                   f->is_finished ? ", finished" : "", f->is_reset ? ", reset" : "",
                   (unsigned long long)info.bytes_sent, (unsigned long long)info.bytes_acked,
                   (unsigned long long)f->read, o ? (unsigned long long)o->wire : 0,
                   o && o->is_finished ? ", finished" : "", f->is_stopped ? ", stopped" : "",
                   (unsigned long long)info.bytes_received, f->heard);
        return;
    }
    chaos_fail(CHAOS(t), "no progress: host %u waits, and nothing is open here", t->host->number);
}
