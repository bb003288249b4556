/* SPDX-License-Identifier: MIT
 * trees: files and folders of a test: made, compared, hashed, removed. What cannot be done stops
 * the test. */
#ifndef TESTS_SUPPORT_TREES_H
#define TESTS_SUPPORT_TREES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file of so many bytes, the same for the same seed; a longer one begins with a shorter one. */
void trees_make(const char *path, uint64_t bytes, uint64_t seed);
/* A file of these bytes, of this text. */
void trees_write(const char *path, const void *data, size_t len);
void trees_write_text(const char *path, const char *text);
/* All of it, with a zero byte behind it, for the caller to free. */
char *trees_read(const char *path, size_t *len);

bool trees_exists(const char *path); /* a link, too, that leads nowhere */
uint64_t trees_bytes(const char *path);
/* XXH3 of 64 bits. */
uint64_t trees_hash(const char *path);
/* How many entries are in it, and in what is in it. */
unsigned trees_count(const char *path);

/* Files, folders or links with all that is in them: kinds, content, where links lead; and the nine
 * bits of the mode, and when they were changed, to the nanosecond, unless this is not wanted. NULL:
 * they are alike; else a sentence, good until the next call. */
enum { TREES_NO_MODES = 1, TREES_NO_TIMES = 2 };
const char *trees_difference(const char *one, const char *other, unsigned without);

/* With all that is in it, whatever its modes are. False: something is left. */
bool trees_remove(const char *path);

#endif
