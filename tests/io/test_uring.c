/* SPDX-License-Identifier: MIT
 * What is particular to the driver on io_uring: each with deferred work, and without. */
#include "tests/support/deny.h"
#include "tests/support/suite.h"
#include "transport/uring.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Longer than anything here takes on a busy machine. */
enum { WAYS = 2, PATIENCE_MS = 20000 };

/* A driver with one socket on loopback, and a plain socket to talk to it. */
struct talk {
    struct stt_driver *d;
    struct stt_socket socket;
    uint32_t number;
    int plain;
};

static struct stt_driver *driver_new(int way, struct stt_driver_config config,
                                     struct stt_uring_knobs knobs)
{
    struct stt_driver *d = NULL;
    knobs.without_defer = way == 1;
    ck_assert_int_eq(stt_uring_new_with(&d, &config, &knobs), STT_OK);
    return d;
}

static struct stt_address loopback(uint16_t port)
{
    return (struct stt_address){.ip = {[10] = 0xff, 0xff, 127, 0, 0, 1}, .port = port};
}

static uint32_t add_socket(struct stt_driver *d, uint16_t port, struct stt_socket *out)
{
    uint32_t number;
    struct stt_socket_options options = {.local = loopback(port), .buffer_bytes = 1 << 20};
    ck_assert_int_eq(stt_socket_open(out, &options), STT_OK);
    ck_assert_int_eq(stt_driver_add(d, out, &number), STT_OK);
    return number;
}

static struct talk talk_new(int way, struct stt_driver_config config, struct stt_uring_knobs knobs)
{
    struct talk t = {.d = driver_new(way, config, knobs)};
    t.number = add_socket(t.d, 0, &t.socket);
    t.plain = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(t.socket.local.port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    ck_assert_int_eq(connect(t.plain, (struct sockaddr *)&to, sizeof to), 0);
    return t;
}

static void talk_free(struct talk *t)
{
    stt_driver_free(t->d);
    close(t->plain);
}

#define TALK(way)                                                                                  \
    talk_new(way, (struct stt_driver_config)STT_DRIVER_CONFIG_INIT, (struct stt_uring_knobs){0})

static void say(const struct talk *t, uint32_t from, uint32_t n)
{
    for (uint32_t i = from; i < from + n; i++)
        ck_assert_int_eq(send(t->plain, &i, sizeof i, 0), sizeof i);
}

/* The next, which is this one. */
static bool hears(struct talk *t, uint32_t what)
{
    struct stt_driver_train train;
    uint32_t heard;
    if (!stt_driver_receive(t->d, &train))
        return false;
    ck_assert_uint_eq(train.len, sizeof heard);
    memcpy(&heard, train.data, sizeof heard);
    ck_assert_uint_eq(heard, what);
    ck_assert_uint_eq(train.socket, t->number);
    return true;
}

static void hear(struct talk *t, uint32_t from, uint32_t n)
{
    for (uint32_t i = from; i < from + n;)
        if (hears(t, i))
            i++;
        else
            ck_assert_int_eq(stt_driver_step(t->d, true), STT_OK);
}

static struct stt_driver_stats stats_of(const struct talk *t)
{
    struct stt_driver_stats stats;
    stt_driver_stats(t->d, &stats);
    return stats;
}

static stt_ns boottime(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return STT_S((uint64_t)t.tv_sec) + (uint64_t)t.tv_nsec;
}

START_TEST(datagrams_arrive_as_they_were_sent)
{
    struct talk t = TALK(_i);
    ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
    say(&t, 0, 100);
    hear(&t, 0, 100);
    struct stt_driver_stats stats = stats_of(&t);
    ck_assert_uint_eq(stats.trains_received, 100);
    ck_assert_uint_eq(stats.bytes_received, 400);
    ck_assert_uint_eq(stats.receive_errors + stats.overflows + stats.truncated, 0);
    talk_free(&t);
}
END_TEST

/* -- one thread makes it, another steps it
 * -------------------------------------------------------*/

static void *step_elsewhere(void *arg)
{
    struct talk *t = arg;
    hear(t, 0, 10);
    return NULL;
}

START_TEST(who_makes_it_need_not_step_it)
{
    struct talk t = TALK(_i);
    uint32_t number;
    struct stt_socket second, third;
    add_socket(t.d, 0, &second);
    number = add_socket(t.d, 0, &third);
    stt_driver_remove(t.d, number);
    stt_driver_alarm(t.d, STT_NEVER);
    stt_driver_wake(t.d);
    say(&t, 0, 10);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, step_elsewhere, &t), 0);
    pthread_join(thread, NULL);
    talk_free(&t);
}
END_TEST

/* -- more than the queues hold
 * -------------------------------------------------------------------*/

START_TEST(completions_that_do_not_fit_are_not_lost)
{
    struct talk t =
        talk_new(_i, (struct stt_driver_config){.receive_buffers = 64, .send_buffers = 8},
                 (struct stt_uring_knobs){.sq_entries = 4, .cq_entries = 4});
    ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
    say(&t, 0, 60);
    hear(&t, 0, 60);
    ck_assert_uint_gt(stats_of(&t).overflows, 0);
    uint64_t before = stats_of(&t).overflows;
    say(&t, 60, 3);
    hear(&t, 60, 3);
    ck_assert_uint_eq(stats_of(&t).overflows, before);
    ck_assert_uint_eq(stats_of(&t).trains_received, 63);
    talk_free(&t);
}
END_TEST

START_TEST(completions_fit_as_a_rule)
{
    struct talk t = TALK(_i);
    ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
    for (uint32_t i = 0; i < 500; i += 100) {
        say(&t, i, 100);
        hear(&t, i, 100);
    }
    ck_assert_uint_eq(stats_of(&t).overflows, 0);
    ck_assert_uint_gt(stats_of(&t).out_of_buffers, 0);
    talk_free(&t);
}
END_TEST

/* Of each datagram of a train that the socket cannot cut: more than the queue of submissions has.
 */
START_TEST(a_train_in_pieces_may_be_longer_than_the_queue)
{
    struct talk t =
        talk_new(_i, (struct stt_driver_config){.receive_buffers = 64, .send_buffers = 4},
                 (struct stt_uring_knobs){.sq_entries = 4});
    struct stt_socket plain;
    struct stt_socket_options options = {.local = loopback(0)};
    ck_assert_int_eq(stt_socket_open(&plain, &options), STT_OK);
    plain.has_gso = false;
    uint32_t number;
    ck_assert_int_eq(stt_driver_add(t.d, &plain, &number), STT_OK);
    for (uint32_t sent = 0; sent < 192; sent += 64) {
        uint8_t *room = stt_driver_room(t.d);
        for (uint32_t i = 0; i < 64; i++)
            memcpy(room + 4 * i, &(uint32_t){sent + i}, 4);
        struct stt_driver_train train = {.socket = number,
                                         .data = room,
                                         .len = 256,
                                         .segment_bytes = 4,
                                         .remote = t.socket.local};
        stt_driver_send(t.d, &train);
    }
    hear(&t, 0, 192);
    ck_assert_uint_eq(stats_of(&t).trains_sent, 3);
    ck_assert_uint_eq(stats_of(&t).datagrams_sent, 192);
    talk_free(&t);
}
END_TEST

START_TEST(receiving_goes_on_when_buffers_return)
{
    struct talk t =
        talk_new(_i, (struct stt_driver_config){.receive_buffers = 4, .send_buffers = 2},
                 (struct stt_uring_knobs){0});
    int fd = stt_driver_fd(t.d);
    ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
    say(&t, 0, 50);
    for (uint32_t i = 0; i < 50;) { /* only ever told by the descriptor */
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
        ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
        while (hears(&t, i))
            i++;
    }
    ck_assert_uint_gt(stats_of(&t).out_of_buffers, 5);
    ck_assert_uint_eq(stats_of(&t).receive_errors, 0);
    talk_free(&t);
}
END_TEST

/* -- the descriptor
 * ------------------------------------------------------------------------------*/

static bool is_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

/* After a step or two in which nothing happened. */
static void calm(struct talk *t)
{
    struct stt_driver_train train;
    for (int i = 0; is_readable(stt_driver_fd(t->d)); i++) {
        ck_assert_int_lt(i, 5);
        ck_assert_int_eq(stt_driver_step(t->d, false), STT_OK);
        ck_assert(!stt_driver_receive(t->d, &train));
    }
}

static int edges_of(const struct talk *t)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    ck_assert_int_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, stt_driver_fd(t->d), &event), 0);
    return epoll;
}

static bool has_edge(int epoll, int ms)
{
    struct epoll_event event;
    int n;
    while ((n = epoll_wait(epoll, &event, 1, ms)) < 0 && errno == EINTR)
        ;
    return n == 1;
}

START_TEST(the_descriptor_wakes_an_epoll_at_each_edge)
{
    struct talk t = TALK(_i);
    int epoll = edges_of(&t);
    ck_assert(has_edge(epoll, 0)); /* there is a first step to do */
    calm(&t);
    while (has_edge(epoll, 0))
        ;
    for (uint32_t i = 0; i < 50; i++) {
        say(&t, i, 1);
        ck_assert(has_edge(epoll, PATIENCE_MS));
        ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
        ck_assert(hears(&t, i));
        ck_assert(!hears(&t, i));
    }
    close(epoll);
    talk_free(&t);
}
END_TEST

START_TEST(the_descriptor_is_readable_until_all_was_taken)
{
    struct talk t = TALK(_i);
    ck_assert(is_readable(stt_driver_fd(t.d)));
    calm(&t);
    ck_assert(!is_readable(stt_driver_fd(t.d)));
    say(&t, 0, 3);
    ck_assert(is_readable(stt_driver_fd(t.d)));
    ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert(is_readable(stt_driver_fd(t.d)));
        ck_assert(hears(&t, i));
    }
    ck_assert(!hears(&t, 3));
    calm(&t);
    talk_free(&t);
}
END_TEST

START_TEST(what_was_left_over_is_told_with_the_next_step)
{
    struct talk t = TALK(_i);
    int epoll = edges_of(&t);
    calm(&t);
    say(&t, 0, 3);
    ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
    ck_assert(hears(&t, 0));
    while (has_edge(epoll, 0))
        ;
    ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
    ck_assert(has_edge(epoll, 0));
    ck_assert(hears(&t, 1) && hears(&t, 2));
    close(epoll);
    talk_free(&t);
}
END_TEST

START_TEST(another_ring_may_poll_the_descriptor)
{
    struct talk t = TALK(_i);
    struct io_uring other;
    ck_assert_int_eq(io_uring_queue_init(4, &other, 0), 0);
    calm(&t);
    for (uint32_t i = 0; i < 20; i++) {
        struct io_uring_cqe *cqe;
        io_uring_prep_poll_add(io_uring_get_sqe(&other), stt_driver_fd(t.d), POLLIN);
        io_uring_submit(&other);
        say(&t, i, 1);
        ck_assert_int_eq(
            io_uring_wait_cqe_timeout(&other, &cqe, &(struct __kernel_timespec){20, 0}), 0);
        io_uring_cqe_seen(&other, cqe);
        ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
        ck_assert(hears(&t, i));
        calm(&t);
    }
    io_uring_queue_exit(&other);
    talk_free(&t);
}
END_TEST

START_TEST(a_wake_is_told_by_the_descriptor_at_once)
{
    struct talk t = TALK(_i);
    int epoll = edges_of(&t);
    calm(&t);
    for (int i = 0; i < 20; i++) {
        while (has_edge(epoll, 0))
            ;
        stt_driver_wake(t.d);
        ck_assert(has_edge(epoll, 0));
        ck_assert(is_readable(stt_driver_fd(t.d)));
        ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
        calm(&t);
    }
    close(epoll);
    talk_free(&t);
}
END_TEST

/* -- the alarm
 * -----------------------------------------------------------------------------------*/

START_TEST(the_alarm_goes_off_for_those_who_poll_without_a_step)
{
    struct talk t = TALK(_i);
    int fd = stt_driver_fd(t.d);
    calm(&t);
    stt_driver_alarm(t.d, boottime() + STT_S(3600));
    calm(&t);
    stt_ns at = boottime() + STT_MS(5);
    stt_driver_alarm(t.d, at);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
    ck_assert_uint_ge(boottime(), at);
    calm(&t);
    stt_driver_alarm(t.d, boottime() + STT_MS(1));
    ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
    talk_free(&t);
}
END_TEST

START_TEST(the_alarm_that_was_set_before_anybody_polled_goes_off_for_him)
{
    struct talk t = TALK(_i);
    ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
    stt_ns at = boottime() + STT_MS(5);
    stt_driver_alarm(t.d, at);
    struct pollfd p = {.fd = stt_driver_fd(t.d), .events = POLLIN};
    ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
    ck_assert_uint_ge(boottime(), at);
    talk_free(&t);
}
END_TEST

START_TEST(the_alarm_moves_both_ways)
{
    struct talk t = TALK(_i);
    stt_driver_alarm(t.d, boottime() + STT_S(3600));
    ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
    stt_ns at = boottime() + STT_MS(3);
    stt_driver_alarm(t.d, at);
    ck_assert_int_eq(stt_driver_step(t.d, true), STT_OK);
    ck_assert_uint_ge(boottime(), at);
    stt_driver_alarm(t.d, boottime() + STT_MS(2));
    ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
    at = boottime() + STT_MS(20);
    stt_driver_alarm(t.d, at); /* the timer is left where it is, and set again when it goes off */
    ck_assert_int_eq(stt_driver_step(t.d, true), STT_OK);
    ck_assert_uint_ge(boottime(), at);
    stt_driver_alarm(t.d, 0); /* long past */
    ck_assert_int_eq(stt_driver_step(t.d, true), STT_OK);
    talk_free(&t);
}
END_TEST

/* -- bad days
 * ------------------------------------------------------------------------------------*/

static int always(void *ctx, const struct stt_driver_train *train)
{
    (void)train;
    return *(const int *)ctx;
}

static void send_one(struct talk *t, const struct stt_address *to)
{
    struct stt_driver_train train = {.socket = t->number,
                                     .data = stt_driver_room(t->d),
                                     .len = 4,
                                     .segment_bytes = 4,
                                     .remote = *to};
    ck_assert_ptr_nonnull(train.data);
    stt_driver_send(t->d, &train);
}

/* EAGAIN although there is room: what should be waited for is there already. */
START_TEST(a_storm_of_refusals_is_not_answered_by_spinning)
{
    int error = EAGAIN;
    const struct stt_driver_faults faults = {&error, always, NULL};
    struct talk t = talk_new(
        _i, (struct stt_driver_config){.receive_buffers = 4, .send_buffers = 4, .faults = &faults},
        (struct stt_uring_knobs){0});
    send_one(&t, &t.socket.local);
    stt_ns from = boottime();
    stt_driver_alarm(t.d, from + STT_MS(30));
    ck_assert_int_eq(stt_driver_step(t.d, true), STT_OK);
    uint64_t ms = (boottime() - from) / STT_MS(1) + 1;
    struct stt_driver_stats stats = stats_of(&t);
    ck_assert_uint_ge(stats.held_back, 5);
    ck_assert_uint_le(stats.held_back, ms + 1);
    ck_assert_uint_le(stats.waits, ms + 3);
    ck_assert_uint_eq(stats.refused, 0);
    error = 0;
    struct stt_driver_train train;
    while (!stt_driver_receive(t.d, &train))
        ck_assert_int_eq(stt_driver_step(t.d, true), STT_OK);
    ck_assert_uint_eq(stats_of(&t).trains_sent, 1);
    talk_free(&t);
}
END_TEST

/* What a child finds out, by its exit status; the parent's limits and calls stay as they are. */
static int in_a_child(int (*run)(void *), void *arg)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(run(arg));
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int try_new(void)
{
    struct stt_driver *d = NULL;
    struct stt_driver_config config = STT_DRIVER_CONFIG_INIT;
    int error = stt_uring_new(&d, &config);
    stt_driver_free(d);
    return -error;
}

struct denial {
    long call;
    int error;
};

static int new_denied(void *arg)
{
    const struct denial *denial = arg;
    int before = dup(0);
    close(before);
    if (!deny(denial->call, DENY_ANY, denial->error))
        return 100;
    int error = try_new();
    return dup(0) == before ? error : 101; /* nothing was left open */
}

static const struct denial denials[] = {
    {SYS_io_uring_setup, EPERM},     {SYS_io_uring_setup, ENOSYS},
    {SYS_io_uring_setup, ENOMEM},    {SYS_io_uring_register, EPERM},
    {SYS_io_uring_register, ENOSYS}, {SYS_io_uring_register, EINVAL},
};

START_TEST(where_it_is_denied_it_is_unsupported)
{
    struct denial denial = denials[_i];
    ck_assert_int_eq(in_a_child(new_denied, &denial), -STT_E_UNSUPPORTED);
}
END_TEST

static int new_within_64_kib(void *arg)
{
    (void)arg;
    struct rlimit limit = {64 << 10, 64 << 10};
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 || (geteuid() == 0 && setuid(65534) != 0))
        return 100;
    return try_new();
}

/* In a life that was good until then. */
static int step_denied(void *arg)
{
    struct stt_driver *d = NULL;
    struct stt_driver_config config = STT_DRIVER_CONFIG_INIT;
    if (stt_uring_new(&d, &config) != STT_OK || stt_driver_step(d, false) != STT_OK ||
        !deny(SYS_io_uring_enter, DENY_ANY, *(const int *)arg))
        return 100;
    int error = stt_driver_step(d, true);
    stt_driver_free(d);
    return -error;
}

START_TEST(a_lack_of_memory_passes_and_a_ring_that_is_gone_does_not)
{
    int passing[] = {EAGAIN, EBUSY, ENOMEM}, lasting[] = {EBADF, EPERM};
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(in_a_child(step_denied, &passing[i]), STT_OK);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(in_a_child(step_denied, &lasting[i]), -STT_E_IO);
}
END_TEST

START_TEST(locked_memory_of_64_kib_is_enough)
{
    ck_assert_int_eq(in_a_child(new_within_64_kib, NULL), 0);
}
END_TEST

/* As many as a daemon has that was told to live with 16. */
static int new_within_descriptors(void *arg)
{
    const struct rlimit limit = {16, 16};
    int n = *(const int *)arg, last;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 100;
    while ((last = dup(0)) >= 0 && last < 15 - n)
        ;
    int error = try_new();
    return n == 0 || dup(0) == last + 1 ? error : 101;
}

START_TEST(three_descriptors_are_enough_and_fewer_a_limit)
{
    for (int n = 0; n < 5; n++)
        ck_assert_int_eq(in_a_child(new_within_descriptors, &n), n < 3 ? -STT_E_LIMIT : 0);
}
END_TEST

static int child_of_fork(void *arg)
{
    struct talk *t = arg;
    int error = stt_driver_step(t->d, false);
    stt_driver_free(t->d);
    return -error;
}

START_TEST(a_child_of_fork_cannot_step_and_disturbs_nobody)
{
    struct talk t = TALK(_i);
    ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
    say(&t, 0, 5);
    ck_assert_int_eq(in_a_child(child_of_fork, &t), -STT_E_FORKED);
    hear(&t, 0, 5);
    say(&t, 5, 5);
    hear(&t, 5, 5);
    talk_free(&t);
}
END_TEST

/* -- sockets that leave
 * ---------------------------------------------------------------------------*/

START_TEST(a_socket_that_left_gives_back_port_and_number)
{
    struct talk t = TALK(_i);
    for (int round = 0; round < 40; round++) {
        ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
        say(&t, 0, 3);
        ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
        send_one(&t, &t.socket.local);
        uint16_t port = t.socket.local.port;
        stt_driver_remove(t.d, t.number);
        struct stt_driver_train train;
        ck_assert(!stt_driver_receive(t.d, &train));
        uint32_t number = add_socket(t.d, port, &t.socket);
        ck_assert_uint_eq(number, t.number);
    }
    say(&t, 0, 3);
    hear(&t, 0, 3);
    ck_assert_uint_eq(stats_of(&t).refused + stats_of(&t).receive_errors, 0);
    talk_free(&t);
}
END_TEST

START_TEST(what_goes_by_a_socket_that_left_is_refused)
{
    struct talk t = TALK(_i);
    stt_driver_remove(t.d, t.number);
    send_one(&t, &t.socket.local);
    ck_assert_int_eq(stt_driver_step(t.d, true), STT_OK);
    struct stt_driver_refusal refusal;
    ck_assert(stt_driver_refused(t.d, &refusal));
    ck_assert_int_eq(refusal.error, EBADF);
    ck_assert_uint_eq(refusal.socket, t.number);
    ck_assert(!stt_driver_refused(t.d, &refusal));
    talk_free(&t);
}
END_TEST

START_TEST(a_driver_that_is_freed_gives_back_its_ports)
{
    for (int round = 0; round < 20; round++) {
        struct talk t = TALK(_i);
        uint16_t port = t.socket.local.port;
        ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
        say(&t, 0, 10);
        stt_driver_alarm(t.d, boottime() + STT_S(3600));
        ck_assert_int_eq(stt_driver_step(t.d, false), STT_OK);
        talk_free(&t);
        struct stt_socket again;
        struct stt_socket_options options = {.local = loopback(port)};
        ck_assert_int_eq(stt_socket_open(&again, &options), STT_OK);
        close(again.fd);
    }
}
END_TEST

SUITE("uring", LOOP(datagrams_arrive_as_they_were_sent, 0, WAYS),
      LOOP(who_makes_it_need_not_step_it, 0, WAYS),
      LOOP(completions_that_do_not_fit_are_not_lost, 0, WAYS),
      LOOP(completions_fit_as_a_rule, 0, WAYS),
      LOOP(a_train_in_pieces_may_be_longer_than_the_queue, 0, WAYS),
      LOOP(receiving_goes_on_when_buffers_return, 0, WAYS),
      LOOP(the_descriptor_wakes_an_epoll_at_each_edge, 0, WAYS),
      LOOP(the_descriptor_is_readable_until_all_was_taken, 0, WAYS),
      LOOP(what_was_left_over_is_told_with_the_next_step, 0, WAYS),
      LOOP(another_ring_may_poll_the_descriptor, 0, WAYS),
      LOOP(a_wake_is_told_by_the_descriptor_at_once, 0, WAYS),
      LOOP(the_alarm_goes_off_for_those_who_poll_without_a_step, 0, WAYS),
      LOOP(the_alarm_that_was_set_before_anybody_polled_goes_off_for_him, 0, WAYS),
      LOOP(the_alarm_moves_both_ways, 0, WAYS),
      TEST(a_lack_of_memory_passes_and_a_ring_that_is_gone_does_not),
      LOOP(a_storm_of_refusals_is_not_answered_by_spinning, 0, WAYS),
      LOOP(where_it_is_denied_it_is_unsupported, 0, sizeof denials / sizeof denials[0]),
      TEST(locked_memory_of_64_kib_is_enough), TEST(three_descriptors_are_enough_and_fewer_a_limit),
      LOOP(a_child_of_fork_cannot_step_and_disturbs_nobody, 0, WAYS),
      LOOP(a_socket_that_left_gives_back_port_and_number, 0, WAYS),
      LOOP(what_goes_by_a_socket_that_left_is_refused, 0, WAYS),
      LOOP(a_driver_that_is_freed_gives_back_its_ports, 0, WAYS))
