/* SPDX-License-Identifier: MIT */
#include "tests/support/ledger.h"

#include "stt/base/bytes.h"
#include "stt/wire/varint.h"
#include "tests/support/fuzz.h"
#include "tests/support/rng.h"

#include <string.h>

/* -- bytes ------------------------------------------------------------------------------------- */

/* They repeat after a prime, so that what is shifted by a chunk, a window or a packet differs. */
enum { PERIOD = 8191 };

static const uint8_t *pattern(void)
{
    static uint8_t bytes[PERIOD];
    static bool is_made;
    struct rng r = rng_init(1);
    if (!is_made)
        rng_fill(&r, bytes, sizeof bytes);
    is_made = true;
    return bytes;
}

/* How many bytes from this offset on lie together, and where. */
static struct bytes run_at(const struct ledger_stream *t, unsigned s, uint64_t offset, size_t len)
{
    size_t place = (size_t)((offset + t->id * 977 + s * 4099) % PERIOD), here = PERIOD - place;
    return bytes_of(pattern() + place, here < len ? here : len);
}

void ledger_fill(const struct ledger_stream *t, unsigned s, uint64_t offset, uint8_t *out,
                 size_t len)
{
    for (size_t done = 0; done < len;) {
        struct bytes run = run_at(t, s, offset + done, len - done);
        memcpy(out + done, run.data, run.len);
        done += run.len;
    }
}

static void check_bytes(const struct ledger_stream *t, unsigned s, uint64_t offset,
                        struct bytes data)
{
    for (size_t done = 0; done < data.len;) {
        struct bytes run = run_at(t, s, offset + done, data.len - done);
        FUZZ_ASSERT(memcmp(data.data + done, run.data, run.len) == 0);
        done += run.len;
    }
}

/* -- streams ----------------------------------------------------------------------------------- */

void ledger_init(struct ledger *l)
{
    memset(l, 0, sizeof *l);
    l->is_open = true;
}

void ledger_end(struct ledger *l)
{
    for (size_t i = 0; i < l->n; i++)
        for (unsigned s = 0; s < 2; s++)
            free(l->streams[i].half[s].messages);
}

struct ledger_stream *ledger_open(struct ledger *l, unsigned s, uint64_t id, stt_handle handle)
{
    FUZZ_ASSERT(l->n < LEDGER_STREAMS_MAX && !ledger_by_id(l, id));
    struct ledger_stream *t = &l->streams[l->n++];
    *t = (struct ledger_stream){.id = id, .has_messages = id & 2, .opener = (uint8_t)s};
    t->handle[s] = handle;
    return t;
}

struct ledger_stream *ledger_by_handle(struct ledger *l, unsigned s, stt_handle handle)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->streams[i].handle[s] == handle)
            return &l->streams[i];
    return NULL;
}

struct ledger_stream *ledger_by_id(struct ledger *l, uint64_t id)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->streams[i].id == id)
            return &l->streams[i];
    return NULL;
}

void ledger_on_written(struct ledger_stream *t, unsigned s, size_t len)
{
    FUZZ_ASSERT(!t->half[s].is_finished && !t->half[s].is_reset);
    t->half[s].written += len;
}

size_t ledger_head(size_t len)
{
    return stt_varint_size(len);
}

void ledger_on_message_written(struct ledger_stream *t, unsigned s, size_t len, bool has_deadline)
{
    struct ledger_half *h = &t->half[s];
    size_t head = ledger_head(len);
    if (!(h->n_messages & (h->n_messages - 1))) {
        size_t room = h->n_messages ? 2 * h->n_messages : 1;
        h->messages = realloc(h->messages, room * sizeof *h->messages);
        FUZZ_ASSERT(h->messages);
    }
    h->messages[h->n_messages++] =
        (struct ledger_message){h->written, h->written + head + len, (uint8_t)head, has_deadline};
    ledger_on_written(t, s, head + len);
}

/* -- reading ----------------------------------------------------------------------------------- */

/* Once the reader has heard of the end, there is nothing more. */
static void check_may_read(const struct ledger_half *h)
{
    FUZZ_ASSERT(!h->is_stopped && !h->is_read_to_end && !(h->told_reader & STT_STREAM_RESET));
}

void ledger_on_peeked(const struct ledger_stream *t, unsigned s, uint64_t ahead,
                      const uint8_t *data, size_t len)
{
    const struct ledger_half *h = &t->half[!s];
    check_may_read(h);
    FUZZ_ASSERT(len && h->read + ahead + len <= h->written);
    check_bytes(t, !s, h->read + ahead, bytes_of(data, len));
}

void ledger_on_read(struct ledger_stream *t, unsigned s, const uint8_t *data, size_t len)
{
    if (!len)
        return;
    ledger_on_peeked(t, s, 0, data, len);
    t->half[!s].read += len;
}

/* Everything up to a border between messages that had deadlines. */
static void skip(struct ledger_half *h, const struct ledger_part *part)
{
    uint64_t to = h->read + part->skipped;
    FUZZ_ASSERT(part->is_cut == (h->read > h->messages[h->next].from));
    for (; h->next < h->n_messages && h->messages[h->next].to <= to; h->next++)
        FUZZ_ASSERT(h->messages[h->next].may_be_skipped);
    FUZZ_ASSERT(h->next && to == h->messages[h->next - 1].to);
    h->read = to;
}

bool ledger_on_message_read(struct ledger_stream *t, unsigned s, const struct ledger_part *part)
{
    struct ledger_half *h = &t->half[!s];
    check_may_read(h);
    FUZZ_ASSERT(h->next < h->n_messages);
    if (part->skipped) {
        skip(h, part);
        return false;
    }
    const struct ledger_message *m = &h->messages[h->next];
    bool is_first = h->read == m->from;
    if (is_first)
        h->read += m->head;
    FUZZ_ASSERT(h->read + part->len <= m->to);
    FUZZ_ASSERT(part->is_last == (h->read + part->len == m->to));
    check_bytes(t, !s, h->read, bytes_of(part->data, part->len));
    h->read += part->len;
    h->next += part->is_last;
    return is_first;
}

void ledger_on_read_to_end(struct ledger_stream *t, unsigned s)
{
    struct ledger_half *h = &t->half[!s];
    h->is_read_to_end = true;
    FUZZ_ASSERT(h->is_finished && h->read == h->written);
}

/* -- events ------------------------------------------------------------------------------------ */

static bool has_ended_for_writer(const struct ledger_half *h)
{
    return h->told_writer & (STT_STREAM_FINISHED | STT_STREAM_STOPPED) || h->is_reset;
}

static bool has_ended_for_reader(const struct ledger_half *h)
{
    return h->is_read_to_end || h->is_stopped || h->told_reader & STT_STREAM_RESET;
}

static void on_reset(struct ledger_stream *t, unsigned s, uint64_t code)
{
    struct ledger_half *theirs = &t->half[!s];
    if (theirs->is_reset && code == theirs->reset_code)
        return;
    FUZZ_ASSERT(theirs->is_stopped && code == theirs->stop_code); /* the answer to a STOP */
}

static void check_event(struct ledger *l, unsigned s, struct ledger_stream *t,
                        const struct stt_stream_event *e)
{
    struct ledger_half *ours = &t->half[s], *theirs = &t->half[!s];
    const uint32_t once = STT_STREAM_OPENED | STT_STREAM_FINISHED | STT_STREAM_RESET |
                          STT_STREAM_STOPPED | STT_STREAM_ENDED;
    FUZZ_ASSERT(!((ours->told_writer | theirs->told_reader) & e->what & once));
    FUZZ_ASSERT(!(e->what & STT_STREAM_OPENED) == (t->handle[s] != 0));
    ours->told_writer |= e->what & (STT_STREAM_FINISHED | STT_STREAM_STOPPED);
    theirs->told_reader |= e->what & (STT_STREAM_OPENED | STT_STREAM_RESET | STT_STREAM_ENDED);
    FUZZ_ASSERT(!(e->what & STT_STREAM_FINISHED) || (ours->is_finished && !ours->is_reset));
    if (e->what & STT_STREAM_RESET)
        on_reset(t, s, e->reset_code);
    if (e->what & STT_STREAM_STOPPED)
        FUZZ_ASSERT(ours->is_stopped && e->stop_code == ours->stop_code);
    if (e->what & STT_STREAM_ENDED)
        FUZZ_ASSERT(has_ended_for_writer(ours) && has_ended_for_reader(theirs));
    (void)l;
}

void ledger_on_event(struct ledger *l, unsigned s, struct ledger_stream *t,
                     const struct stt_stream_event *e)
{
    FUZZ_ASSERT(!t->is_stale[s]);
    check_event(l, s, t, e);
    t->handle[s] = e->stream;
    t->is_stale[s] = e->what & STT_STREAM_ENDED;
}

void ledger_check_ended(const struct ledger_stream *t)
{
    FUZZ_ASSERT(t->is_stale[0] && t->is_stale[1]);
    for (unsigned s = 0; s < 2; s++) {
        const struct ledger_half *h = &t->half[s];
        bool is_abandoned = h->is_reset || h->is_stopped;
        FUZZ_ASSERT(is_abandoned || (h->is_finished && h->is_read_to_end));
        FUZZ_ASSERT(is_abandoned || h->told_writer & STT_STREAM_FINISHED);
        FUZZ_ASSERT(!(h->told_reader & STT_STREAM_RESET) || is_abandoned);
    }
}

/* -- datagrams --------------------------------------------------------------------------------- */

enum { RECEIVED = 1, ACKED = 2, LOST = 4, HEAD_BYTES = 5 };

static void fill_datagram(unsigned s, uint64_t number, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(number * 7 + i * 3 + s);
    if (len < HEAD_BYTES)
        memset(out, (int)(0xa0 + s), len); /* too short to tell its number */
    else
        be32_store(out, (uint32_t)number);
}

uint64_t ledger_datagram(const struct ledger *l, unsigned s, uint8_t *out, size_t len)
{
    fill_datagram(s, l->datagrams[s].sent, out, len);
    return l->datagrams[s].sent;
}

void ledger_on_datagram_sent(struct ledger *l, unsigned s, uint64_t number, size_t len)
{
    struct ledger_datagrams *d = &l->datagrams[s];
    FUZZ_ASSERT(number == d->sent && number < LEDGER_DATAGRAMS_MAX);
    d->len[d->sent++] = (uint16_t)len;
    if (len < HEAD_BYTES)
        d->short_sent[len]++;
}

void ledger_on_datagram_read(struct ledger *l, unsigned s, const uint8_t *data, size_t len)
{
    static uint8_t expected[1 << 16];
    struct ledger_datagrams *d = &l->datagrams[!s];
    if (len < HEAD_BYTES) {
        FUZZ_ASSERT(++d->short_received[len] <= d->short_sent[len]);
        fill_datagram(!s, 0, expected, len);
    } else {
        uint64_t number = be32_load(data);
        FUZZ_ASSERT(number < d->sent && d->len[number] == len && !(d->heard[number] & RECEIVED));
        d->heard[number] |= RECEIVED;
        fill_datagram(!s, number, expected, len);
    }
    FUZZ_ASSERT(memcmp(data, expected, len) == 0);
}

void ledger_on_fate(struct ledger *l, unsigned s, const struct stt_datagram_fate *fate)
{
    struct ledger_datagrams *d = &l->datagrams[s];
    FUZZ_ASSERT(fate->number < d->sent);
    FUZZ_ASSERT(!(d->heard[fate->number] & ACKED)); /* what has arrived is not lost later */
    FUZZ_ASSERT(fate->is_acked || !(d->heard[fate->number] & LOST));
    d->heard[fate->number] |= fate->is_acked ? ACKED : LOST;
}
