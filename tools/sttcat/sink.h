/* SPDX-License-Identifier: MIT
 * sink: an output and the streams that it is fed from; straight out of their receive rings. */
#ifndef TOOLS_STTCAT_SINK_H
#define TOOLS_STTCAT_SINK_H

#include "tools/sttcat/source.h"

struct sink {
    struct port port;
    int given_fd;
    bool is_kept; /* others write to it later: it is not closed */
    struct hash *hash;
    uint64_t bytes;
};

/* Keeps `fd`. False: no memory. */
bool sink_begin(struct sink *s, int fd, bool is_kept);
void sink_end(struct sink *s);
/* Closes it, unless it is kept; false: what was written is not all there (errno). */
bool sink_close(struct sink *s);

/* Moves at most so many bytes from one stream. ENDED: it has been read to its end. */
enum flow sink_move(struct sink *s, struct peer *p, stt_handle stream, size_t most);

#endif
