/* SPDX-License-Identifier: MIT
 * sttbench link as people and scripts use it: figures, tables, pictures, and what is refused. */
#include "tests/support/objects.h"
#include "tests/support/programs.h"
#include "tests/support/suite.h"

#include <string.h>

enum { DONE = 0, USAGE = 2, NO_ANSWER = 3, PARTIAL = 23, TIMEOUT = 30 };

static struct programs p;

static void begin(void)
{
    ck_assert(programs_begin(&p, NULL));
}

static json_t *answer_of(const char *options, int status)
{
    struct job *j = programs_run(&p, "sttbench link -J %s", options);
    job_require(j, status);
    json_t *o = object_of(j);
    ck_assert_str_eq(object_text(o, "test"), "link");
    return o;
}

static void is_between(json_t *o, const char *key, double least, double most)
{
    double value = object_number(o, key);
    ck_assert_msg(value >= least && value <= most, "%s is %g", key, value);
}

START_TEST(figures_are_of_the_path_that_was_asked_for)
{
    begin();
    json_t *o = answer_of("--rate 10M --rtt 40ms --loss 1% -t 2s --seeds 3 --cc bbr", DONE);
    ck_assert_double_eq(object_number(o, "rate_bits_per_second"), 10e6);
    ck_assert_double_eq(object_number(o, "rtt_ms"), 40);
    ck_assert_double_eq(object_number(o, "loss_percent"), 1);
    ck_assert_double_eq(object_number(o, "seeds"), 3);
    ck_assert_double_eq(object_number(o, "time_s"), 2);
    ck_assert_str_eq(object_text(o, "congestion"), "bbr");
    is_between(o, "goodput_bits_per_second", 1e6, 10e6);
    is_between(o, "goodput_worst_bits_per_second", 1e6,
               object_number(o, "goodput_bits_per_second"));
    is_between(o, "handshake_ms", 40, 2000);
    is_between(o, "lost_percent", 0.2, 3);
    is_between(o, "utilisation_percent", object_number(o, "goodput_bits_per_second") / 1e5, 100);
    is_between(o, "queue_mean_ms", 0, 41);
    is_between(o, "queue_p99_worst_ms", object_number(o, "queue_p99_ms"), 41);
    ck_assert_ptr_null(json_object_get(o, "error"));
    ck_assert(strncmp(object_text(o, "limited_by"), "Limited by ", 11) == 0);
    double held = 0;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(o, "held_by"), i, row)
    {
        held += object_number(row, "time_percent");
        ck_assert(*object_text(row, "name"));
    }
    ck_assert_msg(held > 99 && held <= 100.1, "%g", held);
    json_decref(o);
    programs_end(&p);
}
END_TEST

/* All but the processor's time. */
static char *figures_of(const char *options)
{
    json_t *o = answer_of(options, DONE);
    ck_assert(object_number(o, "cpu_ms_per_virtual_s") > 0);
    json_object_del(o, "cpu_ms_per_virtual_s");
    char *all = json_dumps(o, 0);
    json_decref(o);
    return all;
}

START_TEST(the_same_seed_gives_the_same_figures)
{
    begin();
    const char *options = "--rate 20M --loss 2% -t 1s --seeds 4 --jitter 2ms --reorder 1% -S 7";
    char *once = figures_of(options), *again = figures_of(options);
    char *other = figures_of("--rate 20M --loss 2% -t 1s --seeds 4 --jitter 2ms --reorder 1% -S 8");
    ck_assert_str_eq(once, again);
    ck_assert_str_ne(once, other);
    free(once);
    free(again);
    free(other);
    programs_end(&p);
}
END_TEST

START_TEST(so_many_bytes_are_moved_however_long_it_takes)
{
    begin();
    json_t *o = answer_of("--rate 2M --rtt 10ms -n 500K --seeds 1", DONE);
    ck_assert_double_eq(object_number(o, "bytes"), 512000);
    is_between(o, "completion_ms", 2048, 3500);
    double rate = 512000 * 8e3 / object_number(o, "completion_ms");
    is_between(o, "goodput_bits_per_second", rate * 0.999, rate * 1.001);
    ck_assert_ptr_null(json_object_get(o, "time_s"));
    ck_assert_ptr_null(json_object_get(o, "goodput_worst_bits_per_second")); /* of one seed */
    json_decref(o);
    o = answer_of("--rate 2M --rtt 10ms -n 500K --seeds 1 -t 1s", TIMEOUT);
    ck_assert_ptr_nonnull(strstr(object_text(o, "error"), "after 1 s only"));
    ck_assert(json_is_null(json_object_get(o, "goodput_bits_per_second")));
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(controllers_stand_side_by_side)
{
    begin();
    json_t *o = answer_of("--rate 5M --cc bbr,cubic,none -t 1s --seeds 2", DONE);
    json_t *rows = json_object_get(o, "results");
    static const char *const names[] = {"bbr", "cubic", "none"};
    ck_assert_uint_eq(json_array_size(rows), 3);
    for (size_t i = 0; i < 3; i++) {
        json_t *row = json_array_get(rows, i);
        ck_assert_str_eq(object_text(row, "congestion"), names[i]);
        ck_assert_double_eq(object_number(row, "rate_bits_per_second"), 5e6);
        is_between(row, "goodput_bits_per_second", 0, 5e6);
        ck_assert_ptr_nonnull(strstr(object_text(o, "limited_by"), names[i]));
    }
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(the_matrix_has_each_path_with_its_demand)
{
    begin();
    json_t *o = answer_of("--matrix --seeds 1 -t 300ms", DONE), *cell, *row;
    json_t *matrix = json_object_get(o, "matrix"), *results = json_object_get(o, "results");
    size_t i;
    ck_assert_uint_eq(json_array_size(matrix), 14);
    ck_assert_uint_eq(json_array_size(results), 28);
    json_array_foreach(matrix, i, cell)
    {
        row = json_array_get(results, 2 * i + 1);
        double rate = object_number(row, "rate_bits_per_second");
        is_between(cell, "demand_bits_per_second", rate * 0.6, rate * 0.99);
        is_between(cell, "cubic_goodput_bits_per_second", 0, rate);
        ck_assert_double_eq(object_number(cell, "bbr_goodput_bits_per_second"),
                            object_number(row, "goodput_bits_per_second"));
        ck_assert_str_eq(object_text(row, "congestion"), "bbr");
        bool is_met = object_number(cell, "bbr_goodput_bits_per_second") >=
                      object_number(cell, "demand_bits_per_second");
        const char *verdict = object_text(cell, "bbr_verdict");
        const char *misses = object_text(cell, "bbr_misses");
        ck_assert_str_eq(verdict, *misses ? "missed" : "met");
        ck_assert(is_met == !strstr(misses, "rate"));
    }
    ck_assert_ptr_nonnull(strstr(object_text(o, "limited_by"), " of 14 demands"));
    json_decref(o);
    o = answer_of("--matrix --cc cubic --seeds 1 -t 300ms --demand", PARTIAL); /* 5 % of loss */
    ck_assert_ptr_nonnull(strstr(object_text(o, "error"), "are missed by cubic"));
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(people_get_a_table_and_pictures)
{
    static const char *const calls[] = {"--rate 5M -t 1s --seeds 1 --plot x.svg",
                                        "--rate 5M -t 1s --seeds 2 --plot x.html",
                                        "--rate 5M -t 1s --cc cubic,bbr --plot x.html",
                                        "--matrix --cc bbr --seeds 1 -t 200ms --plot x.svg"};
    begin();
    struct job *j = programs_run(&p, "sttbench link %s && test -s x.svg -o -s x.html", calls[_i]);
    job_require(j, DONE);
    ck_assert_msg(strncmp(j->out.text, "One stream over ", 16) == 0, "%s", j->out.text);
    ck_assert_ptr_nonnull(strstr(j->out.text, "bit/s"));
    ck_assert_uint_eq(j->err.bytes, 0);
    programs_end(&p);
}
END_TEST

START_TEST(a_path_that_loses_all_is_an_error)
{
    begin();
    json_t *o = answer_of("--loss 100% --seeds 2 -t 1s", NO_ANSWER);
    ck_assert_ptr_nonnull(strstr(object_text(o, "error"), "2 of 2 seeds failed"));
    ck_assert(json_is_null(json_object_get(o, "goodput_bits_per_second")));
    ck_assert_ptr_null(json_object_get(o, "limited_by"));
    json_decref(o);
    programs_end(&p);
}
END_TEST

static const struct {
    const char *options, *says;
} mistakes[] = {
    {"--loss 1", "--loss wants a share such as 1%"},
    {"--loss 5%%", "--loss wants a share"},
    {"--reorder -1%", "--reorder wants a share"},
    {"--queue 0", "--queue wants a number above 0"},
    {"--rate 0", "--rate is from 1K to 400G"},
    {"--rate fast", "--rate wants bits per second"},
    {"--rtt 0", "--rtt is from"},
    {"--rate 400G --rtt 10s", "take a lower --rate"},
    {"--demand", "--demand goes with --matrix"},
    {"--matrix --rtt 10ms", "--matrix has paths of its own"},
    {"--cc reno", "there is no congestion control called 'reno'"},
    {"--cc bbr,bbr", "--cc has bbr twice"},
    {"--cc bbr,", "there is no congestion control called ''"},
    {"--seeds 0", "--seeds wants a number from 1"},
    {"-n 0", "--bytes wants at least one"},
    {"--plot x.png", "--plot wants a name that ends in .svg or .html"},
    {"--preset fast", "--preset wants one of"},
    {"somewhere", "'somewhere' is no option"},
    {"--nonsense", "there is no option --nonsense"},
};
enum { MISTAKES = sizeof mistakes / sizeof mistakes[0] };

START_TEST(mistakes_are_named_before_anything_is_measured)
{
    begin();
    struct job *j = programs_run(&p, "sttbench link %s", mistakes[_i].options);
    job_require(j, USAGE);
    ck_assert_uint_eq(j->out.bytes, 0);
    ck_assert_msg(strstr(j->err.text, mistakes[_i].says) != NULL, "%s", j->err.text);
    ck_assert_ptr_eq(strchr(j->err.text, '\n'), j->err.text + j->err.len - 1);
    programs_end(&p);
}
END_TEST

SUITE("sttbench link", TEST(figures_are_of_the_path_that_was_asked_for),
      TEST(the_same_seed_gives_the_same_figures),
      TEST(so_many_bytes_are_moved_however_long_it_takes), TEST(controllers_stand_side_by_side),
      TEST(the_matrix_has_each_path_with_its_demand), LOOP(people_get_a_table_and_pictures, 0, 4),
      TEST(a_path_that_loses_all_is_an_error),
      LOOP(mistakes_are_named_before_anything_is_measured, 0, MISTAKES))
