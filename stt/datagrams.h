/* SPDX-License-Identifier: MIT
 * L0: datagrams of a session: short messages without promise. Each arrives whole or not at all, in
 * any order, once at most; nothing is sent again. They obey congestion control like everything
 * else. Spec 05, "Datagrams".
 *
 * STT_EVENT_DATAGRAM tells that some have come in, STT_EVENT_FATE that it is known what became of
 * some that were sent: pull them until STT_E_AGAIN. */
#ifndef STT_DATAGRAMS_H
#define STT_DATAGRAMS_H

#include "stt/endpoint.h"
#include "stt/streams.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the datagrams of a session are sent. */
struct stt_datagram_options {
    size_t size;
    uint8_t urgency;  /* among the session's streams: 0 first, 7 last */
    bool wants_fates; /* STT_EVENT_FATE */
};
#define STT_DATAGRAM_OPTIONS_INIT                                                                  \
    {                                                                                              \
        .size = sizeof(struct stt_datagram_options), .urgency = 2                                  \
    }
int stt_datagram_configure(struct stt_endpoint *ep, stt_ns now, stt_handle session,
                           const struct stt_datagram_options *options) STT_MUST_USE;

/* The longest that may be sent now; 0: the peer takes none. It changes with the path. */
size_t stt_datagram_bytes_max(const struct stt_endpoint *ep, stt_handle session);

/* Queued, and sent when the window and its urgency allow; where too many wait the oldest is
 * dropped. Its number, from 0 on, names it among fates; `number` may be NULL. STT_E_UNSUPPORTED:
 * the peer takes none. STT_E_ARGUMENT: it is too long. */
int stt_datagram_send(struct stt_endpoint *ep, stt_ns now, stt_handle session, const void *data,
                      size_t len, uint64_t *number) STT_MUST_USE;

/* The oldest that has come in; STT_E_AGAIN: none. With too little room it stays, and *len says what
 * it takes: STT_E_ARGUMENT. */
int stt_datagram_read(struct stt_endpoint *ep, stt_handle session, void *data, size_t room,
                      size_t *len) STT_MUST_USE;
/* The same in place: *n gets how many parts it has, at most 5; then it is consumed. */
#define STT_DATAGRAM_PARTS 5
int stt_datagram_peek(struct stt_endpoint *ep, stt_handle session,
                      struct stt_part parts[STT_DATAGRAM_PARTS], size_t *n) STT_MUST_USE;
int stt_datagram_consume(struct stt_endpoint *ep, stt_handle session);

/* Loss is what one knows at the time: an ack may still come, and then both are told. */
struct stt_datagram_fate {
    uint64_t number;
    bool is_acked; /* or it is lost */
};
int stt_datagram_fate(struct stt_endpoint *ep, stt_handle session,
                      struct stt_datagram_fate *fate) STT_MUST_USE;

struct stt_datagram_info {
    uint64_t queued, sent, dropped_unsent; /* here; those of the last were too old, or too long */
    uint64_t waiting;                      /* to be sent */
    uint64_t received, dropped_unread; /* from the peer; those of the last were not read in time */
    uint64_t fates_dropped;            /* that were not asked for in time */
};
int stt_datagram_info(const struct stt_endpoint *ep, stt_handle session,
                      struct stt_datagram_info *out) STT_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
