/* SPDX-License-Identifier: MIT
 * content: a file that is read from its front to its back, with its hash and its holes (spec 10,
 * "Files"). */
#ifndef TOOLS_STTCAT_CONTENT_H
#define TOOLS_STTCAT_CONTENT_H

#include "tools/sttcat/hash.h"

struct content {
    int fd;
    struct hash *hash; /* of the first `at` bytes */
    uint64_t at, bytes;
    uint64_t extent_end; /* up to there it is as it is here: */
    bool is_hole;
    bool is_sparse;
    bool is_broken; /* it could not be read on: `error`, or 0 where it has become shorter */
    int error;
};

/* Work is counted in bytes that are read; zeros are hashed faster than that. */
enum { CONTENT_SLICE = 4 << 20, CONTENT_ZEROS_FACTOR = 16 };

/* False: memory. */
bool content_begin(struct content *s, int fd, uint64_t bytes);
/* Also what was never begun, and is zero. The descriptor is not its own. */
void content_end(struct content *s);
void content_rewind(struct content *s);

/* How many bytes are alike from here on, all in holes or all not; 0: at the end. */
uint64_t content_extent(struct content *s);
/* Goes on up to `to`, not beyond the end, for at most so much work. How much it was. */
size_t content_skim(struct content *s, uint64_t to, size_t work);
/* In data. What cannot be read becomes zeros, and it is broken. */
void content_read(struct content *s, void *out, size_t len);
/* In a hole; how much work it was. */
size_t content_skip(struct content *s, uint64_t len);

#endif
