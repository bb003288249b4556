/* SPDX-License-Identifier: MIT
 * input: an input and the streams that its bytes go to; straight from the system into their send
 * rings. */
#ifndef TOOLS_STTCAT_INPUT_H
#define TOOLS_STTCAT_INPUT_H

#include "tools/sttcat/hash.h"
#include "tools/sttcat/lanes.h"

enum flow {
    FLOW_WAITS, /* for a descriptor or for the session: it was said to the loop */
    FLOW_MOVED,
    FLOW_ENDED,
    FLOW_FAILED, /* errno says why */
};

struct input {
    struct port port; /* -1: there is none, which is an input that has ended */
    int given_fd;     /* what `port` was made of, to be closed with it */
    bool is_terminal, is_ended;
    struct hash *hash;
    uint64_t bytes;
};

/* Keeps `fd` and closes it at the end; -1: none. False: no memory. */
bool input_begin(struct input *s, int fd);
void input_end(struct input *s);

/* Moves at most so many bytes to one stream. ENDED: there are no more. */
enum flow input_move(struct input *s, struct peer *p, stt_handle stream, size_t most);

#endif
