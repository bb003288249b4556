/* SPDX-License-Identifier: MIT
 * fate: what an error of sending means, to either driver. */
#ifndef STT_TRANSPORT_FATE_H
#define STT_TRANSPORT_FATE_H

#include <errno.h>

enum stt_fate {
    STT_FATE_REFUSED,
    STT_FATE_INTERRUPTED,
    STT_FATE_STALLED,  /* no room in the socket's buffer */
    STT_FATE_RESTING,  /* no memory, or no room in a queue of the device */
    STT_FATE_DISLIKED, /* perhaps because it was to be cut into segments there */
    STT_FATE_REPORTED, /* an earlier datagram's fate, told by somebody's ICMP */
};

static inline enum stt_fate stt_fate_of(int error)
{
    switch (error) {
    case EINTR:
        return STT_FATE_INTERRUPTED;
    case EAGAIN:
        return STT_FATE_STALLED;
    case ENOBUFS:
    case ENOMEM:
        return STT_FATE_RESTING;
    case EIO:
    case EINVAL:
    case EOPNOTSUPP:
        return STT_FATE_DISLIKED;
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
        return STT_FATE_REPORTED;
    default:
        return STT_FATE_REFUSED;
    }
}

#endif
