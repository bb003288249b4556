/* SPDX-License-Identifier: MIT
 * nets: two networks, each with a TUN device whose other end is here. They end with the process.
 *
 *     near [wan0] 10.213.0.1 <- files[0] -- this process -- files[1] -> 10.213.0.2 [wan0] far */
#ifndef TESTS_BENCH_RIVALS_NETS_H
#define TESTS_BENCH_RIVALS_NETS_H

#include "tools/common/options.h"

#define NETS_FAR "10.213.0.2"

enum { NETS_NEAR_END, NETS_FAR_END, NETS_ENDS };
struct nets {
    int home, ends[NETS_ENDS]; /* for setns() */
    int files[NETS_ENDS];      /* do not block */
};

/* Comes back to where it was. */
bool nets_new(struct nets *n, int mtu, char why[OPTION_WHY_ROOM]);

#endif
