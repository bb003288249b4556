/* SPDX-License-Identifier: MIT
 * sttbench -s and -c when something goes wrong: what ends how, and that the next test is served. */
#include "tests/support/suite.h"
/* Last: its p would be a shadow in inline functions. */
#include "tests/support/benches.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(nobody_there_is_told_in_time)
{
    benches_begin();
    bench_failed(bench_client("-J --connect-timeout 200ms"), NO_ANSWER, "no answer from 127.0.0.1");
    struct job *c = bench_client("--connect-timeout 200ms");
    job_require(c, NO_ANSWER);
    ck_assert_ptr_nonnull(strstr(c->err.text, "no answer from 127.0.0.1"));
    programs_end(&p);
}
END_TEST

START_TEST(a_second_client_is_told_that_it_is_busy)
{
    benches_begin();
    struct job *s = bench_server("");
    struct job *first = bench_client("-t 60 -b 1M -l 1K -i 0.1");
    job_shows(first, "sec");
    bench_failed(bench_client("-J -t 1"), REFUSED, "busy");
    job_signal(first, SIGINT);
    job_require(first, INTERRUPTED);
    job_shows(first, "sender"); /* what was measured until then */
    ck_assert_ptr_nonnull(strstr(first->err.text, "interrupt"));
    job_shows(s, "test #2");
    job_require(bench_client("-n 10K"), DONE);
    job_kill(s);
    programs_end(&p);
}
END_TEST

START_TEST(an_interrupted_client_tells_what_it_has)
{
    benches_begin();
    struct job *s = bench_server("-1");
    struct job *c = bench_client("--json-stream -t 60 -b 10M -l 1K -i 0.1");
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
    benches_begin();
    bool is_killed = _i == 0;
    struct job *s = bench_server("");
    struct job *c = bench_client("-J -t 60 -b 10M -l 1K -i 0.1 --timeout 1s");
    job_shows(c, "bits_per_second");
    if (is_killed)
        job_kill(s);
    else
        job_signal(s, SIGINT);
    job_wait(c);
    json_t *o = object_of(c);
    ck_assert_str_ne(object_text(o, "error"), "");
    json_decref(o);
    job_require(c, is_killed ? NETWORK : PARTIAL);
    if (!is_killed)
        job_require(s, INTERRUPTED);
    programs_end(&p);
}
END_TEST

START_TEST(a_client_that_vanishes_leaves_the_server_to_others)
{
    benches_begin();
    struct job *s = bench_server("--timeout 1s");
    struct job *c = bench_client("-t 60 -R -b 10M -l 1K -i 0.1");
    job_shows(c, "sec");
    job_kill(c);
    job_shows(s, "test #2");
    job_require(bench_client("-n 10K -R"), DONE);
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
        {"-c host --suite rot13", "--suite wants one of"},
        {"-c host --peer stt1nobody", "--peer wants a peer id"},
        {"-c host --dscp loud", "--dscp wants"},
        {"-c host --io pigeon", "--io wants one of"},
    };
    benches_begin();
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
    benches_begin();
    struct job *s = bench_server("");
    struct job *second = programs_run(&p, "exec sttbench -s -B 127.0.0.1 -p %u", port);
    job_require(second, LOCAL_IO);
    ck_assert_ptr_nonnull(strstr(second->err.text, "another program has this port"));
    job_kill(s);
    programs_end(&p);
}
END_TEST

START_TEST(a_daemon_listens_when_its_command_has_ended)
{
    benches_begin();
    struct job *j =
        programs_run(&p, "sttbench -s -D -1 -B 127.0.0.1 -p %u --logfile log --pidfile pid", port);
    job_require(j, DONE);
    job_require(bench_client("-n 100K"), DONE);
    job_require(programs_run(&p, "while test -e pid; do sleep 0.05; done; grep Verified log"),
                DONE);
    programs_end(&p);
}
END_TEST

SUITE("sttbench_failures", TEST(nobody_there_is_told_in_time),
      TEST(a_second_client_is_told_that_it_is_busy), TEST(an_interrupted_client_tells_what_it_has),
      LOOP(a_server_that_goes_away_fails_the_test, 0, 2),
      TEST(a_client_that_vanishes_leaves_the_server_to_others),
      TEST(what_cannot_be_meant_is_refused_in_one_sentence), TEST(two_servers_do_not_share_a_port),
      TEST(a_daemon_listens_when_its_command_has_ended))
