/* SPDX-License-Identifier: MIT
 * tide: the default controller, stt_tide of congestion.h. Spec 06, "Controllers". */
#ifndef STT_RECOVERY_TIDE_H
#define STT_RECOVERY_TIDE_H

#include "stt/recovery/congestion.h"
#include "stt/recovery/curve.h"

#endif
