/* SPDX-License-Identifier: MIT
 * control: names and control messages of datagrams, as the kernel writes and reads them. */
#ifndef STT_TRANSPORT_CONTROL_H
#define STT_TRANSPORT_CONTROL_H

#include "transport/driver.h"

#include <sys/socket.h>

/* Room for all control messages, aligned for them. */
enum { STT_CONTROL_BYTES = 128 };
union stt_control {
    size_t align; /* as struct cmsghdr is */
    uint8_t bytes[STT_CONTROL_BYTES];
};

struct stt_control_name {
    struct sockaddr_storage storage;
    socklen_t len;
};

/* Name and control messages of a train by this socket: the address it goes out from, marks and
 * DSCP, and where it is more than one datagram and `segmented`, their size. Answers the control's
 * length. */
size_t stt_control_encode(const struct stt_socket *s, const struct stt_driver_train *train,
                          uint8_t dscp, bool segmented, struct stt_control_name *name,
                          union stt_control *control);

/* What recvmsg said of one. False: truncated, or without a usable name. data and socket are the
 * caller's. */
bool stt_control_decode(const struct stt_socket *s, const void *name, size_t name_len,
                        const void *control, size_t control_len, unsigned flags, size_t len,
                        struct stt_driver_train *train);

/* Names alone. Whether a name is good for a socket, the kernel says. */
void stt_control_address(const struct sockaddr *from, struct stt_address *out);
void stt_control_name_encode(struct stt_control_name *out, const struct stt_address *address,
                             bool is_ipv6);

/* An IPv4 address, in its mapped form. */
bool stt_control_is_ipv4(const struct stt_address *address);
/* 0.0.0.0 or ::, of whatever port. */
bool stt_control_is_any(const struct stt_address *address);

#endif
