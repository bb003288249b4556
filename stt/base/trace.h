/* SPDX-License-Identifier: MIT
 * trace: a flight recorder, which remembers the last events in the caller's array, and the way of
 * an event to it and to the env's hook. Spec 09, "Where they go". */
#ifndef STT_BASE_TRACE_H
#define STT_BASE_TRACE_H

#include "stt/base/env.h"
#include "stt/trace.h"

/* The last `capacity` events. */
struct stt_flight_recorder {
    struct stt_trace_event *events;
    uint32_t capacity; /* a power of two */
    uint64_t recorded; /* in all, those overwritten included: the number of the next */
};

void stt_flight_recorder_init(struct stt_flight_recorder *fr, struct stt_trace_event *memory,
                              uint32_t capacity);

/* The number of the oldest event that it remembers; `recorded` when there is none. */
static inline uint64_t stt_flight_recorder_oldest(const struct stt_flight_recorder *fr)
{
    return fr->recorded < fr->capacity ? 0 : fr->recorded - fr->capacity;
}

/* One that it remembers, by its number. */
struct stt_trace_event *stt_flight_recorder_at(const struct stt_flight_recorder *fr,
                                               uint64_t number);

/* Inline, since the few stores of an event are all that a train pays. */
static inline const struct stt_trace_event *
stt_flight_recorder_record(struct stt_flight_recorder *fr, const struct stt_trace_event *event)
{
    struct stt_trace_event *slot = &fr->events[fr->recorded++ & (fr->capacity - 1)];
    *slot = *event;
    return slot;
}

/*     stt_trace(env, &recorder, &(struct stt_trace_event){
 *         .at = now, .subject = handle, .type = STT_TRACE_PACKET_SIZE, .field = {bytes,
 * previous}});
 */
static inline void stt_trace(const struct stt_env *env, struct stt_flight_recorder *fr,
                             const struct stt_trace_event *event)
{
    const struct stt_trace_event *slot = stt_flight_recorder_record(fr, event);
    if (env->trace)
        env->trace(env->ctx, slot);
}

#endif
