/* SPDX-License-Identifier: MIT
 * scheduler: owns nothing; links the places of streams into rings.
 *
 *     ready  bit   0    1    2    3   ...  7
 *                  |         |    |                 front: whose turn it is, or who came back
 *                 a-b        c   d-e-f                     with a begun grain
 *                                                   back: who has just sent a grain
 *
 *     waiting      e - d - c - f                    by waits_since; nobody of level 0
 *
 * Invariants: a bit of `ready` is set when that ring is not empty; `waiting` ascends, because every
 * wait begins now and so at its back; raised is 0 outside of the rings and at most the urgency.
 * Only who has begun a grain enters at the front, and who has ended one at the back: so between two
 * grains of a stream that is ready, none of its level sends more than one. It must not know what a
 * stream is, nor what limits it. Spec 05, "Urgency". */
#include "stt/stream/scheduler.h"

#include <assert.h>

/* Raised in one call: many thousands that starved together shall not stop the sender for long. */
enum { RAISED_AT_ONCE = 32 };

static unsigned level(const struct stt_schedule *e)
{
    return (unsigned)e->urgency - e->raised;
}

static bool is_ready(const struct stt_schedule *e)
{
    return stt_list_is_linked(&e->link);
}

static struct stt_schedule *longest_waiting(const struct stt_scheduler *s)
{
    return STT_LIST_ENTRY(s->waiting.next, struct stt_schedule, waiting);
}

static void enter(struct stt_scheduler *s, struct stt_schedule *e)
{
    struct stt_list *ring = &s->levels[level(e)];
    if (e->is_begun && !e->raised)
        stt_list_push_front(ring, &e->link);
    else
        stt_list_push_back(ring, &e->link);
    s->ready |= (uint8_t)(1u << level(e));
}

static void leave(struct stt_scheduler *s, struct stt_schedule *e)
{
    stt_list_remove(&e->link);
    if (stt_list_is_empty(&s->levels[level(e)]))
        s->ready &= (uint8_t) ~(1u << level(e));
}

/* Level 0 has nothing to wait for. A time before the last one's counts as that. */
static void wait_since(struct stt_scheduler *s, struct stt_schedule *e, stt_ns since)
{
    stt_list_remove(&e->waiting);
    e->waits_since = since;
    if (level(e) == 0)
        return;
    if (!stt_list_is_empty(&s->waiting)) {
        stt_ns last = STT_LIST_ENTRY(s->waiting.prev, struct stt_schedule, waiting)->waits_since;
        e->waits_since = since > last ? since : last;
    }
    stt_list_push_back(&s->waiting, &e->waiting);
}

void stt_scheduler_init(struct stt_scheduler *s, uint32_t grain_bytes)
{
    assert(grain_bytes);
    *s = (struct stt_scheduler){.grain_bytes = grain_bytes};
    for (unsigned i = 0; i < STT_URGENCY_LEVELS; i++)
        stt_list_init(&s->levels[i]);
    stt_list_init(&s->waiting);
}

void stt_scheduler_add(struct stt_scheduler *s, struct stt_schedule *e, stt_ns now)
{
    assert(e->urgency < STT_URGENCY_LEVELS);
    if (is_ready(e))
        return;
    if (e->left == 0)
        e->left = s->grain_bytes;
    enter(s, e);
    wait_since(s, e, now);
}

void stt_scheduler_remove(struct stt_scheduler *s, struct stt_schedule *e)
{
    if (!is_ready(e))
        return;
    leave(s, e);
    stt_list_remove(&e->waiting);
    e->raised = 0;
}

void stt_scheduler_set_urgency(struct stt_scheduler *s, struct stt_schedule *e, uint8_t urgency)
{
    assert(urgency < STT_URGENCY_LEVELS);
    if (e->urgency == urgency)
        return;
    bool was_ready = is_ready(e);
    if (was_ready)
        leave(s, e);
    e->urgency = urgency;
    e->raised = 0;
    e->is_begun = false; /* among others, its grain is one among theirs */
    if (!was_ready)
        return;
    enter(s, e);
    wait_since(s, e, e->waits_since);
}

/* The grain is used up, and of the next one `over` bytes. */
static void end_turn(struct stt_scheduler *s, struct stt_schedule *e, uint32_t over)
{
    bool was_ready = is_ready(e);
    if (was_ready)
        leave(s, e);
    e->left = over < s->grain_bytes ? s->grain_bytes - over : 1;
    e->raised = 0;
    e->is_begun = false;
    if (was_ready)
        enter(s, e);
}

void stt_scheduler_on_sent(struct stt_scheduler *s, struct stt_schedule *e, uint32_t bytes,
                           stt_ns now)
{
    if (bytes < e->left) {
        e->left -= bytes;
        e->is_begun = e->is_begun || bytes;
    } else {
        uint32_t over = bytes - e->left;
        end_turn(s, e, stt_scheduler_is_alone(e) ? over % s->grain_bytes : over);
    }
    if (is_ready(e))
        wait_since(s, e, now);
}

static void raise_one(struct stt_scheduler *s, struct stt_schedule *e, stt_ns now)
{
    leave(s, e);
    e->raised++;
    enter(s, e);
    wait_since(s, e, now);
}

stt_ns stt_scheduler_raise(struct stt_scheduler *s, stt_ns now, stt_ns patience)
{
    for (int n = 0; n < RAISED_AT_ONCE && !stt_list_is_empty(&s->waiting); n++) {
        struct stt_schedule *e = longest_waiting(s);
        if (now < e->waits_since + patience)
            break;
        raise_one(s, e, now);
    }
    return stt_list_is_empty(&s->waiting) ? STT_NEVER : longest_waiting(s)->waits_since + patience;
}
