/* SPDX-License-Identifier: MIT
 * command: spawns, and reaps without waiting. What the program inherits is its pipes and standard
 * error, and default signals. Must not know what flows. */
#include "tools/sttcat/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int spawn(struct command *c, const char *text, int in, int out)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t all, none;
    char *argv[] = {"sh", "-c", (char *)(uintptr_t)text, NULL};
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    int error = posix_spawn(&c->pid, "/bin/sh", &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

bool command_begin(struct command *c, const char *text)
{
    int in[2], out[2];
    *c = (struct command){.input = -1, .output = -1};
    if (pipe2(in, O_CLOEXEC))
        return false;
    if (pipe2(out, O_CLOEXEC)) {
        close(in[0]);
        close(in[1]);
        return false;
    }
    int error = spawn(c, text, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    c->input = in[1];
    c->output = out[0];
    if (error) {
        c->pid = 0;
        close(in[1]);
        close(out[0]);
        errno = error;
    }
    return !error;
}

/* It is not reaped yet: as long as it is not, nobody else gets the number of its group. */
bool command_is_over(struct command *c)
{
    siginfo_t info = {.si_pid = 0};
    const int how = WEXITED | WNOHANG | WNOWAIT;
    if (c->pid <= 0 || c->is_over || waitid(P_PID, (id_t)c->pid, &info, how) != 0 || !info.si_pid)
        return c->is_over;
    c->status = info.si_code == CLD_EXITED ? (info.si_status & 0xff) << 8 : info.si_status & 0x7f;
    c->is_over = true;
    return true;
}

/* A reader of its input that reads nothing. While there is somebody who writes, nobody else may
 * hold one: it would not be told that the command reads no more. */
bool command_watch_input(struct command *c, int fd)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int watch = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (watch == 0) { /* which says that there is none */
        watch = fcntl(0, F_DUPFD_CLOEXEC, 1);
        close(0);
    }
    c->watch = watch > 0 ? watch : 0;
    return watch > 0;
}

bool command_left_bytes(const struct command *c)
{
    int bytes = 0;
    return c->watch && (ioctl(c->watch, FIONREAD, &bytes) != 0 || bytes > 0);
}

/* Those that were sent away, until they have gone. */
static pid_t *left;
static size_t n_left, room_left;

static void remember(pid_t pid)
{
    if (n_left == room_left) {
        size_t room = 2 * room_left + 16;
        pid_t *more = realloc(left, room * sizeof *more);
        if (!more)
            return;
        left = more;
        room_left = room;
    }
    left[n_left++] = pid;
}

void command_end(struct command *c, bool is_broken)
{
    if (c->watch)
        close(c->watch);
    c->watch = 0;
    if (c->pid <= 0)
        return;
    if (!command_is_over(c) || is_broken)
        kill(-c->pid, SIGHUP);
    if (waitpid(c->pid, NULL, WNOHANG) == 0)
        remember(c->pid);
    c->pid = 0;
}

void command_reap(void)
{
    for (size_t i = n_left; i-- > 0;)
        if (waitpid(left[i], NULL, WNOHANG) != 0)
            left[i] = left[--n_left];
}

const char *command_status(const struct command *c, char out[32])
{
    if (WIFSIGNALED(c->status))
        snprintf(out, 32, "signal %d", WTERMSIG(c->status));
    else
        snprintf(out, 32, "status %d", WEXITSTATUS(c->status));
    return out;
}
