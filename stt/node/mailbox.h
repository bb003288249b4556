/* SPDX-License-Identifier: MIT
 * mailbox: calls that other threads want made on the node's. */
#ifndef STT_NODE_MAILBOX_H
#define STT_NODE_MAILBOX_H

#include "stt/error.h"

#include <pthread.h>
#include <stdatomic.h>

enum { STT_MAILBOX_LETTERS = 4096 };

struct stt_node;
struct stt_letter {
    void (*call)(struct stt_node *node, void *ctx);
    void *ctx;
};

struct stt_mailbox {
    pthread_mutex_t lock;
    uint32_t first, n; /* of a ring */
    atomic_bool any;   /* looked at without the lock */
    struct stt_letter at[STT_MAILBOX_LETTERS];
};

void stt_mailbox_init(struct stt_mailbox *m);
void stt_mailbox_fini(struct stt_mailbox *m);

/* From any thread. STT_E_LIMIT: it is full. */
int stt_mailbox_put(struct stt_mailbox *m, struct stt_letter letter) STT_MUST_USE;
/* The oldest; false: it is empty. */
bool stt_mailbox_take(struct stt_mailbox *m, struct stt_letter *letter);

#endif
