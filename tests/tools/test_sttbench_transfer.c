/* SPDX-License-Identifier: MIT
 * sttbench -s and -c as people and scripts use them: what iperf3's JSON promises, and who is let
 * in. Speeds are nobody's business here. */
#include "tests/support/sanitized.h"
#include "tests/support/suite.h"
/* Last: its p would be a shadow in inline functions. */
#include "tests/support/benches.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- what holds for every test ----------------------------------------------------------------- */

/* What is counted, over all intervals. */
static json_int_t all_bytes(json_t *o, const char *sum)
{
    json_int_t bytes = 0;
    json_t *interval;
    size_t i;
    json_array_foreach(object_must(o, "intervals"), i, interval)
    {
        json_t *s = object_must(interval, sum), *stream;
        json_int_t streams = 0;
        size_t k;
        json_array_foreach(object_must(interval, "streams"), k, stream) streams +=
            object_count(stream, "bytes");
        if (!json_object_get(interval, "sum_bidir_reverse"))
            ck_assert_int_eq(streams, object_count(s, "bytes"));
        if (!object_is_true(s, "omitted"))
            bytes += object_count(s, "bytes");
    }
    return bytes;
}

static void check_rate(json_t *sum)
{
    double bits = (double)object_count(sum, "bytes") * 8, seconds = object_number(sum, "seconds");
    ck_assert_double_eq_tol(object_number(sum, "end") - object_number(sum, "start"), seconds, 1e-6);
    if (seconds > 0)
        ck_assert_double_eq_tol(object_number(sum, "bits_per_second") * seconds, bits,
                                bits * 1e-6 + 1);
}

static json_int_t lane_bytes(json_t *o, const char *who, bool is_ours)
{
    json_int_t bytes = 0;
    json_t *stream;
    size_t i;
    json_array_foreach(object_must(o, "end.streams"), i, stream)
    {
        json_t *side = object_must(stream, who);
        check_rate(side);
        if (object_is_true(side, "sender") == is_ours)
            bytes += object_count(side, "bytes");
    }
    return bytes;
}

/* Everything that holds for whatever was asked, on either side. */
static void check_whole(json_t *o, bool is_sender, bool is_bidir)
{
    ck_assert_ptr_null(object_at(o, "error"));
    json_t *sent = object_must(o, "end.sum_sent"), *came = object_must(o, "end.sum_received");
    check_rate(sent);
    check_rate(came);
    ck_assert_int_eq(object_is_true(sent, "sender"), is_sender);
    ck_assert_int_eq(all_bytes(o, "sum"), object_count(is_sender ? sent : came, "bytes"));
    ck_assert_int_eq(lane_bytes(o, "sender", is_sender), object_count(sent, "bytes"));
    ck_assert_int_eq(lane_bytes(o, "receiver", is_sender), object_count(came, "bytes"));
    ck_assert_int_ge(object_count(sent, "retransmits"), 0);
    ck_assert_int_ge(object_count(sent, "packets_sent"), object_count(sent, "packets_lost"));
    ck_assert(object_number(o, "end.cpu_utilization_percent.host_total") > 0);
    ck_assert(object_number(o, "end.cpu_utilization_percent.remote_total") > 0);
    ck_assert_uint_gt(strlen(object_text(o, "end.limited_by")), 20);
    ck_assert_str_ne(object_text(o, "end.limit"), "");
    if (is_bidir) {
        json_t *back = object_must(o, "end.sum_sent_bidir_reverse");
        ck_assert_int_ne(object_is_true(back, "sender"), is_sender);
        ck_assert_int_eq(all_bytes(o, "sum_bidir_reverse"),
                         object_count(o, is_sender ? "end.sum_received_bidir_reverse.bytes"
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
    json_int_t sent = object_count(o, "end.sum_sent.bytes"),
               came = object_count(o, "end.sum_received.bytes");
    ck_assert_int_eq(object_count(o, "start.test_start.num_streams"), a->streams);
    ck_assert_int_eq(object_count(o, "start.test_start.reverse"), a->is_reverse);
    ck_assert_int_eq(object_count(o, "start.test_start.bidir"), a->is_bidir);
    ck_assert_int_eq(object_count(o, "start.test_start.bytes"), a->bytes);
    ck_assert_uint_eq(json_array_size(object_must(o, "start.connected")),
                      (size_t)(a->is_bidir ? 2 * a->streams : a->streams));
    ck_assert_int_eq(object_is_true(o, "end.verified"), !a->is_unverified);
    if (!a->is_omitting)
        ck_assert_int_eq(sent, came); /* all of it has arrived */
    if (a->bytes)
        ck_assert_int_eq(sent, a->bytes);
    ck_assert_int_gt(sent, 0);
}

START_TEST(both_sides_tell_the_same_as_iperf3_would)
{
    const struct asked *a = &asked[_i];
    benches_begin();
    struct job *s = programs_start(&p, "exec sttbench -s -1 -J -i 0.1 -p %u", port);
    struct job *c = programs_start(&p, "exec sttbench -c 127.0.0.1 -J -p %u %s", port, a->words);
    job_require(c, DONE);
    job_require(s, DONE);
    json_t *here = object_of(c), *there = object_of(s);
    if (!a->is_silent)
        check_whole(here, !a->is_reverse, a->is_bidir);
    check_whole(there, a->is_reverse, a->is_bidir);
    check_counts(here, a);
    check_counts(there, a);
    ck_assert_int_eq(object_count(here, "end.sum_sent.bytes"),
                     object_count(there, "end.sum_sent.bytes"));
    ck_assert_str_eq(object_text(here, "start.cookie"), object_text(there, "start.cookie"));
    ck_assert_str_eq(object_text(here, "start.suite"), object_text(there, "start.suite"));
    json_decref(here);
    json_decref(there);
    programs_end(&p);
}
END_TEST

START_TEST(the_start_is_that_of_iperf3)
{
    benches_begin();
    struct job *s = bench_server("-1");
    struct job *c = bench_client("-J -t 0.2 -T title");
    job_require(c, DONE);
    json_t *o = object_of(c);
    ck_assert_str_eq(object_text(o, "title"), "title");
    ck_assert_str_eq(object_text(o, "start.connecting_to.host"), "127.0.0.1");
    ck_assert_int_eq(object_count(o, "start.connecting_to.port"), port);
    ck_assert_int_gt(object_count(o, "start.timestamp.timesecs"), 1600000000);
    ck_assert_ptr_nonnull(strstr(object_text(o, "start.timestamp.time"), "GMT"));
    ck_assert_str_eq(object_text(o, "start.test_start.protocol"), "STT");
    ck_assert_int_eq(object_count(o, "start.test_start.blksize"), 128 << 10);
    ck_assert_int_eq(object_count(o, "start.test_start.omit"), 0);
    ck_assert_int_eq(object_count(o, "start.test_start.blocks"), 0);
    ck_assert_str_eq(object_text(o, "start.authenticated"), "nobody");
    json_t *connected = json_array_get(object_must(o, "start.connected"), 0);
    ck_assert_str_eq(object_text(connected, "remote_host"), "127.0.0.1");
    ck_assert_int_eq(object_count(connected, "remote_port"), port);
    ck_assert_int_gt(object_count(connected, "local_port"), 0);
    ck_assert_int_gt(object_count(connected, "socket"), 0);
    object_is_in_page(o);
    json_decref(o);
    job_require(s, DONE);
    programs_end(&p);
}
END_TEST

START_TEST(people_get_lines_and_a_last_sentence)
{
    benches_begin();
    struct job *s = bench_server("-1");
    struct job *c = bench_client("-t 0.4 -i 0.2 -P 2");
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
    benches_begin();
    struct job *s = bench_server("-1");
    struct job *c = bench_client("-J -t 0.4 -i 0.1 --bidir --plot picture.html");
    job_require(c, DONE);
    json_decref(object_of(c)); /* nothing else on standard output */
    ck_assert_int_eq(access("picture.html", F_OK), 0);
    job_require(s, DONE);
    programs_end(&p);
}
END_TEST

START_TEST(a_stream_of_json_is_one_object_a_line)
{
    static const char *const events[] = {"start", "interval", "end"};
    size_t event = 0;
    benches_begin();
    struct job *s = bench_server("-1");
    struct job *c = bench_client("--json-stream -t 0.5 -i 0.1");
    job_require(c, DONE);
    for (char *line = strtok(c->out.text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *o = json_loads(line, 0, NULL);
        ck_assert_msg(o != NULL, "%s", line);
        while (strcmp(events[event], object_text(o, "event")) != 0)
            ck_assert_uint_lt(++event, 3);
        ck_assert(json_is_object(object_must(o, "data")));
        json_decref(o);
    }
    ck_assert_uint_eq(event, 2);
    job_require(s, DONE);
    programs_end(&p);
}
END_TEST

START_TEST(a_rate_is_kept)
{
    benches_begin();
    struct job *s = bench_server("-1");
    struct job *c = bench_client("-J -t 1 -b 4M -P 2 -l 10K");
    job_require(c, DONE);
    json_t *o = object_of(c);
    /* A block more for each stream, at most; a machine that is slow may send less. */
    ck_assert_int_le(object_count(o, "end.sum_sent.bytes"), 2 * (500000 + 10240));
    ck_assert_int_gt(object_count(o, "end.sum_sent.bytes"), IS_SANITIZED ? 0 : 500000);
    ck_assert_int_eq(object_count(o, "start.test_start.target_bitrate"), 4000000);
    json_decref(o);
    job_require(s, DONE);
    programs_end(&p);
}
END_TEST

/* -- who is there ------------------------------------------------------------------------------ */

static void require_authenticated(const char *words, const char *by)
{
    struct job *c = bench_client(words);
    job_require(c, DONE);
    json_t *o = object_of(c);
    ck_assert_str_eq(object_text(o, "start.authenticated"), by);
    json_decref(o);
}

START_TEST(who_has_the_seed_is_served_and_nobody_else)
{
    benches_begin();
    job_require(programs_run(&p, "sttkey seed -o seed && sttkey seed -o other"), DONE);
    struct job *s = bench_server("--seed-file seed");
    require_authenticated("-J -n 10K --seed-file seed", "seed");
    bench_failed(bench_client("-J -n 10K --seed-file other --connect-timeout 300ms"), NO_ANSWER,
                 "no answer");
    bench_failed(bench_client("-J -n 10K --connect-timeout 300ms"), NO_ANSWER, "peer id or seed");
    require_authenticated("-J -n 10K --seed-file seed", "seed");
    job_signal(s, SIGINT);
    job_require(s, INTERRUPTED);
    programs_end(&p);
}
END_TEST

START_TEST(a_pinned_server_is_that_one_or_none)
{
    char words[200];
    benches_begin();
    struct job *key = programs_run(&p, "sttkey gen -o id");
    job_require(key, DONE);
    struct job *other = programs_run(&p, "sttkey gen -o id2");
    job_require(other, DONE);
    struct job *s = bench_server("-I id");
    snprintf(words, sizeof words, "-J -n 10K --peer %.*s", (int)strcspn(key->out.text, "\n"),
             key->out.text);
    require_authenticated(words, "peer");
    snprintf(words, sizeof words, "-J -n 10K --connect-timeout 300ms --peer %.*s",
             (int)strcspn(other->out.text, "\n"), other->out.text);
    bench_failed(bench_client(words), NO_ANSWER, "no answer");
    job_kill(s);
    programs_end(&p);
}
END_TEST

SUITE("sttbench_transfer", LOOP(both_sides_tell_the_same_as_iperf3_would, 0, ASKED),
      TEST(the_start_is_that_of_iperf3), TEST(people_get_lines_and_a_last_sentence),
      TEST(a_picture_is_drawn_beside_it), TEST(a_stream_of_json_is_one_object_a_line),
      TEST(a_rate_is_kept), TEST(who_has_the_seed_is_served_and_nobody_else),
      TEST(a_pinned_server_is_that_one_or_none))
