/* SPDX-License-Identifier: MIT
 * udp: sockets and trains on this machine's loopback, sent and received by plain system calls. */
#ifndef TESTS_SUPPORT_UDP_H
#define TESTS_SUPPORT_UDP_H

#include "transport/control.h"
#include "transport/socket.h"

/* Long enough for a busy machine; what waits so long has failed. */
enum { UDP_PATIENCE_MS = 20000 };

/* "127.0.0.1", "::1". */
struct stt_address udp_address(const char *ip, uint16_t port);
/* "127.0.0.1 7", in the caller's buffer. */
const char *udp_text(const struct stt_address *address, char out[64]);

/* On that address, "::" dual and "0.0.0.0" without IPv6; must succeed. */
struct stt_socket udp_open(const char *ip);
bool udp_has_ipv6(void);

/* One sendmsg. 0, or errno. */
int udp_send(const struct stt_socket *s, const struct stt_driver_train *train, uint8_t dscp);
/* Waits for one recvmsg. False: nothing came, or what stt_control_decode refuses. `dscp`: of the
 * header, or 0xff where there was none; may be NULL. */
bool udp_receive(const struct stt_socket *s, struct stt_driver_train *train, uint8_t *data,
                 size_t room, uint8_t *dscp);
/* Within so many milliseconds. */
bool udp_is_readable(int fd, int ms);

/* Descriptors of this process. */
int udp_descriptors(void);

#endif
