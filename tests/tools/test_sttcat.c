/* SPDX-License-Identifier: MIT
 * What people do with netcat, done with sttcat: pipes both ways, ends of all kinds, signals, kills
 * and bad ways. CASE 63 to 66: who ends with 0 has told the truth. */
#include "tests/support/cats.h"
#include "tests/support/rng.h"
#include "tests/support/sanitized.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Statuses: tools/common/exits.h. */
/* A peer that was killed is gone after a moment. */
#define MORTAL " --keep-alive 200ms --timeout 1s"
/* Within which an interrupted program has told its peer and ended. */
#define LEAVING_NS (IS_SANITIZED ? STT_S(3) : STT_MS(500))

static bool begin(int io)
{
    return cats_begin(programs_ios[io]);
}

static void require_same(const char *one, const char *other)
{
    const char *difference = trees_difference(one, other, TREES_NO_MODES | TREES_NO_TIMES);
    ck_assert_msg(!difference, "%s", difference);
}

/* Whether all bytes of one are in the other, which may not be there. */
static bool is_complete(const char *one, const char *other)
{
    return trees_exists(other) && !trees_difference(one, other, TREES_NO_MODES | TREES_NO_TIMES);
}

/* -- there and back -----------------------------------------------------------------------------
 */

static const uint64_t sizes[] = {0, 1, 65535, 65536, 65537, 1000003, 20 * MIB};
enum { SIZES = sizeof sizes / sizeof *sizes };

START_TEST(bytes_of_any_number_go_to_the_listener)
{
    if (!begin(_i / SIZES))
        return;
    trees_make("in", sizes[_i % SIZES], 1);
    struct job *l = listener("</dev/null >out"), *c = client("<in");
    job_require(c, DONE);
    job_require(l, DONE);
    require_same("in", "out");
    ck_assert_uint_eq(c->out.bytes, 0);
    ck_assert_str_eq(c->err.text ? c->err.text : "", "");
    programs_end(&p);
}
END_TEST

START_TEST(and_from_it)
{
    if (!begin(_i / SIZES))
        return;
    trees_make("in", sizes[_i % SIZES], 2);
    struct job *l = listener("<in"), *c = client("</dev/null >out");
    job_require(c, DONE);
    job_require(l, DONE);
    require_same("in", "out");
    ck_assert_uint_eq(l->out.bytes, 0);
    programs_end(&p);
}
END_TEST

START_TEST(both_ways_at_once_over_pipes)
{
    if (!begin(_i))
        return;
    trees_make("a", 9 * MIB + 1, 3);
    trees_make("b", 7 * MIB + 7, 4);
    struct job *l = programs_start(&p, "cat a | " CAT " -l 127.0.0.1 %u | cat >b.came", port);
    job_line(l, "listening on");
    struct job *c = programs_start(&p, "cat b | " CAT " 127.0.0.1 %u | cat >a.came", port);
    job_require(c, DONE);
    job_require(l, DONE);
    require_same("a", "a.came");
    require_same("b", "b.came");
    programs_end(&p);
}
END_TEST

/* As many as a turn takes, and its multiples: the last byte of all is the last of a turn, too. */
START_TEST(bytes_end_where_a_turn_ends)
{
    if (!begin(_i))
        return;
    for (unsigned i = 0; i < 30; i++) {
        trees_make("in", (uint64_t)(13 + i % 4) * MIB, i);
        struct job *l = listener("</dev/null >out"), *c = client("<in");
        job_require(c, DONE);
        job_require(l, DONE);
        require_same("in", "out");
    }
    programs_end(&p);
}
END_TEST

/* -- each direction ends by itself (CASE 65) ----------------------------------------------------
 */

START_TEST(the_client_ends_first_and_is_answered_later_case_65)
{
    if (!begin(_i))
        return;
    struct job *l = fed_listener("");
    struct job *c = programs_start(&p, "echo question | " CAT " 127.0.0.1 %u", port);
    job_shows(l, "question\n");
    ck_assert(!job_ends_within(c, STT_MS(100)));
    ck_assert(job_type(l, "answer\n"));
    job_shows(c, "answer\n");
    ck_assert(!job_ends_within(c, STT_MS(50)) && !l->has_ended);
    job_end_input(l);
    job_require(c, DONE);
    job_require(l, DONE);
    programs_end(&p);
}
END_TEST

START_TEST(the_listener_ends_first_and_is_told_more_case_65)
{
    if (!begin(_i))
        return;
    trees_write_text("in", "greeting\n");
    struct job *l = listener("<in >out");
    struct job *c = programs_start_fed(&p, CAT " 127.0.0.1 %u", port);
    job_shows(c, "greeting\n");
    ck_assert(!job_ends_within(c, STT_MS(100)) && !l->has_ended);
    for (unsigned i = 0; i < 10; i++)
        ck_assert(job_type(c, "more\n"));
    job_end_input(c);
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_uint_eq(trees_bytes("out"), 50);
    programs_end(&p);
}
END_TEST

/* What is typed is there before the input ends. */
START_TEST(what_is_said_is_heard_at_once)
{
    char text[32];
    if (!begin(_i))
        return;
    struct job *l = fed_listener(""), *c = programs_start_fed(&p, CAT " 127.0.0.1 %u", port);
    for (unsigned i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "line %u\n", i);
        ck_assert(job_type(i % 2 ? l : c, text));
        job_shows(i % 2 ? c : l, text);
    }
    job_end_input(l);
    job_end_input(c);
    job_require(c, DONE);
    job_require(l, DONE);
    programs_end(&p);
}
END_TEST

/* -- inputs and outputs that are not there ------------------------------------------------------
 */

START_TEST(a_closed_input_is_an_empty_one)
{
    if (!begin(_i / 2))
        return;
    trees_write_text("in", "something\n");
    bool is_client = _i % 2;
    struct job *l = listener(is_client ? "<in" : "<&-");
    struct job *c = client(is_client ? "<&-" : "<in");
    job_require(c, DONE);
    job_require(l, DONE);
    ck_assert_str_eq((is_client ? c : l)->out.text, "something\n");
    ck_assert_uint_eq((is_client ? l : c)->out.bytes, 0);
    programs_end(&p);
}
END_TEST

START_TEST(with_all_three_closed_nothing_is_lost_silently)
{
    if (!begin(0) && !begin(1))
        return;
    struct job *l = listener("</dev/null");
    struct job *c = client("<&- >&- 2>&-");
    job_require(c, DONE); /* there was nothing to write */
    job_require(l, DONE);
    trees_write_text("in", "something\n");
    l = listener("<in");
    c = client("<&- >&- 2>&-");
    job_require(c, LOCAL_IO);
    job_require(l, PARTIAL);
    programs_end(&p);
}
END_TEST

START_TEST(directions_that_are_not_wanted_do_not_wait)
{
    if (!begin(_i))
        return;
    trees_make("in", MIB, 6);
    struct job *l = fed_listener("--recv-only >out"), *c = client("--send-only <in");
    job_require(c, DONE);
    job_require(l, DONE);
    require_same("in", "out");
    l = fed_listener("-N >out"); /* its input stays open */
    c = client("<in");
    job_require(c, DONE);
    job_require(l, DONE);
    require_same("in", "out");
    programs_end(&p);
}
END_TEST

/* Its END goes before it knows that nobody takes: there is no receipt to wait for. */
START_TEST(an_empty_input_for_who_takes_none_is_fine)
{
    if (!begin(_i))
        return;
    trees_make("in", MIB, 6);
    struct job *l = listener("--send-only <in"), *c = client("</dev/null >out");
    job_require(c, DONE);
    job_require(l, DONE);
    require_same("in", "out");
    programs_end(&p);
}
END_TEST

/* Bytes that nobody wants are not thrown away in silence. */
START_TEST(bytes_for_who_takes_none_are_refused)
{
    if (!begin(0) && !begin(1))
        return;
    trees_make("in", MIB, 7);
    struct job *l = listener("--send-only </dev/null"), *c = client("<in");
    job_require(c, REFUSED);
    job_require(l, REFUSED);
    programs_end(&p);
}
END_TEST

/* -- outputs that fail --------------------------------------------------------------------------
 */

static const bool sides[] = {false, true};
enum { SIDES = 2 };

START_TEST(a_full_disk_is_told_to_both_case_63)
{
    if (!begin(_i / SIDES))
        return;
    bool listener_writes = sides[_i % SIDES];
    trees_make("in", 3 * MIB, 8);
    struct job *l = listener(listener_writes ? "</dev/null >/dev/full" : "<in");
    struct job *c = client(listener_writes ? "<in" : "</dev/null >/dev/full");
    struct job *writer = listener_writes ? l : c, *reader = listener_writes ? c : l;
    job_require(writer, LOCAL_IO);
    job_require(reader, PARTIAL);
    job_line(writer, "No space left");
    job_line(reader, "No space left");
    programs_end(&p);
}
END_TEST

START_TEST(a_reader_that_leaves_ends_both_and_quietly_case_64)
{
    if (!begin(_i / SIDES))
        return;
    bool listener_writes = sides[_i % SIDES];
    static const char *const way[] = {"127.0.0.1", "-l 127.0.0.1"};
    struct job *giver = NULL, *reader = NULL;
    for (unsigned turn = 0; turn < 2; turn++) { /* the listener first */
        bool is_listener = turn == 0, is_giver = is_listener != listener_writes;
        struct job *j =
            is_giver ? programs_start(&p, "cat /dev/zero | " CAT " %s %u", way[is_listener], port)
                     : programs_start(&p,
                                      "{ " CAT " %s %u </dev/null; echo $? >status; } "
                                      "| head -c1 >out",
                                      way[is_listener], port);
        *(is_giver ? &giver : &reader) = j;
        if (is_listener)
            job_line(j, "listening on");
    }
    job_require(giver, PARTIAL);
    job_require(reader, DONE); /* of head */
    size_t len;
    char *status = trees_read("status", &len);
    ck_assert_int_eq(atoi(status), 128 + SIGPIPE);
    free(status);
    ck_assert_uint_eq(trees_bytes("out"), 1);
    const char *said = reader->err.text ? reader->err.text : "";
    ck_assert_msg(listener_writes || !*said, "%s", said);
    ck_assert_ptr_null(strstr(said, "sttcat:"));
    programs_end(&p);
}
END_TEST

/* -- signals (CASE 66) --------------------------------------------------------------------------
 */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNALS = 3 };

/* Which side gives, which of them is meant, and with what. */
/* With -k some may wait for their turn. */
START_TEST(who_waits_is_told_when_the_reader_has_gone)
{
    char much[4096];
    if (!begin(_i))
        return;
    memset(much, 'x', sizeof much);
    much[sizeof much - 1] = 0;
    struct job *l =
        programs_start(&p, "{ " CAT " -l -k 127.0.0.1 %u </dev/null; } | head -c1 >out", port);
    job_line(l, "listening on");
    struct job *one = programs_start_fed(&p, "exec " CAT " -v 127.0.0.1 %u", port);
    job_line(one, "connected to");
    ck_assert(job_type(one, "a"));
    while (trees_bytes("out") == 0)
        ck_assert(!job_ends_within(one, STT_MS(1)));
    struct job *two = programs_start(&p, "exec " CAT " -v 127.0.0.1 %u </dev/zero", port);
    job_line(two, "connected to");
    while (!job_ends_within(one, STT_MS(1)))
        (void)job_type(one, much);
    job_require(one, PARTIAL);
    ck_assert(job_ends_within(two, LEAVING_NS));
    job_require(two, PARTIAL);
    programs_end(&p);
}
END_TEST

START_TEST(an_interrupted_program_ends_at_once_and_says_so_case_66)
{
    if (!begin(_i / (SIGNALS * 4)))
        return;
    int signal = signals[_i % SIGNALS];
    bool listener_gives = _i / SIGNALS % 2, listener_is_meant = _i / SIGNALS / 2 % 2;
    struct job *l = listener(listener_gives ? "</dev/zero" : "</dev/null");
    struct job *c = client(listener_gives ? "</dev/null" : "</dev/zero");
    struct job *taker = listener_gives ? c : l;
    struct job *meant = listener_is_meant ? l : c, *other = listener_is_meant ? c : l;
    while (taker->out.bytes < 100000)
        ck_assert(!job_ends_within(taker, STT_MS(1)));
    job_signal(meant, signal);
    ck_assert(job_ends_within(meant, LEAVING_NS));
    job_require(meant, 128 + signal);
    ck_assert(job_ends_within(other, LEAVING_NS));
    job_require(other, PARTIAL);
    programs_end(&p);
}
END_TEST

START_TEST(interrupted_before_anybody_came_it_just_ends_case_66)
{
    if (!begin(_i / SIGNALS))
        return;
    int signal = signals[_i % SIGNALS];
    struct job *l = listener("");
    job_signal(l, signal);
    ck_assert(job_ends_within(l, LEAVING_NS));
    job_require(l, 128 + signal);
    struct job *c = client("-v");
    ck_assert(!job_ends_within(c, STT_MS(100)));
    job_signal(c, signal);
    ck_assert(job_ends_within(c, LEAVING_NS));
    job_require(c, 128 + signal);
    programs_end(&p);
}
END_TEST

START_TEST(what_was_stopped_goes_on_where_it_was_case_66)
{
    if (!begin(_i / SIDES))
        return;
    bool listener_stops = sides[_i % SIDES];
    trees_make("in", 30 * MIB, 9);
    struct job *l = listener("</dev/null >out");
    struct job *c = programs_start(&p, "exec " CAT " --rate 400M 127.0.0.1 %u <in", port);
    struct job *stopped = listener_stops ? l : c;
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(!job_ends_within(stopped, STT_MS(50)));
        job_signal(stopped, SIGSTOP);
        ck_assert(!job_ends_within(stopped, STT_MS(200)));
        job_signal(stopped, SIGCONT);
    }
    job_require(c, DONE);
    job_require(l, DONE);
    require_same("in", "out");
    programs_end(&p);
}
END_TEST

START_TEST(what_stays_stopped_is_given_up_case_66)
{
    if (!begin(_i / SIDES))
        return;
    bool listener_stops = sides[_i % SIDES];
    struct job *l = listener(MORTAL " </dev/null >out"), *c = client(MORTAL " </dev/zero");
    struct job *stopped = listener_stops ? l : c, *other = listener_stops ? c : l;
    ck_assert(!job_ends_within(stopped, STT_MS(100)));
    job_signal(stopped, SIGSTOP);
    ck_assert(job_ends_within(other, STT_S(5)));
    job_require(other, NETWORK);
    job_signal(stopped, SIGCONT);
    ck_assert(job_ends_within(stopped, STT_S(5)));
    ck_assert_int_ne(stopped->status, DONE);
    programs_end(&p);
}
END_TEST

/* -- one after the other ------------------------------------------------------------------------
 */

START_TEST(a_listener_that_is_started_anew_is_found_at_the_old_place)
{
    if (!begin(_i))
        return;
    for (unsigned i = 0; i < 4; i++) {
        trees_make("in", 100000 + i, i);
        struct job *l = listener("</dev/null >out");
        job_require(client("<in"), DONE);
        job_require(l, DONE);
        require_same("in", "out");
    }
    struct job *l = listener("</dev/null >out");
    job_kill(l);
    do /* the kernel ends a ring, and what it holds, some time after its process */
        l = programs_start(&p, "exec " CAT " -l 127.0.0.1 %u </dev/null >out", port);
    while (!job_line_within(l, "listening on", STT_S(5)) && job_wait(l) == LOCAL_IO);
    job_require(client("<in"), DONE);
    job_require(l, DONE);
    require_same("in", "out");
    programs_end(&p);
}
END_TEST

START_TEST(a_client_waits_for_a_listener_that_comes_later)
{
    if (!begin(_i))
        return;
    trees_make("in", 100000, 1);
    struct job *c = client("<in");
    ck_assert(!job_ends_within(c, STT_MS(300)));
    struct job *l = listener("</dev/null >out");
    job_require(c, DONE);
    job_require(l, DONE);
    require_same("in", "out");
    c = client("-w 300ms <in");
    job_require(c, NO_ANSWER);
    ck_assert(job_line(c, "no answer from 127.0.0.1:"));
    programs_end(&p);
}
END_TEST

START_TEST(a_listener_that_stays_serves_one_after_the_other)
{
    if (!begin(_i))
        return;
    struct job *l = listener("-k </dev/null");
    for (unsigned i = 0; i < 3; i++)
        job_require(programs_run(&p, "echo from %u | " CAT " 127.0.0.1 %u", i, port), DONE);
    job_require(programs_run(&p, CAT " -z 127.0.0.1 %u", port), DONE);
    job_signal(l, SIGINT);
    job_require(l, 128 + SIGINT);
    ck_assert_str_eq(l->out.text, "from 0\nfrom 1\nfrom 2\n");
    programs_end(&p);
}
END_TEST

START_TEST(who_has_another_seed_gets_no_answer)
{
    if (!begin(_i))
        return;
    struct job *l = listener("</dev/null");
    job_require(programs_run(&p, "sttkey seed -o other"), DONE);
    struct job *c =
        programs_run(&p, "echo x | sttcat --seed-file other -w 500ms 127.0.0.1 %u", port);
    job_require(c, NO_ANSWER);
    job_require(programs_run(&p, "echo y | " CAT " 127.0.0.1 %u", port), DONE);
    job_require(l, DONE);
    ck_assert_str_eq(l->out.text, "y\n");
    programs_end(&p);
}
END_TEST

/* -- kills --------------------------------------------------------------------------------------
 */

enum { PAIRS = 8, ROUNDS = 4, KILL_BYTES = 4 * MIB };

struct pair {
    struct job *l, *c;
    char out[16];
    uint16_t port;
    bool listener_dies, listener_gives;
};

static struct pair start_pair(struct rng *rng, unsigned i)
{
    struct pair x = {.listener_dies = rng_chance(rng, 50), .listener_gives = rng_chance(rng, 50)};
    char words[100];
    snprintf(x.out, sizeof x.out, "out%u", i);
    x.port = port = programs_port();
    snprintf(words, sizeof words, MORTAL " --rate 250M %s%s",
             x.listener_gives ? "<in" : "</dev/null >", x.listener_gives ? "" : x.out);
    x.l = listener(words);
    snprintf(words, sizeof words, MORTAL " --rate 250M %s%s",
             x.listener_gives ? "</dev/null >" : "<in", x.listener_gives ? x.out : "");
    x.c = client(words);
    return x;
}

/* Whom nobody ever reached waits for the next one; anybody else has come to an end. */
static void require_truth(const struct pair *x)
{
    struct job *survivor = x->listener_dies ? x->c : x->l;
    if (!x->listener_dies && !survivor->has_ended) {
        job_require(programs_run(&p, CAT MORTAL " -z 127.0.0.1 %u", x->port), DONE);
        return;
    }
    if (job_wait(survivor) == DONE)
        ck_assert_msg(is_complete("in", x->out),
                      "%s is not whole, and the survivor says that it is", x->out);
    else
        ck_assert_msg(survivor->status == NETWORK || survivor->status == NO_ANSWER, "status %d",
                      survivor->status);
}

/* 4 MiB take about 130 ms at that rate: most kills come in the midst of it, some before anything or
 * after the end. */
START_TEST(after_a_kill_at_any_moment_the_survivor_tells_the_truth)
{
    struct pair pairs[PAIRS];
    struct rng rng = rng_init((uint64_t)_i + 1);
    if (!begin(_i % IOS))
        return;
    trees_make("in", KILL_BYTES, 10);
    unsigned killed = 0;
    for (unsigned i = 0; i < PAIRS; i++)
        pairs[i] = start_pair(&rng, i);
    for (unsigned i = 0; i < PAIRS; i++) {
        struct job *victim = pairs[i].listener_dies ? pairs[i].l : pairs[i].c;
        killed += !job_ends_within(victim, (stt_ns)rng_below(&rng, STT_MS(40)));
        job_kill(victim);
    }
    job_require(programs_run(&p, "sleep 2"), 0); /* until those who wait for the dead give up */
    for (unsigned i = 0; i < PAIRS; i++)
        require_truth(&pairs[i]);
    ck_assert_uint_gt(killed, 0);
    programs_end(&p);
}
END_TEST

/* -- bad ways -----------------------------------------------------------------------------------
 */

static const struct wan_config lossy = {.delay_ns = STT_MS(20), .lost = 10};
static const struct wan_config awful = {.rate_bits_per_s = 50000000,
                                        .queue_bytes = 60000,
                                        .delay_ns = STT_MS(5),
                                        .late_ns = STT_MS(3),
                                        .lost = 20,
                                        .doubled = 20,
                                        .reordered = 50,
                                        .corrupted = 10};
static const struct wan_config *const ways[] = {&lossy, &awful};
enum { WAYS = 2 };

START_TEST(a_bad_way_changes_nothing_but_the_time)
{
    if (!begin(_i / WAYS))
        return;
    trees_make("a", MIB, 11);
    trees_make("b", MIB / 2, 12);
    struct job *l = listener("<b >a.came");
    port = programs_wan(&p, port, ways[_i % WAYS], (uint64_t)_i + 1);
    struct job *c = client("<a >b.came");
    job_require(c, DONE);
    job_require(l, DONE);
    require_same("a", "a.came");
    require_same("b", "b.came");
    programs_end(&p);
}
END_TEST

START_TEST(small_talk_over_a_bad_way)
{
    char text[32];
    if (!begin(_i))
        return;
    struct job *l = fed_listener("");
    port = programs_wan(&p, port, &lossy, (uint64_t)_i + 1);
    struct job *c = programs_start_fed(&p, CAT " 127.0.0.1 %u", port);
    for (unsigned i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "line %u\n", i);
        ck_assert(job_type(i % 2 ? l : c, text));
        job_shows(i % 2 ? c : l, text);
    }
    job_end_input(l);
    job_end_input(c);
    job_require(c, DONE);
    job_require(l, DONE);
    programs_end(&p);
}
END_TEST

/* The last word is as likely to be lost as any other one. */
START_TEST(who_ends_well_has_not_left_the_other_one_behind)
{
    enum { AT_ONCE = PROGRAMS_WANS_MAX };
    static const struct wan_config bad = {.delay_ns = STT_MS(2), .lost = 200};
    struct job *l[AT_ONCE], *c[AT_ONCE];
    if (!begin(_i % IOS))
        return;
    trees_write_text("in", "a few words\n");
    for (unsigned i = 0; i < AT_ONCE; i++) {
        port = programs_port();
        l[i] = listener("-N --keep-alive 200ms --timeout 4s");
        port = programs_wan(&p, port, &bad, (uint64_t)_i * AT_ONCE + i);
        c[i] = client("<in");
    }
    for (unsigned i = 0; i < AT_ONCE; i++) {
        job_require(c[i], DONE);
        job_require(l[i], DONE);
        ck_assert_str_eq(l[i]->out.text, "a few words\n");
    }
    programs_end(&p);
}
END_TEST

START_TEST(a_way_that_breaks_for_good_fails_both)
{
    if (!begin(_i))
        return;
    struct job *l = listener(MORTAL " </dev/null >out");
    port = programs_wan(&p, port, &lossy, 1);
    struct job *c = client(MORTAL " </dev/zero");
    ck_assert(!job_ends_within(c, STT_MS(300)));
    wan_set_dark(p.wans[0], true);
    ck_assert(job_ends_within(c, STT_S(6)) && job_ends_within(l, STT_S(6)));
    job_require(c, NETWORK);
    job_require(l, NETWORK);
    programs_end(&p);
}
END_TEST

SUITE("sttcat", LOOP(bytes_of_any_number_go_to_the_listener, 0, IOS *SIZES),
      LOOP(and_from_it, 0, IOS *SIZES), LOOP(both_ways_at_once_over_pipes, 0, IOS),
      LOOP(bytes_end_where_a_turn_ends, 0, IOS),

      LOOP(the_client_ends_first_and_is_answered_later_case_65, 0, IOS),
      LOOP(the_listener_ends_first_and_is_told_more_case_65, 0, IOS),
      LOOP(what_is_said_is_heard_at_once, 0, IOS), LOOP(a_closed_input_is_an_empty_one, 0, IOS * 2),
      TEST(with_all_three_closed_nothing_is_lost_silently),
      LOOP(directions_that_are_not_wanted_do_not_wait, 0, IOS),
      LOOP(an_empty_input_for_who_takes_none_is_fine, 0, PROGRAMS_IOS),
      TEST(bytes_for_who_takes_none_are_refused),
      LOOP(a_full_disk_is_told_to_both_case_63, 0, IOS *SIDES),
      LOOP(a_reader_that_leaves_ends_both_and_quietly_case_64, 0, IOS *SIDES),
      LOOP(who_waits_is_told_when_the_reader_has_gone, 0, IOS),
      LOOP(an_interrupted_program_ends_at_once_and_says_so_case_66, 0, IOS *SIGNALS * 4),
      LOOP(interrupted_before_anybody_came_it_just_ends_case_66, 0, IOS *SIGNALS),
      LOOP(what_was_stopped_goes_on_where_it_was_case_66, 0, IOS *SIDES),
      LOOP(what_stays_stopped_is_given_up_case_66, 0, IOS *SIDES),
      LOOP(a_listener_that_is_started_anew_is_found_at_the_old_place, 0, IOS),
      LOOP(a_client_waits_for_a_listener_that_comes_later, 0, IOS),
      LOOP(a_listener_that_stays_serves_one_after_the_other, 0, IOS),
      LOOP(who_has_another_seed_gets_no_answer, 0, IOS),
      LOOP(after_a_kill_at_any_moment_the_survivor_tells_the_truth, 0, ROUNDS),
      LOOP(a_bad_way_changes_nothing_but_the_time, 0, IOS *WAYS),
      LOOP(small_talk_over_a_bad_way, 0, IOS),
      LOOP(who_ends_well_has_not_left_the_other_one_behind, 0, IOS * 3),
      LOOP(a_way_that_breaks_for_good_fails_both, 0, IOS))
