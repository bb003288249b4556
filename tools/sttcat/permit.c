/* SPDX-License-Identifier: MIT
 * permit: the job of the side that makes connections. It owns each from the stream that asks for it
 * until that has ended.
 *
 *     asked -> permitted -> answering 0 -> carrying -> over
 *        \         \-----> answering 1 ----------------^
 *
 * What the other side asks for is compared with what the user has permitted before anything is
 * done about it. Spec 10, "Forward". */
#include "tools/common/say.h"
#include "tools/sttcat/dial.h"
#include "tools/sttcat/links.h"

#include <stdio.h>
#include <stdlib.h>

enum { LOOKUPS_MAX = 16, WHY_ROOM = 256 };
#define CROWDED_NS STT_MS(10)

enum stage { ASKED, PERMITTED, ANSWERING, CARRYING, FINISHED };

struct request {
    struct link link;
    enum stage stage;
    bool has_dialed; /* `dial` has begun ... */
    bool is_counted; /* ... and asks for a name */
    struct dial dial;
    uint8_t answer[3 + WHY_ROOM];
    size_t answer_len, answered;
};

struct permit {
    struct peer *peer;
    struct links links;
    uint32_t n_lookups; /* under way */
};

static struct request *request_of(struct link *l)
{
    return STT_LIST_ENTRY(l, struct request, link);
}

static void *begin_job(struct peer *p)
{
    struct permit *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    job->peer = p;
    links_begin(&job->links);
    return job;
}

static void count_lookup(struct permit *job, struct request *r)
{
    const bool is_looking = r->has_dialed && r->dial.lookup;
    job->n_lookups += (uint32_t)is_looking - (uint32_t)r->is_counted;
    r->is_counted = is_looking;
}

static void stop_dialing(struct permit *job, struct request *r)
{
    if (r->has_dialed)
        dial_end(&r->dial);
    count_lookup(job, r);
}

static void free_request(struct permit *job, struct request *r)
{
    stop_dialing(job, r);
    links_remove(&job->links, &r->link);
    free(r);
}

static void end_job(void *ctx)
{
    struct permit *job = ctx;
    LINKS_FOREACH(in, &job->links)
    free_request(job, request_of(link_of(in)));
    free(job);
}

/* -- answers ----------------------------------------------------------------------------------- */

static void refuse(struct request *r, const char *why)
{
    struct wr w = wr_init(r->answer, sizeof r->answer);
    const size_t len = strnlen(why, WHY_ROOM);
    wr_u8(&w, 1);
    wr_u16(&w, (uint16_t)len);
    wr_bytes(&w, bytes_of(why, len));
    r->answer_len = wr_len(&w);
    r->stage = ANSWERING;
    link_tell(&r->link, 1, "refused", why);
}

static void accept_it(struct request *r)
{
    r->answer[0] = 0;
    r->answer_len = 1;
    r->stage = ANSWERING;
}

/* All of the answer is in the ring. */
static void on_answered(struct permit *job, struct request *r)
{
    struct peer *p = job->peer;
    if (r->answer[0] == 0) {
        conduit_begin(&r->link.conduit, p->ep, r->link.stream, dial_take(&r->dial));
        r->stage = CARRYING;
        r->link.is_told_open = true;
        link_tell(&r->link, 1, "open", NULL);
        return;
    }
    (void)stt_stream_finish(p->ep, p->loop->now, r->link.stream);
    (void)stt_stream_stop(p->ep, p->loop->now, r->link.stream, CONDUIT_CODE_BROKEN);
    r->stage = FINISHED;
}

static bool answer(struct permit *job, struct request *r)
{
    struct peer *p = job->peer;
    size_t written;
    if (stt_stream_write(p->ep, p->loop->now, r->link.stream, r->answer + r->answered,
                         r->answer_len - r->answered, &written) != STT_OK)
        return false; /* the stream or its session is over, and there will be word of it */
    r->answered += written;
    if (r->answered < r->answer_len)
        return written > 0;
    (void)stt_stream_flush(p->ep, p->loop->now, r->link.stream);
    on_answered(job, r);
    return true;
}

/* -- what is asked for ------------------------------------------------------------------------- */

static void consider(struct permit *job, struct request *r, struct bytes text)
{
    struct target to;
    char why[WHY_ROOM];
    for (size_t i = 0; i < text.len; i++)
        r->link.to[i] = text.data[i] ? (char)text.data[i] : '?';
    r->link.to[text.len] = '\0';
    if (!target_parse(&to, text)) {
        refuse(r, "it is no target; HOST:PORT, [IPV6]:PORT and unix:PATH are");
    } else if (!target_is_permitted(&job->peer->plan->flags.permit, text)) {
        snprintf(why, sizeof why, "it is not permitted there; --permit %.160s would permit it",
                 r->link.to);
        refuse(r, why);
    } else if (links_are_full()) {
        refuse(r, "it forwards as many connections as it can; try again when some have ended");
    } else {
        r->dial.to = to;
        r->stage = PERMITTED;
    }
}

/* lp(Target). False: it cannot be. */
static bool read_target(struct permit *job, struct request *r)
{
    uint8_t bytes[2 + TARGET_TEXT_MAX];
    struct peer *p = job->peer;
    struct stt_stream_info info;
    struct rd in = rd_init(bytes_of(bytes, link_peek(&r->link, p, bytes, sizeof bytes)));
    const uint16_t len = rd_u16(&in);
    const struct bytes text = rd_bytes(&in, len);
    if (len > TARGET_TEXT_MAX)
        return false;
    if (in.bad) {
        (void)stt_stream_consume(p->ep, p->loop->now, r->link.stream, 0);
        return stt_stream_info(p->ep, r->link.stream, &info) != STT_OK || !info.is_read_to_end;
    }
    consider(job, r, text);
    (void)stt_stream_consume(p->ep, p->loop->now, r->link.stream, 2 + (size_t)len);
    return true;
}

/* Nobody waits for it any more. */
static void give_up(struct permit *job, struct request *r)
{
    struct peer *p = job->peer;
    stop_dialing(job, r);
    conduit_end(&r->link.conduit);
    (void)stt_stream_reset(p->ep, p->loop->now, r->link.stream, CONDUIT_CODE_BROKEN);
    (void)stt_stream_stop(p->ep, p->loop->now, r->link.stream, CONDUIT_CODE_BROKEN);
    r->stage = FINISHED;
}

static struct request *new_request(struct permit *job, const struct stt_stream_event *event)
{
    struct peer *p = job->peer;
    struct request *r = calloc(1, sizeof *r);
    if (!r) {
        (void)stt_stream_reset(p->ep, p->loop->now, event->stream, CONDUIT_CODE_BROKEN);
        (void)stt_stream_stop(p->ep, p->loop->now, event->stream, CONDUIT_CODE_BROKEN);
        return NULL;
    }
    snprintf(r->link.from, sizeof r->link.from, "%s", p->name);
    links_add(&job->links, &r->link, event->stream);
    return r;
}

static bool on_stream(void *ctx, const struct stt_stream_event *event)
{
    struct permit *job = ctx;
    struct link *l = links_find(&job->links, event->stream);
    struct request *r = l ? request_of(l) : NULL;
    bool is_right = true;
    if (!r && (event->what & STT_STREAM_OPENED))
        r = new_request(job, event);
    if (!r)
        return true; /* there was no memory for it */
    if (r->stage == CARRYING)
        conduit_on_stream(&r->link.conduit, job->peer->loop->now, event);
    else if (event->what & (STT_STREAM_RESET | STT_STREAM_STOPPED))
        give_up(job, r);
    else if (r->stage == ASKED && (event->what & STT_STREAM_READABLE))
        is_right = read_target(job, r);
    if (event->what & STT_STREAM_ENDED) {
        link_tell_end(&r->link);
        free_request(job, r);
    }
    return is_right;
}

/* -- turns ------------------------------------------------------------------------------------- */

/* False: others have to have their addresses first. */
static bool dial_one(struct permit *job, struct request *r)
{
    const struct target to = r->dial.to;
    struct loop *loop = job->peer->loop;
    if (r->has_dialed)
        return true;
    if (job->n_lookups >= LOOKUPS_MAX || lookup_threads() >= LOOKUP_THREADS_MAX) {
        loop_wake_at(loop, loop->now + CROWDED_NS);
        return false;
    }
    dial_begin(&r->dial, &to, loop->now);
    r->has_dialed = true;
    return true;
}

static bool connect_it(struct permit *job, struct request *r)
{
    if (!dial_one(job, r))
        return false;
    const enum dial_state state = dial_turn(&r->dial, job->peer->loop);
    count_lookup(job, r);
    if (state == DIAL_WAITS)
        return false;
    if (state == DIAL_DONE)
        accept_it(r);
    else
        refuse(r, r->dial.why);
    (void)answer(job, r);
    return true;
}

static bool turn_one(struct permit *job, struct request *r)
{
    switch (r->stage) {
    case PERMITTED:
        return connect_it(job, r);
    case ANSWERING:
        return answer(job, r);
    case CARRYING:
        return link_turn(&r->link, job->peer);
    case ASKED:
    case FINISHED:
        break;
    }
    return false;
}

static bool turn(void *ctx)
{
    struct permit *job = ctx;
    bool any = false;
    LINKS_FOREACH(in, &job->links)
    any |= turn_one(job, request_of(link_of(in)));
    return any;
}

const struct job permit_job = {
    .begin = begin_job,
    .end = end_job,
    .on_stream = on_stream,
    .turn = turn,
};
