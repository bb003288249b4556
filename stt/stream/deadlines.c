/* SPDX-License-Identifier: MIT
 * deadlines: owns the ring of messages that have one.
 *
 *     first           first + n                messages ascend and do not overlap
 *       | 5 | 7 | - | 9 |                      -: has expired, waits to be acknowledged
 *
 * Invariants: no deadline comes before `next`; while !is_mixed deadlines ascend with the messages,
 * but for those that have expired. It must not know what is sent, nor frames. */
#include "stt/stream/deadlines.h"

#include <assert.h>

enum { SIZE_FIRST = 16 };

static struct stt_deadlines_entry *entry(const struct stt_deadlines *d, uint32_t i)
{
    return &d->ring[(d->first + i) & (d->size - 1)];
}

/* Twice the room, in which the messages begin at place 0. */
static int grow(struct stt_deadlines *d, const struct stt_env *env)
{
    if (d->size == STT_DEADLINES_MAX)
        return STT_E_LIMIT;
    struct stt_deadlines more = *d;
    more.first = 0;
    more.size = d->size ? 2 * d->size : SIZE_FIRST;
    more.ring = stt_env_alloc(env, more.size * sizeof *more.ring);
    if (!more.ring)
        return STT_E_MEMORY;
    for (uint32_t i = 0; i < d->n; i++)
        more.ring[i] = *entry(d, i);
    stt_env_release(env, d->ring, d->size * sizeof *d->ring);
    *d = more;
    return STT_OK;
}

static void drop_first(struct stt_deadlines *d)
{
    d->first = (d->first + 1) & (d->size - 1);
    d->n--;
}

/* The messages that have expired and stand first say nothing any more. */
static void drop_expired(struct stt_deadlines *d)
{
    while (d->n && entry(d, 0)->at == STT_NEVER)
        drop_first(d);
}

int stt_deadlines_add(struct stt_deadlines *d, const struct stt_env *env, struct stt_range message,
                      stt_ns at)
{
    assert(message.from < message.to && at != STT_NEVER);
    if (d->n == d->size) {
        int error = grow(d, env);
        if (error)
            return error;
    }
    if (d->n == 0) {
        d->is_mixed = false;
        d->next = d->last = at;
    }
    d->is_mixed = d->is_mixed || at < d->last;
    d->next = at < d->next ? at : d->next;
    d->last = at;
    *entry(d, d->n++) = (struct stt_deadlines_entry){message, at};
    return STT_OK;
}

void stt_deadlines_free(struct stt_deadlines *d, const struct stt_env *env)
{
    stt_env_release(env, d->ring, d->size * sizeof *d->ring);
    *d = (struct stt_deadlines){.ring = NULL};
}

void stt_deadlines_on_acked(struct stt_deadlines *d, uint64_t acked)
{
    while (d->n && entry(d, 0)->message.to <= acked)
        drop_first(d);
    drop_expired(d);
    if (d->n && !d->is_mixed)
        d->next = entry(d, 0)->at;
}

const struct stt_deadlines_entry *stt_deadlines_at(const struct stt_deadlines *d, uint64_t from)
{
    uint32_t low = 0, high = d->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (entry(d, middle)->message.from < from)
            low = middle + 1;
        else
            high = middle;
    }
    const struct stt_deadlines_entry *e = low < d->n ? entry(d, low) : NULL;
    return e && e->message.from == from && e->at != STT_NEVER ? e : NULL;
}

static bool is_acked(struct stt_range message, const struct stt_ranges *acked)
{
    return acked && stt_ranges_first_gap(acked, message.from).from >= message.to;
}

/* Nothing is due any more: when will something be? */
static void look_ahead(struct stt_deadlines *d)
{
    d->next = STT_NEVER;
    for (uint32_t i = 0; i < d->n && (d->is_mixed || d->next == STT_NEVER); i++)
        d->next = entry(d, i)->at < d->next ? entry(d, i)->at : d->next;
}

bool stt_deadlines_due(struct stt_deadlines *d, stt_ns now, const struct stt_ranges *acked,
                       struct stt_range *message)
{
    if (stt_deadlines_next(d) > now)
        return false;
    for (uint32_t i = 0; i < d->n; i++) {
        struct stt_deadlines_entry *e = entry(d, i);
        bool is_due = e->at <= now;
        if (is_due && !is_acked(e->message, acked)) {
            *message = e->message;
            return true;
        }
        if (is_due)
            e->at = STT_NEVER;
        else if (!d->is_mixed && e->at != STT_NEVER)
            break;
    }
    drop_expired(d);
    look_ahead(d);
    return false;
}

void stt_deadlines_give_up(struct stt_deadlines *d, struct stt_range message)
{
    for (uint32_t i = 0; i < d->n; i++) {
        struct stt_deadlines_entry *e = entry(d, i);
        if (e->message.from != message.from)
            continue;
        e->at = STT_NEVER;
        drop_expired(d);
        return;
    }
}
