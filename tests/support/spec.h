/* SPDX-License-Identifier: MIT
 * spec: the specification as tests read it, so that it and the code are checked against each other.
 * What is not found, or not as expected, stops the test with a message. */
#ifndef TESTS_SUPPORT_SPEC_H
#define TESTS_SUPPORT_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPEC_ROWS = 64, SPEC_COLUMNS = 8 };

struct spec_table {
    char *text; /* the cells point into it */
    size_t rows;
    const char *cell[SPEC_ROWS][SPEC_COLUMNS]; /* trimmed; "" where a row is short */
};

/* The chapter's first table whose head begins so: "| code | name |". */
void spec_table_init(struct spec_table *t, const char *chapter, const char *head);
void spec_table_fini(struct spec_table *t);

/* The chapter with every run of white space as one blank, for searching; free() it. */
char *spec_prose(const char *chapter);

/* "0x1f", "65,507", "2^62-1" at *text, which moves behind it; false when no number is there. */
bool spec_number(const char **text, uint64_t *value);

/* spec/vectors/NAME, an array; json_decref() it. */
json_t *spec_vectors(const char *name);

/* A member that is a decimal number in a string; false when it is null. */
bool spec_member_u64(const json_t *object, const char *member, uint64_t *value);

#endif
