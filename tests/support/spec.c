/* SPDX-License-Identifier: MIT
 * spec: reads chapters, their tables, and vectors. */
#include "tests/support/spec.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void __attribute__((noreturn, format(printf, 1, 2))) stop(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

static char *chapter_read(const char *chapter)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", STT_SPEC_DIR, chapter);
    FILE *f = fopen(path, "rb");
    if (!f)
        stop("%s: cannot be opened", path);
    size_t room = 1 << 20;
    char *text = malloc(room);
    size_t n = text ? fread(text, 1, room, f) : room;
    fclose(f);
    if (n == room)
        stop("%s: larger than expected", path);
    text[n] = 0;
    return text;
}

static char *trim(char *cell)
{
    while (isspace((unsigned char)*cell))
        cell++;
    char *end = cell + strlen(cell);
    while (end > cell && isspace((unsigned char)end[-1]))
        *--end = 0;
    return cell;
}

/* `line` is "| a | b |", and is cut in place. */
static void row_init(struct spec_table *t, char *line)
{
    if (t->rows == SPEC_ROWS)
        stop("more than %d rows", SPEC_ROWS);
    const char **cell = t->cell[t->rows++];
    for (size_t i = 0; i < SPEC_COLUMNS; i++)
        cell[i] = "";
    char *at = line + 1;
    for (size_t i = 0; strchr(at, '|'); i++) {
        if (i == SPEC_COLUMNS)
            stop("more than %d columns: %s", SPEC_COLUMNS, line);
        char *bar = strchr(at, '|');
        *bar = 0;
        cell[i] = trim(at);
        at = bar + 1;
    }
}

void spec_table_init(struct spec_table *t, const char *chapter, const char *head)
{
    t->text = chapter_read(chapter);
    t->rows = 0;
    char *rest = t->text, *line;
    do {
        line = strsep(&rest, "\n");
    } while (line && strncmp(line, head, strlen(head)) != 0);
    if (!line || !strsep(&rest, "\n"))
        stop("%s: no table \"%s\"", chapter, head);
    while ((line = strsep(&rest, "\n")) && line[0] == '|')
        row_init(t, line);
    if (t->rows == 0)
        stop("%s: table \"%s\" is empty", chapter, head);
}

void spec_table_fini(struct spec_table *t)
{
    free(t->text);
    t->text = NULL;
}

char *spec_prose(const char *chapter)
{
    char *text = chapter_read(chapter), *to = text;
    for (const char *from = text; *from; from++) {
        bool blank = isspace((unsigned char)*from);
        if (!blank)
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    *to = 0;
    return text;
}

static uint64_t digits(const char **text)
{
    bool hex = (*text)[0] == '0' && (*text)[1] == 'x';
    uint64_t v = 0;
    if (hex)
        *text += 2;
    for (; hex ? isxdigit((unsigned char)**text) : isdigit((unsigned char)**text) || **text == ',';
         (*text)++) {
        unsigned char c = (unsigned char)tolower((unsigned char)**text);
        if (c == ',' && !isdigit((unsigned char)(*text)[1]))
            break; /* of the sentence */
        if (c != ',')
            v = v * (hex ? 16 : 10) + (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return v;
}

bool spec_number(const char **text, uint64_t *value)
{
    while (**text == ' ')
        (*text)++;
    if (!isdigit((unsigned char)**text))
        return false;
    *value = digits(text);
    if (**text == '^') {
        (*text)++;
        uint64_t exponent = digits(text), base = *value;
        for (*value = 1; exponent > 0; exponent--)
            *value *= base;
    }
    if ((*text)[0] == '-' && isdigit((unsigned char)(*text)[1]) && strncmp(*text, "-0x", 3) != 0) {
        (*text)++;
        *value -= digits(text);
    }
    return true;
}

json_t *spec_vectors(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/vectors/%s", STT_SPEC_DIR, name);
    json_error_t error;
    json_t *vectors = json_load_file(path, 0, &error);
    if (!vectors)
        stop("%s:%d: %s", path, error.line, error.text);
    if (json_array_size(vectors) == 0)
        stop("%s: no vectors", path);
    return vectors;
}

bool spec_member_u64(const json_t *object, const char *member, uint64_t *value)
{
    const json_t *m = json_object_get(object, member);
    if (json_is_null(m))
        return false;
    if (!json_is_string(m))
        stop("no string \"%s\" in a vector", member);
    char *end;
    *value = strtoull(json_string_value(m), &end, 10);
    if (*end || end == json_string_value(m))
        stop("\"%s\" is not a decimal number", member);
    return true;
}
