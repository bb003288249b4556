/* SPDX-License-Identifier: MIT */
#include "tests/support/udp.h"

#include <arpa/inet.h>
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct stt_address udp_address(const char *ip, uint16_t port)
{
    struct stt_address a = {.port = port};
    if (inet_pton(AF_INET6, ip, a.ip) != 1) {
        a.ip[10] = a.ip[11] = 0xff;
        ck_assert_int_eq(inet_pton(AF_INET, ip, a.ip + 12), 1);
    }
    return a;
}

const char *udp_text(const struct stt_address *address, char out[64])
{
    char ip[INET6_ADDRSTRLEN];
    if (stt_control_is_ipv4(address))
        inet_ntop(AF_INET, address->ip + 12, ip, sizeof ip);
    else
        inet_ntop(AF_INET6, address->ip, ip, sizeof ip);
    if (address->scope)
        snprintf(out, 64, "%s%%%u %u", ip, address->scope, address->port);
    else
        snprintf(out, 64, "%s %u", ip, address->port);
    return out;
}

struct stt_socket udp_open(const char *ip)
{
    struct stt_socket s;
    struct stt_socket_options options = {.local = udp_address(ip, 0)};
    options.is_ipv6 = !stt_control_is_ipv4(&options.local);
    ck_assert_int_eq(stt_socket_open(&s, &options), STT_OK);
    return s;
}

bool udp_has_ipv6(void)
{
    struct stt_socket s;
    struct stt_socket_options options = {.local = udp_address("::1", 0)};
    if (stt_socket_open(&s, &options) != STT_OK)
        return false;
    close(s.fd);
    return true;
}

int udp_send(const struct stt_socket *s, const struct stt_driver_train *train, uint8_t dscp)
{
    struct stt_control_name name;
    union stt_control control;
    struct iovec iov = {train->data, train->len};
    struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes};
    m.msg_controllen = stt_control_encode(s, train, dscp, true, &name, &control);
    m.msg_name = &name.storage;
    m.msg_namelen = name.len;
    ssize_t n = sendmsg(s->fd, &m, 0);
    if (n < 0)
        return errno;
    ck_assert_uint_eq((size_t)n, train->len);
    return 0;
}

bool udp_is_readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n;
    do
        n = poll(&p, 1, ms);
    while (n < 0 && errno == EINTR);
    return n == 1;
}

static uint8_t dscp_of(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        bool is_tos = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS;
        if (is_tos || (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS))
            return *CMSG_DATA(c) >> 2;
    }
    return 0xff;
}

bool udp_receive(const struct stt_socket *s, struct stt_driver_train *train, uint8_t *data,
                 size_t room, uint8_t *dscp)
{
    struct sockaddr_storage name;
    union stt_control control;
    struct iovec iov = {data, room};
    struct msghdr m = {.msg_name = &name,
                       .msg_namelen = sizeof name,
                       .msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    if (!udp_is_readable(s->fd, UDP_PATIENCE_MS))
        return false;
    ssize_t n = recvmsg(s->fd, &m, 0);
    if (n < 0)
        return false;
    if (dscp)
        *dscp = dscp_of(&m);
    train->data = data;
    return stt_control_decode(s, &name, m.msg_namelen, control.bytes, m.msg_controllen,
                              (unsigned)m.msg_flags, (size_t)n, train);
}

int udp_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    ck_assert_ptr_nonnull(d);
    int n = 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}
