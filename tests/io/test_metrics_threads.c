/* SPDX-License-Identifier: MIT
 * Metrics over HTTP: what visitors get, whoever else visits, and what the node notices of it. */
#include "stt/metrics.h"
#include "tests/support/nodes.h"
#include "tests/support/rng.h"
#include "tests/support/suite.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GET "GET /metrics HTTP/1.0\r\n\r\n"
enum { ANSWER_ROOM = 32768, FEW = 64 };

struct site {
    struct nodes n;
    uint16_t port;
    pthread_t thread;
    bool is_stepped;
};

static void *step(void *ctx)
{
    struct site *s = ctx;
    while (stt_node_wait(s->n.server.node, STT_NEVER) == STT_OK)
        nodes_pull(&s->n.server);
    return NULL;
}

static void open_site(struct site *s, bool is_stepped)
{
    *s = (struct site){.is_stepped = is_stepped};
    ck_assert(nodes_begin(&s->n, STT_IO_AUTO, "127.0.0.1:0", NULL));
    ck_assert_int_eq(stt_node_metrics_listen(s->n.server.node, 0, &s->port), STT_OK);
    ck_assert_uint_ne(s->port, 0);
    if (is_stepped)
        ck_assert_int_eq(pthread_create(&s->thread, NULL, step, s), 0);
}

static void close_site(struct site *s)
{
    stt_node_stop(s->n.server.node);
    if (s->is_stepped)
        pthread_join(s->thread, NULL);
    nodes_end(&s->n);
}

/* -- visitors ---------------------------------------------------------------------------------- */

static struct sockaddr_in address_of(const struct site *s)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(s->port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static int visit(const struct site *s)
{
    const struct sockaddr_in to = address_of(s);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void say(int fd, const void *data, size_t len)
{
    (void)!send(fd, data, len, MSG_NOSIGNAL); /* it may be told to go */
}

/* All that comes until the end, at most for 10 s; answers whether there was an end in order. */
static bool hear(int fd, char answer[ANSWER_ROOM])
{
    struct pollfd p = {fd, POLLIN, 0};
    size_t len = 0;
    ssize_t n = -1;
    while (poll(&p, 1, 10000) == 1 && (n = recv(fd, answer + len, ANSWER_ROOM - 1 - len, 0)) > 0)
        len += (size_t)n;
    answer[len] = 0;
    close(fd);
    return n == 0;
}

static int status_of(const char *answer)
{
    int status = 0;
    (void)!sscanf(answer, "HTTP/1.1 %d ", &status);
    return status;
}

static int ask(const struct site *s, const char *request)
{
    char answer[ANSWER_ROOM];
    const int fd = visit(s);
    say(fd, request, strlen(request));
    ck_assert(hear(fd, answer));
    return status_of(answer);
}

/* -- what they get ----------------------------------------------------------------------------- */

START_TEST(the_page_is_the_text_whole_and_nothing_else)
{
    struct site s;
    char answer[ANSWER_ROOM];
    size_t length = 0;
    open_site(&s, true);
    const int fd = visit(&s);
    say(fd, GET, strlen(GET));
    ck_assert(hear(fd, answer));
    ck_assert_int_eq(status_of(answer), 200);
    const char *body = strstr(answer, "\r\n\r\n") + 4, *says = strstr(answer, "Content-Length: ");
    ck_assert_ptr_ne(strstr(answer, "\r\nContent-Type: text/plain; version=0.0.4;"), NULL);
    ck_assert_int_eq(sscanf(says, "Content-Length: %zu", &length), 1);
    ck_assert_uint_eq(strlen(body), length);
    ck_assert_ptr_eq(strstr(body, "# HELP stt_info "), body);
    ck_assert_ptr_ne(strstr(body, "\nstt_sockets 1\n"), NULL);
    ck_assert_int_eq(body[length - 1], '\n');
    close_site(&s);
}
END_TEST

START_TEST(everything_else_is_refused_by_name)
{
    struct site s;
    char longest[6000];
    open_site(&s, true);
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "GET /metrics HTTP/1.0\r\nX: ", 26);
    longest[sizeof longest - 1] = 0;
    ck_assert_int_eq(ask(&s, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    ck_assert_int_eq(ask(&s, "GET / HTTP/1.0\r\n\r\n"), 404);
    ck_assert_int_eq(ask(&s, "GET /etc/passwd HTTP/1.0\r\n\r\n"), 404);
    ck_assert_int_eq(ask(&s, "POST /metrics HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc"), 405);
    ck_assert_int_eq(ask(&s, "nonsense\r\n\r\n"), 400);
    ck_assert_int_eq(ask(&s, longest), 400);
    ck_assert_int_eq(ask(&s, GET), 200);
    close_site(&s);
}
END_TEST

START_TEST(it_is_off_unless_asked_for_and_only_once_on_a_port)
{
    struct site s;
    open_site(&s, false);
    ck_assert_int_eq(stt_node_metrics_listen(s.n.server.node, 0, NULL), STT_E_STATE);
    ck_assert_int_eq(stt_node_metrics_listen(s.n.client.node, s.port, NULL), STT_E_EXISTS);
    ck_assert_int_eq(stt_node_metrics_listen(s.n.client.node, 0, NULL), STT_OK);
    close_site(&s);
}
END_TEST

START_TEST(a_node_that_is_not_stepped_is_said_to_be_unavailable)
{
    struct site s;
    open_site(&s, false);
    ck_assert_int_eq(ask(&s, GET), 503);
    ck_assert_int_eq(stt_node_step(s.n.server.node), STT_OK);
    close_site(&s);
}
END_TEST

/* -- slow and hostile ones --------------------------------------------------------------------- */

START_TEST(who_speaks_slowly_is_heard_and_who_takes_too_long_is_not)
{
    struct site s;
    char answer[ANSWER_ROOM];
    open_site(&s, true);
    int fd = visit(&s);
    for (size_t i = 0; i < strlen(GET); i++) {
        say(fd, &GET[i], 1);
        usleep(10000);
    }
    ck_assert(hear(fd, answer));
    ck_assert_int_eq(status_of(answer), 200);
    fd = visit(&s);
    const stt_ns begun = stt_node_now(s.n.client.node);
    say(fd, GET, 10);
    ck_assert(hear(fd, answer));
    ck_assert_str_eq(answer, "");
    ck_assert_uint_lt(stt_node_now(s.n.client.node) - begun, STT_S(6));
    close_site(&s);
}
END_TEST

START_TEST(who_says_nothing_keeps_nobody_waiting)
{
    enum { SILENT = 40 };
    struct site s;
    int fds[SILENT];
    open_site(&s, true);
    for (int i = 0; i < SILENT; i++)
        fds[i] = visit(&s);
    const stt_ns begun = stt_node_now(s.n.client.node);
    ck_assert_int_eq(ask(&s, GET), 200);
    ck_assert_uint_lt(stt_node_now(s.n.client.node) - begun, STT_S(1));
    for (int i = 0; i < SILENT; i++)
        close(fds[i]);
    close_site(&s);
}
END_TEST

static bool is_ended(int fd, int within_ms)
{
    struct pollfd p = {fd, POLLIN, 0};
    char byte;
    return poll(&p, 1, within_ms) == 1 && recv(fd, &byte, 1, 0) == 0;
}

START_TEST(of_nine_visits_the_oldest_ends)
{
    struct site s;
    int fds[9];
    open_site(&s, true);
    for (int i = 0; i < 8; i++)
        fds[i] = visit(&s);
    ck_assert(!is_ended(fds[0], 200));
    fds[8] = visit(&s);
    ck_assert(is_ended(fds[0], 1000));
    for (int i = 1; i < 9; i++)
        ck_assert(!is_ended(fds[i], 10));
    for (int i = 0; i < 9; i++)
        close(fds[i]);
    close_site(&s);
}
END_TEST

static void do_harm(const struct site *s, struct rng *rng)
{
    uint8_t noise[512];
    const int fd = visit(s);
    const struct linger hard = {.l_onoff = 1, .l_linger = 0};
    rng_fill(rng, noise, sizeof noise);
    switch (rng_below(rng, 4)) {
    case 0:
        say(fd, noise, sizeof noise);
        break;
    case 1:
        say(fd, GET, strlen(GET));
        shutdown(fd, SHUT_RD);
        break;
    case 2:
        say(fd, GET, strlen(GET));
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard); /* goes with a RST */
        break;
    default:
        say(fd, GET, 7);
    }
    close(fd);
}

/* The node answers its own peer all the while. */
START_TEST(vandals_change_nothing_for_visitors_nor_for_sessions)
{
    struct site s;
    struct rng rng = rng_init(17);
    open_site(&s, false);
    s.n.server.echoes = true;
    s.is_stepped = pthread_create(&s.thread, NULL, step, &s) == 0;
    ck_assert(s.is_stepped);
    nodes_connect_begin(&s.n, NULL);
    while (!s.n.client.events[STT_EVENT_CONNECTED]) {
        ck_assert_int_eq(stt_node_wait(s.n.client.node, STT_S(1)), STT_OK);
        nodes_pull(&s.n.client);
    }
    nodes_send(&s.n, 1 << 20);
    for (int i = 0; i < 200; i++) {
        do_harm(&s, &rng);
        if (i % 10 == 9)
            ck_assert_int_eq(ask(&s, GET), 200);
        ck_assert_int_eq(stt_node_wait(s.n.client.node, STT_MS(1)), STT_OK);
        nodes_pull(&s.n.client);
    }
    while (!s.n.client.has_read_all) {
        ck_assert_int_eq(stt_node_wait(s.n.client.node, STT_S(1)), STT_OK);
        nodes_pull(&s.n.client);
    }
    ck_assert_uint_eq(s.n.client.read, 1 << 20);
    close_site(&s);
}
END_TEST

static stt_ns cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return STT_S(t.tv_sec) + (stt_ns)t.tv_nsec;
}

/* Where the process has no descriptor left a visitor waits until there is one, and nobody spins. */
START_TEST(who_comes_without_a_descriptor_left_waits_for_one)
{
    struct site s;
    char answer[ANSWER_ROOM];
    struct rlimit before, few;
    int all[FEW], n = 0;
    open_site(&s, true);
    const struct sockaddr_in to = address_of(&s);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = (struct rlimit){FEW, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    while (n < FEW && (all[n] = dup(fd)) >= 0)
        n++;
    ck_assert_int_lt(n, FEW);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    say(fd, GET, strlen(GET));
    const stt_ns begun = cpu_ns();
    struct pollfd p = {fd, POLLIN, 0};
    ck_assert_int_eq(poll(&p, 1, 500), 0);
    ck_assert_uint_lt(cpu_ns() - begun, STT_MS(100));
    while (n > 0)
        close(all[--n]);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert(hear(fd, answer));
    ck_assert_int_eq(status_of(answer), 200);
    close_site(&s);
}
END_TEST

START_TEST(a_node_is_freed_at_once_whoever_visits)
{
    struct site s;
    char answer[ANSWER_ROOM];
    open_site(&s, false);
    const int silent = visit(&s), asks = visit(&s);
    say(asks, GET, strlen(GET));
    usleep(50000); /* until the letter is posted, which nobody will read */
    const stt_ns begun = stt_node_now(s.n.client.node);
    stt_node_free(s.n.server.node);
    s.n.server.node = NULL;
    ck_assert_uint_lt(stt_node_now(s.n.client.node) - begun, STT_S(1));
    (void)hear(silent, answer);
    (void)hear(asks, answer);
    ck_assert_str_eq(answer, "");
    nodes_end(&s.n);
}
END_TEST

SUITE("metrics_threads", TEST(the_page_is_the_text_whole_and_nothing_else),
      TEST(everything_else_is_refused_by_name),
      TEST(it_is_off_unless_asked_for_and_only_once_on_a_port),
      TEST(a_node_that_is_not_stepped_is_said_to_be_unavailable),
      TEST(who_speaks_slowly_is_heard_and_who_takes_too_long_is_not),
      TEST(who_says_nothing_keeps_nobody_waiting), TEST(of_nine_visits_the_oldest_ends),
      TEST(vandals_change_nothing_for_visitors_nor_for_sessions),
      TEST(who_comes_without_a_descriptor_left_waits_for_one),
      TEST(a_node_is_freed_at_once_whoever_visits))
