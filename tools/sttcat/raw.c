/* SPDX-License-Identifier: MIT
 * raw: one stream and nothing else, for peers that are not sttcat: what the initiator opens carries
 * standard input one way and standard output the other. There are no receipts: all that is known at
 * the end is that the peer's machine has acknowledged every byte, and that ours were all written.
 */
#include "tools/sttcat/cat.h"
#include "tools/sttcat/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TURN_BYTES = 1 << 20 };

struct raw {
    struct peer *peer;
    struct input input;
    struct output output;
    stt_handle stream;
    bool has_finished, is_acknowledged; /* ours */
    bool has_all, is_closed;            /* theirs */
};

static void raw_end(void *job)
{
    struct raw *x = job;
    input_end(&x->input);
    output_end(&x->output);
    free(x);
}

static void *raw_begin(struct peer *p)
{
    struct stt_stream_options options = STT_STREAM_OPTIONS_INIT;
    struct raw *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->peer = p;
    x->output.port.fd = x->output.given_fd = -1;
    bool is_fine = input_begin(&x->input, p->gives ? cat_take_stdin(p->cat) : -1);
    is_fine = output_begin(&x->output, STDOUT_FILENO, p->plan->flags.keep_open) && is_fine;
    int error = p->is_initiator
                    ? stt_stream_open(p->ep, p->loop->now, p->session, &options, &x->stream)
                    : STT_OK;
    if (is_fine && (!error || error == STT_E_STATE)) /* closed already: there will be word of it */
        return x;
    raw_end(x);
    return NULL;
}

/* The first stream of an sttcat that is not raw carries messages. */
static bool has_messages(const struct peer *p, stt_handle stream)
{
    struct stt_stream_info info;
    return stt_stream_info(p->ep, stream, &info) == STT_OK && info.has_messages;
}

static bool raw_on_stream(void *job, const struct stt_stream_event *event)
{
    struct raw *x = job;
    struct peer *p = x->peer;
    if (!x->stream && (event->what & STT_STREAM_OPENED) && has_messages(p, event->stream)) {
        peer_fail(p, EXIT_REFUSED, CODE_REFUSED, "one side is --raw, and the other one is not");
        return true;
    }
    if (!x->stream && (event->what & STT_STREAM_OPENED))
        x->stream = event->stream;
    if (event->stream != x->stream) {
        (void)stt_stream_reset(p->ep, p->loop->now, event->stream, CODE_REFUSED);
        (void)stt_stream_stop(p->ep, p->loop->now, event->stream, CODE_REFUSED);
        return true;
    }
    if (event->what & STT_STREAM_RESET)
        peer_fail(p, EXIT_PARTIAL, CODE_INPUT, "the other side broke off what it sent");
    else if (event->what & STT_STREAM_STOPPED)
        peer_fail(p, EXIT_PARTIAL, CODE_CLOSED, "the other side wants no more");
    if (event->what & (STT_STREAM_FINISHED | STT_STREAM_ENDED))
        x->is_acknowledged = x->has_finished;
    return true;
}

static bool give(struct raw *x)
{
    struct peer *p = x->peer;
    uint64_t before = x->input.bytes;
    enum flow flow = FLOW_MOVED;
    if (x->has_finished || !x->stream)
        return false;
    while (flow == FLOW_MOVED && x->input.bytes - before < TURN_BYTES)
        flow = input_move(&x->input, p, x->stream, TURN_BYTES);
    bool has_ended =
        flow == FLOW_ENDED || (flow == FLOW_WAITS && x->input.is_terminal && x->is_closed);
    if (flow == FLOW_FAILED)
        peer_fail(p, EXIT_LOCAL_IO, CODE_INPUT, "the input could not be read: %s", strerror(errno));
    if (has_ended) {
        (void)stt_stream_finish(p->ep, p->loop->now, x->stream);
        x->has_finished = true;
    }
    return x->input.bytes != before || has_ended;
}

static bool take(struct raw *x)
{
    struct peer *p = x->peer;
    uint64_t before = x->output.bytes;
    enum flow flow = FLOW_MOVED;
    if (x->has_all || !x->stream)
        return false;
    while (flow == FLOW_MOVED && x->output.bytes - before < TURN_BYTES)
        flow = output_move(&x->output, p, x->stream, TURN_BYTES);
    x->has_all = flow == FLOW_ENDED;
    x->is_closed = x->has_all && output_close(&x->output);
    if (flow == FLOW_FAILED && errno == EPIPE)
        cat_reader_is_gone(p);
    else if (flow == FLOW_FAILED || (x->has_all && !x->is_closed))
        peer_fail(p, EXIT_LOCAL_IO, CODE_OUTPUT, "the output could not be written: %s",
                  strerror(errno));
    return x->output.bytes != before || x->has_all;
}

static bool raw_turn(void *job)
{
    struct raw *x = job;
    bool took = take(x);
    return give(x) || took;
}

bool raw_has_ended(const void *job)
{
    const struct raw *x = job;
    return x->has_finished && x->is_closed;
}

static bool raw_is_settled(const void *job)
{
    const struct raw *x = job;
    return x->is_acknowledged && x->is_closed;
}

const struct job raw_job = {
    .begin = raw_begin,
    .end = raw_end,
    .on_stream = raw_on_stream,
    .turn = raw_turn,
    .is_settled = raw_is_settled,
};
