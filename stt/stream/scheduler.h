/* SPDX-License-Identifier: MIT
 * scheduler: which stream sends next (spec 05, "Urgency"). One ring of ready streams for each
 * level; the head of the first ring that is not empty sends a grain and goes to the end. Choosing
 * costs the same for one stream and for ten thousand.
 *
 * A stream that runs out of data within its grain leaves, and when it is back it goes on with the
 * rest of that grain, before the others. So one that writes little at a time gets as much as one
 * that has written all, never more than a grain while each other has one, and need not wait for a
 * whole round after each write. */
#ifndef STT_STREAM_SCHEDULER_H
#define STT_STREAM_SCHEDULER_H

#include "stt/base/list.h"
#include "stt/types.h"
#include "stt/wire/limits.h"

/* A stream's place. Zeroed memory with an urgency is a stream that has nothing to send. */
struct stt_schedule {
    struct stt_list link;    /* in the ring of its level */
    struct stt_list waiting; /* of those who can be raised, the longest waiting first */
    stt_ns waits_since;
    uint32_t left;   /* of its grain: what may be sent before the others have their turn */
    uint8_t urgency; /* its own level */
    uint8_t raised;  /* levels by which it was raised for starving */
    bool is_begun;   /* a part of its grain was sent */
};

struct stt_scheduler {
    struct stt_list levels[STT_URGENCY_LEVELS];
    struct stt_list waiting;
    uint8_t ready; /* bit n: level n is not empty */
    uint32_t grain_bytes;
};

/* The scheduler must not move. */
void stt_scheduler_init(struct stt_scheduler *s, uint32_t grain_bytes);

/* It has something to send; nothing when it is in a ring already. */
void stt_scheduler_add(struct stt_scheduler *s, struct stt_schedule *e, stt_ns now);
/* It has nothing to send, or may not. */
void stt_scheduler_remove(struct stt_scheduler *s, struct stt_schedule *e);
/* In a ring it goes to the end of the other level. */
void stt_scheduler_set_urgency(struct stt_scheduler *s, struct stt_schedule *e, uint8_t urgency);

/* Whose turn it is, or NULL. */
static inline struct stt_schedule *stt_scheduler_next(const struct stt_scheduler *s)
{
    if (!s->ready)
        return NULL;
    const struct stt_list *first = s->levels[__builtin_ctz(s->ready)].next;
    return STT_LIST_ENTRY(first, struct stt_schedule, link);
}
/* In its ring is nobody else. */
static inline bool stt_scheduler_is_alone(const struct stt_schedule *e)
{
    return e->link.next == e->link.prev;
}
/* What it may send in its turn: the rest of its grain; where nobody waits for that, grain after
 * grain. */
static inline uint32_t stt_scheduler_turn(const struct stt_schedule *e)
{
    return stt_scheduler_is_alone(e) ? UINT32_MAX : e->left;
}
/* It sent so many bytes; after a whole grain the next one has its turn. What is sent beyond
 * `left`, up to a grain, is taken from the next grain. */
void stt_scheduler_on_sent(struct stt_scheduler *s, struct stt_schedule *e, uint32_t bytes,
                           stt_ns now);
/* Adaptive mode: who has been ready for `patience` and sent nothing is raised by one level, until
 * it has sent its grain. Answers when to look again: at or before `now` when more are due than one
 * call raises, STT_NEVER when nobody waits. */
stt_ns stt_scheduler_raise(struct stt_scheduler *s, stt_ns now, stt_ns patience);

#endif
