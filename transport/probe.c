/* SPDX-License-Identifier: MIT
 * probe: does each thing once, on loopback and with rings of its own, and says in one sentence what
 * stood in the way. What a kernel calls itself is never asked. It knows nothing of the drivers. */
#include "transport/probe.h"

#include "transport/control.h"
#include "transport/socket.h"

#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PATIENCE_MS = 1000, SEGMENT_BYTES = 100, SEGMENTS = 3 };

static struct stt_probe answers;

/* False, and why. */
__attribute__((format(printf, 2, 3))) static bool no(enum stt_probe_item item, const char *format,
                                                     ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(answers.items[item].why, sizeof answers.items[item].why, format, list);
    va_end(list);
    return false;
}

/* -- rings ---------------------------------------------------------------------------------------
 */

/* 0: rings are for all; 1: for a group; 2: for nobody. -1: there is no such setting. */
static int rings_disabled(void)
{
    int value = -1;
    FILE *f = fopen("/proc/sys/kernel/io_uring_disabled", "re");
    if (!f)
        return -1;
    if (fscanf(f, "%d", &value) != 1)
        value = -1;
    fclose(f);
    return value;
}

static bool no_ring(enum stt_probe_item item, int error)
{
    const int disabled = rings_disabled();
    switch (error) {
    case ENOSYS:
        return no(item, "the kernel has no io_uring: take one from 6.1 on");
    case EPERM:
    case EACCES:
        if (disabled > 0)
            return no(item,
                      "kernel.io_uring_disabled is %d: run "
                      "`sysctl -w kernel.io_uring_disabled=0` as root",
                      disabled);
        return no(item,
                  "io_uring is denied, as many containers do by seccomp: allow io_uring_setup, "
                  "io_uring_enter and io_uring_register");
    case ENOMEM:
        return no(item, "a ring needs more locked memory than RLIMIT_MEMLOCK: raise `ulimit -l`");
    case EINVAL:
        return no(item, "the kernel's io_uring is too old: take one from 6.1 on");
    case EMFILE:
    case ENFILE:
        return no(item, "no descriptor is left for a ring: raise `ulimit -n`");
    default:
        return no(item, "no ring can be made: %s", strerror(error));
    }
}

/* One operation, there and back. */
static int turn(struct io_uring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    if (!sqe)
        return EINVAL;
    io_uring_prep_nop(sqe);
    struct io_uring_cqe *cqe;
    int n = io_uring_submit_and_wait(ring, 1);
    if (n < 0)
        return -n;
    n = io_uring_peek_cqe(ring, &cqe);
    if (n < 0)
        return -n;
    n = cqe->res;
    io_uring_cqe_seen(ring, cqe);
    return n < 0 ? -n : 0;
}

/* As uring makes it: disabled, and then enabled by the thread that it belongs to. */
static int open_ring(struct io_uring *ring, unsigned flags)
{
    struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_R_DISABLED |
                                              flags};
    int n = io_uring_queue_init_params(4, ring, &params);
    if (n < 0)
        return -n;
    /* by number: libraries of 2.3 declare its function and do not have it */
    n = io_uring_register((unsigned)ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
    int error = n < 0 ? -n : turn(ring);
    if (error)
        io_uring_queue_exit(ring);
    return error;
}

static bool try_uring(enum stt_probe_item item)
{
    struct io_uring ring;
    int error = open_ring(&ring, IORING_SETUP_COOP_TASKRUN);
    if (error)
        return no_ring(item, error);
    io_uring_queue_exit(&ring);
    return true;
}

/* An eventfd of the ring becomes readable in an epoll when what the ring watches does. */
static bool is_woken(struct io_uring *ring, int event, int watched, int epoll)
{
    struct epoll_event e = {.events = EPOLLIN};
    uint64_t one = 1;
    struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
    if (!sqe || epoll_ctl(epoll, EPOLL_CTL_ADD, event, &e) != 0 ||
        io_uring_register_eventfd(ring, event) != 0)
        return false;
    io_uring_prep_poll_add(sqe, watched, POLLIN);
    if (io_uring_submit(ring) != 1 || epoll_wait(epoll, &e, 1, 0) != 0)
        return false;
    return write(watched, &one, sizeof one) == sizeof one &&
           epoll_wait(epoll, &e, 1, PATIENCE_MS) == 1;
}

static bool try_defer(enum stt_probe_item item)
{
    struct io_uring ring;
    int error = open_ring(&ring, IORING_SETUP_DEFER_TASKRUN);
    if (error)
        return no_ring(item, error);
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int watched = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    bool works = event >= 0 && watched >= 0 && epoll >= 0 && is_woken(&ring, event, watched, epoll);
    io_uring_queue_exit(&ring);
    int files[] = {event, watched, epoll};
    for (unsigned i = 0; i < 3; i++)
        if (files[i] >= 0)
            close(files[i]);
    return works ||
           no(item, "a ring with DEFER_TASKRUN does not wake an epoll: a newer kernel would");
}

/* -- sockets -------------------------------------------------------------------------------------
 */

static bool open_loopback(struct stt_socket *s, bool is_ipv6, bool reuse_port)
{
    struct stt_socket_options options = {.reuse_port = reuse_port};
    options.local.ip[15] = 1;
    if (!is_ipv6)
        memcpy(options.local.ip, (uint8_t[16]){[10] = 0xff, 0xff, 127, [15] = 1}, 16);
    return stt_socket_open(s, &options) == STT_OK;
}

static int send_train(const struct stt_socket *s, const struct stt_socket *to)
{
    uint8_t data[SEGMENTS * SEGMENT_BYTES] = {0};
    struct stt_driver_train train = {.remote = to->local, .segment_bytes = SEGMENT_BYTES};
    struct stt_control_name name;
    union stt_control control;
    struct iovec iov = {data, sizeof data};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes};
    train.len = sizeof data;
    m.msg_controllen = stt_control_encode(s, &train, 0, true, &name, &control);
    m.msg_name = &name.storage;
    m.msg_namelen = name.len;
    return sendmsg(s->fd, &m, 0) < 0 ? errno : 0;
}

/* The bytes of the first that comes. */
static ssize_t receive_one(const struct stt_socket *s)
{
    uint8_t data[SEGMENTS * SEGMENT_BYTES];
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    if (poll(&p, 1, PATIENCE_MS) != 1)
        return -1;
    return recv(s->fd, data, sizeof data, 0);
}

/* To itself. The answer: what came first, or minus errno. */
static ssize_t loop_train(bool *is_known, bool is_of_gro)
{
    struct stt_socket s;
    if (!open_loopback(&s, false, false))
        return -errno;
    *is_known = is_of_gro ? s.has_gro : s.has_gso;
    int error = *is_known ? send_train(&s, &s) : 0;
    ssize_t n = error || !*is_known ? -error : receive_one(&s);
    close(s.fd);
    return n;
}

static bool try_gso(enum stt_probe_item item)
{
    bool is_known = false;
    ssize_t n = loop_train(&is_known, false);
    if (n >= SEGMENT_BYTES)
        return true;
    if (!is_known)
        return no(item, "the kernel does not know UDP_SEGMENT: take one from 4.18 on");
    return no(item, "a train of datagrams cannot be sent on loopback: %s",
              n < 0 ? strerror((int)-n) : "it does not arrive");
}

static bool try_gro(enum stt_probe_item item)
{
    bool is_known = false;
    ssize_t n = loop_train(&is_known, true);
    if (n == SEGMENTS * SEGMENT_BYTES)
        return true;
    if (!is_known)
        return no(item, "the kernel does not know UDP_GRO: take one from 5.0 on");
    return no(item, "datagrams of a train arrive one by one on loopback; perhaps UDP_SEGMENT is "
                    "missing");
}

static bool try_ipv6(enum stt_probe_item item)
{
    struct stt_socket s;
    if (!open_loopback(&s, true, false))
        return no(item,
                  "no socket can be opened on ::1: run "
                  "`sysctl -w net.ipv6.conf.lo.disable_ipv6=0` as root, if the kernel has IPv6");
    close(s.fd);
    return true;
}

static bool try_steering(enum stt_probe_item item)
{
    struct stt_socket s;
    if (!open_loopback(&s, false, true))
        return no(item, "no socket that shares its port (SO_REUSEPORT) can be opened on 127.0.0.1");
    int error = stt_socket_steer(&s, 1, 2, 1);
    close(s.fd);
    return error == STT_OK || no(item, "SO_ATTACH_REUSEPORT_CBPF is denied or not there: workers "
                                       "hand datagrams over instead");
}

/* -------------------------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    bool (*try)(enum stt_probe_item item);
} rows[STT_PROBE_ITEMS] = {
    [STT_PROBE_URING] = {"uring", try_uring}, [STT_PROBE_DEFER] = {"defer", try_defer},
    [STT_PROBE_GSO] = {"gso", try_gso},       [STT_PROBE_GRO] = {"gro", try_gro},
    [STT_PROBE_IPV6] = {"ipv6", try_ipv6},    [STT_PROBE_STEERING] = {"steering", try_steering},
};

static void ask(void)
{
    for (unsigned i = 0; i < STT_PROBE_ITEMS; i++) {
        answers.items[i].name = rows[i].name;
        answers.items[i].works = rows[i].try((enum stt_probe_item)i);
    }
}

const struct stt_probe *stt_probe(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, ask);
    return &answers;
}
