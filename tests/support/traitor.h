/* SPDX-License-Identifier: MIT
 * traitor: a peer that holds the keys of a session and says what it likes. */
#ifndef TESTS_SUPPORT_TRAITOR_H
#define TESTS_SUPPORT_TRAITOR_H

#include "stt/base/bytes.h"
#include "stt/base/ranges.h"
#include "stt/endpoint.h"
#include "tests/support/duo.h"
#include "tests/support/frames.h"

enum { TRAITOR_PACKET_MAX = 2048 };

struct stt_session;

/* The object behind a handle, also of a session that its host does not know; NULL: stale. */
struct stt_session *traitor_session(const struct stt_endpoint *ep, stt_handle session);

/* These frames as the next packet of the session, in the caller's TRAITOR_PACKET_MAX bytes; its own
 * endpoint does not know that it was sent. Answers its length. */
size_t traitor_seal(struct stt_session *s, struct bytes frames, uint8_t *packet);
/* The same, with a number of its own choice above all that were used. */
size_t traitor_seal_as(struct stt_session *s, uint64_t number, struct bytes frames,
                       uint8_t *packet);

/* What a packet for this session holds, opened where it lies; nothing when it does not open. */
struct bytes traitor_open(struct stt_session *s, uint8_t *packet, size_t len);

/* What an honest peer would acknowledge that had heard everything since the oldest that is open:
 * not the numbers that were left out. Answers how many ranges. */
enum { TRAITOR_RANGES_MAX = 40 };
size_t traitor_ranges(const struct stt_session *victim, struct stt_range *out);

/* -- a duo whose client is the traitor, and whose server is the victim -- */

/* One packet of these frames, or of this one, arrives. */
void traitor_say(struct duo *d, struct bytes frames);
void traitor_say_frame(struct duo *d, const struct any_frame *f);
/* What the victim says goes nowhere, and it hears that all of it has arrived. */
void traitor_acknowledge(struct duo *d);

/* The victim has closed for this reason, and then nothing is left of it; ends the duo. */
void traitor_require_closed(struct duo *d, uint64_t code);
void traitor_require_open(struct duo *d);

#endif
