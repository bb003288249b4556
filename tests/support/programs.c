/* SPDX-License-Identifier: MIT
 * programs: the folder, the environment, the guard, and what commands are started with.
 *
 * The guard is a process that outlives the test: when the test's end of their pipe closes, for
 * whatever reason, it kills the sessions that it was told of, and whoever has the test's home in
 * his environment, and removes the folder. */
#include "tests/support/programs.h"

#include "tests/support/sanitized.h"
#include "tests/support/udp.h"
#include "transport/probe.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SESSIONS_MAX = 4096 };
const char *const programs_ios[PROGRAMS_IOS] = {"uring", "mmsg"};

#define MUST(condition, what) ck_assert_msg(condition, "%s: %s", what, strerror(errno))

/* -- the guard ----------------------------------------------------------------------------------
 */

static bool has_in_environment(const char *pid, const char *text)
{
    static char environment[1 << 17];
    char path[300];
    snprintf(path, sizeof path, "/proc/%s/environ", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, environment, sizeof environment);
    if (fd >= 0)
        close(fd);
    return len > 0 && memmem(environment, (size_t)len, text, strlen(text) + 1);
}

static unsigned kill_all_with(const char *home)
{
    unsigned found = 0;
    DIR *all = opendir("/proc");
    for (struct dirent *e; all && (e = readdir(all));) {
        int pid = atoi(e->d_name);
        if (pid > 1 && pid != getpid() && has_in_environment(e->d_name, home) &&
            kill(pid, SIGKILL) == 0)
            found++;
    }
    if (all)
        closedir(all);
    return found;
}

/* Who becomes another program right now shows no environment: nobody is seen twice in a row. */
static void kill_strays(const char *home)
{
    for (unsigned quiet = 0, tries = 0; quiet < 2 && tries < 1000; tries++) {
        if (quiet > 0)
            poll(NULL, 0, 10);
        quiet = kill_all_with(home) > 0 ? 0 : quiet + 1;
    }
}

static _Noreturn void guard(const struct programs *p, int from)
{
    static int sessions[SESSIONS_MAX];
    char home[sizeof p->home + 5];
    size_t n = 0;
    setsid();
    int nothing = open("/dev/null", O_RDWR);
    from = fcntl(from, F_DUPFD, 16);
    nothing = fcntl(nothing, F_DUPFD, 16);
    for (int fd = 0; fd < 3; fd++)
        dup2(nothing, fd);
    dup2(from, 3);
    close_range(4, ~0u, 0);
    for (int pid; read(3, &pid, sizeof pid) == sizeof pid;)
        if (n < SESSIONS_MAX)
            sessions[n++] = pid;
    for (size_t i = 0; i < n; i++)
        kill(-sessions[i], SIGKILL);
    snprintf(home, sizeof home, "HOME=%s", p->home);
    kill_strays(home);
    _exit(chdir("/") != 0 || !trees_remove(p->root));
}

static void post_guard(struct programs *p)
{
    int ends[2];
    fflush(NULL);
    MUST(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    p->guard_pid = fork();
    MUST(p->guard_pid >= 0, "fork");
    if (p->guard_pid == 0) {
        close(ends[1]);
        guard(p, ends[0]);
    }
    close(ends[0]);
    p->guard = ends[1];
}

/* -- begin and end ------------------------------------------------------------------------------
 */

/* With sanitizers the other driver is enough: this one has tests/io for that. */
static bool is_here(const char *io)
{
    bool is_uring = io && strcmp(io, "uring") == 0;
    return !is_uring || (!IS_SANITIZED && stt_probe()->items[STT_PROBE_URING].works);
}

static bool begin_below(struct programs *p, const char *folder, const char *io)
{
    char path[300];
    *p = (struct programs){.io = io, .guard = -1};
    if (!is_here(io))
        return false;
    snprintf(p->root, sizeof p->root, "%.200s/stt-XXXXXX", folder);
    MUST(mkdtemp(p->root), p->root);
    snprintf(p->home, sizeof p->home, "%s/home", p->root);
    snprintf(p->config, sizeof p->config, "%s/config", p->home);
    post_guard(p);
    umask(022);
    MUST(mkdir(p->home, 0700) == 0, p->home);
    snprintf(path, sizeof path, "%s/reports", p->root);
    MUST(mkdir(path, 0700) == 0, path);
    snprintf(path, sizeof path, "%s/here", p->root);
    MUST(mkdir(path, 0755) == 0 && chdir(path) == 0, path);
    return true;
}

bool programs_begin(struct programs *p, const char *io)
{
    const char *folder = getenv("TMPDIR");
    return begin_below(p, folder && *folder ? folder : "/tmp", io);
}

bool programs_begin_in_memory(struct programs *p, const char *io)
{
    return begin_below(p, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", io);
}

const char *programs_complaint(const struct programs *p)
{
    static char text[1 << 14];
    char path[600];
    bool is_there = false;
    snprintf(path, sizeof path, "%s/reports", p->root);
    DIR *all = opendir(path);
    MUST(all, path);
    for (struct dirent *e; !is_there && (e = readdir(all));) {
        size_t len;
        if (*e->d_name == '.')
            continue;
        is_there = true;
        snprintf(path, sizeof path, "%s/reports/%s", p->root, e->d_name);
        char *report = trees_read(path, &len);
        snprintf(text, sizeof text, "%s", report);
        free(report);
    }
    closedir(all);
    return is_there ? text : NULL;
}

void programs_end(struct programs *p)
{
    int status = -1;
    for (struct job *j = p->jobs; j; j = j->next)
        job_kill(j);
    for (unsigned i = 0; i < p->n_wans; i++)
        wan_end(p->wans[i], NULL);
    const char *complaint = p->may_complain ? NULL : programs_complaint(p);
    ck_assert_msg(!complaint, "%s", complaint);
    jobs_free(p);
    close(p->guard);
    ck_assert_int_eq(waitpid(p->guard_pid, &status, 0), p->guard_pid);
    ck_assert_msg(status == 0, "%s could not be removed", p->root);
    MUST(chdir("/") == 0, "/");
}

/* -- the way there ------------------------------------------------------------------------------
 */

static uint16_t free_port(int type)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof name;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    MUST(fd >= 0 && bind(fd, (struct sockaddr *)&name, len) == 0 &&
             getsockname(fd, (struct sockaddr *)&name, &len) == 0,
         "a port");
    close(fd);
    return ntohs(name.sin_port);
}

uint16_t programs_port(void)
{
    return free_port(SOCK_DGRAM);
}

uint16_t programs_tcp_port(void)
{
    return free_port(SOCK_STREAM);
}

uint16_t programs_wan(struct programs *p, uint16_t port, const struct wan_config *config,
                      uint64_t seed)
{
    struct stt_address server = udp_address("127.0.0.1", port);
    ck_assert_uint_lt(p->n_wans, PROGRAMS_WANS_MAX);
    struct wan *w = p->wans[p->n_wans++] = wan_begin(config, &server, seed);
    return wan_address(w).port;
}

/* -- what a command is started with -------------------------------------------------------------
 */

enum { VARIABLES_MAX = 16, VARIABLE_ROOM = 4096 };
struct environment {
    char text[VARIABLES_MAX][VARIABLE_ROOM], *all[VARIABLES_MAX + 1];
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void put(struct environment *e, const char *format,
                                                      ...)
{
    va_list args;
    ck_assert_uint_lt(e->n, VARIABLES_MAX);
    va_start(args, format);
    int len = vsnprintf(e->text[e->n], VARIABLE_ROOM, format, args);
    va_end(args);
    ck_assert_int_lt(len, VARIABLE_ROOM);
    e->all[e->n] = e->text[e->n];
    e->all[++e->n] = NULL;
}

static char **environment_of(const struct programs *p)
{
    static const char *const sanitizers[] = {"ASAN", "UBSAN", "TSAN", "LSAN"};
    static struct environment e;
    const char *programs = getenv("STT_PROGRAMS_DIR"), *path = getenv("PATH");
    e.n = 0;
    put(&e, "PATH=%s:%s", programs ? programs : STT_PROGRAMS_DIR,
        path ? path : "/usr/local/bin:/usr/bin:/bin");
    put(&e, "HOME=%s", p->home);
    put(&e, "STT_CONFIG_DIR=%s", p->config);
    put(&e, "LANG=C.UTF-8");
    put(&e, "TERM=xterm");
    if (p->io)
        put(&e, "STT_IO=%s", p->io);
    for (size_t i = 0; IS_SANITIZED && i < sizeof sanitizers / sizeof *sanitizers; i++)
        put(&e, "%s_OPTIONS=exitcode=99:log_path=%s/reports/%s", sanitizers[i], p->root,
            sanitizers[i]);
    return e.all;
}

static struct job *start(struct programs *p, enum job_input input, const char *format, va_list args)
{
    char *command;
    int len = vasprintf(&command, format, args);
    ck_assert_int_ge(len, 0);
    struct job *j = job_start(p, input, command, environment_of(p));
    MUST(write(p->guard, &j->pid, sizeof j->pid) == sizeof j->pid, "the guard");
    return j;
}

#define START(input)                                                                               \
    va_list args;                                                                                  \
    va_start(args, format);                                                                        \
    struct job *j = start(p, input, format, args);                                                 \
    va_end(args)

struct job *programs_run(struct programs *p, const char *format, ...)
{
    START(JOB_EMPTY);
    job_wait(j);
    job_kill(j);
    return j;
}

struct job *programs_start(struct programs *p, const char *format, ...)
{
    START(JOB_EMPTY);
    return j;
}

struct job *programs_start_fed(struct programs *p, const char *format, ...)
{
    START(JOB_FED);
    return j;
}

struct job *programs_start_on_terminal(struct programs *p, const char *format, ...)
{
    START(JOB_ON_TERMINAL);
    return j;
}
