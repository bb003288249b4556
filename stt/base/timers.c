/* SPDX-License-Identifier: MIT
 * timers: owns a 4-ary heap of (filed_at, order, timer), ordered by the first two.
 *
 *   heap[0] is the earliest; the children of i are 4i + 1 ... 4i + 4
 *
 * Invariants, for every timer: filed_at <= at, and while it is in the heap, heap[slot] is its entry
 * with the same filed_at and order. in_heap <= added <= capacity, so there is always room. An entry
 * with filed_at < at is out of date: it is refiled, or dropped when the timer is not set, once it
 * is the first and somebody asks. Until then it costs nothing. It must not know who owns a timer or
 * what it is for. */
#include "stt/base/timers.h"

#include <string.h>

enum { CAPACITY_MIN = 16, CHILDREN = 4 };

struct stt_timers_entry {
    stt_ns filed_at;
    uint64_t order;
    struct stt_timer *timer;
};

static bool is_before(const struct stt_timers_entry *a, const struct stt_timers_entry *b)
{
    return a->filed_at < b->filed_at || (a->filed_at == b->filed_at && a->order < b->order);
}

static void place(struct stt_timers *ts, uint32_t slot, struct stt_timers_entry entry)
{
    ts->heap[slot] = entry;
    entry.timer->slot = slot;
}

/* Puts the entry at `slot`, or above it. */
static void rise(struct stt_timers *ts, uint32_t slot, struct stt_timers_entry entry)
{
    while (slot) {
        uint32_t parent = (slot - 1) / CHILDREN;
        if (!is_before(&entry, &ts->heap[parent]))
            break;
        place(ts, slot, ts->heap[parent]);
        slot = parent;
    }
    place(ts, slot, entry);
}

static uint32_t first_child(const struct stt_timers *ts, uint32_t slot)
{
    uint32_t first = CHILDREN * slot + 1, best = first;
    for (uint32_t i = first + 1; i < first + CHILDREN && i < ts->in_heap; i++)
        if (is_before(&ts->heap[i], &ts->heap[best]))
            best = i;
    return best;
}

/* Puts the entry at `slot`, or below it. */
static void sink(struct stt_timers *ts, uint32_t slot, struct stt_timers_entry entry)
{
    for (;;) {
        uint32_t child = first_child(ts, slot);
        if (child >= ts->in_heap || !is_before(&ts->heap[child], &entry))
            break;
        place(ts, slot, ts->heap[child]);
        slot = child;
    }
    place(ts, slot, entry);
}

/* Fills the hole with the last entry. */
static void take_out(struct stt_timers *ts, struct stt_timer *timer)
{
    uint32_t slot = timer->slot;
    struct stt_timers_entry last = ts->heap[--ts->in_heap];
    timer->filed_at = STT_NEVER;
    if (slot == ts->in_heap)
        return;
    if (slot && is_before(&last, &ts->heap[(slot - 1) / CHILDREN]))
        rise(ts, slot, last);
    else
        sink(ts, slot, last);
}

void stt_timers_init(struct stt_timers *ts, const struct stt_env *env, uint32_t max)
{
    assert(max <= 1u << 29);
    *ts = (struct stt_timers){.env = env, .max = max};
}

void stt_timers_fini(struct stt_timers *ts)
{
    stt_env_release(ts->env, ts->heap, ts->capacity * sizeof *ts->heap);
    ts->heap = NULL;
    ts->in_heap = ts->added = ts->capacity = 0;
}

static int grow(struct stt_timers *ts)
{
    uint32_t capacity = ts->capacity ? 2 * ts->capacity : CAPACITY_MIN;
    struct stt_timers_entry *bigger = stt_env_alloc(ts->env, capacity * sizeof *bigger);
    if (!bigger)
        return STT_E_MEMORY;
    if (ts->in_heap)
        memcpy(bigger, ts->heap, ts->in_heap * sizeof *bigger);
    stt_env_release(ts->env, ts->heap, ts->capacity * sizeof *ts->heap);
    ts->heap = bigger;
    ts->capacity = capacity;
    return STT_OK;
}

int stt_timers_add(struct stt_timers *ts, struct stt_timer *timer)
{
    if (ts->added == ts->max)
        return STT_E_LIMIT;
    int error = ts->added == ts->capacity ? grow(ts) : STT_OK;
    if (error)
        return error;
    ts->added++;
    *timer = (struct stt_timer){
        .at = STT_NEVER, .filed_at = STT_NEVER, .order = ts->next_order++, .added = true};
    return STT_OK;
}

void stt_timers_remove(struct stt_timers *ts, struct stt_timer *timer)
{
    if (!timer->added)
        return;
    if (timer->filed_at != STT_NEVER)
        take_out(ts, timer);
    ts->added--;
    *timer = (struct stt_timer){.at = STT_NEVER, .filed_at = STT_NEVER};
}

void stt_timers_file(struct stt_timers *ts, struct stt_timer *timer)
{
    uint32_t slot = timer->filed_at == STT_NEVER ? ts->in_heap++ : timer->slot;
    timer->filed_at = timer->at;
    rise(ts, slot, (struct stt_timers_entry){timer->at, timer->order, timer});
}

/* The first entry is out of date: files its timer where it belongs now. */
static void refile_first(struct stt_timers *ts)
{
    struct stt_timers_entry entry = ts->heap[0];
    if (!stt_timer_is_set(entry.timer)) {
        take_out(ts, entry.timer);
        return;
    }
    entry.filed_at = entry.timer->filed_at = entry.timer->at;
    sink(ts, 0, entry);
}

stt_ns stt_timers_next(struct stt_timers *ts)
{
    while (ts->in_heap && ts->heap[0].filed_at < ts->heap[0].timer->at)
        refile_first(ts);
    return ts->in_heap ? ts->heap[0].filed_at : STT_NEVER;
}

/* The entry of what expires stays where it is: its owner will most likely set the timer again, and
 * then one refiling does for a removal and an insertion. */
struct stt_timer *stt_timers_pop(struct stt_timers *ts, stt_ns now)
{
    while (ts->in_heap && ts->heap[0].filed_at <= now) {
        struct stt_timer *timer = ts->heap[0].timer;
        if (timer->at == timer->filed_at) {
            timer->at = STT_NEVER;
            return timer;
        }
        refile_first(ts);
    }
    return NULL;
}
