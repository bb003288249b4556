/* SPDX-License-Identifier: MIT
 * codes: what the numbers in an event are called, where they are names. Spec 09, "Events". */
#ifndef STT_TRACE_CODES_H
#define STT_TRACE_CODES_H

#include "stt/trace.h"

/* NULL where the field is a plain number. */
const char *stt_codes_field(const struct stt_trace_event *event, unsigned field);

#endif
