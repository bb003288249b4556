/* SPDX-License-Identifier: MIT
 * bulk: one stream from one node to another, each in a process of its own, as fast as it goes. What
 * is sent, and what becomes of it, is the caller's.
 *
 *     struct bulk b = {.fill = fill, .ctx = mine};
 *     if (!bulk_make(&b, &config) || !bulk_send(&b, &meeting)) return false; */
#ifndef TOOLS_STTBENCH_SHARED_BULK_H
#define TOOLS_STTBENCH_SHARED_BULK_H

#include "stt/stats.h"
#include "tools/sttbench/shared/ends.h"

struct bulk {
    /* Of who sends: how many bytes there are in the room now; 0: that was all. */
    size_t (*fill)(struct bulk *b, uint8_t *room, size_t len);
    /* Of who receives: looks at some of them, where they lie. */
    void (*take)(struct bulk *b, const uint8_t *data, size_t len);
    /* Of who receives, or NULL: after each piece. */
    void (*look)(struct bulk *b);
    void *ctx;

    uint64_t bytes; /* given, or taken, so far */
    struct stt_node *node;
    struct stt_session_stats stats; /* when it was over */

    stt_handle session, stream;
    bool is_finishing, is_over;
};

/* What fails is told by pair_refuse(). */
bool bulk_make(struct bulk *b, const struct stt_node_config *config);
void bulk_free(struct bulk *b);

/* Until all is acknowledged; tells the other side that it is over. */
bool bulk_send(struct bulk *b, struct ends_meeting *meeting);
/* Until the other side has said so. */
bool bulk_receive(struct bulk *b, const struct stt_node_config *config,
                  struct ends_meeting *meeting);

#endif
