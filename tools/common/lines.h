/* SPDX-License-Identifier: MIT
 * lines: a text file that says whom to trust, and so must not be anybody else's to write.
 *
 *     struct lines l;
 *     struct line line;
 *     if (lines_load(&l, path, LINES_FOLLOW, why) != LINES_THERE) ...
 *     while (lines_next(&l, &line)) ...
 *     lines_free(&l); */
#ifndef TOOLS_COMMON_LINES_H
#define TOOLS_COMMON_LINES_H

#include "tools/common/options.h"

enum { LINES_BYTES_MAX = 1 << 20 };

struct lines {
    char *text;
    size_t len, at;
    uint32_t number; /* of the line that was given last */
    char path[OPTION_WHY_ROOM / 2];
};

/* What stands between the blanks; borrowed from the file's text. Comments are behind '#'. */
struct line {
    const char *text;
    size_t len;
    size_t from, to; /* where the whole line is in the file, its end included */
};

enum lines_links { LINES_FOLLOW, LINES_NO_LINK };
enum lines_answer { LINES_THERE, LINES_NONE, LINES_REFUSED };

/* The whole file. NONE: there is none; `why` says so, too. Free it in every case. */
enum lines_answer lines_load(struct lines *lines, const char *path, enum lines_links links,
                             char why[OPTION_WHY_ROOM]);
void lines_free(struct lines *lines);

/* The next one that says something; false at the end. */
bool lines_next(struct lines *lines, struct line *line);

#endif
