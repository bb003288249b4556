/* SPDX-License-Identifier: MIT
 * Forwarded connections between programs that know nothing of each other: the test is the client at
 * the one end and the server at the other one, and two sttcat are between them. */
#include "tests/support/programs.h"
#include "tests/support/suite.h"
#include "tests/support/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Statuses: tools/common/exits.h. */
enum { USAGE = 2, REFUSED = 4, NETWORK = 10, LOCAL_IO = 11, EXISTS = 13, PARTIAL = 23 };
enum { KIB = 1 << 10, MIB = 1 << 20, CONNS_MAX = 600, IOS = PROGRAMS_IOS, BUFFER = 64 * KIB };
#define CAT    "sttcat --seed-file seed"
#define MORTAL " --keep-alive 200ms --timeout 1s"

/* A connection of the test's. What is said has a known content; an echo says what it hears. */
struct conn {
    int fd; /* -1: closed here */
    bool echoes;
    bool ends; /* when all is said */
    uint64_t to_say, said, heard;
    bool has_shut, has_ended, is_reset;
    uint8_t *held; /* by an echo */
    size_t held_len, held_at;
};

static struct programs p;
static struct conn conns[CONNS_MAX];
static int n_conns, server = -1; /* accepts conns; -1: there is none */
static bool server_echoes;
static uint16_t port, tcp_port, local_port;
static struct job *there, *here; /* --permit and -L */

/* -- sockets ----------------------------------------------------------------------------------- */

union name {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

static union name ipv4_name(uint16_t number)
{
    return (union name){.in = {.sin_family = AF_INET,
                               .sin_port = htons(number),
                               .sin_addr = {htonl(INADDR_LOOPBACK)}}};
}

static union name ipv6_name(uint16_t number)
{
    return (union name){.in6 = {.sin6_family = AF_INET6,
                                .sin6_port = htons(number),
                                .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
}

static union name path_name(const char *path)
{
    union name n = {.un = {.sun_family = AF_UNIX}};
    strcpy(n.un.sun_path, path);
    return n;
}

static socklen_t name_len(const union name *n)
{
    return n->any.sa_family == AF_INET    ? sizeof n->in
           : n->any.sa_family == AF_INET6 ? sizeof n->in6
                                          : sizeof n->un;
}

static void serve(union name name, bool echoes)
{
    const int on = 1;
    server = socket(name.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ck_assert_msg(bind(server, &name.any, name_len(&name)) == 0 && listen(server, 512) == 0, "%s",
                  strerror(errno));
    server_echoes = echoes;
}

static struct conn *add_conn(int fd)
{
    ck_assert_int_ge(fd, 0);
    ck_assert_int_lt(n_conns, CONNS_MAX);
    struct conn *c = &conns[n_conns++];
    *c = (struct conn){.fd = fd, .held = malloc(BUFFER)};
    return c;
}

/* Over loopback this does not take long. */
static struct conn *dial(union name name)
{
    int fd = socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_msg(connect(fd, &name.any, name_len(&name)) == 0, "%s", strerror(errno));
    return add_conn(fd);
}

static void hang_up(struct conn *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static void reset(struct conn *c)
{
    const struct linger at_once = {1, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    hang_up(c);
}

/* -- bytes ------------------------------------------------------------------------------------- */

enum { PERIOD = 1000003 };
static uint8_t pattern[PERIOD + BUFFER];

static void make_pattern(void)
{
    for (uint64_t i = 0; i < sizeof pattern; i++)
        pattern[i] = (uint8_t)((i % PERIOD * 0x9e3779b97f4a7c15u) >> 56);
}

static void on_failure(struct conn *c)
{
    if (errno == EAGAIN)
        return;
    ck_assert_msg(errno == ECONNRESET || errno == EPIPE, "%s", strerror(errno));
    c->is_reset = true;
}

static void end_if_said(struct conn *c)
{
    const bool is_said =
        c->echoes ? c->has_ended && c->held_at == c->held_len : c->ends && c->said == c->to_say;
    if (is_said && !c->has_shut)
        c->has_shut = shutdown(c->fd, SHUT_WR) == 0;
}

static bool wants_to_say(const struct conn *c)
{
    return !c->is_reset && (c->echoes ? c->held_at < c->held_len : c->said < c->to_say);
}

static void say(struct conn *c)
{
    const uint64_t left = c->to_say - c->said;
    const uint8_t *from = c->echoes ? c->held + c->held_at : pattern + c->said % PERIOD;
    size_t len = c->echoes ? c->held_len - c->held_at : left < BUFFER ? (size_t)left : BUFFER;
    ssize_t n = send(c->fd, from, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0) {
        on_failure(c);
        return;
    }
    c->said += (uint64_t)n;
    if (c->echoes && (c->held_at += (size_t)n) == c->held_len)
        c->held_at = c->held_len = 0;
}

static bool wants_to_hear(const struct conn *c)
{
    return !c->has_ended && !c->is_reset && !(c->echoes && c->held_len);
}

static void hear(struct conn *c)
{
    ssize_t n = recv(c->fd, c->held, BUFFER, MSG_DONTWAIT);
    if (n < 0) {
        on_failure(c);
        return;
    }
    c->has_ended = n == 0;
    ck_assert_msg(memcmp(c->held, pattern + c->heard % PERIOD, (size_t)n) == 0,
                  "other bytes behind %llu", (unsigned long long)c->heard);
    c->heard += (uint64_t)n;
    c->held_len = c->echoes ? (size_t)n : 0;
}

static void use(struct conn *c, short ready)
{
    if (ready & (POLLIN | POLLERR | POLLHUP) && wants_to_hear(c))
        hear(c);
    if (ready & (POLLOUT | POLLERR | POLLHUP) && wants_to_say(c))
        say(c);
    end_if_said(c);
}

/* Everybody goes on, until nothing has happened for so long. */
static bool turn(int wait_ms)
{
    static struct pollfd fds[CONNS_MAX + 1];
    const int n = n_conns;
    for (int i = 0; i < n; i++) {
        struct conn *c = &conns[i];
        short events = (short)((wants_to_hear(c) ? POLLIN : 0) | (wants_to_say(c) ? POLLOUT : 0));
        end_if_said(c);
        fds[i] = (struct pollfd){events ? c->fd : -1, events, 0};
    }
    fds[n] = (struct pollfd){server, POLLIN, 0};
    if (poll(fds, (nfds_t)n + 1, wait_ms) <= 0)
        return false;
    for (int i = 0; i < n; i++)
        if (fds[i].revents && conns[i].fd >= 0)
            use(&conns[i], fds[i].revents);
    for (int fd; fds[n].revents && (fd = accept4(server, NULL, NULL, SOCK_CLOEXEC)) >= 0;)
        add_conn(fd)->echoes = server_echoes;
    return true;
}

static bool until(bool (*reached)(void))
{
    struct timespec began, now;
    clock_gettime(CLOCK_MONOTONIC, &began);
    do {
        if (reached())
            return true;
        turn(100);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - began.tv_sec < 60);
    return false;
}

/* -- programs ---------------------------------------------------------------------------------- */

static bool begin(int io)
{
    if (!programs_begin_in_memory(&p, programs_ios[io]))
        return false;
    make_pattern();
    port = programs_port();
    tcp_port = programs_tcp_port();
    do
        local_port = programs_tcp_port();
    while (local_port == tcp_port);
    job_require(programs_run(&p, "sttkey seed -o seed"), 0);
    return true;
}

static void permit(const char *words)
{
    there = programs_start(&p, "exec " CAT " -v -l 127.0.0.1 %u %s", port, words);
    job_line(there, "listening on");
}

static void forward(const char *words)
{
    here = programs_start(&p, "exec " CAT " -v %s 127.0.0.1 %u", words, port);
}

/* From local_port to tcp_port. */
static void forward_tcp(const char *more)
{
    char words[200];
    snprintf(words, sizeof words, "--permit 127.0.0.1:%u %s", tcp_port, more);
    permit(words);
    snprintf(words, sizeof words, "-L %u:127.0.0.1:%u %s", local_port, tcp_port, more);
    forward(words);
    job_line(here, "listening at");
}

static void end(void)
{
    while (n_conns > 0) {
        hang_up(&conns[--n_conns]);
        free(conns[n_conns].held);
    }
    if (server >= 0)
        close(server);
    server = -1;
    programs_end(&p);
}

/* -- what is waited for ------------------------------------------------------------------------ */

static int count(bool (*is_so)(const struct conn *c))
{
    int n = 0;
    for (int i = 0; i < n_conns; i++)
        n += is_so(&conns[i]);
    return n;
}

static bool is_served(const struct conn *c)
{
    return c->to_say > 0 && c->heard == c->to_say;
}

static bool is_client(const struct conn *c)
{
    return c->to_say > 0;
}

static bool is_unfinished(const struct conn *c)
{
    return !c->has_ended || !c->has_shut;
}

static bool all_have_ended(void)
{
    return n_conns > 0 && count(is_unfinished) == 0;
}

static bool two_are_there(void)
{
    return n_conns == 2;
}

static bool first_is_served(void)
{
    return is_served(&conns[0]);
}

static bool first_is_reset(void)
{
    return conns[0].is_reset;
}

static bool second_is_reset(void)
{
    return n_conns > 1 && conns[1].is_reset;
}

static bool second_has_ended(void)
{
    return n_conns > 1 && conns[1].has_ended;
}

static bool first_has_ended(void)
{
    return conns[0].has_ended;
}

/* One that is echoed, over what has been set up. */
static struct conn *dial_and_be_served(union name name)
{
    ck_assert_int_eq(n_conns, 0);
    struct conn *c = dial(name);
    c->to_say = 1000;
    ck_assert(until(first_is_served));
    return c;
}

static void serve_once_and_end(union name name)
{
    dial_and_be_served(name)->ends = true;
    ck_assert(until(all_have_ended));
    end();
}

/* -- bytes and ends ---------------------------------------------------------------------------- */

START_TEST(hundred_megabytes_go_there_and_back_unchanged)
{
    if (!begin(_i))
        return;
    serve(ipv4_name(tcp_port), true);
    forward_tcp("");
    struct conn *c = dial(ipv4_name(local_port));
    c->to_say = 100 * MIB;
    c->ends = true;
    ck_assert(until(all_have_ended));
    ck_assert_uint_eq(c->heard, 100 * MIB);
    job_line(here, ": closed");
    job_line(there, ": closed");
    end();
}
END_TEST

START_TEST(each_side_may_end_first_and_still_hear)
{
    if (!begin(_i / 2))
        return;
    serve(ipv4_name(tcp_port), false);
    forward_tcp("");
    struct conn *c = dial(ipv4_name(local_port));
    ck_assert(until(two_are_there));
    struct conn *first = _i % 2 ? c : &conns[1], *last = _i % 2 ? &conns[1] : c;
    first->to_say = 1000;
    first->ends = true;
    ck_assert(until(_i % 2 ? second_has_ended : first_has_ended));
    ck_assert(!first->has_ended);
    last->to_say = MIB;
    last->ends = true;
    ck_assert(until(all_have_ended));
    ck_assert_uint_eq(last->heard, 1000);
    ck_assert_uint_eq(first->heard, MIB);
    end();
}
END_TEST

START_TEST(hundred_connections_at_once)
{
    if (!begin(_i))
        return;
    serve(ipv4_name(tcp_port), true);
    forward_tcp("");
    for (int i = 0; i < 100; i++) {
        struct conn *c = dial(ipv4_name(local_port));
        c->to_say = 300 * KIB + (uint64_t)i;
        c->ends = true;
    }
    ck_assert(until(all_have_ended));
    ck_assert_int_eq(count(is_served), 100);
    end();
}
END_TEST

static bool many_are_served(void)
{
    return count(is_served) >= 255;
}

static bool all_are_served(void)
{
    return count(is_served) == count(is_client);
}

/* The 256th stream is the control stream. Who is above that has his turn when another one ends. */
START_TEST(connections_above_the_limit_wait)
{
    if (!begin(_i))
        return;
    serve(ipv4_name(tcp_port), true);
    forward_tcp("");
    for (int i = 0; i < 260; i++)
        dial(ipv4_name(local_port))->to_say = 10;
    ck_assert(until(many_are_served));
    while (turn(300))
        ;
    ck_assert_int_eq(count(is_served), 255);
    for (int i = 0; i < n_conns; i++)
        if (is_served(&conns[i]))
            conns[i].ends = true;
    ck_assert(until(all_are_served));
    ck_assert_int_eq(count(is_served), 260);
    end();
}
END_TEST

/* -- places ------------------------------------------------------------------------------------ */

START_TEST(unix_socket_leads_to_tcp)
{
    char words[200];
    struct stat s;
    begin(1);
    serve(ipv4_name(tcp_port), true);
    snprintf(words, sizeof words, "--permit 127.0.0.1:%u", tcp_port);
    permit(words);
    snprintf(words, sizeof words, "-L unix:in:127.0.0.1:%u", tcp_port);
    forward(words);
    job_line(here, "listening at unix:in");
    ck_assert_int_eq(lstat("in", &s), 0);
    ck_assert_uint_eq(s.st_mode, S_IFSOCK | 0600);
    serve_once_and_end(path_name("in"));
}
END_TEST

START_TEST(tcp_leads_to_a_unix_socket)
{
    char words[200];
    begin(1);
    serve(path_name("out"), true);
    permit("--permit unix:out");
    snprintf(words, sizeof words, "-L 127.0.0.1:%u:unix:out", local_port);
    forward(words);
    job_line(here, "listening at");
    serve_once_and_end(ipv4_name(local_port));
}
END_TEST

START_TEST(ipv6_is_served_by_default_and_by_number)
{
    char words[200];
    if (!udp_has_ipv6())
        return;
    begin(1);
    serve(ipv6_name(tcp_port), true);
    snprintf(words, sizeof words, "--permit '[::1]:*'");
    permit(words);
    snprintf(words, sizeof words, _i ? "-L [::1]:%u:[::1]:%u" : "-L %u:[::1]:%u", local_port,
             tcp_port);
    forward(words);
    job_line(here, "listening at [::1]");
    serve_once_and_end(ipv6_name(local_port));
}
END_TEST

START_TEST(name_is_resolved_where_it_is_connected_to)
{
    char words[200];
    begin(1);
    serve(ipv4_name(tcp_port), true);
    permit("--permit 'localhost:*'");
    snprintf(words, sizeof words, "-L %u:localhost:%u", local_port, tcp_port);
    forward(words);
    job_line(here, "listening at");
    serve_once_and_end(ipv4_name(local_port));
}
END_TEST

START_TEST(path_that_exists_is_never_replaced)
{
    begin(1);
    permit("-k --permit any");
    trees_write_text("in", "mine");
    forward("-L unix:in:127.0.0.1:1");
    job_require(here, EXISTS);
    ck_assert_ptr_nonnull(strstr(here->err.text, "never replaced"));
    job_require(programs_run(&p, "test \"$(cat in)\" = mine"), 0);
    end();
}
END_TEST

START_TEST(port_that_is_taken_is_named)
{
    char words[200];
    begin(1);
    serve(ipv4_name(tcp_port), true);
    permit("-k --permit any");
    snprintf(words, sizeof words, "-L unix:in:db:1 -L %u:db:1", tcp_port);
    forward(words);
    job_require(here, LOCAL_IO);
    snprintf(words, sizeof words, "127.0.0.1:%u", tcp_port);
    ck_assert_ptr_nonnull(strstr(here->err.text, words));
    ck_assert(!trees_exists("in"));
    end();
}
END_TEST

START_TEST(rules_that_are_none_are_refused_before_anything_happens)
{
    begin(1);
    job_require(programs_run(&p, CAT " -L 8080:db 127.0.0.1 1"), USAGE);
    job_require(programs_run(&p, CAT " -l --permit db 1"), USAGE);
    end();
}
END_TEST

/* -- what does not work ------------------------------------------------------------------------ */

START_TEST(target_that_is_not_permitted_is_refused)
{
    char words[200];
    begin(1);
    serve(ipv4_name(tcp_port), true);
    snprintf(words, sizeof words, "--permit localhost:%u --permit 127.0.0.1:1", tcp_port);
    permit(words);
    snprintf(words, sizeof words, "-L %u:127.0.0.1:%u", local_port, tcp_port);
    forward(words);
    job_line(here, "listening at");
    dial(ipv4_name(local_port))->to_say = 10;
    ck_assert(until(first_is_reset));
    job_line(here, "refused: it is not permitted");
    job_line(there, "refused: it is not permitted");
    ck_assert_int_eq(n_conns, 1);
    end();
}
END_TEST

START_TEST(nobody_forwards_to_who_has_not_permitted_anything)
{
    begin(1);
    permit("");
    forward("-L 0:127.0.0.1:1");
    job_require(here, REFUSED);
    end();
}
END_TEST

START_TEST(target_that_does_not_listen_is_refused_and_later_is_not)
{
    begin(1);
    forward_tcp("");
    dial(ipv4_name(local_port))->to_say = 10;
    ck_assert(until(first_is_reset));
    job_line(here, "refused: Connection refused");
    hang_up(&conns[0]);
    free(conns[--n_conns].held);
    serve(ipv4_name(tcp_port), true);
    serve_once_and_end(ipv4_name(local_port));
}
END_TEST

START_TEST(who_breaks_off_breaks_the_other_side)
{
    if (!begin(_i / 2))
        return;
    serve(ipv4_name(tcp_port), true);
    forward_tcp("");
    dial_and_be_served(ipv4_name(local_port));
    reset(&conns[_i % 2]);
    ck_assert(until(_i % 2 ? first_is_reset : second_is_reset));
    job_line(here, ": broken");
    job_line(there, ": broken");
    end();
}
END_TEST

START_TEST(peer_that_is_killed_ends_all)
{
    if (!begin(_i))
        return;
    serve(ipv4_name(tcp_port), true);
    forward_tcp(MORTAL);
    dial_and_be_served(ipv4_name(local_port));
    job_kill(there);
    job_require(here, NETWORK);
    ck_assert(until(first_is_reset));
    end();
}
END_TEST

START_TEST(peer_that_is_interrupted_ends_all)
{
    begin(1);
    serve(ipv4_name(tcp_port), true);
    forward_tcp("");
    dial_and_be_served(ipv4_name(local_port));
    job_signal(there, SIGINT);
    job_require(there, 128 + SIGINT);
    job_require(here, PARTIAL);
    ck_assert(until(first_is_reset));
    end();
}
END_TEST

START_TEST(interrupted_it_takes_its_path_away_and_resets_what_was_open)
{
    char words[200];
    begin(1);
    serve(ipv4_name(tcp_port), true);
    snprintf(words, sizeof words, "-k --permit 127.0.0.1:%u", tcp_port);
    permit(words);
    snprintf(words, sizeof words, "-L unix:in:127.0.0.1:%u", tcp_port);
    forward(words);
    job_line(here, "listening at");
    dial_and_be_served(path_name("in"));
    job_signal(here, SIGINT);
    job_require(here, 128 + SIGINT);
    ck_assert(!trees_exists("in"));
    ck_assert(until(second_is_reset));
    ck_assert(!job_ends_within(there, STT_MS(200)));
    end();
}
END_TEST

START_TEST(path_of_somebody_else_is_left_alone)
{
    begin(1);
    permit("-k --permit any");
    forward("-L unix:in:127.0.0.1:1");
    job_line(here, "listening at");
    ck_assert_int_eq(unlink("in"), 0);
    trees_write_text("in", "mine");
    job_signal(here, SIGINT);
    job_require(here, 128 + SIGINT);
    ck_assert(trees_exists("in"));
    end();
}
END_TEST

SUITE("forward", LOOP(hundred_megabytes_go_there_and_back_unchanged, 0, IOS),
      LOOP(each_side_may_end_first_and_still_hear, 0, 2 * IOS),
      LOOP(hundred_connections_at_once, 0, IOS), LOOP(connections_above_the_limit_wait, 0, IOS),
      TEST(unix_socket_leads_to_tcp), TEST(tcp_leads_to_a_unix_socket),
      LOOP(ipv6_is_served_by_default_and_by_number, 0, 2),
      TEST(name_is_resolved_where_it_is_connected_to), TEST(path_that_exists_is_never_replaced),
      TEST(port_that_is_taken_is_named),
      TEST(rules_that_are_none_are_refused_before_anything_happens),
      TEST(target_that_is_not_permitted_is_refused),
      TEST(nobody_forwards_to_who_has_not_permitted_anything),
      TEST(target_that_does_not_listen_is_refused_and_later_is_not),
      LOOP(who_breaks_off_breaks_the_other_side, 0, 2 * IOS),
      LOOP(peer_that_is_killed_ends_all, 0, IOS), TEST(peer_that_is_interrupted_ends_all),
      TEST(interrupted_it_takes_its_path_away_and_resets_what_was_open),
      TEST(path_of_somebody_else_is_left_alone))
