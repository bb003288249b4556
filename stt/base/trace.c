/* SPDX-License-Identifier: MIT
 * trace: the table of event types, and the flight recorder, which works in the caller's array.
 *
 *   events   | 8 | 9 | 6 | 7 |      capacity 4, recorded 10: the next one overwrites the oldest
 *                      ^ oldest
 *
 * It must not know what the numbers in an event mean, only what they are called. */
#include "stt/base/trace.h"

#include <assert.h>

static_assert(sizeof(struct stt_trace_event) == 48, "a recorder of n events takes 48 n bytes");

static const struct stt_trace_row rows[] = {
#define X(type, name, code, ...) {name, code, {__VA_ARGS__}},
    STT_TRACE_TYPES(X)
#undef X
};

static const char *const reasons[] = {
#define X(reason, text) text,
    STT_DROP_REASONS(X)
#undef X
};

const struct stt_trace_row *stt_trace_row(uint32_t type)
{
    return type < STT_TRACE_TYPE_COUNT ? &rows[type] : NULL;
}

const char *stt_drop_reason_text(uint32_t reason)
{
    return reason < STT_DROP_REASON_COUNT ? reasons[reason] : NULL;
}

void stt_flight_recorder_init(struct stt_flight_recorder *fr, struct stt_trace_event *memory,
                              uint32_t capacity)
{
    assert((capacity & (capacity - 1)) == 0 && (memory || capacity == 0));
    *fr = (struct stt_flight_recorder){.events = memory, .capacity = capacity};
}

uint32_t stt_flight_recorder_count(const struct stt_flight_recorder *fr)
{
    return fr->recorded < fr->capacity ? (uint32_t)fr->recorded : fr->capacity;
}

const struct stt_trace_event *stt_flight_recorder_at(const struct stt_flight_recorder *fr,
                                                     uint32_t i)
{
    assert(i < stt_flight_recorder_count(fr));
    uint64_t oldest = fr->recorded - stt_flight_recorder_count(fr);
    return &fr->events[(oldest + i) & (fr->capacity - 1)];
}
