/* SPDX-License-Identifier: MIT
 * json: an object, member by member, in the caller's memory: only what a trace needs. Names and
 * structure are the caller's, so nothing but texts is escaped. Spec 09,
 * "qlog". */
#ifndef STT_TRACE_JSON_H
#define STT_TRACE_JSON_H

#include "stt/base/line.h"

struct stt_json {
    struct stt_line line;
    bool has_members; /* of the object that is open */
};

/* Begins with `first`, and an object. */
struct stt_json stt_json_init(char *out, size_t bytes, const char *first);
/* Ends the outermost object, and the line. Answers its length. */
size_t stt_json_end(struct stt_json *j);

void stt_json_open(struct stt_json *j, const char *name);
void stt_json_close(struct stt_json *j);

/* A number that not every reader can hold becomes a text (RFC 7493). */
#define STT_JSON_EXACT_MAX ((UINT64_C(1) << 53) - 1)
void stt_json_number(struct stt_json *j, const char *name, uint64_t n);
/* Nanoseconds, as milliseconds. */
void stt_json_ms(struct stt_json *j, const char *name, uint64_t ns);
void stt_json_true(struct stt_json *j, const char *name);
/* At most 64 characters; everything but printable ASCII becomes a dot. */
void stt_json_text(struct stt_json *j, const char *name, const char *text);
/* As it is, in brackets: a list of what is written already. */
void stt_json_list(struct stt_json *j, const char *name, const char *items);

#endif
