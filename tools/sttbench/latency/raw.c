/* SPDX-License-Identifier: MIT
 * raw: the echo without a protocol: one UDP socket on each side, connected to the other. What STT
 * is measured against. */
#include "tools/sttbench/latency/latency.h"
#include "tools/sttbench/shared/pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { LOST_MAX = 3 }; /* one after the other: nobody is there */

static bool meet(int fd, struct latency_run *run, int end)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct timeval patience = {.tv_sec = 1};
    socklen_t len = sizeof at;
    if (bind(fd, (struct sockaddr *)&at, len) || getsockname(fd, (struct sockaddr *)&at, &len) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience))
        return false;
    pair_tell(&run->raw_ports[end], ntohs(at.sin_port));
    at.sin_port = htons((uint16_t)pair_await(&run->raw_ports[1 - end]));
    return connect(fd, (struct sockaddr *)&at, len) == 0;
}

int latency_raw_socket(struct latency_run *run, int end)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && meet(fd, run, end))
        return fd;
    pair_refuse("no UDP socket on 127.0.0.1: %s", strerror(errno));
    return -1;
}

/* As recv(): waits in the kernel, or asks it again and again for as long as that would. */
static ssize_t take(int fd, bool spins, uint8_t *message)
{
    if (!spins)
        return recv(fd, message, LATENCY_BYTES, 0);
    double until = 0;
    for (;;) {
        for (int i = 0; i < 1000; i++) {
            ssize_t n = recv(fd, message, LATENCY_BYTES, MSG_DONTWAIT);
            if (n >= 0 || errno != EAGAIN)
                return n;
        }
        double now = figures_wall_s();
        until = until > 0 ? until : now + 1;
        if (now > until)
            return -1;
    }
}

static bool ask_one(int fd, bool spins, uint64_t number, bool is_last)
{
    uint8_t message[LATENCY_BYTES], answer[LATENCY_BYTES];
    latency_fill(message, number, is_last);
    if (send(fd, message, sizeof message, 0) != sizeof message)
        return false;
    while (take(fd, spins, answer) == sizeof answer)
        if (memcmp(message, answer, sizeof answer) == 0) /* or one that was given up */
            return true;
    return false;
}

bool latency_raw_ask(int fd, bool spins, stt_ns slice_ns, struct latency_slice *slice)
{
    double now = figures_clock_ns(CLOCK_MONOTONIC), until = now + (double)slice_ns;
    uint32_t lost = 0;
    uint64_t number = 0;
    bool is_last = false;
    for (; lost < LOST_MAX; number++) {
        double began = now;
        is_last = now >= until && number > LATENCY_WARM;
        bool is_answered = ask_one(fd, spins, number, is_last);
        now = figures_clock_ns(CLOCK_MONOTONIC);
        if (is_answered && is_last)
            return true;
        if (is_answered)
            latency_keep(slice, number, began, now);
        lost = is_answered ? 0 : lost + 1;
        slice->lost += !is_answered;
    }
    return pair_refuse("plain UDP datagrams are not answered on 127.0.0.1: look for a firewall");
}

bool latency_raw_answer(int fd, bool spins)
{
    uint8_t message[LATENCY_BYTES];
    for (int silent = 0; silent < 2 * LOST_MAX;) {
        if (take(fd, spins, message) != sizeof message) {
            silent++;
            continue;
        }
        silent = 0;
        if (send(fd, message, sizeof message, 0) != sizeof message)
            continue;
        if (latency_is_last(message))
            return true;
    }
    return false;
}
