/* SPDX-License-Identifier: MIT
 * Lives of a driver on io_uring with queues and buffers that are much too small, on a kernel with
 * bad days, among sockets that come and go: all that is sent arrives, in order, by socket; whoever
 * waits or polls is told; and every descriptor is given back. */
#include "tests/support/rng.h"
#include "tests/support/suite.h"
#include "tests/support/udp.h"
#include "transport/uring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { SEEDS = 30, FLOWS = 4, DATAGRAMS = 400, AHEAD = 100, PATIENCE_S = 20 };

/* From one socket of the driver to another. */
struct flow {
    uint32_t from, to, sent, received;
    struct stt_socket here, there;
};

enum manner { WAITS, POLLS, EDGES, MANNERS };

struct life {
    struct rng rng;
    struct stt_driver *d;
    struct flow flows[FLOWS];
    uint32_t guest; /* a socket that comes and goes */
    bool has_guest;
    enum manner manner;
    int epoll;
    unsigned fault_percent;
    uint32_t echoed[STT_DRIVER_SOCKETS_MAX];
};

static int on_send(void *ctx, const struct stt_driver_train *train)
{
    static const int errors[] = {EAGAIN, EAGAIN, ENOBUFS, ECONNREFUSED, EINTR};
    struct life *l = ctx;
    if (rng_below(&l->rng, 100) >= l->fault_percent)
        return 0;
    if (train->len > train->segment_bytes && rng_below(&l->rng, 2))
        return EIO;
    int error = errors[rng_below(&l->rng, 5)];
    uint32_t number;
    memcpy(&number, train->data, sizeof number);
    if (error != ECONNREFUSED)
        return error;
    if (number < l->echoed[train->socket]) /* once more is all that it gets */
        return EAGAIN;
    l->echoed[train->socket] = number + 1;
    return error;
}

static uint32_t socket_add(struct life *l, struct stt_socket *s)
{
    uint32_t number;
    *s = udp_open("127.0.0.1");
    ck_assert_int_eq(stt_driver_add(l->d, s, &number), STT_OK);
    return number;
}

static void life_init(struct life *l, unsigned seed, const struct stt_driver_faults *faults)
{
    *l = (struct life){.rng = rng_init(seed), .manner = seed % MANNERS, .epoll = -1};
    l->fault_percent = (unsigned)rng_below(&l->rng, 3) * 15;
    const struct stt_uring_knobs knobs = {.without_defer = seed / MANNERS & 1,
                                          .sq_entries = 2u << rng_below(&l->rng, 4),
                                          .cq_entries = 16u << rng_below(&l->rng, 3)};
    const struct stt_driver_config config = {.receive_buffers = 4u << rng_below(&l->rng, 4),
                                             .send_buffers = 2 + (uint32_t)rng_below(&l->rng, 8),
                                             .faults = faults};
    ck_assert_int_eq(stt_uring_new_with(&l->d, &config, &knobs), STT_OK);
    for (unsigned i = 0; i < FLOWS; i++) {
        l->flows[i].from = socket_add(l, &l->flows[i].here);
        l->flows[i].to = socket_add(l, &l->flows[i].there);
    }
    if (l->manner == WAITS)
        return;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | (l->manner == EDGES ? EPOLLET : 0)};
    ck_assert_int_eq(epoll_ctl(l->epoll, EPOLL_CTL_ADD, stt_driver_fd(l->d), &event), 0);
}

static void life_fini(struct life *l)
{
    if (l->epoll >= 0)
        close(l->epoll);
    stt_driver_free(l->d);
}

static bool send_train(struct life *l, struct flow *f)
{
    uint8_t *room =
        f->sent < DATAGRAMS && f->sent - f->received < AHEAD ? stt_driver_room(l->d) : NULL;
    if (!room)
        return false;
    size_t n = 1 + rng_below(&l->rng, 12), size = 4 + rng_below(&l->rng, 100);
    for (size_t i = 0; i < n; i++, f->sent++)
        memcpy(room + i * size, &f->sent, 4);
    const struct stt_driver_train train = {.socket = f->from,
                                           .remote = f->there.local,
                                           .data = room,
                                           .len = n * size,
                                           .segment_bytes = size};
    stt_driver_send(l->d, &train);
    return true;
}

static struct flow *flow_to(struct life *l, uint32_t number)
{
    for (unsigned i = 0; i < FLOWS; i++)
        if (l->flows[i].to == number)
            return &l->flows[i];
    ck_abort_msg("by a socket to which nothing was sent: %u", number);
}

static void take(struct life *l, const struct stt_driver_train *t)
{
    struct flow *f = flow_to(l, t->socket);
    for (size_t at = 0; at < t->len; at += t->segment_bytes, f->received++) {
        uint32_t number;
        memcpy(&number, t->data + at, sizeof number);
        ck_assert_uint_eq(number, f->received);
    }
    ck_assert_uint_le(f->received, f->sent);
}

static void host_guest(struct life *l)
{
    struct stt_socket s;
    if (l->has_guest)
        stt_driver_remove(l->d, l->guest);
    else
        l->guest = socket_add(l, &s);
    l->has_guest = !l->has_guest;
}

static void step(struct life *l)
{
    struct epoll_event event;
    if (l->manner == WAITS) {
        ck_assert_int_eq(stt_driver_step(l->d, true), STT_OK);
        return;
    }
    ck_assert_int_eq(stt_driver_step(l->d, false), STT_OK);
    int n = epoll_wait(l->epoll, &event, 1, PATIENCE_S * 1000);
    ck_assert_msg(n == 1 || errno == EINTR, "not told of anything");
    ck_assert_int_eq(stt_driver_step(l->d, false), STT_OK);
}

/* Some are left for later, unless only edges would tell. */
static void take_some(struct life *l)
{
    struct stt_driver_train t;
    struct stt_driver_refusal refusal;
    ck_assert_msg(!stt_driver_refused(l->d, &refusal), "refused: %s", strerror(refusal.error));
    size_t n = l->manner == EDGES ? SIZE_MAX : 1 + rng_below(&l->rng, 8);
    while (n-- && stt_driver_receive(l->d, &t))
        take(l, &t);
}

static bool is_done(const struct life *l)
{
    for (unsigned i = 0; i < FLOWS; i++)
        if (l->flows[i].received < DATAGRAMS)
            return false;
    return true;
}

START_TEST(all_arrives_in_order_whatever_happens)
{
    static struct life l;
    const struct stt_driver_faults faults = {.ctx = &l, .on_send = on_send};
    int before = udp_descriptors();
    time_t end = time(NULL) + PATIENCE_S;
    life_init(&l, (unsigned)_i, &faults);
    while (!is_done(&l)) {
        ck_assert_msg(time(NULL) < end, "seed %d: it takes too long", _i);
        for (unsigned i = 0; i < FLOWS; i++)
            while (send_train(&l, &l.flows[i]) && rng_below(&l.rng, 4))
                ;
        if (rng_below(&l.rng, 20) == 0)
            host_guest(&l);
        if (rng_below(&l.rng, 20) == 0)
            stt_driver_wake(l.d);
        step(&l);
        take_some(&l);
    }
    life_fini(&l);
    ck_assert_int_eq(udp_descriptors(), before);
}
END_TEST

SUITE("uring_random", LOOP(all_arrives_in_order_whatever_happens, 0, SEEDS))
