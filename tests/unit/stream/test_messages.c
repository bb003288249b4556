/* SPDX-License-Identifier: MIT
 * The fuzz target fuzz_messages compares long histories with a model; here are the single cases. */
#include "stt/stream/messages.h"

#include "tests/support/suite.h"

#include <string.h>

enum { SKIPS = 4, BYTES = 64 };

/* The messages "abc", "", "defgh" at 0, 4 and 5; the stream's end is at 11. */
static const uint8_t three[] = "\3abc\0\5defgh";
enum { THREE_END = 11 };

struct fixture {
    struct stt_messages m;
    struct stt_ranges skipped;
    struct stt_range memory[SKIPS];
    const uint8_t *stream;
    uint64_t arrived, end;
};

static void setup(struct fixture *f, const uint8_t *stream, uint64_t arrived)
{
    *f = (struct fixture){.stream = stream, .arrived = arrived, .end = STT_MESSAGES_NO_END};
    stt_ranges_init(&f->skipped, f->memory, SKIPS);
    f->m.skipped = &f->skipped;
}

/* What is here comes in two parts, the first of `first` bytes. */
static struct stt_messages_view look_in_parts(const struct fixture *f, uint64_t first)
{
    uint64_t here = f->arrived > f->m.at ? f->arrived - f->m.at : 0;
    first = first < here ? first : here;
    const uint8_t *data = f->stream + f->m.at;
    struct bytes parts[] = {bytes_of(data, (size_t)first),
                            bytes_of(data + first, (size_t)(here - first))};
    struct stt_messages_input input = {.parts = parts, .n = 2, .end = f->end};
    return stt_messages_next(&f->m, &input);
}

static struct stt_messages_view look(const struct fixture *f)
{
    return look_in_parts(f, BYTES);
}

/* Takes a whole message, and sees that it is this text. */
static void take_text(struct fixture *f, const char *text)
{
    struct stt_messages_view v = look(f);
    ck_assert_int_eq(v.what, STT_MESSAGES_PART);
    ck_assert(v.is_first);
    ck_assert_uint_eq(v.len, strlen(text));
    ck_assert_uint_eq(v.left, v.len);
    ck_assert_int_eq(memcmp(f->stream + f->m.at + v.header, text, v.len), 0);
    ck_assert_uint_eq(stt_messages_take(&f->m, &v, v.len), v.header + v.len);
}

static void take_skipped(struct fixture *f, uint64_t len, bool is_first)
{
    struct stt_messages_view v = look(f);
    ck_assert_int_eq(v.what, STT_MESSAGES_SKIPPED);
    ck_assert_uint_eq(v.len, len);
    ck_assert(v.is_first == is_first);
    ck_assert_uint_eq(stt_messages_take(&f->m, &v, 0), len);
}

static void take_part(struct fixture *f, uint64_t len)
{
    struct stt_messages_view v = look(f);
    ck_assert_int_eq(v.what, STT_MESSAGES_PART);
    ck_assert_uint_eq(stt_messages_take(&f->m, &v, len), v.header + len);
}

START_TEST(a_header_is_the_shortest_varint_of_the_length)
{
    static const struct {
        uint64_t len;
        size_t bytes;
    } cases[] = {
        {0, 1}, {63, 1}, {64, 2}, {16383, 2}, {16384, 4}, {1073741824, 8}, {STT_VARINT_MAX, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t header[STT_MESSAGES_HEADER_BYTES_MAX];
        ck_assert_uint_eq(stt_messages_header(header, cases[i].len), cases[i].bytes);
        struct rd r = rd_init(bytes_of(header, cases[i].bytes));
        ck_assert_uint_eq(rd_varint(&r), cases[i].len);
        ck_assert(rd_is_done(&r));
    }
}
END_TEST

START_TEST(messages_come_one_by_one_and_then_the_end)
{
    struct fixture f;
    setup(&f, three, THREE_END);
    f.end = THREE_END;
    take_text(&f, "abc");
    take_text(&f, "");
    take_text(&f, "defgh");
    ck_assert_int_eq(look(&f).what, STT_MESSAGES_END);
    f.end = STT_MESSAGES_NO_END;
    ck_assert_int_eq(look(&f).what, STT_MESSAGES_WAIT);
}
END_TEST

START_TEST(what_has_not_arrived_is_waited_for)
{
    struct fixture f;
    setup(&f, three, 0);
    ck_assert_int_eq(look(&f).what, STT_MESSAGES_WAIT);
    for (f.arrived = 1; f.arrived <= THREE_END; f.arrived++) {
        struct stt_messages_view v = look(&f);
        ck_assert_int_eq(v.what, STT_MESSAGES_PART);
        ck_assert_uint_eq(v.left, 3);
        ck_assert_uint_eq(v.len, f.arrived < 4 ? f.arrived - 1 : 3);
    }
}
END_TEST

START_TEST(a_header_in_pieces_is_read_when_it_is_whole)
{
    static const uint8_t long_form[BYTES] = {0xc0, 0, 0, 0, 0, 0, 0, 2, 'h', 'i'};
    struct fixture f;
    setup(&f, long_form, 0);
    for (; f.arrived < 8; f.arrived++)
        ck_assert_int_eq(look(&f).what, STT_MESSAGES_WAIT);
    f.arrived = 10;
    for (uint64_t first = 0; first <= 10; first++) {
        struct stt_messages_view v = look_in_parts(&f, first);
        ck_assert_int_eq(v.what, STT_MESSAGES_PART);
        ck_assert_uint_eq(v.header, 8);
        ck_assert_uint_eq(v.len, 2);
    }
    take_text(&f, "hi");
}
END_TEST

START_TEST(a_message_can_be_taken_in_pieces)
{
    struct fixture f;
    setup(&f, three, THREE_END);
    take_part(&f, 1);
    struct stt_messages_view v = look(&f);
    ck_assert(!v.is_first);
    ck_assert_uint_eq(v.header, 0);
    ck_assert_uint_eq(v.left, 2);
    take_part(&f, 2);
    take_text(&f, "");
}
END_TEST

START_TEST(taking_nothing_of_a_message_leaves_it_untouched)
{
    struct fixture f;
    setup(&f, three, 1);
    struct stt_messages_view v = look(&f);
    ck_assert_uint_eq(stt_messages_take(&f.m, &v, 0), 0);
    f.arrived = THREE_END;
    take_text(&f, "abc");
}
END_TEST

START_TEST(an_end_inside_a_message_cuts_it)
{
    struct fixture f;
    setup(&f, three, 0);
    for (f.end = 0; f.end <= THREE_END; f.end++) {
        f.m.begin = f.m.at = f.m.end = 0;
        f.arrived = f.end;
        struct stt_messages_view v;
        while ((v = look(&f)).what == STT_MESSAGES_PART)
            stt_messages_take(&f.m, &v, v.len);
        bool is_whole = f.end == 0 || f.end == 4 || f.end == 5 || f.end == THREE_END;
        ck_assert_int_eq(v.what, is_whole ? STT_MESSAGES_END : STT_MESSAGES_CUT);
    }
}
END_TEST

START_TEST(an_end_inside_a_header_cuts_the_message)
{
    struct fixture f;
    setup(&f, (const uint8_t *)"\x40\x01", 1);
    f.end = 1;
    ck_assert_int_eq(look(&f).what, STT_MESSAGES_CUT);
}
END_TEST

START_TEST(an_end_that_is_known_too_late_cuts_the_message_that_was_begun)
{
    struct fixture f;
    setup(&f, three, 2);
    take_part(&f, 1);
    f.end = 3;
    ck_assert_int_eq(look(&f).what, STT_MESSAGES_CUT);
    f.end = 4;
    ck_assert_int_eq(look(&f).what, STT_MESSAGES_PART);
}
END_TEST

START_TEST(skipped_messages_are_stepped_over)
{
    struct fixture f;
    setup(&f, three, THREE_END);
    ck_assert_int_eq(stt_messages_on_skip(&f.m, 0, 4), STT_MESSAGES_SKIP_OK);
    ck_assert_int_eq(stt_messages_on_skip(&f.m, 5, 6), STT_MESSAGES_SKIP_OK);
    take_skipped(&f, 4, true);
    take_text(&f, "");
    take_skipped(&f, 6, true);
    f.end = THREE_END;
    ck_assert_int_eq(look(&f).what, STT_MESSAGES_END);
    ck_assert(stt_ranges_is_empty(f.m.skipped));
}
END_TEST

START_TEST(skips_of_neighbours_are_stepped_over_at_once)
{
    struct fixture f;
    setup(&f, three, THREE_END);
    ck_assert_int_eq(stt_messages_on_skip(&f.m, 5, 6), STT_MESSAGES_SKIP_OK);
    ck_assert_int_eq(stt_messages_on_skip(&f.m, 4, 1), STT_MESSAGES_SKIP_OK);
    take_text(&f, "abc");
    take_skipped(&f, 7, true);
}
END_TEST

START_TEST(a_skip_of_what_was_taken_is_late)
{
    struct fixture f;
    setup(&f, three, THREE_END);
    take_text(&f, "abc");
    ck_assert_int_eq(stt_messages_on_skip(&f.m, 0, 4), STT_MESSAGES_SKIP_LATE);
    take_text(&f, "");
}
END_TEST

START_TEST(a_shared_skip_counts_from_the_readers_place_on)
{
    struct fixture f;
    setup(&f, three, THREE_END);
    take_text(&f, "abc");
    ck_assert_int_eq(stt_messages_on_skip(&f.m, 0, 5), STT_MESSAGES_SKIP_OK);
    take_skipped(&f, 1, true);
    take_text(&f, "defgh");
}
END_TEST

START_TEST(the_rest_of_a_message_taken_in_part_is_skipped)
{
    struct fixture f;
    setup(&f, three, 2);
    take_part(&f, 1);
    ck_assert_int_eq(stt_messages_on_skip(&f.m, 0, 5), STT_MESSAGES_SKIP_OK);
    take_skipped(&f, 3, false);
    f.arrived = THREE_END;
    take_text(&f, "defgh");
}
END_TEST

/* Of the message "abc" one byte was taken. */
static const struct {
    uint64_t from, to;
    enum stt_messages_skip answer;
} inside_cases[] = {
    {1, 4, STT_MESSAGES_SKIP_MISPLACED}, {2, 4, STT_MESSAGES_SKIP_MISPLACED},
    {3, 9, STT_MESSAGES_SKIP_MISPLACED}, {0, 1, STT_MESSAGES_SKIP_MISPLACED},
    {0, 3, STT_MESSAGES_SKIP_MISPLACED}, {0, 4, STT_MESSAGES_SKIP_OK},
    {4, 5, STT_MESSAGES_SKIP_OK},        {0, 9, STT_MESSAGES_SKIP_OK},
};

START_TEST(a_skip_that_cuts_the_message_being_taken_is_misplaced)
{
    struct fixture f;
    setup(&f, three, THREE_END);
    take_part(&f, 1);
    uint64_t from = inside_cases[_i].from, to = inside_cases[_i].to;
    ck_assert_int_eq(stt_messages_on_skip(&f.m, from, to - from), inside_cases[_i].answer);
    ck_assert(stt_ranges_is_empty(f.m.skipped) ==
              (inside_cases[_i].answer != STT_MESSAGES_SKIP_OK));
}
END_TEST

START_TEST(a_skip_that_begins_inside_a_later_message_is_found_when_the_reader_gets_there)
{
    struct fixture f;
    setup(&f, three, THREE_END);
    uint64_t from = 6 + (uint64_t)_i; /* 5 and 11 are bounds */
    ck_assert_int_eq(stt_messages_on_skip(&f.m, from, 20), STT_MESSAGES_SKIP_OK);
    take_text(&f, "abc");
    take_text(&f, "");
    ck_assert_int_eq(look(&f).what, STT_MESSAGES_MISPLACED);
}
END_TEST

START_TEST(a_skip_that_begins_inside_a_header_is_misplaced_before_that_is_here)
{
    struct fixture f;
    setup(&f, (const uint8_t *)"\x40\x01", 1);
    ck_assert_int_eq(look(&f).what, STT_MESSAGES_WAIT);
    ck_assert_int_eq(stt_messages_on_skip(&f.m, 1, 5), STT_MESSAGES_SKIP_OK);
    ck_assert_int_eq(look(&f).what, STT_MESSAGES_MISPLACED);
}
END_TEST

START_TEST(skips_are_bounded)
{
    struct fixture f;
    setup(&f, three, THREE_END);
    for (uint64_t i = 0; i < SKIPS; i++)
        ck_assert_int_eq(stt_messages_on_skip(&f.m, 100 + 10 * i, 5), STT_MESSAGES_SKIP_OK);
    ck_assert_int_eq(stt_messages_on_skip(&f.m, 200, 5), STT_MESSAGES_SKIP_TOO_MANY);
    ck_assert_int_eq(stt_messages_on_skip(&f.m, 105, 5), STT_MESSAGES_SKIP_OK); /* closes a gap */
    ck_assert_int_eq(stt_messages_on_skip(&f.m, 200, 5), STT_MESSAGES_SKIP_OK);
    struct stt_messages without = {.at = 0};
    ck_assert_int_eq(stt_messages_on_skip(&without, 0, 5), STT_MESSAGES_SKIP_TOO_MANY);
}
END_TEST

START_TEST(a_message_as_long_as_a_stream_does_not_overflow)
{
    static const uint8_t longest[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'x'};
    struct fixture f;
    setup(&f, longest, sizeof longest);
    struct stt_messages_view v = look(&f);
    ck_assert_int_eq(v.what, STT_MESSAGES_PART);
    ck_assert_uint_eq(v.left, STT_VARINT_MAX);
    ck_assert_uint_eq(v.len, 1);
    f.end = STT_VARINT_MAX;
    ck_assert_int_eq(look(&f).what, STT_MESSAGES_CUT);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

SUITE("messages", TEST(a_header_is_the_shortest_varint_of_the_length),
      TEST(messages_come_one_by_one_and_then_the_end), TEST(what_has_not_arrived_is_waited_for),
      TEST(a_header_in_pieces_is_read_when_it_is_whole), TEST(a_message_can_be_taken_in_pieces),
      TEST(taking_nothing_of_a_message_leaves_it_untouched), TEST(an_end_inside_a_message_cuts_it),
      TEST(an_end_inside_a_header_cuts_the_message),
      TEST(an_end_that_is_known_too_late_cuts_the_message_that_was_begun),
      TEST(skipped_messages_are_stepped_over), TEST(skips_of_neighbours_are_stepped_over_at_once),
      TEST(a_skip_of_what_was_taken_is_late), TEST(a_shared_skip_counts_from_the_readers_place_on),
      TEST(the_rest_of_a_message_taken_in_part_is_skipped),
      LOOP(a_skip_that_cuts_the_message_being_taken_is_misplaced, 0, COUNT(inside_cases)),
      LOOP(a_skip_that_begins_inside_a_later_message_is_found_when_the_reader_gets_there, 0, 5),
      TEST(a_skip_that_begins_inside_a_header_is_misplaced_before_that_is_here),
      TEST(skips_are_bounded), TEST(a_message_as_long_as_a_stream_does_not_overflow))
