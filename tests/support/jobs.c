/* SPDX-License-Identifier: MIT
 * jobs: whoever waits for one of them reads what all of them say, so that none waits for a reader.
 * It must not know what the commands are. */
#include "tests/support/jobs.h"

#include "tests/support/programs.h"
#include "tests/support/sanitized.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { LIVE_MAX = 32, STATUS_OF_SANITIZERS = 99 };

#define MUST(condition, what) ck_assert_msg(condition, "%s: %s", what, strerror(errno))

static stt_ns now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return STT_S(t.tv_sec) + (stt_ns)t.tv_nsec;
}

/* -- the start ----------------------------------------------------------------------------------
 */

struct child {
    int files[3], ready; /* its end of each; closed when it has become the command */
    char terminal[64];
    char *args[4], **environment;
};

/* After fork(): only what may be done there. */
static _Noreturn void become(const struct child *c)
{
    static const struct rlimit no_core;
    sigset_t none;
    int files[4];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    for (int signal = 1; signal < 32; signal++)
        (void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setrlimit(RLIMIT_CORE, &no_core);
    int terminal = *c->terminal ? open(c->terminal, O_RDWR) : -1; /* the session's own */
    for (int i = 0; i < 3; i++)
        files[i] = fcntl(terminal >= 0 ? terminal : c->files[i], F_DUPFD, 16);
    files[3] = fcntl(c->ready, F_DUPFD, 16);
    for (int i = 0; i < 4; i++)
        dup2(files[i], i);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    close_range(4, ~0u, 0);
    execve("/bin/sh", c->args, c->environment);
    _exit(127);
}

/* Ours does not block. */
static void make_pipe(int *ours, int *its, bool we_write)
{
    int ends[2];
    MUST(pipe2(ends, O_CLOEXEC) == 0, "pipe");
    *ours = ends[we_write];
    *its = ends[!we_write];
    MUST(fcntl(*ours, F_SETFL, O_NONBLOCK) == 0, "pipe");
}

static void make_terminal(struct job *j, struct child *c)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    MUST(fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 &&
             ptsname_r(fd, c->terminal, sizeof c->terminal) == 0,
         "a terminal");
    j->has_terminal = true;
    j->input = fd;
    j->out.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    job_resize(j, 80, 24);
}

static void make_files(struct job *j, struct child *c, enum job_input input)
{
    if (input == JOB_ON_TERMINAL) {
        make_terminal(j, c);
        return;
    }
    if (input == JOB_FED)
        make_pipe(&j->input, &c->files[0], true);
    else
        c->files[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    make_pipe(&j->out.fd, &c->files[1], false);
    make_pipe(&j->err.fd, &c->files[2], false);
}

struct job *job_start(struct programs *p, enum job_input input, char *command, char **environment)
{
    static char sh[] = "sh", flag[] = "-c";
    struct child c = {{-1, -1, -1}, -1, "", {sh, flag, command, NULL}, environment};
    struct job *j = calloc(1, sizeof *j);
    char byte;
    int ready;
    ck_assert_ptr_nonnull(j);
    *j = (struct job){.programs = p,
                      .next = p->jobs,
                      .command = command,
                      .input = -1,
                      .out.fd = -1,
                      .err.fd = -1,
                      .began = now()};
    p->jobs = j;
    make_files(j, &c, input);
    make_pipe(&ready, &c.ready, false);
    MUST(fcntl(ready, F_SETFL, 0) == 0, "pipe");
    fflush(NULL);
    j->pid = fork();
    MUST(j->pid >= 0, "fork");
    if (j->pid == 0)
        become(&c);
    for (unsigned i = 0; i < 3; i++)
        if (c.files[i] >= 0)
            close(c.files[i]);
    close(c.ready);
    (void)!read(ready, &byte, 1); /* its session is there, and signals find it */
    close(ready);
    j->pid_fd = (int)syscall(SYS_pidfd_open, j->pid, 0);
    MUST(j->pid_fd >= 0, "pidfd_open");
    return j;
}

/* -- what they say ------------------------------------------------------------------------------
 */

static void end_said(struct said *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

static void keep(struct said *s, const char *data, size_t len)
{
    s->bytes += len;
    if (len > JOB_KEPT_BYTES - s->len)
        len = JOB_KEPT_BYTES - s->len;
    if (s->len + len + 1 > s->room) {
        s->room = 2 * (s->len + len) + 1024;
        s->text = realloc(s->text, s->room);
        ck_assert_ptr_nonnull(s->text);
    }
    memcpy(s->text + s->len, data, len);
    s->len += len;
    s->text[s->len] = 0;
}

/* All that is there now. A terminal that nobody has any more says EIO. */
static void listen_to(struct said *s)
{
    static char data[1 << 16];
    while (s->fd >= 0) {
        ssize_t n = read(s->fd, data, sizeof data);
        if (n > 0)
            keep(s, data, (size_t)n);
        else if (n < 0 && errno == EINTR)
            continue;
        else if (n < 0 && errno == EAGAIN)
            return;
        else
            end_said(s);
    }
}

static void fail_with(struct job *j, const char *what)
{
    listen_to(&j->out);
    listen_to(&j->err);
    ck_abort_msg("%s\n  %s\nsays on stdout (%llu bytes):\n%.2000s\nand on stderr:\n%.6000s", what,
                 j->command, (unsigned long long)j->out.bytes, j->out.text ? j->out.text : "",
                 j->err.text ? j->err.text : "");
}

static void take_status(struct job *j)
{
    int status = 0;
    MUST(waitpid(j->pid, &status, 0) == j->pid, "waitpid");
    j->took_ns = now() - j->began;
    j->has_ended = true;
    j->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    close(j->pid_fd);
    listen_to(&j->out);
    listen_to(&j->err);
    if (IS_SANITIZED && j->status == STATUS_OF_SANITIZERS && !j->programs->may_complain)
        fail_with(j, programs_complaint(j->programs) ? programs_complaint(j->programs) : "");
}

struct polled {
    struct pollfd fds[3 * LIVE_MAX + 1];
    struct job *of[3 * LIVE_MAX + 1];
    nfds_t n;
};

static void want(struct polled *all, struct job *j, int fd, short events)
{
    if (fd < 0)
        return;
    ck_assert_msg(all->n < 3 * LIVE_MAX + 1, "too many jobs at once");
    all->of[all->n] = j;
    all->fds[all->n++] = (struct pollfd){.fd = fd, .events = events};
}

/* Waits until one of them says something or ends, or this one takes input (NULL: none), at most
 * until then. */
static void pump(struct programs *p, struct job *writer, stt_ns until)
{
    struct polled all;
    stt_ns left = until - now();
    all.n = 0;
    for (struct job *j = p->jobs; j; j = j->next) {
        want(&all, j, j->out.fd, POLLIN);
        want(&all, j, j->err.fd, POLLIN);
        want(&all, j, j->has_ended ? -1 : j->pid_fd, POLLIN);
    }
    if (writer)
        want(&all, writer, writer->input, POLLOUT);
    int ms = left <= 0 ? 0 : (int)((left + 999999) / 1000000);
    MUST(poll(all.fds, all.n, ms) >= 0 || errno == EINTR, "poll");
    for (nfds_t i = 0; i < all.n; i++) {
        struct job *j = all.of[i];
        if (!all.fds[i].revents)
            continue;
        if (all.fds[i].fd == j->out.fd)
            listen_to(&j->out);
        else if (all.fds[i].fd == j->err.fd)
            listen_to(&j->err);
        else if (!j->has_ended && all.fds[i].fd == j->pid_fd)
            take_status(j);
    }
}

/* -- the end ------------------------------------------------------------------------------------
 */

bool job_ends_within(struct job *j, stt_ns within_ns)
{
    stt_ns until = now() + within_ns;
    for (bool is_first = true; !j->has_ended && (is_first || now() < until); is_first = false)
        pump(j->programs, NULL, until);
    return j->has_ended;
}

int job_wait(struct job *j)
{
    if (!j->has_ended && !job_ends_within(j, JOB_PATIENCE_NS))
        fail_with(j, "this does not end:");
    return j->status;
}

void job_require(struct job *j, int status)
{
    char what[80];
    if (job_wait(j) == status)
        return;
    snprintf(what, sizeof what, "status %d and not %d:", j->status, status);
    fail_with(j, what);
}

void job_signal(struct job *j, int signal)
{
    if (!j->has_ended)
        MUST(kill(j->pid, signal) == 0, "kill");
}

void job_signal_all(struct job *j, int signal)
{
    MUST(kill(-j->pid, signal) == 0 || errno == ESRCH, "kill");
}

void job_kill(struct job *j)
{
    job_signal_all(j, SIGKILL);
    if (!j->has_ended)
        take_status(j);
    listen_to(&j->out);
    listen_to(&j->err);
    end_said(&j->out);
    end_said(&j->err);
    job_end_input(j);
}

void jobs_free(struct programs *p)
{
    for (struct job *j = p->jobs, *next; j; j = next) {
        next = j->next;
        free(j->out.text);
        free(j->err.text);
        free(j->command);
        free(j);
    }
    p->jobs = NULL;
}

/* -- looking ------------------------------------------------------------------------------------
 */

/* The next whole line with this text, its end replaced by a zero byte. A last line without an end
 * counts when no more will come. */
static char *find_line(struct said *s, const char *text)
{
    while (s->text && s->looked < s->len) {
        char *line = s->text + s->looked, *end = memchr(line, '\n', s->len - s->looked);
        if (!end && s->fd >= 0)
            return NULL;
        s->looked = end ? (size_t)(end - s->text) + 1 : s->len;
        if (end)
            *end = 0;
        bool is_it = strstr(line, text);
        if (is_it)
            return line;
        if (end)
            *end = '\n';
    }
    return NULL;
}

static char *find_text(struct said *s, const char *text)
{
    char *at = s->text ? strstr(s->text + s->looked, text) : NULL;
    if (at)
        s->looked = (size_t)(at - s->text) + strlen(text);
    return at;
}

static char *look(struct job *j, struct said *s, char *(*find)(struct said *s, const char *text),
                  const char *text, stt_ns within_ns)
{
    stt_ns until = now() + within_ns;
    for (;;) {
        char *found = find(s, text);
        if (found || s->fd < 0 || now() >= until)
            return found;
        pump(j->programs, NULL, until);
    }
}

const char *job_line_within(struct job *j, const char *text, stt_ns within_ns)
{
    static char line[4096];
    struct said *s = j->has_terminal ? &j->out : &j->err;
    char *found = look(j, s, find_line, text, within_ns);
    if (!found)
        return NULL;
    snprintf(line, sizeof line, "%s", found);
    if (s->text[s->looked - 1] == 0)
        s->text[s->looked - 1] = '\n';
    return line;
}

const char *job_line(struct job *j, const char *text)
{
    char what[200];
    const char *line = job_line_within(j, text, JOB_PATIENCE_NS);
    snprintf(what, sizeof what, "no line with '%.150s':", text);
    if (!line)
        fail_with(j, what);
    return line;
}

bool job_shows_within(struct job *j, const char *text, stt_ns within_ns)
{
    return look(j, &j->out, find_text, text, within_ns) != NULL;
}

void job_shows(struct job *j, const char *text)
{
    char what[200];
    snprintf(what, sizeof what, "it does not show '%.150s':", text);
    if (!job_shows_within(j, text, JOB_PATIENCE_NS))
        fail_with(j, what);
}

/* -- talking ------------------------------------------------------------------------------------
 */

bool job_write(struct job *j, const void *data, size_t len)
{
    sigset_t pipe, before;
    stt_ns until = now() + JOB_PATIENCE_NS;
    size_t done = 0;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigprocmask(SIG_BLOCK, &pipe, &before);
    while (done < len && now() < until) {
        ssize_t n = write(j->input, (const char *)data + done, len - done);
        if (n > 0)
            done += (size_t)n;
        else if (errno == EAGAIN)
            pump(j->programs, j, until);
        else
            break;
    }
    sigtimedwait(&pipe, NULL, &(struct timespec){0});
    sigprocmask(SIG_SETMASK, &before, NULL);
    return done == len;
}

bool job_type(struct job *j, const char *keys)
{
    return job_write(j, keys, strlen(keys));
}

void job_end_input(struct job *j)
{
    if (j->input >= 0)
        close(j->input);
    j->input = -1;
}

void job_resize(struct job *j, unsigned columns, unsigned rows)
{
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    MUST(ioctl(j->input, TIOCSWINSZ, &size) == 0, "TIOCSWINSZ");
}

bool job_echoes(struct job *j)
{
    struct termios t;
    MUST(tcgetattr(j->input, &t) == 0, "tcgetattr");
    return t.c_lflag & ECHO;
}
