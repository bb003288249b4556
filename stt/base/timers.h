/* SPDX-License-Identifier: MIT
 * timers: many deadlines, of which the earliest is known. A timer is embedded in its owner.
 *
 * Most deadlines never come: every packet moves them further away. So moving one later, or
 * cancelling it, only writes to the timer; the heap learns of it when the old time would be the
 * next, and nobody is woken for it. Setting one earlier and letting it expire are O(log n), and so
 * is what the heap has to learn, once for each old deadline.
 *
 * Memory is taken when a timer is added, so that setting one cannot fail. Deadlines that are equal
 * come in the order in which their timers were added. */
#ifndef STT_BASE_TIMERS_H
#define STT_BASE_TIMERS_H

#include "stt/base/env.h"
#include "stt/error.h"

#include <assert.h>

struct stt_timer {
    stt_ns at;       /* STT_NEVER: not set */
    stt_ns filed_at; /* where the heap has it, at or before `at`; STT_NEVER: not in the heap */
    uint64_t order;
    uint32_t slot;
    bool added;
};

struct stt_timers_entry;

struct stt_timers {
    const struct stt_env *env;
    struct stt_timers_entry *heap;
    uint32_t in_heap, added, capacity, max;
    uint64_t next_order;
};

/* Takes no memory. */
void stt_timers_init(struct stt_timers *ts, const struct stt_env *env, uint32_t max);

/* Forgets the timers that are still added; they must not be used any more, nor removed. */
void stt_timers_fini(struct stt_timers *ts);

/* STT_E_LIMIT at max timers, STT_E_MEMORY. The timer must not move while it is added, and is not
 * set at first. The heap doubles all at once: a copy of 24 bytes for each timer. */
int stt_timers_add(struct stt_timers *ts, struct stt_timer *timer) STT_MUST_USE;

/* O(log n), at once: the owner's memory may go. Nothing when it was not added. */
void stt_timers_remove(struct stt_timers *ts, struct stt_timer *timer);

/* For stt_timers_set alone: the deadline comes before the time at which the heap has it. */
void stt_timers_file(struct stt_timers *ts, struct stt_timer *timer);

static inline void stt_timers_set(struct stt_timers *ts, struct stt_timer *timer, stt_ns at)
{
    assert(timer->added);
    timer->at = at;
    if (at < timer->filed_at)
        stt_timers_file(ts, timer);
}

static inline void stt_timers_cancel(struct stt_timers *ts, struct stt_timer *timer)
{
    stt_timers_set(ts, timer, STT_NEVER);
}

static inline bool stt_timer_is_set(const struct stt_timer *timer)
{
    return timer->at != STT_NEVER;
}

/* The earliest deadline: when to call stt_timers_pop next. STT_NEVER: nothing to wait for. */
stt_ns stt_timers_next(struct stt_timers *ts);

/* The earliest timer whose deadline is at or before `now`; it is not set any more. NULL: no more,
 * and stt_timers_next() is after now. To be called until then; an owner that sets its timer again
 * at or before `now` meets it again. */
struct stt_timer *stt_timers_pop(struct stt_timers *ts, stt_ns now) STT_MUST_USE;

#endif
