/* SPDX-License-Identifier: MIT
 * input: readv() into the room that a stream has, hash, commit: no byte is copied between. Large
 * reads, but not so large that they leave the cache before they are sealed. Must not know which
 * stream is next. */
#include "tools/sttcat/input.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

enum { PARTS = 17, READ_BYTES = 256 << 10, PIPE_BYTES = 1 << 20 };

bool input_begin(struct input *s, int fd)
{
    *s = (struct input){.port = {.fd = -1, .ready = POLLIN}, .given_fd = fd, .is_ended = fd < 0};
    s->hash = hash_new();
    if (!s->hash)
        return false;
    if (fd < 0)
        return true;
    s->port.fd = loop_unblock(fd, O_RDONLY);
    s->is_terminal = isatty(fd) == 1;
    (void)fcntl(s->port.fd, F_SETPIPE_SZ, PIPE_BYTES);
    (void)posix_fadvise(s->port.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return true;
}

void input_end(struct input *s)
{
    if (s->port.fd >= 0 && s->port.fd != s->given_fd)
        close(s->port.fd);
    if (s->given_fd >= 0)
        close(s->given_fd);
    s->port.fd = s->given_fd = -1;
    s->is_ended = true;
    hash_free(s->hash);
    s->hash = NULL;
}

/* What was read so far goes at once: nobody knows when there will be more. */
static enum flow wait_for_more(struct input *s, struct peer *p, stt_handle stream)
{
    s->port.ready &= (short)~POLLIN;
    loop_want(p->loop, &s->port, POLLIN);
    (void)stt_stream_flush(p->ep, p->loop->now, stream);
    return FLOW_WAITS;
}

static enum flow took(struct input *s, struct peer *p, stt_handle stream, const struct iovec *to,
                      size_t n)
{
    s->bytes += n;
    peer_count_given(p, n);
    hash_add_parts(s->hash, to, n);
    return stt_stream_commit(p->ep, p->loop->now, stream, n) ? FLOW_FAILED : FLOW_MOVED;
}

/* Room for as much as may be read now; 0 parts: none. */
static int find_room(struct peer *p, stt_handle stream, size_t most, struct iovec to[PARTS])
{
    struct stt_room rooms[PARTS];
    uint64_t left = peer_allowance(p, most < READ_BYTES ? most : READ_BYTES);
    int used = 0;
    if (left == 0 || peer_is_ahead(p, stream))
        return 0;
    size_t n = stt_stream_reserve_parts(p->ep, stream, rooms, PARTS);
    for (size_t i = 0; i < n && left > 0; i++) {
        size_t len = rooms[i].len < left ? rooms[i].len : (size_t)left;
        to[used++] = (struct iovec){rooms[i].data, len};
        left -= len;
    }
    return used;
}

enum flow input_move(struct input *s, struct peer *p, stt_handle stream, size_t most)
{
    struct iovec to[PARTS];
    if (s->is_ended)
        return FLOW_ENDED;
    if (!(s->port.ready & POLLIN)) {
        loop_want(p->loop, &s->port, POLLIN);
        return FLOW_WAITS;
    }
    int parts = find_room(p, stream, most, to);
    if (parts == 0)
        return FLOW_WAITS;
    ssize_t n = readv(s->port.fd, to, parts);
    if (n > 0)
        return took(s, p, stream, to, (size_t)n);
    int error = errno;
    (void)stt_stream_commit(p->ep, p->loop->now, stream, 0); /* the room goes back */
    errno = error;
    if (n < 0 && errno == EINTR)
        return FLOW_MOVED;
    if (n < 0 && errno == EAGAIN)
        return wait_for_more(s, p, stream);
    if (n < 0 && !(errno == EIO && s->is_terminal)) /* a terminal that was hung up has ended */
        return FLOW_FAILED;
    s->is_ended = true;
    return FLOW_ENDED;
}
