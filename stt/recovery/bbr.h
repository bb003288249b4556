/* SPDX-License-Identifier: MIT
 * bbr: a controller that goes by what the path delivers, stt_bbr of congestion.h: BBR version 1
 * (draft-cardwell-iccrg-bbr-congestion-control-00). Spec 06, "Controllers". */
#ifndef STT_RECOVERY_BBR_H
#define STT_RECOVERY_BBR_H

#include "stt/recovery/congestion.h"

/* Bytes, and bytes in a second: products below stay within 64 bits. */
#define STT_BBR_WINDOW_MAX (UINT64_C(1) << 32)
#define STT_BBR_RATE_MAX   (UINT64_C(1) << 36)

#endif
