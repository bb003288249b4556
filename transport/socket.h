/* SPDX-License-Identifier: MIT
 * socket: one UDP socket as STT needs it: not fragmented, with marks, times and the address that
 * was asked, in trains where the kernel does them, perhaps one of several workers on its port. */
#ifndef STT_TRANSPORT_SOCKET_H
#define STT_TRANSPORT_SOCKET_H

#include "stt/address.h"
#include "stt/error.h"

struct stt_socket_options {
    struct stt_address local; /* port 0: any. All zeros and is_ipv6: IPv4, too */
    bool is_ipv6;             /* of which family the unspecified address is */
    bool reuse_port;          /* joins others on this port, see stt_socket_share() */
    uint32_t buffer_bytes;    /* wanted, of the kernel's, each way; 0: what it gives to all */
    uint8_t dscp;             /* 0 to 63 */
};

/* What is there now. */
struct stt_socket {
    int fd;
    bool is_ipv6; /* AF_INET6: takes mapped IPv4 addresses where is_dual */
    bool is_dual;
    bool has_gso, has_gro;
    struct stt_address local; /* with its port; unspecified: all zeros, of both families */
    uint32_t receive_bytes,
        send_bytes; /* of the kernel's buffers, as it counts: twice the wanted */
};

/* STT_E_EXISTS: somebody has that address and port. STT_E_NOT_FOUND: the address is not one of this
 * machine's. STT_E_ARGUMENT: nor can it be, such as a link-local one without its interface.
 * STT_E_PERMISSION, STT_E_UNSUPPORTED: no such family here; STT_E_LIMIT: no descriptors. */
int stt_socket_open(struct stt_socket *out, const struct stt_socket_options *options) STT_MUST_USE;

/* From now on, others of this user may join its port with reuse_port. The first of several is
 * opened without that and shared then: so it is told when somebody else has the port already. */
int stt_socket_share(const struct stt_socket *s) STT_MUST_USE;

/* One sentence with the command that allows the wanted sizes, or false: they were granted. */
#define STT_SOCKET_HINT_ROOM 256
bool stt_socket_hint(const struct stt_socket *s, uint32_t wanted_bytes,
                     char out[STT_SOCKET_HINT_ROOM]);

/* What the sockets of a port hear is steered by the session id's hash (spec 02, "Worker hash"), in
 * the order in which they were opened, as long as none was closed; one call, on any of them. What
 * is too short to hold an id goes to the first. STT_E_ARGUMENT: no port that several share.
 * STT_E_UNSUPPORTED: the kernel spreads by addresses then, and hand-over does the rest. */
int stt_socket_steer(const struct stt_socket *s, uint32_t k0, uint32_t k1,
                     uint32_t workers) STT_MUST_USE;

#endif
