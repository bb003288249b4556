/* SPDX-License-Identifier: MIT
 * reader: one lane of who takes, as records (spec 10, "Files"). */
#ifndef TOOLS_STTCAT_READER_H
#define TOOLS_STTCAT_READER_H

#include "tools/sttcat/peer.h"

#include <sys/uio.h>

enum reader_step {
    READER_WAITS, /* for more bytes */
    READER_BEGIN, /* index, bytes: where it begins */
    READER_DATA,  /* parts, n_parts, bytes: consumed with the next call */
    READER_HOLE,  /* bytes */
    READER_END,   /* is_whole, bytes: of all of it, hash */
    READER_OVER,  /* the lane has ended */
    READER_BAD,   /* a record that cannot be */
};

enum { READER_PARTS = 16 };
struct reader {
    struct peer *peer;
    stt_handle stream;
    enum { READER_RECORD, READER_RUN, READER_RUN_DATA, READER_RECORD_END } phase;
    uint8_t head[32];
    size_t head_len;
    uint64_t run_left;
    size_t shown; /* not consumed yet */

    uint64_t index, bytes;
    bool is_whole;
    struct wire_hash hash;
    struct iovec parts[READER_PARTS];
    int n_parts;
};

enum reader_step reader_next(struct reader *r);

#endif
