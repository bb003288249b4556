/* SPDX-License-Identifier: MIT
 * Frames: the code's tables against the spec's, each layout byte for byte, and every rule that the
 * spec states for a frame by itself, in both directions. */
#include "stt/wire/frame.h"

#include "tests/support/frames.h"
#include "tests/support/hex.h"
#include "tests/support/rng.h"
#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX STT_VARINT_MAX

/* Tables. */

struct word {
    const char *text;
    unsigned value;
};

static const struct word allowed_words[] = {
    {"any", STT_IN_OTHER | STT_IN_IDENTIFY | STT_IN_OPEN},
    {"open", STT_IN_OPEN},
    {"identify, open", STT_IN_IDENTIFY | STT_IN_OPEN},
    {"as negotiated", STT_IN_OPEN},
};

static const struct word yes_no_words[] = {
    {"yes", true},
    {"no", false},
};

static const struct word loss_words[] = {
    {"forgotten", STT_LOSS_FORGOTTEN},
    {"newest sent", STT_LOSS_NEWEST_SENT},
    {"again until acked", STT_LOSS_AGAIN_UNTIL_ACKED},
    {"again while it reads", STT_LOSS_AGAIN_WHILE_IT_READS},
    {"data again", STT_LOSS_DATA_AGAIN},
    {"while blocked", STT_LOSS_WHILE_BLOCKED},
    {"never", STT_LOSS_NEVER},
    {"a fresh one", STT_LOSS_A_FRESH_ONE},
    {"answered in draining", STT_LOSS_ANSWERED_IN_DRAINING},
    {"as negotiated", STT_LOSS_AS_NEGOTIATED},
};

static unsigned meaning(const struct word *words, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i].text, text) == 0)
            return words[i].value;
    ck_abort_msg("the spec says \"%s\"", text);
    return 0;
}

#define MEANING(words, text) meaning(words, sizeof words / sizeof words[0], text)

/* "0x08-0x0f" or "0x1a". */
static void types_of(const char *cell, uint64_t *first, uint64_t *last)
{
    ck_assert_msg(spec_number(&cell, first), "%s", cell);
    *last = *first;
    if (*cell == '-') {
        cell++;
        ck_assert_msg(spec_number(&cell, last), "%s", cell);
    }
    ck_assert_str_eq(cell, "");
}

static void check_rule(const struct stt_frame_rule *rule, const char *const *cell)
{
    const char *name = cell[1];
    ck_assert_msg(rule, "no rule for %s", name);
    ck_assert_msg(strcasecmp(rule->name, name) == 0, "%s is %s", name, rule->name);
    ck_assert_msg(rule->allowed == MEANING(allowed_words, cell[3]), "%s: allowed", name);
    ck_assert_msg(rule->elicits_ack == MEANING(yes_no_words, cell[4]), "%s: elicits ack", name);
    ck_assert_msg(rule->moves_path == MEANING(yes_no_words, cell[5]), "%s: moves a path", name);
    ck_assert_msg(rule->lost == MEANING(loss_words, cell[6]), "%s: when lost", name);
}

START_TEST(the_frame_table_is_the_one_of_the_spec)
{
    struct spec_table t;
    spec_table_init(&t, "02-wire.md", "| type | name | fields | allowed in |");
    uint64_t next = 0, first, last;
    for (size_t i = 0; i < t.rows; i++) {
        types_of(t.cell[i][0], &first, &last);
        for (; next < first; next++)
            ck_assert_msg(!stt_frame_rule(next), "0x%02x is not in the spec", (unsigned)next);
        for (; next <= last; next++) {
            const struct stt_frame_rule *rule = stt_frame_rule(next);
            check_rule(rule, t.cell[i]);
            ck_assert_uint_eq(rule->first, first);
            ck_assert_uint_eq(rule->last, last);
        }
    }
    ck_assert_uint_eq(t.rows, 24);
    ck_assert(!stt_frame_rule(next) && !stt_frame_rule(MAX) && !stt_frame_rule(UINT64_MAX));
    spec_table_fini(&t);
}
END_TEST

START_TEST(the_close_codes_are_those_of_the_spec)
{
    struct spec_table t;
    spec_table_init(&t, "02-wire.md", "| code | name | meaning |");
    uint64_t code = 0;
    for (size_t i = 0; i < t.rows; i++) {
        const char *at = t.cell[i][0];
        ck_assert(spec_number(&at, &code));
        ck_assert_uint_eq(code, i);
        ck_assert_msg(stt_close_code_name(code), "%s", t.cell[i][1]);
        ck_assert_str_eq(stt_close_code_name(code), t.cell[i][1]);
        ck_assert_str_eq(stt_close_code_meaning(code), t.cell[i][2]);
    }
    ck_assert(!stt_close_code_name(code + 1) && !stt_close_code_meaning(code + 1));
    ck_assert(!stt_close_code_name(UINT64_MAX) && !stt_close_code_meaning(UINT64_MAX));
    spec_table_fini(&t);
}
END_TEST

/* Samples. */

static uint64_t any(struct rng *rng, uint64_t max)
{
    uint64_t v = rng_u64(rng) >> rng_between(rng, 2, 63);
    return v > max ? v % (max + 1) : v;
}

static const uint8_t some_bytes[300] = "no two bytes in a row are the same here";

static struct bytes any_bytes(struct rng *rng, size_t max)
{
    return bytes_of(some_bytes, rng_below(rng, max + 1));
}

/* Encoded ranges of a random ACK whose first reaches down to `smallest`. */
static void random_ranges(struct rng *rng, struct frame_ack *f, uint8_t room[512])
{
    struct wr w = wr_init(room, 512);
    uint64_t smallest = f->largest - f->first_range;
    for (uint64_t n = rng_below(rng, 20); n > 0 && smallest >= 2; n--) {
        uint64_t gap = any(rng, smallest - 2);
        uint64_t length = any(rng, smallest - 2 - gap);
        wr_varint(&w, gap);
        wr_varint(&w, length);
        smallest -= gap + length + 2;
        f->range_count++;
    }
    f->ranges = wr_done(&w);
}

static void random_ack(struct rng *rng, struct any_frame *f, uint8_t room[512])
{
    struct frame_ack *ack = &f->u.ack;
    ack->largest = any(rng, MAX);
    ack->delay_us = any(rng, MAX);
    ack->first_range = any(rng, ack->largest);
    ack->has_ecn = f->type == STT_FRAME_ACK_ECN;
    if (ack->has_ecn)
        ack->ecn = (struct frame_ecn){any(rng, MAX), any(rng, MAX), any(rng, MAX)};
    random_ranges(rng, ack, room);
}

static void random_stream(struct rng *rng, struct any_frame *f)
{
    struct frame_stream *s = &f->u.stream;
    s->stream = any(rng, MAX);
    s->fin = f->type & STT_STREAM_FIN;
    s->has_length = f->type & STT_STREAM_LENGTH;
    s->data = any_bytes(rng, 200);
    if (f->type & STT_STREAM_OFFSET)
        s->offset = 1 + any(rng, MAX - 201);
    if (s->offset && s->data.len == 0)
        s->data.len = 1;
}

static void random_body(struct rng *rng, struct any_frame *f, uint8_t room[512])
{
    switch (stt_frame_rule(f->type)->first) {
    case STT_FRAME_PADDING:
        f->u.padding = rng_between(rng, 1, 40);
        break;
    case STT_FRAME_PING:
        break;
    case STT_FRAME_ACK:
    case STT_FRAME_ACK_ECN:
        random_ack(rng, f, room);
        break;
    case STT_FRAME_RESET:
        f->u.reset = (struct frame_reset){any(rng, MAX), any(rng, MAX), any(rng, MAX)};
        break;
    case STT_FRAME_STOP:
        f->u.stop = (struct frame_stop){any(rng, MAX), any(rng, MAX)};
        break;
    case STT_FRAME_SKIP:
        f->u.skip = (struct frame_skip){any(rng, MAX), any(rng, MAX / 2), 1 + any(rng, MAX / 2)};
        break;
    case STT_FRAME_STREAM:
        random_stream(rng, f);
        break;
    case STT_FRAME_MAX_DATA:
    case STT_FRAME_DATA_BLOCKED:
        f->u.limit = (struct frame_limit){f->type, any(rng, MAX)};
        break;
    case STT_FRAME_MAX_STREAMS:
    case STT_FRAME_STREAMS_BLOCKED:
        f->u.limit = (struct frame_limit){f->type, any(rng, STT_STREAMS_MAX)};
        break;
    case STT_FRAME_MAX_STREAM_DATA:
    case STT_FRAME_STREAM_DATA_BLOCKED:
        f->u.stream_limit = (struct frame_stream_limit){f->type, any(rng, MAX), any(rng, MAX)};
        break;
    case STT_FRAME_DATAGRAM:
        f->u.datagram = (struct frame_datagram){any_bytes(rng, 200), f->type & STT_DATAGRAM_LENGTH};
        break;
    case STT_FRAME_NEW_ID:
        f->u.new_id.sequence = any(rng, MAX);
        f->u.new_id.retire_before = any(rng, f->u.new_id.sequence);
        rng_fill(rng, f->u.new_id.id.bytes, STT_ID_BYTES);
        break;
    case STT_FRAME_RETIRE_ID:
        f->u.retire_id.sequence = any(rng, MAX);
        break;
    case STT_FRAME_PATH_CHALLENGE:
    case STT_FRAME_PATH_RESPONSE:
        f->u.path.type = f->type;
        rng_fill(rng, f->u.path.token, STT_PATH_TOKEN_BYTES);
        break;
    case STT_FRAME_REKEY:
        f->u.rekey.stage = (uint8_t)rng_between(rng, 1, 2);
        f->u.rekey.epoch = any(rng, MAX);
        f->u.rekey.noise = any_bytes(rng, STT_REKEY_MESSAGE_BYTES_MAX);
        break;
    case STT_FRAME_IDENTITY:
        rng_fill(rng, f->u.identity.peer_id, STT_PEER_ID_BYTES);
        rng_fill(rng, f->u.identity.signature, STT_SIGNATURE_BYTES);
        break;
    case STT_FRAME_CLOSE:
    case STT_FRAME_CLOSE_APPLICATION:
        f->u.close.type = f->type;
        f->u.close.code = any(rng, MAX);
        f->u.close.frame_type = f->type == STT_FRAME_CLOSE ? any(rng, MAX) : 0;
        f->u.close.reason = any_bytes(rng, STT_REASON_BYTES_MAX);
        break;
    default:
        f->u.extension = (struct frame_extension){f->type, any_bytes(rng, 200)};
    }
}

/* A frame of this type, and its bytes. */
struct sample {
    struct any_frame f;
    uint8_t room[512], data[1024];
    struct bytes bytes;
};

static void sample_init(struct sample *s, struct rng *rng, uint64_t type)
{
    memset(s, 0, sizeof *s);
    s->f.type = type;
    random_body(rng, &s->f, s->room);
    struct wr w = wr_init(s->data, sizeof s->data);
    ck_assert_msg(any_frame_encode(&w, &s->f), "type 0x%x", (unsigned)type);
    s->bytes = wr_done(&w);
}

static const uint64_t types[] = {
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0a,   0x0b,   0x0c,
    0x0d, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x18,   0x19,   0x1a,
    0x1b, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x40, 0x41, 0x1234, 0x3fff,
};

#define EACH_TYPE(name) LOOP(name, 0, sizeof types / sizeof types[0])

/* Such a frame ends where the packet ends. */
static bool is_open_ended(uint64_t type)
{
    return type == 0x08 || type == 0x09 || type == 0x0c || type == 0x0d || type == 0x18;
}

START_TEST(every_frame_survives_a_round_trip)
{
    struct rng rng = rng_init((uint64_t)_i);
    for (int n = 0; n < 500; n++) {
        struct sample s;
        struct any_frame again;
        sample_init(&s, &rng, types[_i]);
        struct rd r = rd_init(s.bytes);
        ck_assert(any_frame_decode(&r, &again) && rd_is_done(&r));
        ck_assert(any_frame_equal(&s.f, &again));
        uint64_t written = s.f.type;
        if (written >= 0x08 && written <= 0x0f && s.f.u.stream.offset == 0)
            written &= ~(uint64_t)STT_STREAM_OFFSET;
        ck_assert_uint_eq(again.type, written);
    }
}
END_TEST

START_TEST(every_prefix_is_refused)
{
    struct rng rng = rng_init((uint64_t)_i);
    if (is_open_ended(types[_i]) || types[_i] == STT_FRAME_PADDING)
        return; /* a shorter one is a frame, too */
    for (int n = 0; n < 50; n++) {
        struct sample s;
        struct any_frame f;
        sample_init(&s, &rng, types[_i]);
        for (size_t len = 0; len < s.bytes.len; len++) {
            uint8_t *exact = malloc(len ? len : 1); /* so that a sanitizer sees the end */
            ck_assert_ptr_nonnull(exact);
            memcpy(exact, s.data, len);
            struct rd r = rd_init(bytes_of(exact, len));
            ck_assert_msg(!any_frame_decode(&r, &f) && r.bad, "%zu of %zu", len, s.bytes.len);
            free(exact);
        }
    }
}
END_TEST

START_TEST(a_prefix_of_an_open_ended_header_is_refused)
{
    uint8_t header[32];
    struct frame_stream f = {.stream = 1 << 20, .offset = UINT64_C(1) << 40, .fin = true};
    struct wr w = wr_init(header, sizeof header);
    ck_assert(stt_frame_stream_encode(&w, &f));
    ck_assert_uint_eq(wr_len(&w), 1 + 4 + 8);
    for (size_t len = 0; len < wr_len(&w); len++) {
        struct any_frame again;
        struct rd r = rd_init(bytes_of(header, len));
        ck_assert(!any_frame_decode(&r, &again) && r.bad);
    }
}
END_TEST

/* Where even a part is worth sending, which is so for ACK alone, a part is written. */
START_TEST(every_too_small_buffer_is_refused_and_left_as_it_was)
{
    struct rng rng = rng_init((uint64_t)_i);
    for (int n = 0; n < 20; n++) {
        struct sample s;
        uint8_t out[1024];
        sample_init(&s, &rng, types[_i]);
        for (size_t room = 0; room < s.bytes.len; room++) {
            struct wr w = wr_init(out, room);
            ck_assert(!any_frame_encode(&w, &s.f) && !w.bad);
            ck_assert(wr_len(&w) == 0 || types[_i] == STT_FRAME_ACK ||
                      types[_i] == STT_FRAME_ACK_ECN);
        }
    }
}
END_TEST

/* Layouts, byte for byte. */

struct layout {
    const char *hex;
    struct any_frame f;
};

#define TEXT(text)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }

static const struct layout layouts[] = {
    {"00 00 00", {0x00, .u.padding = 3}},
    {"01", {0x01, .u.padding = 0}},
    {"04 05 07 4100", {0x04, .u.reset = {5, 7, 256}}},
    {"05 05 07", {0x05, .u.stop = {5, 7}}},
    {"06 02 4040 01", {0x06, .u.skip = {2, 64, 1}}},
    {"08 04 616263", {0x08, .u.stream = {4, 0, TEXT("abc"), false, false}}},
    {"0f 04 05 03 616263", {0x0f, .u.stream = {4, 5, TEXT("abc"), true, true}}},
    {"0a 04 00", {0x0a, .u.stream = {4, 0, TEXT(""), true, false}}},
    {"0d 04 05", {0x0d, .u.stream = {4, 5, TEXT(""), false, true}}},
    {"10 c000001000000000", {0x10, .u.limit = {0x10, UINT64_C(1) << 36}}},
    {"11 08 7fff", {0x11, .u.stream_limit = {0x11, 8, 16383}}},
    {"12 d000000000000000", {0x12, .u.limit = {0x12, UINT64_C(1) << 60}}},
    {"13 01", {0x13, .u.limit = {0x13, 1}}},
    {"14 08 01", {0x14, .u.stream_limit = {0x14, 8, 1}}},
    {"15 01", {0x15, .u.limit = {0x15, 1}}},
    {"18 616263", {0x18, .u.datagram = {TEXT("abc"), false}}},
    {"19 03 616263", {0x19, .u.datagram = {TEXT("abc"), true}}},
    {"1a 03 02 0102030405060708", {0x1a, .u.new_id = {3, 2, {{1, 2, 3, 4, 5, 6, 7, 8}}}}},
    {"1b 03", {0x1b, .u.retire_id = {3}}},
    {"1c 0102030405060708", {0x1c, .u.path = {0x1c, {1, 2, 3, 4, 5, 6, 7, 8}}}},
    {"1d 0102030405060708", {0x1d, .u.path = {0x1d, {1, 2, 3, 4, 5, 6, 7, 8}}}},
    {"1e 02 4040 03 616263", {0x1e, .u.rekey = {2, 64, TEXT("abc")}}},
    {"1f 01020000000000000000000000000000 00000000000000000000000000000000"
     "   03040000000000000000000000000000 00000000000000000000000000000000"
     "   00000000000000000000000000000000 00000000000000000000000000000000",
     {0x1f, .u.identity = {{1, 2}, {3, 4}}}},
    {"20 03 1f 03 616263", {0x20, .u.close = {0x20, 3, 0x1f, TEXT("abc")}}},
    {"21 4321 03 616263", {0x21, .u.close = {0x21, 0x321, 0, TEXT("abc")}}},
    {"4040 03 616263", {0x40, .u.extension = {0x40, TEXT("abc")}}},
    {"7fff 00", {0x3fff, .u.extension = {0x3fff, TEXT("")}}},
};

START_TEST(each_frame_is_laid_out_as_drawn)
{
    const struct layout *layout = &layouts[_i];
    uint8_t expected[128], out[128];
    struct bytes b = {expected, hex_decode(layout->hex, expected, sizeof expected)};
    struct wr w = wr_init(out, sizeof out);
    ck_assert(any_frame_encode(&w, &layout->f));
    ck_assert_msg(bytes_equal(wr_done(&w), b), "%s", layout->hex);
    struct any_frame f;
    struct rd r = rd_init(b);
    ck_assert(any_frame_decode(&r, &f) && rd_is_done(&r) && f.type == layout->f.type);
    ck_assert_msg(any_frame_equal(&f, &layout->f), "%s", layout->hex);
}
END_TEST

static bool decodes(const char *hex)
{
    uint8_t data[512];
    struct any_frame f;
    struct rd r = rd_init(bytes_of(data, hex_decode(hex, data, sizeof data)));
    bool ok = any_frame_decode(&r, &f);
    ck_assert(!ok || rd_is_done(&r));
    return ok;
}

static const struct verdict {
    const char *what, *hex;
    bool ok;
} verdicts[] = {
    {"a type in two bytes that fits in one", "4001", false},
    {"a type in four bytes", "80000001", false},
    {"an extension in four bytes", "80000040 00", false},
    {"an unknown type", "07", false},
    {"an unknown type", "3f", false},
    {"a type above all extensions", "80004000 00", false},
    {"a field in longer form", "1b 4003", true},
    {"a SKIP of nothing", "06 02 05 00", false},
    {"a SKIP to the last offset", "06 02 fffffffffffffffe 01", true},
    {"a SKIP beyond it", "06 02 ffffffffffffffff 01", false},
    {"STREAM data to the last offset", "0e 04 fffffffffffffffe 01 61", true},
    {"STREAM data beyond it", "0e 04 ffffffffffffffff 01 61", false},
    {"an open-ended STREAM beyond it", "0c 04 fffffffffffffffe 6161", false},
    {"an empty STREAM at offset 0", "0a 04 00", true},
    {"an empty STREAM at an explicit offset 0", "0e 04 00 00", true},
    {"an empty STREAM further on", "0e 04 05 00", false},
    {"an empty STREAM further on, open-ended", "0c 04 05", false},
    {"an empty STREAM further on that ends it", "0f 04 05 00", true},
    {"a STREAM Length beyond the packet", "0a 04 04 616263", false},
    {"the most streams", "12 d000000000000000", true},
    {"one stream more", "12 d000000000000001", false},
    {"blocked at the most streams", "15 d000000000000000", true},
    {"blocked above them", "15 d000000000000001", false},
    {"as much data is no number of streams", "10 d000000000000001", true},
    {"an id that retires all before it", "1a 03 03 0102030405060708", true},
    {"an id that retires itself", "1a 03 04 0102030405060708", false},
    {"an id of zeros", "1a 03 02 0000000000000000", false},
    {"REKEY of stage 0", "1e 00 01 00", false},
    {"REKEY of stage 3", "1e 03 01 00", false},
    {"an ACK of 0", "02 00 00 00 00", true},
    {"a first range below 0", "02 00 00 00 01", false},
    {"a second range to 0", "02 03 00 01 00 00 01", true},
    {"a second range below 0", "02 03 00 01 00 00 02", false},
    {"a gap below 0", "02 03 00 01 00 02 00", false},
    {"a gap to 0", "02 03 00 01 00 01 00", true},
    {"a gap of nearly all numbers", "02 03 00 01 00 ffffffffffffffff ffffffffffffffff", false},
    {"10^6 ranges announced", "02 ffffffffffffffff 00 800f4240 00 0000", false},
    {"2^62-1 ranges announced", "02 ffffffffffffffff 00 ffffffffffffffff 00 0000", false},
    {"ECN counts missing", "03 00 00 00 00", false},
    {"ECN counts", "03 00 00 00 00 01 02 03", true},
};

START_TEST(what_a_frame_may_not_say_is_refused)
{
    const struct verdict *v = &verdicts[_i];
    ck_assert_msg(decodes(v->hex) == v->ok, "%s: %s", v->what, v->hex);
}
END_TEST

START_TEST(long_fields_are_refused_above_their_limit_and_not_written)
{
    static const uint8_t long_text[STT_REASON_BYTES_MAX + 1] = {0};
    for (size_t over = 0; over <= 1; over++) {
        struct any_frame again, rekey = {0x1e, .u.rekey = {1, 1, BYTES_NONE}},
                                close = {0x20, .u.close = {0x20, 0, 0, BYTES_NONE}};
        rekey.u.rekey.noise = bytes_of(long_text, STT_REKEY_MESSAGE_BYTES_MAX + over);
        close.u.close.reason = bytes_of(long_text, STT_REASON_BYTES_MAX + over);
        uint8_t out[512];
        struct wr w = wr_init(out, sizeof out);
        ck_assert_int_eq(any_frame_encode(&w, &rekey), !over);
        w = wr_init(out, sizeof out);
        ck_assert_int_eq(any_frame_encode(&w, &close), !over);

        w = wr_init(out, sizeof out); /* by hand, since no encoder writes it */
        wr_u8(&w, 0x1e);
        wr_u8(&w, 1);
        wr_u8(&w, 1);
        wr_varint(&w, rekey.u.rekey.noise.len);
        wr_bytes(&w, rekey.u.rekey.noise);
        struct rd r = rd_init(wr_done(&w));
        ck_assert_int_eq(any_frame_decode(&r, &again), !over);
        w = wr_init(out, sizeof out);
        wr_u8(&w, 0x21);
        wr_u8(&w, 1);
        wr_varint(&w, close.u.close.reason.len);
        wr_bytes(&w, close.u.close.reason);
        r = rd_init(wr_done(&w));
        ck_assert_int_eq(any_frame_decode(&r, &again), !over);
    }
}
END_TEST

static const struct any_frame unspeakable[] = {
    {0x06, .u.skip = {0, 0, 0}},
    {0x06, .u.skip = {0, MAX, 1}},
    {0x06, .u.skip = {0, 0, MAX + 1}},
    {0x04, .u.reset = {MAX + 1, 0, 0}},
    {0x0a, .u.stream = {0, 5, TEXT(""), true, false}},
    {0x0a, .u.stream = {0, MAX, TEXT("a"), true, false}},
    {0x0a, .u.stream = {MAX + 1, 0, TEXT("a"), true, false}},
    {0x12, .u.limit = {0x12, STT_STREAMS_MAX + 1}},
    {0x15, .u.limit = {0x15, STT_STREAMS_MAX + 1}},
    {0x1a, .u.new_id = {1, 2, {{1}}}},
    {0x1a, .u.new_id = {1, 1, {{0}}}},
    {0x1e, .u.rekey = {0, 1, TEXT("abc")}},
    {0x40, .u.extension = {0x4000, TEXT("abc")}},
    {0x40, .u.extension = {0x3f, TEXT("abc")}},
};

START_TEST(what_a_decoder_refuses_is_not_written)
{
    uint8_t out[128];
    struct wr w = wr_init(out, sizeof out);
    ck_assert(!any_frame_encode(&w, &unspeakable[_i]));
    ck_assert(!w.bad && wr_len(&w) == 0);
}
END_TEST

START_TEST(a_failed_cursor_stays_failed)
{
    uint8_t out[64] = {0};
    struct wr w = wr_init(out, sizeof out);
    w.bad = true;
    ck_assert(!stt_frame_ping_encode(&w) && w.bad && wr_len(&w) == 0);
    ck_assert_uint_eq(stt_frame_ack_encode(&w, &(struct stt_range){0, 1}, 1, 0, NULL), 0);
    ck_assert(w.bad && wr_len(&w) == 0 && out[0] == 0);
}
END_TEST

START_TEST(a_run_of_padding_is_taken_at_once)
{
    uint8_t data[64];
    for (size_t zeros = 1; zeros < sizeof data; zeros++)
        for (size_t behind = 0; behind <= 1; behind++) {
            memset(data, 0, zeros);
            data[zeros] = STT_FRAME_PING;
            struct any_frame f;
            struct rd r = rd_init(bytes_of(data, zeros + behind));
            ck_assert(any_frame_decode(&r, &f));
            ck_assert(f.type == STT_FRAME_PADDING && f.u.padding == zeros);
            ck_assert_uint_eq(rd_left(&r), behind);
        }
}
END_TEST

/* STREAM headers. */

START_TEST(a_stream_header_has_the_announced_size)
{
    struct rng rng = rng_init(3);
    for (int n = 0; n < 2000; n++) {
        uint8_t with[512], header[32];
        struct frame_stream f = {.stream = any(&rng, MAX),
                                 .offset = any(&rng, MAX - 300),
                                 .data = {some_bytes, rng_between(&rng, 1, 300)},
                                 .has_length = rng_chance(&rng, 50),
                                 .fin = rng_chance(&rng, 50)};
        struct wr w = wr_init(header, sizeof header), whole = wr_init(with, sizeof with);
        ck_assert(stt_frame_stream_header_encode(&w, &f));
        ck_assert(stt_frame_stream_encode(&whole, &f));
        size_t size = stt_frame_stream_header_size(f.stream, f.offset) +
                      (f.has_length ? stt_varint_size(f.data.len) : 0);
        ck_assert_uint_eq(wr_len(&w), size);
        ck_assert_uint_eq(wr_len(&whole), size + f.data.len);
        ck_assert_mem_eq(with, header, size);
        ck_assert_mem_eq(with + size, f.data.data, f.data.len);
    }
}
END_TEST

/* The most data that fits is the most for which an encoder finds room. */
START_TEST(the_data_that_fits_fits_exactly)
{
    static const size_t around[] = {0, 60, 16380, 65500};
    enum { HEADER = 5 };
    for (size_t i = 0; i < sizeof around / sizeof around[0]; i++)
        for (size_t room = around[i]; room < around[i] + 20; room++) {
            size_t plain = room > HEADER ? room - HEADER : 0, most = 0;
            for (size_t len = 0; len <= plain; len++)
                if (HEADER + stt_varint_size(len) + len <= room)
                    most = len;
            ck_assert_uint_eq(stt_frame_stream_fit(HEADER, room, false), plain);
            ck_assert_uint_eq(stt_frame_stream_fit(HEADER, room, true), most);
        }
}
END_TEST

/* ACK. */

START_TEST(an_ack_is_laid_out_as_drawn)
{
    static const struct stt_range ranges[] = {{0, 1}, {3, 7}, {10, 101}};
    static const uint8_t expected[] = {0x03, 0x40, 100,  0x40, 0x80, 2, 0x40, 90, /* 10 to 100 */
                                       2,    3, /* 3 to 6: 7, 8, 9 are missing */
                                       1,    0, /* 0: 1, 2 are missing */
                                       5,    6,    0x40, 0x64};
    uint8_t out[64];
    struct wr w = wr_init(out, sizeof out);
    struct frame_ecn ecn = {5, 6, 100};
    ck_assert_uint_eq(stt_frame_ack_encode(&w, ranges, 3, 128, &ecn), 3);
    ck_assert(bytes_equal(wr_done(&w), BYTES(expected)));

    struct any_frame f;
    struct rd r = rd_init(wr_done(&w));
    ck_assert(any_frame_decode(&r, &f) && f.type == STT_FRAME_ACK_ECN);
    ck_assert(f.u.ack.largest == 100 && f.u.ack.delay_us == 128 && f.u.ack.range_count == 2);
    ck_assert(f.u.ack.ecn.ect0 == 5 && f.u.ack.ecn.ect1 == 6 && f.u.ack.ecn.ce == 100);
    struct frame_ack_walk walk = stt_frame_ack_walk(&f.u.ack);
    struct stt_range range;
    for (size_t i = 3; i-- > 0;)
        ck_assert(stt_frame_ack_next(&walk, &range) && range.from == ranges[i].from &&
                  range.to == ranges[i].to);
    ck_assert(!stt_frame_ack_next(&walk, &range));
    ck_assert(!stt_frame_ack_next(&walk, &range));
}
END_TEST

enum { RANGES = 300 };

/* Ascending ranges with gaps of every size; the older half is of another width than the newer. */
static void random_set(struct rng *rng, struct stt_range ranges[RANGES], size_t n)
{
    uint64_t at = any(rng, 1 << 20);
    unsigned wide[2] = {(unsigned)rng_below(rng, 40), (unsigned)rng_below(rng, 40)};
    for (size_t i = 0; i < n; i++) {
        uint64_t most = (UINT64_C(1) << wide[i < n / 2]) - 1;
        ranges[i].from = at;
        ranges[i].to = at + 1 + any(rng, most);
        at = ranges[i].to + 1 + any(rng, most);
    }
}

/* Bytes of an ACK of the newest `n` ranges, counted field by field. */
static size_t ack_size(const struct stt_range *ranges, size_t all, size_t n)
{
    const struct stt_range *newest = &ranges[all - 1];
    size_t size = 1 + stt_varint_size(newest->to - 1) + 1 + stt_varint_size(n - 1) +
                  stt_varint_size(newest->to - newest->from - 1);
    for (size_t i = all - 1; i > all - n; i--)
        size += stt_varint_size(ranges[i].from - ranges[i - 1].to - 1) +
                stt_varint_size(ranges[i - 1].to - ranges[i - 1].from - 1);
    return size;
}

START_TEST(an_ack_holds_as_many_of_the_newest_ranges_as_fit)
{
    struct rng rng = rng_init((uint64_t)_i);
    struct stt_range ranges[RANGES], range;
    uint8_t out[6000];
    size_t n = _i % 2 ? rng_between(&rng, 1, RANGES) : RANGES;
    size_t most = n < STT_ACK_RANGES_MAX ? n : STT_ACK_RANGES_MAX, fits = 0;
    random_set(&rng, ranges, n);
    for (size_t room = 0; room < 5200; room++) {
        while (fits < most && ack_size(ranges, n, fits + 1) <= room)
            fits++;
        struct wr w = wr_init(out, room);
        ck_assert_uint_eq(stt_frame_ack_encode(&w, ranges, n, 9, NULL), fits);
        ck_assert(!w.bad);
        ck_assert_uint_eq(wr_len(&w), fits ? ack_size(ranges, n, fits) : 0);
        if (fits == 0 || room % 97)
            continue;
        struct any_frame f;
        struct rd r = rd_init(wr_done(&w));
        ck_assert(any_frame_decode(&r, &f) && rd_is_done(&r));
        struct frame_ack_walk walk = stt_frame_ack_walk(&f.u.ack);
        for (size_t i = 0; i < fits; i++)
            ck_assert(stt_frame_ack_next(&walk, &range) && range.from == ranges[n - 1 - i].from &&
                      range.to == ranges[n - 1 - i].to);
        ck_assert(!stt_frame_ack_next(&walk, &range));
    }
    ck_assert_uint_eq(fits, most);
}
END_TEST

/* Wherever an offset grows by a byte, and with ids of every length. */
START_TEST(heads_of_a_run_are_headers)
{
    static const uint64_t ids[] = {0, 63, 64, 16383, 16384, 1u << 30, STT_VARINT_MAX};
    static const uint64_t offsets[] = {1,
                                       62,
                                       63,
                                       64,
                                       16382,
                                       16383,
                                       16384,
                                       1073741822,
                                       1073741823,
                                       1073741824,
                                       UINT64_C(7) << 40,
                                       UINT64_C(1) << 61};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        for (size_t k = 0; k < sizeof offsets / sizeof offsets[0]; k++) {
            uint8_t wanted[64], out[STT_FRAME_STREAM_HEAD_ROOM];
            struct wr w = wr_init(wanted, sizeof wanted);
            struct frame_stream f = {
                .stream = ids[i], .offset = offsets[k], .data = bytes_of(NULL, 1)};
            struct frame_stream_head h = stt_frame_stream_head(ids[i], offsets[k]);
            ck_assert(stt_frame_stream_header_encode(&w, &f));
            stt_frame_stream_head_write(&h, offsets[k], out);
            ck_assert_uint_eq(h.len, wr_len(&w));
            ck_assert_mem_eq(out, wanted, h.len);
            ck_assert_uint_eq(stt_frame_stream_header_size(ids[i], h.last_offset), h.len);
            ck_assert(h.last_offset == STT_VARINT_MAX ||
                      stt_frame_stream_header_size(ids[i], h.last_offset + 1) > h.len);
        }
}
END_TEST

START_TEST(no_ranges_make_no_ack)
{
    uint8_t out[64];
    struct wr w = wr_init(out, sizeof out);
    ck_assert_uint_eq(stt_frame_ack_encode(&w, NULL, 0, 0, NULL), 0);
    ck_assert(!w.bad && wr_len(&w) == 0);
}
END_TEST

START_TEST(the_range_of_all_numbers_can_be_acked)
{
    uint8_t out[64];
    struct wr w = wr_init(out, sizeof out);
    struct stt_range all = {0, MAX + 1}, range;
    ck_assert_uint_eq(stt_frame_ack_encode(&w, &all, 1, 0, NULL), 1);
    struct any_frame f;
    struct rd r = rd_init(wr_done(&w));
    ck_assert(any_frame_decode(&r, &f));
    struct frame_ack_walk walk = stt_frame_ack_walk(&f.u.ack);
    ck_assert(stt_frame_ack_next(&walk, &range) && range.from == 0 && range.to == MAX + 1);

    all.to++; /* 2^62 is no packet number */
    w = wr_init(out, sizeof out);
    ck_assert_uint_eq(stt_frame_ack_encode(&w, &all, 1, 0, NULL), 0);
    ck_assert(!w.bad && wr_len(&w) == 0);
}
END_TEST

/* All are checked, at most 256 are walked: `many` behind the first, each of one number. */
static void check_many(unsigned many, uint64_t largest)
{
    static uint8_t out[4096];
    struct wr w = wr_init(out, sizeof out);
    wr_u8(&w, STT_FRAME_ACK);
    wr_varint(&w, largest);
    wr_u8(&w, 0);
    wr_varint(&w, many);
    wr_u8(&w, 0);
    wr_zeros(&w, 2 * many);
    struct any_frame f;
    struct rd r = rd_init(wr_done(&w));
    bool ok = any_frame_decode(&r, &f);
    ck_assert_int_eq(ok, largest >= 2 * many); /* or the last range would be below 0 */
    if (!ok)
        return;
    struct frame_ack_walk walk = stt_frame_ack_walk(&f.u.ack);
    struct stt_range range;
    unsigned n = 0;
    for (; stt_frame_ack_next(&walk, &range); n++)
        ck_assert(range.from == largest - 2 * n && range.to == range.from + 1);
    ck_assert_uint_eq(n, many < 255 ? many + 1 : 256);
}

START_TEST(an_ack_of_many_ranges_is_walked_to_its_limit)
{
    static const unsigned many[] = {1, 254, 255, 256, 1000};
    for (size_t i = 0; i < sizeof many / sizeof many[0]; i++) {
        check_many(many[i], 2 * many[i] - 1);
        check_many(many[i], 2 * many[i]);
    }
}
END_TEST

SUITE("frame", TEST(the_frame_table_is_the_one_of_the_spec),
      TEST(the_close_codes_are_those_of_the_spec), EACH_TYPE(every_frame_survives_a_round_trip),
      EACH_TYPE(every_prefix_is_refused), TEST(a_prefix_of_an_open_ended_header_is_refused),
      EACH_TYPE(every_too_small_buffer_is_refused_and_left_as_it_was),
      LOOP(each_frame_is_laid_out_as_drawn, 0, sizeof layouts / sizeof layouts[0]),
      LOOP(what_a_frame_may_not_say_is_refused, 0, sizeof verdicts / sizeof verdicts[0]),
      TEST(long_fields_are_refused_above_their_limit_and_not_written),
      LOOP(what_a_decoder_refuses_is_not_written, 0, sizeof unspeakable / sizeof unspeakable[0]),
      TEST(a_failed_cursor_stays_failed), TEST(a_run_of_padding_is_taken_at_once),
      TEST(a_stream_header_has_the_announced_size), TEST(the_data_that_fits_fits_exactly),
      TEST(heads_of_a_run_are_headers), TEST(an_ack_is_laid_out_as_drawn),
      LOOP(an_ack_holds_as_many_of_the_newest_ranges_as_fit, 0, 12), TEST(no_ranges_make_no_ack),
      TEST(the_range_of_all_numbers_can_be_acked),
      TEST(an_ack_of_many_ranges_is_walked_to_its_limit))
