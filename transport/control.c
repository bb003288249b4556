/* SPDX-License-Identifier: MIT
 * control: what the kernel says beside a datagram and wants to be told: names, the address on our
 * side, the byte of marks and DSCP, and sizes of segments.
 *
 * A dual socket speaks both families: names are always IPv6, mapped where they are not, but the
 * byte of the IP header stands in a message of the family that is on the wire. It knows no system
 * call. */
#include "transport/control.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

bool stt_control_is_ipv4(const struct stt_address *address)
{
    return memcmp(address->ip, mapped, sizeof mapped) == 0;
}

bool stt_control_is_any(const struct stt_address *address)
{
    static const uint8_t zeros[16];
    if (stt_control_is_ipv4(address))
        return memcmp(address->ip + 12, zeros, 4) == 0;
    return memcmp(address->ip, zeros, 16) == 0;
}

static bool is_link_local(const uint8_t ip[16])
{
    return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
}

/* -- names ---------------------------------------------------------------------------------------
 */

static void take_ipv4(struct stt_address *out, struct in_addr ip)
{
    memcpy(out->ip, mapped, sizeof mapped);
    memcpy(out->ip + 12, &ip, 4);
}

static void take_ipv6(struct stt_address *out, const struct in6_addr *ip, uint32_t interface)
{
    memcpy(out->ip, ip, 16);
    out->scope = is_link_local(out->ip) ? interface : 0;
}

void stt_control_address(const struct sockaddr *from, struct stt_address *out)
{
    *out = (struct stt_address){0};
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        take_ipv4(out, in.sin_addr);
        out->port = ntohs(in.sin_port);
    } else if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, from, sizeof in6);
        take_ipv6(out, &in6.sin6_addr, in6.sin6_scope_id);
        out->port = ntohs(in6.sin6_port);
    }
}

void stt_control_name_encode(struct stt_control_name *out, const struct stt_address *address,
                             bool is_ipv6)
{
    if (is_ipv6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
        memcpy(&in6.sin6_addr, address->ip, 16);
        in6.sin6_scope_id = address->scope;
        memcpy(&out->storage, &in6, sizeof in6);
        out->len = sizeof in6;
    } else {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&in.sin_addr, address->ip + 12, 4);
        memcpy(&out->storage, &in, sizeof in);
        out->len = sizeof in;
    }
}

/* -- to the kernel -------------------------------------------------------------------------------
 */

struct writer {
    union stt_control *control;
    size_t len;
};

static void put(struct writer *w, int level, int type, const void *data, size_t len)
{
    assert(w->len + CMSG_SPACE(len) <= sizeof w->control->bytes);
    uint8_t *at = w->control->bytes + w->len;
    struct cmsghdr header = {.cmsg_level = level, .cmsg_type = type, .cmsg_len = CMSG_LEN(len)};
    memset(at, 0, CMSG_SPACE(len));
    memcpy(at, &header, sizeof header);
    memcpy(at + CMSG_LEN(0), data, len);
    w->len += CMSG_SPACE(len);
}

/* Nothing to say where the socket's own address will do: each message costs a look at the routes.
 */
static bool has_local(const struct stt_socket *s, const struct stt_address *local)
{
    return local->port != 0 && !stt_control_is_any(local) &&
           memcmp(local->ip, s->local.ip, sizeof local->ip) != 0;
}

static void put_local(struct writer *w, const struct stt_address *local, bool is_ipv4)
{
    if (is_ipv4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, local->ip + 12, 4);
        put(w, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    } else {
        struct in6_pktinfo info = {.ipi6_ifindex = local->scope};
        memcpy(&info.ipi6_addr, local->ip, 16);
        put(w, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
    }
}

size_t stt_control_encode(const struct stt_socket *s, const struct stt_driver_train *train,
                          uint8_t dscp, bool segmented, struct stt_control_name *name,
                          union stt_control *control)
{
    const bool is_ipv4 = stt_control_is_ipv4(&train->remote);
    struct writer w = {control, 0};
    /* IPv6 on a socket of IPv4 alone is for the kernel to refuse. */
    stt_control_name_encode(name, &train->remote, s->is_ipv6 || !is_ipv4);
    if (has_local(s, &train->local))
        put_local(&w, &train->local, is_ipv4);
    int tos = dscp << 2 | (train->ecn & 3);
    put(&w, is_ipv4 ? IPPROTO_IP : IPPROTO_IPV6, is_ipv4 ? IP_TOS : IPV6_TCLASS, &tos, sizeof tos);
    if (segmented && train->len > train->segment_bytes) {
        uint16_t bytes = (uint16_t)train->segment_bytes;
        put(&w, IPPROTO_UDP, UDP_SEGMENT, &bytes, sizeof bytes);
    }
    return w.len;
}

/* -- from the kernel -----------------------------------------------------------------------------
 */

/* The first bytes of a message, as many as `out` has; false: it has fewer. */
static bool take(const uint8_t *data, size_t len, void *out, size_t wanted)
{
    if (len < wanted)
        return false;
    memcpy(out, data, wanted);
    return true;
}

/* The byte itself, or an int: IPv4 has had both. */
static void take_tos(const uint8_t *data, size_t len, struct stt_driver_train *train)
{
    int wide;
    uint8_t byte;
    if (take(data, len, &wide, sizeof wide))
        train->ecn = wide & 3;
    else if (take(data, len, &byte, sizeof byte))
        train->ecn = byte & 3;
}

static void take_size(const uint8_t *data, size_t len, struct stt_driver_train *train)
{
    int bytes;
    if (take(data, len, &bytes, sizeof bytes) && bytes > 0)
        train->segment_bytes = (size_t)bytes;
}

static void on_message(const struct cmsghdr *h, const uint8_t *data, size_t len,
                       struct stt_driver_train *train)
{
    struct in_pktinfo info;
    struct in6_pktinfo info6;
    if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO) {
        if (take(data, len, &info, sizeof info))
            take_ipv4(&train->local, info.ipi_addr);
    } else if (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_PKTINFO) {
        if (take(data, len, &info6, sizeof info6))
            take_ipv6(&train->local, &info6.ipi6_addr, (uint32_t)info6.ipi6_ifindex);
    } else if ((h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_TOS) ||
               (h->cmsg_level == IPPROTO_IPV6 && h->cmsg_type == IPV6_TCLASS)) {
        take_tos(data, len, train);
    } else if (h->cmsg_level == IPPROTO_UDP && h->cmsg_type == UDP_GRO) {
        take_size(data, len, train);
    }
}

static bool decode_name(const void *name, size_t name_len, struct stt_address *remote)
{
    struct sockaddr_storage from = {0};
    if (name_len < sizeof(struct sockaddr_in) || name_len > sizeof from)
        return false;
    memcpy(&from, name, name_len);
    if (from.ss_family == AF_INET6 && name_len < sizeof(struct sockaddr_in6))
        return false;
    stt_control_address((const struct sockaddr *)&from, remote);
    return remote->port != 0;
}

bool stt_control_decode(const struct stt_socket *s, const void *name, size_t name_len,
                        const void *control, size_t control_len, unsigned flags, size_t len,
                        struct stt_driver_train *train)
{
    if (flags & (MSG_TRUNC | MSG_CTRUNC) || !decode_name(name, name_len, &train->remote))
        return false;
    train->local = s->local;
    train->len = len;
    train->segment_bytes = len ? len : 1;
    train->ecn = 0;
    const uint8_t *at = control;
    for (size_t left = control_len; left >= sizeof(struct cmsghdr);) {
        struct cmsghdr h;
        memcpy(&h, at, sizeof h);
        if (h.cmsg_len < CMSG_LEN(0) || h.cmsg_len > left)
            return false;
        on_message(&h, at + CMSG_LEN(0), h.cmsg_len - CMSG_LEN(0), train);
        size_t step = CMSG_ALIGN(h.cmsg_len);
        if (step >= left)
            break;
        at += step;
        left -= step;
    }
    return true;
}
