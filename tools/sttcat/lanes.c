/* SPDX-License-Identifier: MIT
 * lanes: opens or recognises the byte streams of one direction. Must not know what they carry.
 * Spec 10, "Pipe". */
#include "tools/sttcat/lanes.h"

void lanes_begin(struct lanes *l, struct peer *peer, uint32_t n)
{
    *l = (struct lanes){.peer = peer, .n = n};
}

bool lanes_are_open(const struct lanes *l)
{
    return l->n_open == l->n;
}

bool lanes_open(struct lanes *l)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    struct peer *p = l->peer;
    while (l->n_open < l->n) {
        uint8_t number = (uint8_t)l->n_open;
        size_t written;
        stt_handle *stream = &l->streams[l->n_open];
        int error = stt_stream_open(p->ep, p->loop->now, p->session, &options, stream);
        /* There is an event when there may be more, or that the session has ended. */
        if (error == STT_E_LIMIT || error == STT_E_STATE)
            return error == STT_E_LIMIT;
        if (error || stt_stream_write(p->ep, p->loop->now, *stream, &number, 1, &written) ||
            written != 1) {
            peer_fail(p, EXIT_LOCAL_IO, CODE_INPUT, "there is no memory left for its streams");
            return false;
        }
        l->n_open++;
    }
    return true;
}

void lanes_finish(struct lanes *l)
{
    for (uint32_t i = 0; i < l->n_open; i++)
        (void)stt_stream_finish(l->peer->ep, l->peer->loop->now, l->streams[i]);
}

static bool is_known(const struct lanes *l, stt_handle stream)
{
    for (uint32_t i = 0; i < l->n; i++)
        if (l->streams[i] == stream)
            return true;
    return false;
}

bool lanes_take(struct lanes *l, const struct stt_stream_event *event)
{
    struct peer *p = l->peer;
    uint8_t number;
    size_t read;
    if (event->what & STT_STREAM_OPENED)
        (void)stt_stream_finish(p->ep, p->loop->now, event->stream);
    if (is_known(l, event->stream))
        return true;
    if (stt_stream_read(p->ep, p->loop->now, event->stream, &number, 1, &read))
        return false;
    if (read == 0) /* its number is still to come; or it never will */
        return !(event->what & (STT_STREAM_ENDED | STT_STREAM_RESET));
    if (number >= l->n || l->streams[number])
        return false;
    l->streams[number] = event->stream;
    l->n_open++;
    return true;
}
