/* SPDX-License-Identifier: MIT */
#include "tests/support/vector_file.h"

#include "tests/support/hex.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t arena[1 << 20];
static size_t arena_used;

static void give_up(const char *what, const char *name)
{
    fprintf(stderr, "vector_file: %s: %s\n", name, what);
    abort();
}

json_t *vector_file(const char *name)
{
    char path[4096];
    json_error_t error;
    snprintf(path, sizeof path, "%s/vectors/%s", STT_SPEC_DIR, name);
    json_t *file = json_load_file(path, 0, &error);
    if (!file)
        give_up(error.text, path);
    arena_used = 0;
    return file;
}

json_t *vector_of(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!value)
        give_up("is missing", key);
    return value;
}

const char *vector_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(vector_of(object, key));
    if (!text)
        give_up("is no text", key);
    return text;
}

static struct bytes decoded(const char *hex)
{
    uint8_t *at = arena + arena_used;
    size_t len = hex_decode(hex, at, sizeof arena - arena_used);
    arena_used += len;
    return bytes_of(at, len);
}

struct bytes vector_bytes(const json_t *object, const char *key)
{
    return decoded(vector_text(object, key));
}

size_t vector_list(const json_t *object, const char *key, struct bytes *out, size_t room)
{
    json_t *list = vector_of(object, key), *item;
    size_t i;
    if (!json_is_array(list) || json_array_size(list) > room)
        give_up("is no list, or too long", key);
    json_array_foreach(list, i, item) out[i] = decoded(json_string_value(item));
    return json_array_size(list);
}

uint64_t vector_number(const json_t *object, const char *key)
{
    json_t *value = vector_of(object, key);
    if (json_is_integer(value))
        return (uint64_t)json_integer_value(value);
    char *end;
    uint64_t number = strtoull(vector_text(object, key), &end, 10);
    if (*end)
        give_up("is no number", key);
    return number;
}
