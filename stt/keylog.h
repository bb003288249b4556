/* SPDX-License-Identifier: MIT
 * Secrets for somebody who looks into packets of his own with a tool: whoever has them reads the
 * session. They go to the hook `key_log` of struct stt_env, which is called only where the host
 * has set it (spec 09, "Key log"). */
#ifndef STT_KEYLOG_H
#define STT_KEYLOG_H

#include "stt/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of one direction and epoch; borrowed until the hook returns. */
struct stt_key_log {
    uint8_t initiator_id[8], responder_id[8]; /* the session ids of the handshake */
    bool to_initiator;                        /* else to the responder */
    uint64_t epoch;
    const char *suite;
    const uint8_t *secret; /* 32 bytes */
};

/* The line for a file, newline included; wipe it when it is written. Answers its length. */
#define STT_KEY_LOG_LINE_ROOM 192
size_t stt_key_log_line(const struct stt_key_log *key, char out[STT_KEY_LOG_LINE_ROOM]);

#ifdef __cplusplus
}
#endif
#endif
