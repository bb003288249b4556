/* SPDX-License-Identifier: MIT
 * resolver: addresses of names, asked of the system in a thread of its own, since that may take as
 * long as it likes. */
#ifndef STT_NODE_RESOLVER_H
#define STT_NODE_RESOLVER_H

#include "stt/node/address.h"

enum { STT_RESOLVED_MAX = 8, STT_RESOLVER_QUESTIONS_MAX = 256 };

struct stt_resolved {
    uint64_t question;
    uint32_t n;      /* addresses; 0: see why */
    const char *why; /* the system's words; never NULL */
    struct stt_address at[STT_RESOLVED_MAX];
};

struct stt_resolver;
/* `wake` is called in the thread, whenever there is an answer. The thread begins with the first
 * question. */
int stt_resolver_new(struct stt_resolver **out, void (*wake)(void *ctx), void *ctx) STT_MUST_USE;
/* Does not wait for an answer that is still to come. */
void stt_resolver_free(struct stt_resolver *r);

/* STT_E_LIMIT: there are too many questions. */
int stt_resolver_ask(struct stt_resolver *r, const char *host, uint16_t port,
                     uint64_t *question) STT_MUST_USE;
bool stt_resolver_answer(struct stt_resolver *r, struct stt_resolved *out);

#endif
