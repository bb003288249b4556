/* SPDX-License-Identifier: MIT
 * sttbench -s and -c as people and scripts use them: what iperf3's JSON promises, what ends how,
 * and what strangers can do to a server. Speeds are nobody's business here. */
#include "stt/node.h"
#include "stt/streams.h"
#include "tests/support/sanitized.h"
#include "tests/support/suite.h"
#include "tools/sttbench/transfer/talk.h"
/* Last: its p would be a shadow in inline functions. */
#include "tests/support/cats.h"

#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void begin(void)
{
    ck_assert(programs_begin_in_memory(&p, "mmsg"));
    port = programs_port();
}

static struct job *server(const char *words)
{
    struct job *j = programs_start(&p, "exec sttbench -s -B 127.0.0.1 -p %u %s", port, words);
    job_shows(j, "Server listening");
    return j;
}

static struct job *bench(const char *words)
{
    return programs_start(&p, "exec sttbench -c 127.0.0.1 -p %u %s", port, words);
}

/* -- JSON -------------------------------------------------------------------------------------- */

static json_t *parse(const struct job *j)
{
    json_error_t error;
    json_t *o = json_loads(j->out.text, 0, &error);
    ck_assert_msg(o != NULL, "%s: %s\n%s", error.text, j->command, j->out.text);
    return o;
}

/* "end.sum_sent.bytes" */
static json_t *at(json_t *o, const char *path)
{
    char part[64];
    for (const char *from = path; o && *from;) {
        size_t len = strcspn(from, ".");
        snprintf(part, sizeof part, "%.*s", (int)len, from);
        o = json_object_get(o, part);
        from += len + (from[len] == '.');
    }
    return o;
}

static json_t *must(json_t *o, const char *path)
{
    json_t *value = at(o, path);
    ck_assert_msg(value != NULL, "there is no %s", path);
    return value;
}

static double number(json_t *o, const char *path)
{
    json_t *value = must(o, path);
    ck_assert_msg(json_is_number(value), "%s is no number", path);
    return json_number_value(value);
}

static json_int_t count(json_t *o, const char *path)
{
    json_t *value = must(o, path);
    ck_assert_msg(json_is_integer(value), "%s is no whole number", path);
    return json_integer_value(value);
}

static const char *text(json_t *o, const char *path)
{
    json_t *value = must(o, path);
    ck_assert_msg(json_is_string(value), "%s is no text", path);
    return json_string_value(value);
}

static bool is_true(json_t *o, const char *path)
{
    json_t *value = must(o, path);
    ck_assert_msg(json_is_boolean(value), "%s is not true or false", path);
    return json_is_true(value);
}

/* What is counted, over all intervals. */
static json_int_t all_bytes(json_t *o, const char *sum)
{
    json_int_t bytes = 0;
    json_t *interval;
    size_t i;
    json_array_foreach(must(o, "intervals"), i, interval)
    {
        json_t *s = must(interval, sum), *stream;
        json_int_t streams = 0;
        size_t k;
        json_array_foreach(must(interval, "streams"), k, stream) streams += count(stream, "bytes");
        if (!json_object_get(interval, "sum_bidir_reverse"))
            ck_assert_int_eq(streams, count(s, "bytes"));
        if (!is_true(s, "omitted"))
            bytes += count(s, "bytes");
    }
    return bytes;
}

static void check_rate(json_t *sum)
{
    double bits = (double)count(sum, "bytes") * 8, seconds = number(sum, "seconds");
    ck_assert_double_eq_tol(number(sum, "end") - number(sum, "start"), seconds, 1e-6);
    if (seconds > 0)
        ck_assert_double_eq_tol(number(sum, "bits_per_second") * seconds, bits, bits * 1e-6 + 1);
}

static json_int_t lane_bytes(json_t *o, const char *who, bool is_ours)
{
    json_int_t bytes = 0;
    json_t *stream;
    size_t i;
    json_array_foreach(must(o, "end.streams"), i, stream)
    {
        json_t *side = must(stream, who);
        check_rate(side);
        if (is_true(side, "sender") == is_ours)
            bytes += count(side, "bytes");
    }
    return bytes;
}

/* Everything that holds for whatever was asked, on either side. */
static void check_whole(json_t *o, bool is_sender, bool is_bidir)
{
    ck_assert_ptr_null(at(o, "error"));
    json_t *sent = must(o, "end.sum_sent"), *came = must(o, "end.sum_received");
    check_rate(sent);
    check_rate(came);
    ck_assert_int_eq(is_true(sent, "sender"), is_sender);
    ck_assert_int_eq(all_bytes(o, "sum"), count(is_sender ? sent : came, "bytes"));
    ck_assert_int_eq(lane_bytes(o, "sender", is_sender), count(sent, "bytes"));
    ck_assert_int_eq(lane_bytes(o, "receiver", is_sender), count(came, "bytes"));
    ck_assert_int_ge(count(sent, "retransmits"), 0);
    ck_assert_int_ge(count(sent, "packets_sent"), count(sent, "packets_lost"));
    ck_assert(number(o, "end.cpu_utilization_percent.host_total") > 0);
    ck_assert(number(o, "end.cpu_utilization_percent.remote_total") > 0);
    ck_assert_uint_gt(strlen(text(o, "end.limited_by")), 20);
    ck_assert_str_ne(text(o, "end.limit"), "");
    if (is_bidir) {
        json_t *back = must(o, "end.sum_sent_bidir_reverse");
        ck_assert_int_ne(is_true(back, "sender"), is_sender);
        ck_assert_int_eq(all_bytes(o, "sum_bidir_reverse"),
                         count(o, is_sender ? "end.sum_received_bidir_reverse.bytes"
                                            : "end.sum_sent_bidir_reverse.bytes"));
    }
}

static const struct asked {
    const char *words;
    bool is_reverse, is_bidir, is_omitting, is_unverified, is_silent;
    json_int_t streams, bytes;
} asked[] = {
    {"-t 0.4 -i 0.1", .streams = 1},
    {"-t 0.4 -R -i 0.1", .is_reverse = true, .streams = 1},
    {"-t 0.4 --bidir -P 2 -i 0.1", .is_bidir = true, .streams = 2},
    {"-n 3M -P 4 -i 0.1", .streams = 4, .bytes = 3 << 20},
    {"-n 3000001 -R -P 3 -i 0", .is_reverse = true, .is_silent = true, .streams = 3,
     .bytes = 3000001},
    {"-n 1 -l 1", .streams = 1, .bytes = 1},
    {"-n 1M --bidir", .is_bidir = true, .streams = 1, .bytes = 1 << 20},
    {"-t 0.3 -O 0.2 -i 0.1", .is_omitting = true, .streams = 1},
    {"-t 0.3 -l 1000 --no-verify", .is_unverified = true, .streams = 1},
    {"-n 200K -l 1M -w 64K", .streams = 1, .bytes = 200 << 10},
    {"-n 2M -P 40 --preset high-throughput --cc bbr --mtu 9000", .streams = 40, .bytes = 2 << 20},
};
enum { ASKED = sizeof asked / sizeof asked[0] };

static void check_counts(json_t *o, const struct asked *a)
{
    json_int_t sent = count(o, "end.sum_sent.bytes"), came = count(o, "end.sum_received.bytes");
    ck_assert_int_eq(count(o, "start.test_start.num_streams"), a->streams);
    ck_assert_int_eq(count(o, "start.test_start.reverse"), a->is_reverse);
    ck_assert_int_eq(count(o, "start.test_start.bidir"), a->is_bidir);
    ck_assert_int_eq(count(o, "start.test_start.bytes"), a->bytes);
    ck_assert_uint_eq(json_array_size(must(o, "start.connected")),
                      (size_t)(a->is_bidir ? 2 * a->streams : a->streams));
    ck_assert_int_eq(is_true(o, "end.verified"), !a->is_unverified);
    if (!a->is_omitting)
        ck_assert_int_eq(sent, came); /* all of it has arrived */
    if (a->bytes)
        ck_assert_int_eq(sent, a->bytes);
    ck_assert_int_gt(sent, 0);
}

START_TEST(both_sides_tell_the_same_as_iperf3_would)
{
    const struct asked *a = &asked[_i];
    begin();
    struct job *s = programs_start(&p, "exec sttbench -s -1 -J -i 0.1 -p %u", port);
    struct job *c = programs_start(&p, "exec sttbench -c 127.0.0.1 -J -p %u %s", port, a->words);
    job_require(c, DONE);
    job_require(s, DONE);
    json_t *here = parse(c), *there = parse(s);
    if (!a->is_silent)
        check_whole(here, !a->is_reverse, a->is_bidir);
    check_whole(there, a->is_reverse, a->is_bidir);
    check_counts(here, a);
    check_counts(there, a);
    ck_assert_int_eq(count(here, "end.sum_sent.bytes"), count(there, "end.sum_sent.bytes"));
    ck_assert_str_eq(text(here, "start.cookie"), text(there, "start.cookie"));
    ck_assert_str_eq(text(here, "start.suite"), text(there, "start.suite"));
    json_decref(here);
    json_decref(there);
    programs_end(&p);
}
END_TEST

START_TEST(the_start_is_that_of_iperf3)
{
    begin();
    struct job *s = server("-1");
    struct job *c = bench("-J -t 0.2 -T title");
    job_require(c, DONE);
    json_t *o = parse(c);
    ck_assert_str_eq(text(o, "title"), "title");
    ck_assert_str_eq(text(o, "start.connecting_to.host"), "127.0.0.1");
    ck_assert_int_eq(count(o, "start.connecting_to.port"), port);
    ck_assert_int_gt(count(o, "start.timestamp.timesecs"), 1600000000);
    ck_assert_ptr_nonnull(strstr(text(o, "start.timestamp.time"), "GMT"));
    ck_assert_str_eq(text(o, "start.test_start.protocol"), "STT");
    ck_assert_int_eq(count(o, "start.test_start.blksize"), 128 << 10);
    ck_assert_int_eq(count(o, "start.test_start.omit"), 0);
    ck_assert_int_eq(count(o, "start.test_start.blocks"), 0);
    ck_assert_str_eq(text(o, "start.authenticated"), "nobody");
    json_t *connected = json_array_get(must(o, "start.connected"), 0);
    ck_assert_str_eq(text(connected, "remote_host"), "127.0.0.1");
    ck_assert_int_eq(count(connected, "remote_port"), port);
    ck_assert_int_gt(count(connected, "local_port"), 0);
    ck_assert_int_gt(count(connected, "socket"), 0);
    json_decref(o);
    job_require(s, DONE);
    programs_end(&p);
}
END_TEST

START_TEST(people_get_lines_and_a_last_sentence)
{
    begin();
    struct job *s = server("-1");
    struct job *c = bench("-t 0.4 -i 0.2 -P 2");
    job_require(c, DONE);
    static const char *const shown[] = {"Connecting to host 127.0.0.1, port ",
                                        "nobody was authenticated",
                                        "[ ID] Interval",
                                        "[SUM] ",
                                        " sender\n",
                                        " receiver\n",
                                        "Packets: ",
                                        "CPU: ",
                                        "Verified: ",
                                        "Limited by "};
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        job_shows(c, shown[i]);
    job_require(s, DONE);
    job_shows(s, "Accepted connection from 127.0.0.1, port ");
    job_shows(s, "Verified: ");
    programs_end(&p);
}
END_TEST

START_TEST(a_picture_is_drawn_beside_it)
{
    begin();
    struct job *s = server("-1");
    struct job *c = bench("-J -t 0.4 -i 0.1 --bidir --plot picture.html");
    job_require(c, DONE);
    json_decref(parse(c)); /* nothing else on standard output */
    ck_assert_int_eq(access("picture.html", F_OK), 0);
    job_require(s, DONE);
    programs_end(&p);
}
END_TEST

START_TEST(a_stream_of_json_is_one_object_a_line)
{
    static const char *const events[] = {"start", "interval", "end"};
    size_t event = 0;
    begin();
    struct job *s = server("-1");
    struct job *c = bench("--json-stream -t 0.5 -i 0.1");
    job_require(c, DONE);
    for (char *line = strtok(c->out.text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *o = json_loads(line, 0, NULL);
        ck_assert_msg(o != NULL, "%s", line);
        while (strcmp(events[event], text(o, "event")) != 0)
            ck_assert_uint_lt(++event, 3);
        ck_assert(json_is_object(must(o, "data")));
        json_decref(o);
    }
    ck_assert_uint_eq(event, 2);
    job_require(s, DONE);
    programs_end(&p);
}
END_TEST

START_TEST(a_rate_is_kept)
{
    begin();
    struct job *s = server("-1");
    struct job *c = bench("-J -t 1 -b 4M -P 2 -l 10K");
    job_require(c, DONE);
    json_t *o = parse(c);
    /* A block more for each stream, at most; a machine that is slow may send less. */
    ck_assert_int_le(count(o, "end.sum_sent.bytes"), 2 * (500000 + 10240));
    ck_assert_int_gt(count(o, "end.sum_sent.bytes"), IS_SANITIZED ? 0 : 500000);
    ck_assert_int_eq(count(o, "start.test_start.target_bitrate"), 4000000);
    json_decref(o);
    job_require(s, DONE);
    programs_end(&p);
}
END_TEST

/* -- who is there ------------------------------------------------------------------------------ */

static void require_authenticated(const char *words, const char *by)
{
    struct job *c = bench(words);
    job_require(c, DONE);
    json_t *o = parse(c);
    ck_assert_str_eq(text(o, "start.authenticated"), by);
    json_decref(o);
}

static void require_failed(struct job *c, int status, const char *says)
{
    job_require(c, status);
    json_t *o = parse(c);
    ck_assert_msg(strstr(text(o, "error"), says) != NULL, "%s", text(o, "error"));
    ck_assert_ptr_null(at(o, "end.sum_received"));
    ck_assert(json_is_array(must(o, "intervals")) && json_is_object(must(o, "start")));
    json_decref(o);
}

START_TEST(who_has_the_seed_is_served_and_nobody_else)
{
    begin();
    job_require(programs_run(&p, "sttkey seed -o seed && sttkey seed -o other"), DONE);
    struct job *s = server("--seed-file seed");
    require_authenticated("-J -n 10K --seed-file seed", "seed");
    require_failed(bench("-J -n 10K --seed-file other --connect-timeout 300ms"), NO_ANSWER,
                   "no answer");
    require_failed(bench("-J -n 10K --connect-timeout 300ms"), NO_ANSWER, "peer id or seed");
    require_authenticated("-J -n 10K --seed-file seed", "seed");
    job_signal(s, SIGINT);
    job_require(s, INTERRUPTED);
    programs_end(&p);
}
END_TEST

START_TEST(a_pinned_server_is_that_one_or_none)
{
    char words[200];
    begin();
    struct job *key = programs_run(&p, "sttkey gen -o id");
    job_require(key, DONE);
    struct job *other = programs_run(&p, "sttkey gen -o id2");
    job_require(other, DONE);
    struct job *s = server("-I id");
    snprintf(words, sizeof words, "-J -n 10K --peer %.*s", (int)strcspn(key->out.text, "\n"),
             key->out.text);
    require_authenticated(words, "peer");
    snprintf(words, sizeof words, "-J -n 10K --connect-timeout 300ms --peer %.*s",
             (int)strcspn(other->out.text, "\n"), other->out.text);
    require_failed(bench(words), NO_ANSWER, "no answer");
    job_kill(s);
    programs_end(&p);
}
END_TEST

/* -- what goes wrong --------------------------------------------------------------------------- */

START_TEST(nobody_there_is_told_in_time)
{
    begin();
    require_failed(bench("-J --connect-timeout 200ms"), NO_ANSWER, "no answer from 127.0.0.1");
    struct job *c = bench("--connect-timeout 200ms");
    job_require(c, NO_ANSWER);
    ck_assert_ptr_nonnull(strstr(c->err.text, "no answer from 127.0.0.1"));
    programs_end(&p);
}
END_TEST

START_TEST(a_second_client_is_told_that_it_is_busy)
{
    begin();
    struct job *s = server("");
    struct job *first = bench("-t 60 -b 1M -l 1K -i 0.1");
    job_shows(first, "sec");
    require_failed(bench("-J -t 1"), REFUSED, "busy");
    job_signal(first, SIGINT);
    job_require(first, INTERRUPTED);
    job_shows(first, "sender"); /* what was measured until then */
    ck_assert_ptr_nonnull(strstr(first->err.text, "interrupt"));
    job_shows(s, "test #2");
    job_require(bench("-n 10K"), DONE);
    job_kill(s);
    programs_end(&p);
}
END_TEST

START_TEST(an_interrupted_client_tells_what_it_has)
{
    begin();
    struct job *s = server("-1");
    struct job *c = bench("--json-stream -t 60 -b 10M -l 1K -i 0.1");
    job_shows(c, "interval");
    job_signal(c, SIGINT);
    job_require(c, INTERRUPTED);
    job_shows(c, "\"error\"");
    job_shows(c, "sum_sent");
    job_require(s, PARTIAL);
    programs_end(&p);
}
END_TEST

START_TEST(a_server_that_goes_away_fails_the_test)
{
    begin();
    bool is_killed = _i == 0;
    struct job *s = server("");
    struct job *c = bench("-J -t 60 -b 10M -l 1K -i 0.1 --timeout 1s");
    job_shows(c, "bits_per_second");
    if (is_killed)
        job_kill(s);
    else
        job_signal(s, SIGINT);
    job_wait(c);
    json_t *o = parse(c);
    ck_assert_str_ne(text(o, "error"), "");
    json_decref(o);
    job_require(c, is_killed ? NETWORK : PARTIAL);
    if (!is_killed)
        job_require(s, INTERRUPTED);
    programs_end(&p);
}
END_TEST

START_TEST(a_client_that_vanishes_leaves_the_server_to_others)
{
    begin();
    struct job *s = server("--timeout 1s");
    struct job *c = bench("-t 60 -R -b 10M -l 1K -i 0.1");
    job_shows(c, "sec");
    job_kill(c);
    job_shows(s, "test #2");
    job_require(bench("-n 10K -R"), DONE);
    job_kill(s);
    programs_end(&p);
}
END_TEST

START_TEST(what_cannot_be_meant_is_refused_in_one_sentence)
{
    static const struct {
        const char *words, *says;
    } bad[] = {
        {"", "say either -s, or -c HOST"},
        {"-s -c 127.0.0.1", "say either"},
        {"compere", "say either"},
        {"-s nonsense", "is no verb"},
        {"-s -t 10", "--time makes sense only with -c"},
        {"-c host -D", "--daemon makes sense only with -s"},
        {"-c host -R --bidir", "do not go together"},
        {"-c host -t 1 -n 1", "do not go together"},
        {"-c host -t 0", "--time wants"},
        {"-c host -t 25h", "--time wants"},
        {"-c host -i 0.01", "--interval wants"},
        {"-c host -P 129", "wants a number from 1 to 128"},
        {"-c host -l 2M", "--length wants"},
        {"-c host -O 11m", "--omit wants"},
        {"-c host --suite rot13", "there is no suite 'rot13'"},
        {"-c host --peer stt1nobody", "--peer wants a peer id"},
        {"-c host --dscp loud", "--dscp wants"},
        {"-c host --io pigeon", "--io wants one of"},
    };
    begin();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct job *j = programs_run(&p, "sttbench %s", bad[i].words);
        job_require(j, USAGE);
        ck_assert_msg(strstr(j->err.text, bad[i].says) != NULL, "%s", j->err.text);
        ck_assert_uint_eq(j->out.bytes, 0);
    }
    programs_end(&p);
}
END_TEST

START_TEST(two_servers_do_not_share_a_port)
{
    begin();
    struct job *s = server("");
    struct job *second = programs_run(&p, "exec sttbench -s -B 127.0.0.1 -p %u", port);
    job_require(second, LOCAL_IO);
    ck_assert_ptr_nonnull(strstr(second->err.text, "another program has this port"));
    job_kill(s);
    programs_end(&p);
}
END_TEST

START_TEST(a_daemon_listens_when_its_command_has_ended)
{
    begin();
    struct job *j =
        programs_run(&p, "sttbench -s -D -1 -B 127.0.0.1 -p %u --logfile log --pidfile pid", port);
    job_require(j, DONE);
    job_require(bench("-n 100K"), DONE);
    job_require(programs_run(&p, "while test -e pid; do sleep 0.05; done; grep Verified log"),
                DONE);
    programs_end(&p);
}
END_TEST

/* -- strangers: clients by hand ---------------------------------------------------------------- */

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
    begin();
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
    require_failed(s, EXIT_INTEGRITY, "payload is wrong");
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
    begin();
    struct job *s = server("");
    liar_begin(&l);
    tell_lie(&l, _i);
    liar_await_close(&l, TALK_CODE_PROTOCOL);
    (void)stt_session_close(stt_node_endpoint(l.node), stt_node_now(l.node), l.control_session, 0,
                            NULL);
    (void)stt_node_step(l.node);
    liar_end(&l);
    struct job *c = bench("-n 10K"); /* whether or not the other one is still there */
    if (job_wait(c) == REFUSED)
        c = bench("-n 10K --connect-timeout 20s");
    job_require(c, DONE);
    job_signal(s, SIGTERM);
    job_require(s, EXIT_SIGNAL + SIGTERM);
    programs_end(&p);
}
END_TEST

SUITE("sttbench_transfer", LOOP(both_sides_tell_the_same_as_iperf3_would, 0, ASKED),
      TEST(the_start_is_that_of_iperf3), TEST(people_get_lines_and_a_last_sentence),
      TEST(a_picture_is_drawn_beside_it), TEST(a_stream_of_json_is_one_object_a_line),
      TEST(a_rate_is_kept), TEST(who_has_the_seed_is_served_and_nobody_else),
      TEST(a_pinned_server_is_that_one_or_none), TEST(nobody_there_is_told_in_time),
      TEST(a_second_client_is_told_that_it_is_busy), TEST(an_interrupted_client_tells_what_it_has),
      LOOP(a_server_that_goes_away_fails_the_test, 0, 2),
      TEST(a_client_that_vanishes_leaves_the_server_to_others),
      TEST(what_cannot_be_meant_is_refused_in_one_sentence), TEST(two_servers_do_not_share_a_port),
      TEST(a_daemon_listens_when_its_command_has_ended),
      TEST(payload_that_is_not_what_was_sent_gives_no_goodput),
      LOOP(who_breaks_the_rules_harms_nobody_else, 0, LIES))
