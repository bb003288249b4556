/* SPDX-License-Identifier: MIT */
#include "tools/sttcat/lookup.h"

#include "tests/support/suite.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static struct lookup_answer answer;

/* As a loop does it. */
static bool wait_for(struct lookup *l)
{
    while (!lookup_answer(l, &answer)) {
        struct pollfd p = {lookup_port(l)->fd, POLLIN, 0};
        if (poll(&p, 1, 20000) <= 0)
            return false;
        lookup_port(l)->ready = POLLIN;
    }
    return true;
}

static bool has(const char *ip, uint16_t port)
{
    char text[INET6_ADDRSTRLEN];
    for (uint32_t i = 0; i < answer.n; i++) {
        const struct sockaddr_in *in = (const void *)&answer.at[i].at;
        const struct sockaddr_in6 *in6 = (const void *)&answer.at[i].at;
        const bool is_ipv6 = in->sin_family == AF_INET6;
        inet_ntop(in->sin_family, is_ipv6 ? (const void *)&in6->sin6_addr : &in->sin_addr, text,
                  sizeof text);
        if (strcmp(text, ip) == 0 && ntohs(is_ipv6 ? in6->sin6_port : in->sin_port) == port)
            return true;
    }
    return false;
}

START_TEST(numbers_are_answered_at_once)
{
    static const char *const numbers[] = {"192.0.2.7", "2001:db8::7"};
    struct lookup *l = lookup_new(numbers[_i], 65535);
    ck_assert_ptr_nonnull(l);
    ck_assert(lookup_answer(l, &answer));
    ck_assert_int_lt(lookup_port(l)->fd, 0); /* no thread */
    ck_assert_uint_eq(answer.n, 1);
    ck_assert(has(numbers[_i], 65535));
    lookup_free(l);
}
END_TEST

START_TEST(names_are_answered_beside_the_loop)
{
    struct lookup *l = lookup_new("localhost", 80);
    ck_assert_ptr_nonnull(l);
    ck_assert(!lookup_answer(l, &answer));
    ck_assert(wait_for(l));
    ck_assert(has("127.0.0.1", 80) || has("::1", 80));
    ck_assert(lookup_answer(l, &answer)); /* it stays */
    lookup_free(l);
}
END_TEST

START_TEST(names_that_are_none_are_answered_with_why)
{
    char host[300];
    memset(host, 'x', sizeof host);
    host[200] = 0; /* a label has 63 bytes at most: nobody outside is asked */
    struct lookup *l = lookup_new(host, 80);
    ck_assert_ptr_nonnull(l);
    ck_assert(wait_for(l));
    ck_assert_uint_eq(answer.n, 0);
    ck_assert_uint_gt(strlen(answer.why), 0);
    lookup_free(l);
    host[200] = 'x';
    host[299] = 0;
    ck_assert_ptr_null(lookup_new(host, 80));
}
END_TEST

START_TEST(questions_are_left_alone_at_any_time)
{
    for (int i = 0; i < 200; i++) {
        struct lookup *l = lookup_new("localhost", 80);
        ck_assert_ptr_nonnull(l);
        if (i % 3 == 0)
            ck_assert(wait_for(l));
        lookup_free(l);
        ck_assert_uint_le(lookup_threads(), (uint32_t)i + 1);
    }
    lookup_free(NULL);
    for (int i = 0; lookup_threads() && i < 20000; i++)
        poll(NULL, 0, 1);
    ck_assert_uint_eq(lookup_threads(), 0);
}
END_TEST

SUITE("lookup", LOOP(numbers_are_answered_at_once, 0, 2), TEST(names_are_answered_beside_the_loop),
      TEST(names_that_are_none_are_answered_with_why), TEST(questions_are_left_alone_at_any_time))
