/* SPDX-License-Identifier: MIT
 * parts: a stopwatch for what one process does: its cipher, its copies, its checks; the kernel's
 * share by getrusage(), and the rest is the protocol's. */
#ifndef TOOLS_STTBENCH_CPU_PARTS_H
#define TOOLS_STTBENCH_CPU_PARTS_H

#include "crypto/aead.h"

/* In the order in which they are told. */
#define PARTS(X)                                                                                   \
    X(CRYPTO, "crypto")                                                                            \
    X(KERNEL, "kernel")                                                                            \
    X(PROTOCOL, "protocol")                                                                        \
    X(COPY, "copy")                                                                                \
    X(VERIFY, "verify")                                                                            \
    X(STOPWATCH, "stopwatch")

enum part {
#define X(name, text) PART_##name,
    PARTS(X)
#undef X
        PARTS_N
};

const char *part_name(enum part part);

struct parts {
    double ns[PARTS_N];     /* of a processor's time */
    double wall_ns, cpu_ns; /* cpu: user and system */
    double waited_ns;       /* it could have run, and others had the processor; NAN: not known */
};

/* Of this process, from now on. */
void parts_begin(void);
void parts_end(struct parts *out);

/* What lies between is of this part, which is one of CRYPTO, COPY and VERIFY. They do not nest. */
void parts_start(void);
void parts_stop(enum part part);

/* The same suite with a stopwatch around each train; one at a time. */
const struct stt_aead_suite *parts_suite(const struct stt_aead_suite *suite);

#endif
