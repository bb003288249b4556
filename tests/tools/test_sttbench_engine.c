/* SPDX-License-Identifier: MIT
 * sttbench engine, chaos, cpu and doctor, as people and scripts use them: what they print is
 * consistent, whatever the machine is doing besides; how fast it is, is no test's business. */
#include "tests/support/objects.h"
#include "tests/support/programs.h"
#include "tests/support/sanitized.h"
#include "tests/support/suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { USAGE = 2, NO_ANSWER = 3, LOCAL_IO = 11 };

static struct programs p;

static void begin(void)
{
    ck_assert(programs_begin(&p, NULL));
}

/* -- JSON -------------------------------------------------------------------------------------- */

/* What it prints is one object, and nothing else. */
static json_t *answer_of(const char *command)
{
    struct job *j = programs_run(&p, "exec sttbench %s -J", command);
    job_require(j, 0);
    json_t *o = object_of(j);
    ck_assert_ptr_null(json_object_get(o, "error"));
    return o;
}

static void about(double value, double wanted, double tolerance)
{
    ck_assert_msg(fabs(value - wanted) <= tolerance * fabs(wanted), "%g and not %g", value, wanted);
}

/* The row of a table where this key has this text; NULL: none. */
static const json_t *row_of(const json_t *o, const char *key, const char *value, size_t nth)
{
    const json_t *rows = json_object_get(o, "results"), *row;
    size_t i;
    json_array_foreach(rows, i,
                       row) if (strcmp(object_text(row, key), value) == 0 && nth-- == 0) return row;
    return NULL;
}

static void refuses(const char *command, const char *says)
{
    struct job *j = programs_run(&p, "exec sttbench %s", command);
    job_require(j, USAGE);
    ck_assert_uint_eq(j->out.bytes, 0);
    ck_assert_msg(strstr(j->err.text, says) != NULL, "no \"%s\": %s", says, j->err.text);
}

/* -- engine ------------------------------------------------------------------------------------ */

static void is_engine_row(const json_t *row)
{
    double send = object_number(row, "ns_per_packet_send"),
           receive = object_number(row, "ns_per_packet_receive");
    bool is_judged = strcmp(object_text(row, "demand"), "-") != 0;
    ck_assert_double_gt(send, 0);
    ck_assert_double_gt(receive, 0);
    ck_assert_double_le(object_number(row, "ns_per_packet_send_least"), send);
    ck_assert_double_le(object_number(row, "ns_per_packet_receive_least"), receive);
    ck_assert_double_eq(object_number(row, "allocations"), 0);
    ck_assert_double_gt(object_number(row, "bytes_moved"), 0);
    if (is_judged)
        ck_assert_str_eq(object_text(row, "demand"),
                         send <= 120 && receive <= 120 ? "met" : "missed");
}

START_TEST(engine_measures_each_load_and_allocates_nothing)
{
    static const char *const loads[] = {"idle streams", "sending streams", "small writes",
                                        "in flight",    "idle sessions",   "bytes moved"};
    begin();
    json_t *o = answer_of(IS_SANITIZED ? "engine --quick --suite null" : "engine --quick");
    const json_t *rows = json_object_get(o, "results"), *row;
    size_t i, missed = 0;
    ck_assert_str_eq(object_text(o, "test"), "engine");
    json_array_foreach(rows, i, row)
    {
        is_engine_row(row);
        missed += strcmp(object_text(row, "demand"), "missed") == 0;
    }
    ck_assert_double_eq(object_number(o, "missed"), (double)missed);
    ck_assert_double_eq(object_number(o, "allocations"), 0);
    row = row_of(o, "name", "suite", 0);
    ck_assert_str_eq(object_text(row, "suite"), "null");
    ck_assert_double_eq(object_number(o, "ns_per_packet_send"),
                        object_number(row, "ns_per_packet_send"));
    ck_assert_double_eq(object_number(o, "ns_per_packet_receive"),
                        object_number(row, "ns_per_packet_receive"));
    for (i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        const json_t *first = row_of(o, "name", loads[i], 0),
                     *last = row_of(o, "name", loads[i], 2);
        ck_assert_ptr_nonnull(last);
        ck_assert_double_eq(object_number(first, "growth_ratio"), 1);
        about(object_number(last, "growth_ratio"),
              (object_number(last, "ns_per_packet_send") +
               object_number(last, "ns_per_packet_receive")) /
                  (object_number(first, "ns_per_packet_send") +
                   object_number(first, "ns_per_packet_receive")),
              1e-6);
    }
    ck_assert_double_eq(object_number(row_of(o, "name", "idle streams", 2), "streams"), 100);
    ck_assert_double_eq(object_number(row_of(o, "name", "idle sessions", 2), "sessions"), 100);
    ck_assert_double_ge(object_number(row_of(o, "name", "in flight", 2), "packets_in_flight"),
                        1000);
    ck_assert_double_ge(object_number(row_of(o, "name", "bytes moved", 2), "bytes_moved"),
                        128 << 20);
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(a_number_of_packets_is_the_same_work_every_time)
{
    begin();
    json_t *one = answer_of("engine --packets 3000"), *two = answer_of("engine --packets 3000");
    ck_assert(json_equal(one, two));
    ck_assert_double_ge(object_number(one, "packets"), 3000);
    ck_assert_double_le(object_number(one, "packets"), 3200);
    ck_assert_double_eq(object_number(one, "allocations"), 0);
    ck_assert_str_eq(object_text(one, "suite"), "null");
    ck_assert_ptr_nonnull(strstr(object_text(one, "libc"), " "));
    json_decref(one);
    json_decref(two);
    one = answer_of("engine --packets 100 --suite chacha20-poly1305");
    ck_assert_str_eq(object_text(one, "suite"), "chacha20-poly1305");
    json_decref(one);
    programs_end(&p);
}
END_TEST

/* -- chaos ------------------------------------------------------------------------------------- */

START_TEST(chaos_has_one_hash_for_the_same_seeds)
{
    begin();
    json_t *one = answer_of("chaos --seed 5 --count 12"),
           *two = answer_of("chaos --seed 5 --count 12 --jobs 3 --tally");
    ck_assert_double_eq(object_number(one, "passed"), 12);
    ck_assert_double_eq(object_number(one, "failed"), 0);
    ck_assert_str_eq(object_text(one, "hash"), object_text(two, "hash"));
    ck_assert_ptr_null(json_object_get(one, "met"));
    ck_assert_uint_gt(json_array_size(json_object_get(two, "met")), 50);
    json_t *other = answer_of("chaos --seed 6 --count 12");
    ck_assert_str_ne(object_text(one, "hash"), object_text(other, "hash"));
    json_decref(one);
    json_decref(two);
    json_decref(other);
    programs_end(&p);
}
END_TEST

START_TEST(chaos_tells_what_happens_in_a_scenario)
{
    begin();
    struct job *j = programs_run(&p, "exec sttbench chaos --seed 95 --count 1 --tell");
    job_require(j, 0);
    ck_assert_uint_gt(j->out.len, 1000);
    ck_assert_ptr_nonnull(strstr(j->out.text, "hash of everything that happened"));
    ck_assert_uint_eq(j->err.bytes, 0);
    programs_end(&p);
}
END_TEST

/* -- cpu --------------------------------------------------------------------------------------- */

static void is_side(const json_t *o, const char *side)
{
    static const char *const parts[] = {"crypto", "kernel",    "protocol", "copy",
                                        "verify", "stopwatch", "all"};
    const json_t *rows = json_object_get(o, "results"), *row;
    double percent = 0, ns = 0, all = 0;
    size_t i, n = 0;
    json_array_foreach(rows, i, row)
    {
        if (strcmp(object_text(row, "side"), side) != 0)
            continue;
        ck_assert_str_eq(object_text(row, "part"), parts[n++]);
        ck_assert_double_ge(object_number(row, "ns_per_packet"), 0);
        if (strcmp(object_text(row, "part"), "all") == 0) {
            all = object_number(row, "ns_per_packet");
            ck_assert_double_eq_tol(object_number(row, "percent"), 100, 0.01);
        } else {
            ns += object_number(row, "ns_per_packet");
            percent += object_number(row, "percent");
        }
    }
    ck_assert_uint_eq(n, sizeof parts / sizeof parts[0]);
    ck_assert_double_gt(all, 0);
    /* the parts are the whole, but where ticks have given the kernel more than is true */
    ck_assert_double_ge(ns, all * 0.999);
    ck_assert_double_ge(percent, 99.9);
}

START_TEST(cpu_divides_the_time_of_both_sides)
{
    begin();
    json_t *o = answer_of("cpu -t 500ms");
    double seconds = object_number(o, "time_s");
    ck_assert_double_gt(seconds, 0.4);
    about(object_number(o, "goodput_bits_per_second"), object_number(o, "bytes") * 8 / seconds,
          1e-6);
    ck_assert_double_gt(object_number(o, "bytes"), 100000);
    ck_assert_double_ge(object_number(o, "packets"), object_number(o, "bytes") / 1452);
    ck_assert_double_eq(object_number(o, "packet_bytes"), 1452);
    is_side(o, "sender");
    is_side(o, "receiver");
    ck_assert_msg(strncmp(object_text(o, "limited_by"), "Limited by ", 11) == 0, "%s",
                  object_text(o, "limited_by"));
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(cpu_takes_any_suite_and_driver)
{
    begin();
    json_t *o =
        answer_of("cpu -t 200ms --suite null --io mmsg --no-verify --preset high-throughput");
    ck_assert_str_eq(object_text(o, "suite"), "null");
    ck_assert_str_eq(object_text(o, "io"), "mmsg");
    const json_t *rows = json_object_get(o, "results"), *row;
    size_t i;
    json_array_foreach(rows, i, row) if (strcmp(object_text(row, "part"), "verify") == 0)
        ck_assert_double_eq(object_number(row, "ns_per_packet"), 0);
    json_decref(o);
    programs_end(&p);
}
END_TEST

/* -- doctor ------------------------------------------------------------------------------------ */

START_TEST(doctor_names_a_command_for_all_that_is_not_well)
{
    begin();
    json_t *o = answer_of("doctor localhost");
    const json_t *rows = json_object_get(o, "results"), *row;
    size_t i, to_mend = 0;
    ck_assert_uint_ge(json_array_size(rows), 15);
    json_array_foreach(rows, i, row)
    {
        bool is_ok = strcmp(object_text(row, "state"), "ok") == 0;
        ck_assert(is_ok || strcmp(object_text(row, "state"), "mend") == 0);
        ck_assert_uint_gt(strlen(object_text(row, "found")), 0);
        ck_assert(is_ok == !*object_text(row, "mend"));
        to_mend += !is_ok;
    }
    ck_assert_double_eq(object_number(o, "to_mend"), (double)to_mend);
    ck_assert_double_ge(object_number(o, "processors"), 1);
    ck_assert_double_ge(object_number(o, "path_mtu_bytes"), 1228);
    ck_assert_double_ge(object_number(o, "interface_mtu_bytes"),
                        object_number(o, "path_mtu_bytes"));
    ck_assert_ptr_nonnull(
        strstr(object_text(row_of(o, "check", "suites", 0), "found"), "chacha20"));
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(doctor_sees_a_limit_that_is_too_low)
{
    begin();
    struct job *j = programs_run(&p, "ulimit -n 100; exec sttbench doctor");
    job_require(j, 0);
    ck_assert_msg(strstr(j->out.text, "100 descriptors"), "%s", j->out.text);
    ck_assert_ptr_nonnull(strstr(j->out.text, "ulimit -n 4096"));
    programs_end(&p);
}
END_TEST

START_TEST(doctor_knows_when_there_is_no_such_host)
{
    begin();
    struct job *j = programs_run(&p, "exec sttbench doctor no-such-host.invalid");
    job_require(j, NO_ANSWER);
    ck_assert_uint_eq(j->out.bytes, 0);
    ck_assert_ptr_nonnull(strstr(j->err.text, "no-such-host.invalid cannot be found"));
    programs_end(&p);
}
END_TEST

/* -- all --------------------------------------------------------------------------------------- */

START_TEST(wrong_words_are_refused_with_a_sentence)
{
    begin();
    refuses("engine --suite rot13", "--suite wants one of");
    refuses("engine --quick --full", "take one of them");
    refuses("engine word", "'word' is no option");
    refuses("engine --packets 0", "packets");
    refuses("chaos --seed x", "--seed is a number");
    refuses("chaos --seed 18446744073709551615 --count 2", "--seed is a number");
    refuses("chaos --count 0", "count");
    refuses("chaos --tell -J", "take one of them");
    refuses("cpu --suite rot13", "--suite wants one of");
    refuses("cpu -t 0", "-t wants a time");
    refuses("cpu --mtu 100", "mtu");
    refuses("doctor a b", "one host");
    programs_end(&p);
}
END_TEST

START_TEST(pictures_are_drawn)
{
    begin();
    job_require(programs_run(&p, "exec sttbench engine --packets 10 --plot engine.svg"), 0);
    job_require(programs_run(&p, "exec sttbench cpu -t 100ms --plot cpu.html >/dev/null"), 0);
    job_require(programs_run(&p, "exec sttbench doctor --plot doctor.html"), 0);
    job_require(programs_run(&p, "test -s cpu.html && test -s doctor.html"), 0);
    job_require(programs_run(&p, "exec sttbench doctor --plot /nowhere/doctor.html"), LOCAL_IO);
    programs_end(&p);
}
END_TEST

SUITE("sttbench engine, chaos, cpu and doctor",
      TEST(engine_measures_each_load_and_allocates_nothing),
      TEST(a_number_of_packets_is_the_same_work_every_time),
      TEST(chaos_has_one_hash_for_the_same_seeds), TEST(chaos_tells_what_happens_in_a_scenario),
      TEST(cpu_divides_the_time_of_both_sides), TEST(cpu_takes_any_suite_and_driver),
      TEST(doctor_names_a_command_for_all_that_is_not_well),
      TEST(doctor_sees_a_limit_that_is_too_low), TEST(doctor_knows_when_there_is_no_such_host),
      TEST(wrong_words_are_refused_with_a_sentence), TEST(pictures_are_drawn))
