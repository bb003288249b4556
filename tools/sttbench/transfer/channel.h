/* SPDX-License-Identifier: MIT
 * channel: the control stream of a test, as messages. */
#ifndef TOOLS_STTBENCH_TRANSFER_CHANNEL_H
#define TOOLS_STTBENCH_TRANSFER_CHANNEL_H

#include "stt/streams.h"
#include "tools/sttbench/transfer/talk.h"

struct channel {
    struct stt_endpoint *ep;
    stt_handle session, stream;
    uint8_t partial[TALK_MESSAGE_MAX + 1];
    size_t partial_len;
    bool is_heard; /* all that was said, and its end, has been acknowledged; who pulls events sets
                      it */
};

/* Opens a stream for it. */
int channel_open(struct channel *c, struct stt_endpoint *ep, stt_ns now, stt_handle session);
/* False: there was no room, which what a test says always has; or it has ended. */
bool channel_say(struct channel *c, stt_ns now, const struct talk_message *m);
bool channel_say_word(struct channel *c, stt_ns now, enum talk_type type);
void channel_finish(struct channel *c, stt_ns now);

enum channel_heard { CHANNEL_NOTHING, CHANNEL_MESSAGE, CHANNEL_BROKEN };
enum channel_heard channel_hear(struct channel *c, stt_ns now, struct talk_message *m);
/* Nothing more will be heard. */
bool channel_has_ended(const struct channel *c);

#endif
