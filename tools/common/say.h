/* SPDX-License-Identifier: MIT
 * say: what people and programs are told, always on standard error: sentences, or, with JSON, one
 * object a line. Control characters of others never reach a terminal. */
#ifndef TOOLS_COMMON_SAY_H
#define TOOLS_COMMON_SAY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* level: -1 only errors, 0 what everybody should know, 1 and more: what -v asks for. */
void say_begin(const char *program, int level, bool json);
bool say_is_json(void);
bool say_wants(int level);

/* "program: sentence", or {"event":"error","text":"..."}. */
void say_error(const char *format, ...) PRINTF_LIKE(1, 2);
/* The same without the program's name, below this level; {"event":"note",...}. */
void say_note(int level, const char *format, ...) PRINTF_LIKE(2, 3);
/* A line as it is, for what people copy from the screen; nothing with JSON. */
void say_line(const char *format, ...) PRINTF_LIKE(1, 2);

/* A line that is overwritten by the next one; "" takes it away. Only on a terminal. */
bool say_is_terminal(void);
void say_progress(const char *line);

/* -- JSON: one object, which grows; what does not fit is left out, and the object stays whole -- */

#define SAY_OBJECT_ROOM 4096
struct say_object {
    char text[SAY_OBJECT_ROOM];
    size_t len;
    bool is_full;
};
void say_object_begin(struct say_object *o, const char *event);
/* Bytes that are no UTF-8 become U+FFFD. */
void say_object_text(struct say_object *o, const char *key, const char *value);
void say_object_number(struct say_object *o, const char *key, uint64_t value);
void say_object_bool(struct say_object *o, const char *key, bool value);
/* Prints it with --json; else nothing. */
void say_object_end(struct say_object *o);

/* For a terminal: control characters and what is no UTF-8 become '?'. Cuts off what has no room. */
const char *say_clean(const char *text, char *out, size_t room);

#endif
