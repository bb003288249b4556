/* SPDX-License-Identifier: MIT
 * peer: one session, from its first event to its result. It says HELLO and DONE, lets the job do
 * the rest, and ends the session: with success when both sides have said DONE, else with a code
 * that tells the peer why.
 *
 *     greeting -> working -> leaving (DONE said and heard, or CLOSE sent) -> over
 *
 * Must not know what a job moves. Spec 10, "Jobs" and "The end". */
#include "tools/sttcat/peer.h"

#include "tools/common/say.h"
#include "tools/sttcat/cat.h"
#include "tools/sttcat/control.h"
#include "tools/sttcat/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EARLY_MAX = 300, AHEAD_BYTES = 256 << 10 };
#define GREETING_NS STT_S(10)   /* within which HELLO comes */
#define LEAVING_NS  STT_S(1)    /* for the other side's CLOSE, which is a courtesy */
#define FAILING_NS  STT_MS(150) /* for ours to be heard */

enum stage { GREETING, WORKING, LEAVING, OVER };

struct peer_more {
    enum stage stage;
    const struct job *job;
    void *work; /* the job's; NULL before it has begun */

    struct control control;
    bool has_said_done, has_heard_done, is_done_there; /* ours is acknowledged */

    struct stt_stream_event early[EARLY_MAX]; /* of streams, before the job has begun */
    uint32_t n_early;

    bool has_failed;
    int result, noted; /* exit statuses */
    stt_ns leave_at;

    struct tally tally;
    stt_ns created_at;
    struct stt_session_stats last; /* when it closed */
    bool has_last;
};

static const struct job *job_of(const struct plan *plan)
{
    if (plan->flags.raw)
        return &raw_job;
    switch (plan->job) {
    case JOB_PIPE:
        return &pipe_job;
    case JOB_FILES:
        return plan->gives ? &files_give_job : &files_take_job;
    case JOB_FORWARD:
        return plan->flags.listen ? &permit_job : &forward_job;
    }
    return NULL;
}

void peer_send(struct peer *p, const struct wire_message *message)
{
    struct peer_more *m = p->more;
    if (!m->has_said_done && !m->has_failed && !control_send(&m->control, message))
        peer_fail(p, EXIT_LOCAL_IO, CODE_INPUT, "out of memory");
}

size_t peer_queued_bytes(const struct peer *p)
{
    return control_queued_bytes(&p->more->control);
}

static void send_hello(struct peer *p)
{
    const struct plan *plan = p->plan;
    struct wire_message m = {.type = WIRE_HELLO, .job = (uint8_t)plan->job};
    m.flags = (uint8_t)((plan->gives ? WIRE_GIVES : 0) | (plan->takes ? WIRE_TAKES : 0) |
                        (plan->is_durable ? WIRE_DURABLE : 0));
    m.lanes = (uint8_t)plan->lanes;
    peer_send(p, &m);
}

/* -- the beginning ----------------------------------------------------------------------------- */

static void begin_job(struct peer *p)
{
    struct peer_more *m = p->more;
    m->work = m->job->begin(p);
    if (m->work && !m->has_failed)
        m->stage = WORKING;
    else if (!m->has_failed)
        peer_fail(p, EXIT_LOCAL_IO, CODE_INPUT, "the job cannot begin: out of memory or processes");
}

struct peer *peer_new(struct cat *cat, const struct plan *plan, struct loop *loop,
                      stt_handle session, bool is_initiator)
{
    struct peer *p = calloc(1, sizeof *p);
    struct peer_more *m = calloc(1, sizeof *m);
    if (!p || !m) {
        free(p);
        free(m);
        return NULL;
    }
    *p = (struct peer){.cat = cat, .plan = plan, .loop = loop, .session = session, .more = m};
    p->ep = stt_node_endpoint(loop->node);
    p->is_initiator = is_initiator;
    p->gives = plan->gives;
    p->takes = plan->takes;
    m->job = job_of(plan);
    m->created_at = loop->now;
    control_begin(&m->control, p->ep);
    tally_begin(&m->tally, loop->now, plan->flags.rate);
    struct stt_session_info info;
    if (stt_session_info(p->ep, session, &info) == STT_OK)
        p->id = info.peer;
    (void)stt_session_set_user(p->ep, session, p);
    return p;
}

void peer_begin(struct peer *p)
{
    if (p->plan->flags.raw && !cat_seat(p->cat, p)) {
        peer_fail(p, EXIT_REFUSED, CODE_BUSY, "it serves one peer, and has one; see -k");
    } else if (p->plan->flags.raw && p->is_initiator) {
        begin_job(p);
    } else if (p->is_initiator) {
        int error = control_open(&p->more->control, p->loop->now, p->session);
        if (error == STT_E_STATE)
            return; /* it has been closed already; why, comes with that event */
        if (error) {
            peer_fail(p, EXIT_NETWORK, CODE_PROTOCOL, "no stream could be opened");
            return;
        }
        send_hello(p);
        begin_job(p);
    }
}

void peer_free(struct peer *p)
{
    struct peer_more *m = p->more;
    if (m->work)
        m->job->end(m->work);
    control_end(&m->control);
    free(m);
    free(p);
}

/* -- HELLO ------------------------------------------------------------------------------------- */

static const char *const job_names[] = {
    [JOB_PIPE] = "pipe bytes",
    [JOB_FILES] = "carry files",
    [JOB_FORWARD] = "forward connections",
};

static bool fits(struct peer *p, const struct wire_message *hello)
{
    const struct plan *plan = p->plan;
    bool both = plan->job == JOB_FILES && plan->gives == !!(hello->flags & WIRE_GIVES);
    if (hello->job != plan->job)
        peer_fail(p, EXIT_REFUSED, CODE_REFUSED,
                  "one side wants to %s, and the other one to %s; see --send, --recv, -L, --permit",
                  job_names[hello->job], job_names[plan->job]);
    else if (both)
        peer_fail(p, EXIT_REFUSED, CODE_REFUSED,
                  plan->gives ? "both sides want to send files; one of them needs --recv DIR"
                              : "both sides want to receive files; one of them needs --send PATH");
    return hello->job == plan->job && !both;
}

static bool on_hello(struct peer *p, const struct wire_message *m)
{
    if (p->has_hello)
        return false;
    if (!cat_seat(p->cat, p)) {
        peer_fail(p, EXIT_REFUSED, CODE_BUSY, "it serves one peer, and has one; see -k");
        return true;
    }
    if (!fits(p, m))
        return true;
    if (m->job == JOB_PIPE && m->lanes != 1)
        return false;
    p->has_hello = true;
    p->hello = *m;
    if (!p->is_initiator)
        send_hello(p); /* it may have to wait for its turn, but not for this */
    cat_greeted(p->cat, p);
    return true;
}

/* -- streams ----------------------------------------------------------------------------------- */

static void break_off(struct peer *p)
{
    peer_fail(p, EXIT_NETWORK, CODE_PROTOCOL, "the other side broke the rules of sttcat/1");
}

static bool is_settled(const struct peer_more *m)
{
    return m->job->is_settled && m->job->is_settled(m->work);
}

static bool on_message(struct peer *p, const struct wire_message *message)
{
    struct peer_more *m = p->more;
    if (m->has_heard_done)
        return false;
    if (message->type == WIRE_HELLO)
        return on_hello(p, message);
    if (message->type == WIRE_DONE) {
        m->has_heard_done = true;
        return p->has_hello && (!m->job->on_message || m->job->on_message(m->work, message));
    }
    return p->has_hello && m->work && m->job->on_message && m->job->on_message(m->work, message);
}

/* What follows HELLO waits until the job has begun. */
static bool may_read(const struct peer *p)
{
    return p->more->control.stream && !p->more->has_failed && (!p->has_hello || p->more->work);
}

static void read_control(struct peer *p)
{
    struct peer_more *m = p->more;
    struct wire_message message;
    enum control_read read = CONTROL_MESSAGE;
    while (may_read(p) && read == CONTROL_MESSAGE) {
        read = control_read(&m->control, p->loop->now, &message);
        if (read == CONTROL_BROKEN || (read == CONTROL_MESSAGE && !on_message(p, &message)))
            break_off(p);
    }
    if (may_read(p) && !m->has_heard_done && control_has_ended(&m->control))
        break_off(p);
}

/* Streams can be here before the HELLO that says what they are. */
static void keep_for_later(struct peer *p, const struct stt_stream_event *event)
{
    struct peer_more *m = p->more;
    for (uint32_t i = 0; i < m->n_early; i++)
        if (m->early[i].stream == event->stream) {
            m->early[i].what |= event->what;
            return;
        }
    if (m->n_early == EARLY_MAX)
        break_off(p);
    else
        m->early[m->n_early++] = *event;
}

static void hand_over(struct peer *p, const struct stt_stream_event *event)
{
    struct peer_more *m = p->more;
    if (!m->has_failed && m->work && !m->job->on_stream(m->work, event))
        break_off(p);
}

static bool hand_over_early(struct peer *p)
{
    struct peer_more *m = p->more;
    uint32_t n = m->n_early;
    if (!m->work || (!p->has_hello && !p->plan->flags.raw))
        return false;
    m->n_early = 0;
    for (uint32_t i = 0; i < n; i++)
        hand_over(p, &m->early[i]);
    return n > 0;
}

static bool is_control(struct peer *p, const struct stt_stream_event *event)
{
    struct peer_more *m = p->more;
    struct stt_stream_info info;
    if (p->plan->flags.raw)
        return false;
    if (!m->control.stream && !p->is_initiator && (event->what & STT_STREAM_OPENED) &&
        stt_stream_info(p->ep, event->stream, &info) == STT_OK && info.has_messages)
        m->control.stream = event->stream;
    return m->control.stream == event->stream;
}

void peer_on_stream(struct peer *p, const struct stt_stream_event *event)
{
    struct peer_more *m = p->more;
    if (m->has_failed || m->stage == OVER)
        return;
    if (is_control(p, event)) {
        if (event->what & (STT_STREAM_FINISHED | STT_STREAM_ENDED))
            m->is_done_there = true;
        if (event->what & (STT_STREAM_RESET | STT_STREAM_STOPPED))
            break_off(p);
        else
            read_control(p);
    } else if (m->n_early || !m->work || (!p->has_hello && !p->plan->flags.raw)) {
        keep_for_later(p, event);
    } else {
        hand_over(p, event);
    }
}

/* -- the end ----------------------------------------------------------------------------------- */

void peer_fail(struct peer *p, int exits, enum wire_code code, const char *format, ...)
{
    struct peer_more *m = p->more;
    char text[400];
    va_list args;
    if (m->has_failed)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    m->has_failed = true;
    m->result = exits;
    m->stage = LEAVING;
    m->leave_at = p->loop->now + FAILING_NS;
    if (exits < EXIT_SIGNAL && !(p->plan->flags.scan && *text == 0))
        say_error("%s: %s", p->name, text);
    (void)stt_session_close(p->ep, p->loop->now, p->session, code, text);
}

void peer_note_failure(struct peer *p, int exits)
{
    if (!p->more->noted)
        p->more->noted = exits;
}

static void succeed(struct peer *p)
{
    struct peer_more *m = p->more;
    m->result = m->noted;
    m->stage = LEAVING;
    m->leave_at = p->loop->now + LEAVING_NS;
    if (p->is_initiator) {
        (void)stt_session_close(p->ep, p->loop->now, p->session, CODE_DONE, "done");
        m->stage = OVER;
    }
}

/* Who closes before its DONE has arrived may leave somebody who never hears of it. */
static bool may_leave(struct peer *p)
{
    struct peer_more *m = p->more;
    if (!p->is_initiator || m->is_done_there)
        return true;
    if (!m->leave_at)
        m->leave_at = p->loop->now + LEAVING_NS;
    loop_wake_at(p->loop, m->leave_at);
    return p->loop->now >= m->leave_at;
}

static void check_end(struct peer *p)
{
    struct peer_more *m = p->more;
    if (m->stage != WORKING || m->has_failed)
        return;
    if (p->plan->flags.raw) {
        if (is_settled(m))
            succeed(p);
        return;
    }
    if (!m->has_said_done && is_settled(m)) {
        struct wire_message done = {.type = WIRE_DONE};
        peer_send(p, &done);
        m->has_said_done = true;
        control_finish(&m->control);
        (void)control_flush(&m->control, p->loop->now);
    }
    if (m->has_said_done && m->has_heard_done && may_leave(p))
        succeed(p);
}

static int exit_of(const struct stt_event *event)
{
    static const int by_reason[] = {
        [STT_REASON_PEER_ERROR] = EXIT_NETWORK,    [STT_REASON_PROTOCOL] = EXIT_NETWORK,
        [STT_REASON_IDLE] = EXIT_NETWORK,          [STT_REASON_NO_ANSWER] = EXIT_NO_ANSWER,
        [STT_REASON_PEER_KEY] = EXIT_PROVEN_WRONG, [STT_REASON_CODE_WRONG] = EXIT_PROVEN_WRONG,
        [STT_REASON_APPLICATION] = EXIT_REFUSED,   [STT_REASON_NOT_ALLOWED] = EXIT_REFUSED,
        [STT_REASON_NO_ADDRESS] = EXIT_NO_ANSWER,
    };
    static const int by_code[CODE_COUNT] = {
        [CODE_DONE] = EXIT_NETWORK,        [CODE_REFUSED] = EXIT_REFUSED,
        [CODE_BUSY] = EXIT_REFUSED,        [CODE_INTERRUPTED] = EXIT_PARTIAL,
        [CODE_OUTPUT] = EXIT_PARTIAL,      [CODE_CLOSED] = EXIT_PARTIAL,
        [CODE_INTEGRITY] = EXIT_INTEGRITY, [CODE_TIMEOUT] = EXIT_TIMEOUT,
        [CODE_PROTOCOL] = EXIT_NETWORK,    [CODE_INPUT] = EXIT_PARTIAL,
        [CODE_COMMAND] = EXIT_PARTIAL,     [CODE_PARTIAL] = EXIT_PARTIAL,
    };
    int exits = 0;
    if (event->reason == STT_REASON_PEER_CLOSE)
        exits = event->code < CODE_COUNT ? by_code[event->code] : EXIT_PARTIAL;
    else if ((size_t)event->reason < sizeof by_reason / sizeof by_reason[0])
        exits = by_reason[event->reason];
    return exits ? exits : EXIT_NETWORK;
}

/* The other side left with success, and we had said all: its DONE may have been overtaken. */
static bool ends_well(const struct peer *p, const struct stt_event *event)
{
    const struct peer_more *m = p->more;
    bool is_done = event->reason == STT_REASON_PEER_CLOSE && event->code == CODE_DONE;
    if (m->has_said_done && m->has_heard_done)
        return true;
    if (p->plan->flags.raw)
        return is_done && m->work && raw_has_ended(m->work);
    return is_done && !p->is_initiator &&
           (m->has_said_done || p->plan->job == JOB_FORWARD || peer_only_looked(p));
}

void peer_on_closed(struct peer *p, const struct stt_event *event)
{
    struct peer_more *m = p->more;
    enum stage before = m->stage;
    m->has_last = stt_session_stats(p->ep, p->loop->now, p->session, &m->last) == STT_OK;
    m->stage = OVER;
    if (m->has_failed || before == OVER || before == LEAVING)
        return;
    if (ends_well(p, event)) {
        m->result = m->noted;
        return;
    }
    m->result = exit_of(event);
    m->has_failed = true;
    if (event->reason == STT_REASON_PEER_CLOSE)
        say_error("%s: the other side ended it: %s", p->name,
                  *event->text ? event->text : "it gave no reason");
    else
        say_error("%s: %s%s", p->name, stt_reason_text(event->reason),
                  event->reason == STT_REASON_APPLICATION ? "; see --raw and --application" : "");
}

bool peer_stats(const struct peer *p, struct stt_session_stats *out)
{
    const struct peer_more *m = p->more;
    if (stt_session_stats(p->ep, p->loop->now, p->session, out) == STT_OK)
        return true;
    *out = m->last;
    return m->has_last;
}

bool peer_is_over(const struct peer *p)
{
    return p->more->stage == OVER;
}

bool peer_only_looked(const struct peer *p)
{
    return !p->has_hello && !p->is_initiator && !p->plan->flags.raw;
}

int peer_result(const struct peer *p)
{
    return p->more->result;
}

/* -- turns ------------------------------------------------------------------------------------- */

static void watch_times(struct peer *p)
{
    struct peer_more *m = p->more;
    stt_ns now = p->loop->now, idle = p->plan->flags.idle_timeout;
    stt_ns greeting = m->created_at + GREETING_NS;
    bool is_greeting = !p->has_hello && !p->plan->flags.raw;
    if (m->stage == LEAVING) {
        if (now >= m->leave_at)
            m->stage = OVER;
        loop_wake_at(p->loop, m->leave_at);
        return;
    }
    if (is_greeting && now >= greeting)
        peer_fail(p, EXIT_NETWORK, CODE_TIMEOUT, "no HELLO within 10 s: is it another program?");
    else if (is_greeting)
        loop_wake_at(p->loop, greeting);
    if (!idle || m->stage != WORKING)
        return;
    stt_ns moved_at = m->tally.moved_at ? m->tally.moved_at : m->created_at;
    if (now >= moved_at + idle)
        peer_fail(p, EXIT_TIMEOUT, CODE_TIMEOUT, "no byte came or went for the time of -i");
    else
        loop_wake_at(p->loop, moved_at + idle);
}

static void greet_back(struct peer *p)
{
    bool has_greeted = p->has_hello || p->plan->flags.raw;
    bool is_heard = p->more->stage == GREETING && !p->is_initiator && has_greeted;
    if (!is_heard || !cat_may_begin(p->cat, p))
        return;
    begin_job(p);
    read_control(p);
}

bool peer_turn(struct peer *p)
{
    struct peer_more *m = p->more;
    bool is_busy = false;
    greet_back(p);
    if (m->stage == WORKING && !m->has_failed) {
        is_busy = hand_over_early(p);
        is_busy = (!m->has_failed && m->job->turn(m->work)) || is_busy;
    }
    if (!m->has_failed)
        is_busy = control_flush(&m->control, p->loop->now) || is_busy;
    check_end(p);
    watch_times(p);
    return is_busy;
}

/* -- what moved -------------------------------------------------------------------------------- */

void peer_count_given(struct peer *p, uint64_t bytes)
{
    tally_given(&p->more->tally, p->loop->now, bytes);
}

void peer_count_taken(struct peer *p, uint64_t bytes)
{
    tally_taken(&p->more->tally, p->loop->now, bytes);
}

void peer_expect(struct peer *p, uint64_t bytes_total)
{
    p->more->tally.expected = bytes_total;
}

void peer_agreed(struct peer *p, bool is_given, const struct wire_hash *hash)
{
    struct tally *t = &p->more->tally;
    hash_text(hash, is_given ? t->given_hash : t->taken_hash);
}

const struct tally *peer_tally(const struct peer *p)
{
    return &p->more->tally;
}

/* What is read long before it can be sent has left the cache when it is sealed. */
bool peer_is_ahead(const struct peer *p, stt_handle stream)
{
    struct stt_stream_info info;
    return stt_stream_info(p->ep, stream, &info) == STT_OK &&
           info.bytes_written > info.bytes_sent + AHEAD_BYTES;
}

uint64_t peer_allowance(struct peer *p, uint64_t wanted)
{
    stt_ns at = STT_NEVER;
    uint64_t allowed = tally_allowance(&p->more->tally, p->loop->now, wanted, &at);
    loop_wake_at(p->loop, at);
    return allowed;
}
