/* SPDX-License-Identifier: MIT
 * server: owns whoever has come, and the one test that is served.
 *
 * Somebody who has come becomes, by the first stream that he opens, the client of a test (messages)
 * or a lane of it (bytes that begin with the token); and has 10 s for that. Nobody else is kept,
 * and who wants a second test is told that it is busy. Whatever a client does ends his test at
 * most. Must not know how it is told. Spec 11, "A test" and "Limits". */
#include "tools/sttbench/transfer/server.h"

#include "stt/env.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define BECOMING_NS STT_S(10)   /* a client or a lane; of a client: until its lanes are there */
#define LEAVING_NS  STT_S(1)    /* for the client's CLOSE */
#define CLOSING_NS  STT_MS(100) /* for ours */

enum kind { NOBODY, GUEST, CLIENT, LANE, LEFT };

struct visitor {
    enum kind kind;
    stt_handle session, stream;
    uint32_t lane;
    uint8_t join[TALK_JOIN_BYTES];
    size_t join_len;
    stt_ns until;
};

struct server {
    const struct flags *flags;
    const struct output *output;
    struct post host;
    struct visitor visitors[POST_SESSIONS_MAX];
    struct visitor *client;
    struct channel control;
    struct course course;
    bool has_course, has_ended; /* the course; and it was told */
    stt_ns until;               /* of what the client does next */
    unsigned tests;
    bool is_stopping, is_over;
    stt_ns over_at;
    enum exits exit;
    char why[OPTION_WHY_ROOM];
};

static stt_ns now_of(const struct server *s)
{
    return s->host.loop.now;
}

static struct stt_endpoint *endpoint(const struct server *s)
{
    return stt_node_endpoint(s->host.node);
}

/* -- visitors ---------------------------------------------------------------------------------- */

static struct visitor *visitor_of(const struct server *s, stt_handle session)
{
    return session ? stt_session_user(endpoint(s), session) : NULL;
}

/* By ACCEPTED, or by his first stream, which can come to us before that. */
static void welcome(struct server *s, stt_handle session)
{
    struct visitor *v = s->visitors, *end = v + POST_SESSIONS_MAX;
    if (visitor_of(s, session))
        return;
    while (v < end && v->kind != NOBODY)
        v++;
    if (v == end || s->is_stopping) {
        post_hang_up(&s->host, session, TALK_CODE_BUSY, "it serves as many as it can");
        return;
    }
    *v = (struct visitor){.kind = GUEST, .session = session, .until = now_of(s) + BECOMING_NS};
    (void)stt_session_set_user(endpoint(s), session, v);
}

static void show_out(struct server *s, struct visitor *v, enum talk_code code, const char *why)
{
    if (v->kind == NOBODY || v->kind == LEFT)
        return;
    v->kind = LEFT; /* its place is free when it has closed */
    post_hang_up(&s->host, v->session, code, why);
}

/* -- the end of a test ------------------------------------------------------------------------- */

static void tell(struct server *s, const char *error)
{
    if (s->has_ended)
        return;
    s->has_ended = true;
    if (s->has_course)
        course_stop(&s->course);
    s->output->end(s->has_course && s->course.stage == COURSE_OVER ? &s->course : NULL, error);
}

static void forget_test(struct server *s)
{
    if (s->has_course)
        course_fini(&s->course);
    s->has_course = s->has_ended = false;
    s->client = NULL;
    if (s->flags->one_off && !s->is_stopping) {
        s->is_stopping = true;
        s->over_at = now_of(s) + CLOSING_NS;
    } else if (!s->is_stopping) {
        s->exit = EXIT_DONE;
        s->output->listening(&s->host, ++s->tests);
    }
}

static void clear_out(struct server *s, enum talk_code code, const char *why)
{
    for (uint32_t i = 0; i < POST_SESSIONS_MAX; i++)
        if (s->visitors[i].kind == CLIENT || s->visitors[i].kind == LANE)
            show_out(s, &s->visitors[i], code, why);
}

/* The test has failed, if there was one; others are served after it. */
static void fail(struct server *s, enum exits exit, enum talk_code code)
{
    if (!s->client)
        return;
    if (!s->has_ended)
        s->exit = exit;
    tell(s, s->why);
    clear_out(s, code, s->why);
    forget_test(s);
}

static void break_off(struct server *s)
{
    options_refuse(s->why, "the client broke the rules of sttbench/1; are both of one version?");
    fail(s, EXIT_NETWORK, TALK_CODE_PROTOCOL);
}

/* A guest's fault is his own; a client's or a lane's is the test's. */
static void blame(struct server *s, struct visitor *v)
{
    if (v->kind == GUEST)
        show_out(s, v, TALK_CODE_PROTOCOL, "this is not sttbench/1");
    else if (v->kind != LEFT)
        break_off(s);
}

static void conclude(struct server *s)
{
    s->course.stage = COURSE_OVER;
    s->exit = course_judge(&s->course, s->why);
    tell(s, s->exit ? s->why : NULL);
    s->until = now_of(s) + LEAVING_NS;
    if (s->exit) {
        clear_out(s, TALK_CODE_INTEGRITY, s->why);
        forget_test(s);
    }
}

/* -- what the client says ---------------------------------------------------------------------- */

static void on_test(struct server *s, const struct talk_test *test)
{
    struct talk_message ready = {.type = TALK_READY};
    struct course_config config = {
        .flags = s->flags, .teller = s->output->teller, .loop = &s->host.loop, .test = test};
    bool is_drawn = getrandom(ready.token.bytes, sizeof ready.token.bytes, 0) ==
                    (ssize_t)sizeof ready.token.bytes;
    config.token = ready.token;
    if (!is_drawn || !course_init(&s->course, &config)) {
        options_refuse(s->why, "there is no memory for so many sessions");
        fail(s, EXIT_LOCAL_IO, TALK_CODE_MEMORY);
        return;
    }
    s->has_course = true;
    s->course.host = &s->host;
    s->course.control = s->client->session;
    s->until = now_of(s) + BECOMING_NS;
    if (!channel_say(&s->control, now_of(s), &ready))
        break_off(s);
}

static bool on_message(struct server *s, const struct talk_message *m)
{
    if (!s->has_course && m->type == TALK_TEST) {
        on_test(s, &m->test);
        return true;
    }
    return s->has_course && course_on_message(&s->course, m);
}

static void read_control(struct server *s)
{
    struct talk_message m;
    enum channel_heard heard = CHANNEL_MESSAGE;
    while (s->client && heard == CHANNEL_MESSAGE && s->course.stage != COURSE_OVER) {
        heard = channel_hear(&s->control, now_of(s), &m);
        if (heard == CHANNEL_BROKEN || (heard == CHANNEL_MESSAGE && !on_message(s, &m)))
            break_off(s);
    }
    if (s->client && !s->course.has_heard_done && channel_has_ended(&s->control))
        break_off(s);
}

static void become_client(struct server *s, struct visitor *v, stt_handle stream)
{
    if (s->client) {
        show_out(s, v, TALK_CODE_BUSY, "the server is busy running a test; try again later");
        return;
    }
    v->kind = CLIENT;
    v->stream = stream;
    s->client = v;
    s->course = (struct course){.stage = COURSE_GATHERING};
    s->control = (struct channel){.ep = endpoint(s), .session = v->session, .stream = stream};
    s->until = now_of(s) + BECOMING_NS;
}

/* -- lanes ------------------------------------------------------------------------------------- */

static bool fits(const struct server *s, const struct talk_join *join)
{
    return s->has_course && s->course.stage == COURSE_GATHERING &&
           memcmp(join->token.bytes, s->course.token.bytes, sizeof join->token.bytes) == 0 &&
           join->lane < s->course.n_lanes && !course_has_joined(&s->course, join->lane);
}

static void become_lane(struct server *s, struct visitor *v)
{
    struct talk_join join;
    talk_join_decode(&join, v->join);
    if (!fits(s, &join)) {
        blame(s, v);
        return;
    }
    v->kind = LANE;
    v->lane = join.lane;
    course_join(&s->course, join.lane, v->session, v->stream);
    if (!s->course.lanes[join.lane].sends)
        (void)stt_stream_finish(endpoint(s), now_of(s), v->stream);
    if (s->course.n_joined < s->course.n_lanes)
        return;
    if (!channel_say_word(&s->control, now_of(s), TALK_START)) {
        break_off(s);
        return;
    }
    course_start(&s->course);
}

static void read_join(struct server *s, struct visitor *v)
{
    size_t n = 0;
    while (v->join_len < TALK_JOIN_BYTES &&
           stt_stream_read(endpoint(s), now_of(s), v->stream, v->join + v->join_len,
                           TALK_JOIN_BYTES - v->join_len, &n) == STT_OK &&
           n > 0)
        v->join_len += n;
    if (v->join_len == TALK_JOIN_BYTES)
        become_lane(s, v);
}

/* -- streams ----------------------------------------------------------------------------------- */

/* One stream each. */
static void on_opened(struct server *s, struct visitor *v, stt_handle stream)
{
    struct stt_stream_info info;
    if (stt_stream_info(endpoint(s), stream, &info) != STT_OK)
        return;
    if (v->kind != GUEST || v->stream)
        blame(s, v);
    else if (info.has_messages)
        become_client(s, v, stream);
    else
        v->stream = stream;
}

static void on_stream(struct server *s, const struct stt_stream_event *event)
{
    if (event->what & STT_STREAM_OPENED)
        welcome(s, event->session);
    struct visitor *v = visitor_of(s, event->session);
    if (!v || v->kind == LEFT)
        return;
    if (event->what & STT_STREAM_OPENED)
        on_opened(s, v, event->stream);
    if (event->stream != v->stream)
        return;
    if (v->kind == GUEST && event->what & STT_STREAM_READABLE)
        read_join(s, v);
    if (v->kind == LANE && s->course.stage != COURSE_OVER &&
        !course_on_stream(&s->course, v->lane, event))
        break_off(s);
    else if (v->kind == CLIENT && event->what & (STT_STREAM_RESET | STT_STREAM_STOPPED))
        break_off(s);
    else if (v->kind == CLIENT)
        read_control(s);
}

static void on_closed(struct server *s, const struct stt_event *event)
{
    struct visitor *v = visitor_of(s, event->session);
    if (!v)
        return;
    enum kind kind = v->kind;
    bool is_test = kind == CLIENT || kind == LANE;
    if (is_test && s->has_ended) {
        if (kind == CLIENT) { /* it has all, and so have we */
            v->kind = LEFT;
            clear_out(s, TALK_CODE_DONE, "");
            forget_test(s);
        }
    } else if (is_test) {
        enum exits exit = post_reason(&s->host, event, s->why);
        v->kind = LEFT;
        fail(s, exit, TALK_CODE_INTERRUPTED);
    }
    *v = (struct visitor){.kind = NOBODY};
}

/* Streams first: what a session said before it closed is heard before that. */
static bool pull(struct server *s)
{
    struct stt_event event;
    struct stt_stream_event stream;
    bool any = false;
    while (stt_endpoint_stream_event(endpoint(s), &stream)) {
        on_stream(s, &stream);
        any = true;
    }
    while (stt_node_event(s->host.node, &event)) {
        any = true;
        if (event.type == STT_EVENT_ACCEPTED)
            welcome(s, event.session);
        else if (event.type == STT_EVENT_CLOSED)
            on_closed(s, &event);
    }
    return any;
}

/* -- turns ------------------------------------------------------------------------------------- */

static bool turn_guests(struct server *s)
{
    bool is_busy = false;
    for (uint32_t i = 0; i < POST_SESSIONS_MAX; i++) {
        struct visitor *v = &s->visitors[i];
        if (v->kind != GUEST)
            continue;
        if (now_of(s) < v->until) {
            loop_wake_at(&s->host.loop, v->until);
            continue;
        }
        show_out(s, v, TALK_CODE_TIMEOUT, "it did not say what it wants");
        is_busy = true;
    }
    return is_busy;
}

static bool turn_course(struct server *s)
{
    enum course_turn turn = course_turn(&s->course);
    if (turn == COURSE_TOO_LATE) {
        options_refuse(s->why, "what was sent has not arrived in time; is the path broken?");
        fail(s, EXIT_TIMEOUT, TALK_CODE_TIMEOUT);
    } else if (turn == COURSE_HAS_RESULTS && !course_say_results(&s->course, &s->control)) {
        break_off(s);
    } else if (s->course.stage == COURSE_SETTLING && s->course.has_heard_done) {
        conclude(s);
    }
    return turn != COURSE_IDLE;
}

/* Before the test runs, and after it. */
static bool turn_times(struct server *s)
{
    bool waits = s->client && (s->course.stage == COURSE_GATHERING || s->has_ended);
    if (!waits)
        return false;
    loop_wake_at(&s->host.loop, s->until);
    if (now_of(s) < s->until)
        return false;
    if (s->has_ended) {
        clear_out(s, TALK_CODE_DONE, "");
        forget_test(s);
    } else {
        options_refuse(s->why, "the client did not begin its test in time");
        fail(s, EXIT_TIMEOUT, TALK_CODE_TIMEOUT);
    }
    return true;
}

static void stop(struct server *s, int signal)
{
    s->is_stopping = true;
    s->over_at = now_of(s) + CLOSING_NS;
    options_refuse(s->why, "interrupt - the server has terminated");
    fail(s, EXIT_SIGNAL + (enum exits)signal, TALK_CODE_INTERRUPTED);
    s->exit = EXIT_SIGNAL + (enum exits)signal;
}

static enum loop_turn turn(void *ctx)
{
    struct server *s = ctx;
    int signal = loop_signal();
    bool is_busy = pull(s);
    if (signal && !s->is_stopping) {
        stop(s, signal);
        is_busy = true;
    }
    if (s->has_course)
        is_busy = turn_course(s) || is_busy;
    is_busy = turn_guests(s) || is_busy;
    is_busy = turn_times(s) || is_busy;
    if (s->is_stopping) {
        s->is_over = now_of(s) >= s->over_at;
        loop_wake_at(&s->host.loop, s->over_at);
    }
    return s->is_over ? LOOP_OVER : is_busy ? LOOP_BUSY : LOOP_IDLE;
}

/* -- all of it --------------------------------------------------------------------------------- */

static enum exits run(struct server *s, void (*listens)(void))
{
    enum exits exit = post_open(&s->host, s->flags, s->why);
    if (!exit)
        exit = post_listen(&s->host, s->why);
    if (exit) {
        s->output->end(NULL, s->why);
        return exit;
    }
    s->output->listening(&s->host, ++s->tests);
    listens();
    int error = loop_run(&s->host.loop, turn, s);
    if (!error)
        return s->exit;
    options_refuse(s->why, "the network cannot be used any more: %s", stt_error_text(error));
    tell(s, s->why);
    return EXIT_NETWORK;
}

enum exits server_run(const struct flags *flags, const struct output *output, void (*listens)(void))
{
    static struct server s;
    s = (struct server){.flags = flags, .output = output};
    enum exits exit = run(&s, listens);
    if (s.has_course)
        course_fini(&s.course);
    post_close(&s.host);
    return exit;
}
