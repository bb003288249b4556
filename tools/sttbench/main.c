/* SPDX-License-Identifier: MIT
 * sttbench: owns the choice of a verb. */
#include "tools/common/say.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/plot/plot.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct verb {
    const char *name, *about;
    enum exits (*run)(int argc, char **argv);
} verbs[] = {
#define X(verb, about) {#verb, about, bench_##verb},
    BENCH_VERBS(X)
#undef X
};

/* Said before something is measured for a minute, and not after it. */
static bool can_plot(const struct option_set *set, char *why)
{
    for (const struct option *o = set->options; o < set->options + set->n; o++) {
        if (strcmp(o->name, "plot") != 0 || !options_is_set(set, o->name))
            continue;
        const char *path = *(const char *const *)((const char *)set->into + o->offset);
        if (!plot_knows(path))
            return options_refuse(why,
                                  "--plot wants a name that ends in .svg or .html, and got "
                                  "'%.60s'",
                                  path);
    }
    return true;
}

const char *bench_about(void)
{
    static char text[2000];
    int n = snprintf(text, sizeof text,
                     "Measures STT between two machines, with iperf3's options and those below; "
                     "or, with a VERB,\nwhat one machine can tell:\n\n");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0] && n < (int)sizeof text; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s  %-10s %s", i ? "\n" : "",
                      verbs[i].name, verbs[i].about);
    return text;
}

enum exits bench_usage(const char *format, ...)
{
    char text[OPTION_WHY_ROOM];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say_error("%s", text);
    return EXIT_USAGE;
}

bool bench_options_and_words(struct option_set *set, int argc, char **argv, enum exits *exit)
{
    char why[OPTION_WHY_ROOM];
    bool is_over = false;
    *exit = EXIT_DONE;
    bool is_good = options_read_arguments(set, argc, argv, &is_over, why) &&
                   (is_over || (options_read_environment(set, why) &&
                                options_read_file(set, NULL, why) && can_plot(set, why)));
    if (!is_good)
        *exit = bench_usage("%s", why);
    return is_good && !is_over;
}

bool bench_options(struct option_set *set, int argc, char **argv, enum exits *exit)
{
    if (!bench_options_and_words(set, argc, argv, exit))
        return false;
    if (!set->words.n)
        return true;
    *exit = bench_usage("'%.60s' is no option; %s -h lists them", set->words.at[0], set->program);
    free(set->words.at);
    set->words = (struct option_texts){NULL, 0};
    return false;
}

/* "help VERB" is "VERB -h", and "help" alone "-h". */
static void take_help(int argc, char **argv)
{
    static char flag[] = "-h";
    if (argc < 2 || strcmp(argv[1], "help") != 0)
        return;
    argv[1] = argc > 2 ? argv[2] : flag;
    if (argc > 2)
        argv[2] = flag;
}

int main(int argc, char **argv)
{
    char name[64];
    say_begin("sttbench", 0, false);
    take_help(argc, argv);
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(argv[1], verbs[i].name) == 0) {
            snprintf(name, sizeof name, "sttbench %s", argv[1]);
            argv[1] = name;
            return (int)verbs[i].run(argc - 1, argv + 1);
        }
    return (int)bench_transfer(argc, argv);
}
