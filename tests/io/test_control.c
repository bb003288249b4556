/* SPDX-License-Identifier: MIT
 * What one socket says beside its datagrams, another hears, through the kernel; and messages as no
 * kernel writes them. */
#include "transport/control.h"

#include "tests/support/suite.h"
#include "tests/support/udp.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Sockets and addresses; where one is of IPv6, so is the row. */
static const struct way {
    const char *name, *from, *local, *to, *at;
} ways[] = {
    /*                     opened       asked to go from  to           there opened */
    {"IPv4", "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1"},
    {"IPv4, another local", "0.0.0.0", "127.0.0.2", "127.0.0.3", "0.0.0.0"},
    {"IPv6", "::1", "::1", "::1", "::1"},
    {"dual, IPv6", "::", "::1", "::1", "::"},
    {"dual, IPv4", "::", "127.0.0.2", "127.0.0.3", "::"},
    {"dual to IPv4", "::", "127.0.0.2", "127.0.0.3", "0.0.0.0"},
    {"IPv4 to dual", "0.0.0.0", "127.0.0.2", "127.0.0.3", "::"},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

static bool is_possible(const struct way *w)
{
    bool is_ipv6 = strchr(w->from, ':') || strchr(w->at, ':');
    return !is_ipv6 || udp_has_ipv6();
}

static void same_address(const struct stt_address *a, const struct stt_address *b)
{
    char left[64], right[64];
    ck_assert_str_eq(udp_text(a, left), udp_text(b, right));
}

START_TEST(addresses_marks_dscp_and_sizes_arrive)
{
    const struct way *w = &ways[_i];
    if (!is_possible(w))
        return;
    struct stt_socket a = udp_open(w->from), b = udp_open(w->at);
    static uint8_t data[STT_DRIVER_TRAIN_BYTES], back[STT_DRIVER_TRAIN_BYTES];
    for (unsigned i = 0; i < 4 * 64; i++) {
        struct stt_driver_train out = {.data = data, .ecn = i & 3, .segment_bytes = 1000}, in;
        out.local = udp_address(w->local, a.local.port);
        out.remote = udp_address(w->to, b.local.port);
        out.len = 1 + i * 50; /* up to 13 segments */
        uint8_t dscp = (uint8_t)(i >> 2), heard = 0;
        data[0] = (uint8_t)i;
        ck_assert_int_eq(udp_send(&a, &out, dscp), 0);
        ck_assert(udp_receive(&b, &in, back, sizeof back, &heard));
        same_address(&in.remote, &out.local);
        same_address(&in.local, &out.remote);
        ck_assert_uint_eq(in.len, out.len);
        ck_assert_uint_eq(in.segment_bytes, out.len > 1000 ? 1000 : out.len);
        ck_assert_uint_eq(in.ecn, out.ecn);
        ck_assert_uint_eq(heard, dscp);
        ck_assert_uint_eq(back[0], data[0]);
    }
    close(a.fd);
    close(b.fd);
}
END_TEST

START_TEST(without_a_local_address_the_system_chooses)
{
    const struct way *w = &ways[_i];
    if (!is_possible(w))
        return;
    struct stt_socket a = udp_open(w->from), b = udp_open(w->at);
    uint8_t data[4] = {0};
    struct stt_driver_train train = {.data = data, .len = 4, .segment_bytes = 4};
    train.local = udp_address(w->local, 0); /* without a port, it says nothing */
    train.remote = udp_address(w->to, b.local.port);
    ck_assert_int_eq(udp_send(&a, &train, 0), 0);
    ck_assert(udp_receive(&b, &train, data, sizeof data, NULL));
    struct stt_address chosen = udp_address(strchr(w->to, ':') ? "::1" : "127.0.0.1", a.local.port);
    same_address(&train.remote, &chosen);
    close(a.fd);
    close(b.fd);
}
END_TEST

START_TEST(a_family_that_a_socket_lacks_is_refused_by_the_kernel)
{
    if (!udp_has_ipv6())
        return;
    struct stt_socket a = udp_open("127.0.0.1"), b = udp_open("::1");
    uint8_t data[4] = {0};
    struct stt_driver_train train = {.data = data, .len = 4, .segment_bytes = 4};
    train.remote = udp_address("::1", 7);
    ck_assert_int_eq(udp_send(&a, &train, 0), EAFNOSUPPORT);
    train.remote = udp_address("127.0.0.1", 7);
    ck_assert_int_eq(udp_send(&b, &train, 0), ENETUNREACH);
    close(a.fd);
    close(b.fd);
}
END_TEST

/* An interface with a link-local address, or 0. */
static unsigned link_local(struct stt_address *out)
{
    FILE *f = fopen("/proc/net/if_inet6", "r");
    char hex[33], name[33];
    unsigned interface, prefix, scope, flags;
    while (f && fscanf(f, "%32s %x %x %x %x %32s", hex, &interface, &prefix, &scope, &flags,
                       name) == 6) {
        if (scope != 0x20 || flags & 0x40)
            continue;
        *out = (struct stt_address){.scope = interface};
        for (unsigned i = 0; i < 16; i++)
            sscanf(hex + 2 * (size_t)i, "%2hhx", &out->ip[i]);
        fclose(f);
        return interface;
    }
    if (f)
        fclose(f);
    return 0;
}

START_TEST(link_local_addresses_keep_their_interface)
{
    struct stt_address here;
    if (!link_local(&here))
        return;
    struct stt_socket one, any = udp_open("::");
    struct stt_socket_options options = {.local = here};
    ck_assert_int_eq(stt_socket_open(&one, &options), STT_OK);
    here.port = one.local.port;
    same_address(&one.local, &here);
    uint8_t data[4] = {0};
    for (int there = 0; there < 2; there++) {
        const struct stt_socket *from = there ? &one : &any, *to = there ? &any : &one;
        struct stt_driver_train out = {.data = data, .len = 4, .segment_bytes = 4}, in;
        out.local = out.remote = here;
        out.local.port = from->local.port;
        out.remote.port = to->local.port;
        ck_assert_int_eq(udp_send(from, &out, 0), 0);
        ck_assert(udp_receive(to, &in, data, sizeof data, NULL));
        same_address(&in.local, &out.remote);
        same_address(&in.remote, &out.local);
    }
    close(one.fd);
    close(any.fd);
}
END_TEST

START_TEST(one_that_is_larger_than_the_room_is_truncated_and_refused)
{
    struct stt_socket a = udp_open("127.0.0.1");
    uint8_t data[100] = {0};
    struct stt_driver_train train = {.data = data, .len = 100, .segment_bytes = 100};
    train.remote = a.local;
    ck_assert_int_eq(udp_send(&a, &train, 0), 0);
    ck_assert(!udp_receive(&a, &train, data, 99, NULL));
    close(a.fd);
}
END_TEST

START_TEST(one_of_no_bytes_has_a_size_that_can_be_divided_by)
{
    struct stt_socket a = udp_open("127.0.0.1");
    uint8_t data[1] = {0};
    struct stt_driver_train train = {.data = data};
    train.remote = a.local;
    ck_assert_int_eq(udp_send(&a, &train, 0), 0);
    ck_assert(udp_receive(&a, &train, data, sizeof data, NULL));
    ck_assert_uint_eq(train.len, 0);
    ck_assert_uint_eq(train.segment_bytes, 1);
    close(a.fd);
}
END_TEST

/* -- what no kernel writes ------------------------------------------------------------------------
 */

struct heard {
    struct stt_socket socket;
    struct sockaddr_in name;
    union stt_control control;
    struct stt_driver_train train;
};

static struct heard setup(void)
{
    struct heard h = {.socket.local = udp_address("127.0.0.9", 9)};
    h.name = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(5)};
    h.name.sin_addr.s_addr = htonl(0x7f000001);
    struct cmsghdr c = {.cmsg_level = IPPROTO_IP, .cmsg_type = IP_TOS, .cmsg_len = CMSG_LEN(1)};
    memcpy(h.control.bytes, &c, sizeof c);
    h.control.bytes[CMSG_LEN(0)] = 3;
    return h;
}

static bool decode(struct heard *h, size_t name_len, size_t control_len, unsigned flags)
{
    return stt_control_decode(&h->socket, &h->name, name_len, h->control.bytes, control_len, flags,
                              10, &h->train);
}

START_TEST(without_messages_it_came_to_the_sockets_own_address)
{
    struct heard h = setup();
    ck_assert(decode(&h, sizeof h.name, 0, 0));
    same_address(&h.train.local, &h.socket.local);
    ck_assert_uint_eq(h.train.segment_bytes, 10);
    ck_assert_uint_eq(h.train.ecn, 0);
    ck_assert(decode(&h, sizeof h.name, CMSG_LEN(1), 0));
    ck_assert_uint_eq(h.train.ecn, 3);
    ck_assert(decode(&h, sizeof h.name, 0, 0));
    ck_assert_uint_eq(h.train.ecn, 0);
}
END_TEST

START_TEST(names_that_are_none_are_refused)
{
    struct heard h = setup();
    for (size_t len = 0; len < sizeof h.name; len++)
        ck_assert(!decode(&h, len, 0, 0));
    h.name.sin_port = 0;
    ck_assert(!decode(&h, sizeof h.name, 0, 0));
    h.name.sin_port = htons(5);
    h.name.sin_family = AF_UNIX;
    ck_assert(!decode(&h, sizeof h.name, 0, 0));
    h.name.sin_family = AF_INET6;
    ck_assert(!decode(&h, sizeof h.name, 0, 0));
}
END_TEST

START_TEST(truncation_is_refused)
{
    struct heard h = setup();
    ck_assert(!decode(&h, sizeof h.name, 0, MSG_TRUNC));
    ck_assert(!decode(&h, sizeof h.name, 0, MSG_CTRUNC));
}
END_TEST

START_TEST(messages_of_any_length_are_read_within_their_bounds)
{
    static const struct {
        int level, type;
    } kinds[] = {{IPPROTO_IP, IP_TOS},        {IPPROTO_IP, IP_PKTINFO},
                 {IPPROTO_IPV6, IPV6_TCLASS}, {IPPROTO_IPV6, IPV6_PKTINFO},
                 {IPPROTO_UDP, UDP_GRO},      {SOL_SOCKET, 77}};
    for (unsigned kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)
        for (size_t said = 0; said < 64; said++)
            for (size_t room = 0; room < 64; room++) {
                struct heard h = setup();
                struct cmsghdr c = {.cmsg_len = said};
                c.cmsg_level = kinds[kind].level;
                c.cmsg_type = kinds[kind].type;
                memcpy(h.control.bytes, &c, sizeof c);
                uint8_t *exact = malloc(room + 1); /* for the sanitizer to watch its end */
                memcpy(exact, h.control.bytes, room);
                /* What follows the message has no length: it is none. */
                bool is_whole = room < sizeof c || (said >= sizeof c && said <= room &&
                                                    room < CMSG_ALIGN(said) + sizeof c);
                ck_assert(stt_control_decode(&h.socket, &h.name, sizeof h.name, exact, room, 0, 10,
                                             &h.train) == is_whole);
                free(exact);
            }
}
END_TEST

SUITE("control", LOOP(addresses_marks_dscp_and_sizes_arrive, 0, WAYS),
      LOOP(without_a_local_address_the_system_chooses, 0, WAYS),
      TEST(a_family_that_a_socket_lacks_is_refused_by_the_kernel),
      TEST(link_local_addresses_keep_their_interface),
      TEST(one_that_is_larger_than_the_room_is_truncated_and_refused),
      TEST(one_of_no_bytes_has_a_size_that_can_be_divided_by),
      TEST(without_messages_it_came_to_the_sockets_own_address),
      TEST(names_that_are_none_are_refused), TEST(truncation_is_refused),
      TEST(messages_of_any_length_are_read_within_their_bounds))
