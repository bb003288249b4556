/* SPDX-License-Identifier: MIT
 * verb: owns sttbench chaos: which scenarios, and what is said of them. It must not know what
 * happens in one. */
#include "tools/common/say.h"
#include "tools/sttbench/bench.h"
#include "tools/sttbench/chaos/crowd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COUNT_FOR_TWO = 1000,   /* scenarios are worth a second process */
    COUNT_FOR_TALLY = 2000, /* so many meet everything */
};

static struct wish {
    struct report_options report;
    const char *seed;
    uint32_t count, jobs;
    bool tells, tallies;
} wish = {.seed = "1", .count = 100};

#define AT(field) .offset = offsetof(struct wish, field)

/* clang-format off */
static const struct option options[] = {
    {"seed", 'S', BENCH_TEXT(seed, "N"), .help = "of the first scenario (1)"},
    {"count", 'n', BENCH_NUMBER(count, 1, UINT32_MAX), .help = "scenarios, each with the seed that follows (100)"},
    {"jobs", 'j', BENCH_NUMBER(jobs, 1, CROWD_JOBS_MAX), .help = "in so many processes (1, or 2 from 1,000 scenarios on)"},
    {"tell", 0, BENCH_FLAG(tells), .help = "print what happens in them"},
    {"tally", 0, BENCH_FLAG(tallies), .help = "how often they met what"},
    {"json", 'J', BENCH_JSON},
    {"plot", 0, BENCH_PLOT},
};
/* clang-format on */

static bool read_seed(uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(wish.seed, &end, 0);
    return !errno && strchr("0123456789", wish.seed[0]) && wish.seed[0] && !*end &&
           *out + wish.count > *out;
}

static void name_failures(struct report *r, const struct crowd_result *x)
{
    static const struct report_column columns[] = {{"seed", "seed", REPORT_TEXT},
                                                   {"failure", "what failed", REPORT_TEXT},
                                                   {"again", "again", REPORT_TEXT}};
    struct report_table *t = report_table(r, "failures", "Scenarios that failed", columns, 3);
    for (uint32_t i = 0; i < x->n_failures; i++) {
        char seed[24], again[80];
        snprintf(seed, sizeof seed, "%llu", (unsigned long long)x->failures[i].seed);
        snprintf(again, sizeof again, "sttbench chaos --seed %s --count 1 --tell", seed);
        report_row(t);
        report_cell_text(t, seed);
        report_cell_text(t, x->failures[i].text);
        report_cell_text(t, again);
    }
}

static void draw(struct report *r, const struct crowd_result *x)
{
    const struct report_axis verdicts = {"verdict", REPORT_COUNT, false};
    const struct report_axis scenarios = {"scenarios", REPORT_COUNT, false};
    struct report_chart *c =
        report_chart(r, "Scenarios by their end", REPORT_BARS, &verdicts, &scenarios);
    report_series(c, "scenarios");
    report_bar(c, "passed", (double)x->passed);
    report_bar(c, "failed", (double)x->failed);
}

/* What was not run has failed, too, and so has a thing that none of so many has met. */
static void judge(struct report *r, struct crowd_result *x)
{
    const char *missing = wish.count >= COUNT_FOR_TALLY ? tally_missing(&x->tally) : NULL;
    uint64_t not_run = wish.count - x->passed - x->failed;
    if (x->failed)
        report_fail(r, EXIT_INTEGRITY, "%llu of %u scenarios failed", (unsigned long long)x->failed,
                    wish.count);
    if (not_run)
        report_fail(r, EXIT_LOCAL_IO, "%llu of %u scenarios were not run: no process for them",
                    (unsigned long long)not_run, wish.count);
    if (missing)
        report_fail(r, EXIT_INTEGRITY, "nothing has met: %s", missing);
    x->failed += not_run + (missing != NULL);
}

static enum exits tell(struct crowd_result *x)
{
    char hash[24];
    struct report *r = report_new("chaos", "Random scenarios with every fault at once");
    judge(r, x);
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)x->hash);
    report_text(r, "seed", "first seed", wish.seed);
    report_number(r, "scenarios", "scenarios", REPORT_COUNT, wish.count);
    report_number(r, "passed", "passed", REPORT_COUNT, (double)x->passed);
    report_number(r, "failed", "failed", REPORT_COUNT, (double)x->failed);
    report_text(r, "hash", "hash of everything that happened", hash);
    if (wish.tallies)
        tally_report(&x->tally, r);
    if (x->n_failures)
        name_failures(r, x);
    draw(r, x);
    return report_end(r, &wish.report);
}

enum exits bench_chaos(int argc, char **argv)
{
    static struct crowd_result result;
    static struct option_set set = {
        .program = "sttbench chaos",
        .usage = "[OPTION]...",
        .about = "Random scenarios with every fault and attacker at once, in virtual time, and "
                 "what must hold in each.",
        .options = options,
        .n = sizeof options / sizeof options[0],
        .into = &wish,
    };
    struct crowd_wish crowd = {0};
    enum exits exit;
    if (!bench_options(&set, argc, argv, &exit))
        return exit;
    if (!read_seed(&crowd.seed))
        return bench_usage("--seed is a number from 0 on, and so is the last scenario's");
    if (wish.tells && wish.report.json)
        return bench_usage("--tell prints a story and --json an object; take one of them");
    crowd.count = wish.count;
    crowd.jobs = wish.jobs ? wish.jobs : wish.count >= COUNT_FOR_TWO ? 2 : 1;
    crowd.tells = wish.tells;
    if (!crowd_run(&crowd, &result)) {
        say_error("the scenarios' processes cannot be started: %s; try --jobs 1", strerror(errno));
        return EXIT_LOCAL_IO;
    }
    return tell(&result);
}
