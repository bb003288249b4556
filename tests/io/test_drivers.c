/* SPDX-License-Identifier: MIT
 * One suite for all drivers, over the seam, on loopback: what is promised in transport/driver.h. */
#include "transport/driver.h"

#include "tests/support/ends.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct pair {
    struct end a, b;
    struct flow *there, *back;
};

static bool open_pair_on(struct pair *p, int which, const char *a, const char *b)
{
    *p = (struct pair){0};
    if (!end_open(&p->a, which, a, NULL))
        return false;
    ck_assert(end_open(&p->b, which, b, NULL));
    p->there = calloc(1, sizeof *p->there);
    p->back = calloc(1, sizeof *p->back);
    return true;
}

static bool open_pair(struct pair *p, int which)
{
    return open_pair_on(p, which, "127.0.0.1", "127.0.0.1");
}

static void close_pair(struct pair *p)
{
    end_free(&p->a);
    end_free(&p->b);
    free(p->there);
    free(p->back);
}

static void same_address(const struct stt_address *a, const struct stt_address *b)
{
    char left[64], right[64];
    ck_assert_str_eq(udp_text(a, left), udp_text(b, right));
}

static struct stt_driver_train to_b(const struct pair *p, size_t len, size_t segment_bytes)
{
    return train_of(len, segment_bytes, p->b.socket.local);
}

/* -- trains ---------------------------------------------------------------------------------------
 */

static void there_and_back(struct pair *p, size_t len, size_t segment_bytes, uint8_t ecn)
{
    struct stt_driver_train t = to_b(p, len, segment_bytes);
    t.ecn = ecn;
    flow_send(p->there, &p->a, &t);
    flow_finish(p->there, &p->a, &p->b);
    ck_assert_uint_eq(p->there->last.ecn, ecn);
    ck_assert_uint_eq(p->there->last.socket, p->b.number);
    same_address(&p->there->last.remote, &p->a.socket.local);
    same_address(&p->there->last.local, &p->b.socket.local);
    if (p->a.socket.has_gso && p->b.socket.has_gro && len < 65000) /* larger ones, headers and all,
                                                                      are too large for loopback */
        ck_assert_uint_eq(p->there->last.len, len);
    t = train_of(len, segment_bytes, p->there->last.remote);
    t.local = p->there->last.local;
    flow_send(p->back, &p->b, &t);
    flow_finish(p->back, &p->b, &p->a);
}

START_TEST(trains_of_every_count_with_odd_tails_arrive_both_ways)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    uint8_t ecn = 0;
    for (size_t n = 1; n <= STT_DRIVER_SEGMENTS_MAX; n++) {
        const size_t segment_bytes = n <= 44 ? 1452 : 1000, tails[] = {1, 7, segment_bytes};
        for (unsigned i = 0; i < 3; i++, ecn = (ecn + 1) & 3)
            there_and_back(&p, (n - 1) * segment_bytes + tails[i], segment_bytes, ecn);
    }
    there_and_back(&p, STT_DRIVER_TRAIN_BYTES, 1452, 0);
    there_and_back(&p, STT_DRIVER_TRAIN_BYTES, STT_DRIVER_TRAIN_BYTES, 0);
    there_and_back(&p, 64, 1, 0);
    there_and_back(&p, 100, 50000, 0);
    struct stt_driver_stats s = stats_of(&p.a);
    ck_assert_uint_eq(s.trains_sent, 3 * 64 + 4);
    ck_assert_uint_eq(s.datagrams_sent, p.there->sent);
    ck_assert_uint_eq(s.datagrams_received, p.back->received);
    ck_assert_uint_eq(s.bytes_sent, s.bytes_received);
    ck_assert_uint_eq(s.trains_received, p.back->trains);
    ck_assert_uint_eq(s.refused + s.held_back + s.truncated + s.receive_errors + s.gso_off, 0);
    close_pair(&p);
}
END_TEST

START_TEST(many_trains_are_under_way_at_once)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    struct rng rng = rng_init(3);
    while (p.there->sent < 10000) {
        for (unsigned i = 0; i < 12; i++) {
            size_t segment_bytes = rng_between(&rng, 1, 1452);
            size_t n = rng_between(&rng, 1, 4);
            struct stt_driver_train t = to_b(
                &p, (n - 1) * segment_bytes + rng_between(&rng, 1, segment_bytes), segment_bytes);
            flow_send(p.there, &p.a, &t);
            ck_assert_int_eq(stt_driver_step(p.a.d, false), STT_OK);
        }
        flow_finish(p.there, &p.a, &p.b);
    }
    ck_assert_uint_gt(stats_of(&p.a).trains_sent, 1000);
    close_pair(&p);
}
END_TEST

static void flush_to_b(struct pair *p, size_t len)
{
    struct stt_driver_train t = to_b(p, len, 1452);
    t.data = stt_driver_room(p->a.d);
    ck_assert_ptr_nonnull(t.data);
    memset(t.data, (int)len & 0xff, len);
    stt_driver_send(p->a.d, &t);
    ck_assert_int_eq(stt_driver_flush(p->a.d), STT_OK);
}

static size_t hear_at_b(struct pair *p, size_t len)
{
    struct stt_driver_train came;
    size_t bytes = 0;
    while (stt_driver_receive(p->b.d, &came)) {
        ck_assert_uint_eq(came.data[came.len - 1], len & 0xff);
        bytes += came.len;
    }
    return bytes;
}

static void look_at_b(struct pair *p, size_t len)
{
    for (size_t bytes = 0; bytes < len; bytes += hear_at_b(p, len))
        ck_assert_int_eq(stt_driver_look(p->b.d), STT_OK);
}

START_TEST(a_look_finds_what_a_flush_has_sent)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    there_and_back(&p, 3000, 1000, 0); /* both have stepped */
    for (size_t len = 1; len < 60000; len *= 3) {
        flush_to_b(&p, len);
        look_at_b(&p, len);
    }
    close_pair(&p);
}
END_TEST

/* However they take turns, and whether it was there already or comes then. */
START_TEST(who_has_looked_can_sleep_and_is_woken)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    there_and_back(&p, 3000, 1000, 0);
    for (size_t len = 1; len < 100; len++) {
        ck_assert_int_eq(stt_driver_look(p.b.d), STT_OK);
        ck_assert_uint_eq(hear_at_b(&p, len), 0);
        flush_to_b(&p, len);
        for (size_t bytes = 0; bytes < len; bytes += hear_at_b(&p, len))
            ck_assert_int_eq(stt_driver_step(p.b.d, true), STT_OK);
        flush_to_b(&p, len);
        look_at_b(&p, len);
    }
    close_pair(&p);
}
END_TEST

START_TEST(who_has_looked_can_poll_the_descriptor)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    there_and_back(&p, 3000, 1000, 0);
    flush_to_b(&p, 500);
    look_at_b(&p, 500);
    struct pollfd fd = {.fd = stt_driver_fd(p.b.d), .events = POLLIN};
    for (size_t len = 1; len < 20; len++) {
        flush_to_b(&p, len);
        for (size_t bytes = 0; bytes < len; bytes += hear_at_b(&p, len)) {
            ck_assert_int_eq(poll(&fd, 1, 10000), 1);
            ck_assert_int_eq(stt_driver_step(p.b.d, false), STT_OK);
        }
        ck_assert_int_eq(stt_driver_look(p.b.d), STT_OK);
        ck_assert_uint_eq(hear_at_b(&p, len), 0);
    }
    close_pair(&p);
}
END_TEST

/* -- addresses ------------------------------------------------------------------------------------
 */

START_TEST(whoever_is_asked_answers_from_there)
{
    static const struct {
        const char *asking, *asked, *at;
    } rows[] = {{"127.0.0.1", "127.0.0.2", "0.0.0.0"},
                {"127.0.0.1", "127.0.0.2", "::"},
                {"127.0.0.9", "127.8.8.8", "::"},
                {"::1", "::1", "::"},
                {"::", "127.0.0.2", "::"},
                {"::", "::1", "::1"}};
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct pair p;
        if ((i > 0 && !udp_has_ipv6()) || !open_pair_on(&p, _i, rows[i].asking, rows[i].at))
            return;
        struct stt_address asked = udp_address(rows[i].asked, p.b.socket.local.port);
        struct stt_driver_train t = train_of(5000, 1200, asked);
        flow_send(p.there, &p.a, &t);
        flow_finish(p.there, &p.a, &p.b);
        same_address(&p.there->last.local, &asked);
        t = train_of(5000, 1200, p.there->last.remote);
        t.local = p.there->last.local;
        t.ecn = 1;
        flow_send(p.back, &p.b, &t);
        flow_finish(p.back, &p.b, &p.a);
        same_address(&p.back->last.remote, &asked);
        same_address(&p.back->last.local, &p.there->last.remote);
        ck_assert_uint_eq(p.back->last.ecn, 1);
        close_pair(&p);
    }
}
END_TEST

START_TEST(dscp_and_marks_are_in_the_header_of_both_families)
{
    static const char *const rows[] = {"127.0.0.1", "::1"};
    for (unsigned i = 0; i < 1u + udp_has_ipv6(); i++) {
        struct stt_driver_config config = STT_DRIVER_CONFIG_INIT;
        config.dscp = 46;
        struct end e;
        if (!end_open(&e, _i, udp_has_ipv6() ? "::" : "0.0.0.0", &config))
            return;
        struct stt_socket s = udp_open(rows[i]);
        uint8_t data[100], dscp;
        struct stt_driver_train t = train_of(100, 100, s.local);
        t.ecn = 2;
        flow_waste(&e, &t);
        ck_assert_int_eq(stt_driver_step(e.d, false), STT_OK);
        ck_assert(udp_receive(&s, &t, data, sizeof data, &dscp));
        ck_assert_uint_eq(dscp, 46);
        ck_assert_uint_eq(t.ecn, 2);
        close(s.fd);
        end_free(&e);
    }
}
END_TEST

/* -- waiting --------------------------------------------------------------------------------------
 */

START_TEST(a_step_does_not_wait_after_a_wake_and_the_fd_says_so)
{
    struct end e;
    if (!end_open(&e, _i, "127.0.0.1", NULL))
        return;
    struct stt_driver_train t;
    int fd = stt_driver_fd(e.d);
    for (unsigned i = 0; i < 100; i++) {
        stt_driver_wake(e.d);
        if (i & 1)
            stt_driver_wake(e.d);
        ck_assert(udp_is_readable(fd, UDP_PATIENCE_MS));
        ck_assert_int_eq(stt_driver_step(e.d, true), STT_OK);
        ck_assert(!stt_driver_receive(e.d, &t));
        ck_assert_int_eq(stt_driver_step(e.d, false), STT_OK);
        ck_assert(!stt_driver_receive(e.d, &t));
        ck_assert(!udp_is_readable(fd, 0));
    }
    end_free(&e);
}
END_TEST

/* By waiting steps. Answers how many there were. */
static unsigned wait_until(struct end *e, stt_ns at)
{
    unsigned steps = 0;
    for (; boot_ns() < at; steps++)
        ck_assert_int_eq(stt_driver_step(e->d, true), STT_OK);
    ck_assert_uint_lt(boot_ns(), at + STT_MS(UDP_PATIENCE_MS));
    return steps;
}

START_TEST(an_alarm_ends_waiting_at_its_time)
{
    struct end e;
    if (!end_open(&e, _i, "127.0.0.1", NULL))
        return;
    for (unsigned i = 0; i < 5; i++) {
        stt_ns at = boot_ns() + STT_MS(5);
        stt_driver_alarm(e.d, at);
        ck_assert_uint_le(wait_until(&e, at), 4);
    }
    stt_driver_alarm(e.d, 0); /* was long ago */
    ck_assert_int_eq(stt_driver_step(e.d, true), STT_OK);
    stt_driver_alarm(e.d, boot_ns());
    ck_assert_int_eq(stt_driver_step(e.d, true), STT_OK);
    end_free(&e);
}
END_TEST

START_TEST(an_alarm_moves_both_ways_and_goes_away)
{
    struct end e;
    if (!end_open(&e, _i, "127.0.0.1", NULL))
        return;
    stt_ns now = boot_ns();
    stt_driver_alarm(e.d, now + STT_S(3600));
    stt_driver_alarm(e.d, now + STT_MS(10));
    ck_assert_uint_le(wait_until(&e, now + STT_MS(10)), 4);
    now = boot_ns();
    stt_driver_alarm(e.d, now + STT_MS(5));
    stt_driver_alarm(e.d, now + STT_MS(30)); /* perhaps too early, too, but not only */
    ck_assert_uint_le(wait_until(&e, now + STT_MS(30)), 4);
    stt_driver_alarm(e.d, boot_ns() + STT_MS(10));
    stt_driver_alarm(e.d, STT_NEVER);
    struct stt_driver_train t;
    if (udp_is_readable(stt_driver_fd(e.d), 40)) { /* too early, once */
        ck_assert_int_eq(stt_driver_step(e.d, false), STT_OK);
        ck_assert(!stt_driver_receive(e.d, &t));
    }
    ck_assert(!udp_is_readable(stt_driver_fd(e.d), 40));
    end_free(&e);
}
END_TEST

START_TEST(the_fd_is_readable_from_the_alarm_to_the_step)
{
    struct end e;
    if (!end_open(&e, _i, "127.0.0.1", NULL))
        return;
    struct stt_driver_train t;
    int fd = stt_driver_fd(e.d);
    for (unsigned i = 0; i < 3; i++) {
        stt_ns at = boot_ns() + STT_MS(10);
        stt_driver_alarm(e.d, at);
        do {
            ck_assert(udp_is_readable(fd, UDP_PATIENCE_MS));
            ck_assert(udp_is_readable(fd, 0));
            ck_assert_int_eq(stt_driver_step(e.d, false), STT_OK);
            ck_assert(!stt_driver_receive(e.d, &t));
        } while (boot_ns() < at);
        ck_assert(!udp_is_readable(fd, 20));
    }
    end_free(&e);
}
END_TEST

/* By those who poll and step only when told. */
START_TEST(alarms_that_are_near_or_past_are_told_by_the_fd)
{
    struct end e;
    if (!end_open(&e, _i, "127.0.0.1", NULL))
        return;
    int fd = stt_driver_fd(e.d);
    ck_assert_int_eq(stt_driver_step(e.d, false), STT_OK);
    for (unsigned i = 0; i < 400; i++) {
        stt_driver_alarm(e.d, boot_ns() - STT_US(100) + STT_US(i));
        ck_assert_msg(udp_is_readable(fd, UDP_PATIENCE_MS), "%u", i);
        ck_assert_int_eq(stt_driver_step(e.d, false), STT_OK);
        stt_driver_alarm(e.d, STT_NEVER);
    }
    end_free(&e);
}
END_TEST

START_TEST(what_comes_ends_waiting)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    stt_driver_alarm(p.b.d, boot_ns() + STT_MS(UDP_PATIENCE_MS));
    struct stt_driver_train t = to_b(&p, 100, 100);
    flow_send(p.there, &p.a, &t);
    ck_assert_int_eq(stt_driver_step(p.a.d, false), STT_OK);
    ck_assert_uint_eq(flow_step(p.there, &p.b, true), 1);
    close_pair(&p);
}
END_TEST

static int watch(struct end *e, uint32_t events)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = events};
    ck_assert_int_ge(epoll, 0);
    ck_assert_int_eq(epoll_ctl(epoll, EPOLL_CTL_ADD, stt_driver_fd(e->d), &event), 0);
    return epoll;
}

/* A ring that was closed a moment ago still interrupts its thread. */
static bool is_told(int epoll, int ms)
{
    struct epoll_event event;
    int n;
    do
        n = epoll_wait(epoll, &event, 1, ms);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

/* At the beginning there may be a report of nothing. */
static void settle(struct end *e, int epoll)
{
    struct stt_driver_train t;
    while (is_told(epoll, 0)) {
        ck_assert_int_eq(stt_driver_step(e->d, false), STT_OK);
        ck_assert(!stt_driver_receive(e->d, &t));
    }
}

/* More than a step may bring, told by level or by edge: each report is answered by one step. */
START_TEST(a_foreign_epoll_is_told_of_all_there_is)
{
    static const uint32_t kinds[] = {EPOLLIN, EPOLLIN | EPOLLET};
    for (unsigned kind = 0; kind < 2; kind++) {
        struct pair p;
        if (!open_pair(&p, _i))
            return;
        struct stt_driver_config config = {.receive_buffers = 4, .send_buffers = 2};
        end_free(&p.b);
        ck_assert(end_open(&p.b, _i, "127.0.0.1", &config));
        int epoll = watch(&p.b, kinds[kind]);
        settle(&p.b, epoll);
        for (unsigned round = 0; round < 20; round++) {
            for (unsigned i = 0; i < (round & 1 ? 1 : 14); i++) {
                struct stt_driver_train t = to_b(&p, 100, 100);
                flow_send(p.there, &p.a, &t);
                ck_assert_int_eq(stt_driver_step(p.a.d, false), STT_OK);
            }
            while (p.there->received < p.there->sent) {
                ck_assert_msg(is_told(epoll, UDP_PATIENCE_MS), "not told: %u of %u, kind %u",
                              p.there->received, p.there->sent, kind);
                flow_step(p.there, &p.b, false);
            }
            settle(&p.b, epoll);
        }
        stt_driver_wake(p.b.d);
        ck_assert(is_told(epoll, UDP_PATIENCE_MS));
        settle(&p.b, epoll);
        stt_driver_alarm(p.b.d, boot_ns() + STT_MS(5));
        ck_assert_msg(is_told(epoll, UDP_PATIENCE_MS), "not told of the alarm, kind %u", kind);
        close(epoll);
        close_pair(&p);
    }
}
END_TEST

/* -- limits and life ------------------------------------------------------------------------------
 */

START_TEST(wrong_configurations_are_refused)
{
    static const struct stt_driver_config rows[] = {
        {.receive_buffers = 2, .send_buffers = 16},
        {.receive_buffers = 24, .send_buffers = 16},
        {.receive_buffers = 2048, .send_buffers = 16},
        {.receive_buffers = 0, .send_buffers = 16},
        {.receive_buffers = 32, .send_buffers = 1},
        {.receive_buffers = 32, .send_buffers = 257},
        {.receive_buffers = 32, .send_buffers = 16, .dscp = 64}};
    struct end e;
    if (!end_open(&e, _i, "127.0.0.1", NULL))
        return;
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stt_driver *d = NULL;
        ck_assert_int_eq(driver_try(_i, &d, &rows[i]), STT_E_ARGUMENT);
        ck_assert_ptr_null(d);
    }
    end_free(&e);
}
END_TEST

START_TEST(there_are_sixteen_sockets_and_no_more)
{
    struct end e;
    if (!end_open(&e, _i, "127.0.0.1", NULL))
        return;
    uint32_t number, seen = 1u << e.number;
    for (unsigned i = 1; i < STT_DRIVER_SOCKETS_MAX; i++) {
        struct stt_socket s = udp_open("127.0.0.1");
        ck_assert_int_eq(stt_driver_add(e.d, &s, &number), STT_OK);
        ck_assert_uint_lt(number, STT_DRIVER_SOCKETS_MAX);
        seen |= 1u << number;
    }
    ck_assert_uint_eq(seen, 0xffff);
    struct stt_socket s = udp_open("127.0.0.1");
    ck_assert_int_eq(stt_driver_add(e.d, &s, &number), STT_E_LIMIT);
    stt_driver_remove(e.d, 7);
    ck_assert_int_eq(stt_driver_step(e.d, false), STT_OK);
    ck_assert_int_eq(stt_driver_add(e.d, &s, &number), STT_OK);
    ck_assert_uint_eq(number, 7);
    end_free(&e);
}
END_TEST

START_TEST(no_descriptor_is_left)
{
    int before = udp_descriptors();
    for (unsigned i = 0; i < 3; i++) {
        struct pair p;
        if (!open_pair(&p, _i))
            return;
        there_and_back(&p, 5000, 1000, 0);
        stt_driver_alarm(p.a.d, boot_ns() + STT_S(1));
        stt_driver_fd(p.a.d);
        struct stt_driver_train t = to_b(&p, 5000, 1000);
        flow_send(p.there, &p.a, &t); /* and is lost, perhaps */
        close_pair(&p);
        stt_driver_free(NULL);
    }
    ck_assert_int_eq(udp_descriptors(), before);
}
END_TEST

START_TEST(a_socket_is_removed_under_traffic)
{
    struct pair p;
    if (!open_pair(&p, _i))
        return;
    struct stt_socket old = p.b.socket, other = udp_open("127.0.0.1");
    uint32_t number;
    for (unsigned i = 0; i < 20; i++) {
        struct stt_driver_train t = train_of(100, 100, old.local);
        flow_waste(&p.a, &t);
        ck_assert_int_eq(stt_driver_step(p.a.d, false), STT_OK);
    }
    ck_assert_int_eq(stt_driver_step(p.b.d, true), STT_OK);
    struct stt_driver_train t;
    ck_assert(stt_driver_receive(p.b.d, &t)); /* the others are never seen */
    ck_assert_int_eq(stt_driver_add(p.b.d, &other, &number), STT_OK);
    ck_assert_uint_ne(number, p.b.number);
    for (unsigned i = 0; i < t.len; i++)
        ck_assert_uint_eq(t.data[i], 0xee);
    stt_driver_remove(p.b.d, p.b.number);
    ck_assert(!stt_driver_receive(p.b.d, &t));
    p.b.socket = other;
    p.b.number = number;
    for (unsigned i = 0; i < 10; i++)
        there_and_back(&p, 3000, 1000, 0);
    ck_assert_uint_eq(p.there->received, 30);
    ck_assert_uint_eq(stats_of(&p.b).receive_errors, 0);
    close_pair(&p);
}
END_TEST

SUITE("drivers", LOOP(trains_of_every_count_with_odd_tails_arrive_both_ways, 0, DRIVERS),
      LOOP(many_trains_are_under_way_at_once, 0, DRIVERS),
      LOOP(a_look_finds_what_a_flush_has_sent, 0, DRIVERS),
      LOOP(who_has_looked_can_sleep_and_is_woken, 0, DRIVERS),
      LOOP(who_has_looked_can_poll_the_descriptor, 0, DRIVERS),
      LOOP(whoever_is_asked_answers_from_there, 0, DRIVERS),
      LOOP(dscp_and_marks_are_in_the_header_of_both_families, 0, DRIVERS),
      LOOP(a_step_does_not_wait_after_a_wake_and_the_fd_says_so, 0, DRIVERS),
      LOOP(an_alarm_ends_waiting_at_its_time, 0, DRIVERS),
      LOOP(an_alarm_moves_both_ways_and_goes_away, 0, DRIVERS),
      LOOP(the_fd_is_readable_from_the_alarm_to_the_step, 0, DRIVERS),
      LOOP(alarms_that_are_near_or_past_are_told_by_the_fd, 0, DRIVERS),
      LOOP(what_comes_ends_waiting, 0, DRIVERS),
      LOOP(a_foreign_epoll_is_told_of_all_there_is, 0, DRIVERS),
      LOOP(wrong_configurations_are_refused, 0, DRIVERS),
      LOOP(there_are_sixteen_sockets_and_no_more, 0, DRIVERS),
      LOOP(no_descriptor_is_left, 0, DRIVERS), LOOP(a_socket_is_removed_under_traffic, 0, DRIVERS))
