/* SPDX-License-Identifier: MIT
 * inbox: trains that one socket gave in one call, until each was taken. Few, so that they are still
 * in the cache when they are looked at. */
#ifndef STT_TRANSPORT_INBOX_H
#define STT_TRANSPORT_INBOX_H

#include "transport/control.h"

enum {
    STT_INBOX_TRAINS = 8,
    STT_INBOX_TRAIN_BYTES = 65536, /* nothing is truncated: GRO makes none that is larger */
};

struct stt_inbox {
    uint8_t *memory;           /* STT_INBOX_TRAINS of STT_INBOX_TRAIN_BYTES */
    uint32_t socket, first, n; /* [first, n) are there to take */
    struct mmsghdr messages[STT_INBOX_TRAINS];
    struct iovec iovecs[STT_INBOX_TRAINS];
    struct sockaddr_storage names[STT_INBOX_TRAINS];
    union stt_control controls[STT_INBOX_TRAINS];
};

/* The memory is the caller's, of STT_INBOX_TRAINS * STT_INBOX_TRAIN_BYTES. */
void stt_inbox_init(struct stt_inbox *in, uint8_t *memory);

static inline bool stt_inbox_is_empty(const struct stt_inbox *in)
{
    return in->first == in->n;
}

/* Takes at most so many from the socket of that number; the inbox is empty before. 0 or errno;
 * fewer than `most` and than STT_INBOX_TRAINS: there are no more. */
int stt_inbox_fill(struct stt_inbox *in, const struct stt_socket *s, uint32_t number,
                   uint32_t most);

/* The next; there is one. False: it was not whole, or from nowhere. */
bool stt_inbox_take(struct stt_inbox *in, const struct stt_socket *s,
                    struct stt_driver_train *train);

#endif
