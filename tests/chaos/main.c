/* SPDX-License-Identifier: MIT
 * chaos: random scenarios with every fault and attacker at once, in virtual time, and what must
 * hold in each.
 *
 *     build/tests/chaos [--seed S] [--count N] [--jobs J] [--tell] [--tally]
 *
 * Runs the scenarios of seeds S to S + N - 1, and prints those that fail with the command that does
 * each again, one hash of everything that happened in all of them, and `N passed, M failed`. Each
 * scenario runs in a process that it shares with others; where one crashes or hangs, that seed has
 * failed and the next go on. Neither the hash nor the verdicts depend on how many processes there
 * are. Some seeds run twice: the same must happen both times. --tell prints what happens in a
 * scenario, --tally how often things were met. */
#include "tests/chaos/scenario.h"

#include "tests/chaos/pattern.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    JOBS_MAX = 64,
    FAILURES_MAX = 64, /* that are named, of a worker */
    TWICE_EVERY = 100, /* scenarios, and the first */
    COUNT_FOR_TWO = 1000,
    COUNT_FOR_TALLY = 2000, /* so many meet everything */
    SECONDS_MAX = 120,      /* of real time, for one scenario */
};

struct failure {
    uint64_t seed;
    char text[CHAOS_FAILURE_ROOM];
};

/* In memory that the worker shares with its parent, and survives it. */
struct worker {
    pid_t pid;
    uint64_t next, end, step; /* seeds */
    uint64_t passed, failed, hash;
    struct tally tally;
    struct failure failures[FAILURES_MAX];
};

struct options {
    uint64_t seed, count;
    uint32_t jobs;
    bool tells, tallies;
};

/* -- one worker ---------------------------------------------------------------------------- */

static void on_failure(struct worker *w, uint64_t seed, const char *text)
{
    if (w->failed < FAILURES_MAX) {
        struct failure *f = &w->failures[w->failed];
        f->seed = seed;
        snprintf(f->text, sizeof f->text, "%s", text);
    }
    w->failed++;
}

/* The sum does not depend on who ran what, or when. */
static void run_one(struct worker *w, uint64_t seed, bool tells, bool twice)
{
    static struct scenario_result first, again;
    scenario_run(seed, tells, &first);
    if (twice && !first.failure[0]) {
        scenario_run(seed, false, &again);
        if (again.hash != first.hash)
            snprintf(first.failure, sizeof first.failure,
                     "the same seed tells two stories: %016llx and %016llx",
                     (unsigned long long)first.hash, (unsigned long long)again.hash);
    }
    w->hash += pattern_mix(seed, first.hash);
    tally_add(&w->tally, &first.tally);
    if (first.failure[0])
        on_failure(w, seed, first.failure);
    else
        w->passed++;
}

static void work(struct worker *w, const struct options *o)
{
    while (w->next < w->end) {
        uint64_t seed = w->next;
        alarm(SECONDS_MAX);
        run_one(w, seed, o->tells, (seed - o->seed) % TWICE_EVERY == 0);
        w->next = seed + w->step;
    }
}

/* -- all of them --------------------------------------------------------------------------- */

static bool start(struct worker *w, const struct options *o)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        work(w, o);
        exit(0); /* so that a sanitizer looks for leaks */
    }
    w->pid = pid;
    return pid > 0;
}

/* It has come to its end; or it is started again behind the seed that it died of. */
static bool is_done(struct worker *w, const struct options *o, int status)
{
    char text[80];
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && w->next >= w->end)
        return true;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(text, sizeof text, "it takes more than %d s", SECONDS_MAX);
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "it crashes with signal %d", WTERMSIG(status));
    else
        snprintf(text, sizeof text, "it exits with status %d", WEXITSTATUS(status));
    on_failure(w, w->next, text);
    w->next += w->step;
    return !start(w, o);
}

static void run_all(struct worker *workers, const struct options *o)
{
    uint32_t left = o->jobs;
    signal(SIGCHLD, SIG_DFL); /* else nobody would be waited for */
    for (uint32_t i = 0; i < o->jobs; i++) {
        workers[i].next = o->seed + i;
        workers[i].end = o->seed + o->count;
        workers[i].step = o->jobs;
        if (!start(&workers[i], o)) {
            perror("chaos: fork");
            exit(2);
        }
    }
    while (left) {
        int status;
        pid_t pid = wait(&status);
        for (uint32_t i = 0; i < o->jobs; i++)
            if (workers[i].pid == pid && is_done(&workers[i], o, status))
                left--;
        if (pid < 0 && errno != EINTR) {
            perror("chaos: wait");
            exit(2);
        }
    }
}

/* -- the report ---------------------------------------------------------------------------- */

static void name_failures(const struct worker *w, const char *program)
{
    uint64_t n = w->failed < FAILURES_MAX ? w->failed : FAILURES_MAX;
    for (uint64_t i = 0; i < n; i++)
        printf("FAILED seed %llu: %s\nagain: %s --seed %llu --count 1 --tell\n",
               (unsigned long long)w->failures[i].seed, w->failures[i].text, program,
               (unsigned long long)w->failures[i].seed);
    if (n < w->failed)
        printf("and %llu others\n", (unsigned long long)(w->failed - n));
}

static bool report(const struct worker *workers, const struct options *o, const char *program)
{
    static struct tally tally;
    uint64_t passed = 0, failed = 0, hash = 0;
    for (uint32_t i = 0; i < o->jobs; i++) {
        name_failures(&workers[i], program);
        passed += workers[i].passed;
        failed += workers[i].failed;
        hash += workers[i].hash;
        tally_add(&tally, &workers[i].tally);
    }
    const char *missing = o->count >= COUNT_FOR_TALLY ? tally_missing(&tally) : NULL;
    if (o->tallies)
        tally_print(&tally);
    if (missing)
        printf("FAILED: nothing has met: %s\n", missing);
    printf("hash: %016llx\n", (unsigned long long)hash);
    failed += missing != NULL;
    printf("%llu passed, %llu failed\n", (unsigned long long)passed, (unsigned long long)failed);
    return passed && !failed;
}

/* -- options ------------------------------------------------------------------------------- */

static int usage(const char *program)
{
    fprintf(stderr, "usage: %s [--seed S] [--count N] [--jobs J] [--tell] [--tally]\n", program);
    return 2;
}

static bool read_number(const char *text, uint64_t *out)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 0);
    return !errno && *text && *text != '-' && !*end;
}

static bool read_options(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'}, {"count", required_argument, NULL, 'n'},
        {"jobs", required_argument, NULL, 'j'}, {"tell", no_argument, NULL, 't'},
        {"tally", no_argument, NULL, 'a'},      {NULL, 0, NULL, 0}};
    uint64_t jobs = 0;
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) >= 0;) {
        bool ok = c == 's'   ? read_number(optarg, &o->seed)
                  : c == 'n' ? read_number(optarg, &o->count)
                  : c == 'j' ? read_number(optarg, &jobs) && jobs >= 1 && jobs <= JOBS_MAX
                             : c == 't' || c == 'a';
        o->tells = o->tells || c == 't';
        o->tallies = o->tallies || c == 'a';
        if (!ok)
            return false;
    }
    o->jobs = jobs ? (uint32_t)jobs : o->count >= COUNT_FOR_TWO ? 2 : 1;
    return optind == argc && o->count && o->seed + o->count > o->seed;
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1, .count = 100};
    if (!read_options(argc, argv, &o))
        return usage(argv[0]);
    struct worker *workers = mmap(NULL, o.jobs * sizeof *workers, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (workers == MAP_FAILED) {
        perror("chaos: mmap");
        return 2;
    }
    run_all(workers, &o);
    return report(workers, &o, argv[0]) ? 0 : 1;
}
