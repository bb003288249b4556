/* SPDX-License-Identifier: MIT
 * mailbox: a ring behind a lock, which a node that has no mail never takes. Letters are taken in
 * the order in which they were put. */
#include "stt/node/mailbox.h"

#include <assert.h>

void stt_mailbox_init(struct stt_mailbox *m)
{
    int error = pthread_mutex_init(&m->lock, NULL);
    assert(error == 0);
    m->first = m->n = 0;
    atomic_init(&m->any, false);
}

void stt_mailbox_fini(struct stt_mailbox *m)
{
    pthread_mutex_destroy(&m->lock);
}

int stt_mailbox_put(struct stt_mailbox *m, struct stt_letter letter)
{
    int error = STT_E_LIMIT;
    pthread_mutex_lock(&m->lock);
    if (m->n < STT_MAILBOX_LETTERS) {
        m->at[(m->first + m->n++) % STT_MAILBOX_LETTERS] = letter;
        atomic_store_explicit(&m->any, true, memory_order_release);
        error = STT_OK;
    }
    pthread_mutex_unlock(&m->lock);
    return error;
}

bool stt_mailbox_take(struct stt_mailbox *m, struct stt_letter *letter)
{
    if (!atomic_load_explicit(&m->any, memory_order_acquire))
        return false;
    pthread_mutex_lock(&m->lock);
    *letter = m->at[m->first];
    m->first = (m->first + 1) % STT_MAILBOX_LETTERS;
    if (--m->n == 0)
        atomic_store_explicit(&m->any, false, memory_order_relaxed);
    pthread_mutex_unlock(&m->lock);
    return true;
}
