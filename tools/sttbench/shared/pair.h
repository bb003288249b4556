/* SPDX-License-Identifier: MIT
 * pair: two processes, a sender and a receiver, each pinned to a processor of its own, perhaps each
 * in a network namespace, with a piece of memory between them.
 *
 *     struct mine *x = pair_memory(sizeof *x);
 *     const struct pair_end ends[2] = {{send, 0, -1}, {receive, 1, -1}};
 *     if (!pair_run(ends, x, STT_S(20), why)) ...
 *     pair_forget(x, sizeof *x); */
#ifndef TOOLS_STTBENCH_SHARED_PAIR_H
#define TOOLS_STTBENCH_SHARED_PAIR_H

#include "stt/types.h"
#include "tools/common/options.h"

#include <stdatomic.h>

struct pair_end {
    bool (*run)(
        void *memory); /* in a process of its own; false: it failed; pair_refuse() says how */
    int cpu;           /* -1: any */
    int netns;         /* a descriptor for setns(); -1: where we are */
};

void *pair_memory(size_t len); /* zeros */
void pair_forget(void *memory, size_t len);

/* Both, until both have ended; whoever is left when the other failed or the time is over is killed.
 * False: `why` is one sentence. */
bool pair_run(const struct pair_end ends[2], void *memory, stt_ns timeout,
              char why[OPTION_WHY_ROOM]);

/* In an end: what pair_run() answers in `why`; who is first counts. Where there is no other end, it
 * is said at once. False, for who returns that. */
bool pair_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* For meeting in that memory: await() looks until it is not zero, and lets others run meanwhile. */
void pair_tell(atomic_uint *flag, uint32_t value);
uint32_t pair_await(atomic_uint *flag);

/* Processors that the two ends should have: of different cores, where there are such; the same one,
 * where there is no other. */
int pair_cpu(int end);

#endif
