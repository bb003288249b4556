/* SPDX-License-Identifier: MIT
 * control: the stream of messages between two sttcats, and the queue in front of it (spec 10,
 * "Jobs"). */
#ifndef TOOLS_STTCAT_CONTROL_H
#define TOOLS_STTCAT_CONTROL_H

#include "stt/streams.h"
#include "tools/sttcat/wire.h"

struct control {
    struct stt_endpoint *ep;
    stt_handle stream; /* 0: not there yet */
    uint8_t *queue;    /* messages behind their lengths */
    size_t queue_len, queue_at, queue_room;
    uint8_t partial[WIRE_MESSAGE_MAX + 1]; /* of the message that is being read */
    size_t partial_len;
    bool is_last, has_finished;
};

void control_begin(struct control *c, struct stt_endpoint *ep);
void control_end(struct control *c);
/* By the initiator; the responder sets `stream` when it is opened. An stt_error. */
int control_open(struct control *c, stt_ns now, stt_handle session);

/* False: no memory, or more is queued than any job needs. */
bool control_send(struct control *c, const struct wire_message *m);
/* There will be no other one: FIN goes with it. */
void control_finish(struct control *c);
size_t control_queued_bytes(const struct control *c);
/* True: something went. */
bool control_flush(struct control *c, stt_ns now);

enum control_read { CONTROL_NOTHING, CONTROL_MESSAGE, CONTROL_BROKEN };
/* `m` borrows until the next call. */
enum control_read control_read(struct control *c, stt_ns now, struct wire_message *m);
/* The other side says no more. */
bool control_has_ended(const struct control *c);

#endif
