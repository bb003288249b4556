/* SPDX-License-Identifier: MIT
 * Events as lines for people. */
#include "tests/support/suite.h"

#include "stt/trace.h"

#include <string.h>

static char text[STT_TRACE_TEXT_ROOM];

static void check(const struct stt_trace_event *event, const char *expected)
{
    size_t len = stt_trace_text(event, text);
    ck_assert_str_eq(text, expected);
    ck_assert_uint_eq(len, strlen(expected));
}

START_TEST(everything_has_its_name)
{
    check(&(struct stt_trace_event){.at = 12345678901,
                                    .subject = 4294967297,
                                    .type = STT_TRACE_PACKETS_SENT,
                                    .code = 1,
                                    .field = {17, 61, 63888, 1452, 70000}},
          "12.345678901 4294967297 packets_sent purpose=data first_number=17 end_number=61 "
          "bytes=63888 packet_bytes=1452 in_flight_bytes=70000");
    check(&(struct stt_trace_event){.type = STT_TRACE_SESSION_STATE, .code = 5, .field = {9, 1, 1}},
          "0.000000000 0 session_state state=open previous=idle mode=1 initiator=1");
}
END_TEST

START_TEST(what_an_event_does_not_have_is_not_there)
{
    check(&(struct stt_trace_event){.type = STT_TRACE_KEYS_FORGOTTEN, .field = {3}},
          "0.000000000 0 keys_forgotten epoch=3");
    check(&(struct stt_trace_event){.type = STT_TRACE_SESSION_STALLED, .code = 1, .field = {3}},
          "0.000000000 0 session_stalled stalled=stalled");
}
END_TEST

START_TEST(numbers_without_a_name_stay_numbers)
{
    check(&(struct stt_trace_event){.type = STT_TRACE_PHASE_CHANGED, .code = 77, .field = {78, 1}},
          "0.000000000 0 phase_changed phase=77 previous=78 window_bytes=1");
    check(&(struct stt_trace_event){.type = 1000, .code = 1, .field = {2, 3, 4, 5, 6}},
          "0.000000000 0 unknown code=1 0=2 1=3 2=4 3=5 4=6");
}
END_TEST

/* All digits of everything fit. */
START_TEST(the_longest_line_has_room)
{
    struct stt_trace_event event = {.at = UINT64_MAX, .subject = UINT64_MAX, .code = UINT32_MAX};
    for (event.type = 0; event.type <= STT_TRACE_TYPE_COUNT; event.type++) {
        for (int i = 0; i < STT_TRACE_FIELDS; i++)
            event.field[i] = UINT64_MAX;
        size_t len = stt_trace_text(&event, text);
        ck_assert_uint_lt(len, STT_TRACE_TEXT_ROOM - 1);
        const struct stt_trace_row *row = stt_trace_row(event.type);
        if (row && row->field[0])
            ck_assert_msg(strcmp(text + len - 20, "18446744073709551615") == 0, "%s", text);
    }
}
END_TEST

SUITE("text", TEST(everything_has_its_name), TEST(what_an_event_does_not_have_is_not_there),
      TEST(numbers_without_a_name_stay_numbers), TEST(the_longest_line_has_room))
