/* SPDX-License-Identifier: MIT
 * pair: owns two child processes for as long as they run, and nothing after that.
 *
 * Invariant: pair_run() returns when both have been waited for. */
#include "tools/sttbench/shared/pair.h"

#include "tools/common/say.h"
#include "tools/sttbench/shared/figures.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the two ends, one of which this process is; NULL: of neither. */
static struct failure {
    atomic_flag is_taken;
    char why[OPTION_WHY_ROOM];
} * failure;

void *pair_memory(size_t len)
{
    void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void pair_forget(void *memory, size_t len)
{
    munmap(memory, len);
}

void pair_tell(atomic_uint *flag, uint32_t value)
{
    atomic_store_explicit(flag, value, memory_order_release);
}

uint32_t pair_await(atomic_uint *flag)
{
    uint32_t value;
    while (!(value = atomic_load_explicit(flag, memory_order_acquire)))
        usleep(50);
    return value;
}

/* -1: nobody says. */
static int topology(int cpu, const char *what)
{
    char path[96];
    int value;
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/%s", cpu, what);
    FILE *f = fopen(path, "re");
    int n = f ? fscanf(f, "%d", &value) : 0;
    if (f)
        fclose(f);
    return n == 1 ? value : -1;
}

static bool share_a_core(int a, int b)
{
    int core = topology(a, "core_id");
    return core >= 0 && core == topology(b, "core_id") &&
           topology(a, "physical_package_id") == topology(b, "physical_package_id");
}

int pair_cpu(int end)
{
    cpu_set_t allowed;
    int first = -1, other = -1;
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        return -1;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET((size_t)cpu, &allowed))
            continue;
        first = first < 0 ? cpu : first;
        if (end == 0)
            return first;
        if (cpu != first && !share_a_core(first, cpu))
            return cpu;
        other = cpu != first && other < 0 ? cpu : other;
    }
    return other < 0 ? first : other;
}

bool pair_refuse(const char *format, ...)
{
    char why[OPTION_WHY_ROOM];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    if (!failure)
        say_error("%s", why);
    else if (!atomic_flag_test_and_set(&failure->is_taken))
        memcpy(failure->why, why, sizeof why);
    return false;
}

static _Noreturn void begin(const struct pair_end *end, void *memory)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (end->netns >= 0 && setns(end->netns, 0)) {
        pair_refuse("a network namespace cannot be entered: %s", strerror(errno));
        _exit(EXIT_FAILURE);
    }
    if (end->cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((size_t)end->cpu, &set);
        (void)sched_setaffinity(0, sizeof set, &set);
    }
    _exit(end->run(memory) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* 1: both have ended well, 0: one has not, -1: they run. */
static int look(pid_t pids[2])
{
    for (int i = 0; i < 2; i++) {
        int status;
        if (pids[i] <= 0 || waitpid(pids[i], &status, WNOHANG) != pids[i])
            continue;
        pids[i] = 0;
        if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
            return 0;
    }
    return pids[0] || pids[1] ? -1 : 1;
}

static void end_all(pid_t pids[2])
{
    for (int i = 0; i < 2; i++)
        if (pids[i] > 0) {
            kill(pids[i], SIGKILL);
            waitpid(pids[i], NULL, 0);
        }
}

static void start(const struct pair_end ends[2], void *memory, pid_t pids[2])
{
    fflush(NULL);
    for (int i = 0; i < 2; i++)
        if ((pids[i] = fork()) == 0)
            begin(&ends[i], memory);
}

bool pair_run(const struct pair_end ends[2], void *memory, stt_ns timeout,
              char why[OPTION_WHY_ROOM])
{
    pid_t pids[2];
    int state = -1;
    struct failure *f = pair_memory(sizeof *f);
    if (!f)
        return options_refuse(why, "there is no memory for two processes to share");
    double until = figures_wall_s() + (double)timeout * 1e-9;
    failure = f;
    start(ends, memory, pids);
    failure = NULL;
    if (pids[0] < 0 || pids[1] < 0)
        state = 0;
    while (state < 0 && figures_wall_s() < until) {
        state = look(pids);
        if (state < 0)
            poll(NULL, 0, 1);
    }
    end_all(pids);
    if (state <= 0)
        options_refuse(why, "%s",
                       *f->why     ? f->why
                       : state < 0 ? "the two ends did not come to an end in time"
                                   : "one of the two ends failed");
    pair_forget(f, sizeof *f);
    return state > 0;
}
