/* SPDX-License-Identifier: MIT
 * frame: a struct, a decoder and an encoder for each frame, the table of what each may do, and the
 * close codes. Spec 02, "Frames", "Close codes"; the layouts are under their names there.
 *
 *     while (rd_left(&r)) {
 *         uint64_t type = stt_frame_type_decode(&r);
 *         const struct stt_frame_rule *rule = stt_frame_rule(type);
 *         ... r.bad or no rule: FRAME_ENCODING; not allowed: FRAME_UNEXPECTED ...
 *         ... stt_frame_..._decode(&r, ...): false is FRAME_ENCODING ...
 *     }
 *
 * Decoders start behind the type; where one struct serves several types they are told which. They
 * check every limit that the spec states for a frame by itself, and latch the cursor when one is
 * broken. What they answer borrows from the payload. Encoders write the type, too; one that answers
 * false, for lack of room or because its struct is not valid, has left w as it was. */
#ifndef STT_WIRE_FRAME_H
#define STT_WIRE_FRAME_H

#include "stt/base/ranges.h"
#include "stt/types.h"
#include "stt/wire/ids.h"
#include "stt/wire/limits.h"
#include "stt/wire/varint.h"

#define STT_PEER_ID_BYTES   32
#define STT_SIGNATURE_BYTES 64

/* Columns of the spec's frame table: what a session is in when it opens a packet. */
enum stt_frame_phase {
    STT_IN_OTHER = 1,    /* opened at all, but neither of: */
    STT_IN_IDENTIFY = 2, /* mode W before both identities are proven */
    STT_IN_OPEN = 4,
};

#define STT_ALLOWED_ANY           (STT_IN_OTHER | STT_IN_IDENTIFY | STT_IN_OPEN)
#define STT_ALLOWED_OPEN          STT_IN_OPEN
#define STT_ALLOWED_IDENTIFY_OPEN (STT_IN_IDENTIFY | STT_IN_OPEN)
#define STT_ALLOWED_NEGOTIATED    STT_IN_OPEN /* and only types that both sides named */

/* What the sender does when the packet is lost. */
enum stt_frame_loss {
    STT_LOSS_FORGOTTEN,
    STT_LOSS_NEWEST_SENT,
    STT_LOSS_AGAIN_UNTIL_ACKED,
    STT_LOSS_AGAIN_WHILE_IT_READS,
    STT_LOSS_DATA_AGAIN,
    STT_LOSS_WHILE_BLOCKED,
    STT_LOSS_NEVER,
    STT_LOSS_A_FRESH_ONE,
    STT_LOSS_ANSWERED_IN_DRAINING,
    STT_LOSS_AS_NEGOTIATED,
};

/* clang-format off */
/*    first   last    name                 allowed in     ack?   moves?  when lost               */
#define STT_FRAMES(X)                                                                              \
    X(0x00,   0x00,   PADDING,             ANY,           false, false,  FORGOTTEN)                \
    X(0x01,   0x01,   PING,                ANY,           true,  true,   FORGOTTEN)                \
    X(0x02,   0x02,   ACK,                 ANY,           false, true,   NEWEST_SENT)              \
    X(0x03,   0x03,   ACK_ECN,             ANY,           false, true,   NEWEST_SENT)              \
    X(0x04,   0x04,   RESET,               OPEN,          true,  true,   AGAIN_UNTIL_ACKED)        \
    X(0x05,   0x05,   STOP,                OPEN,          true,  true,   AGAIN_WHILE_IT_READS)     \
    X(0x06,   0x06,   SKIP,                OPEN,          true,  true,   AGAIN_UNTIL_ACKED)        \
    X(0x08,   0x0f,   STREAM,              OPEN,          true,  true,   DATA_AGAIN)               \
    X(0x10,   0x10,   MAX_DATA,            OPEN,          true,  true,   NEWEST_SENT)              \
    X(0x11,   0x11,   MAX_STREAM_DATA,     OPEN,          true,  true,   NEWEST_SENT)              \
    X(0x12,   0x12,   MAX_STREAMS,         OPEN,          true,  true,   NEWEST_SENT)              \
    X(0x13,   0x13,   DATA_BLOCKED,        OPEN,          true,  true,   WHILE_BLOCKED)            \
    X(0x14,   0x14,   STREAM_DATA_BLOCKED, OPEN,          true,  true,   WHILE_BLOCKED)            \
    X(0x15,   0x15,   STREAMS_BLOCKED,     OPEN,          true,  true,   WHILE_BLOCKED)            \
    X(0x18,   0x19,   DATAGRAM,            OPEN,          true,  true,   NEVER)                    \
    X(0x1a,   0x1a,   NEW_ID,              OPEN,          true,  false,  AGAIN_UNTIL_ACKED)        \
    X(0x1b,   0x1b,   RETIRE_ID,           OPEN,          true,  true,   AGAIN_UNTIL_ACKED)        \
    X(0x1c,   0x1c,   PATH_CHALLENGE,      OPEN,          true,  false,  A_FRESH_ONE)              \
    X(0x1d,   0x1d,   PATH_RESPONSE,       OPEN,          true,  false,  FORGOTTEN)                \
    X(0x1e,   0x1e,   REKEY,               OPEN,          true,  true,   AGAIN_UNTIL_ACKED)        \
    X(0x1f,   0x1f,   IDENTITY,            IDENTIFY_OPEN, true,  true,   AGAIN_UNTIL_ACKED)        \
    X(0x20,   0x20,   CLOSE,               ANY,           false, true,   ANSWERED_IN_DRAINING)     \
    X(0x21,   0x21,   CLOSE_APPLICATION,   ANY,           false, true,   ANSWERED_IN_DRAINING)     \
    X(0x40,   0x3fff, EXTENSION,           NEGOTIATED,    true,  true,   AS_NEGOTIATED)

/*    code  name                  meaning                                                       */
#define STT_CLOSE_CODES(X)                                                                         \
    X(0x00, NO_ERROR,             "done")                                                          \
    X(0x01, INTERNAL,             "the sender failed, not the receiver")                           \
    X(0x02, PROTOCOL_VIOLATION,   "a rule without a code of its own was broken")                   \
    X(0x03, FRAME_ENCODING,       "a frame could not be read, or a value is out of range")         \
    X(0x04, FRAME_UNEXPECTED,     "a known frame in a state that does not allow it")               \
    X(0x05, ACK_INVALID,          "an ack of a packet that was never sent, or was skipped")        \
    X(0x06, FLOW_CONTROL,         "more data than the limits allow")                               \
    X(0x07, STREAM_LIMIT,         "more streams than allowed")                                     \
    X(0x08, STREAM_STATE,         "a frame for a stream that cannot have it")                      \
    X(0x09, FINAL_OFFSET,         "the end of a stream moved, or data lies behind it")             \
    X(0x0a, ID_LIMIT,             "too many session ids issued, retired or unknown")               \
    X(0x0b, KEY_UPDATE,           "keys were updated when that was not allowed")                   \
    X(0x0c, PARAMETER,            "a transport parameter is missing, doubled or out of range")     \
    X(0x0d, APPLICATION_MISMATCH, "the two sides speak different applications")                    \
    X(0x0e, IDENTITY_INVALID,     "IDENTITY does not verify, or is not the pinned peer")           \
    X(0x0f, BUFFER_LIMIT,         "more fragments than are kept")                                 \
    X(0x10, REKEY_FAILED,         "REKEY does not verify")                                         \
    X(0x11, NOT_ALLOWED,          "the allow-list no longer admits this peer")                     \
    X(0x12, SUPERSEDED,           "both sides connected, and the other session stays")
/* clang-format on */

enum stt_frame_type {
#define X(first, last, name, allowed, ack, moves, lost) STT_FRAME_##name = first,
    STT_FRAMES(X)
#undef X
};

/* In the type of STREAM, and of DATAGRAM. */
#define STT_STREAM_FIN      0x01u
#define STT_STREAM_LENGTH   0x02u
#define STT_STREAM_OFFSET   0x04u
#define STT_DATAGRAM_LENGTH 0x01u

enum stt_close_code {
#define X(code, name, meaning) STT_CLOSE_##name = code,
    STT_CLOSE_CODES(X)
#undef X
};

struct stt_frame_rule {
    const char *name; /* NULL: no such frame */
    uint16_t first, last;
    uint8_t allowed; /* enum stt_frame_phase, or'ed */
    uint8_t lost;    /* enum stt_frame_loss */
    bool elicits_ack;
    bool moves_path;
};

/* By type; one row for each of several types of one frame, and one for all extensions. */
extern const struct stt_frame_rule stt_frame_rules[STT_FRAME_EXTENSION + 1];

/* NULL for a type that the spec does not know. */
static inline const struct stt_frame_rule *stt_frame_rule(uint64_t type)
{
    const struct stt_frame_rule *extension = &stt_frame_rules[STT_FRAME_EXTENSION];
    if (type >= STT_FRAME_EXTENSION)
        return type <= extension->last ? extension : NULL;
    return stt_frame_rules[type].name ? &stt_frame_rules[type] : NULL;
}

/* NULL for a code that the spec does not know. */
const char *stt_close_code_name(uint64_t code);
const char *stt_close_code_meaning(uint64_t code);

static inline uint64_t stt_frame_type_decode(struct rd *r)
{
    if (rd_left(r) && *r->at < 0x40 && !r->bad)
        return *r->at++;
    return rd_varint_shortest(r);
}

/* Spec 02, "PADDING, PING". PADDING: the rest of the run that a first zero byte began, and its
 * length with that byte. */
size_t stt_frame_padding_decode(struct rd *r);
bool stt_frame_padding_encode(struct wr *w, size_t len) STT_MUST_USE;

bool stt_frame_ping_encode(struct wr *w) STT_MUST_USE;

/* Spec 02, "ACK, ACK_ECN". Decoding has checked every range; they stay encoded until they are
 * walked. */
struct frame_ecn {
    uint64_t ect0, ect1, ce;
};

struct frame_ack {
    uint64_t largest;
    uint64_t delay_us;
    uint64_t range_count; /* behind the first */
    uint64_t first_range;
    struct bytes ranges;
    bool has_ecn;
    struct frame_ecn ecn; /* zeros without */
};

bool stt_frame_ack_decode(struct rd *r, uint64_t type, struct frame_ack *f) STT_MUST_USE;

/* Writes as many of the newest ranges as fit in w and in one ACK, and answers how many; 0 when not
 * even one fits, or n is 0. Ascending and disjoint, as struct stt_ranges holds them; every `to` is
 * at most 2^62. ecn may be NULL. */
size_t stt_frame_ack_encode(struct wr *w, const struct stt_range *ranges, size_t n,
                            uint64_t delay_us, const struct frame_ecn *ecn);

/* Walks the ranges of a decoded ACK from the newest down, at most STT_ACK_RANGES_MAX of them. */
struct frame_ack_walk {
    struct rd r;
    uint64_t largest, smallest;
    uint64_t left;
};

static inline struct frame_ack_walk stt_frame_ack_walk(const struct frame_ack *f)
{
    bool all = f->range_count < STT_ACK_RANGES_MAX;
    return (struct frame_ack_walk){
        .r = rd_init(f->ranges),
        .largest = f->largest,
        .smallest = f->largest - f->first_range,
        .left = all ? f->range_count + 1 : STT_ACK_RANGES_MAX,
    };
}

static inline bool stt_frame_ack_next(struct frame_ack_walk *walk, struct stt_range *range)
{
    if (walk->left == 0)
        return false;
    *range = (struct stt_range){walk->smallest, walk->largest + 1};
    if (--walk->left == 0)
        return true;
    walk->largest = walk->smallest - rd_varint(&walk->r) - 2;
    walk->smallest = walk->largest - rd_varint(&walk->r);
    return true;
}

/* Spec 02, "RESET, STOP, SKIP". */
struct frame_reset {
    uint64_t stream;
    uint64_t code;
    uint64_t final_offset;
};

struct frame_stop {
    uint64_t stream;
    uint64_t code;
};

struct frame_skip {
    uint64_t stream;
    uint64_t offset;
    uint64_t length;
};

bool stt_frame_reset_decode(struct rd *r, struct frame_reset *f) STT_MUST_USE;
bool stt_frame_reset_encode(struct wr *w, const struct frame_reset *f) STT_MUST_USE;
bool stt_frame_stop_decode(struct rd *r, struct frame_stop *f) STT_MUST_USE;
bool stt_frame_stop_encode(struct wr *w, const struct frame_stop *f) STT_MUST_USE;
bool stt_frame_skip_decode(struct rd *r, struct frame_skip *f) STT_MUST_USE;
bool stt_frame_skip_encode(struct wr *w, const struct frame_skip *f) STT_MUST_USE;

/* Spec 02, "STREAM", "Stream ids". An offset of 0 is left out; without Length the data runs to the
 * end of the packet. */
struct frame_stream {
    uint64_t stream;
    uint64_t offset;
    struct bytes data;
    bool has_length;
    bool fin;
};

bool stt_frame_stream_decode(struct rd *r, uint64_t type, struct frame_stream *f) STT_MUST_USE;
bool stt_frame_stream_encode(struct wr *w, const struct frame_stream *f) STT_MUST_USE;

/* For the packetizer, whose data reaches the packet through the cipher: the header alone, with
 * data.len counted and data.data not looked at. The data must follow directly. */
bool stt_frame_stream_header_encode(struct wr *w, const struct frame_stream *f) STT_MUST_USE;

/* Bytes before Length, and before Data where Length is absent. */
static inline size_t stt_frame_stream_header_size(uint64_t stream, uint64_t offset)
{
    return 1 + stt_varint_size(stream) + (offset ? stt_varint_size(offset) : 0);
}

/* Such headers with offsets of one length, for data to the packet's end: what stands before the
 * offset, and how that is written. */
struct frame_stream_head {
    uint8_t prefix[16];
    uint8_t prefix_len, offset_shift;
    uint64_t offset_bits; /* above the offset */
    uint64_t last_offset; /* that is as long */
    size_t len;           /* of the whole */
};
enum { STT_FRAME_STREAM_HEAD_ROOM = 32 };
/* The offset is above 0. */
struct frame_stream_head stt_frame_stream_head(uint64_t stream, uint64_t offset);
/* Writes up to STT_FRAME_STREAM_HEAD_ROOM bytes, of which `len` count. */
static inline void stt_frame_stream_head_write(const struct frame_stream_head *h, uint64_t offset,
                                               uint8_t out[STT_FRAME_STREAM_HEAD_ROOM])
{
    memcpy(out, h->prefix, sizeof h->prefix);
    be64_store(out + h->prefix_len, h->offset_bits | offset << h->offset_shift);
}

/* How much data fits behind such a header in `room` bytes, with a Length or without. */
size_t stt_frame_stream_fit(size_t header_size, size_t room, bool has_length);

/* Spec 02, "Flow control": MAX_DATA, MAX_STREAMS, DATA_BLOCKED, STREAMS_BLOCKED. */
struct frame_limit {
    uint64_t type;
    uint64_t limit;
};

/* MAX_STREAM_DATA, STREAM_DATA_BLOCKED. */
struct frame_stream_limit {
    uint64_t type;
    uint64_t stream;
    uint64_t limit;
};

bool stt_frame_limit_decode(struct rd *r, uint64_t type, struct frame_limit *f) STT_MUST_USE;
bool stt_frame_limit_encode(struct wr *w, const struct frame_limit *f) STT_MUST_USE;
bool stt_frame_stream_limit_decode(struct rd *r, uint64_t type,
                                   struct frame_stream_limit *f) STT_MUST_USE;
bool stt_frame_stream_limit_encode(struct wr *w, const struct frame_stream_limit *f) STT_MUST_USE;

/* Spec 02, "DATAGRAM". */
struct frame_datagram {
    struct bytes data;
    bool has_length;
};

bool stt_frame_datagram_decode(struct rd *r, uint64_t type, struct frame_datagram *f) STT_MUST_USE;
bool stt_frame_datagram_encode(struct wr *w, const struct frame_datagram *f) STT_MUST_USE;
/* The same without the data, which lies elsewhere. */
bool stt_frame_datagram_header_encode(struct wr *w, const struct frame_datagram *f) STT_MUST_USE;

/* Spec 02, "NEW_ID, RETIRE_ID". */
struct frame_new_id {
    uint64_t sequence;
    uint64_t retire_before;
    struct stt_id id;
};

struct frame_retire_id {
    uint64_t sequence;
};

bool stt_frame_new_id_decode(struct rd *r, struct frame_new_id *f) STT_MUST_USE;
bool stt_frame_new_id_encode(struct wr *w, const struct frame_new_id *f) STT_MUST_USE;
bool stt_frame_retire_id_decode(struct rd *r, struct frame_retire_id *f) STT_MUST_USE;
bool stt_frame_retire_id_encode(struct wr *w, const struct frame_retire_id *f) STT_MUST_USE;

/* Spec 02, "PATH_CHALLENGE, PATH_RESPONSE". */
struct frame_path {
    uint64_t type;
    uint8_t token[STT_PATH_TOKEN_BYTES];
};

bool stt_frame_path_decode(struct rd *r, uint64_t type, struct frame_path *f) STT_MUST_USE;
bool stt_frame_path_encode(struct wr *w, const struct frame_path *f) STT_MUST_USE;

/* Spec 02, "REKEY". */
enum stt_rekey_stage {
    STT_REKEY_INITIATOR = 1,
    STT_REKEY_RESPONDER = 2,
};

struct frame_rekey {
    uint8_t stage;
    uint64_t epoch;
    struct bytes noise;
};

bool stt_frame_rekey_decode(struct rd *r, struct frame_rekey *f) STT_MUST_USE;
bool stt_frame_rekey_encode(struct wr *w, const struct frame_rekey *f) STT_MUST_USE;

/* Spec 02, "IDENTITY". */
struct frame_identity {
    uint8_t peer_id[STT_PEER_ID_BYTES];
    uint8_t signature[STT_SIGNATURE_BYTES];
};

bool stt_frame_identity_decode(struct rd *r, struct frame_identity *f) STT_MUST_USE;
bool stt_frame_identity_encode(struct wr *w, const struct frame_identity *f) STT_MUST_USE;

/* Spec 02, "CLOSE, CLOSE_APPLICATION". */
struct frame_close {
    uint64_t type;
    uint64_t code;
    uint64_t frame_type; /* 0 in CLOSE_APPLICATION */
    struct bytes reason;
};

bool stt_frame_close_decode(struct rd *r, uint64_t type, struct frame_close *f) STT_MUST_USE;
bool stt_frame_close_encode(struct wr *w, const struct frame_close *f) STT_MUST_USE;

struct frame_extension {
    uint64_t type;
    struct bytes body;
};

bool stt_frame_extension_decode(struct rd *r, uint64_t type,
                                struct frame_extension *f) STT_MUST_USE;
bool stt_frame_extension_encode(struct wr *w, const struct frame_extension *f) STT_MUST_USE;

#endif
