/* SPDX-License-Identifier: MIT
 * clock: the node's time. It goes on while the machine sleeps, so that a suspend is seen for what
 * it is (spec 04, "Fork and suspend"), and nobody sets it. */
#ifndef STT_NODE_CLOCK_H
#define STT_NODE_CLOCK_H

#include "stt/types.h"

#include <time.h>

static inline stt_ns stt_clock_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return STT_S(t.tv_sec) + (stt_ns)t.tv_nsec;
}

#endif
