/* SPDX-License-Identifier: MIT
 * client: owns a test from the connect to the exit: a control session, then a session for each
 * lane, then the course, and the end.
 *
 *     connecting -> asking (TEST, READY) -> joining (lanes, START) -> running -> leaving -> over
 *
 * Must not know how it is told. Spec 11, "A test". */
#include "tools/sttbench/transfer/client.h"

#include "stt/env.h"
#include "tools/sttbench/transfer/picture.h"

#include <stdio.h>
#include <string.h>

enum { CONTROL_USER = 1, LANE_USER = 2, CONNECTS_MAX = 16 };
#define SETTING_UP_NS STT_S(10)   /* of the server, to say READY and START */
#define LEAVING_NS    STT_S(1)    /* for our DONE to arrive */
#define CLOSING_NS    STT_MS(100) /* for our CLOSE */

enum stage { CONNECTING, ASKING, JOINING, RUNNING, LEAVING, CLOSING };

struct client {
    const struct flags *flags;
    const struct output *output;
    struct post host;
    struct course course;
    struct channel control;
    enum stage stage;
    bool has_course, is_over, is_told;
    uint32_t connects; /* lanes that were asked for */
    stt_ns until;
    enum exits exit;
    char why[OPTION_WHY_ROOM];
};

static stt_ns now_of(const struct client *c)
{
    return c->host.loop.now;
}

static void go_on(struct client *c, enum stage stage, stt_ns patience)
{
    c->stage = stage;
    c->until = now_of(c) + patience;
}

/* -- the end ----------------------------------------------------------------------------------- */

static void hang_up_all(struct client *c, enum talk_code code, const char *text)
{
    for (uint32_t i = 0; c->has_course && i < c->course.n_lanes; i++)
        if (c->course.lanes[i].session)
            post_hang_up(&c->host, c->course.lanes[i].session, code, text);
    if (c->control.session)
        post_hang_up(&c->host, c->control.session, code, text);
    go_on(c, CLOSING, CLOSING_NS);
}

/* With what there is, once. */
static void tell(struct client *c, const char *error)
{
    if (c->is_told)
        return;
    c->is_told = true;
    if (c->has_course)
        course_stop(&c->course);
    c->output->end(c->has_course && c->course.stage == COURSE_OVER ? &c->course : NULL, error);
}

static void fail(struct client *c, enum exits exit, enum talk_code code)
{
    if (c->stage == CLOSING)
        return;
    c->exit = exit;
    tell(c, c->why);
    hang_up_all(c, code, c->why);
}

static void break_off(struct client *c)
{
    options_refuse(c->why, "the server broke the rules of sttbench/1; are both of one version?");
    fail(c, EXIT_NETWORK, TALK_CODE_PROTOCOL);
}

/* Both have said all that they have to say. */
static void conclude(struct client *c)
{
    c->course.stage = COURSE_OVER;
    enum exits exit = course_judge(&c->course, c->why);
    c->exit = exit;
    tell(c, exit ? c->why : NULL);
    if (!exit && c->flags->plot && !picture_draw(&c->course, c->flags->plot))
        c->exit = EXIT_LOCAL_IO;
    if (exit)
        hang_up_all(c, TALK_CODE_INTEGRITY, c->why);
    else
        go_on(c, LEAVING, LEAVING_NS);
}

/* -- lanes ------------------------------------------------------------------------------------- */

/* A few handshakes at a time: all at once would be a flood to the server. */
static void connect_lanes(struct client *c)
{
    while (c->connects < c->course.n_lanes && c->connects < c->course.n_joined + CONNECTS_MAX) {
        enum exits exit =
            post_connect(&c->host, (void *)(uintptr_t)(LANE_USER + c->connects), c->why);
        if (exit) {
            fail(c, exit, TALK_CODE_MEMORY);
            return;
        }
        c->connects++;
    }
}

static void join(struct client *c, uint32_t lane, stt_handle session)
{
    struct stt_endpoint *ep = stt_node_endpoint(c->host.node);
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    struct talk_join head = {.token = c->course.token, .lane = (uint8_t)lane};
    uint8_t bytes[TALK_JOIN_BYTES];
    stt_handle stream;
    size_t written = 0;
    talk_join_encode(&head, bytes);
    if (c->stage != JOINING || stt_stream_open(ep, now_of(c), session, &options, &stream) ||
        stt_stream_write(ep, now_of(c), stream, bytes, sizeof bytes, &written) ||
        written != sizeof bytes) {
        break_off(c);
        return;
    }
    course_join(&c->course, lane, session, stream);
    if (!c->course.lanes[lane].sends)
        (void)stt_stream_finish(ep, now_of(c), stream);
    (void)stt_stream_flush(ep, now_of(c), stream);
    connect_lanes(c);
}

/* -- what the server says ---------------------------------------------------------------------- */

static void on_ready(struct client *c, const struct talk_token *token)
{
    struct course_config config = {.flags = c->flags,
                                   .teller = c->output->teller,
                                   .loop = &c->host.loop,
                                   .test = &c->flags->test,
                                   .token = *token,
                                   .is_client = true};
    if (!course_init(&c->course, &config)) {
        options_refuse(c->why, "there is no memory for so many sessions");
        fail(c, EXIT_LOCAL_IO, TALK_CODE_MEMORY);
        return;
    }
    c->has_course = true;
    c->course.host = &c->host;
    c->course.control = c->control.session;
    go_on(c, JOINING, SETTING_UP_NS);
    connect_lanes(c);
}

static bool on_message(struct client *c, const struct talk_message *m)
{
    if (c->stage == ASKING && m->type == TALK_READY) {
        on_ready(c, &m->token);
        return true;
    }
    if (c->stage == JOINING && m->type == TALK_START && c->course.n_joined == c->course.n_lanes) {
        go_on(c, RUNNING, 0);
        course_start(&c->course);
        return true;
    }
    return c->stage == RUNNING && course_on_message(&c->course, m);
}

static void read_control(struct client *c)
{
    struct talk_message m;
    enum channel_heard heard = CHANNEL_MESSAGE;
    while (heard == CHANNEL_MESSAGE && c->stage < LEAVING) {
        heard = channel_hear(&c->control, now_of(c), &m);
        if (heard == CHANNEL_BROKEN || (heard == CHANNEL_MESSAGE && !on_message(c, &m)))
            break_off(c);
    }
    if (c->stage < LEAVING && !c->course.has_heard_done && channel_has_ended(&c->control))
        break_off(c);
}

/* -- events ------------------------------------------------------------------------------------ */

static void on_connected(struct client *c, stt_handle session)
{
    uintptr_t user = (uintptr_t)stt_session_user(stt_node_endpoint(c->host.node), session);
    struct talk_message test = {.type = TALK_TEST, .test = c->flags->test};
    if (c->stage == CLOSING) {
        post_hang_up(&c->host, session, TALK_CODE_INTERRUPTED, "");
    } else if (user >= LANE_USER) {
        join(c, (uint32_t)(user - LANE_USER), session);
    } else if (channel_open(&c->control, stt_node_endpoint(c->host.node), now_of(c), session) ||
               !channel_say(&c->control, now_of(c), &test)) {
        break_off(c);
    } else {
        go_on(c, ASKING, SETTING_UP_NS);
    }
}

static void on_closed(struct client *c, const struct stt_event *event)
{
    if (event->session == c->control.session)
        c->control.session = 0;
    if (c->stage == LEAVING && event->reason == STT_REASON_PEER_CLOSE &&
        event->code == TALK_CODE_DONE)
        c->control.is_heard = true;
    if (c->stage == CLOSING || c->stage == LEAVING)
        return;
    enum exits exit = post_reason(&c->host, event, c->why);
    fail(c, exit, TALK_CODE_INTERRUPTED);
}

static void on_stream(struct client *c, const struct stt_stream_event *event)
{
    if (c->stage == CLOSING)
        return;
    if (event->stream == c->control.stream) {
        if (event->what & (STT_STREAM_FINISHED | STT_STREAM_ENDED))
            c->control.is_heard = true;
        if (event->what & (STT_STREAM_RESET | STT_STREAM_STOPPED))
            break_off(c);
        else
            read_control(c);
        return;
    }
    for (uint32_t i = 0; c->has_course && i < c->course.n_lanes; i++)
        if (c->course.lanes[i].stream == event->stream) {
            if (c->stage < LEAVING && !course_on_stream(&c->course, i, event))
                break_off(c);
            return;
        }
    break_off(c); /* only the client opens streams */
}

static bool pull(struct client *c)
{
    struct stt_event event;
    struct stt_stream_event stream;
    bool any = false;
    while (stt_endpoint_stream_event(stt_node_endpoint(c->host.node), &stream)) {
        on_stream(c, &stream);
        any = true;
    }
    while (stt_node_event(c->host.node, &event)) {
        any = true;
        if (event.type == STT_EVENT_CONNECTED)
            on_connected(c, event.session);
        else if (event.type == STT_EVENT_CLOSED)
            on_closed(c, &event);
    }
    return any;
}

/* -- turns ------------------------------------------------------------------------------------- */

static bool turn_course(struct client *c)
{
    enum course_turn turn = course_turn(&c->course);
    if (turn == COURSE_TOO_LATE) {
        options_refuse(c->why, "what was sent has not arrived in time; is the path broken?");
        fail(c, EXIT_TIMEOUT, TALK_CODE_TIMEOUT);
    } else if (turn == COURSE_HAS_RESULTS && !course_say_results(&c->course, &c->control)) {
        break_off(c);
    } else if (c->course.stage == COURSE_SETTLING && c->course.has_heard_done) {
        conclude(c);
    }
    return turn != COURSE_IDLE;
}

/* True: something was said, which goes with the next step. */
static bool turn_times(struct client *c)
{
    bool is_late = now_of(c) >= c->until;
    enum stage before = c->stage;
    if (c->stage == CONNECTING || c->stage == RUNNING)
        return false;
    if (c->stage == LEAVING && (c->control.is_heard || is_late))
        hang_up_all(c, TALK_CODE_DONE, "");
    else if (c->stage == CLOSING && is_late)
        c->is_over = true;
    else if (is_late && c->stage != LEAVING) {
        options_refuse(c->why, "the server does not get ready for the test");
        fail(c, EXIT_TIMEOUT, TALK_CODE_TIMEOUT);
    }
    loop_wake_at(&c->host.loop, c->until);
    return c->stage != before;
}

/* What was measured until then is shown. */
static void stop(struct client *c, int signal)
{
    snprintf(c->why, sizeof c->why, "interrupt - the client has terminated");
    fail(c, EXIT_SIGNAL + (enum exits)signal, TALK_CODE_INTERRUPTED);
}

static enum loop_turn turn(void *ctx)
{
    struct client *c = ctx;
    int signal = loop_signal();
    bool is_busy = pull(c);
    if (signal && c->stage != CLOSING) {
        stop(c, signal);
        is_busy = true;
    }
    if (c->stage == RUNNING)
        is_busy = turn_course(c) || is_busy;
    is_busy = turn_times(c) || is_busy;
    return c->is_over ? LOOP_OVER : is_busy ? LOOP_BUSY : LOOP_IDLE;
}

/* -- all of it --------------------------------------------------------------------------------- */

static enum exits run(struct client *c)
{
    enum exits exit = post_open(&c->host, c->flags, c->why);
    if (!exit) {
        c->output->connecting(c->flags);
        exit = post_connect(&c->host, (void *)(uintptr_t)CONTROL_USER, c->why);
    }
    if (exit) {
        tell(c, c->why);
        return exit;
    }
    int error = loop_run(&c->host.loop, turn, c);
    if (!error)
        return c->exit;
    options_refuse(c->why, "the network cannot be used any more: %s", stt_error_text(error));
    tell(c, c->why);
    return EXIT_NETWORK;
}

enum exits client_run(const struct flags *flags, const struct output *output)
{
    static struct client c;
    c = (struct client){.flags = flags, .output = output};
    enum exits exit = run(&c);
    if (c.has_course)
        course_fini(&c.course);
    post_close(&c.host);
    return exit;
}
