/* SPDX-License-Identifier: MIT */
#include "tests/support/wan.h"

#include "stt/base/list.h"
#include "tests/support/rng.h"
#include "transport/control.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { INSIDE, OUTSIDE, WAKE, FILES, DATAGRAM_BYTES = 65536, SOCKET_BYTES = 4 << 20 };

struct packet {
    struct stt_list link;
    stt_ns due;
    uint8_t tos;
    size_t len;
    uint8_t data[];
};

struct wire {
    struct stt_list packets; /* by when they are due */
    stt_ns free_at;          /* the bottleneck has sent what it holds by then */
    struct wan_way *seen;
};

struct wan {
    struct wan_config config;
    struct stt_address server, client, at;
    bool is_ipv6;
    int files[FILES];
    pthread_t thread;
    atomic_bool is_over, is_dark;
    atomic_uint rebinds;
    struct rng rng;
    struct wire forth, back;
    struct wan_seen seen;
};

static stt_ns now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return STT_S(t.tv_sec) + (stt_ns)t.tv_nsec;
}

/* -- sockets ------------------------------------------------------------------------------------
 */

static int open_socket(bool is_ipv6)
{
    struct stt_address loopback = {.ip = {[15] = 1}};
    if (!is_ipv6)
        loopback = (struct stt_address){.ip = {[10] = 0xff, 0xff, 127, [15] = 1}};
    struct stt_control_name name;
    stt_control_name_encode(&name, &loopback, is_ipv6);
    int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1, bytes = SOCKET_BYTES;
    bool works = fd >= 0 && bind(fd, (struct sockaddr *)&name.storage, name.len) == 0 &&
                 setsockopt(fd, is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
                            is_ipv6 ? IPV6_RECVTCLASS : IP_RECVTOS, &one, sizeof one) == 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    ck_assert_msg(works, "a socket on loopback: %s", strerror(errno));
    return fd;
}

static struct stt_address address_of(int fd)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    struct stt_address out = {.port = 0};
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    stt_control_address((struct sockaddr *)&name, &out);
    return out;
}

static uint8_t tos_of(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
        if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
            (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS))
            return *CMSG_DATA(c);
    return 0;
}

/* -1: nothing is there. */
static ssize_t take(int fd, uint8_t *data, struct stt_address *from, uint8_t *tos)
{
    struct sockaddr_storage name;
    union stt_control control;
    struct iovec iov = {data, DATAGRAM_BYTES};
    struct msghdr m = {.msg_name = &name,
                       .msg_namelen = sizeof name,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    ssize_t n = recvmsg(fd, &m, 0);
    if (n < 0)
        return -1;
    stt_control_address((struct sockaddr *)&name, from);
    *tos = tos_of(&m);
    return n;
}

static void give(const struct wan *w, int fd, const struct stt_address *to, struct packet *p)
{
    struct stt_socket s = {.is_ipv6 = w->is_ipv6};
    struct stt_driver_train train = {
        .remote = *to, .data = p->data, .len = p->len, .segment_bytes = p->len, .ecn = p->tos & 3};
    struct stt_control_name name;
    union stt_control control;
    struct iovec iov = {p->data, p->len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes};
    m.msg_controllen = stt_control_encode(&s, &train, p->tos >> 2, false, &name, &control);
    m.msg_name = &name.storage;
    m.msg_namelen = name.len;
    (void)!sendmsg(fd, &m, 0); /* what is not taken is lost */
}

/* -- what happens to them -----------------------------------------------------------------------
 */

static bool chance(struct wan *w, unsigned of_1000, uint64_t *count)
{
    bool happens = of_1000 && rng_below(&w->rng, 1000) < of_1000;
    *count += happens;
    return happens;
}

static void queue(struct wire *wire, const struct packet *like, const uint8_t *data)
{
    struct packet *p = malloc(sizeof *p + like->len);
    ck_assert_ptr_nonnull(p);
    *p = *like;
    p->link = (struct stt_list){0};
    memcpy(p->data, data, p->len);
    struct stt_list *at = wire->packets.prev; /* behind the last that is due before */
    while (at != &wire->packets && STT_LIST_ENTRY(at, struct packet, link)->due > p->due)
        at = at->prev;
    stt_list_insert_before(at->next, &p->link);
}

/* False: the queue is full. */
static bool pass_bottleneck(struct wan *w, struct wire *wire, struct packet *p, stt_ns at)
{
    stt_ns start = wire->free_at > at ? wire->free_at : at;
    p->due = at;
    if (!w->config.rate_bits_per_s)
        return true;
    if ((start - at) / 1000 * w->config.rate_bits_per_s / 8000000 > w->config.queue_bytes)
        return false;
    p->due = wire->free_at = start + p->len * 8 * STT_S(1) / w->config.rate_bits_per_s;
    return true;
}

static void pass(struct wan *w, struct wire *wire, struct packet *p, uint8_t *data)
{
    const struct wan_config *c = &w->config;
    struct wan_way *seen = wire->seen;
    seen->datagrams++;
    seen->ecn[p->tos & 3]++;
    seen->dscp = p->tos >> 2;
    if (atomic_load(&w->is_dark) || chance(w, c->lost, &seen->lost) ||
        !pass_bottleneck(w, wire, p, now()))
        return;
    p->due += c->delay_ns;
    if (chance(w, c->reordered, &seen->reordered))
        p->due += c->late_ns;
    if (p->tos & 3 && chance(w, c->marked, &seen->marked))
        p->tos |= 3;
    if (p->len && chance(w, c->corrupted, &seen->corrupted))
        data[rng_below(&w->rng, p->len)] ^= (uint8_t)(1u << rng_below(&w->rng, 8));
    queue(wire, p, data);
    if (chance(w, c->doubled, &seen->doubled))
        queue(wire, p, data);
}

/* -- the thread ---------------------------------------------------------------------------------
 */

static void take_all(struct wan *w, int file, struct wire *wire, uint8_t *data)
{
    struct stt_address from;
    struct packet p = {.due = 0};
    for (ssize_t n; (n = take(w->files[file], data, &from, &p.tos)) >= 0;) {
        if (file == INSIDE)
            w->client = from;
        p.len = (size_t)n;
        pass(w, wire, &p, data);
    }
}

static void give_due(struct wan *w, struct wire *wire, int file, const struct stt_address *to)
{
    while (!stt_list_is_empty(&wire->packets)) {
        struct packet *p = STT_LIST_ENTRY(wire->packets.next, struct packet, link);
        if (p->due > now())
            return;
        stt_list_remove(&p->link);
        if (!atomic_load(&w->is_dark) && to->port)
            give(w, w->files[file], to, p);
        free(p);
    }
}

static stt_ns next_due(const struct wire *wire)
{
    return stt_list_is_empty(&wire->packets)
               ? STT_NEVER
               : STT_LIST_ENTRY(wire->packets.next, struct packet, link)->due;
}

static void wait_for_more(struct wan *w)
{
    struct pollfd fds[FILES];
    for (unsigned i = 0; i < FILES; i++)
        fds[i] = (struct pollfd){w->files[i], POLLIN, 0};
    stt_ns a = next_due(&w->forth), b = next_due(&w->back), at = a < b ? a : b, t = now();
    stt_ns wait = at <= t ? 0 : at - t < STT_S(1) ? at - t : STT_S(1);
    struct timespec patience = {.tv_sec = (time_t)(wait / STT_S(1)),
                                .tv_nsec = (long)(wait % STT_S(1))};
    uint64_t times;
    (void)ppoll(fds, FILES, &patience, NULL);
    (void)!read(w->files[WAKE], &times, sizeof times);
}

static void rebind_if_wanted(struct wan *w)
{
    for (; w->seen.rebinds < atomic_load(&w->rebinds); w->seen.rebinds++) {
        int old = w->files[OUTSIDE];
        w->files[OUTSIDE] = open_socket(w->is_ipv6); /* so that it is another port */
        close(old);
    }
}

static void *run(void *ctx)
{
    struct wan *w = ctx;
    uint8_t *data = malloc(DATAGRAM_BYTES);
    ck_assert_ptr_nonnull(data);
    while (!atomic_load(&w->is_over)) {
        rebind_if_wanted(w);
        take_all(w, INSIDE, &w->forth, data);
        take_all(w, OUTSIDE, &w->back, data);
        give_due(w, &w->forth, OUTSIDE, &w->server);
        give_due(w, &w->back, INSIDE, &w->client);
        wait_for_more(w);
    }
    free(data);
    return NULL;
}

static void wake(struct wan *w)
{
    uint64_t one = 1;
    (void)!write(w->files[WAKE], &one, sizeof one);
}

/* -- from outside -------------------------------------------------------------------------------
 */

struct wan *wan_begin(const struct wan_config *config, const struct stt_address *server,
                      uint64_t seed)
{
    struct wan *w = calloc(1, sizeof *w);
    ck_assert_ptr_nonnull(w);
    w->config = *config;
    w->server = *server;
    w->is_ipv6 = !stt_control_is_ipv4(server);
    w->rng = rng_init(seed);
    stt_list_init(&w->forth.packets);
    stt_list_init(&w->back.packets);
    w->forth.seen = &w->seen.forth;
    w->back.seen = &w->seen.back;
    w->files[INSIDE] = open_socket(w->is_ipv6);
    w->files[OUTSIDE] = open_socket(w->is_ipv6);
    w->files[WAKE] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    w->at = address_of(w->files[INSIDE]);
    ck_assert_int_eq(pthread_create(&w->thread, NULL, run, w), 0);
    return w;
}

static void drop_all(struct wire *wire)
{
    for (struct stt_list *link; (link = stt_list_pop_front(&wire->packets));)
        free(STT_LIST_ENTRY(link, struct packet, link));
}

void wan_end(struct wan *w, struct wan_seen *seen)
{
    atomic_store(&w->is_over, true);
    wake(w);
    pthread_join(w->thread, NULL);
    if (seen)
        *seen = w->seen;
    drop_all(&w->forth);
    drop_all(&w->back);
    for (unsigned i = 0; i < FILES; i++)
        close(w->files[i]);
    free(w);
}

struct stt_address wan_address(const struct wan *w)
{
    return w->at;
}

void wan_rebind(struct wan *w)
{
    atomic_fetch_add(&w->rebinds, 1);
    wake(w);
}

void wan_set_dark(struct wan *w, bool is_dark)
{
    atomic_store(&w->is_dark, is_dark);
    wake(w);
}
