/* SPDX-License-Identifier: MIT
 * A kernel's bad days, for all drivers: what it answers is put in its mouth, or is done to it. */
#include "transport/driver.h"

#include "tests/support/ends.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

/* What the next sends are told: `error`, `times`; perhaps only trains, or only by one socket. */
struct mood {
    int error;
    uint32_t times, socket;
    bool trains_only, datagrams_only, one_socket;
    uint32_t every; /* not each, but each so-manieth */
    int otherwise;  /* to all others */
    uint32_t asked, trains, hits;
    int receive_error;
    uint32_t receive_times, heard;
};
enum { ALWAYS = UINT32_MAX };

static int on_send(void *ctx, const struct stt_driver_train *train)
{
    struct mood *m = ctx;
    bool is_train = train->len > train->segment_bytes;
    m->asked++;
    m->trains += is_train;
    if ((m->trains_only && !is_train) || (m->datagrams_only && is_train) ||
        (m->one_socket && train->socket != m->socket) || m->times == 0 ||
        (m->every && m->asked % m->every != 0))
        return m->otherwise;
    if (m->times != ALWAYS)
        m->times--;
    m->hits++;
    return m->error;
}

static int on_receive(void *ctx)
{
    struct mood *m = ctx;
    m->heard++;
    if (m->receive_times == 0)
        return 0;
    m->receive_times--;
    return m->receive_error;
}

/* b is plain; a is told. */
struct pair {
    struct end a, b;
    struct flow *there;
    struct mood mood;
    struct stt_driver_faults faults;
};

static bool open_pair_of(struct pair *p, int which, uint32_t receive_buffers, uint32_t send_buffers)
{
    *p = (struct pair){.faults = {.on_send = on_send, .on_receive = on_receive}};
    p->faults.ctx = &p->mood;
    struct stt_driver_config config = {
        .receive_buffers = receive_buffers, .send_buffers = send_buffers, .faults = &p->faults};
    if (!end_open(&p->a, which, "127.0.0.1", &config))
        return false;
    ck_assert(end_open(&p->b, which, "127.0.0.1", NULL));
    p->there = calloc(1, sizeof *p->there);
    return true;
}

static bool open_pair(struct pair *p, int which)
{
    return open_pair_of(p, which, 32, 16);
}

static void close_pair(struct pair *p)
{
    end_free(&p->a);
    end_free(&p->b);
    free(p->there);
}

static struct stt_driver_train to_b(const struct pair *p, size_t len, size_t segment_bytes)
{
    return train_of(len, segment_bytes, p->b.socket.local);
}

static void send_to_b(struct pair *p, size_t len, size_t segment_bytes)
{
    struct stt_driver_train t = to_b(p, len, segment_bytes);
    flow_send(p->there, &p->a, &t);
}

/* Step by step, until it says something. */
static void wait_for_refusal(struct end *e, struct stt_driver_refusal *r)
{
    stt_driver_alarm(e->d, boot_ns() + STT_MS(UDP_PATIENCE_MS));
    for (unsigned steps = 0; !stt_driver_refused(e->d, r); steps++) {
        ck_assert_uint_lt(steps, 100);
        ck_assert_int_eq(stt_driver_step(e->d, true), STT_OK);
    }
    stt_driver_alarm(e->d, STT_NEVER);
}

static bool is_refused(struct end *e)
{
    struct stt_driver_refusal r;
    return stt_driver_refused(e->d, &r);
}

/* Soon there is nothing left that would be told. */
static void is_quiet(struct end *e)
{
    struct stt_driver_train t;
    for (unsigned i = 0; i < 10; i++) {
        if (!udp_is_readable(stt_driver_fd(e->d), 10))
            return;
        ck_assert_int_eq(stt_driver_step(e->d, false), STT_OK);
        ck_assert(!stt_driver_receive(e->d, &t));
    }
    ck_abort_msg("told of nothing, again and again");
}

/* -- CASE 54: storms ------------------------------------------------------------------------------
 */

static const int storms[] = {EAGAIN, ENOBUFS, ENOMEM};

START_TEST(in_a_storm_nobody_spins_and_all_arrives_in_order)
{
    for (unsigned i = 0; i < 3; i++) {
        struct pair p;
        if (!open_pair(&p, _i))
            return;
        p.mood.error = storms[i];
        for (unsigned round = 0; round < 10; round++) {
            p.mood.times = 8; /* less than a train is given up for */
            const stt_ns from = boot_ns();
            const uint32_t asked = p.mood.asked;
            const uint64_t steps = stats_of(&p.a).steps;
            for (unsigned n = 0; n < 5; n++)
                send_to_b(&p, 3000, 1000);
            flow_finish(p.there, &p.a, &p.b);
            uint64_t ms = (boot_ns() - from) / STT_MS(1);
            ck_assert_uint_eq(p.mood.times, 0);
            ck_assert_uint_le(p.mood.asked - asked, 8 + 5 + 5 * ms);
            ck_assert_uint_ge(ms, 1);
            ck_assert_uint_ge(stats_of(&p.a).steps, steps);
        }
        ck_assert(!is_refused(&p.a));
        is_quiet(&p.a);
        struct stt_driver_stats s = stats_of(&p.a);
        ck_assert_uint_ge(s.held_back, 10);
        ck_assert_uint_eq(s.refused, 0);
        ck_assert_uint_eq(s.trains_sent, 50);
        close_pair(&p);
    }
}
END_TEST

/* Only sleeping steps: how many there are, and what they cost. */
START_TEST(who_waits_in_a_storm_sleeps)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    p.mood.error = EAGAIN;
    p.mood.times = ALWAYS;
    send_to_b(&p, 100, 100);
    const stt_ns from = boot_ns(), end = from + STT_MS(50);
    stt_driver_alarm(p.a.d, end);
    unsigned steps = 0;
    for (; boot_ns() < end; steps++)
        ck_assert_int_eq(stt_driver_step(p.a.d, true), STT_OK);
    uint64_t ms = (boot_ns() - from) / STT_MS(1) + 1;
    ck_assert_uint_le(steps, 4);
    ck_assert_uint_le(p.mood.asked, 3 + ms);
    ck_assert_uint_ge(p.mood.asked, 3);
    p.mood.times = 0;
    flow_finish(p.there, &p.a, &p.b);
    ck_assert_uint_eq(stats_of(&p.a).refused, 0);
    close_pair(&p);
}
END_TEST

START_TEST(without_memory_a_train_is_given_up_and_the_next_goes)
{
    for (unsigned i = 1; i < 3; i++) {
        struct pair p;
        if (!open_pair(&p, _i))
            return;
        struct stt_driver_train t = to_b(&p, 2000, 1000);
        struct stt_driver_refusal r;
        p.mood = (struct mood){.error = storms[i], .times = ALWAYS};
        flow_waste(&p.a, &t);
        wait_for_refusal(&p.a, &r);
        ck_assert_int_eq(r.error, storms[i]);
        ck_assert_uint_eq(r.len, 2000);
        ck_assert_uint_ge(p.mood.asked, 10);
        ck_assert_uint_le(p.mood.asked, 12);
        p.mood.times = 0;
        send_to_b(&p, 2000, 1000);
        flow_finish(p.there, &p.a, &p.b);
        ck_assert_uint_eq(stats_of(&p.a).refused, 1);
        close_pair(&p);
    }
}
END_TEST

START_TEST(a_socket_that_is_held_back_holds_no_other)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    struct stt_socket other = udp_open("127.0.0.1");
    uint32_t number;
    ck_assert_int_eq(stt_driver_add(p.a.d, &other, &number), STT_OK);
    p.mood =
        (struct mood){.error = EAGAIN, .times = ALWAYS, .one_socket = true, .socket = p.a.number};
    struct stt_driver_train t = to_b(&p, 100, 100);
    flow_waste(&p.a, &t); /* stays */
    struct end through = {p.a.d, number, other};
    for (unsigned i = 0; i < 10; i++) {
        flow_send(p.there, &through, &t);
        flow_finish(p.there, &through, &p.b);
    }
    for (unsigned i = 0; i < 14; i++)
        flow_waste(&p.a, &t);
    ck_assert_ptr_nonnull(stt_driver_room(p.a.d)); /* the last */
    /* It may be removed, with what is left, which gives back its rooms. */
    stt_driver_remove(p.a.d, p.a.number);
    p.mood.socket = number;
    for (unsigned i = 0; i < 16; i++)
        flow_send(p.there, &through, &t);
    p.mood.times = 0;
    flow_finish(p.there, &through, &p.b);
    flow_send(p.there, &through, &t);
    flow_finish(p.there, &through, &p.b);
    ck_assert(!is_refused(&p.a));
    close_pair(&p);
}
END_TEST

START_TEST(rooms_run_out_and_come_back)
{
    struct pair p;
    if (!open_pair_of(&p, _i, 4, 2))
        return;
    p.mood = (struct mood){.error = EAGAIN, .times = 5};
    send_to_b(&p, 500, 500);
    ck_assert_ptr_nonnull(stt_driver_room(p.a.d));
    send_to_b(&p, 500, 500);
    ck_assert_ptr_null(stt_driver_room(p.a.d));
    const stt_ns end = boot_ns() + STT_MS(UDP_PATIENCE_MS);
    stt_driver_alarm(p.a.d, end);
    ck_assert_int_eq(stt_driver_step(p.a.d, true), STT_OK);
    ck_assert_uint_lt(boot_ns(), end);
    ck_assert_ptr_nonnull(stt_driver_room(p.a.d));
    flow_finish(p.there, &p.a, &p.b);
    close_pair(&p);
}
END_TEST

/* -- CASE 55: buffers of ours run out -------------------------------------------------------------
 */

START_TEST(receiving_goes_on_after_buffers_ran_out)
{
    struct pair p;
    if (!open_pair_of(&p, _i, 4, 2))
        return;
    struct flow *back = calloc(1, sizeof *back);
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned i = 0; i < 40; i++) {
            struct stt_driver_train t = train_of(200, 200, p.a.socket.local);
            flow_send(back, &p.b, &t);
            ck_assert_int_eq(stt_driver_step(p.b.d, false), STT_OK);
        }
        while (back->received < back->sent) {
            ck_assert(udp_is_readable(stt_driver_fd(p.a.d), UDP_PATIENCE_MS));
            ck_assert_uint_le(flow_step(back, &p.a, false), 8); /* no step without end */
        }
    }
    ck_assert_uint_ge(stats_of(&p.a).out_of_buffers, 10);
    free(back);
    close_pair(&p);
}
END_TEST

START_TEST(receiving_that_ends_with_an_error_goes_on)
{
    static const int errors[] = {ENOBUFS, ECONNREFUSED, ENOMEM, EHOSTUNREACH};
    for (unsigned i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct pair p;
        if (!open_pair(&p, _i))
            return;
        p.mood = (struct mood){.receive_error = errors[i], .receive_times = 3};
        struct stt_driver_train t = train_of(200, 200, p.a.socket.local);
        const stt_ns end = boot_ns() + STT_MS(UDP_PATIENCE_MS);
        struct flow *back = calloc(1, sizeof *back);
        for (unsigned n = 0; n < 3; n++) {
            flow_waste(&p.b, &t);
            while (p.mood.heard == n && boot_ns() < end) {
                ck_assert_int_eq(stt_driver_step(p.b.d, false), STT_OK);
                ck_assert_uint_eq(flow_step(back, &p.a, false), 0);
            }
            ck_assert_uint_eq(p.mood.heard, n + 1);
        }
        flow_send(back, &p.b, &t);
        flow_finish(back, &p.b, &p.a);
        ck_assert_uint_eq(p.mood.heard, 4);
        ck_assert(!is_refused(&p.a));
        free(back);
        close_pair(&p);
    }
}
END_TEST

/* -- CASE 57: refusals ----------------------------------------------------------------------------
 */

START_TEST(what_the_kernel_refuses_is_told_and_the_rest_goes)
{
    static const int errors[] = {EMSGSIZE, ENETUNREACH, EHOSTUNREACH,  EPERM,
                                 EACCES,   ENETDOWN,    EADDRNOTAVAIL, EAFNOSUPPORT};
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    for (unsigned i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        struct stt_driver_train t = to_b(&p, 2999, 1000);
        struct stt_driver_refusal r;
        t.local = p.a.socket.local;
        t.ecn = 1;
        p.mood = (struct mood){.error = errors[i], .times = ALWAYS};
        flow_waste(&p.a, &t);
        wait_for_refusal(&p.a, &r);
        ck_assert_int_eq(r.error, errors[i]);
        ck_assert_uint_eq(r.socket, p.a.number);
        ck_assert_mem_eq(&r.local, &t.local, sizeof t.local);
        ck_assert_mem_eq(&r.remote, &t.remote, sizeof t.remote);
        ck_assert_uint_eq(r.len, t.len);
        ck_assert_uint_eq(r.segment_bytes, t.segment_bytes);
        p.mood.times = 0;
        send_to_b(&p, 2999, 1000);
        flow_finish(p.there, &p.a, &p.b);
        ck_assert(!is_refused(&p.a));
    }
    ck_assert_uint_eq(stats_of(&p.a).refused, sizeof errors / sizeof errors[0]);
    ck_assert_uint_eq(stats_of(&p.a).gso_off, 0);
    close_pair(&p);
}
END_TEST

/* No fault: what this kernel itself refuses. */
START_TEST(what_is_too_large_or_goes_nowhere_is_refused)
{
    struct end e;
    const bool has_ipv6 = udp_has_ipv6();
    if (!end_open(&e, _i, has_ipv6 ? "::" : "0.0.0.0", NULL))
        return;
    struct stt_driver_refusal r;
    struct stt_driver_train t = train_of(100, 100, udp_address("127.0.0.1", 9));
    t.local = udp_address("203.0.113.7", 5); /* not ours */
    flow_waste(&e, &t);
    wait_for_refusal(&e, &r);
    ck_assert_int_ne(r.error, 0);
    if (has_ipv6) {
        t = train_of(STT_DRIVER_TRAIN_BYTES, STT_DRIVER_TRAIN_BYTES, e.socket.local);
        t.remote = udp_address("::1", e.socket.local.port);
        flow_waste(&e, &t);
        wait_for_refusal(&e, &r);
        ck_assert_int_eq(r.error, EMSGSIZE);
    }
    ck_assert_uint_eq(stats_of(&e).refused, 1u + has_ipv6);
    end_free(&e);
}
END_TEST

START_TEST(refusals_beyond_a_few_are_only_counted)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    p.mood = (struct mood){.error = EPERM, .times = ALWAYS};
    for (unsigned i = 1; i <= 100; i++) {
        struct stt_driver_train t = to_b(&p, i, 1000);
        flow_waste(&p.a, &t);
        for (unsigned steps = 0; stats_of(&p.a).refused < i && steps < 100; steps++)
            ck_assert_int_eq(stt_driver_step(p.a.d, false), STT_OK);
        ck_assert_uint_eq(stats_of(&p.a).refused, i);
    }
    struct stt_driver_refusal r;
    unsigned told = 0;
    size_t last = 0;
    for (; stt_driver_refused(p.a.d, &r); told++) {
        ck_assert_uint_gt(r.len, last); /* in order */
        last = r.len;
    }
    ck_assert_uint_ge(told, 4);
    ck_assert_uint_lt(told, 100);
    p.mood.times = 0;
    send_to_b(&p, 10, 10);
    flow_finish(p.there, &p.a, &p.b);
    close_pair(&p);
}
END_TEST

START_TEST(by_a_socket_that_is_not_there_nothing_goes)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    struct end none = {p.a.d, 9, p.a.socket};
    struct stt_driver_train t = to_b(&p, 10, 10);
    struct stt_driver_refusal r;
    flow_waste(&none, &t);
    wait_for_refusal(&p.a, &r);
    ck_assert_uint_eq(r.socket, 9);
    send_to_b(&p, 10, 10);
    flow_finish(p.there, &p.a, &p.b);
    close_pair(&p);
}
END_TEST

/* -- CASE 58: segmentation ------------------------------------------------------------------------
 */

START_TEST(where_segmentation_is_refused_it_is_switched_off_once)
{
    static const int errors[] = {EIO, EINVAL, EOPNOTSUPP};
    for (unsigned i = 0; i < 3; i++) {
        struct pair p;
        if (!open_pair(&p, _i))
            return;
        if (!p.a.socket.has_gso) {
            close_pair(&p);
            return;
        }
        p.mood = (struct mood){.error = errors[i], .times = ALWAYS, .trains_only = true};
        for (unsigned n = 0; n < 10; n++) {
            send_to_b(&p, 30001, 1000);
            flow_finish(p.there, &p.a, &p.b);
        }
        struct stt_driver_stats s = stats_of(&p.a);
        ck_assert_uint_eq(s.gso_off, 1);
        ck_assert_uint_eq(p.mood.trains, 1);
        ck_assert_uint_eq(s.trains_sent, 10);
        ck_assert_uint_eq(s.datagrams_sent, 310);
        ck_assert_uint_eq(s.refused, 0);
        close_pair(&p);
    }
}
END_TEST

/* A kernel may say EINVAL where segments are too large: that is no fault of segmentation. */
START_TEST(segments_that_are_too_large_leave_segmentation_on)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    p.mood =
        (struct mood){.error = EINVAL, .times = ALWAYS, .trains_only = true, .otherwise = EMSGSIZE};
    struct stt_driver_train t = to_b(&p, 5000, 1000);
    struct stt_driver_refusal r;
    flow_waste(&p.a, &t);
    wait_for_refusal(&p.a, &r);
    ck_assert_int_eq(r.error, EMSGSIZE);
    ck_assert_uint_eq(stats_of(&p.a).gso_off, 0);
    p.mood = (struct mood){0};
    send_to_b(&p, 5000, 1000);
    flow_finish(p.there, &p.a, &p.b);
    ck_assert_uint_eq(p.mood.trains, p.a.socket.has_gso);
    close_pair(&p);
}
END_TEST

START_TEST(a_storm_in_the_middle_of_a_train_loses_nothing)
{
    for (unsigned i = 0; i < 3; i++) {
        struct pair p;
        if (!open_pair(&p, _i))
            return;
        p.mood = (struct mood){.error = EIO, .times = 1, .trains_only = true};
        send_to_b(&p, 30001, 1000);
        flow_finish(p.there, &p.a, &p.b);
        for (uint32_t every = 0; every < 20; every += 5) {
            p.mood = (struct mood){
                .error = storms[i], .times = 8, .datagrams_only = true, .every = every};
            for (unsigned n = 0; n < 2; n++) /* the socket over there has room for both */
                send_to_b(&p, 30001, 1000);
            flow_finish(p.there, &p.a, &p.b);
            ck_assert_uint_lt(p.mood.times, 8);
        }
        ck_assert_uint_eq(stats_of(&p.a).refused, 0);
        is_quiet(&p.a);
        close_pair(&p);
    }
}
END_TEST

/* -- what strangers say ---------------------------------------------------------------------------
 */

START_TEST(a_closed_port_has_no_effect_on_others)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    struct stt_socket gone = udp_open("127.0.0.1");
    close(gone.fd);
    for (unsigned i = 0; i < 50; i++) {
        struct stt_driver_train t = train_of(2000, 1000, gone.local);
        flow_waste(&p.a, &t);
        send_to_b(&p, 3000, 1000);
        flow_finish(p.there, &p.a, &p.b);
    }
    ck_assert(!is_refused(&p.a));
    ck_assert_uint_eq(stats_of(&p.a).refused, 0);
    ck_assert_uint_eq(stats_of(&p.a).trains_sent, 100);
    close_pair(&p);
}
END_TEST

START_TEST(an_echo_of_an_earlier_datagram_costs_no_later_one)
{
    static const int errors[] = {ECONNREFUSED, ENOPROTOOPT, EPROTO, EHOSTDOWN};
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    for (unsigned i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        p.mood.error = errors[i];
        p.mood.times = 1;
        send_to_b(&p, 3000, 1000);
        send_to_b(&p, 3000, 1000);
        flow_finish(p.there, &p.a, &p.b);
        ck_assert_uint_eq(p.mood.times, 0);
        ck_assert_uint_eq(stats_of(&p.a).receive_errors, i + 1);
    }
    ck_assert(!is_refused(&p.a));
    close_pair(&p);
}
END_TEST

/* -- what is done to the machine ------------------------------------------------------------------
 */

static volatile sig_atomic_t alarms;
static void on_alarm(int signal)
{
    (void)signal;
    alarms++;
}

START_TEST(signals_disturb_nothing)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    struct sigaction action = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &action, NULL);
    struct itimerval timer = {{0, 700}, {0, 700}};
    setitimer(ITIMER_REAL, &timer, NULL);
    const stt_ns from = boot_ns();
    while (alarms < 20 || boot_ns() - from < STT_MS(30)) {
        send_to_b(&p, 3000, 1000);
        flow_finish(p.there, &p.a, &p.b);
        stt_driver_alarm(p.a.d, boot_ns() + STT_MS(3));
        ck_assert_int_eq(stt_driver_step(p.a.d, true), STT_OK);
        ck_assert_uint_lt(boot_ns() - from, STT_MS(UDP_PATIENCE_MS));
    }
    timer = (struct itimerval){0};
    setitimer(ITIMER_REAL, &timer, NULL);
    ck_assert_uint_eq(stats_of(&p.a).refused, 0);
    close_pair(&p);
}
END_TEST

static bool set_loopback(bool is_up, int mtu)
{
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq r = {.ifr_name = "lo"};
    bool works = ioctl(s, SIOCGIFFLAGS, &r) == 0;
    r.ifr_flags = (short)(is_up ? r.ifr_flags | IFF_UP : r.ifr_flags & ~IFF_UP);
    works = works && ioctl(s, SIOCSIFFLAGS, &r) == 0;
    r.ifr_mtu = mtu;
    works = works && ioctl(s, SIOCSIFMTU, &r) == 0;
    close(s);
    return works;
}

/* A network of our own, where this machine lets us have one. */
static bool has_own_network(void)
{
    return (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0) &&
           set_loopback(true, 1500);
}

START_TEST(an_interface_goes_down_and_comes_up)
{
    struct pair p;
    if (!has_own_network() || !open_pair(&p, _i))
        return;
    for (unsigned i = 0; i < 3; i++) {
        send_to_b(&p, 3000, 1000);
        flow_finish(p.there, &p.a, &p.b);
        ck_assert(set_loopback(false, 1500));
        struct stt_driver_train t = to_b(&p, 3000, 1000);
        flow_waste(&p.a, &t);
        for (unsigned steps = 0; steps < 5; steps++) {
            ck_assert_int_eq(stt_driver_step(p.a.d, false), STT_OK);
            ck_assert_uint_eq(flow_step(p.there, &p.b, false), 0);
        }
        struct stt_driver_refusal r;
        while (stt_driver_refused(p.a.d, &r))
            ck_assert_uint_eq(r.len, 3000);
        ck_assert(set_loopback(true, 1500));
    }
    ck_assert_uint_eq(stats_of(&p.a).gso_off, 0);
    close_pair(&p);
}
END_TEST

START_TEST(a_smaller_mtu_refuses_trains_and_single_ones)
{
    struct pair p;
    if (!has_own_network() || !open_pair(&p, _i))
        return;
    send_to_b(&p, 44 * 1452, 1452);
    flow_finish(p.there, &p.a, &p.b);
    ck_assert(set_loopback(true, 1400));
    for (size_t n = 1; n <= 44; n += 43) {
        struct stt_driver_train t = to_b(&p, n * 1452, 1452);
        struct stt_driver_refusal r;
        flow_waste(&p.a, &t);
        wait_for_refusal(&p.a, &r);
        ck_assert_int_eq(r.error, EMSGSIZE);
        ck_assert_uint_eq(r.len, t.len);
    }
    send_to_b(&p, 44 * 1372, 1372);
    flow_finish(p.there, &p.a, &p.b);
    ck_assert_uint_eq(stats_of(&p.a).gso_off, 0);
    close_pair(&p);
}
END_TEST

SUITE("driver_faults", LOOP(in_a_storm_nobody_spins_and_all_arrives_in_order, 0, DRIVERS),
      LOOP(who_waits_in_a_storm_sleeps, 0, DRIVERS),
      LOOP(without_memory_a_train_is_given_up_and_the_next_goes, 0, DRIVERS),
      LOOP(a_socket_that_is_held_back_holds_no_other, 0, DRIVERS),
      LOOP(rooms_run_out_and_come_back, 0, DRIVERS),
      LOOP(receiving_goes_on_after_buffers_ran_out, 0, DRIVERS),
      LOOP(receiving_that_ends_with_an_error_goes_on, 0, DRIVERS),
      LOOP(what_the_kernel_refuses_is_told_and_the_rest_goes, 0, DRIVERS),
      LOOP(what_is_too_large_or_goes_nowhere_is_refused, 0, DRIVERS),
      LOOP(refusals_beyond_a_few_are_only_counted, 0, DRIVERS),
      LOOP(by_a_socket_that_is_not_there_nothing_goes, 0, DRIVERS),
      LOOP(where_segmentation_is_refused_it_is_switched_off_once, 0, DRIVERS),
      LOOP(segments_that_are_too_large_leave_segmentation_on, 0, DRIVERS),
      LOOP(a_storm_in_the_middle_of_a_train_loses_nothing, 0, DRIVERS),
      LOOP(a_closed_port_has_no_effect_on_others, 0, DRIVERS),
      LOOP(an_echo_of_an_earlier_datagram_costs_no_later_one, 0, DRIVERS),
      LOOP(signals_disturb_nothing, 0, DRIVERS),
      LOOP(an_interface_goes_down_and_comes_up, 0, DRIVERS),
      LOOP(a_smaller_mtu_refuses_trains_and_single_ones, 0, DRIVERS))
