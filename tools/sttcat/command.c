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

bool command_is_over(struct command *c)
{
    if (c->pid > 0 && waitpid(c->pid, &c->status, WNOHANG) == c->pid) {
        c->pid = 0;
        c->is_over = true;
    }
    return c->is_over;
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
enum { LEFT_MAX = 256 };
static pid_t left[LEFT_MAX];
static unsigned n_left;

void command_end(struct command *c)
{
    if (c->watch)
        close(c->watch);
    c->watch = 0;
    if (c->pid <= 0 || command_is_over(c))
        return;
    kill(-c->pid, SIGHUP);
    if (n_left < LEFT_MAX)
        left[n_left++] = c->pid;
    c->pid = 0;
}

void command_reap(void)
{
    for (unsigned i = n_left; i-- > 0;)
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
