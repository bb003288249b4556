/* SPDX-License-Identifier: MIT
 * crowd: owns the processes, and the memory that each shares with its parent and that survives it.
 *
 * Invariant: a worker's `next` is the seed that it runs or will run. Some seeds run twice: the same
 * must happen both times. */
#include "tools/sttbench/chaos/crowd.h"

#include "tools/sttbench/chaos/pattern.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TWICE_EVERY = 100, /* scenarios, and the first */
    SECONDS_MAX = 120, /* of real time, for one scenario */
};

struct worker {
    pid_t pid;
    uint64_t next, end, step; /* seeds */
    uint64_t passed, failed, hash;
    struct tally tally;
    struct crowd_failure failures[CROWD_FAILURES_MAX];
};

/* -- one worker ---------------------------------------------------------------------------- */

static void on_failure(struct worker *w, uint64_t seed, const char *text)
{
    if (w->failed < CROWD_FAILURES_MAX) {
        struct crowd_failure *f = &w->failures[w->failed];
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

static void work(struct worker *w, const struct crowd_wish *wish)
{
    while (w->next < w->end) {
        uint64_t seed = w->next;
        alarm(SECONDS_MAX);
        run_one(w, seed, wish->tells, (seed - wish->seed) % TWICE_EVERY == 0);
        w->next = seed + w->step;
    }
}

/* -- all of them --------------------------------------------------------------------------- */

static bool start(struct worker *w, const struct crowd_wish *wish)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        work(w, wish);
        exit(0); /* so that a sanitizer looks for leaks */
    }
    w->pid = pid;
    return pid > 0;
}

/* It has come to its end; or it is started again behind the seed that it died of. */
static bool is_done(struct worker *w, const struct crowd_wish *wish, int status)
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
    return !start(w, wish);
}

/* Who ended: its place among the workers, or `jobs` when it was none of them; -1: errno. */
static int next_end(const struct worker *workers, uint32_t jobs, int *status)
{
    pid_t pid;
    while ((pid = wait(status)) < 0 && errno == EINTR)
        ;
    if (pid < 0)
        return -1;
    uint32_t i = 0;
    while (i < jobs && workers[i].pid != pid)
        i++;
    return (int)i;
}

static bool run_all(struct worker *workers, const struct crowd_wish *wish)
{
    signal(SIGCHLD, SIG_DFL); /* else nobody would be waited for */
    for (uint32_t i = 0; i < wish->jobs; i++) {
        workers[i].next = wish->seed + i;
        workers[i].end = wish->seed + wish->count;
        workers[i].step = wish->jobs;
        if (!start(&workers[i], wish))
            return false;
    }
    for (uint32_t left = wish->jobs; left;) {
        int status, who = next_end(workers, wish->jobs, &status);
        if (who < 0)
            return false;
        if (who < (int)wish->jobs && is_done(&workers[who], wish, status))
            left--;
    }
    return true;
}

static void add(struct crowd_result *r, const struct worker *w)
{
    uint64_t n = w->failed < CROWD_FAILURES_MAX ? w->failed : CROWD_FAILURES_MAX;
    for (uint64_t i = 0; i < n; i++)
        r->failures[r->n_failures++] = w->failures[i];
    r->passed += w->passed;
    r->failed += w->failed;
    r->hash += w->hash;
    tally_add(&r->tally, &w->tally);
}

bool crowd_run(const struct crowd_wish *wish, struct crowd_result *result)
{
    size_t len = wish->jobs * sizeof(struct worker);
    struct worker *workers =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (workers == MAP_FAILED)
        return false;
    bool is_run = run_all(workers, wish);
    for (uint32_t i = 0; is_run && i < wish->jobs; i++)
        add(result, &workers[i]);
    munmap(workers, len);
    return is_run;
}
