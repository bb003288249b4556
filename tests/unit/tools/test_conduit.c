/* SPDX-License-Identifier: MIT
 * Two endpoints with a network of virtual time between them, a conduit at each, and real sockets
 * behind those: what is said at one end comes out at the other. */
#include "tools/sttcat/conduit.h"

#include "tests/support/duo.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIR_UNIX, PAIR_TCP, PAIRS, MIB = 1 << 20 };

struct end {
    struct duo_side *side;
    struct conduit conduit;
    int app; /* what the conduit carries for */
    uint64_t said, heard;
    bool has_ended, is_reset; /* as the app has seen */
};

static struct duo duo;
static struct end a, b; /* a's stream it is */
static struct loop loop;
static unsigned turns_busy, polls_woken;

/* -- sockets ----------------------------------------------------------------------------------- */

static void tcp_pair(int fds[2])
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof name;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&name, len), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&name, &len), 0);
    ck_assert_int_eq(connect(fds[0], (struct sockaddr *)&name, len), 0);
    fds[1] = accept(listener, NULL, NULL);
    ck_assert_int_ge(fds[1], 0);
    close(listener);
}

/* The app's end, and the conduit's; neither blocks. */
static int open_pair(int kind, int *app)
{
    int fds[2];
    if (kind == PAIR_TCP)
        tcp_pair(fds);
    else
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    for (int i = 0; i < 2; i++)
        ck_assert(loop_unblock(fds[i], 0) == fds[i]);
    *app = fds[0];
    return fds[1];
}

/* -- turns ------------------------------------------------------------------------------------- */

static void setup(int kind)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    stt_handle stream;
    duo_init(&duo, 1);
    duo.latency_ns = STT_MS(1);
    duo_start(&duo);
    duo_connect(&duo, STT_MODE_K);
    a = (struct end){.side = &duo.client};
    b = (struct end){.side = &duo.server, .conduit = {.port = {.fd = -1}}};
    ck_assert_int_eq(stt_stream_open(duo.client.ep, duo.now, duo.client.session, &options, &stream),
                     STT_OK);
    ck_assert_int_eq(stt_stream_flush(duo.client.ep, duo.now, stream), STT_OK);
    conduit_begin(&a.conduit, duo.client.ep, stream, open_pair(kind, &a.app));
    int fd = open_pair(kind, &b.app);
    while (!b.conduit.stream) {
        struct stt_stream_event e;
        duo_run_for(&duo, STT_MS(5));
        if (stt_endpoint_stream_event(duo.server.ep, &e))
            conduit_begin(&b.conduit, duo.server.ep, e.stream, fd);
    }
}

static void teardown(void)
{
    conduit_end(&a.conduit);
    conduit_end(&b.conduit);
    close(a.app);
    close(b.app);
    duo_end(&duo);
}

static void pull(struct end *e)
{
    struct stt_stream_event event;
    while (stt_endpoint_stream_event(e->side->ep, &event))
        conduit_on_stream(&e->conduit, duo.now, &event);
}

static bool turn_conduit(struct end *e)
{
    pull(e);
    bool any = conduit_turn(&e->conduit, duo.now, UINT64_MAX);
    conduit_want(&e->conduit, &loop);
    return any;
}

/* As loop.c does it, with the test's time. */
static bool turn(void)
{
    loop.n = 0;
    bool any = turn_conduit(&a);
    any |= turn_conduit(&b);
    for (uint32_t i = 0; i < loop.n; i++) {
        struct pollfd *p = &loop.polled[2 + i];
        if (poll(p, 1, 0) > 0)
            loop.ports[2 + i]->ready |=
                p->revents & (POLLERR | POLLHUP) ? POLLIN | POLLOUT : p->revents;
        polls_woken += p->revents != 0;
    }
    turns_busy += any;
    duo_run_for(&duo, STT_MS(3));
    return any;
}

/* -- what the apps do -------------------------------------------------------------------------- */

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)((offset * 0x9e3779b97f4a7c15u) >> 56);
}

/* As much of it as goes. */
static void say(struct end *e, uint64_t up_to)
{
    static uint8_t bytes[65536];
    ssize_t n = 1;
    while (e->said < up_to && n > 0) {
        size_t len = up_to - e->said < sizeof bytes ? (size_t)(up_to - e->said) : sizeof bytes;
        for (size_t i = 0; i < len; i++)
            bytes[i] = byte_at(e->said + i);
        n = send(e->app, bytes, len, MSG_NOSIGNAL);
        e->said += n > 0 ? (uint64_t)n : 0;
    }
}

static bool is_right(const uint8_t *bytes, size_t len, uint64_t offset)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != byte_at(offset + i))
            return false;
    return true;
}

static bool hear(struct end *e)
{
    static uint8_t bytes[65536];
    ssize_t n;
    const uint64_t before = e->heard;
    while ((n = read(e->app, bytes, sizeof bytes)) > 0) {
        ck_assert(is_right(bytes, (size_t)n, e->heard));
        e->heard += (uint64_t)n;
    }
    if (n == 0)
        e->has_ended = true;
    else if (errno == ECONNRESET)
        e->is_reset = true;
    return e->heard > before;
}

static void turn_until_heard(uint64_t a_hears, uint64_t b_hears)
{
    for (int i = 0; i < 5000 && (a.heard < a_hears || b.heard < b_hears); i++) {
        say(&a, b_hears);
        say(&b, a_hears);
        turn();
        hear(&a);
        hear(&b);
    }
    ck_assert_uint_eq(a.heard, a_hears);
    ck_assert_uint_eq(b.heard, b_hears);
}

static void turn_some(int n)
{
    while (n-- > 0) {
        turn();
        hear(&a);
        hear(&b);
    }
}

static void turn_until(const bool *reached)
{
    for (int i = 0; i < 1000 && !*reached; i++)
        turn_some(1);
    ck_assert(*reached);
}

static void reset_app(struct end *e)
{
    const struct linger at_once = {1, 0};
    ck_assert_int_eq(setsockopt(e->app, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    close(e->app);
    e->app = -1;
}

/* Says as much as is taken while nobody reads. */
static void fill(struct end *e)
{
    uint64_t before;
    do {
        before = e->said;
        say(e, UINT64_MAX);
        for (int i = 0; i < 20; i++)
            turn();
    } while (e->said > before);
}

/* -- tests ------------------------------------------------------------------------------------- */

START_TEST(bytes_come_through_both_ways_at_once)
{
    setup(_i);
    turn_until_heard(3 * MIB, 3 * MIB);
    ck_assert_uint_eq(a.conduit.given, 3 * MIB);
    ck_assert_uint_eq(a.conduit.taken, 3 * MIB);
    teardown();
}
END_TEST

START_TEST(each_direction_ends_by_itself)
{
    setup(_i);
    turn_until_heard(0, 1000);
    shutdown(a.app, SHUT_WR);
    turn_until(&b.has_ended);
    ck_assert(!a.has_ended && !conduit_is_over(&a.conduit) && !conduit_is_over(&b.conduit));
    turn_until_heard(MIB, 1000);
    shutdown(b.app, SHUT_WR);
    turn_until(&a.has_ended);
    turn_some(3);
    ck_assert(conduit_is_over(&a.conduit) && conduit_is_over(&b.conduit));
    ck_assert(!a.conduit.is_broken && !b.conduit.is_broken);
    teardown();
}
END_TEST

START_TEST(reset_connection_resets_the_other_one)
{
    setup(PAIR_TCP);
    turn_until_heard(10, 10);
    reset_app(_i ? &a : &b);
    turn_until(_i ? &b.is_reset : &a.is_reset);
    turn_some(3);
    ck_assert(a.conduit.is_broken && b.conduit.is_broken);
    teardown();
}
END_TEST

START_TEST(who_does_not_read_stops_who_writes_and_nothing_is_lost)
{
    setup(_i);
    fill(&a);
    const uint64_t said = a.said;
    ck_assert_uint_gt(said, 2 * MIB);  /* the stream's rings ... */
    ck_assert_uint_lt(said, 32 * MIB); /* ... and the buffers of two connections */
    turns_busy = polls_woken = 0;
    for (int i = 0; i < 50; i++)
        turn();
    ck_assert_uint_eq(turns_busy, 0);
    ck_assert_uint_eq(polls_woken, 0);
    for (int i = 0; i < 5000 && b.heard < said; i++)
        turn_some(1);
    ck_assert_uint_eq(b.heard, said);
    turn_until_heard(MIB, said + MIB);
    teardown();
}
END_TEST

/* Over what can still be read there is no haste: a server says why, and closes. */
START_TEST(who_reads_no_more_is_still_heard)
{
    setup(PAIR_UNIX);
    turn_until_heard(0, 10);
    shutdown(b.app, SHUT_RD);
    say(&b, 100);
    for (int i = 0; i < 100 && a.conduit.gives; i++) {
        say(&a, a.said + 1000);
        turn();
        hear(&a);
    }
    ck_assert(!a.conduit.gives && a.conduit.takes && !b.conduit.takes && b.conduit.gives);
    ck_assert_int_eq(send(a.app, "x", 1, MSG_NOSIGNAL), -1);
    ck_assert_int_eq(errno, EPIPE);
    say(&b, 5000);
    shutdown(b.app, SHUT_WR);
    turn_until(&a.has_ended);
    ck_assert_uint_eq(a.heard, 5000);
    turn_some(3);
    ck_assert(conduit_is_over(&a.conduit) && !a.conduit.is_broken);
    teardown();
}
END_TEST

START_TEST(broken_connection_is_noticed_while_nothing_moves)
{
    setup(PAIR_TCP);
    fill(&a);
    reset_app(&a);
    for (int i = 0; i < 5; i++)
        turn();
    ck_assert(a.conduit.is_broken && b.conduit.is_broken);
    teardown();
}
END_TEST

/* It says so in every poll; asked once, it is not asked again. */
START_TEST(closed_connection_whose_bytes_wait_wakes_nobody)
{
    setup(PAIR_UNIX);
    fill(&a);
    const uint64_t said = a.said;
    close(a.app);
    a.app = -1;
    for (int i = 0; i < 5; i++)
        turn();
    turns_busy = polls_woken = 0;
    for (int i = 0; i < 50; i++)
        turn();
    ck_assert_uint_eq(turns_busy, 0);
    ck_assert_uint_eq(polls_woken, 0);
    turn_until(&b.has_ended);
    ck_assert_uint_eq(b.heard, said);
    teardown();
}
END_TEST

START_TEST(end_of_the_stream_closes_and_resets_nothing)
{
    const struct stt_stream_event ended = {.what = STT_STREAM_ENDED};
    setup(PAIR_TCP);
    turn_until_heard(1000, 0);
    conduit_on_stream(&a.conduit, duo.now, &ended);
    hear(&a);
    ck_assert(a.has_ended && !a.is_reset && !a.conduit.is_broken);
    teardown();
}
END_TEST

START_TEST(conduit_that_is_given_up_resets_its_connection)
{
    setup(PAIR_TCP);
    turn_until_heard(10, 10);
    conduit_end(&a.conduit);
    hear(&a);
    ck_assert(a.is_reset);
    teardown();
}
END_TEST

START_TEST(held_conduit_gives_and_does_not_take)
{
    setup(_i);
    a.conduit.is_held = true;
    say(&b, 1000);
    turn_until_heard(0, 1000);
    turn_some(10);
    ck_assert_uint_eq(a.heard, 0);
    a.conduit.is_held = false;
    turn_until_heard(1000, 1000);
    teardown();
}
END_TEST

START_TEST(no_more_is_given_than_allowed)
{
    setup(_i);
    say(&a, 100000);
    turn_some(1);
    const uint64_t before = a.conduit.given;
    say(&a, 200000);
    pull(&a);
    poll(NULL, 0, 1);
    a.conduit.port.ready = POLLIN | POLLOUT;
    a.conduit.is_watched = false;
    ck_assert(conduit_can_give(&a.conduit));
    ck_assert(!conduit_turn(&a.conduit, duo.now, 0));
    ck_assert(conduit_turn(&a.conduit, duo.now, 777));
    ck_assert_uint_eq(a.conduit.given, before + 777);
    teardown();
}
END_TEST

SUITE("conduit", LOOP(bytes_come_through_both_ways_at_once, 0, PAIRS),
      LOOP(each_direction_ends_by_itself, 0, PAIRS),
      LOOP(reset_connection_resets_the_other_one, 0, 2),
      LOOP(who_does_not_read_stops_who_writes_and_nothing_is_lost, 0, PAIRS),
      TEST(who_reads_no_more_is_still_heard),
      TEST(broken_connection_is_noticed_while_nothing_moves),
      TEST(closed_connection_whose_bytes_wait_wakes_nobody),
      TEST(end_of_the_stream_closes_and_resets_nothing),
      TEST(conduit_that_is_given_up_resets_its_connection),
      LOOP(held_conduit_gives_and_does_not_take, 0, PAIRS),
      LOOP(no_more_is_given_than_allowed, 0, PAIRS))
