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

#if defined(__GNUC__)
#define STT_MUST_USE __attribute__((warn_unused_result))
#else
#define STT_MUST_USE
#endif

#ifdef __cplusplus
}
#endif
#endif
