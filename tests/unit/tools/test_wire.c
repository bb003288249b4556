/* SPDX-License-Identifier: MIT
 * The messages of sttcat/1: against the specification's tables, and there and back. */
#include "tools/sttcat/wire.h"

#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <stdlib.h>

#define CHAPTER "10-sttcat.md"
#define TEXT(t) bytes_of(t, strlen(t))

static const struct wire_hash hash = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xff}};

static struct wire_message sample(enum wire_type type)
{
    return (struct wire_message){
        .type = type,
        .job = JOB_FILES,
        .flags = WIRE_GIVES | WIRE_DURABLE,
        .lanes = 64,
        .bytes = 0x123456789abcdef0,
        .hash = hash,
        .index = 0xfedcba9876543210,
        .kind = ENTRY_FILE,
        .mode = 0754,
        .modified_ns = -1,
        .name = BYTES_TEXT("a directory/\xff\n"),
        .is_same = true,
        .outcome = OUTCOME_BUSY,
        .text = BYTES_TEXT("why"),
    };
}

static size_t must_encode(const struct wire_message *m, uint8_t out[WIRE_MESSAGE_MAX])
{
    size_t len = wire_encode(m, out, WIRE_MESSAGE_MAX);
    ck_assert_uint_gt(len, 0);
    return len;
}

static bool is_accepted(const struct wire_message *m)
{
    uint8_t out[WIRE_MESSAGE_MAX];
    struct wire_message back;
    return wire_decode(&back, bytes_of(out, must_encode(m, out)));
}

START_TEST(every_message_survives_the_way)
{
    uint8_t out[WIRE_MESSAGE_MAX], again[WIRE_MESSAGE_MAX];
    struct wire_message m = sample((enum wire_type)_i), back;
    size_t len = must_encode(&m, out);
    ck_assert(wire_decode(&back, bytes_of(out, len)));
    ck_assert_int_eq(back.type, _i);
    ck_assert_uint_eq(must_encode(&back, again), len);
    ck_assert_mem_eq(again, out, len);
}
END_TEST

START_TEST(prefixes_and_what_is_longer_are_refused)
{
    uint8_t out[WIRE_MESSAGE_MAX + 1] = {0};
    struct wire_message m = sample((enum wire_type)_i), back;
    size_t len = must_encode(&m, out);
    for (size_t n = 0; n < len; n++)
        ck_assert(!wire_decode(&back, bytes_of(out, n)));
    ck_assert(!wire_decode(&back, bytes_of(out, len + 1)));
}
END_TEST

START_TEST(what_has_no_room_is_not_encoded)
{
    uint8_t out[WIRE_MESSAGE_MAX];
    struct wire_message m = sample((enum wire_type)_i);
    size_t len = must_encode(&m, out);
    for (size_t room = 0; room < len; room++)
        ck_assert_uint_eq(wire_encode(&m, out, room), 0);
    ck_assert_uint_eq(wire_encode(&m, out, len), len);
}
END_TEST

START_TEST(fields_arrive_as_they_were)
{
    uint8_t out[WIRE_MESSAGE_MAX];
    struct wire_message m = sample(WIRE_ENTRY), back;
    m.kind = ENTRY_LINK;
    m.bytes = 0;
    m.target = BYTES_TEXT("../x");
    ck_assert(wire_decode(&back, bytes_of(out, must_encode(&m, out))));
    ck_assert_uint_eq(back.index, m.index);
    ck_assert_uint_eq(back.mode, 0754);
    ck_assert_int_eq(back.modified_ns, -1);
    ck_assert(bytes_equal(back.name, m.name) && bytes_equal(back.target, m.target));
    m = sample(WIRE_WANT);
    ck_assert(wire_decode(&back, bytes_of(out, must_encode(&m, out))));
    ck_assert_uint_eq(back.bytes, m.bytes);
    ck_assert_mem_eq(&back.hash, &hash, sizeof hash);
}
END_TEST

/* -- what cannot be -- */

static void check_refused_byte(enum wire_type type, size_t at, uint8_t value)
{
    uint8_t out[WIRE_MESSAGE_MAX];
    struct wire_message m = sample(type), back;
    size_t len = must_encode(&m, out);
    out[at] = value;
    ck_assert_msg(!wire_decode(&back, bytes_of(out, len)), "type %d, byte %zu", type, at);
}

START_TEST(values_outside_of_their_tables_are_refused)
{
    check_refused_byte(WIRE_DONE, 0, 0);
    check_refused_byte(WIRE_DONE, 0, WIRE_DONE + 1);
    check_refused_byte(WIRE_HELLO, 1, 0);
    check_refused_byte(WIRE_HELLO, 1, JOB_FORWARD + 1);
    check_refused_byte(WIRE_HELLO, 2, 8);
    check_refused_byte(WIRE_HELLO, 3, 0);
    check_refused_byte(WIRE_HELLO, 3, WIRE_LANES_MAX + 1);
    check_refused_byte(WIRE_ENTRY, 9, 0);
    check_refused_byte(WIRE_ENTRY, 9, ENTRY_DIRECTORY_END + 1);
    check_refused_byte(WIRE_ENTRY, 10, 2); /* a mode of ten bits */
    check_refused_byte(WIRE_SAME, 9, 2);
    check_refused_byte(WIRE_SETTLED, 9, OUTCOME_COUNT);
}
END_TEST

START_TEST(fields_that_contradict_each_other_are_refused)
{
    struct wire_message m = sample(WIRE_ENTRY);
    m.target = BYTES_TEXT("a file leads nowhere");
    ck_assert(!is_accepted(&m));
    m.kind = ENTRY_LINK; /* and its size is not 0 */
    ck_assert(!is_accepted(&m));
    m.bytes = 0;
    ck_assert(is_accepted(&m));
    m.target = BYTES_NONE;
    ck_assert(!is_accepted(&m));
    m.target = BYTES_TEXT("a\0b");
    ck_assert(!is_accepted(&m));
    m.kind = ENTRY_DIRECTORY;
    ck_assert(!is_accepted(&m));
    m.target = BYTES_NONE;
    ck_assert(is_accepted(&m));
    m.bytes = 1;
    ck_assert(!is_accepted(&m));
}
END_TEST

START_TEST(texts_have_a_limit)
{
    char text[WIRE_TEXT_MAX + 1];
    memset(text, 'x', sizeof text);
    struct wire_message m = sample(WIRE_SETTLED);
    m.text = bytes_of(text, WIRE_TEXT_MAX);
    ck_assert(is_accepted(&m));
    m.text = bytes_of(text, WIRE_TEXT_MAX + 1);
    ck_assert(!is_accepted(&m));
}
END_TEST

/* -- names -- */

static bool is_valid(const char *name)
{
    struct wire_message m = sample(WIRE_ENTRY);
    m.name = TEXT(name);
    ck_assert(wire_name_is_valid(m.name) == is_accepted(&m));
    return wire_name_is_valid(m.name);
}

START_TEST(names_are_paths_that_lead_down)
{
    ck_assert(is_valid("a"));
    ck_assert(is_valid("a/b/c"));
    ck_assert(is_valid("..."));
    ck_assert(is_valid("..a/.b/c.."));
    ck_assert(is_valid("\n\xff \x01/\\"));
    static const char *const bad[] = {"",      "/",   "/a",   "a/",   "a//b",  ".",
                                      "..",    "./a", "../a", "a/.",  "a/..",  "a/../b",
                                      "a/./b", "//",  "a/b/", "..//", "/../a", "a/b/.."};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(!is_valid(bad[i]), "%s", bad[i]);
    ck_assert(!wire_name_is_valid(BYTES_TEXT("a\0b")));
    ck_assert(!wire_name_is_valid(BYTES_NONE));
}
END_TEST

START_TEST(names_and_their_parts_have_limits)
{
    char name[WIRE_NAME_MAX + 2];
    memset(name, 'x', sizeof name);
    ck_assert(wire_name_is_valid(bytes_of(name, 255)));
    ck_assert(!wire_name_is_valid(bytes_of(name, 256)));
    for (size_t i = 255; i < sizeof name; i += 256)
        name[i] = '/';
    ck_assert(wire_name_is_valid(bytes_of(name, WIRE_NAME_MAX)));
    name[WIRE_NAME_MAX] = 'x';
    name[WIRE_NAME_MAX - 255] = '/';
    ck_assert(!wire_name_is_valid(bytes_of(name, WIRE_NAME_MAX + 1)));
}
END_TEST

/* -- the specification -- */

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
        uint64_t number = 0;
        ck_assert_str_eq(t.cell[i][0], expected[i].name);
        ck_assert(spec_number(&value, &number) && number == expected[i].value);
    }
    spec_table_fini(&t);
}
#define CHECK_TABLE(head, ...)                                                                     \
    check_table(head, (const struct named[]){__VA_ARGS__},                                         \
                sizeof((const struct named[]){__VA_ARGS__}) / sizeof(struct named))

START_TEST(the_tables_are_those_of_the_specification)
{
    CHECK_TABLE("| job | value |", {"pipe", JOB_PIPE}, {"files", JOB_FILES},
                {"forward", JOB_FORWARD});
    CHECK_TABLE("| type | value |", {"HELLO", WIRE_HELLO}, {"END", WIRE_END},
                {"RECEIPT", WIRE_RECEIPT}, {"ENTRY", WIRE_ENTRY}, {"LIST_END", WIRE_LIST_END},
                {"WANT", WIRE_WANT}, {"HAVE", WIRE_HAVE}, {"SAME", WIRE_SAME},
                {"SETTLED", WIRE_SETTLED}, {"DONE", WIRE_DONE});
    CHECK_TABLE("| kind | value |", {"file", ENTRY_FILE}, {"directory", ENTRY_DIRECTORY},
                {"link", ENTRY_LINK}, {"directory end", ENTRY_DIRECTORY_END});
    CHECK_TABLE("| outcome | value |", {"done", OUTCOME_DONE}, {"exists", OUTCOME_EXISTS},
                {"confined", OUTCOME_CONFINED}, {"output", OUTCOME_OUTPUT},
                {"integrity", OUTCOME_INTEGRITY}, {"input", OUTCOME_INPUT}, {"busy", OUTCOME_BUSY});
    CHECK_TABLE("| code | value |", {"done", CODE_DONE}, {"refused", CODE_REFUSED},
                {"busy", CODE_BUSY}, {"interrupted", CODE_INTERRUPTED}, {"output", CODE_OUTPUT},
                {"closed", CODE_CLOSED}, {"integrity", CODE_INTEGRITY}, {"timeout", CODE_TIMEOUT},
                {"protocol", CODE_PROTOCOL}, {"input", CODE_INPUT}, {"command", CODE_COMMAND},
                {"partial", CODE_PARTIAL});
}
END_TEST

/* "Index (64), Kind (8), lp(Name)": how long a message is with empty texts and short hashes. */
static size_t fixed_bytes(const char *fields)
{
    size_t bits = 8; /* its type */
    for (const char *at = fields; (at = strchr(at, '(')); at++) {
        const char *number = at + 1;
        uint64_t n = 0;
        bits += spec_number(&number, &n) ? n : 16;
    }
    return bits / 8;
}

START_TEST(messages_have_the_fields_of_the_specification)
{
    struct spec_table t;
    spec_table_init(&t, CHAPTER, "| type | value |");
    for (size_t i = 0; i < t.rows; i++) {
        uint8_t out[WIRE_MESSAGE_MAX];
        struct wire_message m = sample((enum wire_type)(i + 1));
        m.name = m.text = BYTES_NONE;
        ck_assert_uint_eq(must_encode(&m, out), fixed_bytes(t.cell[i][2]));
    }
    spec_table_fini(&t);
}
END_TEST

START_TEST(the_limits_are_those_of_the_specification)
{
    char *prose = spec_prose(CHAPTER);
    ck_assert(strstr(prose, "of at most 8,192 bytes") && WIRE_MESSAGE_MAX == 8192);
    ck_assert(strstr(prose, "at most 4,095 bytes") && WIRE_NAME_MAX == 4095);
    ck_assert(strstr(prose, "At most 1,024 entries") && WIRE_UNSETTLED_MAX == 1024);
    ck_assert(strstr(prose, "1 to 64") && WIRE_LANES_MAX == 64);
    free(prose);
}
END_TEST

SUITE("wire", LOOP(every_message_survives_the_way, WIRE_HELLO, WIRE_DONE + 1),
      LOOP(prefixes_and_what_is_longer_are_refused, WIRE_HELLO, WIRE_DONE + 1),
      LOOP(what_has_no_room_is_not_encoded, WIRE_HELLO, WIRE_DONE + 1),
      TEST(fields_arrive_as_they_were), TEST(values_outside_of_their_tables_are_refused),
      TEST(fields_that_contradict_each_other_are_refused), TEST(texts_have_a_limit),
      TEST(names_are_paths_that_lead_down), TEST(names_and_their_parts_have_limits),
      TEST(the_tables_are_those_of_the_specification),
      TEST(messages_have_the_fields_of_the_specification),
      TEST(the_limits_are_those_of_the_specification))
