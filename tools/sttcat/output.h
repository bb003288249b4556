/* SPDX-License-Identifier: MIT
 * output: an output and the streams that it is fed from; straight out of their receive rings. */
#ifndef TOOLS_STTCAT_OUTPUT_H
#define TOOLS_STTCAT_OUTPUT_H

#include "tools/sttcat/input.h"

struct output {
    struct port port;
    int given_fd;
    bool is_kept;   /* others write to it later: it is not closed */
    bool has_ended; /* the stream; it may be forgotten from then on */
    struct hash *hash;
    uint64_t bytes;
};

/* Keeps `fd`. False: no memory. */
bool output_begin(struct output *s, int fd, bool is_kept);
void output_end(struct output *s);
/* Closes it, unless it is kept; false: what was written is not all there (errno). */
bool output_close(struct output *s);

/* Moves at most so many bytes from one stream. ENDED: it has been read to its end. */
enum flow output_move(struct output *s, struct peer *p, stt_handle stream, size_t most);

#endif
