/* SPDX-License-Identifier: MIT
 * tcp: a flow of the kernel's TCP that always has something to send. Owns its two sockets. What was
 * not sent by its end is forgotten, so that it leaves nothing to those that go on. */
#include "tests/bench/rivals/cast.h"
#include "tests/bench/rivals/relay.h"
#include "tools/common/say.h"
#include "tools/sttbench/shared/pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 32 << 20, PIECE_BYTES = 256 << 10 }; /* the kernel doubles the first */

static uint8_t piece[PIECE_BYTES];

static bool complain(const char *what)
{
    say_error("%s: %s", what, strerror(errno));
    return false;
}

static int open_socket(const struct cast_seat *seat)
{
    int bytes = BUFFER_BYTES, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const char *congestion = seat->flow.congestion;
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
    if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, congestion, (socklen_t)strlen(congestion)))
        (void)complain(congestion);
    return fd;
}

static struct sockaddr_in name_of(uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, NETS_FAR, &name.sin_addr);
    return name;
}

/* -- the receiver -------------------------------------------------------------------------------
 */

bool tcp_receive(struct cast_board *b, struct cast_seat *seat)
{
    struct sockaddr_in name = name_of(0);
    socklen_t len = sizeof name;
    int listener = open_socket(seat), fd;
    (void)b;
    if (bind(listener, (struct sockaddr *)&name, sizeof name) || listen(listener, 1) ||
        getsockname(listener, (struct sockaddr *)&name, &len))
        return complain("nobody can listen");
    pair_tell(&seat->meeting.port, ntohs(name.sin_port));
    fd = accept(listener, NULL, NULL);
    for (ssize_t n; (n = read(fd, piece, sizeof piece)) > 0;)
        atomic_fetch_add_explicit(&seat->bytes, (uint64_t)n, memory_order_relaxed);
    return true; /* the sender has ended it */
}

/* -- the sender ---------------------------------------------------------------------------------
 */

static void look(int fd, struct cast_seat *seat)
{
    struct tcp_info info = {0};
    socklen_t len = sizeof info;
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len))
        return;
    uint64_t mss = info.tcpi_snd_mss;
    atomic_store(&seat->window_bytes, info.tcpi_snd_cwnd * mss);
    atomic_store(&seat->threshold_bytes,
                 info.tcpi_snd_ssthresh < INT32_MAX ? info.tcpi_snd_ssthresh * mss : 0);
    atomic_store(&seat->rtt_ns, STT_US(info.tcpi_rtt));
    atomic_store(&seat->resent_bytes, info.tcpi_bytes_retrans);
}

static bool write_all_there_is_room_for(int fd)
{
    ssize_t n;
    while ((n = write(fd, piece, sizeof piece)) > 0)
        ;
    return errno == EAGAIN || errno == EINTR;
}

bool tcp_send(struct cast_board *b, struct cast_seat *seat)
{
    struct sockaddr_in name = name_of((uint16_t)pair_await(&seat->meeting.port));
    struct linger forget = {.l_onoff = 1};
    int fd = open_socket(seat);
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &forget, sizeof forget);
    if (connect(fd, (struct sockaddr *)&name, sizeof name))
        return complain("no connection");
    atomic_store(&seat->began_ns, relay_now());
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (stt_ns now, deadline = cast_deadline(b, seat); (now = relay_now()) < deadline;) {
        struct pollfd p = {fd, POLLOUT, 0};
        if (!write_all_there_is_room_for(fd))
            return complain("writing fails");
        look(fd, seat);
        (void)poll(&p, 0, CAST_SAMPLE_MS); /* the buffer holds more than goes meanwhile */
    }
    close(fd);
    return true;
}
