/* SPDX-License-Identifier: MIT
 * cable: two network namespaces and a veth between them, for as long as this process lives: they
 * end with the last descriptor, however the program ends.
 *
 *     sender's  [stt0] 10.0.0.1 ------- veth ------- 10.0.0.2 [stt0]  receiver's */
#ifndef TOOLS_STTBENCH_COMPARE_CABLE_H
#define TOOLS_STTBENCH_COMPARE_CABLE_H

#include "tools/common/options.h"

#define CABLE_RECEIVER "10.0.0.2"

enum { CABLE_SENDER_END, CABLE_RECEIVER_END, CABLE_ENDS };
struct cable {
    int home, ends[CABLE_ENDS]; /* for setns() */
};

/* Comes back to where it was. Without root it needs a namespace of users, and does not come back:
 * then this process goes on in a network of its own, which has a loopback, too. */
bool cable_new(struct cable *c, uint32_t mtu, char why[OPTION_WHY_ROOM]);
void cable_free(struct cable *c);

/* At the sender's end: whether long sends are cut only by the receiver (on), or by the sender's
 * kernel, as they are before a real wire (off). */
bool cable_offloads(const struct cable *c, bool on, char why[OPTION_WHY_ROOM]);

#endif
