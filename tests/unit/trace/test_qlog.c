/* SPDX-License-Identifier: MIT
 * Every record of every event against the schema, and against the table in the spec that says which
 * records there are. */
#include "stt/qlog.h"

#include "tests/support/qlog.h"
#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

static const struct stt_qlog qlog = {.title = "test", .side = STT_QLOG_CLIENT};
static char record[STT_QLOG_RECORD_ROOM];

static size_t next_record(const struct stt_trace_event *event, uint64_t *place)
{
    size_t len = stt_qlog_record(&qlog, event, place, record);
    ck_assert(!len || len == strlen(record));
    return len;
}

/* The record at this place, parsed; json_decref() it. */
static json_t *record_of(const struct stt_trace_event *event, uint64_t place)
{
    const char *why;
    size_t len = next_record(event, &place);
    json_t *parsed = qlog_parse(record, len, &why);
    ck_assert_msg(parsed, "%s", why);
    ck_assert_msg(!qlog_mistake(record, len, true), "%s", qlog_mistake(record, len, true));
    return parsed;
}

static const char *member(json_t *parsed, const char *first, const char *second)
{
    static char text[80];
    const json_t *value = json_object_get(parsed, first);
    value = second ? json_object_get(value, second) : value;
    if (json_is_string(value))
        return json_string_value(value);
    ck_assert(json_is_number(value));
    snprintf(text, sizeof text, json_is_integer(value) ? "%.0f" : "%.6f", json_number_value(value));
    return text;
}

/* One of each, with numbers as they occur. */
static struct stt_trace_event sample_of(uint32_t type)
{
    return (struct stt_trace_event){.at = STT_MS(1500),
                                    .subject = 7,
                                    .type = type,
                                    .code = type == STT_TRACE_MESSAGE_SENT,
                                    .field = {10, 12, 1900, 1000, 5}};
}

/* -- the table -------------------------------------------------------------------------------- */

static void check_names(const struct stt_trace_event *event, const char *cell)
{
    char name[64], before[80] = "";
    uint64_t place = 0;
    for (const char *at = cell; (at = strchr(at, '`')); at = strchr(at + 1, '`') + 1) {
        snprintf(name, sizeof name, "%.*s", (int)(strchr(at + 1, '`') - at - 1), at + 1);
        do {
            size_t len = next_record(event, &place);
            const char *why = len ? qlog_mistake(record, len, true) : "there is no more";
            ck_assert_msg(!why, "%s: %s", cell, why);
            json_t *parsed = qlog_parse(record, len, &why);
            snprintf(before, sizeof before, "%s", member(parsed, "name", NULL));
            json_decref(parsed);
        } while (strcmp(before, name) != 0 && place < 8);
        ck_assert_str_eq(before, name);
    }
    while (next_record(event, &place)) /* the last kind may come several times */
        ck_assert_msg(strstr(record, name), "%s after %s", record, name);
}

START_TEST(records_are_those_of_the_spec)
{
    struct spec_table t;
    char name[64];
    spec_table_init(&t, "09-traces.md", "| type | records |");
    ck_assert_uint_eq(t.rows, STT_TRACE_TYPE_COUNT);
    for (uint32_t type = 0; type < STT_TRACE_TYPE_COUNT; type++) {
        struct stt_trace_event event = sample_of(type);
        snprintf(name, sizeof name, "`%s`", stt_trace_row(type)->name);
        ck_assert_str_eq(t.cell[type][0], name);
        check_names(&event, t.cell[type][1]);
    }
    spec_table_fini(&t);
}
END_TEST

/* -- every code, and any numbers -------------------------------------------------------------- */

START_TEST(every_code_of_every_type_fits_the_schema)
{
    for (uint32_t type = 0; type <= STT_TRACE_TYPE_COUNT; type++)
        for (uint32_t code = 0; code < 40; code++) {
            struct stt_trace_event event = sample_of(type);
            uint64_t place = 0;
            event.code = code;
            for (size_t len; (len = next_record(&event, &place));)
                ck_assert_msg(!qlog_mistake(record, len, true), "%s",
                              qlog_mistake(record, len, true));
            ck_assert_uint_ge(place, 1);
        }
}
END_TEST

START_TEST(the_largest_numbers_have_room)
{
    for (uint32_t type = 0; type <= STT_TRACE_TYPE_COUNT; type++)
        for (uint32_t code = 0; code < 40; code++) {
            struct stt_trace_event event = sample_of(type);
            event.at = event.subject = UINT64_MAX;
            event.code = code < 39 ? code : UINT32_MAX;
            for (int i = 0; i < STT_TRACE_FIELDS; i++)
                event.field[i] = UINT64_MAX - (uint64_t)(i == 0);
            uint64_t place = 0;
            for (size_t len; (len = next_record(&event, &place));)
                ck_assert_msg(!qlog_mistake(record, len, false), "%s",
                              qlog_mistake(record, len, false));
        }
}
END_TEST

/* -- what they say ---------------------------------------------------------------------------- */

START_TEST(a_train_is_its_packets_and_the_last_may_be_shorter)
{
    struct stt_trace_event event = sample_of(STT_TRACE_PACKETS_SENT);
    event.field[1] = 13;
    event.field[2] = 2900;
    static const char *const numbers[] = {"10", "11", "12"}, *const lengths[] = {"1000", "1000",
                                                                                 "900"};
    for (uint64_t i = 0; i < 3; i++) {
        json_t *parsed = record_of(&event, i);
        json_t *data = json_object_get(parsed, "data");
        ck_assert_str_eq(member(parsed, "name", NULL), "transport:packet_sent");
        ck_assert_str_eq(member(data, "header", "packet_number"), numbers[i]);
        ck_assert_str_eq(member(data, "raw", "length"), lengths[i]);
        ck_assert_ptr_null(json_object_get(data, "trigger"));
        json_decref(parsed);
    }
    uint64_t place = 3;
    ck_assert_uint_eq(next_record(&event, &place), 0);
    ck_assert_uint_eq(place, 3);
}
END_TEST

START_TEST(times_count_from_the_start_in_milliseconds)
{
    struct stt_qlog later = qlog;
    struct stt_trace_event event = sample_of(STT_TRACE_KEYS_FORGOTTEN);
    uint64_t place = 0;
    event.at = 1234567890;
    later.start = 1234000000;
    stt_qlog_record(&later, &event, &place, record);
    ck_assert_ptr_nonnull(strstr(record, "\"time\":0.567890,"));
    later.start = STT_S(9);
    place = 0;
    stt_qlog_record(&later, &event, &place, record);
    ck_assert_ptr_nonnull(strstr(record, "\"time\":0.000000,"));
}
END_TEST

START_TEST(metrics_are_in_the_units_of_qlog)
{
    struct stt_trace_event event = {.type = STT_TRACE_CONGESTION_UPDATED,
                                    .field = {STT_US(50125), STT_MS(50), 14520, 1000000, 7260}};
    json_t *parsed = record_of(&event, 0);
    ck_assert_str_eq(member(parsed, "data", "smoothed_rtt"), "50.125000");
    ck_assert_str_eq(member(parsed, "data", "min_rtt"), "50.000000");
    ck_assert_str_eq(member(parsed, "data", "congestion_window"), "14520");
    ck_assert_str_eq(member(parsed, "data", "pacing_rate"), "8000000");
    ck_assert_str_eq(member(parsed, "data", "bytes_in_flight"), "7260");
    json_decref(parsed);
}
END_TEST

START_TEST(what_has_no_limit_is_left_out)
{
    struct stt_trace_event event = {.type = STT_TRACE_CONGESTION_UPDATED,
                                    .field = {1, 1, UINT64_MAX, UINT64_MAX, 1}};
    json_t *parsed = record_of(&event, 0);
    ck_assert_ptr_null(json_object_get(json_object_get(parsed, "data"), "congestion_window"));
    ck_assert_ptr_null(json_object_get(json_object_get(parsed, "data"), "pacing_rate"));
    json_decref(parsed);
}
END_TEST

START_TEST(keys_have_no_bytes)
{
    for (uint64_t i = 0; i < 2; i++) {
        struct stt_trace_event event = sample_of(STT_TRACE_KEY_EPOCH);
        json_t *parsed = record_of(&event, i);
        ck_assert_str_eq(member(parsed, "data", "new"), "");
        ck_assert_str_eq(member(parsed, "data", "generation"), "10");
        ck_assert_str_eq(member(parsed, "data", "key_type"),
                         i == 0 ? "client_1rtt_secret" : "server_1rtt_secret");
        json_decref(parsed);
    }
}
END_TEST

START_TEST(events_of_ours_keep_their_names)
{
    struct stt_trace_event event = {
        .subject = 9, .type = STT_TRACE_PATH_TRIAL, .code = 1, .field = {1, 2, 0, 3600, 1200}};
    json_t *parsed = record_of(&event, 0);
    ck_assert_str_eq(member(parsed, "name", NULL), "stt:path_trial");
    ck_assert_str_eq(member(parsed, "group_id", NULL), "9");
    ck_assert_str_eq(member(parsed, "data", "outcome"), "moved");
    ck_assert_str_eq(member(parsed, "data", "carrier"), "2");
    ck_assert_str_eq(member(parsed, "data", "received_bytes"), "3600");
    ck_assert_uint_eq(json_object_size(json_object_get(parsed, "data")), 6);
    json_decref(parsed);
}
END_TEST

/* -- the head --------------------------------------------------------------------------------- */

static void check_head(const struct stt_qlog *q)
{
    size_t len = stt_qlog_head(q, record);
    ck_assert_msg(!qlog_head_mistake(record, len), "%s", qlog_head_mistake(record, len));
}

START_TEST(the_head_says_which_qlog_it_is)
{
    const struct stt_qlog nameless = {.side = STT_QLOG_SERVER, .start_unix_ms = 1700000000000};
    check_head(&qlog);
    ck_assert_ptr_nonnull(strstr(record, "\"title\":\"test\""));
    ck_assert_ptr_nonnull(strstr(record, "\"type\":\"client\""));
    check_head(&nameless);
    ck_assert_ptr_nonnull(strstr(record, "\"type\":\"server\""));
    ck_assert_ptr_nonnull(strstr(record, "\"reference_time\":1700000000000"));
    check_head(&(struct stt_qlog){.title = NULL});
    ck_assert_ptr_nonnull(strstr(record, "\"type\":\"unknown\""));
}
END_TEST

START_TEST(a_title_may_be_anything)
{
    char title[300];
    memset(title, '"', sizeof title - 1);
    title[sizeof title - 1] = 0;
    check_head(&(struct stt_qlog){.title = title});
    check_head(&(struct stt_qlog){.title = "\x1e\n\\\xff"});
}
END_TEST

SUITE("qlog", TEST(records_are_those_of_the_spec), TEST(every_code_of_every_type_fits_the_schema),
      TEST(the_largest_numbers_have_room), TEST(a_train_is_its_packets_and_the_last_may_be_shorter),
      TEST(times_count_from_the_start_in_milliseconds), TEST(metrics_are_in_the_units_of_qlog),
      TEST(what_has_no_limit_is_left_out), TEST(keys_have_no_bytes),
      TEST(events_of_ours_keep_their_names), TEST(the_head_says_which_qlog_it_is),
      TEST(a_title_may_be_anything))
