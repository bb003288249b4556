/* SPDX-License-Identifier: MIT
 * path: owns one address, and what the way there can carry. Where no host is named it is one that
 * nobody has (RFC 5737), which nothing is sent to: the kernel only says which way it would take. */
#include "tools/sttbench/doctor/finding.h"

#include <errno.h>
#include <ifaddrs.h>
#include <math.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LEAST_PAYLOAD_BYTES = 1200, /* of a UDP datagram, which any path has to carry */
    IPV4_BYTES = 28,            /* headers of IP and UDP */
    IPV6_BYTES = 48,
    ROUNDS_MAX = 4,
    PATIENCE_MS = 250,
    ECT_0 = 2,
    CE = 3,
};

static struct {
    struct sockaddr_storage to;
    socklen_t len;
    bool is_named;
    char host[128];
} way;

bool path_begin(const char *host, struct finding *f)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *list = NULL;
    int error = getaddrinfo(host ? host : "192.0.2.1", "9", &hints, &list); /* discard */
    if (error) {
        finding_is(f, "%s cannot be found: %s", host, gai_strerror(error));
        return false;
    }
    memcpy(&way.to, list->ai_addr, list->ai_addrlen);
    way.len = list->ai_addrlen;
    way.is_named = host != NULL;
    snprintf(way.host, sizeof way.host, "%s", host ? host : "the world");
    freeaddrinfo(list);
    return true;
}

static bool is_ipv6(void)
{
    return way.to.ss_family == AF_INET6;
}

static int header_bytes(void)
{
    return is_ipv6() ? IPV6_BYTES : IPV4_BYTES;
}

/* -- MTU ------------------------------------------------------------------------------------- */

/* A socket that asks for no fragments; -1: there is no way, and errno says why. */
static int open_way(void)
{
    int fd = socket(way.to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int discover = is_ipv6() ? IPV6_PMTUDISC_DO : IP_PMTUDISC_DO;
    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&way.to, way.len) ||
        (is_ipv6() ? setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &discover, sizeof discover)
                   : setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &discover, sizeof discover))) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int mtu_of(int fd)
{
    int mtu = 0;
    socklen_t len = sizeof mtu;
    int error = is_ipv6() ? getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len)
                          : getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &len);
    return error ? 0 : mtu;
}

/* The name and MTU of the interface that has this socket's own address. */
static int interface_of(int fd, char name[IF_NAMESIZE])
{
    struct sockaddr_storage own;
    socklen_t len = sizeof own;
    struct ifaddrs *all = NULL;
    struct ifreq r = {0};
    if (getsockname(fd, (struct sockaddr *)&own, &len) || getifaddrs(&all))
        return 0;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (!i->ifa_addr || i->ifa_addr->sa_family != own.ss_family)
            continue;
        const struct sockaddr_in *a4 = (const void *)i->ifa_addr, *b4 = (const void *)&own;
        const struct sockaddr_in6 *a6 = (const void *)i->ifa_addr, *b6 = (const void *)&own;
        if (is_ipv6() ? memcmp(&a6->sin6_addr, &b6->sin6_addr, 16) == 0
                      : a4->sin_addr.s_addr == b4->sin_addr.s_addr)
            snprintf(r.ifr_name, sizeof r.ifr_name, "%s", i->ifa_name);
    }
    freeifaddrs(all);
    snprintf(name, IF_NAMESIZE, "%s", r.ifr_name);
    return *name && ioctl(fd, SIOCGIFMTU, &r) == 0 ? r.ifr_mtu : 0;
}

void look_at_interface_mtu(struct finding *f)
{
    char name[IF_NAMESIZE] = "";
    int fd = open_way();
    if (fd < 0) {
        finding_is(f, "there is no way to %s: %s", way.host, strerror(errno));
        if (way.is_named)
            finding_mend(f, "ip route get %s", way.host);
        return;
    }
    int mtu = interface_of(fd, name);
    close(fd);
    f->value = mtu ? mtu : (double)NAN;
    finding_is(f, "%d bytes, of %s, which leads to %s", mtu, *name ? name : "an interface",
               way.host);
    if (mtu && mtu < LEAST_PAYLOAD_BYTES + header_bytes())
        finding_mend(f, "ip link set dev %s mtu 1500", name);
}

/* Sends the largest packet that may fit, and looks whether somebody on the way has complained;
 * until nobody does. 0: it cannot be sent. */
static int search_mtu(int fd)
{
    static const uint8_t zeros[65507];
    int mtu = mtu_of(fd);
    for (int round = 0; round < ROUNDS_MAX && mtu; round++) {
        struct pollfd p = {.fd = fd};
        int len = mtu - header_bytes();
        ssize_t n = send(fd, zeros, (size_t)(len < (int)sizeof zeros ? len : (int)sizeof zeros), 0);
        if (n < 0 && errno != EMSGSIZE && errno != ECONNREFUSED)
            return 0;
        poll(&p, 1, PATIENCE_MS); /* errors come without being asked for */
        int now = mtu_of(fd);
        if (now == mtu)
            break;
        mtu = now;
    }
    return mtu;
}

void look_at_path_mtu(struct finding *f)
{
    if (!way.is_named) {
        finding_is(f, "not tried: sttbench doctor HOST tries the way to a host");
        return;
    }
    int fd = open_way(), mtu = fd < 0 ? 0 : search_mtu(fd);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (!mtu) {
        finding_is(f, "nothing can be sent to %s: %s", way.host, strerror(error));
        finding_mend(f, "ip route get %s", way.host);
        return;
    }
    f->value = mtu;
    finding_is(f, "%d bytes to %s, as far as anybody on the way complains", mtu, way.host);
    if (mtu < LEAST_PAYLOAD_BYTES + header_bytes())
        finding_mend(f, "ip route change ... mtu %d, or another tunnel: STT needs packets of %d",
                     LEAST_PAYLOAD_BYTES + header_bytes(), LEAST_PAYLOAD_BYTES + header_bytes());
}

/* -- congestion marks ------------------------------------------------------------------------ */

static int heard_mark(int fd)
{
    char byte;
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct iovec iov = {&byte, 1};
    struct msghdr m = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    if (poll(&p, 1, PATIENCE_MS) != 1 || recvmsg(fd, &m, 0) < 0)
        return -1;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (!c || c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_TOS)
        return -1;
    return *CMSG_DATA(c) & 3;
}

/* To itself, on loopback, with this mark: what arrives, or -1. */
static int loop_mark(int mark)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), yes = 1, heard = -1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    if (fd < 0)
        return -1;
    if (bind(fd, (const struct sockaddr *)&at, sizeof at) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
        setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &yes, sizeof yes) == 0 &&
        setsockopt(fd, IPPROTO_IP, IP_TOS, &mark, sizeof mark) == 0 &&
        sendto(fd, "x", 1, 0, (const struct sockaddr *)&at, sizeof at) == 1)
        heard = heard_mark(fd);
    close(fd);
    return heard;
}

void look_at_ecn(struct finding *f)
{
    if (loop_mark(ECT_0) == ECT_0 && loop_mark(CE) == CE) {
        finding_is(f, "marks can be set and read");
        return;
    }
    finding_is(f, "marks on packets are lost on loopback already");
    finding_mend(f, "look for a rule that clears them: iptables -t mangle -S; nft list ruleset");
}
