/* SPDX-License-Identifier: MIT
 * sttbench latency, handshake, sessions and streams, each in a short form: what they print is
 * whole and agrees with itself. How fast anything is is nobody's business here. */
#include "tests/support/objects.h"
#include "tests/support/programs.h"
#include "tests/support/suite.h"

#include <math.h>
#include <string.h>

enum { DONE = 0, USAGE = 2, MISSED = 23 };

static struct programs p;

/* -- what was printed -------------------------------------------------------------------------- */

static json_t *run(const char *words, int status)
{
    struct job *j = programs_run(&p, "exec sttbench %s -J", words);
    job_require(j, status);
    json_t *object = object_of(j);
    const char *verb = object_text(object, "test");
    ck_assert_msg(strncmp(words, verb, strlen(verb)) == 0, "%s", j->out.text);
    ck_assert_str_ne(object_text(object, "limited_by"), "");
    (void)object_must(object, "demands");
    return object;
}

/* That many rows, or NULL where the table must not be there. */
static json_t *rows(const json_t *object, const char *key, size_t n)
{
    json_t *table = json_object_get(object, key);
    ck_assert_msg(json_array_size(table) == n, "%s has %zu rows", key, json_array_size(table));
    return table;
}

static void is_rising(const json_t *row, const char *const *keys, size_t n)
{
    for (size_t i = 1; i < n; i++)
        ck_assert_msg(object_number(row, keys[i - 1]) <= object_number(row, keys[i]), "%s > %s",
                      keys[i - 1], keys[i]);
}
#define IS_RISING(row, ...)                                                                        \
    is_rising(row, (const char *const[]){__VA_ARGS__},                                             \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* Each verdict follows from its row. */
static void demands_agree(const json_t *object)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(object, "demands"), i, row)
    {
        bool most = strcmp(object_text(row, "bound"), "at most") == 0;
        const json_t *measured = json_object_get(row, "measured");
        double limit = object_number(row, "demanded"), value = json_number_value(measured);
        const char *verdict = (most ? value <= limit : value >= limit) ? "met" : "missed";
        ck_assert_str_eq(object_text(row, "verdict"), verdict);
    }
}

/* -- the verbs --------------------------------------------------------------------------------- */

START_TEST(latency_measures_every_case_and_both_links)
{
    size_t i;
    json_t *row;
    ck_assert(programs_begin(&p, NULL));
    json_t *o = run("latency -t 100ms --rate 5M", DONE);
    json_array_foreach(rows(o, "results", 8), i, row)
    {
        ck_assert(object_number(row, "count") > 0);
        IS_RISING(row, "p50_us", "p90_us", "p99_us", "p99_9_us", "max_us");
        bool is_raw = strncmp(object_text(row, "name"), "raw_", 4) == 0;
        bool is_bulk = strstr(object_text(row, "name"), "_bulk") != NULL;
        if (is_bulk)
            ck_assert(object_number(row, "bulk_bits_per_second") > 0);
        else if (!is_raw)
            ck_assert(object_number(row, "packets_per_round_trip") >= 1);
    }
    json_array_foreach(rows(o, "link", 6), i, row)
    {
        ck_assert(object_number(row, "p50_ms") >= 50);
        IS_RISING(row, "p50_ms", "p99_ms", "max_ms");
        ck_assert(object_number(row, "bulk_bits_per_second") < 5e6);
    }
    json_t *ratios = json_object_get(o, "ratios");
    ck_assert(object_number(ratios, "stt_blocking_of_raw") > 0);
    ck_assert(object_number(ratios, "stt_spinning_of_raw") > 0);
    demands_agree(o);
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(latency_can_look_at_one_case)
{
    ck_assert(programs_begin(&p, NULL));
    json_t *o =
        run("latency -t 50ms --only stt_blocking --io mmsg --suite chacha20-poly1305", DONE);
    json_t *t = rows(o, "results", 8);
    ck_assert(object_number(json_array_get(t, 1), "count") > 0);
    ck_assert(object_number(json_array_get(t, 0), "count") == 0);
    ck_assert(json_is_null(json_object_get(json_array_get(t, 0), "p50_us")));
    ck_assert_str_eq(object_text(o, "suite"), "chacha20-poly1305");
    ck_assert_str_eq(object_text(o, "io"), "mmsg");
    ck_assert_ptr_null(json_object_get(o, "link"));
    demands_agree(o);
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(handshakes_of_each_mode_are_counted_alone_and_over_sockets)
{
    size_t i;
    json_t *row;
    double worst = INFINITY;
    ck_assert(programs_begin(&p, NULL));
    json_t *o = run("handshake -n 20", DONE);
    json_array_foreach(rows(o, "alone", 8), i, row)
    {
        double of_dh = object_number(row, "handshake_of_dh");
        IS_RISING(row, "p50_us", "p99_us");
        ck_assert(fabs(of_dh - object_number(row, "handshakes_per_second") /
                                   object_number(row, "dh_only_per_second")) < 0.01);
        if (strcmp(object_text(row, "mode"), "K") == 0)
            worst = fmin(worst, of_dh);
    }
    json_array_foreach(rows(o, "sockets", 5), i, row)
    {
        ck_assert(object_number(row, "handshakes_per_second") > 0);
        IS_RISING(row, "p50_us", "p99_us");
    }
    ck_assert(fabs(object_number(json_object_get(o, "ratios"), "handshake_of_dh") - worst) < 1e-6);
    demands_agree(o);
    json_decref(o);
    programs_end(&p);
}
END_TEST

static void are_alive(const json_t *object, const char *table, size_t n)
{
    size_t i;
    json_t *row;
    json_array_foreach(rows(object, table, n), i, row)
    {
        ck_assert(object_number(row, "alive") == object_number(row, "sessions"));
        ck_assert(object_number(row, "keep_alive_cpu_percent") >= 0);
        ck_assert(object_number(row, "establish_us") > 0);
    }
}

START_TEST(idle_sessions_stay_and_their_memory_is_counted)
{
    size_t i;
    json_t *row;
    ck_assert(programs_begin(&p, NULL));
    json_t *o = run("sessions -n 200 --streams 200", DONE);
    size_t n = json_array_size(json_object_get(o, "memory"));
    ck_assert(n == 6 || json_object_get(o, "notes")); /* a suite that is not there is a note */
    are_alive(o, "memory", n);
    json_array_foreach(json_object_get(o, "memory"), i, row)
    {
        ck_assert(object_number(row, "bytes_per_session") > 1000);
        ck_assert(object_number(row, "bytes_per_session") < 100000);
        ck_assert(object_number(row, "packets_per_second") > 0);
    }
    ck_assert(object_number(o, "bytes_per_stream") > 100);
    demands_agree(o);
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(idle_sessions_stay_over_sockets)
{
    ck_assert(programs_begin(&p, NULL));
    json_t *o = run("sessions -n 40 --sockets -t 300ms", DONE);
    are_alive(o, "sockets", 2);
    ck_assert_ptr_null(json_object_get(o, "memory"));
    demands_agree(o);
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(streams_share_and_the_same_seed_gives_the_same_figures)
{
    size_t i;
    json_t *row;
    ck_assert(programs_begin(&p, NULL));
    json_t *o = run("streams -n 20 -t 2s --rate 20M", DONE);
    json_t *again = run("streams -n 20 -t 2s --rate 20M", DONE);
    ck_assert(json_equal(o, again));
    ck_assert(object_number(o, "jain") > 0.05 && object_number(o, "jain") <= 1);
    IS_RISING(o, "least_of_mean", "most_of_mean");
    ck_assert(object_number(o, "goodput_bits_per_second") <=
              object_number(o, "rate_bits_per_second"));
    json_array_foreach(rows(o, "delays", 2), i, row)
    {
        ck_assert(object_number(row, "messages") == 2000);
        ck_assert(object_number(row, "p50_ms") >= 25);
        IS_RISING(row, "p50_ms", "p90_ms", "p99_ms", "max_ms");
    }
    demands_agree(o);
    json_decref(o);
    json_decref(again);
    programs_end(&p);
}
END_TEST

/* -- and when it is not as it should be -------------------------------------------------------- */

/* So few share what an endpoint has for all. */
START_TEST(a_demand_that_is_missed_is_an_error_when_demanded)
{
    ck_assert(programs_begin(&p, NULL));
    json_t *o = run("sessions -n 10 --streams 10 --demand", MISSED);
    ck_assert_ptr_nonnull(strstr(object_text(o, "error"), "missed"));
    demands_agree(o);
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(bad_usage_is_refused)
{
    static const char *const words[] = {
        "latency --io x", "latency --only nothing", "handshake -n 1",    "sessions -n 0",
        "streams -n 1",   "streams --loss 31%",     "streams --cc reno", "latency -t"};
    ck_assert(programs_begin(&p, NULL));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct job *j = programs_run(&p, "exec sttbench %s", words[i]);
        job_require(j, USAGE);
        ck_assert_uint_eq(j->out.bytes, 0);
        ck_assert_uint_gt(j->err.bytes, 0);
    }
    programs_end(&p);
}
END_TEST

SUITE("sttbench_small", TEST(latency_measures_every_case_and_both_links),
      TEST(latency_can_look_at_one_case),
      TEST(handshakes_of_each_mode_are_counted_alone_and_over_sockets),
      TEST(idle_sessions_stay_and_their_memory_is_counted), TEST(idle_sessions_stay_over_sockets),
      TEST(streams_share_and_the_same_seed_gives_the_same_figures),
      TEST(a_demand_that_is_missed_is_an_error_when_demanded), TEST(bad_usage_is_refused))
