/* SPDX-License-Identifier: MIT
 * objects: a JSON object that a program has printed; whatever should be there and is not fails the
 * test. */
#ifndef TESTS_SUPPORT_OBJECTS_H
#define TESTS_SUPPORT_OBJECTS_H

#include "tests/support/jobs.h"

#include <jansson.h>
#include <stdbool.h>

/* One object without a key twice, and nothing else. */
json_t *object_of(const struct job *j);

/* "end.sum_sent.bytes"; NULL: it is not there. */
json_t *object_at(const json_t *o, const char *path);
json_t *object_must(const json_t *o, const char *path);
double object_number(const json_t *o, const char *path);
json_int_t object_count(const json_t *o, const char *path);
const char *object_text(const json_t *o, const char *path);
bool object_is_true(const json_t *o, const char *path);

/* Each key of it, at any depth, stands in sttbench(1) as a word. */
void object_is_in_page(const json_t *o);

#endif
