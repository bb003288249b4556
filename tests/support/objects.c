/* SPDX-License-Identifier: MIT */
#include "tests/support/objects.h"

#include "tests/support/trees.h"

#include <check.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
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

/* -- keys and the page ------------------------------------------------------------------------- */

static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool has_word(const char *page, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = page + 2; (at = strstr(at, word)); at++)
        if ((!is_of_word(at[-1]) || at[-2] == 'f') /* behind \fB */ && !is_of_word(at[len]))
            return true;
    return false;
}

static void require_words(const json_t *value, const char *page)
{
    const char *key;
    json_t *part;
    size_t i;
    json_object_foreach((json_t *)(uintptr_t)value, key, part)
    {
        ck_assert_msg(has_word(page, key), "sttbench(1) does not explain %s", key);
        require_words(part, page);
    }
    json_array_foreach(value, i, part) require_words(part, page);
}

void object_is_in_page(const json_t *o)
{
    size_t len;
    char *page = trees_read(STT_SPEC_DIR "/../tools/man/sttbench.1", &len);
    require_words(o, page);
    free(page);
}
