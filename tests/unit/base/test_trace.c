/* SPDX-License-Identifier: MIT */
#include "stt/base/trace.h"

#include "tests/support/dies.h"
#include "tests/support/env.h"
#include "tests/support/suite.h"

#include <string.h>

enum { CAPACITY = 4 };

START_TEST(every_type_has_a_name_of_its_own)
{
    for (uint32_t i = 0; i < STT_TRACE_TYPE_COUNT; i++)
        for (uint32_t j = 0; j < i; j++)
            ck_assert_str_ne(stt_trace_row(i)->name, stt_trace_row(j)->name);
    ck_assert_ptr_null(stt_trace_row(STT_TRACE_TYPE_COUNT));
    ck_assert_ptr_null(stt_trace_row(UINT32_MAX));
}
END_TEST

static bool is_word(const char *text)
{
    return text[0] && strspn(text, "abcdefghijklmnopqrstuvwxyz_") == strlen(text);
}

START_TEST(names_are_words_for_machines_and_fields_are_used_from_the_left)
{
    for (uint32_t i = 0; i < STT_TRACE_TYPE_COUNT; i++) {
        const struct stt_trace_row *row = stt_trace_row(i);
        ck_assert(is_word(row->name) && (!row->code || is_word(row->code)));
        for (int j = 0; j < STT_TRACE_FIELDS; j++) {
            ck_assert(!row->field[j] || is_word(row->field[j]));
            ck_assert(!row->field[j] || j == 0 || row->field[j - 1]);
            ck_assert(!row->field[j] || !row->code || strcmp(row->field[j], row->code) != 0);
        }
    }
}
END_TEST

/* _i events into a recorder of four. */
START_TEST(a_recorder_remembers_the_last_events_in_order)
{
    struct stt_trace_event memory[CAPACITY];
    struct stt_flight_recorder fr;
    stt_flight_recorder_init(&fr, memory, CAPACITY);
    for (int i = 0; i < _i; i++)
        stt_flight_recorder_record(&fr, &(struct stt_trace_event){.at = (stt_ns)i});
    uint64_t oldest = stt_flight_recorder_oldest(&fr);
    ck_assert_uint_eq(fr.recorded, (uint64_t)_i);
    ck_assert_uint_eq(fr.recorded - oldest, _i < CAPACITY ? (uint64_t)_i : CAPACITY);
    for (uint64_t i = oldest; i < fr.recorded; i++)
        ck_assert_uint_eq(stt_flight_recorder_at(&fr, i)->at, i);
}
END_TEST

struct heard {
    struct stt_trace_event event;
    unsigned n;
};

static void hear(void *ctx, const struct stt_trace_event *event)
{
    struct heard *heard = ctx;
    heard->event = *event;
    heard->n++;
}

START_TEST(an_event_reaches_the_recorder_and_the_hook)
{
    struct heard heard = {.n = 0};
    struct stt_env env = {.ctx = &heard, .trace = hear};
    struct stt_trace_event memory[CAPACITY];
    struct stt_flight_recorder fr;
    stt_flight_recorder_init(&fr, memory, CAPACITY);
    stt_trace(&env, &fr,
              &(struct stt_trace_event){.at = 5,
                                        .subject = 6,
                                        .type = STT_TRACE_PACKET_SIZE,
                                        .code = 7,
                                        .field = {1400, 1200}});
    ck_assert_uint_eq(heard.n, 1);
    ck_assert_uint_eq(heard.event.field[0], 1400);
    ck_assert_mem_eq(stt_flight_recorder_at(&fr, 0), &heard.event, sizeof heard.event);
}
END_TEST

START_TEST(without_a_hook_the_recorder_still_hears)
{
    struct test_env te;
    test_env_init(&te, 1);
    te.env.trace = NULL;
    struct stt_trace_event memory[CAPACITY];
    struct stt_flight_recorder fr;
    stt_flight_recorder_init(&fr, memory, CAPACITY);
    stt_trace(&te.env, &fr, &(struct stt_trace_event){.at = 5});
    ck_assert_uint_eq(fr.recorded, 1);
}
END_TEST

static void init_with_three(void *arg)
{
    struct stt_trace_event memory[3];
    stt_flight_recorder_init(arg, memory, 3);
}

static void init_with_nothing(void *arg)
{
    stt_flight_recorder_init(arg, NULL, 0);
}

static void ask_for_what_is_to_come(void *arg)
{
    stt_flight_recorder_at(arg, CAPACITY + 1);
}

static void ask_for_what_is_overwritten(void *arg)
{
    stt_flight_recorder_at(arg, 0);
}

START_TEST(misuse_is_caught)
{
    struct stt_trace_event memory[CAPACITY];
    struct stt_flight_recorder fr;
    stt_flight_recorder_init(&fr, memory, CAPACITY);
    for (int i = 0; i <= CAPACITY; i++)
        stt_flight_recorder_record(&fr, &(struct stt_trace_event){.at = 1});
    ck_assert(dies(ask_for_what_is_to_come, &fr));
    ck_assert(dies(ask_for_what_is_overwritten, &fr));
    ck_assert(dies(init_with_three, &fr));
    ck_assert(dies(init_with_nothing, &fr));
}
END_TEST

SUITE("trace", TEST(every_type_has_a_name_of_its_own),
      TEST(names_are_words_for_machines_and_fields_are_used_from_the_left),
      LOOP(a_recorder_remembers_the_last_events_in_order, 0, 14),
      TEST(an_event_reaches_the_recorder_and_the_hook),
      TEST(without_a_hook_the_recorder_still_hears), TEST(misuse_is_caught))
