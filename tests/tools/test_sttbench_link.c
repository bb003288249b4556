/* SPDX-License-Identifier: MIT
 * sttbench link as people and scripts use it: figures, tables, pictures, and what is refused. */
#include "tests/support/objects.h"
#include "tests/support/programs.h"
#include "tests/support/suite.h"

#include <stdio.h>
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

START_TEST(flows_beside_others_have_shares)
{
    begin();
    json_t *o = answer_of("--rate 10M --rtt 20ms -t 6s --seeds 2 --vs cubic,bbr --cc cubic", DONE);
    json_t *flows = json_object_get(o, "flows"), *row;
    static const char *const names[] = {"cubic", "TCP cubic", "bbr"};
    double goodput = 0, share = 0;
    size_t i;
    ck_assert_uint_eq(json_array_size(flows), 3);
    json_array_foreach(flows, i, row)
    {
        ck_assert_str_eq(object_text(row, "name"), names[i]);
        ck_assert_str_eq(object_text(row, "tested"), "cubic");
        is_between(row, "goodput_bits_per_second", 1e4, 10e6);
        goodput += object_number(row, "goodput_bits_per_second");
        share += object_number(row, "share_percent");
    }
    ck_assert_msg(goodput > 8e6 && goodput < 10e6, "%g", goodput); /* medians, of two seeds */
    ck_assert_msg(share > 99 && share < 101, "%g", share);
    ck_assert_double_eq(object_number(o, "share_percent"),
                        object_number(json_array_get(flows, 0), "share_percent"));
    ck_assert_double_eq(object_number(o, "from_s"), 1);
    ck_assert_ptr_null(json_object_get(o, "jain_index"));
    ck_assert_ptr_nonnull(strstr(object_text(o, "limited_by"), "cubic gets "));
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(flows_of_one_kind_have_an_index)
{
    begin();
    json_t *o = answer_of("--rate 20M --rtt 20ms -t 8s --seeds 1 --flows 3 --stagger 500ms", DONE);
    json_t *flows = json_object_get(o, "flows");
    ck_assert_uint_eq(json_array_size(flows), 3);
    ck_assert_str_eq(object_text(json_array_get(flows, 2), "name"), "tide 3");
    ck_assert_double_eq(object_number(json_array_get(flows, 2), "from_s"), 1);
    is_between(o, "jain_index", 1.0 / 3, 1);
    is_between(o, "least_percent", 1, 100);
    ck_assert_double_eq_tol(object_number(o, "share_percent"), 100, 1e-6);
    ck_assert_ptr_nonnull(strstr(object_text(o, "limited_by"), "Jain's index"));
    json_decref(o);
    programs_end(&p);
}
END_TEST

static const struct {
    const char *options, *key;
    double least, most;
} changed[] = {
    {"--step 2s:2M -t 6s", "reached_ms", 100, 4000},
    {"--step 2s:2M -t 6s", "settled_queue_bdps", 0, 5.1},
    {"--step 2s:rtt=200ms -t 4s", "queue_max_ms", 0, 51},
    {"--police 4M -t 4s", "goodput_bits_per_second", 1e6, 4.1e6},
    {"--police 4M -t 4s", "policed_percent", 0.01, 60},
    {"--mark 0.2 -t 4s", "marked_percent", 0.01, 100},
    {"--mark 0.2 -t 4s", "dropped_percent", 0, 3},
    {"--aggregate 20ms -t 4s", "aggregate_ms", 20, 20},
    {"--back-rate 100K -t 4s", "goodput_bits_per_second", 1e5, 10e6},
    {"--reorder 25% --reorder-by 10ms -t 4s", "goodput_bits_per_second", 1e5, 10e6},
    {"--app-rate 2M -t 4s", "goodput_bits_per_second", 1.8e6, 2.05e6},
    {"--app-rate 2M -t 4s", "queue_mean_ms", 0, 10},
    {"--from 2s -t 4s", "from_s", 2, 2},
    {"--vs stt-bbr -n 100K", "completion_ms", 150, 30000},
};
enum { CHANGED = sizeof changed / sizeof changed[0] };

START_TEST(paths_do_what_they_are_told)
{
    char options[160];
    begin();
    snprintf(options, sizeof options, "--rate 10M --rtt 50ms --seeds 1 %s", changed[_i].options);
    json_t *o = answer_of(options, DONE);
    is_between(o, changed[_i].key, changed[_i].least, changed[_i].most);
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(the_matrix_has_each_scene_with_its_demand)
{
    begin();
    json_t *o = answer_of("--matrix --group goodput --cc cubic,bbr --seeds 1 -t 300ms", DONE);
    json_t *matrix = json_object_get(o, "matrix"), *results = json_object_get(o, "results");
    json_t *cell, *row;
    size_t i;
    ck_assert_uint_eq(json_array_size(matrix), 14);
    ck_assert_uint_eq(json_array_size(results), 28);
    json_array_foreach(matrix, i, cell)
    {
        row = json_array_get(results, 2 * i + 1);
        double rate = object_number(row, "rate_bits_per_second");
        ck_assert_str_eq(object_text(cell, "figure"), "goodput_bits_per_second");
        is_between(cell, "demand", rate * 0.6, rate * 0.99);
        is_between(cell, "cubic_value", 0, rate);
        ck_assert_double_eq(object_number(cell, "bbr_value"),
                            object_number(row, "goodput_bits_per_second"));
        ck_assert_str_eq(object_text(row, "congestion"), "bbr");
        ck_assert_str_eq(object_text(row, "scene"), object_text(cell, "scene"));
        bool is_met = object_number(cell, "bbr_value") >= object_number(cell, "demand");
        const char *verdict = object_text(cell, "bbr_verdict");
        const char *misses = object_text(cell, "bbr_misses");
        ck_assert_str_eq(verdict, *misses ? "missed" : "met");
        ck_assert(is_met == !strstr(misses, "rate"));
    }
    ck_assert_ptr_nonnull(strstr(object_text(o, "limited_by"), " of 14 demands"));
    json_decref(o);
    o = answer_of("--matrix --group goodput --cc cubic --seeds 1 -t 300ms --demand", PARTIAL);
    ck_assert_ptr_nonnull(strstr(object_text(o, "error"), "are missed by cubic"));
    json_decref(o);
    programs_end(&p);
}
END_TEST

/* Too short for any figure that means something: each scene can be set up and ends. */
START_TEST(all_groups_are_in_the_matrix)
{
    static const char *const groups[] = {
        "goodput", "deep", "shallow", "beside", "fair", "policer",   "marks",  "steps", "reorder",
        "bursts",  "slow", "short",   "rtt",    "bbr",  "satellite", "uplink", "fast"};
    bool has[17] = {0};
    begin();
    json_t *o = answer_of("--matrix --cc cubic,tcp --seeds 1 -t 60ms", DONE), *cell;
    json_t *matrix = json_object_get(o, "matrix");
    size_t i;
    ck_assert_uint_eq(json_array_size(json_object_get(o, "results")), 2 * json_array_size(matrix));
    json_array_foreach(matrix, i, cell)
    {
        size_t k = 0;
        while (k < 17 && strcmp(object_text(cell, "group"), groups[k]) != 0)
            k++;
        ck_assert_msg(k < 17, "%s", object_text(cell, "group"));
        has[k] = true;
        ck_assert(*object_text(cell, "demanded"));
    }
    for (i = 0; i < 17; i++)
        ck_assert_msg(has[i], "%s", groups[i]);
    json_decref(o);
    programs_end(&p);
}
END_TEST

START_TEST(people_get_a_table_and_pictures)
{
    static const char *const calls[] = {"--rate 5M -t 1s --seeds 1 --plot x.svg",
                                        "--rate 5M -t 1s --seeds 2 --plot x.html",
                                        "--rate 5M -t 1s --cc cubic,bbr --plot x.html",
                                        "--rate 5M -t 2s --vs cubic --seeds 1 --plot x.svg",
                                        "--rate 5M -t 2s --flows 20 --cc bbr,cubic --seeds 1 "
                                        "--step 1s:10M --plot x.html",
                                        "--matrix --group goodput,beside --cc bbr --seeds 1 "
                                        "-t 200ms --plot x.svg"};
    static const char *const begins[] = {"One stream over ", "One stream over ", "One stream over ",
                                         "2 flows over ",    "20 flows over ",   "28 scenes "};
    begin();
    struct job *j = programs_run(&p, "sttbench link %s && test -s x.svg -o -s x.html", calls[_i]);
    job_require(j, DONE);
    ck_assert_msg(strncmp(j->out.text, begins[_i], strlen(begins[_i])) == 0, "%s", j->out.text);
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
    {"--matrix --rtt 10ms", "--matrix has paths of its own; leave out --rtt"},
    {"--matrix --vs cubic", "--matrix has paths of its own; leave out --vs"},
    {"--matrix --group good", "there is no group called 'good'"},
    {"--matrix --group goodput,", "there is no group called ''"},
    {"--group goodput", "--group goes with --matrix"},
    {"--vs reno", "--vs wants cubic, which is TCP's"},
    {"--vs cubic,", "--vs wants cubic, which is TCP's"},
    {"--flows 0", "--flows wants a number from 1"},
    {"--flows 128 --vs cubic", "at most 128 flows"},
    {"--flows 5 --stagger 10s -t 30s", "the last flow would begin after the end"},
    {"--from 20s", "--from is after the end"},
    {"--step 10s", "--step wants a time and what is then"},
    {"--step :10M", "--step wants a time and what is then"},
    {"--step 1s:fast", "--step wants a time and what is then"},
    {"--step 1s:rtt=0", "--step wants a time and what is then"},
    {"--step 2s:1M --step 1s:2M", "--step wants the earlier before the later"},
    {"--step 2s:400G --step 3s:rtt=10s", "take a lower --rate"},
    {"--mark 0", "--mark wants a number above 0"},
    {"--back-rate 10", "--back-rate is from 1K"},
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
      TEST(flows_beside_others_have_shares), TEST(flows_of_one_kind_have_an_index),
      LOOP(paths_do_what_they_are_told, 0, CHANGED),
      TEST(the_matrix_has_each_scene_with_its_demand), TEST(all_groups_are_in_the_matrix),
      LOOP(people_get_a_table_and_pictures, 0, 6), TEST(a_path_that_loses_all_is_an_error),
      LOOP(mistakes_are_named_before_anything_is_measured, 0, MISTAKES))
