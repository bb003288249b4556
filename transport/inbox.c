/* SPDX-License-Identifier: MIT
 * inbox: recvmmsg into memory that is used again and again. It knows nothing of other sockets, nor
 * of when there is something to receive. */
#include "transport/inbox.h"

#include <assert.h>
#include <errno.h>

void stt_inbox_init(struct stt_inbox *in, uint8_t *memory)
{
    *in = (struct stt_inbox){.memory = memory};
    for (uint32_t i = 0; i < STT_INBOX_TRAINS; i++) {
        in->iovecs[i].iov_base = memory + (size_t)i * STT_INBOX_TRAIN_BYTES;
        in->iovecs[i].iov_len = STT_INBOX_TRAIN_BYTES;
        in->messages[i].msg_hdr = (struct msghdr){.msg_name = &in->names[i],
                                                  .msg_iov = &in->iovecs[i],
                                                  .msg_iovlen = 1,
                                                  .msg_control = in->controls[i].bytes};
    }
}

int stt_inbox_fill(struct stt_inbox *in, const struct stt_socket *s, uint32_t number, uint32_t most)
{
    assert(stt_inbox_is_empty(in));
    if (most > STT_INBOX_TRAINS)
        most = STT_INBOX_TRAINS;
    for (uint32_t i = 0; i < most; i++) { /* they say what is there, and then what was written */
        in->messages[i].msg_hdr.msg_namelen = sizeof in->names[i];
        in->messages[i].msg_hdr.msg_controllen = sizeof in->controls[i].bytes;
    }
    int n;
    do
        n = recvmmsg(s->fd, in->messages, most, MSG_DONTWAIT, NULL);
    while (n < 0 && errno == EINTR);
    in->socket = number;
    in->first = 0;
    in->n = n > 0 ? (uint32_t)n : 0;
    return n < 0 ? errno : 0;
}

bool stt_inbox_take(struct stt_inbox *in, const struct stt_socket *s,
                    struct stt_driver_train *train)
{
    assert(!stt_inbox_is_empty(in));
    uint32_t i = in->first++;
    const struct msghdr *m = &in->messages[i].msg_hdr;
    train->socket = in->socket;
    train->data = in->iovecs[i].iov_base;
    return stt_control_decode(s, m->msg_name, m->msg_namelen, m->msg_control, m->msg_controllen,
                              (unsigned)m->msg_flags, in->messages[i].msg_len, train);
}
