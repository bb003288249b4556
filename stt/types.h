/* SPDX-License-Identifier: MIT
 * The words that every header of STT uses: time and the sizes of the things people hold. */
#ifndef STT_TYPES_H
#define STT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Nanoseconds on the host's monotonic clock, which must not stop during a suspend. The library
 * never reads a clock: time is always an argument. */
typedef uint64_t stt_ns;

#define STT_NEVER UINT64_MAX
#define STT_US(n) ((stt_ns)(n)*1000u)
#define STT_MS(n) ((stt_ns)(n)*1000000u)
#define STT_S(n)  ((stt_ns)(n)*1000000000u)

/* What the side that connects knows beforehand, and so how a handshake begins (spec 03, "Modes").
 */
enum stt_mode {
    STT_MODE_K = 1, /* the peer id, and perhaps a seed */
    STT_MODE_S = 2, /* a seed */
    STT_MODE_W = 3, /* a code that people can say */
    STT_MODE_Q = 4, /* a DHT contact: one question, one answer, no session */
};

#if defined(__GNUC__)
#define STT_MUST_USE __attribute__((warn_unused_result))
#else
#define STT_MUST_USE
#endif

#ifdef __cplusplus
}
#endif
#endif
