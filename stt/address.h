/* SPDX-License-Identifier: MIT
 * Where datagrams come from and go to. */
#ifndef STT_ADDRESS_H
#define STT_ADDRESS_H

#include "stt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* IPv4 in its IPv6-mapped form; all zeros and port 0 for "unknown". */
struct stt_address {
    uint8_t ip[16];
    uint16_t port;
    uint16_t reserved; /* 0 */
    uint32_t scope;    /* interface index for link-local addresses, else 0 */
};

/* One way between two hosts. */
struct stt_path {
    struct stt_address local, remote;
    uint32_t carrier; /* 0 is UDP; others are registered with the endpoint */
};

#ifdef __cplusplus
}
#endif
#endif
