/* SPDX-License-Identifier: MIT
 * sttbench: owns the choice of a verb. */
#include "tools/common/say.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/plot/plot.h"

#include <stdio.h>
#include <string.h>

static const struct verb {
    const char *name;
    enum exits (*run)(int argc, char **argv);
} verbs[] = {
#define X(verb, about) {#verb, bench_##verb},
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

bool bench_options(struct option_set *set, int argc, char **argv, enum exits *exit)
{
    char why[OPTION_WHY_ROOM];
    bool is_over = false;
    *exit = EXIT_DONE;
    bool is_good = options_read_arguments(set, argc, argv, &is_over, why) &&
                   (is_over || (options_read_environment(set, why) &&
                                options_read_file(set, NULL, why) && can_plot(set, why)));
    if (!is_good) {
        say_error("%s", why);
        *exit = EXIT_USAGE;
    }
    return is_good && !is_over;
}

int main(int argc, char **argv)
{
    char name[64];
    say_begin("sttbench", 0, false);
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(argv[1], verbs[i].name) == 0) {
            snprintf(name, sizeof name, "sttbench %s", argv[1]);
            argv[1] = name;
            return (int)verbs[i].run(argc - 1, argv + 1);
        }
    return (int)bench_transfer(argc, argv);
}
