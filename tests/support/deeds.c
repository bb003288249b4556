/* SPDX-License-Identifier: MIT */
#include "tests/support/deeds.h"

#include "stt/session/engine.h"
#include "tests/support/fuzz.h"

enum { BYTES_MAX = 1 << 16, PARTS_MAX = 20 };

static uint8_t buffer[BYTES_MAX];

/* 0 to 64 KiB; small ones exactly. */
static size_t size_of(uint8_t b)
{
    return b < 64 ? b : (size_t)(b - 63) * (b - 63) * 16 / 9;
}

static bool is_checked(const struct turmoil *c)
{
    return !c->has_traitor && !c->is_closed;
}

static struct ledger_stream *pick(struct turmoil *c, unsigned s, uint8_t a)
{
    struct ledger *l = &c->ledger;
    struct ledger_stream *t = l->n ? &l->streams[a % l->n] : NULL;
    return t && t->handle[s] ? t : NULL;
}

/* -- writing ----------------------------------------------------------------------------------- */

static bool open_one(struct turmoil *c, unsigned s, uint8_t b)
{
    struct duo_side *side = turmoil_side(c, s);
    struct stt_stream_options o = STT_STREAM_OPTIONS_INIT;
    struct stt_stream_info info;
    stt_handle handle;
    o.messages = b & 1;
    o.no_delay = b & 2;
    o.urgency = (uint8_t)(b >> 2 & 7);
    if (c->ledger.n == LEDGER_STREAMS_MAX)
        return false;
    int error = stt_stream_open(side->ep, c->duo.now, side->session, &o, &handle);
    FUZZ_ASSERT(!error || error == STT_E_LIMIT || error == STT_E_MEMORY || !is_checked(c));
    if (error)
        return false;
    error = stt_stream_info(side->ep, handle, &info);
    FUZZ_ASSERT(!error && info.is_ours && info.has_messages == o.messages);
    if (!ledger_by_id(&c->ledger, info.id)) /* a traitor may have named it */
        ledger_open(&c->ledger, s, info.id, handle);
    return true;
}

/* One, or many. */
void deed_open(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    for (int n = a < 224 ? 1 : 1 + 3 * (a & 31); n && open_one(c, s, b); n--)
        ;
}

/* Whether this answer to somebody who writes is as it should be; true: it was taken. */
static bool took(struct turmoil *c, const struct ledger_stream *t, unsigned s, int error)
{
    const struct ledger_half *h = &t->half[s];
    if (!is_checked(c))
        return !error;
    FUZZ_ASSERT(t->is_stale[s] == (error == STT_E_STALE));
    FUZZ_ASSERT(error != STT_E_STATE || h->is_finished || h->is_reset || h->is_stopped);
    FUZZ_ASSERT(error || !(h->is_finished || h->is_reset));
    return !error;
}

static bool write_bytes(struct turmoil *c, unsigned s, struct ledger_stream *t, size_t len)
{
    size_t written;
    ledger_fill(t, s, t->half[s].written, buffer, len);
    int error =
        stt_stream_write(turmoil_side(c, s)->ep, c->duo.now, t->handle[s], buffer, len, &written);
    if (!took(c, t, s, error))
        return false;
    FUZZ_ASSERT(written <= len);
    if (is_checked(c))
        ledger_on_written(t, s, written);
    return written == len;
}

static bool write_message(struct turmoil *c, unsigned s, struct ledger_stream *t, size_t len,
                          stt_ns deadline_ns)
{
    struct stt_endpoint *ep = turmoil_side(c, s)->ep;
    size_t written;
    ledger_fill(t, s, t->half[s].written + ledger_head(len), buffer, len);
    int error =
        deadline_ns || len & 1
            ? stt_stream_write_message(ep, c->duo.now, t->handle[s], buffer, len, deadline_ns)
            : stt_stream_write(ep, c->duo.now, t->handle[s], buffer, len, &written);
    if (!took(c, t, s, error))
        return false;
    if (is_checked(c))
        ledger_on_message_written(t, s, len, deadline_ns);
    return true;
}

void deed_write(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    struct ledger_stream *t = pick(c, s, a);
    if (!t)
        return;
    if (t->has_messages)
        write_message(c, s, t, size_of(b), 0);
    else
        write_bytes(c, s, t, size_of(b));
}

void deed_write_late(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    static const stt_ns deadlines[] = {STT_MS(1), STT_MS(10), STT_MS(80), STT_S(1)};
    struct ledger_stream *t = pick(c, s, a >> 2);
    if (t && t->has_messages)
        write_message(c, s, t, size_of(b), deadlines[a & 3]);
}

void deed_reserve(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    struct ledger_stream *t = pick(c, s, a);
    struct stt_endpoint *ep = turmoil_side(c, s)->ep;
    size_t room, len = size_of(b);
    void *to;
    if (!t || t->has_messages)
        return;
    int error = stt_stream_reserve(ep, t->handle[s], &to, &room);
    if (!took(c, t, s, error))
        return;
    FUZZ_ASSERT(room);
    len = len < room ? len : room;
    ledger_fill(t, s, t->half[s].written, to, len);
    error = stt_stream_commit(ep, c->duo.now, t->handle[s], len);
    FUZZ_ASSERT(!error);
    if (is_checked(c))
        ledger_on_written(t, s, len);
}

/* -- ends -------------------------------------------------------------------------------------- */

static void finish(struct turmoil *c, unsigned s, struct ledger_stream *t)
{
    int error = stt_stream_finish(turmoil_side(c, s)->ep, c->duo.now, t->handle[s]);
    if (took(c, t, s, error))
        t->half[s].is_finished = true;
}

void deed_finish(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    struct ledger_stream *t = pick(c, s, a);
    if (!t)
        return;
    if (b < 96)
        finish(c, s, t);
    else if (b < 192)
        FUZZ_ASSERT(stt_stream_flush(turmoil_side(c, s)->ep, c->duo.now, t->handle[s]) == STT_OK ||
                    t->is_stale[s] || !is_checked(c));
    else
        FUZZ_ASSERT(stt_stream_set_urgency(turmoil_side(c, s)->ep, t->handle[s], b % 8) == STT_OK ||
                    t->is_stale[s] || !is_checked(c));
}

static void reset(struct turmoil *c, unsigned s, struct ledger_stream *t, uint64_t code)
{
    struct ledger_half *h = &t->half[s];
    int error = stt_stream_reset(turmoil_side(c, s)->ep, c->duo.now, t->handle[s], code);
    FUZZ_ASSERT(!error || t->is_stale[s] || h->is_reset || h->is_stopped || h->is_finished ||
                !is_checked(c));
    if (error)
        return;
    h->is_reset = true;
    h->reset_code = code;
}

static void stop(struct turmoil *c, unsigned s, struct ledger_stream *t, uint64_t code)
{
    struct ledger_half *h = &t->half[!s];
    int error = stt_stream_stop(turmoil_side(c, s)->ep, c->duo.now, t->handle[s], code);
    FUZZ_ASSERT(!error || t->is_stale[s] || h->is_stopped || h->is_read_to_end || h->is_reset ||
                !is_checked(c));
    if (error)
        return;
    h->is_stopped = true;
    h->stop_code = code;
}

static void end_one(struct turmoil *c, unsigned s, struct ledger_stream *t, uint8_t b)
{
    if (b < 64)
        reset(c, s, t, 1000u + b);
    else if (b < 128)
        stop(c, s, t, 2000u + b);
    else
        finish(c, s, t);
}

/* One, or all of them. */
void deed_end(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    struct ledger_stream *t = pick(c, s, a);
    if (t)
        end_one(c, s, t, b);
    for (size_t i = 0; a == 255 && i < c->ledger.n; i++)
        if (c->ledger.streams[i].handle[s])
            end_one(c, s, &c->ledger.streams[i], b);
}

/* -- reading ----------------------------------------------------------------------------------- */

static void look_for_end(struct turmoil *c, unsigned s, struct ledger_stream *t)
{
    struct stt_stream_info info;
    if (!is_checked(c) || stt_stream_info(turmoil_side(c, s)->ep, t->handle[s], &info) != STT_OK)
        return;
    if (info.is_read_to_end && !t->half[!s].is_read_to_end)
        ledger_on_read_to_end(t, s);
    FUZZ_ASSERT(info.bytes_received <= t->half[!s].written);
}

/* True: there may be more. */
static bool read_bytes(struct turmoil *c, unsigned s, struct ledger_stream *t, size_t room)
{
    size_t len = 0;
    int error =
        stt_stream_read(turmoil_side(c, s)->ep, c->duo.now, t->handle[s], buffer, room, &len);
    FUZZ_ASSERT(error == (t->is_stale[s] ? STT_E_STALE : STT_OK) || !is_checked(c));
    if (is_checked(c))
        ledger_on_read(t, s, buffer, len);
    look_for_end(c, s, t);
    return len;
}

static bool read_message(struct turmoil *c, unsigned s, struct ledger_stream *t, size_t room)
{
    struct stt_message_read m;
    int error =
        stt_stream_read_message(turmoil_side(c, s)->ep, c->duo.now, t->handle[s], buffer, room, &m);
    FUZZ_ASSERT(!error || error == (t->is_stale[s] ? STT_E_STALE : STT_E_AGAIN) || !is_checked(c));
    FUZZ_ASSERT(m.len <= room && (error || m.len || m.is_whole || m.skipped));
    if (!error && is_checked(c))
        ledger_on_message_read(t, s,
                               &(struct ledger_part){.data = buffer,
                                                     .len = m.len,
                                                     .is_last = m.is_whole,
                                                     .skipped = m.skipped,
                                                     .is_cut = m.is_cut});
    look_for_end(c, s, t);
    return !error;
}

static bool read_some(struct turmoil *c, unsigned s, struct ledger_stream *t, size_t room)
{
    return (t->has_messages ? read_message : read_bytes)(c, s, t, room);
}

void deed_read(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    struct ledger_stream *t = pick(c, s, a);
    if (t)
        read_some(c, s, t, size_of(b));
}

void deed_peek(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    struct ledger_stream *t = pick(c, s, a);
    struct stt_endpoint *ep = turmoil_side(c, s)->ep;
    struct stt_part parts[PARTS_MAX];
    uint64_t here = 0;
    if (!t || t->has_messages)
        return;
    size_t n = stt_stream_peek(ep, t->handle[s], parts, 1 + b % PARTS_MAX);
    for (size_t i = 0; i < n; here += parts[i++].len)
        if (is_checked(c))
            ledger_on_peeked(t, s, here, parts[i].data, parts[i].len);
    uint64_t len = here * b / 255;
    int error = stt_stream_consume(ep, c->duo.now, t->handle[s], (size_t)len);
    FUZZ_ASSERT(!error || t->is_stale[s] || !is_checked(c));
    if (!error)
        t->half[!s].read += len;
    look_for_end(c, s, t);
}

static void take_parts(struct turmoil *c, unsigned s, struct ledger_stream *t,
                       const struct stt_message_part *parts, size_t n)
{
    for (size_t i = 0; i < n && is_checked(c); i++) {
        const struct stt_message_part *p = &parts[i];
        FUZZ_ASSERT(!p->data == (p->skipped != 0) && (!p->skipped || i + 1 == n));
        bool is_first = ledger_on_message_read(t, s,
                                               &(struct ledger_part){.data = p->data,
                                                                     .len = p->len,
                                                                     .is_last = p->is_last,
                                                                     .skipped = p->skipped,
                                                                     .is_cut = p->is_cut});
        FUZZ_ASSERT(p->skipped || is_first == p->is_first);
    }
}

void deed_peek_messages(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    struct ledger_stream *t = pick(c, s, a);
    struct stt_endpoint *ep = turmoil_side(c, s)->ep;
    struct stt_message_part parts[PARTS_MAX];
    if (!t || !t->has_messages)
        return;
    size_t n = stt_stream_peek_messages(ep, t->handle[s], parts, 1 + b % PARTS_MAX);
    const struct ledger_half before = t->half[!s];
    take_parts(c, s, t, parts, n);
    t->half[!s] = before;
    n = (n * b + 254) / 255;
    for (size_t i = 0; i < n; i++) /* they are gone when they are consumed */
        FUZZ_ASSERT(!parts[i].skipped || i + 1 == n);
    take_parts(c, s, t, parts, n);
    int error = stt_stream_consume_messages(ep, c->duo.now, t->handle[s], n);
    FUZZ_ASSERT(!error || t->is_stale[s] || !is_checked(c));
    look_for_end(c, s, t);
}

/* -- datagrams --------------------------------------------------------------------------------- */

static bool send_datagram(struct turmoil *c, unsigned s, size_t len)
{
    struct duo_side *side = turmoil_side(c, s);
    size_t max = stt_datagram_bytes_max(side->ep, side->session);
    uint64_t number = 0;
    if (c->ledger.datagrams[s].sent == LEDGER_DATAGRAMS_MAX)
        return false;
    uint64_t expected = ledger_datagram(&c->ledger, s, buffer, len);
    int error = stt_datagram_send(side->ep, c->duo.now, side->session, buffer, len, &number);
    if (!is_checked(c))
        return !error;
    FUZZ_ASSERT(error != STT_E_ARGUMENT || len > max);
    FUZZ_ASSERT(error || (len <= max && number == expected));
    FUZZ_ASSERT(error != STT_E_STATE && error != STT_E_STALE);
    if (!error)
        ledger_on_datagram_sent(&c->ledger, s, number, len);
    return !error;
}

/* One, or more than are kept. */
void deed_send_datagram(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    size_t len = a & 1 ? size_of(b) % 1300 : size_of(b) % 24;
    for (int n = a < 240 ? 1 : 300; n && send_datagram(c, s, len); n--)
        ;
}

static bool read_datagram(struct turmoil *c, unsigned s, size_t room)
{
    struct duo_side *side = turmoil_side(c, s);
    struct stt_part parts[STT_DATAGRAM_PARTS];
    size_t len, n, whole = 0;
    int peeked = stt_datagram_peek(side->ep, side->session, parts, &n);
    for (size_t i = 0; i < n; i++)
        whole += parts[i].len;
    int error = stt_datagram_read(side->ep, side->session, buffer, room, &len);
    if (peeked) {
        FUZZ_ASSERT(error == peeked);
        return false;
    }
    FUZZ_ASSERT(len == whole && error == (len > room ? STT_E_ARGUMENT : STT_OK));
    if (!error && is_checked(c))
        ledger_on_datagram_read(&c->ledger, s, buffer, len);
    return !error;
}

static void hear_fates(struct turmoil *c, unsigned s)
{
    struct duo_side *side = turmoil_side(c, s);
    struct stt_datagram_fate fate;
    while (stt_datagram_fate(side->ep, side->session, &fate) == STT_OK)
        if (is_checked(c))
            ledger_on_fate(&c->ledger, s, &fate);
}

void deed_datagrams(struct turmoil *c, unsigned s, uint8_t a, uint8_t b)
{
    struct duo_side *side = turmoil_side(c, s);
    struct stt_datagram_options o = STT_DATAGRAM_OPTIONS_INIT;
    struct stt_datagram_info info;
    if (b < 64) {
        o.urgency = b % 8;
        o.wants_fates = a & 1;
        (void)!stt_datagram_configure(side->ep, c->duo.now, side->session, &o);
    } else if (b < 128) {
        (void)read_datagram(c, s, size_of(a));
    } else {
        while (read_datagram(c, s, sizeof buffer))
            ;
        hear_fates(c, s);
    }
    if (stt_datagram_info(side->ep, side->session, &info) == STT_OK)
        FUZZ_ASSERT(info.queued == info.sent + info.dropped_unsent + info.waiting);
}

/* -- events ------------------------------------------------------------------------------------ */

/* What a host in a hurry still has to write. False: no more room now. */
static bool write_on(struct turmoil *c, unsigned s, struct ledger_stream *t)
{
    enum { PIECE = 3000 };
    struct ledger_half *h = &t->half[s];
    uint64_t goal = c->goal[t - c->ledger.streams][s];
    while (h->written < goal && !h->is_reset && !h->is_stopped) {
        size_t left = (size_t)(goal - h->written), len = left < PIECE ? left : PIECE;
        if (!(t->has_messages ? write_message(c, s, t, len, 0) : write_bytes(c, s, t, len)))
            return false;
    }
    return true;
}

static void go_on_writing(struct turmoil *c, unsigned s, struct ledger_stream *t)
{
    const struct ledger_half *h = &t->half[s];
    if (!h->is_finished && !h->is_reset && !h->is_stopped && write_on(c, s, t))
        finish(c, s, t);
}

static void go_on_reading(struct turmoil *c, unsigned s, struct ledger_stream *t)
{
    while (read_some(c, s, t, sizeof buffer))
        ;
}

static void begin_to_hurry(struct turmoil *c, unsigned s, struct ledger_stream *t)
{
    uint64_t more = c->more_bytes * 16 / (16 + c->ledger.n); /* the less, the more there are */
    c->goal[t - c->ledger.streams][s] = t->half[s].written + more;
    go_on_reading(c, s, t);
    go_on_writing(c, s, t);
}

void deed_hurry(struct turmoil *c, unsigned s)
{
    for (size_t i = 0; i < c->ledger.n; i++)
        if (c->ledger.streams[i].handle[s] && !c->ledger.streams[i].is_stale[s])
            begin_to_hurry(c, s, &c->ledger.streams[i]);
}

void deed_read_everything(struct turmoil *c, unsigned s)
{
    for (size_t i = 0; i < c->ledger.n; i++)
        if (c->ledger.streams[i].handle[s])
            go_on_reading(c, s, &c->ledger.streams[i]);
    deed_datagrams(c, s, 0, 255);
}

static void do_what_it_asks(struct turmoil *c, unsigned s, struct ledger_stream *t, uint32_t what)
{
    if (what & STT_STREAM_ENDED)
        return;
    if (what & STT_STREAM_OPENED)
        begin_to_hurry(c, s, t);
    if (what & STT_STREAM_READABLE)
        go_on_reading(c, s, t);
    if (what & STT_STREAM_WRITABLE)
        go_on_writing(c, s, t);
}

/* Whose event comes next; for one that comes and goes unseen the id tells. */
static struct stt_stream *next_in_line(struct turmoil *c, unsigned s)
{
    struct stt_endpoint *ep = turmoil_side(c, s)->ep;
    if (stt_list_is_empty(&ep->stream_events))
        return NULL;
    return STT_LIST_ENTRY(ep->stream_events.next, struct stt_stream, events);
}

static void hear(struct turmoil *c, unsigned s, uint64_t id, const struct stt_stream_event *e)
{
    struct ledger_stream *t = ledger_by_id(&c->ledger, id);
    if (!t && c->has_traitor && c->ledger.n < LEDGER_STREAMS_MAX)
        t = ledger_open(&c->ledger, !s, id, 0);
    if (is_checked(c)) {
        FUZZ_ASSERT(t);
        ledger_on_event(&c->ledger, s, t, e);
        look_for_end(c, s, t);
    } else if (t) {
        t->handle[s] = e->stream;
        t->is_stale[s] = e->what & STT_STREAM_ENDED;
    }
    if (t && c->hurries)
        do_what_it_asks(c, s, t, e->what);
}

static void pull_stream_events(struct turmoil *c, unsigned s)
{
    struct stt_endpoint *ep = turmoil_side(c, s)->ep;
    for (int i = 0;; i++) {
        const struct stt_stream *t = next_in_line(c, s);
        struct stt_stream_event e;
        uint64_t id = t ? t->id : 0;
        if (t && t->end_reported)
            wiring_on_end(&c->wiring[s], t);
        if (!stt_endpoint_stream_event(ep, &e))
            return;
        FUZZ_ASSERT(i < 10000); /* a host that does what is asked for is not asked for ever */
        if (!t)                 /* a writer that found no memory */
            FUZZ_ASSERT(e.what == STT_STREAM_WRITABLE);
        struct stt_stream_info info;
        if (!t && stt_stream_info(ep, e.stream, &info) == STT_OK)
            id = info.id;
        hear(c, s, id, &e);
    }
}

void deed_pull(struct turmoil *c, unsigned s)
{
    struct duo_side *side = turmoil_side(c, s);
    pull_stream_events(c, s);
    duo_pull(side);
    FUZZ_ASSERT(!side->events[STT_EVENT_CLOSED] || !is_checked(c));
    if (c->hurries)
        deed_datagrams(c, s, 0, 255);
}
