/* SPDX-License-Identifier: MIT
 * frame: the codecs of all frames, each a mirror of its layout in the spec, and the two tables.
 *
 * A decoder and its encoder share one predicate for what a frame may hold, so that nothing is sent
 * which would be refused. They must not know sessions, streams or paths: whether a stream may have
 * a frame, whether a packet was ever sent, is asked elsewhere. Spec 02, "Frames". */
#include "stt/wire/frame.h"

const struct stt_frame_rule stt_frame_rules[STT_FRAME_EXTENSION + 1] = {
/* Extensions share the slot of the first of them. */
#define SLOT(type) ((type) < STT_FRAME_EXTENSION ? (type) : STT_FRAME_EXTENSION)
#define X(from, to, title, in, ack, moves, loss)                                                   \
    [SLOT(from)... SLOT(to)] = {                                                                   \
        .name = #title,                                                                            \
        .first = (from),                                                                           \
        .last = (to),                                                                              \
        .allowed = STT_ALLOWED_##in,                                                               \
        .lost = STT_LOSS_##loss,                                                                   \
        .elicits_ack = (ack),                                                                      \
        .moves_path = (moves),                                                                     \
    },
    STT_FRAMES(X)
#undef X
#undef SLOT
};

const char *stt_close_code_name(uint64_t code)
{
    static const char *const names[] = {
#define X(value, name, meaning) [value] = #name,
        STT_CLOSE_CODES(X)
#undef X
    };
    return code < sizeof names / sizeof names[0] ? names[code] : NULL;
}

const char *stt_close_code_meaning(uint64_t code)
{
    static const char *const meanings[] = {
#define X(value, name, meaning) [value] = meaning,
        STT_CLOSE_CODES(X)
#undef X
    };
    return code < sizeof meanings / sizeof meanings[0] ? meanings[code] : NULL;
}

/* How every decoder ends: a value that its row does not allow is as bad as a short buffer. */
static inline bool accept(struct rd *r, bool valid)
{
    r->bad |= !valid;
    return !r->bad;
}

/* How every encoder ends: all or nothing. */
static inline bool commit(struct wr *w, struct wr start, bool valid)
{
    if (valid && !w->bad)
        return true;
    *w = start;
    return false;
}

/* Varints out of line: only in STREAM, and in reading ACK, are they worth a copy each. */
static __attribute__((noinline)) uint64_t rd_field(struct rd *r)
{
    return rd_varint(r);
}

static __attribute__((noinline)) void wr_field(struct wr *w, uint64_t v)
{
    wr_varint(w, v);
}

/* PADDING, PING */

size_t stt_frame_padding_decode(struct rd *r)
{
    const uint8_t *start = r->at;
    uint64_t word;
    while (rd_left(r) >= sizeof word && (memcpy(&word, r->at, sizeof word), word == 0))
        r->at += sizeof word;
    while (rd_left(r) && *r->at == 0)
        r->at++;
    return 1 + (size_t)(r->at - start);
}

bool stt_frame_padding_encode(struct wr *w, size_t len)
{
    struct wr start = *w;
    wr_zeros(w, len);
    return commit(w, start, true);
}

bool stt_frame_ping_encode(struct wr *w)
{
    struct wr start = *w;
    wr_u8(w, STT_FRAME_PING);
    return commit(w, start, true);
}

/* ACK, ACK_ECN */

/* Reads past the ranges; false when one would reach below 0. A range takes at least two bytes, so
 * the cursor ends the loop however large the count is. */
static bool ranges_decode(struct rd *r, uint64_t smallest, uint64_t count)
{
    for (; count > 0; count--) {
        uint64_t gap = rd_varint(r);
        uint64_t length = rd_varint(r);
        if (r->bad || gap + length + 2 > smallest)
            return false;
        smallest -= gap + length + 2;
    }
    return true;
}

bool stt_frame_ack_decode(struct rd *r, uint64_t type, struct frame_ack *f)
{
    f->largest = rd_varint(r);
    f->delay_us = rd_varint(r);
    f->range_count = rd_varint(r);
    f->first_range = rd_varint(r);
    f->ranges.data = r->at;
    if (r->bad || f->first_range > f->largest ||
        !ranges_decode(r, f->largest - f->first_range, f->range_count))
        return accept(r, false);
    f->ranges.len = (size_t)(r->at - f->ranges.data);
    f->has_ecn = type == STT_FRAME_ACK_ECN;
    f->ecn = (struct frame_ecn){0};
    if (f->has_ecn) {
        f->ecn.ect0 = rd_varint(r);
        f->ecn.ect1 = rd_varint(r);
        f->ecn.ce = rd_varint(r);
    }
    return accept(r, true);
}

static size_t ecn_size(const struct frame_ecn *ecn)
{
    return ecn ? (size_t)stt_varint_size(ecn->ect0) + stt_varint_size(ecn->ect1) +
                     stt_varint_size(ecn->ce)
               : 0;
}

/*      older             newer
 *   |=========|.......|==========|      gap    = empty numbers between, less one
 *   from     to       from      to      length = numbers in older, less one                    */
static uint64_t range_gap(const struct stt_range *older)
{
    return older[1].from - older->to - 1;
}

static uint64_t range_length(const struct stt_range *range)
{
    return range->to - range->from - 1;
}

/* How many of the newest ranges fit in `room` bytes, of which the frame without any of the ranges
 * behind the first, and with a count of one byte, takes `fixed`. */
static size_t ranges_fit(const struct stt_range *ranges, size_t n, size_t fixed, size_t room)
{
    size_t fit = 1, size = fixed;
    if (n > STT_ACK_RANGES_MAX) {
        ranges += n - STT_ACK_RANGES_MAX;
        n = STT_ACK_RANGES_MAX;
    }
    if (n == 0 || size > room)
        return 0;
    for (; fit < n; fit++) {
        const struct stt_range *next = &ranges[n - fit - 1];
        size += stt_varint_size(range_gap(next)) + stt_varint_size(range_length(next));
        if (size + stt_varint_size(fit) - 1 > room)
            break;
    }
    return fit;
}

size_t stt_frame_ack_encode(struct wr *w, const struct stt_range *ranges, size_t n,
                            uint64_t delay_us, const struct frame_ecn *ecn)
{
    if (n == 0)
        return 0;
    struct wr start = *w;
    const struct stt_range *range = &ranges[n - 1];
    size_t fixed = 2 + stt_varint_size(range->to - 1) + stt_varint_size(delay_us) +
                   stt_varint_size(range_length(range)) + ecn_size(ecn);
    size_t fit = ranges_fit(ranges, n, fixed, wr_left(w));
    if (fit == 0)
        return 0;
    wr_u8(w, ecn ? STT_FRAME_ACK_ECN : STT_FRAME_ACK);
    wr_field(w, range->to - 1);
    wr_field(w, delay_us);
    wr_field(w, fit - 1);
    wr_field(w, range_length(range));
    for (size_t i = 1; i < fit; i++) {
        range--;
        wr_field(w, range_gap(range));
        wr_field(w, range_length(range));
    }
    if (ecn) {
        wr_field(w, ecn->ect0);
        wr_field(w, ecn->ect1);
        wr_field(w, ecn->ce);
    }
    return commit(w, start, true) ? fit : 0;
}

/* RESET, STOP, SKIP */

bool stt_frame_reset_decode(struct rd *r, struct frame_reset *f)
{
    f->stream = rd_field(r);
    f->code = rd_field(r);
    f->final_offset = rd_field(r);
    return accept(r, true);
}

bool stt_frame_reset_encode(struct wr *w, const struct frame_reset *f)
{
    struct wr start = *w;
    wr_u8(w, STT_FRAME_RESET);
    wr_field(w, f->stream);
    wr_field(w, f->code);
    wr_field(w, f->final_offset);
    return commit(w, start, true);
}

bool stt_frame_stop_decode(struct rd *r, struct frame_stop *f)
{
    f->stream = rd_field(r);
    f->code = rd_field(r);
    return accept(r, true);
}

bool stt_frame_stop_encode(struct wr *w, const struct frame_stop *f)
{
    struct wr start = *w;
    wr_u8(w, STT_FRAME_STOP);
    wr_field(w, f->stream);
    wr_field(w, f->code);
    return commit(w, start, true);
}

static bool skip_is_valid(const struct frame_skip *f)
{
    return f->length > 0 && f->length <= STT_VARINT_MAX && f->offset <= STT_VARINT_MAX - f->length;
}

bool stt_frame_skip_decode(struct rd *r, struct frame_skip *f)
{
    f->stream = rd_field(r);
    f->offset = rd_field(r);
    f->length = rd_field(r);
    return accept(r, skip_is_valid(f));
}

bool stt_frame_skip_encode(struct wr *w, const struct frame_skip *f)
{
    struct wr start = *w;
    wr_u8(w, STT_FRAME_SKIP);
    wr_field(w, f->stream);
    wr_field(w, f->offset);
    wr_field(w, f->length);
    return commit(w, start, skip_is_valid(f));
}

/* STREAM */

static inline bool stream_is_valid(const struct frame_stream *f)
{
    return f->data.len <= STT_VARINT_MAX && f->offset <= STT_VARINT_MAX - f->data.len &&
           (f->data.len > 0 || f->fin || f->offset == 0);
}

bool stt_frame_stream_decode(struct rd *r, uint64_t type, struct frame_stream *f)
{
    f->fin = type & STT_STREAM_FIN;
    f->has_length = type & STT_STREAM_LENGTH;
    f->stream = rd_varint(r);
    f->offset = type & STT_STREAM_OFFSET ? rd_varint(r) : 0;
    f->data = f->has_length ? rd_bytes(r, rd_varint(r)) : rd_rest(r);
    return accept(r, stream_is_valid(f));
}

bool stt_frame_stream_header_encode(struct wr *w, const struct frame_stream *f)
{
    struct wr start = *w;
    wr_u8(w, (uint8_t)(STT_FRAME_STREAM | (f->offset ? STT_STREAM_OFFSET : 0) |
                       (f->has_length ? STT_STREAM_LENGTH : 0) | (f->fin ? STT_STREAM_FIN : 0)));
    wr_varint(w, f->stream);
    if (f->offset)
        wr_varint(w, f->offset);
    if (f->has_length)
        wr_varint(w, f->data.len);
    return commit(w, start, stream_is_valid(f));
}

struct frame_stream_head stt_frame_stream_head(uint64_t stream, uint64_t offset)
{
    unsigned size = stt_varint_size(offset);
    struct frame_stream_head h = {.offset_shift = (uint8_t)(64 - 8 * size),
                                  .offset_bits = (uint64_t)__builtin_ctz(size) << 62,
                                  .last_offset = STT_VARINT_MAX >> (64 - 8 * size)};
    struct wr w = wr_init(h.prefix, sizeof h.prefix);
    wr_u8(&w, STT_FRAME_STREAM | STT_STREAM_OFFSET);
    wr_varint(&w, stream);
    h.prefix_len = (uint8_t)wr_len(&w);
    h.len = h.prefix_len + size;
    return h;
}

bool stt_frame_stream_encode(struct wr *w, const struct frame_stream *f)
{
    struct wr start = *w;
    bool valid = stt_frame_stream_header_encode(w, f);
    if (valid)
        wr_bytes(w, f->data);
    return commit(w, start, valid);
}

size_t stt_frame_stream_fit(size_t header_size, size_t room, bool has_length)
{
    if (room <= header_size)
        return 0;
    size_t left = room - header_size;
    if (!has_length)
        return left;
    size_t len = left - stt_varint_size(left);
    /* Just above a step, a shorter Length holds a byte more of data. */
    while (len + 1 + stt_varint_size(len + 1) <= left)
        len++;
    return len;
}

/* Flow control */

static bool limit_is_valid(const struct frame_limit *f)
{
    bool counts_streams = f->type == STT_FRAME_MAX_STREAMS || f->type == STT_FRAME_STREAMS_BLOCKED;
    return !counts_streams || f->limit <= STT_STREAMS_MAX;
}

bool stt_frame_limit_decode(struct rd *r, uint64_t type, struct frame_limit *f)
{
    f->type = type;
    f->limit = rd_field(r);
    return accept(r, limit_is_valid(f));
}

bool stt_frame_limit_encode(struct wr *w, const struct frame_limit *f)
{
    struct wr start = *w;
    wr_field(w, f->type);
    wr_field(w, f->limit);
    return commit(w, start, limit_is_valid(f));
}

bool stt_frame_stream_limit_decode(struct rd *r, uint64_t type, struct frame_stream_limit *f)
{
    f->type = type;
    f->stream = rd_field(r);
    f->limit = rd_field(r);
    return accept(r, true);
}

bool stt_frame_stream_limit_encode(struct wr *w, const struct frame_stream_limit *f)
{
    struct wr start = *w;
    wr_field(w, f->type);
    wr_field(w, f->stream);
    wr_field(w, f->limit);
    return commit(w, start, true);
}

/* DATAGRAM */

bool stt_frame_datagram_decode(struct rd *r, uint64_t type, struct frame_datagram *f)
{
    f->has_length = type & STT_DATAGRAM_LENGTH;
    f->data = f->has_length ? rd_bytes(r, rd_field(r)) : rd_rest(r);
    return accept(r, true);
}

bool stt_frame_datagram_header_encode(struct wr *w, const struct frame_datagram *f)
{
    struct wr start = *w;
    wr_u8(w, (uint8_t)(STT_FRAME_DATAGRAM | (f->has_length ? STT_DATAGRAM_LENGTH : 0)));
    if (f->has_length)
        wr_field(w, f->data.len);
    return commit(w, start, true);
}

bool stt_frame_datagram_encode(struct wr *w, const struct frame_datagram *f)
{
    struct wr start = *w;
    bool valid = stt_frame_datagram_header_encode(w, f);
    if (valid)
        wr_bytes(w, f->data);
    return commit(w, start, valid);
}

/* NEW_ID, RETIRE_ID */

static bool new_id_is_valid(const struct frame_new_id *f)
{
    return f->retire_before <= f->sequence && !stt_id_is_none(f->id);
}

bool stt_frame_new_id_decode(struct rd *r, struct frame_new_id *f)
{
    f->sequence = rd_field(r);
    f->retire_before = rd_field(r);
    rd_copy(r, f->id.bytes, sizeof f->id.bytes);
    return accept(r, new_id_is_valid(f));
}

bool stt_frame_new_id_encode(struct wr *w, const struct frame_new_id *f)
{
    struct wr start = *w;
    wr_u8(w, STT_FRAME_NEW_ID);
    wr_field(w, f->sequence);
    wr_field(w, f->retire_before);
    wr_bytes(w, BYTES(f->id.bytes));
    return commit(w, start, new_id_is_valid(f));
}

bool stt_frame_retire_id_decode(struct rd *r, struct frame_retire_id *f)
{
    f->sequence = rd_field(r);
    return accept(r, true);
}

bool stt_frame_retire_id_encode(struct wr *w, const struct frame_retire_id *f)
{
    struct wr start = *w;
    wr_u8(w, STT_FRAME_RETIRE_ID);
    wr_field(w, f->sequence);
    return commit(w, start, true);
}

/* PATH_CHALLENGE, PATH_RESPONSE */

bool stt_frame_path_decode(struct rd *r, uint64_t type, struct frame_path *f)
{
    f->type = type;
    rd_copy(r, f->token, sizeof f->token);
    return accept(r, true);
}

bool stt_frame_path_encode(struct wr *w, const struct frame_path *f)
{
    struct wr start = *w;
    wr_field(w, f->type);
    wr_bytes(w, BYTES(f->token));
    return commit(w, start, true);
}

/* REKEY, IDENTITY */

static bool rekey_is_valid(const struct frame_rekey *f)
{
    return (f->stage == STT_REKEY_INITIATOR || f->stage == STT_REKEY_RESPONDER) &&
           f->noise.len <= STT_REKEY_MESSAGE_BYTES_MAX;
}

bool stt_frame_rekey_decode(struct rd *r, struct frame_rekey *f)
{
    f->stage = rd_u8(r);
    f->epoch = rd_field(r);
    f->noise = rd_bytes(r, rd_field(r));
    return accept(r, rekey_is_valid(f));
}

bool stt_frame_rekey_encode(struct wr *w, const struct frame_rekey *f)
{
    struct wr start = *w;
    wr_u8(w, STT_FRAME_REKEY);
    wr_u8(w, f->stage);
    wr_field(w, f->epoch);
    wr_field(w, f->noise.len);
    wr_bytes(w, f->noise);
    return commit(w, start, rekey_is_valid(f));
}

bool stt_frame_identity_decode(struct rd *r, struct frame_identity *f)
{
    rd_copy(r, f->peer_id, sizeof f->peer_id);
    rd_copy(r, f->signature, sizeof f->signature);
    return accept(r, true);
}

bool stt_frame_identity_encode(struct wr *w, const struct frame_identity *f)
{
    struct wr start = *w;
    wr_u8(w, STT_FRAME_IDENTITY);
    wr_bytes(w, BYTES(f->peer_id));
    wr_bytes(w, BYTES(f->signature));
    return commit(w, start, true);
}

/* CLOSE, CLOSE_APPLICATION */

static bool close_is_valid(const struct frame_close *f)
{
    return f->reason.len <= STT_REASON_BYTES_MAX;
}

bool stt_frame_close_decode(struct rd *r, uint64_t type, struct frame_close *f)
{
    f->type = type;
    f->code = rd_field(r);
    f->frame_type = type == STT_FRAME_CLOSE ? rd_field(r) : 0;
    f->reason = rd_bytes(r, rd_field(r));
    return accept(r, close_is_valid(f));
}

bool stt_frame_close_encode(struct wr *w, const struct frame_close *f)
{
    struct wr start = *w;
    wr_field(w, f->type);
    wr_field(w, f->code);
    if (f->type == STT_FRAME_CLOSE)
        wr_field(w, f->frame_type);
    wr_field(w, f->reason.len);
    wr_bytes(w, f->reason);
    return commit(w, start, close_is_valid(f));
}

/* Extensions */

static bool extension_is_valid(const struct frame_extension *f)
{
    return stt_frame_rule(f->type) == &stt_frame_rules[STT_FRAME_EXTENSION];
}

bool stt_frame_extension_decode(struct rd *r, uint64_t type, struct frame_extension *f)
{
    f->type = type;
    f->body = rd_bytes(r, rd_field(r));
    return accept(r, extension_is_valid(f));
}

bool stt_frame_extension_encode(struct wr *w, const struct frame_extension *f)
{
    struct wr start = *w;
    wr_field(w, f->type);
    wr_field(w, f->body.len);
    wr_bytes(w, f->body);
    return commit(w, start, extension_is_valid(f));
}
