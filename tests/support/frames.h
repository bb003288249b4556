/* SPDX-License-Identifier: MIT
 * frames: any frame as one struct, for tests that treat all of them alike. */
#ifndef TESTS_SUPPORT_FRAMES_H
#define TESTS_SUPPORT_FRAMES_H

#include "stt/wire/frame.h"

struct any_frame {
    uint64_t type;
    union {
        size_t padding;
        struct frame_ack ack;
        struct frame_reset reset;
        struct frame_stop stop;
        struct frame_skip skip;
        struct frame_stream stream;
        struct frame_limit limit;
        struct frame_stream_limit stream_limit;
        struct frame_datagram datagram;
        struct frame_new_id new_id;
        struct frame_retire_id retire_id;
        struct frame_path path;
        struct frame_rekey rekey;
        struct frame_identity identity;
        struct frame_close close;
        struct frame_extension extension;
    } u;
};

/* The next frame of a payload; false for what a session would close for. */
bool any_frame_decode(struct rd *r, struct any_frame *f);

/* An ACK is written anew from its ranges, at most STT_ACK_RANGES_MAX of them. */
bool any_frame_encode(struct wr *w, const struct any_frame *f);

/* What they say is the same, wherever it is stored and in whatever form it was written. The type
 * of a STREAM may differ in its Offset bit, which an encoder leaves out for 0. */
bool any_frame_equal(const struct any_frame *a, const struct any_frame *b);

#endif
