/* SPDX-License-Identifier: MIT
 * treason: most of what is said keeps the rules, or the session would end at once; one frame in
 * some hundred does not. On message streams all messages are of MESSAGE_BYTES with their header. */
#include "tests/support/treason.h"

#include "stt/session/engine.h"
#include "tests/support/frames.h"
#include "tests/support/fuzz.h"
#include "tests/support/traitor.h"

enum {
    FRAMES_BYTES = 1160,
    RANGES_MAX = 256,
    DATA_MAX = 1000,
    MESSAGE_BYTES = 31,
    WILD_ONE_IN = 151
};

/* What the victim's side of a stream looks like helps to hit where it hurts. */
struct aim {
    struct stt_session *victim;
    const struct stt_stream *stream; /* or NULL */
    uint64_t id;
    uint64_t highest, reach, end; /* reach: what limits allow; end: STT_RECVQ_NO_END */
    bool is_wild;
};

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* A stream that is there, or one of the traitor's own numbers; odd ones are for messages. */
static void choose_stream(struct aim *aim, uint8_t a)
{
    const struct stt_streams *x = aim->victim->streams;
    uint64_t number = x ? (a & 0x0fu) % x->allowance.told : 0;
    if (a & 0x80 && x && x->slots.n)
        aim->stream = stt_slots_at(&x->slots, (a & 0x7fu) % x->slots.n);
    if (aim->stream)
        aim->id = aim->stream->id;
    else if (aim->is_wild)
        aim->id = a & 0x3fu;
    else
        aim->id = number << 2 | (number & 1) << 1 | (aim->victim->is_initiator ? 1 : 0);
    if (x && !aim->stream)
        aim->stream = stt_stream_by_id(aim->victim, aim->id);
}

static struct aim aim_at(const struct stt_config *config, struct stt_session *victim, uint8_t a,
                         uint8_t b)
{
    struct aim aim = {.victim = victim, .end = STT_RECVQ_NO_END};
    const struct stt_streams *x = victim->streams;
    aim.is_wild = (a + 7u * b) % WILD_ONE_IN == 0;
    choose_stream(&aim, a);
    aim.reach = config->stream_window_bytes;
    if (aim.stream) {
        aim.highest = aim.stream->receive.highest;
        aim.reach = aim.stream->window.limit;
        aim.end = aim.stream->receive.end;
    }
    uint64_t credit = x ? x->window.limit - x->received : config->session_window_bytes;
    aim.reach = least(least(aim.reach, aim.highest + credit), aim.end);
    return aim;
}

static uint64_t offset_of(const struct aim *aim, uint8_t b)
{
    static const int64_t steps[] = {0, 1, -1, 60, 1000, 20000, -300, 70000};
    const struct stt_recvq *q = aim->stream ? &aim->stream->receive : NULL;
    uint64_t bases[] = {0,
                        q ? q->consumed : 0,
                        q ? q->contiguous : 0,
                        aim->highest,
                        aim->end & STT_VARINT_MAX,
                        aim->reach,
                        aim->stream ? aim->stream->reader.end & STT_VARINT_MAX : 5,
                        aim->stream ? aim->stream->send.sent : 1};
    uint64_t offset = bases[b & 7] + (uint64_t)steps[b >> 3 & 7];
    offset = offset <= STT_VARINT_MAX ? offset : bases[b & 7];
    return aim->is_wild ? offset : offset % (aim->reach + 1);
}

static uint64_t limit_of(uint8_t b)
{
    return b < 250 ? (uint64_t)b * b * 16 : STT_STREAMS_MAX;
}

/* -- frames ------------------------------------------------------------------------------------ */

static void keep_the_rules(const struct aim *aim, struct frame_stream *f)
{
    f->data.len = (size_t)least(f->data.len, aim->reach - f->offset);
    uint64_t end = f->offset + f->data.len;
    bool is_end = aim->end == STT_RECVQ_NO_END ? end >= aim->highest : end == aim->end;
    f->fin = f->fin && is_end && !(aim->id & 2 && end % MESSAGE_BYTES);
    if (!f->data.len && !f->fin)
        f->offset = 0;
}

static struct any_frame stream_frame(const struct aim *aim, uint8_t kind, uint8_t b)
{
    static const size_t lengths[] = {MESSAGE_BYTES, 1, 90, DATA_MAX};
    static uint8_t data[DATA_MAX];
    struct any_frame f = {.type = STT_FRAME_STREAM};
    f.u.stream = (struct frame_stream){.stream = aim->id,
                                       .offset = offset_of(aim, b),
                                       .data = bytes_of(data, lengths[b >> 6]),
                                       .has_length = true,
                                       .fin = kind & 0x20};
    if (!aim->is_wild)
        keep_the_rules(aim, &f.u.stream);
    for (size_t i = 0; i < f.u.stream.data.len; i++)
        data[i] = (f.u.stream.offset + i) % MESSAGE_BYTES ? 7 : MESSAGE_BYTES - 1;
    return f;
}

static struct any_frame reset_frame(const struct aim *aim, uint8_t b)
{
    struct any_frame f = {.type = STT_FRAME_RESET};
    uint64_t offset = offset_of(aim, b);
    if (!aim->is_wild)
        offset = aim->end != STT_RECVQ_NO_END ? aim->end
                                              : (offset > aim->highest ? offset : aim->highest);
    f.u.reset = (struct frame_reset){aim->id, b, offset};
    return f;
}

static struct any_frame skip_frame(const struct aim *aim, uint8_t b)
{
    struct any_frame f = {.type = STT_FRAME_PING};
    uint64_t offset = offset_of(aim, b), len = 1u + (b >> 6) * 40u;
    if (!aim->is_wild) {
        offset -= offset % MESSAGE_BYTES;
        len = MESSAGE_BYTES * (1u + (b >> 6));
        if (!(aim->id & 2) || offset + len > aim->reach)
            return f;
    }
    f.type = STT_FRAME_SKIP;
    f.u.skip = (struct frame_skip){aim->id, offset, len};
    return f;
}

static struct any_frame limit_frame(const struct aim *aim, uint8_t kind, uint8_t b)
{
    static const uint64_t limits[] = {STT_FRAME_MAX_DATA, STT_FRAME_MAX_STREAMS,
                                      STT_FRAME_DATA_BLOCKED, STT_FRAME_STREAMS_BLOCKED};
    struct any_frame f = {.type = kind & 0x20 ? STT_FRAME_MAX_STREAM_DATA
                                              : STT_FRAME_STREAM_DATA_BLOCKED};
    f.u.stream_limit =
        (struct frame_stream_limit){.type = f.type, .stream = aim->id, .limit = limit_of(b)};
    if (!(kind & 0x10))
        return f;
    f.type = f.u.limit.type = limits[kind >> 5 & 3];
    f.u.limit.limit = limit_of(b);
    return f;
}

static struct any_frame frame_of(const struct aim *aim, uint8_t kind, uint8_t b)
{
    static const uint8_t data[256];
    struct any_frame f = {.type = STT_FRAME_PING};
    switch (kind & 0x0f) {
    case 0:
        return reset_frame(aim, b);
    case 1:
        f.type = STT_FRAME_STOP;
        f.u.stop = (struct frame_stop){aim->id, b};
        return f;
    case 2:
    case 3:
        return skip_frame(aim, b);
    case 4:
    case 5:
        return limit_frame(aim, kind, b);
    case 6:
        f.type = STT_FRAME_DATAGRAM;
        f.u.datagram = (struct frame_datagram){bytes_of(data, b), true};
        return f;
    default:
        return stream_frame(aim, kind, b);
    }
}

/* All packets of the victim's that are out, or every other one, or the latest only. */
static void ack(const struct aim *aim, uint8_t b, struct wr *w)
{
    struct stt_range memory[RANGES_MAX];
    struct stt_ranges ranges;
    const struct stt_flight *f = &aim->victim->loss.flight;
    stt_ranges_init(&ranges, memory, RANGES_MAX);
    for (uint64_t n = stt_flight_find(f, 0, f->next); f->n_open && n < f->next;
         n = stt_flight_find(f, n + 1, f->next)) {
        if (b & 1 && n & 1)
            continue;
        if (b & 2)
            ranges.n = 0;
        if (stt_flight_slot(f, n)->state != STT_PACKET_SKIPPED)
            (void)!stt_ranges_add(&ranges, n, n + 1);
    }
    (void)!stt_frame_ack_encode(w, ranges.at, ranges.n, 0, NULL);
}

static void say_raw(struct turmoil *c, uint8_t b, struct wr *w)
{
    struct bytes raw = rd_bytes(&c->input, b % 64u);
    if (raw.len)
        wr_bytes(w, raw);
}

void treason_say(struct turmoil *c, uint8_t kind, uint8_t a, uint8_t b)
{
    uint8_t frames[FRAMES_BYTES], packet[TRAITOR_PACKET_MAX];
    struct duo_side *own = turmoil_side(c, c->traitor), *other = turmoil_side(c, !c->traitor);
    struct stt_session *traitor = traitor_session(own->ep, own->session);
    struct stt_session *victim = traitor_session(other->ep, other->session);
    if (!traitor || !traitor->protect || !victim || !victim->protect)
        return;
    struct aim aim = aim_at(&other->config, victim, a, b);
    struct wr w = wr_init(frames, sizeof frames);
    struct any_frame f = frame_of(&aim, kind, b);
    if ((kind & 0x1f) == 0x1f && aim.is_wild)
        say_raw(c, b, &w);
    else if ((kind & 0x1f) >= 0x1b)
        ack(&aim, b, &w);
    else
        (void)!any_frame_encode(&w, &f);
    if (wr_len(&w) && !w.bad)
        duo_deliver_bytes(&c->duo, other, NULL, packet, traitor_seal(traitor, wr_done(&w), packet));
}
