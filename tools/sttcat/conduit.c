/* SPDX-License-Identifier: MIT
 * conduit: owns the connection, and nothing that is on its way: that is in the socket or in the
 * stream's rings. Who finds one of them full waits for it, and so the other side of it waits, too.
 *
 * A connection that cannot be written any more may still have something to say (EPIPE): then only
 * that direction is stopped. Any other error breaks both. It must not know who wanted the
 * connection. Spec 10, "Forward". */
#include "tools/sttcat/conduit.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { TURN_BYTES = 256 * 1024, PARTS = 16 };

void conduit_begin(struct conduit *c, struct stt_endpoint *ep, stt_handle stream, int fd)
{
    *c = (struct conduit){.ep = ep,
                          .stream = stream,
                          .port = {fd, POLLIN | POLLOUT},
                          .gives = true,
                          .takes = true,
                          .has_room = true,
                          .has_bytes = true};
}

static void disconnect(struct conduit *c, bool is_reset)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (c->port.fd < 0)
        return;
    if (is_reset)
        (void)setsockopt(c->port.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(c->port.fd);
    c->port = (struct port){.fd = -1};
    c->gives = c->takes = false;
}

void conduit_end(struct conduit *c)
{
    disconnect(c, true);
}

/* The stream may have ended already, or its session: then nobody needs to be told. */
void conduit_break(struct conduit *c, stt_ns now)
{
    c->is_broken |= c->port.fd >= 0;
    disconnect(c, true);
    (void)stt_stream_reset(c->ep, now, c->stream, CONDUIT_CODE_BROKEN);
    (void)stt_stream_stop(c->ep, now, c->stream, CONDUIT_CODE_BROKEN);
}

static void end_if_over(struct conduit *c)
{
    if (!c->gives && !c->takes)
        disconnect(c, false);
}

void conduit_on_stream(struct conduit *c, stt_ns now, const struct stt_stream_event *event)
{
    if (event->what & STT_STREAM_WRITABLE)
        c->has_room = true;
    if (event->what & STT_STREAM_READABLE)
        c->has_bytes = true;
    if (c->port.fd < 0)
        return;
    const bool was_reset = (event->what & STT_STREAM_RESET) && c->takes; /* else: as we wished */
    const bool is_stopped = (event->what & STT_STREAM_STOPPED) && c->gives;
    if (was_reset || (is_stopped && !c->takes)) {
        conduit_break(c, now);
    } else if (is_stopped) {
        c->gives = false;
        (void)shutdown(c->port.fd, SHUT_RD);
    }
    if (event->what & STT_STREAM_ENDED) /* all was written; we had not looked yet */
        disconnect(c, false);
}

/* -- from the connection ----------------------------------------------------------------------- */

bool conduit_can_give(const struct conduit *c)
{
    const short ready = c->is_watched ? c->kept : c->port.ready;
    return c->gives && c->has_room && (ready & POLLIN);
}

/* What is in the ring need not wait for company that is not there. */
static void on_drained(struct conduit *c, stt_ns now)
{
    c->port.ready &= (short)~POLLIN;
    if (c->given)
        (void)stt_stream_flush(c->ep, now, c->stream);
}

/* One read into the ring; false: no more can be read now. */
static bool give_some(struct conduit *c, stt_ns now, uint64_t allowed)
{
    void *room;
    size_t len;
    int error = stt_stream_reserve(c->ep, c->stream, &room, &len);
    if (error) {
        c->has_room = false;
        return false;
    }
    ssize_t n = read(c->port.fd, room, len < allowed ? len : (size_t)allowed);
    if (n > 0) {
        (void)stt_stream_commit(c->ep, now, c->stream, (size_t)n);
        c->given += (uint64_t)n;
        return true;
    }
    if (n == 0) {
        (void)stt_stream_finish(c->ep, now, c->stream);
        c->gives = false;
        end_if_over(c);
    } else if (errno == EAGAIN) {
        on_drained(c, now);
    } else if (errno != EINTR) {
        conduit_break(c, now);
    }
    return false;
}

static bool give(struct conduit *c, stt_ns now, uint64_t allowed)
{
    const uint64_t before = c->given;
    const bool gave = c->gives;
    allowed = allowed < TURN_BYTES ? allowed : TURN_BYTES;
    while (conduit_can_give(c) && c->given - before < allowed)
        if (!give_some(c, now, allowed - (c->given - before)))
            break;
    return c->given > before || c->gives != gave;
}

/* -- to the connection ------------------------------------------------------------------------- */

/* Right behind each piece: when the next event is pulled, a stream that has ended is forgotten. */
static void consume(struct conduit *c, stt_ns now, size_t n)
{
    struct stt_stream_info info;
    (void)stt_stream_consume(c->ep, now, c->stream, n);
    c->taken += n;
    if (stt_stream_info(c->ep, c->stream, &info) != STT_OK || !info.is_read_to_end)
        return;
    c->takes = false;
    (void)shutdown(c->port.fd, SHUT_WR);
    end_if_over(c);
}

static void on_write_failed(struct conduit *c, stt_ns now)
{
    if (errno == EAGAIN) {
        c->port.ready &= (short)~POLLOUT;
    } else if (errno == EPIPE) {
        (void)stt_stream_stop(c->ep, now, c->stream, CONDUIT_CODE_BROKEN);
        c->takes = false;
        end_if_over(c);
    } else if (errno != EINTR) {
        conduit_break(c, now);
    }
}

static void take_some(struct conduit *c, stt_ns now)
{
    struct stt_part parts[PARTS];
    struct iovec to[PARTS];
    size_t n = stt_stream_peek(c->ep, c->stream, parts, PARTS);
    if (!n) { /* more will come, or that was the end */
        c->has_bytes = false;
        consume(c, now, 0);
        return;
    }
    for (size_t i = 0; i < n; i++)
        to[i] = (struct iovec){(void *)(uintptr_t)parts[i].data, parts[i].len};
    const struct msghdr message = {.msg_iov = to, .msg_iovlen = n};
    ssize_t written = sendmsg(c->port.fd, &message, MSG_NOSIGNAL);
    if (written < 0) {
        on_write_failed(c, now);
        return;
    }
    consume(c, now, (size_t)written);
}

static bool can_take(const struct conduit *c)
{
    return c->takes && !c->is_held && c->has_bytes && (c->port.ready & POLLOUT);
}

static bool take(struct conduit *c, stt_ns now)
{
    const uint64_t before = c->taken;
    const bool took = c->takes;
    while (can_take(c) && c->taken - before < TURN_BYTES)
        take_some(c, now);
    return c->taken > before || c->takes != took;
}

/* -- turns ------------------------------------------------------------------------------------- */

/* It was watched for errors: was there one? */
static void look(struct conduit *c, stt_ns now)
{
    int error = 0;
    socklen_t len = sizeof error;
    const bool has_hung_up = c->port.ready != 0;
    c->is_watched = false;
    c->port.ready = c->kept;
    if (!has_hung_up)
        return;
    c->has_hung_up = true;
    if (getsockopt(c->port.fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error)
        conduit_break(c, now);
}

bool conduit_turn(struct conduit *c, stt_ns now, uint64_t allowed)
{
    const bool was_over = c->port.fd < 0;
    if (c->is_watched)
        look(c, now);
    bool any = give(c, now, allowed);
    any |= take(c, now);
    return any || was_over != (c->port.fd < 0);
}

/* Where both directions wait for the stream, errors alone are of interest, and these once: a
 * connection that has ended both ways says so for ever. */
void conduit_want(struct conduit *c, struct loop *loop)
{
    short events = 0;
    if (c->port.fd < 0)
        return;
    if (c->gives && c->has_room && !(c->port.ready & POLLIN))
        events |= POLLIN;
    if (c->takes && !c->is_held && c->has_bytes && !(c->port.ready & POLLOUT))
        events |= POLLOUT;
    if (!events && c->has_hung_up)
        return;
    if (!events) {
        c->is_watched = true;
        c->kept = c->port.ready;
        c->port.ready = 0;
    }
    loop_want(loop, &c->port, events);
}
