/* SPDX-License-Identifier: MIT
 * What two sttcat can be asked for beside a pipe: commands, raw streams, looks; and how:
 * directions, families, rates, sizes, marks. Who asks for what does not fit is told. Spec 10,
 * "Jobs". */
#include "tests/support/cats.h"
#include "tests/support/sanitized.h"
#include "tests/support/suite.h"
#include "tests/support/udp.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void require_same(const char *one, const char *other)
{
    const char *difference = trees_difference(one, other, TREES_NO_MODES | TREES_NO_TIMES);
    ck_assert_msg(!difference, "%s", difference);
}

static bool says(const struct job *j, const char *text)
{
    return j->err.text && strstr(j->err.text, text);
}

static void stop(struct job *j)
{
    job_signal(j, SIGINT);
    job_require(j, INTERRUPTED);
}

/* -- commands -----------------------------------------------------------------------------------
 */

/* The process that a command has written down, once it has. */
static int pid_in(struct job *beside, const char *path)
{
    size_t len = 0;
    while (!trees_exists(path) || trees_bytes(path) == 0)
        ck_assert(!job_ends_within(beside, STT_MS(2)));
    char *text = trees_read(path, &len);
    int pid = atoi(text);
    free(text);
    ck_assert_int_gt(pid, 1);
    return pid;
}

/* 'Z': it has ended, and its parent has not asked for its status; 0: there is none of it. */
static char state_of(int pid)
{
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *f = fopen(path, "re");
    if (f && fscanf(f, "%*d %*s %c", &state) != 1)
        state = 0;
    if (f)
        fclose(f);
    return state;
}

/* Its parent may be one that does not ask. */
static void is_gone(struct job *beside, int pid)
{
    char state;
    for (unsigned i = 0; (state = state_of(pid)) && state != 'Z' && i < 2000; i++)
        (void)job_ends_within(beside, STT_MS(2));
    ck_assert_msg(!state || state == 'Z', "the command %d is still there", pid);
}

/* Not even a zombie of it is there: the parent lives, and has asked. */
static void is_reaped(struct job *parent, int pid)
{
    for (unsigned i = 0; state_of(pid) && i < 2000; i++)
        ck_assert(!job_ends_within(parent, STT_MS(2)));
    ck_assert_msg(!state_of(pid), "the command %d is still there", pid);
}

START_TEST(a_command_is_talked_to_both_ways)
{
    if (!cats_begin(programs_ios[_i / 2]))
        return;
    bool is_there = _i % 2; /* at the listener, or at the client */
    struct job *l = is_there ? listener("--exec cat") : fed_listener("");
    struct job *c = is_there ? fed_client("") : client("--exec cat"), *who = is_there ? c : l;
    for (unsigned i = 0; i < 5; i++) {
        char text[32];
        snprintf(text, sizeof text, "line %u\n", i);
        ck_assert(job_type(who, text));
        job_shows(who, text);
    }
    job_end_input(who);
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_uint_eq((is_there ? l : c)->out.bytes, 0);
    programs_end(&p);
}
END_TEST

START_TEST(what_a_command_makes_of_it_comes_back_whole)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    trees_make("in", 5 * MIB + 3, 1);
    struct job *l = listener("--exec 'cat | cat'"), *c = client("<in >out");
    job_require(c, DONE);
    job_require(l, DONE);
    require_same("in", "out");
    programs_end(&p);
}
END_TEST

/* What ends with another status than 0 is no success, though all bytes came and went. */
static const struct {
    const char *command, *says;
} failing[] = {
    {"cat; exit 7", "the command ended with status 7"},
    {"cat; kill -TERM $$", "the command ended with signal 15"},
    {"cat; no-such-program", "the command ended with status 127"},
    {"exec <&-; echo all; exit 3", "the command ended with status 3"},
};
enum { FAILING = sizeof failing / sizeof *failing };

START_TEST(a_command_that_fails_fails_both)
{
    char words[100];
    if (!cats_begin(programs_ios[_i / FAILING]))
        return;
    snprintf(words, sizeof words, "--exec '%s'", failing[_i % FAILING].command);
    struct job *l = listener(words), *c = programs_run(&p, "echo all | " CAT " 127.0.0.1 %u", port);
    job_require(c, PARTIAL);
    job_require(l, PARTIAL);
    ck_assert(says(l, failing[_i % FAILING].says) && says(c, failing[_i % FAILING].says));
    ck_assert_str_eq(c->out.text, "all\n");
    programs_end(&p);
}
END_TEST

START_TEST(a_command_that_is_killed_from_outside_fails_both)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    struct job *l = listener("--exec 'echo $$ >pid; exec cat'"), *c = fed_client("");
    ck_assert(job_type(c, "hello\n"));
    job_shows(c, "hello\n");
    ck_assert_int_eq(kill(pid_in(l, "pid"), SIGKILL), 0);
    job_require(c, PARTIAL);
    job_require(l, PARTIAL);
    ck_assert(says(l, "the command ended with signal 9"));
    programs_end(&p);
}
END_TEST

START_TEST(a_command_may_close_its_output_early)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    trees_make("in", 3 * MIB, 2);
    struct job *l = listener("--exec 'exec >&-; exec cat >kept'"), *c = client("<in >out");
    job_require(c, DONE);
    job_require(l, DONE);
    require_same("in", "kept");
    ck_assert_uint_eq(trees_bytes("out"), 0);
    programs_end(&p);
}
END_TEST

START_TEST(a_command_that_does_not_read_to_the_end_is_no_success)
{
    static const char *const commands[] = {"true", "exec <&-; echo answer", "head -c 1000",
                                           "exec <&-; head -c 3000000 /dev/zero"};
    static const uint64_t answers[] = {0, 7, 1000, 3000000};
    if (!cats_begin(programs_ios[_i]))
        return;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char words[100];
        snprintf(words, sizeof words, "--exec '%s'", commands[i]);
        struct job *l = listener(words), *c = client("</dev/zero");
        job_require(c, PARTIAL);
        job_require(l, PARTIAL);
        ck_assert(says(l, "the command did not read all of its input") &&
                  says(c, "the command did not read all of its input"));
        ck_assert_uint_eq(c->out.bytes, answers[i]); /* what it had to say has arrived */
    }
    programs_end(&p);
}
END_TEST

/* Little enough that all of it was written to the pipe before the command left it there. */
START_TEST(what_a_command_leaves_in_its_pipe_is_no_success)
{
    static const char *const commands[] = {"sleep 0.3", "head -c 1 >/dev/null; sleep 0.3; echo bye",
                                           "exec <&-; sleep 0.3"};
    if (!cats_begin(programs_ios[_i]))
        return;
    trees_make("in", 5000, 9);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char words[100];
        snprintf(words, sizeof words, "--exec '%s'", commands[i]);
        struct job *l = listener(words), *c = client("<in");
        job_require(c, PARTIAL);
        job_require(l, PARTIAL);
        ck_assert(says(c, "the command did not read all of its input"));
        ck_assert_uint_eq(c->out.bytes, i == 1 ? 4 : 0);
    }
    programs_end(&p);
}
END_TEST

/* One that should not speak does not so in vain, and one that should not hear is not kept waiting.
 */
START_TEST(a_command_may_have_one_direction)
{
    static const struct {
        const char *words;
        int exits;
        const char *out;
    } ways[] = {
        {"--send-only --exec 'cat; echo heard'", DONE, "heard\n"},
        {"--recv-only --exec 'cat >heard'", DONE, ""},
        {"--recv-only --exec 'cat >heard; sleep 0.1; echo x; head -c 3000000 /dev/zero'", PARTIAL,
         ""},
    };
    if (!cats_begin(programs_ios[_i]))
        return;
    trees_make("in", 5000, 9);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct job *l = listener(ways[i].words), *c = client(i ? "<in" : "-N");
        job_require(c, ways[i].exits);
        job_require(l, ways[i].exits);
        ck_assert_str_eq(c->out.text ? c->out.text : "", ways[i].out);
        if (i)
            require_same("in", "heard");
    }
    programs_end(&p);
}
END_TEST

/* Neither reads nor ends: nobody waits for it longer than he wants. */
START_TEST(a_command_that_never_reads_is_given_up)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    struct job *l = listener("-i 500ms --exec 'echo $$ >pid; exec sleep 1000'");
    struct job *c = client("</dev/zero");
    int pid = pid_in(l, "pid");
    job_require(l, TIMEOUT);
    job_require(c, TIMEOUT);
    is_gone(l, pid);
    programs_end(&p);
}
END_TEST

START_TEST(a_command_whose_peer_went_away_is_hung_up_and_reaped)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    struct job *l = listener("-k --exec 'sleep 1000 & echo $! >child; echo $$ >pid; wait'");
    struct job *c = fed_client("");
    int pid = pid_in(l, "pid"), child = pid_in(l, "child");
    stop(c);
    is_reaped(l, pid);
    is_gone(l, child);
    ck_assert(!l->has_ended);
    job_require(programs_run(&p, "rm pid child"), DONE);
    c = fed_client("--keep-alive 200ms --timeout 1s");
    pid = pid_in(l, "pid");
    stop(l); /* it takes its commands along */
    is_gone(c, pid);
    job_require(c, PARTIAL);
    programs_end(&p);
}
END_TEST

/* Some parents leave their signals blocked to their children. */
START_TEST(the_end_of_a_command_is_heard_of_though_its_signal_was_blocked)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    struct job *l = programs_start(&p,
                                   "exec env --block-signal=CHLD " CAT
                                   " -l 127.0.0.1 %u --exec 'exec >&-; cat >heard; sleep 0.3'",
                                   port);
    job_line(l, "listening");
    struct job *c = client("-q <seed");
    ck_assert(job_ends_within(c, STT_S(4)));
    job_require(c, DONE);
    job_require(l, DONE);
    programs_end(&p);
}
END_TEST

START_TEST(what_a_command_has_started_is_hung_up_with_it)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    struct job *l = listener("--exec 'sleep 1000 & echo $! >pid'"), *c = fed_client("");
    int pid = pid_in(l, "pid");
    ck_assert(!job_ends_within(l, STT_MS(100)));
    job_signal(c, SIGINT);
    job_require(c, INTERRUPTED);
    job_require(l, PARTIAL);
    is_gone(l, pid);
    programs_end(&p);
}
END_TEST

START_TEST(each_peer_has_a_command_of_its_own_at_once)
{
    enum { PEERS = 8 };
    struct job *peers[PEERS];
    char text[32];
    if (!cats_begin(programs_ios[_i]))
        return;
    struct job *l = listener("-k --exec 'echo hello; exec cat'");
    for (unsigned i = 0; i < PEERS; i++)
        peers[i] = fed_client("");
    for (unsigned i = 0; i < PEERS; i++)
        job_shows(peers[i], "hello\n"); /* all of them are there */
    for (unsigned i = PEERS; i-- > 0;) {
        snprintf(text, sizeof text, "I am %u\n", i);
        ck_assert(job_type(peers[i], text));
        job_shows(peers[i], text);
    }
    for (unsigned i = 0; i < PEERS; i++) {
        job_end_input(peers[i]);
        job_require(peers[i], DONE);
        snprintf(text, sizeof text, "hello\nI am %u\n", i);
        ck_assert_str_eq(peers[i]->out.text, text);
    }
    stop(l);
    programs_end(&p);
}
END_TEST

/* -- raw ----------------------------------------------------------------------------------------
 */

static const char *const names[] = {"", " --application chat/1"};
enum { NAMES = 2 };

START_TEST(raw_streams_carry_both_ways)
{
    char words[100];
    if (!cats_begin(programs_ios[_i / NAMES]))
        return;
    trees_make("a", 2 * MIB + 1, 3);
    trees_make("b", MIB + 7, 4);
    trees_write_text("empty", "");
    for (unsigned i = 0; i < 2; i++) {
        snprintf(words, sizeof words, "--raw%s <%s >out", names[_i % NAMES], i ? "empty" : "a");
        struct job *l = listener(words);
        snprintf(words, sizeof words, "--raw%s <b >out2", names[_i % NAMES]);
        struct job *c = client(words);
        job_require(c, DONE);
        job_require(l, DONE);
        require_same("b", "out");
        require_same(i ? "empty" : "a", "out2");
    }
    programs_end(&p);
}
END_TEST

START_TEST(raw_streams_are_heard_at_once)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    struct job *l = fed_listener("--raw"), *c = fed_client("--raw");
    ck_assert(job_type(c, "question\n"));
    job_shows(l, "question\n");
    ck_assert(job_type(l, "answer\n"));
    job_shows(c, "answer\n");
    job_end_input(l);
    ck_assert(!job_ends_within(c, STT_MS(50)));
    job_end_input(c);
    job_require(c, DONE);
    job_require(l, DONE);
    programs_end(&p);
}
END_TEST

/* They share one output: none of their bytes come between those of another one. */
START_TEST(raw_streams_are_written_one_after_the_other)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    struct job *l = listener("--raw -k -N"), *one = fed_client("--raw"), *two;
    ck_assert(job_type(one, "one "));
    job_shows(l, "one ");
    two = fed_client("--raw");
    ck_assert(job_type(two, "two "));
    job_end_input(two);
    ck_assert(!job_ends_within(two, STT_MS(200)));
    ck_assert(job_type(one, "and all of it, "));
    job_end_input(one);
    job_require(one, DONE);
    job_require(two, DONE);
    stop(l);
    ck_assert_str_eq(l->out.text, "one and all of it, two ");
    programs_end(&p);
}
END_TEST

START_TEST(another_application_is_told_to_both)
{
    static const char *const cases[][2] = {
        {"--raw --application one/1", "--raw --application other/1"},
        {"--raw --application one/1", "--raw"},
        {"", "--raw --application one/1"},
    };
    ck_assert(cats_begin(NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job *l = listener(cases[i][0]), *c = client(cases[i][1]);
        job_require(c, REFUSED);
        ck_assert(says(c, "speaks another application; see --raw and --application"));
        if (!job_ends_within(l, STT_MS(300))) /* who was refused may not count */
            job_signal(l, SIGINT);
        ck_assert_int_ne(job_wait(l), DONE);
    }
    programs_end(&p);
}
END_TEST

START_TEST(who_is_not_raw_is_told)
{
    ck_assert(cats_begin(NULL));
    struct job *l = listener("--raw"), *c = client("");
    job_require(c, REFUSED);
    job_require(l, REFUSED);
    ck_assert(says(l, "one side is --raw, and the other one is not") &&
              says(c, "one side is --raw, and the other one is not"));
    programs_end(&p);
}
END_TEST

/* -- looks and waits ----------------------------------------------------------------------------
 */

START_TEST(a_look_says_who_is_there_and_disturbs_nobody)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    job_require(programs_run(&p, "sttkey gen -o key"), DONE);
    struct job *l = listener("-k -N -I key"), *c;
    for (unsigned i = 0; i < 3; i++) {
        c = programs_run(&p, CAT " -z 127.0.0.1 %u; echo $?; sttkey pub key", port);
        job_require(c, DONE);
        ck_assert(strncmp(c->out.text, "0\nstt1", 6) == 0);
        c->out.text[c->out.len - 1] = 0;
        ck_assert(says(c, c->out.text + 2));
    }
    job_require(programs_run(&p, "echo hello | " CAT " 127.0.0.1 %u", port), DONE);
    stop(l);
    ck_assert_str_eq(l->out.text, "hello\n");
    l = listener("-I key"); /* one that serves one peer */
    job_require(programs_run(&p, CAT " -z 127.0.0.1 %u", port), DONE);
    job_require(programs_run(&p, "echo hello | " CAT " 127.0.0.1 %u", port), DONE);
    job_require(l, DONE);
    c = programs_run(&p, CAT " -z -w 200ms 127.0.0.1 %u", port); /* nobody is there */
    job_require(c, NO_ANSWER);
    ck_assert(c->took_ns >= STT_MS(200) && c->took_ns < STT_S(3));
    programs_end(&p);
}
END_TEST

START_TEST(what_does_not_move_is_given_up)
{
    static const char *const words[][2] = {{"-i 300ms", ""}, {"", "-i 300ms"}};
    if (!cats_begin(programs_ios[_i / 2]))
        return;
    struct job *l = fed_listener(words[_i % 2][0]), *c = fed_client(words[_i % 2][1]);
    job_require(c, TIMEOUT);
    job_require(l, TIMEOUT);
    ck_assert(says(_i % 2 ? c : l, "no byte came or went for the time of -i"));
    programs_end(&p);
}
END_TEST

START_TEST(what_moves_now_and_then_is_not_given_up)
{
    ck_assert(cats_begin(NULL));
    struct job *l = fed_listener("-i 900ms"), *c = fed_client("-i 900ms");
    for (unsigned i = 0; i < 8; i++) { /* longer than that in all */
        ck_assert(!job_ends_within(c, STT_MS(200)));
        ck_assert(job_type(i % 2 ? l : c, "x"));
    }
    job_end_input(l);
    job_end_input(c);
    job_require(c, DONE);
    job_require(l, DONE);
    programs_end(&p);
}
END_TEST

/* -- directions ---------------------------------------------------------------------------------
 */

/* "from the listener" and "from the client" are their inputs; what comes, where both end well. */
static const struct {
    const char *listener, *client;
    int status;
    bool there, back;
} directions[] = {
    {"", "", DONE, true, true},
    {"-N", "", DONE, true, false},
    {"", "-N", DONE, false, true},
    {"-N", "-N", DONE, false, false},
    {"--recv-only", "", DONE, true, false},
    {"", "--recv-only", DONE, false, true},
    {"--recv-only", "--send-only", DONE, true, false},
    {"--send-only", "--recv-only", DONE, false, true},
    {"--send-only", "-N", DONE, false, true},
    {"-N", "--send-only", DONE, true, false},
    {"--recv-only", "--recv-only", DONE, false, false},
    {"--recv-only", "-N", DONE, false, false},
    {"--send-only", "", REFUSED, false, false},
    {"", "--send-only", REFUSED, false, false},
    {"--send-only", "--send-only", REFUSED, false, false},
};
enum { DIRECTIONS = sizeof directions / sizeof *directions };

START_TEST(directions_are_those_that_both_want)
{
    char words[100];
    ck_assert(cats_begin(NULL));
    trees_write_text("here", "from the listener");
    trees_write_text("there", "from the client");
    for (size_t i = 0; i < DIRECTIONS; i++) {
        snprintf(words, sizeof words, "%s <here", directions[i].listener);
        struct job *l = listener(words);
        snprintf(words, sizeof words, "%s <there", directions[i].client);
        struct job *c = client(words);
        job_require(c, directions[i].status);
        job_require(l, directions[i].status);
        if (directions[i].status != DONE)
            continue;
        ck_assert_str_eq(l->out.text ? l->out.text : "",
                         directions[i].there ? "from the client" : "");
        ck_assert_str_eq(c->out.text ? c->out.text : "",
                         directions[i].back ? "from the listener" : "");
    }
    programs_end(&p);
}
END_TEST

/* -- what does not fit --------------------------------------------------------------------------
 */

static const struct {
    const char *listener, *client, *says;
} misfits[] = {
    {"", "--send seed", "one side wants to carry files, and the other one to pipe bytes"},
    {"--recv dir", "", "one side wants to pipe bytes, and the other one to carry files"},
    {"--permit any", "", "one side wants to pipe bytes, and the other one to forward connections"},
    {"--exec cat", "--recv dir", "one side wants to carry files, and the other one to pipe bytes"},
    {"--permit any", "--send seed", "and the other one to forward connections"},
    {"--send seed", "--send seed", "both sides want to send files; one of them needs --recv DIR"},
    {"--recv dir", "--recv other", "both sides want to receive files; one of them needs --send"},
};
enum { MISFITS = sizeof misfits / sizeof *misfits };

START_TEST(what_does_not_fit_is_told_to_both)
{
    ck_assert(cats_begin(NULL));
    for (size_t i = 0; i < MISFITS; i++) {
        char words[100];
        struct job *l =
            programs_start(&p, "exec " CAT " -l %s -- 127.0.0.1 %u", misfits[i].listener, port);
        job_line(l, "listening on");
        snprintf(words, sizeof words, "%s", misfits[i].client);
        struct job *c = programs_run(&p, CAT " %s -- 127.0.0.1 %u", words, port);
        job_require(c, REFUSED);
        job_require(l, REFUSED);
        ck_assert_msg(says(l, misfits[i].says) && says(c, misfits[i].says), "%s%s", l->err.text,
                      c->err.text);
    }
    programs_end(&p);
}
END_TEST

START_TEST(forwarding_to_who_does_not_permit_any_is_refused)
{
    ck_assert(cats_begin(NULL));
    struct job *l = listener("");
    struct job *c = programs_run(&p, CAT " -L 127.0.0.1:%u:localhost:1 127.0.0.1 %u",
                                 programs_tcp_port(), port);
    job_require(c, REFUSED);
    job_require(l, REFUSED);
    ck_assert(says(c, "one side wants to forward connections, and the other one to pipe bytes"));
    programs_end(&p);
}
END_TEST

START_TEST(a_listener_that_has_a_peer_is_busy)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    struct job *l = fed_listener(""), *c = fed_client("");
    ck_assert(job_type(c, "first\n"));
    job_shows(l, "first\n");
    struct job *other = programs_run(&p, "echo second | " CAT " 127.0.0.1 %u", port);
    job_require(other, REFUSED);
    ck_assert(says(other, "it serves one peer, and has one; see -k"));
    ck_assert(job_type(c, "more\n"));
    job_shows(l, "more\n");
    job_end_input(c);
    job_end_input(l);
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_str_eq(l->out.text, "first\nmore\n");
    programs_end(&p);
}
END_TEST

START_TEST(arguments_that_make_no_sense_are_refused_in_one_sentence)
{
    static const char *const cases[][2] = {
        {"", "to connect takes a host and a port"},
        {"host", "to connect takes a host and a port"},
        {"host 0", "'0' is not a port"},
        {"host 65536", "'65536' is not a port"},
        {"host name", "'name' is not a port"},
        {"-l", "to listen takes a port"},
        {"-l host name", "is not a port"},
        {"-n host.example 1", "-n forbids to look names up"},
        {"-4 -6 host 1", "do not go together"},
        {"--send-only --recv-only host 1", "do not go together"},
        {"--send-only -N host 1", "do not go together"},
        {"-q --progress host 1", "do not go together"},
        {"--raw --send seed host 1", "do not go together"},
        {"-k host 1", "--keep-open makes sense only with -l"},
        {"--allow stt1 host 1", "--allow makes sense only with -l"},
        {"--application x/1 host 1", "--application makes sense only with --raw"},
        {"--streams 65 host 1", "--streams wants a number from 1 to 64"},
        {"--mtu 1279 host 1", "--mtu wants a number from 1280 to 65535"},
        {"--preset best host 1", "--preset wants one of: balanced low-latency high-throughput"},
        {"--cc reno host 1", "--cc wants one of: tide cubic bbr"},
        {"--io tcp host 1", "--io wants one of: uring mmsg"},
        {"--dscp best host 1", "--dscp wants ef"},
        {"--rate fast host 1", "--rate wants bits per second such as"},
        {"-w soon host 1", "-w wants a time such as"},
        {"-i host", "-i wants a time such as"},
        {"--peer me host 1", "--peer wants a peer id"},
        {"--nothing host 1", "there is no option --nothing; sttcat -h lists them"},
        {"-u host 1", "there is no option -u; sttcat -h lists them"},
        {"-w", "-w wants a time such as"},
    };
    ck_assert(cats_begin(NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct job *j = programs_run(&p, CAT " %s", cases[i][0]);
        job_require(j, USAGE);
        ck_assert_msg(says(j, cases[i][1]), "%s: %s", cases[i][0], j->err.text);
        ck_assert(strncmp(j->err.text, "sttcat: ", 8) == 0);
        ck_assert_ptr_eq(strchr(j->err.text, '\n'), j->err.text + j->err.len - 1);
        ck_assert_uint_eq(j->out.bytes, 0);
    }
    programs_end(&p);
}
END_TEST

/* -- where from and where to --------------------------------------------------------------------
 */

static void meets(const char *here, const char *there, const char *says_here)
{
    struct job *l = programs_start(&p, "exec " CAT " -l -v %s %u", here, port);
    job_line(l, "listening on");
    struct job *c = programs_run(&p, "echo hello | " CAT " %s %u", there, port);
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_str_eq(l->out.text, "hello\n");
    ck_assert_msg(says(l, says_here), "%s", l->err.text);
}

START_TEST(families_and_sources_are_those_that_were_asked_for)
{
    char from[80], said[80];
    if (!cats_begin(programs_ios[_i]))
        return;
    uint16_t source = programs_port();
    meets("-4", "-4 localhost", "connected to 127.0.0.1:");
    meets("", "127.0.0.1", "connected to");
    snprintf(from, sizeof from, "-s 127.0.0.2 -p %u 127.0.0.1", source);
    snprintf(said, sizeof said, "connected to 127.0.0.2:%u,", source);
    meets("-4", from, said);
    snprintf(from, sizeof from, "-p %u -4 localhost", source);
    snprintf(said, sizeof said, ":%u,", source);
    meets("", from, said);
    struct job *j = programs_run(&p, CAT " -s 192.0.2.1 127.0.0.1 %u", port);
    job_require(j, LOCAL_IO);
    ck_assert(says(j, "this cannot be the source; check -s and -p"));
    if (udp_has_ipv6()) {
        meets("-6", "-6 ::1", "connected to [::1]:");
        meets("::1", "::1", "connected to [::1]:");
        meets("", "-n ::1", "connected to [::1]:");
        meets("", "[::1]", "connected to [::1]:");
    }
    programs_end(&p);
}
END_TEST

START_TEST(a_place_that_cannot_be_had_is_said)
{
    ck_assert(cats_begin(NULL));
    struct job *l = listener(""), *j = programs_run(&p, CAT " -l 127.0.0.1 %u", port);
    job_require(j, LOCAL_IO);
    ck_assert(says(j, "another program has this port"));
    stop(l);
    j = programs_run(&p, CAT " -l 192.0.2.1 %u", port);
    job_require(j, LOCAL_IO);
    ck_assert(says(j, "this machine does not have this address"));
    job_require(programs_run(&p, CAT " -l nowhere.invalid %u", port), USAGE);
    j = programs_run(&p, CAT " nowhere.invalid %u", port);
    job_require(j, NO_ANSWER);
    ck_assert(says(j, "nowhere.invalid:"));
    programs_end(&p);
}
END_TEST

/* -- how ----------------------------------------------------------------------------------------
 */

/* The number behind this key in what was said with --json. */
static uint64_t number_of(const struct job *j, const char *event, const char *key)
{
    char text[80];
    snprintf(text, sizeof text, "{\"event\":\"%s\"", event);
    const char *line = j->err.text ? strstr(j->err.text, text) : NULL;
    ck_assert_msg(line, "no %s: %s", event, j->err.text);
    snprintf(text, sizeof text, "\"%s\":", key);
    const char *at = strstr(line, text);
    ck_assert_msg(at && at < strchr(line, '\n'), "no %s: %s", key, line);
    return strtoull(at + strlen(text), NULL, 10);
}

/* 2 MB at 40 Mbit/s are 0.4 s. */
/* What a rate holds back is there nevertheless. */
START_TEST(bytes_that_wait_for_their_rate_are_refused_by_who_takes_none)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    trees_make("in", 5000, 9);
    struct job *l = listener("--rate 1K <in"), *c = client("--send-only </dev/null");
    job_require(c, REFUSED);
    job_require(l, REFUSED);
    programs_end(&p);
}
END_TEST

START_TEST(a_rate_is_kept)
{
    if (!cats_begin(programs_ios[_i]))
        return;
    trees_make("in", 2000000, 5);
    struct job *l = listener("--json </dev/null >out"), *c = client("--rate 40M <in");
    job_require(c, DONE);
    job_require(l, DONE);
    require_same("in", "out");
    uint64_t took = number_of(l, "end", "time_ns");
    ck_assert_uint_gt(took, STT_MS(300));
    if (!IS_SANITIZED)
        ck_assert_uint_lt(took, STT_MS(700));
    programs_end(&p);
}
END_TEST

START_TEST(packets_are_no_larger_than_they_may_be)
{
    static const unsigned sizes[] = {1280, 1500, 9000, 65535};
    if (!cats_begin(programs_ios[_i]))
        return;
    trees_make("in", 8 * MIB, 6);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char words[80];
        snprintf(words, sizeof words, "--json --stats --mtu %u <in", sizes[i]);
        struct job *l = listener("-N --mtu 65535 >out"), *c = client(words);
        job_require(c, DONE);
        job_require(l, DONE);
        require_same("in", "out");
        uint64_t bytes = number_of(c, "stats", "packet_bytes");
        ck_assert_uint_le(bytes, sizes[i] - 28);
        ck_assert_uint_ge(bytes, 1200);
        ck_assert(sizes[i] < 9000 || bytes > 1500);
    }
    programs_end(&p);
}
END_TEST

/* The test is where it connects to. */
START_TEST(packets_are_marked_as_was_asked)
{
    static const struct {
        const char *words;
        uint8_t dscp;
    } cases[] = {
        {"--dscp ef", 46}, {"--dscp le", 1}, {"--dscp cs5", 40}, {"--dscp 63", 63}, {"", 0}};
    if (!cats_begin(programs_ios[_i]))
        return;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stt_driver_train train = {0};
        static uint8_t data[1 << 16];
        uint8_t dscp = 255;
        struct stt_socket_options options = {.local = udp_address("127.0.0.1", programs_port())};
        struct stt_socket s;
        ck_assert_int_eq(stt_socket_open(&s, &options), STT_OK);
        struct job *c =
            programs_start(&p, "exec " CAT " %s 127.0.0.1 %u", cases[i].words, options.local.port);
        ck_assert(udp_receive(&s, &train, data, sizeof data, &dscp));
        ck_assert_uint_eq(dscp, cases[i].dscp);
        job_kill(c);
        close(s.fd);
    }
    programs_end(&p);
}
END_TEST

START_TEST(it_works_however_it_is_asked_to)
{
    static const char *const words[] = {
        "--cc tide",
        "--cc cubic",
        "--cc bbr",
        "--preset balanced",
        "--preset low-latency",
        "--preset high-throughput",
        "--streams 8", /* a pipe is one all the same */
        "--keep-alive 50ms --timeout 2s",
    };
    if (!cats_begin(programs_ios[_i]))
        return;
    trees_make("a", 3 * MIB + 1, 7);
    trees_make("b", MIB + 1, 8);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char all[100];
        snprintf(all, sizeof all, "%s <a >b.came", words[i]);
        struct job *l = listener(all);
        snprintf(all, sizeof all, "%s <b >a.came", words[i]);
        struct job *c = client(all);
        job_require(c, DONE);
        job_require(l, DONE);
        require_same("a", "a.came");
        require_same("b", "b.came");
    }
    programs_end(&p);
}
END_TEST

START_TEST(the_driver_that_was_asked_for_is_the_one)
{
    ck_assert(cats_begin(NULL));
    trees_make("in", MIB, 9);
    for (unsigned i = 0; i < IOS; i++) {
        struct programs other;
        char words[80];
        snprintf(words, sizeof words, "--io %s -N >out", programs_ios[i]);
        if (i == 0 && !programs_begin(&other, "uring"))
            continue;
        if (i == 0)
            programs_end(&other);
        ck_assert_int_eq(chdir(p.root) || chdir("here"), 0);
        struct job *l = listener(words), *c = client("<in");
        job_require(c, DONE);
        job_require(l, DONE);
        require_same("in", "out");
    }
    programs_end(&p);
}
END_TEST

/* -- what it costs ------------------------------------------------------------------------------
 */

static int by_value(const void *a, const void *b)
{
    const stt_ns x = *(const stt_ns *)a, y = *(const stt_ns *)b;
    return (x > y) - (x < y);
}

/* From the shell's fork to the end of sttcat. */
START_TEST(a_word_is_there_within_30_ms)
{
    static const char *const credentials[] = {"--seed-file seed", "--peer $(cat id)"};
    enum { TIMES = 15 };
    stt_ns took[TIMES];
    if (IS_SANITIZED || !cats_begin(programs_ios[_i / 2]))
        return;
    job_require(programs_run(&p, "sttkey gen -o key >id"), DONE);
    struct job *l = programs_start(&p, "exec sttcat -l -k -N %s 127.0.0.1 %u",
                                   _i % 2 ? "-I key" : "--seed-file seed", port);
    job_line(l, "listening on");
    for (size_t i = 0; i < TIMES; i++) {
        struct job *c =
            programs_run(&p, "echo hi | sttcat %s 127.0.0.1 %u", credentials[_i % 2], port);
        job_require(c, DONE);
        took[i] = c->took_ns;
    }
    qsort(took, TIMES, sizeof *took, by_value);
    ck_assert_msg(took[TIMES / 2] < STT_MS(30), "it took %.1f ms", (double)took[TIMES / 2] * 1e-6);
    stop(l);
    ck_assert_uint_eq(l->out.bytes, 3 * TIMES);
    programs_end(&p);
}
END_TEST

/* Both of them, whoever is slower: the reader at the end is the test. */
START_TEST(a_gigabyte_fits_through_64_mib)
{
    struct rusage all;
    const uint64_t bytes = IS_SANITIZED ? 50 * MIB : 1000000000;
    if (!cats_begin(programs_ios[_i]))
        return;
    struct job *l = listener("</dev/null");
    struct job *c = programs_start(&p, "head -c %llu /dev/zero | " CAT " 127.0.0.1 %u",
                                   (unsigned long long)bytes, port);
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_uint_eq(l->out.bytes, bytes);
    ck_assert_int_eq(getrusage(RUSAGE_CHILDREN, &all), 0);
    if (!IS_SANITIZED)
        ck_assert_msg(all.ru_maxrss < 64 * 1024, "one of them took %ld KiB", all.ru_maxrss);
    programs_end(&p);
}
END_TEST

SUITE("jobs", LOOP(a_command_is_talked_to_both_ways, 0, IOS * 2),
      LOOP(what_a_command_makes_of_it_comes_back_whole, 0, IOS),
      LOOP(a_command_that_fails_fails_both, 0, IOS *FAILING),
      LOOP(a_command_that_is_killed_from_outside_fails_both, 0, IOS),
      LOOP(a_command_may_close_its_output_early, 0, IOS),
      LOOP(a_command_that_does_not_read_to_the_end_is_no_success, 0, IOS),
      LOOP(what_a_command_leaves_in_its_pipe_is_no_success, 0, IOS),
      LOOP(a_command_may_have_one_direction, 0, IOS),
      LOOP(a_command_that_never_reads_is_given_up, 0, IOS),
      LOOP(a_command_whose_peer_went_away_is_hung_up_and_reaped, 0, IOS),
      LOOP(the_end_of_a_command_is_heard_of_though_its_signal_was_blocked, 0, IOS),
      LOOP(what_a_command_has_started_is_hung_up_with_it, 0, IOS),
      LOOP(each_peer_has_a_command_of_its_own_at_once, 0, IOS),
      LOOP(raw_streams_carry_both_ways, 0, IOS *NAMES), LOOP(raw_streams_are_heard_at_once, 0, IOS),
      LOOP(raw_streams_are_written_one_after_the_other, 0, IOS),
      TEST(another_application_is_told_to_both), TEST(who_is_not_raw_is_told),
      LOOP(a_look_says_who_is_there_and_disturbs_nobody, 0, IOS),
      LOOP(what_does_not_move_is_given_up, 0, IOS * 2),
      TEST(what_moves_now_and_then_is_not_given_up), TEST(directions_are_those_that_both_want),
      TEST(what_does_not_fit_is_told_to_both),
      TEST(forwarding_to_who_does_not_permit_any_is_refused),
      LOOP(a_listener_that_has_a_peer_is_busy, 0, IOS),
      TEST(arguments_that_make_no_sense_are_refused_in_one_sentence),
      LOOP(families_and_sources_are_those_that_were_asked_for, 0, IOS),
      TEST(a_place_that_cannot_be_had_is_said), LOOP(a_rate_is_kept, 0, IOS),
      LOOP(bytes_that_wait_for_their_rate_are_refused_by_who_takes_none, 0, IOS),
      LOOP(packets_are_no_larger_than_they_may_be, 0, IOS),
      LOOP(packets_are_marked_as_was_asked, 0, IOS), LOOP(it_works_however_it_is_asked_to, 0, IOS),
      TEST(the_driver_that_was_asked_for_is_the_one),
      LOOP(a_word_is_there_within_30_ms, 0, IOS * 2), LOOP(a_gigabyte_fits_through_64_mib, 0, IOS))
