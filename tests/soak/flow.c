/* SPDX-License-Identifier: MIT
 * flow: the life of a stream: what its two hosts write, and what they hear and read of it. */
#include "tests/soak/talk.h"
#include "tools/sttbench/chaos/pattern.h"

#include <assert.h>
#include <stdlib.h>

enum { PIECE_BYTES = 16384 };

#define EP(f, side)   (f)->talk->host[side]->ep
#define NOW(f)        soak_now((f)->talk->soak)
#define NAME(f, side) (f)->talk->host[side]->number, (unsigned long long)(f)->id

/* -- birth and death ----------------------------------------------------------------------- */

static void plan_half(struct half *h, uint64_t key, uint64_t to_write)
{
    *h = (struct half){
        .key = key, .to_write = to_write, .reset_at = UINT64_MAX, .stop_at = UINT64_MAX};
}

static void wake_reader(void *ctx, struct stt_sim *sim)
{
    struct flow *f = ctx;
    unsigned reader = f->half[SOAK_CLIENT].read_from ? SOAK_SERVER : SOAK_CLIENT;
    (void)sim;
    f->half[!reader].read_from = 0;
    flow_read(f, reader);
    talk_touch(f->talk, reader);
}

static void write_on(struct flow *f, unsigned side);

static struct flow *flow_new(struct talk *t, const struct flow_plan *plan)
{
    struct flow *f = calloc(1, sizeof *f);
    unsigned opener = plan->by_server ? SOAK_SERVER : SOAK_CLIENT;
    assert(f);
    f->talk = t;
    f->next = t->flows;
    f->has_messages = plan->has_messages;
    f->stays = plan->stays;
    t->flows = f;
    t->n_flows++;
    for (unsigned side = 0; side < SOAK_SIDES; side++)
        plan_half(&f->half[side], pattern_mix(pattern_mix(t->tag, t->n_opened), side),
                  plan->to_write[side]);
    t->n_opened++;
    if (plan->resets)
        f->half[opener].reset_at = plan->to_write[opener] / 2;
    if (plan->stops)
        f->half[opener].stop_at = plan->to_write[opener] / 2;
    if (plan->sleeps_ns) {
        f->half[opener].read_from = NOW(f) + plan->sleeps_ns;
        stt_sim_at(t->soak->sim, f->half[opener].read_from, wake_reader, f);
    }
    return f;
}

struct flow *flow_open(struct talk *t, const struct flow_plan *plan)
{
    unsigned opener = plan->by_server ? SOAK_SERVER : SOAK_CLIENT;
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    struct stt_stream_info info;
    stt_handle handle;
    o.messages = plan->has_messages;
    o.urgency = plan->urgency;
    int error =
        stt_stream_open(t->host[opener]->ep, soak_now(t->soak), t->session[opener], &o, &handle);
    if (!error)
        error = stt_stream_info(t->host[opener]->ep, handle, &info);
    soak_require(t->soak, !error, "host %u: stt_stream_open: %s", t->host[opener]->number,
                 stt_error_text(error));
    if (error)
        return NULL;
    struct flow *f = flow_new(t, plan);
    f->id = info.id;
    f->handle[opener] = handle;
    t->soak->tally.streams += !plan->stays;
    write_on(f, opener);
    talk_touch(t, opener);
    return f;
}

void flow_accept(struct flow *f, unsigned side, stt_handle handle)
{
    f->handle[side] = handle;
    write_on(f, side);
}

void flow_free(struct flow *f)
{
    for (unsigned side = 0; side < SOAK_SIDES; side++)
        free(f->half[side].messages);
    free(f);
}

/* -- writing ------------------------------------------------------------------------------- */

/* True: it may go on. The peer may have stopped it, of which we have not heard yet. */
static bool judge_write(struct flow *f, unsigned side, const char *call, int error)
{
    if (error && !(error == STT_E_STATE && f->half[side].is_stopped))
        soak_fail(f->talk->soak, "host %u, stream %llu: %s: %s", NAME(f, side), call,
                  stt_error_text(error));
    return !error;
}

void flow_finish(struct flow *f, unsigned side)
{
    struct half *h = &f->half[side];
    if (h->is_finished || h->is_reset || h->told & STT_STREAM_STOPPED || !f->handle[side])
        return;
    h->is_finished = judge_write(f, side, "stt_stream_finish",
                                 stt_stream_finish(EP(f, side), NOW(f), f->handle[side]));
}

static void reset(struct flow *f, unsigned side)
{
    struct half *h = &f->half[side];
    h->code = f->id % 1000;
    h->is_reset = judge_write(f, side, "stt_stream_reset",
                              stt_stream_reset(EP(f, side), NOW(f), f->handle[side], h->code));
    f->talk->soak->tally.resets += h->is_reset;
}

static bool may_write(const struct flow *f, unsigned side)
{
    const struct half *h = &f->half[side];
    return f->handle[side] && !h->is_finished && !h->is_reset && !(h->told & STT_STREAM_STOPPED);
}

/* Until there is no room, or nothing more. */
static void write_on(struct flow *f, unsigned side)
{
    static uint8_t data[PIECE_BYTES];
    struct half *h = &f->half[side];
    size_t written = 0, len = 0;
    while (may_write(f, side) && h->written < h->to_write && written == len) {
        uint64_t left = h->to_write - h->written;
        len = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        pattern_fill(data, len, h->key, h->written);
        if (!judge_write(
                f, side, "stt_stream_write",
                stt_stream_write(EP(f, side), NOW(f), f->handle[side], data, len, &written)))
            return;
        h->written += written;
        if (h->written > h->reset_at)
            reset(f, side);
    }
    if (may_write(f, side) && h->written == h->to_write && !f->stays)
        flow_finish(f, side);
}

void flow_add(struct flow *f, unsigned side, uint64_t bytes)
{
    f->half[side].to_write += bytes;
    write_on(f, side);
    talk_touch(f->talk, side);
}

/* -- messages ------------------------------------------------------------------------------ */

static size_t head_bytes(size_t len)
{
    return len < 64 ? 1 : len < 16384 ? 2 : 4;
}

static void remember(struct half *h, size_t len, bool has_deadline)
{
    if (h->n_messages == h->messages_room) {
        h->messages_room += 64;
        h->messages = realloc(h->messages, h->messages_room * sizeof *h->messages);
        assert(h->messages);
    }
    uint64_t end = h->written + head_bytes(len) + len;
    h->messages[h->n_messages++] =
        (struct message){h->written + head_bytes(len), end, h->n_written++, has_deadline};
    h->written = end;
}

static void forget(struct half *h)
{
    h->n_messages--;
    memmove(h->messages, h->messages + 1, h->n_messages * sizeof *h->messages);
    h->partial = 0;
}

bool flow_say(struct flow *f, unsigned side, size_t len, stt_ns deadline_ns)
{
    static uint8_t data[PIECE_BYTES];
    struct half *h = &f->half[side];
    assert(len <= sizeof data);
    if (!may_write(f, side))
        return false;
    pattern_fill(data, len, pattern_mix(h->key, h->n_written), 0);
    int error =
        stt_stream_write_message(EP(f, side), NOW(f), f->handle[side], data, len, deadline_ns);
    if (error == STT_E_AGAIN || !judge_write(f, side, "stt_stream_write_message", error))
        return false;
    remember(h, len, deadline_ns != 0);
    talk_touch(f->talk, side);
    return true;
}

/* -- reading ------------------------------------------------------------------------------- */

static bool compare(struct flow *f, unsigned side, const uint8_t *data, size_t len)
{
    struct half *h = &f->half[!side];
    bool ok = h->read + len <= h->written && pattern_agrees(data, len, h->key, h->read);
    soak_require(f->talk->soak, ok, "host %u reads wrong bytes on stream %llu from %llu on",
                 NAME(f, side), (unsigned long long)h->read);
    h->read += len;
    f->talk->consumed[side] += len;
    f->talk->soak->tally.bytes += len;
    return ok;
}

static bool read_bytes(struct flow *f, unsigned side)
{
    struct stt_part parts[4];
    size_t n = stt_stream_peek(EP(f, side), f->handle[side], parts, 4), taken = 0;
    for (size_t i = 0; i < n; taken += parts[i++].len)
        if (!compare(f, side, parts[i].data, parts[i].len))
            return false;
    int error = stt_stream_consume(EP(f, side), NOW(f), f->handle[side], taken);
    soak_require(f->talk->soak, !error, "host %u, stream %llu: stt_stream_consume: %s",
                 NAME(f, side), stt_error_text(error));
    return taken;
}

/* A message, or the part of it that is there. */
static bool take_part(struct flow *f, unsigned side, const uint8_t *data,
                      const struct stt_message_read *r)
{
    struct half *h = &f->half[!side];
    const struct message *m = h->messages;
    if (!h->n_messages)
        return false;
    uint64_t len = m->end - m->begin, end = h->partial + r->len;
    if (end > len || r->is_whole != (end == len) ||
        !pattern_agrees(data, r->len, pattern_mix(h->key, m->number), h->partial))
        return false;
    f->talk->consumed[side] += r->len + (h->partial ? 0 : m->begin - h->read);
    h->partial = end;
    h->read = m->begin + end;
    f->talk->soak->tally.messages += r->is_whole;
    if (r->is_whole)
        forget(h);
    return true;
}

/* Whole messages that had a deadline, or the rest of one. */
static bool take_skipped(struct flow *f, unsigned side, const struct stt_message_read *r)
{
    struct half *h = &f->half[!side];
    uint64_t to = h->read + r->skipped;
    bool ok = r->is_cut == (h->partial > 0);
    for (; ok && h->n_messages && h->messages[0].end <= to; forget(h)) {
        ok = h->messages[0].has_deadline;
        h->read = h->messages[0].end;
        f->talk->soak->tally.skipped++;
    }
    return ok && h->read == to;
}

static bool read_message(struct flow *f, unsigned side)
{
    static uint8_t data[PIECE_BYTES];
    struct stt_message_read r;
    int error =
        stt_stream_read_message(EP(f, side), NOW(f), f->handle[side], data, sizeof data, &r);
    if (error == STT_E_AGAIN)
        return false;
    bool ok = !error && (r.skipped ? take_skipped(f, side, &r) : take_part(f, side, data, &r));
    soak_require(f->talk->soak, ok, "host %u reads a wrong message on stream %llu at %llu: %s",
                 NAME(f, side), (unsigned long long)f->half[!side].read, stt_error_text(error));
    return ok;
}

static void look_for_end(struct flow *f, unsigned side)
{
    struct half *h = &f->half[!side];
    struct stt_stream_info info;
    if (stt_stream_info(EP(f, side), f->handle[side], &info) != STT_OK || !info.is_read_to_end)
        return;
    h->is_read_out = true;
    soak_require(f->talk->soak, h->is_finished && h->read == h->written,
                 "host %u is at the end of stream %llu at %llu of %llu", NAME(f, side),
                 (unsigned long long)h->read, (unsigned long long)h->written);
}

static void stop(struct flow *f, unsigned side)
{
    struct half *h = &f->half[!side];
    int error = stt_stream_stop(EP(f, side), NOW(f), f->handle[side], 7);
    soak_require(f->talk->soak, !error, "host %u, stream %llu: stt_stream_stop: %s", NAME(f, side),
                 stt_error_text(error));
    h->is_stopped = true;
    h->code = 7;
    f->talk->soak->tally.stops++;
}

void flow_read(struct flow *f, unsigned side)
{
    struct half *h = &f->half[!side];
    if (!f->handle[side] || f->is_over[side] || h->is_stopped || h->is_read_out ||
        h->reader_heard_reset || h->read_from > NOW(f))
        return;
    while (!f->talk->soak->failure[0] &&
           (f->has_messages ? read_message(f, side) : read_bytes(f, side)))
        ;
    if (!f->talk->soak->failure[0])
        look_for_end(f, side);
    if (!h->is_read_out && h->read > h->stop_at)
        stop(f, side);
}

/* -- events -------------------------------------------------------------------------------- */

static void on_ended(struct flow *f, unsigned side)
{
    const struct half *ours = &f->half[side], *theirs = &f->half[!side];
    bool sent = ours->told & (STT_STREAM_FINISHED | STT_STREAM_STOPPED) || ours->is_reset;
    bool read = theirs->is_read_out || theirs->is_stopped || theirs->reader_heard_reset;
    f->is_over[side] = true;
    soak_require(f->talk->soak, sent && read, "host %u: stream %llu ends before its end was %s",
                 NAME(f, side), sent ? "read" : "acknowledged");
}

void flow_on_event(struct flow *f, unsigned side, const struct stt_stream_event *e)
{
    struct soak *x = f->talk->soak;
    struct half *ours = &f->half[side], *theirs = &f->half[!side];
    soak_note(x, f->id << 8 ^ e->what);
    soak_require(x, !f->is_over[side] && !(ours->told & e->what),
                 "host %u: stream %llu: told twice", NAME(f, side));
    ours->told |= e->what & (STT_STREAM_FINISHED | STT_STREAM_STOPPED);
    if (e->what & STT_STREAM_FINISHED)
        soak_require(x, ours->is_finished, "host %u: stream %llu: finished, and was not",
                     NAME(f, side));
    if (e->what & STT_STREAM_STOPPED)
        soak_require(x, ours->is_stopped && e->stop_code == ours->code,
                     "host %u: stream %llu: stopped, and was not", NAME(f, side));
    if (e->what & STT_STREAM_RESET) {
        theirs->reader_heard_reset = true;
        soak_require(x, (theirs->is_reset || theirs->is_stopped) && e->reset_code == theirs->code,
                     "host %u: stream %llu: reset, and was not", NAME(f, side));
    }
    if (e->what & STT_STREAM_ENDED) {
        on_ended(f, side);
        return;
    }
    if (e->what & STT_STREAM_WRITABLE)
        write_on(f, side);
    if (e->what & STT_STREAM_READABLE)
        flow_read(f, side);
}
