/* SPDX-License-Identifier: MIT
 * writer: one lane of who gives, and the record that goes over it (spec 10, "Files"). */
#ifndef TOOLS_STTCAT_WRITER_H
#define TOOLS_STTCAT_WRITER_H

#include "tools/sttcat/content.h"
#include "tools/sttcat/peer.h"

enum writer_phase {
    WRITER_IDLE,
    WRITER_COMPARING, /* whether the taker's beginning is ours */
    WRITER_BETWEEN,   /* runs */
    WRITER_IN_DATA,
    WRITER_IN_HOLE,
    WRITER_AT_END,
};

/* What is to be sent. */
struct writer_file {
    int fd;                /* becomes the writer's; -1: it cannot be read */
    uint64_t index, bytes; /* as it was named */
    uint64_t offset;       /* what the taker has, and its hash */
    struct wire_hash hash;
    bool (*is_unchanged)(void *ctx, int fd); /* asked at the end */
    void *ctx;
};

struct writer {
    struct peer *peer;
    stt_handle stream;
    enum writer_phase phase;
    struct writer_file file;
    struct content content;
    uint64_t run_left;
    bool is_called_off; /* nobody wants the rest */
    bool is_whole;      /* what the last record said */
    uint8_t head[64];   /* on its way into the stream */
    size_t head_len, head_done;
};

/* When it is idle. False: memory; the file's descriptor is closed. */
bool writer_begin(struct writer *w, const struct writer_file *file);
/* As far as it can for a slice of work; true if it got on. The record has ended when it is idle. */
bool writer_turn(struct writer *w);
void writer_call_off(struct writer *w);
void writer_end(struct writer *w);

#endif
