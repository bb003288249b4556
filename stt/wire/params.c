/* SPDX-License-Identifier: MIT
 * params: the table of handshake parameters, and the codec that reads and writes by it.
 *
 * Reading and writing check a value by the same function, so that nothing is sent which would be
 * refused. It must not know keys, nor what the session makes of a value.
 * Spec 02, "Handshake parameters". */
#include "stt/wire/params.h"

#include "stt/wire/frame.h"
#include "stt/wire/packet.h"

#define IN(message) (1u << STT_MESSAGE_##message)

enum {
    K1 = IN(K1),
    K2 = IN(K2),
    S1 = IN(S1),
    S2 = IN(S2),
    S3 = IN(S3),
    W1 = IN(W1),
    W2 = IN(W2),
    W3 = IN(W3),
    Q1 = IN(Q1),
    Q2 = IN(Q2),
    T = K1 | K2 | S2 | S3 | W2 | W3, /* the transport parameters */
};

/* clang-format off */
#define ROW(number, upper, lower, type, required, optional)                                        \
    [STT_PARAM_##upper] = {.name = #lower, .id = number, .kind = STT_KIND_##type,                  \
                           .must = required, .may = optional,                                      \
                           .field = offsetof(struct stt_params, lower),
#define LIMITS(standard, least, most)                                                              \
                           .initial = standard, .min = least, .max = most}

const struct stt_param_rule stt_param_rules[STT_PARAM_COUNT] = {
    ROW(0x01, PEER_ID,            peer_id,            BYTES,   K1 | S2 | S3 | W2 | W3 | Q1,   0)
        LIMITS(0, 32, 32),
    ROW(0x02, CLEAR_FIELDS,       clear_fields,       CLEAR,   K2 | S2 | S3 | W2 | W3 | Q2,   0)
        LIMITS(0, 10, 18),
    ROW(0x03, CPACE_SHARE,        cpace_share,        BYTES,   W1 | W2,                       0)
        LIMITS(0, 32, 32),
    ROW(0x04, SLOT,               slot,               INTEGER, W1,                            0)
        LIMITS(0, 0, STT_CODE_SLOT_MAX),
    ROW(0x05, SUITES,             suites,             SUITES,  K1 | S1 | W1,                  0)
        LIMITS(0, 1, STT_SUITES_MAX),
    ROW(0x06, SUITE,              suite,              BYTE,    K2 | S2 | W2,                  0)
        LIMITS(0, 0, 255),
    ROW(0x10, APPLICATION,        application,        TEXT,    T,                             0)
        LIMITS(0, 1, STT_APPLICATION_MAX),
    ROW(0x11, IDLE_TIMEOUT_MS,    idle_timeout_ms,    INTEGER, 0,                             T)
        LIMITS(STT_IDLE_TIMEOUT_MS_DEFAULT, STT_IDLE_TIMEOUT_MS_MIN, STT_IDLE_TIMEOUT_MS_MAX),
    ROW(0x12, MAX_DATA,           max_data,           INTEGER, 0,                             T)
        LIMITS(0, 0, STT_VARINT_MAX),
    ROW(0x13, MAX_STREAM_DATA,    max_stream_data,    INTEGER, 0,                             T)
        LIMITS(0, 0, STT_VARINT_MAX),
    ROW(0x14, MAX_STREAMS,        max_streams,        INTEGER, 0,                             T)
        LIMITS(0, 0, STT_STREAMS_MAX),
    ROW(0x15, MAX_DATAGRAM_BYTES, max_datagram_bytes, INTEGER, 0,                             T)
        LIMITS(0, 0, STT_DATAGRAM_BYTES_MAX),
    ROW(0x16, MAX_PACKET_BYTES,   max_packet_bytes,   INTEGER, 0,                             T)
        LIMITS(STT_DATAGRAM_BYTES_MAX, STT_DATAGRAM_BYTES_MIN, STT_DATAGRAM_BYTES_MAX),
    ROW(0x17, MAX_ACK_DELAY_US,   max_ack_delay_us,   INTEGER, 0,                             T)
        LIMITS(STT_ACK_DELAY_US_DEFAULT, 0, STT_ACK_DELAY_US_MAX),
    ROW(0x18, MAX_IDS,            max_ids,            INTEGER, 0,                             T)
        LIMITS(STT_IDS_DEFAULT, STT_IDS_MIN, STT_IDS_MAX),
    ROW(0x19, EXCLUSIVE,          exclusive,          EMPTY,   0,                             T)
        LIMITS(0, 0, 0),
    ROW(0x1a, EXTENSIONS,         extensions,         TYPES,   0,                             T)
        LIMITS(0, 0, STT_EXTENSIONS_MAX),
    ROW(0x20, DHT,                dht,                BYTES,   Q1 | Q2,                       0)
        LIMITS(0, 0, STT_HANDSHAKE_BYTES),
};
/* clang-format on */

static bool is_integer(const struct stt_param_rule *rule)
{
    return rule->kind == STT_KIND_INTEGER || rule->kind == STT_KIND_BYTE;
}

static void *field(struct stt_params *p, const struct stt_param_rule *rule)
{
    return (uint8_t *)p + rule->field;
}

static uint64_t integer_in(const struct stt_params *p, const struct stt_param_rule *rule)
{
    uint64_t v;
    memcpy(&v, (const uint8_t *)p + rule->field, sizeof v);
    return v;
}

static struct bytes bytes_in(const struct stt_params *p, const struct stt_param_rule *rule)
{
    struct bytes b;
    memcpy(&b, (const uint8_t *)p + rule->field, sizeof b);
    return b;
}

void stt_params_init(struct stt_params *p)
{
    memset(p, 0, sizeof *p);
    for (unsigned i = 0; i < STT_PARAM_COUNT; i++)
        if (is_integer(&stt_param_rules[i]))
            memcpy(field(p, &stt_param_rules[i]), &stt_param_rules[i].initial, sizeof(uint64_t));
}

/* Limits. */

static size_t clear_bytes(enum stt_message message)
{
    return message == STT_MESSAGE_S3 || message == STT_MESSAGE_W3 ? STT_CLEAR_BYTES_3
                                                                  : STT_CLEAR_BYTES_2;
}

static bool is_text(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] < 0x21 || b.data[i] > 0x7e)
            return false;
    return true;
}

static bool is_distinct(struct bytes b)
{
    for (size_t i = 1; i < b.len; i++)
        if (memchr(b.data, b.data[i], i))
            return false;
    return true;
}

/* Ascending extension types, `most` of them at most. */
static bool is_types(struct bytes b, uint64_t most)
{
    struct rd r = rd_init(b);
    uint64_t above = STT_FRAME_EXTENSION;
    for (uint64_t n = 0; rd_left(&r); n++) {
        uint64_t type = rd_varint_shortest(&r);
        if (r.bad || n == most || type < above || !stt_frame_rule(type))
            return false;
        above = type + 1;
    }
    return true;
}

static bool is_within(uint64_t v, const struct stt_param_rule *rule)
{
    return v >= rule->min && v <= rule->max;
}

static bool is_valid(const struct stt_params *p, const struct stt_param_rule *rule,
                     enum stt_message message)
{
    if (is_integer(rule))
        return is_within(integer_in(p, rule), rule);
    struct bytes b = bytes_in(p, rule);
    switch (rule->kind) {
    case STT_KIND_TYPES:
        return is_types(b, rule->max);
    case STT_KIND_CLEAR:
        return b.len == clear_bytes(message);
    case STT_KIND_SUITES:
        return is_within(b.len, rule) && is_distinct(b);
    case STT_KIND_TEXT:
        return is_within(b.len, rule) && is_text(b);
    default:
        return is_within(b.len, rule);
    }
}

/* Everything that must be there is, everything else may be there, and all is valid. */
static bool is_complete(const struct stt_params *p, enum stt_message message)
{
    for (unsigned i = 0; i < STT_PARAM_COUNT; i++) {
        const struct stt_param_rule *rule = &stt_param_rules[i];
        bool must = rule->must >> message & 1, may = rule->may >> message & 1;
        bool present = stt_params_has(p, (enum stt_param)i);
        if (present ? !(must || may) || !is_valid(p, rule, message) : must)
            return false;
    }
    return p->present >> STT_PARAM_COUNT == 0;
}

/* Reading. */

/* STT_PARAM_COUNT when there is none. */
static unsigned find(uint64_t id)
{
    unsigned i = 0;
    while (i < STT_PARAM_COUNT && stt_param_rules[i].id != id)
        i++;
    return i;
}

static bool value_decode(struct stt_params *p, enum stt_param which, struct bytes value)
{
    const struct stt_param_rule *rule = &stt_param_rules[which];
    struct rd r = rd_init(value);
    stt_params_set(p, which);
    if (is_integer(rule)) {
        uint64_t v = rule->kind == STT_KIND_BYTE ? rd_u8(&r) : rd_varint(&r);
        memcpy(field(p, rule), &v, sizeof v);
        return rd_is_done(&r);
    }
    memcpy(field(p, rule), &value, sizeof value);
    return true;
}

bool stt_params_decode(struct bytes payload, enum stt_message message, struct stt_params *p)
{
    struct rd r = rd_init(payload);
    uint64_t lowest = 0;
    unsigned unknown = 0;
    stt_params_init(p);
    while (rd_left(&r)) {
        uint64_t id = rd_varint_shortest(&r);
        struct bytes value = rd_bytes(&r, rd_varint(&r));
        if (r.bad || id < lowest)
            return false;
        lowest = id + 1;
        unsigned which = find(id);
        if (which == STT_PARAM_COUNT) {
            if (id > STT_PARAM_ID_IGNORED_MAX || ++unknown > STT_PARAMS_UNKNOWN_MAX)
                return false;
        } else if (!value_decode(p, (enum stt_param)which, value)) {
            return false;
        }
    }
    return is_complete(p, message);
}

/* Writing. */

static void value_encode(struct wr *w, const struct stt_params *p,
                         const struct stt_param_rule *rule)
{
    wr_varint(w, rule->id);
    if (rule->kind == STT_KIND_BYTE) {
        wr_varint(w, 1);
        wr_u8(w, (uint8_t)integer_in(p, rule));
    } else if (rule->kind == STT_KIND_INTEGER) {
        wr_varint(w, stt_varint_size(integer_in(p, rule)));
        wr_varint(w, integer_in(p, rule));
    } else {
        wr_varint(w, bytes_in(p, rule).len);
        wr_bytes(w, bytes_in(p, rule));
    }
}

bool stt_params_encode(struct wr *w, enum stt_message message, const struct stt_params *p)
{
    struct wr start = *w;
    if (!is_complete(p, message))
        return false;
    for (unsigned i = 0; i < STT_PARAM_COUNT; i++)
        if (stt_params_has(p, (enum stt_param)i))
            value_encode(w, p, &stt_param_rules[i]);
    if (!w->bad)
        return true;
    *w = start;
    return false;
}

bool stt_params_has_extension(const struct stt_params *p, uint64_t type)
{
    struct rd r = rd_init(p->extensions);
    while (rd_left(&r) && !r.bad)
        if (rd_varint(&r) == type)
            return !r.bad;
    return false;
}
