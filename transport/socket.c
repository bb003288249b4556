/* SPDX-License-Identifier: MIT
 * socket: opens one UDP socket and says what it can do. What it answers is found out from the
 * socket itself, never from a version. It knows nothing of trains; that is control's and the
 * drivers'. */
#include "transport/socket.h"

#include "transport/control.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int error_of(int error)
{
    switch (error) {
    case EADDRINUSE:
        return STT_E_EXISTS;
    case EADDRNOTAVAIL:
    case ENODEV:
        return STT_E_NOT_FOUND;
    case EINVAL:
        return STT_E_ARGUMENT;
    case EACCES:
    case EPERM:
        return STT_E_PERMISSION;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ENOPROTOOPT:
        return STT_E_UNSUPPORTED;
    case EMFILE:
    case ENFILE:
        return STT_E_LIMIT;
    case ENOMEM:
    case ENOBUFS:
        return STT_E_MEMORY;
    default:
        return STT_E_IO;
    }
}

static bool set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

/* PROBE: not fragmented, and what path MTU discovery of the kernel believes is nothing to us. */
static bool set_ipv4(int fd, const struct stt_socket_options *options)
{
    return set(fd, IPPROTO_IP, IP_RECVTOS, 1) &&
           set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE) &&
           set(fd, IPPROTO_IP, IP_TOS, options->dscp << 2);
}

static bool set_ipv6(int fd, const struct stt_socket_options *options)
{
    return set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1) &&
           set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE) &&
           set(fd, IPPROTO_IPV6, IPV6_TCLASS, options->dscp << 2);
}

/* A dual socket tells the address of an IPv4 datagram in a message of IPv6, mapped, if asked for
 * that alone. */
static bool set_family(const struct stt_socket *s, const struct stt_socket_options *options)
{
    if (!s->is_ipv6)
        return set(s->fd, IPPROTO_IP, IP_PKTINFO, 1) && set_ipv4(s->fd, options);
    return set(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, !s->is_dual) &&
           set(s->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) && set_ipv6(s->fd, options) &&
           (!s->is_dual || set_ipv4(s->fd, options));
}

/* The first name is not bound to the system's limit, and not for everyone. */
static uint32_t set_buffer(int fd, int force, int name, uint32_t wanted)
{
    int bytes = wanted > INT_MAX / 2 ? INT_MAX / 2 : (int)wanted;
    if (bytes > 0 && !set(fd, SOL_SOCKET, force, bytes))
        set(fd, SOL_SOCKET, name, bytes);
    socklen_t len = sizeof bytes;
    return getsockopt(fd, SOL_SOCKET, name, &bytes, &len) == 0 && bytes > 0 ? (uint32_t)bytes : 0;
}

static bool bind_to(const struct stt_socket *s, const struct stt_address *local)
{
    struct stt_control_name name;
    stt_control_name_encode(&name, local, s->is_ipv6);
    return bind(s->fd, (const struct sockaddr *)&name.storage, name.len) == 0;
}

static bool learn_local(struct stt_socket *s)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof name;
    if (getsockname(s->fd, (struct sockaddr *)&name, &len) != 0)
        return false;
    stt_control_address((const struct sockaddr *)&name, &s->local);
    if (stt_control_is_any(&s->local))
        s->local = (struct stt_address){.port = s->local.port};
    return true;
}

static bool prepare(struct stt_socket *s, const struct stt_socket_options *options)
{
    if (!set_family(s, options) ||
        (options->reuse_port && !set(s->fd, SOL_SOCKET, SO_REUSEPORT, 1)))
        return false;
    int size;
    socklen_t len = sizeof size;
    s->has_gso = getsockopt(s->fd, IPPROTO_UDP, UDP_SEGMENT, &size, &len) == 0;
    s->has_gro = set(s->fd, IPPROTO_UDP, UDP_GRO, 1);
    s->receive_bytes = set_buffer(s->fd, SO_RCVBUFFORCE, SO_RCVBUF, options->buffer_bytes);
    s->send_bytes = set_buffer(s->fd, SO_SNDBUFFORCE, SO_SNDBUF, options->buffer_bytes);
    return bind_to(s, &options->local) && learn_local(s);
}

int stt_socket_open(struct stt_socket *out, const struct stt_socket_options *options)
{
    const bool is_any = stt_control_is_any(&options->local);
    if (options->dscp > 63)
        return STT_E_ARGUMENT;
    struct stt_socket s = {.is_ipv6 = !stt_control_is_ipv4(&options->local)};
    if (is_any && !options->is_ipv6)
        s.is_ipv6 = false;
    s.is_dual = s.is_ipv6 && is_any;
    s.fd = socket(s.is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s.fd < 0)
        return error_of(errno);
    if (!prepare(&s, options)) {
        int error = errno;
        close(s.fd);
        return error_of(error);
    }
    *out = s;
    return STT_OK;
}

int stt_socket_share(const struct stt_socket *s)
{
    return set(s->fd, SOL_SOCKET, SO_REUSEPORT, 1) ? STT_OK : error_of(errno);
}

bool stt_socket_hint(const struct stt_socket *s, uint32_t wanted_bytes,
                     char out[STT_SOCKET_HINT_ROOM])
{
    const uint32_t receive = s->receive_bytes / 2, send = s->send_bytes / 2;
    char rmem[48] = "", wmem[48] = "";
    if (receive < wanted_bytes)
        snprintf(rmem, sizeof rmem, " net.core.rmem_max=%u", wanted_bytes);
    if (send < wanted_bytes)
        snprintf(wmem, sizeof wmem, " net.core.wmem_max=%u", wanted_bytes);
    if (!*rmem && !*wmem)
        return false;
    snprintf(out, STT_SOCKET_HINT_ROOM,
             "the system allows socket buffers of %u bytes for receiving and %u for sending, below "
             "the wanted %u: run `sysctl -w%s%s` as root",
             receive, send, wanted_bytes, rmem, wmem);
    return true;
}
