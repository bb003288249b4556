/* SPDX-License-Identifier: MIT
 * tcp: TCP between two processes, as iperf3 uses it: writes of 128 KiB, the kernel's own buffers,
 * cubic; alone, in segments as short as a datagram, or with TLS in it. */
#include "tools/sttbench/compare/run.h"
#include "tools/sttbench/compare/tls.h"
#include "tools/sttbench/shared/pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>

struct wire {
    struct run *r;
    enum run_side side;
    int fd;
    struct tls *tls; /* NULL: without */
    uint64_t bytes;
    XXH3_state_t *hash;
};

static bool fail(const char *what)
{
    return pair_refuse("%s: %s", what, strerror(errno));
}

/* The options are those of a listening socket, too: who is accepted has them. */
static bool make(struct wire *w, struct run *r, enum run_side side)
{
    int mss = (int)r->setup.mss;
    *w = (struct wire){.r = r, .side = side, .hash = XXH3_createState()};
    XXH3_64bits_reset(w->hash);
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (w->fd < 0)
        return fail("a socket");
    (void)setsockopt(w->fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", sizeof "cubic" - 1);
    if (mss && setsockopt(w->fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof mss))
        return fail("a segment size");
    return true;
}

static bool end(struct wire *w)
{
    w->r->ends[w->side].hash = XXH3_64bits_digest(w->hash);
    w->r->ends[w->side].bytes = w->bytes;
    XXH3_freeState(w->hash);
    if (w->tls)
        tls_free(w->tls);
    close(w->fd);
    return true;
}

static void tell_how(const struct wire *w)
{
    char name[16] = "";
    socklen_t len = sizeof name - 1;
    (void)getsockopt(w->fd, IPPROTO_TCP, TCP_CONGESTION, name, &len);
    if (w->tls)
        snprintf(w->r->how, sizeof w->r->how, "%s, OpenSSL %s", name, tls_version());
    else
        snprintf(w->r->how, sizeof w->r->how, "%s", name);
}

static struct sockaddr_in name_of(const struct run *r, uint32_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, r->setup.address, &name.sin_addr);
    return name;
}

/* -- the sender -------------------------------------------------------------------------------- */

static bool write_all(struct wire *w, const uint8_t *data, size_t len)
{
    if (w->r->setup.hashes)
        XXH3_64bits_update(w->hash, data, len);
    w->bytes += len;
    while (len > 0) {
        ssize_t n = w->tls ? tls_write(w->tls, data, len) : send(w->fd, data, len, MSG_NOSIGNAL);
        if (n <= 0)
            return fail("writing");
        data += n;
        len -= (size_t)n;
    }
    return true;
}

/* What the other end has not read is not lost: it closes first. */
static bool finish(struct wire *w)
{
    char byte;
    if (w->tls)
        tls_finish(w->tls);
    shutdown(w->fd, SHUT_WR);
    (void)!recv(w->fd, &byte, 1, 0);
    return end(w);
}

static bool send_all(struct run *r, bool has_tls)
{
    struct wire w;
    if (!make(&w, r, RUN_SENDER))
        return false;
    struct sockaddr_in name = name_of(r, pair_await(&r->meeting.port));
    if (connect(w.fd, (struct sockaddr *)&name, sizeof name))
        return fail("connecting");
    if (has_tls && !(w.tls = tls_new(w.fd, false)))
        return pair_refuse("the handshake of TLS failed");
    tell_how(&w);
    run_begin(r);
    while (run_goes_on(r, RUN_SENDER, w.bytes))
        if (!write_all(&w, run_piece(w.bytes), RUN_PIECE_BYTES))
            return false;
    return finish(&w);
}

bool tcp_send(void *memory)
{
    return send_all(memory, false);
}

bool tls_send(void *memory)
{
    return send_all(memory, true);
}

/* -- the receiver ------------------------------------------------------------------------------ */

static bool accept_sender(struct wire *w, bool has_tls)
{
    struct sockaddr_in name = name_of(w->r, 0);
    socklen_t len = sizeof name;
    if (bind(w->fd, (struct sockaddr *)&name, sizeof name) || listen(w->fd, 1) ||
        getsockname(w->fd, (struct sockaddr *)&name, &len))
        return fail("listening");
    pair_tell(&w->r->meeting.port, ntohs(name.sin_port));
    int fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return fail("accepting");
    close(w->fd);
    w->fd = fd;
    return !has_tls || (w->tls = tls_new(fd, true)) || pair_refuse("the handshake of TLS failed");
}

static bool receive_all(struct run *r, bool has_tls)
{
    static uint8_t data[RUN_PIECE_BYTES];
    struct wire w;
    ssize_t n;
    if (!make(&w, r, RUN_RECEIVER) || !accept_sender(&w, has_tls))
        return false;
    while ((n = w.tls ? tls_read(w.tls, data, sizeof data) : recv(w.fd, data, sizeof data, 0)) >
           0) {
        w.bytes += (uint64_t)n;
        if (r->setup.hashes)
            XXH3_64bits_update(w.hash, data, (size_t)n);
        run_goes_on(r, RUN_RECEIVER, w.bytes);
    }
    return n == 0 ? end(&w) : fail("reading");
}

bool tcp_receive(void *memory)
{
    return receive_all(memory, false);
}

bool tls_receive(void *memory)
{
    return receive_all(memory, true);
}
