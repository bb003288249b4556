/* SPDX-License-Identifier: MIT
 * say: one line, one write: what two processes say to one terminal does not mix. Owns the line of
 * progress, which is taken away before anything else is said. Must not know what is said. */
#include "tools/common/say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_ROOM = 2048 };

static struct {
    const char *program;
    int level;
    bool json, is_terminal, has_progress;
} say = {.program = "stt"};

void say_begin(const char *program, int level, bool json)
{
    say.program = program;
    say.level = level;
    say.json = json;
    say.is_terminal = isatty(STDERR_FILENO) == 1;
}

bool say_is_json(void)
{
    return say.json;
}

bool say_wants(int level)
{
    return say.level >= level;
}

bool say_is_terminal(void)
{
    return say.is_terminal;
}

static void write_all(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDERR_FILENO, text, len);
        if (n <= 0)
            return;
        text += n;
        len -= (size_t)n;
    }
}

static void write_line(const char *text, size_t len)
{
    char line[LINE_ROOM + 8];
    size_t at = 0;
    if (say.has_progress) {
        memcpy(line, "\r\033[K", 4);
        at = 4;
    }
    len = len < LINE_ROOM ? len : LINE_ROOM;
    memcpy(line + at, text, len);
    line[at + len] = '\n';
    say.has_progress = false;
    write_all(line, at + len + 1);
}

/* -- texts of others --------------------------------------------------------------------------- */

/* Bytes of the character of UTF-8 at `text`, which ends with a zero; 0: it is none. */
static size_t character(const char *text, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t *c = (const uint8_t *)text;
    size_t len = c[0] < 0x80       ? 1
                 : c[0] >> 5 == 6  ? 2
                 : c[0] >> 4 == 14 ? 3
                 : c[0] >> 3 == 30 ? 4
                                   : 0;
    if (len == 0)
        return 0;
    *code = len == 1 ? c[0] : c[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((c[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (c[i] & 0x3f);
    }
    bool is_surrogate = *code >= 0xd800 && *code < 0xe000;
    return len > 1 && (*code < least[len] || *code > 0x10ffff || is_surrogate) ? 0 : len;
}

/* Of both sets: some terminals obey the second one, too. */
static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

const char *say_clean(const char *text, char *out, size_t room)
{
    size_t at = 0;
    uint32_t code;
    while (*text) {
        size_t len = character(text, &code);
        bool is_bad = len == 0 || is_control(code);
        size_t n = is_bad ? 1 : len;
        if (at + n >= room)
            break;
        if (is_bad)
            out[at] = '?';
        else
            memcpy(out + at, text, len);
        at += n;
        text += len ? len : 1;
    }
    out[at] = 0;
    return out;
}

/* -- sentences --------------------------------------------------------------------------------- */

static void say_text(const char *event, const char *prefix, const char *format, va_list args)
{
    char text[LINE_ROOM], line[LINE_ROOM + 64];
    vsnprintf(text, sizeof text, format, args);
    if (say.json) {
        struct say_object o;
        say_object_begin(&o, event);
        say_object_text(&o, "text", text);
        say_object_end(&o);
        return;
    }
    int len = snprintf(line, sizeof line, "%s%s%s", prefix, *prefix ? ": " : "", text);
    write_line(line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1);
}

void say_error(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say_text("error", say.program, format, args);
    va_end(args);
}

void say_note(int level, const char *format, ...)
{
    va_list args;
    if (say.level < level)
        return;
    va_start(args, format);
    say_text("note", "", format, args);
    va_end(args);
}

void say_line(const char *format, ...)
{
    char text[LINE_ROOM];
    va_list args;
    if (say.json)
        return;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    write_line(text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

void say_progress(const char *line)
{
    char text[LINE_ROOM];
    if (!say.is_terminal || (!*line && !say.has_progress))
        return;
    int len = snprintf(text, sizeof text, "\r%s\033[K", line);
    say.has_progress = *line != 0;
    write_all(text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

/* -- JSON -------------------------------------------------------------------------------------- */

/* Room for the closing brace is always kept. */
static void append(struct say_object *o, const char *text, size_t len)
{
    if (o->len + len + 2 > sizeof o->text) {
        o->is_full = true;
        return;
    }
    memcpy(o->text + o->len, text, len);
    o->len += len;
}

static void append_quoted(struct say_object *o, const char *text)
{
    append(o, "\"", 1);
    while (*text) {
        char escaped[8];
        uint32_t code;
        size_t len = character(text, &code);
        if (len == 0)
            append(o, "\\ufffd", 6);
        else if (is_control(code) || code == '"' || code == '\\')
            append(o, escaped, (size_t)snprintf(escaped, sizeof escaped, "\\u%04" PRIx32, code));
        else
            append(o, text, len);
        text += len ? len : 1;
    }
    append(o, "\"", 1);
}

/* A member is there as a whole or not at all. */
static size_t member_begin(struct say_object *o, const char *key)
{
    size_t before = o->len;
    if (o->len > 1)
        append(o, ",", 1);
    append_quoted(o, key);
    append(o, ":", 1);
    return before;
}

static void member_end(struct say_object *o, size_t before)
{
    if (o->is_full)
        o->len = before;
    o->is_full = false;
}

void say_object_begin(struct say_object *o, const char *event)
{
    o->len = 0;
    o->is_full = false;
    append(o, "{", 1);
    say_object_text(o, "event", event);
}

void say_object_text(struct say_object *o, const char *key, const char *value)
{
    size_t before = member_begin(o, key);
    append_quoted(o, value);
    member_end(o, before);
}

void say_object_number(struct say_object *o, const char *key, uint64_t value)
{
    char digits[24];
    size_t before = member_begin(o, key);
    append(o, digits, (size_t)snprintf(digits, sizeof digits, "%" PRIu64, value));
    member_end(o, before);
}

void say_object_bool(struct say_object *o, const char *key, bool value)
{
    size_t before = member_begin(o, key);
    append(o, value ? "true" : "false", value ? 4 : 5);
    member_end(o, before);
}

void say_object_end(struct say_object *o)
{
    o->text[o->len++] = '}';
    if (!say.json)
        return;
    char line[SAY_OBJECT_ROOM + 1];
    memcpy(line, o->text, o->len);
    line[o->len] = '\n';
    write_all(line, o->len + 1);
}
