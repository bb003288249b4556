/* SPDX-License-Identifier: MIT
 * ack_frame: an ACK as a peer would have sent it, from plain ranges. */
#ifndef TESTS_SUPPORT_ACK_FRAME_H
#define TESTS_SUPPORT_ACK_FRAME_H

#include "stt/wire/frame.h"

#include <stdlib.h>

struct ack_frame {
    uint8_t memory[8192];
    struct frame_ack frame; /* borrows from memory */
};

/* Ascending, disjoint, not empty. */
static inline const struct frame_ack *ack_frame(struct ack_frame *a, const struct stt_range *ranges,
                                                size_t n, uint64_t delay_us)
{
    struct wr w = wr_init(a->memory, sizeof a->memory);
    if (stt_frame_ack_encode(&w, ranges, n, delay_us, NULL) != n)
        abort();
    struct rd r = rd_init(wr_done(&w));
    if (!stt_frame_ack_decode(&r, stt_frame_type_decode(&r), &a->frame))
        abort();
    return &a->frame;
}

#endif
