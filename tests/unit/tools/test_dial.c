/* SPDX-License-Identifier: MIT
 * One connection that is made, against listeners of the test's; time is the test's, too. */
#include "tools/sttcat/dial.h"

#include "tests/support/suite.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

static struct loop loop;
static struct dial d;

/* Turns, with real waiting where it waits for a descriptor; false: only time would help. */
static bool turn(void)
{
    loop.n = 0;
    loop.wake_at = STT_NEVER;
    if (dial_turn(&d, &loop) != DIAL_WAITS)
        return true;
    ck_assert(loop.wake_at != STT_NEVER); /* it ends by itself */
    if (loop.n == 0 || poll(&loop.polled[2], 1, 3000) <= 0)
        return false;
    loop.ports[2]->ready = POLLIN | POLLOUT;
    return true;
}

static void begin(const char *text)
{
    struct target to;
    ck_assert(target_parse(&to, bytes_of(text, strlen(text))));
    loop.now = STT_S(100);
    dial_begin(&d, &to, loop.now);
}

static enum dial_state run(void)
{
    while (d.state == DIAL_WAITS && turn())
        ;
    return d.state;
}

static int listen_tcp(uint16_t *port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof name;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(!bind(fd, (struct sockaddr *)&name, len) && !listen(fd, 1) &&
              !getsockname(fd, (struct sockaddr *)&name, &len));
    *port = ntohs(name.sin_port);
    return fd;
}

static void connects_to(const char *host, uint16_t port)
{
    char text[64];
    snprintf(text, sizeof text, "%s:%u", host, port);
    begin(text);
}

START_TEST(listener_is_connected_to_by_number_and_by_name)
{
    uint16_t port;
    int listener = listen_tcp(&port), fd;
    connects_to(_i ? "localhost" : "127.0.0.1", port);
    ck_assert_int_eq(run(), DIAL_DONE);
    fd = dial_take(&d);
    ck_assert_int_eq(write(fd, "x", 1), 1);
    dial_end(&d); /* not its own any more */
    ck_assert_int_eq(write(fd, "x", 1), 1);
    close(fd);
    close(listener);
}
END_TEST

START_TEST(nobody_there_is_said_in_words)
{
    uint16_t port;
    close(listen_tcp(&port));
    connects_to("127.0.0.1", port);
    ck_assert_int_eq(run(), DIAL_FAILED);
    ck_assert_str_eq(d.why, "Connection refused");
    begin("unix:/nonexistent/socket");
    ck_assert_int_eq(run(), DIAL_FAILED);
    ck_assert_str_eq(d.why, "No such file or directory");
}
END_TEST

/* What a name has: the first refuses, or says nothing; the second is there. */
START_TEST(addresses_are_tried_in_turn)
{
    uint16_t port, nobody;
    int listener = listen_tcp(&port);
    close(listen_tcp(&nobody));
    connects_to("127.0.0.1", port);
    ck_assert(lookup_answer(d.lookup, &d.addresses));
    d.addresses.at[1] = d.addresses.at[0];
    ((struct sockaddr_in *)(void *)&d.addresses.at[0].at)->sin_port = htons(nobody);
    d.addresses.n = 2;
    lookup_free(d.lookup);
    d.lookup = NULL;
    ck_assert_int_eq(run(), DIAL_DONE);
    ck_assert_uint_eq(d.next, 2);
    dial_end(&d);
    close(listener);
}
END_TEST

/* A socket whose backlog is full: TCP says nothing, unix says so. */
START_TEST(who_does_not_answer_is_given_up_in_time)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    char text[sizeof name.sun_path + 8];
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(name.sun_path, sizeof name.sun_path, "/tmp/stt-dial-%d", (int)getpid());
    ck_assert(!bind(listener, (struct sockaddr *)&name, sizeof name) && !listen(listener, 0));
    ck_assert(!connect(other, (struct sockaddr *)&name, sizeof name));
    snprintf(text, sizeof text, "unix:%s", name.sun_path);
    begin(text);
    for (int i = 0; i < 190; i++) {
        ck_assert_int_eq(run(), DIAL_WAITS);
        ck_assert_uint_le(loop.wake_at, loop.now + STT_MS(50));
        loop.now += STT_MS(50);
    }
    if (_i) {
        close(accept(listener, NULL, NULL));
        ck_assert_int_eq(run(), DIAL_DONE);
    } else {
        loop.now += STT_MS(500);
        ck_assert_int_eq(run(), DIAL_FAILED);
        ck_assert_str_eq(d.why, "its backlog is full");
    }
    dial_end(&d);
    unlink(name.sun_path);
    close(listener);
    close(other);
}
END_TEST

SUITE("dial", LOOP(listener_is_connected_to_by_number_and_by_name, 0, 2),
      TEST(nobody_there_is_said_in_words), TEST(addresses_are_tried_in_turn),
      LOOP(who_does_not_answer_is_given_up_in_time, 0, 2))
