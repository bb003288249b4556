/* SPDX-License-Identifier: MIT
 * reading: every byte that comes in is compared with what the peer's host has written at that place
 * of that stream, by each of the ways to read. */
#include "tools/sttbench/chaos/flow.h"
#include "tools/sttbench/chaos/host.h"
#include "tools/sttbench/chaos/pattern.h"
#include "tools/sttbench/chaos/talk.h"

enum { ROOM = 8192, PARTS = 4, MESSAGE_PARTS = 6 };

#define FAIL(f, ...) chaos_fail((f)->talk->host->chaos, __VA_ARGS__)
#define NAME(f)      (f)->talk->host->number, (unsigned long long)(f)->id

/* -- bytes --------------------------------------------------------------------------------- */

/* False: they are not what was written. */
static bool compare(struct flow *f, const uint8_t *data, size_t len)
{
    const struct flow *from = flow_other(f);
    if (!len)
        return true;
    if (!from || f->read + len > from->wire)
        FAIL(f, "host %u reads stream %llu up to %llu, which was never written", NAME(f),
             (unsigned long long)(f->read + len));
    else if (!pattern_agrees(data, len, flow_key(from), f->read))
        FAIL(f, "host %u reads wrong bytes on stream %llu from %llu on", NAME(f),
             (unsigned long long)f->read);
    else
        return true;
    return false;
}

static void on_read(struct flow *f, size_t len)
{
    f->read += len;
    f->talk->host->chaos->tally.bytes += len;
}

static size_t read_copy(struct flow *f, size_t most)
{
    static uint8_t data[ROOM];
    size_t len;
    int error = stt_stream_read(f->talk->host->ep, host_now(f->talk->host), f->stream, data,
                                most < ROOM ? most : ROOM, &len);
    if (error)
        flow_on_error(f, "stt_stream_read", error);
    if (error || !compare(f, data, len))
        return 0;
    on_read(f, len);
    return len;
}

/* Looks at more than it takes. */
static size_t read_in_place(struct flow *f, size_t most)
{
    struct stt_part parts[PARTS];
    size_t n = stt_stream_peek(f->talk->host->ep, f->stream, parts, PARTS), taken = 0;
    for (size_t i = 0; i < n && taken < most; i++) {
        size_t len = parts[i].len < most - taken ? parts[i].len : most - taken;
        if (!compare(f, parts[i].data, len))
            return 0;
        on_read(f, len);
        taken += len;
    }
    int error = stt_stream_consume(f->talk->host->ep, host_now(f->talk->host), f->stream, taken);
    if (error)
        flow_on_error(f, "stt_stream_consume", error);
    return taken;
}

/* -- messages ------------------------------------------------------------------------------ */

/* A piece of the message at hand. */
static bool take_part(struct flow *f, const uint8_t *data, size_t len, bool is_last)
{
    const struct flow *from = flow_other(f);
    if (!from || f->message >= from->written) {
        FAIL(f, "host %u reads message %llu of stream %llu, which was never written",
             f->talk->host->number, (unsigned long long)f->message, (unsigned long long)f->id);
        return false;
    }
    const struct flow_message *m = &from->messages[f->message];
    uint64_t key = flow_message_key(from, f->message), end = f->partial + len;
    if (end > m->len || is_last != (end == m->len) || !pattern_agrees(data, len, key, f->partial)) {
        FAIL(f, "host %u reads a wrong message %llu of stream %llu: %llu of %llu bytes%s",
             f->talk->host->number, (unsigned long long)f->message, (unsigned long long)f->id,
             (unsigned long long)end, (unsigned long long)m->len, is_last ? ", the last ones" : "");
        return false;
    }
    f->partial = end;
    f->talk->host->chaos->tally.bytes += len;
    if (!is_last)
        return true;
    f->read = m->end;
    f->message++;
    f->partial = 0;
    f->talk->host->chaos->tally.messages++;
    return true;
}

/* So many bytes were given up: whole messages that had a deadline, or the rest of one. */
static bool take_skipped(struct flow *f, uint64_t len, bool is_cut)
{
    const struct flow *from = flow_other(f);
    const struct flow_message *m = from ? from->messages : NULL;
    if (!m || f->message >= from->written || is_cut != (f->partial > 0)) {
        FAIL(f, "host %u hears of %llu bytes that nobody gave up on stream %llu",
             f->talk->host->number, (unsigned long long)len, (unsigned long long)f->id);
        return false;
    }
    uint64_t head = m[f->message].end - m[f->message].begin - m[f->message].len;
    uint64_t end = m[f->message].begin + (f->partial ? head + f->partial : 0) + len;
    bool may = true;
    for (; f->message < from->written && m[f->message].end <= end; f->message++) {
        may = may && m[f->message].has_deadline;
        f->read = m[f->message].end;
        f->talk->host->chaos->tally.skipped++;
    }
    f->partial = 0;
    if (f->read != end || !may)
        FAIL(f, "host %u: of stream %llu %s was skipped up to %llu", NAME(f),
             may ? "part of a message" : "a message without deadline", (unsigned long long)end);
    return f->read == end && may;
}

/* One call; false: there is nothing. */
static bool read_message(struct flow *f)
{
    static uint8_t data[ROOM];
    struct host *h = f->talk->host;
    struct stt_message_read m;
    size_t room = chaos_chance(h->chaos, 80) ? ROOM : dice_between(&h->chaos->rng, 1, 200);
    int error = stt_stream_read_message(h->ep, host_now(h), f->stream, data, room, &m);
    if (error && error != STT_E_AGAIN)
        flow_on_error(f, "stt_stream_read_message", error);
    if (error)
        return false;
    return m.skipped ? take_skipped(f, m.skipped, m.is_cut) : take_part(f, data, m.len, m.is_whole);
}

static bool read_messages_in_place(struct flow *f)
{
    struct host *h = f->talk->host;
    struct stt_message_part parts[MESSAGE_PARTS];
    size_t n = stt_stream_peek_messages(h->ep, f->stream, parts, MESSAGE_PARTS);
    if (!n)
        return read_message(f); /* perhaps this is the end */
    n = dice_between(&h->chaos->rng, 1, n);
    for (size_t i = 0; i < n; i++) {
        const struct stt_message_part *p = &parts[i];
        bool ok = p->skipped ? take_skipped(f, p->skipped, p->is_cut)
                             : p->is_first == (f->partial == 0) &&
                                   take_part(f, p->data, p->len, p->is_last);
        chaos_require(h->chaos, ok, "host %u peeks a wrong part of a message on stream %llu",
                      NAME(f));
        if (!ok)
            return false;
    }
    int error = stt_stream_consume_messages(h->ep, host_now(h), f->stream, n);
    if (error)
        flow_on_error(f, "stt_stream_consume_messages", error);
    return !error;
}

/* -- both ---------------------------------------------------------------------------------- */

/* The end is only where the writer has put it. */
static void look_for_end(struct flow *f)
{
    struct stt_stream_info info;
    if (stt_stream_info(f->talk->host->ep, f->stream, &info) != STT_OK || !info.is_read_to_end ||
        f->is_read_out)
        return;
    const struct flow *from = flow_other(f);
    f->is_read_out = true;
    chaos_tell(f->talk->host->chaos, "host %u has read stream %llu to its end at %llu", NAME(f),
               (unsigned long long)f->read);
    if (!from || !from->is_finished || f->read != from->wire)
        FAIL(f, "host %u is at the end of stream %llu at %llu; the peer %s at %llu", NAME(f),
             (unsigned long long)f->read, from && from->is_finished ? "finished" : "is",
             from ? (unsigned long long)from->wire : 0);
}

void flow_read(struct flow *f, uint64_t most)
{
    struct host *h = f->talk->host;
    bool in_place = chaos_chance(h->chaos, 30);
    uint64_t before = f->read;
    if (f->is_over || f->is_stopped || (f->heard & STT_STREAM_RESET))
        return;
    for (bool more = true; more && f->read - before < most && !chaos_has_failed(h->chaos);) {
        uint64_t left = most - (f->read - before);
        size_t wanted = left < ROOM ? (size_t)left : ROOM;
        if (f->is_messages)
            more = in_place ? read_messages_in_place(f) : read_message(f);
        else if (in_place)
            more = read_in_place(f, wanted) || read_copy(f, wanted);
        else
            more = read_copy(f, wanted);
    }
    look_for_end(f);
    chaos_note(h->chaos, f->id << 32 ^ f->read);
}
