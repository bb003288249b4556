/* SPDX-License-Identifier: MIT
 * datagram: what a session does with DATAGRAM frames. It has this only once one was sent, or has
 * come in. Spec 05, "Datagrams". */
#ifndef STT_SESSION_DATAGRAM_H
#define STT_SESSION_DATAGRAM_H

#include "stt/datagrams.h"
#include "stt/stream/datagrams.h"
#include "stt/stream/fates.h"
#include "stt/stream/scheduler.h"

struct stt_datagram_traffic {
    struct stt_schedule schedule; /* what waits to be sent has turns like a stream */
    struct stt_datagrams out, in;
    struct stt_fates fates;
    uint64_t sent, received;
    bool wants_fates;
};

#endif
