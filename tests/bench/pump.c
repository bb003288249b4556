/* SPDX-License-Identifier: MIT
 * bench/pump: the bare encrypted pump, what a program like sttcat could cost at least: pipe to UDP
 * to pipe, with the best cipher, in trains of 44 packets of 1,452 bytes, and no protocol. What is
 * lost ends it; a credit for what was written keeps the socket's buffer from overflowing.
 *
 * Usage: pump --receive PORT >pipe       on 127.0.0.1; ends with the sender's end
 *        pump --send PORT <pipe
 *        pump --limit BYTES              both in one, without pipes: prints what they moved
 *        pump --produce BYTES >pipe      a cheap source of bytes that are not all the same
 *        pump --consume <pipe            reads to the end; prints bytes, seconds since the first of
 *                                        them, and with STT_HASH=1 their hash
 *        pump --measure FILE NAME COMMAND...    appends NAME, seconds, CPU seconds, status to FILE
 *        pump --port                     a free one */
#include "crypto/aead.h"
#include "crypto/cpu.h"
#include "stt/base/bytes.h"
#include "tests/support/rng.h"
#include "tests/support/stopwatch.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    PACKET = 1452,
    HEADER = 8, /* the packet's number, little-endian */
    PAYLOAD = PACKET - HEADER - STT_AEAD_TAG_BYTES,
    TRAIN = 44,
    TRAIN_BYTES = TRAIN * PACKET,
    TRAIN_PAYLOAD = TRAIN * PAYLOAD,
    BATCH = 16,         /* trains that are read or written at once */
    WINDOW = 64,        /* trains that may be under way; who waits, waits for half of it */
    CREDIT = BATCH / 2, /* trains from one credit to the next, at least */
    SOCKET_BYTES = 4 << 20,
    PIPE_BYTES = 1 << 20,
    PIECE_BYTES = 256 << 10,
    SECONDS_OF_PATIENCE = 10,
};

static void die(const char *what)
{
    fprintf(stderr, "bench/pump: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void must(bool it_is, const char *what)
{
    if (!it_is)
        die(what);
}

/* -- packets ------------------------------------------------------------------------------------
 */

static const struct stt_aead_suite *suite;
static _Alignas(STT_AEAD_STATE_ALIGN) uint8_t state[STT_AEAD_STATE_MAX];

static void make_key(void)
{
    static const uint8_t key[STT_AEAD_KEY_MAX] = {1};
    suite = stt_aead_by_id(STT_AEAD_AEGIS_128X2, stt_cpu_detect());
    if (!suite)
        suite = stt_aead_by_id(STT_AEAD_CHACHA20_POLY1305, stt_cpu_detect());
    suite->init(state, key);
}

/* So many bytes as one train, the last packet perhaps shorter; answers its length. */
static size_t seal(uint8_t *out, const uint8_t *data, size_t len, uint64_t *number)
{
    static uint8_t nonces[TRAIN][STT_AEAD_NONCE_MAX];
    struct stt_aead_plain plain[TRAIN];
    struct bytes parts[TRAIN];
    size_t n = 0, at = 0;
    do {
        size_t part = len - at < PAYLOAD ? len - at : PAYLOAD;
        uint8_t *packet = out + n * PACKET;
        memcpy(packet, number, HEADER);
        memcpy(nonces[n], number, HEADER);
        parts[n] = bytes_of(data + at, part);
        plain[n] = (struct stt_aead_plain){nonces[n], bytes_of(packet, HEADER), &parts[n], 1,
                                           packet + HEADER};
        ++*number;
        at += part;
        n++;
    } while (at < len);
    suite->seal(state, plain, n);
    return len + n * (HEADER + STT_AEAD_TAG_BYTES);
}

/* Where it lies; each packet's bytes go to `out`. Answers how many parts there are. */
static size_t open_train(uint8_t *data, size_t len, size_t segment, uint64_t *number,
                         struct iovec *out)
{
    static uint8_t nonces[TRAIN][STT_AEAD_NONCE_MAX];
    struct stt_aead_sealed sealed[TRAIN];
    size_t n = 0;
    errno = EPROTO;
    for (size_t at = 0; at < len; at += segment, n++) {
        size_t packet = len - at < segment ? len - at : segment;
        must(n < TRAIN && packet >= HEADER + STT_AEAD_TAG_BYTES, "a train");
        must(memcmp(data + at, number, HEADER) == 0, "a packet was lost");
        memcpy(nonces[n], number, HEADER);
        sealed[n] = (struct stt_aead_sealed){nonces[n], bytes_of(data + at, HEADER),
                                             data + at + HEADER, packet - HEADER, false};
        out[n] = (struct iovec){data + at + HEADER, packet - HEADER - STT_AEAD_TAG_BYTES};
        ++*number;
    }
    must(suite->open(state, sealed, n) == n, "a packet does not open");
    return n;
}

/* -- sockets and pipes --------------------------------------------------------------------------
 */

static int open_socket(uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct timeval patience = {.tv_sec = SECONDS_OF_PATIENCE};
    int one = 1, bytes = SOCKET_BYTES, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    name.sin_port = htons(port);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&name, sizeof name) == 0, "socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    must(setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof one) == 0, "UDP_GRO");
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in name;
    socklen_t len = sizeof name;
    must(getsockname(fd, (struct sockaddr *)&name, &len) == 0, "getsockname");
    return ntohs(name.sin_port);
}

static void connect_to(int fd, uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    name.sin_port = htons(port);
    must(connect(fd, (struct sockaddr *)&name, sizeof name) == 0, "connect");
}

static void enlarge_pipe(int fd)
{
    (void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
}

static void write_all(struct iovec *parts, size_t n)
{
    while (n > 0) {
        ssize_t done = writev(STDOUT_FILENO, parts, (int)n);
        must(done >= 0, "stdout");
        for (; n > 0 && (size_t)done >= parts->iov_len; parts++, n--)
            done -= (ssize_t)parts->iov_len;
        if (n > 0) {
            parts->iov_base = (uint8_t *)parts->iov_base + done;
            parts->iov_len -= (size_t)done;
        }
    }
}

/* -- the sender ---------------------------------------------------------------------------------
 */

struct sender {
    int fd;
    uint64_t number, trains, credit; /* credit: trains that were written there */
};

static void send_train(struct sender *s, const uint8_t *train, size_t len)
{
    union {
        char bytes[CMSG_SPACE(sizeof(uint16_t))];
        struct cmsghdr header;
    } control = {.header = {.cmsg_level = SOL_UDP,
                            .cmsg_type = UDP_SEGMENT,
                            .cmsg_len = CMSG_LEN(sizeof(uint16_t))}};
    static const uint16_t segment = PACKET;
    struct iovec iov = {(void *)(uintptr_t)train, len};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    memcpy(CMSG_DATA(&control.header), &segment, sizeof segment);
    must(sendmsg(s->fd, &m, 0) == (ssize_t)len, "send");
    s->trains++;
}

static void wait_for_credit(struct sender *s, uint64_t least)
{
    while (s->credit < least)
        must(recv(s->fd, &s->credit, sizeof s->credit, 0) == sizeof s->credit, "no credit");
}

static void pump_out(struct sender *s, const uint8_t *data, size_t len)
{
    static uint8_t train[TRAIN_BYTES];
    if (s->trains >= s->credit + WINDOW)
        wait_for_credit(s, s->trains - WINDOW / 2);
    send_train(s, train, seal(train, data, len, &s->number));
}

/* The receiver may begin a moment later. */
static void find_receiver(struct sender *s)
{
    uint64_t hello = 0;
    for (unsigned tries = 0; tries < 500; tries++) {
        if (send(s->fd, &hello, 1, 0) == 1 && recv(s->fd, &hello, sizeof hello, 0) > 0)
            return;
        must(errno == ECONNREFUSED, "no receiver");
        usleep(10000);
    }
    die("no receiver");
}

static void say_end(struct sender *s)
{
    pump_out(s, NULL, 0);
    wait_for_credit(s, s->trains);
}

static void send_from_stdin(uint16_t port)
{
    static uint8_t data[BATCH * TRAIN_PAYLOAD];
    struct sender s = {.fd = open_socket(0)};
    size_t have = 0, at;
    connect_to(s.fd, port);
    enlarge_pipe(STDIN_FILENO);
    find_receiver(&s);
    for (ssize_t n; (n = read(STDIN_FILENO, data + have, sizeof data - have)) != 0;) {
        must(n > 0, "stdin");
        have += (size_t)n;
        for (at = 0; have - at >= TRAIN_PAYLOAD; at += TRAIN_PAYLOAD)
            pump_out(&s, data + at, TRAIN_PAYLOAD);
        memmove(data, data + at, have -= at);
    }
    if (have > 0)
        pump_out(&s, data, have);
    say_end(&s);
}

/* -- the receiver -------------------------------------------------------------------------------
 */

/* 0: nothing is there now. */
static size_t take_train(int fd, uint8_t *data, size_t *segment, bool wait)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control;
    struct iovec iov = {data, 65536};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(fd, &m, wait ? 0 : MSG_DONTWAIT);
    if (n < 0 && !wait && errno == EAGAIN)
        return 0;
    must(n > 0, "nothing comes");
    *segment = (size_t)n;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        int bytes;
        if (c->cmsg_level != SOL_UDP || c->cmsg_type != UDP_GRO)
            continue;
        memcpy(&bytes, CMSG_DATA(c), sizeof bytes);
        *segment = (size_t)bytes;
    }
    return (size_t)n;
}

static void meet_sender(int fd)
{
    struct sockaddr_in name;
    socklen_t len = sizeof name;
    uint64_t hello = 0;
    must(recvfrom(fd, &hello, sizeof hello, 0, (struct sockaddr *)&name, &len) > 0 &&
             connect(fd, (struct sockaddr *)&name, len) == 0 && send(fd, &hello, 1, 0) == 1,
         "no sender");
}

/* Ends with an empty packet. Answers the bytes. */
static uint64_t receive(int fd, bool writes)
{
    static uint8_t data[BATCH][65536];
    static struct iovec parts[BATCH * TRAIN];
    uint64_t number = 0, trains = 0, credit = 0, bytes = 0;
    meet_sender(fd);
    for (bool is_over = false; !is_over;) {
        size_t n = 0, segment;
        for (unsigned i = 0; i < BATCH && !is_over; i++) {
            size_t len = take_train(fd, data[i], &segment, i == 0);
            if (len == 0)
                break;
            size_t more = open_train(data[i], len, segment, &number, parts + n);
            for (size_t k = n; k < n + more; k++)
                bytes += parts[k].iov_len;
            n += more;
            is_over = parts[n - 1].iov_len == 0;
            trains += (more + TRAIN - 1) / TRAIN;
        }
        if (writes)
            write_all(parts, n);
        if (trains - credit < CREDIT && !is_over)
            continue;
        credit = trains;
        must(send(fd, &credit, sizeof credit, 0) == sizeof credit, "credit");
    }
    return bytes;
}

static void receive_to_stdout(uint16_t port)
{
    int fd = open_socket(port);
    enlarge_pipe(STDOUT_FILENO);
    receive(fd, true);
    must(close(STDOUT_FILENO) == 0, "stdout");
}

/* -- both, without pipes ------------------------------------------------------------------------
 */

static void pin(unsigned core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
    sched_setaffinity(0, sizeof set, &set);
}

static void fill(uint8_t *data, size_t len)
{
    struct rng rng = rng_init(1);
    rng_fill(&rng, data, len);
}

static void limit(uint64_t bytes)
{
    static uint8_t data[BATCH * TRAIN_PAYLOAD];
    int fd = open_socket(0), status;
    struct sender s = {.fd = open_socket(0)};
    struct rusage receiver;
    connect_to(s.fd, port_of(fd));
    fill(data, sizeof data);
    pid_t child = fork();
    if (child == 0) {
        pin(1);
        exit(receive(fd, false) != bytes);
    }
    pin(0);
    find_receiver(&s);
    double began = wall_seconds(), cpu = cpu_seconds();
    for (uint64_t left = bytes, i = 0; left > 0; i++) {
        size_t len = left < TRAIN_PAYLOAD ? (size_t)left : TRAIN_PAYLOAD;
        pump_out(&s, data + i % BATCH * TRAIN_PAYLOAD, len);
        left -= len;
    }
    say_end(&s);
    double seconds = wall_seconds() - began, gigabytes = (double)bytes * 1e-9;
    cpu = cpu_seconds() - cpu;
    must(wait4(child, &status, 0, &receiver) == child && status == 0, "the receiver");
    double other = (double)(receiver.ru_utime.tv_sec + receiver.ru_stime.tv_sec) +
                   (double)(receiver.ru_utime.tv_usec + receiver.ru_stime.tv_usec) * 1e-6;
    printf("%.2f Gbit/s, CPU s/GB %.3f / %.3f, %s\n", gigabytes * 8 / seconds, cpu / gigabytes,
           other / gigabytes, suite->name);
}

/* -- ends of pipes ------------------------------------------------------------------------------
 */

/* The same bytes for the same number, and none of its pieces like its neighbours. */
static void produce(uint64_t bytes)
{
    static uint8_t data[8 * PIECE_BYTES];
    struct rng rng = rng_init(2);
    fill(data, sizeof data);
    enlarge_pipe(STDOUT_FILENO);
    for (uint64_t left = bytes; left > 0;) {
        size_t len = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        struct iovec part = {data + rng_below(&rng, sizeof data - len), len};
        write_all(&part, 1);
        left -= len;
    }
    must(close(STDOUT_FILENO) == 0, "stdout");
}

static void consume(void)
{
    static uint8_t data[4 * PIECE_BYTES];
    XXH3_state_t *hash = getenv("STT_HASH") ? XXH3_createState() : NULL;
    uint64_t bytes = 0;
    double began = 0;
    if (hash)
        XXH3_64bits_reset(hash);
    enlarge_pipe(STDIN_FILENO);
    for (ssize_t n; (n = read(STDIN_FILENO, data, sizeof data)) != 0; bytes += (uint64_t)n) {
        must(n > 0, "stdin");
        began = bytes ? began : wall_seconds();
        if (hash)
            XXH3_64bits_update(hash, data, (size_t)n);
    }
    printf("%llu %.6f %016llx\n", (unsigned long long)bytes, bytes ? wall_seconds() - began : 0,
           hash ? (unsigned long long)XXH3_64bits_digest(hash) : 0);
    XXH3_freeState(hash);
}

static int measure(const char *file, const char *name, char **command)
{
    struct rusage usage;
    int status = 0;
    double began = wall_seconds();
    pid_t child = fork();
    if (child == 0) {
        execvp(command[0], command);
        die(command[0]);
    }
    must(child > 0 && wait4(child, &status, 0, &usage) == child, "wait");
    status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    FILE *f = fopen(file, "ae");
    must(f, file);
    fprintf(f, "%s %.6f %.6f %d\n", name, wall_seconds() - began,
            (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6,
            status);
    must(fclose(f) == 0, file);
    return status;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "", *value = argc > 2 ? argv[2] : "0";
    uint64_t number = strtoull(value, NULL, 10);
    make_key();
    if (strcmp(what, "--measure") == 0 && argc > 4)
        return measure(argv[2], argv[3], argv + 4);
    if (strcmp(what, "--send") == 0)
        send_from_stdin((uint16_t)number);
    else if (strcmp(what, "--receive") == 0)
        receive_to_stdout((uint16_t)number);
    else if (strcmp(what, "--limit") == 0)
        limit(number);
    else if (strcmp(what, "--produce") == 0)
        produce(number);
    else if (strcmp(what, "--consume") == 0)
        consume();
    else if (strcmp(what, "--port") == 0)
        printf("%u\n", port_of(open_socket(0)));
    else {
        fputs("usage: pump --send PORT | --receive PORT | --limit BYTES | --produce BYTES | "
              "--consume | --measure FILE NAME COMMAND... | --port\n",
              stderr);
        return 2;
    }
    return 0;
}
