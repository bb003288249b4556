/* SPDX-License-Identifier: MIT
 * qlog: what draft-ietf-quic-qlog-main-schema-05 and -quic-events-04 say of a record, as a table,
 * and a strict reader that holds records against it. */
#ifndef TESTS_SUPPORT_QLOG_H
#define TESTS_SUPPORT_QLOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The object in a record of a JSON text sequence; NULL, and *why says what is wrong with its
 * syntax. json_decref() it. */
json_t *qlog_parse(const char *record, size_t len, const char **why);

/* NULL: it is as the schema wants it. Otherwise what is wrong; a text that lives until the next
 * call. `narrow`: numbers fit the widths that the schema gives them, too. */
const char *qlog_head_mistake(const char *record, size_t len);
const char *qlog_mistake(const char *record, size_t len, bool narrow);

#endif
