/* SPDX-License-Identifier: MIT
 * trace: the table of event types, and the flight recorder, which works in the caller's array.
 *
 *   events   | 8 | 9 | 6 | 7 |      capacity 4, recorded 10: the next one overwrites the oldest
 *                      ^ oldest
 *
 * It must not know what the numbers in an event mean, only what they are called. */
#include "stt/base/trace.h"

#include <assert.h>

static_assert(sizeof(struct stt_trace_event) == 64, "an event is a line of the cache");

static const struct stt_trace_row rows[] = {
#define X(type, name, code, ...) {name, code, {__VA_ARGS__}},
    STT_TRACE_TYPES(X)
#undef X
};

const struct stt_trace_row *stt_trace_row(uint32_t type)
{
    return type < STT_TRACE_TYPE_COUNT ? &rows[type] : NULL;
}

void stt_flight_recorder_init(struct stt_flight_recorder *fr, struct stt_trace_event *memory,
                              uint32_t capacity)
{
    assert(memory && capacity && (capacity & (capacity - 1)) == 0);
    *fr = (struct stt_flight_recorder){.events = memory, .capacity = capacity};
}

struct stt_trace_event *stt_flight_recorder_at(const struct stt_flight_recorder *fr,
                                               uint64_t number)
{
    assert(number >= stt_flight_recorder_oldest(fr) && number < fr->recorded);
    return &fr->events[number & (fr->capacity - 1)];
}
