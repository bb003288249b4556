/* SPDX-License-Identifier: MIT
 * traced: everything that an endpoint has told, and whether it fits together.
 *
 *     static struct traced client;
 *     ... stt_sim_endpoint.trace_ctx = &client, .trace = traced_hear, .key_log = traced_hear_key
 *     traced_check(&client, session, &info);
 *     traced_fini(&client);
 */
#ifndef TESTS_SUPPORT_TRACED_H
#define TESTS_SUPPORT_TRACED_H

#include "stt/endpoint.h"
#include "stt/keylog.h"
#include "stt/trace.h"

enum { TRACED_KEYS_MAX = 256 };

struct traced {
    struct stt_trace_event *events;
    size_t n, room;
    struct stt_key_log keys[TRACED_KEYS_MAX]; /* their secrets are in the next */
    uint8_t secrets[TRACED_KEYS_MAX][32];
    size_t n_keys;
};

void traced_hear(void *ctx, const struct stt_trace_event *event);
void traced_hear_key(void *ctx, const struct stt_key_log *key);
void traced_fini(struct traced *t);

/* How many of a type, and the latest; NULL: there was none. */
size_t traced_count(const struct traced *t, uint32_t type);
const struct stt_trace_event *traced_latest(const struct traced *t, uint32_t type);

/* Asserts that the trace of a session is complete, and agrees with what the session counted: */
void traced_check(const struct traced *t, stt_handle session, const struct stt_session_info *info);
/* ... that no secret that was heard is in any event ... */
void traced_check_no_secrets(const struct traced *t);
/* ... and that every record of it is as qlog wants it. */
void traced_check_qlog(const struct traced *t);

#endif
