/* SPDX-License-Identifier: MIT
 * netns: two networks of a test's own, and a cable between them. They end with the process; nothing
 * outside of them is reached.
 *
 *     network of NETNS_SERVER              network of NETNS_CLIENT
 *     [lo]  [stt0] ---------- veth --------- [stt0]  [lo]
 *
 * A socket belongs to the network in which it was opened, so one thread can have some in both. */
#ifndef TESTS_SUPPORT_NETNS_H
#define TESTS_SUPPORT_NETNS_H

#include <stdbool.h>
#include <stdint.h>

enum { NETNS_SERVER, NETNS_CLIENT, NETNS_COUNT };
#define NETNS_LINK "stt0"

/* Tried in a child. False: neither root nor a namespace of users may have networks here. */
bool netns_is_allowed(void);

/* Makes both, with the cable up; the calling thread is the client's then. Must succeed. */
void netns_begin(void);
/* The calling thread's network, from now on. Cheap where it is there already. */
void netns_enter(bool is_client);

/* Of the end of the cable in that network; these leave the thread where it is. False: the system
 * says no. "10.0.0.1", which has 24 bits of network, or "fd00::1", with 64, good at once. */
bool netns_add(int which, const char *ip);
bool netns_remove(int which, const char *ip);
void netns_up(int which, bool is_up);
void netns_mtu(int which, int bytes);

/* A counter of that kernel: "Icmp:" and "InDestUnreachs" of /proc/net/snmp, NULL and
 * "Icmp6InPktTooBigs" of snmp6. */
uint64_t netns_counter(int which, const char *family, const char *name);

#endif
