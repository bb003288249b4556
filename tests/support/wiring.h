/* SPDX-License-Identifier: MIT
 * wiring: what must hold at any time between the parts of an endpoint that carries streams: lists
 * agree with flags, sums with their parts, and nothing that has to be said is forgotten. What is
 * broken stops the program. */
#ifndef TESTS_SUPPORT_WIRING_H
#define TESTS_SUPPORT_WIRING_H

#include "stt/endpoint.h"

struct stt_stream;

/* Of an endpoint with one session: what streams that are gone have added to its sums. */
struct wiring {
    uint64_t sent, received;
};

/* Right before the stream is freed with the event that tells of its end. */
void wiring_on_end(struct wiring *w, const struct stt_stream *t);

void wiring_check(const struct wiring *w, const struct stt_endpoint *ep);
/* Each byte that was sent is acknowledged, lost, skipped, or in a packet that is out; so are FIN,
 * RESET and SKIP. Costs in the packets that are out. */
void wiring_check_flight(const struct stt_endpoint *ep);
/* Transmit has answered false, and not for want of memory: whatever is left to say waits for
 * something that will come. */
void wiring_check_silence(const struct stt_endpoint *ep);
/* No stream is left: what streams have used is back. */
void wiring_check_empty(const struct stt_endpoint *ep);

#endif
