/* SPDX-License-Identifier: MIT
 * vector_file: the JSON files in spec/vectors/, with bytes as hex and large numbers as text. A file
 * that lacks what a test asks for stops the test. */
#ifndef TESTS_SUPPORT_VECTOR_FILE_H
#define TESTS_SUPPORT_VECTOR_FILE_H

#include "stt/base/bytes.h"

#include <jansson.h>

/* Loads a file of spec/vectors/; json_decref gives it back. Bytes from the one before are gone. */
json_t *vector_file(const char *name);

/* Values of an object, by key. */
json_t *vector_of(const json_t *object, const char *key);
struct bytes vector_bytes(const json_t *object, const char *key);
uint64_t vector_number(const json_t *object, const char *key);
const char *vector_text(const json_t *object, const char *key);

/* An array of bytes; answers how many. */
size_t vector_list(const json_t *object, const char *key, struct bytes *out, size_t room);

#endif
