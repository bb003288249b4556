/* SPDX-License-Identifier: MIT
 * L0: what a session did, and what held it back. Spec 06, "Statistics", says what each number is.
 */
#ifndef STT_STATS_H
#define STT_STATS_H

#include "stt/endpoint.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What the next byte waits for; the first that applies counts. Hands its rows to ROW with X. */
#define STT_HELD_BY(ROW, X)                                                                        \
    ROW(X, APPLICATION, application, "the application")                                            \
    ROW(X, STREAM_FLOW, stream_flow, "the flow control of its streams")                            \
    ROW(X, SESSION_FLOW, session_flow, "the flow control of the session")                          \
    ROW(X, PATH, path, "the path")                                                                 \
    ROW(X, WINDOW, window, "the congestion window")                                                \
    ROW(X, PACER, pacer, "the pacer")                                                              \
    ROW(X, CARRIER, carrier, "the carrier")                                                        \
    ROW(X, MACHINE, machine, "this machine")

enum stt_held_by {
#define ROW(X, upper, name, words) STT_HELD_##upper,
    STT_HELD_BY(ROW, )
#undef ROW
        STT_HELD_COUNT
};

/* "the congestion window"; never NULL. */
const char *stt_held_text(enum stt_held_by by);

#ifdef __cplusplus
}
#endif
#endif
