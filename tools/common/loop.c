/* SPDX-License-Identifier: MIT
 * loop: turns, and the sleep between them. Signals arrive through a pipe, as everything else does,
 * and change nothing but flags. What was made not to block and is shared with other processes is
 * put back at the end. Must not know what the turns do. */
#include "tools/common/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Below this, going to sleep takes longer than it lasts. */
#define AWAKE_NS STT_US(50)

enum { FIXED = 2, CHANGED_MAX = 8 };

static struct {
    int pipe[2];
    volatile sig_atomic_t signal, child;
    int changed[CHANGED_MAX], n_changed; /* descriptors to put back */
} process = {.pipe = {-1, -1}};

/* -- signals ----------------------------------------------------------------------------------- */

static void on_signal(int number)
{
    int saved = errno;
    if (number == SIGCHLD)
        process.child = 1;
    else
        process.signal = number;
    (void)!write(process.pipe[1], "", 1);
    errno = saved;
}

int loop_signal(void)
{
    return process.signal;
}

bool loop_child_changed(void)
{
    bool changed = process.child;
    process.child = 0;
    return changed;
}

static void put_back(void)
{
    while (process.n_changed > 0) {
        int fd = process.changed[--process.n_changed];
        int flags = fcntl(fd, F_GETFL);
        if (flags >= 0)
            (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    }
}

bool loop_begin(struct loop *loop, struct stt_node *node)
{
    static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    *loop = (struct loop){.node = node, .now = stt_node_now(node)};
    if (process.pipe[0] < 0 && pipe2(process.pipe, O_CLOEXEC | O_NONBLOCK))
        return false;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++) {
        struct sigaction before;
        bool is_ignored = !sigaction(caught[i], NULL, &before) && before.sa_handler == SIG_IGN;
        if (caught[i] != SIGHUP || !is_ignored) /* nohup stays nohup */
            sigaction(caught[i], &action, NULL);
    }
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD); /* some parents leave it blocked */
    sigprocmask(SIG_UNBLOCK, &child, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like others */
    atexit(put_back);
    return true;
}

void loop_end(struct loop *loop)
{
    loop->node = NULL;
    put_back();
}

/* -- turns ------------------------------------------------------------------------------------- */

void loop_want(struct loop *loop, struct port *port, short events)
{
    if (port->fd < 0 || loop->n == LOOP_WANTS_MAX)
        return;
    loop->polled[FIXED + loop->n] = (struct pollfd){.fd = port->fd, .events = events};
    loop->ports[FIXED + loop->n++] = port;
}

void loop_wake_at(struct loop *loop, stt_ns at)
{
    loop->wake_at = at < loop->wake_at ? at : loop->wake_at;
}

static stt_ns time_to_sleep(struct loop *loop)
{
    stt_ns node = stt_node_timeout_ns(loop->node), now = stt_node_now(loop->node);
    stt_ns ours = loop->wake_at == STT_NEVER ? STT_NEVER
                  : loop->wake_at > now      ? loop->wake_at - now
                                             : 0;
    stt_ns time = node < ours ? node : ours;
    return time < AWAKE_NS ? 0 : time;
}

static int sleep_until(struct loop *loop, stt_ns time)
{
    struct timespec limit = {.tv_sec = (time_t)(time / STT_S(1)),
                             .tv_nsec = (long)(time % STT_S(1))};
    loop->polled[0] = (struct pollfd){.fd = stt_node_fd(loop->node), .events = POLLIN};
    loop->polled[1] = (struct pollfd){.fd = process.pipe[0], .events = POLLIN};
    int n = ppoll(loop->polled, FIXED + loop->n, time == STT_NEVER ? NULL : &limit, NULL);
    if (n < 0)
        return errno == EINTR ? STT_OK : STT_E_IO;
    char bytes[64];
    if (n > 0 && loop->polled[1].revents)
        while (read(process.pipe[0], bytes, sizeof bytes) > 0)
            ;
    for (uint32_t i = FIXED; n > 0 && i < FIXED + loop->n; i++) {
        short seen = loop->polled[i].revents;
        if (seen & (POLLERR | POLLHUP | POLLNVAL))
            seen |= POLLIN | POLLOUT;
        loop->ports[i]->ready |= seen & (POLLIN | POLLOUT);
    }
    return STT_OK;
}

/* Not stt_node_step(): that sets a timer for whoever polls next, each time; here most turns are
 * followed by another one, and ppoll() gets the time that it needs. */
static int step(struct loop *loop)
{
    return stt_node_wait(loop->node, 0);
}

int loop_run(struct loop *loop, enum loop_turn (*turn)(void *ctx), void *ctx)
{
    for (;;) {
        int error = step(loop);
        if (error)
            return error;
        loop->now = stt_node_now(loop->node);
        loop->wake_at = STT_NEVER;
        loop->n = 0;
        enum loop_turn what = turn(ctx);
        if (what == LOOP_OVER)
            return step(loop);
        /* Whoever is busy must not keep the others from hearing that they can go on. */
        if (what == LOOP_IDLE || loop->n > 0)
            error = sleep_until(loop, what == LOOP_BUSY ? 0 : time_to_sleep(loop));
        if (error)
            return error;
    }
}

/* -- descriptors that do not block ------------------------------------------------------------- */

static int change(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || flags & O_NONBLOCK || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return fd;
    if (process.n_changed < CHANGED_MAX)
        process.changed[process.n_changed++] = fd;
    return fd;
}

int loop_unblock(int fd, int flags)
{
    char path[40];
    struct stat st;
    if (fstat(fd, &st) || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode))
        return fd;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = S_ISSOCK(st.st_mode) ? -1 : open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    return own >= 0 ? own : change(fd);
}
