/* SPDX-License-Identifier: MIT
 * saying: which frames go into a packet, in the order of spec 05, "Packing": ACK, what the session
 * owes, what its streams owe, and data. */
#ifndef STT_SESSION_SAYING_H
#define STT_SESSION_SAYING_H

#include "stt/session/engine.h"
#include "stt/stream/packing.h"

/* What is being written: a packet of the train, and what is remembered of it. */
struct stt_draft {
    struct stt_packing *packing;
    uint32_t said;        /* STT_OWES_ bits in it */
    uint64_t acked;       /* largest number that its ACK names, plus one; 0: no ACK */
    uint32_t n_datagrams; /* in the train; the latest is the one below */
    struct stt_datagrams_view datagram;
};

/* STT_OWES_ bits that this state allows; UINT32_MAX: and streams. */
uint32_t stt_saying_allowed(const struct stt_session *s);
/* Whether that is everything, challenges of paths among it. */
bool stt_saying_may_ask(const struct stt_session *s);
bool stt_saying_has_ack(const struct stt_session *s);
bool stt_saying_has_stream_frames(const struct stt_session *s);

/* For a frame that is of no stream, and lost without consequence but for these bits. */
struct stt_piece stt_saying_piece(uint32_t owes);

/* Each says as much of its own as fits into the packet. */
void stt_saying_ack(struct stt_session *s, stt_ns now, struct stt_draft *d);
void stt_saying_owed(struct stt_endpoint *ep, struct stt_session *s, struct stt_draft *d,
                     uint32_t allowed);
void stt_saying_streams_owed(struct stt_session *s, struct stt_draft *d);
void stt_saying_data(struct stt_endpoint *ep, stt_ns now, struct stt_session *s,
                     struct stt_draft *d);

/* Packets, up to n of them, that one stream fills with bytes that were never sent, as most of a
 * long transfer are: written as saying_data() would, for less. Answers how many; 0: the next is not
 * one.
 */
size_t stt_saying_run(stt_ns now, struct stt_session *s, struct stt_draft *d, size_t n,
                      size_t room);

/* The train's only packet so far ends with a datagram, and another fits one of that length. */
bool stt_saying_has_another(const struct stt_session *s, const struct stt_draft *d);
/* Datagrams that were said leave their queue. */
void stt_saying_on_sealed(struct stt_session *s, struct stt_draft *d);

#endif
