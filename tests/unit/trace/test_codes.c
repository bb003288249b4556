/* SPDX-License-Identifier: MIT
 * Codes, and the table of events: both against the spec's. */
#include "stt/trace/codes.h"

#include "tests/support/spec.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <string.h>

/* The next item of a list with commas, without backticks; NULL: that was the last. */
static char *next_item(char **list)
{
    char *item = strsep(list, ",");
    if (!item)
        return NULL;
    item += strspn(item, " `");
    item[strcspn(item, "`")] = 0;
    return item;
}

static void check_fields(const struct stt_trace_row *row, const char *cell)
{
    char copy[256], *list = copy, *item;
    int i = 0;
    snprintf(copy, sizeof copy, "%s", cell);
    if (strcmp(cell, "-") == 0)
        list = NULL;
    for (; (item = next_item(&list)); i++) {
        ck_assert_int_lt(i, STT_TRACE_FIELDS);
        ck_assert_msg(row->field[i] && strcmp(row->field[i], item) == 0, "%s: %s", row->name, item);
    }
    ck_assert_msg(i == STT_TRACE_FIELDS || !row->field[i], "%s: %s", row->name, row->field[i]);
}

START_TEST(the_table_of_events_is_the_one_of_the_spec)
{
    struct spec_table t;
    char name[64];
    spec_table_init(&t, "09-traces.md", "| type | code | fields |");
    ck_assert_uint_eq(t.rows, STT_TRACE_TYPE_COUNT);
    for (uint32_t i = 0; i < STT_TRACE_TYPE_COUNT; i++) {
        const struct stt_trace_row *row = stt_trace_row(i);
        snprintf(name, sizeof name, "`%s`", row->name);
        ck_assert_str_eq(t.cell[i][0], name);
        ck_assert_str_eq(t.cell[i][1], row->code ? row->code : "-");
        check_fields(row, t.cell[i][2]);
    }
    spec_table_fini(&t);
}
END_TEST

static void check_codes(uint32_t type, const char *cell)
{
    char copy[512], *list = copy, *item;
    uint32_t code = 0;
    snprintf(copy, sizeof copy, "%s", cell);
    for (; (item = next_item(&list)); code++) {
        const char *text = stt_trace_code(type, code);
        ck_assert_msg(strcmp(text ? text : "-", item) == 0, "%s: %s", item, text);
    }
    ck_assert_ptr_null(stt_trace_code(type, code));
}

/* The row of a code that is a name; SIZE_MAX: it is a plain number. */
static size_t find_row(const struct spec_table *t, const char *code)
{
    for (size_t i = 0; i < t->rows; i++)
        if (strcmp(t->cell[i][0], code) == 0)
            return i;
    return SIZE_MAX;
}

START_TEST(codes_are_named_as_in_the_spec)
{
    struct spec_table t;
    bool used[SPEC_ROWS] = {false};
    spec_table_init(&t, "09-traces.md", "| code | names |");
    for (uint32_t type = 0; type < STT_TRACE_TYPE_COUNT; type++) {
        const char *code = stt_trace_row(type)->code;
        size_t row = code ? find_row(&t, code) : SIZE_MAX;
        if (row == SIZE_MAX) {
            ck_assert_ptr_null(stt_trace_code(type, 0));
            continue;
        }
        check_codes(type, t.cell[row][1]);
        used[row] = true;
    }
    for (size_t i = 0; i < t.rows; i++)
        ck_assert_msg(used[i], "nothing has the code %s", t.cell[i][0]);
    spec_table_fini(&t);
}
END_TEST

START_TEST(what_is_not_in_a_list_has_no_name)
{
    ck_assert_ptr_null(stt_trace_code(STT_TRACE_SESSION_STATE, UINT32_MAX));
    ck_assert_ptr_null(stt_trace_code(STT_TRACE_TYPE_COUNT, 0));
    ck_assert_ptr_null(stt_trace_code(UINT32_MAX, 0));
}
END_TEST

START_TEST(what_it_was_before_has_the_same_names)
{
    struct stt_trace_event e = {.type = STT_TRACE_SESSION_STATE, .field = {5, 5}};
    ck_assert_str_eq(stt_codes_field(&e, 0), "open");
    ck_assert_ptr_null(stt_codes_field(&e, 1));
    e.field[0] = (UINT64_C(1) << 32) + 5;
    ck_assert_ptr_null(stt_codes_field(&e, 0));
    e = (struct stt_trace_event){.type = STT_TRACE_PHASE_CHANGED, .field = {1}};
    ck_assert_str_eq(stt_codes_field(&e, 0), "slow_start");
    e.type = STT_TRACE_PACKETS_SENT;
    ck_assert_ptr_null(stt_codes_field(&e, 0));
}
END_TEST

SUITE("codes", TEST(the_table_of_events_is_the_one_of_the_spec),
      TEST(codes_are_named_as_in_the_spec), TEST(what_is_not_in_a_list_has_no_name),
      TEST(what_it_was_before_has_the_same_names))
