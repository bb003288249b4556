/* SPDX-License-Identifier: MIT
 * lane: one session of a test and the one stream on it, which carries payload in one direction. */
#ifndef TOOLS_STTBENCH_TRANSFER_LANE_H
#define TOOLS_STTBENCH_TRANSFER_LANE_H

#include "stt/node.h"
#include "stt/stats.h"
#include "stt/streams.h"
#include "tools/common/loop.h"
#include "tools/sttbench/transfer/talk.h"

#include <xxhash.h>

/* What it had done at a moment. */
struct lane_point {
    stt_ns at;
    uint64_t bytes; /* of payload: acknowledged, or read */
    struct stt_session_stats stats;
};

struct lane {
    struct stt_endpoint *ep;
    struct loop *loop;
    const struct talk_test *test;
    uint8_t number;
    bool sends;
    stt_handle session, stream;
    uint64_t lead_bytes; /* of the stream, which are no payload */
    XXH3_state_t *hash;  /* NULL: not wanted */

    uint64_t written, read; /* payload, all of it */
    uint64_t base_written;  /* when it began to count */
    uint64_t *left;         /* of a test that is counted: what this side has still to write */
    stt_ns began_at, ended_at;
    bool may_write, is_finished; /* sending: FIN was said */
    bool is_over;                /* it was acknowledged; receiving: read to the end */

    /* Sending: how much is kept, so that the path is filled and no more. */
    stt_ns probed_at;
    uint64_t probed_sent, probed_bytes, backlog_max, ring_max, kept_max;
    stt_ns full_since, full_ns; /* the buffer was full */

    struct lane_point base, last; /* when it began to count; at the end of the last interval */
    struct lane_point now;
    uint64_t window_max, rtt_max_ns, rtt_min_ns, rtts;
    double rtt_sum_ns;
};

struct lane_config {
    struct stt_endpoint *ep;
    struct loop *loop;
    const struct talk_test *test;
    uint8_t number;
    bool sends;
    uint64_t *left;
    uint64_t kept_max; /* of payload in memory until it is acknowledged */
};
/* False: no memory. */
bool lane_init(struct lane *l, const struct lane_config *config);
void lane_fini(struct lane *l);

/* Its session and stream are there: whatever is counted begins now. */
void lane_begin(struct lane *l, stt_handle session, stt_handle stream, uint64_t lead_bytes);
/* Writes what there is room for; true: something went. */
bool lane_turn(struct lane *l);
/* False: the other side broke the rules. */
bool lane_on_stream(struct lane *l, const struct stt_stream_event *event);
/* Nothing more is written. */
void lane_finish(struct lane *l);

/* Takes its figures into l->now. */
void lane_look(struct lane *l);
/* START was said: it may write, and counts. */
void lane_start(struct lane *l);
/* What is counted begins anew; payload is hashed as before. */
void lane_rebase(struct lane *l);
/* What the other side is told. */
void lane_result(struct lane *l, struct talk_lane *out);

#endif
