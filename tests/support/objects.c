/* SPDX-License-Identifier: MIT */
#include "tests/support/objects.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

json_t *object_of(const struct job *j)
{
    json_error_t error;
    json_t *o = json_loadb(j->out.text, j->out.len, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(json_is_object(o), "%s: %s\n%s", error.text, j->command, j->out.text);
    return o;
}

json_t *object_at(const json_t *o, const char *path)
{
    char part[64];
    json_t *value = NULL;
    for (const char *from = path; o && *from; o = value) {
        size_t len = strcspn(from, ".");
        snprintf(part, sizeof part, "%.*s", (int)len, from);
        value = json_object_get(o, part);
        from += len + (from[len] == '.');
    }
    return value;
}

json_t *object_must(const json_t *o, const char *path)
{
    json_t *value = object_at(o, path);
    ck_assert_msg(value != NULL, "there is no %s", path);
    return value;
}

double object_number(const json_t *o, const char *path)
{
    const json_t *value = object_must(o, path);
    ck_assert_msg(json_is_number(value), "%s is no number", path);
    return json_number_value(value);
}

json_int_t object_count(const json_t *o, const char *path)
{
    const json_t *value = object_must(o, path);
    ck_assert_msg(json_is_integer(value), "%s is no whole number", path);
    return json_integer_value(value);
}

const char *object_text(const json_t *o, const char *path)
{
    const json_t *value = object_must(o, path);
    ck_assert_msg(json_is_string(value), "%s is no text", path);
    return json_string_value(value);
}

bool object_is_true(const json_t *o, const char *path)
{
    const json_t *value = object_must(o, path);
    ck_assert_msg(json_is_boolean(value), "%s is not true or false", path);
    return json_is_true(value);
}
