/* SPDX-License-Identifier: MIT
 * Handshake parameters: the code's table against the spec's, and every rule that the table states,
 * in both directions. */
#include "stt/wire/params.h"

#include "stt/wire/packet.h"
#include "tests/support/hex.h"
#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGES = STT_MESSAGE_Q2 + 1, ROOM = STT_HANDSHAKE_BYTES };

static const char *const message_names[MESSAGES] = {"K1", "K2", "S1", "S2", "S3",
                                                    "W1", "W2", "W3", "Q1", "Q2"};

#define EACH_MESSAGE(name) LOOP(name, 0, MESSAGES)

/* The table of the spec. */

static const struct kind_word {
    const char *value;
    enum stt_param_kind kind;
} kind_words[] = {
    {"integer", STT_KIND_INTEGER},
    {"1 byte", STT_KIND_BYTE},
    {"32 bytes", STT_KIND_BYTES},
    {"bytes", STT_KIND_BYTES},
    {"18 or 10 bytes", STT_KIND_CLEAR},
    {"1 byte each", STT_KIND_SUITES},
    {"text", STT_KIND_TEXT},
    {"empty", STT_KIND_EMPTY},
    {"varints, ascending", STT_KIND_TYPES},
};

static enum stt_param_kind kind_of(const char *value)
{
    for (size_t i = 0; i < sizeof kind_words / sizeof kind_words[0]; i++)
        if (strcmp(kind_words[i].value, value) == 0)
            return kind_words[i].kind;
    ck_abort_msg("the spec says \"%s\"", value);
    return STT_KIND_BYTES;
}

/* "K1, S2" or "[T]", where T is what the spec's last paragraph says. */
static void messages_of(const char *cell, unsigned *must, unsigned *may)
{
    bool optional = cell[0] == '[';
    unsigned in = 0;
    for (unsigned i = 0; i < MESSAGES; i++)
        if (strstr(cell, message_names[i]))
            in |= 1u << i;
    if (strchr(cell, 'T')) {
        char *prose = spec_prose("02-wire.md");
        ck_assert(strstr(prose,
                         "T, the transport parameters, travel in K1 and K2, S2 and S3, W2 and W3"));
        free(prose);
        in = 1u << STT_MESSAGE_K1 | 1u << STT_MESSAGE_K2 | 1u << STT_MESSAGE_S2 |
             1u << STT_MESSAGE_S3 | 1u << STT_MESSAGE_W2 | 1u << STT_MESSAGE_W3;
    }
    *must = optional ? 0 : in;
    *may = optional ? in : 0;
}

/* "1,000 to 3,600,000" and "to 2^60" are limits, "32 bytes" and "18 or 10 bytes" lengths; where the
 * spec states none, the size of the message is the limit. */
static void limits_of(const char *const *cell, uint64_t *min, uint64_t *max)
{
    const char *value = cell[2], *limits = cell[4];
    uint64_t n;
    *min = 0;
    *max = kind_of(value) == STT_KIND_BYTE ? 255 : kind_of(value) == STT_KIND_EMPTY ? 0 : ROOM;
    if (kind_of(value) == STT_KIND_CLEAR) {
        ck_assert(spec_number(&value, max) && strncmp(value, " or ", 4) == 0);
        value += 4;
        ck_assert(spec_number(&value, min));
    } else if (kind_of(value) == STT_KIND_BYTES && spec_number(&value, &n)) {
        *min = *max = n;
    } else if (strncmp(limits, "to ", 3) == 0) {
        limits += 3;
        ck_assert(spec_number(&limits, max));
    } else if (spec_number(&limits, &n) && strncmp(limits, " to ", 4) == 0) {
        limits += 4;
        *min = n;
        ck_assert(spec_number(&limits, max));
    }
}

static void check_rule(const struct stt_param_rule *rule, const char *const *cell)
{
    const char *name = cell[1], *id = cell[0], *initial = cell[3];
    uint64_t expected = 0, min, max;
    unsigned must, may;
    ck_assert_str_eq(rule->name, name);
    ck_assert_msg(spec_number(&id, &expected) && rule->id == expected, "%s: id", name);
    ck_assert_msg(rule->kind == kind_of(cell[2]), "%s: kind", name);
    expected = 0; /* "-", "none" and "absent" */
    spec_number(&initial, &expected);
    ck_assert_msg(rule->initial == expected, "%s: default", name);
    limits_of(cell, &min, &max);
    ck_assert_msg(rule->min == min && rule->max == max, "%s: limits", name);
    messages_of(cell[5], &must, &may);
    ck_assert_msg(rule->must == must && rule->may == may, "%s: in", name);
}

START_TEST(the_table_is_the_one_of_the_spec)
{
    struct spec_table t;
    spec_table_init(&t, "02-wire.md", "| id | name | value | default | limits | in |");
    ck_assert_uint_eq(t.rows, STT_PARAM_COUNT);
    for (size_t i = 0; i < t.rows; i++) {
        check_rule(&stt_param_rules[i], t.cell[i]);
        ck_assert(i == 0 || stt_param_rules[i].id > stt_param_rules[i - 1].id);
    }
    spec_table_fini(&t);
}
END_TEST

/* Values for every parameter, none of them a default. */

static const uint8_t thirty_two[32] = {7}, clear[STT_CLEAR_BYTES_2] = {0xa1};
static const uint8_t suites[] = {1, 2, 4}, extensions[] = {0x40, 0x40, 0x7f, 0xff};

static const struct stt_params full = {
    .peer_id = {thirty_two, 32},
    .clear_fields = {clear, sizeof clear},
    .cpace_share = {thirty_two, 32},
    .slot = 417,
    .suites = {suites, sizeof suites},
    .suite = 2,
    .application = {(const uint8_t *)"sttcat/1", 8},
    .idle_timeout_ms = 60000,
    .max_data = UINT64_C(1) << 40,
    .max_stream_data = UINT64_C(1) << 30,
    .max_streams = 256,
    .max_datagram_bytes = 1200,
    .max_packet_bytes = 9000,
    .max_ack_delay_us = 0,
    .max_ids = 8,
    .extensions = {extensions, sizeof extensions},
    .dht = {thirty_two, 20},
};

static bool is_in(unsigned mask, enum stt_message message)
{
    return mask >> message & 1;
}

/* What the message must hold, and with `all` what it may hold, too. */
static struct stt_params sample(enum stt_message message, bool all)
{
    struct stt_params p = full;
    for (unsigned i = 0; i < STT_PARAM_COUNT; i++)
        if (is_in(stt_param_rules[i].must, message) ||
            (all && is_in(stt_param_rules[i].may, message)))
            stt_params_set(&p, (enum stt_param)i);
    if (message == STT_MESSAGE_S3 || message == STT_MESSAGE_W3)
        p.clear_fields.len = STT_CLEAR_BYTES_3;
    return p;
}

static struct bytes encoded(enum stt_message message, const struct stt_params *p, uint8_t out[ROOM])
{
    struct wr w = wr_init(out, ROOM);
    ck_assert_msg(stt_params_encode(&w, message, p), "%s", message_names[message]);
    return wr_done(&w);
}

static bool is_writable(enum stt_message message, const struct stt_params *p)
{
    uint8_t out[ROOM];
    struct wr w = wr_init(out, sizeof out);
    bool ok = stt_params_encode(&w, message, p);
    ck_assert(ok || (!w.bad && wr_len(&w) == 0));
    return ok;
}

static bool is_integer(const struct stt_param_rule *rule)
{
    return rule->kind == STT_KIND_INTEGER || rule->kind == STT_KIND_BYTE;
}

static void check_same(const struct stt_params *a, const struct stt_params *b)
{
    ck_assert_uint_eq(a->present, b->present);
    for (unsigned i = 0; i < STT_PARAM_COUNT; i++) {
        const struct stt_param_rule *rule = &stt_param_rules[i];
        const void *x = (const uint8_t *)a + rule->field, *y = (const uint8_t *)b + rule->field;
        if (!stt_params_has(a, (enum stt_param)i))
            continue;
        if (is_integer(rule)) {
            ck_assert_msg(memcmp(x, y, sizeof(uint64_t)) == 0, "%s", rule->name);
        } else {
            struct bytes p, q;
            memcpy(&p, x, sizeof p);
            memcpy(&q, y, sizeof q);
            ck_assert_msg(bytes_equal(p, q), "%s", rule->name);
        }
    }
}

START_TEST(what_is_written_is_read_again)
{
    enum stt_message message = (enum stt_message)_i;
    for (unsigned all = 0; all <= 1; all++) {
        uint8_t out[ROOM];
        struct stt_params p = sample(message, all), again;
        ck_assert(stt_params_decode(encoded(message, &p, out), message, &again));
        check_same(&p, &again);
    }
}
END_TEST

START_TEST(what_is_absent_has_its_default)
{
    uint8_t out[ROOM];
    struct stt_params p = sample(STT_MESSAGE_K1, false), again;
    ck_assert(stt_params_decode(encoded(STT_MESSAGE_K1, &p, out), STT_MESSAGE_K1, &again));
    ck_assert_uint_eq(again.idle_timeout_ms, 30000);
    ck_assert_uint_eq(again.max_data, 0);
    ck_assert_uint_eq(again.max_stream_data, 0);
    ck_assert_uint_eq(again.max_streams, 0);
    ck_assert_uint_eq(again.max_datagram_bytes, 0);
    ck_assert_uint_eq(again.max_packet_bytes, 65507);
    ck_assert_uint_eq(again.max_ack_delay_us, 25000);
    ck_assert_uint_eq(again.max_ids, 4);
    ck_assert(!stt_params_has(&again, STT_PARAM_EXCLUSIVE));
    ck_assert(!stt_params_has_extension(&again, 0x40));
}
END_TEST

/* Byte for byte, message 1 of W: cpace_share, slot 417, suites. */
START_TEST(parameters_are_laid_out_as_drawn)
{
    uint8_t out[ROOM], expected[64];
    struct stt_params p = sample(STT_MESSAGE_W1, true);
    struct bytes b = {expected, hex_decode("03 20 07000000000000000000000000000000"
                                           "      00000000000000000000000000000000"
                                           "04 02 41a1  05 03 010204",
                                           expected, sizeof expected)};
    ck_assert(bytes_equal(encoded(STT_MESSAGE_W1, &p, out), b));
}
END_TEST

START_TEST(every_prefix_that_cuts_or_misses_a_parameter_is_refused)
{
    enum stt_message message = (enum stt_message)_i;
    uint8_t out[ROOM];
    struct stt_params p = sample(message, false), again;
    struct bytes b = encoded(message, &p, out);
    for (size_t len = 0; len < b.len; len++) { /* every parameter is one that must be there */
        uint8_t *exact = malloc(len ? len : 1);
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, b.data, len);
        ck_assert(!stt_params_decode(bytes_of(exact, len), message, &again));
        free(exact);
    }
    p = sample(message, true);
    b = encoded(message, &p, out);
    unsigned whole = 0;
    for (size_t len = 0; len < b.len; len++)
        whole += stt_params_decode(bytes_of(b.data, len), message, &again);
    unsigned optional = 0; /* only these may be cut off whole, from the end */
    for (unsigned i = 0; i < STT_PARAM_COUNT; i++)
        optional += is_in(stt_param_rules[i].may, message);
    ck_assert_uint_eq(whole, optional);
}
END_TEST

START_TEST(every_too_small_buffer_is_refused)
{
    enum stt_message message = (enum stt_message)_i;
    uint8_t out[ROOM];
    struct stt_params p = sample(message, true);
    size_t len = encoded(message, &p, out).len;
    for (size_t room = 0; room < len; room++) {
        struct wr w = wr_init(out, room);
        ck_assert(!stt_params_encode(&w, message, &p) && wr_len(&w) == 0 && !w.bad);
    }
}
END_TEST

START_TEST(a_parameter_that_is_missing_or_misplaced_is_refused)
{
    enum stt_message message = (enum stt_message)_i;
    for (unsigned i = 0; i < STT_PARAM_COUNT; i++) {
        const struct stt_param_rule *rule = &stt_param_rules[i];
        bool must = is_in(rule->must, message), may = is_in(rule->may, message);
        struct stt_params p = sample(message, true);
        p.present &= ~(1u << i);
        ck_assert_msg(is_writable(message, &p) == !must, "%s missing", rule->name);
        stt_params_set(&p, (enum stt_param)i);
        ck_assert_msg(is_writable(message, &p) == (must || may), "%s present", rule->name);
    }
}
END_TEST

/* The same for the decoder: each message's payload is read as each other's. */
START_TEST(a_payload_of_another_message_is_refused)
{
    uint8_t out[ROOM];
    struct stt_params p = sample((enum stt_message)_i, false), again;
    struct bytes b = encoded((enum stt_message)_i, &p, out);
    for (unsigned other = 0; other < MESSAGES; other++) {
        bool same = true;
        for (unsigned i = 0; i < STT_PARAM_COUNT; i++)
            same = same && is_in(stt_param_rules[i].must, (enum stt_message)_i) ==
                               is_in(stt_param_rules[i].must, (enum stt_message)other);
        bool number_3 = message_names[_i][1] == '3', other_3 = message_names[other][1] == '3';
        ck_assert_int_eq(stt_params_decode(b, (enum stt_message)other, &again),
                         same && number_3 == other_3);
    }
}
END_TEST

START_TEST(integers_are_refused_beyond_their_limits)
{
    for (unsigned i = 0; i < STT_PARAM_COUNT; i++) {
        const struct stt_param_rule *rule = &stt_param_rules[i];
        if (!is_integer(rule))
            continue;
        const uint64_t tries[] = {rule->min - 1, rule->min, rule->max, rule->max + 1};
        for (unsigned t = 0; t < 4; t++) {
            bool inside = t == 1 || t == 2;
            enum stt_message message = is_in(rule->may, STT_MESSAGE_K2)    ? STT_MESSAGE_K2
                                       : is_in(rule->must, STT_MESSAGE_K2) ? STT_MESSAGE_K2
                                                                           : STT_MESSAGE_W1;
            struct stt_params p = sample(message, true);
            memcpy((uint8_t *)&p + rule->field, &tries[t], sizeof tries[t]);
            ck_assert_msg(is_writable(message, &p) == inside, "%s %llu", rule->name,
                          (unsigned long long)tries[t]);
        }
    }
}
END_TEST

/* What a decoder must say to a K1 whose parameter is replaced by these bytes. */
static const struct verdict {
    const char *what;
    uint16_t id;
    const char *hex;
    bool ok;
} verdicts[] = {
    {"a shortest integer", 0x11, "11 04 8000ea60", true},
    {"an integer in longer form", 0x14, "14 08 c000000000000007", true},
    {"an integer with a byte behind it", 0x14, "14 02 0700", false},
    {"an integer that is cut", 0x14, "14 01 40", false},
    {"an empty integer", 0x14, "14 00", false},
    {"the least idle timeout", 0x11, "11 02 43e8", true},
    {"less than it", 0x11, "11 02 43e7", false},
    {"the longest idle timeout", 0x11, "11 04 8036ee80", true},
    {"more than it", 0x11, "11 04 8036ee81", false},
    {"a flag with a value", 0x19, "19 01 00", false},
    {"a flag", 0x19, "19 00", true},
    {"an id in longer form", 0x19, "4019 00", false},
    {"a parameter twice", 0x19, "19 00 19 00", false},
    {"an id that does not ascend", 0x19, "19 00 18 01 04", false},
    {"an unknown one between", 0x1a, "1a 00 1b 02 ffff", true},
    {"an unknown one behind the dht", 0x20, "21 02 ffff", true},
    {"the largest id that is ignored", 0x20, "7fff 00", true},
    {"the first that is not", 0x20, "80004000 00", false},
    {"the dht, which is not for K1", 0x20, "20 00", false},
    {"a length beyond the payload", 0x20, "21 03 ffff", false},
    {"an id without a length", 0x20, "21", false},
    {"a peer id of 31 bytes", 0x01,
     "01 1f 00000000000000000000000000000000 000000000000000000000000000000", false},
    {"no suite", 0x05, "05 00", false},
    {"eight suites", 0x05, "05 08 0102030405060708", true},
    {"nine suites", 0x05, "05 09 010203040506070809", false},
    {"a suite twice", 0x05, "05 03 010201", false},
    {"no application", 0x10, "10 00", false},
    {"the first and the last letter", 0x10, "10 02 217e", true},
    {"a blank in it", 0x10, "10 03 612061", false},
    {"a letter that is none", 0x10, "10 01 7f", false},
    {"a letter of Latin 1", 0x10, "10 02 61e4", false},
    {"32 letters", 0x10, "10 20 61616161616161616161616161616161 61616161616161616161616161616161",
     true},
    {"33 letters", 0x10,
     "10 21 61616161616161616161616161616161 61616161616161616161616161616161 61", false},
    {"no extensions", 0x1a, "1a 00", true},
    {"the first and the last extension", 0x1a, "1a 04 4040 7fff", true},
    {"an extension below the first", 0x1a, "1a 01 3f", false},
    {"an extension above the last", 0x1a, "1a 04 80004000", false},
    {"an extension in longer form", 0x1a, "1a 04 80000040", false},
    {"an extension twice", 0x1a, "1a 04 4040 4040", false},
    {"extensions that descend", 0x1a, "1a 04 4041 4040", false},
    {"an extension that is cut", 0x1a, "1a 03 4040 41", false},
    {"16 extensions", 0x1a,
     "1a 20 4040404140424043404440454046404740484049404a404b404c404d404e404f", true},
    {"17 extensions", 0x1a,
     "1a 22 4040404140424043404440454046404740484049404a404b404c404d404e404f4050", false},
};

START_TEST(what_a_parameter_may_not_say_is_refused)
{
    const struct verdict *v = &verdicts[_i];
    uint8_t out[ROOM], spliced[2 * ROOM];
    struct stt_params p = sample(STT_MESSAGE_K1, true), again;
    struct rd r = rd_init(encoded(STT_MESSAGE_K1, &p, out));
    struct wr w = wr_init(spliced, sizeof spliced);
    bool done = false;
    while (rd_left(&r) || !done) {
        const uint8_t *start = r.at;
        uint64_t id = rd_left(&r) ? rd_varint(&r) : UINT64_MAX;
        if (id != UINT64_MAX)
            rd_bytes(&r, rd_varint(&r));
        if (id >= v->id && !done) {
            w.at += hex_decode(v->hex, w.at, wr_left(&w));
            done = true;
        }
        if (id != v->id)
            wr_bytes(&w, bytes_of(start, (size_t)(r.at - start)));
    }
    ck_assert(rd_is_done(&r));
    ck_assert_msg(stt_params_decode(wr_done(&w), STT_MESSAGE_K1, &again) == v->ok, "%s: %s",
                  v->what, v->hex);
}
END_TEST

START_TEST(unknown_parameters_are_ignored_up_to_their_limit)
{
    for (unsigned n = STT_PARAMS_UNKNOWN_MAX - 1; n <= STT_PARAMS_UNKNOWN_MAX + 1; n++) {
        uint8_t out[ROOM];
        struct stt_params p = sample(STT_MESSAGE_S1, true), again;
        struct wr w = wr_init(out, sizeof out);
        ck_assert(stt_params_encode(&w, STT_MESSAGE_S1, &p));
        for (unsigned i = 0; i < n; i++) {
            wr_varint(&w, 0x100 + i);
            wr_varint(&w, i % 3);
            wr_zeros(&w, i % 3);
        }
        ck_assert(!w.bad);
        ck_assert_int_eq(stt_params_decode(wr_done(&w), STT_MESSAGE_S1, &again),
                         n <= STT_PARAMS_UNKNOWN_MAX);
    }
}
END_TEST

START_TEST(clear_fields_have_the_length_of_their_message)
{
    for (unsigned i = 0; i < MESSAGES; i++) {
        enum stt_message message = (enum stt_message)i;
        if (!is_in(stt_param_rules[STT_PARAM_CLEAR_FIELDS].must, message))
            continue;
        for (size_t len = 0; len <= sizeof clear; len++) {
            struct stt_params p = sample(message, false);
            p.clear_fields.len = len;
            ck_assert_int_eq(is_writable(message, &p),
                             len == (message_names[i][1] == '3' ? 10 : 18));
        }
    }
}
END_TEST

START_TEST(an_extension_is_found_by_its_type)
{
    struct stt_params p = sample(STT_MESSAGE_K1, true);
    ck_assert(stt_params_has_extension(&p, 0x40));
    ck_assert(stt_params_has_extension(&p, 0x3fff));
    ck_assert(!stt_params_has_extension(&p, 0x41));
    ck_assert(!stt_params_has_extension(&p, 0));
}
END_TEST

START_TEST(a_presence_bit_without_a_row_is_not_written)
{
    struct stt_params p = sample(STT_MESSAGE_K1, true);
    p.present |= 1u << STT_PARAM_COUNT;
    ck_assert(!is_writable(STT_MESSAGE_K1, &p));
}
END_TEST

SUITE("params", TEST(the_table_is_the_one_of_the_spec), EACH_MESSAGE(what_is_written_is_read_again),
      TEST(what_is_absent_has_its_default), TEST(parameters_are_laid_out_as_drawn),
      EACH_MESSAGE(every_prefix_that_cuts_or_misses_a_parameter_is_refused),
      EACH_MESSAGE(every_too_small_buffer_is_refused),
      EACH_MESSAGE(a_parameter_that_is_missing_or_misplaced_is_refused),
      EACH_MESSAGE(a_payload_of_another_message_is_refused),
      TEST(integers_are_refused_beyond_their_limits),
      LOOP(what_a_parameter_may_not_say_is_refused, 0, sizeof verdicts / sizeof verdicts[0]),
      TEST(unknown_parameters_are_ignored_up_to_their_limit),
      TEST(clear_fields_have_the_length_of_their_message), TEST(an_extension_is_found_by_its_type),
      TEST(a_presence_bit_without_a_row_is_not_written))
