/* SPDX-License-Identifier: MIT
 * events: a binary heap, keyed by time and order. It must not know what the events mean. */
#include "transport/sim/events.h"

#include <assert.h>
#include <string.h>

enum { ROOM_MIN = 64 };

void stt_net_events_init(struct stt_net_events *q, const struct stt_env *env)
{
    *q = (struct stt_net_events){.env = env};
}

void stt_net_events_fini(struct stt_net_events *q)
{
    stt_env_release(q->env, q->heap, q->room * sizeof *q->heap);
    *q = (struct stt_net_events){0};
}

static bool is_before(const struct stt_net_event *a, const struct stt_net_event *b)
{
    return a->at < b->at || (a->at == b->at && a->order < b->order);
}

static void grow(struct stt_net_events *q)
{
    size_t room = q->room ? 2 * q->room : ROOM_MIN;
    struct stt_net_event *bigger = stt_env_alloc(q->env, room * sizeof *bigger);
    assert(bigger);
    if (q->n)
        memcpy(bigger, q->heap, q->n * sizeof *bigger);
    stt_env_release(q->env, q->heap, q->room * sizeof *bigger);
    q->heap = bigger;
    q->room = room;
}

void stt_net_events_push(struct stt_net_events *q, struct stt_net_event event)
{
    if (q->n == q->room)
        grow(q);
    event.order = q->announced++;
    size_t hole = q->n++;
    for (; hole && is_before(&event, &q->heap[(hole - 1) / 2]); hole = (hole - 1) / 2)
        q->heap[hole] = q->heap[(hole - 1) / 2];
    q->heap[hole] = event;
}

bool stt_net_events_pop(struct stt_net_events *q, struct stt_net_event *event)
{
    if (q->n == 0)
        return false;
    *event = q->heap[0];
    struct stt_net_event last = q->heap[--q->n];
    size_t hole = 0;
    for (size_t child = 1; child < q->n; child = 2 * hole + 1) {
        if (child + 1 < q->n && is_before(&q->heap[child + 1], &q->heap[child]))
            child++;
        if (!is_before(&q->heap[child], &last))
            break;
        q->heap[hole] = q->heap[child];
        hole = child;
    }
    q->heap[hole] = last;
    return true;
}
