/* SPDX-License-Identifier: MIT
 * jobs: owns the processes that share the runs: each takes the next one until there is none.
 * Results lie in memory that all see, each in its place, so that nobody's order matters. */
#include "tools/common/say.h"
#include "tools/sttbench/link/link.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS_MAX = 256, LOOK_MS = 100 };

struct shared {
    atomic_size_t next, done;
    struct link_result results[];
};

static size_t workers_for(size_t n)
{
    cpu_set_t set;
    size_t cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
    cpus = cpus < WORKERS_MAX ? cpus : WORKERS_MAX;
    return n < cpus ? n : cpus;
}

static void work(struct shared *shared, const struct link_run *runs, size_t n)
{
    size_t i;
    while ((i = atomic_fetch_add(&shared->next, 1)) < n) {
        link_measure(&runs[i], &shared->results[i], NULL);
        atomic_fetch_add(&shared->done, 1);
    }
}

/* It ends with its parent, whatever that ends of. */
static pid_t begin(struct shared *shared, const struct link_run *runs, size_t n)
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        work(shared, runs, n);
    _exit(0);
}

/* Until it has ended; on a terminal people see how far it is. */
static bool finish(pid_t pid, const struct shared *shared, size_t n)
{
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(pid, &status, say_is_terminal() ? WNOHANG : 0)) != pid) {
        char line[64];
        if (ended < 0 && errno != EINTR)
            return false;
        snprintf(line, sizeof line, "%zu of %zu runs", atomic_load(&shared->done), n);
        say_progress(line);
        if (say_is_terminal())
            nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool link_measure_all(const struct link_run *runs, struct link_result *results, size_t n)
{
    size_t len = sizeof(struct shared) + n * sizeof *results, workers = workers_for(n), begun = 0;
    pid_t pids[WORKERS_MAX];
    struct shared *shared =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return false;
    while (begun < workers && (pids[begun] = begin(shared, runs, n)) > 0)
        begun++;
    bool is_good = begun > 0;
    for (size_t i = 0; i < begun; i++)
        is_good = finish(pids[i], shared, n) && is_good;
    say_progress("");
    is_good = is_good && atomic_load(&shared->done) == n;
    memcpy(results, shared->results, n * sizeof *results);
    munmap(shared, len);
    return is_good;
}
