/* SPDX-License-Identifier: MIT
 * channel: messages into a stream and out of it, one by one. All that one side says in a test is
 * less than a stream keeps, so nothing is queued here. Must not know what messages mean. Spec 11,
 * "Messages". */
#include "tools/sttbench/transfer/channel.h"

int channel_open(struct channel *c, struct stt_endpoint *ep, stt_ns now, stt_handle session)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    options.messages = true;
    options.urgency = 1;
    options.no_delay = true;
    *c = (struct channel){.ep = ep, .session = session};
    return stt_stream_open(ep, now, session, &options, &c->stream);
}

bool channel_say(struct channel *c, stt_ns now, const struct talk_message *m)
{
    uint8_t bytes[TALK_MESSAGE_MAX];
    size_t len = talk_encode(m, bytes, sizeof bytes), written;
    if (!len || stt_stream_write(c->ep, now, c->stream, bytes, len, &written) != STT_OK)
        return false;
    (void)stt_stream_flush(c->ep, now, c->stream);
    return true;
}

bool channel_say_word(struct channel *c, stt_ns now, enum talk_type type)
{
    return channel_say(c, now, &(struct talk_message){.type = type});
}

void channel_finish(struct channel *c, stt_ns now)
{
    (void)stt_stream_finish(c->ep, now, c->stream);
}

enum channel_heard channel_hear(struct channel *c, stt_ns now, struct talk_message *m)
{
    struct stt_message_read read;
    while (stt_stream_read_message(c->ep, now, c->stream, c->partial + c->partial_len,
                                   sizeof c->partial - c->partial_len, &read) == STT_OK) {
        c->partial_len += read.len;
        if (read.skipped || c->partial_len > TALK_MESSAGE_MAX)
            return CHANNEL_BROKEN;
        if (!read.is_whole)
            continue;
        struct bytes bytes = {c->partial, c->partial_len};
        c->partial_len = 0;
        return talk_decode(m, bytes) ? CHANNEL_MESSAGE : CHANNEL_BROKEN;
    }
    return CHANNEL_NOTHING;
}

bool channel_has_ended(const struct channel *c)
{
    struct stt_stream_info info;
    return stt_stream_info(c->ep, c->stream, &info) == STT_OK && info.is_read_to_end;
}
