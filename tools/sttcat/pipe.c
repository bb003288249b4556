/* SPDX-License-Identifier: MIT
 * pipe: bytes both ways between the session and standard input and output, or a command's. Each
 * direction ends by itself, with END and RECEIPT. Spec 10, "Pipe". */
#include "tools/sttcat/cat.h"
#include "tools/sttcat/command.h"
#include "tools/sttcat/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TURN_BYTES = 1 << 20 };

struct pipe {
    struct peer *peer;
    struct command command;
    bool has_command, is_deaf; /* it reads no more, and there was more */

    /* giving */
    struct input input;
    struct lanes give;
    bool has_said_end, has_receipt;

    /* taking */
    struct output output;
    struct lanes take;
    bool has_end, has_read, has_all, has_given_receipt;
    struct wire_message end;
};

static void pipe_end(void *job)
{
    struct pipe *x = job;
    command_end(&x->command, !x->has_said_end); /* somebody still holds its output */
    input_end(&x->input);
    output_end(&x->output);
    free(x);
}

/* Where bytes come from and go to. */
static bool attach(struct pipe *x, struct peer *p)
{
    int in = p->gives ? cat_take_stdin(p->cat) : -1, out = p->takes ? STDOUT_FILENO : -1;
    bool is_kept = p->plan->flags.keep_open;
    if (p->plan->flags.exec) {
        x->has_command = command_begin(&x->command, p->plan->flags.exec);
        if (!x->has_command)
            return false;
        in = p->gives ? x->command.output : -1;
        out = p->takes ? x->command.input : -1;
        if (!p->gives) /* whatever it says, there is nobody for it, and it hears of that */
            close(x->command.output);
        if (!p->takes)
            close(x->command.input);
        is_kept = false;
    }
    bool is_fine = input_begin(&x->input, in);
    return output_begin(&x->output, out, is_kept) && is_fine;
}

static void *pipe_begin(struct peer *p)
{
    struct pipe *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->peer = p;
    x->input.port.fd = x->input.given_fd = x->output.port.fd = x->output.given_fd = -1;
    if (!attach(x, p)) {
        pipe_end(x);
        return NULL;
    }
    lanes_begin(&x->give, p, p->gives);
    lanes_begin(&x->take, p, 1);
    x->has_said_end = x->has_receipt = !p->gives;
    return x;
}

/* -- what the other side says ------------------------------------------------------------------ */

static bool agrees(const struct wire_message *m, uint64_t bytes, const struct hash *hash)
{
    struct wire_hash own = hash_value(hash);
    return m->bytes == bytes && hash_equal(&m->hash, &own);
}

static bool on_end(struct pipe *x, const struct wire_message *m)
{
    struct peer *p = x->peer;
    if (x->has_end || !(p->hello.flags & WIRE_GIVES))
        return false;
    x->has_end = true;
    x->end = *m;
    if (!p->takes && m->bytes > 0)
        peer_fail(p, EXIT_REFUSED, CODE_REFUSED,
                  "the other side has bytes, and this one takes none");
    return true;
}

/* Nobody receipts what nobody takes; the other side's wish may come after our END. */
static bool is_receipted(const struct pipe *x)
{
    return x->has_receipt || (x->peer->has_hello && !(x->peer->hello.flags & WIRE_TAKES));
}

/* SIGCHLD wakes the loop. What was written to it and is still there was not read. */
static bool command_has_ended(struct pipe *x)
{
    if (x->has_command && !command_is_over(&x->command))
        return false;
    x->is_deaf |= x->has_command && command_left_bytes(&x->command);
    return true;
}

/* All that a command has said has arrived before anybody hears that it has failed. */
static void look_at_command(struct pipe *x)
{
    char status[32];
    if (!x->has_command || !x->has_said_end || !is_receipted(x) || !command_has_ended(x))
        return;
    if (x->command.status)
        peer_fail(x->peer, EXIT_PARTIAL, CODE_COMMAND, "the command ended with %s",
                  command_status(&x->command, status));
    else if (x->is_deaf)
        peer_fail(x->peer, EXIT_PARTIAL, CODE_CLOSED, "the command did not read all of its input");
}

static bool on_receipt(struct pipe *x, const struct wire_message *m)
{
    if (!x->has_said_end || is_receipted(x))
        return false;
    x->has_receipt = true;
    if (!agrees(m, x->input.bytes, x->input.hash))
        peer_fail(x->peer, EXIT_INTEGRITY, CODE_INTEGRITY,
                  "what has arrived is not what was sent: count or hash differ");
    else
        peer_agreed(x->peer, true, &m->hash);
    look_at_command(x);
    return true;
}

static bool pipe_is_settled(const void *job)
{
    const struct pipe *x = job;
    const struct peer *p = x->peer;
    bool takes = p->takes && p->hello.flags & WIRE_GIVES;
    bool hears = !p->takes && p->hello.flags & WIRE_GIVES;
    return p->has_hello && x->has_said_end && is_receipted(x) && (!takes || x->has_given_receipt) &&
           (!hears || x->has_end) && (!x->has_command || x->command.is_over);
}

static bool pipe_on_message(void *job, const struct wire_message *m)
{
    if (m->type == WIRE_END)
        return on_end(job, m);
    if (m->type == WIRE_DONE)
        return pipe_is_settled(job);
    return m->type == WIRE_RECEIPT && on_receipt(job, m);
}

static bool pipe_on_stream(void *job, const struct stt_stream_event *event)
{
    struct pipe *x = job;
    if (event->what & (STT_STREAM_RESET | STT_STREAM_STOPPED))
        return false;
    for (uint32_t i = 0; i < x->give.n_open; i++)
        if (x->give.streams[i] == event->stream) { /* its other direction, which is empty */
            (void)stt_stream_consume(x->peer->ep, x->peer->loop->now, event->stream, 0);
            return true;
        }
    return lanes_take(&x->take, event);
}

/* -- giving ------------------------------------------------------------------------------------ */

static void say_end(struct pipe *x)
{
    struct wire_message m = {.type = WIRE_END, .bytes = x->input.bytes};
    m.hash = hash_value(x->input.hash);
    lanes_finish(&x->give);
    peer_send(x->peer, &m);
    x->has_said_end = true;
}

/* Somebody at a terminal, or whom nobody listens to, has said all when the other side has; but not
 * while there is something to read that had to wait. */
static bool is_done_waiting(const struct pipe *x)
{
    bool may_be_read = x->input.port.ready & POLLIN;
    bool nobody_takes = x->peer->has_hello && !(x->peer->hello.flags & WIRE_TAKES);
    bool other_is_silent = x->peer->has_hello && !(x->peer->hello.flags & WIRE_GIVES);
    bool other_has_ended = x->peer->takes ? x->has_given_receipt : x->has_end;
    if (x->has_command || may_be_read || !(x->input.is_terminal || nobody_takes))
        return false;
    return other_has_ended || (nobody_takes && other_is_silent);
}

static bool give(struct pipe *x)
{
    enum flow flow = FLOW_MOVED;
    uint64_t before = x->input.bytes;
    if (x->has_said_end)
        return false;
    if (!lanes_open(&x->give))
        return false;
    while (lanes_are_open(&x->give) && flow == FLOW_MOVED && x->input.bytes - before < TURN_BYTES)
        flow = input_move(&x->input, x->peer, x->give.streams[0], TURN_BYTES);
    if (flow == FLOW_FAILED)
        peer_fail(x->peer, EXIT_LOCAL_IO, CODE_INPUT, "the input could not be read: %s",
                  strerror(errno));
    bool is_over = flow == FLOW_ENDED || (flow == FLOW_WAITS && is_done_waiting(x));
    if (is_over && command_has_ended(x))
        say_end(x);
    return x->input.bytes != before || x->has_said_end;
}

/* -- taking ------------------------------------------------------------------------------------ */

static void cannot_write(struct pipe *x)
{
    if (errno != EPIPE)
        peer_fail(x->peer, EXIT_LOCAL_IO, CODE_OUTPUT, "the output could not be written: %s",
                  strerror(errno));
    else if (x->has_command)
        x->is_deaf = true;
    else
        cat_reader_is_gone(x->peer);
}

static bool take(struct pipe *x)
{
    uint64_t before = x->output.bytes;
    enum flow flow = FLOW_MOVED;
    if (x->has_read || x->is_deaf || !lanes_are_open(&x->take) || !x->peer->takes)
        return false;
    while (flow == FLOW_MOVED && x->output.bytes - before < TURN_BYTES)
        flow = output_move(&x->output, x->peer, x->take.streams[0], TURN_BYTES);
    x->has_read = flow == FLOW_ENDED;
    if (flow == FLOW_FAILED)
        cannot_write(x);
    return x->output.bytes != before || x->has_read;
}

/* Everything was written: closes what it was written to, and compares. */
static void complete(struct pipe *x)
{
    x->has_all = true;
    if (!agrees(&x->end, x->output.bytes, x->output.hash))
        peer_fail(x->peer, EXIT_INTEGRITY, CODE_INTEGRITY,
                  "what has arrived is not what was sent: count or hash differ");
    else if (x->has_command && !command_watch_input(&x->command, x->output.given_fd))
        cannot_write(x);
    else if (!output_close(&x->output))
        cannot_write(x);
}

static bool give_receipt(struct pipe *x)
{
    struct wire_message m = {.type = WIRE_RECEIPT, .bytes = x->output.bytes};
    if (x->has_given_receipt || !x->has_end || !x->peer->takes)
        return false;
    if (!x->has_all && x->has_read)
        complete(x);
    if (!x->has_all || !command_has_ended(x) || x->is_deaf || (x->has_command && x->command.status))
        return false;
    m.hash = hash_value(x->output.hash);
    peer_send(x->peer, &m);
    peer_agreed(x->peer, false, &m.hash);
    x->has_given_receipt = true;
    return true;
}

/* What does not fit, as soon as it is seen. */
static void look_at_wishes(struct pipe *x)
{
    struct peer *p = x->peer;
    struct stt_part part;
    if (!p->takes && lanes_are_open(&x->take) &&
        stt_stream_peek(p->ep, x->take.streams[0], &part, 1) > 0)
        peer_fail(p, EXIT_REFUSED, CODE_REFUSED,
                  "the other side sends, and this one takes nothing");
    if (x->input.bytes > 0 && p->has_hello && !(p->hello.flags & WIRE_TAKES))
        peer_fail(p, EXIT_REFUSED, CODE_REFUSED,
                  "this side has bytes, and the other one takes none");
    if (p->has_hello && !(p->hello.flags & WIRE_GIVES) && !x->has_all) {
        x->has_all = true; /* a command should know that nothing comes */
        (void)output_close(&x->output);
    }
}

static bool pipe_turn(void *job)
{
    struct pipe *x = job;
    look_at_wishes(x);
    bool took = take(x), receipted = give_receipt(x), gave = give(x);
    look_at_command(x);
    return took || receipted || gave;
}

const struct job pipe_job = {
    .begin = pipe_begin,
    .end = pipe_end,
    .on_message = pipe_on_message,
    .on_stream = pipe_on_stream,
    .turn = pipe_turn,
    .is_settled = pipe_is_settled,
};
