/* SPDX-License-Identifier: MIT
 * trains: UDP in trains of equal datagrams and no protocol: with a cipher that is the limit, what
 * this machine could do at best; without one it is plain UDP. All packets of a train are sealed in
 * one call from where the bytes lie, and opened where they came, as STT does it; nothing is copied
 * that the kernel does not copy, nothing is sent again. A word of the receiver every few trains
 * keeps the sender from overrunning it; what is lost is not counted.
 *
 *     with a cipher    | header 13, begins with the number 8 | frame 10, payload | tag 16 |
 *     without          | number 8 | payload |
 *
 * The header and the frame are as long as STT's, so payload per packet is the same. */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/base/bytes.h"
#include "tools/sttbench/compare/run.h"
#include "tools/sttbench/shared/figures.h"
#include "tools/sttbench/shared/pair.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xxhash.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
    TRAIN_BYTES = 65507,
    SEGMENTS_MAX = 64,
    ROOM = 1 << 16,
    NUMBER = 8,
    HEADER = 13,
    FRAME = 10, /* type, stream, and an offset of 8 bytes */
    SOCKET_BYTES = 4 << 20,
    PATIENCE_MS = 20, /* what was not credited until then is lost */
    ENDS = 8,         /* the last datagram, which may be lost, too */
};

#define SPIN_S 50e-6

struct wagon {
    struct run *r;
    enum run_side side;
    int fd;
    const struct stt_aead_suite *suite; /* NULL: plain */
    size_t packet, segments, header, plain;
    uint64_t number;        /* the next packet's; the receiver's: after the highest */
    uint64_t told;          /* sender: credited; receiver: when it said so last */
    uint64_t packets, lost; /* that came, in all */
    _Alignas(STT_AEAD_STATE_ALIGN) uint8_t state[STT_AEAD_STATE_MAX];
};

static bool fail(const char *what)
{
    return pair_refuse("%s: %s", what, strerror(errno));
}

static size_t payload_of(const struct wagon *w)
{
    return w->suite ? w->plain - FRAME : w->plain;
}

static bool make(struct wagon *w, struct run *r, enum run_side side)
{
    static const uint8_t key[STT_AEAD_KEY_MAX] = {1};
    struct timeval patience = {.tv_usec = PATIENCE_MS * 1000};
    int one = 1, bytes = SOCKET_BYTES;
    *w = (struct wagon){.r = r, .side = side, .packet = r->setup.packet_bytes};
    if (r->setup.suite) {
        w->suite = stt_aead_by_name(r->setup.suite, stt_cpu_detect());
        w->suite->init(w->state, key);
    }
    w->header = w->suite ? HEADER : NUMBER;
    w->plain = w->packet - w->header - (w->suite ? STT_AEAD_TAG_BYTES : 0);
    w->segments = TRAIN_BYTES / w->packet < SEGMENTS_MAX ? TRAIN_BYTES / w->packet : SEGMENTS_MAX;
    w->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (w->fd < 0)
        return fail("a socket");
    (void)setsockopt(w->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    (void)setsockopt(w->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    (void)setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (setsockopt(w->fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one))
        return fail("this kernel has no UDP_GRO");
    return true;
}

static struct sockaddr_in name_of(const struct run *r, uint32_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, r->setup.address, &name.sin_addr);
    return name;
}

/* Adaptive: looks for a moment before it sleeps. -1 with EAGAIN: nothing came in PATIENCE_MS. */
static ssize_t take(const struct wagon *w, struct msghdr *m)
{
    ssize_t n;
    if (w->r->setup.way == RUN_CALLS)
        return recvmsg(w->fd, m, 0);
    double until = 0;
    while ((n = recvmsg(w->fd, m, MSG_DONTWAIT)) < 0 && errno == EAGAIN) {
        double now = figures_wall_s();
        until = until > 0 ? until : now + SPIN_S;
        if (now > until)
            return recvmsg(w->fd, m, 0);
    }
    return n;
}

/* -- the sender -------------------------------------------------------------------------------- */

static void tell_hashes(const struct wagon *w, const uint8_t *data)
{
    for (size_t i = 0; i < w->segments; i++) {
        uint64_t hash = XXH3_64bits(data + i * w->plain, w->plain);
        atomic_store_explicit(&w->r->hashes[(w->number + i) % RUN_HASHES], hash,
                              memory_order_relaxed);
    }
}

static void build(struct wagon *w, uint8_t *out)
{
    static uint8_t nonces[SEGMENTS_MAX][STT_AEAD_NONCE_MAX];
    struct stt_aead_plain plain[SEGMENTS_MAX];
    struct bytes parts[SEGMENTS_MAX];
    static uint8_t copied[ROOM];
    const uint8_t *data = run_piece(w->number);
    if (w->r->setup.copies && w->suite)
        data = memcpy(copied, data, w->segments * w->plain);
    if (w->r->setup.hashes)
        tell_hashes(w, data);
    for (size_t i = 0; i < w->segments; i++) {
        uint8_t *packet = out + i * w->packet;
        uint64_t number = w->number + i;
        memcpy(packet, &number, NUMBER);
        memcpy(nonces[i], &number, NUMBER);
        parts[i] = bytes_of(data + i * w->plain, w->plain);
        plain[i] = (struct stt_aead_plain){nonces[i], bytes_of(packet, w->header), &parts[i], 1,
                                           packet + w->header};
    }
    if (w->suite)
        w->suite->seal(w->state, plain, w->segments);
    else
        for (size_t i = 0; i < w->segments; i++)
            memcpy(out + i * w->packet + w->header, parts[i].data, parts[i].len);
    w->number += w->segments;
}

static bool send_train(struct wagon *w, uint8_t *train)
{
    union {
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr header;
    } control = {.header = {.cmsg_level = SOL_UDP,
                            .cmsg_type = UDP_SEGMENT,
                            .cmsg_len = CMSG_LEN(sizeof(uint16_t))}};
    uint16_t segment = (uint16_t)w->packet;
    struct iovec iov = {train, w->segments * w->packet};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    memcpy(CMSG_DATA(&control.header), &segment, sizeof segment);
    while (sendmsg(w->fd, &m, 0) < 0)
        if (errno != EINTR && errno != ECONNREFUSED)
            return fail("sending");
    return true;
}

/* Sleeps until half of the window is free, so that it does so seldom. */
static bool wait_for_credit(struct wagon *w)
{
    uint64_t window = w->r->setup.window * w->segments;
    uint64_t credit;
    struct iovec iov = {&credit, sizeof credit};
    if (w->number < w->told + window)
        return true;
    while (w->told + window / 2 < w->number) {
        struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
        ssize_t n = take(w, &m);
        if (n == sizeof credit)
            w->told = credit > w->told ? credit : w->told;
        else if (n < 0 && errno == EAGAIN)
            w->told = w->number;
        else if (n < 0 && errno != EINTR)
            return fail("waiting for credit");
    }
    return true;
}

bool trains_send(void *memory)
{
    static _Alignas(64) uint8_t train[ROOM];
    struct wagon w;
    struct run *r = memory;
    if (!make(&w, r, RUN_SENDER))
        return false;
    struct sockaddr_in name = name_of(r, pair_await(&r->meeting.port));
    if (connect(w.fd, (struct sockaddr *)&name, sizeof name))
        return fail("connecting");
    snprintf(r->how, sizeof r->how, "%s, %u trains", run_way_names[r->setup.way], r->setup.window);
    run_begin(r);
    while (run_goes_on(r, RUN_SENDER, w.number * payload_of(&w))) {
        if (!wait_for_credit(&w))
            return false;
        build(&w, train);
        if (!send_train(&w, train))
            return false;
    }
    for (unsigned i = 0; i < ENDS; i++)
        (void)!send(w.fd, train, 1, 0);
    return true;
}

/* -- the receiver ------------------------------------------------------------------------------ */

static bool check(struct wagon *w, uint64_t number, const uint8_t *data, size_t len)
{
    uint64_t wanted =
        atomic_load_explicit(&w->r->hashes[number % RUN_HASHES], memory_order_relaxed);
    if (XXH3_64bits(data, len) == wanted)
        return true;
    atomic_store(&w->r->is_wrong, 1);
    return pair_refuse("packet %llu is not as it was sent", (unsigned long long)number);
}

static bool open_train(struct wagon *w, uint8_t *data, size_t len, size_t segment)
{
    static uint8_t nonces[SEGMENTS_MAX][STT_AEAD_NONCE_MAX];
    struct stt_aead_sealed sealed[SEGMENTS_MAX];
    size_t n = 0;
    if (segment != w->packet || len % segment || len / segment > SEGMENTS_MAX)
        return pair_refuse("a train came otherwise than it went");
    for (size_t at = 0; at < len; at += segment, n++) {
        memcpy(nonces[n], data + at, NUMBER);
        sealed[n] = (struct stt_aead_sealed){nonces[n], bytes_of(data + at, w->header),
                                             data + at + w->header, segment - w->header, false};
    }
    if (w->suite && w->suite->open(w->state, sealed, n) != n)
        return pair_refuse("a packet does not open");
    for (size_t i = 0; i < n; i++) {
        uint64_t number;
        memcpy(&number, nonces[i], NUMBER);
        if (w->r->setup.hashes && !check(w, number, sealed[i].data, w->plain))
            return false;
        w->number = number >= w->number ? number + 1 : w->number;
    }
    w->packets += n;
    return true;
}

static size_t segment_of(struct msghdr *m, size_t len)
{
    int bytes = (int)len;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
            memcpy(&bytes, CMSG_DATA(c), sizeof bytes);
    return (size_t)bytes;
}

/* True until the end has come. */
static bool take_train(struct wagon *w, uint8_t *data, struct sockaddr_in *from, bool *is_over)
{
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec iov = {data, ROOM};
    struct msghdr m = {.msg_name = from,
                       .msg_namelen = sizeof *from,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof control};
    ssize_t n = take(w, &m);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR || fail("receiving");
    *is_over = n > 0 && (size_t)n < w->packet;
    return *is_over || open_train(w, data, (size_t)n, segment_of(&m, (size_t)n));
}

bool trains_receive(void *memory)
{
    static _Alignas(64) uint8_t data[ROOM];
    struct wagon w;
    struct run *r = memory;
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    if (!make(&w, r, RUN_RECEIVER))
        return false;
    struct sockaddr_in name = name_of(r, 0);
    if (bind(w.fd, (struct sockaddr *)&name, sizeof name) ||
        getsockname(w.fd, (struct sockaddr *)&name, &len))
        return fail("a socket");
    pair_tell(&r->meeting.port, ntohs(name.sin_port));
    uint64_t step = r->setup.window * w.segments / 4;
    for (bool is_over = false; !is_over;) {
        if (!take_train(&w, data, &from, &is_over))
            return false;
        run_goes_on(r, RUN_RECEIVER, w.packets * payload_of(&w));
        if (w.number < w.told + step)
            continue;
        w.told = w.number;
        (void)!sendto(w.fd, &w.told, sizeof w.told, 0, (struct sockaddr *)&from, sizeof from);
    }
    r->packets_lost = w.number - w.packets;
    return true;
}
