/* SPDX-License-Identifier: MIT
 * cubic: the default controller, stt_cubic of congestion.h: CUBIC (RFC 9438) with HyStart++ (RFC
 * 9406). Spec 06, "Controllers". */
#ifndef STT_RECOVERY_CUBIC_H
#define STT_RECOVERY_CUBIC_H

#include "stt/recovery/congestion.h"

#define STT_CUBIC_WINDOW_MAX (UINT64_C(1) << 32) /* bytes; products below stay within 64 bits */

/* The greatest whole number whose cube is not above x. */
uint32_t stt_cubic_root(uint64_t x);

#endif
