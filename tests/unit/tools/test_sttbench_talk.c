/* SPDX-License-Identifier: MIT
 * The messages of sttbench/1: against the specification's tables, and there and back. */
#include "tools/sttbench/transfer/talk.h"

#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <stdlib.h>

#define CHAPTER "11-sttbench.md"

static const struct talk_test good_test = {
    .flags = TALK_BIDIR | TALK_VERIFY,
    .streams = 3,
    .block_bytes = 0x1234,
    .duration_ns = STT_S(10),
    .omit_ns = STT_S(1),
    .rate_bits_per_s = 0x123456789,
};

/* Every field another value. */
static struct talk_message sample(enum talk_type type)
{
    struct talk_message m = {.type = type};
    uint64_t n = 0x0102030405060708;
    switch (type) {
    case TALK_TEST:
        m.test = good_test;
        break;
    case TALK_READY:
        memset(m.token.bytes, 0xab, sizeof m.token.bytes);
        break;
    case TALK_SIDE:
#define X(name) m.side.name = n++;
        TALK_SIDE_FIGURES(X)
#undef X
        break;
    case TALK_LANE:
        m.lane.lane = 255;
#define X(name) m.lane.name = n++;
        TALK_LANE_FIGURES(X)
#undef X
        break;
    case TALK_START:
    case TALK_DONE:
        break;
    }
    return m;
}

static size_t must_encode(const struct talk_message *m, uint8_t out[TALK_MESSAGE_MAX])
{
    size_t len = talk_encode(m, out, TALK_MESSAGE_MAX);
    ck_assert_uint_gt(len, 0);
    return len;
}

START_TEST(every_message_survives_the_way)
{
    uint8_t out[TALK_MESSAGE_MAX], again[TALK_MESSAGE_MAX];
    struct talk_message m = sample((enum talk_type)_i), back;
    size_t len = must_encode(&m, out);
    ck_assert(talk_decode(&back, bytes_of(out, len)));
    ck_assert_int_eq(back.type, _i);
    ck_assert_uint_eq(must_encode(&back, again), len);
    ck_assert_mem_eq(again, out, len);
}
END_TEST

START_TEST(prefixes_and_what_is_longer_are_refused)
{
    uint8_t out[TALK_MESSAGE_MAX + 1] = {0};
    struct talk_message m = sample((enum talk_type)_i), back;
    size_t len = must_encode(&m, out);
    for (size_t n = 0; n < len; n++)
        ck_assert(!talk_decode(&back, bytes_of(out, n)));
    ck_assert(!talk_decode(&back, bytes_of(out, len + 1)));
}
END_TEST

START_TEST(what_has_no_room_is_not_encoded)
{
    uint8_t out[TALK_MESSAGE_MAX];
    struct talk_message m = sample((enum talk_type)_i);
    size_t len = must_encode(&m, out);
    for (size_t room = 0; room < len; room++)
        ck_assert_uint_eq(talk_encode(&m, out, room), 0);
}
END_TEST

START_TEST(unknown_types_are_refused)
{
    struct talk_message m;
    uint8_t type = (uint8_t)(_i == 0 ? 0 : TALK_DONE + _i);
    ck_assert(!talk_decode(&m, bytes_of(&type, 1)));
}
END_TEST

START_TEST(joins_survive_the_way)
{
    struct talk_join join = {.lane = 200}, back;
    uint8_t out[TALK_JOIN_BYTES];
    memset(join.token.bytes, 0xcd, sizeof join.token.bytes);
    talk_join_encode(&join, out);
    talk_join_decode(&back, out);
    ck_assert_mem_eq(back.token.bytes, join.token.bytes, sizeof join.token.bytes);
    ck_assert_uint_eq(back.lane, 200);
}
END_TEST

/* -- what a test may be ------------------------------------------------------------------------ */

#define WITH(...)                                                                                  \
    talk_test_is_valid(                                                                            \
        &(struct talk_test){.flags = TALK_VERIFY, .streams = 1, .block_bytes = 1, __VA_ARGS__})

START_TEST(a_test_ends_by_time_or_by_bytes)
{
    ck_assert(WITH(.duration_ns = TALK_DURATION_MIN_NS));
    ck_assert(WITH(.duration_ns = TALK_DURATION_MAX_NS));
    ck_assert(!WITH(.duration_ns = TALK_DURATION_MIN_NS - 1));
    ck_assert(!WITH(.duration_ns = TALK_DURATION_MAX_NS + 1));
    ck_assert(WITH(.bytes = 1));
    ck_assert(WITH(.bytes = TALK_BYTES_MAX));
    ck_assert(!WITH(.bytes = TALK_BYTES_MAX + 1));
    ck_assert(!WITH(.bytes = 0));
    ck_assert(!WITH(.bytes = 1, .duration_ns = STT_S(1)));
}
END_TEST

#define CHANGED(field, value)                                                                      \
    ((test = good_test), (test.field = (value)), talk_test_is_valid(&test))

START_TEST(a_test_has_limits)
{
    struct talk_test test = good_test;
    ck_assert(talk_test_is_valid(&test));
    ck_assert(!CHANGED(flags, TALK_REVERSE | TALK_BIDIR));
    ck_assert(!CHANGED(flags, 8));
    ck_assert(CHANGED(flags, 0));
    ck_assert(!CHANGED(streams, 0));
    ck_assert(CHANGED(streams, TALK_STREAMS_MAX));
    ck_assert(!CHANGED(streams, TALK_STREAMS_MAX + 1));
    ck_assert(!CHANGED(block_bytes, 0));
    ck_assert(CHANGED(block_bytes, TALK_BLOCK_MAX));
    ck_assert(!CHANGED(block_bytes, TALK_BLOCK_MAX + 1));
    ck_assert(CHANGED(omit_ns, TALK_OMIT_MAX_NS));
    ck_assert(!CHANGED(omit_ns, TALK_OMIT_MAX_NS + 1));
    ck_assert(CHANGED(rate_bits_per_s, TALK_RATE_MAX));
    ck_assert(!CHANGED(rate_bits_per_s, TALK_RATE_MAX + 1));
}
END_TEST

START_TEST(who_sends_in_a_lane_is_said_by_its_number)
{
    struct talk_test test = {.streams = 2};
    ck_assert_uint_eq(talk_lanes(&test), 2);
    ck_assert(talk_client_sends(&test, 0) && talk_client_sends(&test, 1));
    test.flags = TALK_REVERSE;
    ck_assert_uint_eq(talk_lanes(&test), 2);
    ck_assert(!talk_client_sends(&test, 0) && !talk_client_sends(&test, 1));
    test.flags = TALK_BIDIR;
    ck_assert_uint_eq(talk_lanes(&test), 4);
    ck_assert(talk_client_sends(&test, 1) && !talk_client_sends(&test, 2));
}
END_TEST

START_TEST(nobody_counts_more_than_there_was)
{
    uint8_t out[TALK_MESSAGE_MAX];
    struct talk_message m = sample(TALK_LANE), back;
    m.lane.bytes = m.lane.all_bytes;
    ck_assert(talk_decode(&back, bytes_of(out, must_encode(&m, out))));
    m.lane.bytes++;
    ck_assert(!talk_decode(&back, bytes_of(out, must_encode(&m, out))));
}
END_TEST

/* -- the specification ------------------------------------------------------------------------- */

struct named {
    const char *name;
    unsigned value;
};

static void check_table(const char *head, const struct named *expected, size_t n)
{
    struct spec_table t;
    spec_table_init(&t, CHAPTER, head);
    ck_assert_uint_eq(t.rows, n);
    for (size_t i = 0; i < n; i++) {
        const char *value = t.cell[i][1];
        uint64_t number;
        ck_assert_str_eq(t.cell[i][0], expected[i].name);
        ck_assert(spec_number(&value, &number) && number == expected[i].value);
    }
    spec_table_fini(&t);
}

START_TEST(types_and_codes_are_those_of_the_chapter)
{
    static const struct named types[] = {{"TEST", TALK_TEST},   {"READY", TALK_READY},
                                         {"START", TALK_START}, {"SIDE", TALK_SIDE},
                                         {"LANE", TALK_LANE},   {"DONE", TALK_DONE}};
    static const struct named codes[] = {
        {"done", TALK_CODE_DONE},           {"refused", TALK_CODE_REFUSED},
        {"busy", TALK_CODE_BUSY},           {"interrupted", TALK_CODE_INTERRUPTED},
        {"integrity", TALK_CODE_INTEGRITY}, {"timeout", TALK_CODE_TIMEOUT},
        {"protocol", TALK_CODE_PROTOCOL},   {"memory", TALK_CODE_MEMORY}};
    check_table("| type | value |", types, sizeof types / sizeof types[0]);
    check_table("| code | value |", codes, sizeof codes / sizeof codes[0]);
    ck_assert_uint_eq(sizeof codes / sizeof codes[0], TALK_CODE_COUNT);
}
END_TEST

/* The names of all rows, one behind the other, are the figures in the order of the message. */
static void check_figures(const char *head, const char *expected)
{
    struct spec_table t;
    char all[1024] = "";
    spec_table_init(&t, CHAPTER, head);
    for (size_t i = 0; i < t.rows; i++) {
        strcat(all, t.cell[i][0]);
        strcat(all, ", ");
    }
    ck_assert_str_eq(all, expected);
    spec_table_fini(&t);
}

START_TEST(figures_are_those_of_the_chapter)
{
#define X(name) #name ", "
    check_figures("| figure of SIDE |", TALK_SIDE_FIGURES(X));
    check_figures("| figure of LANE |", TALK_LANE_FIGURES(X));
#undef X
}
END_TEST

START_TEST(the_chapter_has_the_public_seed)
{
    char *prose = spec_prose(CHAPTER), seed[sizeof talk_public_seed + 1] = "";
    memcpy(seed, talk_public_seed, sizeof talk_public_seed);
    ck_assert_ptr_nonnull(strstr(prose, seed));
    free(prose);
}
END_TEST

SUITE("sttbench_talk", LOOP(every_message_survives_the_way, TALK_TEST, TALK_DONE + 1),
      LOOP(prefixes_and_what_is_longer_are_refused, TALK_TEST, TALK_DONE + 1),
      LOOP(what_has_no_room_is_not_encoded, TALK_TEST, TALK_DONE + 1),
      LOOP(unknown_types_are_refused, 0, 249), TEST(joins_survive_the_way),
      TEST(a_test_ends_by_time_or_by_bytes), TEST(a_test_has_limits),
      TEST(who_sends_in_a_lane_is_said_by_its_number), TEST(nobody_counts_more_than_there_was),
      TEST(types_and_codes_are_those_of_the_chapter), TEST(figures_are_those_of_the_chapter),
      TEST(the_chapter_has_the_public_seed))
