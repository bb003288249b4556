/* SPDX-License-Identifier: MIT
 * The front of sttbench: its verbs, what each says of itself, and words that mean nothing. */
#include "tests/support/objects.h"
#include "tests/support/programs.h"
#include "tests/support/suite.h"
#include "tools/sttbench/bench.h"

#include <string.h>

enum { COLUMNS = 120 };

static const struct {
    const char *name, *about;
} verbs[] = {
#define X(verb, about) {#verb, about},
    BENCH_VERBS(X)
#undef X
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static struct programs p;

static struct job *bench(const char *words, int status)
{
    struct job *j = programs_run(&p, "exec sttbench %s", words);
    job_require(j, status);
    return j;
}

static void is_narrow(const char *text)
{
    for (const char *line = text; *line; line += line[strcspn(line, "\n")] == '\n') {
        ck_assert_msg(strcspn(line, "\n") <= COLUMNS, "%.200s", line);
        line += strcspn(line, "\n");
    }
}

START_TEST(help_names_each_verb_with_what_it_does)
{
    ck_assert(programs_begin(&p, NULL));
    struct job *j = bench("-h", EXIT_DONE);
    is_narrow(j->out.text);
    for (size_t i = 0; i < VERBS; i++) {
        const char *line = strstr(j->out.text, verbs[i].about);
        ck_assert_msg(line != NULL, "%s", verbs[i].name);
        ck_assert_msg(strstr(j->out.text, verbs[i].name) < line, "%s", verbs[i].name);
    }
    ck_assert_str_eq(bench("help", EXIT_DONE)->out.text, j->out.text);
    programs_end(&p);
}
END_TEST

START_TEST(each_verb_has_help_of_its_own_and_takes_no_stray_word)
{
    char words[64];
    const char *name = verbs[_i].name;
    ck_assert(programs_begin(&p, NULL));
    snprintf(words, sizeof words, "%s --help", name);
    struct job *j = bench(words, EXIT_DONE);
    is_narrow(j->out.text);
    snprintf(words, sizeof words, "usage: sttbench %s ", name);
    ck_assert_msg(strncmp(j->out.text, words, strlen(words)) == 0, "%s", j->out.text);
    ck_assert_ptr_nonnull(strstr(j->out.text, "-J, --json                   one JSON object"));
    ck_assert_ptr_nonnull(strstr(j->out.text, "--plot FILE              a picture: "));
    snprintf(words, sizeof words, "help %s", name);
    ck_assert_str_eq(bench(words, EXIT_DONE)->out.text, j->out.text);
    snprintf(words, sizeof words, "%s one two", name); /* doctor takes a host */
    ck_assert_uint_eq(bench(words, EXIT_USAGE)->out.bytes, 0);
    programs_end(&p);
}
END_TEST

/* Figures as wide as they get do not matter: their widths are bounded, three digits and a unit. */
START_TEST(no_table_is_wider_than_a_terminal)
{
    static const char *const calls[] = {
        "engine --quick",
        "doctor",
        "chaos -n 2 --tally",
        "link --matrix --seeds 1 -t 100ms",
        "link --matrix --seeds 1 -t 100ms --cc cubic,bbr,tcp",
        "link --vs cubic,bbr --flows 2 --cc cubic,bbr --rate 5M -t 1s --seeds 2",
        "link --cc cubic,bbr --rate 5M -t 300ms --seeds 2",
        "compare --runs 1 -t 20ms --only stt,limit --suite chacha20-poly1305"};
    ck_assert(programs_begin(&p, NULL));
    is_narrow(bench(calls[_i], EXIT_DONE)->out.text);
    programs_end(&p);
}
END_TEST

START_TEST(the_page_explains_every_key)
{
    static const char *const calls[] = {
        "engine --quick --suite null",
        "engine --packets 10",
        "chaos -n 2 --tally",
        "cpu -t 100ms",
        "doctor",
        "handshake -n 20",
        "sessions -n 40 --streams 40",
        "sessions -n 40 --sockets -t 200ms",
        "streams -t 500ms -n 10",
        "latency -t 200ms",
        "link -t 300ms --seeds 2 --preset balanced",
        "link -n 100K --seeds 2",
        "link --matrix --cc bbr --seeds 2 -t 100ms",
        "link -t 1s --seeds 2 --vs cubic --flows 2 --step 500ms:10M --police 50M --mark 0.5 "
        "--back-rate 10M "
        "--aggregate 5ms --reorder 1% --reorder-by 1ms --from 500ms",
        "compare --runs 1 -t 20ms --warm-up 10ms --only stt,udp --suite aegis-128l",
    };
    char words[256];
    ck_assert(programs_begin(&p, NULL));
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        snprintf(words, sizeof words, "%s -J", calls[i]);
        json_t *o = object_of(bench(words, EXIT_DONE));
        object_is_in_page(o);
        json_decref(o);
    }
    programs_end(&p);
}
END_TEST

START_TEST(what_is_missing_is_named)
{
    static const char *const calls[][2] = {
        {"", "say either -s, or -c HOST, or one of the verbs"},
        {"tide", "say either -s"},
        {"-c", "-c wants a value, HOST"},
        {"latency --plot", "--plot wants a value, FILE"},
        {"cpu -t", "-t wants a time such as 500ms"},
        {"engine --plot x.png", "--plot wants a name that ends in .svg or .html"},
    };
    ck_assert(programs_begin(&p, NULL));
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        struct job *j = bench(calls[i][0], EXIT_USAGE);
        ck_assert_uint_eq(j->out.bytes, 0);
        ck_assert_msg(strstr(j->err.text, calls[i][1]) != NULL, "%s", j->err.text);
    }
    programs_end(&p);
}
END_TEST

SUITE("sttbench_usage", TEST(help_names_each_verb_with_what_it_does),
      LOOP(each_verb_has_help_of_its_own_and_takes_no_stray_word, 0, VERBS),
      LOOP(no_table_is_wider_than_a_terminal, 0, 8), TEST(the_page_explains_every_key),
      TEST(what_is_missing_is_named))
