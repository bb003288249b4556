/* SPDX-License-Identifier: MIT
 * Objects of JSON, held against a reader that knows nothing of the writer. */
#include "stt/trace/json.h"

#include "tests/support/suite.h"

#include <jansson.h>

static char out[512];

static json_t *parsed(struct stt_json *j)
{
    json_error_t error;
    size_t len = stt_json_end(j);
    ck_assert_int_eq(out[len - 1], '\n');
    json_t *object = json_loadb(out, len, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(object, "%s: %s", error.text, out);
    return object;
}

START_TEST(members_stand_where_they_were_put)
{
    struct stt_json j = stt_json_init(out, sizeof out, "");
    stt_json_number(&j, "a", 1);
    stt_json_open(&j, "b");
    stt_json_open(&j, "c");
    stt_json_close(&j);
    stt_json_text(&j, "d", "e");
    stt_json_close(&j);
    stt_json_true(&j, "f");
    stt_json_list(&j, "g", "\"h\",2");
    stt_json_ms(&j, "i", 1500001);
    json_t *object = parsed(&j);
    ck_assert_str_eq(out, "{\"a\":1,\"b\":{\"c\":{},\"d\":\"e\"},\"f\":true,\"g\":[\"h\",2],"
                          "\"i\":1.500001}\n");
    json_decref(object);
}
END_TEST

START_TEST(an_empty_object_is_one)
{
    struct stt_json j = stt_json_init(out, sizeof out, "");
    json_decref(parsed(&j));
    ck_assert_str_eq(out, "{}\n");
}
END_TEST

/* RFC 7493: beyond 2^53 - 1 not every reader tells two numbers apart. */
START_TEST(large_numbers_are_texts)
{
    struct stt_json j = stt_json_init(out, sizeof out, "");
    stt_json_number(&j, "most", (UINT64_C(1) << 53) - 1);
    stt_json_number(&j, "more", UINT64_C(1) << 53);
    json_t *object = parsed(&j);
    ck_assert_int_eq(json_integer_value(json_object_get(object, "most")), 9007199254740991);
    ck_assert_str_eq(json_string_value(json_object_get(object, "more")), "9007199254740992");
    json_decref(object);
}
END_TEST

START_TEST(texts_are_escaped_and_have_an_end)
{
    char text[200];
    struct stt_json j = stt_json_init(out, sizeof out, "");
    for (size_t i = 0; i < 199; i++)
        text[i] = (char)(i + 1);
    text[199] = 0;
    for (int i = 0; i < 3; i++) {
        char name[2] = {(char)('a' + i), 0};
        stt_json_text(&j, name, text + 64 * i);
    }
    json_t *object = parsed(&j);
    for (int i = 0; i < 3; i++) {
        char name[2] = {(char)('a' + i), 0};
        const char *back = json_string_value(json_object_get(object, name));
        ck_assert_uint_eq(strlen(back), 64);
        for (int k = 0; k < 64; k++) {
            char c = text[64 * i + k];
            ck_assert_int_eq(back[k], c >= 0x20 && c < 0x7f ? c : '.');
        }
    }
    json_decref(object);
}
END_TEST

START_TEST(it_begins_as_it_was_told)
{
    struct stt_json j = stt_json_init(out, sizeof out, "\x1e");
    stt_json_number(&j, "a", 0);
    stt_json_end(&j);
    ck_assert_str_eq(out, "\x1e{\"a\":0}\n");
}
END_TEST

SUITE("json", TEST(members_stand_where_they_were_put), TEST(an_empty_object_is_one),
      TEST(large_numbers_are_texts), TEST(texts_are_escaped_and_have_an_end),
      TEST(it_begins_as_it_was_told))
