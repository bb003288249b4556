/* SPDX-License-Identifier: MIT
 * flow: the life of a stream: what its host hears must be so at the other side, too. */
#include "tools/sttbench/chaos/flow.h"

#include "stt/session/engine.h"
#include "tools/sttbench/chaos/host.h"
#include "tools/sttbench/chaos/talk.h"

#include <stdlib.h>

#define CHAOS(f) ((f)->talk->host->chaos)
#define NAME(f)  (f)->talk->host->number, (unsigned long long)(f)->id

/* -- birth --------------------------------------------------------------------------------- */

/* What this end will write, and how it reads. */
static void plan(struct flow *f)
{
    struct chaos *c = CHAOS(f);
    struct talk *t = f->talk;
    uint64_t most = t->budget / 2 + 1, bytes = chaos_chance(c, 10) ? 0 : chaos_between(c, 1, most);
    if (chaos_chance(c, 20))
        bytes = most;
    if ((c->is_calm || chaos_chance(c, 40)) && bytes > 3000)
        bytes = chaos_between(c, 1, 3000);
    t->budget -= bytes < t->budget ? bytes : t->budget;
    f->to_write = f->is_messages ? bytes / 1000 + chaos_chance(c, 50) : bytes;
    f->writer = (enum flow_writer)dice_below(&c->rng, FLOW_WRITERS);
    f->reader = chaos_may(c, CHAOS_SLOW_READERS, 60)
                    ? (enum flow_reader)dice_below(&c->rng, FLOW_READERS)
                    : FLOW_EAGER;
    f->lingers = chaos_chance(c, 20);
}

static struct flow *flow_new(struct talk *t, stt_handle stream, bool is_ours)
{
    struct stt_stream_info info;
    struct chaos *c = t->host->chaos;
    if (stt_stream_info(t->host->ep, stream, &info) != STT_OK) {
        chaos_fail(c, "host %u: a stream that it was just told of is stale", t->host->number);
        return NULL;
    }
    chaos_require(c, info.session == t->session && info.is_ours == is_ours,
                  "host %u: stream %llu is of another session or side", t->host->number,
                  (unsigned long long)info.id);
    chaos_require(c, !talk_flow_by_id(t, info.id), "host %u: stream %llu opens twice",
                  t->host->number, (unsigned long long)info.id);
    struct flow *f = calloc(1, sizeof *f);
    *f = (struct flow){.talk = t,
                       .stream = stream,
                       .id = info.id,
                       .is_ours = is_ours,
                       .is_messages = info.has_messages};
    plan(f);
    talk_add_flow(t, f);
    return f;
}

struct flow *flow_open(struct talk *t)
{
    struct chaos *c = t->host->chaos;
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    o.messages = chaos_may(c, CHAOS_MESSAGES, 50);
    o.urgency = chaos_chance(c, 60) ? 3 : (uint8_t)dice_below(&c->rng, 8);
    o.no_delay = chaos_chance(c, 20);
    o.user = t;
    int error = stt_stream_open(t->host->ep, host_now(t->host), t->session, &o, &stream);
    if (error) {
        c->tally.no_streams_left += error == STT_E_LIMIT;
        t->was_refused = t->was_refused || error == STT_E_LIMIT;
        chaos_require(c, error == STT_E_LIMIT || talk_explains(t, error),
                      "host %u: stt_stream_open: %s", t->host->number, stt_error_text(error));
        return NULL;
    }
    c->tally.streams++;
    t->n_opened++;
    struct flow *f = flow_new(t, stream, true);
    if (f)
        chaos_tell(c, "host %u opens stream %llu for %llu %s", NAME(f),
                   (unsigned long long)f->to_write, f->is_messages ? "messages" : "bytes");
    return f;
}

struct flow *flow_accept(struct talk *t, stt_handle stream)
{
    return flow_new(t, stream, false);
}

void flow_free(struct flow *f)
{
    free(f->messages);
    free(f);
}

/* -- the other side ------------------------------------------------------------------------ */

struct flow *flow_other(struct flow *f)
{
    struct talk *t = talk_other(f->talk);
    if (!f->other && t)
        f->other = talk_flow_by_id(t, f->id);
    return f->other;
}

/* -1: the session is gone there, and nobody can tell. */
static int look(struct flow *f)
{
    const struct talk *t = talk_other(f->talk);
    if (!t || t->is_lost || !t->host->ep)
        return -1;
    const struct stt_session *s = talk_session(t);
    if (!s || s->state == STT_SESSION_CLOSED)
        return -1;
    const struct stt_stream *x =
        s->streams ? stt_map_find_pointer(&s->streams->by_id, &f->id) : NULL;
    if (x)
        return x->is_stopped || x->is_read_out ||
               (x->receive.end == f->wire && x->receive.contiguous == f->wire);
    const struct flow *peer = flow_other(f);
    return peer && peer->is_over && (peer->is_read_out || peer->is_stopped);
}

int flow_has_arrived(struct flow *f)
{
    if (!f->is_judged && !f->was_seen_whole && look(f) == 1)
        f->was_seen_whole = true;
    return f->was_seen_whole ? 1 : f->is_judged ? 0 : look(f);
}

void flow_judge(struct flow *f)
{
    int arrived = flow_has_arrived(f);
    f->is_judged = f->is_judged || arrived == 0;
}

/* -- events -------------------------------------------------------------------------------- */

void flow_on_error(struct flow *f, const char *call, int error)
{
    const struct host *h = f->talk->host;
    const struct stt_stream *x = stt_stream_find(h->ep, f->stream);
    bool is_closed = f->talk->is_closed || (x && x->session->state != STT_SESSION_OPEN);
    bool is_stopped = x && x->is_reset;
    if (error == STT_E_STATE && (is_closed || is_stopped))
        return;
    if (error == STT_E_STALE && f->talk->is_closed)
        return;
    if (error == STT_E_FORKED && h->is_forked)
        return;
    chaos_fail(h->chaos, "host %u, stream %llu: %s: %s", NAME(f), call, stt_error_text(error));
}

static void on_finished(struct flow *f)
{
    struct chaos *c = CHAOS(f);
    int arrived = flow_has_arrived(f);
    c->tally.finished++;
    c->tally.witnessed += arrived >= 0;
    chaos_require(c, f->is_finished && !f->is_reset,
                  "host %u: stream %llu is told as finished, and was not", NAME(f));
    chaos_require(c, arrived != 0,
                  "a false success: host %u: stream %llu is told as finished, and the peer lacks "
                  "something",
                  NAME(f));
}

static void on_reset(struct flow *f, uint64_t code)
{
    const struct flow *from = flow_other(f);
    bool by_host = from && from->is_reset && from->reset_code == code;
    bool by_stop = f->is_stopped && f->stop_code == code;
    CHAOS(f)->tally.resets++;
    chaos_require(CHAOS(f), by_host || by_stop,
                  "host %u: stream %llu is told as reset with %llu, and nobody has done it",
                  NAME(f), (unsigned long long)code);
}

static void on_stopped(struct flow *f, uint64_t code)
{
    const struct flow *by = flow_other(f);
    CHAOS(f)->tally.stops++;
    chaos_require(CHAOS(f), by && by->is_stopped && by->stop_code == code,
                  "host %u: stream %llu is told as stopped with %llu, and nobody has done it",
                  NAME(f), (unsigned long long)code);
}

static void on_ended(struct flow *f)
{
    bool sent = f->is_finished || f->is_reset || f->heard & STT_STREAM_STOPPED;
    bool read = f->is_read_out || f->is_stopped || f->heard & STT_STREAM_RESET;
    f->is_over = true;
    CHAOS(f)->tally.ended++;
    chaos_require(CHAOS(f), sent && read, "host %u: stream %llu ends before its %s", NAME(f),
                  sent ? "end was read" : "end was written");
    bool told = f->is_reset || f->heard & (STT_STREAM_STOPPED | STT_STREAM_FINISHED);
    chaos_require(CHAOS(f), told, "host %u: stream %llu ends and never said that it finished",
                  NAME(f));
    if (!f->is_reset && !(f->heard & STT_STREAM_STOPPED))
        chaos_require(CHAOS(f), flow_has_arrived(f) != 0,
                      "a false success: host %u: stream %llu ends, and the peer lacks something",
                      NAME(f));
}

void flow_on_event(struct flow *f, const struct stt_stream_event *e)
{
    struct chaos *c = CHAOS(f);
    chaos_note(c, f->id << 8 ^ e->what);
    chaos_require(c, !f->is_over, "host %u hears of stream %llu after its end", NAME(f));
    chaos_require(c, !(f->heard & e->what & STT_STREAM_FINISHED),
                  "host %u: stream %llu finishes twice", NAME(f));
    f->heard |= e->what;
    if (e->what & STT_STREAM_FINISHED)
        on_finished(f);
    if (e->what & STT_STREAM_RESET)
        on_reset(f, e->reset_code);
    if (e->what & STT_STREAM_STOPPED)
        on_stopped(f, e->stop_code);
    if (e->what & STT_STREAM_ENDED) {
        on_ended(f);
        return;
    }
    if (e->what & STT_STREAM_WRITABLE)
        f->waits = false;
    if (f->writer == FLOW_AT_ONCE || f->talk->host->chaos->is_calm)
        flow_write(f, UINT64_MAX);
    if (e->what & STT_STREAM_READABLE && (f->reader == FLOW_EAGER || c->is_calm))
        flow_read(f, UINT64_MAX);
}

/* -- now and then -------------------------------------------------------------------------- */

static void reset(struct flow *f)
{
    struct host *h = f->talk->host;
    uint64_t code = dice_below(&h->chaos->rng, 1000);
    int error = stt_stream_reset(h->ep, host_now(h), f->stream, code);
    if (error) { /* also when all is acknowledged */
        if (!(f->is_finished && error == STT_E_STATE))
            flow_on_error(f, "stt_stream_reset", error);
        return;
    }
    f->is_reset = true;
    f->reset_code = code;
    chaos_tell(h->chaos, "host %u resets stream %llu", NAME(f));
}

static void stop(struct flow *f)
{
    struct host *h = f->talk->host;
    uint64_t code = dice_below(&h->chaos->rng, 1000);
    int error = stt_stream_stop(h->ep, host_now(h), f->stream, code);
    if (error) {
        const struct stt_stream *x = stt_stream_find(h->ep, f->stream);
        if (!(x && x->was_reset && error == STT_E_STATE)) /* of which we have not heard yet */
            flow_on_error(f, "stt_stream_stop", error);
        return;
    }
    f->is_stopped = true;
    f->stop_code = code;
    chaos_tell(h->chaos, "host %u stops stream %llu", NAME(f));
}

static void fiddle(struct flow *f)
{
    struct host *h = f->talk->host;
    struct chaos *c = h->chaos;
    int error = STT_OK;
    if (chaos_chance(c, 5))
        error = stt_stream_flush(h->ep, host_now(h), f->stream);
    if (!error && chaos_chance(c, 5))
        error = stt_stream_set_urgency(h->ep, f->stream, (uint8_t)dice_below(&c->rng, 8));
    if (error)
        flow_on_error(f, "a call", error);
}

void flow_act(struct flow *f)
{
    struct chaos *c = CHAOS(f);
    if (f->is_over || !talk_is_alive(f->talk))
        return;
    if (chaos_may(c, CHAOS_RESETS, 3) && !f->is_reset && !(f->heard & STT_STREAM_STOPPED))
        reset(f);
    if (chaos_may(c, CHAOS_STOPS, 3) && !f->is_stopped && !f->is_read_out &&
        !(f->heard & STT_STREAM_RESET))
        stop(f);
    fiddle(f);
    flow_write(f, f->writer == FLOW_AT_ONCE ? UINT64_MAX : chaos_between(c, 1, 20000));
    if (f->reader == FLOW_SLOW)
        flow_read(f, chaos_between(c, 1, 20000));
    if (f->reader == FLOW_ASLEEP && chaos_chance(c, 2))
        f->reader = FLOW_EAGER;
}

/* From here on only events wake it. */
void flow_settle(struct flow *f)
{
    if (f->is_over || !talk_is_alive(f->talk))
        return;
    flow_write(f, UINT64_MAX);
    flow_read(f, UINT64_MAX);
}
