/* SPDX-License-Identifier: MIT
 * Clients by hand, who lie to a sttbench -s or break its rules, and harm nobody
 * else. Spec 11, "Limits". */
#include "stt/node.h"
#include "stt/streams.h"
#include "tests/support/suite.h"
#include "tools/sttbench/transfer/talk.h"
/* Last: its p would be a shadow in inline functions. */
#include "tests/support/benches.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

struct liar {
    struct stt_node *node;
    stt_handle control_session, control, lane;
    struct talk_token token;
    bool is_started, is_closed;
    uint64_t code;
    unsigned sessions;
};

static void liar_begin(struct liar *l)
{
    struct stt_node_config config = STT_NODE_CONFIG_INIT;
    *l = (struct liar){.node = NULL};
    config.io = STT_IO_MMSG;
    strcpy(config.endpoint.application, TALK_APPLICATION);
    ck_assert_int_eq(stt_node_identity(&config, NULL), STT_OK);
    ck_assert_int_eq(stt_node_new(&l->node, &config), STT_OK);
}

static void liar_step(struct liar *l)
{
    struct stt_endpoint *ep = stt_node_endpoint(l->node);
    struct stt_event e;
    struct stt_stream_event s;
    struct talk_message m;
    struct stt_message_read read;
    uint8_t bytes[TALK_MESSAGE_MAX];
    ck_assert_int_eq(stt_node_wait(l->node, STT_MS(50)), STT_OK);
    while (stt_node_event(l->node, &e))
        if (e.type == STT_EVENT_CLOSED) {
            l->is_closed = true;
            l->code = e.code;
        } else if (e.type == STT_EVENT_CONNECTED) {
            l->sessions++;
            l->control_session = l->control_session ? l->control_session : e.session;
        }
    while (stt_endpoint_stream_event(ep, &s))
        while (s.stream == l->control &&
               stt_stream_read_message(ep, stt_node_now(l->node), s.stream, bytes, sizeof bytes,
                                       &read) == STT_OK) {
            ck_assert(talk_decode(&m, bytes_of(bytes, read.len)));
            if (m.type == TALK_READY)
                l->token = m.token;
            l->is_started = l->is_started || m.type == TALK_START;
        }
}

static stt_handle liar_connect(struct liar *l)
{
    struct stt_connect connect = STT_CONNECT_INIT;
    stt_handle session;
    char to[40];
    unsigned before = l->sessions;
    connect.mode = STT_MODE_S;
    connect.has_seed = true;
    memcpy(connect.seed, talk_public_seed, sizeof connect.seed);
    snprintf(to, sizeof to, "127.0.0.1:%u", port);
    ck_assert_int_eq(stt_node_connect(l->node, &connect, to, &session), STT_OK);
    while (l->sessions == before)
        liar_step(l);
    return session;
}

static stt_handle liar_open(struct liar *l, stt_handle session, bool messages)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    options.messages = messages;
    ck_assert_int_eq(stt_stream_open(stt_node_endpoint(l->node), stt_node_now(l->node), session,
                                     &options, &stream),
                     STT_OK);
    return stream;
}

static void liar_write(struct liar *l, stt_handle stream, const void *data, size_t len)
{
    struct stt_endpoint *ep = stt_node_endpoint(l->node);
    size_t written;
    if (stt_stream_write(ep, stt_node_now(l->node), stream, data, len, &written) == STT_OK)
        (void)stt_stream_flush(ep, stt_node_now(l->node), stream);
}

static void liar_say(struct liar *l, const struct talk_message *m)
{
    uint8_t bytes[TALK_MESSAGE_MAX];
    liar_write(l, l->control, bytes, talk_encode(m, bytes, sizeof bytes));
}

static void liar_ask(struct liar *l)
{
    const struct talk_message test = {
        .type = TALK_TEST,
        .test = {.flags = TALK_VERIFY, .streams = 1, .block_bytes = 1000, .bytes = 5}};
    static const struct talk_token none;
    l->control = liar_open(l, liar_connect(l), true);
    liar_say(l, &test);
    while (memcmp(&l->token, &none, sizeof none) == 0 && !l->is_closed)
        liar_step(l);
}

static void liar_join(struct liar *l, uint8_t lane)
{
    struct talk_join join = {.token = l->token, .lane = lane};
    uint8_t bytes[TALK_JOIN_BYTES];
    l->lane = liar_open(l, liar_connect(l), false);
    talk_join_encode(&join, bytes);
    liar_write(l, l->lane, bytes, sizeof bytes);
}

static void liar_await_close(struct liar *l, uint64_t code)
{
    while (!l->is_closed)
        liar_step(l);
    ck_assert_uint_eq(l->code, code);
}

static void liar_end(struct liar *l)
{
    stt_node_free(l->node);
}

START_TEST(payload_that_is_not_what_was_sent_gives_no_goodput)
{
    struct liar l;
    benches_begin();
    struct job *s = programs_start(&p, "exec sttbench -s -1 -J -B 127.0.0.1 -p %u", port);
    liar_begin(&l);
    liar_ask(&l);
    liar_join(&l, 0);
    while (!l.is_started)
        liar_step(&l);
    liar_write(&l, l.lane, "hello", 5);
    ck_assert_int_eq(stt_stream_finish(stt_node_endpoint(l.node), stt_node_now(l.node), l.lane),
                     STT_OK);
    liar_say(&l, &(struct talk_message){.type = TALK_SIDE});
    liar_say(&l, &(struct talk_message){.type = TALK_LANE,
                                        .lane = {.bytes = 5, .all_bytes = 5, .hash = 1}});
    liar_say(&l, &(struct talk_message){.type = TALK_DONE});
    liar_await_close(&l, TALK_CODE_INTEGRITY);
    liar_end(&l);
    bench_failed(s, EXIT_INTEGRITY, "payload is wrong");
    programs_end(&p);
}
END_TEST

/* Everything that a client may say, where it may not say it. */
enum { LIES = 9 };
static void tell_lie(struct liar *l, int lie)
{
    const struct talk_message done = {.type = TALK_DONE}, side = {.type = TALK_SIDE};
    uint8_t bytes[600] = {1};
    switch (lie) {
    case 0: /* no TEST at all */
        l->control = liar_open(l, liar_connect(l), true);
        liar_say(l, &side);
        break;
    case 1: /* longer than any message */
        l->control = liar_open(l, liar_connect(l), true);
        liar_write(l, l->control, bytes, sizeof bytes);
        break;
    case 2: /* a lane of no test */
        liar_join(l, 0);
        break;
    case 3: /* a lane that there is not */
        liar_ask(l);
        liar_join(l, 1);
        break;
    case 4: /* results before START */
        liar_ask(l);
        liar_say(l, &side);
        break;
    case 5: /* DONE without them */
        liar_ask(l);
        liar_join(l, 0);
        while (!l->is_started)
            liar_step(l);
        liar_say(l, &done);
        break;
    case 6: /* a second stream in the control session */
        liar_ask(l);
        liar_write(l, liar_open(l, l->control_session, false), "x", 1);
        break;
    case 7: /* a lane that is reset */
        liar_ask(l);
        liar_join(l, 0);
        while (!l->is_started)
            liar_step(l);
        (void)stt_stream_reset(stt_node_endpoint(l->node), stt_node_now(l->node), l->lane, 1);
        break;
    case 8: /* the end of what it says, too soon */
        liar_ask(l);
        (void)stt_stream_finish(stt_node_endpoint(l->node), stt_node_now(l->node), l->control);
        break;
    }
}

START_TEST(who_breaks_the_rules_harms_nobody_else)
{
    struct liar l;
    benches_begin();
    struct job *s = bench_server("");
    liar_begin(&l);
    tell_lie(&l, _i);
    liar_await_close(&l, TALK_CODE_PROTOCOL);
    (void)stt_session_close(stt_node_endpoint(l.node), stt_node_now(l.node), l.control_session, 0,
                            NULL);
    (void)stt_node_step(l.node);
    liar_end(&l);
    struct job *c = bench_client("-n 10K"); /* whether or not the other one is still there */
    if (job_wait(c) == REFUSED)
        c = bench_client("-n 10K --connect-timeout 20s");
    job_require(c, DONE);
    job_signal(s, SIGTERM);
    job_require(s, EXIT_SIGNAL + SIGTERM);
    programs_end(&p);
}
END_TEST

SUITE("sttbench_strangers", TEST(payload_that_is_not_what_was_sent_gives_no_goodput),
      LOOP(who_breaks_the_rules_harms_nobody_else, 0, LIES))
