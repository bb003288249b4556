/* SPDX-License-Identifier: MIT
 * dial: owns the socket and the question until one of them is done or it is taken. An address has
 * its share of the time that is left, so that a silent one does not use up that of the others. It
 * must not know streams. Spec 10, "Forward". */
#include "tools/sttcat/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define GIVE_UP_NS STT_S(10)
#define AGAIN_NS   STT_MS(50) /* until a unix socket's backlog is looked at once more */

void dial_set_no_delay(int fd)
{
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void close_port(struct dial *d)
{
    if (d->port.fd >= 0)
        close(d->port.fd);
    d->port = (struct port){.fd = -1};
}

static void end_as(struct dial *d, enum dial_state state)
{
    lookup_free(d->lookup);
    d->lookup = NULL;
    if (state == DIAL_FAILED)
        close_port(d);
    d->state = state;
}

static void fail(struct dial *d, const char *why)
{
    snprintf(d->why, sizeof d->why, "%s", why);
    end_as(d, DIAL_FAILED);
}

void dial_begin(struct dial *d, const struct target *to, stt_ns now)
{
    *d = (struct dial){.to = *to, .give_up_at = now + GIVE_UP_NS, .port = {.fd = -1}};
    if (to->is_unix) {
        struct sockaddr_un un = {.sun_family = AF_UNIX};
        memcpy(un.sun_path, to->path, strlen(to->path));
        memcpy(&d->addresses.at[0].at, &un, sizeof un);
        d->addresses.at[0].len = sizeof un;
        d->addresses.n = 1;
        return;
    }
    d->lookup = lookup_new(to->host, to->port);
    if (!d->lookup)
        fail(d, "there is no memory, thread or descriptor to look for its address");
}

/* -- names ------------------------------------------------------------------------------------- */

static void await_addresses(struct dial *d, struct loop *loop)
{
    if (lookup_answer(d->lookup, &d->addresses)) {
        lookup_free(d->lookup);
        d->lookup = NULL;
        if (!d->addresses.n)
            fail(d, d->addresses.why);
    } else if (loop->now >= d->give_up_at) {
        fail(d, "its name was not resolved within 10 s");
    } else {
        loop_want(loop, lookup_port(d->lookup), POLLIN);
        loop_wake_at(loop, d->give_up_at);
    }
}

/* -- addresses --------------------------------------------------------------------------------- */

/* It did not work: the next one, if there is one and time. */
static void on_refused(struct dial *d, stt_ns now, const char *why)
{
    close_port(d);
    snprintf(d->why, sizeof d->why, "%s", why);
    d->try_at = now;
}

static void try_one(struct dial *d, stt_ns now)
{
    const struct lookup_address *to = &d->addresses.at[d->next];
    const uint32_t left = d->addresses.n - d->next++;
    d->port.fd = socket(to->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->port.fd < 0) {
        on_refused(d, now, strerror(errno));
        return;
    }
    dial_set_no_delay(d->port.fd);
    d->try_at = now + (d->give_up_at - now) / left;
    if (connect(d->port.fd, (const struct sockaddr *)&to->at, to->len) == 0) {
        end_as(d, DIAL_DONE);
    } else if (errno == EAGAIN) { /* nobody will tell when that is over */
        on_refused(d, now, "its backlog is full");
        d->next--;
        d->try_at = now + AGAIN_NS;
    } else if (errno != EINPROGRESS) {
        on_refused(d, now, strerror(errno));
    }
}

/* One that is being connected: has it happened? */
static void look(struct dial *d, stt_ns now)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (d->port.ready) {
        if (getsockopt(d->port.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
            error = errno;
        if (error)
            on_refused(d, now, strerror(error));
        else
            end_as(d, DIAL_DONE);
    } else if (now >= d->try_at) {
        on_refused(d, now, strerror(ETIMEDOUT));
    }
}

static void try_others(struct dial *d, stt_ns now)
{
    while (d->state == DIAL_WAITS && d->port.fd < 0 && now >= d->try_at) {
        if (d->next == d->addresses.n || now >= d->give_up_at)
            end_as(d, DIAL_FAILED);
        else
            try_one(d, now);
    }
}

enum dial_state dial_turn(struct dial *d, struct loop *loop)
{
    if (d->lookup)
        await_addresses(d, loop);
    if (d->state != DIAL_WAITS || d->lookup)
        return d->state;
    if (d->port.fd >= 0)
        look(d, loop->now);
    try_others(d, loop->now);
    if (d->state == DIAL_WAITS && d->port.fd >= 0)
        loop_want(loop, &d->port, POLLOUT);
    if (d->state == DIAL_WAITS)
        loop_wake_at(loop, d->try_at);
    return d->state;
}

int dial_take(struct dial *d)
{
    int fd = d->port.fd;
    d->port.fd = -1;
    return fd;
}

void dial_end(struct dial *d)
{
    end_as(d, DIAL_FAILED);
}
