/* SPDX-License-Identifier: MIT
 * steering: the program that the kernel runs for what comes to a port that several sockets share:
 * stt_id_worker() in its own language, which must give the same answer. It sees the datagram's
 * payload, without the UDP header; where it reads beyond the end, it ends and answers 0.
 * Spec 02-wire, "Worker hash". */
#include "transport/socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

/* A ^= A >> bits, by way of X. */
#define MIX(bits)                                                                                  \
    BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, (bits)),                  \
        BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0)

int stt_socket_steer(const struct stt_socket *s, uint32_t k0, uint32_t k1, uint32_t workers)
{
    if (workers == 0)
        return STT_E_ARGUMENT;
    struct sock_filter code[] = {
        /* X: where the id stands. 1, or 2 where the first bit is set. */
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 7),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
        BPF_STMT(BPF_MISC | BPF_TAX, 0),
        /* M[0]: its second half; A: its first. */
        BPF_STMT(BPF_LD | BPF_W | BPF_IND, 4),
        BPF_STMT(BPF_ST, 0),
        BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0),
        BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, k0),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1u),
        MIX(15),
        BPF_STMT(BPF_LDX | BPF_MEM, 0),
        BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
        BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, k1),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0x85ebca77u),
        MIX(13),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0xc2b2ae3du),
        MIX(16),
        BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    if (setsockopt(s->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) == 0)
        return STT_OK;
    return errno == EINVAL ? STT_E_ARGUMENT : STT_E_UNSUPPORTED;
}
