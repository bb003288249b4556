/* SPDX-License-Identifier: MIT
 * cubic: stt_cubic of congestion.h: CUBIC (RFC 9438) with HyStart++ (RFC 9406). Spec 06,
 * "Controllers". */
#ifndef STT_RECOVERY_CUBIC_H
#define STT_RECOVERY_CUBIC_H

#include "stt/recovery/congestion.h"
#include "stt/recovery/curve.h"

#endif
