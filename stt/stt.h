/* SPDX-License-Identifier: MIT
 * Everything that is public. The manual begins at stt(7). */
#ifndef STT_STT_H
#define STT_STT_H

#include "stt/address.h"
#include "stt/config.h"
#include "stt/datagrams.h"
#include "stt/endpoint.h"
#include "stt/env.h"
#include "stt/error.h"
#include "stt/identity.h"
#include "stt/keyfile.h"
#include "stt/keylog.h"
#include "stt/metrics.h"
#include "stt/node.h"
#include "stt/qlog.h"
#include "stt/stats.h"
#include "stt/streams.h"
#include "stt/trace.h"
#include "stt/types.h"

#endif
