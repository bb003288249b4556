/* SPDX-License-Identifier: MIT
 * output: writev() of what lies in a stream's receive ring, hash, consume. Must not know which
 * stream is next. */
#include "tools/sttcat/output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PARTS = 16, WRITE_BYTES = 256 << 10, PIPE_BYTES = 1 << 20 };

bool output_begin(struct output *s, int fd, bool is_kept)
{
    *s = (struct output){.port = {.fd = -1, .ready = POLLOUT}, .given_fd = fd, .is_kept = is_kept};
    s->hash = hash_new();
    if (!s->hash)
        return false;
    if (fd >= 0) {
        s->port.fd = loop_unblock(fd, O_WRONLY);
        (void)fcntl(s->port.fd, F_SETPIPE_SZ, PIPE_BYTES);
    }
    return true;
}

bool output_close(struct output *s)
{
    bool is_fine = true;
    if (s->port.fd >= 0 && s->port.fd != s->given_fd)
        is_fine = close(s->port.fd) == 0;
    if (s->given_fd >= 0 && !s->is_kept)
        is_fine = close(s->given_fd) == 0 && is_fine;
    s->port.fd = s->given_fd = -1;
    return is_fine;
}

void output_end(struct output *s)
{
    (void)output_close(s);
    hash_free(s->hash);
    s->hash = NULL;
}

/* Right behind each piece that was consumed: when the next event is pulled the stream is forgotten.
 */
static bool consume(struct output *s, struct peer *p, stt_handle stream, size_t n)
{
    struct stt_stream_info info;
    if (stt_stream_consume(p->ep, p->loop->now, stream, n) || stt_stream_info(p->ep, stream, &info))
        return false;
    s->has_ended = info.is_read_to_end;
    return true;
}

static size_t gather(struct iovec *to, const struct stt_part *parts, size_t n, size_t most)
{
    size_t used = 0;
    for (size_t i = 0; i < n && most > 0; i++) {
        size_t len = parts[i].len < most ? parts[i].len : most;
        to[used++] = (struct iovec){(void *)(uintptr_t)parts[i].data, len};
        most -= len;
    }
    return used;
}

static enum flow wrote(struct output *s, struct peer *p, stt_handle stream,
                       const struct iovec *from, size_t n)
{
    s->bytes += n;
    peer_count_taken(p, n);
    hash_add_parts(s->hash, from, n);
    return consume(s, p, stream, n) ? FLOW_MOVED : FLOW_FAILED;
}

enum flow output_move(struct output *s, struct peer *p, stt_handle stream, size_t most)
{
    struct stt_part parts[PARTS];
    struct iovec from[PARTS];
    if (s->has_ended)
        return FLOW_ENDED;
    if (!(s->port.ready & POLLOUT)) {
        loop_want(p->loop, &s->port, POLLOUT);
        return FLOW_WAITS;
    }
    size_t n = stt_stream_peek(p->ep, stream, parts, PARTS);
    if (n == 0) {
        (void)consume(s, p, stream, 0);
        return s->has_ended ? FLOW_ENDED : FLOW_WAITS;
    }
    n = gather(from, parts, n, most < WRITE_BYTES ? most : WRITE_BYTES);
    ssize_t written = writev(s->port.fd, from, (int)n);
    if (written >= 0)
        return wrote(s, p, stream, from, (size_t)written);
    if (errno == EINTR)
        return FLOW_MOVED;
    if (errno != EAGAIN)
        return FLOW_FAILED;
    s->port.ready &= (short)~POLLOUT;
    loop_want(p->loop, &s->port, POLLOUT);
    return FLOW_WAITS;
}
