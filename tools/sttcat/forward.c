/* SPDX-License-Identifier: MIT
 * forward: the job of the side that accepts connections. It owns the listeners, and each connection
 * from accept() until its stream has ended. What a client says goes on at once; what comes back is
 * the other side's answer first. At most one connection is accepted that has no stream yet: the
 * others wait in the backlog. Spec 10, "Forward". */
#include "tools/common/say.h"
#include "tools/sttcat/links.h"
#include "tools/sttcat/listeners.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { ACCEPTS_PER_TURN = 16, ANSWER_ROOM = 3 + WIRE_TEXT_MAX };
#define PAUSE_NS STT_MS(200) /* where the system has no descriptor or memory left */

struct local {
    struct link link;
    bool is_answered;
};

struct forward {
    struct peer *peer;
    struct target_forward *rules; /* as many as the plan has */
    struct listeners listeners;
    struct links links;
    struct local *waiting; /* for a stream; its connection: */
    int waiting_fd;
    bool is_listening, is_over;
    bool is_short; /* of descriptors; this was said */
    stt_ns pause_until;
};

static void *begin_job(struct peer *p)
{
    const struct option_texts *texts = &p->plan->flags.forward;
    struct forward *f = calloc(1, sizeof *f);
    struct target_forward *rules = calloc(texts->n, sizeof *rules);
    char why[OPTION_WHY_ROOM];
    if (!f || !rules) {
        free(f);
        free(rules);
        return NULL;
    }
    f->peer = p;
    f->rules = rules;
    links_begin(&f->links);
    for (uint32_t i = 0; i < texts->n; i++)
        (void)target_parse_forward(&rules[i], texts->at[i], why); /* plan.c has refused others */
    return f;
}

static void free_local(struct forward *f, struct link *l)
{
    links_remove(&f->links, l);
    free(STT_LIST_ENTRY(l, struct local, link));
}

static void end_job(void *job)
{
    struct forward *f = job;
    listeners_end(&f->listeners);
    LINKS_FOREACH(in, &f->links)
    free_local(f, link_of(in));
    if (f->waiting)
        close(f->waiting_fd);
    free(f->waiting);
    free(f->rules);
    free(f);
}

/* -- listening --------------------------------------------------------------------------------- */

static void tell_listening(const struct listener *l)
{
    static struct say_object o;
    if (!say_is_json()) {
        say_note(0, "listening at %s for %s", l->at, l->rule->remote);
        return;
    }
    say_object_begin(&o, "forward");
    say_object_text(&o, "state", "listening");
    say_object_text(&o, "from", l->at);
    say_object_text(&o, "to", l->rule->remote);
    say_object_end(&o);
}

/* All or none: who started it relies on each. */
static bool listen_all(struct forward *f)
{
    char why[OPTION_WHY_ROOM];
    for (uint32_t i = 0; i < f->peer->plan->flags.forward.n; i++) {
        const enum exits failed = listeners_add(&f->listeners, &f->rules[i], why);
        if (failed) {
            f->is_over = true;
            peer_fail(f->peer, (int)failed, CODE_INPUT, "%s", why);
            return false;
        }
    }
    for (uint32_t i = 0; i < f->listeners.n; i++)
        tell_listening(&f->listeners.at[i]);
    f->is_listening = true;
    return true;
}

/* -- accepting --------------------------------------------------------------------------------- */

/* lp(Target), at once. False: the session has no memory for a few bytes. */
static bool ask(struct forward *f, const struct local *l)
{
    uint8_t text[2 + TARGET_TEXT_MAX];
    struct wr w = wr_init(text, sizeof text);
    struct peer *p = f->peer;
    size_t written;
    wr_u16(&w, (uint16_t)strlen(l->link.to));
    wr_bytes(&w, bytes_of(l->link.to, strlen(l->link.to)));
    return stt_stream_write(p->ep, p->loop->now, l->link.stream, text, wr_len(&w), &written) ==
               STT_OK &&
           written == wr_len(&w) && stt_stream_flush(p->ep, p->loop->now, l->link.stream) == STT_OK;
}

/* The one that waits gets a stream, if the other side allows it one. */
static bool open_waiting(struct forward *f)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    struct peer *p = f->peer;
    struct local *l = f->waiting;
    stt_handle stream;
    if (!l || links_are_full() ||
        stt_stream_open(p->ep, p->loop->now, p->session, &options, &stream) != STT_OK)
        return false;
    f->waiting = NULL;
    links_add(&f->links, &l->link, stream);
    conduit_begin(&l->link.conduit, p->ep, stream, f->waiting_fd);
    l->link.conduit.is_held = true;
    if (!ask(f, l))
        conduit_break(&l->link.conduit, p->loop->now);
    return true;
}

static void on_shortage(struct forward *f, int error)
{
    f->pause_until = f->peer->loop->now + PAUSE_NS;
    if (!f->is_short)
        say_note(0, "a connection has to wait: %s", strerror(error));
    f->is_short = true;
}

static void on_not_accepted(struct forward *f, struct listener *at)
{
    if (errno == EAGAIN)
        at->port.ready &= (short)~POLLIN;
    else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        on_shortage(f, errno);
    /* else it was that connection's misfortune */
}

static bool accept_one(struct forward *f, struct listener *at)
{
    char from[LISTENER_TEXT_ROOM];
    struct local *l = calloc(1, sizeof *l);
    if (!l) {
        on_shortage(f, ENOMEM);
        return false;
    }
    f->waiting_fd = listener_accept(at, from);
    if (f->waiting_fd < 0) {
        on_not_accepted(f, at);
        free(l);
        return false;
    }
    memcpy(l->link.from, from, sizeof from);
    memcpy(l->link.to, at->rule->remote, strlen(at->rule->remote) + 1);
    f->waiting = l;
    f->is_short = false;
    return true;
}

static bool accept_from(struct forward *f, struct listener *at)
{
    const struct loop *loop = f->peer->loop;
    bool any = false;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        if (f->waiting || loop->now < f->pause_until || !(at->port.ready & POLLIN))
            break;
        any |= accept_one(f, at);
        open_waiting(f);
    }
    return any;
}

static bool accept_all(struct forward *f)
{
    struct loop *loop = f->peer->loop;
    bool any = open_waiting(f);
    for (uint32_t i = 0; i < f->listeners.n; i++)
        any |= accept_from(f, &f->listeners.at[i]);
    if (loop->now < f->pause_until)
        loop_wake_at(loop, f->pause_until);
    else if (!f->waiting)
        for (uint32_t i = 0; i < f->listeners.n; i++)
            if (!(f->listeners.at[i].port.ready & POLLIN))
                loop_want(loop, &f->listeners.at[i].port, POLLIN);
    return any;
}

static bool turn(void *job)
{
    struct forward *f = job;
    if (f->is_over || (!f->is_listening && !listen_all(f)))
        return false;
    bool any = accept_all(f);
    LINKS_FOREACH(in, &f->links)
    any |= link_turn(link_of(in), f->peer);
    return any;
}

/* -- answers ----------------------------------------------------------------------------------- */

static void on_opened(struct forward *f, struct local *l)
{
    (void)stt_stream_consume(f->peer->ep, f->peer->loop->now, l->link.stream, 1);
    l->is_answered = true;
    l->link.conduit.is_held = false;
    l->link.is_told_open = true;
    link_tell(&l->link, 1, "open", NULL);
}

static void on_refused(struct forward *f, struct local *l, struct bytes text)
{
    char why[WIRE_TEXT_MAX + 1];
    memcpy(why, text.data, text.len);
    why[text.len] = '\0'; /* where it holds a zero, there it ends */
    l->is_answered = true;
    conduit_break(&l->link.conduit, f->peer->loop->now);
    link_tell(&l->link, 0, "refused", why);
}

/* 0; or 1 and lp(Text). False: it cannot be. */
static bool read_answer(struct forward *f, struct local *l)
{
    uint8_t bytes[ANSWER_ROOM];
    struct stt_stream_info info;
    struct peer *p = f->peer;
    struct rd r = rd_init(bytes_of(bytes, link_peek(&l->link, p, bytes, sizeof bytes)));
    const bool has_any = rd_left(&r) > 0;
    const uint8_t answer = rd_u8(&r);
    if (has_any && answer == 0) {
        on_opened(f, l);
        return true;
    }
    const uint16_t len = rd_u16(&r);
    const struct bytes text = rd_bytes(&r, len);
    if (answer > 1 || len > WIRE_TEXT_MAX)
        return false;
    if (!r.bad) {
        on_refused(f, l, text);
        return true;
    }
    (void)stt_stream_consume(p->ep, p->loop->now, l->link.stream, 0);
    return stt_stream_info(p->ep, l->link.stream, &info) != STT_OK || !info.is_read_to_end;
}

static bool on_stream(void *job, const struct stt_stream_event *event)
{
    struct forward *f = job;
    struct link *l = links_find(&f->links, event->stream);
    if (!l)
        return false; /* only we open streams */
    struct local *local = STT_LIST_ENTRY(l, struct local, link);
    bool is_right = true;
    conduit_on_stream(&l->conduit, f->peer->loop->now, event);
    if ((event->what & STT_STREAM_READABLE) && !local->is_answered && !conduit_is_over(&l->conduit))
        is_right = read_answer(f, local);
    if (event->what & STT_STREAM_ENDED) {
        link_tell_end(l);
        free_local(f, l);
    }
    return is_right;
}

const struct job forward_job = {
    .begin = begin_job,
    .end = end_job,
    .on_stream = on_stream,
    .turn = turn,
};
