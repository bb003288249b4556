/* SPDX-License-Identifier: MIT
 * counted: a node's hooks for an endpoint that has no node, with its memory counted: secrets in
 * grains of theirs, as they are handed out. */
#ifndef TOOLS_STTBENCH_SHARED_COUNTED_H
#define TOOLS_STTBENCH_SHARED_COUNTED_H

#include "stt/node/env.h"
#include "stt/node/secret.h"

/* Must not move. */
struct counted {
    struct stt_env env;
    struct stt_secret secret;
    size_t bytes;    /* in use */
    uint64_t allocs; /* so far */
};

/* False, after a sentence: the system gives no memory for secrets. */
bool counted_init(struct counted *c);
/* Whatever used it is gone. */
void counted_fini(struct counted *c);

#endif
